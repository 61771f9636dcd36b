"""What reaches a terminal or a log: no command to the system that reads it, and color and motion only for people."""

import io
import json
import sys

import pytest
from study_files import MINIMAL, write_study
from typer.testing import CliRunner

from burnout_stats.cli import app
from burnout_stats.cli.talk import progress_bar, say, told_problem
from burnout_stats.errors import Problem

FORGED = "::error file=x::forged\\n::add-mask::x ##[error]forged \\u001b[31mred"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def at_a_terminal(monkeypatch):
    """Stderr as a person sees it; called within the test, since pytest's own capture comes after fixtures."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


@pytest.mark.parametrize(
    "text",
    [
        f'{MINIMAL}\n[outcomes."{FORGED}"]\nrnge = [1, 5]\n',
        f'{MINIMAL}\n[report]\nnumber_style = "{FORGED}"\n',
        f'{MINIMAL}\n[outcomes."{FORGED}"]\n',
        MINIMAL.replace('"1 year"', f'"{FORGED}"'),
        MINIMAL.replace("scores.csv", FORGED.replace("/", "")),
    ],
)
@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["report", "-o", "out"]])
def test_no_name_can_command_a_ci_system(tmp_path, monkeypatch, text, command):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [command[0], str(write_study(tmp_path, text)), *command[1:]])
    assert result.exit_code in {2, 3}
    for line in (result.stdout + "\n" + result.stderr).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "\x1b" not in line
    if "--json" in command:
        json.loads(result.stdout)


def test_a_problem_is_one_line_with_its_places():
    problem = Problem("E-X-Y", "Seen\nthis.", "Expected.", "Try.", tuple(range(1, 12)))
    assert told_problem(problem).startswith("E-X-Y (lines 1, 2, 3, 4, 5, 6, 7, 8 and 3 more): ")
    assert told_problem(Problem("E-X-Y", "Seen.", "", "", (4,))) == "E-X-Y (line 4): Seen."


def test_color_is_for_people_who_want_it(monkeypatch):
    terminal = at_a_terminal(monkeypatch)
    say("red", color="red")
    assert "\x1b[31mred" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    say("plain", color="red")
    assert terminal.getvalue().endswith("\nplain\n")


def test_talk_into_a_pipe_has_no_color(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    say("plain", color="red")
    assert stream.getvalue() == "plain\n"


def test_a_bar_moves_on_a_terminal(monkeypatch):
    terminal = at_a_terminal(monkeypatch)
    with progress_bar("report") as move:
        assert move is not None
        move(1, 3, "score\x1b[31m")
        move(3, 3, "done")
    assert "1/3" in terminal.getvalue()
    assert "score" in terminal.getvalue()
    assert "\x1b[31m" not in terminal.getvalue()


def test_no_bar_in_ci_and_none_into_a_pipe(monkeypatch):
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setenv("CI", "true")
    with progress_bar("report") as move:
        assert move is None
    assert terminal.getvalue() == ""
    monkeypatch.delenv("CI")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("report") as move:
        assert move is None
