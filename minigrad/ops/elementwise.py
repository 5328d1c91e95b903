r"""Elementwise primitives: the vector-Jacobian products of each, and right under them its forward.

Letters: g is the upstream gradient ∂L/∂(output), x and y are the inputs, the output is y for one input and z for two.
The forward is NumPy's own function where NumPy has it. A rule may use g, the output and the inputs, and no functions but
those of this table: that is what makes a gradient differentiable again. Inputs of different shapes broadcast; the engine
sums each gradient back to its input's shape.
"""

import numpy as np

from .primitive import primitive


def plus_vjp(g, z, *inputs):
    r"""∂z/∂x = 1"""
    return g


def minus_vjp(g, z, *inputs):
    r"""∂z/∂y = −1"""
    return -g


add = primitive(plus_vjp, plus_vjp)(np.add)  # z = x + y
subtract = primitive(plus_vjp, minus_vjp)(np.subtract)  # z = x − y
negative = primitive(minus_vjp)(np.negative)  # z = −x


def multiply_vjp_x(g, z, x, y):
    r"""∂z/∂x = y"""
    return g * y


def multiply_vjp_y(g, z, x, y):
    r"""∂z/∂y = x"""
    return g * x


multiply = primitive(multiply_vjp_x, multiply_vjp_y)(np.multiply)  # z = x · y


def divide_vjp_x(g, z, x, y):
    r"""∂z/∂x = 1 / y"""
    return g / y


def divide_vjp_y(g, z, x, y):
    r"""∂z/∂y = −x / y² = −z / y"""
    return -g * z / y


divide = primitive(divide_vjp_x, divide_vjp_y)(np.divide)  # z = x / y


def power_vjp_x(g, z, x, y):
    r"""∂z/∂x = y x^(y−1). Where y = 0 the exponent is left at 0, so that 0 · x^(−1) cannot become 0 · inf."""
    return g * y * x ** (y - (y != 0))


def power_vjp_y(g, z, x, y):
    r"""∂z/∂y = z log x, taken as 0 where x ≤ 0"""
    return g * z * np.log(np.where(x > 0, x, 1))


power = primitive(power_vjp_x, power_vjp_y)(np.power)  # z = x ** y


def exp_vjp(g, y, x):
    r"""∂y/∂x = y: the output is its own derivative"""
    return g * y


exp = primitive(exp_vjp)(np.exp)  # y = eˣ


def log_vjp(g, y, x):
    r"""∂y/∂x = 1 / x"""
    return g / x


log = primitive(log_vjp)(np.log)  # y = log x, the natural logarithm


def sqrt_vjp(g, y, x):
    r"""∂y/∂x = 1 / (2 √x), infinite at x = 0"""
    return g / (2 * y)


sqrt = primitive(sqrt_vjp)(np.sqrt)  # y = √x


def tanh_vjp(g, y, x):
    r"""∂y/∂x = 1 − y²: the output is at hand, so the input is not needed.

    Multiplied out, as NumPy takes twice as long for `1 - array` as for `array - array` when the arrays are small.
    """
    return g - g * y * y


tanh = primitive(tanh_vjp)(np.tanh)  # y = tanh x


def sigmoid_vjp(g, y, x):
    r"""∂y/∂x = y (1 − y)"""
    gy = g * y
    return gy - gy * y


@primitive(sigmoid_vjp)
def sigmoid(x, /):
    r"""y = 1 / (1 + e⁻ˣ) = e^min(x, 0) / (1 + e^−|x|): both exponents are at most 0, so nothing overflows"""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def relu_vjp(g, y, x):
    r"""∂y/∂x = 1 where x > 0, else 0; at the kink x = 0 we take 0"""
    return g * (y > 0)


@primitive(relu_vjp)
def relu(x, /):
    r"""y = max(x, 0)"""
    return np.maximum(x, 0)


def log1p_exp(x):
    r"""log(1 + e^−|x|), within 3 units in the last place, and in float32 twice as fast as np.log1p.

    With e = e^−|x| and u = 1 + e rounded, log u misses what the rounding lost, u − 1 − e; to first order that is
    worth (u − 1 − e) / u.
    """
    e = np.exp(-np.abs(x))
    u = 1 + e
    return np.log(u) - ((u - 1) - e) / u


def softplus_vjp(g, y, x):
    r"""∂y/∂x = sigmoid(x)"""
    return g * sigmoid(x)


@primitive(softplus_vjp)
def softplus(x, /):
    r"""y = log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), which cannot overflow"""
    return np.maximum(x, 0) + log1p_exp(x)


def log_sigmoid_vjp(g, y, x):
    r"""∂y/∂x = 1 − sigmoid(x) = sigmoid(−x)"""
    return g * sigmoid(-x)


@primitive(log_sigmoid_vjp)
def log_sigmoid(x, /):
    r"""y = log sigmoid(x) = −softplus(−x)"""
    return np.minimum(x, 0) - log1p_exp(x)


def extremum_vjp_x(g, z, x, y):
    r"""All of g if x is the one taken; at a tie half of it, so that the two rules together send back g"""
    return np.where(x == y, g / 2, np.where(z == x, g, 0))


def extremum_vjp_y(g, z, x, y):
    r"""All of g if y is the one taken, half of it at a tie"""
    return np.where(x == y, g / 2, np.where(z == y, g, 0))


maximum = primitive(extremum_vjp_x, extremum_vjp_y)(np.maximum)  # z = max(x, y)
minimum = primitive(extremum_vjp_x, extremum_vjp_y)(np.minimum)  # z = min(x, y)


def where_vjp_condition(g, z, condition, x, y):
    r"""A condition is true or false, and a small change of it changes nothing: 0"""
    return np.zeros(condition.shape, g.dtype)


def where_vjp_x(g, z, condition, x, y):
    r"""g where x was taken, exactly 0 elsewhere.

    That 0 then meets the derivative of what made x: where(x > 0, sqrt(x), 0) still gives 0 · inf = NaN at x = 0. The
    remedy is a `where` on the inside too, which keeps sqrt away from 0: where(x > 0, sqrt(where(x > 0, x, 1)), 0).
    """
    return np.where(condition, g, 0)


def where_vjp_y(g, z, condition, x, y):
    r"""g where y was taken, exactly 0 elsewhere"""
    return np.where(condition, 0, g)


@primitive(where_vjp_condition, where_vjp_x, where_vjp_y)
def where(condition, x, y, /):
    r"""z = x where the condition holds, else y"""
    return np.where(condition, x, y)


def astype_vjp(g, y, x, dtype):
    r"""The gradient has the input's number type"""
    return g.astype(x.dtype)


@primitive(astype_vjp)
def astype(x, /, dtype):
    r"""y = x in another float type, float32 or float64"""
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise TypeError(f"astype: {np.dtype(dtype)} cannot carry a gradient: float32 and float64 can")
    return x.astype(dtype)
