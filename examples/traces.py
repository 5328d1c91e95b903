r"""One reward, many lessons: n-step methods and eligibility traces, on a walk of 19 states and in mountain car.

The question. TD learns from one step at a time. When at last a reward comes, only the state right before it hears of it;
the next episode tells the state before that one. Monte Carlo tells all of them at once, and with the reward all the
chance that lay between. What is best lies in between: how does one get there, and at what cost?

The formula. Two ways, and the second is the first, for all n at once:

    G_{t:t+n} = r_{t+1} + γ r_{t+2} + … + γⁿ v̂(s_{t+n})                    n steps of reward, then a guess
    G_t^λ = (1 − λ) Σ λⁿ⁻¹ G_{t:t+n}                                       a mean of them; forward: it needs what will come

    z ← γλ z, then mark φ(s);   w ← w + α δ z                              backward: hand each error to the states before

`rl/n_step.py` has the first, `rl/traces.py` the others, with three ways to mark: accumulating, replacing, dutch. Only
the dutch trace makes forward and backward the same to the last digit ("true online"). `rl/sarsa.py` plays with them.

What to notice in the picture. Upper row: the walk, values after few episodes. n = 1 wants large steps and is never good;
n = 32 wants tiny ones; n = 4 beats both. λ gives the same picture: the best lies inside. Solid lines (true online) and
dashed ones (accumulating) part where α is large: there a state that is seen again before its trace has died out counts
twice, and the step overshoots; the dutch trace is a little better at its best, and forgives an α that is too large.
Lower left: the car. Where one-step Sarsa is after fifty episodes, n = 8 is after twenty and the trace after ten. Lower
right: the longer the memory, the faster the learning, up to about λ = 0.95; then it turns. A trace without end (λ = 1)
is Monte Carlo, and believes in every detour that it took.

The common mistake. z must start from 0 in each episode, decay by γλ (not by λ), and with tile coding α is divided by the
number of tilings. For n-step methods: near the end of an episode there are fewer than n steps left. If the world ended,
nothing follows; if a clock stopped it, v̂ follows after the k steps that there were, with γᵏ. And beyond n = 8 a large α
diverges: such rows say so.

"Another program" in the tables is a second implementation of the same experiments, not published. Each α is the best of a
grid, chosen on the seeds from 10,000 on (but for n = 16, which is there to diverge); the tables are made with others, from
`--seed` on.

    python -m examples.traces          about ten seconds; writes figures/traces.png
    python -m examples.traces --full   a minute: as many runs as the numbers beside ours are made of
"""


import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl.envs import MountainCar, RandomWalk
from rl.episodes import play_fast
from rl.features import TileCoding, rows
from rl.n_step import n_step_td
from rl.plot import GREEN, PURPLE
from rl.sarsa import learn_fast
from rl.traces import ACCUMULATING, DUTCH, lambda_return, td_lambda

from .command import mean_and_error, options, table

COLOURS = (GREY, GREEN, BLUE, ORANGE, PURPLE, "#d53f8c")
TRUE = np.arange(1, 20) / 10 - 1  # the values of the walk's 19 states
ALPHAS = np.arange(1, 21) / 20
PREDICTION = {  # a learner of the walk, with its n or λ
    "n-step TD": lambda w, table, record, n, alpha: n_step_td(w, table, record, n, alpha, 1.0),
    "off-line lambda-return": lambda w, table, record, lam, alpha: lambda_return(w, table, record, float(lam), alpha, 1.0),
    "accumulating TD(lambda)": lambda w, table, record, lam, a: td_lambda(w, table, record, ACCUMULATING, float(lam), a, 1.0),
    "true online TD(lambda)": lambda w, table, record, lam, a: td_lambda(w, table, record, DUTCH, float(lam), a, 1.0),
}
WALK = {  # method: (n or λ, α chosen, RMS of another program)
    "n-step TD": ((1, 0.8, 0.3453), (2, 0.6, 0.2771), (4, 0.4, 0.2642), (8, 0.25, 0.2768), (16, 0.15, 0.3118), (32, 0.1, 0.3640)),
    "off-line lambda-return": ((0, 0.8, 0.3664), (0.4, 0.75, 0.2917), (0.8, 0.4, 0.2635), (0.9, 0.25, 0.2848),
                               (0.95, 0.15, 0.3210), (1, 0.02, 0.4884)),
    "accumulating TD(lambda)": ((0, 0.8, 0.3454), (0.4, 0.7, 0.2732), (0.8, 0.3, 0.2628), (0.9, 0.2, 0.2904),
                                (0.95, 0.1, 0.3350), (1, 0.02, 0.5012)),
    "true online TD(lambda)": ((0, 0.8, 0.3454), (0.4, 0.75, 0.2734), (0.8, 0.4, 0.2550), (0.9, 0.25, 0.2770),
                               (0.95, 0.2, 0.3156), (1, 0.02, 0.4884)),
}  # fmt: skip
CAR = {  # method: (n or λ, 8 α chosen, mean steps of another program)
    "n_step": [(1, 1.3, "229.0 +- .5"), (2, 1.1, "226.8"), (4, 0.8, "221.8 +- .9"), (8, 0.5, "226.0 +- 2"), (16, 2.0, "diverges")],
    "replacing": [(0.0, 1.5, "229.7"), (0.68, 1.5, "204.3"), (0.84, 1.3, "194.1"), (0.92, 1.3, "181.5 +- 1.4"),
                  (0.96, 1.1, "176.8 +- 2.0"), (0.99, 0.9, "202")],
    "true_online": [(0.84, 0.9, "181.4"), (0.92, 0.7, "176.5 +- 1.9"), (0.96, 0.5, "189.0")],
}  # fmt: skip


# ======================================================================== 1. The walk


def walk_records(first, runs):
    """10 episodes of each seed. One record serves all methods, so they differ by nothing else."""
    return [play_fast(RandomWalk(19, 1), np.ones((21, 1)), 10, np.random.default_rng(first + i)) for i in range(runs)]


def walk_error(records, method, n_or_lam, alpha):
    """RMS error over the 19 states, mean over the 10 episodes, of each record (runs,); infinite where it diverges."""
    features, errors = rows(np.eye(21)), np.empty(len(records))
    for i, record in enumerate(records):
        try:
            history = PREDICTION[method](np.zeros(21), features, record, n_or_lam, alpha)  # (10, 21)
            with np.errstate(over="ignore"):  # on its way to infinity
                errors[i] = np.sqrt(np.mean((history[:, 1:20] - TRUE) ** 2, axis=1)).mean()
        except FloatingPointError:
            errors[i] = np.inf
    return errors


def walk_table(records):
    """Rows of the table: all methods at their best α."""
    return [[method, f"{x}", alpha, mean_and_error(walk_error(records, method, x, alpha), 4), f"{other:.4f}"]
            for method, cases in WALK.items() for x, alpha, other in cases]  # fmt: skip


def walk_curves(records, method):
    """{n or λ: mean error for each of ALPHAS}"""
    return {x: np.array([walk_error(records, method, x, alpha).mean() for alpha in ALPHAS]) for x, _, _ in WALK[method]}


# ======================================================================== 2. Mountain car


def car_runs(first, runs, episodes, method, x, share, limit=20_000):
    """Steps of each episode (runs, episodes), or None if a run diverges."""
    env, tiles = MountainCar(limit), TileCoding([-1.2, -0.07], [0.5, 0.07])
    memory = {"n": x} if method == "n_step" else {"lam": float(x)}
    settings = dict(method=method, alpha=share / tiles.tilings, epsilon=0.0, **memory)
    try:
        learned = [learn_fast(env, tiles, episodes, rng=np.random.default_rng(first + i), **settings) for i in range(runs)]
    except FloatingPointError:
        return None
    return np.array([run.lengths for run in learned])


def car_table(first, runs, episodes, limit):
    """Rows of the table, and {method: {n or λ: (runs, episodes)}}."""
    lines, lengths = [], {method: {} for method in CAR}
    for method, cases in CAR.items():
        for x, share, other in cases:
            steps = car_runs(first, runs, episodes, method, x, share, limit)
            ours = "diverges" if steps is None else mean_and_error(steps.mean(axis=1), 1)
            lines.append([method, f"{x}", f"{share}", ours, other])
            lengths[method][x] = steps
    return lines, lengths


# ======================================================================== The picture


def visible(errors, most=0.57):
    """Errors as they are drawn: none above `most`, where the legend stands."""
    return np.where(errors <= most, errors, np.nan)


def draw_walk(ax, curves, dashed, letter, title):
    """Error over α, a curve for each n or λ."""
    for (x, errors), colour in zip(curves.items(), COLOURS):
        ax.plot(ALPHAS, visible(errors), color=colour, linewidth=1.4, label=f"{letter} = {x}")
        if x in dashed:
            ax.plot(ALPHAS, visible(dashed[x]), "--", color=colour, linewidth=1)
    ax.set(xlabel="$\\alpha$", ylabel="RMS error, first 10 episodes", title=title, ylim=(0.24, 0.62), xlim=(0, 1))
    ax.legend(frameon=False, ncols=6, loc="upper center", fontsize=9, handlelength=0.9, columnspacing=0.9, handletextpad=0.4)


def draw_car(left, right, lengths):
    """Learning curves; the mean over the first episodes for each λ."""
    shown = ("n_step", 1, "Sarsa", GREY), ("n_step", 8, "n = 8", BLUE), ("replacing", 0.96, "$\\lambda$ = 0.96, replacing", ORANGE)
    for method, x, name, colour in shown:
        if (steps := lengths[method][x]) is not None:
            left.loglog(np.arange(1, steps.shape[1] + 1), np.median(steps, axis=0), color=colour, linewidth=1.4, label=name)
    left.set(xlabel="episode", ylabel="steps to the goal, median", title="Mountain car: Sarsa with a memory")
    left.set_yticks([100, 200, 500, 1000, 2000], ["100", "200", "500", "1,000", "2,000"])
    left.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    left.minorticks_off()
    for method, colour in (("replacing", ORANGE), ("true_online", PURPLE)):
        runs = {x: steps.mean(axis=1) for x, steps in lengths[method].items() if steps is not None}
        means, errors = [m.mean() for m in runs.values()], [m.std(ddof=1) / np.sqrt(len(m)) for m in runs.values()]
        right.errorbar(list(runs), means, errors, fmt="o-", color=colour, markersize=4, capsize=3, label=method.replace("_", " "))
    right.set(xlabel="$\\lambda$", ylabel="steps of an episode, first 50", title="Sarsa($\\lambda$), each at its best $\\alpha$")
    for ax in (left, right):
        ax.legend(frameon=False)


def draw(curves, lengths):
    """The picture; returns one of its Axes."""
    figure = Figure((11, 7.4), layout="constrained")
    axes = figure.subplots(2, 2)
    draw_walk(axes[0, 0], curves["n-step TD"], {}, "n", "Walk of 19 states: n-step TD")
    draw_walk(axes[0, 1], curves["true online TD(lambda)"], curves["accumulating TD(lambda)"], "$\\lambda$",
              "TD($\\lambda$): true online (solid), accumulating (dashed)")  # fmt: skip
    draw_car(*axes[1], lengths)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return axes[0, 0]


def main():
    """Print the tables, write the figure."""
    chosen = options(__doc__, full="as many runs as the numbers beside ours are made of")
    full = chosen.full
    runs, drawn, cars, episodes, limit = 300, 40, 10, 50, 20_000
    if full:
        runs, cars = 4000, 100
    if chosen.quick:
        runs, drawn, cars = 40, 8, 3
    if chosen.debug:
        runs, drawn, cars, episodes, limit = 2, 1, 2, 2, 150
    if chosen.quick:
        print("--quick: fewer runs than the numbers beside ours are made of\n")
    print(f"1. Walk of 19 states: RMS error over the states, mean over the first 10 episodes, {runs} runs\n")
    records = walk_records(chosen.seed, runs)
    table(["method", "n or lambda", "alpha", "ours", "another program"], walk_table(records))

    print(f"\n2. Mountain car, Sarsa, 8 tilings: steps of an episode, mean over the first {episodes}, {cars} runs\n")
    lines, lengths = car_table(chosen.seed, cars, episodes, limit)
    table(["method", "n or lambda", "8 alpha", "ours", "another program"], lines)
    if full:
        late = car_runs(chosen.seed, cars, 500, "n_step", 8, 0.3)
        print(f"\nn = 8, 8 alpha = 0.3: first 50 {mean_and_error(late[:, :50].mean(axis=1), 1)} (another program 238.2), "
              f"episodes 401 to 500 {mean_and_error(late[:, 400:].mean(axis=1), 1)} (109.2 +- .7)")  # fmt: skip
    curves = {method: walk_curves(records[:drawn], method) for method in WALK if "off-line" not in method}
    print(f"\nfigure: {save(draw(curves, lengths), chosen.out / 'traces.png')}")


if __name__ == "__main__":
    main()
