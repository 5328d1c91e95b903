"""Spaces: what they contain, what they draw, what they refuse."""

import numpy as np
import pytest

from rl.spaces import Box, Discrete


@pytest.mark.parametrize("x", [0, 3, np.int64(2), np.uint8(1), np.array(3)])
def test_discrete_contains_its_integers(x):
    assert Discrete(4).contains(x) and x in Discrete(4)


@pytest.mark.parametrize("x", [-1, 4, 1.0, np.float32(1), True, "1", None, [1], np.array([1]), np.nan, 10**30])
def test_discrete_contains_nothing_else(x):
    assert not Discrete(4).contains(x)


def test_discrete_may_start_anywhere():
    space = Discrete(3, start=-1)
    assert [x for x in range(-5, 5) if x in space] == [-1, 0, 1]
    assert {int(space.sample()) for _ in range(100)} == {-1, 0, 1}
    assert repr(space) == "Discrete(3, start=-1)" and repr(Discrete(3)) == "Discrete(3)"


def test_discrete_draws_each_with_the_same_probability():
    space = Discrete(5, seed=0)
    counts = np.bincount([space.sample() for _ in range(5000)], minlength=5)
    assert (np.abs(counts - 1000) < 3 * np.sqrt(5000 * 0.2 * 0.8)).all()


@pytest.mark.parametrize("space", [Discrete(1000), Box(-1, 1, (3,)), Box(0, np.inf, (2,))])
def test_a_seed_makes_draws_repeatable(space):
    def draws(seed):
        space.seed(seed)
        return np.array([space.sample() for _ in range(10)])

    np.testing.assert_array_equal(draws(1), draws(1))
    assert not np.array_equal(draws(1), draws(2))


def test_box_contains_what_lies_inside_edges_included():
    space = Box(np.array([-1.0, 0.0]), np.array([1.0, np.inf]))
    assert space.shape == (2,) and space.dtype == np.float32
    for x in ([-1.0, 0.0], [1, 10**6], np.zeros(2), np.zeros(2, np.float32), np.zeros(2, int)):
        assert x in space
    for x in ([-1.001, 0], [0, -1e-9], [np.nan, 0], [0], 0.0, np.zeros((1, 2)), ["0", "0"], np.zeros(2, bool)):
        assert x not in space


def test_box_draws_from_every_kind_of_bound():
    low, high = np.array([-2.0, 3, -np.inf, -np.inf]), np.array([1.0, np.inf, 5, np.inf])
    space = Box(low, high, seed=0)
    draws = np.array([space.sample() for _ in range(2000)])
    assert draws.dtype == np.float32 and all(x in space for x in draws)
    error = 3 * draws.std(axis=0) / np.sqrt(2000)
    assert (np.abs(draws.mean(axis=0) - [-0.5, 4, 4, 0]) < error).all()  # uniform, 3 + Exp(1), 5 - Exp(1), N(0, 1)


def test_box_of_a_shape_and_its_text():
    space = Box(-2, 2, (3, 1), np.float64, seed=0)
    assert space.low.shape == (3, 1) and space.sample().shape == (3, 1) and space.sample().dtype == np.float64
    assert repr(space) == "Box(-2.0, 2.0, (3, 1), float64)"
    assert Box(0, 1).sample() in Box(0, 1)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Discrete(0), "n must be at least 1, not 0"),
        (lambda: Box(1, -1), "low must not be above high"),
        (lambda: Box([0, 0], [1, -1]), "low must not be above high"),
        (lambda: Box(np.nan, 1), "NaN"),
        (lambda: Box(0, 255, dtype=np.uint8), "dtype must be a float, not uint8"),
    ],
)
def test_a_space_that_is_none_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_half_a_state_is_refused():
    with pytest.raises(TypeError):
        Discrete(2.5)


def test_spaces_are_equal_if_they_hold_the_same():
    assert Box(-1, 1) == Box(-1.0, 1.0, (1,)) and Box(-1, 1).shape == (1,) and Box(-1, 1, ()).shape == ()
    assert Box(-1, 1) != Box(-1, 2) and Box(-1, 1) != Box(-1, 1, (2,)) and Box(-1, 1) != Box(-1, 1, dtype=np.float64)
    assert Discrete(3) == Discrete(3, seed=1) and Discrete(3) != Discrete(3, start=1) and Discrete(3) != Box(-1, 1)
