import numpy as np


def rewards_to_go(rewards, last, gamma):
    r"""(N,), (N,) booleans, number -> (N,)"""
    N = len(rewards)
    out = np.empty(N, dtype=np.float64)
    running = 0.0
    for t in range(N - 1, -1, -1):
        if last[t]:
            running = 0.0       # nothing comes after the last step
        running = float(rewards[t]) + gamma * running
        out[t] = running
    return out
