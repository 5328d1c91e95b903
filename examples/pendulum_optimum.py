r"""How well can Pendulum be played at all? Dynamic programming backwards over a fine grid.

The question. A mean return of −142.6 over 1,000 starts: is that good? Nobody knows a formula for the best swing-up.

The formula. Bellman's, with t steps to go and no discount, over a grid of angles, speeds and torques:

    V_0 = 0,    V_t(s) = max_u r(s, u) + V_{t−1}(s'),    V_{t−1}(s') between the four nearest points of the grid

Then *play*, in the real world, from the starts of `ddpg_evaluation`, with the u that the maximum picks. What this policy
gets is a lower bound of the best there is, and rises as the grid gets finer (from −133.9 with 201 × 201 to −132.9 with 401 × 401).

The common mistake. To compare with the mean over *other* starts: 1,000 starts move it by ± 4.6, more than a seed does.

    python -m examples.pendulum_optimum      about half a minute
"""

import math

import numpy as np

from minigrad.kernels import jit
from rl.envs import Pendulum
from rl.envs.pendulum import pendulum_step

from .command import options
from .ddpg_evaluation import FIRST_START


def best(V, theta, speed, torques, state):
    """(value, torque) of the best torque now, V (X, Y) being the values of the next step; state (2,) is room to work in."""
    X, Y = V.shape
    most, which = -np.inf, 0
    for k in range(len(torques)):
        state[0], state[1] = theta, speed
        r = pendulum_step(state, torques[k])
        x, y = (state[0] + math.pi) / (2 * math.pi) * X, (state[1] + 8) / 16 * (Y - 1)
        i, j = math.floor(x), min(int(y), Y - 2)
        f, g, i, i2 = x - i, y - j, i % X, (i + 1) % X  # the angle goes round
        value = r + (1 - f) * ((1 - g) * V[i, j] + g * V[i, j + 1]) + f * ((1 - g) * V[i2, j] + g * V[i2, j + 1])
        if value > most:
            most, which = value, k
    return most, which


best = jit(best, flags=())


def sweep(V, torques, state):
    """V_{t−1} (X, Y) -> V_t (X, Y)"""
    X, Y = V.shape
    after = np.empty_like(V)
    for i in range(X):
        for j in range(Y):
            after[i, j], _ = best(V, 2 * math.pi * i / X - math.pi, 16 * j / (Y - 1) - 8, torques, state)
    return after


sweep = jit(sweep, flags=())


def main():
    """Sweep, play, print."""
    chosen = options(__doc__)
    n, m, episodes = (61, 5, 20) if chosen.quick else (401, 41, 1_000)
    torques, state, V = np.linspace(-2, 2, m)[:, None], np.zeros(2), [np.zeros((n, n))]
    for _ in range(3 if chosen.debug else 199):
        V.append(sweep(V[-1], torques, state))
    env, returns = Pendulum(len(V)), np.zeros(episodes)
    for i in range(episodes):
        env.reset(seed=FIRST_START + i)
        for values in reversed(V):
            _, k = best(values, *env.state, torques, state)
            returns[i] += env.step(torques[k])[1]
    print(f"{n} x {n} states, {m} torques: mean return {returns.mean():.1f}, standard deviation {returns.std():.1f}")


if __name__ == "__main__":
    main()
