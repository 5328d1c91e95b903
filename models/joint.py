r"""The label as one more variable: p(x, y) = p(y) ∏_d p(x_d | y, x_<d). One density that draws digits and reads them.

A label y in 0 ... C−1 is written as C bits of which one is on, and these come first in the order of any autoregressive
model over C + D bits: every conditional after them knows the label. In NADE the bit that is on adds its row of W to the hidden
sums, so they start from c + U_y, with U the first C rows. In MADE the bits have the degrees 1 ... C, the least. And
each class has an output bias of its own, b + A_y (direct connections, as MADE has them for all inputs): with all other weights
0 this is naive Bayes, and training starts there.

That exactly one of the C bits is on is certain, so their own conditionals are not asked. Instead of them stands

    log p(y) = prior_y − logsumexp_c prior_c                                        a categorical distribution
    log p(x, y) = log p(y) + Σ_d log p(x_d | y, x_<d)
    p(x) = Σ_y p(x, y)                                                              a mixture of C models: sum out the label
    p(y | x) = p(x, y) / p(x)                                                       Bayes' rule: classification
    x ~ p(x | y)                                                                    a sample of one class

So all is one function, log p(x, y), asked in different ways: nothing here was trained to tell classes apart. And as
the label is a variable like others, p(y | x_O) for a part of an image costs no more than for a whole one.

The classes share all weights but these rows: Σ_y p(y) p(x | y) is what `completion.py` calls a mixture, and its
`log_marginal`, `complete` and `impute` answer for a joint model as well.
"""

import copy

import numpy as np

from minigrad import no_grad
from minigrad.functional import log_softmax, logsumexp, softmax
from minigrad.nn import Parameter

from .autoregressive import AutoregressiveModel, bernoulli_log_prob, resolve_order


class Given(AutoregressiveModel):
    """p(x | y) for one label: a model of the D pixels, with the weights of the joint one."""

    def __init__(self, joint, y):
        self.joint, self.y = joint, y
        self.dim, self.dtype, self.order = joint.dim, joint.dtype, joint.order

    def logits(self, x):
        """Bits (B, D) -> Tensor (B, D): the log-odds of x_d = 1 given y and x_<d."""
        return self.joint.logits(x, np.full(len(x), self.y))

    def draw(self, u):
        """Uniform numbers (n, D) -> bits (n, D)"""
        return self.joint.draw(u, np.full(len(u), self.y))


class Joint(AutoregressiveModel):
    """kind: NADE, MADE or FVSBN; dim: D; classes: C; then what that model takes, as in Joint(NADE, 784, 10, 500, rng=rng).

    order: of the D pixels; the label comes before them.
    """

    def __init__(self, kind, dim, classes, *hidden, rng, order="natural", **options):
        self.dim, self.classes, self.order = dim, classes, resolve_order(order, dim, rng)
        label_first = np.concatenate([np.arange(classes), classes + self.order])  # the C bits, then the pixels
        self.model = kind(classes + dim, *hidden, rng=rng, order=label_first, **options)
        if len(self.model.parts()) > 1:
            raise ValueError(f"Joint: {kind.__name__} must have one order and one set of masks, not {len(self.model.parts())}")
        self.dtype = self.model.dtype
        self.prior = Parameter(np.zeros(classes, self.dtype))  # log p(y), up to a constant
        self.A = Parameter(np.zeros((classes, dim), self.dtype))  # row y: what the label adds to the logits

    def constants(self):
        """Those of the model below: its order and masks."""
        return {f"model.{name}": value for name, value in self.model.constants().items()}

    def labels(self, y, n):
        """y as integers (n,); one number stands for n equal labels. ValueError for anything that is no label."""
        y = np.full(n, y) if np.ndim(y) == 0 else np.asarray(y)
        if y.shape != (n,) or y.dtype.kind not in "iu" or (n and not 0 <= y.min() <= y.max() < self.classes):
            shown = f"{y.dtype} {y.shape}" if y.dtype.kind not in "iu" or y.shape != (n,) else f"{y.min()} ... {y.max()}"
            raise ValueError(
                f"Joint: y must be ({n},) integers in 0 ... {self.classes - 1}, one label for each row of x, not {shown}"
            )
        return y

    def one_hot(self, y):
        """Labels (B,) -> (B, C): the label's bit is 1."""
        return np.eye(self.classes, dtype=self.dtype)[y]

    def logits(self, x, y):
        """Bits (B, D), labels (B,) -> Tensor (B, D): the log-odds of x_d = 1 given y and x_<d."""
        return self.model.logits(np.concatenate([self.one_hot(y), x], axis=1))[:, self.classes :] + self.A[y]

    def log_prob(self, x, y=None):
        """log p(x, y), or without y log p(x) = log Σ_y p(x, y): bits (B, D) -> Tensor (B,), in nats."""
        if y is None:
            return logsumexp(self.log_joint(x), axis=1)
        x, y = self.bits(x), self.labels(y, len(x))
        return log_softmax(self.prior)[y] + bernoulli_log_prob(self.logits(x, y), x=x)

    def log_joint(self, x):
        """log p(x, y) for every y: bits (B, D) -> Tensor (B, C). It costs C passes."""
        return np.stack([self.log_prob(x, y) for y in range(self.classes)], axis=1)

    def nll(self, x, y=None):
        """The mean of −log p(x, y) over the batch, or without labels that of −log p(x): a Tensor with one number."""
        return -self.log_prob(x, y).mean()

    def posterior(self, x, observed=None):
        """p(y | x) by Bayes' rule, or p(y | x_O) if only what is observed, (D,) bool, is known: bits (B, D) -> ndarray (B, C)."""
        if observed is not None:
            return softmax(self.log_marginals(x, observed).T)
        with no_grad():
            return softmax(self.log_joint(x).data)

    def classify(self, x):
        """The most probable label, which errs least often if the model is right: bits (B, D) -> integers (B,)."""
        return self.posterior(x).argmax(axis=1)

    def given(self, y):
        """p(x | y) as a model of its own; it shares the weights."""
        return Given(self, y)

    def parts(self):
        """p(x) = Σ_y p(y) p(x | y): the log-weights and models of the mixture, see `completion.py`."""
        return [(log_p, self.given(y)) for y, log_p in enumerate(log_softmax(self.prior.data))]

    def draw(self, u, y):
        """Uniform numbers (n, D), labels (n,) -> bits (n, D). The label's bits are draws whose outcome is fixed."""
        fixed = np.where(self.one_hot(y) == 1, -1.0, 2.0)  # (n, C)
        u, x = np.concatenate([fixed, u], axis=1), np.empty(u.shape, np.uint8)
        for label in np.unique(y):
            model = copy.copy(self.model)  # the same weights, with the output bias of this class
            model.b = Parameter(self.model.b.data + np.pad(self.A.data[label], (self.classes, 0)))
            x[y == label] = model.draw(u[y == label])[:, self.classes :]
        return x

    def sample(self, n, rng, y=None):
        """n images, (n, D) uint8: of the class y, of the classes y (n,), or each of a class drawn from p(y)."""
        y = rng.choice(self.classes, n, p=softmax(self.prior.data.astype(np.float64))) if y is None else self.labels(y, n)
        return self.draw(rng.random((n, self.dim)), y)

    def start_from_means(self, x, y):
        """Start from naive Bayes: p(y) from the frequency of the labels, b + A_y from the pixel means of each class."""
        y = self.labels(y, len(x))
        self.prior.data = np.log(np.bincount(y, minlength=self.classes) + 1.0)
        self.model.start_from_means(np.concatenate([self.one_hot(y), x], axis=1))
        for label in range(self.classes):
            own = x[y == label]
            p = (own.sum(axis=0, dtype=np.float64) + 1) / (len(own) + 2)  # (D,)
            self.A.data[label] = np.log(p / (1 - p)) - self.model.b.data[self.classes :]
