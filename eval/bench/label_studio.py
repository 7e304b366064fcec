"""Runs a real Label Studio: imports our tasks into a project with our interface, annotates, exports, builds.

    python -m attackspan.eval.bench.label_studio [--folder /tmp/label-studio] [--export FILE]

Label Studio is installed from PyPI into an environment of its own under the folder (about 300 packages, minutes), and
runs on this machine only, with SQLite. The tasks are proposals of the shipped model for seeds: the first is submitted
without its first span, the second is skipped, the others are submitted as they are.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from attackspan.commandline import run_command
from attackspan.eval.bench.compare import ROOT
from attackspan.formats import read

VERSION = "1.23.2"
SEEDS = [ROOT / "seeds" / "dev" / f"{name}.xml" for name in ("as-103", "as-107", "as-122")]
FIREFIGHTER = "👩🏻‍🚒 Rebels attacked the town.\r\n\r\nPolice condemned the attack on \u202bהרצל\u202c.\r\n"


@click.command()
@click.option("--folder", default="/tmp/label-studio", show_default=True, type=click.Path(path_type=Path))
@click.option("--export", type=click.Path(path_type=Path), help="Keep the first two tasks of the export here.")
def main(folder: Path, export: Path | None) -> None:
    """Exit status 1 where what comes back differs from what went in."""
    python = _installed(folder / "environment")
    with TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        texts = work / "emoji.txt"
        texts.write_bytes(FIREFIGHTER.encode())
        _attackspan(
            "suggest", "--model", "model/default", "--to", "labelstudio", *SEEDS, texts, "-o", work / "tasks.json"
        )
        with _server(python, work) as server:
            tasks = _annotated(server, work)
        (work / "export.json").write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
        proposed = {document.id: document for document in read([work / "tasks.json"])}
        exported = list(read([work / "export.json"]))
        wrong = 0
        for number, document in enumerate(exported):
            wanted = [(one.id, one.label, one.text, one.attributes) for one in proposed[document.id].spans]
            found = [(one.id, one.label, one.text, one.attributes) for one in document.spans]
            same = found == wanted[number == 0 :] and document.text == proposed[document.id].text
            wrong += not same
            click.echo(
                f"{document.id}: {len(found)} spans, {len(document.links)} links, {'as' if same else 'NOT as'} sent"
            )
        click.echo(f"{len(proposed)} tasks, {len(exported)} documents back (one was skipped)")
        _attackspan("build", "--train", work / "export.json", "-o", work / "dataset")
        if export:
            kept = [task for task in tasks if task["data"]["id"] in {"as-103", "as-122"}]
            export.write_text(f"{json.dumps(kept, ensure_ascii=False, indent=1)}\n", "utf-8")
    sys.exit(bool(wrong) or len(exported) != len(proposed) - 1)


class _Server:
    """The server's API."""

    def __init__(self, port: int, token: str) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The value that a request is answered with."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._address}{path}", content, self._headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")


def _installed(environment: Path) -> Path:
    """The interpreter of an environment with Label Studio."""
    python = environment / "bin" / "python"
    if not (environment / "bin" / "label-studio").exists():
        click.echo(f"{environment}: installing label-studio {VERSION}", err=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"label-studio=={VERSION}"], check=True)
    return python


@contextmanager
def _server(python: Path, work: Path) -> Iterator[_Server]:
    """A Label Studio that is stopped at the end."""
    token = secrets.token_hex(20)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command: list[str | Path] = [
        *(python.with_name("label-studio"), "start", "--no-browser", "--data-dir", work / "data"),
        *("--internal-host", "127.0.0.1", "--port", str(port), "--enable-legacy-api-token"),
        *("--username", "one@example.org", "--password", secrets.token_hex(8), "--user-token", token),
    ]
    quiet = {"COLLECT_ANALYTICS": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    with (work / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | quiet)
        try:
            server = _Server(port, token)
            while True:
                try:
                    server.call("GET", "/api/version")
                    break
                except urllib.error.URLError:
                    if process.poll() is not None:
                        raise click.ClickException((work / "server.log").read_text()[-2000:]) from None
                    time.sleep(1)
            yield server
        finally:
            process.terminate()
            process.wait()


def _annotated(server: _Server, work: Path) -> Any:
    """Import the tasks, annotate them as a person would, and export."""
    interface = (work / "tasks.config.xml").read_text("utf-8")
    project = server.call("POST", "/api/projects", {"title": "attackspan", "label_config": interface})["id"]
    server.call("POST", f"/api/projects/{project}/import", json.loads((work / "tasks.json").read_text("utf-8")))
    listed = server.call("GET", f"/api/tasks?project={project}&page_size=100")["tasks"]
    for number, task in enumerate(sorted(one["id"] for one in listed)):
        results = server.call("GET", f"/api/tasks/{task}")["predictions"][0]["result"]
        if number == 0:
            results = [
                one for one in results if results[0]["id"] not in (one.get("id"), one.get("from_id"), one.get("to_id"))
            ]
        answer = {"result": results, "was_cancelled": number == 1, "lead_time": 1.0}
        server.call("POST", f"/api/tasks/{task}/annotations", answer)
    return server.call("GET", f"/api/projects/{project}/export?exportType=JSON")


def _attackspan(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "attackspan", *map(str, arguments)], check=True, cwd=ROOT)


if __name__ == "__main__":
    run_command(main)
