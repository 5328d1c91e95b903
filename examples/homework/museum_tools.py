r"""What the pieces of the museum share: small models, all their states, and their numbers in plain NumPy."""

import numpy as np


def states(D):
    """All 2^D binary vectors, (2^D, D)."""
    return ((np.arange(2**D)[:, None] >> np.arange(D)) & 1).astype(np.uint8)


def wild(model, seed=0, size=1.0):
    """The model with random weights, so that nothing is near 0 or 1/2."""
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data = size * rng.standard_normal(p.shape)
    return model


def made(get, dim, hidden, seed=0, **keywords):
    """A small MADE in float64 with random weights."""
    return wild(get("models.made:MADE")(dim, hidden, rng=np.random.default_rng(seed), dtype=np.float64, **keywords), seed)


def total(model, **keywords):
    """The sum of p over all states."""
    with_graph = model.log_prob(states(model.dim), **keywords)
    return np.exp(with_graph.data.astype(np.float64)).sum()


def patches(get, n=None):
    """3 x 4 pixels from the middle of each digit: 12 bits, 4096 states, so that everything can be summed. (train, held out)"""
    data = get("minigrad.datasets:binarized_mnist")()
    cut = lambda x: x.reshape(-1, 28, 28)[:n, 12:15, 12:16].reshape(-1, 12)  # noqa: E731
    return cut(data.train), cut(data.valid)


def trained(get, model, train, valid, epochs, loss=None, lr=0.1):
    """Train; the validation NLL after each epoch."""
    training, optim = get("minigrad.training"), get("minigrad.optim")
    loss = loss or training.nll
    history = training.fit(model, train, valid, optimizer=optim.SGD(model, lr=lr, momentum=0.9, nesterov=True), epochs=epochs, batch_size=100,
                           rng=np.random.default_rng(1), loss=loss, valid_loss=training.nll, verbose=False)  # fmt: skip
    return [h["valid"] for h in history]


def by_numpy(model, x, component):
    """The logits of a MADE with relu, (B, D), in plain NumPy, from its weights and the degrees that its order gives."""
    order, degrees, *_ = model.components[component]
    m = np.empty(len(order), int)
    m[order] = np.arange(1, len(order) + 1)
    h, below = np.asarray(x, np.float64), m
    for W, c, above in zip(model.W, model.c, degrees[1:]):
        h, below = np.maximum(h @ (W.data * (above[None, :] >= below[:, None])) + c.data, 0), above
    logits = h @ (model.V.data * (m[None, :] > below[:, None])) + model.b.data
    return logits if model.A is None else logits + x @ (model.A.data * (m[None, :] > m[:, None]))


def sigmoid(z):
    """In plain NumPy."""
    return 1 / (1 + np.exp(-z))


def log_p(model, x, component):
    """log p of one component, (B,), in plain NumPy."""
    z = by_numpy(model, x, component)
    return (x * z - np.logaddexp(0, z)).sum(axis=1)
