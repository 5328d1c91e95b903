import numpy as np


def grouped_masks(groups, hidden):
    r"""(D,), (H,) -> (D, H), (H, D)"""
    D, H = len(groups), len(hidden)
    first = np.zeros((D, H))
    second = np.zeros((H, D))
    for d in range(D):
        for k in range(H):
            # strictly earlier groups only
            if groups[d] < hidden[k]:
                first[d, k] = 1
            if hidden[k] < groups[d]:
                second[k, d] = 1
    return first, second
