"""Labels that mean harm, one language at a time."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from handmade import PAYLOADS
from hypothesis import given
from hypothesis import strategies as st

from burnout_stats.display.escape import clean, for_csv, for_html, for_markdown, for_terminal


@given(st.text())
def test_html_gives_back_the_text_and_no_element(text: str) -> None:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
            raise AssertionError(tag)

        def handle_data(self, data: str) -> None:
            found.append(data)

    reader = Reader()
    reader.feed(for_html(text))
    reader.close()
    assert "".join(found) == clean(text)
    assert '"' not in for_html(text)


@given(st.text())
def test_nothing_turns_the_line_or_the_terminal(text: str) -> None:
    cleaned = clean(text)
    assert "\n" not in cleaned
    assert "\r" not in cleaned
    assert "\x1b" not in cleaned
    assert "\u202e" not in cleaned


@given(st.text(alphabet=st.sampled_from("|`<[]*_$#:!&\\ab\n")))
def test_markdown_leaves_no_mark_unescaped(text: str) -> None:
    escaped = for_markdown(text)
    assert escaped.replace("\\\\", "").count("|") == escaped.replace("\\\\", "").count("\\|")
    assert "::" not in escaped
    assert "`" not in escaped.replace("\\`", "")
    assert "<" not in escaped.replace("\\<", "")
    assert "$" not in escaped.replace("\\$", "")


def test_markdown_mentions_nobody() -> None:
    assert "@a" not in for_markdown("@all")
    assert for_markdown("a @ b") == "a @ b"


@pytest.mark.parametrize("text", ["::error::stop", "##[error]stop", "a ::debug:: b"])
def test_no_line_commands_a_ci_log(text: str) -> None:
    shown = for_terminal(text)
    assert "::" not in shown
    assert "##[" not in shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_no_spreadsheet_computes_a_label(text: str) -> None:
    assert for_csv(text).startswith("'")


@pytest.mark.parametrize("text", ["-", "1 year - baseline", "a=b", ""])
def test_harmless_labels_stay_as_they_are(text: str) -> None:
    assert for_csv(text) == text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_cleaning_twice_is_cleaning_once(payload: str) -> None:
    assert clean(clean(payload)) == clean(payload)
