"""Tables of results: what stands in them, and what may not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from handmade import PAYLOADS, about, changes, coefficients, fit, means, observed

from burnout_stats import tables
from burnout_stats.display import Hidden, Interval, Missing, Table, to_csv, to_html, to_text
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, Summaries


def standardized() -> object:
    change = changes()
    frame = change.frame.assign(**{name: change.frame[name] / 0.94 for name in ("estimate", "conf_low", "conf_high")})
    return replace(
        change, frame=frame, about=replace(change.about, notes=("Standardized by the SD at baseline (0.94).",))
    )


def flow(few: float = 27) -> Summaries:
    rows = [
        {"variable": "visit", "level": level, "statistic": statistic, "value": value, "n": n}
        for level, n in (("baseline", 227.0), ("1 year", 185.0), ("3 years", few))
        for statistic, value in (("n", n), ("percent", 100 * n / 227))
    ]
    return Summaries(frame=pd.DataFrame(rows), about=about("flow"))


ALL: dict[str, Callable[[], Table]] = {
    "means": lambda: tables.means(means(sexes=("F", "M"))),
    "contrasts": lambda: tables.contrasts(changes(), standardized()),  # type: ignore[arg-type]
    "coefficients": lambda: tables.coefficients(coefficients()),
    "by_visit": lambda: tables.by_visit(observed()),
    "flow": lambda: tables.flow(flow()),
    "covariance": lambda: tables.covariance(fit()),  # type: ignore[arg-type]
}


def test_every_verb_is_tested() -> None:
    """Those that are not in `ALL` are called from other files of unit tests."""
    others = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    called = set(re.findall(r"\btables\.(\w+)\b", others))
    assert set(tables.__all__) - called - set(ALL) == set()


@pytest.mark.parametrize("name", ALL)
def test_approved_texts(name: str, snapshot: Callable[[str, str], None]) -> None:
    table = ALL[name]()
    snapshot(f"tables/{name}.txt", f"{to_text(table)}\n\n{to_csv(table)}")


@pytest.mark.parametrize("name", ALL)
def test_every_table_has_a_caption_and_scopes(name: str) -> None:
    html = to_html(ALL[name]())
    assert "<caption>" in html
    assert html.count('scope="row"') == len(ALL[name]())


@pytest.mark.parametrize("name", ALL)
def test_a_caption_may_be_given(name: str) -> None:
    verb = getattr(tables, name)
    given = {
        "means": means(),
        "contrasts": changes(),
        "coefficients": coefficients(),
        "by_visit": observed(),
        "flow": flow(),
    }
    assert verb(given.get(name) or fit(), title="My title").title == "My title"
    assert inspect.signature(verb).parameters["title"].kind is inspect.Parameter.KEYWORD_ONLY


def test_estimates_and_limits_share_their_decimals() -> None:
    assert [row.decimals for row in tables.means(means()).rows] == [2, 2, 2]
    assert [row.decimals for row in tables.means(means(), decimals=3).rows] == [3, 3, 3]
    assert [row.decimals for row in tables.coefficients(coefficients()).rows] == [2, 2, 4, 2]


def test_standardized_changes_stand_beside_the_changes() -> None:
    table = tables.contrasts(changes(), standardized())  # type: ignore[arg-type]
    keys = [column.key for column in table.columns]
    cells = dict(zip(keys, table.rows[0].cells, strict=True))
    assert cells["standardized"] == pytest.approx(-0.5213 / 0.94)
    assert isinstance(cells["standardized_conf"], Interval)
    assert table.notes[-1] == "Standardized by the SD at baseline (0.94)."
    assert table.columns[1].header == "Change"


def test_differences_between_groups_are_not_called_changes() -> None:
    groups = replace(changes(), frame=changes().frame.assign(contrast=["M - F", "M - X"]))
    assert tables.contrasts(groups).columns[1].header == "Difference"
    assert tables.contrasts(groups).title == "Difference in emotional exhaustion"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_standardized_changes_of_other_rows_are_refused() -> None:
    with pytest.raises(StudyError) as caught:
        tables.contrasts(changes(), replace(changes(), frame=changes().frame.iloc[::-1]))
    assert caught.value.code == "E-STUDY-VALUE"


@pytest.mark.parametrize("name", ["means", "contrasts", "coefficients"])
@pytest.mark.raises_code("E-STUDY-VALUE")
def test_results_of_another_kind_are_refused(name: str) -> None:
    wrong = changes() if name != "contrasts" else means()
    with pytest.raises(StudyError) as caught:
        getattr(tables, name)(wrong)
    assert caught.value.code == "E-STUDY-VALUE"


def test_few_persons_are_hidden_in_every_table() -> None:
    few = changes()
    few = replace(few, frame=few.frame.assign(n=[185, 4]))
    assert tables.contrasts(few, standardized()).rows[1].cells[1:] == (Hidden(),) * 9  # type: ignore[arg-type]
    assert tables.means(means(few=4)).rows[2].cells[1:] == (Hidden(),) * 4
    assert all(isinstance(cell, Hidden) for cell in tables.by_visit(observed(few=4)).rows[2].cells[3:])
    assert Hidden() in tables.flow(flow(few=4)).rows[2].cells
    small = fit()
    small.n_subjects = 9
    assert Hidden() in tables.covariance(small, policy=Policy(10)).rows[0].cells  # type: ignore[arg-type]
    assert Hidden() not in tables.covariance(small).rows[0].cells  # type: ignore[arg-type]


def test_hidden_standardized_changes_hide_although_their_own_n_is_missing() -> None:
    few = replace(changes(), frame=changes().frame.assign(n=[185, 4]))
    beside = replace(changes(), frame=changes().frame.assign(n=np.nan))
    assert tables.contrasts(few, beside).rows[1].cells[-2:] == (Hidden(), Hidden())


def test_observed_scores_keep_groups_together() -> None:
    table = tables.by_visit(observed(sexes=("F", "M")))
    assert [(row.group, row.cells[0]) for row in table.rows] == [
        (group, visit) for group in ("Sex: F", "Sex: M") for visit in ("baseline", "1 year", "3 years")
    ]


def test_groups_of_a_flow_stand_side_by_side() -> None:
    frame = flow().frame
    both = pd.concat([frame.assign(sex="F"), frame.assign(sex="M", value=frame["value"] / 2)], ignore_index=True)
    table = tables.flow(replace(flow(), frame=both, about=replace(flow().about, by=("sex",))))
    assert [(column.header, column.spanner) for column in table.columns] == [
        ("Subjects", ""),
        ("n", "Sex: F"),
        ("%", "Sex: F"),
        ("n", "Sex: M"),
        ("%", "Sex: M"),
    ]
    assert table.rows[0].cells == ("baseline", 227, 100.0, 113, 50.0)


def test_a_visit_without_anyone_has_no_scores() -> None:
    nobody = observed()
    frame = nobody.frame
    gone = frame["level"].eq("3 years") & frame["statistic"].isin(["mean", "sd", "median", "q1", "q3"])
    table = tables.by_visit(replace(nobody, frame=frame.assign(value=frame["value"].mask(gone))))
    assert table.rows[2].cells[3:] == (Missing("nobody was seen"),) * 4


def test_the_covariance_has_correlations_above_its_diagonal() -> None:
    rows = [row.cells[1:] for row in tables.covariance(fit()).rows]  # type: ignore[arg-type]
    assert rows[1][0] == 0.31
    assert rows[0][1] == pytest.approx(0.31 / np.sqrt(0.88 * 0.58))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_labels_that_mean_harm_are_only_text(payload: str) -> None:
    for table in (tables.means(means(sexes=(payload,), label=payload)), tables.by_visit(observed(sexes=(payload,)))):
        html = to_html(table)
        assert "<script" not in html
        assert "<img" not in html
        assert "<svg" not in html
