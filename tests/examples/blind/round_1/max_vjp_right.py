def max_vjp(g, y, x, axis=None, keepdims=False):
    # which axes went away?
    if axis is None:
        axes = tuple(range(x.ndim))
    elif isinstance(axis, tuple):
        axes = tuple(a % x.ndim for a in axis)
    else:
        axes = (axis % x.ndim,)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    # the same reshape does for keepdims True and False
    g = np.reshape(g, kept)
    y = np.reshape(y, kept)
    winners = (x == y).astype(x.dtype)
    return g * winners / winners.sum(axis=axes, keepdims=True)
