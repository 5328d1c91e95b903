r"""Exercises over n-step methods and traces."""

import numpy as np

from .exercise import Exercise, expect
from .predictions import ask

# ---- TD(λ) in a table

COLUMNS = "td_lambda(state, reward, next_state, terminated, truncated, v, alpha, gamma, lam)"


def record():
    """Four episodes over four states, one after the other; state 3 is the end. The second and the last are stopped by the clock."""
    state = np.array([0, 1, 0, 2, 1, 1, 0, 2, 0, 1, 1])
    reward = np.array([1.0, -2, 3, 4, 0.5, 2, -1, 5, 1, 1, -3])
    next_state = np.array([1, 0, 2, 3, 1, 0, 2, 3, 1, 1, 2])
    terminated = np.isin(np.arange(11), [3, 7])
    return state, reward, next_state, terminated, np.isin(np.arange(11), [5, 10])


def table_by_sums(v, alpha, gamma, lam):
    """The same without a trace: each error is handed to each earlier step of its episode, one at a time."""
    v, first = v.copy(), 0
    for t, (s, r, s2, terminated, truncated) in enumerate(zip(*record())):
        delta = r + (0.0 if terminated else gamma * v[s2]) - v[s]
        for k in range(first, t + 1):
            v[record()[0][k]] += alpha * delta * (gamma * lam) ** (t - k)
        first = t + 1 if terminated or truncated else first
    return v


def table_by_hand(get):
    """By hand: three steps into the end; two episodes; a stopped clock"""
    f, no = get("answer:td_lambda"), np.zeros(3, bool)
    s, s2, end = np.array([0, 1, 0]), np.array([1, 0, 2]), np.array([False, False, True])
    v, r = np.array([0.0, 8, 5]), np.array([2.0, 4, 8])
    # δ = 2 + 4 − 0 = 6: v(0) = 3. δ = 4 + 1.5 − 8 = −2.5, z = (.25, 1): v = (2.6875, 6.75). δ = 8 − 2.6875, z = (1.0625, .25)
    want = np.array([2.6875 + 0.5 * 5.3125 * 1.0625, 6.75 + 0.5 * 5.3125 * 0.25, 5.0])
    call = f"{COLUMNS}\nsteps 0 -> 1 -> 0 -> 2 that pay 2, 4, 8, the last {{}}, v = [0, 8, 5], alpha = gamma = lam = 1/2:\nv"
    expect(f(s, r, s2, end, no, v, 0.5, 0.5, 0.5), want, call.format("terminated"))
    two = f(np.array([0, 1]), np.array([2.0, 4]), np.array([2, 2]), np.array([True, True]), no[:2], np.zeros(3), 0.5, 0.5, 0.5)
    expect(two, np.array([1.0, 2.0, 0.0]), "two episodes of one step, 0 -> 2 and 1 -> 2, that pay 2 and 4, v = 0, alpha = gamma = lam = 1/2:\nv")
    stopped = f(np.array([0, 1]), np.array([2.0, 4]), np.array([1, 1]), no[:2], np.array([True, True]), np.array([0.0, 8]), 0.5, 0.5, 0.5)
    expect(stopped, np.array([3.0, 8.0]), "two episodes of one step, 0 -> 1 and 1 -> 1, that pay 2 and 4, both truncated, v = [0, 8], alpha = gamma = lam = 1/2:\nv")
    expect(v, np.array([0.0, 8, 5]), "v as it was given: it must stay as it is")


def table_limits(get):
    """lam = 0 is TD(0); gamma = lam = 1 hands each error to all steps before it"""
    f, v = get("answer:td_lambda"), np.array([0.5, -1.0, 2.0, 7.0])
    one = v.copy()
    for s, r, s2, terminated, _ in zip(*record()):
        one[s] += 0.3 * (r + (0.0 if terminated else 0.9 * one[s2]) - one[s])
    expect(f(*record(), v, 0.3, 0.9, 0.0), one, "td_lambda of four episodes with lam = 0 (plain TD): v")
    expect(f(*record(), v, 0.1, 1.0, 1.0), table_by_sums(v, 0.1, 1.0, 1.0), "td_lambda of four episodes with gamma = lam = 1: v")


def table_definition(get):
    """Against the sums without a trace"""
    v = np.array([0.5, -1.0, 2.0, 7.0])
    for gamma, lam in ((0.9, 0.7), (0.6, 1.0), (1.0, 0.4)):
        expect(get("answer:td_lambda")(*record(), v, 0.2, gamma, lam), table_by_sums(v, 0.2, gamma, lam),
               f"td_lambda of four episodes, two of them stopped by the clock, alpha = .2, gamma = {gamma}, lam = {lam}: v")  # fmt: skip


STEP = "        z *= gamma * lam\n        z[state[t]] += 1.0\n        v += alpha * delta * z\n"
RESET = "        if terminated[t] or truncated[t]:\n            z[:] = 0.0\n"

TABLE = Exercise(
    id="trace-decay",
    title="TD(lambda): hand the error back",
    target="answer:td_lambda",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/traces.py",
    task="Steps of several episodes lie one after the other, in columns (N,): state, reward, next_state, terminated (nothing "
         "follows the step: the value of what comes next is 0), truncated (a clock stopped the episode there: next_state "
         "counts, but the next row is another episode). An episode ends where either is true. Starting from the values v (S,) "
         "of all states, learn by TD(lambda) with an accumulating trace, one step after the other: the error delta of the "
         "step (with the values as they are by then), the trace, which decays by gamma lam a step, counts the present state "
         "with 1 more and begins from zero in each episode, then the values of all states move by alpha delta times the "
         "trace. Return the new values (S,); the given arrays stay as they are.",
    answer='''\
import numpy as np


def td_lambda(state, reward, next_state, terminated, truncated, v, alpha, gamma, lam):
    """(N,) five times, (S,), three numbers -> (S,)"""
    v = np.array(v, float)
    z = np.zeros(len(v))
    for t in range(len(state)):
        follow = 0.0 if terminated[t] else v[next_state[t]]
        delta = reward[t] + gamma * follow - v[state[t]]
        z *= gamma * lam
        z[state[t]] += 1.0
        v += alpha * delta * z
        if terminated[t] or truncated[t]:
            z[:] = 0.0
    return v
''',
    check=(table_by_hand, table_limits, table_definition),
    equivalent={"z[:] = 0.0 -> z[:] = 0.0 * 1.03": "zero times anything"},
    probe=lambda f, get: (lambda v: np.concatenate([f(*record(), v, 0.2, 0.9, 0.7), v]))(np.array([0.5, -1.0, 2.0, 7.0])),
    hints=(
        "A reward comes four steps after a state was left. How much of the error should that state get, and how much a state "
        "of the episode before?",
        "z <- gamma lam z; z[s] <- z[s] + 1; v <- v + alpha delta z; z = 0 when an episode has ended.",
        "for each t: delta from v; decay z; mark the state; move *all* v; if terminated or truncated: z[:] = 0",
    ),
    why="The library's `trace_step` does the same with features in the place of states, for v and for q. One number a state is "
        "all the memory it needs: the sum over all earlier steps is carried along, and never written out.",
    wrong={
        "lam_only": ((("z *= gamma * lam", "z *= lam"),), "the trace decays by lam alone: what was k steps ago is discounted by gamma^k as well."),
        "gamma_only": ((("z *= gamma * lam", "z *= gamma"),), "the trace decays by gamma alone: lam is not used."),
        "never_reset": (((RESET, ""),), "the trace lives on into the next episode, whose errors are handed to states of the one before."),
        "reset_at_terminals_only": ((("        if terminated[t] or truncated[t]:\n", "        if terminated[t]:\n"),), "after a truncated episode the trace lives on: the next row is another episode, too."),
        "reset_too_early": (((STEP + RESET, RESET + STEP),), "the trace is cleared before the last step of the episode was handed back: the step into the end is what one learns from."),
        "replaces": ((("z[state[t]] += 1.0", "z[state[t]] = 1.0"),), "this trace replaces: an accumulating one adds 1 to what is left from before."),
        "marks_then_decays": ((("        z *= gamma * lam\n        z[state[t]] += 1.0\n", "        z[state[t]] += 1.0\n        z *= gamma * lam\n"),), "the present state is marked and then decays at once: its own error must count fully."),
        "through_the_end": ((("0.0 if terminated[t] else v[next_state[t]]", "v[next_state[t]]"),), "it bootstraps through the end of the world: after a terminated step nothing follows."),
        "clock_for_the_end": ((("0.0 if terminated[t] else", "0.0 if terminated[t] or truncated[t] else"),), "a stopped clock is taken for the end of the world: the value of next_state counts there."),
        "this_state_only": ((("v += alpha * delta * z", "v[state[t]] += alpha * delta * z[state[t]]"),), "only the present state is moved: the error belongs to all states in the trace."),
        "given_values": ((("    v = np.array(v, float)\n", ""),), "the given v is changed: work on a copy."),
    },
    right={
        "sums": """\
import numpy as np


def td_lambda(state, reward, next_state, terminated, truncated, v, alpha, gamma, lam):
    v, past = [float(x) for x in v], []
    for s, r, s2, end, cut in zip(state, reward, next_state, terminated, truncated):
        delta = r - v[s] + (0 if end else gamma * v[s2])
        past.append(s)
        share = alpha * delta
        for earlier in reversed(past):
            v[earlier] += share
            share *= gamma * lam
        if end or cut:
            past = []
    return np.array(v)
""",
        "new_arrays": """\
import numpy as np


def td_lambda(state, reward, next_state, terminated, truncated, v, alpha, gamma, lam):
    eye, alive = np.eye(len(v)), 0.0
    z = np.zeros(len(v))
    for s, r, s2, end, cut in zip(state, reward, next_state, terminated, truncated):
        z = alive * z + eye[s]
        v = v + alpha * (r + gamma * v[s2] * (1 - end) - v[s]) * z
        alive = gamma * lam * (1 - max(end, cut))
    return v
""",
    },
)  # fmt: skip

# ---- the dutch trace


def online_lambda_return(Phi, reward, w, alpha, gamma, lam):
    """Sutton & Barto, section 12.4: after each step h all updates again, with returns cut off at h. Phi (T + 1, F): the last row is 0
    if the world ends there. Returns w after each step, (T, F)."""
    history, after, first = [], [], w
    for h in range(1, len(reward) + 1):
        after.append(Phi[h] @ w)
        w = first
        for t in range(h):
            g = after[h - 1]
            for k in range(h - 1, t - 1, -1):
                g = reward[k] + gamma * ((1 - lam) * after[k] + lam * g if k < h - 1 else after[k])
            w = w + alpha * (g - Phi[t] @ w) * Phi[t]
        history.append(w)
    return np.array(history)


def walk_through(f, Phi, reward, w, *settings):
    """w after each step of an episode, (T, F), and the last z and v_old."""
    z, v_old, history = np.zeros(len(w)), 0.0, []
    for t in range(len(reward)):
        w, z, v_old = f(w, z, v_old, Phi[t], reward[t], Phi[t + 1], *settings)
        history.append(np.array(w))
    return np.array(history), z, v_old


def episode(seed=0, T=6, F=3):
    """Features that overlap, rewards, first weights."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((T + 1, F)), rng.standard_normal(T), rng.standard_normal(F)


def dutch_by_hand(get):
    """By hand: one step in the middle of an episode; the given arrays stay"""
    w, z, phi, after = np.array([2.0, 4.0]), np.array([2.0, 1.0]), np.array([1.0, 0.0]), np.array([0.0, 0.5])
    got = get("answer:true_online_step")(w, z, 1.0, phi, 6.0, after, 0.5, 0.5, 0.5)
    call = "true_online_step(w=[2, 4], z=[2, 1], v_old=1, phi=[1, 0], reward=6, phi_next=[0, .5], alpha=.5, gamma=.5, lam=.5)"
    expect(len(got), 3, f"the length of {call}: w, z and v_old; it")
    # z: (.5, .25), then + (1 − .5 · .5) (1, 0) = (1.25, .25). δ = 6 + 1 − 2 = 5; v − v_old = 1
    expect(got[1], np.array([1.25, 0.25]), f"{call}:\nthe new z")
    expect(got[0], np.array([2 + 0.5 * 6 * 1.25 - 0.5, 4 + 0.5 * 6 * 0.25]), f"{call}:\nthe new w")
    expect(got[2], 2.0, f"{call}:\nthe new v_old")
    for name, array, was in (("w", w, [2.0, 4.0]), ("z", z, [2.0, 1.0])):
        expect(array, np.array(was), f"{name} as it was given: it must stay as it is")


def dutch_td(get):
    """lam = 0 is TD(0)"""
    Phi, reward, w = episode()
    got, want = walk_through(get("answer:true_online_step"), Phi, reward, w, 0.2, 0.9, 0.0)[0], []
    for t in range(len(reward)):
        w = w + 0.2 * (reward[t] + 0.9 * Phi[t + 1] @ w - Phi[t] @ w) * Phi[t]
        want.append(w)
    expect(got, np.array(want), "w after each of six steps with lam = 0 (plain TD)", rtol=1e-9)


def dutch_forward(get):
    """The online lambda-return algorithm, all updates again after every step"""
    for seed, (gamma, lam) in enumerate(((0.9, 0.8), (1.0, 1.0), (0.7, 0.5))):
        Phi, reward, w = episode(seed)
        Phi[-1] *= seed % 2
        got = walk_through(get("answer:true_online_step"), Phi, reward, w, 0.2, gamma, lam)[0]
        want = online_lambda_return(Phi, reward, w, 0.2, gamma, lam)
        expect(got, want, f"w after each of six steps, alpha = .2, gamma = {gamma}, lam = {lam}: forward and backward view must agree; it", rtol=1e-9)


def dutch_probe(f, get):
    """w along an episode, the last trace, and what became of the given arrays."""
    Phi, reward, w = episode(5)
    kept, z = w.copy(), np.ones(3)
    history, last, v_old = walk_through(f, Phi, reward, w, 0.2, 0.9, 0.8)
    f(kept, z, 0.0, Phi[0], 1.0, Phi[1], 0.2, 0.9, 0.8)
    return np.concatenate([history.ravel(), last, [v_old], kept, z])


DUTCH = Exercise(
    id="dutch-trace",
    title="true online TD(lambda): one step",
    target="answer:true_online_step",
    kind="variant",
    minutes=25,
    difficulty=3,
    read="the docstring of rl/traces.py; Sutton & Barto, section 12.5",
    task="One step of true online TD(lambda) with features: w, z (F,), v_old (what phi' w was in the target of the step before, "
         "by the weights of then), phi (F,) of the present state, the reward, phi_next (F,) of the next state (all zeros if the "
         "world ended), alpha, gamma, lam. With v = phi' w and v_next = phi_next' w, both by the given w, and delta = reward + "
         "gamma v_next - v: the trace decays by gamma lam and gets the *dutch* mark; then w moves along it, with the "
         "correction for v having changed since it was v_old. Return the new w, the new z and the v_old for the next step (a "
         "number), so that after every step of an episode, begun with z = 0 and v_old = 0, w is that of the online "
         "lambda-return algorithm. The given arrays stay as they are.",
    answer='''\
import numpy as np


def true_online_step(w, z, v_old, phi, reward, phi_next, alpha, gamma, lam):
    """(F,), (F,), number, (F,), number, (F,), three numbers -> (F,), (F,), number"""
    v, v_next = phi @ w, phi_next @ w
    delta = reward + gamma * v_next - v
    z = gamma * lam * z
    z = z + (1 - alpha * (z @ phi)) * phi
    w = w + alpha * (delta + v - v_old) * z - alpha * (v - v_old) * phi
    return w, z, v_next
''',
    check=(dutch_by_hand, dutch_td, dutch_forward),
    equivalent={text: "of vectors, the product is the same either way round" for text in ("phi @ w -> w @ phi", "phi_next @ w -> w @ phi_next", "z @ phi -> phi @ z")},
    probe=dutch_probe,
    hints=(
        "The state before had v_old in its target. Now the same state is worth v, though nothing new was seen of it. Who must "
        "be told of the difference, and who not?",
        "z <- gamma lam z; z <- z + (1 - alpha z'phi) phi; w <- w + alpha (delta + v - v_old) z - alpha (v - v_old) phi.",
        "v, v_next, delta from the given w; decay z; mark with the decayed z in the bracket; move w; return w, z, v_next",
    ),
    why="`mark` and `trace_step` in rl/traces.py do this for v and for q. It costs four passes over F numbers; the algorithm "
        "that it equals costs as many passes as the episode has steps, in every step.",
    wrong={
        "accumulates": ((("(1 - alpha * (z @ phi)) * phi", "phi"),), "the trace accumulates: the dutch mark is smaller, by alpha z'phi."),
        "replaces": ((("z = z + (1 - alpha * (z @ phi)) * phi", "z = np.where(phi != 0, phi, z)"),), "the trace replaces: the dutch mark is added to what is left, and a little smaller than phi."),
        "bracket_before_decay": ((("    z = gamma * lam * z\n    z = z + (1 - alpha * (z @ phi)) * phi\n", "    z = gamma * lam * z + (1 - alpha * (z @ phi)) * phi\n"),), "the bracket has the trace from before it decayed: it is 1 - alpha gamma lam z'phi, with the old z."),
        "lam_only": ((("z = gamma * lam * z", "z = lam * z"),), "the trace decays by lam alone: gamma is missing."),
        "no_correction": ((("alpha * (delta + v - v_old) * z - alpha * (v - v_old) * phi", "alpha * delta * z"),), "w moves by alpha delta z alone: the correction for v - v_old is missing."),
        "half_a_correction": (((" - alpha * (v - v_old) * phi", ""),), "half of the correction is missing: the present state is told of a change that it made itself."),
        "other_half": ((("(delta + v - v_old) * z", "delta * z"),), "half of the correction is missing: the states before are not told that v has changed."),
        "correction_sign": ((("- alpha * (v - v_old) * phi", "+ alpha * (v - v_old) * phi"),), "the correction along phi has the wrong sign."),
        "v_old_is_v": ((("return w, z, v_next", "return w, z, v"),), "v_old must be the value of the *next* state, that is what the next step will compare with."),
        "v_old_by_new_w": ((("return w, z, v_next", "return w, z, phi_next @ w"),), "v_old is taken with the new w: then the next step finds that nothing has changed. It is the number that stood in this step's target."),
        "in_place": ((("    z = gamma * lam * z\n", "    z *= gamma * lam\n"),), "the given z is changed: make a new one."),
    },
    right={
        "book": """\
import numpy as np


def true_online_step(w, z, v_old, phi, reward, phi_next, alpha, gamma, lam):
    V, V2 = np.dot(w, phi), np.dot(w, phi_next)
    delta = reward + gamma * V2 - V
    z2 = gamma * lam * z + (1 - alpha * gamma * lam * np.dot(z, phi)) * phi
    return w + alpha * (delta + V - V_old(v_old)) * z2 - alpha * (V - V_old(v_old)) * phi, z2, V2


def V_old(x):
    return float(x)
""",
        "other_form": """\
import numpy as np


def true_online_step(w, z, v_old, phi, reward, phi_next, alpha, gamma, lam):
    follow = float(np.sum(phi_next * w))
    e = np.array(z) * (gamma * lam)
    e -= phi * (alpha * np.sum(e * phi) - 1)
    old_error = reward + gamma * follow - v_old
    new = w + alpha * old_error * e + alpha * (v_old - np.sum(phi * w)) * phi
    return new, e, follow
""",
    },
)  # fmt: skip

# ---- numbers before running


def predict_traces(gamma, lam, T):
    """Numbers about traces with this γ and λ."""
    x = f"({gamma} * {lam})"
    numbers = {
        "accumulating": (f"1 + {x} + {x}**3", "the accumulating trace of the state at time 3, right after it was marked"),
        "replacing": ("1.0", "the replacing trace of the state at time 3, right after it was marked"),
        "dutch": (f"(1 + 0.5 * {x}**2) * {x} * 0.5 + 1", "the dutch trace of the state at time 3, right after it was marked, alpha = 1/2"),
        "later": (f"{x}**4", "the replacing trace of the state four steps after that, not seen again"),
        "half": (f"math.log(0.5) / math.log({x})", "after how many steps a trace has fallen to half (not rounded)"),
        "first_weight": (f"1 - {lam}", f"the weight of the one-step return in the lambda-return, {T} steps before the end of the world"),
        "last_weight": (f"{lam}**{T - 1}", f"the weight of the full return in it, {T} steps before the end"),
    }
    return ask(
        "predict-traces", "how long does a trace live?", numbers,
        minutes=15, difficulty=2, read="the docstring of rl/traces.py",
        task=f"Say these numbers before you run anything. gamma = {gamma}, lam = {lam}. A state has one feature of its own, of value 1, and is seen at the times 0, 2 and 3 of an episode; each step its trace "
             f"decays first, and then is marked if the state is seen. The last two ask for the weights of the n-step returns in the lambda-return of a state that is left {T} steps before the end of the world "
             "(n = 1 ... T). Write a number or an expression in the place of each `...` (`import math` is allowed), right to 0.1 %.",
        hints=("Write down the trace at the times 0, 1, 2, 3, first without the marks. What do the three kinds add?",
               "z decays by gamma lam; then + 1, or = 1, or + (1 - alpha z) with the decayed z. Weights: (1 - lam) lam^(n-1), and all that is left for the return, so that their sum is 1.",
               "x = gamma lam; accumulating = 1 + x + x^3; dutch: z = x^2, then z + (1 - z/2), times x, then the mark again; half = ln(1/2) / ln(x); the last weight = lam^(T-1)"),
        why="With gamma lam = 0.72 half of a trace is gone after two steps: lam = 0.8 looks about five steps ahead on average, 1/(1 - lam), and the best n and the best lam of the walk of 19 states are of "
            "that size, too.",
        wrong={
            "forgets_the_first": ({"accumulating": f"1 + {x}"}, "what is left of time 0 is missing in the accumulating trace."),
            "two_for_three": ({"accumulating": f"1 + {x} + {x}**2"}, "time 0 is three steps before time 3: the trace has decayed three times."),
            "adds_for_replacing": ({"replacing": f"1 + {x}"}, "a replacing trace is set back to 1, whatever was left."),
            "dutch_is_accumulating": ({"dutch": f"1 + {x} + {x}**3"}, "the dutch mark is 1 - alpha z, not 1."),
            "dutch_once": ({"dutch": f"(1 + {x}**2) * {x} * 0.5 + 1"}, "the dutch mark is smaller at time 2, as well: it was seen at time 0."),
            "lam_only": ({"later": f"{lam}**4", "half": f"math.log(0.5) / math.log({lam})"}, "a trace decays by gamma times lam, not by lam alone."),
            "one_late": ({"later": f"{x}**3"}, "four steps: it decays in each of them."),
            "weight_is_lam": ({"first_weight": f"{lam}"}, "the one-step return has the weight 1 - lam: with lam = 0 it is all."),
            "weight_normalised": ({"last_weight": f"(1 - {lam}) * {lam}**{T - 1}"}, "all n beyond the end of the world give the same return: it gets the weights of all of them."),
            "weight_one_late": ({"last_weight": f"{lam}**{T}"}, "the weights before it are (1 - lam) lam^(n-1) for n < T: count what is left."),
        },
        right={
            "written_out": {"accumulating": f"(({x}) * {x} + 1) * {x} + 1", "dutch": f"({x}**2 + 1 - 0.5 * {x}**2) * {x} + 1 - 0.5 * ({x}**2 + 1 - 0.5 * {x}**2) * {x}"},
            "logarithms": {"half": f"-math.log2(2) / math.log2({x})", "last_weight": f"1 - sum((1 - {lam}) * {lam}**k for k in range({T - 1}))"},
        },
        own=lambda rng: predict_traces(rng.integers(85, 97) / 100, rng.integers(60, 90) / 100, int(rng.integers(4, 8))),
    )  # fmt: skip


EXERCISES = (TABLE, DUTCH, predict_traces(0.9, 0.8, 5))
