r"""Exercises: agents in numbers, and a test for the advantages of PPO."""

from .predictions import ask
from .tests_to_write import HOW
from .write_test import test_exercise

# ---- numbers, before anything runs


def predict_agents(A, epsilon, k, lam, T):
    """Numbers about A actions, an epsilon, a ratio of k, a lambda, and T steps."""
    numbers = {
        "greedy": (f"1 - {epsilon} + {epsilon} / {A}", f"how likely an epsilon-greedy policy takes the one best of {A} actions, epsilon = {epsilon}"),
        "weight": (f"{k} ** 3", f"the importance weight of three steps, if the policy that is judged takes each action {k} times as often as the one that acted"),
        "gain": ("1.2 * 5", f"PPO's clipped objective for one action whose advantage is 5 and whose ratio is {k}, clip = .2"),
        "back": (f"{k} * -5", f"the same, if the advantage is -5, the ratio still {k}"),
        "horizon": (f"1 / (1 - 0.9 * {lam})", f"the sum of GAE's weights, 1 + (gamma lambda) + (gamma lambda)^2 + ..., gamma = .9, lambda = {lam}"),
        "entropy": (f"math.log({A})", f"the largest entropy, in nats, that a policy over {A} actions can have"),
        "bias": ("2 / math.sqrt(2 * math.pi) / math.sqrt(2)", "E max(x, y) of two independent standard normal x and y, both right on average: what a maximum over two noisy zeros makes of them"),
        "clocks": (f"(1 - 0.9 ** {T}) / (1 - 0.9)", f"what v converges to in the first state of an episode that the clock stops after {T} steps, if each step is a state of its own (the agent sees the clock) and the stop is taken for the end of the world: r = 1 in each step, gamma = .9"),
    }
    return ask(
        "predict-agents", "agents in numbers", numbers,
        minutes=25, difficulty=2, read="the docstrings of rl/monte_carlo.py, rl/ppo.py, rl/dqn.py and examples/time_limits.py",
        task="Say these numbers before you run anything. Write a number or an expression in the place of each `...` (`import math` is allowed). All must be right to 0.1 %.",
        hints=("When epsilon-greedy picks at random, may it pick the best action? Which of the two arguments of PPO's min is smaller, for a good and for a bad action?",
               "greedy = 1 - epsilon + epsilon / A; min(r A, clip(r, .8, 1.2) A); the weights of a path multiply; E max of two normals is 1 / sqrt(pi)",
               "weight = ratio^3; gain = 1.2 * 5, as clip(r) = 1.2; back = r * -5, which is less than 1.2 * -5; horizon = 1 / (1 - gamma lambda); entropy = ln A; clocks = (1 - gamma^T) / (1 - gamma)"),
        why="The clip takes away what a *good* action gains by becoming likelier still; a bad action that became likelier is pushed back with full force. And with the right mask the clock's v would be 10, whatever T is.",
        wrong={
            "only_one_minus": ({"greedy": f"1 - {epsilon}"}, "the random pick may be the best action, too: epsilon / A is missing."),
            "weights_add": ({"weight": f"3 * {k}"}, "the probabilities of a path multiply, and so do its weights."),
            "never_clipped": ({"gain": f"{k} * 5"}, "the ratio is above 1.2: of a good action no more than 1.2 A counts."),
            "always_clipped": ({"back": "1.2 * -5"}, "the min takes the lesser of the two: of a bad action that became likelier all counts."),
            "lambda_alone": ({"horizon": f"1 / (1 - {lam})"}, "each step back multiplies by gamma *and* lambda."),
            "bits": ({"entropy": f"math.log2({A})"}, "these are bits: nats were asked for."),
            "no_bias": ({"bias": "0.0"}, "the larger of two noisy numbers is above 0 more often than below: E max >= max E."),
            "difference": ({"bias": "2 / math.sqrt(math.pi)"}, "this is E |x - y|: max = (x + y + |x - y|) / 2."),
            "for_ever": ({"clocks": "10.0"}, "this is v with the right mask: if the clock's stop is taken for an end, nothing is counted after it."),
            "one_short": ({"clocks": f"(1 - 0.9 ** ({T} - 1)) / (1 - 0.9)"}, "T steps pay T rewards, 1 + gamma + ... + gamma^(T-1)."),
        },
        right={"sums": {"clocks": f"sum(0.9**t for t in range({T}))", "horizon": f"sum((0.9 * {lam}) ** j for j in range(10_000))", "bias": "math.pi**-0.5"},
               "parts": {"greedy": f"1 - {epsilon} * ({A} - 1) / {A}", "entropy": f"-sum(1 / {A} * math.log(1 / {A}) for _ in range({A}))", "gain": f"min({k} * 5, min(max({k}, 0.8), 1.2) * 5)", "back": f"min({k} * -5, min(max({k}, 0.8), 1.2) * -5)"}},
        own=lambda rng: predict_agents(int(rng.integers(3, 7)), round(float(rng.integers(25, 40)) / 100, 2), round(float(rng.integers(13, 30)) / 10, 1), round(float(rng.integers(50, 95)) / 100, 2), int(rng.integers(5, 30))),
    )  # fmt: skip


# ---- a test for generalized advantage estimation

GAE = """import numpy as np


def test(backward_sum):
    r, v, v2 = np.array([1.0, -2.0, 3.0, 5.0]), np.array([0.5, 4.0, -1.0, 2.0]), np.array([4.5, -1.5, 2.5, 7.0])
    keep = r.copy(), v.copy(), v2.copy()
    for terminated, ended in (([0, 0, 0, 0], [0, 0, 0, 0]), ([0, 1, 0, 0], [0, 1, 0, 0]), ([0, 0, 0, 1], [0, 1, 0, 1])):
        for gamma, lam in ((0.9, 0.8), (0.5, 1.0), (1.0, 0.0), (1.0, 1.0)):
            want, after = [], 0.0
            for t in (3, 2, 1, 0):
                delta = r[t] + gamma * (0.0 if terminated[t] else v2[t]) - v[t]
                after = delta if ended[t] else delta + gamma * lam * after
                want.insert(0, after)
            got = backward_sum(r, v, v2, np.array(terminated, float), np.array(ended, float), gamma, lam)
            assert got.shape == (4,) and np.allclose(got, want)
            assert all((a == b).all() for a, b in zip((r, v, v2), keep))
    assert np.allclose(backward_sum(r[:1], v[:1], v2[:1], np.zeros(1), np.zeros(1), 0.9, 0.8), [1 + 0.9 * 4.5 - 0.5])
"""

TEST_GAE = test_exercise(
    id="test-gae",
    title="a test for advantages",
    subject="rl.ppo:backward_sum",
    minutes=30,
    difficulty=2,
    read="rl/ppo.py, its docstring, `gae` and backward_sum",
    task="backward_sum(rewards, values, next_values, terminated, ended, gamma, lam), all arrays (T,) of floats, gives A (T,): delta_t = r_t + gamma (1 - terminated_t) next_values_t - values_t, "
         "A_t = delta_t + gamma lam (1 - ended_t) A_(t+1), and A_(T-1) = delta_(T-1). It changes none of its arguments.\n" + HOW.format("backward_sum"),
    answer=GAE,
    hidden={
        "the end of an episode does not stop the sum": (("* (1.0 - ended[t]) * after", "* after"),),
        "a truncated step is one that terminated": (("(1.0 - terminated[t]) * next_values", "(1.0 - ended[t]) * next_values"),),
        "only a terminated step stops the sum": (("(1.0 - ended[t]) * after", "(1.0 - terminated[t]) * after"),),
        "next_values are the values one row on": (("* next_values[t] - values[t]", "* (values[t + 1] if t + 1 < rewards.size else next_values[t]) - values[t]"),),
        "the last step is left out": (("range(rewards.size - 1, -1, -1)", "range(rewards.size - 2, -1, -1)"), ("advantages, after = np.empty(rewards.size), 0.0", "advantages, after = np.zeros(rewards.size), 0.0")),
        "lambda is forgotten": (("gamma * lam * (1.0 - ended[t])", "gamma * (1.0 - ended[t])"),),
        "gamma is forgotten in the sum": (("gamma * lam * (1.0 - ended[t])", "lam * (1.0 - ended[t])"),),
        "returns in the place of advantages": (("advantages[t] = after", "advantages[t] = after + values[t]"),),
        "rewards are changed": (("        advantages[t] = after", "        advantages[t] = after\n        rewards[t] = after"),),
    },
    hints=("With which gamma and lambda can a wrong place of either be seen at all? Which rows must end, and in which of the two ways?",
           "gamma = 1 or lambda = 1 hides a factor; an episode that ends in the middle, once terminated, once only truncated, tells the two masks apart; next_values must not be values one row on",
           "four rows by hand or by a loop of your own; three cases of (terminated, ended); several (gamma, lambda), among them (.9, .8); compare all of A; compare the arguments with copies"),
    why="Where no episode ends within the rows, both masks may be wrong and nothing is seen: so it was in many published implementations.",
    wrong={
        "no_ends": ((("(([0, 0, 0, 0], [0, 0, 0, 0]), ([0, 1, 0, 0], [0, 1, 0, 0]), ([0, 0, 0, 1], [0, 1, 0, 1]))", "(([0, 0, 0, 0], [0, 0, 0, 0]),)"),), "no episode ends within its rows: both masks stay unseen."),
        "never_truncated": ((("(([0, 0, 0, 0], [0, 0, 0, 0]), ([0, 1, 0, 0], [0, 1, 0, 0]), ([0, 0, 0, 1], [0, 1, 0, 1]))", "(([0, 0, 0, 0], [0, 0, 0, 0]), ([0, 1, 0, 0], [0, 1, 0, 0]))"),),
                            "every episode that ends in it has terminated: what a truncated step does stays unseen."),
        "undiscounted": ((("((0.9, 0.8), (0.5, 1.0), (1.0, 0.0), (1.0, 1.0))", "((1.0, 0.8), (1.0, 0.0), (1.0, 1.0))"), ("0.9, 0.8), [1 + 0.9 * 4.5 - 0.5]", "1.0, 0.8), [1 + 4.5 - 0.5]")),
                         "gamma is 1 in all of it: a gamma at the wrong place, or at none, stays unseen."),
        "lambda_one": ((("((0.9, 0.8), (0.5, 1.0), (1.0, 0.0), (1.0, 1.0))", "((0.9, 1.0), (0.5, 1.0))"),), "lambda is 1 in all of it."),
        "arguments_unwatched": ((("            assert all((a == b).all() for a, b in zip((r, v, v2), keep))\n", ""),
                                 ("            want, after = [], 0.0\n", "            (r, v, v2), want, after = (a.copy() for a in keep), [], 0.0\n"), ("r[:1], v[:1]", "keep[0][:1], v[:1]")), "whether the arguments are left alone is not looked at."),
        "linked_values": ((("v2 = np.array([1.0, -2.0, 3.0, 5.0]), np.array([0.5, 4.0, -1.0, 2.0]), np.array([4.5, -1.5, 2.5, 7.0])", "v2 = np.array([1.0, -2.0, 3.0, 5.0]), np.array([0.5, 4.0, -1.0, 2.0]), np.array([4.0, -1.0, 2.0, 7.0])"),
                           ("[1 + 0.9 * 4.5 - 0.5]", "[1 + 0.9 * 4.0 - 0.5]")), "next_values are the values one row on, as if no reset ever came between: nobody can tell which of the two is used."),
        "first_only": ((("got.shape == (4,) and np.allclose(got, want)", "got.shape == (4,) and np.allclose(got[3], want[3])"),), "it looks at one entry only, the last, where there is no sum yet."),
    },
    right={
        "closed_form": """\
import numpy as np


def test(backward_sum):
    rng = np.random.default_rng(3)
    for gamma, lam in ((0.9, 0.7), (1.0, 0.5), (0.6, 1.0), (0.8, 0.0)):
        r, v, v2 = rng.standard_normal((3, 6))
        terminated, ended = np.array([0, 0, 1, 0, 0, 0.0]), np.array([0, 0, 1, 0, 1, 0.0])
        delta = r + gamma * np.where(terminated == 1, 0, v2) - v
        want = [sum((gamma * lam) ** (j - t) * delta[j] for j in range(t, last + 1)) for t, last in enumerate((2, 2, 2, 4, 4, 5))]
        before = np.array([r, v, v2, terminated, ended])
        got = backward_sum(r, v, v2, terminated, ended, gamma, lam)
        np.testing.assert_allclose(got, want)
        np.testing.assert_array_equal(before, [r, v, v2, terminated, ended])
""",
        "by_hand": """\
import numpy as np


def test(backward_sum):
    r, v, v2 = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]), np.array([2.0, 8.0, 6.0])
    off, mid = np.zeros(3), np.array([0.0, 1.0, 0.0])
    kept = r.copy()
    # gamma = 1/2: delta = [1 + 1 - 1, 2 + 4 - 3, 4 + 3 - 2] = [1, 3, 5], or 2 - 3 = -1 in the middle, if the world ended there
    assert backward_sum(r, v, v2, off, off, 0.5, 0.5).tolist() == [1 + 0.25 * (3 + 0.25 * 5), 3 + 0.25 * 5, 5.0]
    assert backward_sum(r, v, v2, off, mid, 0.5, 0.5).tolist() == [1 + 0.25 * 3, 3.0, 5.0]
    assert backward_sum(r, v, v2, mid, mid, 0.5, 0.5).tolist() == [1 + 0.25 * -1, -1.0, 5.0]
    assert backward_sum(r, v, v2, off, off, 0.5, 0.125).tolist() == [1 + 0.0625 * (3 + 0.0625 * 5), 3 + 0.0625 * 5, 5.0]
    assert (r == kept).all() and (v == [1, 3, 2]).all() and (v2 == [2, 8, 6]).all()
""",
    },
)  # fmt: skip

EXERCISES = (predict_agents(5, 0.3, 1.5, 0.8, 10), TEST_GAE)
