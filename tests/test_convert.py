"""`attackspan convert`: between all formats, with one warning of what was lost; the page's examples."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ROOT, SEED, file

from attackspan import formats
from attackspan.cli import cli
from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read, write

PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")


def convert(*arguments: object) -> None:
    cli.main(["convert", *map(str, arguments)], standalone_mode=False)


def bare(document: Document, ids: Sequence[str] = ()) -> Document:
    """A document without scores, its spans renamed."""
    names = dict(zip([span.id for span in document.spans], ids or [span.id for span in document.spans], strict=True))
    spans = tuple(replace(span, id=names[span.id], score=None) for span in document.spans)
    return replace(
        document, spans=spans, links=tuple(Link(x.role, names[x.head], names[x.tail]) for x in document.links)
    )


class TestConvert:
    @pytest.mark.parametrize("form", [name for name in formats.WRITABLE if name not in ("conll", "parquet", "csv")])
    def test_what_a_format_holds_of_the_seed_comes_back(
        self, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: Document
    ) -> None:
        out = tmp_path / ("out" if form in ("xml", "brat") else "out.file")
        convert(SEED, out, "--to", form)
        convert(out, tmp_path / "back.jsonl", "--from", form)
        (found,) = read([tmp_path / "back.jsonl"])
        if form == "brat":  # has no place for these
            found = replace(found, title=seed.title, source=seed.source, date=seed.date)
        assert bare(found) == bare(seed, [span.id for span in found.spans])
        warnings = capsys.readouterr().err.splitlines()
        assert all(line.startswith(f"attackspan: warning: {out} cannot hold 1 ") for line in warnings)
        assert len(warnings) == (form == "brat")

    def test_one_warning_counts_all_that_was_lost(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: Document
    ) -> None:
        path = tmp_path / "out.conll"
        scored = replace(seed, title="x", spans=tuple(replace(span, score=0.5) for span in seed.spans))
        write([scored], tmp_path / "in.jsonl")
        convert(tmp_path / "in.jsonl", path)
        attributes = sum(len(span.attributes) for span in seed.spans)
        kept = sum(line.split()[-1].startswith("B-") for line in path.read_text("utf-8").splitlines() if line)
        assert capsys.readouterr().err == (
            f"attackspan: warning: {path} cannot hold 1 titles, 1 sources, 1 dates, {len(seed.links)} links, "
            f"{attributes} attributes, {len(seed.spans)} scores, 1 ids of documents, {len(seed.spans) - kept} spans "
            "around others, 1 texts' own spacing\n"
        )

    def test_scores_are_lost_in_xml_and_it_is_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write([Document("d", "Army", (Span("a", "actor", 0, 4, "Army", 0.5),))], tmp_path / "d.jsonl")
        convert(tmp_path / "d.jsonl", tmp_path / "d.xml")
        assert capsys.readouterr().err == f"attackspan: warning: {tmp_path / 'd.xml'} cannot hold 1 scores\n"

    def test_files_and_folders_of_several_formats_go_to_one(self, tmp_path: Path) -> None:
        file(tmp_path, "in/a.txt", "a")
        file(tmp_path, "in/b.ann", "")
        file(tmp_path, "in/b.txt", "b")
        file(tmp_path, "c.bio", "c O")
        convert(tmp_path / "in", tmp_path / "c.bio", tmp_path / "out.jsonl")
        assert [document.text for document in read([tmp_path / "out.jsonl"])] == ["a", "b", "c"]

    def test_conll_files_bring_their_labels_and_other_files_take_a_schema(self, tmp_path: Path) -> None:
        path = file(tmp_path, "a.data", "Ann B-PER")
        convert(path, tmp_path / "a.ann", "--from", "conll", "--to", "brat")
        assert (tmp_path / "a.ann").read_text() == "T1\tPER 0 3\tAnn\n"
        schema = file(tmp_path, "schema.json", '{"labels": [{"name": "PER", "attributes": [], "roles": []}]}')
        convert(tmp_path / "a.ann", tmp_path / "b.conll", "--schema", schema)
        assert (tmp_path / "b.conll").read_text() == "-DOCSTART- O\n\nAnn B-PER\n\n"
        with pytest.raises(AttackspanError, match="unknown label"):
            convert(tmp_path / "a.ann", tmp_path / "c.jsonl")

    def test_an_error_leaves_what_was_there(self, tmp_path: Path) -> None:
        path = file(tmp_path, "a.jsonl", '{"text": "x"}\n{')
        out = file(tmp_path, "out.conll", "before")
        with pytest.raises(AttackspanError, match=r"a\.jsonl:2: not JSON"):
            convert(path, out)
        with pytest.raises(AttackspanError, match=r"cannot write '\.docx'; give a folder or a file ending in \.xml, "):
            convert(path, tmp_path / "a.docx")
        assert out.read_text() == "before"
        assert len(list(tmp_path.iterdir())) == 2


class TestPage:
    """docs/formats.md."""

    def test_its_commands_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "seeds").symlink_to(ROOT / "seeds")
        monkeypatch.chdir(tmp_path)
        commands = re.findall(r"^    attackspan (convert [^#\n]+)", PAGE, re.MULTILINE)
        assert len(commands) == 13
        for command in commands:
            convert(*shlex.split(command)[1:])
        (spans,) = {tuple(len(d.spans) for d in read([path])) for path in (Path("seeds/dev"), Path("folder"))}
        assert len(spans) == 40
        assert sum(spans) > 900

    @pytest.mark.parametrize(("name", "content"), re.findall(r"^```(example\S+)\n(.*?)^```", PAGE, re.M | re.S))
    def test_its_examples_are_what_is_written(self, name: str, content: str, tmp_path: Path) -> None:
        source = re.search(r"^```example\.jsonl\n(.*?)^```", PAGE, re.M | re.S)
        assert source
        documents = list(read([file(tmp_path, "source.jsonl", source[1])]))
        write(documents, tmp_path / name.replace(".statements", ""))
        assert (tmp_path / name).read_bytes().decode().replace("\r\n", "\n") == content

    def test_its_table_names_every_format(self) -> None:
        rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ") and "`" in line]
        named = {name: (row[3].strip(), row[4].strip()) for row in rows for name in re.findall(r"`(\w+)`", row[1])}
        known = {*formats.READABLE, *formats.WRITABLE}
        say = {True: "yes", False: "no"}
        assert named == {name: (say[name in formats.READABLE], say[name in formats.WRITABLE]) for name in known}
