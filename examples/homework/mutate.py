r"""Generic mutants: a function with one small thing changed, in every way of a fixed list.

    + and -, * and / swapped;  < and <=, > and >=, == and != swapped;  an integer one larger;  one side of + or - dropped;
    what is returned or stored into an array times 1.03;  a float times 1.03;  the two inputs of @ swapped;
    a returned tuple reversed;  a condition negated;  a statement that only calls, or adds in place, left out

Not changed: docstrings, and whatever stands inside `raise`, as its text is no answer.
"""

import ast
import copy
import textwrap

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
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield lambda n: ast.Return(ast.Tuple(n.value.elts[::-1], n.value.ctx))
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield lambda n: ast.Assign(n.targets, scaled(n.value))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) or isinstance(node, ast.AugAssign):
        yield lambda n: ast.Pass()
    if isinstance(node, (ast.If, ast.IfExp)):
        yield lambda n: type(n)(ast.UnaryOp(ast.Not(), n.test), n.body, n.orelse)
    if isinstance(node, ast.Constant) and type(node.value) is float:
        yield lambda n: ast.Constant(n.value * 1.03 if n.value else 0.03)


def first_line(node):
    """The source of a node, of an `if` only its head."""
    return ast.unparse(node).splitlines()[0]


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
                self.line = f"{first_line(node)} -> {first_line(new)}"
                return new
            self.count += 1
        return self.generic_visit(node)


def mutants(text, name=""):
    """Yield (what was changed, source) for every mutant of the function `name` in a text; of all its statements without one."""
    tree = ast.parse(textwrap.dedent(text))
    k = 0
    while True:
        changer, mutant = Changer(k), copy.deepcopy(tree)
        part = next(node for node in mutant.body if getattr(node, "name", None) == name) if name else mutant
        part.decorator_list = []
        part.body = [changer.visit(statement) for statement in part.body]
        if not changer.line:
            return
        yield changer.line, ast.unparse(mutant) + "\n"
        k += 1
