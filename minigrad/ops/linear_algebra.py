r"""The matrix product, batched and broadcasting as in NumPy."""

import numpy as np

from .primitive import primitive


def swap(x):
    """Transpose the last two axes."""
    return np.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def matmul_vjp_x(g, z, x, y):
    r"""zᵢⱼ = Σₖ xᵢₖ yₖⱼ, so ∂L/∂xᵢₖ = Σⱼ gᵢⱼ yₖⱼ: g yᵀ"""
    if y.ndim == 1:
        return g[..., None] * y  # (..., 1) * (k,)
    if x.ndim == 1:
        return np.matmul(y, g[..., None])[..., 0]  # (..., k, m) @ (..., m, 1)
    return np.matmul(g, swap(y))


def matmul_vjp_y(g, z, x, y):
    r"""∂L/∂yₖⱼ = Σᵢ xᵢₖ gᵢⱼ: xᵀ g"""
    if y.ndim == 1:
        return g * x if x.ndim == 1 else np.matmul(swap(x), g[..., None])[..., 0]  # (..., k, n) @ (..., n, 1)
    if x.ndim == 1:
        return x[:, None] * g[..., None, :]  # (k, 1) * (..., 1, m)
    return np.matmul(swap(x), g)


# z = x @ y: (..., n, k) @ (..., k, m) -> (..., n, m); a vector counts as a row on the left, as a column on the right
matmul = primitive(matmul_vjp_x, matmul_vjp_y)(np.matmul)
