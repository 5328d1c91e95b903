import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    r"""(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)
    v = np.array(values, dtype=np.float64)   # a copy
    if terminated:
        v[T] = 0.0
    out = np.zeros(T)
    G = v[T]
    for t in range(T - 1, -1, -1):
        G = rewards[t] + gamma * ((1 - lam) * v[t + 1] + lam * G)
        out[t] = G
    return out
