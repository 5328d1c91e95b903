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

Lines 4 to 6 and 9 are `Agent.learn` in agent.py. A prime on s or a means *next*; Q' is the copy, the paper's Q̂ with weights θ⁻.

What must be right, and is silently wrong elsewhere:

  * The copy is a copy. `target = network` is a second name for the same array: it follows at every step.
  * y = r where the episode *terminated*. A truncated one would have gone on: it bootstraps like any other step.
  * The maximum is over the actions of each s', not over the batch; y and Q(s, a) are both (B,), never (B, 1) and (B,).
  * Of Q(s, ·) only the action taken has an error. All others get no gradient.

Where it differs from the paper: no images, and so no frames to skip or to stack; Adam, not RMSProp; the error is not
clipped to ±1; rewards are not clipped; an update after every step, not after every fourth, unless `train_every` says so.
"""

import numpy as np

from minigrad import no_grad, optim
from models.mlp import MLP

from .agent import Agent
from .ddpg import squared_error
from .mdp import check_count, check_share
from .replay import Replay


class QNetwork(MLP):
    r"""Q(s, ·; θ): (B, n) -> (B, A), the paper's form: one pass values all actions."""

    def __init__(self, n, n_actions, hidden, *, rng, dtype=np.float32):
        super().__init__((n, *hidden, n_actions), rng=rng, dtype=dtype)


def taken(q, a):
    r"""Q(s_i, a_i) of each row: values q (B, A), an array or a Tensor, and actions a (B,) -> (B,)"""
    return q[np.arange(len(a)), a]


def epsilon_at(t, start, steps, last):
    r"""ε_t: 1 for the first `start` steps, from there in a straight line to `last` within `steps` more, then `last`."""
    return 1 + (last - 1) * min(max((t - start) / steps, 0), 1)


class DQN(Agent):
    """env: any with Gymnasium's contract, a Box of observations (n,) and Discrete actions. seed: of all here, the env included.

    hidden: sizes of the hidden layers. network: QNetwork, or a class that is made and called like it (examples/dqn.py has one).
    lr: learning rate of Adam; it falls in a straight line to 0 over `decay_steps` updates if that is given. gamma: as above.
    double: line 13 of double DQN. target_every: C. batch_size, capacity: of the replay memory. start_steps: after so many random
    actions ε begins to fall, and learning begins.
    epsilon, epsilon_steps: the last ε, and the steps until it is reached after the first. train_every: steps per update.
    reward_scale: what rewards are multiplied by. dtype: float32 or float64.
    ValueError for other spaces, for γ or ε outside [0, 1], for a count that is no integer or too small, for a memory that cannot hold a batch.
    """

    def __init__(
        self, env, seed=0, *, hidden=(64, 64), network=QNetwork, lr=1e-3, decay_steps=None, gamma=0.99, double=False,
        target_every=500, batch_size=64, capacity=100_000, start_steps=1_000, epsilon=0.05, epsilon_steps=10_000,
        train_every=1, reward_scale=1.0, dtype=np.float32,
    ):  # fmt: skip
        super().__init__(env, seed, gamma, reward_scale, dtype)
        n_actions = getattr(env.action_space, "n", None)
        if n_actions is None:
            raise ValueError(f"DQN: the action space must be Discrete, not {env.action_space}: for real numbers take DDPG")
        counts = {"target_every": target_every, "batch_size": batch_size, "capacity": capacity, "epsilon_steps": epsilon_steps,
                  "train_every": train_every, "start_steps": start_steps}  # fmt: skip
        for name, value in counts.items():
            setattr(self, name, check_count(value, f"DQN: {name}", 0 if name == "start_steps" else 1))
        if self.capacity < self.batch_size:
            raise ValueError(f"DQN: capacity {capacity} holds no batch of {batch_size}: raise it, or take smaller batches")
        self.epsilon, self.double = check_share(epsilon, "epsilon"), double
        n, self.n_actions, self.first_action = len(self.observation_scale), int(n_actions), int(env.action_space.start)
        self.replay = Replay(self.capacity, n, 1, dtype)  # line 1; an action is a number in its one column
        self.network = network(n, self.n_actions, hidden, rng=self.init, dtype=dtype)  # line 2
        self.target = self.network.frozen()  # line 3
        self.optimizer = optim.Adam(self.network, lr)
        decay_steps = None if decay_steps is None else check_count(decay_steps, "DQN: decay_steps", 1)
        self.schedules = [optim.LinearLR(self.optimizer, decay_steps)] if decay_steps else []
        self.optimizers, self.copies, self.others = [self.optimizer], [self.target], [self.replay]

    def values(self, observations):
        """Q(s, ·) without a graph: (B, n) as the environment gives them -> (B, A), in units of the scaled reward."""
        s = self.scaled(observations)
        if s.ndim != 2:
            raise ValueError(f"DQN: values() takes observations (B, {s.shape[-1]}), not an array of shape {s.shape}")
        with no_grad():
            return self.network(s).data

    def greedy(self, s):
        """Line 8: the best action 0 ... A − 1 at one s (n,). FloatingPointError once the weights have run away."""
        with no_grad():
            q = self.network(s.reshape(1, -1)).data[0]  # (A,)
        if not np.isfinite(q).all():
            raise FloatingPointError("DQN: Q is NaN: the weights have run away; try a smaller lr or reward_scale")
        return int(q.argmax())

    def to_env(self, a):
        """An action 0 ... A − 1 as the environment numbers it."""
        return self.first_action + a

    def explore_action(self):
        """Lines 7 and 8: random with probability ε_t, else the best."""
        if self.explore.random() < epsilon_at(self.steps, self.start_steps, self.epsilon_steps, self.epsilon):
            return int(self.explore.integers(self.n_actions))
        return self.greedy(self.s)

    def experience(self, s, a, r, s2, terminated, ended):
        """Lines 11 and 12, after each step: store it, and learn from a minibatch after each `train_every`."""
        self.replay.add(s, a, r, s2, terminated)
        ready = len(self.replay) >= self.batch_size and self.steps > self.start_steps
        if ready and self.steps % self.train_every == 0:
            self.update(self.replay.sample(self.batch_size, self.draws))

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
