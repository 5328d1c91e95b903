r"""DDPG against the truth: a world whose best policy is known in closed form.

The question. A return of −150 looks good, but is it the best there is? In a linear world with a quadratic cost that can be
answered number by number. How close does an agent come that knows nothing of either?

The formula. x' = x + u, r = −(x² + u²), γ = 0.9. The value of the best policy is −P x², and its action is −K x, where P
solves the Riccati equation (`rl/envs/lqr.py`). Here P = 1.588 and K = 0.588: go
a little more than half of the way home in each step. A critic of 256 relus and an actor of as many, which only see
transitions, should find the line −K x. Its slope is read off by least squares over |x| ≤ 1.

What to notice in the picture. Left: five actors on the line −K x, and the kinks that relus make. Middle: what their critics say
of Q(x, μ(x)), on the parabola −P x². Right: the learned gain over the true one while it is learned; the band is ± 3 %.
The learning rates fall to 0 in the end, and with them what each step of the critic still moves its slope.

The common mistake. Two hidden layers of 64 (change `hidden` in SETTINGS) miss the gain by up to 5 %. The policy follows
the *slope* of the critic, and a critic with sharp kinks has a poor slope even where its values fit. Wide and shallow is
better here.

    python -m examples.ddpg_lqr              about a minute; writes figures/ddpg_lqr.png
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl.ddpg import DDPG
from rl.envs import LQR
from rl.noise import Gaussian

from .command import options, table
from .ddpg_pendulum import believed

GAMMA, STEPS = 0.9, 10_000
SETTINGS = dict(  # chosen on the seeds 100 to 104
    gamma=GAMMA, hidden=(256,), batch_size=256, tau=0.02, actor_lr=1e-3, critic_lr=3e-3, decay_steps=STEPS - 1_000,
    start_steps=1_000,
)  # fmt: skip
X = np.linspace(-1, 1, 201)[:, None]


def policy(agent):
    """The action at each x of X, and the critic's value of it: (201,) each."""
    a, q = believed(agent, X)
    return agent.to_env(a)[:, 0], q


def gain(agent):
    """The slope K of u = −K x that fits the agent's actions best over |x| ≤ 1."""
    u, _ = policy(agent)
    return -float(u @ X[:, 0]) / float(X[:, 0] @ X[:, 0])


def draw(agents, P, K, steps, gains):
    """Policies, values, gains; returns one of the Axes."""
    figure = Figure((12, 3.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for agent in agents:
        u, q = policy(agent)
        left.plot(X, u, color=BLUE, linewidth=0.8)
        middle.plot(X, q, color=BLUE, linewidth=0.8)
    left.plot(X, -K * X, color=ORANGE, linestyle="--", label="-K x, Riccati")
    middle.plot(X, -P * X**2, color=ORANGE, linestyle="--", label="-P x², Riccati")
    left.plot([], [], color=BLUE, label=f"μ(x), {len(agents)} seeds")
    middle.plot([], [], color=BLUE, label="Q(x, μ(x))")
    left.set(xlabel="x", ylabel="action u", title="policy")
    middle.set(xlabel="x", ylabel="discounted return", title="value")
    right.axhspan(0.97, 1.03, color=GREY, alpha=0.2, linewidth=0)
    right.plot(steps, np.array(gains).T, color=BLUE, linewidth=0.8)
    right.set(xlabel="environment steps", ylabel="learned gain / K", title="gain, ± 3 %", ylim=(0.85, 1.15))
    for ax in (left, middle, right):
        ax.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False)
    middle.legend(frameon=False, loc="lower center")
    return left


def main():
    """Five seeds, the table, the figure."""
    chosen = options(__doc__)
    seeds, steps, every = range(chosen.seed, chosen.seed + 5), STEPS, 500
    if chosen.quick:
        seeds, steps = seeds[:1], 2_000
    if chosen.debug:
        steps, every = 1_010, 1_010
    P, K = (float(number.item()) for number in LQR().riccati(GAMMA))
    agents, gains, rows = [], [], []
    for seed in seeds:
        start, agent, curve = time.process_time(), DDPG(LQR(), seed, noise=Gaussian(0.5), **SETTINGS), []
        for _ in range(steps // every):
            curve.append(gain(agent.learn(every)) / K)
        agents.append(agent)
        gains.append(curve)
        u, q = policy(agent)
        worst = np.abs(q + P * X[:, 0] ** 2).max()
        seconds = time.process_time() - start
        rows.append([str(seed), f"{gain(agent):.4f}", f"{100 * (curve[-1] - 1):+.1f} %", f"{worst:.3f}", seconds])
        print(f"seed {seed}: gain {gain(agent):.4f}, Riccati {K:.4f}", flush=True)
    table(["seed", "gain", "off by", "worst error of Q", "CPU s"], rows)
    print(save(draw(agents, P, K, every * np.arange(1, steps // every + 1), gains), chosen.out / "ddpg_lqr.png"))


if __name__ == "__main__":
    main()
