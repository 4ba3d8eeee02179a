"""What a DICOM header says of frames, bits and display -> picture, or a refusal in words."""

import numpy as np
import pytest

from cxr_helpers import images
from tests import draw

RAMP = np.add.outer(np.arange(40) * 0.3 / 39, np.arange(50) * 0.7 / 49)
PIXELS = np.rint(RAMP * 4095).astype(np.uint16)
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
TWELVE = {"BitsStored": 12, "HighBit": 11, **WINDOW}
SIGNED = PIXELS.astype(np.int16) - np.int16(2048)
SIGNED_WINDOW = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 0, "WindowWidth": 4096}
COLUMN = (np.arange(50) % 25 == 0).astype(np.uint16)


def dicom(pixels=PIXELS, **tags):
    return draw.dicom(pixels, **tags)


def with_overlay(pixels, **tags):
    from io import BytesIO

    import pydicom

    data = pydicom.dcmread(BytesIO(dicom(pixels, **tags)))
    data.add_new(0x60000102, "US", 15)  # the bit that holds it
    file = BytesIO()
    data.save_as(file)
    return file.getvalue()


def compressed(frames, syntax, **tags):
    from io import BytesIO

    import pydicom
    from pydicom.encaps import encapsulate

    data = pydicom.dcmread(BytesIO(dicom(np.zeros((40, 50), np.uint8), **tags)))
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    file = BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def big_endian(**tags):
    from io import BytesIO

    import pydicom

    little = pydicom.dcmread(BytesIO(dicom(PIXELS.byteswap(), **tags)))
    data = pydicom.Dataset()
    for element in little:
        data.add_new(element.tag, element.VR, element.value)
    data.file_meta = little.file_meta
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    file = BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def jpeg(size=(50, 40)):
    from PIL import Image

    return draw.encoded(
        Image.fromarray(np.rint(RAMP * 255).astype(np.uint8)).resize(size), "JPEG", quality=100
    )


def grouped(shared=True, **tags):
    from pydicom.dataset import Dataset

    window, rescale, group = Dataset(), Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth = 1024, 2048
    rescale.RescaleSlope, rescale.RescaleIntercept = -1, 4095
    group.FrameVOILUTSequence, group.PixelValueTransformationSequence = [window], [rescale]
    return dicom(
        **{f"{'Shared' if shared else 'PerFrame'}FunctionalGroupsSequence": [group]}, **tags
    )


JPEG = "1.2.840.10008.1.2.4.50"
RLE = "1.2.840.10008.1.2.5"

FRAMES = {
    "one": (lambda: dicom(**WINDOW), RAMP),
    "an odd byte of padding": (
        lambda: draw.dicom(np.array([[0, 100, 200]], np.uint8)),
        [[0, 0.5, 1]],
    ),
    "three, NumberOfFrames absent": (
        lambda: dicom(np.stack([PIXELS] * 3), **WINDOW),
        "more pixels than 40 × 50",
    ),
    "two, NumberOfFrames 1": (
        lambda: dicom(np.stack([PIXELS] * 2), NumberOfFrames=1),
        "more pixels than 40 × 50",
    ),
    "two, NumberOfFrames 2": (lambda: dicom(np.stack([PIXELS] * 2), NumberOfFrames=2), "2 frames"),
    "three of 50 columns, taken for colour": (
        lambda: dicom(np.stack([PIXELS] * 3), SamplesPerPixel=1, NumberOfFrames=3),
        "3 frames",
    ),
    "NumberOfFrames 3, pixels of one": (lambda: dicom(NumberOfFrames=3, **WINDOW), "3 frames"),
    "two frames in a row": (
        lambda: dicom(np.hstack([PIXELS] * 2), Columns=50, **WINDOW),
        "more pixels than 40 × 50",
    ),
    "pixels of no frame": (lambda: dicom(PIXELS[:0], Rows=40, Columns=50, **WINDOW), "."),
    "a row short": (lambda: dicom(Rows=39, **WINDOW), "more pixels than 39 × 50"),
    "a row too many": (lambda: dicom(Rows=41, **WINDOW), "cannot be decoded"),
    "a column short": (lambda: dicom(Columns=48, **WINDOW), "more pixels than 40 × 48"),
    "compressed": (lambda: compressed([jpeg()], JPEG, WindowCenter=128, WindowWidth=256), RAMP),
    "compressed, two": (lambda: compressed([jpeg(), jpeg()], JPEG), "2 frames"),
    "compressed, another size": (lambda: compressed([jpeg((50, 60))], JPEG), "."),
    "run lengths, two": (lambda: compressed([bytes(64), bytes(64)], RLE), "2 frames"),
}
BITS = {
    "12 of 16": (lambda: dicom(**TWELVE), RAMP),
    "the upper 12 of 16": (lambda: dicom(PIXELS << 4, **TWELVE | {"HighBit": 15}), RAMP),
    "the middle 12 of 16": (lambda: dicom(PIXELS << 2, **TWELVE | {"HighBit": 13}), RAMP),
    "big endian": (lambda: big_endian(**TWELVE), RAMP),
    "HighBit below BitsStored": (
        lambda: dicom(**TWELVE | {"HighBit": 10}),
        "contradict each other",
    ),
    "more stored than allocated": (
        lambda: dicom(**TWELVE | {"BitsStored": 17, "HighBit": 16}),
        "contradict|decoded",
    ),
    "an overlay above, declared": (lambda: with_overlay(PIXELS | 0x8000, **TWELVE), RAMP),
    "an overlay above, not declared": (lambda: dicom(PIXELS | COLUMN << 14, **TWELVE), RAMP),
    "an overlay below": (lambda: dicom(PIXELS << 4 | COLUMN, **TWELVE | {"HighBit": 15}), RAMP),
    "16 bits that say 12": (lambda: dicom(PIXELS << 4, **TWELVE), "uses bits above the 12"),
    "one bit above, everywhere": (
        lambda: dicom(PIXELS | 0x1000, **TWELVE),
        "uses bits above the 12",
    ),
    "12 allocated": (lambda: dicom(**TWELVE | {"BitsAllocated": 12}), "."),
    "32 allocated": (lambda: dicom(PIXELS.astype(np.uint32), **WINDOW), RAMP),
    "signed": (lambda: dicom(SIGNED, **SIGNED_WINDOW), RAMP),
    "signed, sign not carried on": (lambda: dicom(SIGNED & np.int16(0xFFF), **SIGNED_WINDOW), RAMP),
    "signed, upper bits": (lambda: dicom(SIGNED << 4, **SIGNED_WINDOW | {"HighBit": 15}), RAMP),
}
DISPLAY = {
    "slope 0": (lambda: dicom(RescaleSlope=0, RescaleIntercept=0), "RescaleSlope"),
    "slope nan": (lambda: dicom(RescaleSlope="nan", RescaleIntercept=0), "RescaleSlope"),
    "slope blank": (lambda: dicom(RescaleSlope="", RescaleIntercept=0), "RescaleSlope.*blank"),
    "slope inf": (lambda: dicom(RescaleSlope="inf", RescaleIntercept=0), "RescaleSlope"),
    "intercept nan": (lambda: dicom(RescaleSlope=1, RescaleIntercept="nan"), "RescaleIntercept"),
    "several slopes": (
        lambda: dicom(RescaleSlope=[1, 2], RescaleIntercept=0, **WINDOW),
        "several values of RescaleSlope",
    ),
    "slope next to nothing": (
        lambda: dicom(RescaleSlope="1e-9", RescaleIntercept=0, **WINDOW),
        "almost nothing",
    ),
    "window of width 1": (
        lambda: dicom(WindowCenter=2048, WindowWidth=1),
        "window that leaves almost nothing",
    ),
    "window of width 9": (
        lambda: dicom(WindowCenter=2048, WindowWidth=9),
        "window that leaves almost nothing",
    ),
    "several windows": (lambda: dicom(WindowCenter=[2048, 40], WindowWidth=[4096, 400]), RAMP),
    "slope alone": (lambda: dicom(RescaleSlope=0.5, WindowCenter=1024, WindowWidth=2048), RAMP),
    "window far above": (
        lambda: dicom(WindowCenter=20_000, WindowWidth=100),
        "window that leaves almost nothing",
    ),
    "window far below": (
        lambda: dicom(WindowCenter=-500, WindowWidth=100),
        "window that leaves almost nothing",
    ),
    "window of 8 bits on 12": (
        lambda: dicom(WindowCenter=127, WindowWidth=255),
        "window that leaves almost nothing",
    ),
    "sigmoid far off": (
        lambda: dicom(WindowCenter=20_000, WindowWidth=100, VOILUTFunction="SIGMOID"),
        "window that leaves almost nothing",
    ),
    "window nan": (lambda: dicom(WindowCenter="nan", WindowWidth=100), "window of width 100"),
    "unknown function": (lambda: dicom(VOILUTFunction="CUBIC", **WINDOW), "VOILUTFunction 'CUBIC'"),
    "function in lower case": (lambda: dicom(VOILUTFunction="linear", **WINDOW), RAMP),
    "monochrome1 in lower case": (lambda: dicom(photometric="monochrome1", **WINDOW), 1 - RAMP),
    "inverse": (lambda: dicom(PresentationLUTShape="INVERSE", **WINDOW), 1 - RAMP),
    "inverse in lower case": (lambda: dicom(PresentationLUTShape="inverse", **WINDOW), 1 - RAMP),
    "MONOCHROME1 and inverse are one": (
        lambda: dicom(photometric="MONOCHROME1", PresentationLUTShape="INVERSE", **WINDOW),
        1 - RAMP,
    ),
    "identity": (lambda: dicom(PresentationLUTShape="IDENTITY", **WINDOW), RAMP),
    "unknown shape": (
        lambda: dicom(PresentationLUTShape="ROUND", **WINDOW),
        "presentation LUT ROUND",
    ),
    "unknown kind": (
        lambda: dicom(photometric="MONOCHROME", **WINDOW),
        "the kind 'MONOCHROME', which is not known",
    ),
    "one sample of colour": (
        lambda: dicom(photometric="RGB", **WINDOW),
        "1 samples a pixel and the kind 'RGB'",
    ),
    "three samples of grey": (
        lambda: dicom(
            np.stack([PIXELS] * 3, -1),
            SamplesPerPixel=3,
            PlanarConfiguration=0,
            Rows=40,
            Columns=50,
        ),
        "3 samples a pixel and the kind 'MONOCHROME2'",
    ),
    "functional groups": (lambda: grouped(), np.clip((1 - RAMP) * 4095 / 2047, 0, 1)),
    "functional groups of the frame": (
        lambda: grouped(False),
        np.clip((1 - RAMP) * 4095 / 2047, 0, 1),
    ),
    "functional groups beside tags at the top": (
        lambda: grouped(RescaleSlope=1, RescaleIntercept=0),
        np.clip(RAMP * 4095 / 2047, 0, 1),
    ),
}
TABLE = {
    f"{title}: {name}": case
    for title, cases in (("frames", FRAMES), ("bits", BITS), ("display", DISPLAY))
    for name, case in cases.items()
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "keyword", ["SamplesPerPixel", "HighBit", "Rows", "BitsStored", "PixelRepresentation"]
)
def test_a_number_of_odd_length_is_a_damaged_header(keyword):
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    entry = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + b"US"
    data = dicom(**TWELVE)
    at = data.index(entry)
    broken = data[: at + 6] + b"\x03\0\0\0\0" + data[at + 10 :]
    with pytest.raises(images.ImageError, match=r"damaged|cannot be decoded"):
        images.read(broken)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TABLE)
def test_a_header_is_obeyed_or_refused(name):
    make, expected = TABLE[name]
    if isinstance(expected, str):
        for use in (images.read, images.describe):
            with pytest.raises(images.ImageError, match=expected) as caught:
                use(make())
            assert len(caught.value.remedy) > 15
        return
    np.testing.assert_allclose(images.read(make()), expected, atol=0.01)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (
            {"photometric": "MONOCHROME1", "PresentationLUTShape": "IDENTITY", **WINDOW},
            "contradict each other",
        ),
        ({"WindowCenter": 1, "WindowWidth": 0}, "width 0, which is none"),
        ({"WindowCenter": 512, "WindowWidth": 1024}, "window leaves most of the picture"),
        ({"pixels": PIXELS >> 4, **WINDOW}, "more than ten times as wide"),
        (
            {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 4095, **WINDOW},
            "padding names every pixel",
        ),
        ({}, "no window in the header: shown by the range of its own values"),
        ({"pixels": PIXELS | COLUMN << 14, **TWELVE}, "left out, as an overlay"),
    ],
)
def test_what_is_assumed_is_said(tags, words):
    with pytest.warns(images.ImageWarning, match=words):
        images.read(dicom(**tags))
    assert any(words in remark for remark in images.describe(dicom(**tags)).remarks)
