r"""What is a generative model? A family of distributions, and the member of it that is closest to the data.

The question. Digits come from some distribution p_data over 2^784 images. We never see it: we have 50,000 draws from
it. A model is a family p_θ, and to learn is to solve

    min over θ of  d(p_data, p_θ)

Two things are left to choose: the distance d and the family.

The distance. The two directions of the Kullback-Leibler divergence are

    forward   KL(p_data ‖ p_θ) = E_data[log p_data − log p_θ] = −E_data[log p_θ] − H(p_data)    cross-entropy − entropy
    reverse   KL(p_θ ‖ p_data) = E_θ[log p_θ − log p_data]

The entropy H(p_data) does not contain θ. So whoever minimises the forward KL minimises −E_data[log p_θ], and its
estimate from N draws is −1/N Σ log p_θ(xᵢ), the negative log-likelihood (NLL): maximum likelihood is the forward KL.
The reverse KL asks for log p_data itself, which for digits nobody has.

The family. The chain rule p(x) = ∏_d p(x_d | x_<d) leaves nothing out. But written as a table, the last of D
conditionals needs 2^(D−1) numbers, one for each past. The ladder is five ways to need fewer: look at no other pixel;
at the K nearest earlier ones, and count; at all earlier ones through a logistic regression (FVSBN); at all through a
hidden layer (MADE, NADE). Nats are bytes: a code made from p_θ spends −log₂ p_θ(x) bits on x, that is NLL / (8 ln 2)
bytes. The uniform model, 784 ln 2 = 543.43 nats, spends 98 bytes: it stores the bits.

What to notice in the picture. Upper left: one Gaussian for a mixture of two. The forward fit pays without bound where
data are and it is not. So it covers both modes, with exactly the mean and variance of the data, and puts much of its
mass between them, where there are none. The reverse fit pays where it is and data are not. So it takes one mode, for
about −log w nats if w is the weight of that mode. Which one depends on the start, and a start between the two can end
in a minimum that is worse than both. Upper right: nats and bytes. Ten neighbours and a table make a strong opponent,
on a level with 783 neighbours and a straight line (FVSBN), but it cannot climb: each further neighbour doubles the
table and not the digits, and soon its figures get worse. Hidden units share what they learn. Below: strokes first,
digits last.

The common mistakes. To compare figures over different test sets: published are FVSBN 97.45, NADE 88.86 (2011) and
88.33 (2014), MADE with one mask and 8,000 units 88.40, all after long training, and on other bits than ours, drawn
from the same grey digits; `python -m examples.published_split` is for comparing. And to let a count stay 0: one
unseen pattern then has p = 0, and the forward KL is infinite. So tables are smoothed, by what the *validation* digits
like best.

    python -m examples.generative_models [--quick] [--seed 0]     about 2 minutes; writes figures/generative_models.png
    (--quick has too few digits and steps for the ladder's order)

Sources: Bishop 2006, section 10.1.2 (both KLs); those of the models stand in `models/`.
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad import Tensor, nn, ops, optim, plot, training
from minigrad.datasets import Split, binarized_mnist
from models.autoregressive import AutoregressiveModel
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE

from .command import options, table

# ======================================================================== Part 1: two distances
WEIGHTS, MEANS, SDS = np.array([0.6, 0.4]), np.array([-2.5, 2.5]), np.array([0.6, 0.9])  # p_data, a mixture
GRID, STEP = np.linspace(-12, 12, 1201, retstep=True)  # for the integrals: ∫ f dx = Σ f(x) · STEP


def log_normal(x, mean, log_sd):
    """log N(x; mean, sd²), of arrays or of Tensors"""
    z = (x - mean) * np.exp(-log_sd)
    return -0.5 * (z * z) - log_sd - 0.5 * np.log(2 * np.pi)


LOG_P = ops.logsumexp(np.log(WEIGHTS) + log_normal(GRID[:, None], MEANS, np.log(SDS)))  # log p_data on the grid, (G,)
P = np.exp(LOG_P)


class Gaussian(nn.Module):
    """p_θ = N(mean, sd²), with θ = (mean, log sd)."""

    def __init__(self, mean, sd):
        self.mean, self.log_sd = nn.Parameter(np.array(mean, float)), nn.Parameter(np.array(np.log(sd)))

    def log_prob(self, x):
        """(N,) -> Tensor (N,)"""
        return log_normal(x, self.mean, self.log_sd)

    def moments(self):
        """mean, sd: Python numbers"""
        return self.mean.item(), float(np.exp(self.log_sd.item()))


def forward_kl(q):
    r"""KL(p ‖ q) = ∫ p (log p − log q) dx"""
    return (P * (LOG_P - q.log_prob(GRID))).sum() * STEP


def reverse_kl(q):
    r"""KL(q ‖ p) = ∫ q (log q − log p) dx"""
    log_q = q.log_prob(GRID)  # (G,)
    return (np.exp(log_q) * (log_q - LOG_P)).sum() * STEP


def minimise(loss, mean=0.0, sd=1.0, steps=300):
    """Gradient descent on loss(q) from a start -> the Gaussian q."""
    q = Gaussian(mean, sd)
    optimizer = optim.SGD(q, lr=0.05, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(q).backward()
        optimizer.step()
    return q


def draw_mixture(n, rng):
    """n draws from p_data, (n,)"""
    mode = (rng.random(n) < WEIGHTS[1]).astype(int)
    return MEANS[mode] + SDS[mode] * rng.standard_normal(n)


def two_distances():
    """Print where both distances lead from several starts; returns {name: Gaussian}."""
    fits = {"forward KL, from 0": minimise(forward_kl, mean=0)}
    fits |= {f"reverse KL, from {mean}": minimise(reverse_kl, mean) for mean in (-4, -1, 0, 1, 4)}
    mean = WEIGHTS @ MEANS
    fits["moments of p_data"] = Gaussian(mean, np.sqrt(WEIGHTS @ (SDS**2 + MEANS**2) - mean**2))
    rows = [(name, *q.moments(), forward_kl(q).item(), reverse_kl(q).item()) for name, q in fits.items()]
    table(["fit", "mean", "sd", "forward KL (nats)", "reverse KL (nats)"], rows)
    return fits


def likelihood_is_forward_kl(best, sizes, rng):
    """Print how the maximum-likelihood Gaussian of n draws approaches the minimiser of the forward KL."""
    rows = []
    for n in sizes:
        x = draw_mixture(n, rng)
        q = minimise(lambda q: -q.log_prob(x).mean())
        gap = (forward_kl(q) - forward_kl(best)).item()
        rows.append((f"{n:,}", *q.moments(), f"{gap:.5f}"))
    rows.append(("minimiser of forward KL", *best.moments(), f"{0:.5f}"))
    table(["maximum likelihood, draws", "mean", "sd", "forward KL above its minimum (nats)"], rows)


# ======================================================================== Part 2: a table is too large


def numbers_needed(n, H=500):
    """For n bits: numbers in the last conditional's table, in the joint's, in an FVSBN, in a NADE with H hidden."""
    return 2 ** (n - 1), 2**n - 1, n * (n + 1) // 2, 2 * n * H + n + H


def short(number):
    """12,345 in full, larger ones as a power of ten."""
    return f"{number:,}" if number < 10**9 else f"{float(number):.1e}"


# ======================================================================== Part 3: the ladder


def causal_neighbours(height, width, K):
    """The K pixels nearest to each one that come before it, row by row: (D, K) indices, D for those off the image."""
    reach = range(-K, K + 1)
    before = [(dy, dx) for dy in reach for dx in reach if (dy, dx) < (0, 0)]  # tuples compare in raster order
    nearest = sorted(before, key=lambda o: (o[0] ** 2 + o[1] ** 2, abs(o[1])))[:K]
    y, x = np.divmod(np.arange(height * width), width)
    index = np.full((height * width, K), height * width)
    for k, (dy, dx) in enumerate(nearest):
        inside = (y + dy >= 0) & (x + dx >= 0) & (x + dx < width)
        index[inside, k] = ((y + dy) * width + x + dx)[inside]
    return index


class CountingTable(AutoregressiveModel):
    r"""p(x_d = 1 | x_<d) = (ones + a) / (seen + 2a), counted for each pixel d and pattern of its K neighbours.

    With K = 0 the pixels are independent. D · 2^K numbers, found by counting: no gradient. a is the smoothing.
    """

    def __init__(self, height, width, K, smoothing=0.5):
        self.dim, self.dtype, self.order = height * width, np.dtype(np.float32), np.arange(height * width)
        self.neighbours, self.powers = causal_neighbours(height, width, K), 2 ** np.arange(K)
        self.ones, self.seen = np.zeros((2, self.dim, 2**K), np.int32)  # (D, 2^K) each
        self.smoothing = smoothing

    def pattern(self, canvas, d):
        """What the neighbours of pixel d show, as a number below 2^K: canvas (D + 1, N), its last row 0 -> (N,)"""
        return self.powers @ canvas[self.neighbours[d]]

    def count(self, x):
        """Bits (N, D): add them to the counts."""
        canvas = np.vstack([x.T, np.zeros(len(x), x.dtype)])  # (D + 1, N)
        for d in range(self.dim):
            pattern = self.pattern(canvas, d)
            self.seen[d] += np.bincount(pattern, minlength=self.seen.shape[1])
            self.ones[d] += np.bincount(pattern[x[:, d] == 1], minlength=self.seen.shape[1])

    def log_odds(self, d, pattern):
        """log p / (1 − p) for pixel d: (N,) -> (N,)"""
        ones, seen = self.ones[d, pattern], self.seen[d, pattern]
        return np.log((ones + self.smoothing) / (seen - ones + self.smoothing)).astype(self.dtype)

    def logits(self, x):
        """Bits (B, D) -> Tensor (B, D)"""
        canvas = np.vstack([x.T, np.zeros(len(x))]).astype(np.uint8)
        return Tensor(np.stack([self.log_odds(d, self.pattern(canvas, d)) for d in range(self.dim)], axis=1))

    def sample(self, n, rng):
        """(n, D) uint8"""
        canvas = np.zeros((self.dim + 1, n), np.uint8)
        for d in range(self.dim):
            odds = np.exp(self.log_odds(d, self.pattern(canvas, d)))
            canvas[d] = rng.random(n) * (1 + odds) < odds
        return canvas[:-1].T.copy()


def count_tables(data, side, Ks):
    """Count with K neighbours, smoothed as the validation data like it best; returns {K: (their NLL, rung)}."""
    found, rows = {}, []
    for K in Ks:
        began = time.process_time()
        model, nlls = CountingTable(side, side, K), {}
        model.count(data.train)
        for model.smoothing in (0.1, 0.5, 2.0):
            nlls[model.smoothing] = float(model.evaluate(data.valid, batch_size=5000).nll)
        model.smoothing = min(nlls, key=nlls.get)
        name = f"counting, {K} neighbours" if K else "independent pixels"
        found[K] = nlls[model.smoothing], (name, model, time.process_time() - began)
        rows.append((name, free_numbers(model), len(data.train) / 2**K, model.smoothing, nlls[model.smoothing]))
    table(["table", "numbers", "digits per pattern", "smoothing", "valid NLL (nats)"], rows)
    return found


def train(model, lr, data, chosen, rng):
    """Maximise the likelihood by minibatches; returns the CPU seconds."""
    epochs, batch_size = (1, 20) if chosen.quick else (4, 100)  # few digits: smaller steps, so that there are enough
    model.start_from_means(data.train)
    optimizer = optim.SGD(model, lr, momentum=0.9, nesterov=True)
    schedule = optim.LinearLR(optimizer, epochs * -(-len(data.train) // batch_size))
    history = training.fit(
        model, data.train, data.valid, optimizer=optimizer, epochs=epochs, batch_size=batch_size,
        rng=rng, schedule=schedule,
    )  # fmt: skip
    return history[-1]["seconds"]


def ladder(data, side, chosen, rng):
    """Count and train: rungs (name, model, CPU seconds), from the lowest up."""
    D, H = side * side, 8 if chosen.debug else 500
    tables = count_tables(data, side, (0, 4, 8, 10) if chosen.quick else (0, 4, 8, 10, 12))
    best = min(tables, key=lambda K: tables[K][0])
    rungs = [tables[0][1], tables[best][1]]
    for model, lr in (
        (FVSBN(D, rng=rng), 0.1), (MADE(D, (H,), rng=rng, direct=True), 0.1), (NADE(D, H, rng=rng), 0.06),
    ):  # fmt: skip
        name = type(model).__name__
        print(f"\ntraining {name} on {len(data.train):,} digits, NLL in nats")
        rungs.append((name, model, train(model, lr, data, chosen, rng)))
    return rungs


def free_numbers(model):
    """How many numbers a model has; those behind a mask do not count."""
    if isinstance(model, CountingTable):
        return model.ones.size
    masks = [model.M] if isinstance(model, FVSBN) else []
    if isinstance(model, MADE):
        only = model.components[0]
        masks = only.masks if model.A is None else [*only.masks, only.direct]
    return sum(p.size for p in model.parameters()) - sum(int((M == 0).sum()) for M in masks)


def size_in_bytes(nll):
    """NLL in nats -> bytes that an ideal code needs."""
    return float(nll / (8 * np.log(2)))


def print_ladder(rungs, test):
    """One line for each model, under the uniform one; returns the evaluations."""
    evaluations, D = [model.evaluate(test) for _, model, _ in rungs], test.shape[1]
    rows = [("uniform", D * float(np.log(2)), 0.0, "1.0000", D / 8, 0, 0.0)]
    for (name, model, seconds), (nll, interval, bits) in zip(rungs, evaluations):
        size, numbers = size_in_bytes(nll), free_numbers(model)
        rows.append((name, float(nll), float(interval), f"{bits:.4f}", size, numbers, seconds))
    table(["model", "test NLL (nats)", "+- 95 %", "bits/dim", "bytes per image", "numbers", "CPU s"], rows)
    return evaluations


# ======================================================================== The picture


def draw_fits(ax, fits):
    """p_data and the Gaussians that the two distances choose."""
    ax.fill_between(GRID, P, color=plot.GREY, alpha=0.3, linewidth=0)
    ax.text(-3.4, 0.28, "$p_{data}$", color=plot.GREY, ha="right")
    for name, label, colour, style, place in (
        ("forward KL, from 0", "forward\nKL", plot.BLUE, "-", (-0.15, 0.17)),
        ("reverse KL, from -4", "reverse KL\nfrom $-4$", plot.ORANGE, "-", (-2.5, 0.68)),
        ("reverse KL, from 4", "reverse KL\nfrom 4", plot.ORANGE, "--", (2.5, 0.46)),
    ):
        ax.plot(GRID, np.exp(fits[name].log_prob(GRID).data), color=colour, linestyle=style)
        ax.text(*place, label, color=colour, ha="center", va="bottom")
    ax.set(xlim=(-7, 7), ylim=(0, 0.8), xlabel="x", ylabel="density (per unit of x)")
    ax.set_title("One Gaussian for a mixture of two")


def draw_ladder(ax, rungs, evaluations):
    """Test NLL as bars, the size of an image written beside each."""
    nll = [evaluation.nll for evaluation in evaluations]
    ax.barh([name.replace(", ", ",\n") for name, *_ in rungs], nll, color=plot.BLUE, height=0.6)
    for i, (value, interval, _) in enumerate(evaluations):
        text = f" {value:.1f} ± {interval:.1f} nats, {size_in_bytes(value):.1f} bytes"
        ax.text(value, i, text, va="center", fontsize=9)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.8 * max(nll)), xlabel="test NLL (nats per image, ± 95 % interval)")
    ax.set_title("The ladder on binarised digits")


def draw_samples(ax, rungs, real, side, rng):
    """A row of samples from each model, and one of real digits."""
    rows = {name: model.sample(len(real), rng) for name, model, _ in rungs} | {"real digits": real}
    plot.image_grid(np.concatenate(list(rows.values())), len(real), height=side, title="Samples", ax=ax)
    for i, name in enumerate(rows):
        ax.text(-side / 4, (i + 0.5) * (side + 1), name.replace(", ", ",\n"), ha="right", va="center")


def draw(fits, rungs, evaluations, real, side, rng):
    """The figure's three panels; returns one of them."""
    figure = Figure((12, 7), layout="constrained")
    panels = figure.subplot_mosaic([["fits", "ladder"], ["samples", "samples"]], height_ratios=(1.1, 1))
    draw_fits(panels["fits"], fits)
    draw_ladder(panels["ladder"], rungs, evaluations)
    draw_samples(panels["samples"], rungs, real, side, rng)
    for name in ("fits", "ladder"):
        panels[name].spines[["top", "right"]].set_visible(False)
    return panels["fits"]


def load(chosen):
    """The digits and the side of an image: 3,000 for --quick, and for --debug a few of 7 x 7 pixels."""
    n, step = (200, 4) if chosen.debug else (3_000, 1) if chosen.quick else (50_000, 1)
    data = binarized_mnist()
    parts = [x[:m].reshape(-1, 28, 28)[:, ::step, ::step] for x, m in zip(data, (n, n // 5, n // 5))]
    return Split(*[x.reshape(len(x), -1) for x in parts]), 28 // step


def main():
    """Run the three parts, print the tables, save the figure."""
    chosen = options(__doc__)
    rng = np.random.default_rng(chosen.seed)
    print("1. Two distances, one Gaussian, a mixture of two")
    fits = two_distances()
    print()
    draws = (10, 100, 1_000) if chosen.quick else (10, 100, 1_000, 10_000, 100_000)
    likelihood_is_forward_kl(fits["forward KL, from 0"], draws, rng)

    print("\n2. How many numbers for n bits?")
    header = ["n bits", "table of the last", "table of all", "FVSBN", "NADE, 500 hidden"]
    table(header, [(str(n), *map(short, numbers_needed(n))) for n in (2, 10, 784)])

    print("\n3. The ladder")
    data, side = load(chosen)
    rungs = ladder(data, side, chosen, rng)
    print()
    evaluations = print_ladder(rungs, data.test)
    ax = draw(fits, rungs, evaluations, data.test[:20], side, rng)
    print(f"\n{plot.save(ax, chosen.out / 'generative_models.png')}")


if __name__ == "__main__":
    main()
