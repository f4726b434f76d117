"""Every check by name, one line each. Quick to import: `lentigo list checks` reads it."""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "patient-across-split": "a patient on two sides of the split",
    "lesion-across-split": "a lesion on two sides of the split",
    "duplicate-across-split": "one picture on two sides of the split",
    "group-across-split": "a group joined over pictures, on two sides of the split",
    "picture-labels": "one picture that is melanoma and is not",
    "diagnosis-melanoma": "a diagnosis that says another thing than the label",
    "melanoma-not-malignant": "a melanoma that is called benign",
    "target-leak": "a column that is the answer, or known only after the diagnosis",
    "duplicate-images": "one picture in several rows",
    "near-duplicate-labels": "nearly the same picture with two labels",
    "picture-diagnoses": "one picture with two diagnoses",
    "diagnosis-malignant": "a diagnosis that says another thing than malignant",
    "lesion-labels": "a lesion that is melanoma in one image and not in another",
    "lesion-malignant": "a lesion that is malignant in one image and not in another",
    "lesion-diagnoses": "a lesion with two diagnoses",
    "lesion-sites": "a lesion on two sites of the body",
    "lesion-patients": "a lesion number under several patients",
    "patient-sex": "a patient whose sex changes",
    "patient-skin-type": "a patient whose skin type changes",
    "patient-age-backwards": "a patient who is younger later on",
    "patient-age-jumps": "a patient whose ages and dates are different years apart",
    "date-unclear": "a date that is not understood",
    "patient-age-span": "a patient seen over more than ten years",
    "age-too-high": "an age that nobody reaches",
    "age-zero": "an age of 0, an infant or a missing value",
    "repeated-rows": "rows that repeat each other",
    "repeated-images": "an image named twice",
    "repeated-files": "one file under two names",
    "rounded-ids": "ids of patients or lesions that a spreadsheet may have rounded",
    "look-alike-ids": "ids of patients, lesions or images that look alike and differ",
    "image-id-clash": "an image name that means two pictures in two data sets",
    "patient-id-clash": "an archive's patient who differs between data sets",
    "lesion-id-clash": "an archive's lesion that differs between data sets",
    "repeated-patient-ids": "patient numbers that recur between data sets by chance",
    "repeated-lesion-ids": "lesion numbers that recur between data sets by chance",
    "shared-images": "images of the ISIC archive that several data sets hold",
    "shared-patients": "patients of the ISIC archive that several data sets hold",
    "shared-lesions": "lesions of the ISIC archive that several data sets hold",
    "shared-image-labels": "a shared image that is melanoma in one data set only",
    "shared-image-diagnoses": "a shared image with two diagnoses",
    "shared-image-facts": "a shared image with two ages, sexes, sites or lesions",
    "shortcut": "something technical that tells the label",
    "source-label-tie": "the source of an image tells the label",
    "strong-predictor": "a column that tells the label better than age, sex or site do",
    "artefact-tie": "an artefact that goes with a class",
    "no-picture": "images of one colour or of pure noise",
    "blurred": "images out of focus",
    "badly-exposed": "images too dark, too bright or clipped",
    "low-resolution": "images of few pixels",
    "not-skin": "images without the colours of skin",
    "not-dermoscopic": "images unlike dermoscopy",
    "uneven-light": "images lit from one side, as without a dermatoscope",
    "page": "pages of text and drawings",
    "unreadable-image": "files that cannot be decoded, each with its reason",
    "missing-image": "rows of the table without a file",
    "unlabelled": "rows that say neither melanoma nor something else",
    "unbalanced": "parts that are unlike in age, sex, site or diagnosis",
}
"""Check → the problem it looks for. Findings bear these names; `--allow` takes those in
`REFUSALS`."""

REFUSALS = frozenset(
    {
        "patient-across-split", "lesion-across-split", "duplicate-across-split",
        "group-across-split", "picture-labels", "diagnosis-melanoma",
        "melanoma-not-malignant", "target-leak", "repeated-images",
        "shared-image-labels",
    }
)  # fmt: skip
"""Checks that may refuse a table, so `--allow` takes their names; all others only warn or
note."""
