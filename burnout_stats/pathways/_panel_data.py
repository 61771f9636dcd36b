"""Two outcomes of a cohort at some visits with covariates, and a model of paths between them fitted to all who were
seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..notices import Notice, announce
from ._artefact import covariate_columns
from ._fitting import Wide, chosen, fitted, trouble
from ._nodes import Node, score
from ._path_fit import PathFit
from ._specification import specified

__all__ = ["PanelData"]

Array = NDArray[np.float64]
FIML = (
    "Full-information maximum likelihood: {n} persons with at least one score. Missing scores are assumed to be "
    "missing at random given the scores that were seen, and scores to be jointly normal."
)
READ = (
    "A path tells how two variables are associated, given the other variables that point to the same one. That the "
    "earlier one brings the later one about does not follow."
)
COVARIATES = "Covariates, as known at baseline, point to every later score and go together with the first ones."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PanelData:
    """The scores of x and y at the visits, and covariates Z, under the names that they have in a template."""

    cohort: Cohort
    wide: Wide
    names: tuple[str, str]
    outcomes: Mapping[str, str]
    visits: tuple[str, ...]
    years: tuple[float, ...]
    Z: Array
    covariates: tuple[str, ...]
    covariate_nodes: tuple[Node, ...]

    @classmethod
    def of(cls, cohort: Cohort, x: str, y: str, visits: Sequence[str], covariates: Sequence[str]) -> PanelData:
        wide = chosen(cohort, (x, y), visits)
        Z, nodes = covariate_columns(cohort, covariates, (x, y))
        return cls(
            cohort=cohort,
            wide=wide,
            names=(x, y),
            outcomes=dict(zip(wide.names, wide.labels, strict=True)),
            visits=wide.visits,
            years=tuple(float(year) for year in wide.years),
            Z=Z,
            covariates=tuple(node.label for node in nodes),
            covariate_nodes=nodes,
        )

    def x(self, k: int) -> str:
        return f"{self.names[0]}@{self.visits[k]}"

    def y(self, k: int) -> str:
        return f"{self.names[1]}@{self.visits[k]}"

    def fit(
        self,
        model: str,
        paths: Mapping[tuple[str, str], float | str],
        fixed: Mapping[tuple[str, str], float],
        latent: tuple[Node, ...],
        notes: Sequence[str],
        told: tuple[Notice, ...],
    ) -> PathFit:
        """The fit of these paths; what is left at a visit goes together between x and y, and so do all first scores."""
        observed = (*self.wide.columns, *self.covariates)
        K = len(self.visits)
        between_names = tuple(f"{name} between" for name in self.names) if latent else ()
        within_names = tuple(f"{column} within" for column in self.wide.columns) if latent else ()
        suffix = " within" if latent else ""
        covariances: dict[tuple[str, str], float | str] = {}
        first = [f"{self.x(0)}{suffix}", f"{self.y(0)}{suffix}", *self.covariates]
        groups = [first, *([f"{self.x(k)}{suffix}", f"{self.y(k)}{suffix}"] for k in range(1, K))]
        for group in (*groups, list(between_names)):
            for at, a in enumerate(group):
                for b in group[at:]:
                    covariances[a, b] = f"{a} with {b}" if a != b else f"variance of {a}"
        covariances |= dict(fixed)
        template = specified(
            observed,
            (*between_names, *within_names),
            paths=paths,
            covariances=covariances,
            means={name: f"mean of {name}" for name in observed},
        )
        Y = np.column_stack([self.wide.flat, self.Z])
        seen = self.wide.seen
        Y = Y[seen]
        with np.errstate(all="ignore"):
            begin = template.start(np.nanmean(Y, axis=0)[None], np.nanvar(Y, axis=0)[None])[0]
        what = f"the {model} model"
        found = fitted(Y, template, dict(zip(template.labels, map(float, begin), strict=True)), what=what)
        notices = (*trouble(found, what), *told)
        announce(notices, stacklevel=4)
        nodes = (
            *(score(n, self.outcomes[n], v) for n in self.wide.names for v in self.visits),
            *self.covariate_nodes,
            *latent,
        )
        return PathFit(
            model=model,
            structure=template,
            estimated=found,
            nodes=nodes,
            outcomes=self.outcomes,
            visit_years=dict(zip(self.visits, self.years, strict=True)),
            seen=seen,
            notes=(FIML.format(n=int(seen.sum())), *notes, *([COVARIATES] if self.covariates else []), READ),
            notices=notices,
            policy=self.cohort.policy,
        )
