"""Images that show nothing are reported, and what the import accepts can be read."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from cxr_helpers import audit, images, manifest
from tests import draw

FILM = draw.radiograph("Covid", 64, 1)


def lettered(side=3):
    pixels = FILM.astype(np.uint16) * 16
    pixels[2 : 2 + side, 2 : 2 + side] = 65535
    return pixels


# Pixels -> what the import and the audit say of them.
EMPTY = {
    "black": (Image.new("L", (40, 40)), "one grey level only (black)"),
    "white": (Image.new("L", (40, 40), 255), "one grey level only (white)"),
    "grey": (Image.new("RGB", (40, 40), (90, 90, 90)), "one grey level only (grey)"),
    "one colour": (Image.new("RGB", (40, 40), (200, 100, 50)), "one grey level only (grey)"),
    "all transparent": (
        Image.fromarray(np.dstack([FILM] * 3 + [0 * FILM]), "RGBA"),
        "one grey level only (black)",
    ),
    "16 bits of nothing": (Image.new("I;16", (40, 40)), "one grey level only (black)"),
    "a palette of one colour": (Image.new("P", (40, 40), 3), "one grey level only"),
    "almost one grey": (
        Image.fromarray(np.uint8(100 + FILM // 64)),
        "hardly more than one grey level",
    ),
    "nearly black": (Image.fromarray(FILM // 8), "nearly black"),
    "6 bits in 8": (Image.fromarray(FILM // 4), "nearly black"),
    "12 bits in 16 with a white letter": (
        Image.fromarray(lettered()),
        "nearly black but for a quarter of its pixels",
    ),
    "12 bits in 16, a fifth burnt white": (
        Image.fromarray(lettered(29)),
        "nearly black but for a quarter",
    ),
    "white and all transparent": (
        Image.new("LA", (40, 40), (255, 0)),
        "one grey level only (black)",
    ),
    "one pixel": (Image.new("L", (1, 1), 9), "one grey level only"),
    "3 × 3": (Image.fromarray(FILM[:3, :3]), "smaller than 8 pixels"),
    "a strip of 4": (Image.fromarray(FILM[:4]), "smaller than 8 pixels"),
}


def imported(folder, odd):
    for label, (number, image) in itertools.product(
        ("Covid", "Normal"), enumerate([odd, *usual()])
    ):
        path = folder / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    return manifest.from_folder(folder, progress=False)


def usual():
    return [Image.fromarray(draw.radiograph("Normal", 64, seed)) for seed in range(2)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", EMPTY)
def test_an_image_that_shows_nothing_is_said(tmp_path, name):
    image, words = EMPTY[name]
    found = imported(tmp_path, image)
    assert f"2 images: {words}" in found.understood
    odd = found.table[found.table["remarks"].notna()]
    assert list(odd["image_id"]) == ["Covid/0.png", "Normal/0.png"]
    rows = audit.report(found.table).query(
        "check == 'grey levels' and finding.str.contains(@words, regex=False)"
    )
    assert rows["verdict"].tolist() == ["fault" if "one grey level" in words else "look"]
    assert "Covid/0.png" in rows["examples"].item()


def test_remarks_survive_writing_and_joining(tmp_path):
    found = imported(tmp_path / "set", Image.new("L", (40, 40)))
    manifest.write(found.table, tmp_path / "table.csv")
    again = manifest.read(tmp_path / "table.csv")
    both = manifest.concat({"a": again, "b": again.drop(columns="remarks")})
    row = audit.report(both).set_index("check").loc["grey levels"]
    assert row["finding"] == "2 image(s): one grey level only (black)"


MODES = (
    "1",
    "L",
    "P",
    "LA",
    "PA",
    "RGB",
    "RGBA",
    "RGBX",
    "La",
    "RGBa",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "I;16",
    "I;16B",
    "F",
)
WHOLE = {
    "int32": np.int32(FILM),
    "int32 of 20 bits": np.int32(FILM) * 4096,
    "negative": np.int32(FILM) - 300,
    "float": np.float32(FILM) / 255,
    "float to 255": np.float32(FILM),
    "float to 255.5": np.float32(FILM) + np.float32(0.5),
    "nan": np.where(FILM > 99, np.float32("nan"), np.float32(0)),
}


def files():
    for mode, kind in itertools.product(
        MODES, ("PNG", "TIFF", "JPEG", "JPEG2000", "WEBP", "GIF", "BMP")
    ):
        buffer = io.BytesIO()
        try:
            Image.new(mode, (12, 9)).save(buffer, kind)
        except (OSError, ValueError, KeyError, SystemError):
            continue  # that format does not hold this mode
        yield f"{mode} {kind}", buffer.getvalue()
    for name, pixels in WHOLE.items():
        yield name, draw.encoded(Image.fromarray(pixels), "TIFF")
    yield "noise", np.random.default_rng(0).bytes(500)


FILES = dict(files())


def test_the_table_of_files_is_long():
    assert len(FILES) > 50


@pytest.mark.filterwarnings("ignore::cxr_helpers.images.ImageWarning")
@pytest.mark.parametrize("name", FILES)
def test_what_is_described_can_be_read_and_what_cannot_is_refused_by_both(name):
    outcomes = []
    for use in (images.describe, images.read):
        try:
            outcomes.append(use(FILES[name]))
        except images.ImageError as error:
            outcomes.append(error.problem)
    info, grey = outcomes
    if isinstance(info, str):
        assert info == grey
        return
    assert grey.shape == (info.height, info.width)
    assert grey.min() >= 0
    assert grey.max() <= 1
