def polyak(theta, theta_target, tau):
    for i in range(theta.shape[0]):
        theta_target[i] = tau * theta[i] + (1 - tau) * theta_target[i]
