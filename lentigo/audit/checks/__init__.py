"""The checks of an audit; each one looks for one kind of problem and returns findings."""
