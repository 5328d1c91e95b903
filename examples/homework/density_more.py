r"""Exercises around density models: groups of variables, mixtures, Bayes' rule, and two experiments to measure."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- masks for groups of variables


def groups_by_hand(get):
    """By hand: two groups, three hidden units"""
    call = "grouped_masks(groups=[0, 0, 1], hidden=[0, 1, 0])"
    made = get("answer:grouped_masks")(np.array([0, 0, 1]), np.array([0, 1, 0]))
    expect(len(made), 2, f"the number of masks in {call}")
    expect(np.asarray(made[0], int), np.array([[1, 1, 1], [1, 1, 1], [0, 1, 0]]), f"{call}[0], from the variables into the hidden units,")
    expect(np.asarray(made[1], int), np.array([[0, 0, 1], [0, 0, 0], [0, 0, 1]]), f"{call}[1], from the hidden units into the outputs,")


def groups_paths(get):
    """No path within a group or to an earlier one, one to every later one"""
    groups, hidden = np.array([2, 0, 1, 1, 0, 2]), np.arange(8) % 2
    into, out = [np.asarray(M, int) for M in get("answer:grouped_masks")(groups, hidden)]
    paths = into @ out
    later = groups[None, :] > groups[:, None]
    expect(paths[~later], np.zeros((~later).sum(), int), "the number of paths from x_j to a logit of its own group or of an earlier one")
    expect(paths[later] > 0, np.ones(later.sum(), bool), "whether there is a path to each logit of a later group: it")


GROUPS = Exercise(
    id="grouped-masks",
    title="MADE for groups of variables",
    target="answer:grouped_masks",
    kind="variant",
    minutes=25,
    difficulty=2,
    read="the docstring of models/made.py and `masks`",
    task="In a grid of coloured pixels the three colours of a pixel could be given together. So let variables come in groups: "
         "groups (D,) says to which group each belongs, 0, 1, 2 ..., and a logit may depend on *earlier groups* only, not on "
         "others of its own. A hidden unit of degree m (hidden, (H,)) may see the groups 0 ... m.\nReturn two masks, a pair of "
         "arrays of 0 and 1 or booleans: (D, H) into the hidden layer, (H, D) into the output. Keep every connection that is "
         "allowed.",
    answer='''\
import numpy as np


def grouped_masks(groups, hidden):
    """(D,), (H,) -> (D, H), (H, D)"""
    into = hidden[None, :] >= groups[:, None]
    out = groups[None, :] > hidden[:, None]
    return into, out
''',
    check=(groups_by_hand, groups_paths),
    probe=lambda f, get: np.concatenate([np.ravel(M) for M in f(np.array([0, 0, 1, 2]), np.array([0, 1, 0]))]).astype(float),
    hints=(
        "What takes the place of a variable's degree, if a whole group has the same one?",
        "Into the hidden layer: 1[m_k >= group_j]. Into the output: 1[group_d > m_k], strictly.",
        "return hidden[None, :] >= groups[:, None], groups[None, :] > hidden[:, None]",
    ),
    why="It is MADE's rule with the group as the degree. Nothing in the proof needs the degrees to be different: the order of "
        "the groups is enough.",
    wrong={
        "strict_in_the_wrong_layer": ((("hidden[None, :] >= groups[:, None]", "hidden[None, :] > groups[:, None]"), ("groups[None, :] > hidden[:, None]", "groups[None, :] >= hidden[:, None]")),
                                      "the hidden layer is strict, not the output: nothing leaks, but a unit of degree m "
                                      "should see group m."),
        "sees_its_group": ((("groups[None, :] > hidden[:, None]", "groups[None, :] >= hidden[:, None]"),), "the output mask uses >=: a variable then sees its own group, itself included."),
        "hidden_strict": ((("hidden[None, :] >= groups[:, None]", "hidden[None, :] > groups[:, None]"),), "the hidden mask is strict: a unit of degree m may see group m, too."),
        "transposed": ((("    return into, out", "    return into.T, out.T"),), "the masks are transposed: the first must be (D, H), the second (H, D)."),
        "one_by_one": ((("    into =", "    groups = np.argsort(np.argsort(groups, kind='stable'), kind='stable')\n    into ="),),
                       "the groups are taken apart into single variables: two of one group then see each other."),
        "backwards": ((("groups[None, :] > hidden[:, None]", "groups[None, :] < hidden[:, None]"),), "the output sees later groups, not earlier ones."),
        "exchanged": ((("    return into, out", "    return out.T, into.T"),), "the two masks are exchanged."),
    },
    right={
        "outer": """\
import numpy as np


def grouped_masks(groups, hidden):
    return np.less_equal.outer(groups, hidden), np.greater.outer(groups, hidden).T
""",
        "loops": """\
import numpy as np


def grouped_masks(groups, hidden):
    D, H = len(groups), len(hidden)
    into, out = np.zeros((D, H)), np.zeros((H, D))
    for d in range(D):
        for k in range(H):
            if groups[d] <= hidden[k]:
                into[d, k] = 1
            else:
                out[k, d] = 1
    return [into, out]
""",
    },
)  # fmt: skip

# ---- the log-probability of a mixture


def mixture_by_hand(get):
    """By hand: two models"""
    f = get("answer:mixture_log_prob")
    expect(f(np.log([[0.2], [0.6]]), np.array([1.0, 1.0])), np.log([0.4]), "mixture_log_prob(log of [[.2], [.6]], weights [1, 1])")
    expect(f(np.log([[0.2, 0.5], [0.6, 0.1]]), np.array([3.0, 1.0])), np.log([0.3, 0.4]), "mixture_log_prob(log of [[.2, .5], [.6, .1]], weights [3, 1])")


def mixture_stable(get):
    """Log-probabilities of -1000, where e^x is 0; one model that gives -inf"""
    f = get("answer:mixture_log_prob")
    with np.errstate(all="ignore"):
        far, dead = f(np.array([[-1000.0], [-1001.0]]), np.ones(2)), f(np.array([[-np.inf], [-3.0]]), np.ones(2))
        expect(far, np.array([-1000 + np.log((1 + np.exp(-1)) / 2)]), "mixture_log_prob([[-1000], [-1001]], weights [1, 1])")
        expect(dead, np.array([-3 - np.log(2)]), "mixture_log_prob([[-inf], [-3]], weights [1, 1])")
        apart = f(np.array([[-1000.0, -5.0], [-1000.0, -5.0]]), np.ones(2))
        expect(apart, np.array([-1000.0, -5.0]), "mixture_log_prob([[-1000, -5], [-1000, -5]], weights [1, 1])")
        unused = f(np.array([[-2.0], [-3.0]]), np.array([0.0, 5.0]))
        expect(unused, np.array([-3.0]), "mixture_log_prob([[-2], [-3]], weights [0, 5]): a model of weight 0 counts nothing; it")


def mixture_sum(get):
    """A mixture of distributions is a distribution"""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(8), 3)
    got = get("answer:mixture_log_prob")(np.log(p), np.array([0.5, 2.0, 4.0]))
    expect(np.exp(got).sum(), 1.0, "the sum of p over 8 states of a mixture of 3 models with weights [.5, 2, 4]")


MIXTURE = Exercise(
    id="mixture-log-prob",
    title="log p of a mixture, without underflow",
    target="answer:mixture_log_prob",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="log_prob in models/made.py; logsumexp in minigrad/ops/reductions.py",
    task="log_probs (K, B): the log-probability that each of K models gives to each of B examples, in nats. weights (K,): how "
         "much each model counts, not negative, not all 0; they need not sum to 1. Return the log-probability (B,) of the "
         "mixture, exact also where every log-probability is about -1000, where one model's is -inf, and where a weight is 0.",
    answer='''\
import numpy as np


def mixture_log_prob(log_probs, weights):
    """(K, B), (K,) -> (B,)"""
    with np.errstate(divide="ignore"):
        log_w = np.log(weights / np.sum(weights))
    terms = log_probs + log_w[:, None]
    top = np.max(terms, axis=0)
    return top + np.log(np.sum(np.exp(terms - top), axis=0))
''',
    check=(mixture_by_hand, mixture_stable, mixture_sum),
    probe=lambda f, get: np.r_[f(np.log([[0.2, 0.5], [0.6, 0.1]]), np.array([3.0, 1.0])), np.nan_to_num(np.r_[f(np.array([[-1000.0], [-1001.0]]), np.ones(2)), f(np.array([[-1000.0, -5.0], [-1001.0, -5.0]]), np.ones(2))], neginf=-9e9)],
    hints=(
        "Is the logarithm of an average the average of the logarithms?",
        "log p = log sum_k w_k e^(l_k), and with m = max_k (l_k + log w_k): m + log sum_k e^(l_k + log w_k - m).",
        "log_w = log(weights / sum); terms = log_probs + log_w[:, None]; top = max over axis 0; return top + log(sum(exp(terms "
        "- top)))",
    ),
    why="An image of 784 pixels has a log-probability of about -90 at best and -500 at worst: in float32 e^-104 is already 0. "
        "Averaging logarithms (or logits) instead gives no distribution at all.",
    wrong={
        "one_maximum_for_all": ((("top = np.max(terms, axis=0)", "top = np.max(terms)"),), "one maximum is taken out for all examples: one that lies 800 nats below another underflows; each needs its own."),
        "adds_weights": ((("log_probs + log_w[:, None]", "log_probs + (weights / np.sum(weights))[:, None]"),), "weights are added to logarithms: log w was meant."),
        "mean_of_logs": ((("    top = np.max(terms, axis=0)\n    return top + np.log(np.sum(np.exp(terms - top), axis=0))\n", "    return (log_probs * (weights / np.sum(weights))[:, None]).sum(axis=0)\n"),),
                         "the logarithms are averaged: a mixture averages probabilities. The result is not even a distribution."),
        "underflows": ((("top = np.max(terms, axis=0)", "top = np.zeros(terms.shape[1])"),), "e^-1000 is 0 in floating point: take the largest term out first."),
        "weights_not_normalised": ((("np.log(weights / np.sum(weights))", "np.log(weights)"),), "the weights are not divided by their sum: the probabilities then sum to that sum."),
        "forgets_weights": ((("log_probs + log_w[:, None]", "log_probs - np.log(len(weights))"),), "all models count alike: the weights are not used."),
        "best_model": ((("return top + np.log(np.sum(np.exp(terms - top), axis=0))", "return top"),), "only the largest term is kept: the others add to it."),
        "forgets_the_top": ((("return top + np.log", "return np.log"),), "the largest term was taken out and never put back."),
    },
    right={
        "logaddexp": """\
import numpy as np


def mixture_log_prob(log_probs, weights):
    with np.errstate(divide='ignore'):
        log_w = np.log(np.asarray(weights) / np.sum(weights))
    return np.logaddexp.reduce(log_probs + log_w[:, None], axis=0)
""",
        "weighted_sum": """\
import numpy as np


def mixture_log_prob(log_probs, weights):
    m = log_probs[np.asarray(weights) > 0].max(axis=0)
    return m + np.log(np.asarray(weights, float) @ np.exp(log_probs - m)) - np.log(np.sum(weights))
""",
        "library": """\
import numpy as np
from minigrad import Tensor
from minigrad.functional import logsumexp


def mixture_log_prob(log_probs, weights):
    keep = np.asarray(weights) > 0
    w = np.asarray(weights)[keep] / np.sum(weights)
    return logsumexp(Tensor(log_probs[keep] + np.log(w)[:, None]), axis=0).data
""",
    },
)  # fmt: skip

# ---- Bayes' rule


def posterior_by_hand(get):
    """By hand: two classes"""
    f = get("answer:posterior")
    expect(f(np.log([[0.2, 0.5]]), np.array([0.5, 0.5])), np.array([[2 / 7, 5 / 7]]), "posterior(log of [[.2, .5]], prior [.5, .5])")
    expect(f(np.log([[0.2, 0.5]]), np.array([0.75, 0.25])), np.array([[6 / 11, 5 / 11]]), "posterior(log of [[.2, .5]], prior [.75, .25])")


def posterior_stable(get):
    """Images, whose log p(x|y) is about -100 or -1000"""
    rng = np.random.default_rng(0)
    for level in (-100.0, -1000.0):
        log_likelihood, prior = level + 3 * rng.standard_normal((5, 4)), rng.dirichlet(np.ones(4))
        p = np.exp(log_likelihood - level) * prior
        with np.errstate(all="ignore"):
            got = get("answer:posterior")(log_likelihood, prior)
        expect(got, p / p.sum(axis=1, keepdims=True), f"posterior of log-likelihoods (5, 4) about {level:.0f}")
    with np.errstate(all="ignore"):
        got = get("answer:posterior")(np.array([[-2.0, -2.0], [-900.0, -900.0]]), np.array([0.25, 0.75]))
    expect(got, np.array([[0.25, 0.75], [0.25, 0.75]]), "posterior([[-2, -2], [-900, -900]], prior [.25, .75]): one image likely, one not; it")


POSTERIOR = Exercise(
    id="bayes-rule",
    title="which digit is it? A density model as a classifier",
    target="answer:posterior",
    kind="variant",
    minutes=15,
    difficulty=1,
    read="the docstring of models/autoregressive.py",
    task="A density model for each of C classes gives log p(x|y), (B, C) in nats; prior (C,) is p(y). Return p(y|x), (B, C): "
         "each row sums to 1. It must be exact also where all the log-likelihoods are about -1000, as those of images are.",
    answer='''\
import numpy as np


def posterior(log_likelihood, prior):
    """(B, C), (C,) -> (B, C)"""
    joint = log_likelihood + np.log(prior)
    joint = joint - joint.max(axis=1, keepdims=True)
    p = np.exp(joint)
    return p / p.sum(axis=1, keepdims=True)
''',
    check=(posterior_by_hand, posterior_stable),
    probe=lambda f, get: np.r_[np.ravel(f(np.log([[0.2, 0.5], [0.1, 0.3]]), np.array([0.75, 0.25]))), *[np.nan_to_num(np.ravel(f(np.array(rows), np.array([0.5, 0.5]))), nan=-1) for rows in ([[-1000.0, -1001.0]], [[-1000.0, -1001.0], [-1.0, -2.0]])]],
    hints=(
        "p(y|x) = p(x|y) p(y) / p(x). What is p(x), if there are only C classes?",
        "log p(x, y) = log p(x|y) + log p(y); then a softmax over y.",
        "joint = log_likelihood + log(prior); joint -= its largest in each row; p = exp(joint); return p / (sum of p in each "
        "row)",
    ),
    why="Taking the largest log out of each row changes nothing, since it cancels in the fraction, and keeps e^x from being 0 "
        "everywhere.",
    wrong={
        "one_maximum_for_all": ((("joint.max(axis=1, keepdims=True)", "joint.max()"),), "one maximum is taken out for all rows: an image 800 nats less likely than another gets 0 / 0; each row needs its own."),
        "divides_logs": ((("p = np.exp(joint)", "p = joint - 1"),), "logarithms are divided by their sum: exponentiate first."),
        "forgets_prior": ((("log_likelihood + np.log(prior)", "log_likelihood"),), "the prior is missing: rare classes are then found too often."),
        "normalises_over_examples": ((("p.sum(axis=1, keepdims=True)", "p.sum(axis=0, keepdims=True)"),), "the sum runs over the examples, not over the classes."),
        "underflows": ((("joint = joint - joint.max(axis=1, keepdims=True)", "joint = joint + 0"),), "e^-1000 is 0, and 0 / 0 is NaN: take the largest log out of each row first."),
        "not_normalised": ((("return p / p.sum(axis=1, keepdims=True)", "return p"),), "the rows do not sum to 1: p(x) is missing."),
        "adds_the_prior": ((("log_likelihood + np.log(prior)", "log_likelihood + prior"),), "a probability is added to a logarithm: log p(y) was meant."),
        "still_logarithms": ((("return p / p.sum(axis=1, keepdims=True)", "return np.log(p / p.sum(axis=1, keepdims=True))"),), "these are logarithms: p(y|x) itself was asked for."),
    },
    right={
        "differences": """\
import numpy as np


def posterior(log_likelihood, prior):
    joint = np.asarray(log_likelihood) + np.log(prior)
    with np.errstate(over='ignore'):
        return 1 / np.exp(joint[:, None, :] - joint[:, :, None]).sum(axis=2)
""",
        "logsumexp": """\
import numpy as np


def posterior(log_likelihood, prior):
    rows = []
    for row in log_likelihood:
        joint = row + np.log(prior)
        rows.append(np.exp(joint - np.logaddexp.reduce(joint)))
    return np.array(rows)
""",
    },
)  # fmt: skip

# ---- the NLL of a test set, with its interval


def interval_by_hand(get):
    """By hand: four examples of two pixels"""
    got = get("answer:report")(np.array([-1.0, -3.0, -1.0, -3.0]), 2)
    want = np.array([2.0, 1.96 * 1.0 / 2, 2 / (2 * np.log(2))])
    if np.shape(got) == (3,) and np.isclose(got[1], 1.96 / 3**0.5, rtol=1e-3):  # the standard deviation with N - 1
        want[1] = 1.96 / 3**0.5
    expect(got, want, "report(log_prob=[-1, -3, -1, -3], dim=2)", rtol=1e-3)


def interval_sizes(get):
    """Another number of examples and of pixels"""
    x = -90 + 24 * np.random.default_rng(0).standard_normal(10_000)
    got = get("answer:report")(x, 784)
    expect(got, np.array([-x.mean(), 1.96 * x.std() / 100, -x.mean() / 784 / np.log(2)]), "report of 10,000 log-probabilities about -90, dim = 784,", rtol=2e-4)


def interval_covers(get):
    """Of 400 intervals about 95 % hold the true mean"""
    rng = np.random.default_rng(1)
    held = sum(abs(r[0] - 5.0) <= r[1] for r in (get("answer:report")(-rng.exponential(5.0, 200), 3) for _ in range(400)))
    if not 360 <= held <= 396:
        raise Failed(f"of 400 intervals over 200 examples each, {held} hold the true mean; it should be about 380")


def interval_probe(f, get):
    """The figures for 800 examples; the width only roughly: with N or with N - 1 is no mistake."""
    nll, half, bits = np.asarray(f(-np.tile([1.0, 3.0, 2.0, 9.0], 200), 6), float)
    return [nll, np.round(np.log(half), 1), bits]


INTERVAL = Exercise(
    id="nll-interval",
    title="a test NLL that one can quote",
    target="answer:report",
    kind="measure",
    minutes=15,
    difficulty=2,
    read="the docstring of models/autoregressive.py (nats, bits/dim)",
    task="log_prob (N,): the log-probability of each test example in nats; dim: D, the pixels of each. Return three numbers: "
         "the mean negative log-likelihood in nats; half the width of the 95 % confidence interval of that mean, 1.96 standard "
         "errors; and bits per dimension. (Use the standard deviation with N or with N - 1: for 10,000 examples it is the "
         "same.)\nThe check also draws 400 test sets and counts how often your interval holds the truth.",
    answer='''\
import numpy as np


def report(log_prob, dim):
    """(N,), int -> (nll, half_width, bits_per_dim)"""
    nll = -np.mean(log_prob)
    half_width = 1.96 * np.std(log_prob) / np.sqrt(len(log_prob))
    return nll, half_width, nll / (dim * np.log(2))
''',
    check=(interval_by_hand, interval_sizes, interval_covers),
    probe=interval_probe,
    hints=(
        "You measure the same model on ten times as many examples. What happens to the spread of the examples, and what to "
        "your knowledge of their mean?",
        "Standard error = standard deviation / sqrt(N). 1 bit = ln 2 nats.",
        "nll = -log_prob.mean(); half = 1.96 * log_prob.std() / sqrt(N); bits = nll / (dim * ln 2)",
    ),
    why="On 10,000 digits the half width is about .45 nats: two models that differ by less cannot be told apart by their means "
        "alone.",
    wrong={
        "sum_for_mean": ((("nll = -np.mean(log_prob)", "nll = -np.sum(log_prob)"),), "the sum over the test set is returned, not the mean."),
        "variance": ((("np.std(log_prob)", "np.var(log_prob)"),), "the variance stands where the standard deviation was meant."),
        "forgets_root_n": (((" / np.sqrt(len(log_prob))", ""),), "this is the spread of single examples; the mean of N of them is known sqrt(N) times better."),
        "divides_by_n": ((("np.sqrt(len(log_prob))", "len(log_prob)"),), "divided by N: the standard error falls with the square root of N."),
        "one_sigma": ((("1.96 * ", ""),), "one standard error holds the truth in 68 % of cases only; 95 % needs 1.96."),
        "full_width": ((("1.96 * ", "3.92 * "),), "this is the whole width of the interval: half of it was asked for."),
        "forgets_ln2": ((("nll / (dim * np.log(2))", "nll / dim"),), "nats per dimension: for bits divide by ln 2."),
        "forgets_dim": ((("nll / (dim * np.log(2))", "nll / np.log(2)"),), "bits per example: divide by the number of dimensions, too."),
        "multiplies_ln2": ((("nll / (dim * np.log(2))", "nll / dim * np.log(2)"),), "multiplied by ln 2 where it should be divided: a nat is more than a bit."),
        "log_likelihood": ((("nll = -np.mean(log_prob)", "nll = np.mean(log_prob)"),), "this is the mean log-likelihood: the *negative* one is positive."),
    },
    right={
        "n_minus_1": """\
import numpy as np


def report(log_prob, dim):
    n = len(log_prob)
    mean = sum(log_prob) / n
    variance = sum((v - mean) ** 2 for v in log_prob) / (n - 1)
    return [-mean, 1.96 * (variance / n) ** 0.5, -mean / dim / np.log(2)]
""",
        "array": """\
import numpy as np


def report(log_prob, dim):
    nll = -np.asarray(log_prob)
    return np.array([nll.mean(), 1.96 * np.sqrt(nll.var() / nll.size), np.log2(np.e) * nll.mean() / dim])
""",
    },
)  # fmt: skip

# ---- the order of a difference


def order_known(get):
    """Forward differences have order 1, central ones 2, a fourth-order formula 4"""
    order = get("answer:order")
    f, x = np.sin, 0.7
    formulas = {
        1: lambda h: (f(x + h) - f(x)) / h,
        2: lambda h: (f(x + h) - f(x - h)) / (2 * h),
        4: lambda h: (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h),
    }
    for p, formula in formulas.items():
        got = float(order(formula, np.cos(x)))
        if not abs(got - p) < 0.05:
            raise Failed(f"order(formula, cos .7) of a difference formula of order {p} for sin at .7\nexpected {p} +- .05\ngot      {got:.4g}")


def order_signs(get):
    """The sign and the size of the error do not matter"""
    for size in (3.0, -3.0, 1e-3):
        got = float(get("answer:order")(lambda h: 2.0 + size * h**1.5, 2.0))  # noqa: B023
        if not abs(got - 1.5) < 0.05:
            raise Failed(f"order(lambda h: 2 + {size:g} * h ** 1.5, 2)\nexpected 1.5 +- .05\ngot      {got:.4g}")


def order_probe(f, get):
    """Which steps it tries, too small or too large, and the slope of an error that is a pure power."""
    steps = []
    found = float(f(lambda h: steps.append(h) or 3 * h**1.5, 0.0))
    return [float(min(steps) < 1e-3), float(max(steps) > 0.2), found]


ORDER = Exercise(
    id="difference-order",
    title="of which order is a difference formula?",
    target="answer:order",
    kind="measure",
    minutes=25,
    difficulty=2,
    read="the docstring of minigrad/gradcheck.py",
    task="formula(h) is an approximation of the number `exact`, with a step h; its error is about C h^p as long as rounding "
         "does not matter. *Measure* p: call formula with several h and return the slope of log |error| against log h. Mind "
         "that for h below about 1e-4 a good formula's error is rounding, not C h^p, and that for h near 1 it is not C h^p "
         "yet. Within .05 of the true p.",
    answer='''\
import numpy as np


def order(formula, exact):
    """a function of a number, a number -> a number"""
    h = np.logspace(-2.5, -1.5, 9)
    errors = np.array([abs(formula(step) - exact) for step in h])
    return np.polyfit(np.log(h), np.log(errors), 1)[0]
''',
    check=(order_known, order_signs),
    equivalent={"2.5 -> 2.575": "steps a little smaller", "1.5 -> 1.545": "steps a little smaller", "9 -> 10": "one step more"},
    probe=order_probe,
    hints=(
        "If the error is C h^p, what does a plot of log error against log h look like?",
        "log error = log C + p log h: p is the slope. Two steps are enough, a fit over several is better.",
        "h = np.logspace(-2.5, -1.5, 9); errors = |formula(h) - exact|; return np.polyfit(log h, log errors, 1)[0]",
    ),
    why="gradcheck uses central differences with a step of 1e-5: there the error h^2 and the rounding 1e-16 / h are both about "
        "1e-10.",
    wrong={
        "rounding": ((("np.logspace(-2.5, -1.5, 9)", "np.logspace(-13, -11, 9)"),), "with steps this small the error is rounding, which *grows* as h falls."),
        "too_large": ((("np.logspace(-2.5, -1.5, 9)", "np.logspace(-0.3, 0.3, 9)"),), "with steps near 1 the error is not yet C h^p."),
        "intercept": ((("1)[0]", "1)[1]"),), "this is the intercept log C: the slope was asked for."),
        "semilog": ((("np.polyfit(np.log(h)", "np.polyfit(h"),), "log error against h is no straight line: take the logarithm of h, too."),
        "no_logs": ((("np.polyfit(np.log(h), np.log(errors), 1)", "np.polyfit(h, errors, 1)"),), "a line through the errors themselves gives C, if p is 1, and never p."),
        "inverse": ((("np.polyfit(np.log(h), np.log(errors), 1)", "np.polyfit(np.log(errors), np.log(h), 1)"),), "the axes are exchanged: this is 1 / p."),
        "flipped": ((("    return np.polyfit", "    return -np.polyfit"),), "the sign is flipped: the error falls together with h."),
    },
    right={
        "two_steps": """\
import math


def order(formula, exact):
    a, b = abs(formula(0.01) - exact), abs(formula(0.02) - exact)
    return math.log2(b / a)
""",
        "lstsq": """\
import numpy as np


def order(formula, exact):
    h = 2.0 ** -np.arange(5, 9)
    A = np.stack([np.log(h), np.ones(len(h))], axis=1)
    e = np.log([abs(formula(s) - exact) for s in h])
    return float(np.linalg.lstsq(A, e, rcond=None)[0][0])
""",
    },
)  # fmt: skip

EXERCISES = (GROUPS, MIXTURE, POSTERIOR, INTERVAL, ORDER)
