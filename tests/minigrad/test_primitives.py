"""Every primitive of minigrad.ops and every function of minigrad.functional: gradients of all orders, float types, kinks.

One table, CASES, holds them all; the tests walk it. A last group of tests looks after the kinks, where central
differences say nothing and the choice is a convention.
"""

import ast
import inspect
import textwrap
from typing import NamedTuple

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, gradcheck, ops
from minigrad.observe import observe
from minigrad.ops import Primitive


class Case(NamedTuple):
    covers: str  # the primitive or function that it is there for
    function: object  # takes Tensors
    inputs: object  # takes a generator, returns float64 arrays


CASES = {}


def case(covers, function, inputs, note=""):
    """Put a case into the table; its name is what pytest prints."""
    name = f"{covers} {note}".strip()
    assert name not in CASES, name
    CASES[name] = Case(covers, function, inputs)


def normal(*shapes):
    return lambda rng: [rng.standard_normal(shape) for shape in shapes]


def positive(*shapes):
    return lambda rng: [rng.uniform(0.5, 2.0, shape) for shape in shapes]


def distinct(*shapes):
    """No two numbers closer than 0.25, none closer to 0 than 0.1: far from every tie and every kink."""

    def draw(rng):
        n = sum(int(np.prod(shape)) for shape in shapes)
        numbers = (rng.permutation(n) - n // 2) / 4 + 0.1
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        return [part.reshape(shape) for part, shape in zip(np.split(numbers, ends), shapes)]

    return draw


PAIRS = [((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 1, 3), (4, 1)), ((), ())]
for x, y in PAIRS:
    shapes = f"{x} {y}"
    case("add", lambda x, y: x + y, normal(x, y), shapes)
    case("subtract", lambda x, y: x - y, normal(x, y), shapes)
    case("multiply", lambda x, y: x * y, normal(x, y), shapes)
    case("divide", lambda x, y: x / y, positive(x, y), shapes)
    case("power", lambda x, y: x**y, positive(x, y), shapes)
    case("maximum", np.maximum, distinct(x, y), shapes)
    case("minimum", np.minimum, distinct(x, y), shapes)
    case("where", lambda x, y: np.where(np.arange(4)[:, None, None, None] % 2 == 0, x, y), normal(x, y), shapes)
    case("bernoulli_nll", F.bernoulli_nll, normal(x, y), shapes)
case("where", lambda c, x, y: np.where(c, x, y), distinct((2, 3), (3,), (2, 1)), "with a condition that requires grad")
case("add", lambda x: x + x, normal((3,)), "to itself")
case("multiply", lambda x: x * x * x, normal((3,)), "by itself")
case("divide", lambda x: 2 / x, positive((3,)), "of a number")
for exponent in (2, 3, -1, 1, 0, 0.5):
    draw = positive if exponent in (-1, 0.5) else distinct  # whole exponents take negative bases
    case("power", lambda x, n=exponent: x**n, draw((2, 3)), f"{exponent}")
case("power", lambda x: 3.0**x, normal((2, 3)), "of a number")

for shape in ((), (5,), (2, 3)):
    case("negative", lambda x: -x, normal(shape), shape)
    case("exp", np.exp, normal(shape), shape)
    case("log", np.log, positive(shape), shape)
    case("sqrt", np.sqrt, positive(shape), shape)
    case("tanh", np.tanh, normal(shape), shape)
    case("sigmoid", ops.sigmoid, normal(shape), shape)
    case("relu", ops.relu, distinct(shape), shape)
    case("softplus", ops.softplus, normal(shape), shape)
    case("log_sigmoid", ops.log_sigmoid, normal(shape), shape)
    case("silu", F.silu, normal(shape), shape)
case("astype", lambda x: x.astype(x.dtype), normal((2, 3)))

for x, y in [
    ((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((2, 1, 2, 3), (5, 3, 4)), ((1, 3), (3, 1)),
]:  # fmt: skip
    case("matmul", lambda x, y: x @ y, normal(x, y), f"{x} {y}")

for axis in (None, 0, -1, (0, 2), (-1, 0), (0, 1, 2)):
    for keepdims in (False, True):
        choice = dict(axis=axis, keepdims=keepdims)
        note = f"{axis}{' keepdims' * keepdims}"
        case("sum", lambda x, choice=choice: np.sum(x, **choice), normal((2, 3, 4)), note)
        case("mean", lambda x, choice=choice: np.mean(x, **choice), normal((2, 3, 4)), note)
        case("max", lambda x, choice=choice: np.max(x, **choice), distinct((2, 3, 4)), note)
        case("logsumexp", lambda x, choice=choice: ops.logsumexp(x, **choice), normal((2, 3, 4)), note)
for axis in (0, 1, -1):
    case("cumsum", lambda x, axis=axis: np.cumsum(x, axis=axis) ** 2, normal((2, 3, 4)), axis)

for shape in ((6, 4), (-1,), (4, 1, 3, 2)):
    case("reshape", lambda x, shape=shape: x.reshape(shape), normal((2, 3, 4)), shape)
for axes in (None, (1, 2, 0), (-1, 0, 1), (0, -1, -2)):
    case("transpose", lambda x, axes=axes: np.transpose(x, axes), normal((2, 3, 4)), axes)
for shape in ((), (4,), (3, 1), (1, 3, 1)):
    case("broadcast_to", lambda x: np.broadcast_to(x, (2, 3, 4)), normal(shape), shape)

INDICES = {
    "integer": 1, "negative": -1, "NumPy integer": np.int64(2), "slice": slice(1, 3), "step": slice(None, None, -2),
    "ellipsis": (Ellipsis, 1), "new axis": (slice(None), None, 2), "list": [0, 2, 2], "array": np.array([[0, 1], [1, 3]]),
    "pairs": (np.array([0, 1, 0]), np.array([2, 2, 2])), "slice and list": (slice(1, None), [0, 0, 1]),
    "integer and array": (1, np.array([1, 1])), "mask": np.arange(12).reshape(4, 3) % 5 < 2,
    "row mask": np.array([True, False, True, True]), "empty": np.array([], int), "tuple": ((0, 0, 2), slice(None)),
}  # fmt: skip
for name, index in INDICES.items():
    size = np.zeros((4, 3))[index].shape
    case("getitem", lambda x, index=index: x[index], normal((4, 3)), name)
    case("scatter_add", lambda g, index=index: ops.scatter_add(g, index, (4, 3)), normal(size), name)

for axis in (0, 1, -1):
    case("concatenate", lambda x, y, z, axis=axis: np.concatenate([x, y, z], axis=axis) ** 2, normal(*[(2, 3)] * 3), axis)
    case("stack", lambda x, y, z, axis=axis: np.stack([x, y, z], axis=axis) ** 2, normal(*[(2, 3)] * 3), axis)
case("concatenate", lambda x, y: np.concatenate((x, y), 1), normal((2, 3), (2, 5)), "of two lengths")
case("concatenate", lambda x: np.concatenate([x, np.ones((1, 3), x.dtype), x]) ** 2, normal((2, 3)), "with itself and an array")
case("concatenate", lambda x: np.concatenate(x) ** 2, normal((2, 3)), "of the rows of a Tensor")
case("stack", lambda x: np.stack([x, x]) ** 2, normal((2, 3)), "with itself")

for dim in (-1, 0):
    case("softmax", lambda x, dim=dim: F.softmax(x, dim), normal((2, 3)), dim)
    case("log_softmax", lambda x, dim=dim: F.log_softmax(x, dim), normal((2, 3)), dim)
for shape in ((3,), (2, 3), (4, 2, 3)):
    case("linear", F.linear, normal(shape, (5, 3), (5,)), shape)
    case("linear", F.linear, normal(shape, (5, 3)), f"{shape} without bias")
    case("layer_norm", lambda x: F.layer_norm(x, 3), normal(shape), shape)
case("layer_norm", lambda x, w, b: F.layer_norm(x, (2, 3), w, b), normal((4, 2, 3), (2, 3), (2, 3)), "of two axes")
for reduction in ("mean", "sum", "none"):
    keyword = dict(reduction=reduction)
    case("mse_loss", lambda x, t, k=keyword: F.mse_loss(x, t, **k), normal((2, 3), (2, 3)), reduction)
    case(
        "binary_cross_entropy_with_logits",
        lambda x, t, k=keyword: F.binary_cross_entropy_with_logits(x, t, **k), normal((2, 3), (2, 3)), reduction,
    )  # fmt: skip
    case("cross_entropy", lambda x, k=keyword: F.cross_entropy(x, [0, 2, 2, 1], **k), normal((4, 3)), reduction)


PRIMITIVES = {p for module in (ops, F) for p in vars(module).values() if isinstance(p, Primitive)}
RULES = {rule for p in PRIMITIVES for rule in [*p.vjps, p.joint] if rule}
every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_first_derivatives_pass_gradcheck_at_1e_6(name):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        gradcheck(CASES[name].function, CASES[name].inputs(rng), rng=rng, rtol=1e-6)


@every_case
def test_derivatives_of_order_2_and_3_pass_gradcheck_at_1e_6(name):
    rng = np.random.default_rng(3)
    gradcheck(CASES[name].function, CASES[name].inputs(rng), rng=rng, order=3, rtol=1e-6, directions=1)


@every_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_float_type_of_the_inputs_is_that_of_data_gradients_and_second_gradients(name, dtype):
    inputs = [Tensor(x.astype(dtype), requires_grad=True) for x in CASES[name].inputs(np.random.default_rng(4))]
    y = CASES[name].function(*inputs)
    assert type(y.data) is np.ndarray and y.dtype == dtype
    gs = minigrad.grad((y * y).sum(), inputs, create_graph=True)
    assert [g.dtype for g in gs] == [dtype] * len(gs)
    sum((g * g).sum() for g in gs).backward()
    for x in inputs:
        assert type(x.grad) is np.ndarray and x.grad.dtype == dtype and x.grad.shape == x.shape


def test_every_rule_of_every_primitive_runs_in_some_case():
    """Watches which rules the cases run; a primitive added without a case, or with an untested input, fails here."""
    ran = set()

    class Watch:
        def forward(primitive, arrays, y):
            pass

        def backward(node, i, g, g_x):
            ran.add((node.primitive.__name__, 0 if node.primitive.joint else i))

    with observe(Watch):
        for name in CASES:
            inputs = [Tensor(x, requires_grad=True) for x in CASES[name].inputs(np.random.default_rng(5))]
            CASES[name].function(*inputs).sum().backward()
    rules = {(p.__name__, i) for p in PRIMITIVES for i, rule in enumerate(p.vjps or [p.joint]) if rule is not None}
    assert rules - ran == set()


def test_every_primitive_and_every_function_of_functional_has_a_case():
    ours = {name for name, f in vars(F).items() if inspect.isfunction(f) and f.__module__ == F.__name__ and f not in RULES}
    missing = (ours - {"reduce"} | {p.__name__ for p in PRIMITIVES}) - {c.covers for c in CASES.values()}
    assert missing == set()


def test_np_functions_find_the_primitive_of_their_name():
    assert {np.exp, np.add, np.matmul, np.where, np.sum, np.max, np.concatenate, np.transpose} <= ops.TABLE.keys()
    for function, p in ops.TABLE.items():
        assert function is p or getattr(np, p.__name__) is function


@pytest.mark.parametrize("rule", sorted(RULES, key=lambda rule: rule.__name__), ids=lambda rule: rule.__name__)
def test_a_rule_is_a_documented_function_of_a_module_neither_lambda_nor_closure(rule):
    """A rule is read, stepped through and swapped for an exercise's own: it must be found by its name."""
    assert inspect.isfunction(rule) and "<" not in rule.__qualname__ and rule.__closure__ is None
    assert getattr(inspect.getmodule(rule), rule.__name__) is rule
    assert rule.__doc__ and rule.__doc__.strip()


def test_a_forward_is_a_function_of_numpy_or_a_documented_one():
    for p in PRIMITIVES:
        assert isinstance(p.forward, np.ufunc) or p.forward.__doc__ and "<" not in p.forward.__qualname__, p


@pytest.mark.parametrize("p", sorted((p for p in PRIMITIVES if not p.first_order), key=repr), ids=repr)
def test_a_rule_that_can_be_differentiated_again_writes_nowhere(p):
    """`out=`, `a += b` and `a[i] = b` would leave no trace in the graph: second derivatives would be silently wrong."""
    for rule in RULES & {*p.vjps, p.joint}:
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(rule)))):
            assert not isinstance(node, ast.AugAssign)
            assert not (isinstance(node, ast.Assign) and any(isinstance(t, ast.Subscript) for t in node.targets))
            assert not (isinstance(node, ast.keyword) and node.arg == "out")


# ---- kinks


def derivative(function, *values):
    """f and its derivatives at a point, for numbers or lists."""
    inputs = [Tensor(np.array(v, np.float64), requires_grad=True) for v in values]
    y = function(*inputs)
    y.sum().backward()
    return y.data.tolist(), *[x.grad.tolist() for x in inputs]


def test_relu_has_slope_0_at_0():
    assert derivative(ops.relu, [-1, 0, 1]) == ([0, 0, 1], [0, 0, 1])


def test_sqrt_has_slope_inf_at_0():
    with np.errstate(divide="ignore"):
        assert derivative(np.sqrt, [0, 4]) == ([0, 2], [np.inf, 0.25])


def test_ties_of_max_share_the_gradient_equally():
    assert derivative(lambda x: np.max(x), [[1, 3], [3, 3]]) == (3, [[0, 1 / 3], [1 / 3, 1 / 3]])
    assert derivative(lambda x: np.max(x, axis=1), [[1, 3], [3, 3]]) == ([3, 3], [[0, 1], [0.5, 0.5]])
    assert derivative(lambda x: np.max(x, axis=(0, -1), keepdims=True), [[2, 2], [0, 2]])[1] == [[1 / 3, 1 / 3], [0, 1 / 3]]


def test_ties_of_maximum_and_minimum_share_the_gradient_equally():
    assert derivative(np.maximum, [1, 2, 3], [3, 2, 1]) == ([3, 2, 3], [0, 0.5, 1], [1, 0.5, 0])
    assert derivative(np.minimum, [1, 2, 3], [3, 2, 1]) == ([1, 2, 1], [1, 0.5, 0], [0, 0.5, 1])
    assert derivative(lambda x: np.maximum(x, x), [1, 2])[1] == [1, 1]  # together the two sides send back all of it


def test_where_passes_exactly_0_to_the_side_not_taken():
    mask = np.array([True, False])
    assert derivative(lambda x, y: np.where(mask, x, y), [1, 2], [3, 4]) == ([1, 4], [1, 0], [0, 1])
    # exactly 0 even when the gradient that comes in is infinite: a product with the mask would give 0 * inf = NaN
    x, y = (Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    np.where(mask, x, y).backward(np.array([np.inf, np.inf]))
    assert x.grad.tolist() == [np.inf, 0] and y.grad.tolist() == [0, np.inf]


def test_the_nan_trap_of_where_and_its_cure_the_double_where():
    with np.errstate(divide="ignore", invalid="ignore"):
        trap = derivative(lambda x: np.where(x > 0, np.sqrt(x), 0), [0, 4])
    cure = derivative(lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0), [0, 4])
    assert trap[0] == cure[0] == [0, 2]
    assert np.isnan(trap[1][0]) and trap[1][1] == 0.25
    assert cure[1] == [0, 0.25]


def test_the_condition_of_where_gets_no_gradient():
    c, x = (Tensor(np.array([0.0, 1.0]), requires_grad=True) for _ in range(2))
    np.where(c, x, 0).sum().backward()
    assert x.grad.tolist() == [0, 1] and (c.grad is None or c.grad.tolist() == [0, 0])


def test_power_at_0():
    assert derivative(lambda x: x**0, [0, 2]) == ([1, 1], [0, 0])  # not 0 * 0^(-1) = NaN
    assert derivative(lambda x: x**1, [0, 2]) == ([0, 2], [1, 1])
    assert derivative(lambda x: x**2, [0, -3]) == ([0, 9], [0, -6])
    assert derivative(lambda y: Tensor(np.zeros(1)) ** y, [2]) == ([0], [0])  # the rule takes z log x as 0 there
    x = Tensor(np.zeros(1), requires_grad=True)
    y = x**2
    for expected in (0, 2):  # both derivatives of x² at 0
        (y,) = minigrad.grad(y.sum(), x, create_graph=True)
        assert y.data.tolist() == [expected]


def test_a_tie_or_kink_keeps_float32():
    for function in (ops.relu, np.max, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0)):
        x = Tensor(np.zeros(3, np.float32), requires_grad=True)
        function(x).sum().backward()
        assert x.grad.dtype == np.float32
