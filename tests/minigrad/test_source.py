"""Laws about the source itself: docstrings, floors of imports, what `import minigrad` loads, randomness."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad

ROOT = Path(minigrad.__file__).parent.parent
FLOORS = ["minigrad", "models", "rl", "examples"]  # from the ground up
FILES = {str(f.relative_to(ROOT).as_posix()): f for floor in FLOORS for f in sorted((ROOT / floor).rglob("*.py"))}
ENGINE = {name: file for name, file in FILES.items() if name.startswith("minigrad/")}


def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def docstrings(tree):
    """(name, docstring expression) of the module and of all its classes and functions that have one."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node):
            yield getattr(node, "name", "the module"), node.body[0].value


@pytest.mark.parametrize("name", FILES)
def test_no_docstring_holds_a_control_character(name):
    r"""A docstring that is not raw turns \tanh into a tab and "anh", \frac into a form feed and "rac"."""
    for owner, text in docstrings(tree_of(FILES[name])):
        bad = [c for c in text.value if not c.isprintable() and c != "\n"]
        assert not bad, f"{name}: {owner}: {bad}"


@pytest.mark.parametrize("name", FILES)
def test_a_docstring_with_a_backslash_is_raw(name):
    source = FILES[name].read_text(encoding="utf-8")
    for owner, text in docstrings(ast.parse(source)):
        segment = ast.get_source_segment(source, text)
        assert "\\" not in segment or segment.startswith('r"""'), f"{name}: {owner}"


def test_the_two_tests_above_would_see_a_docstring_that_is_not_raw():
    ((owner, text),) = docstrings(ast.parse('def f():\n    """y = \\tanh x"""\n'))
    assert owner == "f" and "\t" in text.value


def public(body, prefix=""):
    """(name, node) of the public functions, classes and methods; a property's setter shares its getter's docstring."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list):
                continue
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@pytest.mark.parametrize("name", FILES)
def test_every_public_docstring_exists(name):
    tree = tree_of(FILES[name])
    assert ast.get_docstring(tree) or not tree.body, f"{name} says nothing about itself"
    missing = [owner for owner, node in public(tree.body) if not ast.get_docstring(node)]
    assert missing == []


def imported(file):
    """The top-level packages that a file imports, at any place in it."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("name", FILES)
def test_an_import_goes_down_only(name):
    floor = FLOORS.index(name.split("/")[0])
    assert not set(imported(FILES[name])) & set(FLOORS[floor + 1 :])


@pytest.mark.parametrize("name", ENGINE)
def test_the_engine_needs_only_its_three_packages(name):
    allowed = {"numpy", "numba", "matplotlib", "minigrad", "PIL"}  # PIL comes with matplotlib
    assert set(imported(ENGINE[name])) <= allowed | set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", [name for name in ENGINE if name.startswith("minigrad/ops/")])
def test_the_table_of_primitives_knows_nothing_of_tensors(name):
    for node in ast.walk(tree_of(ENGINE[name])):
        if isinstance(node, ast.ImportFrom):
            assert node.level <= 1, f"{name} imports from outside ops/"
    assert set(imported(ENGINE[name])) <= {"numpy"}


@pytest.mark.parametrize("name", FILES)
def test_randomness_comes_only_from_an_explicit_generator(name):
    """No np.random.seed, np.random.randn and the like, which share one hidden state."""
    for node in ast.walk(tree_of(FILES[name])):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "random":
            if isinstance(node.value.value, ast.Name) and node.value.value.id == "np":
                assert node.attr[0].isupper() or node.attr == "default_rng", f"{name}, line {node.lineno}: np.random.{node.attr}"
        if isinstance(node, ast.Import):
            assert "random" not in [alias.name for alias in node.names], name


@pytest.mark.parametrize("name", FILES)
def test_what_is_printed_survives_any_code_page(name):
    """cp1252 and cp936 lack many signs: text that goes to print is ASCII. Docstrings and comments may hold what they like."""
    for node in ast.walk(tree_of(FILES[name])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    assert part.value.isascii(), f"{name}, line {part.lineno}: {part.value!r}"


def in_a_fresh_process(code):
    """What it prints."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_import_minigrad_loads_neither_numba_nor_matplotlib():
    heavy = "import sys; print(sorted({'numba', 'matplotlib', 'llvmlite', 'PIL'} & set(sys.modules)), 'minigrad' in sys.modules)"
    assert in_a_fresh_process(f"import minigrad; {heavy}") == "[] True"
    rest = "import minigrad.checkpoint, minigrad.datasets, minigrad.training, minigrad.observe"
    assert in_a_fresh_process(f"{rest}; {heavy}") == "[] True"


def test_numba_comes_in_when_a_kernel_is_first_needed():
    code = (
        "import sys, numpy as np, minigrad; p = minigrad.Parameter(np.ones(1)); o = minigrad.optim.Adam([p]); "
        "before = 'numba' in sys.modules; p.grad = np.ones(1); o.step(); print(before, 'numba' in sys.modules)"
    )
    assert in_a_fresh_process(code) == "False True"
