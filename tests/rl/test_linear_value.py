"""Linear value functions: fixed points and errors in closed form, learning from records, divergence and its cure.

The settings are those of Zhao's chapter 8 (5 x 5 world, uniform policy) and of Sutton & Barto's chapters 9 and 11. The
numbers were computed by other programs, or read off the books' figures where it says so.
"""


import numpy as np
import pytest

from rl import episodes as ep
from rl import linear_value as lv
from rl import mdp as m
from rl.envs import GridWorld, RandomWalk
from rl.features import aggregation, fourier, one_hot, polynomial, rows

TABLES = {  # w*, RMSE of w*, RMSE of least squares, from Zhao's rules by another program
    "poly2": ([0.41860465, -0.09302326], 3.52704245, 3.52696094),
    "poly3": ([-3.52, 0.41860465, -0.09302326], 0.22277444, 0.22148019),
    "poly6": ([-3.376, 0.41860465, -0.09302326, -0.032, -0.256, 0.06557377], 0.19351122, 0.19192274),
    "poly10": ([-3.376, 0.821225, 0.28253339, -0.032, -0.256, 0.06557377, -0.47026279, -0.26556017, -0.26631158, 0.05326232],
               0.12514905, 0.1245857),
}  # fmt: skip
GAMMA = 0.9
GRID = GridWorld(max_episode_steps=500)
MDP = GRID.mdp()
UNIFORM = m.uniform_policy(MDP)
V = m.state_values(MDP, UNIFORM, GAMMA)
D = np.full(25, 1 / 25)
POLYNOMIALS = {f"poly{n}": polynomial(order)(GRID.coordinates(-1, 1)) for order, n in ((1, 3), (2, 6), (3, 10))}
FOURIER = {f"fourier{q}": fourier(q)(GRID.coordinates(0, 1)) for q in (1, 2, 3, 4)}
ALL = POLYNOMIALS | FOURIER


def rmse(Phi, w):
    return np.sqrt(np.mean((Phi @ w - V) ** 2))


def random_problem(seed, S=7, F=4):
    """An MDP, a policy, features, all random; everything can be reached."""
    rng = np.random.default_rng(seed)
    mdp = m.MDP(rng.dirichlet(np.full(S, 0.5), (S, 3)), rng.standard_normal((S, 3)))
    return mdp, rng.dirichlet(np.ones(3), S), rng.standard_normal((S, F))


def record(*steps):
    """An Experience from (s, r, s', terminated, truncated)."""
    return ep.Experience(*(np.array(column, kind) for column, kind in zip(zip(*steps), (int, float, int, bool, bool))))


# ---- the one update


def test_step_towards_moves_the_active_weights_by_alpha_times_error_times_feature():
    w, active, phi = np.arange(5.0), np.array([1, 4]), np.array([2.0, -0.5])
    lv.step_towards(w, active, phi, 3.0, 0.1)
    error = 3.0 - (2.0 * 1 - 0.5 * 4)
    np.testing.assert_allclose(w, [0, 1 + 0.1 * error * 2, 2, 3, 4 - 0.1 * error * 0.5], rtol=1e-15)
    assert lv.value(np.arange(5.0), active, phi) == 0.0


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_weights_that_are_no_numbers_stop_it(poison):
    with pytest.raises(FloatingPointError, match="the weights diverge. Take a smaller alpha"):
        lv.step_towards(np.array([poison]), np.array([0]), np.ones(1), 1.0, 0.1)


def test_td_with_a_large_alpha_stops_with_a_clear_error():
    experience = ep.play_fast(GRID, UNIFORM, 5, np.random.default_rng(0))
    for learn in (lv.td, lv.gradient_monte_carlo):
        with pytest.raises(FloatingPointError, match="diverge"), np.errstate(all="ignore"):
            learn(np.ones(10), rows(ALL["poly10"]), experience, 3.0, GAMMA)


# ---- fixed points, to six digits


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomial_fixed_points_are_those_of_the_table(name):
    Phi, (w_star, fixed_point, best) = ALL[name], TABLES[name]
    w = lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi)
    np.testing.assert_allclose(w, w_star, rtol=0, atol=1e-8)
    assert rmse(Phi, w) == pytest.approx(fixed_point, abs=1e-8)
    assert rmse(Phi, lv.least_squares(Phi, V, D)) == pytest.approx(best, abs=1e-8)


def test_without_a_constant_the_features_miss_the_mean():
    Phi, (w_star, fixed_point, _) = ALL["poly3"][:, 1:], TABLES["poly2"]
    w = lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi)
    np.testing.assert_allclose(w, w_star, rtol=0, atol=1e-8)
    assert rmse(Phi, w) == pytest.approx(fixed_point, abs=1e-8)
    assert rmse(Phi, np.zeros(2)) == pytest.approx(3.5416, abs=5e-5)


@pytest.mark.parametrize(
    "q, fixed_point, best", [(1, 0.206704, 0.206333), (2, 0.137421, 0.135995), (3, 0.097347, 0.092516), (4, 0, 0)]
)
def test_fourier_fixed_points(q, fixed_point, best):
    """Against the projected Bellman equation, solved another way: w = least squares of r + γ P Φ w, a linear map of w."""
    Phi, (P, r) = ALL[f"fourier{q}"], m.under(MDP, UNIFORM)
    project = np.linalg.pinv(Phi)  # d is uniform
    other = np.linalg.solve(np.eye(Phi.shape[1]) - GAMMA * project @ P @ Phi, project @ r)
    w = lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi)
    np.testing.assert_allclose(w, other, atol=1e-9)
    assert rmse(Phi, w) == pytest.approx(fixed_point, abs=1e-6)
    assert rmse(Phi, lv.least_squares(Phi, V, D)) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("name, printed", [("poly3", 0.2425), ("poly6", 0.2169), ("poly10", 0.1298), ("fourier4", 0.0)])
def test_residual_gradient_rests_elsewhere(name, printed):
    w = np.linalg.solve(*lv.residual_system(MDP, UNIFORM, GAMMA, ALL[name]))
    assert rmse(ALL[name], w) == pytest.approx(printed, abs=5e-5)


def test_a_and_b_are_the_mean_of_what_td_does():
    """For every transition of a small chain by hand: α (b − A w) is the mean update."""
    mdp, policy, Phi = random_problem(0)
    d, gamma, w = m.stationary_distribution(mdp, policy), 0.8, np.random.default_rng(1).standard_normal(4)
    mean = np.zeros(4)
    for s, a, s2 in np.ndindex(mdp.P.shape):
        p = d[s] * policy[s, a] * mdp.P[s, a, s2]
        mean += p * (mdp.R[s, a] + gamma * Phi[s2] @ w - Phi[s] @ w) * Phi[s]
    A, b = lv.td_system(mdp, policy, gamma, Phi)
    np.testing.assert_allclose(b - A @ w, mean, atol=1e-13)


def test_semi_gradient_and_whole_gradient_differ_by_the_term_of_the_next_features():
    """(b − A w) of the residual gradient = that of TD − γ Φ'ᵀ D δ, with Φ' = P_π Φ."""
    mdp, policy, Phi = random_problem(1)
    d, gamma, w = m.stationary_distribution(mdp, policy), 0.8, np.random.default_rng(2).standard_normal(4)
    P, r = m.under(mdp, policy)
    delta = r + gamma * P @ Phi @ w - Phi @ w
    step = [b - A @ w for A, b in (lv.td_system(mdp, policy, gamma, Phi), lv.residual_system(mdp, policy, gamma, Phi))]
    np.testing.assert_allclose(step[1], step[0] - gamma * (P @ Phi).T @ (d * delta), atol=1e-13)
    assert np.abs(step[1] - step[0]).max() > 0.01


def test_one_hot_features_make_the_fixed_point_the_values():
    np.testing.assert_allclose(lv.td_fixed_point(MDP, UNIFORM, GAMMA, np.eye(25)), V, atol=1e-10)


# ---- distributions


def test_distributions_are_stationary():
    mdp, policy, _ = random_problem(2)
    for process, pi in ((mdp, policy), (MDP, UNIFORM)):
        d = m.stationary_distribution(process, pi)
        np.testing.assert_allclose(d @ m.under(process, pi)[0], d, atol=1e-14)
    np.testing.assert_allclose(m.stationary_distribution(MDP, UNIFORM), D, atol=1e-14)


def test_the_on_policy_distribution_is_that_of_the_task_begun_again():
    env = RandomWalk(9, 2)
    mdp = env.mdp()
    d = lv.on_policy_distribution(mdp, m.uniform_policy(mdp), env.start)
    P = m.under(mdp, m.uniform_policy(mdp))[0]
    P[mdp.terminal] = env.start  # an end is followed by a beginning, and is itself not counted
    again = d @ P
    ends = again[mdp.terminal].sum()
    np.testing.assert_allclose(again[~mdp.terminal] + ends * env.start[~mdp.terminal], d[~mdp.terminal], atol=1e-14)
    assert d.sum() == pytest.approx(1) and (d[mdp.terminal] == 0).all()
    state = ep.play_fast(env, m.uniform_policy(mdp), 20_000, np.random.default_rng(0)).state
    np.testing.assert_allclose(np.bincount(state, minlength=11) / state.size, d, atol=0.005)


def test_the_on_policy_distribution_counts_visits_of_any_policy():
    """Σ_t of the distribution at time t, from the start, until nobody is left: a chain that is not symmetric."""
    rng = np.random.default_rng(3)
    P, policy, start = rng.dirichlet(np.full(6, 0.5), (6, 2)), rng.dirichlet(np.ones(2), 6), rng.dirichlet(np.ones(6))
    P[4:] = np.eye(6)[4:, None]
    start[4:] = 0
    mdp = m.MDP(P, np.where(np.arange(6)[:, None] >= 4, 0.0, 1.0) * np.ones((6, 2)))
    at, visits = start, np.zeros(6)
    for _ in range(2000):
        visits, at = visits + at, at @ m.under(mdp, policy)[0] * ~mdp.terminal
    np.testing.assert_allclose(lv.on_policy_distribution(mdp, policy, start), visits / visits.sum(), atol=1e-12)


@pytest.fixture(scope="module")
def walk():
    env = RandomWalk()
    mdp = env.mdp()
    policy = m.uniform_policy(mdp)
    return env, mdp, policy, m.state_values(mdp, policy, 1.0), lv.on_policy_distribution(mdp, policy, env.start)


def test_the_1000_state_walk_in_closed_form(walk):
    """Sutton & Barto, example 9.1: errors as √VE under μ, and for TD also the plain RMS over the 1,000 states."""
    _, mdp, policy, v, d = walk
    np.testing.assert_allclose(v[[1, 250, 500]], [-0.9220, -0.4727, -0.0009], atol=5e-5)
    assert d.max() == pytest.approx(0.01369, abs=5e-6)
    states = np.arange(1002)
    for groups, best, best_rms, td, td_rms in (
        (10, 0.0544, 0.0541, 0.1167, 0.1325),
        (20, 0.0273, None, 0.0482, None),
        (100, 0.0054, None, 0.0067, None),
    ):
        Phi = aggregation(1000, groups)(np.clip(states - 1, 0, 999))
        w, w_best = lv.td_fixed_point(mdp, policy, 1.0, Phi, d), lv.least_squares(Phi, v, d)
        for weights, root, rms in ((w_best, best, best_rms), (w, td, td_rms)):
            assert np.sqrt(lv.errors(mdp, policy, 1.0, Phi, weights, d).VE) == pytest.approx(root, abs=5e-5)
            if rms:
                assert np.sqrt(np.mean((Phi @ weights - v)[1:-1] ** 2)) == pytest.approx(rms, abs=5e-5)
    for make, order, best in ((polynomial, 5, 0.0010), (fourier, 5, 0.0078), (polynomial, 10, 0.0004), (fourier, 10, 0.0028)):
        Phi = make(order)(states / 1000)
        w = lv.least_squares(Phi, v, d)
        assert np.sqrt(lv.errors(mdp, policy, 1.0, Phi, w, d).VE) == pytest.approx(best, abs=5e-5)


# ---- errors


def test_the_three_errors_are_what_they_say():
    mdp, policy, Phi = random_problem(3)
    d, gamma, w = m.stationary_distribution(mdp, policy), 0.7, np.random.default_rng(4).standard_normal(4)
    P, r = m.under(mdp, policy)
    v, v_hat = m.state_values(mdp, policy, gamma), Phi @ w
    target = r + gamma * P @ v_hat
    C = Phi.T @ np.diag(d) @ Phi
    projection = Phi @ np.linalg.inv(C) @ Phi.T @ np.diag(d)
    norm = lambda x: d @ x**2  # noqa: E731
    expected = norm(v_hat - v), norm(v_hat - target), norm(v_hat - projection @ target)
    np.testing.assert_allclose(lv.errors(mdp, policy, gamma, Phi, w), expected, rtol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_each_error_has_its_own_minimum(seed):
    mdp, policy, Phi = random_problem(seed)
    gamma, rng = 0.9, np.random.default_rng(seed)
    d = m.stationary_distribution(mdp, policy)
    errors = lambda w: lv.errors(mdp, policy, gamma, Phi, w)  # noqa: E731
    best = {
        "VE": lv.least_squares(Phi, m.state_values(mdp, policy, gamma), d),
        "BE": np.linalg.solve(*lv.residual_system(mdp, policy, gamma, Phi)),
        "PBE": lv.td_fixed_point(mdp, policy, gamma, Phi),
    }
    assert errors(best["PBE"]).PBE < 1e-20
    for name, w in best.items():
        for _ in range(10):
            assert getattr(errors(w), name) < getattr(errors(w + 0.01 * rng.standard_normal(4)), name)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(5))
def test_the_bound_on_the_error_of_the_fixed_point(seed, gamma):
    mdp, policy, Phi = random_problem(seed)
    d, v = m.stationary_distribution(mdp, policy), m.state_values(mdp, policy, gamma)
    root = lambda w: np.sqrt(lv.errors(mdp, policy, gamma, Phi, w).VE)  # noqa: E731
    least = root(lv.least_squares(Phi, v, d))
    assert least <= root(lv.td_fixed_point(mdp, policy, gamma, Phi)) + 1e-12 <= least / (1 - gamma) + 2e-12


# ---- Baird's star, to 1e-6


def test_baird_star_diverges_and_two_cures_do_not():
    mdp, policy, Phi = lv.baird_star()
    gamma, d, start = 0.99, np.full(7, 1 / 7), [1.0] * 6 + [10.0, 1.0]
    A, b = lv.td_system(mdp, policy, gamma, Phi, d)
    roots = lambda w: np.sqrt(lv.errors(mdp, policy, gamma, Phi, w, d))  # noqa: E731
    w = lv.expected_updates(A, b, start, 0.01, 1000)[-1]
    np.testing.assert_allclose(w, [114.4337] * 6 + [6.8500, 335.0012], atol=5e-5)
    assert roots(w)[0] == pytest.approx(581.355, abs=5e-4)
    assert np.abs(np.linalg.eigvals(np.eye(8) - 0.01 * A)).max() == pytest.approx(1.0023925, abs=5e-8)
    w = lv.tdc(A, b, Phi.T * d @ Phi, start, 0.005, 0.05, 1000)[-1]
    np.testing.assert_allclose(w, [2.13531376] * 6 + [6.62805133, -2.33795607], atol=1e-6)
    np.testing.assert_allclose(roots(w)[[0, 2]], [1.93546454, 0.00737856], atol=1e-6)
    w = lv.expected_updates(*lv.residual_system(mdp, policy, gamma, Phi, d), start, 0.01, 1000)[-1]
    np.testing.assert_allclose(roots(w)[:2], [1.93501377, 0.00737681], atol=1e-6)


def test_where_the_updates_follow_the_policy_the_star_does_not_diverge():
    """Under the policy's own distribution only the centre is seen: A has no eigenvalue with a negative real part."""
    mdp, policy, Phi = lv.baird_star()
    A, _ = lv.td_system(mdp, policy, 0.99, Phi)
    assert np.linalg.eigvals(A).real.min() > -1e-12
    A, _ = lv.td_system(mdp, policy, 0.99, Phi, np.full(7, 1 / 7))
    assert np.linalg.eigvals(A).real.min() < -0.1


def test_tdc_finds_the_fixed_point_of_td():
    mdp, policy, Phi = random_problem(5)
    A, b = lv.td_system(mdp, policy, 0.5, Phi)
    C = Phi.T * m.stationary_distribution(mdp, policy) @ Phi
    w = lv.tdc(A, b, C, np.zeros(4), 0.3, 0.3, 5000)[-1]
    np.testing.assert_allclose(w, np.linalg.solve(A, b), atol=1e-8)


# ---- records of play


@pytest.mark.parametrize(
    "env",
    [
        GridWorld(max_episode_steps=30),
        RandomWalk(19, 3),
        RandomWalk(5, 1, max_episode_steps=4),
        RandomWalk(1, 1, max_episode_steps=1),
    ],
)
def test_the_two_drivers_play_the_same_bits(env):
    policy = np.random.default_rng(9).dirichlet(np.ones(env.action_space.n), env.observation_space.n)
    fast = ep.play_fast(env, policy, 8, np.random.default_rng(3))
    observations, slow = ep.play(env, policy, 8, np.random.default_rng(3))
    for name in ("reward", "terminated", "truncated"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
    for name in ("state", "next_state"):
        np.testing.assert_array_equal(getattr(fast, name), observations[getattr(slow, name)])
    assert (fast.terminated | fast.truncated).sum() == 8 and (fast.terminated | fast.truncated)[-1]
    Phi = np.random.default_rng(1).standard_normal((env.observation_space.n, 3))
    weights = [np.ones(3), np.ones(3)]
    lv.td(weights[0], rows(Phi), fast, 0.1, 0.9)
    lv.td(weights[1], rows(Phi[observations]), slow, 0.1, 0.9)  # features of what was observed, step by step
    np.testing.assert_array_equal(*weights)
    if isinstance(env, GridWorld):
        assert (ep.play_fast(env, policy, 8, np.random.default_rng(4)).state != fast.state).any()


def test_a_record_longer_than_its_room_is_the_same(monkeypatch):
    whole = ep.play_fast(RandomWalk(19, 3), np.ones((21, 1)), 30, np.random.default_rng(3))
    for room in (7, len(whole.state), 1):
        monkeypatch.setattr(ep, "ROOM", room)
        for a, b in zip(whole, ep.play_fast(RandomWalk(19, 3), np.ones((21, 1)), 30, np.random.default_rng(3))):
            np.testing.assert_array_equal(a, b)


def test_a_policy_given_as_a_function_and_continuous_observations():
    from rl.envs.mountain_car import MountainCar

    observations, experience = ep.play(MountainCar(), lambda x, rng: 2 if x[1] >= 0 else 0, 2, np.random.default_rng(0))
    assert observations.shape[1] == 2 and experience.terminated.sum() == 2
    np.testing.assert_array_equal(np.diff(experience.state), np.where(experience.terminated[:-1], 2, 1))
    np.testing.assert_array_equal(experience.next_state, experience.state + 1)
    w = np.zeros(10)
    lv.gradient_monte_carlo(w, rows(polynomial(3)(observations)), experience, 0.01, 1.0)
    assert (w != 0).all()


def test_draws_have_their_probabilities():
    rng, p = np.random.default_rng(0), np.array([0.2, 0.0, 0.5, 0.3])
    draws = np.bincount([ep.pick(ep.sum_up(p), rng) for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(draws, p, atol=4 * np.sqrt(0.25 / 20_000))
    assert draws[1] == 0
    lowest = type("Lowest", (), {"random": lambda self: 0.0})()
    assert getattr(ep.pick, "py_func", ep.pick)(ep.sum_up([0.0, 0.0, 1.0]), lowest) == 2  # what is impossible is never drawn


@pytest.mark.parametrize("call, message", [
    (lambda: ep.play_fast(GRID, np.ones((25, 4)) / 4, 1, np.random.default_rng(0)), r"policy must have shape \(S, A\) = \(25, 5\)"),
    (lambda: ep.play_fast(GRID, np.ones((25, 5)), 1, np.random.default_rng(0)), r"play_fast: policy\[0\] sums to 5"),
    (lambda: ep.play_fast(GridWorld(), UNIFORM, 1, np.random.default_rng(0)), "an episode has no end: give max_episode_steps"),
    (lambda: ep.play_fast(GRID, UNIFORM, 0, np.random.default_rng(0)), "episodes must be an integer of at least 1, not 0"),
    (lambda: ep.play(GRID, UNIFORM, 0, np.random.default_rng(0)), "episodes must be an integer of at least 1, not 0"),
    (lambda: lv.td_fixed_point(MDP, UNIFORM, GAMMA, np.ones((24, 2))), r"Phi must have shape \(S, F\) with S = 25"),
    (lambda: lv.td_fixed_point(MDP, UNIFORM, GAMMA, np.eye(25), np.ones(24)), r"d must be \(S,\) = \(25,\) shares >= 0.*d has shape \(24,\)"),
    (lambda: lv.td_fixed_point(MDP, UNIFORM, 1.5, np.eye(25)), "gamma must lie between 0 and 1, not 1.5"),
    (lambda: lv.td_fixed_point(RandomWalk(5, 1).mdp(), np.ones((7, 1)), 1.0, np.eye(7)), "give d=on_policy_distribution"),
])  # fmt: skip
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- learning from records


def test_td_with_one_hot_features_is_tabular_td_bit_for_bit():
    env = GridWorld(target_terminal=True, max_episode_steps=40)  # both ways to end
    experience = ep.play_fast(env, UNIFORM, 20, np.random.default_rng(0))
    assert experience.terminated.any() and experience.truncated.any()
    w = np.random.default_rng(1).standard_normal(25)
    table = w.copy()
    lv.td(w, rows(one_hot(25)(np.arange(25))), experience, 0.1, GAMMA)
    for s, r, s2, terminated, _ in zip(*experience):
        target = r if terminated else r + GAMMA * table[s2]
        table[s] += 0.1 * (target - table[s])
    np.testing.assert_array_equal(w, table)


@pytest.mark.parametrize("learn", [lv.td, lv.gradient_monte_carlo])
def test_what_does_not_fit_together_is_refused(learn):
    experience, features = record((0, 1.0, 3, True, False)), rows(np.eye(4))
    with pytest.raises(ValueError, match="w has fewer weights"):
        learn(np.zeros(3), features, experience, 0.1, GAMMA)
    with pytest.raises(ValueError, match="a state that rows"):
        learn(np.zeros(4), rows(np.eye(4)[:3]), experience, 0.1, GAMMA)
    with pytest.raises(ValueError, match="a state that rows"):
        learn(np.zeros(4), rows(np.eye(4)), experience._replace(state=experience.state - 4), 0.1, GAMMA)
    with pytest.raises(ValueError, match="differ in length"):
        learn(np.zeros(4), rows(np.eye(4)), experience._replace(reward=experience.reward[:0]), 0.1, GAMMA)
    with pytest.raises(ValueError, match="alpha must be"):
        learn(np.zeros(4), rows(np.eye(4)), experience, -0.1, GAMMA)


def test_integer_weights_are_refused():
    with pytest.raises(ValueError, match="w must be an array of floats"):
        ep.ends_of(record((0, 1.0, 3, True, False)), rows(np.eye(4)), np.zeros(4, int), 0.9)


def test_a_dense_row_and_its_active_features_learn_the_same():
    experience = ep.play_fast(GRID, UNIFORM, 1, np.random.default_rng(0))
    sparse, dense = np.zeros(25), np.zeros(25)
    lv.td(sparse, rows(np.eye(25)), experience, 0.1, GAMMA)
    everything = type(rows(np.eye(25)))(np.tile(np.arange(25), (25, 1)), np.eye(25))
    lv.td(dense, everything, experience, 0.1, GAMMA)
    np.testing.assert_array_equal(sparse, dense)


def test_truncation_bootstraps_and_termination_does_not():
    features = rows(np.eye(2))
    for terminated, target in ((False, 1 + 0.5 * 8), (True, 1)):
        w = np.array([2.0, 8.0])
        lv.td(w, features, record((0, 1.0, 1, terminated, not terminated)), 0.1, 0.5)
        np.testing.assert_allclose(w, [2 + 0.1 * (target - 2), 8], rtol=1e-15)
        w = np.array([2.0, 8.0])
        lv.gradient_monte_carlo(w, features, record((0, 1.0, 1, terminated, not terminated)), 0.1, 0.5)
        np.testing.assert_allclose(w, [2 + 0.1 * (target - 2), 8], rtol=1e-15)
    both = record((0, 1.0, 1, True, True))
    w = np.array([2.0, 8.0])
    lv.td(w, features, both, 0.1, 0.5)
    np.testing.assert_allclose(w[0], 2 + 0.1 * (1 - 2), rtol=1e-15)


def test_monte_carlo_by_hand():
    """Returns 1 + .5 (2 + .5 · 4) = 3, 4, 4 of the first episode, from its end; the second episode stands alone."""
    experience = record((0, 1.0, 1, False, False), (1, 2.0, 2, False, False), (2, 4.0, 3, True, False), (0, 7.0, 3, True, False))
    w = np.zeros(4)
    history = lv.gradient_monte_carlo(w, rows(np.eye(4)), experience, 0.5, 0.5)
    np.testing.assert_allclose(history, [[1.5, 2, 2, 0], [1.5 + 0.5 * (7 - 1.5), 2, 2, 0]], rtol=1e-15)
    np.testing.assert_array_equal(history[-1], w)


def test_the_mean_of_tds_tail_is_the_fixed_point():
    """With a constant step TD never comes to rest: its mean over time does. 20 runs give the mean its standard error."""
    Phi, tails = ALL["poly6"], []
    for seed in range(20):
        experience = ep.play_fast(GRID, UNIFORM, 20, np.random.default_rng(seed))
        w = lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi)
        tails.append(lv.td(w, rows(Phi), experience, 0.002, GAMMA).mean(axis=0))
    tails = np.array(tails)
    error = tails.std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(tails.mean(axis=0) - lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi)) < 4 * error).all()
    assert (error < 0.05).all()


def test_lstd_and_its_recursive_form_agree():
    experience = ep.play_fast(GridWorld(target_terminal=True, max_episode_steps=60), UNIFORM, 30, np.random.default_rng(0))
    for Phi in ALL.values():
        np.testing.assert_allclose(lv.lstd(Phi, experience, GAMMA), lv.recursive_lstd(Phi, experience, GAMMA), rtol=0, atol=1e-8)
    w, sigma = lv.lstd(ALL["poly3"], experience, GAMMA), 1e-3
    A, b = sigma * np.eye(3), np.zeros(3)
    for s, r, s2, terminated, _ in zip(*experience):  # the sum, step by step
        phi, after = ALL["poly3"][s], ALL["poly3"][s2] * (not terminated)
        A, b = A + np.outer(phi, phi - GAMMA * after), b + r * phi
    np.testing.assert_allclose(w, np.linalg.solve(A, b), atol=1e-10)


def test_the_books_plus_is_no_inverse():
    rng = np.random.default_rng(0)
    B, phi, psi = rng.standard_normal((4, 4)), rng.standard_normal(4), rng.standard_normal(4)
    change = np.outer(B @ phi, psi @ B) / (1 + psi @ B @ phi)
    truth = np.linalg.inv(np.linalg.inv(B) + np.outer(phi, psi))
    np.testing.assert_allclose(B - change, truth, atol=1e-10)
    assert np.abs(B + change - truth).max() > 0.1


def test_lstd_of_a_long_record_is_close_to_the_fixed_point():
    """250,000 samples; a run of another program has .1261, the fixed point .1251."""
    Phi = ALL["poly10"]
    w = lv.lstd(Phi, ep.play_fast(GRID, UNIFORM, 500, np.random.default_rng(0)), GAMMA)
    assert rmse(Phi, w) == pytest.approx(0.1256, abs=0.002)
    np.testing.assert_allclose(w, lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi), atol=0.1)


# ---- learning curves, several seeds (slower)


@pytest.mark.proof
@pytest.mark.parametrize("name, alpha, low, high", [
    ("poly3", 0.0005, 0.223, 0.230), ("poly6", 0.0005, 0.193, 0.210), ("poly10", 0.0005, 0.135, 0.151),
    ("fourier1", 0.0005, 0.207, 0.223), ("fourier2", 0.0005, 0.141, 0.157), ("fourier3", 0.0005, 0.102, 0.127),
    ("table", 0.005, 0.037, 0.076),
])  # fmt: skip
def test_td_linear_on_the_5_by_5_world(name, alpha, low, high):
    """500 episodes of 500 steps, w₀ ~ N(0, 1) (zeros for the table), 20 seeds: the mean RMSE lies in the band that holds
    the end of the book's curve (figures 8.7 and 8.8) and three runs of another program, give or take three standard errors.
    """
    Phi, final = ALL.get(name, np.eye(25)), []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        w = rng.standard_normal(Phi.shape[1]) * (name != "table")
        final.append(rmse(Phi, lv.td(w, rows(Phi), ep.play_fast(GRID, UNIFORM, 500, rng), alpha, GAMMA)[-1]))
    error = np.std(final, ddof=1) / np.sqrt(20)
    assert low - 3 * error < np.mean(final) < high + 3 * error and error < 0.005


@pytest.mark.proof
def test_gradient_monte_carlo_on_the_1000_state_walk(walk):
    """As in Sutton & Barto's figure 9.5, 30 runs of 5,000 episodes: RMS over the states after the last, beside the mean and
    standard error of another program's 30 runs."""
    env, _, policy, v, _ = walk
    reference = {(fourier, 5): (0.0537, 0.004), (fourier, 10): (0.0573, 0.004), (fourier, 20): (0.0619, 0.004),
                 (polynomial, 5): (0.159, 0.005), (polynomial, 10): (0.147, 0.005), (polynomial, 20): (0.140, 0.005)}  # fmt: skip
    features = {key: key[0](key[1])(np.arange(1002) / 1000) for key in reference}
    final = {key: [] for key in reference}
    for seed in range(30):
        experience = ep.play_fast(env, policy, 5000, np.random.default_rng(seed))
        for key, Phi in features.items():
            w = np.zeros(Phi.shape[1])
            lv.gradient_monte_carlo(w, rows(Phi), experience, 5e-5 if key[0] is fourier else 1e-4, 1.0)
            final[key].append(np.sqrt(np.mean((Phi @ w - v)[1:-1] ** 2)))
    for key, (expected, its_error) in reference.items():
        error = np.hypot(np.std(final[key], ddof=1) / np.sqrt(30), its_error)
        assert abs(np.mean(final[key]) - expected) < 3 * error, (key, np.mean(final[key]))


@pytest.mark.parametrize("driver", [ep.play, ep.play_fast])
def test_a_policy_that_is_none_is_refused_by_both_drivers(driver):
    env = GridWorld(max_episode_steps=5)
    with pytest.raises(ValueError, match=r"policy\[0\] sums to 0.5, not to 1"):
        driver(env, np.full((25, 5), 0.1), 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"policy must have shape \(S, A\) = \(25, 5\), not \(25, 3\)"):
        driver(env, np.full((25, 3), 1 / 3), 1, np.random.default_rng(0))
    driver(env, np.full((25, 5), 0.2, np.float32), 1, np.random.default_rng(0))  # probabilities from a float32 network


def test_gamma_is_checked_wherever_it_goes():
    grid, record_ = GridWorld(max_episode_steps=5), ep.play_fast(GridWorld(max_episode_steps=5), UNIFORM, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="gamma = 1, but from state 0 no terminal state is ever reached"):
        lv.td_fixed_point(grid.mdp(), UNIFORM, 1, np.eye(25))
    with pytest.raises(ValueError, match="gamma = 1, but from state 0"):
        lv.on_policy_distribution(grid.mdp(), UNIFORM, np.full(25, 1 / 25))
    for learner in (lv.td, lv.gradient_monte_carlo):
        with pytest.raises(ValueError, match="gamma must lie between 0 and 1"):
            learner(np.zeros(25), rows(np.eye(25)), record_, 0.1, 2.0)
    for closed in (lv.lstd, lv.recursive_lstd):
        with pytest.raises(ValueError, match="gamma must lie between 0 and 1, not 2"):
            closed(np.eye(25), record_, 2.0)


def test_features_that_depend_on_each_other_give_the_shortest_weights():
    Phi = np.random.default_rng(0).standard_normal((25, 30))  # more features than states
    w = lv.td_fixed_point(MDP, UNIFORM, GAMMA, Phi)
    np.testing.assert_allclose(Phi @ w, lv.td_fixed_point(MDP, UNIFORM, GAMMA, np.eye(25)), atol=1e-8)
    twice = np.hstack([np.eye(25), np.eye(25)])
    np.testing.assert_allclose(*np.split(lv.td_fixed_point(MDP, UNIFORM, GAMMA, twice), 2), atol=1e-10)


def test_an_environment_that_reuses_its_array_is_recorded_rightly():
    class Reusing(RandomWalk):
        shown = np.zeros((), int)

        def begin(self, options):
            self.shown[...] = super().begin(options)
            return self.shown

        def move(self, action):
            state, reward, terminated = super().move(action)
            self.shown[...] = state
            return self.shown, reward, terminated

    seen, _ = ep.play(Reusing(5, 1), lambda s, rng: 0, 3, np.random.default_rng(0))
    right, _ = ep.play(RandomWalk(5, 1), lambda s, rng: 0, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(seen, right)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e-9, 1e9])
def test_the_fixed_point_does_not_depend_on_the_units_of_a_feature(unit):
    env = RandomWalk(20, 1)
    mdp, policy = env.mdp(), np.ones((22, 1))
    d = lv.on_policy_distribution(mdp, policy, env.start)
    v = [Phi @ lv.td_fixed_point(mdp, policy, 1.0, Phi, d) for Phi in (np.stack([np.ones(22), c * np.arange(22)], 1) for c in (1.0, unit))]
    np.testing.assert_allclose(v[0], v[1], rtol=1e-8, atol=1e-10)
    assert np.ptp(v[0]) > 0.5


def test_where_A_is_zero_but_for_rounding_td_has_nowhere_to_rest():
    ring = m.MDP(np.eye(3)[[1, 2, 0]][:, None], np.ones((3, 1)))  # a reward of 1 for ever: without discount v has no value
    for Phi in (np.ones((3, 1)), np.eye(3)):
        with pytest.raises(ValueError, match="TD has nowhere to rest"):
            lv.td_fixed_point(ring, np.ones((3, 1)), 1 - 1e-16, Phi)
    np.testing.assert_allclose(lv.td_fixed_point(ring, np.ones((3, 1)), 0.9, np.full((3, 1), 1e-9)), [1e10])
