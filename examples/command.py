"""What all examples share: their options, the table that they print, and animations."""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg


def options(doc, *, data=False, model=(), full=""):
    """Parse --quick, --seed N, --debug, --break MISTAKE, --out FOLDER, and --data FILE, --model NAME or --full where an example has them.

    data: True if the example needs a file, "optional" if it can do without. full: what --full does, minutes instead of seconds.
    `--help` shows the chapter's text.

    Also makes sure that a console with an old code page shows `?` for a letter that it lacks, and does not stop there.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="a few seconds: less data, fewer epochs")
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (default 0)")
    parser.add_argument("--debug", action="store_true", help="kernels as plain Python, so that breakpoint() works everywhere; implies --quick")
    parser.add_argument("--break", metavar="MISTAKE", help="run with a known mistake in the library, see examples/homework/museum.py")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for the figure (default figures)")
    if data:
        parser.add_argument("--data", type=Path, required=data is True, help="the published split as .npz: train, valid, test")
    if full:
        parser.add_argument("--full", action="store_true", help=full)
    if model:
        parser.add_argument("--model", choices=model, default=model[-1], help=f"one model (default {model[-1]})")
    chosen = parser.parse_args()
    chosen.quick |= chosen.debug
    return chosen


def mean_and_error(x, digits=2):
    """Text: the mean of some runs and its standard error."""
    return f"{np.mean(x):.{digits}f} +- {np.std(x, ddof=1) / np.sqrt(len(x)):.{digits}f}"


def table(header, rows):
    """Print rows under a header: text to the left, numbers to the right."""
    cells = [header, *[[c if isinstance(c, str) else f"{c:,.2f}" if isinstance(c, float) else f"{c:,}" for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for number, row in enumerate(cells):
        first_row = rows[0] if rows else header
        print("  ".join(c.ljust(w) if isinstance(v, str) else c.rjust(w) for c, w, v in zip(row, widths, first_row)).rstrip())
        if number == 0:
            print("  ".join("-" * w for w in widths))


def frame(ax):
    """The figure that holds these Axes as it is now, as an image of 32 colours."""
    from PIL import Image  # matplotlib brings it along

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3]).quantize(32)


def save_gif(frames, path, milliseconds=300):
    """Write frames as an animated GIF that shows its last frame for two seconds; returns the path."""
    first, *rest = frames
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    durations = [milliseconds] * len(rest) + [2000]
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0)
    return Path(path)
