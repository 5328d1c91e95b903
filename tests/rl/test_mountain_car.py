"""Mountain car: the bits of Gymnasium's, recorded and live; alone and inside a compiled loop."""

from pathlib import Path

import numpy as np
import pytest

from rl.envs import dynamics
from rl.envs.mountain_car import MOUNTAIN_CAR, MountainCar, height, mountain_car_step

RECORD = np.load(Path(__file__).parent / "data" / "mountain_car.npz")


def test_recorded_episodes_of_gymnasium_are_repeated_to_the_bit():
    env, row, seed = MountainCar(), 0, 0
    observations, ends = iter(RECORD["observations"]), []
    while row < len(RECORD["actions"]):
        observation, info = env.reset(seed=seed)
        np.testing.assert_array_equal(observation, next(observations))
        assert observation.dtype == np.float32 and info == {}
        terminated = truncated = False
        while not (terminated or truncated):
            observation, reward, terminated, truncated, _ = env.step(int(RECORD["actions"][row]))
            np.testing.assert_array_equal(observation, next(observations))
            assert reward == -1.0
            ends.append(1 * terminated + 2 * truncated)
            row += 1
        seed += 1
    np.testing.assert_array_equal(ends, RECORD["ends"])
    assert {1, 2} <= set(ends)  # both ways to end are in the record


def test_live_gymnasium_gives_the_same_bits():
    theirs, ours = pytest.importorskip("gymnasium").make("MountainCar-v0"), MountainCar()
    rng = np.random.default_rng(1)
    for seed in range(20):
        a, b = theirs.reset(seed=seed)[0], ours.reset(seed=seed)[0]
        done = False
        while not done:
            np.testing.assert_array_equal(a, b)
            action = int(rng.integers(3)) if seed % 2 else 2 * int(b[1] >= 0)
            (a, *rest, _), (b, *ours_rest, _) = theirs.step(action), ours.step(action)
            assert rest == ours_rest
            done = rest[1] or rest[2]
        np.testing.assert_array_equal(a, b)


def test_the_compiled_dispatch_takes_the_same_steps_as_the_environment():
    env, rng = MountainCar(), np.random.default_rng(2)
    state, seen = np.empty(dynamics.STATE_SIZE[MOUNTAIN_CAR]), np.empty(2, np.float32)
    observation, _ = env.reset(seed=5)
    dynamics.begin(MountainCar.kind, state, np.random.default_rng(5))
    for _ in range(100):
        dynamics.observe(MountainCar.kind, state, seen)
        np.testing.assert_array_equal(seen, observation)
        action = int(rng.integers(3))
        observation, reward, terminated, _, _ = env.step(action)
        assert dynamics.step(MountainCar.kind, state, action) == (reward, terminated)
        np.testing.assert_array_equal(state, env.state)


def test_the_wall_stops_the_car_and_the_goal_ends():
    state = np.array([-1.19, -0.07])
    assert mountain_car_step(state, 0) == (-1.0, False)
    np.testing.assert_array_equal(state, [-1.2, 0.0])
    state = np.array([0.45, 0.06])
    assert mountain_car_step(state, 2) == (-1.0, True) and state[0] > 0.5
    state = np.array([0.58, -0.03])
    assert mountain_car_step(state, 2) == (-1.0, False) and state[0] > 0.5  # beyond the goal, but on the way back
    state = np.array([0.0, 0.0699])
    mountain_car_step(state, 2)
    assert state[1] <= 0.07


def test_hand_computed_step():
    state = np.array([-0.5, 0.01])
    mountain_car_step(state, 2)
    v = 0.01 + 0.001 - 0.0025 * np.cos(-1.5)
    np.testing.assert_allclose(state, [-0.5 + v, v], rtol=1e-15)


def test_start_is_at_rest_in_the_valley_or_where_the_options_say():
    env = MountainCar()
    starts = np.array([env.reset(seed=seed)[0] for seed in range(200)])
    assert (starts[:, 1] == 0).all() and -0.6 <= starts[:, 0].min() < -0.58 and -0.42 < starts[:, 0].max() <= -0.4
    observation, _ = env.reset(options={"state": (0.1, -0.02)})
    np.testing.assert_array_equal(observation, np.array([0.1, -0.02], np.float32))
    for bad in ((2.0, 0.0), (0.0, 0.1), (np.nan, 0.0), 0.3):
        with pytest.raises(ValueError, match="MountainCar: state .* is not in"):
            env.reset(options={"state": bad})


def test_truncated_after_200_steps_and_then_closed():
    env = MountainCar()
    env.reset(seed=0)
    flags = [env.step(1)[2:4] for _ in range(200)]
    assert flags == [(False, False)] * 199 + [(False, True)]
    with pytest.raises(RuntimeError, match="truncated"):
        env.step(1)
    assert MountainCar(None).max_episode_steps is None


def test_actions_outside_the_space_are_refused():
    env = MountainCar()
    env.reset(seed=0)
    for action in (3, -1, 0.5):
        with pytest.raises(ValueError, match="MountainCar: action"):
            env.step(action)


def test_observations_are_in_the_observation_space_and_states_can_be_saved():
    env, other, rng = MountainCar(), MountainCar(), np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(50):
        assert env.observation_space.contains(env.step(int(rng.integers(3)))[0])
    other.load_state_dict(env.state_dict())
    for action in (0, 0, 2, 2):
        np.testing.assert_array_equal(env.step(action)[0], other.step(action)[0])


def test_the_picture_shows_the_car_on_the_hill():
    env = MountainCar()
    env.reset(seed=0, options={"state": (-1.0, 0.0)})
    left = env.render()
    assert left.shape == (200, 300, 3) and left.dtype == np.uint8
    rows, columns = np.nonzero((left == (43, 108, 176)).all(axis=2))
    assert abs(columns.mean() - 0.2 / 1.8 * 300) < 1
    assert abs(200 - rows.mean() - (height(-1.0) * 300 / 1.8 + 7)) < 1.5
    env.reset(options={"state": (0.3, 0.0)})
    assert (env.render() != left).any()
