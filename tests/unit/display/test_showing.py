"""Great tables, showing, and progress."""

from __future__ import annotations

import re
import sys
import types

import pytest
from handmade import PAYLOADS

from burnout_stats.display import Column, Hidden, Row, Shown, Table, teller
from burnout_stats.display import progress as progress_module


def table(label: str = "baseline") -> Table:
    columns = (Column("a", label), Column("b", "Change", "estimate", spanner=label), Column("p", "p", "p", symbol=True))
    rows = (Row((label, -0.5, 0.0001), label), Row(("few", Hidden(), 0.2), "other"))
    return Table(title=label, columns=columns, rows=rows, notes=(label,))


class Result(Shown):
    __slots__ = ("_secret", "open")

    def _tables(self) -> tuple[Table, ...]:
        return table(), table("second")


@pytest.mark.parametrize("label", PAYLOADS)
def test_great_tables_gets_words_only(label: str) -> None:
    pytest.importorskip("great_tables")
    text = table(label).to_great_tables().as_raw_html()
    tags = set(re.findall(r"<\s*([a-zA-Z!/][a-zA-Z]*)", text))
    assert {tag.lstrip("/") for tag in tags} <= {
        "div",
        "style",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "span",
        "i",
    }
    assert text == table(label).to_great_tables().as_raw_html()
    assert "−0.50" in text
    assert "hidden" in text


def test_great_tables_in_norwegian() -> None:
    pytest.importorskip("great_tables")
    assert "−0,50" in table().to_great_tables(language="nb").as_raw_html()


def test_every_representation_comes_from_the_tables() -> None:
    result = Result()
    assert result._repr_html_().count("<table") == 2
    assert result._repr_html_().count("<style") == 1
    assert result._repr_markdown_().count("| :---") == 2
    assert result._repr_latex_().count(r"\begin{table}") == 2
    assert str(result).count("Change") == 2
    assert "show" in dir(result)
    assert "open" in dir(result)
    assert "_secret" not in dir(result)


def test_show_writes_text_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Result().show()
    assert capsys.readouterr().out == f"{Result()}\n"
    table().show()
    assert capsys.readouterr().out == f"{table()}\n"


def test_show_displays_in_a_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[object] = []
    running = types.ModuleType("IPython")
    running.get_ipython = lambda: types.SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    screen = types.ModuleType("IPython.display")
    screen.display = seen.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", running)
    monkeypatch.setitem(sys.modules, "IPython.display", screen)
    result = Result()
    result.show()
    assert seen == [result]
    assert capsys.readouterr().out == ""


def somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


class Recorder:
    """Stands for a bar."""

    n = 0

    def __init__(self, total: int) -> None:
        self.total, self.said, self.is_closed = total, [], False

    def set_description_str(self, what: str, *, refresh: bool) -> None:
        assert not refresh
        self.said.append(what)

    def update(self, more: int) -> None:
        self.n += more

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.usefixtures("capsys")
def test_a_bar_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_watches(monkeypatch)
    bars: list[Recorder] = []
    monkeypatch.setattr(progress_module, "_opened", lambda total: bars.append(Recorder(total)) or bars[-1])
    tell = teller(None)
    assert tell is not None
    tell(1, 4, "drawing \x1b[31m")
    tell(3, 4, "drawing ::error::")
    assert (bars[0].n, bars[0].is_closed) == (3, False)
    assert not any("\x1b" in said or "::" in said for said in bars[0].said)
    tell(4, 4, "done")
    assert (bars[0].n, bars[0].is_closed) == (4, True)
    tell(1, 2, "a second phase")
    assert [bar.total for bar in bars] == [4, 2]


def test_the_bar_of_tqdm_opens_late_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tell = teller(True)
    assert tell is not None
    for done in range(4):
        tell(done, 3, "quick")
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.parametrize("variable", ["CI", "TQDM_DISABLE"])
@pytest.mark.usefixtures("capsys")
def test_no_bar_in_ci(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_watches(monkeypatch)
    assert teller(None) is not None
    monkeypatch.setenv(variable, "1")
    assert teller(None) is None
    assert teller(True) is not None


def test_no_bar_without_a_terminal_and_silence_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert teller(None) is None
    assert teller(False) is None
    calls: list[tuple[int, int, str]] = []
    own = lambda done, total, what: calls.append((done, total, what))  # noqa: E731
    assert teller(own) is own
