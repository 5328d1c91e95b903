r"""A mixture of models over one data space; EoNADE is the mixture of one order-agnostic NADE over several orders.

    p(x) = Σ_k w_k p_k(x),      log p(x) = logsumexp_k [ log w_k + log p_k(x) ]           (log-mean-exp if w_k = 1/K)

A mixture of probabilities of *whole* examples is a probability. It cannot be much worse than its best part: log p(x) ≥
log w_k + log p_k(x), so with K parts an example costs at most log K nats more than with the best of them. Where the parts
err in different places it is better than each, for a part that finds x improbable has hardly a say there. (Averages of the
conditionals, or of their logits, over several orders are no probability: their sum over all x is not 1.) For samples,
marginals and completions see `completion.py`.

Source: Uria, Murray & Larochelle 2014, section 4.2 (EoNADE).
"""

import numpy as np

from minigrad.functional import logsumexp

from .autoregressive import AutoregressiveModel


class Ensemble(AutoregressiveModel):
    """models: any that have the same `dim`; weights: (K,) that sum to 1, by default all 1/K."""

    def __init__(self, models, weights=None):
        self.models = list(models)
        K = len(self.models)
        weights = np.full(K, 1 / max(K, 1)) if weights is None else np.asarray(weights, float)
        if not K or len({model.dim for model in self.models}) > 1:
            raise ValueError(f"Ensemble: needs models of one dim, got {[model.dim for model in self.models]}")
        if weights.shape != (K,) or (weights < 0).any() or abs(weights.sum() - 1) > 1e-6:
            raise ValueError(f"Ensemble: weights must be {K} numbers >= 0 with sum 1, not {weights}")
        with np.errstate(divide="ignore"):  # a weight may be 0
            self.log_weights = np.log(weights / weights.sum())
        self.dim, self.dtype, self.sample_dtype = (getattr(self.models[0], name) for name in ("dim", "dtype", "sample_dtype"))
        self.bits = self.models[0].bits

    def constants(self):
        """The weights, and what each model gives."""
        own = {"log_weights": self.log_weights}
        for k, model in enumerate(self.models):
            own |= {f"models.{k}.{name}": value for name, value in model.constants().items()}
        return own

    def parts(self):
        """All parts of all models: a mixture of mixtures is a mixture."""
        return [(log_w + log_v, part) for log_w, model in zip(self.log_weights, self.models) for log_v, part in model.parts()]

    def log_prob(self, x):
        """log p(x) of the mixture: (B, D) -> Tensor (B,), in nats."""
        log_p = [model.log_prob(x) + log_w for log_w, model in zip(self.log_weights, self.models)]
        return logsumexp(np.stack(log_p), axis=0)  # (B,)


def eonade(model, K, rng):
    """The mixture of an order-agnostic model over K random orders; the parts share their weights."""
    return Ensemble([model.in_order("random", rng) for _ in range(K)])
