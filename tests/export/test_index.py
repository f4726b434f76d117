"""A network without an index gets one, with the limit that its training would have set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.export.images import ImagesByRole
from lentigo.export.index import index_made
from lentigo.models.backend import Images, Looked, Preparation
from lentigo.models.metadata import Metadata, MetadataEncoding, Patients
from tests.inference.test_predict import noise

AGES = list(range(20, 80))


@dataclass
class Remembering:
    """A network that takes the age, and remembers which it was given for which image."""

    metadata: MetadataEncoding
    given: list[tuple[int, float | None]] = field(default_factory=list)
    """First value of each square, and the encoded age, None where none was given."""

    @property
    def preparation(self) -> Preparation:
        return Preparation(16, "stretch", 10**8)

    def looked(
        self, squares: Images, *, looks: int | None, metadata: Metadata | None = None
    ) -> Looked:
        ages = [None] * len(squares) if metadata is None else metadata[:, 0].tolist()
        self.given += zip(squares[:, 0, 0, 0].tolist(), ages, strict=True)
        features = squares[:, 0, :8, 0].astype(np.float32)
        nothing = np.zeros(len(squares))
        return Looked(nothing[None], features, nothing, nothing)


def test_the_limit_is_set_on_answers_with_age_sex_and_site(tmp_path: Path) -> None:
    for place, age in enumerate(AGES):
        Image.fromarray(np.full_like(noise(16, place), age)).save(tmp_path / f"{age}.png")
    (tmp_path / "25.png").write_text("broken")
    rows: dict[str, Any] = {
        "image_id": [str(age) for age in AGES],
        "path": [str(tmp_path / f"{age}.png") for age in AGES],
        "age": AGES,
    }
    table = pd.DataFrame(rows).assign(sex=None, site=None, melanoma=False, diagnosis=None)
    table["group_id"] = table["image_id"]
    encoding = MetadataEncoding.fitted(
        Patients.of(AGES, [None] * len(AGES), [None] * len(AGES)), "late"
    )
    network = Remembering(encoding)
    known = ImagesByRole(learnt=table, held_out=table, chosen_on=table)
    found = index_made(network, known, tmp_path / "index.npz")  # type: ignore[arg-type]
    assert found is not None
    assert found.n_images == len(AGES) - 1
    held = network.given[len(AGES) - 1 :]  # behind those of the training images
    assert [colour for colour, _ in held] == [age for age in AGES if age != 25]
    expected = encoding.encode(Patients.of([a for a, _ in held], [None] * 59, [None] * 59))
    assert [age for _, age in held] == expected[:, 0].tolist()
