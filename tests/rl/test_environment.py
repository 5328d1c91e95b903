"""The contract between an agent and its world, and the tables that all finite worlds are made of."""

import numpy as np
import pytest

from minigrad import checkpoint
from minigrad.kernels import jit
from rl.envs import Environment, GridWorld, RandomWalk, TabularEnvironment
from rl.envs.tabular import draw, draw_one
from rl.spaces import Box, Discrete


class Walk(Environment):
    """A point that moves by its action and some noise; it ends beyond 3. The state is an array."""

    def __init__(self, max_episode_steps=None):
        super().__init__(Box(-np.inf, np.inf, (1,), np.float64), Box(-1, 1, (1,)), max_episode_steps)

    def begin(self, options):
        self.state = np.asarray(options["state"]) if "state" in options else self.rng.standard_normal(1)
        return self.state.copy()

    def move(self, action):
        self.state += action + 0.1 * self.rng.standard_normal(1)  # in place: a saved state must be a copy
        return self.state.copy(), np.float32(1), self.state[0] > 3


def random_tables(rng, S=6, A=3, K=4):
    """A random world; some outcomes are impossible."""
    probability = rng.dirichlet(np.full(K, 0.3), (S, A))
    probability[rng.random(probability.shape) < 0.3] = 0
    probability[:, :, 1] += 1 - probability.sum(axis=2)
    return rng.integers(S, size=(S, A, K)), probability, rng.standard_normal((S, A, K)), np.zeros(S), np.full(S, 1 / S)


def worlds():
    return [
        Walk(20),
        GridWorld(max_episode_steps=20),
        RandomWalk(19, 1),
        TabularEnvironment(*random_tables(np.random.default_rng(0))),
    ]


def run(env, steps, rng, seed=None):
    """All that an agent with random actions sees in so many steps; episodes follow each other."""
    seen = []
    if seed is not None:
        seen.append(env.reset(seed=seed))
    while len(seen) < steps:
        if not env.running:
            seen.append(env.reset())
        action = rng.integers(env.action_space.n) if isinstance(env.action_space, Discrete) else rng.uniform(-1, 1, 1)
        seen.append(env.step(action))
    return seen


# ---- reset and step


@pytest.mark.parametrize("env", worlds(), ids=lambda env: type(env).__name__)
def test_types_and_spaces(env):
    observation, info = env.reset(seed=0)
    assert observation in env.observation_space and info == {}
    for seen in run(env, 60, np.random.default_rng(0)):
        assert seen[0] in env.observation_space and seen[-1] == {}
        if len(seen) == 5:
            assert [type(x) for x in seen[1:4]] == [float, bool, bool]
    env.close()
    env.close()


@pytest.mark.parametrize("env", worlds(), ids=lambda env: type(env).__name__)
def test_the_same_seed_gives_the_same_bits(env):
    first, again, other = (run(env, 60, np.random.default_rng(0), seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other or isinstance(env, GridWorld)


def test_a_seed_starts_the_generator_anew_and_none_goes_on():
    env = Walk()
    starts = [env.reset(seed=5)[0], env.reset()[0], env.reset()[0], env.reset(seed=5)[0], env.reset(seed=None)[0]]
    assert starts[0] == starts[3] and starts[1] == starts[4] and len({float(s[0]) for s in starts}) == 3


def test_the_first_reset_needs_no_seed():
    assert Walk().reset()[0] != Walk().reset()[0]


@pytest.mark.parametrize("env", worlds(), ids=lambda env: type(env).__name__)
def test_step_before_reset(env):
    with pytest.raises(RuntimeError, match=r"step\(\) before the first reset\(\): call reset\(\)"):
        env.step(0)


def test_step_after_the_end():
    env = GridWorld("SG", target_terminal=True, max_episode_steps=1)
    for action, how in ((1, "terminated"), (4, "truncated")):
        env.reset()
        env.step(action)
        with pytest.raises(RuntimeError, match=f"GridWorld: .* after the episode was {how}: call reset"):
            env.step(0)
    env.reset()
    env.step(0)  # another episode


@pytest.mark.parametrize("action", [5, -1, 1.0, None, "up", [1], np.nan])
def test_an_action_outside_the_space(action):
    env = GridWorld()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"GridWorld: action .* is not in Discrete\(5\)"):
        env.step(action)
    env.step(4)  # nothing has happened


@pytest.mark.parametrize("action", [[1.001], [np.nan], 0.5, [0.1, 0.1]])
def test_an_action_outside_the_box(action):
    env = Walk()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"Walk: action .* is not in Box\(-1.0, 1.0"):
        env.step(action)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_truncated_at_exactly_n_steps(n):
    env = GridWorld(max_episode_steps=n)
    for _ in range(2):  # the clock starts anew in each episode
        env.reset(seed=0)
        flags = [env.step(4)[2:4] for _ in range(n)]
        assert flags == [(False, False)] * (n - 1) + [(False, True)]


def test_both_flags_may_be_true():
    env = GridWorld("SG", target_terminal=True, max_episode_steps=1)
    env.reset()
    assert env.step(1) == (1, 1.0, True, True, {})


def test_without_a_limit_nothing_is_truncated():
    env = GridWorld()
    env.reset(seed=0)
    assert not any(env.step(4)[3] for _ in range(500))


@pytest.mark.parametrize("n", [0, -3])
def test_a_limit_below_one_is_refused(n):
    with pytest.raises(ValueError, match=f"max_episode_steps must be an integer of at least 1, not {n}"):
        Walk(n)


def test_the_base_class_says_what_is_missing():
    env = Environment(Discrete(1), Discrete(1))
    for call, name in ((env.reset, "begin"), (lambda: env.move(0), "move"), (env.render, "render")):
        with pytest.raises(NotImplementedError, match=f"Environment must define {name}"):
            call()


# ---- resume


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("steps", [0, 7, 50])
def test_a_resumed_run_gives_the_same_bits(number, steps, tmp_path):
    env, twin, rng = worlds()[number], worlds()[number], np.random.default_rng(1)
    run(env, 1 + steps, rng, seed=2)
    checkpoint.save(tmp_path / "env.npz", env.state_dict())
    state = rng.bit_generator.state
    expected = run(env, 60, rng)
    twin.load_state_dict(checkpoint.load(tmp_path / "env.npz"))
    rng.bit_generator.state = state
    assert run(twin, 60, rng) == expected


def test_a_saved_state_stays_what_it_was():
    env = Walk()
    env.reset(seed=0)
    saved = env.state_dict()
    first = env.step([1.0])
    for _ in range(2):
        env.load_state_dict(saved)
        assert env.step([1.0]) == first


def test_an_environment_that_was_never_reset_can_be_saved_too():
    env = GridWorld()
    env.load_state_dict(GridWorld().state_dict())
    with pytest.raises(RuntimeError, match="before the first reset"):
        env.step(0)


def test_a_resumed_environment_knows_why_it_stopped():
    env, twin = GridWorld(max_episode_steps=1), GridWorld(max_episode_steps=1)
    env.reset(seed=0)
    env.step(4)
    twin.load_state_dict(env.state_dict())
    with pytest.raises(RuntimeError, match="after the episode was truncated"):
        twin.step(0)


# ---- tables


def loop(tables, s, actions, rng):
    """What a compiled loop does with `draw`."""
    states, rewards = np.empty(actions.size, np.int64), np.empty(actions.size)
    for t in range(actions.size):
        s, rewards[t] = draw(tables, s, actions[t], rng)
        states[t] = s
    return states, rewards


loop = jit(loop, flags=())


@pytest.mark.parametrize("seed", range(3))
def test_the_compiled_draw_equals_steps_in_python_bit_for_bit(seed):
    env = TabularEnvironment(*random_tables(np.random.default_rng(seed)))
    actions = np.random.default_rng(seed).integers(3, size=500)
    s, _ = env.reset(seed=seed)
    in_python = [env.step(a)[:2] for a in actions]

    rng = np.random.default_rng(seed)
    assert s == rng.choice(6, p=env.start)  # the start's random number
    states, rewards = loop(env.tables, s, actions, rng)
    np.testing.assert_array_equal(np.column_stack([states, rewards]), in_python)
    assert rng.bit_generator.state == env.rng.bit_generator.state


def test_a_certain_outcome_costs_no_random_number():
    env = GridWorld()
    env.reset(seed=0)
    before = env.rng.bit_generator.state
    env.step(1)
    assert env.rng.bit_generator.state == before


def test_outcomes_come_with_their_probabilities():
    """Of (0, .2, 0, .5, .3, 0), 20,000 draws; the impossible ones never come."""
    p = np.array([0, 0.2, 0, 0.5, 0.3, 0])
    env = TabularEnvironment(
        np.arange(6)[None, None].repeat(6, 0), np.tile(p, (6, 1, 1)), np.zeros((6, 1, 6)), np.zeros(6), np.eye(6)[0]
    )
    s, _ = env.reset(seed=0)
    states, _ = loop(env.tables, s, np.zeros(20_000, np.int64), env.rng)
    share = np.bincount(states, minlength=6) / 20_000
    assert (np.abs(share - p) <= 3 * np.sqrt(p * (1 - p) / 20_000)).all()


def test_an_outcome_that_is_impossible_never_comes_not_even_at_the_edge():
    class Edge:
        """A generator whose every number is the same."""

        def __init__(self, u):
            self.random = lambda: u

    env = TabularEnvironment([[[0, 1, 2]]] * 3, [[[0.0, 0.5, 0.5]]] * 3, np.zeros((3, 1, 3)), np.zeros(3), [1.0, 0, 0])
    assert [int(draw_one(env.tables, 0, 0, Edge(u))[0]) for u in (0.0, 0.4999, 0.5, 1 - 2**-53)] == [1, 1, 2, 2]


def test_tables_and_mdp_agree():
    next_state, probability, reward, terminal, start = random_tables(np.random.default_rng(0))
    terminal[2] = True
    env = TabularEnvironment(next_state, probability, reward, terminal, start)
    mdp = env.mdp()
    for s, a in np.ndindex(6, 3):
        P = np.zeros(6)
        for k in range(4):
            P[next_state[s, a, k]] += probability[s, a, k]
        np.testing.assert_allclose(mdp.P[s, a], np.eye(6)[s] if s == 2 else P, atol=1e-12)
        np.testing.assert_allclose(mdp.R[s, a], 0 if s == 2 else probability[s, a] @ reward[s, a], atol=1e-12)
    assert mdp.terminal.tolist() == (terminal > 0).tolist()


def test_a_terminal_state_stays_where_it_is():
    env = GridWorld("SG", target_terminal=True)
    env.reset(options={"state": 1})
    assert env.step(3) == (1, 0.0, True, False, {})


def test_a_start_can_be_chosen():
    env = GridWorld()
    assert [env.reset(options={"state": s})[0] for s in (7, np.int64(3))] == [7, 3]
    assert env.step(2)[0] == 8


@pytest.mark.parametrize("state", [25, -1, 2.0, "3", None])
def test_a_start_that_does_not_exist(state):
    env = GridWorld()
    env.reset(options={"state": 7})
    with pytest.raises(ValueError, match=r"GridWorld: state .* is not in Discrete\(25\)"):
        env.reset(options={"state": state})
    assert env.step(4)[0] == 7  # nothing has happened


@pytest.mark.parametrize(
    "change, message",
    [
        ({"probability": np.full((2, 1, 2), 0.4)}, r"probability\[0, 0\] sums to 0.8, not to 1"),
        ({"probability": np.array([[[0.5, 0.5]], [[1.5, -0.5]]])}, r"probability\[1, 0\] holds -0.5"),
        ({"probability": np.array([[[0.5, 0.5]], [[np.nan, 0.5]]])}, r"probability\[1, 0\] holds nan"),
        ({"reward": np.full((2, 1, 2), np.nan)}, "a reward is nan"),
        ({"reward": np.full((2, 1, 2), -np.inf)}, "a reward is -inf"),
        ({"next_state": np.full((2, 1, 2), 2)}, r"next_state holds 2: states are 0 \.\.\. 1"),
        ({"next_state": np.full((2, 1, 2), -1)}, "next_state holds -1"),
        ({"reward": np.zeros((2, 1))}, r".* must have one shape \(S, A, K\), not .*\(2, 1\)"),
        ({"start": [1.0]}, r"terminal and start must have shape \(S,\) = \(2,\)"),
        ({"terminal": [True]}, r"terminal and start must have shape \(S,\) = \(2,\)"),
        ({"start": [0.5, 0.4]}, "start sums to 0.9, not to 1"),
    ],
)
def test_tables_that_are_none(change, message):
    good = {
        "next_state": np.zeros((2, 1, 2)), "probability": np.full((2, 1, 2), 0.5), "reward": np.zeros((2, 1, 2)),
        "terminal": [False, False], "start": [1.0, 0.0],
    }  # fmt: skip
    TabularEnvironment(**good)
    with pytest.raises(ValueError, match=f"TabularEnvironment: {message}"):
        TabularEnvironment(**good | change)


def test_a_start_that_was_float32_once_can_be_drawn_from():
    start = np.full(3, 1 / 3, np.float32)
    env = TabularEnvironment(np.zeros((3, 1, 1)), np.ones((3, 1, 1)), np.zeros((3, 1, 1)), np.zeros(3), start)
    assert env.reset(seed=0)[0] in (0, 1, 2) and abs(env.start.sum() - 1) < 1e-15
