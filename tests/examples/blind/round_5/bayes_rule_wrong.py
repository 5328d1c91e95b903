import numpy as np


def posterior(log_likelihood, prior):
    r"""(B, C), (C,) -> (B, C)"""
    # log-sum-exp trick: subtract the row maximum
    logits = log_likelihood + prior[None, :]
    logits = logits - np.max(logits, axis=1, keepdims=True)
    e = np.exp(logits)
    return e / np.sum(e, axis=1, keepdims=True)
