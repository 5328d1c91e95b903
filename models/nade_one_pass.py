r"""NADE's mean of −log p and all its gradients in one pass over the variables: the fast twin of `nade.py`, behind `nll`.

`nade.forward` walks from the first variable to the last; `nade.backward` walks back, and undoes every step to find the
hidden layer again. That serves any upstream gradient. The mean of −log p, which is what training minimises, needs less:

1.  g_d = ∂L/∂logit_d = (σ(logit_d) − x_d) / B is known as soon as the logit is. So V's gradient, g_d h_d, is taken there.
2.  W_d gets what all variables *after* d send back to the hidden sums. Behind us we only know what those up to d have sent,
    P_d = Σ_{e ≤ d} g_e V_e ∘ h_e (1 − h_e). But at the end the total T is known, and what came after is the rest:

        δW_d = x_d (T − P_d),      over a batch      δW = xᵀ T − Σ_i x_i P_i

    So P_d is subtracted on the way, and xᵀ T added at the end. Nothing is walked twice, and no h is stored.
3.  The variables go by fours, and all examples pass through four before the next four begin: their rows of V, W and of
    the gradients (32 kB with 500 hidden units) stay in the cache meanwhile.
4.  Between two pixels that are on, the hidden layer stands still. So those of the four that share an h are taken together:
    h is read once for all logits, and once for two rows of V's gradient.

Samples (`draw_by_fours`) share what a row of V costs among four images, as the logits share h among four variables.

The loops index whole arrays, as V[d, k]: to hand a helper the row V[d] would cost more than many a helper's work.
`python -m examples.benchmarks` measures the gain; the tests compare the value and the gradients with those of `nade.py`.
"""

import math

import numpy as np

from minigrad.kernels import expf, jit
from minigrad.ops import primitive

from .binary_input import scatter_rows
from .nade import squash, switch_on

LARGE = 1e30  # four more factors of at most 2 still fit into a float32, which ends at 3e38


def inlined(function):
    """Copied into the loops that call it: see `jit`."""
    return jit(function, inline="always")


@inlined
def one_logit(i, d, V, b, h):
    """b_d + V_d · h_i"""
    z = b[d]
    for k in range(h.shape[1]):
        z += V[d, k] * h[i, k]
    return z


@inlined
def four_logits(i, d, V, b, h, z):
    """The same for the four variables d[0] ... d[3], written to z (4,)."""
    d0, d1, d2, d3 = d[0], d[1], d[2], d[3]
    z0, z1, z2, z3 = b[d0], b[d1], b[d2], b[d3]
    for k in range(h.shape[1]):
        z0 += V[d0, k] * h[i, k]
        z1 += V[d1, k] * h[i, k]
        z2 += V[d2, k] * h[i, k]
        z3 += V[d3, k] * h[i, k]
    z[0], z[1], z[2], z[3] = z0, z1, z2, z3


@inlined
def one_backward(i, d, g, V, h, dV, dh):
    """δV_d += g h_i and δh_i += g V_d"""
    for k in range(h.shape[1]):
        dV[d, k] += g * h[i, k]
        dh[i, k] += g * V[d, k]


@inlined
def two_backward(i, d, e, g_d, g_e, V, h, dV, dh):
    """The same for two variables d, e with one reading of h_i (a loop that writes more arrays would not be vector code)."""
    for k in range(h.shape[1]):
        dV[d, k] += g_d * h[i, k]
        dV[e, k] += g_e * h[i, k]
        dh[i, k] += g_d * V[d, k] + g_e * V[e, k]


@inlined
def pixel_on(i, d, W, a, h, dh, P, dW):
    """After a pixel that is on: P += δh h (1 − h), δW_d −= P, δh starts again at 0; then a += W_d, h = σ(a).

    It is `nade.collect` and `nade.switch_on` over whole arrays.
    """
    one = a.dtype.type(1)
    for k in range(a.shape[1]):
        P[i, k] += dh[i, k] * h[i, k] * (one - h[i, k])
        dh[i, k] = 0
        dW[d, k] -= P[i, k]
    for k in range(a.shape[1]):
        a[i, k] += W[d, k]
        h[i, k] = one / (one + (math.exp(-a[i, k]) if a.itemsize == 8 else expf(-a[i, k])))


@jit
def one_pass(x, order, W, V, b, c, dW, dV, db):
    r"""Bits (B, D) -> −log p (B,) and T (B, H), what each example's variables send back to its first hidden sums.

    Adds the mean's δV and δb in place, and to dW the part −Σ_i x_i P_i.
    """
    (B, D), H, zero, one = x.shape, len(c), W.dtype.type(0), W.dtype.type(1)
    a, h, dh, P = np.empty((B, H), W.dtype), np.empty((B, H), W.dtype), np.zeros((B, H), W.dtype), np.zeros((B, H), W.dtype)
    nll, product, z, scale = np.zeros(B, W.dtype), np.ones(B, W.dtype), np.empty(4, W.dtype), one / W.dtype.type(B)
    for i in range(B):
        a[i] = c
        squash(a[i], h[i])
    for start in range(0, D, 4):
        d = order[start : start + 4]
        for i in range(B):
            first = 0
            while first < d.size:
                last = first  # of those that share this h: up to the next pixel that is on
                while last < d.size - 1 and not x[i, d[last]]:
                    last += 1
                if last > first and d.size == 4:
                    four_logits(i, d, V, b, h, z)  # only z[first] ... z[last] are used
                else:
                    last, z[first] = first, one_logit(i, d[first], V, b, h)
                for j in range(first, last + 1):  # −log p = max(z, 0) − x z + log(1 + e), and g = (σ(z) − x) / B
                    e = math.exp(-abs(z[j])) if z.itemsize == 8 else expf(-abs(z[j]))
                    nll[i] += max(z[j], zero) - x[i, d[j]] * z[j]
                    product[i] *= one + e
                    z[j] = scale * ((one if z[j] >= 0 else e) / (one + e) - x[i, d[j]])  # from here on g
                    db[d[j]] += z[j]
                for j in range(first, last, 2):
                    two_backward(i, d[j], d[j + 1], z[j], z[j + 1], V, h, dV, dh)
                if (last - first) % 2 == 0:
                    one_backward(i, d[last], z[last], V, h, dV, dh)
                if x[i, d[last]]:
                    pixel_on(i, d[last], W, a, h, dh, P, dW)
                first = last + 1
            if product[i] > LARGE:  # a logarithm costs more than all the rest, so factors are multiplied as long as they fit
                nll[i] += math.log(product[i])
                product[i] = one
    for i in range(B):
        nll[i] += math.log(product[i])
        for k in range(H):
            P[i, k] += dh[i, k] * h[i, k] * (one - h[i, k])
    return nll, P


def nade_nll_vjp(g, gradients, W, V, b, c, x, order):
    r"""The upstream gradient is one number, and the gradients of the mean are there already"""
    return gradients if g == 1 else tuple([g * gradient for gradient in gradients])


@primitive(joint=nade_nll_vjp, first_order=True)
def nade_nll(W, V, b, c, /, x, order):
    r"""The mean over the batch of −log p(x), bits (B, D), in nats; its four gradients are saved for the way back"""
    dW, dV, db = np.zeros_like(W), np.zeros_like(V), np.zeros_like(b)  # (D, H), (D, H), (D,)
    nll, T = one_pass(x, order, W, V, b, c, dW, dV, db)
    scatter_rows(x, T, dW)  # xᵀ T
    return nll.mean(), (dW, dV, db, T.sum(axis=0))


@jit
def fours(threshold, order, W, V, b, c):
    """Bits (n, D), 1 where the logit exceeds the threshold (n, D), n a multiple of 4: `nade.draw`, four images at a time.

    Four images share one row of V, as four variables share one h in `four_logits`: it is the same product with the roles
    of V and h exchanged.
    """
    (n, D), H = threshold.shape, len(c)
    x, z, none = np.zeros((n, D), np.uint8), np.empty(4, W.dtype), np.zeros(4, W.dtype)
    a, h = np.empty((4, H), W.dtype), np.empty((4, H), W.dtype)
    four = np.arange(4)
    for first in range(0, n, 4):
        for i in four:
            a[i] = c
            squash(a[i], h[i])
        for d in order:
            four_logits(d, four, h, none, V, z)
            for i in four:
                if z[i] + b[d] > threshold[first + i, d]:
                    x[first + i, d] = 1
                    switch_on(a[i], h[i], W[d])
    return x


def draw_by_fours(u, order, W, V, b, c):
    """`nade.draw` by fours: u < σ(z) is z > log(u / (1 − u)), and that logarithm NumPy takes for all numbers at once.

    (The two agree but where u lies within rounding of σ(z).)
    """
    u = np.clip(u, 0, 1)  # `complete` asks for a sure 1 by u = −1, for a sure 0 by u = 2
    with np.errstate(divide="ignore"):
        threshold = np.log(u / (1 - u))
    threshold = np.concatenate([threshold, np.zeros((-len(u) % 4, u.shape[1]))])
    return fours(threshold, order, W, V, b, c)[: len(u)]
