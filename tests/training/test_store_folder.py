"""A place for the pixels that holds other things is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import RunError
from lentigo.imaging.store.build import build_store
from lentigo.json_files import write_json
from lentigo.run_layout import RunLayout
from lentigo.training.learnable import learnable
from lentigo.training.prepare import prepare, prepared
from tests.cohorts import draw_cohort, tiny_config

COMMANDS = {
    "train": "train {0}/t.parquet --recipe demo --out {0}/out --set imaging.store={1}",
    "run": "run {0}/t.csv --recipe demo --out {0}/out --set imaging.store={1}",
    "demo": "demo --images 200 --out {0}/out --set imaging.store={1}",
    "audit": "audit {0}/t.parquet --out {0}/out --pixels {1}",
    "prepare": "prepare {0}/t.parquet --out {1}",
}


@pytest.mark.parametrize("place", ["mine", "mine/letter.txt"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_in_a_place_of_other_things_is_refused_at_once(
    command: str, place: str, tmp_path: Path
) -> None:
    table = draw_cohort(tmp_path / "images", images=8)
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear doctor")
    words = COMMANDS[command].format(tmp_path, tmp_path / place).split(" ")
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert len(said) == 1, done.output
    assert str(tmp_path / place) in said[0]
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out-images").exists()
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_training_does_not_go_on_with_other_pixels_of_a_shared_store(
    tmp_path: Path,
) -> None:
    """Another command rebuilds an image of the store while a training is stopped."""
    table = draw_cohort(tmp_path / "images", images=40)
    config = tiny_config(imaging__store=tmp_path / "store", imaging__size=32)
    out = tmp_path / "out"
    out.mkdir()
    write_json(RunLayout(out).environment, {})
    prepare(learnable(table, config), config, out)
    assert len(prepared(config, out).store) == 40
    changed = Path(str(table["path"][7]))
    Image.new("RGB", (64, 64), "red").save(changed)
    build_store(table, tmp_path / "store", config=config.imaging)
    with pytest.raises(RunError, match=f"1 image than .*: {table['image_id'][7]}. They"):
        prepared(config, out)
