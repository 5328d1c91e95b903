"""Pictures of agents: what is drawn is what was meant."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle
from matplotlib.quiver import Quiver

from minigrad.plot import axes
from rl import plot
from rl.envs import GridWorld
from rl.evaluate import interquartile_mean
from rl.mdp import deterministic_policy, soften

ENV = GridWorld(".#\n.G")


def render(ax):
    """Draw for real: wrong text or shapes show only then. The size of the PNG in bytes."""
    file = io.BytesIO()
    ax.get_figure(root=True).savefig(file, format="png")
    return file.tell()


# ---- grid worlds


def test_cells_have_the_books_colours():
    image = plot.grid(ENV).images[0].get_array()
    expected = [[(1, 1, 1), (0.929, 0.694, 0.125)], [(1, 1, 1), (0.301, 0.745, 0.933)]]
    np.testing.assert_allclose(image, expected, atol=1e-6)


@pytest.mark.parametrize("corner", [False, True])
def test_values_stand_in_their_cells(corner):
    ax = plot.grid_values(ENV, [9, 10, -0.04, 8.25], corner=corner)
    where = {(round(t.get_position()[0]), round(t.get_position()[1])): t.get_text() for t in ax.texts}
    assert where == {(0, 0): "9.0", (1, 0): "10.0", (0, 1): "0.0", (1, 1): "8.2"}  # (column, row), no -0.0
    assert render(ax) > 500


def test_arrows_are_as_long_as_probable_and_staying_is_a_circle():
    policy = soften(deterministic_policy([2, 2, 1, 4], 5), 0.5)  # .6 for the action, .1 for each other
    ax = plot.grid_policy(ENV, policy)
    assert render(ax) > 500
    arrows = [c for c in ax.collections if isinstance(c, Quiver)]
    assert len(arrows) == 4  # up, right, down, left
    for (dx, dy), arrow, p in zip([(0, -1), (1, 0), (0, 1), (-1, 0)], arrows, policy.T):
        np.testing.assert_allclose(np.ravel(arrow.U), 0.44 * dx * p, atol=1e-12)
        np.testing.assert_allclose(np.ravel(arrow.V), 0.44 * dy * p, atol=1e-12)  # y points down, as rows do
        np.testing.assert_array_equal(arrow.XY, [[0, 0], [1, 0], [0, 1], [1, 1]])
    circles = {tuple(c.center): c.radius for c in ax.patches if isinstance(c, Circle)}
    np.testing.assert_allclose([circles[xy] for xy in [(0, 0), (1, 0), (0, 1), (1, 1)]], 0.22 * policy[:, 4])


def test_what_is_never_done_is_not_drawn():
    ax = plot.grid_policy(ENV, deterministic_policy([2, 2, 1, 4], 5))
    assert [len(c.XY) for c in ax.collections if isinstance(c, Quiver)] == [0, 1, 2, 0] and len(ax.patches) == 1
    assert render(ax) > 500


def test_arrows_follow_the_environments_order_of_actions():
    env = GridWorld(".G", ("left", "right"))
    arrows = [c for c in plot.grid_policy(env, [[0.25, 0.75], [1, 0]]).collections if isinstance(c, Quiver)]
    np.testing.assert_allclose(np.ravel(arrows[0].U), [-0.11, -0.44])
    np.testing.assert_allclose(np.ravel(arrows[1].U), [0.33])


def test_values_and_policy_share_an_axes():
    ax = axes()
    assert plot.grid_values(ENV, np.zeros(4), ax) is ax and plot.grid_policy(ENV, np.full((4, 5), 0.2), ax) is ax
    assert plot.grid_trajectory(ENV, [0, 2, 3], ax) is ax and len(ax.texts) == 4
    assert render(ax) > 500


def test_a_trajectory_stays_within_its_cells_and_repeated_visits_show():
    env, states = GridWorld(), [0, 0, 0, 1, 6, 6, 7, 12, 17, 17]
    x, y = plot.grid_trajectory(env, states).lines[0].get_data()
    np.testing.assert_array_equal(np.round(y) * 5 + np.round(x), states)
    assert len(set(zip(x, y))) == len(states) and np.abs(x - np.round(x)).max() < 0.3
    again = plot.grid_trajectory(env, states).lines[0].get_data()
    np.testing.assert_array_equal(again, [x, y])
    start, end = plot.grid_trajectory(env, states).lines[1:]
    assert (start.get_xdata()[0], end.get_xdata()[0]) == (x[0], x[-1]) and start.get_markerfacecolor() == "white"


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"policy must have shape \(S, A\) = \(4, 5\), not \(5, 4\)"):
        plot.grid_policy(ENV, np.full((5, 4), 0.25))
    with pytest.raises(ValueError):
        plot.grid_values(ENV, np.zeros(5))


# ---- learning curves


def test_learning_curves_show_the_mean_and_a_bootstrap_band():
    rng = np.random.default_rng(0)
    steps, scores = np.arange(0, 5000, 1000), rng.standard_normal((40, 5)) + np.arange(5)
    ax = plot.learning_curves({"ours": (steps, scores), "theirs": (steps, scores + 1)}, ylabel="return", title="t")
    assert render(ax) > 500
    ours, theirs = ax.lines
    np.testing.assert_array_equal(ours.get_xdata(), steps)
    np.testing.assert_allclose(ours.get_ydata(), scores.mean(axis=0))
    np.testing.assert_allclose(theirs.get_ydata(), scores.mean(axis=0) + 1)
    corners = ax.collections[0].get_paths()[0].vertices
    for t in range(5):
        band = corners[corners[:, 0] == steps[t], 1]
        error = 1.96 * scores[:, t].std() / np.sqrt(40)
        np.testing.assert_allclose([band.min(), band.max()], scores[:, t].mean() + [-error, error], atol=0.35 * error)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["ours (40 seeds)", "theirs (40 seeds)"]
    assert ax.get_xlabel() == "environment steps" and to_rgb(ours.get_color()) != to_rgb(theirs.get_color())


def test_learning_curves_of_the_interquartile_mean():
    scores = np.arange(8.0)[:, None] ** 2 * np.ones((1, 3))
    ax = plot.learning_curves({"a": ([1, 2, 3], scores)}, average=interquartile_mean)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.mean([4, 9, 16, 25]))


def test_a_single_seed_has_a_band_without_width():
    ax = plot.learning_curves({"a": ([1, 2], [[3.0, 4.0]])})
    assert set(ax.collections[0].get_paths()[0].vertices[:, 1]) == {3, 4}
    assert ax.get_legend().get_texts()[0].get_text() == "a (1 seed)"


def test_scores_of_a_wrong_shape():
    with pytest.raises(ValueError, match=r"'a': scores must have shape \(seeds, T\), T = 3, not \(3,\)"):
        plot.learning_curves({"a": ([1, 2, 3], [1, 2, 3])})
