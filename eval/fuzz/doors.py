"""The doors through which input comes in, and what each of them holds on any input."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random

from attackspan import predict, records
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.eval.fuzz.mutate import mutate
from attackspan.formats import read, read_xml, to_jsonl, write
from attackspan.model.checkpoint import DEFAULT, MANIFEST, verify
from attackspan.schema import Label, Schema, default_schema

Case = Mapping[str, bytes]
"""One input: its files by name, the one to read first."""

CONFIG = Path(__file__).parents[2] / "configs" / "default.yaml"
PLAIN = Schema(tuple(Label(name) for name in default_schema().names))
"""The default labels without attributes, for formats that hold none."""

# Short, for short inputs are soon read, yet with all that a document may have: nested spans, attributes, links, signs.
_XML = """<doc id="d{n}" source="example.org" date="2024-01-0{n}"><title>Köln &amp; “elsewhere”</title><text>\
<attribution id="r1" stance="suspected" perpetrator="a2" source="a1" attack="t1"><actor id="a1">Police</actor> in Köln \
blamed <actor id="a2">the rebels</actor> for <attack id="t1" kind="bombing">the bombing</attack></attribution>.&#13;
<condemnation id="c1" by="a3" attack="t1"><actor id="a3">The US {n}</actor> condemned it</condemnation>: 👮🏽\u200d♀️ \
in <attack id="t2" kind="shelling">كركوك e\u0301</attack>.</text></doc>
"""
_COLUMNS = """-DOCSTART- -X- O O

Police NNP I-NP B-actor
chiefs NN I-NP I-actor
blamed VBD O O
كركوك NN O B-attack

-DOCSTART- O

The DT O O
US NN O B-actor
👮🏽\u200d♀️ . O O
"""


@dataclass(frozen=True, slots=True)
class Door:
    """What takes input, with inputs that are in order.

    Attributes:
        seeds: inputs to damage.
        enter: what takes the first file of an input, which lies beside its others; it gives the documents in it.
    """

    seeds: tuple[Case, ...]
    enter: Callable[[Path], Iterable[Document]]

    def case(self, draw: Random) -> Case:
        """One of the seeds with one of its files damaged."""
        seed = draw.choice(self.seeds)
        name = draw.choice(list(seed))
        return {**seed, name: mutate(draw, [other[name] for other in self.seeds if name in other])}

    def check(self, case: Case, folder: Path) -> bool:
        """Let an input in.

        Args:
            case: the input.
            folder: where to put its files.

        Returns:
            Whether it was let in; False where it was refused.

        Raises:
            AssertionError: an offset is wrong, a document does not survive JSON, or an error is not one line.
            Exception: whatever the door let through that is no ``AttackspanError``.
        """
        for name, content in case.items():
            (folder / name).write_bytes(content)
        try:
            for document in self.enter(folder / next(iter(case))):
                sound(document)
        except AttackspanError as error:
            assert len(str(error).splitlines()) == 1, f"an error of {len(str(error).splitlines())} lines"
            return False
        return True


def sound(document: Document) -> None:
    """Check what every document promises, on one that is there.

    Raises:
        AssertionError: an offset is not exact, or the document is another behind JSON.
    """
    for span in document.spans:
        assert document.text[span.start : span.end] == span.text, f"{span.id}: not the text at its offsets"
    assert replace(document) == document, "not the same when built again"
    try:
        line = to_jsonl(document)
    except AttackspanError:
        return  # a split surrogate pair, which JSON cannot hold
    assert Document.from_dict(json.loads(line), document.schema) == document, "not the same behind JSON"


def doors(folder: Path) -> dict[str, Door]:
    """Every door by its name.

    Args:
        folder: where seed inputs may be written.
    """
    documents = []
    for number in (1, 2):
        (folder / "seed.xml").write_text(_XML.format(n=number), "utf-8")
        documents.append(read_xml(folder / "seed.xml"))
    text = documents[0].text.encode()
    written = partial(_written, folder, documents)
    lines = documents[0].text.replace("\r\n", " ")
    table = f'id,text,title\nr1,"{lines}",x\nr2,Rebels fled.,\n'.encode()
    found = {
        "txt": _reader("txt", {"a.txt": text}),
        "xml": _reader("xml", *written("a.xml")),
        "jsonl": _reader("jsonl", *written("a.jsonl")),
        "conll": _reader("conll", {"a.conll": _COLUMNS.encode()}, schema=PLAIN),
        "brat": _reader("brat", *written("a.ann")),
        "labelstudio": _reader("labelstudio", *written("a.json")),
        "doccano": _reader("doccano", *written("a.jsonl", "doccano")),
        "prodigy": _reader("prodigy", *written("a.jsonl", "prodigy")),
        "csv": Door(({"a.csv": table},), _records),
        "gz": Door(({"a.csv.gz": gzip.compress(table)},), _records),
        "schema": Door(tuple({"a.json": json.dumps(s.to_dict()).encode()} for s in (default_schema(), PLAIN)), _schema),
        "manifest": Door(({name: (DEFAULT / name).read_bytes() for name in (MANIFEST, "config.json")},), _manifest),
        "config": Door(({"a.yaml": CONFIG.read_bytes()},), _config),
        "predict": Door(({"a.txt": text}, {"a.txt": b"Rebels shelled a town; the army blamed them. " * 5}), _predict),
    }
    if find_spec("spacy"):  # an extra brings it
        unpacked = [{name: zlib.decompress(content)} for case in written("a.spacy") for name, content in case.items()]
        found["spacy"] = Door(tuple(unpacked), _packed)
    if find_spec("pyarrow"):
        found["parquet"] = Door(({"a.parquet": _parquet(text.decode())},), _records)
    return found


def _reader(form: str, *seeds: Case, schema: Schema | None = None) -> Door:
    return Door(seeds, lambda path: read([path], schema, form))


def _written(folder: Path, documents: list[Document], name: str, form: str | None = None) -> list[Case]:
    """Documents in a format, an input each; the file of this name is the one to read."""
    cases: list[Case] = []
    for document in documents:
        place = folder / f"{document.id}-{form or name}"
        place.mkdir()
        write([document], place / name, form)
        files = sorted(place.iterdir(), key=lambda path: path.name != name)
        cases.append({path.name: path.read_bytes() for path in files})
    return cases


def _packed(path: Path) -> Iterable[Document]:
    """spaCy's DocBin, damaged before it is packed: behind a wrong checksum no damage would get far."""
    path.write_bytes(zlib.compress(path.read_bytes()))
    return read([path])


def _records(path: Path) -> Iterable[Document]:
    return records.documents(records.read([path], records.Columns()))


def _parquet(text: str) -> bytes:
    import pyarrow
    from pyarrow import parquet

    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({"id": ["r1", "r2"], "text": [text, "Rebels fled."]}), sink)
    return bytes(sink.getvalue())


def _schema(path: Path) -> Iterable[Document]:
    schema = Schema.load(path)
    assert Schema.from_dict(schema.to_dict()) == schema, "another schema when built again"
    return ()


def _manifest(path: Path) -> Iterable[Document]:
    verify(path.parent, ["config.json"])
    return ()


def _config(path: Path) -> Iterable[Document]:
    from attackspan.training.config import load_config

    load_config(path)
    return ()


def _predict(path: Path) -> Iterable[Document]:
    """What the shipped model says; bytes that are no UTF-8 become lone surrogates, which a caller's string may hold."""
    return [predict(path.read_bytes().decode("utf-8", "surrogateescape"))]
