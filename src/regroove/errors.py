"""Errors that a user can act on.

Every message is one clear sentence. The command line prints it and exits with code 2.
"""


class RegrooveError(Exception):
    """Root of every error that this package raises on purpose."""


class AudioError(RegrooveError):
    """A recording cannot be read, written or processed."""


class SettingsError(RegrooveError):
    """An option is unknown, malformed or contradicts another."""


class ModelError(RegrooveError):
    """A model is unknown, damaged or of the wrong kind."""


class ArchiveError(RegrooveError):
    """A batch cannot be begun or go on: its folder, its journal or its workers do not allow it."""


class MissingDependencyError(RegrooveError):
    """An optional package or program is not installed."""
