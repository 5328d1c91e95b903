"""Records tests/rl/data/mountain_car.npz from Gymnasium's MountainCar-v0: `python tests/rl/record_mountain_car.py`.

Needs `pip install gymnasium`; the tests need only the file. Every second episode pushes the way the car moves, which
reaches the goal; the others push at random, and hit the wall on the left in long runs of one action.
"""

from pathlib import Path

import gymnasium
import numpy as np

FILE = Path(__file__).parent / "data" / "mountain_car.npz"


def main():
    """Ten episodes: the seeds, the actions, and what `reset` and `step` gave."""
    env, rng = gymnasium.make("MountainCar-v0"), np.random.default_rng(0)
    actions, observations, ends = [], [], []
    for seed in range(10):
        observation, _ = env.reset(seed=seed)
        observations.append(observation)
        done = False
        action = 1
        while not done:
            if seed % 2:
                action = 2 if observation[1] >= 0 else 0
            elif rng.random() < 0.05:
                action = int(rng.integers(3))
            observation, reward, terminated, truncated, _ = env.step(action)
            assert reward == -1.0
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
