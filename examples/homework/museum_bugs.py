r"""The museum, density models: real defects of published code, each as a small edit of our library. Nothing raises, something is wrong."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- what several of them need


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
    """The validation NLL before training and after each epoch."""
    training, optim = get("minigrad.training"), get("minigrad.optim")
    loss = loss or training.nll
    history = training.fit(model, train, valid, optimizer=optim.SGD(model, lr=lr, momentum=0.9, nesterov=True), epochs=epochs, batch_size=100,
                           rng=np.random.default_rng(1), loss=loss, valid_loss=training.nll, verbose=False)  # fmt: skip
    return [h["valid"] for h in history]


# ---- 1. each pixel sees itself


def masks_by_hand(get):
    """By hand: three pixels, two hidden layers"""
    call = "masks([[2, 1, 3], [1, 2, 2], [2, 1]])"
    got = get("models.made:masks")([np.array([2, 1, 3]), np.array([1, 2, 2]), np.array([2, 1])])
    want = ([[0, 1, 1], [1, 1, 1], [0, 0, 0]], [[1, 1], [1, 0], [1, 0]], [[0, 0, 1], [1, 0, 1]])
    expect(len(got), 3, f"the number of masks in {call}")
    for M, by_hand, name in zip(got, want, ("into the first hidden layer", "into the second hidden layer", "into the output")):
        expect(np.asarray(M, int), np.array(by_hand), f"{call}, the mask {name}, (in, out),")


def masks_paths(get):
    """No path from a pixel to itself or to an earlier one; one to every later one"""
    rng = np.random.default_rng(0)
    degrees = [rng.permutation(6) + 1, rng.permutation(np.arange(10) % 5) + 1, rng.permutation(np.arange(15) % 5) + 1]
    paths = np.eye(6, dtype=int)
    for M in get("models.made:masks")(degrees):
        paths = paths @ np.asarray(M, int)
    expect(np.diag(paths), np.zeros(6, int), "the number of paths from x_d through the masks to the logit of x_d itself")
    later = degrees[0][None, :] > degrees[0][:, None]
    expect(paths[~later], np.zeros((~later).sum(), int), "the number of paths from x_j to the logit of a pixel that comes before it")
    expect(paths[later] > 0, np.ones(later.sum(), bool), "whether there is a path from x_j to each later pixel's logit (all degrees occur in both layers): it")


def masks_sum(get):
    """Sum of p is 1"""
    for direct in (False, True):
        model = made(get, 6, (9, 8), order="random", direct=direct)
        expect(total(model), 1.0, f"the sum of p over all 64 states of MADE(6, (9, 8), direct={direct})")


def masks_symptom(get):
    """A short training on digits, and the sum of p of a small model."""
    MADE, data = get("models.made:MADE"), get("minigrad.datasets:binarized_mnist")()
    model = MADE(784, (100,), rng=np.random.default_rng(0), direct=True)
    model.start_from_means(data.train)
    curve = [model.evaluate(data.valid[:1000]).nll, *trained(get, model, data.train[:5000], data.valid[:1000], 6)]
    into, out = model.components[0].masks
    small, (train, valid) = MADE(12, (60,), rng=np.random.default_rng(0)), patches(get, 4000)
    trained(get, small, train, valid, 3)
    return {
        "figures": {"validation NLL after 6 epochs (nats)": curve[-1], "outputs that see their own pixel, of 784": float((np.diag(into @ out + model.components[0].direct) > 0).sum()),
                    "sum of p over all 4096 states of a model of 12 pixels": total(small)},
        "x": list(range(len(curve))), "y": curve, "xlabel": "epoch", "ylabel": "validation NLL (nats per image)", "log": "",
    }  # fmt: skip


LEAK = Exercise(
    id="bug-output-mask",
    title="too good to be true",
    target="models.made:masks",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="the docstring of models/made.py",
    task="Among the published implementations of MADE is one whose loss is splendid, since more than half of its 784 outputs see their own pixel. Rebuilt here: a "
         "MADE of 100 units with direct connections gets held-out digits down to 8.2 nats in six short epochs, where the right code has 104, and the best models of "
         "this kind ever published have about 80.\nOn 12 pixels, where one can add them up, the probabilities of all 4096 images sum to 1830.\n"
         "Mend `masks`. It takes degrees, arrays (D,), (H1,), (H2,) ... of the input and of each hidden layer, and returns a list of arrays (in, out), true or 1 where "
         "a connection is kept: one into each hidden layer, the last into the output.",
    check=(masks_by_hand, masks_paths, masks_sum),
    probe=lambda f, get: np.concatenate([np.ravel(M) for M in f([np.array([2, 1, 3]), np.array([1, 2, 2]), np.array([2, 1])])]).astype(float),
    hints=(
        "Follow one path from the pixel of degree 2, through a hidden unit, to an output. Which outputs can it reach?",
        "Into a hidden layer: m_k >= m_j. Into the output: m_d > m_k. Exactly one of them must be strict.",
        "return [next >= here for each pair of neighbouring layers] + [degrees[0][None, :] > degrees[-1][:, None]]",
    ),
    why="A hidden unit of degree m may have seen pixel m, so the output of degree m must not see the unit. A test of paths (or of the sum of p) finds it at once; "
        "no test of the loss can: it only falls.",
    bug="leaks_itself",
    symptom=masks_symptom,
    wrong={
        "leaks_itself": ((("degrees[0][None, :] > degrees[-1][:, None]", "degrees[0][None, :] >= degrees[-1][:, None]"),),
                         "a unit of degree m has seen pixel m, and the output of degree m sees the unit: each pixel sees itself."),
        "strict_in_the_wrong_layer": ((("m_next[None, :] >= m[:, None]", "m_next[None, :] > m[:, None]"),
                                       ("degrees[0][None, :] > degrees[-1][:, None]", "degrees[0][None, :] >= degrees[-1][:, None]")),
                                      "the hidden layers are strict, not the output: nothing leaks, but each layer more loses predecessors."),
        "strict_everywhere": ((("m_next[None, :] >= m[:, None]", "m_next[None, :] > m[:, None]"),),
                              "every layer is strict, where one is enough: nothing leaks, but most predecessors are lost."),
        "clears_the_diagonal": ((("    return hidden + [degrees[0][None, :] > degrees[-1][:, None]]",
                                  "    out = degrees[0][None, :] >= degrees[-1][:, None]\n    np.fill_diagonal(out, False)\n    return hidden + [out]"),),
                                "the diagonal of (H, D) joins unit k to pixel k, which have nothing in common: the leak is still there."),
        "two_steps_back": ((("degrees[0][None, :] > degrees[-1][:, None]", "degrees[0][None, :] > degrees[-1][:, None] + 1"),),
                           "too careful: the pixel just before is lost, and it tells most."),
        "output_backwards": ((("degrees[0][None, :] > degrees[-1][:, None]", "degrees[0][None, :] < degrees[-1][:, None]"),),
                             "the output sees what comes after it, not before."),
    },
    right={
        "outer": "def masks(degrees):\n    made = []\n    for below, above in zip(degrees[:-1], degrees[1:]):\n"
                 "        made.append(np.less_equal.outer(below, above))\n    made.append(np.less.outer(degrees[-1], degrees[0]))\n    return made\n",
        "integers": "def masks(degrees):\n    grow = lambda a, b, least: (np.asarray(b)[None, :] - np.asarray(a)[:, None] >= least).astype(int)\n"
                    "    n = len(degrees)\n    return [grow(degrees[i], degrees[(i + 1) % n], int(i == n - 1)) for i in range(n)]\n",
    },
)  # fmt: skip

EXERCISES = (LEAK,)
