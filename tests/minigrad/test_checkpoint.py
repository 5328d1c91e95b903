"""checkpoint: what goes in comes out, a save is all or nothing, and a bad file gives a clear error."""

import os
import zipfile

import numpy as np
import pytest

from minigrad import checkpoint

STATE = {
    "arrays": [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1.5, np.nan, -np.inf]), np.array(3), np.zeros((0, 2))],
    "bits": {"mask": np.array([True, False]), "bytes": np.arange(3, dtype=np.uint8)},
    "numbers": [1, -2.5, 0.1, 2**200, float("inf"), True, False, None],
    "text": "π, \"quotes\", \n and \\",
    "array": {"array": 5, "dict": {}},  # the words that the format itself uses
    "empty": [{}, [], ""],
}


def same(a, b):
    """Equal in value and in kind."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()
    return type(a) is type(b) and a == b


def test_what_is_saved_is_loaded(tmp_path):
    checkpoint.save(tmp_path / "run", STATE)
    assert same(STATE, checkpoint.load(tmp_path / "run"))
    assert [f.name for f in tmp_path.iterdir()] == ["run"]  # under just this name, and nothing else is left


def test_numpy_numbers_become_python_numbers_and_tuples_lists(tmp_path):
    checkpoint.save(tmp_path / "run", {"x": np.float64(0.1), "n": np.int64(3), "b": np.bool_(True), "t": (1, (2,))})
    assert same({"x": 0.1, "n": 3, "b": True, "t": [1, [2]]}, checkpoint.load(tmp_path / "run"))


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_the_state_of_a_generator_comes_back_with_every_bit(tmp_path, kind):
    rng = np.random.Generator(kind(5))
    rng.random(7, np.float32)  # an odd number: half a draw is left over
    checkpoint.save(tmp_path / "run", {"rng": rng.bit_generator.state})
    expected = rng.random(5).tolist()
    other = np.random.Generator(kind(6))
    other.bit_generator.state = checkpoint.load(tmp_path / "run")["rng"]
    assert other.random(5).tolist() == expected


def test_a_path_may_be_a_string(tmp_path):
    checkpoint.save(str(tmp_path / "run.npz"), {"a": 1})
    assert checkpoint.load(str(tmp_path / "run.npz")) == {"a": 1}



@pytest.mark.parametrize("where", ["savez", "fsync", "replace"])
def test_a_save_that_fails_in_the_middle_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, where):
    path = tmp_path / "run"
    checkpoint.save(path, {"version": 1})

    def half(file, **arrays):
        file.write(b"PK half an archive")
        raise OSError("no space left on device")

    def fail(*_):
        raise OSError("no space left on device")

    if where == "savez":
        monkeypatch.setattr(np, "savez", half)
    else:
        monkeypatch.setattr(os, where, fail)
    with pytest.raises(OSError, match="no space left"):
        checkpoint.save(path, {"version": 2, "array": np.ones(1000)})
    assert checkpoint.load(path) == {"version": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_complete_before_it_gets_its_name(tmp_path, monkeypatch):
    replace, seen = os.replace, []

    def look(source, target):
        seen.append(same(STATE, checkpoint.load(source)) and not os.path.exists(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    checkpoint.save(tmp_path / "run", STATE)
    assert seen == [True]


@pytest.mark.parametrize("value, kind", [
    (object(), "object"), ({1, 2}, "set"), (lambda: 0, "function"), (1j, "complex"), (b"bytes", "bytes"),
    (np.array(["text"]), "ndarray"), (np.array([None]), "ndarray"), (np.array([1j]), "ndarray"), ({1: 2}, "dict"),
], ids=str)  # fmt: skip
def test_an_unsupported_value_raises_and_its_place_is_named(tmp_path, value, kind):
    with pytest.raises(TypeError, match=r"state\['optimizer'\]\['state'\]\[1\]\['m'\] is a " + kind):
        checkpoint.save(tmp_path / "run", {"a": 1, "optimizer": {"state": [0, {"m": value}]}})
    assert list(tmp_path.iterdir()) == []


# ---- bad files


def test_a_file_that_is_not_there_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "run")


@pytest.mark.parametrize("part", [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_a_truncated_file_gives_a_clear_error(tmp_path, part):
    path = tmp_path / "run"
    checkpoint.save(path, {"a": np.arange(10_000), "b": 1})
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match="run: not a checkpoint, or a truncated or damaged one.*delete it to start anew"):
        checkpoint.load(path)


def test_a_single_flipped_byte_in_an_array_is_noticed(tmp_path):
    path = tmp_path / "run"
    checkpoint.save(path, {"a": np.zeros(10_000)})
    content = bytearray(path.read_bytes())
    content[content.index(bytes(1000)) + 500] ^= 1  # in the midst of the zeros
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        checkpoint.load(path)


def write_npz(path):
    with open(path, "wb") as file:
        np.savez(file, weights=np.ones(3))


def write_npy(path):
    with open(path, "wb") as file:
        np.save(file, np.ones(3))


def write_objects(path):
    with open(path, "wb") as file:
        np.savez(file, json=np.array([print, {}], dtype=object))


def write_another_version(path):
    with open(path, "wb") as file:
        np.savez(file, json=np.array('["minigrad checkpoint 99", {"dict": {}}]'))


def write_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")


@pytest.mark.parametrize("write", [
    lambda path: path.write_text("import os"), lambda path: path.write_bytes(bytes(1000)), lambda path: path.mkdir(),
    write_npz, write_npy, write_objects, write_another_version, write_zip,
], ids=["text", "zeros", "folder", "npz", "npy", "objects", "version 99", "zip"])  # fmt: skip
def test_a_foreign_file_gives_a_clear_error(tmp_path, write):
    path = tmp_path / "run"
    write(path)
    with pytest.raises(ValueError, match="run: not a checkpoint"):
        checkpoint.load(path)


def test_a_pickle_inside_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    with open(tmp_path / "run", "wb") as file:
        np.savez(file, json=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "run")
    assert not (tmp_path / "sprung").exists()
