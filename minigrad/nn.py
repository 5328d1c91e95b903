r"""Modules: parameters that find each other, layers, initialisers, and `flatten`."""

import copy

import numpy as np

from . import functional as F
from .tensor import Tensor


class Parameter(Tensor):
    """A leaf that is learned. Assignment to `.data` and `.grad` copies into its own memory, so that a view stays one."""

    __slots__ = ("flat", "has_grad", "__dict__")

    def __init__(self, data, dtype=None):
        super().__init__(Tensor(data, dtype=dtype).data.copy(), requires_grad=True)
        self.flat = None  # the Flat whose buffers it is a view of

    @property
    def data(self):
        """Its numbers; an assignment copies into them."""
        return Tensor.data.__get__(self)

    @data.setter
    def data(self, value):
        if not hasattr(self, "flat"):  # the constructor's first assignment
            return Tensor.data.__set__(self, value)
        if np.shape(value) != self.shape:
            raise ValueError(f"Parameter: data of shape {self.shape} cannot become {np.shape(value)}")
        self.data[...] = value

    @property
    def grad(self):
        """Its gradient; None until a backward pass has reached it since it was last set to None."""
        return Tensor.grad.__get__(self) if self.has_grad else None

    @grad.setter
    def grad(self, value):
        self.has_grad = value is not None
        if getattr(self, "flat", None) is None:
            Tensor.grad.__set__(self, value)
        elif self.has_grad:
            Tensor.grad.__get__(self)[...] = value

    def __deepcopy__(self, memo):
        """Copies of views would each have memory of their own: copy all of a flat buffer's, then flatten them anew."""
        group = self.flat.parameters if self.flat else [self]
        for p in group:
            memo[id(p)] = new = Parameter(p.data)
            new.requires_grad, new.grad = p.requires_grad, None if p.grad is None else p.grad.copy()
        if self.flat:
            memo[id(self.flat)] = Flat([memo[id(p)] for p in group])
        return memo[id(self)]


class Flat:
    """Parameters of one type in one buffer, their gradients in another; the parameters are views of it.

    Then an optimiser's step, zeroing, clipping and averaging are one pass over memory each.
    """

    def __init__(self, parameters):
        self.parameters, self.optimizer = parameters, lambda: None  # the optimiser that has taken them, as a weak reference
        self.data = np.concatenate([p.data.ravel() for p in parameters])
        self.grad = np.zeros_like(self.data)
        end = 0
        for p in parameters:
            start, end = end, end + p.size
            self.grad[start:end] = 0 if p.grad is None else p.grad.ravel()
            Tensor.data.__set__(p, self.data[start:end].reshape(p.shape))
            Tensor.grad.__set__(p, self.grad[start:end].reshape(p.shape))
            p.flat = self

    def __deepcopy__(self, memo):
        return copy.deepcopy(self.parameters[0], memo).flat


def flatten(parameters):
    """Move parameters (of a Module, or in a list) into flat buffers, one Flat for each number type.

    A parameter that comes twice counts once. If exactly these are flat already, nothing moves.
    ValueError if some of them are flat together with others.
    """
    parameters = parameters.parameters() if isinstance(parameters, Module) else parameters
    parameters = list({id(p): p for p in parameters}.values())
    if not parameters:
        raise ValueError("flatten: there are no parameters")
    groups = [[p for p in parameters if p.dtype == dtype] for dtype in sorted({p.dtype for p in parameters}, key=str)]
    for group in groups:
        if group[0].flat is None or [id(p) for p in group[0].flat.parameters] != [id(p) for p in group]:
            if any(p.flat is not None for p in group):
                raise ValueError("flatten: a parameter is already in a flat buffer with others: flatten the whole once")
            Flat(group)
    return [group[0].flat for group in groups]


class Module:
    """Holds parameters and other modules as attributes, also in lists and tuples, and finds them again by name."""

    def named_parameters(self, prefix=""):
        """Yield (name, Parameter) pairs, "layers.0.weight" and so on, in order of assignment; a tied one comes once."""
        pairs = list(walk(self, prefix))
        return iter([pair for i, pair in enumerate(pairs) if not any(pair[1] is p for _, p in pairs[:i])])

    def parameters(self):
        """The parameters, in order of assignment."""
        return [p for _, p in self.named_parameters()]

    def constants(self):
        """Arrays by name that are not learned, but without which the parameters mean nothing (an order, a mask)."""
        return {}

    def state_dict(self):
        """A copy of every parameter's array, by name, and the constants."""
        return {name: p.data.copy() for name, p in self.named_parameters()} | self.constants()

    def load_state_dict(self, state):
        """Set all parameters from a state_dict. ValueError lists all that is missing, unexpected or wrongly shaped, and
        constants that differ from the module's own: it must be built as the saved one was, with the same seed."""
        parameters, constants = dict(self.named_parameters()), self.constants()
        own = {name: p.data for name, p in parameters.items()} | constants
        wrong = [f"missing: {name}" for name in own if name not in state]
        wrong += [f"unexpected: {name}" for name in state if name not in own]
        for name in own.keys() & state.keys():
            if np.shape(state[name]) != own[name].shape:
                wrong.append(f"wrong shape: {name} is {np.shape(state[name])}, must be {own[name].shape}")
            elif name in constants and (state[name] != own[name]).any():
                wrong.append(f"another {name}: build the module with the seed of the saved one")
        if wrong:
            raise ValueError(f"load_state_dict: {type(self).__name__} does not fit:\n  " + "\n  ".join(sorted(wrong)))
        for name, p in parameters.items():
            p.data = state[name]

    def zero_grad(self):
        """Forget all gradients."""
        for p in self.parameters():
            p.grad = None

    def __call__(self, *args, **keywords):
        return self.forward(*args, **keywords)


def walk(value, name):
    """Yield (name, Parameter) for every parameter in a module, list, tuple or dict, tied ones again."""
    if isinstance(value, Parameter):
        yield name, value
    items = vars(value) if isinstance(value, Module) else value if isinstance(value, dict) else {}
    items = dict(enumerate(value)) if isinstance(value, (list, tuple)) else items
    for key, item in items.items():
        yield from walk(item, f"{name}.{key}" if name else str(key))


def uniform(shape, bound, rng, dtype=np.float32):
    """A Parameter drawn from U(−bound, bound)."""
    return Parameter(rng.uniform(-bound, bound, shape), dtype)


def xavier_uniform(fan_in, fan_out, rng, dtype=np.float32):
    """Weights (fan_out, fan_in) from U(±√(6 / (in + out))), for tanh and sigmoid (Glorot & Bengio 2010, equation 16)."""
    return uniform((fan_out, fan_in), np.sqrt(6 / (fan_in + fan_out)), rng, dtype)


def kaiming_uniform(fan_in, fan_out, rng, dtype=np.float32):
    """Weights (fan_out, fan_in) from U(±√(6 / in)), variance 2 / in, for relu (He et al. 2015, equation 10)."""
    return uniform((fan_out, fan_in), np.sqrt(6 / fan_in), rng, dtype)


class Linear(Module):
    r"""y = x Wᵀ + b, W (out_features, in_features); W and b start from U(±1/√in), as in PyTorch."""

    def __init__(self, in_features, out_features, *, rng, bias=True, dtype=np.float32):
        bound = 1 / np.sqrt(in_features)
        self.weight = uniform((out_features, in_features), bound, rng, dtype)
        self.bias = uniform(out_features, bound, rng, dtype) if bias else None

    def forward(self, x):
        """(..., in_features) -> (..., out_features)"""
        return F.linear(x, self.weight, self.bias)


ACTIVATIONS = {"relu": F.relu, "tanh": F.tanh, "sigmoid": F.sigmoid, "softplus": F.softplus, "silu": F.silu}


def activation_named(name):
    """The function of that name; ValueError lists the names there are."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {name!r}")
    return ACTIVATIONS[name]


class Sequential(Module):
    """Layers, or functions like F.relu, one after another."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        """The last layer's output"""
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """Linear layers with an activation between them: MLP((2, 16, 1), rng=rng)."""

    def __init__(self, sizes, *, rng, activation="relu", dtype=np.float32):
        layers, function = [], activation_named(activation)
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
            layers += [Linear(fan_in, fan_out, rng=rng, dtype=dtype), function]
        super().__init__(*layers[:-1])
