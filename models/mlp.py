r"""A multilayer perceptron as one primitive: the fast twin of `nn.MLP`, for small networks that take many small steps.

    h₀ = x;    h_l = relu(h_{l−1} W_lᵀ + b_l);    y = h_{L−1} W_Lᵀ + b_L;    θ = (W₁, b₁, …, W_L, b_L) in one vector

`nn.MLP` makes four nodes of a layer: a transpose, a product, a sum, a relu. With 64 units and 64 examples the numbers of
a layer take 10 µs, and the graph around them as much again on the way there, and more on the way back. Here the whole
network is one node with one parameter, and the way back is written out:

    δ_L = ∂L/∂y;    δ_{l−1} = (δ_l W_l) ∘ 1[h_{l−1} > 0];    ∂L/∂W_l = δ_lᵀ h_{l−1};    ∂L/∂b_l = Σ_B δ_l;    ∂L/∂x = δ₁ W₁

Bias and relu are one pass over h, in place. There and back it takes 0.6 of the time of `nn.MLP`
(`python -m examples.benchmarks_rl`). The weights start as those of `nn.MLP` do, and give the same numbers and gradients:
a test compares them.
"""

import copy

import numpy as np

from minigrad import nn
from minigrad.kernels import jit
from minigrad.ops import primitive


def layers(theta, sizes):
    """The pairs (W_l, b_l) as views of the vector θ: W_l (out, in), b_l (out,)."""
    pairs, end = [], 0
    for n, m in zip(sizes[:-1], sizes[1:]):
        start, middle, end = end, end + n * m, end + n * m + m
        pairs.append((theta[start:middle].reshape(m, n), theta[middle:end]))
    return pairs


@jit
def add_bias_relu(h, b):
    """h ← relu(h + b), in place: (B, H) and (H,)"""
    zero = h.dtype.type(0)
    for i in range(len(h)):
        h_i = h[i]
        for k in range(b.size):
            h_i[k] = max(h_i[k] + b[k], zero)


@jit
def relu_backward(delta, h):
    """δ ← δ ∘ 1[h > 0], in place: (B, H)"""
    zero = h.dtype.type(0)
    for i in range(len(h)):
        delta_i, h_i = delta[i], h[i]
        for k in range(h_i.size):
            delta_i[k] = delta_i[k] if h_i[k] > zero else zero


def mlp_vjp_x(g, saved, x, theta, sizes):
    r"""∂L/∂x = δ₁ W₁"""
    delta = g  # (B, out)
    for W, h in reversed(saved):
        delta = delta @ W  # (B, H), at last (B, in)
        if h is not x:
            relu_backward(delta, h)
    return delta


def mlp_vjp_theta(g, saved, x, theta, sizes):
    r"""∂L/∂W_l = δ_lᵀ h_{l−1} and ∂L/∂b_l = Σ_B δ_l, for all layers in one vector"""
    d_theta, delta = np.empty_like(theta), g
    for (dW, db), (W, h) in zip(reversed(layers(d_theta, sizes)), reversed(saved)):
        np.matmul(delta.T, h, out=dW)
        delta.sum(axis=0, out=db)
        if h is not x:
            delta = delta @ W
            relu_backward(delta, h)
    return d_theta


@primitive(mlp_vjp_x, mlp_vjp_theta, first_order=True)
def mlp(x, theta, /, sizes):
    r"""(B, in) -> (B, out); saves for each layer the pair W_l, h_{l−1}"""
    h, saved = x, []
    for W, b in layers(theta, sizes):
        saved.append((W, h))
        h = h @ W.T  # (B, H), at last (B, out)
        if len(saved) < len(sizes) - 1:
            add_bias_relu(h, b)
        else:
            h += b
    return h, saved


class MLP(nn.Module):
    """MLP((2, 16, 1), rng=rng): as `nn.MLP` with relu, but with one Parameter θ, first derivatives only, inputs (B, in).

    small: draw the last layer from U(±small), so that the first outputs are near 0 whatever the input.
    """

    def __init__(self, sizes, *, rng, small=None, dtype=np.float32):
        self.sizes = tuple(sizes)
        self.theta = nn.Parameter(np.concatenate([p.data.ravel() for p in nn.MLP(sizes, rng=rng, dtype=dtype).parameters()]))
        if small is not None:
            for a in layers(self.theta.data, self.sizes)[-1]:
                a[...] = rng.uniform(-small, small, a.shape)

    def forward(self, x):
        """(B, in) -> (B, out)"""
        return mlp(x, self.theta, self.sizes)

    def frozen(self):
        """A copy whose θ is a plain array: it runs in bare NumPy, and no gradient can ever reach it."""
        twin = copy.copy(self)
        twin.theta = self.theta.data.copy()
        return twin
