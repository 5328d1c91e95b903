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
    expect(got, np.array(want), "td, one feature a state, w = [1, -2, .5, 4], alpha = .3, gamma = .9, three episodes: the first terminates in\n"
           "state 3, the second and third are truncated. The history")  # fmt: skip
    expect(w, v, "w after that, changed in place,")


def td_constant(get):
    """A world that pays 1 for ever: v is 1 / (1 - gamma), wherever the clock stops"""
    n, flag = 4000, np.arange(4000) % 5 == 4
    steps = get("rl.episodes:Experience")(np.zeros(n, int), np.ones(n), np.zeros(n, int), np.zeros(n, bool), flag)
    w = np.zeros(1)
    get("rl.linear_value:td")(w, get("rl.features:rows")(np.ones((1, 1))), steps, 0.05, 0.9)
    expect(w, np.array([10.0]), "td, a single state that pays 1 a step for ever, gamma = .9, the clock stops after every 5 steps: v", rtol=1e-6)


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
    task="Environments used to report the end of an episode by one flag, `done`, whether the world had ended or a limit on steps was reached. Most code of those years, and "
         "much of today's, treats both alike. Rebuilt here in the book's grid world (5 x 5, all actions equally likely, gamma = .9), where nothing ever ends, but each "
         "episode is truncated after 10 steps: after 20,000 episodes the mean value of the 25 states is -1.85. The exact one is -3.52, and the right code says -3.518.\n"
         "Mend `td`. `rows` (see rl/features.py) are the features, w (F,) the weights, changed in place by step_towards, once for each step of the record in its order; "
         "returned is w after each episode, (E, F). It is compiled: plain loops.",
    check=(td_by_hand, td_step, td_constant),
    probe=probe_td,
    hints=(
        "Which steps of the record are not followed by anything? And which are only not followed by anything in the record?",
        "target = r + gamma v(s') unless the step is *terminated*; then it is r. Truncated steps are like all others.",
        "if not terminated[t]: target += gamma * value(w, rows.active[s2], rows.values[s2])",
    ),
    why="The flags are stored apart, and only `terminated` decides whether something follows. An environment that says no more than `done` has thrown this away.",
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
        "where": "def td(w, rows, experience, alpha, gamma):\n    ends = ends_of(experience, rows, w, gamma)\n    history = np.empty((ends.size, w.size))\n    k = 0\n"
                 "    for t in range(experience.state.size):\n        s, s2 = experience.state[t], experience.next_state[t]\n"
                 "        follow = 0.0 if experience.terminated[t] else value(w, rows.active[s2], rows.values[s2])\n"
                 "        step_towards(w, rows.active[s], rows.values[s], experience.reward[t] + gamma * follow, alpha)\n"
                 "        if k < ends.size and t == ends[k]:\n            for i in range(w.size):\n                history[k, i] = w[i]\n            k += 1\n    return history\n",
        "factor": "def discount_of(terminated, gamma):\n    return gamma * (1.0 - terminated)\n\n\ndiscount_of = jit(discount_of)\n\n\n"
                  "def td(w, rows, experience, alpha, gamma):\n    state, reward, next_state, terminated, truncated = experience\n"
                  "    history, first = np.empty((ends_of(experience, rows, w, gamma).size, w.size)), 0\n    for t in range(state.size):\n"
                  "        v = value(w, rows.active[next_state[t]], rows.values[next_state[t]])\n"
                  "        step_towards(w, rows.active[state[t]], rows.values[state[t]], reward[t] + discount_of(terminated[t], gamma) * v, alpha)\n"
                  "        if terminated[t] or truncated[t]:\n            history[first] = w\n            first += 1\n    return history\n",
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
    task="An exercise of a well-known course on deep reinforcement learning is built on a bug that its authors met in the wild: the critic learns nothing, nothing raises, "
         "and the loss falls. Rebuilt here: DDPG's critic, 3000 transitions of the pendulum under random actions, gamma = 0, so that Q is to learn the reward of each pair. "
         "In 3000 updates the loss falls from 49.9 to 13.2 (with the right code to 0.007). The mean of Q is then -6.0, that of the rewards -6.1; but the standard "
         "deviation of Q over the pairs is 0.09, and that of the rewards 3.65.\n"
         "Mend `squared_error`: values q (B,) and targets y (B,), arrays -> the loss, a number, and its slope with respect to q, (B,) in q's type. ValueError unless both "
         "have shape (B,).",
    check=(squared_by_hand, squared_slope, squared_own),
    probe=probe_squared,
    hints=(
        "For B = 3, how many differences are there between values and their targets, and how many does this function take?",
        "loss = mean over i of (q_i - y_i)^2; slope_i = 2 (q_i - y_i) / B.",
        "refuse other shapes than (B,); error = q - y, (B,); return error @ error / len(error), 2 * error / len(error)",
    ),
    why="Over all pairs the slope is 2 (q_i - mean y) / B: every value is drawn to the mean target. The library makes the critic's output (B,) and its loss refuse anything else, "
        "since broadcasting never complains.",
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
        "power": "def squared_error(q, /, y):\n    if q.ndim != 1 or np.shape(y) != q.shape:\n        raise ValueError('q and y must both be (B,)')\n"
                 "    return np.mean((q - y) ** 2), 2 * (q - y) / q.size\n",
        "loop": "def squared_error(q, /, y):\n    if not (q.ndim == y.ndim == 1 and len(q) == len(y)):\n        raise ValueError(f'shapes {q.shape} and {y.shape}')\n"
                "    B, loss, slope = len(q), 0.0, np.empty_like(q)\n    for i in range(B):\n        loss += (q[i] - y[i]) ** 2 / B\n        slope[i] = 2 * (q[i] - y[i]) / B\n"
                "    return loss, slope\n",
    },
)  # fmt: skip

EXERCISES = (TIME, SQUARED)
