r"""Exercises around returns: of whole episodes, of a policy that explores, of all n at once, and how well a mean is known."""

import numpy as np

from .exercise import Exercise, Failed, expect
from .rl_variants import by_definition

# ---- rewards to go


def togo_by_hand(get):
    """By hand: two episodes, one after the other"""
    f, r = get("answer:rewards_to_go"), np.array([1.0, 2.0, 4.0, 10.0, 20.0])
    got = f(r, np.array([False, False, True, False, True]), 0.5)
    expect(got, np.array([3.0, 4.0, 4.0, 20.0, 20.0]), "rewards_to_go([1, 2, 4, 10, 20], last=[0, 0, 1, 0, 1], gamma=.5)")
    expect(f(r, np.array([False, False, True, False, True]), 1.0), np.array([7.0, 6.0, 4.0, 30.0, 20.0]), "the same with gamma = 1")
    expect(r, np.array([1.0, 2.0, 4.0, 10.0, 20.0]), "the rewards after rewards_to_go: they must stay as they are; they")


def togo_definition(get):
    """Against the sums written out; episodes of one step; gamma 0"""
    rng = np.random.default_rng(0)
    r, last = rng.standard_normal(40), rng.random(40) < 0.2
    last[[0, 39]] = True
    for gamma in (0.0, 0.9, 1.0):
        want = np.zeros(40)
        for t in range(40):
            end = t + np.argmax(last[t:])
            want[t] = sum(gamma ** (k - t) * r[k] for k in range(t, end + 1))
        expect(get("answer:rewards_to_go")(r, last, gamma), want, f"rewards_to_go of 40 random rewards in {last.sum()} episodes, gamma = {gamma},")
    expect(get("answer:rewards_to_go")(np.array([3, 4]), np.array([True, True]), 0.5), np.array([3.0, 4.0]), "rewards_to_go of the integers [3, 4], two episodes of one step,")


TOGO = Exercise(
    id="rewards-to-go",
    title="the return from every step on",
    target="answer:rewards_to_go",
    kind="variant",
    minutes=15,
    difficulty=1,
    read="gradient_monte_carlo in rl/linear_value.py",
    task="Several episodes lie one after the other: rewards (N,), last (N,) true at the last step of each (the final entry is "
         "always true). Return (N,) float64: from each step on, the discounted sum of the rewards of *its* episode, r_t + "
         "gamma r_{t+1} + ... The given arrays stay as they are.",
    answer='''\
import numpy as np


def rewards_to_go(rewards, last, gamma):
    """(N,), (N,) booleans, number -> (N,)"""
    out = np.zeros(len(rewards))
    g = 0.0
    for t in range(len(rewards))[::-1]:
        g = rewards[t] + gamma * g * (not last[t])
        out[t] = g
    return out
''',
    check=(togo_by_hand, togo_definition),
    equivalent={"0.0 -> 0.03": "the last step is always the end of an episode, so the first g counts nothing"},
    probe=lambda f, get: np.concatenate([f(np.array(r), np.array([False, False, True, False, True]), 0.5) for r in ([1.0, 2.0, 4.0, 10.0, 20.0], [1, 2, 3, 4, 7])]),
    hints=(
        "Which step's return is known at once, and which one next?",
        "G_t = r_t + gamma G_{t+1}, and G after the last step of an episode is 0.",
        "g = 0; for t from the end to the beginning: if last[t]: g = 0; g = rewards[t] + gamma * g; out[t] = g",
    ),
    why="One pass from the end costs N additions; the sums written out cost N^2. REINFORCE and Monte Carlo both begin with "
        "this line.",
    wrong={
        "type_of_rewards": ((("np.zeros(len(rewards))", "np.zeros_like(rewards)"),), "the result has the type of the rewards: integers swallow the discounted part."),
        "normalised": ((("    return out\n", "    return (out - out.mean()) / out.std()\n"),), "the returns are normalised: the sums themselves were asked for."),
        "from_the_start": ((("        out[t] = g\n", "        out[t] = g\n    out = np.array([out[t - np.argmax(np.append(last[:t][::-1], True))] for t in range(len(out))])\n"),), "each step gets the return of its whole episode: only rewards from that step on count."),
        "runs_over_ends": (((" * (not last[t])", ""),), "the return runs over the end of an episode into the next one."),
        "forgets_gamma": (((" + gamma * g", " + g"),), "gamma is missing."),
        "forwards": ((("range(len(rewards))[::-1]", "range(len(rewards))"),), "it runs forwards: these are sums of the past, not of what is to come."),
        "one_late": ((("        out[t] = g\n", "        out[t] = gamma * g\n"),), "the first reward is discounted, too: the return starts with r_t itself."),
        "resets_too_late": ((("rewards[t] + gamma * g * (not last[t])", "rewards[t] + gamma * g"), ("        out[t] = g\n", "        out[t] = g\n        g *= not last[t]\n")),
                            "g is set back after the last step was added, so that its reward is lost and the next episode's is "
                            "kept: do it before."),
        "rewards_only": ((("        out[t] = g\n", "        out[t] = rewards[t]\n"),), "only single rewards are returned: the sum is never stored."),
    },
    right={
        "by_episode": """\
import numpy as np


def rewards_to_go(rewards, last, gamma):
    out, first = np.array(rewards, float), 0
    for end in np.flatnonzero(last):
        for t in range(end - 1, first - 1, -1):
            out[t] += gamma * out[t + 1]
        first = end + 1
    return out
""",
        "matrix": """\
import numpy as np


def rewards_to_go(rewards, last, gamma):
    n, episode = len(rewards), np.cumsum(last) - last
    steps = np.arange(n)[None, :] - np.arange(n)[:, None]
    w = np.where((steps >= 0) & (episode[:, None] == episode[None, :]), float(gamma) ** np.maximum(steps, 0), 0.0)
    return w @ rewards
""",
    },
)  # fmt: skip

# ---- expected Sarsa


def expected_by_hand(get):
    """By hand: three actions, with and without a tie"""
    f = get("answer:expected_sarsa_target")
    call = "expected_sarsa_target(reward={}, q_next={}, terminated={}, gamma=.5, epsilon=.3)"
    expect(f(1.0, np.array([2.0, 8.0, 5.0]), False, 0.5, 0.3), 1 + 0.5 * (0.1 * 2 + 0.8 * 8 + 0.1 * 5), call.format(1, "[2, 8, 5]", False))
    expect(f(1.0, np.array([8.0, 8.0, 5.0]), False, 0.5, 0.3), 1 + 0.5 * (0.45 * 16 + 0.1 * 5), call.format(1, "[8, 8, 5]", False) + ": the first two tie; it")
    expect(f(1.0, np.array([2.0, 8.0, 5.0]), True, 0.5, 0.3), 1.0, call.format(1, "[2, 8, 5]", True))


def expected_ends(get):
    """epsilon = 0 is Q-learning's target, epsilon = 1 the plain mean"""
    rng = np.random.default_rng(0)
    for _ in range(5):
        q, r = rng.standard_normal(4), rng.standard_normal()
        expect(get("answer:expected_sarsa_target")(r, q, False, 0.9, 0.0), r + 0.9 * q.max(), "the target with epsilon = 0 (that of Q-learning)")
        expect(get("answer:expected_sarsa_target")(r, q, False, 0.9, 1.0), r + 0.9 * q.mean(), "the target with epsilon = 1 (all actions alike)")


EXPECTED = Exercise(
    id="expected-sarsa",
    title="the target of expected Sarsa",
    target="answer:expected_sarsa_target",
    kind="variant",
    minutes=15,
    difficulty=2,
    read="rl/linear_control.py, its docstring: Sarsa and Q-learning",
    task="Sarsa's target holds the value of the action that happens to come next; expected Sarsa takes the mean over what the "
         "epsilon-greedy policy might do. reward: a number; q_next (A,): the values of the actions in the next state; "
         "terminated: whether the world ended; gamma; epsilon. With probability 1 - epsilon the policy takes an action of the "
         "largest value (several that tie: all alike), else any of the A actions. Return the target, a number.",
    answer='''\
import numpy as np


def expected_sarsa_target(reward, q_next, terminated, gamma, epsilon):
    """number, (A,), bool, number, number -> number"""
    mean = (1 - epsilon) * np.max(q_next) + epsilon * np.mean(q_next)
    return reward + gamma * (1 - terminated) * mean
''',
    check=(expected_by_hand, expected_ends),
    probe=lambda f, get: [f(1.0, np.array([2.0, 8.0, 5.0]), False, 0.5, 0.3), f(1.0, np.array([8.0, 8.0, 5.0]), False, 0.5, 0.3), f(1.0, np.array([2.0, 8.0, 5.0]), True, 0.5, 0.3)],
    hints=(
        "The largest values tie. Does it matter for the mean which of them is taken?",
        "sum_a pi(a|s') Q(s', a) = (1 - epsilon) max Q + epsilon mean Q.",
        "mean = (1 - epsilon) * max(q_next) + epsilon * mean(q_next); return reward + gamma * (1 - terminated) * mean",
    ),
    why="Ties cost nothing: all the largest values are the same number. With epsilon = 0 it is Q-learning, so one line holds "
        "both.",
    wrong={
        "ties_count_fully": ((("(1 - epsilon) * np.max(q_next)", "(1 - epsilon) * np.sum(q_next[q_next == np.max(q_next)])"),), "each action that ties gets all of 1 - epsilon: they share it."),
        "exchanged": ((("(1 - epsilon) * np.max(q_next) + epsilon * np.mean(q_next)", "epsilon * np.max(q_next) + (1 - epsilon) * np.mean(q_next)"),), "epsilon and 1 - epsilon are exchanged."),
        "terminated_inverted": ((("(1 - terminated)", "terminated"),), "the flag is inverted: the future counts where the world has *not* ended."),
        "forgets_share_of_greedy": ((("epsilon * np.mean(q_next)", "epsilon * (np.sum(q_next) - np.max(q_next)) / len(q_next)"),), "the greedy action's own share of exploring, epsilon / |A|, is missing: the probabilities do not sum to 1."),
        "q_learning": ((("(1 - epsilon) * np.max(q_next) + epsilon * np.mean(q_next)", "np.max(q_next)"),), "this is Q-learning's target: the policy that explores is not asked."),
        "plain_mean": ((("(1 - epsilon) * np.max(q_next) + epsilon * np.mean(q_next)", "np.mean(q_next)"),), "all actions count alike: the greedy one is taken more often."),
        "bootstraps_through_terminal": (((" * (1 - terminated)", ""),), "it bootstraps through the end of the world."),
        "forgets_gamma": ((("gamma * (1 - terminated)", "(1 - terminated)"),), "gamma is missing."),
        "others_only": ((("epsilon * np.mean(q_next)", "epsilon * (np.sum(q_next) - np.max(q_next)) / (len(q_next) - 1)"),), "exploring is spread over the other actions only: it may pick the greedy one, too."),
        "sum_for_mean": ((("epsilon * np.mean(q_next)", "epsilon * np.sum(q_next)"),), "each action gets all of epsilon: it should be divided among them."),
        "discounts_reward": ((("reward + gamma", "gamma * reward + gamma"),), "the reward is discounted, too: it comes now."),
    },
    right={
        "policy": """\
import numpy as np


def expected_sarsa_target(reward, q_next, terminated, gamma, epsilon):
    if terminated:
        return reward
    q = np.asarray(q_next)
    greedy = (q == q.max()) / (q == q.max()).sum()
    pi = (1 - epsilon) * greedy + epsilon / len(q)
    return reward + gamma * (pi @ q)
""",
        "loop": """\
def expected_sarsa_target(reward, q_next, terminated, gamma, epsilon):
    best, total = max(q_next), 0.0
    ties = [a for a in range(len(q_next)) if q_next[a] == best]
    for a, q in enumerate(q_next):
        p = epsilon / len(q_next) + ((1 - epsilon) / len(ties) if a in ties else 0)
        total += p * q
    return reward if terminated else reward + gamma * total
""",
    },
)  # fmt: skip

# ---- the lambda-return


def lambda_by_hand(get):
    """By hand: two steps"""
    f, r, v = get("answer:lambda_returns"), np.array([1.0, 2.0]), np.array([10.0, 20.0, 30.0])
    call = "lambda_returns(rewards=[1, 2], values=[10, 20, 30], terminated={}, gamma=.5, lam=.4)"
    last = 2 + 0.5 * 30
    expect(f(r, v, False, 0.5, 0.4), np.array([0.6 * 11 + 0.4 * (1 + 0.5 * last), last]), call.format(False))
    expect(f(r, v, True, 0.5, 0.4), np.array([0.6 * 11 + 0.4 * (1 + 0.5 * 2), 2.0]), call.format(True))


def lambda_ends(get):
    """lambda = 0 is TD(0), lambda = 1 Monte Carlo"""
    rng = np.random.default_rng(0)
    r, v = rng.standard_normal(6), rng.standard_normal(7)
    for terminated in (True, False):
        for lam, n in ((0.0, 1), (1.0, 6)):
            want = by_definition(r, v, terminated, 0.9, n)
            expect(get("answer:lambda_returns")(r, v, terminated, 0.9, lam), want, f"lambda_returns of 6 steps, terminated={terminated}, lam={lam:.0f}")


def lambda_definition(get):
    """Against the weighted mean of all n-step targets"""
    rng = np.random.default_rng(1)
    T, lam = 6, 0.7
    r, v = rng.standard_normal(T), rng.standard_normal(T + 1)
    for terminated in (True, False):
        targets = [by_definition(r, v, terminated, 0.9, n) for n in range(1, T + 1)]
        want = np.zeros(T)
        for t in range(T):
            m = T - t
            want[t] = sum((1 - lam) * lam ** (n - 1) * targets[n - 1][t] for n in range(1, m)) + lam ** (m - 1) * targets[m - 1][t]
        expect(get("answer:lambda_returns")(r, v, terminated, 0.9, lam), want, f"lambda_returns of 6 steps, terminated={terminated}, gamma=.9, lam=.7")


LAMBDA = Exercise(
    id="lambda-return",
    title="all n at once: the lambda-return",
    target="answer:lambda_returns",
    kind="variant",
    minutes=30,
    difficulty=3,
    read="the exercise n-step-targets, if you did it; Sutton & Barto, section 12.1",
    task="An episode of T steps: rewards (T,), values (T + 1,) of the states 0 ... T, terminated: whether the world ended with "
         "the last step (else the last state's value counts). The lambda-return from step t is the mean of all n-step targets, "
         "n = 1, 2, ..., weighted by (1 - lam) lam^(n-1); the longest one, which reaches the end, gets all the weight that is "
         "left. Return (T,).",
    answer='''\
import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    """(T,), (T + 1,), bool, number, number -> (T,)"""
    T = len(rewards)
    out = np.zeros(T)
    g = (1 - terminated) * values[T]
    after = g
    for t in range(T)[::-1]:
        g = rewards[t] + gamma * ((1 - lam) * after + lam * g)
        out[t] = g
        after = values[t]
    return out
''',
    check=(lambda_by_hand, lambda_ends, lambda_definition),
    probe=lambda f, get: np.concatenate([f(np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 30.0, 40.0]), end, 0.5, 0.4) for end in (True, False)]),
    hints=(
        "The lambda-return from t + 1 on is known. What does one more step in front of it change?",
        "G_t = r_t + gamma [(1 - lam) v(s_{t+1}) + lam G_{t+1}], and G_T = v(s_T), or 0 if the world ended.",
        "g = after = 0 if terminated else values[T]; for t backwards: g = rewards[t] + gamma * ((1 - lam) * after + lam * g); "
        "out[t] = g; after = values[t]",
    ),
    why="Generalised advantage estimation (PPO) is this line minus v(s_t). lam = 0 is TD(0), lam = 1 is Monte Carlo.",
    wrong={
        "last_value_after_the_end": ((("    after = g\n    for", "    after = values[T]\n    for"),), "the one-step target of the last step still counts v(s_T), although the world has ended: only the start of the recursion was set to 0."),
        "longest_not_bootstrapped": ((("    after = g\n    for", "    after = g\n    g = 0.0\n    for"),), "the recursion starts from 0 instead of the last state's value: the longest target, which gets all the weight that is left, does not bootstrap."),
        "advantages": ((("        out[t] = g\n", "        out[t] = g - values[t]\n"),), "v(s_t) is subtracted: these are advantages (GAE), not returns."),
        "rest_is_lost": ("""\
import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    T, out = len(rewards), np.zeros(len(rewards))
    for t in range(T):
        for n in range(1, T - t + 1):
            end = t + n
            g = sum(gamma**k * rewards[t + k] for k in range(n)) + gamma**n * values[end] * (not (terminated and end == T))
            out[t] += (1 - lam) * lam ** (n - 1) * g
    return out
""",
                         "the longest target gets (1 - lam) lam^(n-1) like the others: the weights then do not sum to 1; it "
                         "gets all that is left."),
        "bootstraps_through_terminal": ((("(1 - terminated) * values[T]", "values[T]"),), "it bootstraps through the end of the world: after a terminated step nothing follows."),
        "never_the_last_value": ((("(1 - terminated) * values[T]", "0.0 * values[T]"),), "a stopped clock is taken for the end of the world."),
        "lam_exchanged": ((("((1 - lam) * after + lam * g)", "(lam * after + (1 - lam) * g)"),), "lam and 1 - lam are exchanged: lam = 0 must give TD(0)."),
        "value_of_now": ((("    for t in range(T)[::-1]:\n", "    for t in range(T)[::-1]:\n        after = values[t]\n"),), "the value of the state before the step stands where that of the state after it was meant."),
        "monte_carlo": ((("((1 - lam) * after + lam * g)", "g"),), "this is the Monte Carlo return: lam is not used."),
        "td": ((("((1 - lam) * after + lam * g)", "after"),), "this is the target of TD(0): lam is not used."),
        "lam_without_gamma": ((("gamma * ((1 - lam) * after + lam * g)", "((1 - lam) * gamma * after + lam * g)"),), "gamma belongs to both parts: what follows comes a step later."),
    },
    right={
        "errors": """\
import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    v = np.array(values, float)
    v[-1] *= 1 - terminated
    delta = rewards + gamma * v[1:] - v[:-1]
    advantage, total = np.zeros(len(delta)), 0.0
    for t in reversed(range(len(delta))):
        total = delta[t] + gamma * lam * total
        advantage[t] = total
    return advantage + v[:-1]
""",
        "recursion": """\
import numpy as np


def lambda_returns(rewards, values, terminated, gamma, lam):
    T = len(rewards)

    def G(t):
        if t == T:
            return 0.0 if terminated else values[T]
        v = values[t + 1] if t + 1 < T or not terminated else 0.0
        return rewards[t] + gamma * ((1 - lam) * v + lam * G(t + 1))

    return np.array([G(t) for t in range(T)])
""",
    },
)  # fmt: skip

# ---- a return, measured


class Chain:
    """A corridor: each step ends the episode with probability 1/4 (reward 4), else pays 1; or the clock stops after `limit` steps."""

    def __init__(self, limit, rng):
        self.limit, self.rng = limit, rng

    def reset(self, seed=None):
        """State 0."""
        self.t = 0
        return 0, {}

    def step(self, action):
        """(state, reward, terminated, truncated, info)"""
        self.t += 1
        end = bool(self.rng.random() < 0.25)
        return self.t, 4.0 if end else 1.0, end, not end and self.t == self.limit, {}


def chain_moments(limit, gamma):
    """Mean and standard deviation of the discounted return of Chain, by adding up all lengths."""
    p, g = [], []
    for n in range(1, limit + 1):
        before = sum(gamma**k for k in range(n - 1))
        p.append(0.75 ** (n - 1) * 0.25)
        g.append(before + gamma ** (n - 1) * 4)
    p.append(0.75**limit)
    g.append(sum(gamma**k for k in range(limit)))
    p, g = np.array(p), np.array(g)
    mean = p @ g
    return mean, np.sqrt(p @ (g - mean) ** 2)


def return_truth(get):
    """The true mean lies within four standard errors, for eight seeds"""
    for limit, gamma in ((50, 0.9), (3, 1.0)):
        mean, sd = chain_moments(limit, gamma)
        z = []
        for seed in range(8):
            env = Chain(limit, np.random.default_rng(seed))
            got = np.asarray(get("answer:measure")(env, lambda state: 0, gamma, 1000), float)
            expect(got.shape, (2,), "the shape of measure(env, policy, gamma, episodes): two numbers, mean and standard error; "
                                    "it")
            z.append((got[0] - mean) / (sd / np.sqrt(1000)))
        if np.abs(z).max() > 4.5 or abs(np.mean(z)) > 1.6:
            raise Failed(f"the mean return of 1000 episodes of a corridor (gamma = {gamma}, at most {limit} steps) over 8 seeds\n"
                         f"expected {mean:.4f} +- {sd / np.sqrt(8000):.4f}\ngot      {mean + np.mean(z) * sd / np.sqrt(1000):.4f}")  # fmt: skip


def return_error(get):
    """The standard error is that of the mean"""
    _, sd = chain_moments(50, 0.9)
    for episodes in (400, 1600):
        got = np.mean([get("answer:measure")(Chain(50, np.random.default_rng(s)), lambda state: 0, 0.9, episodes)[1] for s in range(5)])
        want = sd / np.sqrt(episodes)
        if not abs(got / want - 1) < 0.02 + 20 / episodes:
            raise Failed(f"the standard error of the mean return over {episodes} episodes\nexpected about {want:.4f}\ngot            {got:.4f}")


def return_policy(get):
    """The policy is asked about the state"""
    class World(Chain):
        def step(self, action):
            self.t += 1
            return 10 * self.t, float(action), self.t == 3, False, {}

    got = np.asarray(get("answer:measure")(World(9, None), lambda state: state + 1, 0.5, 2), float)
    expect(got, np.array([1 + 0.5 * 11 + 0.25 * 21, 0.0]), "measure in a world that pays the action, for three steps, policy(s) = s + 1, states 0, 10, 20, gamma = .5,", atol=1e-9)


def return_probe(f, get):
    """Means over 400 episodes; their errors only roughly: with N or with N - 1 is no mistake."""
    pairs = [np.asarray(f(Chain(4, np.random.default_rng(s)), lambda state: 0, 0.8, 400), float) for s in range(2)]
    return [part for mean, error in pairs for part in (mean, np.round(np.log(error), 1))]


RETURN = Exercise(
    id="measure-return",
    title="what is this policy worth? A mean and its error",
    target="answer:measure",
    kind="measure",
    minutes=25,
    difficulty=2,
    read="rl/envs/environment.py (the contract: reset, step); rl/evaluate.py",
    task="Play `episodes` episodes of env (Gymnasium's contract: reset() -> (state, info), step(action) -> (state, reward, "
         "terminated, truncated, info)) with action = policy(state). Return two numbers: the mean of the *discounted* returns "
         "r_1 + gamma r_2 + gamma^2 r_3 + ..., each summed until its episode terminates or is truncated, and the standard "
         "error of that mean (from the standard deviation with N or with N - 1).",
    answer='''\
import numpy as np


def measure(env, policy, gamma, episodes):
    """env, function, number, int -> (mean, standard_error)"""
    returns = np.zeros(episodes)
    for i in range(episodes):
        state, _ = env.reset()
        discount, done = 1.0, False
        while not done:
            state, reward, terminated, truncated, _ = env.step(policy(state))
            returns[i] += discount * reward
            discount *= gamma
            done = terminated or truncated
    return returns.mean(), returns.std() / np.sqrt(episodes)
''',
    check=(return_policy, return_truth, return_error),
    probe=return_probe,
    hints=(
        "You play four times as many episodes. By how much should the error of the mean fall, and by how much the spread of "
        "the returns?",
        "Standard error = standard deviation of the returns / sqrt(episodes). The k-th reward counts gamma^(k-1).",
        "for each episode: discount = 1; until terminated or truncated: return += discount * reward; discount *= gamma; then "
        "mean, std / sqrt(n)",
    ),
    why="A number without its error says little: the return of one Pendulum episode has a standard deviation of 85, so ten "
        "episodes leave +- 53.",
    wrong={
        "not_discounted": ((("            discount *= gamma\n", ""),), "the returns are not discounted."),
        "discounts_first": ((("            returns[i] += discount * reward\n            discount *= gamma\n", "            discount *= gamma\n            returns[i] += discount * reward\n"),), "the first reward is discounted, too: it counts fully."),
        "spread_for_error": (((" / np.sqrt(episodes)", ""),), "this is the spread of single returns; the mean of N of them is known sqrt(N) times better."),
        "divides_by_n": ((("/ np.sqrt(episodes)", "/ episodes"),), "divided by N: the error of a mean falls with the square root of N."),
        "ignores_truncation": ((("done = terminated or truncated", "done = terminated"),), "it plays on after the clock has stopped."),
        "last_reward_lost": ((("            returns[i] += discount * reward\n            discount *= gamma\n            done = "
                               "terminated or truncated\n",
                               "            done = terminated or truncated\n            returns[i] += discount * reward * (not "
                               "done)\n            discount *= gamma\n"),), "the last reward of each episode is lost."),
        "discount_goes_on": ((("        discount, done = 1.0, False\n", "        discount, done = 1.0 if i == 0 else discount, False\n"),), "the discount goes on into the next episode: it must start from 1 again."),
    },
    right={
        "lists": """\
import statistics


def one(env, policy, gamma):
    state, _ = env.reset()
    rewards = []
    while True:
        state, reward, terminated, truncated, _ = env.step(policy(state))
        rewards.append(reward)
        if terminated or truncated:
            return sum(gamma**k * r for k, r in enumerate(rewards))


def measure(env, policy, gamma, episodes):
    returns = [one(env, policy, gamma) for _ in range(episodes)]
    return statistics.mean(returns), statistics.stdev(returns) / episodes**0.5
""",
        "running": """\
import math


def measure(env, policy, gamma, episodes):
    n, mean, squares = 0, 0.0, 0.0
    while n < episodes:
        s = env.reset()[0]
        total, weight, over = 0.0, 1.0, False
        while not over:
            s, r, end, cut, _ = env.step(policy(s))
            total += weight * r
            weight *= gamma
            over = end or cut
        n += 1
        delta = total - mean
        mean += delta / n
        squares += delta * (total - mean)
    return mean, math.sqrt(squares / n / n)
""",
    },
)  # fmt: skip

EXERCISES = (TOGO, EXPECTED, LAMBDA, RETURN)
