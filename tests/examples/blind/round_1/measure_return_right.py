import numpy as np


def play_one(env, policy, gamma):
    state, info = env.reset()
    total, discount = 0.0, 1.0
    done = False
    while not done:
        state, reward, terminated, truncated, info = env.step(policy(state))
        total += discount * reward
        discount *= gamma
        done = terminated or truncated
    return total


def measure(env, policy, gamma, episodes):
    r"""env, function, number, int -> (mean, standard_error)"""
    returns = np.array([play_one(env, policy, gamma) for _ in range(episodes)])
    mean = returns.mean()
    if episodes < 2:
        return float(mean), float("nan")        # one episode says nothing about the spread
    return float(mean), float(returns.std(ddof=1) / np.sqrt(episodes))
