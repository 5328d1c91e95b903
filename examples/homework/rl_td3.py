r"""Exercises over TD3."""

EXERCISES = ()
