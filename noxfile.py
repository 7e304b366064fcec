"""The tests on every version that pyproject.toml allows: ``nox`` for all, ``nox -s oldest`` for one session.

Sessions of a Python that is not installed are passed over.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["tests", "oldest", "predict"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
# Those of prediction, which the training extra has no part in.
PREDICTION = [
    f"tests/test_{name}.py"
    for name in ("predictor", "tokens", "viterbi", "document", "formats", "jsonl", "xml", "conll", "checkpoint")
]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Everything, on the newest of every dependency."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.10")
def oldest(session: nox.Session) -> None:
    """Everything, on the oldest of every dependency that is named in pyproject.toml."""
    session.install("--resolution", "lowest-direct", "-e", ".[dev]")
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", ["lowest-direct", "highest"])
def predict(session: nox.Session, resolution: str) -> None:
    """Prediction without torch, on the oldest and the newest of what it needs."""
    session.install("--resolution", resolution, "-e", ".", "pytest>=8", "hypothesis>=6.100")
    session.run("pytest", *PREDICTION, *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write lock.txt: what the tests run with on Python 3.11, to the byte. torch comes from constraints.txt."""
    session.install("uv")
    cpu = Path(session.create_tmp()) / "cpu.txt"
    cpu.write_text("torch==2.13.0+cpu\n")  # the other one needs CUDA, whose packages would all be in the lock
    session.run(
        *("uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--python-version", "3.11", "--generate-hashes"),
        *("--constraint", "constraints.txt", "--constraint", str(cpu), "--no-emit-package", "torch"),
        *("--no-header", "--no-annotate", "--output-file", "lock.txt"),
        # --find-links FOLDER, where that address is out of reach
        *(session.posargs or ("--find-links", "https://download.pytorch.org/whl/torch")),
    )


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of what lock.txt names; needs pypi.org."""
    session.install("pip-audit")
    session.run("pip-audit", "--require-hashes", "--disable-pip", "--requirement", "lock.txt")
