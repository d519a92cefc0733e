"""Make the pictures of docs/pictures, from the crawl of newsroom.py: ``python docs/example/pictures.py``.

Needs the extras ``report``, ``view`` and ``browser``, and Debian's chromium.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PICTURES = HERE.parent / "pictures"
COLOURS = 160  # of a picture: its text stays sharp, and it takes a third of the space

# Name: colour scheme, width and height of the window, and the element at its top.
VIEWS = {
    "report": ("light", 1180, 940, "body"),
    "report-examples": ("light", 1180, 860, "#examples-near-duplicate-article"),
    "report-dark": ("dark", 1180, 800, "#similarity"),
    "report-narrow": ("light", 390, 800, "#groups"),
}


# The same of the pages of a view: colour scheme, width and height, address, and what is clicked there.
SERVED = {
    "view": ("light", 1180, 900, "/findings?rule=near-duplicate-article", "[data-item]:nth-child(3) [data-open]"),
    "view-dark": ("dark", 1180, 860, "/findings", None),
    "view-narrow": ("light", 390, 800, "/groups", "[data-open]"),
}


def make_page(folder: Path) -> Path:
    """Clean the made-up crawl in a folder, and return its report."""
    steps = (
        [str(HERE / "newsroom.py"), "crawl.jsonl"],
        ["-m", "dedup", "clean", "crawl.jsonl", "-o", "out", "-q"],
        ["-m", "dedup", "report", "out", "-q"],
    )
    for arguments in steps:
        subprocess.run([sys.executable, *arguments], cwd=folder, check=True)
    return folder / "out" / "report.html"


@contextmanager
def serving(out: Path) -> Iterator[str]:
    """Yield the address of a server of an output."""
    command = [sys.executable, "-m", "dedup", "view", str(out), "--port", "0", "--quiet", "--as", "ana"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def save(page: Any, name: str) -> None:
    """Write what a page shows now as a picture."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    shot.save(PICTURES / f"{name}.png", optimize=True)


def main() -> None:
    """Write the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        page_file = make_page(Path(made))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (scheme, width, height, top) in VIEWS.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(page_file.as_uri())
            page.evaluate(f"document.querySelector('{top}').scrollIntoView()")
            save(page, name)
        with serving(page_file.parent) as address:
            for name, (scheme, width, height, path, clicked) in SERVED.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.goto(address)
                page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
                page.goto(address.partition("/?")[0] + path)
                if clicked:
                    page.locator(clicked).first.click()
                    page.wait_for_load_state()
                else:
                    page.keyboard.press("j")
                    page.keyboard.press("r")
                    page.wait_for_selector(".state.reject")
                save(page, name)
        browser.close()


if __name__ == "__main__":
    main()
