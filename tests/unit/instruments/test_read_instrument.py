"""Instruments of one's own: a TOML file becomes an instrument, or says by key path what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

from burnout_stats import instruments
from burnout_stats.errors import StudyError
from burnout_stats.instruments._form import schema

OWN = """
title = "Our coping scale"

[items]
n = 4
columns = "c{item}"
verified = true
source = "our manual"

[response]
low = 1
high = 5
verified = true
source = "our manual"

[reverse]
items = [2]
verified = true
source = "our manual"

[subscales.active]
label = "Active coping"
items = [1, 2]
score = "percent"
better = "higher"
verified = true
source = "our manual"

[subscales.wishful]
label = "Wishful thinking"
items = [3, 4]
score = "mean"
better = "lower"
verified = false
source = "hearsay"

[subscales.wishful.missing]
min_answered = 1
verified = true
source = "our manual"

[[cutoffs]]
subscale = "wishful"
at = 4
rule = ">="
meaning = "much"
verified = true
source = "our manual"
"""


def read(tmp_path, text, name="coping.toml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return instruments.read_instrument(path)


def test_an_instrument_of_ones_own_scores(tmp_path):
    own = read(tmp_path, OWN)
    assert repr(own) == "<Instrument coping: 4 items; scores active, wishful; 1 unverified rules>"
    found = instruments.scores(pd.DataFrame({"c1": [5, 1], "c2": [1, 3], "c3": [2, None], "c4": [4, 4]}), own)
    assert found.frame["active"].tolist() == [100, 25]
    assert found.frame["wishful"].tolist() == [3, 4]
    assert found.unverified == ("subscales.wishful",)
    assert own.cutoff("wishful").at == 4


@pytest.mark.parametrize(
    ("old", "new", "code", "seen"),
    [
        ("[reverse]\nitems = [2]", "[reverse]\nitem = [2]", "E-STUDY-KEY", "Key `reverse.item` is not known."),
        ("min_answered = 1\n", "min_answer = 1\n", "E-STUDY-KEY", "Key `subscales.wishful.missing.min_answer`"),
        ('title = "Our coping scale"', "", "E-STUDY-MISSING", "`title` is missing."),
        ("high = 5\n", "", "E-STUDY-MISSING", "`response.high` is missing."),
        ("verified = false", "", "E-STUDY-MISSING", "`subscales.wishful.verified` is missing."),
        ('score = "mean"', 'score = "median"', "E-STUDY-VALUE", "`subscales.wishful.score` is 'median'."),
        ("high = 5", "high = 1", "E-STUDY-VALUE", "[response] cannot be used as it stands."),
        ("high = 5", "high = 5\nstep = 0.3", "E-STUDY-VALUE", "[response] cannot be used as it stands."),
        ("items = [2]", "items = [7]", "E-STUDY-VALUE", "`reverse.items` has 7."),
        ("items = [3, 4]", "items = [4, 5]", "E-STUDY-VALUE", "`subscales.wishful.items` has 5."),
        ("items = [3, 4]", "items = [4, 4]", "E-STUDY-VALUE", "[subscales.wishful] cannot be used as it stands."),
        ("min_answered = 1", "min_answered = 3", "E-STUDY-VALUE", "[subscales.wishful] cannot be used"),
        ('subscale = "wishful"', 'subscale = "wishfull"', "E-STUDY-VALUE", "`cutoffs[0].subscale` names 'wishfull'."),
        ('columns = "c{item}"', 'columns = "c"', "E-STUDY-VALUE", "[items] cannot be used as it stands."),
        ("[subscales.active]", "[subscales.Active]", "E-STUDY-VALUE", "`subscales.Active` is 'Active'."),
    ],
)
def test_what_is_wrong_is_told_by_its_key_path(tmp_path, old, new, code, seen):
    assert old in OWN
    with pytest.raises(StudyError) as caught:
        read(tmp_path, OWN.replace(old, new, 1))
    told = {(problem.code, problem.seen) for problem in caught.value.problems}
    assert any(problem == code and text.startswith(seen) for problem, text in told), told


@pytest.mark.raises_code("E-STUDY-SYNTAX", "E-STUDY-FILE")
def test_files_that_are_no_instruments(tmp_path):
    with pytest.raises(StudyError, match=r"E-STUDY-SYNTAX.*line 2"):
        read(tmp_path, "title = 1\n= 3")
    with pytest.raises(StudyError, match=r"Line 2 of `coping\.toml` holds bytes that are not UTF-8"):
        read(tmp_path, b"title = 'a'\nnote = '\xff'")
    with pytest.raises(StudyError, match="cannot be read"):
        instruments.read_instrument(tmp_path / "nowhere.toml")
    with pytest.raises(StudyError, match="longer than"):
        read(tmp_path, b"#" * 300_000)


def test_the_json_schema_knows_every_table():
    known = schema()
    assert {"items", "response", "subscales", "cutoffs", "composites", "reverse"} <= set(known["properties"])
    assert json.dumps(known)


def test_reading_and_scoring_load_pydantic_only_when_a_key_is_read():
    code = "import burnout_stats.instruments, sys, json; print(json.dumps('pydantic' in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) is False
