r"""A replay buffer: the last `capacity` transitions, from which minibatches are drawn (Lin 1992; Mnih et al. 2015).

Consecutive steps of an episode are alike, and a network that learns from them as they come forgets the rest of the
world. A batch drawn from a long memory is a mixture of many situations, and each transition is used many times.
"""

from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """B transitions. `terminated` only: a truncated episode would have gone on, so its last step is like any other."""

    observation: np.ndarray  # (B, n), n numbers in an observation
    action: np.ndarray  # (B, m), m numbers in an action
    reward: np.ndarray  # (B,)
    next_observation: np.ndarray  # (B, n), the one that `step` returned, not that of the reset after it
    terminated: np.ndarray  # (B,) 1 where the world ended, else 0


class Replay:
    """A ring: when it is full, a new transition takes the place of the oldest. All memory is taken at the start."""

    def __init__(self, capacity, n_observation, n_action, dtype=np.float32):
        if capacity < 1:
            raise ValueError(f"Replay: capacity must be at least 1, not {capacity}")
        widths = ((n_observation,), (n_action,), (), (n_observation,), ())
        self.ring = Batch(*[np.zeros((capacity, *width), dtype) for width in widths])
        self.capacity, self.count = capacity, 0  # count: all transitions ever added

    def __len__(self):
        return min(self.count, self.capacity)

    def add(self, observation, action, reward, next_observation, terminated):
        """Copy one transition into the ring."""
        i = self.count % self.capacity
        for column, value in zip(self.ring, (observation, action, reward, next_observation, terminated)):
            column[i] = value
        self.count += 1

    def sample(self, batch_size, rng):
        """A Batch of transitions, each drawn independently from all that are held. ValueError if there are none."""
        if not self.count:
            raise ValueError("Replay: sample() from an empty buffer: add transitions first")
        rows = rng.integers(len(self), size=batch_size)
        return Batch(*[column.take(rows, axis=0) for column in self.ring])

    def state_dict(self):
        """What is held, place by place of the ring, and the count."""
        return {"count": self.count, **{name: column[: len(self)].copy() for name, column in self.ring._asdict().items()}}

    def load_state_dict(self, state):
        """Go on from a state_dict; ValueError if it needs another capacity or other widths."""
        held, shape = min(state["count"], self.capacity), self.ring.observation.shape
        if state["observation"].shape != (held, shape[1]) or state["action"].shape != (held, self.ring.action.shape[1]):
            raise ValueError(f"Replay: the saved ring holds {state['observation'].shape}, this one {shape}")
        self.count = state["count"]
        for name, column in self.ring._asdict().items():
            column[:held] = state[name]
