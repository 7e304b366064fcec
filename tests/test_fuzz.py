"""Whatever comes in at a door is read rightly or refused; docs/reliability.md says more."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import ROOT, error_of, file, xml

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.eval.fuzz.doors import Door, doors, sound
from attackspan.eval.fuzz.mutate import mutate
from attackspan.formats import read, read_jsonl
from attackspan.model.predictor import Tagger

with tempfile.TemporaryDirectory() as _folder:
    DOORS = doors(Path(_folder))
MANY = 10_000_000
DAMAGED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("name", sorted(set(DOORS) - {"predict"}))
@DAMAGED
@given(draw=st.randoms(use_true_random=False))
def test_damaged_inputs_are_read_rightly_or_refused(name: str, draw: Random, tmp_path: Path) -> None:
    DOORS[name].check(DOORS[name].case(draw), tmp_path)


@settings(DAMAGED, max_examples=20)
@given(draw=st.randoms(use_true_random=False))
def test_damaged_texts_get_exact_offsets_from_the_model(draw: Random, tmp_path: Path) -> None:
    assert DOORS["predict"].check(DOORS["predict"].case(draw), tmp_path)


@pytest.mark.parametrize("name", DOORS)
def test_the_seed_inputs_are_let_in(name: str, tmp_path: Path) -> None:
    assert all(DOORS[name].check(seed, tmp_path) for seed in DOORS[name].seeds)


def test_damages_differ_and_come_again_from_their_seed() -> None:
    seeds = [content for seed in DOORS["xml"].seeds for content in seed.values()]
    made = [mutate(Random(number), seeds) for number in range(200)]
    assert made == [mutate(Random(number), seeds) for number in range(200)]
    assert len(set(made) - set(seeds)) > 190


def test_the_fuzzer_finds_a_door_that_breaks_its_promise(tmp_path: Path) -> None:
    def careless(path: Path) -> list[Document]:
        return [Document("d", path.read_bytes().decode("utf-8"))]  # a UnicodeDecodeError for all but UTF-8

    door = Door(({"a.txt": "Gewalt in Köln".encode()},), careless)
    with pytest.raises(UnicodeDecodeError):
        for number in range(300):
            door.check(door.case(Random(number)), tmp_path)


def test_the_long_run_is_one_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "attackspan.eval.fuzz", "txt", "xml", "-n", "30", "--findings", tmp_path / "found"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert [row.split(" | ")[1] for row in done.stdout.splitlines()[2:]] == ["30", "30"]
    assert not (tmp_path / "found").exists()


ATTRIBUTES = " ".join(f"a{number}=''" for number in range(100_000))
LAUGHS = "".join('<!ENTITY l{} "{}">'.format(n, f"&l{n - 1};" * 10) for n in range(1, 20))
BOMBS = {
    "entities that grow": ("a.xml", f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]><doc id="d"><text>&l19;</text></doc>'),
    "a file by an entity": (
        "a.xml",
        '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><doc id="d"><text>&e;</text></doc>',
    ),
    "a DTD from elsewhere": ("a.xml", '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd"><doc id="d"><text>x</text></doc>'),
    "tags ten thousand deep": ("a.xml", xml('<actor id="a">' * 10_000 + "x" + "</actor>" * 10_000)),
    "a hundred thousand attributes": ("a.xml", xml(f"<actor {ATTRIBUTES}>x</actor>")),
    "a NUL": ("a.xml", xml("a\0b")),
    "a surrogate by its number": ("a.xml", xml("&#xD800;")),
    "lists a million deep": ("a.jsonl", '{"text": ' + "[" * 1_000_000),
    "objects a million deep": ("a.jsonl", '{"a":' * 1_000_000),
    "a number of a million digits": ("a.jsonl", f'{{"text": "x", "spans": [{"9" * 1_000_000}]}}'),
    "no offset": ("a.jsonl", '{"text": "x", "spans": [{"id": "", "label": "actor", "start": 0, "end": 1e999}]}'),
    "a key twice": ("a.jsonl", '{"text": "the first", "text": "the second"}'),
    "one column of ten million signs": ("a.conll", "x" * MANY),
    "half a character": ("a.txt", b"caf\xc3"),
    "a surrogate in UTF-8": ("a.txt", b"\xed\xa0\x80"),
    "a schema a million deep": ("a.json", "[" * 1_000_000),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_in_one_line(name: str, content: str | bytes, tmp_path: Path) -> None:
    message = error_of(file(tmp_path, name, content))
    assert "root:" not in message
    assert len(message) < 1_000


LONG: dict[str, Callable[[str], str]] = {
    "a.txt": lambda text: text,
    "a.xml": xml,
    "a.jsonl": lambda text: f'{{"id": "d", "text": "{text}"}}',
    "a.conll": lambda text: f"{text} O",
}


@pytest.mark.parametrize("name", LONG)
def test_a_line_of_ten_megabytes_is_read_whole(name: str, tmp_path: Path) -> None:
    text = "é" * (MANY // 2)
    (document,) = read([file(tmp_path, name, LONG[name](text))])
    assert document.text == text


def test_bombs_take_bounded_memory(tmp_path: Path) -> None:
    for number, (name, content) in enumerate(BOMBS.values()):
        file(tmp_path, f"{number}{name}", content)
    code = (
        "import resource, sys; from pathlib import Path; import attackspan; from attackspan.formats import read\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: list(read([path]))\n"
        "    except attackspan.AttackspanError: continue\n"
        "    sys.exit(f'{path} was let in')\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MANY // 10),
        " " * (MANY // 10),
        "\0" * 1000 + "Police blamed rebels for the bombing." + "\0" * 1000,
        "Police\u0301\u0301 blamed \u202erebels\u202c for\u200b the\ufeff bombing.\r\n\u2028" * 20,
        "P\u200bo\u200bl\u200bi\u200bc\u200be blamed rebels for the bombing.",
        "شرطة بغداد اتهمت \u200fالمتمردين\u200e بالتفجير. " * 20,
        "\udcff\ud800Police blamed rebels.\udfff",
    ],
    ids=["a word of a megabyte", "a megabyte of space", "NULs", "marks", "zero width", "right to left", "surrogates"],
)
def test_hostile_texts_get_exact_offsets(text: str, tagger: Tagger) -> None:
    document = tagger.predict(text)
    assert document.text == text
    sound(document)


def test_a_key_that_stands_twice_is_said_by_name(tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", '{"text": "x"}\n{"text": "x", "id": "a", "id": "b"}\n')
    stream = read_jsonl(path)
    assert next(stream).text == "x"
    with pytest.raises(AttackspanError, match=r"a\.jsonl:2: not JSON: the key 'id' stands twice in an object"):
        next(stream)
