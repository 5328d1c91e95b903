r"""Exercises over optimisers: clipping the gradient, which the library does, and AdamW, which it does not hold."""

import numpy as np

from .exercise import Exercise, expect

# ---- clipping the gradient


def with_gradients(get, *gradients):
    """Parameters that have these gradients, None for one that has none."""
    made = [get("minigrad.nn:Parameter")(np.zeros(1 if g is None else np.shape(g), getattr(g, "dtype", np.float64))) for g in gradients]
    for p, g in zip(made, gradients):
        p.grad = None if g is None else g.copy()
    return made


def clipped(get, clip, max_norm, *gradients):
    """What clip returns, and the gradients after it."""
    made = with_gradients(get, *gradients)
    return clip(made, max_norm), [p.grad for p in made]


def clip_by_hand(get):
    """By hand: gradients of norm 5, in two parameters of two types"""
    clip = get("minigrad.optim:clip_grad_norm_")
    call = "clip_grad_norm_([a, b], 1) with a.grad = [3, 0], b.grad = [[4]]"
    norm, (a, b) = clipped(get, clip, 1.0, np.array([3.0, 0.0]), np.float32([[4]]))
    expect(norm, 5.0, f"{call}: the norm before, which it returns,", rtol=1e-6)
    expect(a, np.array([0.6, 0.0]), f"{call}: a.grad after it", rtol=1e-5)
    expect(b, np.float32([[0.8]]), f"{call}: b.grad (float32) after it", rtol=1e-5)


def clip_small(get):
    """Gradients that are small already stay as they are; so do zeros"""
    clip = get("minigrad.optim:clip_grad_norm_")
    norm, (a,) = clipped(get, clip, 1.5, np.array([0.3, -0.4]))
    expect([norm, *a], np.array([0.5, 0.3, -0.4]), "clip_grad_norm_([a], 1.5) with a.grad = [.3, -.4]: the norm returned, then a.grad", rtol=1e-5)
    with np.errstate(all="ignore"):
        norm, (a,) = clipped(get, clip, 1.0, np.zeros(2))
    expect([norm, *a], np.zeros(3), "clip_grad_norm_([a], 1) with a.grad = [0, 0]: the norm returned, then a.grad")


def clip_lists(get):
    """A Module; no gradient at all; the same parameter twice"""
    clip = get("minigrad.optim:clip_grad_norm_")
    norm, (a, _) = clipped(get, clip, 1.0, np.array([2.0]), None)
    expect([norm, *a], np.array([2.0, 1.0]), "clip_grad_norm_([a, b], 1) with a.grad = [2], b.grad = None: the norm, then a.grad", rtol=1e-5)
    layer = get("minigrad.nn:Linear")(2, 1, bias=False, rng=np.random.default_rng(0))
    layer.weight.grad = np.full(layer.weight.shape, 3.0, layer.weight.dtype)
    norm = clip(layer, 1.0)
    expect([norm, *layer.weight.grad.ravel()], np.array([18**0.5, 0.5**0.5, 0.5**0.5]), "clip_grad_norm_(a Linear with weight.grad [[3, 3]], 1): the norm, then the gradient", rtol=1e-5)  # fmt: skip
    (p,) = with_gradients(get, np.array([3.0, 4.0]))
    norm = clip([p, p], 1.0)
    expect([norm, *p.grad], np.array([5.0, 0.6, 0.8]), "clip_grad_norm_([a, a], 1) with a.grad = [3, 4]: the norm, then a.grad", rtol=1e-5)


def clip_probe(f, get):
    """The norm and the gradients of a large one, a small one, and one that stands twice."""
    norm, grads = clipped(get, f, 1.0, np.array([3.0, 1.0]), np.array([4.0, -2.0]))
    small, rest = clipped(get, f, 9.0, np.array([0.5, 1.0]))
    (p,) = with_gradients(get, np.array([3.0, 5.0]))
    return np.concatenate([[norm], *grads, [small], *rest, [f([p, p], 1.0)], p.grad])


CLIP = Exercise(
    id="clip-grad-norm",
    title="clipping all gradients by one factor",
    target="minigrad.optim:clip_grad_norm_",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="minigrad/nn.py: Parameter, Flat and flatten",
    task="parameters: a Module or a list of Parameters, each of which may have a `.grad` or None, which counts as 0. Their "
         "joint norm is that of all the gradients' numbers together, as if they stood in one long vector. If it is above "
         "max_norm, scale all gradients in their own places (`p.grad` afterwards) by one and the same factor, so that it "
         "becomes max_norm; else leave them as they are, zeros too. Return the norm before, a number. A parameter that stands "
         "in the list twice counts once. Types stay as they are. Right to 1 in 100,000.",
    check=(clip_by_hand, clip_small, clip_lists),
    probe=clip_probe,
    equivalent={"1e-38 -> 1.03e-38": "any number far below all norms will do"},
    hints=(
        "Why one factor for all, and not one for each parameter? What stays the same about the step then?",
        "norm = sqrt(sum of all squares, over all parameters); factor = min(1, max_norm / norm).",
        "grads = those of the parameters of flatten(parameters) that are not None; norm = sqrt(sum of vdot(g, g)); for g in "
        "grads: g *= min(1, max_norm / norm), with norm = 0 seen to",
    ),
    why="One factor keeps the direction of the step and changes its length only. flatten puts the parameters into flat "
        "buffers, and drops those that come twice.",
    wrong={
        "each_alone": ((("max_norm / max(norm, 1e-38)", "max_norm / max(float(np.sqrt(np.vdot(g, g))), 1e-38)"),), "each parameter is scaled by its own norm: the direction of the whole gradient changes."),
        "each_number": ((("g *= min(1, max_norm / max(norm, 1e-38))", "np.clip(g, -max_norm, max_norm, out=g)"),), "single numbers are cut off at max_norm: that is clipping by value, not by norm."),
        "enlarges": ((("min(1, max_norm / max(norm, 1e-38))", "max_norm / max(norm, 1e-38)"),), "a gradient smaller than max_norm is blown up to it: the factor must not exceed 1."),
        "forgets_the_root": ((("float(np.sqrt(sum(np.vdot(g, g) for g in grads)))", "float(sum(np.vdot(g, g) for g in grads))"),), "this is the square of the norm: the root is missing."),
        "sum_of_norms": ((("float(np.sqrt(sum(np.vdot(g, g) for g in grads)))", "float(sum(np.sqrt(np.vdot(g, g)) for g in grads))"),), "the norms of the parameters are added; it is the squares that add, as with Pythagoras."),
        "largest_number": ((("float(np.sqrt(sum(np.vdot(g, g) for g in grads)))", "float(max(np.abs(g).max() for g in grads))"),), "this is the largest number of all, not the norm."),
        "new_arrays": ((("g *= min(1, max_norm / max(norm, 1e-38))", "g = g * min(1, max_norm / max(norm, 1e-38))"),), "`g = g * factor` makes a new array: the parameters keep their old gradients. Write g *= factor."),
        "returns_norm_after": ((("return norm", "return min(norm, max_norm)"),), "the norm after clipping is returned: the one before was asked for, since it shows whether training explodes."),
        "counts_twice": ((("for flat in flatten(parameters) for p in flat.parameters if", "for p in (parameters if isinstance(parameters, list) else parameters.parameters()) if"),),
                         "a parameter that stands in the list twice is counted and scaled twice."),
    },
    right={
        "one_vector": """\
def clip_grad_norm_(parameters, max_norm):
    flats = flatten(parameters)
    have = [p for flat in flats for p in flat.parameters if p.grad is not None]
    norm = np.linalg.norm(np.concatenate([p.grad.ravel() for p in have]))
    if norm > max_norm:
        for p in have:
            p.grad = p.grad * p.dtype.type(max_norm / norm)
    return norm
""",
        "pytorch": """\
import math


def clip_grad_norm_(parameters, max_norm):
    parameters = parameters.parameters() if hasattr(parameters, 'parameters') else parameters
    unique = {id(p): p for p in parameters if p.grad is not None}.values()
    total = math.sqrt(sum(float((p.grad ** 2).sum()) for p in unique))
    scale = min(1.0, max_norm / (total + 1e-6))
    for p in unique:
        p.grad *= scale
    return total
""",
    },
)  # fmt: skip

# ---- AdamW


def walk(adamw, steps, p, decay, lr=0.1, eps=1e-2, seed=0):
    """p, m and v, one after the other, after some steps with random gradients that grow."""
    rng, p = np.random.default_rng(seed), p.copy()
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t in range(1, steps + 1):
        adamw(p, (t * rng.standard_normal(p.shape)).astype(p.dtype), m, v, t, lr, 0.9, 0.99, eps, decay)
    return np.concatenate([p, m, v])


def adamw_textbook(p, g, m, v, t, lr, beta1, beta2, eps, decay):
    """Loshchilov & Hutter 2019, Algorithm 2, number by number."""
    for i in range(len(p)):
        m[i] = beta1 * m[i] + (1 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
        p[i] = p[i] - lr * (m[i] / (1 - beta1**t) / ((v[i] / (1 - beta2**t)) ** 0.5 + eps) + decay * p[i])


def adamw_by_hand(get):
    """By hand: the first step, whose size is lr whatever the gradient"""
    p, g, m, v = np.array([[2.0, -1.0], [3.0, -0.5], [0.0, 0.0], [0.0, 0.0]])
    get("answer:adamw")(p, g, m, v, 1, 0.1, 0.9, 0.99, 0.0, 0.5)
    call = "adamw(p=[2, -1], g=[3, -.5], m=v=[0, 0], t=1, lr=.1, .9, .99, eps=0, decay=.5)"
    expect(p, np.array([1.8, -0.85]), f"p after {call}")
    expect(m, np.array([0.3, -0.05]), f"m after {call}")
    expect(v, np.array([0.09, 0.0025]), f"v after {call}")
    expect(g, np.array([3.0, -0.5]), f"g after {call}: it must stay as it is")


def adamw_decay(get):
    """With no gradient only the decay is left; the type stays"""
    p, zero, m, v = np.array([4.0, -1.0]), np.zeros(2), np.zeros(2), np.zeros(2)
    for t in (1, 2):
        get("answer:adamw")(p, zero, m, v, t, 0.5, 0.9, 0.99, 1e-8, 0.2)
    expect(p, 0.81 * np.array([4.0, -1.0]), "p = [4, -1] after two steps with g = [0, 0], lr = .5, decay = .2")
    single = walk(get("answer:adamw"), 3, np.float32([1, -2]), 0.3)
    expect(single, walk(adamw_textbook, 3, np.float32([1, -2]), 0.3), "p, m, v after three steps in float32", rtol=1e-4)


def adamw_path(get):
    """Equal to the textbook, number by number, over twenty steps"""
    for decay in (0.0, 0.3):
        got, want = (walk(f, 20, np.array([1.0, -2.0, 0.5]), decay) for f in (get("answer:adamw"), adamw_textbook))
        for name, mine, ours in zip("pmv", got.reshape(3, 3), want.reshape(3, 3)):
            expect(mine, ours, f"{name} after 20 steps from p = [1, -2, .5], with eps = .01 and decay = {decay}")


ADAMW = Exercise(
    id="adamw",
    title="AdamW: a decay that Adam does not divide away",
    target="answer:adamw",
    kind="variant",
    minutes=25,
    difficulty=2,
    read="minigrad/kernels.py: adam; Adam in minigrad/optim.py",
    task="One step of Adam with *decoupled* weight decay (Loshchilov & Hutter 2019, PyTorch's AdamW): Adam's own step from g "
         "alone, and besides each number of p loses the fraction lr * decay of its value before the step. p, g, m, v are NumPy "
         "arrays of one shape (n,) and type; change p, m and v in place, return nothing. t counts the steps and is 1 in the "
         "first. m and v are the running means as they are, not yet corrected; eps is added to the root of the corrected v. "
         "Plain NumPy will do, it is not compiled.",
    answer='''\
import numpy as np


def adamw(p, g, m, v, t, lr, beta1, beta2, eps, decay):
    """Arrays (n,), then numbers; in place."""
    m[:] = beta1 * m + (1 - beta1) * g
    v[:] = beta2 * v + (1 - beta2) * g * g
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    p -= lr * (step + decay * p)
''',
    check=(adamw_by_hand, adamw_decay, adamw_path),
    probe=lambda f, get: walk(f, 3, np.array([1.0, -2.0]), 0.3),
    hints=(
        "Adam divides g by the root of its mean square. What becomes of a decay that was added to g before that, where "
        "gradients are large?",
        "p <- p - lr * m_hat / (sqrt(v_hat) + eps) - lr * decay * p, with m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t).",
        "m[:] = ...; v[:] = ...; step = m_hat / (sqrt(v_hat) + eps); p -= lr * (step + decay * p)",
    ),
    why="The library holds Adam only. Added to g, the decay would be divided by sqrt(v) like everything else: numbers with "
        "large gradients would then hardly decay.",
    wrong={
        "corrects_in_place": ((("    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)\n", "    m /= 1 - beta1**t\n    v /= 1 - beta2**t\n    step = m / (np.sqrt(v) + eps)\n"),),
                              "the correction is divided into m and v themselves: the next step starts from means that were "
                              "corrected already."),
        "added_to_g": ((('    m[:] =', "    g = g + decay * p\n    m[:] ="), ("(step + decay * p)", "step")), "the decay is added to the gradient: that is Adam with L2, where large gradients divide it away."),
        "without_lr": ((("p -= lr * (step + decay * p)", "p -= lr * step + decay * p"),), "the decay is not multiplied by lr: it then goes on in full when the learning rate falls."),
        "decays_after": ((("p -= lr * (step + decay * p)", "p -= lr * step\n    p -= lr * decay * p"),), "the decay takes its fraction of the new p: the value before the step was meant."),
        "grows": ((("step + decay * p", "step - decay * p"),), "the sign of the decay is flipped: the parameters grow."),
        "not_corrected": ((("m / (1 - beta1**t)", "m"), ("v / (1 - beta2**t)", "v")), "m and v start from 0 and are not corrected for it: the first steps have the wrong size."),
        "corrects_m_only": ((("v / (1 - beta2**t)", "v"),), "only m is corrected: v starts from 0, too, so that the first steps are too large."),
        "t_from_zero": (((" / (1 - beta1**t)", " / (1 - beta1 ** (t + 1))"), ("v / (1 - beta2**t)", "v / (1 - beta2 ** (t + 1))")), "t is 1 in the first step already: there is nothing to add to it."),
        "eps_under_the_root": ((("np.sqrt(v / (1 - beta2**t)) + eps", "np.sqrt(v / (1 - beta2**t) + eps)"),), "eps stands under the root: it is added to the root."),
        "eps_before_correction": ((("np.sqrt(v / (1 - beta2**t)) + eps", "(np.sqrt(v) + eps) / np.sqrt(1 - beta2**t)"),), "eps is added before the correction, which then enlarges it: the library's kernel shrinks it beforehand."),
        "not_in_place": ((("p -= lr * (step + decay * p)", "p = p - lr * (step + decay * p)"),), "`p = p - ...` makes a new array: the caller's p stays as it was. Write p -= or p[:] =."),
        "betas_exchanged": ((("    m[:] =", "    beta1, beta2 = beta2, beta1\n    m[:] ="),), "beta1 and beta2 are exchanged: m is the short memory, v the long one."),
    },
    right={
        "shrinks_first": """\
import numpy as np


def adamw(p, g, m, v, t, lr, beta1, beta2, eps, decay):
    p *= 1 - lr * decay
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g**2 - v)
    c = np.sqrt(1 - beta2**t)
    p -= lr * c / (1 - beta1**t) * m / (np.sqrt(v) + eps * c)
""",
        "loop": """\
import math


def adamw(p, g, m, v, t, lr, beta1, beta2, eps, decay):
    for i, (old, slope) in enumerate(zip(p.tolist(), g.tolist())):
        m[i] = beta1 * m[i] + (1 - beta1) * slope
        v[i] = beta2 * v[i] + (1 - beta2) * slope * slope
        p[i] = old * (1 - lr * decay) - lr * (m[i] / (1 - beta1**t)) / (math.sqrt(v[i] / (1 - beta2**t)) + eps)
""",
        "library": """\
import numpy as np
from minigrad.kernels import adam


def adamw(p, g, m, v, t, lr, beta1, beta2, eps, decay):
    root = (1 - beta2**t) ** 0.5
    p *= 1 - lr * decay
    adam(p, g, m, v, *map(p.dtype.type, (lr * root / (1 - beta1**t), beta1, beta2, eps * root)))
""",
    },
)  # fmt: skip

EXERCISES = (CLIP, ADAMW)
