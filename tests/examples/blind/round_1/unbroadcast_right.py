def unbroadcast(g, shape):
    shape = tuple(shape)
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    # axes that broadcasting put in front
    if extra > 0:
        g = g.sum(axis=tuple(range(extra)))
    # axes that were 1 and have been stretched
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    if stretched:
        g = g.sum(axis=stretched, keepdims=True)
    return g
