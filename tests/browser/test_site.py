"""The web site, page by page in Chromium: links, no other host, alt texts, both modes accessible.

`make test-site` builds the site and runs this in the site's own environment. CXR_CHROMIUM names a
Chromium that is not on the PATH.
"""

import functools
import http.server
import os
import re
import shutil
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SITE = ROOT / "output" / "site"
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts
)
NONE = pytest.param("", marks=pytest.mark.skip(reason="no site in output/site: make site"))
LESSONS = [page for page in PAGES if re.match(r"notebooks/(\d\d|cases/[a-e])_", page)]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
QUIET += ["--disable-component-update", "--disable-sync"]
# Without `preload` axe asks for nothing itself.
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}, "preload": False}
SCREEN, PHONE, LAPTOP = {"width": 1400, "height": 1000}, 390, 1280
# Texts that run out of the page or of what hides them, where nothing can be moved sideways. The way
# to a page ends in "…" where it is too long: its last part is the page's title.
CUT = """() => {
  const cut = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const own = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || own.closest(".bd-breadcrumbs, .visually-hidden")) continue;
    if (!own.checkVisibility({visibilityProperty: true})) continue;
    let right = innerWidth, moves = false;
    for (let up = own; up !== document.documentElement; up = up.parentElement) {
      const look = getComputedStyle(up);
      if (look.position === "fixed") moves = true;
      if (up.matches(".bd-article-container, .prev-next-area a") || look.overflowX === "hidden")
        right = Math.min(right, up.getBoundingClientRect().right);
      else if (look.overflowX !== "visible") moves = true;
    }
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    if (!moves && [...range.getClientRects()].some(box => box.width > 1 && box.right > right + 2))
      cut.push(own.innerText);
  }
  return cut;
}"""


class Links(HTMLParser):
    """What one reads in a page without running it: links, anchors, pictures."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.anchors, self.pictures = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found)


@pytest.fixture(scope="module")
def read() -> dict[str, Links]:
    """Every page of the site, read."""
    if not PAGES:
        pytest.skip(f"no site in {SITE.relative_to(ROOT)}: make site")
    return {page: Links((SITE / page).read_text(encoding="utf-8")) for page in PAGES}


def inside(page: str, link: str) -> tuple[str, str] | None:
    """Where a link of a page leads, as file and anchor; None if it leaves the site."""
    address, anchor = urldefrag(urljoin(f"site:///{page}".replace("site:", "http:"), link))
    parts = urlsplit(address)
    return (
        None
        if parts.netloc or parts.scheme != "http"
        else (unquote(parts.path).lstrip("/"), unquote(anchor))
    )


@pytest.fixture(scope="module")
def address(read):
    """The site, served on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=SITE)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    """Chromium, or a skip that says what is missing."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: make test-site"
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


@pytest.fixture(scope="module", params=["light", "dark"])
def window(request, browser, address):
    """A window in one of the two modes, and all that its pages asked for."""
    context = browser.new_context(color_scheme=request.param, viewport=SCREEN)
    page = context.new_page()
    page.asked, page.failed = [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("pageerror", lambda error: page.failed.append(str(error)))
    page.on(
        "response",
        lambda got: page.failed.append(f"{got.status} {got.url}") if got.status >= 400 else None,
    )
    page.mode = request.param
    yield page
    context.close()


def show(window, address: str, page: str) -> None:
    """Open a page; what it asked for and what failed is that of this page."""
    window.asked.clear()
    window.failed.clear()
    window.goto(f"{address}/{page}")
    # The page for a phone follows the system by itself.
    assert (
        page.startswith("phone/")
        or window.locator("html").get_attribute("data-theme") == window.mode
    )


# --- without a browser ----------------------------------------------------------------------------


def test_the_whole_course_is_there(read):
    names = [
        *ROOT.glob("notebooks/*.ipynb"),
        *ROOT.glob("notebooks/cases/*.ipynb"),
        *ROOT.glob("exercises/*.ipynb"),
    ]
    assert {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in names} <= set(read)
    assert {f"docs/{path.stem}.html" for path in ROOT.glob("docs/*.md")} <= set(read)
    assert len(LESSONS) == 19


def test_no_link_is_dead(read):
    dead = []
    for page, found in read.items():
        for link in found.links:
            place = inside(page, link)
            if place is None:
                assert re.match(r"(https?://|mailto:)", link), f"{page}: {link}"
                continue
            file, anchor = place
            if not (SITE / file).is_file() or (
                anchor and file in read and anchor not in read[file].anchors
            ):
                dead.append(f"{page}: {link}")
    assert not dead


def test_every_page_is_two_clicks_from_the_front(read):
    def linked(pages: set[str]) -> set[str]:
        return {
            place[0] for page in pages for link in read[page].links if (place := inside(page, link))
        } & set(read)

    near = {"index.html"} | linked({"index.html"})
    assert set(read) - near - linked(near) == {"search.html"}, "which the button opens"


def test_every_picture_says_what_it_shows(read):
    pictures = {page: [p.get("alt") or "" for p in found.pictures] for page, found in read.items()}
    assert not [page for page, alts in pictures.items() if not all(len(alt) > 20 for alt in alts)]
    assert all(len(pictures[page]) >= 5 for page in LESSONS)
    assert sum(map(len, pictures.values())) > 200


def test_no_solution_is_shown_or_handed_out(read):
    texts = [*SITE.rglob("*.html"), *SITE.rglob("*.ipynb"), *SITE.rglob("*.py")]
    assert len(texts) > len(read)
    assert not [
        path
        for path in texts
        if re.search("(BEGIN|END) (SOLUTION|HIDDEN)", path.read_text(encoding="utf-8"))
    ]


def test_a_lesson_and_its_exercise_lead_to_one_another(read):
    for page in (page for page in LESSONS if "cases" not in page):
        exercise = f"exercises/{Path(page).stem}_exercise.html"
        assert exercise in {place[0] for link in read[page].links if (place := inside(page, link))}
        assert page in {
            place[0] for link in read[exercise].links if (place := inside(exercise, link))
        }


# --- in the browser -------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES or [NONE])
def test_a_page_is_accessible_fits_a_phone_and_asks_no_other_host(window, address, page):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed: make test-site"
    )
    show(window, address, page)
    found = axe.Axe().run(window, options=RULES).response
    assert found["passes"], "it has looked"
    told = {
        rule["id"]: [node["html"][:200] for node in rule["nodes"][:3]]
        for rule in found["violations"]
    }
    assert not told
    window.set_viewport_size({"width": PHONE, "height": 844})
    wide = window.evaluate("document.documentElement.scrollWidth")
    cut = window.evaluate(CUT)
    window.set_viewport_size(SCREEN)
    assert wide <= PHONE
    assert not cut
    assert not [url for url in window.asked if not url.startswith((address, "data:", "blob:"))]
    assert not window.failed


def test_figures_stand_on_white(window, address):
    show(window, address, "notebooks/04_splitting.html")
    shown = window.locator(".cell_output img")
    assert shown.count() >= 10
    if window.mode == "dark":
        looks = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).filter]"
        assert all(image.evaluate(looks) == ["rgb(255, 255, 255)", "none"] for image in shown.all())


@pytest.mark.parametrize("page", LESSONS or [NONE])
def test_a_laptop_shows_the_code_of_a_lesson_whole(window, address, page):
    show(window, address, page)
    window.set_viewport_size({"width": LAPTOP, "height": 800})
    window.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
    sizes = window.locator("div.cell_input pre").evaluate_all(
        "all => all.map(code => [code.scrollWidth, code.clientWidth])"
    )
    window.set_viewport_size(SCREEN)
    assert len(sizes) > 10
    assert all(needed <= given for needed, given in sizes)


def test_what_is_printed_is_dark_on_white(window, address):
    show(window, address, "notebooks/04_splitting.html")
    mode = "document.documentElement.dataset.theme"
    assert window.evaluate(f"dispatchEvent(new Event('beforeprint')), {mode}") == "light"
    assert window.evaluate(f"dispatchEvent(new Event('afterprint')), {mode}") == window.mode


# A term, what explains it, a message, a function: among the first results.
@pytest.mark.parametrize("window", ["light"], indirect=True)
@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("bootstrap", "docs/glossary.html#term-bootstrap"),
        ("bootstrap", "notebooks/07_evaluation.html"),
        ("Grad-CAM", "notebooks/10_explanation.html"),
        ("leak", "docs/glossary.html#term-leak"),
        ("leakage", "notebooks/04_splitting.html"),
        ("confidence interval", "docs/glossary.html#term-confidence-interval"),
        ("Colab", "docs/settings.html"),
        ("add_groups without a group", "docs/faq.html"),
        ("holdout", "reference/split.html"),
    ],
)
def test_the_search_finds_what_one_looks_for(window, address, words, page):
    show(window, address, f"search.html?q={words.replace(' ', '+')}")
    window.get_by_text("Search finished").wait_for(timeout=20_000)
    found = window.locator("#search-results li > a:first-child").all()[:3]
    assert any(page in link.get_attribute("href") for link in found)
    assert not [url for url in window.asked if not url.startswith(address)]


@pytest.mark.parametrize("window", ["light"], indirect=True)
def test_a_formula_is_drawn_without_a_script(window, address):
    pages = [page for page in LESSONS if "<math" in (SITE / page).read_text(encoding="utf-8")]
    assert pages
    show(window, address, pages[0])
    assert all(box.bounding_box()["width"] > 4 for box in window.locator("math").all())
    assert not [url for url in window.asked if "mathjax" in url.lower()]
