r"""How each cell of the papers' tables is trained: the models, the grids, and what the papers report.

A cell is a data set and a model. Its grid is stated here; `reproduce_tables.py` trains every choice of it, keeps the one with the least
validation NLL, and only then looks at the test part. All train with SGD and Nesterov momentum 0.9 in batches of 100, the learning
rate falling to 0 in a straight line, the weights those of the best epoch on the validation part, from output biases that
give the means. There is no dropout and no weight decay: what regularises is the early stop and, where it is said, the masks.

Mask sampling (Germain et al. 2015, section 4.2, "no limit"): for each update draw an order of the inputs and new degrees of the hidden
units. One set of weights then serves so many models, and the density is their mixture over K fresh draws

    log p(x) = log 1/K Σ_k p_k(x)          the masks of k = 1 ... K drawn from a fixed seed

It gains where data are few (dna has 1,400 rows): each network alone is worse than one that was trained for its mask only, but they
err in different places.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from minigrad import no_grad, optim, training
from models.autoregressive import Evaluation
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE

BATCH, PATIENCE, MASKS_VALID, MASKS_TEST = 100, 30, 8, 300


class SampledMADE(MADE):
    """MADE whose order and masks are drawn anew for each update; `mixture` evaluates it over many draws."""

    def __init__(self, dim, hidden, *, rng, **how):
        super().__init__(dim, hidden, rng=rng, **how)
        self.hidden = hidden

    def constants(self):
        """None: the weights serve every order and every mask."""
        return {}

    def draw_masks(self, rng):
        """One component in a random order with random degrees."""
        self.order = rng.permutation(self.dim)
        self.components = self.draw_components(self.hidden, 1, "both", rng)

    def sampled_nll(self, x, rng):
        """The loss: the mean of −log p(x) under fresh masks."""
        self.draw_masks(rng)
        return self.nll(x)

    def mixture(self, x, K, seed=0):
        """log p(x) of the mixture of K draws: (B, D) -> (B,), in nats, float64."""
        rng, total = np.random.default_rng(seed), np.full(len(x), -np.inf)
        with no_grad():
            for _ in range(K):
                self.draw_masks(rng)
                total = np.logaddexp(total, self.log_prob(x).data.astype(np.float64))
        return total - np.log(K)  # (B,)

    def evaluate(self, x, batch_size=500):
        """NLL of the mixture of MASKS_TEST draws, with its 95 % interval."""
        nll = -self.mixture(x, MASKS_TEST)  # (N,)
        return Evaluation(nll.mean(), 1.96 * nll.std() / np.sqrt(len(nll)), nll.mean() / (self.dim * np.log(2)))


def orthogonal(model, rng):
    """Weights with orthonormal rows or columns, as in the paper's commands for adult."""
    for p in (*model.W, model.V):
        Q, _ = np.linalg.qr(rng.standard_normal((max(p.shape), min(p.shape))))
        p.data = Q if p.shape[0] >= p.shape[1] else Q.T
    return model


# ---- the models: from a dimension, a generator and a choice of the grid
def fvsbn(dim, rng, choice):
    """One logistic regression for each variable."""
    return FVSBN(dim, rng=rng, order=choice["order"])


def nade(dim, rng, choice):
    """500 sigmoid units."""
    return NADE(dim, 500, rng=rng, order=choice["order"])


def made(dim, rng, choice):
    """500 units, one fixed set of masks, direct connections."""
    return orthogonal(MADE(dim, (500,), rng=rng, order=choice["order"], direct=True, activation=choice["activation"]), rng)


def sampled_made(dim, rng, choice):
    """500 units, new masks for each update, direct connections."""
    return SampledMADE(dim, (500,), rng=rng, direct=True, activation=choice["activation"])


def grid(**values):
    """All combinations, as a list of dicts: grid(lr=[.1, .3], draw=[0, 1]) has four."""
    return [dict(zip(values, combination)) for combination in product(*values.values())]


class Recipe(NamedTuple):
    """How one row of the tables is made."""

    title: str
    build: object  # (dim, rng, choice) -> model
    small: list  # the grid for sets of a few thousand rows; draw: a number beside the seed, for another order and other weights
    large: list  # for binarised MNIST: one choice, found on its validation part (`published_split.py`)


RECIPES = {
    "fvsbn": Recipe("FVSBN", fvsbn, grid(lr=[0.01, 0.03, 0.1], epochs=[60], order=["random"], draw=[0, 1, 2]),
                    grid(lr=[0.05], epochs=[15], order=["random"], draw=[0])),
    "nade": Recipe("NADE, 500", nade, grid(lr=[0.03, 0.1, 0.3], epochs=[60], order=["random"], draw=[0, 1, 2]),
                   grid(lr=[0.03], epochs=[36], order=["natural"], draw=[0])),
    "made": Recipe("MADE, 500, fixed masks", made,
                   grid(lr=[0.02, 0.05, 0.1, 0.2], epochs=[40], order=["random"], activation=["tanh"], draw=[0, 1, 2]),
                   grid(lr=[0.1], epochs=[30], order=["natural"], activation=["relu"], draw=[0])),
    "made_sampled": Recipe("MADE, 500, mask sampling", sampled_made,
                           grid(lr=[0.03], epochs=[300], activation=["relu", "tanh"], draw=[0]),
                           grid(lr=[0.03], epochs=[30], activation=["relu"], draw=[0])),
}  # fmt: skip

def loss_of(model):
    """The training loss and the validation loss, functions of (model, batch, rng)."""
    if not isinstance(model, SampledMADE):
        return training.nll, training.nll
    return SampledMADE.sampled_nll, lambda model, x, rng: -model.mixture(x, MASKS_VALID).mean()


def train(build, choice, data, seed, path=None, epochs=None):
    """Train one choice of a grid, or go on with a run that was stopped: the model at its best epoch, and the history."""
    rng = np.random.default_rng([seed, choice["draw"]])
    model = build(data.train.shape[1], rng, choice)
    model.start_from_means(data.train)
    optimizer = optim.SGD(model, choice["lr"], momentum=0.9, nesterov=True)
    epochs = epochs or choice["epochs"]
    schedule = optim.LinearLR(optimizer, epochs * -(-len(data.train) // BATCH))
    loss, valid_loss = loss_of(model)
    history = training.fit(
        model, data.train, data.valid, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=BATCH, rng=rng,
        loss=loss, valid_loss=valid_loss, patience=PATIENCE, path=path, verbose=False,
    )  # fmt: skip
    return model, history
