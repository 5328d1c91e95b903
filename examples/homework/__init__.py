"""Homework: write a piece of this project yourself and have it graded, offline. `python -m examples.homework list`

exercise.py     what an exercise is
catalogue.py    all of them, by name; they stand in engine.py, density.py, gridworld.py, returns.py, reinforcement.py and others
graft.py        a module with some definitions replaced by the learner's, at import
check.py        the verdict: in a child process that is ended at the limit, in at most 12 lines
files.py        the learner's folder: the file that `start` makes, progress.txt
__main__.py     list, start, check, hint, solution, status, reset, watch
capstone.py     MADE and DDPG on all of the learner's functions at once
grade.py        a folder of submissions
museum.py       real bugs, in numbers and a picture; any example with a known mistake in it: --break NAME
mutate.py, teeth.py         do the checks bite? generic mutants
write_test.py, predictions.py    two kinds of exercises that are made by a function
transcript.py   the transcripts of the page, produced by the commands
"""
