"""What a training job leaves: model.tar.gz with the file xgboost-model, taken as something that anybody could have written."""

import io
import tarfile
import zlib

MOST_PACKED = 100_000_000
MOST_UNPACKED = 200_000_000
_GZIP = 31
_NAMES = ("xgboost-model", "./xgboost-model")


class UnusableArtefact(ValueError):
    """What the training job left is no model that can be taken; the message says why in a sentence."""


def booster_in(archive: bytes) -> bytes:
    """The bytes of the archive's only file called xgboost-model. Nothing is written anywhere, whatever the archive's names say.

    Raises:
        UnusableArtefact: the archive is damaged, holds no such file or several, or is larger unpacked than 200 MB.
    """
    unpacked = io.BytesIO(_unpacked(archive))
    try:
        with tarfile.open(fileobj=unpacked, mode="r:") as members:
            found = [member for member in members if member.name in _NAMES and member.isreg()]
            if len(found) != 1:
                raise UnusableArtefact("The training job left no file called xgboost-model." if not found else "It left several models.")
            content = members.extractfile(found[0])
            booster = content.read() if content else b""
    except tarfile.TarError as error:
        raise UnusableArtefact("The archive that the training job left is damaged.") from error
    if len(booster) != found[0].size:
        raise UnusableArtefact("The archive that the training job left is cut short.")
    return booster


def _unpacked(archive: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(archive, MOST_UNPACKED + 1)
    except zlib.error as error:
        raise UnusableArtefact("The archive that the training job left is damaged.") from error
    if len(content) > MOST_UNPACKED:
        raise UnusableArtefact(f"The archive that the training job left is larger than {MOST_UNPACKED // 1_000_000} MB unpacked.")
    if not stream.eof:
        raise UnusableArtefact("The archive that the training job left is cut short.")
    return content
