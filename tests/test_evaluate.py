"""Reports: JSON, tables and Markdown."""

from __future__ import annotations

import json

from rich.console import Console
from scoring import (
    ACTOR,
    ATTACK,
    OTHER,
    OTHER_SCHEMA,
    STATEMENT,
    TEXT,
    compare,
    document,
    span,
)

from attackspan.document import Document, Link
from attackspan.eval.evaluate import tables, to_json, to_markdown
from attackspan.eval.metrics import Scores, score


def small_scores() -> Scores:
    link = Link("by", STATEMENT.id, ACTOR.id)
    gold = document(STATEMENT, ACTOR, OTHER, ATTACK, links=[link])
    predicted = document(STATEMENT, ACTOR, span("actor", 8, 11), ATTACK, links=[link])
    return compare(gold, predicted)


def test_json_keys_and_figures() -> None:
    data = json.loads(json.dumps(to_json(small_scores())))
    assert list(data) == ["scorer", "documents", "confidence", "labels", "links", "statements", "attributes"]
    assert (data["documents"], data["confidence"]) == (1, 0.95)
    assert list(data["labels"]) == ["strict", "boundary", "overlap", "type"]
    assert list(data["links"]) == ["strict", "overlap"]
    assert list(data["labels"]["strict"]["by_name"]) == ["actor", "attack", "attribution", "condemnation"]
    assert data["labels"]["strict"]["by_name"]["actor"] == {
        "precision": 0.5,
        "precision_interval": [0.5, 0.5],
        "recall": 0.5,
        "recall_interval": [0.5, 0.5],
        "f1": 0.5,
        "f1_interval": [0.5, 0.5],
        "correct": 1,
        "predicted": 2,
        "gold": 2,
    }
    assert data["labels"]["strict"]["micro"]["f1"] == 0.75
    macro = data["labels"]["strict"]["macro"]  # of the three labels that occur
    assert macro == {"precision": 2.5 / 3, "recall": 2.5 / 3, "f1": 2.5 / 3, "f1_interval": [2.5 / 3, 2.5 / 3]}
    assert data["statements"]["by_name"]["condemnation"]["f1"] == data["statements"]["micro"]["f1"] == 1.0
    assert data["labels"]["overlap"]["micro"]["f1"] == 1.0
    assert data["links"]["strict"]["by_name"]["condemnation.by"]["f1"] == 1.0
    assert data["attributes"]["attack.kind"] == {"accuracy": 1.0, "correct": 1, "support": 1}


def test_markdown() -> None:
    labels, views, attributes, links, statements = to_markdown(small_scores()).split("\n\n")
    figures = "strict P | strict R | strict F1 [95 %] | overlap P | overlap R | overlap F1 [95 %] |"
    right = "100.0 | 100.0 | 100.0 [100.0, 100.0]"
    nothing = "0.0 | 0.0 | 0.0 [0.0, 0.0]"
    assert labels.splitlines() == [
        f"| label | support | {figures}",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        f"| actor | 2 | 50.0 | 50.0 | 50.0 [50.0, 50.0] | {right} |",
        f"| attack | 1 | {right} | {right} |",
        f"| attribution | 0 | {nothing} | {nothing} |",
        f"| condemnation | 1 | {right} | {right} |",
        f"| micro | 4 | 75.0 | 75.0 | 75.0 [75.0, 75.0] | {right} |",
        f"| macro |  | 83.3 | 83.3 | 83.3 [83.3, 83.3] | {right} |",
    ]
    assert views.splitlines()[2:] == [
        "| strict | 75.0 | 75.0 | 75.0 [75.0, 75.0] |",
        "| boundary | 75.0 | 75.0 | 75.0 [75.0, 75.0] |",
        f"| overlap | {right} |",
        f"| type | {right} |",
    ]
    assert attributes.splitlines()[2:] == ["| attack.kind | 1 | 100.0 |", "| attribution.stance | 0 | 0.0 |"]
    assert links.splitlines()[0] == f"| link | support | {figures}"
    assert links.splitlines()[-2] == f"| micro | 1 | {right} | {right} |"
    assert statements.splitlines()[-1] == f"| micro | 1 | {right} |"


def test_support_is_the_number_of_gold_spans() -> None:
    lines = to_markdown(compare(document(ACTOR), document(ACTOR, OTHER, ATTACK))).splitlines()
    assert any(line.startswith("| actor | 1 | 50.0 | 100.0 |") for line in lines)
    assert any(line.startswith("| micro | 1 | 33.3 | 100.0 |") for line in lines)


def rendered(scores: Scores, width: int) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(*tables(scores))
    return capture.get()


def test_wide_tables_show_every_figure() -> None:
    lines = [line.split() for line in rendered(small_scores(), 160).splitlines()]
    right = ["100.0", "100.0", "100.0", "[100.0,", "100.0]"]
    assert ["actor", "2", "50.0", "50.0", "50.0", "[50.0,", "50.0]", *right] in lines
    assert ["micro", "4", "75.0", "75.0", "75.0", "[75.0,", "75.0]", *right] in lines
    assert ["attack.kind", "1", "100.0"] in lines
    assert ["condemnation.by", "1", *right, *right] in lines


def test_narrow_tables_cut_nothing_off() -> None:
    text = rendered(small_scores(), 80)
    assert "…" not in text
    assert {"75.0", "[75.0,", "75.0]"} <= set(text.split())


def test_a_schema_without_attributes_and_links_has_one_table() -> None:
    plain = Document("d", TEXT, (ACTOR,), schema=OTHER_SCHEMA)
    scores = score([plain], [plain], OTHER_SCHEMA)
    assert len(tables(scores)) == 2  # labels, and the four views
    assert to_json(scores)["links"]["strict"]["by_name"] == to_json(scores)["attributes"] == {}
