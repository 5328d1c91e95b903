r"""The museum, density models: real defects of published code, each as a small edit of our library. Nothing raises, something is wrong."""

import numpy as np

from . import museum_training, museum_values
from .exercise import Exercise, Failed, expect
from .museum_tools import by_numpy, log_p, made, patches, sigmoid, states, total, trained

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
        "figures": {"validation NLL after 6 epochs (nats)": curve[-1],
                    "outputs that see their own pixel, of 784": float((np.diag(into @ out + model.components[0].direct) > 0).sum()),
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
         "MADE of 100 units with direct connections gets held-out digits down to 8.2 nats in six short epochs, where the right code has 104, and the best MADE "
         "ever published 86.6.\nOn 12 pixels, where one can add them up, the probabilities of all 4096 images sum to 1830.\n"
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
        "outer": """\
def masks(degrees):
    made = []
    for below, above in zip(degrees[:-1], degrees[1:]):
        made.append(np.less_equal.outer(below, above))
    made.append(np.less.outer(degrees[-1], degrees[0]))
    return made
""",
        "integers": """\
def masks(degrees):
    grow = lambda a, b, least: (np.asarray(b)[None, :] - np.asarray(a)[:, None] >= least).astype(int)
    n = len(degrees)
    return [grow(degrees[i], degrees[(i + 1) % n], int(i == n - 1)) for i in range(n)]
""",
    },
)  # fmt: skip

# ---- 2. the order and its inverse


def sample_by_hand(get):
    """By hand: three pixels, each sure of the one before it"""
    model = get("models.made:MADE")(3, (), rng=np.random.default_rng(0), order=[1, 2, 0], dtype=np.float64)
    V = np.zeros((3, 3))
    V[1, 2], V[2, 0] = 50, 50  # after a 1 in pixel 1 comes a 1 in pixel 2, after that a 1 in pixel 0
    model.V.data = V
    u = np.array([[0.9, 0.1, 0.9], [0.9, 0.7, 0.9], [0.1, 0.7, 0.1]])
    want = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 1]])
    expect(model.sample_component(u, 0), want, "sample_component, order 1, 2, 0, where x_1 = 1 makes x_2 = 1 sure and that x_0 = 1,\n"
           "u = [.9 .1 .9], [.9 .7 .9], [.1 .7 .1]: it")  # fmt: skip


def sample_each(get):
    """Each pixel is u_d < p(x_d = 1 | x_<d)"""
    cases = {
        "MADE(6, (5,))": dict(hidden=(5,)),
        "MADE(6, (9, 8), order='random', direct=True)": dict(hidden=(9, 8), order=[3, 0, 5, 1, 4, 2], direct=True),
        "MADE(6, (7,), masks=3, shuffle='both')": dict(hidden=(7,), order=[5, 3, 0, 4, 2, 1], masks=3, shuffle="both"),
    }
    for name, keywords in cases.items():
        model = made(get, 6, **keywords)
        u = np.random.default_rng(3).random((50, 6))
        for k in range(len(model.components)):
            x = np.asarray(model.sample_component(u.copy(), k))
            expect(x, u < sigmoid(by_numpy(model, x, k)), f"{name}: what sample_component(u, {k}) draws, against u_d < p(x_d = 1 | x_<d): it")


def sample_leaves(get):
    """The weights stay as they are"""
    model = made(get, 5, (6,), order="random", direct=True)
    before = {name: p.data.copy() for name, p in model.named_parameters()}
    model.sample_component(np.random.default_rng(0).random((4, 5)), 0)
    for name, p in model.named_parameters():
        expect(p.data, before[name], f"{name} after sample_component(u, 0): it must not change; it")


def probe_sample(f, get):
    """Bits of a model with a random order."""
    model = made(get, 6, (9, 8), order=[3, 0, 5, 1, 4, 2], direct=True)
    return f(model, np.random.default_rng(5).random((60, 6)), 0)


def sample_symptom(get):
    """The distance of samples from the exact p, for a model in a random order."""
    train, valid = patches(get, 10_000)
    found = {}
    for order in ("natural", "random"):
        model = get("models.made:MADE")(12, (60,), rng=np.random.default_rng(2), order=order, direct=True)
        curve = trained(get, model, train, valid, 4)
        p = np.exp(model.log_prob(states(12)).data.astype(np.float64))
        codes = model.sample_component(np.random.default_rng(0).random((100_000, 12)), 0) @ (1 << np.arange(12))
        sizes = [300, 1000, 3000, 10_000, 30_000, 100_000]
        found[order] = curve[-1], p.sum(), [np.abs(np.bincount(codes[:n], minlength=4096) / n - p).sum() / 2 for n in sizes]
    return {
        "figures": {"held-out NLL (nats)": found["random"][0], "sum of p over all 4096 states": found["random"][1],
                    "distance after 100,000 samples, random order": found["random"][2][-1],
                    "distance after 100,000 samples, natural order": found["natural"][2][-1]},
        "x": sizes, "y": found["random"][2], "xlabel": "number of samples", "ylabel": "total variation distance from p (of 1)", "log": "xy",
    }  # fmt: skip


VISIT = "enumerate(order, start=1)"
ORDER = Exercise(
    id="bug-order",
    title="right in every number, wrong in every sample",
    target="models.made:MADE.sample_component",
    kind="spot the bug",
    minutes=20,
    difficulty=2,
    read="the notation in models/autoregressive.py; draw_components in models/made.py",
    task="A course's published MADE trains well in any order of the pixels and its loss is right, and as long as the order is the natural one, so are its samples. In "
         "another order they are not, and nothing says so. Rebuilt here, on patches of 12 pixels in a random order: p sums to 1 and the held-out NLL is 5.11 nats, as "
         "it should be. Yet 100,000 samples have a total variation distance of 0.61 from the model's own p (the right code: 0.039, and falling). In the natural order "
         "the distance is 0.036.\n"
         "Mend `sample_component`: numbers u (n, D), uniform in 0 ... 1, and the number of a component -> bits (n, D): pixel d is on where "
         "u[:, d] < p(x_d = 1 | x_<d) under this component. Nothing of the model may change.",
    check=(sample_by_hand, sample_each, sample_leaves),
    probe=probe_sample,
    hints=(
        "order[k] is the pixel that comes k-th; ranks(order)[d] is the place of pixel d. For which orders are these two the same?",
        "degrees[0] = ranks(order) + 1. At place k, the pixel to draw is the one of degree k, order[k - 1].",
        "for place, d in enumerate(order, start=1): draw pixel d; pass on the hidden units of degree place",
    ),
    why="A permutation and its inverse are the same for the natural order and for the reversed one, which is what one tests with. So the tests here use orders with "
        "cycles of three and more, and compare each bit with its conditional probability.",
    bug="visits_ranks",
    symptom=sample_symptom,
    equivalent={
        "weight.data * mask -> weight.data / mask": "what is infinite there belongs to units and pixels that are final already",
        "self.A.data * direct -> self.A.data / direct": "what is infinite there belongs to pixels that are drawn already",
        "u[:, d] < sigmoid(a[-1][:, d]) -> u[:, d] <= sigmoid(a[-1][:, d])": "u is p exactly with probability 0",
        "x[:, d] = u[:, d] < sigmoid(a[-1][:, d]) -> x[:, d] = (u[:, d] < sigmoid(a[-1][:, d])) * 1.03": "1.03 is 1 as an integer",
    },
    wrong={
        "visits_ranks": (((VISIT, "enumerate(ranks(order), start=1)"),), "it visits ranks(order), the places of the pixels, where order, the pixels in their places, was meant."),
        "natural_order": (((VISIT, "enumerate(range(len(order)), start=1)"),), "it visits the pixels by their numbers, whatever the order of the component."),
        "backwards": (((VISIT, "enumerate(order[::-1], start=1)"),), "the pixels are drawn from the last to the first."),
        "one_place_late": (((VISIT, "enumerate(order)"),), "places count from 0 here, degrees from 1: each hidden unit is passed on one pixel too late."),
        "degree_of_the_pixel": ((("m == place", "m == d + 1"),), "a hidden unit is final after so many places, not after the pixel with that number."),
        "forgets_direct": ((("if A is not None", "if False"),), "the direct connections are left out."),
        "passed_on_again": ((("m == place", "m <= place"),), "units of lower degree are passed on again at each later place: once is enough."),
    },
    right={
        "passes": """\
def sample_component(self, u, component):
    x = np.zeros(u.shape, np.uint8)
    for d in self.components[component].order:
        x[:, d] = u[:, d] < sigmoid(self.logits(x.astype(self.dtype), component).data[:, d])
    return x
""",
        "by_degree": """\
def sample_component(self, u, component):
    x = np.zeros(u.shape, self.dtype)
    degrees = self.components[component].degrees[0]
    for place in range(1, self.dim + 1):
        now = degrees == place
        z = self.logits(x, component).data
        x[:, now] = np.log(u[:, now]) - np.log1p(-u[:, now]) < z[:, now]
    return x.astype(int)
""",
    },
)  # fmt: skip

# ---- 3. a mixture that is none


def mixture(get):
    """Three components over five pixels in three orders."""
    return made(get, 5, (6,), order=[2, 4, 0, 1, 3], masks=3, shuffle="both", direct=True)


def mixture_by_hand(get):
    """By hand: two pixels, one component for each order"""
    model, other = (get("models.made:MADE")(2, (), rng=np.random.default_rng(0), order=order, dtype=np.float64) for order in ([0, 1], [1, 0]))
    model.components = [model.components[0], other.components[0]]
    model.V.data = np.array([[0.0, np.log(3)], [-np.log(3), 0.0]])  # after a 1: p(x_1) = 3/4 in the first order, p(x_0) = 1/4 in the second
    x = np.array([[1, 1], [1, 0], [0, 0]])
    call = "of [1 1], [1 0], [0 0], where x_0 = 1 makes p(x_1 = 1) = 3/4 in the order 0, 1, and x_1 = 1 makes p(x_0 = 1) = 1/4 in the order 1, 0"
    for keywords, p, name in (({}, [1 / 4, 3 / 16, 1 / 4], "log_prob(x)"), ({"component": 0}, [3 / 8, 1 / 8, 1 / 4], "log_prob(x, 0)"),
                              ({"component": 1}, [1 / 8, 1 / 4, 1 / 4], "log_prob(x, 1)")):  # fmt: skip
        got = model.log_prob(x, **keywords)
        if not hasattr(got, "backward"):
            raise Failed(f"{name} returned a {type(got).__name__}: it must be a Tensor, or nothing can be trained")
        expect(got.data, np.log(p), f"{name} {call}: it")


def mixture_slope(get):
    """Central differences"""
    model, x, rng = mixture(get), states(5)[[3, 9, 22, 31]], np.random.default_rng(2)
    model.log_prob(x).sum().backward()
    for name, p in model.named_parameters():
        v, at = rng.standard_normal(p.shape), p.data.copy()
        values = []
        for eps in (1e-6, -1e-6):
            p.data = at + eps * v
            values.append(np.logaddexp.reduce([log_p(model, x, k) for k in range(3)]).sum())
        p.data = at
        expect((np.zeros(p.shape) if p.grad is None else p.grad * v).sum(), (values[0] - values[1]) / 2e-6,
               f"the slope of log_prob(x).sum() along a random direction of {name}, three components", rtol=1e-5, atol=1e-7)  # fmt: skip


def mixture_sum(get):
    """Sum of p is 1, and p is the mean of the components'"""
    model, x = mixture(get), states(5)
    expect(total(model), 1.0, "the sum of p over all 32 states of a mixture of three components, each with its own order,")
    for k in range(3):
        expect(model.log_prob(x, k).data, log_p(model, x, k), f"log_prob(x, {k}), one component of three,")
    expect(np.exp(model.log_prob(x).data), np.mean([np.exp(log_p(model, x, k)) for k in range(3)], axis=0), "exp(log_prob(x)), p of the mixture,")
    one = made(get, 4, (6,), order="random")
    expect(one.log_prob(states(4)).data, log_p(one, states(4), 0), "log_prob(x) of a model with one component")


def mixture_symptom(get):
    """Models with more and more masks, each trained one mask at a time."""
    train, valid = patches(get, 5000)
    sums, nll, sizes = [], [], [1, 2, 4, 6, 8, 10]
    for K in sizes:
        model = get("models.made:MADE")(12, (60,), rng=np.random.default_rng(0), order="random", masks=K, shuffle="both")
        trained(get, model, train, valid[:100], 8, loss=lambda model, x, rng, K=K: model.nll(x, int(rng.integers(K))))
        sums.append(total(model))
        nll.append(model.evaluate(valid[:5000]).nll)
    return {
        "figures": {"sum of p, 10 masks": sums[-1], "held-out NLL of the mixture, 1 mask (nats)": nll[0], "held-out NLL of the mixture, 10 masks (nats)": nll[-1]},
        "x": sizes, "y": sums, "xlabel": "number of masks, each with its own order", "ylabel": "sum of p over all 4096 states", "log": "",
    }  # fmt: skip


MEAN = "logsumexp(np.stack([self.log_prob(x, k) for k in range(K)]), axis=0) - np.log(K)"
ALL = "np.stack([self.log_prob(x, k) for k in range(K)])"
LOGITS = "np.stack([self.logits(x, k) for k in range(K)])"
MIXTURE = Exercise(
    id="bug-mixture",
    title="more masks, better figures, no likelihood",
    target="models.made:MADE.log_prob",
    kind="spot the bug",
    minutes=20,
    difficulty=2,
    read="the docstring of models/made.py; draw_components in it",
    task="A widely read MADE holds several masks over the same weights, and its test NLL falls with each mask more, below that of all papers; its readers wonder why. "
         "Rebuilt here on patches of 12 pixels: the held-out NLL of the right mixture is 5.16 nats with 1 mask and 5.26 with 10, each with its own order (they share "
         "60 hidden units); with the bug 10 masks reach 4.48. But with it the probabilities of all 4096 patches sum to 1.70 with 2 masks and to 2.15 with 10.\n"
         "Mend `log_prob`: bits (B, D) -> log p, a Tensor (B,) with a graph. With a number in `component` it is that component's, and with none that of the "
         "mixture, p(x) = 1/K sum over k of p_k(x).",
    check=(mixture_by_hand, mixture_slope, mixture_sum),
    probe=lambda f, get: np.concatenate([f(mixture(get), states(5)[4:9], *k).data for k in ((), (0,), (1,), (2,))]),
    hints=(
        "Component 1 says p(x_0 | x_1), component 2 says p(x_1 | x_0). Of what is the mean of their logits a logit?",
        "A mixture draws a component, then x from it: p(x) = 1/K sum_k p_k(x). log p = logsumexp_k log p_k - log K.",
        "one component: bernoulli_log_prob of its logits; else logsumexp over k of self.log_prob(x, k), minus log K",
    ),
    why="Whoever averages numbers before the loss must ask what they are numbers of. Whole-image probabilities can be averaged over orders; conditionals and logits cannot. "
        "The tests sum p over all states, which no wrong average survives.",
    bug="averages_logits",
    equivalent={"K > 1 -> K >= 1": "the mean over one component is that component"},
    symptom=mixture_symptom,
    wrong={
        "averages_logits": ((("return " + MEAN, "return bernoulli_log_prob(" + LOGITS + ".mean(axis=0), x=x)"),),
                            "the logits are averaged: over several orders no distribution has such conditionals, and the sum of p is not 1."),
        "averages_log_p": ((("return " + MEAN, "return " + ALL + ".mean(axis=0)"),), "the mean of log p is the log of the geometric mean, whose sum is below 1."),
        "averages_conditionals": ((("return " + MEAN, "p = sigmoid(" + LOGITS + ").mean(axis=0)\n            return (np.log(p) * x + np.log(1 - p) * (1 - x)).sum(axis=1)"),),
                                  "each pixel's probabilities are averaged: the masks then change from pixel to pixel, and the sum of p is not 1."),
        "forgets_log_K": ((("axis=0) - np.log(K)", "axis=0)"),), "the components' p are summed, not averaged: the sum of p is K."),
        "best_component": ((("return " + MEAN, "each = " + ALL + "\n            return each[each.data.argmax(axis=0), np.arange(len(x))]"),),
                           "it takes the best component for each image, after having seen it: the sum of p exceeds 1."),
        "first_component": ((("return " + MEAN, "return self.log_prob(x, 0)"),), "it asks one component only: a mixture hears all."),
    },
    right={
        "by_hand": """\
def log_prob(self, x, component=None):
    x = self.bits(x)
    chosen = range(len(self.components)) if component is None else [component]
    each = np.stack([bernoulli_log_prob(self.logits(x, k), x=x) for k in chosen])
    top = each.data.max(axis=0)
    return np.log(np.exp(each - top).mean(axis=0)) + top
""",
        "recursion": """\
def log_prob(self, x, component=None):
    x = self.bits(x)
    if component is not None:
        return bernoulli_log_prob(self.logits(x, component), x=x)
    K = len(self.components)
    return logsumexp(np.stack([self.log_prob(x, k) for k in range(K)]), axis=0) - np.log(K)
""",
    },
)  # fmt: skip

EXERCISES = (LEAK, ORDER, MIXTURE, *museum_training.EXERCISES, *museum_values.EXERCISES)
