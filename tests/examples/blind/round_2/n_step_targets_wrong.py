import numpy as np


def n_step_targets(rewards, values, terminated, gamma, n):
    r"""(T,), (T + 1,), bool, number, int -> (T,)"""
    T = len(rewards)
    v = np.array(values, dtype=float)
    if terminated:
        v[T] = 0.0
    targets = []
    for t in range(T):
        last = min(t + n, T)
        r = np.asarray(rewards[t:last], dtype=float)
        powers = gamma ** np.arange(len(r))
        targets.append(np.sum(powers * r) + gamma ** n * v[last])
    return np.array(targets)
