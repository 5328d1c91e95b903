import numpy as np


def softsign_vjp(g, y, x):
    r"""(n,), (n,), (n,) -> (n,)"""
    # quotient rule: (u' v - u v') / v^2  with u = x, v = 1 + |x|
    v = 1 + np.abs(x)
    dydx = (v - x) / v**2
    return g * dydx
