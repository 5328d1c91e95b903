r"""Pictures of agents: what they value, what they do, where they went, how they learned. As in `minigrad.plot`, each
function draws on an Axes of matplotlib, makes a Figure if none is given, and returns the Axes.
"""

from itertools import cycle

import numpy as np
from matplotlib.patches import Circle

from minigrad.plot import BLUE, GREY, ORANGE, axes

from .envs.grid_world import MOVES

FREE, FORBIDDEN, TARGET = (1, 1, 1), (0.929, 0.694, 0.125), (0.301, 0.745, 0.933)  # Zhao's colours
GREEN, PURPLE = "#2f855a", "#6b46c1"

# ======================================================================== Grid worlds


def grid(env, ax=None):
    """The empty map of a `GridWorld`: forbidden cells yellow, targets light blue. Row 0 is at the top."""
    rows, columns = env.shape
    ax = axes(ax, 0.6 * columns + 0.4, 0.6 * rows + 0.4)
    colours = {".": FREE, "S": FREE, "#": FORBIDDEN, "G": TARGET}
    ax.imshow([[colours[letter] for letter in row] for row in env.cells], interpolation="nearest")
    ax.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color=GREY, linewidth=0.6)
    ax.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color=GREY, linewidth=0.6)
    ax.set(xlim=(-0.52, columns - 0.48), ylim=(rows - 0.48, -0.52))
    ax.set_axis_off()
    return ax


def grid_values(env, values, ax=None, *, digits=1, corner=False):
    """State values (S,) as numbers in the cells; corner: small, so that a policy has room on the same Axes."""
    ax = grid(env, ax)
    for (row, column), v in np.ndenumerate(np.round(np.reshape(values, env.shape), digits) + 0.0):  # no −0.0
        if corner:
            ax.text(column - 0.48, row - 0.45, f"{v:.{digits}f}", ha="left", va="top", fontsize=6)
        else:
            ax.text(column, row, f"{v:.{digits}f}", ha="center", va="center", fontsize=10)
    return ax


def grid_policy(env, policy, ax=None, *, colour=GREEN):
    """A policy (S, A): an arrow for each action, as long as it is probable; to stay is a circle, as wide as probable."""
    ax, policy = grid(env, ax), np.asarray(policy, float)
    if policy.shape != (env.cells.size, len(env.actions)):
        raise ValueError(f"grid_policy: policy must have shape (S, A) = {(env.cells.size, len(env.actions))}, not {policy.shape}")
    y, x = np.divmod(np.arange(env.cells.size), env.shape[1])  # (S,)
    for p, action in zip(policy.T, env.actions):  # p (S,)
        dy, dx = MOVES[action]
        some = p > 0
        if action == "stay":
            for column, row, radius in zip(x[some], y[some], 0.22 * p[some]):
                ax.add_patch(Circle((column, row), radius, fill=False, edgecolor=colour, linewidth=1.3, zorder=3))
        else:
            ax.quiver(
                x[some], y[some], 0.44 * dx * p[some], 0.44 * dy * p[some], color=colour, angles="xy", units="xy", scale_units="xy",
                scale=1, width=0.035, headwidth=4, headlength=4, headaxislength=3.6, minlength=0, zorder=3,
            )  # fmt: skip
    return ax


def grid_trajectory(env, states, ax=None, *, seed=0, colour=BLUE):
    """The states of an episode (T + 1,) in order, from the ring to the dot. Each visit is moved a little at random, so
    that a line that was walked twice shows twice.
    """
    ax = grid(env, ax)
    y, x = np.divmod(np.asarray(states), env.shape[1]) + np.random.default_rng(seed).uniform(-0.28, 0.28, (2, len(states)))
    ax.plot(x, y, color=colour, linewidth=0.8, alpha=0.7, zorder=3)
    ax.plot(x[0], y[0], "o", color=colour, markerfacecolor="white", markersize=6, zorder=4)
    ax.plot(x[-1], y[-1], "o", color=colour, markersize=6, zorder=4)
    return ax


# ======================================================================== Learning


def learning_curves(curves, ax=None, *, average=np.mean, ylabel="return", title=""):
    """How several runs of each method went on average, and how sure that average is.

    curves: {label: (steps (T,) in environment steps, scores (seeds, T))}
    average: a function of one score for each seed: np.mean, or `evaluate.interquartile_mean`
    The band holds 95 % of the averages of 300 bootstrap samples: as many seeds, drawn with replacement. With few seeds
    it is too narrow, and with a single one it has no width: that is no sign of certainty.
    """
    ax, rng = axes(ax), np.random.default_rng(0)
    for (label, (steps, scores)), colour in zip(curves.items(), cycle((BLUE, ORANGE, GREEN, PURPLE, GREY))):
        steps, scores = np.asarray(steps), np.asarray(scores, float)
        if scores.ndim != 2 or scores.shape[1:] != steps.shape:
            raise ValueError(f"learning_curves: {label!r}: scores must have shape (seeds, T), T = {steps.size}, not {scores.shape}")
        n = len(scores)
        averages = [np.apply_along_axis(average, 0, scores[rng.integers(n, size=n)]) for _ in range(300)]  # 300 of (T,)
        low, high = np.quantile(averages, [0.025, 0.975], axis=0)
        ax.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(steps, np.apply_along_axis(average, 0, scores), color=colour, label=f"{label} ({n} seed{'s' if n > 1 else ''})")
    ax.set(xlabel="environment steps", ylabel=ylabel, title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


# ======================================================================== Continuous states


def heat_map(values, x, y, ax=None, *, colours="viridis", limits=(None, None), label="", title=""):
    """values (Y, X) over a plane: x (X,) to the right, y (Y,) upwards, evenly spaced; `label` names the colour's meaning."""
    ax = axes(ax, 4.4, 3.6)
    image = ax.imshow(
        values, origin="lower", aspect="auto", cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest",
        extent=(x[0], x[-1], y[0], y[-1]),
    )  # fmt: skip
    ax.get_figure(root=True).colorbar(image, ax=ax, label=label)
    ax.set(title=title)
    return ax
