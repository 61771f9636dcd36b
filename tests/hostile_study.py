"""A study whose labels, levels, visits, names of columns, identifiers, notes and file name attack every format that is
written; nothing in it may be more than words.
"""

from __future__ import annotations

import json
from pathlib import Path

from cohorts import scores

MARKUP = (
    '<script>alert(1)</script>"><img src=//evil.example/x onerror=alert(2)></title></style></table></td><svg '
    "onload=a()><!-- --> ]]>&lt;"
)
MARKDOWN = "a|b `code` [x](javascript:alert(3)) ![i](//evil.example/y) **b** ~~s~~ # h @everyone <https://evil.example>"
LATEX = "\\input{/etc/passwd}\\write18{id} $x_1^2$ {open} 50% a&b #1 ~ \\verb|x| \\end{tabular}\\\\ }{"
TYPST = '#read("/etc/passwd") #eval("1+1") $x^2$ *b* _i_ @nowhere <label> // gone'
COMMANDS = "::error file=x::forged ##[error]forged ::set-output name=a::b ::add-mask::x"
FORMULA = '=HYPERLINK("http://evil.example","x")'
WORD = '{ SEQ Table } INCLUDEPICTURE "http://evil.example/z" <w:br/><w:p>'
TURNED = "\u202eright to left\u2066\u200f bell\x07 escape\x1b[31m null\x00 line\u2028next\nnew\r\nrow\ttab"
TEMPLATE = "{{ 7 * 191 }}{% for x in y %}${7*191} %s %(a)s {0} {name}"
PATH = "../../../etc/passwd"
LONG = "veryverylong" * 40
TOML = '"]\n[report]\nformats = ["csv"]\n"""'
BROKEN_MATH = "$\\frac{1}$ $\\undefined$ $$"

ATTACKS = (
    MARKUP,
    MARKDOWN,
    LATEX,
    TYPST,
    COMMANDS,
    FORMULA,
    WORD,
    TURNED,
    TEMPLATE,
    PATH,
    TOML,
    BROKEN_MATH,
    "+1+1",
    "@SUM(1)",
    "-2+3",
)
EVERYTHING = " ".join((*ATTACKS, LONG))
FILE = "sc$(touch here) <b>::error::x.csv"
IDENTIFIER = "<b>SECRETPERSON</b>"

SCORE, SECOND = "../score <img src=x> | $a_1$", "=1+1 #b \\input{x} ::error::"
SEX, AGE = "</td><td onclick=x>|&{}%", "@age #eval(1) $"
FEMALE, MALE = "<script>F</script>|$x^2$ \\end{tabular}", "::set-output::=1+1 ${a} #x"
LATER, LAST = "<b>1 year</b> | $y$ ::error:: & \\\\", f"{PATH} #h @nobody {TEMPLATE}"


def write_hostile(folder: Path, *, formats: str = "", more: str = "", n: int = 60) -> Path:
    """The study file beside its data, with sensitivity analyses and a word of attack wherever a word may stand."""
    frame = scores(n, seed=5, seen=0.8).round({"score": 2, "age": 0})
    frame["second"] = (2 + 0.6 * frame["score"]).round(1)
    frame["visit"] = frame["visit"].replace({"1 year": LATER, "3 years": LAST})
    frame["sex"] = frame["sex"].replace({"F": FEMALE, "M": MALE})
    frame["id"] = [f"{IDENTIFIER}{one}" for one in frame["id"]]
    frame = frame.rename(columns={"score": SCORE, "second": SECOND, "sex": SEX, "age": AGE})
    frame.to_csv(folder / FILE, index=False)
    said = json.dumps
    own, everything = dict(enumerate(ATTACKS)), said(EVERYTHING)
    text = f"""\
config_version = 1
title = {everything}
description = {said(chr(10).join(ATTACKS) + chr(10) * 2 + MARKUP)}

[data]
file = {said(FILE)}
subject = "id"
visit = "visit"

[visits]
"baseline" = 0
{said(LATER)} = 1
{said(LAST)} = 3

[outcomes.{said(SCORE)}]
label = {said(MARKUP + LATEX + TYPST)}
unit = {said(own[4])}
instrument = {said(own[2])}
note = {everything}
range = [-5, 11]
better = "lower"

[outcomes.{said(SECOND)}]
label = {said(FORMULA + MARKDOWN + BROKEN_MATH)}
unit = {said(TURNED)}
better = "lower"

[covariates.{said(SEX)}]
label = {said(WORD + COMMANDS)}
levels = [{said(FEMALE)}, {said(MALE)}]

[covariates.{said(AGE)}]
label = {said(LONG + MARKUP)}
unit = {said(LATEX)}

[disclosure]
min_cell = 5

[flow.before]
{said(MARKUP)} = 120
{said(COMMANDS + LATEX)} = 100

[flow.reasons.{said(MARKUP)}]
{said(MARKDOWN)} = 12
{said(TYPST + BROKEN_MATH)} = 8

[estimand]
population = {everything}
variable = {said(LATEX)}
exposure = {said(MARKUP)}
intercurrent_events = [
  {{ event = {said(COMMANDS)}, strategy = "treatment policy", note = {said(WORD)} }},
  {{ event = {said(TOML)}, strategy = "hypothetical" }},
]
summary = {said(MARKDOWN)}

[missing_data]
reasons = {everything}
justification = {said(TYPST)}
complete_records = {said(LATEX)}
sensitivity = {said(FORMULA)}

[analysis]
terms = ["visit", {said(SEX)}, {said(AGE)}]

[analysis.primary]
outcomes = [{said(SCORE)}]
adjust = "holm"

[analysis.adjustment]
{said(SEX)} = {said(MARKUP)}
{said(AGE)} = {everything}

[sensitivity]
outcomes = [{said(SCORE)}]
imputations = 20

[sensitivity.norms.{said(SCORE)}]
mean = 2.5
sd = 0.9
n = 1000
label = {said(LATEX + MARKUP)}
source = {everything}

[sensitivity.stabilities.{said(SCORE)}]
value = 0.6
n = 200
lag = 1
source = {said(MARKDOWN)}

[report]
{formats}
checklist = "strobe"
authors = [{said(MARKUP)}, {said(LATEX + TYPST)}]
funding = {everything}
ethics = {said(COMMANDS)}
{more}
"""
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path
