"""The pages of a view in a real browser: for everyone, by keyboard, and safe with hostile texts."""

from __future__ import annotations

import json

import pytest
from helpers import browser as helper
from helpers.crawls import clean_crawl, crawl_rows, write_all_outputs
from helpers.news import sentences
from helpers.served import HAS_VIEW, NO_VIEW, served, wait_for

import dedup
from dedup.review.decision_file import read_decisions

LACKS = helper.missing() or (None if HAS_VIEW else NO_VIEW)
pytestmark = pytest.mark.skipif(LACKS is not None, reason=str(LACKS))

PAGES = {
    "run": ["/", "/findings?rule=boilerplate&host=courier.example", "/articles?q=nothinghasthis", "/article/1",
            "/groups", "/group/3", "/site-text", "/quarantine", "/history", "/article/99999"],
    "empty": ["/", "/findings", "/article/0"],
    "hostile": ["/findings", "/article/2"],
}  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with helper.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def outs(tmp_path_factory):
    """Outputs of a run, of one without findings, of hostile and of long texts."""
    folder = tmp_path_factory.mktemp("view")
    return write_all_outputs(folder)


@pytest.fixture(scope="module")
def servers(outs):
    with (
        served(outs["run"]) as run, served(outs["empty"]) as empty, served(outs["hostile"]) as hostile,
        served(outs["long"]) as long,
    ):  # fmt: skip
        yield {"run": run, "empty": empty, "hostile": hostile, "long": long}


class Opened:
    """A page of a server, with what it did."""

    def __init__(self, browser, server, path="/", *, scheme="light", width=1200, context=None):
        self.server = server
        self.context = context or browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        if context is None:
            self.context.add_cookies(
                [{"name": f"dedup-view-{server.port}", "value": server.token, "url": server.address}]
            )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.events = []
        self.page.on("console", lambda message: self.events.append(f"console: {message.text}"))
        self.page.on("dialog", lambda dialog: (self.events.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.events.append(f"error: {error}"))
        self.page.on(
            "request",
            lambda request: None if request.url.startswith(server.address + "/") else self.events.append(request.url),
        )
        self.open(path)

    def _note_request(self, request):
        if not request.url.startswith(self.server.address + "/"):
            self.events.append(f"request: {request.url}")

    def open(self, path):
        self.page.goto(self.server.address + path)
        self.wait_until_ready()

    def wait_until_ready(self):
        """Wait until the page handles keys."""
        self.page.wait_for_selector("html[data-ready=yes]")

    def violations(self):
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - an extra

        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]

    def overflow(self):
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    def says(self, text):
        status = self.page.locator("#status")
        wait_for(lambda: text in (status.text_content() or ""))


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
@pytest.mark.parametrize("name", ["run", "empty", "hostile"])
def test_axe_finds_nothing_on_any_page(browser, servers, name, scheme, width):
    opened = Opened(browser, servers[name], scheme=scheme, width=width)
    for path in PAGES[name]:
        opened.open(path)
        opened.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert (path, opened.overflow()) == (path, 0)
        assert (path, opened.violations()) == (path, [])
    assert [event for event in opened.events if "404" not in event] == []
    opened.context.close()


@pytest.mark.slow
def test_hostile_texts_are_shown_and_do_nothing(browser, servers):
    opened = Opened(browser, servers["hostile"], "/articles")
    count = opened.page.locator("[data-item]").count()
    assert count > 9
    for number in range(count):
        opened.open(f"/article/{number}")
        assert opened.page.locator("main script, main img, main svg, main iframe").count() == 0
    assert opened.events == []
    opened.open("/articles")
    text = opened.page.locator("main").inner_text()
    assert "<script>alert(1)</script>" in text
    assert "‹U+202E›" in text
    assert "␛[31mred" in text
    assert not set("\u202e\x1b\x07\x00") & set(text)
    opened.context.close()


def test_the_policy_stops_scripts_that_were_put_into_the_page(browser, servers):
    opened = Opened(browser, servers["run"])
    opened.page.evaluate(
        "const made = document.createElement('script'); made.textContent = 'document.title = 1'; "
        "document.body.append(made)"
    )
    opened.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')")
    opened.page.wait_for_timeout(200)
    assert "dedup" in opened.page.title()
    assert any("Content Security Policy" in event for event in opened.events)
    opened.context.close()


def test_an_article_of_10_mb_is_shown_in_slices(browser, servers):
    opened = Opened(browser, servers["long"], "/article/1")
    panes = opened.page.locator("[data-pane]")
    assert panes.count() == 2
    shown = panes.first.inner_text()
    assert 30_000 < len(shown) < 60_000
    opened.page.get_by_role("link", name="After").first.click()
    opened.page.wait_for_load_state()
    assert panes.first.inner_text() != shown
    assert "characters 40,001–80,000 of 10," in opened.page.locator("main").inner_text()
    assert opened.page.evaluate("document.documentElement.outerHTML.length") < 500_000
    opened.context.close()


def test_every_finding_is_marked_and_the_twin_scrolls_along(browser, servers, outs):
    opened = Opened(browser, servers["run"], "/articles?q=TARN&state=dropped")
    rows = [json.loads(line) for line in (outs["run"] / "provenance.jsonl").read_text().splitlines()]
    assert rows
    opened.open("/findings?rule=near-duplicate-article")
    opened.page.keyboard.press("j")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("[data-pane] del")
    words = opened.page.locator("[data-pane]").nth(1).locator(".differs").all_inner_texts()
    assert any("TARN" in text for text in words)
    left, right = opened.page.locator("[data-pane]").first, opened.page.locator("[data-pane]").nth(1)
    opened.page.set_viewport_size({"width": 1200, "height": 420})
    left.hover()
    opened.page.mouse.wheel(0, 400)
    wait_for(lambda: right.evaluate("pane => pane.scrollTop") > 20)
    shares = [pane.evaluate("p => p.scrollTop / (p.scrollHeight - p.clientHeight)") for pane in (left, right)]
    assert abs(shares[0] - shares[1]) < 0.05
    opened.context.close()


def test_search_filters_and_facets_narrow_the_list(browser, servers, outs):
    rows = [json.loads(line) for line in (outs["run"] / "provenance.jsonl").read_text().splitlines()]
    opened = Opened(browser, servers["run"], "/findings")
    opened.page.get_by_role("link", name="boilerplate").first.click()
    total = sum(row["rule"] == "boilerplate" for row in rows)
    wait_for(lambda: f"of {total:,} findings" in opened.page.locator(".pager").first.inner_text())
    opened.wait_until_ready()
    opened.page.keyboard.press("/")
    assert opened.page.evaluate("document.activeElement.id") == "search"
    opened.page.keyboard.type(f'"{sentences(1002, 8)[3][:30]}"')
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**q=*")
    assert opened.page.locator("[data-item]").count() == 1
    opened.context.close()


@pytest.mark.slow
def test_decisions_are_made_by_keyboard_survive_a_restart_and_change_the_output(browser, tmp_path):
    out = clean_crawl(tmp_path, crawl_rows())
    before = {row["id"] for row in map(json.loads, (out / "articles.jsonl").read_text().splitlines())}
    with served(out) as server:
        opened = Opened(browser, server, "/findings?rule=near-duplicate-article")
        press = opened.page.keyboard.press
        opened.page.fill("#why", "two towns")
        press("Escape")
        press("j")
        first = opened.page.locator("[data-item]").first
        name = first.locator("[data-open]").inner_text()
        press("r")
        opened.says("rejected")
        press("a")
        opened.says("accepted")
        press("k")
        press("k")
        press("u")
        opened.says("undone")
        press("r")
        opened.says("rejected")
        assert "rejected: two towns" in first.inner_text()
        opened.context.close()
    assert [(row.decision, row.by) for row in read_decisions(out / "review.jsonl").rows] == [
        ("reject", "ana"), ("accept", "ana"), ("undo", "ana"), ("reject", "ana"),
    ]  # fmt: skip
    with served(out) as server:
        opened = Opened(browser, server, "/findings?rule=near-duplicate-article")
        assert "rejected: two towns" in opened.page.locator("[data-item]").first.inner_text()
        opened.open("/findings?decided=reject")
        assert opened.page.locator("[data-item]").count() == 1
        dedup.apply_review(out)
        opened.page.reload()
        opened.page.wait_for_selector("html[data-ready=yes]")
        assert "flag" in opened.page.locator("[data-item]").first.inner_text()
        opened.open("/")
        assert (
            "1 decisions" in opened.page.locator("main").inner_text()
            or "2 decisions" in opened.page.locator("main").inner_text()
        )
        opened.context.close()
    after = {row["id"] for row in map(json.loads, (out / "articles.jsonl").read_text().splitlines())}
    assert after == before | {name}
    assert dedup.verify(out).mismatches == []


@pytest.mark.slow
def test_two_windows_lose_none_of_each_others_decisions(browser, tmp_path):
    out = clean_crawl(tmp_path, crawl_rows())
    with served(out) as server:
        one = Opened(browser, server, "/findings?rule=near-duplicate-article")
        two = Opened(browser, server, "/findings?rule=near-duplicate-article", context=one.context)
        one.page.locator("[data-item]").nth(0).get_by_role("button", name="Reject").click()
        one.says("rejected")
        for place in (1, 2):
            two.page.locator("[data-item]").nth(place).get_by_role("button", name="Accept").click()
            two.page.locator("[data-item]").nth(place).locator(".state.accept").wait_for()
        one.page.locator("[data-item]").nth(2).get_by_role("button", name="Reject").click()
        one.says("Not kept: this was set to accept by ana in another window")
        one.page.bring_to_front()
        one.page.wait_for_selector("#newer:not([hidden])")
        one.page.click("#reload")
        one.page.wait_for_function("document.querySelectorAll('.state.accept').length === 2")
        one.context.close()
    assert [row.decision for row in read_decisions(out / "review.jsonl").rows] == ["reject", "accept", "accept"]


@pytest.mark.slow
def test_groups_lines_rules_and_survivors_are_decided_about(browser, tmp_path):
    out = clean_crawl(tmp_path, crawl_rows())
    with served(out) as server:
        opened = Opened(browser, server, "/groups")
        opened.page.locator("[data-open]").first.click()
        opened.page.get_by_role("button", name="The whole group: Reject").click()
        opened.says("rejected")
        opened.open("/site-text")
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("r")
        opened.says("rejected")
        opened.open("/findings?rule=repeated-block&host=post.example")
        opened.page.get_by_role("button", name="All of this rule in this source: Reject").click()
        opened.says("rejected")
        opened.open("/findings?rule=near-duplicate-article")
        opened.page.locator("[data-open]").first.click()
        opened.page.get_by_role("button", name="Let this one survive").click()
        opened.says("preferred")
        opened.open("/history")
        assert opened.page.locator("[data-item]").count() == 4
        opened.page.get_by_role("button", name="Undo").first.click()
        opened.says("undone")
        opened.context.close()
    rows = read_decisions(out / "review.jsonl").rows
    assert [row.about for row in rows] == ["group", "line", "rule", "article", "decision"]
    dedup.apply_review(out)
    assert dedup.verify(out).mismatches == []


@pytest.mark.slow
def test_the_keys_are_listed_and_every_button_is_reached(browser, servers):
    opened = Opened(browser, servers["run"], "/findings")
    opened.page.keyboard.press("?")
    assert opened.page.locator("dialog").is_visible()
    assert opened.violations() == []
    opened.page.keyboard.press("Escape")
    assert not opened.page.locator("dialog").is_visible()
    opened.open("/quarantine")
    wanted = opened.page.evaluate("document.querySelectorAll('a, button, input, [tabindex=\"0\"]').length")
    reached = set()
    for _ in range(wanted + 5):
        opened.page.keyboard.press("Tab")
        reached.add(opened.page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    hidden = opened.page.evaluate(
        "[...document.querySelectorAll('a, button, input, [tabindex=\"0\"]')].filter(e => !e.checkVisibility()).length"
    )
    assert len(reached) >= wanted - hidden
    opened.page.keyboard.press("Tab")
    opened.context.close()
