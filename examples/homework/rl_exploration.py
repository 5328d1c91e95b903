r"""Exercises over exploration noise and time limits."""

EXERCISES = ()
