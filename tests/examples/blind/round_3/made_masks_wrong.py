# Exercise made-masks: the masks of MADE (20 minutes). Read first: the docstring of models/made.py, equations 12
# and 13.
#
# Degrees of the input and of each hidden layer -> a list of masks (in, out), one into each hidden layer and one
# into the output.
#
# It takes the place of models.made:masks, and may use what that file imports and defines.


def masks(degrees):
    r"""Degrees of the input and of the hidden layers -> the masks (in, out) into each hidden layer and the output."""
    D = len(degrees[0])
    result = []
    for i in range(1, len(degrees)):
        result.append(degrees[i - 1][:, None] <= degrees[i][None, :])
    # output d may see hidden units of a smaller degree than d
    d = np.arange(1, D + 1)
    result.append(degrees[-1][:, None] < d[None, :])
    return result
