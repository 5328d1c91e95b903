def draw(self, rng):
    r"""The next N_t, (size,) float64."""
    eps = rng.standard_normal(self.state.shape)
    self.state = self.state - self.theta * self.state * self.dt + self.sigma * np.sqrt(self.dt) * eps
    return self.state.copy()
