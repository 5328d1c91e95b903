import numpy as np


def mixture_log_prob(log_probs, weights):
    r"""(K, B), (K,) -> (B,)"""
    w = np.asarray(weights) / np.sum(weights)
    m = np.max(log_probs)                       # take out the largest so that exp is safe
    p = np.exp(log_probs - m)
    mix = w @ p
    return m + np.log(mix)
