r"""DDPG: deep deterministic policy gradient (Lillicrap et al. 2016), for actions that are real numbers.

With five actions the best one is found by trying all five. With a torque between −2 and 2 there is nothing to try: so a
second network, the actor μ, *says* what is best, and is moved uphill on the critic Q by the chain rule. Algorithm 1:

     1  start critic Q(s, a) and actor μ(s) from random weights
     2  targets Q' ← Q, μ' ← μ
     3  empty replay buffer
     4  for each episode
     5      start the noise N, receive the first observation s
     6      for each step
     7          a = μ(s) + N_t
     8          execute a, observe r and s'
     9          store (s, a, r, s') in the buffer
    10          draw a minibatch from it
    11          y = r + γ Q'(s', μ'(s'))                              the target: a constant
    12          step the critic down on mean (y − Q(s, a))²
    13          step the actor up on mean Q(s, μ(s)), by ∇_θ μ(s) · ∇_a Q(s, a) at a = μ(s)        (equation 6)
    14          θ' ← τ θ + (1 − τ) θ' for both targets

Lines 4 to 8 are `Agent.learn` in agent.py, the same for all agents. A prime on s or a means *next*; on Q, μ and θ it means the
copy that follows slowly.

What must be right, and is silently wrong elsewhere:

  * y has a factor (1 − terminated), which the paper's line lacks. A *truncated* episode bootstraps like any other step.
  * Line 11 runs without a graph. Line 13 asks for ∇_a Q alone: no weight of the critic gets a gradient there.
  * y and Q(s, a) are both (B,). With (B,) against (B, 1) the loss would be over all B² pairs, and still fall.
  * Actions in the buffer and in both networks are in units of the action space, −1 ... 1; only the world sees real ones.
  * Observations are divided by the bounds of the observation space where these are finite.

Where it differs from the paper: the action enters the critic at the first layer, not the second; no batch
normalisation and no weight decay of the critic; two hidden layers of 64, not 400 and 300; Gaussian noise unless
`OrnsteinUhlenbeck` is given; the first steps are uniformly random; learning rates may fall to 0; τ = 0.005.
The last layers start from U(±3e-3), as in the paper, so that the first actions are near 0 and tanh is not saturated.
"""

import copy

import numpy as np

import minigrad
from minigrad import Tensor, no_grad, optim
from minigrad.kernels import jit
from minigrad.ops import primitive
from models.mlp import MLP

from .agent import Agent
from .mdp import check_count, check_share
from .noise import Gaussian
from .replay import Replay


class Actor(MLP):
    r"""μ(s) = tanh(MLP(s)): (B, n) -> (B, m), in −1 ... 1"""

    def forward(self, s):
        """The action of each observation."""
        return np.tanh(super().forward(s))


class Critic(MLP):
    r"""Q(s, a) = MLP([s, a]): pairs (B, n + m) -> (B,)"""

    def forward(self, pairs):
        """The value of each pair."""
        return super().forward(pairs).reshape(-1)


def pair(s, a):
    """[s, a], what the critic sees: (B, n), (B, m) -> (B, n + m)"""
    return np.concatenate([s, a], axis=1)


def squared_error_vjp(g, slope, q, y):
    r"""∂/∂Q_i = 2 (Q_i − y_i) / B; y is a constant"""
    return g * slope


@primitive(squared_error_vjp, first_order=True)
def squared_error(q, /, y):
    r"""Mean of (Q − y)². ValueError unless both are (B,): (B, 1) against (B,) would give all B² pairs."""
    if q.shape != y.shape or q.ndim != 1:
        raise ValueError(f"Q has shape {q.shape} and its target {y.shape}: both must be (B,)")
    error = q - y
    return error @ error / len(error), error * (2 / len(error))


class DDPG(Agent):
    """env: any with Gymnasium's contract and Box spaces, the actions' bounded. seed: of everything here, the env included.

    hidden: sizes of the hidden layers. actor_lr, critic_lr: learning rates of Adam; they fall in a straight line to 0
    over `decay_steps` updates if that is given. gamma, tau: as above. batch_size, capacity: of the replay buffer.
    start_steps: so many uniformly random actions first. noise: None is Gaussian(0.1), in units of half the range.
    reward_scale: what rewards are multiplied by, so that values are of order 1 to 10. dtype: float32 or float64.
    ValueError for other spaces, for γ or τ outside [0, 1], for a count that is no integer or too small, for a buffer that cannot hold a batch.
    """

    def __init__(
        self, env, seed=0, *, hidden=(64, 64), actor_lr=1e-3, critic_lr=1e-3, decay_steps=None, gamma=0.99, tau=0.005,
        batch_size=64, capacity=100_000, start_steps=1_000, noise=None, reward_scale=1.0, dtype=np.float32,
    ):  # fmt: skip
        super().__init__(env, seed, gamma, reward_scale, dtype)
        low, high = self.bounds(env.action_space, "action")
        if not np.isfinite([low, high]).all():
            raise ValueError(f"DDPG: the action space must have finite bounds, not {env.action_space}")
        self.batch_size, capacity = check_count(batch_size, "DDPG: batch_size", 1), check_count(capacity, "DDPG: capacity", 1)
        if capacity < batch_size:
            raise ValueError(f"DDPG: capacity {capacity} holds no batch of {batch_size}: raise it, or take smaller batches")
        self.start_steps = check_count(start_steps, "DDPG: start_steps", 0)
        decay_steps = None if decay_steps is None else check_count(decay_steps, "DDPG: decay_steps", 1)
        n, m = len(self.observation_scale), len(low)
        self.tau, self.low, self.high, self.action_dtype = self.dtype.type(check_share(tau, "tau")), low, high, env.action_space.dtype
        self.actor = Actor((n, *hidden, m), rng=self.init, small=3e-3, dtype=dtype)  # line 1
        self.critic = Critic((n + m, *hidden, 1), rng=self.init, small=3e-3, dtype=dtype)
        adams = optim.Adam(self.actor, actor_lr), optim.Adam(self.critic, critic_lr)
        self.optimizers = self.actor_optimizer, self.critic_optimizer = adams
        self.schedules = [optim.LinearLR(optimizer, decay_steps) for optimizer in self.optimizers] if decay_steps else []
        self.target_actor, self.target_critic = self.actor.frozen(), self.critic.frozen()  # line 2
        self.replay, self.noise = Replay(capacity, n, m, dtype), copy.copy(noise) if noise else Gaussian(0.1)  # line 3
        self.copies, self.others = [self.target_actor, self.target_critic], [self.noise, self.replay]

    def mu(self, s):
        """μ(s) for one s (n,), without a graph: (m,), in −1 ... 1. FloatingPointError once the weights have run away."""
        with no_grad():
            a = self.actor(s.reshape(1, -1)).data[0]
        if not np.isfinite(a).all():
            raise FloatingPointError("DDPG: the actor says NaN: the weights have run away; try smaller rates or reward_scale")
        return a

    greedy = mu

    def to_env(self, a):
        """An action in −1 ... 1 as the environment wants it; the rounding must not leave the space."""
        action = (self.high + self.low) / 2 + (self.high - self.low) / 2 * a
        return np.minimum(np.maximum(action, self.low), self.high).astype(self.action_dtype)

    def explore_action(self):
        """Line 7, in −1 ... 1: μ(s) + N_t, clipped; uniform during the first `start_steps`."""
        if self.steps < self.start_steps:
            return self.explore.uniform(-1, 1, len(self.low))
        return np.clip(self.mu(self.s) + self.noise.draw(self.explore), -1, 1)

    def begin_episode(self):
        """Line 5."""
        self.noise.reset(len(self.low))

    def experience(self, s, a, r, s2, terminated, ended):
        """Lines 9 and 10, after each step: store it, and learn from a minibatch."""
        self.replay.add(s, a, r, s2, terminated)
        if len(self.replay) >= self.batch_size and self.steps > self.start_steps:
            self.update(self.replay.sample(self.batch_size, self.draws))

    def targets(self, batch):
        r"""Line 11: y = r + γ (1 − terminated) Q'(s', μ'(s')), (B,), in bare NumPy: the targets' weights are plain arrays."""
        a = self.target_actor(batch.next_observation)  # (B, m)
        q = self.target_critic(pair(batch.next_observation, a))  # (B,)
        return batch.reward + self.gamma * (1 - batch.terminated) * q

    def critic_step(self, batch):
        """Line 12; returns the loss."""
        loss = squared_error(self.critic(Tensor(pair(batch.observation, batch.action))), y=self.targets(batch))
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()

    def actor_step(self, batch):
        r"""Line 13, by the chain rule in two links: ∇_a of mean Q, and from there through μ to the actor's weights.

        The pairs are a leaf: the first pass ends there, and no weight of the critic gets a gradient.
        """
        mu = self.actor(Tensor(batch.observation))  # (B, m), with the actor's graph behind it
        pairs = Tensor(pair(batch.observation, mu.data), requires_grad=True)  # (B, n + m), the same actions with none
        (slope,) = minigrad.grad(self.critic(pairs), pairs, gradient=np.full(len(mu), 1 / len(mu)))
        self.actor_optimizer.zero_grad()
        mu.backward(-slope.data[:, -mu.shape[1] :])  # minus: the optimiser goes down, and Q is to go up
        self.actor_optimizer.step()

    def update(self, batch):
        """Lines 11 to 14; returns the critic's loss."""
        loss = self.critic_step(batch)
        self.actor_step(batch)
        polyak(self.actor.theta.data, self.target_actor.theta, self.tau)  # line 14
        polyak(self.critic.theta.data, self.target_critic.theta, self.tau)
        for schedule in self.schedules:
            schedule.step()
        return loss


@jit
def polyak(theta, theta_target, tau):
    r"""θ' ← τ θ + (1 − τ) θ', in place and in one pass; τ has the arrays' type"""
    for i in range(theta.size):
        theta_target[i] = tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]
