# Exercise made-masks: the masks of MADE (20 minutes). Read first: the docstring of models/made.py, equations 12
# and 13.
#
# Degrees of the input and of each hidden layer -> a list of masks (in, out), one into each hidden layer and one
# into the output.
#
# It takes the place of models.made:masks, and may use what that file imports and defines.


def masks(degrees):
    r"""Degrees of the input and of the hidden layers -> the masks (in, out) into each hidden layer and the output."""
    result = []
    for before, after in zip(degrees[:-1], degrees[1:]):
        result.append(after[None, :] >= before[:, None])
    # the output has the degrees of the input, and the comparison is strict
    result.append(degrees[0][None, :] > degrees[-1][:, None])
    return result
