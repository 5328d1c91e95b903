r"""Saving and loading: one atomic file, without pickle, so that loading a file can never run code.

A state is nested dicts and lists of arrays, numbers, strings, True, False and None. Tuples come back as lists. Arrays go into a zip container
(NumPy's npz, which keeps a checksum of each), everything else into one piece of JSON beside them.
"""

import json
import os
from pathlib import Path

import numpy as np

FORMAT = "minigrad checkpoint 1"


def save(path, state):
    """Write the state to a file; whoever reads sees the old file or the new one, never half of one.

    TypeError names the place of a value that cannot be saved.
    """
    path, arrays = Path(path), []
    text = json.dumps([FORMAT, pack(state, arrays, "state")])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, json=np.array(text), **{str(i): a for i, a in enumerate(arrays)})
            file.flush()
            os.fsync(file.fileno())  # the data must be on disk before the name is
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path):
    """The state in a file. FileNotFoundError if there is none; ValueError if it is truncated, damaged or foreign."""
    try:
        with np.load(path, allow_pickle=False) as file:
            header, packed = json.loads(str(file["json"]))
            if header != FORMAT:
                raise ValueError(f"its header is {header!r}, not {FORMAT!r}")
            return unpack(packed, file)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # whatever a broken zip container leads to
        raise ValueError(f"{path}: not a checkpoint, or a truncated or damaged one ({error}): delete it to start anew") from None


def pack(value, arrays, where):
    """The value with each array replaced by {"array": its number in the list}."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: pack(item, arrays, f"{where}[{key!r}]") for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [pack(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        arrays.append(value)
        return {"array": len(arrays) - 1}
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"checkpoint: {where} is a {type(value).__name__}: only dicts, lists, arrays, numbers and strings")


def unpack(value, file):
    """The inverse of pack."""
    if isinstance(value, list):
        return [unpack(item, file) for item in value]
    if isinstance(value, dict):
        return file[str(value["array"])] if "array" in value else {k: unpack(v, file) for k, v in value["dict"].items()}
    return value
