def draw(self, rng):
    r"""The next N_t, (size,) float64."""
    eps = rng.standard_normal(len(self.state))
    dx = -self.theta * self.state * self.dt + self.sigma * self.dt * eps
    self.state = self.state + dx
    return self.state.copy()
