r"""A linear world with a quadratic cost: the one control problem whose best policy is known in closed form.

    x' = A x + B u + σ · noise,     r = −(xᵀ Q x + uᵀ R u),     return Σ γᵗ r_t

The value of the best policy is quadratic too, v(x) = −xᵀ P x − γ σ² tr(P) / (1 − γ). Put that into the Bellman equation
and maximise over u: P solves the Riccati equation, and the best action is linear in x whatever the noise,

    P = Q + γ Aᵀ P A − γ² Aᵀ P B (R + γ Bᵀ P B)⁻¹ Bᵀ P A,      u = −K x,   K = γ (R + γ Bᵀ P B)⁻¹ Bᵀ P A

So a learned policy can be compared with the truth, number by number. (Bertsekas, Dynamic Programming and Optimal Control)
The truth is that of a world without bounds and without end: it holds here as long as |K x| stays within max_action, and
for a learner that takes a truncated episode for what it is, one that would have gone on.
"""

import numpy as np

from ..mdp import check_gamma
from ..spaces import Box
from .environment import Environment


def check_cost(M, name, at_least):
    """ValueError unless the matrix is symmetric and no direction costs less than that: the Riccati equation needs both."""
    if not np.allclose(M, M.T):
        raise ValueError(f"LQR: {name} must be symmetric, not {M.tolist()}: ({name} + {name}.T) / 2 costs the same")
    if (lowest := np.linalg.eigvalsh(M)[0]) < at_least:
        kind = "positive eigenvalues" if at_least > 0 else "no negative eigenvalue"
        raise ValueError(f"LQR: {name} must have {kind}, not {lowest:.6g}: nothing may pay, and no action be free")


class LQR(Environment):
    """A (n, n), B (n, m), Q (n, n), R (m, m), or plain numbers for n = m = 1.

    noise: σ, the standard deviation of what is added to each entry of x'; max_action: the bound on |u|; episodes start
    from U(±1)ⁿ and are truncated after max_episode_steps: few, so that what is seen spreads over all of ±1. Left alone, x
    stays as it is in the default world; with A > 1 it runs away, and an agent that only tries things out soon loses it.
    ValueError if the shapes do not fit, a number is not finite, Q or R is not symmetric, Q has a negative
    eigenvalue or R one that is not positive, or σ is negative.
    """

    def __init__(self, A=1.0, B=1.0, Q=1.0, R=1.0, noise=0.0, max_action=1.0, max_episode_steps=5):
        self.A, self.B, self.Q, self.R = matrices = [np.atleast_2d(np.asarray(M, np.float64)) for M in (A, B, Q, R)]
        n, m = self.B.shape[0], self.B.shape[-1]
        if [M.shape for M in matrices] != [(n, n), (n, m), (n, n), (m, m)]:
            shapes = ", ".join(f"{name} {M.shape}" for name, M in zip("ABQR", matrices))
            raise ValueError(f"LQR: shapes must be A (n, n), B (n, m), Q (n, n), R (m, m), not {shapes}")
        for name, M in zip("ABQR", matrices):
            if not np.isfinite(M).all():
                raise ValueError(f"LQR: {name} must be finite, not {M.tolist()}")
        check_cost(self.Q, "Q", at_least=-1e-12 * np.abs(self.Q).max())
        check_cost(self.R, "R", at_least=np.finfo(float).tiny)
        if not 0 <= noise < np.inf:
            raise ValueError(f"LQR: noise must be at least 0, not {noise}")
        self.noise, self.state = noise, np.zeros(n)
        super().__init__(Box(-np.inf, np.inf, (n,)), Box(-max_action, max_action, (m,)), max_episode_steps)

    def begin(self, options):
        """options["state"], or U(±1)ⁿ."""
        n = len(self.A)
        start = np.array(options["state"] if "state" in options else self.rng.uniform(-1, 1, n), np.float64)
        if start.shape != (n,) or not np.isfinite(start).all():
            raise ValueError(f"LQR: the state must be {n} finite numbers, of shape {(n,)}, not {options['state']!r}")
        self.state = start
        return self.state.astype(np.float32)

    def move(self, action):
        """One step; the reward is that of the state before it."""
        x, u = self.state, np.asarray(action, np.float64)
        reward = -(x @ self.Q @ x + u @ self.R @ u)
        self.state = self.A @ x + self.B @ u
        if self.noise:
            self.state = self.state + self.noise * self.rng.standard_normal(len(x))
        return self.state.astype(np.float32), reward, False

    def riccati(self, gamma, tolerance=1e-12, most=100_000):
        """P (n, n) and the best gain K (m, n), by repeating the equation from P = Q, which is value iteration.

        ValueError if P grows without bound, as no gain then keeps the cost finite, or still changes after `most` rounds.
        """
        gamma, P, change, rounds = check_gamma(gamma), self.Q, np.inf, 0
        while change > tolerance * np.abs(P).max():
            K = gamma * np.linalg.solve(self.R + gamma * self.B.T @ P @ self.B, self.B.T @ P @ self.A)  # (m, n)
            P, before = self.Q + gamma * self.A.T @ P @ (self.A - self.B @ K), P
            change, rounds = np.abs(P - before).max(), rounds + 1
            if rounds == most or np.abs(P).max() > 1e12 * np.abs(self.Q).max():
                raise ValueError(f"LQR: with gamma = {gamma} the Riccati equation has no solution, or one out of reach: after "
                                 f"{rounds:,} rounds P is {np.abs(P).max():.3g} and grows. No gain holds this world")  # fmt: skip
        return P, K

    def render(self, width=402, strip=40):
        """RGB image (n · strip, width, 3): a line for each entry of x, from −2 to 2 with a tick at each whole number.

        An entry beyond that is shown at the edge, in red.
        """
        image = np.full((len(self.state) * strip, width, 3), 255, np.uint8)
        column = lambda x: 4 + round((np.clip(x, -2, 2) + 2) / 4 * (width - 9))
        for x, line in zip(self.state, image.reshape(-1, strip, width, 3)):
            middle = strip // 2
            line[middle] = 160
            for tick in range(-2, 3):
                line[middle - 8 : middle + 9, column(tick)] = 160
            line[middle - 4 : middle + 5, column(x) - 4 : column(x) + 5] = (43, 108, 176) if abs(x) <= 2 else (204, 77, 77)
        return image
