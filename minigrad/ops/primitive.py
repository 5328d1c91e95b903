"""What a primitive is: a function of NumPy arrays, and for each input the rule that sends a gradient back to it.

No Tensor in sight. A primitive finds out what to do by NumPy's own protocol (NEP 18): if an argument is not a plain
array and has a method `__array_function__`, that method is asked; else the function runs on the arrays as they are.
So the same rules run on bare arrays in an ordinary backward pass, and on Tensors when the gradient itself is to be
differentiated.
"""

import numpy as np

TABLE = {}  # NumPy's function -> our primitive of the same name: how np.exp(tensor) finds its rule


class Primitive:
    r"""A differentiable function z = f(x, y, ...; keywords).

    forward:     a NumPy ufunc, whose arguments are all *inputs*, which may get a gradient; or a plain NumPy function
                 whose arguments before the `/` (or `*arrays`) are, while all others are keywords, like an axis.
    vjps:        one rule for each input, in their order. With the upstream gradient g = ∂L/∂z, the rule for x returns
                 the vector-Jacobian product gᵀ ∂z/∂x. It is called as rule(g, z, *inputs, **keywords). It need not
                 undo broadcasting: the engine sums the result down to the shape of the input.
    joint:       or one rule that returns the gradients of all inputs as a tuple.
    first_order: forward returns (z, saved) and the rules get `saved` in the place of z. They may then call kernels or
                 write in place, so they cannot be differentiated again, and say so. (g may be a read-only view: a
                 kernel gets np.ascontiguousarray(g).)
    """

    def __init__(self, forward, vjps, joint, first_order):
        self.forward, self.vjps, self.joint, self.first_order = forward, vjps, joint, first_order
        self.__name__, self.__doc__, self.__module__ = forward.__name__, forward.__doc__, getattr(forward, "__module__", None)
        self.n_inputs, self.keyword_names, self.variadic = getattr(forward, "nin", 0), (), False
        if not isinstance(forward, np.ufunc):
            code = forward.__code__
            self.n_inputs, self.variadic = code.co_posonlyargcount, bool(code.co_flags & 0x04)  # 0x04: has *arrays
            self.keyword_names = code.co_varnames[self.n_inputs : code.co_argcount]

    def split(self, args, keywords):
        """Sort a call's arguments into inputs and keywords; TypeError if there are too many or too few."""
        n, names = self.n_inputs, self.keyword_names
        if self.variadic:
            return args, keywords
        if not n <= len(args) <= n + len(names):
            raise TypeError(f"{self.__name__} takes {n} inputs, then {list(names)}; got {len(args)} arguments")
        return args[:n], dict(zip(names, args[n:]), **keywords)

    def __call__(self, *args, **keywords):
        for x in args:
            if type(x) is not np.ndarray and hasattr(x, "__array_function__"):
                return x.__array_function__(self, (type(x),), args, keywords)
        y = self.forward(*args, **keywords)
        return y[0] if self.first_order else y


def primitive(*vjps, joint=None, first_order=False):
    """Decorator that makes a Primitive of a function and its rules: `exp = primitive(exp_vjp)(np.exp)`.

    A ufunc of NumPy, and in ops/ any function of NumPy with the same name, then takes Tensors: np.exp(t) finds it here.
    """

    def make(forward):
        made = Primitive(forward, vjps, joint, first_order)
        if isinstance(forward, np.ufunc) or made.__module__.startswith(__package__ + "."):
            TABLE[getattr(np, made.__name__, made)] = made
        return made

    return make


def unbroadcast(g, shape):
    """Sum g down to `shape`: the adjoint of broadcasting is the sum over what was repeated."""
    if g.ndim > len(shape):
        g = np.sum(g, axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return np.sum(g, axis=stretched, keepdims=True) if stretched else g
