"""The pendulum's physics: steps by hand, energy, the jump of the angle at pi, types, starts, pictures.

That it equals Gymnasium's is in test_gymnasium.py.
"""

import math

import numpy as np
import pytest

from rl.envs import Pendulum
from rl.envs.pendulum import pendulum_step

PI = math.pi


def at(theta, speed, **keywords):
    """A pendulum in that state."""
    env = Pendulum(**keywords)
    env.reset(options={"state": (theta, speed)})
    return env


def run(env, push, steps):
    """States (steps + 1, 2) under u = push(state)."""
    states = [env.state.copy()]
    for _ in range(steps):
        env.step(np.array([push(env.state)]))
        states.append(env.state.copy())
    return np.array(states)


def energy(states):
    """Of a rod, m l² / 6 = 1 / 6 its inertia's half: θ̇² / 6 + m g l / 2 cos θ; −5 hanging, 5 upright."""
    return states[..., 1] ** 2 / 6 + 5 * np.cos(states[..., 0])


# ---- steps by hand


@pytest.mark.parametrize(
    "theta, speed, u, new_theta, new_speed, reward",
    [
        (0, 0, 0, 0, 0, 0),  # upright, for ever
        (0, 0, 2, 0.015, 0.3, -0.004),  # 3 u dt = 0.3; 0.001 u² = 0.004
        (PI / 2, 0, 0, PI / 2 + 0.0375, 0.75, -(PI**2) / 4),  # 15 sin(θ) dt = 0.75
        (PI / 2, 1, -1, PI / 2 + 0.08, 1.6, -(PI**2 / 4 + 0.1 + 0.001)),  # 1 + 0.75 - 0.15
        (PI / 6, -2, 0.5, PI / 6 - 0.0775, -1.55, -(PI**2 / 36 + 0.4 + 0.00025)),  # -2 + 0.375 + 0.075
        (PI / 2, 7.9, 2, PI / 2 + 0.4, 8, -(PI**2 / 4 + 6.241 + 0.004)),  # the speed is cut, then moves the angle
        (-PI / 2, -7.9, -2, -PI / 2 - 0.4, -8, -(PI**2 / 4 + 6.241 + 0.004)),
    ],
)
def test_steps_by_hand(theta, speed, u, new_theta, new_speed, reward):
    env = at(theta, speed)
    observation, got, terminated, truncated, info = env.step(np.array([u], np.float64))
    np.testing.assert_allclose(env.state, [new_theta, new_speed], rtol=1e-14, atol=1e-15)
    assert got == pytest.approx(reward, rel=1e-14) and (terminated, truncated, info) == (False, False, {})
    np.testing.assert_allclose(observation, [math.cos(new_theta), math.sin(new_theta), new_speed], rtol=1e-7, atol=1e-8)
    assert observation.dtype == np.float32


def test_the_reward_is_that_of_the_state_before_the_step():  # T41
    fast, slow = at(0, 8), at(0, 0)
    assert fast.step(np.zeros(1))[1] == pytest.approx(-6.4)  # of θ = 0, though it ends at 0.4
    assert slow.step(np.array([2.0]))[1] == pytest.approx(-0.004)  # of speed 0, though it ends with 0.3
    assert at(0.3, 0).step(np.zeros(1))[1] == pytest.approx(-0.09)


@pytest.mark.parametrize("turns", [-3, -1, 0, 1, 2])
def test_the_angle_jumps_at_pi(turns):  # T41
    """Just below π it costs π², just above as much; whole turns change nothing. π itself counts as −π."""
    cost = lambda theta: -at(theta + 2 * PI * turns, 0).step(np.zeros(1))[1]
    for theta in (PI - 1e-9, PI + 1e-9, -PI + 1e-9, -PI - 1e-9, PI):
        assert cost(theta) == pytest.approx(PI**2, rel=1e-8)
    assert cost(PI - 0.1) == pytest.approx((PI - 0.1) ** 2, rel=1e-12)
    assert cost(PI + 0.1) == pytest.approx((PI - 0.1) ** 2, rel=1e-12)  # not (π + 0.1)²
    assert cost(0.5) == pytest.approx(0.25, rel=1e-12)


def test_the_state_keeps_count_of_turns_and_the_observation_has_no_jump():
    env = at(PI - 0.1, 4.0)
    before, _, _, _, _ = env.step(np.zeros(1))
    after, _, _, _, _ = env.step(np.zeros(1))
    assert env.state[0] > PI and np.abs(after - before)[:2].max() < 0.25


# ---- motion


def test_motion_follows_newtons_law_in_steps():
    """θ_{k+1} − 2 θ_k + θ_{k−1} = Δt² (15 sin θ_k + 3 u_k), wherever the speed is not cut: the same rule without speeds."""
    rng = np.random.default_rng(0)
    pushes = rng.uniform(-2, 2, 60)
    env = at(PI - 0.5, 0.0)
    theta = run(env, lambda state, pushes=iter(pushes): next(pushes), 60)
    assert np.abs(theta[:, 1]).max() < 8
    theta = theta[:, 0]
    second = theta[2:] - 2 * theta[1:-1] + theta[:-2]
    np.testing.assert_allclose(second, 0.05**2 * (15 * np.sin(theta[1:-1]) + 3 * pushes[1:]), atol=1e-13)


def test_small_swings_have_their_period():
    """Hanging, φ'' = −15 φ; in steps of Δt, cos(ω Δt) = 1 − 15 Δt² / 2."""
    phi = run(at(PI + 0.01, 0.0, max_episode_steps=None), lambda state: 0.0, 2000)[:, 0] - PI
    up = np.flatnonzero((phi[:-1] < 0) & (phi[1:] >= 0))
    crossings = up + phi[up] / (phi[up] - phi[up + 1])
    period = np.diff(crossings).mean() * 0.05
    assert period == pytest.approx(2 * PI * 0.05 / math.acos(1 - 15 * 0.05**2 / 2), rel=1e-4)
    assert period == pytest.approx(2 * PI / math.sqrt(15), rel=0.01)  # that of the differential equation


@pytest.mark.parametrize("theta, speed", [(PI - 1, 0.0), (2.0, 0.0), (PI, 3.0), (PI, 7.0)])
def test_energy_neither_grows_nor_fades_without_a_push(theta, speed):
    """A semi-implicit step makes it wobble (explicit Euler would blow it up), but ten times as long it is no further off."""
    swing = energy(run(at(theta, speed, max_episode_steps=None), lambda state: 0.0, 2000))
    wobble = np.ptp(swing[:200])
    assert wobble < 1.5
    assert np.ptp(swing) <= 1.1 * wobble
    assert abs(swing[:1000].mean() - swing[1000:].mean()) < 0.1 * wobble


def test_a_push_with_the_motion_lifts_it_and_one_against_it_stops_it():
    lifted = energy(run(at(PI, 0.1), lambda state: math.copysign(2, state[1]), 150))
    braked = energy(run(at(PI, 7.0), lambda state: math.copysign(min(2, abs(state[1])), -state[1]), 150))
    assert lifted[0] < -4.99 and lifted.max() > 5
    assert braked[0] > 3 and braked[-1] < -4.99


def test_the_motor_is_too_weak_to_lift_it_at_once():
    """With u = 2 it swings up by φ where 5 (1 − cos φ) = 2 φ, what it weighs and what the motor gave, then back."""
    phi = run(at(PI, 0.0), lambda state: 2.0, 200)[:, 0] - PI
    assert phi.min() > -0.05 and phi.max() < 1
    assert 5 * (1 - math.cos(phi.max())) == pytest.approx(2 * phi.max(), rel=0.05)


# ---- types


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_and_plain_python_give_the_same_bits(dtype):
    """Without the compiler, NumPy's rules for Python numbers hold: one math.sin, and all would be float32."""
    plain = getattr(pendulum_step, "py_func", pendulum_step)
    rng = np.random.default_rng(0)
    for _ in range(200):
        state, action = rng.uniform([-9, -8], [9, 8]), rng.uniform(-2, 2, 1).astype(dtype)
        twin = state.copy()
        assert pendulum_step(state, action) == plain(twin, action)
        np.testing.assert_array_equal(state, twin)


def test_arithmetic_follows_the_type_of_the_action():
    u = np.array([0.1], np.float32)
    single, double = at(1.0, 0.5), at(1.0, 0.5)
    rewards = single.step(u)[1], double.step(u.astype(np.float64))[1]
    assert single.state[1] == 0.5 + (15 * np.sin(1.0) + float(np.float32(3) * u[0])) * 0.05
    assert double.state[1] == 0.5 + (15 * np.sin(1.0) + 3 * float(u[0])) * 0.05
    assert single.state[1] != double.state[1] and rewards[0] != rewards[1]
    assert all(type(r) is float for r in rewards) and single.state.dtype == np.float64


@pytest.mark.parametrize("action", [[1], np.array([1]), np.array([1], np.uint8), [1.0], (1.0,), np.array([1.0], np.float16)])
def test_other_actions_count_as_float64(action):
    env, twin = at(1.0, 0.5), at(1.0, 0.5)
    assert env.step(action)[1] == twin.step(np.array([1.0]))[1]  # in integers, 0.001 u² would be 0
    np.testing.assert_array_equal(env.state, twin.state)


@pytest.mark.parametrize("action", [[2.01], [-3], [np.nan], 0.5, [0.1, 0.2]])
def test_an_action_outside_the_space_changes_nothing(action):
    env = at(1.0, 0.5)
    with pytest.raises(ValueError, match=r"Pendulum: action .* is not in Box\(-2.0, 2.0, \(1,\), float32\)"):
        env.step(action)
    assert env.state.tolist() == [1.0, 0.5]


# ---- starts and ends


def test_starts_are_uniform():
    env, starts = Pendulum(), []
    env.reset(seed=0)
    for _ in range(2000):
        env.reset()
        starts.append(env.state)
    scaled = np.array(starts) / [PI, 1]
    assert np.abs(scaled).max() < 1 and np.abs(scaled).max(axis=0).min() > 0.99
    assert np.abs(scaled.mean(axis=0)).max() < 3 / np.sqrt(3 * 2000)
    assert np.abs(scaled.var(axis=0) - 1 / 3).max() < 3 * np.sqrt(4 / 45 / 2000)


def test_a_given_state_is_copied_and_costs_no_random_number():
    env, given = Pendulum(), np.array([10.0, -8.0])
    env.reset(seed=0)
    before = env.rng.bit_generator.state
    observation, _ = env.reset(options={"state": given})
    np.testing.assert_allclose(observation, [math.cos(10), math.sin(10), -8], rtol=1e-6)
    env.step(np.zeros(1))
    assert given.tolist() == [10, -8] and env.rng.bit_generator.state == before


@pytest.mark.parametrize("state", [0.5, [0.5], [1, 2, 3], [np.nan, 0], [0, np.nan], [np.inf, 0], [0, 8.1], None])
def test_a_state_that_is_none(state):
    env = at(1.0, 0.5)
    with pytest.raises(ValueError, match=r"Pendulum: the state must be \(angle, speed\) with a speed in \+-8, not"):
        env.reset(options={"state": state})
    assert env.state.tolist() == [1.0, 0.5]


@pytest.mark.parametrize("limit", [200, 3])
def test_it_is_truncated_at_the_limit_and_never_terminated(limit):
    env = Pendulum(limit) if limit != 200 else Pendulum()
    env.reset(seed=0)
    flags = [env.step(np.zeros(1))[2:4] for _ in range(limit)]
    assert flags == [(False, False)] * (limit - 1) + [(False, True)]


# ---- pictures


def colour(image, rgb):
    """Rows and columns, from the middle, of the pixels of a colour; up and right are positive."""
    row, column = np.nonzero((image == rgb).all(axis=2))
    return np.stack([column - image.shape[1] / 2, image.shape[0] / 2 - row])


@pytest.mark.parametrize("theta, side", [(0, (0, 1)), (PI / 2, (-1, 0)), (PI, (0, -1)), (-PI / 2, (1, 0))])
def test_the_rod_points_where_the_state_says(theta, side):
    image = at(theta, 0).render()
    assert image.shape == (160, 160, 3) and image.dtype == np.uint8
    rod = colour(image, (204, 77, 77)).mean(axis=1) / 80
    np.testing.assert_allclose(rod, 0.42 * np.array(side), atol=0.03)  # its middle, at half of 1 / 1.2


def test_the_arc_shows_the_torque():
    pushed = {}
    for u in (-2.0, -0.5, 0.0, 2.0):
        env = at(0, 0)
        env.step(np.array([u]))
        pushed[u] = colour(env.render(), (43, 108, 176))
    assert pushed[0.0].size == 0
    assert pushed[2.0][0].max() <= 0 and pushed[-2.0][0].min() >= 0  # θ grows to the left
    assert pushed[-2.0].size == pytest.approx(4 * pushed[-0.5].size, rel=0.1)
    env.reset(seed=0)
    assert colour(env.render(), (43, 108, 176)).size == 0  # of the last episode nothing is left


def test_pictures_change_with_the_state_and_drawing_changes_nothing():
    env, twin = at(0.5, 0.0), at(0.5, 0.0)
    images = []
    for _ in range(5):
        images.append(env.render(size=80))
        env.step(np.array([1.0]))
        twin.step(np.array([1.0]))
    assert len({image.tobytes() for image in images}) == 5 and images[0].shape == (80, 80, 3)
    np.testing.assert_array_equal(env.state, twin.state)
    assert Pendulum().render().shape == (160, 160, 3)  # before the first reset it hangs
