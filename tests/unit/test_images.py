import os
import pickle
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from cxr_helpers import images, manifest
from tests import draw

G = 51  # 0.2 of full scale
LUMA = 0.299 * 200 / 255 + 0.587 * 100 / 255 + 0.114 * 50 / 255


def palette():
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").copy()
    image = Image.frombytes("P", (2, 1), image.tobytes())
    image.putpalette([200, 100, 50, 255, 255, 255])
    return image


def sixteen(values):
    return Image.fromarray(np.array([values], np.uint16))


# What a file says -> what must be read, from left to right.
PIXELS = {
    "L": (Image.new("L", (1, 1), G), "PNG", [0.2]),
    "1-bit": (Image.fromarray(np.array([[True, False]])), "PNG", [1, 0]),
    "RGB grey": (Image.new("RGB", (1, 1), (G, G, G)), "PNG", [0.2]),
    "RGB colour": (Image.new("RGB", (1, 1), (200, 100, 50)), "PNG", [LUMA]),
    "RGBA opaque": (Image.new("RGBA", (1, 1), (G, G, G, 255)), "PNG", [0.2]),
    "RGBA half": (Image.new("RGBA", (1, 1), (G, G, G, 128)), "PNG", [0.2 * 128 / 255]),
    "RGBA clear": (Image.new("RGBA", (1, 1), (255, 255, 255, 0)), "PNG", [0]),
    "LA": (Image.new("LA", (1, 1), (G, 255)), "PNG", [0.2]),
    "LA half": (Image.new("LA", (1, 1), (G, 128)), "PNG", [0.2 * 128 / 255]),
    "palette": (palette(), "PNG", [LUMA, 1]),
    "16-bit": (sixteen([0, 13107, 65535]), "PNG", [0, 0.2, 1]),
    "16-bit TIFF": (sixteen([0, 13107, 65535]), "TIFF", [0, 0.2, 1]),
    "32-bit integers": (
        Image.fromarray(np.array([[0, 13107, 65535]], np.int32)),
        "TIFF",
        [0, 0.2, 1],
    ),
    "fractions": (Image.fromarray(np.array([[0, 0.2, 1]], np.float32)), "TIFF", [0, 0.2, 1]),
    "BMP": (Image.new("L", (1, 1), G), "BMP", [0.2]),
    "GIF": (Image.new("L", (1, 1), G), "GIF", [0.2]),
}


@pytest.mark.parametrize("name", PIXELS)
def test_pixel_values(name):
    image, kind, expected = PIXELS[name]
    grey = images.read(draw.encoded(image, kind))
    assert grey.dtype == np.float32
    assert grey.shape == (1, len(expected))
    np.testing.assert_allclose(
        grey[0], expected, atol=1.01 / 255 / 2 if "colour" in name or name == "palette" else 1e-6
    )


def test_palette_with_a_transparent_entry_is_composited_on_black():
    grey = images.read(draw.encoded(palette(), "PNG", transparency=1))
    np.testing.assert_allclose(grey[0], [LUMA, 0], atol=0.002)


@pytest.mark.parametrize(("kind", "tolerance"), [("JPEG", 0.03), ("PNG", 1e-6), ("WEBP", 0.1)])
def test_a_drawn_radiograph_survives_its_format(kind, tolerance):
    pixels = draw.radiograph("Covid", 96, 3)
    image = Image.fromarray(pixels) if kind != "WEBP" else Image.fromarray(pixels).convert("RGB")
    grey = images.read(draw.encoded(image, kind, **({} if kind == "PNG" else {"quality": 95})))
    assert np.abs(grey - pixels / 255).mean() <= tolerance


def test_32_bit_grey_levels_of_unknown_scale_are_refused():
    data = draw.encoded(Image.fromarray(np.array([[0, 70_000]], np.int32)), "TIFF")
    with pytest.raises(images.ImageError, match="full scale is unknown"):
        images.read(data)


@pytest.mark.parametrize("orientation", [1, 3])
@pytest.mark.parametrize(
    "image", [sixteen([0, 13107, 65535]), Image.fromarray(np.array([[0, 0.2, 1]], np.float32))]
)
def test_a_tiff_that_stores_white_as_zero_is_no_negative(image, orientation):
    # PhotometricInterpretation, one short: 1 says that black is zero
    entry = struct.pack("<HHI", 262, 3, 1)
    data = draw.encoded(image, "TIFF", tiffinfo={274: orientation})
    assert data.count(entry + b"\1") == 1
    grey = images.read(data.replace(entry + b"\1", entry + b"\0"))
    np.testing.assert_allclose(grey[0], [1, 0.8, 0] if orientation == 1 else [0, 0.8, 1], atol=1e-6)
    assert grey.dtype == np.float32


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [[0, 1, 2], [3, 4, 5]]),
        (3, [[5, 4, 3], [2, 1, 0]]),
        (6, [[3, 0], [4, 1], [5, 2]]),
        (8, [[2, 5], [1, 4], [0, 3]]),
    ],
)
def test_exif_orientation_is_applied(tmp_path, orientation, expected):
    image = Image.fromarray(np.array([[0, 1, 2], [3, 4, 5]], np.uint8) * 51)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    image.save(path, exif=exif)
    np.testing.assert_allclose(images.read(path), np.array(expected) / 5, atol=1e-6)
    info = images.describe(path)
    assert (info.height, info.width) == np.shape(expected)


# DICOM: pixels, tags -> values. Order: modality LUT, window, MONOCHROME1, scale.
STEPS = np.array([[0, 100, 200, 400]], np.uint16)
WINDOW = {"WindowCenter": 200.5, "WindowWidth": 401}  # C.11.2.1.2: 0 at 0, 1 at 400
DICOM = {
    "no window: own range": ({}, [0, 0.25, 0.5, 1]),
    "window": (WINDOW, [0, 0.25, 0.5, 1]),
    "narrow window": ({"WindowCenter": 150.5, "WindowWidth": 101}, [0, 0, 1, 1]),
    "several windows: the first": (
        {"WindowCenter": [200.5, 50], "WindowWidth": [401, 10]},
        [0, 0.25, 0.5, 1],
    ),
    "rescale before window": (
        {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 300.5, "WindowWidth": 801},
        [0, 0.25, 0.5, 1],
    ),
    "negative slope": ({"RescaleSlope": -1, "RescaleIntercept": 400, **WINDOW}, [1, 0.75, 0.5, 0]),
    "negative slope, no window": ({"RescaleSlope": -1, "RescaleIntercept": 0}, [1, 0.75, 0.5, 0]),
    "MONOCHROME1": ({"photometric": "MONOCHROME1", **WINDOW}, [1, 0.75, 0.5, 0]),
    "MONOCHROME1, no window": ({"photometric": "MONOCHROME1"}, [1, 0.75, 0.5, 0]),
    "MONOCHROME1 and negative slope": (
        {"photometric": "MONOCHROME1", "RescaleSlope": -1, "RescaleIntercept": 400, **WINDOW},
        [0, 0.25, 0.5, 1],
    ),
    "exact window": (
        {"WindowCenter": 200, "WindowWidth": 400, "VOILUTFunction": "LINEAR_EXACT"},
        [0, 0.25, 0.5, 1],
    ),
    "sigmoid": (
        {"WindowCenter": 200, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"},
        [1 / (1 + np.exp(2)), 1 / (1 + np.exp(1)), 0.5, 1 / (1 + np.exp(-2))],
    ),
    "window of no width counts as none": ({"WindowCenter": 1, "WindowWidth": 0}, [0, 0.25, 0.5, 1]),
}


@pytest.mark.parametrize("name", DICOM)
def test_dicom_values(name):
    tags, expected = DICOM[name]
    grey = images.read(draw.dicom(STEPS, **tags))
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey[0], expected, atol=1e-6)


def test_dicom_with_a_look_up_table_prefers_it_to_the_window():
    from pydicom.dataset import Dataset

    lut = Dataset()
    lut.LUTDescriptor = [4, 0, 8]
    lut.LUTData = [0, 51, 102, 255]
    lut["LUTData"].VR = "US"
    grey = images.read(
        draw.dicom(np.array([[0, 1, 2, 3]], np.uint16), VOILUTSequence=[lut], **WINDOW)
    )
    np.testing.assert_allclose(grey[0], [0, 0.2, 0.4, 1], atol=1e-6)


def test_dicom_with_signed_pixels_and_a_flat_image():
    np.testing.assert_allclose(
        images.read(draw.dicom(np.array([[-100, 0, 100]], np.int16)))[0], [0, 0.5, 1]
    )
    assert not images.read(draw.dicom(np.full((3, 3), 7, np.uint16))).any()


# Pixels, tags -> values: padding is neither counted in the range nor seen.
PADDED = {
    "below": ([0, 100, 150, 200], {"PixelPaddingValue": 0}, [0, 0, 0.5, 1]),
    "above": ([100, 150, 200, 4095], {"PixelPaddingValue": 4095}, [0, 0.5, 1, 0]),
    "a range": (
        [10, 12, 100, 200],
        {"PixelPaddingValue": 12, "PixelPaddingRangeLimit": 10},
        [0, 0, 0, 1],
    ),
    "MONOCHROME1": (
        [0, 100, 150, 200],
        {"PixelPaddingValue": 0, "photometric": "MONOCHROME1"},
        [0, 1, 0.5, 0],
    ),
    "before rescale": (
        [0, 100, 200],
        {"PixelPaddingValue": 0, "RescaleSlope": -1, "RescaleIntercept": 0},
        [0, 1, 0],
    ),
    "signed": (
        np.array([-2000, -100, 0, 100], np.int16),
        {"PixelPaddingValue": -2000},
        [0, 0, 0.5, 1],
    ),
    "none there": ([100, 150, 200], {"PixelPaddingValue": 7}, [0, 0.5, 1]),
    "everything counts as none": (
        [0, 100, 200],
        {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 200},
        [0, 0.5, 1],
    ),
    "empty": ([0, 100, 200], {"PixelPaddingValue": None}, [0, 0.5, 1]),
    # PS3.3 C.7.5.1.1.2: these pixels are "to be excluded from the normal grayscale rendering
    # pipeline".
    "under a window": ([0, 100, 200, 400], {"PixelPaddingValue": 400, **WINDOW}, [0, 0.25, 0.5, 0]),
    "a range under a window": (
        [0, 100, 390, 400],
        {"PixelPaddingValue": 400, "PixelPaddingRangeLimit": 390, **WINDOW},
        [0, 0.25, 0, 0],
    ),
    "MONOCHROME1 under a window": (
        [0, 100, 200, 400],
        {"PixelPaddingValue": 0, "photometric": "MONOCHROME1", **WINDOW},
        [0, 0.75, 0.5, 0],
    ),
    "a VOI function": (
        [400, 100, 200, 300],
        {
            "PixelPaddingValue": 400,
            "VOILUTFunction": "LINEAR_EXACT",
            "WindowCenter": 200,
            "WindowWidth": 200,
        },
        [0, 0, 0.5, 1],
    ),
    "inverse presentation": (
        [0, 100, 200, 400],
        {"PixelPaddingValue": 0, "PresentationLUTShape": "INVERSE", **WINDOW},
        [0, 0.75, 0.5, 0],
    ),
}


@pytest.mark.parametrize("name", PADDED)
def test_dicom_padding(name):
    pixels, tags, expected = PADDED[name]
    tags = {tag: "" if value is None else value for tag, value in tags.items()}
    pixels = np.array(pixels, getattr(pixels, "dtype", np.uint16))
    np.testing.assert_allclose(
        images.read(draw.dicom(pixels[None], **tags))[0], expected, atol=1e-6
    )


@pytest.mark.parametrize(
    ("pixels", "written", "found"),
    [
        (np.array([-2000, -100, 0, 100], np.int16), struct.pack("<h", -2000), [0, 0, 0.5, 1]),
        (np.array([63536, 100, 200, 300], np.uint16), struct.pack("<H", 63536), [0, 0, 0.5, 1]),
        # three bytes are no number
        (np.array([0, 100, 200, 400], np.uint16), b"\0\0\0", [0, 0.25, 0.5, 1]),
    ],
    ids=["signed", "unsigned", "length"],
)
def test_dicom_padding_written_with_the_wrong_sign_or_length(pixels, written, found):
    data = draw.dicom(pixels[None], PixelPaddingValue=5)
    right = b"SS" if pixels.dtype.kind == "i" else b"US"
    entry = struct.pack("<HH", 0x0028, 0x0120) + right + struct.pack("<Hh", 2, 5)
    assert data.count(entry) == 1
    wrong = (
        entry[:4] + (b"US" if right == b"SS" else b"SS") + struct.pack("<H", len(written)) + written
    )
    np.testing.assert_allclose(images.read(data.replace(entry, wrong))[0], found, atol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_dicom_palette_is_applied(kind):
    scale = 257 if kind == np.uint16 else 1
    tags = {}
    for channel, levels in {
        "Red": [200, 255, 0, 0],
        "Green": [100, 255, 0, 0],
        "Blue": [50, 255, 0, 0],
    }.items():
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [4, 0, 8 * np.dtype(kind).itemsize]
        tags[f"{channel}PaletteColorLookupTableData"] = (
            np.array(levels, kind) * kind(scale)
        ).tobytes()
    grey = images.read(draw.dicom(np.array([[0, 1, 2, 3]], np.uint8), "PALETTE COLOR", **tags))
    np.testing.assert_allclose(grey[0], [LUMA, 1, 0, 0], atol=1e-6)


def test_dicom_palette_that_is_missing_is_said():
    with pytest.raises(images.ImageError, match="cannot be decoded"):
        images.read(draw.dicom(np.array([[0, 1]], np.uint8), "PALETTE COLOR"))


def test_dicom_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "IM0001"
    path.write_bytes(draw.dicom(STEPS, photometric="MONOCHROME1"))
    info = images.describe(path)
    assert (info.format, info.mode, info.width, info.height) == ("DICOM", "DICOM MONOCHROME1", 4, 1)


def test_format_comes_from_the_bytes_not_from_the_extension(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(draw.encoded(Image.new("L", (3, 2), G), "PNG"))
    info = images.describe(path)
    assert (info.format, info.mode, info.width, info.height, info.bytes) == (
        "PNG",
        "L",
        3,
        2,
        path.stat().st_size,
    )
    assert len(info.sha256) == 64


ZOO = {
    "empty.jpg": "empty",
    "truncated.jpg": "truncated",
    "truncated.png": "truncated",
    "header only.jpg": "damaged",
    "text.png": "not an image",
    "web page.jpg": "web page",
    "zip.jpg": "zip archive",
    "zip.dcm": "zip archive",
    "pointer.png": "Git LFS",
    "animated.gif": "several frames",
    "animated.png": "several frames",
    "animated.webp": "several frames",
    "pages.tif": "several frames",
    "bomb.png": "50 million",
    "big.png": "10000 × 10000",
    "bomb.dcm": "60000 × 60000",
    "frames.dcm": "2 frames",
    "no pixels.dcm": "no pixels",
    "truncated.dcm": "cannot be decoded",
    "noise.dcm": "not a DICOM image",
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    return draw.zoo(tmp_path_factory.mktemp("zoo"))


def test_the_table_covers_the_zoo(zoo):
    assert set(zoo) == set(ZOO)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("use", [images.read, images.describe])
@pytest.mark.parametrize("name", ZOO)
def test_an_unusable_file_is_named_with_its_fault_and_a_remedy(zoo, name, use):
    with pytest.raises(images.ImageError, match=ZOO[name]) as caught:
        use(zoo[name])
    error = caught.value
    assert error.path == str(zoo[name])
    assert error.path in str(error)
    assert error.problem in str(error)
    assert len(error.remedy) > 15


def test_a_bomb_is_refused_without_allocating(zoo):
    import tracemalloc

    for name in ("bomb.png", "big.png", "bomb.dcm"):
        tracemalloc.start()
        with pytest.raises(images.ImageError):
            images.read(zoo[name])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5_000_000


@pytest.mark.parametrize(("width", "height"), [(1_000_000, 40), (40, 15_001)])
def test_a_strip_is_refused(width, height):
    with pytest.raises(
        images.ImageError, match=f"is {width} × {height} pixels, a strip.*nearly square"
    ):
        images.read(draw.png_header(width, height))


def test_the_longest_side_that_is_allowed_and_a_strip_in_dicom():
    with pytest.raises(images.ImageError, match="a strip"):
        images.read(draw.dicom(np.zeros((4, 4), np.uint8), Rows=40, Columns=60_000))
    assert images.read(draw.encoded(Image.new("L", (images.MAX_SIDE, 1)))).shape == (
        1,
        images.MAX_SIDE,
    )


def test_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(images.ImageError, match="is a folder"):
        images.read(tmp_path)
    with pytest.raises(images.ImageError, match="does not exist"):
        images.describe(tmp_path / "absent.png")


def test_bytes_are_called_uploaded_image():
    with pytest.raises(images.ImageError, match=r"^uploaded image: is empty"):
        images.read(b"")


def test_an_error_can_be_sent_between_processes():
    error = images.ImageError("a.png", "is empty", "Leave it out")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert (str(again), again.remedy) == (str(error), error.remedy)


def test_global_settings_of_pillow_are_left_alone(zoo):
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    for path in zoo.values():
        with pytest.raises(images.ImageError):
            images.read(path)
    assert (
        Image.MAX_IMAGE_PIXELS,
        ImageFile.LOAD_TRUNCATED_IMAGES,
        list(warnings.filters),
    ) == before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.PNG", True),
        ("a.jpeg", True),
        ("a.dcm", True),
        (".a.png", False),
        ("._a.jpg", False),
        (".DS_Store", False),
        ("Thumbs.db", False),
        ("README", False),
        ("notes.txt", False),
        ("a.zip", False),
    ],
)
def test_what_looks_like_an_image(tmp_path, name, expected):
    (tmp_path / name).write_bytes(b"x")
    assert images.looks_like_image(tmp_path / name) is expected


@pytest.mark.parametrize("name", ["IM0001", "1.2.840.113"])
def test_dicom_without_extension_looks_like_an_image(tmp_path, name):
    (tmp_path / name).write_bytes(draw.dicom(STEPS))
    assert images.looks_like_image(tmp_path / name)


def test_original_files_in_awkward_modes(real_data):
    files = sorted((real_data / "odd-files").iterdir())
    assert len(files) == 18
    modes = set()
    for path in files:
        info, grey = images.describe(path), images.read(path)
        assert grey.shape == (info.height, info.width)
        assert grey.min() >= 0
        assert grey.max() <= 1
        assert grey.std() > 0.05
        modes.add((info.format, info.mode))
    assert {("PNG", "RGBA"), ("PNG", "RGB"), ("JPEG", "L"), ("JPEG", "RGB")} <= modes


def test_each_original_file_cut_short_is_refused(real_data):
    for path in sorted((real_data / "odd-files").iterdir()):
        data = path.read_bytes()
        with pytest.raises(images.ImageError, match=r"truncated|damaged"):
            images.read(data[: len(data) * 2 // 3])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
@pytest.mark.parametrize("name", ["pipe", "1.2.840.113", "pipe.png", "pipe.dcm"])
def test_a_named_pipe_does_not_hold_up_an_import(tmp_path, name):
    (tmp_path / "Covid").mkdir()
    os.mkfifo(tmp_path / "Covid" / name)
    (tmp_path / "Covid" / "1.png").write_bytes(
        draw.encoded(Image.fromarray(draw.radiograph("Covid", 96, 1)))
    )
    code = (
        "import sys; from cxr_helpers import manifest; print(manifest.from_folder(sys.argv[1], "
        "progress=False))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "1 image" in said
    assert "(covid 1)" in said
    assert ("1 file rejected" in said) == (images.looks_like_image(tmp_path / "Covid" / name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_table_that_is_a_named_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "table.csv")
    with pytest.raises(manifest.ManifestError, match="not a regular file"):
        manifest.from_csv(tmp_path / "table.csv")


def png_chunk(kind, data, damage=0):
    return (
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data) ^ damage)
    )


NOTES = {
    "a text with a wrong sum": [png_chunk(b"tEXt", b"a\0b", damage=1)],
    "orientation that is none": [png_chunk(b"eXIf", b"garbage")],
    "a text of 200 MB, packed": [png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000)))],
    "short resolution": [png_chunk(b"pHYs", b"12")],
    "short gamma": [png_chunk(b"gAMA", b"1")],
    "short colours": [png_chunk(b"cHRM", b"1")],
    "70 MB of texts": [png_chunk(b"tEXt", b"a\0" + b"x" * 1_000_000)] * 70,
}


@pytest.mark.parametrize("name", NOTES)
def test_good_pixels_beside_damaged_notes_are_read(name):
    pixels = draw.radiograph("Covid", 48, 1)
    whole = draw.encoded(Image.fromarray(pixels))
    grey = images.read(whole[:33] + b"".join(NOTES[name]) + whole[33:])
    np.testing.assert_array_equal(np.rint(grey * 255), pixels)


def test_damaged_pixels_beside_a_note_are_not_read():
    whole = draw.encoded(Image.fromarray(draw.radiograph("Covid", 48, 1)))
    for data in (whole[: len(whole) // 2], whole.replace(b"IDAT", b"IDAX", 1)):
        with pytest.raises(images.ImageError):
            images.read(data[:33] + png_chunk(b"tEXt", b"a\0b") + data[33:])
