r"""Exercises over temporal differences: the one function in which the methods differ, records of others, and a bug of the last step."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- the one function in which the methods differ

ROWS = np.array([2.0, 8.0, 5.0, 3.0]), np.array([30.0, 10.0, 20.0, 40.0])  # q, q2
KINDS = ("SARSA", "EXPECTED_SARSA", "Q_LEARNING", "DOUBLE_Q_LEARNING")


def follow_by_hand(get):
    """By hand: four actions, two tables"""
    follow, (q, q2) = get("rl.temporal_difference:follow"), ROWS
    for kind, want in zip(KINDS, (5.0, 0.7 * 8 + 0.3 * 4.5, 8.0, 10.0)):
        method = get(f"rl.temporal_difference:{kind}")
        expect(follow(method, q, q2, 2, 0.3), want, f"follow({kind}, q=[2, 8, 5, 3], q2=[30, 10, 20, 40], a2=2, epsilon=.3)")


def follow_properties(get):
    """Ties; epsilon 0 and 1; one and the same table"""
    follow, rng = get("rl.temporal_difference:follow"), np.random.default_rng(0)
    sarsa, expected, best, double = (get(f"rl.temporal_difference:{kind}") for kind in KINDS)
    expect(follow(expected, np.array([4.0, 4.0, 1.0]), np.zeros(3), 0, 0.3), 0.7 * 4 + 0.3 * 3, "follow(EXPECTED_SARSA, q=[4, 4, 1], epsilon=.3): the first two tie; it")
    for n in (1, 2, 5):
        q, q2 = rng.standard_normal((2, n))
        shown = f"q={np.round(q, 2).tolist()}, q2={np.round(q2, 2).tolist()}"
        expect(follow(expected, q, q2, n - 1, 0.0), q.max(), f"follow(EXPECTED_SARSA, {shown}, epsilon=0), that of Q-learning,")
        expect(follow(expected, q, q2, n - 1, 1.0), q.mean(), f"follow(EXPECTED_SARSA, {shown}, epsilon=1), all actions alike,")
        expect(follow(sarsa, q, q2, n - 1, 0.5), q[-1], f"follow(SARSA, {shown}, a2={n - 1})")
        expect(follow(double, q, q2, 0, 0.5), q2[np.argsort(q)[-1]], f"follow(DOUBLE_Q_LEARNING, {shown})")
        expect(follow(double, q, q, 0, 0.5), follow(best, q, q, 0, 0.5), f"follow(DOUBLE_Q_LEARNING, q=q2={np.round(q, 2).tolist()}), against that of Q-learning,")


FOLLOW = Exercise(
    id="four-targets",
    title="what follows: four methods in one function",
    target="rl.temporal_difference:follow",
    kind="rebuild",
    minutes=15,
    difficulty=1,
    read="the table at the head of rl/temporal_difference.py; `update`, which calls this function",
    task="The target of a step is r + gamma * (what follows). Return what follows, a number, for each of four methods: SARSA, "
         "EXPECTED_SARSA, Q_LEARNING, DOUBLE_Q_LEARNING (names of the module). q (A,) are the values of the actions in s' from "
         "the table that is about to be moved, q2 (A,) those of the other table; a2 is the action that the agent takes in s'. "
         "The agent is epsilon-greedy: with probability epsilon it takes any of the A actions, all alike, else the best one of "
         "q. Double Q-learning: the table that is moved names the best action (of several the first), the other one says what "
         "it is worth.\nIt is compiled: plain loops and NumPy; helpers of your own need `name = jit(name)`.",
    check=(follow_by_hand, follow_properties),
    probe=lambda f, get: np.array([f(get(f"rl.temporal_difference:{kind}"), *ROWS, 2, 0.3) for kind in KINDS], float),
    hints=(
        "Which of the four numbers q, q2, a2, epsilon does each method ask for? One of them needs a' and no other does.",
        "q(a'); (1 - epsilon) max q + epsilon mean q; max q; q2(argmax q).",
        "if method == SARSA: return q[a2]; if method == EXPECTED_SARSA: ...; if method == Q_LEARNING: return the maximum of q; "
        "return q2[q.argmax()]",
    ),
    why="All else, the step to the target, the coin of double Q-learning, both drivers, is shared: to compare methods is to "
        "compare four lines. The maximum is a loop of our own, as numba's q.max() looks for NaN first.",
    wrong={
        "sarsa_is_greedy": ((("return q[a2]", "return largest(q)"),), "Sarsa takes the best action's value: it should be that of a2, which the agent really takes."),
        "q_learning_takes_a2": ((("        return largest(q)\n", "        return q[a2]\n"),), "Q-learning takes the value of a2: it does not ask what is done next."),
        "exchanged": ((("(1 - epsilon) * largest(q) + epsilon * q.mean()", "epsilon * largest(q) + (1 - epsilon) * q.mean()"),), "epsilon and 1 - epsilon are exchanged in expected Sarsa."),
        "greedy_without_its_share": ((("epsilon * q.mean()", "epsilon * (q.sum() - largest(q)) / q.size"),), "expected Sarsa: the best action's own share of exploring, epsilon / A, is missing."),
        "others_only": ((("epsilon * q.mean()", "epsilon * (q.sum() - largest(q)) / max(q.size - 1, 1)"),), "expected Sarsa: exploring is spread over the other actions only; it may pick the best one, too."),
        "plain_mean": ((("(1 - epsilon) * largest(q) + epsilon * q.mean()", "q.mean()"),), "expected Sarsa: all actions count alike, but the agent takes the best one more often."),
        "not_double": ((("return q2[q.argmax()]", "return q[q.argmax()]"),), "double Q-learning: the table that names the action also values it; that is Q-learning again."),
        "tables_exchanged": ((("return q2[q.argmax()]", "return q[q2.argmax()]"),), "double Q-learning: the tables are exchanged; q, which is moved, names the action, and q2 values it."),
        "best_of_the_other": ((("return q2[q.argmax()]", "return q2.max()"),), "double Q-learning: the maximum of the other table is as lucky as that of this one; q must name the action."),
        "index": ((("return q2[q.argmax()]", "return 1.0 * q.argmax()"),), "double Q-learning: this is the number of the action, not its value."),
    },
    right={
        "loops": """\
def follow(method, q, q2, a2, epsilon):
    best, total = 0, 0.0
    for a in range(len(q)):
        total += q[a]
        if q[a] > q[best]:
            best = a
    if method == DOUBLE_Q_LEARNING:
        return q2[best]
    if method == Q_LEARNING:
        return q[best]
    if method == SARSA:
        return q[a2]
    return q[best] + epsilon * (total / len(q) - q[best])
""",
        "probabilities": """\
def follow(method, q, q2, a2, epsilon):
    values, p = q, np.zeros(q.size)
    if method == SARSA:
        p[a2] = 1.0
    elif method == EXPECTED_SARSA:
        p += epsilon / q.size
        p[np.argmax(q)] += 1 - epsilon
    else:
        p[np.argmax(q)] = 1.0
    if method == DOUBLE_Q_LEARNING:
        values = q2
    return (p * values).sum()
""",
    },
)  # fmt: skip

# ---- Q-learning from a record of another

STEPS = [  # (s, a, r, s', terminated, truncated): two episodes that are cut, one that ends; state 3 has values, too
    (0, 1, 1.0, 1, False, False), (1, 0, -2.0, 2, False, True), (0, 0, 3.0, 1, False, False), (1, 1, 0.5, 0, False, False),
    (0, 1, 4.0, 3, True, False), (2, 1, -1.0, 2, False, False), (2, 0, 2.0, 2, False, False), (2, 1, 1.5, 1, False, True),
]  # fmt: skip
START = np.array([[1.0, -1.0], [0.5, 2.0], [4.0, 3.0], [7.0, 9.0]])


def record_by_hand(get):
    """By hand: a step, the last step of a world, the last step before the clock stops"""
    f = get("answer:q_learning")
    for flags, follows in (((False, False), 6.0), ((True, False), 0.0), ((False, True), 6.0), ((True, True), 0.0)):
        q = np.array([[2.0, 4.0], [6.0, 5.0]])
        got = f(q, [(0, 1, 3.0, 1, *flags)], 0.5, 0.5)
        call = f"q_learning(q=[[2, 4], [6, 5]], steps=[(0, 1, 3, 1, terminated={flags[0]}, truncated={flags[1]})], alpha=.5, gamma=.5)"
        expect(got, np.array([[2, 4 + 0.5 * (3 + 0.5 * follows - 4)], [6, 5]]), call)
        expect(q, np.array([[2.0, 4.0], [6.0, 5.0]]), "the given q after that: it must stay as it is")


def record_steps(get):
    """Three episodes, step by step; no step at all; integers"""
    want = START.copy()
    for s, a, r, s2, terminated, _ in STEPS:
        want[s, a] = 0.7 * want[s, a] + 0.3 * (r + (0 if terminated else 0.9 * max(want[s2])))
    f = get("answer:q_learning")
    expect(f(START, STEPS, 0.3, 0.9), want, "q_learning, four states of two actions, three episodes (two of them cut), alpha = .3, gamma = .9")
    expect(f(START, [], 0.3, 0.9), START, "q_learning without any step")
    got = f(np.array([[1, 2]]), [(0, 0, 1, 0, False, False)], 0.5, 0.5)
    if getattr(got, "dtype", np.float64) != np.float64:
        raise Failed(f"q_learning(q=[[1, 2]] in integers, ...) has type {got.dtype}: the table is float64 whatever was given, as integers swallow steps")
    expect(got, np.array([[1.5, 2.0]]), "q_learning(q=[[1, 2]] in integers, steps=[(0, 0, 1, 0, False, False)], alpha=.5, gamma=.5)")


def record_optimum(get):
    """A corridor of five states, from a record of a random walker: the best values"""
    rng, s, steps = np.random.default_rng(0), 0, []
    for _ in range(3000):
        a = int(rng.integers(2))
        s2 = min(max(s + 2 * a - 1, 0), 4)
        steps.append((s, a, -1.0, s2, s2 == 4, rng.random() < 0.05))
        s = 0 if steps[-1][4] or steps[-1][5] else s2
    got = np.asarray(get("answer:q_learning")(np.zeros((5, 2)), steps, 0.5, 0.5))
    best = np.array([-1.875, -1.75, -1.5, -1.0])
    expect(got[:4].max(axis=1), best, "a corridor 0 to 4, -1 a step until the end in 4, gamma = .5, from 3000 steps of a random walker:\nmax_a q of the states 0 to 3", rtol=1e-6)


RECORD = Exercise(
    id="q-from-record",
    title="Q-learning from the record of another",
    target="answer:q_learning",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="the head of rl/off_policy.py; terminated and truncated in rl/envs/environment.py",
    task="Somebody else has acted, and `steps` is the list of what happened: (s, a, r, s', terminated, truncated), one episode "
         "after the other. Go through it once, in its order, and after each step move q(s, a) by one step of Q-learning with "
         "step size alpha and discount gamma, from the values as they are at that moment. Where the world ended (terminated, "
         "whatever truncated says) nothing follows; where only the clock stopped (truncated), the world would have gone on.\n"
         "q (S, A) numbers, it stays as it is; return the new table, (S, A) float64.",
    answer='''\
import numpy as np


def q_learning(q, steps, alpha, gamma):
    """(S, A), list of tuples, number, number -> (S, A)"""
    q = np.array(q, np.float64)
    for s, a, r, s2, terminated, truncated in steps:
        target = r
        if not terminated:
            target += gamma * q[s2].max()
        q[s, a] += alpha * (target - q[s, a])
    return q
''',
    check=(record_by_hand, record_steps, record_optimum),
    probe=lambda f, get: np.concatenate([np.ravel(f(START.copy(), STEPS, 0.3, 0.9)), probe_kept(f)]),
    hints=(
        "The next row tells what the other one did in s'. Does Q-learning want to know?",
        "q(s, a) <- q(s, a) + alpha (r + gamma max_a' q(s', a') - q(s, a)); r alone is the target where terminated.",
        "q = a copy as floats; for each step: target = r, plus gamma * q[s2].max() unless terminated; q[s, a] += alpha * "
        "(target - q[s, a]); return q",
    ),
    why="No a' in the target, so each row stands for itself: the rows may come from anybody, and even in another order. A "
        "replay buffer (DQN, DDPG) lives on that.",
    wrong={
        "truncation_is_an_end": ((("if not terminated:", "if not (terminated or truncated):"),), "a stopped clock is taken for the end of the world: what would have followed still counts."),
        "through_the_end": ((("if not terminated:", "if True:"),), "it bootstraps through the end of the world: there the target is r alone, whatever the table holds for the last state."),
        "flag_inverted": ((("if not terminated:", "if terminated:"),), "the flag is inverted: the future counts where the world has *not* ended."),
        "sarsa": ((("    for s, a, r, s2, terminated, truncated in steps:\n", "    following = [step[1] for step in steps[1:]] + [0]\n    for (s, a, r, s2, terminated, truncated), a2 in zip(steps, following):\n"), ("q[s2].max()", "q[s2, a2]")),
                  "the target holds the action that the *other* took next: this is Sarsa, and learns what the other's ways are worth."),
        "greedy_in_s": ((("q[s2].max()", "q[s].max()"),), "the maximum is over the actions in s, where the step began: what follows begins in s'."),
        "mean": ((("q[s2].max()", "q[s2].mean()"),), "the mean stands where the maximum was meant: it learns what random ways are worth."),
        "argmax": ((("q[s2].max()", "q[s2].argmax()"),), "the number of the best action is taken for its value."),
        "frozen": ((("    q = np.array(q, np.float64)\n", "    q = np.array(q, np.float64)\n    old = q.copy()\n"), ("q[s2].max()", "old[s2].max()")), "all targets are made of the table as it was at first: take it as it is at that moment."),
        "forgets_gamma": ((("gamma * q[s2]", "q[s2]"),), "gamma is missing."),
        "overwrites": ((("q[s, a] += alpha * (target - q[s, a])", "q[s, a] = alpha * target"),), "q(s, a) is replaced by alpha times the target: only a part of the way is gone, from where q(s, a) was."),
        "whole_row": ((("q[s, a] += alpha * (target - q[s, a])", "q[s] += alpha * (target - q[s])"),), "all actions of s are moved: only the one that was taken has been tried."),
        "backwards": ((("in steps:", "in steps[::-1]:"),), "it goes through the record from the end."),
        "in_place": ((("q = np.array(q, np.float64)", "q = np.asarray(q, np.float64)"),), "the table that was given is changed: it must stay as it is."),
    },
    right={
        "lists": """\
def q_learning(q, steps, alpha, gamma):
    table = [[float(x) for x in row] for row in q]
    for s, a, r, s2, end, _ in steps:
        best = 0.0 if end else max(table[s2])
        table[s][a] = (1 - alpha) * table[s][a] + alpha * (r + gamma * best)
    import numpy as np
    return np.array(table)
""",
        "one_line": """\
import numpy as np


def q_learning(q, steps, alpha, gamma):
    q = np.asarray(q).astype(float, copy=True)
    for step in steps:
        s, a, r, s2, terminated = step[:5]
        q[s, a] -= alpha * (q[s, a] - r - gamma * (1 - terminated) * np.max(q[s2]))
    return q
""",
    },
)  # fmt: skip


def probe_kept(f):
    """What has become of the table that was given."""
    q = START.copy()
    f(q, STEPS, 0.3, 0.9)
    return q.ravel()


# ---- TD for a policy that did not act

POLICY = np.array([[0.25, 0.75], [1.0, 0.0], [0.4, 0.6]])
BEHAVIOUR = np.array([[0.5, 0.5], [0.8, 0.2], [0.1, 0.9]])
VALUES = np.array([1.0, -2.0, 3.0])
MOVES = [(0, 1, 2.0, 1, False), (1, 0, -1.0, 2, False), (2, 0, 3.0, 2, True), (0, 0, 1.0, 2, False), (2, 1, 0.5, 1, False), (1, 1, 4.0, 0, False), (0, 1, 1.0, 2, True)]


def ratio_by_hand(get):
    """By hand: a likelier action, an action that the policy never takes, the end of the world"""
    f, v = get("answer:off_policy_td"), np.array([4.0, 8.0])
    policy, behaviour = np.array([[0.75, 0.25], [0.0, 1.0]]), np.array([[0.5, 0.5], [0.5, 0.5]])
    call = "off_policy_td(v=[4, 8], steps=[{}], pi=[[.75, .25], [0, 1]], b=all .5, alpha=.5, gamma=.5)"
    for step, want in (((0, 0, 2.0, 1, False), [4 + 0.5 * 1.5 * 2, 8]), ((1, 0, 2.0, 0, False), [4, 8]), ((1, 1, 2.0, 0, True), [4, 8 + 0.5 * 2 * -6])):
        expect(f(v, [step], policy, behaviour, 0.5, 0.5), np.array(want, float), call.format(step))
    expect(v, np.array([4.0, 8.0]), "the given v after that: it must stay as it is")


def ratio_steps(get):
    """Seven steps of two episodes; a policy that watches itself"""
    for policy, who in ((POLICY, "another policy"), (BEHAVIOUR, "the policy that acted, so plain TD(0)")):
        want = VALUES.copy()
        for s, a, r, s2, end in MOVES:
            share = 0.3 * policy[s, a] / BEHAVIOUR[s, a]
            want[s] = (1 - share) * want[s] + share * (r + 0.9 * (0 if end else want[s2]))
        expect(get("answer:off_policy_td")(VALUES, MOVES, policy, BEHAVIOUR, 0.3, 0.9), want, f"off_policy_td over seven steps of two episodes, alpha = .3, gamma = .9, pi is {who}")


def ratio_average(get):
    """On average over what b may do, a step is that of pi"""
    rng = np.random.default_rng(0)
    policy, b, v, r, s2 = *rng.dirichlet(np.ones(3), (2, 1)), rng.standard_normal(4), rng.standard_normal(3), np.array([1, 2, 3])
    policy, b = np.tile(policy, (4, 1)), np.tile(b, (4, 1))
    moved = [np.asarray(get("answer:off_policy_td")(v, [(0, a, r[a], s2[a], False)], policy, b, 0.1, 0.9))[0] - v[0] for a in range(3)]
    expect(b[0] @ moved, 0.1 * (policy[0] @ (r + 0.9 * v[s2]) - v[0]), "three actions from one state: the mean move of v over what b does, which must be that of pi,")


RATIO = Exercise(
    id="off-policy-td",
    title="TD for a policy that did not act",
    target="answer:off_policy_td",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="td_steps in rl/temporal_difference.py; Sutton & Barto, section 5.5: importance sampling",
    task="The behaviour b (S, A) has acted; `steps` is the list of what happened: (s, a, r, s', terminated). Learn from it the "
         "values of another policy pi (S, A), both tables of probabilities. Each step of TD(0) is weighted, as a whole, by how "
         "much likelier *its* action is under pi than under b: v(s) <- v(s) + alpha rho (target - v(s)). Go through the steps "
         "once, in order, with the values as they are at that moment. v (S,) stays as it is; return the new values (S,).",
    answer='''\
import numpy as np


def off_policy_td(v, steps, pi, b, alpha, gamma):
    """(S,), list of tuples, (S, A), (S, A), number, number -> (S,)"""
    v = np.array(v, np.float64)
    for s, a, r, s2, terminated in steps:
        rho = pi[s, a] / b[s, a]
        follows = 0.0 if terminated else v[s2]
        error = r + gamma * follows - v[s]
        v[s] += alpha * rho * error
    return v
''',
    check=(ratio_by_hand, ratio_steps, ratio_average),
    probe=lambda f, get: np.concatenate([f(VALUES.copy(), MOVES, POLICY, BEHAVIOUR, 0.3, 0.9), probe_values(f)]),
    hints=(
        "b takes an action half as often as pi would. How much must each time that it is seen count?",
        "rho = pi(a|s) / b(a|s); v(s) <- v(s) + alpha rho (r + gamma v(s') - v(s)), without v(s') where terminated.",
        "v = a copy; for each step: rho = pi[s, a] / b[s, a]; error = r + gamma * (0 or v[s2]) - v[s]; v[s] += alpha * rho * error",
    ),
    why="The mean of rho * error over b's actions is the mean of error over pi's. One step needs one ratio; a whole return "
        "needs their product, which is why Monte Carlo off-policy is so noisy. Q-learning needs none: its target averages over "
        "no action of b.",
    wrong={
        "inverted": ((("pi[s, a] / b[s, a]", "b[s, a] / max(pi[s, a], 1e-9)"),), "the ratio is upside down: what pi does more often than b must count more."),
        "no_ratio": ((("alpha * rho * error", "alpha * error"),), "nothing is weighted: these are the values of b."),
        "pi_alone": ((("pi[s, a] / b[s, a]", "pi[s, a]"),), "weighted by pi alone: b has already seen to it that its frequent actions come often; divide by b."),
        "of_the_next_state": ((("pi[s, a] / b[s, a]", "pi[s2, a] / b[s2, a]"),), "the ratio is that of s': the action was taken in s."),
        "target_only": ((("r + gamma * follows - v[s]", "rho * (r + gamma * follows) - v[s]"), ("alpha * rho * error", "alpha * error")), "only the target is weighted: its mean is right, but even an action that pi never takes moves v(s). Weight the error as a whole."),
        "reward_only": ((("r + gamma * follows - v[s]", "rho * r + gamma * follows - v[s]"), ("alpha * rho * error", "alpha * error")), "only the reward is weighted: the state that follows is b's choice, too."),
        "product": ((("    for s, a, r", "    rho = 1.0\n    for s, a, r"), ("rho = pi[s, a] / b[s, a]", "rho *= pi[s, a] / b[s, a]")), "the ratios are multiplied up over the steps, as for a whole return: a step of TD needs its own one only."),
        "clipped": ((("pi[s, a] / b[s, a]", "min(1.0, pi[s, a] / b[s, a])"),), "the ratio is cut at 1: less noise, but no longer the values of pi."),
        "through_the_end": ((("0.0 if terminated else v[s2]", "v[s2]"),), "it bootstraps through the end of the world."),
        "forgets_gamma": ((("gamma * follows", "follows"),), "gamma is missing."),
        "frozen": ((("    for s, a, r", "    old = v.copy()\n    for s, a, r"), ("else v[s2]", "else old[s2]")), "the targets hold the values as they were at first: take those of the moment."),
        "in_place": ((("np.array(v, np.float64)", "np.asarray(v, np.float64)"),), "the values that were given are changed: they must stay as they are."),
    },
    right={
        "mixture": """\
def off_policy_td(v, steps, pi, b, alpha, gamma):
    v = v.astype(float).copy()
    for s, a, r, s2, end in steps:
        step = alpha * pi[s][a] / b[s][a]
        v[s] = (1 - step) * v[s] + step * (r + gamma * v[s2] * (not end))
    return v
""",
        "ratios_first": """\
import numpy as np


def off_policy_td(v, steps, pi, b, alpha, gamma):
    out = v + 0.0
    if not len(steps):
        return out
    s, a, r, s2, end = (np.array(column) for column in zip(*steps))
    weight = alpha * (np.asarray(pi) / np.asarray(b))[s, a]
    for t in range(len(s)):
        target = r[t] if end[t] else r[t] + gamma * out[s2[t]]
        out[s[t]] += weight[t] * (target - out[s[t]])
    return out
""",
    },
)  # fmt: skip


def probe_values(f):
    """What has become of the values that were given."""
    v = VALUES.copy()
    f(v, MOVES, POLICY, BEHAVIOUR, 0.3, 0.9)
    return v


# ---- the museum: an optimist who never learns of the end


def tables(n=1):
    """n tables of four states and three actions; the last state, an end, has values, too."""
    return np.random.default_rng(3).uniform(1, 9, (n, 4, 3)).round(1)


OFFERED = np.array([3, 2, 3, 1])


def one_update(get, Q, *step, method="Q_LEARNING", alpha=0.5, gamma=0.5, epsilon=0.3, rng=None):
    """The tables after one update."""
    Q = Q.copy()
    kind, rng = get(f"rl.temporal_difference:{method}"), rng or np.random.default_rng(0)
    get("rl.temporal_difference:update")(kind, Q, *step, alpha, gamma, epsilon, OFFERED, rng)
    return Q


def update_by_hand(get):
    """By hand: a step, and the last step of the world"""
    Q = tables()
    for terminated in (False, True):
        for method in ("SARSA", "EXPECTED_SARSA", "Q_LEARNING"):
            for s2 in (1, 3):
                q = Q[0, s2, : OFFERED[s2]]
                follows = {"SARSA": q[0], "Q_LEARNING": q.max(), "EXPECTED_SARSA": 0.7 * q.max() + 0.3 * q.mean()}[method]
                want = Q.copy()
                want[0, 0, 2] = 0.5 * Q[0, 0, 2] + 0.5 * (4 + (0 if terminated else 0.5 * follows))
                call = f"update({method}, s=0, a=2, r=4, s'={s2}, a'=0, terminated={terminated}), alpha = gamma = .5, q(0, 2) = {Q[0, 0, 2]}, q(s', offered) = {q}:\nthe table"
                expect(one_update(get, Q, 0, 2, 4.0, s2, 0, terminated, method=method), want, call)


def update_single(get):
    """With one table no random number is drawn"""
    rng = np.random.default_rng(5)
    one_update(get, tables(), 0, 2, 4.0, 1, 0, False, rng=rng)
    if rng.bit_generator.state != np.random.default_rng(5).bit_generator.state:
        raise Failed("update with one table drew a random number: the coin is for two")


def update_double(get):
    """Two tables: one of them moves, each half of the time"""
    Q, moved = tables(2), []
    for seed in range(60):
        got = one_update(get, Q, 0, 2, 4.0, 2, 0, seed % 3 == 0, method="DOUBLE_Q_LEARNING", rng=np.random.default_rng(seed))
        i = int((got[1] != Q[1]).any())
        want = Q.copy()
        follows = 0 if seed % 3 == 0 else 0.5 * Q[1 - i, 2, Q[i, 2].argmax()]
        want[i, 0, 2] = 0.5 * Q[i, 0, 2] + 0.5 * (4 + follows)
        expect(got, want, f"update(DOUBLE_Q_LEARNING, s=0, a=2, r=4, s'=2, terminated={seed % 3 == 0}) that moves table {i}:\nboth tables")
        moved.append(i)
    if not 15 <= sum(moved) <= 45:
        raise Failed(f"of 60 updates {sum(moved)} moved the second table: each should be moved half of the time")


def probe_update(f, get):
    """Tables after single updates, with one and with two of them."""
    out = []
    for n, kind in ((1, "Q_LEARNING"), (1, "EXPECTED_SARSA"), (2, "DOUBLE_Q_LEARNING")):
        for s, a, s2, terminated in ((0, 2, 1, False), (1, 1, 2, False), (0, 2, 1, True)):
            Q = tables(n)
            f(get(f"rl.temporal_difference:{kind}"), Q, s, a, 4.0, s2, 0, terminated, 0.5, 0.5, 0.3, OFFERED, np.random.default_rng(1))
            out.append(Q.ravel())
    return np.concatenate(out)


def optimist_symptom(get):
    """Cliff walking from tables of zeros, and from tables that promise 20 for everything."""
    learn, env = get("rl.temporal_difference:learn_fast"), get("rl.envs.cliff_walking:CliffWalking")(10_000)
    best, figures = {}, {}
    for q0 in (0.0, 20.0):
        Q, rng, best[q0] = np.full((1, 48, 4), q0), np.random.default_rng(0), []
        for _ in range(40):
            returns = learn(env, 25, method="q_learning", alpha=0.5, rng=rng, Q=Q).returns
            best[q0].append(Q[0, 36].max())
        s, way = 36, 0
        while s != 47 and way < 100:
            s, way = env.tables.next_state[s, Q[0, s].argmax(), 0], way + 1
        figures[f"best value of the start, tables of {q0:.0f} (truth -13)"] = best[q0][-1]
        figures[f"steps of the greedy way, tables of {q0:.0f} (best 13)"] = way
    return {
        "figures": figures, "x": 25 * np.arange(1, 41), "y": best[20.0],
        "xlabel": "episodes", "ylabel": "best value of the start, tables of 20 at first", "log": "",
    }  # fmt: skip


TARGET = "target = r if terminated else r + gamma * follow(method, q, q2, a2, epsilon)"
PAIR = "q, q2 = Q[i, s2, : offered[s2]], Q[len(Q) - 1 - i, s2, : offered[s2]]  # (A,), (A,), or what is offered"
OPTIMIST = Exercise(
    id="bug-optimist",
    title="the optimist who never learns of the end",
    target="rl.temporal_difference:update",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="the docstring of rl/temporal_difference.py; `follow` and `choose` there",
    task="To start from tables that promise too much is a well-known way to make an agent try everything. Q-learning walks "
         "along the cliff (a step costs 1, gamma = 1, the shortest way has 13 steps). From tables of zeros all is well: after "
         "1,000 episodes the best value of the start is -13. From tables of 20 it is 7, for ever, however long it learns; and "
         "yet the greedy policy goes the shortest way.\nMend `update`: Q (T, S, A), one table, or two for double Q-learning, "
         "changed in place: move q(s, a) a share alpha of the way to its target. r: the reward, s2, a2: the next state and "
         "action, terminated: whether the world ended with this step, offered (S,): how many actions each state offers, the "
         "first ones. With two tables a coin says which one moves; with one no random number is drawn.",
    check=(update_by_hand, update_single, update_double),
    probe=probe_update,
    hints=(
        "All values are too large by the same 20. In which state may the agent still believe its first promise, since no step "
        "ever begins there?",
        "Where the world ended, the target is r alone: v(end) = 0 is no matter of learning, nor of what the table holds.",
        "target = r if terminated, else r + gamma * follow(...)",
    ),
    why="The row of an end is never updated, so it keeps its first value. With zeros the bug cannot be seen, whatever one "
        "tests. So tests fill all of the table with odd numbers, the rows of ends, too.",
    bug="through_the_end",
    symptom=optimist_symptom,
    wrong={
        "through_the_end": (((TARGET, "target = r + gamma * follow(method, q, q2, a2, epsilon)"),), "the row of a terminal state is asked for what follows: no step begins there, so it still holds what it held at first."),
        "last_reward_lost": (((TARGET, "target = 0.0 if terminated else r + gamma * follow(method, q, q2, a2, epsilon)"),), "the last reward is lost: nothing *follows* the end, but the step itself was paid."),
        "last_step_skipped": (((TARGET, "if terminated:\n        return\n    target = r + gamma * follow(method, q, q2, a2, epsilon)"),), "nothing is learned from the last step: its target is r."),
        "flag_inverted": (((TARGET, "target = r if not terminated else r + gamma * follow(method, q, q2, a2, epsilon)"),), "the flag is inverted: the future counts where the world has *not* ended."),
        "cleans_up": (((TARGET, "if terminated:\n        Q[:, s2] = 0.0\n    target = r + gamma * follow(method, q, q2, a2, epsilon)"),), "the target is right, but the row of s' is overwritten: only q(s, a) may change."),
        "not_offered": (((PAIR, "q, q2 = Q[i, s2], Q[len(Q) - 1 - i, s2]"),), "actions count that s' does not offer."),
        "offered_in_s": (((PAIR, "q, q2 = Q[i, s2, : offered[s]], Q[len(Q) - 1 - i, s2, : offered[s]]"),), "it counts the actions that s offers: the maximum is over those of s'."),
        "same_table": (((PAIR, "q, q2 = Q[i, s2, : offered[s2]], Q[i, s2, : offered[s2]]"),), "double Q-learning: both rows come from the same table."),
        "forgets_gamma": (((TARGET, "target = r if terminated else r + follow(method, q, q2, a2, epsilon)"),), "gamma is missing."),
        "jumps": ((("Q[i, s, a] += alpha * (target - Q[i, s, a])", "Q[i, s, a] = target"),), "alpha is missing: q(s, a) jumps to the target."),
        "both_tables": ((("Q[i, s, a] += alpha * (target - Q[i, s, a])", "Q[:, s, a] += alpha * (target - Q[i, s, a])"),), "double Q-learning: both tables move; then they share their luck."),
    },
    right={
        "flag": """\
def update(method, Q, s, a, r, s2, a2, terminated, alpha, gamma, epsilon, offered, rng):
    i = 0
    if len(Q) == 2 and rng.random() < 0.5:
        i = 1
    n = offered[s2]
    follows = 0.0
    if not terminated:
        follows = follow(method, Q[i, s2, :n], Q[len(Q) - 1 - i, s2, :n], a2, epsilon)
    Q[i, s, a] = (1 - alpha) * Q[i, s, a] + alpha * (r + gamma * follows)
""",
        "integers": """\
def update(method, Q, s, a, r, s2, a2, terminated, alpha, gamma, epsilon, offered, rng):
    i, j = 0, 0
    if Q.shape[0] > 1:
        i = rng.integers(0, 2)
        j = 1 - i
    target = r
    if not terminated:
        target += gamma * follow(method, Q[i, s2][:offered[s2]], Q[j, s2][:offered[s2]], a2, epsilon)
    error = target - Q[i, s, a]
    Q[i, s, a] = Q[i, s, a] + alpha * error
""",
    },
)  # fmt: skip

EXERCISES = (FOLLOW, RECORD, RATIO, OPTIMIST)
