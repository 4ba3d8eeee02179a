"""DICOM: stored pixels, modality LUT, VOI LUT or window, and inversion (PS3.3 C.7.6.3 and C.11)."""

import io
import math
from typing import Any

import numpy as np

from ._errors import DECODE_ERRORS, EXPORT_AGAIN, SAVE_AS_PNG, ImageError
from ._files import Decoded, check_size, room
from ._scale import Scale, decide, settle

_LUMA = np.array([0.299, 0.587, 0.114])
_OTHER_WINDOW = (
    "Export it again with a window that fits, or convert it to PNG with the software that made it"
)
# What PhotometricInterpretation may be, with the samples a pixel that it needs.
_SAMPLES = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3} | dict.fromkeys(
    ["YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"], 3
)
# First bytes of a coded frame: JPEG and JPEG-LS, JPEG 2000 bare and in its box.
_FRAME_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")
# Where a file of the newer, enhanced kinds keeps the display tags of its frames.
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_MACROS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


def is_dicom(name: str, data: bytes) -> bool:
    """By the magic word; a file called .dcm may lack it."""
    if data[128:132] == b"DICM":
        return True
    return name.lower().endswith((".dcm", ".dicom")) and data[:2] not in (
        b"PK",
        b"\xff\xd8",
        b"\x89P",
    )


def decode(name: str, data: bytes, full_scale: float | None = None) -> Decoded:
    """Grey levels of a DICOM file, in [0, 1]."""
    dataset = _open(name, data)
    remarks: list[str] = []
    scale = None
    with room(int(dataset.Rows) * int(dataset.Columns)):
        try:
            pixels = _stored(name, dataset, remarks)
            if pixels.ndim == 3 or dataset.PhotometricInterpretation == "PALETTE COLOR":
                # no other look-up tables apply
                grey, scale = _colour(name, pixels, dataset, full_scale)
            else:
                grey = _monochrome(name, pixels, dataset, remarks)
        except ImageError:
            raise
        except _errors() as error:
            remedy = (
                "Export the image again, uncompressed, or convert it to PNG with the "
                "software that made it"
            )
            raise ImageError(
                name, f"is DICOM whose pixels cannot be decoded ({error})", remedy
            ) from error
    if scale and scale.remark:
        remarks.append(scale.remark)
    return Decoded(
        grey.astype(np.float32),
        1,
        f"DICOM {dataset.PhotometricInterpretation}",
        "DICOM",
        scale,
        tuple(remarks),
    )


def _open(name: str, data: bytes) -> Any:
    """Data set whose header has been checked; pixels are not decoded yet."""
    import pydicom

    # zlib over the whole file: its size cannot be known beforehand
    if b"1.2.840.10008.1.2.1.99" in data[:1024]:
        raise ImageError(name, "is a deflated DICOM file, which is not supported", SAVE_AS_PNG)
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:  # the standard's default
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
        frames = int(dataset.get("NumberOfFrames") or 1)
        photometric = _word(dataset, "PhotometricInterpretation")
        has_pixels = "PixelData" in dataset
        _use_functional_groups(dataset)
    except _errors() as error:
        raise ImageError(name, f"is a damaged DICOM file ({error})", EXPORT_AGAIN) from error
    if not (rows and columns and has_pixels and photometric):
        raise ImageError(
            name,
            "is not a DICOM image, or holds no pixels",
            "Export the image itself, not its report",
        )
    if frames > 1:
        raise ImageError(name, f"holds {frames} frames", "Export the one frame that you want")
    check_size(name, columns, rows)
    dataset.PhotometricInterpretation = photometric
    return dataset


def _errors() -> tuple[type[Exception], ...]:
    """What pydicom raises over a damaged file."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*DECODE_ERRORS, BytesLengthException, InvalidDicomError)


def _word(dataset: Any, tag: str) -> str:
    """A code word, as the standard writes it."""
    return str(dataset.get(tag) or "").strip().upper()


def _use_functional_groups(dataset: Any) -> None:
    """Take the display tags of a frame to the top, where they are not there."""
    for group in _GROUPS:
        for macro in _MACROS:
            for item in dataset.get(group) or ():
                for tags in item.get(macro) or ():
                    for element in tags:
                        if group != _GROUPS[0] or element.tag not in dataset:
                            dataset[element.tag] = element
                break  # one frame


def _stored(name: str, dataset: Any, remarks: list[str]) -> np.ndarray:
    """Stored pixel values of one frame, (h, w) or (h, w, 3), without the other bits of a cell."""
    samples = int(dataset.get("SamplesPerPixel") or 1)
    if _SAMPLES.get(dataset.PhotometricInterpretation) != samples:
        problem = (
            f"is DICOM of {samples} samples a pixel and the kind "
            f"{dataset.PhotometricInterpretation!r}"
        )
        raise ImageError(
            name, f"{problem}, which is not known, or contradicts itself", EXPORT_AGAIN
        )
    _one_frame(name, dataset)
    native = not dataset.file_meta.TransferSyntaxUID.is_encapsulated
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    shift = int(dataset.get("HighBit", stored - 1)) + 1 - stored
    if not (0 < stored <= allocated and 0 <= shift <= (allocated - stored) * native):
        problem = (
            f"has BitsStored {stored}, HighBit {dataset.get('HighBit')} and BitsAllocated "
            f"{allocated}"
        )
        raise ImageError(name, f"{problem}, which contradict each other", EXPORT_AGAIN)
    if native:  # cells as they are: which of their bits count is decided below
        dataset.BitsStored = allocated
    pixels: np.ndarray = dataset.pixel_array
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    dataset.BitsStored = stored
    shape = (int(dataset.Rows), int(dataset.Columns))
    if pixels.shape != (shape if samples == 1 else (*shape, 3)):
        found = " × ".join(map(str, pixels.shape))
        problem = f"holds {found} values instead of one frame of {shape[0]} × {shape[1]} pixels"
        raise ImageError(name, problem, "Export the one frame that you want")
    cells_fit = pixels.dtype.kind in "iu" and pixels.dtype.itemsize * 8 == allocated
    return (
        _used_bits(name, pixels, stored, shift, dataset, remarks)
        if native and cells_fit
        else pixels
    )


def _one_frame(name: str, dataset: Any) -> None:
    """Refuse more pixels than one frame has, whatever NumberOfFrames says; fewer do not decode."""
    from pydicom.encaps import generate_fragments

    element = dataset["PixelData"]
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        fragments = list(generate_fragments(element.value))[1:]  # the first is the table of offsets
        starts = sum(fragment.startswith(_FRAME_STARTS) for fragment in fragments)
        run_length = str(dataset.file_meta.TransferSyntaxUID) == "1.2.840.10008.1.2.5"
        frames = len(fragments) if run_length else starts
        if frames > 1:
            raise ImageError(name, f"holds {frames} frames", "Export the one frame that you want")
        return
    row = (
        int(dataset.Columns)
        * int(dataset.get("SamplesPerPixel") or 1)
        * int(dataset.BitsAllocated)
        / 8
    )
    # one byte may pad to an even length
    if len(element.value) - int(dataset.Rows) * row > max(1, row - 1):
        problem = (
            f"holds more pixels than {dataset.Rows} × {dataset.Columns}: several frames, or "
            "a wrong header"
        )
        raise ImageError(name, problem, "Export the one frame that you want")


def _used_bits(
    name: str, pixels: np.ndarray, stored: int, shift: int, dataset: Any, remarks: list[str]
) -> np.ndarray:
    """Values from the bits that HighBit and BitsStored name.

    Overlays may lie in the others (PS3.5 8.1.1).
    """
    unused = pixels.dtype.itemsize * 8 - stored - shift
    if not (unused or shift):
        return pixels
    signed, mask = pixels.dtype.kind == "i", 2**stored - 1
    cells = pixels.view(f"u{pixels.dtype.itemsize}")
    values: np.ndarray = (cells >> shift) & cells.dtype.type(mask)
    above = cells >> (stored + shift) if unused else np.zeros_like(cells)
    foreign = above != 0
    if signed:
        sign = 1 << (stored - 1)
        values = ((values.astype(np.int64) ^ sign) - sign).astype(pixels.dtype)
        foreign &= ~((values < 0) & (above == 2**unused - 1))  # the sign, carried on
    if foreign.any():
        overlay = any(0x6000 <= element.tag.group <= 0x601E for element in dataset)
        if not overlay and foreign.mean() > 0.1:
            raise ImageError(
                name, f"uses bits above the {stored} that its BitsStored names", EXPORT_AGAIN
            )
        remarks.append("bits above BitsStored left out, as an overlay")
    return values


def _colour(
    name: str, pixels: np.ndarray, dataset: Any, full_scale: float | None
) -> tuple[np.ndarray, Scale | None]:
    """Luma of colour, or of a palette's colours."""
    if pixels.ndim == 3:
        white, scale = settle(
            name, int(pixels.max()), 2 ** int(dataset.BitsStored) - 1, full_scale=full_scale
        )
        return np.clip(pixels @ _LUMA / white, 0, 1), scale
    tables = []
    for colour in ("Red", "Green", "Blue"):
        tag = f"{colour}PaletteColorLookupTable"
        if f"{tag}Data" not in dataset:
            raise ValueError(f"the palette has no {tag}Data")
        tables.append(_table(pixels, dataset, dataset, f"{tag}Descriptor", f"{tag}Data"))
    white = decide(
        max(entries.max() for _, entries, _ in tables), max(holds for *_, holds in tables)
    ).white
    grey = sum(
        share * _looked_up(pixels, *table[:2]) for share, table in zip(_LUMA, tables, strict=True)
    )
    return np.clip(grey / white, 0, 1), None


def _table(
    values: np.ndarray,
    dataset: Any,
    item: Any,
    descriptor: str = "LUTDescriptor",
    entries: str = "LUTData",
) -> tuple[int, np.ndarray, int]:
    """First value mapped, entries, and largest possible entry of a look-up table.

    See PS3.3 C.11.1.1.1.
    """
    count, first, bits = (int(value) for value in item[descriptor].value)
    count, first = (count & 0xFFFF) or 2**16, first & 0xFFFF
    # The first value is often written with the wrong sign: the values that are looked up tell it.
    if first >= 2**15 and (values.min() < 0 or values.max() < first):
        first -= 2**16
    found = item[entries].value
    if not isinstance(found, bytes):  # numbers of 16 bits, each of which may hold two entries
        found = (np.atleast_1d(found).astype(np.int64) & 0xFFFF).astype("<u2").tobytes()
    elif dataset.original_encoding[1] is False:  # big endian
        found = np.frombuffer(found, ">u2").astype("<u2").tobytes()
    width = 1 if len(found) == count + count % 2 else 2
    found = np.frombuffer(found[: count * width], f"<u{width}").astype(np.int64)
    if len(found) != count or not bits:
        raise ValueError(f"{entries} holds {len(found)} entries instead of {count}")
    return first, found, 2**bits - 1


def _looked_up(values: np.ndarray, first: int, entries: np.ndarray) -> np.ndarray:
    return entries[np.clip(values.astype(np.int64) - first, 0, len(entries) - 1)]


def _monochrome(name: str, pixels: np.ndarray, dataset: Any, remarks: list[str]) -> np.ndarray:
    """Modality LUT, then VOI LUT or window, then inversion; padding takes no part: it is black."""
    padded = _padding(pixels, dataset, remarks)
    values = _modality(name, pixels, dataset)
    grey = np.clip(_voi(name, values, dataset, padded, remarks), 0, 1)
    shape = _word(dataset, "PresentationLUTShape")
    if shape not in ("", "IDENTITY", "INVERSE") or dataset.get("PresentationLUTSequence"):
        raise ImageError(
            name,
            f"has a presentation LUT {shape or 'of its own'}, which is not supported",
            SAVE_AS_PNG,
        )
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    if inverted and shape == "IDENTITY":
        remarks.append(
            "MONOCHROME1 with PresentationLUTShape IDENTITY, which contradict each other: taken as "
            "inverted"
        )
    if inverted or shape == "INVERSE":
        grey = 1 - grey
    return grey if padded is None else np.where(padded, 0, grey)


def _padding(pixels: np.ndarray, dataset: Any, remarks: list[str]) -> np.ndarray | None:
    """Where stored pixels are padding, as bool (h, w), else None.

    PS3.3 C.7.5.1.1.2: "Pixel Padding Value (0028,0120) and Pixel Padding Range Limit (0028,0121)
    are also used to identify pixels to be excluded from the normal grayscale rendering pipeline",
    and "The padding value shall correspond to a value in the original stored pixel data, before the
    Modality LUT Transformation or any other transformations are applied": so neither a window nor
    MONOCHROME1 decides about them.
    """
    try:
        ends = [_first(dataset.get(f"PixelPadding{end}")) for end in ("Value", "RangeLimit")]
    except _errors():  # the image can do without
        remarks.append("its tag for padding is damaged, and left aside")
        return None
    if ends[0] is None:
        return None
    # The 16 bits are often written with the wrong sign: the sign of the pixels counts.
    sign = np.int16 if pixels.dtype.kind == "i" else np.uint16
    levels = [int(np.uint16(int(end) & 0xFFFF).astype(sign)) for end in ends if end is not None]
    padded = (pixels >= min(levels)) & (pixels <= max(levels))
    if padded.all():
        remarks.append("its tag for padding names every pixel, and is left aside")
        return None
    return padded


def _modality(name: str, pixels: np.ndarray, dataset: Any) -> np.ndarray:
    """Output of the modality LUT (PS3.3 C.11.1): a table, or slope and intercept."""
    if dataset.get("ModalityLUTSequence"):
        first, entries, _ = _table(pixels, dataset, dataset.ModalityLUTSequence[0])
        return _looked_up(pixels, first, entries)
    if "RescaleSlope" not in dataset and "RescaleIntercept" not in dataset:
        return pixels
    for tag in ("RescaleSlope", "RescaleIntercept"):
        if np.size(dataset.get(tag)) > 1:
            raise ImageError(
                name, f"has several values of {tag}, of which none is known to count", EXPORT_AGAIN
            )
    slope, intercept = (
        _first(dataset.get("RescaleSlope", 1)),
        _first(dataset.get("RescaleIntercept", 0)),
    )
    if slope is None or intercept is None or not slope or not math.isfinite(slope * intercept):
        found = ", ".join(
            "blank" if value is None else f"{value:g}" for value in (slope, intercept)
        )
        problem = (
            f"has RescaleSlope and RescaleIntercept of {found}, which say nothing of its pixels"
        )
        raise ImageError(name, problem, EXPORT_AGAIN)
    return pixels * slope + intercept


def _voi(
    name: str, values: np.ndarray, dataset: Any, padded: np.ndarray | None, remarks: list[str]
) -> np.ndarray:
    """Values of interest, scaled to [0, 1]: VOI LUT, else window, else the image's own range.

    See PS3.3 C.11.2.1.2.
    """
    native = values if padded is None else values[~padded]
    low, high = float(native.min()), float(native.max())
    if dataset.get("VOILUTSequence"):
        first, entries, holds = _table(values, dataset, dataset.VOILUTSequence[0])
        scale = decide(int(entries.max()), holds)
        if scale.white != holds:
            remarks.append(
                f"its VOI LUT has entries up to {scale.white:,.0f}, not {holds:,.0f} as it says"
            )
        grey, what = _looked_up(np.rint(values), first, entries) / scale.white, "VOI LUT"
    elif (window := _window(name, dataset, remarks)) is None:
        remarks.append("no window in the header: shown by the range of its own values")
        values = values.astype(np.float64)
        return (values - low) / (high - low) if high > low else np.zeros_like(values)
    else:
        grey, what = (
            _windowed(name, values.astype(np.float64), *window, _word(dataset, "VOILUTFunction")),
            "window",
        )
    shown = grey if padded is None else grey[~padded]
    ends = [(shown < 0.004).mean(), (shown > 0.996).mean()]
    nothing_between = sum(ends) > 0.95 and len(np.unique(native)) > 16
    lost = max(*ends, nothing_between) if low < high else 0
    if low < high and np.ptp(shown) < 0.1:
        remarks.append(f"its {what} is more than ten times as wide as its values")
    if 0.7 < lost <= 0.95:
        remarks.append(f"its {what} leaves most of the picture black, or most of it white")
    if lost > 0.95:
        raise ImageError(
            name,
            f"has a {what} that leaves almost nothing of its values {low:g} to {high:g}",
            _OTHER_WINDOW,
        )
    return grey


def _windowed(
    name: str, values: np.ndarray, width: float, centre: float, function: str
) -> np.ndarray:
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    # the standard's half-step: a window of width 256 at 128 maps 0..255 to 0..1
    if function in ("", "LINEAR"):
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    elif function != "LINEAR_EXACT":
        raise ImageError(
            name, f"has the VOILUTFunction {function!r}, which is not known", _OTHER_WINDOW
        )
    return np.clip((values - centre) / width + 0.5, 0, 1)


def _window(name: str, dataset: Any, remarks: list[str]) -> tuple[float, float] | None:
    """Width and centre of the first window, if there is one."""
    width, centre = _first(dataset.get("WindowWidth")), _first(dataset.get("WindowCenter"))
    if width is None or centre is None:
        return None
    if not (math.isfinite(width) and math.isfinite(centre)):
        raise ImageError(name, f"has a window of width {width} at {centre}", _OTHER_WINDOW)
    if width <= 0:
        remarks.append(f"its window has the width {width:g}, which is none")
        return None
    return width, centre


def _first(value: Any) -> float | None:
    """First of possibly several windows."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, int | float) or not np.ndim(value) else value[0])
