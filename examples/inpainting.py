r"""Inpainting: half of a digit is given, the rest is drawn. One network answers for any half.

The question. A density knows more than p(x). Which digits have *this* upper half, and how sure is the model of the rest? What
must a model be like, so that the answer is exact?

The formula. Let O be the observed pixels. If they come first in the order, the chain rule splits at that place:

    p(x) = p(x_O) p(x_rest | x_O):      p(x_O) = ∏_{d ∈ O} p(x_d | x_<d),      p(x_rest | x_O) = ∏_{d ∉ O} p(x_d | x_<d)

so a completion is a sample that begins in the middle. A NADE in the natural order can do that for the upper half, and for
no other: for the left half, p(x_O) would be a sum over all that lies between. An order-agnostic NADE has been trained with
every set of known pixels (`models/orderless.py`), so it may put O first, whatever O is. `models/completion.py` is the page
behind `complete`.

What to notice in the picture. Each row asks another question of the same network. Left the real digit, then what the model was
told (grey is unknown), then five completions, and at last the mean of many, E[x | x_O]: white or black where all completions
agree, grey where they differ. One pixel in ten, scattered over the image, already settles where the strokes are and halves
what the rest costs (the table says so in nats); a hole in the middle leaves several digits open.

The common mistake. To sample the missing pixels in *any* order from a model that has one, or each from p(x_d | x_O) on its
own. The first ignores what lies between, the second draws strokes that do not know of each other: the last column, as noise.

    python -m examples.inpainting            about two minutes; figures/inpainting.png
    python -m examples.inpainting --data F   with the weights that `published_split --model orderless` has saved
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from minigrad import checkpoint, optim, plot, training
from minigrad.datasets import binarized_mnist, load_binary
from models.nade import NADE
from models.orderless import OrderlessNADE

from .command import options, table
from .published_split import order_agnostic, orderless

SIDE = 28


def regions(rng):
    """Question -> which pixels are observed, (784,) bool."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    hole = (np.abs(row - 13.5) < 6) & (np.abs(column - 13.5) < 6)
    return {
        "upper half": row < SIDE // 2,
        "left half": column < SIDE // 2,
        "all but the middle": ~hole,
        "one pixel in ten": rng.random(SIDE * SIDE) < 0.1,
    }


def prepare(chosen, rng):
    """The digits and an order-agnostic model: trained now, or the one that published_split saved."""
    if chosen.data:
        model, path = orderless(rng), chosen.out / f"published_orderless_{chosen.seed}.npz"
        if not path.exists():
            sys.exit(f"{path}: no such file: first run examples.published_split --model orderless, same --data, --seed and --out")
        model.load_state_dict(checkpoint.load(path)["best"])
        return load_binary(chosen.data), model
    data, epochs = binarized_mnist(), 16
    if chosen.quick:
        data, epochs = type(data)(data.train[:3000], data.valid[:200], data.test[:200]), 2
    model = OrderlessNADE(784, (8 if chosen.debug else 500,), rng=rng)
    model.start_from_means(data.train)
    optimizer = optim.Adam(model, 1e-3)
    schedule = optim.LinearLR(optimizer, epochs * -(-len(data.train) // 100))
    training.fit(
        model, data.train, data.valid[:1000], optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=100, rng=rng,
        loss=order_agnostic, valid_loss=training.nll,
    )  # fmt: skip
    return data, model


def row_of(model, x, observed, rng, samples):
    """Real digit, what is told (grey: unknown), five completions, and the mean: (8, 784)."""
    told = np.where(observed, x, 0.5)
    completions = model.complete(np.tile(x, (5, 1)), observed, rng)
    return np.stack([x, told, *completions, model.impute(x[None], observed, rng, samples)[0]])


def draw(rows, questions, path):
    """One row of images for each question."""
    figure = Figure((9, 5.2), layout="constrained")
    ax = figure.add_subplot()
    plot.image_grid(np.concatenate(rows), 8, ax=ax)
    height, width = ax.images[0].get_array().shape[:2]
    ax.set_axis_on()
    ax.set(xticks=(np.arange(8) + 0.5) * width / 8, yticks=(np.arange(len(rows)) + 0.5) * height / len(rows))
    ax.set_xticklabels(["real", "told", "drawn", "drawn", "drawn", "drawn", "drawn", "mean"])
    ax.set_yticklabels([text.replace(" ", "\n", 1) for text in questions])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return plot.save(ax, path)


def main():
    """Train, ask, print the table, draw."""
    chosen = options(__doc__, data="optional")
    rng = np.random.default_rng(chosen.seed)
    data, model = prepare(chosen, rng)
    test = data.test[rng.permutation(len(data.test))[: 20 if chosen.quick else 500]]
    p = (data.train.sum(axis=0) + 1) / (len(data.train) + 2)
    alone = -np.log(np.where(test == 1, p, 1 - p))  # what independent pixels cost
    rows, numbers = [], []
    for digit, (question, observed) in zip(test, regions(rng).items()):
        rows.append(row_of(model, digit, observed, rng, 5 if chosen.quick else 50))
        rest = model.log_marginal(test, observed) + model.asked(observed).evaluate(test).nll  # both in the order that has O first
        numbers.append([question, int((~observed).sum()), float(rest.mean()), float(alone[:, ~observed].sum(axis=1).mean())])
    table(["told", "unknown pixels", "-log p(rest | told) (nats)", "independent pixels"], numbers)
    try:
        NADE(784, 5, rng=rng).complete(test[:1], regions(rng)["left half"], rng)
    except ValueError as error:
        print(f"A NADE with one order says of the left half: {error}")
    print(draw(rows, list(regions(rng)), chosen.out / "inpainting.png"))


if __name__ == "__main__":
    main()
