def draw(self, rng):
    r"""The next N_t, (size,) float64."""
    n = self.state
    eps = rng.standard_normal(n.shape)
    self.state = n - self.theta * n * self.dt + self.sigma * np.sqrt(self.dt) * eps
    return self.state.copy()
