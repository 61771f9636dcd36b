"""A thousand replicates of each study of Villa Sana agree with every printed number that its plan produces."""

from __future__ import annotations

import pytest

from burnout_stats.studies import study
from burnout_stats.studies._reproduce import AGREES, NOT_COMPUTED

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("published")]

OURS = ("villa_sana_2007", "villa_sana_2008", "villa_sana_2010", "villa_sana_2012", "villa_sana_nurses_2010")


@pytest.mark.parametrize("name", OURS)
def test_every_printed_number_agrees_or_says_why_not(name):
    one = study(name)
    found = one.reproduce(1000, seed=20_26).frame
    computed = [number.id for number in one.printed if number.statistic]
    agrees = found.set_index("id")["agrees"]
    assert agrees[computed].eq(AGREES).all(), agrees[computed][agrees[computed].ne(AGREES)]
    assert agrees.drop(computed).eq(NOT_COMPUTED).all()


def test_medians_of_the_numbers_that_the_papers_turn_on():
    """Within about four Monte-Carlo errors of a median of 1,000 (t: 0.04 each; F: 0.4)."""
    one = study("villa_sana_2008").reproduce(1000, seed=7).frame.set_index("id")["estimate"]
    assert one["exhaustion_t"] == pytest.approx(6.76, abs=0.2)
    three = study("villa_sana_2010").reproduce(1000, seed=7).frame.set_index("id")["estimate"]
    for key, printed in (("exhaustion_t", 7.6), ("job_stress_t", 8.2), ("coping_t", 7.0), ("neuroticism_t", 5.0)):
        assert three[key] == pytest.approx(printed, abs=0.3), key
    assert three["anova_F"] == pytest.approx(33.1, abs=2.0)
    assert three["anova_df_2"] == pytest.approx(267.0, abs=3.0)
    assert three["anova_n"] == pytest.approx(147, abs=1)


@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_today_asks_the_main_outcome_under_other_assumptions():
    one = study("villa_sana_2008")
    found = one.today(one.simulate(seed=5), n_imputations=10)
    assert found.dashboard is not None
    assert found.dashboard.outcome.name == "exhaustion"
    assert found.dashboard.regression_to_the_mean is not None
    assert found.dashboard.tipping_point is not None
