import numpy as np


def n_step_targets(rewards, values, terminated, gamma, n):
    r"""(T,), (T + 1,), bool, number, int -> (T,)"""
    T = len(rewards)
    targets = np.zeros(T)
    for t in range(T):
        end = min(t + n, T)
        total = 0.0
        discount = 1.0
        for k in range(t, end):
            total += discount * rewards[k]
            discount *= gamma
        # state T has no value if the world ended there
        if not (end == T and terminated):
            total += discount * values[end]
        targets[t] = total
    return targets
