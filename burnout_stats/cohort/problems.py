"""From pydantic's findings to problems in our words: the key path as a user writes it, what was seen, what was
expected, the nearest name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Problem, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["key_path", "problems"]

KINDS = {
    "string_type": "It is a text in quotes.",
    "int_type": "It is a whole number.",
    "float_type": "It is a number.",
    "bool_type": "It is true or false.",
    "list_type": "It is a list in square brackets.",
    "tuple_type": "It is a list in square brackets.",
    "dict_type": "It is a table: keys with values.",
    "model_type": "It is a table: keys with values.",
    "model_attributes_type": "It is a table: keys with values.",
}


def key_path(parts: Sequence[str | int]) -> str:
    """The path of a key as a study file writes it.

    >>> key_path(["outcomes", "exhaustion", "range", 0])
    'outcomes.exhaustion.range[0]'
    >>> key_path(["visits", "1 year"])
    'visits."1 year"'
    """
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{name}" if text else name
    return text


def problems(findings: Sequence[ErrorDetails], schema: Mapping[str, Any]) -> list[Problem]:
    """The findings of pydantic as problems; `schema` is the JSON Schema of the file, which knows the names that would
    have been right.
    """
    places = [finding["loc"] for finding in findings]
    first = [
        finding
        for finding in findings
        if finding["type"] != "too_short"
        or not any(
            len(place) > len(finding["loc"]) and place[: len(finding["loc"])] == finding["loc"] for place in places
        )
    ]
    return [_problem(finding, schema) for finding in first]


def _problem(finding: ErrorDetails, schema: Mapping[str, Any]) -> Problem:
    parts = _written(finding["loc"], schema)
    path, last = key_path(parts), str(parts[-1]) if parts else ""
    kind = finding["type"]
    if kind == "extra_forbidden":
        what = "Table" if isinstance(finding["input"], dict) else "Key"
        known = sorted(_node(parts[:-1], schema).get("properties", {}))
        where = f"[{key_path(parts[:-1])}]" if len(parts) > 1 else "A study file"
        return Problem(
            "E-STUDY-KEY",
            f"{what} `{path}` is not known.",
            f"{where} may hold: {', '.join(known)}.",
            did_you_mean(last, known) or "Remove it, or look at `burnout-stats schema`.",
        )
    if kind == "missing":
        required = _node(parts, schema).get("description", "It has no default.")
        return Problem("E-STUDY-MISSING", f"`{path}` is missing.", str(required), f"Add {_example(parts)}.")
    given = finding["input"]
    seen = f"[{path}] cannot be used as it stands." if isinstance(given, dict) else f"`{path}` is {_shown(given)}."
    if kind in ("literal_error", "enum"):
        names = re.findall(r"'([^']+)'", str(finding.get("ctx", {}).get("expected", "")))
        expected = f"It is one of: {', '.join(names)}."
        near = did_you_mean(given, names) if isinstance(given, str) else ""
        return Problem("E-STUDY-VALUE", seen, expected, near or f'Write for example {last} = "{names[0]}".')
    node = _node(parts, schema)
    described = "" if "properties" in node else str(node.get("description", ""))
    expected = KINDS.get(kind) or _sentence(finding["msg"])
    return Problem("E-STUDY-VALUE", seen, expected, described or "See `burnout-stats schema` for what may stand here.")


def _written(loc: Sequence[str | int], schema: Mapping[str, Any]) -> list[str | int]:
    """The location without the marks that pydantic adds for unions and for keys of dictionaries."""
    parts: list[str | int] = []
    for part in loc:
        if part == "[key]":
            continue
        if isinstance(part, int) or _node([*parts, part], schema) or not _closed(parts, schema):
            parts.append(part)
    return parts


def _closed(parts: Sequence[str | int], schema: Mapping[str, Any]) -> bool:
    """Whether the node is a plain value, below which no key can stand."""
    node = _node(parts, schema)
    return bool(node) and not ("properties" in node or "additionalProperties" in node)


def _node(parts: Sequence[str | int], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of the key at this path; empty where there is none."""
    node: Mapping[str, Any] = schema
    for part in parts:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
        elif part in node.get("properties", {}):
            node = node["properties"][part]
        else:
            more = node.get("additionalProperties", {})
            node = more if isinstance(more, Mapping) else {}
    return _resolved(node, schema)


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in node and len(node.get("allOf", ())) == 1:  # older pydantic: a default beside it
        node = {**node["allOf"][0], **{key: value for key, value in node.items() if key != "allOf"}}
    if "anyOf" in node:
        choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
        if len(choices) == 1 and len(choices) < len(node["anyOf"]):  # a table that may be left out
            node = {**choices[0], **{key: value for key, value in node.items() if key != "anyOf"}}
    if "$ref" in node:
        target: Mapping[str, Any] = schema["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]]
        return {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _sentence(message: str) -> str:
    text = message.removeprefix("Input ").removeprefix("Value error, ").strip()
    text = text[:1].upper() + text[1:]
    if text.startswith("Should "):
        text = "It should" + text[6:]
    return text if text.endswith(".") else text + "."


def _example(parts: Sequence[str | int]) -> str:
    examples = {
        "data": '[data] with file = "cohort.csv", subject = "id", visit = "visit"',
        "visits": '[visits] with lines such as "baseline" = 0',
        "outcomes": "[outcomes.<column>] for each score",
        "data.file": 'file = "cohort.csv" to [data]',
    }
    path = key_path(parts)
    above = key_path(parts[:-1])
    return examples.get(path) or (f"{parts[-1]} = ... to [{above}]" if above else f"`{path}`")
