r"""MADE without its zeros: the fast twin of the masked products of `made.py`, behind `log_prob` of a model with one mask.

Half of a MADE's masks is 0, and `x @ (W * M)` multiplies by every 0. But number the hidden units by degree (which unit has
which degree is arbitrary; a model of one mask sorts them), and the zeros lie together: the mask into the output is a
staircase, and so is one between hidden layers. Cut its columns into a few blocks; each needs only the rows above its step:

    h (V ∘ M), columns of one block  =  h[:, rows] (V ∘ M)[rows, columns]     rows: from the first 1 of M[:, columns] to the last

With 10 blocks about (1 + 1/10) / 2 = 55 % of the multiplications are left. More blocks would leave fewer, but small
products run slower, and slower still where a block does not begin with a cache line: it is cut at multiples of 16 numbers.
The way back skips the same zeros: ∂L/∂V = (hᵀ g) ∘ M goes by columns too, and ∂L/∂h = g (V ∘ M)ᵀ by blocks of rows.

The input is binary. So its layer needs no product: the rows of W whose bit is on are added up, as in `binary_input.py`,
and each from its step on: input d reaches the units of degree m_k ≥ m_d, which are the last ones.

Nothing here trusts the mask to be a staircase: a block is as wide as its ones, so any mask gives the right result, and
only a staircase a fast one. In a random order the outputs' steps lie scattered, every block is as high as the mask,
and only the input's layer gains. Several masks share weights whose units have another degree in each, so no numbering
sorts them all: they keep `x @ (W * M)`. `python -m examples.staircases` draws all this and measures it.
"""

import math
from typing import NamedTuple

import numpy as np

from minigrad.functional import relu
from minigrad.kernels import jit
from minigrad.ops import primitive

from .binary_input import bits_matmul


class Steps(NamedTuple):
    """Where the ones of a mask (in, out) lie: in blocks, pairs of slices (rows, columns), cut by columns and cut by rows;
    and if each row is zeros and then ones, its first 1, (in,), else None."""

    columns: list
    rows: list
    starts: np.ndarray | None


def edges(width, n):
    """Where to cut a width into n blocks, [0, ..., width]: about equal ones that begin at multiples of 16."""
    return [*(np.linspace(0, width, n + 1)[:-1].astype(int) // 16 * 16), width]


def blocks(M, edges):
    """Cut the columns of a mask at the edges: [(rows between which the block has all its ones, its columns)]."""
    found = []
    for start, end in zip(edges[:-1], edges[1:]):
        ones = np.flatnonzero(M[:, start:end].any(axis=1))
        found.append((slice(ones[0], ones[-1] + 1) if len(ones) else slice(0, 0), slice(start, end)))
    return found


def steps(M, n=10):
    """Steps of a mask (in, out): n blocks each way, or the whole mask as one block if that would save less than a fifth."""
    columns, rows = blocks(M, edges(M.shape[1], n)), [(rows, columns) for columns, rows in blocks(M.T, edges(len(M), n))]
    kept = sum((r.stop - r.start) * (c.stop - c.start) for r, c in columns)
    if n > 1 and kept > 0.8 * M.size:
        return steps(M, 1)
    zeros_then_ones = (np.diff(M, axis=1) >= 0).all()
    return Steps(columns, rows, (M == 0).sum(axis=1).astype(np.uint64) if zeros_then_ones else None)


@jit
def gather_suffixes(x, W, starts, y):
    """y ← y + x (W ∘ M), for bits x (B, D), W (D, H): `binary_input.gather_rows`, each row from its start on.

    The start is unsigned: a signed index might be −1, the last one, and to ask for that in each step would keep the loop
    from becoming vector code.
    """
    H = np.uint64(y.shape[1])
    for i in range(len(x)):
        for d in range(x.shape[1]):
            if x[i, d]:
                for k in range(starts[d], H):
                    y[i, k] += W[d, k]


@jit
def scatter_suffixes(x, g, starts, dW):
    """dW ← dW + (xᵀ g) ∘ M, for bits x (B, D), g (B, H)."""
    H = np.uint64(g.shape[1])
    for i in range(len(x)):
        for d in range(x.shape[1]):
            if x[i, d]:
                for k in range(starts[d], H):
                    dW[d, k] += g[i, k]


def bits_staircase_vjp(g, saved, W, x, starts):
    r"""∂L/∂W = (xᵀ g) ∘ M"""
    dW = np.zeros_like(W)
    scatter_suffixes(x, np.ascontiguousarray(g), starts, dW)
    return dW


@primitive(bits_staircase_vjp, first_order=True)
def bits_staircase_matmul(W, /, x, starts):
    r"""x (W ∘ M) for bits x (B, D), where row d of M is zeros and from starts[d] on ones: W (D, H) -> (B, H)"""
    y = np.zeros((len(x), W.shape[1]), W.dtype)
    gather_suffixes(x, W, starts, y)
    return y, None


def first_layer(x, W, M, step):
    """x (W ∘ M) for bits x (B, D)"""
    return bits_matmul(W * M, x=x) if step.starts is None else bits_staircase_matmul(W, x=x, starts=step.starts)


def staircase_vjp(g, VM, h, V, M, steps):
    r"""∂L/∂h = g (V ∘ M)ᵀ and ∂L/∂V = (hᵀ g) ∘ M, block by block"""
    dh, dV = np.zeros_like(h), np.zeros_like(V)  # (B, in), (in, out)
    for rows, columns in steps.rows:
        np.matmul(g[:, columns], VM[rows, columns].T, out=dh[:, rows])
    for rows, columns in steps.columns:
        np.matmul(h[:, rows].T, g[:, columns], out=dV[rows, columns])
    dV *= M  # the corners of the blocks
    return dh, dV


@primitive(joint=staircase_vjp, first_order=True)
def staircase_matmul(h, V, /, M, steps):
    r"""h (V ∘ M), block by block: (B, in) and (in, out) -> (B, out); saves V ∘ M"""
    VM, y = V * M, np.empty((len(h), V.shape[1]), V.dtype)
    for rows, columns in steps.columns:
        np.matmul(h[:, rows], VM[rows, columns], out=y[:, columns])
    return y, VM


def staircase_logits(model, x):
    """What `MADE.logits(x)` gives for bits, plain zeros and ones (B, D) -> Tensor (B, D), for the first component."""
    component, a = model.components[0], None
    for W, c, M, step in zip([*model.W, model.V], [*model.c, model.b], component.masks, component.steps):
        product = first_layer(x, W, M, step) if a is None else staircase_matmul(model.activation(a), W, M=M, steps=step)
        a = product + c  # (B, H), at last (B, D)
    return a if model.A is None else a + first_layer(x, model.A, component.direct, component.steps[-1])


@jit
def draw(u, order, by_degree, degrees, a, z, W, starts, V, V_starts, A, A_starts):
    """Uniform numbers u (n, D) -> bits (n, D). The weights are masked; the sums start from the biases, a (n, H) and z (n, D).

    by_degree (H,): the hidden units in the order in which they become final. *starts: where the ones of each row begin.
    """
    x, k = np.zeros(u.shape, np.uint8), 0
    H, D = np.uint64(a.shape[1]), np.uint64(z.shape[1])
    for place in range(len(order)):
        d = order[place]
        for i in range(len(u)):
            x[i, d] = u[i, d] * (1 + math.exp(-z[i, d])) < 1
            if x[i, d]:
                for j in range(starts[d], H):
                    a[i, j] += W[d, j]
                for j in range(A_starts[d], D):  # empty if there are no direct connections
                    z[i, j] += A[d, j]
        while k < len(by_degree) and degrees[by_degree[k]] == place + 1:  # these units have seen all that they may see
            unit = by_degree[k]
            for i in range(len(u)):
                h = a[i, unit]
                if h > 0:  # relu: about half of them have nothing to say
                    for j in range(V_starts[unit], D):
                        z[i, j] += h * V[unit, j]
            k += 1
    return x


def staircase_draw(model, u, component):
    """What `MADE.sample_component(u, component)` gives, by a kernel if there is one hidden layer of relu units."""
    order, degrees, M, direct, found = model.components[component]
    if len(degrees) != 2 or model.activation is not relu:
        return model.sample_component(u, component)
    zero, none = np.zeros(max(M[0].shape), np.uint64), np.full(model.dim, model.dim, np.uint64)
    starts = [zero if step.starts is None else step.starts for step in found]
    a, z = (np.tile(p.data, (len(u), 1)) for p in (model.c[0], model.b))
    W, V, A = model.W[0].data * M[0], model.V.data * M[1], direct if model.A is None else model.A.data * direct
    by_degree = np.argsort(degrees[1], kind="stable")
    return draw(u, order, by_degree, degrees[1], a, z, W, starts[0], V, starts[1], A, none if model.A is None else starts[2])
