r"""Policy gradients: move the parameters of a policy uphill on what it earns, by nothing but its own experience.

The policy gradient theorem. J(θ) = Σ_s d₀(s) v(s) is the return of π(a|s, θ) from the first state on. With q and v the
values of π itself, and ρ(s) = Σ_t γᵗ P(s_t = s) the discounted visits of s in an episode,

    ∇J = Σ_s ρ(s) Σ_a π(a|s) q(s, a) ∇ ln π(a|s) = E[ Σ_t γᵗ Ψ_t ∇ ln π(a_t|s_t) ]           (Zhao, theorem 9.2)

No ∇ρ, although θ decides which states are visited: that is the theorem. The second form is an average over episodes, so
whoever plays can estimate it. It holds for the first two of these Ψ whatever v̂ is, and for the others where the critic is
right, q̂ = q and v̂ = v. They differ in how far they scatter and in what they must know:

    REINFORCE           Ψ = g_t                        the return from t on: no model, no values, much noise
    with a baseline     Ψ = g_t − v̂(s_t)               the same mean, as Σ_a π ∇ ln π = ∇ Σ_a π = ∇ 1 = 0; less noise
    QAC                 Ψ = q̂(s_t, a_t)                a critic (Sarsa) in the place of the return
    A2C                 Ψ = r + γ v̂(s') − v̂(s) = δ     both: one step is enough, but v̂ is wrong at first (Zhao, 10.1, 10.2)

Here for finite worlds, where a policy is a softmax of preferences that are linear in θ, and v̂, q̂ are linear too:

    π(a|s) = exp(x(s, a)ᵀθ) / Σ_b exp(x(s, b)ᵀθ),     ∇ ln π(a|s) = x(s, a) − Σ_b π(b|s) x(s, b) = "score"

    X (S, A, K)   x(s, a), the features of an action in a state       θ (K,)   the policy's parameters
    Φ (S, F)      φ(s), the critic's features of a state              W (F,) for v̂, (A, F) for q̂, the critic's weights

so that everything can be held against the exact gradient. `policies.py` and `ppo.py` do it with networks, for any
environment.

Sources: Zhao, chapters 9 and 10; Sutton & Barto, chapter 13; Williams 1992.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.tabular import draw
from .episodes import limit_of, new_world, pick, sum_up
from .mdp import action_values, check_count, check_distributions, check_gamma, check_policy, check_step, state_values, under

REINFORCE, BASELINE, QAC, A2C = 0, 1, 2, 3
METHODS = {"reinforce": REINFORCE, "baseline": BASELINE, "qac": QAC, "a2c": A2C}

# ======================================================================== Exactly


def softmax_policy(theta, X):
    r"""π (S, A): π(a|s) = exp(x(s, a)ᵀθ) / Σ_b exp(x(s, b)ᵀθ). The largest preference is taken out first: no overflow."""
    h = X @ theta  # (S, A)
    p = np.exp(h - h.max(axis=1, keepdims=True))  # (S, A)
    return p / p.sum(axis=1, keepdims=True)


def scores(theta, X):
    r"""∇_θ ln π(a|s) = x(s, a) − Σ_b π(b|s) x(s, b): (S, A, K). Its mean under π is 0, in every state."""
    return X - np.einsum("sa,sak->sk", softmax_policy(theta, X), X)[:, None]  # (S, A, K)


def visits(mdp, policy, start, gamma):
    r"""ρ (S,): ρ(s) = Σ_t γᵗ P(s_t = s), so ρ = start + γ P_πᵀ ρ; 0 where the process has ended. start (S,): d₀."""
    P_pi, _ = under(mdp, check_policy(mdp, policy))
    gamma, going = check_gamma(gamma, mdp, P_pi > 0), ~mdp.terminal
    check_distributions(start := np.asarray(start, np.float64), "start")
    rho = np.zeros(mdp.n_states)
    if start.shape != rho.shape:
        raise ValueError(f"start must have shape (S,) = {rho.shape}, not {start.shape}")
    rho[going] = np.linalg.solve(np.eye(going.sum()) - gamma * P_pi[np.ix_(going, going)].T, start[going])
    return rho


def exact_gradient(mdp, theta, X, start, gamma):
    r"""∇J (K,) by the theorem: Σ_s ρ(s) Σ_a π(a|s) q(s, a) ∇ ln π(a|s). ValueError where `state_values` raises it."""
    policy = softmax_policy(theta, X)  # (S, A)
    q = action_values(mdp, state_values(mdp, policy, gamma), gamma)  # (S, A)
    return np.einsum("s,sa,sa,sak->k", visits(mdp, policy, start, gamma), policy, q, scores(theta, X))


def optimal_baseline(policy, score, q):
    r"""b* (S,) = E[‖∇ ln π‖² q] / E[‖∇ ln π‖²] over a ~ π(·|s): of all baselines the one with the least variance.

    policy, q (S, A), score (S, A, K). v(s) = E[q] leaves the weights out, and is nearly as good (Zhao, section 10.2).
    Where no action has a score, any baseline will do: then it is v(s).
    """
    weight = policy * (score**2).sum(axis=2)  # (S, A)
    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, policy)  # (S, A)
    return (weight * q).sum(axis=1) / weight.sum(axis=1)


# ======================================================================== From experience


class Learned(NamedTuple):
    """What `learn` returns."""

    theta: np.ndarray  # (K,) the policy's parameters
    W: np.ndarray  # the critic's weights, (F,) for v̂, (A, F) for q̂ of QAC; zeros for REINFORCE
    returns: np.ndarray  # (episodes,) sum of rewards, without discount


def probabilities(theta, X, s, p):
    """p ← π(·|s), (A,); the compiled form of `softmax_policy` for one state."""
    for a in range(p.size):
        p[a] = 0.0
        for k in range(theta.size):
            p[a] += X[s, a, k] * theta[k]
    top, total = p.max(), 0.0
    for a in range(p.size):
        p[a] = np.exp(p[a] - top)
        total += p[a]
    for a in range(p.size):
        p[a] /= total


def climb(theta, X, s, a, step, p):
    r"""θ ← θ + step · ∇ ln π(a|s), in place; p (A,) is π(·|s)."""
    for k in range(theta.size):
        mean = 0.0
        for b in range(p.size):
            mean += p[b] * X[s, b, k]
        theta[k] += step * (X[s, a, k] - mean)


def look_up(w, phi):
    """φᵀ w"""
    total = 0.0
    for i in range(w.size):
        total += phi[i] * w[i]
    return total


def adjust(w, phi, step):
    """w ← w + step · φ, in place"""
    for i in range(w.size):
        w[i] += step * phi[i]


probabilities, climb, look_up, adjust = (jit(f, flags=()) for f in (probabilities, climb, look_up, adjust))


def reinforce_update(theta, w, X, Phi, states, actions, rewards, alpha, alpha_w, gamma, p):
    r"""One whole episode: for t = 0 ... T−1, with g = r_{t+1} + γ r_{t+2} + …     (S&B, section 13.4; without w: 13.3)

    w ← w + α_w (g − φ(s)ᵀw) φ(s),     θ ← θ + α γᵗ (g − φ(s)ᵀw) ∇ ln π(a|s)

    With w = 0 and α_w = 0 it is REINFORCE without a baseline. p (A,): room for π(·|s).
    """
    returns = np.empty(rewards.size)
    g = 0.0
    for t in range(rewards.size - 1, -1, -1):  # from the end: one pass gives the return from every step on
        g = rewards[t] + gamma * g
        returns[t] = g
    discount = 1.0
    for t in range(rewards.size):
        s = states[t]
        probabilities(theta, X, s, p)
        advantage = returns[t] - look_up(w, Phi[s])
        adjust(w, Phi[s], alpha_w * advantage)
        climb(theta, X, s, actions[t], alpha * discount * advantage, p)
        discount *= gamma


reinforce_update = jit(reinforce_update, flags=())


def actor_critic_update(method, theta, W, X, Phi, s, a, r, s2, a2, terminated, alpha, alpha_w, step, gamma, p):
    r"""One step of QAC or A2C, in place; step = γᵗ.        (Zhao, algorithms 10.1 and 10.2; S&B, section 13.5)

    QAC    δ = r + γ q̂(s', a') − q̂(s, a)    Ψ = q̂(s, a), as it was before this step
    A2C    δ = r + γ v̂(s') − v̂(s)           Ψ = δ: on average the advantage q(s, a) − v(s), if v̂ = v

    θ ← θ + α γᵗ Ψ ∇ ln π(a|s),     w ← w + α_w δ φ(s)          (the books leave γᵗ out, or keep it: it is in the theorem)
    """
    row, row2 = (a, a2) if method == QAC else (0, 0)
    now = look_up(W[row], Phi[s])
    delta = r + (0.0 if terminated else gamma * look_up(W[row2], Phi[s2])) - now
    probabilities(theta, X, s, p)
    climb(theta, X, s, a, alpha * step * (now if method == QAC else delta), p)
    adjust(W[row], Phi[s], alpha_w * delta)


def choose(theta, X, s, p, rng):
    """An action drawn from π(·|s)."""
    probabilities(theta, X, s, p)
    u = rng.random()
    for a in range(p.size - 1):
        u -= p[a]
        if u < 0:
            return a
    return p.size - 1


actor_critic_update, choose = jit(actor_critic_update, flags=()), jit(choose, flags=())


def learn_tables(method, theta, W, X, Phi, tables, start, limit, returns, alpha, alpha_w, gamma, world, rng):
    """The compiled loop over the tables of a TabularEnvironment; start (S,): cumulative."""
    p, room = np.empty(X.shape[1]), limit if method <= BASELINE else 0
    states, actions, rewards = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    for episode in range(returns.size):
        s, t, step, running = pick(start, world), 0, 1.0, True
        a = choose(theta, X, s, p, rng)
        while running:
            s2, r = draw(tables, s, a, world)
            terminated = tables.terminal[s2]
            a2 = choose(theta, X, s2, p, rng)
            if method <= BASELINE:
                states[t], actions[t], rewards[t] = s, a, r
            else:
                actor_critic_update(method, theta, W, X, Phi, s, a, r, s2, a2, terminated, alpha, alpha_w, step, gamma, p)
            s, a, t, step = s2, a2, t + 1, step * gamma
            returns[episode] += r
            running = not terminated and t != limit
        if method <= BASELINE:
            reinforce_update(theta, W[0], X, Phi, states[:t], actions[:t], rewards[:t], alpha, alpha_w, gamma, p)


learn_tables = jit(learn_tables, flags=())


def learn(env, X, episodes, *, method="reinforce", alpha, alpha_w=0.0, gamma=1.0, rng, theta=None, Phi=None):
    r"""Learn in a TabularEnvironment for so many episodes: Learned(theta, W, returns).

    X (S, A, K), Phi (S, F): features as above; Phi is a single weight for all states if not given. theta (K,) to start
    from, zeros if not given; it is not changed. alpha, alpha_w: step sizes of the policy and of the critic.
    REINFORCE, with or without a baseline, knows rewards up to the clock only: a *truncated* episode counts as if the world had
    ended. So give a clock that seldom stops it. QAC and A2C bootstrap through it.
    ValueError for an unknown method, shapes that do not fit, numbers out of range or not finite, REINFORCE with α_w ≠ 0, or no
    max_episode_steps; FloatingPointError when the weights have run away.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    episodes, gamma, shape = check_count(episodes, "episodes", 1), check_gamma(gamma), (env.observation_space.n, env.action_space.n)
    X = np.ascontiguousarray(X, np.float64)
    Phi = np.ones((shape[0], 1)) if Phi is None else np.ascontiguousarray(Phi, np.float64)
    if X.ndim != 3 or X.shape[:2] != shape or Phi.ndim != 2 or len(Phi) != shape[0]:
        raise ValueError(f"X and Phi must have shapes (S, A, K) and (S, F), S, A = {shape}, not {X.shape} and {Phi.shape}")
    theta = np.zeros(X.shape[2]) if theta is None else np.array(theta, np.float64)
    if theta.shape != X.shape[2:]:
        raise ValueError(f"theta must have shape (K,) = {X.shape[2:]}, not {theta.shape}")
    if not (np.isfinite(X).all() and np.isfinite(Phi).all() and np.isfinite(theta).all()):
        raise ValueError("X, Phi and theta must be finite numbers")
    limit, kind, alpha, alpha_w = limit_of(env), METHODS[method], check_step(alpha), check_step(alpha_w)
    if not limit:
        raise ValueError(f"{method}: give the environment max_episode_steps: a policy may learn never to arrive")
    if kind == REINFORCE and alpha_w != 0:
        raise ValueError("reinforce has no critic: leave alpha_w out, or take method='baseline'")
    W, returns = np.zeros((shape[1] if kind == QAC else 1, Phi.shape[1])), np.zeros(episodes)
    rest = limit, returns, alpha, alpha_w, gamma, new_world(rng), rng
    learn_tables(kind, theta, W, X, Phi, env.tables, sum_up(env.start), *rest)
    if not (np.isfinite(theta).all() and np.isfinite(W).all()):
        raise FloatingPointError(f"{method}: the weights have run away: try a smaller alpha, and alpha_w")
    return Learned(theta, W if kind == QAC else W[0], returns)
