"""LaTeX that is only words, whatever a label says."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from handmade import PAYLOADS

from burnout_stats.display import Column, Hidden, Interval, Missing, Row, Table, to_latex
from burnout_stats.display.escape_latex import for_latex

LABELS = (
    *PAYLOADS,
    "".join(map(chr, range(32, 127))),
    " ".join(map(chr, range(0xA1, 0x250))),
    " ".join(chr(code) for code in range(0x370, 0x400) if unicodedata.category(chr(code))[0] != "C"),
    "x² 10⁻³ n₁ ½ ﬁ ™ x̄ p̂ ≠ ≤ √ — − β σ² bjørn Þór « שלום 日本 😀 -- '' `` ,, !` ^^41",
    r"\input{/etc/passwd} \write18{x} \catcode`\%=12 \end{tabular}",
    "[1]",
    "*",
)


def table() -> Table:
    rows = [Row((label, -0.5, Interval(-1.2, 0.3), 0.00001), label if k % 2 else "") for k, label in enumerate(LABELS)]
    rows.append(Row(("few", Hidden(), Missing("nobody & nothing"), 0.2)))
    return Table(
        title=LABELS[0],
        columns=(
            Column("label", LABELS[3]),
            Column("estimate", "Change", "estimate", spanner="A_b & c"),
            Column("conf", "95% CI", "interval", spanner="A_b & c"),
            Column("p", "p", "p", symbol=True),
        ),
        rows=tuple(rows),
        notes=LABELS,
    )


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_ascii_and_its_specials_are_escaped(label: str) -> None:
    text = for_latex(label)
    assert text.isascii()
    assert not re.search(
        r"(?<!\\)[$&#%_~^]", re.sub(r"\\ensuremath\{[^}]*(\{[^}]*\})*[^}]*\}", "", text).replace("~", "")
    )
    assert "\n" not in text


def test_no_command_of_a_label_survives() -> None:
    told = for_latex(r"\input{a} \write18{rm} $\frac{1}{$ #1 ^^41 %")
    assert told.startswith(r"\textbackslash{}input\{a\} \textbackslash{}write18\{rm\} \$\textbackslash{}frac")
    assert r"\^{}\^{}41 \%" in told


def test_letters_and_signs_of_science() -> None:
    assert for_latex("−") == r"\ensuremath{-}"
    assert for_latex("β") == r"\ensuremath{\beta}"
    assert for_latex("χ²") == r"\ensuremath{\chi}\ensuremath{^{2}}"
    assert for_latex("Åse Bjørn Þór") == r"\r{A}se Bj\o{}rn {\fontencoding{T1}\selectfont\TH}\'{o}r"
    assert for_latex("a--b") == "a-{}-b"
    assert for_latex("ש") == "{[}U+05E9{]}"
    assert for_latex("[x]") == "{}[x]"


def test_rules_spanners_groups_and_notes() -> None:
    text = to_latex(table())
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1
    assert r"\cmidrule(lr){2-3}" in text
    assert r"\multicolumn{2}{c}{A\_b \& c}" in text
    assert r"\multicolumn{4}{@{}l}{\textbf{" in text
    assert r"\textit{hidden}" in text
    assert r"nobody \& nothing" in text
    assert r"\hline" not in text
    cells = [len(re.split(r"(?<!\\)&", line)) for line in text.splitlines() if line.endswith(r"\\") and "&" in line]
    assert set(cells) <= {3, 4}  # the line of the spanner has one cell over two columns


def test_decimal_comma() -> None:
    text = to_latex(table(), "apa", language="nb")
    assert r"\ensuremath{-}0,50" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX on this machine")
@pytest.mark.parametrize("preamble", ["", r"\usepackage[T1]{fontenc}"])
def test_pdflatex_sets_it_with_booktabs_only(preamble: str, tmp_path: Path) -> None:
    body = to_latex(table()) + to_latex(table(), language="nb")
    head = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n{preamble}\n"
    source = f"{head}\\begin{{document}}\n{body}\\end{{document}}\n"
    (tmp_path / "t.tex").write_text(source, encoding="ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert found.returncode == 0, found.stdout[-2000:]
    assert b"Missing character" not in found.stdout
