"""The on-ramp: its small engine against the real one and against differences, and the run itself."""

import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad
from examples import autograd_tour as tour
from minigrad import ops


def loss(engine, points, s, arrays):
    """The tour's loss of a 2-5-5-1 network, written for either engine; returns the gradients as well."""
    leaves = [engine.Tensor(a, requires_grad=True) for a in arrays]
    h = engine.Tensor(points)
    for W, b in zip(leaves[0:4:2], leaves[1:4:2]):
        h = engine.tanh(h @ W + b)
    out = engine.mean(engine.softplus((h @ leaves[4] + leaves[5]) * -s))
    out.backward()
    return out.data.item(), [p.grad for p in leaves]


class Real:
    """minigrad under the tour's names."""

    Tensor, tanh, softplus, mean = minigrad.Tensor, ops.tanh, ops.softplus, ops.mean


def network(rng):
    """Arrays of weights and biases, then points and their sides."""
    arrays = [p.data for p in sum(tour.init((2, 5, 5, 1), rng), ())]
    return arrays, *tour.two_moons(20, rng)


@pytest.mark.parametrize("seed", range(3))
def test_gradients_equal_those_of_minigrad(seed):
    arrays, x, s = network(np.random.default_rng(seed))
    tiny, real = loss(tour, x, s, arrays), loss(Real, x, s, arrays)
    assert np.isclose(tiny[0], real[0], rtol=1e-12)
    for g, expected in zip(tiny[1], real[1]):
        np.testing.assert_allclose(g, expected, rtol=1e-6, atol=1e-14)


def test_gradients_equal_central_differences():
    rng = np.random.default_rng(0)
    arrays, x, s = network(rng)
    _, gradients = loss(tour, x, s, arrays)
    v, eps = [rng.standard_normal(a.shape) for a in arrays], 1e-5
    ahead, behind = (loss(tour, x, s, [a + step * d for a, d in zip(arrays, v)])[0] for step in (eps, -eps))
    slope = sum(np.vdot(g, d) for g, d in zip(gradients, v))
    assert np.isclose(slope, (ahead - behind) / (2 * eps), rtol=1e-6)


def test_a_join_waits_for_the_longer_path():
    """c reaches the output at once and by way of tanh: the heap must let c wait for the longer path."""
    a = tour.Tensor(0.3, requires_grad=True)
    c = a + a
    d = c * tour.tanh(c * c)
    d.backward()
    c = 0.6
    assert np.isclose(a.grad, 2 * (np.tanh(c**2) + c * 2 * c * (1 - np.tanh(c**2) ** 2)), rtol=1e-12)
    assert tour.gradient_at_join(tour.backward) == 24  # 8 a at a = 3
    assert tour.gradient_at_join(tour.impatient) == 36
    assert tour.gradient_at_join(lambda d: tour.impatient(d, overwrite=True)) == 6


def test_a_second_backward_adds():
    a = tour.Tensor(3.0, requires_grad=True)
    for _ in range(2):
        (a * a).backward()
    assert a.grad == 12


def test_broadcast_inputs_get_gradients_of_their_own_shape():
    rng = np.random.default_rng(0)
    x, y = (tour.Tensor(rng.random(shape), requires_grad=True) for shape in ((4, 1, 3), (5, 1)))
    tour.mean(x * y).backward()
    np.testing.assert_allclose(x.grad, np.broadcast_to(y.data.sum() / 60, (4, 1, 3)))
    np.testing.assert_allclose(y.grad, np.full((5, 1), x.data.sum() / 60))


@pytest.mark.parametrize("seed", range(3))
def test_two_moons_are_learned(seed):
    rng = np.random.default_rng(seed)
    x, s = tour.two_moons(300, rng)
    layers = tour.init((2, 16, 16, 1), rng)
    real = tour.train_minigrad(x, s, layers, 50, 0.3)
    losses = tour.train(x, s, layers, 400, 0.3)
    np.testing.assert_allclose(losses[:50], real, rtol=1e-10)  # the same start, the same steps
    x, s = tour.two_moons(500, rng)
    assert np.mean(tour.mlp(x, layers).data * s > 0) >= 0.95


def test_derivatives_of_derivatives():
    x = np.linspace(-2, 2, 9)
    y = np.tanh(x)
    closed = [y, 1 - y**2, -2 * y * (1 - y**2), (6 * y**2 - 2) * (1 - y**2)]
    np.testing.assert_allclose(tour.derivatives(np.tanh, x, 3), closed, atol=1e-12)


def test_the_step_with_a_kernel():
    rng = np.random.default_rng(0)
    minigrad.gradcheck(lambda x: tour.leaky_sum(x, 0.7), [rng.standard_normal(6)], rng=rng)
    x = minigrad.Tensor(np.arange(3.0), requires_grad=True)
    y = tour.leaky_sum(x, 0.5)
    np.testing.assert_allclose(y.data, [0, 1, 2.5])
    with pytest.raises(NotImplementedError, match="leaky_sum"):
        minigrad.grad(y.sum(), x, create_graph=True)


def test_run(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252:strict"}
    command = [sys.executable, "-m", "examples.autograd_tour", "--quick", "--out", str(tmp_path)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="cp1252", check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.isascii()
    assert (tmp_path / "autograd_tour.png").read_bytes().startswith(b"\x89PNG")
