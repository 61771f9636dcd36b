"""Which columns hold the items of which subscale: by a pattern, by names in order, by a mapping, or by usual names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..errors import StudyError, did_you_mean
from ._instrument import Instrument

__all__ = ["columns_of"]

Names = tuple[str, ...]


def columns_of(
    key: Instrument, columns: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None, present: Sequence[str]
) -> dict[str, Names]:
    """The columns of each subscale that can be scored.

    Raises
    ------
    StudyError
        `E-STUDY-INSTRUMENT` where columns are not there, too few or too many, or their subscale is not known.
    """
    if isinstance(columns, Mapping):
        return {name: _subscale(key, name, own, present) for name, own in columns.items()}
    if isinstance(columns, str):
        columns = _pattern(columns, key.numbers, present)
    if columns is None:
        columns = _usual(key, present)
    return _by_number(key, _checked(columns, present), present)


def _subscale(key: Instrument, name: str, own: str | Sequence[str], present: Sequence[str]) -> Names:
    if name not in key.subscales:
        raise StudyError(
            "E-STUDY-INSTRUMENT",
            f"`{key.key}` has no subscale `{name}`.",
            f"Its subscales are: {', '.join(key.subscales)}.",
            did_you_mean(name, key.subscales),
        )
    part = key.subscales[name]
    names = _checked(_pattern(own, part.items, present) if isinstance(own, str) else own, present)
    if part.n_items is not None and len(names) != part.n_items:
        raise _count(f"{key.key}.{name}", len(names), part.n_items)
    return names


def _by_number(key: Instrument, names: Names, present: Sequence[str]) -> dict[str, Names]:
    """Columns in the order of the instrument, dealt out to its subscales."""
    single = next(iter(key.subscales.values())) if len(key.subscales) == 1 else None
    if single is not None and not key.numbers:
        return {single.name: _subscale(key, single.name, names, present)}
    if key.numbers and len(names) != len(key.numbers):
        raise _count(key.key, len(names), len(key.numbers))
    number = dict(zip(key.numbers, names, strict=True)) if key.numbers else {}
    found = {}
    for part in key.subscales.values():
        if part.takes_all:
            found[part.name] = names
        elif part.items:
            found[part.name] = tuple(number[item] for item in part.items)
    if found:
        return found
    sizes = ", ".join(f"{part.name}: {part.n_items or 'some'}" for part in key.subscales.values())
    example = ", ".join(f'"{name}": [...]' for name in key.subscales)
    raise StudyError(
        "E-STUDY-INSTRUMENT",
        f"The package does not know which items of `{key.key}` belong to which subscale ({sizes}).",
        "`columns` then maps subscales to their columns.",
        f"Write columns={{{example}}} after the manual.",
    )


def _usual(key: Instrument, present: Sequence[str]) -> Names:
    usual = tuple(key.columns.replace("{item}", str(item)) for item in key.numbers) if key.columns else ()
    if usual and set(usual) <= set(present):
        return usual
    if not key.numbers or len(present) == len(key.numbers):
        return tuple(present)
    hint = f", or are called {usual[0]} to {usual[-1]}" if usual else ""
    raise StudyError(
        "E-STUDY-INSTRUMENT",
        f"Which of the {len(present)} columns are the {len(key.numbers)} items of `{key.key}` cannot be told.",
        f"The frame has the items only, in their order{hint}; otherwise `columns` names them.",
        'Write columns="b{item}" or columns=["b1", "b2", ...].',
    )


def _pattern(pattern: str, numbers: Sequence[int], present: Sequence[str]) -> Names:
    if pattern.count("{item}") != 1:
        raise StudyError(
            "E-STUDY-INSTRUMENT",
            f"The pattern of columns is {pattern!r}.",
            "A pattern holds {item} once, where the number of the item stands.",
            'Write for example columns="b{item}".',
        )
    if numbers:
        return tuple(pattern.replace("{item}", str(item)) for item in numbers)
    form = re.compile(re.escape(pattern).replace(re.escape("{item}"), r"(\d+)"))
    found = sorted((int(match[1]), name) for name in present if (match := form.fullmatch(name)))
    if not found:
        raise StudyError(
            "E-STUDY-INSTRUMENT",
            f"No column has the form {pattern!r}.",
            f"The columns are: {', '.join(present[:12])}.",
            "Write the names of the columns instead.",
        )
    return tuple(name for _, name in found)


def _checked(names: Sequence[str], present: Sequence[str]) -> Names:
    names = tuple(str(name) for name in names)
    known = set(present)
    for name in names:
        if name not in known or present.count(name) > 1:
            raise StudyError(
                "E-STUDY-INSTRUMENT",
                f"There is no column `{name}`." if name not in known else f"There are two columns `{name}`.",
                f"The columns are: {', '.join(present[:12])}{' ...' if len(present) > 12 else ''}.",
                did_you_mean(name, present) or "Name the columns of the items.",
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise StudyError(
            "E-STUDY-INSTRUMENT",
            f"Column `{twice[0]}` is named twice." if twice else "No column is named.",
            "Each item has its own column.",
            "Correct the list.",
        )
    return names


def _count(what: str, given: int, needed: int) -> StudyError:
    return StudyError(
        "E-STUDY-INSTRUMENT",
        f"{given} column{' is' if given == 1 else 's are'} named for `{what}`.",
        f"It has {needed} item{'' if needed == 1 else 's'}.",
        "Name one column for each item, in the order of the instrument.",
    )
