r"""Primitives that sum, average or take the largest along axes. `axis` is None (all), an int or a tuple, as in NumPy."""

import numpy as np

from .primitive import primitive


def keep_axes(y, x, axis):
    """Give y, the result of a reduction of x along `axis`, the lost axes back with length 1, so that it broadcasts."""
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in np.atleast_1d(axis)]
    return np.reshape(y, tuple(1 if a in axes else n for a, n in enumerate(x.shape)))


def sum_vjp(g, y, x, axis=None, keepdims=False):
    r"""∂y/∂xᵢ = 1: g is handed to every term"""
    return np.broadcast_to(keep_axes(g, x, axis), x.shape)


@primitive(sum_vjp)
def sum(x, /, axis=None, *, keepdims=False):
    r"""y = Σ x"""
    return np.sum(x, axis=axis, keepdims=keepdims)


def mean_vjp(g, y, x, axis=None, keepdims=False):
    r"""∂y/∂xᵢ = 1/n"""
    return np.broadcast_to(keep_axes(g, x, axis) / (x.size // (y.size or 1)), x.shape)


@primitive(mean_vjp)
def mean(x, /, axis=None, *, keepdims=False):
    r"""y = Σ x / n"""
    return np.mean(x, axis=axis, keepdims=keepdims)


def max_vjp(g, y, x, axis=None, keepdims=False):
    r"""g goes to the largest entry; several that are equally large share it equally"""
    largest = (x == keep_axes(y, x, axis)).astype(x.dtype)
    return keep_axes(g, x, axis) * (largest / np.sum(largest, axis=axis, keepdims=True))


@primitive(max_vjp)
def max(x, /, axis=None, *, keepdims=False):
    r"""y = max x"""
    return np.max(x, axis=axis, keepdims=keepdims)


def logsumexp_vjp(g, y, x, axis=-1, keepdims=False):
    r"""∂y/∂xᵢ = e^(xᵢ−y), the softmax"""
    return keep_axes(g, x, axis) * np.exp(x - keep_axes(y, x, axis))


@primitive(logsumexp_vjp)
def logsumexp(x, /, axis=-1, *, keepdims=False):
    r"""y = log Σ eˣ = m + log Σ e^(x−m) with m = max x: the largest term becomes 1, so nothing overflows"""
    m = np.max(x, axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0).astype(x.dtype)  # all of x = -inf: the answer is -inf, not NaN
    y = m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis=axis)


def cumsum_vjp(g, y, x, axis):
    r"""xᵢ is in yᵢ and all that follow, so its gradient is the sum of gᵢ and all that follow: a cumsum from the end"""
    backwards = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return np.cumsum(g[backwards], axis=axis)[backwards]


@primitive(cumsum_vjp)
def cumsum(x, /, axis):
    r"""yᵢ = x₁ + … + xᵢ along one axis"""
    return np.cumsum(x, axis=axis)
