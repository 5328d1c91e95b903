"""The chapter on value approximation: what its page claims, and a run as a newcomer runs it, only smaller."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import value_approximation as chapter

ROOT = Path(__file__).parents[2]


@pytest.mark.proof
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path):
    env = {**os.environ, "PYTHONIOENCODING": "cp936:strict", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "examples.value_approximation", "--debug"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    out = done.stdout.decode(errors="replace")
    assert "Baird's star" in out and "581.3551" in out
    assert (tmp_path / "figures" / "value_approximation.png").stat().st_size > 20_000


def test_more_features_lower_line_longer_way():
    """Fixed points fall with the order; after a third of the episodes the larger sets are still farther from theirs."""
    curves, lines = chapter.grid_runs(0, 2, 100, 100)
    for kind in ("polynomial", "Fourier"):
        points = [point for name, (_, point) in curves.items() if name.startswith(kind)]
        assert points == sorted(points, reverse=True)
    assert [line[1] for line in lines] == ["3", "6", "10", "4", "9", "16"]


@pytest.mark.proof
def test_to_take_the_clock_for_the_end_makes_the_error_eight_times_as_large():
    right, wrong = chapter.clock_mistake(12_500, 0)
    assert 6 < wrong / right < 10 and right < 0.16


@pytest.mark.proof
def test_the_car_knows_most_steps_at_rest_in_the_valley():
    _, curves, to_go = chapter.car_runs(0, 2, 300)
    row, column = np.unravel_index(to_go.argmax(), to_go.shape)
    assert abs(np.linspace(-0.07, 0.07, 40)[row]) < 0.015 and -0.8 < np.linspace(-1.2, 0.5, 40)[column] < -0.3
    assert to_go[-1, 0] == 0  # never visited
    assert curves[0.5][-50:].mean() < curves[0.5][:5].mean() / 3
