"""Formulas of the site as MathML, which browsers set by themselves: no script, nothing fetched."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

OPERATOR = re.compile(r"(<m[io]>(?:log|det|exp|max|min)</m[io]>)")


def _markup(node: Any, display: str) -> str:
    """MathML, with a thin space on either side of a named function."""
    markup = convert(unescape(node.astext()), display=display)
    return OPERATOR.sub(r'<mspace width="0.17em"></mspace>\1<mspace width="0.17em"></mspace>', markup)


def _inline(self: Any, node: Any) -> None:
    self.body.append(_markup(node, "inline"))
    raise SkipNode


def _block(self: Any, node: Any) -> None:
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    self.body.append(f'<div class="math">{number}{_markup(node, "block")}</div>')
    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer as `mathml`."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
