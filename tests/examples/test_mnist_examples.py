"""made_mnist, nade_mnist and published_split run as a newcomer runs them, only smaller."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def run(folder, *command, coding="cp1252:strict"):
    """The output of `python -m examples...`; fails with its error."""
    env = {**os.environ, "PYTHONIOENCODING": coding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")


@pytest.mark.proof
@pytest.mark.parametrize("name", ["made_mnist", "nade_mnist"])
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path, name):
    out = run(tmp_path, f"examples.{name}", "--debug")
    assert f"{name}.png" in out and (tmp_path / "figures" / f"{name}.png").stat().st_size > 5_000


@pytest.mark.proof
@pytest.mark.parametrize("name, table", [("made_mnist", "bits/dim"), ("nade_mnist", "Algorithm 1")])
@pytest.mark.parametrize("coding", ["cp1252:strict", "cp936:strict"])
def test_quick_run_prints_its_table_on_old_consoles(tmp_path, name, table, coding):
    assert table in run(tmp_path, f"examples.{name}", "--quick", coding=coding)


@pytest.mark.proof
def test_the_same_seed_prints_the_same_losses(tmp_path):
    one, two, other = (
        [line.split("  ")[1:3] for line in run(tmp_path, "examples.made_mnist", "--quick", "--seed", seed).splitlines() if "epoch" in line]
        for seed in ("3", "3", "4")
    )
    assert one == two != other


@pytest.mark.proof
def test_published_split_takes_a_file_and_resumes(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", **{part: (rng.random((400, 784)) < 0.1).astype(np.uint8) for part in ("train", "valid", "test")})
    command = ("examples.published_split", "--data", "data.npz", "--model", "fvsbn")
    first, again = run(tmp_path, *command), run(tmp_path, *command)
    assert "epoch 15/15" in first and "epoch" not in again  # the second found the finished run
    assert first.splitlines()[-1].split()[2:5] == again.splitlines()[-1].split()[2:5]


@pytest.mark.proof
def test_ctrl_c_saves_and_the_next_run_goes_on(tmp_path):
    code = """
import signal, sys
import numpy as np
from minigrad import optim, training
from models.fvsbn import FVSBN
rng = np.random.default_rng(0)
model = FVSBN(9, rng=rng)
x = (rng.random((100, 9)) < 0.3).astype(np.uint8)
def loss(model, batch, rng):
    if steps and optimizer.steps == steps:
        signal.raise_signal(signal.SIGINT)
    return model.nll(batch)
steps, optimizer = int(sys.argv[1]), optim.Adam(model, 0.05)
training.fit(model, x, x, optimizer=optimizer, epochs=4, batch_size=10, rng=rng, loss=loss, path=sys.argv[2])
print(model.W.data.tobytes().hex())
"""
    go = lambda *args: subprocess.run(  # noqa: E731
        [sys.executable, "-c", code, *args], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    stopped = go("13", "run.npz")
    assert stopped.returncode != 0 and "saved to run.npz" in stopped.stderr
    resumed, whole = go("0", "run.npz"), go("0", "other.npz")
    assert resumed.stdout.splitlines()[-1] == whole.stdout.splitlines()[-1] != ""
