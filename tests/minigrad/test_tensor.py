"""Tensor: float types, NumPy's protocols, messages of errors, small conveniences."""

import inspect
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, ops
from minigrad.tensor import PLAIN


def ones(*shape, dtype=np.float32):
    """A Tensor of ones that requires grad."""
    return Tensor(np.ones(shape, dtype), requires_grad=True)


# ---- float types


def test_float32_by_default_and_float64_kept_when_given():
    assert Tensor(1.5).dtype == Tensor([1.0, 2.0]).dtype == Tensor([[1, 2.5]]).dtype == np.float32
    assert Tensor(np.ones(2)).dtype == Tensor(np.float64(1)).dtype == Tensor([1.0], dtype=np.float64).dtype == np.float64
    assert Tensor([1, 2]).dtype.kind == "i" and Tensor([True]).dtype == bool


def test_an_array_is_shared_not_copied():
    a = np.ones(3, np.float32)
    assert np.shares_memory(Tensor(a).data, a) and np.shares_memory(Tensor(Tensor(a)).data, a)


OTHERS = {
    "int": 2, "float": 2.5, "bool": True, "np.float32": np.float32(2), "np.float64": np.float64(2), "np.int64": np.int64(2),
    "np.bool": np.bool_(True), "list": [1, 2.5, 3], "ints": np.array([1, 2, 3]), "bools": np.array([True, True, False]),
    "int Tensor": Tensor(np.array([1, 2, 3])), "bool Tensor": Tensor(np.array([True, False, True])),
}  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_lists_integers_and_bools_take_the_float_type_of_the_tensor(dtype, other):
    other = OTHERS[other]
    plain = other.data if isinstance(other, Tensor) else np.asarray(other)
    for f in (lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, np.add, np.maximum, np.multiply):
        for swap in (False, True):  # the Tensor on the left, on the right
            t = Tensor(np.array([1.5, 2, 4], dtype), requires_grad=True)
            y = f(other, t) if swap else f(t, other)
            expected = f(plain.astype(dtype), t.data) if swap else f(t.data, plain.astype(dtype))
            assert isinstance(y, Tensor) and y.dtype == dtype
            assert y.data.tolist() == expected.tolist()
            y.sum().backward()
            assert t.grad.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_whole_expression_with_python_numbers_keeps_the_type(dtype):
    x = ones(4, dtype=dtype)
    y = (2 * x**2 - 1 / (x + 3) + 2.0**x).mean() / np.float64(7) * np.int64(3)
    y.backward()
    assert y.dtype == x.grad.dtype == dtype


def test_a_python_number_keeps_all_its_digits_in_float64():
    t = Tensor(np.ones(2), requires_grad=True)
    for y in (t * 0.1, 0.1 * t, t * [0.1, 0.1], np.multiply(t, np.float64(0.1)), np.where(False, t, 0.1), t / 10):
        assert y.data.tolist() == [0.1, 0.1]  # not float32's 0.10000000149
    assert Tensor(0.1, dtype=np.float64).data == 0.1
    assert minigrad.Parameter([0.1], np.float64).data.tolist() == [0.1]


@pytest.mark.parametrize("other", [np.ones(3), Tensor(np.ones(3)), np.array(2.0)], ids=["array", "Tensor", "0-d array"])
def test_float32_meets_float64_raises_and_names_both_and_the_cast(other):
    for f in (lambda t: t + other, lambda t: other * t, lambda t: np.maximum(other, t), lambda t: np.where(True, t, other)):
        with pytest.raises(TypeError, match=r"\w+: float32 meets float64.*astype\(np.float32\)"):
            f(ones(3))
    with pytest.raises(TypeError, match="concatenate: float32 meets float64"):
        np.concatenate([np.ones(3, np.float32), Tensor(np.ones(3))])


def test_the_message_names_the_two_types_that_really_meet():
    with pytest.raises(TypeError, match="float16"):
        ones(3) + np.ones(3, np.float16)


@pytest.mark.parametrize("nothing", [None, "a", [[1, 2], [3]], {}, object(), 1j], ids=str)
def test_what_is_no_number_raises_instead_of_becoming_nan(nothing):
    for f in (lambda t: t + nothing, lambda t: nothing * t, lambda t: np.where(t > 0, t, nothing)):
        with pytest.raises((TypeError, ValueError)) as error:
            f(ones(2))
        assert not isinstance(error.value, NameError)  # UnboundLocalError would be a slip of the engine itself


@pytest.mark.parametrize("data", [1, [1, 2], np.arange(3), np.array([True])], ids=repr)
def test_integers_and_bools_never_require_grad(data):
    with pytest.raises(TypeError, match=r"have no gradient: cast them with .astype\(np.float32\)"):
        Tensor(data, requires_grad=True)
    assert not Tensor(data).requires_grad and not (Tensor(data) + Tensor(data)).requires_grad


def test_a_cast_to_integers_or_bools_cuts_the_graph():
    for dtype in (np.int64, np.uint8, bool):
        assert not ones(3).astype(dtype).requires_grad


def test_a_cast_between_float_types_passes_the_gradient_on():
    x = ones(3, dtype=np.float64)
    y = x.astype(np.float32)
    (y * y).sum().backward()
    assert y.dtype == np.float32 and x.grad.dtype == np.float64 and x.grad.tolist() == [2, 2, 2]


@pytest.mark.parametrize("dtype", [np.float16, np.complex64, object, "U3"], ids=str)
def test_other_number_types_raise(dtype):
    with pytest.raises(TypeError, match="not supported: use float32 or float64"):
        Tensor(np.zeros(2, dtype))


def test_a_cast_to_another_number_type_raises_too():
    with pytest.raises(TypeError, match="float16"):
        ones(2).astype(np.float16)


def test_results_are_arrays_never_numpy_scalars():
    t = ones(3)
    for y in (t.sum(), t[0], np.max(t), t @ t, t.mean() * 2, np.exp(t[1]), -t[2], ops.logsumexp(t)):
        assert type(y.data) is np.ndarray and y.shape == ()


# ---- NumPy's protocols


def test_numpy_functions_and_operators_with_arrays_give_tensors():
    t, a = ones(2, 2), np.full((2, 2), 3, np.float32)
    for y, expected in [
        (np.exp(t), np.exp(t.data)), (np.add(a, t), 4), (a + t, 4), (a - t, 2), (a * t, 3), (a / t, 3), (a**t, 3), (a @ t, 6),
        (np.float32(2) * t, 2), (np.float64(2) - t, 1), (np.int64(2) / t, 2), (np.sum(t, axis=0), 2),
        (np.max(t, 1, keepdims=True), 1),
        (np.where(a > 2, t, 0), 1), (np.concatenate([a, t], axis=1), np.hstack([a, t.data])),
        (np.stack((t, a)), np.stack((t.data, a))),
        (np.transpose(t, (1, 0)), 1), (np.reshape(t, 4), 1), (np.broadcast_to(t, (3, 2, 2)), 1),
        (np.cumsum(t, axis=0), [[1, 1], [2, 2]]),
        (np.mean(t), 1), (np.power(t, 3), 1), (np.negative(t), -1), (np.minimum(2, t), 1), (np.matmul(t, a), 6),
    ]:  # fmt: skip
        assert isinstance(y, Tensor) and y.requires_grad
        assert (y.data == expected).all()


def test_operators_compute_what_numpy_computes():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 2, (2, 3, 3))
    x, y = Tensor(a), Tensor(b)
    for ours, numpys in [
        (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (x**y, a**b), (x @ y, a @ b), (-x, -a), (2 - x, 2 - a),
        (2 / x, 2 / a), (2**x, 2**a), (x.T, a.T), (x.sum(1), a.sum(1)), (x.mean((0, 1)), a.mean((0, 1))),
        (x[1:, [0, 0]], a[1:, [0, 0]]),
        (x.reshape(9), a.reshape(9)), (x.reshape((1, -1)), a.reshape(1, -1)), (np.transpose(x, (1, 0)), a.T), (x.T, a.T),
    ]:  # fmt: skip
        np.testing.assert_allclose(ours.data, numpys, rtol=1e-15)


def test_array_raises_with_the_remedy():
    t = ones(2)
    for convert in (np.array, np.asarray, lambda t: np.array([t, t]), lambda t: np.zeros(2).__setitem__(slice(None), t)):
        with pytest.raises(TypeError, match=r"use \.detach\(\)\.numpy\(\)"):
            convert(t)


def test_comparisons_give_plain_arrays():
    t, u = Tensor([1.0, 2.0]), Tensor([2.0, 2.0])
    for y, expected in [
        (t < u, [1, 0]), (t <= 1, [1, 0]), (2 > t, [1, 0]), (t >= u, [0, 1]), (t == u, [0, 1]), (t != np.array([1, 1]), [0, 1]),
        (np.less(t, u), [1, 0]), (np.array([3, 1]) > t, [1, 0]), (np.isnan(t), [0, 0]),
        (np.isfinite(t), [1, 1]), (np.isinf(t), [0, 0]),
    ]:  # fmt: skip
        assert type(y) is np.ndarray and y.dtype == bool and y.tolist() == expected


def test_arg_functions_and_questions_of_shape_give_plain_numbers():
    t = Tensor([[1.0, 3.0], [2.0, 0.0]])
    assert np.argmax(t) == 1 and np.argmin(t, axis=1).tolist() == [0, 1] and np.argsort(t, axis=0).tolist() == [[0, 1], [1, 0]]
    assert np.sign(t).tolist() == [[1, 1], [1, 0]]
    assert np.shape(t) == (2, 2) and np.ndim(t) == 2 and np.size(t) == 4
    assert type(np.zeros_like(t)) is np.ndarray and np.ones_like(t).dtype == np.float32


def test_a_tensor_is_hashed_by_identity():
    t = ones(2)
    assert {t: "name"}[t] == "name" and len({t, Tensor(t), ones(2)}) == 3


@pytest.mark.parametrize("call, name", [
    (lambda t: np.exp(t, out=np.ones(2, np.float32)), "out"), (lambda t: np.exp(t, where=np.ones(2, bool)), "where"),
    (lambda t: np.add(t, 1, dtype=np.float64), "dtype"), (lambda t: np.exp(np.ones(2, np.float32), out=t), "out"),
    (lambda t: np.sum(t, dtype=np.float64), "dtype"), (lambda t: np.sum(t, out=np.zeros(())), "out"),
    (lambda t: np.mean(t, where=True), "where"), (lambda t: np.max(t, initial=0), "initial"),
    (lambda t: np.sum(np.ones(2, np.float32), out=t), "out"), (lambda t: np.reshape(t, (2, 1), order="F"), "order"),
    (lambda t: np.concatenate([t, t], dtype=np.float64), "dtype"), (lambda t: np.add.reduce(t), "reduce"),
    (lambda t: np.multiply.outer(t, t), "outer"), (lambda t: np.argmax(np.ones(2), out=t), "argmax|out"),
    (lambda t: np.abs(t), "absolute"), (lambda t: np.linalg.norm(t), "linalg.norm"), (lambda t: np.fft.fft(t), "fft"),
    (lambda t: np.einsum("i,i", t, t), "einsum"), (lambda t: np.vstack([t, t]), "vstack"), (lambda t: np.where(t), "where"),
])  # fmt: skip
def test_an_unlisted_function_or_keyword_raises_a_type_error_that_names_it(call, name):
    with pytest.raises(TypeError, match=name):
        call(ones(2))


def test_in_place_arithmetic_of_an_array_with_a_tensor_raises():
    a = np.ones(2, np.float32)
    with pytest.raises(TypeError, match="add.*out"):
        a += ones(2)
    assert a.tolist() == [1, 1]


def test_listed_functions_also_take_their_tensor_by_keyword_or_raise_a_type_error():
    t = ones(2, 2)
    for call in (lambda: np.argmax(a=t), lambda: np.zeros_like(a=t), lambda: np.sum(a=t), lambda: np.stack(arrays=[t, t])):
        try:
            assert isinstance(call(), (np.ndarray, np.generic, Tensor))
        except TypeError:
            pass


# One test for all of NumPy: when it meets an object that it does not know, it makes object arrays without a word.

T, S, A = ones(2, 2), ones(), np.ones((2, 2), np.float32)
FORMS = [
    ((T,), {}), ((S,), {}), ((T, T), {}), ((T, A), {}), ((A, T), {}), ((T, 1), {}), ((1, T), {}), ((S, S), {}), ((T, T, T), {}),
    ((A, A, T), {}), ((S, S, S), {}), ((T, T, T, 0), {}), (([T, T],), {}), (((S, S),), {}), (([A, T],), {}),
    (([[T, T], [T, T]],), {}),
    (([T, T], 1), {}), (([T, T], [T, T]), {}), ((T,), {"axis": 0}), ((A,), {"out": T}), ((), "the first, by name"),
]  # fmt: skip
NOT_CALLED = {
    "test": "runs NumPy's own tests", "info": "prints", "show_config": "prints", "show_runtime": "prints",
    "set_printoptions": "changes NumPy for good", "seterr": "likewise", "seterrcall": "likewise", "setbufsize": "likewise",
    "object_": "who asks for an object gets one",
}  # fmt: skip
NUMPY = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (np, np.linalg, np.fft)
    for name in dir(module)
    if not name.startswith("_") and name not in NOT_CALLED and callable(getattr(module, name))
}


def holds_objects(result):
    """Whether the result is, or holds, an array of objects."""
    if isinstance(result, (list, tuple)):
        return any(map(holds_objects, result))
    return isinstance(getattr(result, "dtype", None), np.dtype) and result.dtype == object


def call(function, args, keywords):
    """(result, None) or (None, error)"""
    try:
        if keywords == "the first, by name":
            keywords = {next(iter(inspect.signature(function).parameters)): T}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **keywords), None
    except Exception as error:
        return None, error


def test_every_public_numpy_function_gives_a_tensor_a_plain_array_or_an_error_never_objects(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # in case one of them takes a Tensor for the name of a file
    engine = str(Path(minigrad.__file__).parent)
    calls = tensors = 0
    for name, function in NUMPY.items():
        for args, keywords in FORMS:
            result, error = call(function, args, keywords)
            calls, tensors = calls + 1, tensors + isinstance(result, Tensor)
            assert not holds_objects(result), f"{name}{args} {keywords} gives {result!r}"
            assert not isinstance(error, RecursionError), f"{name}{args} {keywords}"
            if error and traceback.extract_tb(error.__traceback__)[-1].filename.startswith(engine):
                # an error of ours is one that we meant: no AttributeError, no UnboundLocalError
                assert isinstance(error, (TypeError, ValueError)), f"{name}{args} {keywords}: {error!r}"
    assert calls > 5000 and tensors > 100  # it did run
    assert T.data.tolist() == [[1, 1], [1, 1]] and list(tmp_path.iterdir()) == []


def test_every_numpy_function_that_asks_the_tensor_and_is_not_listed_is_named_in_the_type_error():
    asked = 0
    for name, function in NUMPY.items():
        asks = isinstance(function, np.ufunc) or hasattr(function, "_implementation")
        if not asks or function in PLAIN or function in ops.TABLE:
            continue
        errors = [call(function, args, keywords)[1] for args, keywords in FORMS]
        ours = [e for e in errors if isinstance(e, TypeError) and "has no rule for Tensors" in str(e)]
        # `any`, as some functions call others first: np.full_like(array, t) is about np.copyto
        assert any(function.__name__ in str(e) and ".detach().numpy()" in str(e) for e in ours), name
        asked += 1
    assert asked > 80


# ---- errors that name the operation and the shapes


@pytest.mark.parametrize("call, message", [
    (lambda: ones(32, 10) @ ones(12, 5), r"matmul: \(32, 10\) @ \(12, 5\): inner sizes 10 and 12 differ"),
    (lambda: ones(3) @ ones(4), r"matmul: \(3,\) @ \(4,\): inner sizes 3 and 4 differ"),
    (lambda: ones(2, 3) @ ones(2), r"matmul: \(2, 3\) @ \(2,\): inner sizes 3 and 2 differ"),
    (lambda: ones(7, 2, 3) @ ones(7, 4, 5), r"matmul: \(7, 2, 3\) @ \(7, 4, 5\): inner sizes 3 and 4 differ"),
    (lambda: ones(7, 2, 3) @ ones(6, 3, 5), r"^matmul: \(7, 2, 3\) and \(6, 3, 5\): "),
    (lambda: ones(2, 3) @ ones(), r"^matmul: \(2, 3\) and \(\): "),
    (lambda: ones(2, 3) + ones(4), r"^add: \(2, 3\) and \(4,\): "),
    (lambda: np.ones((2, 3), np.float32) * ones(2), r"^multiply: \(2, 3\) and \(2,\): "),
    (lambda: np.where(np.ones(4, bool), ones(2, 3), 0), r"^where: \(4,\) and \(2, 3\) and \(\): "),
    (lambda: ones(2, 3).reshape(4, 2), r"^reshape: \(2, 3\) with .*\(4, 2\)"),
    (lambda: np.broadcast_to(ones(2, 3), (4, 3)), r"^broadcast_to: \(2, 3\) with .*\(4, 3\)"),
    (lambda: np.concatenate([ones(2, 3), ones(2, 4)]), r"^concatenate: \(2, 3\) and \(2, 4\): "),
    (lambda: np.stack([ones(2, 3), ones(2, 4)]), r"^stack: \(2, 3\) and \(2, 4\): "),
    (lambda: ones(2, 3).sum(axis=2), r"^sum: \(2, 3\) with .*2"),
    (lambda: np.transpose(ones(2, 3), (0, 2)), r"^transpose: \(2, 3\) with .*\(0, 2\)"),
    (lambda: F.linear(ones(2, 3), ones(5, 4), ones(5)), r"matmul: \(2, 3\) @ \(4, 5\): inner sizes 3 and 4 differ"),
])  # fmt: skip
def test_a_shape_error_names_the_operation_and_both_shapes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_index_error_names_the_shape_and_the_index():
    with pytest.raises(IndexError, match=r"getitem: \(2, 3\) with .*5.*out of bounds"):
        ones(2, 3)[5]


def test_in_place_assignment_raises_with_the_two_line_remedy():
    t = ones(3)
    with pytest.raises(TypeError) as error:
        t[0] = 5
    first, second = str(error.value).splitlines()[-2:]
    assert "np.where" in first and ".data[index] = value" in second
    # and the two lines do what they promise
    mask, index, value = np.array([True, False, False]), 1, 7
    assert np.where(mask, value, t).data.tolist() == [7, 1, 1]
    t.data[index] = value
    assert t.data.tolist() == [1, 7, 1]


def test_augmented_assignment_makes_a_new_tensor():
    t = old = ones(2)
    t += 1
    assert t is not old and old.data.tolist() == [1, 1] and t.data.tolist() == [2, 2]


# ---- conveniences


def test_detach_shares_the_data_and_cuts_the_graph():
    x = ones(2)
    y = (x * 2).detach()
    assert not y.requires_grad and y.primitive is None
    assert np.shares_memory(x.detach().data, x.data)
    (x * y).sum().backward()
    assert x.grad.tolist() == [2, 2]  # y counts as a constant


def test_numpy_gives_the_array_and_raises_while_gradients_flow():
    a = np.ones(2, np.float32)
    assert Tensor(a).numpy() is a
    with pytest.raises(TypeError, match=r"\.detach\(\)\.numpy\(\)"):
        ones(2).numpy()


def test_item_float_int_bool_len_and_iteration():
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert type(t[1, 0].item()) is float and float(t[1, 0]) == 3 and int(t[1, 1]) == 4 and bool(t[0, 0] > 0)
    assert len(t) == 2 and [row.data.tolist() for row in t] == [[1, 2], [3, 4]]
    for wrong in (lambda: bool(t), lambda: t.item(), lambda: float(t)):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (lambda: len(ones()), lambda: list(ones())):
        with pytest.raises(TypeError):
            wrong()


def test_rows_of_an_iteration_are_in_the_graph():
    x = ones(3, 2)
    sum((i * row).sum() for i, row in enumerate(x)).backward()
    assert x.grad.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_an_index_may_be_a_tensor():
    t = Tensor([1.0, 2.0, 3.0])
    assert t[Tensor([2, 0])].data.tolist() == [3, 1] and t[Tensor([True, False, True])].data.tolist() == [1, 3]
    assert Tensor(np.eye(3))[Tensor([2]), 2].data.tolist() == [1]


def test_repr_shows_numbers_shape_type_and_origin():
    assert repr(Tensor([1.0, 2.5])) == "Tensor([1. , 2.5], (2,) float32)"
    assert repr(Tensor(np.zeros(()), requires_grad=True)) == "Tensor(0., () float64, requires_grad)"
    assert repr(ones(2) * 2) == "Tensor([2., 2.], (2,) float32, requires_grad, from multiply)"
    assert repr(minigrad.Parameter(np.zeros(1, np.float32))) == "Parameter([0.], (1,) float32, requires_grad)"
    assert len(repr(ones(1000, 1000))) < 300  # a large one does not fill the screen


def test_no_randomness_but_through_a_generator():
    """The engine's own calls leave NumPy's global state alone, and equal generators give equal models."""
    before = np.random.get_state()[1].tolist()
    a, b = (minigrad.nn.MLP((3, 4, 1), rng=np.random.default_rng(7)).state_dict() for _ in range(2))
    assert all((a[name] == b[name]).all() for name in a)
    assert np.random.get_state()[1].tolist() == before
