"""Mountain car with a throttle: the bits of Gymnasium's, recorded and live; what is paid is what was executed."""

from pathlib import Path

import numpy as np
import pytest

from rl.envs.mountain_car import MountainCar
from rl.envs.mountain_car_continuous import MountainCarContinuous, many_steps, mountain_car_continuous_step

RECORD = np.load(Path(__file__).parent / "data" / "mountain_car_continuous.npz")
ULP = 2.3e-16  # float64 actions: the last bit of the reward


def compare(ours, theirs, dtype):
    """(observation, reward, terminated, truncated): all bits, but for the reward of a float64 action."""
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0 if dtype == np.float32 else ULP, atol=0)
    assert ours[2:4] == tuple(theirs[2:4]) and ours[0].dtype == theirs[0].dtype == np.float32


def test_recorded_episodes_of_gymnasium_are_repeated_to_the_bit():
    env, row, observations = MountainCarContinuous(), 0, iter(RECORD["observations"])
    for seed in range(6):
        dtype = np.float32 if seed < 3 else np.float64
        observation, info = env.reset(seed=seed)
        np.testing.assert_array_equal(observation, next(observations))
        assert observation.dtype == np.float32 and info == {}
        end = 0
        while not end:
            end = int(RECORD["ends"][row])
            ours = env.step(RECORD["actions"][row : row + 1].astype(dtype))
            compare(ours, (next(observations), RECORD["rewards"][row], end in (1, 3), end in (2, 3)), dtype)
            row += 1
    assert row == len(RECORD["actions"]) and {1, 2} <= set(RECORD["ends"].tolist())  # both ways to end are in the record
    x, v = RECORD["observations"].T
    assert (x == np.float32(-1.2)).any() and (np.abs(v) >= np.float32(0.07)).any()  # and the wall, and the top speed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_live_gymnasium_gives_the_same_bits(dtype):
    theirs, ours = pytest.importorskip("gymnasium").make("MountainCarContinuous-v0"), MountainCarContinuous()
    rng = np.random.default_rng(1)
    for seed in range(9):
        a, b = theirs.reset(seed=seed)[0], ours.reset(seed=seed)[0]
        np.testing.assert_array_equal(a, b)
        action, done = np.zeros(1), False
        while not done:
            if seed % 3 == 0:
                action = np.full(1, 1.0 if b[1] >= 0 else -1.0)
            elif seed % 3 == 1 or rng.random() < 0.03:
                action = rng.uniform(-1, 1, 1)
            *a, _ = theirs.step(action.astype(dtype))
            b, *rest, _ = ours.step(action.astype(dtype))
            compare((b, *rest), a, dtype)
            done = rest[1] or rest[2]


def test_gymnasium_charges_an_action_that_it_does_not_execute_and_we_refuse_it():
    theirs, ours = pytest.importorskip("gymnasium").make("MountainCarContinuous-v0").unwrapped, MountainCarContinuous()
    moved = {}
    for push in (1.0, 3.0):
        theirs.reset(seed=0)
        moved[push] = theirs.step(np.array([push]))
    np.testing.assert_array_equal(moved[1.0][0], moved[3.0][0])  # the same push
    assert moved[3.0][1] == pytest.approx(-0.9) and moved[1.0][1] == pytest.approx(-0.1)  # nine times the cost
    ours.reset(seed=0)
    with pytest.raises(ValueError, match=r"MountainCarContinuous: action .* is not in"):
        ours.step(np.array([3.0]))


def test_hand_computed_step():
    after = np.empty(2, np.float32)
    reward, terminated = mountain_car_continuous_step(np.array([-0.5, 0.01]), np.array([0.8]), after)
    v = 0.01 + 0.0015 * 0.8 - 0.0025 * np.cos(-1.5)
    np.testing.assert_allclose(after, [-0.5 + v, v], rtol=1e-7)
    assert reward == pytest.approx(-0.064, rel=1e-15) and not terminated


def one_step(state, action):
    """(x, v) after, reward, terminated, from a float32 state."""
    state = np.array(state, np.float32)
    return (state, *mountain_car_continuous_step(state, np.array([action], np.float32), state))


def test_the_wall_stops_the_car_and_the_goal_pays_and_ends():
    state, reward, terminated = one_step([-1.19, -0.07], -1)
    np.testing.assert_array_equal(state, np.array([-1.2, 0], np.float32))
    assert reward == -0.1 and not terminated
    state, reward, terminated = one_step([0.43, 0.05], 0.5)
    assert state[0] > 0.45 and terminated and reward == 100 - 0.025
    state, reward, terminated = one_step([0.5, -0.01], 0.5)
    assert state[0] > 0.45 and not terminated and reward == -0.025  # beyond the goal, but on the way back
    state, _, _ = one_step([-0.9, 0.0699], 1)
    assert state[1] == np.float32(0.07)
    state, _, _ = one_step([0.2, -0.0699], -1)
    assert state[1] == np.float32(-0.07)
    state, _, terminated = one_step([0.58, 0.07], 1)
    assert state[0] == np.float32(0.6) and terminated


def test_the_engine_is_weaker_than_gravity_but_pushing_with_the_motion_arrives():
    for policy, arrives in ((lambda v: 1.0, False), (lambda v: 1.0 if v >= 0 else -1.0, True)):
        env = MountainCarContinuous()
        observation, _ = env.reset(seed=0)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(np.array([policy(observation[1])]))
            total, done = total + reward, terminated or truncated
        assert terminated == arrives and total == pytest.approx(100 * arrives - 0.1 * env.elapsed)


def test_cars_side_by_side_take_the_same_steps_and_rest_at_the_goal():
    rng = np.random.default_rng(3)
    states = np.array([[0.44, 0.03], [-0.5, 0.0], [-1.19, -0.07]], np.float32)
    alone, rewards, going = states.copy(), np.ones(3), np.array([True, True, True])
    for _ in range(5):
        actions, before = rng.uniform(-1, 1, (3, 1)).astype(np.float32), going.copy()
        many_steps(states, actions, rewards, going)
        for i in range(3):
            reward, ended = mountain_car_continuous_step(alone[i], actions[i], alone[i]) if before[i] else (0.0, True)
            assert rewards[i] == reward and going[i] == (not ended)
        np.testing.assert_array_equal(states, alone)
    assert going.tolist() == [False, True, True]


def test_start_is_at_rest_in_the_valley_or_where_the_options_say():
    env = MountainCarContinuous()
    starts = np.array([env.reset(seed=seed)[0] for seed in range(200)])
    assert (starts[:, 1] == 0).all() and -0.6 <= starts[:, 0].min() < -0.58 and -0.42 < starts[:, 0].max() <= -0.4
    observation, _ = env.reset(options={"state": (0.1, -0.02)})
    np.testing.assert_array_equal(observation, np.array([0.1, -0.02], np.float32))
    for bad in ((2.0, 0.0), (0.0, 0.1), (np.nan, 0.0), 0.3):
        with pytest.raises(ValueError, match="MountainCarContinuous: state .* is not in"):
            env.reset(options={"state": bad})


def test_truncated_after_999_steps_and_then_closed():
    env = MountainCarContinuous()
    env.reset(seed=0)
    flags = [env.step(np.zeros(1))[2:4] for _ in range(999)]
    assert flags == [(False, False)] * 998 + [(False, True)]
    with pytest.raises(RuntimeError, match="truncated"):
        env.step(np.zeros(1))
    assert MountainCarContinuous(None).max_episode_steps is None


def test_actions_outside_the_space_are_refused_and_integers_are_not_rounded_away():
    env = MountainCarContinuous()
    env.reset(seed=0)
    for action in (np.array([1.01]), np.array([np.nan]), 0.5, np.zeros(2)):
        with pytest.raises(ValueError, match="MountainCarContinuous: action"):
            env.step(action)
    start = env.state.copy()
    observation, reward, *_ = env.step(np.array([1]))
    assert reward == -0.1 and observation[1] == pytest.approx(0.0015 - 0.0025 * np.cos(3 * start[0]), rel=1e-6)


def test_a_state_can_be_saved_before_the_first_step_and_later():
    env, rng = MountainCarContinuous(), np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(3):
        other = MountainCarContinuous()
        other.load_state_dict(env.state_dict())
        for push in rng.uniform(-1, 1, (20, 1)):
            observation, *rest = env.step(push)
            ours, *copied = other.step(push)
            np.testing.assert_array_equal(observation, ours)
            assert rest == copied and env.observation_space.contains(observation)


def test_an_observation_is_a_copy_and_the_picture_is_the_hill_of_mountain_car():
    env, hill = MountainCarContinuous(), MountainCar()
    env.reset(seed=0)
    seen = env.step(np.ones(1))[0]
    seen[:] = 0
    assert env.state[1] != 0
    for world in (env, hill):
        world.reset(options={"state": (-1.0, 0.0)})
    assert ((env.render() == (43, 108, 176)) == (hill.render() == (43, 108, 176))).all()  # the car


def test_many_cars_need_as_many_actions_and_rewards():
    states, actions, going = np.zeros((2, 2), np.float32), np.zeros((2, 1), np.float32), np.ones(2, bool)
    for arrays in ((states, actions, np.zeros(1), going), (states, actions[:1], np.zeros(2), going), (states, actions, np.zeros(2), going[:1])):
        with pytest.raises(ValueError, match="must have the same N"):
            many_steps(*arrays)
