r"""The label as one more variable: one density that draws a class, and reads one by Bayes' rule.

The question. A density model of (image, label) was never trained to tell digits apart. How well does it classify, beside
a classifier on the same pixels? And has a density model of the images alone, which saw no label, learned anything about them?

The formula. Let the label come first in the order, then all 784 pixels. In NADE it adds to both biases, c + U_y and b + A_y.

    log p(x, y) = log p(y) + Σ_d log p(x_d | y, x_<d)                             trained: the mean over the digits
    p(y | x) = p(x, y) / Σ_y' p(x, y')                                            Bayes' rule: ten passes an image
    x ~ p(x | y)                                                                  a sample of a class: one pass

Without hidden units this is naive Bayes (the first row of the table). Beside it, softmax(z R + s) is trained to classify and
for nothing else (logistic regression), on three kinds of z: the pixels; the hidden units h = σ(c + Σ_d W_d x_d) after the last
pixel of a NADE that was trained without labels (a *linear probe* of what it has learned); and those of the same NADE before
training. These are the control, for 500 random sigmoids are a new representation, too.

What to notice in the picture. Left: the rows are classes, and a column shares its 784 random numbers, so what differs between
rows is the label's doing alone. Right above: the error rates, with 95 % intervals. Bayes' rule on a good density beats the linear
classifiers, and what NADE learned without labels is worth something too: its hidden units are read more easily than the pixels,
random ones are not. (A network that starts from such units and is trained on to classify errs in 1.3 %: Larochelle & Murray
2011.) Right below: Bayes' rule with only the first rows of pixels known, p(y | x_O); the mass of what is below them is summed out,
exactly and for nothing. It starts from the guess "1", the most frequent class, and the upper half is enough for most digits.

The common mistake. To divide probabilities: p(x, y) is about e^-90, float32 ends at e^-103, and a digit of 120 nats
gives 0 / 0. Stay with logarithms: `posterior` is a softmax of log p(x, y). Another: to let the label come last. Then its
conditional is a classifier of its own, whose 2 nats hardly count beside the pixels' 90.

    python -m examples.joint_mnist [--data F]      four to five minutes; F: .npz with train, train_y, valid, ...
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad import no_grad, optim, plot, training
from minigrad.datasets import LabelledSplit, binarized_mnist, load_binary
from minigrad.functional import cross_entropy, sigmoid, softmax
from minigrad.nn import Module, Parameter
from models.fvsbn import FVSBN
from models.joint import Joint
from models.nade import NADE

from .command import options, table

RATE = 0.1  # of both NADEs; tried on the validation part with seed 0: 0.03, 0.06, 0.1 (the last two differ by less than seeds do)
RATES, DECAYS = (0.03, 0.1), (3e-4, 1e-3, 3e-3)  # of logistic regression: the grid, from which validation chooses


def labelled(path):
    """The digits of the package, or those of a file with labels train_y, valid_y, test_y: a LabelledSplit."""
    if path is None:
        return binarized_mnist(labels=True)
    bits = load_binary(path)
    with np.load(path) as file:
        if missing := [f"{part}_y" for part in bits._fields if f"{part}_y" not in file]:
            raise ValueError(f"{path}: lacks the labels {', '.join(missing)}; it has {', '.join(file)}")
        return LabelledSplit(*bits, *[file[f"{part}_y"] for part in bits._fields])


def with_labels(x, y):
    """The labels as a first column, (N, 1 + D): `fit` takes one array."""
    return np.column_stack([y.astype(x.dtype), x])


def joint_loss(model, batch, rng):
    """The mean of −log p(x, y)."""
    return model.nll(batch[:, 1:], batch[:, 0])


def train(model, data, lr, epochs, rng, loss=training.nll, valid_loss=None, verbose=True):
    """SGD with momentum on data[0], the learning rate in a straight line to 0; keeps the epoch that is best on data[1].

    Returns the loss of that epoch and the CPU seconds.
    """
    optimizer = optim.SGD(model, lr, momentum=0.9, nesterov=True)
    history = training.fit(
        model, *data[:2], optimizer=optimizer, schedule=optim.LinearLR(optimizer, epochs * -(-len(data[0]) // 100)), epochs=epochs,
        batch_size=100, rng=rng, loss=loss, valid_loss=valid_loss, verbose=verbose,
    )  # fmt: skip
    return min(h["valid"] for h in history), history[-1]["seconds"]


class Logistic(Module):
    """p(y | z) = softmax((z − mean) / scale R + s): features of any kind then have about the size 1, and one grid fits all."""

    def __init__(self, z, decay):
        self.mean, self.scale, self.decay = z.mean(axis=0), np.sqrt(z.var(axis=0).mean()), decay
        self.R, self.s = Parameter(np.zeros((z.shape[1], 10), z.dtype)), Parameter(np.zeros(10, z.dtype))

    def forward(self, z):
        """Features (B, F) -> logits, Tensor (B, 10)"""
        return ((z - self.mean) / self.scale) @ self.R + self.s


def label_loss(model, batch, rng):
    """The mean of −log p(y | z), for labels in the first column of the batch."""
    return cross_entropy(model(batch[:, 1:]), batch[:, 0].astype(int))


def label_loss_with_decay(model, batch, rng):
    """And decay / 2 · Σ R² with it: what logistic regression minimises."""
    return label_loss(model, batch, rng) + model.decay / 2 * (model.R * model.R).sum()


def logistic_regression(name, features, labels, epochs, seed):
    """One for each point of the grid; the row of the table of the one that is best on the validation part."""
    data, best, seconds = [with_labels(z.astype(np.float32), y) for z, y in zip(features, labels)], np.inf, 0.0
    for lr, decay in [(lr, decay) for lr in RATES for decay in DECAYS]:
        model = Logistic(data[0][:, 1:], decay)
        loss, spent = train(model, data, lr, epochs, np.random.default_rng(seed), label_loss_with_decay, label_loss, verbose=False)
        seconds += spent
        if loss < best:
            with no_grad():
                best, wrong = loss, [model(part[:, 1:]).data.argmax(axis=1) != part[:, 0] for part in data[1:]]
    return row(f"logistic regression, {name}", *wrong, seconds)


def hidden(model, x):
    """A NADE's hidden units after the last pixel: bits (N, D) -> (N, H)."""
    return np.concatenate([sigmoid(x[i : i + 1000] @ model.W.data + model.c.data) for i in range(0, len(x), 1000)])


def posteriors(model, x):
    """p(y | the first r rows of x), r = 0 ... 28: bits (N, 784) -> (29, N, 10). log p(x_d | y, x_<d) adds up row after row."""
    log_p = np.zeros((29, len(x), 10), np.float32)
    with no_grad():
        for y, (log_prior, given) in enumerate(model.parts()):
            for i in range(0, len(x), 500):
                rows = given.log_conditionals(model.bits(x[i : i + 500])).reshape(-1, 28, 28).sum(axis=2)  # (B, 28)
                log_p[1:, i : i + 500, y] = rows.cumsum(axis=1).T
            log_p[:, :, y] += log_prior
    return softmax(log_p)


def mistakes(model, x, y):
    """Where Bayes' rule errs: bits (N, D), labels (N,) -> bool (N,)"""
    return np.concatenate([model.classify(x[i : i + 500]) != y[i : i + 500] for i in range(0, len(x), 500)])


def row(name, wrong_valid, wrong_test, seconds):
    """A row of the table: error rates in per cent, half of the 95 % interval (1.96 standard errors of a share), CPU s."""
    p = wrong_test.mean()
    return [name, 100 * wrong_valid.mean(), 100 * p, 196 * np.sqrt(p * (1 - p) / len(wrong_test)), seconds]


def naive_bayes(data):
    """Bayes' rule with independent pixels: a joint model at its start, without weights."""
    began, model = time.process_time(), Joint(FVSBN, 784, 10, rng=np.random.default_rng(0))
    model.start_from_means(data.train, data.train_labels)
    wrong = mistakes(model, data.valid, data.valid_labels), mistakes(model, data.test, data.test_labels)
    return row("Bayes' rule, naive Bayes", *wrong, time.process_time() - began)


def without_labels(data, H, epochs, seed):
    """A NADE of the images alone, and two rows: logistic regression on its hidden units, before training and after."""
    bits, labels, rng = data[:3], data[3:], np.random.default_rng(seed)
    model = NADE(784, H, rng=rng)
    model.start_from_means(data.train)
    before = logistic_regression("hidden units before training", [hidden(model, x) for x in bits], labels, epochs, seed)
    print("NADE of the images alone, -log p(x):")
    _, seconds = train(model, bits, RATE, epochs, rng)
    after = logistic_regression("hidden units of NADE, no labels", [hidden(model, x) for x in bits], labels, epochs, seed)
    after[-1] += seconds
    return model, [before, after]


def with_label_first(data, H, epochs, seed):
    """A NADE of label and image, its row, and its error rate on the test part when only the first 0 ... 28 rows are known."""
    began, rng = time.process_time(), np.random.default_rng(seed)
    model = Joint(NADE, 784, 10, H, rng=rng)
    model.start_from_means(data.train, data.train_labels)
    print("NADE of image and label, -log p(x, y):")
    train(model, [with_labels(x, y) for x, y in zip(data[:3], data[3:])], RATE, epochs, rng, joint_loss)
    by_rows = posteriors(model, data.test).argmax(axis=2) != data.test_labels  # (29, N)
    wrong = mistakes(model, data.valid, data.valid_labels), by_rows[-1]
    return model, row("Bayes' rule, NADE of image and label", *wrong, time.process_time() - began), by_rows.mean(axis=1)


def draw(model, rows, by_rows, seed):
    """Samples by class on the left; error rates, and the error by the number of rows known, on the right."""
    figure = Figure((9.6, 5), layout="constrained")
    axes = figure.subplot_mosaic([["samples", "errors"], ["samples", "rows"]], width_ratios=(1.25, 1))
    grid, upper, lower = axes["samples"], axes["errors"], axes["rows"]
    u = np.tile(np.random.default_rng(seed).random((10, 784)), (10, 1))  # a column shares its random numbers
    plot.image_grid(model.draw(u, np.repeat(np.arange(10), 10)), 10, title="samples of p(x | y), one class a row", ax=grid)
    for y in range(10):
        grid.text(-6, 29 * y + 15, str(y), ha="center", va="center")
    errors, intervals = [row[2] for row in rows], [row[3] for row in rows]
    places = np.arange(len(rows))[::-1]
    upper.errorbar(errors, places, xerr=intervals, fmt="o", color=plot.BLUE, capsize=3, markersize=4)
    upper.set(xlabel="test error (%), with 95 % intervals", yticks=places, xlim=(0, None), ylim=(-0.6, len(rows) - 0.4))
    upper.set_yticklabels([row[0].replace(", ", ",\n", 1) for row in rows], fontsize=8)
    lower.plot(100 * by_rows, color=plot.BLUE)
    lower.set(xlabel="rows of pixels known, from above (of 28)", ylabel="test error of p(y | x_O) (%)", xlim=(0, 28), ylim=(0, 100))
    for ax in (upper, lower):
        ax.spines[["top", "right"]].set_visible(False)
    return grid


def main():
    """Train a NADE without labels and one with them, print the table of error rates, draw."""
    chosen = options(__doc__, data="optional")
    data, H, epochs = labelled(chosen.data), 500, 10
    if chosen.quick:  # every tenth example: a file may be sorted by class
        data, H, epochs = LabelledSplit(*[part[::10] for part in data]), 100, 2
    if chosen.debug:
        data, H = LabelledSplit(*[part[::250] for part in data]), 5
    pixels = logistic_regression("pixels", data[:3], data[3:], epochs, chosen.seed)
    alone, hidden_rows = without_labels(data, H, epochs, chosen.seed)
    joint, bayes, by_rows = with_label_first(data, H, epochs, chosen.seed)
    rows = [naive_bayes(data), pixels, *hidden_rows, bayes]
    table(["classifier", "valid %", "test %", "+- 95 %", "CPU s"], rows)
    for name, nll in (("without labels", alone.evaluate(data.test)), ("with the label summed out", joint.evaluate(data.test))):
        print(f"-log p(x) of the test digits, {name}: {nll.nll:.2f} +- {nll.interval:.2f} nats")
    print(f"Bayes' rule with the upper half of the test digits: {100 * by_rows[14]:.1f} % wrong")
    print(plot.save(draw(joint, rows, by_rows, chosen.seed), chosen.out / "joint_mnist.png"))


if __name__ == "__main__":
    main()
