import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    A = R.shape[1]
    # M[a, b]: the probability that b is executed when a is chosen
    M = (1 - slip) * np.eye(A) + slip / A * np.ones((A, A))
    new_P = np.einsum("ab,sbt->sat", M, P)
    new_R = np.einsum("ab,sb->sa", M, R)
    return new_P, new_R
