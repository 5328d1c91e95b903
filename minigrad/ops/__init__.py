"""The table of primitives, NumPy only: each is a forward with its vector-Jacobian products beside it.

Reading order: primitive (what one is), elementwise, reductions, shapes, linear_algebra.
"""
# ruff: noqa: F403

from .elementwise import *
from .linear_algebra import *
from .primitive import TABLE, Primitive, primitive, unbroadcast
from .reductions import *
from .shapes import *
