import numpy as np


def rewards_to_go(rewards, last, gamma):
    r"""(N,), (N,) booleans, number -> (N,)"""
    n = len(rewards)
    out = np.zeros(n, dtype=np.float64)
    running = 0.0
    for t in reversed(range(n)):
        if last[t]:
            running = 0.0
        running = float(rewards[t]) + gamma * running
        out[t] = running
    return out
