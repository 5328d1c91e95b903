r"""Reverse-mode differentiation: `backward`, `grad`, and the switches `no_grad`, `trace`, `detect_anomaly`."""

import linecache
import sys
from contextlib import contextmanager
from heapq import heappop, heappush
from pathlib import Path

import numpy as np

from .ops import unbroadcast
from .tensor import Mode, Tensor


def backward(output, gradient=None, retain_graph=False):
    r"""Add ∂output/∂leaf to `.grad` of every leaf.

    gradient: ∂L/∂output, needed unless the output is a single number. RuntimeError if there is no graph, or if an
    earlier backward freed it and did not say retain_graph=True.
    """
    for leaf, g in propagate(output, gradient, retain_graph):
        if leaf.grad is None:
            leaf.grad = np.array(g)  # a copy: a rule may hand the same array to two inputs
        else:
            np.add(leaf.grad, g, out=leaf.grad)


def grad(output, inputs, gradient=None, retain_graph=None, create_graph=False):
    r"""∂output/∂input for each input, as a tuple of Tensors; never writes to `.grad`.

    inputs:       a Tensor or a sequence of them. Only nodes on a path from the output to one of them are visited.
                  An input that the output does not depend on gets zeros.
    create_graph: make the gradients part of a graph, so that they can be differentiated again.
    retain_graph: keep the graph for another pass; the default is create_graph.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for x in inputs:
        if not x.requires_grad:
            raise RuntimeError(f"grad: {x!r} does not require grad: make it with requires_grad=True")
    found = propagate(
        output, gradient, create_graph if retain_graph is None else retain_graph, create_graph, between(output, inputs), inputs
    )  # fmt: skip
    gradients = {x.number: g for x, g in found}
    zeros = (gradients.get(x.number, np.zeros(x.shape, x.dtype)) for x in inputs)
    return tuple(g if isinstance(g, Tensor) else Tensor(np.asarray(g)) for g in zeros)


def propagate(output, gradient, retain_graph, create_graph=False, visit=None, targets=()):
    r"""Yield (x, ∂L/∂x) for every leaf and target x, walking from the output towards the leaves.

    Why in topological order? Take  c = a + a;  d = c * c.  The product sends c two gradients, and c must wait for both
    before it passes one on to a. Were c to pass on each as it comes, the work would double at every such join; were it
    to pass on only the first, the result would be wrong. A Tensor is always made after its inputs, so "newest first"
    is such an order, with no search: the heap pops the highest creation number, and whatever still owed that Tensor a
    gradient was newer and has been popped already.

    visit: numbers of the Tensors to visit, or None for all.
    """
    if not output.requires_grad:
        raise RuntimeError("backward: the output has no graph: no input required grad, or it was made under no_grad()")
    if gradient is None and output.size != 1:
        raise RuntimeError(f"backward: an output of shape {output.shape} needs `gradient`: or reduce it with .sum()")
    g = np.ones(output.shape, output.dtype) if gradient is None else gradient
    g = g if isinstance(g, Tensor) else np.asarray(g, output.dtype)
    if g.shape != output.shape:
        raise ValueError(f"backward: the output has shape {output.shape}, its gradient {g.shape}")
    g = g if create_graph or not isinstance(g, Tensor) else g.data
    wanted = {x.number for x in targets}
    output.upstream, heap, waiting = g, [-output.number], {-output.number: output}
    while heap:
        node = waiting.pop(heappop(heap))
        g, node.upstream, primitive = node.upstream, None, node.primitive
        if primitive is None or node.number in wanted:
            yield node, g
        if primitive is None:
            continue
        inputs = node.inputs
        if inputs is None:
            raise RuntimeError(
                f"backward: this graph was freed by an earlier backward ({primitive.__name__}, {node.shape}): "
                "run the forward again, or say retain_graph=True the first time"
            )
        arrays, y, keywords = node.arrays, node.data, node.keywords
        if create_graph:  # run the rules on Tensors
            arrays, y = inputs, node
        if primitive.first_order:
            y = only_first_order(node, create_graph)
        rules = primitive.vjps or hand_out(primitive.joint(g, y, *arrays, **keywords))
        for i, x in enumerate(inputs):
            if not x.requires_grad or visit is not None and x.number not in visit:
                continue
            rule = rules[i]
            if keywords or len(arrays) > 2:
                g_x = rule(g, y, *arrays, **keywords)
            elif len(arrays) == 2:
                g_x = rule(g, y, arrays[0], arrays[1])
            else:
                g_x = rule(g, y, arrays[0])
            if g_x.shape != x.data.shape:
                g_x = unbroadcast(g_x, x.data.shape)
            if Mode.observers:
                for observer in Mode.observers:
                    observer.backward(node, i, g, g_x)
            number = -x.number
            if number in waiting:
                x.upstream = x.upstream + g_x
            else:
                x.upstream = g_x
                waiting[number] = x
                heappush(heap, number)
        if not retain_graph:
            node.inputs = node.arrays = node.saved = None


def hand_out(gradients):
    """Rules that only hand out what one joint rule has computed."""
    return [lambda *_, g_x=g_x, **__: g_x for g_x in gradients]


def only_first_order(node, create_graph):
    """What a first-order primitive saved for its rules; NotImplementedError if they are to be differentiated."""
    if create_graph:
        raise NotImplementedError(
            f"{node.primitive.__name__} has first derivatives only: its rules call kernels or write in place, which "
            "leaves no graph. For second derivatives compose it from the primitives of minigrad.ops"
        )
    return node.saved


def between(output, inputs):
    """Numbers of all Tensors on a path from the output to one of the inputs: oldest first, so inputs are judged first."""
    on_path = {x.number for x in inputs}
    oldest, seen, todo = min(on_path), {}, [output]
    while todo:
        node = todo.pop()
        if node.requires_grad and node.number >= oldest and node.number not in seen:
            seen[node.number] = node.inputs or () if node.primitive else ()
            todo += seen[node.number]
    for number in sorted(seen):
        if any(x.number in on_path for x in seen[number]):
            on_path.add(number)
    return on_path


@contextmanager
def no_grad():
    """Inside, nothing is recorded: `with no_grad():`, or `@no_grad()` above a function."""
    before, Mode.recording = Mode.recording, False
    try:
        yield
    finally:
        Mode.recording = before


def is_grad_enabled():
    """Whether operations are being recorded."""
    return Mode.recording


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
        print(f"forward   {primitive.__name__:<12} {', '.join(str(np.shape(a)) for a in arrays)} -> {y.shape}")

    def backward(node, i, g, g_x):
        print(f"backward  {node.primitive.__name__:<12} {g.shape} -> {g_x.shape}")


def detect_anomaly():
    """`with minigrad.detect_anomaly():` raises FloatingPointError at the first NaN or infinity, forward or backward.

    The message names the operation, says what its inputs were like, and quotes the forward line that called it.
    """
    return observe(Anomaly)


class Anomaly:
    """The observer behind `detect_anomaly`."""

    def forward(primitive, arrays, y):
        y.line = calling_line()
        Anomaly.check(f"the output of {primitive.__name__}", y.data, arrays, y.line)

    def backward(node, i, g, g_x):
        line = getattr(node, "line", "(made before detect_anomaly)")
        Anomaly.check(f"the gradient that {node.primitive.__name__} sends to its input {i}", g_x, [*node.arrays, g], line)

    def check(what, result, inputs, line):
        bad = np.count_nonzero(~np.isfinite(result))
        if bad:
            about = "; ".join(statistics(a) for a in inputs)
            raise FloatingPointError(f"{what} has {bad} NaN or infinite of {result.size}; inputs: {about}\n  {line}")


def statistics(a):
    """Shape, range and mean of an array, in one line."""
    a = np.asarray(a.data if isinstance(a, Tensor) else a)
    return f"{a.shape} from {a.min():.4g} to {a.max():.4g}, mean {a.mean():.4g}" if a.size else f"{a.shape}"


def calling_line():
    """File, number and text of the innermost line that is not the engine's own."""
    frame, engine = sys._getframe(1), str(Path(__file__).parent)
    while frame.f_back and (frame.f_code.co_filename.startswith(engine) or "contextlib" in frame.f_code.co_filename):
        frame = frame.f_back
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{number}: {linecache.getline(file, number).strip()}"
