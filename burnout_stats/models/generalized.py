"""`GLMM`: the question of a generalized linear mixed model. It holds no data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from ..design import Formula, parse
from ..engine.families import FAMILIES, Family, truncated, zero_inflated
from ..errors import StudyError, one_of
from .events import parse_case

__all__ = ["GLMM", "LINKS", "ZEROS"]

LINKS = {
    "binomial": ("logit", "probit"),
    "poisson": ("log",),
    "negative_binomial": ("log",),
    "ordinal": ("logit",),
}
"""The families, and the links that each has; the first is the default."""

ZEROS = {
    "inflated": "a share of the scores is 0 whatever the rest says",
    "none": "only scores above 0 are modeled (the positive part of a hurdle)",
}
"""What may be said of zeros among counts."""

NODES = {1: 15, 2: 9, 3: 5}
"""Nodes in each dimension, by the number of random effects."""


@dataclass(frozen=True, slots=True)
class GLMM:
    """A generalized linear mixed model: events, ordered categories or counts, with random effects of the subject.

    Parameters
    ----------
    formula : str
        Such as "sick_leave ~ visit * sex + age + (1 | subject)".
    family : "binomial", "ordinal", "poisson" or "negative_binomial"
        Ordinal is the cumulative logit of proportional odds; the negative binomial has variance μ + μ²/size.
    link : str, optional
        "logit" (default) or "probit" for events.
    event : str, optional
        Which level of a column with levels is the event; of two, the second where left out.
    case : str, optional
        A rule such as ">= 3.5" that makes being a case the event.
    zeros : "inflated" or "none", optional
        For counts with many zeros: a share of zeros beside the distribution, or zeros left to a model of their own.
    n_nodes : int, optional
        Nodes of the adaptive quadrature in each dimension; 1 is Laplace's approximation. 15 for one random effect, 9
        for two, 5 for three where left out.
    penalty : "soft", optional
        For data in which a group has no event, or only events: a penalty that keeps all estimates finite and vanishes
        as data grow.

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA` for a formula that cannot be read or has no random effects of the subject, `E-STUDY-CLUSTER`
        for random effects of clusters, `E-STUDY-OPTION` for an unknown family, link or zeros, `E-STUDY-VALUE` for a
        number of nodes or a rule that cannot be.

    **Source**: Breslow & Clayton 1993, JASA 88:9; Pinheiro & Bates 1995, J Comput Graph Stat 4:12.

    >>> GLMM("sick_leave ~ visit + (1 | subject)").link_name
    'logit'
    """

    formula: str
    _: KW_ONLY
    family: str = "binomial"
    link: str | None = None
    event: str | None = None
    case: str | None = None
    zeros: str | None = None
    n_nodes: int | None = None
    penalty: str | None = None
    weights: str | None = None
    parsed: Formula = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("family", self.family, list(LINKS))
        one_of("link", self.link_name, list(LINKS[self.family]))
        if self.zeros is not None:
            one_of("zeros", self.zeros, ZEROS)
        if self.penalty is not None:
            one_of("penalty", self.penalty, ["soft"])
        if self.case is not None:
            parse_case(self.case)
        if self.zeros is not None and self.family not in {"poisson", "negative_binomial"}:
            raise StudyError(
                "E-STUDY-VALUE",
                f"`zeros` is {self.zeros!r} with family={self.family!r}.",
                "Zeros are spoken of among counts.",
                'Use family="poisson" or "negative_binomial", or leave `zeros` out.',
            )
        if self.penalty is not None and self.family != "binomial":
            raise StudyError(
                "E-STUDY-VALUE",
                f"`penalty` is {self.penalty!r} with family={self.family!r}.",
                "The soft penalty is one for events.",
                'Leave it out, or make the outcome an event with family="binomial".',
            )
        if self.n_nodes is not None and not 1 <= self.n_nodes <= 101:
            raise StudyError(
                "E-STUDY-VALUE",
                f"`n_nodes` is {self.n_nodes!r}.",
                "Quadrature has a whole number of nodes, from 1 (Laplace) to 101.",
                "Leave it out, or write for example n_nodes=25.",
            )
        parsed = parse(self.formula)
        if not any(part.group == "subject" for part in parsed.random):
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula `{self.formula}` has no random effects of `subject`.",
                "A GLMM has a part such as (1 | subject) for what differs between subjects.",
                "Add it; for averages over subjects without random effects, use GEE.",
            )
        others = [part for part in parsed.random if part.group != "subject"]
        if others:
            raise StudyError(
                "E-STUDY-CLUSTER",
                f"The formula has {' and '.join(map(str, others))}.",
                "A GLMM here has random effects of the subject alone.",
                "Leave them out, or use a GEE with clusters.",
            )
        object.__setattr__(self, "parsed", parsed)

    @property
    def link_name(self) -> str:
        """The link, resolved."""
        return self.link or LINKS[self.family][0]

    @property
    def distribution(self) -> Family:
        """The distribution that the engine computes with."""
        plain = FAMILIES[f"{self.family}/{self.link_name}"]
        if self.zeros is None:
            return plain
        return zero_inflated(plain) if self.zeros == "inflated" else truncated(plain)

    @property
    def method(self) -> str:
        """How it is estimated."""
        return "ml"

    @property
    def cluster(self) -> None:
        """There are no clusters above the subject."""
        return

    @property
    def weights_kind(self) -> str:
        """Weights are counts of identical subjects."""
        return "frequency"

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

    def nodes(self, dimensions: int) -> int:
        """The number of nodes in each dimension."""
        return self.n_nodes or NODES.get(dimensions, 3)
