r"""Does the grader bite? Generic mutants of every target: the library's own code with one small thing changed.

The question. A check can pass for the wrong reason. The named wrong answers of an exercise are those that its author
thought of; what about all others? Here each target is changed in every way of a fixed list, one at a time, and each change
that computes something else must fail the exercise's check.

    + and -, * and / swapped;  < and <=, > and >=, == and != swapped;  an integer one larger;  one side of + or - dropped;
    what is returned, or stored into an array, times 1.03;  the two inputs of @ swapped

Not changed: docstrings, annotations, subscripts' plain indices are (they are where off-by-one lives), and whatever stands
inside `raise`, as its text is no answer. A mutant that fails to run counts as killed. Survivors are printed: each is a gap
in the check, or a change that changes nothing.

The common mistake. To count only the mutants that one has thought of.

    python -m examples.homework.teeth [ID ...]        some minutes for all
"""

import ast
import copy
import sys
import tempfile
import textwrap
from pathlib import Path

from ..command import table
from . import graft
from .catalogue import EXERCISES
from .check import in_child

SWAPPED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip


def scaled(node):
    """node * 1.03"""
    return ast.BinOp(node, ast.Mult(), ast.Constant(1.03))


def changes(node):
    """Functions that change a node of a tree, each in its own way; each returns what to put in the node's place."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in SWAPPED:
            yield lambda n: ast.BinOp(n.left, SWAPPED[type(n.op)](), n.right)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield lambda n: n.left
            yield lambda n: n.right
        if isinstance(node.op, ast.MatMult):
            yield lambda n: ast.BinOp(n.right, n.op, n.left)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield lambda n: ast.Compare(n.left, [SWAPPED[type(n.ops[0])](), *n.ops[1:]], n.comparators)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield lambda n: ast.Constant(n.value + 1)
    if isinstance(node, ast.AugAssign) and type(node.op) in SWAPPED:
        yield lambda n: ast.AugAssign(n.target, SWAPPED[type(n.op)](), n.value)
    if isinstance(node, ast.Return) and node.value and not isinstance(node.value, (ast.Tuple, ast.List)):
        yield lambda n: ast.Return(scaled(n.value))
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield lambda n: ast.Assign(n.targets, scaled(n.value))


class Changer(ast.NodeTransformer):
    """Changes the k-th thing that can be changed; counts them all."""

    def __init__(self, k):
        self.k, self.count, self.line = k, 0, ""

    def visit(self, node):
        """Outermost first; error texts and docstrings are left alone."""
        if isinstance(node, ast.Raise) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node
        for change in changes(node):
            if self.count == self.k:
                self.count += 1
                new = ast.fix_missing_locations(ast.copy_location(change(copy.deepcopy(node)), node))
                self.line = f"{ast.unparse(node)} -> {ast.unparse(new)}"
                return new
            self.count += 1
        return self.generic_visit(node)


def mutants(target):
    """Yield (what was changed, source) for every mutant of a target."""
    tree = ast.parse(textwrap.dedent(graft.library_text(target)))
    tree.body[0].decorator_list = []
    k = 0
    while True:
        changer, mutant = Changer(k), copy.deepcopy(tree)
        mutant.body[0].body = [changer.visit(statement) for statement in mutant.body[0].body]
        if not changer.line:
            return
        yield changer.line, ast.unparse(mutant) + "\n"
        k += 1


def survivors(exercise):
    """(number of mutants, what was changed in those that pass the check)"""
    alive, k = [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.py")
        for k, (line, text) in enumerate(mutants(exercise.target), 1):
            path.write_text(text, encoding="utf-8")
            if in_child(exercise, path, 20, compiled=False).passed:
                alive.append(line)
    return k, alive


def main(names):
    """Print the score of each exercise, then the survivors."""
    rows, lines, total, killed = [], [], 0, 0
    for name in names or EXERCISES:
        n, alive = survivors(EXERCISES[name])
        total, killed = total + n, killed + n - len(alive)
        rows.append([name, n, n - len(alive)])
        reasons = EXERCISES[name].equivalent
        lines += [f"{name}: {line}    ({reasons.get(line, 'no reason known: a gap in the check')})" for line in alive]
    table(["exercise", "mutants", "killed"], rows)
    print(f"\n{killed} of {total} killed, {100 * killed / max(total, 1):.1f} %")
    print("\n".join(["survivors:", *lines]).encode("ascii", "replace").decode() if lines else "no survivors")


if __name__ == "__main__":
    main(sys.argv[1:])
