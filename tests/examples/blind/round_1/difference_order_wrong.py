import numpy as np


def order(formula, exact):
    r"""a function of a number, a number -> a number"""
    hs = np.logspace(-8, -2, 13)
    errors = np.array([abs(formula(h) - exact) for h in hs])
    errors = np.maximum(errors, 1e-16)   # no log of 0
    slope, intercept = np.polyfit(np.log(hs), np.log(errors), 1)
    return slope
