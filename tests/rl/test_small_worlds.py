"""The cliff, the wind, and the choice that noise spoils: three small worlds of Sutton & Barto's chapter 6."""

import numpy as np
import pytest

from rl.dynamic_programming import value_iteration
from rl.envs.cliff_walking import CliffWalking
from rl.envs.maximization_bias import LEFT, RIGHT, MaximizationBias
from rl.envs.windy_grid import WIND, WindyGrid

UP, RIGHTWARDS, DOWN, LEFTWARDS = range(4)


def outcome(env, s, a):
    """(s', r, terminated) of one step from s, and whether the clock says so, too."""
    env.reset(seed=0, options={"state": s})
    return env.step(a)[:3]


# ---- the cliff


def test_a_fall_costs_100_and_leads_to_the_start_and_does_not_end_the_episode():
    env = CliffWalking()
    assert outcome(env, 36, RIGHTWARDS) == (36, -100.0, False)
    for column in range(1, 11):
        assert outcome(env, 24 + column, DOWN) == (36, -100.0, False)
    env.step(UP)  # goes on: no RuntimeError


def test_other_steps_cost_1_and_the_goal_ends_the_episode():
    env = CliffWalking()
    assert env.reset(seed=0)[0] == 36
    assert outcome(env, 36, UP) == (24, -1.0, False)
    assert outcome(env, 36, LEFTWARDS) == (36, -1.0, False) and outcome(env, 36, DOWN) == (36, -1.0, False)
    assert outcome(env, 0, UP) == (0, -1.0, False) and outcome(env, 11, RIGHTWARDS) == (11, -1.0, False)
    assert outcome(env, 12, RIGHTWARDS) == (13, -1.0, False)  # no leap from the end of a row into the next
    assert outcome(env, 24, DOWN) == (36, -1.0, False)
    assert outcome(env, 35, DOWN) == (47, -1.0, True)


def test_the_best_way_along_the_cliff_has_13_steps():
    values = value_iteration(CliffWalking().mdp(), 1.0).values
    assert values[36] == -13 and values[47] == 0 and values[24] == -12


def test_the_cliff_is_gymnasiums():
    theirs = pytest.importorskip("gymnasium").make("CliffWalking-v1").unwrapped
    for s in (*range(37), 47):  # in the cliff nobody ever stands; theirs goes on after the end
        for a in range(4):
            ((_, s2, r, end),) = theirs.P[s][a]
            assert s == 47 or outcome(CliffWalking(), s, a) == (s2, r, end)


# ---- the wind


def test_the_wind_is_that_of_the_column_left():
    env = WindyGrid()
    assert env.reset(seed=0)[0] == 30
    assert outcome(env, 32, RIGHTWARDS) == (33, -1.0, False)  # from column 2, calm, into column 3
    assert outcome(env, 33, RIGHTWARDS) == (24, -1.0, False)  # from column 3, wind 1
    assert outcome(env, 66, UP) == (36, -1.0, False)  # column 6, wind 2, and one up: three
    assert outcome(env, 16, UP) == (6, -1.0, False) and outcome(env, 6, DOWN) == (6, -1.0, False)  # the edge stops
    assert outcome(env, 38, LEFTWARDS) == (27, -1.0, False)  # over the goal's column, one row above
    assert outcome(env, 48, LEFTWARDS) == (37, -1.0, True)  # from below and to the right
    assert outcome(env, 68, RIGHTWARDS) == (59, -1.0, False) and outcome(env, 69, RIGHTWARDS) == (69, -1.0, False)


@pytest.mark.parametrize("keywords, steps", [({}, 15), ({"kings_moves": True}, 7), ({"kings_moves": True, "stay": True}, 7)])
def test_shortest_ways(keywords, steps):
    env = WindyGrid(**keywords)
    assert value_iteration(env.mdp(), 1.0).values[30] == -steps
    assert env.action_space.n == 4 + 4 * ("kings_moves" in keywords) + ("stay" in keywords)


def test_kings_moves_and_staying():
    env = WindyGrid(kings_moves=True, stay=True)
    for a, s2 in zip(range(4, 9), (21, 41, 40 - 1 + 0, 19, 30)):
        assert outcome(env, 30, a)[0] == {4: 21, 5: 41, 6: 40, 7: 20, 8: 30}[a]
    for a, s2 in zip(range(4, 9), (33 + 1 - 20, 33 + 1, 33 - 1, 33 - 1 - 20, 33 - 10)):
        assert outcome(env, 33, a)[0] == s2


def test_random_wind_blows_one_more_or_less_where_it_blows():
    env = WindyGrid(random_wind=True)
    P = env.mdp().P
    for column, wind in enumerate(WIND):
        s = 50 + column
        want = np.zeros(70)
        for gust in (-1, 0, 1):
            want[10 * (4 - wind - gust * (wind > 0)) + column] += 1 / 3
        np.testing.assert_allclose(P[s, UP], want, atol=1e-15)


# ---- the promise of noise


def test_the_rewards_of_b_have_the_moments_of_the_normal_distribution():
    env = MaximizationBias()
    r = env.tables.reward[1]  # (A, K)
    assert r.shape == (10, 1000) and (r == r[0]).all()
    np.testing.assert_allclose([r.mean(), r.std(), ((r + 0.1) ** 3).mean()], [-0.1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(np.sort(r[0])[[159, 840]] + 0.1, [-0.9974, 0.9974], atol=0.01)  # quantiles .1595, .8405
    assert abs(np.mean(r[0] > 0) - 0.4602) <= 0.001


def test_left_leads_to_b_right_to_the_end():
    env = MaximizationBias(5)
    assert env.reset(seed=0)[0] == 0 and outcome(env, 0, LEFT) == (1, 0.0, False) and outcome(env, 0, RIGHT) == (2, 0.0, True)
    seen = [outcome(env, 1, a) for a in range(5)]
    assert all(s2 == 2 and end for s2, _, end in seen) and env.offered.tolist() == [2, 5, 1]
    np.testing.assert_allclose(value_iteration(env.mdp(), 1.0).values, [0, -0.1, 0], atol=1e-12)
    with pytest.raises(ValueError, match="MaximizationBias: n must be an integer of at least 2, not 1"):
        MaximizationBias(1)


@pytest.mark.parametrize(
    "env, shape", [(CliffWalking(), (96, 288, 3)), (WindyGrid(), (168, 240, 3)), (MaximizationBias(), (24, 72, 3))]
)
def test_pictures_show_the_agent(env, shape):
    assert env.render().shape == shape and env.render().dtype == np.uint8
    env.reset(seed=0)
    before = env.render()
    env.step(0)
    assert (before != env.render()).any() and (before == (43, 108, 176)).all(axis=-1).any()


@pytest.mark.parametrize("make", [CliffWalking, WindyGrid, MaximizationBias])
def test_the_clock_can_be_set(make):
    env = make(max_episode_steps=1)
    env.reset(seed=0)
    assert env.step(0)[2:4] == (False, True)
