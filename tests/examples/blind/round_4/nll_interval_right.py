import numpy as np


def report(log_prob, dim):
    r"""(N,), int -> (nll, half_width, bits_per_dim)"""
    losses = -np.asarray(log_prob, dtype=np.float64)
    n = losses.size
    nll = losses.mean()
    half_width = 1.96 * losses.std(ddof=1) / np.sqrt(n)
    return float(nll), float(half_width), float(nll / (dim * np.log(2)))
