r"""Exercises over what a density can be asked: the rest of an image, and the probability of any part of it."""

import numpy as np

from .density_any_order import log_terms, network
from .exercise import Exercise, Failed, expect
from .museum_tools import states

# ---- the rest of an image


def copies(get):
    """4 bits in the order 2, 0, 1, 3, as good as certain: x_2 = 0 unless observed, x_0 copies x_2, x_1 copies x_0, x_3 is not x_1."""
    model = network(get, 4, [2, 0, 1, 3], seed=None)
    model.b.data[:] = [-20.0, -20.0, -20.0, 20.0]
    for before, d, w in ((2, 0, 40.0), (0, 1, 40.0), (1, 3, -40.0)):
        model.W.data[before, d] = w
    return model


def fill_certain(get):
    """By hand: conditionals that are 0 or 1"""
    call = "order [2 0 1 3]; x_2 = 0 unless it is observed, x_0 copies x_2, x_1 copies x_0, x_3 is not x_1:\nfill of"
    for known, x, want in (
        ([0, 0, 1, 0], [[0, 0, 1, 1], [1, 1, 0, 0]], [[1, 1, 1, 0], [0, 0, 0, 1]]), ([1, 0, 1, 0], [[0, 1, 1, 1], [1, 0, 0, 1]], [[0, 0, 1, 1], [1, 1, 0, 0]]),
        ([1, 1, 1, 1], [[0, 1, 1, 1], [1, 0, 0, 0]], [[0, 1, 1, 1], [1, 0, 0, 0]]), ([0, 0, 0, 0], [[1, 1, 1, 0]], [[0, 0, 0, 1]]),
    ):  # fmt: skip
        x = np.array(x, float)
        before, observed = x.copy(), np.tile(np.array(known, bool), (len(x), 1))
        got = copies(get).fill(x, observed, np.random.default_rng(0))
        expect(got, np.array(want), f"{call} x = {str(before.astype(int)).replace(chr(10), ',')} with observed = {known}: it")
        expect(x, before, f"x after fill with observed = {known}: it must stay as it is")


def fill_brute(get):
    """The share of each completion is p(x_rest | x_O), from all 16 states"""
    all_states, B = states(4), 3000
    for seed in range(2):
        model = network(get, 4, np.random.default_rng(seed).permutation(4), seed + 1)
        p = np.exp(log_terms(model, all_states).sum(axis=1))
        for m in range(4):
            known = np.isin(np.arange(4), model.order[:m])
            x = all_states[6 + 3 * seed]
            got = model.fill(np.tile(x, (B, 1)).astype(float), np.tile(known, (B, 1)), np.random.default_rng(10 * m + seed))
            if np.shape(got) != (B, 4) or not np.isin(got, (0, 1)).all() or (np.asarray(got)[:, known] != x[known]).any():
                raise Failed(f"fill of {B} times x = {x}, observed = {known.astype(int)}: ({B}, 4) bits are wanted, the observed ones as they are")
            index = np.asarray(got, int) @ 2 ** np.arange(4)
            fits = (all_states[:, known] == x[known]).all(axis=1)
            for k in np.flatnonzero(fits):
                want, share = p[k] / p[fits].sum(), (index == k).mean()
                if abs(share - want) > 5 * np.sqrt(want * (1 - want) / B):
                    raise Failed(f"fill of {B} times x = {x}, observed = {known.astype(int)}, order {model.order}, random weights:\n"
                                 f"the share of {all_states[k]} is {share:.4f}; p(x_rest | x_O) is {want:.4f}")  # fmt: skip


def fill_rows(get):
    """Rows with different observed sets in one batch; each draws by itself; the same seed gives the same bits"""
    model, ranks = copies(get), np.argsort([2, 0, 1, 3])
    observed = ranks[None] < np.array([[0], [1], [2], [3], [4]])
    want = np.array([[0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 1, 1]])
    expect(model.fill(np.tile([0.0, 1, 1, 1], (5, 1)), observed, np.random.default_rng(0)), want,
           "order [2 0 1 3], as by hand: fill of 5 times x = [0 1 1 1], of which the first 0, 1, 2, 3, 4 in the order are observed: it")  # fmt: skip
    coins = network(get, 12, seed=None)
    x, known = np.zeros((200, 12)), np.zeros((200, 12), bool)
    got = np.asarray(coins.fill(x, known, np.random.default_rng(0)), int)
    expect(np.asarray(coins.fill(x, known, np.random.default_rng(0)), int), got, "12 fair coins, fill of 200 rows with the same seed again: it")
    for name, table in (("rows", got), ("columns", got.T)):
        alike = np.corrcoef(table - 0.5 + 1e-9 * np.arange(table.shape[1]))[np.triu_indices(len(table), 1)]
        if np.abs(alike).mean() > 0.6 or np.ptp(table) == 0:
            raise Failed(f"12 fair coins, fill of 200 rows with nothing observed: the {name} depend on each other (mean |correlation| {np.abs(alike).mean():.2f})")


def probe_fill(f, get):
    """Numbers that do not depend on what was drawn: certain completions; what those of fair coins are like."""
    rng, x = np.random.default_rng(0), np.array([[0.0, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 0]])
    certain = [f(copies(get), x, np.tile(np.argsort([2, 0, 1, 3]) < m, (3, 1)), rng) for m in (0, 1, 2, 4)]
    bits = np.asarray(f(network(get, 12, seed=None), np.ones((80, 12)), np.zeros((80, 12), bool), rng), float)
    like = [(bits == bits[:1]).all(), (bits == bits[:, :1]).all(), (bits == 1).all(), (bits == 0).all()]
    return np.concatenate([*map(np.ravel, certain), like]).astype(float)


DRAW = "self.draw(np.where(observed, np.where(x == 1, -1.0, 2.0), u))"
FILL = Exercise(
    id="fill-the-rest",
    title="the rest of an image",
    target="models.completion:Completion.fill",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="draw in models/fvsbn.py, and what models/autoregressive.py says of it",
    task="Of each example, x (B, D) bits, observed (B, D) bool says what is known; these variables come first in the model's order self.order (it has been checked), and each row may know another "
         "number of them. Return bits (B, D): what is observed as it is, the rest drawn from p(x_rest | x_O) with the NumPy Generator rng, each row by itself; what x holds where nothing is observed must not count. x stays as it is.\n"
         "The model has self.draw(u), uniform numbers (n, D) -> bits (n, D), which goes through the order and sets x_d = 1 where u_d < p(x_d = 1 | x_<d); and self.conditionals(x), all p(x_d = 1 | x_<d).",
    check=(fill_certain, fill_brute, fill_rows),
    probe=probe_fill,
    hints=(
        "The variables after an observed one must see it. Could an observed bit pass for a draw?",
        "x_d = 1[u_d < p] with 0 <= p <= 1: u_d = -1 gives 1 for sure, u_d = 2 gives 0 for sure.",
        "u = rng.random(x.shape); where observed, u = -1 if x = 1 else 2; return self.draw(u)",
    ),
    why="A completion is a sample some of whose draws are settled, so every model that can sample can complete, at the same price. It is exact only because what is observed comes first: a later "
        "observation would have to change the draws before it.",
    equivalent={
        "1.0 -> 1.03": "every u below 0 gives a 1",
        "2.0 -> 2.06": "every u of 1 or more gives a 0",
    },
    wrong={
        "pasted_over": (((DRAW, "np.where(observed, x, self.draw(u))"),), "a whole example is drawn, and the observed bits are pasted over it: the rest then never saw them, and comes from p(x_rest | a drawn x_O)."),
        "all_at_once": (((DRAW, "np.where(observed, x, u < self.conditionals(np.where(observed, x, 0)))"),), "the rest is drawn in a single pass in which what is hidden counts as 0: a drawn bit must be seen by those after it."),
        "peeks": (((DRAW, "np.where(observed, x, u < self.conditionals(x))"),), "the conditionals are those of the x that was handed in: what is hidden is looked at."),
        "the_wrong_way_round": ((("np.where(x == 1, -1.0, 2.0)", "np.where(x == 1, 2.0, -1.0)"),), "the observed bits come out reversed: a bit is 1 where u is *below* p, so a 1 wants a small u."),
        "keeps_the_hidden": ((("np.where(observed, ", "np.where(~observed, "),), "what is hidden is kept, and what is observed is drawn: the mask is reversed."),
        "most_probable": ((("u = rng.random(x.shape)", "u = np.full(x.shape, 0.5)"),), "the more probable value is taken each time: that is no draw, and all completions are the same."),
        "one_number_for_a_row": ((("u = rng.random(x.shape)", "u = np.broadcast_to(rng.random((len(x), 1)), x.shape)"),), "one random number serves all variables of a row: each needs its own."),
        "one_row_for_all": ((("u = rng.random(x.shape)", "u = np.broadcast_to(rng.random(x.shape[1]), x.shape)"),), "all rows are drawn with the same random numbers: they are no independent completions."),
    },
    right={
        "in_the_order": """\
def fill(self, x, observed, rng):
    filled = np.where(observed, x, 0)
    for d in self.order:
        p = self.conditionals(filled)[:, d]
        drawn = rng.random(len(x)) < p
        filled[:, d] = np.where(observed[:, d], filled[:, d], drawn)
    return filled
""",
        "row_by_row": """\
def fill(self, x, observed, rng):
    rows = []
    for bits, known in zip(x, observed):
        u = rng.uniform(size=self.dim)
        for d in range(self.dim):
            if known[d]:
                u[d] = -np.inf if bits[d] else np.inf
        rows.append(self.draw(u[None])[0])
    return np.array(rows)
""",
    },
)  # fmt: skip

# ---- the probability of any part


class Counting:
    """A FVSBN that counts how many rows its network is asked for."""

    def __init__(self, get, dim, order, seed):
        self.model, self.rows = network(get, dim, order, seed), 0
        logits = self.model.logits

        def counted(x):
            self.rows += len(x)
            return logits(x)

        self.model.logits = counted


def part_by_hand(get):
    """By hand: two dependent pixels, the second one observed"""
    model = network(get, 2, [1, 0], seed=None)
    model.b.data[:], model.W.data[1, 0] = [np.log(0.25), np.log(0.25)], np.log(16.0)  # p(x_1 = 1) = .2, p(x_0 = 1 | x_1) = .2 or .8
    x, call = np.array([[1, 0], [0, 1]]), "order [1 0], p(x_1 = 1) = .2, p(x_0 = 1 | x_1) = .2 or .8:\nlog_marginal(model, [[1 0], [0 1]], observed ="
    for observed, want in (([True, False], [0.2 * 0.8 + 0.8 * 0.2, 0.8 * 0.8 + 0.2 * 0.2]), ([False, True], [0.8, 0.2]), ([True, True], [0.8 * 0.2, 0.2 * 0.2]), ([False, False], [1.0, 1.0])):
        expect(get("answer:log_marginal")(model, x, np.array(observed)), np.log(want), f"{call} {observed})", atol=1e-9)


def part_brute(get):
    """Every part of 5 bits, from all 32 states"""
    everything = states(5)
    for seed in range(2):
        model = network(get, 5, np.random.default_rng(seed).permutation(5), seed + 1)
        p, x = np.exp(log_terms(model, everything).sum(axis=1)), everything[[3, 12, 22]]
        for observed in everything.astype(bool):
            want = [p[(everything[:, observed] == row[observed]).all(axis=1)].sum() for row in x]
            given = x.copy()
            expect(get("answer:log_marginal")(model, given, observed), np.log(want), f"log_marginal of 3 states, observed = {observed.astype(int)}, order {model.order}, random weights,", atol=1e-9)
            expect(given, x, "x after log_marginal: it must stay as it is")


def part_cost(get):
    """Only what comes before the last observed variable is enumerated"""
    order = np.random.default_rng(0).permutation(14)
    for places, n in (((0, 4), 3), ((), 0), ((0, 1, 2), 0), ((3,), 3)):
        counting = Counting(get, 14, order, 1)
        observed = np.isin(np.arange(14), order[list(places)])
        get("answer:log_marginal")(counting.model, states(14)[[77, 9000]], observed)
        if counting.rows > 2 * 14 * 2**n:
            raise Failed(f"log_marginal of 2 examples of 14 bits, {len(places)} observed, {n} hidden before the last of them in the order:\nthe model was asked for {counting.rows} rows; at most 14 * 2^{n} an example are allowed")


def part_far(get):
    """A part with log p of about -1500"""
    model = network(get, 3, [0, 1, 2], seed=None)
    model.b.data[:] = [0.0, -1500.0, -1501.0]
    with np.errstate(all="ignore"):
        got = get("answer:log_marginal")(model, np.array([[1, 1, 0], [1, 0, 0]]), np.array([False, True, True]))
    expect(got, np.array([-1500.0, 0]), "independent bits, log p(x_1 = 1) = -1500, log p(x_2 = 1) = -1501: log_marginal(model, [[1 1 0], [1 0 0]], observed = [0 1 1])", atol=1e-9)


def probe_part(f, get):
    """Marginals near and far, and whether too many rows were asked for."""
    model, far, x = network(get, 5, [3, 0, 4, 1, 2], 4), network(get, 2, seed=None), states(5)[[3, 12, 22, 31]]
    far.b.data[:] = [0.0, -1500.0]
    counting = Counting(get, 10, np.arange(10)[::-1], 1)
    with np.errstate(all="ignore"):
        near = [f(model, x, np.array(o, bool)) for o in ([0, 1, 0, 0, 0], [1, 0, 0, 0, 1], [0, 0, 1, 1, 0], [1, 1, 1, 1, 1])]
        last = f(far, np.array([[1, 1]]), np.array([False, True]))
        f(counting.model, states(10)[:1], np.arange(10) == 9)
    return np.nan_to_num(np.concatenate([*map(np.ravel, near), np.ravel(last), [counting.rows > 10]]).astype(float), nan=-7e9, neginf=-8e9)


REGION = Exercise(
    id="any-part",
    title="the probability of any part of an image",
    target="answer:log_marginal",
    kind="variant",
    minutes=30,
    difficulty=3,
    read="the docstring of models/completion.py, log_marginals and log_conditionals in it",
    task="`model.log_marginal` refuses a part whose variables do not come first in the order. Write one that does not. model: an autoregressive model over D bits with model.order (order[k] is the variable that "
         "comes k-th) and model.log_conditionals(x), log p(x_d | x_<d) for all d, bits (B, D) -> array (B, D); x (B, D) bits; observed (D,) bool. Return log p(x_O), (B,), in nats: exact, by summing out what has to "
         "be summed out. What x holds where nothing is observed must not count, and x stays as it is. With n hidden variables before the last observed one (in the order), ask the model for at most D 2^n rows for each "
         "example; hidden variables after it cost nothing. It must be right where log p(x_O) is about -1500.",
    answer='''\
import numpy as np


def log_marginal(model, x, observed):
    """model, (B, D) bits, (D,) bool -> (B,), in nats"""
    places = np.flatnonzero(observed[model.order])
    asked = model.order[: places[-1] + 1] if len(places) else model.order[:0]
    hidden = asked[~observed[asked]]
    fillings = np.array(list(np.ndindex(*[2] * len(hidden))), int)
    terms = []
    for filling in fillings:
        filled = x.copy()
        filled[:, hidden] = filling
        terms.append(model.log_conditionals(filled)[:, asked].sum(axis=1))
    top = np.max(terms, axis=0)
    return top + np.log(np.exp(terms - top).sum(axis=0))
''',
    check=(part_by_hand, part_brute, part_far, part_cost),
    probe=probe_part,
    equivalent={
        "1 -> 2": "one hidden variable too many is summed out: as right, and within the cost that the task allows",
        "0 -> 1": "where nothing is observed, one hidden variable is summed out: as right, and within the cost that the task allows",
        "filled[:, hidden] = filling -> filled[:, hidden] = filling * 1.03": "x holds whole numbers, in which 1.03 is 1",
    },
    hints=(
        "Which factors of the chain rule contain an observed variable, on either side of the bar? The hidden ones among them: what is their sum if they come last?",
        "p(x_O) = sum over the values of the hidden variables before the last observed one of the product of p(x_d | x_<d) over all d up to that one, observed or hidden.",
        "asked = order up to the last observed; hidden = asked without the observed; for each of the 2^n fillings: x with it, log_conditionals[:, asked].sum(axis=1); logsumexp of these over the fillings",
    ),
    why="A hidden variable after the last observed one sums to 1 by itself; one before it changes all later conditionals, and there is no way around the 2^n terms for a model with one order. So the library "
        "refuses, or takes an order-agnostic model, which puts what is observed first.",
    wrong={
        "hidden_is_zero": ((("np.array(list(np.ndindex(*[2] * len(hidden))), int)", "np.zeros((1, len(hidden)), int)"),), "the hidden variables before the observed ones are taken for 0: both of their values must be summed."),
        "hidden_as_given": ((("        filled[:, hidden] = filling\n", ""), ("np.array(list(np.ndindex(*[2] * len(hidden))), int)", "[0]")), "what x holds where it is hidden is believed: it must be summed out."),
        "not_weighed": ((("[:, asked].sum", "[:, asked[observed[asked]]].sum"),), "the conditionals of the observed variables are summed over the fillings, but each filling must be weighed by its own probability."),
        "fair_coins": ((("[:, asked].sum", "[:, asked[observed[asked]]].sum"), ("return top + ", "return -np.log(len(fillings)) + top + ")),
                       "the conditionals are averaged over all fillings as if the hidden bits were fair coins: each filling has a probability of its own."),
        "mean_of_the_fillings": ((("return top + ", "return -np.log(len(fillings)) + top + "),), "the joint probabilities are averaged over the fillings: they must be added, as they hold the filling's probability already."),
        "mean_of_logs": ((("return top + np.log(np.exp(terms - top).sum(axis=0))", "return np.mean(terms, axis=0)"),), "logarithms are averaged: probabilities are what adds up."),
        "best_filling": ((("return top + np.log(np.exp(terms - top).sum(axis=0))", "return top"),), "only the most probable filling counts: that is a maximum, no sum."),
        "order_of_the_data": ((("    places =", "    order = np.arange(x.shape[1])\n    places ="), ("observed[model.order]", "observed[order]"), ("model.order[: places[-1] + 1] if len(places) else model.order[:0]", "order[: places[-1] + 1] if len(places) else order[:0]")),
                              "`before` is taken for a smaller index: it is the model's order that counts."),
        "order_not_inverted": ((("    places =", "    order = np.argsort(model.order)\n    places ="), ("observed[model.order]", "observed[order]"), ("model.order[: places[-1] + 1] if len(places) else model.order[:0]", "order[: places[-1] + 1] if len(places) else order[:0]")),
                               "the inverse of the order is used: order[k] is the variable that comes k-th; its inverse gives the places."),
        "sums_out_everything": ((("model.order[: places[-1] + 1] if len(places) else model.order[:0]", "model.order"),), "the hidden variables after the last observed one are enumerated, too: they sum to 1 by themselves."),
        "underflows": ((("return top + np.log(np.exp(terms - top).sum(axis=0))", "return np.log(np.exp(terms).sum(axis=0))"),), "e^-1500 is 0, and its logarithm -inf: take the largest term out first."),
    },
    right={
        "all_fillings_at_once": """\
import numpy as np


def log_marginal(model, x, observed):
    D, in_order = x.shape[1], list(model.order)
    while in_order and not observed[in_order[-1]]:
        in_order.pop()
    hidden = [d for d in in_order if not observed[d]]
    n = len(hidden)
    fillings = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    filled = np.repeat(x[None], 2**n, axis=0)
    filled[:, :, hidden] = fillings[:, None, :]
    log_p = model.log_conditionals(filled.reshape(-1, D)).reshape(2**n, len(x), D)
    return np.logaddexp.reduce(log_p[:, :, in_order].sum(axis=2), axis=0)
""",
        "as_a_tree": """\
import numpy as np


def log_marginal(model, x, observed):
    last = max([k for k, d in enumerate(model.order) if observed[d]], default=-1)

    def rest(bits, k):
        if k > last:
            return np.zeros(len(x))
        d = model.order[k]
        if observed[d]:
            return model.log_conditionals(bits)[:, d] + rest(bits, k + 1)
        both = []
        for value in (0, 1):
            branch = bits.copy()
            branch[:, d] = value
            both.append(model.log_conditionals(branch)[:, d] + rest(branch, k + 1))
        return np.logaddexp(*both)

    return rest(np.where(observed, x, 0), 0)
""",
    },
)  # fmt: skip

EXERCISES = (FILL, REGION)
