"""Zip archives (DOCX, XLSX) with the same bytes from the same content, whenever and wherever they are written."""

from __future__ import annotations

import io
import zipfile

__all__ = ["stable_zip"]

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip entry can bear."""
_FIRST_ENTRIES = ("[Content_Types].xml", "mimetype")
"""Entries that readers of packages look for first."""
_UNIX = 3
_ORDINARY_FILE = 0o644 << 16


def stable_zip(data: bytes) -> bytes:
    """The archive with its entries in the order of their names, all of 1980-01-01, none with the marks of a machine.

    What an entry holds is not changed. python-docx stamps each entry with the time of writing, so that its bytes differ
    from one second to the next.

    Raises
    ------
    ValueError
        Where two entries have one name.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(stream, "w") as made:
        names = [entry.filename for entry in given.infolist() if not entry.is_dir()]
        if len(set(names)) < len(names):
            raise ValueError("two entries of the archive have one name")
        for name in sorted(names, key=lambda name: (name not in _FIRST_ENTRIES, name)):
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _ORDINARY_FILE
            made.writestr(entry, given.read(name), compresslevel=9)
    return stream.getvalue()
