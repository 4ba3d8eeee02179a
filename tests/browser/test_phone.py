"""The page for a phone in Chromium: by keys and taps, light and dark, nobody else asked.

`make test-site` runs it in the site's own environment, after test_site.py, whose fixtures it takes.
"""

import io

import pytest
from PIL import Image

from cxr_helpers import stats
from tests.browser.test_site import RULES, address, browser, read  # noqa: F401 - fixtures
from tools.build import links, phone
from tools.common import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.browser]

FOUND = phone.stored()
IMAGES = FOUND["images"]
TRUTH = [image["label"] for image in IMAGES]
KEY = {"normal": "1", "covid": "2"}
SCREEN = {"width": 390, "height": 844}
FINGER = 44  # pixels that a finger needs


def network(image: dict, letter: str) -> str:
    return "covid" if image["covid"][letter] > 0.5 else "normal"


@pytest.fixture(params=["light", "dark"])
def window(request, browser, address):  # noqa: F811
    """The page on a phone, in one of the two modes.

    At the end, nothing failed and no other host was asked.
    """
    context = browser.new_context(
        color_scheme=request.param, viewport=SCREEN, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on(
        "response",
        lambda got: failed.append(f"{got.status} {got.url}") if got.status >= 400 else None,
    )
    page.goto(f"{address}/phone/index.html")
    yield page
    context.close()
    assert asked
    assert not [url for url in asked if not url.startswith(address)]
    assert not failed


def accessible(window) -> None:
    """No violation by axe, nothing wider than the phone, nothing too small for a finger."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed: make test-site"
    )
    found = axe.Axe().run(window, options=RULES).response
    assert found["passes"], "it has looked"
    assert not {
        rule["id"]: [node["html"][:200] for node in rule["nodes"][:3]]
        for rule in found["violations"]
    }
    assert window.evaluate("document.documentElement.scrollWidth") <= SCREEN["width"]
    buttons = window.locator("button:visible, .button:visible, .switch label:visible").all()
    boxes = [button.bounding_box() for button in buttons]
    assert boxes
    assert min(min(box["width"], box["height"]) for box in boxes) >= FINGER


def focused(window) -> str:
    return window.evaluate("document.activeElement.id")


def test_played_by_keys(window, address):  # noqa: F811
    guesses = ["covid", *TRUTH[1:-1], "normal"]
    for _ in range(4):
        window.keyboard.press("Tab")
        if focused(window) == "start":
            break
    window.keyboard.press("Enter")
    assert focused(window) == "quiz-title"
    for k, guess in enumerate(guesses):
        assert window.locator("#quiz-title").inner_text() == f"Image {k + 1} of 12"
        own = IMAGES[k]["letter"]
        assert window.locator("#film").get_attribute("alt") == IMAGES[k]["alt"][own]
        assert (
            window.locator("#now")
            .inner_text()
            .startswith(f"Image {k + 1} of 12. Lung at" if k else "")
        )
        if k == 1:  # one back, and the same answer again
            window.keyboard.press("Backspace")
            assert window.locator("#quiz-title").inner_text() == "Image 1 of 12"
            window.keyboard.press(KEY[guesses[0]])
        window.keyboard.press("x")
        window.keyboard.press(KEY[guess])
    mine = [guess == label for guess, label in zip(guesses, TRUTH, strict=True)]
    net = [network(image, image["letter"]) == image["label"] for image in IMAGES]
    assert focused(window) == "score-title"
    assert (
        window.locator("#score-title").inner_text()
        == f"You: {sum(mine)} of 12. The network: {sum(net)} of 12."
    )
    for place, right in (("#you", mine), ("#net", net)):
        low, high = stats.wilson(sum(right), 12)
        shown = f"{sum(right)} of 12 right: {sum(right) / 12:.2f} ({low:.2f}-{high:.2f})"
        assert window.locator(place).inner_text().strip() == shown
    p = stats.mcnemar_exact(net, mine)
    assert f"p = {p:.2f}" in window.locator("#paired").inner_text()
    shown = window.locator("#grid li").all_inner_texts()
    assert ["you: right" in text for text in shown] == mine
    assert ["network: right" in text for text in shown] == net

    window.keyboard.press("Tab")
    assert focused(window) == "how"
    window.keyboard.press("Enter")
    assert focused(window) == "switch-title"
    own = IMAGES[0]["letter"]
    window.keyboard.press("Tab")
    before = window.locator("#verdict").inner_text()
    assert before.startswith("✓ Right" if net[0] else "✗ Wrong")
    window.keyboard.press("ArrowLeft" if own == "L" else "ArrowRight")
    other = "R" if own == "L" else "L"
    assert window.locator("input[name=letter]:checked").get_attribute("value") == other
    assert window.locator("#twin").get_attribute("src") == f"01-{other}.webp"
    answered = network(IMAGES[0], other)
    after = window.locator("#verdict").inner_text()
    assert f"With the letter {other}, the network says {phone.CLASSES[answered]}" in after
    assert (after[2:7] == before[2:7]) == (answered == network(IMAGES[0], own))

    window.locator("#what").focus()
    window.keyboard.press("Enter")
    assert focused(window) == "why-title"
    for name in ("as_taken", "switched", "at_random"):
        assert phone.figure(FOUND[name]) in window.locator("#why").inner_text()
    window.get_by_role("link", name="Lesson 01").press("Enter")
    window.wait_for_url(f"{address}/notebooks/01_data_import.html")


def test_played_by_taps_and_accessible_at_every_step(window):
    accessible(window)
    window.locator("#start").tap()
    accessible(window)
    for k in range(12):
        window.locator(f"[data-answer={'normal' if k % 2 else 'covid'}]").tap()
        if k == 4:
            accessible(window)
            window.locator("#back").tap()
            assert window.locator("#quiz-title").inner_text() == "Image 5 of 12"
            window.locator("[data-answer=covid]").tap()
    right = sum(label == ("normal" if k % 2 else "covid") for k, label in enumerate(TRUTH))
    assert window.locator("#score-title").inner_text().startswith(f"You: {right} of 12.")
    accessible(window)
    window.locator("#how").tap()
    turned = 0
    for k, image in enumerate(IMAGES):
        assert f"Image {k + 1} of 12" in window.locator("#verdict").inner_text()
        for letter in "LR":
            window.locator(".switch label", has_text=letter).tap()
            said = phone.CLASSES[network(image, letter)]
            assert (
                f"With the letter {letter}, the network says {said}"
                in window.locator("#verdict").inner_text()
            )
            width = window.locator("#bar-covid").get_attribute("style")
            assert float(width.removeprefix("width: ").rstrip("%; ")) == pytest.approx(
                100 * image["covid"][letter], abs=1e-3
            )
        turned += network(image, "L") != network(image, "R")
        if k == 0:
            accessible(window)
        window.locator("#next").tap()
    assert turned > 9, "the letter decides"
    window.locator("#what").tap()
    accessible(window)
    window.locator("#again").tap()
    window.locator("#start").tap()
    assert window.locator("#quiz-title").inner_text() == "Image 1 of 12"
    assert window.locator("#progress").evaluate("bar => bar.value") == 0


def test_keys_act_only_inside_the_quiz(window):
    window.locator("#start").click()
    window.evaluate("document.activeElement.blur()")
    window.keyboard.press("1")
    assert window.locator("#quiz-title").inner_text() == "Image 1 of 12"
    window.locator("[data-answer=covid]").focus()
    window.keyboard.press("Control+1")
    assert window.locator("#quiz-title").inner_text() == "Image 1 of 12"


def test_its_intervals_and_its_test_are_those_of_the_course(window):
    shown = window.evaluate("[...Array(13).keys()].map(k => wilson(k, 12))")
    assert shown == [pytest.approx(stats.wilson(k, 12), abs=1e-12) for k in range(13)]
    for a in range(13):
        for b in range(13 - a):
            net, you = [True] * a + [False] * b, [False] * a + [True] * b
            assert window.evaluate(f"mcnemar({a}, {b})") == pytest.approx(
                stats.mcnemar_exact(net, you), abs=1e-12
            )


def test_whoever_wants_no_movement_sees_none(window):
    moves = "getComputedStyle(document.getElementById('bar-covid')).transitionDuration"
    assert window.evaluate(moves) == "0.35s"
    window.emulate_media(reduced_motion="reduce")
    assert window.evaluate(moves) == "0s"


def test_without_a_script_one_reads_it_all(browser, address):  # noqa: F811
    page = browser.new_context(java_script_enabled=False, viewport=SCREEN).new_page()
    page.goto(f"{address}/phone/index.html")
    assert page.locator("noscript li:visible").count() == 12
    assert page.get_by_role("heading", name="This network read the letter").is_visible()
    assert page.locator("button:visible").count() == 0
    page.context.close()


def test_the_code_for_the_lecture_hall(browser, monkeypatch, tmp_path):  # noqa: F811
    segno = pytest.importorskip("segno", reason="segno is not installed: make test-site")
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed: make test-site"
    )
    monkeypatch.setattr(links, "repository", lambda root=ROOT: "https://github.com/ann/cxr-course")
    made = phone.put(tmp_path)
    assert sum(path.stat().st_size for path in made) < phone.LIMIT
    leads = "https://ann.github.io/cxr-course/phone/"
    page = browser.new_context(
        color_scheme="dark", viewport={"width": 1280, "height": 800}
    ).new_page()
    page.goto((tmp_path / "phone" / "lecture_hall.html").as_uri())
    assert page.get_by_role("link").get_attribute("href") == leads
    assert not axe.Axe().run(page, options=RULES).response["violations"]
    assert page.evaluate("document.documentElement.scrollHeight") <= 800, (
        "on one screen of a lecture hall"
    )
    for name, script in (("lecture_hall.html", ""), ("index.html", "go('why')")):
        page.goto((tmp_path / "phone" / name).as_uri())
        if script:
            page.evaluate(script)
        drawing = page.get_by_role("img", name=f"QR code of {leads}")
        with Image.open(io.BytesIO(drawing.screenshot())) as image:
            seen = image.convert("L")
        code = [list(row) for row in segno.make(leads, error="m").matrix_iter(border=4)]
        step = seen.width / len(code)
        dark = [
            [
                int(seen.getpixel((int((x + 0.5) * step), int((y + 0.5) * step))) < 128)
                for x in range(len(code))
            ]
            for y in range(len(code))
        ]
        assert dark == code, "dark on light with its quiet zone, in the dark mode too"
    page.context.close()
