"""`burnout-stats validate`: the page of the simulation study."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from burnout_stats.cli import app
from burnout_stats.reporting import validation


@pytest.fixture
def small(monkeypatch):
    whole = validation.validation_page

    def page(*, replicates, seed, progress):
        return whole(replicates=replicates, seed=seed, sizes=(40,), studies=validation.STUDIES[:1], progress=progress)

    monkeypatch.setattr(validation, "validation_page", page)


def call(*arguments):
    return CliRunner().invoke(app, ["validate", *map(str, arguments)])


def test_the_page_goes_to_stdout_or_into_a_file(small, tmp_path):
    out = tmp_path / "validation.md"
    shown, written = call("--replicates", 100), call("--replicates", 100, "-o", out)
    assert (shown.exit_code, written.exit_code) == (0, 0)
    assert shown.stdout == out.read_text(encoding="utf-8")
    assert shown.stdout.startswith("# Validation")
    assert "seconds" in shown.stderr


def test_too_few_replicates_and_a_folder_that_is_not_there_are_refused(small, tmp_path):
    assert call("--replicates", 5).exit_code == 2
    missing = call("--replicates", 100, "-o", tmp_path / "nowhere" / "page.md")
    assert missing.exit_code == 2
    assert "E-STUDY-FILE" in missing.stderr
