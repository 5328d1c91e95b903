# Exercise unbroadcast: undo broadcasting (20 minutes). Read first: NumPy's rules of broadcasting;
# minigrad/autograd.py, where propagate calls unbroadcast.
#
# g is the gradient of something that was broadcast from `shape`. Sum it down to `shape`.
#
# It takes the place of minigrad.ops.primitive:unbroadcast, and may use what that file imports and defines.


def unbroadcast(g, shape):
    # sum the new axes in front away
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    # sum over the axes that were 1
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] > 1)
    if stretched:
        g = g.sum(axis=stretched)
    return g
