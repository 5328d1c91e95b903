r"""How good is an agent? Episodes without exploration noise, and honest statistics over several seeds.

The return of one Pendulum episode has a standard deviation of 74 over the starts: ten episodes say little (± 46), a
thousand fixed starts much (± 4.6). And one run says nothing about the next seed. So: the mean over many fixed starts
for each of several seeds, and over the seeds the *interquartile mean*, the mean of the middle half, with a bootstrap
interval (Agarwal et al. 2021).
"""

import numpy as np


def evaluate(agent, env, episodes, seed):
    """Undiscounted returns (episodes,) of agent.act(observation), without noise.

    env: one for this purpose alone, so that training is not disturbed; its i-th episode starts from seed + i, the same
    for every agent. Nothing of the agent changes.
    """
    returns = np.zeros(episodes)
    for i in range(episodes):
        observation, _ = env.reset(seed=seed + i)
        done = False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
            returns[i] += reward
            done = terminated or truncated
    return returns


def interquartile_mean(scores):
    """Mean of the middle half of the numbers; where a quarter is not whole, the border ones count in part."""
    x = np.sort(np.asarray(scores, np.float64).ravel())
    below = np.clip(np.arange(1, len(x) + 1) - len(x) / 4, 0, 1)  # how much of each is above the first quarter
    weight = below * below[::-1]  # and below the last
    return float((x * weight).sum() / weight.sum())


def bootstrap_interval(scores, rng, statistic=interquartile_mean, level=0.95, draws=2000):
    """(low, high): how far the statistic of the scores, one for each seed, may lie from the truth.

    The percentile bootstrap: draw as many seeds again with replacement, 2,000 times, and see how the statistic varies.
    """
    scores = np.asarray(scores)
    again = [statistic(scores[rng.integers(len(scores), size=len(scores))]) for _ in range(draws)]
    tail = (1 - level) / 2
    return tuple(float(q) for q in np.quantile(again, (tail, 1 - tail)))
