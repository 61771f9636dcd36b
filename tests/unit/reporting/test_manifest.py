"""A run replaces only what an earlier run wrote, and writes all or nothing."""

import json

import pytest

from burnout_stats.errors import StudyError
from burnout_stats.reporting.manifest import MANIFEST, slug, slugs, write_files

FIRST = {"report.html": b"one", "tables/means.csv": b"1", "figures/a.svg": b"<svg/>"}


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_new_folder_is_made_and_its_manifest_lists_every_file(tmp_path):
    out = tmp_path / "deep" / "out"
    hashes = write_files(out, FIRST)
    document = json.loads((out / MANIFEST).read_text())
    assert document["files"] == hashes
    assert set(hashes) == set(FIRST)
    assert listing(out) == sorted([*FIRST, MANIFEST])


def test_a_second_run_replaces_its_files_and_removes_what_it_makes_no_more(tmp_path):
    write_files(tmp_path, FIRST)
    write_files(tmp_path, {"report.html": b"two"})
    assert (tmp_path / "report.html").read_bytes() == b"two"
    assert listing(tmp_path) == [MANIFEST, "report.html"]
    assert not (tmp_path / "tables").exists()


def test_a_file_that_somebody_changed_is_not_removed(tmp_path):
    write_files(tmp_path, FIRST)
    (tmp_path / "tables/means.csv").write_text("mine now")
    write_files(tmp_path, {"report.html": b"two"})
    assert (tmp_path / "tables/means.csv").read_text() == "mine now"


@pytest.mark.raises_code("E-REPORT-FOREIGN")
@pytest.mark.parametrize("name", ["report.html", "tables/means.csv", MANIFEST])
def test_a_foreign_file_stops_the_run_before_anything_is_written(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(StudyError) as refused:
        write_files(tmp_path, FIRST)
    assert refused.value.code == "E-REPORT-FOREIGN"
    assert path.read_text() == "mine"
    assert listing(tmp_path) == [name]


@pytest.mark.raises_code("E-REPORT-FOREIGN")
def test_a_link_is_never_written_through(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "diary.txt").write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").symlink_to(elsewhere / "diary.txt")
    with pytest.raises(StudyError):
        write_files(out, FIRST)
    (out / "report.html").unlink()
    (out / "tables").symlink_to(elsewhere)
    with pytest.raises(StudyError):
        write_files(out, FIRST)
    assert listing(elsewhere) == ["diary.txt"]


def test_a_manifest_cannot_name_files_outside_its_folder(tmp_path):
    out = tmp_path / "out"
    write_files(out, FIRST)
    diary = tmp_path / "diary.csv"
    diary.write_bytes(b"mine")
    document = json.loads((out / MANIFEST).read_text())
    from hashlib import sha256

    document["files"]["../diary.csv"] = sha256(b"mine").hexdigest()
    (out / MANIFEST).write_text(json.dumps(document))
    write_files(out, {"report.html": b"two"})
    assert diary.read_bytes() == b"mine"


@pytest.mark.raises_code("E-REPORT-FOLDER")
def test_a_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "out"
    path.write_text("a file")
    with pytest.raises(StudyError) as refused:
        write_files(path, FIRST)
    assert refused.value.code == "E-REPORT-FOLDER"


def test_nothing_unfinished_is_left_when_writing_fails(tmp_path, monkeypatch):
    from pathlib import Path

    write_files(tmp_path, FIRST)
    before = listing(tmp_path)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StudyError):
        write_files(tmp_path, {"report.html": b"two"})
    assert listing(tmp_path) == before
    assert (tmp_path / "report.html").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "Ångström", ".hidden", "CON:1"])
def test_a_file_name_is_harmless_whatever_the_column_is_called(name):
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert slug(name)


def test_file_names_differ_even_where_columns_look_alike():
    found = slugs(["a b", "a-b", "a b-2", "A B"])
    assert len(set(found.values())) == 4
