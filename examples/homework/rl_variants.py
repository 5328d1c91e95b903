r"""Exercises over reinforcement learning: next-door variants that the library does not hold."""

import numpy as np

from .exercise import Exercise, expect

# ---- a slippery grid


def line(n=4):
    """A corridor of n states and its two actions, left and right; P (n, 2, n), R (n, 2). The right end is terminal."""
    P, R = np.zeros((n, 2, n)), np.full((n, 2), -1.0)
    for s in range(n - 1):
        P[s, 0, max(s - 1, 0)] = P[s, 1, s + 1] = 1
    P[n - 1, :, n - 1], R[n - 1], R[n - 2, 1] = 1, 0, 5
    return P, R


def slippery_by_hand(get):
    """By hand: a corridor of four"""
    P, R = get("answer:slippery")(*line(), 0.2)
    expect(P[1], np.array([[0.9, 0, 0.1, 0], [0.1, 0, 0.9, 0]]), "slippery(P, R, slip=.2): P of the second state of a corridor (left, right)")
    expect(R[2], np.array([-0.4, 4.4]), "slippery(P, R, slip=.2): R of the third state, whose actions pay -1 and 5,")


def slippery_properties(get):
    """Rows sum to 1; slip 0 and 1; nothing is changed"""
    rng = np.random.default_rng(0)
    P, R = rng.dirichlet(np.ones(4), (4, 3)), rng.standard_normal((4, 3))
    before = P.copy(), R.copy()
    same = get("answer:slippery")(P, R, 0.0)
    expect(same[0], P, "P of slippery(P, R, 0)")
    expect(same[1], R, "R of slippery(P, R, 0)")
    alike = get("answer:slippery")(P, R, 1.0)
    expect(alike[0], np.repeat(P.mean(axis=1, keepdims=True), 3, axis=1), "P of slippery(P, R, 1): all actions are alike; it")
    expect(alike[1], np.repeat(R.mean(axis=1, keepdims=True), 3, axis=1), "R of slippery(P, R, 1)")
    expect(get("answer:slippery")(P, R, 0.3)[0].sum(axis=2), np.ones((4, 3)), "the sums over s' of P of slippery(P, R, .3)")
    expect(P, before[0], "P after slippery(P, R, slip): it must stay as it is")
    expect(R, before[1], "R after slippery(P, R, slip): it must stay as it is")


def slippery_values(get):
    """The best values in the corridor, against value iteration in plain NumPy"""
    P, R = get("answer:slippery")(*line(5), 0.4)
    solved = get("rl.dynamic_programming:value_iteration")(get("rl.mdp:MDP")(P, R), 0.9)
    P0, R0 = line(5)
    v = np.zeros(5)
    for _ in range(400):
        q = R0 + 0.9 * P0 @ v
        v = (0.6 * q + 0.4 * q.mean(axis=1, keepdims=True)).max(axis=1)
    expect(solved.values, v, "the best values of a corridor of five with slip = .4, gamma = .9,", rtol=1e-6)


SLIPPERY = Exercise(
    id="slippery-grid",
    title="a world on ice",
    target="answer:slippery",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="rl/mdp.py, the notation: P (S, A, S), R (S, A)",
    task="P (S, A, S) and R (S, A) describe a process. In the slippery one, whatever action is chosen, with probability slip a "
         "random one of all A actions is executed in its place (which may happen to be the same). Return its P (S, A, S) and R "
         "(S, A), as a pair; the given arrays stay as they are.",
    answer='''\
import numpy as np


def slippery(P, R, slip):
    """(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    P2 = (1 - slip) * P + slip * P.mean(axis=1, keepdims=True)
    R2 = (1 - slip) * R + slip * R.mean(axis=1, keepdims=True)
    return P2, R2
''',
    check=(slippery_by_hand, slippery_properties, slippery_values),
    probe=lambda f, get: (lambda P, R: np.concatenate([np.ravel(part) for part in (*f(P, R, 0.3), P, R)]))(*line()),
    hints=(
        "With probability slip the world does not listen. Where does one land then, on average over what it does instead?",
        "P' = (1 - slip) P + slip mean_a P, and the same for R.",
        "return (1 - slip) * P + slip * P.mean(axis=1, keepdims=True), the same with R",
    ),
    why="The library has the same under another name: an epsilon-greedy agent lives in just such a world (soften_mdp), so the "
        "best epsilon-greedy policy is an ordinary optimum.",
    wrong={
        "changes_its_arguments": ((("    P2 = (1 - slip) * P + slip * P.mean(axis=1, keepdims=True)\n    R2 = (1 - slip) * R + "
                                    "slip * R.mean(axis=1, keepdims=True)\n    return P2, R2\n",
                                  "    P[:], R[:] = (1 - slip) * P + slip * P.mean(axis=1, keepdims=True), (1 - slip) * R + "
                                  "slip * R.mean(axis=1, keepdims=True)\n    return P, R\n"),),
                                  "the given arrays are changed: make new ones."),
        "first_reward_only": ((("slip * R.mean(axis=1, keepdims=True)", "slip * R[:, :1]"),), "one slips into the first action only, as far as R goes: it is the mean over all."),
        "other_actions_only": ((("    P2 = (1 - slip) * P + slip * P.mean(axis=1, keepdims=True)\n    R2 = (1 - slip) * R + "
                                 "slip * R.mean(axis=1, keepdims=True)\n",
                                 "    n = P.shape[1]\n    P2 = (1 - slip) * P + slip * (P.sum(axis=1, keepdims=True) - P) / (n "
                                 "- 1)\n    R2 = (1 - slip) * R + slip * (R.sum(axis=1, keepdims=True) - R) / (n - 1)\n"),),
                               "slipping is spread over the *other* actions: it may pick the chosen one, too."),
        "reward_as_before": ((("    R2 = (1 - slip) * R + slip * R.mean(axis=1, keepdims=True)\n", "    R2 = R.copy()\n"),), "R is as before: it is paid for what is executed, not for what was wished."),
        "mean_over_states": ((("P.mean(axis=1, keepdims=True)", "P.mean(axis=0, keepdims=True)"), ("R.mean(axis=1, keepdims=True)", "R.mean(axis=0, keepdims=True)")),
                             "the mean runs over the states: one cannot slip into another state's moves."),
        "sum_for_mean": ((("P.mean(", "P.sum("), ("R.mean(", "R.sum(")), "a sum over the actions where a mean was meant: the rows no longer sum to 1."),
        "anywhere": ((("slip * P.mean(axis=1, keepdims=True)", "slip / P.shape[2]"),), "one slips into any state at all: only the moves of this state can happen."),
        "exchanged": ((("(1 - slip) * P + slip * P", "slip * P + (1 - slip) * P"), ("(1 - slip) * R + slip * R", "slip * R + (1 - slip) * R")), "slip and 1 - slip are exchanged."),
    },
    right={
        "loops": """\
import numpy as np


def slippery(P, R, slip):
    n = P.shape[1]
    newP, newR = (1 - slip) * P, (1 - slip) * R
    for a in range(n):
        for b in range(n):
            newP[:, a] = newP[:, a] + slip / n * P[:, b]
            newR[:, a] = newR[:, a] + slip / n * R[:, b]
    return newP, newR
""",
        "matrix": """\
import numpy as np


def slippery(P, R, slip):
    n = R.shape[1]
    M = (1 - slip) * np.eye(n) + slip / n
    return np.einsum('ab,sbt->sat', M, P), R @ M
""",
    },
)  # fmt: skip

# ---- n-step targets


def by_definition(rewards, values, terminated, gamma, n):
    """Each target from its own sum."""
    T, targets = len(rewards), []
    for t in range(T):
        end = min(t + n, T)
        g = sum(gamma ** (k - t) * rewards[k] for k in range(t, end))
        if end < T or not terminated:
            g += gamma ** (end - t) * values[end]
        targets.append(g)
    return np.array(targets)


def nstep_by_hand(get):
    """By hand: three steps"""
    f, r, v = get("answer:n_step_targets"), np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 30.0, 40.0])
    call = "n_step_targets(rewards=[1, 2, 4], values=[10, 20, 30, 40], terminated={}, gamma=.5, n={})"
    expect(f(r, v, True, 0.5, 1), np.array([11.0, 17.0, 4.0]), call.format(True, 1))
    expect(f(r, v, True, 0.5, 2), np.array([9.5, 4.0, 4.0]), call.format(True, 2))
    expect(f(r, v, False, 0.5, 2), np.array([9.5, 14.0, 24.0]), call.format(False, 2))


def nstep_definition(get):
    """Against each sum written out, for every n"""
    rng = np.random.default_rng(0)
    r, v = rng.standard_normal(7), rng.standard_normal(8)
    for n in (1, 2, 3, 6, 7, 8, 100):
        for terminated in (True, False):
            got = get("answer:n_step_targets")(r.copy(), v.copy(), terminated, 0.9, n)
            expect(got, by_definition(r, v, terminated, 0.9, n), f"n_step_targets of an episode of 7 steps, terminated={terminated}, gamma=.9, n={n}")


NSTEP = Exercise(
    id="n-step-targets",
    title="targets that look n steps ahead",
    target="answer:n_step_targets",
    kind="variant",
    minutes=25,
    difficulty=2,
    read="gradient_monte_carlo and td in rl/linear_value.py: n = infinity, and n = 1",
    task="An episode of T steps: rewards (T,), rewards[t] follows state t; values (T + 1,) of the states 0 ... T; terminated: "
         "whether the world ended with the last step (else only the clock stopped, and the value of the last state counts). "
         "Return (T,) targets: the discounted sum of the next n rewards and, discounted too, the value of the state reached "
         "then. Where the episode has fewer than n steps left, sum what there is, up to state T.",
    answer='''\
import numpy as np


def n_step_targets(rewards, values, terminated, gamma, n):
    """(T,), (T + 1,), bool, number, int -> (T,)"""
    T = len(rewards)
    targets = np.zeros(T)
    for t in range(T):
        end = min(t + n, T)
        g = 0.0 if terminated and end == T else values[end]
        for k in range(end - 1, t - 1, -1):
            g = rewards[k] + gamma * g
        targets[t] = g
    return targets
''',
    check=(nstep_by_hand, nstep_definition),
    probe=lambda f, get: np.concatenate([f(np.array([1.0, 2, 4, 3, 7]), np.array([10.0, 20, 30, 40, 50, 60]), end, 0.5, 2) for end in (True, False)]),
    hints=(
        "Three steps before the end of the world, with n = 10: how many rewards are left, and what is worth how much after them?",
        "G_t = r_t + gamma r_{t+1} + ... + gamma^(m-1) r_{t+m-1} + gamma^m v(s_{t+m}) with m = min(n, T - t); the last term is "
        "0 if the world ended there.",
        "for each t: end = min(t + n, T); g = 0 if terminated and end == T else values[end]; for k backwards from end - 1 to "
        "t: g = rewards[k] + gamma * g",
    ),
    why="Running backwards (g = r + gamma g) needs no powers of gamma. n = 1 is TD(0), n >= T is Monte Carlo; between them "
        "bias is traded for variance.",
    wrong={
        "discount_of_n": ((("        g = 0.0 if terminated and end == T else values[end]\n", "        g = 0.0 if terminated and end == T else gamma ** (n - (end - t)) * values[end]\n"),),
                          "the value is always discounted n times, even where fewer than n steps were left."),
        "no_discount": ((("g = rewards[k] + gamma * g", "g = rewards[k] + g"),), "gamma is missing."),
        "terminal_at_any_end": ((("0.0 if terminated and end == T else values[end]", "0.0 if terminated and t + n > T else values[end]"),),
                                "off by one at the end of the world: a target that reaches the last state exactly must not "
                                "bootstrap either."),
        "one_reward_too_few": ((("for k in range(end - 1, t - 1, -1)", "for k in range(end - 2, t - 1, -1)"),), "n - 1 rewards are summed: off by one."),
        "bootstraps_through_terminal": ((("0.0 if terminated and end == T else values[end]", "values[end]"),), "it bootstraps through the end of the world: after a terminated step nothing follows."),
        "truncation_is_an_end": ((("0.0 if terminated and end == T else values[end]", "0.0 if end == T else values[end]"),), "a stopped clock is taken for the end of the world: the last state's value counts unless `terminated`."),
        "never_bootstraps": ((("0.0 if terminated and end == T else values[end]", "0.0 if terminated or end == T else values[end]"),), "in an episode that terminates, no target bootstraps: only those that reach the end should not."),
        "one_reward_too_many": ((("end = min(t + n, T)", "end = min(t + n + 1, T)"),), "n + 1 rewards are summed: off by one."),
        "value_not_discounted": ((("        g = 0.0 if terminated and end == T else values[end]\n", "        tail = 0.0 if terminated and end == T else values[end]\n        g = 0.0\n"),
                                  ("targets[t] = g", "targets[t] = g + tail")), "the value at the end is not discounted: it comes n steps later."),
        "value_of_now": ((("else values[end]", "else values[t]"),), "the value of the state at the beginning stands where that of the state reached was meant."),
        "value_one_early": ((("else values[end]", "else values[end - 1]"),), "the value is that of the state before: values[t + n] follows n rewards."),
    },
    right={
        "powers": """\
import numpy as np


def n_step_targets(rewards, values, terminated, gamma, n):
    r, v = np.asarray(rewards, float), np.array(values, float)
    if terminated:
        v[-1] = 0
    T = len(r)
    out = []
    for t in range(T):
        m = min(n, T - t)
        out.append(r[t:t + m] @ gamma ** np.arange(m) + gamma ** m * v[t + m])
    return np.array(out)
""",
        "repeated": """\
import numpy as np


def n_step_targets(rewards, values, terminated, gamma, n):
    g = np.array(values, dtype=float)
    g[-1] *= not terminated
    for _ in range(min(n, len(rewards))):
        g[:-1] = rewards + gamma * g[1:]
    return g[:-1]
""",
    },
)  # fmt: skip

# ---- a windy grid

BOOK = 7, 10, np.array([0, 0, 0, 1, 1, 1, 2, 2, 1, 0]), 37  # rows, columns, wind, goal of Sutton & Barto's example 6.5


def windy_by_hand(get):
    """By hand: three rows of four"""
    table = get("answer:windy")(3, 4, np.array([0, 1, 2, 0]), 7)
    expect(np.shape(table), np.array([12, 4]), "the shape of windy(rows=3, columns=4, wind=[0, 1, 2, 0], goal=7): it")
    for s, want in ((8, (4, 9, 8, 8)), (3, (3, 3, 7, 2)), (9, (1, 6, 9, 4)), (10, (2, 3, 6, 1)), (5, (1, 2, 5, 0)), (7, (7, 7, 7, 7)), (6, (2, 3, 2, 1)), (11, (7, 11, 11, 10))):
        expect(np.asarray(table)[s], np.array(want), f"windy(rows=3, columns=4, wind=[0, 1, 2, 0], goal=7): after up, right, down, left in state {s}:")


def windy_everywhere(get):
    """Every cell of a larger map, some wind blowing down; the wind is left alone"""
    rows, columns, wind = 6, 8, np.array([0, -1, 3, 1, -2, 0, 2, 1])
    y, x = np.divmod(np.arange(48), 8)
    want = np.stack([np.clip(y + i - wind[x], 0, 5) * 8 + np.clip(x + j, 0, 7) for i, j in ((-1, 0), (0, 1), (1, 0), (0, -1))], axis=1)
    want[20] = 20
    got, before = np.asarray(get("answer:windy")(rows, columns, wind, 20)), wind.copy()
    for s in range(48):
        expect(got[s], want[s], f"windy(rows=6, columns=8, wind={before.tolist()}, goal=20): after up, right, down, left in state {s}:")
    expect(wind, before, "wind after windy: it must stay as it is")


def windy_shortest(get):
    """The book's shortest way: 15 steps"""
    table, steps, seen = np.asarray(get("answer:windy")(*BOOK)), 0, {30}
    while 37 not in seen and steps < 70:
        seen, steps = seen | {int(s2) for s in seen for s2 in table[s]}, steps + 1
    expect(steps, 15, "Sutton & Barto's windy grid world (7 x 10, wind 0 0 0 1 1 1 2 2 1 0): steps of the shortest way from "
                      "state 30 to the goal 37:")


WINDY = Exercise(
    id="windy-grid",
    title="a grid world with wind",
    target="answer:windy",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="GridWorld.outcome in rl/envs/grid_world.py; Sutton & Barto, example 6.5",
    task="States are the cells of a map, numbered row by row from 0, the top row first. Actions 0 to 3 move one cell up, "
         "right, down, left; the wind of the column *where the step begins* adds wind[column] cells upwards (downwards where "
         "it is negative). Move and wind are added first; a row or a column that is then outside the map becomes the nearest "
         "one inside. Every action in the goal stays there. Return the state that follows, (rows * columns, 4) integers; wind "
         "(columns,) stays as it is.",
    answer='''\
import numpy as np


def windy(rows, columns, wind, goal):
    """int, int, (columns,) integers, int -> (rows * columns, 4) integers"""
    moves = ((-1, 0), (0, 1), (1, 0), (0, -1))
    table = np.zeros((rows * columns, 4), int)
    for s in range(rows * columns):
        row, column = divmod(s, columns)
        for a, (down, right) in enumerate(moves):
            y = min(max(row + down - wind[column], 0), rows - 1)
            x = min(max(column + right, 0), columns - 1)
            table[s, a] = s if s == goal else y * columns + x
    return table
''',
    check=(windy_by_hand, windy_everywhere, windy_shortest),
    probe=lambda f, get: f(*BOOK),
    hints=(
        "You step to the right out of a column with wind 2. Which two numbers change, by how much, and who decides: the column "
        "left or the column entered?",
        "row' = clip(row + move - wind[column], 0, rows - 1), column' = clip(column + move, 0, columns - 1), s' = row' * "
        "columns + column'.",
        "for each s: row, column = divmod(s, columns); for each action: the two lines with min(max(..., 0), last); table[goal] "
        "= goal",
    ),
    why="The library has such a world, rl/envs/windy_grid.py; and any such table becomes an environment: TabularEnvironment(next_state[:, "
        ":, None], ...). With -1 a step and gamma = 1 the best value of the book's start is -15.",
    wrong={
        "wind_of_arrival": ((("            y = min(max(row + down - wind[column], 0), rows - 1)\n            x = min(max(column "
                              "+ right, 0), columns - 1)\n",
                              "            x = min(max(column + right, 0), columns - 1)\n            y = min(max(row + down - "
                              "wind[x], 0), rows - 1)\n"),), "the wind is that of the column entered: it blows in the one where the step begins."),
        "blows_down": ((("- wind[column]", "+ wind[column]"),), "the wind blows down: rows are counted from the top, so up means a smaller number."),
        "clips_between": ((("min(max(row + down - wind[column], 0), rows - 1)", "min(max(min(max(row + down, 0), rows - 1) - wind[column], 0), rows - 1)"),),
                          "the move is put back into the map before the wind blows: add both, then put back once."),
        "bump_stays": ((("            y = min(max(row + down - wind[column], 0), rows - 1)\n            x = min(max(column + "
                         "right, 0), columns - 1)\n",
                         "            y, x = row + down - wind[column], column + right\n            if not (0 <= y < rows and 0 "
                         "<= x < columns):\n                y, x = row, column\n"),),
                       "a step that leaves the map is taken back as a whole: only the row or column that is outside is put "
                       "back."),
        "goal_leaves": ((("s if s == goal else y * columns + x", "y * columns + x"),), "one can leave the goal: every action must stay there."),
        "wind_by_row": ((("wind[column]", "wind[row]"),), "the wind is looked up by the row: each column has its own."),
        "torus": ((("min(max(row + down - wind[column], 0), rows - 1)", "(row + down - wind[column]) % rows"), ("min(max(column + right, 0), columns - 1)", "(column + right) % columns")),
                  "the map has become a torus: who leaves it comes back on the other side."),
        "columns_for_rows": ((("y * columns + x", "y * rows + x"),), "the number of a cell is row * columns + column: here it is multiplied by the number of rows."),
    },
    right={
        "arrays": """\
import numpy as np


def windy(rows, columns, wind, goal):
    y, x = np.indices((rows, columns)).reshape(2, -1, 1)
    y2 = y + np.array([-1, 0, 1, 0]) - np.asarray(wind)[x]
    x2 = x + np.array([0, 1, 0, -1])
    table = np.ravel_multi_index((y2, x2), (rows, columns), mode='clip')
    table[goal] = goal
    return table
""",
        "lists": """\
def inside(i, n):
    return 0 if i < 0 else n - 1 if i >= n else int(i)


def windy(rows, columns, wind, goal):
    table = []
    for y in range(rows):
        for x in range(columns):
            to = [(y - 1, x), (y, x + 1), (y + 1, x), (y, x - 1)]
            if y * columns + x == goal:
                table.append([goal] * 4)
            else:
                table.append([inside(i - wind[x], rows) * columns + inside(j, columns) for i, j in to])
    return table
""",
    },
)  # fmt: skip

EXERCISES = (SLIPPERY, NSTEP, WINDY)
