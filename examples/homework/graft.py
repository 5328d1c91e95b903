r"""Grafting: the library, with one of its definitions replaced by the learner's, while it is being imported.

Nothing is patched afterwards and so nothing must be put back. An import hook parses the target's module, puts the
learner's definition where the library's was, keeps the library's decorators, and executes the result. Whoever imports
the module then gets the learner's function: the engine, the models, compiled kernels and all their callers.

A target is named from outside, "rl.replay:Replay.add"; there are no markers in the source. The learner's own helpers and
imports come along, right before the definition, if the module does not use their names for something else.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[2]


def source_of(module):
    """The path of a module of this project, without importing it."""
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def locate(tree, qualname):
    """(list of statements, index in it) of a definition in a module's tree; ValueError if it is not there."""
    body = tree.body
    *classes, name = qualname.split(".")
    for owner in classes:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == owner), [])
    for i, node in enumerate(body):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return body, i
    raise ValueError(f"there is no function {qualname!r}")


def library_text(target):
    """The source lines of a target as the library has them, decorators included."""
    module, qualname = target.split(":")
    text = source_of(module).read_text(encoding="utf-8")
    body, i = locate(ast.parse(text), qualname)
    first = min([body[i].lineno, *(d.lineno for d in body[i].decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : body[i].end_lineno]) + "\n"


def names_made(node):
    """The names that a top-level statement binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def own_parts(tree, name, path):
    """(helpers, definition) of a learner's tree. SyntaxError if it does not define `name` exactly once."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(found) != 1:
        raise SyntaxError(f"{path} must define {name} once, not {len(found)} times")
    docstring = lambda node: isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # noqa: E731
    return [node for node in tree.body if node is not found[0] and not docstring(node)], found[0]


def graft(target, text, path):
    """The code of the target's module with the learner's definition in it. SyntaxError says what the text does wrong."""
    module, qualname = target.split(":")
    file = source_of(module)
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    helpers, own = own_parts(ast.parse(text, str(path)), qualname.split(".")[-1], path)
    taken = {name: ast.dump(node) for node in tree.body for name in names_made(node)}
    kept = []
    for node in helpers:
        clash = sorted(name for name in names_made(node) if name in taken)
        if not clash:
            kept.append(node)
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            raise SyntaxError(f"{path}, line {node.lineno}: {module} has a {clash[0]} of its own: give yours another name")
    body, i = locate(tree, qualname)
    own.decorator_list = [ast.copy_location(d, own) for d in body[i].decorator_list]
    for decorator in own.decorator_list:
        for part in ast.walk(decorator):
            ast.copy_location(part, own)
    body[i] = own
    place = next(k for k, node in enumerate(tree.body) if any(n is own for n in ast.walk(node)))
    tree.body[place:place] = kept
    mine = {qualname, *(node.name for node in kept if isinstance(node, (ast.FunctionDef, ast.ClassDef)))}
    return renamed(compile(tree, str(file), "exec"), mine, str(path))


def renamed(code, mine, path):
    """The code with the learner's file name on the learner's functions, so that a traceback shows the learner's lines."""
    consts = tuple(renamed(c, mine, path) if isinstance(c, CodeType) else c for c in code.co_consts)
    own = any(code.co_qualname == name or code.co_qualname.startswith(f"{name}.") for name in mine)
    return code.replace(co_consts=consts, **({"co_filename": path} if own else {}))


class Finder(importlib.abc.MetaPathFinder):
    """Hands out the grafted module when somebody imports it; everything else is imported as ever."""

    def __init__(self, target, text, path):
        self.module, self.code = target.split(":")[0], graft(target, text, path)

    def find_spec(self, name, path=None, target=None):
        """The module's own specification, with a loader that executes our code."""
        if name != self.module:
            return None
        file, code = str(source_of(name)), self.code

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                return code

        return importlib.util.spec_from_file_location(name, file, loader=Loader(name, file))


def install(target, text, path):
    """From now on, importing the target's module imports the learner's. It must not be imported yet, nor anything of it."""
    finder = Finder(target, text, path)
    loaded = [name for name in sys.modules if name.split(".")[0] in ("minigrad", "models", "rl")]
    if loaded:
        raise RuntimeError(f"install: {loaded[0]} is already imported: graft before anything of the library is")
    sys.meta_path.insert(0, finder)
