"""The names of the models of `lentigo serve`, and what is refused before one is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.cli.serve import _places
from lentigo.config.serving import ServingConfig
from lentigo.errors import ConfigError


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that passes for one with models."""
    monkeypatch.setattr("lentigo.inference.predict.model_folders", list)
    monkeypatch.setattr("lentigo.models.description.check_folder", lambda folder: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(*models: str) -> list[tuple[str, Path]]:
    return [(each.name, each.folder) for each in _places(list(models), "auto")]


def test_a_model_has_the_name_given_or_that_of_its_folder(there: Path) -> None:
    assert named("ham=runs/one", "runs/two") == [
        ("ham", there / "runs/one"),
        ("two", there / "runs/two"),
    ]


def test_a_folder_whose_name_has_an_equals_sign_is_no_pair(there: Path) -> None:
    (there / "lr=0.1").mkdir()
    assert named("lr=0.1") == [("lr-0.1", there / "lr=0.1")]


def test_what_a_name_may_not_have_becomes_a_hyphen(there: Path) -> None:
    assert named("my run (2)")[0][0] == "my-run-2"


@pytest.mark.parametrize("given", ["a b=folder", "=folder", "???"])
def test_a_name_that_no_address_may_have_is_refused(given: str, there: Path) -> None:
    with pytest.raises(ConfigError, match="letters, digits, dots and hyphens"):
        named(given)


def test_a_model_is_given_once_under_a_name(there: Path) -> None:
    assert len(named("a=one", "b=one")) == 2
    with pytest.raises(ConfigError, match="given twice"):
        named("a=one", "a=one")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a run folder or a model folder"),
        (["--make-key", "anna"], "say with --keys where"),
    ],
)
def test_what_is_missing_is_named(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["serve", *words])
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


def test_a_certificate_and_its_key_belong_together(tmp_path: Path) -> None:
    for name in ("tls_certificate", "tls_key"):
        given: dict[str, Any] = {name: tmp_path / "x"}
        with pytest.raises(ConfigError, match="belong together; give both"):
            ServingConfig(**given)


def test_an_audit_log_can_be_verified_and_nothing_else(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["audit-log", "erase", str(tmp_path / "a.sqlite")])
    assert done.exit_code == 2
    assert "there is verify, and no 'erase'" in done.output.replace("\n", " ")


def test_a_submission_is_like_something_only_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "like.csv").write_text("id\n")
    (tmp_path / "i.csv").write_text("image_id\n")
    words = ["predict", "m", "i.csv", "--out", "p.csv", "--like", "like.csv"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "--submission" in done.output
