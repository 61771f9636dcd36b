"""Questions: what model is asked for. A specification holds no data, compares equal to its like, and is used on any
number of data sets.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from ..design import Formula, parse
from ..engine.covariance import STRUCTURES
from ..errors import StudyError, one_of

__all__ = ["METHODS", "MMRM", "WEIGHTS_KINDS"]

WEIGHTS_KINDS = {"frequency": "counts of identical subjects", "probability": "inverse probabilities"}
METHODS = {"reml": "restricted maximum likelihood", "ml": "maximum likelihood"}


@dataclass(frozen=True, slots=True)
class MMRM:
    """A mixed model for repeated measures: fixed effects, and a covariance of the visits within a subject.

    Parameters
    ----------
    formula : str
        Such as "exhaustion ~ visit * sex + age". `visit` and `years` name the roles, whatever the file calls its
        columns.
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
    parsed: Formula = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("covariance", self.covariance, {code: structure.name for code, structure in STRUCTURES.items()})
        one_of("method", self.method, METHODS)
        one_of("weights_kind", self.weights_kind, WEIGHTS_KINDS)
        parsed = parse(self.formula)
        if parsed.random:
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula of an MMRM has random effects for `{parsed.random[0].group}`.",
                "In an MMRM the covariance of the visits takes their place.",
                "Leave the part in parentheses out, and choose `covariance`.",
            )
        object.__setattr__(self, "parsed", parsed)
