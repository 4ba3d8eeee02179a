"""PNG, JPEG, TIFF, BMP, GIF, WebP and JPEG 2000, by Pillow."""

import io
import struct
import threading
import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ._errors import DECODE_ERRORS, EXPORT_AGAIN, SAVE_AS_PNG, ImageError
from ._files import MAX_PIXELS, Decoded, check_size, room
from ._scale import Scale, settle

# Formats that Pillow may try. Others (PostScript, for one) would start other programs or draw
# vectors.
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000")
_KNOWN_STARTS = {
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
    b"<": "a web page or an XML file",
}
_PNG = b"\x89PNG\r\n\x1a\n"
_open_lock = threading.Lock()  # warnings.catch_warnings is not safe between threads


def decode(name: str, data: bytes, full_scale: float | None = None) -> Decoded:
    """Grey levels in [0, 1] of a file that Pillow reads; a PNG's notes may be damaged.

    See `_bare_png`.
    """
    try:
        return _decoded(name, data, full_scale)
    except ImageError:
        if (bare := _bare_png(data)) is None:
            raise
        return _decoded(name, bare, full_scale)


def _bare_png(data: bytes) -> bytes | None:
    """A PNG without its notes (texts, resolution, colour profile), if any.

    Damage to notes is no damage to pixels.

    What bears on the grey levels (transparency, significant bits) and on the number of frames
    stays.
    """
    if not data.startswith(_PNG):
        return None
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if kind[:1].isupper() or kind in (b"tRNS", b"sBIT", b"acTL"):
            kept.append(data[at:end])
        at = end
    bare = b"".join(kept)
    return bare if len(bare) < len(data) else None


def _decoded(name: str, data: bytes, full_scale: float | None) -> Decoded:
    """`decode` for a file whose notes are whole."""
    image = _open(name, data)
    with room(image.width * image.height):
        image = _load(name, image)
        try:
            levels, white, scale = _grey(name, image, data, full_scale)
        except ImageError:
            raise
        except DECODE_ERRORS as error:  # LAB, for one
            raise ImageError(
                name, f"has the mode {image.mode}, which cannot be made grey", SAVE_AS_PNG
            ) from error
    remarks = (scale.remark,) if scale and scale.remark else ()
    return Decoded(levels, white, image.mode, image.info["file_format"], scale, remarks)


def _open(name: str, data: bytes) -> Image.Image:
    """Image whose header has been checked; pixels are not decoded yet."""
    try:
        # Pillow warns and refuses at sizes of its own; ours is smaller, and applies to each file
        # alike.
        with _open_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            Image.init()  # registers the formats of this Pillow, once
            image = Image.open(
                io.BytesIO(data), formats=[kind for kind in _FORMATS if kind in Image.OPEN]
            )
    except UnidentifiedImageError as error:
        raise ImageError(
            name, f"is {_what(data)}", "Use a PNG, JPEG, TIFF, BMP, WebP or DICOM file"
        ) from error
    except Image.DecompressionBombError as error:
        problem = f"claims more than the {MAX_PIXELS / 1e6:.0f} million pixels allowed"
        raise ImageError(
            name, problem, "A radiograph is never so large: leave the file out"
        ) from error
    except DECODE_ERRORS as error:
        raise ImageError(name, f"has a damaged header ({error})", EXPORT_AGAIN) from error
    check_size(name, *image.size)
    return image


def _load(name: str, image: Image.Image) -> Image.Image:
    """Decoded image in its own mode, upright; ``info`` gains what the header says."""
    try:
        # A JPEG of a telephone may carry a second, small picture (MPO): its first is the
        # photograph.
        several = image.format != "MPO" and getattr(image, "is_animated", False)
        # of a TIFF; 258: BitsPerSample, 262: PhotometricInterpretation
        tags = getattr(image, "tag_v2", {})
        found: dict[str | tuple[int, int], Any] = {
            "file_format": image.format,
            "white_is_zero": tags.get(262) == 0,
            "tags": tags,
        }
        if not several:
            image.load()
            if image.getexif().get(0x0112, 1) != 1:
                image = ImageOps.exif_transpose(image)
    except DECODE_ERRORS as error:
        raise ImageError(name, f"is truncated or damaged ({error})", EXPORT_AGAIN) from error
    if several:
        raise ImageError(name, "holds several frames", "Save the one frame that you want as PNG")
    image.info |= found
    return image


def _what(data: bytes) -> str:
    """What the bytes are, for a file that is no image."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \r\n\t")
    for magic, what in _KNOWN_STARTS.items():
        if start.startswith(magic):
            return f"{what}, not an image, whatever its name says"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "a HEIC or AVIF photograph, which is not supported"
    return "not an image in a supported format, or its first bytes are damaged"


def _grey(
    name: str, image: Image.Image, data: bytes, full_scale: float | None
) -> tuple[np.ndarray, float, Scale | None]:
    """Grey levels of a decoded Pillow image of any mode, the white one, and the scale if open."""
    bits, significant = _header_bits(image, data)
    _refuse_signed_bytes(name, image, bits)
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        grey, scale = _wide_grey(name, image, bits, significant, full_scale)
        # Pillow inverts no more than 8 bits
        return 1 - grey if image.info["white_is_zero"] else grey, 1, scale
    if image.mode in ("LAB", "HSV"):
        raise ImageError(
            name, f"holds colours of the kind {image.mode}, which are not supported", SAVE_AS_PNG
        )
    alpha = None
    # "transparency" is a palette entry or a grey level that counts as see-through.
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255
    if image.mode not in ("1", "L", "RGB"):
        colours = image.info.get("tags", {}).get(320, (256,))  # of a TIFF's palette, of 16 bits
        if image.mode == "P" and 0 < max(colours) < 256:  # of 8 bits, as some programs write it
            image.putpalette(np.reshape(colours, (3, -1)).T.astype(np.uint8).tobytes())
        image = image.convert("RGB")
    levels, white, scale = np.asarray(image if image.mode == "L" else image.convert("L")), 255, None
    if bits == 16:  # colour, of which Pillow keeps the upper 8 bits
        levels, scale = _deep_colour(name, image, levels, full_scale)
        white = 1
    elif image.mode == "L":
        white = _stated(levels, bits, significant) or white
    if alpha is not None:
        levels, white = levels.astype(np.float32) / white * alpha, 1
    return levels, white, scale


def _refuse_signed_bytes(name: str, image: Image.Image, bits: int) -> None:
    """Refuse a TIFF of signed bytes: Pillow takes its negative levels for bright ones.

    Tag 339 is SampleFormat, 2 is signed.
    """
    if (
        image.info["file_format"] == "TIFF"
        and bits == 8
        and 2 in np.ravel(image.info["tags"].get(339, 1))
    ):
        raise ImageError(
            name, "holds signed grey levels of 8 bits, whose full scale is unknown", SAVE_AS_PNG
        )


def _deep_colour(
    name: str, image: Image.Image, levels: np.ndarray, full_scale: float | None
) -> tuple[np.ndarray, Scale | None]:
    """Grey in [0, 1] from the upper 8 bits of 16-bit colour, and its scale."""
    extrema: Any = image.getextrema()  # of each colour
    highest = 257 * int(max(high for _, high in extrema))
    white, scale = settle(name, highest, 65535, full_scale=full_scale)
    if 0 < highest < 2**13:
        problem = (
            f"holds colour of 16 bits whose levels stay below {highest + 256}, which is "
            "nearly black"
        )
        raise ImageError(name, problem, "Save it as grey of 16 bits, or as colour of 8 bits")
    return np.minimum(levels.astype(np.float32) * np.float32(257 / white), 1), scale


def _wide_grey(
    name: str, image: Image.Image, bits: int, significant: int | None, full_scale: float | None
) -> tuple[np.ndarray, Scale | None]:
    """Grey levels of more than 8 bits, and their scale where that was open."""
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    whole = image.mode != "F" or (1 < high <= 65535 and not (values % 1).any())
    if not (low >= 0 and high <= (65535 if whole else 1)):  # also catches NaN
        kind = "fractions" if image.mode == "F" else "grey levels"
        problem = f"has {kind} from {low:g} to {high:g}, whose full scale is unknown"
        raise ImageError(name, problem, SAVE_AS_PNG)
    if not whole:
        return values.astype(np.float32), None
    # its decoder has stretched them to 16
    if image.info["file_format"] == "JPEG2000" and bits < 16:
        white = 65535.0
        scale = None
    else:
        holds = 2 ** min(bits, 16) - 1
        says = _stated(values, min(bits, 16), significant) if image.mode != "F" else None
        says = holds if bits < 16 else says
        white, scale = settle(name, high, holds, says, full_scale)
    grey = values.astype(np.float32) / white
    clear = image.info.get("transparency")
    return (
        np.where(values == clear, np.float32(0), grey) if isinstance(clear, int) else grey
    ), scale


def _header_bits(image: Image.Image, data: bytes) -> tuple[int, int | None]:
    """Bits a sample by the header, and how many count (sBIT of a PNG, a TIFF's maximum)."""
    if image.info["file_format"] == "TIFF":
        tags = image.info["tags"]
        bits = tags.get(258, (1,))[0]
        most = [tags.get(281), tags.get(341)]  # MaxSampleValue, SMaxSampleValue
        most = [np.ravel(value)[0] for value in most if value is not None]
        told = [
            int(value).bit_length()
            for value in most
            if value > 254 and int(value) & (int(value) + 1) == 0
        ]
        return bits, min(told, default=None)
    if image.info["file_format"] == "JPEG2000":
        # Ssiz, of ISO/IEC 15444-1 A.5.1
        return (data[data.index(b"\xff\x4f\xff\x51") + 42] & 127) + 1, None
    if image.info["file_format"] != "PNG":
        return 8, None
    offset = 8
    while offset + 8 < len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        if kind == b"sBIT":
            return data[24], data[offset + 8]
        if kind == b"IDAT":
            break
        offset += 12 + length
    return data[24], None


def _stated(values: np.ndarray, bits: int, significant: int | None) -> int | None:
    """White, where header and content together leave no doubt; else None.

    A PNG whose sBIT says n of its bits should hold levels that were stretched to all of them (PNG,
    11.3.2.7): their low bits are empty, or repeat the high ones. Levels that were not stretched
    have n bits. Without sBIT, levels of 8 bits that fill 16 are told by both bytes being the same,
    and of 12 bits by the empty low ones.
    """
    highest = int(values.max())
    white: int
    if significant is not None and 0 < significant < bits and highest < 2**significant:
        spare = bits - significant
        top, low = values >> spare, values & (2**spare - 1)
        stretched = not low.any() or bool((low == top >> max(significant - spare, 0)).all())
        white = 2**bits - 1 if stretched else 2**significant - 1
        return white
    if bits == 16 and 0 < highest < 2**15:
        twice = not (values % 257).any()
        shifted = highest >= 2**12 and not (values & 15).any()
        return 65535 if twice or shifted else None
    return None
