r"""How good is an agent? Episodes without exploration noise, and honest statistics over several seeds.

The return of one Pendulum episode has a standard deviation of 85 over the starts (`sd` in `examples/ddpg_evaluation`):
ten episodes say little (± 53), a thousand fixed starts much (± 5.3). And one run says nothing about the next seed. So:
the mean over many fixed starts for each of several seeds, and over the seeds the *interquartile mean*, the mean of the
middle half, with a bootstrap interval (Agarwal et al. 2021).
"""

import numpy as np


def evaluate(agent, env, episodes, seed):
    """Undiscounted returns (episodes,) of agent.act(observation), without noise.

    env: one for this purpose alone, so that training is not disturbed; it must end its episodes by itself. Its i-th
    episode starts from seed + i, the same for every agent. Nothing of the agent changes. ValueError if env is the one
    that the agent is trained in, or without an episode.
    """
    if env is getattr(agent, "env", None):
        raise ValueError("evaluate: env is the one that the agent is trained in, where another episode is going on: make a second")
    if episodes < 1:
        raise ValueError(f"evaluate: episodes must be at least 1, not {episodes}")
    returns = np.zeros(episodes)
    for i in range(episodes):
        observation, _ = env.reset(seed=int(seed) + i)  # int: Gymnasium refuses NumPy's integers
        done = False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
            returns[i] += reward
            done = terminated or truncated
    return returns


def interquartile_mean(scores):
    """Mean of the middle half of the numbers; where a quarter is not whole, the border ones count in part.

    ValueError if there are none, or one is not finite: sorted to the end, a run that fell to NaN would go unnoticed.
    """
    x = np.sort(np.asarray(scores, np.float64).ravel())
    if not len(x) or not np.isfinite(x).all():
        raise ValueError(f"interquartile_mean: scores must be one finite number or more, not {x.tolist()}")
    below = np.clip(np.arange(1, len(x) + 1) - len(x) / 4, 0, 1)  # how much of each is above the first quarter
    weight = below * below[::-1]  # and below the last
    return float((x * weight).sum() / weight.sum())


def bootstrap_interval(scores, rng, statistic=interquartile_mean, level=0.95, draws=2000):
    """(low, high): how far the statistic of the scores, one for each seed, may lie from the truth.

    The percentile bootstrap: draw as many seeds again with replacement, 2,000 times, and see how the statistic varies.
    It is too sure of itself when there are few: where it says 95 %, the truth lies within 94 times in 100 with ten seeds,
    90 with five and 75 with three. ValueError if a score is not finite, or level not between 0 and 1.
    """
    scores = np.asarray(scores, np.float64)
    if not len(scores) or not np.isfinite(scores).all() or not 0 < level < 1:
        raise ValueError(f"bootstrap_interval: needs finite scores and 0 < level < 1, not {scores.tolist()} and {level}")
    again = [statistic(scores[rng.integers(len(scores), size=len(scores))]) for _ in range(draws)]
    tail = (1 - level) / 2
    return tuple(float(q) for q in np.quantile(again, (tail, 1 - tail)))
