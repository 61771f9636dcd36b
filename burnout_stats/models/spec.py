"""Questions: what model is asked for. A specification holds no data, compares equal to its like, and is used on any
number of data sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..design import Formula, parse
from ..engine.covariance import STRUCTURES
from ..errors import StudyError, one_of

__all__ = ["METHODS", "MMRM"]

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
    covariance: str = "us"
    method: str = "reml"
    parsed: Formula = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("covariance", self.covariance, {code: structure.name for code, structure in STRUCTURES.items()})
        one_of("method", self.method, METHODS)
        parsed = parse(self.formula)
        if parsed.random:
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula of an MMRM has random effects for `{parsed.random[0].group}`.",
                "In an MMRM the covariance of the visits takes their place.",
                "Leave the part in parentheses out, and choose `covariance`.",
            )
        object.__setattr__(self, "parsed", parsed)
