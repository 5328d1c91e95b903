d_da = 24      # (2a)^2 = 4a^2 -> 8a
twice = 48
second = 8
bias = 10
mean_bias = 1 / 10   # mean divides by 10
relu = 5
