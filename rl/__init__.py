"""Reinforcement learning to be read, from a grid world's Bellman equation to TD3. Reading order:

mdp.py                  P and R as arrays, the value of a policy; the notation of all that follows
dynamic_programming.py  value iteration, policy iteration, truncated policy iteration
spaces.py, envs/        worlds with Gymnasium's contract
episodes.py             playing: a record of episodes, in Python or compiled
stochastic_approximation.py  roots of what can only be measured: the line that all that learns here has in common
monte_carlo.py          values as means of returns; exploring starts, epsilon-greedy, importance sampling
temporal_difference.py  Sarsa, expected Sarsa, Q-learning, double Q-learning: one update, one table of targets
off_policy.py           Q-learning from the record of another
features.py             what a linear value function sees: polynomials, Fourier, tiles
linear_value.py         prediction with v(s) = w . phi(s): Monte Carlo, TD, least squares; when it diverges
linear_control.py       Sarsa and Q-learning with linear features
n_step.py, traces.py    between TD and Monte Carlo: n steps, or all of them at once
sarsa.py                Sarsa with such a memory, over tiles
replay.py, noise.py     a ring of transitions; noise for exploration
models/mlp.py           the network of all agents, as one node of the graph
agent.py, resume.py     what DDPG, TD3, DQN and PPO share: playing; saving, and going on with the same bits
ddpg.py                 actor, critic, targets: continuous actions
td3.py                  what changes in DDPG: two critics, smoothed targets, an actor that waits
dqn.py                  Q-learning with a network, a memory and a copy that stands still
policy_gradient.py      the theorem, exactly and from experience: REINFORCE, a baseline, actor and critic
policies.py, ppo.py     policies that networks say; generalized advantages, the clipped objective
evaluate.py             how good is it: episodes without noise, several seeds, intervals
plot.py                 values, policies, trajectories, learning curves
"""
