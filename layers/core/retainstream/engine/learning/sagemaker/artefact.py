"""The output of a training job: model.tar.gz with the file xgboost-model. It is read as untrusted input."""

import io
import tarfile
import zlib

MOST_PACKED = 100_000_000
MOST_UNPACKED = 200_000_000
_GZIP = 31
_NAMES = ("xgboost-model", "./xgboost-model")


class UnusableArtefact(ValueError):
    """The output of the training job is not a usable model; the message says why in a sentence."""


def booster_in(archive: bytes) -> bytes:
    """The bytes of the archive's only file xgboost-model. Nothing is written to disk, whatever names the archive holds.

    Raises:
        UnusableArtefact: the archive is damaged, holds no such file or several, or is larger than 200 MB unpacked.
    """
    unpacked = io.BytesIO(_unpacked(archive))
    try:
        with tarfile.open(fileobj=unpacked, mode="r:") as members:
            models = [member for member in members if member.name in _NAMES and member.isreg()]
            if len(models) != 1:
                raise UnusableArtefact(
                    "The training job's archive holds no file xgboost-model." if not models else "The archive holds several models."
                )
            content = members.extractfile(models[0])
            booster = content.read() if content else b""
    except tarfile.TarError as error:
        raise UnusableArtefact("The training job's archive is damaged.") from error
    if len(booster) != models[0].size:
        raise UnusableArtefact("The training job's archive is incomplete.")
    return booster


def _unpacked(archive: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(archive, MOST_UNPACKED + 1)
    except zlib.error as error:
        raise UnusableArtefact("The training job's archive is damaged.") from error
    if len(content) > MOST_UNPACKED:
        raise UnusableArtefact(f"The training job's archive is larger than {MOST_UNPACKED // 1_000_000} MB unpacked.")
    if not stream.eof:
        raise UnusableArtefact("The training job's archive is incomplete.")
    return content
