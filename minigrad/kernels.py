r"""Numba: our `jit`, and the kernels that more than one model uses. Importing this file imports numba (0.3 s), so only
who needs a kernel does it.

Three rules of the house. A matrix product stays in NumPy (its BLAS is three times as fast as any loop of ours). A plain
elementwise map stays in NumPy too, whose exp and tanh use the processor's vectors. What must loop, loops here.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numba
import numpy as np

SOURCES = Path(__file__).parent.parent  # minigrad/, models/ and rl/ lie side by side


def cache_folder():
    """A folder for compiled code, named by the hash of all our sources; older ones are removed.

    Numba keys its cache on a function's own file. A function that calls a helper in *another* file would go on running
    the helper's old body after an edit; a new folder for every edit cannot.
    """
    files = [file for package in ("minigrad", "models", "rl") for file in sorted((SOURCES / package).rglob("*.py"))]
    digest = hashlib.sha256(b"".join([numba.__version__.encode(), *(file.read_bytes() for file in files)]))
    parent = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__")
    if not os.access(parent if parent.exists() else parent.parent, os.W_OK):
        parent = Path(tempfile.gettempdir())
    others = sorted(parent.glob("minigrad-numba-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in others[:-3]:  # keep a few: two checkouts or processes may share the parent
        shutil.rmtree(folder, ignore_errors=True)
    return str(parent / f"minigrad-numba-{digest.hexdigest()[:16]}")


CACHE = cache_folder()


def jit(function, flags=("reassoc", "contract", "arcp", "nsz"), inline="never"):
    """Compile at the first call, keep the machine code for the next process.

    error_model="numpy": a division by zero gives inf, as in NumPy, and loops become vector code (Python's check for
    zero would stop that: 10 times slower). The fast-math flags let a sum be split over vector lanes and a product be
    fused with a sum; NaN and infinity keep their meaning. inline="always" copies the body into every compiled caller, for
    helpers of a few nanoseconds: a call that hands arrays over counts references, which costs as much.
    """
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, CACHE  # numba reads it while decorating
    try:
        return numba.njit(cache=True, error_model="numpy", fastmath=set(flags), inline=inline)(function)
    finally:
        numba.config.CACHE_DIR = before


LOG2E, LN2_HIGH, LN2_LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
C2, C3, C4, C5, C6, C7 = [np.float32(c) for c in (0.5, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040)]
HALF, ONE, LARGEST, BIAS = np.float32(0.5), np.float32(1), np.float32(87), np.int32(127)


def expf(x):
    r"""eˣ for float32 x, clamped to |x| ≤ 87, to about 1 ulp, in steps that vectorise (a call to libm's exp does not).

    eˣ = 2ⁿ eʳ with n = round(x / ln 2) and r = x − n ln 2, so |r| ≤ 0.35. For eʳ a polynomial is enough; 2ⁿ is a float
    whose exponent bits are n + 127. ln 2 is split in two, so that n · LN2_HIGH is exact.
    """
    x = min(max(x, -LARGEST), LARGEST)
    n = np.floor(x * LOG2E + HALF)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = ONE + r * (ONE + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * (C6 + r * C7))))))
    return p * np.int32((np.int32(n) + BIAS) << np.int32(23)).view(np.float32)


expf = jit(expf, flags=())  # with "reassoc" the compiler would join LN2_HIGH and LN2_LOW again


@jit
def adam(p, g, m, v, step, beta1, beta2, eps):
    r"""One step of Adam over flat buffers, in place and in one pass through memory (Kingma & Ba 2015, Algorithm 1):

    m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;   p ← p − lr · m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)

    The two corrections are the same for all numbers, so they are moved into step = lr √(1 − β₂ᵗ) / (1 − β₁ᵗ) and
    eps = ε √(1 − β₂ᵗ): p ← p − step · m / (√v + eps). All numbers must have the arrays' type: a stray float64 halves
    the speed.
    """
    one = p.dtype.type(1)
    for i in range(p.size):
        m[i] = beta1 * m[i] + (one - beta1) * g[i]
        v[i] = beta2 * v[i] + (one - beta2) * g[i] * g[i]
        p[i] -= step * m[i] / (np.sqrt(v[i]) + eps)
