"""kernels: against plain float64 NumPy. All of it also passes, on the same lines, under NUMBA_DISABLE_JIT=1."""

import os
import tempfile

import numba
import numpy as np
import pytest

from minigrad import kernels

COMPILED = not numba.config.DISABLE_JIT


def expf(x):
    """The kernel, number by number, as float32."""
    return np.array([kernels.expf(v) for v in np.asarray(x, np.float32)], np.float32)


def test_expf_is_within_2_ulp_of_float64_exp_from_minus_80_to_80():
    x = np.concatenate([np.linspace(-80, 80, 2001), np.random.default_rng(0).uniform(-3, 3, 1000)]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    ulp = np.spacing(exact.astype(np.float32)).astype(np.float64)
    assert (np.abs(expf(x) - exact) / ulp).max() <= 2


def test_expf_is_clamped_at_87():
    low, high = expf([-87, 87])
    assert 0 < low < 2e-38 and 6e37 < high < np.inf
    assert (expf([-88, -1000, -np.inf]) == low).all() and (expf([88, 1000, np.inf]) == high).all()


def test_expf_of_0_is_1_and_it_grows():
    x = np.linspace(-5, 5, 501, dtype=np.float32)
    assert expf([0.0, -0.0]).tolist() == [1, 1] and (np.diff(expf(x)) > 0).all()


@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_adam_equals_plain_numpy(dtype, rtol):
    rng = np.random.default_rng(0)
    lr, beta1, beta2, eps = 0.01, 0.9, 0.99, 1e-3
    p, m, v = rng.standard_normal(100), np.zeros(100), np.zeros(100)
    ours = [a.astype(dtype) for a in (p, m, v)]
    for t in range(1, 6):
        g = rng.standard_normal(100)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        p = p - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        root = np.sqrt(1 - beta2**t)
        numbers = [dtype(n) for n in (lr * root / (1 - beta1**t), beta1, beta2, eps * root)]
        kernels.adam(ours[0], g.astype(dtype), ours[1], ours[2], *numbers)
    for a, b in zip(ours, (p, m, v)):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


def test_jit_compiles_and_gives_the_same_numbers_as_python():
    @kernels.jit
    def halves(x):
        total = 0.0
        for i in range(x.size):
            total += x[i] / 2
        return total

    assert halves(np.arange(5.0)) == 5 and hasattr(halves, "signatures") == COMPILED


def test_division_by_zero_gives_infinity_as_in_numpy():
    @kernels.jit
    def divide(x, y):
        return x[0] / y[0]

    with np.errstate(divide="ignore"):
        assert divide(np.ones(1), np.zeros(1)) == np.inf


# ---- the cache


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A tree of sources and a cache folder that may be played with."""
    for package in ("minigrad", "models", "rl"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "a.py").write_text("A = 1\n")
    monkeypatch.setattr(kernels, "SOURCES", tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("package", ["minigrad", "models", "rl"])
def test_an_edit_of_any_source_gives_another_cache_folder(sources, package):
    """Numba alone would go on running the old body of a helper in another file."""
    before = kernels.cache_folder()
    assert kernels.cache_folder() == before and os.path.dirname(before) == str(sources)
    (sources / package / "a.py").write_text("A = 2\n")
    assert kernels.cache_folder() != before


def test_old_cache_folders_are_removed_but_the_last_three(sources):
    for i in range(6):
        folder = sources / f"minigrad-numba-{i}"
        folder.mkdir()
        os.utime(folder, (i + 1, i + 1))
    (sources / "something else").mkdir()
    kernels.cache_folder()
    assert sorted(f.name for f in sources.glob("minigrad-numba-*")) == [f"minigrad-numba-{i}" for i in (3, 4, 5)]
    assert (sources / "something else").exists()


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(sources, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(tempfile, "tempdir", str(sources / "temporary"))
    assert os.path.dirname(kernels.cache_folder()) == str(sources / "temporary")


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled under NUMBA_DISABLE_JIT")
def test_compiled_code_is_kept_in_that_folder():
    expf([0.0])
    assert kernels.expf.stats.cache_path.startswith(kernels.CACHE)
    assert numba.config.CACHE_DIR != kernels.CACHE  # other users of numba keep their own
