r"""Exercises in which numbers are said before anything runs. Each can be made with numbers of one's own."""

import math

from .exercise import Exercise, predicted


def ask(id, title, numbers, wrong, right, own, **rest):
    """An Exercise of this kind. numbers: {name: (expression as text, question)}; wrong: {name: ({name: another expression}, message)}."""
    values = {name: eval(expression, {"math": math}) for name, (expression, _) in numbers.items()}  # our own text, not the learner's

    def source(changed):
        lines = [f"{name} = {changed.get(name, expression)}  # {question}\n" for name, (expression, question) in numbers.items()]
        return """\
import math

""" + "".join(lines)

    def part(name, question):
        def check(get):
            predicted(get, name, values[name], question)

        check.__doc__ = name
        return check

    def probe(module, get):
        given = [getattr(module, name, None) for name in numbers]
        return [float(number) if isinstance(number, (int, float)) else math.nan for number in given]

    return Exercise(
        id=id, title=title, target="answer:", kind="predict", check=tuple(part(name, question) for name, (_, question) in numbers.items()),
        probe=probe, answer=source({}), wrong={name: (source(changed), message) for name, (changed, message) in wrong.items()},
        right={name: source(changed) for name, changed in right.items()}, own=own, **rest,
    )  # fmt: skip


def predict_made(D, H):
    """Numbers about a MADE with D pixels and H hidden units."""
    numbers = {
        "parameters": (f"{D} * {H} + {H} + {H} * {D} + {D}", f"how many numbers MADE({D}, ({H},)) learns (masked ones counted, no direct connections)"),
        "passes": (f"{D}", f"how many passes through the whole network draw one sample of {D} pixels, done naively"),
        "coin": (f"{D} * math.log(2)", f"the NLL in nats of a model that gives each of {D} pixels probability 1/2"),
        "coin_bits": ("1.0", "the same in bits per dimension"),
        "connections": (f"{D} * ({D} - 1) // 2", f"how many entries of the strict mask of an FVSBN over {D} pixels are 1"),
        "states": (f"2**{D}", f"over how many states p sums to 1, for {D} binary pixels"),
    }
    return ask(
        "predict-made", "how large is a MADE?", numbers,
        minutes=15, difficulty=1, read="the docstrings of models/made.py and models/autoregressive.py",
        task=f"Say these numbers before you run anything: a MADE over {D} binary pixels with one hidden layer of {H} units. Write a number or an expression in the place of each `...` "
             "(`import math` is allowed). Counts must be exact, other numbers right to 0.1 %.",
        hints=("Which arrays does MADE's __init__ make, and of which shapes?", "W (D, H), c (H,), V (H, D), b (D,). A fair coin costs ln 2 nats a pixel, 1 bit.",
               "parameters = D H + H + H D + D; passes = D; coin = D ln 2; coin_bits = coin / (D ln 2); connections = D (D - "
               "1) / 2; states = 2 ** D"),
        why="Masks hide weights, they do not remove them. The library draws a sample in the time of about one pass, since a "
            "hidden unit is final once its predecessors are known.",
        wrong={
            "no_bias": ({"parameters": f"{D} * {H} + {H} * {D}"}, "the biases are missing among the parameters."),
            "no_output_bias": ({"parameters": f"{D} * {H} + {H} + {H} * {D}"}, "the bias of the output is missing among the parameters."),
            "one_layer": ({"parameters": f"{D} * {H} + {H}"}, "the second layer is missing among the parameters."),
            "all_pairs": ({"connections": f"{D} * ({D} - 1)"}, "each pair is counted twice: of two pixels only the later one sees the other."),
            "one_pass": ({"passes": "1"}, "one pass gives all conditionals of a *given* image; a sample has to wait for each "
                                          "pixel in turn."),
            "bits_for_nats": ({"coin": f"{D}"}, "these are bits: the coin's NLL was asked in nats."),
            "whole_triangle": ({"connections": f"{D} * ({D} + 1) // 2"}, "the diagonal is counted among the connections: no pixel sees itself."),
            "square_states": ({"states": f"{D}**2"}, "D pixels of two values have 2^D states, not D^2."),
        },
        right={"products": {"parameters": f"2 * {D} * {H} + {H} + {D}", "coin": f"-math.log(0.5) * {D}"},
               "sums": {"connections": f"sum(range({D}))", "states": f"1 << {D}", "coin_bits": f"{D} / {D}"}},
        own=lambda rng: predict_made(int(rng.integers(9, 60)), int(rng.integers(5, 90))),
    )  # fmt: skip


def predict_corridor(n, gamma):
    """Numbers about a corridor of n steps."""
    numbers = {
        "discounted": (f"{gamma} ** ({n} - 1)", f"v of the first state: {n} steps to the right end the world, the last one pays 1, the others 0; gamma = {gamma}"),
        "undiscounted": (f"-({n} - 1) + 1.0", f"v of the first state with gamma = 1, if every step before the last one costs 1 (reward -1) and the last pays +1, {n} steps in all"),
        "sweeps": (f"{n}", "how many sweeps of value iteration from v = 0, all states at once, until the first state's value "
                           "is final"),
        "bound": (f"1 / (1 - {gamma})", f"the largest value any state of any process can have, if no reward is above 1; gamma = {gamma}"),
        "trials": (f"math.ceil(math.log(0.001) / math.log({gamma}))", f"after how many steps is a reward discounted to less than a thousandth of itself (the smallest k with gamma ** k < .001), gamma = {gamma}"),
    }
    return ask(
        "predict-corridor", "values along a corridor", numbers,
        minutes=15, difficulty=1, read="the docstrings of rl/mdp.py and rl/dynamic_programming.py",
        task=f"Say these numbers before you run anything. A corridor: from the first state it takes {n} steps to the right until the world ends; the agent always goes right. Write a number or an "
             "expression in the place of each `...` (`import math` is allowed). Counts must be exact, other numbers right to 0.1 %.",
        hints=("How many times is the last reward discounted: once for each step, or once for each step *before* it?", "v = r_1 + gamma r_2 + gamma^2 r_3 + ...; a sweep of value iteration looks one step further.",
               "discounted = gamma^(n-1); undiscounted = -(n - 1) + 1; sweeps = n; bound = 1 / (1 - gamma); trials = ceil(ln "
               ".001 / ln gamma)"),
        why="The reward that comes with step 1 is not discounted: v = r_1 + gamma r_2 + ... And 1 / (1 - gamma) is also, "
            "roughly, how many steps a discounted agent looks ahead.",
        wrong={
            "one_too_many": ({"discounted": f"{gamma} ** {n}"}, "the reward of the first step is not discounted: the exponent is one too large."),
            "forgets_the_last": ({"undiscounted": f"-({n} - 1.0)"}, "the last reward, +1, is missing, or one step too many costs 1."),
            "all_cost": ({"undiscounted": f"-{n}.0"}, "every step is counted as a cost: the last one pays +1."),
            "one_sweep": ({"sweeps": "1"}, "each sweep carries the news one state further, as all states are computed from the "
                                           "values before it."),
            "sweep_too_many": ({"sweeps": f"{n} + 1"}, "the last sweep, in which nothing changes any more, is counted: the value was final before it."),
            "gamma_for_bound": ({"bound": f"{gamma} / (1 - {gamma})"}, "the geometric series starts with gamma^0 = 1."),
            "horizon": ({"trials": f"math.ceil(1 / (1 - {gamma}))"}, "1 / (1 - gamma) steps discount to about 1/e only, not to a thousandth."),
        },
        right={"loops": {"bound": f"sum({gamma} ** k for k in range(100_000))", "undiscounted": f"sum([-1] * ({n} - 1) + [1])"},
               "logarithms": {"discounted": f"math.exp(({n} - 1) * math.log({gamma}))", "trials": f"next(k for k in range(10**6) if {gamma} ** k < 0.001)"}},
        equivalent={"0.001 -> 0.00103": "the same number of steps"},
        own=lambda rng: predict_corridor(int(rng.integers(4, 12)), round(float(rng.integers(80, 98)) / 100, 2)),
    )  # fmt: skip


def predict_gradient(a, n):
    """Numbers about the graph c = a + a, d = c * c, and a bias that is broadcast over n rows."""
    numbers = {
        "d_da": (f"8.0 * {a}", f"the gradient of d with respect to a, for c = a + a, d = c * c, a = {a}"),
        "twice": (f"16.0 * {a}", "a.grad after the whole thing was computed anew and d.backward() was called a second time, "
                                 "without clearing a.grad"),
        "second": ("8.0", "the second derivative of d with respect to a"),
        "bias": (f"{n}", f"b.grad of a scalar bias b that was added to {n} numbers, whose sum is the loss"),
        "mean_bias": ("1.0", f"b.grad if the loss is the mean of the {n} numbers"),
        "relu": (f"{n - n % 2} // 2", f"the sum of x.grad for the loss relu(x).sum(), x = -1, 1, -1, 1, ... with {2 * (n // 2)} entries"),
    }
    return ask(
        "predict-gradient", "gradients by hand", numbers,
        minutes=15, difficulty=1, read="the docstrings of minigrad/autograd.py and of minigrad/ops/primitive.py",
        task="Say these numbers before you run anything. Write a number or an expression in the place of each `...`. Counts "
             "must be exact, other numbers right to 0.1 %.",
        hints=("In how many ways does a change of a reach d?", "d = (2 a)^2 = 4 a^2. Gradients of all uses add up; .grad is added to, never overwritten.",
               "d_da = 8 a; twice = 2 * d_da; second = 8; bias = number of copies; mean_bias = number of copies / number of "
               "entries; relu = how many entries are above 0"),
        why="Both + have two ways to a: their gradients add up. For the same reason a bias collects one gradient from each "
            "row, and .grad goes on adding until it is cleared.",
        wrong={
            "one_way": ({"d_da": f"4.0 * {a}"}, "a reaches c in two ways, and both count."),
            "of_a_squared": ({"d_da": f"2.0 * {a}"}, "this is the derivative of a * a: c is 2 a, and stands twice in c * c."),
            "overwrites": ({"twice": f"8.0 * {a}"}, "a second backward adds to .grad; it does not overwrite it."),
            "of_c": ({"second": "2.0"}, "this is the second derivative with respect to c; c is 2 a."),
            "single_copy": ({"bias": "1.0"}, "each of the copies of b sends its gradient back, and they add up."),
            "mean_as_sum": ({"mean_bias": f"{n}.0"}, "the mean divides by the number of entries."),
            "mean_of_one": ({"mean_bias": f"1 / {n}"}, "each of the numbers has b in it: their shares of the mean add up."),
            "all_pass": ({"relu": f"{2 * (n // 2)}"}, "where x < 0, relu passes nothing."),
        },
        right={"by_differences": {"d_da": f"((2 * ({a} + 1e-5)) ** 2 - (2 * ({a} - 1e-5)) ** 2) / 2e-5"},
               "sums": {"twice": f"sum([8 * {a}] * 2)", "bias": f"sum(1 for _ in range({n}))", "mean_bias": f"{n} * (1 / {n})"}},
        equivalent={f"{n - n % 2} -> {n - n % 2 + 1}": "half of it, rounded down, is the same"},
        own=lambda rng: predict_gradient(int(rng.integers(2, 30)), int(rng.integers(5, 40))),
    )  # fmt: skip


def predict_ddpg(tau, n, m, H):
    """Numbers about a DDPG agent."""
    numbers = {
        "half": (f"math.log(0.5) / math.log(1 - {tau})", f"after how many updates has a target network gone half of the way to weights that stay where they are (a real number); tau = {tau}"),
        "critic": (f"({n} + {m}) * {H} + {H} + {H} + 1", f"how many numbers a critic with one hidden layer of {H} units learns: observations of {n} numbers, actions of {m}, both at the input"),
        "actor": (f"{n} * {H} + {H} + {H} * {m} + {m}", "and the actor, with the same hidden layer"),
        "ended": ("-3.0", "the target y for a step with reward -3 that ended the world; gamma = .9, and the target networks "
                          "say Q'(s', mu'(s')) = 10"),
        "stopped": ("6.0", "the same, if only the clock stopped there (truncated, not terminated)"),
        "stored": ("1000", "how many transitions a ring of 1000 holds after 2500 steps"),
    }
    return ask(
        "predict-ddpg", "a DDPG agent in numbers", numbers,
        minutes=20, difficulty=2, read="the docstring of rl/ddpg.py; rl/replay.py",
        task="Say these numbers before you run anything. Write a number or an expression in the place of each `...` (`import "
             "math` is allowed). Counts must be exact, other numbers right to 0.1 %.",
        hints=("What is left of the distance after one update, and after two?", "Distance (1 - tau)^k. y = r + gamma (1 - terminated) Q'. A layer has in x out + out numbers.",
               "half = ln .5 / ln(1 - tau); critic = (n + m) H + H + H + 1; actor = n H + H + H m + m; ended = r; stopped = r "
               "+ gamma Q'; stored = the ring's size"),
        why="With tau = .005 a target lags some 140 updates behind. Truncated steps bootstrap like any other: the world has "
            "not ended, only somebody stopped looking.",
        wrong={
            "tau_itself": ({"half": f"math.log(0.5) / math.log({tau})"}, "1 - tau is what is left after each update, not tau."),
            "one_output": ({"critic": f"({n} + {m}) * {H} + {H} + {H}"}, "the bias of the critic's output is missing."),
            "linear": ({"half": f"0.5 / {tau}"}, "each update goes a part tau of the distance *that is left*: the way slows down."),
            "full_time": ({"half": f"1 / {tau}"}, "1 / tau updates leave 1/e of the distance, not a half."),
            "action_forgotten": ({"critic": f"{n} * {H} + {H} + {H} + 1"}, "the critic sees the action, too."),
            "no_bias": ({"actor": f"{n} * {H} + {H} * {m}"}, "the actor's biases are missing."),
            "bootstraps_through_terminal": ({"ended": "6.0"}, "after the end of the world nothing follows: y is the reward alone."),
            "truncation_is_an_end": ({"stopped": "-3.0"}, "a stopped clock is no end of the world: the value of s' counts."),
            "never_forgets": ({"stored": "2500"}, "the ring overwrites the oldest."),
        },
        right={"natural": {"half": f"-math.log(2) / math.log1p(-{tau})", "stopped": "-3 + 0.9 * 10"}, "grouped": {"critic": f"({n} + {m} + 2) * {H} + 1", "actor": f"({n} + 1) * {H} + ({H} + 1) * {m}", "stored": "min(1000, 2500)"}},
        equivalent={f"{H} * 1 -> {H} / 1": "the same number"},
        own=lambda rng: predict_ddpg(round(float(rng.integers(2, 40)) / 1000, 3), int(rng.integers(2, 12)), int(rng.integers(2, 6)), int(rng.integers(8, 70))),
    )  # fmt: skip


EXERCISES = (predict_gradient(3, 10), predict_made(20, 30), predict_corridor(6, 0.9), predict_ddpg(0.005, 3, 1, 64))
