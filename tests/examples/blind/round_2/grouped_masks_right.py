import numpy as np


def grouped_masks(groups, hidden):
    r"""(D,), (H,) -> (D, H), (H, D)"""
    groups = np.asarray(groups)
    hidden = np.asarray(hidden)
    # unit of degree m sees groups 0..m
    mask_in = groups[:, None] <= hidden[None, :]
    # logit of group k may use units which saw at most group k - 1
    mask_out = hidden[:, None] < groups[None, :]
    return mask_in, mask_out
