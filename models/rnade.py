r"""RNADE: NADE for real numbers (Uria, Murray & Larochelle 2013). Each conditional is a mixture of K bells.

    p(x) = ∏_d p(x_d | x_<d),      p(x_d | x_<d) = Σ_k α_dk N(x_d; μ_dk, σ_dk²)

The hidden sums are NADE's, and what a bit's logit was is now three rows of K numbers:

    a₁ = c;   h_d = g(ρ_d a_d);   a_{d+1} = a_d + x_d W_d
    α_d = softmax(h_d V^α_d + b^α_d);      μ_d = h_d V^μ_d + b^μ_d;      σ_d = ε + exp(h_d V^σ_d + b^σ_d)

ρ_d, one learned number for each variable, starts at 1: a_d is a sum of d terms, so without it the last hidden layers would be
larger than the first. With "laplace" a bell is e^(−|x − μ| / σ) / 2σ.

Here x is no bit, so there is no step that could be left out, and D is small: no kernel, autograd does it all. Only the sums a_d
are made one by one; then all D variables go on together, as arrays (D, B, H). With D = 11, H = 50, K = 20 and 100 examples a
step of training takes 2.0 ms; with everything in the loop over d, 5.0 ms, as NumPy is called D times as often; with
`np.cumsum` for the loop, 2.2 ms. Each costs O(D H) an example for the hidden sums.

All stays in logarithms: log p = logsumexp_k (log α_k + log N_k). A component may be as good as dead, α_k = e^−1000, or x may lie
1000 σ away from every one: the sum takes out its largest term first, and the gradient holds the weights r_k = α_k N_k / p,
which are at most 1. So neither is NaN, while the square of (x − μ) / σ is a float (in float32, up to 10¹⁹ σ).

What a floor does. A density may rise to infinity over a value that comes twice in the data: a bell with σ → 0 there costs
nothing and gains without end. ε (`floor`) stops it. It is a part of the model: the same σ ≥ ε is in the density and in the
samples, and every bell has area 1 for any σ. (To clip log p from below instead, as is done too, adds area without end.)
"""

import math
from typing import NamedTuple

import numpy as np

from minigrad import no_grad
from minigrad.functional import log_softmax, logsumexp, softplus
from minigrad.nn import Parameter, activation_named, uniform
from minigrad.tensor import Tensor, to_array

from .autoregressive import AutoregressiveModel, ranks, resolve_order


def gaussian(z):
    r"""log N(z; 0, 1) = −z²/2 − log √(2π)"""
    return z * z * -0.5 - 0.5 * math.log(2 * math.pi)


def laplace(z):
    r"""log of e^−|z| / 2"""
    return -np.maximum(z, -z) - math.log(2)


BELLS = {  # the logarithm of a bell at z = (x − μ) / σ, and how to draw such a z
    "gaussian": (gaussian, lambda rng, shape: rng.standard_normal(shape)),
    "laplace": (laplace, lambda rng, shape: rng.laplace(size=shape)),
}


class Mixture(NamedTuple):
    """The parameters of the conditionals; the last axis counts the K components. Arrays, or Tensors while training."""

    log_alpha: np.ndarray  # log weights: logsumexp over the last axis is 0
    mu: np.ndarray  # locations: the means
    log_sigma: np.ndarray  # log scales: a Gaussian's deviation, 1/√2 of a Laplace's

    def log_density(self, x, bell):
        r"""log Σ_k α_k 1/σ_k bell((x − μ_k) / σ_k): x (...) -> (...), for parameters (..., K) that broadcast with x[..., None]."""
        z = (x[..., None] - self.mu) * np.exp(-self.log_sigma)
        return logsumexp(self.log_alpha - self.log_sigma + BELLS[bell][0](z))

    def mean(self):
        r"""Σ_k α_k μ_k"""
        return (np.exp(self.log_alpha) * self.mu).sum(axis=-1)


class RNADE(AutoregressiveModel):
    """dim: D; hidden: H units; components: K; bell: "gaussian" or "laplace"; order: "natural", "random" or a permutation.

    activation: "relu", "sigmoid", "tanh", "softplus" or "silu";  floor: ε, the least scale;  dtype: float32 or float64.
    Row k of W, V, b and ρ belongs to the variable that comes k-th, order[k]. (In NADE row d belongs to variable d.)
    """

    def __init__(
        self, dim, hidden=50, components=20, *, rng, bell="gaussian", order="natural", activation="relu", floor=1e-3,
        dtype=np.float32,
    ):  # fmt: skip
        if bell not in BELLS:
            raise ValueError(f"bell must be one of {', '.join(BELLS)}, not {bell!r}")
        if not floor > 0:
            raise ValueError(f"floor must be above 0, not {floor}: with σ = 0 a density is infinite at one point")
        self.dim, self.dtype, self.sample_dtype = dim, np.dtype(dtype), np.dtype(dtype)
        self.bell, self.activation, self.log_floor = bell, activation_named(activation), math.log(floor)
        self.order = resolve_order(order, dim, rng)
        self.W = uniform((dim, hidden), 0.05, rng, dtype)
        self.V_alpha, self.V_mu, self.V_sigma = [uniform((dim, hidden, components), 0.05, rng, dtype) for _ in range(3)]
        self.c, self.rho = Parameter(np.zeros(hidden, dtype)), Parameter(np.ones((dim, 1, 1), dtype))
        self.b_alpha, self.b_mu, self.b_sigma = [Parameter(np.zeros((dim, 1, components), dtype)) for _ in range(3)]
        self.start_from_means(np.ones((1, dim)) * [[-1.0], [1.0]])  # as if each variable had mean 0 and deviation 1

    def start_from_means(self, x):
        """Before training: the means of each variable at K quantiles of x (N, D), its deviation / √K as σ, equal weights."""
        K = self.b_mu.shape[-1]
        self.b_mu.data = np.quantile(x, (np.arange(K) + 0.5) / K, axis=0).T[self.order, None]
        deviation = x.std(axis=0)[self.order, None, None]  # (D, 1, 1)
        self.b_sigma.data[...] = np.log(deviation / math.sqrt(K) + math.exp(self.log_floor))  # the floor: it may be constant

    def mixture(self, h, place=slice(None)):
        """Hidden units (D, B, H), or (B, H) of the one variable at a place -> the Mixture of each."""
        log_alpha = log_softmax(h @ self.V_alpha[place] + self.b_alpha[place])
        s = h @ self.V_sigma[place] + self.b_sigma[place]
        return Mixture(
            log_alpha,
            h @ self.V_mu[place] + self.b_mu[place],
            softplus(s - self.log_floor) + self.log_floor,  # log(ε + eˢ) = log ε + log(1 + e^(s − log ε))
        )

    def mixtures(self, x):
        """x (B, D) in model order -> the Mixture of every conditional, (D, B, K) each."""
        sums = [np.broadcast_to(self.c, (len(x), self.c.size))]  # a_1
        for place in range(self.dim - 1):
            sums.append(sums[place] + x[:, place, None] * self.W[place])
        a = np.stack(sums)  # (D, B, H)
        return self.mixture(self.activation(self.rho * a))

    def log_prob(self, x):
        r"""log p(x) = Σ_d log p(x_d | x_<d): numbers (B, D) -> Tensor (B,), in nats. If x is a Tensor, it gets a gradient too."""
        x = self.bits(x)[:, self.order]
        return self.mixtures(x).log_density(x.T, self.bell).sum(axis=0)

    def conditionals(self, x):
        """The Mixture of every p(x_d | x_<d): numbers (B, D) -> arrays (B, D, K), in data order."""
        with no_grad():
            mixtures = self.mixtures(self.bits(x)[:, self.order])  # (D, B, K) each
        return Mixture(*[to_array(t)[ranks(self.order)].swapaxes(0, 1) for t in mixtures])

    def sample(self, n, rng):
        """n fresh examples, (n, D)."""
        return self.fill(np.zeros((n, self.dim), self.dtype), np.zeros((n, self.dim), bool), rng)

    def fill(self, x, observed, rng):
        """What is not observed, drawn in the order: x (B, D), observed (B, D) bool -> (B, D), in O(D H) an example.

        u chooses the component k, in proportion to α; then x_d = μ_k + σ_k z.
        """
        x, a = x.copy(), np.tile(self.c.data, (len(x), 1))  # (B, D), (B, H)
        u, z, rows = rng.random(x.shape), BELLS[self.bell][1](rng, x.shape), np.arange(len(x))
        with no_grad():
            for place, d in enumerate(self.order):
                h = self.activation(self.rho.data[place] * a)  # (B, H)
                log_alpha, mu, log_sigma = map(to_array, self.mixture(h, place))  # (B, K) each
                up_to = np.exp(log_alpha).cumsum(axis=1)  # (B, K)
                k = (u[:, d, None] * up_to[:, -1:] >= up_to[:, :-1]).sum(axis=1)  # (B,)
                drawn = mu[rows, k] + np.exp(log_sigma[rows, k]) * z[:, d]
                x[:, d] = np.where(observed[:, d], x[:, d], drawn)
                a += x[:, d, None] * self.W.data[place]
        return x

    # ---- what `completion.py` asks
    def log_conditionals(self, x):
        """log p(x_d | x_<d) for every d, in nats: (B, D) -> ndarray (B, D), in data order."""
        return self.conditionals(x).log_density(self.bits(x), self.bell)

    def impute(self, x, observed, rng, samples=100):
        """E[x | x_O], estimated: the mean over completions of E[x_d | x_<d], which varies less than that of the x_d themselves."""
        x, observed = self.question(x, observed)
        mean = sum(self.conditionals(self.fill(x, observed, rng)).mean() for _ in range(samples)) / samples  # (B, D)
        return np.where(observed, x, mean)

    def bits(self, x):
        """What the base class asks for: x in the model's number type; here ValueError unless it is (B, D) and finite."""
        if np.ndim(x) != 2 or np.shape(x)[1] != self.dim:
            raise ValueError(f"RNADE: x must have shape (B, {self.dim}), not {np.shape(x)}")
        x = x if isinstance(x, Tensor) else np.asarray(x).astype(self.dtype, copy=False)
        if not np.isfinite(to_array(x)).all():
            row, d = np.argwhere(~np.isfinite(to_array(x)))[0]
            number = to_array(x)[row, d]
            raise ValueError(f"RNADE: x[{row}, {d}] is {number}: drop such rows, or draw what is missing with `complete`")
        return x
