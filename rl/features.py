r"""What a linear value function sees of a state: v̂(s) = φ(s)ᵀ w. The features φ(s) we choose, the weights w are learned.

    polynomial, fourier      of coordinates: smooth, every weight counts everywhere
    one_hot, aggregation     of state numbers: one weight for each state, or for a group of states
    TileCoding               of coordinates: every weight counts in one small tile

All are callables: N inputs -> Φ (N, F), a row of F features for each. In the last three nearly all features are zero, and
a zero costs time and changes nothing. So learners hold φ(s) as the indices of its *active* features and their values
(`Rows`): a polynomial has all F active, a table 1 of F, a tile coding as many as it has tilings.

Tile coding (Sutton & Barto, section 9.5.4). Lay a grid, a *tiling*, over the space; its cells are the *tiles*. The feature
of the tile that a point lies in is 1, all others are 0. With one tiling that is aggregation, and its dilemma: large tiles
learn fast and blur, small ones are sharp and must be learned one by one. So lay several, each shifted a little:

    A-------A-------A            Two tilings of 2 × 2 tiles, with corners A and B; B is shifted by half a tile.
    |       |       |
    |   B---+---B---+---B        A point in the cell /// has two active features, its A tile and its B tile:
    |   |   |///|   |   |
    A---+---A---+---A   |            upper right of A, upper left of B.
    |   |   |   |   |   |
    |   B---+---B---+---B        A point elsewhere in one of these two tiles shares that one feature with it,
    |   |   |   |   |   |        a point in the same cell shares both, a point in neither tile shares none.
    A---+---A---+---A   |
        |       |       |        What is learned at the first point carries over in that measure: all, half, nothing.
        B-------B-------B

So the width of a tile says how *far* learning carries, and the number T of tilings how *finely* values can differ: 8
tilings of 8 × 8 tiles tell 64 × 64 cells apart with a few hundred weights, and reading a value costs 8 additions.

- Each of the T active features is 1, so φᵀφ = T, and a step of size α removes the share α T of the error. To remove a
  tenth of it take α = 0.1 / T. Forgetting the T is the common mistake: beyond α = 1 / T a step overshoots, beyond 2 / T
  it ends farther away than it began.
- Tiling i is shifted by i/T of a tile times (1, 3, 5, …), another odd number along each axis, and whole tiles left out.
  Let T be a power of 2, best at least 4k: with T = 3 the second axis would not be shifted at all.
  With (1, 1, 1, …) all corners would lie along one diagonal, and learning would carry farther along it than across.
- A shifted grid needs one more tile along each axis to cover the space, so F = T (tiles + 1)ᵏ. Well-known codes *hash*
  the tiles into a table of fixed size, so that tiles far apart share a weight by accident. Here each has its own.
"""

import itertools
from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .mdp import check_count


def as_points(x, name):
    """Coordinates as (N, k); N numbers are N points on a line."""
    x = np.asarray(x, np.float64)
    if x.ndim not in (1, 2):
        raise ValueError(f"{name}: coordinates must have shape (N, k) or (N,), not {x.shape}")
    return x if x.ndim == 2 else x[:, None]


def polynomial(order):
    r"""All products of powers of the coordinates up to a total degree, degree by degree, pure powers first.

    For (x, y): 1 | x, y | x², y², xy | x³, y³, x²y, xy² | …: 3, 6, 10 features for the orders 1, 2, 3 (Zhao, section
    8.2.4, with x and y scaled to [−1, 1]). For a line: 1, x, x², …
    """
    order = check_count(order, "polynomial: order", 0)

    def features(x):
        x = as_points(x, "polynomial")
        powers = [e for e in itertools.product(range(order + 1), repeat=x.shape[1]) if sum(e) <= order]
        powers.sort(key=lambda e: (sum(e), max(e) < sum(e), [-p for p in e]))
        return np.stack([np.prod(x ** np.array(e), axis=1) for e in powers], axis=1)  # (N, F)

    return features


def fourier(order):
    r"""cos(π cᵀx) for every c in {0, …, order}ᵏ, the last entry of c running fastest: (order + 1)ᵏ features.

    For coordinates scaled to [0, 1] (Zhao, section 8.2.4; Sutton & Barto, section 9.5.2). Cosines alone are enough:
    half a period spans the range, so the function need not have equal ends.
    """
    order = check_count(order, "fourier: order", 0)

    def features(x):
        x = as_points(x, "fourier")
        c = np.array(list(itertools.product(range(order + 1), repeat=x.shape[1])))  # (F, k)
        return np.cos(np.pi * x @ c.T)  # (N, F)

    return features


def aggregation(n, groups):
    """States 0 … n − 1 in `groups` runs of neighbours: the feature of one's own group is 1. All groups are equally
    large, or differ by one state."""
    n, groups = check_count(n, "aggregation: n", 1), check_count(groups, "aggregation: groups", 1)
    if groups > n:
        raise ValueError(f"aggregation: {groups} groups cannot be made of {n} states")

    def features(states):
        states = np.asarray(states)
        if states.size and not (0 <= states.min() and states.max() < n):
            raise ValueError(f"aggregation: states must lie in 0 ... {n - 1}, not {states.min()} ... {states.max()}")
        return np.eye(groups)[states * groups // n]  # (N, groups)

    return features


def one_hot(n):
    """A feature of its own for each of n states: the linear value function is then a table."""
    return aggregation(n, n)


class Rows(NamedTuple):
    """The features of numbered states without the zeros: φ(s) is values[s] at the indices active[s], 0 elsewhere."""

    active: np.ndarray  # (S, K) integers
    values: np.ndarray  # (S, K)


def rows(Phi):
    """Φ (S, F) as Rows; K is the largest number of features that any state has active. States with fewer are filled up with
    features of value 0.
    """
    Phi = np.asarray(Phi, np.float64)
    if Phi.ndim != 2 or not np.isfinite(Phi).all():
        raise ValueError(f"rows: Phi must be finite, of shape (S, F): one row for each state; this has shape {Phi.shape}")
    nonzero = Phi != 0
    K = max(1, nonzero.sum(axis=1).max())
    active = np.sort(np.argsort(~nonzero, axis=1, kind="stable")[:, :K], axis=1)
    return Rows(active, np.take_along_axis(Phi, active, axis=1))


class Tiling(NamedTuple):
    """What a compiled loop needs of a tile coding, for k coordinates and T tilings."""

    low: np.ndarray  # (k,) the corner
    per_unit: np.ndarray  # (k,) tiles per unit of each coordinate
    shift: np.ndarray  # (T, k) of each tiling, in tiles, between 0 and 1
    tiles: int  # per axis, before the one more


def active_tiles(tiling, x, active):
    """Write the indices of the tiles that hold the point x (k,), one for each tiling, into active (T,).

    Along an axis the tile is ⌊(x − low) / width + shift⌋, between 0 and `tiles`; beyond the edge it is the last one.
    """
    for t in range(active.size):
        index = t
        for j in range(x.size):
            tile = int(np.floor((x[j] - tiling.low[j]) * tiling.per_unit[j] + tiling.shift[t, j]))
            index = index * (tiling.tiles + 1) + min(max(tile, 0), tiling.tiles)
        active[t] = index


active_tiles = jit(active_tiles, flags=())  # alone or inside a loop: the same bits


class TileCoding:
    """tilings: T; tiles: per axis; low, high: (k,) the range of each coordinate, both finite. size: F = T (tiles + 1)ᵏ."""

    def __init__(self, low, high, tiles=8, tilings=8):
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        if low.ndim != 1 or low.shape != high.shape or not (np.isfinite(low) & np.isfinite(high) & (low < high)).all():
            raise ValueError(f"TileCoding: low and high must be finite, (k,), with low < high: {low} and {high}")
        self.tilings, tiles = check_count(tilings, "TileCoding: tilings", 1), check_count(tiles, "TileCoding: tiles", 1)
        odd = 2 * np.arange(low.size) + 1  # 1, 3, 5, …
        shift = np.outer(np.arange(self.tilings), odd) % self.tilings / self.tilings  # (T, k)
        self.tiling = Tiling(low, tiles / (high - low), shift, tiles)
        self.size = self.tilings * (tiles + 1) ** low.size

    def active(self, x):
        """The T active features of one point (k,): their indices. The value of each is 1."""
        x, active = np.asarray(x), np.empty(self.tilings, np.int64)
        if x.shape != self.tiling.low.shape or not np.isfinite(x).all():
            raise ValueError(f"TileCoding: a point must be {self.tiling.low.size} finite numbers, not {x!r}")
        active_tiles(self.tiling, x, active)
        return active

    def __call__(self, x):
        """Points (N, k) -> Φ (N, F), of zeros and ones."""
        Phi = np.zeros((len(x), self.size))
        for row, point in zip(Phi, as_points(x, "TileCoding")):
            row[self.active(point)] = 1
        return Phi
