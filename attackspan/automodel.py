"""transformers' AutoModel knows our models once both packages are imported, in whichever order."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_AUTO = "transformers.models.auto.modeling_auto"
"""Where AutoModel lives; transformers imports it only once someone asks for an Auto class."""


def register() -> None:
    """Tell AutoModel of our models, now or as soon as somebody asks for it: until then torch is not needed."""
    if _AUTO in sys.modules:
        _tell()
    else:
        sys.meta_path.insert(0, _Watch())


class _Watch(MetaPathFinder):
    """Has our network imported right behind AutoModel's module."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Nothing for any module but that one; for it what the other finders say, once."""
        if name != _AUTO:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec and spec.loader:
            run = spec.loader.exec_module

            def run_and_tell(module: ModuleType) -> None:
                run(module)
                _tell()

            spec.loader.exec_module = run_and_tell  # type: ignore[method-assign]
        return spec


def _tell() -> None:
    with suppress(ImportError):  # without torch there is no network, and AutoModel loads nothing
        import_module("attackspan.model.network")  # importing it registers it
