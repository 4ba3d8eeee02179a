"""One file in, one grey-scale array out: PNG, JPEG, TIFF, BMP, GIF, WebP and DICOM; a clear error for anything else.

For education, never for diagnosis. Introduced in lesson 01.
"""

import hashlib
import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# A large radiograph has about 25 million pixels. Twice that is none, and would fill the memory of a small machine.
MAX_PIXELS = 50_000_000
MAX_SIDE = 15_000  # a strip of few pixels fills the memory once it is padded to a square
MAX_BYTES = 500_000_000
# What counts as an image when a folder is searched; what a file is, its bytes say.
EXTENSIONS = frozenset(
    [".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".jp2", ".dcm", ".dicom"]
)

# Formats that Pillow may try. Others (PostScript, for one) would start other programs or draw vectors.
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
_DECODE_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
    *(EOFError, RuntimeError, MemoryError, AssertionError, struct.error, zlib.error),
)
_EXPORT_AGAIN = "Download or export the image again, or leave the file out"
_SAVE_AS_PNG = "Open it in an image viewer and save it as a grey PNG"
_open_lock = threading.Lock()  # warnings.catch_warnings is not safe between threads


class ImageError(ValueError):
    """A file that is not a usable image: the message names the file, what is wrong and what to do.

    Attributes: ``path`` (str), ``problem`` (str), ``remedy`` (str). Introduced in lesson 01.
    """

    def __init__(self, path, problem: str, remedy: str):
        self.path, self.problem, self.remedy = str(path), problem, remedy
        super().__init__(f"{self.path}: {problem}. {remedy}.")

    def __reduce__(self):
        return type(self), (self.path, self.problem, self.remedy)


@dataclass(frozen=True)
class ImageInfo:
    """What a file is: size in pixels as displayed, mode, format by its bytes, size in bytes, SHA-256.

    Introduced in lesson 01.
    """

    width: int
    height: int
    mode: str
    format: str
    bytes: int
    sha256: str


def read(source) -> np.ndarray:
    """Read one radiograph, from a path or from the bytes of a file, as float32 of shape (height, width) in [0, 1].

    Grey levels only: colour becomes luma (0.299 R + 0.587 G + 0.114 B, ITU-R BT.601), transparency is composited on
    black, 16-bit files are divided by 65535, EXIF orientation is applied. DICOM follows PS3.3 C.11: modality LUT,
    then VOI LUT or window (without one: the image's own range, padding black), then MONOCHROME1 is inverted.
    Raises ImageError naming the file, what is wrong and what to do. Introduced in lesson 01.
    """
    name, data = _load_bytes(source)
    if _is_dicom(name, data):
        return _dicom_grey(name, _open_dicom(name, data))
    return _pillow_grey(name, _open_pillow(name, data))


def describe(path) -> ImageInfo:
    """Decode a file fully (so that a truncated one is found here) and return its `ImageInfo`.

    Width and height are in pixels, after EXIF orientation. Raises ImageError. Introduced in lesson 01.
    """
    name, data = _load_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    if _is_dicom(name, data):
        dataset = _open_dicom(name, data)
        height, width = _dicom_grey(name, dataset).shape
        return ImageInfo(width, height, f"DICOM {dataset.PhotometricInterpretation}", "DICOM", len(data), digest)
    image = _open_pillow(name, data)
    return ImageInfo(*image.size, image.mode, image.info["file_format"], len(data), digest)


def looks_like_image(path) -> bool:
    """Whether a file counts as an image when a folder is searched: by extension and not hidden; DICOM without
    extension by its magic word. Says nothing about whether it can be read: `describe` does. Introduced in lesson 01.
    """
    path = Path(path)
    if path.name.startswith("."):
        return False
    suffix = path.suffix.lower()
    if suffix in EXTENSIONS:
        return True
    if suffix and not suffix[1:].isdigit():  # "1.2.840.113" is a usual name of a DICOM file
        return False
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _load_bytes(source) -> tuple[str, bytes]:
    """Name for messages, and content."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "uploaded image", bytes(source)
    else:
        path, name = Path(source), str(source)
        if path.is_dir():
            raise ImageError(name, "is a folder, not a file", "Give the path of one image inside it")
        if not path.exists():
            raise ImageError(name, "does not exist", "Check the spelling and the folder you are in")
        if not path.is_file():
            raise ImageError(name, "is not a regular file", "Give the path of an image file")
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(name, f"is larger than {MAX_BYTES / 1e6:.0f} MB", _SAVE_AS_PNG)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImageError(name, f"cannot be opened ({error.strerror})", "Check the file's permissions") from error
    if not data:
        raise ImageError(name, "is empty (0 bytes)", _EXPORT_AGAIN)
    return name, data


def _check_size(name: str, width: int, height: int) -> None:
    """Refuse by the header, before anything is decoded."""
    if width < 1 or height < 1:
        raise ImageError(name, f"has no pixels ({width} × {height})", _EXPORT_AGAIN)
    size = f"{width} × {height} pixels"
    if width * height > MAX_PIXELS:
        problem = f"claims {size}, more than the {MAX_PIXELS / 1e6:.0f} million allowed"
        raise ImageError(name, problem, "A radiograph is never so large: leave the file out, or save it smaller")
    if max(width, height) > MAX_SIDE:
        remedy = "A radiograph is nearly square: cut it out of the picture, or leave the file out"
        raise ImageError(name, f"is {size}, a strip", remedy)


def _open_pillow(name: str, data: bytes) -> Image.Image:
    """Decoded image in its own mode, upright; ``info["file_format"]`` holds the format. See `_bare_png`."""
    try:
        return _opened(name, data)
    except ImageError:
        if (bare := _bare_png(data)) is None:
            raise
        return _opened(name, bare)


def _bare_png(data: bytes) -> bytes | None:
    """A PNG without its notes (texts, resolution, colour profile), where it has some: damage there is none to pixels.

    What bears on the grey levels (transparency, significant bits) and on the number of frames stays.
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


def _opened(name: str, data: bytes) -> Image.Image:
    """`_open_pillow` for a file whose notes are whole."""
    try:
        # Pillow warns and refuses at sizes of its own; ours is smaller, and applies to each file alike.
        with _open_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            Image.init()  # registers the formats of this Pillow, once
            image = Image.open(io.BytesIO(data), formats=[kind for kind in _FORMATS if kind in Image.OPEN])
    except UnidentifiedImageError as error:
        raise ImageError(name, f"is {_what(data)}", "Use a PNG, JPEG, TIFF, BMP, WebP or DICOM file") from error
    except Image.DecompressionBombError as error:
        problem = f"claims more than the {MAX_PIXELS / 1e6:.0f} million pixels allowed"
        raise ImageError(name, problem, "A radiograph is never so large: leave the file out") from error
    except _DECODE_ERRORS as error:
        raise ImageError(name, f"has a damaged header ({error})", _EXPORT_AGAIN) from error
    _check_size(name, *image.size)
    try:
        # A JPEG of a telephone may carry a second, small picture (MPO): its first is the photograph.
        several = image.format != "MPO" and getattr(image, "is_animated", False)
        tags = getattr(image, "tag_v2", {})  # of a TIFF; 262: PhotometricInterpretation
        found = {"file_format": image.format, "white_is_zero": tags.get(262) == 0}
        if not several:
            image.load()
            if image.getexif().get(0x0112, 1) != 1:
                image = ImageOps.exif_transpose(image)
    except _DECODE_ERRORS as error:
        raise ImageError(name, f"is truncated or damaged ({error})", _EXPORT_AGAIN) from error
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


def _pillow_grey(name: str, image: Image.Image) -> np.ndarray:
    """float32 in [0, 1] from a decoded Pillow image of any mode."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        grey = np.asarray(image).astype(np.float32) / 65535 if "16" in image.mode else _wide_grey(name, image)
        return 1 - grey if image.info["white_is_zero"] else grey  # Pillow itself inverts no more than 8 bits
    # "transparency" is a palette entry or a grey level that counts as see-through.
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha = np.asarray(rgba.getchannel("A"), dtype=np.float32) / 255
        return np.asarray(rgba.convert("RGB").convert("L"), dtype=np.float32) / 255 * alpha
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"), dtype=np.float32) / 255


def _wide_grey(name: str, image: Image.Image) -> np.ndarray:
    """32-bit grey levels: usable where the full scale is known (0-65535 as integers, 0-1 as fractions)."""
    grey = np.asarray(image)
    scale = 65535 if image.mode == "I" else 1
    low, high = float(grey.min()), float(grey.max())
    if not (low >= 0 and high <= scale):  # also catches NaN
        raise ImageError(name, f"has 32-bit grey levels {low:g} to {high:g}, whose full scale is unknown", _SAVE_AS_PNG)
    return (grey / scale).astype(np.float32)


def _is_dicom(name: str, data: bytes) -> bool:
    """By the magic word; a file called .dcm may lack it."""
    if data[128:132] == b"DICM":
        return True
    return name.lower().endswith((".dcm", ".dicom")) and data[:2] not in (b"PK", b"\xff\xd8", b"\x89P")


def _open_dicom(name: str, data: bytes):
    """Data set whose header has been checked; pixels are not decoded yet."""
    import pydicom

    if b"1.2.840.10008.1.2.1.99" in data[:1024]:  # zlib over the whole file: its size cannot be known beforehand
        raise ImageError(name, "is a deflated DICOM file, which is not supported", _SAVE_AS_PNG)
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:  # the standard's default
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
        frames = int(dataset.get("NumberOfFrames") or 1)
        photometric = str(dataset.get("PhotometricInterpretation") or "")
        has_pixels = "PixelData" in dataset
    except (*_DECODE_ERRORS, pydicom.errors.InvalidDicomError) as error:
        raise ImageError(name, f"is a damaged DICOM file ({error})", _EXPORT_AGAIN) from error
    if not (rows and columns and has_pixels and photometric):
        raise ImageError(name, "is not a DICOM image, or holds no pixels", "Export the image itself, not its report")
    if frames > 1:
        raise ImageError(name, f"holds {frames} frames", "Export the one frame that you want")
    _check_size(name, columns, rows)
    return dataset


def _dicom_grey(name: str, dataset) -> np.ndarray:
    """float32 in [0, 1]: modality LUT, then VOI LUT or window, then MONOCHROME1 inversion (DICOM PS3.3 C.11)."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut

    padded = None
    try:
        pixels, bits = dataset.pixel_array, int(dataset.BitsStored)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            pixels, bits = apply_color_lut(pixels, dataset), int(dataset.RedPaletteColorLookupTableDescriptor[2])
        if pixels.ndim == 3:  # colour: no other look-up tables apply
            grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114]) / (2**bits - 1)
        else:
            padded = _dicom_padding(pixels, dataset)
            grey = _dicom_voi(apply_modality_lut(pixels, dataset), dataset, padded)
    except _DECODE_ERRORS as error:
        remedy = "Export the image again, uncompressed, or convert it to PNG with the software that made it"
        raise ImageError(name, f"is DICOM whose pixels cannot be decoded ({error})", remedy) from error
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 1 - grey
    grey = np.clip(grey, 0, 1).astype(np.float32)
    return grey if padded is None else np.where(padded, np.float32(0), grey)


def _dicom_padding(pixels: np.ndarray, dataset) -> np.ndarray | None:
    """Where stored pixels are padding (PS3.3 C.7.5.1.1.2), as bool (h, w); None in a file with a window of its own."""
    from pydicom.errors import BytesLengthException

    try:
        ends = [_first(dataset.get(f"PixelPadding{end}")) for end in ("Value", "RangeLimit")]
    except (*_DECODE_ERRORS, BytesLengthException):  # a damaged tag, which the image can do without
        return None
    if ends[0] is None or dataset.get("VOILUTSequence") or _dicom_window(dataset):
        return None
    # The 16 bits are often written with the wrong sign: the sign of the pixels counts.
    sign = np.int16 if pixels.dtype.kind == "i" else np.uint16
    ends = [int(np.uint16(int(end) & 0xFFFF).astype(sign)) for end in ends if end is not None]
    padded = (pixels >= min(ends)) & (pixels <= max(ends))
    return None if padded.all() else padded


def _dicom_voi(values: np.ndarray, dataset, padded: np.ndarray | None) -> np.ndarray:
    """Values of interest, scaled to [0, 1]: VOI LUT, else window (PS3.3 C.11.2.1.2), else the image's own range."""
    from pydicom.pixels import apply_voi

    if dataset.get("VOILUTSequence"):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return apply_voi(values.astype(np.int64), dataset) / (2**bits - 1)
    values = values.astype(np.float64)
    if (window := _dicom_window(dataset)) is None:
        inside = values if padded is None else values[~padded]
        low, high = inside.min(), inside.max()
        return (values - low) / (high - low) if high > low else np.zeros_like(values)
    width, centre = window
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    if function == "LINEAR":  # the standard's half-step: a window of width 256 at 128 maps 0..255 to 0..1
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return np.clip((values - centre) / width + 0.5, 0, 1)


def _dicom_window(dataset) -> tuple[float, float] | None:
    """Width and centre of the first window, if there is a usable one."""
    width, centre = _first(dataset.get("WindowWidth")), _first(dataset.get("WindowCenter"))
    return None if width is None or centre is None or width <= 0 else (width, centre)


def _first(value) -> float | None:
    """First of possibly several windows."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, int | float) or not np.ndim(value) else value[0])
