import numpy as np


def rewards_to_go(rewards, last, gamma):
    r"""(N,), (N,) booleans, number -> (N,)"""
    G = np.zeros_like(rewards)
    g = 0
    for t in range(len(rewards))[::-1]:
        g = rewards[t] + gamma * g * (not last[t])
        G[t] = g
    return G
