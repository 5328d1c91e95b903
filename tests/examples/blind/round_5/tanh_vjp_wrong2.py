def tanh_vjp(g, y, x):
    # d tanh = y (1 - y)
    return g * y * (1 - y)
