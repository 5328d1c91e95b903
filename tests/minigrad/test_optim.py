"""optim: the first steps against values computed by hand in plain Python, clipping, schedules, states."""

import gc
import math

import numpy as np
import pytest

from minigrad import Module, Parameter, Tensor, nn, optim

# One parameter of two numbers, starting at START; step t uses the gradient GRADIENTS[t].
START, GRADIENTS = [1.0, -2.0], [[0.5, 3.0], [-0.25, 1.0], [2.0, -0.125]]


def ours(make, dtype=np.float64, steps=3):
    """The parameter after each step."""
    p = Parameter(np.array(START, dtype))
    optimizer, path = make([p]), []
    for g in GRADIENTS[:steps]:
        p.grad = np.array(g, dtype)
        optimizer.step()
        path.append(p.data.tolist())
    assert p.dtype == dtype
    return path


def by_hand(update):
    """The same with plain floats; update(p, g, memory, t) returns the new p. Each number has a memory of its own."""
    path, memories = [list(START)], ({}, {})
    for t, gs in enumerate(GRADIENTS, start=1):
        path.append([update(p, g, memory, t) for p, g, memory in zip(path[-1], gs, memories)])
    return path[1:]


def sgd(p, g, memory, t):
    return p - 0.1 * g


def momentum(p, g, memory, t):
    b = memory["b"] = 0.9 * memory.get("b", 0.0) + g
    return p - 0.1 * b


def nesterov(p, g, memory, t):
    b = memory["b"] = 0.9 * memory.get("b", 0.0) + g
    return p - 0.1 * (g + 0.9 * b)


def adam(p, g, memory, t):
    m = memory["m"] = 0.8 * memory.get("m", 0.0) + 0.2 * g
    v = memory["v"] = 0.95 * memory.get("v", 0.0) + 0.05 * g * g
    return p - 0.1 * (m / (1 - 0.8**t)) / (math.sqrt(v / (1 - 0.95**t)) + 1e-3)


def adagrad(p, g, memory, t):
    s = memory["s"] = memory.get("s", 0.0) + g * g
    return p - 0.1 * g / (math.sqrt(s) + 1e-3)


OPTIMIZERS = {
    "SGD": (lambda ps: optim.SGD(ps, lr=0.1), sgd),
    "momentum": (lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9), momentum),
    "Nesterov": (lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True), nesterov),
    "Adam": (lambda ps: optim.Adam(ps, lr=0.1, betas=(0.8, 0.95), eps=1e-3), adam),  # an eps that shows
    "Adagrad": (lambda ps: optim.Adagrad(ps, lr=0.1, eps=1e-3), adagrad),
}
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@every_optimizer
def test_the_first_three_steps_are_those_computed_by_hand(name):
    make, update = OPTIMIZERS[name]
    np.testing.assert_allclose(ours(make), by_hand(update), rtol=1e-12)


@every_optimizer
def test_float32_stays_float32_and_agrees(name):
    make, update = OPTIMIZERS[name]
    np.testing.assert_allclose(ours(make, np.float32), by_hand(update), rtol=1e-5)


def test_adams_first_step_is_the_learning_rate_whatever_the_gradient():
    """m̂ / √v̂ is the sign of g in the first step: the classic check of the two corrections."""
    p = Parameter(np.zeros(3))
    optimizer = optim.Adam([p])
    p.grad = np.array([1e-3, -5.0, 1e4])
    optimizer.step()
    np.testing.assert_allclose(p.data, [-1e-3, 1e-3, -1e-3], rtol=1e-4)


@every_optimizer
def test_a_step_in_every_layer_of_a_model_of_both_types(name):
    class Two(Module):
        def __init__(self):
            self.a, self.b = Parameter(np.array(START)), Parameter(np.array(START, np.float32))

    model = Two()
    make, update = OPTIMIZERS[name]
    optimizer = make(model)
    model.a.grad, model.b.grad = GRADIENTS[0], GRADIENTS[0]
    optimizer.step()
    np.testing.assert_allclose(model.a.data, by_hand(update)[0], rtol=1e-12)
    np.testing.assert_allclose(model.b.data, by_hand(update)[0], rtol=1e-5)


@every_optimizer
def test_minimises_a_parabola(name):
    p = Parameter(np.array([3.0]))
    optimizer = OPTIMIZERS[name][0]([p])
    for _ in range(50):
        optimizer.zero_grad()
        ((p - 1) ** 2).sum().backward()
        optimizer.step()
    assert abs(p.data[0] - 1) < abs(3 - 1) / 2


def test_zero_grad_forgets_and_a_step_without_a_gradient_counts_it_as_0():
    p, q = Parameter(np.ones(1)), Parameter(np.ones(1))
    optimizer = optim.SGD([p, q], lr=1.0)
    (p * q).sum().backward()
    optimizer.step()
    assert p.data.tolist() == q.data.tolist() == [0]
    optimizer.zero_grad()
    assert p.grad is None and q.grad is None
    (p * 2).sum().backward()
    optimizer.step()
    assert p.data.tolist() == [-2] and q.data.tolist() == [0]  # q does not move by its old gradient


def test_a_parameter_in_two_optimizers_raises():
    model = nn.Linear(2, 1, rng=np.random.default_rng(0))
    first = optim.SGD(model, 0.1)
    with pytest.raises(ValueError, match="one optimizer only"):
        optim.Adam(model)
    with pytest.raises(ValueError, match="already in a flat buffer with others"):
        optim.Adam([model.weight])
    assert first.flats[0].optimizer


def test_the_remedy_in_that_message_works_delete_the_first():
    model = nn.Linear(2, 1, rng=np.random.default_rng(0))
    first = optim.SGD(model, 0.1)
    del first
    gc.collect()
    assert optim.Adam(model).flats[0] is model.weight.flat


# ---- clipping


def test_clip_grad_norm_scales_all_gradients_by_one_factor():
    a, b = Parameter(np.zeros(2)), Parameter(np.zeros((1, 1), np.float32))
    a.grad, b.grad = np.array([3.0, 0.0]), np.array([[4.0]], np.float32)
    assert optim.clip_grad_norm_([a, b], 1.0) == 5.0  # the norm before
    np.testing.assert_allclose(a.grad, [0.6, 0], rtol=1e-7)
    np.testing.assert_allclose(b.grad, [[0.8]], rtol=1e-6)
    assert b.grad.dtype == np.float32
    assert optim.clip_grad_norm_([a, b], 1.5) == pytest.approx(1.0)  # small enough: nothing changes
    np.testing.assert_allclose(a.grad, [0.6, 0], rtol=1e-7)


def test_clipping_reaches_the_step_of_an_optimizer_made_before_or_after():
    for clip_first in (True, False):
        p = Parameter(np.zeros(2))
        p.grad = np.array([30.0, 40.0])
        if clip_first:
            optim.clip_grad_norm_([p], 5.0)
        optimizer = optim.SGD([p], lr=1.0)
        if not clip_first:
            optim.clip_grad_norm_([p], 5.0)
        optimizer.step()
        np.testing.assert_allclose(p.data, [-3, -4], rtol=1e-12)


def test_clipping_counts_a_missing_gradient_as_0():
    a, b = Parameter(np.zeros(1)), Parameter(np.zeros(1))
    a.grad = np.array([2.0])
    assert optim.clip_grad_norm_([a, b], 1.0) == 2 and a.grad.tolist() == [1]


# ---- schedules


def rates(make, steps):
    """The learning rates of the first steps, the first one included."""
    optimizer = optim.SGD([Parameter(np.zeros(1))], lr=0.8)
    schedule, lrs = make(optimizer), [optimizer.lr]
    for _ in range(steps):
        schedule.step()
        lrs.append(optimizer.lr)
    return lrs


def test_linear_schedule():
    np.testing.assert_allclose(rates(lambda o: optim.LinearLR(o, 4), 6), [0.8, 0.6, 0.4, 0.2, 0, 0, 0], atol=1e-15)
    warm_up = lambda o: optim.LinearLR(o, total_iters=2, start_factor=0.5, end_factor=1.0)  # noqa: E731
    np.testing.assert_allclose(rates(warm_up, 3), [0.4, 0.6, 0.8, 0.8], rtol=1e-14)


def test_cosine_schedule():
    half = [0.8 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(5)]
    np.testing.assert_allclose(rates(lambda o: optim.CosineAnnealingLR(o, 4), 6), [*half, 0, 0], atol=1e-15)
    to_a_tenth = lambda o: optim.CosineAnnealingLR(o, 4, end_factor=0.1)  # noqa: E731
    np.testing.assert_allclose(rates(to_a_tenth, 4), [0.08 + 0.9 * r for r in half], rtol=1e-12)


def test_the_learning_rate_may_be_changed_between_steps():
    p = Parameter(np.zeros(1))
    optimizer = optim.SGD([p], lr=1.0)
    for lr in (1.0, 0.25):
        optimizer.lr, p.grad = lr, np.ones(1)
        optimizer.step()
    assert p.data.tolist() == [-1.25]


# ---- states


def train(p, optimizer, schedule, steps):
    """Some steps on a fixed loss."""
    for _ in range(steps):
        optimizer.zero_grad()
        (p**4 - p).sum().backward()
        optimizer.step()
        schedule.step()


@every_optimizer
def test_a_state_dict_round_trip_goes_on_with_the_same_bits(name):
    make = OPTIMIZERS[name][0]
    p = Parameter(np.array([0.5, -0.3]))
    optimizer = make([p])
    schedule = optim.CosineAnnealingLR(optimizer, 10)
    train(p, optimizer, schedule, 3)
    saved = p.data.copy(), optimizer.state_dict(), schedule.state_dict()
    train(p, optimizer, schedule, 4)

    q = Parameter(saved[0])
    fresh = make([q])
    fresh_schedule = optim.CosineAnnealingLR(fresh, 10)
    fresh.load_state_dict(saved[1])
    fresh_schedule.load_state_dict(saved[2])
    train(q, fresh, fresh_schedule, 4)
    assert q.data.tolist() == p.data.tolist() and fresh.lr == optimizer.lr


def test_a_state_dict_is_a_copy():
    p = Parameter(np.ones(2))
    optimizer = optim.Adam([p])
    p.grad = np.ones(2)
    optimizer.step()
    state = optimizer.state_dict()
    before = state["state"][0]["exp_avg"].copy()
    p.grad = np.full(2, 5.0)
    optimizer.step()
    assert (state["state"][0]["exp_avg"] == before).all() and state["steps"] == 1


def test_a_state_of_another_optimizer_or_of_other_parameters_raises():
    adam = optim.Adam([Parameter(np.ones(3))])
    for wrong in (optim.SGD([Parameter(np.ones(3))], 0.1), optim.Adam([Parameter(np.ones(4))])):
        with pytest.raises(ValueError, match="Adam: the saved state .* does not fit.* is needed"):
            adam.load_state_dict(wrong.state_dict())


def test_a_state_of_another_schedule_raises():
    schedules = [optim.LinearLR(optim.SGD([Parameter(np.ones(1))], 0.1), n) for n in (10, 20)]
    with pytest.raises(ValueError, match="saved for 10 iterations, this one has 20"):
        schedules[1].load_state_dict(schedules[0].state_dict())


def test_optimizing_what_is_not_flat_yet_keeps_existing_gradients():
    p = Parameter(np.ones(1))
    (p * 3).sum().backward()
    optim.SGD([p], lr=1.0).step()
    assert p.data.tolist() == [-2] and Tensor(p).data is p.data
