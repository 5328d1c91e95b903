"""The tiny runs of rl/'s agents with networks: see `tiny_runs.py`."""

from .tiny_runs import run  # noqa: F401
