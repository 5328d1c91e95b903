"""The order-agnostic loss against brute force over all masks, and the walk against the network."""

import itertools
import math

import numpy as np
import pytest

from minigrad import no_grad
from minigrad.functional import bernoulli_nll
from minigrad.optim import Adam
from models.orderless import OrderlessNADE


def all_states(n):
    """Every bit vector of length n, (2^n, n)."""
    return np.array(list(itertools.product((0, 1), repeat=n)), np.uint8)


def make(dim, hidden=(6,), **keywords):
    """A model in float64 whose parameters hold anything."""
    rng = np.random.default_rng(0)
    model = OrderlessNADE(dim, hidden, rng=rng, dtype=np.float64, **keywords)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape)
    return model


def exact_loss(model, x):
    """The mean over all D! orders of −log p(x), by the D sets sizes and all sets: what J estimates."""
    D, total = model.dim, 0.0
    for known in all_states(D).astype(float):
        left = D - known.sum()
        if left:
            share = 1 / math.comb(D, int(left)) / D  # of all pairs (number of known, set)
            with no_grad():
                nll = bernoulli_nll(model.predict(x, np.tile(known, (len(x), 1))).data, x)
            total += share * D / left * (nll * (1 - known)).sum(axis=1).mean()
    return total


def test_the_loss_is_the_mean_over_all_orders():
    # the identity behind equation 9, by brute force: mean over the 4! orders = mean over sets
    model, x = make(4), all_states(4)[[5, 12]].astype(float)
    orders = [model.in_order(np.array(order)) for order in itertools.permutations(range(4))]
    mean = np.mean([-m.log_prob(x).data for m in orders])
    np.testing.assert_allclose(exact_loss(model, x), mean, rtol=1e-12)


def test_the_estimate_is_unbiased():
    model, x = make(4), np.tile(all_states(4)[[5, 12]], (20, 1))
    rng = np.random.default_rng(1)
    with no_grad():
        drawn = np.array([model.order_agnostic_nll(x, rng).item() for _ in range(500)])
    assert abs(drawn.mean() - exact_loss(model, x.astype(float))) < 3.5 * drawn.std() / np.sqrt(len(drawn))


def test_every_number_of_known_variables_is_equally_likely():
    rng, n, D = np.random.default_rng(2), 20_000, 5
    known = rng.random((n, D), np.float32) < rng.random((n, 1), np.float32)
    counts = np.bincount(known.sum(axis=1), minlength=D + 1)
    assert (np.abs(counts / n - 1 / (D + 1)) < 4 * np.sqrt(1 / (D + 1) / n)).all()


@pytest.mark.parametrize("hidden", [(6,), (6, 5), (4, 4, 3)])
def test_the_walk_equals_the_network(hidden):
    # logit of x_d from the incremental sums = the network's output with exactly the variables before d known
    order = np.array([2, 0, 4, 1, 3])
    model, x = make(5, hidden, order=order), all_states(5)
    logits = model.logits(x).data
    for place, d in enumerate(order):
        known = np.isin(np.arange(5), order[:place])
        expected = model.predict(x, np.tile(known, (len(x), 1))).data[:, d]
        np.testing.assert_allclose(logits[:, d], expected, atol=1e-12)


def test_the_network_does_not_see_what_is_not_known():
    model, known = make(5), np.array([[1, 0, 1, 0, 0]])
    a, b = model.predict(np.array([[1, 0, 0, 0, 0]]), known).data, model.predict(np.array([[1, 1, 0, 1, 1]]), known).data
    np.testing.assert_array_equal(a, b)
    assert (model.predict(np.array([[1, 0, 0, 0, 0]]), np.array([[1, 1, 1, 0, 0]])).data != a).any()  # a known 0 is not an unknown


@pytest.mark.parametrize("hidden", [(5,), (5, 4)])
def test_gradients_of_the_loss_equal_central_differences(hidden):
    model, x, rng = make(4, hidden, activation="tanh"), all_states(4)[3:9], np.random.default_rng(4)
    loss = lambda: model.order_agnostic_nll(x, np.random.default_rng(0))  # noqa: E731  (the same masks each time)
    loss().backward()
    for _ in range(3):
        v = [rng.standard_normal(p.shape) for p in model.parameters()]
        ours, values = sum(np.vdot(p.grad, w) for p, w in zip(model.parameters(), v)), []
        for step in (1e-6, -2e-6):  # forward, then back to the other side
            for p, w in zip(model.parameters(), v):
                p.data = p.data + step * w
            values.append(loss().item())
        for p, w in zip(model.parameters(), v):
            p.data = p.data + 1e-6 * w
        np.testing.assert_allclose(ours, (values[0] - values[1]) / 2e-6, rtol=1e-6, atol=1e-7)


def test_samples_follow_p():
    n, model, states = 6000, make(4, (5, 4), order="random"), all_states(4)
    p = np.exp(model.log_prob(states).data)
    counts = np.bincount(model.sample(n, np.random.default_rng(3)) @ [8, 4, 2, 1], minlength=16)
    assert ((counts - n * p) ** 2 / (n * p)).sum() < 45  # chi-square, 15 degrees of freedom: exceeded once in 10^4


def test_in_order_shares_weights_and_training_one_trains_all():
    model = make(4)
    twin = model.in_order([3, 2, 1, 0])
    adam = Adam(model, 0.1)
    model.order_agnostic_nll(all_states(4), np.random.default_rng(0)).backward()
    adam.step()
    assert all(np.shares_memory(p.data, q.data) for p, q in zip(model.parameters(), twin.parameters()))
    with pytest.raises(ValueError, match="permutation"):
        model.in_order([0, 1, 2])


def test_a_state_fits_every_order():
    model = make(4)
    other = OrderlessNADE(4, (6,), rng=np.random.default_rng(9), order=[3, 1, 0, 2], dtype=np.float64)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.logits(all_states(4)).data, model.in_order([3, 1, 0, 2]).logits(all_states(4)).data)


def test_training_beats_independent_pixels_on_three_seeds():
    # x_2 = x_0 XOR x_1: each pair is independent, so independent pixels cost 3 log 2 = 2.08 nats and the truth 2 log 2 = 1.39
    x = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], np.uint8)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        model = OrderlessNADE(3, (20,), rng=rng)
        adam = Adam(model, 0.02)
        for _ in range(600):
            adam.zero_grad()
            model.order_agnostic_nll(np.tile(x, (8, 1)), rng).backward()
            adam.step()
        for order in ([0, 1, 2], [2, 0, 1]):
            assert model.in_order(order).evaluate(x).nll < 1.5
