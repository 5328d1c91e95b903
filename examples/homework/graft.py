r"""Grafting: the library, with some of its definitions replaced by the learner's, while it is being imported.

Nothing is patched afterwards and so nothing must be put back. An import hook parses the target's module, puts the
learner's definition where the library's was, keeps the library's decorators, and executes the result. Whoever imports
the module then gets the learner's function: the engine, the models, compiled kernels and all their callers.

A target is named from outside, "rl.replay:Replay.add"; there are no markers in the source. The learner's own helpers and
imports come along, right before the definition, if the module does not use their names for something else.
"""

import ast
import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[2]
DEFINITION = (ast.FunctionDef, ast.ClassDef)
FAR = 1_000_000  # added to the line numbers of the learner's top-level statements, so that a traceback tells them from ours


def source_of(module):
    """The path of a module of this project, without importing it."""
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def locate(tree, qualname):
    """(list of statements, index in it) of a definition in a module's tree; ValueError if it is not there.

    "Replay.add" is a method, "outer.inner" a function within a function.
    """
    body = tree.body
    *owners, name = qualname.split(".")
    for owner in owners:
        body = next((node.body for node in body if isinstance(node, DEFINITION) and node.name == owner), [])
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
    if isinstance(node, DEFINITION):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def imports(node, *aliases):
    """{(level, module, name, name here)} of an import statement, or of some of its parts."""
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return set()
    origin = (getattr(node, "level", 0), getattr(node, "module", None))
    return {(*origin, alias.name, alias.asname) for alias in aliases or node.names}


def own_parts(tree, name, path):
    """(helpers, definition) of a learner's tree; path is that of the file. SyntaxError unless it defines `name` exactly once."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(found) != 1:
        how = "at the left margin, once (not in a class, not as a lambda)"
        raise SyntaxError(f"{path.name} must define {name} once, not {len(found)} times: write `def {name}(...)` {how}")
    docstring = lambda node: isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # noqa: E731
    return [node for node in tree.body if node is not found[0] and not docstring(node)], found[0]


class Renamer(ast.NodeTransformer):
    """Gives global names a suffix: two answers in one module may both have a helper `square`."""

    def __init__(self, names, suffix):
        self.names, self.suffix = names, suffix

    def visit(self, node):
        """Definitions and uses; what a function binds itself, it keeps."""
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            own = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
            own |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
            if own & self.names:
                name, new = getattr(node, "name", None), Renamer(self.names - own, self.suffix).visit(node)
                if name in self.names:
                    new.name = name + self.suffix
                return new
        field = "id" if isinstance(node, ast.Name) else "name" if isinstance(node, DEFINITION) else None
        if field and getattr(node, field) in self.names:
            setattr(node, field, getattr(node, field) + self.suffix)
        return self.generic_visit(node)


def put(tree, qualname, text, path, suffix=""):
    """Put the learner's definition into a module's tree; returns the names of what is now the learner's.

    SyntaxError says what the text does wrong. With a suffix, the helpers get it.
    """
    helpers, own = own_parts(ast.parse(text, str(path)), qualname.split(".")[-1], path)
    if suffix:
        names = set().union(*(names_made(node) for node in helpers if not isinstance(node, (ast.Import, ast.ImportFrom))))
        helpers, own = [Renamer(names, suffix).visit(node) for node in helpers], Renamer(names, suffix).visit(own)
    taken, imported = set().union(*map(names_made, tree.body)), set().union(*map(imports, tree.body))
    helpers = [node for node in helpers if getattr(node, "module", "") != "__future__"]
    kept = []
    for node in helpers:
        if isinstance(node, (ast.Import, ast.ImportFrom)):  # what the module imports too need not come twice
            node.names = [alias for alias in node.names if not imports(node, alias) <= imported]
        clash = sorted(names_made(node) & (taken | set(dir(builtins)) | {"*"}))
        if clash:
            whose = "the module has" if clash[0] in taken else "Python has"
            raise SyntaxError(f"{path.name}, line {node.lineno}: {whose} a {clash[0]} of its own: give yours another name")
        if getattr(node, "names", True):
            kept.append(node)
    body, i = locate(tree, qualname)
    if {*map(ast.unparse, own.decorator_list)} - {*map(ast.unparse, body[i].decorator_list)}:
        raise SyntaxError(f"{path.name}, line {own.decorator_list[0].lineno}: decorators of your own are not used here; the library's own are")
    own.decorator_list = body[i].decorator_list
    for decorator in own.decorator_list:
        for part in ast.walk(decorator):
            ast.copy_location(part, own)
    body[i] = own
    place = next(k for k, node in enumerate(tree.body) if any(n is own for n in ast.walk(node)))
    tree.body[place + 1 : place + 1] = [node for node in kept if node.lineno > own.lineno]
    tree.body[place:place] = [node for node in kept if node.lineno < own.lineno]
    for node in kept:
        if not isinstance(node, DEFINITION):
            ast.increment_lineno(node, FAR)
    return {qualname, *(node.name for node in kept if isinstance(node, DEFINITION))}


def grafted(module, answers):
    """The code of a module with answers [(qualname, text, path), ...] in it."""
    file, paths = source_of(module), {}
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for number, (qualname, text, path) in enumerate(answers):
        path = Path(path)
        paths |= dict.fromkeys(put(tree, qualname, text, path, f"_{number}" if number else ""), str(path))
    return renamed(compile(tree, str(file), "exec"), paths)


def renamed(code, paths):
    """The code with the learner's file name on the learner's functions, so that a traceback shows the learner's lines."""
    consts = tuple(renamed(c, paths) if isinstance(c, CodeType) else c for c in code.co_consts)
    parts = code.co_qualname.replace(".<locals>", "").split(".")
    own = next((paths[name] for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in paths), None)
    return code.replace(co_consts=consts, **({"co_filename": own} if own else {}))


class Finder(importlib.abc.MetaPathFinder):
    """Hands out grafted modules when somebody imports them; everything else is imported as ever."""

    def __init__(self, answers):
        modules = {target.split(":")[0] for target, *_ in answers}
        parts = {m: [(t.split(":")[1], text, path) for t, text, path in answers if t.split(":")[0] == m] for m in modules}
        self.codes = {module: grafted(module, part) for module, part in parts.items()}

    def find_spec(self, name, path=None, target=None):
        """The module's own specification, with a loader that executes our code."""
        if name not in self.codes:
            return None
        file, code = str(source_of(name)), self.codes[name]

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                return code

        return importlib.util.spec_from_file_location(name, file, loader=Loader(name, file))


def install(*answers):
    """From now on, importing a target's module imports the learner's: answers are (target, text, path).

    RuntimeError if anything of the library is imported already.
    """
    finder = Finder(answers)
    loaded = [name for name in sys.modules if name.split(".")[0] in ("minigrad", "models", "rl")]
    if loaded:
        raise RuntimeError(f"install: {loaded[0]} is already imported: graft before anything of the library is")
    sys.meta_path.insert(0, finder)
