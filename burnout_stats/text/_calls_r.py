"""The calls of R: mmrm and nlme for a model of the visits, lme4 with lmerTest for random effects; emmeans for means and
contrasts.

**Source**: the reference pages of mmrm 0.3 (`mmrm`, `mmrm_control`, `covariance_types`), Pinheiro & Bates 2000 and the
help pages of nlme 3.1 (`gls`, `corClasses`, `varIdent`), lme4 1.1 (`lmer`), lmerTest 3.1 and emmeans 1.8 (`emmeans`,
argument `weights`; `emm_options`, `lmer.df`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..design.encode import Variable
from ..design.parse import Factor, Random, Term
from ._calls_question import DATA, Question
from ._calls_quoting import comment, r_text

__all__ = ["lme4", "mmrm", "nlme"]

CODINGS: Mapping[str, str] = {
    "sum": "contr.sum({k})",
    "helmert": "contr.helmert({k})",
    "sequential": "MASS::contr.sdif({k})",
    "polynomial": "contr.poly({k}{scores})",
}
MMRM_DF: Mapping[str, tuple[str, str]] = {
    "kenward-roger": ('"Kenward-Roger", vcov = "Kenward-Roger-Linear"', ""),
    "kenward-roger-expected": (
        '"Kenward-Roger", vcov = "Kenward-Roger-Linear"',
        "mmrm takes the observed information, the analysis took the expected one: SEs and df differ a little",
    ),
    "kenward-roger-second-order": (
        '"Kenward-Roger", vcov = "Kenward-Roger"',
        "the second-order term depends on the scale of the parameters, which here is that of SAS: SEs differ a little",
    ),
    "satterthwaite": ('"Satterthwaite"', ""),
    "between-within": ('"Between-Within"', ""),
    "residual": ('"Residual"', ""),
    "asymptotic": (
        '"Satterthwaite"',
        "mmrm has no normal distribution for tests; estimates and SEs are the same, p values and limits are not",
    ),
}
MMRM_VCOV: Mapping[str, str] = {"cr0": "Empirical", "cr2-mmrm": "Empirical-Bias-Reduced", "cr3": "Empirical-Jackknife"}
NLME: Mapping[str, str] = {
    "us": "corSymm(form = ~ visit_n | {group})",
    "cs": "corCompSymm(form = ~ 1 | {group})",
    "ar1": "corAR1(form = ~ visit_n | {group})",
    "toep": "corARMA(form = ~ visit_n | {group}, p = {lags})",
    "sp_exp": "corCAR1(form = ~ {years} | {group})",
}
LMER_DF: Mapping[str, tuple[str, str]] = {
    "kenward-roger": (
        "kenward-roger",
        "pbkrtest takes the expected information, the analysis took the observed one: SEs and df differ a little",
    ),
    "kenward-roger-expected": ("kenward-roger", ""),
    "kenward-roger-second-order": ("kenward-roger", "pbkrtest takes the expected information: SEs and df differ"),
    "satterthwaite": ("satterthwaite", ""),
    "asymptotic": ("asymptotic", ""),
    "between-within": (
        "asymptotic",
        "lmerTest has no such df: estimates and SEs are the same, tests are not",
    ),
    "residual": ("asymptotic", "lmerTest has no such df: estimates and SEs are the same, tests are not"),
}

EMMEANS_ADJUST: Mapping[str, str] = {
    **{name: name for name in ("bonferroni", "holm", "sidak", "fdr", "tukey", "mvt")},
    "dunnett": "mvt",
}
"""Dunnett's with the correlations of the estimates is emmeans' multivariate t."""
LMER_TESTS: Mapping[str, str] = {
    "kenward-roger": "Kenward-Roger",
    "satterthwaite": "Satterthwaite",
    "asymptotic": "lme4",
}


def mmrm(asked: Question) -> str:
    """The call of mmrm."""
    spec, names = asked.fit.spec, asked.names
    if asked.clusters:
        return _none(asked, "mmrm has no random effects, so none for clusters of subjects.")
    if asked.fit.has_probability_weights:
        return _none(asked, "the weights of mmrm divide a subject's covariance; probability weights are another thing.")
    time = names["years"] if spec.structure_code == "sp_exp" else names["visit"]
    group = f"{names[spec.covariance_by]} / " if spec.covariance_by else ""
    structure = f"{spec.structure_code}({time} | {group}{names['subject']})"
    method, remark = MMRM_DF[asked.df_method]
    remarks = [remark] if remark else []
    if asked.vcov != "model":
        told = None if spec.cluster else MMRM_VCOV.get(asked.vcov)
        method = method.partition(",")[0] + (f', vcov = "{told}"' if told else "")
        if told is None:
            by = " by cluster" if spec.cluster else ""
            remarks.append(f"mmrm has no robust covariance {asked.vcov}{by}; the SEs printed here are the model's own")
    fit = _call(
        "mmrm",
        f"{_formula(asked)} + {structure}",
        "data = d",
        f"reml = {_reml(asked)}",
        f"method = {method}",
    )
    return _script(asked, ("mmrm", "emmeans"), fit, remarks, means="")


def nlme(asked: Question) -> str:
    """The call of nlme: `gls`, or `lme` with a random intercept of clusters."""
    spec, names = asked.fit.spec, asked.names
    code = spec.structure_code
    kind = code.removesuffix("h") if code not in NLME else code
    if kind not in NLME:
        return _none(asked, f"nlme has no {spec.structure_name} structure; see R (mmrm).")
    if spec.covariance_by:
        return _none(asked, "nlme has no separate covariance matrix for each group; see R (mmrm).")
    if asked.fit.has_probability_weights:
        return _none(asked, "nlme has no probability weights.")
    subject = names["subject"]
    group = f"{names[asked.clusters]}/{subject}" if asked.clusters else subject
    structure = NLME[kind].format(group=group, lags=len(asked.levels) - 1, years=names.get("years", ""))
    heterogeneous = code == "us" or code.endswith("h")
    parts = [
        _formula(asked),
        *([f"random = ~ 1 | {names[asked.clusters]}"] if asked.clusters else []),
        "data = d",
        f"correlation = {structure}",
        *([f"weights = varIdent(form = ~ 1 | {names['visit']})"] if heterogeneous else []),
        f'method = "{spec.method.upper()}"',
        *(
            ["control = lmeControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-9, msTol = 1e-10)"]
            if asked.clusters
            else ["control = glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-9, msTol = 1e-10)"]
        ),
    ]
    remarks = ["nlme has no Satterthwaite or Kenward-Roger df: compare estimates, and SEs without adjustment"]
    if spec.method == "ml" and not asked.clusters:
        remarks.append("under ML gls multiplies SEs by sqrt(N / (N - p)), N scores and p coefficients")
    if kind == "toep":
        remarks.append("an autoregression of this order spans all Toeplitz matrices of the visits")
    remarks += _robust_remark(asked)
    fit = _call("lme" if asked.clusters else "gls", *parts)
    mode = 'mode = "asymptotic"' if not asked.clusters else 'mode = "containment"'
    return _script(asked, ("nlme", "emmeans"), fit, remarks, means=mode)


def lme4(asked: Question) -> str:
    """The call of lme4, with the tests of lmerTest."""
    names, remarks = asked.names, []
    parts = [_random(asked, part) for part in asked.random]
    if asked.clusters:
        parts.append(f"(1 | {names[asked.clusters]})")
    mode, remark = LMER_DF[asked.df_method]
    remarks += [remark] if remark else []
    if any(not part.correlated and _has_factor(asked, part) for part in asked.random):
        remarks.append("with || lmer still lets the effects of one factor correlate")
    remarks += _robust_remark(asked)
    fit = _call("lmer", f"{_formula(asked)} + {' + '.join(parts)}", "data = d", f"REML = {_reml(asked)}")
    tests = f", ddf = {r_text(LMER_TESTS[mode])}"
    return _script(asked, ("lme4", "lmerTest", "emmeans"), fit, remarks, means=f'lmer.df = "{mode}"', tests=tests)


def _robust_remark(asked: Question) -> list[str]:
    if asked.vcov == "model":
        return []
    return [f"the analysis used robust standard errors ({asked.vcov}); those printed here are the model's own"]


def _reml(asked: Question) -> str:
    return "TRUE" if asked.fit.spec.method == "reml" else "FALSE"


def _none(asked: Question, why: str) -> str:
    return f"# {_title(asked)}\n# No equivalent call: {why}\n"


def _title(asked: Question) -> str:
    spec = asked.fit.spec
    return comment(f"{spec.formula}; {spec.structure_name} covariance, {spec.method.upper()}")


def _script(
    asked: Question, libraries: Sequence[str], fit: str, remarks: Sequence[str], *, means: str, tests: str = ""
) -> str:
    lines = [
        f"# {_title(asked)}",
        f"# {DATA}",
        *(f"# Note: {remark}." for remark in [*remarks, *_coding_remarks(asked)]),
        *(f"library({name})" for name in libraries),
        f"raw <- read.csv({r_text(asked.data)}, check.names = FALSE, colClasses = {r_text('character')},",
        '  na.strings = c("", "NA"))',
        *_data(asked),
        f"fit <- {fit}",
        f"print(summary(fit{tests}))",
        *_means(asked, means),
    ]
    return "\n".join(lines) + "\n"


def _data(asked: Question) -> list[str]:
    columns = []
    for name in asked.columns:
        source = f"raw[[{r_text(asked.files[name])}]]"
        if name == "years":
            visits = f"match(raw[[{r_text(asked.files['visit'])}]], c({', '.join(map(r_text, asked.levels))}))"
            columns.append(f"  {asked.names[name]} = c({', '.join(asked.years)})[{visits}]")
            continue
        levels = asked.categories(name)
        if levels:
            made = f"factor({source}, levels = c({', '.join(map(r_text, levels))}))"
        elif asked.is_number(name):
            made = f"as.numeric({source})"
        else:
            made = f"factor({source})"
        columns.append(f"  {asked.names[name]} = {made}")
    lines = ["d <- data.frame(", ",\n".join(columns), ")", "d <- d[complete.cases(d), ]"]
    visit, subject = asked.names["visit"], asked.names["subject"]
    lines.append(f"d$visit_n <- as.integer(d${visit})")
    weights = asked.fit.spec.weights
    if weights:
        lines += [
            f"d <- d[rep(seq_len(nrow(d)), d${asked.names[weights]}), ]  # each subject as often as it counts",
            f"copy <- ave(seq_len(nrow(d)), d${subject}, d${visit}, FUN = seq_along)",
            f"d${subject} <- factor(paste(d${subject}, copy))",
        ]
    lines.append(f"d <- d[order(d${subject}, d$visit_n), ]")
    for name, coding in _codings(asked).items():
        k = len(asked.categories(name))
        years = asked.fit.design.encoder.variables[name].values
        scores = f", scores = c({', '.join(f'{value!r}' for value in years)})" if years else ""
        lines.append(f"contrasts(d${asked.names[name]}) <- {CODINGS[coding].format(k=k, scores=scores)}")
    return lines


def _codings(asked: Question) -> dict[str, str]:
    """The first coding asked of each factor, where it is not the default."""
    found: dict[str, str] = {}
    for term in asked.formula.terms:
        for factor in term:
            if factor.transform == "coded" and factor.arguments[0] != "treatment":
                found.setdefault(factor.variable, str(factor.arguments[0]))
    return found


def _coding_remarks(asked: Question) -> list[str]:
    if asked.unasked:
        return [f"contrasts are left out, because {asked.unasked}"]
    return []


def _means(asked: Question, extra: str) -> list[str]:
    want = asked.asked
    if want is None:
        return []
    names = asked.names
    averaged = [name for name in asked.factors if name != want.by]
    arguments = ["fit", r_text(names["visit"])]
    if want.by:
        arguments.append(f"by = {r_text(names[want.by])}")
    held = [f"{names[name]} = weighted.mean(d${names[name]}, w)" for name in asked.covariates]
    if held:
        arguments.append(f"at = list({', '.join(held)})")
    if averaged and not want.equal:
        shares = " + ".join(names[name] for name in averaged)
        arguments.append(f"weights = c(prop.table(xtabs(w ~ {shares}, data = d)))")
    arguments += [extra] if extra else []
    weights = []
    for later, earlier in want.pairs:
        row = ["0"] * len(asked.levels)
        row[later], row[earlier] = "1", "-1"
        weights.append(f"  {r_text(f'{asked.levels[later]} - {asked.levels[earlier]}')} = c({', '.join(row)})")
    body = ",\n".join(weights)
    subject = names["subject"]
    return [
        f"w <- 1 / ave(seq_len(nrow(d)), d${subject}, FUN = length)  # every subject counts once",
        f"means <- {_call('emmeans', *arguments)}",
        f"changes <- contrast(means, list(\n{body}\n))",
        "print(means)",
        f"print(summary(changes, infer = TRUE, level = {want.conf_level!r}))",
        *_adjusted(want.adjust),
    ]


def _adjusted(adjust: str) -> list[str]:
    """The p values adjusted for several tests."""
    if adjust == "none":
        return []
    if adjust not in EMMEANS_ADJUST:
        return [f"# Note: emmeans has no adjustment {comment(adjust)} of these contrasts."]
    return [f"print(test(changes, adjust = {r_text(EMMEANS_ADJUST[adjust])}))  # p values adjusted for several tests"]


def _call(name: str, *arguments: str) -> str:
    flat = f"{name}({', '.join(arguments)})"
    return flat if len(flat) <= 100 else f"{name}(\n  " + ",\n  ".join(arguments) + "\n)"


def _formula(asked: Question) -> str:
    formula = asked.formula
    terms = [] if formula.intercept and formula.terms else ["1" if formula.intercept else "0"]
    terms += [_term(asked, term) for term in formula.terms]
    return f"{asked.outcome} ~ {' + '.join(terms)}"


def _term(asked: Question, term: Term) -> str:
    names, variables = asked.names, asked.variables
    return ":".join(_factor(factor, names[factor.variable], variables.get(factor.variable)) for factor in term)


def _factor(factor: Factor, name: str, variable: Variable | None) -> str:
    if not factor.transform or factor.transform == "coded":
        return name
    if factor.transform in ("log", "sqrt"):
        return f"{factor.transform}({name})"
    if factor.transform == "power":
        return f"I({name}^{factor.arguments[0]!r})"
    if factor.transform == "per":
        return f"I({name} / {factor.arguments[0]!r})"
    assert variable is not None
    centered = f"({name} - {variable.mean!r})"
    return f"I({centered})" if factor.transform == "center" else f"I({centered} / {variable.sd!r})"


def _random(asked: Question, part: Random) -> str:
    terms = [str(int(part.intercept)), *(_term(asked, term) for term in part.terms)]
    return f"({' + '.join(terms)} {'|' if part.correlated else '||'} {asked.names['subject']})"


def _has_factor(asked: Question, part: Random) -> bool:
    return any(asked.categories(factor.variable) for term in part.terms for factor in term)
