r"""Exercises over reinforcement learning: a policy that explores, TD with features, noise; then what rl_variants.py holds."""

import numpy as np

from . import rl_variants
from .exercise import Exercise, Failed, expect

# ---- the soft form of a policy


def soften_by_hand(get):
    """By hand: four actions"""
    soften = get("rl.mdp:soften")
    got = soften(np.array([[0, 1, 0, 0], [1, 0, 0, 0]]), 0.2)
    expect(got, np.array([[0.05, 0.85, 0.05, 0.05], [0.85, 0.05, 0.05, 0.05]]), "soften([[0, 1, 0, 0], [1, 0, 0, 0]], epsilon=.2)")


def soften_properties(get):
    """Rows sum to 1; the ends of epsilon; a policy that is not deterministic"""
    soften, policy = get("rl.mdp:soften"), np.array([[0.5, 0.25, 0.25], [0.0, 0.1, 0.9]])
    expect(soften(policy, 0.3).sum(axis=1), np.ones(2), "the row sums of soften(policy, .3)")
    expect(soften(policy, 0.0), policy, "soften(policy, 0)")
    expect(soften(policy, 1.0), np.full((2, 3), 1 / 3), "soften(policy, 1)")
    expect(soften(policy, 0.5), 0.5 * policy + 1 / 6, "soften([[.5, .25, .25], [0, .1, .9]], .5)")


SOFTEN = Exercise(
    id="soften",
    title="a policy that explores a little",
    target="rl.mdp:soften",
    kind="rebuild",
    minutes=10,
    difficulty=1,
    read="rl/mdp.py, the notation and check_policy",
    task="The epsilon-greedy form of a policy (S, A), whose rows are probabilities: with probability 1 - epsilon do what the "
         "policy says, else pick any of the A actions, all alike. Return float64 (S, A).",
    formula=("(1 − ε) π(a|s) + ε / |A|.", "A deterministic policy keeps its action with probability 1 − ε + ε / |A|, not 1 − ε: exploring may pick it, too."),
    check=(soften_by_hand, soften_properties),
    probe=lambda f, get: f(np.array([[0.5, 0.25, 0.25], [0.0, 0.1, 0.9]]), 0.3),
    hints=(
        "While exploring, may the agent also happen to pick the action that it would have taken anyhow?",
        "(1 - epsilon) pi(a|s) + epsilon / |A|.",
        "return (1 - epsilon) * policy + epsilon / policy.shape[1]",
    ),
    why="The greedy action keeps 1 - epsilon + epsilon / |A|. The library also refuses an epsilon outside 0 ... 1.",
    wrong={
        "rest_to_the_others": ((("+ epsilon / policy.shape[1]", "+ epsilon * (1 - policy) / (policy.shape[1] - 1)"),), "epsilon is shared by the |A| - 1 other actions: it is shared by all |A|, the policy's own among them."),
        "keeps_1_minus_epsilon": ((("    return (1 - check_share(epsilon, \"epsilon\")) * policy + epsilon / policy.shape[1]",
                                  "    return np.where(policy == policy.max(axis=1, keepdims=True), 1 - epsilon, epsilon / "
                                  "policy.shape[1])"),),
                                  "the best action keeps 1 - epsilon alone: exploring may pick it, too, so it has epsilon / "
                                  "|A| more."),
        "greedy_only": ((("(1 - check_share(epsilon, \"epsilon\")) * policy +", "(1 - epsilon) * np.eye(policy.shape[1])[policy.argmax(axis=1)] +"),),
                        "the policy is made greedy first: with probability 1 - epsilon it should do whatever it says, which "
                        "may be random."),
        "policy_times_epsilon": ((("+ epsilon / policy.shape[1]", "+ epsilon * policy"),), "this is the policy itself again: exploring does not follow the policy."),
        "others_only": ((("    return (1 - check_share(epsilon, \"epsilon\")) * policy + epsilon / policy.shape[1]",
                          "    return np.where(policy > 0, policy - epsilon * policy, epsilon / (policy.shape[1] - 1))"),),
                        "exploring is spread over the other actions only: it may pick the policy's own action, too."),
        "forgets_1_minus": ((("(1 - check_share(epsilon, \"epsilon\")) * policy", "policy"),), "the factor 1 - epsilon is missing: the rows sum to more than 1."),
        "states_for_actions": ((("policy.shape[1]", "policy.shape[0]"),), "divided by the number of states, not of actions."),
        "exchanged": ((("(1 - check_share(epsilon, \"epsilon\")) * policy + epsilon / policy.shape[1]", "epsilon * policy + (1 - epsilon) / policy.shape[1]"),),
                      "epsilon and 1 - epsilon are exchanged: it explores nearly always."),
        "adds_epsilon": ((("+ epsilon / policy.shape[1]", "+ epsilon"),), "every action gets all of epsilon: it should be divided among the actions."),
    },
    right={
        "by_mean": """\
def soften(policy, epsilon):
    policy = np.asarray(policy, float)
    anything = np.ones_like(policy) / len(policy[0])
    return policy + epsilon * (anything - policy)
""",
        "loops": """\
def soften(policy, epsilon):
    rows = []
    for row in policy:
        n = len(row)
        rows.append([p - epsilon * p + epsilon / n for p in row])
    return np.array(rows, dtype=np.float64)
""",
    },
)  # fmt: skip

# ---- TD with linear features

PHI = np.array([[1.0, 0.5, 0.0], [0.5, -1.0, 2.0], [0.0, 1.0, 1.0], [2.0, 0.0, -0.5], [1.0, 1.0, 1.0]])  # (S, F)


def steps_of(get, *steps):
    """An Experience from (s, r, s', terminated, truncated)."""
    return get("rl.episodes:Experience")(*(np.array(column, kind) for column, kind in zip(zip(*steps), (int, float, int, bool, bool))))


def walk(get):
    """Four episodes over five states; the first and the third terminate, the others are truncated."""
    return steps_of(get, (0, 1, 1, 0, 0), (1, -2, 2, 0, 0), (2, 3, 3, 1, 0), (3, 1, 4, 0, 0), (4, 0.5, 0, 0, 1), (2, -1, 4, 1, 0), (1, 2, 1, 0, 0), (1, 2, 0, 0, 1))  # fmt: skip


def td_by_hand(get):
    """By hand: two steps, then the end of the world; two steps, then the clock stops"""
    Phi = np.array([[1.0, 1.0], [0.0, 2.0]])
    for end, want in (((1, 0), [2.5, 0.5]), ((0, 1), [2.5, 3.0])):
        w = np.array([1.0, 1.0])
        got = get("rl.linear_value:td")(w, get("rl.features:rows")(Phi), steps_of(get, (0, 4, 1, 0, 0), (1, 3, 1, *end)), 0.5, 0.5)
        call = f"td, phi(0) = [1, 1], phi(1) = [0, 2], w = [1, 1], alpha = gamma = 1/2, steps 0 -> 1 -> 1 that pay 4 and 3,\nthe second {'terminated' if end[0] else 'truncated'}: "
        expect(got, np.array([want]), call + "the history")
        expect(w, np.array(want), call + "w, changed in place,")


def td_every_step(get):
    """Four episodes, against plain NumPy"""
    w, record, want = np.array([0.5, -1.0, 2.0]), walk(get), []
    v = w.copy()
    for s, r, s2, terminated, truncated in zip(*record):
        v += 0.2 * (r + (0.0 if terminated else 0.9 * PHI[s2] @ v) - PHI[s] @ v) * PHI[s]
        if terminated or truncated:
            want.append(v.copy())
    got = get("rl.linear_value:td")(w, get("rl.features:rows")(PHI), record, 0.2, 0.9)
    expect(got, np.array(want), "td, five states of three features, w = [.5, -1, 2], alpha = .2, gamma = .9, four episodes: "
                                "the history")
    expect(w, v, "w after that, changed in place,")


def td_rests(get):
    """Where features can express the values, TD finds them"""
    Phi, r = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]), np.array([1.0, 0.0, 2.0])
    n = 3000
    s = np.arange(n) % 3
    record = get("rl.episodes:Experience")(s, r[s], (s + 1) % 3, np.zeros(n, bool), np.arange(n) % 5 == 4)
    w = np.zeros(3)
    get("rl.linear_value:td")(w, get("rl.features:rows")(Phi), record, 0.5, 0.5)
    v = np.linalg.solve(np.eye(3) - 0.5 * np.roll(np.eye(3), 1, axis=1), r)
    expect(Phi @ w, v, "v of a ring 0 -> 1 -> 2 -> 0 that pays 1, 0, 2 for ever, gamma = .5, after 3000 steps of td with three "
                       "features,", rtol=1e-6)


LINEAR_TD = Exercise(
    id="td-linear",
    title="TD with features, as a kernel",
    target="rl.linear_value:td",
    kind="rebuild",
    minutes=25,
    difficulty=2,
    read="rl/linear_value.py down to gradient_monte_carlo; Experience in rl/episodes.py, Rows in rl/features.py",
    task="w (F,) are weights, changed in place; `rows` the features, state s has rows.values[s] at the indices rows.active[s] "
         "and zeros elsewhere; experience: N steps of E episodes, one after the other, the last of them ended, too; alpha the "
         "step size. Go through the steps in their order and after each move w by one step of semi-gradient TD(0). Return w as "
         "it is after each episode, (E, F) floats; an episode ends where `terminated` or `truncated` is true. Mind which of "
         "the two lets something follow.\n`ends_of(experience, rows, w, gamma)` gives the last step of each episode (E,), "
         "`value` and `step_towards` stand above. It is compiled: write plain loops; helpers of your own need `name = "
         "jit(name)`.",
    formula=("target = r + γ v̂(s'): semi-gradient TD(0), Zhao's \"TD-Linear\". Changes w; returns w after each episode, (E, F).",
             "After a terminated step nothing follows, v(s') = 0. After a truncated one something would have: v̂(s') counts."),
    check=(td_by_hand, td_every_step, td_rests),
    probe=lambda f, get: f(np.array([0.5, -1.0, 2.0]), get("rl.features:rows")(PHI), walk(get), 0.2, 0.9),
    hints=(
        "When the step s -> s' has just been made, what is the best guess of the whole return from s? And which part of it is "
        "still a guess?",
        "w <- w + alpha (target - phi(s).w) phi(s) with target = r + gamma phi(s').w, or r alone if the step terminated.",
        "for each episode: for each step t of it: target = reward[t], plus gamma * value(w, active and values of s') unless "
        "terminated[t]; step_towards(w, active and values of s, target, alpha). Then copy w into the history",
    ),
    why="The target holds w, too, but is treated as a number: that is the \"semi\". The copy runs over single weights, since "
        "`history[k] = w` costs numba two seconds of compiling.",
    wrong={
        "through_the_end": ((("if not terminated[t]:", "if True:"),), "it bootstraps through the end of the world: after a terminated step nothing follows."),
        "truncation_is_an_end": ((("if not terminated[t]:", "if t != last:"),), "a stopped clock is taken for the end of the world: after a truncated step the value of s' counts."),
        "whole_gradient": ((("            step_towards(w, rows.active[s], rows.values[s], target, alpha)\n",
                             ("            error = target - value(w, rows.active[s], rows.values[s])\n            step_towards(w, rows.active[s], rows.values[s], target, alpha)\n            if not terminated[t]:\n"
                             "                for i in range(rows.active.shape[1]):\n                    w[rows.active[s2, i]] -= alpha * gamma * error * rows.values[s2, i]\n")),),
                           "the target is differentiated, too: that is the residual gradient, which rests elsewhere. The "
                           "semi-gradient moves along phi(s) alone."),
        "table": ((("            step_towards(w, rows.active[s], rows.values[s], target, alpha)\n",
                    "            error = target - value(w, rows.active[s], rows.values[s])\n            for i in "
                    "rows.active[s]:\n                w[i] += alpha * error\n"),),
                  "every active weight is moved by alpha times the error: each should move in proportion to its feature, as in "
                  "phi(s)."),
        "old_weights": ((("        for t in range(first, last + 1):\n", "        old = w.copy()\n        for t in range(first, last + 1):\n"), ("gamma * value(w,", "gamma * value(old,")),
                        "the targets hold the weights as they were at the episode's beginning: take those of now."),
        "undiscounted": ((("target += gamma * value", "target += value"),), "gamma is missing."),
        "along_the_next": ((("step_towards(w, rows.active[s], rows.values[s], target", "step_towards(w, rows.active[s2], rows.values[s2], target"),), "s' is moved towards the target of s."),
        "history_before": ((("        first = last + 1\n        for i in range(w.size):  # not history[k] = w, which takes "
                             "numba two seconds to compile\n            history[k, i] = w[i]\n", "        first = last + 1\n"),
                            ("        for t in range(first, last + 1):\n", "        for i in range(w.size):\n            history[k, i] = w[i]\n        for t in range(first, last + 1):\n")),
                           "the history holds w before each episode, not after it."),
    },
    right={
        "dense": """\
def features(rows, s, n):
    phi = np.zeros(n)
    for i in range(rows.active.shape[1]):
        phi[rows.active[s, i]] += rows.values[s, i]
    return phi


features = jit(features)


def td(w, rows, experience, alpha, gamma):
    n, k = w.size, 0
    flags = experience.terminated | experience.truncated
    history = np.zeros((flags.sum(), n))
    for t in range(experience.state.size):
        phi = features(rows, experience.state[t], n)
        after = features(rows, experience.next_state[t], n)
        if experience.terminated[t]:
            after[:] = 0
        delta = experience.reward[t] + gamma * (after * w).sum() - (phi * w).sum()
        w += alpha * delta * phi
        if flags[t]:
            history[k, :] = w
            k += 1
    return history
""",
        "errors": """\
def td(w, rows, experience, alpha, gamma):
    states, rewards, next_states, terminated, truncated = experience
    episodes = ends_of(experience, rows, w, gamma)
    history = np.empty((len(episodes), len(w)))
    t = 0
    for k in range(len(episodes)):
        while True:
            active, phi = rows.active[states[t]], rows.values[states[t]]
            v2 = (1.0 - terminated[t]) * value(w, rows.active[next_states[t]], rows.values[next_states[t]])
            delta = rewards[t] + gamma * v2 - value(w, active, phi)
            for i in range(len(active)):
                w[active[i]] = w[active[i]] + alpha * delta * phi[i]
            t += 1
            if t > episodes[k]:
                break
        history[k] = w
    return history
""",
    },
)  # fmt: skip

# ---- a noise with a memory


def noise(get, size=2, seed=0, **keywords):
    """A noise at the start of an episode, and its generator."""
    made = get("rl.noise:OrnsteinUhlenbeck")(**keywords)
    made.reset(size)
    return made, np.random.default_rng(seed)


def noise_by_hand(get):
    """By hand: the pull alone, and the first push"""
    made, rng = noise(get, theta=0.5, sigma=0.0, dt=0.5)
    made.state = np.array([1.0, -2.0])
    expect(made.draw(rng), np.array([0.75, -1.5]), "draw(rng) with state = [1, -2], theta = 1/2, sigma = 0, dt = 1/2")
    expect(made.draw(rng), np.array([0.5625, -1.125]), "the draw(rng) after it")
    made, rng = noise(get, theta=0.5, sigma=3.0, dt=0.25)
    expect(made.draw(rng), 1.5 * np.random.default_rng(0).standard_normal(2), "draw(default_rng(0)) with state = [0, 0], theta = 1/2, sigma = 3, dt = 1/4")


def noise_every_step(get):
    """Twenty steps of three dimensions, against plain NumPy; what was drawn stays as it is"""
    made, rng = noise(get, 3, 1, theta=0.6, sigma=0.4, dt=0.25)
    drawn = [made.draw(rng) for _ in range(20)]
    rng, x = np.random.default_rng(1), np.zeros(3)
    for t, got in enumerate(drawn):
        x = x - 0.15 * x + 0.2 * rng.standard_normal(3)
        expect(got, x, f"draw(rng), theta = .6, sigma = .4, dt = 1/4, looked at after 20 calls, call number {t + 1}:")


def noise_settles(get):
    """The variance and the memory that it settles at"""
    made, rng = noise(get, 40_000, 2, theta=0.6, sigma=0.4, dt=0.5)
    for _ in range(40):
        now = np.array(made.draw(rng), float)
    after = np.array(made.draw(rng), float)
    got = np.array([now.mean(), now.var(), (now * after).mean() / now.var()])
    for name, x, want, tolerance in zip(("mean", "variance", "correlation of one step with the next"), got, (0.0, 0.08 / (1 - 0.7**2), 0.7), (0.01, 0.005, 0.02)):
        if not abs(x - want) < tolerance:
            raise Failed(f"the {name} of 40000 dimensions after 40 steps, theta = .6, sigma = .4, dt = 1/2\nexpected {want:.3f} +- {tolerance}\ngot      {x:.4f}")


def probe_noise(f, get):
    """Six draws, all looked at in the end."""
    made, rng = noise(get, 2, 3, theta=0.6, sigma=0.4, dt=0.25)
    return np.array([np.zeros(2) + x for x in [f(made, rng) for _ in range(6)]])


NOISE = Exercise(
    id="ou-noise",
    title="noise with a memory",
    target="rl.noise:OrnsteinUhlenbeck.draw",
    kind="rebuild",
    minutes=15,
    difficulty=1,
    read="the docstring of rl/noise.py; class Gaussian",
    task="self.state (size,) is the present N_t, zeros at the start of an episode; self.theta, self.sigma and self.dt are "
         "numbers. Draw one standard normal number for each dimension from rng, in their order, go on to the next N_t, keep it "
         "in self.state and return it, (size,) float64. An array that was returned earlier must not change.",
    check=(noise_by_hand, noise_every_step, noise_settles),
    probe=probe_noise,
    hints=(
        "Two steps of dt/2 must spread as far as one of dt. Variances add up; what does that say of the size of one push?",
        "N_{t+1} = N_t - theta dt N_t + sigma sqrt(dt) eps_t.",
        "self.state = self.state - theta * dt * self.state + sigma * sqrt(dt) * rng.standard_normal(self.state.shape); return "
        "self.state",
    ),
    why="A new array each time: the caller may keep what it got. With `+=` all the noise that was kept would be one and the "
        "same array.",
    wrong={
        "dt_for_its_root": ((("np.sqrt(self.dt)", "self.dt"),), "the push is multiplied by dt, not by its square root: halve dt, and the walk would all but stop."),
        "push_without_dt": (((" * np.sqrt(self.dt)", ""),), "the push lacks the square root of dt."),
        "pull_without_dt": ((("self.theta * self.dt * self.state", "self.theta * self.state"),), "the pull lacks dt."),
        "forgets": ((("        self.state = self.state - self.theta * self.dt * self.state + push\n        return self.state", "        return self.state - self.theta * self.dt * self.state + push"),),
                    "the new state is not kept: the noise has no memory."),
        "pushed_away": ((("self.state - self.theta", "self.state + self.theta"),), "the pull has the wrong sign: it runs away from 0."),
        "in_place": ((("self.state = self.state - self.theta * self.dt * self.state + push", "self.state += push - self.theta * self.dt * self.state"),),
                     "self.state is changed in place: all arrays that were returned are this one, and change with it."),
        "uniform": ((("rng.standard_normal(self.state.shape)", "rng.random(self.state.shape)"),), "the push is uniform between 0 and 1: it pushes in one direction only. It must be normal, with mean 0."),
        "one_for_all": ((("rng.standard_normal(self.state.shape)", "rng.standard_normal()"),), "one number is drawn for all dimensions: they then move as one."),
        "variance_for_sd": ((("self.sigma * np.sqrt", "self.sigma**2 * np.sqrt"),), "sigma is squared: it is a standard deviation already."),
    },
    right={
        "factored": """\
def draw(self, rng):
    keep = 1 - self.theta * self.dt
    spread = self.sigma * self.dt**0.5
    self.state = keep * self.state + rng.normal(0, spread, len(self.state))
    return self.state.copy()
""",
        "loop": """\
from math import sqrt


def draw(self, rng):
    new = np.empty(len(self.state))
    for i, x in enumerate(self.state):
        dx = self.theta * (0 - x) * self.dt + self.sigma * sqrt(self.dt) * rng.standard_normal()
        new[i] = x + dx
    self.state = new
    return new
""",
    },
)  # fmt: skip

EXERCISES = (SOFTEN, LINEAR_TD, NOISE, *rl_variants.EXERCISES)
