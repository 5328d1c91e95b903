r"""A policy that learns from its own luck: REINFORCE, a baseline, a critic, PPO; in a corridor of three cells, and on cart pole.

The question. Q-learning learns values and acts by a max over them. Can one do without: take what the policy did, and make
likelier what went well? Then a policy may be random where randomness is best, and actions may be real numbers.

The formula. With π(a|s, θ) the probability of an action, uphill on the mean return is

    θ ← θ + α mean( Ψ_t ∇ ln π(a_t|s_t, θ) )         the policy gradient theorem (Zhao, theorem 9.2; S&B, section 13.2)

    REINFORCE         Ψ = g_t                                  the return from step t on
    with a baseline   Ψ = g_t − V(s_t)                         the same on average, with less noise
    A2C               Ψ = δ_t = r + γ V(s') − V(s)             one reward, then the critic's opinion
    PPO               Ψ = δ_t + γλ δ_{t+1} + (γλ)² δ_{t+2} + … and several steps on the same experience,
                      as long as π(a|s, θ) / π(a|s, θ_old) stays within 1 ± ε

Read `rl/policy_gradient.py` (tables and the exact gradient), `rl/policies.py`, `rl/ppo.py`.

What to notice in the picture. Left: the short corridor (Sutton & Barto, example 13.1). Its three cells look alike, and in
the middle one left and right are swapped, so that the best policy is a coin: right with probability 0.59, worth −11.66.
No rule that takes the best action of a table can say that; ε-greedy gets −44. All returns are negative, so that REINFORCE
makes *every* action that it takes less likely, only the bad ones more so. A baseline, here a single number, turns "bad"
into "worse than usual": the same mean, far less noise, and so a step size 16 times as large. A2C's critic sees the cells,
which the policy does not; it is wrong at first, and catches up. Right: cart pole, what an episode earns while the agent
explores. Again the baseline is most of it. A2C hears one reward and believes the critic for the rest; all rewards are 1,
so that at first it learns from opinions only, and its seeds differ most. PPO's λ = 0.95 lies between the two. It is no
faster here than REINFORCE with a baseline, since episodes are short and end by themselves. What it has over that: it need
not wait for their end, and its many small steps stay near the policy that played.

The common mistake. To let the clock's end at step 500 count as the pole's fall: V then learns that what is held up well
is about to be lost. To compute ln π_old anew with each step: the ratio is then 1 for ever, and nothing is clipped. To look
at one seed: REINFORCE's runs go from 100 to 500 and back. And to report the best weights by the episodes that chose them.
The rule here, fixed beforehand: after each 2,000 steps 20 episodes with the likeliest actions; the weights with the best
mean, of ties the latest, are scored on 100 *other* episodes. Settings were chosen by the seeds 100 to 109 (PPO) and 100 to
102 (the others).

    python -m examples.policy_gradient_cart_pole        two and a half minutes; writes figures/policy_gradient_cart_pole.png
"""

import time

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import GREY, save
from rl import plot
from rl import policy_gradient as pg
from rl.envs import CartPole
from rl.envs.short_corridor import BEST_RIGHT, BEST_VALUE, ShortCorridor
from rl.evaluate import evaluate
from rl.ppo import PPO

from .command import options, table

STEPS, EVERY = 20_000, 2_000
ONE_STEP = {"epochs": 1, "batch_size": None, "normalize": False}  # one step uphill from each rollout, then it is thrown away
METHODS = {
    "REINFORCE": ONE_STEP | {"lam": 1.0, "baseline": False, "whole_episodes": True, "rollout_steps": 1, "actor_lr": 3e-3},
    "with a baseline": ONE_STEP | {"lam": 1.0, "whole_episodes": True, "rollout_steps": 1, "actor_lr": 3e-3, "critic_lr": 3e-3},
    "A2C": ONE_STEP | {"lam": 0.0, "rollout_steps": 16, "actor_lr": 3e-3, "critic_lr": 3e-3},
    "PPO": {},  # the defaults of rl/ppo.py
}
CORRIDOR = {  # the step sizes of S&B's figures 13.1 and 13.2; A2C with a value for each cell
    "REINFORCE": {"method": "reinforce", "alpha": 2.0**-13},
    "with a baseline": {"method": "baseline", "alpha": 2.0**-9, "alpha_w": 2.0**-6},
    "A2C": {"method": "a2c", "alpha": 2.0**-9, "alpha_w": 2.0**-4, "Phi": np.eye(4)},
}


def corridor(seed, runs, episodes, limit=1_000):
    """{name: (returns (runs, episodes), P(right) at the end (runs,))}, from P(right) = 0.05, where v = −82."""
    env, start, out = ShortCorridor(limit), np.array([np.log(19), 0.0]), {}
    for name, settings in CORRIDOR.items():
        rngs = [np.random.default_rng([seed, run]) for run in range(runs)]
        learned = [pg.learn(env, env.features, episodes, theta=start, rng=rng, **settings) for rng in rngs]
        out[name] = np.array([x.returns for x in learned]), np.array([pg.softmax_policy(x.theta, env.features)[0, 1] for x in learned])
    return out


def train(seed, settings, steps, every, validation):
    """One agent with the weights that the rule picks, what its episodes earned in each `every` steps, the last validation.

    The rule: after each `every` steps so many validation episodes; the best mean, of ties the latest.
    """
    agent, curve, best = PPO(CartPole(), seed, **settings), [], -np.inf
    for _ in range(steps // every):
        before = len(agent.returns)
        agent.learn(every)
        ended = [g for _, g in agent.returns[before:]]
        curve.append(np.mean(ended) if ended else agent.episode_return)
        if (score := evaluate(agent, CartPole(), validation, seed=10_000).mean()) >= best:
            best, weights = score, agent.policy.state_dict()
    agent.policy.load_state_dict(weights)
    return agent, curve, score


def cart_pole(name, seeds, steps, every, validation, test, **changes):
    """A line of the table, and curves (seeds, steps / every)."""
    curves, last, chosen, began = [], [], [], time.process_time()
    for seed in seeds:
        agent, curve, score = train(seed, METHODS[name] | changes, steps, every, validation)
        curves.append(curve)
        last.append(score)
        chosen.append(evaluate(agent, CartPole(), test, seed=50_000).mean())
    reached = f"{sum(score >= 475 for score in chosen)} of {len(chosen)}"
    seconds = (time.process_time() - began) / len(chosen)
    return [name, float(np.mean(last)), float(np.mean(chosen)), float(min(chosen)), reached, seconds], curves


def draw(short, curves, steps):
    """The two panels; returns one of the Axes."""
    figure = Figure((11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, (returns, _)), colour in zip(short.items(), (plot.BLUE, plot.ORANGE, plot.GREEN)):
        edges = np.unique(np.geomspace(1, returns.shape[1], 30).astype(int))  # means over ever more episodes
        means = np.add.reduceat(returns.mean(axis=0), edges - 1) / np.diff(np.append(edges - 1, returns.shape[1]))
        left.semilogx(edges, means, color=colour, label=name)
    left.axhline(BEST_VALUE, color=GREY, linestyle="--", linewidth=1)
    left.text(1, BEST_VALUE + 1, f"best policy: right with {BEST_RIGHT:.3f}, {BEST_VALUE:.2f}", color=GREY, fontsize=9)
    left.set(xlabel="episode", ylabel="return", title=f"short corridor, mean of {len(returns)} runs")
    left.legend(frameon=False, loc="lower right")
    left.spines[["top", "right"]].set_visible(False)
    title = "cart pole: steps of an episode, while exploring"
    plot.learning_curves({name: (steps, rows) for name, rows in curves.items()}, right, title=title, ylabel="return")
    return left


def main():
    """Print the tables, write the figure."""
    chosen, began = options(__doc__), time.process_time()
    runs, episodes, seeds, steps, every, validation, test, changes = 100, 1_000, (5, 10), STEPS, EVERY, 20, 100, {}
    if chosen.quick:
        runs, episodes, seeds, steps, validation, test = 10, 300, (1, 1), 8_000, 5, 20
    if chosen.debug:
        runs, episodes, steps, every, validation, test = 2, 5, 60, 30, 1, 1
        changes = {"hidden": (8,)}
    print("1. The short corridor, from P(right) = 0.05\n")
    short = corridor(chosen.seed, runs, episodes)
    rows = [[name, *[float(part.mean()) for part in (g[:, :50], g[:, -100:], p)]] for name, (g, p) in short.items()]
    table(["method", "first 50 episodes", "last 100", "P(right)"], [*rows, ["best policy", BEST_VALUE, BEST_VALUE, BEST_RIGHT]])

    print(f"\n2. Cart pole, {steps:,} steps, {seeds[0]} seeds (PPO {seeds[1]}): mean return of {validation} and of {test} episodes\n")
    lines, curves = [], {}
    for name in METHODS:
        several = range(chosen.seed, chosen.seed + seeds[name == "PPO"])
        line, curves[name] = cart_pole(name, several, steps, every, validation, test, **changes)
        lines.append(line)
    table(["method", "last validation", "test", "worst seed", ">= 475", "CPU s a seed"], lines)
    picture = save(draw(short, curves, every * np.arange(1, steps // every + 1)), chosen.out / "policy_gradient_cart_pole.png")
    print(f"\n{picture} ({time.process_time() - began:.0f} CPU s)")


if __name__ == "__main__":
    main()
