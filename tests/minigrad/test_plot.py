"""plot: everything draws on a figure without a window, and what is drawn is what was meant."""

import io
import sys

import numpy as np
import pytest

from minigrad import Tensor, plot


def leaf(*shape):
    return Tensor(np.ones(shape), requires_grad=True)


def render(ax):
    """Draw for real: wrong text or shapes show only then. The size of the PNG in bytes."""
    file = io.BytesIO()
    ax.figure.savefig(file, format="png")
    return file.tell()


# ---- images


def test_tile_puts_images_side_by_side_row_by_row_with_gaps_of_nan():
    images = np.arange(3 * 2 * 3).reshape(3, 2, 3)
    sheet = plot.tile(images, columns=2, height=2, gap=1)
    n = np.nan
    np.testing.assert_array_equal(sheet, [
        [n, n, n, n, n, n, n, n, n],
        [n, 0, 1, 2, n, 6, 7, 8, n],
        [n, 3, 4, 5, n, 9, 10, 11, n],
        [n, n, n, n, n, n, n, n, n],
        [n, 12, 13, 14, n, n, n, n, n],
        [n, 15, 16, 17, n, n, n, n, n],
        [n, n, n, n, n, n, n, n, n],
    ])  # fmt: skip
    assert sheet.dtype == np.float32


def test_tile_takes_flat_images_and_other_gaps():
    images = np.arange(12).reshape(2, 6)
    assert (plot.tile(images, 2, height=2, gap=0) == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]).all()
    assert plot.tile(images, 1, height=3, gap=2).shape == (2 * (3 + 2) + 2, 2 + 2 * 2)
    assert plot.tile(np.zeros((20, 784), np.uint8), 10).shape == (2 * 29 + 1, 10 * 29 + 1)


def test_image_grid_draws_0_white_and_1_black_and_touches_no_window():
    images = np.concatenate([np.zeros((1, 784), np.uint8), np.ones((1, 784), np.uint8)])
    ax = plot.image_grid(images, columns=2, title="two")
    drawn = ax.images[0]
    black_and_white = drawn.cmap(drawn.norm(np.array([0.0, 1.0])))[:, :3]
    assert black_and_white.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert ax.get_title() == "two" and render(ax) > 1000
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


HISTORY = [{"epoch": e, "train": 3.0 / e, "valid": 4.0 / e, "seconds": 1.0} for e in (1, 2, 3)]


def test_learning_curves_draw_both_losses():
    ax = plot.learning_curves(HISTORY, unit="bits", title="a run")
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines}
    assert lines["train"] == ([1, 2, 3], [3, 1.5, 1]) and lines["valid"] == ([1, 2, 3], [4, 2, 4 / 3])
    assert "bits" in ax.get_ylabel() and ax.get_title() == "a run" and render(ax) > 1000


@pytest.mark.parametrize("draw", [
    lambda ax: plot.image_grid(np.zeros((2, 784)), 2, ax=ax), lambda ax: plot.learning_curves(HISTORY, ax=ax),
    lambda ax: plot.draw_graph(leaf(2) * 2, ax=ax),
], ids=["image_grid", "learning_curves", "draw_graph"])  # fmt: skip
def test_a_given_axes_is_drawn_on_and_returned(draw):
    ax = plot.axes()
    assert draw(ax) is ax and len(ax.figure.axes) == 1 and render(ax) > 1000


# ---- the graph


def labels(ax):
    return sorted(text.get_text() for text in ax.texts if text.get_text())


def test_draw_graph_puts_one_box_per_node_and_one_arrow_per_input():
    x, w = leaf(2, 3), leaf(3)
    h = np.tanh(x @ w)
    y = (h * h + 1).sum()
    ax = plot.draw_graph(y, names={x: "x", w: "w"})
    assert labels(ax) == sorted([
        "x\n(2, 3)", "w\n(3,)", "matmul\n(2,)", "tanh\n(2,)", "multiply\n(2,)", "constant\n()", "add\n(2,)", "sum\n()",
    ])  # fmt: skip
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 2 + 1 + 2 + 2 + 1
    assert render(ax) > 1000


def test_draw_graph_goes_from_left_to_right_and_no_two_boxes_share_a_place():
    x = leaf(1)
    y = np.exp(x) + np.log(x) * x
    ax = plot.draw_graph(y)
    place = {text.get_text().split("\n")[0]: text.get_position() for text in ax.texts if text.get_text()}
    assert place["leaf"][0] < place["exp"][0] and place["leaf"][0] < place["log"][0] < place["multiply"][0] < place["add"][0]
    assert len(set(place.values())) == len(place) == 5


def test_draw_graph_tells_leaves_constants_and_operations_apart_by_colour():
    ax = plot.draw_graph(leaf(1) * Tensor(np.ones(1)))
    colours = {text.get_text().split("\n")[0]: text.get_bbox_patch().get_facecolor() for text in ax.texts if text.get_text()}
    assert set(colours) == {"leaf", "constant", "multiply"} and len(set(colours.values())) == 3


def test_draw_graph_of_a_leaf_is_one_box():
    assert labels(plot.draw_graph(leaf(2))) == ["leaf\n(2,)"]


def test_draw_graph_of_a_freed_graph_raises():
    y = (leaf(2) * 2).sum()
    plot.draw_graph(y)
    y.backward()
    with pytest.raises(RuntimeError, match="freed this graph: draw it before, or retain_graph=True"):
        plot.draw_graph(y)


def test_draw_graph_leaves_the_graph_as_it_was():
    x = leaf(2)
    y = (x * 2).sum()
    plot.draw_graph(y)
    y.backward()
    assert x.grad.tolist() == [2, 2]


# ---- files


def test_save_writes_a_png_in_a_new_folder_and_nothing_else(tmp_path):
    path = plot.save(plot.learning_curves(HISTORY), tmp_path / "new" / "curves.png")
    assert path.read_bytes().startswith(b"\x89PNG") and [f.name for f in path.parent.iterdir()] == ["curves.png"]


def test_a_save_that_fails_leaves_the_old_picture(tmp_path, monkeypatch):
    path = plot.save(plot.axes(), str(tmp_path / "a.png"))
    before = path.read_bytes()
    ax = plot.axes()

    def half(file, **_):
        file.write_bytes(b"half a picture")
        raise OSError("no space left on device")

    monkeypatch.setattr(ax.figure, "savefig", half)
    with pytest.raises(OSError):
        plot.save(ax, path)
    assert path.read_bytes() == before


def test_tile_takes_images_of_any_height():
    images = np.arange(3 * 2 * 4).reshape(3, 2, 4)
    sheet = plot.tile(images, columns=2, gap=1)
    assert sheet.shape == (2 * 3 + 1, 2 * 5 + 1)
    np.testing.assert_array_equal(sheet[1:3, 6:10], images[1])
    np.testing.assert_array_equal(sheet, plot.tile(images.reshape(3, 8), columns=2, height=2, gap=1))
