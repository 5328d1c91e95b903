r"""Red wine: a density over eleven real numbers, and what one bell cannot say about them.

The question. 1,599 wines, 11 measurements each (acidity, sugar, sulphur dioxide, alcohol ...). How probable is a wine that was
never seen? One Gaussian answers with a mean and a covariance. How many nats does that leave on the table?

The formula. The chain rule once more, now with a mixture of K = 20 bells for each number (`models/rnade.py`):

    log p(x) = Σ_d log Σ_k α_dk N(x_d; μ_dk, σ_dk²),      α_d, μ_d, σ_d from the hidden layer that has read x_<d

    python -m examples.red_wine                             made-up wine, which needs no data: a few seconds
    python -m examples.red_wine --data red_wine.npz         the ten folds, one or two minutes; a finished fold is noted in
                                                            figures/red_wine_0.json, and the next run goes on from there

The figure is the mean of log p over the test wines of a fold, in nats: higher is better, and it may be positive, as it is of a
density. (In other units it shifts by a constant: so each number first gets mean 0 and deviation 1 over the training part.) A ninth
of the training part is kept for validation. Uria, Murray & Larochelle 2014 report −9.36, and −13.18 for one Gaussian. Their file is
.npz here: fold1_train, fold1_test, fold2_train ..., (N, D) each. The made-up wine has three numbers, whose density is known: x₁ has
two modes, x₂ bends like x₁², and the spread of x₃ depends on x₁.

What to notice in the picture. Left, what the model expects of one number when it has read those before it, for two test wines; a
triangle marks what came. The curves are skewed, with a steep side and shoulders. Right, two numbers of all wines: there is never
less sulphur dioxide in all than there is free, an edge that RNADE finds and one Gaussian cannot have.

The common mistake. The measurements are rounded, and 240 wines are copies of others. A narrow bell over a round value gains there
without end: set "noise" to 0, and after 200 epochs the training wines of fold 1 reach +2.4 nats, those for validation −25. Noise on
the training wines, fresh in each step, holds the bells open. Its size and the learning rate were chosen on the validation parts of
folds 1, 4, 7 and 10; no other part gets any. And mind the copies: a quarter of the test wines are in the training part, too. The
column "new" leaves them out.
"""

import copy
import json

import numpy as np
from matplotlib.figure import Figure

from minigrad import nn, optim, plot, training
from models.rnade import RNADE, Mixture

from .command import options, table

NUMBERS = ["fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides", "free sulphur dioxide",
           "total sulphur dioxide", "density", "pH", "sulphates", "alcohol"]  # fmt: skip
RECIPE = {"hidden": 50, "components": 20, "bell": "gaussian", "lr": 1e-2, "noise": 0.15, "mean_of": 100, "epochs": 200,
          "batch_size": 100}  # fmt: skip
RECIPE_MADE_UP = {**RECIPE, "noise": 0.03, "epochs": 60}  # nothing is rounded there, nor comes twice


# ---- data
def load(path):
    """The folds in a .npz file: {"fold1_train": (N, D), "fold1_test": ...}. ValueError if it holds something else."""
    with np.load(path) as file:
        data = {name: file[name].astype(np.float64) for name in file.files if name.startswith("fold")}
    wrong = [f"fold{k}_{part}" for k in range(1, count(data) + 1) for part in ("train", "test") if f"fold{k}_{part}" not in data]
    if not data or wrong:
        missing = ", ".join(wrong) or "all of them"
        raise ValueError(f"{path}: it should hold fold1_train, fold1_test, fold2_train ...: missing {missing}")
    return data


def count(data):
    """The number of folds."""
    return len({name.split("_")[0] for name in data})


def made_up(rng, folds=3, train=900, test=900):
    """Wine that never was, (N, 3): see `true_log_density`."""
    data = {}
    for name, n in [(f"fold{k}_{part}", n) for k in range(1, folds + 1) for part, n in (("train", train), ("test", test))]:
        x1 = rng.choice([-1.0, 1.0], n) + 0.4 * rng.standard_normal(n)
        x2 = x1 * x1 + 0.3 * rng.standard_normal(n)
        x3 = x2 + (0.1 + 0.3 * np.abs(x1)) * rng.standard_normal(n)
        data[name] = np.stack([x1, x2, x3], axis=1)
    return data


def true_log_density(x):
    r"""½ N(x₁; ±1, .4²) · N(x₂; x₁², .3²) · N(x₃; x₂, (.1 + .3 |x₁|)²) for made-up wine: (N, 3) -> (N,), in nats"""
    x1, x2, x3 = x.T
    modes = np.logaddexp(log_bell(x1, -1, 0.4), log_bell(x1, 1, 0.4)) - np.log(2)
    return modes + log_bell(x2, x1 * x1, 0.3) + log_bell(x3, x2, 0.1 + 0.3 * np.abs(x1))


def log_bell(x, mean, deviation):
    """log N(x; mean, deviation²)"""
    return -(((x - mean) / deviation) ** 2) / 2 - np.log(deviation * np.sqrt(2 * np.pi))


def true_mean(data, fold):
    """The mean of the true log density over a test part, in the units of `normalise`: each number is divided by its deviation."""
    return float(true_log_density(data[f"fold{fold}_test"]).mean() + np.log(data[f"fold{fold}_train"].std(axis=0)).sum())


def normalise(data, fold):
    """The training and test part of a fold, each number with mean 0 and deviation 1 over the training part."""
    train, test = data[f"fold{fold}_train"], data[f"fold{fold}_test"]
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / deviation, (test - mean) / deviation


# ---- the two models
def gaussian_log_density(train, x):
    r"""log N(x; m, S) = −½ (x − m)ᵀ S⁻¹ (x − m) − ½ log det 2πS, with the mean and covariance of train: (N, D) -> (N,)"""
    m, S = train.mean(axis=0), np.cov(train.T, bias=True)
    away = x - m
    return -(away * np.linalg.solve(S, away.T).T).sum(axis=1) / 2 - np.linalg.slogdet(2 * np.pi * S)[1] / 2


def train_fold(data, fold, seed, recipe=RECIPE):
    """Train on one fold: the model with the best weights on the validation part, and a dict of what it reaches.

    The weights are a running mean over about the last 100 steps (`mean_of`): they go round the middle of a valley, it lies there.
    "new" is the test figure of those wines that are not in the training part, too.
    """
    rng = np.random.default_rng([seed, fold])
    both, test = normalise(data, fold)
    both = both[rng.permutation(len(both))]
    valid, train = np.split(both, [len(both) // 9])
    model = RNADE(both.shape[1], recipe["hidden"], recipe["components"], rng=rng, bell=recipe["bell"])
    model.start_from_means(train)
    optimizer = optim.Adam(model, recipe["lr"])
    schedule = optim.LinearLR(optimizer, recipe["epochs"] * -(-len(train) // recipe["batch_size"]))
    mean = copy.deepcopy(model)
    (weights,), (mean_weights,), best = optimizer.flats, nn.flatten(mean), {}

    def noisy_nll(model, x, rng):
        mean_weights.data += (weights.data - mean_weights.data) / recipe["mean_of"]
        return model.nll(x + recipe["noise"] * rng.standard_normal(x.shape))

    def keep_the_best(history):
        if history[-1]["valid"] == min(h["valid"] for h in history):
            best.update(mean.state_dict())

    history = training.fit(
        model, train, valid, optimizer=optimizer, schedule=schedule, epochs=recipe["epochs"], batch_size=recipe["batch_size"],
        rng=rng, loss=noisy_nll, valid_loss=lambda model, x, rng: mean.nll(x), on_epoch=keep_the_best, verbose=False,
    )  # fmt: skip
    mean.load_state_dict(best)
    known = set(map(tuple, data[f"fold{fold}_train"]))
    new = test[[tuple(x) not in known for x in data[f"fold{fold}_test"]]]
    parts = {"train": train, "valid": valid, "test": test, "new": new}
    return mean, {
        "fold": fold, "seed": seed, **{name: -float(mean.evaluate(x).nll) if len(x) else float("nan") for name, x in parts.items()},
        "interval": float(mean.evaluate(test).interval), "gaussian": float(gaussian_log_density(both, test).mean()),
        "minutes": history[-1]["seconds"] / 60,
    }  # fmt: skip


def cell(data, fold, seed):
    """One cell of the table: mean log p in nats of the parts of a fold, and of the test part under one Gaussian."""
    return train_fold(data, fold, seed)[1]


# ---- the picture
def draw(model, data, fold, rng):
    """One conditional for two wines; two numbers of the data, of samples, and of samples from one Gaussian. Returns an Axes."""
    train, test = normalise(data, fold)
    names, (i, j) = (NUMBERS, (5, 6)) if model.dim == len(NUMBERS) else ([f"x{d + 1}" for d in range(model.dim)], (0, 1))
    d, grid = 2, np.linspace(-2.5, 3.5, 600)
    figure = Figure((12, 3.6), layout="constrained")
    left, *others = figure.subplots(1, 4, width_ratios=(1.5, 1, 1, 1))
    left.hist(train[:, d], 60, range=(-2.5, 3.5), density=True, color="#cbd5e0", label="all training wines")
    conditionals = model.conditionals(test)  # (N, D, K) each
    some = np.argsort(conditionals.mean()[:, d])[[len(test) // 10, -len(test) // 10]]
    for wine, colour, which in zip(some, (plot.BLUE, plot.ORANGE), ("one", "another")):
        mixture = Mixture(*[t[wine, d] for t in conditionals])  # (K,) each
        left.plot(grid, np.exp(mixture.log_density(grid, model.bell)), color=colour, label=f"{which} test wine, before it is seen")
        left.plot(test[wine, d], 0, "^", color=colour, markersize=9, clip_on=False)
    left.set(xlabel=names[d], ylabel="density", title=f"p({names[d]} | {', '.join(names[:d])})", xlim=(-2.5, 3.5))
    left.title.set_fontsize(10)
    figure.supxlabel("all in standard deviations from the training part's mean", fontsize=9)
    gaussian = rng.multivariate_normal(train.mean(axis=0), np.cov(train.T), len(train))
    clouds = {"data": train, "samples of RNADE": model.sample(len(train), rng), "samples of one Gaussian": gaussian}
    for ax, (title, x) in zip(others, clouds.items()):
        ax.scatter(x[:, i], x[:, j], 4, plot.GREY if title == "data" else plot.BLUE, linewidths=0)
        ax.set(xlabel=names[i], title=title, xlim=(-3, 4), ylim=(-3, 4))
    others[0].set(ylabel=names[j])
    left.set_ylim(0, 1.4 * left.get_ylim()[1])  # room for the legend
    left.legend(frameon=False, fontsize=8, loc="upper right")
    return left


def results(path, key):
    """The cells that an earlier run of the same data, recipe and seed has noted in a file; none if there is no such run."""
    if not path.exists() or (noted := json.loads(path.read_text()))["key"] != key:
        return []
    return noted["cells"]


def note(path, content):
    """Write a .json file; whoever stops the program meanwhile finds the old one whole."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1))
    temporary.replace(path)


def main():
    """Train fold by fold, note each, print the table, draw the picture."""
    chosen = options(__doc__, data="optional")
    real = chosen.data is not None
    data = load(chosen.data) if real else made_up(np.random.default_rng(chosen.seed))
    name, recipe = ("red_wine", RECIPE) if real else ("red_wine_made_up", RECIPE_MADE_UP)
    recipe = recipe | {"epochs": 25} if chosen.quick else recipe
    key = {**recipe, "data": float(np.mean([x.mean() for x in data.values()]))}
    notes, picture = chosen.out / f"{name}_{chosen.seed}{'_quick' * chosen.quick}.json", chosen.out / f"{name}.png"
    cells = results(notes, key)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for fold in range(len(cells) + 1, count(data) + 1):
        model, cell = train_fold(data, fold, chosen.seed, recipe)
        cells.append(cell if real else {**cell, "truth": true_mean(data, fold)})
        note(notes, {"key": key, "cells": cells})
        print(f"fold {fold} of {count(data)}: test {cell['test']:.2f} nats, one Gaussian {cell['gaussian']:.2f}", flush=True)
        if fold == 1:
            print(plot.save(draw(model, data, fold, np.random.default_rng(chosen.seed)), picture))
    columns = ["train", "valid", *(["test", "new"] if real else ["test", "truth"]), "interval", "gaussian", "minutes"]
    rows = [[str(cell["fold"]), *[cell[column] for column in columns]] for cell in cells]
    tests = [cell["test"] for cell in cells]
    mean = {column: float(np.mean([cell[column] for cell in cells])) for column in columns}
    mean |= {"interval": 1.96 * float(np.std(tests)) / len(tests) ** 0.5, "minutes": sum(cell["minutes"] for cell in cells)}
    table(["fold", *columns], [*rows, ["all", *mean.values()]])


if __name__ == "__main__":
    main()
