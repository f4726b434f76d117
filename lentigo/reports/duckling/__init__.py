"""The lesions of each patient on disk, the odd one framed."""
