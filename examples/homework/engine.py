r"""Exercises over minigrad/ and the density models."""

import numpy as np

from .exercise import Exercise, expect, slope

# ---- tanh


X, G = np.array([0.0, 0.5, -1.0]), np.array([2.0, -1.0, 0.5])


def tanh_by_hand(get):
    """By hand, at 0"""
    expect(get("minigrad.ops.elementwise:tanh_vjp")(np.ones(1), np.zeros(1), np.zeros(1)), np.ones(1), "tanh_vjp(g=[1], y=[0], x=[0])")


def tanh_differences(get):
    """Central differences; nothing is changed; float32 stays float32"""
    rule, g, y = get("minigrad.ops.elementwise:tanh_vjp"), G.copy(), np.tanh(X)
    expect(rule(g, y, X.copy()), g * slope(np.tanh, X, np.ones(3)), "tanh_vjp(g=[2, -1, .5], y=tanh(x), x=[0, .5, -1])", rtol=1e-6)
    expect(y, np.tanh(X), "y after tanh_vjp(g, y, x): the rule must not change it; it")
    expect(g, G, "g after tanh_vjp(g, y, x): the rule must not change it; it")
    single = np.float32([0.5])
    expect(rule(single, np.tanh(single), single), (0.5 / np.cosh(0.5) ** 2 * np.ones(1)).astype(np.float32), "tanh_vjp in float32", rtol=1e-5)


def tanh_second(get):
    """The second derivative, by the same rule on Tensors"""
    grad, t = get("minigrad:grad"), get("minigrad:Tensor")(X, requires_grad=True)
    (first,) = grad(np.tanh(t).sum(), t, create_graph=True)
    (second,) = grad(first.sum(), t)
    y = np.tanh(X)
    expect(second.data, -2 * y * (1 - y * y), "the second derivative of tanh at [0, .5, -1], by the same rule on Tensors")


TANH = Exercise(
    id="tanh-vjp",
    title="the gradient of tanh",
    target="minigrad.ops.elementwise:tanh_vjp",
    kind="rebuild",
    minutes=10,
    difficulty=1,
    read="minigrad/ops/elementwise.py, from exp_vjp to sqrt_vjp",
    task="Return the vector-Jacobian product of y = tanh x: g times dy/dx, entry by entry. g, y and x are arrays of one shape.",
    formula=(
        "∂y/∂x = 1 − y²: the output is at hand, so the input is not needed.",
        "Multiplied out, as NumPy takes twice as long for `1 - array` as for `array - array` when the arrays are small.",
    ),
    check=(tanh_by_hand, tanh_differences, tanh_second),
    probe=lambda f, get: f(np.array([2.0, -1.0, 0.5]), np.tanh([0.3, 0.5, -1.0]), np.array([0.3, 0.5, -1.0])),
    hints=(
        "What is the derivative of tanh at 0, and how does it change as |x| grows?",
        "d tanh x / dx = 1 - tanh² x, and tanh x is y.",
        "return g * (1 - y * y)",
    ),
    why="The library writes g - g * y * y: for small arrays NumPy takes twice as long for 1 - array as for array - array.",
    wrong={
        "tanh_twice": ((("g - g * y * y", "g * (1 - np.tanh(y) ** 2)"),), "tanh is applied to y, which is tanh x already."),
        "plus_sign": ((("g - g * y * y", "g + g * y * y"),), "the sign of y² is wrong: tanh grows slower, not faster, away from 0."),
        "input_for_output": ((("g - g * y * y", "g - g * x * x"),), "x stands where the output y was meant: the derivative is 1 - tanh² x."),
        "sign_flipped": ((("g - g * y * y", "g * y * y - g"),), "the sign is flipped."),
        "forgets_g": ((("g - g * y * y", "1 - y * y"),), "the upstream gradient g is missing: a rule returns g times the derivative."),
        "not_squared": ((("g - g * y * y", "g - g * y"),), "y stands where y² was meant."),
        "sigmoid": ((("g - g * y * y", "g * y * (1 - y)"),), "this is the derivative of the sigmoid, y (1 - y)."),
    },
    right={
        "factored": """\
def tanh_vjp(g, y, x):
    return g * (1 - y) * (1 + y)
""",
        "power": """\
def square(a):
    return a ** 2


def tanh_vjp(g, y, x):
    return g * (1 - square(y))
""",
    },
)

# ---- unbroadcast


def unbroadcast_shapes(get):
    """Every way of stretching, and none"""
    unbroadcast = get("minigrad.ops.primitive:unbroadcast")
    g = np.arange(12.0).reshape(3, 4)
    for shape in ((4,), (1, 4), (3, 1), (1, 1), (), (3, 4), (1,)):
        want = g.sum(axis=tuple(range(2 - len(shape))))
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 and want.shape[i] != 1)
        want = want.sum(axis=stretched, keepdims=True)
        expect(unbroadcast(g, shape), want, f"unbroadcast(g, {shape}) for g = arange(12.).reshape(3, 4)")
    two = np.arange(8.0).reshape(2, 4)
    expect(unbroadcast(two, (1, 4)), two.sum(axis=0, keepdims=True), "unbroadcast(g, (1, 4)) for g = arange(8.).reshape(2, 4)")


def unbroadcast_bias(get):
    """The gradient of a bias that is added to three rows"""
    Tensor, g = get("minigrad:Tensor"), np.arange(12.0).reshape(3, 4)
    b = Tensor(np.zeros(4), requires_grad=True)
    ((b + Tensor(np.zeros((3, 4)))) * Tensor(g)).sum().backward()
    expect(b.grad, g.sum(axis=0), "the gradient of a bias (4,) that was added to (3, 4)")


def probe_unbroadcast(function, get):
    """Shapes and numbers of two results."""
    results = [np.asarray(function(np.arange(12.0).reshape(3, 4), shape)) for shape in ((3, 1), (4,), (1, 1), ())]
    return np.concatenate([np.r_[r.ndim, r.ravel()] for r in results])


UNBROADCAST = Exercise(
    id="unbroadcast",
    title="undo broadcasting",
    target="minigrad.ops.primitive:unbroadcast",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="NumPy's rules of broadcasting; minigrad/autograd.py, where propagate calls unbroadcast",
    task="g is the gradient of something that was broadcast from `shape`. Sum it down to `shape`.",
    equivalent={"g.ndim > len(shape) -> g.ndim >= len(shape)": "a sum over no axes is the array itself"},
    formula=("Sum g down to `shape`: the adjoint of broadcasting is the sum over what was repeated.",),
    check=(unbroadcast_shapes, unbroadcast_bias),
    probe=probe_unbroadcast,
    hints=(
        "A bias (4,) was added to three rows. In how many entries of the output does its first number stand?",
        "Sum over the axes that `shape` lacks (they were added in front), and, keeping them, over those where it has 1.",
        "while g has more axes than shape: g = g.sum(axis=0)\nfor each axis where shape has 1: g = g.sum(axis, keepdims=True)",
    ),
    why="The library sums all new axes in one call, and only where something was stretched: most gradients pass untouched.",
    wrong={
        "first_axis_only": ((("return np.sum(g, axis=stretched, keepdims=True)", "return np.sum(g, axis=stretched[:1], keepdims=True)"),),
                            "only the first of several stretched axes is summed."),
        "new_axes_behind": ((("axis=tuple(range(g.ndim - len(shape)))", "axis=tuple(range(len(shape), g.ndim))"),), "the last axes are summed, but broadcasting adds new axes in front."),
        "mean": ((("return np.sum(g, axis=stretched, keepdims=True)", "return np.mean(g, axis=stretched, keepdims=True)"),),
                 "a mean where a sum was meant: every copy sends its gradient back, and they add up."),
        "loses_the_axis": ((("axis=stretched, keepdims=True", "axis=stretched"),), "the axis of length 1 is lost: keepdims=True keeps it."),
        "forgets_stretched": ((("return np.sum(g, axis=stretched, keepdims=True) if stretched else g", "return g"),),
                              "axes of length 1 that were stretched are not summed."),
        "forgets_new_axes": ((("if g.ndim > len(shape):", "if False:"),), "axes that broadcasting put in front are not summed."),
        "takes_the_first": ((("return np.sum(g, axis=stretched, keepdims=True) if stretched else g", "return g[tuple(slice(0, n) for n in shape)]"),),
                            "one copy's gradient is taken, the others are dropped."),
    },
    right={
        "loop": """\
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = np.sum(g, axis=0)
    for i, n in enumerate(shape):
        if n == 1:
            g = np.sum(g, axis=i, keepdims=True)
    return g
""",
        "reshape": """\
def unbroadcast(g, shape):
    padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i in range(g.ndim) if padded[i] == 1)
    return np.reshape(np.sum(g, axis=axes), shape)
""",
    },
)  # fmt: skip

# ---- MADE's masks


def masks_by_hand(get):
    """By hand: three inputs, four hidden units"""
    made = get("models.made:masks")([np.array([1, 2, 3]), np.array([1, 2, 1, 2])])
    call = "masks([[1, 2, 3], [1, 2, 1, 2]])"
    expect(len(made), 2, f"the number of masks in {call}")
    into = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]])
    out = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 1], [0, 0, 1]])
    expect(np.asarray(made[0], int), into, f"{call}[0], from the inputs into the hidden layer")
    expect(np.asarray(made[1], int), out, f"{call}[1], from the hidden layer into the outputs")


def masks_paths(get):
    """No path from a variable to itself or to an earlier one, one to every later one"""
    rng = np.random.default_rng(0)
    degrees = [rng.permutation(6) + 1, rng.permutation(np.arange(15) % 5) + 1, rng.permutation(np.arange(15) % 5) + 1]
    paths = np.eye(6, dtype=int)
    for number, M in enumerate(get("models.made:masks")(degrees)):
        expect(np.shape(M), ((6, 15), (15, 15), (15, 6))[number], f"the shape of mask {number} of 6 inputs and two hidden layers of 15: it")
        paths = paths @ np.asarray(M, int)
    late = degrees[0][:, None] >= degrees[0][None, :]
    expect(paths[late], np.zeros(late.sum(), int), "the number of paths from x_j to the logit of a variable that does not come after it")
    expect(paths[~late] > 0, np.ones((~late).sum(), bool), "whether there is a path from x_j to the logit of each later variable: it")


MASKS = Exercise(
    id="made-masks",
    title="the masks of MADE",
    target="models.made:masks",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of models/made.py, equations 12 and 13",
    task="Degrees of the input and of each hidden layer -> a list of masks (in, out), one into each hidden layer and one into "
         "the output.",
    check=(masks_by_hand, masks_paths),
    probe=lambda f, get: np.concatenate([np.ravel(M) for M in f([np.array([2, 1, 3]), np.array([1, 2, 1, 2]), np.array([2, 1])])]).astype(float),
    hints=(
        "May a hidden unit of degree 2 see the input of degree 2? May the output of degree 2 see that unit?",
        "Into a hidden layer: 1 where m_k >= m_j. Into the output: 1 where m_d > m_k, strictly.",
        "one mask for each pair of neighbouring layers: next[None, :] >= here[:, None]; then degrees[0][None, :] > last[:, None]",
    ),
    why="Booleans are enough; the model turns them into its own number type once.",
    wrong={
        "natural_order": ((("degrees[0][None, :] > degrees[-1][:, None]", "np.arange(1, len(degrees[0]) + 1)[None, :] > degrees[-1][:, None]"),),
                          "the outputs get the degrees 1 ... D of the natural order: an output has the degree of its own "
                          "input, degrees[0]."),
        "compares_with_input": ((("zip(degrees[:-1], degrees[1:])]", "zip([degrees[0]] * len(degrees), degrees[1:])]"),), "every hidden layer is compared with the input, not with the layer below it."),
        "output_mask_ge": ((("degrees[0][None, :] > degrees[-1][:, None]", "degrees[0][None, :] >= degrees[-1][:, None]"),),
                           "the output mask uses >=: each pixel sees itself, and the loss falls below anything ever published."),
        "hidden_mask_gt": ((("m_next[None, :] >= m[:, None]", "m_next[None, :] > m[:, None]"),),
                           "the hidden mask is strict: nothing is wrong with the sum of p, but most connections are gone."),
        "transposed": ((("m_next[None, :] >= m[:, None]", "m_next[:, None] >= m[None, :]"),), "the masks are transposed: they must be (in, out)."),
        "reversed": ((("m_next[None, :] >= m[:, None]", "m_next[None, :] <= m[:, None]"),), "the hidden inequality points the wrong way."),
        "forgets_output": ((("return hidden + [degrees[0][None, :] > degrees[-1][:, None]]", "return hidden"),), "the output mask is missing."),
    },
    right={
        "outer": """\
def masks(degrees):
    made = []
    for below, above in zip(degrees[:-1], degrees[1:]):
        made.append(np.less_equal.outer(below, above))
    made.append(np.less.outer(degrees[-1], degrees[0]))
    return made
""",
        "loops": """\
def masks(degrees):
    made = []
    for i, m in enumerate(degrees):
        last = i == len(degrees) - 1
        up = degrees[0] if last else degrees[i + 1]
        made.append(np.array([[b > a if last else b >= a for b in up] for a in m], dtype=float))
    return made
""",
    },
)  # fmt: skip

EXERCISES = (TANH, UNBROADCAST, MASKS)
