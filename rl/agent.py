r"""What DDPG, TD3, DQN and PPO share: playing. No learning is here. An agent says

    explore_action()                             how it acts while it learns, in the state self.s, in its own numbers
    greedy(s)                                    how it acts in s without exploring
    to_env(a)                                    what the world gets to see of an action
    begin_episode()                              what it does after each reset; most do nothing
    experience(s, a, r, s2, terminated, ended)   what it learns from a step; ended: terminated or truncated

and `learn` and `act` do the rest. How it is saved: resume.py.
"""

import numpy as np

from .mdp import check_count, check_gamma
from .resume import Resumable


class Agent(Resumable):
    """env: any with Gymnasium's contract, a Box of observations (n,). seed: of all here, the env included."""

    def __init__(self, env, seed, gamma, reward_scale, dtype):
        low, high = self.bounds(env.observation_space, "observation")
        top = np.maximum(np.abs(low), np.abs(high))
        self.observation_scale = np.where(np.isfinite(top) & (top > 0), top, 1).astype(dtype)
        self.env, self.gamma, self.reward_scale, self.dtype = env, check_gamma(gamma), reward_scale, np.dtype(dtype)
        # four streams, so that more draws of one move no other: weights, exploration, minibatches, the world's seed
        self.init, self.explore, self.draws, first = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4))
        self.generators, self.copies, self.schedules, self.others = [self.explore, self.draws], [], [], []
        self.env_seed = self.next_seed = int(first.integers(2**31))  # next_seed None: the environment's generator goes on
        self.steps, self.s, self.episode_return, self.returns = 0, None, 0.0, []  # s: what the networks see now

    def bounds(self, space, which):
        """low and high (n,) of a space; ValueError unless it is a Box with one axis."""
        low, high = getattr(space, "low", None), getattr(space, "high", None)
        if low is None or np.ndim(low) != 1:
            raise ValueError(f"{type(self).__name__}: the {which} space must be a Box of shape (n,), not {space}")
        return low.astype(np.float64), high.astype(np.float64)

    def scaled(self, observation):
        """What the networks see: (..., n), over the bounds where these are finite. ValueError unless these are n finite numbers."""
        x = np.asarray(observation, self.dtype)
        if x.shape[-1:] != self.observation_scale.shape or not np.isfinite(x).all():
            n = len(self.observation_scale)
            raise ValueError(f"{type(self).__name__}: an observation must be {n} finite numbers, not {observation!r}")
        return x / self.observation_scale

    def act(self, observation):
        """The action for one observation (n,), without exploration, in the action space. ValueError for a batch of them."""
        s = self.scaled(observation)
        if s.ndim != 1:
            name = type(self).__name__
            raise ValueError(f"{name}: act() takes one observation ({s.shape[-1]},), not an array of shape {s.shape}")
        return self.to_env(self.greedy(s))

    def begin_episode(self):
        """What an agent does after each reset: nothing."""

    def learn(self, steps):
        """Go on for so many steps of the environment, and learn from each; returns self.

        `self.returns` gets a pair (step, return) for each episode that ends. learn(a) and learn(b) are learn(a + b),
        bit for bit. ValueError if the environment gives an observation or a reward that is no number.
        """
        for _ in range(check_count(steps, f"{type(self).__name__}: steps", 0)):
            if self.s is None:
                observation, _ = self.env.reset(seed=self.next_seed)
                self.s, self.episode_return, self.next_seed = self.scaled(observation), 0.0, None
                self.begin_episode()
            a = self.explore_action()
            observation, reward, terminated, truncated, _ = self.env.step(self.to_env(a))
            if not np.isfinite(reward):
                name = type(self).__name__
                raise ValueError(f"{name}: the reward after step {self.steps} is {reward}: it must be a finite number")
            s, s2, ended = self.s, self.scaled(observation), terminated or truncated
            self.steps, self.episode_return = self.steps + 1, self.episode_return + reward
            if ended:
                self.returns.append((self.steps, self.episode_return))
            self.s = None if ended else s2
            self.experience(s, a, self.reward_scale * reward, s2, terminated, ended)
        return self
