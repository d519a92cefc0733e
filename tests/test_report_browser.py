"""The page of a report in a real browser: readable by everyone, light and dark, on a phone; nothing runs or loads."""

from __future__ import annotations

import pytest
from helpers import browser as helper
from helpers.command import run_dedup
from helpers.crawls import clean_crawl, crawl_rows, hostile_rows, write_all_outputs
from helpers.extras import HAS_REPORT, NO_REPORT

LACKS = helper.missing() or (None if HAS_REPORT else NO_REPORT)
pytestmark = pytest.mark.skipif(LACKS is not None, reason=str(LACKS))


@pytest.fixture(scope="module")
def browser():
    with helper.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the paths of pages: of a run, of one without findings, of hostile and of long texts, and of two runs."""
    folder = tmp_path_factory.mktemp("pages")
    outs = write_all_outputs(folder)
    paths = {}
    for name, out in outs.items():
        assert run_dedup(f"dedup report {out} -q") == (0, "", "")
        paths[name] = out / "report.html"
    for name, old in (("compared", "run"), ("hostile-compared", "hostile")):
        rows = crawl_rows() if old == "run" else hostile_rows()
        new = clean_crawl(folder / name, rows, threshold=0.97, rules={"boilerplate": "flag"})
        assert run_dedup(f"dedup report {outs[old]} {new} -q") == (0, "", "")
        paths[name] = new / "comparison.html"
    return paths


NAMES = ["run", "empty", "hostile", "long", "compared", "hostile-compared"]


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_and_the_page_does_nothing(browser, pages, name, scheme, width):
    opened = helper.OpenPage(browser, pages[name].as_uri(), scheme=scheme, width=width)
    assert opened.events == []
    assert opened.overflow() == 0
    opened.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert opened.overflow() == 0
    assert opened.violations() == []


def test_a_script_in_the_page_would_not_run(browser, pages, tmp_path):
    text = pages["run"].read_text().replace("<main", "<script>document.title = 'ran'</script><main", 1)
    (tmp_path / "forged.html").write_text(text)
    opened = helper.OpenPage(browser, (tmp_path / "forged.html").as_uri())
    assert opened.page.title() != "ran"
    assert any("Content Security Policy" in event for event in opened.events)


@pytest.mark.slow
def test_the_style_sheet_applies_and_follows_the_scheme(browser, pages):
    colours = {}
    for scheme in ("light", "dark"):
        page = helper.OpenPage(browser, pages["run"].as_uri(), scheme=scheme).page
        colours[scheme] = [
            page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{value}")
            for selector, value in (("body", "backgroundColor"), ("svg text", "fill"), (".whole .dropped", "flexGrow"))
        ]
    assert colours["light"][:2] != colours["dark"][:2]
    assert colours["light"][2] not in {"0", "1"}


@pytest.mark.slow
def test_the_keyboard_reaches_every_link_table_and_detail(browser, pages):
    page = helper.OpenPage(browser, pages["run"].as_uri()).page
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    wanted = page.evaluate("document.querySelectorAll('a, summary, [tabindex=\"0\"]').length")
    reached = 0
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached += page.evaluate("document.activeElement !== document.body")
    assert reached == wanted
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"


def test_words_that_differ_are_marked_and_removed_text_is_struck(browser, pages):
    page = helper.OpenPage(browser, pages["run"].as_uri()).page
    card = page.locator("#examples-near-duplicate-article ~ article").first
    assert any("TARN (Wire):" in text for text in card.locator("del mark, .twin mark").all_inner_texts())
    struck = card.locator("del").first
    assert "line-through" in struck.evaluate("part => getComputedStyle(part).textDecorationLine")
    assert card.locator(".twin").inner_text()


@pytest.mark.slow
def test_the_page_can_be_printed(browser, pages):
    page = helper.OpenPage(browser, pages["run"].as_uri()).page
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
