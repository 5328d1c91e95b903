r"""Exercises over Monte Carlo methods: which visits count, how a policy explores, whose returns they are."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- first visits

STATES, REWARDS = np.array([0, 1, 0, 2, 1, 1, 0]), np.array([1.0, 2, 4, 8, 16, 32, 64])
LAST = np.array([False, False, False, True, False, False, True])  # 0 1 0 2 pays 1 2 4 8; 1 1 0 pays 16 32 64


def returns_of(rewards, gamma, start, end):
    """The return from step `start` of an episode whose last step is `end`."""
    return sum(gamma ** (k - start) * rewards[k] for k in range(start, end + 1))


def first_by_hand(get):
    """By hand: two episodes, states that come twice"""
    f, call = get("answer:first_visit_values"), "first_visit_values(states=[0, 1, 0, 2, 1, 1, 0], rewards=[1, 2, 4, 8, 16, 32, 64],\nlast=[0, 0, 0, 1, 0, 0, 1], gamma={}, n_states=4)"
    expect(f(STATES, REWARDS, LAST, 0.5, 4), np.array([(1 + 1 + 1 + 1 + 64) / 2, (2 + 2 + 2 + 16 + 16 + 16) / 2, 8, 0]), call.format(".5"))
    expect(f(STATES, REWARDS, LAST, 1.0, 4), np.array([(15 + 64) / 2, (14 + 112) / 2, 8, 0]), call.format(1))


def first_by_definition(get):
    """Against the definition: twelve random episodes"""
    rng = np.random.default_rng(0)
    states, rewards, last = rng.integers(5, size=80), rng.standard_normal(80), rng.random(80) < 0.15
    last[-1] = True
    for gamma in (0.0, 0.9):
        found, begin = {s: [] for s in range(6)}, 0
        for end in np.flatnonzero(last):
            for s in set(states[begin : end + 1].tolist()):
                t = begin + int(np.argmax(states[begin : end + 1] == s))
                found[s].append(returns_of(rewards, gamma, t, end))
            begin = end + 1
        want = np.array([np.mean(found[s]) if found[s] else 0.0 for s in range(6)])
        expect(get("answer:first_visit_values")(states, rewards, last, gamma, 6), want, f"first_visit_values of 80 random steps in {last.sum()} episodes, gamma = {gamma}, n_states = 6,")


FIRST = Exercise(
    id="first-visit",
    title="one return an episode",
    target="answer:first_visit_values",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/monte_carlo.py: which visits of a pair count",
    task="Several episodes lie one after the other: states (N,) integers, rewards (N,), last (N,) true at the last step of each "
         "(the final entry is always true). rewards[t] is what the step from states[t] paid. Return the first-visit Monte Carlo "
         "estimate of the values, (n_states,) float64: for each state the mean, over the episodes in which it occurs, of the "
         "discounted return from its *first* occurrence in that episode on; 0 for a state that never occurs.",
    answer='''\
import numpy as np


def first_visit_values(states, rewards, last, gamma, n_states):
    """(N,) integers, (N,), (N,) booleans, number, int -> (n_states,)"""
    total, count = np.zeros(n_states), np.zeros(n_states)
    begin = 0
    for end in np.flatnonzero(last):
        g, first = 0.0, {}
        for t in range(begin, end + 1)[::-1]:
            g = rewards[t] + gamma * g
            first[states[t]] = g
        for s in first:
            total[s] += first[s]
            count[s] += 1
        begin = end + 1
    return total / np.maximum(count, 1)
''',
    check=(first_by_hand, first_by_definition),
    probe=lambda f, get: f(STATES, REWARDS, LAST, 0.5, 4),
    hints=(
        "Going backwards you meet the first visit last. What must happen to what you had stored of the later ones?",
        "V(s) = (1 / number of episodes with s) * sum over them of G_t, t the first time of s in that episode.",
        "for each episode: g = 0, first = {}; for t backwards: g = rewards[t] + gamma * g; first[states[t]] = g (overwrite). Then "
        "add each first[s] to total[s], 1 to count[s]. Return total / max(count, 1)",
    ),
    why="Overwriting on the way back leaves the first visit, so no list of visited states is searched. The library does the same "
        "with times instead of returns, for pairs.",
    wrong={
        "every_visit": ((("            first[states[t]] = g\n", "            total[states[t]] += g\n            count[states[t]] += 1\n"),), "every visit counts here: of each state only the first one of an episode should."),
        "last_visit": ((("first[states[t]] = g", "first.setdefault(states[t], g)"),), "these are *last* visits: on the way back the first visit is met last, and must replace what was stored."),
        "first_of_all": ((("        g, first = 0.0, {}\n", "        g, first = 0.0, {}\n        new = count == 0\n"), ("        for s in first:\n", "        for s in [s for s in first if new[s]]:\n")),
                         "only the first episode in which a state occurs counts: each episode has a first visit of its own."),
        "divides_by_episodes": ((("np.maximum(count, 1)", "np.sum(last)"),), "the sums are divided by the number of all episodes: only those count in which the state occurs."),
        "divides_by_visits": ((("            first[states[t]] = g\n", "            first[states[t]] = g\n            count[states[t]] += 1\n"), ("            total[s] += first[s]\n            count[s] += 1\n", "            total[s] += first[s]\n")),
                              "first visits are added up, but divided by the number of all visits."),
        "initial_visit": ((("        for s in first:\n", "        for s in [states[begin]]:\n"),), "only the first state of each episode gets a return: every state has a first visit."),
        "forgets_gamma": ((("rewards[t] + gamma * g", "rewards[t] + g"),), "gamma is missing."),
        "runs_over_ends": ((("        g, first = 0.0, {}\n", "        first = {}\n"), ("    begin = 0\n", "    begin = 0\n    g = 0.0\n"), ("np.flatnonzero(last):", "np.flatnonzero(last)[::-1]:"),
                            ("        for t in range(begin, end + 1)[::-1]:", "        begin = int(np.max(np.flatnonzero(last[:end]), initial=-1)) + 1\n        for t in range(begin, end + 1)[::-1]:")),
                           "the return runs over the end of an episode into the next one: g must begin at 0 in each."),
        "whole_return": ((("            total[s] += first[s]\n", "            total[s] += first[states[begin]]\n"),), "each state gets the return of its whole episode: what was paid before its visit does not count."),
        "forwards": ((("range(begin, end + 1)[::-1]", "range(begin, end + 1)"),), "it runs forwards: these are sums of the past, not of what is to come."),
        "one_late": ((("            g = rewards[t] + gamma * g\n            first[states[t]] = g\n", "            first[states[t]] = gamma * g\n            g = rewards[t] + gamma * g\n"),), "the reward of the step itself is left out: the return begins with it, undiscounted."),
        "skips_the_last_step": ((("range(begin, end + 1)", "range(begin, end)"),), "the last step of each episode is left out: `last` marks a step that belongs to it."),
    },
    right={
        "seen": """\
import numpy as np


def first_visit_values(states, rewards, last, gamma, n_states):
    N = len(states)
    returns, g = [0.0] * N, 0.0
    for t in range(N - 1, -1, -1):
        g = rewards[t] + (0.0 if last[t] else gamma * g)
        returns[t] = g
    found, seen = [[] for _ in range(n_states)], set()
    for t in range(N):
        if states[t] not in seen:
            found[states[t]].append(returns[t])
            seen.add(states[t])
        if last[t]:
            seen = set()
    return np.array([np.mean(x) if x else 0.0 for x in found])
""",
        "unique": """\
import numpy as np


def first_visit_values(states, rewards, last, gamma, n_states):
    total, count = np.zeros(n_states), np.zeros(n_states)
    for part in np.split(np.arange(len(states)), np.flatnonzero(last)[:-1] + 1):
        s, first = np.unique(states[part], return_index=True)
        for state, t in zip(s, first):
            rest = np.asarray(rewards)[part][t:]
            total[state] += rest @ float(gamma) ** np.arange(len(rest))
        count[s] += 1
    return np.divide(total, count, out=np.zeros(n_states), where=count > 0)
""",
    },
)  # fmt: skip

# ---- the improvement


def tables_for(q, count):
    """q, count, and a policy that favours the last action, with its sums."""
    policy = np.full(np.shape(q), 0.1)
    policy[:, -1] += 1 - policy.sum(axis=1)
    return np.array(q, float), np.array(count, float), policy, np.cumsum(policy, axis=1)


def improved(get, q, count, epsilon):
    """(policy, sums) after improve, q and count unchanged, or Failed."""
    q, count, policy, sums = tables_for(q, count)
    before = q.copy(), count.copy()
    get("rl.monte_carlo:improve")(q, count, epsilon, policy, sums)
    expect(q, before[0], "q after improve: it must stay as it is")
    expect(count, before[1], "count after improve: it must stay as it is")
    return policy, sums


def improve_by_hand(get):
    """By hand: four actions, a tie, a state without returns"""
    call = "improve, q = [[1, 3, 3, 0], [-2, -1, -4, -3], [5, 0, 0, 0]], count = [[1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 0, 0]], epsilon = .2, a policy\nof .1 .1 .1 .7 before: "
    policy, sums = improved(get, [[1, 3, 3, 0], [-2, -1, -4, -3], [5, 0, 0, 0]], [[1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 0, 0]], 0.2)
    expect(policy, np.array([[0.05, 0.85, 0.05, 0.05], [0.05, 0.85, 0.05, 0.05], [0.1, 0.1, 0.1, 0.7]]), call + "the policy")
    expect(sums, np.array([[0.05, 0.9, 0.95, 1], [0.05, 0.9, 0.95, 1], [0.1, 0.2, 0.3, 1]]), call + "the sums")


def improve_unseen(get):
    """One return in a state is enough; the best of q, tried or not"""
    policy, _ = improved(get, [[-5, -4, 0], [-5, 4, 0], [2, 2, 1]], [[1, 1, 0], [0, 7, 0], [1, 2, 3]], 0.3)
    expect(policy, np.array([[0.1, 0.1, 0.8], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]]), "improve, q = [[-5, -4, 0], [-5, 4, 0], [2, 2, 1]], count = [[1, 1, 0], [0, 7, 0], [1, 2, 3]], epsilon = .3:\nthe policy")


def improve_properties(get):
    """epsilon 0 and 1; the last sum is exactly 1"""
    rng = np.random.default_rng(0)
    q = rng.standard_normal((5, 7))
    expect(improved(get, q, np.ones((5, 7)), 0.0)[0], np.eye(7)[q.argmax(axis=1)], "improve with epsilon = 0: the policy")
    expect(improved(get, q, np.ones((5, 7)), 1.0)[0], np.full((5, 7), 1 / 7), "improve with epsilon = 1: the policy")
    for epsilon in (0.1, 0.3, 0.7):
        policy, sums = improved(get, q, np.ones((5, 7)), epsilon)
        expect(policy.sum(axis=1), np.ones(5), f"the row sums of the policy after improve, epsilon = {epsilon}")
        expect(sums, np.cumsum(policy, axis=1), f"the sums after improve, epsilon = {epsilon}")
        if (sums[:, -1] != 1).any():
            raise Failed(f"the last column of the sums after improve with 7 actions, epsilon = {epsilon}\nexpected exactly 1\n"
                         f"got      {sums[sums[:, -1] != 1][0, -1]!r}: a random number above it would pick an action that is none")  # fmt: skip


def probe_improve(f, get):
    """Policies and sums of three small tables; and whether the last sum is exactly 1."""
    out = []
    for q, count, epsilon in (([[1, 3, 3, 0], [-2, -1, -4, -3], [5, 0, 0, 0]], [[1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 0, 0]], 0.2),
                              ([[-5, -4, 0], [-5, 4, 0]], [[1, 1, 0], [0, 7, 0]], 0.3), (np.arange(7)[None], np.ones((1, 7)), 0.1)):  # fmt: skip
        q, count, policy, sums = tables_for(q, count)
        f(q, count, epsilon, policy, sums)
        out += [policy.ravel(), sums.ravel(), sums[:, -1] == 1]
    return np.concatenate(out)


SPLIT = "policy[s, a] = epsilon / A + (1 - epsilon if a == best else 0.0)"
BETTER = "best, seen = a if q[s, a] > q[s, best] else best, seen or count[s, a] > 0"
IMPROVE = Exercise(
    id="mc-improve",
    title="better, and still trying everything",
    target="rl.monte_carlo:improve",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="rl/monte_carlo.py down to `learn`; `pick` in rl/episodes.py",
    task="q (S, A) are mean returns, count (S, A) how many each is made of. For every state with at least one return (of any "
         "action) make the policy (S, A) the epsilon-greedy one of q, in place: with probability 1 - epsilon the best action, else any of "
         "the A actions, all alike. Of several best actions take the first; q counts as it stands, also where an action has no "
         "return. Write the policy's sums along the actions into sums (S, A): the last one must be exactly 1, since `pick` compares a "
         "random number below 1 with it. States without any return keep both rows. q and count stay as they are. It is "
         "compiled: plain loops; nothing is returned.",
    formula=("π(a|s) ← 1 − ε + ε / |A| for the best action (of several the first), ε / |A| for all others. (Zhao, equation 5.4)",),
    check=(improve_by_hand, improve_unseen, improve_properties),
    probe=probe_improve,
    hints=(
        "With probability epsilon any action is taken. How likely is the best one then in all?",
        "pi(a|s) = 1 - epsilon + epsilon / A for the best action, epsilon / A for each other one.",
        "for s: best = the first a with the largest q[s, a]; if some count[s, a] > 0: for a: policy[s, a] = epsilon / A, plus 1 - "
        "epsilon if a is best; add up into sums[s, a]; sums[s, A - 1] = 1",
    ),
    why="Ten numbers of .1 add up to .9999999999999999, and `pick` would then find an eleventh action once in 10^16 draws, outside of "
        "the table. Plain loops, as argmax and cumsum cost numba seconds of compiling.",
    wrong={
        "rest_to_the_others": (((SPLIT, "policy[s, a] = 1 - epsilon if a == best else epsilon / (A - 1)"),), "epsilon is shared by the A - 1 other actions: exploring may pick the best one, too."),
        "keeps_1_minus_epsilon": (((SPLIT, "policy[s, a] = 1 - epsilon if a == best else epsilon / A"),), "the best action has 1 - epsilon alone: exploring may pick it, too, so it gets epsilon / A more."),
        "exchanged": (((SPLIT, "policy[s, a] = (1 - epsilon) / A + (epsilon if a == best else 0.0)"),), "epsilon and 1 - epsilon are exchanged."),
        "greedy": (((SPLIT, "policy[s, a] = 1.0 if a == best else 0.0"),), "it never explores: epsilon is not used."),
        "last_of_ties": ((("q[s, a] > q[s, best]", "q[s, a] >= q[s, best]"),), "of several best actions this takes the last: the first was asked for."),
        "without_returns": ((("if seen:", "if True:"),), "a state without any return is changed, too: nothing is known of it, so it keeps its policy."),
        "all_must_be_tried": ((("best, seen = 0, False", "best, seen = 0, True"), ("seen or count[s, a] > 0", "seen and count[s, a] > 0")), "a state is left alone unless *all* its actions have returns: one is enough."),
        "only_tried_actions": ((("best, seen = 0, False", "best, seen = -1, False"), (BETTER, "best, seen = a if count[s, a] > 0 and (best < 0 or q[s, a] > q[s, best]) else best, seen or count[s, a] > 0")),
                               "actions without a return are passed over: q counts as it stands, so an untried 0 may be the best."),
        "sums_stay": ((("                sums[s, a] = total if a < A - 1 else 1.0\n", ""),), "the sums stay as they were: `pick` goes on playing the old policy."),
        "sums_not_cumulative": ((("sums[s, a] = total if", "sums[s, a] = policy[s, a] if"),), "the sums hold the probabilities themselves: they must be added up."),
        "sum_of_rounding": ((("total if a < A - 1 else 1.0", "total"),), "the last sum is 1 up to rounding only: it must be exactly 1."),
        "worst": ((("q[s, a] > q[s, best]", "q[s, a] < q[s, best]"),), "it takes the worst action."),
    },
    right={
        "numpy": """\
def improve(q, count, epsilon, policy, sums):
    S, A = q.shape
    for s in range(S):
        if count[s].max() > 0:
            policy[s] = epsilon / A
            policy[s, q[s].argmax()] += 1 - epsilon
            sums[s] = np.cumsum(policy[s])
            sums[s, A - 1] = 1
""",
        "while": """\
def first_best(row):
    best = 0
    for a in range(row.size - 1, -1, -1):
        if row[a] >= row[best]:
            best = a
    return best


first_best = jit(first_best, flags=())


def improve(q, count, epsilon, policy, sums):
    for s in range(len(q)):
        n = 0.0
        for c in count[s]:
            n += c
        if n == 0:
            continue
        best, each, below = first_best(q[s]), epsilon / q.shape[1], 0.0
        for a in range(q.shape[1]):
            policy[s, a] = 1 - each * (q.shape[1] - 1) if a == best else each
            below = below + policy[s, a]
            sums[s, a] = below
        sums[s, -1] = 1.0
""",
    },
)  # fmt: skip

# ---- weighted importance sampling

RATIOS = np.array([0.5, 2.0, 4.0, 0.25, 3.0, 0.0, 2.0])


def weighted_by_hand(get):
    """By hand: two episodes of two and three steps"""
    f = get("answer:weighted_values")
    got = f(np.array([0, 1, 1, 0, 1]), np.array([2.0, 3, 0.5, 4, 1]), np.array([1.0, 2, 4, 8, 16]), np.array([False, True, False, False, True]), 0.5, 3)
    v0 = (6 * (1 + 1) + 4 * (8 + 8)) / (6 + 4)
    v1 = (3 * 2 + 2 * (4 + 4 + 4) + 1 * 16) / (3 + 2 + 1)
    expect(got, np.array([v0, v1, 0]), "weighted_values(states=[0, 1, 1, 0, 1], ratios=[2, 3, .5, 4, 1], rewards=[1, 2, 4, 8, 16], last=[0, 1, 0, 0, 1],\ngamma=.5, n_states=3)")


def weighted_properties(get):
    """All ratios 1: the plain mean of all visits. A single return is believed at once. Weights of 0"""
    f, same = get("answer:weighted_values"), np.ones(7)
    g = [returns_of(REWARDS, 0.5, t, 3 if t < 4 else 6) for t in range(7)]
    want = np.array([np.mean([g[t] for t in range(7) if STATES[t] == s]) for s in range(3)])
    expect(f(STATES, same, REWARDS, LAST, 0.5, 3), want, "weighted_values of two episodes with all ratios 1: the mean return of all visits; it")
    expect(f(np.array([1]), np.array([0.01]), np.array([7.0]), np.array([True]), 0.9, 2), np.array([0.0, 7]), "weighted_values of one step in state 1 with ratio .01 that pays 7")
    expect(f(np.array([1, 0]), np.array([5.0, 0]), np.array([7.0, 7]), np.array([False, True]), 0.9, 2), np.zeros(2), "weighted_values of an episode whose last step has ratio 0: no weight at all; it")


def weighted_by_definition(get):
    """Against the sums written out, on random episodes"""
    rng = np.random.default_rng(0)
    states, rewards, ratios, last = rng.integers(4, size=40), rng.standard_normal(40), rng.uniform(0, 2, 40), rng.random(40) < 0.2
    last[-1] = True
    top, below = np.zeros(4), np.zeros(4)
    for t in range(40):
        end = t + int(np.argmax(last[t:]))
        rho = np.prod(ratios[t : end + 1])
        top[states[t]] += rho * returns_of(rewards, 0.9, t, end)
        below[states[t]] += rho
    expect(get("answer:weighted_values")(states, ratios, rewards, last, 0.9, 4), top / below, f"weighted_values of 40 random steps in {last.sum()} episodes, gamma = .9,")


def probe_weighted(f, get):
    """Four states, one of them without a visit; then weights that sum to less than 1. No number counts as -99."""
    few = f(np.zeros(3, int), 0.3 * RATIOS[:3], REWARDS[:3], LAST[4:], 0.9, 1)
    return np.nan_to_num(np.append(f(STATES, RATIOS[::-1], REWARDS, LAST, 0.5, 4), few), nan=-99)


WEIGHTED = Exercise(
    id="weighted-importance",
    title="the returns of somebody else",
    target="answer:weighted_values",
    kind="variant",
    minutes=25,
    difficulty=2,
    read="`learn` and importance_sampling in rl/monte_carlo.py, which do it for q",
    task="Episodes of a policy b, one after the other: states (N,) integers, rewards (N,), last (N,) true at the last step of each "
         "(the final entry is always true), and ratios (N,): pi(a|s) / b(a|s) for the action that was taken at each step. What would "
         "the states be worth under pi? Each visit of a state (all count) has a return g and a weight rho: the product of the "
         "ratios of all steps from this one, *itself included*, to the end of its episode. Return the weighted importance sampling "
         "estimate (n_states,) float64: sum of rho g over sum of rho; 0 where the weights sum to 0.",
    answer='''\
import numpy as np


def weighted_values(states, ratios, rewards, last, gamma, n_states):
    """(N,) integers, (N,), (N,), (N,) booleans, number, int -> (n_states,)"""
    total, weight = np.zeros(n_states), np.zeros(n_states)
    g, rho = 0.0, 1.0
    for t in range(len(states))[::-1]:
        if last[t]:
            g, rho = 0.0, 1.0
        rho = rho * ratios[t]
        g = rewards[t] + gamma * g
        total[states[t]] += rho * g
        weight[states[t]] += rho
    return total / np.where(weight > 0, weight, 1)
''',
    check=(weighted_by_hand, weighted_properties, weighted_by_definition),
    probe=probe_weighted,
    equivalent={"0.0 -> 0.03": "the last step is always the end of an episode, where both begin anew", "1.0 -> 1.03": "as above",
                "1 -> 2": "where the weights sum to 0, so does what is divided"},
    hints=(
        "The action in s itself was b's choice, too. When a *pair* is given it is no longer a choice; is a state's?",
        "V(s) = sum rho g / sum rho with rho_t = product over k = t ... T - 1 of pi(a_k|s_k) / b(a_k|s_k).",
        "for t backwards: at the last step of an episode g = 0, rho = 1; then rho *= ratios[t]; g = rewards[t] + gamma g; "
        "total[s] += rho g; weight[s] += rho. Return total / weight, 0 where weight is 0",
    ),
    why="For q the library multiplies the ratio in *after* the pair was used: q asks what follows a given action. For v the action is "
        "still open, so its ratio belongs to the weight. With one return the weighted mean is that return, whatever its weight.",
    wrong={
        "own_ratio_left_out": ((("        rho = rho * ratios[t]\n", ""), ("        weight[states[t]] += rho\n", "        weight[states[t]] += rho\n        rho = rho * ratios[t]\n")),
                               "the ratio of the step itself is left out: that is right for q(s, a), where the action is given; for v(s) it was "
                               "b's choice."),
        "ordinary": ((("weight[states[t]] += rho", "weight[states[t]] += 1"),), "this is *ordinary* importance sampling: the sum is divided by the number of visits, not by the sum of the weights."),
        "unweighted": ((("total[states[t]] += rho * g", "total[states[t]] += g"), ("weight[states[t]] += rho", "weight[states[t]] += 1")), "the ratios are not used: these are values of b."),
        "weights_run_on": ((("            g, rho = 0.0, 1.0\n", "            g = 0.0\n"),), "the product runs on into the episode before: at the last step of an episode it begins at 1."),
        "returns_run_on": ((("            g, rho = 0.0, 1.0\n", "            rho = 1.0\n"),), "the return runs over the end of an episode into the next one."),
        "single_ratio": ((("rho = rho * ratios[t]", "rho = ratios[t]"),), "only the ratio of the step itself counts: all steps from there to the end do."),
        "ratios_of_the_past": ((("        rho = rho * ratios[t]\n", "        begin = t - int(np.argmax(np.append(last[:t][::-1], True)))\n        rho = np.prod(ratios[begin : t + 1])\n"),),
                               "the product runs from the beginning of the episode to this step: the ratios of what *followed* count."),
        "whole_episode": ((("        rho = rho * ratios[t]\n", "        begin, end = t - int(np.argmax(np.append(last[:t][::-1], True))), t + int(np.argmax(last[t:]))\n        rho = np.prod(ratios[begin : end + 1])\n"),),
                          "every visit has the weight of its whole episode: what was done before does not matter for the return from here on."),
        "inverted": ((("rho * ratios[t]", "rho / max(ratios[t], 1e-9)"),), "pi / b is inverted."),
        "forgets_gamma": ((("rewards[t] + gamma * g", "rewards[t] + g"),), "gamma is missing."),
        "weighs_rewards": ((("        g = rewards[t] + gamma * g\n        total[states[t]] += rho * g\n", "        g = rho * rewards[t] + gamma * g\n        total[states[t]] += g\n"),), "each reward gets the weight of its own step: the whole return has that of the visit."),
        "mean_of_nothing": ((("np.where(weight > 0, weight, 1)", "np.maximum(weight, 1)"),), "small sums of weights are replaced by 1: only where they are 0 is there nothing to divide."),
        "nan": ((("total / np.where(weight > 0, weight, 1)", "np.divide(total, weight, out=np.full(n_states, np.nan), where=weight > 0)"),), "a state without weight should have 0: it is no number here."),
    },
    right={
        "incremental": """\
import numpy as np


def weighted_values(states, ratios, rewards, last, gamma, n_states):
    v, c = np.zeros(n_states), np.zeros(n_states)
    g, w = 0.0, 1.0
    for s, ratio, r, end in zip(states[::-1], ratios[::-1], rewards[::-1], last[::-1]):
        g, w = (r, ratio) if end else (r + gamma * g, w * ratio)
        if w > 0:
            c[s] += w
            v[s] += w / c[s] * (g - v[s])
    return v
""",
        "by_episode": """\
import numpy as np


def weighted_values(states, ratios, rewards, last, gamma, n_states):
    top, bottom = np.zeros(n_states), np.zeros(n_states)
    for part in np.split(np.arange(len(states)), np.flatnonzero(last)[:-1] + 1):
        rho = np.cumprod(ratios[part][::-1])[::-1]
        steps = np.arange(len(part))
        ahead = steps[None, :] - steps[:, None]
        g = np.where(ahead >= 0, float(gamma) ** np.maximum(ahead, 0), 0.0) @ rewards[part]
        np.add.at(top, states[part], rho * g)
        np.add.at(bottom, states[part], rho)
    return np.divide(top, bottom, out=np.zeros(n_states), where=bottom != 0)
""",
    },
)  # fmt: skip

# ---- a product that begins one step too soon

PLAY = np.array([0, 1, 1, 0, 1, 2]), np.array([0, 1, 0, 0, 1, 0]), np.array([1.0, 2, 4, 8, 16, 32])  # s, a, r; (0, 0) and (1, 1) come twice
RATIO = np.array([[0.5, 2.0], [3.0, 0.25], [1.5, 0.0]])
ZERO = np.array([[0.5, 2.0], [0.0, 0.25], [1.5, 0.0]])


def learned(f, get, visit, weighted, ratio=RATIO, alpha=0.0, before=None):
    """(q, count) after the episode PLAY of six steps, gamma = .5."""
    q, count = (np.zeros((3, 2)), np.zeros((3, 2))) if before is None else (before[0].copy(), before[1].copy())
    f(visit, weighted, alpha, get("rl.monte_carlo:Episode")(*(x.copy() for x in PLAY)), 6, 0.5, np.array(ratio), q, count)
    return q, count


def wanted(visit, weighted, ratio, alpha=0.0, before=None):
    """The same in plain Python, from the definition; later visits first, as the code does it."""
    (states, actions, rewards), pairs = PLAY, list(zip(PLAY[0].tolist(), PLAY[1].tolist()))
    q, count = (np.zeros((3, 2)), np.zeros((3, 2))) if before is None else (before[0].copy(), before[1].copy())
    for t in range(5, -1, -1):
        if visit == 0 and t > 0 or visit == 1 and pairs[t] in pairs[:t]:
            continue
        g, rho = returns_of(rewards, 0.5, t, 5), np.prod([ratio[pair] for pair in pairs[t + 1 :]])
        count[pairs[t]] += rho if weighted else 1
        if weighted and rho > 0:
            q[pairs[t]] += rho / count[pairs[t]] * (g - q[pairs[t]])
        if not weighted:
            q[pairs[t]] += max(1 / count[pairs[t]], alpha) * (rho * g - q[pairs[t]])
    return q, count


def learn_last(get):
    """By hand: an episode of one step. The pair is given, so nothing is to be reweighted"""
    episode = get("rl.monte_carlo:Episode")(np.array([1]), np.array([0]), np.array([7.0]))
    for ratio in (0.0, 0.5, 3.0):
        for weighted, name in ((False, "ordinary"), (True, "weighted")):
            q, count = np.zeros((2, 2)), np.zeros((2, 2))
            get("rl.monte_carlo:learn")(2, weighted, 0.0, episode, 1, 0.9, np.full((2, 2), ratio), q, count)
            call = f"learn, every visit, {name}, one step: state 1, action 0, pays 7; ratio pi / b = {ratio} everywhere:"
            expect(q, np.array([[0, 0], [7.0, 0]]), f"{call} q")
            expect(count, np.array([[0, 0], [1.0, 0]]), f"{call} count")


def learn_definition(get):
    """Six steps, in which pairs come twice, against the definition; on nothing and on what was learned before"""
    before = np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([[2.0, 3], [1, 4], [2, 2]])
    for visit, name in enumerate(("initial", "first", "every")):
        for weighted, how in ((False, "ordinary"), (True, "weighted")):
            for ratio, which in ((np.ones((3, 2)), "1 everywhere"), (RATIO, "[[.5, 2], [3, .25], [1.5, 0]]"), (ZERO, "[[.5, 2], [0, .25], [1.5, 0]]")):
                for start in (None, before):
                    got, want = learned(get("rl.monte_carlo:learn"), get, visit, weighted, ratio, 0.0, start), wanted(visit, weighted, ratio, 0.0, start)
                    for g, w, part in zip(got, want, ("q", "count")):
                        expect(g, w, f"learn, {name} visit, {how}, states 0 1 1 0 1 2, actions 0 1 0 0 1 0, rewards 1 2 4 8 16 32, gamma = .5,\nratio {which}: {part}")


def learn_alpha(get):
    """The least step size is for the ordinary mean alone"""
    for weighted, how in ((False, "ordinary"), (True, "weighted")):
        got, want = learned(get("rl.monte_carlo:learn"), get, 2, weighted, RATIO, 0.75), wanted(2, weighted, RATIO, 0.75)
        expect(got[0], want[0], f"learn, every visit, {how}, the same six steps, alpha = .75: q")


def learn_long(get):
    """Fifty states in a row: each visit is a first one"""
    episode = get("rl.monte_carlo:Episode")(np.arange(50), np.zeros(50, int), np.ones(50))
    q, count = np.zeros((50, 1)), np.zeros((50, 1))
    get("rl.monte_carlo:learn")(1, False, 0.0, episode, 50, 0.5, np.ones((50, 1)), q, count)
    expect(count, np.ones((50, 1)), "learn, first visit, states 0 ... 49, one after the other: count")
    expect(q[:, 0], 2 - 0.5 ** np.arange(49, -1, -1), "learn, first visit, states 0 ... 49, each step pays 1, gamma = .5: q")


def probe_learn(f, get):
    """All three kinds of visits, ordinary and weighted, with a ratio of 0 on the way and without."""
    out = [learned(f, get, visit, weighted, ratio, 0.0) for visit in (0, 1, 2) for weighted in (False, True) for ratio in (RATIO, ZERO)]
    return np.concatenate([np.ravel(x) for x in out])


def learn_symptom(get):
    """The 3 x 3 grid, ended by its target: values of the best policy from episodes of its epsilon-greedy form."""
    mdps, mc = get("rl.mdp"), get("rl.monte_carlo")
    env = get("rl.envs.grid_world:GridWorld")("...\n..#\n#.G", target_terminal=True, max_episode_steps=100)
    mdp = env.mdp()
    best = get("rl.dynamic_programming:policy_iteration")(mdp, 0.9)
    want, own = mdps.action_values(mdp, best.values, 0.9)[:8], best.policy[:8] == 1
    target, behaviour, rng = best.policy, mdps.soften(best.policy, 0.5), np.random.default_rng(0)
    results, shown, errors = None, np.unique(np.geomspace(20, 20_000, 20).astype(int)), []
    for n in np.diff(shown, prepend=0):
        results = mc.importance_sampling(env, target, behaviour, 0.9, n, before=results, rng=rng)
        errors.append(np.sqrt(((results.q[:8] - want) ** 2).mean()))
    ordinary = mc.importance_sampling(env, target, behaviour, 0.9, 20_000, weighted=False, rng=np.random.default_rng(0)).q[:8]
    q = results.q[:8]
    return {
        "figures": {"own actions, exact mean of q": want[own].mean(), "own actions, weighted": q[own].mean(), "own actions, ordinary": ordinary[own].mean(),
                    "other actions, exact mean of q": want[~own].mean(), "other actions, weighted": q[~own].mean()},
        "x": shown, "y": errors, "xlabel": "episodes", "ylabel": "root mean square error of q, weighted (units of reward)", "log": "x",
    }  # fmt: skip


PRODUCT = "        rho *= ratio[s, a]\n"
RETURN = "        g = episode.reward[t] + gamma * g\n"
ORDER = ",   q ← q + (ρ g − q) / n,   ρ ← ρ π(a|s) / b(a|s)"
OWN = Exercise(
    id="bug-own-ratio",
    title="right about everything that it would do anyhow",
    target="rl.monte_carlo:learn",
    kind="spot the bug",
    minutes=20,
    difficulty=2,
    read="importance_sampling in rl/monte_carlo.py; Sutton & Barto, sections 5.5 to 5.7",
    task="Does it matter whose episodes one learns from? In a 3 x 3 grid that ends at its target, q of the best policy was "
         "estimated from 20,000 episodes of its epsilon-greedy form, epsilon = .5. Weighted importance sampling gives .8598 as the mean over "
         "the actions that the best policy takes, which is exact. But q of every other action is 0, as if it had never been tried "
         "(their exact mean is .2585): nobody could better a policy with that. And the ordinary estimate for the policy's own "
         "actions is 1.43, five thirds of what is true.\nMend `learn`: it puts the returns of the first T steps of `episode` into "
         "q and count, (S, A) floats, in place, from the last step to the first. visit: INITIAL, FIRST or EVERY, which visits of a "
         "pair count. ratio[s, a] = pi(a|s) / b(a|s), pi the policy that is asked about, b the one that played. With rho the weight of "
         "a return g: ordinary (weighted false), count grows by 1 and q moves towards rho g by max(1 / count, alpha) of the "
         "way; weighted, count grows by rho, and if rho > 0, q moves towards g by rho / count of the way. It is compiled: plain "
         "loops.",
    check=(learn_last, learn_definition, learn_alpha, learn_long),
    probe=probe_learn,
    hints=(
        "q(s, a) is what follows when a *is* taken in s. How much likelier does the target policy make that this a is taken, and does it matter?",
        "rho_t = product over k = t + 1 ... T - 1 of pi(a_k|s_k) / b(a_k|s_k): the steps *after* the pair.",
        "for t backwards: g = r + gamma g; if the visit counts, put g with the weight rho into the mean; only then rho *= ratio[s, a]",
    ),
    why="For state values the product begins with the step itself, for pairs one step later; formulas are copied from one to the other. "
        "In the weighted mean the factor cancels wherever it is not 0, so only the actions that the target avoids tell, and those are what "
        "a policy is bettered with.",
    bug="own_ratio",
    equivalent={"0 -> 1": "`first` is read for first visits only, so for the others its size is all one",
                "1 -> 2": "a range from -2 down to -1 is as empty as one from -1"},
    symptom=learn_symptom,
    wrong={
        "own_ratio": (((ORDER, ",   q ← q + (ρ g − q) / n"), ("\n" + PRODUCT, "\n"), (RETURN, RETURN + PRODUCT)), ""),
        "only_where_counted": ((("\n" + PRODUCT, "\n    " + PRODUCT),), "the product takes in counted visits only: every step that follows belongs to it, counted or not."),
        "not_reweighted": ((("\n" + PRODUCT, "\n"),), "rho stays 1: the behaviour's own values come out."),
        "single": ((("rho *= ratio", "rho = ratio"),), "rho is the ratio of the next step alone: it is a product over all that follow."),
        "inverted": ((("rho *= ratio[s, a]", "rho /= max(ratio[s, a], 1e-9)"),), "pi / b is inverted."),
        "normalised": ((("(rho * g - q[s, a])", "rho * (g - q[s, a])"),), "the ordinary mean is of rho g over all visits; here q is drawn to g with the weight rho, and rho = 0 changes nothing."),
        "weighs_rewards": ((("\n" + PRODUCT, "\n"), (RETURN, "        g = episode.reward[t] + gamma * ratio[s, a] * g\n")), "the ratio of the pair is multiplied into its own return: it belongs to the step before."),
        "stops_early": (((PRODUCT, PRODUCT + "        if rho == 0:\n            break\n"),), "where rho is 0 the ordinary mean still counts a return of 0: only the weighted one may stop there."),
        "counts_visits": ((("count[s, a] += rho", "count[s, a] += 1"),), "the weighted mean is divided by the sum of the weights, not by the number of visits."),
        "last_of_all": ((("first[s, a] == t", "first[s, a] != t"),), "the product is right now, but the first visits are the ones left out."),
    },
    right={
        "forwards": """\
def learn(visit, weighted, alpha, episode, T, gamma, ratio, q, count):
    g, rho = np.zeros(T + 1), np.ones(T + 1)
    for t in range(T - 1, -1, -1):
        g[t] = episode.reward[t] + gamma * g[t + 1]
        rho[t] = ratio[episode.state[t], episode.action[t]] * rho[t + 1]
    for t in range(T - 1, -1, -1):
        s, a = episode.state[t], episode.action[t]
        counts = visit == 2 or t == 0
        if visit == 1 and t > 0:
            counts = True
            for k in range(t):
                if episode.state[k] == s and episode.action[k] == a:
                    counts = False
        if counts and weighted:
            count[s, a] += rho[t + 1]
            if rho[t + 1] > 0:
                q[s, a] += (g[t] - q[s, a]) * rho[t + 1] / count[s, a]
        elif counts:
            count[s, a] += 1.0
            step = max(alpha, 1.0 / count[s, a])
            q[s, a] = (1 - step) * q[s, a] + step * rho[t + 1] * g[t]
""",
        "after": """\
def learn(visit, weighted, alpha, episode, T, gamma, ratio, q, count):
    first = np.full(q.shape, T)
    for t in range(T):
        s, a = episode.state[t], episode.action[t]
        first[s, a] = min(first[s, a], t)
    g, rho = 0.0, 1.0
    for t in range(T - 1, -1, -1):
        s, a = episode.state[t], episode.action[t]
        if t < T - 1:
            rho *= ratio[episode.state[t + 1], episode.action[t + 1]]
        g = episode.reward[t] + gamma * g
        if (visit == 0 and t > 0) or (visit == 1 and first[s, a] != t):
            continue
        weight = rho if weighted else 1.0
        count[s, a] += weight
        if weight > 0:
            aim = g if weighted else rho * g
            step = weight / count[s, a]
            if not weighted and step < alpha:
                step = alpha
            q[s, a] += step * (aim - q[s, a])
""",
    },
)  # fmt: skip

EXERCISES = (FIRST, IMPROVE, WEIGHTED, OWN)
