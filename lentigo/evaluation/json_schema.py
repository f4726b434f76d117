"""The JSON Schema of an evaluation file, made from the registered metrics."""

from __future__ import annotations

from typing import Any

from lentigo.evaluation.registry import METRICS
from lentigo.run_layout import EVALUATION

Schema = dict[str, Any]

_NUMBER: Schema = {"type": ["number", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_INTERVAL: Schema = {"$ref": "#/$defs/interval"}


def evaluation_schema() -> Schema:
    """Return the JSON Schema (2020-12) of the file that `evaluate --out` and a run write.

    An undefined number is null. Every key of an evaluation that the schema does not
    describe is a metric with its interval.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{EVALUATION} of lentigo",
        "description": "Of `lentigo evaluate --out`, or of a run (with `model` in it). "
        "Undefined numbers are null.",
        "if": {"required": ["model"]},
        "then": {"$ref": "#/$defs/run"},
        "else": {"$ref": "#/$defs/evaluation"},
        "$defs": {
            "interval": _interval(),
            "parts": _parts(),
            "repeats": _repeats(),
            "nested": _nested(),
            "refusals": _refusals(),
            "sets": _sets(),
            "diagnosis_sets": _diagnosis_sets(),
            "subgroups": _subgroups(),
            "consequences": _consequences(),
            "evaluation": _evaluation(),
            "run": _run(),
        },
    }


def _interval() -> Schema:
    return {
        "description": "A number with its 95 % interval.",
        "type": "object",
        "required": ["value", "low", "high", "undefined", "rough"],
        "properties": {
            "value": _NUMBER,
            "low": _NUMBER,
            "high": _NUMBER,
            "undefined": {**_COUNT, "description": "Resamples without an answer."},
            "rough": {
                "type": "boolean",
                "description": "Such intervals hold the truth in fewer or more than 93-97 "
                "% of samples.",
            },
        },
        "additionalProperties": False,
    }


def _part() -> Schema:
    return _closed(
        name=_TEXT,
        n_images=_COUNT,
        n_groups=_COUNT,
        n_melanomas=_COUNT,
        auc=_INTERVAL,
    )


def _repeats() -> Schema:
    one = _closed(
        folds={"type": "array", "items": _part()}, pooled=_part(), mean_auc=_NUMBER
    )
    return _open(
        repeats={"type": "array", "items": one},
        mean_interval=_INTERVAL,
        deviation=_NUMBER,
        difference={"anyOf": [_INTERVAL, {"type": "null"}]},
        sentence=_TEXT,
        why=_TEXT,
    )


def _nested() -> Schema:
    one = _closed(name=_TEXT, nested=_INTERVAL, plain=_INTERVAL, inflation=_NUMBER)
    return _closed(
        losses={"type": "array", "items": one},
        folds=_COUNT,
        repeats=_COUNT,
        sentence=_TEXT,
        why=_TEXT,
    )


def _parts() -> Schema:
    return _open(
        parts={"type": "array", "items": _part()},
        mean_auc=_NUMBER,
        pooled_auc=_NUMBER,
        n_groups_in_several=_COUNT,
        why=_TEXT,
    )


def _refusals() -> Schema:
    names = ("share", "group_share", "auc_all", "auc_answered", "gain")
    intervals = dict.fromkeys(names, _INTERVAL)
    counts = dict.fromkeys(("n_images", "n_refused", "n_melanomas_refused"), _COUNT)
    numbers: Schema = {"type": "array", "items": _NUMBER}
    names = ("coverage", "risk", "low", "high", "area")
    curve = _closed(**dict.fromkeys(names, numbers))
    return _open(
        sentence=_TEXT,
        rows={"type": "array", "items": _closed(name=_TEXT, **counts, **intervals)},
        reasons={"type": "object", "additionalProperties": _COUNT},
        unknown=_COUNT,
        curve={"anyOf": [curve, {"type": "null"}]},
    )


def _sets() -> Schema:
    intervals = dict.fromkeys(("held", "held_images", "undecided"), _INTERVAL)
    row = _closed(name=_TEXT, n_images=_COUNT, n_groups=_COUNT, **intervals)
    return _open(promised=_NUMBER, sentence=_TEXT, rows={"type": "array", "items": row})


def _diagnosis_sets() -> Schema:
    names = ("held", "held_images", "size", "elsewhere")
    row = _closed(
        name=_TEXT, n_images=_COUNT, n_groups=_COUNT, **dict.fromkeys(names, _INTERVAL)
    )
    rows = {"type": "array", "items": row}
    return _open(promised=_NUMBER, sentence=_TEXT, n_unknown=_COUNT, rows=rows)


def _subgroups() -> Schema:
    counts = ("n_images", "n_groups", "n_melanomas", "n_melanoma_groups", "n_other_groups")
    group = {
        "type": "object",
        "required": ["name", *counts, "too_few_for", "against_rest"],
        "properties": {
            "name": _TEXT,
            **dict.fromkeys(counts, _COUNT),
            "too_few_for": {"type": ["array", "object"]},
            "against_rest": {"type": "object"},
        },
        "additionalProperties": _INTERVAL,
    }
    return _open(
        column=_TEXT,
        groups={"type": "array", "items": group},
        worst_first=_TEXTS,
        note=_TEXT,
    )


def _consequences() -> Schema:
    known = {
        "name": _TEXT,
        "threshold": _NUMBER,
        "said": _TEXT,
        "prevalence": _NUMBER,
        "at_judged_prevalence": {"type": "boolean"},
        "reasons": {"type": "object"},
    }
    return {
        "description": "What one threshold does at one share of melanoma.",
        "type": "object",
        "required": list(known),
        "properties": known,
        "additionalProperties": _INTERVAL,
    }


_ALWAYS: Schema = {
    "headline": _TEXTS,
    "n_images": _COUNT,
    "n_melanomas": _COUNT,
    "n_groups": _COUNT,
    "unit": {**_TEXT, "description": "What is resampled as a whole: patient, lesion ..."},
    "n_melanoma_groups": _COUNT,
    "n_other_groups": _COUNT,
    "n_named": {**_COUNT, "description": "Images that either table names."},
    "left_out": {"type": "object", "additionalProperties": _COUNT},
    "n_melanomas_left_out": {
        **_COUNT,
        "description": "Melanomas among the images left out, as far as the truth says.",
    },
    "threshold": {"type": "number", "minimum": 0, "maximum": 1},
    "consequences": {"type": "array", "items": {"$ref": "#/$defs/consequences"}},
    "repeats": _COUNT,
    "seed": {"type": "integer"},
    "confusion": {
        "type": "object",
        "required": ["tp", "fp", "tn", "fn"],
        "properties": dict.fromkeys(("tp", "fp", "tn", "fn"), _COUNT),
    },
    "notes": _TEXTS,
    "notice": _TEXT,
}
_SOMETIMES: Schema = {
    "difficulty": {"type": "object"},
    "by_diagnosis": {"type": "array", "items": {"type": "object"}},
    "by_fold": {"$ref": "#/$defs/parts"},
    "by_dataset": {"$ref": "#/$defs/parts"},
    "by_repeat": {"$ref": "#/$defs/repeats"},
    "nested": {"$ref": "#/$defs/nested"},
    "refusals": {"$ref": "#/$defs/refusals"},
    "sets": {"$ref": "#/$defs/sets"},
    "diagnosis_sets": {"$ref": "#/$defs/diagnosis_sets"},
    "subgroups": {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/subgroups"},
    },
    "about_subgroups": _TEXT,
    "mistakes": {"type": "array", "items": {"type": "object"}},
    "operating_points": {"type": "array", "items": {"type": "object"}},
    "absent_operating_points": _TEXTS,
    "brier_parts": {"type": "object"},
    "own_calibration": {
        "type": "object",
        "description": "Before and after the model's own calibration.",
    },
    "beside": {"type": "array", "items": {"type": "object"}},
    "prevalence": {"type": "object"},
    "official": {"type": "array", "items": {"type": "object"}},
    "locked": {"type": "object"},
}


def _evaluation() -> Schema:
    named = {
        name: {**_INTERVAL, "description": metric.summary}
        for name, metric in METRICS.items()
    }
    return {
        "type": "object",
        "required": ["auc", *_ALWAYS],
        "properties": {**named, **_ALWAYS, **_SOMETIMES},
        "additionalProperties": _INTERVAL,
    }


def _run() -> Schema:
    evaluation = {"$ref": "#/$defs/evaluation"}
    return {
        "type": "object",
        "required": ["model", "baseline"],
        "properties": {
            "model": evaluation,
            "baseline": {"anyOf": [evaluation, {"type": ["object", "null"]}]},
        },
    }


def _closed(**properties: Schema) -> Schema:
    return {**_open(**properties), "additionalProperties": False}


def _open(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}
