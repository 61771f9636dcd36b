"""Prose: its numbers, its directions, and the words that it never says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from handmade import PAYLOADS, changes, fit, means, one_change

from burnout_stats import __version__, text
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Estimates

NEVER = re.compile(
    r"\beffects?\b(?! \w*fixed)|caus|because of|due to|no change|no difference|significan|improve", re.IGNORECASE
)


def test_approved_texts(snapshot: Callable[[str, str], None]) -> None:
    paragraphs = [
        text.methods(fit(), means=means(), changes=changes(adjust="holm")),  # type: ignore[arg-type]
        text.result(changes(adjust="holm")),
        text.result(changes(), style="apa"),
    ]
    snapshot("text/paragraphs.txt", "\n\n".join(paragraphs).replace(__version__, "VERSION") + "\n")


def test_a_fall_is_told_with_its_interval_and_test() -> None:
    assert text.result(one_change(-0.47, 0.0712, 0.0001)) == (
        "Emotional exhaustion fell by 0.47 points from baseline to 1 year "
        "(95% CI 0.33 to 0.61; t(180.2) = 6.60, p < 0.001), a change for the better."
    )


@pytest.mark.parametrize(
    ("estimate", "better", "verb", "judgment"),
    [
        (-0.5, "lower", "fell", "a change for the better"),
        (0.5, "lower", "rose", "a change for the worse"),
        (-0.5, "higher", "fell", "a change for the worse"),
        (0.5, "higher", "rose", "a change for the better"),
    ],
)
def test_what_is_better_decides_the_judgment(estimate: float, better: str, verb: str, judgment: str) -> None:
    sentence = text.result(one_change(estimate, p_value=0.001, better={"exhaustion": better}))
    assert verb in sentence
    assert sentence.endswith(f"{judgment}.")


def test_nobody_said_what_is_better() -> None:
    assert "change for" not in text.result(one_change(-0.5, p_value=0.001, better={}))


def test_an_uncertain_change_is_not_called_none() -> None:
    sentence = text.result(one_change(-0.05, p_value=0.48))
    assert sentence == (
        "The estimated change in emotional exhaustion from baseline to 1 year was −0.05 points "
        "(95% CI −0.19 to 0.09; t(180.2) = −0.71, p = 0.480); the interval holds a fall as well as a rise."
    )


def test_a_change_that_is_uncertain_after_adjustment_says_so() -> None:
    sentence = text.result(one_change(-0.15, p_value=0.07, adjust="holm"))
    assert "Holm-adjusted p = 0.070" in sentence
    assert sentence.endswith("; with the p value adjusted for several tests, its direction remains uncertain.")
    assert " fell " not in sentence


def test_a_contrast_may_count_backward() -> None:
    sentence = text.result(one_change(0.5, p_value=0.001, contrast="baseline - 1 year"))
    assert "rose by 0.50 points from 1 year to baseline" in sentence


def test_groups_are_told_apart() -> None:
    frame = one_change(-0.5, p_value=0.001).frame.assign(sex="F")
    estimates = replace(one_change(-0.5, by=("sex",)), frame=frame)
    assert text.result(estimates).startswith("For sex F, emotional exhaustion fell by")


def test_a_difference_between_groups_is_no_change() -> None:
    sentence = text.result(one_change(0.5, p_value=0.001, contrast="M - F"))
    assert sentence.startswith("The estimated difference in emotional exhaustion (M − F) was 0.50 points (95% CI")


def test_the_normal_distribution_has_no_df() -> None:
    frame = one_change(-0.5, p_value=0.001).frame.assign(df=math.inf)
    assert "; z = 7.14, p" in text.result(replace(one_change(-0.5), frame=frame))


def test_hidden_and_missing_changes_are_told_without_numbers() -> None:
    few = replace(changes(), frame=changes().frame.assign(n=[185, 4]))
    hidden = text.result(few).split(". ")[-1]
    assert (
        hidden == "The change in emotional exhaustion from baseline to 3 years is hidden: it rests on too few persons."
    )
    unknown = replace(one_change(-0.5), frame=one_change(-0.5).frame.assign(estimate=math.nan, std_error=math.nan))
    assert text.result(unknown).endswith("cannot be estimated from these data.")


@pytest.mark.parametrize("style", ["plain", "apa"])
@pytest.mark.parametrize("p_values", [(0.0001, 0.04996), (0.0, 1.0), (0.0495, 0.9996)])
def test_every_number_in_a_result_stands_in_the_estimates(style: str, p_values: tuple[float, float]) -> None:
    estimates = changes(p_values=p_values)
    assert text.unsupported_numbers(text.result(estimates, style=style), estimates) == ()


def test_every_number_in_the_methods_stands_in_the_fit() -> None:
    paragraph = text.methods(fit(), means=means(), changes=changes())  # type: ignore[arg-type]
    found = text.unsupported_numbers(paragraph, means(), changes(), labels=[__version__])
    assert found == ("596",)


@pytest.mark.parametrize(
    ("right", "wrong"), [("0.52", "0.53"), ("180.2", "180.3"), ("0.04996", "0.04995"), ("0.38", "0.83")]
)
def test_the_checker_finds_a_number_that_was_changed(right: str, wrong: str) -> None:
    sentence = text.result(changes())
    assert right in sentence
    assert set(text.unsupported_numbers(sentence.replace(right, wrong), changes())) == {wrong}


def test_the_checker_takes_a_bound_only_after_its_sign() -> None:
    assert text.unsupported_numbers("p = 0.001", changes()) == ("0.001",)
    assert text.unsupported_numbers("p < 0.001 and p > .999", changes()) == ()


def all_sentences() -> list[str]:
    variants: list[Estimates] = [
        changes(),
        changes(p_values=(0.2, 0.9)),
        one_change(0.0),
        one_change(-0.15, p_value=0.07, adjust="holm"),
        one_change(0.5, contrast="M - F"),
    ]
    return [
        *(text.result(variant) for variant in variants),
        text.methods(fit(), means=means(), changes=changes()).replace("as fixed effects", ""),  # type: ignore[arg-type]
    ]


def test_some_words_are_never_said() -> None:
    for sentence in all_sentences():
        assert not NEVER.search(sentence), sentence


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_means_are_no_result() -> None:
    with pytest.raises(StudyError) as caught:
        text.result(means())
    assert caught.value.code == "E-STUDY-VALUE"


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("exhaustion ~ visit", "with visit as fixed effects"),
        ("exhaustion ~ visit * sex + age", "with visit, sex and age, and the interaction visit × sex as fixed effects"),
        (
            "exhaustion ~ visit * sex + visit:age + age",
            "and the interactions visit × sex and visit × age as fixed effects",
        ),
        ("exhaustion ~ 1", "with an intercept alone"),
    ],
)
def test_fixed_effects_are_named(formula: str, words: str) -> None:
    assert words in text.methods(fit(formula))  # type: ignore[arg-type]


def test_missing_visits_are_told_only_where_there_are_some() -> None:
    assert "missing at random" in text.methods(fit())  # type: ignore[arg-type]
    assert "Every subject had a score at every visit." in text.methods(fit(n_obs=3 * 227))  # type: ignore[arg-type]


def test_a_fit_that_did_not_converge_says_so() -> None:
    assert "did not converge" in text.methods(fit(converged=False))  # type: ignore[arg-type]
    assert "converge" not in text.methods(fit())  # type: ignore[arg-type]


def test_the_df_method_is_that_of_the_question() -> None:
    asked = replace(means(), about=replace(means().about, df_method="asymptotic"))
    assert "normal distribution" in text.methods(fit(), means=asked)  # type: ignore[arg-type]
    assert "Kenward-Roger" in text.methods(fit(), means=means())  # type: ignore[arg-type]
    assert "Kenward-Roger" not in text.methods(fit())  # type: ignore[arg-type]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_labels_give_no_control_characters(payload: str) -> None:
    sentence = text.result(one_change(-0.5, outcomes={"exhaustion": payload}))
    assert "\x1b" not in sentence
    assert "\n" not in sentence
    assert "\u202e" not in sentence
