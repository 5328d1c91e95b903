r"""MADE: a network whose masks make it autoregressive (Germain et al. 2015).

Give every input d the degree m_d = its place in the order, 1 ... D, and every hidden unit k a degree m_k in 1 ... D−1,
the number of inputs that it may depend on. A connection is kept only where it cannot look ahead:

    into a hidden layer   M_jk = 1[m_k ≥ m_j]     (equation 12)
    into the output       M_kd = 1[m_d > m_k]     (equation 13: strictly, or a pixel would see itself)

    h = g(x (W ∘ M) + c),   logits = h (V ∘ M) + b   [+ x (A ∘ M), direct connections]

Then every path from x_j to the logit of x_d climbs through degrees, and exists only if j comes before d. All D
conditionals cost one pass. Several sets of masks over the same weights make a *mixture* of models:
p(x) = 1/K Σ_k p_k(x). (Average their logits instead, and over several orders the sum of p over all x is not even 1.)
"""

import copy
from typing import NamedTuple

import numpy as np

from minigrad.functional import logsumexp, sigmoid
from minigrad.nn import Parameter, activation_named, kaiming_uniform

from .autoregressive import AutoregressiveModel, bernoulli_log_prob, ranks, resolve_order
from .made_staircase import staircase_draw, staircase_logits, steps


class Component(NamedTuple):
    """One member of the mixture."""

    order: np.ndarray  # (D,)
    degrees: list  # of the input (D,), then of each hidden layer (H,)
    masks: list  # into each hidden layer and into the output, (in, out)
    direct: np.ndarray  # (D, D), for the direct connections
    steps: list  # where the ones of each mask lie, at last of the direct one


def masks(degrees):
    """Degrees of the input and of the hidden layers -> the masks (in, out) into each hidden layer and the output."""
    hidden = [m_next[None, :] >= m[:, None] for m, m_next in zip(degrees[:-1], degrees[1:])]
    return hidden + [degrees[0][None, :] > degrees[-1][:, None]]


def draw_degrees(input_degrees, hidden, rng):
    """Degrees of each hidden layer, uniform over what keeps a unit connected: from the least below it to D−1."""
    degrees = [input_degrees]
    for size in hidden:
        degrees.append(rng.integers(degrees[-1].min(), max(2, len(input_degrees)), size))
    return degrees


class MADE(AutoregressiveModel):
    """dim: D; hidden: units of each hidden layer, a tuple, (500,) for one (() reads the input through the strict mask).

    order:      "natural", "random" or a permutation
    masks, shuffle: K components, which differ in their hidden degrees ("connectivity"), in their "order", or in "both"
    direct:     also connect the input to the output
    activation: "relu", "tanh", "sigmoid", "softplus" or "silu"
    `components[k]` holds the order, degrees and masks of a component.
    """

    def __init__(
        self, dim, hidden=(500,), *, rng, order="natural", masks=1, shuffle="connectivity", direct=False,
        activation="relu", dtype=np.float32,
    ):  # fmt: skip
        if shuffle not in ("connectivity", "order", "both"):
            raise ValueError(f'shuffle must be "connectivity", "order" or "both", not {shuffle!r}')
        if masks < 1:
            raise ValueError(f"masks must be at least 1, not {masks}")
        self.dim, self.dtype, self.activation = dim, np.dtype(dtype), activation_named(activation)
        sizes = [dim, *hidden, dim]
        *self.W, self.V = [Parameter(kaiming_uniform(n, m, rng).data.T, dtype) for n, m in zip(sizes[:-1], sizes[1:])]
        *self.c, self.b = [Parameter(np.zeros(size, dtype)) for size in sizes[1:]]
        self.A = Parameter(np.zeros((dim, dim), dtype)) if direct else None
        self.order = resolve_order(order, dim, rng)
        self.components = self.draw_components(hidden, masks, shuffle, rng)

    def draw_components(self, hidden, K, shuffle, rng):
        """K sets of masks. Without "connectivity" all share the hidden degrees, which are places in the order."""
        order, components = self.order, []
        degrees = draw_degrees(ranks(order) + 1, hidden, rng)
        for k in range(K):
            if k and shuffle != "connectivity":
                order = rng.permutation(self.dim)
            m = ranks(order) + 1  # (D,) degrees of the inputs
            degrees = draw_degrees(m, hidden, rng) if k and shuffle != "order" else [m, *degrees[1:]]
            if K == 1:
                degrees[1:] = [np.sort(layer) for layer in degrees[1:]]  # for the staircases; any numbering is as good
            layers = [M.astype(self.dtype) for M in masks(degrees)]
            direct = masks([m])[0].astype(self.dtype)
            components.append(Component(order, degrees, layers, direct, [steps(M) for M in [*layers, direct]]))
        return components

    def constants(self):
        """The order and degrees of every component, from which its masks follow."""
        own = {f"components.{k}.order": component.order for k, component in enumerate(self.components)}
        for k, component in enumerate(self.components):
            own |= {f"components.{k}.degrees.{i}": m for i, m in enumerate(component.degrees)}
        return own

    def logits(self, x, component=0):
        """Bits (B, D) -> Tensor (B, D): the log-odds of x_d = 1 given x_<d, under one component."""
        *hidden_masks, M_output = self.components[component].masks
        h = x  # (B, D)
        for W, M, c in zip(self.W, hidden_masks, self.c):
            h = self.activation(h @ (W * M) + c)  # (B, H)
        logits = h @ (self.V * M_output) + self.b  # (B, D)
        return logits if self.A is None else logits + x @ (self.A * self.components[component].direct)

    def log_prob(self, x, component=None):
        """log p(x) of the mixture, or of one component: bits (B, D) -> Tensor (B,), in nats."""
        x = self.bits(x)
        K = len(self.components)
        if component is None and K > 1:
            return logsumexp(np.stack([self.log_prob(x, k) for k in range(K)]), axis=0) - np.log(K)
        logits = staircase_logits(self, x) if K == 1 else self.logits(x, component or 0)  # the same numbers, faster
        return bernoulli_log_prob(logits, x=x)

    def nll(self, x, component=None):
        """The mean of −log p over the batch; `component=k` trains one component at a time, a bound on the mixture."""
        return -self.log_prob(x, component).mean()

    def parts(self):
        """The components as models of one order each, with these weights, and log 1/K of each: see `completion.py`."""
        parts = [copy.copy(self) for _ in self.components]
        for part, component in zip(parts, self.components):
            part.order, part.components = component.order, [component]
        return [(-np.log(len(parts)), part) for part in parts]

    def draw(self, u):
        """Uniform numbers (n, D) -> bits (n, D), from the first component; the fast twin of `sample_component`."""
        return staircase_draw(self, u, 0)

    def sample_component(self, u, component):
        """Uniform numbers (n, D) -> bits (n, D), O(D H) an image instead of D full passes.

        A hidden unit of degree m is final once the first m variables are known. So keep all sums, and pass each number
        on at the one moment when it becomes final.
        """
        order, degrees, M, direct, _ = self.components[component]
        W = [weight.data * mask for weight, mask in zip([*self.W, self.V], M)]
        a = [np.tile(bias.data, (len(u), 1)) for bias in [*self.c, self.b]]  # sums so far, (n, H) ...; the last: logits (n, D)
        A = None if self.A is None else self.A.data * direct
        x = np.zeros(u.shape, np.uint8)
        for place, d in enumerate(order, start=1):
            x[:, d] = u[:, d] < sigmoid(a[-1][:, d])
            on = x[:, d] == 1
            a[0][on] += W[0][d]
            if A is not None:
                a[-1][on] += A[d]
            for layer, m in enumerate(degrees[1:]):
                final = np.flatnonzero(m == place)
                if len(final):
                    a[layer + 1] += self.activation(a[layer][:, final]) @ W[layer + 1][final]
        return x
