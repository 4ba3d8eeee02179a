"""A student's first minute in JupyterLab, in Chromium: the index, nothing of the authors, 01 → 14.

The way from 01 to 14 is by clicks.

Needs playwright (`pip install playwright`; no part of the course's environments) and a Chromium:
the one that CXR_CHROMIUM names, one on the PATH, or playwright's own. CXR_SCREENSHOTS names a
folder to keep the pictures in.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.build import index, navigation
from tools.common import pairs

pytestmark = [pytest.mark.slow, pytest.mark.browser]

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
QUIET += ["--disable-component-update", "--disable-sync"]
OF_AUTHORS = re.compile(
    "nbgrader|jupytext|formgrader|assignment|validate|jupyter notebook", re.IGNORECASE
)
LESSONS = [pair.notebook.name for pair in pairs() if pair.notebook.parent.name != "cases"]


@pytest.fixture(scope="module")
def browser():
    """Chromium, or a skip that says what is missing."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with api.sync_playwright() as driver:
        names = [
            os.environ.get("CXR_CHROMIUM"),
            *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
        ]
        names.append(driver.chromium.executable_path)
        program = next((name for name in names if name and Path(name).exists()), None)
        if not program:
            pytest.skip("no Chromium: install one, or name it in CXR_CHROMIUM")
        running = driver.chromium.launch(executable_path=program, args=QUIET)
        yield running
        running.close()


def left_out(folder: str, names: list[str]) -> list[str]:
    """Tell `copytree` what a fresh clone does not hold."""
    if Path(folder) == ROOT / "data":
        return [name for name in names if name not in ("README.md", "figures")]
    top = ("build", "output") if Path(folder) == ROOT else ()
    return list(shutil.ignore_patterns(".*", *top, "__pycache__", "*.egg-info")(folder, names))


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A copy of the course whose notebooks show their line of links, built in or put in here."""
    root = tmp_path_factory.mktemp("course") / "my course"
    shutil.copytree(ROOT, root, ignore=left_out)
    for path in (root / "exercises").glob("[0-9]*.ipynb"):
        path.rename(path.with_stem(f"{path.stem.removesuffix('_exercise')}_exercise"))
    assert index.main([], root) == 0
    for pair in [*pairs(root), *pairs(root, student=True)]:
        notebook = json.loads(pair.notebook.read_text(encoding="utf-8"))
        line = navigation.line(pair.notebook, root)
        prose = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        for cell in (prose[0], prose[-1]):
            text = "".join(cell["source"])
            if line not in text:
                first, _, rest = text.partition("\n")
                cell["source"] = (
                    f"{first}\n\n{line}\n{rest}" if cell is prose[0] else f"{text}\n\n{line}"
                )
        pair.notebook.write_text(json.dumps(notebook), encoding="utf-8")
    return root


class Server:
    """A running `python -m tools.lab` of a user who has never started Jupyter before."""

    def __init__(self, root: Path, home: Path, *arguments: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("JUPYTER", "PYTHON", "XDG", "CXR", "IPYTHON"))
        }
        command = [
            sys.executable,
            "-m",
            "tools.lab",
            "--no-browser",
            "--ip",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        self.home, self.log = home, home / "log.txt"
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=root,
            env=kept | {"HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )
        self.address = self.printed_address()

    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def printed_address(self, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(r"http://127\.0\.0\.1:\d+/\S+\?token=\w+", self.printed()):
                return found[0]
            time.sleep(0.1)
        self.stop()
        raise AssertionError(f"no address was printed:\n{self.printed()}")

    def kernels(self) -> list[dict]:
        address = re.sub(r"/lab.*\?", "/api/kernels?", self.address)
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)

    def end(self, kernel: str) -> None:
        address = re.sub(r"/lab.*\?", f"/api/kernels/{kernel}?", self.address)
        asked = urllib.request.Request(address, method="DELETE")
        urllib.request.urlopen(asked, timeout=30).close()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(course, tmp_path_factory):
    running = Server(course, tmp_path_factory.mktemp("home"))
    yield running
    assert running.stop() == 0
    assert not re.search(r"^\[W|not trusted|encryption", running.printed(), re.MULTILINE), (
        running.printed()
    )


class Window:
    """JupyterLab in a browser window, and what of it a test looks at."""

    def __init__(self, browser, server: Server):
        self.page = browser.new_page(viewport={"width": 1280, "height": 800})
        self.server = server
        self.folder = Path(os.environ.get("CXR_SCREENSHOTS", server.home / "screenshots"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.page.set_default_timeout(30_000)
        self.page.goto(server.address)
        self.page.locator("#jp-main-dock-panel").wait_for()
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        # the tabs of last time first, then the file of the address
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(1000)

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.folder / f"{name}.png")

    def tabs(self) -> list[str]:
        return self.page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel").all_inner_texts()

    def index(self):
        """Return the index, once it is shown."""
        shown = self.page.locator(".jp-MarkdownViewer:visible")
        shown.locator("h1").wait_for()
        return shown

    def notebook(self, name: str):
        """Return the notebook that is shown, once it is the one of this name."""
        tab = self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current", has_text=name)
        tab.wait_for()
        panel = self.page.locator(".jp-NotebookPanel:visible")
        panel.locator(".jp-MarkdownOutput h1").first.wait_for()
        return panel

    def close(self, name: str) -> None:
        """Close a tab, which must not ask whether to save."""
        tab = self.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=name)
        tab.locator(".lm-TabBar-tabCloseIcon").click()
        tab.wait_for(state="detached")

    def files(self, folder: str) -> list[str]:
        """Return what the file browser lists in a folder below the course's."""
        self.page.evaluate("window.scrollTo(0, 0)")
        self.page.locator(".jp-FileBrowser .jp-BreadCrumbs-home").click()
        for part in filter(None, folder.split("/")):
            self.item(part).dblclick()
        self.page.wait_for_timeout(700)
        return self.page.locator(".jp-DirListing-itemText").all_inner_texts()

    def item(self, name: str):
        return self.page.locator(".jp-DirListing-item", has_text=name).first

    def menus(self) -> dict[str, list[str]]:
        """Return the entries of each main menu, those of submenus too."""
        entries = {}
        for bar in self.page.locator("#jp-MainMenu .lm-MenuBar-item").all():
            bar.click()
            self.page.locator(".lm-Menu").first.wait_for()
            found = self.page.locator(".lm-Menu .lm-Menu-itemLabel").all_inner_texts()
            for arrow in self.page.locator(
                ".lm-Menu >> nth=0 >> .lm-Menu-item[data-type=submenu]"
            ).all():
                arrow.hover()
                self.page.wait_for_timeout(350)
                found += self.page.locator(
                    ".lm-Menu >> nth=-1 >> .lm-Menu-itemLabel"
                ).all_inner_texts()
            entries[bar.inner_text()] = found
            self.page.keyboard.press("Escape")
            self.page.keyboard.press("Escape")
        return entries

    def side_bars(self) -> list[str]:
        tabs = self.page.locator(".jp-SideBar .lm-TabBar-tab").all()
        return [f"{tab.get_attribute('title')} {tab.get_attribute('data-id')}" for tab in tabs]


@pytest.fixture
def window(browser, server):
    opened = Window(browser, server)
    yield opened
    opened.page.close()


def test_first_screen_is_the_index_and_nothing_else(window):
    heading = window.index().locator("h1")
    window.page.wait_for_timeout(2000)  # what asks for attention does so by now
    window.picture("01_first_screen")
    assert heading.inner_text().startswith("Chest radiographs")
    assert "never for diagnosis" in window.index().inner_text()
    assert window.index().locator("table").count() >= 4
    assert window.tabs() == ["index.md"]
    assert not window.page.locator(".jp-Launcher").count()
    assert not window.page.locator(".Toastify__toast, .jp-Dialog").count(), (
        "nothing asks for an answer"
    )


def test_nothing_of_the_authors_is_in_menus_side_bars_or_files(window):
    window.index()
    menus = window.menus()
    assert {"File", "Run", "Help"} <= set(menus)
    assert min(len(entries) for entries in menus.values()) >= 2, "the menus were read"
    assert not [
        entry for entries in menus.values() for entry in entries if OF_AUTHORS.search(entry)
    ]
    assert not [name for name in menus if OF_AUTHORS.search(name)]
    assert any("File Browser" in name for name in window.side_bars())
    assert not [name for name in window.side_bars() if OF_AUTHORS.search(name)]
    assert set(window.files("")) <= {
        "cxr_helpers",
        "data",
        "docs",
        "exercises",
        "notebooks",
        "README.md",
    }
    window.picture("02_files")
    listed = window.files("notebooks")
    assert {"cases", "index.md", "student", *LESSONS} == set(listed)
    assert {"cases", "index.md", *LESSONS} == set(window.files("notebooks/student"))
    assert all(name.endswith((".ipynb", ".md")) for name in window.files("exercises"))
    window.page.keyboard.press("Control+Shift+C")
    palette = window.page.locator(".lm-CommandPalette-itemLabel:visible")
    palette.first.wait_for()
    commands = palette.all_inner_texts()
    assert len(commands) > 30
    assert not [command for command in commands if OF_AUTHORS.search(command)]
    window.picture("03_commands")


def test_from_the_index_through_all_lessons_by_clicks(window, server):
    window.index().get_by_role("link", name="01 · Data import").first.click()
    seen = []
    for number, name in enumerate(LESSONS):
        panel = window.notebook(name)
        if number in (0, 3):
            window.page.wait_for_timeout(3000)
            window.picture(f"1{number}_{Path(name).stem}")
        seen.append(panel.locator("h1").first.inner_text()[:2])
        if number:
            window.close(LESSONS[number - 1])
        if number + 1 < len(LESSONS):
            title = navigation.title(pairs()[number + 1].source)
            panel.get_by_role("link", name=f"{title} →").first.click()
    assert seen == [name[:2] for name in LESSONS]
    assert len(seen) == 14
    assert not window.page.locator(".jp-Dialog").count()
    end = time.monotonic() + 30
    while len(server.kernels()) > 1 and time.monotonic() < end:  # a process takes a moment to end
        window.page.wait_for_timeout(500)
    assert len(server.kernels()) == 1, "a closed notebook leaves no process behind"


def test_a_students_copy_shows_its_diagram_before_anything_has_run(window):
    window.index().get_by_role("link", name="01 · Data import").first.click()
    panel = window.notebook("01_data_import.ipynb")
    diagram = panel.locator(".jp-MarkdownOutput img[alt^='A project is a chain']")
    panel.hover()
    for _ in range(20):  # cells are drawn when they come into view
        if not diagram.count():
            window.page.mouse.wheel(0, 400)
            window.page.wait_for_timeout(300)
    diagram.scroll_into_view_if_needed()
    assert diagram.evaluate("image => [image.complete, image.naturalWidth, image.clientWidth]") == [
        True,
        640,
        640,
    ]


def test_committed_figures_say_what_they_show_though_nothing_is_trusted(window):
    window.index()
    window.files("notebooks")
    window.item("04_splitting.ipynb").dblclick()
    panel = window.notebook("04_splitting.ipynb")
    seen = {}
    for _ in range(60):  # cells are drawn when they come into view
        for image in panel.locator(".jp-OutputArea-output img").all():
            alt, shown = image.evaluate("i => [i.alt, i.complete && i.naturalWidth > 0]")
            seen[image.evaluate("i => i.src.length + i.src.slice(-80)")] = (alt, shown)
        panel.locator(".jp-WindowedPanel-outer").evaluate("e => { e.scrollTop += 600 }")
        window.page.wait_for_timeout(200)
    assert window.page.locator("[title^='Notebook not trusted']").count()
    committed = json.loads((ROOT / "notebooks" / "04_splitting.ipynb").read_text("utf-8"))
    outputs = [output for cell in committed["cells"] for output in cell.get("outputs", [])]
    pictures = ["".join(o.get("data", {}).get("text/html", "")).count("<img") for o in outputs]
    assert len(seen) == sum(pictures) > 5
    assert all(len(alt) > 20 and shown for alt, shown in seen.values()), seen
    window.picture("15_figures")


def test_the_index_says_what_is_done_and_what_is_next(window, course):
    path = course / "notebooks" / "student" / "01_data_import.ipynb"
    before = path.read_text(encoding="utf-8")
    notebook = json.loads(before)
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
    path.write_text(json.dumps(notebook), encoding="utf-8")
    try:
        window.index()
        window.page.locator("#jp-MainMenu .lm-MenuBar-item", has_text="File").click()
        window.page.locator(".lm-Menu-itemLabel", has_text="Reload Markdown").click()
        shown = window.index()
        shown.get_by_text("Done: 1 of 14 lessons.").wait_for()
        shown.get_by_role("link", name="02 · Exploration").first.click()
        window.notebook("02_exploration.ipynb")
    finally:
        path.write_text(before, encoding="utf-8")


def test_back_to_the_index_to_the_exercise_and_on_from_the_end_of_a_notebook(window):
    window.index().get_by_role("link", name="04 · Splitting").first.click()
    panel = window.notebook("04_splitting.ipynb")
    panel.get_by_role("link", name="Exercise 04").first.click()
    exercise = "04_splitting_exercise.ipynb"
    window.page.locator(".lm-TabBar-tab.lm-mod-current", has_text=exercise).first.wait_for()
    assert "exercises" in window.notebook(exercise).locator("h1").first.inner_text()
    window.close(exercise)
    panel = window.notebook("04_splitting.ipynb")
    onward = panel.get_by_role("link", name="05 · A first network →")
    for _ in range(20):  # cells take their full height when they come into view
        panel.locator(".jp-Cell").last.scroll_into_view_if_needed()
        window.page.wait_for_timeout(300)
    window.picture("20_end_of_lesson")
    assert onward.count() == 2, "at the top and at the end"
    onward.last.click()
    window.notebook("05_first_network.ipynb").get_by_role("link", name="Index").first.click()
    window.index()
    assert window.page.locator(".lm-TabBar-tab.lm-mod-current", has_text="index.md").count()


def test_coming_back_shows_the_index_in_front_of_what_was_open(window, browser, server):
    window.index().get_by_role("link", name="02 · Exploration").first.click()
    window.notebook("02_exploration.ipynb")
    window.page.wait_for_timeout(3000)  # JupyterLab notes what is open after a moment
    window.page.close()
    again = Window(browser, server)
    again.index()
    assert "02_exploration.ipynb" in again.tabs()
    again.picture("30_come_back")
    again.page.close()


def test_the_students_own_settings_are_left_alone(window, server):
    window.index()
    folder = server.home / ".jupyter"
    settings = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pid"]
    assert not settings


def test_an_author_sees_the_sources_and_the_panels(browser, course, tmp_path):
    running = Server(course, tmp_path, "--author")
    try:
        window = Window(browser, running)
        window.page.locator(".jp-Launcher").wait_for()
        assert {"tools", "tests", "Makefile", "pyproject.toml"} <= set(window.files(""))
        assert {"src", "ruff.toml"} <= set(window.files("notebooks"))
        window.picture("40_author")
        assert any(OF_AUTHORS.search(name) for names in window.menus().values() for name in names)
        assert not window.page.locator(".Toastify__toast, .jp-Dialog").count()
        window.page.close()
    finally:
        running.stop()
    assert running.process.poll() is not None
