"""Write predictions of DICOM images as DICOM structured reports (TID 1500), one per image.

A report has the probability of melanoma, the call, its operating point and the model; it
refers to the image by its UIDs, and belongs to the same study and patient. Only the tags
`COPIED`, which describe study and patient, are copied from the image.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lentigo.errors import DatasetError, LentigoError, RunError
from lentigo.extras import require
from lentigo.files import digest, written_beside
from lentigo.inference.dicom_header import (
    COPIED,
    as_evidence,
    may_be_dicom,
    read_header,
    set_times,
)
from lentigo.inference.inputs import Source
from lentigo.models.description import DESCRIPTION, read_description
from lentigo.models.operating_point import OperatingPoint
from lentigo.notice import NOTICE, RESEARCH_ONLY
from lentigo.tables import DIAGNOSIS_COLUMNS
from lentigo.version import __version__
from lentigo.words import counted, some

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_OURS = "99LENTIGO"
"""Coding scheme of lentigo's own codes; DICOM requires private names to begin with 99."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """The model and its settings, as each report names them."""

    name: str
    """Backbones of the networks, such as `mobilenet_edgetpu_100`."""
    digest: str
    """SHA-256 of each model folder's `model.json`, which holds the digests of its files."""
    settings: tuple[str, ...] = ()
    """Further settings, each as `name=value`."""
    point: OperatingPoint | None = None
    """The operating point from which melanoma is called; None where nothing is called."""


@dataclass
class Written:
    """The reports written into a folder, and the reasons why other images have none."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    without: dict[str, str] = field(default_factory=dict)
    """By image id, the reason why no report was written."""
    taken: set[str] = field(default_factory=set)
    """File names used so far, without ending, in lower case."""

    def place(self, image_id: str) -> Path:
        """Return the path of the report of an image; each call gives another one."""
        return self.folder / _name(image_id, self.taken)

    def as_dict(self) -> dict[str, Any]:
        """Return folder, number of reports and images without one, ready for JSON."""
        left = [{"image_id": name, "reason": why} for name, why in self.without.items()]
        return {"out": str(self.folder), "files": len(self.files), "without": left}

    def sentences(self) -> Iterator[str]:
        """Yield a sentence on the number of reports, and one for each reason for none."""
        yield f"{counted(len(self.files), 'structured report')}: {self.folder}"
        for reason in dict.fromkeys(self.without.values()):
            names = [name for name, why in self.without.items() if why == reason]
            yield f"No report for {some(names)}: {reason}."


def reported_by(
    folders: Sequence[Path], *, settings: Sequence[str], point: OperatingPoint | None
) -> Reported:
    """Return the `Reported` of the model `folders`: backbones, digests and settings."""
    members = [each for folder in folders for each in read_description(folder).members]
    names = Counter(member.backbone for member in members)
    told = [f"{count} × {name}" if count > 1 else name for name, count in names.items()]
    digests = [digest(folder / DESCRIPTION) for folder in folders]
    return Reported(
        name=", ".join(told).replace("×", "x"),
        digest=" ".join(digests),
        settings=tuple(settings),
        point=point,
    )


def check_dicom(sources: Sequence[Source]) -> None:
    """Check, before anything is computed, that at least one image is a DICOM file.

    Raises `NotInstalledError` without highdicom, and `DatasetError` if no image is DICOM.
    """
    require("highdicom", what="Writing DICOM structured reports")
    if not any(map(may_be_dicom, sources)):
        names = [source.image_id for source in sources]
        raise DatasetError(
            f"No image is a DICOM file ({some(names)}), so there is no instance that a "
            "structured report could refer to. Leave out --dicom-sr."
        )


def write_reports(
    predictions: pd.DataFrame, sources: Sequence[Source], folder: Path, by: Reported
) -> Written:
    """Write a report of each DICOM image that has a probability into `folder`.

    `predictions` has one row for each of `sources`, in the same order; `by` is the model
    that each report names. Images of which there can be no report are listed in
    `Written.without`. Raises `RunError` if a file cannot be written, as on a full disk.
    """
    done, series = Written(folder), _Series()
    rows = predictions.to_dict("records")
    for source, row in zip(sources, rows, strict=True):
        if pd.isna(row["probability"]):
            done.without[source.image_id] = "it has no probability"
            continue
        try:
            with _as_it_is():
                image = read_header(source)
                report = _report(image, {str(k): v for k, v in row.items()}, by, series)
            path = done.place(source.image_id)
            with written_beside(path) as temporary, _as_it_is():
                report.save_as(temporary)
        except RunError:  # the file cannot be written: no fault of the image
            raise
        except LentigoError as error:
            done.without[source.image_id] = str(error).rstrip(".")
        # highdicom and pydicom raise whatever an odd header leads them into.
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            reason = " ".join(str(error).split())[:200].rstrip(".")
            done.without[source.image_id] = f"its header allows none ({reason})"
        else:
            done.files.append(path)
    return done


class _Series:
    """UIDs of report series, one for each study, and the numbers of reports in it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int]] = {}

    def next(self, study: str) -> tuple[str, int]:
        """Return the UID of the study's series, and the next report's number, from 1."""
        uid, count = self._known.get(study) or (_new_uid(), 0)
        self._known[study] = uid, count + 1
        return uid, count + 1


def _report(image: Dataset, row: dict[str, Any], by: Reported, series: _Series) -> Any:
    from highdicom.sr import ComprehensiveSR, MeasurementReport
    from pydicom.sr.coding import Code

    uid, number = series.next(str(image.StudyInstanceUID))
    content = MeasurementReport(
        observation_context=_observer(by),
        procedure_reported=Code("DMS", "DCM", "Dermoscopy"),
        imaging_measurements=[_group(image, row, by)],
    )
    report = ComprehensiveSR(
        evidence=[as_evidence(image)],
        content=content[0],
        series_instance_uid=uid,
        series_number=1,
        sop_instance_uid=_new_uid(),
        instance_number=number,
        manufacturer="lentigo",
        manufacturer_model_name="lentigo",
        software_versions=__version__,
        device_serial_number=by.digest[:64],
        series_description=RESEARCH_ONLY,
        is_complete=True,
    )
    for name in COPIED:
        if name in image:
            report[name] = image[name]
    set_times(report)
    return report


def _observer(by: Reported) -> Any:
    from highdicom.sr import (
        CodedConcept,
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
    )
    from pydicom.uid import generate_uid

    device = DeviceObserverIdentifyingAttributes(
        uid=generate_uid(prefix=None, entropy_srcs=[by.digest, __version__]),
        name="lentigo",
        model_name=by.name,
        serial_number=by.digest,
    )
    kind = CodedConcept("121007", "DCM", "Device")
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=kind, observer_identifying_attributes=device
        )
    )


def _group(image: Dataset, row: dict[str, Any], by: Reported) -> Any:
    from highdicom import sr
    from pydicom.sr.coding import Code

    frames = [1] if int(image.get("NumberOfFrames") or 1) > 1 else None
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=_new_uid(), identifier="lesion"),
        # Not melanoma itself, which nobody should read as found.
        finding_type=Code("95324001", "SCT", "Skin lesion"),
        finding_sites=[sr.FindingSite(Code("39937001", "SCT", "Skin"))],
        algorithm_id=sr.AlgorithmIdentification(
            name=by.name,
            version=f"lentigo {__version__}",
            parameters=parameters(row, by),
            manufacturer="lentigo",
        ),
        measurements=[
            sr.Measurement(
                name=Code(*name), value=float(value), unit=Code("1", "UCUM", "no units")
            )
            for name, value in _probabilities(row)
        ],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(name=Code(*name), value=Code(*value))
            for name, value in _calls(row)
        ],
        source_images=[
            sr.SourceImageForMeasurementGroup(
                image.SOPClassUID, image.SOPInstanceUID, referenced_frame_numbers=frames
            )
        ],
    )
    group[0].ContentSequence.extend(_comments(row))
    return group


def _comments(row: dict[str, Any]) -> Iterator[Any]:
    from highdicom.sr import RelationshipTypeValues, TextContentItem
    from pydicom.sr.coding import Code

    for comment in filter(None, (NOTICE, row.get("reason"))):
        yield TextContentItem(
            name=Code("121106", "DCM", "Comment"),
            value=_plain(comment),
            relationship_type=RelationshipTypeValues.CONTAINS,
        )


_Coded = tuple[str, str, str]


def _probabilities(row: dict[str, Any]) -> Iterator[tuple[_Coded, float]]:
    """Yield code and probability of melanoma and of each other predicted diagnosis."""
    yield ("probability", _OURS, "Probability of melanoma"), row["probability"]
    for column, value in row.items():
        name = column.removeprefix(DIAGNOSIS_COLUMNS)
        if column.startswith(DIAGNOSIS_COLUMNS) and name != "melanoma" and value == value:
            words = f"Probability of {name.replace('_', ' ')}"
            yield (column, _OURS, words[:64]), value


def _calls(row: dict[str, Any]) -> Iterator[tuple[_Coded, _Coded]]:
    if row["call"]:
        code = row["call"].replace(" ", "_")
        name = ("call", _OURS, "Call at the operating point")
        yield name, (code, _OURS, f"Called {row['call']}")


def parameters(row: Mapping[str, Any], by: Reported) -> list[str]:
    """Return the parameters that a report names: model, operating point and settings."""
    told = {
        "model_sha256": by.digest,
        "operating_point": row["operating_point"] or "none",
        "threshold": by.point.threshold if by.point else None,
        "chosen": by.point.aim if by.point else None,
        "meant_for_share_of_melanoma": row["meant_for"],
        "share_of_melanoma": row["prevalence"],
        "patient_data_used": row.get("metadata"),
    }
    known = {name: value for name, value in told.items() if value is not None}
    shown = [
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in known.items()
        if value == value
    ]
    return [_plain(each) for each in (*shown, *by.settings)]


def _plain(text: str) -> str:
    """Return `text` in ASCII, which every DICOM character set has; else a letter is `?`."""
    return text.encode("ascii", "replace").decode()


def _name(image_id: str, taken: set[str]) -> str:
    stem = wanted = re.sub(r"[^\w.-]+", "_", image_id).strip("._")[-80:] or "image"
    number = 2
    while stem.casefold() in taken:
        stem, number = f"{wanted}-{number}", number + 1
    taken.add(stem.casefold())
    return f"{stem}.sr.dcm"


def _new_uid() -> str:
    from pydicom.uid import generate_uid

    return str(generate_uid(prefix=None))


@contextmanager
def _as_it_is() -> Iterator[None]:
    """Let pydicom copy values unchanged, without errors where they break the standard."""
    from pydicom.config import disable_value_validation

    with warnings.catch_warnings(action="ignore"), disable_value_validation():
        yield
