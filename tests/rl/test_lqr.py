"""The linear-quadratic world: its Riccati equation against two other ways to the same numbers, and what it refuses."""

import numpy as np
import pytest

from rl.envs import LQR

WORLDS = {
    "default": {},
    "unstable": dict(A=1.1, B=0.5, R=0.5),
    "two states, one push": dict(A=[[1, 0.1], [0.2, 1]], B=[[0], [0.1]], Q=[[1, 0.2], [0.2, 0.5]], R=0.1),
    "three and two": dict(
        A=[[0.9, 0.3, 0], [-0.2, 1.1, 0.1], [0, 0.4, 0.7]], B=[[1, 0], [0, 0.5], [0.2, 0.2]],
        Q=np.diag([1, 0, 2]), R=[[1, 0.3], [0.3, 0.5]],
    ),
    "another unstable number": dict(A=-1.5, B=2.0, Q=0.3, R=4.0),
}  # fmt: skip
GAMMAS = (0.5, 0.9, 0.99, 1.0)


def unstable(**keywords):
    """Left alone, x grows by 10 % a step."""
    return LQR(**{"A": 1.1, "B": 0.5, "R": 0.5, "max_action": 2.0, "max_episode_steps": 20} | keywords)


def world(name, **keywords):
    return LQR(**WORLDS[name], **{"max_action": 1e6, "max_episode_steps": None} | keywords)


def cost_of_gain(env, gain, gamma):
    """V (n, n) with x'Vx = the discounted cost of u = -Kx: V = Q + K'RK + γ C'VC with C = A - BK, one linear system.

    An independent formula: vec(C'VC) = (C' ⊗ C') vec(V), no iteration and no minimum in it.
    """
    C, n = env.A - env.B @ gain, len(env.A)
    stage = env.Q + gain.T @ env.R @ gain
    return np.linalg.solve(np.eye(n * n) - gamma * np.kron(C.T, C.T), stage.ravel()).reshape(n, n)


def cost_by_steps(env, gain, gamma, start, steps):
    """The discounted cost of u = -Kx in the environment itself, through `step`; K sees the exact state."""
    env.reset(options={"state": start})
    return -sum(gamma**t * env.step(-gain @ env.state)[1] for t in range(steps))


# ---- P and K


def root(M):
    """F with F'F = M, for M without negative eigenvalues."""
    values, vectors = np.linalg.eigh(M)
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T


def best_action(env, V, gamma, x):
    """(u, cost) of the u that minimises x'Qx + u'Ru + γ (Ax + Bu)' V (Ax + Bu): a sum of squares, so least squares."""
    matrix = np.vstack([root(env.R), np.sqrt(gamma) * root(V) @ env.B])
    target = np.concatenate([np.zeros(len(env.R)), -np.sqrt(gamma) * root(V) @ env.A @ x])
    u = np.linalg.lstsq(matrix, target)[0]
    return u, x @ env.Q @ x + np.sum((matrix @ u - target) ** 2)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("name", WORLDS)
def test_value_iteration_point_by_point_ends_in_the_same_numbers(name, gamma):
    """V is known from its values at e_i and e_i + e_j, and each of these from its own minimisation: no formula of lqr.py."""
    env = world(name)
    n = len(env.A)
    V, change = np.zeros((n, n)), 1.0
    while change > 1e-11:
        at = lambda x: best_action(env, V, gamma, x)[1]
        both = np.array([[at(e + f) for f in np.eye(n)] for e in np.eye(n)])  # (n, n)
        single = np.diag(both) / 4  # at(2 e) = 4 at(e)
        V, before = (both - single[:, None] - single) / 2, V
        change = np.abs(V - before).max()
    P, K = env.riccati(gamma)
    np.testing.assert_allclose(P, V, rtol=1e-7, atol=1e-9)
    for x in np.random.default_rng(0).standard_normal((5, n)):
        np.testing.assert_allclose(-K @ x, best_action(env, V, gamma, x)[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("name", WORLDS)
def test_p_solves_the_equation_and_is_what_the_gain_costs(name, gamma):
    env = world(name)
    P, K = env.riccati(gamma)
    A, B, Q, R = env.A, env.B, env.Q, env.R
    inverse = np.linalg.inv(R + gamma * B.T @ P @ B)
    np.testing.assert_allclose(P, Q + gamma * A.T @ P @ A - gamma**2 * A.T @ P @ B @ inverse @ B.T @ P @ A, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(K, gamma * inverse @ B.T @ P @ A, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(cost_of_gain(env, K, gamma), P, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(P, P.T, rtol=1e-9)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 1.0])
def test_one_dimension_is_a_quadratic_equation(gamma):
    """P = q + γ a² P r / (r + γ b² P): γ b² P² + (r - γ a² r - γ b² q) P - q r = 0."""
    a, b, q, r = 1.1, 0.5, 1.0, 0.5
    roots = np.roots([gamma * b * b, r - gamma * a * a * r - gamma * b * b * q, -q * r])
    P, K = unstable().riccati(gamma)
    assert P[0, 0] == pytest.approx(roots.max(), rel=1e-10) and P.shape == K.shape == (1, 1)
    assert K[0, 0] == pytest.approx(gamma * b * P[0, 0] * a / (r + gamma * b * b * P[0, 0]), rel=1e-10)


def test_without_a_future_nothing_is_worth_an_action():
    P, K = world("three and two").riccati(0.0)
    np.testing.assert_array_equal(P, WORLDS["three and two"]["Q"])
    assert not K.any()


def test_without_a_cost_there_is_nothing_to_do():
    P, K = unstable(Q=0.0).riccati(0.9)
    assert P == 0 and K == 0


# ---- simulated returns


@pytest.mark.parametrize("name", WORLDS)
def test_simulated_costs_of_the_best_gain_are_the_quadratic_form(name):
    """What is missing after T steps is γᵀ x_T' P x_T, which the last state tells."""
    env, gamma, steps = world(name), 0.95, 60
    P, K = env.riccati(gamma)
    for start in np.random.default_rng(0).uniform(-1, 1, (10, len(P))):
        cost = cost_by_steps(env, K, gamma, start, steps)
        missing = gamma**steps * env.state @ P @ env.state
        assert cost + missing == pytest.approx(start @ P @ start, rel=1e-9)
        assert 0 <= missing < 0.05 * (start @ P @ start)  # so the above says something about the environment's rewards


@pytest.mark.parametrize("name", WORLDS)
def test_every_other_gain_is_worse_from_everywhere(name):
    """V - P has no negative eigenvalue, so the best gain is best from every start, and V is larger somewhere."""
    env, gamma, rng = world(name), 0.95, np.random.default_rng(0)
    P, K = env.riccati(gamma)
    for size in (1e-3, 1e-2, 1e-1):
        for _ in range(10):
            other = K + size * rng.standard_normal(K.shape)
            if gamma * np.abs(np.linalg.eigvals(env.A - env.B @ other)).max() ** 2 < 1:  # else it costs infinitely much
                worse = np.linalg.eigvalsh(cost_of_gain(env, other, gamma) - P)
                assert worse.min() > -1e-10 and worse.max() > 1e-9


def test_every_other_gain_is_worse_in_simulation():
    env, gamma, rng = world("three and two"), 0.9, np.random.default_rng(0)
    _, K = env.riccati(gamma)
    for start in rng.uniform(-1, 1, (5, 3)):
        best = cost_by_steps(env, K, gamma, start, 200)
        assert all(cost_by_steps(env, K + 0.1 * rng.standard_normal(K.shape), gamma, start, 200) > best for _ in range(5))


def test_noise_changes_the_value_by_a_constant_and_the_gain_not_at_all():
    """The constant is γ σ² tr(P) / (1 - γ): the mean of 400 episodes, within three standard errors."""
    env, gamma, steps, sigma = world("two states, one push", noise=0.3), 0.9, 100, 0.3
    P, K = env.riccati(gamma)
    np.testing.assert_array_equal(K, world("two states, one push").riccati(gamma)[1])
    env.reset(seed=0)
    start = np.array([0.5, -0.5])
    costs = [cost_by_steps(env, K, gamma, start, steps) for _ in range(400)]
    expected = start @ P @ start + gamma * sigma**2 * np.trace(P) / (1 - gamma)
    error = np.std(costs, ddof=1) / 20
    assert abs(np.mean(costs) - expected) <= 3 * error and error < 0.1 * (expected - start @ P @ start)


def test_in_the_default_world_the_best_action_is_always_allowed():
    """So that there the truth of the unbounded world holds: |K x| is largest at the start, and x shrinks."""
    env = unstable()
    for gamma in GAMMAS:
        _, K = env.riccati(gamma)
        assert abs(K[0, 0]) * 1.0 < env.action_space.high[0] and abs(1.1 - 0.5 * K[0, 0]) < 1


# ---- the world itself


def test_a_step_by_hand():
    env = LQR(A=[[1, 1], [0, 1]], B=[[0], [1]], Q=np.diag([1, 2]), R=3.0)
    env.reset(options={"state": [2.0, -1.0]})
    observation, reward, terminated, truncated, _ = env.step([0.5])
    assert reward == -(1 * 4 + 2 * 1 + 3 * 0.25)  # of the state before the step
    np.testing.assert_array_equal(observation, np.array([1.0, -0.5], np.float32))
    assert observation.dtype == np.float32 and env.state.dtype == np.float64 and (terminated, truncated) == (False, False)


def test_left_alone_the_default_world_grows_by_ten_percent():
    env = unstable()
    env.reset(options={"state": [1.0]})
    for _ in range(10):
        env.step([0.0])
    assert env.state[0] == pytest.approx(1.1**10)


def test_starts_are_uniform_and_the_state_given_is_copied():
    env = LQR(A=np.eye(2), B=np.eye(2), Q=np.eye(2), R=np.eye(2))
    env.reset(seed=0)
    starts = np.array([env.reset()[0] for _ in range(2000)])
    assert np.abs(starts).max() < 1 and (np.abs(starts.mean(axis=0)) < 3 / np.sqrt(3 * 2000)).all()
    assert np.abs(starts.var(axis=0) - 1 / 3).max() < 3 * np.sqrt(4 / 45 / 2000)  # Var x² = 1/5 - 1/9
    given = np.array([0.5, 0.5])
    env.reset(options={"state": given})
    given[:] = 7
    assert env.state.tolist() == [0.5, 0.5]
    env.step(np.array([1.0, 1.0]))
    assert given.tolist() == [7, 7]


def test_noise_has_the_given_size_and_none_draws_nothing():
    env = LQR(A=np.zeros((2, 2)), B=np.eye(2), Q=np.eye(2), R=np.eye(2), noise=0.5, max_episode_steps=None)
    env.reset(seed=0)
    states = np.array([env.step(np.zeros(2)) and env.state for _ in range(2000)])
    assert np.abs(states.std(axis=0) / 0.5 - 1).max() < 3 / np.sqrt(2 * 2000)
    assert abs(np.corrcoef(states.T)[0, 1]) < 3 / np.sqrt(2000)
    silent = unstable()
    silent.reset(seed=0)
    before = silent.rng.bit_generator.state
    silent.step([1.0])
    assert silent.rng.bit_generator.state == before


def test_render_shows_every_entry_where_it_is():
    env = LQR(A=np.eye(2), B=np.eye(2), Q=np.eye(2), R=np.eye(2))
    assert env.render().shape == (80, 402, 3)  # before the first reset, too
    columns = []
    for x in (-1.5, 0.0, 1.0, 5.0):
        env.reset(options={"state": [x, 0.0]})
        image = env.render()
        assert image.dtype == np.uint8 and image.shape == (80, 402, 3)
        top = (image[:40] == (204, 77, 77) if x > 2 else image[:40] == (43, 108, 176)).all(axis=2)
        columns.append(np.flatnonzero(top.any(axis=0)).mean())
        assert (image[[12, 52]] == 160).all(axis=2).sum() == 2 * 5  # ticks
        assert top.sum() == 81 and (image[40:] == (43, 108, 176)).all(axis=2).sum() == 81
    scale = (402 - 9) / 4
    np.testing.assert_allclose(columns, [4 + 0.5 * scale, 4 + 2 * scale, 4 + 3 * scale, 397], atol=0.5)


# ---- what is refused


@pytest.mark.parametrize(
    "keywords, message",
    [
        (dict(A=np.eye(2)), r"shapes must be A \(n, n\), B \(n, m\), Q \(n, n\), R \(m, m\), not A \(2, 2\), B \(1, 1\), Q"),
        (dict(A=np.eye(2), B=[0, 1], Q=np.eye(2)), r"shapes must be .*, not A \(2, 2\), B \(1, 2\)"),  # a row, not a column
        (dict(A=np.ones((1, 2)), B=1.0), r"shapes must be .* not A \(1, 2\)"),
        (dict(A=np.eye(2), B=np.eye(2), Q=1.0, R=np.eye(2)), r"shapes must be .* Q \(1, 1\)"),
        (dict(A=np.eye(2), B=np.eye(2), Q=np.eye(2)), r"shapes must be .* R \(1, 1\)"),
        (dict(B=np.ones((1, 1, 1))), r"shapes must be .* B \(1, 1, 1\)"),
        (dict(A=np.nan), r"A must be finite, not \[\[nan\]\]"),
        (dict(B=np.inf), r"B must be finite"),
        (dict(Q=-1.0), r"Q must have no negative eigenvalue, not -1: nothing may pay"),
        (dict(R=0.0), r"R must have positive eigenvalues, not 0: nothing may pay, and no action be free"),
        (dict(R=-2.0), r"R must have positive eigenvalues, not -2"),
        (dict(A=np.eye(2), B=np.eye(2), Q=[[1, 1], [0, 1]], R=np.eye(2)), r"Q must be symmetric, not .*: \(Q \+ Q.T\) / 2 costs"),
        (dict(A=np.eye(2), B=np.eye(2), Q=np.eye(2), R=[[1, 2], [2, 1]]), r"R must have positive eigenvalues, not -1"),
        (dict(noise=-0.1), "noise must be at least 0, not -0.1"),
        (dict(noise=np.nan), "noise must be at least 0, not nan"),
    ],
)  # fmt: skip
def test_a_world_that_is_none(keywords, message):
    with pytest.raises(ValueError, match=f"LQR: {message}"):
        LQR(**keywords)


@pytest.mark.parametrize("state", [1.0, [1.0, 2.0], [[1.0]], [np.nan], None])
def test_a_start_that_does_not_fit(state):
    env = unstable()
    env.reset(options={"state": [0.5]})
    with pytest.raises(ValueError, match=r"LQR: the state must be 1 finite numbers, of shape \(1,\), not"):
        env.reset(options={"state": state})
    assert env.state == [0.5]


@pytest.mark.parametrize(
    "keywords, gamma, limit",
    [
        (dict(B=0.0), 0.9, {}),  # γ a² = 1.089: grows like a power
        (dict(A=1.0, B=0.0), 1.0, {"most": 1000}),  # grows by Q in every round, for ever
        (dict(A=np.diag([1.2, 0.5]), B=[[0], [1]], Q=np.eye(2), R=1.0), 0.9, {}),  # the push does not reach the first state
        (dict(B=0.0, Q=1e20), 0.9, {}),
    ],
)
def test_a_world_that_no_gain_holds(keywords, gamma, limit):
    with pytest.raises(ValueError, match=f"LQR: with gamma = {gamma} the Riccati equation has no solution.*No gain holds"):
        unstable(**keywords).riccati(gamma, **limit)


def test_large_numbers_are_no_reason_to_refuse():
    P, K = unstable(Q=1e20, R=0.5e20).riccati(0.9)
    np.testing.assert_allclose([P / 1e20, K], unstable().riccati(0.9), rtol=1e-9)


def test_a_discount_can_save_it():
    P, K = unstable(B=0.0).riccati(0.8)  # γ a² = 0.968
    assert P[0, 0] == pytest.approx(1 / (1 - 0.8 * 1.21), rel=1e-9) and K == 0


@pytest.mark.parametrize("gamma", [-0.1, 1.1, np.nan])
def test_a_discount_that_is_none(gamma):
    with pytest.raises(ValueError, match=f"gamma must lie between 0 and 1, not {gamma}"):
        unstable().riccati(gamma)
