r"""Why mountain car fails without correlated noise: exploration is not how much you push, but how long the same way.

The question. A car in a valley gets 100 at the top of the hill, and pays for each push. DDPG with the noise that solves
Pendulum never learns this: it ends with doing nothing. With noise of the *same size* that keeps its direction for a
while, it learns it in a few thousand steps. What does the second noise do that the first does not?

The formula. Near its bottom the valley is a swing: δ'' = −ω² δ + 0.0015 a, with ω² = 0.0075, so one swing takes
2π/ω = 73 steps. A swing is driven high by what pushes in its own rhythm, and by nothing else: its energy grows each step
by 0.0015² S/2 on average, where S is the power of the noise at the frequency ω. For noise of one standard deviation s,

    N_{t+1} = φ N_t + σ √Δt ε_t,   φ = 1 − θ Δt     Ornstein-Uhlenbeck; with φ = 0 and Δt = 1 it is Gaussian
    S = σ² Δt / |1 − φ e^{−iω}|²                    s² = σ² Δt / (1 − φ²) is its variance, once it has settled

For one s, S is largest where the noise keeps its direction for 1/(θ Δt) ≈ 1/ω = 11.5 steps. Gaussian noise spreads its
power over all frequencies, and the swing hears one of them: S = s², an eleventh of the best.
With Δt = 0.01, the default of some libraries, the noise is slower than the swing: it leans on the car for 667 steps, and
a lean does not swing. `rl/noise.py` and `rl/envs/mountain_car_continuous.py` are the sources.

What to notice in the picture. Upper left: three noises of equal size beside the valley's rhythm. Upper right: how often a
car without any policy arrives within 999 steps, and the S of the formula, up to a factor. Both rise and fall together:
a calculation on paper says where exploration works. Lower left: DDPG with each of the three, nothing else changed: the
best mean return so far, three seeds each. Where no goal was ever seen, all that is to be learned is that pushing costs:
the critic is right, and the agent stands still, at a return of 0. (The slow noise came to the goal twice, in one of three
seeds, and two times are enough to learn from: it is not learning that fails.) Lower right: what the agent with the right
noise knows after a few thousand steps: push hard while you move to the right, and hardly at all on the way back, which is
gravity's half. The line is an episode.

The common mistake. To search learning rates and network sizes for an agent that has never seen a reward: no update can
learn from what is not in the buffer. Look there first: print the largest reward that it holds. The second: to copy a σ
without its Δt. With θ = 0.15, σ = 0.5 and Δt = 0.01 a ninth as many cars arrive as with Δt = 1.

Table 2 (`--full`): a setting chosen on the seeds 100 to 109, and judged on others. The rule for the agent: after each LOOK
steps the actor drives from 401 places of the valley, evenly spaced; the weights with the largest mean are kept, and judged by
100 other episodes. Published for 300,000 steps of DDPG: 93.51. All ten seeds of ours are above that, the least at 93.65. The
rule is no luxury: at the end of the 40,000 steps few of the agents are still that good (the last but one column).

    python -m examples.exploration_noise           about a minute; writes figures/exploration_noise.png
    python -m examples.exploration_noise --full    about seven minutes: table 2
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import plot
from rl.ddpg import DDPG
from rl.envs.mountain_car_continuous import GRAVITY, MountainCarContinuous, many_steps
from rl.evaluate import evaluate
from rl.noise import Gaussian, OrnsteinUhlenbeck
from rl.plot import GREEN

from .command import options, table

OMEGA = np.sqrt(3 * GRAVITY)  # of the swing, per step: gravity's slope is 0.0025 · 3 at the bottom, x = −π/6
SETTINGS = dict(gamma=0.99, batch_size=64, start_steps=0, reward_scale=0.1)
EVERY = 500  # steps between two points of the picture
STEPS, LOOK = 40_000, 100  # for table 2
CHANGES = dict(gamma=0.995, actor_lr=3e-4, start_steps=1_000)  # for table 2, chosen by the seeds 100 to 109
COLOURS = {"Gaussian": GREY, "OU, 667 steps": ORANGE, "OU, 6.7 steps": BLUE}


def noise(steps, s=0.5):
    """Noise of standard deviation s that keeps its direction for so many steps."""
    phi = 1 - 1 / steps
    return OrnsteinUhlenbeck(theta=1 - phi, sigma=s * np.sqrt(1 - phi**2), dt=1.0) if phi else Gaussian(s)


def power(noise):
    """S, as on the page."""
    theta, dt = (noise.theta, noise.dt) if isinstance(noise, OrnsteinUhlenbeck) else (1.0, 1.0)
    return noise.sigma**2 * dt / abs(1 - (1 - theta * dt) * np.exp(-1j * OMEGA)) ** 2


OF_ONE_SIZE = {"Gaussian": 1, "OU, 667 steps": 1 / (0.15 * 0.01), "OU, 6.7 steps": 1 / 0.15}  # the dt of some libraries, and dt = 1
CHOSEN = dict(theta=0.15, sigma=0.5, dt=1.0)  # for table 2
NAMED = {
    "Gaussian, sigma 0.1": Gaussian(0.1),
    "Gaussian, sigma 0.5": Gaussian(0.5),
    "OU, theta 0.15, sigma 0.2, dt 1 (the DDPG paper)": OrnsteinUhlenbeck(0.15, 0.2, 1.0),
    "OU, theta 0.15, sigma 0.5, dt 0.01": OrnsteinUhlenbeck(0.15, 0.5, 0.01),
    "OU, theta 0.15, sigma 0.5, dt 1": OrnsteinUhlenbeck(**CHOSEN),
}


# ======================================================================== Before any learning


def drive(policy, starts, limit=999):
    """Cars side by side from starts (N, 2), until all are at the goal or the clock stops: returns (N,), who arrived (N,).

    policy: states (N, 2) -> actions (N, 1), float32.
    """
    states, going = np.array(starts, np.float32), np.ones(len(starts), bool)  # (N, 2), (N,)
    returns, rewards = np.zeros(len(starts)), np.zeros(len(starts))  # (N,)
    for _ in range(limit):
        if going.any():
            many_steps(states, policy(states), rewards, going)
            returns += rewards
    return returns, ~going


def valley(x):
    """First states (N, 2), at rest."""
    return np.stack([x, np.zeros(len(x))], axis=1)


def pushed_by(noise, cars, rng, limit=999):
    """As `drive`, for cars that do what the noise says, each with its own."""
    noise.reset(cars)
    push = lambda states: np.clip(noise.draw(rng), -1, 1).astype(np.float32)[:, None]  # noqa: E731
    return drive(push, valley(rng.uniform(-0.6, -0.4, cars)), limit)


# ======================================================================== Learning


def actor_of(agent):
    """The agent's policy, states (N, 2) -> actions (N, 1), as it is now."""
    mu = agent.actor.frozen()
    return lambda states: mu(states / agent.observation_scale)


def train(seed, noise, steps, every, places=401, **changes):
    """The agent with the best weights that were met, as the page's rule has it: (agent, when, means (steps/every,))."""
    agent = DDPG(MountainCarContinuous(), seed, noise=noise, **(SETTINGS | changes))
    starts = valley(np.linspace(-0.6, -0.4, places))
    means, best, when = [], -np.inf, 0
    for _ in range(steps // every):
        agent.learn(every)
        means.append(drive(actor_of(agent), starts)[0].mean())
        if means[-1] > best:
            best, when, weights = means[-1], agent.steps, agent.actor.theta.data.copy()
    agent.actor.theta.data = weights
    return agent, when, means


def ten_seeds(seeds, steps, episodes=100):
    """Rows of table 2."""
    rows = []
    for seed in seeds:
        began = time.process_time()
        agent, when, means = train(seed, OrnsteinUhlenbeck(**CHOSEN), steps, LOOK, **CHANGES)
        returns = evaluate(agent, MountainCarContinuous(), episodes, seed=20_000)
        rows.append(
            [str(seed), float(returns.mean()), float(returns.min()), f"{when:,}", float(means[-1]), time.process_time() - began]
        )
        print(f"seed {seed}: {returns.mean():.2f}, worst {returns.min():.2f}, weights of step {when:,}", flush=True)
    return rows


# ======================================================================== The picture


def draw_noise(ax, steps=220):
    """Three noises of the same size, one above the other, and the valley's own rhythm."""
    for row, (name, memory) in enumerate(OF_ONE_SIZE.items()):
        rng, n = np.random.default_rng(5), noise(memory)
        n.reset(1)
        for _ in range(3000):  # it starts from 0: let it settle
            n.draw(rng)
        ax.plot(4 * row + np.array([n.draw(rng)[0] for _ in range(steps)]), color=COLOURS[name], linewidth=1)
        ax.axhline(4 * row, color=GREY, linewidth=0.4)
    ax.plot(12 + np.sin(OMEGA * np.arange(steps)), color="black", linewidth=1)
    ax.set_yticks([0, 4, 8, 12], [*COLOURS, "the valley"])
    ax.set(xlabel="step", title="pushes of standard deviation 0.5, and a free swing", xlim=(0, steps))


def draw_reach(ax, times, shares):
    """Who arrives without any policy, over the time for which the noise keeps its direction; S beside it."""
    ax.semilogx(times, 100 * np.array(shares), "o-", color=BLUE, markersize=4, label="arrive within 999 steps")
    ax.set(
        xlabel="steps for which the noise keeps its direction, 1/(θ Δt)",
        ylabel="cars that arrive (%)",
        title="exploration without a policy",
    )
    right, fine = ax.twinx(), np.geomspace(1, 1000, 200)
    right.plot(fine, [power(noise(steps)) for steps in fine], "--", color=GREY, linewidth=1)
    right.set_ylabel("S: power at the valley's frequency (dashed)", color=GREY)
    right.set_ylim(0, None)
    ax.set_ylim(0, None)
    ax.axvline(1 / OMEGA, color=GREY, linewidth=0.6)
    ax.text(1.1 / OMEGA, 2, "1/ω", color=GREY)
    right.spines["top"].set_visible(False)


def draw_policy(ax, agent):
    """The push over position and speed, and one episode from rest."""
    x, v = np.linspace(-1.2, 0.6, 91), np.linspace(-0.07, 0.07, 71)
    states = np.stack(np.meshgrid(x, v), axis=-1).reshape(-1, 2).astype(np.float32)
    plot.heat_map(
        actor_of(agent)(states).reshape(71, 91), x, v, ax, colours="RdBu", limits=(-1, 1), label="push", title="what it learned"
    )
    env, orbit, done = MountainCarContinuous(), [], False
    observation, _ = env.reset(options={"state": (-0.5, 0.0)})
    while not done:
        orbit.append(observation)
        observation, _, terminated, truncated, _ = env.step(agent.act(observation))
        done = terminated or truncated
    ax.plot(*np.array([*orbit, observation]).T, color="black", linewidth=1)
    ax.axvline(0.45, color=GREEN, linewidth=1)
    ax.set(xlabel="position (the goal is green)", ylabel="speed (per step)")


def draw(times, shares, curves, agent):
    """Four panels; returns one of the Axes."""
    figure = Figure((11, 7.4), layout="constrained")
    (first, second), (third, fourth) = figure.subplots(2, 2)
    draw_noise(first)
    draw_reach(second, times, shares)
    for name, (steps, means) in curves.items():
        for mean in means:
            third.plot(
                steps, np.maximum.accumulate(mean), "--" if name == "Gaussian" else "-", color=COLOURS[name], linewidth=1.2,
                zorder=3 if name == "Gaussian" else 2, label=name if mean is means[0] else None,
            )  # fmt: skip
    third.set(xlabel="environment steps", ylabel="mean return, 401 places, best so far", title="DDPG, a line for each seed")
    third.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.3))
    draw_policy(fourth, agent)
    for ax in (first, third):
        ax.spines[["top", "right"]].set_visible(False)
    return first


def main():
    """Print the tables, write the figure."""
    chosen, began = options(__doc__, full="table 2 in the place of all else: ten seeds, 40,000 steps each"), time.process_time()
    cars, seeds, steps, changes = 2_000, 3, 8_000, {}
    if chosen.quick:
        cars, seeds, steps = 200, 1, 3_000
    if chosen.debug:
        cars, steps, changes = 3, 500, dict(places=3, hidden=(8,), batch_size=8)
    if chosen.full:
        rows = ten_seeds(range(chosen.seed, chosen.seed + (1 if chosen.quick else 10)), 1_000 if chosen.quick else STEPS)
        print("\n2. DDPG, OU noise: 100 episodes of each agent\n")
        table(["seed", "mean return", "worst episode", "weights of step", "mean at the end", "CPU s"], rows)
        return
    rng = np.random.default_rng(chosen.seed)
    print("1. Without a policy: who arrives within 999 steps, pushed by noise alone\n")
    rows = []
    for name, n in NAMED.items():
        returns, arrived = pushed_by(n, cars, rng)
        rows.append([name, float(power(n)), float(100 * arrived.mean()), float(returns.mean())])
    table(["noise", "S", "arrive (%)", "mean return"], rows)
    times = np.array([1, 2, 4, 6.7, 11.5, 20, 40, 80, 160, 320, 667])
    shares = [pushed_by(noise(steps), cars, rng)[1].mean() for steps in times]
    curves, agents, rows = {}, {}, []
    for name, memory in OF_ONE_SIZE.items():
        runs = [train(seed, noise(memory), steps, EVERY, **changes) for seed in range(chosen.seed, chosen.seed + seeds)]
        curves[name], agents[name] = (EVERY * np.arange(1, steps // EVERY + 1), [means for *_, means in runs]), runs[0][0]
        goals = [sum(r > 0 for _, r in agent.returns) for agent, *_ in runs]
        rows.append([name, ", ".join(map(str, goals)), ", ".join(f"{max(means):.1f}" for *_, means in runs)])
    print(f"\nDDPG, {steps:,} steps, seeds {chosen.seed} ... : episodes that ended at the goal, and the best mean return\n")
    table(["noise", "goals", "best mean return"], rows)
    ax = draw(times, shares, curves, agents["OU, 6.7 steps"])
    print(f"\n{save(ax, chosen.out / 'exploration_noise.png')} ({time.process_time() - began:.0f} CPU s)")


if __name__ == "__main__":
    main()
