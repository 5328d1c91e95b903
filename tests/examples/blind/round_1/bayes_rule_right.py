import numpy as np


def posterior(log_likelihood, prior):
    r"""(B, C), (C,) -> (B, C)"""
    with np.errstate(divide="ignore"):          # a class with prior 0 has log prior -inf, that is fine
        log_prior = np.log(np.asarray(prior, dtype=float))
    joint = np.asarray(log_likelihood, dtype=float) + log_prior
    joint = joint - joint.max(axis=1, keepdims=True)
    p = np.exp(joint)
    return p / p.sum(axis=1, keepdims=True)
