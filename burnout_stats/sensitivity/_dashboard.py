"""Every doubt about one outcome of a one-arm cohort in one value: what each analysis assumed, and what it found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..cohort import Cohort
from ..cohort.roles import Outcome
from ..display import Shown, Table, Watched, teller
from ..display.escape import for_terminal
from ..display.showing import facts
from ..estimates import Estimates
from ..estimates.tabulation import WITHOUT_N, tabulate
from ..instruments import Norm, Stability
from ..models import MMRM
from ..notices import BurnoutStatsWarning, Notice, announce
from ._left_out import left_out
from ._regression_to_mean import regression_to_the_mean
from ._specification_curve import specification_curve
from ._stability_curve import stability_curve
from ._strategies import Strategy
from ._strategies_compared import strategies_compared
from ._tipping_point import tipping_map, tipping_point
from ._triangulation import triangulation
from ._unanswered import answered

__all__ = ["Dashboard", "dashboard", "default_auxiliaries"]


OF_A_GLANCE = ("triangulation", "strategies", "regression_to_the_mean")
"""What a dashboard shows of itself; the others have many rows and are better drawn."""
_TITLES_OF_MORE = MappingProxyType(
    {
        "tipping_point": "how much worse the unseen must have fared",
        "tipping_map": "the same, over two visits",
        "stability_curve": "regression to the mean, over stabilities",
        "specification_curve": "the change under the analyst's other choices",
        "left_out": "the change without each subject in turn",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Dashboard(Shown):
    """What other assumptions make of the change in one outcome; None stands for what the data cannot answer.

    Attributes
    ----------
    outcome : Outcome
    model : MMRM
        The primary model.
    auxiliaries, predictors : names
        What "missing at random" was given beside the model's own variables, and what the weights were made from.
    triangulation : Estimates
        The change by models, imputation, weights, complete cases and bounds.
    strategies : Estimates or None
        The change under assumptions about those who were not seen.
    tipping_point, tipping_map : Estimates or None
        How much worse (or better) the unseen must have fared for the conclusion to change; the map where there are two
        follow-up visits or more, None otherwise.
    regression_to_the_mean, stability_curve : Estimates or None
        The change that a norm and a stability lead one to expect, and the same over stabilities; None without a norm.
    specification_curve : Estimates or None
        The change under the analyst's other choices.
    left_out : Estimates or None
        The change without each subject in turn.
    unanswered : tuple of Notice
        What was left out for want of an answer, and why.
    notices : tuple of Notice
    """

    outcome: Outcome
    model: MMRM
    auxiliaries: tuple[str, ...]
    predictors: tuple[str, ...]
    triangulation: Estimates
    strategies: Estimates | None
    tipping_point: Estimates | None
    tipping_map: Estimates | None
    regression_to_the_mean: Estimates | None
    stability_curve: Estimates | None
    specification_curve: Estimates | None
    left_out: Estimates | None
    unanswered: tuple[Notice, ...] = ()

    @property
    def estimates(self) -> Mapping[str, Estimates]:
        """All answers by name, in the order in which a reader meets them."""
        names = (
            "triangulation",
            "strategies",
            "tipping_point",
            "tipping_map",
            "regression_to_the_mean",
            "stability_curve",
            "specification_curve",
            "left_out",
        )
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The notices of all answers, each once."""
        found = [notice for value in self.estimates.values() for notice in value.notices]
        return tuple(dict.fromkeys([*found, *self.unanswered]))

    def _tables(self) -> tuple[Table, ...]:
        found = self.estimates
        tables = [tabulate(found[name], columns=WITHOUT_N) for name in OF_A_GLANCE if name in found]
        drawn = [(name, _TITLES_OF_MORE[name]) for name in found if name not in OF_A_GLANCE]
        return (*tables, facts("What else was asked", drawn, notes=tuple(map(str, self.unanswered))))

    def __repr__(self) -> str:
        return for_terminal(f"<Dashboard: {self.outcome.name}; {', '.join(self.estimates)}>")


def dashboard(
    spec: MMRM,
    cohort: Cohort,
    *,
    auxiliaries: Iterable[str] | None = None,
    norm: Norm | None = None,
    stability: Stability | Mapping[str, Stability] | None = None,
    strategies: Sequence[str | Strategy] = (),
    n: int = 200,
    seed: int | np.random.SeedSequence,
    conf_level: float = 0.95,
    progress: Watched = None,
) -> Dashboard:
    """Ask the question of a model again under every other assumption.

    Parameters
    ----------
    spec : MMRM
        The primary model; its formula has `visit`.
    cohort : Cohort
    auxiliaries : names, optional
        As in `draws`; by default the other outcomes and the numeric covariates that are not in the model, at the first
        visit. The weights are made from them, the outcome at the first visit and the model's covariates.
    norm : Norm, optional
        Without one, nothing is said about regression to the mean.
    stability : Stability, or mapping of visit label to Stability, optional
        From outside the cohort; without one, only the curve over stabilities is given.
    strategies : names or functions, optional
        As in `strategies_compared`.
    n : int
        Imputations.
    seed : int or SeedSequence
    conf_level : float
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Returns
    -------
    Dashboard
        What the data cannot answer is None, and a notice says so (`N-SENSITIVITY-UNANSWERED`).

    Raises
    ------
    StudyError
        As the analyses that it is made of.
    ModelError
        Where the primary model has no answer.

    **Source**: Lee et al. 2021, J Clin Epidemiol 134:79, for what is planned, examined and reported (TARMOS).
    """
    response = spec.parsed.response
    helpers = tuple(default_auxiliaries(spec, cohort) if auxiliaries is None else auxiliaries)
    predictors = tuple(
        dict.fromkeys([response, *(name.partition("[")[0] for name in helpers), *_covariates(spec, cohort)])
    )
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    of_triangulation, of_strategies, of_choices = root.spawn(3)
    follow_up = cohort.visits.labels[1:]
    steps = 7 if norm is not None else 6
    heard = teller(progress)

    def tell(done: int, what: str) -> None:
        if heard is not None:
            heard(done, steps, f"{response}: {what}")

    unanswered: list[Notice] = []

    def part(what: str, ask: Callable[[], Estimates]) -> Estimates | None:
        return answered(response, what, ask, unanswered)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # every notice is kept, and announced once below
        tell(0, "models, imputation and weights")
        triangulated = triangulation(
            spec,
            cohort,
            predictors=predictors,
            auxiliaries=helpers,
            n=n,
            seed=of_triangulation,
            conf_level=conf_level,
            progress=False,
        )
        tell(1, "assumptions about the unseen")
        assumed = part(
            "the comparison of assumptions about the unseen is",
            lambda: strategies_compared(
                spec,
                cohort,
                strategies,
                auxiliaries=helpers,
                n=n,
                seed=of_strategies,
                conf_level=conf_level,
                progress=False,
            ),
        )
        tell(2, "tipping point")
        tipping = part(
            "the tipping point is",
            lambda: tipping_point(spec, cohort, auxiliaries=helpers, conf_level=conf_level, progress=False),
        )
        mapped = None
        if len(follow_up) > 1 and tipping is not None:
            mapped = part(
                "the map of tipping points is",
                lambda: tipping_map(spec, cohort, auxiliaries=helpers, conf_level=conf_level, progress=False),
            )
        tell(3, "the analyst's choices")
        choices = part(
            "the curve of specifications is",
            lambda: specification_curve(
                spec,
                cohort,
                auxiliaries=helpers,
                n=min(n, 50),
                seed=of_choices,
                conf_level=conf_level,
                progress=False,
            ),
        )
        tell(4, "each subject left out")
        without = part("leaving each subject out is", lambda: left_out(spec, cohort, conf_level=conf_level))
        regression = curve = None
        if norm is not None:
            tell(5, "regression to the mean")
            curve = part(
                "the curve over stabilities is",
                lambda: stability_curve(cohort, response, norm=norm, stability=stability, conf_level=conf_level),
            )
            if stability is not None and curve is not None:
                regression = part(
                    "regression to the mean is",
                    lambda: regression_to_the_mean(
                        cohort, response, norm=norm, stability=stability, conf_level=conf_level
                    ),
                )
    tell(steps, "done")
    found = Dashboard(
        outcome=cohort.outcome(response),
        model=spec,
        auxiliaries=helpers,
        predictors=predictors,
        triangulation=triangulated,
        strategies=assumed,
        tipping_point=tipping,
        tipping_map=mapped,
        regression_to_the_mean=regression,
        stability_curve=curve,
        specification_curve=choices,
        left_out=without,
        unanswered=tuple(unanswered),
    )
    announce(found.notices)
    return found


def default_auxiliaries(spec: MMRM, cohort: Cohort) -> tuple[str, ...]:
    """The other outcomes, and the numeric covariates that are not in the model, at the first visit; those of which
    fewer than nine in ten persons have a value there are left out.
    """
    first = cohort.visits.labels[0]
    at_first = cohort.data[cohort.data["visit"].eq(first)]
    others = [name for name in cohort.outcomes if name != spec.parsed.response]
    others += [
        name
        for name, role in cohort.covariate_roles.items()
        if role.levels is None and name not in spec.parsed.variables
    ]
    known = [name for name in others if at_first[name].notna().sum() >= 0.9 * cohort.n_subjects]
    varied = [name for name in known if at_first[name].nunique() > 1]
    return tuple(f"{name}[{first}]" for name in varied)


def _covariates(spec: MMRM, cohort: Cohort) -> list[str]:
    return [name for name in spec.parsed.variables if name in cohort.covariate_roles]
