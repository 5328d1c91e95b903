def soften(policy, epsilon):
    r"""The ε-greedy form of a policy:     (Zhao, section 5.4)"""
    policy = np.asarray(policy, dtype=np.float64)
    n_actions = policy.shape[1]
    uniform = np.ones_like(policy) / n_actions
    return (1 - epsilon) * policy + epsilon * uniform
