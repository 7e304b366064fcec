"""The report's page in Chromium: whatever a document says is shown, and none of it runs or reaches out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scoring import SCHEMA

from attackspan.document import Document, Span
from attackspan.eval import page
from attackspan.eval.report import Run, gather

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip(f"no Chromium at {CHROMIUM}", allow_module_level=True)

ATTACKS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 2'>",
    "\"><svg onload='window.ran = 3'>",
    "</style><script>window.ran = 4</script>",
    "</script><script>window.ran = 5</script>",
    "' onmouseover='window.ran = 6' x='",
    "{{ 7 * 7 }}{% raw %}<!--",
    "javascript:window.ran=8",
    "<base href='http://127.0.0.1:9/'><link rel=stylesheet href='http://127.0.0.1:9/x.css'>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "\u202e<b>\u0000</b>",
]


def hostile(number: int, attack: str) -> Document:
    """A document that attacks by its id, title, source, date, text and span ids."""
    text = f"Police {attack} blamed rebels."
    spans = (
        Span(f"a{attack}", "actor", 0, 6, "Police"),
        Span(f"t{attack}", "attack", 7, 7 + len(attack), attack, None, {"kind": "bombing"}),
    )
    return Document(f"{number}{attack}", text, spans, (), attack, attack, attack)


def test_nothing_that_a_document_says_runs(tmp_path: Path) -> None:
    gold = [hostile(number, attack) for number, attack in enumerate(ATTACKS)]
    found = [replace(one, spans=one.spans[:1]) for one in gold]
    runs = [Run(ATTACKS[0], "0" * 64, found), Run(ATTACKS[2], "0" * 64, gold)]
    floors = {ATTACKS[1]: [replace(one, spans=()) for one in gold]}
    report = gather(ATTACKS[3], gold, runs, SCHEMA, second=gold[:2], floors=floors, train=gold[:2], resamples=5)
    page.write(report, tmp_path)
    complaints: list[str] = []
    requests: list[str] = []
    address = (tmp_path / "index.html").as_uri()
    with sync_api.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM))
        tab = browser.new_page()
        tab.set_default_timeout(0)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: complaints.append(dialog.message))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(address)
        for summary in tab.locator("summary").all():
            summary.dispatch_event("mouseover")
            summary.click()
        assert tab.evaluate("window.ran") is None
        shown = tab.locator("body").inner_text()
        assert tab.locator("main img, main iframe, base, link, main script").count() == 0
        assert requests == [address]
        assert not complaints
        # The policy holds by itself, whatever the escaping lets through.
        tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 9\">')")
        tab.evaluate("const s = document.createElement('script'); s.text = 'window.ran = 10'; document.body.append(s)")
        assert tab.evaluate("window.ran") is None
        browser.close()
    assert all(attack in shown for attack in ATTACKS[:6])
    assert len(complaints) >= 2
    assert all("Content Security Policy" in message for message in complaints)
