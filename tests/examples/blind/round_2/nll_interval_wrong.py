import numpy as np


def report(log_prob, dim):
    r"""(N,), int -> (nll, half_width, bits_per_dim)"""
    nll = -np.mean(log_prob)
    se = np.std(log_prob) / np.sqrt(len(log_prob))
    half_width = 1.96 * se
    bits_per_dim = nll / dim
    return nll, half_width, bits_per_dim
