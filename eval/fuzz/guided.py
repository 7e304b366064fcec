"""Fuzz a door guided by the code that inputs reach, with atheris (``pip install atheris``, which no extra brings).

    python -m attackspan.eval.fuzz.guided xml -runs=50000        # what follows the door goes to libFuzzer

An input that breaks a promise ends the run and is kept as crash-<sha1>.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random

import atheris


def main() -> None:
    """Fuzz the door that the first argument names."""
    with atheris.instrument_imports(include=["attackspan.formats", "attackspan.document", "attackspan.textfiles"]):
        from attackspan.eval.fuzz.doors import doors
        from attackspan.eval.fuzz.mutate import mutate

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        door = doors(folder)[sys.argv.pop(1)]
        seed = door.seeds[0]
        first = next(iter(seed))
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, case in enumerate(door.seeds):
            (corpus / str(number)).write_bytes(case[next(iter(case))])

        def damage(content: bytes, most: int, draw: int) -> bytes:
            return mutate(Random(draw), [content])[:most]

        def enter(content: bytes) -> None:
            door.check({**seed, first: content}, folder)

        atheris.Setup([*sys.argv, "-timeout=10", "-max_len=65536", str(corpus)], enter, custom_mutator=damage)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
