r"""A clock that stops the episode is not the end of the world: what it costs to mistake one for the other, in numbers.

The question. `step` returns two flags. `terminated`: nothing follows. `truncated`: somebody stopped the clock, and the
world would have gone on. Old code has one flag, `done`, for both. What exactly does an agent learn who takes the second
for the first?

The formula. The target of a step is y = r + γ (1 − terminated) v(s'). Who writes `done` in the place of `terminated` learns
the values of a world that ends with a chance m(s) in each state: the share of the visits to s on which the clock stops.

    v = r + γ v'              the right mask
    v = r + γ (1 − m) v'      `done`: another discount, γ (1 − m), and a different one in each state

With r = 1 for ever, γ = 0.9 and a clock of L = 10 steps: v = 1/(1 − γ) = 10, and 1/(1 − γ (1 − 1/L)) = 5.26. There is a third
world: who *sees* the clock (t/L in the observation, Pardo et al. 2018) may well stop with it, and learns the sum of the
rewards that are left: (1 − γ^(L−t)) / (1 − γ), 6.51 at first and 1 at last. That is right, for another question.

What to notice in the picture. Left: the critic of a DDPG agent in that world, with either mask, and the two numbers
(dashed). Middle: a worker earns 1 a step where he is, or walks five steps without pay to a place that pays 4. It is
worth the walk. With `done` and a clock of less than 17 steps it seems not to be: the far place is mostly reached just
before the clock stops, so that its value is wiped out. Not only are the numbers wrong, the *policy* is. Dots: Q-learning,
from a random walker's steps; lines: solved exactly. Right: Pendulum, learned in episodes of L steps, tested in episodes of
200. With the right mask the clock does not matter: −136 for all three. With `done` it costs something at L = 200, though
one step in 200 is all that differs; at 50 the rod hangs, as it does without any learning.

The common mistake. To take the clock for the end, and not to notice, as the agent still learns *something*. It shows when
somebody shortens the episodes, to see more starts. The other way round is as wrong: to bootstrap through a true end,
where v' is the value of a state in which nobody will ever act. And to hide the time from an agent that is to be judged by
what it gets before the clock stops: no mask can mend that.

    python -m examples.time_limits           about a minute; writes figures/time_limits.png
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl.ddpg import DDPG
from rl.envs import Pendulum
from rl.envs.environment import Environment
from rl.evaluate import evaluate
from rl.spaces import Box

from . import ddpg_pendulum
from .command import options, table

COLOURS = {"terminated": BLUE, "done": ORANGE}


class Forever(Environment):
    """One state, one reward, no end. clock: whether the observation is the share of the time that is over, or always 0."""

    def __init__(self, max_episode_steps=10, clock=False):
        super().__init__(Box(0.0, 1.0, (1,)), Box(-1.0, 1.0, (1,)), max_episode_steps)
        self.clock = clock

    def look(self, t):
        """What is seen after t steps."""
        return np.full(1, t / self.max_episode_steps if self.clock else 0, np.float32)

    def begin(self, options):
        """Nothing to choose."""
        return self.look(0)

    def move(self, action):
        """The same again."""
        return self.look(self.elapsed + 1), 1.0, False


def done_for_terminated(env):
    """The mistake, put into an environment: `terminated` is also set where the clock stops. Returns it."""
    step = env.step

    def wrong(action):
        observation, reward, terminated, truncated, info = step(action)
        return observation, reward, terminated or truncated, truncated, info

    env.step = wrong
    return env


MASKS = {"terminated": lambda env: env, "done": done_for_terminated}

# ======================================================================== 1. One for ever


def constant(gamma, limit):
    """The exact values: {mask: v}."""
    return {"terminated": 1 / (1 - gamma), "done": 1 / (1 - gamma * (1 - 1 / limit))}


def with_clock(gamma, limit):
    """Exact values (L,) after t = 0, ..., L − 1 steps, for who sees the clock and stops with it."""
    return (1 - gamma ** (limit - np.arange(limit))) / (1 - gamma)


def critic(mask, seed, steps, gamma=0.9, limit=10, clock=False, every=50, **changes):
    """What a critic believes while it learns: values (steps/every, L) of the L observations (all alike without the clock)."""
    settings = dict(hidden=(16,), gamma=gamma, tau=0.05, start_steps=100, actor_lr=1e-4) | changes
    agent, beliefs = DDPG(MASKS[mask](Forever(limit, clock)), seed, **settings), []
    seen = np.array([Forever(limit, clock).look(t) for t in range(limit)])  # (L, 1)
    for _ in range(steps // every):
        agent.learn(every)
        beliefs.append(ddpg_pendulum.believed(agent, seen)[1])
    return np.array(beliefs)


# ======================================================================== 2. Stay, or walk?

WALK, PAY = 5, 4.0  # steps to the far place; what it pays each step


def outcome(s, a):
    """States 0 ... WALK, action 0 stays, 1 walks on: (s', r)."""
    s2 = min(s + a, WALK)
    return s2, (1.0 if s2 == 0 else PAY if s == WALK else 0.0)


def stopped(limit):
    """m (S,): the share of a random walker's visits on which the clock stops, exactly, by the chance to be in s after t steps."""
    p, visits = np.eye(WALK + 1)[0], np.zeros(WALK + 1)
    for _ in range(limit):
        last = p  # after t = 0, ..., L − 1 steps
        visits += p
        p = np.array([0.5 * p[s] + (0.5 * p[s - 1] if s else 0) for s in range(WALK)] + [p[WALK] + 0.5 * p[WALK - 1]])
    return last / np.maximum(visits, 1e-300)


def exact_q(gamma, m):
    """Q (S, 2) of Q = r + γ (1 − m) max Q', by sweeps until nothing changes."""
    Q, before = np.zeros((WALK + 1, 2)), None
    while before is None or np.abs(Q - before).max() > 1e-12:
        before = Q.copy()
        for s, a in np.ndindex(Q.shape):
            s2, r = outcome(s, a)
            Q[s, a] = r + gamma * (1 - m[s]) * Q[s2].max()
    return Q


def learned_q(gamma, limit, mask, episodes, rng):
    """Q-learning from a random walker's episodes of `limit` steps, α = n^−0.7 at the n-th visit."""
    Q, n = np.zeros((WALK + 1, 2)), np.zeros((WALK + 1, 2))
    for _ in range(episodes):
        s = 0
        for t, a in enumerate(rng.integers(2, size=limit)):
            s2, r = outcome(s, a)
            n[s, a] += 1
            over = mask == "done" and t == limit - 1
            Q[s, a] += n[s, a] ** -0.7 * (r + gamma * (1 - over) * Q[s2].max() - Q[s, a])
            s = s2
    return Q


# ======================================================================== 3. Pendulum


def pendulum(mask, limit, seed, steps, episodes, **changes):
    """Mean return, in episodes of 200 steps, of what was learned in episodes of `limit`."""
    agent = DDPG(MASKS[mask](Pendulum(limit)), seed, **(ddpg_pendulum.SETTINGS | dict(decay_steps=steps) | changes)).learn(steps)
    return evaluate(agent, Pendulum(), episodes, seed=30_000).mean()


# ======================================================================== The picture


def draw(every, beliefs, limits, lines, dots, scores):
    """Three panels; returns one of the Axes."""
    figure = Figure((12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for mask, values in beliefs.items():
        left.plot(every * np.arange(1, len(values) + 1), values[:, 0], color=COLOURS[mask], label=f"mask by `{mask}`")
        left.axhline(constant(0.9, 10)[mask], color=GREY, linestyle="--", linewidth=1)
    left.set(xlabel="environment steps", ylabel="critic's value", title="1 for ever, a clock of 10 steps", ylim=(0, 11))
    for mask in MASKS:
        for a, style in ((0, ":"), (1, "-")):
            label = f"{('stay', 'walk')[a]}, `{mask}`"
            middle.plot(limits, [Q[0, a] for Q in lines[mask]], style, color=COLOURS[mask], linewidth=1.3, label=label)
            middle.plot(list(dots[mask]), [Q[0, a] for Q in dots[mask].values()], "o", color=COLOURS[mask], markersize=4)
    middle.set(
        xlabel="clock: steps of an episode", ylabel="value at the start", title="stay (1 a step) or walk (4, later)", ylim=(0, None)
    )
    middle.set_xscale("log")
    middle.set_xticks([10, 20, 50, 100, 200], ["10", "20", "50", "100", "200"])
    middle.minorticks_off()
    for mask, rows in scores.items():
        right.plot(np.arange(len(rows)), np.mean(list(rows.values()), axis=1), "o-", color=COLOURS[mask], label=f"mask by `{mask}`")
        for k, values in enumerate(rows.values()):
            right.plot([k] * len(values), values, ".", color=COLOURS[mask], markersize=4)
    right.set_xticks(np.arange(len(rows)), [str(limit) for limit in rows])
    right.set(
        xlabel="clock while learning: steps of an episode",
        ylabel="return of 200 steps",
        title="Pendulum, learned with a short clock",
    )
    for ax in (left, middle, right):
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8)
    return left


def main():
    """Print the tables, write the figure."""
    chosen, began = options(__doc__), time.process_time()
    steps, episodes, swings, seeds, clocks, tests = 5_000, 10_000, 6_000, 2, (200, 50, 20), 50
    if chosen.quick:
        steps, episodes, swings, seeds, clocks, tests = 1_500, 500, 1_500, 1, (200, 20), 5
    changes = {}
    if chosen.debug:
        steps, episodes, swings, tests, changes = 250, 5, 1_040, 1, dict(hidden=(8,), batch_size=8)

    print("1. One for ever, gamma = 0.9, a clock of 10 steps: the value\n")
    exact, half = constant(0.9, 10), steps // 100
    beliefs = {mask: critic(mask, chosen.seed, steps) for mask in MASKS}
    rows = [[f"mask by {mask}", exact[mask], float(v[half:, 0].mean())] for mask, v in beliefs.items()]
    seen = critic("done", chosen.seed, steps, clock=True)[half:].mean(axis=0)
    rows += [
        [f"done, who sees the clock: {name}", float(with_clock(0.9, 10)[t]), float(seen[t])]
        for name, t in (("first step", 0), ("last step", 9))
    ]
    table(["", "exact", "critic, second half"], rows)

    print("\n2. Stay or walk, gamma = 0.9: values at the start\n")
    limits, rng = np.unique(np.geomspace(7, 200, 60).astype(int)), np.random.default_rng(chosen.seed)
    m = {"terminated": lambda limit: np.zeros(WALK + 1), "done": stopped}
    lines = {mask: [exact_q(0.9, m[mask](limit)) for limit in limits] for mask in MASKS}
    dots = {mask: {limit: learned_q(0.9, limit, mask, 1 + episodes * 50 // limit, rng) for limit in (10, 20, 50)} for mask in MASKS}
    rows = []
    for mask, limit in ((mask, limit) for mask in MASKS for limit in (10, 20, 50)):
        Q, learned = exact_q(0.9, m[mask](limit)), dots[mask][limit]
        rows.append([mask, limit, *map(float, (*Q[0], *learned[0])), ("stay", "walk")[int(Q[0].argmax())]])
    table(["mask", "clock", "stay", "walk", "stay, learned", "walk, learned", "the agent"], rows)
    turn = limits[[Q[0].argmax() == 1 for Q in lines["done"]].index(True)]
    print(f"\nwith `done` it walks from a clock of {turn} steps on")

    print(
        f"\n3. Pendulum: mean return over {tests} episodes of 200 steps, after {swings:,} steps of learning, seeds {chosen.seed} ...\n"
    )
    scores = {mask: {} for mask in MASKS}
    for mask, limit in ((mask, limit) for limit in clocks for mask in MASKS):
        scores[mask][limit] = [
            pendulum(mask, limit, seed, swings, tests, **changes) for seed in range(chosen.seed, chosen.seed + seeds)
        ]
    cell = lambda values: ", ".join(f"{v:.0f}" for v in values)  # noqa: E731
    table(
        ["clock", "mask by terminated", "mask by done"],
        [[str(limit), *[cell(scores[mask][limit]) for mask in MASKS]] for limit in clocks],
    )
    print(
        f"\n{save(draw(50, beliefs, limits, lines, dots, scores), chosen.out / 'time_limits.png')} ({time.process_time() - began:.0f} CPU s)"
    )


if __name__ == "__main__":
    main()
