"""The one number that sensitivity analyses follow: the mean at one visit less the mean at another."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ..cohort.roles import Visits
from ..errors import StudyError, did_you_mean
from ..estimates import Estimates
from ..inference import contrast, emmeans
from ..models.fitted import Fitted
from ..notices import BurnoutStatsWarning

__all__ = ["VisitContrast", "unannounced"]


@dataclass(frozen=True, slots=True)
class VisitContrast:
    """A later visit less an earlier one, by label."""

    later: str
    earlier: str

    @classmethod
    def of(cls, contrast: str | None, visits: Visits) -> VisitContrast:
        """The contrast that is written so ("3 years - baseline"); without one, the last visit less the first.

        Raises
        ------
        StudyError
            `E-STUDY-VISITS` for another text, or a cohort with one visit.
        """
        labels = visits.labels
        pairs = {f"{a} - {b}": cls(a, b) for a in labels for b in labels if a != b}
        if contrast is None and pairs:
            return cls(labels[-1], labels[0])
        if contrast in pairs:
            return pairs[str(contrast)]
        raise StudyError(
            "E-STUDY-VISITS",
            f"The contrast {contrast!r} is asked.",
            f"It is one visit less another. The visits are: {', '.join(labels)}.",
            did_you_mean(str(contrast), pairs) or f'Write for example "{labels[-1]} - {labels[0]}".',
        )

    @property
    def name(self) -> str:
        """As `contrast` writes it."""
        return f"{self.later} - {self.earlier}"

    def asked(self, fit: Fitted, *, df: str | None = None, conf_level: float = 0.95) -> Estimates:
        """The contrast of marginal means, one row; means at the nominal years where the model has `years` only."""
        over = "visit" if "visit" in fit.design.encoder.variables else "years"
        means = emmeans(fit, over, df=df, conf_level=conf_level)
        names = means.frame[over].tolist()
        if over == "visit":
            places = [names.index(self.later), names.index(self.earlier)]
        else:
            years = np.array([float(value) for value in names])
            told = fit.design.visits.by_label()
            places = [int(np.argmin(np.abs(years - told[label]))) for label in (self.later, self.earlier)]
        weights = np.zeros(len(names))
        weights[places] = [1.0, -1.0]
        return contrast(means, {self.name: weights.tolist()})


@contextmanager
def unannounced() -> Iterator[None]:
    """Fits within speak through their notices only: one of many like analyses is not worth a warning of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        yield
