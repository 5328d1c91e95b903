r"""DDPG swings a pendulum up: learning to act when an action is a real number.

The question. A rod hangs from a motor that is too weak to lift it. How does an agent that is told nothing but the angle,
the speed and a cost find out that it must swing to and fro first, and how does it choose among infinitely many torques?

The formula. The critic learns what an action is worth, from transitions (s, a, r, s') out of a long memory, and the actor
follows the critic uphill. Here is no max over actions: μ *is* the max, learned (Lillicrap et al. 2016):

    y = r + γ Q'(s', μ'(s'))          critic: down on mean (y − Q(s, a))²
    ∇_θ J = mean ∇_θ μ(s) · ∇_a Q(s, a) at a = μ(s)          θ' ← τ θ + (1 − τ) θ'

Q' and μ' are copies that follow slowly: without them the target would move with every step that chases it. An episode
ends after 200 steps because somebody stops the clock, not because the world ends, so y has no (1 − done) here.
`rl/ddpg.py` is the source to read beside this page; its comments carry the line numbers of Algorithm 1.

What to notice in the picture. Upper left: for three seeds, the return of 20 noise-free episodes. It is learned within 5,000
steps, nearly all at once; what is left to learn after that is too small to see here. Upper right: the torque over angle
(0 is upright) and speed. Full torque one way or the other, and a narrow edge between: bang-bang control, which no
formula asked for. The line is one episode, from the circle: hanging, it pumps energy, comes round and runs down to the
top along an edge. Lower left: the critic's value of the same states. From the yellow diagonal the top can be reached
without another swing. Lower right: that episode over time (the GIF shows it). It comes to rest .18 rad beside the top,
where a torque of .9 N m holds it: that costs .03 a step, and a critic whose values run over 250 hardly sees it. (It even
goes above 0, which no return does: the actor seeks the critic's errors upward.)

The common mistake. To treat the time limit as an end (y = r at step 200), to let the gradient of the critic's loss flow
into y, to subtract y (B,) from Q (B, 1): `ddpg_ablation` shows what breaks. To trust ten episodes of one seed: ± 53 at
95 %, as some starts need a swing more. Or to compare numbers from different starts: dynamic programming
(`pendulum_optimum`) gets −115 on the 20 of the curve and −138 on the 100 of the table. On the 1,000 of
`ddpg_evaluation` it gets −132.9, and DDPG −142.6.

    python -m examples.ddpg_pendulum         about a minute; writes figures/ddpg_pendulum.png and .gif
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad import no_grad
from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import plot
from rl.ddpg import DDPG, pair
from rl.envs import Pendulum
from rl.evaluate import evaluate

from .command import frame, options, save_gif, table

STEPS = 20_000
SETTINGS = dict(  # chosen by the seeds 100 to 109: see ddpg_evaluation
    hidden=(64, 64), batch_size=128, gamma=0.99, tau=0.01, decay_steps=STEPS - 1_000, reward_scale=0.1,
)  # fmt: skip


def train(seed, steps, every, episodes, **changes):
    """One agent, with changes of its settings. Returns it, and the mean return of `episodes` noise-free episodes after each
    `every` steps.
    """
    agent, scores = DDPG(Pendulum(), seed, **(SETTINGS | changes)), []
    for _ in range(steps // every):
        agent.learn(every)
        scores.append(evaluate(agent, Pendulum(), episodes, seed=10_000).mean())
    return agent, scores


def believed(agent, observations):
    """Observations (B, n) -> the actor's actions (B, m), in −1 ... 1, and the critic's values of them (B,), in real units."""
    s = agent.scaled(observations)
    with no_grad():
        a = agent.actor(s).data
        return a, agent.critic(pair(s, a)).data / agent.reward_scale


def maps(agent, n=101):
    """Over a grid of angles (X,) and speeds (Y,): the torque and the critic's value of it, (Y, X), in real units."""
    theta, speed = np.linspace(-np.pi, np.pi, n), np.linspace(-8, 8, n)
    t, w = np.meshgrid(theta, speed)
    a, q = believed(agent, np.stack([np.cos(t), np.sin(t), w], axis=-1).reshape(-1, 3))  # (Y·X, 1), (Y·X,)
    return theta, speed, agent.to_env(a).reshape(n, n), q.reshape(n, n)


def swing(agent, start=(np.pi, 0.0)):
    """One episode without noise: angles in ±π and speeds before each step, (T, 2), torques (T,), rendered images."""
    env, states, torques, images = Pendulum(), [], [], []
    observation, _ = env.reset(seed=0, options={"state": start})
    truncated = False
    while not truncated:
        action = agent.act(observation)
        states.append([np.arctan2(observation[1], observation[0]), observation[2]])
        torques.append(action[0])
        observation, _, _, truncated, _ = env.step(action)
        images.append(env.render())
    return np.array(states), np.array(torques), images


def line(ax, states, **style):
    """An orbit (T, 2) in the plane of angle and speed, broken where the angle jumps by 2π."""
    cuts = np.flatnonzero(np.abs(np.diff(states[:, 0])) > np.pi) + 1
    for piece in np.split(states, cuts):
        ax.plot(piece[:, 0], piece[:, 1], **style)


def over_time(ax, states, torques):
    """Angle and torque of an episode in seconds."""
    t = 0.05 * np.arange(len(states))
    ax.plot(t, np.abs(states[:, 0]), color=BLUE, label="|angle| (rad), 0 is upright")
    ax.plot(t, torques, color=ORANGE, linewidth=1, label="torque (N m)")
    ax.set(xlabel="time (s)", title="one episode, from hanging")
    ax.axhline(0, color=GREY, linewidth=0.5)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)


def draw(agent, curves, states, torques):
    """The four panels; returns one of the Axes."""
    figure = Figure((10, 7), layout="constrained")
    (learning, policy), (value, course) = figure.subplots(2, 2)
    plot.learning_curves(curves, learning, ylabel="return of an episode", title="learning")
    theta, speed, torque, q = maps(agent)
    plot.heat_map(torque, theta, speed, policy, colours="RdBu", limits=(-2, 2), label="torque (N m)", title="the actor: μ(s)")
    plot.heat_map(q, theta, speed, value, label="discounted return", title="the critic: Q(s, μ(s))")
    for ax, colour in ((policy, "black"), (value, "white")):
        line(ax, states, color=colour, linewidth=1)
        ax.plot(*states[0], "o", color=colour, markerfacecolor="none")
        ax.set(xlabel="angle (rad), 0 is upright", ylabel="speed (rad/s)")
    over_time(course, states, torques)
    return learning


def movie(agent, states, images, path):
    """The swing beside the point that moves over the critic's map."""
    figure = Figure((6, 2.8), layout="constrained", dpi=80)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    theta, speed, _, q = maps(agent)
    plot.heat_map(q, theta, speed, right, label="Q(s, μ(s))")
    right.set(xlabel="angle (rad)", ylabel="speed (rad/s)")
    (dot,) = right.plot([], [], "o", color="white", markeredgecolor="black")
    picture = left.imshow(images[0])
    left.set_axis_off()
    frames = []
    for (angle, rate), image in list(zip(states[1:], images))[::2]:
        dot.set_data([angle], [rate])
        picture.set_data(image)
        frames.append(frame(left))
    return save_gif(frames, path, milliseconds=100)


def main():
    """Train, print the table, draw, film."""
    chosen, began = options(__doc__), time.process_time()
    seeds, steps, every, episodes = range(chosen.seed, chosen.seed + 3), STEPS, 1_000, 20
    if chosen.quick:
        seeds, steps, episodes = seeds[:1], 6_000, 5
    changes = dict(hidden=(8, 8), batch_size=8) if chosen.debug else {}
    if chosen.debug:
        steps, every = 1_100, 1_100
    agents, rows, scores = [], [], []
    for seed in seeds:
        start = time.process_time()
        agent, curve = train(seed, steps, every, episodes, **changes)
        agents.append(agent)
        scores.append(curve)
        returns = evaluate(agent, Pendulum(), 2 if chosen.debug else 100, seed=20_000)
        interval = 1.96 * returns.std() / np.sqrt(len(returns))
        rows.append([str(seed), returns.mean(), interval, returns.min(), time.process_time() - start])
        print(f"seed {seed}: {returns.mean():.1f} after {steps:,} steps, {rows[-1][-1]:.0f} CPU s")
    table(["seed", "mean return", "+- 95 %", "worst episode", "CPU s"], rows)
    states, torques, images = swing(agents[0])
    curves = {"DDPG": (every * np.arange(1, len(scores[0]) + 1), scores)}
    picture = save(draw(agents[0], curves, states, torques), chosen.out / "ddpg_pendulum.png")
    print(picture, movie(agents[0], states, images, picture.with_suffix(".gif")), f"({time.process_time() - began:.0f} CPU s)")


if __name__ == "__main__":
    main()
