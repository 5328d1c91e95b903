r"""Reverse-mode differentiation: `backward`, `grad`, and the switch `no_grad`."""

from contextlib import contextmanager
from heapq import heappop, heappush

import numpy as np

from .ops import unbroadcast
from .tensor import Mode, Tensor, to_array


def backward(output, gradient=None, retain_graph=False):
    r"""Add ∂output/∂leaf to `.grad` of every leaf.

    gradient: ∂L/∂output, needed unless the output is a single number. RuntimeError if there is no graph, or if an
    earlier backward freed it and did not say retain_graph=True.
    """
    for leaf, g in propagate(output, gradient, retain_graph):
        # a copy at first, as g may be another leaf's gradient too (one in a flat buffer copies anyway)
        leaf.grad = (g if getattr(leaf, "flat", 0) else np.array(g)) if leaf.grad is None else np.add(leaf.grad, g, out=leaf.grad)


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
    retain_graph = create_graph if retain_graph is None else retain_graph
    found = {x.number: Tensor(np.zeros(x.shape, x.dtype)) for x in inputs}
    for x, g in propagate(output, gradient, retain_graph, create_graph, between(output, inputs), set(found)):
        found[x.number] = g if isinstance(g, Tensor) else Tensor(np.asarray(g))
    return tuple(found[x.number] for x in inputs)


def propagate(output, gradient, retain_graph, create_graph=False, visit=None, targets=()):
    r"""Yield (x, ∂L/∂x) for every leaf and target x, walking from the output towards the leaves.

    Why in topological order? Take  c = a + a;  d = c * c.  The product sends c two gradients, and c must wait for both
    before it passes one on to a. Were c to pass on each as it comes, the work would double at every such join; were it
    to pass on only the first, the result would be wrong. A Tensor is always made after its inputs, so "newest first"
    is such an order, with no search: the heap pops the highest creation number, and whatever still owed that Tensor a
    gradient was newer and has been popped already.

    visit, targets: sets of creation numbers; visit=None is all. The walk ends at the oldest target only: a newer one may
    lie on the way to an older.
    """
    if not output.requires_grad:
        raise RuntimeError("the output has no graph: no input required grad, or it was made under no_grad()")
    if gradient is None and output.size != 1:
        raise RuntimeError(f"an output of shape {output.shape} needs `gradient`: or reduce it with .sum()")
    g = np.ones(output.shape, output.dtype) if gradient is None else gradient
    g = g if create_graph and isinstance(g, Tensor) else np.asarray(to_array(g), output.dtype)
    if g.shape != output.shape:
        raise ValueError(f"the output has shape {output.shape}, its gradient {g.shape}")
    output.upstream, heap, waiting = g, [-output.number], {-output.number: output}
    oldest = min(targets, default=None)  # whatever lies behind it is not asked for
    while heap:
        node = waiting.pop(heappop(heap))
        g, node.upstream, primitive = node.upstream, None, node.primitive
        if primitive is None or node.number in targets:
            yield node, g
        if primitive is None or node.number == oldest:
            continue
        inputs, arrays = node.inputs, node.arrays
        y, keywords = node.data, node.keywords
        if inputs is None:
            raise RuntimeError(f"this graph was freed by an earlier backward ({primitive.__name__}, {node.shape}): "
                               "run the forward again, or say retain_graph=True the first time")  # fmt: skip
        if create_graph:  # run the rules on Tensors
            arrays, y = inputs, node
        if primitive.first_order:
            y = node.saved
            if create_graph:
                raise NotImplementedError(f"{primitive.__name__} has first derivatives only, as its rules leave no graph: "
                                          "for more, compose it from the primitives of minigrad.ops")  # fmt: skip
        together = primitive.joint and primitive.joint(g, y, *arrays, **keywords)
        for i, x in enumerate(inputs):
            if not x.requires_grad or visit is not None and x.number not in visit:
                continue
            if together:
                g_x = together[i]
            else:
                rule = primitive.vjps[i]
                g_x = rule(g, y, *arrays, **keywords) if keywords else rule(g, y, *arrays)
            if g_x.shape != x.data.shape:
                g_x = unbroadcast(g_x, x.data.shape)
            for observer in Mode.observers:
                observer.backward(node, i, g, g_x)
            if -x.number in waiting:
                x.upstream = x.upstream + g_x
            else:
                x.upstream, waiting[-x.number] = g_x, x
                heappush(heap, -x.number)
        if not retain_graph and (visit is None or any(x.number in visit for x in inputs)):  # not what nobody passed through
            node.inputs = node.arrays = node.saved = None


def between(output, inputs):
    """Numbers of all Tensors on a path from the output to one of the inputs: oldest first, so inputs are judged first."""
    on_path = {x.number for x in inputs}
    oldest, seen, todo = min(on_path, default=0), {}, [output]
    while todo:
        node = todo.pop()
        if node.requires_grad and node.number >= oldest and node.number not in seen:
            seen[node.number] = node.inputs if node.primitive else ()
            todo += seen[node.number] or ()
    for number in sorted(seen):
        if seen[number] is None or any(x.number in on_path for x in seen[number]):  # None: freed; propagate will say so
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
