r"""A grid world: what is the best thing to do, when the rules of the world are known?

The question. An agent walks over a map, one cell a step. Forbidden cells (yellow) cost, steps off the map cost, and each
step that ends in the target (blue) pays 1. Which action is the best in each cell, and what is each cell worth?

The formula. Rewards that come later count less: the return is r₁ + γ r₂ + γ² r₃ + …, and the value v(s) is its mean from
s on. The best value of a cell is that of its best action, and this one equation says all (Zhao, chapter 3):

    v(s) = max_a q(s, a),     q(s, a) = E[r|s, a] + γ Σ_s' p(s'|s, a) v(s')

Its right side brings any two guesses closer by the factor γ. So it has one solution v*, and three ways lead to it:

    value iteration    repeat the equation: a wave that runs from the target, one cell a sweep
    policy iteration   the value of the present policy exactly (a linear system), then the best action in every cell
    truncated          the value of the present policy by j sweeps only; j = 1 is the first, j = ∞ the second

`rl/mdp.py` and `rl/dynamic_programming.py` are the sources to read beside this page, `rl/envs/grid_world.py` the rules.

What to notice in the picture. Numbers are v*, arrows the best actions; two in a cell tie. Above: where a forbidden cell
costs 1, the ways lead straight through; where it costs 10, they go round by the right, in 11 steps from the upper
left. At γ = .5 the target is worth 2, not 10, and a reward 11 steps away .002. The cost of a forbidden cell comes
sooner than the reward behind it, so the short-sighted agent goes round even where it costs 1. The last map belongs to
an agent that takes a random action half of the time (ε = .5). Beside the target it would too often stumble into a
forbidden cell, so its best policy *leaves the target* and settles in a corner; below on the left it does so, from the
ring to the dot. Beside it, the error of all three ways. By rounds, more sweeps in a round look better without end. But
rounds are not alike, so the right-hand plot counts multiplications. A sweep shrinks the error by γ, whoever makes it;
for a given policy it costs a fifth of one with the max over five actions. A few sweeps in a round are a bargain, many a
waste. Solving the system takes S³ / 3, as much as S / 3 sweeps: 8 for 25 cells, 3,333 for 10,000.

The common mistakes. "My values are not the book's": five conventions decide, and other codes choose otherwise. May the
agent enter a forbidden cell, or is it blocked? Does the episode end at the target, or is the agent paid on (then
v = 1 / (1 − γ) = 10)? What does a step off the map cost, and does it cost more from within a forbidden cell (so in the
book's figures 5.6 and 5.7, and only there)? In which order are the actions? And: the best ε-greedy policy is *not* the
optimal policy with noise added, as the last map shows.

    python -m examples.grid_world            two seconds; writes figures/grid_world.png
"""

import numpy as np
from matplotlib.figure import Figure

from minigrad.plot import BLUE, GREY, ORANGE, save
from rl import plot
from rl.dynamic_programming import optimal_actions, policy_iteration, truncated_policy_iteration, value_iteration
from rl.envs import GridWorld
from rl.mdp import soften, soften_mdp, state_values, stationary_distribution

from .command import options, table

TARGET = 17  # row 4, column 3, as the book counts
MILD, HARSH = GridWorld(reward_forbidden=-1), GridWorld(reward_forbidden=-10)
HARSHER = GridWorld(reward_forbidden=-10, bounce_in_forbidden="additive")  # the rule of the book's figures 5.6 and 5.7


def shared(best):
    """The policy that shares its probability among all best actions, booleans (S, A)."""
    return best / best.sum(axis=1, keepdims=True)


def way(env, policy, s=0, most=30):
    """The states from s on under a deterministic policy, up to the target; None if it does not get there."""
    states = [s]
    while states[-1] != TARGET and len(states) <= most:
        states.append(int(env.tables.next_state[states[-1], policy[states[-1]].argmax(), 0]))
    return states if states[-1] == TARGET else None


def choices():
    """What gamma and the price of a forbidden cell decide: rows for the table."""
    rows = []
    for gamma, price in ((0.9, 1), (0.9, 10), (0.5, 1), (0.0, 1)):
        env = GridWorld(reward_forbidden=-price)
        best = policy_iteration(env.mdp(), gamma)
        path = way(env, best.policy)
        arrive = sum(way(env, best.policy, s) is not None for s in range(25))
        crossed = sum(env.cells.ravel()[s] == "#" for s in path or [])
        ties = int(optimal_actions(env.mdp(), best.values, gamma).sum())
        steps, crossed = (len(path) - 1, crossed) if path else ("never", "-")
        rows.append([f"{gamma}", f"{-price}", f"{best.values[0]:.4f}", f"{steps}", f"{crossed}", f"{arrive}", f"{ties}"])
    return rows


def work(name, solution, j, mdp):
    """Errors after each round, and the multiplications spent by then: (rounds + 1,), (rounds + 1,).

    The max over all q(s, a) costs S A S, a sweep for one policy S S, a linear system about S³ / 3. The first sweep of a
    round is free: it equals the max itself.
    """
    S, A = mdp.R.shape
    if name == "policy iteration":
        history, cost = solution.history, S * A * S + S**3 // 3
        spent = cost * np.arange(len(history)) + S**3 // 3
    else:
        history = solution.history[np.minimum(np.arange(0, solution.sweeps + j, j), solution.sweeps)]
        spent = (S * A * S + (j - 1) * S * S) * np.arange(len(history))
    return np.abs(history - solution.values).max(axis=1), spent


def contenders(mdp, gamma=0.9):
    """{name: (solution, errors, multiplications)} of all three algorithms."""
    runs = {"value iteration": (value_iteration(mdp, gamma), 1)}
    for j in (3, 9, 56):  # 56 sweeps cost as much as value iteration's first 12 rounds and shrink an error by .9^56 = .003
        runs[f"truncated, j = {j}"] = truncated_policy_iteration(mdp, gamma, j), j
    runs["policy iteration"] = policy_iteration(mdp, gamma), 0
    return {name: (solution, *work(name, solution, j, mdp)) for name, (solution, j) in runs.items()}


def epsilon_rows():
    """The optimum made epsilon-greedy against the best epsilon-greedy policy: rows for the table."""
    mdp, rows = HARSHER.mdp(), []
    optimum = policy_iteration(mdp, 0.9).policy
    for epsilon in (0.0, 0.1, 0.2, 0.5):
        best = policy_iteration(soften_mdp(mdp, epsilon), 0.9)
        values = state_values(mdp, soften(optimum, epsilon), 0.9)
        shares = [stationary_distribution(mdp, soften(policy, epsilon))[TARGET] for policy in (optimum, best.policy)]
        action = HARSHER.actions[best.policy[TARGET].argmax()]
        rows.append([f"{epsilon}", values.mean(), best.values.mean(), f"{shares[0]:.0%}", f"{shares[1]:.0%}", action])
    return rows


def wander(policy, steps, rng):
    """States of an agent that starts in the target and follows a policy (S, A)."""
    states = [HARSHER.reset(seed=0, options={"state": TARGET})[0]]
    for _ in range(steps):
        states.append(HARSHER.step(int(rng.choice(5, p=policy[states[-1]])))[0])
    return states


def draw_map(ax, env, solution, gamma, title, epsilon=0.0):
    """Best values and all best actions of a world."""
    mdp = soften_mdp(env.mdp(), epsilon)
    plot.grid_values(env, solution.values, ax, digits=1 if gamma > 0.5 else 2, corner=True)
    plot.grid_policy(env, shared(optimal_actions(mdp, solution.values, gamma)), ax)
    ax.set_title(title, fontsize=9)


def draw(runs, rng):
    """The picture; returns one of its Axes."""
    figure = Figure((11, 6.2), layout="constrained")
    above, below = figure.add_gridspec(2, 1)
    maps = [figure.add_subplot(cell) for cell in above.subgridspec(1, 4)]
    walk, rounds, spent = [figure.add_subplot(cell) for cell in below.subgridspec(1, 3, width_ratios=(1, 1.4, 1.6))]
    mild, harsh, short = (policy_iteration(env.mdp(), gamma) for env, gamma in ((MILD, 0.9), (HARSH, 0.9), (MILD, 0.5)))
    flees = policy_iteration(soften_mdp(HARSHER.mdp(), 0.5), 0.9)
    draw_map(maps[0], MILD, mild, 0.9, "$\\gamma$ = .9, a forbidden cell costs 1")
    draw_map(maps[1], HARSH, harsh, 0.9, "$\\gamma$ = .9, it costs 10")
    draw_map(maps[2], MILD, short, 0.5, "$\\gamma$ = .5, it costs 1")
    draw_map(maps[3], HARSHER, flees, 0.9, "$\\gamma$ = .9, it costs 10, $\\epsilon$ = .5", 0.5)
    plot.grid_trajectory(HARSHER, wander(soften(flees.policy, 0.5), 200, rng), walk)
    walk.set_title("200 steps by the last map, $\\epsilon$ = .5", fontsize=9)
    for (name, (_, errors, multiplications)), colour in zip(runs.items(), (BLUE, plot.PURPLE, ORANGE, plot.GREEN, GREY)):
        rounds.semilogy(errors, color=colour)
        spent.semilogy(multiplications / 1e3, errors, color=colour, label=name)
    rounds.set(xlabel="rounds: choices of the best actions", ylabel="largest error of a value", xlim=(0, 80), ylim=(1e-7, 200))
    spent.set(xlabel="thousand multiplications", xlim=(0, 480), ylim=(1e-7, 200))
    spent.legend(frameon=False, fontsize=8, loc="upper right")
    for ax in (rounds, spent):
        ax.spines[["top", "right"]].set_visible(False)
    return walk


def main():
    """Print the tables, write the figure."""
    chosen = options(__doc__)
    mdp = HARSH.mdp()
    best = policy_iteration(mdp, 0.9)
    print("1. The book's map: v* and all best actions, gamma = 0.9, a forbidden cell costs 10 (figure 3.4d)\n")
    print(HARSH.values_text(best.values), HARSH.policy_text(optimal_actions(mdp, best.values, 0.9)), sep="\n\n")

    print("\n2. Three ways to one v* (j: sweeps in a round), until no value is wrong by 1e-6\n")
    runs, rows = contenders(mdp), []
    for name, (solution, errors, multiplications) in runs.items():
        first = int(np.argmax(errors < 1e-6))
        rows.append([name, first, int(multiplications[first])])
    table(["way", "rounds", "multiplications"], rows)
    difference = max(np.abs(solution.history[-1] - best.values).max() for solution, *_ in runs.values())
    wave = runs["value iteration"][0].history[[14, 15], 20]
    print(f"\nin the end they differ by {difference:.0e}; a wave: the cell at the lower left is worth {wave[0]:.4f} after 14 sweeps")
    print(f"of value iteration and {wave[1]:.4f} = .9^14 after 15, as its first reward is 15 steps away")

    print("\n3. What gamma and the price of a forbidden cell decide\n")
    table(["gamma", "forbidden pays", "v* upper left", "steps to G", "forbidden", "cells that arrive", "best pairs"], choices())
    doubled = GridWorld(reward_boundary=1, reward_forbidden=-17, reward_target=5, reward_step=3).mdp()  # each reward: 2 r + 3
    twin = policy_iteration(doubled, 0.9)
    same = np.array_equal(optimal_actions(doubled, twin.values, 0.9), optimal_actions(mdp, best.values, 0.9))
    error = np.abs(twin.values - (2 * best.values + 3 / (1 - 0.9))).max()
    print(f"\nrewards 2 r + 3: the same best actions: {same}; the new v* is 2 v* + 3 / (1 - gamma) up to {error:.0e}")

    print("\n4. With noise: a random action with probability epsilon (means over all cells; share of time in the target)\n")
    header = ["epsilon", "optimum, noise added", "best epsilon-greedy", "share", "share, best", "in the target, best"]
    table(header, epsilon_rows())
    print(f"\n{save(draw(runs, np.random.default_rng(chosen.seed)), chosen.out / 'grid_world.png')}")


if __name__ == "__main__":
    main()
