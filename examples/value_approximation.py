r"""Values for more states than a table can hold: what features can express, what learning makes of it, when it diverges.

The question. A table has a number for each state. What if there are too many states, or infinitely many, as where a car
has a position and a speed? Write v̂(s) = φ(s)ᵀ w, with a few features φ(s) of the state: now F weights hold all values,
and what is learned in one state changes the values of its neighbours, rightly or wrongly.

The formula. One update does it all. Move v̂(s) a little towards a target:

    w ← w + α (target − φ(s)ᵀ w) φ(s)

    gradient Monte Carlo   target = g                         the return that followed
    TD-Linear              target = r + γ φ(s')ᵀ w            the reward, and the next value as w has it now
    Sarsa, Q-learning      target = r + γ q̂(s', a'), r + γ max_a q̂(s', a)

Monte Carlo descends the error itself. TD does not: it comes to rest where b = A w, with A = Φᵀ D (I − γP) Φ and b = Φᵀ D r
(D: how often each state is visited). This point costs some accuracy, at most a factor 1/(1 − γ), and needs no waiting for
the end. Read `rl/features.py` (with tile coding drawn and explained), `rl/linear_value.py`, `rl/linear_control.py`.

What to notice in the picture. Upper left: the 5 × 5 world. Each curve comes down towards its own dashed line, the fixed
point: more features, a lower line, and a longer way, which 500 episodes do not end. Upper right: a walk of 1,000
states. Ten weights make a staircase; TD's lies nearer to 0 at both ends, the price of its fixed point; six cosines make
a curve. Lower left: the car that must first drive away from its goal. It never takes a random action (ε = 0): weights
of zero promise more than any step gives, so all is tried. The map is what 648 weights an action then know: most steps
are left at rest in the valley, fewest with speed near the goal. The dark corners are not good, only never visited:
their weights are still 0. Lower right: Baird's star. Every value is 0, and w = 0 says so exactly, yet TD's weights grow
without end, as the states are not updated as often as the policy visits them. TDC, with a second vector of weights,
does not diverge.

The common mistake. A clock that stops the episode is not the end of the world. Whoever learns target = r there (`done` in
the place of `terminated`) teaches that the future is worth nothing. Table 1 ends with that mistake made on purpose, with
episodes of 20 steps: the same samples, and an error eight times as large.

"Another program" in the tables is a second implementation of the same experiments, not published.

    python -m examples.value_approximation   about fifteen seconds; writes figures/value_approximation.png
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import linear_value as lv
from rl.envs import GridWorld, RandomWalk
from rl.envs.mountain_car import MountainCar
from rl.episodes import play_fast
from rl.features import TileCoding, aggregation, fourier, polynomial, rows
from rl.linear_control import learn_fast
from rl.mdp import state_values, uniform_policy
from rl.plot import GREEN

from .command import mean_and_error, options, table

GAMMA = 0.9
COLOURS = (BLUE, ORANGE, GREEN, "#63b3ed", "#f6ad55", "#68d391")


def rms(error):
    """Root of the mean square along the last axis."""
    return np.sqrt(np.mean(error**2, axis=-1))


# ======================================================================== 1. The 5 × 5 world


def grid_features():
    """{name: (Φ, the book's RMSE after 500 episodes, read off its figures 8.7 and 8.8)}"""
    env = GridWorld()
    book = {1: 0.225, 2: 0.196, 3: 0.135}, {1: 0.211, 2: 0.144, 3: 0.109}
    features = {f"polynomial, order {k}": (polynomial(k)(env.coordinates(-1, 1)), x) for k, x in book[0].items()}
    return features | {f"Fourier, order {k}": (fourier(k)(env.coordinates(0, 1)), x) for k, x in book[1].items()}


def grid_runs(first, seeds, episodes, steps):
    """TD-Linear, uniform policy: {name: (RMSE after each episode (seeds, episodes), RMSE of w*)}, and the table's rows."""
    env = GridWorld(max_episode_steps=steps)
    mdp = env.mdp()
    policy = uniform_policy(mdp)
    v, d, curves, lines = state_values(mdp, policy, GAMMA), np.full(25, 1 / 25), {}, []  # d: s leads to s' as often as s' to s
    for name, (Phi, book) in grid_features().items():
        runs = np.empty((seeds, episodes))
        for i in range(seeds):
            rng = np.random.default_rng(first + i)
            w = rng.standard_normal(Phi.shape[1])
            history = lv.td(w, rows(Phi), play_fast(env, policy, episodes, rng), 0.0005, GAMMA)  # (episodes, F)
            runs[i] = rms(history @ Phi.T - v)
        best, point = (rms(Phi @ w - v) for w in (lv.least_squares(Phi, v, d), lv.td_fixed_point(mdp, policy, GAMMA, Phi)))
        curves[name] = runs, point
        lines.append([name, f"{Phi.shape[1]}", f"{best:.4f}", f"{point:.4f}", mean_and_error(runs[:, -1], 4), f"{book:.3f}"])
    return curves, lines


def clock_mistake(episodes, seed):
    """RMSE of TD-Linear with ten features and episodes of 20 steps, told rightly of the clock, and wrongly."""
    env = GridWorld(max_episode_steps=20)
    policy, Phi = uniform_policy(env.mdp()), polynomial(3)(env.coordinates(-1, 1))
    experience = play_fast(env, policy, episodes, np.random.default_rng(seed))
    wrong = experience._replace(terminated=experience.truncated, truncated=experience.terminated)
    errors = []
    for record in (experience, wrong):
        w = np.zeros(10)
        lv.td(w, rows(Phi), record, 0.0005, GAMMA)
        errors.append(rms(Phi @ w - state_values(env.mdp(), policy, GAMMA)))
    return errors


# ======================================================================== 2. The walk of 1,000 states


WALKS = [  # Sutton & Barto's figure 9.5: features, order, α, and the RMSE ± standard error of 30 runs of another program
    (fourier, 5, 5e-5, "0.0537 +- .004"), (polynomial, 5, 1e-4, "0.159 +- .005"),
    (fourier, 20, 5e-5, "0.0619 +- .004"), (polynomial, 20, 1e-4, "0.140 +- .005"),
]  # fmt: skip


def walk_runs(first, runs, episodes, long):
    """The rows of the table, and {name: values of the states 1 to 1,000} to draw."""
    env = RandomWalk()
    mdp = env.mdp()
    policy, x = uniform_policy(mdp), np.arange(1002) / 1000
    v, d = state_values(mdp, policy, 1.0), lv.on_policy_distribution(mdp, policy, env.start)
    groups = aggregation(1000, 10)(np.clip(np.arange(1002) - 1, 0, 999))
    inner, lines = slice(1, 1001), []
    w = np.zeros(10)
    for part in range(10):  # one tenth at a time: the record of all would fill the memory
        lv.gradient_monte_carlo(w, rows(groups), play_fast(env, policy, long // 10, np.random.default_rng(first + part)), 2e-5, 1.0)
    td, best = lv.td_fixed_point(mdp, policy, 1.0, groups, d), lv.least_squares(groups, v, d)
    drawn = {"true": v[inner], "10 groups, Monte Carlo": (groups @ w)[inner], "10 groups, TD's fixed point": (groups @ td)[inner]}
    for name, weights, other in (("10 groups, best", best, "0.0541"), ("10 groups, TD's fixed point", td, "0.1325"),
                                     (f"10 groups, Monte Carlo, {long:,} episodes", w, "")):  # fmt: skip
        lines.append([name, f"{rms((groups @ weights - v)[inner]):.4f}", other])
    for make, order, alpha, other in WALKS:
        Phi, final = make(order)(x), []
        for seed in range(first, first + runs):
            w = np.zeros(Phi.shape[1])
            lv.gradient_monte_carlo(w, rows(Phi), play_fast(env, policy, episodes, np.random.default_rng(seed)), alpha, 1.0)
            final.append(rms((Phi @ w - v)[inner]))
        name = f"{make.__name__}, order {order}, Monte Carlo"
        lines.append([name, mean_and_error(final, 4), other])
        if (make, order) == (fourier, 5):
            drawn["6 cosines, Monte Carlo"] = (Phi @ w)[inner]
    return lines, drawn


# ======================================================================== 3. Mountain car


def car_runs(first, runs, episodes, limit=20_000):
    """Rows of the table, {8 α: median length of each episode}, and the steps to go over position and speed (40, 40)."""
    env, tiles = MountainCar(limit), TileCoding([-1.2, -0.07], [0.5, 0.07])
    lines, curves, others = [], {}, {0.1: (3583, "137.6 +- .4"), 0.2: (2540, "126.7 +- .5"), 0.5: (1495, "118.6 +- .5")}
    for share, (start, late) in others.items():
        lengths, began = [], time.process_time()
        for seed in range(first, first + runs):
            learned = learn_fast(env, tiles, episodes, alpha=share / tiles.tilings, epsilon=0.0, rng=np.random.default_rng(seed))
            lengths.append(learned.lengths)
        lengths = np.array(lengths)  # (runs, episodes)
        speed = lengths.sum() / (time.process_time() - began) / 1e6
        curves[share] = np.median(lengths, axis=0)
        ours = mean_and_error(lengths[:, 0], 1), mean_and_error(lengths[:, -100:].mean(axis=1), 1)
        lines.append([f"{share}", ours[0], f"{start}", ours[1], late, f"{speed:.1f}"])
    x, speeds = np.linspace(-1.2, 0.5, 40), np.linspace(-0.07, 0.07, 40)
    points = np.stack(np.meshgrid(x, speeds), axis=-1).reshape(-1, 2)
    to_go = -(tiles(points) @ learned.W.T).max(axis=1).reshape(40, 40)
    return lines, curves, to_go


# ======================================================================== 4. Baird's star


def star_runs(sweeps):
    """{method: (w before and after each sweep, its √VE at the end, its √PBE at the end)}"""
    mdp, policy, Phi = lv.baird_star()
    d, start = np.full(7, 1 / 7), np.array([1.0] * 6 + [10.0, 1.0])
    A, b = lv.td_system(mdp, policy, 0.99, Phi, d)
    histories = {
        "TD": lv.expected_updates(A, b, start, 0.01, sweeps),
        "residual gradient": lv.expected_updates(*lv.residual_system(mdp, policy, 0.99, Phi, d), start, 0.01, sweeps),
        "TDC": lv.tdc(A, b, Phi.T * d @ Phi, start, 0.005, 0.05, sweeps),
    }
    errors = {name: np.sqrt(lv.errors(mdp, policy, 0.99, Phi, h[-1], d)) for name, h in histories.items()}
    return {name: (h, errors[name]) for name, h in histories.items()}


# ======================================================================== The picture


def draw_grid(ax, curves):
    """RMSE over episodes, the mean of the seeds; dashed: where each curve would end, were its steps small enough."""
    for (name, (runs, point)), colour in zip(curves.items(), COLOURS):
        ax.semilogy(np.arange(1, runs.shape[1] + 1), runs.mean(axis=0), color=colour, label=name, linewidth=1.2)
        ax.axhline(point, color=colour, linestyle="--", linewidth=0.7)
    ax.set(xlabel="episode of 500 steps", ylabel="RMSE over 25 states", title="5 x 5 world: TD-Linear", ylim=(0.08, 4))
    ax.set_yticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    ax.minorticks_off()
    ax.legend(frameon=False, ncols=2)


def draw_walk(ax, drawn):
    """True values, two staircases, one curve."""
    for (name, values), colour in zip(drawn.items(), (GREY, BLUE, ORANGE, GREEN)):
        ax.plot(np.arange(1, 1001), values, color=colour, label=name, linewidth=2.5 if name == "true" else 1.2)
    ax.set(xlabel="state", ylabel="value", title="Walk of 1,000 states")
    ax.legend(frameon=False)


def draw_car(left, right, curves, to_go):
    """Learning curves, and what is left to go."""
    for (share, length), colour in zip(curves.items(), (GREY, BLUE, ORANGE)):
        left.loglog(np.arange(1, length.size + 1), length, color=colour, label=f"$8\\alpha$ = {share}", linewidth=1.2)
    left.set(xlabel="episode", ylabel="steps to the goal, median", title="Mountain car: Sarsa", ylim=(90, 6000))
    left.set_yticks([100, 200, 500, 1000, 2000, 5000], ["100", "200", "500", "1,000", "2,000", "5,000"])
    left.set_xticks([1, 10, 100], ["1", "10", "100"])
    left.minorticks_off()
    left.legend(frameon=False, handlelength=1)
    image = right.imshow(to_go, origin="lower", aspect="auto", extent=(-1.2, 0.5, -0.07, 0.07), cmap="viridis")
    right.figure.colorbar(image, ax=right, label="steps to go, as learned")
    right.set(xlabel="position", ylabel="speed (per step)", title="and what it knows")


def draw_star(ax, runs):
    """Three of the eight weights: with TD they run away, with TDC they stay."""
    for name, style in (("TD", "-"), ("TDC", "--")):
        for i, label, colour in ((0, "$w_1, \\ldots, w_6$", BLUE), (6, "$w_7$", GREY), (7, "$w_8$", ORANGE)):
            ax.plot(runs[name][0][:, i], style, color=colour, label=f"{name}: {label}", linewidth=1.2)
    ax.set(xlabel="sweep over the 7 states", ylabel="weight", title="Baird's star: TD diverges, TDC does not")
    ax.legend(frameon=False, ncols=2)


def draw(curves, drawn, car, star):
    """The picture; returns one of its Axes."""
    figure = Figure((12, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    first, second, fourth = (figure.add_subplot(grid[i]) for i in ((0, 0), (0, 1), (1, 1)))
    third = [figure.add_subplot(cell) for cell in grid[1, 0].subgridspec(1, 2, width_ratios=(1, 1.15))]
    draw_grid(first, curves)
    draw_walk(second, drawn)
    draw_car(*third, *car)
    draw_star(fourth, star)
    for ax in (first, second, third[0], fourth):
        ax.spines[["top", "right"]].set_visible(False)
    return first


def main():
    """Print the tables, write the figure."""
    chosen = options(__doc__)
    seeds, episodes, steps, runs, long, cars = 5, 500, 500, 10, 100_000, 30
    if chosen.quick:
        seeds, episodes, runs, long, cars = 2, 200, 2, 10_000, 3
    if chosen.debug:
        episodes, steps, long = 3, 20, 10
    if chosen.quick:
        print("--quick: fewer runs and episodes than the numbers beside ours are made of\n")
    print("1. The 5 x 5 world, uniform policy: RMSE over the states; TD-Linear after the last episode, mean +- standard error\n")
    curves, lines = grid_runs(chosen.seed, seeds, episodes, steps)
    table(["features", "weights", "best fit", "TD fixed point", "TD-Linear", "Zhao's figure"], lines)
    right, wrong = clock_mistake(episodes * 25, chosen.seed)
    print(f"\nepisodes of 20 steps, order 3: {right:.3f}; the clock taken for the end: {wrong:.3f}")

    print("\n2. A walk of 1,000 states: RMSE over the states\n")
    lines, drawn = walk_runs(chosen.seed, runs, min(5000, long), long)
    table(["features and method", "ours", "another program"], lines)

    print("\n3. Mountain car, Sarsa, 8 tilings of 8 x 8 tiles: steps of an episode\n")
    lines, *car = car_runs(chosen.seed, cars, min(500, episodes), 300 if chosen.debug else 20_000)
    table(["8 alpha", "first episode", "another program", "last 100 episodes", "another program", "million steps/s"], lines)

    print("\n4. Baird's star after 1,000 sweeps: root of VE, of PBE\n")
    star = star_runs(1000)
    other = {"TD": "581.355", "residual gradient": "1.9350", "TDC": "1.9355"}
    table(["method", "VE", "another program", "PBE"], [[k, f"{e[0]:.4f}", other[k], f"{e[2]:.5f}"] for k, (_, e) in star.items()])
    print(f"\n{save(draw(curves, drawn, car, star), chosen.out / 'value_approximation.png')}")


if __name__ == "__main__":
    main()
