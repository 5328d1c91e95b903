r"""Learning from noisy answers: one line finds roots, means, minima and values, and a step size decides whether it does.

The question. A function g can only be measured, with an error each time. Where is it 0? Averaging many answers at one
point, then moving, wastes most of them: far from the root even a poor answer shows the way. Could each answer move us a
little, and the errors cancel on the way?

The formula. Robbins and Monro, 1951:

    w_{k+1} = w_k − a_k g̃(w_k),     g̃(w) = g(w) + noise

It goes to the root if (a) g rises everywhere, with a slope between two positive numbers, (b) Σ a_k = ∞ but Σ a_k² < ∞, as
for a_k = 1/k, and (c) the noise has mean 0 and a finite variance. Everything that learns from samples is of this form:

    the mean of x       g̃ = w − x_k                      w_{k+1} is the mean of x_1 ... x_k
    SGD, mini-batch     g̃ = slope of f at one sample, or its mean over m samples
    TD(0)               g̃ = v(s) − (r + γ v(s')), for the Bellman equation v − (r_π + γ P_π v) = 0

Read `rl/stochastic_approximation.py`.

What to notice in the picture. Upper left: g(w) = w³ − 5, three step sequences, the same noise. The circles are printed in
Zhao's figure 6.3, whose text says a_k = 1/k. With 1/(k+1) we hit them all; with 1/k the second step lands at −22, where w³
answers −10,900, and the third at 3,610: the answers grow faster than the steps shrink. Upper right: so it goes for
nearly all of 2,000 runs. (b) and (c) hold for all three sequences; it is (a) that fails. That the slope 3 w² is 0 at 0 does
no harm here; that it has no upper bound does: nothing but luck, or smaller first steps, keeps w in. Below: the mean of 100
points in a square (figure 6.5). The first step, a_1 = 1, leaps from the corner right to the first batch: far away one
sample is as good as fifty. Near the mean it is not: the distance falls along the dashed lines, √(variance / (m k)), so
fifty samples a step are √50 times nearer, at fifty times the price.

The common mistake. To count from 0, or from 2. With a_k = 1/(k+1) the start counts as if it were a sample: harmless for a
root that is searched long, but the mean of ten samples from a start of 0 then is 10/11 of the mean. And with a constant
a_k, as everywhere in deep learning, w never comes to rest: (b) fails, which is wanted where the target itself moves.

"Another program" in the tables is a second implementation of the same experiments, not published.

    python -m examples.stochastic_approximation   about three seconds; writes figures/stochastic_approximation.png
"""

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import linear_value as lv
from rl import stochastic_approximation as sa
from rl.envs import RandomWalk
from rl.episodes import play_fast
from rl.features import rows
from rl.mdp import state_values, uniform_policy
from rl.plot import GREEN

from .command import options, table

ROOT = 5 ** (1 / 3)
PRINTED = np.array([0, 1.93, 0.95, 2.31, 0.98, 1.76, 1.62, 1.65])  # Zhao's figure 6.3, read off the curves of its PDF
NOISE = np.array([1.17, 0.81, -1.26, -0.56, -0.60, 0.56, 0.50])
STEPS = {"1/k": (sa.harmonic, ORANGE), "1/(k+1)": (lambda k: 1 / (k + 1), BLUE), "1/(k+2)": (lambda k: 1 / (k + 2), GREEN)}
START, BATCHES = np.array([-20.0, 20.0]), {1: ORANGE, 5: BLUE, 50: GREEN}


def cube(w):
    """Zhao's g."""
    return w**3 - 5


# ======================================================================== 1. w³ − 5


def series():
    """{name: w (8,)} with the noise of the book's figure."""
    return {name: sa.robbins_monro(lambda w, k: cube(w) + NOISE[k - 1], 0.0, a, 7) for name, (a, _) in STEPS.items()}


def many_runs(seed, runs):
    """{name: w (51, runs)}, each with noise of its own."""
    found = {}
    for name, (a, _) in STEPS.items():
        rng = np.random.default_rng(seed)
        found[name] = sa.robbins_monro(lambda w, k: cube(w) + rng.standard_normal(runs), np.zeros(runs), a, 50)  # noqa: B023
    return found


def bounded_rows(runs):
    """Rows of the table: how many runs are still near, and how near."""
    lines, others = [], {"1/k": "0.4 %", "1/(k+1)": "71.5 %", "1/(k+2)": "about 100 %"}
    for name, w in runs.items():
        near = np.abs(w[-1]) < 10
        middle = f"{np.median(np.abs(w[-1, near] - ROOT)):.3f}" if near.any() else "-"
        lines.append(
            [name, f"{near.mean():.1%} +- {np.sqrt(near.mean() * (1 - near.mean()) / near.size):.1%}", others[name], middle]
        )
    return lines


def condition_rows(seed):
    """Rows: Zhao's two functions, and a third with steps and noise that break the theorem, too."""
    normal = lambda w, n, rng: rng.standard_normal(n)
    cases = {
        "w - 1, 1/k": (lambda w: w - 1, sa.harmonic, normal),
        "w^3 - 5, 1/k": (cube, sa.harmonic, normal),
        "tanh(w - 1), 1/k": (lambda w: np.tanh(w - 1), sa.harmonic, normal),
        "w - 1, 0.1": (lambda w: w - 1, 0.1, normal),
        "w - 1, 1/k^2": (lambda w: w - 1, lambda k: 1 / k**2, normal),
        "w - 1, 1/k, Cauchy noise": (lambda w: w - 1, sa.harmonic, lambda w, n, rng: rng.standard_cauchy(n)),
    }
    for name, case in cases.items():
        found = sa.conditions(*case, 1.0, 3.0, np.random.default_rng(seed))
        yield [name, *({True: "yes", False: "NO", None: "?"}[finding.holds] for finding in found)]
        if name.startswith("w^3"):
            print(f"w^3 - 5: {found[0].seen}\n")


# ======================================================================== 2. The mean of 100 points


def descents(seed, runs):
    """The points x (100, 2), and {m: w (runs, 31, 2)}: a_k = 1/k."""
    rng, found = np.random.default_rng(seed), {}
    x = rng.uniform(-10, 10, (100, 2))
    for m in BATCHES:
        batches = [sa.random_batches(100, m, 30, rng) for _ in range(runs)]
        found[m] = np.array([sa.descend(sa.mean_gradient, START, x, b, sa.harmonic) for b in batches])
    return x, found


def rms_distance(w, mean):
    """Root mean square distance of w (runs, N, 2) to the mean, over the runs: (N,)."""
    return np.sqrt(((w - mean) ** 2).sum(axis=-1).mean(axis=0))


def descent_rows(x, found):
    """Rows: distance to the mean after some steps, beside the exact one after the last."""
    mean, spread = x.mean(axis=0), x.var(axis=0).sum()
    for m, w in found.items():
        d = rms_distance(w, mean)
        yield [f"{m}", *(f"{d[k]:.3f}" for k in (0, 1, 10, 30)), f"{np.sqrt(spread / (30 * m)):.3f}"]
    bgd = sa.descend(sa.mean_gradient, START, x, sa.whole_batches(100, 30), sa.harmonic)
    yield ["all 100", *(f"{rms_distance(bgd[None], mean)[k]:.3f}" for k in (0, 1, 10, 30)), "0.000"]


def far_and_near(x, seed, runs):
    """Rows: how wrong the slope of a single sample is, by distance. Small constant steps, so that there is a way to go."""
    mean, rng = x.mean(axis=0), np.random.default_rng(seed)
    distance, delta, right = [], [], []
    for _ in range(runs):
        batches = sa.random_batches(100, 1, 150, rng)
        w = sa.descend(sa.mean_gradient, START, x, batches, 0.03)[:-1]
        noisy, true = w - x[batches[:, 0]], w - mean
        distance.append(np.linalg.norm(true, axis=1))
        delta.append(sa.relative_error(noisy, true))
        right.append((noisy * true).sum(axis=1) > 0)
    distance, delta, right = (np.concatenate(part) for part in (distance, delta, right))
    for low, high in ((20, 30), (10, 20), (5, 10), (2, 5), (0, 2)):
        here = (low <= distance) & (distance < high)
        yield [f"{low} to {high}", f"{np.median(delta[here]):.2f}", f"{right[here].mean():.0%}"]


# ======================================================================== 3. TD(0), and importance sampling


def td_rows(seed, episodes):
    """Rows: TD(0) on a walk of 5 states, with steps that die out and with constant ones."""
    env = RandomWalk(5, 1)
    policy = uniform_policy(env.mdp())
    v = state_values(env.mdp(), policy, 1.0)
    experience = play_fast(env, policy, episodes, np.random.default_rng(seed))
    for name, a in (("50 / (k + 500)", lambda k: 50 / (k + 500)), ("0.1", 0.1)):
        history = sa.td(np.zeros(7), experience, a, 1.0)[:, 1:6]
        error = np.sqrt(((history - v[1:6]) ** 2).mean(axis=1))
        late = error[-len(error) // 10 :]
        yield [name, f"{error[0]:.3f}", f"{error[len(error) // 10]:.3f}", f"{late.mean():.3f}"]
    w = np.zeros(7)
    lv.td(w, rows(np.eye(7)), experience, 0.1, 1.0)
    print(f"linear_value.td with one feature a state ends with the same bits: {np.array_equal(w[1:6], history[-1])}\n")


def importance_rows(seed, n):
    """Rows: the mean of a coin's ±1 under p₀ = (.5, .5), from draws of another coin."""
    x, p0 = np.array([1.0, -1.0]), np.array([0.5, 0.5])
    for p1, weighted in (([0.8, 0.2], False), ([0.8, 0.2], True), ([1.0, 0.0], True)):
        drawn = np.random.default_rng(seed).choice(2, n, p=p1)
        terms = sa.importance_terms(x, p0, p1, drawn) if weighted else x[drawn]
        mean = sa.incremental_mean(terms)[-1]
        yield [f"p1 = ({p1[0]}, {p1[1]}), {'weighted' if weighted else 'plain'}", f"{mean:+.3f} +- {terms.std() / np.sqrt(n):.3f}",
               {(0.8, False): "+0.6", (0.8, True): "0", (1.0, True): "+0.5"}[p1[0], weighted], f"{terms.var():.4f}",
               {(0.8, False): "0.6400", (0.8, True): "1.5625", (1.0, True): "0.0000"}[p1[0], weighted]]  # fmt: skip


# ======================================================================== The picture


def draw_root(left, right, runs):
    """The book's series, and the share of many runs that is still near."""
    for name, w in series().items():
        w = w[: np.argmax(np.append(np.abs(w), np.inf) > 10) + 1]  # what comes after would only be vertical lines
        left.plot(np.arange(1, len(w) + 1), w, color=STEPS[name][1], label=f"$a_k = {name}$", marker=".", linewidth=1.3)
    left.plot(np.arange(1, 9), PRINTED, "o", markerfacecolor="none", color="black", markersize=9, label="printed in the book")
    left.axhline(ROOT, color=GREY, linestyle="--", linewidth=0.8)
    left.text(2.3, -0.9, "to $-22$, then 3,610, then $-10^{10}$", color=ORANGE)
    left.set(xlabel="$k$", ylabel="$w_k$", ylim=(-1.2, 5.2), title="$w^3 - 5 = 0$, the same noise, three step sequences")
    left.legend(frameon=False)
    for name, w in runs.items():
        right.plot(np.arange(1, 52), (np.abs(w) < 10).mean(axis=1) * 100, color=STEPS[name][1], label=f"$a_k = {name}$")
    right.set(
        xlabel="$k$",
        ylabel="runs with $|w_k|$ < 10 (%)",
        xlim=(0.5, 20.5),
        ylim=(-3, 105),
        title=f"{w.shape[1]:,} runs: how many are still there",
    )
    right.set_xticks([1, 5, 10, 15, 20])
    right.legend(frameon=False, loc="center right")


def draw_mean(left, right, x, found):
    """Paths through the square, and distances."""
    mean, k = x.mean(axis=0), np.arange(1, 31)
    left.plot(*x.T, ".", color="#cbd5e0", markersize=5, label="100 samples")
    for m, w in found.items():
        label = f"$m$ = {m}"
        left.plot(*w[0].T, color=BATCHES[m], marker=".", markersize=4, linewidth=1, label=label)
        right.loglog(k, rms_distance(w, mean)[1:], color=BATCHES[m], label=label, linewidth=1.5)
        right.loglog(k, np.sqrt(x.var(axis=0).sum() / (m * k)), "--", color="black", linewidth=0.7)
    left.plot(*mean, "x", color="black", markersize=8, label="their mean")
    left.annotate("start", START, (-18.6, 19.2))
    left.set(
        xlabel="first number of $w$",
        ylabel="second number of $w$",
        title="The mean by SGD ($m$ = 1) and mini-batches, $a_k$ = 1/$k$",
        aspect="equal",
        xlim=(-21.5, 12),
        ylim=(-12, 22),
    )
    left.legend(frameon=False, loc="upper right")
    right.set(
        xlabel="steps", ylabel="distance to the mean, root mean square", title=f"and their distance ({len(w)} runs; dashed: exact)"
    )
    right.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    right.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    right.minorticks_off()
    right.legend(frameon=False, loc="lower left")


def draw(runs, x, found):
    """The picture; returns one of its Axes."""
    figure = Figure((11.5, 8.4), layout="constrained")
    panels = figure.subplots(2, 2, height_ratios=(1, 1.25))
    draw_root(*panels[0], runs)
    draw_mean(*panels[1], x, found)
    for ax in panels.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return panels[0, 0]


def main():
    """Print the tables, write the figure."""
    chosen = options(__doc__)
    runs, repeats, episodes = (200, 20, 300) if chosen.quick else (2000, 200, 3000)
    print("1. w^3 - 5 = 0 from w = 0, noise N(0, 1): figure 6.3, with the noise that its curves give away\n")
    header = ["k", "the book", *(f"a_k = {name}" for name in STEPS)]
    table(header, [[f"{k}", f"{b:.2f}", *(f"{w:.2f}" if abs(w) < 1e4 else f"{w:.0e}" for w in ws)]
                   for k, b, *ws in zip(range(1, 9), PRINTED, *series().values())])  # fmt: skip
    found = many_runs(chosen.seed, runs)
    print(f"\n{runs:,} runs of 50 steps, noise of their own\n")
    table(["a_k", "still |w| < 10", "another program", "median distance of these to the root"], bounded_rows(found))

    print("\n2. The conditions of the theorem, looked at in numbers for w in [1, 3] (?: numbers cannot tell)\n")
    table(
        ["g, a_k", "(a) slope", "(b) sum a = inf", "(b) sum a^2 < inf", "(c) mean 0", "(c) variance"],
        list(condition_rows(chosen.seed)),
    )

    print(f"\n3. The mean of 100 points, from far away: root mean square distance after k steps, {repeats} runs (figure 6.5)\n")
    x, paths = descents(chosen.seed, repeats)
    table(["samples a step", "k = 0", "k = 1", "k = 10", "k = 30", "exact"], list(descent_rows(x, paths)))
    print("\nSGD, a = 0.03: how far the slope of one sample is from the slope of all\n")
    table(["distance", "relative error, median", "points the right way"], list(far_and_near(x, chosen.seed, repeats)))

    print(f"\n4. TD(0) as Robbins-Monro: a walk of 5 states, {episodes:,} episodes, root mean square error of v\n")
    table(["a_k", "at first", "after a tenth", "mean of the last tenth"], list(td_rows(chosen.seed, episodes)))

    print("\n5. The mean of +1 and -1 under p0 = (.5, .5), drawn by another coin (section 10.3)\n")
    table(["draws", "mean", "exact", "variance", "exact "], list(importance_rows(chosen.seed, 10_000)))
    print(f"\n{save(draw(found, x, paths), chosen.out / 'stochastic_approximation.png')}")


if __name__ == "__main__":
    main()
