"""What is decoded is what was encoded, the size is −log₂ p, and nothing but a whole file of the same model is decoded."""

import hashlib
import itertools
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numba
import numpy as np
import pytest

from minigrad.datasets import binarized_mnist
from models import codec
from models.codec import Codec
from models.made import MADE
from models.nade import NADE

ROOT = Path(__file__).parents[2]
OVERHEAD = 45  # bytes of a file besides the payload


def nade(D, H, seed=0, scale=1, **options):
    """A NADE whose random weights are scaled, so that its conditionals differ from 1/2."""
    model = NADE(D, H, rng=np.random.default_rng(seed), **options)
    for p in (model.W, model.V):
        p.data = p.data * scale
    return model


def bits(N, D, seed=0, p=0.5):
    return (np.random.default_rng(seed).random((N, D)) < p).astype(np.uint8)


@pytest.fixture(scope="module")
def small():
    """A codec, examples, and the file made of them."""
    code, x = Codec(nade(19, 7, scale=20)), bits(5, 19)
    return code, x, code.encode(x)


# ======================================================================== What comes out is what went in


@pytest.mark.parametrize("D, H", [(1, 1), (2, 70), (30, 5), (17, 130)])
@pytest.mark.parametrize("N", [0, 1, 6])
@pytest.mark.parametrize("options", [{}, {"order": "random"}, {"dtype": np.float64}], ids=str)
def test_decoding_is_the_inverse(D, H, N, options):
    code = Codec(nade(D, H, scale=10, **options))
    for x in (bits(N, D), np.zeros((N, D), np.uint8), np.ones((N, D), np.uint8)):
        y = code.decode(code.encode(x))
        assert y.shape == x.shape and y.dtype == np.uint8 and np.array_equal(x, y)


@pytest.mark.parametrize(
    "x", [bits(4, 9).astype(kind) for kind in (bool, np.int64, np.float32)] + [np.asfortranarray(bits(4, 9)), bits(4, 18)[:, ::2]]
)
def test_all_kinds_of_bits_give_the_same_file(x):
    code = Codec(nade(9, 5))
    assert code.encode(x) == code.encode(np.ascontiguousarray(x, np.uint8))
    assert np.array_equal(code.decode(code.encode(x)), x)


def test_bytes_like_objects_are_decoded(small):
    code, x, data = small
    for kind in (bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)):
        assert np.array_equal(code.decode(kind(data)), x)
    for wrong in (10**15, "nade", None):
        with pytest.raises(TypeError):
            code.decode(wrong)


@pytest.mark.parametrize("b", [1000.0, -1000.0, 30.0, -16.6, np.tile([1000.0, -1000.0, 0.0], 7)], ids=str)
def test_logits_that_are_extreme(b):
    """All that they call impossible can be encoded, for at most 25 bits a bit; what they call certain is nearly free."""
    model = nade(21, 3)
    model.b.data = np.broadcast_to(np.float32(b), 21).copy()
    code = Codec(model)
    likely = np.tile(model.b.data >= 0, (40, 1)).astype(np.uint8)
    for x in (likely, 1 - likely, bits(40, 21)):
        data = code.encode(x)
        assert np.array_equal(code.decode(data), x)
        assert len(data) <= OVERHEAD + 1 + x.size * 25 / 8
    if np.ndim(b) == 0:
        assert len(code.encode(likely)) == OVERHEAD + 1


def test_a_model_that_depends_on_all_it_has_seen():
    """Weights in the thousands: each bit turns the hidden layer over."""
    code, x = Codec(nade(40, 33, scale=1e5)), bits(8, 40)
    assert np.array_equal(code.decode(code.encode(x)), x)


def test_the_codec_keeps_its_own_copy_of_the_model(small):
    model = nade(19, 7, scale=20)
    code = Codec(model)
    data = code.encode(small[1])
    model.W.data = model.W.data + 1
    assert np.array_equal(code.decode(data), small[1]) and data == small[2]


# ======================================================================== The arithmetic coder


def coded_without_shifts(bits, ps):
    """The same interval with Python's integers of any length: no carry is needed, since nothing is written before the end."""
    low, width, shifts = 0, 1 << 32, 0
    for bit, p in zip(bits, ps):
        left = width * p >> 24
        low, width = (low, left) if bit else (low + left, width - left)
        while width < 1 << 24:
            low, width, shifts = low << 8, width << 8, shifts + 1
    number = -(-low >> 24)  # rounded up
    return number.to_bytes(shifts + 1, "big")


@codec.strict
def follow(x, decoding, stream, state, ps):
    """A kernel like `code`, with given probabilities."""
    for d in range(x.size):
        if decoding:
            x[d] = codec.decode_bit(ps[d], stream, state)
        else:
            codec.encode_bit(x[d], ps[d], stream, state)


@pytest.mark.parametrize("seed", range(20))
def test_the_bytes_are_those_of_exact_arithmetic(seed):
    """Probabilities of all sizes, and bits that often are the less likely ones."""
    rng = np.random.default_rng(seed)
    D = 300
    p = np.clip(2.0 ** (24 - rng.integers(0, 25, D)), 1, 2**24 - 1).astype(np.int64)
    p = np.where(rng.random(D) < 0.5, p, 2**24 - p)
    x = (rng.random((1, D)) < (p / 2**24 if seed % 2 else 0.5)).astype(np.uint8)
    payload = codec.write(x, follow, (p,))
    assert payload == coded_without_shifts(x[0].tolist(), p.tolist())
    y, place = codec.read(payload, x.shape, follow, (p,))
    assert np.array_equal(x, y) and place == len(payload) + 3


def test_the_last_byte_may_carry_too():
    """Many short messages: about one in 500 ends so near to the next byte that rounding up carries."""
    rng, carries = np.random.default_rng(0), 0
    for _ in range(2000):
        p, x = rng.integers(1, 2**24, 12), rng.integers(0, 2, (1, 12), dtype=np.uint8)
        payload = codec.write(x, follow, (p,))
        assert payload == coded_without_shifts(x[0].tolist(), p.tolist())
        carries += payload[-1] == 0
    assert carries > 0


def test_room_is_made_for_the_most_expensive_bits():
    """Each bit has p = 2⁻²⁴ and takes 3 bytes, the first one 2, and then there is the last byte."""
    N, D = 1000, 40
    p, x = np.ones(D, np.int64), np.ones((N, D), np.uint8)
    payload = codec.write(x, follow, (p,))
    assert len(payload) == 3 * N * D and payload == coded_without_shifts(x.ravel().tolist(), [1] * N * D)


def test_a_carry_runs_over_bytes_that_are_full():
    stream, state = np.array([17, 255, 255, 0], np.uint8), np.array([2**32 - 5, 2**25, 3], np.int64)
    codec.encode_bit(0, np.int64(2**23), stream, state)  # low moves up by 2²⁴
    assert stream.tolist() == [18, 0, 0, 0] and state.tolist() == [2**24 - 5, 2**24, 3]


def test_carries_are_common_and_run_far():
    """Else the test with exact arithmetic would prove nothing about them: one bit in twenty hands on a carry, and one carry meets a 255."""
    carries, over_255 = 0, 0
    for seed in range(20):
        low, width, digits, rng = 0, 1 << 32, [0], np.random.default_rng(seed)
        for p, bit in zip(rng.integers(1, 2**24, 300).tolist(), rng.integers(0, 2, 300)):
            left = width * p >> 24
            low, width = (low, left) if bit else (low + left, width - left)
            carries += low >> 32
            over_255 += low >> 32 and digits[-1] == 255
            digits[-1] += low >> 32
            low %= 1 << 32
            while width < 1 << 24:
                digits.append(low >> 24)
                low, width = (low << 8) % (1 << 32), width << 8
    assert carries > 100 and over_255 > 0


def test_random_bytes_are_samples_of_the_model():
    """Whatever a good code writes looks random; so what it reads from random bytes is drawn from p."""
    model = nade(4, 5, scale=40)
    states = np.array(list(itertools.product((0, 1), repeat=4)), np.uint8)  # (16, 4)
    p, n = np.exp(model.log_prob(states).data.astype(float)), 2000
    x, _ = codec.read(np.random.default_rng(0).bytes(4 * n), (n, 4), codec.code, Codec(model).arrays)
    seen = np.bincount(x @ [8, 4, 2, 1], minlength=16)
    assert p.max() > 3 * p.min()
    assert ((seen - n * p) ** 2 / (n * p)).sum() < 50  # chi-squared with 15 degrees of freedom


# ======================================================================== Its size, and where p comes from


@pytest.mark.parametrize("order", ["natural", "random"])
def test_the_size_is_what_the_model_says(order):
    model = nade(40, 20, scale=20, order=order)
    x = np.concatenate([model.sample(60, np.random.default_rng(0)), bits(3, 40)])
    code = Codec(model)
    ideal = code.ideal_bits(x)
    assert np.isclose(ideal, -model.log_prob(x).data.sum() / np.log(2))
    size = 8 * (len(code.encode(x)) - OVERHEAD)
    assert ideal - 1 < size < 1.001 * ideal + 16
    assert code.ideal_bits(x[:0]) == 0


def test_its_probabilities_are_those_of_nade():
    model = nade(30, 70, scale=8, order="random")
    x = bits(1, 30)
    order, W, V, b, c = Codec(model).arrays
    a, h, lanes, p = c.copy(), np.empty_like(c), np.empty(64, np.float32), np.empty(30)
    for d in order:
        codec.squash(a, h)
        p[d] = codec.probability(codec.logit(b[d], V[d], h, lanes)) / 2**24
        a += W[d] * x[0, d]
    assert np.abs(p - model.conditionals(x)[0]).max() < 1e-6 and p.std() > 0.1


def test_a_probability_is_never_0_or_1():
    z = np.float32([-1e30, -1000, -17, -16, -3, -1e-3, -0.0, 0, 1e-3, 3, 16, 17, 1000, 1e30])
    p = np.array([codec.probability(z_i) for z_i in z])
    assert p[0] == 1 and p[-1] == 2**24 - 1 and (np.diff(p) >= 0).all() and (p + p[::-1] == 2**24).all()
    assert np.allclose(p[2:-2] / 2**24, 1 / (1 + np.exp(-z[2:-2].astype(float))), atol=2**-23)


PRINT_DIGEST = """
import sys
sys.path.insert(0, sys.argv[1])
import test_codec
print(test_codec.digest(*map(int, sys.argv[2:])))
"""


def digest(D, H, scale):
    """The SHA-256 of a file: two examples, a model with any weights in any order."""
    return hashlib.sha256(Codec(nade(D, H, scale=scale, order="random")).encode(bits(2, D, p=0.3))).hexdigest()


def in_another_process(*sizes, **environment):
    command = [sys.executable, "-c", PRINT_DIGEST, str(Path(__file__).parent), *map(str, sizes)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("sizes", [(150, 130, 30), pytest.param((784, 500, 20), marks=pytest.mark.proof)])
def test_plain_python_and_compiled_code_write_the_same_bytes(sizes):
    other = "0" if numba.config.DISABLE_JIT else "1"
    assert in_another_process(*sizes, NUMBA_DISABLE_JIT=other) == digest(*sizes)


@pytest.mark.proof
def test_code_for_an_old_processor_writes_the_same_bytes(tmp_path):
    """It has neither fused products nor wide vectors, which would change last digits if the compiler were free to use them."""
    sizes = 784, 500, 20
    old = in_another_process(*sizes, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_CACHE_DIR=str(tmp_path))
    assert old == digest(*sizes)


# ======================================================================== Files that are not what they seem


def forge(code, count, payload, x=None, fingerprint=None):
    """A file whose checksums are right."""
    crc = zlib.crc32(np.packbits(np.zeros(0, np.uint8) if x is None else x))
    data = codec.HEADER.pack(codec.MAGIC, 1, fingerprint or code.fingerprint, count, len(payload), crc) + payload
    return data + struct.pack("<I", zlib.crc32(data))


def test_every_flipped_bit_is_found(small):
    code, _, data = small
    for i in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[i // 8] ^= 1 << i % 8
        with pytest.raises(ValueError, match="Codec: "):
            code.decode(damaged)


def test_every_truncation_and_every_added_byte_is_found(small):
    code, _, data = small
    for n in range(len(data)):
        for wrong in (data[:n], data[n + 1 :], data[:n] + b"\0" + data[n:], data[:n] + data[n + 1 :]):
            if wrong != data:
                with pytest.raises(ValueError, match="Codec: "):
                    code.decode(wrong)
    for more in (b"\0", b"\n", data):
        with pytest.raises(ValueError, match="payload where the header says"):
            code.decode(data + more)


@pytest.mark.parametrize("data", [b"", b"nade", b"\x1f\x8b" + bytes(100), bytes(1000)])
def test_a_foreign_file_is_refused(small, data):
    with pytest.raises(ValueError, match="not, or not wholly, a file of Codec.encode"):
        small[0].decode(data)


def test_another_version_is_refused(small):
    code, _, data = small
    with pytest.raises(ValueError, match="format 2, this code reads 1"):
        code.decode(data[:4] + b"\2" + data[5:])


def other_models():
    """Each differs in one thing from nade(19, 7, scale=20)."""
    for name in ("W", "V", "b", "c"):
        model = nade(19, 7, scale=20)
        value = getattr(model, name).data.copy()
        value.flat[-1] = np.nextafter(value.flat[-1], np.float32(1))  # the last digit of one number
        getattr(model, name).data = value
        yield name, model
    yield "order", nade(19, 7, scale=20, order=np.arange(19)[::-1])
    yield "hidden", nade(19, 8, scale=20)
    yield "dim", nade(20, 7, scale=20)


@pytest.mark.parametrize("model", [pytest.param(model, id=name) for name, model in other_models()])
def test_another_model_is_refused(small, model):
    with pytest.raises(ValueError, match="was made with model [0-9a-f]{32}, this is .*load the weights and the order"):
        Codec(model).decode(small[2])


def test_other_arithmetic_has_another_fingerprint(small, monkeypatch):
    """Another last digit somewhere in the kernel's results, the same weights: as if another machine computed otherwise."""

    def other_code(x, decoding, stream, state, order, W, V, b, c):
        b = b.copy()
        b[3] = np.nextafter(b[3] + np.float32(0.1), np.float32(1))
        codec_code(x, decoding, stream, state, order, W, V, b, c)

    codec_code = codec.code
    monkeypatch.setattr(codec, "code", other_code)
    assert Codec(nade(19, 7, scale=20)).fingerprint != small[0].fingerprint
    with pytest.raises(ValueError, match="not those that were encoded"):
        small[0].decode(small[2])


@pytest.mark.parametrize("count", [0, 1, 4, 6, 7, 1000])
def test_a_wrong_count_with_right_checksums_is_found(small, count):
    code, x, data = small
    with pytest.raises(ValueError, match="not those that were encoded|end within example|cannot hold"):
        code.decode(forge(code, count, data[codec.HEADER.size : -4], x))


def test_bytes_that_nobody_needs_are_found(small):
    """Zeros follow the payload anyway: one more changes no example."""
    code, x, data = small
    assert np.array_equal(code.decode(forge(code, len(x), data[codec.HEADER.size : -4], x)), x)
    with pytest.raises(ValueError, match="not those that were encoded"):
        code.decode(forge(code, len(x), data[codec.HEADER.size : -4] + b"\0", x))


@pytest.mark.parametrize("count", [2**40, 2**63, 2**64 - 1])
def test_an_enormous_count_takes_no_memory(small, count):
    code, x, data = small
    with pytest.raises(ValueError, match=f"cannot hold {count} examples"):
        code.decode(forge(code, count, data[codec.HEADER.size : -4], x))


def test_a_count_that_the_bytes_could_hold_ends_with_the_bytes(small):
    code, x, data = small
    began = time.process_time()
    with pytest.raises(ValueError, match="end within example"):
        code.decode(forge(code, 10**6, data[codec.HEADER.size : -4], x))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_with_right_checksums_are_no_file(small, seed):
    code, rng = small[0], np.random.default_rng(seed)
    with pytest.raises(ValueError, match="Codec: "):
        code.decode(forge(code, int(rng.integers(0, 20)), rng.bytes(int(rng.integers(0, 40)))))


# ======================================================================== Bad input


@pytest.mark.parametrize(
    "x, message",
    [(np.zeros((3, 18)), r"shape \(B, 19\), not \(3, 18\)"), (np.zeros(19), "shape"), (np.full((2, 19), 0.5), "0 and 1 only"), (np.full((2, 19), 2), "0 and 1 only")],
)  # fmt: skip
def test_what_is_no_bits_is_refused(small, x, message):
    with pytest.raises(ValueError, match=message):
        small[0].encode(x)


def test_only_a_nade_will_do():
    with pytest.raises(TypeError, match="must be a NADE, not MADE"):
        Codec(MADE(5, (4,), rng=np.random.default_rng(0)))


@pytest.mark.parametrize("name", ["W", "V", "b", "c"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2e38])
def test_weights_that_give_no_numbers_are_refused(name, value):
    model = nade(5, 4)
    wrong = getattr(model, name).data.copy()
    wrong.flat[2] = value
    getattr(model, name).data = wrong
    with pytest.raises(ValueError, match="load the weights of an earlier epoch"):
        Codec(model)


# ======================================================================== The claims


@pytest.mark.proof
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="compiled only: plain Python takes an hour")
def test_ten_thousand_digits():
    """Bit-exact, within 0.1 % of Σ −log₂ p, 3,000 images a second each way (CPU time, the best of three)."""
    data = binarized_mnist()
    model = NADE(784, 500, rng=np.random.default_rng(0))
    model.start_from_means(data.train)
    code, seconds = Codec(model), []
    for _ in range(3):
        t0 = time.process_time()
        file = code.encode(data.test)
        t1 = time.process_time()
        x = code.decode(file)
        seconds.append((t1 - t0, time.process_time() - t1))
        assert np.array_equal(x, data.test)
    ideal = code.ideal_bits(data.test)
    assert ideal < 8 * len(file) < 1.001 * ideal
    assert max(np.min(seconds, axis=0)) < 10_000 / 3_000
