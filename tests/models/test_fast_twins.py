"""The fast twins give what the readable pages give: values, gradients, samples."""

import numpy as np
import pytest

import minigrad
from minigrad.datasets import binarized_mnist
from models.autoregressive import bernoulli_log_prob
from models.binary_input import bits_matmul
from models.made import MADE
from models.made_staircase import bits_staircase_matmul, blocks, edges, staircase_draw, staircase_matmul, steps
from models.nade import NADE, draw, nade_logits
from models.nade_one_pass import draw_by_fours


def bits(n, D, density, seed=0):
    """Random bits (n, D)."""
    return (np.random.default_rng(seed).random((n, D)) < density).astype(np.uint8)


def shaken(model, size=0.5, seed=1):
    """The model with parameters that hold anything."""
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * size
    return model


def value_and_gradients(model, loss):
    """The loss and all gradients."""
    model.zero_grad()
    value = loss()
    value.backward()
    return value.item(), [p.grad.copy() for p in model.parameters()]


def assert_same(model, ours, readable, dtype):
    """Two losses of a model agree in value and gradients, to a few units of the last place."""
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    (value, gradients), (expected, wanted) = value_and_gradients(model, ours), value_and_gradients(model, readable)
    np.testing.assert_allclose(value, expected, rtol=tolerance)
    for got, want in zip(gradients, wanted):
        assert np.abs(got - want).max() <= tolerance * max(np.abs(want).max(), 1e-3)


# ---- NADE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("D, density", [(1, 0.5), (2, 0.5), (3, 1.0), (4, 0.3), (7, 0.5), (21, 0), (22, 0.1), (24, 0.5), (25, 1)])
def test_nade_nll_in_one_pass_equals_the_readable_one(D, density, dtype):
    x = bits(9, D, density)
    for order in ("natural", "random"):
        model = shaken(NADE(D, 5, rng=np.random.default_rng(0), order=order, dtype=dtype))
        assert_same(model, lambda: model.nll(x), lambda: -model.log_prob(x).mean(), dtype)


@pytest.mark.proof
def test_nade_nll_equals_the_readable_one_on_digits():
    x = binarized_mnist().train[:100]
    for size in (0.01, 0.3):  # the larger one has logits at which a factor 1 + e^-|z| is 1, and others where it is 2
        model = shaken(NADE(784, 500, rng=np.random.default_rng(0)), size)
        assert_same(model, lambda: model.nll(x), lambda: -model.log_prob(x).mean(), np.float32)


def test_nade_nll_passes_any_upstream_gradient_on():
    x, model = bits(6, 8, 0.4), shaken(NADE(8, 5, rng=np.random.default_rng(0), dtype=np.float64))
    readable = lambda x: -model.log_prob(x).mean()  # noqa: E731
    assert_same(model, *(lambda f=f: f(x) * 3 + f(x[:2]) ** 2 for f in (model.nll, readable)), np.float64)


def test_nade_nll_is_right_where_every_logarithm_is_large():
    # products of 1 + e^-|z| are multiplied before a logarithm is taken: 400 factors 2 would overflow a float32
    x, model = bits(3, 400, 0.5), NADE(400, 2, rng=np.random.default_rng(0))
    for p in model.parameters():
        p.data = 0 * p.data
    np.testing.assert_allclose(model.nll(x).item(), 400 * np.log(2), rtol=1e-5)
    model.b.data = np.where(bits(1, 400, 0.5, seed=3)[0] == 1, 1000.0, -1000.0)
    np.testing.assert_allclose(model.nll(x).item(), -model.log_prob(x).mean().item(), rtol=1e-6)


def test_nade_nll_without_a_graph_takes_the_readable_way():
    x, model = bits(5, 9, 0.5), shaken(NADE(9, 4, rng=np.random.default_rng(0)))
    with minigrad.no_grad():
        value = model.nll(x)
    assert not value.requires_grad
    np.testing.assert_allclose(value.item(), model.nll(x).item(), rtol=1e-6)
    with pytest.raises(ValueError, match="0 and 1 only"):
        model.nll(x * 2)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 6])
@pytest.mark.parametrize("D", [1, 5, 30])
def test_nade_draws_the_same_bits_by_fours(n, D):
    for order in ("natural", "random"):
        model = shaken(NADE(D, 6, rng=np.random.default_rng(0), order=order, dtype=np.float64))
        u = np.random.default_rng(2).random((n, D))
        u[:, D // 2] = -1.0  # a bit that is sure to be 1
        u[:1, 0] = 2.0
        arguments = model.order, model.W.data, model.V.data, model.b.data, model.c.data
        np.testing.assert_array_equal(draw_by_fours(u, *arguments), draw(u, *arguments))


# ---- MADE
MADES = {
    "one layer": dict(hidden=(30,)),
    "direct": dict(hidden=(30,), direct=True),
    "two layers, tanh": dict(hidden=(30, 20), activation="tanh"),
    "no hidden layer": dict(hidden=()),
    "random order": dict(hidden=(30,), order="random", direct=True),
    "fewer units than blocks": dict(hidden=(3,)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("D", [1, 2, 40])
@pytest.mark.parametrize("name", MADES)
def test_made_by_staircases_equals_the_masked_products(name, D, dtype):
    model = shaken(MADE(D, rng=np.random.default_rng(0), dtype=dtype, **MADES[name]))
    x = bits(11, D, 0.3)
    readable = lambda: -bernoulli_log_prob(model.logits(model.bits(x)), x=model.bits(x)).mean()  # noqa: E731
    assert_same(model, lambda: model.nll(x), readable, dtype)


def test_any_mask_gives_the_right_product():
    # blocks only leave out what is 0: rows and columns of zeros, an all-zero mask, one that is no staircase at all
    rng = np.random.default_rng(0)
    h, V, g = rng.standard_normal((5, 12)), rng.standard_normal((12, 17)), rng.standard_normal((5, 17))
    masks = {"zeros": np.zeros((12, 17)), "ones": np.ones((12, 17)), "noise": bits(12, 17, 0.2), "few": bits(12, 17, 0.01, seed=3)}
    masks["staircase"] = np.arange(17)[None, :] > np.arange(12)[:, None]
    for M in masks.values():
        M = M.astype(np.float64)
        t, W = minigrad.Tensor(h, requires_grad=True), minigrad.Tensor(V, requires_grad=True)
        y = staircase_matmul(t, W, M=M, steps=steps(M))
        np.testing.assert_allclose(y.data, h @ (V * M), atol=1e-12)
        y.backward(g)
        np.testing.assert_allclose(t.grad, g @ (V * M).T, atol=1e-12)
        np.testing.assert_allclose(W.grad, (h.T @ g) * M, atol=1e-12)


def test_blocks_hold_all_ones_and_little_else():
    M = (np.arange(60)[None, :] > np.arange(60)[:, None]).astype(float)  # a staircase with steps of 1
    found = blocks(M, range(0, 61, 10))
    covered = np.zeros_like(M)
    for rows, columns in found:
        covered[rows, columns] += 1
    assert (covered[M == 1] == 1).all() and covered.max() == 1
    assert covered.sum() == 10 * (9 + 19 + 29 + 39 + 49 + 59)  # 57 % of 3600; with more units the share tends to (1 + 1/6) / 2
    assert len(steps(M).columns) == 10
    assert len(steps(M[:, np.random.default_rng(0).permutation(60)]).columns) == 1  # scattered steps: nothing to leave out
    assert edges(784, 10) == [0, 64, 144, 224, 304, 384, 464, 544, 624, 704, 784] and edges(5, 2) == [0, 0, 5]


def test_rows_of_bits_are_added():
    rng = np.random.default_rng(0)
    x, W, g = bits(7, 9, 0.4).astype(np.float64), rng.standard_normal((9, 5)), rng.standard_normal((7, 5))
    starts = rng.integers(0, 6, 9).astype(np.uint64)
    M = np.arange(5)[None, :] >= starts.astype(int)[:, None]
    suffixes = lambda t: bits_staircase_matmul(t, x=x, starts=starts)  # noqa: E731
    for product, mask in ((lambda t: bits_matmul(t, x=x), np.ones((9, 5))), (suffixes, M)):
        t = minigrad.Tensor(W, requires_grad=True)
        y = product(t)
        np.testing.assert_allclose(y.data, x @ (W * mask), atol=1e-12)
        y.backward(g)
        np.testing.assert_allclose(t.grad, (x.T @ g) * mask, atol=1e-12)


@pytest.mark.parametrize("name", [*MADES, "3 masks", "3 orders"])
def test_made_draws_the_same_bits_by_the_kernel(name):
    three = {"3 masks": dict(hidden=(30,), masks=3, direct=True), "3 orders": dict(hidden=(30,), masks=3, shuffle="both")}
    model = shaken(MADE(25, rng=np.random.default_rng(0), dtype=np.float64, **{**MADES, **three}[name]))
    u = np.random.default_rng(2).random((40, 25))
    for k in range(len(model.components)):
        np.testing.assert_array_equal(staircase_draw(model, u, k), model.sample_component(u, k))


def test_a_made_of_one_mask_numbers_its_units_by_degree_and_several_do_not():
    one, three = (MADE(50, (40, 30), rng=np.random.default_rng(0), masks=K) for K in (1, 3))
    assert all((np.diff(m) >= 0).all() for m in one.components[0].degrees[1:])
    assert any((np.diff(m) < 0).any() for m in three.components[0].degrees[1:])


def test_readable_nade_serves_any_upstream_gradient():
    x, model = bits(4, 6, 0.5).astype(np.float64), shaken(NADE(6, 5, rng=np.random.default_rng(0), dtype=np.float64))
    weights = np.array([1.0, -2.0, 0.0, 3.0])
    one_by_one = [0 * p.data for p in model.parameters()]
    for i, w in enumerate(weights):
        _, gradients = value_and_gradients(model, lambda i=i: model.nll(x[i : i + 1]))
        one_by_one = [total - w * g for total, g in zip(one_by_one, gradients)]
    model.zero_grad()
    (bernoulli_log_prob(nade_logits(model.W, model.V, model.b, model.c, x=x, order=model.order), x=x) * weights).sum().backward()
    for p, total in zip(model.parameters(), one_by_one):
        np.testing.assert_allclose(p.grad, total, atol=1e-12)
