r"""Playing: episodes recorded as arrays, by two drivers. Where a fixed policy is judged, what is done never depends on
what has been learned. So play first, and learn from the record: one record serves every method, and they differ by
nothing else.

    play        any environment with Gymnasium's contract, step by step in Python (microseconds a step)
    play_fast   a TabularEnvironment, in one compiled loop over its tables (nanoseconds a step): the same bits

Two generators, so that an agent that draws more does not change its world: the world's is seeded from the agent's
`rng` at the first reset, as `env.reset(seed=...)` does it, and then goes on by itself.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.tabular import draw
from .mdp import check_count, check_distributions

ROOM = 2**20  # rows of one record of `play_fast`; memory that no row is written to costs nothing


class Experience(NamedTuple):
    """N steps of one or more episodes, one after the other. States are numbers."""

    state: np.ndarray  # (N,) s
    reward: np.ndarray  # (N,) r
    next_state: np.ndarray  # (N,) s'
    terminated: np.ndarray  # (N,) the world ended with this step: the value of s' is 0
    truncated: np.ndarray  # (N,) the clock stopped here: the value of s' counts, but the next row is another episode


def ends_of(experience, rows, w, gamma, alpha=0.0):
    """The last step of each episode, (E,). ValueError if weights, features and record do not fit together, which compiled
    code would not notice: it would write past the end of w, or round its steps to integers; and if α or γ can be none."""
    state, reward, next_state, terminated, truncated = experience
    if not 0 <= gamma <= 1:
        raise ValueError("gamma must lie between 0 and 1")
    if not 0 <= alpha < np.inf:
        raise ValueError("alpha must be a finite number of at least 0")
    if w.dtype.type(0.5) == 0:
        raise ValueError("w must be an array of floats: integers would swallow every step")
    for i in rows.active.flat:
        if i >= w.size:
            raise ValueError("w has fewer weights than rows(Phi) has features")
    if not state.size == reward.size == next_state.size == terminated.size == truncated.size:
        raise ValueError("the columns of the record differ in length")
    for t in range(state.size):
        if min(state[t], next_state[t]) < 0 or max(state[t], next_state[t]) >= len(rows.active):
            raise ValueError("the record holds a state that rows(Phi) has no row for")
    return np.flatnonzero(terminated | truncated)


ends_of = jit(ends_of, flags=())


def pick(cumulative, rng):
    """A random index; `cumulative` are its probabilities, summed up, the last is 1."""
    u, index = rng.random(), 0
    for c in cumulative:  # to count them all is faster than to stop at the right one: no branch to guess
        index += c <= u
    return index


pick = jit(pick, flags=())


def sum_up(probabilities):
    """Cumulative sums along the last axis, for `pick`; the last is exactly 1."""
    cumulative = np.cumsum(probabilities, axis=-1)
    return cumulative / cumulative[..., -1:]


def policy_sums(env, policy, name):
    """A policy (S, A) summed up, for `pick`; ValueError if it has another shape or a row is no distribution."""
    policy, shape = np.asarray(policy, np.float64), (env.observation_space.n, env.action_space.n)
    if policy.shape != shape:
        raise ValueError(f"{name}: policy must have shape (S, A) = {shape}, not {policy.shape}")
    check_distributions(policy, f"{name}: policy")
    return sum_up(policy)


def play_tables(tables, start, policy, limit, episodes, s, elapsed, finished, record, world, rng):
    """Fill a record, an Experience with room for some steps, from its first row on. start (S,), policy (S, A): cumulative.

    s, elapsed, finished: the state, the steps of this episode, the number of episodes before. Returns these three as they
    are in the end, and how many rows are filled: all, unless the last episode has ended before.
    """
    for n in range(record.state.size):
        if elapsed == 0:
            s = pick(start, world)
        record.state[n] = s
        s, record.reward[n] = draw(tables, s, pick(policy[s], rng), world)
        elapsed += 1
        record.next_state[n], record.terminated[n], record.truncated[n] = s, tables.terminal[s], elapsed == limit
        if tables.terminal[s] or elapsed == limit:
            elapsed, finished = 0, finished + 1
            if finished == episodes:
                return s, elapsed, finished, n + 1
    return s, elapsed, finished, record.state.size


play_tables = jit(play_tables, flags=())


def play_fast(env, policy, episodes, rng):
    """Episodes of a TabularEnvironment under a policy (S, A): an Experience over its state numbers.

    ValueError if the policy is none, or if an episode has no end.
    """
    episodes, policy = check_count(episodes, "episodes", 1), policy_sums(env, policy, "play_fast")
    fixed, world = (env.tables, sum_up(env.start), policy, limit_of(env), episodes), new_world(rng)
    here, records = (0, 0, 0), []
    while here[2] < episodes:
        record = Experience(*(np.empty(ROOM, dtype) for dtype in (np.int64, np.float64, np.int64, np.bool_, np.bool_)))
        *here, n = play_tables(*fixed, *here, record, world, rng)
        records.append([column[:n] if n > ROOM // 2 else column[:n].copy() for column in record])  # a copy lets the rest go
    return Experience(*(columns[0] if len(columns) == 1 else np.concatenate(columns) for columns in zip(*records)))


def play(env, policy, episodes, rng):
    """Episodes of any environment: (observations (M, ...), Experience), whose states are row numbers of `observations`.

    policy: a function (observation, rng) -> action, or, where observations are state numbers, an array (S, A).
    """
    if not callable(policy):
        cumulative = policy_sums(env, policy, "play")
        policy = lambda s, rng: pick(cumulative[s], rng)  # noqa: E731
    observations, steps = [], []
    for episode in range(check_count(episodes, "episodes", 1)):
        observation, _ = env.reset(seed=world_seed(rng) if episode == 0 else None)
        observations.append(np.array(observation))
        running = True
        while running:
            observation, reward, terminated, truncated, _ = env.step(policy(observation, rng))
            steps.append((len(observations) - 1, reward, len(observations), terminated, truncated))
            observations.append(np.array(observation))  # a copy: some environments write into the same array again
            running = not (terminated or truncated)
    columns = (np.array(column, dtype) for column, dtype in zip(zip(*steps), (int, float, int, bool, bool)))
    return np.array(observations), Experience(*columns)


def check_record(who, record, n_states, n_actions=None):
    """ValueError unless the columns of a record are (N,), their numbers exist and the rewards are finite: compiled code
    looks things up without asking whether they exist."""
    N = len(record.reward)
    if N == 0 or any(np.shape(column) != (N,) for column in record) or not np.isfinite(record.reward).all():
        raise ValueError(f"{who}: the record does not fit: its columns must be (N,) = ({N},), its rewards finite numbers")
    for name, n in {"state": n_states, "next_state": n_states, **({"action": n_actions} if n_actions else {})}.items():
        column = getattr(record, name)
        if column.dtype.kind not in "iu" or column.min() < 0 or column.max() >= n:
            raise ValueError(f"{who}: the record does not fit: {name} must hold integers of 0 ... {n - 1}")


def check_from_0(env, name):
    """ValueError if the numbers of its states or actions do not begin at 0, as those of a table's rows do."""
    if any(getattr(space, "start", 0) for space in (env.observation_space, env.action_space)):
        raise ValueError(f"{name}: states and actions must count from 0, not from the start of its Discrete space")


def check_tables(env, name, remedy):
    """TypeError unless env is a TabularEnvironment: a compiled loop can play in nothing else."""
    if not hasattr(env, "tables"):
        raise TypeError(f"{name}: {type(env).__name__} has no tables: {remedy}")


def check_state(s, n):
    """A state from an environment as an int. ValueError if it is none of 0 ... n − 1: there is no row for it in a table."""
    if not 0 <= s < n:
        raise ValueError(f"the environment says that it is in state {s!r}: a table of {n} rows has 0 ... {n - 1}")
    return int(s)


def world_seed(rng):
    """A seed for the world, drawn from the agent's generator."""
    return int(rng.integers(2**31))


def new_world(rng):
    """The generator that `Environment.reset(seed=world_seed(rng))` makes."""
    return np.random.default_rng(world_seed(rng))


def limit_of(env):
    """Steps of an episode at most, for a compiled loop; 0 for no limit. ValueError if it could then go on for ever."""
    if env.max_episode_steps is None and hasattr(env, "tables") and not env.tables.terminal.any():
        raise ValueError(f"{type(env).__name__}: no state is terminal, so an episode has no end: give max_episode_steps")
    return env.max_episode_steps or 0
