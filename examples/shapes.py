r"""Shape comments, executed. `h = x @ W  # (B, H)` claims something; while a program runs, this file holds the claim
against the real array.

What is a shape comment? It stands at the end of a line and begins with a tuple of sizes: numbers, symbols, and sums,
products or powers of them. It speaks of what the line assigns, or returns.

    # (B, H)                        every name that the line assigns
    # (N, F) each, in data order    the words after it are free; `each (N, F)` is the same
    # (D, H), (H,)                  one tuple for each name, in their order
    # p (S,)                        the name p alone, if the line assigns one
    # (B, H), at first (H,)         the first time in a call another shape; `at last`: the last time
    # (..., n, 1) * (k,)            of the two factors of a product, also with @
    field: np.ndarray  # (S,)       in a NamedTuple: of that field of every instance that comes by

When does it hold? The number of axes is right ((B,) is not (B, 1)), and every symbol means one number:

    * if the function has a variable of that name that holds an integer, that integer;
    * else, if the run says which (`tiny_runs.py`: B = 3, D = 5, ...), that one. The sizes of a run are different, most of
      them primes, so that no mistake hides behind two that happen to be equal;
    * in one call of a function, and in one NamedTuple, always the same. Where the run gives a *set* of numbers, H = {7, 11},
      it may change from line to line within one call: a loop over layers makes the hidden size do so. Within one line it
      may not. (A tuple of numbers: one in each call.)

This file reads comments and compares; `tracing.py` watches a run and brings the arrays.
"""

import re
from typing import NamedTuple

import numpy as np

TERM = r"(?:\d+ ?)?[A-Za-z_]\w*|\d+"
SIZE = re.compile(rf"(?:\.\.\.|(?:{TERM})(?: ?[-+*·^] ?(?:{TERM}))*)")
ONE = r"(?:(?P<name>[\w.]+) )?\((?P<sizes>[^()]*)\)"


class Claim(NamedTuple):
    """What the comment of one line says."""

    line: int
    text: str
    shapes: list  # pairs (name or None, sizes)
    joint: str  # between them: "," or "*" or "@"
    other: dict  # "first", "last" -> sizes


def sizes_of(text):
    """The sizes in `B, D + 1`, as a list of texts; None if that is no tuple of sizes."""
    sizes = [part.strip() for part in text.split(",")]
    sizes = sizes[:-1] if len(sizes) > 1 and not sizes[-1] else sizes
    return sizes if "," in text and all(SIZE.fullmatch(size) for size in sizes) else None


def parse(comment, line):
    """The Claim of a comment, None if it makes none: `(B, H), then words`, not `(now, or in an hour)`."""
    shapes, rest, joint = [], comment.lstrip("# "), ","
    while found := re.match(ONE, rest):
        sizes = sizes_of(found["sizes"])
        if sizes is None:
            break
        shapes.append((None if found["name"] == "each" else found["name"], sizes))
        rest = rest[found.end() :]
        between = re.match(r"(?:, | (?P<sign>[*@]) )(?=(?:[\w.]+ )?\()", rest)
        if not between:
            break
        joint, rest = between["sign"] or joint, rest[between.end() :]
    other = {when: sizes_of(sizes) for when, sizes in re.findall(r"at (first|last) \(([^()]*)\)", rest)}
    return Claim(line, comment, shapes, joint, other) if shapes else None


class Mismatch(Exception):
    """A shape that is not the one claimed."""


def compute(size, known):
    """The number that a size like `2 jump + 1` is, with known symbols."""
    text = re.sub(r"(\d) ?(?=[A-Za-z_])", r"\1*", size).replace("^", "**").replace("·", "*")
    return eval(re.sub(r"[A-Za-z_]\w*", lambda word: str(known[word[0]]), text), {"__builtins__": {}})


def match(sizes, shape, known, declared):
    """Mismatch unless the shape is that; `known` learns the symbols that were new. declared: {symbol: its possible numbers}."""
    if sizes[0] == "...":
        sizes = sizes[1:]
        shape = shape[max(0, len(shape) - len(sizes)) :]
    if len(sizes) != len(shape):
        raise Mismatch(f"it has {len(shape)} axes, not {len(sizes)}")
    pairs = list(zip(sizes, shape))
    while pairs:
        news = [{word for word in re.findall(r"[A-Za-z_]\w*", size) if word not in known} for size, _ in pairs]
        at = min(range(len(pairs)), key=lambda i: len(news[i]))  # what leaves least open comes first
        (size, length), new = pairs.pop(at), sorted(news[at])
        if len(new) > 1:
            raise Mismatch(f"{size} cannot be checked: {' and '.join(new)} are both unknown here")
        for symbol in new:  # try numbers until one fits: for 2^K the small ones first, then for N + 1 the large ones
            numbers = [length] if size == symbol else [*range(min(64, length + 1)), *reversed(range(64, length + 1))]
            number = next((n for n in numbers if compute(size, known | {symbol: n}) == length), None)
            if number is None:
                raise Mismatch(f"no {symbol} makes {size} {length}")
            if number not in declared.get(symbol, [number]):
                raise Mismatch(f"{symbol} would be {number}: in this run it is {' or '.join(map(str, declared[symbol]))}")
            known[symbol] = number
        if compute(size, known) != length:
            raise Mismatch(f"{size} is {compute(size, known)}, not {length}")


def array_of(value):
    """The array of a Tensor; anything else as it is."""
    data = getattr(value, "data", None)
    return data if isinstance(data, np.ndarray) else value


def arrays(value):
    """The value if it has a shape, else the items of a list or tuple; Mismatch for anything else."""
    value = array_of(value)
    if hasattr(value, "shape") or isinstance(value, (int, float)):
        return [value]
    if isinstance(value, (list, tuple)) and value:
        return [array for item in value for array in arrays(item)]
    raise Mismatch(f"a {type(value).__name__} has no shape")


def assign(claim, pairs):
    """(sizes, name, value) for every name that the claim speaks of; Mismatch if the names do not fit."""
    if not pairs:
        raise Mismatch("the line assigns nothing")
    if claim.shapes[0][0]:
        values = {name.split(".")[-1]: value for name, value in pairs} | dict(pairs)
        if wrong := [name for name, _ in claim.shapes if name not in values]:
            raise Mismatch(f"the line assigns no {wrong[0]}")
        return [(sizes, name, values[name]) for name, sizes in claim.shapes]
    if len(claim.shapes) == 1:
        return [(claim.shapes[0][1], name, value) for name, value in pairs]
    if len(pairs) == 1 and isinstance(pairs[0][1], (tuple, list)):
        pairs = [(f"{pairs[0][0]}[{i}]", item) for i, item in enumerate(pairs[0][1])]
    if len(pairs) != len(claim.shapes):
        raise Mismatch(f"{len(claim.shapes)} shapes for {len(pairs)} names")
    return [(sizes, name, value) for (_, sizes), (name, value) in zip(claim.shapes, pairs)]
