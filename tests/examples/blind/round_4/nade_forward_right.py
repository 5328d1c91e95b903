def forward(x, order, W, V, b, c):
    r"""Bits (B, D) -> logits (B, D) and the last hidden sums a (B, H)."""
    B, D = x.shape
    H = c.shape[0]
    logits = np.empty((B, D), W.dtype)
    a = np.empty((B, H), W.dtype)
    h = np.empty(H, W.dtype)
    for i in range(B):
        for j in range(H):
            a[i, j] = c[j]
        squash(a[i], h)
        for t in range(D):
            d = order[t]
            logits[i, d] = logit(b[d], V[d], h)
            if x[i, d] > 0:
                switch_on(a[i], h, W[d])
    return logits, a
