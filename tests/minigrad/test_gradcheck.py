"""gradcheck must fail where a gradient is wrong: each wrong rule here is a mistake that people make."""

import numpy as np
import pytest

from minigrad import Tensor, gradcheck
from minigrad.ops import primitive


def make(rule):
    """The square, with a rule of its own."""

    @primitive(rule)
    def square(x, /):
        return x * x

    return square


WRONG = {
    "a factor forgotten": lambda g, y, x: g * x,
    "the sign": lambda g, y, x: -2 * g * x,
    "the upstream gradient forgotten": lambda g, y, x: 2 * x,
    "one part in 100,000": lambda g, y, x: g * x * 2.00002,
    "one entry": lambda g, y, x: 2 * g * x * np.where(np.arange(5) == 3, 0.99, 1),
    "transposed": lambda g, y, x: 2 * g[::-1] * x,
    "NaN": lambda g, y, x: g * x * np.nan,
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_wrong_rule_fails(name, seed):
    rng = np.random.default_rng(seed)
    with pytest.raises(AssertionError, match="derivative 1 is .* by the rules and .* by central differences"):
        gradcheck(make(WRONG[name]), [rng.standard_normal(5) + 2], rng=rng)


def test_the_right_rule_passes_and_the_largest_error_is_returned():
    rng = np.random.default_rng(0)
    error = gradcheck(make(lambda g, y, x: 2 * g * x), [rng.standard_normal(5)], rng=rng, order=3)
    assert 0 <= error < 1e-6


def test_a_rule_that_is_right_once_but_cuts_the_graph_fails_at_order_2():
    def cut(g, y, x):
        return 2 * g * (x.detach() if isinstance(x, Tensor) else x)

    rng = np.random.default_rng(0)
    gradcheck(make(cut), [rng.standard_normal(5)], rng=rng)
    with pytest.raises(AssertionError, match="derivative 2"):
        gradcheck(make(cut), [rng.standard_normal(5)], rng=rng, order=2)


def test_the_gradient_of_every_input_is_checked():
    @primitive(lambda g, z, x, y: g * y, lambda g, z, x, y: g * y)  # the second should be g * x
    def product(x, y, /):
        return x * y

    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        gradcheck(product, list(rng.standard_normal((2, 3))), rng=rng)


def test_float32_inputs_are_refused():
    with pytest.raises(ValueError, match=r"float64 inputs are needed, got float32: use x.astype\(np.float64\)"):
        gradcheck(np.exp, [np.ones(2, np.float32)], rng=np.random.default_rng(0))


def test_a_constant_and_a_linear_function_have_derivatives_of_every_order():
    rng = np.random.default_rng(0)
    assert gradcheck(lambda x: 3 * x, [rng.standard_normal(3)], rng=rng, order=3) < 1e-9
    assert gradcheck(lambda x: Tensor(np.ones(2)), [rng.standard_normal(3)], rng=rng) == 0


def test_the_inputs_are_left_as_they_were():
    rng, x = np.random.default_rng(0), np.arange(3.0)
    gradcheck(np.exp, [x], rng=rng)
    assert x.tolist() == [0, 1, 2]
