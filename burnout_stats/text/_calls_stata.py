"""The call of Stata: `mixed`, with `lincom` for the contrasts.

Stata has no quoting for names: a column whose name is no plain word has to be renamed, and the script says which.

**Source**: Stata's help for `mixed` (options `residuals()`, `dfmethod()` with `eim` and `oim`; weights and
`vce(robust)` are refused with `reml`), `lincom` (option `small`) and `import delimited`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..design.parse import Factor, Random, Term
from ._calls_question import DATA, Question
from ._calls_quoting import comment, stata_text
from ._calls_stata_columns import DFMETHODS, has_df, value_of
from ._calls_stata_contrasts import contrasts

__all__ = ["stata"]

RESIDUALS: Mapping[str, str] = {
    "us": "unstructured, t({visit}){by}",
    "cs": "exchangeable{by_alone}",
    "ar1": "ar 1, t({visit}){by}",
    "toep": "toeplitz {lags}, t({visit}){by}",
    "sp_exp": "exponential, t({years}){by}",
}
LINEAR = frozenset({"us", "cs", "toep", "random"})
"""Structures whose Kenward-Roger adjustment has no second-order term."""


def stata(asked: Question) -> str:
    """The script of Stata."""
    why = _refusal(asked)
    heading = f"* {_title(asked)}"
    if why:
        return f"{heading}\n* No equivalent call: {why}.\n"
    lines = [
        heading,
        f"* {DATA}",
        *(f"* Note: {remark}." for remark in _remarks(asked)),
        "version 15",
        *_data(asked),
        _mixed(asked),
        *contrasts(asked),
    ]
    return "\n".join(lines) + "\n"


def _title(asked: Question) -> str:
    spec = asked.fit.spec
    return comment(f"{spec.formula}; {spec.structure_name} covariance, {spec.method.upper()}")


def _refusal(asked: Question) -> str:
    spec = asked.fit.spec
    if asked.fit.has_probability_weights:
        return "mixed refuses weights with reml, and its sampling weights are scaled by level"
    if not asked.random and spec.structure_code not in RESIDUALS:
        return f"mixed has no {spec.structure_name} structure of residuals"
    for part in asked.random:
        if any(len(term) > 1 or asked.categories(term[0].variable) for term in part.terms):
            return "mixed has no random effects of a factor or an interaction under a short name"
    return ""


def _remarks(asked: Question) -> list[str]:
    spec = asked.fit.spec
    remarks = []
    for name in asked.columns:
        if not _is_name(asked.files[name]):
            old = comment(asked.files[name])
            remarks.append(
                f"Stata cannot quote a name: call the column {old} by the name {asked.names[name]}_raw first"
            )
    method, remark = DFMETHODS[asked.df_method]
    remarks += [remark] if remark else []
    if spec.method == "ml" and method.startswith(("kroger", "satterthwaite")):
        remarks.append("mixed has these df under reml only; tests here use the normal distribution")
    elif asked.df_method.startswith("kenward-roger") and spec.structure_code not in LINEAR:
        remarks.append("the manual does not say whether the second-order term is kept: SEs may differ")
    if asked.vcov != "model":
        remarks.append(
            f"mixed has no robust covariance {asked.vcov} with reml; the SEs printed here are the model's own"
        )
    if any(factor.transform == "coded" for term in asked.formula.terms for factor in term):
        remarks.append("every factor is coded against its first level: coefficients differ, means and contrasts do not")
    if asked.asked is not None and asked.asked.adjust != "none":
        remarks.append(f"p values here are not adjusted; the analysis adjusted them by {asked.asked.adjust}")
    if asked.unasked:
        remarks.append(f"contrasts are left out, because {asked.unasked}")
    return remarks


def _is_name(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", name) is not None


def _data(asked: Question) -> list[str]:
    names = asked.names
    lines = [f"import delimited using {_file(asked.data)}, clear varnames(1) case(preserve) stringcols(_all)"]
    for place, name in enumerate(asked.sources, start=1):
        file = asked.files[name]
        lines.append(f"rename {file if _is_name(file) else names[name] + '_raw'} _c{place}")
    for place, name in enumerate(asked.sources, start=1):
        new, levels = names[name], asked.categories(name)
        if levels:
            lines.append(f"generate int {new} = .")
            for code, level in enumerate(levels, start=1):
                told = comment(level)
                lines.append(f"replace {new} = {code} if _c{place} == {stata_text(level)} // {told}")
        elif name == "years":
            continue
        elif asked.is_number(name):
            lines.append(f"generate double {new} = real(_c{place})")
        else:
            lines.append(f"egen long {new} = group(_c{place})")
    if "years" in names:
        lines.append(f"generate double {names['years']} = .")
        lines += [
            f"replace {names['years']} = {value} if {names['visit']} == {code}"
            for code, value in enumerate(asked.years, start=1)
        ]
    lines.append(f"drop if missing({', '.join(names.values())})")
    lines += [
        f"generate double {made} = {value_of(asked, factor, names[factor.variable])}"
        for factor, made in asked.made.items()
    ]
    weights, subject = asked.fit.spec.weights, names["subject"]
    if weights:
        lines += [
            f"expand {names[weights]}",
            f"bysort {subject} {names['visit']}: generate int _k = _n",
            f"egen long _copy = group({subject} _k)",
            f"replace {subject} = _copy",
        ]
    return lines


def _file(name: str) -> str:
    safe = re.fullmatch(r"[\w .:/-]+", name) is not None
    return f'"{name}"' if safe else '"cohort.csv"'


def _mixed(asked: Question) -> str:
    spec, names = asked.fit.spec, asked.names
    fixed = [_term(asked, term) for term in asked.formula.terms]
    if not asked.formula.intercept:
        first = next((k for k, term in enumerate(asked.formula.terms) if asked.categories(term[0].variable)), None)
        if first is not None:
            fixed[first] = f"ibn{fixed[first][1:]}"
        fixed.append(", noconstant")
    cluster = [f"|| {names[asked.clusters]}:"] if asked.clusters else []
    if asked.random:
        levels = [_random(asked, part) for part in asked.random]
        options = []
    else:
        by = f" by({names[spec.covariance_by]})" if spec.covariance_by else ""
        structure = RESIDUALS[spec.structure_code].format(
            visit=names["visit"],
            years=names.get("years", ""),
            lags=len(asked.levels) - 1,
            by=by,
            by_alone=f",{by}" if by else "",
        )
        levels = [f"|| {names['subject']}:, noconstant"]
        options = [f"residuals({structure})"]
    method = DFMETHODS[asked.df_method][0]
    if method and has_df(asked):
        options.append(f"dfmethod({method})")
    options.append("reml" if spec.method == "reml" else "mle")
    separator = " " if "," in levels[-1] else ", "
    return f"mixed {asked.outcome} {' '.join([*fixed, *cluster, *levels])}{separator}{' '.join(options)}"


def _term(asked: Question, term: Term) -> str:
    return "#".join(_factor(asked, factor) for factor in term)


def _factor(asked: Question, factor: Factor) -> str:
    name = asked.made.get(factor, asked.names[factor.variable])
    return f"i.{name}" if asked.categories(factor.variable) else f"c.{name}"


def _random(asked: Question, part: Random) -> str:
    made = asked.made
    slopes = [made.get(term[0], asked.names[term[0].variable]) for term in part.terms]
    options = [] if part.intercept else ["noconstant"]
    if slopes:
        options.append(f"covariance({'unstructured' if part.correlated else 'independent'})")
    body = f"|| {asked.names['subject']}: {' '.join(slopes)}".rstrip()
    return f"{body}, {' '.join(options)}" if options else body
