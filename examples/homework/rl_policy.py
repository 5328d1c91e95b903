r"""Exercises over policy gradients: the score of a softmax, the best baseline, a squashed Gaussian, GAE, the clip; and one bug."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- the score of a softmax


def score_by_hand(get):
    """By hand: one state, two actions of a parameter each"""
    f, X = get("rl.policy_gradient:scores"), np.array([[[1.0, 0.0], [0.0, 1.0]]])
    want = np.array([[[0.75, -0.75], [-0.25, 0.25]]])
    expect(f(np.array([0.0, np.log(3.0)]), X), want, "scores(theta = [0, ln 3], X = [[[1, 0], [0, 1]]]), so that pi = [1/4, 3/4],")
    expect(f(np.array([7.0, 7.0]), X), np.array([[[0.5, -0.5], [-0.5, 0.5]]]), "the same with theta = [7, 7], so that pi = [1/2, 1/2],")


def score_slopes(get):
    """Central differences of ln pi, three actions that share two parameters"""
    theta, X = some_policy()
    want = np.zeros(X.shape)
    for k, e in enumerate(1e-6 * np.eye(2)):
        h = [X @ (theta + sign * e) for sign in (1, -1)]
        up, down = (x - np.log(np.exp(x).sum(axis=1, keepdims=True)) for x in h)
        want[:, :, k] = (up - down) / 2e-6
    call = "scores of four states, three actions, two parameters,"
    expect(get("rl.policy_gradient:scores")(theta, X), want, call, rtol=1e-6, atol=1e-8)


def some_policy():
    """theta (2,), X (4, 3, 2)"""
    rng = np.random.default_rng(0)
    return np.array([0.4, -0.9]), rng.standard_normal((4, 3, 2))


SCORE = Exercise(
    id="softmax-score",
    title="which way makes an action likelier?",
    target="rl.policy_gradient:scores",
    kind="rebuild",
    minutes=20,
    difficulty=1,
    read="the docstring of rl/policy_gradient.py, and softmax_policy",
    task="A policy gives each action a preference that is linear in theta (K,): h(s, a) = x(s, a) . theta, with X (S, A, K) "
         "holding x(s, a). `softmax_policy(theta, X)` (S, A) makes probabilities of them. Return the gradient of ln pi(a|s) with "
         "respect to theta, for every state and action: (S, A, K).",
    formula=(" = x(s, a) − Σ_b π(b|s) x(s, b)", " Its mean under π is 0, in every state."),
    check=(score_by_hand, score_slopes),
    probe=lambda f, get: f(*some_policy()),
    hints=(
        "ln pi(a|s) is a preference less the logarithm of a sum. What is the gradient of each of the two?",
        "grad ln pi(a|s) = x(s, a) - sum over b of pi(b|s) x(s, b).",
        "p = softmax_policy(theta, X); mean = the sum over the actions of p[:, :, None] * X, (S, K); return X - mean[:, None]",
    ),
    why="An action's features less the features to be expected: an action that is nearly certain has a score near 0, and "
        "learns little more from being right. Under pi the mean of the score is 0, which is why a baseline costs nothing.",
    wrong={
        "no_mean": ((("    return X - np.einsum(\"sa,sak->sk\", softmax_policy(theta, X), X)[:, None]", "    return 1.0 * X"),),
                    "that is the slope of the preference: the logarithm of the sum below it moves with theta, too."),
        "plain_mean": ((("np.einsum(\"sa,sak->sk\", softmax_policy(theta, X), X)[:, None]", "X.mean(axis=1)[:, None]"),),
                       "the mean of the features must be taken with the probabilities of the policy."),
        "of_pi": ((("    return X", "    return softmax_policy(theta, X)[:, :, None] * (X"), ("X)[:, None]", "X)[:, None])")),
                  "that is the gradient of pi itself, pi times what was asked for: the logarithm divides it by pi."),
        "sign_flipped": ((("    return X - np", "    return -X + np"),), "the sign is flipped: it makes every action less likely."),
        "plus": ((("    return X - np", "    return X + np"),), "the expected features are added: they must be taken off."),
        "over_states": ((("np.einsum(\"sa,sak->sk\", softmax_policy(theta, X), X)[:, None]",
                          "np.einsum(\"sa,sak->k\", softmax_policy(theta, X), X) / len(X)"),),
                        "the expected features are averaged over the states: each state has its own."),
        "largest": ((("np.einsum(\"sa,sak->sk\", softmax_policy(theta, X), X)[:, None]",
                      "X[np.arange(len(X)), softmax_policy(theta, X).argmax(axis=1)][:, None]"),),
                    "the features of the likeliest action stand where the mean over all actions was meant."),
    },
    right={
        "jacobian": """\
def scores(theta, X):
    p = softmax_policy(theta, X)
    J = np.eye(X.shape[1]) - p[:, None, :]
    return J @ X
""",
        "loops": """\
def scores(theta, X):
    p, out = softmax_policy(theta, X), np.zeros(X.shape)
    for s in range(X.shape[0]):
        for a in range(X.shape[1]):
            out[s, a] = sum((float(a == b) - p[s, b]) * X[s, b] for b in range(X.shape[1]))
    return out
""",
    },
)  # fmt: skip

# ---- the best baseline


def baseline_by_hand(get):
    """By hand: two states, two actions"""
    f = get("rl.policy_gradient:optimal_baseline")
    policy, q = np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([[8.0, 4.0], [1.0, 3.0]])
    score = np.array([[[0.75, -0.75], [-0.25, 0.25]], [[3.0, 4.0], [0.0, 0.0]]])
    call = "optimal_baseline, policy [[1/4, 3/4], [1/2, 1/2]], q [[8, 4], [1, 3]], squared scores [[9/8, 1/8], [25, 0]],"
    expect(f(policy, score, q), np.array([7.0, 1.0]), call)
    expect(f(policy, 0 * score, q), np.array([5.0, 2.0]), "the same where all scores are 0: v(s), the mean of q under the policy,")


def baseline_least(get):
    """It scatters least: a little more or less is worse, in every state"""
    policy, score, q = some_scores()
    b = np.asarray(get("rl.policy_gradient:optimal_baseline")(policy, score, q), float)
    if b.shape != (4,):
        raise Failed(f"optimal_baseline of four states has shape {b.shape}, not (4,)")
    square = lambda b: np.einsum("sa,sak,sa->s", policy, score**2, (q - b[:, None]) ** 2)
    here, near = square(b), [square(b + step) for step in (-0.01, 0.01)]
    slope = (near[1] - near[0]) / 0.02
    curve = (near[1] + near[0] - 2 * here) / 0.01**2
    expect(b, b - slope / curve, "optimal_baseline of a random policy in four states: the mean square of (q - b) * score is least at b =\n"
                                 "(by its slope)", rtol=1e-8)


def some_scores():
    """policy (4, 3), score (4, 3, 2), q (4, 3)"""
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(3), 4), rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 3))


BASELINE = Exercise(
    id="optimal-baseline",
    title="the baseline of least variance",
    target="rl.policy_gradient:optimal_baseline",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/policy_gradient.py",
    task="A policy gradient may take any number b(s) off the action values: its mean stays, its scatter does not. For "
         "policy (S, A), score (S, A, K), the gradients of ln pi, and q (S, A), return the b (S,) for which the mean over the "
         "actions of (q(s, a) - b(s))^2 |score(s, a)|^2 is least, |.|^2 being the sum of squares over K. Where all scores of a "
         "state are 0, any b will do: return v(s) there, the mean of q under the policy.",
    formula=(" = E[‖∇ ln π‖² q] / E[‖∇ ln π‖²] over a ~ π(·|s)",),
    check=(baseline_by_hand, baseline_least),
    probe=lambda f, get: np.concatenate([f(*some_scores()), f(some_scores()[0], 0 * some_scores()[1], some_scores()[2])]),
    hints=(
        "Set the derivative of that mean with respect to b to zero. What kind of mean of q is b then?",
        "b = E[|score|^2 q] / E[|score|^2], means over the actions under the policy.",
        "w = policy * (score ** 2).sum(axis=2); where a row of w sums to 0, take the policy's; return (w * q).sum(1) / w.sum(1)",
    ),
    why="Actions that would move theta far count more. In practice v(s) is taken, which needs no scores and is what a critic "
        "learns anyway; then q - b is the advantage.",
    wrong={
        "value": ((("(score**2).sum(axis=2)", "np.ones(score.shape[:2])"),), "that is v(s): each action must also be weighed by the square of its score."),
        "norm": ((("(score**2).sum(axis=2)", "np.sqrt((score**2).sum(axis=2))"),), "the weight is the square of the score's length, not the length."),
        "sum_of_scores": ((("(score**2).sum(axis=2)", "score.sum(axis=2) ** 2"),), "the sum is squared: the squares must be summed."),
        "no_policy": ((("weight = policy * (score", "weight = 1.0 * (score"),), "the policy's probabilities are missing in the weights."),
        "not_normalised": ((("return (weight * q).sum(axis=1) / weight.sum(axis=1)", "return (weight * q).sum(axis=1) / policy.sum(axis=1)"),),
                           "the weighted sum must be divided by the sum of the weights."),
        "all_states": ((("/ weight.sum(axis=1)", "/ weight.sum() * len(weight)"),), "the weights are summed over all states: each state has a baseline of its own."),
        "zero_where_nothing": ((("    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, policy)  # (S, A)\n", ""),
                                ("    return (weight * q).sum(axis=1) / weight.sum(axis=1)", "    return (weight * q).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)")),
                               "where all scores are 0, v(s) was asked for."),
    },
    right={
        "loop": """\
def optimal_baseline(policy, score, q):
    out = []
    for p, g, row in zip(policy, score, q):
        w = [p_a * (g_a @ g_a) for p_a, g_a in zip(p, g)]
        w = p if sum(w) == 0 else w
        out.append(sum(a * b for a, b in zip(w, row)) / sum(w))
    return np.array(out)
""",
        "least_squares": """\
def optimal_baseline(policy, score, q):
    square = np.einsum("sak,sak->sa", score, score)
    square[square.sum(axis=1) == 0] = 1
    v = np.einsum("sa,sa->s", policy, q)
    top = np.einsum("sa,sa,sa->s", policy, square, q - v[:, None])
    return v + top / np.einsum("sa,sa->s", policy, square)
""",
    },
)  # fmt: skip

# ---- a Gaussian, squashed


def squashed_by_hand(get):
    """By hand: where tanh is steepest, and one unit on; sums over two numbers"""
    f = get("rl.policies:squashed_gaussian_log_prob")
    normal = -0.5 * np.log(2 * np.pi)
    u, zero, half = np.array([[0.0], [1.0]]), np.zeros((2, 1)), np.log([0.5])
    call = "squashed_gaussian_log_prob(u = [[0], [1]], mean = 0, log_std = [{}])"
    slope = np.log(1 - np.tanh(1) ** 2)
    expect(f(u, zero, np.zeros(1)), np.array([normal, normal - 0.5 - slope]), call.format(0))
    expect(f(u, zero, half), np.array([normal + np.log(2), normal + np.log(2) - 2 - slope]), call.format("ln 1/2"))
    two = np.array([[1.0, 0.0], [-1.0, 1.0]])
    want = np.array([2 * normal - 0.5 - slope, 2 * normal - 1 - 2 * slope])
    expect(f(two, np.zeros((2, 2)), np.zeros(2)), want, "squashed_gaussian_log_prob(u = [[1, 0], [-1, 1]], mean = 0, log_std = [0, 0])")


def squashed_density(get):
    """A density: over -1 ... 1 it sums to 1; and its slope"""
    f, a = get("rl.policies:squashed_gaussian_log_prob"), (np.arange(4000) + 0.5) / 2000 - 1
    p = np.exp(f(np.arctanh(a)[:, None], np.full((4000, 1), 0.3), np.array([-0.5])))
    expect(p.sum() / 2000, np.float64(1), "the density of a = tanh(u), mean .3, log_std -.5, summed over -1 ... 1,", rtol=1e-4)
    u, mean = np.array([[0.4, -1.2], [2.0, 0.1]]), np.array([[0.1, 0.3], [1.0, -0.5]])
    t = get("minigrad:Tensor")(mean, requires_grad=True)
    f(u, t, np.array([0.2, -0.3])).sum().backward()
    expect(t.grad, (u - mean) * np.exp([-0.4, 0.6]), "the gradient with respect to the mean, a Tensor,")
    t = get("minigrad:Tensor")(u, requires_grad=True)
    f(t, mean, np.array([0.2, -0.3])).sum().backward()
    expect(t.grad, (mean - u) * np.exp([-0.4, 0.6]) + 2 * np.tanh(u), "the gradient with respect to u, a Tensor,")


def squashed_far(get):
    """Where tanh(u) is 1 to the last digit"""
    f, u = get("rl.policies:squashed_gaussian_log_prob"), np.array([[-40.0], [-12.0], [12.0], [18.0], [40.0]])
    want = -0.5 * np.log(2 * np.pi) + 2 * (np.abs(u[:, 0]) - np.log(2)) + 2 * np.log1p(np.exp(-2 * np.abs(u[:, 0])))
    with np.errstate(all="ignore"):
        got = f(u, u, np.zeros(1))
    expect(got, want, "squashed_gaussian_log_prob(u, mean = u, log_std = [0]), u = [-40, -12, 12, 18, 40],")


def probe_squashed(f, get):
    """Near and far, three numbers in an action: with two, a mean would be half the sum."""
    with np.errstate(all="ignore"):
        u = np.array([[0.4, -1.2, 0.7], [2.0, 0.1, -0.3], [17.5, -3.0, 1.0]])
        return f(u, np.array([[0.1, 0.3, -0.2], [1.0, -0.5, 0.0], [17.0, -2.0, 0.4]]), np.array([0.2, -0.3, 0.1]))


JACOBIAN = "(2 * (LOG_2 - u - softplus(-2 * u))).sum(axis=1)"
SQUASHED = Exercise(
    id="squashed-log-prob",
    title="the log-probability of a squashed Gaussian",
    target="rl.policies:squashed_gaussian_log_prob",
    kind="rebuild",
    minutes=25,
    difficulty=2,
    read="gaussian_log_prob in rl/policies.py; softplus in minigrad/ops",
    task="An action a = tanh(u) stays within -1 ... 1; u is drawn from N(mean, exp(log_std)^2), each of its m numbers by itself. "
         "Return the logarithm of the density of a, (B,), for u and mean (B, m) and log_std (m,), any of which may be a Tensor. It must be right "
         "where tanh(u) is 1 to the last digit (u = 40), so log(1 - tanh(u)^2) as it stands will not do. At hand are "
         "`gaussian_log_prob(u, mean, log_std)` -> (B,), `softplus(x)` = log(1 + exp(x)), right for any x, and LOG_2.",
    formula=(
        "ln π(a) = ln N(u; μ, σ²) − Σ_i ln(1 − tanh² u_i),     ln(1 − tanh² u) = 2 (ln 2 − u − softplus(−2u))",
        "In float32 the left form is −15.94 at |u| = 9 (−16.61 is right), and −∞ from 10 on, as tanh is 1; the right one is exact.",
    ),
    check=(squashed_by_hand, squashed_density, squashed_far),
    probe=probe_squashed,
    hints=(
        "How much narrower does tanh make a small interval around u? The probability in it stays the same.",
        "ln pi(a) = ln N(u) - sum of ln(1 - tanh(u)^2), and 1 - tanh(u)^2 = 4 / (e^u + e^-u)^2.",
        "ln(1 - tanh(u)^2) = 2 ln 2 - 2 ln(e^u + e^-u) = 2 (ln 2 - u - softplus(-2 u)); sum it over axis 1 and take it off",
    ),
    why="Soft actor-critic needs this number for every action. With 1e-6 under the logarithm, as is often written, it is wrong "
        "by several nats from u = 8 on, just where a policy saturates; the identity costs nothing and is exact.",
    wrong={
        "forgets_jacobian": (((" - " + JACOBIAN, ""),), "that is the density of u: tanh squeezes space, and the density of a is larger by 1 / (1 - tanh(u)^2)."),
        "sign_flipped": (((" - " + JACOBIAN, " + " + JACOBIAN),), "the sign of the correction is wrong: where tanh squeezes, the density grows."),
        "naive": (((JACOBIAN, "np.log(1 - np.tanh(u) * np.tanh(u)).sum(axis=1)"),), "for large u, 1 - tanh(u)^2 loses all its digits: rewrite it before taking the logarithm."),
        "epsilon": (((JACOBIAN, "np.log(1 - np.tanh(u) * np.tanh(u) + 1e-6).sum(axis=1)"),), "a small number under the logarithm hides the loss of digits, and is wrong by nats for large u."),
        "not_squared": (((JACOBIAN, "(np.log(2.0) - 2 * u - softplus(-2 * u)).sum(axis=1)"),), "the slope of tanh is 1 - tanh(u)^2; here stands 1 - tanh(u)."),
        "squashes_first": ((("return gaussian_log_prob(u,", "return gaussian_log_prob(np.tanh(u),"),), "the Gaussian is that of u, before squashing, not of tanh(u)."),
        "half": ((("(2 * (LOG_2", "(1 * (LOG_2"),), "the factor 2 in front is lost: it comes from the square."),
        "mean": (((".sum(axis=1)", ".mean(axis=1)"),), "the numbers of an action are independent: their logarithms add up, they are not averaged."),
        "other_sign": ((("softplus(-2 * u)", "softplus(2 * u)"),), "softplus(-2u) goes with -u, and softplus(2u) with +u: here one sign of each is mixed."),
    },
    right={
        "two_sigmoids": """\
def squashed_gaussian_log_prob(u, mean, log_std):
    # 1 - tanh(u)^2 = 4 sigmoid(2u) sigmoid(-2u)
    slope = 2 * LOG_2 - softplus(2 * u) - softplus(-2 * u)
    return gaussian_log_prob(u, mean, log_std) - slope.sum(axis=1)
""",
        "the_other_half": """\
from minigrad.ops import log_sigmoid


def squashed_gaussian_log_prob(u, mean, log_std):
    z = (u - mean) / np.exp(log_std)
    density = -0.5 * z * z - log_std - 0.5 * float(np.log(2 * np.pi))
    return (density - 2 * (LOG_2 - u + log_sigmoid(2 * u))).sum(axis=1)
""",
    },
)  # fmt: skip

# ---- generalized advantage estimation


def gae_by_hand(get):
    """By hand: three steps, the clock stops after the second, or the world ends there"""
    r, v, v2 = np.array([1.0, 2.0, 3.0]), np.array([4.0, 8.0, 2.0]), np.array([8.0, 6.0, 10.0])
    ended, f = np.array([0.0, 1.0, 0.0]), get("rl.ppo:backward_sum")
    call = "backward_sum(rewards [1, 2, 3], values [4, 8, 2], next_values [8, 6, 10], terminated [0, {}, 0], ended [0, 1, 0], .5, .5)"
    expect(f(r, v, v2, 0 * ended, ended, 0.5, 0.5), np.array([0.25, -3.0, 6.0]), call.format(0))
    for x, first, name in ((r, 1, "rewards"), (v, 4, "values"), (v2, 8, "next_values")):
        expect(x[0], np.float64(first), f"{name}[0] after the call: the arrays that are given must stay as they are;")
    expect(f(r, v, v2, ended, ended, 0.5, 0.5), np.array([-0.5, -6.0, 6.0]), call.format(1))


def gae_written_out(get):
    """Against the sum written out, over several episodes"""
    r, v, v2, terminated, ended = columns = some_rollout()
    for gamma, lam in ((0.9, 0.7), (0.9, 1.0), (0.9, 0.0), (1.0, 0.5)):
        delta, want = r + gamma * np.where(terminated == 1, 0, v2) - v, np.zeros(len(r))
        for t in range(len(r)):
            stop = t + 1 + int(np.argmax(np.append(ended[t:], 1.0)))
            want[t] = sum((gamma * lam) ** k * d for k, d in enumerate(delta[t:stop]))
        expect(get("rl.ppo:backward_sum")(*columns, gamma, lam), want, f"backward_sum of 15 steps in four episodes, gamma = {gamma}, lam = {lam},")


def gae_limits(get):
    """lambda = 0 is delta; the inputs stay as they are"""
    columns = some_rollout()
    copies = [x.copy() for x in columns]
    r, v, v2, terminated, _ = copies
    expect(get("rl.ppo:backward_sum")(*columns, 0.9, 0.0), r + 0.9 * (1 - terminated) * v2 - v, "backward_sum with lam = 0: delta;")
    for name, x, y in zip(("rewards", "values", "next_values", "terminated", "ended"), columns, copies):
        expect(x, y, f"{name} after the call, which must stay as they are,")


def some_rollout():
    """15 steps: one episode terminated, two truncated, the last goes on; V of what `step` returned where an episode ended."""
    rng = np.random.default_rng(0)
    r, v, v2 = rng.standard_normal((3, 15))
    terminated, ended = np.zeros(15), np.zeros(15)
    ended[[3, 8, 11]] = terminated[8] = 1
    v2[:-1] = np.where(ended[:-1] == 1, v2[:-1], v[1:])
    return r, v, v2, terminated, ended


GAE = Exercise(
    id="gae",
    title="generalized advantage estimation, without being off by one",
    target="rl.ppo:backward_sum",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/ppo.py",
    task="T steps in a row, across the ends of episodes: rewards, values V(s_t), next_values V(s_{t+1}) of what `step` returned, "
         "terminated and ended, all float64 (T,); ended is 1 at the last step of an episode, terminated only where the world "
         "ended, so that nothing follows. Return the advantages (T,): from each step on, the sum of (gamma * lam)^k delta_{t+k} "
         "to the end of its episode, or of the record; delta is the one-step error, r + gamma V(s') - V(s), where V(s') counts "
         "unless the world ended. It is compiled: plain loops. The given arrays stay as they are.",
    check=(gae_by_hand, gae_written_out, gae_limits),
    probe=lambda f, get: f(*some_rollout(), 0.9, 0.7),
    hints=(
        "Which step's advantage is known at once? Which of the two flags says that V(s') is 0, and which that the next row is another episode?",
        "A_t = delta_t + gamma lam (1 - ended_t) A_{t+1}; delta_t = r_t + gamma (1 - terminated_t) V(s_{t+1}) - V(s_t).",
        "A = 0; for t from the end to the beginning: delta = ...; A = delta + gamma * lam * (1 - ended[t]) * A; out[t] = A",
    ),
    why="One pass from the end. V of the next observation is an array of its own: values[t + 1] is the first state of another "
        "episode where one has ended, and much published code takes it.",
    wrong={
        "one_late": ((("        after = delta", "        advantages[t] = after\n        after = delta"), ("        advantages[t] = after\n    return", "    return")),
                     "it is off by one: each step gets the advantage of the next, as the sum is stored before delta_t is added."),
        "runs_over_ends": (((" * (1.0 - ended[t])", ""),), "the sum runs over the end of an episode into the next one."),
        "cut_at_terminated": ((("(1.0 - ended[t])", "(1.0 - terminated[t])"),), "a truncated episode ends, too: the next row is another one, so the sum must be cut there, though V(s') counts."),
        "done": ((("(1.0 - terminated[t])", "(1.0 - ended[t])"),), "a clock that stops is taken for the end of the world: V(s') counts unless terminated."),
        "through_the_end": ((("gamma * (1.0 - terminated[t]) * next", "gamma * next"),), "it bootstraps through the end of the world: after a terminated step nothing follows."),
        "next_row": ((("next_values[t]", "values[min(t + 1, rewards.size - 1)]"),), "V(s') is taken from the next row: where an episode has ended, that is the start of another."),
        "flag_off_by_one": ((("(1.0 - ended[t])", "(1.0 - ended[min(t + 1, rewards.size - 1)])"),), "the flag of the next step cuts the sum: it is off by one."),
        "forgets_lambda": ((("gamma * lam * (1.0", "gamma * (1.0"),), "lam is missing."),
        "forgets_gamma": ((("gamma * lam * (1.0", "lam * (1.0"),), "the trace decays by gamma times lam, not by lam alone."),
        "returns": ((("advantages[t] = after", "advantages[t] = after + values[t]"),), "that is the return which V learns, A + V: the advantage was asked for."),
        "forwards": ((("range(rewards.size - 1, -1, -1)", "range(rewards.size)"),), "it runs forwards: these are sums of the past, not of what is to come."),
    },
    right={
        "two_loops": """\
def backward_sum(rewards, values, next_values, terminated, ended, gamma, lam):
    out = np.zeros(rewards.size)
    for t in range(rewards.size):
        weight = 1.0
        for k in range(t, rewards.size):
            follow = 0.0 if terminated[k] else next_values[k]
            out[t] += weight * (rewards[k] + gamma * follow - values[k])
            if ended[k]:
                break
            weight *= gamma * lam
    return out
""",
        "in_place": """\
def backward_sum(rewards, values, next_values, terminated, ended, gamma, lam):
    out = rewards + gamma * next_values * (1 - terminated) - values
    for i in range(2, rewards.size + 1):
        t = rewards.size - i
        if not ended[t]:
            out[t] += gamma * lam * out[t + 1]
    return out
""",
    },
)  # fmt: skip

# ---- the clip

RATIOS = np.array([1.0, 1.1, 1.5, 0.5, 1.0, 0.9, 0.5, 1.5])
SIGNS = np.array([2.0, 2.0, 2.0, 2.0, -2.0, -2.0, -2.0, -2.0])


def clip_by_hand(get):
    """By hand: good and bad actions, likelier and less likely than before"""
    want = np.array([2.0, 2.2, 2.4, 1.0, -2.0, -1.8, -1.6, -3.0])
    for r, a, w in zip(RATIOS, SIGNS, want):
        call = f"clipped_surrogate, ratio pi / pi_old = {r}, A = {a:.0f}, clip = .2,"
        expect(get("rl.ppo:clipped_surrogate")(np.log([r]) - 1.5, np.array([-1.5]), np.array([a]), 0.2), np.array([w]), call)


def clip_slopes(get):
    """The slope: 0 where it is clipped, and only there"""
    t = get("minigrad:Tensor")(np.log(RATIOS), requires_grad=True)
    get("rl.ppo:clipped_surrogate")(t, np.zeros(8), SIGNS, 0.2).sum().backward()
    want = RATIOS * SIGNS * [1, 1, 0, 1, 1, 1, 0, 1]
    for i, (r, a) in enumerate(zip(RATIOS, SIGNS)):
        expect(t.grad[i], want[i], f"the slope of clipped_surrogate with respect to ln pi, ratio {r}, A = {a:.0f}, clip = .2,")


def clip_random(get):
    """Any shape, another clip, against plain NumPy"""
    rng = np.random.default_rng(0)
    new, old, a = rng.standard_normal((3, 4, 5))
    want = np.where(a > 0, np.minimum(np.exp(new - old), 1.3), np.maximum(np.exp(new - old), 0.7)) * a
    expect(get("rl.ppo:clipped_surrogate")(new, old, a, 0.3), want, "clipped_surrogate of random numbers (4, 5), clip = .3,")


CLIP = Exercise(
    id="ppo-clip",
    title="PPO's clip, on the right side",
    target="rl.ppo:clipped_surrogate",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/ppo.py",
    task="log_prob (a Tensor or an array) and old_log_prob, advantages (arrays) of one shape; r = pi / pi_old is the ratio of the "
         "two probabilities. Return PPO's objective for each entry, in the same shape, to be raised: r A, but a good action "
         "(A > 0) earns no more from r > 1 + clip, and a bad one (A < 0) no more from r < 1 - clip. On the other two sides "
         "nothing is clipped: there the policy has gone wrong, and must come back. np.clip has no rule for Tensors; "
         "np.minimum, np.maximum, np.exp and np.where have. (The library also refuses arrays of other shapes; that is not asked for.)",
    formula=("min(r A, clip(r, 1 − ε, 1 + ε) A) with r = exp(ln π − ln π_old), of each entry; its mean is to be *raised*.",),
    check=(clip_by_hand, clip_slopes, clip_random),
    probe=lambda f, get: f(np.append(np.log(RATIOS), -1.0), np.append(np.zeros(8), 0.3), np.append(SIGNS, 1.7), 0.2),
    hints=(
        "For A > 0, draw r A and clip(r) A over r in one picture. Which of the two is the objective, left and right of 1?",
        "min(r A, clip(r, 1 - eps, 1 + eps) A), r = exp(ln pi - ln pi_old).",
        "r = np.exp(log_prob - old); c = np.minimum(np.maximum(r, 1 - clip), 1 + clip); return np.minimum(r * A, c * A)",
    ),
    why="The min makes it a lower bound of r A: it may ignore what is gained by going far, never what is lost.",
    wrong={
        "wrong_side": ((("return np.minimum(ratio", "return np.maximum(ratio"),), "the larger of the two is taken: then going far pays, and what went wrong is forgiven."),
        "clipped_only": ((("return np.minimum(ratio * advantages, clipped * advantages)", "return clipped * advantages"),),
                         "without the min, a good action that has become much less likely has slope 0, too, and never comes back."),
        "not_clipped": ((("return np.minimum(ratio * advantages, clipped * advantages)", "return ratio * advantages"),), "nothing is clipped: that is the plain importance-weighted objective."),
        "upper_only": ((("np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)", "np.minimum(ratio, 1 + clip)"),), "the lower bound is missing: bad actions (A < 0) can be pushed down without end."),
        "lower_only": ((("np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)", "np.maximum(ratio, 1 - clip)"),), "the upper bound is missing: good actions (A > 0) can be pushed up without end."),
        "inverted": ((("log_prob - old_log_prob)", "old_log_prob - log_prob)"),), "the ratio is upside down: new over old."),
        "difference": ((("np.exp(log_prob - old_log_prob)", "1 + log_prob - old_log_prob"),), "the ratio of the probabilities is the exponential of the difference of their logarithms."),
        "clips_logarithm": ((("np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)", "np.exp(np.minimum(np.maximum(log_prob - old_log_prob, -clip), clip))"),),
                            "the logarithm of the ratio is clipped, to -clip ... clip: clip the ratio, to 1 - clip ... 1 + clip."),
        "loss": ((("return np.minimum", "return -np.minimum"),), "the sign is flipped: what is to be raised was asked for, not a loss."),
        "mean": ((("clipped * advantages)", "clipped * advantages).mean()"),), "the mean is taken: each entry's value was asked for."),
    },
    right={
        "where": """\
def clipped_surrogate(log_prob, old_log_prob, advantages, clip):
    ratio = np.exp(log_prob - old_log_prob)
    return np.where(advantages > 0, np.minimum(ratio, 1 + clip), np.maximum(ratio, 1 - clip)) * advantages
""",
        "what_is_cut_off": """\
from minigrad.ops import relu


def clipped_surrogate(log_prob, old_log_prob, advantages, clip):
    gain = np.exp(log_prob - old_log_prob) * advantages
    most = (1 + clip * np.sign(advantages)) * advantages
    return gain - relu(gain - most)
""",
    },
)  # fmt: skip

# ---- the museum: the old policy moves along


def some_agent(get, **keywords):
    """A small PPO agent on cart pole in float64 whose policy has moved on since it collected 30 steps; and these steps.

    Returned: the agent, and the arguments of policy_step: s (30, 4), a (30,), old_log_prob (30,), advantages (30,).
    """
    settings = {"hidden": (8,), "rollout_steps": 1000, "dtype": np.float64, "entropy": 0.1, "clip": 0.1, "normalize": False}
    agent, rng = get("rl.ppo:PPO")(get("rl.envs:CartPole")(), 0, **(settings | keywords)), np.random.default_rng(0)
    rows = agent.learn(30).rollout()
    old = agent.policy.log_prob(rows.observation, rows.action)[0].data
    agent.policy.net.theta.data = agent.policy.net.theta.data + 0.6 * rng.standard_normal(agent.policy.net.theta.shape)
    return agent, (rows.observation, rows.action, old, rng.standard_normal(30))


def slope_of(agent, arguments):
    """The gradient that policy_step leaves behind, (P,), with the learning rate at 0."""
    agent.optimizers[0].lr = 0.0
    agent.policy_step(*arguments)
    return np.array(agent.policy.net.theta.grad)


def loss_of(agent, s, a, old, advantages, entropy=0.1, clip=0.1):
    """A function of theta: minus the objective, in plain NumPy."""
    net = agent.policy.net

    def loss(theta):
        net.theta.data = theta
        logits = net(s).data
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        ratio = np.exp(log_p[np.arange(len(a)), a] - old)
        gain = np.minimum(ratio * advantages, np.clip(ratio, 1 - clip, 1 + clip) * advantages).mean()
        return -gain + entropy * (np.exp(log_p) * log_p).sum(axis=1).mean()

    return loss


def step_slopes(agent, arguments, advantages, call):
    """Failed unless the gradient of policy_step is that of the objective with these advantages, along three directions."""
    theta, rng = agent.policy.net.theta.data.copy(), np.random.default_rng(1)
    got = slope_of(agent, arguments)
    loss = loss_of(agent, *arguments[:3], advantages)
    for _ in range(3):
        v = rng.standard_normal(theta.shape)
        want = (loss(theta + 1e-6 * v) - loss(theta - 1e-6 * v)) / 2e-6
        expect(np.float64(got @ v), np.float64(want), call + "\nthe gradient of the loss along a random direction:", rtol=1e-5, atol=1e-8)
    agent.policy.net.theta.data = theta


def step_gradient(get):
    """Central differences, for a policy that has moved since it played"""
    agent, arguments = some_agent(get)
    call = "policy_step of 30 steps of cart pole, clip = .1, entropy = .1, normalize = False, the policy has moved since it played:"
    step_slopes(agent, arguments, arguments[3], call)


def step_normal(get):
    """Advantages are normalised if that is asked for, and if there are two or more"""
    for n in (30, 2):
        agent, arguments = some_agent(get, normalize=True)
        s, a, old, advantages = (x[:n] for x in arguments)
        mean, deviation = advantages.mean(), advantages.std()
        step_slopes(agent, (s, a, old, advantages), (advantages - mean) / deviation, f"policy_step of {n} steps, normalize = True:")
    agent, arguments = some_agent(get, normalize=True)
    for A in (np.array([2.0]), np.array([-2.0])):  # one of the two is not clipped
        one = (*(x[:1] for x in arguments[:3]), A)
        step_slopes(agent, one, A, f"policy_step of a single step, A = {A[0]:.0f}, normalize = True (there is nothing to normalise):")
    alike = (*arguments[:3], np.full(30, 2.0))
    step_slopes(agent, alike, np.zeros(30), "policy_step of 30 steps with the same advantage, normalize = True (only the entropy has a slope):")


def step_uphill(get):
    """The steps go uphill, and stop where the clip says so"""
    agent, (s, a, old, advantages) = some_agent(get, entropy=0.0, actor_lr=0.01)
    loss, theta = loss_of(agent, s, a, old, advantages, entropy=0.0), agent.policy.net.theta
    before = loss(theta.data.copy())
    for _ in range(20):
        agent.policy_step(s, a, old, advantages)
    if not loss(theta.data.copy()) < before:
        raise Failed(f"20 calls of policy_step with the same 30 steps moved the objective from {-before:.4f} to {-loss(theta.data.copy()):.4f}: it must rise")
    agent, (s, a, old, advantages) = some_agent(get, entropy=0.0)
    far = old - 5.0  # as if every action were now e^5 times as likely as when it was played
    got = slope_of(agent, (s, a, far, np.abs(advantages)))
    expect(got, np.zeros(got.shape), "policy_step where all actions were good (A > 0) and are already far likelier than they were: "
                                     "the\ngradient", atol=1e-12)  # fmt: skip


def probe_step(f, get):
    """Gradients of two calls: plain, and normalised."""
    out = []
    for normalize in (False, True):
        agent, arguments = some_agent(get, normalize=normalize)
        agent.optimizers[0].lr = 0.0
        f(agent, *arguments)
        out.append(np.array(agent.policy.net.theta.grad))
    return np.concatenate(out)


def step_symptom(get):
    """Cart pole, rollouts of 1,024 steps, ten passes over each: how far an update moves the policy, and what it earns."""
    agent = get("rl.ppo:PPO")(get("rl.envs:CartPole")(), 1, actor_lr=3e-3)
    shown, earned, far = [], [], []
    for _ in range(12):
        ended = len(agent.returns)
        agent.learn(1023)
        rollout = agent.rollout()
        old, new = (agent.learn(n).policy.log_prob(rollout.observation, rollout.action)[0].data for n in (0, 1))
        far.append(np.mean(np.abs(np.exp(new - old) - 1) > 0.2))
        shown.append(agent.steps)
        earned.append(np.mean([g for _, g in agent.returns[ended:]] or [agent.episode_return]))
    return {
        "figures": {"mean return of the episodes in the last 3 of 12 rollouts": np.mean(earned[-3:]), "the best rollout's": max(earned),
                    "share of actions whose probability an update moves by more than 20 %, first 9 updates": np.mean(far[:9])},
        "x": shown, "y": earned, "xlabel": "environment steps", "ylabel": "mean return of an episode", "log": "",
    }  # fmt: skip


OLD = Exercise(
    id="bug-old-policy",
    title="the ratio that is always 1",
    target="rl.ppo:PPO.policy_step",
    kind="spot the bug",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/ppo.py; PPO.update and clipped_surrogate there",
    task="PPO takes many steps from the same experience, and clips the ratio of the present policy to the one that played, so "
         "that they do not go too far. Published code has lost that ratio more than once, and nothing raises. Rebuilt here on "
         "cart pole, seed 1, rollouts of 1,024 steps, ten passes over each, actor_lr = .003: the second rollout earns 500 an "
         "episode, as much as there is; the last three of twelve earn 9.5, less than a policy that pushes at random (22). In the first nine updates, "
         "41 % of the actions that were played change their probability by more than 20 % (with the right code 21 %, and the last three earn 500).\n"
         "Mend `policy_step`: observations s (B, n), actions a (B,), old_log_prob and advantages (B,). Normalise the advantages "
         "where self.normalize says so and there are two or more, adding 1e-8 to their deviation; then one step of "
         "self.optimizers[0], by self.step(optimizer, loss), uphill on the mean of the clipped surrogate plus self.entropy times "
         "the mean entropy. self.policy.log_prob(s, a) gives ln pi and the entropies.",
    check=(step_gradient, step_normal, step_uphill),
    probe=probe_step,
    hints=(
        "Which two policies does the ratio compare, and when was the second of them computed? What is the ratio in the tenth epoch?",
        "r = exp(ln pi - ln pi_old): ln pi_old is that of the policy which played, computed once for each rollout, a constant.",
        ("log_prob, entropy = self.policy.log_prob(s, a); gain = mean of clipped_surrogate(log_prob, old_log_prob, advantages, "
        "self.clip) + self.entropy * mean entropy; self.step(self.optimizers[0], -gain)"),
    ),
    why="With the present policy in both places the ratio is 1 in every step. Its slope is still that of ln pi, so that "
        "learning begins well, but nothing is ever clipped: ten passes over the same experience carry the policy far beyond "
        "where that experience says anything.",
    bug="present_policy",
    equivalent={
        "advantages.std() + self.dtype.type(1e-08) -> advantages.std() - self.dtype.type(1e-08)": "the 1e-8 only keeps 0 / 0 away",
        "1e-08 -> 1.0300000000000001e-08": "the 1e-8 only keeps 0 / 0 away",
    },
    symptom=step_symptom,
    wrong={
        "present_policy": ((("clipped_surrogate(log_prob, old_log_prob,", "clipped_surrogate(log_prob, log_prob.detach().numpy(),"),),
                           "the present policy stands in both places of the ratio: it is always 1, and never clipped."),
        "not_clipped": ((("clipped_surrogate(log_prob, old_log_prob, advantages, self.clip)", "(np.exp(log_prob - old_log_prob) * advantages)"),),
                        "the ratio is right, but nothing is clipped."),
        "downhill": ((("self.optimizers[0], -gain", "self.optimizers[0], gain"),), "the optimiser goes down: what is to be raised needs a minus."),
        "no_entropy": (((" + self.entropy * entropy.mean()", ""),), "the entropy is missing."),
        "less_entropy": (((" + self.entropy * entropy.mean()", " - self.entropy * entropy.mean()"),), "the entropy is to be raised, not lowered."),
        "sum": ((("self.clip).mean()", "self.clip).sum()"),), "the mean over the steps was meant, not the sum."),
        "never_normal": ((("if self.normalize and len(advantages) > 1:", "if False:"),), "advantages are to be normalised where self.normalize says so."),
        "always_normal": ((("if self.normalize and len(advantages) > 1:", "if len(advantages) > 1:"),), "advantages are normalised whether self.normalize says so or not."),
    },
    right={
        "in_pieces": """\
def policy_step(self, s, a, old_log_prob, advantages):
    A = np.array(advantages)
    if self.normalize and A.size > 1:
        A -= A.mean()
        A /= A.std() + self.dtype.type(1e-8)
    log_prob, entropy = self.policy.log_prob(s, a)
    loss = -clipped_surrogate(log_prob, old_log_prob, A, self.clip).mean()
    loss = loss - self.entropy * entropy.mean()
    optimizer = self.optimizers[0]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
        "sums": """\
def policy_step(self, s, a, old_log_prob, advantages):
    n = advantages.size
    if self.normalize and n > 1:
        centred = advantages - advantages.sum() / n
        advantages = centred / (np.sqrt((centred**2).sum() / n) + self.dtype.type(1e-8))
    log_prob, entropy = self.policy.log_prob(s, a)
    ratio = np.exp(log_prob - old_log_prob)
    near = np.where(advantages > 0, np.minimum(ratio, 1 + self.clip), np.maximum(ratio, 1 - self.clip))
    self.step(self.optimizers[0], -(near * advantages).sum() / n - self.entropy * entropy.mean())
""",
    },
)  # fmt: skip

EXERCISES = (SCORE, BASELINE, SQUASHED, GAE, CLIP, OLD)
