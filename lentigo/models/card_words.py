"""The sentences of a model card: in English, or in a language that is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lentigo.models.operating_point import OperatingPoint
from lentigo.notice import RESEARCH_ONLY, WITHOUT_LIMIT

INTENDED_USE = (
    f"{RESEARCH_ONLY} Do not use it to diagnose, to treat, or to decide whether somebody "
    "should see a doctor."
)
"""What the model folders that this package writes say of their use."""

ENGLISH: Mapping[str, str] = {
    "title": "Model card: melanoma from dermoscopy",
    "intended_use": INTENDED_USE,
    "not_known": "not known",
    "input_title": "What goes in, what comes out",
    "input": "An image file is brought to {store} × {store} pixels ({fit}), shown to the "
    "network at {size} × {size} ({views}){looks}. Files of more than {most} megapixels are "
    "refused.",
    "fit_stretch": "stretch",
    "fit_crop": "crop",
    "fit_pad": "pad",
    "looks_2": ", once more mirrored",
    "looks_8": ", in 8 views (turned and mirrored)",
    "output": "What comes out is the probability of melanoma, 0 to 1.",
    "output_mean": "The answer is the mean of the networks' logits.",
    "metadata": "Beside the image it takes of the patient, as far as they are known: "
    "{fields}. It answers without them, too.",
    "metadata_age": "age",
    "metadata_sex": "sex",
    "metadata_site": "site",
    "diagnoses": "It also gives the probability of each of these: {diagnoses}.",
    "prevalence": "The probabilities are meant for a share of {share} % melanomas.",
    "abstains": "It abstains from images that are too strange to it; the limit was set on "
    "{on} ({images}).",
    "abstains_never": WITHOUT_LIMIT,
    "networks_title": "Networks",
    "network": "network",
    "backbone": "backbone",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "auc": "AUC on validation",
    "files": "files",
    "millions": "{n} million",
    "auc_note": "The AUC on validation chose the epoch and is too good; see the report.",
    "speeds": "Images a second where it was exported: {speeds}.",
    "core_one": "{n} core",
    "core_more": "{n} cores",
    "training_title": "What it learnt from",
    "learnt": "{images}.",
    "learnt_melanomas": "{images}, {melanomas}.",
    "learnt_groups": "{images} of {groups}.",
    "learnt_both": "{images} of {groups}, {melanomas}.",
    "image_one": "{n} image",
    "image_more": "{n} images",
    "group_one": "{n} group",
    "group_more": "{n} groups",
    "melanoma_one": "{n} melanoma",
    "melanoma_more": "{n} melanomas",
    "recipe": "Recipe {recipe}, seed {seed}.",
    "table": "Digest of ids, groups and labels: {digest}.",
    "teacher": "Taught by a model whose model.json has the digest {digest}.",
    "calibration_title": "Calibration",
    "calibration_none": "None was fitted.",
    "calibration_mean": "The mean",
    "calibration_spread": "not calibrated, but brought to the spread of the networks "
    "beside it on {on} ({images}).",
    "calibration_ranks": "not calibrated; its logits stand for ranks among those of the "
    "networks beside it on {on} ({images}).",
    "calibration_as_it_is": "none: on {on} ({images}, {melanomas}) no map was better "
    "beyond chance.",
    "calibration": "{method}, fitted on {on} ({images}, {melanomas}).",
    "context": "An answer also counts the logits of the same patient's other lesions, "
    "where they are known; fitted on {on} ({images}).",
    "method_none": "none",
    "method_temperature": "temperature",
    "method_platt": "platt",
    "method_beta": "beta",
    "method_isotonic": "isotonic",
    "on_validation images": "validation images",
    "on_validation": "validation",
    "on_out-of-fold images": "out-of-fold images",
    "on_own images": "own images",
    "on_own images without age, sex and site": "own images without age, sex and site",
    "thresholds_title": "Thresholds",
    "thresholds_none": "None was chosen.",
    "threshold": "{name}: from {threshold} upwards, chosen on {on} {aim}.",
    "threshold_absent": "None {aim}. {absent}",
    "thresholds_unread": "Left out, since they cannot be read: {names}.",
    "sets_title": "Which answers stay possible",
    "sets": "Sets of melanoma, no melanoma or both hold the right one for {share} % "
    "of either, each group counting once; set on {on} ({images}; {melanoma} "
    "with melanoma, {other} with another lesion).",
    "sets_diagnoses": "Sets over the full list of diagnoses hold the right one for "
    "{share} % of each of these, likewise: {names}.",
    "sets_always": "Too few to promise anything (fewer than {fewest} groups), and "
    "therefore in every such set: {names}.",
    "made_title": "Made with",
    "licence": "Licence: {licence}.",
    "licence_ours": "that of the training images and of the starting weights",
    "list": "{items} and {last}",
}
"""The sentences of a card, by key."""


def _as_it_is(text: str) -> str:
    return text


def _aim(point: OperatingPoint) -> str:
    return point.aim


def _absent(point: OperatingPoint) -> str:
    return point.absent


@dataclass(frozen=True)
class CardWords:
    """What a model card is written with."""

    texts: Mapping[str, str]
    """Sentences by the keys of `ENGLISH`."""
    number: Callable[[str], str] = _as_it_is
    """Turns a number that Python formatted, as "1,000.5", into that of the language."""
    aim: Callable[[OperatingPoint], str] = _aim
    """Returns the aim of an operating point in words."""
    absent: Callable[[OperatingPoint], str] = _absent
    """Returns in words why an operating point has no threshold."""
    diagnosis: Callable[[str], str] = _as_it_is
    """Returns a diagnosis in the language."""

    def __call__(self, key: str, **values: str) -> str:
        """Return the sentence `key` with `values` in place of {name}."""
        text = self.texts[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def word(self, kind: str, name: str) -> str:
        """Return the word for a `name` of a `kind`; a name without a word stays."""
        return self.texts.get(f"{kind}_{name}", name)

    def counted(self, count: int, thing: str) -> str:
        """Return a count with its noun: `thing` is image, group or melanoma."""
        key = f"{thing}_{'one' if count == 1 else 'more'}"
        return self(key, n=self.number(f"{count:,}"))

    def listed(self, items: list[str]) -> str:
        """Return items as "a, b and c"."""
        if len(items) < 2:
            return "".join(items)
        return self("list", items=", ".join(items[:-1]), last=items[-1])


IN_ENGLISH = CardWords(ENGLISH)
"""The words of the cards that lie in model folders."""
