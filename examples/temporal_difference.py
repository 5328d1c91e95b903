r"""Temporal differences: Sarsa, Q-learning and their kin learn from every step, and differ in one function.

The question. Monte Carlo waits for the end of an episode to learn what it was worth. Can an agent learn at once, from one
step, and what should it take for the worth of all that is still to come?

The formula. Take your own next guess for it, and move a little way to this target:

    q(s, a) ← q(s, a) + α (r + γ [what follows] − q(s, a))

    Sarsa               q(s', a')                        what I shall do
    expected Sarsa      Σ_a π(a|s') q(s', a)             what I may do, on average
    Q-learning          max_a q(s', a)                   the best that could be done
    double Q-learning   q₂(s', argmax_a q₁(s', a))       the same, and a second table says what it is worth

This is the function `follow` in `rl/temporal_difference.py`; all else there is shared.

What to notice in the picture. Upper left: a cliff. A step costs 1, a fall 100 and a new start. Every tenth action is random.
Q-learning finds the shortest way, which is the best for one who never stumbles; it does stumble, and falls. Sarsa learns
what its *own* ways are worth, keeps away from the edge, and is paid better while it explores (the curves below). Upper
right: the same over the step size α; solid: the first 100 episodes, dashed: 10,000. Expected Sarsa does not jump about with
the luck of a', so it bears any α, even 1, where Sarsa never settles. Lower left: to go left costs .1 on average, but some
rewards there are positive, and the maximum over ten noisy values believes in the luckiest. Double Q-learning does not.
Lower right: Q-learning from records of others. All has been tried equally often: q finds the optimum, from any start.
(From 10, which promises too much everywhere, fastest.) Behind a policy that mostly goes right, it learns next to nothing.
"Off-policy" means that any record will do, if it holds what there is to learn.

The common mistake. To let the fall end the episode, or to write `done` for `terminated`: see `time_limits`. To take the
greedy action for 1 − ε of all: exploring may pick it as well, 1 − ε + ε/|A|. To break ties by `argmax`: at first all is
equal, and the agent always goes up. To judge Q-learning by its returns while it explores, or by its greedy policy, without
saying which: on the cliff the answers are opposite.

"Another program" in the tables is a second implementation of the same experiments, not published.

    python -m examples.temporal_difference   about ten seconds; writes figures/temporal_difference.png
"""

import time
from collections import Counter

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import off_policy
from rl import temporal_difference as td
from rl.dynamic_programming import value_iteration
from rl.envs import GridWorld
from rl.envs.cliff_walking import CliffWalking
from rl.envs.maximization_bias import MaximizationBias
from rl.envs.windy_grid import WindyGrid
from rl.mdp import deterministic_policy, soften, uniform_policy
from rl.plot import GREEN, PURPLE

from .command import mean_and_error, options, table

NAMES = {"sarsa": "Sarsa", "expected_sarsa": "expected Sarsa", "q_learning": "Q-learning", "double_q_learning": "double Q-learning"}
COLOURS = {"sarsa": BLUE, "expected_sarsa": GREEN, "q_learning": ORANGE, "double_q_learning": PURPLE}
ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PATH = """
S....
.##..
..#..
.#G#.
.#..."""


def greedy_path(env, q, most=50):
    """The states that the best actions visit from the start, at most so many; in a world without chance."""
    path = [int(env.start.argmax())]
    while not env.tables.terminal[path[-1]] and len(path) < most:
        path.append(int(env.tables.next_state[path[-1], q[path[-1]].argmax(), 0]))
    return tuple(path)


# ======================================================================== 1. The cliff


def cliff_runs(first, runs, episodes):
    """Rows of the table, and {method: (mean return of each episode, the way that most greedy policies go)}."""
    env, lines, seen = CliffWalking(100_000), [], {}
    others = {
        "sarsa": ("-26.99 +- .15", "17: 78 %"), "expected_sarsa": ("-20.75 +- .04", "15: 100 %"),
        "q_learning": ("-50.06 +- .16", "13: 100 %"),
    }  # fmt: skip
    for method, (late, way) in others.items():
        rngs = map(np.random.default_rng, range(first, first + runs))
        learned = [td.learn_fast(env, episodes, method=method, alpha=0.5, rng=rng) for rng in rngs]
        returns = np.array([run.returns for run in learned])  # (runs, episodes)
        ways = [greedy_path(env, run.q) for run in learned]
        path = Counter(ways).most_common(1)[0][0]
        same = np.mean([len(way) == len(path) for way in ways])
        seen[method] = returns.mean(axis=0), path
        ours = mean_and_error(returns[:, -100:].mean(axis=1)), f"{len(path) - 1}: {100 * same:.0f} %"
        lines.append([NAMES[method], ours[0], late, ours[1], way])
    return lines, seen


def step_sizes(first, runs, episodes):
    """{method: mean returns of the first 100 episodes and of many, each over α}, Sutton & Barto's figure 6.3."""
    env, means = CliffWalking(1_000_000), {}
    for method in ("sarsa", "expected_sarsa", "q_learning"):
        pairs = []
        for alpha in ALPHAS:
            settings = {"method": method, "alpha": alpha}
            pairs.append([])
            for n, times in ((min(100, episodes), 20 * runs), (episodes, runs)):
                rngs = map(np.random.default_rng, range(first, first + times))
                pairs[-1].append(np.mean([td.learn_fast(env, n, **settings, rng=rng).returns.mean() for rng in rngs]))
        means[method] = np.transpose(pairs)
    return means


# ======================================================================== 2. The wind, and the noise that looks like a promise


def windy_runs(first, runs, steps):
    """Episodes that Sarsa finishes in so many steps, (runs,)."""
    env = WindyGrid(max_episode_steps=steps)
    lengths = (td.learn_fast(env, steps // 15, alpha=0.5, rng=np.random.default_rng(first + i)).lengths for i in range(runs))
    return np.array([(np.cumsum(length) <= steps).sum() for length in lengths])


def bias_runs(first, runs, episodes=300):
    """{method: share of the runs that go left in each episode (episodes,)}: such an episode has two steps."""
    env, share = MaximizationBias(), {}
    for method in ("q_learning", "double_q_learning"):
        rngs = map(np.random.default_rng, range(first, first + runs))
        share[method] = np.mean(
            [td.learn_fast(env, episodes, method=method, alpha=0.1, rng=rng).lengths == 2 for rng in rngs], axis=0
        )
    return share


# ======================================================================== 3. The book's grid


def path_shares(first, seeds):
    """Rows: in how many of the seeds the greedy policy goes the clean way of 11 steps (Zhao, figures 7.2 and 7.3)."""
    costs = dict(reward_boundary=-10, reward_forbidden=-10, reward_step=-1, reward_target=0)
    env = GridWorld(PATH, **costs, target_terminal=True, max_episode_steps=10_000)
    lines, others = [], {"sarsa": ("18", "16"), "expected_sarsa": ("16", "18"), "q_learning": ("20", "20")}
    for method, other in others.items():
        cells = []
        for gamma, of_20 in zip((0.9, 1.0), other):
            rngs = map(np.random.default_rng, range(first, first + seeds))
            ways = [greedy_path(env, td.learn_fast(env, 500, method=method, alpha=0.1, gamma=gamma, rng=rng).q) for rng in rngs]
            cells += [f"{100 * np.mean([len(way) - 1 == 11 for way in ways]):.0f} %", f"{of_20} of 20"]
        lines.append([NAMES[method], *cells])
    return lines


def off_policy_runs(first, records, steps, every):
    """{label: RMSE of max_a q (records, K + 1)} of Q-learning from records of others, at the start and after each `every` steps.

    Zhao's figures 7.4 and 7.5: one episode, α = .1. The behaviour: uniform, or "right" with probability 1 − ε + ε/5.
    """
    env = GridWorld()
    best, right = value_iteration(env.mdp(), 0.9).values, deterministic_policy(np.full(25, 1), 5)
    cases = [(f"uniform, q = {q0} at first", uniform_policy(env.mdp()), q0) for q0 in (0, 10, 100)]
    cases += [(f"right, ε = {epsilon}", soften(right, epsilon), 0) for epsilon in (0.5, 0.1)]
    curves = {}
    for label, behaviour, q0 in cases:
        runs = []
        for i in range(records):
            record = off_policy.record_fast(env, behaviour, steps, np.random.default_rng(first + i))
            start = np.full((1, 25, 5), float(q0))  # (1, S, A)
            q = off_policy.learn_off_policy(env, record, alpha=0.1, gamma=0.9, every=every, Q=start.copy())  # (K, S, A)
            q = np.concatenate([start, q])
            runs.append(np.sqrt(np.mean((q.max(axis=2) - best) ** 2, axis=1)))
        curves[label] = np.array(runs)
    return curves


def speed(first, steps, times):
    """Median seconds of CPU for so many steps of Q-learning in the 5 × 5 grid: along its own way, and from a record."""
    env, settings, spent = GridWorld(max_episode_steps=steps), dict(method="q_learning", alpha=0.1, gamma=0.9), []
    for rng in map(np.random.default_rng, range(first, first + times)):
        clock = [time.process_time()]
        td.learn_fast(env, 1, **settings, rng=rng)
        clock.append(time.process_time())
        off_policy.learn_off_policy(
            env, off_policy.record_fast(env, uniform_policy(env.mdp()), steps, rng), **settings, every=steps
        )
        spent.append(np.diff([*clock, time.process_time()]))
    return np.median(spent, axis=0)  # (2,)


# ======================================================================== The picture


def draw_cliff(top, bottom, seen):
    """The ways of the greedy policies, and the returns while learning."""
    top.imshow(np.pad(np.zeros((3, 12)), ((0, 1), (0, 0))), cmap="gray_r", vmin=0, vmax=1)
    top.fill_between([0.5, 10.5], 2.5, 3.5, color=GREY)
    top.hlines(np.arange(5) - 0.5, -0.5, 11.5, color=GREY, linewidth=0.4)
    top.vlines(np.arange(13) - 0.5, -0.5, 3.5, color=GREY, linewidth=0.4)
    top.text(5.5, 3, "cliff, -100", color="white", ha="center", va="center", fontsize=8)
    for method, (returns, path) in seen.items():
        y, x = np.divmod(path, 12)
        shift = {"sarsa": -0.1, "expected_sarsa": 0, "q_learning": 0.1}[method]
        top.plot(x + shift, y, color=COLOURS[method], linewidth=2)
        smooth = np.convolve(returns, np.ones(10) / 10, "valid")
        bottom.plot(np.arange(smooth.size) + 10, smooth, color=COLOURS[method], label=NAMES[method], linewidth=1.2)
    for x, letter in ((0, "S"), (11, "G")):
        top.text(x + 0.28, 3.28, letter, ha="center", va="center", fontsize=8)
    top.set_axis_off()
    top.set_title("Cliff: the ways of the greedy policies")
    bottom.set(xlabel="episode", ylabel="return while exploring", ylim=(-100, -10))
    bottom.legend(frameon=False, loc="lower right", ncols=3, fontsize=8)


def draw_step_sizes(ax, means):
    """Sutton & Barto's figure 6.3."""
    for method, (early, late) in means.items():
        ax.plot(ALPHAS, early, "o-", color=COLOURS[method], label=NAMES[method], linewidth=1.2, markersize=3)
        ax.plot(ALPHAS, late, "o--", color=COLOURS[method], linewidth=1.2, markersize=3)
    ax.plot([], [], color=GREY, label="first 100 episodes")
    ax.plot([], [], "--", color=GREY, label="10,000 episodes")
    ax.set(xlabel="step size $\\alpha$", ylabel="mean return", ylim=(-160, 0), title="Cliff: early and late, over the step size")
    ax.legend(frameon=False, ncols=2, fontsize=8, loc="lower center")


def draw_bias(ax, share):
    """How often it goes left."""
    for method, left in share.items():
        ax.plot(np.arange(1, left.size + 1), 100 * left, color=COLOURS[method], label=NAMES[method], linewidth=1.2)
    ax.axhline(5, color=GREY, linestyle="--", linewidth=0.8, label="best possible, $\\varepsilon$ / 2")
    ax.set(xlabel="episode", ylabel="% of runs that go left", title="Maximisation bias", ylim=(0, 100))
    ax.legend(frameon=False)


def draw_off_policy(ax, curves, every):
    """RMSE over the steps of the records."""
    for (label, runs), colour in zip(curves.items(), (BLUE, GREEN, PURPLE, ORANGE, GREY)):
        x = np.arange(runs.shape[1]) * every / 1000
        ax.semilogy(x, runs.mean(axis=0), color=colour, label=label.replace("ε", "$\\varepsilon$"), linewidth=1.2)
    ax.set(xlabel="thousand steps of the record", ylabel="RMSE of $\\max_a q$ over 25 states", ylim=(1e-3, 1e3))
    ax.set_title("Q-learning from records of others")
    ax.legend(frameon=False, fontsize=8, ncols=2)


def draw(seen, means, share, curves, every):
    """The picture; returns one of its Axes."""
    figure = Figure((12, 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    top, bottom = (figure.add_subplot(cell) for cell in grid[0, 0].subgridspec(2, 1, height_ratios=(1, 1.15)))
    second, third, fourth = (figure.add_subplot(grid[i]) for i in ((0, 1), (1, 0), (1, 1)))
    draw_cliff(top, bottom, seen)
    draw_step_sizes(second, means)
    draw_bias(third, share)
    draw_off_policy(fourth, curves, every)
    for ax in (bottom, second, third, fourth):
        ax.spines[["top", "right"]].set_visible(False)
    return second


def main():
    """Print the tables, write the figure."""
    chosen = options(__doc__)
    first, runs, episodes, late, biased, seeds, records, steps, every = chosen.seed, 300, 500, 10_000, 4000, 200, 20, 100_000, 1000
    if chosen.quick:
        runs, late, biased, seeds, records = 30, 1000, 500, 20, 3
        print("--quick: fewer runs and episodes than the numbers beside ours are made of\n")
    if chosen.debug:
        runs, episodes, late, biased, seeds, records, steps, every = 2, 3, 2, 2, 1, 1, 200, 50

    print("1. Cliff walking, alpha = .5, epsilon = .1: mean return of the last 100 of 500 episodes; steps of the greedy way\n")
    lines, seen = cliff_runs(first, runs, episodes)
    table(["method", "ours", "another program", "greedy way", "another program"], lines)
    means = step_sizes(first, max(1, runs // 100), late)
    print(f"\nthe same for other alpha: mean return of the first 100 episodes / of {late:,}\n")
    others = {
        "sarsa": ("-140 / -23.0", "-72 / -844"), "expected_sarsa": ("-134 / -22.2", "-43.8 / -21.0"),
        "q_learning": ("-151 / -51.1", "-74.0 / -50.6"),
    }  # fmt: skip
    pair = lambda x: f"{x[0]:.1f} / {x[1]:.1f}"  # noqa: E731
    table(["method", "alpha = .1", "another program", "alpha = 1", "another program"],
          [[NAMES[m], pair(x[:, 0]), others[m][0], pair(x[:, -1]), others[m][1]] for m, x in means.items()])  # fmt: skip

    best = [-round(value_iteration(WindyGrid(kings_moves=k).mdp(), 1.0).values[30]) for k in (False, True)]
    n = 8 * every
    print(
        f"\n2. Windy grid, Sarsa: {mean_and_error(windy_runs(first, runs, n), 1)} episodes in {n:,} steps (another program: 159.9 +- .3);"
    )
    print(f"the shortest way has {best[0]} steps, with King's moves {best[1]}")
    print("\n   Maximisation bias: % of runs that go left in episode 1, 10, 100, 300\n")
    share = bias_runs(first, biased)
    others = {"q_learning": "49.4 87.3 46.9 12.5", "double_q_learning": "49.4 45.4 9.1 6.9"}
    ours = {m: " ".join(f"{100 * s:.1f}" for s in x[[0, 9, 99, 299]]) for m, x in share.items()}
    table(["method", "ours", "another program"], [[NAMES[m], ours[m], others[m]] for m in share])

    print("\n3. Zhao's 5 x 5 grid, task 'find the way': seeds whose greedy policy goes the clean way of 11 steps\n")
    table(["method", "gamma = .9", "another program", "gamma = 1", "another program"], path_shares(first, seeds))
    print("\n   Q-learning from records of others: RMSE at the start, and after 25, 50 and 100 % of the steps\n")
    curves = off_policy_runs(first, records, steps, every)
    others = (
        "7.9256, 1.07-1.67, .10-.26, .0016-.0054",
        "2.6131, 0, 0, 0",
        "92.2114, 16-17, 1.6-2.7, .02-.06",
        "7.93 ... 5.59",
        "7.93 ... 7.90",
    )
    at = np.array([0, 1, 2, 4]) * (steps // every) // 4
    table(["behaviour", "start", "25 %", "50 %", "100 %", "another program"],
          [[k.replace("ε", "epsilon"), *(f"{x:.4f}" for x in c.mean(axis=0)[at]), o] for (k, c), o in zip(curves.items(), others)])  # fmt: skip
    own, record = speed(first, 10 * steps, 7)
    print(
        f"\n{10 * steps:,} steps of Q-learning: {own:.3f} s of CPU, median of 7; from a record, played and learned: {record:.3f} s"
    )
    print(f"\n{save(draw(seen, means, share, curves, every), chosen.out / 'temporal_difference.png')}")


if __name__ == "__main__":
    main()
