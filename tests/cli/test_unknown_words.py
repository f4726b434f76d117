"""Half of the melanomas in a word that nobody understands: every command refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.tables import read_any_table
from tests.fakes import draw_image, fake_folder

COMMANDS = {
    "read": "read csv {table} --out {out}.parquet",
    "run": "run {table} --out {out}",
    "split": "split {table} --out {out}.csv",
    "audit": "audit {table} --out {out}",
    "audit --test": "audit {fine} --test {table} --out {out}",
    "explore": "explore {table} --out {out}",
    "explore --test": "explore {fine} --test {table} --out {out}",
    "grid": "grid {table} --out {out}.png",
    "prepare": "prepare {table} --out {out}",
    "evaluate": "evaluate {predictions} --truth {table}",
    "train": "train {lesions} --out {out}",
    "read folder": "read folder {folder} --out {out}.parquet",
    "run folder": "run {folder} --out {out}",
    "audit folder": "audit {folder} --out {out}",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tables and class folders in which 2 of 4 melanomas are misspelled."""
    root = tmp_path_factory.mktemp("typo")
    words = ["melanoma"] * 2 + ["melanomma"] * 2 + ["nevus"] * 8
    rows = list(enumerate(words))
    for number, _ in rows:
        draw_image(root / f"i{number}.png", seed=number)
    text = {
        "table": ["image_id,patient_id,diagnosis"]
        + [f"i{n},p{n},{word}" for n, word in rows],
        "fine": ["image_id,patient_id,diagnosis"]
        + [f"j{n},q{n},{word.replace('mm', 'm')}" for n, word in rows],
        "lesions": ["image_id,path,melanoma"]
        + [f"i{n},{root}/i{n}.png,{word}" for n, word in rows],
        "predictions": ["image_id,probability"] + [f"i{n},0.5" for n, _ in rows],
    }
    for name, lines in text.items():
        (root / f"{name}.csv").write_text("\n".join(lines) + "\n")
    folders = {"melanoma": 2, "melanomma": 2, "nevus": 8}
    fake_folder(root / "folder", folders)
    return {name: root / f"{name}.csv" for name in text} | {"folder": root / "folder"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_misspelled_melanoma_is_refused(
    name: str, places: dict[str, Path], tmp_path: Path
) -> None:
    line = COMMANDS[name].format(**places, out=tmp_path / "out")
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 1, result.output
    said = [row for row in result.output.splitlines() if row.startswith("Error: ")]
    assert len(said) == 1
    assert "melanomma" in said[0]
    assert "'melanomma' (2)" in said[0]
    assert "--map" in said[0]
    assert not (tmp_path / "out.parquet").exists()


def test_the_words_can_be_written_filled_in_and_given_back(
    places: dict[str, Path], tmp_path: Path
) -> None:
    words, out = tmp_path / "words.csv", tmp_path / "t.csv"
    line = ["read", "csv", str(places["table"]), "--out", str(out)]
    refused = CliRunner().invoke(app, [*line, "--write-map", str(words)])
    assert refused.exit_code == 1
    assert str(words) in refused.output
    words.write_text(words.read_text().replace("melanomma,2,", "melanomma,2,melanoma"))
    done = CliRunner().invoke(app, [*line, "--map", str(words)])
    assert done.exit_code == 0, done.output
    assert "12 images: 4 melanoma, 8 not melanoma, 0 without a label" in done.output


def test_a_lesion_table_may_have_its_label_in_words(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image_id,dataset,melanoma\na,x,ja\nb,x,nein\nc,x,?x\n")
    out, line = tmp_path / "o.csv", ["combine", str(tmp_path / "t.csv")]
    (tmp_path / "u.csv").write_text("image_id,dataset,melanoma\nd,y,ja\n")
    line += [str(tmp_path / "u.csv"), "--out", str(out)]
    assert "'?x' (1)" in CliRunner().invoke(app, line).output
    done = CliRunner().invoke(app, [*line, "--map", "melanoma:?x=SSM"])
    assert done.exit_code == 0, done.output
    assert read_any_table(out)["melanoma"].tolist() == [True, False, True, True]


def test_what_is_left_out_comes_first(places: dict[str, Path], tmp_path: Path) -> None:
    line = ["read", "csv", str(places["table"]), "--out", str(tmp_path / "t.csv")]
    done = CliRunner().invoke(app, [*line, "--unknown", "missing"])
    assert done.exit_code == 0
    first = "12 images: 2 melanoma, 8 not melanoma, 2 without a label, 0 without a file."
    assert done.output.splitlines()[0] == first


def test_a_wrong_word_for_unknown_is_refused(places: dict[str, Path]) -> None:
    line = ["explore", str(places["table"]), "--out", "x", "--unknown", "mising"]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 1
    assert "Did you mean missing" in result.output


def test_a_table_is_filled_and_encoded_beside_what_was_measured(tmp_path: Path) -> None:
    rows = ["image,age,sex,dx", "a,40,f,Melanom", "b,,m,NZN", "c,60,,NZN"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    out = tmp_path / "o.csv"
    line = ["read", "csv", str(tmp_path / "t.csv"), "--out", str(out), "--fill", "--encode"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    assert "age was missing for 1 image; age_filled is the median, 50 years." in done.output
    assert "sex_code: 0 female (1), 1 male (1), missing (1)." in done.output
    table = read_any_table(out)
    assert table["age_filled"].tolist() == [40, 50, 60]
    assert table["age"].isna().tolist() == table["age_missing"].tolist()
    assert table["sex_filled_code"].tolist() == [0, 1, 2]
