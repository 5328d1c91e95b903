"""What the README says is true: its links lead somewhere, its snippet runs, its list of examples is the list."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.__main__ import CHAPTERS
from examples.size import GROUPS, code_lines, count

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "DATA_LICENSES.md"])
def test_every_local_link_leads_to_a_file(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    assert all((ROOT / link).exists() for link in links), [link for link in links if not (ROOT / link).exists()]
    assert links or page != "README.md"


def test_the_snippet_runs(tmp_path):
    snippet = re.search(r"```python\n(.*?)```", README, re.S)[1]
    run = subprocess.run([sys.executable, "-c", snippet], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_map_has_every_chapter_with_its_example_and_picture():
    for name, _, minutes in CHAPTERS:
        assert f"(examples/pictures/{name}.png) | {minutes} |" in README.replace("[png]", "")
        assert f"(examples/{name}.py)" in README and f"(examples/pictures/{name}.png)" in README
        assert (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8").startswith('r"""')


def test_no_placeholder_is_left():
    assert "@@" not in README


def test_the_command_lists_the_chapters():
    run = subprocess.run([sys.executable, "-m", "examples", "--names"], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split() == [name for name, *_ in CHAPTERS]


def test_code_lines_are_counted_without_blanks_comments_and_docstrings():
    source = '"""Doc\nstring"""\n\n# comment\nx = 1  # why\n\n\ndef f():\n    r"""Doc"""\n    return (\n        1\n    )\n'
    assert code_lines(source) == 5


@pytest.mark.parametrize("name", GROUPS)
def test_what_is_to_be_read_in_an_evening_stays_small(name):
    patterns, most = GROUPS[name]
    assert 100 < sum(count(patterns).values()) <= most
