r"""Fully visible sigmoid belief network (Frey 1998): one logistic regression for each variable, on those before it.

    p(x_d = 1 | x_<d) = σ( b_d + Σ_{j before d} W_jd x_j )

D (D + 1) / 2 numbers, 307,720 for 784 pixels. All D regressions at once are one product with a masked matrix.
"""

import numpy as np

from minigrad.functional import sigmoid
from minigrad.nn import Parameter

from .autoregressive import AutoregressiveModel, ranks, resolve_order


class FVSBN(AutoregressiveModel):
    """dim: D; order: "natural", "random" or a permutation; dtype: float32 or float64."""

    def __init__(self, dim, *, rng, order="natural", dtype=np.float32):
        self.dim, self.dtype = dim, np.dtype(dtype)
        self.order = resolve_order(order, dim, rng)
        rank = ranks(self.order)
        self.M = (rank[:, None] < rank[None, :]).astype(dtype)  # (D, D): does j come before d?
        self.W = Parameter(np.zeros((dim, dim), dtype))
        self.b = Parameter(np.zeros(dim, dtype))

    def logits(self, x):
        """Bits (B, D) -> Tensor (B, D)"""
        return x @ (self.W * self.M) + self.b  # (B, D)

    def draw(self, u):
        """Uniform numbers (n, D) -> bits (n, D), in O(D²) an image: a pixel that is on adds its row of W to the logits after it."""
        x = np.zeros(u.shape, np.uint8)
        W = self.W.data * self.M
        logits = np.tile(self.b.data, (len(u), 1))  # (n, D)
        for d in self.order:
            x[:, d] = u[:, d] < sigmoid(logits[:, d])
            logits[x[:, d] == 1] += W[d]
        return x
