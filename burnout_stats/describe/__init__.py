"""What was observed, before any model: each verb answers with Summaries (counts, means) or Estimates (with tests)."""

from ._attrition import attrition, attrition_from_summaries
from ._baseline import baseline, baseline_from_summaries
from ._between_arms import between_arms, between_arms_from_summaries, standardized_between_arms_from_summaries
from ._by_visit import by_visit
from ._caseness import caseness, caseness_change, caseness_change_from_summaries, caseness_from_summaries
from ._change import (
    change,
    change_from_summaries,
    change_scores,
    change_scores_from_summaries,
    standardized_change,
    standardized_change_from_summaries,
)
from ._completed import Completed
from ._consistency import Printed, PrintedF, PrintedMean, PrintedPairs, PrintedPercent, PrintedTest, consistency
from ._dropout_model import dropout_model
from ._floor_ceiling import floor_ceiling
from ._flow import flow
from ._follow_up import follow_up
from ._level_and_change import level_and_change, level_and_change_from_summaries
from ._missingness import missing_values, missingness
from ._norm import against_norm, against_norm_from_summaries, equivalent_to_norm, share_against_norm
from ._person_effect_sizes import person_effect_sizes
from ._reliability import reliability, reliability_from_summaries
from ._reliable_change import Reliability, reliable_change, reliable_change_from_summaries, reliable_change_points
from ._rm_anova import (
    rm_anova,
    rm_anova_contrasts,
    rm_anova_from_printed,
    rm_anova_from_summaries,
    sphericity,
    sphericity_from_summaries,
)
from ._screening import screening, screening_from_scores, screening_from_table
from ._singled_out import singled_out
from ._standardized_differences import standardized_differences, standardized_differences_from_summaries
from ._test_retest import test_retest, test_retest_from_summaries
from ._transitions import transitions

__all__ = [
    "Completed",
    "Printed",
    "PrintedF",
    "PrintedMean",
    "PrintedPairs",
    "PrintedPercent",
    "PrintedTest",
    "Reliability",
    "against_norm",
    "against_norm_from_summaries",
    "attrition",
    "attrition_from_summaries",
    "baseline",
    "baseline_from_summaries",
    "between_arms",
    "between_arms_from_summaries",
    "by_visit",
    "caseness",
    "caseness_change",
    "caseness_change_from_summaries",
    "caseness_from_summaries",
    "change",
    "change_from_summaries",
    "change_scores",
    "change_scores_from_summaries",
    "consistency",
    "dropout_model",
    "equivalent_to_norm",
    "floor_ceiling",
    "flow",
    "follow_up",
    "level_and_change",
    "level_and_change_from_summaries",
    "missing_values",
    "missingness",
    "person_effect_sizes",
    "reliability",
    "reliability_from_summaries",
    "reliable_change",
    "reliable_change_from_summaries",
    "reliable_change_points",
    "rm_anova",
    "rm_anova_contrasts",
    "rm_anova_from_printed",
    "rm_anova_from_summaries",
    "screening",
    "screening_from_scores",
    "screening_from_table",
    "share_against_norm",
    "singled_out",
    "sphericity",
    "sphericity_from_summaries",
    "standardized_between_arms_from_summaries",
    "standardized_change",
    "standardized_change_from_summaries",
    "standardized_differences",
    "standardized_differences_from_summaries",
    "test_retest",
    "test_retest_from_summaries",
    "transitions",
]
