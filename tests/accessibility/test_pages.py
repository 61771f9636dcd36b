"""The report in a real browser: axe-core finds nothing against WCAG 2.2 AA at the width of a desk and of a telephone,
and no request leaves the page.

`make accessibility` installs axe-core beside the workshop; without it, or without Chromium, these tests are skipped.
"""

from __future__ import annotations

import functools
import html
import json
import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import burnout_stats as bs

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
WIDTHS = {"desk": 1280, "telephone": 390}
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
ASKED = """
<script>{axe}</script>
<script>
document.querySelectorAll("details").forEach(function (part) {{ part.open = true; }});
axe.run(document, {{resultTypes: ["violations", "incomplete"]}}).then(function (found) {{
  var told = document.createElement("pre");
  told.id = "axe-told";
  told.textContent = JSON.stringify({{
    passes: found.passes.length,
    violations: found.violations.map(function (rule) {{
      return rule.id + ": " + rule.help + " " + rule.nodes.slice(0, 3).map(function (node) {{ return node.html; }});
    }})
  }});
  document.body.appendChild(told);
}});
</script>
"""

QUIET = ("--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync")
HOUSEKEEPING = frozenset({"accounts.google.com", "clients2.google.com", "redirector.gvt1.com", "update.googleapis.com"})
"""Whom Chromium asks on its own account when it starts."""

needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here (Debian: apt install chromium)")
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed here (`make accessibility`)")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The standard report, sensitivity included, by language, each made once."""

    @functools.cache
    def made(language):
        folder = tmp_path_factory.mktemp(language)
        study = ROOT / "data" / "synthetic" / "villa_sana.toml"
        if language != "en":
            shutil.copy(study.with_name("villa_sana.csv"), folder)
            asked = study.read_text(encoding="utf-8") + f'language = "{language}"\n'
            study = folder / "villa_sana.toml"
            study.write_text(asked, encoding="utf-8")
        plan = bs.read_study(study)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.BurnoutStatsWarning)  # the report tells its notices itself
            bs.report(plan, folder / "out")
        return folder / "out" / "report.html"

    return made


@pytest.fixture(params=["en", "nb"])
def report(request, reports):
    """The report in English and in bokmål."""
    return reports(request.param)


def browse(page, folder, *flags):
    command = [BROWSER, "--headless", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # Chromium refuses its sandbox to root, as in a container
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def examined(page, folder, width):
    """What axe-core says of a copy of a page in which everything is open and scripts may run."""
    text = page.read_text(encoding="utf-8")
    assert POLICY.search(text)
    copy = folder / f"examined-{width}.html"
    told = ASKED.format(axe=AXE.read_text(encoding="utf-8"))
    copy.write_text(POLICY.sub("", text).replace("</body>", told + "</body>"), encoding="utf-8")
    dom = browse(copy, folder, "--dump-dom", f"--window-size={width},1600", "--virtual-time-budget=120000")
    found = re.search(r'<pre id="axe-told">(.*?)</pre>', dom, re.DOTALL)
    assert found, "axe-core did not finish"
    return json.loads(html.unescape(found[1]))


@needs_browser
@needs_axe
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_axe_finds_nothing(report, tmp_path, width):
    told = examined(report, tmp_path, width)
    assert told["passes"] > 20
    assert told["violations"] == []


@needs_browser
@needs_axe
def test_axe_would_find_something(report, tmp_path):
    broken = tmp_path / "broken.html"
    text = report.read_text(encoding="utf-8")
    broken.write_text(re.sub(r'(<img [^>]*?) alt="[^"]*"', r"\1", text, count=1), encoding="utf-8")
    assert [rule for rule in examined(broken, tmp_path, 1280)["violations"] if rule.startswith("image-alt")]


@needs_browser
def test_no_request_leaves_the_page(report, tmp_path):
    log = tmp_path / "net.json"
    browse(report, tmp_path, "--dump-dom", f"--log-net-log={log}", *QUIET)
    events = log.read_text(encoding="utf-8", errors="replace")
    assert report.name in events
    leaking = tmp_path / "leaking.html"
    leaking.write_text('<!DOCTYPE html><img src="http://127.0.0.1:9/x.png" alt="">', encoding="utf-8")
    browse(leaking, tmp_path, "--dump-dom", f"--log-net-log={tmp_path / 'leak.json'}", *QUIET)
    leaked = (tmp_path / "leak.json").read_text(encoding="utf-8", errors="replace")
    assert asked_outside(leaked) == {"http://127.0.0.1:9/x.png"}  # the log would tell
    assert asked_outside(events) == set()


def asked_outside(events):
    return {address for address in re.findall(r'"url":"([^"]+)"', events) if is_of_the_page(address)}


def is_of_the_page(address):
    """Whether the page, and not the browser's own housekeeping, may have asked for an address outside."""
    parts = urlsplit(address)
    return parts.scheme in {"http", "https", "ws", "wss", "ftp"} and parts.hostname not in HOUSEKEEPING


@needs_browser
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_is_wider_than_the_window(report, tmp_path, width):
    copy = tmp_path / "wide.html"
    frame = tmp_path / "frame.html"  # a window has a least width of its own; a frame has not
    shutil.copyfile(report, copy)
    frame.write_text(
        f'<!DOCTYPE html><iframe id="f" src="{copy.name}" style="border:0" width="{width}" height="900"></iframe>'
        '<script>addEventListener("load", function () { var d = document.getElementById("f").contentDocument;'
        ' document.body.setAttribute("data-wide", d.documentElement.scrollWidth - d.documentElement.clientWidth); });'
        "</script>",
        encoding="utf-8",
    )
    dom = browse(
        frame, tmp_path, "--dump-dom", "--allow-file-access-from-files", "--virtual-time-budget=10000",
        "--window-size=1600,1200",
    )  # fmt: skip
    found = re.search(r'data-wide="(-?\d+)"', dom)
    assert found
    assert int(found[1]) <= 0, f"{found[1]} pixels"
