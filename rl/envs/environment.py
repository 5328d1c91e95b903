r"""The contract between an agent and its world, Gymnasium's: what a user of `gymnasium.Env` knows holds here.

    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(action)

`terminated`: the world has ended, nothing follows, the value of what follows is 0. `truncated`: somebody stopped the
clock; the world would have gone on, and the value of what would have followed still counts. To take the second for the
first is the most common silent mistake in reinforcement learning: an agent then learns that late states are worthless,
though nothing about them is.
"""

import numpy as np

from ..mdp import check_count


class Environment:
    """Base class. A subclass sets the two spaces and defines `begin`, `move` and `render`.

    max_episode_steps: truncate an episode after so many steps; None never does. ValueError if it is no integer ≥ 1.
    """

    def __init__(self, observation_space, action_space, max_episode_steps=None):
        if max_episode_steps is not None:
            max_episode_steps = check_count(max_episode_steps, f"{type(self).__name__}: max_episode_steps", 1)
        self.observation_space, self.action_space = observation_space, action_space
        self.max_episode_steps = max_episode_steps
        self.rng, self.elapsed, self.running, self.why = None, 0, False, "before the first reset()"

    def begin(self, options):
        """Draw the first state with self.rng, and return its observation."""
        raise NotImplementedError(f"{type(self).__name__} must define begin(options)")

    def move(self, action):
        """Take one step; returns observation, reward, terminated."""
        raise NotImplementedError(f"{type(self).__name__} must define move(action)")

    def render(self):
        """The present state as an RGB image, uint8 (height, width, 3)."""
        raise NotImplementedError(f"{type(self).__name__} must define render()")

    def reset(self, *, seed=None, options=None):
        """Begin an episode; returns (observation, info). A seed starts the generator anew, None goes on with it.

        options: a dict; {"state": s} begins in the state s. ValueError for any other key.
        """
        if unknown := set(options or {}) - {"state"}:
            raise ValueError(f"{type(self).__name__}: reset() knows the option 'state', not {', '.join(map(repr, unknown))}")
        if seed is not None or self.rng is None:
            self.rng = np.random.default_rng(seed)
        observation = self.begin(dict(options or {}))
        self.elapsed, self.running = 0, True
        return observation, {}

    def step(self, action):
        """Take one step: (observation, reward, terminated, truncated, info).

        RuntimeError before `reset` or after the end of an episode; ValueError if the action is not in the action space.
        """
        if not self.running:
            raise RuntimeError(f"{type(self).__name__}: step() {self.why}: call reset() to begin an episode")
        if not self.action_space.contains(action):
            raise ValueError(f"{type(self).__name__}: action {action!r} is not in {self.action_space}: give {getattr(self.action_space, 'wanted', 'one of its elements')}")
        observation, reward, terminated = self.move(action)
        self.elapsed += 1
        truncated = self.elapsed == self.max_episode_steps
        if terminated or truncated:
            self.running, self.why = False, f"after the episode was {'terminated' if terminated else 'truncated'}"
        return observation, float(reward), bool(terminated), bool(truncated), {}

    def close(self):
        """Nothing to do: there is no window."""

    def state_dict(self):
        """All that decides how it goes on, as nested dicts of arrays, numbers and strings: `minigrad.checkpoint` saves it."""
        return {
            "rng": self.rng and self.rng.bit_generator.state, "elapsed": self.elapsed, "running": self.running, "why": self.why,
            "state": np.array(getattr(self, "state", 0)),
        }  # fmt: skip

    def load_state_dict(self, state):
        """Go on from a state_dict: the same steps then give the same bits."""
        self.elapsed, self.running, self.why = state["elapsed"], state["running"], state["why"]
        self.rng = state["rng"] and np.random.default_rng()
        if self.rng:
            self.rng.bit_generator.state = state["rng"]
        array = state["state"]
        self.state = array.copy() if array.ndim else array.item()
