import numpy as np


def rewards_to_go(rewards, last, gamma):
    r"""(N,), (N,) booleans, number -> (N,)"""
    N = len(rewards)
    G = np.zeros(N, dtype=np.float64)
    acc = 0.0
    for i in range(N - 1, -1, -1):
        if last[i]:
            acc = 0.0
        acc = rewards[i] + gamma * acc
        G[i] = acc
    return G
