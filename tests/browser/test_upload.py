"""The upload button in JupyterLab, in a browser: what shows between a file chosen and its answer.

Needs `pip install playwright` and a Chromium, on the path or in CXR_CHROMIUM; skipped without. With
CXR_SCREENSHOTS a folder is filled with pictures of the page.
"""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.tensorflow]

LOG = logging.getLogger(__name__)  # times, shown by --log-cli-level=INFO
ROOT = Path(__file__).resolve().parents[2]
CLASSES, SIZE = ("normal", "covid", "viral"), 64
# `make lab` for a folder, which raises the limit of 10 MB, and a JupyterLab with its own settings.
MAKE_LAB = [
    "-c",
    "import pathlib, sys; from tools import lab; lab.main(sys.argv[2:], pathlib.Path(sys.argv[1]))",
]
PLAIN = ["-m", "jupyter", "lab"]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
QUIET += ["--disable-component-update", "--disable-sync"]
CELL = """
from cxr_helpers import deploy, plots

bundle = deploy.load_bundle("bundle")
_ = plots.answer(deploy.answer(bundle, "files/phantom.png")).png()  # ready for the first upload
deploy.upload_widget(bundle, picture=plots.answer)
""".strip()
# Everything that the page shows, whenever it changes: seconds, what is being read, and the files
# whose answers stand.
WATCH = """() => {
  const box = document.querySelector('.cxr-upload');
  const answers = box.querySelector('.cxr-answers');
  window.seen = [];
  const look = () => {
    const names = [...answers.querySelectorAll('b')].map(b => b.textContent);
    const visible = answers.offsetParent === null ? [] : names;
    const reading = box.querySelector('.cxr-reading').innerText.trim();
    window.seen.push({at: performance.now() / 1000, reading: reading, files: visible});
  };
  look();
  const all = {subtree: true, childList: true, attributes: true, characterData: true};
  new MutationObserver(look).observe(box, all);
}"""


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install playwright"
    )
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CXR_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on the path: install one, or name it in CXR_CHROMIUM")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


def noise(path: Path, size: int) -> Path:
    """A PNG of nearly `size` bytes that cannot be compressed: as slow to decode as large films."""
    side = int((size - 60_000) ** 0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    Image.fromarray(pixels).save(path, compress_level=0)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bundle of an untrained network with a gate, a notebook of one cell, and files to upload."""
    import keras
    import nbformat

    from cxr_helpers import deploy, phantom, preprocess, uncertainty

    top = tmp_path_factory.mktemp("course")
    rows = phantom.design("clean", n=60, seed=0).to_dict("records")
    drawn = [phantom.render(row, masks=False).image for row in rows]
    seen = np.stack([preprocess.prepare(image, SIZE) for image in drawn])
    gate = uncertainty.fit_gate(seen[:40], seen[40:])
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((SIZE, SIZE, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(8, 3),
    ]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, "softmax")]
    settings = {
        "classes": CLASSES,
        "preprocessing": {"size": SIZE, "fit": "pad", "contrast": None},
        "gate": gate,
    }
    settings |= {"conformal_limit": 0.7, "positive": "covid", "threshold": 0.3}
    settings["trained_on"] = "nothing: its weights are random"
    settings["threshold_meaning"] = "taken for this test, and means nothing"
    deploy.save_bundle(top / "bundle", keras.Sequential(layers), **settings)

    files = top / "files"
    files.mkdir()
    accepted = 40 + int(np.flatnonzero(uncertainty.gate_scores(gate, seen[40:])["accepted"])[0])
    Image.fromarray((255 * drawn[accepted]).astype(np.uint8)).save(files / "phantom.png")
    whole = (files / "phantom.png").read_bytes()
    (files / "cut off.png").write_bytes(whole[: len(whole) // 2])
    (files / "text <b>bold.png").write_text("Dear colleague, here are the notes.")
    noise(files / "11 MB.png", 11_000_000)
    noise(files / "30 MB.png", 30_000_000)
    noise(files / "31 MB.png", 31_000_000)
    cell = nbformat.v4.new_code_cell(CELL)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), top / "upload.ipynb")
    return top


@contextmanager
def server(folder: Path, start: list[str]):
    """The address of a JupyterLab in a folder, ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        *start,
        str(folder),
        "--no-browser",
        "--allow-root",
        f"--ServerApp.port={port}",
    ]
    command += [
        "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
    ]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    settings = {
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        "PYTHONPATH": paths,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


class Page:
    """The notebook in a browser, its cell run."""

    def __init__(self, browser, address: str, folder: Path):
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.folder = folder
        self.page.goto(f"{address}/lab/tree/upload.ipynb")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        idle = (
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === "
            "'idle'"
        )
        self.page.wait_for_function(idle, timeout=60_000)
        self.run()

    def run(self) -> None:
        """Run the cell and wait for its button."""
        self.page.evaluate("() => jupyterapp.commands.execute('runmenu:run-all')")
        self.page.locator(".cxr-upload button").wait_for(timeout=120_000)
        self.page.locator(".cxr-answers").wait_for()
        # the script that watches the button looks for it every 0.1 s
        self.page.wait_for_timeout(500)
        self.page.evaluate(WATCH)

    def choose(self, *names: str) -> float:
        """Choose files; returns when, on the page's clock."""
        with self.page.expect_file_chooser() as chooser:
            self.page.locator(".cxr-upload button").click()
        at = self.page.evaluate("() => performance.now() / 1000")
        chooser.value.set_files(
            [name if Path(name).is_absolute() else self.folder / "files" / name for name in names]
        )
        return at

    def answered(self, *names: str, seconds: float = 60) -> str:
        """Wait until exactly these answers stand and nothing is being read; returns their text."""
        done = (
            "names => { const s = window.seen.at(-1); return !s.reading && String(s.files) === "
            "String(names); }"
        )
        self.page.wait_for_function(done, arg=list(names), timeout=1000 * seconds)
        return self.page.locator(".cxr-answers").inner_text()

    def reads(self, start: str, since: float) -> None:
        """Wait until the page has shown that it reads something, however shortly."""
        done = (
            "([start, since]) => window.seen.some(each => each.at >= since && "
            "each.reading.startsWith(start))"
        )
        self.page.wait_for_function(done, arg=[start, since])

    def seen(self, since: float) -> list[dict]:
        return [each for each in self.page.evaluate("() => window.seen") if each["at"] >= since]

    def shoot(self, name: str) -> None:
        if folder := os.environ.get("CXR_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.locator(".cxr-upload").scroll_into_view_if_needed()
            self.page.screenshot(path=Path(folder, f"{name}.png"))


@pytest.fixture(scope="module")
def page(chromium, folder):
    with server(folder, MAKE_LAB) as address:
        yield Page(chromium, address, folder)


def check(page: Page, names: list[str], at: float) -> str:
    """The page's text: "Reading" came within 1 s, the answer within 5 s of arrival.

    Nothing old was shown in between.
    """
    names = [Path(name).name for name in names]
    page.reads(f"Reading {names[0]}", at)
    text = page.answered(*names)
    seen = page.seen(at)
    first = next(each for each in seen if each["reading"].startswith("Reading"))
    assert first["at"] - at < 1
    arrived = next(each for each in seen if each["reading"].startswith(f"Reading {names[0]}"))
    finished = next(each for each in seen if each["files"] == names and not each["reading"])
    times = [each["at"] - at for each in (first, arrived, finished)]
    LOG.info(
        "%s, seconds after the choice: reading %.2f, arrived %.2f, answered %.2f",
        ", ".join(names),
        *times,
    )
    assert finished["at"] - arrived["at"] < 5 * len(names)
    shown = [each["files"] for each in seen if each["at"] >= first["at"]]
    assert all(files == names[: len(files)] for files in shown), shown
    return text


def test_each_file_has_its_own_sentence_and_no_earlier_one_is_beside_it(page):
    answers = {
        "phantom.png": r"Most probable: \w+\. "
        r"Probabilities: normal 0\.\d\d, covid 0\.\d\d, viral 0\.\d\d\.",
        "cut off.png": "Refused: The file is truncated or damaged",
        "text <b>bold.png": "Refused: The file is not an image",
        "11 MB.png": "Refused: The input gate refuses the image|Most probable",
        "30 MB.png": "Refused: The input gate refuses the image|Most probable",
        "31 MB.png": r"Refused: The file has 31\.0 MB; at most 30 MB are accepted",
    }
    for name, sentence in answers.items():
        text = check(page, [name], page.choose(name))
        assert re.search(sentence, text), text
        assert "Educational, not for diagnosis." in text
        page.shoot(re.sub(r"\W+", "_", name.removesuffix(".png")))
    check(page, ["phantom.png"], page.choose("phantom.png"))
    check(page, ["phantom.png"], page.choose("phantom.png"))  # the same file again


def test_the_page_says_what_the_answer_rests_on(page):
    text = check(page, ["phantom.png"], page.choose("phantom.png"))
    for sentence in (
        "The network was trained on nothing: its weights are random.",
        "Called covid from a probability of 0.30 on: ",
        "This threshold is taken for this test, and means nothing.",
        "Cannot be excluded: ",
    ):
        assert sentence in text
    assert "up to 30 MB each" in page.page.locator(".cxr-upload").inner_text().replace("\xa0", " ")
    alt = page.page.locator(".cxr-answers img").get_attribute("alt")
    assert alt.startswith("phantom.png: probabilities normal 0.")
    assert page.page.locator(".cxr-answers img").evaluate(
        "image => image.complete && image.naturalWidth > 100"
    )


def test_a_real_radiograph(page, real_data):
    path = min((real_data / "covid19-image-dataset").rglob("*.jp*g"))
    text = check(page, [str(path)], page.choose(str(path)))
    assert re.search("Refused: The input gate|Most probable", text)
    page.shoot("real_radiograph")


def test_several_files_are_answered_in_their_order(page):
    names = ["text <b>bold.png", "phantom.png", "cut off.png"]
    check(page, names, page.choose(*names))
    page.shoot("several")


@pytest.mark.parametrize("stage", ["Reading the file", "Reading 30 MB.png"])
def test_of_two_choices_in_a_row_the_last_one_stays(page, stage):
    """The second is made while the first is on its way to the kernel, or being answered there."""
    page.reads(stage, page.choose("30 MB.png"))
    at = page.choose("phantom.png")
    page.reads("Reading phantom.png", at)
    page.answered("phantom.png")
    page.page.wait_for_timeout(1500)
    seen = page.seen(at)
    assert seen[-1]["files"] == ["phantom.png"]
    assert all(each["files"] in ([], ["30 MB.png"], ["phantom.png"]) for each in seen)
    if stage == "Reading 30 MB.png":  # then the page knows which answer is an earlier one
        chosen = next(
            k for k, each in enumerate(seen) if each["reading"].startswith("Reading the file")
        )
        assert all(each["files"] in ([], ["phantom.png"]) for each in seen[chosen:])
    page.shoot("two_in_a_row")


def test_a_file_that_the_server_drops_leaves_no_earlier_answer(chromium, folder):
    """Without the raised limit 11 MB never arrive.

    The old answer goes, and the page says what may have happened.
    """
    with server(folder, PLAIN) as address:
        page = Page(chromium, address, folder)
        check(page, ["phantom.png"], page.choose("phantom.png"))
        at = page.choose("11 MB.png")
        page.page.get_by_text("Nothing has come back for 15 seconds").wait_for(timeout=20_000)
        assert not [each for each in page.seen(at) if each["reading"] and each["files"]]
        page.shoot("dropped")
        page.run()  # as the page says
        check(page, ["phantom.png"], page.choose("phantom.png"))
