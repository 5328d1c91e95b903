r"""Exercises over the fast twins; those over codes stand in density_codes.py, the museum's in museum_density.py."""

import numpy as np

from . import density_codes, museum_density
from .density import nade_arrays, textbook
from .exercise import Exercise, Failed, expect, slope
from .museum_tools import sigmoid

# ---- the blocks of a staircase


def cuts(width, n):
    """n blocks of about equal width: [0, ..., width]."""
    return [i * width // n for i in range(n + 1)]


def pairs_of(found, M, edges, call):
    """What blocks(M, edges) returned, as rows (first row, end, first column, end); Failed unless it is pairs of slices."""
    expect(len(found), len(edges) - 1, f"the number of blocks of {call}")
    for pair in found:
        if len(pair) != 2 or not all(isinstance(part, slice) and part.step is None for part in pair):
            raise Failed(f"{call}: each block must be a pair of slices (rows, columns), not {pair!r}")
    return np.array([[*rows.indices(M.shape[0])[:2], *columns.indices(M.shape[1])[:2]] for rows, columns in found])


def blocks_by_hand(get):
    """By hand: a staircase, its mirror image, gaps and zeros"""
    stairs = np.array([[0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1]])
    cases = [
        (stairs, [0, 2, 4, 6], [[0, 1], [0, 2], [0, 4]]), (stairs, [0, 3, 6], [[0, 2], [0, 4]]), (stairs, [0, 6], [[0, 4]]),
        (stairs, [0, 1, 3, 4, 6], [[0, 0], [0, 2], [0, 2], [0, 4]]), (stairs[::-1], [0, 3, 6], [[2, 4], [0, 4]]),
        (np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]]), [0, 1, 3], [[1, 2], [3, 4]]), (np.zeros((3, 4)), [0, 2, 4], [[0, 0], [0, 0]]),
        (np.array([[0, 0], [1, 0], [0, 0], [0, 1], [0, 0]]), [0, 2], [[1, 4]]), (stairs, [0, 0, 6], [[0, 0], [0, 4]]),
    ]  # fmt: skip
    for M, edges, rows in cases:
        call, want = f"blocks(M, {edges}) of M = {str(M.astype(int)).replace(chr(10), ',')}", np.array([[*r, *c] for r, c in zip(rows, zip(edges, edges[1:]))])
        expect(pairs_of(get("models.made_staircase:blocks")(M, edges), M, edges, call), want, f"{call},\neach block as [first row, end, first column, end]: they")


def blocks_product(get):
    """The products of the blocks, side by side, are the whole product, whatever the mask"""
    rng = np.random.default_rng(0)
    for D, n in ((12, 4), (12, 5), (7, 3), (5, 8)):
        degrees = np.sort(rng.integers(1, D, 9))
        for M, name in ((np.arange(1, D + 1) > degrees[:, None], "a staircase"), (rng.random((9, D)) < 0.15, "a mask in no order")):
            h, V, y = rng.standard_normal((4, 9)), rng.standard_normal((9, D)) * M, np.full((4, D), np.nan)
            for rows, columns in get("models.made_staircase:blocks")(M.astype(np.float32), cuts(D, n)):
                y[:, columns] = h[:, rows] @ V[rows, columns]
            expect(y, h @ V, f"the product by blocks(M, {cuts(D, n)}) for {name}, M (9, {D}): it")


def blocks_share(get):
    """No row too many: the multiplications of a large staircase"""
    M = np.arange(600) > np.arange(600)[:, None]
    for n, want in ((6, 209_400), (2, 269_400), (1, 359_400), (600, 179_700)):
        done = sum((rows.stop - rows.start) * (columns.stop - columns.start) for rows, columns in get("models.made_staircase:blocks")(M, cuts(600, n)))
        expect(float(done), float(want), f"the entries in all {n} blocks of about equal width, M (600, 600) with ones right of the diagonal (179,700): they")


BLOCK = "ones = np.flatnonzero(M[:, start:end].any(axis=1))"
BLOCKS = Exercise(
    id="staircase-blocks",
    title="which rows a block of columns needs",
    target="models.made_staircase:blocks",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of models/made_staircase.py; Steps in it",
    task="Half of a MADE's mask is 0. Cut the columns of M (in, out), zeros and ones, into blocks: edges = [0, ..., out], and block i has the columns from edges[i] to before edges[i + 1], perhaps none. "
         "Find for each block the rows that it needs: from the first row that has a 1 in one of the block's columns to the last such row. Return a list of pairs of slices (rows, columns), from left "
         "to right; rows is slice(0, 0) where a block has no 1. The mask may be any mask, not only a staircase.",
    check=(blocks_by_hand, blocks_product, blocks_share),
    probe=lambda f, get: np.array([[s.start, s.stop] for M, edges in ((np.array([[0, 0, 0, 0, 0], [0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]), [0, 2, 5]), (np.eye(4)[:, [0, 0, 3, 3, 2]] * [0, 1, 0, 0, 1], [0, 1, 3, 5]))
                                   for pair in f(M, edges) for s in pair], float),
    hints=(
        "For one block of columns: which rows could you strike out without losing a 1? Which of these lie at the top or at the bottom?",
        "rows = from min {i : some M_ij = 1, j in the block} to max of the same set, the end of the slice one further.",
        "for each neighbouring pair start, end of the edges: ones = flatnonzero(M[:, start:end].any(axis=1)); slice(ones[0], ones[-1] + 1) if there are ones",
    ),
    why="With the hidden units sorted by degree, block i of n needs about the part i / n of the rows: (n + 1) / 2n of all multiplications are left. The rows are taken from the mask itself, so a "
        "wrong order of the units makes the product slow, never wrong.",
    wrong={
        "last_row_lost": ((("ones[-1] + 1", "ones[-1]"),), "the end of a slice does not belong to it: the last row that is needed is lost."),
        "from_the_top": ((("slice(ones[0], ", "slice(0, "),), "the rows above the first 1 are taken along: nothing but zeros are multiplied there."),
        "all_for_any": ((("any(axis=1)", "all(axis=1)"),), "only rows whose 1s fill the whole block are counted: a row with a single 1 is needed, too."),
        "first_column": (((BLOCK, "ones = np.flatnonzero(M[:, start])"),), "only the first column of each block is looked at."),
        "counts_the_rows": ((("ones[-1] + 1", "ones[0] + len(ones)"),), "the rows with ones are counted: if there are rows of zeros between them, the last ones are lost."),
        "pair_exchanged": ((("found.append((slice(ones[0], ones[-1] + 1) if len(ones) else slice(0, 0), slice(start, end)))",
                             "found.append((slice(start, end), slice(ones[0], ones[-1] + 1) if len(ones) else slice(0, 0)))"),), "rows and columns are exchanged in the pairs."),
        "cuts_the_rows": (((BLOCK, "ones = np.flatnonzero(M[start:end].any(axis=0))"),), "the rows are cut into blocks, where the columns were to be cut."),
        "last_block_lost": ((("zip(edges[:-1], edges[1:])", "zip(edges[:-2], edges[1:])"),), "there is one block less than pairs of neighbouring edges: the last columns are in none."),
        "empty_is_whole": ((("slice(0, 0)", "slice(0, M.shape[0])"),), "a block without any 1 needs no rows at all; here it gets all of them."),
    },
    right={
        "row_by_row": """\
def blocks(M, edges):
    pairs = []
    for i in range(len(edges) - 1):
        left, right = edges[i], edges[i + 1]
        needed = [row for row in range(len(M)) if np.any(M[row, left:right])]
        pairs.append((slice(min(needed), max(needed) + 1) if needed else slice(0, 0), slice(left, right)))
    return pairs
""",
        "argmax": """\
def rows_of(part):
    used = np.count_nonzero(part, axis=1) > 0
    if not used.any():
        return slice(0, 0)
    return slice(int(used.argmax()), len(used) - int(used[::-1].argmax()))


def blocks(M, edges):
    return tuple((rows_of(M[:, a:b]), slice(a, b)) for a, b in zip(edges, edges[1:]))
""",
    },
)  # fmt: skip

# ---- a gradient by adding rows


def scatter_by_hand(get):
    """By hand: two examples, three inputs"""
    x, g = np.array([[1, 0, 1], [1, 0, 0]], np.uint8), np.array([[1.0, 2.0], [10.0, 20.0]])
    dW = np.array([[0.5, 0.25], [7.0, 8.0], [0.0, -1.0]])
    get("models.binary_input:scatter_rows")(x, g, dW)
    expect(dW, np.array([[11.5, 22.25], [7.0, 8.0], [1.0, 1.0]]), "dW after scatter_rows(x = [[1 0 1], [1 0 0]], g = [[1 2], [10 20]], dW = [[.5 .25], [7 8], [0 -1]]): it")


def scatter_product(get):
    """Equal to dW + x^T g, for each type of numbers; x and g stay as they are"""
    rng = np.random.default_rng(0)
    for B, D, H in ((1, 6, 2), (5, 3, 4), (20, 7, 3)):
        for x_kind, kind in ((np.uint8, np.float64), (np.float32, np.float32), (np.float64, np.float64)):
            x, g, dW = (rng.random((B, D)) < 0.4).astype(x_kind), rng.standard_normal((B, H)).astype(kind), rng.standard_normal((D, H)).astype(kind)
            before, want = (x.copy(), g.copy()), (dW.astype(float) + x.T.astype(float) @ g.astype(float)).astype(kind)
            call = f"scatter_rows(x ({B}, {D}) {x_kind.__name__}, g ({B}, {H}) {kind.__name__}, dW)"
            get("models.binary_input:scatter_rows")(x, g, dW)
            expect(dW, want, f"dW after {call}: it", rtol=1e-9 if kind is np.float64 else 1e-4, atol=1e-12 if kind is np.float64 else 1e-5)
            expect(x, before[0], f"x after {call}: it must stay as it is")
            expect(g, before[1], f"g after {call}: it must stay as it is")


def scatter_halves(get):
    """Central differences of a small layer, the batch in two halves that add up"""
    rng = np.random.default_rng(4)
    x, W, v, dW = (rng.random((6, 4)) < 0.5).astype(float), rng.standard_normal((4, 3)), rng.standard_normal((6, 3)), np.zeros((4, 3))
    for half in (slice(0, 2), slice(2, 6)):
        get("models.binary_input:scatter_rows")(x[half], v[half] * (1 - np.tanh(x[half] @ W) ** 2), dW)
    for direction in rng.standard_normal((3, 4, 3)):
        want = slope(lambda W: (v * np.tanh(x @ W)).sum(), W, direction)
        expect((dW * direction).sum(), want, "dW after scatter_rows of the gradients of tanh(x W) for 2 examples, then for 4 more, in a random direction", rtol=1e-6)


def differences_of_W(x, order, W, V, b, c, eps=1e-6):
    """Central differences of the mean of -log p with respect to each entry of W, (D, H), by the textbook's NADE."""
    def nll(W):
        z = textbook(x, order, W, V, b, c)
        return (np.logaddexp(0, z) - x * z).sum() / len(x)

    want = np.zeros(W.shape)
    for i in np.ndindex(W.shape):
        step = np.zeros(W.shape)
        step[i] = eps
        want[i] = (nll(W + step) - nll(W - step)) / (2 * eps)
    return want


def probe_scatter(f, get):
    """dW after one call, starting from numbers of its own."""
    rng = np.random.default_rng(1)
    x, g, dW = (rng.random((5, 4)) < 0.5).astype(np.float64), rng.standard_normal((5, 3)), rng.standard_normal((4, 3))
    f(x, g, dW)
    return dW


ADDS = "dW[d, k] += g[i, k]"
SCATTER = Exercise(
    id="scatter-rows",
    title="a gradient by adding rows",
    target="models.binary_input:scatter_rows",
    kind="rebuild",
    minutes=15,
    difficulty=1,
    read="models/binary_input.py",
    task="The input of a network is bits x (B, D), mostly zeros, and its first layer is y = x W. Given g (B, H), the gradient of the loss with respect to y, *add* the gradient with respect to W to "
         "dW (D, H), in place; return nothing. dW may hold something already, which must be kept. No matrix product, no work for zeros: a row of g is added where a bit is on. It is compiled: write plain loops.",
    check=(scatter_by_hand, scatter_product, scatter_halves),
    probe=probe_scatter,
    formula=("dW (D, H) ← dW + xᵀ g, for bits x (B, D) and g (B, H).",),
    hints=(
        "Which rows of W took part in row i of y? If each of them grows by a little, how does y_i change?",
        "dL/dW_d = sum of g_i over those examples i in which x_id = 1.",
        "for i: for d: if x[i, d]: for k: dW[d, k] += g[i, k]",
    ),
    why="One pixel in seven is on: seven times fewer operations than x^T g, though each of them is slower than in a matrix product. NADE's fast twin calls the same kernel on a dW that holds "
        "the subtracted half of its gradient already; hence the adding.",
    wrong={
        "overwrites": (((ADDS, "dW[d, k] = g[i, k]"),), "the row is overwritten: the last example wins, where all of them add up."),
        "starts_from_zero": ((("    for i in range(len(x)):", "    dW[:] = 0\n    for i in range(len(x)):"),), "dW is set to 0 first: what it held is lost."),
        "where_it_is_off": ((("if x[i, d]:", "if not x[i, d]:"),), "rows are added where the bit is 0."),
        "every_row": ((("if x[i, d]:", "if True:"),), "g_i is added to all rows, whether or not the bit is on."),
        "subtracts": (((ADDS, "dW[d, k] -= g[i, k]"),), "the gradient is subtracted: that is the optimiser's business."),
        "first_bit_only": (((ADDS, ADDS + "\n                break"),), "after the first bit that is on, the rest of the example is left out."),
        "mean": (((ADDS, "dW[d, k] += g[i, k] / len(x)"),), "it is divided by the number of examples: the mean is in g already, if there is one."),
        "sum_of_the_row": (((ADDS, "dW[d, k] += g[i].sum()"),), "each unit gets the sum of g over all units: unit k has a gradient of its own."),
    },
    right={
        "inputs_outside": """\
def scatter_rows(x, g, dW):
    B, D = x.shape
    for d in range(D):
        for i in range(B):
            if x[i, d] == 1:
                dW[d] += g[i]
""",
        "multiplies": """\
def scatter_rows(x, g, dW):
    for d in range(dW.shape[0]):
        for k in range(dW.shape[1]):
            total = dW[d, k]
            for i in range(g.shape[0]):
                total += x[i, d] * g[i, k]
            dW[d, k] = total
""",
    },
)  # fmt: skip

# ---- NADE's gradient of W in one walk


def walk_by_hand(get):
    """By hand: two pixels, one hidden unit, both orders"""
    W, V, b, c = np.array([[2.0], [7.0]]), np.array([[4.0], [3.0]]), np.array([0.5, -1.0]), np.zeros(1)
    for order, first, later in (([0, 1], 0, 1), ([1, 0], 1, 0)):
        for x in ([1.0, 1.0], [0.0, 1.0], [1.0, 0.0]):
            h, want = sigmoid(x[first] * W[first, 0]), np.zeros((2, 1))
            want[first, 0] = x[first] * (sigmoid(V[later, 0] * h + b[later]) - x[later]) * V[later, 0] * h * (1 - h)
            expect(get("answer:grad_W")(np.array([x]), np.array(order), W, V, b, c), want, f"grad_W of x = {x}, order {order}, W = [[2], [7]], V = [[4], [3]], b = [.5, -1], c = [0]")


def walk_differences(get):
    """Central differences, in random orders"""
    for seed, (D, H, B) in enumerate(((5, 3, 4), (7, 2, 1), (4, 4, 6))):
        arrays = nade_arrays(D, H, seed, B)
        got = get("answer:grad_W")(*arrays)
        expect(got, differences_of_W(*arrays), f"grad_W of {B} examples, order {arrays[1].tolist()}, random weights: it", rtol=1e-5, atol=1e-8)
        for now, before, name in zip(arrays, nade_arrays(D, H, seed, B), ("x", "order", "W", "V", "b", "c")):
            expect(now, before, f"{name} after grad_W: it must stay as it is")


def walk_ends(get):
    """Exact zeros: pixels that are off, and the last pixel of the order"""
    x, order, W, V, b, c = nade_arrays(6, 3, 5, 1)
    got = np.asarray(get("answer:grad_W")(x, order, W, V, b, c))
    expect(got[x[0] == 0], np.zeros((int((x[0] == 0).sum()), 3)), f"grad_W of one example x = {x[0].astype(int)}, rows of pixels that are off: nothing depends on their W_d; they")
    expect(got[order[-1]], np.zeros(3), f"grad_W in the order {order.tolist()}, row {order[-1]}: nothing comes after that pixel; it", atol=1e-10)


SENT = "        P = P + g[:, None] * V[d] * h * (1 - h)\n"
TAKEN = "        dW[d] = -x[:, d] @ P\n"
WALK = Exercise(
    id="nade-one-walk",
    title="what comes after, known beforehand",
    target="answer:grad_W",
    kind="variant",
    minutes=35,
    difficulty=3,
    read="the docstring of models/nade.py; then points 1 and 2 in that of models/nade_one_pass.py",
    task="The gradient of the mean over the batch of -log p(x) with respect to NADE's W, (D, H). The way through the textbook goes forward over all variables and then back. Go once only, forward: W_d gets what the "
         "variables *after* d send back to the hidden sums, and that is what all of them send (known at the end) less what those up to d have sent (known on the way). x (B, D) bits as floats, order (D,), "
         "where order[k] is the variable that comes k-th, W, V (D, H), b (D,), c (H,): NumPy arrays, float64; none of them may change. Hidden units are sigmoids.",
    answer='''\
import numpy as np


def grad_W(x, order, W, V, b, c):
    """(B, D), (D,), (D, H), (D, H), (D,), (H,) -> (D, H)"""
    dW, a, P = np.zeros(W.shape), np.tile(c, (len(x), 1)), np.zeros((len(x), len(c)))
    for d in order:
        h = 1 / (1 + np.exp(-a))
        g = 1 / (1 + np.exp(-(h @ V[d] + b[d]))) - x[:, d]
        P = P + g[:, None] * V[d] * h * (1 - h)
        dW[d] = -x[:, d] @ P
        a = a + x[:, d, None] * W[d]
    return (dW + x.T @ P) / len(x)
''',
    check=(walk_by_hand, walk_differences, walk_ends),
    probe=lambda f, get: f(*nade_arrays(seed=1)),
    hints=(
        "Variable e sends s_e = (sigmoid(logit_e) - x_e) V_e h_e (1 - h_e) back to its hidden sums. Which W_d stand in these sums?",
        "dW_d = x_d (T - P_d), where P_d is the sum of s_e over all e up to and with d, and T is P after the last variable; for each example, then the mean.",
        "for d in order: h = sigmoid(a); g = sigmoid(h . V_d + b_d) - x_d; P += g V_d h (1 - h); dW_d = -(sum over examples of x_d P); a += x_d W_d. At the end dW += x^T P; return dW / B",
    ),
    why="models/nade_one_pass.py does this behind `nll`: no hidden layer is kept for the way back, and none is computed twice. It needs to know the loss: with another upstream gradient g_d, which is only "
        "known after the last logit, one must walk back.",
    wrong={
        "those_before": (((TAKEN, "        dW[d] = x[:, d] @ P\n"), ("(dW + x.T @ P)", "dW")), "this is x_d P_d, what those *up to* d have sent: W_d is felt by those after it, T - P_d."),
        "counts_itself": (((SENT + TAKEN, TAKEN + SENT),), "d itself is counted among those after it: its own share must be in P_d before P_d is taken off."),
        "total_for_all": (((TAKEN, "        dW[d] = 0\n"),), "every W_d is given the total T: what came before d must be taken off."),
        "sign_flipped": ((("g = 1 / (1 + np.exp(-(h @ V[d] + b[d]))) - x[:, d]", "g = x[:, d] - 1 / (1 + np.exp(-(h @ V[d] + b[d])))"),), "this is the gradient of log p: of -log p it is sigmoid(z) - x."),
        "pixels_that_are_off": (((TAKEN, "        dW[d] = -P.sum(axis=0)\n"), ("x.T @ P", "P.sum(axis=0)")), "the factor x_d is missing: a pixel that is off adds no W_d."),
        "sum_over_the_batch": (((" / len(x)\n", "\n"),), "this is the gradient of the sum over the batch: of the mean it is 1/B of that."),
        "sigmoid_forgotten": (((" * h * (1 - h)", ""),), "the slope of the hidden sigmoid, h (1 - h), is missing."),
        "natural_order": ((("for d in order:", "for d in range(len(order)):"),), "the order is ignored: the pixels are visited from the first to the last."),
        "only_the_last": (((SENT, SENT.replace("P = P + ", "P = ")),), "P is overwritten: it must add up what all variables so far have sent."),
        "batch_mixed": (((TAKEN, "        dW[d] = -x[:, d].sum() * P.sum(axis=0)\n"), ("x.T @ P", "np.outer(x.sum(axis=0), P.sum(axis=0))")),
                        "x_d and P are summed over the batch before they are multiplied: each example has its own T - P_d."),
        "sees_itself": ((("        h = 1 / (1 + np.exp(-a))\n", "        a = a + x[:, d, None] * W[d]\n        h = 1 / (1 + np.exp(-a))\n"), (TAKEN + "        a = a + x[:, d, None] * W[d]\n", TAKEN)),
                        "x_d is in the hidden sums before its own logit is computed: each pixel sees itself."),
    },
    right={
        "all_at_once": """\
import numpy as np


def grad_W(x, order, W, V, b, c):
    x = x[:, order]
    steps = x[:, :, None] * W[order]
    h = 1 / (1 + np.exp(-(c + np.cumsum(steps, axis=1) - steps)))
    g = 1 / (1 + np.exp(-((h * V[order]).sum(axis=2) + b[order]))) - x
    P = np.cumsum(g[:, :, None] * V[order] * h * (1 - h), axis=1)
    dW = np.empty(W.shape)
    dW[order] = (x[:, :, None] * (P[:, -1:] - P)).mean(axis=0)
    return dW
""",
        "and_back": """\
import numpy as np


def grad_W(x, order, W, V, b, c):
    dW = np.zeros_like(W)
    for x_i in x:
        a, sent = c.copy(), {}
        for d in order:
            h = 1 / (1 + np.exp(-a))
            sent[d] = (1 / (1 + np.exp(-(h @ V[d] + b[d]))) - x_i[d]) * V[d] * h * (1 - h)
            a += x_i[d] * W[d]
        after = np.zeros(len(c))
        for d in reversed(order):
            dW[d] += x_i[d] * after / len(x)
            after = after + sent[d]
    return dW
""",
    },
)  # fmt: skip

EXERCISES = (BLOCKS, SCATTER, WALK, *density_codes.EXERCISES, *museum_density.EXERCISES)
