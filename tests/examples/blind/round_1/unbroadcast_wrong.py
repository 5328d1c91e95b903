def unbroadcast(g, shape):
    # new axes come in front
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    # and an axis of length 1 may have been repeated
    if 1 in shape:
        g = g.sum(axis=shape.index(1), keepdims=True)
    return g
