"""The search for lines that no test guards, on a package of three lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import CoverageData

from tests.mutation import changeable, changed, draw
from tests.nearness import Nearness
from tests.reached import Reached
from tests.verdict import TIME_UP, Verdicts

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


@pytest.mark.parametrize("name", ['"near:one"', '"lentigo.near"', 'f"lentigo.{one}"'])
def test_who_imports_a_module_by_its_name_is_its_user(project: Path, name: str) -> None:
    (project / "lentigo/far.py").write_text(
        f"from importlib import import_module\n\none = 1\nNAME = {name}\n"
        "FOUND = import_module(NAME)\n"
    )
    rings = Nearness(project).rings(Path("lentigo/near.py"))
    assert [test.name for ring in rings for test in ring] == ["test_near.py", "test_far.py"]


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


def test_tests_that_call_a_module_through_helpers_come_second(project: Path) -> None:
    (project / "tests/helping.py").write_text("from lentigo.near import grown\n")
    (project / "tests/test_helped.py").write_text("from tests.helping import grown\n")
    rings = Nearness(project).rings(Path("lentigo/near.py"))
    assert [[test.name for test in ring] for ring in rings] == [
        ["test_near.py"],
        ["test_helped.py"],
        ["test_far.py"],
    ]


def test_what_records_a_room_comes_before_shorter_tests(project: Path) -> None:
    for name in ("near", "recorded", "short"):
        text = "from lentigo.near import grown\n" + "# long\n" * (name == "recorded")
        (project / f"tests/test_{name}.py").write_text(text)
    ring = Nearness(project).rings(Path("lentigo/near.py"))[0]
    assert [test.stem for test in ring] == ["test_near", "test_recorded", "test_short"]


@pytest.mark.parametrize(
    ("statement", "becomes"),
    [
        ("return ''", "return 'changed'"),  # None would be as empty to most callers
        ("return []", "return [None]"),
        ("return ()", "return (None,)"),
        ("return {}", "return {None: None}"),
        ("return 'a'", "return None"),
        ("del one.two", "pass"),
    ],
)
def test_what_stands_in_place_of_a_statement(statement: str, becomes: str) -> None:
    source = f"def f(one):\n    {statement}\n"
    ((line, (node, *_)),) = changeable(source).items()
    assert line == 2
    found = changed(Path("x"), source, node).source.splitlines()[1].strip()
    assert found == becomes


def test_freeing_a_name_is_no_change() -> None:
    assert changeable("def f(one):\n    del one\n") == {}


def test_of_one_file_all_lines_are_drawn_where_it_has_few() -> None:
    file = Path("lentigo/version.py")
    assert {each.file for each in draw(10_000, 0, file)} <= {file}
    mutants = draw(3, 0, Path("lentigo/figures"))
    assert len(mutants) == 3
    assert all(each.file.is_relative_to("lentigo/figures") for each in mutants)


def test_a_line_is_told_apart_whose_time_was_up(project: Path) -> None:
    (project / "tests/test_near.py").write_text(
        "from lentigo.near import grown\n\ndef test_one():\n"
        "    while __import__('time').process_time() < 1:\n        pass\n"
    )
    verdicts = Verdicts(project, seconds=0.01)
    rings = [[project / "tests/test_near.py"], [project / "tests/test_far.py"]]
    changed_text = SOURCE.replace(">=", ">")
    assert verdicts.of(Path("lentigo/near.py"), changed_text, rings) == TIME_UP


def test_tests_that_run_a_line_are_known_from_a_measurement(project: Path) -> None:
    data = CoverageData(str(project / "measured"))
    for context in (
        "", "tests.test_near.test_limit", "tests.test_near.test_gone", "tests.gone.test_one"
    ):  # fmt: skip
        data.set_context(context)
        data.add_lines({"/elsewhere/lentigo/near.py": [3]})
    data.write()
    reached = Reached(project / "measured", project)
    assert reached.tests(Path("lentigo/near.py"), 3) == ["tests/test_near.py::test_limit"]
    assert reached.tests(Path("lentigo/near.py"), 2) == []
    assert reached.tests(Path("lentigo/far.py"), 3) == []


def test_a_test_may_be_named_alone_and_in_an_order(project: Path) -> None:
    verdicts = Verdicts(project, seconds=60)
    never = SOURCE.replace("return size >= limit", "return None")
    first = [project / "tests/test_near.py::test_limit", project / "tests/test_other.py"]
    failed = verdicts.of(Path("lentigo/near.py"), never, [first])
    assert failed == "tests/test_near.py::test_limit"
