r"""NADE: the neural autoregressive distribution estimator (Larochelle & Murray 2011), by its Algorithm 1.

    a₁ = c;   h_d = σ(a_d);   logit_d = b_d + V_d · h_d;   a_{d+1} = a_d + W_d x_d        (equations 8 to 11)

Written as D separate networks this would cost O(D² H). But network d's hidden sum differs from its neighbour's by one
term, so all D cost O(D H). And x_d is a bit: where it is 0 the hidden layer does not change, so only the pixels that
are on (one in seven, on digits) cost a new sigmoid.

The backward pass walks the same way back. With g_d = ∂L/∂logit_d, from the last variable to the first:

    δV_d = g_d h_d;    δh_d = g_d V_d;    δa_d = δa_{d+1} + δh_d h_d (1 − h_d);    δW_d = δa_{d+1} x_d;    δc = δa₁

The loops run over d outside and over the examples inside, so that one row of V and W is used by the whole batch while
it is in the fastest cache.
"""

import math

import numpy as np

from minigrad.kernels import expf, jit
from minigrad.nn import Parameter, uniform
from minigrad.ops import primitive
from minigrad.tensor import Mode, Tensor

from .autoregressive import AutoregressiveModel, resolve_order


@jit
def squash(a, h):
    """h = σ(a), with our expf for float32 and libm's exp for float64."""
    one = a.dtype.type(1)
    if a.itemsize == 4:
        for k in range(a.size):
            h[k] = one / (one + expf(-a[k]))
    else:
        for k in range(a.size):
            h[k] = one / (one + math.exp(-a[k]))


@jit
def switch_on(a, h, W_d):
    """The hidden layer after a pixel that is on: a ← a + W_d, h ← σ(a)."""
    for k in range(a.size):
        a[k] += W_d[k]
    squash(a, h)


@jit
def logit(b_d, V_d, h):
    """b_d + V_d · h"""
    z = b_d
    for k in range(h.size):
        z += V_d[k] * h[k]
    return z


@jit
def logit_backward(g, V_d, h, dV_d, dh):
    """δV_d += g h and δh += g V_d"""
    for k in range(h.size):
        dV_d[k] += g * h[k]
        dh[k] += g * V_d[k]


@jit
def collect(h, dh, da):
    """δa += δh h (1 − h), and δh starts again at 0: h stayed the same since the last pixel that was on."""
    for k in range(h.size):
        da[k] += dh[k] * h[k] * (h.dtype.type(1) - h[k])
        dh[k] = 0


@jit
def switch_off(a, h, W_d, dh, da, dW_d):
    """The way back over a pixel that is on: collect δa, add it to δW_d, then a ← a − W_d, h ← σ(a)."""
    collect(h, dh, da)
    for k in range(a.size):
        dW_d[k] += da[k]
        a[k] -= W_d[k]
    squash(a, h)


@jit
def forward(x, order, W, V, b, c):
    """Bits (B, D) -> logits (B, D) and the last hidden sums a (B, H)."""
    a, h = np.empty((len(x), len(c)), W.dtype), np.empty((len(x), len(c)), W.dtype)
    logits = np.empty(x.shape, W.dtype)
    for i in range(len(x)):
        a[i] = c
        squash(a[i], h[i])
    for d in order:
        for i in range(len(x)):
            logits[i, d] = logit(b[d], V[d], h[i])
            if x[i, d]:
                switch_on(a[i], h[i], W[d])
    return logits, a


@jit
def backward(g, a, x, order, W, V):
    """∂L/∂logits (B, D) and the last sums a -> the gradients of W, V (D, H) and of each example's first sum, (B, H)."""
    dW, dV = np.zeros_like(W), np.zeros_like(V)  # (D, H) each
    a, h, dh, da = a.copy(), np.empty_like(a), np.zeros_like(a), np.zeros_like(a)  # (B, H) each
    for i in range(len(x)):
        squash(a[i], h[i])
    for d in order[::-1]:
        for i in range(len(x)):
            if x[i, d]:
                switch_off(a[i], h[i], W[d], dh[i], da[i], dW[d])
            logit_backward(g[i, d], V[d], h[i], dV[d], dh[i])
    for i in range(len(x)):
        collect(h[i], dh[i], da[i])
    return dW, dV, da


@jit
def draw(u, order, W, V, b, c):
    """Uniform numbers (n, D) -> bits (n, D): the forward pass, but each bit is drawn as soon as its logit is known."""
    x = np.zeros(u.shape, np.uint8)
    a, h = np.empty_like(c), np.empty_like(c)
    for i in range(len(u)):
        a[:] = c
        squash(a, h)
        for d in order:
            x[i, d] = u[i, d] * (1 + math.exp(-logit(b[d], V[d], h))) < 1
            if x[i, d]:
                switch_on(a, h, W[d])
    return x


def nade_logits_vjp(g, a, W, V, b, c, x, order):
    r"""The backward half of Algorithm 1, for any upstream gradient g (B, D)"""
    dW, dV, da = backward(np.ascontiguousarray(g), a, x, order, W, V)
    return dW, dV, g.sum(axis=0), da.sum(axis=0)  # (D, H), (D, H), (D,), (H,)


@primitive(joint=nade_logits_vjp, first_order=True)
def nade_logits(W, V, b, c, /, x, order):
    r"""The D logits of each example; the last hidden sums are saved for the way back"""
    return forward(x, order, W, V, b, c)


class NADE(AutoregressiveModel):
    """dim: D; hidden: H sigmoid units; order: "natural", "random" or a permutation; dtype: float32 or float64."""

    def __init__(self, dim, hidden=500, *, rng, order="natural", dtype=np.float32):
        self.dim, self.dtype = dim, np.dtype(dtype)
        self.order = resolve_order(order, dim, rng)
        self.W = uniform((dim, hidden), 0.05, rng, dtype)  # row d: what x_d adds to the hidden sums
        self.V = uniform((dim, hidden), 0.05, rng, dtype)  # row d: from the hidden layer to the logit of x_d
        self.b = Parameter(np.zeros(dim, dtype))
        self.c = Parameter(np.zeros(hidden, dtype))

    def logits(self, x):
        """Bits (B, D) -> Tensor (B, D)"""
        if isinstance(x, Tensor):
            raise TypeError("NADE: its kernel has no gradient for x: give the bits as a NumPy array")
        return nade_logits(self.W, self.V, self.b, self.c, x=x, order=self.order)

    def nll(self, x):
        """The mean of −log p, by the fast twin, `nade_one_pass.py`, whose gradients come with it."""
        from .nade_one_pass import nade_nll

        if not Mode.recording:
            return super().nll(x)
        return nade_nll(self.W, self.V, self.b, self.c, x=self.bits(x), order=self.order)

    def draw(self, u):
        """Uniform numbers (n, D) -> bits (n, D), in O(D H) an image: by `draw`, or its fast twin."""
        from .nade_one_pass import draw_by_fours

        return draw_by_fours(u, self.order, self.W.data, self.V.data, self.b.data, self.c.data)
