r"""The museum, reinforcement learning: ends that are none, pairs that are none, and a wall that costs what it should not."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- 6. a clock that stops is taken for the end of the world


def record(get):
    """Two episodes over four states, the last terminal: one that ends there, one that is stopped in state 1. A third, stopped in 0."""
    columns = [[0, 1, 2, 2, 0, 1, 0], [1.0, -2, 3, 4, 2, 1, -1], [1, 2, 2, 3, 1, 1, 0], [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1]]
    return get("rl.episodes:Experience")(*(np.array(c, t) for c, t in zip(columns, (int, float, int, bool, bool))))


def table(get, S):
    """One feature a state."""
    return get("rl.features:rows")(np.eye(S))


def td_by_hand(get):
    """By hand: two steps, then the clock stops; one step, then the world ends"""
    Experience, td = get("rl.episodes:Experience"), get("rl.linear_value:td")
    for end, want in (("truncated", [[5.0, 6.5, 6.0]]), ("terminated", [[5.0, 5.0, 6.0]])):
        w, flag = np.array([2.0, 4.0, 6.0]), np.array([False, True])
        flags = (~flag & flag, flag) if end == "truncated" else (flag, ~flag & flag)
        steps = Experience(np.array([0, 1]), np.array([6.0, 6.0]), np.array([1, 2]), *flags)
        call = f"td, one feature a state, w = [2, 4, 6], steps 0 -> 1 -> 2 that pay 6 each, the second {end}, alpha = gamma = 1/2:"
        expect(td(w, table(get, 3), steps, 0.5, 0.5), np.array(want), f"{call}\nthe history")
        expect(w, np.array(want[0]), f"{call}\nw, changed in place,")


def td_step(get):
    """Every step of a longer record, against plain NumPy"""
    td, steps, w = get("rl.linear_value:td"), record(get), np.array([1.0, -2.0, 0.5, 4.0])
    v, want = w.copy(), []
    for s, r, s2, terminated, truncated in zip(*steps):
        v[s] += 0.3 * (r + (0.0 if terminated else 0.9 * v[s2]) - v[s])
        if terminated or truncated:
            want.append(v.copy())
    got = td(w, table(get, 4), steps, 0.3, 0.9)
    expect(got, np.array(want), "td, one feature a state, w = [1, -2, .5, 4], alpha = .3, gamma = .9, three episodes: the "
                                "first terminates in\nstate 3, the second and third are truncated. The history")  # fmt: skip
    expect(w, v, "w after that, changed in place,")


def td_constant(get):
    """A world that pays 1 for ever: v is 1 / (1 - gamma), wherever the clock stops"""
    n, flag = 4000, np.arange(4000) % 5 == 4
    steps = get("rl.episodes:Experience")(np.zeros(n, int), np.ones(n), np.zeros(n, int), np.zeros(n, bool), flag)
    w = np.zeros(1)
    get("rl.linear_value:td")(w, get("rl.features:rows")(np.ones((1, 1))), steps, 0.05, 0.9)
    expect(w, np.array([10.0]), "td, a single state that pays 1 a step for ever, gamma = .9, the clock stops after every 5 "
                                "steps: v", rtol=1e-6)


def probe_td(f, get):
    """The history of three episodes."""
    return f(np.array([1.0, -2.0, 0.5, 4.0]), table(get, 4), record(get), 0.3, 0.9)


def td_symptom(get):
    """The book's grid world, a uniform policy, episodes of 10 steps."""
    mdps, env = get("rl.mdp"), get("rl.envs.grid_world:GridWorld")(max_episode_steps=10)
    mdp = env.mdp()
    policy = mdps.uniform_policy(mdp)
    exact = mdps.state_values(mdp, policy, 0.9)
    steps = get("rl.episodes:play_fast")(env, policy, 20_000, np.random.default_rng(0))
    history = get("rl.linear_value:td")(np.zeros(25), table(get, 25), steps, 0.01, 0.9)  # (E, 25)
    shown = np.unique(np.geomspace(10, 20_000, 25).astype(int))
    tail = history[10_000:].mean(axis=0)
    return {
        "figures": {"mean value of the 25 states": tail.mean(), "exact mean value": exact.mean(), "bias of the mean": tail.mean() - exact.mean(),
                    "root mean square error over the states": np.sqrt(((tail - exact) ** 2).mean())},
        "x": shown, "y": np.sqrt(((history[shown - 1] - exact) ** 2).mean(axis=1)), "xlabel": "episodes of 10 steps",
        "ylabel": "root mean square error of v (units of reward)", "log": "xy",
    }  # fmt: skip


TIME = Exercise(
    id="bug-time-limit",
    title="when the clock stops, the world does not end",
    target="rl.linear_value:td",
    kind="spot the bug",
    minutes=15,
    difficulty=2,
    read="the docstring of rl/envs/environment.py; Experience in rl/episodes.py",
    task="Environments used to report the end of an episode by one flag, `done`, whether the world had ended or a limit on "
         "steps was reached. Most code of those years, and much of today's, treats both alike. Rebuilt here in the book's grid "
         "world (5 x 5, all actions equally likely, gamma = .9), where nothing ever ends, but each episode is truncated after "
         "10 steps: after 20,000 episodes the mean value of the 25 states is -1.85. The exact one is -3.52, and the right code "
         "says -3.518.\nMend `td`. `rows` (see rl/features.py) are the features, w (F,) the weights, changed in place by "
         "step_towards, once for each step of the record in its order; returned is w after each episode, (E, F). It is "
         "compiled: plain loops.",
    check=(td_by_hand, td_step, td_constant),
    probe=probe_td,
    hints=(
        "Which steps of the record are not followed by anything? And which are only not followed by anything in the record?",
        "target = r + gamma v(s') unless the step is *terminated*; then it is r. Truncated steps are like all others.",
        "if not terminated[t]: target += gamma * value(w, rows.active[s2], rows.values[s2])",
    ),
    why="The flags are stored apart, and only `terminated` decides whether something follows. An environment that says no more "
        "than `done` has thrown this away.",
    bug="end_of_record",
    symptom=td_symptom,
    wrong={
        "end_of_record": ((("if not terminated[t]:", "if t < last:"),), "nothing is expected after the last step of any episode: but a truncated one would have gone on."),
        "through_the_end": ((("if not terminated[t]:", "if True:"),), "it bootstraps through the end of the world: after a terminated step nothing follows."),
        "inverted": ((("if not terminated[t]:", "if terminated[t]:"),), "the flag is inverted: the future counts only where there is none."),
        "next_episode": ((("next_state[t], reward[t]", "state[(t + 1) % state.size], reward[t]"),), "s' is taken from the next row: after a truncated step that is another episode."),
        "drops_the_last": ((("range(first, last + 1)", "range(first, last)"),), "the last step of each episode is left out: the one into the target is what one learns from."),
        "undiscounted": ((("target += gamma * value", "target += value"),), "gamma is missing."),
        "stays": ((("rows.active[s2], rows.values[s2]", "rows.active[s], rows.values[s]"),), "the value of s stands where that of s' was meant."),
    },
    right={
        "where": """\
def td(w, rows, experience, alpha, gamma):
    ends = ends_of(experience, rows, w, gamma)
    history = np.empty((ends.size, w.size))
    k = 0
    for t in range(experience.state.size):
        s, s2 = experience.state[t], experience.next_state[t]
        follow = 0.0 if experience.terminated[t] else value(w, rows.active[s2], rows.values[s2])
        step_towards(w, rows.active[s], rows.values[s], experience.reward[t] + gamma * follow, alpha)
        if k < ends.size and t == ends[k]:
            for i in range(w.size):
                history[k, i] = w[i]
            k += 1
    return history
""",
        "factor": """\
def discount_of(terminated, gamma):
    return gamma * (1.0 - terminated)


discount_of = jit(discount_of)


def td(w, rows, experience, alpha, gamma):
    state, reward, next_state, terminated, truncated = experience
    history, first = np.empty((ends_of(experience, rows, w, gamma).size, w.size)), 0
    for t in range(state.size):
        v = value(w, rows.active[next_state[t]], rows.values[next_state[t]])
        step_towards(w, rows.active[state[t]], rows.values[state[t]], reward[t] + discount_of(terminated[t], gamma) * v, alpha)
        if terminated[t] or truncated[t]:
            history[first] = w
            first += 1
    return history
""",
    },
)  # fmt: skip

# ---- 7. (B,) against (B, 1)


def squared_pair(get, q, y):
    """(loss, slope) of the function without its decorator."""
    made = get("rl.ddpg:squared_error").forward(np.array(q), np.array(y))
    if not isinstance(made, tuple) or len(made) != 2:
        raise Failed("squared_error must return two things: the loss, and its slope (B,) with respect to q")
    return made


def squared_by_hand(get):
    """By hand: three values"""
    call = "squared_error(q = [1, 2, 6], y = [3, 2, 3])"
    loss, slope = squared_pair(get, [1.0, 2.0, 6.0], [3.0, 2.0, 3.0])
    expect(loss, np.float64(13 / 3), f"{call}: the loss")
    expect(slope, np.array([-4 / 3, 0.0, 2.0]), f"{call}: the slope")
    loss, slope = squared_pair(get, np.float32([1, 2]), np.float32([3, 2]))
    expect(slope, np.float32([-2, 0]), "squared_error in float32, q = [1, 2], y = [3, 2]: the slope", rtol=1e-6)


def squared_slope(get):
    """Central differences, and that the engine uses them"""
    rng = np.random.default_rng(0)
    q, y = rng.standard_normal((2, 7))
    want = [(((q + e - y) ** 2).mean() - ((q - e - y) ** 2).mean()) / 2e-6 for e in 1e-6 * np.eye(7)]
    expect(squared_pair(get, q, y)[1], np.array(want), "the slope of squared_error for 7 random pairs", rtol=1e-6, atol=1e-8)
    t = get("minigrad:Tensor")(q, requires_grad=True)
    loss = get("rl.ddpg:squared_error")(t, y=y)
    (5 * loss).backward()
    expect(loss.data, np.float64(((q - y) ** 2).mean()), "squared_error of a Tensor q (7,) and y (7,)")
    expect(t.grad, 5 * np.array(want), "the gradient of 5 times squared_error with respect to q", rtol=1e-6, atol=1e-8)


def squared_own(get):
    """Each value is compared with its own target: order matters, and shapes that differ are refused"""
    q, y = np.array([0.0, 1.0, 2.0, 5.0]), np.array([5.0, 2.0, 1.0, 0.0])
    expect(squared_pair(get, q, q)[0], np.float64(0), "squared_error(q, q) for q = [0, 1, 2, 5]: the loss")
    expect(squared_pair(get, q, y)[0], np.float64(13), "squared_error(q, q backwards) for q = [0, 1, 2, 5]: the loss")
    for a, b in (((3, 1), (3,)), ((3,), (3, 1)), ((3, 1), (3, 1)), ((3,), (1,))):
        try:
            get("rl.ddpg:squared_error").forward(np.ones(a), np.ones(b))
        except ValueError:
            continue
        raise Failed(f"squared_error of q {a} and y {b} was accepted: it must raise ValueError unless both are (B,)")


def probe_squared(f, get):
    """Loss, slope, and whether (3, 1) against (3,) is refused."""
    f = getattr(f, "forward", f)
    try:
        refused = f(np.ones((3, 1)), np.ones(3)) is None
    except ValueError:
        refused = True
    loss, slope = f(np.array([1.0, 2.0, 6.0]), np.array([3.0, 2.0, 4.0]))
    return np.concatenate([[loss, refused, np.ndim(slope)], np.ravel(slope)])


def squared_symptom(get):
    """DDPG's critic on transitions of Pendulum with gamma = 0, where Q is to learn the reward."""
    env, rng, rows = get("rl.envs:Pendulum")(), np.random.default_rng(0), []
    agent = get("rl.ddpg:DDPG")(env, 0, gamma=0.0)
    s = agent.scaled(env.reset(seed=0)[0])
    for _ in range(3000):
        a = rng.uniform(-1, 1, 1)
        observation, reward, _, truncated, _ = env.step(agent.to_env(a))
        s2 = agent.scaled(observation)
        rows.append((s, a, reward, s2, 0.0))
        s = agent.scaled(env.reset()[0]) if truncated else s2
    batch = get("rl.replay:Batch")(*(np.array(column, np.float32) for column in zip(*rows)))
    pairs, shown, error, losses = np.concatenate([batch.observation, batch.action], axis=1), [], [], []
    for update in range(3001):
        if update % 150 == 0:
            Q = agent.critic(get("minigrad:Tensor")(pairs)).data
            shown.append(update)
            error.append(np.sqrt(((Q - batch.reward) ** 2).mean()))
        rows = rng.integers(3000, size=64)
        losses.append(agent.critic_step(type(batch)(*(column[rows] for column in batch))))
    return {
        "figures": {"loss, mean of the first 20 batches": np.mean(losses[:20]), "loss, mean of the last 20 batches": np.mean(losses[-20:]),
                    "mean of Q": Q.mean(), "mean of the rewards": batch.reward.mean(), "standard deviation of Q": Q.std(),
                    "standard deviation of the rewards": batch.reward.std(), "root mean square of Q - r": error[-1]},
        "x": shown, "y": error, "xlabel": "updates of the critic", "ylabel": "root mean square of Q - r (units of reward)", "log": "",
    }  # fmt: skip


DOC = "unless both are (B,): (B, 1) against (B,) would give all B² pairs."
LOSS, SLOPE = "error @ error / len(error)", "error * (2 / len(error))"
PAIRS = (("error = q - y", "error = q.reshape(-1, 1) - y"), ("return " + LOSS, "return (error * error).mean()"), (SLOPE, "error.mean(axis=1) * (2 / len(error))"))
SQUARED = Exercise(
    id="bug-all-pairs",
    title="the loss falls, and Q learns one number",
    target="rl.ddpg:squared_error",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="NumPy's rules of broadcasting; Critic and critic_step in rl/ddpg.py",
    task="An exercise of a well-known course on deep reinforcement learning is built on such a bug: nothing raises, the loss "
         "falls, and the critic learns next to nothing. Rebuilt here: DDPG's critic, 3000 transitions of the pendulum under "
         "random actions, gamma = 0, so that Q is to learn the reward of each pair. In 3000 updates the loss falls from 49.9 "
         "to 13.2 (with the right code to 0.007). The mean of Q is then -6.0, that of the rewards -6.1; but the standard "
         "deviation of Q over the pairs is 0.09, and that of the rewards 3.65.\nMend `squared_error`: values q (B,) and targets "
         "y (B,), arrays -> the loss, a number, and its slope with respect to q, (B,) in q's type. ValueError unless both have "
         "shape (B,).",
    check=(squared_by_hand, squared_slope, squared_own),
    probe=probe_squared,
    hints=(
        "For B = 3, how many differences are there between values and their targets, and how many does this function take?",
        "loss = mean over i of (q_i - y_i)^2; slope_i = 2 (q_i - y_i) / B.",
        "refuse other shapes than (B,); error = q - y, (B,); return error @ error / len(error), 2 * error / len(error)",
    ),
    why="Over all pairs the slope is 2 (q_i - mean y) / B: every value is drawn to the mean target. The library makes the "
        "critic's output (B,) and its loss refuse anything else, since broadcasting never complains.",
    bug="all_pairs",
    equivalent={"error @ error -> error @ error": "it is the same product"},
    symptom=squared_symptom,
    wrong={
        "all_pairs": ((*PAIRS, (DOC, "unless both are (B,).")), "a column (B, 1) minus a row (B,) is (B, B): every value is compared with all targets, and drawn to their mean."),
        "slope_of_all_pairs": ((("error = q - y", "error, pairs = q - y, q.reshape(-1, 1) - y"), (SLOPE, "pairs.mean(axis=1) * (2 / len(error))")),
                               "the loss is mended, its slope is still that of all pairs, and only the slope moves the weights."),
        "loss_of_all_pairs": ((("error = q - y", "error, pairs = q - y, q.reshape(-1, 1) - y"), (LOSS, "(pairs * pairs).mean()")),
                              "the slope is mended; the loss that is shown is still that of all pairs."),
        "column": ((("error = q - y", "error = q.reshape(-1, 1) - y.reshape(-1, 1)"), (LOSS, "(error * error).mean()")), "the pairs are right, but the slope is (B, 1), where q is (B,)."),
        "accepts_all": ((("q.shape != y.shape or q.ndim != 1", "False"),), "the numbers are right, but shapes that do not fit are broadcast and not refused."),
        "sum": (((LOSS, "error @ error"), (SLOPE, "2 * error")), "the sum stands where the mean was meant: the step then grows with the batch."),
        "half": (((SLOPE, "error / len(error)"),), "the slope of error squared is twice the error."),
        "downhill": ((("return " + LOSS + ", " + SLOPE, "return " + LOSS + ", (y - q) * (2 / len(error))"),), "the slope points downhill: the optimiser turns it around itself."),
    },
    right={
        "power": """\
def squared_error(q, /, y):
    if q.ndim != 1 or np.shape(y) != q.shape:
        raise ValueError('q and y must both be (B,)')
    return np.mean((q - y) ** 2), 2 * (q - y) / q.size
""",
        "loop": """\
def squared_error(q, /, y):
    if not (q.ndim == y.ndim == 1 and len(q) == len(y)):
        raise ValueError(f'shapes {q.shape} and {y.shape}')
    B, loss, slope = len(q), 0.0, np.empty_like(q)
    for i in range(B):
        loss += (q[i] - y[i]) ** 2 / B
        slope[i] = 2 * (q[i] - y[i]) / B
    return loss, slope
""",
    },
)  # fmt: skip

# ---- 8. a step into the wall

SMALL = """
.#G
#.."""
REWARDS = {"reward_boundary": -1, "reward_forbidden": -7, "reward_target": 5, "reward_step": -0.25}
BEST = ">>>>v^^>>v^<v>v^>o<v^>^<<"  # the book's best policy for a forbidden reward of -10, figure 5.6a, row by row


def world(get, **keywords):
    """Two rows and three columns, in which no two kinds of step pay the same."""
    return get("rl.envs.grid_world:GridWorld")(SMALL, **REWARDS | keywords)


def bounce_by_hand(get):
    """By hand: steps off the map, into forbidden cells, into the target"""
    cases = [
        ({}, [(0, "up", 0, -1), (0, "left", 0, -1), (0, "right", 1, -7), (2, "right", 2, -1), (2, "stay", 2, 5), (1, "up", 1, -1), (3, "left", 3, -1), (5, "right", 5, -1),
              (4, "down", 4, -1), (1, "right", 2, 5), (1, "stay", 1, -7), (1, "down", 4, -0.25), (5, "up", 2, 5), (5, "stay", 5, -0.25)]),
        ({"bounce_in_forbidden": "additive"}, [(1, "up", 1, -8), (3, "down", 3, -8), (0, "up", 0, -1), (2, "up", 2, -1), (1, "stay", 1, -7)]),
        ({"forbidden": "block"}, [(0, "right", 0, -7), (0, "down", 0, -7), (4, "left", 4, -7), (0, "left", 0, -1), (5, "up", 2, 5)]),
    ]  # fmt: skip
    for keywords, steps in cases:
        env = world(get, **keywords)
        for s, action, s2, reward in steps:
            said = ", ".join(f"{name}={value!r}" for name, value in keywords.items()) or "forbidden='enter', bounce_in_forbidden='boundary'"
            expect(np.array(env.outcome(s, action), float), np.array([s2, reward]), f".#G / #.., boundary -1, forbidden -7, target 5, step -.25, {said}:\n"
                   f"(s', r) = outcome({s}, {action!r})")  # fmt: skip


def bounce_everywhere(get):
    """Every cell and action of a larger map"""
    rows = ["..#.", "#.G.", ".#..", "G..#", "#..."]
    moves = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1), "stay": (0, 0)}
    for rule, extra in (("boundary", 0), ("additive", -7)):
        env = get("rl.envs.grid_world:GridWorld")("\n".join(rows), bounce_in_forbidden=rule, **REWARDS)
        for (i, j), (name, (di, dj)) in ((cell, move) for cell in np.ndindex(5, 4) for move in moves.items()):
            y, x = min(max(i + di, 0), 4), min(max(j + dj, 0), 3)
            pays = {"#": -7, "G": 5, ".": -0.25}[rows[y][x]]
            if (y, x) == (i, j) and name != "stay":
                pays = -1 + extra * (rows[i][j] == "#")
            expect(np.array(env.outcome(4 * i + j, name), float), np.array([4 * y + x, pays]), f"rows {' '.join(rows)}, rewards -1, -7, 5, -.25, bounce_in_forbidden={rule!r}:\n"
                   f"(s', r) = outcome({4 * i + j}, {name!r})")  # fmt: skip


def book_values(get, epsilon, **keywords):
    """Values (25,) of the epsilon-greedy form of the book's best policy."""
    mdps = get("rl.mdp")
    mdp = get("rl.envs.grid_world:GridWorld")(reward_forbidden=-10, **keywords).mdp()
    return mdps.state_values(mdp, mdps.soften(mdps.deterministic_policy(["^>v<o".index(a) for a in BEST], 5), epsilon), 0.9)


def bounce_book(get):
    """The book's tables"""
    mdps, GridWorld = get("rl.mdp"), get("rl.envs.grid_world:GridWorld")
    mdp = GridWorld().mdp()
    expect(mdps.state_values(mdp, mdps.uniform_policy(mdp), 0.9)[:5].round(1), np.array([-3.8, -3.8, -3.6, -3.1, -3.2]), "figure 8.6, values of the uniform policy: its first row")
    for epsilon, want in ((0.1, 38.724799), (0.2, -61.515250), (0.5, -287.647122)):
        expect(book_values(get, epsilon, bounce_in_forbidden="additive").sum(), np.float64(want), f"figure 5.6, the sum of the 25 values for epsilon = {epsilon}", rtol=1e-6)


def probe_bounce(f, get):
    """All outcomes in three worlds."""
    worlds = [world(get, **keywords) for keywords in ({}, {"bounce_in_forbidden": "additive"}, {"forbidden": "block"})]
    return np.array([f(env, s, action) for env in worlds for s in range(6) for action in env.actions], float)


def bounce_symptom(get):
    """The book's grid world: the best policy, and what exploring costs it."""
    mdps, optimum, GridWorld = get("rl.mdp"), get("rl.dynamic_programming:value_iteration"), get("rl.envs.grid_world:GridWorld")
    mild, harsh = GridWorld().mdp(), GridWorld(reward_forbidden=-10).mdp()
    shown = np.linspace(0, 0.5, 11)
    return {
        "figures": {"mean of the best values, forbidden -10": optimum(harsh, 0.9).values.mean(),
                    "mean value of the uniform policy, forbidden -1": mdps.state_values(mild, mdps.uniform_policy(mild), 0.9).mean(),
                    "mean value of the uniform policy, forbidden -10": mdps.state_values(harsh, mdps.uniform_policy(harsh), 0.9).mean(),
                    "cell (5, 2), epsilon 0.1, additive (book: 2.6)": book_values(get, 0.1, bounce_in_forbidden="additive")[21],
                    "cell (5, 2), epsilon 0.5, additive (book: -16.7)": book_values(get, 0.5, bounce_in_forbidden="additive")[21]},
        "x": shown, "y": [book_values(get, epsilon, bounce_in_forbidden="additive").mean() for epsilon in shown],
        "xlabel": "epsilon: share of random actions", "ylabel": "mean value of the 25 states (units of reward)", "log": "",
    }  # fmt: skip


ADDITIVE = 'additive = self.cells[row, column] == "#" and self.bounce_in_forbidden == "additive"'
PAYS = "return s, self.reward_boundary + (self.reward_forbidden if additive else 0)"
INSIDE = "if not (0 <= to[0] < self.shape[0] and 0 <= to[1] < self.shape[1]):"
BOUNCE = Exercise(
    id="bug-bounce",
    title="the best policy is right, all others are not",
    target="rl.envs.grid_world:GridWorld.outcome",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="the docstrings of rl/envs/grid_world.py",
    task="A grid world published beside a textbook pays something else than the book for one kind of step, and most of its "
         "tables come out all the same. Rebuilt here in the book's 5 x 5 map: the best values for a forbidden reward of -10 "
         "have the mean 6.018, as they must; the uniform policy has -3.52 where all penalties are -1, as it must. But with -10 "
         "it has -38.8, where the right code has -24.4; and for the epsilon-greedy policies of figure 5.6 (additive bounces) "
         "cell (5, 2) has the value 2.36 for epsilon = .1 and -20.5 for .5, where the book prints 2.6 and -16.7.\nMend "
         "`outcome`: a state and the name of an action -> (s', r). self.cells (rows, columns) holds the letters of the map, "
         "self.blocking whether forbidden cells block; the class's docstring says what pays what.",
    check=(bounce_by_hand, bounce_everywhere, bounce_book),
    probe=probe_bounce,
    hints=(
        "Which kinds of step does the best policy never take, however its rewards are mixed up?",
        "Off the map: s' = s and r = reward_boundary; within a forbidden cell, if bounce_in_forbidden is additive, "
        "reward_forbidden on top.",
        "off the map: return s, reward_boundary (+ reward_forbidden if the cell is # and the rule is additive); else as it is",
    ),
    why="Where the two rewards are both -1, and under the best policy, which never bumps into anything, the mistake cannot be "
        "seen. So the tests give every kind of step a reward of its own, and compare tables of policies that are not the best.",
    bug="bump_pays_forbidden",
    symptom=bounce_symptom,
    wrong={
        "bump_pays_forbidden": (((ADDITIVE + "\n            " + PAYS, "return s, self.reward_forbidden"),), "a step off the map is paid like one into a forbidden cell: it has a reward of its own."),
        "never_additive": (((ADDITIVE + "\n            " + PAYS, "return s, self.reward_boundary"),), 'the rule bounce_in_forbidden="additive" is lost.'),
        "always_additive": (((ADDITIVE, 'additive = self.cells[row, column] == "#"'),), "a bump within a forbidden cell costs both rewards only where bounce_in_forbidden says so."),
        "additive_anywhere": (((ADDITIVE, 'additive = self.bounce_in_forbidden == "additive"'),), "both rewards are for a bump from within a forbidden cell, not for every bump."),
        "clipped": (((PAYS, "return s, {\"#\": self.reward_forbidden, \"G\": self.reward_target}.get(self.cells[row, column], "
                            "self.reward_step)"),),
                    "the agent is put back and paid as if it had stayed: bumping must cost, and at the target it would earn."),
        "wraps_around": (((INSIDE, "to = divmod(to[0] * self.shape[1] + to[1], self.shape[1])\n        if not 0 <= to[0] < "
                                   "self.shape[0]:"),),
                         "only the number of the cell is checked: to the right of a row's last cell comes the first of the "
                         "next row."),
        "negative_index": (((INSIDE, "to = to[0] % self.shape[0], to[1] % self.shape[1]\n        if False:"),), "the map has become a torus: who leaves it comes back on the other side."),
    },
    right={
        "clip": """\
def outcome(self, s, action):
    row, column = divmod(s, self.shape[1])
    here = self.cells[row, column]
    y, x = np.add((row, column), MOVES[action])
    if (np.clip(y, 0, self.shape[0] - 1), np.clip(x, 0, self.shape[1] - 1)) != (y, x):
        extra = self.reward_forbidden * (here == '#') * (self.bounce_in_forbidden == 'additive')
        return s, self.reward_boundary + extra
    letter = self.cells[y, x]
    if letter == '#' and self.blocking:
        return s, self.reward_forbidden
    pays = {'#': self.reward_forbidden, 'G': self.reward_target}.get(str(letter), self.reward_step)
    return int(y * self.shape[1] + x), pays
""",
        "numbers": """\
def leaves(s, action, rows, columns):
    return (action == 'up' and s < columns or action == 'down' and s >= (rows - 1) * columns
            or action == 'left' and s % columns == 0 or action == 'right' and (s + 1) % columns == 0)


def outcome(self, s, action):
    letters, (rows, columns) = self.cells.ravel(), self.shape
    if leaves(s, action, rows, columns):
        if letters[s] == '#' and self.bounce_in_forbidden == 'additive':
            return s, self.reward_boundary + self.reward_forbidden
        return s, self.reward_boundary
    there = s + MOVES[action][0] * columns + MOVES[action][1]
    if letters[there] == '#':
        return (s, self.reward_forbidden) if self.blocking else (there, self.reward_forbidden)
    return there, self.reward_target if letters[there] == 'G' else self.reward_step
""",
    },
)  # fmt: skip

EXERCISES = (TIME, SQUARED, BOUNCE)
