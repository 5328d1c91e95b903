"""datasets: the embedded digits are those that were drawn once, and load_binary says what is wrong with a file."""

import numpy as np
import pytest

from minigrad import datasets

TOTALS = [5134088, 1012527, 1038556]
LABELS = [[5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [3, 8, 6, 9, 6, 4, 5, 3, 8, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]]
COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
FIRST_PIXELS = [157, 123, 203]


@pytest.fixture(scope="module")
def digits():
    return datasets.binarized_mnist(labels=True)


def test_shapes_types_and_values(digits):
    for part, n in (("train", 50_000), ("valid", 10_000), ("test", 10_000)):
        images, labels = getattr(digits, part), getattr(digits, part + "_labels")
        assert images.shape == (n, 784) and images.dtype == np.uint8 and images.max() == 1
        assert labels.shape == (n,) and labels.dtype == np.uint8 and set(labels.tolist()) == set(range(10))


def test_the_bits_are_those_drawn_once(digits):
    """Totals that any other drawing, order or packing would miss; the labels' first and counts likewise."""
    assert [int(part.sum()) for part in digits[:3]] == TOTALS
    assert [part[:10].tolist() for part in digits[3:]] == LABELS
    assert np.bincount(digits.test_labels).tolist() == COUNTS
    assert [int(np.flatnonzero(part[0])[0]) for part in digits[:3]] == FIRST_PIXELS


def test_the_images_are_upright_digits(digits):
    """The mean 1 is a vertical bar in the middle, the mean 0 has a hole there, and the border is empty."""
    mean = [digits.train[digits.train_labels == k].mean(0).reshape(28, 28) for k in range(2)]
    assert mean[1][14, 13:16].mean() > 0.7 > 0.2 > mean[0][14, 13:16].mean()
    assert mean[1][6:21, 12:17].mean() > 3 * mean[1][12:17, 6:21].mean() / 2
    assert digits.train.reshape(-1, 28, 28)[:, [0, -1]].mean() < 1e-3


def test_without_labels_there_are_three_parts(digits):
    parts = datasets.binarized_mnist()
    assert parts._fields == ("train", "valid", "test") and all((a == b).all() for a, b in zip(parts, digits))


# ---- load_binary

BITS = np.array([[0, 1, 1], [1, 0, 0]])


def write_amat(path, text):
    path.write_bytes(text.encode("latin1"))  # as it stands: Windows would turn \n into \r\n
    return path


def write_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def message_of(path):
    """The message of the ValueError that reading it gives; it must name the file."""
    with pytest.raises(ValueError) as error:
        datasets.load_binary(path)
    message = str(error.value)
    assert message.startswith(str(path))
    return message


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32, np.int64])
def test_an_npz_file_gives_a_split(tmp_path, dtype):
    bits = BITS.astype(dtype)
    path = write_npz(tmp_path / "a.npz", train=bits, valid=bits[:1], test=bits[1:], more=[5])
    split = datasets.load_binary(path)
    assert split._fields == ("train", "valid", "test") and [a.dtype for a in split] == [np.uint8] * 3
    assert [a.tolist() for a in split] == [BITS.tolist(), [[0, 1, 1]], [[1, 0, 0]]]
    assert datasets.load_binary(str(path)).test.tolist() == [[1, 0, 0]]  # a string will do


@pytest.mark.parametrize("text", ["0 1 1\n1 0 0\n", "0 1 1 \n\n 1 0 0", "0.0 1.0 1e0\n1 0 0\n", "0\t1\t1\r\n1\t0\t0\r\n"])
@pytest.mark.parametrize("suffix", [".amat", ".txt"])
def test_amat_text_gives_one_array(tmp_path, text, suffix):
    bits = datasets.load_binary(write_amat(tmp_path / f"a{suffix}", text))
    assert bits.dtype == np.uint8 and bits.tolist() == BITS.tolist()


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    for name in ("a.npz", "a.amat"):
        with pytest.raises(FileNotFoundError):
            datasets.load_binary(tmp_path / name)


def test_an_unknown_kind_of_file_raises(tmp_path):
    message = message_of(write_amat(tmp_path / "a.csv", "0,1"))
    assert ".npz" in message and ".amat" in message


@pytest.mark.parametrize("text, expected", [
    ("0 1 1\n1 0\n", "changed from 3 to 2 at row 2"), ("0 1 2\n", "row 0, column 2 is 2"),
    ("0 1 0\n0 0.5 1\n", "row 1, column 1 is 0.5"), ("0 1 x\n", "could not convert string 'x'"),
    ("nan 1\n", "row 0, column 0 is nan"),
    ("", "must have two axes"), ("-1 0\n", "row 0, column 0 is -1"), ("\x89PNG\x0d\x0a\x1a", "cannot be read as .amat"),
], ids=["ragged", "2", "0.5", "text", "nan", "empty", "-1", "binary"])  # fmt: skip
@pytest.mark.filterwarnings("ignore:loadtxt. input contained no data")
def test_what_is_wrong_with_amat_text_is_said(tmp_path, text, expected):
    assert expected in message_of(write_amat(tmp_path / "a.amat", text))


@pytest.mark.parametrize("arrays, expected", [
    (dict(train=BITS), "lacks the array valid, test"), (dict(x=BITS), "lacks the array train, valid, test; it has x"),
    (dict(train=BITS, valid=BITS, test=BITS * 3), "test: must hold 0 and 1 only, but row 0, column 1 is 3"),
    (dict(train=BITS, valid=BITS / 2, test=BITS), "valid: must hold 0 and 1 only, but row 0, column 1 is 0.5"),
    (dict(train=BITS[0], valid=BITS, test=BITS), "train: must have two axes, examples and variables, not shape (3,)"),
    (dict(train=BITS[:0], valid=BITS, test=BITS), "(0, 3)"),
    (dict(train=np.array([[None]]), valid=BITS, test=BITS), "pickle"),
], ids=["two missing", "all missing", "a 3", "a half", "one axis", "empty", "objects"])  # fmt: skip
def test_what_is_wrong_with_an_npz_file_is_said(tmp_path, arrays, expected):
    assert expected in message_of(write_npz(tmp_path / "a.npz", **arrays))


def test_a_file_that_only_looks_like_npz_raises(tmp_path):
    good = write_npz(tmp_path / "good.npz", train=BITS, valid=BITS, test=BITS).read_bytes()
    for content in (b"", b"0 1 1\n", bytes(500), good[:200], good[:-30]):
        (tmp_path / "a.npz").write_bytes(content)
        message_of(tmp_path / "a.npz")
    with open(tmp_path / "a.npz", "wb") as file:
        np.save(file, BITS)  # an .npy under the name of an .npz
    message_of(tmp_path / "a.npz")


def test_a_message_names_the_file_once(tmp_path):
    text, part, number = (tmp_path / name for name in ("a.amat", "a.npz", "b.npz"))
    for path in (write_amat(text, "0 2\n"), write_npz(part, train=BITS), write_npz(number, train=3, valid=3, test=3)):
        assert message_of(path).count(str(path)) == 1
