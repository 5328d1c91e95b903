"""Record trajectories of Gymnasium's Pendulum-v1, so that ours can be compared with them where gymnasium is missing.

    python tests/rl/record_gymnasium.py        writes data/pendulum_v1.npz beside this file; needs gymnasium

For float32 and for float64 actions, E = 5 episodes of T = 200 steps, from five seeds and five ways to push:

    seeds (E,), actions_float32 (E, T, 1), and for each of the two, NAME_float32 and NAME_float64:
    states (E, T + 1, 2) float64, observations (E, T + 1, 3) float32, rewards (E, T) float64, terminated, truncated (E, T)
"""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium
import numpy as np

FILE = Path(__file__).parent / "data" / "pendulum_v1.npz"
PUSHES = {  # of the state and a generator; each is cast to the action's type
    "at random": lambda state, rng: rng.uniform(-2, 2),
    "gently": lambda state, rng: rng.uniform(-0.1, 0.1),
    "to the limit": lambda state, rng: rng.choice([-2.0, 2.0]),
    "with the motion": lambda state, rng: np.copysign(2.0, state[1]),  # ever faster: the speed reaches 8, the angle many turns
    "the other way round": lambda state, rng: np.copysign(2.0, state[1]) if state[1] < 3 else -0.7,
}


def episode(env, seed, push, dtype):
    """One episode as a dict of arrays."""
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    names = ("actions", "states", "observations", "rewards", "terminated", "truncated")
    rows = {name: [] for name in names} | {"states": [env.unwrapped.state], "observations": [observation]}
    truncated = False
    while not truncated:
        action = np.array([push(env.unwrapped.state, rng)], dtype)
        observation, reward, terminated, truncated, _ = env.step(action)
        for name, value in zip(names, (action, env.unwrapped.state, observation, reward, terminated, truncated)):
            rows[name].append(value)
    return {name: np.array(values) for name, values in rows.items()}


def record():
    """All episodes, as the arrays of the file."""
    env, seeds = gymnasium.make("Pendulum-v1"), np.arange(5) + 100
    arrays = {"seeds": seeds, "version": np.array(f"gymnasium {gymnasium.__version__}, numpy {np.__version__}")}
    for dtype in (np.float32, np.float64):
        episodes = [episode(env, int(seed), push, dtype) for seed, push in zip(seeds, PUSHES.values())]
        arrays |= {f"{name}_{dtype.__name__}": np.array([e[name] for e in episodes]) for name in episodes[0]}
    return arrays


if __name__ == "__main__":
    arrays = record()
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **arrays)
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes, {arrays['version']}")
