import numpy as np


def order(formula, exact):
    r"""a function of a number, a number -> a number"""
    hs = np.logspace(-4, -2, 15)      # not below 1e-4 (rounding), far from 1
    errors = np.array([abs(formula(h) - exact) for h in hs])
    slope, _ = np.polyfit(np.log(hs), np.log(errors + 1e-300), 1)
    return slope
