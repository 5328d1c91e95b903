"""One runnable script per chapter: `python -m examples` lists them.

Before NumPy is imported, set what must be set before: one BLAS thread (two of them, waiting for each other on a busy
machine, are 10 times slower than one), and, for --debug, kernels that run as plain Python.
"""

import os
import sys

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(name, "1")
if "--debug" in sys.argv:
    os.environ["NUMBA_DISABLE_JIT"] = "1"
broken = [b.removeprefix("--break=") if b != "--break" else after for b, after in zip(sys.argv, [*sys.argv[1:], ""]) if b.startswith("--break")]
if broken:  # a known mistake, grafted into the library before anything of it is imported
    from .homework.museum import break_library

    break_library(broken[0])
