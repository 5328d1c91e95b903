import numpy as np


def softsign_vjp(g, y, x):
    r"""(n,), (n,), (n,) -> (n,)"""
    # x >= 0: (x / (1 + x))' = 1 / (1 + x)^2;  x < 0: (x / (1 - x))' = 1 / (1 - x)^2
    denominator = 1 + np.abs(x)
    return g / denominator / denominator
