def soften(policy, epsilon):
    r"""The ε-greedy form of a policy:     (Zhao, section 5.4)"""
    policy = np.array(policy, dtype=np.float64)
    A = len(policy)
    return (1 - epsilon) * policy + epsilon / A
