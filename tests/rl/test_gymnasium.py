"""Gymnasium's contract: ours as a `gymnasium.Env`, a real Pendulum-v1 beside ours, and both without that package.

What needs gymnasium takes the fixture `gymnasium` and is skipped where it is missing. The rest does not: trajectories that
record_gymnasium.py wrote down, and all that `check_env` asserts, as tests of every environment of ours.
"""

import copy
import importlib
import inspect
import platform
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from minigrad import checkpoint
from rl.ddpg import DDPG
from rl.envs import LQR, CartPole, GridWorld, Pendulum, RandomWalk, TabularEnvironment, as_gymnasium
from rl.envs.pendulum import pendulum_step
from rl.evaluate import evaluate
from rl.spaces import Box, Discrete

COMPILED = hasattr(pendulum_step, "py_func")
EXACT = sys.platform == "linux" and platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
RECORDED = Path(__file__).parent / "data" / "pendulum_v1.npz"


@pytest.fixture
def gymnasium():
    return pytest.importorskip("gymnasium", minversion="1.0")


# ---- the worlds


def mountain_car(**keywords):
    return pytest.importorskip("rl.envs.mountain_car").MountainCar(**keywords)


class Tables(TabularEnvironment):
    """Noisy: each action leads to one of two states."""

    def __init__(self, **keywords):
        next_state = np.random.default_rng(0).integers(4, size=(4, 2, 2))
        super().__init__(next_state, np.full((4, 2, 2), 0.5), np.ones((4, 2, 2)), np.zeros(4), np.full(4, 0.25), **keywords)

    def render(self):
        return np.uint8([[[self.state] * 3, [255] * 3]])


def plane(**keywords):
    return LQR(A=[[1, 0.1], [0, 1]], B=np.eye(2), Q=np.eye(2), R=np.eye(2), noise=0.1, **keywords)


WORLDS = {
    "GridWorld": GridWorld, "RandomWalk": RandomWalk, "TabularEnvironment": Tables, "Pendulum": Pendulum, "LQR": LQR,
    "LQR, two by two": plane, "MountainCar": mountain_car, "CartPole": CartPole,
}  # fmt: skip
every_world = pytest.mark.parametrize("name", WORLDS)


def strictly_in(x, space):
    """As Gymnasium's `contains`, which is stricter than ours about types."""
    if isinstance(space, Discrete):
        return isinstance(x, (int, np.int64)) and not isinstance(x, bool) and x in space
    return isinstance(x, np.ndarray) and x.dtype == space.dtype and x.shape == space.shape and x in space


def episode(env, seed, most=300):
    """All that happens in an episode with random actions, or its first steps, as [(observation, reward, flags), ...]."""
    rng = np.random.default_rng(seed)
    seen = [env.reset(seed=seed)]
    while len(seen) <= most:
        space = env.action_space
        action = rng.integers(space.n) if hasattr(space, "n") else rng.uniform(space.low, space.high).astype(space.dtype)
        seen.append(env.step(action))
        if seen[-1][2] or seen[-1][3]:
            break
    return seen


# ---- what check_env asserts, without Gymnasium


@every_world
def test_spaces_make_sense(name):
    for space in (WORLDS[name]().observation_space, WORLDS[name]().action_space):
        if isinstance(space, Box):
            assert space.low.shape == space.high.shape == space.shape and (space.low < space.high).all()
            assert space.low.dtype == space.high.dtype == space.dtype == np.float32
        else:
            assert isinstance(space, Discrete) and space.n > 0 and space.shape == ()
        assert strictly_in(space.sample(), space)


@every_world
def test_signatures(name):
    env = WORLDS[name]()
    parameters = inspect.signature(env.reset).parameters
    assert {p: parameters[p].default for p in parameters} == {"seed": None, "options": None}
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters.values())
    assert list(inspect.signature(env.step).parameters) == ["action"] and not hasattr(env, "seed")


@every_world
def test_types_of_what_reset_and_step_return(name):
    env = WORLDS[name]()
    for options in (None, {}):
        first = env.reset(options=options)
        assert type(first) is tuple and len(first) == 2
        assert strictly_in(first[0], env.observation_space) and type(first[1]) is dict
    for seen in episode(env, 0)[1:]:
        assert type(seen) is tuple and len(seen) == 5
        observation, reward, terminated, truncated, info = seen
        assert strictly_in(observation, env.observation_space)
        assert type(reward) is float and np.isfinite(reward)
        assert type(terminated) is type(truncated) is bool and type(info) is dict


@every_world
def test_a_seed_decides_the_start_and_the_next_reset_goes_on(name):
    env, states = WORLDS[name](), []
    for seed in (123, 123, 456):
        starts = [env.reset(seed=seed)[0]]
        generator = copy.deepcopy(env.rng.bit_generator.state)
        states.append((starts + [env.reset()[0] for _ in range(5)], generator))
    (first, after), (again, after_again), (other, after_other) = states
    np.testing.assert_array_equal(first, again)
    assert after == after_again and after != after_other
    if name != "RandomWalk":  # which always starts in the middle
        assert not np.array_equal(first, other)
        assert any(not np.array_equal(first[0], start) for start in first[1:])  # the stream goes on, it does not repeat


@every_world
def test_a_seed_decides_a_whole_episode(name):
    env, twin = WORLDS[name](), WORLDS[name]()
    first = episode(env, 5)
    for again in (episode(env, 5), episode(twin, 5)):  # the second one after another episode, and in another object
        np.testing.assert_equal(again, first)
        assert env.rng.bit_generator.state == twin.rng.bit_generator.state or again is not first
    assert env.rng.bit_generator.state == twin.rng.bit_generator.state


@every_world
def test_what_was_returned_is_never_changed_later(name):
    env = WORLDS[name]()
    seen = episode(env, 0, most=5)
    kept = copy.deepcopy(seen)
    env.reset()
    env.step(env.action_space.sample())
    np.testing.assert_equal(seen, kept)
    infos = [s[-1] for s in seen]
    assert len({id(info) for info in infos}) == len(infos)
    arrays = [np.asarray(x) for x in [s[0] for s in seen] + [env.state] if not isinstance(x, int)]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


@every_world
@pytest.mark.parametrize("limit", [1, 7])
def test_truncated_at_exactly_the_limit(name, limit):
    env = WORLDS[name](max_episode_steps=limit)
    for seed in (0, 1):  # the clock starts anew
        flags = [s[2:4] for s in episode(env, seed)[1:]]
        assert flags == [(False, False)] * (limit - 1) + [(False, True)]


@pytest.mark.parametrize(
    "make, state, action",
    [
        (lambda **k: GridWorld("SG", target_terminal=True, **k), 0, 1),
        (lambda **k: RandomWalk(1, 1, **k), 1, 0),
        (mountain_car, (0.49, 0.07), 2),
    ],
)
def test_terminated_is_apart_from_truncated(make, state, action):
    for limit, truncated in ((None, False), (2, False), (1, True)):
        env = make(max_episode_steps=limit)
        env.reset(seed=0, options={"state": state})
        assert env.step(action)[2:4] == (True, truncated)


@every_world
def test_no_step_before_reset_nor_after_the_end(name):
    env = WORLDS[name](max_episode_steps=2)
    action = env.action_space.sample()
    with pytest.raises(RuntimeError, match=r"step\(\) before the first reset\(\): call reset"):
        env.step(action)
    env.reset(seed=0)
    env.step(action)
    env.step(action)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"step\(\) after the episode was truncated: call reset"):
            env.step(action)
    env.reset()
    env.step(action)


@every_world
def test_render_gives_an_rgb_image_and_close_may_come_twice(name):
    env = WORLDS[name]()
    env.reset(seed=0)
    state = copy.deepcopy(env.state_dict())
    image = env.render()
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and len(np.unique(image)) > 1
    np.testing.assert_equal(env.state_dict(), state)
    env.close()
    env.close()


# ---- Pendulum-v1, as recorded


def recorded(dtype):
    """(seed, arrays by their names) of each recorded episode with actions of that type."""
    with np.load(RECORDED) as file:
        arrays = {name: file[name] for name in file}
    names = [name for name in arrays if name.endswith(dtype)]
    for i, seed in enumerate(arrays["seeds"]):
        yield int(seed), {name.removesuffix(f"_{dtype}"): arrays[name][i] for name in names}


both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])


@both_types
def test_the_record_holds_what_is_difficult(dtype):
    """Starts, top speeds, angles of many turns, both ends of the torque; all types as Gymnasium has them."""
    episodes = [e for _, e in recorded(dtype)]
    states = np.array([e["states"] for e in episodes])  # (E, T + 1, 2)
    assert states.shape == (5, 201, 2) and states.dtype == np.float64
    assert (np.abs(states[..., 1]) == 8).sum() > 50 and np.abs(states[..., 0]).max() > 10 * np.pi
    turns = (states[..., 0] + np.pi) // (2 * np.pi)
    assert (np.diff(turns, axis=1) != 0).sum() > 20  # the angle jumps
    actions = np.array([e["actions"] for e in episodes])
    assert actions.dtype == dtype and actions.min() == -2 and actions.max() == 2
    assert all(e["truncated"].sum() == 1 and e["truncated"][-1] and not e["terminated"].any() for e in episodes)


@both_types
def test_recorded_steps_one_by_one(dtype):
    """Each from the recorded state before it. On Linux the same bits; elsewhere libm's last bit may differ."""
    close = dict(rtol=0, atol=0) if EXACT else dict(rtol=1e-6, atol=1e-6)
    for seed, e in recorded(dtype):
        env = Pendulum()
        np.testing.assert_allclose(env.reset(seed=seed)[0], e["observations"][0], **close)
        np.testing.assert_allclose(env.state, e["states"][0], **close)
        for t, u in enumerate(e["actions"]):
            env.state = e["states"][t].copy()
            observation, reward, terminated, truncated, _ = env.step(u)
            np.testing.assert_allclose(env.state, e["states"][t + 1], **close)
            np.testing.assert_allclose(observation, e["observations"][t + 1], **close)
            np.testing.assert_allclose(reward, e["rewards"][t], **close)
            assert (terminated, truncated) == (e["terminated"][t], e["truncated"][t])


@both_types
@pytest.mark.skipif(not EXACT, reason="bits are promised for one libm; errors double every 0.2 s near the top")
def test_recorded_episodes_from_their_seed_to_the_end(dtype):
    for seed, e in recorded(dtype):
        env = Pendulum()
        observations, states = [env.reset(seed=seed)[0]], [env.state.copy()]
        for u in e["actions"]:
            observations.append(env.step(u)[0])
            states.append(env.state.copy())
        np.testing.assert_array_equal(states, e["states"])
        np.testing.assert_array_equal(observations, e["observations"])


def test_the_other_type_would_not_pass():
    """The record can tell: float32 actions played as float64 leave it, unless they are 2, 3 times which needs no rounding."""
    off = []
    for seed, e in recorded("float32"):
        env = Pendulum()
        env.reset(seed=seed)
        for u in e["actions"]:
            env.step(u.astype(np.float64))
        off.append(np.abs(env.state - e["states"][-1]).max())
    assert [x > 1e-9 for x in off] == [True, True, False, False, True]


# ---- Pendulum-v1, live


def same_episode(env, real, seed, dtype):
    """Play both, and compare every bit of states, observations, rewards and flags."""
    rng = np.random.default_rng(seed)
    size = rng.choice([0.1, 1.0, 2.0])
    ours, theirs = env.reset(seed=seed), real.reset(seed=seed)
    np.testing.assert_array_equal(ours[0], theirs[0])
    truncated = False
    while not truncated:
        u = rng.uniform(-size, size, 1) if seed % 3 else np.array([np.copysign(2.0, env.state[1])])
        u = u.astype(dtype)
        observation, reward, *flags, info = env.step(u)
        expected, expected_reward, *expected_flags, expected_info = real.step(u)
        truncated = flags[1]
        assert np.array_equal(observation, expected) and observation.dtype == expected.dtype
        assert np.array_equal(env.state, real.unwrapped.state)
        assert flags == expected_flags and info == expected_info
        assert reward == expected_reward


@pytest.mark.skipif(not EXACT, reason="bits are promised for one libm")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(200), marks=pytest.mark.proof)], ids=len)
def test_our_pendulum_is_gymnasiums(gymnasium, dtype, seeds):
    env, real = Pendulum(), gymnasium.make("Pendulum-v1")
    for seed in seeds:
        same_episode(env, real, seed, dtype)


def test_spaces_and_limit_are_gymnasiums(gymnasium):
    ours, real = as_gymnasium(Pendulum()), gymnasium.make("Pendulum-v1")
    assert ours.observation_space == real.observation_space and ours.action_space == real.action_space
    assert real.spec.max_episode_steps == Pendulum().max_episode_steps


@pytest.mark.skipif(not EXACT, reason="bits are promised for one libm")
def test_ddpg_learns_on_gymnasiums_pendulum_the_same_bits_as_on_ours(gymnasium):
    steps = 1500 if COMPILED else 1030
    agents = [DDPG(env, 3, hidden=(16, 16)).learn(steps) for env in (Pendulum(), gymnasium.make("Pendulum-v1"))]
    ours, real = [agent.state_dict() for agent in agents]
    np.testing.assert_equal(real["theta"], ours["theta"])
    assert [step for step, _ in real["returns"]] == [200 * i for i in range(1, steps // 200 + 1)]
    np.testing.assert_array_equal(np.array(real["returns"]), np.array(ours["returns"]))
    start = DDPG(Pendulum(), 3, hidden=(16, 16)).state_dict()["theta"]
    assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(real["theta"], start))  # something was learned

    scores = evaluate(agents[0], Pendulum(), 3, seed=7)
    on_real = evaluate(agents[0], gymnasium.make("Pendulum-v1"), 3, seed=7)
    np.testing.assert_array_equal(on_real, scores)
    np.testing.assert_array_equal(evaluate(agents[1], gymnasium.make("Pendulum-v1"), 3, seed=7), on_real)


def test_an_agent_of_a_gymnasium_world_can_be_saved(gymnasium, tmp_path):
    agent = DDPG(gymnasium.make("Pendulum-v1", max_episode_steps=20), 0, hidden=(8,), start_steps=10).learn(50)
    checkpoint.save(tmp_path / "agent.npz", agent.state_dict())
    twin = DDPG(gymnasium.make("Pendulum-v1", max_episode_steps=20), 0, hidden=(8,), start_steps=10)
    twin.load_state_dict(checkpoint.load(tmp_path / "agent.npz"))
    np.testing.assert_equal(twin.state_dict()["theta"], agent.state_dict()["theta"])
    twin.learn(30)  # another world cannot be put back into its episode: a new one begins
    assert [step for step, _ in twin.returns] == [20, 40, 70]


def test_a_world_with_numbered_actions_is_refused_by_ddpg(gymnasium):
    with pytest.raises(ValueError, match=r"the action space must be a Box of shape \(n,\), not Discrete\(2\)"):
        DDPG(gymnasium.make("CartPole-v1"))


# ---- ours as a gymnasium.Env

EXPECTED_WARNINGS = (
    "environment not having a spec",  # of check_env(env); the test after it makes one
    "recommend using a symmetric and normalized space",  # torques are in ±2, as in Pendulum-v1
    "space minimum value is -infinity", "space maximum value is infinity",  # of LQR, whose state may grow
)  # fmt: skip


def unexpected(caught):
    return [str(w.message) for w in caught if not any(words in str(w.message) for words in EXPECTED_WARNINGS)]


@every_world
def test_check_env(gymnasium, name):
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(as_gymnasium(WORLDS[name]()))
    assert unexpected(caught) == []


@every_world
def test_check_env_of_a_registered_one(gymnasium, name):
    """With a spec it also compares seeds, makes every render mode and closes twice."""
    from gymnasium.utils.env_checker import check_env

    WORLDS[name]()  # skips here if it does not exist
    gymnasium.register("minigrad/Ours-v0", entry_point=lambda **keywords: as_gymnasium(WORLDS[name](), **keywords))
    try:
        for mode in (None, "rgb_array"):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                check_env(gymnasium.make("minigrad/Ours-v0", render_mode=mode).unwrapped)
            assert unexpected(caught) == []
    finally:
        del gymnasium.registry["minigrad/Ours-v0"]


@every_world
def test_wrapped_and_bare_go_the_same_way(gymnasium, name):
    bare, wrapped = WORLDS[name](), as_gymnasium(WORLDS[name]())
    for seed in (0, 1):
        np.testing.assert_equal(episode(wrapped, seed), episode(bare, seed))
    np.testing.assert_array_equal(wrapped.render(), bare.render())


def test_there_is_one_generator(gymnasium):
    env = as_gymnasium(LQR(noise=0.1))
    start = env.reset()[0]  # not even here are there two
    assert env.np_random is env.env.rng
    assert LQR(noise=0.1).reset(seed=env.np_random_seed)[0] == start  # and its seed is known
    assert env.reset(seed=3)[0] == LQR(noise=0.1).reset(seed=3)[0] and env.np_random is env.env.rng
    env.np_random = np.random.default_rng(7)
    assert env.reset()[0] == LQR(noise=0.1).reset(seed=7)[0]
    saved = copy.deepcopy(env.env.state_dict())
    expected = [env.step(np.zeros(1, np.float32))[0] for _ in range(3)] + [env.reset()[0]]
    env.env.load_state_dict(saved)
    assert [env.step(np.zeros(1, np.float32))[0] for _ in range(3)] + [env.reset()[0]] == expected


def test_options_reach_it(gymnasium):
    assert as_gymnasium(GridWorld()).reset(options={"state": 7})[0] == 7


def test_close_reaches_it(gymnasium):
    env, closed = GridWorld(), []
    env.close = lambda: closed.append(1)
    with as_gymnasium(env):
        assert closed == []
    assert closed == [1]


def test_copies_are_apart(gymnasium):
    env = as_gymnasium(Pendulum())
    env.reset(seed=0)
    twin = copy.deepcopy(env)
    first, second = (e.step(np.ones(1, np.float32))[0] for e in (env, twin))
    np.testing.assert_array_equal(first, second)
    assert env.env.state is not twin.env.state and env.np_random is not twin.np_random


def test_its_own_limit_counts_and_gymnasium_adds_none(gymnasium):
    gymnasium.register("minigrad/Ours-v0", entry_point=lambda: as_gymnasium(Pendulum(max_episode_steps=5)))
    try:
        env = gymnasium.make("minigrad/Ours-v0")
        assert env.spec.max_episode_steps is None
        assert [s[3] for s in episode(env, 0)[1:]] == [False] * 4 + [True]
    finally:
        del gymnasium.registry["minigrad/Ours-v0"]


def test_many_at_once_and_under_wrappers(gymnasium):
    """Gymnasium's vector of environments resets what has ended by itself."""
    make = lambda: gymnasium.wrappers.RecordEpisodeStatistics(as_gymnasium(Pendulum(max_episode_steps=3)))
    env = gymnasium.vector.SyncVectorEnv([make, make])
    observations, _ = env.reset(seed=0)
    bare = Pendulum(max_episode_steps=3)
    np.testing.assert_array_equal(observations[1], bare.reset(seed=1)[0])
    for t in range(1, 9):
        observations, _, _, truncated, info = env.step(np.zeros((2, 1), np.float32))
        assert observations.shape == (2, 3) and truncated.tolist() == [t % 4 == 3] * 2
    env.close()


def test_render_mode(gymnasium):
    env = as_gymnasium(GridWorld(), render_mode=None)
    env.reset(seed=0)
    assert env.render() is None and env.render_mode is None
    assert as_gymnasium(GridWorld()).render_mode == "rgb_array" and env.metadata["render_modes"] == ["rgb_array"]
    with pytest.raises(ValueError, match="render_mode must be 'rgb_array' or None, not 'human': there is no window"):
        as_gymnasium(GridWorld(), render_mode="human")


@pytest.mark.parametrize("make", [object, lambda: GridWorld, lambda: as_gymnasium(GridWorld())])
def test_what_is_not_one_of_ours(gymnasium, make):
    with pytest.raises(TypeError, match="as_gymnasium: env must be one of rl.envs, not"):
        as_gymnasium(make())


def test_a_space_that_has_no_counterpart(gymnasium):
    env = GridWorld()
    env.action_space = range(5)
    with pytest.raises(TypeError, match=r"as_gymnasium: space range\(0, 5\) must be a Box or a Discrete of rl.spaces"):
        as_gymnasium(env)


def test_spaces_are_converted_whole(gymnasium):
    from rl.envs.gymnasium import as_gymnasium_space

    spaces = gymnasium.spaces
    assert as_gymnasium_space(Discrete(3, start=-1), spaces) == spaces.Discrete(3, start=-1)
    low, high = np.array([-1, 0.0]), np.array([2, np.inf])
    assert as_gymnasium_space(Box(low, high, dtype=np.float64), spaces) == spaces.Box(low, high, dtype=np.float64)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)  # as if it were not installed
    assert importlib.import_module("rl.envs").Pendulum().reset(seed=0)
    with pytest.raises(ImportError, match="as_gymnasium needs the package gymnasium: pip install gymnasium"):
        as_gymnasium(Pendulum())


def test_importing_ours_does_not_load_it():
    code = "import sys, rl.envs; print('gymnasium' in sys.modules, callable(rl.envs.as_gymnasium))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "True"]
