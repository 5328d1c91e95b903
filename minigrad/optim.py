r"""Optimisers, learning-rate schedules and gradient clipping, with PyTorch's names.

Each optimiser puts the parameters into flat buffers (`nn.flatten`), so a step is a few passes over one long array.
"""

from weakref import ref

import numpy as np

from .nn import flatten


class Optimizer:
    """What all optimisers share.

    params: a Module or a list of Parameters. ValueError if one of them already has an optimiser.
    lr:     learning rate, may be changed between steps.
    """

    slots = ()  # names of the arrays kept for each flat buffer

    def __init__(self, params, lr):
        self.flats, self.lr, self.steps = flatten(params), lr, 0
        for flat in self.flats:
            if flat.optimizer() is not None:
                raise ValueError("a parameter can have one optimizer only: delete the first, or share it")
            flat.optimizer = ref(self)
        self.state = [{name: np.zeros_like(flat.data) for name in self.slots} for flat in self.flats]

    def zero_grad(self):
        """Forget all gradients."""
        for p in [p for flat in self.flats for p in flat.parameters]:
            p.grad = None

    def step(self):
        """Move the parameters by one step, using their gradients; none counts as 0."""
        self.steps += 1
        for p in [p for flat in self.flats for p in flat.parameters if p.grad is None]:
            p.grad = 0
        for flat, state in zip(self.flats, self.state):
            self.update(flat.data, flat.grad, *state.values())

    def state_dict(self):
        """What a resumed run needs: {"lr", "steps", "state"}."""
        return {"lr": self.lr, "steps": self.steps, "state": [{k: a.copy() for k, a in s.items()} for s in self.state]}

    def load_state_dict(self, state):
        """Continue from a state_dict; ValueError if it belongs to another optimiser or other parameters."""
        shapes, given = ([{k: (a.dtype.name, a.shape) for k, a in s.items()} for s in states] for states in (self.state, state["state"]))
        if shapes != given:
            raise ValueError(f"{type(self).__name__}: the saved state {given} does not fit, {shapes} is needed")
        self.lr, self.steps = state["lr"], state["steps"]
        self.state = [{name: a.copy() for name, a in s.items()} for s in state["state"]]


class SGD(Optimizer):
    r"""b ← μ b + g;  p ← p − lr · b, or with Nesterov p ← p − lr · (g + μ b) (Sutskever et al. 2013)."""

    slots = ("momentum_buffer",)

    def __init__(self, params, lr, momentum=0.0, nesterov=False):
        super().__init__(params, lr)
        self.momentum, self.nesterov = momentum, nesterov

    def update(self, p, g, b):
        """One step, in place."""
        b *= self.momentum
        b += g
        p -= self.lr * (g + self.momentum * b if self.nesterov else b)


class Adam(Optimizer):
    r"""Kingma & Ba 2015, Algorithm 1; the formula stands at `kernels.adam`."""

    slots = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr)
        self.betas, self.eps = betas, eps

    def update(self, p, g, m, v):
        """One step, in place."""
        from .kernels import adam  # here, as it brings in numba

        beta1, beta2 = self.betas
        correction1, correction2 = 1 - beta1**self.steps, (1 - beta2**self.steps) ** 0.5
        numbers = self.lr * correction2 / correction1, beta1, beta2, self.eps * correction2
        adam(p, g, m, v, *map(p.dtype.type, numbers))


class Adagrad(Optimizer):
    r"""s ← s + g²;  p ← p − lr · g / (√s + ε) (Duchi et al. 2011)."""

    slots = ("sum",)

    def __init__(self, params, lr=1e-2, eps=1e-10):
        super().__init__(params, lr)
        self.eps = eps

    def update(self, p, g, s):
        """One step, in place."""
        s += g * g
        p -= self.lr * g / (np.sqrt(s) + self.eps)


def clip_grad_norm_(parameters, max_norm):
    """Scale all gradients by one factor so that their joint norm is at most max_norm; returns the norm before.

    The parameters are put into flat buffers, as an optimiser does.
    """
    grads = [p.grad for flat in flatten(parameters) for p in flat.parameters if p.grad is not None]
    norm = float(np.sqrt(sum(np.vdot(g, g) for g in grads)))
    for g in grads:
        g *= min(1, max_norm / max(norm, 1e-38))
    return norm


class LinearLR:
    """The learning rate goes in a straight line from start_factor to end_factor times the optimiser's, in total_iters."""

    def __init__(self, optimizer, total_iters, start_factor=1.0, end_factor=0.0):
        self.optimizer, self.base, self.steps = optimizer, optimizer.lr, 0
        self.total_iters, self.start_factor, self.end_factor = total_iters, start_factor, end_factor
        optimizer.lr = self.base * self.factor(0.0)

    def factor(self, t):
        """The factor at the fraction t of the way, 0 ≤ t ≤ 1."""
        return self.start_factor + (self.end_factor - self.start_factor) * t

    def step(self):
        """Count one iteration and set the learning rate."""
        self.steps += 1
        self.optimizer.lr = self.base * self.factor(min(self.steps / self.total_iters, 1.0))

    def state_dict(self):
        """What a resumed run needs."""
        return {"base": self.base, "steps": self.steps, "total_iters": self.total_iters}

    def load_state_dict(self, state):
        """Continue from a state_dict."""
        if state["total_iters"] != self.total_iters:
            raise ValueError(f"schedule: saved for {state['total_iters']} iterations, this one has {self.total_iters}")
        self.base, self.steps = state["base"], state["steps"]


class CosineAnnealingLR(LinearLR):
    """The learning rate follows half a cosine from start_factor to end_factor (Loshchilov & Hutter 2017, equation 5)."""

    def factor(self, t):
        """The factor at the fraction t of the way, 0 ≤ t ≤ 1."""
        return super().factor((1 - float(np.cos(np.pi * t))) / 2)
