import numpy as np


def test(polyak):
    theta = np.ones(4)
    target = np.zeros(4)
    polyak(theta, target, 0.1)
    assert np.allclose(target, 0.1)
    assert np.allclose(theta, 1.0)
