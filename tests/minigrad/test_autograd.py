"""backward and grad: the laws of the graph, and no_grad, trace, detect_anomaly, which watch it."""

import gc
import inspect
import threading
import weakref

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, gradcheck, nn
from minigrad.observe import observe
from minigrad.ops import TABLE, primitive


def leaf(*values):
    """A float64 leaf."""
    return Tensor(np.array(values, np.float64), requires_grad=True)


class Calls:
    """An observer that counts, by name, the operations forward and the rules backward."""

    def __init__(self):
        self.forwards, self.backwards, self.reached = [], [], []

    def forward(self, primitive, arrays, y):
        self.forwards.append(primitive.__name__)

    def backward(self, node, i, g, g_x):
        self.backwards.append((node.primitive.__name__, i))
        self.reached.append(node.inputs[i])


# ---- backward


def test_c_is_a_plus_a_and_d_is_c_times_c():
    """The example beside `propagate`: c must wait for both of its gradients before it passes one on."""
    a = leaf(3.0)
    calls = Calls()
    with observe(calls):
        c = a + a
        d = c * c
        d.sum().backward()
    assert a.grad.tolist() == [8 * 3]  # d = 4a²
    assert sorted(calls.backwards) == [("add", 0), ("add", 1), ("multiply", 0), ("multiply", 1), ("sum", 0)]  # once each


def test_a_diamond_of_diamonds_runs_each_rule_once():
    x = y = leaf(1.0)
    calls = Calls()
    with observe(calls):
        for _ in range(30):  # 2³⁰ paths
            y = y + y
        y.backward()
    assert x.grad.tolist() == [2.0**30] and len(calls.backwards) == 60


def test_gradients_accumulate_in_grad():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad.tolist() == [2 + 3, 4 + 3] and x.grad is first  # in place: a view of a flat buffer stays one


def test_grad_has_memory_of_its_own():
    """add hands one array to both inputs: were it not copied, the two .grad would change together."""
    a, b, g = leaf(1.0), leaf(1.0), np.ones(1)
    (a + b).backward(g)
    a.grad += 5
    assert b.grad.tolist() == g.tolist() == [1]


def test_backward_takes_the_gradient_of_an_output_that_is_no_single_number():
    x = leaf(1.0, 2.0)
    (x * x).backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == [2, 40]
    with pytest.raises(RuntimeError, match=r"shape \(2,\) needs `gradient`.*\.sum\(\)"):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"shape \(2,\), its gradient \(3,\)"):
        (x * x).backward(np.ones(3))


@pytest.mark.parametrize("gradient", [
    np.ones(2), [1, 1], np.ones(2, int), Tensor(np.ones(2)), Tensor(np.ones(2, int)), Tensor([1.0, 1.0])
], ids=["array", "list", "ints", "float64 Tensor", "int Tensor", "Tensor"])  # fmt: skip
def test_a_gradient_of_another_type_does_not_make_float64_of_float32(gradient):
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    (x * 2).backward(gradient)
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [2, 2]
    assert minigrad.grad(x * 2, x, gradient)[0].dtype == np.float32


def test_constants_get_no_gradient():
    x, c = leaf(1.0), Tensor(np.ones(1))
    y = x * c
    y.backward()
    assert c.grad is None and y.grad is None and x.grad.tolist() == [1]


def test_backward_without_a_graph_raises():
    x = leaf(1.0)
    with minigrad.no_grad():
        y = x * 2
    for output in (y, Tensor([1.0]), x.detach()):
        with pytest.raises(RuntimeError, match="no graph"):
            output.backward()


def test_a_second_backward_raises_and_says_what_to_do():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="freed by an earlier backward.*run the forward again, or say retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [2]  # the second one added nothing


def test_a_graph_on_top_of_freed_nodes_raises_too():
    x = leaf(1.0)
    h = x * x
    h.sum().backward()
    with pytest.raises(RuntimeError, match="freed.*retain_graph=True"):
        (h * 2).sum().backward()
    with pytest.raises(RuntimeError, match="freed.*retain_graph=True"):
        minigrad.grad((h * 2).sum(), x)  # zeros would be silently wrong


def test_retain_graph_keeps_the_graph_for_another_pass():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [18]
    with pytest.raises(RuntimeError, match="freed"):
        y.backward()


def test_backward_after_an_exception_in_a_rule_starts_clean():
    x = leaf(2.0)
    y = fragile(x * x)
    with pytest.raises(ZeroDivisionError):
        y.backward(retain_graph=True)
    (x * 5).backward()
    assert x.grad.tolist() == [5]


def fragile_vjp(g, y, x):
    """Fails"""
    raise ZeroDivisionError


@primitive(fragile_vjp)
def fragile(x, /):
    """y = x, with a rule that fails"""
    return x * 1


# ---- laws of the graph

DEPTH = 100_000


def test_a_graph_100_000_nodes_deep_works_forward_backward_and_when_deleted():
    x = y = leaf(1.0)
    for _ in range(DEPTH):
        y = -y
    y.backward()
    assert x.grad.tolist() == [1]  # an even number of signs
    del y  # freed node by node already

    y = x
    for _ in range(DEPTH):
        y = -y
    alive = weakref.ref(y)
    del y  # never walked backward: the whole chain goes at once
    assert alive() is None


def test_grad_of_a_graph_100_000_nodes_deep():
    x = y = leaf(1.0)
    for _ in range(DEPTH):
        y = -y
    (g,) = minigrad.grad(y, x, retain_graph=True)
    assert g.data.tolist() == [1]
    (g,) = minigrad.grad(y, x, create_graph=True)  # a constant's graph, then deleted with y's
    assert g.data.tolist() == [1]


@pytest.mark.parametrize("how", ["forward", "backward", "grad", "retained", "freed and raised"])
def test_a_graph_holds_no_reference_cycle(how):
    """With the collector off, everything must go when the last name goes: gc.collect() then finds nothing to free."""
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gc.collect()
    gc.disable()
    try:
        h = np.exp(x * w)
        loss = F.softplus(np.concatenate([h, h])[[0, 0, 1]]).sum()
        if how == "backward":
            loss.backward()
        elif how == "retained":
            loss.backward(retain_graph=True)
        elif how == "grad":
            minigrad.grad(loss, [x, w])
        elif how == "freed and raised":
            loss.backward()
            try:
                loss.backward()
            except RuntimeError:
                pass
        alive = [weakref.ref(h), weakref.ref(loss)]
        del h, loss
        assert [r() for r in alive] == [None, None]
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_backward_frees_what_the_graph_holds():
    x = leaf(*np.ones(1000))
    h = x * 2
    alive = weakref.ref(h)
    loss = (h * h).sum()
    del h
    assert alive() is not None  # the graph needs it
    loss.backward()
    assert alive() is None


def test_nothing_is_recorded_without_need():
    y = Tensor([1.0]) * Tensor([2.0])
    assert not y.requires_grad and y.primitive is None and not hasattr(y, "inputs")


# ---- grad


def test_grad_never_writes_dot_grad():
    x, w = leaf(2.0), leaf(3.0)
    gx, gw = minigrad.grad((x * x * w).sum(), [x, w])
    assert (gx.data.tolist(), gw.data.tolist()) == ([12], [4]) and isinstance(gx, Tensor)
    assert x.grad is None and w.grad is None
    x.grad = np.array([7.0])
    minigrad.grad((x * w).sum(), x, create_graph=True)
    assert x.grad.tolist() == [7]


def test_grad_takes_one_tensor_or_several_and_keeps_their_order():
    x, w = leaf(2.0), leaf(3.0)
    assert len(minigrad.grad(x * w, x)) == 1
    assert [g.data.tolist() for g in minigrad.grad(x * w, (w, x, w))] == [[2], [3], [2]]


def test_grad_visits_only_nodes_on_a_path_to_the_inputs():
    """DDPG's actor step: the critic's weights get no gradient, so none of their rules may run."""
    rng = np.random.default_rng(0)
    actor, critic = nn.MLP((3, 8, 2), rng=rng, activation="tanh"), nn.MLP((2, 8, 1), rng=rng, activation="relu")
    loss = critic(actor(Tensor(rng.standard_normal((5, 3)).astype(np.float32)))).sum()
    calls, everything = Calls(), Calls()
    with observe(everything):
        loss.backward(retain_graph=True)
    with observe(calls):
        gs = minigrad.grad(loss, actor.parameters())
    assert all((g.data == p.grad).all() for g, p in zip(gs, actor.parameters()))
    reached = lambda p, calls: any(np.shares_memory(x.data, p.data) for x in calls.reached)  # noqa: E731  (p itself, or pᵀ)
    assert all(reached(p, everything) for p in critic.parameters() + actor.parameters())
    assert all(reached(p, calls) for p in actor.parameters()) and not any(reached(p, calls) for p in critic.parameters())
    assert len(calls.backwards) < len(everything.backwards)


def test_grad_does_not_go_past_its_inputs():
    x = leaf(2.0)
    h, k = np.exp(x), x * x
    calls = Calls()
    with observe(calls):
        gs = minigrad.grad((h * 3 + k).sum(), [h, k])
    assert [g.data.tolist() for g in gs] == [[3], [1]] and {name for name, _ in calls.backwards} == {"sum", "add", "multiply"}
    for y, slope in ((h, np.exp(2.0)), (k, 4.0)):  # what lies below is untouched, and still there
        x.grad = None
        y.backward()
        assert x.grad.tolist() == [slope]
    # and whether it is still there does not matter
    assert minigrad.grad((h * 3).sum(), h)[0].data.tolist() == [3]
    with pytest.raises(RuntimeError, match="freed"):  # k is newer than h: who knows whether k was made of h?
        minigrad.grad((h * 3 + k).sum(), [h, k])


def test_grad_of_an_input_that_is_on_the_way_to_another():
    x = leaf(2.0)
    h = x * x
    gh, gx = minigrad.grad((h * h).sum(), [h, x])
    assert gh.data.tolist() == [8] and gx.data.tolist() == [32]


def test_grad_of_the_output_itself_is_1():
    y = leaf(2.0) * 3
    assert minigrad.grad(y, y)[0].data.tolist() == [1]


def test_an_unconnected_input_gets_zeros():
    x, other = leaf(2.0), Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    gx, g = minigrad.grad(x * x, [x, other])
    assert gx.data.tolist() == [4]
    assert g.shape == (2, 3) and g.dtype == np.float32 and not g.data.any()
    newer = leaf(1.0)  # made after the output
    assert minigrad.grad(x * x, newer)[0].data.tolist() == [0]


def test_grad_of_what_requires_no_grad_raises():
    x = leaf(2.0)
    with pytest.raises(RuntimeError, match="does not require grad: make it with requires_grad=True"):
        minigrad.grad(x * x, Tensor([1.0]))


def test_create_graph_gives_derivatives_of_derivatives():
    x = leaf(0.5)
    y = np.tanh(x)
    t = np.tanh(0.5)
    for expected in (1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2)):
        (y,) = minigrad.grad(y, x, create_graph=True)
        np.testing.assert_allclose(y.data, [expected], rtol=1e-14)


def test_create_graph_then_backward_reaches_the_leaves():
    """A gradient penalty: the loss holds a gradient, and its own gradient goes to the weights."""
    x, w = leaf(1.0, 2.0), leaf(3.0, -1.0)
    (g,) = minigrad.grad((w * w * x).sum(), x, create_graph=True)  # w²
    (g * g).sum().backward()
    assert w.grad.tolist() == [4 * 27, -4] and x.grad is None


def test_without_create_graph_the_gradient_is_a_constant():
    x = leaf(1.0)
    (g,) = minigrad.grad(x * x, x)
    assert not g.requires_grad and g.primitive is None


def test_retain_graph_of_grad_defaults_to_create_graph():
    x = leaf(1.0)
    y = x * x
    minigrad.grad(y, x, create_graph=True)
    minigrad.grad(y, x)
    with pytest.raises(RuntimeError, match="freed"):
        minigrad.grad(y, x)


def test_a_hessian_vector_product_takes_the_gradient_as_a_tensor():
    x, v = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (g,) = minigrad.grad((x * x * x), x, gradient=v, create_graph=True)  # 3x² v
    (gv,) = minigrad.grad(g.sum(), v)
    assert g.data.tolist() == [9, 48] and gv.data.tolist() == [3, 12]


# ---- a primitive of one's own


def cube_vjp(g, y, x, scale=1.0):
    """∂y/∂x = 3 scale x²"""
    return 3 * scale * g * x * x


@primitive(cube_vjp)
def cube(x, /, scale=1.0):
    """y = scale · x³"""
    return scale * x * x * x


def rotate_vjp(g, z, x, y, angle):
    """Turn back"""
    return np.cos(angle) * g[0] + np.sin(angle) * g[1], np.cos(angle) * g[1] - np.sin(angle) * g[0]


@primitive(joint=rotate_vjp)
def rotate(x, y, /, angle):
    """Both coordinates, turned by an angle and stacked"""
    return np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y])


def norm_vjp(g, saved, x):
    """x / ‖x‖, written in place, as a kernel would"""
    out = np.empty_like(x)
    np.multiply(saved, g, out=out)
    return out


@primitive(norm_vjp, first_order=True)
def norm(x, /):
    """‖x‖, and x / ‖x‖ saved for the rule"""
    y = np.sqrt(np.sum(x * x))
    return y, x / y


@primitive()
def exp(x, /):
    """A primitive of one's own that is named as a function of NumPy: not the exponential at all"""
    return x + 1


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_custom_primitive_passes_gradcheck(order):
    rng = np.random.default_rng(0)
    gradcheck(lambda x: cube(x, 2.0), [rng.standard_normal((2, 3))], rng=rng, order=order)
    gradcheck(lambda x: cube(x, scale=0.5), [rng.standard_normal(())], rng=rng, order=order)
    gradcheck(lambda x, y: rotate(x, y, 0.3) ** 2, list(rng.standard_normal((2, 4))), rng=rng, order=order)


def test_a_custom_primitive_runs_on_arrays_too():
    assert cube(np.array([2.0])).tolist() == [8] and type(norm(np.array([3.0, 4.0]))) is np.float64


def test_a_custom_primitive_does_not_replace_the_function_of_numpy_with_its_name():
    assert exp(leaf(0.0)).data.tolist() == [1]
    assert TABLE[np.exp] is not exp and np.exp(leaf(1.0)).data.tolist() == [np.exp(1)]


def test_a_custom_primitive_says_how_many_inputs_it_takes():
    with pytest.raises(TypeError, match="rotate takes 2 inputs, then.*angle"):
        rotate(leaf(1.0))
    with pytest.raises(TypeError, match="cube takes 1 inputs, then.*scale"):
        cube(leaf(1.0), 2.0, 3.0)


def test_a_first_order_primitive_has_first_derivatives():
    rng = np.random.default_rng(0)
    gradcheck(norm, [rng.standard_normal(5)], rng=rng)
    x = leaf(3.0, 4.0)
    assert minigrad.grad(norm(x), x)[0].data.tolist() == [0.6, 0.8]


def test_a_first_order_primitive_raises_under_create_graph_and_names_itself():
    x = leaf(3.0, 4.0)
    with pytest.raises(NotImplementedError, match="norm has first derivatives only.*minigrad.ops"):
        minigrad.grad(norm(x * x), x, create_graph=True)


def test_a_first_order_primitive_that_is_not_on_the_path_does_not_matter():
    x, w = leaf(3.0, 4.0), leaf(2.0)
    (g,) = minigrad.grad((norm(x) * w * w), w, create_graph=True)
    assert minigrad.grad(g, w)[0].data.tolist() == [10]


# ---- no_grad


def test_no_grad_as_a_context_records_nothing_and_ends():
    x = leaf(1.0)
    with minigrad.no_grad():
        assert not (x * 2).requires_grad and (x * 2).primitive is None
        with minigrad.no_grad():
            pass
        assert not (x * 2).requires_grad  # the inner one does not switch recording on again
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), minigrad.no_grad():
        raise KeyError
    assert (leaf(1.0) * 2).requires_grad


def test_no_grad_as_a_decorator():
    @minigrad.no_grad()
    def predict(x):
        return x * 2

    x = leaf(1.0)
    for _ in range(2):
        assert not predict(x).requires_grad and (x * 2).requires_grad


# ---- trace


def test_trace_prints_each_operation_and_each_rule_with_shapes(capsys):
    x, w = Tensor(np.ones((2, 3))), Tensor(np.ones(3), requires_grad=True)
    with minigrad.trace():
        np.tanh(x @ w).sum().backward()
    np.exp(w)  # outside: silent
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [" ".join(line) for line in lines] == [
        "forward matmul (2, 3), (3,) -> (2,)",
        "forward tanh (2,) -> (2,)",
        "forward sum (2,) -> ()",
        "backward sum () -> (2,) for input 0",
        "backward tanh (2,) -> (2,) for input 0",
        "backward matmul (2,) -> (3,) for input 1",
    ]


def test_trace_prints_what_every_terminal_can_show(capsys):
    with minigrad.trace():
        F.cross_entropy(Tensor(np.ones((2, 3)), requires_grad=True), [0, 1]).backward()
    assert capsys.readouterr().out.isascii()


# ---- detect_anomaly


def test_detect_anomaly_names_the_operation_and_quotes_the_line_forward():
    x = leaf(1.0, -1.0)
    with np.errstate(invalid="ignore"), minigrad.detect_anomaly():
        with pytest.raises(FloatingPointError) as error:
            y = np.log(x) * 2  # the line to be quoted
    assert "output of log has 1 NaN or infinite of 2" in str(error.value)
    assert "(2,) from -1 to 1" in str(error.value)  # what its inputs were like
    assert "y = np.log(x) * 2  # the line to be quoted" in str(error.value)
    assert "test_autograd.py:" in str(error.value)


def test_detect_anomaly_names_the_operation_and_quotes_the_forward_line_backward():
    x = leaf(0.0, 4.0)
    with np.errstate(divide="ignore"), minigrad.detect_anomaly():
        root = np.sqrt(x)  # fine forward, infinite backward
        with pytest.raises(FloatingPointError) as error:
            root.sum().backward()
    assert "the gradient that sqrt sends to its input 0 has 1 NaN or infinite of 2" in str(error.value)
    assert "root = np.sqrt(x)  # fine forward, infinite backward" in str(error.value)


def test_detect_anomaly_quotes_the_line_of_the_caller_not_that_of_the_engine():
    x = leaf(np.inf)
    with pytest.raises(FloatingPointError, match="F.silu.x.  # quoted"), minigrad.detect_anomaly():
        F.silu(x)  # quoted


def test_detect_anomaly_with_a_mask_an_empty_input_and_a_graph_made_before():
    with pytest.raises(FloatingPointError, match="output of where"), minigrad.detect_anomaly():
        np.where(np.array([True, False]), leaf(1.0, 2.0), np.nan)
    with pytest.raises(FloatingPointError, match="output of concatenate"), minigrad.detect_anomaly():
        np.concatenate([leaf(), leaf(np.nan)])
    x = leaf(0.0)
    with np.errstate(divide="ignore"), pytest.raises(FloatingPointError, match="gradient that sqrt sends"):
        y = np.sqrt(x).sum()
        with minigrad.detect_anomaly():
            y.backward()


def test_detect_anomaly_lets_finite_numbers_pass_and_ends():
    x = leaf(1.0)
    with minigrad.detect_anomaly():
        (x * x).backward()
        (g,) = minigrad.grad(x * x, x, create_graph=True)
    assert x.grad.tolist() == [2] and g.data.tolist() == [2]
    with np.errstate(divide="ignore"):
        assert np.log(leaf(0.0)).data.tolist() == [-np.inf]  # outside nothing is checked


def test_two_observers_at_once_both_see_everything(capsys):
    calls = Calls()
    with minigrad.trace(), observe(calls):
        leaf(1.0) * 2
    assert calls.forwards == ["multiply"] and "multiply" in capsys.readouterr().out


def test_backward_in_another_thread():
    """No recursion, so the small stack of a thread is enough for a deep graph."""
    x = y = leaf(1.0)
    for _ in range(20_000):
        y = -y
    thread = threading.Thread(target=y.backward)
    thread.start()
    thread.join()
    assert x.grad.tolist() == [1]


def test_why_a_topological_order_is_explained_where_it_is_computed():
    assert "c = a + a;  d = c * c" in inspect.getdoc(minigrad.autograd.propagate)
