r"""DQN: Q-learning with a network and a memory (Mnih et al. 2015), and double DQN (van Hasselt, Guez & Silver 2016).

Q-learning in a table moves Q(s, a) towards r + γ max_a' Q(s', a'). A network in the table's place diverges easily: steps
that follow one another are alike, and every update moves the target, too. Two cures: learn from a *memory* of steps,
mixed, and take the target from a *copy* Q' that stands still for C updates. Algorithm 1:

     1  empty replay memory
     2  start Q(s, a; θ) from random weights
     3  target Q' ← Q
     4  for each episode
     5      receive the first observation s
     6      for each step
     7          with probability ε_t: a random action a
     8          otherwise: a = argmax_a Q(s, a; θ)
     9          execute a, observe r
    10          and s'
    11          store (s, a, r, s') in the memory
    12          draw a minibatch from it
    13          y = r + γ max_a' Q'(s', a'),    y = r where the episode terminated          the target: a constant
    14          step θ down on mean (y − Q(s, a; θ))²
    15          every C updates: Q' ← Q

Double DQN changes line 13. A maximum of noisy guesses is too high, as E max ≥ max E: what is chosen for being high is
high by chance, too. So one network chooses, the other one judges:

                y = r + γ Q'(s', argmax_a' Q(s', a'; θ))

A prime on s or a means *next*; Q' is the copy, the paper's Q̂ with weights θ⁻.

What must be right, and is silently wrong elsewhere:

  * The copy is a copy. `target = network` is a second name for the same array: it follows at every step.
  * y = r where the episode *terminated*. A truncated one would have gone on: it bootstraps like any other step.
  * The maximum is over the actions of each s', not over the batch; y and Q(s, a) are both (B,), never (B, 1) and (B,).
  * Of Q(s, ·) only the action taken has an error. All others get no gradient.

Where it differs from the paper: no images, and so no frames to skip or to stack; Adam, not RMSProp; the error is not
clipped to ±1; rewards are not clipped; an update after every step, not after every fourth, unless `train_every` says so.
"""

import copy

import numpy as np

from minigrad import no_grad, optim
from minigrad.tensor import to_array
from models.mlp import MLP

from .ddpg import squared_error
from .mdp import check_count, check_gamma, check_share
from .replay import Replay


class QNetwork(MLP):
    r"""Q(s, ·; θ): (B, n) -> (B, A), the paper's form: one pass values all actions."""

    def __init__(self, n, n_actions, hidden, *, rng, dtype=np.float32):
        super().__init__((n, *hidden, n_actions), rng=rng, dtype=dtype)


class PairNetwork(MLP):
    r"""q̂(s, a, w), the form of Zhao's book: the action is one more input, in 0 ... 1. A passes value all actions.

    The rest of this file need not know: it asks for the values of all actions, (B, n) -> (B, A), and gets them.
    """

    def __init__(self, n, n_actions, hidden, *, rng, dtype=np.float32):
        super().__init__((n + 1, *hidden, 1), rng=rng, dtype=dtype)
        self.actions = np.linspace(0, 1, n_actions, dtype=dtype)

    def forward(self, s):
        """Each s with each action, in one batch."""
        B, A = len(s), len(self.actions)
        pairs = np.empty((B, A, s.shape[1] + 1), self.actions.dtype)
        pairs[:, :, :-1], pairs[:, :, -1] = s[:, None], self.actions
        return super().forward(pairs.reshape(B * A, -1)).reshape(B, A)


def taken(q, a):
    r"""Q(s_i, a_i) of each row: values q (B, A), an array or a Tensor, and actions a (B,) -> (B,)"""
    return q[np.arange(len(a)), a]


def epsilon_at(t, start, steps, last):
    r"""ε_t: 1 for the first `start` steps, from there in a straight line to `last` within `steps` more, then `last`."""
    return 1 + (last - 1) * min(max((t - start) / steps, 0), 1)


class DQN:
    """env: any with Gymnasium's contract, a Box of observations (n,) and Discrete actions. seed: of all here, the env included.

    hidden: sizes of the hidden layers. network: QNetwork or PairNetwork. lr: learning rate of Adam; it falls in a straight
    line to 0 over `decay_steps` updates if that is given. gamma: as above. double: line 13 of double DQN. target_every: C.
    batch_size, capacity: of the replay memory. start_steps: so many random actions before the first update.
    epsilon, epsilon_steps: the last ε, and the steps until it is reached after the first. train_every: steps per update.
    reward_scale: what rewards are multiplied by. dtype: float32 or float64.
    ValueError for other spaces, for γ or ε outside [0, 1], for a count that is no integer or too small, for a memory that cannot hold a batch.
    """

    def __init__(
        self, env, seed=0, *, hidden=(64, 64), network=QNetwork, lr=1e-3, decay_steps=None, gamma=0.99, double=False,
        target_every=500, batch_size=64, capacity=100_000, start_steps=1_000, epsilon=0.05, epsilon_steps=10_000,
        train_every=1, reward_scale=1.0, dtype=np.float32,
    ):  # fmt: skip
        space, n_actions = env.observation_space, getattr(env.action_space, "n", None)
        if n_actions is None:
            raise ValueError(f"DQN: the action space must be Discrete, not {env.action_space}: for real numbers take DDPG")
        if np.ndim(getattr(space, "low", None)) != 1:
            raise ValueError(f"DQN: the observation space must be a Box of shape (n,), not {space}")
        counts = {"target_every": target_every, "batch_size": batch_size, "capacity": capacity, "epsilon_steps": epsilon_steps,
                  "train_every": train_every, "start_steps": start_steps}  # fmt: skip
        for name, value in counts.items():
            setattr(self, name, check_count(value, f"DQN: {name}", 0 if name == "start_steps" else 1))
        if self.capacity < self.batch_size:
            raise ValueError(f"DQN: capacity {capacity} holds no batch of {batch_size}: raise it, or take smaller batches")
        self.env, self.dtype, self.gamma, self.double = env, np.dtype(dtype), check_gamma(gamma), double
        self.epsilon, self.reward_scale, self.first_action = check_share(epsilon, "epsilon"), reward_scale, int(env.action_space.start)
        top = np.maximum(abs(space.low), abs(space.high)).astype(np.float64)
        self.observation_scale = np.where(np.isfinite(top) & (top > 0), top, 1).astype(dtype)
        # four streams, so that more draws of one move no other: weights, exploration, minibatches, the world's seed
        init, self.explore, self.draws, first = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4))
        self.env_seed, self.n_actions = int(first.integers(2**31)), int(n_actions)
        self.replay = Replay(self.capacity, len(top), 1, dtype)  # line 1; an action is a number in its one column
        self.network = network(len(top), self.n_actions, hidden, rng=init, dtype=dtype)  # line 2
        self.target = self.network.frozen()  # line 3
        self.optimizer = optim.Adam(self.network, lr)
        decay_steps = decay_steps and check_count(decay_steps, "DQN: decay_steps", 1)
        self.schedules = [optim.LinearLR(self.optimizer, decay_steps)] if decay_steps else []
        self.steps, self.s, self.episode_return, self.returns = 0, None, 0.0, []  # s: what the network sees now

    def scaled(self, observation):
        """What the network sees: (..., n), over the bounds where these are finite. ValueError unless these are n finite numbers."""
        x = np.asarray(observation, self.dtype)
        if x.shape[-1:] != self.observation_scale.shape or not np.isfinite(x).all():
            raise ValueError(f"DQN: an observation must be {len(self.observation_scale)} finite numbers, not {observation!r}")
        return x / self.observation_scale

    def values(self, observations):
        """Q(s, ·) without a graph: (B, n) as the environment gives them -> (B, A), in units of the scaled reward."""
        with no_grad():
            return self.network(self.scaled(observations)).data

    def greedy(self, s):
        """Line 8: the best action 0 ... A − 1 at one s (n,). FloatingPointError once the weights have run away."""
        with no_grad():
            q = self.network(s.reshape(1, -1)).data[0]  # (A,)
        if not np.isfinite(q).all():
            raise FloatingPointError("DQN: Q is NaN: the weights have run away; try a smaller lr or reward_scale")
        return int(q.argmax())

    def act(self, observation):
        """The best action for one observation (n,), without exploration, as the environment numbers it."""
        return self.first_action + self.greedy(self.scaled(observation))

    def explore_action(self):
        """Lines 7 and 8: random with probability ε_t, else the best."""
        if self.explore.random() < epsilon_at(self.steps, self.start_steps, self.epsilon_steps, self.epsilon):
            return int(self.explore.integers(self.n_actions))
        return self.greedy(self.s)

    def learn(self, steps):
        """Go on for so many steps of the environment, with an update after each `train_every`; returns self.

        `self.returns` gets a pair (step, return) for each episode that ends. learn(a) and learn(b) are learn(a + b),
        bit for bit. ValueError if the environment gives an observation or a reward that is no number.
        """
        for _ in range(check_count(steps, "DQN: steps", 0)):  # lines 4 and 6
            if self.s is None:  # line 5
                seed = self.env_seed if self.steps == 0 else None  # later episodes go on with the environment's generator
                self.s, self.episode_return = self.scaled(self.env.reset(seed=seed)[0]), 0.0
            a = self.explore_action()  # lines 7 and 8
            next_observation, reward, terminated, truncated, _ = self.env.step(self.first_action + a)  # line 9
            if not np.isfinite(reward):
                raise ValueError(f"DQN: the reward after step {self.steps} is {reward}: it must be a finite number")
            s2 = self.scaled(next_observation)  # line 10
            self.replay.add(self.s, a, self.reward_scale * reward, s2, terminated)  # line 11
            self.s, self.episode_return, self.steps = s2, self.episode_return + reward, self.steps + 1
            if terminated or truncated:
                self.returns.append((self.steps, self.episode_return))
                self.s = None
            ready = len(self.replay) >= self.batch_size and self.steps > self.start_steps
            if ready and self.steps % self.train_every == 0:
                self.update(self.replay.sample(self.batch_size, self.draws))  # line 12
        return self

    def targets(self, batch):
        r"""Line 13: y = r + γ (1 − terminated) Q'(s', a*), (B,), in bare NumPy: the target's weights are a plain array.

        a* = argmax_a' of Q'(s', ·), so that Q'(s', a*) is its maximum; in double DQN argmax_a' of Q(s', ·; θ).
        """
        q = self.target(batch.next_observation)  # (B, A)
        chooser = q
        if self.double:
            with no_grad():
                chooser = self.network(batch.next_observation).data  # (B, A)
        return batch.reward + self.gamma * (1 - batch.terminated) * taken(q, chooser.argmax(axis=1))

    def loss(self, batch):
        r"""Line 14: mean (y − Q(s, a; θ))², a Tensor."""
        a = batch.action[:, 0].astype(np.intp)  # (B,)
        return squared_error(taken(self.network(batch.observation), a), y=self.targets(batch))

    def update(self, batch):
        """Lines 13 to 15; returns the loss."""
        loss = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        for schedule in self.schedules:
            schedule.step()
        if self.optimizer.steps % self.target_every == 0:  # line 15; the optimiser counts the updates
            self.target.theta[...] = self.network.theta.data
        return loss.item()

    def state_dict(self):
        """All that decides how training goes on: weights, optimiser, schedule, memory, generators, the episode begun."""
        return {
            "theta": [to_array(network.theta).copy() for network in (self.network, self.target)],
            "parts": [part.state_dict() for part in (self.optimizer, *self.schedules, self.replay)],
            "rng": [rng.bit_generator.state for rng in (self.explore, self.draws)],
            "env": self.env.state_dict() if hasattr(self.env, "state_dict") else None,
            **{name: copy.copy(getattr(self, name)) for name in ("steps", "s", "episode_return", "returns")},
        }  # fmt: skip

    def load_state_dict(self, state):
        """Go on from a state_dict, with the same bits if the environment is one of ours. ValueError if it does not fit.

        Another environment cannot be put back into the middle of an episode: it begins a new one.
        """
        self.network.theta.data, self.target.theta = state["theta"][0], state["theta"][1].copy()
        for part, saved in zip((self.optimizer, *self.schedules, self.replay), state["parts"], strict=True):
            part.load_state_dict(saved)
        for rng, saved in zip((self.explore, self.draws), state["rng"]):
            rng.bit_generator.state = saved
        for name in ("steps", "s", "episode_return", "returns"):
            setattr(self, name, copy.copy(state[name]))
        if state["env"] is None:
            self.s = None
        else:
            self.env.load_state_dict(state["env"])
