"""`read_cohort`: a file or a data frame becomes a checked Cohort, or is refused with all that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload

import pandas as pd

from ..errors import DataError, StudyError, did_you_mean
from ..estimates import Policy
from ..notices import announce
from .assemble import assemble
from .cohort import Cohort, Source
from .columns import MissingCodes
from .dates import Timing
from .declaration import Declaration, covariate_roles, outcome_roles
from .dialects import MAX_BYTES
from .formats import FORMATS
from .opening import open_file, table_of_frame
from .polars import from_polars, is_polars
from .roles import Covariate, Outcome, Visits
from .stream import CohortStream, cohort_stream

__all__ = ["data_bytes", "read_cohort", "read_file", "read_frame"]

Role = TypeVar("Role", Outcome, Covariate)


class Said(TypedDict, total=False):
    """The keywords of `read_cohort` that mean the same for a cohort in memory and for a stream."""

    subject: str | None
    visit: str | None
    times: Mapping[str, float] | None
    outcomes: Iterable[str | Outcome] | Mapping[str, Any] | None
    covariates: Iterable[str | Covariate] | Mapping[str, Any] | None
    missing_codes: Iterable[object]
    wide: str | None
    visit_codes: Mapping[str, str] | None
    separator: str | None
    decimal: str | None
    encoding: str | None
    min_cell: int
    disclosure: Policy | None
    levels: Mapping[str, Iterable[object]] | None
    date: str | None
    windows: Mapping[str, object] | None
    outside: str
    sheet: str | None


@overload
def read_cohort(
    source: str | PathLike[str] | pd.DataFrame, *, stream: Literal[False] = False, **said: Unpack[Said]
) -> Cohort: ...


@overload
def read_cohort(
    source: str | PathLike[str] | pd.DataFrame | Iterable[pd.DataFrame] | Callable[[], Iterable[pd.DataFrame]],
    *,
    stream: Literal[True],
    **said: Unpack[Said],
) -> CohortStream: ...


def read_cohort(
    source: object,
    *,
    subject: str | None = None,
    visit: str | None = None,
    times: Mapping[str, float] | None = None,
    outcomes: Iterable[str | Outcome] | Mapping[str, Any] | None = None,
    covariates: Iterable[str | Covariate] | Mapping[str, Any] | None = None,
    missing_codes: Iterable[object] = (),
    wide: str | None = None,
    visit_codes: Mapping[str, str] | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    min_cell: int = 5,
    disclosure: Policy | None = None,
    levels: Mapping[str, Iterable[object]] | None = None,
    date: str | None = None,
    windows: Mapping[str, object] | None = None,
    outside: str = "keep",
    sheet: str | None = None,
    stream: bool = False,
) -> Cohort | CohortStream:
    """Read and check a cohort from a file or a data frame.

    Without keywords, the study file says what the columns are: `source` is that TOML file, or the data file beside
    which it lies under the same name. With keywords, they say everything and no study file is looked at.

    Parameters
    ----------
    source : path or DataFrame
        CSV in UTF-8, UTF-16 or Windows-1252, separated by comma, semicolon or tab (all three detected); with
        `pip install "burnout-stats[io]"` also Excel (.xlsx, values only), SPSS (.sav, .zsav, .por), Stata (.dta), SAS
        (.sas7bdat, .xpt), Parquet and Feather; or a data frame of pandas or polars. The value labels of statistical
        files become levels and visit labels (numbers of an outcome stay numbers, and declared levels or visits may be
        the codes instead), their variable labels become labels of outcomes and covariates that have none, and their
        user-missing codes are kept in `missing_as`.
    subject, visit : str
        The columns that name a row; `visit` only in a long source.
    times : mapping
        Years since baseline by visit label.
    outcomes : names, or mapping of name to Outcome or its keywords
        The scores.
    covariates : names, or mapping of name to Covariate or its keywords, optional
        Where nothing is said, every other column is one. A column with declared levels is categorical; without, it is
        numeric if every cell is a number, categorical with sorted levels if none is, and refused if it mixes both.
        Undeclared columns that are empty or look like free text are left out with a notice.
    missing_codes : sequence
        Codes that mean "no value" in outcomes and covariates, such as `[99, -9, "."]`, compared as numbers and as text.
        Blank cells and NaN are missing anyway; nothing else is. Which code stood where is kept in `missing_as`.
    wide : str, optional
        The pattern of the columns of a wide source (one row per subject), such as `"{outcome}_{visit}"`. A visit at
        which nothing was measured has no row in the cohort.
    visit_codes : mapping, optional
        What the source writes for a visit, to its label: `{"t0": "baseline"}`.
    separator, decimal, encoding : str, optional
        Declared instead of detected. The decimal mark is that of the whole file.
    min_cell : int
        The smallest number of persons that may be shown.
    disclosure : Policy, optional
        What else may be shown, as `[disclosure]` in a study file: `Policy(10, zeros="hide")`.
    levels : mapping, optional
        Levels of categorical covariates by name, the reference first; the same as `covariates={name: {"levels":
        [...]}}`. The covariates are then those that are named here or there.
    date : str, optional
        The column of the dates of assessment: ISO dates (2004-05-31) or date cells of a frame; in a wide source what
        stands for {outcome} in the names of its columns. The cohort gets the column `exact_years`, years since the
        subject's own date at the visit at 0 years (days / 365.25), and keeps no date.
    windows : mapping, optional
        Days around the nominal day of a visit: `{"1 year": 20, "3 years": {"before": 20, "after": 45}}`.
    outside : {"keep", "drop", "refuse"}
        What happens to an assessment outside the window of its visit; where kept or dropped, a notice counts them.
    sheet : str, optional
        The sheet of an Excel workbook that has several.
    stream : bool
        Read part by part, for data that do not fit in memory: `source` is then a Parquet file or a folder of them
        (`pip install "burnout-stats[io]"`), or data frames one after another (an iterable, or a function that begins
        one anew). The rows of a subject stand together, if need be in two parts that follow each other. Covariates are
        those that are named; without declared levels they are numeric. The decimal mark of text is a point unless
        declared. Nothing is read, and nothing checked, before `fit` goes through it.

    Returns
    -------
    Cohort
        Its notices are also warned once.
    CohortStream
        With `stream=True`; its notices come with the fit.

    Raises
    ------
    DataError
        With everything that is wrong with the data (`.problems`), by line of the file or by row of the frame (as in
        `iloc`).
    StudyError
        Where the call or the study file cannot be understood.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "id": ["007", "007", "008"],
    ...         "visit": ["start", "1 year", "start"],
    ...         "exhaustion": [3.2, 2.8, None],
    ...         "sex": ["F", "F", "M"],
    ...     }
    ... )
    >>> read_cohort(frame, subject="id", visit="visit", times={"start": 0, "1 year": 1}, outcomes=["exhaustion"])
    <Cohort: fewer than 5 subjects, 2 visits, outcomes exhaustion>
    """
    declared: dict[str, Any] = {
        "subject": subject,
        "visit": visit,
        "times": times,
        "outcomes": outcomes,
        "covariates": covariates,
        "missing_codes": tuple(missing_codes) or None,
        "wide": wide,
        "visit_codes": visit_codes,
        "separator": separator,
        "decimal": decimal,
        "encoding": encoding,
        "min_cell": min_cell if min_cell != 5 else None,
        "disclosure": disclosure,
        "levels": levels,
        "date": date,
        "windows": windows,
        "outside": outside if outside != "keep" else None,
        "sheet": sheet,
    }
    given = [name for name, value in declared.items() if value is not None]
    if stream:
        return cohort_stream(as_path(source) if isinstance(source, (str, PathLike)) else source, _declaration(declared))
    if is_polars(source):
        source = from_polars(source)
    if isinstance(source, pd.DataFrame):
        cohort = read_frame(source, _declaration(declared))
    elif not isinstance(source, (str, PathLike)):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The source is a {type(source).__name__}.",
            "It is the path of a data or study file, or a data frame of pandas or polars.",
            "Convert it first, for example with .to_pandas() or .collect(), or read it part by part with stream=True.",
        )
    else:
        path = as_path(source)
        if path.suffix.lower() == ".toml" and given:
            raise StudyError(
                "E-STUDY-BOTH",
                f"A study file is given, and keywords: {', '.join(given)}.",
                "Either the study file says what the columns are, or the call does; they are not merged.",
                "Remove the keywords, or give the path of the data file.",
            )
        if given:
            declaration = _declaration(declared)
            cohort = read_file(path, declaration)
        else:
            cohort = _by_study_file(path)
    announce(cohort.notices)
    return cohort


def as_path(source: str | PathLike[str]) -> Path:
    """The path of a file on this computer.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` for an address on the network or a path that cannot be one.
    """
    text = str(source)
    if "://" in text or "\0" in text:
        raise StudyError(
            "E-STUDY-FILE",
            "The source is not a path." if "\0" in text else "The source is an address on the network.",
            "Only files on this computer are read.",
            "Download the file first.",
        )
    return Path(source)


def read_file(path: Path, said: Declaration) -> Cohort:
    """The cohort of a file as it is declared."""
    raw = data_bytes(path)
    opened = open_file(path, raw, sheet=said.sheet, separator=said.separator, encoding=said.encoding)
    source = Source(
        name=path.name,
        sha256=hashlib.sha256(raw).hexdigest(),
        dialect=opened.dialect,
        rows_read=opened.rows_read,
    )
    del raw
    return _labelled(assemble(opened.table, said, source, opened.notices), opened.labels)


def _labelled(cohort: Cohort, labels: Mapping[str, str]) -> Cohort:
    """The cohort with the file's own labels for outcomes and covariates to which nobody gave one."""

    def named(role: Role) -> Role:
        is_given = role.label != type(role)(role.name).label
        return role if is_given or role.name not in labels else replace(role, label=labels[role.name])

    if not labels:
        return cohort
    return replace(
        cohort,
        outcome_roles={name: named(role) for name, role in cohort.outcome_roles.items()},
        covariate_roles={name: named(role) for name, role in cohort.covariate_roles.items()},
    )


def read_frame(frame: pd.DataFrame, said: Declaration) -> Cohort:
    """The cohort of a data frame as it is declared."""
    return assemble(table_of_frame(frame), said, Source(rows_read=len(frame)), ())


def _declaration(declared: Mapping[str, Any]) -> Declaration:
    absent = [name for name in ("subject", "times", "outcomes") if declared[name] is None]
    if absent:
        raise StudyError(
            "E-STUDY-KEYWORDS",
            f"Not given: {', '.join(f'`{name}`' for name in absent)}.",
            "Without a study file the call says which columns hold subject and outcomes, and when the visits were.",
            'Write read_cohort(..., subject="id", visit="visit", times={"baseline": 0, "1 year": 1}, outcomes=["ee"]).',
        )
    visits = Visits.of(declared["times"])
    return Declaration(
        subject=declared["subject"],
        visit=declared["visit"],
        visits=visits,
        timing=Timing.of(declared["date"], declared["windows"], declared["outside"] or "keep", visits),
        outcomes=outcome_roles(declared["outcomes"]),
        covariates=_covariates(declared["covariates"], declared["levels"]),
        wide=declared["wide"],
        visit_codes={str(code): str(label) for code, label in (declared["visit_codes"] or {}).items()},
        missing=MissingCodes.of(declared["missing_codes"] or ()),
        separator=declared["separator"],
        decimal=declared["decimal"],
        encoding=declared["encoding"],
        sheet=declared["sheet"],
        policy=_policy(declared["min_cell"], declared["disclosure"]),
    )


def _policy(min_cell: int | None, disclosure: Policy | None) -> Policy:
    if disclosure is not None and min_cell is not None and min_cell != disclosure.min_cell:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`min_cell` is {min_cell}, and `disclosure` has {disclosure.min_cell}.",
            "The smallest group that may be shown is said once.",
            "Leave `min_cell` out.",
        )
    return disclosure or Policy(5 if min_cell is None else min_cell)


def _covariates(declared: Any, levels: Mapping[str, Iterable[object]] | None) -> dict[str, Covariate] | None:
    if declared is None and levels is None:
        return None
    roles = covariate_roles(declared or ())
    for name, own in covariate_roles({name: {"levels": own} for name, own in (levels or {}).items()}).items():
        roles[name] = replace(roles[name], levels=own.levels) if name in roles else own
    return roles


def _by_study_file(path: Path) -> Cohort:
    from .sections import read_sections

    if path.suffix.lower() == ".toml":
        return read_sections(path).cohort(path.parent)
    study = path.with_suffix(".toml")
    if not study.is_file():
        raise StudyError(
            "E-STUDY-FILE",
            f"There is no study file `{study.name}` beside the data file.",
            "Without keywords the study file of the same name says what the columns are.",
            "Write it, or give subject, visit, times and outcomes in the call.",
        )
    sections = read_sections(study)
    if (study.parent / sections.data.file).resolve() != path.resolve():
        raise StudyError(
            "E-STUDY-FILE",
            f"The study file `{study.name}` is about the data file `{Path(sections.data.file).name}`.",
            f"Beside `{path.name}` it should be about that file.",
            "Read the study file itself, or correct `data.file` in it.",
        )
    return sections.cohort(study.parent)


def data_bytes(path: Path) -> bytes:
    """The bytes of a data file.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` where there is none.
    DataError
        `E-DATA-SIZE`.
    """
    try:
        if not path.is_file():
            raise StudyError(
                "E-STUDY-FILE",
                f"There is no data file `{path.name}`."
                if not path.exists()
                else f"`{path.name}` is not an ordinary file.",
                "The source is a file on this computer.",
                did_you_mean(path.name, _data_files(path.parent)) or "Check the path.",
            )
        if path.stat().st_size > MAX_BYTES:
            raise DataError(
                "E-DATA-SIZE",
                f"The file has {path.stat().st_size:,} bytes.",
                f"A file may have {MAX_BYTES:,}.",
                "Read it in your own way and hand the data frame to read_cohort.",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise StudyError(
            "E-STUDY-FILE",
            f"The data file `{path.name}` cannot be read ({type(error).__name__}).",
            "The source is a file on this computer.",
            "Check the path and the rights of the file.",
        ) from None


def _data_files(folder: Path) -> list[str]:
    suffixes = {suffix for known in FORMATS.values() if not known.advice for suffix in known.suffixes}
    return [file.name for file in folder.iterdir() if file.suffix.lower() in suffixes] if folder.is_dir() else []
