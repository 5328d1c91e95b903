# Exercise measure-return: what is this policy worth? A mean and its error (25 minutes). Read first:
# rl/envs/environment.py (the contract: reset, step); rl/evaluate.py.
#
# Play `episodes` episodes of env (Gymnasium's contract: reset() -> (state, info), step(action) -> (state,
# reward, terminated, truncated, info)) with action = policy(state). Return two numbers: the mean of the
# *discounted* returns r_1 + gamma r_2 + gamma^2 r_3 + ..., each summed until its episode terminates or is
# truncated, and the standard error of that mean.

import numpy as np


def play_one(env, policy, gamma):
    state, _ = env.reset()
    total, discount = 0.0, 1.0
    while True:
        state, reward, terminated, truncated, _ = env.step(policy(state))
        total += discount * reward
        discount *= gamma
        if terminated or truncated:
            return total


def measure(env, policy, gamma, episodes):
    r"""env, function, number, int -> (mean, standard_error)"""
    returns = np.array([play_one(env, policy, gamma) for _ in range(episodes)])
    return returns.mean(), returns.std(ddof=1) / np.sqrt(episodes)
