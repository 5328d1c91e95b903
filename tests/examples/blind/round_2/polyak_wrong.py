def polyak(theta, theta_target, tau):
    n = len(theta)
    for i in range(n):
        theta_target[i] = tau * theta_target[i] + (1.0 - tau) * theta[i]
