r"""Functions made of primitives, and the few that are fused, with PyTorch's names and argument order.

All of them are differentiable any number of times: a fused rule, too, is written with functions of the table.
"""

import numpy as np

from .ops.elementwise import log1p_exp
from .ops import log_sigmoid, logsumexp, primitive, relu, sigmoid, softplus  # offered here too; logsumexp takes `axis`
from .tensor import to_array

tanh = np.tanh


def silu(x):
    r"""x · sigmoid(x), also called swish (Elfwing et al. 2018)."""
    return x * sigmoid(x)


def softmax(input, dim=-1):
    r"""exp(xᵢ) / Σⱼ exp(xⱼ) along an axis."""
    return np.exp(log_softmax(input, dim))


def log_softmax(input, dim=-1):
    r"""xᵢ − log Σⱼ exp(xⱼ) along an axis; right at ±1000, since logsumexp takes the largest term out first."""
    return input - logsumexp(input, dim, keepdims=True)


def linear(input, weight, bias=None):
    r"""y = x Wᵀ + b. input (..., in), weight (out, in), bias (out,) -> (..., out)."""
    return input @ weight.T if bias is None else input @ weight.T + bias


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    r"""y = (x − mean) / √(variance + ε) · w + b over the last axes, those of `normalized_shape` (Ba et al. 2016)."""
    axes = tuple(range(-len(np.atleast_1d(normalized_shape)), 0))
    centred = input - np.mean(input, axis=axes, keepdims=True)
    y = centred / np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def reduce(loss, reduction):
    """The mean, the sum, or the losses themselves, for reduction "mean", "sum", "none"."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction must be "mean", "sum" or "none", not {reduction!r}')
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def mse_loss(input, target, reduction="mean"):
    r"""(x − t)². Input and target broadcast: mind that (B, 1) against (B,) gives (B, B)."""
    difference = input - target
    return reduce(difference * difference, reduction)


def bernoulli_nll_vjp_x(g, y, x, t):
    r"""∂y/∂x = σ(x) − t"""
    return g * (sigmoid(x) - t)


def bernoulli_nll_vjp_t(g, y, x, t):
    r"""∂y/∂t = −x"""
    return -g * x


@primitive(bernoulli_nll_vjp_x, bernoulli_nll_vjp_t)
def bernoulli_nll(x, t, /):
    r"""−[t log σ(x) + (1 − t) log(1 − σ(x))] = softplus(x) − t x = max(x, 0) − t x + log(1 + e^−|x|), in nats"""
    return np.maximum(x, 0) - t * x + log1p_exp(x)


def binary_cross_entropy_with_logits(input, target, reduction="mean"):
    r"""−[t log σ(x) + (1 − t) log(1 − σ(x))] in nats, for logits x and targets t in [0, 1]; right at ±1000.

    They broadcast: mind that (B, 1) against (B,) gives (B, B).
    """
    return reduce(bernoulli_nll(input, target), reduction)


def cross_entropy(input, target, reduction="mean"):
    r"""−log softmax(x)[t] in nats, for logits (N, C) and integer classes t (N,)."""
    target = np.asarray(to_array(target))
    if input.ndim != 2 or target.shape != input.shape[:1] or target.dtype.kind not in "iu":
        raise ValueError(f"cross_entropy: needs logits (N, C), integers (N,): got {input.shape}, {target.dtype} {target.shape}")
    if target.size and not 0 <= target.min() <= target.max() < input.shape[1]:
        raise ValueError(f"cross_entropy: classes must lie in 0 ... {input.shape[1] - 1}, got {target.min()} ... {target.max()}")
    return reduce(logsumexp(input) - input[np.arange(len(target)), target], reduction)
