r"""A linear world with a quadratic cost: the one control problem whose best policy is known in closed form.

    x' = A x + B u + σ · noise,     r = −(xᵀ Q x + uᵀ R u),     return Σ γᵗ r_t

The value of the best policy is quadratic too, v(x) = −xᵀ P x − const. Put that into the Bellman equation and maximise
over u: P solves the Riccati equation, and the best action is linear in x whatever the noise,

    P = Q + γ Aᵀ P A − γ² Aᵀ P B (R + γ Bᵀ P B)⁻¹ Bᵀ P A,      u = −K x,   K = γ (R + γ Bᵀ P B)⁻¹ Bᵀ P A

So a learned policy can be compared with the truth, number by number. (Bertsekas, Dynamic Programming and Optimal Control)
"""

import numpy as np

from ..spaces import Box
from .environment import Environment


class LQR(Environment):
    """A (n, n), B (n, m), Q (n, n), R (m, m), or plain numbers for n = m = 1.

    noise: σ, the standard deviation of what is added to each entry of x'; max_action: the bound on |u|; episodes start
    from U(±1)ⁿ and are truncated after max_episode_steps. The default is an unstable world: left alone, x grows by 10 %
    a step.
    """

    def __init__(self, A=1.1, B=0.5, Q=1.0, R=0.5, noise=0.0, max_action=2.0, max_episode_steps=20):
        self.A, self.B, self.Q, self.R = (np.atleast_2d(np.asarray(M, np.float64)) for M in (A, B, Q, R))
        n, m = self.B.shape
        if self.A.shape != (n, n) or self.Q.shape != (n, n) or self.R.shape != (m, m):
            shapes = [M.shape for M in (self.A, self.B, self.Q, self.R)]
            raise ValueError(f"LQR: A (n, n), B (n, m), Q (n, n), R (m, m) do not fit together: {shapes}")
        self.noise = noise
        super().__init__(Box(-np.inf, np.inf, (n,)), Box(-max_action, max_action, (m,)), max_episode_steps)

    def begin(self, options):
        """options["state"], or U(±1)ⁿ."""
        n = len(self.A)
        self.state = np.array(options.get("state", self.rng.uniform(-1, 1, n)), np.float64)
        if self.state.shape != (n,):
            raise ValueError(f"LQR: the state must have shape {(n,)}, not {self.state.shape}")
        return self.state.astype(np.float32)

    def move(self, action):
        """One step; the reward is that of the state before it."""
        x, u = self.state, np.asarray(action, np.float64)
        reward = -(x @ self.Q @ x + u @ self.R @ u)
        self.state = self.A @ x + self.B @ u
        if self.noise:
            self.state = self.state + self.noise * self.rng.standard_normal(len(x))
        return self.state.astype(np.float32), reward, False

    def riccati(self, gamma, tolerance=1e-12):
        """P (n, n) and the best gain K (m, n), by repeating the equation from P = Q, which is value iteration.

        ValueError if P grows without bound, as no gain can then stabilise the world.
        """
        P, change = self.Q, np.inf
        while change > tolerance * np.abs(P).max():
            K = gamma * np.linalg.solve(self.R + gamma * self.B.T @ P @ self.B, self.B.T @ P @ self.A)  # (m, n)
            P, before = self.Q + gamma * self.A.T @ P @ (self.A - self.B @ K), P
            change = np.abs(P - before).max()
            if not np.isfinite(P).all() or np.abs(P).max() > 1e12:
                raise ValueError(f"LQR: the Riccati equation has no solution for gamma = {gamma}: no gain holds this world")
        return P, K

    def render(self, width=402, height=40):
        """RGB image: the first entry of x on a line from −2 to 2."""
        image = np.full((height, width, 3), 255, np.uint8)
        image[height // 2], image[:, width // 2] = 160, 160
        x = int(np.clip((self.state[0] + 2) / 4, 0, 1) * (width - 9))
        image[height // 2 - 4 : height // 2 + 5, x : x + 9] = (43, 108, 176)
        return image
