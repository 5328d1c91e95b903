import numpy as np


def order(formula, exact):
    r"""a function of a number, a number -> a number"""
    # Go down with h from .2 to .001 and throw away the points where the error is so small that it may be rounding.
    floor = 1e-10 * max(1.0, abs(exact))
    steps = []
    errors = []
    h = 0.2
    while h > 1e-3:
        error = abs(formula(h) - exact)
        if error < floor:
            break
        steps.append(h)
        errors.append(error)
        h *= 0.75
    if len(steps) < 3:                          # a very accurate formula: take large steps
        steps = [0.4, 0.3, 0.2, 0.15]
        errors = [abs(formula(h) - exact) for h in steps]
    # the smallest h that are left are the nearest to C h^p
    log_h = np.log(steps[-5:])
    log_e = np.log(errors[-5:])
    slope, _ = np.polyfit(log_h, log_e, 1)
    return float(slope)
