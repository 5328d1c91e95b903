r"""Monte Carlo: what are states and actions worth, when all that can be done is to try?

The question. Dynamic programming knows P and R. An agent that does not can still play episodes, and average what they paid.
How long must an episode be, how is everything tried often enough, and which of its returns may be averaged?

The formula. Returns from the end backwards, g ← r + γ g, one for every step; and their mean, one at a time:

    q(s, a) ← q(s, a) + (g − q(s, a)) / n(s, a)

The best action of q, with probability 1 − ε, betters the policy; ε keeps it trying. Episodes of another policy b serve, too,
if each return is weighted with ρ = Π π(a|s) / b(a|s) over the steps that followed. `rl/monte_carlo.py` is all of this.

What to notice in the picture. Upper left: MC Basic with episodes of n steps; the cell at the lower left is 15 steps from the
first reward, and for shorter episodes it is worth nothing. Upper middle: a million steps, all 125 pairs, the most
visited first. The uniform policy visits all alike. ε-greedy ones know the way by heart, and other pairs hardly at all: at
ε = .1 they never try 48 of the 125. (So in table 2 a *better* policy can spoil the next iteration: it leaves some pairs with twenty
returns.) Upper right: exploring starts. Counting more than initial visits learns sooner, as one episode then serves many
pairs. Plain means (dashed) stay behind: they still hold what the first, bad policies made of a pair, most of all with every
visit. A mean that forgets (α = .1, solid) cures it. Lower left: exploring less and less,
ε from 1 to 0. What is drawn is the loss of the policy that plays, so it never comes down for a constant ε. And the plain
mean spoils the schedule: in the end the agent is greedy, with the values of random policies. Lower middle: one state that
loops. The first visits' mean has no bias, that of all visits has one (dashed lines: theory), and with one or two
episodes it is nearer to the truth all the same. Lower right: Sutton & Barto's example 5.5, five runs. The weighted
estimate is 1, exactly, from the first episode on that counts at all. The ordinary one is right on average only: too small
for long, then far too large for long. Its variance is infinite.

The common mistake. Short episodes and all their visits: the last steps of an episode that the clock has cut have hardly any
future in their return, and it is taken for the truth. Table 3 shows it: with 30 steps instead of 100 initial visits, whose
returns have the full length, do as well as before; first and every visits do not.

    python -m examples.monte_carlo           about eight seconds; writes figures/monte_carlo.png
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl.dynamic_programming import policy_iteration, value_iteration
from rl.envs import GridWorld, TabularEnvironment
from rl.mdp import action_values, deterministic_policy, soften, soften_mdp, state_values, uniform_policy
from rl.monte_carlo import importance_sampling, mc_basic, mc_epsilon_greedy, mc_exploring_starts, mc_prediction
from rl.plot import GREEN, PURPLE

from .command import mean_and_error, options, table

GAMMA, TARGET, LOWER_LEFT = 0.9, 17, 20  # states: row 4, column 3, and row 5, column 1, as the book counts
VISITS = {"initial": GREY, "first": BLUE, "every": ORANGE}


def mild(steps):
    """The book's grid; all penalties are 1."""
    return GridWorld(max_episode_steps=steps)


def harsh(steps):
    """A forbidden cell costs 10, and a bounce within it 11: the rule of figures 5.6 and 5.7."""
    return GridWorld(reward_forbidden=-10, bounce_in_forbidden="additive", max_episode_steps=steps)


def greedy(q):
    """The policy (S, A) of the best actions."""
    return deterministic_policy(q.argmax(axis=1), q.shape[1])


# ======================================================================== 1. MC Basic


def basic(lengths, rng):
    """v (len(lengths), S) by episode length, and the largest difference to as many sweeps of value iteration."""
    mdp = GridWorld(reward_forbidden=-10).mdp()
    sweeps = value_iteration(mdp, GAMMA).history
    v = np.array([mc_basic(GridWorld(reward_forbidden=-10, max_episode_steps=n), GAMMA, rng=rng).values for n in lengths])
    return v, np.abs(v - sweeps[lengths]).max(axis=1)


# ======================================================================== 2. Very long episodes


def one_episode_an_iteration(env, iterations, first, seeds):
    """How far the policy is from the best ε-greedy one, on average over the states, after each iteration, ε = .5: exactly
    evaluated (iterations,), measured (seeds, iterations); in each one episode, means begun anew."""
    mdp = env.mdp()
    best = policy_iteration(soften_mdp(mdp, 0.5), GAMMA).values
    exact, measured, policy = [], np.empty((seeds, iterations)), uniform_policy(mdp)
    for _ in range(iterations):
        policy = soften(greedy(action_values(mdp, state_values(mdp, policy, GAMMA), GAMMA)), 0.5)
        exact.append((best - state_values(mdp, policy, GAMMA)).mean())
    for seed in range(seeds):
        learned, rng = None, np.random.default_rng(first + seed)
        for i in range(iterations):
            learned = learned and learned._replace(count=0 * learned.count)
            learned = mc_epsilon_greedy(env, GAMMA, 1, epsilon=0.5, before=learned, rng=rng)
            measured[seed, i] = (best - state_values(mdp, learned.policy, GAMMA)).mean()
    return np.array(exact), measured


BOOK = {0.1: (3.3, 2.6), 0.2: (-2.8, -3.2), 0.5: (-17.0, -16.7)}  # figure 5.6: the target, and row 5, column 2


def epsilon_rows(steps, first, seeds):
    """The optimum made ε-greedy: the book's values, the exact ones, measured ones; and the best ε-greedy policy (figure 5.7)."""
    env, rows = harsh(steps), []
    mdp = env.mdp()
    optimum = policy_iteration(mdp, GAMMA).policy
    for epsilon, book in BOOK.items():
        policy = soften(optimum, epsilon)
        exact = state_values(mdp, policy, GAMMA)
        v = [mc_prediction(env, policy, GAMMA, 1, rng=np.random.default_rng(first + i)).values[TARGET] for i in range(seeds)]
        best = policy_iteration(soften_mdp(mdp, epsilon), GAMMA)
        does = env.actions[best.policy[TARGET].argmax()]
        rows.append([f"{epsilon}", f"{book[0]}", exact[TARGET], mean_and_error(v), f"{book[1]}", exact[LOWER_LEFT + 1],
                     exact.mean(), best.values.mean(), does])  # fmt: skip
    return rows


def visit_counts(steps, seed):
    """{label: how often each pair was visited, sorted (S A,)} in one episode."""
    env = mild(steps)
    optimum = policy_iteration(env.mdp(), GAMMA).policy
    counts = {}
    for epsilon in (1.0, 0.5, 0.1):
        learned = mc_prediction(env, soften(optimum, epsilon), GAMMA, 1, rng=np.random.default_rng(seed))
        counts[f"$\\epsilon$ = {epsilon:g}"] = np.sort(learned.count.ravel())[::-1]
    return counts


# ======================================================================== 3. Exploring starts, and exploring less and less


def losses(learn, env, marks, first, seeds):
    """How much the policy that plays loses against the optimum, on average over the states, after `marks` episodes:
    (seeds, marks). learn(a, b, before, rng) plays the episodes a ... b − 1."""
    mdp = env.mdp()
    best, runs = policy_iteration(mdp, GAMMA).values, np.empty((seeds, len(marks)))
    for seed in range(seeds):
        learned, rng = None, np.random.default_rng(first + seed)
        for i, (a, b) in enumerate(zip((0, *marks), marks)):
            learned = learn(a, b, learned, rng)
            runs[seed, i] = (best - state_values(mdp, learned.policy, GAMMA)).mean()
    return runs


def exploring_starts(marks, first, seeds):
    """{(steps of an episode, visit, α): losses}, rewards harsh."""
    runs = {}
    for steps, visit, alpha in [(n, v, a) for n, a in ((100, 0.0), (100, 0.1), (30, 0.1)) for v in VISITS]:
        env, keywords = harsh(steps), {"visit": visit, "alpha": alpha}
        learn = lambda a, b, before, rng: mc_exploring_starts(env, GAMMA, b - a, **keywords, before=before, rng=rng)  # noqa: B023
        runs[steps, visit, alpha] = losses(learn, env, marks, first, seeds)
    return runs


def schedules(episodes):
    """{label: (ε of each episode, α)}"""
    falling = np.linspace(1, 0, episodes)
    return {"$\\epsilon$ = .5": (np.full(episodes, 0.5), 0.0), "$\\epsilon$ = .1": (np.full(episodes, 0.1), 0.0),
            "1 to 0, plain mean": (falling, 0.0), "1 to 0, $\\alpha$ = .01": (falling, 0.01)}  # fmt: skip


def explore_less(marks, first, seeds):
    """{label: losses}, rewards mild, episodes of 50 steps."""
    env, runs = mild(50), {}
    for label, (epsilon, alpha) in schedules(marks[-1]).items():
        learn = lambda a, b, before, rng: mc_epsilon_greedy(
            env, GAMMA, b - a, epsilon=epsilon[a:b], alpha=alpha, before=before, rng=rng)  # noqa: B023  # fmt: skip
        runs[label] = losses(learn, env, marks, first, seeds)
    return runs


# ======================================================================== 4. Bias and variance


def loop(p, steps=1000):
    """One state that pays 1 and stays with probability p, else ends: without discount v = p / (1 − p)."""
    return TabularEnvironment([[[0, 1]], [[1, 1]]], [[[p, 1 - p]], [[1, 0]]], [[[1, 0]], [[0, 0]]], [False, True], [1, 0], steps)


def first_and_every(p, episodes, first, runs):
    """{visit: estimates of v (len(episodes), runs)}"""
    env, policy, estimates = loop(p), np.ones((2, 1)), {"first": [], "every": []}
    for visit, n in ((visit, n) for visit in estimates for n in episodes):
        rng = np.random.default_rng(first + n)
        estimates[visit].append([mc_prediction(env, policy, 1.0, n, visit=visit, rng=rng).q[0, 0] for _ in range(runs)])
    return {visit: np.array(x) for visit, x in estimates.items()}


def example_5_5(steps=500):
    """One state. Left: back with probability .9, else the end and 1. Right: the end, for nothing."""
    probability = [[[0.9, 0.1], [1, 0]], [[1, 0], [1, 0]]]
    reward = [[[0, 1], [0, 0]], [[0, 0], [0, 0]]]
    return TabularEnvironment([[[0, 1], [1, 1]], [[1, 1], [1, 1]]], probability, reward, [False, True], [1, 0], steps)


def off_policy(marks, first, seeds):
    """Estimates of q(left) = 1 for the policy that always takes left, from uniform episodes: {weighted: (seeds, marks)}."""
    env, target, behaviour = example_5_5(), np.array([[1.0, 0], [1, 0]]), np.full((2, 2), 0.5)
    runs = {weighted: np.empty((seeds, len(marks))) for weighted in (False, True)}
    for weighted, seed in ((w, s) for w in runs for s in range(seeds)):
        learned, rng = None, np.random.default_rng(first + seed)
        for i, n in enumerate(np.diff(marks, prepend=0)):
            learned = importance_sampling(env, target, behaviour, 1.0, n, weighted=weighted, visit="first", before=learned, rng=rng)
            runs[weighted][seed, i] = learned.q[0, 0]
    return runs


# ======================================================================== The picture


def draw_basic(ax, lengths, v):
    """Values by the length of an episode."""
    for s, name, colour in ((TARGET, "target", BLUE), (0, "upper left", GREEN), (LOWER_LEFT, "lower left", ORANGE)):
        ax.plot(lengths, v[:, s], ".-", color=colour, label=name, linewidth=1, markersize=4)
    ax.set(xlabel="steps of an episode", ylabel="value", title="MC Basic", xlim=(0, 60))
    ax.axvline(15, color=GREY, linewidth=0.7, linestyle="--")
    ax.legend(frameon=False)


def draw_counts(ax, counts):
    """Visits of all pairs, sorted."""
    for (label, count), colour in zip(counts.items(), (GREY, BLUE, ORANGE)):
        ax.semilogy(np.arange(1, count.size + 1), np.where(count > 0, count, np.nan), color=colour, label=label)
    ax.set(xlabel="pairs, the most visited first", ylabel="visits", title=f"One episode of {int(count.sum()):,} steps")
    ax.legend(frameon=False)


def draw_starts(ax, marks, runs):
    """Exploring starts: losses over episodes."""
    for (steps, visit, alpha), loss in runs.items():
        if steps == 100:
            ax.semilogx(marks, loss.mean(axis=0), "-" if alpha else "--", color=VISITS[visit], label=f"{visit} visit" if alpha else None)
    ax.set(xlabel="episodes of 100 steps", ylabel="loss of value, mean of states", title="Exploring starts", ylim=(0, 10))
    ax.legend(frameon=False, title="$\\alpha$ = .1; dashed: plain mean")


def draw_schedules(ax, marks, runs):
    """ε-greedy: losses over episodes."""
    for (label, loss), colour in zip(runs.items(), (GREY, BLUE, ORANGE, GREEN)):
        ax.plot(np.array(marks) / 1000, loss.mean(axis=0), color=colour, label=label)
    ax.set(xlabel="thousand episodes of 50 steps", ylabel="loss of value, mean of states", title="Exploring less and less", ylim=(0, 14))
    ax.legend(frameon=False, ncols=2, loc="upper right", columnspacing=1)


def draw_bias(ax, episodes, estimates, p):
    """Mean squared error of first and every visit, and the bias of the second."""
    v = p / (1 - p)
    for visit, x in estimates.items():
        ax.loglog(episodes, ((x - v) ** 2).mean(axis=1), "o-", color=VISITS[visit], label=f"{visit} visit: squared error", markersize=4)
    ax.loglog(episodes, (estimates["every"].mean(axis=1) - v) ** 2, "s", color=PURPLE, label="every visit: its bias, squared", markersize=4)
    ax.loglog(episodes, p / (1 - p) ** 2 / np.array(episodes), "--", color=VISITS["first"], linewidth=0.8)
    ax.loglog(episodes, (v / (np.array(episodes) + 1)) ** 2, "--", color=PURPLE, linewidth=0.8)
    ax.set(xlabel="episodes", ylabel="square of an error", title=f"One state that loops, v = {v:g}")
    ax.set_xticks(episodes, [f"{n}" for n in episodes])
    ax.minorticks_off()
    ax.legend(frameon=False)


def draw_off_policy(ax, marks, runs):
    """Ordinary and weighted importance sampling."""
    for weighted, colour, label in ((False, GREY, "ordinary"), (True, BLUE, "weighted")):
        for i, x in enumerate(runs[weighted][:5]):
            ax.semilogx(marks, x, color=colour, label=None if i else label, linewidth=1 + weighted)
    ax.set(xlabel="episodes", ylabel="estimate", title="Example 5.5: the truth is 1", ylim=(-0.1, 3))
    ax.legend(frameon=False)


def draw(*panels):
    """The picture: each panel a function and what it draws; returns one of the Axes."""
    figure = Figure((12, 6.8), layout="constrained")
    for ax, (function, *data) in zip(figure.subplots(2, 3).ravel(), panels):
        function(ax, *data)
        ax.spines[["top", "right"]].set_visible(False)
    return ax


def main():
    """Print the tables, write the figure."""
    chosen = options(__doc__)
    seed, steps, seeds, episodes, runs, last = chosen.seed, 10**6, 10, 10_000, 1000, 300_000
    if chosen.quick:
        steps, seeds, episodes, runs, last = 100_000, 3, 4000, 100, 10_000
    if chosen.debug:
        steps, seeds, episodes, runs, last = 1000, 2, 40, 5, 100
    if chosen.quick:
        print("--quick: fewer seeds, shorter episodes: farther from the book than the full run\n")

    print("1. MC Basic: values by the steps of an episode (figure 5.4), and by as many sweeps of value iteration\n")
    lengths = [1, 2, 3, 4, 14, 15, 30, 100]
    v, difference = basic(lengths, np.random.default_rng(seed))
    table(["steps", "target", "lower left", "upper left", "largest difference to the sweeps"],
          [[n, x[TARGET], x[LOWER_LEFT], x[0], f"{d:.0e}"] for n, x, d in zip(lengths, v, difference)])  # fmt: skip

    print(f"\n2. One episode of {steps:,} steps an iteration, epsilon = .5: loss against the best epsilon-greedy policy\n")
    lines = []
    for name, env in (("1", mild(steps)), ("10", harsh(steps))):
        exact, measured = one_episode_an_iteration(env, 3, seed, seeds)
        lines += [[name, f"{i + 1}", f"{exact[i]:.3f}", mean_and_error(measured[:, i])] for i in range(3)]
    table(["forbidden costs", "iteration", "exact evaluation", "one episode"], lines)
    print("\n   The optimum made epsilon-greedy, and the best epsilon-greedy policy (figures 5.6 and 5.7)\n")
    header = ["epsilon", "target: book", "exact", "measured", "(5, 2): book", "exact", "mean", "mean, best", "in the target, best"]
    table(header, epsilon_rows(steps, seed, seeds))
    counts = visit_counts(steps, seed)
    ranges = "; ".join(f"epsilon = {k.split()[-1]}: {c[-1]:,.0f} to {c[0]:,.0f}" for k, c in counts.items())
    print(f"\n   visits of a pair (figure 5.8): {ranges}")

    print(f"\n3. Exploring starts: of {seeds} seeds, how many end with the best policy; mean loss of value\n")
    marks = np.unique(np.geomspace(-(-episodes // 200), episodes, 20).astype(int))
    starts = exploring_starts(marks, seed, seeds)
    table(["steps of an episode", "visits", "alpha", "best", "loss"],
          [[f"{n}", visit, f"{alpha}", f"{(x[:, -1] < 1e-9).sum()}", x[:, -1].mean()] for (n, visit, alpha), x in starts.items()])  # fmt: skip

    print(f"\n   Exploring less and less: loss of the policy that plays after {2 * episodes:,} episodes of 50 steps\n")
    falling = np.linspace(episodes // 10, 2 * episodes, 20).astype(int)
    less = explore_less(falling, seed, -(-seeds // 2))
    table(["epsilon", "loss"], [[label.replace("$", "").replace("\\", ""), mean_and_error(x[:, -1])] for label, x in less.items()])

    print("\n4. One state that loops, v = 9: bias and variance of its estimate, and what theory says\n")
    few, p = [1, 2, 5, 10, 20], 0.9
    estimates = first_and_every(p, few, seed, runs)
    first, every = (estimates[visit] - 9 for visit in ("first", "every"))
    table(["episodes", "first: bias", "variance", "theory", "every: bias", "theory", "variance"],
          [[n, first[i].mean(), first[i].var(), p / (1 - p) ** 2 / n, every[i].mean(), -9 / (n + 1), every[i].var()]
           for i, n in enumerate(few)])  # fmt: skip

    marks55 = np.unique(np.geomspace(1, last, 60).astype(int))
    off = off_policy(marks55, seed, 5)
    print(f"\n   Example 5.5 after {last:,} episodes, 5 seeds: ordinary {off[False][:, -1].min():.2f} to "
          f"{off[False][:, -1].max():.2f}, weighted {off[True][:, -1].min():.2f} to {off[True][:, -1].max():.2f}")  # fmt: skip

    began, env = time.process_time(), mild(steps)
    for i in range(5):
        mc_epsilon_greedy(env, GAMMA, 1, epsilon=0.5, rng=np.random.default_rng(i))
    print(f"\n   Speed: {5 * steps / (time.process_time() - began) / 1e6:.0f} million steps a second, played and learned from")
    curve = list(range(1, 11 if chosen.debug else 61))
    panels = ((draw_basic, curve, basic(curve, np.random.default_rng(seed))[0]), (draw_counts, counts), (draw_starts, marks, starts),
              (draw_schedules, falling, less), (draw_bias, few, estimates, p), (draw_off_policy, marks55, off))  # fmt: skip
    print(f"\n{save(draw(*panels), chosen.out / 'monte_carlo.png')}")


if __name__ == "__main__":
    main()
