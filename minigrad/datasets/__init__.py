r"""Binarised MNIST, inside the package, and a loader for binary data that a user brings."""

import bz2
from collections import namedtuple
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "binarized_mnist.bz2"
SIZES = (50_000, 10_000, 10_000)


# Three parts of a data set, uint8 arrays (N, D) of bits; and the same with the class 0 ... 9 of each example, uint8 (N,).
Split = namedtuple("Split", "train valid test")
LabelledSplit = namedtuple("LabelledSplit", "train valid test train_labels valid_labels test_labels")


def binarized_mnist(labels=False):
    """50,000 / 10,000 / 10,000 digits of 28 × 28 bits, row by row, (N, 784): a Split; a LabelledSplit with labels=True.

    Each bit was drawn once with the probability grey / 255: `make_binarized_mnist.py` is how. These are not the bits of
    the published split (Larochelle's), so figures of papers hold only approximately: `load_binary` reads that one.
    """
    raw = np.frombuffer(bz2.decompress(FILE.read_bytes()), np.uint8)
    n, cuts = sum(SIZES), np.cumsum(SIZES)[:-1]
    bits = np.unpackbits(raw[: n * 98].reshape(n, 98), axis=1)  # (70000, 784)
    return LabelledSplit(*np.split(bits, cuts), *np.split(raw[n * 98 :], cuts)) if labels else Split(*np.split(bits, cuts))


def load_binary(path):
    """Binary data from a file: `.npz` -> a Split of its arrays train, valid, test; `.amat` text -> one array (N, D).

    ValueError says what is wrong with a file that is neither, lacks a part, or holds anything but 0 and 1.
    """
    path = Path(path)
    if path.suffix not in (".npz", ".amat", ".txt"):
        raise ValueError(f"{path}: give a .npz file with train, valid and test, or .amat text with one example a line")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                names = list(file)
                arrays = {name: file[name] for name in Split._fields if name in file}
        else:
            arrays = {"text": np.loadtxt(path, np.float32, ndmin=2, comments=None)}
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever a broken zip container or a letter among the digits leads to
        raise ValueError(f"{path}: cannot be read as {path.suffix}: {error}") from None
    missing = [name for name in Split._fields if name not in arrays and "text" not in arrays]
    if missing:
        raise ValueError(f"{path}: lacks the array {', '.join(missing)}; it has {', '.join(names) or 'none'}")
    bits = [as_bits(array, f"{path}, {name}") for name, array in arrays.items()]
    return Split(*bits) if path.suffix == ".npz" else bits[0]


def as_bits(array, name):
    """The array (N, D) as uint8; ValueError names the first value that is neither 0 nor 1."""
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name}: must have two axes, examples and variables, not shape {array.shape}")
    wrong = ~((array == 0) | (array == 1))
    if wrong.any():
        i, d = np.argwhere(wrong)[0]
        raise ValueError(f"{name}: must hold 0 and 1 only, but row {i}, column {d} is {array[i, d]}")
    return array.astype(np.uint8)
