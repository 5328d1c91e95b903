def draw(self, rng):
    r"""The next N_t, (size,) float64."""
    eps = rng.standard_normal(len(self.state))
    self.state += -self.theta * self.state * self.dt + self.sigma * self.dt ** 0.5 * eps
    return self.state
