"""A checkpoint is a folder whose manifest lists each file with its sha256: nothing missing, nothing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attackspan.errors import AttackspanError

FORMAT = 1
"""Rises when a folder that this version writes could no longer be read by an older one."""
MANIFEST = "manifest.json"
DEFAULT = Path(__file__).with_name("default")
"""The checkpoint that ships with the package."""


def locate(name: str | Path) -> Path:
    """The folder of a checkpoint: a folder as it is, or a hub id (``user/name``) from the hub or its local cache.

    Raises:
        AttackspanError: there is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if str(name).count("/") != 1 or folder.is_absolute() or str(name).startswith((".", "~")):
        raise AttackspanError(f"{name}: no such folder; give a checkpoint folder or a hub id such as user/name")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name), ignore_patterns=["*.safetensors", "*.bin"]))
    except (OSError, ValueError) as error:  # the hub's errors are OSErrors; a malformed id is a ValueError
        raise AttackspanError(
            f"{name}: no such folder, and not to be had from the hub: {_first_line(error)}"
        ) from error


def write_manifest(folder: Path) -> None:
    """List every file of the folder with its sha256 in ``manifest.json``."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    manifest = {"format": FORMAT, "files": {path.name: sha256(path) for path in files}}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


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
    for name in names:
        path = folder / name
        if name not in manifest.get("files", {}):
            raise AttackspanError(f"{path}: not listed in {MANIFEST}; this checkpoint has no such part")
        if not path.is_file():
            raise AttackspanError(f"{path}: missing; copy the checkpoint again or train it anew")
        if sha256(path) != manifest["files"][name]:
            raise AttackspanError(
                f"{path}: altered, its sha256 is not the one in {MANIFEST}; copy the checkpoint again"
            )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        AttackspanError: the file is missing, unreadable or holds no object.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
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
