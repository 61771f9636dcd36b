"""A joint display: estimates of groups beside short qualitative labels of the same groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.tabulation import WITHOUT_N, heading, tabulate

__all__ = ["JointDisplay", "joint_display"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointDisplay(Shown):
    """Estimates by the levels of one factor, and what the qualitative study calls them.

    Attributes
    ----------
    factor : str
    levels : tuple of str
    themes : mapping of level to short labels
    source : whose labels they are
    parts : tuple of Estimates
    notes : sentences that belong under it
    """

    factor: str
    levels: tuple[str, ...]
    themes: Mapping[str, tuple[str, ...]]
    source: str
    parts: tuple[Estimates, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "themes", MappingProxyType(dict(self.themes)))

    def __repr__(self) -> str:
        return for_terminal(f"<JointDisplay: {self.factor}; {len(self.levels)} levels, {len(self.parts)} results>")

    def _tables(self) -> tuple[Table, ...]:
        words = [(level, "; ".join(self.themes.get(level, ()))) for level in self.levels]
        themes = facts(f"{heading(self.factor)} in words", words, notes=(self.source, *self.notes))
        return themes, *(tabulate(part, columns=WITHOUT_N) for part in self.parts)


def joint_display(
    *parts: Estimates,
    themes: Mapping[str, str | Sequence[str]],
    factor: str,
    source: str,
    notes: Sequence[str] = (),
) -> JointDisplay:
    """Set estimates of groups beside qualitative labels of the same groups.

    Labels are given, never made here: nothing is read out of the numbers into words, and no label says that the numbers
    agree with it.

    Parameters
    ----------
    parts : Estimates
        Means or contrasts that name `factor` in a column, such as emmeans(fit, "visit", by="category").
    themes : mapping of level of the factor to a label, or several
        Every level has one; an empty label is allowed.
    source : str
        Whose labels they are: a study, or "labels of the analysts".
    notes : sequence of str, optional
        Further sentences under the display, such as who was interviewed.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where estimates do not name the factor, levels and labels are not the same, or no source is
        given.

    **Source**: Guetterman, Fetters & Creswell 2015, Ann Fam Med 13:554 (joint displays in mixed methods research).

    >>> from burnout_stats.inference import emmeans
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> fitted = fit(MMRM("exhaustion ~ visit * sex"), example("villa_sana"))
    >>> means = emmeans(fitted, "visit", by="sex")
    >>> joint_display(means, themes={"F": "a", "M": "b"}, factor="sex", source="invented here").levels
    ('F', 'M')
    """
    if not parts or any(factor not in part.frame for part in parts):
        raise StudyError(
            "E-STUDY-VALUE",
            f"{'No estimates are given' if not parts else f'Estimates without a column `{factor}` are given'}.",
            "A joint display has a row for each level of its factor.",
            f'Ask for them by the factor: emmeans(fit, "visit", by="{factor}").',
        )
    levels = tuple(dict.fromkeys(str(level) for part in parts for level in part.frame[factor]))
    if set(levels) != set(themes):
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are labels for {', '.join(map(str, themes)) or 'nothing'}, and estimates of {', '.join(levels)}.",
            f"Every level of `{factor}` has a label, and every label a level.",
            "Give an empty label where the qualitative study has none.",
        )
    if not source.strip():
        raise StudyError(
            "E-STUDY-VALUE",
            "The labels have no source.",
            "Words beside numbers say whose they are.",
            'Name the study, or write source="labels of the analysts".',
        )
    return JointDisplay(
        factor=factor,
        levels=levels,
        themes={level: _labels(themes[level]) for level in levels},
        source=source,
        parts=tuple(parts),
        notes=tuple(notes),
    )


def _labels(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
