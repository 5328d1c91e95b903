# Exercise lambda-return: all n at once: the lambda-return (30 minutes). Read first: the exercise n-step-
# targets, if you did it; Sutton & Barto, section 12.1.
#
# An episode of T steps: rewards (T,), values (T + 1,) of the states 0 ... T, terminated: whether the world
# ended with the last step (else the last state's value counts). The lambda-return from step t is the mean of
# all n-step targets, n = 1, 2, ..., weighted by (1 - lam) lam^(n-1); the longest one, which reaches the end,
# gets all the weight that is left. Return (T,).

import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    r"""(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)

    def n_step(t, n):
        total = 0.0
        for k in range(n):
            total += gamma**k * rewards[t + k]
        if not (terminated and t + n == T):
            total += gamma**n * values[t + n]
        return total

    out = np.zeros(T)
    for t in range(T):
        longest = T - t
        for n in range(1, longest):
            out[t] += (1 - lam) * lam ** (n - 1) * n_step(t, n)
        out[t] += lam ** (longest - 1) * n_step(t, longest)
    return out
