"""What a teacher's own catalogue looks like: a method with `super()`, a function within a function, numbers of one's own."""

import numpy as np

from examples.homework.exercise import Exercise, expect, predicted


def check_cosine(get):
    """The middle of the way"""
    schedule = get("minigrad.optim:CosineAnnealingLR")
    made = schedule.__new__(schedule)
    made.start_factor, made.end_factor = 1.0, 0.0
    expect(made.factor(0.25), 0.5 + 0.5 * np.cos(np.pi / 4), "factor(.25) from 1 to 0")


def probe_cosine(function, get):
    schedule = get("minigrad.optim:CosineAnnealingLR")
    made = schedule.__new__(schedule)
    made.start_factor, made.end_factor = 1.0, 0.0
    return [function(made, 0.25)]


COSINE = Exercise(
    id="cosine", title="half a cosine", target="minigrad.optim:CosineAnnealingLR.factor", kind="rebuild", minutes=5, difficulty=1,
    read="minigrad/optim.py", task="The factor after a fraction t of the way; the base class knows the straight line.",
    check=check_cosine, probe=probe_cosine, hints=("?", "cos", "super"), why="One line.",
    wrong={"no_pi": ((("np.cos(np.pi * t)", "np.cos(t)"),), "pi is missing: half a cosine ends at t = 1.")},
)  # fmt: skip


def check_projected(get):
    """A wrong rule is found, a right one is not"""
    gradcheck, error = get("minigrad.gradcheck:gradcheck"), 1.0
    expect(gradcheck(np.tanh, [np.array([0.3, -0.5])], rng=np.random.default_rng(0)) < 1e-6, True, "gradcheck(tanh) < 1e-6")
    try:
        error = gradcheck(lambda x: np.exp(x * 2.0), [np.array([0.3])], rng=np.random.default_rng(0), order=2)
    except TypeError as found:
        expect(str(found), "", "gradcheck(exp, order=2): projected")
    expect(error < 1e-6, True, "gradcheck(exp, order=2) < 1e-6")


def probe_projected(check_direction, get):
    return [check_direction(np.tanh, [np.array([0.3, -0.5])], np.random.default_rng(0), 1, 1e-5, 1e9, 1)]


PROJECTED = Exercise(
    id="projected", title="a random projection", target="minigrad.gradcheck:check_direction.projected", kind="rebuild", minutes=5,
    difficulty=1, read="minigrad/gradcheck.py", task="One number from all of the output.", check=check_projected,
    probe=probe_projected, hints=("?", "u f", "sum"), why="One line.",
    wrong={"squared": ((("(function(*tensors) * u).sum()", "((function(*tensors) * u).detach() + function(*tensors)).sum()"),), "u does not reach the gradient.")},
)  # fmt: skip


def count(n):
    """How many numbers a layer has, for n inputs."""
    question = f"how many numbers has a layer of {n} inputs and 3 outputs, the bias counted?"
    return Exercise(
        id="count", title="count", target="answer:", kind="predict", minutes=1, difficulty=1, read="nothing", task="Count.",
        check=lambda get: predicted(get, "numbers", 3 * n + 3, question), probe=lambda module, get: [module.numbers],
        hints=("?", "W, b", "3 n + 3"), why="W and b.", answer=f"numbers = 3 * {n} + 3  # {question}\n",
        wrong={"no_bias": (((f"3 * {n} + 3", f"3 * {n}"),), "the bias is missing.")}, own=lambda rng: count(int(rng.integers(5, 90))),
    )  # fmt: skip


EXERCISES = (COSINE, PROJECTED, count(4))
