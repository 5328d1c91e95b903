import numpy as np


def report(log_prob, dim):
    r"""(N,), int -> (nll, half_width, bits_per_dim)"""
    nll = -np.mean(log_prob)
    se = np.std(log_prob) / np.sqrt(len(log_prob))
    lo, hi = nll - 1.96 * se, nll + 1.96 * se
    return nll, hi - lo, nll / dim / np.log(2)
