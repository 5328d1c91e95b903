r"""Every gradient against central differences.

A check entry by entry needs two evaluations for each number of the input. A random projection needs two in all and
still sees every entry of the Jacobian J: for random directions u (at the output) and v (at the inputs) compare

    uᵀ J v  from the rules  (⟨∇(uᵀf), v⟩)   with   uᵀ [f(x + εv) − f(x − εv)] / 2ε   from two evaluations.

A wrong entry of J changes the left side, unless v happens to be orthogonal to the error: probability zero.
"""

import numpy as np

from .autograd import grad
from .tensor import Tensor


def gradcheck(function, inputs, *, rng, order=1, eps=1e-5, rtol=1e-6, directions=3):
    r"""Check the derivatives of `function`, of every order up to `order`, and return the largest relative error.

    function: takes Tensors, returns one Tensor of any shape, and must be smooth near the inputs.
    inputs:   float64 arrays. ValueError if one is not: float32 has too few digits for differences.
    Raises AssertionError that names the order, both numbers and the error if the error is above rtol.
    The error is |ours − numeric| / max(1, ‖∇(uᵀf)‖).
    """
    inputs = [np.asarray(x) for x in inputs]
    if wrong := {x.dtype.name for x in inputs} - {"float64"}:
        raise ValueError(f"gradcheck: float64 inputs are needed, got {', '.join(wrong)}: use x.astype(np.float64)")
    return max(check_direction(function, inputs, rng, order, eps, rtol, 1) for _ in range(directions))


def check_direction(function, inputs, rng, order, eps, rtol, level):
    """One random projection of the derivative number `level`, then of those above it."""
    u = rng.standard_normal(function(*leaves(inputs)).shape)
    v = [rng.standard_normal(x.shape) for x in inputs]

    def projected(*tensors):  # uᵀ f, one number
        return (function(*tensors) * u).sum()

    def slope(*tensors):  # uᵀ J v by the rules: itself a function whose derivatives can be checked
        return sum((g * w).sum() for g, w in zip(gradients(projected(*tensors), tensors, create_graph=True), v))

    at = leaves(inputs)
    gs = [g.data for g in gradients(projected(*at), at)]
    ours = sum(np.vdot(g, w) for g, w in zip(gs, v))
    ahead, behind = (projected(*leaves(x + s * eps * w for x, w in zip(inputs, v))).item() for s in (1, -1))
    numeric = (ahead - behind) / (2 * eps)
    error = abs(ours - numeric) / max(1.0, np.sqrt(sum(np.vdot(g, g) for g in gs)))
    if not error <= rtol:
        raise AssertionError(f"gradcheck: derivative {level} is {ours:.9g} by the rules and {numeric:.9g} by central "
                             f"differences: relative error {error:.2g}, more than {rtol:.2g}")  # fmt: skip
    return error if level >= order else max(error, check_direction(slope, inputs, rng, order, eps, rtol, level + 1))


def leaves(arrays):
    """A Tensor that requires grad for each array."""
    return [Tensor(x, requires_grad=True) for x in arrays]


def gradients(output, inputs, create_graph=False):
    """`grad`, but zeros where the output is a constant, as higher derivatives of a linear function are."""
    if not output.requires_grad:
        return [Tensor(np.zeros(x.shape)) for x in inputs]
    return grad(output, inputs, create_graph=create_graph)
