import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    P_new = (1 - slip) * P + slip * P.mean(axis=1, keepdims=True)
    R_new = (1 - slip) * R + slip * R.mean(axis=1, keepdims=True)
    return P_new, R_new
