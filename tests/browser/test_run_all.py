"""Every student's copy in JupyterLab, in Chromium: opened from the index, Run All, looked through.

`make test-lab` runs it (an hour on two cores); otherwise it is skipped unless CXR_RUN_ALL is set.
Each copy's seconds are shown by --log-cli-level=INFO. It needs what test_lab.py needs.
"""

import json
import logging
import os
import re
import time
from pathlib import Path

import pytest

from tests.browser.test_lab import Server, Window, browser, course  # noqa: F401 - fixtures
from tools.common import ROOT, pairs

LOG = logging.getLogger(__name__)
COPIES = [pair.notebook.relative_to(ROOT / "notebooks") for pair in pairs()]
LONGEST = 1800  # seconds of a whole copy
RUN_ALL = "^Run All Cells$"
IMAGES = ".jp-OutputArea-output img:not([hidden])"  # a hidden one is no picture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not os.environ.get("CXR_RUN_ALL"), reason="an hour: make test-lab"),
]


@pytest.fixture(scope="module")
def server(course, tmp_path_factory):  # noqa: F811
    """One server for all copies, as a student has: what one draws, the next one finds."""
    running = Server(course, tmp_path_factory.mktemp("home"))
    yield running
    running.stop()


@pytest.fixture
def window(browser, server):  # noqa: F811
    opened = Window(browser, server)
    yield opened
    opened.page.close()
    for kernel in server.kernels():  # of a copy that has failed
        server.end(kernel["id"])


def ran(panel, path: Path, page) -> list[dict]:
    """Save the notebook; return its code cells as they are in the file."""
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty", has_text=path.name).wait_for(
        state="detached"
    )
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def wait_until_idle(server: Server, page, name: str) -> None:
    """Wait until the server says that the notebook's kernel rests, and has done so for a while."""
    end, rests = time.monotonic() + LONGEST, 0
    while rests < 3:
        assert time.monotonic() < end, f"{name} has not come to an end in {LONGEST} s"
        page.wait_for_timeout(1000)
        states = [kernel["execution_state"] for kernel in server.kernels()]
        rests = rests + 1 if set(states) == {"idle"} else 0


def seen_images(panel, page) -> dict[str, tuple[str, bool]]:
    """Go down the notebook; return the alt text of each image in an output, and if it is shown."""
    seen, outer = {}, panel.locator(".jp-WindowedPanel-outer").first
    outer.evaluate("panel => panel.scrollTo(0, 0)")
    at_end = "e => e.scrollTop + e.clientHeight >= e.scrollHeight - 2"
    while True:  # cells are drawn when they come into view
        page.wait_for_timeout(150)
        look = "all => all.map(i => [i.src.slice(-120), i.alt, i.complete && i.naturalWidth > 0])"
        for source, alt, shown in panel.locator(IMAGES).evaluate_all(look):
            seen[source] = (alt, shown or seen.get(source, ("", False))[1])
        if outer.evaluate(at_end):
            return seen
        outer.evaluate("panel => panel.scrollBy(0, 500)")


def shown_errors(cells: list[dict]) -> list[str]:
    """Return what outputs show that a student would take for a fault: errors, standard error."""
    found = []
    for cell in cells:
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                found.append(f"{output['ename']}: {output['evalue']}")
            if output.get("name") == "stderr":
                found.append(f"stderr: {''.join(output['text'])!r}")
    return found


def pictures(cells: list[dict]) -> int:
    """Return how many images the outputs hold."""
    data = [output.get("data", {}) for cell in cells for output in cell["outputs"]]
    return sum("image/png" in d or "<img" in "".join(d.get("text/html", "")) for d in data)


def named(copy: Path) -> re.Pattern:
    """Return what the index calls a notebook begins with."""
    number = copy.stem.partition("_")[0].upper()
    return re.compile(f"^(Case )?{number} · ")


@pytest.mark.parametrize("copy", COPIES, ids=lambda copy: copy.stem)
def test_a_copy_runs_from_top_to_bottom(window, server, course, copy):  # noqa: F811
    window.index().get_by_role("link", name=named(copy)).first.click()
    panel, page = window.notebook(copy.name), window.page
    # JupyterLab drops a run while its kernel starts
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    wait_until_idle(server, page, copy.name)
    began = time.monotonic()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu .lm-Menu-itemLabel", has_text=re.compile(RUN_ALL)).click()
    page.wait_for_timeout(3000)
    wait_until_idle(server, page, copy.name)
    LOG.info("%s: %.0f s", copy.stem, time.monotonic() - began)
    cells = ran(panel, course / "notebooks" / "student" / copy, page)
    window.picture(f"70_{copy.stem}_end")
    asks = [cell for cell in cells if "".join(cell["source"]).strip()]
    assert not shown_errors(cells)
    assert all(cell["execution_count"] for cell in asks), "every cell has run"
    assert not page.locator(".jp-Dialog").count()
    seen = seen_images(panel, page)
    image = panel.locator(IMAGES).last  # near the end: what is drawn now
    image.scroll_into_view_if_needed()
    window.picture(f"71_{copy.stem}_figure")
    assert len(seen) >= pictures(cells) > 0
    assert all(len(alt) > 20 and shown for alt, shown in seen.values()), seen
    window.close(copy.name)
    end = time.monotonic() + 30
    while server.kernels() and time.monotonic() < end:
        page.wait_for_timeout(500)
    assert not server.kernels(), "a closed notebook leaves no process behind"
