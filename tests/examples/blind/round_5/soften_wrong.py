def soften(policy, epsilon):
    r"""The ε-greedy form of a policy:     (Zhao, section 5.4)"""
    S, A = policy.shape
    out = np.full((S, A), epsilon / A)
    out[np.arange(S), policy.argmax(axis=1)] += 1 - epsilon
    return out
