import numpy as np


def expected_sarsa_target(reward, q_next, terminated, gamma, epsilon):
    r"""number, (A,), bool, number, number -> number"""
    A = len(q_next)
    q_max = np.max(q_next)
    expected = 0.0
    for a in range(A):
        p = epsilon / A
        if q_next[a] == q_max:
            p += 1 - epsilon          # the greedy action
        expected += p * q_next[a]
    if terminated:
        expected = 0.0
    return reward + gamma * expected
