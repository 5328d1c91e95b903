r"""Control with linear features: q̂(s, a) = φ(s)ᵀ w_a, a row of weights for each action.

    Sarsa        target = r + γ q̂(s', a')          a' is what the agent will do: it learns what its own ways are worth
    Q-learning   target = r + γ max_a q̂(s', a)     it learns what the best ways are worth, whatever it does

Both move w_a by `step_towards`, and both behave ε-greedily: with probability ε a random action, else the best one, and of
several best ones a random one. (At first all are equally good. Who then takes the first always goes into one corner.)

Zhao writes φ(s, a)ᵀ w. With φ(s) in the a-th of |A| blocks of φ(s, a) and zeros in the others, that is the same.

One update, `update`, and two drivers, which run it on the same random numbers and so give the same bits:

    learn        any environment with Gymnasium's contract, step by step in Python
    learn_fast   the tables of a TabularEnvironment, or a world of dynamics.py under tile coding: all episodes compiled

Source: Zhao, section 8.3; Sutton & Barto, sections 10.1 and 6.5.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.dynamics import STATE_SIZE, begin, has_kind, observe, step
from .envs.tabular import draw
from .episodes import limit_of, new_world, pick, sum_up, world_seed
from .features import TileCoding, active_tiles, rows
from .linear_value import step_towards, value
from .mdp import check_count, check_gamma, check_share, check_step

SARSA, Q_LEARNING = 0, 1
METHODS = {"sarsa": SARSA, "q_learning": Q_LEARNING}


class Learned(NamedTuple):
    """What a driver returns."""

    W: np.ndarray  # (A, F) the weights
    lengths: np.ndarray  # (episodes,) steps
    returns: np.ndarray  # (episodes,) sum of rewards, without discount


def epsilon_greedy(q, epsilon, rng):
    r"""An action: with probability ε any, else the best of q (A,). So the best has 1 − ε + ε/|A| in all.

    Of several best ones each is equally likely: the k-th that is found replaces the one before with probability 1/k.
    """
    if epsilon > 0 and rng.random() < epsilon:
        return int(rng.random() * q.size)
    best, ties = 0, 1
    for a in range(1, q.size):
        if q[a] > q[best]:
            best, ties = a, 1
        elif q[a] == q[best]:
            ties += 1
            if rng.random() * ties < 1:
                best = a
    return best


epsilon_greedy = jit(epsilon_greedy, flags=())


def choose(W, active, phi, epsilon, q, rng):
    """q ← q̂(s, ·), (A,); returns an ε-greedy action."""
    for a in range(q.size):
        q[a] = value(W[a], active, phi)
    return epsilon_greedy(q, epsilon, rng)


choose = jit(choose, flags=())


def update(method, W, now, phi, a, r, after, phi2, terminated, alpha, gamma, epsilon, q, rng):
    """One step of learning from (s, a, r, s'), s given by `now` and `phi`, s' by `after` and `phi2`; returns a'.

    a' is chosen before the update, as Sarsa must. (Q-learning could choose after it, with what it has just learned, as in
    temporal_difference.py: that is a little better at first.)
    """
    a2 = choose(W, after, phi2, epsilon, q, rng)
    follow = 0.0 if terminated else q[a2] if method == SARSA else q.max()
    step_towards(W[a], now, phi, r + gamma * follow, alpha)
    return a2


update = jit(update, flags=())


def observer(features):
    """A function that looks at one observation: (indices, values) of its active features, and F, how many there are.

    features: Φ (S, F) for observations that are state numbers, a TileCoding, or any callable on (N, k) coordinates.
    """
    if isinstance(features, TileCoding):
        ones = np.ones(features.tilings)
        return lambda x: (features.active(x), ones, features.size)
    if callable(features):
        return of_one_length(lambda x: every(features(np.reshape(x, (1, -1)))[0]))
    table, size = rows(features), np.shape(features)[1]
    return lambda s: (table.active[s], table.values[s], size)


def of_one_length(look):
    """`look`, with a ValueError once it finds another number of features than at first: W has no weights for these."""
    sizes = set()

    def checked(x):
        found = look(x)
        sizes.add(found[2])
        if len(sizes) > 1:
            raise ValueError(f"features must give equally many numbers for every observation, not {sorted(sizes)}")
        return found

    return checked


def every(phi):
    """All features φ (F,) as active ones."""
    phi = np.ravel(np.asarray(phi, np.float64))
    return np.arange(phi.size), phi, phi.size


def learn(env, features, episodes, *, method="sarsa", alpha, gamma=1.0, epsilon=0.1, rng, W=None):
    """Learn by playing so many episodes, in any environment with numbered actions: Learned(W, lengths, returns).

    features: Φ (S, F) for observations that are state numbers, a TileCoding, or any callable on (N, k) coordinates
    alpha:    the step size; with a TileCoding divide by its `tilings`
    W:        (A, F) to go on from, changed in place; zeros if not given
    ValueError for an unknown method or a γ outside [0, 1]; FloatingPointError when the weights diverge.
    """
    method, look = check(method, alpha, gamma, epsilon, episodes), observer(features)
    lengths, returns = np.zeros(int(episodes), np.int64), np.zeros(int(episodes))
    for episode in range(len(lengths)):
        observation, _ = env.reset(seed=world_seed(rng) if episode == 0 else None)
        now, phi, size = look(observation)
        W = weights(W, env, size)
        q = np.empty(len(W))
        a, running = choose(W, now, phi, epsilon, q, rng), True
        while running:
            observation, r, terminated, truncated, _ = env.step(int(a))
            after, phi2, _ = look(observation)
            a = update(method, W, now, phi, a, r, after, phi2, terminated, alpha, gamma, epsilon, q, rng)
            now, phi = after, phi2
            lengths[episode], returns[episode] = lengths[episode] + 1, returns[episode] + r
            running = not (terminated or truncated)
    return Learned(W, lengths, returns)


def weights(W, env, size):
    """W (A, F), or zeros. ValueError if it has another shape or type: compiled code would write past its end."""
    shape = (env.action_space.n, size)
    W = np.zeros(shape) if W is None else W
    if getattr(W, "dtype", None) != np.float64 or W.shape != shape:
        kind = getattr(W, "dtype", type(W).__name__)
        raise ValueError(f"W must be a float64 array of shape (A, F) = {shape}, not {kind} of shape {np.shape(W)}")
    return W


def check_tiles(env, features):
    """ValueError unless the tile coding has as many coordinates as the world: compiled code would read past its state."""
    if features.tiling.low.shape != env.observation_space.shape:
        name, (k,) = type(env).__name__, env.observation_space.shape
        raise ValueError(f"learn_fast: the tile coding has {features.tiling.low.size} coordinates, {name} has {k}")


def check(method, alpha, gamma, epsilon, episodes):
    """The number of the method; ValueError if there is none, if α is no step size, γ or ε not in [0, 1], or for no episodes."""
    check_count(episodes, "episodes", 1)
    check_step(alpha)
    check_share(epsilon, "epsilon")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    check_gamma(gamma)
    return METHODS[method]


def learn_tables(method, W, rows, tables, start, limit, lengths, returns, alpha, gamma, epsilon, world, rng):
    """The compiled loop over the tables of a TabularEnvironment; start (S,): cumulative."""
    q = np.empty(len(W))
    for episode in range(lengths.size):
        s = pick(start, world)
        a, running = choose(W, rows.active[s], rows.values[s], epsilon, q, rng), True
        while running:
            s2, r = draw(tables, s, a, world)
            terminated = tables.terminal[s2]
            a = update(method, W, rows.active[s], rows.values[s], a, r, rows.active[s2], rows.values[s2], terminated,
                       alpha, gamma, epsilon, q, rng)  # fmt: skip
            s = s2
            lengths[episode] += 1
            returns[episode] += r
            running = not terminated and lengths[episode] != limit


def learn_dynamics(method, W, tiling, kind, state, limit, lengths, returns, alpha, gamma, epsilon, world, rng):
    """The compiled loop over a world of dynamics.py, seen through a tile coding."""
    q, x, phi = np.empty(len(W)), np.empty(tiling.low.size, np.float32), np.ones(len(tiling.shift))
    now, after = np.empty(phi.size, np.int64), np.empty(phi.size, np.int64)
    for episode in range(lengths.size):
        begin(kind, state, world)
        observe(kind, state, x)
        active_tiles(tiling, x, now)
        a, running = choose(W, now, phi, epsilon, q, rng), True
        while running:
            r, terminated = step(kind, state, a)
            observe(kind, state, x)
            active_tiles(tiling, x, after)
            a = update(method, W, now, phi, a, r, after, phi, terminated, alpha, gamma, epsilon, q, rng)
            now, after = after, now
            lengths[episode] += 1
            returns[episode] += r
            running = not terminated and lengths[episode] != limit


learn_tables, learn_dynamics = jit(learn_tables, flags=()), jit(learn_dynamics, flags=())


def learn_fast(env, features, episodes, *, method="sarsa", alpha, gamma=1.0, epsilon=0.1, rng, W=None):
    """The same as `learn`, bit for bit, in one compiled loop.

    env: a TabularEnvironment, and features Φ (S, F); or a world with a `kind` (MountainCar), and a TileCoding.
    """
    tabular = hasattr(env, "tables")
    if not (np.ndim(features) == 2 if tabular else has_kind(env) and isinstance(features, TileCoding)):
        raise TypeError(f"learn_fast: no compiled loop for {type(env).__name__} with these features: use learn")
    method, world = check(method, alpha, gamma, epsilon, episodes), new_world(rng)
    if tabular and len(features) != env.observation_space.n:
        raise ValueError(f"learn_fast: features must have a row for each of {env.observation_space.n} states, not {len(features)}")
    W = weights(W, env, features.shape[1] if tabular else features.size)
    lengths, returns = np.zeros(int(episodes), np.int64), np.zeros(int(episodes))
    rest = limit_of(env), lengths, returns, float(alpha), float(gamma), float(epsilon), world, rng
    if tabular:
        learn_tables(method, W, rows(features), env.tables, sum_up(env.start), *rest)
    else:
        check_tiles(env, features)
        learn_dynamics(method, W, features.tiling, env.kind, np.empty(STATE_SIZE[env.kind]), *rest)
    return Learned(W, lengths, returns)
