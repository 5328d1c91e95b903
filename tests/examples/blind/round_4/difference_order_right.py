import numpy as np


def order(formula, exact):
    r"""a function of a number, a number -> a number"""
    # halve h, stop before rounding gets in the way, use the smallest good ones
    logs = []
    h = 0.2
    scale = max(1.0, abs(exact))
    while h > 1e-3:
        error = abs(float(formula(h)) - exact)
        if error < 2e-14 * scale / h ** 2 and len(logs) >= 2:
            break
        if error > 0:
            logs.append((np.log(h), np.log(error)))
        h /= 2
    x, y = np.array(logs[-3:]).T
    return float(np.polyfit(x, y, 1)[0])
