import numpy as np


def posterior(log_likelihood, prior):
    r"""(B, C), (C,) -> (B, C)"""
    log_joint = log_likelihood + np.log(prior)
    log_joint = log_joint - np.max(log_joint)     # for stability
    joint = np.exp(log_joint)
    return joint / joint.sum(axis=-1, keepdims=True)
