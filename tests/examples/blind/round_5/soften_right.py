def soften(policy, epsilon):
    r"""The ε-greedy form of a policy:     (Zhao, section 5.4)"""
    policy = np.asarray(policy, dtype=np.float64)
    A = policy.shape[1]
    return (1 - epsilon) * policy + epsilon / A
