"""Names and values of columns of a prediction table; a light import."""

ABSTAIN, STRANGENESS = "abstain", "strangeness"
"""Names of two columns: whether the model abstains from an answer (yes or no), and the
out-of-distribution score of the image; if the score is above 1, the model abstains."""
YES, NO = "yes", "no"
REFUSED, SHOWN = "not answered", "shown, but should not be answered"
"""First words of the column `reason` for an image on which the model abstains: in a row
without a probability (REFUSED), and in a row that shows one all the same (SHOWN)."""
CONTEXT = "context"
"""Name of the column with the number of the patient's other lesions that an answer counts,
in predictions of a model that compares a patient's lesions."""
COULD_BE = "could_be"
"""Name of the column with the conformal prediction set of 90 % coverage: melanoma, not
melanoma, or both."""
COULD_BE_DIAGNOSES = "could_be_diagnoses"
"""Name of the column with the diagnoses that stay possible at 90 %, melanoma first."""
BETWEEN = "; "
"""What stands between the diagnoses in that column."""
