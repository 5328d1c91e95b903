"""Records tests/rl/data/cart_pole.npz from Gymnasium's CartPole-v1: `python tests/rl/record_cart_pole.py`.

Needs `pip install gymnasium`; the tests need only the file. Every second episode pushes to where the pole leans, and
lasts until the clock stops it; the others push at random.
"""

from pathlib import Path

import gymnasium
import numpy as np

FILE = Path(__file__).parent / "data" / "cart_pole.npz"


def main():
    """Ten episodes: the seeds, the actions, and what `reset` and `step` gave."""
    env, rng = gymnasium.make("CartPole-v1"), np.random.default_rng(0)
    actions, observations, ends = [], [], []
    for seed in range(10):
        observation, _ = env.reset(seed=seed)
        observations.append(observation)
        done = False
        while not done:
            x, x_dot, theta, theta_dot = observation
            action = int(0.1 * x + 0.2 * x_dot + 3 * theta + theta_dot > 0) if seed in (1, 3) else int(rng.integers(2))
            observation, reward, terminated, truncated, _ = env.step(action)
            assert reward == 1.0
            done = terminated or truncated
            actions.append(action)
            observations.append(observation)
            ends.append(1 * terminated + 2 * truncated)
    np.savez_compressed(
        FILE, actions=np.array(actions, np.uint8), observations=np.array(observations), ends=np.array(ends, np.uint8),
        version=gymnasium.__version__,
    )  # fmt: skip


if __name__ == "__main__":
    main()
