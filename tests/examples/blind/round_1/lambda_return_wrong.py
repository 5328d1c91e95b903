import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    r"""(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)
    returns = np.zeros(T)
    G = 0.0
    # backwards: G_t = r + gamma ((1 - lam) v(s') + lam G_{t+1})
    for t in reversed(range(T)):
        if t == T - 1 and terminated:
            v_next = 0.0
        else:
            v_next = values[t + 1]
        G = rewards[t] + gamma * ((1 - lam) * v_next + lam * G)
        returns[t] = G
    return returns
