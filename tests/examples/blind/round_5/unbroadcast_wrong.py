def unbroadcast(g, shape):
    lead = g.ndim - len(shape)
    axes = list(range(lead))
    for i, n in enumerate(shape):
        if n == 1 and g.shape[lead + i] > 1:
            axes.append(lead + i)
    return np.sum(g, axis=tuple(axes))
