"""The simulation study of the package, made small."""

from __future__ import annotations

import pytest

from burnout_stats.power._validation import JOINT, NO_ANSWER, STUDIES, TESTS, validation
from burnout_stats.reporting import validation as page


def test_every_test_of_every_contrast_has_a_row():
    found = validation(replicates=500, sizes=[20], studies=[STUDIES[2]])
    frame = found.frame
    for contrast in ("1 year - baseline", "3 years - baseline"):
        own = frame[frame["contrast"] == contrast]
        assert list(zip(own["test"], own["vcov"], strict=True)) == list(TESTS)
    assert len(frame[frame["contrast"] == JOINT]) == sum(vcov == "model" for _, vcov in TESTS)
    assert (frame["contrast"] == NO_ANSWER).sum() == 1
    by = frame[frame["contrast"] == "3 years - baseline"].set_index(["test", "vcov"])["estimate"]
    assert by["kenward-roger", "model"] <= by["satterthwaite", "model"] < by["asymptotic", "model"]
    assert by["satterthwaite", "cr3"] <= by["satterthwaite", "cr2"] <= by["satterthwaite", "cr0"]


@pytest.mark.slow
def test_the_page_is_the_same_every_time_and_says_what_is_not_verified():
    first, again = (page.validation_page(replicates=500, sizes=(40,), studies=STUDIES[4:5]) for _ in range(2))
    assert first == again
    for word in ("Two arms", "Kenward-Roger (default)", "Simulated power", "not verified", "GLMM", "n = 40"):
        assert word in first
