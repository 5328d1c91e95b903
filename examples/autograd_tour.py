r"""How does a program differentiate itself? A whole engine in 100 lines, and then what the real one adds.

The question. A network is a program: many numbers go in, one loss L comes out, and learning wants ∂L/∂x for every number
x on the way. Nudging them one at a time costs a run each. Reverse-mode differentiation costs one run forward and one
backward, for all of them.

The formula. Cut the program into simple steps. If L depends on x through z = f(x), the chain rule says

    ∂L/∂xᵢ = Σⱼ ∂L/∂zⱼ · ∂zⱼ/∂xᵢ        or in vectors        g_x = gᵀ ∂z/∂x    with g = ∂L/∂z

This is a *vector-Jacobian product*, vjp for short. Every step brings a rule for it, and no rule ever builds the Jacobian
∂z/∂x: for z = tanh(x) the product is g · (1 − z²), for z = x W it is g Wᵀ. Where x feeds several steps, what they
send back is added up. So an engine needs three things: arrays that remember how they were made (`Tensor`, `apply`), a
rule beside each step (`primitive`, `vjp`), and an order in which to run the rules (`backward`).

What to notice in the picture. Left: 17 · 16 + 65 numbers, all moved by those rules, have bent a boundary between two moons.
Upper right: the graph that the engine walks, here of one layer; gradients flow against the arrows, to the blue leaves
only. Lower right: tanh and three derivatives of it. Nobody wrote down the second and the third: the rules are functions
themselves, so the engine can differentiate them too. Each derivative crosses zero where the one before has an extremum.

The common mistake. Let c = a + a and d = c · c. The product sends c two gradients, as does the sum to a. Whoever
overwrites the first with the second loses a part. Whoever adds them up, but lets c pass on what it has before all has
arrived, passes the first on twice. The first table shows both, beside the right answer 8a.

    python -m examples.autograd_tour [--quick] [--seed 0]        a few seconds; writes figures/autograd_tour.png

The names are those of `minigrad/`, where each has the same job. Read on there in the order that `minigrad/__init__.py` gives.
"""

from heapq import heappop, heappush
from itertools import count

import numpy as np
from matplotlib.figure import Figure

import minigrad
from minigrad import functional, nn, ops, optim, plot
from minigrad.kernels import jit

from .command import options, table

# ======================================================================== Part 1: a complete engine


class Tensor:
    """An array that remembers how it was made. The Tensor is the node of the graph; its inputs are the edges."""

    next_number = count().__next__

    def __init__(self, data, requires_grad=False, primitive=None, inputs=()):
        self.data = np.asarray(data)
        self.requires_grad = requires_grad  # does a gradient flow to it?
        self.grad = None  # ∂L/∂self, of the shape of data, once `backward` has run
        self.primitive, self.inputs = primitive, inputs  # how it was made; a leaf was not made by anything
        self.number = Tensor.next_number()  # order of creation

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return multiply(self, other)

    def __matmul__(self, other):
        return matmul(self, other)

    def backward(self):
        """Add ∂self/∂leaf to the `.grad` of every leaf."""
        backward(self)


class Primitive:
    """A step: `forward`, a function of arrays, and for each input a rule (its vjp), in the order of the inputs."""

    def __init__(self, forward):
        self.forward, self.vjps = forward, []

    def vjp(self, rule):
        """Register the rule of the next input: rule(g, output, *inputs) -> gᵀ ∂output/∂input."""
        self.vjps.append(rule)
        return rule

    def __call__(self, *inputs):
        return apply(self, inputs)


primitive = Primitive  # so that it reads like what it is used as: a decorator


def apply(primitive, inputs):
    """Run the step on bare arrays, and remember it."""
    inputs = [x if isinstance(x, Tensor) else Tensor(x) for x in inputs]
    data = primitive.forward(*[x.data for x in inputs])
    return Tensor(data, any(x.requires_grad for x in inputs), primitive, inputs)


def backward(output):
    """Walk from the output to the leaves, newest Tensor first, and run every step's rules.

    Why newest first? A Tensor may pass its gradient on only when all that used it have sent their share. What uses a
    Tensor is made after it, so by the time it is the newest one left, all of them have had their turn.
    """
    upstream = {output: np.ones_like(output.data)}  # ∂L/∂x as far as it has come in; ∂L/∂L = 1
    heap = [(-output.number, output)]  # heappop takes the smallest: minus the highest number
    while heap:
        _, z = heappop(heap)
        g = upstream.pop(z)  # complete now
        if z.primitive is None:
            z.grad = g if z.grad is None else z.grad + g
            continue
        arrays = [x.data for x in z.inputs]
        for x, rule in zip(z.inputs, z.primitive.vjps):
            if not x.requires_grad:
                continue
            g_x = unbroadcast(rule(g, z.data, *arrays), x.data.shape)
            if x in upstream:
                upstream[x] = upstream[x] + g_x  # not +=: a rule may have handed the same array to somebody else
            else:
                upstream[x] = g_x
                heappush(heap, (-x.number, x))


def unbroadcast(g, shape):
    """Sum g down to `shape`: a number that was repeated gets the gradients of all its copies."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))  # axes that broadcasting put in front
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)  # and those it stretched


# ---- the table of steps: each is a forward and, right under it, its rules. g = ∂L/∂z, and z is the output.
@primitive
def add(x, y):
    return x + y


@add.vjp
@add.vjp
def add_vjp(g, z, x, y):
    return g


@primitive
def multiply(x, y):
    return x * y


@multiply.vjp
def multiply_vjp_x(g, z, x, y):
    return g * y


@multiply.vjp
def multiply_vjp_y(g, z, x, y):
    return g * x


@primitive
def matmul(x, y):
    return x @ y  # (B, n) @ (n, m) -> (B, m)


@matmul.vjp
def matmul_vjp_x(g, z, x, y):
    return g @ y.T  # (B, m) @ (m, n) -> (B, n): among all products of g and y, the one whose shape fits


@matmul.vjp
def matmul_vjp_y(g, z, x, y):
    return x.T @ g  # (n, B) @ (B, m) -> (n, m)


@primitive
def tanh(x):
    return np.tanh(x)


@tanh.vjp
def tanh_vjp(g, z, x):
    return g * (1 - z * z)


@primitive
def softplus(x):
    return np.logaddexp(0, x)  # log(1 + eˣ), which must not overflow


@softplus.vjp
def softplus_vjp(g, z, x):
    return g * (1 - np.exp(-z))  # the sigmoid of x


@primitive
def mean(x):
    return np.mean(x)


@mean.vjp
def mean_vjp(g, z, x):
    return np.broadcast_to(g / x.size, x.shape)


# ---- what it is good for: a network that learns
SIZES = (2, 16, 16, 1)


def two_moons(n, rng, noise=0.12):
    """n points x (n, 2) on two half circles that interlock, and the circle s (n, 1) of each: -1 or +1."""
    angle, s = rng.uniform(0, np.pi, (n, 1)), rng.choice([-1.0, 1.0], (n, 1))
    x = s * np.hstack([-np.cos(angle), -np.sin(angle)]) + np.where(s > 0, [1.0, 0.5], [0.0, 0.0])
    return x + noise * rng.standard_normal((n, 2)), s


def init(rng):
    """Weights (in, out) and biases (out,) from U(-1/√in, 1/√in), drawn in the order of minigrad's nn.MLP."""
    layers = []
    for n, m in zip(SIZES[:-1], SIZES[1:]):
        W, b = rng.uniform(-1, 1, (m, n)).T / np.sqrt(n), rng.uniform(-1, 1, m) / np.sqrt(n)
        layers.append((Tensor(W, requires_grad=True), Tensor(b, requires_grad=True)))
    return layers


def mlp(x, layers):
    """Points (B, 2) -> logits (B, 1)."""
    h = Tensor(x)
    for W, b in layers[:-1]:
        h = tanh(h @ W + b)  # (B, 16)
    W, b = layers[-1]
    return h @ W + b  # (B, 1)


def loss_of(x, s, layers):
    """The mean of -log p(s | x) in nats, where p(s | x) = sigmoid(s · logit): softplus(-s · logit)."""
    return mean(softplus(mlp(x, layers) * -s))


def train(x, s, layers, steps, lr=0.5):
    """Gradient descent on all points at once; returns the loss before each step."""
    losses = []
    for _ in range(steps):
        loss = loss_of(x, s, layers)
        loss.backward()
        for p in sum(layers, ()):
            p.data = p.data - lr * p.grad
            p.grad = None  # backward adds: forget, or the next step sees the sum of both
        losses.append(loss.data.item())
    return losses
