r"""Monte Carlo: values and policies from episodes alone, without P and R. A value is a mean, so measure it as one.

    q(s, a) = E[g | s, a] ≈ the mean of the returns g = r₁ + γ r₂ + γ² r₃ + … that followed (s, a) in N episodes

No estimate is built on another one (no bootstrapping), so an error stays where it is, and falls as 1/√N.

    mc_basic             N episodes from *every* pair, then the best actions: policy iteration with measured values
    mc_exploring_starts  each episode begins with a random pair, and improves the policy at once
    mc_epsilon_greedy    no choice of the start is needed: the policy itself tries everything, with probability ε / |A|
    mc_prediction        no improvement: the values of a given policy
    importance_sampling  the same, from episodes of *another* policy

They differ in how an episode begins, and in what the policy does after it; `play` and `learn` are the same for all.

Which visits of a pair count. From the last step backwards, g ← r + γ g is the return of every step in turn, so that one
episode serves all pairs that it passes.

    initial   the first pair of the episode only: independent returns, and nearly all of the episode wasted
    first     the first visit of each pair: of one pair independent returns, so their mean has no bias
    every     all visits: most data. But returns of one episode overlap, and how many they are depends on them: a bias ~ 1/N

An episode that the clock cuts is taken as it is: what would have followed counts 0, which is wrong by γᵏ r_max / (1 − γ) at
most for a step with k steps left. So let episodes be much longer than 1 / (1 − γ).

Source: Zhao, chapter 5; Sutton & Barto, chapter 5.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.tabular import draw
from .episodes import check_from_0, check_state, check_tables, new_world, pick, policy_sums, sum_up, world_seed
from .mdp import check_count, check_gamma, check_share

INITIAL, FIRST, EVERY = 0, 1, 2
VISITS = {"initial": INITIAL, "first": FIRST, "every": EVERY}
BEGIN = "no episode of it can begin with a given pair: use mc_epsilon_greedy"  # what to do without tables


class Episode(NamedTuple):
    """One episode, or room for it."""

    state: np.ndarray  # (T,) s
    action: np.ndarray  # (T,) a
    reward: np.ndarray  # (T,) r


class Learned(NamedTuple):
    """What all five return.

    Where rewards are negative, the 0 of a pair that was never tried looks good, and so it is tried next; where they are
    positive it is not. So a policy learned from few episodes may prefer actions that nobody has tried: see `count`.
    """

    q: np.ndarray  # (S, A) mean returns; 0 where there was none
    count: np.ndarray  # (S, A) of how many; for weighted importance sampling the sum of their weights
    policy: np.ndarray  # (S, A) the policy after the last improvement

    @property
    def values(self):
        r"""v(s) = Σ_a π(a|s) q(s, a), (S,)."""
        return (self.policy * self.q).sum(axis=1)


# ======================================================================== What all share


def play(tables, s, a, sums, episode, world, rng):
    """An episode that begins with (s, a) and goes on by the policy, summed up: sums (S, A). Returns how many steps it has."""
    for t in range(episode.state.size):
        a = pick(sums[s], rng) if t > 0 else a
        episode.state[t], episode.action[t] = s, a
        s, episode.reward[t] = draw(tables, s, a, world)
        if tables.terminal[s]:
            return t + 1
    return episode.state.size


def learn(visit, weighted, alpha, episode, T, gamma, ratio, q, count):
    r"""Put the returns of an episode of T steps into the means q (S, A). (Zhao, algorithms 5.2 and 5.3: the inner loop)

    From its end, with g = 0 and ρ = 1:     g ← r + γ g,   n ← n + 1,   q ← q + (ρ g − q) / n,   ρ ← ρ π(a|s) / b(a|s)

    ratio[s, a] = π(a|s) / b(a|s), where π is the policy to be judged and b the one that played: 1 if they are the same.
    weighted (Sutton & Barto, section 5.6):                n ← n + ρ,   q ← q + ρ (g − q) / n
    alpha: where it is more than 1/n it takes its place, so that old returns are forgotten: the mean of about the last 1/α.
    """
    first = np.empty(q.shape if visit == FIRST else (0, 0), np.int64)  # when each pair came first: the last to be written
    for t in range(T - 1 if visit == FIRST else -1, -1, -1):
        first[episode.state[t], episode.action[t]] = t
    g, rho = 0.0, 1.0
    for t in range(T - 1, -1, -1):
        s, a = episode.state[t], episode.action[t]
        g = episode.reward[t] + gamma * g
        if visit == EVERY or t == 0 or (visit == FIRST and first[s, a] == t):
            if not weighted:
                count[s, a] += 1
                q[s, a] += max(1 / count[s, a], alpha) * (rho * g - q[s, a])
            elif rho > 0:
                count[s, a] += rho
                q[s, a] += rho / count[s, a] * (g - q[s, a])
        rho *= ratio[s, a]


def improve(q, count, epsilon, policy, sums):
    r"""π(a|s) ← 1 − ε + ε / |A| for the best action (of several the first), ε / |A| for all others. (Zhao, equation 5.4)

    policy (S, A) and its sums are changed in place; a state without any return keeps what it has.
    """
    S, A = q.shape
    for s in range(S):
        best, seen = 0, False
        for a in range(A):
            best, seen = a if q[s, a] > q[s, best] else best, seen or count[s, a] > 0
        if seen:
            total = 0.0
            for a in range(A):
                policy[s, a] = epsilon / A + (1 - epsilon if a == best else 0.0)
                total += policy[s, a]
                sums[s, a] = total if a < A - 1 else 1.0


play = jit(play, flags=())
learn = jit(learn, flags=())
improve = jit(improve, flags=())


# ======================================================================== Drivers


def measure(tables, episodes, gamma, sums, ratio, episode, q, count, world, rng):
    """q of a policy, anew: so many episodes from each pair whose state is not terminal."""
    count[:] = 0
    for s in np.flatnonzero(~tables.terminal):
        for a in range(q.shape[1]):
            for _ in range(episodes):
                T = play(tables, s, a, sums, episode, world, rng)
                learn(INITIAL, False, 0.0, episode, T, gamma, ratio, q, count)


def run(how, epsilon, gamma, ratio, q, count, policy, sums, tables, start, exploring, episode, world, rng):
    """As many episodes as there are ε, over the tables of a TabularEnvironment; start (S,) and sums (S, A) are summed up.

    how: (visit, weighted, alpha, better); better: improve the policy after each episode. exploring: the agent draws the
    first state and any first action, else the world the one and the policy the other.
    """
    visit, weighted, alpha, better = how
    for i in range(epsilon.size):
        s = pick(start, rng if exploring else world)
        T = play(tables, s, int(rng.random() * q.shape[1]) if exploring else pick(sums[s], rng), sums, episode, world, rng)
        learn(visit, weighted, alpha, episode, T, gamma, ratio, q, count)
        if better:
            improve(q, count, epsilon[i], policy, sums)


measure, run = jit(measure, flags=()), jit(run, flags=())


def run_steps(how, epsilon, gamma, ratio, q, count, policy, sums, env, rng):
    """The same, bit for bit, in any environment with numbered states and actions, step by step in Python."""
    visit, weighted, alpha, better = how
    for i in range(epsilon.size):
        s, _ = env.reset(seed=world_seed(rng) if i == 0 else None)
        steps, running = [], True
        while running:
            a = int(pick(sums[check_state(s, len(q))], rng))
            s2, r, terminated, truncated, _ = env.step(a)
            steps.append((s, a, r))
            s, running = s2, not (terminated or truncated)
        episode = Episode(*(np.array(column, dtype) for column, dtype in zip(zip(*steps), (np.int64, np.int64, np.float64))))
        learn(visit, weighted, alpha, episode, len(steps), gamma, ratio, q, count)
        if better:
            improve(q, count, epsilon[i], policy, sums)


def room(env):
    """An empty Episode. ValueError if no clock ends an episode: it might go on for ever, and its returns be never known."""
    if env.max_episode_steps is None:
        raise ValueError(f"{type(env).__name__}: Monte Carlo waits for the end of an episode: give max_episode_steps")
    return Episode(*(np.empty(env.max_episode_steps, dtype) for dtype in (np.int64, np.int64, np.float64)))


def begin(env, policy, before, name):
    """q, count, the policy, and the policy summed up, (S, A) each: copies of those `before`, or zeros; uniform if none is given."""
    if not (hasattr(env.observation_space, "n") and hasattr(env.action_space, "n")):
        raise TypeError(f"{name}: {type(env).__name__} has no numbered states and actions: a table needs both")
    check_from_0(env, name)
    shape = int(env.observation_space.n), int(env.action_space.n)
    if policy is None:
        policy = np.full(shape, 1 / shape[1]) if before is None else before.policy
    sums = policy_sums(env, policy, name)
    q, count = (np.zeros(shape), np.zeros(shape)) if before is None else (before.q, before.count)
    if np.shape(q) != shape or np.shape(count) != shape or not (np.isfinite([q, count]).all() and np.min(count) >= 0):
        raise ValueError(f"{name}: `before` must hold finite q and counts of at least 0, both of shape (S, A) = {shape}")
    return [np.array(x, np.float64) for x in (q, count, policy, sums)]


def drive(env, how, epsilon, gamma, policy, before, rng, name, ratio=None, exploring=False):
    """Check what is given, choose the driver, and run it: Learned."""
    if how[0] not in VISITS:
        raise ValueError(f"{name}: visit must be one of {', '.join(VISITS)}, not {how[0]!r}")
    q, count, policy, sums = begin(env, policy, before, name)
    ratio = np.ones(q.shape) if ratio is None else ratio
    rest = (VISITS[how[0]], *how[1:]), epsilon, check_gamma(gamma), ratio, q, count, policy, sums
    if exploring or hasattr(env, "tables"):
        check_tables(env, name, BEGIN)
        start = sum_up(~env.tables.terminal if exploring else env.start)
        run(*rest, env.tables, start, exploring, room(env), new_world(rng), rng)
    else:
        run_steps(*rest, env, rng)
    return Learned(q, count, policy)


# ======================================================================== Five methods


def mc_basic(env, gamma, *, iterations=100, episodes=1, policy=None, rng):
    r"""Policy iteration with measured values (Zhao, algorithm 5.1), for a TabularEnvironment: Learned.

    In each iteration so many `episodes` of at most env.max_episode_steps begin with each pair. q(s, a) is the mean of
    their returns (initial visits); then π(s) = argmax_a q(s, a), of several the first. It stops when an iteration measures
    just what the one before did. Where nothing is random, one episode a pair tells all, and those of L steps see L steps
    far: on the book's grid, what L sweeps of value iteration from 0 give (figure 5.4). In general it need not be: the best
    plan for L steps may do something else when few of them are left, which no policy can. Then the iterations run in a circle.

    policy: π₀ (S, A); uniform if not given. ValueError without max_episode_steps, for γ outside [0, 1], or bad counts.
    """
    q, count, policy, sums = begin(env, policy, None, "mc_basic")
    episodes, gamma, world = check_count(episodes, "episodes", 1), check_gamma(gamma), new_world(rng)
    check_tables(env, "mc_basic", BEGIN)
    rest = episodes, gamma, sums, np.ones(q.shape), room(env), q, count, world, rng
    for _ in range(check_count(iterations, "iterations", 1)):
        before = q.copy()
        measure(env.tables, *rest)
        improve(q, count, 0.0, policy, sums)
        if (q == before).all():
            break
    return Learned(q, count, policy)


def mc_exploring_starts(env, gamma, episodes, *, visit="first", alpha=0.0, before=None, rng):
    r"""Each episode begins with a random pair, all alike, and goes on by the present policy; then that becomes greedy in all
    states that have a return (Zhao, algorithm 5.2). For a TabularEnvironment, which can begin anywhere: Learned.

    visit:  "initial", "first" or "every"
    alpha:  the least step size. With 0, as in the book, q is the mean of all returns, those of the first policies included:
            it never forgets, so pairs that are seldom tried are long judged by what bad policies made of them
    before: what an earlier call returned, to go on from (in all of these functions). ValueError as in mc_basic.
    """
    nothing, how = np.zeros(check_count(episodes, "episodes", 1)), (visit, False, check_share(alpha, "alpha"), True)
    return drive(env, how, nothing, gamma, None, before, rng, "mc_exploring_starts", exploring=True)


def mc_epsilon_greedy(env, gamma, episodes, *, epsilon, alpha=0.0, visit="every", before=None, rng):
    r"""After each episode the policy becomes the ε-greedy one of q (Zhao, algorithm 5.3); the first is uniform: Learned.

    epsilon: a number, or one for each episode, to explore less and less. With a constant ε the best that can come out is the
    best ε-greedy policy, which is not the optimum with noise added (figure 5.7).
    alpha: the least step size, as above. If episodes are so long that one is enough, as in figure 5.5, then begin the means
    anew for each, which is policy iteration: `before=learned._replace(count=0 * learned.count)`. ValueError as in mc_basic.
    """
    epsilon, episodes = np.ravel(epsilon), check_count(episodes, "episodes", 1)
    if epsilon.size not in (1, episodes):
        raise ValueError(f"epsilon must be a number, or one for each of {episodes} episodes, not {epsilon.size} of them")
    for e in (epsilon.min(), epsilon.max()):  # NaN is both
        check_share(float(e), "epsilon")
    epsilon = np.broadcast_to(epsilon.astype(np.float64), episodes).copy()
    return drive(env, (visit, False, check_share(alpha, "alpha"), True), epsilon, gamma, None, before, rng, "mc_epsilon_greedy")


def mc_prediction(env, policy, gamma, episodes, *, visit="every", before=None, rng):
    """Mean returns under a policy (S, A) that stays as it is: Learned. (Sutton & Barto, sections 5.1 and 5.2)"""
    nothing = np.zeros(check_count(episodes, "episodes", 1))
    return drive(env, (visit, False, 0.0, False), nothing, gamma, policy, before, rng, "mc_prediction")


def importance_sampling(env, target, behaviour, gamma, episodes, *, weighted=True, visit="every", before=None, rng):
    r"""The values of the policy `target` from episodes of the policy `behaviour`, (S, A) each: Learned, whose policy is target.

    ρ = Π_k π(a_k|s_k) / b(a_k|s_k), over all steps k *after* the pair, says how much likelier π makes what was seen:

        ordinary   Σ ρ g / N      right on average; the variance may be infinite (Sutton & Barto, example 5.5)
        weighted   Σ ρ g / Σ ρ    a mean of returns that were seen: a bias that vanishes, and far less variance

    For q the pair itself is given, so its own ratio is no part of ρ (it is for v: sections 5.5 and 5.6). The longer what
    follows, the closer ρ comes to 0 for nearly all episodes. ValueError if `behaviour` never does what `target` does.
    """
    nothing = np.zeros(check_count(episodes, "episodes", 1))
    target, behaviour = np.asarray(target, np.float64), np.asarray(behaviour, np.float64)
    for policy, name in ((target, "target"), (behaviour, "behaviour")):
        policy_sums(env, policy, f"importance_sampling: {name}")
    for s, a in np.argwhere((target > 0) & (behaviour == 0)):
        raise ValueError(f"importance_sampling: in state {s} target may take action {a}, and behaviour never does")
    ratio = np.divide(target, behaviour, out=np.zeros(target.shape), where=behaviour > 0)
    how = visit, bool(weighted), 0.0, False
    learned = drive(env, how, nothing, gamma, behaviour, before, rng, "importance_sampling", ratio)
    return learned._replace(policy=target)
