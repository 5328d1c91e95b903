"""Sarsa and Q-learning with linear features: one update, two drivers, the same bits; mountain car and the grid."""


import numpy as np
import pytest

from rl import linear_control as lc
from rl.dynamic_programming import value_iteration
from rl.envs import GridWorld, RandomWalk, TabularEnvironment, dynamics
from rl.envs.cart_pole import CartPole
from rl.envs.mountain_car import MountainCar
from rl.features import TileCoding, fourier, one_hot, polynomial

MAP = """
S....
.##..
..#..
.#G#.
.#..."""
TILES = TileCoding([-1.2, -0.07], [0.5, 0.07])  # 8 tilings of 8 x 8, up to the goal


def path_task(**rewards):
    """From the upper left corner to the target, which ends the episode."""
    return GridWorld(MAP, reward_boundary=-10, reward_forbidden=-10, target_terminal=True, **rewards)


def windy():
    """A small world whose actions sometimes do something else: its outcomes cost random numbers."""
    rng = np.random.default_rng(0)
    next_state = rng.integers(6, size=(6, 3, 2))
    probability = np.full((6, 3, 2), 0.5)
    return TabularEnvironment(
        next_state, probability, rng.standard_normal((6, 3, 2)), np.arange(6) == 5, np.full(6, 1 / 5) * (np.arange(6) < 5)
    )


# ---- choosing


def test_epsilon_greedy_takes_the_best_with_1_minus_epsilon_plus_its_share():
    rng, q, epsilon, n = np.random.default_rng(0), np.array([0.0, 2.0, 1.0, -1.0]), 0.3, 20_000
    share = np.bincount([lc.epsilon_greedy(q, epsilon, rng) for _ in range(n)], minlength=4) / n
    expected = np.array([epsilon / 4, 1 - epsilon + epsilon / 4, epsilon / 4, epsilon / 4])
    np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.25 / n))


def test_ties_are_broken_at_random_each_equally_often():
    rng, n = np.random.default_rng(1), 20_000
    for q, best in (
        (np.array([1.0, 1.0, 0.0, 1.0]), [0, 1, 3]),
        (np.zeros(4), [0, 1, 2, 3]),
        (np.array([0.0, 0.0, 1.0, 1.0]), [2, 3]),
    ):
        share = np.bincount([lc.epsilon_greedy(q, 0.0, rng) for _ in range(n)], minlength=4) / n
        np.testing.assert_allclose(share, np.isin(np.arange(4), best) / len(best), atol=4 * np.sqrt(0.25 / n))


def test_without_ties_and_exploration_no_random_number_is_drawn():
    rng = np.random.default_rng(2)
    before = rng.bit_generator.state
    assert lc.epsilon_greedy(np.array([0.0, 3.0, 1.0]), 0.0, rng) == 1
    assert rng.bit_generator.state == before


# ---- the update, by hand


@pytest.mark.parametrize("method, terminated, target", [
    ("sarsa", False, 1 + 0.5 * 4.0), ("q_learning", False, 1 + 0.5 * 7.0), ("sarsa", True, 1.0), ("q_learning", True, 1.0),
])  # fmt: skip
def test_update_by_hand(method, terminated, target):
    """q̂(s', ·) = (7, 4), and the agent explores: it will take action 1, not the best. A seed that makes it do so is looked up."""
    W, one = np.array([[1.0, 7.0], [2.0, 4.0]]), np.ones(1)
    seed = next(i for i in range(100) if lc.epsilon_greedy(np.array([7.0, 4.0]), 0.9, np.random.default_rng(i)) == 1)
    rng = np.random.default_rng(seed)
    a2 = lc.update(
        lc.METHODS[method], W, np.array([0]), one, 0, 1.0, np.array([1]), one, terminated, 0.1, 0.5, 0.9, np.empty(2), rng
    )
    assert a2 == 1
    np.testing.assert_allclose(W, [[1 + 0.1 * (target - 1), 7], [2, 4]], rtol=1e-15)


# ---- two drivers


@pytest.mark.parametrize("method", ["sarsa", "q_learning"])
@pytest.mark.parametrize("env, features", [
    (path_task(max_episode_steps=60), fourier(2)(GridWorld().coordinates())),
    (windy(), np.eye(6)),
    (RandomWalk(9, 2), polynomial(1)(np.arange(11) / 10)),
    (MountainCar(150), TILES),
])  # fmt: skip
def test_both_drivers_give_the_same_bits(env, features, method):
    settings = {"method": method, "alpha": 0.02, "gamma": 0.95, "epsilon": 0.2}
    slow = lc.learn(env, features, 6, **settings, rng=np.random.default_rng(5))
    fast = lc.learn_fast(env, features, 6, **settings, rng=np.random.default_rng(5))
    for a, b in zip(slow, fast):
        np.testing.assert_array_equal(a, b)
    assert (slow.W != 0).any()
    other = lc.learn_fast(env, features, 6, **settings, rng=np.random.default_rng(6))
    assert (other.W != fast.W).any()


def test_learning_can_go_on_from_given_weights():
    env, settings = path_task(max_episode_steps=50), {"alpha": 0.1, "gamma": 0.9}
    first = lc.learn_fast(env, np.eye(25), 5, **settings, rng=np.random.default_rng(0))
    W = first.W.copy()
    for driver in (lc.learn, lc.learn_fast):
        second = driver(env, np.eye(25), 5, **settings, rng=np.random.default_rng(1), W=W.copy())
        np.testing.assert_array_equal(
            second.W, lc.learn(env, np.eye(25), 5, **settings, rng=np.random.default_rng(1), W=W.copy()).W
        )
    assert lc.learn_fast(env, np.eye(25), 1, **settings, rng=np.random.default_rng(1), W=W).W is W


def test_a_real_gymnasium_environment_can_be_learned():
    env = pytest.importorskip("gymnasium").make("MountainCar-v0")
    settings = {"alpha": 0.5 / 8, "epsilon": 0.0}
    theirs = lc.learn(env, TILES, 3, **settings, rng=np.random.default_rng(0))
    ours = lc.learn_fast(MountainCar(), TILES, 3, **settings, rng=np.random.default_rng(0))
    for a, b in zip(theirs, ours):
        np.testing.assert_array_equal(a, b)


def test_any_callable_on_coordinates_will_do():
    low, span = np.array([-1.2, -0.07]), np.array([1.8, 0.14])
    features = lambda x: fourier(2)((x - low) / span)  # noqa: E731
    learned = lc.learn(MountainCar(100), features, 2, alpha=0.01, rng=np.random.default_rng(0))
    assert learned.W.shape == (3, 9) and (learned.lengths == 100).all() and (learned.returns == -100).all()


def test_one_hot_sarsa_is_tabular_sarsa_bit_for_bit():
    env, alpha, gamma, epsilon = path_task(max_episode_steps=40), 0.1, 0.9, 0.1
    learned = lc.learn_fast(env, np.eye(25), 20, alpha=alpha, gamma=gamma, epsilon=epsilon, rng=np.random.default_rng(0))
    rng = np.random.default_rng(0)
    Q, seed = np.zeros((25, 5)), int(rng.integers(2**31))
    for episode in range(20):
        s, _ = env.reset(seed=seed if episode == 0 else None)
        a, done = lc.epsilon_greedy(Q[s], epsilon, rng), False
        while not done:
            s2, r, terminated, truncated, _ = env.step(a)
            a2 = lc.epsilon_greedy(Q[s2], epsilon, rng)
            Q[s, a] += alpha * (r + gamma * (0.0 if terminated else Q[s2, a2]) - Q[s, a])
            s, a, done = s2, a2, terminated or truncated
    np.testing.assert_array_equal(learned.W, Q.T)


# ---- what is refused


@pytest.mark.parametrize("driver", [lc.learn, lc.learn_fast])
def test_bad_input_is_refused_by_name(driver):
    rng, env = np.random.default_rng(0), GridWorld(max_episode_steps=10)
    with pytest.raises(ValueError, match="method must be one of sarsa, q_learning, not 'td'"):
        driver(env, np.eye(25), 1, method="td", alpha=0.1, rng=rng)
    with pytest.raises(ValueError, match="gamma must lie between 0 and 1, not -1"):
        driver(env, np.eye(25), 1, alpha=0.1, gamma=-1, rng=rng)
    for W in (np.zeros((5, 24)), np.zeros((5, 25), int)):
        with pytest.raises(ValueError, match=r"W must be a float64 array of shape \(A, F\) = \(5, 25\), not"):
            driver(env, np.eye(25), 1, alpha=0.1, gamma=0.9, rng=rng, W=W)
    with pytest.raises(FloatingPointError, match="diverge"), np.errstate(all="ignore"):
        driver(GridWorld(max_episode_steps=5000), polynomial(3)(env.coordinates(-1, 1)), 1, alpha=3.0, gamma=0.9, rng=rng)


def test_the_compiled_loop_says_what_it_cannot_do():
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="no compiled loop for MountainCar with these features: use learn"):
        lc.learn_fast(MountainCar(), fourier(2), 1, alpha=0.1, rng=rng)
    with pytest.raises(ValueError, match="a row for each of 25 states, not 24"):
        lc.learn_fast(GridWorld(max_episode_steps=5), np.eye(24), 1, alpha=0.1, gamma=0.9, rng=rng)
    with pytest.raises(ValueError, match="an episode has no end: give max_episode_steps"):
        lc.learn_fast(GridWorld(), np.eye(25), 1, alpha=0.1, gamma=0.9, rng=rng)


# ---- what is learned


def greedy_run(env, features, W, steps=200):
    """Length and return of an episode by the greedy policy."""
    env.max_episode_steps = steps
    run = lc.learn_fast(env, features, 1, alpha=0.0, epsilon=0.0, rng=np.random.default_rng(0), W=W.copy())
    return int(run.lengths[0]), float(run.returns[0])


@pytest.mark.proof
def test_q_learning_with_cosines_finds_the_path_of_11_steps():
    """Order 5, one row of 36 weights an action; a step costs 1, a boundary or a forbidden cell 10; 10 of 10 seeds."""
    for seed in range(10):
        env = path_task(reward_step=-1, reward_target=0, max_episode_steps=5000)
        Phi = fourier(5)(env.coordinates())
        learned = lc.learn_fast(env, Phi, 500, method="q_learning", alpha=0.01, gamma=0.9, rng=np.random.default_rng(seed))
        assert greedy_run(env, Phi, learned.W) == (11, -10.0)


@pytest.mark.proof
def test_sarsa_with_cosines_as_in_the_books_figure():
    """Zhao's figure 8.9: γ = .9, ε = .1, α = .001, 500 episodes, reward 1 at the target, −10 for boundary and forbidden
    cells, 0 elsewhere. Standing still costs nothing, so some seeds end with a greedy policy that waits for ever: those
    that arrive do so in 11 steps, and four of ten do at least."""
    runs = []
    for seed in range(10):
        env = path_task(max_episode_steps=20_000)
        Phi = fourier(5)(env.coordinates())
        learned = lc.learn_fast(env, Phi, 500, alpha=0.001, gamma=0.9, rng=np.random.default_rng(seed))
        runs.append(greedy_run(env, Phi, learned.W))
    assert set(runs) == {(11, 1.0), (200, 0.0)} and runs.count((11, 1.0)) >= 4


def test_q_learning_with_a_table_finds_the_optimal_values():
    env = path_task(reward_step=-1, reward_target=0, max_episode_steps=500)
    learned = lc.learn_fast(
        env, np.eye(25), 600, method="q_learning", alpha=0.5, gamma=0.9, epsilon=0.5, rng=np.random.default_rng(0)
    )
    best = value_iteration(env.mdp(), 0.9).values
    assert learned.W[:, 0].max() == pytest.approx(best[0], abs=1e-6) and greedy_run(env, np.eye(25), learned.W) == (11, -10.0)


def test_mountain_car_is_learned_in_a_few_episodes():
    lengths = lc.learn_fast(MountainCar(20_000), TILES, 60, alpha=0.5 / 8, epsilon=0.0, rng=np.random.default_rng(0)).lengths
    assert lengths[0] > 400 and lengths[-20:].mean() < 200


@pytest.mark.proof
@pytest.mark.parametrize(
    "alpha, last, last_error, first", [(0.1, 137.6, 0.4, 3583), (0.2, 126.7, 0.5, 2540), (0.5, 118.6, 0.5, 1495)]
)
def test_one_step_sarsa_on_mountain_car(alpha, last, last_error, first):
    """Steps of an episode over 100 runs, in episodes 401 to 500 and in the first, beside those of another program.

    The tiles reach from −1.2 to the goal at 0.5 (up to the end of the world at 0.6, early episodes are a little shorter).

    20,000 steps stand for "no limit". About once in a thousand runs the greedy car is caught in the valley, where the
    three actions take turns; without exploration it then stays there for ever.
    """
    env, settings = MountainCar(20_000), {"alpha": alpha / 8, "gamma": 1.0, "epsilon": 0.0}
    lengths = np.array([lc.learn_fast(env, TILES, 500, **settings, rng=np.random.default_rng(seed)).lengths for seed in range(100)])
    late, error = lengths[:, 400:].mean(axis=1), lambda x: x.std(ddof=1) / 10
    assert abs(late.mean() - last) < 3 * np.hypot(error(late), last_error)
    assert abs(lengths[:, 0].mean() - first) < 3 * np.sqrt(2) * error(lengths[:, 0])  # it comes without an error: take ours
    assert error(late) < 1 and error(lengths[:, 0]) < 0.06 * first


@pytest.mark.parametrize("keywords, message", [
    ({"epsilon": 1.5}, "epsilon must lie between 0 and 1, not 1.5"),
    ({"epsilon": float("nan")}, "epsilon must lie between 0 and 1, not nan"),
    ({"alpha": -1}, "alpha must be a finite number of at least 0, not -1"),
    ({"episodes": 0}, "episodes must be an integer of at least 1, not 0"),
    ({"episodes": 2.5}, "episodes must be an integer of at least 1, not 2.5"),
])  # fmt: skip
@pytest.mark.parametrize("driver", [lc.learn, lc.learn_fast])
def test_no_probability_and_no_episodes(driver, keywords, message):
    arguments = {"episodes": 1, "alpha": 0.1, "gamma": 0.9, "rng": np.random.default_rng(0)} | keywords
    with pytest.raises(ValueError, match=message):
        driver(GridWorld(max_episode_steps=5), np.eye(25), **arguments)


class Downhill(MountainCar):
    """A subclass that moves in another way: the compiled loop of its parent is not its own."""

    def move(self, action):
        observation, _, _ = super().move(action)
        return observation, 5.0, True


def test_a_subclass_does_not_inherit_the_compiled_loop():
    tiles = TileCoding((-1.2, -0.07), (0.5, 0.07))
    with pytest.raises(TypeError, match="no compiled loop for Downhill with these features: use learn"):
        lc.learn_fast(Downhill(5), tiles, 1, alpha=0.1, rng=np.random.default_rng(0))
    assert lc.learn(Downhill(5), tiles, 1, alpha=0.1, rng=np.random.default_rng(0)).returns[0] == 5


def test_worlds_of_compiled_loops_check_the_size_of_their_state():
    for kind, size in ((0, 4), (1, 2), (42, 4)):
        with pytest.raises(ValueError, match="no such kind of world, or a state that is not of its size"):
            dynamics.begin(kind, np.zeros(size), np.random.default_rng(0))


def test_tiles_of_another_world_are_refused():
    """The compiled loop would read past the state, or see half of it."""
    for env in (MountainCar(5), CartPole()):
        with pytest.raises(ValueError, match="the tile coding has 3 coordinates"):
            lc.learn_fast(env, TileCoding((-1.2, -0.07, 0), (0.5, 0.07, 1)), 1, alpha=0.1, rng=np.random.default_rng(0))


def test_features_that_are_a_function_of_the_state_number():
    env = GridWorld(max_episode_steps=20)
    keywords = dict(episodes=3, alpha=0.1, gamma=0.9)
    one = lc.learn(env, one_hot(25), rng=np.random.default_rng(0), **keywords)
    two = lc.learn(env, np.eye(25), rng=np.random.default_rng(0), **keywords)
    np.testing.assert_array_equal(one.W, two.W)
    with pytest.raises(TypeError, match="no compiled loop for GridWorld with these features: use learn"):
        lc.learn_fast(env, one_hot(25), rng=np.random.default_rng(0), **keywords)
