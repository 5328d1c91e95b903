import numpy as np


def posterior(log_likelihood, prior):
    r"""(B, C), (C,) -> (B, C)"""
    with np.errstate(divide="ignore"):      # a class with prior 0 is allowed
        joint = np.asarray(log_likelihood, dtype=np.float64) + np.log(np.asarray(prior, dtype=np.float64))
    joint = joint - joint.max(axis=1, keepdims=True)
    p = np.exp(joint)
    return p / p.sum(axis=1, keepdims=True)
