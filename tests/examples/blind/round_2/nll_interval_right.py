import numpy as np


def report(log_prob, dim):
    r"""(N,), int -> (nll, half_width, bits_per_dim)"""
    losses = -np.asarray(log_prob, dtype=np.float64)
    n = losses.shape[0]
    nll = losses.mean()
    standard_error = losses.std() / np.sqrt(n)
    half_width = 1.96 * standard_error
    bits_per_dim = nll / (dim * np.log(2))
    return float(nll), float(half_width), float(bits_per_dim)
