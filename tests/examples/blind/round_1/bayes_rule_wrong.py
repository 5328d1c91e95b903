import numpy as np


def posterior(log_likelihood, prior):
    r"""(B, C), (C,) -> (B, C)"""
    # log joint, then the usual softmax trick
    log_joint = log_likelihood + np.log(prior)[None, :]
    log_joint = log_joint - np.max(log_joint)
    joint = np.exp(log_joint)
    evidence = joint.sum(axis=1, keepdims=True)
    return joint / evidence
