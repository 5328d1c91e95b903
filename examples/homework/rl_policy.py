r"""Exercises over policy gradients."""

EXERCISES = ()
