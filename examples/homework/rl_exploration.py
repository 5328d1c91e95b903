r"""Exercises over exploration noise and time limits; a museum bug of noise that all motors share."""

import numpy as np

from .exercise import Exercise, Failed, expect

# ---- how wide and how long Ornstein-Uhlenbeck noise is


def settled_by_hand(get):
    """By hand: half of it stays from step to step"""
    settled = get("answer:settled")
    expect(settled(0.5, 1.0, 1.0), np.array([np.sqrt(4 / 3), 1 / np.log(2)]), "settled(theta=.5, sigma=1, dt=1): variance 1 + 1/4 + 1/16 + ..., the pair")
    expect(settled(2.0, 3.0, 0.25), np.array([np.sqrt(3), 1 / np.log(2)]), "settled(theta=2, sigma=3, dt=1/4): the pair")


def settled_recursion(get):
    """One more step leaves the variance as it is; after so many steps a share 1/e is left"""
    for theta, sigma, dt in ((0.15, 0.2, 1.0), (0.15, 0.5, 0.01), (0.9, 2.0, 1.0), (3.0, 0.7, 0.3)):
        call = f"settled(theta={theta}, sigma={sigma}, dt={dt})"
        expect(np.shape(get("answer:settled")(theta, sigma, dt)), np.array([2]), f"{call}: a pair; its shape")
        sd, steps = get("answer:settled")(theta, sigma, dt)
        keep, variance = 1 - theta * dt, sd**2
        expect(keep**2 * variance + sigma**2 * dt, np.float64(variance), f"{call} = ({sd:.6g}, {steps:.6g}):\nthe variance after one more step")
        expect(keep**steps, np.exp(np.float64(-1)), f"{call} = ({sd:.6g}, {steps:.6g}):\n(1 - theta dt)^steps, what is left of a push")


POINTS = ((0.15, 0.2, 1.0), (0.15, 0.5, 0.01), (0.9, 2.0, 0.5))
SETTLED = Exercise(
    id="ou-settled",
    title="how wide noise is, and how long it lasts",
    target="answer:settled",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="rl/noise.py; the page of examples/exploration_noise.py",
    task="Ornstein-Uhlenbeck noise, N_{t+1} = N_t - theta N_t dt + sigma sqrt(dt) eps_t with eps_t ~ N(0, 1), starts from 0 and "
         "spreads until it is as wide as it will be. Return the pair (sd, steps): the standard deviation of N_t for t -> "
         "infinity, of this very sequence and not of its limit dt -> 0; and after how many steps, a real number, the "
         "correlation of N_t and N_{t+steps} has fallen to 1/e. 0 < theta dt < 1.",
    answer='''\
import math


def settled(theta, sigma, dt):
    """(standard deviation, steps): two floats"""
    keep = 1 - theta * dt
    return sigma * math.sqrt(dt / (1 - keep * keep)), -1 / math.log(keep)
''',
    check=(settled_by_hand, settled_recursion),
    probe=lambda f, get: np.array([f(*point) for point in POINTS]),
    hints=(
        "One step multiplies N by a constant and adds an independent number. What does that do to the variance, and which "
        "variance does it leave as it is?",
        "With keep = 1 - theta dt: V = keep^2 V + sigma^2 dt, and the correlation over k steps is keep^k.",
        "keep = 1 - theta dt; return sigma sqrt(dt / (1 - keep^2)), -1 / log(keep)",
    ),
    why="rl/noise.py says both in its first lines, as the same sigma is another noise with another dt: .38 wide and 6.2 steps "
        "long with dt = 1, and .37 wide but 666 steps long with dt = .01 (theta = .15, sigma = .2).",
    wrong={
        "the_limit": ((("math.sqrt(dt / (1 - keep * keep))", "math.sqrt(1 / (2 * theta))"),), "sigma^2 / (2 theta) is the variance for dt -> 0; this sequence has steps of dt."),
        "the_variance": ((("sigma * math.sqrt(dt / (1 - keep * keep))", "sigma**2 * dt / (1 - keep * keep)"),), "this is the variance: the standard deviation is its root."),
        "dt_missing": ((("math.sqrt(dt / ", "math.sqrt(1 / "),), "each step adds a variance of sigma^2 dt, not of sigma^2."),
        "dt_for_its_root": ((("math.sqrt(dt / (1", "dt * math.sqrt(1 / (1"),), "the push of a step is sigma sqrt(dt) eps: its variance is sigma^2 dt, not (sigma dt)^2."),
        "keep_not_squared": ((("keep * keep", "keep"),), "a variance is multiplied by the square of keep = 1 - theta dt."),
        "one_over_theta_dt": ((("-1 / math.log(keep)", "1 / (theta * dt)"),), "1 / (theta dt) steps is what it tends to for small theta dt: solve keep^steps = 1/e."),
        "in_time": ((("-1 / math.log(keep)", "-dt / math.log(keep)"),), "this is how much *time* it takes, steps times dt: the number of steps is asked for."),
        "of_the_square": ((("-1 / math.log(keep)", "-0.5 / math.log(keep)"),), "after half of the steps the *square* of the correlation is 1/e."),
    },
    right={
        "sum_of_pushes": """\
import numpy as np


def settled(theta, sigma, dt):
    keep = 1.0 - theta * dt
    pushes = sigma**2 * dt * keep ** (2.0 * np.arange(100_000))  # what each of the last pushes still adds
    return np.array([np.sqrt(pushes.sum()), np.log(1.0 / np.e) / np.log(keep)])
""",
        "log1p": """\
from math import log1p


def settled(theta, sigma, dt):
    pull = theta * dt
    return (sigma**2 / (theta * (2 - pull))) ** 0.5, -1 / log1p(-pull)
""",
    },
)  # fmt: skip

# ---- returns over episodes that the clock stops


def stream(*rows):
    """Five-tuples from (reward, flags), flags "" or a part of "TC": terminated, stopped by the clock."""
    return [(np.zeros(2), reward, "T" in flags, "C" in flags, {}) for reward, flags in rows]


def clock_by_hand(get):
    """By hand: stopped, ended, both, broken off"""
    returns, v = get("answer:returns"), np.array([7.0, 8.0])
    for flags, want, said in (("C", [5.0, 8.0], "the second stopped by the clock"), ("T", [3.0, 4.0], "the second terminated"),
                              ("TC", [3.0, 4.0], "the second terminated and truncated at once"), ("", [5.0, 8.0], "the record breaks off after them")):  # fmt: skip
        expect(returns(stream((1.0, ""), (4.0, flags)), v, 0.5), np.array(want), f"two steps that pay 1 and 4, {said};\nvalues [7, 8], gamma = 1/2: the returns")
    three = stream((1.0, "C"), (2.0, "T"), (3.0, ""))
    expect(returns(three, np.array([10.0, 20.0, 30.0]), 0.5), np.array([6.0, 2.0, 18.0]), "three steps that pay 1, 2, 3: truncated, terminated, and one begun;\n"
           "values [10, 20, 30], gamma = 1/2: the returns")  # fmt: skip


def clock_constant(get):
    """A world that pays 1 for ever: every return is 1 / (1 - gamma), wherever the clock stops"""
    steps = stream(*[(1.0, "C" if t % 5 == 4 else "") for t in range(23)])
    expect(get("answer:returns")(steps, np.full(23, 10.0), 0.9), np.full(23, 10.0), "23 steps that pay 1, stopped after every 5; all values 10, gamma = .9: the returns")


def long_stream():
    """60 steps with all kinds of ends."""
    rng = np.random.default_rng(1)
    flags = [("", "", "", "T", "C", "TC")[k] for k in rng.integers(6, size=60)]
    return stream(*zip(rng.standard_normal(60).tolist(), flags)), rng.standard_normal(60)


def clock_sums(get):
    """Against the sum written out for each step of a longer record"""
    steps, values = long_stream()
    want = np.zeros(60)
    for t in range(60):
        weight = 1.0
        for k in range(t, 60):
            want[t] += weight * steps[k][1]
            weight *= 0.8
            if steps[k][2]:
                break
            if steps[k][3] or k == 59:
                want[t] += weight * values[k]
                break
    before = values.copy()
    expect(get("answer:returns")(steps, values, 0.8), want, "60 steps with ends of all kinds, gamma = .8: the returns")
    expect(values, before, "values after that: they must stay as they are; they")


CLOCK = Exercise(
    id="clock-returns",
    title="returns over episodes that a clock stops",
    target="answer:returns",
    kind="variant",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/envs/environment.py; the page of examples/time_limits.py",
    task="`steps` is a list of what env.step returned, (observation, reward, terminated, truncated, info), T steps of several "
         "episodes one after another; values (T,) holds v of the observation in each of these tuples, the state *after* that "
         "step. Return the discounted return from each step on, (T,), float64: the rewards of its own episode to its end. "
         "Where the episode was stopped but not ended, and where the record breaks off, v stands for what would have followed. "
         "A step may be terminated and truncated at once: then it has ended.",
    answer='''\
import numpy as np


def returns(steps, values, gamma):
    """list of T five-tuples, (T,), number -> (T,)"""
    G = np.zeros(len(steps))
    for t in reversed(range(len(steps))):
        _, reward, terminated, truncated, _ = steps[t]
        if terminated:
            follow = 0.0
        elif truncated or t == len(steps) - 1:
            follow = values[t]
        else:
            follow = G[t + 1]
        G[t] = reward + gamma * follow
    return G
''',
    check=(clock_by_hand, clock_constant, clock_sums),
    probe=lambda f, get: f(*long_stream(), 0.8),
    hints=(
        "Three things can follow a step: nothing, the next step of the list, or something that nobody saw. Which flags say which?",
        "G_t = r_t + gamma F, with F = 0 if terminated, v of the observation if only truncated or the last of the list, else G_{t+1}.",
        "from the last step to the first: if terminated: F = 0; elif truncated or t is the last: F = values[t]; else F = G[t + 1]",
    ),
    why="DDPG here needs no such loop: its target looks one step ahead, and its mask is 1 - terminated. Who sums whole "
        "episodes, as policy gradients do, meets all four cases.",
    wrong={
        "done": ((("if terminated:", "if terminated or truncated:"),), "a truncated episode would have gone on: the clock is not the end of the world."),
        "runs_on": ((("elif truncated or t", "elif t"),), "after a truncated step comes another episode of the list: its return does not belong to this one."),
        "breaks_off": ((("            follow = values[t]", "            follow = values[t] if truncated else 0.0"),), "the last step of the list may be in the middle of an episode: what follows is v there, too."),
        "through_the_end": ((("follow = 0.0", "follow = values[t]"),), "nothing follows a terminated step: v of its observation is the value of a state in which nobody will ever act."),
        "clock_first": ((("if terminated:", "if terminated and not truncated:"),), "a step can be terminated and truncated at once: then the world has ended, and nothing follows."),
        "value_undiscounted": ((("            follow = values[t]", "            follow = values[t] / gamma"),), "v stands for what follows the reward: it is discounted once, like the next return."),
        "value_before": ((("            follow = values[t]", "            follow = values[t - 1]"),), "values[t] belongs to the observation *after* step t: no shift."),
        "both_added": ((("            follow = values[t]\n", "            follow = values[t] + (G[t + 1] if t < len(steps) - 1 else 0.0)\n"),), "where the clock stops, v stands in the place of the next return, not beside it."),
    },
    right={
        "episodes": """\
import numpy as np


def returns(steps, values, gamma):
    out, episode = [], []
    for t, (_, reward, terminated, truncated, _) in enumerate(steps):
        episode.append(reward)
        if terminated or truncated or t + 1 == len(steps):
            follow, part = (0.0 if terminated else float(values[t])), []
            for r in reversed(episode):
                follow = r + gamma * follow
                part.append(follow)
            out += part[::-1]
            episode = []
    return np.array(out)
""",
        "linear_system": """\
import numpy as np


def returns(steps, values, gamma):
    T = len(steps)
    reward = np.array([step[1] for step in steps], float)
    over, cut = (np.array([step[k] for step in steps], bool) for k in (2, 3))
    cut[-1] = True
    A = np.eye(T) - gamma * np.diag((~over & ~cut)[:-1].astype(float), 1)
    return np.linalg.solve(A, reward + gamma * np.where(~over & cut, values, 0.0))
""",
    },
)  # fmt: skip

# ---- museum: one noise for all motors


class Given:
    """Noise that is told what to say, and counts how often it was asked."""

    def __init__(self, *says):
        self.says, self.asked, self.state = [np.array(n) for n in says], 0, np.zeros(3)

    def reset(self, size):
        """Nothing to do."""

    def draw(self, rng):
        """The next of the list, over and over."""
        self.asked += 1
        return self.says[(self.asked - 1) % len(self.says)].copy()


def three(get, noise=None, start_steps=4, mu=(0.5, -0.2, 0.9)):
    """DDPG with three motors in the middle of an episode, exactly at the end of the random steps; the actor always says mu."""
    env = get("rl.envs:LQR")(A=np.eye(3), B=np.eye(3), Q=np.eye(3), R=np.eye(3))
    made = get("rl.ddpg:DDPG")(env, 0, hidden=(8,), batch_size=4, dtype=np.float64, start_steps=start_steps, noise=noise or get("rl.noise:Gaussian")(0.2))
    made.noise.reset(3)
    made.s, made.steps, made.explore = np.zeros(3), start_steps, np.random.default_rng(3)
    made.mu = lambda s: np.array(mu)
    return made


def explore_by_hand(get):
    """By hand: mu plus noise, cut to -1 ... 1"""
    made = three(get, Given([0.3, 0.1, 0.4], [-1.6, -0.9, -0.3]))
    for says, want in (("[.3, .1, .4]", [0.8, -0.1, 1.0]), ("[-1.6, -.9, -.3]", [-1.0, -1.0, 0.6])):
        expect(made.explore_action(), np.array(want), f"explore_action(), the random steps just over, mu(s) = [.5, -.2, .9], noise {says}:")
    expect(three(get, Given([0.25, 0.0, -0.5]), mu=(0, 0, 0)).explore_action(), np.array([0.25, 0, -0.5]), "explore_action(), mu(s) = 0, noise [.25, 0, -.5]:")


def spread(rows, call, deviation):
    """Failed unless the columns of rows (N, 3) have mean 0 and the deviation, and no two go together, nor one step with the next."""
    rows = np.array(rows)
    if np.abs(rows.mean(axis=0)).max() > 5 * deviation / np.sqrt(len(rows)) or np.abs(rows.std(axis=0) / deviation - 1).max() > 0.15:
        raise Failed(f"{call}\nshould have mean 0 and standard deviation {deviation:.3f} in each dimension; it has {rows.mean(axis=0).round(3)} and {rows.std(axis=0).round(3)}")
    together = np.corrcoef(rows.T)[np.triu_indices(3, 1)]
    if np.abs(together).max() > 0.25:
        raise Failed(f"{call}\nthe correlations of the three motors should be near 0; they are {together.round(2)}")
    again = np.mean(rows[1:] * rows[:-1], axis=0) / deviation**2
    if np.abs(again).max() > 0.25:
        raise Failed(f"{call}\none draw should have nothing to do with the next; their correlations are {again.round(2)}")


def explore_independent(get):
    """600 draws: each motor has its own noise, each step a new one"""
    made = three(get, mu=(0, 0, 0))
    spread([made.explore_action() for _ in range(600)], "explore_action(), mu(s) = 0, Gaussian(0.2), 600 times:", 0.2)


def explore_start(get):
    """The first steps: uniform in -1 ... 1, no noise is drawn"""
    made = three(get, Given([5.0, 5.0, 5.0]))
    made.steps, call = 3, "explore_action() in the last of the random first steps, 600 times:"
    rows = np.array([made.explore_action() for _ in range(600)])
    expect(rows.shape, np.array([600, 3]), f"{call} the shape of all")
    if made.noise.asked or np.abs(rows).max() > 1 or np.abs(rows).max() < 0.98:
        raise Failed(f"{call}\nshould be uniform in -1 ... 1, without noise; the largest is {np.abs(rows).max():.3f}, and noise was drawn {made.noise.asked} times")
    spread(rows, call, 1 / np.sqrt(3))


def probe_explore(f, get):
    """Four actions from each phase, and two with large noise."""
    made, rows = three(get), []
    for made.steps in (0, 0, 3, 4, 4, 5):
        rows.append(np.broadcast_to(f(made), 3))
    made = three(get, Given([0.3, 0.1, 0.4], [-1.6, -0.9, -0.3]), mu=(0.5, -0.2, 1.5))
    return np.concatenate([*rows, f(made), f(made)])


def explore_symptom(get):
    """A robot with two wheels that is paid for turning on the spot: one wheel forward, the other back."""
    Environment, Box, DDPG = get("rl.envs.environment:Environment"), get("rl.spaces:Box"), get("rl.ddpg:DDPG")

    class Wheels(Environment):
        """1 a step where the wheels are within .3 of (.6, -.6), else 0."""

        def begin(self, options):
            self.pushes = getattr(self, "pushes", [])
            return np.zeros(1, np.float32)

        def move(self, action):
            self.pushes.append(np.array(action))
            return np.zeros(1, np.float32), float(np.abs(action - (0.6, -0.6)).max() < 0.3), False

    steps, paid, pushes = 1000, [], []
    for seed in range(2):
        env = Wheels(Box(-1.0, 1.0, (1,)), Box(-1.0, 1.0, (2,)), 20)
        agent = DDPG(env, seed, hidden=(16,), batch_size=32, gamma=0.5, start_steps=0, noise=get("rl.noise:Gaussian")(0.4)).learn(steps)
        paid.append([r / 20 for _, r in agent.returns])
        pushes.append(np.corrcoef(np.array(env.pushes[:31]).T)[0, 1])
    paid = np.mean(paid, axis=0).reshape(25, -1).mean(axis=1)
    return {
        "figures": {"mean reward of a step, the last 200 of 1,000": paid[-5:].mean(), "correlation of the two wheels, first 31 steps": np.mean(pushes)},
        "x": 40 * np.arange(1, 26), "y": paid, "xlabel": "environment steps", "ylabel": "mean reward of a step", "log": "",
    }  # fmt: skip


UNIFORM, NOISY = "self.explore.uniform(-1, 1, len(self.low))", "np.clip(self.mu(self.s) + self.noise.draw(self.explore), -1, 1)"
EXPLORE = Exercise(
    id="bug-one-noise",
    title="all one-motor tasks are learned",
    target="rl.ddpg:DDPG.explore_action",
    kind="spot the bug",
    minutes=10,
    difficulty=1,
    read="the docstring of rl/noise.py; Algorithm 1 in rl/ddpg.py, line 7",
    task="An agent learns Pendulum and every other task with one motor. A robot with two wheels, paid for turning on the spot "
         "(one wheel forward, the other back), it never learns: after 1,000 steps it earns .00 a step, the right code .31. Look "
         "at the first 31 pushes, before anything was learned: the correlation of the two wheels is 1.00, the right one's .08.\n"
         "Mend `explore_action`. self.mu(self.s) is the actor's action (m,), self.noise.draw(rng) the next noise, "
         "self.explore the generator of all exploration; the first self.start_steps of the self.steps are uniform in -1 ... 1, "
         "one number for each of the len(self.low) = m dimensions, and draw no noise. The action must stay in -1 ... 1.",
    check=(explore_by_hand, explore_independent, explore_start),
    probe=probe_explore,
    hints=(
        "With one motor nothing is wrong. What can two motors do that one cannot, and does the noise ever try it?",
        "a = clip(mu(s) + N_t, -1, 1), where N_t has as many independent numbers as the action.",
        "if steps < start_steps: uniform, m numbers; else clip(mu + draw(explore), -1, 1), the whole draw",
    ),
    why="`reset(size)` tells the noise how many numbers to draw. A draw without a size is one number, and NumPy adds it to "
        "all dimensions without a word: on Pendulum, and on every task with one motor, nobody can see it.",
    bug="one_for_all",
    symptom=explore_symptom,
    wrong={
        "one_for_all": ((("self.noise.draw(self.explore)", "self.noise.draw(self.explore)[0]"),), "one number is added to all dimensions: each motor needs a noise of its own."),
        "one_uniform": (((UNIFORM, "np.full(len(self.low), self.explore.uniform(-1, 1))"),), "in the first steps all dimensions get the same number: draw one for each."),
        "not_clipped": (((NOISY, "self.mu(self.s) + self.noise.draw(self.explore)"),), "the sum may leave -1 ... 1: clip it."),
        "clipped_before": (((NOISY, "np.clip(self.mu(self.s), -1, 1) + self.noise.draw(self.explore)"),), "the actor's action is clipped, which is in -1 ... 1 anyhow, and not the sum."),
        "noise_clipped": (((NOISY, "self.mu(self.s) + np.clip(self.noise.draw(self.explore), -1, 1)"),), "the noise is clipped, not the sum."),
        "inverted": ((("self.steps < self.start_steps", "self.steps >= self.start_steps"),), "the phases are swapped: uniform first, then the actor with noise."),
        "one_too_many": ((("self.steps < self.start_steps", "self.steps <= self.start_steps"),), "self.steps counts the steps that are over: one uniform step too many."),
        "the_same_again": ((("self.noise.draw(self.explore)", "self.noise.draw(np.random.default_rng(0))"),), "a generator that is made anew for each step says the same each time: the noise never changes."),
    },
    right={
        "by_dimension": """\
def explore_action(self):
    m = len(self.low)
    if self.steps < self.start_steps:
        return np.array([2 * self.explore.random() - 1 for _ in range(m)])
    mu, n = self.mu(self.s), self.noise.draw(self.explore)
    return np.array([min(1.0, max(-1.0, float(mu[i]) + float(n[i]))) for i in range(m)])
""",
        "bounds": """\
def explore_action(self):
    random = self.start_steps > self.steps
    if random:
        return 2 * self.explore.random(self.low.shape) - 1
    a = np.add(self.mu(self.s), self.noise.draw(self.explore))
    a[a > 1] = 1
    a[a < -1] = -1
    return a
""",
    },
)  # fmt: skip

EXERCISES = (SETTLED, CLOCK, EXPLORE)
