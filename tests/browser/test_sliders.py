"""Sliders in Chromium: moved by keys in an exported page and in JupyterLab; still pictures with alt
text where no script runs.

Needs what test_lab.py needs.
"""

import os
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from cxr_helpers import plots
from tests.browser.test_lab import Server, Window, browser, course  # noqa: F401 - fixtures
from tools.build.lessons import KERNEL

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CODE = "from cxr_helpers import plots\n\nplots.slide_prevalence(0.9, 0.8)"
SHOWN = plots.slide_prevalence(0.9, 0.8)
POSITIONS, STILL = list(SHOWN.frames), list(SHOWN.still)
PHONE = {"width": 390, "height": 800}


def notebook(*, ran: bool) -> nbformat.NotebookNode:
    """A notebook with one slider, with or without its output."""
    cell = nbformat.v4.new_code_cell(CODE)
    if ran:
        data = SHOWN._repr_mimebundle_()
        cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    title = nbformat.v4.new_markdown_cell("# A slider")
    metadata = {"kernelspec": KERNEL}
    return nbformat.v4.new_notebook(cells=[title, cell], metadata=metadata)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    """The notebook as one HTML file, as `jupyter nbconvert` exports it."""
    file = tmp_path_factory.mktemp("page") / "slider.html"
    html, _ = HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(notebook(ran=True))
    file.write_text(html, encoding="utf-8")
    return file


def alt_of(position: str) -> str:
    return f"prevalence {position}. {SHOWN.frames[position].alt}"


def try_slider(place) -> None:
    """Move the slider at a place by keys; picture, alt text and what is read aloud follow."""
    slider, picture = place.get_by_role("slider"), place.locator("label + img")
    start = POSITIONS.index(SHOWN.start)
    slider.focus()
    for key, position in (
        ("ArrowRight", POSITIONS[start + 1]),
        ("ArrowLeft", SHOWN.start),
        ("Home", POSITIONS[0]),
        ("End", POSITIONS[-1]),
    ):
        before = picture.get_attribute("src")
        slider.press(key)
        assert place.locator("label span").inner_text() == f"prevalence: {position}"
        assert slider.get_attribute("aria-valuetext") == position
        assert picture.get_attribute("alt") == alt_of(position)
        assert picture.get_attribute("src") != before
        assert picture.evaluate("i => i.decode().then(() => i.naturalWidth)") == 480
    assert place.locator("img:visible").count() == 1, "the still pictures have made room"


def keep(page, name: str) -> None:
    """Keep a screenshot where CXR_SCREENSHOTS asks for it."""
    if folder := os.environ.get("CXR_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_an_exported_page_needs_no_kernel_and_no_other_host(browser, page_file):  # noqa: F811
    page = browser.new_page(viewport=PHONE)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    try_slider(page.locator("[class^=slider-]"))
    keep(page, "60_slider_phone")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.locator("label + img").evaluate("i => i.getBoundingClientRect().right") <= 390
    page.close()


def test_without_a_script_the_still_pictures_say_it(browser, page_file):  # noqa: F811
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(page_file.as_uri())
    images = page.locator("[class^=slider-] img")
    assert [image.get_attribute("alt") for image in images.all()] == [alt_of(p) for p in STILL]
    assert all(image.is_visible() for image in images.all())
    assert not page.locator("input[type=range]").count()
    keep(page, "61_slider_without_script")
    context.close()


def test_in_jupyterlab_a_cell_that_ran_has_its_slider(browser, course, tmp_path):  # noqa: F811
    folder = course / "notebooks" / "student"
    nbformat.write(notebook(ran=False), folder / "fresh.ipynb")
    nbformat.write(notebook(ran=True), folder / "foreign.ipynb")
    running = Server(course, tmp_path)
    try:
        window = Window(browser, running)
        window.index()
        assert {"fresh.ipynb", "foreign.ipynb"} <= set(window.files("notebooks/student"))
        window.item("fresh.ipynb").dblclick()
        panel = window.notebook("fresh.ipynb")
        panel.locator(".jp-CodeCell .cm-line").first.click()
        slider, prompt = panel.get_by_role("slider"), panel.locator(".jp-CodeCell .jp-InputPrompt")
        for _ in range(60):
            if prompt.inner_text() == "[ ]:":  # JupyterLab drops a run while its kernel starts
                window.page.keyboard.press("Control+Enter")
            window.page.wait_for_timeout(2000)
            if slider.count():
                break
        try_slider(panel.locator("[class^=slider-]"))
        window.picture("62_slider_in_jupyterlab")
        window.page.keyboard.press("Control+s")
        window.page.wait_for_timeout(1500)
        window.item("foreign.ipynb").dblclick()
        panel = window.notebook(
            "foreign.ipynb"
        )  # somebody else's outputs: JupyterLab runs no script
        images = panel.locator(".jp-OutputArea-output img")
        images.first.wait_for()
        window.picture("63_slider_not_trusted")
        alts = [image.get_attribute("alt") for image in images.all() if image.is_visible()]
        assert alts == [alt_of(position) for position in STILL]
        window.page.close()
    finally:
        running.stop()
