"""Two results.json side by side: what moved and by how much, rows by what they are about, and no file believed that
anybody may have written.
"""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import numpy as np
import pytest
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.display import Hidden, Missing
from burnout_stats.errors import StudyError
from burnout_stats.plan import read_study
from burnout_stats.reporting import report
from burnout_stats.reporting.compare import ALLOWED, ATOL, RTOL, compare_results
from burnout_stats.reporting.recorded import read_recorded
from burnout_stats.reporting.untrusted import MAX_BYTES

FIRST_VERSION = Path(__file__).parent / "results_1.json"
JSON_ONLY = '\n[report]\nformats = ["json"]\n'


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a report of two outcomes."""
    folder = tmp_path_factory.mktemp("study")
    report(read_study(write_study(folder, STUDY + JSON_ONLY)), folder / "out")
    return folder / "out"


@pytest.fixture
def document(written):
    return json.loads((written / "results.json").read_text(encoding="utf-8"))


@pytest.fixture
def compared(written, tmp_path):
    """The comparison of the report with a changed copy of it."""

    def compare(changed, **options):
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(changed), encoding="utf-8")
        return compare_results(written, path, **options)

    return compare


def change_row(document, outcome=0, table="changes", row=0):
    return document["outcomes"][outcome][table]["rows"][row]


def told(comparison, kind="number"):
    return [(one.outcome, one.where, one.quantity) for one in comparison.differences if one.kind == kind]


def test_a_report_agrees_with_itself(written):
    found = compare_results(written, written / "results.json")
    assert not found.has_drifted
    assert found.differences == ()
    assert found.n_compared > 300
    assert str(found) == f"No drift: {found.n_compared} numbers agree."
    assert repr(found) == f"<Comparison: no drift; {found.n_compared} numbers, 0 differences>"


def test_every_number_of_an_outcome_is_compared(document, tmp_path):
    """Each number is moved in turn, and is seen to have moved; but for the way to the optimum, and for the half of a
    matrix that says the same as the other half.
    """
    told_twice = {"iterations", "max_gradient", "range", "conf_level"}
    part = document["outcomes"][0]
    document["outcomes"] = [part]
    for table in ("observed", "coefficients", "means", "changes", "standardized_changes"):
        part[table]["rows"] = part[table]["rows"][:2]
        if "vcov" in part[table]:
            part[table]["vcov"] = [row[:2] for row in part[table]["vcov"][:2]]
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document), encoding="utf-8")
    unseen, seen = [], 0
    for path in list(_numbers(part)):
        if told_twice & set(path):
            continue
        changed = copy.deepcopy(document)
        place = changed["outcomes"][0]
        for key in path[:-1]:
            place = place[key]
        value = place[path[-1]]
        place[path[-1]] = value + (1000 if isinstance(value, int) else 0.5 + abs(value))
        new.write_text(json.dumps(changed), encoding="utf-8")
        is_seen = any(one.kind == "number" for one in compare_results(old, new).differences)
        seen += is_seen
        unseen += [] if is_seen else [path]
    assert seen > 80
    for *_, kind, row, column in unseen:
        assert kind in {"vcov", "matrix"}
        assert row >= column
    assert [path for path in unseen if path[-3] == "matrix" and path[-2] == path[-1]] == []


def _numbers(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, int | float) and not isinstance(item, bool):
            yield (*path, key)
        else:
            yield from _numbers(item, (*path, key))


def test_rows_are_matched_by_what_they_are_about(document, compared):
    for part in document["outcomes"]:
        for table in ("observed", "coefficients", "means", "changes", "standardized_changes"):
            part[table]["rows"].reverse()
            if "vcov" in part[table]:
                part[table]["vcov"] = [row[::-1] for row in part[table]["vcov"][::-1]]
    document["outcomes"].reverse()
    found = compared(document)
    assert [one for one in found.differences if one.quantity != "covariance with 1 year"] == []
    assert not found.has_drifted


@pytest.mark.parametrize(
    ("table", "column", "allowed"),
    [
        ("changes", "estimate", lambda row: RTOL * row["std_error"]),
        ("changes", "conf_low", lambda row: RTOL * row["std_error"]),
        ("changes", "std_error", lambda row: RTOL * row["std_error"]),
        ("changes", "df", lambda row: RTOL * row["df"]),
        ("changes", "statistic", lambda row: RTOL * (1 + abs(row["statistic"]))),
        ("changes", "p_value", lambda _row: 2 * RTOL),
        ("observed", "value", lambda row: RTOL * abs(row["value"])),
    ],
)
def test_a_number_may_move_by_what_its_kind_allows(document, compared, table, column, allowed):
    rows = document["outcomes"][0][table]["rows"]
    index = next(k for k, row in enumerate(rows) if row.get("statistic", "mean") not in {"n", "missing"})
    row = change_row(document, table=table, row=index)
    start, room = row[column], allowed(row)
    for share, is_drift in ((0.9, False), (-0.9, False), (1.1, True), (-1.1, True)):
        row[column] = start + share * room
        found = compared(document)
        assert found.has_drifted is is_drift
        if is_drift:
            (one,) = found.differences
            assert one.difference == pytest.approx(share * room, rel=1e-6)
            assert one.allowed == pytest.approx(room)
            assert (one.outcome, one.kind, one.quantity) == ("score", "number", column.replace("_", " "))


def test_counts_are_exact_and_criteria_are_compared_by_their_difference(document, compared):
    model = document["outcomes"][1]["model"]
    model["loglik"] += 9 * RTOL
    assert not compared(document).has_drifted
    model["loglik"] += 2 * RTOL
    model["n_parameters"] += 1
    assert told(compared(document)) == [("second", "model: fit", "n parameters"), ("second", "model: fit", "loglik")]
    assert not compared(document, rtol=1).differences[1:]


def test_a_tolerance_agrees_with_the_statistics_that_follow_from_it():
    """An estimate and a standard error that just stay within theirs leave t and p within theirs."""
    from scipy import stats

    se = 0.31
    for t in np.linspace(0, 8, 81):
        moved = (t * se + RTOL * se) / (se * (1 - RTOL))
        assert abs(moved - t) <= ALLOWED["statistic"][0](t, math.nan, RTOL) * (1 + 2 * RTOL)
        assert abs(2 * stats.norm.sf(moved) - 2 * stats.norm.sf(t)) <= 1.1 * RTOL


def test_a_row_that_is_named_by_a_computed_number_is_found_again(document, tmp_path):
    """A tipping delta may move in its last digits, and is compared like an estimate."""
    answers = {"kind": "tipping_point", "notes": [], "rows": [{**change_row(document), "delta": 0.80688}]}
    document["sensitivity"] = [{"outcome": "score", "analyses": {"tipping_point": answers}}]
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document), encoding="utf-8")
    for delta, kinds in ((0.80688 + 1e-13, []), (0.80688 + 6e-5, ["number"]), (0.9, ["gone", "new"])):
        answers["rows"][0]["delta"] = delta
        new.write_text(json.dumps(document), encoding="utf-8")
        assert [one.kind for one in compare_results(old, new).differences] == kinds


def test_what_came_and_went_is_told_at_its_highest(document, compared):
    del document["outcomes"][1]
    document["outcomes"][0]["changes"]["rows"].pop()
    document["outcomes"][0]["changes"]["vcov"] = [[row[0]] for row in document["outcomes"][0]["changes"]["vcov"][:1]]
    document["outcomes"].append({**copy.deepcopy(document["outcomes"][0]), "name": "third"})
    found = compared(document)
    assert told(found, "gone") == [
        ("score", "changes: 3 years - baseline", "the row"),
        ("second", "the outcome", ""),
    ]
    assert told(found, "new") == [("third", "the outcome", "")]
    assert found.has_drifted
    assert found.sentence() == "Drift in score, second, third: 2 no longer there; 1 not there before."


def test_a_number_that_went_is_told_with_its_reason(document, compared):
    row = change_row(document)
    row |= {"estimate": None, "df": None, "reasons": {"estimate": "hidden", "df": "not estimable"}}
    found = {one.quantity: one for one in compared(document).differences}
    assert isinstance(found["estimate"].new, Hidden)
    assert found["df"].new == Missing("not estimable")
    assert {one.kind for one in found.values()} == {"reason"}
    row["reasons"]["estimate"] = "not estimable"
    assert isinstance(compared(document).differences[0].new, Missing)


def test_plan_input_software_and_notices_are_told_apart_from_drift(document, compared):
    provenance = document["provenance"]
    provenance["versions"]["numpy"] = "9.9"
    provenance["platform"] = "Other"
    provenance["data"]["sha256"] = "0" * 64
    provenance["plan"]["analysis"]["df"] = "satterthwaite"
    provenance["seed"] = 7
    document["notices"].append({"code": "N-MODEL-ALIASED", "message": "Something.", "advice": ""})
    document["outcomes"][0]["means"]["notes"].append("A note.")
    found = compared(document)
    assert not found.has_drifted
    assert [(one.kind, one.where) for one in found.differences] == [
        ("notice", "N-MODEL-ALIASED"),
        ("plan", "analysis.df"),
        ("plan", "seed"),
        ("input", "data SHA-256"),
        ("software", "numpy"),
        ("software", "platform"),
        ("note", "means"),
    ]
    assert found.sentence().endswith("7 things around them changed.")


def test_an_answer_in_words_that_changed_is_drift(document, compared):
    document["outcomes"][0]["model"]["converged"] = False
    change_row(document)["method"] = "residual"
    assert told(compared(document), "word") == [
        ("score", "model: fit", "converged"),
        ("score", "changes: 1 year - baseline", "method"),
    ]


def test_old_and_new_together_tell_of_no_few_persons(document, compared):
    row = next(row for row in document["outcomes"][0]["observed"]["rows"] if row["statistic"] == "mean")
    row["n"] -= 1
    row["value"] += 0.5
    found = {one.quantity: one for one in compared(document).differences}
    assert set(found) == {"n", "value"}
    for one in found.values():
        assert isinstance(one.old, Hidden)
        assert one.difference is None
    table = str(compared(document))
    assert "tell about these persons" in table
    assert str(row["n"] + 1) not in table.replace(str(row["n"]), "")
    row["n"] -= 10
    found = {one.quantity: one for one in compared(document).differences}
    assert found["n"].old == row["n"] + 11
    assert found["value"].difference == pytest.approx(0.5)


def test_the_first_version_is_read_and_what_it_did_not_know_is_no_drift(tmp_path):
    report(read_study(write_study(tmp_path, MINIMAL + JSON_ONLY)), tmp_path / "out")
    found = compare_results(FIRST_VERSION, tmp_path / "out", rtol=1e-3)
    assert [one.where for one in found.differences if one.kind == "software" and one.where == "results.json"]
    assert not found.has_drifted
    assert found.n_compared > 100
    assert not compare_results(tmp_path / "out", FIRST_VERSION, rtol=1e-3).has_drifted


@pytest.mark.parametrize("option", ["rtol", "atol"])
@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf])
@pytest.mark.raises_code("E-STUDY-OPTION")
def test_a_tolerance_is_a_number_from_zero_on(written, option, value):
    with pytest.raises(StudyError):
        compare_results(written, written, **{option: value})


def test_the_table_is_readable_and_escapes_what_files_say(document, compared, tmp_path):
    for part in document["outcomes"]:
        for row in part["coefficients"]["rows"]:
            row["estimate"] += 0.5
    document["notices"].append({"code": "::error::forged", "message": "a|b <script> =1+1 \u202e@you", "advice": ""})
    found = compared(document)
    table = found.table(limit=3)
    assert len(table) == 3 + 1
    assert "more are not shown" in " ".join(table.notes)
    assert f"atol {ATOL:g}" in str(table) or "never less than 1e-08" in str(table)
    for line in str(found).splitlines():
        assert "::" not in line
        assert "\u202e" not in line
    page = table._repr_html_()
    assert "<script>" not in page
    table.save(tmp_path / "compare.csv")
    assert not [cell for cell in (tmp_path / "compare.csv").read_text().split(",") if cell.startswith(("=", "@"))]
    whole = found.to_dict()
    assert len(whole["differences"]) == len(found.differences)
    assert whole["atol"] == ATOL
    json.dumps(whole, allow_nan=False)


# ---- files that are not ours -----------------------------------------------------------------------------------------


def refused(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StudyError) as caught:
        read_recorded(path)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        b"\xff\xfe{}",
        "[]",
        "1",
        "null",
        '"text"',
        '{"schema": 2, "schema": 2}',
        '{"schema": 2, "x": NaN}',
        '{"schema": 2, "x": Infinity}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"schema": 2}',
        '{"schema": 2, "outcomes": {}}',
        "1" * 5000,
    ],
)
@pytest.mark.raises_code("E-REPORT-RESULTS")
def test_what_is_no_results_json_is_refused(tmp_path, text):
    error = refused(tmp_path / "some.json", text)
    assert error.code == "E-REPORT-RESULTS"
    assert error.exit_code == 2


@pytest.mark.parametrize("version", [0, 3, -1, "2", None, True, 2.0, [2]])
@pytest.mark.raises_code("E-REPORT-VERSION")
def test_another_version_is_refused(tmp_path, document, version):
    assert refused(tmp_path / "x.json", json.dumps({**document, "schema": version})).code == "E-REPORT-VERSION"


@pytest.mark.raises_code("E-REPORT-SIZE")
def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(StudyError) as caught:
        read_recorded(path)
    assert caught.value.code == "E-REPORT-SIZE"


@pytest.mark.parametrize("name", ["nowhere.json", "\0", "."])
@pytest.mark.raises_code("E-STUDY-FILE")
def test_a_file_that_cannot_be_opened_is_refused(tmp_path, name):
    with pytest.raises(StudyError) as caught:
        read_recorded(tmp_path / name)
    assert caught.value.code == "E-STUDY-FILE"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("outcomes",), "text"),
        (("outcomes", 0), 3),
        (("outcomes", 0, "name"), ""),
        (("outcomes", 0, "name"), "second"),
        (("outcomes", 0, "name"), ["x"]),
        (("outcomes", 0, "changes", "rows"), {}),
        (("outcomes", 0, "changes", "rows", 0), []),
        (("outcomes", 0, "changes", "rows", 0, "estimate"), "1.0"),
        (("outcomes", 0, "changes", "rows", 0, "estimate"), True),
        (("outcomes", 0, "changes", "rows", 0, "estimate"), 10**400),
        (("outcomes", 0, "changes", "vcov"), [[1.0]]),
        (("outcomes", 0, "changes", "vcov"), [[1.0, 2.0], [3.0]]),
        (("outcomes", 0, "changes", "notes"), [1]),
        (("outcomes", 0, "model", "covariance", "matrix"), 7),
        (("provenance", "versions"), []),
        (("provenance", "data", "rows_read"), "many"),
        (("notices",), [{"code": 1}]),
        (("cohort", "visits"), [{"label": "x"}]),
    ],
)
@pytest.mark.raises_code("E-REPORT-RESULTS")
def test_another_form_is_refused_with_its_place(tmp_path, document, path, value):
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    error = refused(tmp_path / "results.json", json.dumps(document))
    assert error.code == "E-REPORT-RESULTS"
    assert "`results.json" in str(error)


def test_a_deep_plan_is_refused(tmp_path, document):
    deep = {}
    place = document["provenance"]["plan"]
    for _ in range(200):
        place["x"] = deep
        place, deep = deep, {}
    place["x"] = 1
    assert refused(tmp_path / "x.json", json.dumps(document)).code == "E-REPORT-RESULTS"


def test_a_number_written_too_large_is_refused(tmp_path, document):
    text = json.dumps(document).replace('"loglik": ', '"loglik": 1e999, "other": ', 1)
    assert refused(tmp_path / "x.json", text).code == "E-REPORT-RESULTS"
