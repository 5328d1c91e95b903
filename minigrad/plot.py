r"""Pictures: grids of images, learning curves, and the graph itself. Each function draws on an Axes of matplotlib, makes
a Figure if none is given, and returns the Axes. Nothing here opens a window: `save` writes a PNG.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#718096"


def axes(ax=None, width=6.0, height=4.0):
    """The given Axes, or those of a new Figure of that size in inches."""
    return ax if ax is not None else Figure((width, height), layout="constrained").add_subplot()


def save(ax, path, dpi=120):
    """Write the figure that holds these Axes as a PNG, making the folder if need be; returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")  # a viewer that refreshes never sees half a picture
    ax.get_figure(root=True).savefig(temporary, dpi=dpi, format="png")
    temporary.replace(path)
    return path


def tile(images, columns, height=28, gap=1):
    """Images (N, H·W), or (N, H, W), side by side in one array, `gap` pixels of NaN apart."""
    height = np.shape(images)[1] if np.ndim(images) == 3 else height
    images = np.reshape(images, (len(images), height, -1)).astype(np.float32)
    n, h, w = images.shape
    rows = -(-n // columns)
    cells = np.full((rows * columns, h + gap, w + gap), np.nan, np.float32)
    cells[:n, :h, :w] = images
    sheet = cells.reshape(rows, columns, h + gap, w + gap).swapaxes(1, 2).reshape(rows * (h + gap), columns * (w + gap))
    return np.pad(sheet, ((gap, 0), (gap, 0)), constant_values=np.nan)


def image_grid(images, columns=10, *, height=28, title="", ax=None):
    """Draw images with values in [0, 1], (N, H·W) or (N, H, W), as a grid: 0 is white, 1 is black."""
    sheet = tile(images, columns, height)
    ax = axes(ax, 6.0, 6.0 * sheet.shape[0] / sheet.shape[1] + 0.4)
    ax.imshow(np.nan_to_num(sheet, nan=0.12), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    ax.set_title(title, fontsize=10)
    return ax


def learning_curves(history, *, unit="nats", title="", ax=None):
    """Draw the training and validation loss of `training.fit`'s history over epochs."""
    ax = axes(ax)
    epochs = [h["epoch"] for h in history]
    ax.plot(epochs, [h["train"] for h in history], color=GREY, marker=".", label="train")
    ax.plot(epochs, [h["valid"] for h in history], color=BLUE, marker=".", label="valid")
    ax.set(xlabel="epoch", ylabel=f"negative log-likelihood ({unit})", title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


def draw_graph(output, names=None, ax=None):
    """Draw how a Tensor was made, from the leaves on the left to the output on the right.

    names: {Tensor: text} for those that deserve one. Blue: requires grad; grey: a constant; white: an operation.
    """
    nodes, depth = ancestors(output), {}
    for node in nodes:  # oldest first, so inputs come before what is made of them
        depth[node] = 1 + max((depth[x] for x in node.inputs), default=-1) if node.primitive else 0
    for node in reversed(nodes):  # leaves move right, next to their first use
        users = [depth[user] for user in nodes if user.primitive and any(x is node for x in user.inputs)]
        if not node.primitive and users:
            depth[node] = min(users) - 1
    columns = [[n for n in nodes if depth[n] == d] for d in range(max(depth.values()) + 1)]
    place = {n: (d, (len(column) - 1) / 2 - i) for d, column in enumerate(columns) for i, n in enumerate(column)}
    ax = axes(ax, 1.5 * len(columns) + 0.5, 0.9 * max(map(len, columns)) + 0.6)
    for node in nodes:
        for x in node.inputs if node.primitive else ():
            arrow = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 24, "shrinkB": 24, "linewidth": 1}
            ax.annotate("", xy=place[node], xytext=place[x], arrowprops=arrow)
        colour = "white" if node.primitive else "#bee3f8" if node.requires_grad else "#e2e8f0"
        label = node.primitive.__name__ if node.primitive else "leaf" if node.requires_grad else "constant"
        label = (names or {}).get(node, label)
        box = {"boxstyle": "round,pad=0.4", "facecolor": colour, "edgecolor": GREY}
        ax.text(*place[node], f"{label}\n{node.shape}", ha="center", va="center", fontsize=8, bbox=box)
    ax.set_xlim(-0.6, len(columns) - 0.4)
    ax.set_ylim(-max(map(len, columns)) / 2 - 0.1, max(map(len, columns)) / 2 + 0.1)
    ax.set_axis_off()
    return ax


def ancestors(output):
    """The output and all Tensors that it was made of, oldest first. RuntimeError if the graph was freed."""
    found, todo = {}, [output]
    while todo:
        node = todo.pop()
        if node.number not in found:
            found[node.number] = node
            if node.primitive and node.inputs is None:
                raise RuntimeError("draw_graph: a backward pass has freed this graph: draw it before, or retain_graph=True")
            todo += node.inputs if node.primitive else ()
    return [found[number] for number in sorted(found)]
