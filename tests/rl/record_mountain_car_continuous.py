"""Records tests/rl/data/mountain_car_continuous.npz from Gymnasium's MountainCarContinuous-v0.

    python tests/rl/record_mountain_car_continuous.py        needs gymnasium; the tests need only the file

Six episodes of three kinds, the first three with float32 actions, the others with float64: a push the way the car moves,
but not up to the goal before step 200 (it reaches the wall, the top speed and the goal), one that changes seldom, one at random.
"""

from pathlib import Path

import gymnasium
import numpy as np

FILE = Path(__file__).parent / "data" / "mountain_car_continuous.npz"


def main():
    """The seeds are 0 to 5; all actions, and what `reset` and `step` gave, one row after another."""
    env, rng = gymnasium.make("MountainCarContinuous-v0"), np.random.default_rng(0)
    actions, observations, rewards, ends = [], [], [], []
    for seed in range(6):
        observation, _ = env.reset(seed=seed)
        observations.append(observation)
        action, done, step = np.zeros(1), False, 0
        while not done:
            if seed % 3 == 0:
                action = np.full(1, 1.0 if observation[1] >= 0 and (observation[0] < -0.25 or step > 200) else -1.0)
            elif seed % 3 == 2 or rng.random() < 0.03:
                action = rng.uniform(-1, 1, 1)
            action = action.astype(np.float32 if seed < 3 else np.float64)
            observation, reward, terminated, truncated, _ = env.step(action)
            done, step = terminated or truncated, step + 1
            actions.append(action[0])
            observations.append(observation)
            rewards.append(reward)
            ends.append(1 * terminated + 2 * truncated)
    np.savez_compressed(
        FILE, actions=np.array(actions), observations=np.array(observations), rewards=np.array(rewards), ends=np.array(ends, np.uint8),
        version=f"gymnasium {gymnasium.__version__}, numpy {np.__version__}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
