"""`GEE`: the question of generalized estimating equations. It holds no data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from ..design import Formula, parse
from ..engine.gee import MARGINS, Margin
from ..errors import StudyError, one_of
from .events import parse_case
from .spec import WEIGHTS_KINDS

__all__ = ["GEE", "SMALL_SAMPLE", "WORKING_NAMES"]

FAMILIES = tuple(dict.fromkeys(margin.name for margin in MARGINS.values()))
WORKING_NAMES = {
    "independence": "independence",
    "exchangeable": "exchangeable",
    "unstructured": "unstructured",
    "ar1": "first-order autoregressive",
}
"""Working correlations in words."""
SMALL_SAMPLE = {
    "mancl-derouen": "Mancl & DeRouen",
    "kauermann-carroll": "Kauermann & Carroll",
    "fay-graubard": "Fay & Graubard",
}
"""Corrections of the robust covariance for few subjects, by their authors."""


@dataclass(frozen=True, slots=True)
class GEE:
    """A model of the mean alone, averaged over subjects, with robust standard errors.

    Parameters
    ----------
    formula : str
        Such as "sick_leave ~ visit * sex + age", without random effects.
    family : "binomial", "gaussian" or "poisson"
        Which variance goes with a mean; where it is wrong, robust standard errors still hold.
    link : str, optional
        Binomial: "logit" (default), "probit", "log" (ratios of risks) or "identity" (differences of risks). Gaussian:
        "identity" (default) or "log". Poisson: "log" (default) or "identity".
    working : "independence", "exchangeable", "unstructured" or "ar1"
        How the scores of a subject are taken to correlate. It need not be right; the nearer, the narrower the
        intervals. In "ar1" the distance of two visits is that of their places (1 for neighbors, whatever the years).
    event, case : str, optional
        As in `GLMM`: the level that is the event, or a rule such as ">= 3.5" that makes being a case the event.
    weights : str, optional
        A numeric column that does not change within a subject.
    weights_kind : "frequency" or "probability"
        Counts of identical subjects, or inverse probabilities of being seen; these are taken as known.
    small_sample : "mancl-derouen", "kauermann-carroll", "fay-graubard" or None
        How the robust covariance is corrected for few subjects; None is Liang & Zeger's own.

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA` for a formula that cannot be read or has random effects, `E-STUDY-OPTION` for an unknown
        family, link, working correlation or correction, `E-STUDY-VALUE` for a rule that cannot be.

    **Source**: Liang & Zeger 1986, Biometrika 73:13; Zeger & Liang 1986, Biometrics 42:121.

    >>> GEE("sick_leave ~ visit").link_name
    'logit'
    """

    formula: str
    _: KW_ONLY
    family: str = "binomial"
    link: str | None = None
    working: str = "exchangeable"
    event: str | None = None
    case: str | None = None
    weights: str | None = None
    weights_kind: str = "frequency"
    small_sample: str | None = "mancl-derouen"
    parsed: Formula = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("family", self.family, FAMILIES)
        one_of("link", self.link_name, [margin.link for margin in MARGINS.values() if margin.name == self.family])
        one_of("working", self.working, WORKING_NAMES)
        one_of("weights_kind", self.weights_kind, WEIGHTS_KINDS)
        if self.small_sample is not None:
            one_of("small_sample", self.small_sample, SMALL_SAMPLE)
        if self.case is not None:
            parse_case(self.case)
        parsed = parse(self.formula)
        if parsed.random:
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula `{self.formula}` has {' and '.join(map(str, parsed.random))}.",
                "A GEE models the mean over subjects; that scores of a subject go together is said by `working`.",
                "Leave the part in parentheses out, or use GLMM.",
            )
        object.__setattr__(self, "parsed", parsed)

    @property
    def link_name(self) -> str:
        """The link, resolved."""
        return self.link or next(margin.link for margin in MARGINS.values() if margin.name == self.family)

    @property
    def margin(self) -> Margin:
        """Mean, link and variance that the engine computes with."""
        return MARGINS[f"{self.family}/{self.link_name}"]

    @property
    def method(self) -> str:
        """How it is estimated."""
        return "gee"

    @property
    def cluster(self) -> None:
        """There are no clusters above the subject."""
        return

    @property
    def covariance_by(self) -> None:
        """There is one working correlation for all subjects."""
        return

    @property
    def structure_code(self) -> str:
        """The code of the working correlation."""
        return self.working

    @property
    def structure_name(self) -> str:
        """The working correlation in words."""
        return f"{WORKING_NAMES[self.working]} working correlation"
