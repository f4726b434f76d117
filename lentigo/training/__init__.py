"""Training on a lesion table: prepare and split it, train networks, resume a run."""
