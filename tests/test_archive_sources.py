"""Which recordings a batch finds, what their outputs are called, and what is refused before anything is done."""

import os
from pathlib import Path

import pytest

from regroove.archive.folder import default_workers, prepare_folder
from regroove.archive.journal import filesystems
from regroove.archive.plans.plan import Plan
from regroove.archive.sources.job import Found
from regroove.archive.sources.jobs import JobList, make_jobs
from regroove.archive.sources.manifest import read_manifest
from regroove.archive.sources.output_names import shown
from regroove.archive.sources.scan import scan
from regroove.archive.workers.local import usable_cores
from regroove.errors import ArchiveError, AudioError, SettingsError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("in/s1.wav", "in/box 2/s1.wav", "in/box 2/s10.FLAC", "in/box 2/notes.txt", "in/.x.wav", "in/.h/y.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def names(found: list[Found]) -> list[str]:
    return [item.name.as_posix() for item in found]


def jobs(found: list[Found], out: Path, *, plan: Plan | None = None, ignores_case: bool = False) -> JobList:
    return make_jobs(found, plan or Plan().changed(engine="wiener"), out=out, ignores_case=ignores_case)


def test_structure_and_names_are_kept(tree: Path) -> None:
    result = scan([str(tree / "in")], out=tree / "out")
    assert names(result.found) == ["s1.wav", "box 2/s1.wav", "box 2/s10.FLAC"]
    assert result.notes == [f"1 hidden files in {tree / 'in'} are left out."]
    assert names(scan([str(tree / "in")], out=tree / "out", pattern="s1.*").found) == ["s1.wav", "box 2/s1.wav"]


def test_patterns_keep_what_is_behind_their_fixed_part(tree: Path) -> None:
    assert names(scan([str(tree / "in/**/*.wav")], out=tree / "out").found) == ["s1.wav", "box 2/s1.wav"]
    assert names(scan([str(tree / "in/box*/s*")], out=tree / "out").found) == ["box 2/s1.wav", "box 2/s10.FLAC"]
    none = scan([str(tree / "in/*.mp3")], out=tree / "out")
    assert none.found == [] and "No file matches" in none.notes[0]
    # A name that exists is no pattern.
    (tree / "in/[a].wav").write_text("")
    assert names(scan([str(tree / "in/[a].wav")], out=tree / "out").found) == ["[a].wav"]
    with pytest.raises(AudioError, match="nothing.wav does not exist"):
        scan([str(tree / "nothing.wav")], out=tree / "out")


def test_the_output_folder_is_not_searched(tree: Path) -> None:
    (tree / "in/out").mkdir()
    (tree / "in/out/s1.wav").write_text("restored")
    assert "out/s1.wav" not in names(scan([str(tree / "in")], out=tree / "in/out").found)
    assert "out/s1.wav" not in names(scan([str(tree / "in/**/*.wav")], out=tree / "in/out").found)
    with pytest.raises(AudioError, match="is the output folder"):
        scan([str(tree / "in")], out=tree / "in/../in")


def test_links_are_followed_once_and_never_in_circles(tree: Path) -> None:
    (tree / "other").mkdir()
    (tree / "other/s3.wav").write_text("")
    (tree / "other/back").symlink_to("../in")
    (tree / "in/circle").symlink_to(".")
    (tree / "in/twice").symlink_to("box 2")
    (tree / "in/beyond").symlink_to("../other")
    (tree / "in/beyond again").symlink_to("../other")
    (tree / "in/link.wav").symlink_to("s1.wav")
    (tree / "in/round.wav").symlink_to("and round.wav")
    (tree / "in/and round.wav").symlink_to("round.wav")
    result = scan([str(tree / "in")], out=tree / "out")
    found = names(result.found)
    circle = ["and round.wav", "round.wav"]
    assert sorted(found) == sorted([*circle, "beyond/s3.wav", "box 2/s1.wav", "box 2/s10.FLAC", "link.wav", "s1.wav"])
    assert {"round.wav", "and round.wav"} < {job.name.name for job in jobs(result.found, tree / "out").jobs}
    everywhere = scan([str(tree / "in/**/*.wav")], out=tree / "out")
    assert sorted(names(everywhere.found)) == sorted(name for name in found if name.endswith(".wav"))
    assert sum("is a link to a folder that is searched anyway" in note for note in result.notes) == 3


def test_names_may_be_any_bytes(tree: Path) -> None:
    odd = os.fsdecode(b"in/new\nline \xff.wav")
    (tree / odd).write_text("")
    result = scan([str(tree / "in")], out=tree / "out")
    assert os.fsdecode(b"new\nline \xff.wav") in names(result.found)
    assert shown(odd) == "in/new\\nline \\xff.wav"


def test_two_that_would_be_one_file_are_both_refused(tree: Path) -> None:
    found = scan([str(tree / "in"), str(tree / "in/box 2/s1.wav")], out=tree / "out").found
    listed = jobs(found, tree / "out")
    assert names_of(listed) == ["box 2/s1.wav", "box 2/s10.FLAC"]
    assert {item.name.as_posix() for item in listed.refused} == {"s1.wav"} and len(listed.refused) == 2
    assert f"{tree}/in/s1.wav and {tree}/in/box 2/s1.wav would be written to one file" in listed.refused[0].why
    # By their formats, and by the name of another's residual.
    (tree / "in/s1.aif").write_text("")
    found = scan([str(tree / "in")], out=tree / "out").found
    as_flac = jobs(found, tree / "out", plan=Plan().changed(engine="wiener", format="flac"))
    assert names_of(as_flac) == ["box 2/s1.flac", "box 2/s10.flac"] and len(as_flac.refused) == 2
    (tree / "in/s1.removed.wav").write_text("")
    found = scan([str(tree / "in")], out=tree / "out").found
    kept = jobs(found, tree / "out", plan=Plan().changed(engine="wiener", residual=True))
    assert {item.name.name for item in kept.refused} == {"s1.wav", "s1.removed.wav"}


def names_of(listed: JobList) -> list[str]:
    return [job.name.as_posix() for job in listed.jobs]


def test_cases_differ_only_where_the_file_system_says(tmp_path: Path) -> None:
    found = [Found(source=tmp_path / name, name=Path(name)) for name in ("A.wav", "a.wav", "\u00e9.wav", "e\u0301.wav")]
    assert len(jobs(found, tmp_path / "out").jobs) == 4
    assert len(jobs(found, tmp_path / "out", ignores_case=True).refused) == 4


def test_an_output_is_never_a_recording(tree: Path) -> None:
    found = scan([str(tree / "in/box 2")], out=tree / "in").found
    listed = jobs([*found, Found(source=tree / "in/s1.wav", name=Path("x.wav"))], tree / "in")
    assert [item.name.as_posix() for item in listed.refused] == ["s1.wav"]
    assert "which is a recording itself" in listed.refused[0].why


def table(folder: Path, text: str) -> Path:
    path = folder / "sides.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_a_table_gives_settings_for_each(tree: Path) -> None:
    text = '\ufeffsource,output,strength,noise_region\nin/s1.wav,,0.5,\n"in/box 2/s1.wav",b/x.flac,,0-1.5\n'
    found = read_manifest(table(tree, text))
    listed = jobs(found, tree / "out")
    assert names_of(listed) == ["in/s1.wav", "b/x.flac"]
    assert [job.plan.restore.strength for job in listed.jobs] == [0.5, 1.0]
    assert listed.jobs[1].plan.restore.noise_region == (0.0, 1.5)
    assert listed.jobs[0].recipe != listed.jobs[1].recipe
    assert [job.source for job in listed.jobs] == [tree / "in/s1.wav", tree / "in/box 2/s1.wav"]


def test_the_tables_row_wins_over_the_folder(tree: Path) -> None:
    rows = read_manifest(table(tree, "source,output,strength\nin/s1.wav,s1.wav,0.5\n"))
    listed = jobs([*scan([str(tree / "in")], out=tree / "out").found, *rows], tree / "out")
    assert [job.plan.restore.strength for job in listed.jobs if job.name.as_posix() == "s1.wav"] == [0.5]
    assert len(listed.jobs) == 3


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("file\na.wav\n", "has no column source"),
        ("source,strenght\na.wav,1\n", "strenght; is strength meant"),
        ("source,output\na.wav,../b.wav\n", "Line 2 .* leads out of the output folder"),
        ("source,output\na.wav,/b.wav\n", "Line 2 .* leads out of the output folder"),
        ("source\na.wav,x\n", "Line 2 .* more cells than columns"),
        ("source,strength\n,1\n", "Line 2 .* no source"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong):
        read_manifest(table(tmp_path, text))


def test_a_wrong_value_in_a_row_is_that_rows_matter(tree: Path) -> None:
    listed = jobs(read_manifest(table(tree, "source,strength\nin/s1.wav,5\nin/box 2/s1.wav,1\n")), tree / "out")
    assert len(listed.jobs) == 1 and "between 0 and 1, not 5" in listed.refused[0].why


def test_a_network_file_system_is_refused_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare_folder(tmp_path / "a/b", shared_ok=False) is False and (tmp_path / "a/b").is_dir()
    line = f"1 0 0:9 / {tmp_path} rw - {{}} server:/export rw\n"
    for kind, refused in (("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("fuseblk", False), ("ext4", False)):
        monkeypatch.setattr(filesystems, "_mounts", lambda kind=kind: line.format(kind))
        assert (filesystems.network_type(tmp_path) is not None) == refused
    monkeypatch.setattr(filesystems, "_mounts", lambda: line.format("nfs4"))
    with pytest.raises(ArchiveError, match=r"network file system \(nfs4\)"):
        prepare_folder(tmp_path, shared_ok=False)
    assert prepare_folder(tmp_path, shared_ok=True) is False


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="file/out cannot be written: not a directory"):
        prepare_folder(tmp_path / "file/out", shared_ok=False)


def test_workers_suit_the_machine() -> None:
    assert 1 <= default_workers() <= max(usable_cores() // 2, 1)
