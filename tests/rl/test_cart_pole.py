"""Cart pole: the bits of Gymnasium's, recorded and live; alone and inside a compiled loop; the physics."""

from pathlib import Path

import numpy as np
import pytest

from rl.envs import dynamics
from rl.envs.cart_pole import CART_POLE, TAU, CartPole, cart_pole_step
from rl.features import TileCoding
from rl.linear_control import learn, learn_fast

RECORD = np.load(Path(__file__).parent / "data" / "cart_pole.npz")


def test_recorded_episodes_of_gymnasium_are_repeated_to_the_bit():
    env, row, seed = CartPole(), 0, 0
    observations, ends = iter(RECORD["observations"]), []
    while row < len(RECORD["actions"]):
        observation, info = env.reset(seed=seed)
        np.testing.assert_array_equal(observation, next(observations))
        assert observation.dtype == np.float32 and info == {}
        done = False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(int(RECORD["actions"][row]))
            np.testing.assert_array_equal(observation, next(observations))
            assert reward == 1.0
            ends.append(1 * terminated + 2 * truncated)
            done, row = terminated or truncated, row + 1
        seed += 1
    np.testing.assert_array_equal(ends, RECORD["ends"])
    assert {1, 2} <= set(ends)  # both ways to end are in the record


def test_live_gymnasium_gives_the_same_bits():
    theirs, ours = pytest.importorskip("gymnasium").make("CartPole-v1"), CartPole()
    rng = np.random.default_rng(1)
    for seed in range(20):
        a, b = theirs.reset(seed=seed)[0], ours.reset(seed=seed)[0]
        done = False
        while not done:
            np.testing.assert_array_equal(a, b)
            action = int(rng.integers(2)) if seed % 4 else int(3 * b[2] + b[3] > 0)
            (a, *rest, _), (b, *ours_rest, _) = theirs.step(action), ours.step(action)
            assert rest == ours_rest
            done = rest[1] or rest[2]
        np.testing.assert_array_equal(a, b)


def test_the_compiled_dispatch_takes_the_same_steps_as_the_environment():
    env, rng = CartPole(), np.random.default_rng(2)
    state, seen = np.empty(dynamics.STATE_SIZE[CART_POLE]), np.empty(4, np.float32)
    observation, _ = env.reset(seed=5)
    dynamics.begin(CartPole.kind, state, np.random.default_rng(5))
    terminated = False
    while not terminated:
        dynamics.observe(CartPole.kind, state, seen)
        np.testing.assert_array_equal(seen, observation)
        action = int(rng.integers(2))
        observation, reward, terminated, _, _ = env.step(action)
        assert dynamics.step(CartPole.kind, state, action) == (reward, terminated)
        np.testing.assert_array_equal(state, env.state)


def test_a_step_obeys_the_equations_of_motion():
    # the two equations before they are solved for the accelerations: of the pole about its joint, and of both along the track
    x, x_dot, theta, theta_dot = 0.3, -0.4, 0.1, 0.7
    state = np.array([x, x_dot, theta, theta_dot])
    assert cart_pole_step(state, 0) == (1.0, False)
    np.testing.assert_allclose(state[[0, 2]], [x + TAU * x_dot, theta + TAU * theta_dot], rtol=1e-15)
    x_acc, theta_acc = (state[1] - x_dot) / TAU, (state[3] - theta_dot) / TAU
    m, M, half = 0.1, 1.0, 0.5
    np.testing.assert_allclose(4 / 3 * half * theta_acc + x_acc * np.cos(theta), 9.8 * np.sin(theta), rtol=1e-12)
    force = (M + m) * x_acc + m * half * (theta_acc * np.cos(theta) - theta_dot**2 * np.sin(theta))
    np.testing.assert_allclose(force, -10, rtol=1e-12)


@pytest.mark.parametrize("state, ends", [((2.39, 1, 0, 0), True), ((-2.39, -1, 0, 0), True), ((2.3, 1, 0, 0), False),
                                         ((0, 0, 0.209, 1), True), ((0, 0, -0.209, -1), True), ((0, 0, 0.2, 0), False)])  # fmt: skip
def test_it_ends_beyond_the_limits_and_pays_for_that_step_too(state, ends):
    env = CartPole()
    env.reset(seed=0, options={"state": state})
    _, reward, terminated, truncated, _ = env.step(1)
    assert (reward, terminated, truncated) == (1.0, ends, False)


def test_it_says_what_is_no_state_and_draws_what_it_holds():
    env = CartPole()
    with pytest.raises(ValueError, match=r"CartPole: state \(9, 0, 0, 0\) is not in"):
        env.reset(options={"state": (9, 0, 0, 0)})
    images = []
    for theta in (-0.2, 0.2):
        env.reset(seed=0, options={"state": (0, 0, theta, 0)})
        images.append(env.render())
    assert images[0].shape == (150, 300, 3) and (images[0] != images[1]).any()
    np.testing.assert_array_equal(images[0][:, 1:], images[1][:, :0:-1])  # leaning left is leaning right in a mirror


def test_compiled_sarsa_learns_the_same_as_the_one_in_python():
    tiles = TileCoding([-2.4, -3, -0.21, -3], [2.4, 3, 0.21, 3], tiles=4)
    in_python, compiled = (run(CartPole(), tiles, 20, alpha=0.5 / 8, rng=np.random.default_rng(0)) for run in (learn, learn_fast))
    for a, b in zip(in_python, compiled):
        np.testing.assert_array_equal(a, b)


@pytest.mark.proof
def test_tiles_and_sarsa_keep_the_pole_up_longer_than_chance():
    tiles = TileCoding([-2.4, -3, -0.21, -3], [2.4, 3, 0.21, 3], tiles=4)
    lengths = [learn_fast(CartPole(), tiles, 300, alpha=0.5 / 8, epsilon=0.05, rng=np.random.default_rng(s)).lengths[-100:] for s in range(5)]
    assert np.mean(lengths, axis=1).min() > 66, np.mean(lengths, axis=1)  # three times what random pushes reach


@pytest.mark.parametrize("state", [(0, np.inf, 0, 0), (0, 1e300, 0, 0), (0, 0, 0), (0, 0, np.nan, 0)])
def test_a_state_that_is_none_is_refused(state):
    with pytest.raises(ValueError, match="CartPole: state"):
        CartPole().reset(options={"state": state})
