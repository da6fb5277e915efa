"""The version of this package, where every room of it can read it."""

__version__ = "0.4.0"
