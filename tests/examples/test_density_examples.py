"""staircases, inpainting and orders: what they compute, and a run as a newcomer starts it, only smaller."""

import numpy as np
import pytest
from test_mnist_examples import run  # pytest puts this folder on the path

from examples import inpainting, orders, staircases
from models.ensemble import eonade
from models.made import MADE
from models.orderless import OrderlessNADE


def test_the_spiral_goes_from_the_middle_through_every_pixel_to_a_neighbour():
    np.testing.assert_array_equal(orders.spiral(3), [4, 5, 8, 7, 6, 3, 0, 1, 2])
    for side in (2, 5, 28):
        found = orders.spiral(side)
        np.testing.assert_array_equal(np.sort(found), np.arange(side * side))
        row, column = np.divmod(found, side)
        steps = np.abs(np.diff(row)) + np.abs(np.diff(column))
        assert (steps == 1).all()


def test_the_curve_of_ensembles_is_that_of_eonade():
    rng = np.random.default_rng(0)
    model, x = OrderlessNADE(6, (5,), rng=rng, dtype=np.float64), (rng.random((40, 6)) < 0.5).astype(np.uint8)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape)
    curve = orders.ensembles(model, x, np.random.default_rng(1))
    for K, nll, interval in curve:
        expected = eonade(model, K, np.random.default_rng(1)).evaluate(x)
        np.testing.assert_allclose([nll, interval], expected[:2], rtol=1e-9)


def test_the_regions_are_what_they_are_called():
    found = {name: observed.reshape(28, 28) for name, observed in inpainting.regions(np.random.default_rng(0)).items()}
    assert found["upper half"][:14].all() and not found["upper half"][14:].any()
    assert found["left half"][:, :14].all() and not found["left half"][:, 14:].any()
    assert (~found["all but the middle"]).sum() == 144 and not found["all but the middle"][8:20, 8:20].any()
    assert 50 < found["one pixel in ten"].sum() < 110


def test_the_picture_of_the_mask_shows_the_same_units_in_another_order():
    model = MADE(30, (20,), rng=np.random.default_rng(0))
    noise, M = staircases.unsorted_mask(model, np.random.default_rng(1)), model.components[0].masks[1]
    np.testing.assert_array_equal(np.sort(noise.sum(axis=1)), np.sort(M.sum(axis=1)))
    assert (np.diff(M.sum(axis=1)) <= 0).all() and (np.diff(noise.sum(axis=1)) > 0).any()


@pytest.mark.proof
@pytest.mark.parametrize("name", ["staircases", "inpainting", "orders"])
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path, name):
    assert f"{name}.png" in run(tmp_path, f"examples.{name}", "--debug")
    assert (tmp_path / "figures" / f"{name}.png").stat().st_size > 5_000


@pytest.mark.proof
def test_twelve_orders_of_a_small_set(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", **{part: (rng.random((120, 9)) < 0.3).astype(np.uint8) for part in ("train", "valid", "test")})
    assert "standard deviation over 2 orders" in run(tmp_path, "examples.orders", "--data", "data.npz", "--quick")
