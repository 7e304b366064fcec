"""Label Studio: what its server really exports, exact round trips, whose annotation counts, and every error."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from samples import ANY_TEXT, NAMES, ROOT, SEED, documents, error_of, file
from test_cli import assert_one_line_error, run

from attackspan.document import Document, Link, Span
from attackspan.formats import read, read_xml
from attackspan.formats.labelstudio import labeling_config, read_labelstudio, write_labelstudio
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.predictor import Tagger
from attackspan.schema import default_schema
from attackspan.training.suggest import sureness

EXPORT = Path(__file__).parent / "data" / "labelstudio-export.json"
"""Written by Label Studio itself: see eval/bench/label_studio.py."""


class TestExport:
    def test_what_label_studio_exported_is_read(self, tagger: Tagger) -> None:
        """The first task's proposals were submitted less their first span, the second task was skipped."""
        (document,) = read([EXPORT])
        (seed,) = read([ROOT / "seeds" / "dev" / "as-122.xml"])
        assert (document.id, document.text, document.title, document.source, document.date) == (
            seed.id, seed.text, seed.title, seed.source, seed.date
        )  # fmt: skip
        assert [task["data"]["id"] for task in json.loads(EXPORT.read_text("utf-8"))] == ["as-122", "as-103"]
        assert {span.label for span in document.spans} == {"actor", "attack", "attribution"}
        (annotation,) = json.loads(EXPORT.read_text("utf-8"))[0]["annotations"]
        proposed = {one["id"] for one in annotation["prediction"]["result"] if one["type"] == "labels"}
        assert proposed - {span.id for span in document.spans} == {"actor1"}
        assert all(span.score is None for span in document.spans)
        assert {"kind", "stance"} == {name for span in document.spans for name in span.attributes}

    def test_the_commands_of_the_page_run(self, tmp_path: Path) -> None:
        file(tmp_path, "news/raid.txt", "Rebels attacked a town. The government condemned the attack.")
        (tmp_path / "model").symlink_to(ROOT / "model", target_is_directory=True)
        (tmp_path / "export.json").write_bytes(EXPORT.read_bytes())
        page = (ROOT / "docs" / "active-learning.md").read_text("utf-8")
        commands = [line.split() for line in page.splitlines() if line.startswith("attackspan ")]
        assert [command[1] for command in commands] == ["suggest", "build"]
        suggested, built = (run(*arguments, cwd=tmp_path) for _, *arguments in commands)
        assert suggested.returncode == built.returncode == 0, suggested.stderr + built.stderr
        assert b"train 1 documents" in built.stdout
        assert {"tasks.json", "tasks.config.xml", "data"} <= {path.name for path in tmp_path.iterdir()}


class TestRoundTrip:
    @given(documents(ANY_TEXT, scored=True))
    @example(Document("d", "a\r\n b", (Span("x", "actor", 0, 5, "a\r\n b"),)))
    @example(Document("d", "👩🏻‍🚒 \u202bהרצל\u202c e\u0301", (Span("x", "actor", 5, 11, "\u202bהרצל\u202c", 0.5),)))
    def test_a_document_round_trips(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        path = tmp_path_factory.getbasetemp() / "tasks.json"
        assert write_labelstudio([document], path) == Counter()
        assert list(read_labelstudio(path)) == [document]

    def test_persons_make_annotations_models_predictions_and_nobody_neither(self, tmp_path: Path) -> None:
        path = tmp_path / "tasks.json"
        span = Span("a", "actor", 0, 4, "Army")
        gold = Document("gold", "Army", (span,))
        scored = Document("scored", "Army", (Span("a", "actor", 0, 4, "Army", 0.75),))
        write_labelstudio([gold, scored, Document("bare", "Army")], path)
        tasks = json.loads(path.read_text("utf-8"))
        assert [set(task) for task in tasks] == [{"data", "annotations"}, {"data", "predictions"}, {"data"}]
        (prediction,) = tasks[1]["predictions"]
        assert (prediction["score"], prediction["model_version"]) == (0.75, "attackspan")
        assert prediction["result"] == [
            {"id": "a", "from_name": "label", "to_name": "text", "type": "labels", "score": 0.75,
             "value": {"start": 0, "end": 4, "text": "Army", "labels": ["actor"]}}
        ]  # fmt: skip
        write_labelstudio([gold], path, model="rules")
        (task,) = json.loads(path.read_text("utf-8"))
        assert [one["model_version"] for one in task["predictions"]] == ["rules"]

    def test_no_document_is_an_empty_list(self, tmp_path: Path) -> None:
        write_labelstudio([], tmp_path / "tasks.json")
        assert json.loads((tmp_path / "tasks.json").read_text()) == []

    def test_what_json_cannot_hold_is_an_error_that_leaves_the_old_file(self, tmp_path: Path) -> None:
        path = file(tmp_path, "tasks.json", "old")
        with pytest.raises(ValueError, match=rf"^{path}: document 'd': JSON cannot hold the split surrogate pair"):
            write_labelstudio([Document("c", "x"), Document("d", "\ud83d\ude00")], path)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


def task(*annotations: Any, text: str = "Police condemned  the\r\nraid.", **more: Any) -> dict[str, Any]:
    return {"data": {"text": text}, "annotations": list(annotations), **more}


def marked(*results: Any, **more: Any) -> dict[str, Any]:
    return {"result": list(results), "completed_by": 1, "updated_at": "2026-01-01T00:00:00Z", **more}


def region(start: Any, end: int, label: str = "actor", name: str = "r", **value: Any) -> dict[str, Any]:
    return {"id": name, "from_name": "label", "to_name": "text", "type": "labels",
            "value": {"start": start, "end": end, "labels": [label], **value}}  # fmt: skip


def choice(value: Any, name: str = "r", kind: str = "choices", tag: str = "attack-kind") -> dict[str, Any]:
    return {"id": name, "from_name": tag, "to_name": "text", "type": kind, "value": {kind: value}}


def relation(head: str, tail: str, *labels: str, **more: Any) -> dict[str, Any]:
    return {"type": "relation", "from_id": head, "to_id": tail, "labels": list(labels), **more}


def saved(folder: Path, *tasks: Any) -> Path:
    return file(folder, "export.json", json.dumps(list(tasks)))


def one(folder: Path, given: Any) -> Document:
    (document,) = read_labelstudio(saved(folder, given))
    return document


class TestReading:
    def test_the_text_of_a_region_may_differ_in_white_space(self, tmp_path: Path) -> None:
        """The editor leaves out what the page does not show, and writes line breaks as two characters."""
        for text in ("condemned  the\\n\\nraid", "condemned the\\nraid", "condemned  the\r\nraid"):
            assert one(tmp_path, task(marked(region(7, 27, "condemnation", text=text)))).spans[0].text == (
                "condemned  the\r\nraid"
            )

    def test_the_newest_annotation_counts(self, tmp_path: Path) -> None:
        old, new = marked(region(0, 6)), marked(region(7, 27), updated_at="2026-01-02T00:00:00Z")
        for both in ((old, new), (new, old)):
            assert one(tmp_path, task(*both)).spans[0].start == 7

    def test_what_was_cancelled_does_not_count_and_a_skipped_task_is_passed_over(self, tmp_path: Path) -> None:
        skipped = marked(updated_at="2026-01-02T00:00:00Z", was_cancelled=True)
        assert one(tmp_path, task(marked(region(0, 6)), skipped)).spans[0].start == 0
        prediction = {"result": [region(0, 6)]}
        path = saved(tmp_path, task(skipped, predictions=[prediction]), task(marked()))
        assert [document.id for document in read_labelstudio(path)] == ["export-2"]
        path = saved(tmp_path, task(skipped))
        assert error_of(path) == f"{path}: no task in it that was not skipped"

    def test_of_several_persons_the_starred_one_counts(self, tmp_path: Path) -> None:
        first, second = marked(region(0, 6)), marked(region(7, 27), completed_by={"id": 2, "email": "b@c.org"})
        path = saved(tmp_path, task(first, second))
        assert error_of(path) == (
            f"{path}: task 1: annotated by 2 persons, 1, b@c.org; star one annotation as ground truth"
        )
        assert one(tmp_path, task(first | {"ground_truth": True}, second)).spans[0].start == 0

    def test_without_an_annotation_the_newest_prediction_counts_with_its_scores(self, tmp_path: Path) -> None:
        old = marked(region(0, 6))
        new = marked(region(7, 27) | {"score": 0.25}, updated_at="2026-01-02T00:00:00Z")
        (span,) = one(tmp_path, task(predictions=[new, old])).spans
        assert (span.start, span.score) == (7, 0.25)
        assert one(tmp_path, task(marked(region(7, 27) | {"score": 0.25}))).spans[0].score is None

    def test_attributes_and_links_in_all_their_forms(self, tmp_path: Path) -> None:
        results = [
            relation("c", "p", "by"),
            relation("t", "c", "attack", direction="left"),
            region(0, 27, "condemnation", "c"),
            region(0, 6, "actor", "p"),
            choice([["violence", "killing"]], "t", "taxonomy", "kind"),
            region(23, 27, "attack", "t"),
        ]
        document = one(tmp_path, task(marked(*results)))
        assert document.links == (Link("attack", "c", "t"), Link("by", "c", "p"))
        assert document.spans[2].attributes == {"kind": "killing"}

    def test_a_document_is_taken_from_the_data(self, tmp_path: Path) -> None:
        data = {"text": "x", "id": 7, "title": "t", "source": "s", "date": "d", "other": [1]}
        assert one(tmp_path, {"data": data}) == Document("7", "x", title="t", source="s", date="d")

    def test_another_schema(self, tmp_path: Path) -> None:
        path = saved(tmp_path, task(marked(region(0, 3, "PER")), text="Ann left."))
        (document,) = read([path], NAMES)
        assert document.spans == (Span("r", "PER", 0, 3, "Ann"),)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (7, "expected an object with 'data', not 7"),
            ({"text": "x"}, "no 'data' in {'text': 'x'}"),
            ({"data": {"article": "x"}}, "no 'text' in {'article': 'x'}"),
            (task(7), "expected an object with 'was_cancelled', not 7"),
            (task({"completed_by": 1}), "no 'result' in {'completed_by': 1}"),
            (task(predictions=[12]), "its prediction is only a number: export with predictions"),
            (task(marked({"id": "r"})), "no 'type' in {'id': 'r'}"),
            (task(marked({"type": "textarea"})), "a document has no place for a result of the type 'textarea'"),
            (task(marked(region(0, 6, "place"))), "document 'export-2': place 'r' [0:6] has an unknown label"),
            (task(marked(region(0, 99))), "document 'export-2': actor 'r' [0:99] lies outside the text of 28"),
            (task(marked(region(-2, 2))), "document 'export-2': actor 'r' [-2:2] lies outside the text"),
            (task(marked(region(0, 6, text="Rebels"))),
             "region 'r' [0:6] says 'Rebels', but the text there is 'Police'; an old Label"),
            (task(marked(region(0, 6), region(7, 9))), "two regions have the id 'r'"),
            (task(marked(region(0, 6, labels=["actor", "attack"]))), "region 'r' has the labels actor, attack"),
            (task(marked(region(0, 6, labels=[]))), "no 'labels' in {"),
            (task(marked(region("/p[1]", 6))), "'start' cannot be '/p[1]'"),
            (task(marked(region(0, 6, "attack"))), "document 'export-2': attack 'r' [0:6] has kind=None"),
            (task(marked(region(0, 6, "attack"), choice(["war"]))), "document 'export-2': attack 'r' [0:6] has kind"),
            (task(marked(region(0, 6, "attack"), choice(["killing", "melee"]))), "region 'r' has the choices ['ki"),
            (task(marked(choice(["killing"]))), "choice {'kind': 'killing'} belongs to 'r', which is no region"),
            (task(marked(relation("a", "b"))), "no 'labels' in {'type': 'relation'"),
            (task(marked(relation("a", "b", "by", direction="bi"))), "the relation from 'a' to 'b' has to lead one"),
            (task(marked(relation("a", "b", "by"))), "document 'export-2': link 'by' from 'a' to 'b' ties 'a'"),
            (task(predictions=[marked(region(0, 6) | {"score": "high"})]), "'score' cannot be 'high'"),
            (task(predictions=[marked(region(0, 6) | {"score": 3})]), "document 'export-2': actor 'r' [0:6] has the"),
            ({"data": {"text": "x", "id": "first"}}, "the id 'first' has task 1 already"),
        ],
    )  # fmt: skip
    def test_an_error_names_its_task(self, given: Any, message: str, tmp_path: Path) -> None:
        path = saved(tmp_path, {"data": {"text": "x", "id": "first"}}, given)
        assert error_of(path).startswith(f"{path}: task 2: {message}")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", ": the file is empty"),
            ("[\n{]", ":2: not JSON: Expecting property name enclosed in double quotes at column 2"),
            ('[{"score": NaN}]', ":1: not JSON: NaN is not a JSON number"),
            ('[{"data": {}, "data": {}}]', ":1: not JSON: the key 'data' stands twice in an object"),
            ('{"id": 1}', ": not a list of tasks but {'id': 1}; export from Label Studio as JSON"),
            ("[]", ": no task in it that was not skipped"),
        ],
    )
    def test_a_file_that_is_no_export_is_an_error(self, content: str, message: str, tmp_path: Path) -> None:
        path = file(tmp_path, "export.json", content)
        assert error_of(path) == f"{path}{message}"


class TestConfig:
    def test_it_has_every_label_value_and_role(self) -> None:
        config = ElementTree.fromstring(labeling_config(default_schema()))
        assert [label.get("value") for label in config.iter("Label")] == list(default_schema().names)
        assert [role.get("value") for role in config.iter("Relation")] == ["perpetrator", "source", "attack", "by"]
        choices = {
            (tag.get("whenLabelValue"), tag.get("name")): [value.get("value") for value in tag.iter("Choice")]
            for tag in config.iter("Choices")
        }
        assert choices == {
            (label.name, f"{label.name}-{attribute.name}"): list(attribute.names)
            for label, attribute in default_schema().attributes
        }

    def test_a_schema_of_labels_only(self) -> None:
        config = ElementTree.fromstring(labeling_config(NAMES))
        assert not [*config.iter("Relations"), *config.iter("Choices")]


class TestSuggest:
    def test_tasks_with_predictions_most_unsure_first_and_their_interface(self, tmp_path: Path) -> None:
        (tmp_path / "calm.txt").write_text("The weather was fine.")
        output = tmp_path / "tasks.json"
        done = run("suggest", "--model", DEFAULT, "--to", "labelstudio", tmp_path / "calm.txt", SEED, "-o", output)
        assert done.returncode == 0, done.stderr
        tasks = json.loads(output.read_text("utf-8"))
        assert [one["data"]["id"] for one in tasks] == [read_xml(SEED).id, "calm"]
        assert all(one["predictions"][0]["model_version"] == str(DEFAULT) for one in tasks)
        (proposal, calm) = read_labelstudio(output)
        assert tasks[0]["predictions"][0]["score"] == pytest.approx(sureness(proposal))
        assert proposal.links
        assert not calm.spans
        assert (tmp_path / "tasks.config.xml").read_text() == labeling_config(default_schema())

    def test_the_rules_propose_too_and_the_ending_says_the_format(self, tmp_path: Path) -> None:
        assert run("suggest", SEED, "-o", tmp_path / "tasks.json").returncode == 0
        (one,) = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
        assert [prediction["model_version"] for prediction in one["predictions"]] == ["rules"]

    def test_an_unknown_target_is_an_error(self, tmp_path: Path) -> None:
        assert_one_line_error(run("suggest", SEED, "--to", "paper", "-o", tmp_path / "x"), "--to")
