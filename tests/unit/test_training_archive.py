"""What a training job leaves, taken as something that anybody could have written."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from retainstream.engine.learning.sagemaker import artefact
from retainstream.engine.learning.sagemaker.artefact import UnusableArtefact, booster_in

MODEL = bytes(range(256)) * 40


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for member, content in members:
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def file(name: str, content: bytes = MODEL) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def link(name: str, target: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


@pytest.mark.parametrize("name", ["xgboost-model", "./xgboost-model"])
def test_the_model_is_found_among_other_files(name: str) -> None:
    assert booster_in(archive(file("checkpoint"), file(name), file("log/a.txt", b""))) == MODEL


@pytest.mark.parametrize(
    "members",
    [
        [],
        [file("../xgboost-model")],
        [file("/xgboost-model")],
        [file("a/xgboost-model")],
        [file("xgboost-model-0")],
        [link("xgboost-model", "/etc/hostname", tarfile.SYMTYPE)],
        [link("xgboost-model", "other", tarfile.LNKTYPE)],
        [link("xgboost-model", "", tarfile.DIRTYPE)],
        [link("xgboost-model", "", tarfile.CHRTYPE)],
        [file("xgboost-model"), file("./xgboost-model")],
    ],
)
def test_another_name_a_link_or_two_are_refused_and_nothing_is_written(
    members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with pytest.raises(UnusableArtefact):
        booster_in(archive(*members))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_archive_that_is_cut_anywhere_is_refused() -> None:
    whole = archive(file("xgboost-model"))
    for end in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        with pytest.raises(UnusableArtefact):
            booster_in(whole[:end])


def test_a_tar_that_is_cut_inside_a_sound_gzip_is_refused() -> None:
    whole = gzip.decompress(archive(file("xgboost-model")))
    for end in (100, 512, 600, 5_000):
        with pytest.raises(UnusableArtefact):
            booster_in(gzip.compress(whole[:end]))


@pytest.mark.parametrize(
    "content",
    [b"x" * 1000, b"\x1f\x8b\x08\x00" + b"\xff" * 60, gzip.compress(b"no tar at all" * 100)],
    ids=["no gzip", "a broken gzip", "a gzip of no tar"],
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableArtefact):
        booster_in(content)


def test_an_archive_that_grows_when_unpacked_is_refused_before_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "MOST_UNPACKED", 1_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(UnusableArtefact, match="larger than 1 MB"):
        booster_in(bomb)
