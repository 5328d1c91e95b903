r"""What the papers report for each cell, and where each set is to be had: no code, numbers to read beside `reproduce_tables.py`.

Sources: FVSBN, NADE: Larochelle & Murray 2011, Table 1 (its interval; gains there are given over a mixture of Bernoullis) and, for
the digits, Uria, Murray & Larochelle 2014, Table 2; MADE: Germain et al. 2015, Table 4, intervals from its supplement; RNADE on
red wine: Uria, Murray & Larochelle 2014, Table 3, as -log p. All are test NLL in nats.
"""

PAPER = {  # test NLL in nats with the 95 % interval where the paper gives one
    "adult": {"fvsbn": (13.17,), "nade": (13.19, 0.05), "made": (13.12, 0.05), "made_sampled": (13.13, 0.05)},
    "connect4": {"fvsbn": (12.39,), "nade": (11.99, 0.01), "made": (11.90, 0.01), "made_sampled": (11.90, 0.01)},
    "dna": {"fvsbn": (83.64,), "nade": (84.81, 0.57), "made": (83.63, 0.52), "made_sampled": (79.66, 0.63)},
    "mushrooms": {"fvsbn": (10.27,), "nade": (9.81, 0.04), "made": (9.68, 0.04), "made_sampled": (9.69, 0.03)},
    "nips": {"fvsbn": (276.88,), "nade": (273.08, 1.11), "made": (280.25, 1.05), "made_sampled": (277.28,)},
    "ocr_letters": {"fvsbn": (39.30,), "nade": (27.22, 0.21), "made": (28.34, 0.22), "made_sampled": (30.04, 0.22)},
    "rcv1": {"fvsbn": (49.84,), "nade": (46.66, 0.11), "made": (47.10, 0.11), "made_sampled": (46.74, 0.11)},
    "web": {"fvsbn": (29.35,), "nade": (28.39, 0.20), "made": (28.53, 0.20), "made_sampled": (28.25, 0.20)},
    "binarized_mnist": {"fvsbn": (97.45,), "nade": (88.33,)},
}

TORONTO = "http://www.cs.toronto.edu/~larocheh/public/datasets"
PINNED = "as TensorFlow Datasets pins it"
COPY = "computed from the copy that we measured on; we know of no published one"
SOURCES = {  # where, who says so, and SHA-256 of train, valid, test as text (see `text_sha256`)
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
}  # fmt: skip
