import numpy as np


def mixture_log_prob(log_probs, weights):
    r"""(K, B), (K,) -> (B,)"""
    log_probs = np.asarray(log_probs, dtype=np.float64)
    weights = np.asarray(weights, dtype=np.float64)

    # models with weight 0 do not count at all
    used = weights > 0
    log_w = np.log(weights[used]) - np.log(np.sum(weights))
    terms = log_probs[used] + log_w[:, np.newaxis]

    # log-sum-exp over the models
    biggest = terms.max(axis=0)
    shift = np.where(np.isfinite(biggest), biggest, 0.0)
    with np.errstate(divide="ignore"):
        return shift + np.log(np.exp(terms - shift).sum(axis=0))
