r"""Exercises over a label as one more variable: Bayes' rule over a whole image, and over a part of it."""

import numpy as np

from .exercise import Exercise, Failed, expect
from .museum_tools import states, wild

# ---- the label of an image


def joint(get, dim, classes, seed=None, order="natural"):
    """A joint model over a FVSBN, in float64, with random weights; with seed None all are 0."""
    model = get("models.joint:Joint")(get("models.fvsbn:FVSBN"), dim, classes, rng=np.random.default_rng(0), order=order, dtype=np.float64)
    return model if seed is None else wild(model, seed)


def joint_terms(model, x):
    """log p(y) (C,) and log p(x_d | y, x_<d), (C, B, D), of a joint model over a FVSBN, in plain NumPy."""
    C, x = model.classes, np.asarray(x, float)
    rank = np.argsort(model.order)
    W = model.model.W.data[C:, C:] * (rank[:, None] < rank[None])
    z = x @ W + (model.model.b.data[C:] + model.model.W.data[:C, C:] + model.A.data)[:, None]  # (C, B, D)
    prior = model.prior.data - np.logaddexp.reduce(model.prior.data)
    return prior, x * z - np.logaddexp(0, z)


def bayes(log_joint):
    """(C, B) -> (B, C), in plain NumPy."""
    return np.exp(log_joint - np.logaddexp.reduce(log_joint, axis=0)).T


def naive(get):
    """Two classes, two independent pixels."""
    model = joint(get, 2, 2)
    model.prior.data = np.log([0.75, 0.25]) + 3
    p = np.array([[0.2, 0.5], [0.6, 0.9]])
    model.A.data = np.log(p / (1 - p))
    return model


def array(got, call):
    """The answer; Failed if it is a Tensor."""
    if type(got).__name__ == "Tensor":
        raise Failed(f"{call} returned a Tensor; an array is wanted")
    return got


def label_by_hand(get):
    """By hand: two classes, two independent pixels"""
    model, x = naive(get), np.array([[1, 1], [0, 1], [1, 0]])
    call = "p(y) = [3/4 1/4], p(x_d = 1 | y) = [.2 .5] and [.6 .9]:\nposterior([[1 1], [0 1], [1 0]]"
    for observed, joint_p in ((None, [[0.075, 0.135], [0.3, 0.09], [0.075, 0.015]]), ([True, False], [[0.15, 0.15], [0.6, 0.1], [0.15, 0.15]]),
                              ([False, False], [[0.75, 0.25]] * 3), ([True, True], [[0.075, 0.135], [0.3, 0.09], [0.075, 0.015]])):  # fmt: skip
        want = np.array(joint_p) / np.sum(joint_p, axis=1, keepdims=True)
        said = f"{call}, observed = {observed})" if observed else f"{call})"
        expect(array(model.posterior(x, *([np.array(observed)] if observed else [])), said), want, said)


def label_brute(get):
    """Three classes, 4 dependent pixels: all states, and each part of them that comes first in the order"""
    x = states(4)
    for seed in range(2):
        model = joint(get, 4, 3, seed, np.random.default_rng(seed).permutation(4))
        prior, terms = joint_terms(model, x)
        expect(array(model.posterior(x), "posterior(x)"), bayes(prior[:, None] + terms.sum(axis=2)), f"posterior of all 16 states, 3 classes, order {model.order}, random weights,")
        for m in range(5):
            known = np.isin(np.arange(4), model.order[:m])
            log_joint = np.stack([np.log([np.exp(prior[y] + terms[y].sum(axis=1))[(x[:, known] == row[known]).all(axis=1)].sum() for row in x]) for y in range(3)])
            expect(array(model.posterior(x, known), "posterior(x, observed)"), bayes(log_joint),
                   f"posterior of all 16 states, 3 classes, order {model.order}, observed = {known.astype(int)}: p(y | x_O), the hidden summed out,")  # fmt: skip


def label_far(get):
    """Images that every class finds all but impossible"""
    model = naive(get)
    model.A.data = np.array([[-1000.0, -2.0], [-1001.0, -2.0]])
    p = 0.75 / (0.75 + 0.25 * np.exp(-1))
    with np.errstate(all="ignore"):
        for observed in ([], [np.array([True, False])]):
            said = f"log p(x_0 = 1 | y) = -1000 and -1001, p(y) = [3/4 1/4]: posterior([[1 1], [0 1]]{', observed = [True False]' if observed else ''})"
            expect(array(model.posterior(np.array([[1, 1], [0, 1]]), *observed), said), np.array([[p, 1 - p], [0.75, 0.25]]), said)


def probe_label(f, get):
    """Posteriors of whole images and of parts, near and far."""
    model, x, far = joint(get, 4, 3, 5, np.array([2, 0, 3, 1])), states(4)[[1, 6, 9, 13]], naive(get)
    far.A.data = np.array([[-1000.0, -2.0], [-1001.0, -2.0]])
    with np.errstate(all="ignore"):
        results = [f(model, x), f(model, x, np.array([True, False, True, False])), f(model, x, np.zeros(4, bool)), f(far, np.array([[1, 1]])), f(far, np.array([[1, 1]]), np.array([True, False]))]
    return np.nan_to_num(np.concatenate([np.ravel(r) for r in results]), nan=-7e9, neginf=-8e9)


PART = "softmax(self.log_marginals(x, observed).T)"
WHOLE = "softmax(self.log_joint(x).data)"
LABEL = Exercise(
    id="label-of-a-part",
    title="which digit is it, and which if only a part is seen?",
    target="models.joint:Joint.posterior",
    kind="rebuild",
    minutes=15,
    difficulty=2,
    read="the docstring of models/joint.py, log_joint and log_prob in it; log_marginals in models/completion.py",
    task="A joint model of D pixels and a label. Return p(y | x), an array (B, C) whose rows sum to 1, for bits x (B, D); if observed (D,) bool is given, p(y | x_O): only these pixels are known (they come "
         "first in the order), the others are summed out, and what x holds there must not count. There are self.log_joint(x), log p(x, y), a Tensor (B, C), and self.log_marginals(x, observed), log p(x_O, y), an array (C, B), "
         "both in nats. It must be right where every log p is about -1000.",
    check=(label_by_hand, label_brute, label_far),
    probe=probe_label,
    hints=(
        "p(y | x) is proportional to p(x, y), as a function of y. What makes its sum 1? And what of that changes if only a part of x is known?",
        "p(y | x_O) = p(x_O, y) / sum over y' of p(x_O, y'): the softmax over y of log p(x_O, y).",
        "log_p = self.log_joint(x).data, or self.log_marginals(x, observed).T if observed is not None, (B, C); return softmax(log_p) over the last axis",
    ),
    why="The label is a variable like any other: the part of the image that is hidden drops out of the product of conditionals, so half an image costs half, and nothing has to be trained anew. "
        "A classifier of whole images would have to be shown something in the hidden part.",
    wrong={
        "no_prior": (((PART, "softmax(self.log_marginals(x, observed).T - log_softmax(self.prior.data))"), (WHOLE, "softmax(self.log_joint(x).data - log_softmax(self.prior.data))")),
                     "p(x | y) is normalised over y: the prior p(y) is missing, and rare labels come out too probable."),
        "prior_twice": (((PART, "softmax(self.log_marginals(x, observed).T + log_softmax(self.prior.data))"), (WHOLE, "softmax(self.log_joint(x).data + log_softmax(self.prior.data))")),
                        "the prior is multiplied in twice: p(x, y) holds it already."),
        "over_the_examples": (((PART, "softmax(self.log_marginals(x, observed), 1).T"), (WHOLE, "softmax(self.log_joint(x).data, 0)")), "it is normalised over the examples: for each example the sum over the labels must be 1."),
        "joint_itself": (((PART, "np.exp(self.log_marginals(x, observed).T)"), (WHOLE, "np.exp(self.log_joint(x).data)")), "p(x, y) is returned as it is: it must be divided by p(x), its sum over the labels."),
        "logarithm": (((PART, "log_softmax(self.log_marginals(x, observed).T)"), (WHOLE, "log_softmax(self.log_joint(x).data)")), "the logarithm of the posterior is returned."),
        "hidden_is_black": (((PART, "softmax(self.log_joint(np.where(observed, x, 0)).data)"),), "the hidden pixels are taken for 0: a black pixel is evidence, a hidden one is none."),
        "looks_at_all": (((PART, WHOLE),), "the pixels that are not observed are used, too: `observed` changes nothing."),
        "underflows": (((PART, "(np.exp(self.log_marginals(x, observed)) / np.exp(self.log_marginals(x, observed)).sum(axis=0)).T"), (WHOLE, "np.exp(self.log_joint(x).data) / np.exp(self.log_joint(x).data).sum(axis=1, keepdims=True)")),
                       "e^-1000 is 0, and 0 / 0 is NaN: take the largest term of each row out first, as softmax does."),
        "the_winner": (((PART, "np.eye(self.classes)[self.log_marginals(x, observed).argmax(axis=0)]"), (WHOLE, "np.eye(self.classes)[self.log_joint(x).data.argmax(axis=1)]")),
                       "the most probable label gets 1: p(y | x) tells how sure the model is."),
        "transposed": (((PART, "softmax(self.log_marginals(x, observed).T).T"), (WHOLE, "softmax(self.log_joint(x).data).T")), "rows and columns are exchanged: a row for each example, (B, C)."),
    },
    right={
        "every_label": """\
def posterior(self, x, observed=None):
    known = np.ones(self.dim, bool) if observed is None else observed
    log_p = self.log_marginals(x, known)
    p = np.exp(log_p - log_p.max(axis=0))
    return np.transpose(p / p.sum(axis=0))
""",
        "likelihood_and_prior": """\
def posterior(self, x, observed=None):
    seen = 1 if observed is None else np.asarray(observed)
    hidden_out = np.where(seen, x, 0)
    log_p = np.empty((len(x), self.classes))
    with no_grad():
        log_prior = log_softmax(self.prior.data)
        for y in range(self.classes):
            log_p[:, y] = log_prior[y] + (self.given(y).log_conditionals(self.bits(hidden_out)) * seen).sum(axis=1)
    return np.exp(log_p - np.logaddexp.reduce(log_p, axis=1)[:, None])
""",
    },
)  # fmt: skip

EXERCISES = (LABEL,)
