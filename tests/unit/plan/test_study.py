"""A study file is read whole: every default is filled in, and everything that is wrong is said at once."""

import json
import tomllib

import pytest
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.cohort.problems import key_path
from burnout_stats.engine.covariance import STRUCTURES
from burnout_stats.errors import StudyError
from burnout_stats.plan import read_study, schema


def refused(tmp_path, text):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(tmp_path, text))
    return caught.value.problems


def test_a_minimal_study_file_has_sensible_defaults(tmp_path):
    plan = read_study(write_study(tmp_path, MINIMAL, name="my_study.toml"))
    assert plan.title == "My study"
    assert plan.analysis.terms == ("visit",)
    assert plan.df == "kenward-roger"
    assert plan.report.formats == ("html", "json", "csv")
    assert plan.disclosure.min_cell == 5
    assert plan.formula("score") == "score ~ visit"


def test_the_echo_is_the_resolved_plan_and_reads_back_as_the_same_plan(tmp_path):
    plan = read_study(write_study(tmp_path))
    echo = plan.echo()
    assert echo["analysis"]["df"] == "kenward-roger"
    assert echo["report"]["number_style"] == "plain"
    assert json.loads(json.dumps(echo)) == echo
    lines = [f"title = {json.dumps(echo['title'])}", f"description = {json.dumps(echo['description'])}"]
    for table in ("data", "visits", "disclosure", "analysis", "report"):
        lines += ["", f"[{table}]"]
        lines += [
            f"{json.dumps(key)} = {json.dumps(value)}" for key, value in echo[table].items() if value not in (None, {})
        ]
    for group in ("outcomes", "covariates"):
        for column, section in echo[group].items():
            lines += ["", f"[{group}.{column}]"]
            lines += [f"{key} = {json.dumps(value)}" for key, value in section.items() if value is not None]
    again = tmp_path / "again.toml"
    again.write_text("\n".join(lines), encoding="utf-8")
    assert read_study(again).echo() == echo


def test_satterthwaite_is_the_default_under_ml(tmp_path):
    plan = read_study(write_study(tmp_path, STUDY + 'method = "ml"\n'))
    assert plan.df == "satterthwaite"
    assert plan.echo()["analysis"]["df"] == "satterthwaite"


@pytest.mark.raises_code("E-STUDY-KEY", "E-STUDY-VALUE")
def test_everything_that_is_wrong_is_said_at_once_by_key_path(tmp_path):
    text = (
        STUDY.replace("range = [-5, 11]", 'range = ["low", 11]\nbeter = "lower"')
        + 'covariance = "uns"\ndf = "kenward"\n[reprot]\nseed = 1\n'
    )
    sentences = {problem.seen: problem.sentence() for problem in refused(tmp_path, text)}
    told = "\n".join(sentences.values())
    assert "`outcomes.score.range[0]` is 'low'" in told
    assert "Key `outcomes.score.beter` is not known." in sentences
    assert "Did you mean `better`?" in told
    assert "`analysis.covariance` is 'uns'." in sentences
    assert "Did you mean `kenward-roger`?" in told
    assert "Table `reprot` is not known." in sentences
    assert "Did you mean `report`?" in told
    assert len(sentences) == 5


@pytest.mark.raises_code("E-STUDY-MISSING")
def test_what_is_missing_is_named(tmp_path):
    problems = refused(tmp_path, 'title = "Nothing else"\n')
    assert {problem.code for problem in problems} == {"E-STUDY-MISSING"}
    assert [problem.seen for problem in problems] == [
        "`data` is missing.",
        "`visits` is missing.",
        "`outcomes` is missing.",
    ]
    (problem,) = refused(tmp_path, MINIMAL.replace('subject = "id"\n', ""))
    assert problem.seen == "`data.subject` is missing."


@pytest.mark.raises_code("E-STUDY-SYNTAX")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('title = "a"\n[data\nfile = "x"\n', 2),
        ('title = "a\n', 1),
        ("a = 1\nb = 2\na = 3\n", 3),
        ("a = [1,\n2,\n", 2),
        ("[" * 5000, 1),
    ],
)
def test_a_syntax_error_names_its_line(tmp_path, text, line):
    (problem,) = refused(tmp_path, text)
    assert problem.code == "E-STUDY-SYNTAX"
    assert problem.lines == (line,)
    assert f"Line {line} " in problem.seen


@pytest.mark.raises_code("E-STUDY-SYNTAX")
def test_bytes_that_are_not_text_are_refused_by_line(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(b'title = "a"\n# bj\xf8rn\n')
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert caught.value.lines == (2,)


def test_a_byte_order_mark_is_no_trouble(tmp_path):
    path = write_study(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_study(path).title == "A hundred people"


@pytest.mark.raises_code("E-STUDY-VERSION")
@pytest.mark.parametrize("version", ["2", '"1"', "true", "1.0"])
def test_another_version_is_refused_before_anything_else(tmp_path, version):
    text = STUDY.replace("config_version = 1", f"config_version = {version}\nnew_key = 1")
    (problem,) = refused(tmp_path, text)
    assert problem.code == "E-STUDY-VERSION"


@pytest.mark.raises_code("E-STUDY-FILE")
def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    write_study(tmp_path)
    with pytest.raises(StudyError, match=r"Did you mean `study\.toml`") as caught:
        read_study(tmp_path / "studdy.toml")
    assert caught.value.code == "E-STUDY-FILE"
    (tmp_path / "long.toml").write_text("#" * 1_000_001)
    with pytest.raises(StudyError, match="longer than"):
        read_study(tmp_path / "long.toml")
    with pytest.raises(StudyError):
        read_study(tmp_path)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_kenward_roger_needs_reml(tmp_path):
    (problem,) = refused(tmp_path, STUDY + 'method = "ml"\ndf = "kenward-roger"\n')
    assert "`analysis.df`" in problem.seen


@pytest.mark.raises_code("E-STUDY-VISITS", "E-STUDY-TERM")
def test_visits_and_terms_are_checked_together(tmp_path):
    text = STUDY.replace('"1 year" = 1', '"1 year" = 3').replace('"age", "visit:sex"]', '"agee"]')
    assert [problem.code for problem in refused(tmp_path, text)] == ["E-STUDY-VISITS", "E-STUDY-TERM"]


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_a_formula_of_an_unknown_outcome_is_refused(tmp_path):
    plan = read_study(write_study(tmp_path))
    with pytest.raises(StudyError, match="Did you mean `score`"):
        plan.formula("scores")


def test_the_schema_is_json_schema_and_accepts_what_is_read(tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    document = schema()
    jsonschema.Draft202012Validator.check_schema(document)
    jsonschema.validate(tomllib.loads(STUDY), document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(STUDY + 'covariance = "nope"\n'), document)
    assert document["$defs"]["AnalysisSection"]["properties"]["covariance"]["enum"] == list(STRUCTURES)


def test_a_plan_shows_itself_briefly(tmp_path):
    assert repr(read_study(write_study(tmp_path))) == (
        "<Plan: A hundred people; outcomes score, second; terms visit, sex, age, visit:sex>"
    )


def test_key_paths_are_written_as_toml_writes_them():
    assert key_path(["visits", "1 year"]) == 'visits."1 year"'
    assert key_path(["analysis", "terms", 2]) == "analysis.terms[2]"


def test_every_key_of_the_schema_is_described():
    document = schema()
    tables = {"": document, **document["$defs"]}
    bare = [
        f"{table}.{key}"
        for table, node in tables.items()
        for key, about in node.get("properties", {}).items()
        if not about.get("description")
    ]
    assert bare == []
    assert all(node.get("description") for node in tables.values())
