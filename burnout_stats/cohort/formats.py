"""Which program wrote a file: told by the end of its name and by its first bytes, which must agree.

A file whose name promises a table of text and which holds a workbook would otherwise be read as damaged text, and the
other way round. What is not read is named, with what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ..errors import DataError

__all__ = ["FORMATS", "Format", "format_of", "recognized"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by what people call it, how the names of its files end, and how its bytes begin.

    `advice` says what to do with a file that is not read, and is empty where it is.
    """

    what: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...] = ()
    advice: str = ""


UNPACK = "Unpack it first, and give the file that was in it."
RESAVE = "Save it as .xlsx or as CSV UTF-8 from the program that opens it."
EXPORT = "Export the table as CSV UTF-8 from the program that opens it."

FORMATS = {
    "text": Format("a text file", (".csv", ".tsv", ".txt", ".tab")),
    "excel": Format("an Excel workbook", (".xlsx", ".xlsm")),
    "spss": Format("an SPSS file", (".sav", ".zsav"), (b"$FL2", b"$FL3")),
    "spss_portable": Format("a portable SPSS file", (".por",)),
    "stata": Format("a Stata file", (".dta",), (b"<stata_dta>",)),
    "sas": Format(
        "a SAS data set",
        (".sas7bdat",),
        (bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c",),
    ),
    "sas_transport": Format("a SAS transport file", (".xpt", ".xport"), (b"HEADER RECORD*******LIB",)),
    "parquet": Format("a Parquet file", (".parquet", ".pq"), (b"PAR1",)),
    "feather": Format("a Feather file", (".feather", ".arrow"), (b"ARROW1", b"FEA1")),
    "old_excel": Format("an old or locked Excel workbook", (".xls",), (b"\xd0\xcf\x11\xe0",), RESAVE),
    "binary_excel": Format("a binary Excel workbook", (".xlsb",), (), RESAVE),
    "open_document": Format("an OpenDocument spreadsheet", (".ods",), (), RESAVE),
    "zip": Format("a zip archive", (".zip",), (b"PK\x03\x04", b"PK\x05\x06"), UNPACK),
    "gzip": Format("a gzip archive", (".gz", ".tgz"), (b"\x1f\x8b",), UNPACK),
    "bzip2": Format("a bzip2 archive", (".bz2",), (b"BZh",), UNPACK),
    "xz": Format("an xz archive", (".xz",), (b"\xfd7zXZ",), UNPACK),
    "zstandard": Format("a Zstandard archive", (".zst",), (b"\x28\xb5\x2f\xfd",), UNPACK),
    "seven_zip": Format("a 7-Zip archive", (".7z",), (b"7z\xbc\xaf\x27\x1c",), UNPACK),
    "rar": Format("a RAR archive", (".rar",), (b"Rar!\x1a\x07",), UNPACK),
    "pdf": Format("a PDF document", (".pdf",), (b"%PDF",), EXPORT),
    "r": Format("a file of R objects", (".rds", ".rdata", ".rda"), (b"RDX2", b"RDX3"), EXPORT),
    "hdf5": Format("an HDF5 file", (".h5", ".hdf5"), (b"\x89HDF\r\n",), EXPORT),
    "sqlite": Format("an SQLite database", (".sqlite", ".db"), (b"SQLite format 3\0",), EXPORT),
    "python": Format("a file of Python objects", (".pkl", ".pickle", ".joblib"), (), EXPORT),
}
"""Every format that is known. Only those without advice are read."""

OLD_STATA = frozenset(range(102, 116))
"""First bytes of Stata files before Stata 13; the second is the order of bytes, 1 or 2."""

PORTABLE = b"SPSS PORT FILE"


def recognized(raw: bytes) -> str | None:
    """The key of the format that the first bytes tell; None where they tell none, as text does.

    >>> recognized(b"PAR1...")
    'parquet'
    """
    for key, known in FORMATS.items():
        if any(raw.startswith(magic) for magic in known.magic):
            return _archive(raw) if key == "zip" else key
    if PORTABLE in raw[:400]:
        return "spss_portable"
    return None


def _archive(raw: bytes) -> str:
    """What a zip archive is; the names of its members stand in it uncompressed."""
    for name, key in (
        (b"xl/workbook.bin", "binary_excel"),
        (b"xl/workbook.xml", "excel"),
        (b"opendocument.spreadsheet", "open_document"),
    ):
        if name in raw:
            return key
    return "zip"


def format_of(name: str, raw: bytes) -> str:
    """The key of the format of a file that is read, by its name and its bytes.

    Raises
    ------
    DataError
        `E-DATA-FORMAT` for a format that is not read, or where name and bytes disagree; `E-DATA-EMPTY` for no bytes.
    """
    suffix = PurePath(name).suffix.lower()
    named = next((key for key, known in FORMATS.items() if suffix in known.suffixes), None)
    found = recognized(raw)
    if found is None and named == "stata" and len(raw) > 1 and raw[0] in OLD_STATA and raw[1] in (1, 2):
        found = "stata"
    told = FORMATS[found or named or "text"]
    if told.advice:
        raise DataError("E-DATA-FORMAT", f"The file is {told.what}.", f"Read are: {_read()}.", told.advice)
    if not raw:
        raise DataError("E-DATA-EMPTY", "The file is empty.", "It holds a table.", "Check that it is the right file.")
    if found == named or (found is None and named in (None, "text")):
        return found or "text"
    if found is None:
        raise DataError(
            "E-DATA-FORMAT",
            f"The name of the file ends with {suffix}, but its first bytes are not those of {told.what}.",
            "Name and content of a file agree.",
            "Check that it was copied whole; if it holds text, let its name end with .csv.",
        )
    raise DataError(
        "E-DATA-FORMAT",
        f"The file is {FORMATS[found].what} by its first bytes, and its name ends with {suffix or 'nothing'}.",
        "Name and content of a file agree.",
        f"Let its name end with {FORMATS[found].suffixes[0]}, or save it in the format that its name says.",
    )


def _read() -> str:
    """The formats that are read, in words."""
    return "; ".join(
        f"{known.what.split(' ', 1)[1]} ({', '.join(known.suffixes)})" for known in FORMATS.values() if not known.advice
    )
