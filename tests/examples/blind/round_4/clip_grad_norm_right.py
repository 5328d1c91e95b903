def clip_grad_norm_(parameters, max_norm):
    r"""Scale all gradients by one factor so that their joint norm is at most max_norm; returns the norm before.

    The parameters are put into flat buffers, as an optimiser does."""
    grads = []
    for flat in flatten(parameters):
        for p in flat.parameters:
            if p.grad is not None:
                grads.append(p.grad)
    # add up in float64, float32 squares may overflow
    total = 0.0
    for g in grads:
        g64 = np.asarray(g, dtype=np.float64)
        total += float(np.sum(g64 * g64))
    norm = float(np.sqrt(total))
    if norm > max_norm:
        factor = max_norm / norm
        for g in grads:
            g *= factor
    return norm
