r"""How does a program differentiate itself? A whole engine in 100 lines, and then what the real one adds.

The question. A network is a program: many numbers go in, one loss L comes out, and learning asks how L changes with
each number. Nudging them one by one takes a run for each. Reverse-mode differentiation takes one run forward and one
backward, for all of them.

The formula. Cut the program into simple steps. If L depends on x through z = f(x), the chain rule says

    ∂L/∂xᵢ = Σⱼ ∂L/∂zⱼ · ∂zⱼ/∂xᵢ        or in vectors        g_x = gᵀ ∂z/∂x    with g = ∂L/∂z

This is a *vector-Jacobian product*, vjp for short. Each step brings a rule for it, and no rule ever builds the Jacobian
∂z/∂x: for z = tanh(x) the product is g · (1 − z²), for z = x W it is g Wᵀ. Where x feeds several steps, what they send
back is added up. So an engine needs three things: arrays that remember how they were made (`Tensor`, `apply`), a rule
beside each step (`Primitive`), and an order in which to run the rules (`backward`).

What to notice in the picture. Left: 337 numbers, all moved by those rules, have bent a boundary around two moons. Upper
right: the graph of one layer; gradients flow against the arrows and end in the blue leaves. Lower right: tanh and three
of its derivatives. Nobody wrote down the second and the third: a rule is made of steps too, so the engine can
differentiate it again. Each curve crosses zero where the one before it turns.

The common mistake. Let c = a + a and d = c · c. The product sends c two gradients, and the sum sends two to a. Who
overwrites the first with the second loses half, twice. Who adds them, but lets c pass on what it has before all is in,
passes the first one on twice. The first table that this file prints shows both beside the right answer, 8 a.

The names are those of `minigrad/`, where each does the same job. Read on there, in the order that its `__init__` gives.

    python -m examples.autograd_tour         about five seconds; writes figures/autograd_tour.png
"""

from heapq import heappop, heappush
from itertools import count

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

import minigrad
from minigrad import functional, nn, ops, optim, plot
from minigrad.kernels import jit

from .command import options, table

# ======================================================================== Part 1: a whole engine


class Tensor:
    """An array that remembers how it was made. Tensors are the nodes of the graph, their inputs its edges."""

    next_number = count().__next__

    def __init__(self, data, requires_grad=False, primitive=None, inputs=()):
        self.data = np.asarray(data)
        self.requires_grad = requires_grad  # does a gradient flow to it?
        self.grad = None  # ∂L/∂self, shaped like data, once a backward pass has reached this leaf
        self.primitive, self.inputs = primitive, inputs  # how it was made; no primitive: it is a leaf
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
    """A step: `forward`, a function of arrays, and for each input in order a rule, (g, z, *inputs) -> gᵀ ∂z/∂input."""

    def __init__(self, forward, *vjps):
        self.forward, self.vjps = forward, vjps

    def __call__(self, *inputs):
        return apply(self, inputs)


def apply(primitive, inputs):
    """Run a step on the bare arrays, and remember it."""
    inputs = [x if isinstance(x, Tensor) else Tensor(x) for x in inputs]
    z = primitive.forward(*[x.data for x in inputs])
    return Tensor(z, any(x.requires_grad for x in inputs), primitive, inputs)


def backward(output):
    """Walk from the output to the leaves, newest Tensor first, and run the rules of each step.

    Why newest first? In c = a + a; d = c * tanh(c), c may pass on its gradient only when both d and the tanh have sent
    their share. Whatever is made of a Tensor is newer than it, so it has had its turn before.
    """
    upstream = {output: np.ones_like(output.data)}  # ∂L/∂x, as far as it has come in; ∂L/∂L = 1
    heap = [(-output.number, output)]  # heappop takes the smallest: minus the highest number
    while heap:
        _, z = heappop(heap)
        g = upstream.pop(z)  # complete by now
        if z.primitive is None:
            z.grad = g if z.grad is None else z.grad + g
            continue
        arrays = [x.data for x in z.inputs]
        for x, rule in zip(z.inputs, z.primitive.vjps):
            if not x.requires_grad:
                continue
            g_x = unbroadcast(rule(g, z.data, *arrays), x.data.shape)
            if x in upstream:
                upstream[x] = upstream[x] + g_x  # not +=, as a rule may hand out the same array twice
            else:
                upstream[x] = g_x
                heappush(heap, (-x.number, x))


def unbroadcast(g, shape):
    """Sum g down to `shape`: a number that was repeated gets the gradients of all its copies."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))  # over the axes that broadcasting put in front
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)  # and over those it stretched


# The table of steps. z is the output, g = ∂L/∂z; shapes of matmul: (B, n) @ (n, m) -> (B, m).
# fmt: off
#                    z =                            gᵀ ∂z/∂x =                           gᵀ ∂z/∂y =
add =      Primitive(lambda x, y: x + y,            lambda g, z, x, y: g,                lambda g, z, x, y: g)
multiply = Primitive(lambda x, y: x * y,            lambda g, z, x, y: g * y,            lambda g, z, x, y: g * x)
matmul =   Primitive(lambda x, y: x @ y,            lambda g, z, x, y: g @ y.T,          lambda g, z, x, y: x.T @ g)
tanh =     Primitive(lambda x: np.tanh(x),          lambda g, z, x: g * (1 - z * z))
softplus = Primitive(lambda x: np.logaddexp(0, x),  lambda g, z, x: g * (1 - np.exp(-z)))  # z = log(1 + eˣ)
mean =     Primitive(lambda x: np.mean(x),          lambda g, z, x: np.broadcast_to(g / x.size, x.shape))
# fmt: on


def impatient(z, g=1.0, overwrite=False):
    """How not to walk: as soon as something comes in, z passes on what it has."""
    z.grad = g if overwrite or z.grad is None else z.grad + g
    for x, rule in zip(z.inputs, z.primitive.vjps if z.primitive else ()):
        impatient(x, rule(z.grad, z.data, *[y.data for y in z.inputs]), overwrite)


def gradient_at_join(walk):
    """∂d/∂a for c = a + a, d = c · c at a = 3, as `walk` finds it."""
    a = Tensor(3.0, requires_grad=True)
    c = a + a
    walk(c * c)
    return a.grad.item()


# ---- That was the engine. Now something to learn.
def two_moons(n, rng, noise=0.15):
    """n points x (n, 2) on two half circles that interlock, and the half circle s (n, 1) of each: -1 or +1."""
    angle, s = rng.uniform(0, np.pi, (n, 1)), rng.choice([-1.0, 1.0], (n, 1))
    x = np.where(s < 0, [0.0, 0.0], [1.0, 0.5]) - s * np.hstack([np.cos(angle), np.sin(angle)])
    return x + noise * rng.standard_normal((n, 2)), s


def init(sizes, rng):
    """A weight W (in, out) and a bias b (out,) for each layer, from U(±1/√in)."""
    layers = []
    for n, m in zip(sizes[:-1], sizes[1:]):
        W, b = rng.uniform(-1, 1, (n, m)) / np.sqrt(n), rng.uniform(-1, 1, m) / np.sqrt(n)
        layers.append((Tensor(W, requires_grad=True), Tensor(b, requires_grad=True)))
    return layers


def mlp(x, layers):
    """Points (B, 2) -> logits (B, 1)"""
    h = Tensor(x)
    for W, b in layers[:-1]:
        h = tanh(h @ W + b)  # (B, H)
    W, b = layers[-1]
    return h @ W + b


def train(x, s, layers, steps, lr):
    """Gradient descent on all points at once; returns the loss before each step."""
    losses = []
    for _ in range(steps):
        loss = mean(softplus(mlp(x, layers) * -s))  # −log p(s|x) in nats, where p(s|x) = sigmoid(s · logit)
        loss.backward()
        for p in sum(layers, ()):
            p.data = p.data - lr * p.grad
            p.grad = None  # backward adds to what is there
        losses.append(loss.data.item())
    return losses


# ======================================================================== Part 2: what the real engine adds, and why
#
# modules, optimisers   parameters that know their names; one pass over one long array for each step of an optimiser
# NumPy's protocols     np.exp(t) finds our rule, so that no second set of names must be learned
# create_graph          the rules are written in NumPy, hence run on Tensors as well: the gradient is itself a graph
# first_order           a compiled kernel as a step; it leaves no graph, and says so
# trace, gradcheck      to see what runs, and whether it is right
#
# And unseen: a backward pass frees the graph behind it, rules that nobody asked for are skipped, float32 never turns
# float64, errors name the step and the shapes. There, too, each rule is a named function, which a debugger can enter.


def train_minigrad(x, s, layers, steps, lr):
    """The same from the same start, as one writes it with minigrad: modules that know their parameters, optimisers."""
    sizes = [len(layers[0][0].data), *[len(b.data) for _, b in layers]]
    model = nn.MLP(sizes, rng=np.random.default_rng(0), activation="tanh", dtype=np.float64)
    for p, q in zip(model.parameters(), sum(layers, ())):
        p.data = q.data.T  # nn.Linear holds its weight as (out, in)
    optimizer, losses = optim.SGD(model, lr), []
    for _ in range(steps):
        loss = functional.binary_cross_entropy_with_logits(model(x), s > 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def derivatives(function, x, order):
    """function(x) and its derivatives up to `order`, at each number of the array x."""
    t = minigrad.Tensor(x, requires_grad=True)  # (n,)
    ys = [function(t)]
    for _ in range(order):  # each yᵢ depends on its own tᵢ only, so that the gradient of the sum holds every dyᵢ/dtᵢ
        ys += minigrad.grad(ys[-1].sum(), t, create_graph=True)
    return [y.data for y in ys]


@jit
def scan(x, decay):
    r"""yₜ = decay · yₜ₋₁ + xₜ: each entry needs the one before, and NumPy has no function for it"""
    y = x.copy()
    for t in range(1, len(y)):
        y[t] += decay * y[t - 1]
    return y


def leaky_sum_vjp(g, saved, x, decay):
    r"""xₜ is in yₜ and, decayed, in all that follow: the same scan, from the end"""
    return scan(np.ascontiguousarray(g[::-1]), decay)[::-1]


@ops.primitive(leaky_sum_vjp, first_order=True)
def leaky_sum(x, /, decay):
    r"""The scan as a step: returns the output, and what the rule is to have in its place (here nothing)"""
    return scan(x, decay), None


def draw(x, s, layers):
    """The three panels of the figure."""
    figure, mosaic = Figure((12, 5.5), layout="constrained"), [["moons", "graph"], ["moons", "curves"]]
    panels = figure.subplot_mosaic(mosaic, width_ratios=[1.2, 1], height_ratios=[2, 3])
    ax, corners = panels["moons"], (-1.8, 2.8, -1.3, 1.8)
    u, v = np.meshgrid(np.linspace(*corners[:2], 200), np.linspace(*corners[2:], 200))
    logits = mlp(np.column_stack([u.ravel(), v.ravel()]), layers).data.reshape(u.shape)
    p = (1 + np.tanh(logits / 2)) / 2  # the sigmoid
    colours = LinearSegmentedColormap.from_list("", [plot.BLUE, "white", plot.ORANGE])
    image = ax.imshow(p, colours, extent=corners, origin="lower", vmin=0, vmax=1, alpha=0.6, aspect="auto")
    ax.contour(u, v, p, [0.5], colors="black", linewidths=1.5)
    ax.scatter(*x.T, s=22, c=s > 0, cmap=colours, edgecolor="white", linewidth=0.6)
    figure.colorbar(image, ax=ax, label="p(s = +1 | x)")
    ax.set(title="Two moons, s = -1 blue and s = +1 orange; on the line p = 1/2", xlabel="x1", ylabel="x2")

    W, b, points = nn.Parameter(np.ones((2, 16))), nn.Parameter(np.ones(16)), minigrad.Tensor(np.ones((300, 2)))
    plot.draw_graph(np.tanh(points @ W + b), {W: "W", b: "b", points: "x"}, panels["graph"])
    panels["graph"].set_title("The graph of tanh(x @ W + b)")

    ax, t = panels["curves"], np.linspace(-3, 3, 301)
    for y, label in zip(derivatives(np.tanh, t, 3), ("tanh", "1st derivative", "2nd derivative", "3rd derivative")):
        ax.plot(t, y, label=label)
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    ax.set(title="tanh, differentiated by differentiating the derivative", xlabel="x")
    return ax


def main():
    """Run both parts, print the tables, save the figure."""
    chosen = options(__doc__)
    rng, steps = np.random.default_rng(chosen.seed), 400 if chosen.quick else 800
    lr = 0.3  # at 0.5 some seeds overshoot, and rounding errors grow until the two engines part

    print("1. c = a + a; d = c * c; at a = 3 the gradient is 8 a = 24\n")
    rows = [
        ["overwrites", gradient_at_join(lambda d: impatient(d, overwrite=True))],
        ["adds, but does not wait", gradient_at_join(impatient)],
        ["adds and waits", gradient_at_join(backward)],
    ]
    table(["a walk that", "finds"], rows)

    print("\n2. Two moons, learned by the tiny engine and by minigrad from the same start\n")
    x, s = two_moons(300, rng)
    layers = init((2, 16, 16, 1), rng)
    real, tiny = train_minigrad(x, s, layers, steps, lr), train(x, s, layers, steps, lr)  # the second moves `layers`
    rows = [[i, f"{tiny[i]:.12f}", f"{real[i]:.12f}"] for i in (0, *range(steps // 4 - 1, steps, steps // 4))]
    table(["step", "loss (nats), tiny", "loss, minigrad"], rows)
    new_x, new_s = two_moons(1000, rng)
    right, learned = np.mean(mlp(new_x, layers).data * new_s > 0), sum(p.data.size for p in sum(layers, ()))
    print(f"largest difference of the losses in {steps} steps: {np.abs(np.subtract(tiny, real)).max():.1e}")
    print(f"{learned} numbers learned; {right:.1%} of 1,000 new points are on the right side")

    print("\n3. NumPy's own functions take the real Tensor, and trace() shows each step as it runs\n")
    t = minigrad.Tensor([0.5, 1.0], requires_grad=True)
    with minigrad.trace():
        y = np.exp(-t * t).sum()
        y.backward()
    print(f"y = {y}\nt.grad = {t.grad}")

    print("\n4. tanh at x = 0.5, differentiated by differentiating the derivative\n")
    y = np.tanh(0.5)
    closed = [y, 1 - y**2, -2 * y * (1 - y**2), (6 * y**2 - 2) * (1 - y**2)]
    pairs = zip(derivatives(np.tanh, np.array([0.5]), 3), closed)
    table(["order", "minigrad", "closed form"], [[i, f"{y[0]:+.12f}", f"{c:+.12f}"] for i, (y, c) in enumerate(pairs)])

    print("\n5. A step of our own, with a numba kernel\n")
    r = minigrad.Tensor(rng.standard_normal(8), requires_grad=True)
    error = minigrad.gradcheck(lambda r: leaky_sum(r, 0.9), [r.data], rng=rng)
    print(f"its gradient and central differences differ by {error:.0e} (relative)")
    try:
        minigrad.grad(leaky_sum(r, 0.9).sum(), r, create_graph=True)
    except NotImplementedError as message:
        print(f"asked for a second derivative: {message}")
    print(f"\n{plot.save(draw(x, s, layers), chosen.out / 'autograd_tour.png')}")


if __name__ == "__main__":
    main()
