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
    # G_t = r_t + gamma * ((1 - lam) * v_{t+1} + lam * G_{t+1}), from the back
    v = np.array(values, dtype=float)
    if terminated:
        v[-1] = 0.0
    T = len(rewards)
    returns = np.zeros(T)
    G = 0.0
    for t in reversed(range(T)):
        G = rewards[t] + gamma * ((1 - lam) * v[t + 1] + lam * G)
        returns[t] = G
    return returns
