r"""Exercises over mixtures of whole models and the order-agnostic loss."""

import itertools
from math import comb

import numpy as np

from .exercise import Exercise, Failed, expect, slope
from .museum_density import orderless, orderless_numpy
from .museum_tools import states, wild

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

# ---- the loss of all orders at once


NATS = np.array([1.0, 2.0, 4.0])  # -log p of a 0, of each of three variables


class Spy:
    """An order-agnostic model whose network is replaced: `logits(x, known)` in plain NumPy. Keeps the masks that it is asked with."""

    def __init__(self, get, dim, logits):
        self.model, self.masks, tensor = orderless(get, dim), [], get("minigrad.nn:Parameter")

        def predict(x, known):
            known = np.asarray(known)
            self.masks.append(known.astype(float))
            return tensor(logits(np.asarray(x, float), self.masks[-1]), np.float64)

        self.model.predict = predict

    def asked(self, get, x, rng, f=None):
        """(loss, masks (B, D)) of one call."""
        self.masks.clear()
        result = (f or get("models.orderless:OrderlessNADE").order_agnostic_nll)(self.model, x, rng)
        if result is None:
            raise Failed("order_agnostic_nll returned None: is there a `return`?")
        if not self.masks:
            raise Failed("order_agnostic_nll never called self.predict(x, known)")
        return float(value(result)), np.concatenate(self.masks)


def nats(per_variable):
    """logits(x, known) of a network that gives a 0 in each variable so many nats, whatever it is told."""
    logits = np.log(np.expm1(per_variable))
    return lambda x, known: np.broadcast_to(logits, x.shape).copy()


def agnostic_weights(get):
    """One example at a time: what is unknown counts, by how much of it there is"""
    spy, rng, x = Spy(get, 3, nats(NATS)), np.random.default_rng(0), np.zeros((1, 3))
    drawn = [spy.asked(get, x, rng) for _ in range(200)]
    full = any(mask.all() for _, mask in drawn)
    for got, mask in drawn:
        left = 3 - mask[0].sum()
        want = (4 if full else 3) / max(left, 1) * ((1 - mask[0]) * NATS).sum()
        expect(got, want, "x = [[0 0 0]], a network that gives them 1, 2 and 4 nats whatever it is told, "
               f"masks that know {'0 ... 3' if full else '0 ... 2'} variables:\norder_agnostic_nll, where predict was told known = {mask[0].astype(int)},")  # fmt: skip


def agnostic_masks(get):
    """Each number of known variables equally often, and of each number every set"""
    spy, D, B = Spy(get, 4, nats(np.ones(4))), 4, 2500
    _, masks = spy.asked(get, np.zeros((B, D)), np.random.default_rng(1))
    if masks.shape != (B, D) or not np.isin(masks, (0, 1)).all():
        raise Failed(f"x ({B}, 4): predict was told masks of shape {masks.shape}; one row of zeros and ones (or bool) for each example is wanted, ({B}, 4)")
    numbers = D + 1 if masks.all(axis=1).any() else D
    index = (masks @ 2 ** np.arange(D)).astype(int)
    for k, known in enumerate(states(D)):
        share, n = (index == k).mean(), int(known.sum())
        want = 1 / numbers / comb(D, n) if n < numbers else 0
        if abs(share - want) > 5 * np.sqrt(want * (1 - want) / B):
            raise Failed(f"x ({B}, 4): predict was told known = {known} in a share {share:.4f} of the examples; {want:.4f} is wanted:\n"
                         f"each number 0 ... {numbers - 1} of known variables equally often, and of each number every set; each example draws its own")  # fmt: skip


def agnostic_mean(get):
    """Unbiased: the mean over all 6 orders of 3 variables, by the chain rule in each"""
    for seed in range(2):
        net = orderless(get, 3, seed=seed)
        logits = lambda x, known, net=net: orderless_numpy(net, x, known, lambda a: np.maximum(a, 0))  # noqa: E731
        x, want = states(3)[[1, 2, 6, 7]].astype(float), []
        for order in itertools.permutations(range(3)):
            known, nll = np.zeros((4, 3)), np.zeros(4)
            for d in order:
                z = logits(x, known)[:, d]
                nll += np.logaddexp(0, z) - x[:, d] * z
                known[:, d] = 1
            want.append(nll.mean())
        got, want = Spy(get, 3, logits).asked(get, np.tile(x, (1_000, 1)), np.random.default_rng(seed))[0], np.mean(want)
        if not abs(got - want) < 0.05 * want:
            raise Failed(f"4 states of 3 bits, 1,000 times each: order_agnostic_nll gives {got:.4f}; the mean over all 6 orders of -log p is {want:.4f}")


def agnostic_slope(get):
    """Central differences with the same random numbers"""
    model, x = orderless(get, 4, activation="tanh", seed=3), states(4)[[3, 9, 14]]
    loss = lambda: model.order_agnostic_nll(x, np.random.default_rng(5))  # noqa: E731
    result = loss()
    if not getattr(result, "requires_grad", False):
        raise Failed("order_agnostic_nll returned something without a gradient: a Tensor with its graph is wanted, or nothing can be trained")
    expect(np.shape(result.data), (), "the shape of order_agnostic_nll(x): it")
    result.backward()
    for name, p in model.named_parameters():
        at, v = p.data.copy(), np.random.default_rng(6).standard_normal(p.shape)

        def moved(theta, p=p):
            p.data = theta
            return float(loss().data)

        want = slope(moved, at, v)
        p.data = at
        expect(0.0 if p.grad is None else (p.grad * v).sum(), want, f"the gradient of order_agnostic_nll of 3 examples, with respect to {name} in a random direction,", rtol=1e-5, atol=1e-8)


def probe_agnostic(f, get):
    """Numbers that do not depend on what was drawn: for each number of known variables the least and the largest weight; what the masks are like."""
    D, rng, one = 3, np.random.default_rng(0), np.zeros((1, 3))
    spy, found = Spy(get, D, nats(NATS)), {n: [] for n in range(D + 1)}
    for _ in range(150):
        loss, mask = spy.asked(get, one, rng, f)
        found[int(mask.sum())].append(loss / max(((1 - mask) * NATS).sum(), 1))
    ends = [end for losses in found.values() for end in ((min(losses), max(losses)) if losses else (-1, -1))]
    spy = Spy(get, 6, nats(np.ones(6)))
    pairs = max(spy.asked(get, np.zeros((2, 6)), rng, f)[0] for _ in range(100))
    masks = np.stack([spy.asked(get, np.zeros((150, 6)), rng, f)[1] for _ in range(8)])  # (8, 150, 6)
    n = masks.sum(axis=2)
    like = [(n % 6 == 0).mean() > 0.09, np.ptp(n.mean(axis=1)) < 1.3, (masks[..., 1:] <= masks[..., :-1]).all()]
    return np.array([*ends, pairs, *like, f(spy.model, np.zeros((2, 6)), rng).requires_grad], float)


WEIGHT = "np.where(known, 0, (self.dim + 1) / np.maximum(left, 1))"
KNOWN = "rng.random(x.shape, np.float32) < rng.random((len(x), 1), np.float32)"
AGNOSTIC = Exercise(
    id="order-agnostic-nll",
    title="the loss of all orders at once",
    target="models.orderless:OrderlessNADE.order_agnostic_nll",
    kind="rebuild",
    minutes=30,
    difficulty=3,
    read="models/orderless.py: its docstring and `predict`; bernoulli_nll in minigrad/functional.py",
    task="One network for every order. x (B, D) bits; rng a NumPy Generator. Draw for each example by itself a number n of known variables, every n equally likely (0 ... D-1, or 0 ... D, where an example with "
         "nothing left to predict counts 0), and which n they are, every set equally likely. Ask self.predict(x, known), known (B, D) with 1 = known, for the log-odds (B, D) of all variables, and let all that "
         "are *not* known count, each with the same weight. Return a Tensor with one number and its graph: an unbiased estimate of the mean of -log p(x | order) over all D! orders, averaged over the batch, in nats.",
    formula=(
        "An unbiased estimate of the mean over all orders of −log p(x), in nats: what training minimises.",
    ),
    check=(agnostic_weights, agnostic_masks, agnostic_mean, agnostic_slope),
    probe=probe_agnostic,
    hints=(
        "The chain rule has D terms, one for each place of the order. You drew one place of D, and of its D - n candidates you predict all, where an order predicts one. What makes up for both?",
        "n uniform on 0 ... D-1: loss = D / (D - n) sum over the unknown of -log p(x_k | known). n uniform on 0 ... D: D + 1 for D, since one draw in D + 1 gives nothing.",
        "known = (random numbers (B, D)) < (one random threshold for each row); left = D - number known; weight = 0 where known, (D + 1) / max(left, 1) elsewhere; return sum(weight * bernoulli_nll(predict, x)) / B",
    ),
    why="An order asks for one variable at each of D places; a mask is one place, and the mean over its D - n candidates stands for the one. A threshold makes n uniform without sorting, but gives full "
        "masks, too, with probability 1 / (D + 1): hence D + 1. Predicting all candidates at once is what makes the training of D! orders affordable.",
    equivalent={f"{KNOWN} -> {KNOWN.replace('<', '<=')}": "two random numbers are equal once in 16 million"},
    wrong={
        "not_weighted": (((WEIGHT, "np.where(known, 0, 1.0)"),), "all masks weigh alike: a mask with few unknown variables stands for as much of the chain rule as one with many; each place counts the mean over its candidates, D times."),
        "one_draw_in_vain": ((("(self.dim + 1)", "self.dim"),), "D / (D - n) with masks that are full once in D + 1 draws: these predict nothing, and the loss is too small by D / (D + 1)."),
        "known_count_too": (((WEIGHT, "(self.dim + 1) / np.maximum(left, 1) + np.zeros(x.shape)"),), "the known variables are predicted, too: the network was told them, and learns to copy."),
        "divides_by_known": (((WEIGHT, "np.where(known, 0, (self.dim + 1) / np.maximum(self.dim - left, 1))"),), "it divides by the number of known variables; the mean is over those that are left."),
        "told_the_reverse": ((("self.predict(x, known)", "self.predict(x, ~known)"),), "the network is told the wrong half: 1 means known, and what it is told is what it must predict."),
        "told_everything": ((("self.predict(x, known)", "self.predict(x, np.ones_like(known))"),), "the network is told that all is known, and so sees what it should predict."),
        "fair_coins": (((KNOWN, "rng.random(x.shape, np.float32) < 0.5"),), "each variable is known with probability 1/2: then n is about D / 2, and the first and last places of the orders are hardly ever trained; n must be uniform."),
        "one_size_for_all": ((("rng.random((len(x), 1), np.float32)", "rng.random((1, 1), np.float32)"),), "one threshold for the whole batch: the mean is right, but it varies as if there were one example; each draws its own."),
        "natural_order_only": (((KNOWN, "np.arange(self.dim) < rng.integers(0, self.dim + 1, (len(x), 1))"),), "the first n variables are always the known ones: that trains a single order."),
        "mean_over_variables": ((("sum() / len(x)", "mean()"),), "the mean over the variables is taken, too: -log p is their sum."),
        "sum_over_examples": ((("sum() / len(x)", "sum()"),), "the examples are added up: the loss must not depend on the size of the batch."),
        "only_the_next": ((("        left =", "        chosen = np.where(known, -1.0, rng.random(x.shape)).argmax(axis=1)\n        left ="),
                           (WEIGHT, "np.where(known, 0, (np.arange(self.dim) == chosen[:, None]) * (self.dim + 1.0))")),
                          "only one of the unknown variables is predicted: unbiased, but D - n times less is learned from a pass; let all candidates count."),
    },
    right={
        "ranks_of_an_order": """\
def order_agnostic_nll(self, x, rng):
    x = self.bits(x)
    B, D = x.shape
    rank = rng.random((B, D)).argsort(axis=1).argsort(axis=1)
    n = rng.integers(0, D, size=(B, 1))
    unknown = rank >= n
    nll = bernoulli_nll(self.predict(x, ~unknown), x)
    return np.sum(nll * (unknown * (D / (D - n))).astype(self.dtype)) * (1 / B)
""",
        "one_by_one": """\
def order_agnostic_nll(self, x, rng):
    x, total = self.bits(x), 0
    for row in x:
        n = rng.integers(self.dim)
        known = np.zeros((1, self.dim), self.dtype)
        known[0, rng.permutation(self.dim)[:n]] = 1
        z = self.predict(row[None], known)
        log_p = row * z - np.maximum(z, 0) - np.log(1 + np.exp(-np.maximum(z, -z)))
        total = total - (log_p * (1 - known)).sum() * (self.dim / (self.dim - n))
    return total / len(x)
""",
    },
)  # fmt: skip

EXERCISES = (ENSEMBLE, AGNOSTIC)
