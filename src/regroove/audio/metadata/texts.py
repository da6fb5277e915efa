"""Texts of unknown encoding: nothing is replaced, and what is not UTF-8 is reported."""


def decoded(content: bytes) -> tuple[str, str | None]:
    """The text, and the encoding's name where it is not UTF-8.

    >>> decoded("Für Elise".encode("latin-1") + b"\\0")
    ('Für Elise', 'windows-1252')
    """
    content = content.rstrip(b"\0")
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "windows-1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "ISO 8859-1"


def encoding_note(encodings: set[str]) -> tuple[str, ...]:
    """The sentence about texts that were not UTF-8.

    >>> encoding_note({"windows-1252"})
    ('Texts that are not UTF-8 were taken for windows-1252.',)
    """
    return (f"Texts that are not UTF-8 were taken for {' and '.join(sorted(encodings))}.",) if encodings else ()
