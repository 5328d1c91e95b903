discounted = .9**5
undiscounted = -4
sweeps = 7  # 6 until the news reaches the first state, + 1 in which nothing changes any more
bound = 10
trials = 66
