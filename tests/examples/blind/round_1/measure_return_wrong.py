import numpy as np


def measure(env, policy, gamma, episodes):
    r"""env, function, number, int -> (mean, standard_error)"""
    returns = []
    discount = 1.0
    for episode in range(episodes):
        state, _ = env.reset()
        G = 0.0
        while True:
            action = policy(state)
            state, reward, terminated, truncated, _ = env.step(action)
            G += discount * reward
            discount *= gamma
            if terminated or truncated:
                break
        returns.append(G)
    returns = np.array(returns)
    return np.mean(returns), np.std(returns, ddof=1) / np.sqrt(episodes)
