"""nn: names of parameters, state_dict, flat buffers, copies, layers and initialisers."""

import copy

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Module, Parameter, Tensor, nn, optim


def rng():
    return np.random.default_rng(0)


class Net(Module):
    """Parameters as attributes, in a module, a list, a tuple and a dict; one of them twice."""

    def __init__(self):
        self.scale = Parameter(np.ones(2, np.float32))
        self.layers = [nn.Linear(2, 3, rng=rng()), nn.Linear(3, 2, rng=rng(), bias=False)]
        self.pair = (Parameter(np.zeros(1, np.float32)), 5)
        self.heads = {"a": nn.Linear(2, 1, rng=rng())}
        self.tied = self.layers[0].weight
        self.constant = Tensor([1.0])

    def forward(self, x):
        return self.heads["a"](self.layers[1](F.relu(self.layers[0](x * self.scale)))) + self.pair[0]


NAMES = ["scale", "layers.0.weight", "layers.0.bias", "layers.1.weight", "pair.0", "heads.a.weight", "heads.a.bias"]


def step(model, optimizer, x):
    """One step of training."""
    optimizer.zero_grad()
    (model(Tensor(x)) ** 2).mean().backward()
    optimizer.step()


X = np.random.default_rng(1).standard_normal((5, 2)).astype(np.float32)


# ---- names and state


def test_named_parameters_come_in_order_of_assignment_and_a_tied_one_once():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_parameters("net")] == ["net." + name for name in NAMES]
    assert net.parameters()[1] is net.tied is net.layers[0].weight
    assert [name for name, _ in nn.MLP((2, 3, 1), rng=rng()).named_parameters()] == [
        "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias",
    ]  # fmt: skip


def test_state_dict_is_a_copy_and_load_state_dict_restores_it():
    net = Net()
    state = net.state_dict()
    assert list(state) == NAMES and not np.shares_memory(state["scale"], net.scale.data)
    net.scale.data[...] = 7
    assert state["scale"].tolist() == [1, 1]
    net.load_state_dict(state)
    assert net.scale.data.tolist() == [1, 1] and not np.shares_memory(state["scale"], net.scale.data)


def test_load_state_dict_lists_all_that_is_missing_unexpected_or_wrongly_shaped_and_loads_nothing():
    net = Net()
    state = net.state_dict()
    before = net.state_dict()
    state["scale"] = state["scale"] + 1
    del state["pair.0"], state["heads.a.bias"]
    state |= {"layers.2.weight": np.zeros(1), "layers.1.weight": np.zeros((3, 2))}
    with pytest.raises(ValueError) as error:
        net.load_state_dict(state)
    message = str(error.value)
    assert message.startswith("load_state_dict: Net does not fit")
    for part in ("missing: pair.0", "missing: heads.a.bias", "unexpected: layers.2.weight"):
        assert part in message
    assert "wrong shape: layers.1.weight is (3, 2), must be (2, 3)" in message
    assert "scale" not in message
    assert all((net.state_dict()[name] == before[name]).all() for name in before)


def test_constants_are_saved_and_must_agree():
    class Ordered(nn.Linear):
        order = np.array([2, 0, 1])

        def constants(self):
            return {"order": self.order}

    model, other = Ordered(3, 1, rng=rng()), Ordered(3, 1, rng=rng())
    assert model.state_dict()["order"].tolist() == [2, 0, 1]
    other.load_state_dict(model.state_dict())
    other.order = np.array([0, 1, 2])
    with pytest.raises(ValueError, match="another order: build the module with the seed of the saved one"):
        other.load_state_dict(model.state_dict())


def test_zero_grad_forgets_all_gradients():
    net = Net()
    net(Tensor(X)).sum().backward()
    assert net.scale.grad is not None
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


# ---- Parameter


def test_a_parameter_requires_grad_and_has_memory_of_its_own():
    a = np.ones(3, np.float32)
    p = Parameter(a)
    assert p.requires_grad and isinstance(p, Tensor) and not np.shares_memory(p.data, a)


def test_a_parameter_is_float32_by_default_as_a_tensor_is():
    assert Parameter([1.0, 2.0]).dtype == Parameter(0.5).dtype == np.float32
    assert Parameter(np.ones(2)).dtype == Parameter([1.0], np.float64).dtype == np.float64


def test_a_parameter_of_integers_raises():
    with pytest.raises(TypeError, match="have no gradient"):
        Parameter(np.arange(3))


def test_assignment_to_data_copies_in_place():
    p = Parameter(np.zeros(3, np.float32))
    memory, new = p.data, np.array([1.0, 2.0, 3.0])
    p.data = new
    assert p.data is memory and memory.tolist() == [1, 2, 3] and not np.shares_memory(p.data, new)
    assert p.dtype == np.float32  # also from float64
    with pytest.raises(ValueError, match=r"shape \(3,\) cannot become \(2,\)"):
        p.data = np.zeros(2)


# ---- flat buffers


def assert_flat(model):
    """Every parameter and its gradient are views of the two buffers of a Flat, in order, without gaps."""
    for flat in {id(p.flat): p.flat for p in model.parameters()}.values():
        start = 0
        for p in flat.parameters:
            assert p.flat is flat
            p.grad = np.zeros(p.shape)  # whatever was there: the memory is what counts
            for own, buffer in ((p.data, flat.data), (p.grad, flat.grad)):
                assert np.shares_memory(own, buffer[start : start + p.size]) and own.size == p.size
            start += p.size
        assert start == flat.data.size == flat.grad.size


def test_flatten_makes_views_and_keeps_the_numbers():
    net = Net()
    before = net.state_dict()
    (net(Tensor(X)) ** 2).sum().backward()
    grads = [p.grad.copy() for p in net.parameters()]
    (flat,) = nn.flatten(net)
    assert all((p.data == before[name]).all() for name, p in net.named_parameters())
    assert all((p.grad == g).all() for p, g in zip(net.parameters(), grads))
    assert_flat(net)
    flat.data[...] = 5
    assert net.heads["a"].weight.data.tolist() == [[5, 5]]
    net.scale.data[0] = 3
    assert flat.data[0] == 3


def test_tied_parameters_appear_once_in_the_buffer():
    net = Net()
    (flat,) = nn.flatten(net)
    assert flat.data.size == sum(p.size for p in net.parameters()) == 2 + 6 + 3 + 6 + 1 + 2 + 1
    (flat,) = nn.flatten([a := Parameter(np.ones(2)), a])
    assert flat.data.size == 2


def test_parameters_are_views_after_a_step_a_load_and_an_assignment():
    net = Net()
    optimizer = optim.Adam(net)
    for _ in range(2):
        step(net, optimizer, X)
        assert_flat(net)
    net.load_state_dict(net.state_dict())
    assert_flat(net)
    net.scale.data = np.zeros(2)
    net.zero_grad()
    assert_flat(net)
    optimizer.load_state_dict(optimizer.state_dict())
    before = net.scale.data.copy()
    step(net, optimizer, X)
    assert_flat(net)
    assert (net.scale.data != before).any()


def test_a_gradient_of_a_flat_parameter_lands_in_the_buffer():
    net = Net()
    (flat,) = nn.flatten(net)
    assert net.scale.grad is None
    net(Tensor(X)).sum().backward()
    assert np.shares_memory(net.scale.grad, flat.grad) and flat.grad[:2].tolist() == net.scale.grad.tolist() != [0, 0]
    net.zero_grad()
    assert net.scale.grad is None
    net(Tensor(X)).sum().backward()
    once = net.scale.grad.copy()
    net(Tensor(X)).sum().backward()
    np.testing.assert_allclose(net.scale.grad, 2 * once, rtol=1e-6)  # the first pass replaced what was left in the buffer


def test_one_buffer_for_each_number_type():
    a, b, c = Parameter(np.ones(2)), Parameter(np.ones(3, np.float32)), Parameter(np.ones(4))
    flats = nn.flatten([a, b, c])
    assert [(f.data.dtype, f.data.size) for f in flats] == [(np.float32, 3), (np.float64, 6)]
    assert c.flat is a.flat is not b.flat


def test_flatten_twice_moves_nothing():
    net = Net()
    assert [id(f) for f in nn.flatten(net)] == [id(f) for f in nn.flatten(net)] == [id(f) for f in nn.flatten(net.parameters())]


def test_flatten_of_a_part_of_what_is_flat_raises():
    net = Net()
    nn.flatten(net)
    for part in (net.layers[0], [*net.parameters(), Parameter(np.ones(1, np.float32))]):
        with pytest.raises(ValueError, match="already in a flat buffer with others"):
            nn.flatten(part)
    assert_flat(net)


def test_flatten_of_nothing_raises():
    with pytest.raises(ValueError, match="no parameters"):
        nn.flatten([])


# ---- copies


@pytest.mark.parametrize("flat", [False, True])
def test_a_deep_copy_is_independent_and_computes_the_same(flat):
    net = Net()
    if flat:
        nn.flatten(net)
    other = copy.deepcopy(net)
    assert (other(Tensor(X)).data == net(Tensor(X)).data).all()
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        assert p is not q and not np.shares_memory(p.data, q.data)
    assert other.tied is other.layers[0].weight  # tied in the copy too
    net.scale.data[...] = 9
    assert other.scale.data.tolist() == [1, 1]


def test_a_deep_copy_of_a_flat_module_has_views_of_a_buffer_of_its_own():
    """Plain copies of views would each have memory of their own: an average over the buffer would never reach them."""
    net = Net()
    step(net, optim.SGD(net, 0.1), X)
    target = copy.deepcopy(net)
    assert_flat(target)
    (flat,), (own,) = nn.flatten(target), nn.flatten(net)
    assert flat is not own and not np.shares_memory(flat.data, own.data) and not np.shares_memory(flat.grad, own.grad)
    flat.data += 0.5 * (own.data + 1 - flat.data)  # Polyak averaging, as DDPG does it
    np.testing.assert_allclose(target.scale.data, net.scale.data + 0.5, rtol=1e-6)


@pytest.mark.parametrize("flat", [False, True])
def test_a_deep_copy_keeps_gradients_without_sharing_them(flat):
    net = Net()
    if flat:
        nn.flatten(net)
    net(Tensor(X)).sum().backward()
    other = copy.deepcopy(net)
    assert (other.scale.grad == net.scale.grad).all() and not np.shares_memory(other.scale.grad, net.scale.grad)
    net.zero_grad()
    assert copy.deepcopy(net).scale.grad is None


def test_a_deep_copy_may_have_an_optimizer_of_its_own_and_the_two_train_apart():
    net = Net()
    first = optim.SGD(net, 0.1)
    other = copy.deepcopy(net)
    second = optim.SGD(other, 0.1)
    before = net.state_dict()
    step(other, second, X)
    assert_flat(other)
    assert all((net.state_dict()[name] == before[name]).all() for name in before)
    step(net, first, X)
    assert all((net.state_dict()[name] == other.state_dict()[name]).all() for name in before)  # the same step
    assert (net.scale.data != 1).all()


def test_a_deep_copy_of_a_tensor_in_a_list_of_modules_keeps_what_they_share():
    shared = Parameter(np.ones(2))
    a, b = copy.deepcopy([shared, shared])
    assert a is b is not shared


# ---- layers and initialisers


def test_linear_and_mlp_compute_their_formula():
    layer = nn.Linear(3, 2, rng=rng(), dtype=np.float64)
    x = np.random.default_rng(2).standard_normal((4, 5, 3))
    np.testing.assert_allclose(layer(Tensor(x)).data, x @ layer.weight.data.T + layer.bias.data, rtol=1e-14)
    assert layer.weight.shape == (2, 3) and layer.bias.shape == (2,)
    mlp = nn.MLP((3, 4, 2), rng=rng(), activation="tanh", dtype=np.float64)
    first, last = mlp.layers[0], mlp.layers[-1]
    h = np.tanh(x @ first.weight.data.T + first.bias.data)
    np.testing.assert_allclose(mlp(Tensor(x)).data, h @ last.weight.data.T + last.bias.data, rtol=1e-14)
    assert len(mlp.layers) == 3 and len(nn.MLP((3, 2), rng=rng()).layers) == 1  # no activation after the last


def test_linear_without_bias_has_one_parameter():
    assert [name for name, _ in nn.Linear(3, 2, rng=rng(), bias=False).named_parameters()] == ["weight"]


def test_every_activation_as_a_layer_is_the_function_of_its_name():
    x = Tensor(np.linspace(-2, 2, 5))
    for name in ("relu", "tanh", "sigmoid", "softplus", "silu"):
        assert (nn.activation_named(name)(x).data == getattr(F, name)(x).data).all()
    with pytest.raises(ValueError, match="one of relu, tanh, .*, not 'rleu'"):
        nn.MLP((2, 3, 1), rng=rng(), activation="rleu")


@pytest.mark.parametrize("make, bound", [
    (lambda rng: nn.xavier_uniform(400, 200, rng), np.sqrt(6 / 600)),
    (lambda rng: nn.kaiming_uniform(400, 200, rng), np.sqrt(6 / 400)),
    (lambda rng: nn.Linear(400, 200, rng=rng).weight, np.sqrt(1 / 400)),
    (lambda rng: nn.uniform((200, 400), 0.3, rng), 0.3),
], ids=["xavier", "kaiming", "Linear", "uniform"])  # fmt: skip
def test_initialisers_draw_from_the_uniform_distribution_of_their_bound(make, bound):
    w = make(rng())
    assert isinstance(w, Parameter) and w.shape == (200, 400) and w.dtype == np.float32
    assert 0.99 * bound < np.abs(w.data).max() <= np.float32(bound)
    assert abs(w.data.var() / (bound**2 / 3) - 1) < 0.03 and abs(w.data.mean()) < 0.02 * bound
    assert (make(rng()).data == w.data).all()  # the generator decides


def test_dtype_of_a_model_is_that_of_all_its_parameters():
    for dtype in (np.float32, np.float64):
        assert {p.dtype for p in nn.MLP((2, 3, 1), rng=rng(), dtype=dtype).parameters()} == {np.dtype(dtype)}
