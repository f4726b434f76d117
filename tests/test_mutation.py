"""The search for lines that no test guards, on a package of three lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import changeable, changed
from tests.nearness import Nearness
from tests.verdict import Verdicts

SOURCE = "def grown(size):\n    limit = 3\n    return size >= limit\n"
FAR = "from lentigo.near import grown\n"
TESTS = """\
from lentigo.near import grown

def test_fails_anyway():
    assert not grown(9)

def test_limit():
    assert grown(4)
    assert not grown(2)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for place, text in {
        "pytest.ini": "[pytest]\naddopts = -p no:schemathesis\n",  # a second to import
        "lentigo/__init__.py": "",
        "lentigo/near.py": SOURCE,
        "lentigo/far.py": FAR,
        "tests/test_near.py": TESTS,
        "tests/test_far.py": "from lentigo import far\n\ndef test_one():\n    pass\n",
        "tests/test_other.py": "def test_other():\n    pass\n",
    }.items():
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).write_text(text)
    return tmp_path


def test_tests_of_a_module_come_before_those_of_its_users(project: Path) -> None:
    rings = Nearness(project).rings(Path("lentigo/near.py"))
    assert [[test.name for test in ring] for ring in rings] == [
        ["test_near.py"],
        ["test_far.py"],
    ]


def test_one_thing_in_a_line_is_changed() -> None:
    nodes = changeable(SOURCE)
    assert list(nodes) == [2, 3]
    said = [changed(Path("x"), SOURCE, node).source for node in nodes[3]]
    assert [text.splitlines()[2].strip() for text in said] == [
        "return None",
        "return (size > limit)",
    ]


def test_a_line_is_killed_only_by_a_test_that_passes_without_the_change(
    project: Path,
) -> None:
    file, verdicts = Path("lentigo/near.py"), Verdicts(project, seconds=60)
    rings = [[project / "tests/test_near.py"]]
    never = SOURCE.replace("return size >= limit", "return None")
    assert verdicts.of(file, never, rings) == "tests/test_near.py::test_limit"
    assert (project / file).read_text() == SOURCE
    # A size of 3 is in no test.
    assert verdicts.of(file, SOURCE.replace(">=", ">"), rings) == ""
