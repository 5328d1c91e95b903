r"""Exercises over DQN."""

EXERCISES = ()
