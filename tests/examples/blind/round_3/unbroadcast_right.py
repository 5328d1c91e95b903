# Exercise unbroadcast: undo broadcasting (20 minutes). Read first: NumPy's rules of broadcasting;
# minigrad/autograd.py, where propagate calls unbroadcast.
#
# g is the gradient of something that was broadcast from `shape`. Sum it down to `shape`.
#
# It takes the place of minigrad.ops.primitive:unbroadcast, and may use what that file imports and defines.


def unbroadcast(g, shape):
    extra = g.ndim - len(shape)
    axes = list(range(extra))  # the axes put in front
    for i, n in enumerate(shape):  # the axes of length 1 that were stretched
        if n == 1 and g.shape[extra + i] != 1:
            axes.append(extra + i)
    if not axes:
        return g
    return g.sum(axis=tuple(axes), keepdims=True).reshape(shape)
