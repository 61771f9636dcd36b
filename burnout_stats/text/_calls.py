"""The same analysis as calls of other programs, for a reviewer who wants to repeat it there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..estimates import Estimates
from ..models.measured import refuse_counted
from ..models.spec import LMM
from . import _calls_r as r
from ._calls_question import question
from ._calls_sas import sas
from ._calls_stata import stata

if TYPE_CHECKING:
    from ..models import Fit

__all__ = ["calls"]


def calls(
    fit: Fit,
    changes: Estimates | None = None,
    *,
    data: str = "cohort.csv",
    subject: str = "subject",
    visit: str = "visit",
) -> Mapping[str, str]:
    """Scripts of SAS, R and Stata that ask the same of the same data.

    Each reads a long data file (one row for each subject and visit), codes the factors with the same reference levels,
    and fits the same model by the same method; where contrasts between visits are given, it asks for these too,
    averaged in the same way. Where a program has no equivalent, its script says so, and what is nearest. No number of
    the data stands in a script, but for the means and SDs that `center` and `standardize` took.

    The scripts of R (nlme, lme4) have been run and compared; those of mmrm, SAS and Stata follow their manuals and were
    not run.

    Parameters
    ----------
    fit : Fit
    changes : Estimates, optional
        Contrasts between visits; their method for degrees of freedom and covariance is asked for.
    data : str
        The data file, as the scripts name it.
    subject, visit : str
        What the file calls these columns; the other columns are called as in the formula, and the years follow from the
        visits.

    Returns
    -------
    mapping of program to script
        "SAS", "R (mmrm)", "R (nlme)", "Stata" for a model of the visits; "SAS", "R (lme4)", "Stata" for random effects.

    **Source**: see the modules beside this one.

    Examples
    --------
    >>> import burnout_stats as bs
    >>> fit = bs.fit(bs.MMRM("exhaustion ~ visit"), bs.example("villa_sana"))
    >>> [line for line in calls(fit)["SAS"].splitlines() if "repeated" in line]
    ['  repeated visit_n / subject=subject type=un;']
    """
    refuse_counted(fit, "Scripts for other programs are", "Write glmer of lme4, PROC GLIMMIX or melogit by hand.")
    asked = question(fit, changes, subject=subject, visit=visit, data=data)
    scripts = {"SAS": sas(asked)}
    if isinstance(fit.spec, LMM):
        scripts["R (lme4)"] = r.lme4(asked)
    else:
        scripts["R (mmrm)"] = r.mmrm(asked)
        scripts["R (nlme)"] = r.nlme(asked)
    scripts["Stata"] = stata(asked)
    return MappingProxyType(scripts)
