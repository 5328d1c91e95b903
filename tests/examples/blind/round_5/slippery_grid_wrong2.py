import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    A = P.shape[1]
    M = np.full((A, A), slip / max(A - 1, 1))
    np.fill_diagonal(M, 1 - slip)     # M[a, b]: b is executed when a is chosen
    P2 = np.einsum("ab,sbt->sat", M, P)
    R2 = np.einsum("ab,sb->sa", M, R)
    return P2, R2
