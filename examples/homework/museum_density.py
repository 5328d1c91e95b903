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
    expect(m, np.array([2, 3, 1]), "input_degrees after draw_degrees: it must stay as it is; it")


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

EXERCISES = (DEGREES,)
