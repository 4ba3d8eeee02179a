"""Which grey level counts as white: kind of file and content -> picture, or a refusal in words."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cxr_helpers import audit, images, manifest, preprocess
from tests import draw

RAMP = np.add.outer(np.arange(40) * 0.3 / 39, np.arange(50) * 0.7 / 49)


def levels(white, kind=np.uint16, share=1.0):
    return np.rint(RAMP * share * white).astype(kind)


def png(pixels, colour=0, depth=16, significant=None):
    """Bytes of a PNG that Pillow does not write: 16-bit colour or alpha, or an sBIT chunk."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = pixels.astype(">u2" if depth == 16 else "u1")
    header = struct.pack(">IIBBBBB", *pixels.shape[1::-1], depth, colour, 0, 0, 0)
    extra = b"" if significant is None else chunk(b"sBIT", bytes([significant]))
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )


def packed(pixels):
    """Bytes of a TIFF of 12 bits a sample, two in three bytes."""
    left, right = pixels[:, ::2], pixels[:, 1::2]
    bytes_ = (
        np.stack([left >> 4, (left & 15) << 4 | right >> 8, right & 255], axis=-1)
        .astype(np.uint8)
        .tobytes()
    )
    height, width = pixels.shape
    tags = {
        256: width,
        257: height,
        258: 12,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: height,
        279: len(bytes_),
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(bytes_))
        + bytes_
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


def signed_bytes(pixels):
    """Bytes of a TIFF whose header says that its bytes are signed."""
    return raster(pixels, "TIFF", tiffinfo={339: 2})


def palette_tiff(step):
    """Bytes of a TIFF of colour numbers; its palette's colours, of 16 bits, are a step apart."""
    image = Image.fromarray(levels(255, np.uint8))
    image.putpalette([grey for grey in range(256) for _ in range(3)])
    data = draw.encoded(image, "TIFF")
    wide = struct.pack("<256H", *(grey * 256 for grey in range(256)))  # as Pillow writes it
    assert wide * 3 in data
    return data.replace(wide, struct.pack("<256H", *(grey * step for grey in range(256))))


def coloured(grey, alpha=None):
    return np.stack([grey] * 3 if alpha is None else [grey, np.full_like(grey, alpha)], axis=-1)


def raster(pixels, kind="PNG", **options):
    return draw.encoded(Image.fromarray(pixels), kind, **options)


def colour_dicom(pixels, **tags):
    tags = {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
    } | tags
    return draw.dicom(pixels, "RGB", **tags)


def palette_dicom(bits, entries):
    tags = {}
    for colour in ("Red", "Green", "Blue"):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        tags[f"{colour}PaletteColorLookupTableData"] = entries.tobytes()
    return draw.dicom(levels(255, np.uint8), "PALETTE COLOR", **tags)


def lut_dicom(pixels, first, bits, entries, kind="US", **tags):
    from pydicom.dataset import Dataset

    item = Dataset()
    item.add_new(0x00283002, kind, [len(entries), first, bits])
    item.add_new(0x00283006, "OW", entries.tobytes())
    return draw.dicom(pixels, VOILUTSequence=[item], **tags)


TWELVE = np.arange(4096).astype(np.uint16)
SIGNED = levels(4095, np.int16) - np.int16(2048)
RESCALED = {"RescaleSlope": 1, "RescaleIntercept": -2048}

# What a file holds -> share of white that its brightest corner must have, or the words of a
# refusal.
CASES = {
    "8 bits in 16": (lambda: raster(levels(255)), 1),
    "10 bits in 16": (lambda: raster(levels(1023)), 1),
    "12 bits in 16": (lambda: raster(levels(4095)), 1),
    "14 bits in 16": (lambda: raster(levels(16383)), 1),
    "15 bits in 16": (lambda: raster(levels(32767)), 1),
    "11 bits in 16": (lambda: raster(levels(2047)), 1),
    "13 bits in 16": (lambda: raster(levels(8191)), 1),
    "13 bits in a TIFF of 16": (lambda: raster(levels(8191), "TIFF"), 1),
    "signed bytes": (lambda: signed_bytes(levels(127, np.uint8)), "signed grey levels of 8 bits"),
    "signed bytes below zero": (
        lambda: signed_bytes(levels(255, np.uint8)),
        "signed grey levels of 8 bits",
    ),
    "palette of 8 bits in a TIFF": (lambda: palette_tiff(1), 1),
    "palette of 16 bits in a TIFF": (lambda: palette_tiff(257), 1),
    "12 bits in a TIFF of 16": (lambda: raster(levels(4095), "TIFF"), 1),
    "12 bits in 16, white as zero": (
        lambda: raster(levels(4095), "TIFF").replace(
            struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 0)
        ),
        0,
    ),
    "8 bits in 32": (lambda: raster(levels(255, np.int32), "TIFF"), 1),
    "12 bits in 32": (lambda: raster(levels(4095, np.int32), "TIFF"), 1),
    "16 bits in 32": (lambda: raster(levels(65535, np.int32), "TIFF"), 1),
    "whole numbers as floats": (lambda: raster(levels(4095, np.float32), "TIFF"), 1),
    "fractions": (lambda: raster(RAMP.astype(np.float32), "TIFF"), 1),
    "dark fractions": (lambda: raster((RAMP / 5).astype(np.float32), "TIFF"), 0.2),
    "fractions above 1": (
        lambda: raster((RAMP * 2.5).astype(np.float32), "TIFF"),
        "fractions from 0 to 2.5",
    ),
    "negative fractions": (
        lambda: raster((RAMP - 0.5).astype(np.float32), "TIFF"),
        "from -0.5 to 0.5",
    ),
    "not a number": (
        lambda: raster(np.full((40, 50), np.nan, np.float32), "TIFF"),
        "full scale is unknown",
    ),
    "infinite": (
        lambda: raster(np.where(RAMP > 0.9, np.inf, RAMP).astype(np.float32), "TIFF"),
        "full scale is unknown",
    ),
    "negative": (lambda: raster(levels(4095, np.int32) - 1024, "TIFF"), "from -1024 to 3071"),
    "maximum in a tag": (
        lambda: raster(levels(4095, share=0.1), "TIFF", tiffinfo={281: 4095}),
        0.1,
    ),
    "colour of 16 bits": (lambda: png(coloured(levels(65535)), 2), 1),
    "colour of 15 bits in 16": (lambda: png(coloured(levels(32767)), 2), 1),
    "colour of 12 bits in 16": (
        lambda: png(coloured(levels(4095)), 2),
        "colour of 16 bits.*nearly black",
    ),
    "alpha of 16 bits": (lambda: png(coloured(levels(65535), 65535), 4), 1),
    "12 bits with alpha of 16": (
        lambda: png(coloured(levels(4095), 65535), 4),
        "colour of 16 bits.*nearly black",
    ),
    "sBIT, not stretched": (lambda: png(levels(4095), significant=12), 1),
    "sBIT, not stretched, dark": (lambda: png(levels(4095, share=0.2), significant=12), 0.2),
    "sBIT, stretched": (lambda: png(levels(4095) << 4, significant=12), 1),
    "sBIT, stretched, dark": (
        lambda: png((lambda v: v << 4 | v >> 8)(levels(4095, share=0.04)), significant=12),
        0.04,
    ),
    "sBIT of an 8-bit file": (lambda: png(levels(15), depth=8, significant=4), 1),
    "sBIT that is too small": (lambda: png(levels(255), depth=8, significant=4), 1),
    "dark, 8 bits": (lambda: raster(levels(255, np.uint8, 0.2)), 0.2),
    "dark, 16 bits": (lambda: raster(levels(65535, share=0.2)), 0.2),
    "dark, 16 bits, just below half": (lambda: raster(levels(65535, share=0.44)), 0.44),
    "dark, 8 bits in both bytes": (lambda: raster(levels(255, share=0.49) * 257), 0.49),
    "dark, 12 bits stretched": (lambda: raster(levels(4095, share=0.24) << 4), 0.24),
    "JPEG 2000 of 16 bits": (lambda: raster(levels(65535), "JPEG2000"), 1),
    "JPEG 2000, 12 bits in 16": (lambda: raster(levels(4095), "JPEG2000"), 1),
    "LAB": (lambda: draw.encoded(Image.new("LAB", (9, 9)), "TIFF"), "the kind LAB"),
    "TIFF of packed 12 bits": (lambda: packed(levels(4095)), 1),
    "TIFF of packed 12 bits, dark": (lambda: packed(levels(4095, share=0.05)), 0.05),
    "DICOM colour of 12 bits in 16": (lambda: colour_dicom(coloured(levels(4095))), 1),
    "DICOM colour, dark": (lambda: colour_dicom(coloured(levels(255, np.uint8, 0.2))), 0.2),
    "palette says 16, holds 8": (lambda: palette_dicom(16, np.arange(256, dtype=np.uint16)), 1),
    "palette says 8, holds 16": (
        lambda: palette_dicom(8, np.arange(256, dtype=np.uint16) * np.uint16(257)),
        1,
    ),
    "VOI LUT says 16, holds 10": (lambda: lut_dicom(levels(4095), 0, 16, TWELVE >> 2), 1),
    "VOI LUT says 8, holds 12": (lambda: lut_dicom(levels(4095), 0, 8, TWELVE), 1),
    "VOI LUT of bytes": (lambda: lut_dicom(levels(4095), 0, 8, (TWELVE >> 4).astype(np.uint8)), 1),
    "VOI LUT, signed, first as US": (lambda: lut_dicom(SIGNED, 65536 - 2048, 12, TWELVE), 1),
    "VOI LUT, rescaled, first as US": (
        lambda: lut_dicom(levels(4095), 65536 - 2048, 12, TWELVE, **RESCALED),
        1,
    ),
    "VOI LUT, rescaled, first as SS": (
        lambda: lut_dicom(levels(4095), -2048, 12, TWELVE, "SS", **RESCALED),
        1,
    ),
}


@pytest.mark.filterwarnings("ignore::cxr_helpers.images.ImageWarning")
@pytest.mark.parametrize("name", CASES)
def test_scale(name):
    make, expected = CASES[name]
    if isinstance(expected, str):
        with pytest.raises(images.ImageError, match=expected):
            images.read(make())
        return
    picture = 1 - RAMP if expected == 0 else RAMP * expected
    tolerance = 0.04 if "8-bit file" in name and expected else 0.009
    np.testing.assert_allclose(images.read(make()), picture, atol=tolerance)


@pytest.mark.parametrize(
    ("highest", "holds", "white"),
    [
        (255, 65535, 255),
        (256, 65535, 1023),
        (4095, 65535, 4095),
        (4096, 65535, 65535),
        (14000, 65535, 65535),
        (15000, 65535, 16383),
        (29000, 65535, 65535),
        (29500, 65535, 32767),
        (32768, 65535, 65535),
        (2047, 65535, 2047),
        (8191, 65535, 8191),
        (7000, 65535, 65535),
        (511, 65535, 1023),
        (1800, 65535, 4095),
        (200, 4095, 255),
        (300, 4095, 4095),
        (950, 4095, 1023),
        (4000, 1023, 4095),
        (0, 255, 255),
        (9, 255, 255),
    ],
)
def test_the_rule_itself(highest, holds, white):
    assert images.Scale(white, highest, holds) == images._scale.decide(highest, holds)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (levels(4095), r"12-bit grey levels \(white is 4,095\)"),
        (levels(65535, share=0.2), "less than half of the full scale"),
        (levels(65535), None),
    ],
)
def test_what_is_assumed_is_said(pixels, words, recwarn):
    images.read(raster(pixels))
    said = [str(warning.message) for warning in recwarn]
    assert len(said) == (words is not None)
    if words:
        with pytest.warns(images.ImageWarning, match=words):
            images.read(raster(pixels))
    images.read(raster(pixels), full_scale=65535)
    assert len(recwarn) == len(said), "a scale that was given is no assumption"


def test_a_given_scale_that_does_not_hold_the_levels_is_refused():
    assert images.read(raster(levels(4095)), full_scale=65535).max() == pytest.approx(4095 / 65535)
    with pytest.raises(images.ImageError, match="up to 4,095, above the full scale of 1,023"):
        images.read(raster(levels(4095)), full_scale=1023)


def a_set(folder, **pixels):
    for name, values in pixels.items():
        for label in ("Covid", "Normal"):
            path = folder / label / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path)
    return manifest.from_folder(folder, progress=False)


def test_a_set_has_one_scale_and_its_dark_images_stay_dark(tmp_path):
    dark, bright = levels(65535, share=0.05), levels(65535)
    imported = a_set(tmp_path / "set", bright=bright, dark=dark)
    assert set(imported.table["full_scale"]) == {65535}
    assert (
        "2 images: grey levels use less than half of the full scale of 65,535, read as stored: dark"
        in str(imported)
    )
    cached = preprocess.cache(
        imported.table, 40, "squash", folder=tmp_path / "cache", progress=False
    )
    for pixels, name in zip(cached, imported.table["image_id"], strict=True):
        assert pixels.max() == pytest.approx(255 * (0.05 if "dark" in name else 1), abs=2)
    manifest.write(imported.table, tmp_path / "table.csv")
    again = manifest.read(tmp_path / "table.csv")
    assert (
        preprocess.cache(again, 40, "squash", folder=tmp_path / "cache", progress=False) == cached
    ).all()


@pytest.mark.parametrize("white", [0, -4095, 70_000, "4095 grey levels", np.inf])
def test_a_scale_that_is_none_is_a_fault_of_the_table(tmp_path, white):
    table = a_set(tmp_path, a=levels(4095), b=levels(4095).T.copy()).table
    table["full_scale"] = table["full_scale"].astype(object)
    table.loc[1, "full_scale"] = white
    with pytest.raises(
        manifest.ManifestError, match=r"full_scale is not a number from 1 to 65,535: Covid/b\.png"
    ):
        manifest.check(table)


def test_a_set_of_few_bits_is_read_by_its_brightest_image(tmp_path):
    # alone it would be 10 bits
    imported = a_set(tmp_path / "set", bright=levels(4095), dark=levels(4095, share=0.2))
    assert set(imported.table["full_scale"]) == {4095}
    assert "4 images: read as 12-bit grey levels" in imported.understood
    cached = preprocess.cache(
        imported.table, 40, "squash", folder=tmp_path / "cache", progress=False
    )
    assert sorted({int(pixels.max()) // 40 for pixels in cached}) == [1, 6]
    page = audit.report(imported.table)
    assert page.loc[page["check"] == "grey levels", "finding"].str.contains("4 image.*12-bit").any()


def test_a_usual_set_has_no_further_columns_and_no_further_row(tmp_path):
    imported = a_set(tmp_path, a=levels(255, np.uint8), b=levels(255, np.uint8).T.copy())
    assert list(imported.table.columns) == list(manifest.COLUMNS)
    assert "grey levels" not in set(audit.report(imported.table)["check"])
