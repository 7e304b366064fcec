"""A checkpoint is a folder whose manifest lists each file with its sha256: nothing missing, nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attackspan.errors import AttackspanError
from attackspan.textfiles import replacing

FORMAT = 1
"""Rises when a folder that this version writes could no longer be read by an older one."""
MANIFEST = "manifest.json"
DEFAULT = Path(__file__).with_name("default")
"""The checkpoint that ships with the package."""


def locate(name: str | Path, device: str = "cpu") -> Path:
    """The folder of a checkpoint: a folder as it is, or a hub id (``user/name``) from the hub or its local cache.

    Args:
        device: what the model is to run on; of the hub's files only those come that it needs.

    Raises:
        AttackspanError: there is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if str(name).count("/") != 1 or folder.is_absolute() or str(name).startswith((".", "~")):
        raise AttackspanError(f"{name}: no such folder; give a checkpoint folder or a hub id such as user/name")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    # Where a connection breaks, the error is that of the hub's HTTP library, whichever that is: the base of its own.
    broken: type[Exception] = HfHubHTTPError.__mro__[1]
    try:
        unneeded = "*.safetensors" if device == "cpu" else "*.onnx"
        return Path(snapshot_download(str(name), ignore_patterns=[unneeded, "*.bin"]))
    except (OSError, ValueError, broken) as error:  # the hub's errors are OSErrors; a malformed id is a ValueError
        raise AttackspanError(
            f"{name}: no such folder, and not to be had from the hub: {' '.join(str(error).split())}"
        ) from error


def write_manifest(folder: Path) -> None:
    """List every file of the folder with its sha256 in ``manifest.json``, which appears whole or not at all.

    Raises:
        AttackspanError: it cannot be written.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    manifest = {"format": FORMAT, "files": {path.name: sha256(path) for path in files}}
    with replacing(folder / MANIFEST) as file:
        file.write(f"{json.dumps(manifest, indent=2)}\n".encode())


def verify(folder: Path, names: Sequence[str]) -> None:
    """Check that these files are there and are what the manifest says.

    Raises:
        AttackspanError: one is missing, altered or not listed, or the checkpoint's format is newer than this version.
    """
    manifest = read_json(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise AttackspanError(
            f"{folder}: checkpoint format {manifest.get('format')}; this version reads {FORMAT}: update attackspan"
        )
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise AttackspanError(f"{folder / MANIFEST}: it lists no files; copy the checkpoint again")
    for name in names:
        path = folder / name
        if name not in files:
            raise AttackspanError(f"{path}: not listed in {MANIFEST}; this checkpoint has no such part")
        if not path.is_file():
            raise AttackspanError(f"{path}: missing; copy the checkpoint again or train it anew")
        if sha256(path) != files[name]:
            raise AttackspanError(
                f"{path}: altered, its sha256 is not the one in {MANIFEST}; copy the checkpoint again"
            )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a folder to this run while the block lasts; where a process dies, the system lets its folder go.

    Windows, which has no such locks, goes without.

    Raises:
        AttackspanError: another run is at work in the folder.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AttackspanError(f"{folder}: another run is at work there; choose another output=") from error
        yield
    finally:
        os.close(handle)


def last_whole_epoch(folder: Path) -> str | None:
    """The newest ``checkpoint-<step>`` folder of a training run that was written to its end; ``None`` where none was.

    The trainer writes ``trainer_state.json`` last, so a folder without a whole one is what a kill left over.
    """
    found = [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
    for path in sorted(found, key=lambda path: -int(path.name.partition("-")[2])):
        try:
            read_json(path / "trainer_state.json")
        except AttackspanError:
            continue
        return str(path)
    return None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        AttackspanError: the file is missing, unreadable or holds no object.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # not there, not UTF-8, no JSON, too deep
        reason = "missing; is the folder a checkpoint?" if isinstance(error, FileNotFoundError) else _first_line(error)
        raise AttackspanError(f"{path}: {reason}") from error
    if not isinstance(data, dict):
        raise AttackspanError(f"{path}: not a JSON object")
    return data


def sha256(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
