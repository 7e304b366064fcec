"""The service's page in Chromium: an article in, spans and statements out, by mouse and keyboard; none of it runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import ROOT
from serving import process

from attackspan.document import Document
from attackspan.formats import read_xml
from attackspan.model.predictor import Tagger

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip(f"no Chromium at {CHROMIUM}", allow_module_level=True)

ARTICLE = read_xml(ROOT / "seeds" / "kurdistan24-2021-11-07.xml").text
VIEWS = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with process("--body", "100000") as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: playwright.Browser, address: str) -> Iterator[playwright.Page]:
    """The page, which has to leave no complaint on the console: that is where a broken policy shows."""
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.set_default_timeout(0)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        yield page
        refused = "Failed to load resource: the server responded with a status of 413"
        assert [line for line in complaints if not line.startswith(refused)] == []


def mark(page: playwright.Page, text: str) -> None:
    page.get_by_role("textbox", name="Article").fill(text)
    page.get_by_role("button", name="Mark the article").click()
    page.locator("#result").wait_for()


def test_an_article_shows_its_spans_and_statements(page: playwright.Page, tagger: Tagger) -> None:
    expected = tagger.predict(ARTICLE)
    before = page.url
    mark(page, ARTICLE)
    assert page.locator("#article").text_content() == ARTICLE
    spans = page.locator("#article .span")
    assert spans.all_text_contents() == [span.text for span in expected.spans]
    labels = [span.get_attribute("aria-label") for span in spans.all()]
    assert labels == [span.label for span in expected.spans]
    rows = page.locator("#statements tbody tr")
    assert rows.count() == len(expected.statements()) > 1
    assert "condemnation" in rows.first.inner_text()
    assert "by\nUS" in rows.first.inner_text()
    assert page.url == before
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_an_outer_span_holds_the_spans_inside_it(page: playwright.Page) -> None:
    mark(page, ARTICLE)
    inside = page.locator("#article .span[aria-label=condemnation] .span[aria-label=actor]")
    assert inside.first.text_content() == "US"
    below = "element => parseFloat(getComputedStyle(element).paddingBottom)"
    outer = page.locator("#article .span[aria-label=condemnation]").first
    assert outer.evaluate(below) > inside.first.evaluate(below) + 3  # its line runs under theirs


def test_labels_differ_in_more_than_colour(page: playwright.Page) -> None:
    mark(page, ARTICLE)
    style = "element => getComputedStyle(element).borderBottomStyle"
    labels = page.locator("#legend .span")
    assert labels.all_text_contents() == ["actor", "attack", "attribution", "condemnation"]
    assert len({label.evaluate(style) for label in labels.all()}) == 4


def test_offsets_are_right_behind_characters_of_two_code_units(page: playwright.Page, tagger: Tagger) -> None:
    text = "👩‍🚒💥 Rebels attacked 🇮🇶 a town. 💥 Police condemned the bombing 👍."
    mark(page, text)
    expected = [span.text for span in tagger.predict(text).spans]
    assert len(expected) > 2
    assert page.locator("#article .span").all_text_contents() == expected
    assert page.locator("#article").text_content() == text


def test_markup_in_a_text_is_shown_and_not_run(page: playwright.Page) -> None:
    text = "<img src=x onerror='window.ran=1'><script>window.ran=1</script> The <b>US</b> condemned the bombing."
    mark(page, text)
    assert page.locator("#article").text_content() == text
    assert page.locator("#article img, #article script, #article b").count() == 0
    assert page.evaluate("window.ran") is None


def test_all_can_be_done_with_the_keyboard(page: playwright.Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.insert_text(ARTICLE)
    page.keyboard.press("Control+Enter")
    page.locator("#result").wait_for()
    focused = page.locator(":focus")
    assert focused.text_content() == "Marked article"
    page.keyboard.press("Tab")
    assert focused.text_content() == "Skip the text, to the statements"
    page.keyboard.press("Tab")
    assert focused.get_attribute("aria-label") == "condemnation"
    about = page.locator(f"#{focused.get_attribute('aria-describedby')}").text_content()
    assert about and "by: US" in about and "attack: assassination attempt" in about
    details = page.get_by_label("The chosen span")
    assert details.locator("h3").text_content() == "condemnation"
    assert page.locator(".tied").all_text_contents() == ["US", "assassination attempt"]
    page.keyboard.press("Tab")
    assert focused.text_content() == "US"
    assert "by of" in details.inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".chosen, .tied").count() == 0
    page.locator("#skip").focus()
    page.keyboard.press("Enter")
    assert focused.text_content() == "Statements"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert focused.get_attribute("aria-label") == "condemnation"


def test_pointing_at_a_span_shows_what_there_is_to_say_of_it(page: playwright.Page) -> None:
    mark(page, ARTICLE)
    page.locator("#article .span[aria-label=attack]").first.hover()
    details = page.get_by_label("The chosen span").inner_text()
    assert "kind\nassassination" in details
    assert "score" in details


def test_the_answer_is_copied_as_json_and_csv(page: playwright.Page, tagger: Tagger) -> None:
    text = '💥 The "National", \n army condemned the bombing. Police blamed the Islamic State for the bombing.'
    mark(page, text)
    expected = tagger.predict(text)

    def copied(button: str) -> str:
        page.get_by_role("button", name=button).click()
        page.locator("#copied:not(:empty)").wait_for()
        return str(page.evaluate("navigator.clipboard.readText()"))

    answer = json.loads(copied("Copy all as JSON"))
    answer.pop("statements")
    assert Document.from_dict(answer) == expected
    rows = list(csv.DictReader(io.StringIO(copied("Copy spans as CSV"), newline="")))
    assert [text[int(row["start"]) : int(row["end"])] for row in rows] == [row["text"] for row in rows]
    assert [row["id"] for row in rows] == [span.id for span in expected.spans]
    assert [row["kind"] for row in rows] == [span.attributes.get("kind", "") for span in expected.spans]
    rows = list(csv.DictReader(io.StringIO(copied("Copy statements as CSV"), newline="")))
    assert [row["id"] for row in rows] == [row.id for row in expected.statements()]
    assert list(rows[0]) == [
        *("id", "label", "text", "score"),
        *("stance", "perpetrator", "source", "attack", "by"),
    ]


def test_a_file_is_opened_and_one_that_is_no_text_is_refused(page: playwright.Page) -> None:
    chooser = page.locator("#file")
    chooser.set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": "Police in Köln fled.".encode("latin-1")}
    )
    page.get_by_text("a.txt is not a text file in UTF-8").wait_for()
    chooser.set_input_files({"name": "b.txt", "mimeType": "text/plain", "buffer": ARTICLE.encode()})
    page.locator("#result").wait_for()
    assert page.locator("#article").text_content() == ARTICLE
    assert page.locator("#problem").text_content() == ""


def test_what_the_service_refuses_is_said(page: playwright.Page) -> None:
    page.get_by_role("textbox", name="Article").fill("x" * 100_000)
    page.get_by_role("button", name="Mark the article").click()
    page.get_by_text("Not marked: the body has more than 100000 bytes").wait_for()
    assert page.get_by_role("button", name="Mark the article").is_enabled()
    mark(page, "Nothing of note.")
    assert page.locator("#problem").text_content() == ""


@pytest.mark.parametrize(("width", "height", "scheme"), VIEWS)
def test_it_is_accessible_and_fits(page: playwright.Page, width: int, height: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for step in ("empty", "marked"):
        if step == "marked":
            mark(page, ARTICLE)
            page.locator("#article .span").first.focus()
        broken = [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in axe.run(page).response["violations"]]
        assert broken == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_the_article_without_the_form(page: playwright.Page) -> None:
    mark(page, ARTICLE)
    page.emulate_media(media="print")
    assert not page.locator("#form").is_visible()
    assert page.locator("#article").is_visible()
    assert page.locator("#statements").is_visible()
