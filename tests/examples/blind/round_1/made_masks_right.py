def masks(degrees):
    r"""Degrees of the input and of the hidden layers -> the masks (in, out) into each hidden layer and the output."""
    result = []
    for below, above in zip(degrees[:-1], degrees[1:]):
        result.append((above[None, :] >= below[:, None]).astype(float))
    # the outputs have the degrees of the inputs; here it must be strict
    result.append((degrees[0][None, :] > degrees[-1][:, None]).astype(float))
    return result
