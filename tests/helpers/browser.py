"""Look at pages in Debian's chromium; tests that need it are skipped with a reason where something is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str | None:
    """Return what a browser test lacks here, None if it can run."""
    if CHROMIUM is None:
        return "chromium is not installed: apt-get install chromium"
    if not find_spec("playwright") or not find_spec("axe_playwright_python"):
        return "playwright or axe is not installed: pip install '.[browser]'"
    return None


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # for whom chromium's sandbox does not work
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if is_root else [])
        try:
            yield browser
        finally:
            browser.close()


class OpenPage:
    """A page in a browser, with what it did: messages on the console, dialogs, and requests for anything else."""

    def __init__(self, browser: Any, address: str, *, scheme: str = "light", width: int = 1200) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.events: list[str] = []
        self.page.on("console", lambda message: self.events.append(f"console: {message.text}"))
        self.page.on("dialog", lambda dialog: (self.events.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.events.append(f"error: {error}"))
        self.page.on("request", lambda request: self.events.append(f"request: {request.url}"))
        self.page.goto(address)
        self.events.remove(f"request: {address}")

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page, one line for each element."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - an extra

        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
