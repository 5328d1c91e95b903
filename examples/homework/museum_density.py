r"""The museum, density models to the end: masks from degenerate degrees, a density with a floor, a network that is not told what it knows."""

import numpy as np

from .exercise import Exercise, Failed, expect
from .museum_tools import patches, sigmoid, states, total, trained, wild

# ---- 10. all hidden units have the same degree


def degrees_few(get):
    """By hand: two and three pixels"""
    draw = get("models.made:draw_degrees")
    for D, m in ((2, [2, 1]), (1, [1])):
        found = draw(np.array(m), (5, 4), np.random.default_rng(0))
        expect(len(found), 3, f"the length of the list that draw_degrees({m}, (5, 4), rng) returns: it")
        for degrees, want, name in zip(found, (np.array(m), np.ones(5), np.ones(4)), ("the input", "the first hidden layer", "the second hidden layer")):
            expect(np.asarray(degrees, float), want.astype(float), f"draw_degrees({m}, (5, 4), rng), degrees of {name}: with so few pixels only 1 is possible; they")
    m = np.array([2, 3, 1])
    found = draw(m, (200,), np.random.default_rng(1))[1]
    expect(sorted({int(k) for k in found}), [1, 2], "the different degrees of 200 hidden units of a MADE over 3 pixels: they")
    expect(m, np.array([2, 3, 1]), "input_degrees after draw_degrees: it must stay as it is")


def degrees_uniform(get):
    """All degrees that keep a unit connected, equally often"""
    draw, m = get("models.made:draw_degrees"), np.arange(12, 0, -1)
    for seed in range(6):
        _, first, second, third = (np.asarray(part) for part in draw(m, (3, 4000, 4000), np.random.default_rng(seed)))
        for degrees, below, name in ((second, first, "second"), (third, second, "third")):
            call = f"draw_degrees([12, 11 ... 1], (3, 4000, 4000), default_rng({seed})), {name} hidden layer"
            want = np.arange(below.min(), 12)
            expect(np.shape(degrees), (4000,), f"{call}: its shape")
            expect([float(degrees.min()), float(degrees.max())], [float(want[0]), 11.0], f"{call}: least and largest degree, with {want[0]} the least in the layer below it; they")
            count, fair = np.array([(degrees == k).sum() for k in want]), 4000 / len(want)
            if (abs(count - fair) > 6 * np.sqrt(fair)).any():
                k = int(abs(count - fair).argmax())
                raise Failed(f"{call}:\ndegree {want[k]} comes {count[k]} times of 4000, where each of {len(want)} should come {fair:.0f} times")


def degrees_fresh(get):
    """Drawn from rng: anew each time, the same for the same seed"""
    draw, m = get("models.made:draw_degrees"), np.arange(1, 21)
    rng = np.random.default_rng(3)
    one, two, again = draw(m, (50, 50), rng), draw(m, (50, 50), rng), draw(m, (50, 50), np.random.default_rng(3))
    for layer in (1, 2):
        if np.array_equal(one[layer], two[layer]):
            raise Failed(f"draw_degrees(m, (50, 50), rng) called twice with one rng gives the same degrees in hidden layer {layer}: every component would have the same masks")
        expect(np.asarray(again[layer], float), np.asarray(one[layer], float), f"draw_degrees(m, (50, 50), rng), hidden layer {layer}, with the same seed a second time: it")


def probe_degrees(f, get):
    """Least, largest and number of degrees in each layer, and whether rng counts."""
    told = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        a, b = f(np.arange(9, 0, -1), (2, 3000, 3000), rng), f(np.arange(9, 0, -1), (2, 3000, 3000), rng)
        for degrees, below in zip(a[2:], a[1:]):
            counts = np.bincount(np.asarray(degrees, int), minlength=11)
            least = np.min(degrees) - np.min(below)
            told += [least if seed else np.sign(least), np.max(degrees) == np.max(below), np.max(degrees), np.sum(counts > 0), np.ptp(counts[counts > 0]) <= 1]
        told += [np.array_equal(x, y) for x, y in zip(a, b)]
    return np.array(told, float)


def degrees_symptom(get):
    """A short training on digits."""
    data = get("minigrad.datasets:binarized_mnist")()
    model = get("models.made:MADE")(784, (100,), rng=np.random.default_rng(0))
    model.start_from_means(data.train)
    curve = [model.evaluate(data.valid[:1000]).nll, *trained(get, model, data.train[:5000], data.valid[:1000], 5)]
    into, out = model.components[0].masks
    paths, (train, valid) = into @ out > 0, patches(get, 2000)
    small = get("models.made:MADE")(12, (60,), rng=np.random.default_rng(0))
    trained(get, small, train, valid, 2)
    return {
        "figures": {"held-out NLL after 5 epochs (nats per image)": curve[-1], "pixels that any later pixel's logit depends on, of 784": float(paths.any(axis=1).sum()),
                    "of all pairs j before d, those with a path from j to d (%)": 100 * paths.sum() / (784 * 783 / 2), "sum of p over all 4096 states of a model of 12 pixels": total(small)},
        "x": list(range(len(curve))), "y": curve, "xlabel": "epoch", "ylabel": "validation NLL (nats per image)", "log": "",
    }  # fmt: skip


DRAWN = "rng.integers(degrees[-1].min(), max(2, len(input_degrees)), size)"
DEGREES = Exercise(
    id="bug-degrees",
    title="a hundred units, one opinion",
    target="models.made:draw_degrees",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="the docstring of models/made.py, and masks in it",
    task="In a published MADE (and, in other ways, in three more) the random degrees of the hidden units came out wrong, and nobody saw it for months: nothing is raised, the masks "
         "are masks, p sums to 1. Only the model is poor. Rebuilt here: the held-out NLL of digits stays at 202 nats for five epochs, that of independent pixels, where the "
         "right code has 157. Of 784 pixels a single one has any influence on others.\n"
         "Mend `draw_degrees`: input_degrees (D,), a permutation of 1 ... D, the number of units of each hidden layer, a Generator rng -> a list: input_degrees, then for each "
         "hidden layer an array (size,) of integers. Each degree is drawn from rng, independently and uniformly from all those that keep the unit connected: with at least one unit "
         "(or pixel) of the layer below, and with at least one output. (With a single pixel nothing can be connected: then all are 1.)",
    check=(degrees_few, degrees_uniform, degrees_fresh),
    probe=probe_degrees,
    hints=(
        "Print the degrees of ten hidden units of a MADE over 20 pixels. Then one factor after the other: what is it before, and what is it after it was made whole?",
        "A unit of degree m sees units below of degree <= m, so m >= their least; an output of degree D needs D > m. So m is uniform on least ... D - 1.",
        "for size in hidden: degrees.append(rng.integers(degrees[-1].min(), len(input_degrees), size)), whose upper end does not belong to it",
    ),
    why="rng.integers does it in one step, with both ends in view. A degenerate mask is a valid mask: no test of the masks or of the sum of p can see it. The tests here look at "
        "the degrees themselves, and at which pixel can reach which.",
    bug="whole_too_early",
    symptom=degrees_symptom,
    wrong={
        "whole_too_early": (((DRAWN, "degrees[-1].min() + rng.random(size).astype(int) * (max(2, len(input_degrees)) - degrees[-1].min())"),),
                            "a number in [0, 1) made whole is 0: stretch it first, then cut. All degrees are the least one."),
        "all_the_largest": (((DRAWN, "rng.integers(max(1, len(input_degrees) - 1), max(2, len(input_degrees)), size)"),),
                            "all units have the largest degree, D - 1: only the last pixel of the order hears of them."),
        "one_for_the_layer": (((DRAWN, "np.full(size, rng.integers(degrees[-1].min(), max(2, len(input_degrees))))"),),
                              "one degree is drawn for the whole layer: each unit needs its own."),
        "from_one": (((DRAWN, "rng.integers(1, max(2, len(input_degrees)), size)"),),
                     "the least degree is 1 in every layer: a unit whose degree is below all of the layer before it has no input at all."),
        "up_to_D": (((DRAWN, "rng.integers(degrees[-1].min(), max(2, len(input_degrees) + 1), size)"),),
                    "a unit of degree D has seen all pixels: no output may hear it, so it is wasted. (The upper end of rng.integers does not belong to it.)"),
        "stops_early": (((DRAWN, "rng.integers(degrees[-1].min(), max(degrees[-1].min() + 1, len(input_degrees) - 1), size)"),),
                        "the largest degree is never drawn: the upper end does not belong to the range already, and here 1 is taken off again."),
        "dealt_out": (((DRAWN, "degrees[-1].min() + np.arange(size) % (max(2, len(input_degrees)) - degrees[-1].min())"),),
                      "the degrees are dealt out in turn, not drawn: every component of a mixture gets the same masks."),
        "a_seed_of_its_own": (((DRAWN, "np.random.default_rng(0).integers(degrees[-1].min(), max(2, len(input_degrees)), size)"),),
                              "the generator is made anew at each call: every component gets the same degrees, and the caller's rng counts for nothing."),
    },
    right={
        "stretched": """\
def draw_degrees(input_degrees, hidden, rng):
    layers = [input_degrees]
    for size in hidden:
        least = min(layers[-1])
        most = max(len(input_degrees) - 1, 1)
        layers.append(np.floor(least + rng.random(size) * (most - least + 1)).astype(int))
    return layers
""",
        "choice": """\
def draw_degrees(input_degrees, hidden, rng):
    D, least, layers = len(input_degrees), 1, []
    for size in hidden:
        possible = np.arange(least, D) if D > 1 else np.array([1])
        layers.append(rng.choice(possible, size=size))
        least = layers[-1].min()
    return [input_degrees, *layers]
""",
    },
)  # fmt: skip

# ---- 11. a floor under the density


BELL = {"gaussian": lambda z: -z * z / 2 - np.log(2 * np.pi) / 2, "laplace": lambda z: -abs(z) - np.log(2)}


def density(x, log_alpha, mu, log_sigma, bell):
    """log p of a mixture of bells, in plain NumPy."""
    return np.logaddexp.reduce(log_alpha - log_sigma + BELL[bell]((x[..., None] - mu) / np.exp(log_sigma)), axis=-1)


def three_bells(seed=0, shape=()):
    """log alpha, mu, log sigma of three bells, (*shape, 3)."""
    rng = np.random.default_rng(seed)
    a, mu, s = rng.standard_normal((3, *shape, 3))
    return a - np.logaddexp.reduce(a, axis=-1)[..., None], 2 * mu, 0.5 * s


def floor_by_hand(get):
    """By hand: one bell, two bells, a dead one, and 1000 sigma away"""
    Mixture, log = get("models.rnade:Mixture"), np.log
    one = Mixture(np.zeros(1), np.array([1.0]), np.array([log(2.0)]))
    call = "one bell, mu = 1, sigma = 2: log_density"
    expect(one.log_density(np.array([1.0, 5.0]), "gaussian"), -log(2 * np.sqrt(2 * np.pi)) - np.array([0, 2.0]), f"{call}([1, 5], 'gaussian')")
    expect(one.log_density(np.array([1.0, 5.0]), "laplace"), -log(4.0) - np.array([0, 2.0]), f"{call}([1, 5], 'laplace')")
    two = Mixture(log([0.25, 0.75]), np.array([0.0, 3.0]), log([0.5, 1.5]))
    want = log(0.25 * np.exp(-2) + 0.25 * np.exp(-4 / 3))  # a_k / (2 sigma_k) e^-|x - mu_k| / sigma_k
    expect(two.log_density(np.array([1.0]), "laplace"), np.array([want]), "two bells, alpha = [1/4, 3/4], mu = [0, 3], sigma = [1/2, 3/2]: log_density([1], 'laplace')")
    far = -log(2 * np.sqrt(2 * np.pi)) - 500_000
    expect(one.log_density(np.array([2001.0, -1999.0]), "gaussian"), np.array([far, far]), "one bell, mu = 1, sigma = 2: log_density([2001, -1999], 'gaussian'), 1000 sigma away,")
    dead = Mixture(np.array([0.0, -1000.0]), np.array([0.0, 50.0]), np.zeros(2))
    expect(dead.log_density(np.array([50.0]), "gaussian"), np.array([-1000 - log(2 * np.pi) / 2]),
           "two bells, log alpha = [0, -1000], mu = [0, 50], sigma = 1: log_density([50], 'gaussian')")  # fmt: skip
    narrow = Mixture(np.zeros(1), np.zeros(1), np.array([log(0.001)]))
    expect(narrow.log_density(np.zeros(1), "laplace"), np.array([log(500.0)]), "one bell, mu = 0, sigma = .001: log_density([0], 'laplace'), a density of 500,")


def floor_slope(get):
    """Central differences, also where x is far from every bell"""
    Mixture, Parameter = get("models.rnade:Mixture"), get("minigrad.nn:Parameter")
    x = np.array([[0.3, -1.0], [40.0, 2.0], [-25.0, 0.1]])  # (B, D)
    for bell in BELL:
        parts = three_bells(4, (2,))
        numbers = [Parameter(part, np.float64) for part in parts]
        Mixture(*numbers).log_density(x, bell).sum().backward()
        for i, (p, name) in enumerate(zip(numbers, ("log_alpha", "mu", "log_sigma"))):
            rows = np.zeros(p.shape)
            for j in np.ndindex(p.shape):
                for eps in (1e-6, -1e-6):
                    moved = [part.copy() for part in parts]
                    moved[i][j] += eps
                    rows[j] += density(x, *moved, bell).sum() / (2 * eps)
            got = np.zeros(p.shape) if p.grad is None else p.grad
            expect(got, rows, f"the gradient of log_density(x, '{bell}').sum(), x = [.3 -1], [40 2], [-25 .1], by each entry of {name} (2, 3),", rtol=1e-5, atol=1e-6)


def floor_area(get):
    """The area under p is 1"""
    grid = np.linspace(-3000, 3000, 1_200_001)
    for bell in BELL:
        for seed in range(2):
            p = np.exp(get("models.rnade:Mixture")(*three_bells(seed)).log_density(grid, bell))
            expect(p.sum() * 0.005, 1.0, f"the area under p of three bells ('{bell}') from -3000 to 3000, where all of them lie within -50 ... 50,", rtol=1e-4)


def probe_floor(f, get):
    """log p near, far, and very far."""
    Mixture = get("models.rnade:Mixture")
    x = np.array([0.3, 4.0, -12.0, 60.0, 2000.0, 2.74])
    near = np.concatenate([f(Mixture(*three_bells(seed)), x, bell) for seed in range(2) for bell in BELL])
    narrow = f(Mixture(np.zeros(1), np.zeros(1), np.array([np.log(0.001)])), np.array([0.0, 0.001]), "laplace")
    return np.nan_to_num(np.concatenate([near, narrow]), nan=-7e9, neginf=-8e9)


def floor_symptom(get):
    """RNADE on two numbers whose means are 40 and -25; the area under its p(x_1); ten rows from a broken sensor."""
    rng, RNADE = np.random.default_rng(0), get("models.rnade:RNADE")
    x = rng.standard_normal((2000, 2)) @ np.array([[3.0, 1.0], [0.0, 2.0]]) + np.array([40.0, -25.0])
    train, valid = x[:1000], x[1000:]
    model = RNADE(2, 20, 5, rng=np.random.default_rng(1))
    history = get("minigrad.training").fit(model, train, valid, optimizer=get("minigrad.optim:Adam")(model, lr=0.1), epochs=25, batch_size=100,
                                           rng=np.random.default_rng(2), verbose=False)  # fmt: skip
    curve, grid, broken = [h["valid"] for h in history], np.linspace(-1000, 1000, 200_001), valid.copy()
    broken[:10] = 1e6
    area = np.exp(model.log_conditionals(np.stack([grid, 0 * grid], axis=1))[:, 0].astype(float)).sum() * 0.01
    return {
        "figures": {"held-out NLL after 25 epochs (nats)": curve[-1], "the same, 10 of 1000 rows by a broken sensor that says 1,000,000": model.evaluate(broken).nll,
                    "area under p(x_1) from -1000 to 1000": area},
        "x": list(range(1, len(curve) + 1)), "y": curve, "xlabel": "epoch", "ylabel": "held-out NLL (nats)", "log": "",
    }  # fmt: skip


SUM = "logsumexp(self.log_alpha - self.log_sigma + BELLS[bell][0](z))"
Z = "(x[..., None] - self.mu) * np.exp(-self.log_sigma)"
FLOOR = Exercise(
    id="bug-density-floor",
    title="no example may cost more than that",
    target="models.rnade:Mixture.log_density",
    kind="spot the bug",
    minutes=20,
    difficulty=2,
    read="the docstring of models/rnade.py, its end above all; BELLS and the class Mixture",
    task="A published NADE squeezes each probability into .00005 ... .99995 before it takes the logarithm, so that its loss can never be infinite; in code for mixtures of "
         "Gaussians a floor under the density is as common. Rebuilt here: two numbers with means 40 and -25 and deviations 3 and 2.2, not standardised, for an RNADE that "
         "starts around 0. The right code begins with 49 nats and learns its way to about 7.6. With the bug the held-out NLL is 18.42 from the first epoch to the last, and still 18.42 with a "
         "broken sensor among the data, where the right code is beyond 100,000. And the area under p(x_1), which should be 1, is 1.2 from -1000 to 1000, and grows with the range.\n"
         "Mend `log_density`: numbers x of any shape and the name of a bell, a key of BELLS -> log p of the mixture, of the shape of x. The parameters self.log_alpha, self.mu and "
         "self.log_sigma have one axis more at the end, over the components, and broadcast against x[..., None]; they are arrays, or Tensors while training, so that the result "
         "must keep its graph. It must be right 1000 sigma away, and for a component with log alpha = -1000.",
    check=(floor_by_hand, floor_slope, floor_area),
    probe=probe_floor,
    hints=(
        "What is 18.42, for two variables? What is the derivative of max(a, b) with respect to a, where a is the smaller one?",
        "log p = logsumexp_k (log alpha_k - log sigma_k + log bell((x - mu_k) / sigma_k)), and nothing around it.",
        "z = (x[..., None] - mu) * exp(-log_sigma); return logsumexp(log_alpha - log_sigma + BELLS[bell][0](z)), over the last axis",
    ),
    why="logsumexp takes out its largest term first: what it gives is finite wherever the bells' logarithms are, so there is nothing to protect against. A floor in log p is "
        "an improper model: its area has no end, its loss has no slope just where it is most wrong. What may have a floor is sigma, as a part of the model.",
    bug="clipped",
    symptom=floor_symptom,
    wrong={
        "clipped": (((f"return {SUM}", f"return np.maximum({SUM}, math.log(1e-4))"),),
                    "log p is clipped from below: the area under p is infinite, and where the model is most wrong the gradient is 0."),
        "adds_a_bit": (((f"return {SUM}", f"return np.log(np.exp({SUM[10:-1]}).sum(axis=-1) + 1e-8)"),),
                       "1e-8 is added to the density everywhere: the area under p is infinite, and far away the gradient dies."),
        "each_bell_clipped": (((f"return {SUM}", "return logsumexp(self.log_alpha - self.log_sigma + np.maximum(BELLS[bell][0](z), -50))"),),
                              "each bell is clipped from below: far away all bells are flat, and say nothing about where x is."),
        "distance_clipped": (((f"z = {Z}", f"z = np.minimum(np.maximum({Z}, -10), 10)"),), "the distance z is clipped: beyond 10 sigma a bell falls no further, and the area is infinite."),
        "textbook": (((f"return {SUM}", f"return np.log(np.exp({SUM[10:-1]}).sum(axis=-1))"),), "far away every bell rounds to 0, and the logarithm of 0 is -inf: logsumexp."),
        "at_most_one": (((f"return {SUM}", f"return np.minimum({SUM}, 0)"),), "log p is clipped from above at 0: that is right for a probability; a density may be above 1."),
        "forgets_sigma": ((("self.log_alpha - self.log_sigma + ", "self.log_alpha + "),), "the factor 1 / sigma is missing: the area of a bell is then sigma, not 1."),
        "mean_of_logarithms": (((f"return {SUM}", "return (np.exp(self.log_alpha) * (BELLS[bell][0](z) - self.log_sigma)).sum(axis=-1)"),),
                               "the mean of the logarithms is taken: the densities are what is mixed, and the area is below 1."),
        "nearest_bell": (((f"return {SUM}", f"return ({SUM[10:-1]}).max(axis=-1)"),), "only the best component counts: all of them add up."),
    },
    right={
        "largest_first": """\
def log_density(self, x, bell):
    log_bell = BELLS[bell][0]
    each = self.log_alpha - self.log_sigma + log_bell((x[..., None] - self.mu) / np.exp(self.log_sigma))
    top = np.max(to_array(each), axis=-1)
    return np.log(np.exp(each - top[..., None]).sum(axis=-1)) + top
""",
        "spelled_out": """\
def log_density(self, x, bell):
    distance = (x[..., None] - self.mu) / np.exp(self.log_sigma)
    if bell == "gaussian":
        log_bell = -0.5 * distance * distance - 0.5 * np.log(2 * np.pi)
    else:
        log_bell = -np.maximum(distance, -distance) - np.log(2)
    return logsumexp(self.log_alpha + log_bell - self.log_sigma, axis=-1)
""",
    },
)  # fmt: skip

# ---- 12. what is known is not told


def orderless(get, dim=4, hidden=(5, 3), seed=0, **keywords):
    """A small order-agnostic NADE in float64 with random weights."""
    return wild(get("models.orderless:OrderlessNADE")(dim, hidden, rng=np.random.default_rng(seed), dtype=np.float64, **keywords), seed)


def orderless_numpy(model, x, known, squash):
    """Its logits (B, D), in plain NumPy."""
    h = squash((x * known) @ model.W.data + known @ model.U.data + model.c[0].data)
    for W, c in zip(model.hidden, model.c[1:]):
        h = squash(h @ W.data + c.data)
    return h @ model.V.data + model.b.data


def told_by_hand(get):
    """By hand: two pixels, one hidden unit"""
    model = orderless(get, 2, (1,))
    for p, values in ((model.W, [[2.0], [3.0]]), (model.U, [[0.5], [-1.0]]), (model.c[0], [0.25]), (model.V, [[1.0, -2.0]]), (model.b, [0.1, 0.2])):
        p.data = np.array(values)
    call = "two pixels, one relu unit, W = [2, 3], U = [.5, -1], c = .25, V = [1, -2], b = [.1, .2]:\npredict"
    for x, known, h in (([1, 1], [0, 0], 0.25), ([0, 1], [1, 0], 0.75), ([1, 1], [1, 0], 2.75), ([1, 1], [0, 1], 2.25), ([1, 1], [1, 1], 4.75), ([0, 0], [0, 1], 0.0)):
        expect(model.predict(np.array([x], float), np.array([known], bool)).data, np.array([[h + 0.1, -2 * h + 0.2]]), f"{call}(x = {x}, known = {known})")


def told_slope(get):
    """Central differences"""
    model, rng = orderless(get, activation="tanh"), np.random.default_rng(1)
    x, known = states(4)[[3, 9, 14]].astype(float), np.array([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 0, 0]], bool)
    g = rng.standard_normal((3, 4))
    (model.predict(x, known) * g).sum().backward()
    for name, p in model.named_parameters():
        at, rows = p.data.copy(), np.zeros(p.shape)
        for i in np.ndindex(p.shape):
            for eps in (1e-6, -1e-6):
                p.data[i] = at[i] + eps
                rows[i] += (orderless_numpy(model, x, known, np.tanh) * g).sum() / (2 * eps)
                p.data[i] = at[i]
        got = np.zeros(p.shape) if p.grad is None else p.grad
        expect(got, rows, f"the gradient of (predict(x, known) * g).sum(), hidden=(5, 3), tanh, with respect to {name}, by each of its entries,", rtol=1e-5, atol=1e-7)


def told_sum(get):
    """Sum of p is 1 in every order, and the walk through the order agrees"""
    x = states(4).astype(float)
    for seed in range(3):
        model = orderless(get, seed=seed)
        order, total, known = np.random.default_rng(seed).permutation(4), np.zeros(16), np.zeros((16, 4), bool)
        for d in order:
            z = model.predict(x, known).data
            expect(z, orderless_numpy(model, x, known, lambda a: np.maximum(a, 0)), f"predict of all 16 states of 4 bits, known = {known[0].astype(int)}, random weights, hidden=(5, 3): it")
            expect(z[:, d], model.in_order(order).logits(x).data[:, d], f"predict(x, known)[:, {d}], with known what comes before it in the order {order}, against logits(x): it")
            total += x[:, d] * z[:, d] - np.logaddexp(0, z[:, d])
            known[:, d] = True
        expect(np.exp(total).sum(), 1.0, f"the sum over all 16 states of p(x) by the chain rule with predict, order {order}: it")


def probe_told(f, get):
    """Logits for several masks, and the gradients of W and U."""
    model, x = orderless(get), states(4)[[3, 9, 14, 6]].astype(float)
    masks = np.array([[[1, 0, 1, 1]] * 4, [[0, 1, 0, 0]] * 4, [[0, 0, 0, 0]] * 4], bool)
    logits = [f(model, x, known) for known in masks]
    sum(z.sum() for z in logits).backward()
    return np.concatenate([np.ravel(a) for a in (*(z.data for z in logits), *(np.zeros(p.shape) if p.grad is None else p.grad for p in (model.W, model.U)))])


def told_symptom(get):
    """A short training on patches of 12 pixels, where p can be summed in any order."""
    OrderlessNADE, training = get("models.orderless:OrderlessNADE"), get("minigrad.training")
    train, valid = patches(get, 6000)
    model, loss = OrderlessNADE(12, (60,), rng=np.random.default_rng(0)), lambda model, x, rng: model.order_agnostic_nll(x, rng)
    model.start_from_means(train)
    history = training.fit(model, train, valid, optimizer=get("minigrad.optim:SGD")(model, lr=0.05, momentum=0.9, nesterov=True), epochs=10, batch_size=100,
                           rng=np.random.default_rng(1), loss=loss, verbose=False)  # fmt: skip
    x, count, nll, sums = states(12), np.bincount(valid @ (1 << np.arange(12)), minlength=4096) / len(valid), [], []
    for seed in range(4):
        log_p, known = np.zeros(4096), np.zeros((4096, 12), bool)
        for d in np.random.default_rng(seed).permutation(12):
            z = model.predict(model.bits(x), known).data[:, d].astype(float)
            log_p += x[:, d] * z - np.logaddexp(0, z)
            known[:, d] = True
        nll.append(-(count * log_p).sum())
        sums.append(np.exp(log_p).sum())
    nothing = np.zeros((1, 12), np.float32)
    zero, unknown = (sigmoid(model.predict(nothing, np.arange(12)[None] == where).data[0]) for where in (5, -1))
    curve = [h["valid"] for h in history]
    return {
        "figures": {"held-out NLL, mean of 4 random orders (nats)": np.mean(nll), "sum of p over all 4096 states, mean of the 4 orders": np.mean(sums),
                    "p(x_6 = 1) with nothing known": unknown[6], "p(x_6 = 1 | its left neighbour x_5 = 0)": zero[6]},
        "x": list(range(1, len(curve) + 1)), "y": curve, "xlabel": "epoch", "ylabel": "held-out NLL, any order (nats)", "log": "",
    }  # fmt: skip


FIRST = "bits_matmul(self.W, x=x * known) + known @ self.U + self.c[0]"
TOLD = Exercise(
    id="bug-mask-input",
    title="a zero, or nothing known?",
    target="models.orderless:OrderlessNADE.predict",
    kind="spot the bug",
    minutes=15,
    difficulty=2,
    read="the docstring of models/orderless.py; walk and __init__ in it",
    task="One network for every order of the pixels: it is trained to predict all the pixels that it is not shown. In the paper that proposed it, a network that lacks one thing gets 99.37 nats on "
         "digits, where the whole recipe gets 92.17. Nothing else shows: in every order p sums to 1. Rebuilt here on patches of 12 pixels: the held-out NLL, mean of four orders, is 6.22 nats; "
         "the right code has 5.45. And p(x_6 = 1) does not change when the pixel on its left is found to be 0.\n"
         "Mend `predict`: bits x (B, D) as numbers, and known (B, D), true or 1 where x is known -> Tensor (B, D) with a graph: the log-odds of x_d = 1 given what is known, for every d. What is "
         "not known must have no influence. self.W, self.U are (D, H), self.c a list of the hidden biases, self.hidden one of the weights between hidden layers, self.V (H, D), self.b (D,).",
    check=(told_by_hand, told_slope, told_sum),
    probe=probe_told,
    hints=(
        "Once x_5 = 0 is known, and once x_5 is not known. What does the first hidden layer receive in either case?",
        "h = g((x o m) W + m U + c), m being the mask: U learns what it means that a variable is known at all.",
        "h = activation(bits_matmul(W, x=x * known) + known @ U + c[0]); then the hidden layers; return h @ V + b",
    ),
    why="To hide a value by a 0 is to say that it is 0. With the mask as a second input there are three cases for each variable, and the network learns what each one means; "
        "in the same way missing data are given to any network.",
    bug="mask_not_told",
    symptom=told_symptom,
    wrong={
        "mask_not_told": (((FIRST, "bits_matmul(self.W, x=x * known) + self.c[0]"),),
                          "the mask only hides: a known 0 and an unknown bit look alike. The mask must be an input as well, through U."),
        "nothing_hidden": (((FIRST, "bits_matmul(self.W, x=x) + known @ self.U + self.c[0]"),),
                           "the values are not hidden: the network sees what it is to predict."),
        "mask_inverted": (((FIRST, "bits_matmul(self.W, x=x * known) + (1 - known) @ self.U + self.c[0]"),),
                          "U is given the mask of what is *not* known: it could learn that way too, but the walk through an order adds U_d when d becomes known."),
        "values_for_mask": (((FIRST, "bits_matmul(self.W, x=x * known) + (x * known) @ self.U + self.c[0]"),),
                            "U is given the known values once more, where the mask was meant: a known 0 is still not told."),
        "filled_with_half": (((FIRST, "(x * known + (1 - known) / 2) @ self.W + known @ self.U + self.c[0]"),),
                             "what is unknown is filled with 1/2: it must contribute nothing, as in the walk through an order."),
        "hides_the_known": (((FIRST, "bits_matmul(self.W, x=x * (1 - known)) + known @ self.U + self.c[0]"),),
                            "the known values are hidden and the others shown: the mask is the wrong way round at x."),
        "cuts_the_graph": (((FIRST, "bits_matmul(self.W, x=x * known) + known @ self.U.data + self.c[0]"),),
                           "U.data is a bare array, cut off from the graph: the logits are right, and U never learns."),
        "bias_of_the_first": ((("zip(self.hidden, self.c[1:])", "zip(self.hidden, [self.c[0][: W.shape[1]] for W in self.hidden])"),),
                              "the hidden layers after the first are given the first one's bias: theirs are self.c[1], self.c[2] ..."),
    },
    right={
        "one_matrix": """\
def predict(self, x, known):
    known = np.asarray(known, self.dtype)
    h = np.concatenate([x * known, known], axis=1)
    layers = [(np.concatenate([self.W, self.U]), self.c[0]), *zip(self.hidden, self.c[1:])]
    for W, c in layers:
        h = self.activation(h @ W + c)
    return h @ self.V + self.b
""",
        "three_cases": """\
def predict(self, x, known):
    on, off = np.logical_and(x, known), np.logical_and(np.equal(x, 0), known)
    h = on.astype(self.dtype) @ (self.W + self.U) + off.astype(self.dtype) @ self.U + self.c[0]
    for i in range(len(self.hidden)):
        h = self.activation(h) @ self.hidden[i] + self.c[i + 1]
    return self.activation(h) @ self.V + self.b
""",
    },
)  # fmt: skip

EXERCISES = (DEGREES, FLOOR, TOLD)
