r"""Exercises over the density models: two rules and a kernel of the library, and next-door variants that it does not hold."""

import numpy as np

from . import density_more, optimisers
from .exercise import Exercise, expect, slope
from .museum_tools import sigmoid, states

# ---- the gradient of max


def max_by_hand(get):
    """By hand: one largest entry, two that tie"""
    rule = get("minigrad.ops.reductions:max_vjp")
    x = np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 0.0]])
    got = rule(np.array([10.0, 4.0]), np.array([3.0, 5.0]), x, axis=1)
    expect(got, np.array([[0, 10.0, 0], [2.0, 2.0, 0]]), "max_vjp(g=[10, 4], y=[3, 5], x=[[1, 3, 2], [5, 5, 0]], axis=1)")
    expect(rule(np.array(6.0), np.array(5.0), x), np.array([[0, 0, 0], [3.0, 3.0, 0]]), "max_vjp(g=6, y=5, the same x), over all entries,")


def max_differences(get):
    """Central differences, along every axis"""
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, 3, 4, 2))
    for axis in (0, 1, -1, (0, 2), None):
        for keepdims in (False, True):
            g = rng.standard_normal(np.max(x, axis=axis, keepdims=keepdims).shape)
            got = get("minigrad.ops.reductions:max_vjp")(g, np.max(x, axis=axis, keepdims=keepdims), x, axis=axis, keepdims=keepdims)
            expect(np.shape(got), x.shape, f"the shape of max_vjp(g, y, x, axis={axis}, keepdims={keepdims}) for x of shape {x.shape}: it")
            want = slope(lambda x: (g * np.max(x, axis=axis, keepdims=keepdims)).sum(), x, v)  # noqa: B023
            expect((got * v).sum(), want, f"max_vjp(g, y, x, axis={axis}, keepdims={keepdims}) in a random direction", rtol=1e-6)


MAX = Exercise(
    id="max-vjp",
    title="the gradient of a maximum",
    target="minigrad.ops.reductions:max_vjp",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="minigrad/ops/reductions.py from its beginning: keep_axes, sum and mean",
    task="The gradient of y = max x along `axis` (None, an int or a tuple, as in NumPy). g and y have the shape of the result, "
         "x is the input; return an array of the shape of x. Entries that are equally large share g equally, so that a maximum "
         "of two equal numbers is treated alike in both.",
    check=(max_by_hand, max_differences),
    probe=lambda f, get: np.concatenate([np.ravel(f(np.array([10.0, 4.0]), np.array([3.0, 5.0]), np.array([[1.0, 3, 2], [5, 5, 0]]), axis=1)) + np.zeros(6),
                                         np.ravel(f(np.array(6.0), np.array(5.0), np.array([[1.0, 3, 2], [5, 5, 0]]))) + np.zeros(6)]),
    formula=("g goes to the largest entry; several that are equally large share it equally",),
    hints=(
        "If the largest entry grows by a little, what does the maximum do? And if any other one does?",
        "dy/dx_i = 1[x_i = y] / (number of entries equal to y along the axis).",
        "largest = x == keep_axes(y, x, axis), as numbers; return keep_axes(g, x, axis) * largest / sum of largest along the "
        "axis, kept",
    ),
    why="keep_axes gives y and g their lost axes back, so that both broadcast against x. At a tie the maximum has no gradient; "
        "equal shares are the mean of those of its one-sided neighbours.",
    wrong={
        "first_of_ties": ("""\
def max_vjp(g, y, x, axis=None, keepdims=False):
    out = np.zeros(x.shape)
    if axis is None:
        out.flat[np.argmax(x)] = 1
    elif isinstance(axis, tuple):
        out = (x == keep_axes(y, x, axis)) * 1.0
    else:
        np.put_along_axis(out, np.expand_dims(np.argmax(x, axis=axis), axis), 1, axis)
    return keep_axes(g, x, axis) * out
""",
                          "the first of several largest entries gets everything: they should share."),
        "no_sharing": (((" * (largest / np.sum(largest, axis=axis, keepdims=True))", " * largest"),), "each of several largest entries gets all of g: together they get too much."),
        "shares_over_all": ((("np.sum(largest, axis=axis, keepdims=True)", "np.sum(largest)"),), "ties are counted over the whole array, not along the axis."),
        "sends_to_all": ((("(x == keep_axes(y, x, axis))", "(x <= keep_axes(y, x, axis))"),), "every entry gets a share: that is the gradient of the mean."),
        "forgets_g": ((("return keep_axes(g, x, axis) * ", "return "),), "the upstream gradient g is missing."),
        "takes_the_smallest": ((("(x == keep_axes(y, x, axis))", "(x == np.min(x, axis=axis, keepdims=True))"),), "the smallest entry gets the gradient, not the largest."),
        "drops_ties": ((("(largest / np.sum(largest, axis=axis, keepdims=True))", "largest * (np.sum(largest, axis=axis, keepdims=True) == 1)"),),
                       "entries that tie get nothing: they should share."),
    },
    right={
        "where": """\
def max_vjp(g, y, x, axis=None, keepdims=False):
    top = np.max(x, axis=axis, keepdims=True)
    hit = np.where(x == top, 1.0, 0.0)
    g = np.reshape(g, top.shape)
    return g * hit / hit.sum(axis=axis, keepdims=True)
""",
        "in_place": """\
def max_vjp(g, y, x, axis=None, keepdims=False):
    wide = np.broadcast_to(keep_axes(y, x, axis), x.shape)
    out = np.zeros_like(x)
    out[x == wide] = 1
    out /= np.count_nonzero(out, axis=axis, keepdims=True)
    return out * keep_axes(g, x, axis)
""",
    },
)  # fmt: skip

# ---- NADE's forward kernel


def nade_arrays(D=5, H=3, seed=0, B=4):
    """x, order, W, V, b, c of a small NADE."""
    rng = np.random.default_rng(seed)
    x = (rng.random((B, D)) < 0.6).astype(np.float64)
    return x, rng.permutation(D), *rng.standard_normal((2, D, H)), rng.standard_normal(D), rng.standard_normal(H)


def textbook(x, order, W, V, b, c, squash=sigmoid):
    """NADE's logits, one variable at a time, each hidden layer from the start."""
    logits = np.zeros(x.shape)
    for k, d in enumerate(order):
        before = order[:k]
        h = squash(x[:, before] @ W[before] + c)
        logits[:, d] = h @ V[d] + b[d]
    return logits


def forward_by_hand(get):
    """By hand: two pixels, one hidden unit"""
    W, V, b, c = np.array([[2.0], [7.0]]), np.array([[1.0], [10.0]]), np.array([0.5, -1.0]), np.array([0.0])
    for bit, h in ((0.0, 0.5), (1.0, sigmoid(2.0))):
        logits, a = get("models.nade:forward")(np.array([[bit, 1.0]]), np.array([0, 1]), W, V, b, c)
        expect(logits, np.array([[1.0, 10 * h - 1]]), f"the logits of x = [[{bit:.0f}, 1]] with W = [[2], [7]], V = [[1], [10]], b = [.5, -1], c = [0], order [0, 1]")
        expect(a, np.array([[2 * bit + 7]]), f"the last hidden sums a for the same x = [[{bit:.0f}, 1]]")


def forward_textbook(get):
    """Equal to a hidden layer made anew for each variable, in random orders"""
    for seed in range(3):
        arrays = nade_arrays(seed=seed)
        logits, a = get("models.nade:forward")(*arrays)
        x, order, W, *_, c = arrays
        expect(logits, textbook(*arrays), f"the logits of a random NADE with order {order.tolist()}")
        expect(a, x @ W + c, "the last hidden sums a, after all variables,")
        for now, before, name in zip(arrays, nade_arrays(seed=seed), ("x", "order", "W", "V", "b", "c")):
            expect(now, before, f"{name} after forward: it must stay as it is")


FORWARD = Exercise(
    id="nade-forward",
    title="NADE's one pass over the pixels, as a kernel",
    target="models.nade:forward",
    kind="rebuild",
    minutes=30,
    difficulty=3,
    read="models/nade.py: the docstring, and squash, switch_on and logit",
    task="Bits x (B, D), an order (D,), W, V (D, H), b (D,), c (H,) -> the logits (B, D), in data order, and the hidden sums a "
         "(B, H) after the last variable. The hidden layer of each example starts from c and changes only where a pixel is on. "
         "It is compiled: write plain loops.",
    check=(forward_by_hand, forward_textbook),
    probe=lambda f, get: np.concatenate([np.ravel(part) for part in f(*nade_arrays())]),
    hints=(
        "Which pixels may the logit of pixel d have seen when you write it down?",
        "a starts from c, h = sigmoid(a). In the order: logit_d = b_d + V_d . h first, then, if x_d is on, a += W_d and h = "
        "sigmoid(a).",
        "for d in order: for i in range(B): logits[i, d] = logit(b[d], V[d], h[i]); if x[i, d]: switch_on(a[i], h[i], W[d])",
    ),
    why="The loop over d is outside: one row of V and W then serves the whole batch while it is in the fastest cache. A pixel "
        "that is off costs no sigmoid.",
    wrong={
        "columns_by_place": ((("for d in order:", "for k, d in enumerate(order):"), ("logits[i, d] =", "logits[i, k] =")),
                             "the logits stand in the order in which they are computed: column d belongs to variable d (data "
                             "order)."),
        "switches_first": ((("            logits[i, d] = logit(b[d], V[d], h[i])\n            if x[i, d]:\n                "
                             "switch_on(a[i], h[i], W[d])\n",
                             "            if x[i, d]:\n                switch_on(a[i], h[i], W[d])\n            logits[i, d] = "
                             "logit(b[d], V[d], h[i])\n"),),
                           "x_d is added before its own logit is written: each pixel sees itself."),
        "natural_order": ((("for d in order:", "for d in range(len(order)):"),), "the order is ignored: the pixels are visited from the first to the last."),
        "places_for_pixels": ((("logits[i, d] = logit(b[d], V[d], h[i])", "logits[i, order[d]] = logit(b[order[d]], V[order[d]], h[i])"),),
                              "order[d] is looked up although d comes from the order already: places are taken for pixels."),
        "forgets_c": ((("a[i] = c", "a[i] = 0"),), "the hidden sums start from 0: the bias c is missing."),
        "adds_always": ((("if x[i, d]:", "if True:"),), "W_d is added whether or not the pixel is on."),
        "forgets_sigmoid": ((("switch_on(a[i], h[i], W[d])", "a[i] += W[d]"),), "a changes, but h is never computed anew: all logits come from the first hidden layer."),
        "adds_to_h": ((("switch_on(a[i], h[i], W[d])", "h[i] += W[d]"),), "W_d is added to h, behind the sigmoid; it belongs to the sum a before it."),
    },
    right={
        "loops": """\
def forward(x, order, W, V, b, c):
    B, D = x.shape
    H = len(c)
    a = np.empty((B, H), W.dtype)
    logits = np.empty((B, D), W.dtype)
    for i in range(B):
        for k in range(H):
            a[i, k] = c[k]
        for d in order:
            z = b[d]
            for k in range(H):
                z += V[d, k] / (1 + np.exp(-a[i, k]))
            logits[i, d] = z
            for k in range(H):
                a[i, k] += W[d, k] * x[i, d]
    return logits, a
""",
        "examples_outside": """\
def forward(x, order, W, V, b, c):
    a, logits = np.empty((len(x), len(c)), W.dtype), np.empty(x.shape, W.dtype)
    h = np.empty_like(c)
    for i in range(len(x)):
        a[i] = c
        squash(a[i], h)
        for d in order:
            logits[i, d] = logit(b[d], V[d], h)
            if x[i, d] == 1:
                switch_on(a[i], h, W[d])
    return logits, a
""",
    },
)  # fmt: skip

# ---- the loss of a pixel, at +-1000


def bernoulli_by_hand(get):
    """By hand: a logit of 0, and one of log 3"""
    nll = get("minigrad.functional:bernoulli_nll")
    expect(nll(np.zeros(2), np.array([0.0, 1.0])), np.log([2.0, 2.0]), "bernoulli_nll(x=[0, 0], t=[0, 1])")
    x = np.log([3.0, 3.0, 1 / 3, 3.0])
    want = np.array([np.log(4 / 3), np.log(4), np.log(4), 0.25 * np.log(4 / 3) + 0.75 * np.log(4)])
    expect(nll(x, np.array([1, 0, 1, 0.25])), want, "bernoulli_nll(x=[log 3, log 3, -log 3, log 3], t=[1, 0, 1, .25])")


def bernoulli_large(get):
    """Logits of +-1000, in float64 and float32"""
    for kind in (np.float64, np.float32):
        x, t = np.array([[1000, -1000, 1000, -1000], [1, 0, 0, 1]], kind)
        with np.errstate(all="ignore"):
            got = get("minigrad.functional:bernoulli_nll")(x, t)
        expect(got, np.array([0, 0, 1000, 1000], kind), f"bernoulli_nll(x=[1000, -1000, 1000, -1000], t=[1, 0, 0, 1]) in {kind.__name__}", rtol=1e-6)


def bernoulli_small(get):
    """Losses of e^-30, on both sides"""
    for x, t in ((-30.0, 0.0), (30.0, 1.0)):
        got = get("minigrad.functional:bernoulli_nll")(np.array([x]), np.array([t]))
        expect(got, np.exp([-30.0]), f"bernoulli_nll(x=[{x:.0f}], t=[{t:.0f}]), which is e^-30,", rtol=1e-6, atol=0)


def bernoulli_differences(get):
    """Its slope is sigmoid(x) - t, by central differences; the inputs stay as they are"""
    x, t = np.array([[0.3, -2.0, 1.5, -0.7], [0.0, 1.0, 0.4, 0.5]])
    nll = get("minigrad.functional:bernoulli_nll")
    expect(slope(lambda x: nll(x, t), x, np.ones(4)), sigmoid(x) - t, "the slope of bernoulli_nll at x=[.3, -2, 1.5, -.7], t=[0, 1, .4, .5]", rtol=1e-6)
    expect(np.array([x[0], t[1]]), np.array([0.3, 1.0]), "x[0] and t[1] after bernoulli_nll(x, t): they must stay as they are; they")


BERNOULLI = Exercise(
    id="bernoulli-nll",
    title="the loss of a pixel, right at +-1000",
    target="minigrad.functional:bernoulli_nll",
    kind="rebuild",
    minutes=25,
    difficulty=2,
    read="minigrad/ops/elementwise.py: softplus, log1p_exp and log_sigmoid",
    task="-[t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))] in nats, entry by entry, for logits x and targets t in [0, 1], "
         "NumPy arrays of one shape and type, which the result has, too. It must be right for every x from -1000 to 1000, "
         "without NaN or inf. And a loss that is tiny must not be taken for 0: for x = 30, t = 1 and for x = -30, t = 0 it is "
         "about e^-30 = 9.36e-14, and must be right to 1 part in a million.",
    check=(bernoulli_by_hand, bernoulli_large, bernoulli_small, bernoulli_differences),
    probe=lambda f, get: np.nan_to_num(np.concatenate([f(*np.array([[0.5, -2.0, 1000.0, -1000.0], [0.0, 0.3, 0.0, 1.0]])), 1e13 * f(*np.array([[-30.0, 30.0], [0.0, 1.0]]))]), nan=-7e9),
    formula=(" = softplus(x) − t x = max(x, 0) − t x + log(1 + e^−|x|)",),
    hints=(
        "What does log(1 - sigmoid(x)) come to once sigmoid(x) is written out? Which exponential is never larger than 1, "
        "whatever the sign of x?",
        "It is log(1 + e^x) - t x, and log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).",
        "e = exp(-|x|); return (max(x, 0) - t * x) + log1p(e): first the large numbers, which cancel without loss, then the "
        "small one",
    ),
    why="max(x, 0) - t x is exact for t = 0 and 1, and the small logarithm comes last. log1p_exp does what "
        "np.log1p(np.exp(-abs(x))) does, in float32 twice as fast.",
    wrong={
        "textbook": ((("np.maximum(x, 0) - t * x + log1p_exp(x)", "-(t * np.log(sigmoid(x)) + (1 - t) * np.log(1 - sigmoid(x)))"),), "the sigmoid rounds to 0 or 1, and the logarithm of 0 is -inf: write the loss with the logit."),
        "clipped": ((("np.maximum(x, 0) - t * x + log1p_exp(x)", "-(t * np.log(np.clip(sigmoid(x), 1e-7, 1 - 1e-7)) + (1 - t) * np.log(1 - np.clip(sigmoid(x), 1e-7, 1 - 1e-7)))"),),
                    "the probability is clipped: then no loss is above 16.1 nats, and the gradient dies where the model is "
                    "most wrong."),
        "overflows": ((("np.maximum(x, 0) - t * x + log1p_exp(x)", "np.log(1 + np.exp(x)) - t * x"),), "e^1000 overflows: take max(x, 0) out, so that only e^-|x| is left."),
        "log_of_1_plus": ((("log1p_exp(x)", "np.log(1 + np.exp(-np.abs(x)))"),), "1 + e^-|x| loses the digits of e^-|x|, all of them from x = 37 on: log1p keeps them."),
        "softplus_first": ((("np.maximum(x, 0) - t * x + log1p_exp(x)", "softplus(x) - t * x"),), "a small number is added to a large one that is then taken off again: its digits are lost. Small ones last."),
        "no_bar": ((("log1p_exp(x)", "np.log1p(np.exp(-x))"),), "e^-x needs the bars, e^-|x|: for negative x it grows."),
        "only_pixels_that_are_on": ((("np.maximum(x, 0) - t * x + log1p_exp(x)", "-t * log_sigmoid(x)"),), "a pixel that is off costs nothing: the term with 1 - t is missing."),
        "wrong_way_round": ((("- t * x", "+ t * x - x"),), "0 and 1 are exchanged: this is the loss of the target 1 - t."),
    },
    right={
        "two_log_sigmoids": """\
def bernoulli_nll(x, t, /):
    return -t * log_sigmoid(x) - (1 - t) * log_sigmoid(-x)
""",
        "logaddexp": """\
def bernoulli_nll(x, t, /):
    return t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
""",
        "by_sign": """\
def bernoulli_nll(x, t, /):
    wrong_side = np.where(x > 0, 1 - t, t)
    return wrong_side * np.abs(x) + np.log1p(np.exp(-np.abs(x)))
""",
    },
)  # fmt: skip

# ---- softsign


def softsign_by_hand(get):
    """By hand"""
    rule = get("answer:softsign_vjp")
    expect(rule(np.ones(1), np.zeros(1), np.zeros(1)), np.ones(1), "softsign_vjp(g=[1], y=[0], x=[0])")
    expect(rule(np.array([8.0, 9.0]), np.array([0.5, -2 / 3]), np.array([1.0, -2.0])), np.array([2.0, 1.0]), "softsign_vjp(g=[8, 9], y=[1/2, -2/3], x=[1, -2])")


def softsign_differences(get):
    """Central differences; float32; nothing is changed"""
    g, x = np.array([2.0, -1.0, 0.5]), np.array([0.4, -1.3, 2.0])
    y = x / (1 + np.abs(x))
    want = g * slope(lambda x: x / (1 + np.abs(x)), x, np.ones(3))
    expect(get("answer:softsign_vjp")(g, y, x), want, "softsign_vjp(g=[2, -1, .5], y, x=[.4, -1.3, 2])", rtol=1e-6)
    expect(x, np.array([0.4, -1.3, 2.0]), "x after softsign_vjp: it must stay as it is")
    expect(g, np.array([2.0, -1.0, 0.5]), "g after softsign_vjp: it must stay as it is")
    expect(get("answer:softsign_vjp")(*np.float32([[8], [0.5], [1]])), np.float32([2]), "softsign_vjp(g=[8], y=[1/2], x=[1]) in float32", rtol=1e-6)


SOFTSIGN = Exercise(
    id="softsign-vjp",
    title="the gradient of softsign",
    target="answer:softsign_vjp",
    kind="variant",
    minutes=10,
    difficulty=1,
    read="minigrad/ops/elementwise.py, from exp_vjp to sqrt_vjp",
    task="Softsign, y = x / (1 + |x|), is a slower tanh, which the library does not have. Return its vector-Jacobian product, "
         "g times dy/dx, entry by entry; g, y and x are NumPy arrays of one shape, and the result has their type.",
    answer='''\
import numpy as np


def softsign_vjp(g, y, x):
    """(n,), (n,), (n,) -> (n,)"""
    s = 1 + np.abs(x)
    return g / (s * s)
''',
    check=(softsign_by_hand, softsign_differences),
    probe=lambda f, get: f(np.array([2.0, -1.0, 0.5]), np.array([0.4 / 1.4, -1.3 / 2.3, 2 / 3]), np.array([0.4, -1.3, 2.0])),
    hints=(
        "For x > 0 there is no bar: what is the derivative of x / (1 + x)? And for x < 0?",
        "dy/dx = 1 / (1 + |x|)^2 on both sides, 1 at 0: no kink.",
        "return g / (1 + np.abs(x)) ** 2",
    ),
    why="Since 1 - |y| = 1 / (1 + |x|), the rule can also be written with the output alone: g (1 - |y|)^2.",
    wrong={
        "forgets_the_sign": ((("g / (s * s)", "g * (s - x) / (s * s)"),), "in the quotient rule the derivative of |x| is the sign of x, not 1: for x < 0 the result is too large."),
        "arctan": ((("g / (s * s)", "g / (1 + x * x)"),), "this is the derivative of arctan: the square of 1 + |x| is not 1 + x²."),
        "not_squared": ((("g / (s * s)", "g / s"),), "the square is missing: by the quotient rule the denominator is squared."),
        "with_a_sign": ((("g / (s * s)", "g * np.sign(x) / (s * s)"),), "the sign of x has no place here: softsign grows on both sides of 0."),
        "no_bar": ((("1 + np.abs(x)", "1 + x"),), "the bars are missing: |x|, not x."),
        "forgets_g": ((("g / (s * s)", "1 / (s * s)"),), "the upstream gradient g is missing."),
        "tanhs": ((("g / (s * s)", "g * (1 - y * y)"),), "this is the derivative of tanh."),
    },
    right={
        "by_output": """\
import numpy as np


def softsign_vjp(g, y, x):
    return g * (1 - np.abs(y)) ** 2
""",
        "two_sides": """\
import numpy as np


def softsign_vjp(g, y, x):
    right, left = (1 + x) ** -2.0, (1 - np.minimum(x, 0)) ** -2.0
    return g * np.where(x >= 0, right, left)
""",
    },
)  # fmt: skip

# ---- NADE with tanh


def tanh_by_hand(get):
    """By hand: one pixel, two pixels"""
    log_prob = get("answer:log_prob")
    one = np.array([[0.0]]), np.array([0]), np.ones((1, 1)), np.array([[2.0]]), np.array([0.3]), np.array([0.5])
    z = 2 * np.tanh(0.5) + 0.3
    expect(log_prob(*one), np.array([-np.log(1 + np.exp(z))]), "log_prob of x = [[0]] with W = [[1]], V = [[2]], b = [.3], c = [.5]")
    two = np.array([[1.0, 1.0]]), np.array([0, 1]), np.array([[2.0], [7.0]]), np.array([[1.0], [3.0]]), np.array([0.5, -1.0]), np.zeros(1)
    want = -np.log1p(np.exp(-0.5)) - np.log1p(np.exp(-(3 * np.tanh(2.0) - 1)))
    expect(log_prob(*two), np.array([want]), "log_prob of x = [[1, 1]] with W = [[2], [7]], V = [[1], [3]], b = [.5, -1], c = [0]")


def tanh_sum(get):
    """Sum of p over all 32 states is 1, in any order"""
    for seed in range(3):
        _, *rest = nade_arrays(seed=seed)
        expect(np.exp(get("answer:log_prob")(states(5).astype(float), *rest)).sum(), 1.0, f"the sum of p over all states of 5 bits, order {rest[0].tolist()},")


def tanh_textbook(get):
    """Equal to a hidden layer made anew for each variable"""
    for seed in range(3):
        arrays = nade_arrays(seed=seed)
        z = textbook(*arrays, squash=np.tanh)
        x = arrays[0]
        expect(get("answer:log_prob")(*arrays), (x * z - np.logaddexp(0, z)).sum(axis=1), f"log_prob (B,) of a random NADE with order {arrays[1].tolist()}")


NADE_TANH = Exercise(
    id="nade-tanh",
    title="a NADE with tanh",
    target="answer:log_prob",
    kind="variant",
    minutes=35,
    difficulty=3,
    read="models/nade.py, the docstring; models/autoregressive.py, the notation",
    task="log p(x), (B,) in nats, of a NADE whose hidden units are tanh instead of sigmoid: h_d = tanh(a_d); the outputs stay "
         "Bernoulli. x (B, D) bits as floats, order (D,), W, V (D, H), b (D,), c (H,), NumPy arrays; order[k] is the variable "
         "that comes k-th.",
    answer='''\
import numpy as np


def log_prob(x, order, W, V, b, c):
    """(B, D) -> (B,)"""
    a, total = np.tile(c, (len(x), 1)), np.zeros(len(x))
    for d in order:
        z = np.tanh(a) @ V[d] + b[d]
        total += x[:, d] * z - np.logaddexp(0, z)
        a = a + x[:, d, None] * W[d]
    return total
''',
    check=(tanh_by_hand, tanh_sum, tanh_textbook),
    probe=lambda f, get: f(*nade_arrays()),
    hints=(
        "Which of the two squashing functions of NADE is swapped, that of the hidden layer or that of the output?",
        "logit_d = b_d + V_d . tanh(a); log p = sum over d of x_d logit_d - log(1 + e^logit_d); then a += W_d x_d.",
        "a = c for each example; for d in order: z = tanh(a) @ V[d] + b[d]; total += x[:, d] * z - np.logaddexp(0, z); a += "
        "x[:, d, None] * W[d]",
    ),
    why="Nothing else changes: the sum of p is 1 whatever the hidden units do, as long as each logit sees only what came before.",
    wrong={
        "mean_over_pixels": ((("return total", "return total / x.shape[1]"),), "the mean over the variables is returned: log p is their sum."),
        "squashes_a": ((("a = a + x[:, d, None] * W[d]", "a = np.tanh(a + x[:, d, None] * W[d])"),), "the sum a itself is squashed and added to; a stays a plain sum, and h = tanh(a) is made of it."),
        "places_for_pixels": ((("for d in order:", "for k, d in enumerate(order):"), ("@ V[d] + b[d]", "@ V[k] + b[k]"), ("* W[d]", "* W[k]")),
                              "the rows of W and V are taken by the place in the order; they belong to the variable."),
        "sees_itself": ((("        z = np.tanh(a) @ V[d] + b[d]\n        total += x[:, d] * z - np.logaddexp(0, z)\n        a = "
                          "a + x[:, d, None] * W[d]\n",
                          "        a = a + x[:, d, None] * W[d]\n        z = np.tanh(a) @ V[d] + b[d]\n        total += x[:, d] "
                          "* z - np.logaddexp(0, z)\n"),),
                        "x_d enters a before its own logit: each pixel sees itself, and the sum of p is not 1."),
        "still_sigmoid": ((("np.tanh(a)", "(1 / (1 + np.exp(-a)))"),), "the hidden units are still sigmoids."),
        "tanh_output": ((("z = np.tanh(a) @ V[d] + b[d]", "z = np.tanh(np.tanh(a) @ V[d] + b[d])"),), "the output is squashed, too: only the hidden layer changes."),
        "ignores_order": ((("for d in order:", "for d in range(len(order)):"),), "the order is ignored."),
        "half_the_likelihood": ((("total += x[:, d] * z - np.logaddexp(0, z)", "total += x[:, d] * (z - np.logaddexp(0, z))"),), "pixels that are off count nothing: log p(x_d = 0) is missing."),
        "forgets_c": ((("np.tile(c, (len(x), 1))", "np.zeros((len(x), len(c)))"),), "the hidden bias c is missing."),
        "negative": ((("return total", "return -total"),), "this is the negative log-likelihood: log p was asked for."),
    },
    right={
        "all_at_once": """\
import numpy as np


def log_prob(x, order, W, V, b, c):
    steps = x[:, order, None] * W[order]
    a = c + np.cumsum(steps, axis=1) - steps
    z = np.zeros(x.shape)
    z[:, order] = (np.tanh(a) * V[order]).sum(axis=2) + b[order]
    p = 1 / (1 + np.exp(-z))
    return np.log(np.where(x == 1, p, 1 - p)).sum(axis=1)
""",
        "one_by_one": """\
import math

import numpy as np


def one(x, order, W, V, b, c):
    a, total = list(c), 0.0
    for d in order:
        z = b[d] + sum(math.tanh(a[k]) * V[d][k] for k in range(len(a)))
        total -= math.log1p(math.exp(-z if x[d] else z))
        if x[d]:
            a = [a[k] + W[d][k] for k in range(len(a))]
    return total


def log_prob(x, order, W, V, b, c):
    return np.array([one(row, order, W, V, b, c) for row in x])
""",
    },
)  # fmt: skip

EXERCISES = (FORWARD, MAX, BERNOULLI, SOFTSIGN, NADE_TANH, *density_more.EXERCISES, *optimisers.EXERCISES)
