import numpy as np


def policy_probs(q, epsilon):
    # epsilon-greedy, ties share the greedy part
    n_actions = len(q)
    probs = np.full(n_actions, epsilon / n_actions)
    best = q == np.max(q)
    probs[best] += (1 - epsilon) / np.sum(best)
    return probs


def expected_sarsa_target(reward, q_next, terminated, gamma, epsilon):
    r"""number, (A,), bool, number, number -> number"""
    if terminated:
        return reward
    q_next = np.asarray(q_next, dtype=float)
    probs = policy_probs(q_next, epsilon)
    return reward + gamma * np.dot(probs, q_next)
