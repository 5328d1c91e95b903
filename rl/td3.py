r"""TD3: DDPG that does not believe its own best news (Fujimoto, van Hoof & Meger 2018). Read `ddpg.py` first: here stands
only what changes.

DDPG's actor climbs to wherever Q is highest, and where Q is wrong by chance it finds what is too *high*: a maximum over
noisy guesses is above the truth even if each guess is right on average, E max ≥ max E. The target then hands that error
to the state before. Three changes; Algorithm 1, with the line numbers of DDPG's:

     1  start critics Q₁, Q₂ and actor μ from random weights
     2  targets Q₁' ← Q₁, Q₂' ← Q₂, μ' ← μ
    11  ã = μ'(s') + clip(ε, −c, c),    ε ~ N(0, σ̃²)                             2. target policy smoothing (section 5.3)
        y = r + γ min(Q₁'(s', ã), Q₂'(s', ã))                                    1. clipped double Q        (section 4.2)
    12  step both critics down on mean (y − Q_i(s, a))²
        every d-th time only:                                                    3. delayed policy updates  (section 5.2)
    13      step the actor up on mean Q₁(s, μ(s))
    14      θ' ← τ θ + (1 − τ) θ' for all targets

 1. An error that lifts y must now be made by *both* critics, which began with other weights. What is left is a pull the
    other way: a min of noisy guesses is too low. That is the lesser evil, as no actor seeks low values.
 2. y is a mean over actions near μ'(s'), so that a narrow peak of Q' earns next to nothing. Each transition and each
    dimension of the action has its own ε.
 3. The critics get d steps to settle before the actor, and what follows it, trust them again.

With one critic, d = 1 and c = 0 all three are off, and every bit is DDPG's: a test holds it to that.

As in the paper, and other than in DDPG's: the action enters at the first layer, Gaussian noise of σ = 0.1, random first
steps, τ = 0.005, no batch normalisation; and σ̃ = 0.2 and c = 0.5 in units of half the action's range, d = 2. Where it differs:
two hidden layers of 64, not 400 and 300; batches of 64, not 100; last layers from U(±3e-3). In the paper's code ã is clipped
to the range of actions, which its Algorithm 1 leaves out; so here.
"""

import numpy as np

from minigrad import Tensor, optim

from .ddpg import DDPG, Critic, pair, polyak, squared_error
from .mdp import check_count


class TD3(DDPG):
    """Takes what DDPG takes (`settings`: hidden, gamma, tau, ...), and

    policy_delay: d, updates of the critics for each one of the actor and all targets. target_policy_noise: σ̃.
    target_noise_clip: c. n_critics: 2; with more, y is the least of all.
    ValueError as for DDPG, for a count that is no integer or too small, for a σ̃ or c below 0.
    """

    def __init__(
        self, env, seed=0, *, policy_delay=2, target_policy_noise=0.2, target_noise_clip=0.5, n_critics=2, **settings,
    ):  # fmt: skip
        super().__init__(env, seed, **settings)
        for name, value in (("target_policy_noise", target_policy_noise), ("target_noise_clip", target_noise_clip)):
            if not 0 <= value < np.inf:
                raise ValueError(f"TD3: {name} must be a finite number of at least 0, not {value!r}")
        self.policy_delay = check_count(policy_delay, "TD3: policy_delay", 1)
        n_critics = check_count(n_critics, "TD3: n_critics", 1)
        self.target_policy_noise, self.target_noise_clip = float(target_policy_noise), float(target_noise_clip)
        # two more streams beside DDPG's four: the same seed explores as DDPG's does, and starts from the same μ and Q₁
        init, self.smoothing = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(6)[4:])
        more = [Critic(self.critic.sizes, rng=init, small=3e-3, dtype=self.dtype) for _ in range(n_critics - 1)]
        adams = [optim.Adam(critic, self.critic_optimizer.lr) for critic in more]
        self.critics, self.critic_optimizers = [self.critic, *more], [self.critic_optimizer, *adams]  # line 1
        self.target_critics = [self.target_critic, *[critic.frozen() for critic in more]]  # line 2
        self.optimizers, self.copies = (*self.optimizers, *adams), [self.target_actor, *self.target_critics]
        self.generators.append(self.smoothing)
        self.schedules += [optim.LinearLR(adam, schedule.total_iters) for schedule in self.schedules[:1] for adam in adams]

    def target_actions(self, s2):
        r"""Line 11: ã = μ'(s') + clip(ε, −c, c), clipped to −1 ... 1: (B, n) -> (B, m)"""
        a = self.target_actor(s2)  # (B, m)
        epsilon = self.target_policy_noise * self.smoothing.standard_normal(a.shape, self.dtype)  # (B, m)
        return np.clip(a + np.clip(epsilon, -self.target_noise_clip, self.target_noise_clip), -1, 1)

    def targets(self, batch):
        r"""Line 11: y = r + γ (1 − terminated) min_i Q_i'(s', ã), (B,)"""
        pairs = pair(batch.next_observation, self.target_actions(batch.next_observation))  # (B, n + m)
        q = np.min([target_critic(pairs) for target_critic in self.target_critics], axis=0)  # (B,)
        return batch.reward + self.gamma * (1 - batch.terminated) * q

    def critic_step(self, batch):
        """Line 12: the same y for all critics; returns the sum of their losses."""
        y, pairs, total = self.targets(batch), Tensor(pair(batch.observation, batch.action)), 0.0
        for critic, optimizer in zip(self.critics, self.critic_optimizers):
            loss = squared_error(critic(pairs), y=y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total

    def update(self, batch):
        """Lines 11 to 14; returns the critics' loss. The first critic's optimiser counts the updates."""
        loss = self.critic_step(batch)
        if self.critic_optimizer.steps % self.policy_delay == 0:
            self.actor_step(batch)  # line 13, DDPG's: its critic is Q₁
            for network, target in zip((self.actor, *self.critics), (self.target_actor, *self.target_critics)):
                polyak(network.theta.data, target.theta, self.tau)  # line 14
        for schedule in self.schedules:
            schedule.step()
        return loss
