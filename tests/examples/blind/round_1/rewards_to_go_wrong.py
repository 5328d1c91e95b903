import numpy as np


def rewards_to_go(rewards, last, gamma):
    r"""(N,), (N,) booleans, number -> (N,)"""
    G = np.zeros_like(rewards)
    G[-1] = rewards[-1]
    for t in reversed(range(len(rewards) - 1)):
        G[t] = rewards[t] + gamma * G[t + 1] * (not last[t])
    return G
