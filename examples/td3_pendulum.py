r"""placeholder"""

import sys
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

VARIANTS = {  # name -> class, what it changes; all with the settings of ddpg_pendulum
    "DDPG": (DDPG, {}),
    "TD3": (TD3, {}),
    "TD3, one critic": (TD3, {"n_critics": 1}),
    "TD3, no smoothing": (TD3, {"target_noise_clip": 0.0}),
    "TD3, no delay": (TD3, {"policy_delay": 1}),
}


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
    kind, own = VARIANTS[name]
    agent, looks, seconds = kind(Pendulum(), seed, **(SETTINGS | own | changes)), [], 0.0
    for _ in range(steps // every):
        began = time.process_time()
        agent.learn(every)
        seconds += time.process_time() - began
        looks.append(look(agent, states, horizon))
    return np.array(looks), evaluate(agent, Pendulum(), episodes, FIRST_START), seconds


def row(name, runs):
    """A line of the table: scores over the seeds, and what the critics say in the end."""
    scores, (says, follow) = np.array([returns.mean() for _, returns, _ in runs]), np.mean([looks[-1] for looks, _, _ in runs], axis=(0, 2))
    low, high = bootstrap_interval(scores, np.random.default_rng(0))
    most = max(looks[-1, 0].max() for looks, _, _ in runs)
    seconds = np.mean([seconds for *_, seconds in runs])
    return [name, f"{interquartile_mean(scores):.1f} ({low:.1f} to {high:.1f})", *np.round([scores.min(), says, follow, says - follow, most, seconds], 1).tolist()]


def draw(runs, steps):
    """Errors of the critics over time, one pair of critics in the end, scores by seed; returns one of the Axes."""
    figure = Figure((11.5, 4), layout="constrained")
    time_course, scatter, scores = figure.subplots(1, 3)
    pair = list(zip(("DDPG", "TD3"), (ORANGE, BLUE)))
    plot.learning_curves({name: (steps, [(looks[:, 0] - looks[:, 1]).mean(axis=1) for looks, _, _ in runs[name]]) for name in ("TD3", "DDPG")},
                         time_course, ylabel="Q(s, μ(s)) minus the return that follows", title="how far the critic is off")  # fmt: skip
    time_course.set(ylim=(-40, 60))
    time_course.axhline(0, color=GREY, linewidth=0.8)
    for name, colour in pair:
        says, follow = runs[name][0][0][-1]
        scatter.plot(follow, says, ".", color=colour, markersize=4, label=name)
    scatter.axline((0, 0), slope=1, color=GREY, linewidth=0.8)
    scatter.axhline(0, color=GREY, linewidth=0.8, linestyle=":")
    scatter.set(xlabel="discounted return that follows", ylabel="Q(s, μ(s))", title="200 states, one seed, in the end")
    scatter.legend(frameon=False)
    for x, (name, of_name) in enumerate(runs.items()):
        means = np.array([returns.mean() for _, returns, _ in of_name])
        colour = dict(pair).get(name, GREY)
        scores.plot(np.full(len(means), x), means, ".", color=colour, alpha=0.5)
        low, high = bootstrap_interval(means, np.random.default_rng(0))
        centre = interquartile_mean(means)
        scores.errorbar(x + 0.2, centre, [[centre - low], [high - centre]], fmt="o", color=colour, capsize=3, markersize=4)
    scores.set_xticks(range(len(runs)), [name.replace(", ", ",\n") for name in runs], fontsize=8)
    scores.set(ylabel="mean return of a seed", title="scores", xlim=(-0.5, len(runs) - 0.3))
    for ax in (scatter, scores):
        ax.spines[["top", "right"]].set_visible(False)
    return time_course


def main():
    """Train, print the table, draw."""
    full = "--full" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--full"]
    chosen, began = options(__doc__), time.process_time()
    names, seeds, steps, every, states, episodes, horizon = ("DDPG", "TD3"), 3, STEPS, 2_000, 200, 100, 1_000
    if full:
        names, seeds, episodes = VARIANTS, 10, 1_000
    if chosen.quick:
        seeds, steps, episodes = 1, 6_000, 5
    changes = {"hidden": (8, 8), "batch_size": 8} if chosen.debug else {}
    if chosen.debug:
        steps, every, states, episodes, horizon = 1_100, 1_100, 5, 2, 20
    runs = {name: [] for name in names}
    for seed in range(chosen.seed, chosen.seed + seeds):
        for name in names:
            runs[name].append(run(name, seed, steps, every, states, episodes, horizon, **changes))
            looks, returns, seconds = runs[name][-1]
            print(f"seed {seed}, {name}: {returns.mean():.1f} after {steps:,} steps, {seconds:.0f} CPU s", flush=True)
    header = ["agent", "score (95 % interval)", "worst seed", "the critic says", "what follows", "difference", "most it says", "CPU s"]
    table(header, [row(name, runs[name]) for name in names])
    print(f"score: interquartile mean of {seeds} seeds, {episodes:,} starts each; on the 1,000 starts of --full dynamic programming gets {OPTIMUM}")
    print(save(draw(runs, every * np.arange(1, steps // every + 1)), chosen.out / "td3_pendulum.png"), f"({time.process_time() - began:.0f} CPU s)")


if __name__ == "__main__":
    main()
