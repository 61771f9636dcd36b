"""Results and methods in Norwegian bokmål."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from handmade import PAYLOADS, changes, fit, means, one_change

from burnout_stats import text
from burnout_stats.display import number_style
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Estimates

NEVER = re.compile(r"\beffekt(?!er\.)|årsak|på grunn av|skyldes|ingen endring|signifikan|bedring", re.IGNORECASE)
LEVEL = "95\N{NO-BREAK SPACE}% KI"


def test_a_fall_is_told_with_its_interval_and_test() -> None:
    assert text.result(one_change(-0.47, 0.0712, 0.0001), language="nb") == (
        "Emotional exhaustion sank med 0,47 poeng fra baseline til 1 year "
        f"({LEVEL} 0,33 til 0,61; t(180,2) = 6,60; p < 0,001), en endring til det bedre."
    )


def test_a_rise_may_be_for_the_worse() -> None:
    sentence = text.result(one_change(0.5, p_value=0.001), language="nb")
    assert sentence.startswith("Emotional exhaustion økte med 0,50 poeng")
    assert sentence.endswith(", en endring til det verre.")


def test_a_unit_of_the_study_stays_as_it_is() -> None:
    assert "0,50 hours fra" in text.result(
        one_change(-0.5, p_value=0.001, units={"exhaustion": "hours"}), language="nb"
    )


def test_an_uncertain_change_is_not_called_none() -> None:
    assert text.result(one_change(-0.05, p_value=0.48), language="nb", style="nejm") == (
        "Den estimerte endringen i emotional exhaustion fra baseline til 1 year var −0,05 poeng "
        f"({LEVEL} −0,19 til 0,09; t(180,2) = −0,71; P = 0,48); intervallet rommer både en nedgang og en økning."
    )


def test_a_change_that_is_uncertain_after_adjustment_says_so() -> None:
    sentence = text.result(one_change(-0.15, p_value=0.07, adjust="holm"), language="nb")
    assert "Holm-justert p = 0,070" in sentence
    assert sentence.endswith("; når p-verdien er justert for flere tester, er retningen fortsatt usikker.")


def test_the_verb_stands_second_after_a_group() -> None:
    def of_women(one: Estimates) -> str:
        estimates = replace(one, frame=one.frame.assign(sex="F"), about=replace(one.about, by=("sex",)))
        return text.result(estimates, language="nb")

    assert of_women(one_change(-0.5, p_value=0.001)).startswith("For sex F sank emotional exhaustion med 0,50 poeng")
    assert of_women(one_change(-0.05)).startswith("For sex F var den estimerte endringen i emotional exhaustion fra")
    absent = one_change(-0.5)
    absent = replace(absent, frame=absent.frame.assign(estimate=math.nan, std_error=math.nan))
    assert of_women(absent) == (
        "For sex F kan endringen i emotional exhaustion fra baseline til 1 year ikke estimeres fra disse dataene."
    )


def test_a_difference_between_groups_is_no_change() -> None:
    sentence = text.result(one_change(0.5, p_value=0.001, contrast="M - F"), language="nb")
    assert sentence.startswith(f"Den estimerte forskjellen i emotional exhaustion (M − F) var 0,50 poeng ({LEVEL}")


def test_hidden_changes_are_told_without_numbers() -> None:
    few = replace(changes(), frame=changes().frame.assign(n=[185, 4]))
    assert text.result(few, language="nb").split(". ")[-1] == (
        "Endringen i emotional exhaustion fra baseline til 3 years er skjult: tallet bygger på for få personer."
    )


@pytest.mark.parametrize("style", ["plain", "apa", "ama", "nejm", "bmj"])
@pytest.mark.parametrize("language", ["en", "nb"])
@pytest.mark.parametrize("p_values", [(0.0001, 0.04996), (0.0, 1.0), (0.0495, 0.9996)])
def test_every_number_stands_in_the_estimates(style: str, language: str, p_values: tuple[float, float]) -> None:
    estimates = changes(p_values=p_values)
    sentence = text.result(estimates, style=style, language=language)
    assert text.unsupported_numbers(sentence, estimates, language=language) == ()
    wrong = sentence.replace("7,32", "7,23").replace("7.32", "7.23")
    assert text.unsupported_numbers(wrong, estimates, language=language) == ("7.23",)


def test_a_style_in_norwegian_is_enough() -> None:
    asked = number_style("plain", language="nb")
    assert text.result(changes(), style=asked) == text.result(changes(), language="nb")


def test_the_methods() -> None:
    told = text.methods(fit(), means=means(), changes=changes(adjust="holm"), language="nb")  # type: ignore[arg-type]
    assert told.startswith(
        "Emotional exhaustion ble analysert med en lineær blandet modell for gjentatte målinger med måletidspunkt, sex "
        "og age og samspillet visit × sex som faste effekter. Skårene til en person ved baseline, 1 year og 3 years "
        "hadde en ustrukturert kovariansmatrise, og modellen ble tilpasset med restricted maximum likelihood (REML) "
        "til 596 skårer fra 227 personer."
    )
    assert "P-verdiene er justert for flere tester etter metoden til Holm; intervallene er ikke justert." in told
    assert f"med {LEVEL[:-3]} konfidensintervall" in told


@pytest.mark.parametrize(
    "asked",
    [
        {"fit": fit("exhaustion ~ 1"), "means": means(sexes=["F", "M"])},
        {"fit": fit("exhaustion ~ visit"), "changes": changes()},
        {"fit": fit("exhaustion ~ visit * sex + visit:age + age"), "tells_rows": False},
        {"fit": fit(), "tells_rows": False, "tells_subjects": False},
        {"fit": fit(n_obs=3 * 227, converged=False)},
        {"fit": fit(), "changes": changes(adjust="bonferroni")},
    ],
)
def test_no_methods_are_left_in_english(asked: dict[str, object]) -> None:
    told = text.methods(**asked, language="nb")  # type: ignore[arg-type]
    assert not re.search(r"\b(the|was|were|with|of)\b", told), told


def test_some_words_are_never_said() -> None:
    variants = [
        changes(),
        changes(p_values=(0.2, 0.9)),
        one_change(0.0),
        one_change(-0.15, p_value=0.07, adjust="holm"),
    ]
    for variant in variants:
        assert not NEVER.search(text.result(variant, language="nb"))


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_other_languages_are_refused() -> None:
    for ask in (lambda: text.result(changes(), language="sv"), lambda: text.methods(fit(), language="sv")):  # type: ignore[arg-type]
        with pytest.raises(StudyError) as caught:
            ask()
        assert caught.value.code == "E-STUDY-OPTION"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_labels_give_no_control_characters(payload: str) -> None:
    sentence = text.result(one_change(-0.5, outcomes={"exhaustion": payload}), language="nb")
    assert not {"\x1b", "\n", "\u202e"} & set(sentence)
