"""DDI: 656 clinical images of biopsied lesions, chosen for diverse skin tones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.columns import image_names
from lentigo.datasets.reading.fields import (
    describe,
    read_answer,
    read_folded,
    with_archive_answer,
)
from lentigo.datasets.reading.files import ImageFiles, check_folder, finish, need_file
from lentigo.tables import NotedTable

_TONES = {"12": "1-2", "34": "3-4", "56": "5-6"}


def read(root: Path) -> NotedTable:
    """Diverse Dermatology Images (Daneshjou et al. 2022, doi:10.1126/sciadv.abq6147).

    `root` holds `ddi_metadata.csv` and the images (`000001.png` …), beside it or in folders
    below. The skin tone is known only in pairs of Fitzpatrick types, so `skin_type` is
    missing and the pair is in `skin_tone` ("1-2", "3-4", "5-6"). All diagnoses are from
    histology. `malignant` follows the diagnosis; where that leaves it open, the archive's
    own column `malignant` fills it in. No patients are named: each image is its own group,
    although some patients have several images.

    Raises `DatasetNotFoundError` without the table and `ColumnError` without a needed
    column.
    """
    root = check_folder(root, archive="DDI")
    path = need_file(root, ("ddi_metadata.csv",), archive="DDI")
    source = read_folded(
        path,
        ("ddi_file", "skin_tone", "malignant", "disease"),
        other_names={"malignancy(malig=1)": "malignant"},
    )
    # The archive writes "melanoma-in-situ".
    source["disease"] = source["disease"].str.replace("-", " ", regex=False)
    fields, notes = describe(source, {"diagnosis": "disease"})
    malignant, own = read_answer(source["malignant"], name="malignant", source=str(path))
    fields, said = with_archive_answer(fields, malignant)
    table = pd.DataFrame(
        {
            "image_id": image_names(source["ddi_file"]),
            "dataset": "ddi",
            "modality": "clinical",
            "skin_tone": source["skin_tone"].str.strip().replace(_TONES),
        }
    ).join(fields)
    files = ImageFiles(root)
    table["path"] = files.paths(source["ddi_file"])
    return finish(table, source=str(path), notes=[*notes, *own, *said, *files.notes(table)])
