r"""MADE on binarised MNIST: digits that sharpen while you watch.

The question. How does one pass of an ordinary network give all 784 conditionals p(x_d | x_<d) at once?

The formula. Number the pixels row by row. Give every hidden unit k a degree m_k, the number of pixels that it may see, and
keep a connection only where it cannot look ahead (Germain et al. 2015, equations 12 and 13):

    h = relu(x (W ∘ M) + c),   M_jk = 1[m_k ≥ j]          logits = h (V ∘ M) + x (A ∘ M) + b,   M_kd = 1[d > m_k]

    log p(x) = Σ_d x_d log σ(logit_d) + (1 − x_d) log(1 − σ(logit_d))

Training maximises the mean of log p(x) over the digits. There is nothing else to it: no labels, no noise, no second
network. `models/made.py` is the source to read beside this page.

What to notice in the picture. The samples of every epoch are drawn with the same 784 random numbers an image, so an image
changes only because the model does. Before training each pixel is drawn nearly by itself, from about its mean over the data. Then
strokes appear (neighbouring pixels agree), then loops close, and only at the end whole digits: the last tenth of a nat a
pixel is where the digits are. The curve counts nats for a whole image: 543 for a fair coin at each pixel, 206 for
independent pixels, and each nat less is a factor e in the probability of an unseen digit.

The common mistake. One ≥ in the place of > in the output mask lets each pixel see itself. The loss then falls towards 0,
far below anything ever published, and the samples are noise. A loss that is too good is a bug: the sum of p over all
images is no longer 1 (`tests/models/test_autoregressive.py` sums it).

    python -m examples.made_mnist            one to three minutes; figures/made_mnist.png is redrawn after each epoch
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad import optim, plot, training
from minigrad.datasets import binarized_mnist
from models.made import MADE

from .command import frame, options, save_gif, table


def draw(samples, real, history):
    """Samples and real digits on the left, the learning curve on the right; returns one of the Axes."""
    figure = Figure((9, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1))
    epoch = len(history)
    title = f"samples after epoch {epoch}" if epoch else "samples before training: nearly independent pixels"
    plot.image_grid(np.concatenate([samples, real]), 10, title=f"{title};  last row: real digits", ax=left)
    if history:
        plot.learning_curves(history, title=f"valid {history[-1]['valid']:.1f} nats per image", ax=right)
    else:
        right.set(xlabel="epoch", ylabel="negative log-likelihood (nats)", xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    return left


def main():
    """Train, redraw after each epoch, print the table."""
    began, chosen = time.perf_counter(), options(__doc__)
    data = binarized_mnist()
    epochs, hidden = 10, 500
    if chosen.quick:
        data, epochs = type(data)(data.train[:5000], data.valid[:1000], data.test[:1000]), 2
    if chosen.debug:
        data, hidden = type(data)(*(part[:20] for part in data)), 20
    rng = np.random.default_rng(chosen.seed)
    model = MADE(784, (hidden,), rng=rng, direct=True)
    model.start_from_means(data.train)
    optimizer = optim.SGD(model, lr=0.1, momentum=0.9, nesterov=True)
    schedule = optim.LinearLR(optimizer, epochs * -(-len(data.train) // 100))
    picture, frames = chosen.out / "made_mnist.png", []

    def redraw(history):
        samples = model.sample(90, np.random.default_rng(chosen.seed))  # the same random numbers each time
        ax = draw(samples, data.valid[:10], history)
        plot.save(ax, picture)
        frames.append(frame(ax))
        if not history:
            print(f"{picture}: first drawn after {time.perf_counter() - began:.1f} s, redrawn after each epoch")

    redraw([])
    history = training.fit(
        model, data.train, data.valid, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=100, rng=rng,
        on_epoch=redraw,
    )  # fmt: skip
    rows = []
    for name, part in zip(data._fields, data):
        nll, interval, bits = model.evaluate(part)
        rows.append([name, nll, interval, f"{bits:.4f}", nll / np.log(2) / 8])
    table(["part", "NLL (nats)", "+- 95 %", "bits/dim", "bytes/image"], rows)
    print(f"{history[-1]['seconds']:.0f} CPU s of training;", picture, save_gif(frames, picture.with_suffix(".gif")))


if __name__ == "__main__":
    main()
