r"""The training loop: minibatches, progress, early stopping, and a resume that ends with the same bits.

Everything that decides how training goes on is in `Run.state_dict`: weights, best weights, optimiser, schedule, the
epoch's permutation and the place in it, and the generator that draws all randomness.
"""

import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import checkpoint
from .autograd import no_grad


def nll(model, x, rng):
    """The default loss: the model's mean negative log-likelihood, in nats."""
    return model.nll(x)


def fit(
    model, train, valid, *, optimizer, epochs, batch_size, rng, loss=nll, valid_loss=None, schedule=None,
    patience=None, path=None, on_epoch=None, verbose=True,
):  # fmt: skip
    r"""Minimise a loss by minibatches; the model ends with the weights of the best epoch on the validation data.

    train, valid: arrays with examples along the first axis
    loss:         loss(model, batch, rng) -> Tensor with one number; valid_loss likewise (default: the same)
    rng:          np.random.Generator: shuffles, and is handed to the loss
    schedule:     its .step() is called after each step of the optimiser
    patience:     stop after so many epochs without a better validation loss
    path:         save the run here after each epoch and on Ctrl-C; if the file exists, go on from it
    on_epoch:     called with the history after each epoch
    Returns the history, a list of {"epoch", "train", "valid", "seconds"} (seconds of CPU time). FloatingPointError if
    the loss is no longer finite. ValueError if the file belongs to another run. KeyboardInterrupt, after saving.
    """
    run = Run(model, train, optimizer, batch_size, rng, schedule)
    if path and Path(path).exists():
        run.load_state_dict(checkpoint.load(path), path)
    with interrupt() as asked:
        while len(run.history) < epochs and (patience is None or run.epochs_since_best() < patience):
            while run.start < len(train) and not asked.is_set():
                run.step(loss)
                if verbose:
                    progress(run, epochs, len(train))
            if not asked.is_set():
                run.end_epoch(mean_loss(model, valid, valid_loss or loss, batch_size, rng))
            if path:
                checkpoint.save(path, run.state_dict())
            if asked.is_set():
                raise KeyboardInterrupt(f"stopped in epoch {len(run.history) + 1}" + (f", saved to {path}" if path else ""))
            if verbose:
                progress(run, epochs, len(train))
            if on_epoch:
                on_epoch(run.history)
    model.load_state_dict(run.best)
    return run.history


class Run:
    """The state of a training run, between two steps."""

    def __init__(self, model, train, optimizer, batch_size, rng, schedule):
        self.model, self.train, self.optimizer, self.schedule = model, train, optimizer, schedule
        self.batch_size, self.rng = batch_size, rng
        self.history, self.best, self.seconds = [], model.state_dict(), 0.0
        self.begin_epoch()

    def begin_epoch(self):
        """Shuffle."""
        self.permutation, self.start, self.total = self.rng.permutation(len(self.train)), 0, 0.0

    def step(self, loss):
        """One minibatch."""
        began = time.process_time()
        batch = self.train[self.permutation[self.start : self.start + self.batch_size]]
        self.optimizer.zero_grad()
        value = loss(self.model, batch, self.rng)
        self.check(value.item(), f"example {self.start}")
        value.backward()
        self.optimizer.step()
        if self.schedule:
            self.schedule.step()
        self.start += len(batch)
        self.total += value.item() * len(batch)
        self.seconds += time.process_time() - began

    def check(self, loss, where):
        """FloatingPointError if a loss is NaN or infinite."""
        if not np.isfinite(loss):
            raise FloatingPointError(f"fit: the loss is {loss} in epoch {len(self.history) + 1}, {where}: try a smaller "
                                     "learning rate; `with minigrad.detect_anomaly():` finds the operation")  # fmt: skip

    def end_epoch(self, valid):
        """Note the losses, keep the weights if they are the best so far, and shuffle for the next epoch."""
        self.check(valid, "validation")
        if valid < min((h["valid"] for h in self.history), default=np.inf):
            self.best = self.model.state_dict()
        record = {"epoch": len(self.history) + 1, "train": self.total / len(self.train), "valid": valid, "seconds": self.seconds}
        self.history.append(record)
        self.begin_epoch()

    def epochs_since_best(self):
        """How many epochs have passed since the best validation loss."""
        valid = [h["valid"] for h in self.history]
        return len(valid) - 1 - int(np.argmin(valid)) if valid else 0

    def state_dict(self):
        """All that decides how the run goes on."""
        return {
            "model": self.model.state_dict(), "best": self.best, "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule and self.schedule.state_dict(), "rng": self.rng.bit_generator.state,
            "permutation": self.permutation, "start": self.start, "total": self.total, "batch_size": self.batch_size,
            "history": self.history, "seconds": self.seconds,
        }  # fmt: skip

    def load_state_dict(self, state, path):
        """Go on from a state; ValueError if it is that of another model, optimiser, data set or batch size."""
        try:
            if len(state["permutation"]) != len(self.train) or state["batch_size"] != self.batch_size:
                raise ValueError(f"it has {len(state['permutation'])} examples in batches of {state['batch_size']}")
            if (state["schedule"] is None) != (self.schedule is None):
                raise ValueError("one of them has a schedule, the other has none")
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.schedule:
                self.schedule.load_state_dict(state["schedule"])
            self.rng.bit_generator.state = state["rng"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: saved by another run: {error}: give another path, or delete the file") from None
        for name in ("best", "permutation", "start", "total", "history", "seconds"):
            setattr(self, name, state[name])


def mean_loss(model, x, loss, batch_size, rng):
    """The mean loss over a data set, without a graph."""
    batches = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
    with no_grad():
        return sum(loss(model, batch, rng).item() * len(batch) for batch in batches) / len(x)


@contextmanager
def interrupt():
    """Ctrl-C inside only asks to stop: the loop looks at `.is_set()` between two steps, so that none is left half done.

    A second Ctrl-C stops at once.
    """
    asked, main = threading.Event(), threading.current_thread() is threading.main_thread()
    before = main and signal.signal(signal.SIGINT, lambda *_: asked.set() or signal.signal(signal.SIGINT, before))
    try:
        yield asked
    finally:
        if main:  # only there can a signal be handled
            signal.signal(signal.SIGINT, before)


def progress(run, epochs, n):
    """One line that is written over in a terminal; one line for each finished epoch elsewhere."""
    done, within, terminal = len(run.history), run.start / n, sys.stdout.isatty()
    if within and not terminal:
        return
    text = f"epoch {done + 1}/{epochs}  {100 * within:.0f} %  train {run.total / run.start:.2f}" if within else (
        f"epoch {done}/{epochs}  train {run.history[-1]['train']:.2f}  valid {run.history[-1]['valid']:.2f}")  # fmt: skip
    text += f"  {run.seconds:.0f} s, {run.seconds * (epochs / (done + within) - 1):.0f} s left"
    print(f"\r\x1b[K{text}" if terminal else text, end="" if within else "\n", flush=True)
