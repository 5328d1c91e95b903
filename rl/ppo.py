r"""PPO: proximal policy optimization (Schulman et al. 2017), for numbered and for real actions.

REINFORCE plays, takes one step uphill, and throws its experience away: after the step the policy is another one, and the
old steps are no longer its own. PPO wants several steps out of the same experience. It weighs what happened by how much
likelier it has become, r(θ) = π(a|s, θ) / π(a|s, θ_old), and stops rewarding a change of more than ε (equation 7):

    L(θ) = mean min( r(θ) A, clip(r(θ), 1 − ε, 1 + ε) A )

    A > 0, r > 1 + ε    the good action is already likelier by ε: slope 0, enough of that
    A < 0, r < 1 − ε    the bad action is already less likely by ε: slope 0
    else                slope A ∇r; also where r went the *wrong* way too far: the min lets it come back

A is how much better the action was than usual, by generalized advantage estimation (Schulman et al. 2016, equation 16):

    δ_t = r_t + γ V(s_{t+1}) − V(s_t),     A_t = δ_t + γλ A_{t+1}

(r with θ is a ratio, r_t a reward.) λ = 0: one reward, then V's opinion. λ = 1: all rewards to the end of the episode, or of
the rollout, where V stands for the rest, less V(s_t). In a single step on the whole rollout (epochs = 1, batch_size = None,
normalize = False) r(θ) is 1, and the slope of L is that of older methods, divided by the number of steps, T:

    REINFORCE                 λ = 1, baseline = False (V = 0), whole episodes
    REINFORCE with baseline   λ = 1, whole episodes
    A2C                       λ = 0
    PPO                       0 < λ < 1, epochs > 1, minibatches, A normalised

(Let a rollout hold many episodes: if it is one, the division by T makes a step of a long episode count less than the theorem
says.)

What must be right, and is silently wrong elsewhere:

  * (1 − terminated) stands before V(s_{t+1}). A *truncated* step bootstraps with V of the observation that came last.
  * The sum A_t stops where an episode ends, for either reason: the next row is another episode.
  * π(a|s, θ_old) and A are constants, computed once before the first step of a rollout.
  * Of a real action, the probability is that of what was drawn, before it was cut to the bounds of the space.

As everyone does, γᵗ of the theorem is left out, and advantages are normalised over each minibatch, of which the paper says
nothing. Where it differs: relu, not tanh; one environment, not several; V with an Adam of its own. Not in the paper but in much
of the code that followed, and not here: clipping V's loss, clipping gradients, orthogonal weights. The loop of playing is
`Agent.learn` in agent.py.
"""

from typing import NamedTuple

import numpy as np

from minigrad import no_grad, optim
from minigrad.kernels import jit
from models.mlp import MLP

from .agent import Agent
from .ddpg import squared_error
from .mdp import check_count, check_gamma, check_share
from .policies import Categorical, Gaussian


class Rollout(NamedTuple):
    """T steps in a row, across the ends of episodes."""

    observation: np.ndarray  # (T, n)
    action: np.ndarray  # as drawn, before any cut to the bounds: numbers, (T,), or real ones, (T, m)
    reward: np.ndarray  # (T,)
    next_observation: np.ndarray  # (T, n) what `step` returned, not what the reset after it did
    terminated: np.ndarray  # (T,) 1 where the world ended, else 0: there V(s') does not count
    ended: np.ndarray  # (T,) 1 where the episode ended, terminated or truncated: the next row is another one


def gae(rewards, values, next_values, terminated, ended, gamma, lam):
    r"""A (T,): A_t = δ_t + γλ (1 − ended_t) A_{t+1},  δ_t = r_t + γ (1 − terminated_t) V(s_{t+1}) − V(s_t).

    values, next_values (T,): V(s_t) and V(s_{t+1}), the second of what `step` returned: next_values[t] is not values[t + 1]
    where an episode ended. A + values are the returns that V is to learn. ValueError unless all have shape (T,), and if a
    terminated step has not ended its episode.
    (Schulman et al. 2016, equation 16)
    """
    columns = [np.ascontiguousarray(x, np.float64) for x in (rewards, values, next_values, terminated, ended)]
    shapes = {x.shape for x in columns}
    if len(shapes) > 1 or columns[0].ndim != 1:
        raise ValueError(f"gae: all must have one shape (T,), not {[x.shape for x in columns]}")
    if (columns[3] > columns[4]).any():
        raise ValueError("gae: where the world has terminated, the episode has ended: ended must be 1 there, too")
    return backward_sum(*columns, check_gamma(gamma), check_share(lam, "lam"))


def backward_sum(rewards, values, next_values, terminated, ended, gamma, lam):
    """The loop of `gae`, from the last step to the first."""
    advantages, after = np.empty(rewards.size), 0.0
    for t in range(rewards.size - 1, -1, -1):
        delta = rewards[t] + gamma * (1.0 - terminated[t]) * next_values[t] - values[t]
        after = delta + gamma * lam * (1.0 - ended[t]) * after
        advantages[t] = after
    return advantages


backward_sum = jit(backward_sum, flags=())


def clipped_surrogate(log_prob, old_log_prob, advantages, clip):
    r"""min(r A, clip(r, 1 − ε, 1 + ε) A) with r = exp(ln π − ln π_old), of each entry; its mean is to be *raised*.

    log_prob: a Tensor of any shape; old_log_prob, advantages: arrays of the same one, constants; else ValueError. (Equation 7)
    """
    if not log_prob.shape == old_log_prob.shape == advantages.shape:
        raise ValueError(f"all three must have one shape, not {log_prob.shape}, {old_log_prob.shape} and {advantages.shape}")
    ratio = np.exp(log_prob - old_log_prob)
    clipped = np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)
    return np.minimum(ratio * advantages, clipped * advantages)


class PPO(Agent):
    """env: any with Gymnasium's contract, observations in a Box (n,), actions in a Box (m,) or numbered. seed: of everything.

    hidden: sizes of the hidden layers of both networks. actor_lr, critic_lr: learning rates of Adam; with `decay_steps` they
    fall in a straight line to 0 over so many environment steps. gamma, lam, clip: γ, λ, ε. rollout_steps: T; with
    whole_episodes a rollout goes on to the end of the episode, so there must be one. epochs: passes over a rollout;
    batch_size: of a minibatch, None is the whole rollout. entropy: its weight in the objective. baseline: False is V = 0.
    normalize: A of each minibatch to mean 0, deviation 1. log_std: ln σ at first, of real actions, in units of half their
    range. reward_scale: as in DDPG.
    ValueError for other spaces, for γ, λ or ε outside [0, 1], for a count that is no integer or too small.
    """

    kept = (*Agent.kept, "rows")

    def __init__(
        self, env, seed=0, *, hidden=(64, 64), actor_lr=1e-3, critic_lr=1e-3, decay_steps=None, gamma=0.99, lam=0.95, clip=0.2,
        rollout_steps=1024, whole_episodes=False, epochs=10, batch_size=64, entropy=0.0, baseline=True, normalize=True,
        log_std=-0.5, reward_scale=1.0, dtype=np.float32,
    ):  # fmt: skip
        super().__init__(env, seed, gamma, reward_scale, dtype)
        self.lam, self.clip = check_share(lam, "PPO: lam"), self.dtype.type(check_share(clip, "PPO: clip"))
        self.rollout_steps, self.epochs = check_count(rollout_steps, "PPO: rollout_steps", 1), check_count(epochs, "PPO: epochs", 1)
        self.batch_size = None if batch_size is None else check_count(batch_size, "PPO: batch_size", 1)
        decay_steps = None if decay_steps is None else check_count(decay_steps, "PPO: decay_steps", 1)
        if not np.isfinite([entropy, log_std]).all():
            raise ValueError(f"PPO: entropy and log_std must be finite numbers, not {entropy!r} and {log_std!r}")
        self.whole_episodes, self.baseline, self.normalize, self.entropy = whole_episodes, baseline, normalize, self.dtype.type(entropy)
        n, self.discrete = len(self.observation_scale), hasattr(env.action_space, "n")
        if self.discrete:
            self.policy = Categorical(n, int(env.action_space.n), hidden, self.init, dtype)
        else:
            self.low, self.high = self.bounds(env.action_space, "action")
            self.policy = Gaussian(n, len(self.low), hidden, self.init, dtype, log_std)
        self.critic = MLP((n, *hidden, 1), rng=self.init, dtype=dtype)
        self.optimizers = optim.Adam(self.policy, actor_lr), optim.Adam(self.critic, critic_lr)
        self.schedules = [optim.LinearLR(optimizer, decay_steps) for optimizer in self.optimizers] if decay_steps else []
        self.rows = []  # of the rollout

    def to_env(self, a):
        """An action of the policy as the environment wants it: a number, or (m,) from units of half the range, cut to the bounds."""
        if self.discrete:
            return int(a) + int(getattr(self.env.action_space, "start", 0))
        bounded = np.isfinite(self.low) & np.isfinite(self.high)
        low, high = np.where(bounded, self.low, -1), np.where(bounded, self.high, 1)  # without bounds: as it is
        action = (high + low) / 2 + (high - low) / 2 * a
        return np.clip(action, self.low, self.high).astype(self.env.action_space.dtype)

    def greedy(self, s):
        """The policy's likeliest action at one s (n,)."""
        with no_grad():
            return self.policy.best(s[None])[0]

    def explore_action(self):
        """An action drawn from π(·|s)."""
        with no_grad():
            return self.policy.draw(self.s[None], self.explore)[0]

    def experience(self, s, a, r, s2, terminated, ended):
        """Keep the step; an update whenever a rollout is full."""
        self.rows.append((s, a, r, s2, terminated, ended))
        if len(self.rows) >= self.rollout_steps and (ended or not self.whole_episodes):
            self.update(self.rollout())
            self.rows = []

    def rollout(self):
        """The rows so far as a Rollout."""
        kinds = self.dtype, (np.int64 if self.discrete else self.dtype), self.dtype, self.dtype, np.float64, np.float64
        return Rollout(*(np.array(column, kind) for column, kind in zip(zip(*self.rows), kinds)))

    def value(self, s):
        """V (B,) of observations (B, n), without a graph; zeros without a baseline."""
        with no_grad():
            return self.critic(s).data[:, 0] if self.baseline else np.zeros(len(s), self.dtype)

    def constants(self, rollout):
        """What the steps of an update share, computed before the first: ln π_old, A, and the returns A + V, each (T,)."""
        values = self.value(rollout.observation)  # (T,)
        ends = rollout.reward, values, self.value(rollout.next_observation), rollout.terminated, rollout.ended
        advantages = gae(*ends, self.gamma, self.lam).astype(self.dtype)  # (T,)
        with no_grad():
            old_log_prob, _ = self.policy.log_prob(rollout.observation, rollout.action)
        return old_log_prob.data, advantages, advantages + values

    def update(self, rollout):
        """All epochs over a rollout; returns the mean loss of V. FloatingPointError if the weights have run away."""
        old_log_prob, advantages, returns = self.constants(rollout)
        T, losses = len(advantages), []
        for _ in range(self.epochs):
            for rows in np.array_split(self.draws.permutation(T), max(T // (T if self.batch_size is None else self.batch_size), 1)):
                s, a = rollout.observation[rows], rollout.action[rows]
                self.policy_step(s, a, old_log_prob[rows], advantages[rows])
                losses.append(self.critic_step(s, returns[rows]) if self.baseline else 0.0)
        for schedule in self.schedules * T:  # they count steps of the environment
            schedule.step()
        if not all(np.isfinite(p.data).all() for p in (*self.policy.parameters(), *self.critic.parameters())):
            raise FloatingPointError("PPO: a weight is NaN: the weights have run away; try smaller rates or reward_scale")
        return float(np.mean(losses))

    def policy_step(self, s, a, old_log_prob, advantages):
        """One step uphill on L + entropy · H, for B of the steps."""
        if self.normalize and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + self.dtype.type(1e-8))
        log_prob, entropy = self.policy.log_prob(s, a)
        gain = clipped_surrogate(log_prob, old_log_prob, advantages, self.clip).mean() + self.entropy * entropy.mean()
        self.step(self.optimizers[0], -gain)  # minus: the optimiser goes down

    def critic_step(self, s, returns):
        """One step down on mean (V(s) − return)²; returns the loss."""
        loss = squared_error(self.critic(s).reshape(-1), y=returns)
        self.step(self.optimizers[1], loss)
        return loss.item()

    def step(self, optimizer, loss):
        """One step of an optimiser."""
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def load_state_dict(self, state):
        """As every agent does it. If a new episode begins, then A_t stops at the last row before it."""
        super().load_state_dict(state)
        if self.s is None and self.rows:
            self.rows[-1] = (*self.rows[-1][:5], True)
