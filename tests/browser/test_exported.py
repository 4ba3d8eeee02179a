"""Pages that leave the course, in Chromium: a lesson's page, its slides, two students' feedback.

Nothing asks another host for anything, each picture has alt text, and axe finds nothing serious.
`make test-site` makes the pages (pages.py) and runs this in the site's own environment.
"""

import pytest

from tests.browser.test_site import Links, browser  # noqa: F401 - a fixture
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGES = ROOT / "build" / "pages"
KINDS = ("lesson", "slides", "feedback_perfect", "feedback_misled_0")
SCREEN, PHONE = {"width": 1280, "height": 760}, 390
GRAVE = ("serious", "critical")
MOST = 300  # slides of a lesson


def path_of(kind: str):
    """The page of a kind, or a skip that says how to make it."""
    path = PAGES / f"{kind}.html"
    if not path.is_file():
        pytest.skip(f"no {path.relative_to(ROOT)}: make test-site")
    return path


@pytest.fixture(params=KINDS)
def shown(request, browser):  # noqa: F811
    """A page in a window, with all that it asked for and each error of its scripts."""
    path = path_of(request.param)
    context = browser.new_context(viewport=SCREEN)
    page = context.new_page()
    page.kind, page.asked, page.failed = request.param, [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("pageerror", lambda error: page.failed.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


def grave(page) -> dict[str, list[str]]:
    """What axe finds serious or critical on the page as it is shown now."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed: make test-site"
    )
    found = axe.Axe().run(page, options={"preload": False}).response
    assert found["passes"], "it has looked"
    return {
        rule["id"]: [node["html"][:200] for node in rule["nodes"][:3]]
        for rule in found["violations"]
        if rule["impact"] in GRAVE
    }


def test_an_exported_page_is_accessible_and_asks_no_other_host(shown):
    if shown.kind == "slides":  # axe looks at the one that is shown
        for number in range(MOST):
            assert not grave(shown), number
            if shown.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
                break
            shown.evaluate("Reveal.next()")
        assert 20 < number < MOST - 1
    else:
        assert not grave(shown)
    assert not [url for url in shown.asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not shown.failed


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_of_an_exported_page_says_what_it_shows(kind):
    pictures = Links(path_of(kind).read_text(encoding="utf-8")).pictures
    assert bool(pictures) == (not kind.startswith("feedback"))
    assert all(picture.get("alt") for picture in pictures)


def test_a_lesson_fits_a_phone(browser):  # noqa: F811
    page = browser.new_page(viewport={"width": PHONE, "height": 844})
    page.goto(path_of("lesson").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.close()


def test_feedback_begins_with_the_marks_and_shows_no_sum_before_all_are_given(browser):  # noqa: F811
    page = browser.new_page(viewport=SCREEN)
    page.goto(path_of("feedback_misled_0").as_uri())
    rows = page.locator("table").first.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0][:10] for row in rows] == [f"Question {n}" for n in (1, 2, 3, 4)]
    assert rows[0].split("\t")[1:] == ["0", "3"]
    assert rows[3].split("\t")[1:] == ["still to be marked", "3"]
    assert page.get_by_text("The sum follows when all answers are marked.").count()
    assert not page.get_by_text("find_spec").count()
    page.close()
