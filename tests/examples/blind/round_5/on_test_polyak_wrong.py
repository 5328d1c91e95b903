import numpy as np


def test(polyak):
    rng = np.random.default_rng(1)
    theta = rng.normal(size=5)
    target = rng.normal(size=5)
    theta_old = theta.copy()
    expected = 0.5 * theta + 0.5 * target
    result = polyak(theta, target, 0.5)
    assert result is None
    assert np.allclose(target, expected)
    assert np.array_equal(theta, theta_old)
