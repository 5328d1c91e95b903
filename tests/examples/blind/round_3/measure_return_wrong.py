# Exercise measure-return: what is this policy worth? A mean and its error (25 minutes). Read first:
# rl/envs/environment.py (the contract: reset, step); rl/evaluate.py.
#
# Play `episodes` episodes of env (Gymnasium's contract: reset() -> (state, info), step(action) -> (state,
# reward, terminated, truncated, info)) with action = policy(state). Return two numbers: the mean of the
# *discounted* returns r_1 + gamma r_2 + gamma^2 r_3 + ..., each summed until its episode terminates or is
# truncated, and the standard error of that mean.

import numpy as np


def measure(env, policy, gamma, episodes):
    r"""env, function, number, int -> (mean, standard_error)"""
    returns = []
    for episode in range(episodes):
        state, info = env.reset()
        done = False
        G = 0.0
        k = 0
        while not done:
            action = policy(state)
            state, reward, terminated, truncated, info = env.step(action)
            G += gamma**k * reward
            k += 1
            done = terminated or truncated
        returns.append(G)
    mean = np.mean(returns)
    error = np.std(returns) / np.sqrt(episodes)
    return mean, error
