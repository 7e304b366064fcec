"""Damages an input as people, programs and attackers do: by its tokens, its tags, its JSON, its numbers, its bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

AWKWARD = [
    *(b"\0", b"\r\n", b"\r", b"\n\n", b"\t", b"\x1b[2J", b"\x7f", b"\\", b"\\u0000", b"\\ud800", b"\\udc00\\ud83d"),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"),
    *(
        text.encode()
        for text in ("\u200b", "\u200f", "\u202e", "\u2028", "\x85", "\u0301" * 9, "👩‍🚒", "كركوك", "\ufffe")
    ),
    *(b"<", b">", b"&", b'"', b"'", b"]]>", b"<![CDATA[", b"<!--", b"<?x ?>", b"&#0;", b"&#xD800;", b"&#13;", b"&amp;"),
    *(b"<!DOCTYPE d [<!ENTITY e 'eeee'>]>", b"&e;", b'<actor id="a1">', b"</actor>", b"<text>", b"</text>", b"<doc>"),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"true",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b",",
        b":",
        b"O",
        b"B-actor",
        b"I-actor",
    ),
    *(
        b"-DOCSTART- O\n",
        b"E-actor",
        b"S-attack",
        b"T1\tactor 0 3\tabc\n",
        b"R1\tby Arg1:T1 Arg2:T2\n",
        b"*\tEquiv T1 T2\n",
    ),
    *(b"[" * 3000, b'{"a":' * 3000, b"<actor>" * 300, b"x" * 5000, b" " * 3000),
]
NUMBERS = [
    b"-1",
    b"0",
    b"1",
    b"2.5",
    b"1e400",
    b"-0.0",
    b"9007199254740993",
    b"9" * 30,
    b"9" * 5000,
    b"0x10",
    "٣".encode(),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        10**30,
        "",
        "\0",
        "\ud83d",
        "\udc00",
        "x" * 200,
        [],
        {},
        [[]],
        [None],
        ["actor", 0, 3],
    ),
    *([0, 3, "actor"], {"id": "a1"}, {"start": 0, "end": 3, "label": "actor"}, "actor", "attack", "T1"),
]
_TOKEN = re.compile(rb"<[^<>]*>|\w+|\s+|[^\w\s]")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_QUOTED = re.compile(rb'"([^"\n]*)"')


def mutate(draw: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds with a few damages, most often one: what is nearly right gets furthest in."""
    content = draw.choice(seeds)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        before, tries = content, 0
        while content == before and (tries := tries + 1) < 9:  # not every damage can be done to every input
            content = draw.choice(_DAMAGES)(draw, content, seeds)
    return content


def _run(draw: Random, length: int) -> tuple[int, int]:
    """A short range of ``length`` things."""
    start = draw.randrange(length + 1)
    return start, min(length, start + draw.randint(1, 12))


def _drop(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    tokens = _TOKEN.findall(content)
    start, stop = _run(draw, len(tokens))
    return b"".join(tokens[:start] + tokens[stop:])


def _repeat(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    tokens = _TOKEN.findall(content)
    start, stop = _run(draw, len(tokens))
    return b"".join(tokens[:start] + tokens[start:stop] * draw.choice((2, 3, 40)) + tokens[stop:])


def _swap(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    tokens = _TOKEN.findall(content)
    (a, b), (c, d) = sorted(_run(draw, len(tokens)) for _ in range(2))
    b = min(b, c)
    return b"".join(tokens[:a] + tokens[c:d] + tokens[b:c] + tokens[a:b] + tokens[d:])


def _splice(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    other = _TOKEN.findall(draw.choice(seeds))
    tokens = _TOKEN.findall(content)
    at, (start, stop) = draw.randrange(len(tokens) + 1), _run(draw, len(other))
    return b"".join(tokens[:at] + other[start:stop] + tokens[at:])


def _awkward(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice(AWKWARD) + content[at + draw.choice((0, 0, 1, 3)) :]


def _number(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    return _replaced(draw, content, _NUMBER, draw.choice(NUMBERS))


def _quoted(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    if not (found := _QUOTED.findall(content)):
        return content
    return _replaced(draw, content, _QUOTED, b'"' + draw.choice(found) + b'"')


def _replaced(draw: Random, content: bytes, pattern: re.Pattern[bytes], by: bytes) -> bytes:
    """The content with one match of the pattern replaced."""
    matches = list(pattern.finditer(content))
    if not matches:
        return content
    match = draw.choice(matches)
    return content[: match.start()] + by + content[match.end() :]


def _wrap(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    """An element more, its tags on token boundaries; elements with an id of their own often make a valid document."""
    tokens = _TOKEN.findall(content)
    start, stop = _run(draw, len(tokens))
    name = draw.choice((b"actor", b"attack", b"condemnation", b"attribution", b"doc", b"place"))
    tag = b'<%s id="z%d">' % (name, draw.randrange(5))
    return b"".join([*tokens[:start], tag, *tokens[start:stop], b"</%s>" % name, *tokens[stop:]])


def _flip(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4) if content else 0):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _tree(draw: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    """JSON, whole or a line of it, with one node changed; what is no JSON stays."""
    lines = content.splitlines(keepends=True) if content.count(b"\n") > 1 else [content]
    if not lines:
        return content
    at = draw.randrange(len(lines))
    try:
        root = json.loads(lines[at])
    except (ValueError, RecursionError):
        return content
    places = list(_places(root)) if isinstance(root, dict | list) else []
    if not places:
        return content
    parent, key = draw.choice(places)
    match draw.randrange(5):
        case 0:
            del parent[key]
        case 1:
            parent[key] = draw.choice(VALUES)
        case 2:
            other, name = draw.choice(places)
            parent[key] = json.loads(json.dumps(other[name]))  # a copy: the tree must not hold itself
        case 3 if isinstance(parent, list):
            parent.insert(key, parent[key])
        case _ if isinstance(parent, dict):
            parent[draw.choice(("id", "text", "start", "label", "spans", "extra"))] = parent.pop(key)
    lines[at] = json.dumps(root, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    return b"".join(line if line.endswith(b"\n") or len(lines) == 1 else line + b"\n" for line in lines)


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every (parent, key) of a JSON value."""
    found, queue = [], [node]
    while queue:
        parent = queue.pop()
        for key, value in parent.items() if isinstance(parent, dict) else enumerate(parent):
            found.append((parent, key))
            if isinstance(value, dict | list):
                queue.append(value)
    return found


_DAMAGES: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(
        _drop,
        _repeat,
        _swap,
        _splice,
        _awkward,
        _number,
        _quoted,
        _wrap,
        _flip,
        _cut,
        _tree,
        _tree,
        _tree,
        _tree,
        _tree,
    ),
)
