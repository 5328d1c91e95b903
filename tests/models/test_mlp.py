"""The fused network against nn.MLP and against central differences."""

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, gradcheck, nn
from models.mlp import MLP, layers, mlp


@pytest.mark.parametrize("sizes", [(3, 1), (3, 8, 2), (4, 8, 7, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_nn_mlp(sizes, dtype):
    fused, composed = (kind(sizes, rng=np.random.default_rng(0), dtype=dtype) for kind in (MLP, nn.MLP))
    x = np.random.default_rng(1).standard_normal((16, sizes[0])).astype(dtype)
    g = np.random.default_rng(2).standard_normal((16, sizes[-1])).astype(dtype)
    inputs = [Tensor(x, requires_grad=True) for _ in range(2)]
    ours, theirs = fused(inputs[0]), composed(inputs[1])
    tolerance = dict(rtol=1e-5, atol=1e-6) if dtype == np.float32 else dict(rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours.data, theirs.data, **tolerance)
    ours.backward(g)
    theirs.backward(g)
    np.testing.assert_allclose(inputs[0].grad, inputs[1].grad, **tolerance)
    np.testing.assert_allclose(fused.theta.grad, np.concatenate([p.grad.ravel() for p in composed.parameters()]), **tolerance)
    assert ours.dtype == fused.theta.dtype == dtype


def test_gradient_equals_central_differences():
    rng = np.random.default_rng(0)
    theta = 0.5 * rng.standard_normal(3 * 6 + 6 + 6 * 2 + 2)
    gradcheck(lambda x, t: mlp(x, t, sizes=(3, 6, 2)), [rng.standard_normal((5, 3)), theta], rng=rng)


def test_only_the_gradient_that_is_asked_for_is_computed():
    network = MLP((3, 8, 1), rng=np.random.default_rng(0))
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    (g,) = minigrad.grad(network(x).sum(), x)
    assert g.shape == (2, 3) and network.theta.grad is None


def test_second_derivatives_say_that_there_are_none():
    network = MLP((3, 8, 1), rng=np.random.default_rng(0))
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    with pytest.raises(NotImplementedError, match="mlp has first derivatives only"):
        minigrad.grad(network(x).sum(), x, create_graph=True)


def test_frozen_runs_in_bare_numpy_on_memory_of_its_own():
    network = MLP((3, 8, 1), rng=np.random.default_rng(0), small=1e-3)
    frozen, x = network.frozen(), np.ones((2, 3), np.float32)
    assert type(frozen(x)) is np.ndarray and frozen.parameters() == []
    np.testing.assert_array_equal(frozen(x), network(x).data)
    assert np.abs(frozen(x)).max() < 1e-2
    frozen.theta += 1
    assert not (frozen(x) == network(x).data).any()


def test_layers_are_views():
    theta = np.arange(11.0)
    (W, b), (V, c) = layers(theta, (2, 2, 1)[:2]) + layers(theta[6:], (2, 1))
    assert W.tolist() == [[0, 1], [2, 3]] and b.tolist() == [4, 5] and V.tolist() == [[6, 7]] and c.tolist() == [8]
    assert all(np.shares_memory(a, theta) for a in (W, b, V, c))


def test_a_wrong_input_names_the_operation():
    network = MLP((3, 8, 1), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="mlp"):
        network(Tensor(np.ones((2, 4), np.float32)))
