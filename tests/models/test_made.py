"""MADE's masks, by hand."""

import numpy as np

from models.made import MADE, draw_degrees, masks


def test_masks_of_the_toy_network():
    # D = 3, hidden degrees 1, 2, 1, 2: the number of paths from input j to output d is (M_W M_V)_jd
    M_W, M_V = masks([np.array([1, 2, 3]), np.array([1, 2, 1, 2])])
    np.testing.assert_array_equal(M_W.astype(int) @ M_V.astype(int), [[0, 2, 4], [0, 0, 2], [0, 0, 0]])


def test_degrees_keep_every_unit_connected():
    for seed in range(20):
        first, *hidden = draw_degrees(np.arange(1, 10), (5, 4, 3), np.random.default_rng(seed))
        for below, m in zip([first, *hidden], hidden):
            assert m.min() >= below.min() and m.max() <= 8


def test_masks_are_applied_whatever_the_parameters_hold():
    model = MADE(6, (8,), rng=np.random.default_rng(0), direct=True, dtype=np.float64)
    x = np.eye(6)
    before = model.logits(x).data
    for p, M in ((model.W[0], model.components[0].masks[0]), (model.V, model.components[0].masks[1]), (model.A, model.components[0].direct)):
        p.data = p.data + 1e3 * (1 - M)  # only where the mask is 0
    np.testing.assert_array_equal(model.logits(x).data, before)
