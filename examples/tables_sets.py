r"""The sets of the papers' tables: what is published for each, where it is to be had, how to know it.

Published numbers are mean test NLL in nats. FVSBN and NADE: Larochelle & Murray 2011, Table 1; order-agnostic NADE
and its ensembles, RNADE (as −log p) and the digits: Uria, Murray & Larochelle 2014, Tables 1 to 3; MADE: Germain et
al. 2015, Table 4. Intervals from the papers or their supplements; where none is shown, none is given.

A SHA-256 is that of a part's *text*, one row "0 1 ... 0" and a newline for each example, since the digits are
published so; zip containers of the same bits differ. That of red wine is taken over the bytes of all folds as little-endian
float32, fold1_train, fold1_test, fold2_train ...
"""

import hashlib
from pathlib import Path

import numpy as np

from minigrad.datasets import binarized_mnist, load_binary

from . import red_wine

PUBLISHED = """
set              fvsbn    nade            made            made_sampled    orderless  eonade  gaussian  rnade
adult            13.17    13.19+-0.05     13.12+-0.05     13.13+-0.05     13.51      13.19   -         -
connect4         12.39    11.99+-0.01     11.90+-0.01     11.90+-0.01     13.04      12.58   -         -
dna              83.64    84.81+-0.57     83.63+-0.52     79.66+-0.63     84.28      82.31   -         -
mushrooms        10.27    9.81+-0.04      9.68+-0.04      9.69+-0.03      10.06      9.69    -         -
nips             276.88   273.08+-1.11    280.25+-1.05    277.28          275.20     272.39  -         -
ocr_letters      39.30    27.22+-0.21     28.34+-0.22     30.04+-0.22     29.05      27.32   -         -
rcv1             49.84    46.66+-0.11     47.10+-0.11     46.74+-0.11     46.79      46.12   -         -
web              29.35    28.39+-0.20     28.53+-0.20     28.25+-0.20     28.30      27.87   -         -
binarized_mnist  97.45    88.33           -               -               92.17      88.61   -         -
red_wine         -        -               -               -               -          -       13.18     9.36
"""
HEADER, *LINES = [line.split() for line in PUBLISHED.strip().splitlines()]
PAPER = {name: dict(zip(HEADER[1:], texts)) for name, *texts in LINES}  # {set: {model: text}}, "-" where there is none

TORONTO = "http://www.cs.toronto.edu/~larocheh/public/datasets"
PINNED = "as TensorFlow Datasets pins it"
COPY = "computed from the copy that we measured on; we know of no published one"
SOURCES = {  # where; who says so; SHA-256 of train, valid and test
    "adult": (f"{TORONTO}/adult (a1a-a9a of LIBSVM; UCI)", COPY, (
        "55c82ce84c1429f6373dd6ebc12019c2ed9cef0d0424da74420bff8df0f5d18f",
        "f989692ca95ae8886efe5b1a37c5ffc35940947f2cd586dd528ad7607a555eb5",
        "2dce37678d7b260c1091ce4278051cf7b54d1a33bafc8ff4e137eb4e8dbb8b82")),
    "mushrooms": (f"{TORONTO}/mushrooms (UCI)", COPY, (
        "0f5b9947a8765515c55e8c96737cb3bce2374557720cf69ec1d3facb0ec2991a",
        "175392a904000bf1d30783782a6bb07ca25aee36f6519092e04876714eba2762",
        "577086ab82e25d9809868db42088e9639482e55b8dec75401933ca2097911c03")),
    "dna": (f"{TORONTO}/dna (Statlog, UCI)", COPY, (
        "dc89f8a9cf843bb9f81bfeeeab2384def8f26687500ca314fbabf279ff159bf7",
        "202ca51a228609c61347e4c92f58662a295b9bf2ab9c84792985ea3b474404ca",
        "2f9ba480258b37baa30295e3c14e49929d760893b0b44f4632a6e8a689f35ef4")),
    "binarized_mnist": (f"{TORONTO}/binarized_mnist (Larochelle's fixed binarisation)", PINNED, (
        "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
        "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
        "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c")),
    "red_wine": ("UCI wine quality, red, in the RNADE paper's ten folds", COPY, (
        "fd7029cd3fe7eae05adf1dcc9ac4a22bc5cb651849368f13594755831a60139b",)),
}  # fmt: skip


def published(name, model):
    """The published NLL and its interval, None where there is none; (None, None) for an unknown cell."""
    nll, _, interval = PAPER.get(name, {}).get(model, "-").partition("+-")
    return (None, None) if nll == "-" else (float(nll), float(interval) if interval else None)


def find_sets(folder):
    """{name: path} of the .npz files of a known form in a folder and in the folders in it; ValueError if there are none."""
    paths = sorted(Path(folder).glob("*.npz")) + sorted(Path(folder).glob("*/*.npz"))
    sets = {path.stem: path for path in paths if form(path)}
    if not sets:
        raise ValueError(f"{folder}: holds no .npz file with the arrays train, valid, test, or fold1_train, fold1_test ...")
    return sets


def form(path):
    """ "bits" or "folds", by the names in a file; None if they say neither."""
    with np.load(path) as file:
        names = set(file.files)
    return "bits" if {"train", "valid", "test"} <= names else "folds" if "fold1_train" in names else None


def load(path, quick=False):
    """Bits as a Split, folds as a dict; no path: the digits in the package. Quick: two folds, or at most 300 rows of each part.

    These are evenly spread: the test part of the published digits is sorted by class.
    """
    if path and form(path) == "folds":
        return {name: x for name, x in red_wine.load(path).items() if not quick or name.split("_")[0] in ("fold1", "fold2")}
    data = load_binary(path) if path else binarized_mnist()
    return type(data)(*(part[:: -(-len(part) // 300)] for part in data)) if quick else data


def text_sha256(bits):
    """SHA-256 of bits (N, D) as text."""
    text = np.full((len(bits), 2 * bits.shape[1]), ord(" "), np.uint8)  # (N, 2D)
    text[:, ::2] = bits + ord("0")
    text[:, -1] = ord("\n")
    return hashlib.sha256(text.tobytes()).hexdigest()


def digests(data):
    """{part: SHA-256} of the three parts of a Split, or {"all folds": SHA-256}."""
    if isinstance(data, dict):
        names = [f"fold{k}_{part}" for k in range(1, red_wine.count(data) + 1) for part in ("train", "test")]
        return {"all folds": hashlib.sha256(b"".join(data[name].astype("<f4").tobytes() for name in names)).hexdigest()}
    return {part: text_sha256(bits) for part, bits in data._asdict().items()}


def where(sets):
    """Print the source of each set, its SHA-256, and whether they are the known ones."""
    for name, path in sets.items():
        source, who, known = SOURCES.get(name, ("unknown here", "as found", ()))
        print(f"{name}: {source}; SHA-256 {who}")
        for number, (part, digest) in enumerate(digests(load(path)).items()):
            same = "  as known" if digest in known else f"  NOT {known[number]}: another version of the set" if known else ""
            print(f"    {part:9}  {digest}{same}")
