"""Bad inputs: each is refused with its code and line numbers, and no message repeats an identifier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import Covariate, Outcome, read_cohort
from burnout_stats.errors import BurnoutStatsError, DataError, StudyError

raises_code = pytest.mark.raises_code

ANN, BOB = "PERSON-7731", "PERSON-8842"
TIMES = {"start": 0, "1 year": 1}
SAY = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": {"score": {"range": [1, 5]}}}
HEAD = "id,visit,score,sex\n"
GOOD = f"{ANN},start,3.2,F\n{ANN},1 year,2.8,F\n{BOB},start,4.0,M\n"
WIDE = {
    "subject": "id",
    "times": TIMES,
    "outcomes": ["score"],
    "wide": "{outcome}_{visit}",
    "visit_codes": {"t0": "start", "t1": "1 year"},
}


def case(name, text, lines, *, mark, **say):
    return pytest.param(text if isinstance(text, bytes) else text.encode(), lines, say, id=name, marks=mark)


BAD_FILES = [
    case("workbook", b"PK\x03\x04\x14\x00", (), mark=raises_code("E-DATA-FORMAT")),
    case("gzip", b"\x1f\x8b\x08\x00", (), mark=raises_code("E-DATA-FORMAT")),
    case("empty", b"", (), mark=raises_code("E-DATA-EMPTY")),
    case("only blank lines", "\n\n  \n", (), mark=raises_code("E-DATA-EMPTY")),
    case("header only", HEAD, (), mark=raises_code("E-DATA-EMPTY")),
    case("only blank rows", HEAD + ",,,\n,,,\n", (), mark=raises_code("E-DATA-EMPTY")),
    case("NUL", HEAD + GOOD + "\0", (5,), mark=raises_code("E-DATA-NUL")),
    case("utf-16 without mark", (HEAD + GOOD).encode("utf-16-le"), (1, 2, 3, 4, 5), mark=raises_code("E-DATA-NUL")),
    case("no known encoding", (HEAD + GOOD).encode() + b"\x81,start,3,F", (5,), mark=raises_code("E-DATA-ENCODING")),
    case(
        "not the declared encoding",
        (HEAD + GOOD + "Bjørn,start,3,M").encode("cp1252"),
        (5,),
        mark=raises_code("E-DATA-ENCODING"),
        encoding="utf-8",
    ),
    case("cut utf-16", (HEAD + GOOD).encode("utf-16")[:-1], (4,), mark=raises_code("E-DATA-ENCODING")),
    case("no separator", "id|visit|score\nA|start|3\n", (1,), mark=raises_code("E-DATA-SEPARATOR")),
    case("two separators", "id;visit,score\nA;start,3\n", (1,), mark=raises_code("E-DATA-SEPARATOR")),
    case("wrong separator", HEAD + GOOD, (1,), mark=raises_code("E-DATA-SEPARATOR"), separator=";"),
    case("nameless column", ",id,visit,score\n1,A,start,3\n", (1,), mark=raises_code("E-DATA-HEADER")),
    case("no header", GOOD, (1,), mark=raises_code("E-DATA-HEADER")),
    case("line break in a name", 'id,visit,"sco\nre",sex\nA,start,3,F\n', (1,), mark=raises_code("E-DATA-HEADER")),
    case("a name twice", "id,visit,score,score\nA,start,3,3\n", (1,), mark=raises_code("E-DATA-NAMES")),
    case("a name twice but for space", "id,visit,score, score\nA,start,3,3\n", (1,), mark=raises_code("E-DATA-NAMES")),
    case("one field more", HEAD + GOOD + f"{BOB},1 year,3,5,M\n", (5,), mark=raises_code("E-DATA-FIELDS")),
    case("one field less", HEAD + f"{ANN},start,3\n" + GOOD, (2,), mark=raises_code("E-DATA-FIELDS")),
    case("fields after a quote", f'{HEAD}"{ANN}",start\n{GOOD}', (2,), mark=raises_code("E-DATA-FIELDS")),
    case("quote not closed", HEAD + GOOD + f'"{BOB},1 year,3,M\n', (5,), mark=raises_code("E-DATA-QUOTE")),
    case("text after a quote", HEAD + GOOD + f'"{BOB}"x,1 year,3,M\n', (5,), mark=raises_code("E-DATA-QUOTE")),
    case("giant cell", HEAD + GOOD + "A" * 40_000 + ",start,3,F\n", (5,), mark=raises_code("E-DATA-SIZE")),
    case("giant quoted cell", f'{HEAD}"{"A" * 200_000}",start,3,F\n{GOOD}', (2,), mark=raises_code("E-DATA-SIZE")),
    case("too many columns", ",".join(map(str, range(10_001))) + "\n1\n", (1,), mark=raises_code("E-DATA-SIZE")),
    case("declared column absent", "id,visit,Score\nA,start,3\n", (), mark=raises_code("E-DATA-COLUMN")),
    case("reserved name", "id,visit,score,estimate\nA,start,3,3\n", (), mark=raises_code("E-DATA-RESERVED")),
    case("no identifier", HEAD + ",start,3,F\n" + GOOD, (2,), mark=raises_code("E-DATA-ID")),
    case("identifier of spaces", HEAD + "  ,start,3,F\n" + GOOD, (2,), mark=raises_code("E-DATA-ID")),
    case("duplicate", HEAD + GOOD + f"{ANN},start,3.3,F\n", (2, 5), mark=raises_code("E-DATA-DUPLICATE")),
    case(
        "duplicate in all cells",
        HEAD + GOOD + GOOD.splitlines()[0] + "\n",
        (2, 5),
        mark=raises_code("E-DATA-DUPLICATE"),
    ),
    case("unknown visit", HEAD + GOOD + f"{BOB},1 Year,3,M\n", (5,), mark=raises_code("E-DATA-VISIT")),
    case("no visit", HEAD + GOOD + f"{BOB},,3,M\n", (5,), mark=raises_code("E-DATA-VISIT")),
    case(
        "columns exchanged",
        HEAD + GOOD,
        (2, 3, 4),
        mark=raises_code("E-DATA-VISIT"),
        subject="visit",
        visit="id",
        covariates=[],
    ),
    case("text in a score", HEAD + GOOD + f"{BOB},1 year,three,M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case("undeclared NA", HEAD + GOOD + f"{BOB},1 year,NA,M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case("infinity", HEAD + GOOD + f"{BOB},1 year,inf,M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case("1e999", HEAD + GOOD + f"{BOB},1 year,1e999,M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case("underscore", HEAD + GOOD + f"{BOB},1 year,1_0,M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case("two points", HEAD + GOOD + f"{BOB},1 year,1.2.3,M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case("id in a score", HEAD + GOOD + f"x,1 year,{BOB},M\n", (5,), mark=raises_code("E-DATA-NUMBER")),
    case(
        "comma where a point is declared",
        HEAD + GOOD + f'{BOB},1 year,"3,5",M\n',
        (5,),
        mark=raises_code("E-DATA-NUMBER"),
        decimal=".",
    ),
    case(
        "half a number",
        "id,visit,score,age\nA,start,3,41\nB,start,3,50+\n",
        (3,),
        mark=raises_code("E-DATA-NUMBER"),
    ),
    case("mixed decimal marks", HEAD + GOOD + f'{BOB},1 year,"3,5",M\n', (5,), mark=raises_code("E-DATA-DECIMAL")),
    case(
        "perhaps thousands",
        "id;visit;score\nA;start;1,234\nB;start;2,500\n",
        (2, 3),
        mark=raises_code("E-DATA-DECIMAL"),
    ),
    case("out of range", HEAD + GOOD + f"{BOB},1 year,5.01,M\n", (5,), mark=raises_code("E-DATA-RANGE")),
    case("undeclared 99", HEAD + GOOD + f"{BOB},1 year,99,M\n", (5,), mark=raises_code("E-DATA-RANGE")),
    case(
        "unknown level",
        HEAD + GOOD + f"{BOB},1 year,3,x\n",
        (5,),
        mark=raises_code("E-DATA-LEVEL"),
        covariates={"sex": {"levels": ["F", "M"]}},
    ),
    case("empty outcome", "id,visit,score\nA,start,\nB,start,\n", (), mark=raises_code("E-DATA-BLANK")),
    case(
        "only missing codes",
        "id,visit,score\nA,start,99\nB,start,-9.0\n",
        (),
        mark=raises_code("E-DATA-BLANK"),
        missing_codes=[99, -9],
    ),
    case("years of practice", "id,visit,score,years\nA,start,3,12\n", (2,), mark=raises_code("E-DATA-YEARS")),
    case(
        "free text declared",
        "id,visit,score,note\n" + "".join(f"{k},start,3,{ANN} said {k}\n" for k in range(60)),
        (),
        mark=raises_code("E-DATA-TEXT"),
        covariates=["note"],
    ),
]


def expected_codes(request):
    return [code for marker in request.node.iter_markers("raises_code") for code in marker.args]


def assert_tells_no_one(error: BurnoutStatsError) -> None:
    said = " ".join([str(error), *(problem.sentence() for problem in error.problems)])
    assert "PERSON" not in said
    assert "7731" not in said
    assert "8842" not in said


@pytest.mark.parametrize(("raw", "lines", "say"), BAD_FILES)
def test_a_bad_file_is_refused_with_its_code_and_lines(tmp_path, request, raw, lines, say):
    path = tmp_path / "cohort.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_cohort(path, **(SAY | say))
    error = caught.value
    assert [error.code] == expected_codes(request)
    assert error.lines == lines
    assert all(problem.expected and problem.advice for problem in error.problems)
    assert_tells_no_one(error)


WIDE_FILES = [
    case("subject twice", f"id,score_t0\n{ANN},3\n{ANN},4\n", (2, 3), mark=raises_code("E-DATA-DUPLICATE")),
    case("no identifier", f"id,score_t0\n{ANN},3\n,4\n", (3,), mark=raises_code("E-DATA-ID")),
    case("no column follows the pattern", f"id,score_v0\n{ANN},3\n", (), mark=raises_code("E-DATA-COLUMN")),
    case("text", f"id,score_t0,score_t1\n{ANN},3,{BOB}\n", (2,), mark=raises_code("E-DATA-NUMBER")),
]


@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
@pytest.mark.parametrize(("raw", "lines", "say"), WIDE_FILES)
def test_a_bad_wide_file_is_refused(tmp_path, request, raw, lines, say):
    path = tmp_path / "wide.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_cohort(path, **(WIDE | say))
    assert caught.value.code == expected_codes(request)[0]
    assert caught.value.lines == lines
    assert_tells_no_one(caught.value)


def frame(**columns):
    return pd.DataFrame(
        {"id": [ANN, ANN, BOB], "visit": ["start", "1 year", "start"], "score": [3.0, 2.5, 4.0]} | columns
    )


BAD_FRAMES = [
    pytest.param(frame()[:0], (), id="no rows", marks=raises_code("E-DATA-EMPTY")),
    pytest.param(frame(score=[3.0, np.inf, 4.0]), (1,), id="infinite", marks=raises_code("E-DATA-NUMBER")),
    pytest.param(frame(score=[True, False, True]), (0, 1, 2), id="booleans", marks=raises_code("E-DATA-NUMBER")),
    pytest.param(frame(score=[1j, 2j, 3j]), (), id="complex", marks=raises_code("E-DATA-TYPE")),
    pytest.param(frame(score=[[1], [2], [3]]), (), id="lists", marks=raises_code("E-DATA-TYPE")),
    pytest.param(frame(id=[ANN, None, BOB]), (1,), id="no identifier", marks=raises_code("E-DATA-ID")),
    pytest.param(frame(id=[1.0, np.nan, 2.0]), (1,), id="NaN as identifier", marks=raises_code("E-DATA-ID")),
    pytest.param(frame(visit=["start"] * 3), (0, 1), id="duplicate", marks=raises_code("E-DATA-DUPLICATE")),
    pytest.param(frame(visit=[0, 1, 9]), (0, 1, 2), id="unknown visit", marks=raises_code("E-DATA-VISIT")),
    pytest.param(frame(score=[3.0, 7.0, 0.0]), (1, 2), id="out of range", marks=raises_code("E-DATA-RANGE")),
    pytest.param(
        pd.concat([frame(), frame()[["score"]]], axis=1), (), id="a name twice", marks=raises_code("E-DATA-NAMES")
    ),
]


@pytest.mark.parametrize(("data", "rows"), BAD_FRAMES)
def test_a_bad_frame_is_refused_with_its_rows(request, data, rows):
    with pytest.raises(DataError) as caught:
        read_cohort(data, **SAY)
    assert [caught.value.code] == expected_codes(request)
    assert caught.value.lines == rows
    assert_tells_no_one(caught.value)
    if rows:
        assert "row" in caught.value.problems[0].seen
        assert "line" not in caught.value.problems[0].seen


@pytest.mark.raises_code(
    "E-DATA-ID", "E-DATA-VISIT", "E-DATA-DUPLICATE", "E-DATA-NUMBER", "E-DATA-RANGE", "E-DATA-LEVEL", "E-DATA-COLUMN"
)
def test_everything_is_said_in_one_pass(tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_text(
        f"id,visit,score,sex\n{ANN},start,9,F\n{ANN},start,x,F\n,start,3,F\n{BOB},begin,3,Q\n", encoding="utf-8"
    )
    say = SAY | {"covariates": {"sex": {"levels": ["F", "M"]}, "age": {}}}
    with pytest.raises(DataError) as caught:
        read_cohort(path, **say)
    found = {problem.code: problem.lines for problem in caught.value.problems}
    assert found == {
        "E-DATA-COLUMN": (),
        "E-DATA-ID": (4,),
        "E-DATA-VISIT": (5,),
        "E-DATA-DUPLICATE": (2, 3),
        "E-DATA-NUMBER": (3,),
        "E-DATA-RANGE": (2,),
        "E-DATA-LEVEL": (5,),
    }
    assert_tells_no_one(caught.value)


@pytest.mark.raises_code("E-DATA-VISIT")
def test_an_unknown_visit_is_named_where_it_resembles_a_declared_one_or_many_have_it():
    with pytest.raises(DataError, match=r"`1 yaer`.*Did you mean `1 year`") as caught:
        read_cohort(frame(visit=["start", "1 yaer", "start"]), **SAY)
    assert caught.value.lines == (1,)
    many = pd.DataFrame({"id": range(6), "visit": "T0", "score": 3.0})
    with pytest.raises(DataError, match="`T0`"):
        read_cohort(many, **SAY)
    with pytest.raises(DataError) as caught:
        read_cohort(many[:4], **SAY)
    assert "T0" not in str(caught.value)


@pytest.mark.raises_code("E-DATA-RANGE")
def test_a_spike_outside_the_range_is_offered_as_a_missing_code():
    scores = [3.0] * 5 + [66.0] * 5 + [7.25]
    data = pd.DataFrame({"id": range(11), "visit": "start", "score": scores})
    with pytest.raises(DataError) as caught:
        read_cohort(data, **SAY)
    assert "missing_codes = [66]" in str(caught.value)
    assert "7.25" not in str(caught.value)


@pytest.mark.raises_code("E-DATA-NUMBER")
def test_a_cell_that_is_no_number_is_told_by_its_shape(tmp_path):
    with pytest.raises(DataError, match=r"of the form `9\.999,9`"):
        read_cohort(frame(score=["1.234,5", "2", "3"]), decimal=".", **SAY)


BAD_CALLS = [
    pytest.param({"separator": "|"}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"decimal": "'"}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"encoding": "rot13"}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"min_cell": 0}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"outcomes": {"score": 5}}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"outcomes": {"score": {"range": [5, 1]}}}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"outcomes": {"score": {"range": ["a", "b"]}}}, marks=raises_code("E-STUDY-VALUE")),
    pytest.param({"outcomes": {"score": {"rnage": [1, 5]}}}, marks=raises_code("E-STUDY-KEY")),
    pytest.param({"subject": None}, marks=raises_code("E-STUDY-KEYWORDS")),
    pytest.param({"times": None}, marks=raises_code("E-STUDY-KEYWORDS")),
    pytest.param({"outcomes": None}, marks=raises_code("E-STUDY-KEYWORDS")),
    pytest.param({"visit": None}, marks=raises_code("E-STUDY-LAYOUT")),
    pytest.param({"wide": "{outcome}_{visit}"}, marks=raises_code("E-STUDY-LAYOUT")),
    pytest.param({"visit": None, "wide": "{outcome}"}, marks=raises_code("E-STUDY-LAYOUT")),
    pytest.param({"outcomes": []}, marks=raises_code("E-STUDY-ROLES")),
    pytest.param({"covariates": ["score"]}, marks=raises_code("E-STUDY-ROLES")),
    pytest.param({"visit_codes": {"t0": "begin"}}, marks=raises_code("E-STUDY-VISITS")),
    pytest.param({"times": {}}, marks=raises_code("E-STUDY-VISITS")),
    pytest.param({"times": {"start": 0, "begin": 0}}, marks=raises_code("E-STUDY-VISITS")),
]


@pytest.mark.parametrize("change", BAD_CALLS)
def test_a_call_that_cannot_be_understood(request, change):
    with pytest.raises(StudyError) as caught:
        read_cohort(frame(), **(SAY | change))
    assert [caught.value.code] == expected_codes(request)


def test_roles_may_be_given_as_names_mappings_or_roles():
    ways = [
        "score",
        ["score"],
        [Outcome("score")],
        {"score": None},
        {"score": {}},
        {"score": Outcome("other", "Score")},
    ]
    roles = [read_cohort(frame(), **(SAY | {"outcomes": way})).outcome("score") for way in ways]
    assert all(role == roles[0] for role in roles)
    data = frame(sex=["F", "F", "M"])
    ways = [{"sex": {"levels": ["F", "M"]}}, [Covariate("sex", levels=("F", "M"))]]
    assert [read_cohort(data, covariates=way, **SAY).covariate_roles["sex"].levels for way in ways] == [("F", "M")] * 2


@pytest.mark.raises_code("E-DATA-NUMBER", "E-DATA-LEVEL")
def test_a_word_for_missing_is_offered_as_a_missing_code():
    with pytest.raises(DataError, match="If `NA` means a missing value"):
        read_cohort(frame(score=["3", "NA", "4"]), **SAY)
    with pytest.raises(DataError, match="If `n/a` means a missing value"):
        read_cohort(frame(sex=["F", "n/a", "M"]), covariates={"sex": {"levels": ["F", "M"]}}, **SAY)


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("source", [3, None, b"id,visit", [1, 2]])
def test_a_source_is_a_path_or_a_frame(source):
    with pytest.raises(StudyError) as caught:
        read_cohort(source, **SAY)
    assert caught.value.code == "E-STUDY-VALUE"


@pytest.mark.raises_code("E-DATA-SIZE")
def test_a_file_that_is_too_large_is_not_opened(tmp_path, monkeypatch):
    path = tmp_path / "cohort.csv"
    path.write_text(HEAD + GOOD, encoding="utf-8")
    monkeypatch.setattr("burnout_stats.cohort.read.MAX_BYTES", 10)
    with pytest.raises(DataError) as caught:
        read_cohort(path, **SAY)
    assert caught.value.code == "E-DATA-SIZE"
