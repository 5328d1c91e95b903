r"""Exercises over stochastic approximation: the one line, what it becomes for means and mini-batches, and step sizes in numbers."""

import numpy as np

from .exercise import Exercise, Failed, expect
from .predictions import ask

# ---- the line itself


def rm_by_hand(get):
    """By hand: two steps; k counts from 1"""
    f = get("rl.stochastic_approximation:robbins_monro")
    call = "robbins_monro(g = 2 w + k, w = 1, a = [.5, .25], steps = 2)"
    expect(f(lambda w, k: 2 * w + k, 1.0, [0.5, 0.25], 2), np.array([1.0, 1 - 0.5 * 3, -0.5 - 0.25 * (-1 + 2)]), call)
    expect(f(lambda w, k: np.zeros(2), np.array([3.0, 4.0]), 0.5, 0), np.array([[3.0, 4.0]]), "robbins_monro from w = [3, 4] with no step at all,")
    expect(f(lambda w, k: 2 * w, 4, 0.25, 1), np.array([4.0, 2.0]), "robbins_monro(g = 2 w, w = 4 (an integer), a = .25, steps = 1)")


def rm_black_box(get):
    """The box is asked once a step, at the newest w; shapes that differ are refused"""
    f, asked, start = get("rl.stochastic_approximation:robbins_monro"), [], np.array([8.0, -4.0])
    answers = np.array([[4.0, 4.0], [2.0, -8.0], [1.0, 0.0]])

    def g(w, k):
        asked.append((k, *np.array(w).tolist()))
        return answers[(len(asked) - 1) % 3]

    got = f(g, start, 0.5, 3)
    expect(got, np.array([[8.0, -4], [6, -6], [5, -2], [4.5, -2]]), "robbins_monro from w = [8, -4], a = .5, three steps, answers [4, 4], [2, -8], [1, 0],")
    expect(np.array(asked), np.array([[1.0, 8, -4], [2, 6, -6], [3, 5, -2]]), "what the box was asked in these three steps: k and w")
    expect(start, np.array([8.0, -4.0]), "the start w = [8, -4] after robbins_monro: it must stay as it is")
    for answer in (np.float64(1.0), np.ones((2, 1)), np.ones(1)):
        try:
            f(lambda w, k: answer, start, 0.5, 1)  # noqa: B023
        except ValueError:
            continue
        raise Failed(f"robbins_monro took an answer of shape {np.shape(answer)} for a w of shape (2,): it must raise ValueError")


def rm_mean(get):
    """With g = w - x_k and a_k = 1/k it is the mean of what has come"""
    x = np.random.default_rng(0).standard_normal((50, 3)) + 2
    got = get("rl.stochastic_approximation:robbins_monro")(lambda w, k: w - x[k - 1], np.full(3, 100.0), lambda k: 1 / k, 50)
    want = np.cumsum(x, axis=0) / np.arange(1, 51)[:, None]
    expect(got, np.vstack([np.full(3, 100.0), want]), "robbins_monro with g = w - x_k, a_k = 1/k: the running means of 50 rows, from w = 100,", rtol=1e-9)


def probe_rm(f, get):
    """A history; how often the box was asked; whether a wrong shape is refused, and whether the start stays."""
    count, start = [], np.array([8.0, -4.0])
    history = np.asarray(f(lambda w, k: count.append(k) or 2 * w + k * k, start, lambda k: 0.5 / k, 3), float)
    asked, stays = len(count), start.tolist() == [8.0, -4.0]
    try:
        refused = f(lambda w, k: np.ones((2, 1)), np.ones(2), 0.5, 1) is None
    except (ValueError, IndexError):
        refused = True
    return np.concatenate([history.ravel(), [asked, refused, stays]])


LOOP = "for k, a_k in enumerate(sizes, start=1):"
STEP = "history[k] = history[k - 1] - a_k * answer"
RM = Exercise(
    id="robbins-monro",
    title="the root of what can only be measured",
    target="rl.stochastic_approximation:robbins_monro",
    kind="rebuild",
    minutes=20,
    difficulty=1,
    read="the docstring of rl/stochastic_approximation.py; step_sizes in it",
    task="g is a black box: g(w, k) is the k-th measurement of an unknown function at w, k = 1 ... N; its shape must be that of "
         "w (a number, or an array), else raise ValueError. Take N = `steps` steps of Robbins and Monro from the start w, "
         "which stays as it is. step_sizes(a, steps) gives a_1 ... a_N as an array. Ask the box once in each step. Return all "
         "w in float64, the start first: shape (N + 1, ...).",
    formula=("w_{k+1} = w_k − a_k g̃(w_k): ",),
    check=(rm_by_hand, rm_black_box, rm_mean),
    probe=probe_rm,
    hints=(
        "g rises through its root. The answer is positive: on which side of the root is w, and which way must it go?",
        "w_{k+1} = w_k - a_k g(w_k, k), for k = 1 ... N.",
        "history[0] = w; for k = 1 ... N: answer = g(history[k - 1], k); check its shape; history[k] = history[k - 1] - a_k * answer",
    ),
    why="One line, and what is asked decides what it learns: means, minima, values. The library lets a run that explodes end "
        "in inf or NaN without a warning, since divergence is one of the answers that one looks for.",
    wrong={
        "sign_flipped": ((("history[k - 1] - a_k", "history[k - 1] + a_k"),), "the sign: where the answer is positive, w is above the root and must go down."),
        "counts_from_0": (((LOOP, LOOP.replace("start=1", "start=0")), ("history[k - 1], k)", "history[k], k)"), (STEP, "history[k + 1] = history[k] - a_k * answer")),
                          "the box is told k = 0 first: k counts from 1."),
        "asks_at_the_start": ((("g(history[k - 1], k)", "g(history[0], k)"),), "the box is asked at the start each time: ask it where w is now."),
        "steps_from_the_start": (((STEP, "history[k] = history[0] - a_k * answer"),), "each step begins at the start again: it must begin where the last one ended."),
        "forgets_step_size": (((STEP, "history[k] = history[k - 1] - answer"),), "the step size is not used."),
        "one_step_size": (((STEP, "history[k] = history[k - 1] - sizes[0] * answer"),), "a_1 is used in every step: a_k changes with k."),
        "step_size_late": (((STEP, "history[k] = history[k - 1] - sizes[max(k - 2, 0)] * answer"),), "the step sizes come one step late: the k-th step takes a_k."),
        "divides": ((("a_k * answer", "answer / a_k"),), "it divides by the step size."),
        "asks_twice": (((STEP, "history[k] = history[k - 1] - a_k * g(history[k - 1], k)"),),
                       "the box is asked twice a step, and gives two different answers: a measurement cannot be repeated. Keep it."),
        "any_shape": ((("if np.shape(answer) != w.shape:", "if False:"),),
                      "an answer of another shape is broadcast without a word: compare shapes first."),
        "start_left_out": ((("    return history\n", "    return history[1:]\n"),), "the start is missing: N steps make N + 1 rows."),
        "last_only": ((("    return history\n", "    return history[-1]\n"),), "only the last w is returned: all of them were asked for."),
        "changes_the_start": ("""\
def robbins_monro(g, w, a, steps):
    w = np.asarray(w, np.float64)
    history = [np.array(w)]
    for k, a_k in enumerate(step_sizes(a, steps), start=1):
        answer = g(w, k)
        if np.shape(answer) != w.shape:
            raise ValueError
        w -= a_k * answer
        history.append(np.array(w))
    return np.array(history)
""",
                              "the caller's own w is changed in place: work on a copy."),
        "one_array": ("""\
def robbins_monro(g, w, a, steps):
    w = np.array(w, np.float64)
    history = [w]
    for k, a_k in enumerate(step_sizes(a, steps), start=1):
        answer = g(w, k)
        if np.shape(answer) != w.shape:
            raise ValueError
        w -= a_k * answer
        history.append(w)
    return np.array(history)
""",
                      "every row shows the last w: one and the same array was appended each time. Store copies."),
    },
    right={
        "list": """\
def robbins_monro(g, w, a, steps):
    path = [np.array(w, dtype=float)]
    for k, size in zip(range(1, steps + 1), step_sizes(a, steps)):
        measured = np.asarray(g(path[-1], k))
        if measured.shape != path[-1].shape:
            raise ValueError(f"{measured.shape}")
        path.append(path[-1] - size * measured)
    return np.stack(path)
""",
        "sums": """\
def robbins_monro(g, w, a, steps):
    start, sizes, moves = np.array(w, float), step_sizes(a, steps), []
    now = start.copy()
    for k in range(1, len(sizes) + 1):
        y = g(now.copy(), k)
        if np.shape(y) != start.shape:
            raise ValueError("shape")
        moves.append(-sizes[k - 1] * y)
        now = now + moves[-1]
    return np.cumsum([start, *moves], axis=0)
""",
    },
)  # fmt: skip

# ---- mean and variance as they come


def moments_by_hand(get):
    """By hand: three numbers"""
    f = get("answer:running_moments")
    expect(f(np.array([2.0, 4.0, 9.0])), np.array([[2.0, 0.0], [3.0, 1.0], [5.0, 26 / 3]]), "running_moments([2, 4, 9]): rows of mean and variance so far;")
    expect(f(np.array([1, 2])), np.array([[1.0, 0.0], [1.5, 0.25]]), "running_moments of the integers [1, 2]")


def moments_numpy(get):
    """Against the mean and variance of every beginning"""
    x = np.random.default_rng(0).exponential(3, 60)
    want = np.array([[x[:k].mean(), x[:k].var()] for k in range(1, 61)])
    expect(get("answer:running_moments")(x), want, "running_moments of 60 random numbers")


def moments_far(get):
    """Numbers far from 0, close to each other"""
    x = np.random.default_rng(1).integers(0, 9, 500) + 1e8
    want = np.array([[x[:k].mean(), (x[:k] - 1e8).var()] for k in range(1, 501)])
    got = np.asarray(get("answer:running_moments")(x))
    expect(got[:, 0], want[:, 0], "running_moments of 500 integers from 1e8 to 1e8 + 8: the means")
    expect(got[:, 1], want[:, 1], "running_moments of 500 integers from 1e8 to 1e8 + 8: the variances", rtol=1e-5, atol=1e-6)


def probe_moments(f, get):
    """A few numbers, and whether they may lie far from 0."""
    far = np.asarray(f(np.array([1e9, 1e9 + 2, 1e9 + 4])), float)
    return np.concatenate([np.ravel(f(np.array([2.0, 4.0, 9.0, -3.0]))), [far.size > 5 and abs(far[-1, -1] - 8 / 3) < 0.1]])


MOMENTS = Exercise(
    id="running-variance",
    title="mean and variance as the numbers come",
    target="answer:running_moments",
    kind="variant",
    minutes=25,
    difficulty=2,
    read="incremental_mean in rl/stochastic_approximation.py",
    task="x (n,), n >= 1. Return (n, 2): in row k - 1 the mean m_k of x_1 ... x_k and their variance, the mean of (x_i - m_k)^2 over i "
         "= 1 ... k (divided by k). It must also be right where the numbers are large and lie close together, such as 1e8 and "
         "1e8 + 2: to five digits.",
    answer='''\
import numpy as np


def running_moments(x):
    """(n,) -> (n, 2)"""
    out = np.zeros((len(x), 2))
    m = v = 0.0
    for k, value in enumerate(x, start=1):
        before = value - m
        m += before / k
        v += (before * (value - m) - v) / k
        out[k - 1] = m, v
    return out
''',
    check=(moments_by_hand, moments_numpy, moments_far),
    equivalent={"0.0 -> 0.03": "the first step is a whole one (1/k with k = 1): it forgets where mean and variance began, the variance since x - m_1 is 0"},
    probe=probe_moments,
    hints=(
        "The mean is m_k = m_{k-1} + (x_k - m_{k-1}) / k. The variance is a mean, too: of what?",
        "v_k = v_{k-1} + ((x_k - m_{k-1}) (x_k - m_k) - v_{k-1}) / k: one factor with the mean before, one with the mean after.",
        "before = x - m; m += before / k; v += (before * (x - m) - v) / k",
    ),
    why="Mean of the squares minus square of the mean is the same in theory; but near 1e8 both are about 1e16, where numbers are 2 apart, "
        "and their difference is noise. Welford's line (1962) never makes a large number. Advantages, rewards and observations "
        "are normalised with it all over reinforcement learning.",
    wrong={
        "squares": ((("        before = value - m\n        m += before / k\n        v += (before * (value - m) - v) / k\n        out[k - 1] = m, v\n",
                      "        m += (value - m) / k\n        v += (value * value - v) / k\n        out[k - 1] = m, v - m * m\n"),),
                    "mean of the squares minus square of the mean: right for small numbers, but near 1e8 the difference of two numbers near 1e16 has no digits left."),
        "both_before": ((("before * (value - m) - v", "before * before - v"),), "both factors are taken with the mean before the step: too large; the second belongs with the new mean."),
        "both_after": ((("before * (value - m) - v", "(value - m) * (value - m) - v"),), "both factors are taken with the mean after the step: too small; the first belongs with the old mean."),
        "n_minus_1": ((("        out[k - 1] = m, v\n", "        out[k - 1] = m, v * k / max(k - 1, 1)\n"),), "this is divided by k - 1: the plain mean of the squares was asked for."),
        "sum_of_squares": ((("(before * (value - m) - v) / k", "before * (value - m)"),), "this is the sum of the squares: divide it by k."),
        "start_counts": ((("enumerate(x, start=1)", "enumerate(x, start=2)"), ("out[k - 1] = m, v", "out[k - 2] = m, v")),
                         "the start, 0, is counted as if it were a number of x: the first step must be a whole one, 1/1."),
        "deviation": ((("out[k - 1] = m, v", "out[k - 1] = m, np.sqrt(v)"),), "this is the standard deviation, the root of what was asked for."),
        "one_row_late": ((("        before = value - m\n", "        out[k - 1] = m, v\n        before = value - m\n"), ("        v += (before * (value - m) - v) / k\n        out[k - 1] = m, v\n", "        v += (before * (value - m) - v) / k\n")),
                         "row k - 1 is written before x_k has been taken in: everything comes one row late."),
        "last_only": ((("    return out\n", "    return out[-1]\n"),), "only the last row is returned."),
        "forgets": ((("m += before / k", "m += before / min(k, 2)"),), "the step size stops falling: it must be 1/k, or the mean forgets old numbers."),
    },
    right={
        "every_beginning": """\
import numpy as np


def running_moments(x):
    return np.array([[np.mean(x[:k]), np.var(x[:k])] for k in range(1, len(x) + 1)])
""",
        "shifted": """\
import numpy as np


def running_moments(x):
    k, d = np.arange(1, len(x) + 1), np.asarray(x, float) - x[0]
    m, s = np.cumsum(d) / k, np.cumsum(d * d) / k
    return np.stack([m + x[0], s - m * m], axis=1)
""",
        "sums": """\
import numpy as np


def running_moments(x):
    rows, mean, total = [], float(x[0]), 0.0
    for k in range(1, len(x) + 1):
        delta = x[k - 1] - mean
        mean += delta / k
        total += delta * delta * (k - 1) / k
        rows.append((mean, total / k))
    return np.array(rows)
""",
    },
)  # fmt: skip

# ---- mini-batches


def quartic(w, x):
    """Slopes of (w - x)^4 / 4: not those of their mean."""
    return (w - x) ** 3


def descend_by_hand(get):
    """By hand: batches of two, slopes that are no straight lines"""
    f, x = get("rl.stochastic_approximation:descend"), np.array([[0.0], [1.0], [3.0]])
    call = "descend(gradient (w - x)^3, w = [2], x = [[0], [1], [3]], batches = {}, a = .5)"
    expect(f(quartic, np.array([2.0]), x, np.array([[0, 2]]), 0.5), np.array([[2.0], [2 - 0.5 * (8 - 1) / 2]]), call.format("[[0, 2]]"))
    expect(f(quartic, np.array([2.0]), x, np.array([[1], [1]]), 0.5), np.array([[2.0], [1.5], [1.5 - 0.5 * 0.125]]), call.format("[[1], [1]]"))
    expect(f(quartic, np.array([2.0]), x, np.array([[2, 2, 0]]), 0.5), np.array([[2.0], [2 - 0.5 * 2]]), call.format("[[2, 2, 0]]") + " (sample 2 counts twice)")


def descend_closed(get):
    """With a_k = 1/k, the mean is found in closed form"""
    f, rng = get("rl.stochastic_approximation:descend"), np.random.default_rng(0)
    x, w = rng.standard_normal((20, 3)), np.array([9.0, -9.0, 5.0])
    for m in (1, 4):
        batches = rng.integers(20, size=(15, m))
        want = np.cumsum(x[batches].mean(axis=1), axis=0) / np.arange(1, 16)[:, None]
        expect(f(lambda w, x: w - x, w, x, batches, lambda k: 1 / k), np.vstack([w, want]), f"descend with gradient w - x, a_k = 1/k, 15 random batches of {m}: the mean of the batch means so far,")


def descend_bad(get):
    """Batches that are none are refused"""
    f, x = get("rl.stochastic_approximation:descend"), np.ones((3, 1))
    bad = {"[0, 1] (one axis)": np.array([0, 1]), "[[0, 3]] of 3 samples": np.array([[0, 3]]), "[[0, -1]]": np.array([[0, -1]]), "[[0., 1.]]": np.array([[0.0, 1.0]]), "of shape (2, 0)": np.zeros((2, 0), int)}
    for name, batches in bad.items():
        try:
            f(quartic, np.array([2.0]), x, batches, 0.5)
        except ValueError:
            continue
        except IndexError:
            raise Failed(f"descend with batches {name} raised IndexError: it must raise ValueError before it looks anything up") from None
        raise Failed(f"descend took batches {name}: it must raise ValueError unless they are integers (N, m) of 0 ... n - 1")


def probe_descend(f, get):
    """Two steps with slopes that are no straight lines; what is refused."""
    x = np.array([[0.0, 1.0], [1.0, -1.0], [3.0, 0.5]])
    path = np.asarray(f(quartic, np.array([2.0, 1.5]), x, np.array([[0, 2], [1, 1]]), lambda k: 0.2 / k), float)
    refused = []
    for batches in ([0, 1], [[0, 3]], [[0, -1]], [[0.0, 1.0]]):
        try:
            refused.append(f(quartic, np.array([2.0]), x[:, :1], np.array(batches), 0.5) is None)
        except ValueError:
            refused.append(True)
        except (IndexError, TypeError):
            refused.append(False)
    return np.concatenate([path.ravel(), refused])


G = "gradient(w, x[batches[k - 1]]).mean(axis=0)"
TEST = 'if batches.ndim != 2 or not batches.size or batches.dtype.kind not in "iu" or not ((0 <= batches) & (batches < len(x))).all():'
DESCEND = Exercise(
    id="mini-batch",
    title="descent by a few samples at a time",
    target="rl.stochastic_approximation:descend",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="robbins_monro in rl/stochastic_approximation.py: you may call it",
    task="Samples x (n, F), start w (F,); gradient(w, x (m, F)) gives the slopes (m, F) of f(w, x_j), a row for each sample. batches "
         "(N, m) integers: row k - 1 holds the numbers of the samples of step k (one may come twice, and then counts twice). "
         "In step k, w goes against the *mean* of its batch's slopes at the w of now, times a_k. Return all w, the start "
         "first, (N + 1, F). ValueError unless batches are integers (N, m) of 0 ... n - 1, with N and m at least 1. "
         "`robbins_monro(g, w, a, steps)` may be called.",
    formula=("w_{k+1} = w_k − a_k (1/m) Σ_{j in batch k} ∇f(w_k, x_j), ",),
    check=(descend_by_hand, descend_closed, descend_bad),
    probe=probe_descend,
    hints=(
        "What does the black box of Robbins and Monro answer here, when it is asked for the k-th time?",
        "g(w, k) = (1/m) sum over j in batch k of grad f(w, x_j).",
        "check batches; return robbins_monro(lambda w, k: gradient(w, x[batches[k - 1]]).mean(axis=0), w, a, len(batches))",
    ),
    why="Mean, not sum: so a step size that is right for one batch size is not m times too large for another. SGD (m = 1), "
        "mini-batches and the whole batch are one function; only the rows of `batches` differ.",
    wrong={
        "sum": (((G, G.replace("mean", "sum")),), "the slopes are summed: with m times as many samples the step would be m times as long. Take their mean."),
        "over_features": (((G, "np.full_like(w, " + G.replace("axis=0", "axis=1") + ".mean())"),), "the mean goes over the numbers of w, too: each number of w has a slope of its own; average over samples only, axis 0."),
        "slope_of_mean_sample": (((G, "gradient(w, x[batches[k - 1]].mean(axis=0, keepdims=True))[0]"),), "this is the slope at the mean sample, not the mean of the slopes: they agree only where slopes are straight lines in x."),
        "all_samples": (((G, "gradient(w, x).mean(axis=0)"),), "every step uses all samples: only those of its batch were asked for."),
        "first_batch": (((G, "gradient(w, x[batches[0]]).mean(axis=0)"),), "the first batch is used in every step."),
        "one_late": (((G, "gradient(w, x[batches[k % len(batches)]]).mean(axis=0)"),), "the batches are shifted by one: step k = 1 takes row 0."),
        "first_sample": (((G, "gradient(w, x[batches[k - 1]])[0]"),), "only the first sample of each batch is used."),
        "each_once": (((G, "gradient(w, x[np.unique(batches[k - 1])]).mean(axis=0)"),), "a sample that comes twice in a batch counts only once."),
        "slopes_at_the_start": ((("return robbins_monro(", "start = w\n    return robbins_monro("), (G, "gradient(start, x[batches[k - 1]]).mean(axis=0)")),
                                "all slopes are taken at the start: take them at the w of now."),
        "uphill": (((G, "-" + G),), "it climbs: the step goes against the slope."),
        "negative_index": ((("(0 <= batches) & ", ""),), "a negative number is accepted, and picks a sample from the end: refuse it."),
        "too_large": (((" & (batches < len(x))", ""),), "a number of n or more must raise ValueError, before any step is taken."),
        "real_numbers": (((' or batches.dtype.kind not in "iu"', ""),), "batches of real numbers must raise ValueError: they are no numbers of samples."),
    },
    right={
        "loop": """\
def descend(gradient, w, x, batches, a):
    x, batches = np.asarray(x, float), np.asarray(batches)
    fits = batches.ndim == 2 and batches.size > 0 and np.issubdtype(batches.dtype, np.integer)
    if not fits or batches.min() < 0 or batches.max() >= len(x):
        raise ValueError("batches")
    path = [np.array(w, float)]
    for batch, size in zip(batches, step_sizes(a, len(batches))):
        total = sum(gradient(path[-1], x[j : j + 1])[0] for j in batch)
        path.append(path[-1] - size * total / len(batch))
    return np.array(path)
""",
        "weights": """\
def descend(gradient, w, x, batches, a):
    batches = np.array(batches)
    if batches.dtype.kind not in 'iu' or batches.ndim != 2 or 0 in batches.shape:
        raise ValueError
    if np.any(batches < 0) or np.any(batches > len(x) - 1):
        raise ValueError

    def measured(w, k):
        counts = np.bincount(batches[k - 1], minlength=len(x))
        return counts @ gradient(w, np.asarray(x)) / counts.sum()

    return robbins_monro(measured, w, a, batches.shape[0])
""",
    },
)  # fmt: skip

# ---- spot the bug: the same batches again


def batches_kind(get):
    """Integers (N, m) of 0 ... n - 1, all of them alike often"""
    f = get("rl.stochastic_approximation:random_batches")
    got = f(5, 3, 4000, np.random.default_rng(0))
    if np.shape(got) != (4000, 3) or np.asarray(got).dtype.kind not in "iu":
        raise Failed(f"random_batches(n = 5, m = 3, steps = 4000, rng) must be integers of shape (4000, 3), not {np.asarray(got).dtype} {np.shape(got)}")
    share = np.array([(np.asarray(got) == i).mean() for i in range(5)])
    if not np.abs(share - 0.2).max() < 0.03:
        raise Failed(f"random_batches(n = 5, m = 3, steps = 4000, rng): share of the samples 0 ... 4\nexpected about .2 each\ngot {share.round(3)}"
                     + ("" if share.sum() > 0.999 else f", and others: {np.min(got)} to {np.max(got)}"))  # fmt: skip
    expect(f(1, 1, 3, np.random.default_rng(0)), np.zeros((3, 1), int), "random_batches(n = 1, m = 1, steps = 3, rng): the only sample;")


def batches_apart(get):
    """No step foretells another, near or far"""
    f, seen = get("rl.stochastic_approximation:random_batches"), np.asarray
    for seed in range(2):
        got = seen(f(10, 3, 3000, np.random.default_rng(seed)))
        for lag in (1, 2, 3, 4, 5, 8):
            same = (got[lag:] == got[:-lag]).all(axis=1).mean()
            if same > 0.01:
                raise Failed(f"random_batches(n = 10, m = 3, steps = 3000, rng): how many batches are the same as {lag} step{'s' * (lag > 1)} before\n"
                             f"expected about {1e-3:.1%}\ngot            {same:.1%}")  # fmt: skip


def batches_again(get):
    """With replacement; the generator moves on; the same seed gives the same"""
    f = get("rl.stochastic_approximation:random_batches")
    got = np.asarray(f(10, 3, 3000, np.random.default_rng(0)))
    twice = np.mean([len(set(row)) < 3 for row in got.tolist()])
    if abs(twice - 0.28) > 0.04:
        raise Failed(f"random_batches(n = 10, m = 3, steps = 3000, rng): batches in which a sample comes twice\nexpected about 28 %\ngot {twice:.1%}")
    rng = np.random.default_rng(1)
    first, second = f(10, 3, 50, rng), f(10, 3, 50, rng)
    if np.array_equal(first, second):
        raise Failed("random_batches called twice with one generator gave the same batches twice: the next epoch would be the last one again")
    expect(f(10, 3, 50, np.random.default_rng(1)), first, "random_batches with a new generator of the same seed: the same batches as before;")
    if np.array_equal(first, f(10, 3, 50, np.random.default_rng(2))):
        raise Failed("random_batches of another seed gave the same batches: they must come from the rng that is handed over")


def probe_batches(f, get):
    """Yes or no to what may go wrong: whoever draws the right numbers another way looks like the right answer."""
    rng = np.random.default_rng(0)
    got = np.asarray(f(10, 3, 3000, rng))
    again = np.asarray(f(10, 3, 3000, rng))
    if got.shape != (3000, 3):
        return np.array([got.shape[0], got.shape[-1], got.ndim, *[-1.0] * 9])
    same = [(got[lag:] == got[:-lag]).all(axis=1).mean() > 0.01 for lag in (1, 2, 4)]
    twice = np.mean([len(set(row)) < 3 for row in got.tolist()])
    other = np.array_equal(got, f(10, 3, 3000, np.random.default_rng(5)))
    return np.array([3000, 3, 2, got.min(), got.max(), *same, twice > 0.1, twice > 0.9, np.array_equal(got, again), other], float)


def batches_symptom(get):
    """The mean of 100 numbers by SGD with a_k = 1/k, 300 runs: root mean square distance beside the exact one."""
    sa = get("rl.stochastic_approximation")
    x = np.random.default_rng(0).uniform(-10, 10, (100, 1))
    paths = np.array([sa.descend(sa.mean_gradient, np.array([20.0]), x, sa.random_batches(100, 5, 200, np.random.default_rng(s)), sa.harmonic) for s in range(300)])
    distance = np.sqrt(((paths - x.mean()) ** 2).mean(axis=(0, 2)))[1:]
    k = np.arange(1, 201)
    exact = np.sqrt(x.var() / (5 * k))
    rng = np.random.default_rng(0)
    epochs = [sa.random_batches(100, 5, 20, rng) for _ in range(30)]
    return {
        "figures": {"distance after 4 steps": distance[3], "exact": exact[3], "distance after 200 steps": distance[-1], "exact ": exact[-1],
                    "samples of 100 that 30 epochs of 20 batches have used": len(np.unique(epochs))},
        "x": k, "y": distance, "xlabel": "steps", "ylabel": "root mean square distance to the mean", "log": "xy",
    }  # fmt: skip


DRAW = "return rng.integers(n, size=(steps, m))"
COPIES = """\
import copy


def random_batches(n, m, steps, rng):
    n, m, steps = check_count(n, "n", 1), check_count(m, "m", 1), check_count(steps, "steps", 0)
    workers = [copy.deepcopy(rng) for _ in range(4)]  # four of them prepare batches in turn
    return np.array([workers[k % 4].integers(n, size=m) for k in range(steps)]).reshape(steps, m)
"""
BATCHES = Exercise(
    id="bug-same-batches",
    title="four workers, one quarter of the data",
    target="rl.stochastic_approximation:random_batches",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="descend and random_batches in rl/stochastic_approximation.py",
    task="Data loaders prepare what a step needs in several workers. For years most public projects that drew NumPy's random numbers "
         "in such workers had this bug, a well-known tutorial among them; nothing raises, the loss falls. Rebuilt here: the mean of 100 numbers by mini-batches of 5 with a_k = 1/k, where the "
         "distance to the mean must be sqrt(variance / (5 k)) after k steps. Over 300 runs it is twice that: after 200 steps "
         "0.392 instead of 0.190. And 30 epochs of 20 batches, drawn with one generator, touch 23 of the 100 numbers; with the right "
         "code they touch all.\nMend `random_batches`: integers (steps, m) of 0 ... n - 1, all independent and alike often "
         "(so that a sample may come twice in a batch), drawn from rng.",
    check=(batches_kind, batches_apart, batches_again),
    probe=probe_batches,
    hints=(
        "How far would SGD have come after k steps if every batch were used four times in a row?",
        "A copy of a generator draws what the original draws: the same numbers. Independent streams come from one generator, or from rng.spawn.",
        "return rng.integers(n, size=(steps, m)): one generator draws everything, and is moved on by it",
    ),
    why="The error of the mean falls with the number of *different* draws. In the published bug (mended in PyTorch 1.9) each worker process inherited a "
        "copy of the state of NumPy's global generator, again at every epoch. Generators that are handed over, and spawned where several "
        "are needed, cannot do that.",
    equivalent={"0 -> 1": "whether no step at all is refused is not asked for"},
    bug="copies",
    symptom=batches_symptom,
    wrong={
        "copies": (COPIES, "four copies of one generator draw the same numbers, and the original is never moved on: every batch comes four times, and every call begins anew."),
        "four_times": (((DRAW, "return np.repeat(rng.integers(n, size=(-(-steps // 4), m)), 4, axis=0)[:steps]"),), "every batch comes four times in a row."),
        "one_batch": (((DRAW, "return np.tile(rng.integers(n, size=m), (steps, 1))"),), "one batch is drawn and used in every step: w goes to its mean, not to that of the data."),
        "own_seed": (((DRAW, "return np.random.default_rng(0).integers(n, size=(steps, m))"),), "it makes a generator of its own, with a fixed seed: every run and every epoch sees the same batches, whatever rng is."),
        "does_not_move_on": (("""\
import copy


def random_batches(n, m, steps, rng):
    return copy.deepcopy(rng).integers(n, size=(steps, m))
"""), "it draws from a copy of rng: the original does not move on, so the next epoch has the same batches."),
        "without_replacement": (((DRAW, "return np.array([rng.permutation(n)[:m] for _ in range(steps)])"),), "no sample comes twice in a batch: the draws are not independent."),
        "one_sample": (((DRAW, "return np.repeat(rng.integers(n, size=(steps, 1)), m, axis=1)"),), "each batch holds one sample m times: that is SGD at m times the price."),
        "never_the_last": (((DRAW, "return rng.integers(n - 1, size=(steps, m))"),), "the last sample is never drawn: the upper end of `integers` is left out by itself."),
        "one_too_many": (((DRAW, "return rng.integers(n + 1, size=(steps, m))"),), "n is drawn, too: samples are 0 ... n - 1."),
        "from_one": (((DRAW, "return rng.integers(1, n, size=(steps, m))"),), "sample 0 is never drawn."),
        "transposed": (((DRAW, "return rng.integers(n, size=(m, steps))"),), "the axes are exchanged: a row is a batch."),
    },
    right={
        "choice": """\
def random_batches(n, m, steps, rng):
    return rng.choice(n, size=(steps, m), replace=True)
""",
        "workers": """\
def random_batches(n, m, steps, rng):
    workers = rng.spawn(4)
    batches = np.empty((steps, m), dtype=np.int64)
    for k in range(steps):
        batches[k] = workers[k % 4].integers(0, n, m)
    return batches
""",
        "floor": """\
def random_batches(n, m, steps, rng):
    return (rng.random((steps, m)) * n).astype(int)
""",
    },
)  # fmt: skip

# ---- predictions


def predict_steps(c, n, a, m):
    """Numbers about step sizes: w³ − c, n samples, a constant a, batches of m."""
    numbers = {
        "literal": (f"{c} - ({c}**3 - {c}) / 2", f"w_3 for g(w) = w^3 - {c} without noise, from w_1 = 0, a_k = 1/k"),
        "gentle": (f"{c} / 2 - (({c} / 2) ** 3 - {c}) / 3", "w_3 for the same with a_k = 1/(k + 1), w_1 = 0 again"),
        "start_share": (f"1 / ({n} + 1)", f"the weight of the start w_1 in w after {n} samples, w_(k+1) = w_k - a_k (w_k - x_k), a_k = 1/(k + 1)"),
        "memory": (f"(1 - {a}) ** {n}", f"the weight of the start after {n} samples if a_k = {a} in each step"),
        "fit": ("2", "how many of the five sequences 1/k, 1/k^2, 1/sqrt(k), 1/k^.75, 0.1 meet both sum a_k = infinity and sum a_k^2 < infinity"),
        "nearer": (f"{m} ** 0.5", f"by what factor the root mean square error of a mean falls if a step takes {m} samples instead of 1 (as many steps, a_k = 1/k)"),
    }
    return ask(
        "predict-steps", "how large a step?", numbers,
        minutes=15, difficulty=2, read="the docstring of rl/stochastic_approximation.py",
        task="Say these numbers before you run anything. Write a number or an expression in the place of each `...` (`import math` is allowed). "
             "Counts must be exact, other numbers right to 0.1 %.",
        hints=("After one whole step (a_1 = 1) from w = 0, where is w, and what does w^3 answer there?",
               "w_{k+1} = w_k - a_k g(w_k). Each step multiplies what is left of the start by 1 - a_k. For a_k = k^-p: p <= 1 and 2 p > 1.",
               "literal: w_2 = c, w_3 = c - (c^3 - c) / 2; gentle: w_2 = c / 2; start_share = product of k / (k + 1); memory = (1 - a)^n; nearer = sqrt(m)"),
        why="A first step of length 1 forgets the start, which is right for a mean, and overshoots where g is steep: from there w^3 answers with more than "
            "the falling steps can take back. Of 2,000 noisy runs with 1/k on w^3 - 5, seven or so survive.",
        wrong={
            "counts_from_2": ({"literal": f"{c} / 2 - (({c} / 2) ** 3 - {c}) / 3"}, "with a_k = 1/k the first step is a whole one: a_1 = 1, a_2 = 1/2."),
            "second_step_whole": ({"literal": f"{c} - ({c}**3 - {c})"}, "the second step is a_2 = 1/2, not 1 again."),
            "wrong_way": ({"literal": f"{c} + ({c}**3 - {c}) / 2"}, "above the root g is positive, and w must go down."),
            "half_twice": ({"gentle": f"{c} / 2 - (({c} / 2) ** 3 - {c}) / 2"}, "with a_k = 1/(k + 1), a_1 = 1/2 and a_2 = 1/3."),
            "start_forgotten": ({"start_share": "0.0"}, "a_k = 1/k forgets the start at once; 1/(k + 1) counts it like one more sample."),
            "one_less": ({"start_share": f"1 / {n}"}, "the start counts beside the samples: the weights 1/(n + 1) of all n + 1 numbers sum to 1."),
            "weight_of_a_sample": ({"memory": f"{a} * (1 - {a}) ** ({n} - 1)"}, "this is the weight of the first sample, not of the start."),
            "straight_line": ({"memory": f"max(1 - {n} * {a}, 0.0)"}, "each step keeps the share 1 - a of what is left: shares multiply."),
            "first_sum_only": ({"fit": "4"}, "these are the sequences whose sum is infinite: the sum of squares must be finite, too (1/sqrt(k) squared is 1/k)."),
            "squares_only": ({"fit": "3"}, "these are the sequences whose squares have a finite sum: their own sum must be infinite, and that of 1/k^2 is pi^2 / 6."),
            "only_one_over_k": ({"fit": "1"}, "1/k is not the only one: k^-p with 1/2 < p <= 1 will do."),
            "linear_gain": ({"nearer": f"{m}.0"}, "the variance falls by that factor; the root mean square error by its root."),
        },
        right={"steps": {"literal": f"(lambda w: w - (w**3 - {c}) / 2)(0 - (0 - {c}))", "start_share": f"math.prod(k / (k + 1) for k in range(1, {n} + 1))",
                         "fit": "sum(p <= 1 < 2 * p for p in (1, 2, 0.5, 0.75, 0))", "nearer": f"math.sqrt({m})"},
               "logarithms": {"memory": f"math.exp({n} * math.log(1 - {a}))", "gentle": f"{c} * 5 / 6 - {c}**3 / 24"}},
        own=lambda rng: predict_steps(int(rng.integers(3, 9)), int(rng.integers(5, 20)), float(rng.choice([0.05, 0.1, 0.2])), int(rng.choice([4, 9, 16, 25, 49]))),
    )  # fmt: skip


EXERCISES = (RM, MOMENTS, DESCEND, BATCHES, predict_steps(5, 10, 0.1, 25))
