r"""DQN: a network in the place of Q-learning's table. What it learns from a record, what no record tells it, and a pole.

The question. The table of Q-learning becomes a network with weights θ. Two things then go wrong: steps that follow one
another are alike, and each update of Q(s, a) moves the target as well. What cures them? And when the loss is 0, is Q right?

The formula. Draw steps (s, a, r, s') from a memory, take the target from a copy Q' of the network that stands still for C
updates, and step down on the mean square (Mnih et al. 2015; Zhao's section 8.5):

    y = r + γ max_a' Q'(s', a')          loss = mean (y − Q(s, a; θ))²          every C updates: Q' ← Q

y = r where the world ended. `rl/dqn.py` is the source to read beside this page; it has double DQN, too (`double=True`).

1. The book's 5 × 5 world. One episode under a random policy, then no further step: all is learned from its record, with C =
20, and 1,000 copies. The network is the book's: three inputs (row, column, action, each in 0 ... 1), 100 hidden units, one
output. That is `PairNetwork` below, 20 lines, and all else is the same agent. (The book prints no C, no optimiser, no
activation. Ours: tanh, Adam from 0.01 down to 0, chosen by the seeds 100 to 106. With relu a function of three inputs with
125 steps is learned far more slowly.)

2. Cart pole. Four numbers in, the values of two actions out; ε falls from 1 to .05 in 10,000 steps. The rule, fixed
beforehand: after each 2,500 steps 20 validation episodes, keep the weights of the best mean, the latest of equals. These
play 100 test episodes from other starts. Settings by the seeds 100 to 106; reported are others.

What to notice in the picture. Above: these 1,000 steps hold all 125 pairs of a state and an action, and the arrows are
optimal. 100 steps hold about 60. Yellow cells are forbidden, the blue one is the target. Orange arrows and circles (stay)
are actions that the record does not hold *at all*: the network made their values up, and a maximum seeks what is made up
too high. One such pair is enough: the record of seed 3 holds 124 of 125 (`--full`), and its values are off by 13.5. (Of
20,000 records of 1,000 uniform steps 69 % hold all pairs, 22 % lack one.) Lower left: both losses fall to 0 (dashed), one
error with it. In the other the error stays, and no loss shows it: the network is right about the record. (Once a loss is
near 0, Adam divides tiny slopes by their own tiny size, and throws the weights about until the rate has fallen.) Lower
right: a cart pole that stands for 500 steps after a few thousand falls again a little later, again and again, until about
step 20,000, where ε has long been small and the rate begins to be. Much of "DQN does not work" is the choice of the last
network in the place of the best. The choice is a part of the method, so it must have starts of its own: the best of 20
means is too good where it was chosen.

The common mistake. `target = network` makes no copy, only a second name. A maximum over the batch, where over the actions
was meant. y = r at a time limit: the pole still stands after 500 steps, and the value of that is 100, not 1.

    python -m examples.dqn               about a minute and a half; writes figures/dqn.png
    python -m examples.dqn --full        ten seeds of cart pole, five of both records: about five minutes
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, ORANGE, save
from models.mlp import MLP, layers
from rl import plot
from rl.dqn import DQN
from rl.dynamic_programming import value_iteration
from rl.envs import CartPole, GridWorld
from rl.evaluate import evaluate
from rl.mdp import action_values
from rl.spaces import Box

from .command import options, table

STEPS, EVERY = 50_000, 2_500
CART = dict(lr=3e-3, decay_steps=STEPS - 1_000, target_every=100)  # chosen by the seeds 100 to 106  # noqa: C408
BOOK = dict(hidden=(100,), gamma=0.9, lr=0.01, target_every=20)  # so were these  # noqa: C408
COPIES = 1_000

# ======================================================================== 1. The book's world


class BookGrid(GridWorld):
    """The book's 5 × 5 world, seen as (row, column), each in 0 ... 1; whoever leaves the map or enters a forbidden cell pays 10."""

    def __init__(self):
        super().__init__(reward_boundary=-10, reward_forbidden=-10)
        self.seen = self.coordinates()[:, ::-1].astype(np.float32)  # (S, 2)
        self.observation_space = Box(0, 1, (2,))

    def begin(self, options):
        """Anywhere."""
        return self.seen[super().begin(options)]

    def move(self, action):
        """One step."""
        s, reward, terminated = super().move(action)
        return self.seen[s], reward, terminated


class PairNetwork(MLP):
    r"""The book's form q̂(s, a, w): the action is one more input, in 0 ... 1. DQN wants all actions of each s, and gets them.

    Each hidden unit starts as a step somewhere in the cube of the inputs, not outside of it (Nguyen & Widrow 1990).
    """

    def __init__(self, n, n_actions, hidden, *, rng, dtype=np.float32):
        super().__init__((n + 1, *hidden, 1), rng=rng, dtype=dtype)
        self.actions = np.linspace(0, 1, n_actions, dtype=dtype)  # (A,)
        W, b = layers(self.theta.data, self.sizes)[0]
        W[...] = rng.normal(0, 5, W.shape)
        b[...] = -(W * rng.random(W.shape)).sum(axis=1)

    def forward(self, s):
        """(B, n) -> (B, A)"""
        s = np.repeat(s[:, None], len(self.actions), axis=1)  # (B, A, n)
        a = np.broadcast_to(self.actions[:, None], (*s.shape[:2], 1))  # (B, A, 1)
        x = np.concatenate([s, a], axis=2).reshape(-1, self.sizes[0])  # (B·A, n + 1)
        (W, b), (w, c) = layers(self.theta, self.sizes)
        return (np.tanh(x @ W.T + b) @ w.T + c).reshape(s.shape[:2])


def solution():
    """v* (S,) and q* (S, A) by dynamic programming."""
    mdp = BookGrid().mdp()
    values = value_iteration(mdp, BOOK["gamma"]).values
    return values, action_values(mdp, values, BOOK["gamma"])


def learn_from_record(seed, steps, batch_size, copies):
    """One random episode, then so many copies: (agent, which pairs it holds (S, A), loss and RMSE of v after each (copies, 2))."""
    agent = DQN(BookGrid(), seed, network=PairNetwork, batch_size=batch_size, start_steps=steps, capacity=steps,
                decay_steps=copies * BOOK["target_every"], **BOOK).learn(steps)  # fmt: skip
    where, held = agent.replay.ring.observation @ [20, 4], np.zeros((25, 5), bool)
    held[where.round().astype(int), agent.replay.ring.action[:, 0].astype(int)] = True
    v, _ = solution()
    history = np.empty((copies, 2))
    for row in history:
        losses = [agent.update(agent.replay.sample(batch_size, agent.draws)) for _ in range(agent.target_every)]
        error = agent.values(agent.env.seen).max(axis=1) - v  # (S,)
        row[:] = np.mean(losses), np.sqrt(np.mean(error**2))
    return agent, held, history


def optimal_cells(agent):
    """In how many of the 25 cells the action of the greatest value is an optimal one."""
    _, q = solution()
    greedy = agent.values(agent.env.seen).argmax(axis=1)  # (S,)
    return int((q.max(axis=1) - q[np.arange(25), greedy] < 1e-8).sum())


# ======================================================================== 2. Cart pole


def validated(agent, steps, every, validation=20, test=100):
    """Learn, and choose by the rule: (mean of each validation, the step chosen, returns (test,) of the weights chosen)."""
    curve, chosen, at = [], None, 0
    for _ in range(steps // every):
        agent.learn(every)
        curve.append(evaluate(agent, CartPole(), validation, seed=10_000).mean())
        if curve[-1] == max(curve):
            chosen, at = agent.network.theta.data.copy(), agent.steps
    agent.network.theta.data = chosen
    return curve, at, evaluate(agent, CartPole(), test, seed=20_000)


# ======================================================================== The picture


def draw_grid(ax, agent, held, name):
    """Values and greedy actions, orange where the record holds no such action."""
    q = agent.values(agent.env.seen)  # (S, A)
    greedy = np.eye(5)[q.argmax(axis=1)]  # (S, A)
    plot.grid_values(agent.env, q.max(axis=1), ax, corner=True)
    plot.grid_policy(agent.env, greedy * held, ax)
    plot.grid_policy(agent.env, greedy * ~held, ax, colour="#c05621")
    ax.set_title(f"{name}: {held.sum()} of 125 pairs, {optimal_cells(agent)} of 25 cells optimal", fontsize=10)


def draw(grids, curves):
    """grids: {name: what learn_from_record gives}; curves (seeds, T). Returns one of the Axes."""
    figure = Figure((10, 8), layout="constrained")
    above, (left, right) = figure.subplots(2, 2, height_ratios=(1.2, 1))
    for ax, (name, run), colour in zip(above, grids.items(), (BLUE, ORANGE)):
        draw_grid(ax, *run[:2], name)
        copies = np.arange(1, len(run[2]) + 1)
        left.semilogy(copies, run[2][:, 1], color=colour, linewidth=1.2, label=f"{name}: RMSE of the values")
        left.semilogy(copies, run[2][:, 0], "--", color=colour, linewidth=0.8, label=f"{name}: loss")
    left.set(xlabel="copies made of the network", ylabel="RMSE (units of reward), loss (their square)", title="the 5 x 5 world", ylim=(1e-7, 1e3))
    left.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    for curve in curves:
        right.plot(EVERY * np.arange(1, len(curve) + 1), curve, color=BLUE, linewidth=0.7, alpha=0.5)
    right.plot(EVERY * np.arange(1, len(curve) + 1), np.median(curves, axis=0), color=BLUE, linewidth=2, label=f"median of {len(curves)} seed{'s' * (len(curves) > 1)}")
    right.set(xlabel="environment steps", ylabel="steps that the pole stands (mean of 20)", title="cart pole", ylim=(0, 515))
    right.legend(frameon=False)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return left


def main():
    """Print both tables, draw."""
    chosen = options(__doc__, full="ten seeds of cart pole, five of the grid")
    seeds, records = (10, 5) if chosen.full else (3, 1)
    copies, steps, every, episodes = COPIES, STEPS, EVERY, 100
    if chosen.quick:
        copies, steps, seeds, records = 50, 5_000, 1, 1
    if chosen.debug:
        copies, steps, every, episodes = 2, 1_100, 1_100, 1
    print("1. The book's 5 x 5 world, learned from one random episode\n")
    grids, rows = {}, []
    for length, batch_size, book in ((1_000, 100, "0.007"), (100, 50, "4.97")):
        for seed in range(chosen.seed, chosen.seed + records):
            run = agent, held, history = learn_from_record(seed, length, batch_size, copies)
            loss, rmse = history[-1]
            print(f"{length:,} steps, seed {seed}: RMSE {rmse:.4f}", flush=True)
            rows.append([f"{length:,}", seed, int(held.sum()), f"{loss:.1e}", f"{rmse:.4f}", book, optimal_cells(agent)])
            grids.setdefault(f"{length:,} steps", run)
    table(["steps", "seed", "pairs held", "loss", "RMSE of v", "book", "optimal cells"], rows)

    print(f"\n2. Cart pole: mean of {episodes} test episodes, the network chosen by 20 validation episodes (500 is the most)\n")
    curves, rows = [], []
    for seed in range(chosen.seed, chosen.seed + seeds):
        began = time.process_time()
        curve, at, returns = validated(DQN(CartPole(), seed, **CART), steps, every, 2 if chosen.debug else 20, episodes)
        curves.append(curve)
        rows.append([str(seed), at, returns.mean(), returns.min(), time.process_time() - began])
        print(f"seed {seed}: {returns.mean():.2f}", flush=True)
    table(["seed", "chosen at step", "mean return", "worst episode", "CPU s"], rows)
    print(f"\n{save(draw(grids, np.array(curves)), chosen.out / 'dqn.png')}")


if __name__ == "__main__":
    main()
