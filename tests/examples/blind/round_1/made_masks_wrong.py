def masks(degrees):
    r"""Degrees of the input and of the hidden layers -> the masks (in, out) into each hidden layer and the output."""
    D = len(degrees[0])
    out = []
    for l in range(1, len(degrees)):
        m_prev, m = degrees[l - 1], degrees[l]
        out.append((m_prev[:, np.newaxis] <= m[np.newaxis, :]).astype(float))
    d = np.arange(1, D + 1)
    out.append((degrees[-1][:, np.newaxis] < d[np.newaxis, :]).astype(float))
    return out
