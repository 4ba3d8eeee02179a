"""The site's page for a phone: committed as the package draws and says it, and small."""

import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import stats
from tests.conftest import ROOT
from tools.build import links, phone
from tools.common import ToolError

FOLDER = ROOT / phone.FOLDER
FOUND = phone.stored()
TABLE = phone.cohort()
AGAIN = f"`{phone.COMMAND}` draws and measures anew"
LOADED = re.compile(r"""\b(?:src|href|action|poster|srcset)=["']([^"']+)|url\(([^)]+)\)|@import""")


def committed(name: str) -> np.ndarray:
    with Image.open(FOLDER / name) as image:
        assert image.size == (phone.SIDE, phone.SIDE)
        return np.asarray(image.convert("L")).astype(int)


@pytest.fixture(scope="module")
def drawn() -> list[dict]:
    return phone.pictures(TABLE)


# --- what is committed ----------------------------------------------------------------------------


def test_the_numbers_come_from_this_recipe():
    assert FOUND["recipe"] == phone.digest(), f"the recipe changed: {AGAIN}"
    assert FOUND["command"] == phone.COMMAND
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", FOUND["date"])


@pytest.mark.slow
def test_a_recipe_changed_is_seen(monkeypatch):
    monkeypatch.setitem(phone.RECIPE, "seed", 1)
    assert phone.digest() != FOUND["recipe"]


def test_each_image_is_the_one_that_the_package_draws(drawn):
    assert {picture["file"] for picture in drawn} == {path.name for path in FOLDER.glob("*.webp")}
    by_file = {picture["file"]: picture for picture in drawn}
    for name, picture in by_file.items():
        image = phone.grey(picture["row"]).astype(int)
        lost = np.abs(committed(name) - image)
        assert lost.mean() < 3, f"{name} is another image: {AGAIN}"
        # the same chest with the other letter differs in the letter
        if not name.startswith("example"):
            other = phone.grey(by_file[name.translate(str.maketrans("LR", "RL"))]["row"]).astype(
                int
            )
            letter = np.abs(other - image) > 40
            assert letter.sum() > 50
            assert lost[letter].mean() < 20, f"{name} has another letter: {AGAIN}"
            assert np.abs(committed(name) - other)[letter].mean() > 40


def test_descriptions_are_those_of_the_images(drawn):
    said = {f"example-{label}.webp": text for label, text in FOUND["examples"].items()}
    for k, image in enumerate(FOUND["images"], 1):
        said |= {f"{k:02d}-{letter}.webp": text for letter, text in image["alt"].items()}
    assert said == {picture["file"]: picture["description"] for picture in drawn}, AGAIN


def test_a_description_says_what_is_drawn_and_not_what_it_is_called():
    row = phone.examples(TABLE).loc["covid"]
    text = phone.description(row)
    assert "clear haze in the" in text
    assert text.endswith("Letter R at the upper left.")
    called_normal = row.copy()
    called_normal["label"] = "normal"  # what is drawn stands in `disease`
    assert phone.description(called_normal) == text
    invisible = row.copy()
    invisible["severity"] = 0.0
    assert phone.description(invisible).count("no haze to be seen") == 2
    words = [text for image in FOUND["images"] for text in image["alt"].values()]
    assert len(words) == 24
    assert not [text for text in words if re.search("normal|covid|disease", text, re.IGNORECASE)]


def test_haze_is_described_where_it_is():
    haze, lung = np.zeros((480, 480)), np.zeros((480, 480), bool)
    lung[60:420, 40:200] = True
    haze[60:180, 40:120] = 2 * phone.PLAIN
    haze[300:420, 120:200] = phone.FAINT + 1
    seen = phone._seen(haze, lung, "left")
    assert seen == "clear haze in the upper outer part and faint haze in the lower inner part"
    assert phone._seen(haze[:, ::-1], lung[:, ::-1], "right") == seen
    assert phone._seen(0 * haze, lung, "left") == "dark, no haze to be seen"


def test_none_of_the_twelve_was_picked_or_trained_on():
    shown, test = phone.twelve(TABLE), TABLE.iloc[: phone.RECIPE["test"]]
    assert shown["label"].value_counts().to_dict() == {"normal": phone.EACH, "covid": phone.EACH}
    for label, rows in shown.groupby("label"):
        assert list(rows.index) == list(test.index[test["label"] == label][: phone.EACH])
    assert TABLE["patient"].is_unique
    assert set(phone.examples(TABLE).index) == set(phone.CLASSES)
    assert not set(phone.examples(TABLE)["patient"]) & set(test["patient"])
    assert [image["label"] for image in FOUND["images"]] == list(shown["label"])
    assert [image["letter"] for image in FOUND["images"]] == list(shown["marker"])


def test_the_letter_tells_the_label_and_is_switched_whole():
    assert (TABLE["marker"] == TABLE["label"].map(phone.LETTERS)).all()
    other = phone.switched(TABLE)
    assert (other["marker"] != TABLE["marker"]).all()
    assert set(other["marker"]) == {"L", "R"}
    pd.testing.assert_frame_equal(other.drop(columns="marker"), TABLE.drop(columns="marker"))


@pytest.mark.parametrize("name", ["as_taken", "switched", "at_random"])
def test_each_accuracy_has_the_interval_of_the_course(name):
    stated = FOUND[name]
    k, n = stated["right"], stated["n"]
    assert n == phone.RECIPE["test"]
    assert phone.accuracy(np.arange(n) < k) == stated
    assert (stated["low"], stated["high"]) == pytest.approx(stats.wilson(k, n), abs=1e-4)


def test_what_the_page_tells_is_so():
    """Its text says that the network read the letter.

    So its intervals must lie apart, and the switch turn the answers.
    """
    assert (
        FOUND["switched"]["high"]
        < FOUND["at_random"]["low"]
        < FOUND["at_random"]["high"]
        < FOUND["as_taken"]["low"]
    )
    turned = [
        (image["covid"]["L"] > 0.5) != (image["covid"]["R"] > 0.5) for image in FOUND["images"]
    ]
    assert np.mean(turned) > 0.8


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture
def unpublished(monkeypatch):
    monkeypatch.setattr(links, "repository", lambda root=ROOT: "")


def test_the_page_is_small_and_asks_nobody(unpublished, tmp_path):
    made = phone.put(tmp_path)
    assert sum(path.stat().st_size for path in made) < phone.LIMIT
    assert [path.name for path in made if path.suffix == ".html"] == ["index.html"], (
        "no code without an address"
    )
    text = made[0].read_text(encoding="utf-8")
    asked = ["".join(found) for found in LOADED.findall(text)]
    assert len(asked) > 15
    assert not [address for address in asked if ":" in address or address.startswith("//")]
    assert "@import" not in asked
    shown = {path.name for path in made}
    assert {address for address in asked if address.endswith(".webp")} <= shown
    assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE), (
        "no address, not even in a script"
    )


def test_without_a_script_the_twelve_stand_with_their_answers(unpublished):
    part = re.search(r"<noscript>(.*?)</noscript>", phone.page()["index.html"], re.DOTALL)[1]
    items = re.findall(r"<li>(.*?)</li>", part, re.DOTALL)
    assert len(items) == len(FOUND["images"]) == 12
    for item, image in zip(items, FOUND["images"], strict=True):
        assert f">{phone.CLASSES[image['label']]}</strong>" in item
        for letter, covid in image["covid"].items():
            assert phone.answer(letter, covid) in item
        assert image["alt"][image["letter"]] in item


def test_an_answer_in_words():
    assert phone.answer("R", 0.9996) == "R: COVID-19, over 99\u00a0%"
    assert phone.answer("L", 0.034) == "L: Normal, 97\u00a0%"
    assert phone.answer("L", 0.994) == "L: COVID-19, 99\u00a0%"


def test_the_data_cannot_end_the_script(unpublished):
    text = phone.page()["index.html"]
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[
        1
    ]
    assert json.loads(data) == {"classes": phone.CLASSES} | FOUND


def test_a_place_without_a_value_and_missing_numbers_are_said(tmp_path):
    with pytest.raises(ToolError, match=r"nothing to put at \{\{NEW\}\}"):
        phone.filled("{{OLD}} {{NEW}}", {"OLD": "x"})
    with pytest.raises(ToolError, match=r"phone\.json is missing: python -m tools\.build\.phone"):
        phone.stored(tmp_path)


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("", ""),
        ("https://github.com/Ann/cxr-course", "https://ann.github.io/cxr-course/"),
        ("https://github.com/ann/ann.github.io", "https://ann.github.io/"),
    ],
)
def test_the_address_of_the_site(monkeypatch, repository, address):
    monkeypatch.setattr(links, "repository", lambda root=ROOT: repository)
    assert links.site() == address


def test_no_two_images_are_the_same():
    names = list(FOLDER.glob("*.webp"))
    assert (
        len({hashlib.sha256(path.read_bytes()).hexdigest() for path in names}) == len(names) == 26
    )
