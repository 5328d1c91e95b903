r"""Lossless compression by a density model: arithmetic coding, driven by NADE's conditionals. Nats become bytes.

An *arithmetic code* gives each possible x an interval of [0, 1) whose length is p(x), and names x by a number inside.
To point at an interval of length p takes −log₂ p(x) bits, and hardly one more. So a model with a smaller NLL *is* a
better compressor: NLL / (8 ln 2) bytes an example. The interval is found as the chain rule is written, one bit at a time:

    start with the interval [low, low + range) = [0, 1)
    for each d in the model's order:
        p = p(x_d = 1 | x_<d)                             the left part, of length p · range, means "1", the rest "0"
        if x_d = 1:   range ← p · range
        else:         low ← low + p · range;   range ← (1 − p) · range

The decoder has the number and the same model. It knows p before x_d, looks in which part the number lies, and so has
x_d, which it needs for the next p. All examples follow each other in one interval: the byte that its end costs is paid once.

Four things are left to do, and each is a function below.
1.  *Whole numbers* (`encode_bit`, `decode_bit`). low and range are integers, p a multiple of 2⁻²⁴, neither 0 nor 1. When
    range falls under 2²⁴, the first 8 of low's 32 bits are written, and all is shifted by 8: range is in [2²⁴, 2³²].
2.  *The carry.* low + p · range can pass 2³², though low's first bytes are written already. As in adding by hand, 1 goes
    to the digit on the left, and a digit that was at its largest, 255, becomes 0 and hands it on.
3.  *The same p on both sides, to the last bit* (`logit`, `squash`). One p that differs by 2⁻²⁴, and all that follows is
    noise. A sum of floats depends on its order, and compilers reorder sums where `fastmath` allows it. Here it does not:
    flags=(). And one function both encodes and decodes (`code`). How + − · / round is fixed by a standard (IEEE 754),
    and exp is our own. So other machines should agree, too; tested are compiled code, old processors', and plain Python.
4.  *Trust nobody* (`Codec`). The header holds checksums of file and images, and a fingerprint of model and arithmetic.

The common mistake. To train longer, and to decode an old file with the new weights: a code is only as durable as its
model. Hence the fingerprint. The promise is the same bits for the same model and the same build.

Sources: Rissanen 1976; Witten, Neal & Cleary 1987 (integers); Martin 1979 (range coder); MacKay 2003, chapter 6.
"""

import copy
import functools
import hashlib
import struct
import zlib

import numpy as np

from minigrad import no_grad
from minigrad.kernels import expf, jit

from .nade import NADE

strict = functools.partial(jit, flags=())  # no sum may be reordered, no product fused with a sum
PRECISION, FULL, LEAST = 24, 1 << 32, 1 << 24  # p in units of 2⁻²⁴; range at the start; range is never left below this
LOW, RANGE, PLACE = 0, 1, 2  # what state (3,) holds; a decoder's LOW is the distance from low to the number


@strict
def encode_bit(x_d, p, stream, state):
    """Narrow the interval to the part of x_d, where p / 2²⁴ is the probability of 1; write the bytes that are settled."""
    left = (state[RANGE] * p) >> PRECISION  # below 2⁵⁶: int64 holds it
    if x_d:
        state[RANGE] = left
    else:
        state[LOW] += left
        state[RANGE] -= left
    if state[LOW] >= FULL:
        state[LOW] -= FULL
        carry(stream, state[PLACE] - 1)
    while state[RANGE] < LEAST:  # at most three times: range is at least 1
        stream[state[PLACE]] = state[LOW] >> PRECISION
        state[LOW] = (state[LOW] % LEAST) << 8
        state[RANGE] <<= 8
        state[PLACE] += 1


@strict
def carry(stream, i):
    """Add 1 to the byte at i, as in adding by hand. It never runs over the left end: all numbers are below 1."""
    while stream[i] == 255:
        stream[i] = 0
        i -= 1
    stream[i] += 1


@strict
def decode_bit(p, stream, state):
    """In which part does the number lie? The inverse of encode_bit; after the stream's end come zeros."""
    left = (state[RANGE] * p) >> PRECISION
    x_d = state[LOW] < left
    if x_d:
        state[RANGE] = left
    else:
        state[LOW] -= left
        state[RANGE] -= left
    while state[RANGE] < LEAST:
        following = stream[state[PLACE]] if state[PLACE] < stream.size else 0
        state[LOW] = (state[LOW] << 8) + following
        state[RANGE] <<= 8
        state[PLACE] += 1
    return x_d


@strict
def squash(a, h):
    """h = σ(a)"""
    one = np.float32(1)
    for k in range(a.size):
        h[k] = one / (one + expf(-a[k]))


@strict
def logit(b_d, V_d, h, lanes):
    """b_d + V_d · h in an order that is fixed, and is fast none the less.

    One sum over k would have to wait for each addition. 64 sums, of every 64th term each, need not wait for each other,
    so the processor adds 8 or 16 of them at a time. At the end they are added in pairs.
    """
    n = lanes.size
    lanes[:] = 0
    for start in range(0, h.size, n):
        V_l, h_l = V_d[start : start + n], h[start : start + n]
        for j in range(h_l.size):
            lanes[j] += V_l[j] * h_l[j]
    while n > 1:
        n //= 2
        for j in range(n):
            lanes[j] += lanes[j + n]
    return b_d + lanes[0]


@strict
def probability(z):
    """σ(z) in units of 2⁻²⁴, an integer from 1 to 2²⁴ − 1: p = 0 would leave an interval of length 0."""
    e = np.float64(expf(-abs(z)))
    less_likely = max(np.int64(e / (1 + e) * LEAST), 1)  # at most 2²³
    return LEAST - less_likely if z >= 0 else less_likely


@strict
def code(x, decoding, stream, state, order, W, V, b, c):
    """One example x (D,): encode it, or decode it into x. NADE's Algorithm 1, with float32 numbers."""
    a, h, lanes = c.copy(), np.empty_like(c), np.empty(64, np.float32)  # (H,), (H,), (64,)
    squash(a, h)
    for d in order:
        p = probability(logit(b[d], V[d], h, lanes))
        if decoding:
            x[d] = decode_bit(p, stream, state)
        else:
            encode_bit(x[d], p, stream, state)
        if x[d]:
            for k in range(a.size):
                a[k] += W[d, k]
            squash(a, h)


def write(x, kernel, arrays):
    """(N, D) uint8 -> the bytes of a number in their interval, as few as will do. The kernel is `code` or one like it."""
    most = 3 * x.shape[1] + 1  # bytes an example: three for each bit, and the last one
    stream, state = np.zeros(most << 8, np.uint8), np.array([0, FULL, 0], np.int64)
    for x_i in x:
        if stream.size - state[PLACE] < most:
            stream = np.concatenate([stream, np.zeros_like(stream)])
        kernel(x_i, False, stream, state, *arrays)
    last = -(-state[LOW] // LEAST)  # range is at least 2²⁴, so a multiple of 2²⁴ lies inside: then zeros follow
    if last == 256:
        carry(stream, state[PLACE] - 1)
    stream[state[PLACE]] = last % 256
    return stream[: state[PLACE] + 1].tobytes()


def read(payload, shape, kernel, arrays):
    """The inverse: bytes -> x (N, D) = shape, and the place where reading stopped. ValueError if the bytes end too early.

    Any bytes are the name of some examples: random bytes are the name of samples from the model.
    """
    stream = np.array(bytearray(payload), np.uint8)  # writable as in `write`: then numba runs the same machine code
    state, x = np.array([int.from_bytes(payload[:4].ljust(4, b"\0"), "big"), FULL, 4], np.int64), []
    for i in range(shape[0]):  # a list: a wrong N must not take memory before the bytes end
        x.append(np.zeros(shape[1], np.uint8))
        kernel(x[i], True, stream, state, *arrays)
        if state[PLACE] > len(payload) + 3:
            raise ValueError(f"Codec: {len(payload)} bytes end within example {i} of {shape[0]}: get the file again")
    return np.array(x, np.uint8).reshape(shape), state[PLACE]


MAGIC, VERSION = b"nade", 1
HEADER = struct.Struct("<4sB16sQQI")  # magic, version, fingerprint, number of examples, bytes of payload, CRC of the bits
TAIL = struct.Struct("<I")  # CRC of all that comes before


class Codec:
    """Bits to bytes and back, by a trained NADE.

    It keeps a copy of the model, with float32 numbers: training on does not change it. TypeError for another kind of
    model; ValueError if its numbers are not finite, or so large that sums of them are not.
    """

    def __init__(self, model):
        if not isinstance(model, NADE):
            raise TypeError(f"Codec: the model must be a NADE, not {type(model).__name__}: `code` runs NADE's recursion")
        self.model = copy.deepcopy(model)
        W, V, b, c = (np.array(p.data, np.float32, order="C") for p in (model.W, model.V, model.b, model.c))  # copies
        self.arrays = np.array(model.order, np.int64), W, V, b, c
        largest = [abs(c) + abs(W).sum(axis=0, dtype=float), abs(b) + abs(V).sum(axis=1, dtype=float)]  # of any |a|, |logit|
        if not np.concatenate(largest).max() < 1e38:  # a NaN is not below anything
            raise ValueError("Codec: the sums of the model's weights reach 1e38 or are NaN: load the weights of an earlier epoch")
        self.fingerprint = self.take_fingerprint()

    def take_fingerprint(self):
        """16 bytes that change with every parameter, the order, and any last digit of what `code` computes with them.

        For the latter, an example is encoded: its bytes hang on all D probabilities. (A hash of this source would do, too, but
        it would refuse old files after each edited comment.)
        """
        digest = hashlib.sha256(MAGIC + bytes([VERSION]))
        for array in self.arrays:
            digest.update(str(array.shape).encode() + array.astype(array.dtype.newbyteorder("<")).tobytes())
        probe = (np.arange(self.model.dim) % 7 == 0).astype(np.uint8)  # as many pixels are on as in a digit
        digest.update(write(probe[None], code, self.arrays))
        return digest.digest()[:16]

    def encode(self, x):
        """Bits (N, D) -> bytes. ValueError unless x holds zeros and ones only."""
        x = np.ascontiguousarray(self.model.bits(x), np.uint8)
        payload = write(x, code, self.arrays)
        data = HEADER.pack(MAGIC, VERSION, self.fingerprint, len(x), len(payload), zlib.crc32(np.packbits(x))) + payload
        return data + TAIL.pack(zlib.crc32(data))

    def decode(self, data):
        """The inverse: bytes -> (N, D) uint8. ValueError for whatever `encode` of this very model did not return."""
        count, payload, crc = self.unpack(bytes(memoryview(data)))
        x, place = read(payload, (count, self.model.dim), code, self.arrays)
        if place != len(payload) + 3 or zlib.crc32(np.packbits(x)) != crc:
            raise ValueError(f"Codec: the {count} decoded examples are not those that were encoded: this processor or build "
                             "computes other numbers: decode where it was encoded")  # fmt: skip
        return x

    def ideal_bits(self, x):
        """Σ −log₂ p(x) over the examples (N, D), which no code made from p can beat on average."""
        with no_grad():
            nats = [-self.model.log_prob(x[i : i + 500]).data.sum(dtype=float) for i in range(0, len(x), 500)]
        return sum(nats) / np.log(2)

    def unpack(self, data):
        """A whole file -> number of examples, payload, CRC of the bits; ValueError says what is wrong with it."""
        if len(data) < HEADER.size + TAIL.size or not data.startswith(MAGIC):
            raise ValueError(f"Codec: {len(data)} bytes that begin with {data[:4]!r} are not, or not wholly, a file of Codec.encode: "
                             "give the whole file")  # fmt: skip
        _, version, fingerprint, count, length, crc = HEADER.unpack_from(data)
        payload = data[HEADER.size : -TAIL.size]
        if version != VERSION:
            raise ValueError(f"Codec: the file has format {version}, this code reads {VERSION}: take the code that wrote it")
        if length != len(payload):
            raise ValueError(f"Codec: {len(payload)} bytes of payload where the header says {length}: truncated, or joined with "
                             "something: get the file again")  # fmt: skip
        if TAIL.unpack(data[-TAIL.size :])[0] != zlib.crc32(data[: -TAIL.size]):
            raise ValueError(f"Codec: the checksum of {len(data)} bytes is wrong: the file is damaged: get it again")
        if fingerprint != self.fingerprint:
            raise ValueError(f"Codec: the file was made with model {fingerprint.hex()}, this is {self.fingerprint.hex()}: load the "
                             "weights and the order that encoded it, and run the same build")  # fmt: skip
        if count * self.model.dim > 8 * (length + 4) << 25:  # no bit costs less than 2⁻²⁵ bits
            raise ValueError(f"Codec: {length} bytes of payload cannot hold {count} examples: the file was forged")
        return count, payload, crc
