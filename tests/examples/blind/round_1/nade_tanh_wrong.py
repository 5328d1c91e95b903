import numpy as np


def log_prob(x, order, W, V, b, c):
    r"""(B, D) -> (B,)"""
    B, D = x.shape
    logp = np.zeros(B)
    a = np.zeros((B, len(c))) + c
    for k in range(D):
        d = order[k]
        a = a + x[:, d:d + 1] * W[d]          # (B, H)
        h = np.tanh(a)
        s = b[d] + h @ V[d]                   # (B,)
        # log Bernoulli(x | sigmoid(s)) = x s - log(1 + e^s)
        logp += x[:, d] * s - np.logaddexp(0, s)
    return logp
