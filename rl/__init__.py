"""Reinforcement learning to be read, from a grid world's Bellman equation to DDPG. Reading order:

mdp.py                  P and R as arrays, the value of a policy; the notation of all that follows
dynamic_programming.py  value iteration, policy iteration, truncated policy iteration
spaces.py, envs/        worlds with Gymnasium's contract
features.py             what a linear value function sees: polynomials, Fourier, tiles
episodes.py             playing: a record of episodes, in Python or compiled
linear_value.py         prediction with v(s) = w . phi(s): Monte Carlo, TD, least squares; when it diverges
linear_control.py       Sarsa and Q-learning with linear features
replay.py, noise.py     a ring of transitions; noise for exploration
models/mlp.py           the network of actor and critic, as one node of the graph
ddpg.py                 actor, critic, targets: continuous actions
evaluate.py             how good is it: episodes without noise, several seeds, intervals
plot.py                 values, policies, trajectories, learning curves
"""
