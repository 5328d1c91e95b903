r"""The chain rule as an interface: p(x) = ∏_d p(x_d | x_<d), for binary x.

A model says how the logit of each conditional depends on the variables before it. All else follows here, once:
density, conditionals, evaluation. Notation of this file and of all models after it:

    D, B        variables (784 pixels), examples in a batch
    x           (B, D) bits, in *data order*: column d is pixel d
    order       (D,) a permutation: order[k] is the variable that comes k-th
    x_<d        the variables that come before d in that order, not those with a smaller index
    logits      (B, D) the log-odds of x_d = 1 given x_<d, in data order
    log p       in nats; NLL is −log p; bits/dim is NLL / (D ln 2)

    here                       FVSBN paper     NADE (2011)    MADE (2015)
    W, input to hidden         α               W, transposed  W, transposed
    V, hidden to output                        V              V, transposed
    b, bias of the output      α_i0            b              c
    c, bias of the hidden                      c              b

Sources: Frey 1998 (FVSBN); Larochelle & Murray 2011 (NADE); Germain et al. 2015 (MADE).
"""

import math
from typing import NamedTuple

import numpy as np

from minigrad import no_grad
from minigrad.kernels import expf, jit
from minigrad.nn import Module
from minigrad.ops import primitive

from .completion import Completion


class Evaluation(NamedTuple):
    """The negative log-likelihood of a data set."""

    nll: float  # mean, nats per example
    interval: float  # half the width of the 95 % confidence interval of that mean
    bits_per_dim: float

    def __str__(self):
        return f"{self.nll:.2f} ± {self.interval:.2f} nats ({self.bits_per_dim:.4f} bits/dim)"


class AutoregressiveModel(Completion, Module):
    """Base class. A model sets `dim`, `order` and `dtype`, and defines `logits(x)` and `draw(u)`.

    What follows from these without a gradient (`sample`, `conditionals`, `complete`, ...) stands in `completion.py`.
    """

    def logits(self, x):
        """Bits (B, D) -> Tensor (B, D): the log-odds of x_d = 1 given x_<d."""
        raise NotImplementedError(f"{type(self).__name__} must define logits(x)")

    def draw(self, u):
        """Uniform numbers (n, D) -> bits (n, D) uint8, one after another in the order: x_d = 1 where u_d < p(x_d = 1 | x_<d)."""
        raise NotImplementedError(f"{type(self).__name__} must define draw(u)")

    def log_prob(self, x):
        r"""log p(x) = Σ_d log p(x_d | x_<d): bits (B, D) -> Tensor (B,), in nats."""
        x = self.bits(x)
        return bernoulli_log_prob(self.logits(x), x=x)

    def nll(self, x):
        """The mean of −log p over the batch, a Tensor with one number: what training minimises."""
        return -self.log_prob(x).mean()

    def start_from_means(self, x):
        """Set the output bias so that, before any training, the model has about the pixel means of x (N, D).

        p(x_d = 1) is (number of ones + 1) / (N + 2), exactly if all weights are 0, as in FVSBN: random ones add a little
        noise. Training then starts from about 206 nats on digits, not 543.
        """
        p = (x.sum(axis=0, dtype=np.float64) + 1) / (len(x) + 2)
        self.b.data = np.log(p / (1 - p))

    def constants(self):
        """The order: the weights mean nothing under another one."""
        return {"order": self.order}

    def evaluate(self, x, batch_size=500):
        """NLL of a data set (N, D) with its 95 % interval, 1.96 standard errors over the examples: an Evaluation."""
        with no_grad():
            parts = [self.log_prob(x[i : i + batch_size]).data for i in range(0, len(x), batch_size)]
        nll = -np.concatenate(parts).astype(np.float64)  # (N,)
        mean = nll.mean()
        return Evaluation(mean, 1.96 * nll.std() / np.sqrt(len(nll)), mean / (self.dim * np.log(2)))

    def bits(self, x):
        """x in the model's number type; ValueError unless it is (B, D) and holds zeros and ones only."""
        if np.ndim(x) != 2 or np.shape(x)[1] != self.dim:
            raise ValueError(f"{type(self).__name__}: x must have shape (B, {self.dim}), not {np.shape(x)}")
        x = np.asarray(x)  # a Tensor raises here: the kernels have no gradient for x
        if not ((x <= 1) if x.dtype.kind in "bu" else (x * x == x)).all():
            raise ValueError(f"{type(self).__name__}: x must hold 0 and 1 only: threshold or draw bits first")
        return x.astype(self.dtype, copy=False)


@jit
def bernoulli_sum(z, x, log_prob, residual):
    r"""log p(x) of independent bits with logits z, both (B, D); writes the sums (B,) and ∂ log p/∂z = x − σ(z), (B, D).

    log p(x_d) = x_d z_d − max(z_d, 0) − log(1 + e_d) with e_d = e^−|z_d|. A logarithm costs more than all the rest, so
    64 factors 1 + e_d ≤ 2 are multiplied before one is taken: their product is at most 2⁶⁴.

    (Compiled, there are two versions of the loop: one for arrays that lie too close together to be read in blocks. So
    the last digit of a row shorter than 32 numbers can depend on where the arrays happen to lie.)
    """
    one = z.dtype.type(1)
    exact = z.itemsize == 8
    for i in range(len(z)):
        total = z.dtype.type(0)
        for start in range(0, z.shape[1], 64):
            z_i, x_i, r_i = z[i, start : start + 64], x[i, start : start + 64], residual[i, start : start + 64]
            product = one
            for d in range(z_i.size):
                e = math.exp(-abs(z_i[d])) if exact else expf(-abs(z_i[d]))
                product *= one + e
                total += x_i[d] * z_i[d] - max(z_i[d], z.dtype.type(0))
                r_i[d] = x_i[d] - (one if z_i[d] >= 0 else e) / (one + e)
            total -= math.log(product)
        log_prob[i] = total


def bernoulli_log_prob_vjp(g, residual, logits, x):
    r"""∂/∂logit_d = x_d − σ(logit_d)"""
    return g[:, None] * residual  # (B, 1) * (B, D)


@primitive(bernoulli_log_prob_vjp, first_order=True)
def bernoulli_log_prob(logits, /, x):
    r"""Σ_d [x_d log σ(logit_d) + (1 − x_d) log(1 − σ(logit_d))]: (B, D) -> (B,); saves x − σ(logits), (B, D)"""
    log_prob, residual = np.empty(len(x), logits.dtype), np.empty_like(logits)  # (B,), (B, D)
    bernoulli_sum(logits, x, log_prob, residual)
    return log_prob, residual


def resolve_order(order, dim, rng):
    """ "natural", "random" or a permutation of 0 ... D−1 -> (D,) integers; ValueError for anything else."""
    if isinstance(order, str) and order in ("natural", "random"):
        return np.arange(dim) if order == "natural" else rng.permutation(dim)
    order = np.asarray(order)
    if order.shape != (dim,) or order.dtype.kind not in "iu" or (np.sort(order) != np.arange(dim)).any():
        raise ValueError(f'order must be "natural", "random" or a permutation of 0 ... {dim - 1}, not {order!r}')
    return order


def ranks(order):
    """The inverse permutation: ranks(order)[d] is the place at which variable d comes."""
    return np.argsort(order)
