"""Features: their order, their number, which are active; and tile coding against a second way to compute it."""

import math

import numpy as np
import pytest

from rl import features as f
from rl.envs import GridWorld
from rl.linear_control import observer

X, Y = 0.5, -0.25
POINT = np.array([[X, Y]])


# ---- polynomials and cosines


def test_polynomial_columns_come_degree_by_degree_pure_powers_first():
    expected = [1, X, Y, X**2, Y**2, X * Y, X**3, Y**3, X**2 * Y, X * Y**2]
    for order, count in ((1, 3), (2, 6), (3, 10)):
        np.testing.assert_allclose(f.polynomial(order)(POINT), [expected[:count]], rtol=1e-15)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_polynomial_counts_all_monomials_of_the_total_degree(k):
    Phi = f.polynomial(3)(np.random.default_rng(0).standard_normal((50, k)))
    assert Phi.shape == (50, math.comb(3 + k, 3)) and np.linalg.matrix_rank(Phi) == Phi.shape[1]


def test_polynomial_of_a_line_takes_plain_numbers():
    np.testing.assert_array_equal(f.polynomial(3)(np.array([2.0, 3.0])), [[1, 2, 4, 8], [1, 3, 9, 27]])


def test_fourier_columns_run_over_the_last_coordinate_first():
    expected = [math.cos(math.pi * (c1 * X + c2 * Y)) for c1 in range(3) for c2 in range(3)]
    np.testing.assert_allclose(f.fourier(2)(POINT), [expected], rtol=0, atol=1e-15)
    np.testing.assert_allclose(f.fourier(2)(np.array([0.3])), [[1, math.cos(0.3 * math.pi), math.cos(0.6 * math.pi)]], atol=1e-15)
    assert f.fourier(1)(np.zeros((5, 3))).shape == (5, 8)


def test_fourier_of_order_4_can_express_any_function_of_the_5_by_5_grid():
    Phi = f.fourier(4)(GridWorld().coordinates())
    assert Phi.shape == (25, 25) and np.linalg.matrix_rank(Phi) == 25
    assert np.linalg.matrix_rank(f.fourier(3)(GridWorld().coordinates())) == 16


# ---- states


def test_one_hot_is_the_identity():
    np.testing.assert_array_equal(f.one_hot(4)(np.arange(4)), np.eye(4))
    np.testing.assert_array_equal(f.one_hot(4)([2, 0]), np.eye(4)[[2, 0]])


@pytest.mark.parametrize("n, groups", [(1000, 10), (10, 3), (7, 7), (5, 1)])
def test_aggregation_makes_runs_of_equal_size(n, groups):
    Phi = f.aggregation(n, groups)(np.arange(n))
    assert Phi.shape == (n, groups) and (Phi.sum(axis=1) == 1).all()
    group = Phi.argmax(axis=1)
    assert (np.diff(group) >= 0).all() and set(Phi.sum(axis=0)) <= {n // groups, -(-n // groups)}


def test_rows_leave_out_the_zeros_and_nothing_else():
    rng = np.random.default_rng(0)
    Phi = rng.standard_normal((30, 8)) * (rng.random((30, 8)) < 0.3)
    Phi[3] = 0
    active, values = f.rows(Phi)
    assert active.shape == values.shape == (30, (Phi != 0).sum(axis=1).max())
    again = np.zeros_like(Phi)
    np.add.at(again, (np.arange(30)[:, None], active), values)  # what fills a row up is a second feature, of value 0
    np.testing.assert_array_equal(again, Phi)
    assert f.rows(f.one_hot(25)(np.arange(25))).active.shape == (25, 1)
    assert f.rows(np.zeros((4, 3))).active.shape == (4, 1)


# ---- tile coding


def plain_tiles(low, high, tiles, tilings, x):
    """The definition, tiling by tiling, for one point."""
    active = []
    for t in range(tilings):
        numbers = [t]
        for j in range(len(x)):
            width = (high[j] - low[j]) / tiles
            shift = (t * (2 * j + 1) / tilings) % 1.0
            numbers.append(min(max(math.floor((x[j] - low[j]) / width + shift), 0), tiles))
        active.append(np.ravel_multi_index(numbers, (tilings, *[tiles + 1] * len(x))))
    return active


@pytest.mark.parametrize("k, tiles, tilings", [(1, 4, 3), (2, 8, 8), (3, 2, 4)])
def test_tile_coding_is_what_its_definition_says(k, tiles, tilings):
    rng = np.random.default_rng(k)
    low, high = -rng.random(k) - 1, rng.random(k) + 1
    coding = f.TileCoding(low, high, tiles, tilings)
    assert coding.size == tilings * (tiles + 1) ** k
    for x in rng.uniform(low - 0.2, high + 0.2, (200, k)):
        np.testing.assert_array_equal(coding.active(x), plain_tiles(low, high, tiles, tilings, x))


def test_every_tiling_has_exactly_one_active_tile_at_the_corners_and_beyond():
    coding = f.TileCoding([-1.2, -0.07], [0.5, 0.07])
    points = np.array([[-1.2, -0.07], [0.5, 0.07], [0.5, -0.07], [-9.0, 9.0], [0.0, 0.0]])
    Phi = coding(points)
    assert Phi.shape == (5, 648) and set(Phi.ravel()) == {0, 1}
    np.testing.assert_array_equal(Phi.reshape(5, 8, 81).sum(axis=2), 1)
    np.testing.assert_array_equal(coding.active(points[0]) % 81, [0] * 8)  # all first tiles
    assert (coding(points[1:2]) != Phi[:1]).any()


def test_the_shifts_are_1_and_3_times_the_tilings_part():
    np.testing.assert_array_equal(f.TileCoding([0, 0], [1, 1]).tiling.shift * 8, [[i, 3 * i % 8] for i in range(8)])


def test_tilings_tell_more_cells_apart_than_one_of_them():
    coding = f.TileCoding([0.0], [1.0], tiles=4, tilings=8)
    cells = {tuple(coding.active([x])) for x in np.linspace(0, 0.9999, 2000)}
    assert len(cells) == 4 * 8


def test_points_share_tiles_in_the_measure_of_their_distance():
    coding = f.TileCoding([0.0], [1.0], tiles=4, tilings=8)  # a tile is 1/4 wide, an eighth of it 1/32
    at = lambda x: set(coding.active([x]))  # noqa: E731
    shared = [len(at(0.501) & at(0.501 + i / 32)) for i in range(10)]
    assert shared == [8, 7, 6, 5, 4, 3, 2, 1, 0, 0]


def test_alpha_divided_by_the_tilings_removes_that_share_of_the_error():
    from rl.linear_value import step_towards, value

    coding = f.TileCoding([0.0, 0.0], [1.0, 1.0])
    w, active, ones = np.zeros(coding.size), coding.active([0.3, 0.6]), np.ones(8)
    step_towards(w, active, ones, 10.0, 0.1 / 8)
    assert value(w, active, ones) == pytest.approx(1.0, rel=1e-12)


def test_float32_observations_are_taken_as_they_are():
    coding = f.TileCoding([-1.2, -0.07], [0.5, 0.07])
    x = np.array([-0.3, 0.01], np.float32)
    np.testing.assert_array_equal(coding.active(x), coding.active(x.astype(np.float64)))


# ---- looking at one observation


def test_an_observer_gives_the_row_of_phi_for_each_kind_of_features():
    grid = GridWorld()
    table = f.polynomial(2)(grid.coordinates(-1, 1))
    coding = f.TileCoding([0, 0], [1, 1], tiles=3, tilings=2)
    for features, observation, row in (
        (table, 7, table[7]),
        (coding, np.array([0.2, 0.9], np.float32), coding(np.array([[0.2, 0.9]], np.float32))[0]),
        (f.fourier(2), np.array([0.2, 0.9]), f.fourier(2)([[0.2, 0.9]])[0]),
    ):
        active, values, size = observer(features)(observation)
        again = np.zeros(size)
        np.add.at(again, active, values)
        np.testing.assert_array_equal(again, row)


# ---- what is refused


@pytest.mark.parametrize("make, message", [
    (lambda: f.polynomial(-1), "polynomial: order must be an integer of at least 0, not -1"),
    (lambda: f.fourier(1.5), "fourier: order must be an integer of at least 0, not 1.5"),
    (lambda: f.fourier(1)(np.zeros((2, 2, 2))), r"fourier: coordinates must have shape .* not \(2, 2, 2\)"),
    (lambda: f.aggregation(3, 4), "4 groups cannot be made of 3 states"),
    (lambda: f.one_hot(3)([0, 3]), r"states must lie in 0 \.\.\. 2, not 0 \.\.\. 3"),
    (lambda: f.rows(np.zeros(3)), r"Phi must be finite, of shape \(S, F\)"),
    (lambda: f.rows([[1.0, np.nan]]), "Phi must be finite"),
    (lambda: f.TileCoding([0, 0], [1, np.inf]), "low and high must be finite"),
    (lambda: f.TileCoding([0, 1], [1, 1]), "low < high"),
    (lambda: f.TileCoding([0], [1], tiles=0), "tiles must be an integer of at least 1, not 0"),
    (lambda: f.TileCoding([0], [1], tilings=0), "tilings must be an integer of at least 1, not 0"),
    (lambda: f.TileCoding([0, 0], [1, 1]).active([0.5]), "a point must be 2 finite numbers"),
    (lambda: f.TileCoding([0.0], [1.0]).active([np.nan]), "a point must be 1 finite numbers"),
])  # fmt: skip
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
