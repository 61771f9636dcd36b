"""`burnout-stats reproduce`: the tables on stdout, and exit code 1 past a tolerance."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from burnout_stats.cli import app
from burnout_stats.studies import _registry, names, study


def call(*arguments):
    return CliRunner().invoke(app, ["reproduce", *map(str, arguments)])


def test_a_study_is_laid_beside_its_paper():
    result = call("villa-sana-2008", "--replicates", 60, "--seed", 2)
    assert result.exit_code == 0
    assert result.stderr == ""
    for word in ("Villa Sana, one year", "6.76", "Synthetic median", "60 replicates, seed 2", "not computed"):
        assert word in result.stdout


def test_the_same_seed_tells_the_same_and_another_does_not():
    first, again, other = (call("villa-sana-2008", "--replicates", 30, "--seed", k).stdout for k in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_machine_reads_json():
    result = call("villa-sana-nurses-2010", "--replicates", 40, "--json")
    told = json.loads(result.stdout)
    assert (told["replicates"], told["seed"], told["missed"]) == (40, 1, [])
    rows = {row["id"]: row for row in told["studies"][0]["rows"]}
    assert rows["exhaustion_t"]["printed"] == "5.3"
    assert rows["exhaustion_t"]["low"] < rows["exhaustion_t"]["median"] < rows["exhaustion_t"]["high"]


def test_all_prints_every_study():
    result = call("--all", "--replicates", 8)
    assert all(study(name).design.title in result.stdout for name in names())


def test_past_a_tolerance_it_ends_with_1(monkeypatch):
    one = study("villa_sana_2008")
    off = replace(one.number("exhaustion_t"), text="9.99")
    monkeypatch.setattr(_registry, "_load", lambda name: replace(one, printed=(off,)))
    result = call("villa-sana-2008", "--replicates", 30)
    assert result.exit_code == 1
    assert "misses its tolerance" in result.stderr
    explained = replace(off, why_not="Another rule.")
    monkeypatch.setattr(_registry, "_load", lambda name: replace(one, printed=(explained,)))
    assert call("villa-sana-2008", "--replicates", 30).exit_code == 0


@pytest.mark.parametrize("arguments", [(), ("villa-sana-2008", "--all")])
@pytest.mark.raises_code("E-STUDY-OPTION")
def test_one_study_or_all(arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert "E-STUDY-OPTION" in result.stderr


@pytest.mark.raises_code("E-STUDY-UNKNOWN")
def test_an_unknown_study_is_refused():
    assert call("villa-sana-1910").exit_code == 2
