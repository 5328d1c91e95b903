r"""Compression: nats become bytes on disk.

The question. A density model gives each digit a probability. What is that worth? A file: the digit can be stored in
−log₂ p(x) bits, and got back without a single wrong pixel. And no decoder can do with less on average: who claims a
better density claims a better compressor, and a file size cannot be argued with.

The formula. By the chain rule log p(x) = Σ_d log p(x_d | x_<d), so an image needs

    bytes(x) = −log₂ p(x) / 8 = NLL / (8 ln 2)

and an arithmetic code reaches it: the interval [0, 1) is cut into p(x_d = 1 | x_<d) and the rest, the part of x_d is
cut again, and so on; a number in what is left is the file. `models/codec.py` is the source to read beside this page.

Who runs. gzip and bz2 and xz look for repeated bytes, in images of 98 bytes each, 8 pixels in a byte. A *counting
coder* is arithmetic coding with a table in the place of the network: how often was a pixel on, when its ten
neighbours (left and above, decoded already) looked like this? One such table starts empty, is shared by all pixels and
learns while it codes: nothing else is needed to decode, and fax machines (JBIG) work so. The other has a table for each
pixel, counted on the training digits. NADE sees all earlier pixels.

What to notice in the picture. Left: how many bytes each coder spends on one of the same 10,000 test digits. All that
look at neighbours *as pixels* win over those that look for repeated bytes, and the little table that starts empty comes
far for what it is. Right: where the bits go. A pixel costs where it surprises: where a stroke begins or ends in its
row. The inside of a stroke is free, and so is the margin. NADE draws the same outlines, paler in most digits, not in
all. Last row: a decoder fed with *random* bytes. What a good code writes cannot be told from noise, or it could be
compressed once more; so noise, decoded, is a sample of the model.

The common mistake. To forget that the decoder needs the model: NADE's weights are a file, too. The last lines say how many
digits must be sent before they have paid for themselves, and it is many. The other: to compress the training digits.

    python -m examples.compress_digits [--quick] [--seed 0]      about a minute; figures/compress_digits.png

    python -m examples.published_split --data F --model nade     the papers' digits: first train (6 minutes), then this
    python -m examples.compress_digits --data F                  page with the weights that lie in figures/
"""

import bz2
import gzip
import lzma
import sys
import time
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from minigrad import checkpoint, plot
from minigrad.datasets import load_binary
from models.codec import Codec, code, decode_bit, encode_bit, read, strict, write
from models.nade import NADE

from . import generative_models, published_split
from .command import options, table
from .generative_models import CountingTable

K = 10  # neighbours of the counting coders


@strict
def code_by_counting(x, decoding, stream, state, neighbours, counts):
    r"""`codec.code` with p = (ones + ½) / (zeros + ones + 1), in units of 2⁻²⁴. It counts on as it goes.

    neighbours (D, K); counts (D, 2^K, 2), or (1, 2^K, 2) if one table serves all pixels.
    """
    for d in range(x.size):
        pattern = 0
        for k in range(neighbours.shape[1]):
            if neighbours[d, k] < d:  # off the image it is D
                pattern += x[neighbours[d, k]] << k
        seen = counts[d % len(counts), pattern]
        p = max(((2 * seen[1] + 1) << 23) // (seen[0] + seen[1] + 1), 1)
        if decoding:
            x[d] = decode_bit(p, stream, state)
        else:
            encode_bit(x[d], p, stream, state)
        seen[x[d]] += 1


class Result(NamedTuple):
    """What a coder did with the test digits."""

    name: str
    size: int  # bytes
    encoding: float  # CPU seconds
    decoding: float
    shipped: int  # bytes that the decoder needs besides


def measure(name, encode, decode, shipped, x):
    """Encode and decode the digits, N x D; AssertionError if a single pixel is wrong."""
    t0 = time.process_time()
    data = encode(x)
    t1 = time.process_time()
    y = decode(data)
    t2 = time.process_time()
    assert np.array_equal(x, y), f"{name}: the decoded digits are not those that were encoded"
    return Result(name, len(data), t1 - t0, t2 - t1, shipped)


def from_library(name, compress, decompress, x):
    """A general compressor on the digits with 8 pixels in a byte, all in one file."""
    unpack = lambda data: np.unpackbits(np.frombuffer(decompress(data), np.uint8)).reshape(len(x), -1)[:, : x.shape[1]]
    return measure(name, lambda x: compress(np.packbits(x, axis=1).tobytes()), unpack, 0, x)


def by_counting(name, counts, shipped, side, x):
    """A counting coder that starts from these counts; each way takes a copy, since it counts on."""
    neighbours = generative_models.causal_neighbours(side, side, K)
    encode = lambda x: write(x, code_by_counting, (neighbours, counts.copy()))
    decode = lambda data: read(data, x.shape, code_by_counting, (neighbours, counts.copy()))[0]
    encode(x[:1])  # compiles
    return measure(name, encode, decode, shipped, x)


def run_all(x, side, tables, codec):
    """A Result for each coder, from the plainest to NADE."""
    weights = sum(p.data.nbytes for p in codec.model.parameters())
    counts = np.stack([tables.seen - tables.ones, tables.ones], axis=-1).astype(np.int64)  # (D, 2^K, 2)
    return [
        from_library("8 pixels in a byte", bytes, bytes, x),
        from_library("gzip", gzip.compress, gzip.decompress, x),
        from_library("xz", lambda raw: lzma.compress(raw, preset=9), lzma.decompress, x),
        from_library("bz2", bz2.compress, bz2.decompress, x),
        by_counting("counting, one table, starts empty", np.zeros((1, 2**K, 2), np.int64), 0, side, x),
        by_counting("counting, a table for each pixel", counts, 4 * counts.size, side, x),
        measure("NADE", codec.encode, codec.decode, weights, x),
    ]


def print_results(results, ideal, n):
    """One line for each coder; then what the sizes say."""
    speed = lambda seconds: round(n / max(seconds, 1e-6))
    rows = [(r.name, r.size, r.size / n, speed(r.encoding), speed(r.decoding), r.shipped) for r in results]
    table(["coder", "bytes", "bytes/image", "encoded per s", "decoded per s", "decoder needs besides (bytes)"], rows)
    nade, free = results[-1], min((r for r in results if not r.shipped), key=lambda r: r.size)
    excess = 100 * (nade.size / ideal - 1)
    print(
        f"\nAll decoded without a wrong pixel. Sum of -log2 p: {ideal / n:.4f} bytes an image; NADE's file is {excess:.3f} % above."
    )
    if nade.size < free.size:
        pays = nade.shipped * n / (free.size - nade.size)
        print(f'NADE\'s weights pay for themselves from {pays:,.0f} images on, against "{free.name}", which needs nothing besides.')


def costs(model, x):
    """−log₂ p(x_d | x_<d): bits for each pixel, (B, D)"""
    p = model.conditionals(x).astype(float)  # (B, D)
    return -np.log2(np.where(x == 1, p, 1 - p))


def image_costs(model, x):
    """The same for whole images: bits, (N, D) -> (N,). In parts, so that what is needed stays in the cache."""
    return np.concatenate([costs(model, part).sum(axis=1) for part in np.split(x, range(500, len(x), 500))])


def draw_sizes(ax, results, ideal, n):
    """Bars, the bytes written beside each; a line at NADE's −log₂ p."""
    sizes = [r.size / n for r in results]
    ax.barh(
        [r.name.replace(", ", ",\n", 1) for r in results],
        sizes,
        color=[plot.GREY] * 4 + [plot.ORANGE] * 2 + [plot.BLUE],
        height=0.6,
    )
    for i, size in enumerate(sizes):
        ax.text(size + 1, i, f"{size:.1f}", va="center")
    ax.axvline(ideal / n, color=plot.BLUE, linestyle=":", linewidth=1.2)
    ax.invert_yaxis()
    ax.set(xlim=(0, 110), xlabel="bytes per image (dotted: NADE's $-\\log_2 p$)", title="The size of a digit")
    ax.spines[["top", "right"]].set_visible(False)


def draw_costs(ax, x, tables, model, noise, side):
    """Rows of images: digits, what each pixel costs by counting and by NADE, and noise that was decoded."""
    counted, by_nade = costs(tables, x), costs(model, x)
    most = 4.0  # bits: more is drawn as this
    sheet = plot.tile(np.concatenate([most * x, counted, by_nade, most * noise]), len(x), side)
    picture = ax.imshow(sheet, cmap="gist_heat_r", vmin=0, vmax=most, interpolation="nearest")
    middle = lambda row: (row + 0.5) * (side + 1)
    names = ("digits", "cost of each pixel,\ncounting", "cost of each pixel,\nNADE", "NADE decodes\nrandom bytes")
    ax.set_yticks([middle(i) for i in range(4)], names)
    ax.set_xticks(
        [middle(i) for i in range(len(x))], [f"{c / 8:.0f} / {m / 8:.0f}" for c, m in zip(counted.sum(1), by_nade.sum(1))]
    )
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(title="Where the bits go", xlabel="bytes for the digit: counting / NADE")
    ax.figure.colorbar(picture, ax=ax, label="bits for the pixel", shrink=0.8, ticks=[0, 1, 2, 3, 4]).ax.set_yticklabels(
        ["0", "1", "2", "3", "4 or more"]
    )


def draw(results, ideal, n, *rows):
    """Both panels; returns one of them."""
    figure = Figure((13, 6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.1))
    draw_sizes(left, results, ideal, n)
    draw_costs(right, *rows)
    return left


def prepare(chosen, rng):
    """The digits, the side of an image, and a NADE: trained now, or with --data the one that published_split saved."""
    if chosen.data:
        data, side, model = load_binary(chosen.data), 28, published_split.nade(rng)
        path = chosen.out / f"published_nade_{chosen.seed}.npz"
        if not path.exists():
            sys.exit(
                f"{path}: no such file: first train, python -m examples.published_split --model nade, same --data, --seed and --out"
            )
        model.load_state_dict(checkpoint.load(path)["best"])
        return data, side, model
    data, side = generative_models.load(chosen)
    model = NADE(side * side, 8 if chosen.debug else 500, rng=rng)
    generative_models.train(model, 0.06, data, chosen, rng)
    return data, side, model


def main():
    """Train, compress with everything, print the table, draw."""
    chosen = options(__doc__, data="optional")
    rng = np.random.default_rng(chosen.seed)
    data, side, model = prepare(chosen, rng)
    tables = CountingTable(side, side, K)
    tables.count(data.train)
    codec, x = Codec(model), data.test
    results, ideal = run_all(x, side, tables, codec), codec.ideal_bits(x) / 8
    print_results(results, ideal, len(x))
    shorter = image_costs(model, x) < image_costs(tables, x)
    print(f"{100 * shorter.mean():.0f} % of the digits are shorter with NADE than with a table for each pixel.")
    chosen_digits = x[rng.choice(len(x), 5, replace=False)]  # the published test part is sorted by class: no prefix
    noise, _ = read(rng.bytes(5 * x.shape[1]), chosen_digits.shape, code, codec.arrays)
    ax = draw(results, ideal, len(x), chosen_digits, tables, model, noise, side)
    print(plot.save(ax, chosen.out / "compress_digits.png"))


if __name__ == "__main__":
    main()
