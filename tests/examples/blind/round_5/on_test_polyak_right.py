import numpy as np


def test(polyak):
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 100):
        for tau in (0.0, 0.001, 0.1, 0.3, 0.5, 0.9, 1.0):
            theta = rng.normal(size=n) * 3
            target = rng.normal(size=n) * 3 + 1
            theta0, target0 = theta.copy(), target.copy()
            assert polyak(theta, target, tau) is None
            assert np.array_equal(theta, theta0)
            assert target.shape == (n,) and target.dtype == np.float64
            assert np.allclose(target, tau * theta0 + (1 - tau) * target0, rtol=1e-12, atol=1e-12)
            # a second call goes on from where the first one stopped
            t1 = target.copy()
            theta += 1.0
            assert np.array_equal(target, t1)       # no shared memory
            assert polyak(theta, target, tau) is None
            assert np.allclose(target, tau * (theta0 + 1) + (1 - tau) * t1, rtol=1e-12, atol=1e-12)
            assert np.array_equal(theta, theta0 + 1)
    # plain numbers
    a, b = np.array([1.0, -2.0, 0.0]), np.array([3.0, 4.0, -10.0])
    polyak(a, b, 0.25)
    assert np.allclose(b, [2.5, 2.5, -7.5])
    # many steps go to theta
    b = np.zeros(3)
    for _ in range(500):
        polyak(a, b, 0.1)
    assert np.allclose(b, a)
    # big numbers: no clipping
    a, b = np.array([1e6, -1e6]), np.array([-1e5, 1e5])
    polyak(a, b, 0.01)
    assert np.allclose(b, [-89000.0, 89000.0])
