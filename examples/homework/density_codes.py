r"""Exercises over the codec, and numbers about codes, mixtures of orders, staircases and real values."""

import numpy as np

from .exercise import Exercise, expect
from .predictions import ask

# ---- one step of the decoder


def encoded(bits, ps):
    """The bytes of a range coder with 24 bits of precision, by Python's own whole numbers, which have no carry to hand on."""
    low, width, length = 0, 1 << 32, 4
    for bit, p in zip(bits, ps):
        left = width * p >> 24
        low, width = (low, left) if bit else (low + left, width - left)
        while width < 1 << 24:
            low, width, length = low << 8, width << 8, length + 1
    low = -(-low >> 24) << 24  # the shortest number inside: then zeros follow
    return np.frombuffer(low.to_bytes(length, "big").rstrip(b"\0"), np.uint8).copy()


def message(seed, n=60):
    """Bits, their probabilities in units of 2^-24 (some next to 0 and 1), and their bytes."""
    rng = np.random.default_rng(seed)
    ps = [int(p) for p in rng.choice([1, 700, 1 << 22, 9_999_991, (1 << 24) - 700, (1 << 24) - 1], n)]
    bits = [int(rng.random() < (p / 2**24 + 0.5) / 2) for p in ps]  # now and then the improbable
    return bits, ps, encoded(bits, ps)


def start_of(stream):
    """The state (3,) of a decoder at the beginning of a stream."""
    return np.array([int.from_bytes(stream[:4].tobytes().ljust(4, b"\0"), "big"), 1 << 32, 4], np.int64)


def step_by_hand(get):
    """By hand: both parts, their border, and how far the range is stretched"""
    decode, stream, half, least = get("models.codec:decode_bit"), np.array([9, 9, 9, 9, 7, 200, 3], np.uint8), 1 << 23, 1 << 24
    cases = [  # low, range, place, p, the bit, low, range and place after it
        (100, 1 << 32, 4, half, 1, 100, 1 << 31, 4), (1 << 31, 1 << 32, 4, half, 0, 0, 1 << 31, 4), ((1 << 31) - 1, 1 << 32, 4, half, 1, (1 << 31) - 1, 1 << 31, 4),
        (3 << 30, 1 << 32, 4, 1 << 22, 0, 1 << 31, 3 << 30, 4), (5, 1 << 25, 4, half, 1, 5, least, 4), (5, least, 4, half, 1, 5 * 256 + 7, 1 << 31, 5),
        (half + 6, least, 5, half, 0, 6 * 256 + 200, 1 << 31, 6), (0, least, 4, 1, 1, (7 << 16) + (200 << 8) + 3, least, 7), (0, 2 * least - 1, 5, 1, 1, (200 << 16) + (3 << 8), least, 8),
        (2, least, 7, half, 1, 512, 1 << 31, 8), (30, 100_000_001, 6, 5, 0, 1, 99_999_972, 6), (5_000_000, 30_000_001, 6, 11_184_811, 1, 5_000_000, 20_000_001, 6),
    ]  # fmt: skip
    for low, width, place, p, bit, *after in cases:
        state = np.array([low, width, place], np.int64)
        call = f"decode_bit(p = {p}, stream [9 9 9 9 7 200 3], state = [{low} {width} {place}])"
        expect(float(decode(p, stream, state)), float(bit), f"the bit that {call} returns: it")
        expect(state, np.array(after), f"the state [low range place] after {call}: it")


def step_message(get):
    """Sixty bits, some of them most improbable, come back"""
    for seed in range(6):
        bits, ps, stream = message(seed)
        state, before, found = start_of(stream), stream.copy(), []
        for p in ps:
            found.append(int(get("models.codec:decode_bit")(p, stream, state)))
        expect(np.array(found), np.array(bits), f"60 bits that a coder of our own made into {len(stream)} bytes (seed {seed}), decoded one after another: they")
        expect(stream, before, "the stream after it was decoded: it must stay as it is")


def step_codec(get):
    """A codec over a small NADE gives back what it was given"""
    model, rng = get("models.nade:NADE")(6, 3, rng=np.random.default_rng(0)), np.random.default_rng(1)
    for p in model.parameters():
        p.data = (2 * rng.standard_normal(p.shape)).astype(np.float32)
    codec, x = get("models.codec:Codec")(model), (rng.random((8, 6)) < 0.5).astype(np.uint8)
    payload = codec.encode(x)
    expect(codec.decode(payload), x, "Codec(model).decode(Codec(model).encode(x)), a NADE(6, 3) and 8 examples: it")


def probe_step(f, get):
    """Single steps, their states, and a message."""
    told = []
    for low, width, place, p in ((0, 1 << 24, 4, 1), (1 << 31, 1 << 32, 4, 1 << 23), (1 << 23, 1 << 24, 5, 1 << 23), (5, 1 << 24, 7, 1 << 22), (9_000_000, 30_000_001, 4, 9_999_991)):
        state = np.array([low, width, place], np.int64)
        told += [f(p, np.array([9, 9, 9, 9, 7, 200, 3], np.uint8), state), *state]
    _, ps, stream = message(3)
    state = start_of(stream)
    return np.array(told + [f(p, stream, state) for p in ps[:20]], float)


STEP = Exercise(
    id="decode-bit",
    title="in which part does the number lie?",
    target="models.codec:decode_bit",
    kind="rebuild",
    minutes=30,
    difficulty=3,
    read="the docstring of models/codec.py, then encode_bit in it, whose inverse this is",
    task="One step of an arithmetic decoder, in place in state (3,), int64: state[RANGE] is the length of the interval, state[LOW] the distance from the interval's left end to the number that the "
         "file is, state[PLACE] the place in the stream of the next byte to be read. p is an integer from 1 to 2^24 - 1, the probability of a 1 in units of 2^-24. Return the bit (0 or 1, or a "
         "bool). The left part of the interval means 1, as in encode_bit, and is rounded as there. Then, while the range is below LEAST, shift it by 8 bits and take in the next byte; after the end of stream (n,), uint8, zeros "
         "follow, but PLACE goes on. Nothing else may change. It is compiled: plain loops, whole numbers.",
    check=(step_by_hand, step_message, step_codec),
    probe=probe_step,
    hints=(
        "encode_bit adds `left` to its low when the bit is 0. What does that do to the distance from low to the number?",
        "left = range p >> 24. If the number's distance < left: bit 1, range = left. Else bit 0, and left is taken from the distance and from the range.",
        "while range < LEAST: distance = (distance << 8) + (stream[place], or 0 after its end); range <<= 8; place += 1",
    ),
    why="The decoder makes the same two divisions as the encoder, in the same whole numbers, so both have the same interval to the last unit; one rounding that differs, and all that follows is noise. It needs no "
        "carry, since it keeps the distance and not low itself. That zeros follow the end lets the encoder leave out the last bytes.",
    wrong={
        "parts_exchanged": ((("x_d = state[LOW] < left", "x_d = state[LOW] >= left"),), "the left part is taken for 0: in encode_bit it means 1."),
        "border": ((("x_d = state[LOW] < left", "x_d = state[LOW] <= left"),), "a distance of exactly `left` is the first number of the right part: it means 0."),
        "distance_stays": ((("        state[LOW] -= left\n", ""),), "after a 0 the interval begins `left` further on: the distance from there is smaller by `left`."),
        "range_stays": ((("        state[RANGE] -= left\n", ""),), "after a 0 the interval is what the left part leaves: the range is not made smaller."),
        "one_shift": ((("while state[RANGE] < LEAST:", "if state[RANGE] < LEAST:"),), "one shift is not always enough: after a most improbable bit it takes three."),
        "no_bytes": ((("stream[state[PLACE]] if state[PLACE] < stream.size else 0", "0"),), "the number is shifted, but no byte of the stream is taken in."),
        "place_stays": ((("        state[PLACE] += 1\n", ""),), "the same byte is read again and again: the place must go on."),
        "last_byte_again": ((("stream[state[PLACE]] if state[PLACE] < stream.size else 0", "stream[min(state[PLACE], stream.size - 1)]"),), "after its end the stream's last byte is read again: zeros follow there."),
        "rounds": ((("left = (state[RANGE] * p) >> PRECISION", "left = (state[RANGE] * p + LEAST // 2) >> PRECISION"),), "the border is rounded to the nearest, where the encoder cuts off: both must have the same one."),
        "p_of_zero": ((("(state[RANGE] * p)", "(state[RANGE] * (LEAST - p))"),), "p is taken for the probability of a 0."),
        "byte_too_high": ((("(state[LOW] << 8) + following", "state[LOW] + (following << 8)"),), "the number is to be shifted, and the byte comes in at its low end."),
    },
    right={
        "shift_counted": """\
def decode_bit(p, stream, state):
    low, width, place = state[LOW], state[RANGE], state[PLACE]
    one = low < ((width * p) >> PRECISION)
    if one:
        width = (width * p) >> PRECISION
    else:
        left = (width * p) >> PRECISION
        low, width = low - left, width - left
    while width < (1 << 24):
        low, width = low * 256, width * 256
        if place < len(stream):
            low += stream[place]
        place += 1
    state[LOW], state[RANGE], state[PLACE] = low, width, place
    return 1 if one else 0
""",
        "by_division": """\
def decode_bit(p, stream, state):
    left = state[1] * p // 16777216
    bit = 1
    if state[0] >= left:
        bit = 0
        state[0] -= left
        left = state[1] - left
    state[1] = left
    for _ in range(3):
        if state[1] < 16777216:
            state[0] = state[0] * 256
            if state[2] < stream.size:
                state[0] = state[0] + stream[state[2]]
            state[1] = state[1] * 256
            state[2] = state[2] + 1
    return bit
""",
    },
)  # fmt: skip

# ---- numbers, before anything runs


def predict_codes(nats, K, n, m, D, H, C):
    """Numbers about a digit of so many nats, K orders, n blocks, m of 12 pixels known, and an RNADE(D, H, C)."""
    numbers = {
        "file_bytes": (f"{nats} / (8 * math.log(2))", f"how many bytes a digit takes in a file, on average, if the model's NLL is {nats} nats and the coder is ideal"),
        "dearest": ("24", "how many bits, by -log2 p, the dearest bit of an image may cost in models/codec.py, whose p is a multiple of 2^-24, and neither 0 nor 1"),
        "sure": ("2**24 * math.log(2)", "and how many of its surest bits (p = 1 - 2^-24) cost one bit together, by -log2 p"),
        "worse": (f"math.log({K})", f"by how many nats an example may cost more under the mixture of {K} orders, each of weight 1/{K}, than under the best of them, at most"),
        "share": (f"({n} + 1) / (2 * {n})", f"which part of the multiplications is left if a strict mask so large that its single steps do not count, a staircase from corner to corner, is cut into {n} blocks of columns (models/made_staircase.py)"),
        "weight": (f"13 / (12 - {m})", f"by how much each pixel that is to be predicted is weighted in the loss of OrderlessNADE(12), with {m} of the pixels known"),
        "parameters": (f"{D} * {H} + {H} + {D} + 3 * {D} * {H} * {C} + 3 * {D} * {C}", f"how many numbers RNADE({D}, {H}, {C}) learns: {D} variables, {H} hidden units, {C} components"),
    }
    return ask(
        "predict-codes", "nats, bytes and blocks", numbers,
        minutes=20, difficulty=2, read="the docstrings of models/codec.py, models/ensemble.py, models/made_staircase.py, models/orderless.py and models/rnade.py",
        task="Say these numbers before you run anything. Write a number or an expression in the place of each `...` (`import math` is allowed). Counts must be exact, other numbers right to 0.1 %.",
        hints=("How many bits is a nat? Of a sum of positive numbers, what is the least that it can be if you know its largest term? Of n blocks, which part of the rows does block i need?",
               "file_bytes = NLL / (8 ln 2); the mixture's p >= p_best / K; block i of n needs the part i / n of the rows; the loss of orders is weighted (D + 1) / (D - known).",
               "worse = ln K; share = (1 + 2 + ... + n) / n^2; dearest = -log2 2^-24; sure = 1 / -log2(1 - 2^-24); parameters: W and c and rho, then three times V (D, H, K) and b (D, K)"),
        why="What an ensemble may lose is ln K nats at most; what it gains has no such bound. The surest bits are so cheap that the limit on p is never felt, while a p of 0 would make a file that cannot be decoded.",
        wrong={
            "bits_for_bytes": ({"file_bytes": f"{nats} / math.log(2)"}, "these are bits: a byte has 8."),
            "nats_for_bits": ({"file_bytes": f"{nats} / 8"}, "nats were taken for bits: a nat is 1 / ln 2 = 1.44 bits."),
            "ln_2_upside_down": ({"file_bytes": f"{nats} * math.log(2) / 8"}, "a nat is more than a bit: divide by ln 2."),
            "range_of_the_coder": ({"dearest": "32"}, "the range has 32 bits, but p only 24: the least p is 2^-24."),
            "linear_in_p": ({"sure": "2**24"}, "-log2(1 - e) is e / ln 2, not e: ln 2 is missing."),
            "worse_in_bits": ({"worse": f"math.log2({K})"}, "this is in bits: nats were asked for, ln K."),
            "worse_by_K": ({"worse": f"{K}.0"}, "p may be K times smaller than the best one's: its logarithm is asked for."),
            "never_worse": ({"worse": "0.0"}, "a mixture has to share its weight: if only one of K finds x probable, p = p_best / K."),
            "half": ({"share": "0.5"}, "half is what infinitely many blocks would leave: the corners of the blocks, right at the steps, are multiplied too."),
            "steps_left_out": ({"share": f"({n} - 1) / (2 * {n})"}, "the blocks on the diagonal are needed too: block i has the rows from the top to the *end* of its step."),
            "diagonal_alone": ({"share": f"1 / {n}"}, "not only the blocks on the diagonal have ones: all those above them have, too."),
            "equation_9": ({"weight": f"12 / (12 - {m})"}, "D / (D - d + 1) is for a place d drawn from 1 ... D; here the number of known pixels is drawn from 0 ... D, one value more."),
            "share_of_all": ({"weight": f"12 / {m}"}, "the known pixels are not predicted: it is the rest, D - known, that stands for all."),
            "two_rows": ({"parameters": f"{D} * {H} + {H} + {D} + 2 * {D} * {H} * {C} + 2 * {D} * {C}"}, "three rows of numbers for each variable: the weights alpha are learned, as mu and sigma are."),
            "no_rho": ({"parameters": f"{D} * {H} + {H} + 3 * {D} * {H} * {C} + 3 * {D} * {C}"}, "rho is missing: one number for each variable."),
            "no_bias": ({"parameters": f"{D} * {H} + {H} + {D} + 3 * {D} * {H} * {C}"}, "the biases of alpha, mu and sigma are missing."),
            "shared_rows": ({"parameters": f"{D} * {H} + {H} + {D} + 3 * {H} * {C} + 3 * {C}"}, "each variable has its own V and b: only the hidden layer is shared."),
        },
        right={"logarithms": {"file_bytes": f"math.log2(math.exp({nats})) / 8", "worse": f"-math.log(1 / {K})", "sure": "-1 / math.log2(1 - 2**-24)", "dearest": "-math.log2(2**-24)"},
               "sums": {"share": f"sum(range({n} + 1)) / {n}**2", "parameters": f"{D} * ({H} + 1 + 3 * {C} * ({H} + 1)) + {H}", "weight": f"1 / (12 / 13 - {m} / 13)"}},
        own=lambda rng: predict_codes(round(float(rng.integers(600, 1300)) / 10, 1), int(rng.integers(3, 33)), int(rng.integers(4, 13)), int(rng.choice([1, 2, 3, 4, 5, 7, 8, 9, 10])),
                                      int(rng.integers(5, 30)), int(rng.integers(10, 60)), int(rng.integers(3, 21))),
    )  # fmt: skip


EXERCISES = (STEP, predict_codes(88.3, 16, 6, 5, 11, 50, 20))
