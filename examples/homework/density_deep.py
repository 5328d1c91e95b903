r"""Exercises over mixtures of whole models, the order-agnostic loss and completions; those over labels and regions: density_deep_more.py."""

import itertools
from math import comb

import numpy as np

from .exercise import Exercise, Failed, expect, slope
from .museum_density import orderless, orderless_numpy
from .museum_tools import sigmoid, states, wild

# ---- small models, and their numbers in plain NumPy


def network(get, dim, order="natural", seed=0, size=1.5):
    """A FVSBN in float64 with random weights; with seed None all of them are 0."""
    model = get("models.fvsbn:FVSBN")(dim, rng=np.random.default_rng(seed or 0), order=order, dtype=np.float64)
    return model if seed is None else wild(model, seed, size)


def coins(get, p):
    """Independent bits with the probabilities p."""
    model = network(get, len(p), seed=None)
    model.b.data = np.log(p) - np.log1p(-np.asarray(p))
    return model


def log_terms(model, x):
    """log p(x_d | x_<d) of a FVSBN, (B, D), one variable at a time, in plain NumPy."""
    x, terms = np.asarray(x, float), np.zeros(np.shape(x))
    for k, d in enumerate(model.order):
        before = model.order[:k]
        z = x[:, before] @ model.W.data[before, d] + model.b.data[d]
        terms[:, d] = x[:, d] * z - np.logaddexp(0, z)
    return terms


def value(result):
    """The numbers of a Tensor, or of an array."""
    return result.data if type(result).__name__ == "Tensor" else np.asarray(result)


# ---- the mixture of whole models


def three(get, size=1.5):
    """Three small models of 4 bits in three orders."""
    return [network(get, 4, order, seed, size) for seed, order in enumerate(([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]), start=1)]


def ensemble_by_hand(get):
    """By hand: two models of two independent bits"""
    Ensemble, x = get("models.ensemble:Ensemble"), np.array([[1, 1], [0, 1]])
    parts = [coins(get, [0.2, 0.5]), coins(get, [0.6, 0.9])]
    call = "two models of independent bits, p(x_d = 1) = [.2 .5] and [.6 .9],"
    expect(value(Ensemble(parts).log_prob(x)), np.log([(0.1 + 0.54) / 2, (0.4 + 0.36) / 2]), f"{call} equal weights: log_prob([[1 1], [0 1]])")
    expect(value(Ensemble(parts, [0.75, 0.25]).log_prob(x)), np.log([0.75 * 0.1 + 0.25 * 0.54, 0.75 * 0.4 + 0.25 * 0.36]), f"{call} weights [.75 .25]: log_prob([[1 1], [0 1]])")
    expect(value(Ensemble(parts[:1]).log_prob(x)), np.log([0.1, 0.4]), "a single model, p(x_d = 1) = [.2 .5]: log_prob([[1 1], [0 1]])")


def ensemble_sum(get):
    """All 16 states of 4 bits, three orders; a weight of 0; a mixture of mixtures; the sum of p is 1"""
    Ensemble, x, parts = get("models.ensemble:Ensemble"), states(4), three(get)
    p = np.exp([log_terms(part, x).sum(axis=1) for part in parts])
    cases = [([0.5, 0.3, 0.2], Ensemble(parts, [0.5, 0.3, 0.2])), ([0.6, 0.0, 0.4], Ensemble(parts, [0.6, 0.0, 0.4])),
             ([0.3, 0.3, 0.4], Ensemble([Ensemble(parts[:2]), parts[2]], [0.6, 0.4]))]  # fmt: skip
    for weights, model in cases:
        got = value(model.log_prob(x))
        expect(np.exp(got).sum(), 1.0, f"the sum of p over all 16 states of 4 bits, a mixture of three models in three orders, weights {weights},")
        expect(got, np.log(weights @ p), f"log_prob of all 16 states, a mixture of three models in three orders, weights {weights},")


def ensemble_far(get):
    """Examples that every model finds all but impossible"""
    parts = [network(get, 1, seed=None) for _ in range(2)]
    parts[0].b.data[:], parts[1].b.data[:] = -1000.0, -1001.0
    with np.errstate(all="ignore"):
        got = value(get("models.ensemble:Ensemble")(parts).log_prob(np.array([[1], [0]])))
    expect(got, np.array([-1000 + np.log((1 + np.exp(-1)) / 2), 0]), "two models of one bit with log p(1) = -1000 and -1001, equal weights: log_prob([[1], [0]])", atol=1e-9)


def ensemble_slope(get):
    """Central differences: the gradient reaches the weights of every model"""
    x, rng = states(4)[[3, 9, 14]], np.random.default_rng(0)
    parts, weights = three(get), np.array([0.5, 0.3, 0.2])
    result = get("models.ensemble:Ensemble")(parts, weights).log_prob(x)
    if not getattr(result, "requires_grad", False):
        raise Failed("log_prob of an Ensemble returned something without a gradient: a Tensor with its graph is wanted, or it cannot be trained")
    result.sum().backward()
    for k, part in enumerate(parts):
        at, v = part.W.data.copy(), rng.standard_normal((4, 4)) * part.M

        def total(W, part=part):
            part.W.data = W
            return np.log(weights @ np.exp([log_terms(p, x).sum(axis=1) for p in parts])).sum()

        want = slope(total, at, v)
        part.W.data = at
        got = 0.0 if part.W.grad is None else (part.W.grad * v).sum()
        expect(got, want, f"the gradient of log_prob(x).sum(), three models, weights [.5 .3 .2], with respect to W of models[{k}], in a random direction,", rtol=1e-6, atol=1e-9)


def probe_ensemble(f, get):
    """log p near and far, with and without weights, and a gradient."""
    Ensemble, x, parts = get("models.ensemble:Ensemble"), states(4)[[0, 3, 9, 14]], three(get)
    far = [network(get, 1, seed=None) for _ in range(2)]
    far[0].b.data[:], far[1].b.data[:] = -1000.0, -1001.0
    with np.errstate(all="ignore"):
        results = [f(Ensemble(parts, [0.5, 0.3, 0.2]), x), f(Ensemble(parts), x), f(Ensemble(far), np.array([[1], [0]]))]
    graph = [float(getattr(result, "requires_grad", False)) for result in results[:1]]
    return np.nan_to_num(np.concatenate([*map(np.ravel, map(value, results)), graph]), nan=-7e9, neginf=-8e9)


TERMS = "model.log_prob(x) + log_w"
LSE = "logsumexp(np.stack(log_p), axis=0)"
ENSEMBLE = Exercise(
    id="ensemble-log-prob",
    title="a mixture of whole models",
    target="models.ensemble:Ensemble.log_prob",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="models/ensemble.py: the class Ensemble, its __init__ above all; logsumexp in minigrad/ops/reductions.py",
    task="An Ensemble holds K models of the same bits, self.models, and the logarithms of their weights, self.log_weights (K,); a weight may be 0, its logarithm -inf. x (B, D) bits. Return log p(x) of the "
         "mixture, (B,), in nats, as a Tensor with its graph: the gradient must reach the parameters of every model (model.log_prob(x) gives a Tensor (B,)). The models may go in different orders, and be "
         "mixtures themselves. It must be right where every log p_k(x) is about -1000.",
    check=(ensemble_by_hand, ensemble_sum, ensemble_far, ensemble_slope),
    probe=probe_ensemble,
    hints=(
        "Each model has an order of its own. Which of its numbers mean the same in all of them, so that they can be mixed at all?",
        "log p(x) = log sum_k w_k p_k(x) = logsumexp_k (log w_k + log p_k(x)).",
        "each = [model.log_prob(x) + log_w for every log_w and model]; return logsumexp(np.stack(each), axis=0)",
    ),
    why="A mixture draws its model once for a whole example, so whole examples are mixed: conditionals of two orders answer different questions. It costs at most log K nats against the best of its "
        "models, and the gradient of a model is weighted by p(k | x), its share in what was seen.",
    wrong={
        "mean_of_logs": (((TERMS, "(model.log_prob(x) * float(np.exp(log_w)))"), (LSE, "np.stack(log_p).sum(axis=0)")), "log p is averaged, not p: that is a geometric mean, and its sum over all x is below 1."),
        "forgets_weights": (((TERMS, "model.log_prob(x) - float(np.log(len(self.models)))"),), "all models count alike: the weights are not used."),
        "forgets_log_K": (((TERMS, "model.log_prob(x)"),), "the probabilities are added and not weighed: log w_k (log 1/K for equal weights) is missing, and the sum of p over all x is K."),
        "adds_weights": (((TERMS, "model.log_prob(x) + float(np.exp(log_w))"),), "the weights themselves are added to logarithms: a factor w_k becomes a summand log w_k."),
        "mixes_conditionals": (((TERMS, "model.log_conditionals(model.bits(x)) + log_w"), (LSE, f"np.sum({LSE}, axis=1)")),
                               "each conditional is mixed by itself, then all are multiplied: models in different orders do not condition on the same things, and the sum of p is not 1."),
        "mixes_logits": ("""\
def log_prob(self, x):
    from models.autoregressive import bernoulli_log_prob
    mean = sum(model.logits(x) * float(np.exp(log_w)) for log_w, model in zip(self.log_weights, self.models))
    return bernoulli_log_prob(mean, x=self.bits(x))
""",
                         "the logits are averaged: over several orders that is the density of no model, and the sum of p is not 1."),
        "underflows": (((LSE, "np.log(np.exp(np.stack(log_p)).sum(axis=0))"),), "e^-1000 is 0, and its logarithm -inf: the largest term must be taken out before exp."),
        "best_model": (((LSE, "np.max(np.stack(log_p), axis=0)"),), "only the largest term is kept: all models add to p(x)."),
        "no_graph": (((LSE, "logsumexp(np.stack([each.data for each in log_p]), axis=0)"),), "the values are right, but the graph is cut (.data): no model could learn from it."),
        "mean_over_examples": (((LSE, LSE + ".mean()"),), "the examples are averaged: one log p for each is wanted, (B,)."),
    },
    right={
        "largest_first": """\
from minigrad.tensor import to_array


def log_prob(self, x):
    each = np.stack([log_w + model.log_prob(x) for log_w, model in zip(self.log_weights, self.models)], axis=1)
    top = to_array(each).max(axis=1)
    return np.log(np.exp(each - top[:, None]).sum(axis=1)) + top
""",
        "one_by_one": """\
from minigrad.functional import softplus


def log_prob(self, x):
    total = None
    for k, model in enumerate(self.models):
        if self.log_weights[k] > -np.inf:
            term = model.log_prob(x) + self.log_weights[k]
            total = term if total is None else total + softplus(term - total)
    return total
""",
        "all_parts": """\
def log_prob(self, x):
    return logsumexp(np.stack([part.log_prob(x) + log_w for log_w, part in self.parts()], axis=1))
""",
    },
)  # fmt: skip

EXERCISES = (ENSEMBLE,)
