r"""`Tensor`: an array that remembers how it was made, and `apply`, which makes one.

The Tensor *is* the node of the graph. One that a primitive made holds the primitive, its inputs and a creation number;
nothing points from an input to what was made of it, so a graph is free of cycles and is gone the moment its last Tensor
is.

There is one spelling: operators and NumPy's own functions (`np.exp(t)`) where NumPy has the function, `functional` and
`ops` otherwise, methods for shapes, sum, mean and backward.
"""

from itertools import count

import numpy as np

from . import ops

# Their answers are piecewise constant, hence plain arrays.
PLAIN = """less less_equal greater greater_equal equal not_equal sign isnan isinf isfinite
           argmax argmin argsort shape ndim size zeros_like ones_like"""
PLAIN = {getattr(np, name) for name in PLAIN.split()}
next_number, new, ndarray, NO_KEYWORDS = count().__next__, object.__new__, np.ndarray, {}


class Mode:
    """What `no_grad`, `trace` and `detect_anomaly` switch."""

    recording = True
    observers = ()


def operators(primitive):
    """The methods for `self * other` and `other * self`, say."""
    return lambda self, other: apply(primitive, (self, other)), lambda self, other: apply(primitive, (other, self))


def comparison(ufunc):
    """The method for `self < other`, say: a plain array of booleans."""
    return lambda self, other: ufunc(to_array(self), to_array(other))


class Tensor:
    """An array with a gradient.

    data:          np.ndarray of float32, float64, integers or bool. A Python list of floats becomes float32; an array
                   keeps its type and is shared, not copied: do not change it, nor an index array, before backward.
    requires_grad: whether gradients flow to it; TypeError if the numbers are not floats.
    grad:          np.ndarray of the same shape, added to by `backward`; None before.
    """

    # number: order of creation. primitive: what made it, None for a leaf. inputs: of the primitive, as Tensors, None once
    # a backward pass has freed them. arrays: their data. upstream: the gradient that has come in, during a backward
    # pass. saved: what a first-order primitive keeps for its rules. line: the forward call, noted by detect_anomaly.
    __slots__ = ("data", "requires_grad", "grad", "number", "primitive", "inputs", "arrays", "keywords",
                 "upstream", "saved", "line", "__weakref__")  # fmt: skip

    def __init__(self, data, requires_grad=False, dtype=None):
        array = np.asarray(to_array(data))
        if dtype is None and array.dtype == np.float64 and not isinstance(data, (Tensor, ndarray, np.generic)):
            dtype = np.float32  # a Python float, or a list of them
        for kind in (array.dtype, np.dtype(dtype or array.dtype)):
            if kind.kind not in "biu" and kind not in (np.float32, np.float64):
                raise TypeError(f"Tensor: numbers of type {kind} are not supported: use float32 or float64")
        array = array.astype(dtype or array.dtype, copy=False)
        if requires_grad and array.dtype.kind != "f":
            raise TypeError(f"Tensor: {array.dtype} numbers have no gradient: cast them with .astype(np.float32)")
        self.data, self.requires_grad, self.grad = array, requires_grad, None
        self.number, self.primitive = next_number(), None

    # ---- NumPy's protocols: np.exp(t) and np.sum(t) arrive here
    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if method != "__call__" or keywords:
            raise TypeError(f"np.{ufunc.__name__}: {method} with {list(keywords)} is not possible on a Tensor")
        if ufunc in ops.TABLE:
            return apply(ops.TABLE[ufunc], inputs)
        return self.__array_function__(ufunc, (), inputs, {})

    def __array_function__(self, function, types, args, keywords):
        primitive = function if isinstance(function, ops.Primitive) else ops.TABLE.get(function)
        if function in PLAIN and "out" not in keywords:
            return function(*map(to_array, args), **{name: to_array(x) for name, x in keywords.items()})
        if primitive is None:
            name = f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"
            raise TypeError(f"{name} has no rule for Tensors (minigrad.ops has them all): call it on t.detach().numpy()")
        if primitive.variadic and primitive is not function and args:  # NumPy's concatenate and stack take one sequence
            args, keywords = tuple(args[0]), dict(zip(("axis",), args[1:]), **keywords)
        inputs, keywords = primitive.split(args, keywords)
        if not any(isinstance(x, Tensor) for x in inputs):
            raise TypeError(f"{primitive.__name__}: a Tensor must be an input, given by position, not {list(keywords)}")
        return apply(primitive, inputs, keywords)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("a Tensor does not turn into an array by itself, it would lose its graph: use .detach().numpy()")

    # ---- operators
    __add__, __radd__ = operators(ops.add)
    __sub__, __rsub__ = operators(ops.subtract)
    __mul__, __rmul__ = operators(ops.multiply)
    __truediv__, __rtruediv__ = operators(ops.divide)
    __pow__, __rpow__ = operators(ops.power)
    __matmul__, __rmatmul__ = operators(ops.matmul)
    __neg__ = lambda self: apply(ops.negative, (self,))
    __lt__, __le__, __eq__ = comparison(np.less), comparison(np.less_equal), comparison(np.equal)
    __gt__, __ge__, __ne__ = comparison(np.greater), comparison(np.greater_equal), comparison(np.not_equal)
    __hash__ = object.__hash__

    def __getitem__(self, index):
        index = tuple(map(to_array, index)) if isinstance(index, tuple) else to_array(index)
        return apply(ops.getitem, (self,), dict(index=index))

    def __setitem__(self, index, value):
        raise TypeError("a Tensor cannot be assigned to in place, as a graph may need its old values:\n"
                        "  t = np.where(mask, value, t)  # a new one\n  t.data[index] = value  # outside a graph")  # fmt: skip

    # ---- shapes, sums
    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    T = property(lambda self: apply(ops.transpose, (self,)))

    def reshape(self, *shape):
        """The same numbers in another shape: `t.reshape(2, -1)` or `t.reshape((2, -1))`."""
        return apply(ops.reshape, (self,), dict(shape=shape[0] if len(shape) == 1 else shape))

    def sum(self, axis=None, keepdims=False):
        """Sum along an axis, a tuple of axes, or all of them."""
        return apply(ops.sum, (self,), dict(axis=axis, keepdims=keepdims))

    def mean(self, axis=None, keepdims=False):
        """Mean along an axis, a tuple of axes, or all of them."""
        return apply(ops.mean, (self,), dict(axis=axis, keepdims=keepdims))

    def astype(self, dtype):
        """The same numbers as another type; between float types the gradient flows through."""
        return apply(ops.astype, (self,), dict(dtype=dtype)) if np.dtype(dtype).kind == "f" else Tensor(self, dtype=dtype)

    def backward(self, gradient=None, retain_graph=False):
        """Add dself/dleaf to the `.grad` of every leaf that self was made of: see `autograd.backward`."""
        from .autograd import backward  # autograd.py comes after this file and imports it

        backward(self, gradient, retain_graph)

    def detach(self):
        """The same data, cut off from the graph."""
        return Tensor(self.data)

    def numpy(self):
        """The array itself; TypeError while gradients flow to it (`detach` first)."""
        if self.requires_grad:
            raise TypeError("numpy() on a Tensor that requires grad would lose its graph: use .detach().numpy()")
        return self.data

    def item(self):
        """The one number it holds, as a Python number."""
        return self.data.item()

    __float__, __int__, __bool__ = [lambda self, to=to: to(self.item()) for to in (float, int, bool)]
    __len__, __iter__ = lambda self: len(self.data), lambda self: (self[i] for i in range(len(self.data)))

    def __repr__(self):
        made = f", from {self.primitive.__name__}" if self.primitive else ""
        numbers = np.array2string(self.data, precision=4, threshold=20, edgeitems=2, separator=", ", prefix="Tensor(")
        about = f"{self.shape} {self.dtype}{', requires_grad' * self.requires_grad}{made}"
        return f"{type(self).__name__}({numbers}, {about})"


def to_array(x):
    """The array of a Tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def apply(primitive, inputs, keywords=NO_KEYWORDS):
    """Run a primitive on a tuple of inputs, at least one of them a Tensor, and remember how its output was made."""
    if len(inputs) == 2:  # written out, as this function is most of the cost of a small operation
        x, y = inputs
        if not (isinstance(x, Tensor) and isinstance(y, Tensor)) or x.data.dtype is not y.data.dtype:
            x, y = inputs = alike(primitive, inputs)
        arrays, wanted = (x.data, y.data), x.requires_grad or y.requires_grad
    elif len(inputs) == 1:
        arrays, wanted = (inputs[0].data,), inputs[0].requires_grad
    else:
        inputs = alike(primitive, inputs)
        arrays, wanted = tuple([x.data for x in inputs]), any([x.requires_grad for x in inputs])
    try:
        data = primitive.forward(*arrays, **keywords) if keywords else primitive.forward(*arrays)
    except (ValueError, IndexError) as error:
        raise type(error)(explain(primitive, arrays, keywords, error)) from None
    z = new(Tensor)
    if primitive.first_order:
        data, z.saved = data
    z.data = data if type(data) is ndarray else np.asarray(data)  # a full sum gives a NumPy scalar
    z.grad = z.primitive = None
    z.number, z.requires_grad = next_number(), wanted and Mode.recording
    if z.requires_grad:
        z.primitive, z.inputs = primitive, inputs
        z.arrays, z.keywords = arrays, keywords
    for observer in Mode.observers:
        observer.forward(primitive, arrays, z)
    return z


def alike(primitive, inputs):
    """All inputs as Tensors of one float type: Python numbers, NumPy scalars, lists and integers take that of the others.

    TypeError if two float types meet: a float32 model that turns float64 unnoticed is half as fast.
    """
    floats = {x.dtype for x in inputs if isinstance(x, (Tensor, ndarray)) and x.dtype.kind == "f"}
    if len(floats) > 1:
        names = " meets ".join(sorted(map(str, floats)))
        raise TypeError(f"{primitive.__name__}: {names}: cast one of them, x.astype(np.float32)")
    kept = "fb" if floats else "fbiu"  # booleans stay what they are, conditions
    return tuple([
        x if isinstance(x, Tensor) and x.dtype.kind in kept
        else Tensor(x, dtype=None if not floats or getattr(x, "dtype", None) == bool else min(floats))
        for x in inputs
    ])  # fmt: skip


def explain(primitive, arrays, keywords, error):
    """NumPy's message, headed by the name of the primitive and the shapes."""
    shapes = [np.shape(a) for a in arrays]
    if primitive is ops.matmul and all(shapes) and shapes[0][-1] != shapes[1][-2:][0]:
        return f"matmul: {shapes[0]} @ {shapes[1]}: inner sizes {shapes[0][-1]} and {shapes[1][-2:][0]} differ"
    return f"{primitive.__name__}: {' and '.join(map(str, shapes))}{f' with {keywords}' if keywords else ''}: {error}"
