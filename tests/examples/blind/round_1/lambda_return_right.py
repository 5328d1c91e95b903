import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    r"""(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)
    v = np.array(values, dtype=float)           # a copy
    if terminated:
        v[T] = 0.0

    def n_step(t, n):
        total = 0.0
        for k in range(n):
            total += gamma ** k * rewards[t + k]
        return total + gamma ** n * v[t + n]

    G = np.zeros(T)
    for t in range(T):
        longest = T - t
        for n in range(1, longest):
            G[t] += (1 - lam) * lam ** (n - 1) * n_step(t, n)
        G[t] += lam ** (longest - 1) * n_step(t, longest)
    return G
