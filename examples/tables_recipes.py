r"""How each cell of the papers' tables is trained: the models and the grids (`tables_sets.py` has the papers' numbers).

A cell is a data set and a model. Its grid is stated here; `reproduce_tables.py` trains every choice of it, keeps the
one with the least validation NLL, and only then looks at the test part. All train in batches of 100 by SGD with
Nesterov momentum 0.9 (NADE on small sets, and order-agnostic NADE, by Adam), the learning rate falling to 0 in a
straight line, from output biases that give the means; the weights are those of the best epoch on the validation part.
No dropout and no weight decay: what regularises is the early stop and, where it is said, the masks. Order-agnostic
NADE, whose loss is noisy, trains for a fixed number of updates. A draw is one more number beside the seed: another
order, other masks, other weights. The grids are what a wider search by hand, on seeds 0 and 1, had left over: on
these sets' validation parts tanh did better than ReLU and softplus with fixed masks, and weight decay (with fresh
masks, on dna) did harm.

Mask sampling (Germain et al. 2015, section 4.2, "no limit"): for each update draw an order of the inputs and new
degrees of the hidden units (or the degrees alone, in one order). One set of weights then serves so many models, and
the density is their mixture over K fresh draws

    log p(x) = log 1/K Σ_k p_k(x)          the masks of k = 1 ... K drawn from a fixed seed

It gains where data are few (dna has 1,400 rows): each network alone is worse than one that was trained for its mask
only, but they err in different places.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from minigrad import no_grad, optim, training
from models.autoregressive import Evaluation
from models.ensemble import eonade
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE
from models.orderless import OrderlessNADE

LARGE = 20_000  # training rows
HIDDEN = 500
BATCH, PATIENCE, MASKS_EPOCH, MASKS_TEST = 100, 30, 4, 300  # masks after each epoch, and for the figures


class SampledMADE(MADE):
    """MADE whose masks, and its order if shuffle="both", are drawn anew for each update; `mixture` evaluates it over many draws."""

    def __init__(self, dim, hidden, *, rng, shuffle="both", **how):
        super().__init__(dim, hidden, rng=rng, order="random", **how)
        self.hidden, self.shuffle = hidden, shuffle

    def constants(self):
        """The masks are no part of the model; the order is, if it stays."""
        return {} if self.shuffle == "both" else {"order": self.order}

    def draw_masks(self, rng):
        """One component with random degrees, and in a random order if that is to change."""
        if self.shuffle == "both":
            self.order = rng.permutation(self.dim)
        self.components = self.draw_components(self.hidden, 1, "connectivity", rng)

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
        nll = -self.mixture(x, MASKS_TEST)
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
    return NADE(dim, HIDDEN, rng=rng, order=choice["order"])


def made(dim, rng, choice):
    """500 units, one fixed set of masks, direct connections."""
    return orthogonal(MADE(dim, (HIDDEN,), rng=rng, order=choice["order"], direct=True, activation=choice["activation"]), rng)


def sampled_made(dim, rng, choice):
    """500 units, new masks for each update, direct connections."""
    how = {"shuffle": choice["shuffle"], "activation": choice["activation"]}
    return SampledMADE(dim, (HIDDEN,), rng=rng, direct=True, **how)


def orderless(dim, rng, choice):
    """Order-agnostic NADE, one hidden layer of 500, evaluated in one random order."""
    return OrderlessNADE(dim, (HIDDEN,), rng=rng, order="random")


def sixteen_orders(model):
    """The ensemble of the same network over 16 random orders."""
    return eonade(model, 16, np.random.default_rng(0))


def grid(**values):
    """All combinations, as a list of dicts: grid(lr=[.1, .3], draw=[0, 1]) has four."""
    return [dict(zip(values, combination)) for combination in product(*values.values())]


class Recipe(NamedTuple):
    """How one row of the tables is made."""

    title: str
    build: object  # a function of dim, rng and choice: the model
    small: list  # the grid for sets of a few thousand rows; draw: a number beside the seed, for another order and other weights
    large: list  # the same for sets of LARGE rows or more, where a run takes many minutes
    of: str = ""  # the row whose trained network this one looks at in another way
    finish: object = lambda model: model  # the trained network -> the model that is evaluated

    def grid(self, data):
        """The choices for this set: those of the row whose network it shares."""
        recipe = RECIPES[self.of] if self.of else self
        return recipe.large if len(data.train) >= LARGE else recipe.small


RECIPES = {
    "fvsbn": Recipe("FVSBN", fvsbn, grid(lr=[0.1, 0.3, 1.0], epochs=[40, 150], order=["random"], draw=[0, 1]),
                    grid(lr=[0.05], epochs=[15], order=["random"], draw=[0])),
    "nade": Recipe("NADE, 500", nade, grid(optimizer=["Adam"], lr=[0.003, 0.01], epochs=[60], order=["random"], draw=[0, 1, 2]),
                   grid(lr=[0.03], epochs=[36], order=["natural"], draw=[0])),
    "made": Recipe("MADE, 500, fixed masks", made,
                   grid(lr=[0.02, 0.05, 0.1, 0.2], epochs=[40], order=["random"], activation=["tanh"], draw=[0, 1, 2]),
                   grid(lr=[0.03, 0.1], epochs=[30], order=["natural"], activation=["relu"], draw=[0])),
    "made_sampled": Recipe("MADE, 500, mask sampling", sampled_made,
                           grid(lr=[0.1, 0.3], epochs=[400], activation=["relu"], shuffle=["both"], draw=[0])
                           + grid(lr=[0.1], epochs=[80], activation=["tanh"], shuffle=["connectivity"], draw=[0]),
                           grid(lr=[0.1, 0.3], epochs=[30], activation=["relu"], shuffle=["both"], draw=[0])),
    "orderless": Recipe("order-agnostic NADE, 500, 1 order", orderless,
                        grid(optimizer=["Adam"], lr=[0.001, 0.003], updates=[6_000, 20_000], draw=[0]),
                        grid(optimizer=["Adam"], lr=[0.001], epochs=[700], draw=[0])),
    "eonade": Recipe("its ensemble over 16 orders", orderless, [], [], of="orderless", finish=sixteen_orders),
}  # fmt: skip


def loss_of(model):
    """The training loss and the validation loss, functions of (model, batch, rng)."""
    if isinstance(model, OrderlessNADE):  # the mean over all orders; for the validation part with the same orders after each epoch
        loss = OrderlessNADE.order_agnostic_nll
        return loss, lambda model, x, rng: loss(model, x, np.random.default_rng(0))
    if not isinstance(model, SampledMADE):
        return training.nll, training.nll
    return SampledMADE.sampled_nll, lambda model, x, rng: -model.mixture(x, MASKS_EPOCH).mean()


def train(build, choice, data, seed, path=None):
    """Train one choice of a grid, or go on with a run that was stopped: the model at its best epoch, and the history."""
    rng = np.random.default_rng([seed, choice["draw"]])
    model = build(data.train.shape[1], rng, choice)
    model.start_from_means(data.train)
    adam = choice.get("optimizer") == "Adam"
    optimizer = optim.Adam(model, choice["lr"]) if adam else optim.SGD(model, choice["lr"], momentum=0.9, nesterov=True)
    steps = -(-len(data.train) // BATCH)  # of one epoch
    epochs = choice["epochs"] if "epochs" in choice else -(-choice["updates"] // steps)
    schedule = optim.LinearLR(optimizer, epochs * steps)
    loss, valid_loss = loss_of(model)
    history = training.fit(
        model, data.train, data.valid, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=BATCH, rng=rng,
        loss=loss, valid_loss=valid_loss, patience=None if "updates" in choice else PATIENCE, path=path, verbose=False,
    )  # fmt: skip
    return model, history
