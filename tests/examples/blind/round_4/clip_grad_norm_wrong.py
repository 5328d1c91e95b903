def clip_grad_norm_(parameters, max_norm):
    r"""Scale all gradients by one factor so that their joint norm is at most max_norm; returns the norm before.

    The parameters are put into flat buffers, as an optimiser does."""
    flats = flatten(parameters)
    if isinstance(parameters, (list, tuple)):
        params = list(parameters)
    else:
        params = [p for flat in flats for p in flat.parameters]
    params = [p for p in params if p.grad is not None]

    norm = float(np.sqrt(sum(np.sum(p.grad.astype(np.float64) ** 2) for p in params)))
    if norm > max_norm:
        for p in params:
            p.grad *= max_norm / norm
    return norm
