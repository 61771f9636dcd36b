"""The call of SAS: PROC MIXED.

Factors are recoded to whole numbers with the reference level last, which is where SAS puts it; the visits of REPEATED
keep the order of time.

**Source**: SAS/STAT User's Guide, "The MIXED Procedure": the statements PROC MIXED (EMPIRICAL), MODEL (DDFM=), LSMEANS
(OM=, AT, DIFF), RANDOM, and REPEATED with its table of TYPE= structures.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..design.parse import Factor, Term
from ._calls_question import DATA, Question, is_transformed
from ._calls_quoting import comment, sas_name, sas_text

__all__ = ["sas"]

TYPES: Mapping[str, str] = {
    "us": "un",
    "cs": "cs",
    "csh": "csh",
    "ar1": "ar(1)",
    "ar1h": "arh(1)",
    "toep": "toep",
    "toeph": "toeph",
    "adh": "ante(1)",
    "sp_exp": "sp(exp)({years})",
}
DDFM: Mapping[str, tuple[str, str]] = {
    "kenward-roger": ("kenwardroger(firstorder)", ""),
    "kenward-roger-expected": (
        "kenwardroger(firstorder)",
        "SAS takes the observed information, the analysis took the expected one: SEs and df differ a little",
    ),
    "kenward-roger-second-order": ("kenwardroger", ""),
    "satterthwaite": ("satterthwaite", ""),
    "between-within": (
        "betwithin",
        "SAS counts these df in another way where the structure is unstructured or a factor has several columns",
    ),
    "residual": ("residual", ""),
    "asymptotic": (
        "residual",
        "PROC MIXED has no normal distribution for tests: estimates and SEs are the same, p values and limits are not",
    ),
}


def sas(asked: Question) -> str:
    """The script of SAS."""
    spec = asked.fit.spec
    heading = f"/* {_title(asked)} */"
    if asked.fit.has_probability_weights:
        why = "the WEIGHT statement divides the covariance of a row; probability weights are another thing"
        return f"{heading}\n/* No equivalent call: {why}. */\n"
    if not asked.random and spec.structure_code not in TYPES:
        return f"{heading}\n/* No equivalent call: PROC MIXED has no {spec.structure_name} structure. */\n"
    lines = [
        heading,
        f"/* {DATA} */",
        *(f"/* Note: {remark}. */" for remark in _remarks(asked)),
        *_data(asked),
        *(_margins(asked) if asked.asked is not None else []),
        *_mixed(asked),
    ]
    return "\n".join(lines) + "\n"


def _title(asked: Question) -> str:
    spec = asked.fit.spec
    return comment(f"{spec.formula}; {spec.structure_name} covariance, {spec.method.upper()}")


def _remarks(asked: Question) -> list[str]:
    remark = DDFM[asked.df_method][1]
    remarks = [remark] if remark else []
    if asked.vcov == "cr0" and not asked.fit.spec.cluster:
        remarks.append("with EMPIRICAL the df of SAS are not those of the analysis")
    elif asked.vcov != "model":
        remarks.append(f"PROC MIXED has no robust covariance {asked.vcov}; the SEs printed here are the model's own")
    if any(factor.transform == "coded" for term in asked.formula.terms for factor in term):
        remarks.append("SAS codes every factor against its last level: coefficients differ, means and contrasts do not")
    if asked.asked is not None and asked.asked.adjust != "none":
        remarks.append(f"p values here are not adjusted; the analysis adjusted them by {asked.asked.adjust}")
    if asked.unasked:
        remarks.append(f"contrasts are left out, because {asked.unasked}")
    return remarks


def _data(asked: Question) -> list[str]:
    source = {name: f"_c{place}" for place, name in enumerate(asked.sources, start=1)}
    files = [sas_name(asked.files[name]) for name in asked.sources]
    renamed = " ".join(f"{file}={new}" for file, new in zip(files, source.values(), strict=True))
    lines = [
        "options validvarname=any;",
        f"proc import datafile={sas_text(asked.data)} out=raw dbms=csv replace; guessingrows=max; run;",
        "data cohort;",
        f"  set raw(keep={' '.join(files)} rename=({renamed}));",
    ]
    for name in asked.columns:
        new, levels = asked.names[name], asked.categories(name)
        if name == "visit":
            lines.append(f"  visit_n = whichc(strip(vvalue({source[name]})), {', '.join(map(sas_text, levels))});")
            lines.append("  if visit_n = 0 then delete;")
        if levels:
            order = (*levels[1:], levels[0])
            lines.append(f"  {new} = whichc(strip(vvalue({source[name]})), {', '.join(map(sas_text, order))});")
            lines.append(f"  if {new} = 0 then delete;")
        elif name == "years":
            lines.append(f"  {new} = choosen(visit_n, {', '.join(asked.years)});")
        elif asked.is_number(name):
            lines.append(f"  {new} = {source[name]} + 0;")
        else:
            lines += [f"  length {new} $ 200;", f"  {new} = strip(vvalue({source[name]}));"]
    lines += [f"  {new} = {_value(factor, asked.names[factor.variable], asked)};" for factor, new in asked.made.items()]
    wanted = ", ".join([*asked.names.values(), *asked.made.values()])
    lines.append(f"  if cmiss({wanted}) > 0 then delete;")
    weights = asked.fit.spec.weights
    if weights:
        subject = asked.names["subject"]
        lines += [
            f"  do _k = 1 to {asked.names[weights]};",
            f"    {subject} = catx('-', strip(vvalue({source['subject']})), _k);",
            "    output;",
            "  end;",
        ]
    return [*lines, "run;"]


def _value(factor: Factor, name: str, asked: Question) -> str:
    variable = asked.variables.get(factor.variable)
    if factor.transform in ("log", "sqrt"):
        return f"{factor.transform}({name})"
    if factor.transform == "power":
        return f"{name} ** {factor.arguments[0]!r}"
    if factor.transform == "per":
        return f"{name} / {factor.arguments[0]!r}"
    assert variable is not None
    centered = f"({name} - {variable.mean!r})"
    return centered if factor.transform == "center" else f"{centered} / {variable.sd!r}"


def _margins(asked: Question) -> list[str]:
    """The data set over which LSMEANS averages: every subject once at every visit; and the means of covariates."""
    names = asked.names
    keys = [names["subject"], *(names[name] for name in asked.factors)]
    values = [f"mean({name}) as {name}" for name in _covariates(asked)]
    lines = [
        "proc sql noprint;",
        "  create table margins as",
        f"    select p.*, v.{names['visit']}, v.visit_n",
        f"    from (select {', '.join([*keys, *values])} from cohort group by {', '.join(keys)}) as p,",  # noqa: S608 (plain names)
        f"         (select distinct {names['visit']}, visit_n from cohort) as v;",  # noqa: S608
    ]
    for place, (name, value) in enumerate(_held(asked).items(), start=1):
        lines += [
            f"  select {value} format=best32. into :held{place} trimmed",
            f"    from (select mean({names[name]}) as m from cohort group by {names['subject']});",  # noqa: S608
        ]
    return [*lines, "quit;"]


def _covariates(asked: Question) -> list[str]:
    """The numeric columns of MODEL, in plain names."""
    return list(dict.fromkeys(name for name, _ in _numeric(asked)))


def _numeric(asked: Question) -> list[tuple[str, Factor]]:
    made = asked.made
    factors = [factor for term in asked.formula.terms for factor in term if not asked.categories(factor.variable)]
    return list(dict.fromkeys((made.get(factor, asked.names[factor.variable]), factor) for factor in factors))


def _held(asked: Question) -> dict[str, str]:
    """For each numeric column of MODEL, the value at which it is held, of the mean m of its variable."""
    return {
        factor.variable: _value(factor, "mean(m)", asked) if is_transformed(factor) else "mean(m)"
        for _, factor in _numeric(asked)
    }


def _mixed(asked: Question) -> list[str]:
    spec, names, formula = asked.fit.spec, asked.names, asked.formula
    classes = ["visit_n", *(names[name] for name in asked.columns if asked.categories(name))]
    classes += [names[name] for name in ("subject", asked.clusters) if name]
    empirical = " empirical" if asked.vcov == "cr0" and not spec.cluster else ""
    effects = [_effect(asked, term) for term in formula.terms]
    intercept = "" if formula.intercept else " noint"
    lines = [
        f"proc mixed data=cohort method={spec.method}{empirical};",
        f"  class {' '.join(dict.fromkeys(classes))};",
        f"  model {asked.outcome} = {' '.join(effects)} / solution cl ddfm={DDFM[asked.df_method][0]}{intercept};",
    ]
    if asked.clusters:
        lines.append(f"  random intercept / subject={names[asked.clusters]};")
    for part in asked.random:
        own = ["intercept"] * part.intercept + [_effect(asked, term) for term in part.terms]
        structure = "un" if part.correlated else "vc"
        lines.append(f"  random {' '.join(own)} / subject={names['subject']} type={structure};")
    if not asked.random:
        structure = TYPES[spec.structure_code].format(years=names.get("years", ""))
        group = f" group={names[spec.covariance_by]}" if spec.covariance_by else ""
        lines.append(f"  repeated visit_n / subject={names['subject']} type={structure}{group};")
    return [*lines, *_lsmeans(asked), "run;"]


def _lsmeans(asked: Question) -> list[str]:
    want = asked.asked
    if want is None:
        return []
    names = asked.names
    effect = f"{names['visit']}*{names[want.by]}" if want.by else names["visit"]
    columns = [name for name, _ in _numeric(asked)]
    at = f" at ({' '.join(columns)})=({' '.join(f'&held{k}' for k in range(1, len(columns) + 1))})" if columns else ""
    margins = "" if want.equal else " om=margins"
    order = [*asked.levels[1:], asked.levels[0]]
    codes = ", ".join(f"{code} = {level}" for code, level in enumerate(order, start=1))
    return [
        f"  /* {comment(f'visits are {codes}; read the differences that were asked for')} */",
        f"  lsmeans {effect} /{margins}{at} diff cl alpha={1 - want.conf_level:.10g};",
    ]


def _effect(asked: Question, term: Term) -> str:
    made = asked.made
    return "*".join(made.get(factor, asked.names[factor.variable]) for factor in term)
