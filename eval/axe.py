"""Checks a page for accessibility with axe-core in Chromium, at desktop and phone width, in light and in dark.

    python -m attackspan.eval.axe report/index.html [--screenshots FOLDER] [--chromium /usr/bin/chromium]

Exit status 1 where there is a violation. Needs a Chromium and ``pip install playwright axe-playwright-python``, which
no extra brings: the check is for whoever changes the page, and no part of the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import click
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from attackspan.commandline import run_command

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--screenshots", type=click.Path(file_okay=False, path_type=Path), help="A folder to save pictures to.")
@click.option("--chromium", default="/usr/bin/chromium", show_default=True)
def main(page: Path, screenshots: Path | None, chromium: str) -> None:
    """Print the violations of PAGE, and what the browser complains of."""
    found = list(violations(page, screenshots, chromium))
    for line in found:
        click.echo(line)
    click.echo(f"{page}: {len(found)} violations in {len(WIDTHS) * len(SCHEMES)} views")
    sys.exit(bool(found))


def violations(page: Path, screenshots: Path | None, chromium: str) -> Iterator[str]:
    """One line for each rule that is broken in a view, and for each message on the browser's console."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        for width, scheme in product(WIDTHS, SCHEMES):
            yield from _view(browser, page, width, scheme, screenshots)
        browser.close()


def _view(browser: Browser, page: Path, width: str, scheme: str, screenshots: Path | None) -> Iterator[str]:
    across, down = WIDTHS[width]
    tab = browser.new_page(
        viewport={"width": across, "height": down}, color_scheme="dark" if scheme == "dark" else "light"
    )
    messages: list[str] = []
    tab.on("console", lambda message: messages.append(message.text))
    tab.on("pageerror", lambda error: messages.append(str(error)))
    tab.goto(page.resolve().as_uri())
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=screenshots / f"{width}-{scheme}.png", full_page=True)
    yield from (f"{width}, {scheme}: console: {message}" for message in messages)
    for rule in Axe().run(tab).response["violations"]:
        nodes = "; ".join(node["html"][:120] for node in rule["nodes"][:3])
        yield f"{width}, {scheme}: {rule['id']} ({rule['impact']}): {rule['help']}, {len(rule['nodes'])} times: {nodes}"
    tab.close()


if __name__ == "__main__":
    run_command(main)
