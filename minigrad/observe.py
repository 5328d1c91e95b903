r"""Watching the engine: `trace` prints every operation, `detect_anomaly` stops at the first NaN."""

import linecache
import sys
from contextlib import contextmanager

import numpy as np

from .tensor import Mode, to_array


@contextmanager
def observe(observer):
    """Show every operation inside to `observer.forward` and every rule's result to `observer.backward`."""
    before, Mode.observers = Mode.observers, (*Mode.observers, observer)
    try:
        yield
    finally:
        Mode.observers = before


def trace():
    """`with minigrad.trace():` prints each operation forward and each rule backward as it runs, with shapes."""
    return observe(Trace)


class Trace:
    """The observer behind `trace`."""

    def forward(primitive, arrays, y):
        """Print the shapes."""
        print(f"forward   {primitive.__name__:<12} {', '.join(str(np.shape(a)) for a in arrays)} -> {y.shape}")

    def backward(node, i, g, g_x):
        """Print the shapes, and which input the gradient is for."""
        print(f"backward  {node.primitive.__name__:<12} {g.shape} -> {g_x.shape} for input {i}")


def detect_anomaly():
    """`with minigrad.detect_anomaly():` raises FloatingPointError at the first NaN or infinity, forward or backward.

    The message names the operation, says what its inputs were like, and quotes the forward line that called it.
    """
    return observe(Anomaly)


class Anomaly:
    """The observer behind `detect_anomaly`."""

    def forward(primitive, arrays, y):
        """Check the output, and note the line."""
        y.line = calling_line()
        Anomaly.check(f"the output of {primitive.__name__}", y.data, arrays, y.line)

    def backward(node, i, g, g_x):
        """Check what a rule has computed."""
        what = f"the gradient that {node.primitive.__name__} sends to its input {i}"
        line = getattr(node, "line", "(made before detect_anomaly)")
        Anomaly.check(what, g_x, [*node.arrays, g], line)

    def check(what, result, inputs, line):
        """FloatingPointError if the result has a NaN or infinity."""
        if not np.isfinite(result).all():
            bad = np.count_nonzero(~np.isfinite(result))
            about = "; ".join(f"{a.shape} from {a.min():.4g} to {a.max():.4g}" for a in map(to_array, inputs) if a.size)
            raise FloatingPointError(f"{what} has {bad} NaN or infinite of {result.size}; inputs: {about}\n  {line}")


def calling_line():
    """File, number and text of the innermost line that is not the engine's own."""
    frame, engine = sys._getframe(1), __file__.removesuffix("observe.py")
    while frame.f_back and (frame.f_code.co_filename.startswith(engine) or "contextlib" in frame.f_code.co_filename):
        frame = frame.f_back
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{number}: {linecache.getline(file, number).strip()}"
