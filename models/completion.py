r"""What the chain rule answers besides the density: samples, marginals, completions. Every model inherits these.

If the observed variables O come first in the order, all of it is exact, and costs no more than a sample:

    p(x_O) = ∏_{d ∈ O} p(x_d | x_<d)                       the marginal: the conditionals that come first
    x_rest ~ p(x_rest | x_O)                               the completion: go on from there, drawing bit after bit

An observed bit is a draw whose outcome is fixed. So `draw(u)` completes as well as it samples: x_d = 1[u_d < p] is sure to
be 1 with u_d = −1 and sure to be 0 with u_d = 2. If O does not come first, p(x_O) is a sum over all that came before, 2ⁿ
terms, and the answer is a ValueError. An order-agnostic model (`orderless.py`) chooses the order by the question.

A mixture p = Σ_k w_k p_k asks each part, and weighs the answers by how well the parts foretold what was observed:

    p(x_O) = Σ_k w_k p_k(x_O),      p(k | x_O) = w_k p_k(x_O) / p(x_O)
"""

import numpy as np

from minigrad import no_grad
from minigrad.functional import bernoulli_nll, logsumexp, sigmoid, softmax
from minigrad.tensor import to_array


def observed_first(order, observed, name):
    """ValueError unless, in each row of `observed` (B, D), all observed variables come before all others in the order."""
    in_order = observed[:, order]  # (B, D)
    late = in_order[:, 1:] & ~in_order[:, :-1]
    if late.any():
        row, place = np.argwhere(late)[0]
        raise ValueError(
            f"{name}: variable {order[place + 1]} is observed, but variable {order[place]}, which comes before it in the order, "
            "is not: build the model with an order in which the observed ones come first, or use models.orderless.OrderlessNADE"
        )


class Completion:
    """What needs only the conditionals. A model over bits defines `logits` and `draw`; others also the three at the end."""

    sample_dtype = np.uint8

    def parts(self):
        """The mixture that this model is: pairs of log w_k and a model with one order. Most are one part."""
        return [(0.0, self)]

    def sample(self, n, rng):
        """n fresh examples, (n, D); each draws its own part of a mixture."""
        parts = self.parts()
        if len(parts) == 1:
            return parts[0][1].draw(rng.random((n, self.dim)))
        chosen = rng.choice(len(parts), size=n, p=np.exp([log_w for log_w, _ in parts]))
        x = np.empty((n, self.dim), self.sample_dtype)
        for k in np.unique(chosen):
            x[chosen == k] = parts[k][1].sample((chosen == k).sum(), rng)
        return x

    def asked(self, observed):
        """The model that answers: this one, or, if it may choose its order by what is observed, itself in that order."""
        return self

    def log_marginal(self, x, observed):
        """log p(x_O), in nats: x (B, D), observed (D,) or (B, D) bool -> ndarray (B,). What is not observed is not read."""
        return logsumexp(self.asked(observed).log_marginals(x, observed), axis=0)

    def log_marginals(self, x, observed):
        """log w_k p_k(x_O) for every part: (K, B)."""
        x, observed = self.question(x, observed)
        with no_grad():
            return np.stack([log_w + (part.log_conditionals(x) * observed).sum(axis=1) for log_w, part in self.parts()])

    def complete(self, x, observed, rng):
        """x (B, D) with the rest drawn from p(x_rest | x_O): (B, D). ValueError if O does not come first in the order."""
        model = self.asked(observed)
        x, observed = model.question(x, observed)
        parts, complete = model.parts(), np.empty(x.shape, self.sample_dtype)
        posterior = softmax(model.log_marginals(x, observed), 0).cumsum(axis=0)  # (K, B)
        chosen = (rng.random(len(x)) >= posterior[:-1]).sum(axis=0)  # (B,)
        for k in np.unique(chosen):
            complete[chosen == k] = parts[k][1].fill(x[chosen == k], observed[chosen == k], rng)
        return complete

    def impute(self, x, observed, rng, samples=100):
        """E[x | x_O], estimated: the mean over completions of p(x_d = 1 | x_<d), which varies less than that of the bits."""
        model = self.asked(observed)
        x, observed = model.question(x, observed)
        mean = sum(model.conditionals(model.complete(x, observed, rng)) for _ in range(samples)) / samples
        return np.where(observed, x, mean)

    def conditionals(self, x):
        """p(x_d = 1 | x_<d) for every d: bits (B, D) -> ndarray (B, D), in data order.

        In a mixture over one order, p(x_d | x_<d) = Σ_k p(k | x_<d) p_k(x_d | x_<d). ValueError over several orders, where
        x_<d has no meaning.
        """
        parts, x = self.parts(), self.bits(x)
        order = parts[0][1].order
        if any((part.order != order).any() for _, part in parts):
            name = type(self).__name__
            raise ValueError(f"{name}: a mixture over several orders has no single x_<d: ask for one order, or a part")
        with no_grad():
            p = np.stack([sigmoid(to_array(part.logits(x))) for _, part in parts])  # (K, B, D)
            if len(parts) == 1:
                return p[0]
            so_far = np.stack([log_w + part.log_conditionals(x)[:, order].cumsum(axis=1) for log_w, part in parts])
        before = np.stack([np.full_like(x, log_w) for log_w, _ in parts])  # (K, B, D): log w_k p_k(x_<d), in model order
        before[:, :, 1:] = so_far[:, :, :-1]
        return (softmax(before, 0)[:, :, np.argsort(order)] * p).sum(axis=0)

    # ---- one part, for bits
    def question(self, x, observed):
        """Checked: x (B, D) with zeros for what is not observed, and observed as (B, D)."""
        x = np.asarray(x)
        try:
            observed = np.broadcast_to(np.asarray(observed), (len(x), self.dim))
        except ValueError:
            observed = np.asarray(observed)
        if observed.shape != x.shape or observed.dtype != bool:
            got = f"{observed.dtype} {observed.shape}"
            raise ValueError(f"{type(self).__name__}: observed must be bool, ({self.dim},) or {x.shape} as x, not {got}")
        for _, part in self.parts():
            observed_first(part.order, observed, type(self).__name__)
        return self.bits(np.where(observed, x, 0)), observed

    def log_conditionals(self, x):
        """log p(x_d | x_<d) for every d: (B, D) -> ndarray (B, D), in nats."""
        return -bernoulli_nll(to_array(self.logits(x)), x)

    def fill(self, x, observed, rng):
        """What is not observed, drawn in the order: (B, D) -> (B, D)."""
        u = rng.random(x.shape)
        return self.draw(np.where(observed, np.where(x == 1, -1.0, 2.0), u))
