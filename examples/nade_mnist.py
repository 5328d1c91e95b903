r"""NADE on binarised MNIST: one model, three ways to compute it.

The question. NADE is D small networks that share their weights. Why does the way to loop make it 50 times faster or
slower, with the same numbers in the end?

The formula. With h_d = σ(c + Σ_{j<d} W_j x_j) and p(x_d = 1 | x_<d) = σ(b_d + V_d · h_d)  (Larochelle & Murray 2011):

    1. loop over d     keep a = c + Σ_{j<d} W_j x_j and add one row at a time: O(D H), written with 784 × 9 graph nodes
    2. cumsum          all sums at once, cumsum(x_d W_d) over d: also O(D H), no loop, but B × D × H numbers in memory
    3. Algorithm 1     the same loop in compiled code; a pixel that is off adds nothing, so σ is taken only after the
                       pixels that are on, and the backward pass walks back without having stored any h

The second is what tutorials call the vectorised form and praise. Its 10 million numbers for 25 images do not fit any cache,
so it waits for memory. `models/nade.py` is the third.

What to notice in the picture. Above, samples, and under each row of digits its conditionals p(x_d = 1 | x_<d): the model
draws a stroke's next row from the row above, so the left edge of a stroke is uncertain (grey) and its inside is not. Below, the
time of the three ways, on a logarithmic scale.

The common mistake. To take σ(a) for every d, though it changes only after a pixel that is on: on digits that is seven
times as many sigmoids. Or to store every h for the backward pass: 784 × 500 numbers an example.

    python -m examples.nade_mnist            about a minute and a half
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad import optim, plot, training
from minigrad.datasets import binarized_mnist
from minigrad.functional import bernoulli_nll, sigmoid
from models.nade import NADE

from .command import options, table


def loop_logits(model, x):
    """Way 1, in plain autograd: bits (B, D) -> Tensor (B, D)."""
    a, columns = model.c, [None] * model.dim
    for d in model.order:
        h = sigmoid(a)  # (B, H), at first (H,)
        columns[d] = np.broadcast_to(h @ model.V[d] + model.b[d], (len(x),))  # (B,)
        a = a + x[:, d, None] * model.W[d]  # (B, H)
    return np.stack(columns, axis=1)


def cumsum_logits(model, x):
    """Way 2, in plain autograd: bits (B, D) -> Tensor (B, D)."""
    order = model.order
    terms = x[:, order, None] * model.W[order]  # (B, D, H), in the model's order
    h = sigmoid(np.cumsum(terms, axis=1) - terms + model.c)  # the sum over j < d: without d's own term
    logits = (h * model.V[order]).sum(axis=2) + model.b[order]  # (B, D)
    return logits[:, np.argsort(order)]


WAYS = {"loop over d": loop_logits, "cumsum, B x D x H": cumsum_logits, "Algorithm 1, compiled": NADE.logits}


def time_ways(model, x):
    """Rows (way, NLL in nats, CPU ms forward, CPU ms forward and backward); the first call of each is not counted."""
    rows = []
    for name, logits in WAYS.items():
        seconds = []
        for _ in range(3):
            model.zero_grad()
            start = time.process_time()
            nll = bernoulli_nll(logits(model, x), x).sum(axis=1).mean()
            middle = time.process_time()
            nll.backward()
            seconds.append((middle - start, time.process_time() - start))
        forward, both = np.min(seconds[1:], axis=0) * 1000
        rows.append([name, f"{nll.item():.4f}", float(forward), float(both)])
    return rows


def draw(model, rows, batch, rng):
    """Samples with their conditionals above, the times below."""
    figure = Figure((9, 4.9), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(2.4, 1))
    samples = model.sample(28, rng)
    images = [part for row in np.split(samples, 2) for part in (row, model.conditionals(row))]
    plot.image_grid(np.concatenate(images), 14, title="samples (rows 1, 3) and their p(x_d = 1 | x_<d) (rows 2, 4)", ax=upper)
    names, times = [row[0] for row in rows], [row[3] for row in rows]
    lower.barh(names[::-1], times[::-1], color=plot.BLUE)
    for i, ms in enumerate(times[::-1]):
        lower.text(ms * 1.05, i, f"{ms:,.0f} ms", va="center", fontsize=9)
    lower.set(xscale="log", xlabel=f"CPU time, forward and backward, batch of {batch} (ms)", xlim=(min(times) / 2, max(times) * 3))
    lower.xaxis.set_major_formatter("{x:g}")
    lower.spines[["top", "right"]].set_visible(False)
    return upper


def main():
    """Train briefly, time the three ways on the trained model, draw."""
    chosen = options(__doc__)
    data, epochs, hidden, batch = binarized_mnist(), 4, 500, 25
    if chosen.quick:
        data, epochs, hidden = type(data)(data.train[:3000], data.valid[:500], data.test[:500]), 1, 100
    if chosen.debug:
        data, hidden, batch = type(data)(*(part[:2] for part in data)), 3, 2
    rng = np.random.default_rng(chosen.seed)
    model = NADE(784, hidden, rng=rng)
    model.start_from_means(data.train)
    optimizer = optim.SGD(model, lr=0.06, momentum=0.9, nesterov=True)
    schedule = optim.LinearLR(optimizer, epochs * -(-len(data.train) // 100))
    training.fit(
        model, data.train, data.valid, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=100, rng=rng
    )
    print(f"test: {model.evaluate(data.test).nll:.2f} nats after {epochs} epochs")
    x = data.test[:: len(data.test) // batch][:batch].astype(np.float32)
    rows = time_ways(model, x)
    print(f"{batch} test digits, {100 * x.mean():.1f} % of the pixels on, D = 784, H = {hidden}:")
    table(["way", "NLL (nats)", "forward (CPU ms)", "and backward"], rows)
    print(plot.save(draw(model, rows, batch, rng), chosen.out / "nade_mnist.png"))


if __name__ == "__main__":
    main()
