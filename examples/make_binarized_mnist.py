r"""Make `binarized_mnist.bz2` from grey MNIST: `python -m examples.make_binarized_mnist GREY.npz`.

GREY.npz holds uint8 arrays train_x (50000, 784), valid_x, test_x (10000, 784) and their labels train_y, valid_y, test_y.
A pixel is on with probability grey / 255 (Salakhutdinov & Murray 2008), drawn once, with the seed below. The file
holds the packed bits of the three parts, then the labels, and is compressed with bz2.
"""

import bz2
import sys

import numpy as np

from minigrad.datasets import FILE

SEED = 20080705


def main(source):
    """Draw the bits and write the file."""
    rng = np.random.default_rng(SEED)
    grey = np.load(source)
    bits = [rng.random(grey[f"{part}_x"].shape) * 255 < grey[f"{part}_x"] for part in ("train", "valid", "test")]
    packed = np.packbits(np.concatenate(bits), axis=1)  # (70000, 98)
    labels = np.concatenate([grey[f"{part}_y"] for part in ("train", "valid", "test")]).astype(np.uint8)
    FILE.write_bytes(bz2.compress(packed.tobytes() + labels.tobytes()))
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
