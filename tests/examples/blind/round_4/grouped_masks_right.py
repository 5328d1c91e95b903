import numpy as np


def grouped_masks(groups, hidden):
    r"""(D,), (H,) -> (D, H), (H, D)"""
    g = np.asarray(groups)
    m = np.asarray(hidden)
    into_hidden = g[:, None] <= m[None, :]
    into_output = m[:, None] < g[None, :]
    return into_hidden, into_output
