r"""Primitives that move numbers without changing them. Their rules move the gradient back."""

import numpy as np

from .primitive import primitive, unbroadcast


def reshape_vjp(g, y, x, shape):
    r"""The old shape again"""
    return np.reshape(g, x.shape)


@primitive(reshape_vjp)
def reshape(x, /, shape):
    r"""The same numbers, in the same order, in another shape"""
    return np.reshape(x, shape)


def transpose_vjp(g, y, x, axes=None):
    r"""The inverse permutation, which is what argsort of a permutation gives"""
    return np.transpose(g, None if axes is None else tuple(np.argsort([a % x.ndim for a in axes])))


@primitive(transpose_vjp)
def transpose(x, /, axes=None):
    r"""Axis i of the output is axis axes[i] of the input; without `axes` their order is reversed"""
    return np.transpose(x, axes)


def broadcast_to_vjp(g, y, x, shape):
    r"""Each copy's gradient comes back to the one original: a sum"""
    return unbroadcast(g, x.shape)


@primitive(broadcast_to_vjp)
def broadcast_to(x, /, shape):
    r"""x repeated to `shape`"""
    return np.broadcast_to(x, shape)


def getitem_vjp(g, y, x, index):
    r"""Put g where y came from, 0 elsewhere"""
    return scatter_add(g, index, x.shape)


@primitive(getitem_vjp)
def getitem(x, /, index):
    r"""y = x[index], with any index that NumPy takes"""
    return x[index]


def scatter_add_vjp(g, y, x, index, shape):
    r"""The adjoint of putting is taking"""
    return g[index]


@primitive(scatter_add_vjp)
def scatter_add(g, /, index, shape):
    r"""Zeros of `shape`, then y[index] += g with every repetition of an index counted"""
    y = np.zeros(shape, g.dtype)
    if any(isinstance(i, (list, tuple, np.ndarray)) for i in (index if isinstance(index, tuple) else (index,))):
        np.add.at(y, index, g)  # y[index] += g would count an index that comes twice only once
    else:
        y[index] = g  # slices and integers never repeat
    return y


def concatenate_vjp(g, y, *arrays, axis=0):
    r"""Each array's stretch of g"""
    ends = np.cumsum([x.shape[axis] for x in arrays])
    before = (slice(None),) * (axis % y.ndim)
    return tuple(g[(*before, slice(end - x.shape[axis], end))] for x, end in zip(arrays, ends))


@primitive(joint=concatenate_vjp)
def concatenate(*arrays, axis=0):
    r"""The arrays one after another along an axis"""
    return np.concatenate(arrays, axis=axis)


def stack_vjp(g, y, *arrays, axis=0):
    r"""Each array's slice of g"""
    before = (slice(None),) * (axis % y.ndim)
    return tuple(g[(*before, i)] for i in range(len(arrays)))


@primitive(joint=stack_vjp)
def stack(*arrays, axis=0):
    r"""The arrays side by side along a new axis"""
    return np.stack(arrays, axis=axis)
