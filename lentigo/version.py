"""The version of this package, for those who must not import more."""

__version__ = "0.1.0"
