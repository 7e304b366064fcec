"""spaCy: DocBins there and back, other people's DocBins, and the pipeline component."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from samples import AWKWARD, NAMES, ROOT, SCRIPTS, documents
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

import attackspan
from attackspan.document import Document, Link
from attackspan.document import Span as OurSpan
from attackspan.errors import AttackspanError
from attackspan.formats import read
from attackspan.formats.docbin import mark, read_docbin, to_document, write_docbin
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.predictor import Tagger
from attackspan.schema import default_schema

TEXT = st.lists(AWKWARD | SCRIPTS | st.characters(exclude_categories=["Cs"])).map("".join)
SENTENCE = "Moscowbased rebels shelled a depot; the army condemned the shelling."


def span(name: str, label: str, text: str, score: float | None = None, **attributes: str) -> OurSpan:
    start = SENTENCE.index(text)
    return OurSpan(name, label, start, start + len(text), text, score, attributes)


MARKED = Document(
    "d1",
    SENTENCE,
    (
        span("a1", "actor", "Moscow"),
        span("a2", "actor", "army"),
        span("t1", "attack", "shelling", 0.5, kind="shelling"),
        span("c1", "condemnation", "the army condemned the shelling", 0.25),
    ),
    (Link("attack", "c1", "t1", 0.75), Link("by", "c1", "a2")),
    title="Shells",
)


def docs_of(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(Vocab()))


def error_of(path: Path) -> str:
    with pytest.raises(AttackspanError) as caught:
        list(read_docbin(path))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


class TestDocBin:
    @settings(max_examples=40, deadline=None)
    @given(documents(TEXT, scored=True))
    @example(Document("", ""))
    @example(Document("d", "x y", (OurSpan("", "actor", 1, 2, " "),)))
    def test_a_document_round_trips(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        path = tmp_path_factory.getbasetemp() / "documents.spacy"
        write_docbin([document], path)
        assert list(read_docbin(path)) == [document]

    def test_the_seeds_round_trip(self, tmp_path: Path) -> None:
        seeds = list(read([ROOT / "seeds" / "test"]))
        lost = write_docbin(seeds, tmp_path / "seeds.spacy")
        assert list(read_docbin(tmp_path / "seeds.spacy")) == seeds
        for doc, seed in zip(docs_of(tmp_path / "seeds.spacy"), seeds, strict=True):
            for wide, exact in zip(doc.spans["attackspan"], seed.spans, strict=True):
                assert (wide.label_, wide.id_) == (exact.label, exact.id)
                assert wide.start_char <= exact.start < exact.end <= wide.end_char
        assert lost.total() < 0.05 * sum(len(seed.spans) for seed in seeds)

    def test_a_span_that_cuts_a_token_is_counted_and_widened_for_others_only(self, tmp_path: Path) -> None:
        assert write_docbin([MARKED], tmp_path / "d.spacy") == {"spans that cut spaCy's tokens": 1}
        (doc,) = docs_of(tmp_path / "d.spacy")
        assert [span.text for span in doc.spans["attackspan"]][:2] == ["Moscowbased", "the army condemned the shelling"]
        assert list(read_docbin(tmp_path / "d.spacy")) == [MARKED]
        assert write_docbin([replace(MARKED, spans=MARKED.spans[1:])], tmp_path / "d.spacy") == {}

    def test_labels_of_ones_own_come_back_with_their_schema(self, tmp_path: Path) -> None:
        document = Document("d", "Anna left.", (OurSpan("p", "PER", 0, 4, "Anna"),), schema=NAMES)
        write_docbin([document], tmp_path / "d.spacy")
        (found,) = read_docbin(tmp_path / "d.spacy")
        assert (found, found.schema) == (document, NAMES)
        with pytest.raises(AttackspanError, match=r"d\.spacy: Doc 1: .*unknown label; the schema has actor"):
            list(read_docbin(tmp_path / "d.spacy", default_schema()))

    def test_what_was_changed_in_spacy_is_read_as_changed(self) -> None:
        doc = spacy.blank("en")(SENTENCE)
        mark(doc, MARKED)
        group = doc.spans["attackspan"]
        attrs = group.attrs
        kept = [span for span in group if span.id_ in ("a1", "c1")]
        moved = Span(doc, 2, 3, label="attack", span_id="t1")
        added = Span(doc, 3, 5, label="actor")
        doc.spans["attackspan"] = [*kept, moved, added]
        doc.spans["attackspan"].attrs.update(attrs)
        found = to_document(doc, "new")
        assert [(span.id, span.label, span.text, span.score) for span in found.spans] == [
            ("a1", "actor", "Moscow", None),
            ("t1", "attack", "shelled", 0.5),
            ("s1", "actor", "a depot", None),
            ("c1", "condemnation", "the army condemned the shelling", 0.25),
        ]
        assert found.links == (Link("attack", "c1", "t1", 0.75),)  # a2 is gone, and its link with it

    @pytest.mark.parametrize(
        ("groups", "expected"),
        [
            ({"attackspan": (0, 1), "sc": (1, 2)}, "Anna"),
            ({"other": (0, 1), "sc": (1, 2)}, "left"),
            ({"other": (2, 3)}, "Oslo"),
            ({}, "Anna left"),
        ],
    )
    def test_other_peoples_docs_are_read(
        self, groups: dict[str, tuple[int, int]], expected: str, tmp_path: Path
    ) -> None:
        doc = spacy.blank("en")("Anna left Oslo.")
        for name, (start, end) in groups.items():
            doc.spans[name] = [Span(doc, start, end, label="PER", span_id="same for all")]
        doc.set_ents([Span(doc, 0, 2, label="PER")])
        DocBin(docs=[doc, doc]).to_disk(tmp_path / "theirs.spacy")
        found = list(read_docbin(tmp_path / "theirs.spacy", NAMES))
        assert [one.id for one in found] == ["theirs-1", "theirs-2"]
        assert [(span.id, span.label, span.text) for span in found[1].spans] == [("s1", "PER", expected)]

    def test_docs_that_make_no_document_are_errors_that_say_which(self, tmp_path: Path) -> None:
        nlp = spacy.blank("en")
        good, bad = nlp("Anna left."), nlp("Anna left.")
        path = tmp_path / "d.spacy"
        for groups, message in (
            (("a", "b"), "Doc 2: which span group? It has a, b; name the one to read 'attackspan'"),
            (("a",), "Doc 2: document 'd-2': attack 's1' [0:4] has kind=None, which is not one of"),
        ):
            bad.spans.clear()
            for name in groups:
                bad.spans[name] = [Span(bad, 0, 1, label="attack")]
            DocBin(docs=[good, bad]).to_disk(path)
            assert error_of(path).startswith(f"{path}: {message}")
        write_docbin([MARKED, MARKED], path)
        assert error_of(path) == f"{path}: Doc 2: the id 'd1' stands already in Doc 1"
        bad.spans["attackspan"] = []
        bad.spans["attackspan"].attrs["attackspan"] = {"spans": 3}
        DocBin(docs=[bad]).to_disk(path)
        assert "Doc 1: what is kept under 'attackspan' is not as attackspan writes it" in error_of(path)

    def test_what_is_no_docbin_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "d.spacy"
        assert error_of(path) == f"{path}: No such file or directory"
        DocBin().to_disk(path)
        assert error_of(path) == f"{path}: the file is empty"
        write_docbin([MARKED], path)
        whole = path.read_bytes()
        for content in (b"", b"text", whole[:-9], whole[:40] + b"?" + whole[41:]):
            path.write_bytes(content)
            assert error_of(path) == f"{path}: not a DocBin of spaCy 3, or a damaged one"

    def test_what_cannot_be_written_is_an_error_and_the_file_of_before_stands(self, tmp_path: Path) -> None:
        path = tmp_path / "d.spacy"
        write_docbin([MARKED], path)
        for bad in (Document("x", "a\ud83d"), Document("x", "a", title="\ud83d")):
            with pytest.raises(AttackspanError, match=r"document 'x': spaCy cannot hold the lone surrogate '\\ud83d'"):
                write_docbin([MARKED, bad], path)
        assert list(read_docbin(path)) == [MARKED]

    def test_without_spacy_the_error_names_the_extra(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_docbin([MARKED], tmp_path / "d.spacy")
        for name in [name for name in sys.modules if name == "spacy" or name.startswith("spacy.")]:
            monkeypatch.setitem(sys.modules, name, None)
        assert error_of(tmp_path / "d.spacy").endswith("an extra brings: pip install 'attackspan[spacy]'")
        with pytest.raises(AttackspanError, match=r"attackspan\[spacy\]"):
            write_docbin([MARKED], tmp_path / "d.spacy")


@pytest.fixture(scope="module")
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("attackspan")
    return nlp


class TestComponent:
    def test_a_doc_holds_what_the_model_finds(self, nlp: Language, tagger: Tagger, seed: Document) -> None:
        expected, doc = tagger.predict(seed.text), nlp(seed.text)
        assert to_document(doc, expected.id) == expected
        spans = list(doc.spans["attackspan"])
        ours = {span.id: span for span in expected.spans}
        assert [(span.label_, dict(span._.attributes), span._.score) for span in spans] == [
            (span.label, span.attributes, span.score) for span in expected.spans
        ]
        ties = [(span.id_, role, tail.id_) for span in spans for role, tail in span._.links]
        assert ties == [(link.head, link.role, link.tail) for link in expected.links]
        assert all(tail.text == ours[tail.id_].text for span in spans for _, tail in span._.links)
        assert doc._.statements == expected.statements()
        assert len(ties) > 5

    def test_many_texts_give_what_each_gives_alone(self, nlp: Language) -> None:
        texts = [seed.text for seed in read([ROOT / "seeds" / "dev"])][:6]
        texts = [*texts[:3], "", " \n", *texts[3:]]
        together = [(doc.text, to_document(doc, "d")) for doc in nlp.pipe(texts, batch_size=2)]
        assert together == [(text, to_document(nlp(text), "d")) for text in texts]

    def test_processes_of_their_own_give_the_same_after_the_model_was_used_here(self, nlp: Language) -> None:
        texts = [SENTENCE, "Police blamed the rebels for the bombing."]
        here = [to_document(nlp(text), "d") for text in texts]
        assert [to_document(doc, "d") for doc in nlp.pipe(texts, n_process=2, batch_size=1)] == here

    @pytest.mark.parametrize("language", ["de", "xx", "zh"])
    def test_other_tokenisers_widen_spans_and_keep_their_offsets(
        self, language: str, tagger: Tagger, seed: Document
    ) -> None:
        nlp = spacy.blank(language)
        nlp.add_pipe("attackspan")
        text = seed.text.replace(" militias", "-militias")
        expected, doc = tagger.predict(text), nlp(text)
        assert to_document(doc, expected.id) == expected
        for wide, exact in zip(doc.spans["attackspan"], expected.spans, strict=True):
            assert wide.start_char <= exact.start < exact.end <= wide.end_char

    def test_spans_of_the_same_words_keep_their_own_values(self, nlp: Language) -> None:
        doc = nlp.make_doc("Nobody claimed it.")
        spans = (
            OurSpan("a", "actor", 0, 6, "Nobody", 0.25),
            OurSpan("b", "attribution", 0, 6, "Nobody", 0.5, {"stance": "unclaimed"}),
        )
        mark(doc, Document("d", doc.text, spans, (Link("source", "b", "a"),)))
        first, second = doc.spans["attackspan"]
        assert (first._.attributes, first._.score, first._.links) == ({}, 0.25, [])
        assert (second._.attributes, second._.score, second._.links) == (
            {"stance": "unclaimed"},
            0.5,
            [("source", first)],
        )
        stranger = doc[1:2]
        assert (stranger._.attributes, stranger._.score, stranger._.links) == ({}, None, [])
        assert nlp.make_doc("Calm.")._.statements == ()

    def test_a_saved_pipeline_carries_its_model(self, nlp: Language, tmp_path: Path) -> None:
        shutil.copytree(DEFAULT, tmp_path / "model")
        other = spacy.blank("en")
        other.add_pipe("attackspan", config={"model": str(tmp_path / "model"), "spans_key": "attacks"})
        other.to_disk(tmp_path / "pipeline")
        shutil.rmtree(tmp_path / "model")
        loaded = spacy.load(tmp_path / "pipeline")
        here, there = nlp(SENTENCE), loaded(SENTENCE)
        assert to_document(there, "d") == to_document(here, "d")
        assert list(there.spans) == ["attacks"]
        loaded.to_disk(tmp_path / "pipeline")  # over the very files that it was loaded from
        assert len(spacy.load(tmp_path / "pipeline")(SENTENCE)._.statements) == len(here._.statements)

    def test_a_model_that_is_not_there_is_an_error(self) -> None:
        nlp = spacy.blank("en")
        nlp.add_pipe("attackspan", config={"model": "./nowhere"})
        with pytest.raises(AttackspanError, match=r"\./nowhere: no such folder"):
            nlp(SENTENCE)

    def test_displacy_shows_the_spans(self, nlp: Language) -> None:
        doc = nlp("Police blamed the <b>rebels</b> for the bombing.")
        html = displacy.render(doc, style="span", options={"spans_key": "attackspan"}, jupyter=False)
        assert "bombing" in html
        for span in doc.spans["attackspan"]:
            assert span.label_ in html


def test_the_page_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "spacy.md").read_text()
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)
    assert "assassination" in str(names["html"])
    assert names["document"] == attackspan.predict("The ministry condemned the bombing.")
