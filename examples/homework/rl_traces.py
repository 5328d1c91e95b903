r"""Exercises over n-step methods and traces."""

EXERCISES = ()
