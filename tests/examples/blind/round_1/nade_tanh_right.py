import numpy as np


def log_sigmoid(s):
    return -np.logaddexp(0.0, -s)


def log_prob(x, order, W, V, b, c):
    r"""(B, D) -> (B,)"""
    B, D = x.shape
    a = np.tile(np.asarray(c, dtype=float), (B, 1))     # (B, H), before anything has been seen
    total = np.zeros(B)
    for d in order:
        h = np.tanh(a)
        logit = h @ V[d] + b[d]
        total += x[:, d] * log_sigmoid(logit) + (1 - x[:, d]) * log_sigmoid(-logit)
        a += np.outer(x[:, d], W[d])
    return total
