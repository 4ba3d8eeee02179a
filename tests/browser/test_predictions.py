"""A student's predictions in JupyterLab, in Chromium: typed, met, answered, kept, carried on.

Kept over a restart, carried on to a lesson.

Needs what test_lab.py needs.
"""

import re

import pytest

from tests.browser.test_lab import Server, Window, browser, course  # noqa: F401 - fixtures

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MINUTES = 60_000  # milliseconds


@pytest.fixture(scope="module")
def server(course, tmp_path_factory):  # noqa: F811
    running = Server(course, tmp_path_factory.mktemp("home"))
    yield running
    running.stop()


class Notebook:
    """A student's copy that is open in JupyterLab."""

    def __init__(self, window: Window, link: str, name: str):
        self.window, self.page, self.name = window, window.page, name
        window.index().get_by_role("link", name=link).first.click()
        self.panel = window.notebook(name)

    def look_for(self, kind: str, text: str):
        """Return what holds a text, scrolled into view: cells far away are not in the page."""
        outer = self.panel.locator(".jp-WindowedPanel-outer").first
        self.page.keyboard.press("Escape")
        outer.evaluate("panel => panel.scrollTo(0, 0)")
        found = self.panel.locator(kind, has_text=text).first
        for _ in range(300):
            self.page.wait_for_timeout(60)
            if found.count() and found.is_visible():
                found.scroll_into_view_if_needed()
                return found
            outer.evaluate("panel => panel.scrollBy(0, 350)")
        raise AssertionError(f"nothing with {text!r} in {self.name}")

    def cell(self, text: str):
        """Return the code cell with a text in its code."""
        return self.look_for(".jp-CodeCell:has(.cm-line)", text)

    def enter(self, name: str, value: str) -> None:
        """Write the value in place of None, as a student does."""
        line = self.cell(f"{name} = ").locator(".cm-line", has_text=f"{name} = ").first
        line.click()
        self.page.keyboard.press("Home")
        for _ in range(len(f"{name} = ")):
            self.page.keyboard.press("ArrowRight")
        for _ in range(len("None")):
            self.page.keyboard.press("Delete")
        self.page.keyboard.type(value)
        assert f"{name} = {value}" in line.inner_text()

    def run_all(self, menu: str = "Run All Cells") -> None:
        """Run every cell and wait until the kernel rests."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.locator(".lm-Menu .lm-Menu-itemLabel", has_text=re.compile(f"^{menu}$")).click()
        self.page.wait_for_timeout(3000)
        self.rest()

    def rest(self) -> None:
        self.panel.locator("[data-status=idle]").first.wait_for(timeout=5 * MINUTES)
        self.page.wait_for_timeout(500)

    def save(self) -> None:
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        self.page.locator(
            ".lm-TabBar-tab.lm-mod-current.jp-mod-dirty", has_text=self.name
        ).wait_for(state="detached")

    def restart(self) -> None:
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.locator(
            ".lm-Menu .lm-Menu-itemLabel", has_text=re.compile("^Restart Kernel…$")
        ).click()
        self.page.locator(".jp-Dialog button", has_text="Restart").click()
        self.page.wait_for_timeout(2000)
        self.rest()

    def said(self, text: str) -> str:
        """Return the output that holds a text: cells of a result are folded in a student's copy."""
        return self.look_for(".jp-OutputArea-output", text).text_content()

    def below(self, text: str) -> str:
        """Return what the output of the cell with a text in its code says."""
        return self.cell(text).locator(".jp-OutputArea").first.text_content()


def test_predictions_are_typed_met_kept_and_carried_on(browser, server):  # noqa: F811
    window = Window(browser, server)
    first = Notebook(window, "01 · Data import", "01_data_import.ipynb")
    first.enter("MY_ACCURACY", "0.7")
    first.enter("MY_ROWS", "9")
    first.run_all()
    assert first.said("Recorded: 0.7")
    assert "example" not in first.said("A fair view of how hard mild disease is to see")
    window.picture("50_belief_answered")
    assert first.said("Few are that good at first sight"), "what was left open shows the example"
    first.restart()
    first.run_all()
    summary = first.below('guess.summary("01")')
    window.picture("51_summary_after_a_restart")
    assert "accuracy of the project" in summary
    code = first.below("print(guess.code())").split()[-1]
    first.save()
    window.close(first.name)

    fourth = Notebook(window, "04 · Splitting", "04_splitting.ipynb")
    fourth.enter("MY_IMAGE", "0.5")
    fourth.run_all()
    assert fourth.said("Recorded: 0.5")
    assert fourth.said("other images were in training")
    window.picture("52_wrong_belief")
    fourth.save()
    window.close(fourth.name)

    seventh = Notebook(window, "07 · Evaluation", "07_evaluation.ipynb")
    line = seventh.cell("guess.take(None)").locator(".cm-line", has_text="guess.take(None)")
    line.click()
    window.page.keyboard.press("End")
    for _ in range(len("None)")):
        window.page.keyboard.press("Backspace")
    window.page.keyboard.type(f'"{code}")')
    window.page.keyboard.press("Shift+Enter")
    seventh.rest()
    taken = seventh.below("guess.take(")
    window.picture("53_code_taken_back")
    assert "2" in taken
    window.page.close()
