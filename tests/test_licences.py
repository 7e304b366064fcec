"""Dependencies are bounded and few, and the licence of each is listed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from samples import ROOT

from attackspan.eval.licences import about, needed

REQUIREMENTS = [Requirement(line) for line in metadata.requires("attackspan") or []]
PAGE = (ROOT / "docs" / "licences.md").read_text("utf-8")


def test_every_dependency_has_a_lowest_version_but_tools_without_an_interface() -> None:
    named = {one.name for one in REQUIREMENTS if not any(part.operator == ">=" for part in one.specifier)}
    assert named <= {"attackspan", "types-PyYAML"}


def test_prediction_needs_few_packages() -> None:
    direct = {one.name for one in REQUIREMENTS if not one.marker}
    assert direct == {"numpy", "onnxruntime", "tokenizers", "huggingface-hub", "click", "rich", "defusedxml"}
    assert not needed("attackspan") & {"torch", "transformers", "scipy", "pandas", "datasets"}


def test_the_page_lists_every_dependency_with_a_licence() -> None:
    for one in REQUIREMENTS:
        if one.name != "attackspan":
            assert f"| {canonicalize_name(one.name)} |" in PAGE, f"{one.name}: python -m attackspan.eval.licences"
    assert "not named" not in PAGE


def test_licences_are_those_that_packages_name() -> None:
    assert about("numpy")[0] == metadata.version("numpy")
    assert "BSD" in about("numpy")[1]
    assert about("no-such-package") == ("", "not installed here")
    assert {"numpy", "mdurl"} <= needed("attackspan")  # mdurl comes with rich's Markdown
    assert "pytest" not in needed("attackspan")
    assert "pytest" in needed("attackspan", "dev")


def test_the_lock_names_hashes_for_all_but_torch() -> None:
    lines = Path(ROOT / "lock.txt").read_text("utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}
    assert {"numpy", "onnxruntime", "transformers", "pytest"} <= pinned
    assert not {name for name in pinned if name.startswith(("nvidia", "torch", "triton"))}
    assert sum("--hash=sha256:" in line for line in lines) >= len(pinned)
