"""The table of primitives, NumPy only: each is a forward and, right under it, its vector-Jacobian products.

Reading order: primitive (what one is), elementwise, reductions, shapes, linear_algebra.
"""

from .elementwise import (
    add, astype, divide, exp, log, log_sigmoid, maximum, minimum, multiply, negative, power, relu, sigmoid, softplus,
    sqrt, subtract, tanh, where,
)  # fmt: skip
from .linear_algebra import matmul
from .primitive import TABLE, Primitive, primitive, unbroadcast
from .reductions import cumsum, logsumexp, max, mean, sum
from .shapes import broadcast_to, concatenate, getitem, reshape, scatter_add, stack, transpose
