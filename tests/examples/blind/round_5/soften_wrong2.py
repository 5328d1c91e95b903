def soften(policy, epsilon):
    r"""The ε-greedy form of a policy:     (Zhao, section 5.4)"""
    policy = np.asarray(policy, dtype=np.float64)
    n_actions = policy.shape[1]
    # the other actions share epsilon
    return (1 - epsilon) * policy + epsilon * (1 - policy) / max(n_actions - 1, 1)
