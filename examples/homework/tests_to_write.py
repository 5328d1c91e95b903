r"""Exercises in which the learner writes a test: it must pass the library's function and see every wrong version of it."""

from .write_test import test_exercise

HOW = "Write `test({0})`, which is given a function of that signature and checks it by `assert`. It must pass the library's own and fail, in whatever way, for every wrong version: twenty to forty of them " \
      "are tried on it, with a sign flipped, a bound off by one, an argument changed. The share of them that your test sees is your grade."

# ---- unbroadcast

UNBROADCAST = """import numpy as np


def test(unbroadcast):
    rng = np.random.default_rng(0)
    g = rng.standard_normal((2, 3, 4))
    before = g.copy()
    for shape, axes, keep in (((3, 4), 0, False), ((4,), (0, 1), False), ((), None, False), ((2, 1, 4), 1, True), ((1, 1, 1), (0, 1, 2), True)):
        got = unbroadcast(g, shape)
        assert got.shape == shape
        assert np.allclose(got, g.sum(axis=axes, keepdims=keep))
    assert np.allclose(unbroadcast(g, (3, 1)), g.sum(axis=0).sum(axis=1, keepdims=True))
    assert np.allclose(unbroadcast(g, (2, 3, 4)), g)
    one = rng.standard_normal((1, 4))
    assert np.allclose(unbroadcast(one.copy(), (1, 4)), one)
    assert unbroadcast(g.astype(np.float32), (3, 1)).dtype == np.float32
    assert (g == before).all()
"""

TEST_UNBROADCAST = test_exercise(
    id="test-unbroadcast",
    title="a test for unbroadcast",
    subject="minigrad.ops.primitive:unbroadcast",
    minutes=25,
    difficulty=2,
    read="minigrad/ops/primitive.py: unbroadcast",
    task="unbroadcast(g, shape): g is the gradient of something that was broadcast from `shape`; the result is g summed down to `shape`, of the same number type; g stays as it is.\n" + HOW.format("unbroadcast"),
    answer=UNBROADCAST,
    equivalent={"g.ndim > len(shape) -> g.ndim >= len(shape)": "a sum over no axes is the array itself"},
    hidden={
        "the mean for the sum": (("return np.sum(g, axis=stretched, keepdims=True)", "return np.mean(g, axis=stretched, keepdims=True)"),),
        "the axis of length 1 is lost": (("axis=stretched, keepdims=True", "axis=stretched"),),
        "only the first copy": (("return np.sum(g, axis=stretched, keepdims=True) if stretched else g", "return g[tuple(slice(0, n) for n in shape)]"),),
        "stretched axes stay": (("return np.sum(g, axis=stretched, keepdims=True) if stretched else g", "return g"),),
        "always float64": (("return np.sum(g, axis=stretched, keepdims=True) if stretched else g", "return np.sum(g, axis=stretched, keepdims=True).astype(float) if stretched else g"),),
        "g is changed": (("return np.sum(g, axis=stretched, keepdims=True) if stretched else g", "s = np.sum(g, axis=stretched, keepdims=True) if stretched else g.copy()\n    g *= 2\n    return s"),),
    },
    hints=("Which shapes can (2, 3, 4) have come from?", "New axes in front; axes of length 1; both at once; none; all. And the values, not only the shapes.",
           "for several shapes: got = unbroadcast(g, shape); assert got.shape == shape; assert np.allclose(got, the sum by hand); then dtype, and g unchanged"),
    why="A test of shapes alone passes a mean, and a test with g = ones passes whoever takes the right number of anything.",
    wrong={
        "shapes_only": ((("        assert np.allclose(got, g.sum(axis=axes, keepdims=keep))\n", ""), ("    assert np.allclose(unbroadcast(g, (3, 1)), g.sum(axis=0).sum(axis=1, keepdims=True))\n    assert np.allclose(unbroadcast(g, (2, 3, 4)), g)\n", "")),
                        "it looks at shapes only: a mean has the same shape as a sum."),
        "no_stretched_axes": ((("((4,), (0, 1), False), ((), None, False), ((2, 1, 4), 1, True), ((1, 1, 1), (0, 1, 2), True)", "((4,), (0, 1), False), ((), None, False)"),
                               ("    assert np.allclose(unbroadcast(g, (3, 1)), g.sum(axis=0).sum(axis=1, keepdims=True))\n", ""), ("(g.astype(np.float32), (3, 1))", "(g.astype(np.float32), (4,))")),
                              "no axis of length 1 is ever stretched in it."),
        "no_new_axes": ("""\
import numpy as np


def test(unbroadcast):
    g = np.random.default_rng(0).standard_normal((3, 4))
    before = g.copy()
    for shape, axis in (((3, 1), 1), ((1, 4), 0)):
        got = unbroadcast(g, shape)
        assert got.shape == shape and np.allclose(got, g.sum(axis=axis, keepdims=True))
    assert unbroadcast(g.astype(np.float32), (3, 1)).dtype == np.float32
    assert (g == before).all()
""",
                        "no axis is ever added in front in it."),
        "no_dtype": ((("    assert unbroadcast(g.astype(np.float32), (3, 1)).dtype == np.float32\n", ""),), "the number type of the result is not looked at: float32 must stay float32."),
        "no_alias": ((("    assert (g == before).all()\n", ""), ("got = unbroadcast(g, ", "got = unbroadcast(g.copy(), "), ("unbroadcast(g, (3, 1))", "unbroadcast(g.copy(), (3, 1))"), ("unbroadcast(g, (2, 3, 4))", "unbroadcast(g.copy(), (2, 3, 4))")), "whether g is left alone is not looked at."),
        "all_ones": ("""\
import numpy as np


def test(unbroadcast):
    for shape in ((4,), (3, 4), (1, 4), (3, 1), (1, 1), ()):
        got = unbroadcast(np.ones((3, 4)), shape)
        assert got.shape == shape and got.sum() == 12
""",
                     "g is all ones: a sum of ones comes out right in many wrong ways, and g and the number type are not looked at."),
    },
    right={
        "adjoint": """\
import numpy as np


def test(unbroadcast):
    rng = np.random.default_rng(1)
    for shape in ((4,), (1, 4), (3, 1), (2, 1, 1), (2, 3, 4), (1,), (), (1, 1, 1)):
        g, x = rng.standard_normal((2, 3, 4)), rng.standard_normal(shape)
        keep = g.copy()
        got = unbroadcast(g, shape)
        assert np.shape(got) == shape and (g == keep).all()
        assert np.isclose(np.vdot(got, x), np.vdot(g, np.broadcast_to(x, g.shape)))  # <A* g, x> = <g, A x>
        assert unbroadcast(np.float32(g), shape).dtype == np.float32
    same = rng.standard_normal((1, 3))
    assert (unbroadcast(same, (1, 3)) == same).all()
""",
        "by_hand": """\
import numpy as np


def test(unbroadcast):
    g = np.array([[1.0, 2.0], [10.0, 30.0]], dtype=np.float32)
    def is_(shape, want):
        got = unbroadcast(g, shape)
        assert got.dtype == np.float32 and got.shape == shape and got.tolist() == want, (shape, got)
    is_((2,), [11.0, 32.0])
    is_((1, 2), [[11.0, 32.0]])
    is_((2, 1), [[3.0], [40.0]])
    is_((1, 1), [[43.0]])
    is_((), 43.0)
    is_((1,), [43.0])
    is_((2, 2), [[1.0, 2.0], [10.0, 30.0]])
    cube = np.arange(8.0).reshape(2, 2, 2)
    assert unbroadcast(cube, (2, 1)).tolist() == [[10.0], [18.0]]
    assert unbroadcast(np.ones((1, 2)), (1, 2)).tolist() == [[1.0, 1.0]]
    assert g.tolist() == [[1.0, 2.0], [10.0, 30.0]]
""",
    },
)  # fmt: skip

# ---- MADE's masks

MASKS = """import numpy as np


def test(masks):
    rng = np.random.default_rng(0)
    for sizes in ((6,), (7, 5), (4, 6, 5)):
        degrees = [rng.permutation(5) + 1] + [np.arange(n) % 4 + 1 for n in sizes]
        keep = [m.copy() for m in degrees]
        made = masks(degrees)
        assert len(made) == len(sizes) + 1
        here = degrees[0]
        for M, above in zip(made, degrees[1:]):
            assert M.shape == (len(here), len(above))
            for j in range(len(here)):
                for k in range(len(above)):
                    assert M[j, k] == (above[k] >= here[j])
            here = above
        assert made[-1].shape == (len(here), 5)
        for k in range(len(here)):
            for d in range(5):
                assert made[-1][k, d] == (degrees[0][d] > here[k])
        assert all((a == b).all() for a, b in zip(degrees, keep))
"""

TEST_MASKS = test_exercise(
    id="test-masks",
    title="a test for MADE's masks",
    subject="models.made:masks",
    minutes=30,
    difficulty=2,
    read="the docstring of models/made.py",
    task="masks(degrees): degrees is a list of integer arrays, of the input (a permutation of 1 ... D) and of each hidden layer (between 1 and D - 1). It returns a list of masks (in, out), one into each "
         "hidden layer, 1[m_k >= m_j], and one into the output, 1[m_d > m_k], as booleans; the degrees stay as they are.\n" + HOW.format("masks"),
    answer=MASKS,
    hidden={
        "the output sees itself": (("degrees[0][None, :] > degrees[-1][:, None]", "degrees[0][None, :] >= degrees[-1][:, None]"),),
        "the hidden layers are strict": (("m_next[None, :] >= m[:, None]", "m_next[None, :] > m[:, None]"),),
        "the order is forgotten": (("degrees[0][None, :] > degrees[-1][:, None]", "np.arange(1, len(degrees[0]) + 1)[None, :] > degrees[-1][:, None]"),),
        "only one hidden layer": (("zip(degrees[:-1], degrees[1:])]", "zip(degrees[:1], degrees[1:2])]"),),
        "degrees sorted in place": (("    hidden =", "    degrees[1].sort()\n    hidden ="),),
        "every layer looks at the input": (("for m, m_next in zip(degrees[:-1], degrees[1:])]", "for m, m_next in zip([degrees[0]] * len(degrees), degrees[1:])]"),),
    },
    hints=("Two hidden layers, a permuted input: which numbers should the three masks hold?", "Either compare every entry with the two inequalities, or multiply the masks and look which paths exist.",
           "for several depths: made = masks(degrees); assert the number and the shapes; assert made[l][j, k] == (m_k >= m_j), the last one strictly"),
    why="The property (no path from a pixel to itself or to an earlier one) is not enough: masks of zeros have it. The other half: every allowed connection is there.",
    wrong={
        "paths_only": ("""\
import numpy as np


def test(masks):
    degrees = [np.array([3, 1, 2]), np.array([1, 2, 1, 2]), np.array([2, 1, 2])]
    a, b, c = [np.asarray(M, int) for M in masks(degrees)]
    paths = a @ b @ c
    assert (paths[degrees[0][:, None] >= degrees[0][None, :]] == 0).all()
""", "it asserts that forbidden paths are absent, not that allowed ones are there: masks with too few connections pass."),
        "one_layer": ((("((6,), (7, 5), (4, 6, 5))", "((6,),)"),), "it tries one hidden layer only: mistakes between hidden layers stay unseen."),
        "natural_order": ((("[rng.permutation(5) + 1]", "[np.arange(5) + 1]"),), "it tries the natural order only, where places and pixels are the same."),
        "shapes_only": ("""\
import numpy as np


def test(masks):
    degrees = [np.array([3, 1, 2]), np.array([1, 2, 1, 2]), np.array([2, 1])]
    assert [M.shape for M in masks(degrees)] == [(3, 4), (4, 2), (2, 3)]
""", "it looks at shapes only."),
        "no_alias": ((("        assert all((a == b).all() for a, b in zip(degrees, keep))\n", ""), ("np.arange(n) % 4 + 1", "np.sort(np.arange(n) % 4 + 1)")),
                     "whether the degrees are left alone is not looked at (and its hidden degrees are sorted)."),
        "output_only": ((("                    assert M[j, k] == (above[k] >= here[j])\n", "                    pass\n"),), "the masks into the hidden layers are not compared."),
    },
    right={
        "by_hand": """\
import numpy as np


def test(masks):
    degrees = [np.array([3, 1, 2]), np.array([2, 1]), np.array([1, 2, 2])]
    made = masks(degrees)
    assert len(made) == 3
    want = ([[0, 0], [1, 1], [1, 0]], [[0, 1, 1], [1, 1, 1]], [[1, 0, 1], [1, 0, 0], [1, 0, 0]])
    for M, by_hand in zip(made, want):
        assert np.array_equal(np.asarray(M, float), by_hand)
    assert [m.tolist() for m in degrees] == [[3, 1, 2], [2, 1], [1, 2, 2]]
""",
        "broadcast": """\
import numpy as np


def expected(degrees):
    pairs = list(zip(degrees, degrees[1:]))
    return [np.greater_equal.outer(b, a).T for a, b in pairs] + [np.greater.outer(degrees[0], degrees[-1]).T]


def test(masks):
    rng = np.random.default_rng(3)
    for layers in (1, 2, 3):
        degrees = [rng.permutation(6) + 1, *(rng.integers(1, 6, 9) for _ in range(layers))]
        want = expected([m.copy() for m in degrees])
        before = [m.tolist() for m in degrees]
        got = masks(degrees)
        assert len(got) == len(want) and all(np.array_equal(a, b) for a, b in zip(got, want))
        assert before == [m.tolist() for m in degrees]
""",
    },
)  # fmt: skip

# ---- Polyak averaging

POLYAK = """import numpy as np


def test(polyak):
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32):
        for tau in (0.0, 0.25, 1.0):
            theta, target = rng.standard_normal((2, 7)).astype(dtype)
            theta_before, target_before = theta.copy(), target.copy()
            result = polyak(theta, target, dtype(tau))
            assert result is None
            assert np.allclose(target, tau * theta_before + (1 - tau) * target_before, rtol=1e-6)
            assert (theta == theta_before).all()
            assert target.dtype == dtype
    one, other = np.array([3.0]), np.array([5.0])
    polyak(one, other, 0.5)
    assert other[0] == 4.0
"""

TEST_POLYAK = test_exercise(
    id="test-polyak",
    title="a test for the slow copy",
    subject="rl.ddpg:polyak",
    minutes=20,
    difficulty=1,
    read="rl/ddpg.py, line 14 of Algorithm 1, and polyak",
    task="polyak(theta, theta_target, tau) moves theta_target (n,) in place: theta' <- tau theta + (1 - tau) theta'. theta stays as it is; nothing is returned.\n" + HOW.format("polyak"),
    answer=POLYAK,
    hidden={
        "tau and 1 - tau exchanged": (("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "tau * theta_target[i] + (theta.dtype.type(1) - tau) * theta[i]"),),
        "a plain copy": (("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "theta[i]"),),
        "nothing happens": (("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "theta_target[i]"),),
        "theta is moved, too": (("        theta_target[i] = tau", "        theta[i] = theta_target[i] = tau"),),
        "the last number is left out": (("range(theta.size)", "range(theta.size - 1)"),),
        "the first number is left out": (("range(theta.size)", "range(1, theta.size)"),),
        "tau = 0.5 always": (("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "(theta[i] + theta_target[i]) / 2"),),
        "tau squared": (("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "tau * tau * theta[i] + (1 - tau * tau) * theta_target[i]"),),
        "all numbers like the first": (("tau * theta[i] +", "tau * theta[0] +"),),
    },
    hints=("Which values of tau give a result that is known without any formula?", "tau = 0 changes nothing, tau = 1 copies, tau = .25 tells tau and 1 - tau apart. And theta must stay.",
           "theta, target = random; keep copies; polyak(theta, target, .25); assert target is .25 theta + .75 target; assert theta is as before; several n, the first and the last entry"),
    why="tau = .5 cannot tell tau from 1 - tau, and theta = theta' cannot tell anything.",
    wrong={
        "target_of_zeros": ("""\
import numpy as np


def test(polyak):
    theta, target = np.ones(5), np.zeros(5)
    assert polyak(theta, target, 0.25) is None
    assert np.allclose(target, 0.25) and np.allclose(theta, 1)
""",
                            "theta' starts from zeros, and theta is all ones: whatever is done to the old target, and to which entry, stays unseen."),
        "half_only": ("""\
import numpy as np


def test(polyak):
    theta, target = np.array([1.0, 2.0]), np.array([3.0, 6.0])
    polyak(theta, target, 0.5)
    assert (target == [2.0, 4.0]).all() and (theta == [1.0, 2.0]).all()
""",
                      "tau = 1/2 cannot tell tau from 1 - tau."),
        "no_alias": ((("            assert (theta == theta_before).all()\n", ""),), "whether theta is left alone is not looked at."),
        "equal_weights": ("""\
import numpy as np


def test(polyak):
    theta, target = np.full(4, 2.0), np.full(4, 2.0)
    polyak(theta, target, 0.25)
    assert np.allclose(target, 2.0) and np.allclose(theta, 2.0)
""", "theta and its copy are equal from the start: whatever is mixed stays the same."),
        "ends_only": ((("(0.0, 0.25, 1.0)", "(0.0, 1.0)"), ("    one, other = np.array([3.0]), np.array([5.0])\n    polyak(one, other, 0.5)\n    assert other[0] == 4.0\n", "")), "it tries tau = 0 and 1 only."),
        "copy_only": ("""\
import numpy as np


def test(polyak):
    theta, target = np.arange(5.0), np.ones(5)
    polyak(theta, target, 1.0)
    assert (target == np.arange(5.0)).all() and (theta == np.arange(5.0)).all()
""", "it tries tau = 1 only, where the target is a copy."),
        "first_entry": ("""\
import numpy as np


def test(polyak):
    theta, target = np.array([1.0, 2.0, 3.0]), np.array([3.0, 6.0, 9.0])
    polyak(theta, target, 0.25)
    assert target[0] == 2.5 and theta[0] == 1.0
""", "it looks at the first entry only."),
    },
    right={
        "by_hand": """\
import numpy as np


def test(polyak):
    theta, target = np.array([4.0, -8.0, 0.0]), np.array([0.0, 8.0, 16.0])
    assert polyak(theta, target, 0.25) is None
    assert target.tolist() == [1.0, 4.0, 12.0] and theta.tolist() == [4.0, -8.0, 0.0]
    polyak(theta, target, 0.5)
    assert target.tolist() == [2.5, -2.0, 6.0]
""",
        "many_steps": """\
import numpy as np


def test(polyak):
    rng = np.random.default_rng(5)
    theta, start = rng.standard_normal((2, 9))
    target, kept = start.copy(), theta.copy()
    for k in range(1, 6):
        polyak(theta, target, 0.1)
        assert np.allclose(target, 0.9**k * start + (1 - 0.9**k) * theta) and np.array_equal(theta, kept)
""",
    },
)  # fmt: skip

# ---- the soft form of a policy

SOFTEN = """import numpy as np


def test(soften):
    policy = np.array([[0.0, 1.0, 0.0, 0.0], [0.25, 0.25, 0.5, 0.0]])
    keep = policy.copy()
    for epsilon in (0.0, 0.2, 1.0):
        got = soften(policy, epsilon)
        assert got.shape == policy.shape and got.dtype == np.float64
        assert np.allclose(got, (1 - epsilon) * policy + epsilon / 4)
        assert np.allclose(got.sum(axis=1), 1)
        assert (policy == keep).all()
    assert np.allclose(soften([[1, 0]], 0.5), [[0.75, 0.25]])
"""

TEST_SOFTEN = test_exercise(
    id="test-soften",
    title="a test for the policy that explores",
    subject="rl.mdp:soften",
    minutes=20,
    difficulty=1,
    read="rl/mdp.py: soften",
    task="soften(policy, epsilon): the epsilon-greedy form of a policy (S, A), an array or nested lists: with probability 1 - epsilon what the policy says, else any of the A actions, all alike. It returns "
         "float64 (S, A); the policy stays as it is.\n" + HOW.format("soften"),
    answer=SOFTEN,
    hidden={
        "the other actions only": (('    return (1 - check_share(epsilon, "epsilon")) * policy + epsilon / policy.shape[1]',
                                    "    return np.where(policy > 0, policy - epsilon * policy, epsilon / (policy.shape[1] - 1))"),),
        "states for actions": (("policy.shape[1]", "policy.shape[0]"),),
        "deterministic policies only": (('* policy + epsilon', "* (policy == policy.max(axis=1, keepdims=True)) + epsilon"),),
        "epsilon = .2 always": (('(1 - check_share(epsilon, "epsilon")) * policy + epsilon', "0.8 * policy + 0.2"),),
        "changed in place": (('    return (1 - check_share(epsilon, "epsilon")) * policy + epsilon / policy.shape[1]', "    policy *= 1 - epsilon\n    policy += epsilon / policy.shape[1]\n    return policy"),),
        "rows made to sum to 1 by force": (('    return (1 - check_share(epsilon, "epsilon")) * policy + epsilon / policy.shape[1]',
                                            "    p = policy + epsilon / policy.shape[1]\n    return p / p.sum(axis=1, keepdims=True)"),),
    },
    hints=("Which numbers of states and actions tell the two apart, and which policy tells 'greedy' from 'whatever it says'?", "Compare with (1 - epsilon) pi + epsilon / A for a policy that is not deterministic, with S different from A, for several epsilon.",
           "policy (2, 4), one row deterministic, one not; for epsilon in (0, .2, 1): assert np.allclose(soften(policy, epsilon), ...); assert policy is as before"),
    why="Row sums alone say little: three of the wrong versions have rows that sum to 1.",
    wrong={
        "sums_only": ("""\
import numpy as np


def test(soften):
    policy = np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    keep = policy.copy()
    for epsilon in (0.0, 0.3, 1.0):
        assert np.allclose(soften(policy, epsilon).sum(axis=1), 1)
        assert (policy == keep).all()
""",
                      "it looks at row sums only: many wrong policies have them, too."),
        "deterministic": ("""\
import numpy as np


def test(soften):
    policy = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    keep = policy.copy()
    for epsilon in (0.1, 0.6):
        assert np.allclose(soften(policy, epsilon), (1 - epsilon) * policy + epsilon / 3)
    assert (policy == keep).all()
""",
                          "every policy in it is deterministic."),
        "square": ("""\
import numpy as np


def test(soften):
    policy = np.array([[0.2, 0.8], [1.0, 0.0]])
    keep = policy.copy()
    for epsilon in (0.1, 0.6):
        assert np.allclose(soften(policy, epsilon), (1 - epsilon) * policy + epsilon / 2)
    assert (policy == keep).all()
""",
                   "it has as many states as actions, and so cannot tell them apart."),
        "one_epsilon": ("""\
import numpy as np


def test(soften):
    policy = np.array([[0.25, 0.25, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0]])
    keep = policy.copy()
    assert np.allclose(soften(policy, 0.2), 0.8 * policy + 0.05)
    assert (policy == keep).all()
""", "it tries one epsilon only."),
        "no_alias": ((("        assert (policy == keep).all()\n", ""), ("    keep = policy.copy()\n", ""), ("soften(policy, epsilon)\n", "soften(policy.copy(), epsilon)\n")), "whether the policy is left alone is not looked at."),
        "epsilon_zero": ("""\
import numpy as np


def test(soften):
    policy = np.array([[0.25, 0.25, 0.5], [1.0, 0.0, 0.0]])
    assert np.allclose(soften(policy, 0.0), policy)
""", "it tries epsilon = 0 only, where nothing is softened."),
    },
    right={
        "by_hand": """\
import numpy as np


def test(soften):
    p = np.array([[0.5, 0.25, 0.25]])
    assert np.allclose(soften(p, 0.3), [[0.45, 0.275, 0.275]])
    assert np.allclose(soften(p, 0.9), [[0.35, 0.325, 0.325]])
    assert p.tolist() == [[0.5, 0.25, 0.25]]
    assert np.allclose(soften([[1, 0, 0], [0, 0, 1]], 0.6), [[0.6, 0.2, 0.2], [0.2, 0.2, 0.6]])
""",
        "random": """\
import numpy as np


def test(soften):
    rng = np.random.default_rng(0)
    for S, A in ((5, 2), (2, 6), (3, 3)):
        p = rng.dirichlet(np.ones(A), S)
        kept, e = p.copy(), rng.uniform(0.1, 0.9)
        got = soften(p, e)
        anything = np.full((S, A), 1 / A)
        assert np.allclose(got - anything, (1 - e) * (p - anything)) and np.array_equal(p, kept)
""",
    },
)  # fmt: skip

EXERCISES = (TEST_UNBROADCAST, TEST_MASKS, TEST_POLYAK, TEST_SOFTEN)
