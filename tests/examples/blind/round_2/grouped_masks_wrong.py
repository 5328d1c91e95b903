import numpy as np


def grouped_masks(groups, hidden):
    r"""(D,), (H,) -> (D, H), (H, D)"""
    D = len(groups)
    H = len(hidden)
    first = np.zeros((D, H))
    second = np.zeros((H, D))
    for d in range(D):
        for h in range(H):
            # only earlier groups
            if groups[d] < hidden[h]:
                first[d, h] = 1
            if hidden[h] < groups[d]:
                second[h, d] = 1
    return first, second
