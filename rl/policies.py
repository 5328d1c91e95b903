r"""Policies that a network can say: over numbered actions a softmax, over real ones a Gaussian, also squashed into ±1.

A policy gradient needs three things of a policy: to draw an action, the logarithm of its probability (of its density,
where actions are real) with a graph behind it, and the entropy, in nats. First the formulas, as functions of what the
network says; then two modules that hold the network, too.
"""

import numpy as np

from minigrad import nn
from minigrad.functional import log_softmax
from minigrad.ops import softplus
from models.mlp import MLP

HALF_LOG_2PI, LOG_2 = 0.5 * float(np.log(2 * np.pi)), float(np.log(2))


def categorical_log_prob(logits, a):
    r"""ln π(a) = logit_a − ln Σ_b exp(logit_b): logits (B, A), integers a (B,) -> (B,). ValueError for actions that are none."""
    if np.shape(a) != logits.shape[:1] or not ((0 <= np.asarray(a)) & (np.asarray(a) < logits.shape[1])).all():
        raise ValueError(f"actions must be (B,) = ({len(logits)},) numbers of 0 ... {logits.shape[1] - 1}, not {a}")
    return log_softmax(logits)[np.arange(len(a)), a]


def categorical_entropy(logits):
    r"""H = −Σ_a π(a) ln π(a), in nats: (B, A) -> (B,); at most ln A."""
    log_p = log_softmax(logits)  # (B, A)
    return -(np.exp(log_p) * log_p).sum(axis=1)


def gaussian_log_prob(a, mean, log_std):
    r"""ln N(a; μ, σ²) = Σ_i [−(a_i − μ_i)² / (2 σ_i²) − ln σ_i − ½ ln 2π]: a, mean (B, m), log_std (m,) or (B, m) -> (B,)

    ValueError unless both have two axes: (B,) against (B, 1) would give all B² pairs.
    """
    if np.ndim(a) != 2 or mean.ndim != 2:
        raise ValueError(f"actions and means must be (B, m), not {np.shape(a)} and {mean.shape}")
    z = (a - mean) * np.exp(-log_std)  # (B, m)
    return (-0.5 * z * z - log_std - HALF_LOG_2PI).sum(axis=1)


def gaussian_entropy(log_std):
    r"""H = Σ_i [ln σ_i + ½ ln 2πe], in nats: (m,) -> (), whatever the mean; negative if σ is small."""
    return (log_std + (HALF_LOG_2PI + 0.5)).sum(axis=-1)


def squashed_gaussian_log_prob(u, mean, log_std):
    r"""ln π(a) of a = tanh(u), u ~ N(μ, σ²), by the change of variables: u, mean (B, m), log_std (m,) or (B, m) -> (B,)

    ln π(a) = ln N(u; μ, σ²) − Σ_i ln(1 − tanh² u_i),     ln(1 − tanh² u) = 2 (ln 2 − u − softplus(−2u))

    In float32 the left form is −15.94 at |u| = 9 (−16.61 is right), and −∞ from 10 on, as tanh is 1; the right one is exact.
    u, not a, is wanted: who has a only may take arctanh(a), which loses the same digits. (Haarnoja et al. 2018, appendix C)
    """
    return gaussian_log_prob(u, mean, log_std) - (2 * (LOG_2 - u - softplus(-2 * u))).sum(axis=1)


class Categorical(nn.Module):
    """π(a|s) over A numbered actions: softmax of the logits that a network says."""

    def __init__(self, n, n_actions, hidden, rng, dtype):
        self.net = MLP((n, *hidden, n_actions), rng=rng, small=3e-3, dtype=dtype)

    def log_prob(self, s, a):
        """ln π(a|s) and the entropy of π(·|s): (B, n), (B,) -> (B,), (B,)"""
        logits = self.net(s)  # (B, A)
        return categorical_log_prob(logits, a), categorical_entropy(logits)

    def draw(self, s, rng):
        """A random action for each s: (B, n) -> (B,). The largest of logit + Gumbel noise is a draw from the softmax: such noise
        is −ln E, E ~ Exp(1), so the largest is the smallest E_a / exp(logit_a): of A clocks that ring at the rates exp(logit_a)
        the one that rings first."""
        logits = self.net(s).data
        return np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)

    def best(self, s):
        """The likeliest action: (B, n) -> (B,)"""
        return np.argmax(self.net(s).data, axis=1)


class Gaussian(nn.Module):
    """π(a|s) = N(μ(s), σ²) over m real numbers: a network says μ; σ is learned, and the same in all states."""

    def __init__(self, n, m, hidden, rng, dtype, log_std):
        self.net = MLP((n, *hidden, m), rng=rng, small=3e-3, dtype=dtype)
        self.log_std = nn.Parameter(np.full(m, log_std, dtype))

    def log_prob(self, s, a):
        """ln π(a|s) and the entropy of π(·|s): (B, n), (B, m) -> (B,), ()"""
        return gaussian_log_prob(a, self.net(s), self.log_std), gaussian_entropy(self.log_std)

    def draw(self, s, rng):
        """A random action for each s: (B, n) -> (B, m)"""
        mean = self.net(s).data  # (B, m)
        return mean + np.exp(self.log_std.data) * rng.standard_normal(mean.shape, mean.dtype)

    def best(self, s):
        """μ(s): (B, n) -> (B, m)"""
        return self.net(s).data
