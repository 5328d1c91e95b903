# Exercise adamw: AdamW: a decay that Adam does not divide away (25 minutes). Read first: minigrad/kernels.py:
# adam; Adam in minigrad/optim.py.
#
# One step of Adam with *decoupled* weight decay (Loshchilov & Hutter 2019, PyTorch's AdamW): Adam's own step
# from g alone, and besides each number of p loses the fraction lr * decay of its value before the step. p, g,
# m, v are NumPy arrays of one shape (n,) and type; change p, m and v in place, return nothing. t counts the
# steps and is 1 in the first. m and v are the running means as they are, not yet corrected; eps is added to the
# root of the corrected v. Plain NumPy will do, it is not compiled.

import numpy as np


def adamw(p, g, m, v, t, lr, beta1, beta2, eps, decay):
    r"""Arrays (n,), then numbers; in place."""
    # running means
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    # corrected ones, new arrays
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    # decay first (old value of p), then Adam's step, which does not depend on p
    p *= 1 - lr * decay
    p -= lr * m_hat / (np.sqrt(v_hat) + eps)
