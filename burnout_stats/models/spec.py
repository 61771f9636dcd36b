"""Questions: what model is asked for. A specification holds no data, compares equal to its like, and is used on any
number of data sets.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from ..design import Formula, parse
from ..engine.covariance import STRUCTURES
from ..errors import StudyError, one_of

__all__ = ["LMM", "METHODS", "MMRM", "WEIGHTS_KINDS", "Model"]

WEIGHTS_KINDS = {"frequency": "counts of identical subjects", "probability": "inverse probabilities"}
METHODS = {"reml": "restricted maximum likelihood", "ml": "maximum likelihood"}


@dataclass(frozen=True, slots=True)
class MMRM:
    """A mixed model for repeated measures: fixed effects, and a covariance of the visits within a subject.

    Parameters
    ----------
    formula : str
        Such as "exhaustion ~ visit * sex + age". `visit` and `years` name the roles, whatever the file calls its
        columns. `(1 | clinic)` in it is a random intercept of clusters of subjects.
    covariance : str
        A code of the table of structures: "us" (unstructured).
    method : "reml" or "ml"
    covariance_by : str, optional
        A categorical column that does not change within a subject: each of its levels gets its own covariance.
    weights : str, optional
        A numeric column that does not change within a subject: how often, or how much, each subject counts.
    weights_kind : "frequency" or "probability"
        What the weights are: counts of identical subjects, or inverse probabilities of being seen (these make the
        model's own standard errors wrong, so only robust ones are given).
    cluster : str, optional
        A column that does not change within a subject and puts subjects into clusters that may be alike (clinics, say):
        standard errors are then robust and clustered on it, unless asked otherwise.

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA` for a formula that cannot be read, `E-STUDY-OPTION` for an unknown covariance or method.

    **Source**: Mallinckrodt et al. 2008, Drug Inf J 42:303, for the name and use; Jennrich & Schluchter 1986,
    Biometrics 42:805, for the model.

    >>> MMRM("exhaustion ~ visit") == MMRM("exhaustion ~ visit", covariance="us")
    True
    """

    formula: str
    _: KW_ONLY
    covariance: str = "us"
    method: str = "reml"
    covariance_by: str | None = None
    weights: str | None = None
    weights_kind: str = "frequency"
    cluster: str | None = None
    parsed: Formula = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("covariance", self.covariance, {code: structure.name for code, structure in STRUCTURES.items()})
        one_of("method", self.method, METHODS)
        one_of("weights_kind", self.weights_kind, WEIGHTS_KINDS)
        parsed = parse(self.formula)
        if any(part.group == "subject" for part in parsed.random):
            raise StudyError(
                "E-STUDY-FORMULA",
                "The formula of an MMRM has random effects for `subject`.",
                "In an MMRM the covariance of the visits takes their place.",
                "Leave the part in parentheses out, and choose `covariance`; or use LMM.",
            )
        _refuse_clusters(parsed)
        object.__setattr__(self, "parsed", parsed)

    @property
    def structure_code(self) -> str:
        """The code of the covariance."""
        return self.covariance

    @property
    def structure_name(self) -> str:
        """The covariance in words."""
        return STRUCTURES[self.covariance].name


@dataclass(frozen=True, slots=True)
class LMM:
    """A linear mixed model: fixed effects, random effects of the subject, and an independent residual.

    Parameters
    ----------
    formula : str
        Such as "exhaustion ~ years * sex + (1 + years | subject)". `subject`, `visit` and `years` name the roles,
        whatever the file calls its columns. `(1 + years || subject)` has random effects that do not correlate.
        `(1 | clinic)` beside them is for clusters of subjects, a column that does not change within a subject.
    method : "reml" or "ml"
    weights : str, optional
        A numeric column that does not change within a subject: of how many identical subjects each is the copy.
    weights_kind : "frequency"
        The only kind that has a likelihood.
    cluster : str, optional
        As in `MMRM`.

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA` for a formula that cannot be read or has no random effects of the subject, `E-STUDY-CLUSTER`
        for random effects of clusters beyond one intercept, `E-STUDY-OPTION` for an unknown method or kind of weights.

    **Source**: Laird & Ware 1982, Biometrics 38:963.

    >>> LMM("exhaustion ~ years + (1 + years | subject)").structure_name
    'random-effects (1 + years | subject)'
    """

    formula: str
    _: KW_ONLY
    method: str = "reml"
    weights: str | None = None
    weights_kind: str = "frequency"
    cluster: str | None = None
    parsed: Formula = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS)
        one_of("weights_kind", self.weights_kind, ["frequency"])
        parsed = parse(self.formula)
        if not any(part.group == "subject" for part in parsed.random):
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula `{self.formula}` has no random effects of `subject`.",
                "An LMM has a part such as (1 | subject) for what differs between subjects.",
                "Add it, or use MMRM, which has a covariance of the visits instead.",
            )
        _refuse_clusters(parsed)
        object.__setattr__(self, "parsed", parsed)

    @property
    def covariance_by(self) -> None:
        """Random effects have one covariance for all subjects."""
        return

    @property
    def structure_code(self) -> str:
        """The code of the covariance."""
        return "random"

    @property
    def structure_name(self) -> str:
        """The covariance in words."""
        own = [part for part in self.parsed.random if part.group == "subject"]
        return "random-effects " + " + ".join(map(str, own))


Model = MMRM | LMM
"""What `fit` takes."""


def _refuse_clusters(parsed: Formula) -> None:
    """Stop where clusters have more than one random intercept."""
    others = [part for part in parsed.random if part.group != "subject"]
    if len(others) > 1 or any(part.terms or not part.intercept for part in others):
        raise StudyError(
            "E-STUDY-CLUSTER",
            f"The formula has {' and '.join(map(str, others))}.",
            "Above the subject there may be one random intercept, such as (1 | clinic); slopes, several levels and "
            "crossed effects are not there.",
            "Leave them out, or give `cluster` for robust standard errors.",
        )
