"""The page as a whole: it says everything, trusts nothing, loads nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lentigo.errors import RunError
from lentigo.reports.numbers import interval, metrics, number
from lentigo.reports.run import page
from lentigo.reports.run.page import write_report
from lentigo.reports.run.run_folder import read_run
from lentigo.tables import NotedTable, write_table
from tests.reports.report_fakes import (
    EVALUATION,
    FAILURES,
    entry,
    judged,
    parts,
    write_run,
)

NOTICE = "Research software, not a medical device"


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(folds=1, melanomas=12, pixels=True, …)` writes a run folder."""

    def make(**options: Any) -> Path:
        return write_run(tmp_path / "run", **options)

    return make


@pytest.fixture
def figures() -> None:
    """Ask for it where figures matter; drawing them takes a second a page."""


@pytest.fixture(autouse=True)
def _no_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "figures" not in request.fixturenames:
        for name in ("draw_curves", "draw_results"):
            monkeypatch.setattr(page, name, lambda run: [])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Elements:
    """The page on the run as it is made up, without figures, for all who only read it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("draw_curves", "draw_results"):
            patch.setattr(page, name, lambda run: [])
        return Elements(page_of(write_run(tmp_path_factory.mktemp("plain") / "run")))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], tuple[Path, str]]:
    """`drawn(folds)` is a run with its figures, and its page; each is drawn once."""

    @cache
    def draw(folds: int) -> tuple[Path, str]:
        run = write_run(tmp_path_factory.mktemp("drawn") / "run", folds=folds)
        return run, page_of(run)

    return draw


Drawn = Callable[[int], tuple[Path, str]]


class Elements(HTMLParser):
    """Every tag with its attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(run: Path) -> str:
    path = write_report(run)
    assert path == run / "report.html"
    return path.read_text(encoding="utf-8")


def test_every_number_of_the_evaluation_is_on_the_page(plain: Elements) -> None:
    text = plain.text
    for part, signed in (("model", False), ("baseline", False), ("difference", True)):
        for value in metrics(EVALUATION[part]).values():
            assert number(value.value, signed=signed) in text
            assert interval(value, signed=signed) in text
    assert number(EVALUATION["best_reachable_auc"]) in text
    assert "17 resamples undefined" in text


def test_an_undefined_number_is_never_zero(plain: Elements) -> None:
    assert "undefined no image was called melanoma" in plain.text


def test_every_failed_file_is_named_with_its_reason(plain: Elements) -> None:
    text = plain.text
    for column in FAILURES.values():
        for value in column:
            assert value in text


def test_of_many_failed_files_fifty_are_named_and_the_rest_counted(
    make_run: MakeRun,
) -> None:
    run = make_run()
    names = [f"broken-{number:03d}" for number in range(1060)]
    failures = pd.DataFrame({"image_id": names, "path": "x.jpg", "reason": "truncated"})
    failures.to_csv(run / "failures.csv", index=False)
    text = Elements(page_of(run)).text
    assert "1,060 files could not be found or decoded" in text
    assert "broken-049" in text
    assert "broken-050" not in text
    assert "1,010 more are in failures.csv" in text


def test_the_notice_stands_at_the_top_and_at_the_bottom(plain: Elements) -> None:
    text = plain.text
    body = text[text.index("}") :] if "}" in text else text
    assert body.count(NOTICE) == 2
    assert body.rindex(NOTICE) > body.index("Glossary")


@pytest.mark.usefixtures("figures")
def test_the_page_loads_nothing(drawn: Drawn) -> None:
    html = drawn(3)[1]
    for tag, attributes in Elements(html).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset", "poster", "data", "action"):
            value = attributes.get(name) or ""
            assert not value or value.startswith(("data:image/", "#")), (tag, value[:60])
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_folds_archives_and_thresholds_have_tables(make_run: MakeRun) -> None:
    model = EVALUATION["model"] | {
        "by_fold": parts(0.854, 0.679),
        "by_dataset": parts(0.9, 0.821),
    }
    text = Elements(page_of(make_run(evaluation=EVALUATION | {"model": model}))).text
    assert "By fold" in text
    assert "By archive" in text
    assert "0.854" in text
    assert "Thresholds chosen on validation images" in text
    assert "2 of 3" in text


def test_pictures_have_text_beside_them(plain: Elements) -> None:
    images = [attributes for tag, attributes in plain.tags if tag == "img"]
    assert len(images) > 6
    assert all(image.get("alt") for image in images)


HOSTILE = (
    "<script>alert('1')</script>\"><img src=http://evil.example/x onerror=alert(2)>$_{%"
)


def test_a_hostile_name_is_only_text(make_run: MakeRun) -> None:
    run = make_run(first_id=HOSTILE)
    hostile = pd.DataFrame({"image_id": [HOSTILE], "path": [HOSTILE], "reason": [HOSTILE]})
    hostile.to_csv(run / "failures.csv", index=False)
    pd.DataFrame({"a": [HOSTILE], "b": ["b"], "kind": [HOSTILE]}).to_csv(
        run / "duplicates.csv", index=False
    )
    (run / "command.txt").write_text(f"lentigo run {HOSTILE}")
    table = pd.read_parquet(run / "table.parquet")
    table["diagnosis"] = HOSTILE
    table["dataset"] = HOSTILE
    write_table(NotedTable(table, (HOSTILE,)), run / "table.parquet")
    html = page_of(run)
    elements = Elements(html)
    assert HOSTILE in "".join(elements.words)
    assert "<script" not in html
    assert not [tag for tag, attributes in elements.tags if "onerror" in attributes]
    sources = [
        attributes.get("src") or "" for tag, attributes in elements.tags if tag == "img"
    ]
    assert all(source.startswith("data:image/") for source in sources)


PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")


@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    notes=st.lists(
        st.text(PRINTABLE, min_size=1).filter(lambda text: bool(text.strip())), min_size=10
    )
)
def test_any_note_comes_out_as_it_went_in(whole_run: Path, notes: list[str]) -> None:
    run = replace(read_run(whole_run), notes=tuple(notes))
    listed = re.findall(r"<li>(.*?)</li>", page.render(run), flags=re.DOTALL)
    assert set(notes) <= {unescape(item) for item in listed}


OPTIONAL = (
    "baseline.csv", "duplicates.csv", "failures.csv", "environment.json", "command.txt",
    "fold-0/metrics.csv", "fold-0/roles.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_file_may_be_absent(make_run: MakeRun, name: str) -> None:
    run = make_run()
    (run / name).unlink()
    assert NOTICE in page_of(run)


def test_a_run_with_nothing_optional_has_a_page(make_run: MakeRun) -> None:
    bare = {"model": EVALUATION["model"]}
    run = make_run(pixels=False, evaluation=bare)
    for name in OPTIONAL:
        (run / name).unlink()
    text = Elements(page_of(run)).text
    assert "No metadata-only baseline stands beside the model" in text
    assert "the split cannot be checked here" in text
    assert "no pixels in the run folder" in text
    assert "The command line was not kept" in text


def test_an_empty_csv_is_no_row(make_run: MakeRun) -> None:
    run = make_run()
    (run / "failures.csv").write_text("")
    (run / "duplicates.csv").write_text("a,b,kind\n")
    text = Elements(page_of(run)).text
    assert "Every file named in the table was found and could be decoded" in text
    assert "No identical or near-identical images were found" in text


@pytest.mark.parametrize("melanomas", [0, 48])
@pytest.mark.usefixtures("figures")
def test_one_class_only_says_what_is_undefined(make_run: MakeRun, melanomas: int) -> None:
    nothing = entry(None, None, None)
    model = {**judged(nothing), "n_images": 16, "n_melanomas": melanomas // 3}
    run = make_run(melanomas=melanomas, evaluation={"model": model, "baseline": model})
    text = Elements(page_of(run)).text
    assert "the AUC of the model is undefined" in text
    assert "Nothing can be said about how well this model tells melanoma apart" in text
    which = "only melanomas" if melanomas else "no melanoma"
    assert f"{which} among the held-out images" in text


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.usefixtures("figures")
def test_each_fold_has_its_split_and_its_curves(drawn: Drawn, folds: int) -> None:
    run, html = drawn(folds)
    text = Elements(html).text
    assert html.count('alt="Loss over the epochs') == folds
    assert html.count('alt="AUC over the epochs') == folds
    assert text.count("validation 16 8 ") == folds
    assert "No group is on two sides" in text
    assert (run / "figures" / f"fold-{folds - 1}-auc.svg").is_file()


def test_a_group_on_two_sides_is_called_out(make_run: MakeRun) -> None:
    run = make_run()
    roles = pd.read_csv(run / "fold-0" / "roles.csv")
    roles.loc[0, "role"] = (
        "train"  # its twin, the other image of P0, stays in the test part
    )
    roles.to_csv(run / "fold-0" / "roles.csv", index=False)
    text = Elements(page_of(run)).text
    assert "1 group on more than one side (P0)" in text
    assert "No group is on two sides" not in text


def test_numbers_that_belong_to_other_predictions_are_called_out(make_run: MakeRun) -> None:
    run = make_run(evaluation={"model": {**EVALUATION["model"], "n_images": 999}})
    assert "numbers and figures may not belong together" in Elements(page_of(run)).text


@pytest.mark.usefixtures("figures")
def test_figures_are_left_beside_the_page(drawn: Drawn) -> None:
    run, _ = drawn(1)
    names = {path.name for path in (run / "figures").iterdir()}
    for stem in ("roc", "precision_recall", "confusion", "reliability", "fold-0-loss"):
        assert {f"{stem}.svg", f"{stem}.png", f"{stem}.csv"} <= names


@pytest.mark.usefixtures("figures")
def test_a_page_can_be_written_again(drawn: Drawn) -> None:
    run, html = drawn(1)
    assert page_of(run) == html


@pytest.mark.parametrize("name", ["table.parquet", "predictions.csv", "evaluation.json"])
def test_an_unfinished_run_is_refused(make_run: MakeRun, name: str) -> None:
    run = make_run(pixels=False)
    (run / name).unlink()
    with pytest.raises(RunError, match=name):
        write_report(run)


def test_a_broken_file_is_refused_by_name(make_run: MakeRun) -> None:
    run = make_run(pixels=False)
    (run / "evaluation.json").write_text("{")
    with pytest.raises(RunError, match=r"evaluation\.json is not readable"):
        write_report(run)
    (run / "evaluation.json").write_text(json.dumps([]))
    with pytest.raises(RunError, match="holds no JSON object"):
        write_report(run)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("whole") / "run", pixels=False)


def test_values_of_the_environment_are_shown(plain: Elements) -> None:
    expected: dict[str, Any] = {"digest": "c0ffee" * 10 + "c0ff", "python": "3.12.1"}
    text = plain.text
    for value in expected.values():
        assert value in text
    assert "lentigo run data --format csv --out 'my run'" in text
    assert "2026-01-02 03:04 UTC" in text


def test_other_cancers_among_what_is_not_melanoma_are_named(make_run: MakeRun) -> None:
    run = make_run()
    assert "other cancers" not in page_of(run)
    table = pd.read_parquet(run / "table.parquet")
    table["malignant"] = table["melanoma"]
    table.loc[[1, 2], "malignant"] = True
    table.to_parquet(run / "table.parquet", index=False)
    assert "2 images of other cancers of the skin count as not melanoma" in page_of(run)
