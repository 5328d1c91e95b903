r"""Binarised MNIST, inside the package, and a loader for binary data that a user brings."""

import bz2
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path(__file__).parent / "binarized_mnist.bz2"
SIZES = (50_000, 10_000, 10_000)


class Split(NamedTuple):
    """Three parts of a data set, uint8 arrays (N, D) of bits."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


class LabelledSplit(NamedTuple):
    """Three parts of a data set with the class 0 ... 9 of each example, uint8 (N,)."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    valid_labels: np.ndarray
    test_labels: np.ndarray


def binarized_mnist(labels=False):
    """50,000 / 10,000 / 10,000 digits of 28 × 28 bits, row by row, (N, 784): a Split; a LabelledSplit with labels=True.

    Each bit was drawn once with the probability grey / 255: `make_binarized_mnist.py` is how. These are not the bits of
    the published split (Larochelle's), so figures of papers hold only approximately: `load_binary` reads that one.
    """
    raw = np.frombuffer(bz2.decompress(FILE.read_bytes()), np.uint8)
    n, cuts = sum(SIZES), np.cumsum(SIZES)[:-1]
    bits = np.unpackbits(raw[: n * 98].reshape(n, 98), axis=1)  # (70000, 784)
    parts = np.split(bits, cuts)
    return LabelledSplit(*parts, *np.split(raw[n * 98 :], cuts)) if labels else Split(*parts)


def load_binary(path):
    """Binary data from a file: `.npz` -> a Split of its arrays train, valid, test; `.amat` text -> one array (N, D).

    ValueError says what is wrong with a file that is neither, lacks a part, or holds anything but 0 and 1.
    """
    path = Path(path)
    if path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as file:
                missing = [part for part in Split._fields if part not in file]
                if missing:
                    raise ValueError(f"{path}: lacks the array {', '.join(missing)}; it has {', '.join(file) or 'none'}")
                return Split(*[as_bits(file[part], f"{path}, {part}") for part in Split._fields])
        except (OSError, EOFError, KeyError) as error:
            raise error if isinstance(error, FileNotFoundError) else ValueError(f"{path}: not a .npz file: {error}") from None
        except Exception as error:  # zipfile.BadZipFile and zlib.error are no ValueErrors
            raise ValueError(f"{path}: {error}") from None
    if path.suffix in (".amat", ".txt"):
        rows = [line.split() for line in path.read_text(errors="replace").splitlines() if line.strip()]
        for number, row in enumerate(rows, start=1):
            if len(row) != len(rows[0]):
                raise ValueError(f"{path}: row {number} has {len(row)} values, the first has {len(rows[0])}")
        try:
            return as_bits(np.array(rows, np.float32), path)
        except ValueError as error:
            raise ValueError(f"{path}: not rows of 0 and 1: {error}") from None
    raise ValueError(f"{path}: give a .npz file with train, valid and test, or .amat text with one example a line")


def as_bits(array, name):
    """The array (N, D) as uint8; ValueError names the first value that is neither 0 nor 1."""
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name}: must have two axes, examples and variables, not shape {array.shape}")
    wrong = ~((array == 0) | (array == 1))
    if wrong.any():
        i, d = np.argwhere(wrong)[0]
        raise ValueError(f"{name}: must hold 0 and 1 only, but row {i}, column {d} is {array[i, d]}")
    return array.astype(np.uint8)
