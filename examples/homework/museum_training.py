r"""The museum, what training shows: a sigmoid too many, and weights that are wiped out while nobody looks."""

import numpy as np

from .exercise import Exercise, expect
from .museum_tools import by_numpy, made, states, total, trained, wild

# ---- 4. the double sigmoid


def fvsbn(get):
    """Five pixels in a random order, in float64."""
    return wild(get("models.fvsbn:FVSBN")(5, rng=np.random.default_rng(0), order=[3, 0, 4, 1, 2], dtype=np.float64))


def fvsbn_numpy(model, x):
    """Its logits (B, D), pixel by pixel."""
    z = np.tile(model.b.data, (len(x), 1))
    for place, d in enumerate(model.order):
        for j in model.order[:place]:
            z[:, d] += x[:, j] * model.W.data[j, d]
    return z


def sigmoid_by_hand(get):
    """By hand: logits of three pixels"""
    model = get("models.fvsbn:FVSBN")(3, rng=np.random.default_rng(0), order=[2, 0, 1], dtype=np.float64)
    model.b.data = np.array([1.0, -2.0, -30.0])
    model.W.data = np.array([[9.0, 0.5, 9.0], [9.0, 9.0, 9.0], [-4.0, 3.0, 9.0]])  # 9: must not count
    x = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    call = "FVSBN, order 2, 0, 1, b = [1, -2, -30], W[2, 0] = -4, W[2, 1] = 3, W[0, 1] = .5:\n"
    expect(model.logits(x).data, np.array([[1.0, -2.0, -30.0], [-3.0, 1.5, -30.0], [-3.0, 1.0, -30.0]]), f"{call}logits of [0 0 0], [1 0 1], [0 1 1]: they")
    model.b.data = np.full(3, -30.0)
    expect(model.log_prob(np.zeros((1, 3))).data, np.zeros(1), f"{call}log p of [0 0 0] with b = -30: three zeros that are sure cost nothing; it", atol=1e-9)


def sigmoid_slope(get):
    """Central differences"""
    model, x, rng = fvsbn(get), states(5)[[3, 9, 22, 31, 6]].astype(float), np.random.default_rng(1)
    model.log_prob(x).sum().backward()
    for name, p in model.named_parameters():
        v, at, values = rng.standard_normal(p.shape), p.data.copy(), []
        for eps in (1e-6, -1e-6):
            p.data = at + eps * v
            z = fvsbn_numpy(model, x)
            values.append((x * z - np.logaddexp(0, z)).sum())
        p.data = at
        expect(((0 if p.grad is None else p.grad) * v).sum(), (values[0] - values[1]) / 2e-6, f"the slope of log_prob(x).sum() along a random direction of {name}",
               rtol=1e-5, atol=1e-7)  # fmt: skip


def sigmoid_oracle(get):
    """Every state against plain NumPy, and what a model of independent pixels costs"""
    model, x = fvsbn(get), states(5).astype(float)
    expect(model.logits(x).data, fvsbn_numpy(model, x), "logits of all 32 states of FVSBN(5), random weights, order 3, 0, 4, 1, 2: they")
    model = get("models.fvsbn:FVSBN")(4, rng=np.random.default_rng(0), dtype=np.float64)
    x = (np.arange(40).reshape(10, 4) % 7 < np.array([1, 2, 4, 6])).astype(float)
    model.start_from_means(x)
    p = (x.sum(axis=0) + 1) / 12
    expect(model.nll(x).item(), -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / 10, "nll(x) right after start_from_means(x): that of independent pixels; it")


def sigmoid_symptom(get):
    """A short training on digits, and the cheapest pixel."""
    data = get("minigrad.datasets:binarized_mnist")()
    train, valid = data.train[:10_000], data.valid[:1000]
    model = get("models.fvsbn:FVSBN")(784, rng=np.random.default_rng(0))
    model.start_from_means(train)
    curve = [model.evaluate(valid).nll, *trained(get, model, train, valid, 6, lr=0.02)]
    z = model.logits(valid.astype(np.float32)).data.astype(np.float64)
    cost = np.logaddexp(0, z) - valid * z
    return {
        "figures": {"held-out NLL after 6 epochs (nats per image)": curve[-1], "cheapest 0 pixel (nats)": cost[valid == 0].min(),
                    "dearest 0 pixel (nats)": cost[valid == 0].max(), "cheapest 1 pixel (nats)": cost[valid == 1].min(), "dearest 1 pixel (nats)": cost[valid == 1].max()},
        "x": list(range(len(curve))), "y": curve, "xlabel": "epoch", "ylabel": "validation NLL (nats per image)", "log": "",
    }  # fmt: skip


AFFINE = "return x @ (self.W * self.M) + self.b"
SIGMOID = Exercise(
    id="bug-sigmoid",
    title="a zero that always costs log 2",
    target="models.fvsbn:FVSBN.logits",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="log_prob and start_from_means in models/autoregressive.py; models/fvsbn.py",
    task="A much used collection of generative models comes with a table of results that its own code cannot reach: the "
         "network's output is made for drawing samples, and the loss takes it for something else. Rebuilt here: on digits the "
         "held-out NLL falls from 564.6 to 536.4 nats in six epochs (784 fair coins cost 543), where the right code goes from "
         "201.9 to 103.6. Over all held-out digits the cheapest 0 pixel costs 0.693 nats and the dearest 1.31; the cheapest 1 "
         "pixel costs 0.314. And yet p sums to 1 over all images.\nMend `logits`: bits (B, D) -> Tensor (B, D), the log-odds of "
         "x_d = 1 given the pixels before d. self.M (D, D) is 1 where j comes before d.",
    check=(sigmoid_by_hand, sigmoid_slope, sigmoid_oracle),
    probe=lambda f, get: f(fvsbn(get), states(5)[4:12].astype(float)).data,
    hints=(
        "What is the range of what this function returns, and what is the range of a log-odds?",
        "logit_d = b_d + sum over j before d of W_jd x_j; the sigmoid is in the loss: log p = x z - log(1 + e^z).",
        "return x @ (self.W * self.M) + self.b",
    ),
    why="Here whatever is called logits is one, and only those who want a probability apply the sigmoid: the loss in its "
        "stable form, sample, conditionals. Training cannot show the mistake (the loss falls, p sums to 1); that a sure 0 "
        "costs nothing, and that b = logit of the means gives the NLL of independent pixels, does.",
    bug="double_sigmoid",
    symptom=sigmoid_symptom,
    wrong={
        "double_sigmoid": (((AFFINE, "return sigmoid(x @ (self.W * self.M) + self.b)"),),
                           "these are probabilities, and the loss takes a sigmoid of them once more: a 0 costs log 2 at least, "
                           "a 1 at least 0.31."),
        "centred": (((AFFINE, "return 2 * sigmoid(x @ (self.W * self.M) + self.b) - 1"),), "a probability stretched to -1 ... 1 is still no log-odds, which have no bounds."),
        "log_p": (((AFFINE, "return np.log(sigmoid(x @ (self.W * self.M) + self.b))"),), "this is log p(x_d = 1); the loss wants log p - log(1 - p)."),
        "odds_of_zero": (((AFFINE, "return -(x @ (self.W * self.M) + self.b)"),), "these are the log-odds of x_d = 0: the sign is flipped."),
        "mask_forgotten": (((AFFINE, "return x @ self.W + self.b"),), "the mask is gone: each pixel sees itself and those after it."),
        "looks_ahead": (((AFFINE, "return x @ (self.W * self.M.T) + self.b"),), "the mask is transposed: each pixel sees those after it."),
        "bias_forgotten": (((AFFINE, "return x @ (self.W * self.M)"),), "the bias is gone: the first pixel in the order is then a fair coin."),
    },
    right={
        "transposed": """\
def logits(self, x):
    return np.transpose(np.transpose(self.W * self.M) @ np.transpose(x)) + self.b
""",
        "from_p": """\
def logits(self, x):
    p = sigmoid(x @ (self.W * self.M) + self.b)
    return np.log(p) - np.log(sigmoid(-(x @ (self.W * self.M) + self.b)))
""",
    },
)  # fmt: skip

# ---- 5. weights wiped out by their masks


def two_masks(get):
    """Two components with other masks over the same weights; direct connections, random weights."""
    return made(get, 5, (7, 6), order=[1, 4, 0, 3, 2], masks=2, shuffle="both", direct=True)


def wiped_by_hand(get):
    """By hand: two orders, one after the other"""
    model, other = (get("models.made:MADE")(2, (1,), rng=np.random.default_rng(0), order=order, dtype=np.float64) for order in ([0, 1], [1, 0]))
    model.components = [model.components[0], other.components[0]]  # one hidden unit, of degree 1
    for p, values in ((model.W[0], [[2.0], [3.0]]), (model.c[0], [1.0]), (model.V, [[5.0, 7.0]]), (model.b, [0.5, -0.5])):
        p.data = np.array(values)
    x, call = np.array([[1.0, 1.0]]), "two pixels, one unit, W = [2, 3], c = 1, V = [5, 7], b = [.5, -.5], x = [1 1]: logits"
    for number, (k, want) in enumerate(((0, [0.5, 20.5]), (1, [20.5, -0.5]), (0, [0.5, 20.5]))):
        order = "0, 1" if k == 0 else "1, 0"
        expect(model.logits(x, k).data, np.array([want]), f"{call}(x, {k}), order {order}{', asked a second time' if number == 2 else ''}: they")


def wiped_leaves(get):
    """The weights are as they were"""
    model, x = two_masks(get), states(5).astype(float)
    before = {name: p.data.copy() for name, p in model.named_parameters()}
    (model.logits(x, 0).sum() + model.logits(x, 1).sum()).backward()
    for name, p in model.named_parameters():
        expect(p.data, before[name], f"{name} after logits(x, 0), logits(x, 1) and backward: it must be as before; it")


def wiped_slope(get):
    """Gradients: central differences, and 0 where a mask is"""
    x, rng = states(5)[[3, 9, 22, 31]].astype(float), np.random.default_rng(1)
    for k in range(2):
        model = two_masks(get)
        g = rng.standard_normal((4, 5))
        (model.logits(x, k) * g).sum().backward()
        for name, p in model.named_parameters():
            at, rows = p.data.copy(), np.zeros(p.shape)
            for i in np.ndindex(p.shape):
                for eps in (1e-6, -1e-6):
                    p.data[i] = at[i] + eps
                    rows[i] += (by_numpy(model, x, k) * g).sum() / (2 * eps)
                    p.data[i] = at[i]
            got = np.zeros(p.shape) if p.grad is None else p.grad
            expect(got, rows, f"the gradient of (logits(x, {k}) * g).sum() with respect to {name}, by each of its entries,", rtol=1e-5, atol=1e-7)


def wiped_sum(get):
    """Sum of p is 1 for each component, one after the other"""
    model = two_masks(get)
    for k in (0, 1, 0):
        expect(model.logits(states(5).astype(float), k).data, by_numpy(model, states(5), k), f"logits(x, {k}) of all 32 states against plain NumPy: they")
        expect(total(model, component=k), 1.0, f"the sum of p over all 32 states, component {k},")


def probe_wiped(f, get):
    """Logits of both components, in turn, the gradient, and the weights after it."""
    model, x = two_masks(get), states(5)[8:13].astype(float)
    logits = [f(model, x, k) for k in (0, 1, 0)]
    sum(z.sum() for z in logits).backward()
    grads = [np.zeros(p.shape) if p.grad is None else p.grad for p in model.parameters()]
    return np.concatenate([np.ravel(a) for a in (*(z.data for z in logits), *grads, *(p.data for p in model.parameters()))])


def wiped_symptom(get):
    """A short training on digits, another mask for each batch."""
    data = get("minigrad.datasets:binarized_mnist")()
    model = get("models.made:MADE")(784, (200,), rng=np.random.default_rng(0), masks=8)
    model.start_from_means(data.train)
    valid, turn = data.valid[:500], []

    def loss(model, x, rng):
        turn.append(1)
        return model.nll(x, len(turn) % 8)

    curve = [model.evaluate(valid).nll, *trained(get, model, data.train[:5000], valid, 6, loss=loss)]
    needed = np.any([c.masks[0] > 0 for c in model.components], axis=0), np.any([c.masks[1] > 0 for c in model.components], axis=0)
    lost = [(p.data == 0)[n].mean() for p, n in zip((model.W[0], model.V), needed)]
    return {
        "figures": {"held-out NLL of the mixture after 6 epochs (nats per image)": curve[-1], "weights into the hidden layer that are exactly 0 (%)": 100 * lost[0],
                    "weights into the output that are exactly 0 (%)": 100 * lost[1]},
        "x": list(range(len(curve))), "y": curve, "xlabel": "epoch", "ylabel": "validation NLL (nats per image)", "log": "",
    }  # fmt: skip


HIDDEN = "h = self.activation(h @ (W * M) + c)  # (B, H)"
OUTPUT = "logits = h @ (self.V * M_output) + self.b  # (B, D)"
DIRECT = "return logits if self.A is None else logits + x @ (self.A * self.components[component].direct)"
IN_PLACE = ((HIDDEN, "W.data *= M\n            h = self.activation(h @ W + c)  # (B, H)"), (OUTPUT, "self.V.data *= M_output\n        logits = h @ self.V + self.b  # (B, D)"))
WIPED = Exercise(
    id="bug-masked-weights",
    title="one mask learns, eight forget",
    target="models.made:MADE.logits",
    kind="spot the bug",
    minutes=20,
    difficulty=2,
    read="the docstring of models/made.py; draw_components in it",
    task="A published MADE may hold several masks over the same weights, and gets worse with them, not better. With one mask "
         "nothing is wrong. Rebuilt here, 8 masks and 200 units, one mask for each batch: the held-out NLL of digits goes from "
         "200 to 197 nats in six epochs and stays there, where the right code has 164 and still falls. At the end 88 % of the "
         "weights into the hidden layer that some mask keeps, and 87 % of those into the output, are exactly 0.\nMend `logits`: "
         "bits (B, D) -> Tensor (B, D) with a graph, the log-odds under one component. Its masks (in, out) are in "
         "self.components[component].masks, the output's last; its `direct` (D, D) is the mask of self.A, which may be None. "
         "No parameter may change; where a mask is 0 the gradient is 0.",
    check=(wiped_by_hand, wiped_leaves, wiped_slope, wiped_sum),
    probe=probe_wiped,
    hints=(
        "Component 0 hides a connection and component 1 uses it. What is its weight after component 0 was asked?",
        "h = g(h (W o M) + c): the product W o M is a new array, part of the graph; W itself stays.",
        "for each hidden layer: h = activation(h @ (W * M) + c); logits = h @ (V * M_output) + b [+ x @ (A * direct)]",
    ),
    why="A mask belongs into the formula, not onto the parameters: W * M costs one product more, keeps W whole for the other "
        "masks, and sends exact zeros back to what is hidden. With a single mask both ways give the same numbers, which is why "
        "this was never noticed.",
    bug="masks_in_place",
    symptom=wiped_symptom,
    wrong={
        "masks_in_place": (IN_PLACE, "the weights themselves are multiplied by the masks: what one component hides is gone for "
                                     "all others."),
        "output_in_place": (IN_PLACE[1:], "the hidden layers are mended; the weights into the output are still wiped out."),
        "cuts_the_graph": (((HIDDEN, "h = self.activation(h @ (W.data * M) + c)  # (B, H)"), (OUTPUT, "logits = h @ (self.V.data * M_output) + self.b  # (B, D)")),
                           "W.data * M is a bare array, cut off from the graph: the logits are right, and W and V never learn."),
        "puts_them_back": (((HIDDEN, "kept = W.data.copy()\n            W.data *= M\n            h = self.activation(h @ W + c)  "
                                     "# (B, H)\n            W.data = kept"),
                            (OUTPUT, "kept = self.V.data.copy()\n        self.V.data *= M_output\n        logits = h @ self.V + "
                                     "self.b  # (B, D)\n        self.V.data = kept")),
                           "the weights are put back before the backward pass, which needs what they were: its gradients "
                           "ignore the masks."),
        "no_masks": (((HIDDEN, "h = self.activation(h @ W + c)  # (B, H)"), (OUTPUT, "logits = h @ self.V + self.b  # (B, D)")),
                     "the masks are gone altogether: each pixel sees all others, and itself."),
        "masks_of_the_first": ((("self.components[component].masks", "self.components[0].masks"),), "every component is given the masks of the first."),
        "direct_in_place": (((DIRECT, "if self.A is None:\n            return logits\n        self.A.data *= "
                                      "self.components[component].direct\n        return logits + x @ self.A"),),
                            "the direct connections A are wiped out by their mask."),
    },
    right={
        "inputs": """\
def logits(self, x, component=0):
    of = self.components[component]
    h = x
    for i in range(len(self.W)):
        h = self.activation(h @ np.where(of.masks[i] > 0, self.W[i], 0) + self.c[i])
    out = h @ np.where(of.masks[-1] > 0, self.V, 0) + self.b
    return out if self.A is None else out + x @ (of.direct * self.A)
""",
        "layers": """\
def layer(h, W, M, c):
    return h @ (M * W) + c


def logits(self, x, component=0):
    *masks, last = self.components[component].masks
    h = x
    for W, M, c in zip(self.W, masks, self.c):
        h = self.activation(layer(h, W, M, c))
    z = layer(h, self.V, last, self.b)
    if self.A is not None:
        z = z + x @ (self.A * self.components[component].direct)
    return z
""",
    },
)  # fmt: skip

EXERCISES = (SIGMOID, WIPED)
