import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    r"""(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)
    result = np.zeros(T)
    for t in range(T):
        total = 0.0
        ret = 0.0                      # discounted rewards so far
        for n in range(1, T - t + 1):
            ret += gamma ** (n - 1) * rewards[t + n - 1]
            target = ret
            if t + n < T or not terminated:
                target = target + gamma ** n * values[t + n]
            total += (1 - lam) * lam ** (n - 1) * target
        result[t] = total
    return result
