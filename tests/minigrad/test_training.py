"""training.fit: exact resume, Ctrl-C, early stopping, best weights, progress, bad files.

The model draws random noise in its loss, shuffles, anneals its learning rate and stops early: if any of that were not
saved, a resumed run would end with other bits.
"""

import io
import re
import signal
import sys
import threading

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Module, Tensor, checkpoint, nn, optim
from minigrad.training import fit

TRAIN = np.random.default_rng(0).standard_normal((25, 3)).astype(np.float32)  # 25 = 2 batches of 10 and one of 5
VALID = np.random.default_rng(1).standard_normal((12, 3)).astype(np.float32)
EPOCHS, STEPS = 4, 3


class Denoiser(Module):
    """Guesses each row from a noisy one."""

    def __init__(self, hidden=4):
        self.net = nn.MLP((3, hidden, 3), rng=np.random.default_rng(2), activation="tanh")

    def forward(self, x):
        return self.net(x)

    def nll(self, x):
        return F.mse_loss(self(Tensor(x)), x)


def noisy(model, x, rng):
    """A loss that draws."""
    noise = rng.standard_normal(x.shape).astype(np.float32)
    return F.mse_loss(model(Tensor(x + noise)), x)


OPTIMIZERS = {
    "SGD": lambda model: optim.SGD(model, 0.1, momentum=0.9), "Adam": lambda model: optim.Adam(model, 0.02),
    "Adagrad": lambda model: optim.Adagrad(model, 0.1),
}  # fmt: skip


def run(path=None, *, optimizer="Adam", epochs=EPOCHS, loss=noisy, seed=3, hidden=4, batch_size=10, train=TRAIN, **options):
    """One run with everything made anew, as a new process would; returns the model, the history and the generator."""
    model, rng = Denoiser(hidden), np.random.default_rng(seed)
    opt = OPTIMIZERS[optimizer](model)
    options = dict(schedule=optim.CosineAnnealingLR(opt, EPOCHS * STEPS), verbose=False, valid_loss=noisy) | options
    history = fit(
        model, train, VALID, optimizer=opt, epochs=epochs, batch_size=batch_size, rng=rng, loss=loss, path=path, **options
    )
    return model, history, rng


def losses(history):
    return [(h["epoch"], h["train"], h["valid"]) for h in history]


def bits(value):
    """Something to compare that has every bit of a saved state, but no seconds."""
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items() if key != "seconds"}
    if isinstance(value, list):
        return [bits(item) for item in value]
    return (str(value.dtype), value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


def after(calls, act):
    """A loss that does something at its n-th call."""
    count = 0

    def loss(model, x, rng):
        nonlocal count
        count += 1
        if count == calls:
            act()
        return noisy(model, x, rng)

    return loss


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def a_terminal_that_listens():
    """A process that a script starts in the background ignores Ctrl-C: give every test Python's usual answer to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def assert_same_end(path, resumed, other, uninterrupted):
    """Weights, best weights, optimiser, schedule, history, generator, permutation: all that the two files and models hold."""
    assert bits(checkpoint.load(path)) == bits(checkpoint.load(other))
    assert bits(resumed[0].state_dict()) == bits(uninterrupted[0].state_dict())
    assert losses(resumed[1]) == losses(uninterrupted[1])
    assert resumed[2].bit_generator.state == uninterrupted[2].bit_generator.state


# ---- exact resume


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("step", [1, 5, 6, 12])  # first; in the middle of an epoch; the last of an epoch; the last of all
def test_interrupted_and_resumed_ends_bit_identical(tmp_path, optimizer, step):
    whole = run(tmp_path / "whole", optimizer=optimizer)
    with pytest.raises(KeyboardInterrupt, match=f"stopped in epoch {(step - 1) // STEPS + 1}, saved to"):
        run(tmp_path / "parts", optimizer=optimizer, loss=after(step, press_ctrl_c))
    state = checkpoint.load(tmp_path / "parts")
    assert len(state["history"]) == (step - 1) // STEPS and state["optimizer"]["steps"] == step
    parts = run(tmp_path / "parts", optimizer=optimizer, seed=99)  # the generator's state is in the file
    assert_same_end(tmp_path / "parts", parts, tmp_path / "whole", whole)


def test_interrupted_in_every_step_ends_bit_identical(tmp_path):
    whole = run(tmp_path / "whole")
    for _ in range(EPOCHS * STEPS):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", loss=after(1, press_ctrl_c))
    parts = run(tmp_path / "parts")
    assert_same_end(tmp_path / "parts", parts, tmp_path / "whole", whole)


@pytest.mark.parametrize("epoch", [1, 3])
def test_killed_after_an_epoch_and_resumed_ends_bit_identical(tmp_path, epoch):
    class Killed(Exception):
        pass

    def die(history):
        if len(history) == epoch:
            raise Killed

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "parts", on_epoch=die)
    parts = run(tmp_path / "parts")
    assert_same_end(tmp_path / "parts", parts, tmp_path / "whole", whole)


def test_killed_in_the_middle_of_an_epoch_goes_on_from_its_beginning(tmp_path):
    """Without a chance to save, the last finished epoch is what there is; the end is the same all the same."""

    class Killed(Exception):
        pass

    def die():
        raise Killed

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "parts", loss=after(8, die))
    assert len(checkpoint.load(tmp_path / "parts")["history"]) == 2
    parts = run(tmp_path / "parts")
    assert_same_end(tmp_path / "parts", parts, tmp_path / "whole", whole)


def test_interrupted_during_validation_and_resumed_ends_bit_identical(tmp_path):
    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", valid_loss=after(3, press_ctrl_c))  # two calls an epoch
    parts = run(tmp_path / "parts")
    assert_same_end(tmp_path / "parts", parts, tmp_path / "whole", whole)


def test_without_a_schedule_too(tmp_path):
    whole = run(tmp_path / "whole", schedule=None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", schedule=None, loss=after(5, press_ctrl_c))
    parts = run(tmp_path / "parts", schedule=None)
    assert_same_end(tmp_path / "parts", parts, tmp_path / "whole", whole)


def test_the_parameters_are_views_of_their_buffer_after_a_resume(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", loss=after(4, press_ctrl_c))
    model, _, _ = run(tmp_path / "run")
    (flat,) = nn.flatten(model)
    assert all(np.shares_memory(p.data, flat.data) for p in model.parameters())
    assert np.concatenate([p.data.ravel() for p in model.parameters()]).tobytes() == flat.data.tobytes()


def test_a_finished_run_is_not_run_again_and_may_be_prolonged(tmp_path):
    whole = run(tmp_path / "run", epochs=2)
    before = bits(checkpoint.load(tmp_path / "run"))
    again = run(tmp_path / "run", epochs=2, loss=None)  # a loss that is never called
    assert losses(again[1]) == losses(whole[1]) and bits(checkpoint.load(tmp_path / "run")) == before
    assert bits(again[0].state_dict()) == bits(whole[0].state_dict())
    longer = run(tmp_path / "run", epochs=4)
    assert losses(longer[1]) == losses(run(epochs=4)[1])


# ---- Ctrl-C


def test_ctrl_c_finishes_the_step_and_hands_the_signal_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    for path in (None, tmp_path / "run"):
        with pytest.raises(KeyboardInterrupt) as error:
            run(path, loss=after(2, press_ctrl_c))
        assert ("saved to" in str(error.value)) == bool(path)
        assert signal.getsignal(signal.SIGINT) is before
    run()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    def twice():
        press_ctrl_c()
        press_ctrl_c()
        pytest.fail("the second one must not wait for the end of the step")

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", loss=after(2, twice))
    assert not (tmp_path / "run").exists()


def test_fit_in_another_thread_leaves_signals_alone():
    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    thread.start()
    thread.join()
    assert losses(found[0][1]) == losses(run()[1])


# ---- the loop


def test_every_example_is_seen_once_an_epoch_in_an_order_of_its_own():
    seen = []

    def loss(model, x, rng):
        seen.append(x[:, 0].tolist())
        return noisy(model, x, rng)

    run(epochs=2, loss=loss)
    assert [len(batch) for batch in seen] == [10, 10, 5] * 2
    first, second = (sum(seen[i : i + 3], []) for i in (0, 3))
    assert sorted(first) == sorted(second) == sorted(TRAIN[:, 0].tolist()) and first != second


def test_the_schedule_goes_one_step_with_each_step_of_the_optimizer():
    rates = []
    model = Denoiser()
    optimizer = optim.SGD(model, 0.6)

    def loss(model, x, rng):
        rates.append(optimizer.lr)
        return noisy(model, x, rng)

    fit(
        model, TRAIN, VALID, optimizer=optimizer, epochs=2, batch_size=10, rng=np.random.default_rng(0), loss=loss,
        valid_loss=noisy, schedule=optim.LinearLR(optimizer, 6), verbose=False,
    )  # fmt: skip
    np.testing.assert_allclose(rates, [0.6, 0.5, 0.4, 0.3, 0.2, 0.1], rtol=1e-12)


def test_the_history_holds_mean_losses_over_examples():
    sizes = []

    def loss(model, x, rng):  # the number of examples, which a mean over batches would weigh wrongly
        sizes.append(len(x))
        return model.nll(x) * 0 + len(x)

    _, history, _ = run(epochs=1, loss=loss, valid_loss=loss)
    assert history[0]["train"] == (10 * 10 + 10 * 10 + 5 * 5) / 25 and history[0]["valid"] == (10 * 10 + 2 * 2) / 12
    assert sizes == [10, 10, 5, 10, 2] and history[0]["epoch"] == 1 and history[0]["seconds"] >= 0


def test_the_default_loss_is_the_models_nll():
    model = Denoiser()
    before = model.nll(VALID).item()
    optimizer = optim.Adam(model, 0.02)
    history = fit(
        model, TRAIN, VALID, optimizer=optimizer, epochs=5, batch_size=10, rng=np.random.default_rng(0), verbose=False
    )
    after = model.nll(VALID).item()
    assert after < before and after == pytest.approx(min(h["valid"] for h in history), rel=1e-6)


def test_validation_records_no_graph():
    recorded = []

    def loss(model, x, rng):
        value = noisy(model, x, rng)
        recorded.append(value.requires_grad)
        return value

    run(epochs=1, valid_loss=loss)
    assert recorded == [False, False]


def scripted(values):
    """A validation loss that follows a script, one value an epoch, and notes the weights of each epoch."""
    weights, calls = [], iter([v for v in values for _ in range(2)])  # two batches

    def loss(model, x, rng):
        weights.append(model.state_dict())
        return Tensor(np.float64(next(calls)))

    return loss, weights


def test_the_best_weights_are_restored():
    loss, weights = scripted([3, 1, 2, 4])
    model, history, _ = run(valid_loss=loss)
    assert [h["valid"] for h in history] == [3, 1, 2, 4]
    assert bits(model.state_dict()) == bits(weights[2]) != bits(weights[-1])  # after epoch 2


def test_early_stopping_waits_for_its_patience():
    for values, patience, epochs in [
        ([3, 1, 2, 2, 0, 0], 2, 4), ([3, 2, 1, 0.5, 0.6, 0.7], 3, 6), ([1, 2, 2, 2], 1, 2), ([1, 1, 1], 2, 3)
    ]:  # fmt: skip
        _, history, _ = run(valid_loss=scripted(values)[0], patience=patience, epochs=len(values), schedule=None)
        assert len(history) == epochs


def test_early_stopping_counts_on_after_a_resume(tmp_path):
    values = [3, 1, 2, 2, 2, 2]
    run(tmp_path / "run", valid_loss=scripted(values)[0], patience=2, epochs=3, schedule=None)
    _, history, _ = run(tmp_path / "run", valid_loss=scripted(values[3:])[0], patience=2, epochs=6, schedule=None)
    assert len(history) == 4


def test_on_epoch_is_called_with_the_history_after_each_epoch():
    lengths = []
    run(on_epoch=lambda history: lengths.append(len(history)))
    assert lengths == [1, 2, 3, 4]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_raises_and_says_where(bad):
    def loss(model, x, rng):
        return noisy(model, x, rng) * (bad if loss.calls == 4 else 1)

    loss.calls = 0

    def counting(model, x, rng):
        loss.calls += 1
        return loss(model, x, rng)

    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf) in epoch 2, example 0.*detect_anomaly"):
        run(loss=counting)


def test_a_validation_loss_that_is_nan_raises_too():
    """NaN compares false with everything: it would be the "best" forever, and patience would never end."""
    with pytest.raises(FloatingPointError):
        run(valid_loss=scripted([1, np.nan, 2, 2])[0])


# ---- progress


def test_plain_lines_when_the_output_is_no_terminal(capsys):
    run(verbose=True)
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert len(lines) == EPOCHS and "\r" not in out and "\x1b" not in out and out.isascii()
    assert lines[0].startswith("epoch 1/4  train ") and " valid " in lines[0] and lines[3].startswith("epoch 4/4")


def test_one_refreshed_line_in_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    run(verbose=True)
    out = sys.stdout.getvalue()
    assert out.count("\n") == EPOCHS and out.count("\r\x1b[K") == EPOCHS * (STEPS + 1)
    assert re.search(r"epoch 1/4\W+40 %", out) and re.search(r"epoch 1/4\W+100 %", out) and "s left" in out


def test_silent_when_asked(capsys):
    run(verbose=False)
    assert capsys.readouterr().out == ""


# ---- files of other runs


MISMATCHES = {
    "model": (dict(hidden=5), "wrong shape: net.layers.0.bias"),
    "optimizer": (dict(optimizer="Adagrad"), "Adagrad: the saved state"),
    "data": (dict(train=TRAIN[:20]), "25 examples in batches of 10"),
    "batch size": (dict(batch_size=5), "25 examples in batches of 10"),
    "no schedule": (dict(schedule=None), "one of them has a schedule, the other has none"),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_a_file_of_another_run_gives_a_clear_error_and_stays(tmp_path, name):
    path = tmp_path / "run"
    run(path, epochs=1)
    before = path.read_bytes()
    options, message = MISMATCHES[name]
    remedy = ".*give another path, or delete the file"
    with pytest.raises(ValueError, match=r"(?s)run: saved by another run.*" + message + remedy):
        run(path, **options)
    assert path.read_bytes() == before


def test_a_checkpoint_that_is_no_run_gives_a_clear_error(tmp_path):
    checkpoint.save(tmp_path / "run", {"weights": np.ones(3)})
    with pytest.raises(ValueError, match="run: saved by another run"):
        run(tmp_path / "run")


def test_a_generator_of_another_kind_gives_a_clear_error(tmp_path):
    run(tmp_path / "run", epochs=1)
    model = Denoiser()
    optimizer = OPTIMIZERS["Adam"](model)
    with pytest.raises(ValueError, match="run: saved by another run"):
        fit(
            model, TRAIN, VALID, optimizer=optimizer, epochs=2, batch_size=10, rng=np.random.Generator(np.random.MT19937(0)),
            schedule=optim.CosineAnnealingLR(optimizer, 12), loss=noisy, path=tmp_path / "run", verbose=False,
        )  # fmt: skip


@pytest.mark.parametrize("content", ["truncated", "text"])
def test_a_truncated_or_foreign_file_gives_a_clear_error_and_stays(tmp_path, content):
    path = tmp_path / "run"
    run(path, epochs=1)
    path.write_bytes(path.read_bytes()[:-100] if content == "truncated" else b"my precious notes")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="run: not a checkpoint, or a truncated or damaged one"):
        run(path)
    assert path.read_bytes() == before
