"""A stand-in for the Hugging Face hub: as much of its HTTP interface as uploading and downloading take."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from threading import Thread
from urllib.parse import unquote, urlsplit


class Hub(ThreadingHTTPServer):
    """Repositories in memory, as ``models/user/name`` or ``datasets/user/name`` to file path to content.

    Attributes:
        commits: each repository's last commit.
        large: files on their way in by Git LFS, which takes Parquet, by their sha256.
        asked: the paths that were asked for, in order.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.commits: dict[str, str] = {}
        self.large: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running() -> Iterator[Hub]:
    with Hub() as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            data = json.loads(body)
            name = f"{data.get('type') or 'model'}s/{data['organization']}/{data['name']}"
            self.server.repositories.setdefault(name, {})
            self.server.commits.setdefault(name, "0" * 40)
            return self._json({"url": f"{self.server.address}/{name.removeprefix('models/')}"})
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{self.server.address}/large/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            return self._json({"transfer": "basic", "objects": objects})
        name, action = re.fullmatch(r"/api/(\w+/[\w-]+/[\w-]+)/([\w-]+)/.*", path).groups()  # type: ignore[union-attr]
        files = self.server.repositories[name]
        if action == "preupload":
            asked = [file["path"] for file in json.loads(body)["files"]]
            return self._json(
                {"files": [{"path": one, "uploadMode": _mode(one), "shouldIgnore": False} for one in asked]}
            )
        if action == "commit":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "lfsFile":
                    files[line["value"]["path"]] = self.server.large[line["value"]["oid"]]
            sha = self.server.commits[name] = hashlib.sha1(body).hexdigest()
            return self._json({"commitUrl": f"{self.server.address}/{name}/commit/{sha}", "commitOid": sha})
        return self._json({"error": path}, 404)

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.large[self.path.rpartition("/")[2]] = content
        self._json({})

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(path)
        if "user/broken" in path:
            self.close_connection = True
            return None
        if match := re.fullmatch(r"/api/(\w+/[\w-]+/[\w-]+)(?:/(revision|tree)/\w+)?/?(.*)", path):
            name, what, below = match.groups()
            if (files := self.server.repositories.get(name)) is None:
                return self._missing("RepoNotFound")
            if what == "tree":
                entries = _entries(files, below, "recursive=true" in self.path.lower())
                return self._json(entries) if entries else self._missing("EntryNotFound")
            siblings = [{"rfilename": file} for file in files]
            return self._json({"id": name.split("/", 1)[1], "sha": self.server.commits[name], "siblings": siblings})
        if match := re.fullmatch(r"/(?:(datasets)/)?([\w-]+/[\w-]+)/resolve/\w+/(.+)", path):
            name = f"{match[1] or 'models'}/{match[2]}"
            files = self.server.repositories.get(name)
            if files is None:
                return self._missing("RepoNotFound")
            if match[3] not in files:
                return self._missing("EntryNotFound")
            content = files[match[3]]
            headers = {"X-Repo-Commit": self.server.commits[name], "ETag": f'"{_oid(content)}"'}
            return self._send(200, content, headers)
        return self._json({"error": path}, 404)

    do_HEAD = do_GET

    def _json(self, data: object, status: int = 200) -> None:
        self._send(status, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _missing(self, code: str) -> None:
        self._send(404, b"{}", {"X-Error-Code": code, "Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output is not the place."""


def _entries(files: dict[str, bytes], folder: str, recursive: bool) -> list[dict[str, object]]:
    """What lies in a folder, or anywhere below it."""
    inside = {PurePosixPath(file): content for file, content in files.items() if file.startswith(folder)}
    folders = {parent for file in inside for parent in file.parents if parent != PurePosixPath(".")}
    entries: dict[PurePosixPath, dict[str, object]] = {
        one: {"type": "directory", "path": str(one), "size": 0, "oid": _oid(str(one).encode())} for one in folders
    }
    for file, content in inside.items():
        entries[file] = {"type": "file", "path": str(file), "size": len(content), "oid": _oid(content)}
    top = PurePosixPath(folder)
    return [data for one, data in entries.items() if one.parent == top or (recursive and top in one.parents)]


def _mode(path: str) -> str:
    return "lfs" if path.endswith(".parquet") else "regular"


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
