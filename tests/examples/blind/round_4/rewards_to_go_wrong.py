import numpy as np


def rewards_to_go(rewards, last, gamma):
    r"""(N,), (N,) booleans, number -> (N,)"""
    G = np.zeros_like(rewards)
    g = 0
    for t in range(len(rewards) - 1, -1, -1):
        if last[t]:
            g = 0
        g = rewards[t] + gamma * g
        G[t] = g
    return G
