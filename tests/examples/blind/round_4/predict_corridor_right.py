import math

discounted = 0.9 ** 5  # only the last reward counts, 5 steps away from the first
undiscounted = -5 + 1
sweeps = 6  # the end value moves one state to the left with each sweep
bound = 1 / (1 - 0.9)
trials = math.ceil(math.log(0.001) / math.log(0.9))
