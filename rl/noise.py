r"""Noise for exploration, in units of half the action's range: one number for each dimension of the action.

    Gaussian             N_t = σ ε_t                                        independent from step to step
    Ornstein-Uhlenbeck   N_{t+1} = N_t + θ (0 − N_t) Δt + σ √Δt ε_t         a walk pulled back to 0 (Uhlenbeck & Ornstein 1930)

ε_t ~ N(0, 1), one for each dimension; θ is a pull here, not a network's weights.

The second pushes in one direction for about 1 / (θ Δt) steps before it turns: with the usual θ = 0.15 and Δt = 1 that
is 7 steps, with the Δt = 0.01 of some libraries 667. Its variance settles at σ² Δt / (1 − (1 − θ Δt)²), which tends to
σ² / 2θ as Δt → 0.
"""

import numpy as np


class Gaussian:
    """σ ε_t. sigma: the standard deviation."""

    def __init__(self, sigma=0.1):
        self.sigma, self.state = sigma, np.zeros(0)

    def reset(self, size):
        """Begin an episode of actions with `size` dimensions."""
        self.state = np.zeros(size)

    def draw(self, rng):
        """The next N_t, (size,) float64."""
        return self.sigma * rng.standard_normal(self.state.shape)

    def state_dict(self):
        """Where the walk is."""
        return {"state": self.state.copy()}

    def load_state_dict(self, state):
        """Go on from there."""
        self.state = state["state"].copy()


class OrnsteinUhlenbeck(Gaussian):
    """theta: the pull towards 0; sigma: the push; dt: Δt, the time of a step. Starts from 0 in each episode."""

    def __init__(self, theta=0.15, sigma=0.2, dt=1.0):
        super().__init__(sigma)
        self.theta, self.dt = theta, dt

    def draw(self, rng):
        """The next N_t, (size,) float64."""
        push = self.sigma * np.sqrt(self.dt) * rng.standard_normal(self.state.shape)
        self.state = self.state - self.theta * self.dt * self.state + push
        return self.state
