import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    r"""(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)
    returns = np.empty(T)
    nxt = 0.0 if terminated else values[-1]
    for t in reversed(range(T)):
        # G_t = r + gamma * ((1 - lam) V(s') + lam G_{t+1})
        nxt = rewards[t] + gamma * ((1.0 - lam) * values[t + 1] + lam * nxt)
        returns[t] = nxt
    return returns
