r"""Does a critic believe its own luck? DDPG beside TD3 on the pendulum.

The question. DDPG's actor goes to wherever Q is highest, and so, where Q errs, to where it errs upwards. No return of the
pendulum is above 0, and yet some of its critics promise 20 and more. How far off are they, does it do harm, and what do the
three changes of TD3 do about it (`rl/td3.py`, written as a difference from `rl/ddpg.py`)?

The formula. The lesser of two critics, at an action with a little noise; actor and targets move every second time only
(Fujimoto et al. 2018):

    y = r + γ min(Q₁'(s', ã), Q₂'(s', ã)),      ã = μ'(s') + clip(ε, −c, c),      ε ~ N(0, σ̃²)

And what is measured, as in their figure 1, at states s out of the agent's own memory:

    Q(s, μ(s)) − (r₁ + γ r₂ + γ² r₃ + …)         the rewards that really follow, if the actor goes on from s without noise

with no time limit, since the critic bootstraps through that, and so speaks of a sum without end.

What to notice in the picture. Left: both critics begin with Q = 0, which is hundreds too high. TD3's comes down later, as its
targets move at every second update only. Then DDPG's stays too high, by 25 in the end (1 to 47 by seed); TD3's settles
too low, by 14.5. Middle: one critic of each. DDPG's promises 24 at the top, where no return is above 0; no state of TD3's
lies far above the diagonal. Right: and yet the scores are the same, −142.5 (−143.8 to −141.1) for TD3 and −142.6
(−144.8 to −141.3) for DDPG, where dynamic programming gets −132.9. The middle suggests why: DDPG's dots lie beside the
diagonal, much in parallel to it, and an error that is the same everywhere moves no actor.

The common mistake. To take "less overestimation" for "right", or for "better". The min of two noisy guesses is too low: TD3
trades one error for another, whose sign is the harmless one, as no actor goes looking for it. In the paper's harder
worlds that pays; here it does not. Nor does one seed tell: by seed 0 TD3 wins by 6, by seed 8 DDPG by 5.

    python -m examples.td3_pendulum          two minutes: three seeds, 100 starts; writes figures/td3_pendulum.png
    python -m examples.td3_pendulum --full   the picture here: ten seeds, 1,000 starts of `ddpg_evaluation`; six minutes
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.kernels import jit
from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import plot
from rl.ddpg import DDPG
from rl.envs import Pendulum
from rl.envs.pendulum import pendulum_step
from rl.evaluate import bootstrap_interval, evaluate, interquartile_mean
from rl.td3 import TD3

from .command import options, table
from .ddpg_evaluation import FIRST_START, OPTIMUM
from .ddpg_pendulum import SETTINGS, STEPS, believed

AGENTS = {"DDPG": DDPG, "TD3": TD3}  # both with the settings of ddpg_pendulum


def move(states, torques):
    """One step of B pendulums: states (B, 2), changed in place, torques (B, 1) -> rewards (B,)"""
    rewards = np.empty(len(states))
    for i in range(len(states)):
        rewards[i] = pendulum_step(states[i], torques[i])
    return rewards


move = jit(move, flags=())


def follows(agent, observations, steps=1_000):
    """The discounted returns (B,) that really follow from observations (B, 3), by the actor without noise and with no clock.

    The critic bootstraps through the time limit, so what it speaks of has no end. After 1,000 steps a reward weighs 4e-5.
    """
    states = np.stack([np.arctan2(observations[:, 1], observations[:, 0]), observations[:, 2]], axis=1).astype(np.float64)  # (B, 2)
    returns = np.zeros(len(states))
    for t in range(steps):
        s = np.stack([np.cos(states[:, 0]), np.sin(states[:, 0]), states[:, 1]], axis=1)  # (B, 3)
        a, _ = believed(agent, s)
        returns += agent.gamma**t * move(states, agent.to_env(a))
    return returns


def look(agent, states, steps):
    """What the critic says of so many states out of the agent's own memory, and what follows: (2, states)"""
    s = agent.replay.sample(states, np.random.default_rng(0)).observation * agent.observation_scale  # (states, 3)
    return np.array([believed(agent, s)[1], follows(agent, s, steps)])


def run(name, seed, steps, every, states, episodes, horizon, **changes):
    """One agent: looks (T, 2, states), returns (episodes,) at the end, CPU seconds of learning."""
    agent, looks, seconds = AGENTS[name](Pendulum(), seed, **(SETTINGS | changes)), [], 0.0
    for _ in range(steps // every):
        began = time.process_time()
        agent.learn(every)
        seconds += time.process_time() - began
        looks.append(look(agent, states, horizon))
    return np.array(looks), evaluate(agent, Pendulum(), episodes, FIRST_START), seconds


def row(name, runs):
    """A line of the table: scores over the seeds, and what the critics say in the end."""
    scores = np.array([returns.mean() for _, returns, _ in runs])
    says, follow = np.mean([looks[-1] for looks, _, _ in runs], axis=(0, 2))
    low, high = bootstrap_interval(scores, np.random.default_rng(0))
    most = max(looks[-1, 0].max() for looks, _, _ in runs)
    seconds = np.mean([seconds for *_, seconds in runs])
    numbers = np.round([scores.min(), says, follow, says - follow, most, seconds], 1).tolist()
    return [name, f"{interquartile_mean(scores):.1f} ({low:.1f} to {high:.1f})", *numbers]


def draw(runs, steps):
    """Errors of the critics over time, one pair of critics in the end, scores by seed; returns one of the Axes."""
    figure = Figure((12, 4), layout="constrained")
    errors, pair, scores = figure.subplots(1, 3)
    off = {name: (steps, [(looks[:, 0] - looks[:, 1]).mean(axis=1) for looks, _, _ in runs[name]]) for name in ("TD3", "DDPG")}
    plot.learning_curves(off, errors, ylabel="Q(s, μ(s)) minus the return that follows", title="how far the critic is off")
    errors.set(ylim=(-40, 60), xlim=(0, steps[-1]))  # at first Q is 0 and the return is -700: off by more than is shown
    colours = {"TD3": BLUE, "DDPG": ORANGE}
    for name, colour in colours.items():
        says, follow = runs[name][0][0][-1]
        pair.plot(follow, says, ".", color=colour, markersize=5, alpha=0.6, label=name)
    pair.axline((0, 0), slope=1, color=GREY, linewidth=0.8)
    pair.set(xlabel="discounted return that follows", ylabel="Q(s, μ(s))", title=f"{len(says)} states each, first seed, in the end")
    pair.legend(frameon=False)
    for x, (name, of_name) in enumerate(runs.items()):
        means, colour = np.array([returns.mean() for _, returns, _ in of_name]), colours.get(name, GREY)
        low, high = bootstrap_interval(means, np.random.default_rng(0))
        scores.plot(np.full(len(means), x), means, ".", color=colour, alpha=0.5)
        scores.plot([x + 0.25] * 2, [low, high], color=colour)
        scores.plot(x + 0.25, interquartile_mean(means), "o", color=colour)
    scores.set_xticks(range(len(runs)), [name.replace(", ", ",\n") for name in runs], fontsize=8)
    scores.set(ylabel="mean return", xlabel="circle: interquartile mean, 95 % interval", title="scores by seed", xlim=(-0.5, len(runs) - 0.25))
    for ax in (errors, pair):
        ax.axhline(0, color=GREY, linewidth=0.8, linestyle=":")
    for ax in (pair, scores):
        ax.spines[["top", "right"]].set_visible(False)
    return errors


def main():
    """Train, print the table, draw."""
    chosen, began = options(__doc__, full="ten seeds, each on 1,000 starts"), time.process_time()
    full = chosen.full
    seeds, steps, every, states, episodes, horizon = 10 if full else 3, STEPS, 2_000, 200, 1_000 if full else 100, 1_000
    if chosen.quick:
        seeds, steps, episodes = 1, 6_000, 5
    changes = {"hidden": (8, 8), "batch_size": 8} if chosen.debug else {}
    if chosen.debug:
        steps, every, states, episodes, horizon = 1_100, 1_100, 5, 2, 20
    runs = {name: [] for name in AGENTS}
    for seed in range(chosen.seed, chosen.seed + seeds):
        for name in AGENTS:
            runs[name].append(run(name, seed, steps, every, states, episodes, horizon, **changes))
            looks, returns, seconds = runs[name][-1]
            off = (looks[-1, 0] - looks[-1, 1]).mean()
            print(f"seed {seed}, {name}: {returns.mean():.1f} after {steps:,} steps, the critic off by {off:+.1f}, {seconds:.0f} CPU s", flush=True)
    header = ["agent", "score (95 % interval)", "worst seed", "critic says", "what follows", "difference", "at most", "CPU s"]
    table(header, [row(*pair) for pair in runs.items()])
    optimum = f"; dynamic programming gets {OPTIMUM} on these" if full else ""
    print(f"score: interquartile mean of {seeds} seeds, {episodes:,} starts each{optimum}")
    picture = save(draw(runs, every * np.arange(1, steps // every + 1)), chosen.out / "td3_pendulum.png")
    print(picture, f"({time.process_time() - began:.0f} CPU s)")


if __name__ == "__main__":
    main()
