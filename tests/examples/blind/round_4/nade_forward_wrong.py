def forward(x, order, W, V, b, c):
    r"""Bits (B, D) -> logits (B, D) and the last hidden sums a (B, H)."""
    n, D = x.shape
    H = W.shape[1]
    out = np.empty((n, D), W.dtype)
    a = np.empty((n, H), W.dtype)
    h = np.empty(H, W.dtype)
    for i in range(n):
        a[i] = c
        squash(a[i], h)
        for k in range(D):
            d = order[k]
            out[i, k] = logit(b[d], V[d], h)
            if x[i, d] != 0:
                switch_on(a[i], h, W[d])
    return out, a
