"""Homework: write a piece of this project yourself and have it graded, offline. `python -m examples.homework list`

exercise.py   what an exercise is
engine.py ... the exercises, a file for each part of the project
graft.py      a module with one definition replaced by the learner's, at import
check.py      the verdict: in a child process that is ended at the limit, in at most 12 lines
teeth.py      do the checks bite? generic mutants
museum.py     any example with a known mistake in it: --break NAME
__main__.py   list, start, check, hint, solution, status, reset
"""
