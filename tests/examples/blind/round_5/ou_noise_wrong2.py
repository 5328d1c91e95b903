def draw(self, rng):
    r"""The next N_t, (size,) float64."""
    drift = -self.theta * self.state * self.dt
    shock = self.sigma * np.sqrt(self.dt) * rng.standard_normal(self.state.shape[0])
    self.state += drift + shock
    return self.state
