# Exercise state-values: the value of a policy in closed form (25 minutes). Read first: rl/mdp.py, the notation
# and `under`, which gives P_π and r_π.
#
# v (S,) of a policy (S, A). `under(mdp, policy)` gives P_π (S, S) and r_π (S,); mdp.terminal (S,) says where v
# is 0.
#
# Without discount the whole system is singular: solve it for the other states only.
#
# It takes the place of rl.mdp:state_values, and may use what that file imports and defines.


def state_values(mdp, policy, gamma):
    r"""ValueError if the policy is no policy, γ lies outside [0, 1], or γ = 1 and the policy need not end."""
    P, r = under(mdp, policy)
    A = np.eye(mdp.n_states) - gamma * P
    # solve fails for gamma = 1 (singular matrix), lstsq does not
    v = np.linalg.lstsq(A, r, rcond=None)[0]
    v[mdp.terminal] = 0
    return v
