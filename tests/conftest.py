"""What holds for every test: one BLAS thread, no network but loopback, the same Hypothesis examples in every run; and
two tools: the marker `raises_code`, which is verified, and the fixture `snapshot`.
"""

from __future__ import annotations

import difflib
import functools
import ipaddress
import os
import socket
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from burnout_stats.errors import Problem
from burnout_stats.notices import Notice

SNAPSHOTS = Path(__file__).parent / "snapshots"
SEEN = pytest.StashKey[set[str]]()

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"  # read when numpy is first imported, which nothing above does
os.environ["MPLBACKEND"] = "Agg"

hypothesis.settings.register_profile("suite", derandomize=True, deadline=None)
hypothesis.settings.load_profile("suite")


# ---- codes ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _codes_seen(request: pytest.FixtureRequest) -> Iterator[None]:
    """Record the codes of all problems and notices that are made while a marked test and its fixtures run."""
    if request.node.get_closest_marker("raises_code") is None:
        yield
        return
    seen = request.node.stash.setdefault(SEEN, set())
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Problem, Notice):
            patch.setattr(kind, "__init__", _recording(kind.__init__, seen))
        yield


def _recording(init: Callable[..., None], seen: set[str]) -> Callable[..., None]:
    @functools.wraps(init)
    def recorded(self: Problem | Notice, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)
        seen.add(self.code)

    return recorded


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    result = yield
    promised = {code for marker in pyfuncitem.iter_markers("raises_code") for code in marker.args}
    missing = promised - pyfuncitem.stash.get(SEEN, set())
    if missing:
        pytest.fail(f"marked raises_code, but never raised: {', '.join(sorted(missing))}", pytrace=False)
    return result


# ---- the network ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Let no test reach anything but this machine's loopback."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(connect: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(connect)
    def guarded(self: socket.socket, address: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address):
            pytest.fail(f"a test tried to reach the network: {address!r}")
        return connect(self, address)

    return guarded


def _is_loopback(address: object) -> bool:
    host = str(address[0]) if isinstance(address, tuple) else ""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


# ---- snapshots -----------------------------------------------------------------------------------------------------


@pytest.fixture
def snapshot() -> Callable[[str, str], None]:
    """Compare a text with the approved one in tests/snapshots/; `make snapshots` writes what the tests now produce."""

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if os.environ.get("UPDATE_SNAPSHOTS"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        approved = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != approved:
            change = difflib.unified_diff(approved.splitlines(), text.splitlines(), "approved", "now", lineterm="")
            pytest.fail("\n".join([f"{name} has changed (make snapshots approves it):", *change]), pytrace=False)

    return compare
