r"""Staircases: half of a MADE is zeros, and need not be multiplied.

The question. A MADE is an ordinary network whose weights are multiplied by masks of zeros and ones. Half of them are zeros.
Must a computer multiply by them?

The formula. Nothing in MADE says which hidden unit has which degree. Number them by degree, m_1 ≤ m_2 ≤ ...; then in

    M_jk = 1[m_k ≥ m_j]   (input to hidden)          M_kd = 1[m_d > m_k]   (hidden to output)

the ones lie on one side of a staircase. Cut the output mask into 10 blocks of columns; of each, only the rows above its step
are multiplied, (1 + 1/10) / 2 = 55 % of all. And the input is bits: of its layer only those rows of W are added whose pixel
is on, about one in eight, and each only from its step on. `models/made_staircase.py` is the source beside this page.

What to notice in the picture. Left, the mask as the degrees were drawn: noise. Middle, the same mask with the units sorted,
and the blocks: what lies outside of them is never touched. Right, what that gains in CPU time, for a step and for samples,
which the page draws in the same spirit: a hidden unit passes its number on once, when it is final.

The common mistake. To speed up the formula, instead of adding a second page that is tested equal to it. `made.py` still says
x @ (W * M), and whoever reads it need not know this page.

    python -m examples.staircases            ten seconds; figures/staircases.png
"""

import time

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minigrad import plot
from minigrad.datasets import binarized_mnist
from models.autoregressive import bernoulli_log_prob
from models.binary_input import bits_matmul
from models.made import MADE, masks
from models.made_staircase import staircase_draw

from .command import options, table


def unsorted_mask(model, rng):
    """The output mask of the same model, its units numbered as they came."""
    m_in, m_hidden = model.components[0].degrees
    return masks([m_in, rng.permutation(m_hidden)])[1]


def jobs(model, x, u):
    """Name -> (the readable page's way, the fast twin's): log p and its gradients, samples, and the input's product alone."""
    x = model.bits(x)

    def readable():
        model.zero_grad()
        (-bernoulli_log_prob(model.logits(x), x=x).mean()).backward()

    def twin():
        model.zero_grad()
        model.nll(x).backward()

    return {
        f"log p and its gradient, {len(x)} images": (readable, twin),
        f"{len(u)} samples": (lambda: model.sample_component(u, 0), lambda: staircase_draw(model, u, 0)),
        f"x W alone, {len(x)} images": (lambda: x @ model.W[0].data, lambda: bits_matmul(model.W[0].data, x=x)),
    }


def race(ways, rounds):
    """Median CPU milliseconds of each way; they take turns, and the first turn warms up."""
    times = [[] for _ in ways]
    for turn in range(rounds + 1):
        for spent, way in zip(times, ways):
            began = time.process_time()
            way()
            spent += [1e3 * (time.process_time() - began)] * (turn > 0)
    return [float(np.median(spent)) for spent in times]


def draw(model, noise, rows):
    """The mask before and after sorting, with the blocks, and the CPU times; returns one of the Axes."""
    figure = Figure((11, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
    M, blocks = model.components[0].masks[1], model.components[0].steps[1].columns
    for ax, mask, title in ((left, noise, "output mask, units as they came"), (middle, M, f"units sorted by degree, {len(blocks)} blocks")):
        ax.imshow(mask, cmap="Greys", vmin=0, vmax=2, aspect="auto", interpolation="nearest")
        ax.set(title=title, xlabel="output (pixel)", ylabel="hidden unit")
    for r, c in blocks:
        corner = c.start - 0.5, r.start - 0.5
        middle.add_patch(Rectangle(corner, c.stop - c.start, r.stop - r.start, fill=False, edgecolor=plot.BLUE, linewidth=1.5))
    y = np.arange(len(rows))
    right.barh(y - 0.2, [row[1] for row in rows], 0.38, color=plot.ORANGE, label="made.py, as it reads")
    right.barh(y + 0.2, [row[2] for row in rows], 0.38, color=plot.BLUE, label="made_staircase.py, binary_input.py")
    for k, (_, slow, fast, _) in enumerate(rows):
        right.text(slow * 1.05, k - 0.2, f"{slow:.1f}", va="center")
        right.text(fast * 1.05, k + 0.2, f"{fast:.1f}", va="center")
    right.set(title="CPU time", xlabel="milliseconds", xscale="log", yticks=y, ylim=(len(rows) - 0.4, -0.9))
    right.set_yticklabels([row[0].replace(", ", ",\n") for row in rows])
    right.set_xlim(0.1, max(row[1] for row in rows) * 3)
    right.spines[["top", "right"]].set_visible(False)
    right.legend(loc="upper right", frameon=False, fontsize=8)
    return left


def main():
    """Measure, print the table, draw."""
    chosen = options(__doc__)
    rng = np.random.default_rng(chosen.seed)
    hidden, n = (20, 4) if chosen.debug else (500, 128)
    model = MADE(784, (hidden,), rng=rng)
    x = binarized_mnist().train
    model.start_from_means(x)
    rows = []
    for name, ways in jobs(model, x[:n], rng.random((n, 784))).items():
        slow, fast = race(ways, 3 if chosen.quick else 15)
        rows.append([name, slow, fast, slow / fast])
    table(["job", "as it reads (ms)", "fast twin (ms)", "times faster"], rows)
    kept = sum((r.stop - r.start) * (c.stop - c.start) for r, c in model.components[0].steps[1].columns)
    print(f"{100 * kept / (hidden * 784):.0f} % of the output layer's multiplications are left, "
          f"{100 * x[:n].mean():.0f} % of the pixels are on")  # fmt: skip
    print(plot.save(draw(model, unsorted_mask(model, rng), rows), chosen.out / "staircases.png"))


if __name__ == "__main__":
    main()
