r"""Spaces: which observations and actions there are, with the names of `gymnasium.spaces`, so that code takes either.

A space has a `shape` and a `dtype`, says whether it `contains` something, and draws an element with `sample()`. Its
generator is its own: `space.seed(0)` makes the draws repeatable. (Our agents draw from their own generators instead.)
"""

from operator import index

import numpy as np


class Space:
    """What all spaces share."""

    def __init__(self, shape, dtype, seed):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.seed(seed)

    def seed(self, seed=None):
        """Start the generator of `sample` anew; None takes a seed from the system."""
        self.np_random = np.random.default_rng(seed)

    def __contains__(self, x):
        return self.contains(x)


    def __eq__(self, other):
        same = lambda name: np.array_equal(getattr(self, name, None), getattr(other, name, None))  # noqa: E731
        return type(self) is type(other) and all(map(same, ("n", "start", "low", "high", "dtype")))


class Discrete(Space):
    """The integers start, ..., start + n − 1."""

    def __init__(self, n, seed=None, start=0):
        self.n, self.start = index(n), index(start)  # index(2.5) raises
        if n < 1:
            raise ValueError(f"Discrete: n must be at least 1, not {n}")
        super().__init__((), np.int64, seed)

    def contains(self, x):
        """Whether x is one of the integers, as a Python int, a NumPy integer or an array without axes."""
        x = np.asarray(x)
        return x.shape == () and x.dtype.kind in "iu" and self.start <= int(x) < self.start + self.n

    def sample(self):
        """A random element, each with the same probability."""
        return self.start + self.np_random.integers(self.n)

    @property
    def wanted(self):
        """What an element is, in words, for error messages."""
        return f"an integer {self.start} ... {self.start + self.n - 1}"

    def __repr__(self):
        return f"Discrete({self.n})" if self.start == 0 else f"Discrete({self.n}, start={self.start})"


class Box(Space):
    """Arrays with low ≤ x ≤ high in every entry. Bounds are numbers, or arrays of the same shape; ±inf is allowed.

    A float32 box holds float64 arrays too, if they lie inside: actions may have either type (Gymnasium's does not).
    ValueError if `low` is above `high` anywhere, a bound is NaN, the bounds do not fit the shape, or dtype is no float.
    """

    def __init__(self, low, high, shape=None, dtype=np.float32, seed=None):
        if shape is None:  # two numbers and no shape: (1,), as in Gymnasium
            shape = np.broadcast_shapes(np.shape(low), np.shape(high)) or (1,)
        super().__init__(tuple(shape), dtype, seed)
        if self.dtype.kind != "f":
            raise ValueError(f"Box: dtype must be a float, not {self.dtype}")
        self.low, self.high = (np.broadcast_to(np.asarray(b, self.dtype), shape).copy() for b in (low, high))
        if not (self.low <= self.high).all():
            raise ValueError(f"Box: low must not be above high, nor NaN: {low} and {high}")

    def contains(self, x):
        """Whether x is an array of the right shape whose entries all lie inside; NaN never does."""
        x = np.asarray(x)
        return x.shape == self.shape and x.dtype.kind in "fiu" and bool(((self.low <= x) & (x <= self.high)).all())

    def sample(self):
        """Uniform where both bounds are finite, exponential from a single bound, standard normal where there is none."""
        below, above = np.isfinite(self.low), np.isfinite(self.high)
        low, high = np.where(below, self.low, 0), np.where(above, self.high, 0)
        uniform, tail = self.np_random.uniform(low, np.maximum(low, high)), self.np_random.exponential(size=self.shape)
        one_bound = np.where(below, low + tail, np.where(above, high - tail, self.np_random.standard_normal(self.shape)))
        x = np.where(below & above, uniform, one_bound)
        return np.clip(x.astype(self.dtype), self.low, self.high)  # a rounding must not leave the box

    @property
    def wanted(self):
        """What an element is, in words, for error messages."""
        return f"an array of shape {self.shape} within the bounds (np.clip), such as {np.clip(np.zeros(self.shape), self.low, self.high)}"

    def __repr__(self):
        return f"Box({self.low.min()}, {self.high.max()}, {self.shape}, {self.dtype})"
