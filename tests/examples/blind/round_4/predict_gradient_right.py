d_da = 8 * 3  # d = 4 a^2
twice = 2 * d_da  # grads are added up
second = 8
bias = 10
mean_bias = 1
relu = 5
