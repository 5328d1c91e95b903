r"""Order-agnostic NADE, also DeepNADE: one network for every order (Uria, Murray & Larochelle 2014).

The network is told which variables are known, by a mask m (1 = known), and predicts all the others at once:

    h = g( (x ∘ m) W + m U + c ),   [h = g(h W_l + c_l)],   logits = h V + b

The mask is an input as well, or a known 0 could not be told from an unknown bit. For an order o, the conditional of
x_{o_d} is read off with the d − 1 variables before it known. Training fits all D! orders at once: draw an example, an order
and a place d, and of the D − d + 1 variables that are not known yet predict each, as any of them could be the next one:

    J = E_x E_d E_o  D / (D − d + 1) · Σ_{k ≥ d} −log p(x_{o_k} | x_{o_<d})          (equation 9)

which is the mean over the orders of −log p(x | o): every set of known variables that an order can meet is trained, with the
same weights. So after training any variables may be given and any asked for (`complete`), and several orders of the same
network make an ensemble (EoNADE, `ensemble.py`).

How the mask is drawn, with no sorting. A threshold t ~ U(0, 1), then m_j = 1[u_j < t] with u_j ~ U(0, 1): the number
n = d − 1 of known variables is then uniform on 0 ... D, and given n every set is equally likely. n = D, where nothing is
left to predict, should not occur and counts 0; the other D values have the probability 1 / (D + 1) each, not 1 / D, so
(D + 1) / (D − n) stands in the place of D / (D − n).
"""

import copy

import numpy as np

from minigrad import Tensor, no_grad
from minigrad.functional import bernoulli_nll, sigmoid
from minigrad.nn import Parameter, activation_named, kaiming_uniform

from .autoregressive import AutoregressiveModel, resolve_order
from .binary_input import bits_matmul


class OrderlessNADE(AutoregressiveModel):
    """dim: D; hidden: units of each hidden layer, a tuple; activation as in MADE; dtype: float32 or float64.

    order: the one in which `log_prob`, `conditionals` and `sample` go. `in_order` gives the same network in another one.
    """

    def __init__(self, dim, hidden=(500,), *, rng, order="natural", activation="relu", dtype=np.float32):
        self.dim, self.dtype, self.activation = dim, np.dtype(dtype), activation_named(activation)
        self.order = resolve_order(order, dim, rng)
        sizes = [2 * dim, *hidden, dim]
        weights = [Parameter(kaiming_uniform(n, m, rng).data.T, dtype) for n, m in zip(sizes[:-1], sizes[1:])]
        first, *self.hidden, self.V = weights
        self.W, self.U = Parameter(first.data[:dim]), Parameter(first.data[dim:])  # (D, H): of the values, of the mask
        self.W.data = self.W.data * 4  # few of x ∘ m are on, so each may weigh more (4: the best of 1, 2, 4 on validation)
        self.c, self.b = [Parameter(np.zeros(size, dtype)) for size in hidden], Parameter(np.zeros(dim, dtype))

    def constants(self):
        """None: the weights serve every order."""
        return {}

    def in_order(self, order, rng=None):
        """The same network (shared weights) in another order: a permutation, "natural", or "random" with an rng."""
        twin = copy.copy(self)
        twin.order = resolve_order(order, self.dim, rng)
        return twin

    def asked(self, observed):
        """The same network with the observed variables first: so `complete` and `log_marginal` are exact for any of them."""
        observed = np.asarray(observed)
        if observed.ndim == 2 and len(observed) and (observed == observed[0]).all():
            observed = observed[0]
        if observed.shape != (self.dim,) or observed.dtype != bool:
            got = f"{observed.dtype} {observed.shape}"
            raise ValueError(f"OrderlessNADE: observed must be bool, ({self.dim},), one set for all rows, not {got}")
        return self.in_order(np.concatenate([self.order[observed[self.order]], self.order[~observed[self.order]]]))

    def predict(self, x, known):
        """Bits (B, D) and a mask (B, D), 1 = known -> Tensor (B, D): the log-odds of x_d = 1 given what is known."""
        known = np.asarray(known, self.dtype)
        h = self.activation(bits_matmul(self.W, x=x * known) + known @ self.U + self.c[0])  # (B, H)
        for W, c in zip(self.hidden, self.c[1:]):
            h = self.activation(h @ W + c)  # (B, H)
        return h @ self.V + self.b

    def order_agnostic_nll(self, x, rng):
        """An unbiased estimate of the mean over all orders of −log p(x), in nats: what training minimises."""
        x = self.bits(x)
        known = rng.random(x.shape, np.float32) < rng.random((len(x), 1), np.float32)  # (B, D)
        left = self.dim - known.sum(axis=1, keepdims=True)  # (B, 1): how many are to be predicted
        weight = np.where(known, 0, (self.dim + 1) / np.maximum(left, 1)).astype(self.dtype)  # (B, D)
        return (weight * bernoulli_nll(self.predict(x, known), x)).sum() / len(x)

    def logits(self, x):
        """Bits (B, D) -> Tensor (B, D): log-odds in the model's order. No gradient: train with `order_agnostic_nll`.

        The first layer's sums change by W_d x_d + U_d when variable d becomes known, so it costs O(D H) as in NADE.
        """
        x, logits = np.asarray(x), np.empty(np.shape(x), self.dtype)
        for d, logit in self.walk(x):
            logits[:, d] = logit
        return Tensor(logits)

    def draw(self, u):
        """Uniform numbers (n, D) -> bits (n, D): the same walk, but each bit is drawn when its logit is known."""
        x = np.zeros(u.shape, np.uint8)
        for d, logit in self.walk(x):
            x[:, d] = u[:, d] < sigmoid(logit)
        return x

    def walk(self, x):
        """Yield each variable d in the model's order with its log-odds (B,); x[:, d] is read only after that."""
        V = np.ascontiguousarray(self.V.data.T)
        a = np.tile(self.c[0].data, (len(x), 1))  # (B, H), the first layer's sums
        with no_grad():
            for d in self.order:
                h = self.activation(a)
                for W, c in zip(self.hidden, self.c[1:]):
                    h = self.activation(h @ W.data + c.data)
                yield d, h @ V[d] + self.b.data[d]
                a += self.U.data[d]
                a[x[:, d] == 1] += self.W.data[d]
