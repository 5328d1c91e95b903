r"""How long the code is: `python -m examples.size` counts code lines, without blank lines, comments and docstrings.

The question. Can one evening's reading cover the engine? A promise about length is kept only if a command counts it.
"""

import ast
import io
import tokenize
from pathlib import Path

from .command import table

HERE = Path(__file__).parent.parent
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
GROUPS = {  # what is counted together, and the most that it may hold
    "ops/, tensor.py, autograd.py": (["minigrad/ops/*.py", "minigrad/tensor.py", "minigrad/autograd.py"], 450),
    "minigrad/": (["minigrad/**/*.py"], 1100),
    "NADE and MADE with all they run on (no plot, datasets, completion, fast twins)": (
        ["minigrad/ops/*.py", "minigrad/[!p]*.py", "models/autoregressive.py", "models/nade.py", "models/made.py"], 1300,
    ),
    "the core's path: engine to optim, NADE, MADE, linear values, DDPG": (
        ["minigrad/ops/*.py", *(f"minigrad/{name}.py" for name in ("tensor", "autograd", "functional", "kernels", "nn", "optim")),
         *(f"models/{name}.py" for name in ("autoregressive", "nade", "made", "mlp")),
         *(f"rl/{name}.py" for name in ("features", "linear_value", "replay", "noise", "agent", "ddpg"))], 1500,
    ),
}  # fmt: skip


def code_lines(source):
    """How many lines hold code: any token that is no comment and no part of a docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.update(range(node.lineno, node.end_lineno + 1))
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def count(patterns):
    """Code lines of all files that match."""
    files = {file for pattern in patterns for file in HERE.glob(pattern)}
    return {file.relative_to(HERE).as_posix(): code_lines(file.read_text(encoding="utf-8")) for file in sorted(files)}


def main():
    """Print the files and the groups."""
    table(["file", "code lines"], list(count(["minigrad/**/*.py", "models/*.py", "rl/**/*.py"]).items()))
    print()
    table(["together", "code lines", "at most"], [[name, sum(count(p).values()), most] for name, (p, most) in GROUPS.items()])


if __name__ == "__main__":
    main()
