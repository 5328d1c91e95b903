"""functional: values against formulas, the far ends of the number line, and errors. The gradients are in test_primitives."""

from decimal import Decimal, getcontext

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, ops

getcontext().prec = 500  # digits: 1 + e⁻¹⁰⁰⁰ needs 435 of them
POINTS = [-1000.0, -104.0, -88.0, -30.0, -3.0, -0.001, 0.0, 1e-6, 0.5, 2.0, 17.0, 40.0, 88.0, 104.0, 1000.0]


def sigma(x):
    return 1 / (1 + (-x).exp())


# name: the function, its value and its derivative in decimal arithmetic
EXACT = {
    "sigmoid": (F.sigmoid, sigma, lambda x: sigma(x) * (1 - sigma(x))),
    "tanh": (np.tanh, lambda x: 2 * sigma(2 * x) - 1, lambda x: 4 * sigma(2 * x) * (1 - sigma(2 * x))),
    "softplus": (F.softplus, lambda x: (1 + x.exp()).ln(), sigma),
    "log_sigmoid": (F.log_sigmoid, lambda x: -(1 + (-x).exp()).ln(), lambda x: sigma(-x)),
    "silu": (F.silu, lambda x: x * sigma(x), lambda x: sigma(x) * (1 + x * (1 - sigma(x)))),
}


def relative(dtype):
    """A few units in the last place."""
    return 8 * np.finfo(dtype).eps


def rounded_at_1000(dtype):
    """What is left of a difference of two numbers near 1000 that were rounded before."""
    return 1000 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_right_from_minus_1000_to_1000_values_and_gradients(name, dtype):
    function, value, slope = EXACT[name]
    points = [Decimal(float(dtype(x))) for x in POINTS]
    x = Tensor(np.array(POINTS, dtype), requires_grad=True)
    with np.errstate(over="raise", divide="raise", invalid="raise"):  # nothing on the way may overflow
        y = function(x)
        y.sum().backward()
    assert y.dtype == x.grad.dtype == dtype
    np.testing.assert_allclose(y.data, [float(value(p)) for p in points], rtol=relative(dtype), atol=np.finfo(dtype).tiny)
    # y (1 - y) loses digits near y = 1 (and silu's slope x times as many), but no more than the spacing of numbers there
    np.testing.assert_allclose(x.grad, [float(slope(p)) for p in points], rtol=relative(dtype), atol=32 * np.finfo(dtype).eps)


both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def value_and_gradient(function, data, dtype):
    x = Tensor(np.array(data, dtype), requires_grad=True)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        y = function(x)
        y.sum().backward()
    assert y.dtype == x.grad.dtype == dtype
    return y.data, x.grad


@both
def test_logsumexp_is_right_at_1000(dtype):
    y, g = value_and_gradient(ops.logsumexp, [[1000, 1000], [-1000, -1000], [1000, -1000], [0, 0]], dtype)
    np.testing.assert_allclose(y, [1000 + np.log(2), -1000 + np.log(2), 1000, np.log(2)], rtol=relative(dtype))
    np.testing.assert_allclose(g, [[0.5, 0.5], [0.5, 0.5], [1, 0], [0.5, 0.5]], rtol=rounded_at_1000(dtype))


@both
def test_softmax_and_log_softmax_are_right_at_1000(dtype):
    logits = [[1000, -1000], [-1000, -1000], [1000, 999]]
    s = 1 / (1 + np.exp(-1))
    y, _ = value_and_gradient(F.softmax, logits, dtype)
    np.testing.assert_allclose(y, [[1, 0], [0.5, 0.5], [s, 1 - s]], rtol=rounded_at_1000(dtype))
    y, g = value_and_gradient(lambda x: F.log_softmax(x)[:, 1], logits, dtype)
    np.testing.assert_allclose(y, [-2000, -np.log(2), np.log(1 - s)], rtol=rounded_at_1000(dtype))
    np.testing.assert_allclose(g, [[-1, 1], [-0.5, 0.5], [-s, s]], rtol=rounded_at_1000(dtype))


@both
def test_cross_entropy_is_right_at_1000(dtype):
    logits = [[1000, -1000], [1000, -1000], [-1000, -1000]]
    y, g = value_and_gradient(lambda x: F.cross_entropy(x, [0, 1, 1], reduction="none"), logits, dtype)
    np.testing.assert_allclose(y, [0, 2000, np.log(2)], rtol=rounded_at_1000(dtype))
    np.testing.assert_allclose(g, [[0, 0], [1, -1], [0.5, -0.5]], rtol=rounded_at_1000(dtype))


@both
def test_binary_cross_entropy_is_right_at_1000(dtype):
    x, t = np.array([1000, 1000, -1000, -1000, 0], dtype), np.array([1, 0, 1, 0, 1], dtype)
    y, g = value_and_gradient(lambda x: F.binary_cross_entropy_with_logits(x, t, reduction="none"), x, dtype)
    np.testing.assert_allclose(y, [0, 1000, 1000, 0, np.log(2)], rtol=relative(dtype))
    np.testing.assert_allclose(g, [0, 1, -1, 0, -0.5], rtol=relative(dtype))


def test_logsumexp_of_minus_infinity_is_minus_infinity_not_nan():
    with np.errstate(divide="ignore"):
        y = ops.logsumexp(Tensor(np.array([[-np.inf, -np.inf], [-np.inf, 3], [np.inf, 0]])))
    assert y.data.tolist() == [-np.inf, 3, np.inf]


def test_functions_take_plain_arrays_too():
    a = np.array([[0.0, 1.0], [2.0, 3.0]])
    for function in (F.sigmoid, F.softplus, F.silu, F.softmax, F.log_softmax, F.relu, F.log_sigmoid, F.logsumexp, F.tanh):
        y = function(a)
        assert type(y) is np.ndarray and (y == function(Tensor(a)).data).all()


def test_values_against_plain_formulas():
    rng = np.random.default_rng(0)
    a, w, b, t = rng.standard_normal((4, 3)), rng.standard_normal((2, 3)), rng.standard_normal(2), rng.random((4, 3))
    x, s = Tensor(a), 1 / (1 + np.exp(-a))
    p = np.exp(a) / np.exp(a).sum(1, keepdims=True)
    centred = a - a.mean(1, keepdims=True)
    nll = -(t * np.log(s) + (1 - t) * np.log(1 - s))
    for ours, formula in [
        (F.relu(x), np.maximum(a, 0)), (F.sigmoid(x), s), (F.silu(x), a * s), (F.softplus(x), np.log(1 + np.exp(a))),
        (F.softmax(x), p), (F.softmax(x, dim=0), np.exp(a) / np.exp(a).sum(0)), (F.log_softmax(x, 1), np.log(p)),
        (F.logsumexp(x), np.log(np.exp(a).sum(1))), (F.logsumexp(x, 0, keepdims=True), np.log(np.exp(a).sum(0, keepdims=True))),
        (F.linear(x, Tensor(w), Tensor(b)), a @ w.T + b), (F.linear(x, Tensor(w)), a @ w.T),
        (F.layer_norm(x, 3), centred / np.sqrt(a.var(1, keepdims=True) + 1e-5)),
        (F.layer_norm(x, (3,), 2 * np.ones(3), b[0], eps=0.1), 2 * centred / np.sqrt(a.var(1, keepdims=True) + 0.1) + b[0]),
        (F.mse_loss(x, t), ((a - t) ** 2).mean()), (F.mse_loss(x, t, "sum"), ((a - t) ** 2).sum()),
        (F.mse_loss(x, t, "none"), (a - t) ** 2), (F.binary_cross_entropy_with_logits(x, t), nll.mean()),
        (F.binary_cross_entropy_with_logits(x, t, "sum"), nll.sum()), (F.binary_cross_entropy_with_logits(x, t, "none"), nll),
        (F.cross_entropy(x, [0, 2, 1, 1]), -np.log(p[range(4), [0, 2, 1, 1]]).mean()),
        (F.cross_entropy(x, np.array([0, 2, 1, 1], np.uint8), "sum"), -np.log(p[range(4), [0, 2, 1, 1]]).sum()),
    ]:  # fmt: skip
        np.testing.assert_allclose(ours.data, formula, rtol=1e-13)


@pytest.mark.parametrize("logits, target, message", [
    ((2, 3), [0, 3], r"0 \.\.\. 2, got 0 \.\.\. 3"), ((2, 3), [-1, 0], r"0 \.\.\. 2, got -1 \.\.\. 0"),
    ((2, 3), [0.0, 1.0], r"\(2, 3\).* float64 \(2,\)"), ((2, 3), [0, 1, 2], r"\(2, 3\).* int\d+ \(3,\)"),
    ((2, 3, 4), [0, 1], r"\(2, 3, 4\)"), ((3,), [0], r"logits \(N, C\)"),
], ids=str)  # fmt: skip
def test_cross_entropy_says_what_is_wrong_with_its_classes(logits, target, message):
    with pytest.raises(ValueError, match="cross_entropy: .*" + message):
        F.cross_entropy(Tensor(np.zeros(logits)), target)


@pytest.mark.parametrize("loss", [F.mse_loss, F.binary_cross_entropy_with_logits])
def test_an_unknown_reduction_raises(loss):
    with pytest.raises(ValueError, match='"mean", "sum" or "none", not \'average\''):
        loss(Tensor([0.0]), np.zeros(1, np.float32), reduction="average")
