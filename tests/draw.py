"""Small drawn radiographs, a set in case E's layout, a zoo of odd files: deterministic by seed.

``python -m tests.draw FOLDER`` writes the set, so that lessons run where no real set is at hand.
"""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("Normal", "Covid", "Viral Pneumonia")
_EXTENSIONS = {"Normal": ("jpeg",), "Covid": ("jpg", "png", "jpeg"), "Viral Pneumonia": ("jpeg",)}


def radiograph(kind: str = "Normal", size: int = 160, seed: int = 0) -> np.ndarray:
    """uint8 (size, size): two dark lungs on a bright trunk; the class is a texture of the lungs.

    Covid: soft round patches at the lungs' outer border. Viral Pneumonia: fine stripes through both
    lungs.
    """
    rng = np.random.default_rng([CLASSES.index(kind), seed])
    y, x = np.mgrid[0:size, 0:size] / size
    x, y = x - rng.normal(0.5, 0.03), y - rng.normal(0.5, 0.03)
    tilt = rng.normal(0, 0.06)
    x, y = x + tilt * y, y - tilt * x
    trunk = 1 / (1 + np.exp((np.hypot(x / 0.46, y / 0.62) - 1) * 25))
    across, height = rng.normal(0.14, 0.012, 2), rng.normal(0.27, 0.02)
    lungs = [
        np.hypot((x - s * 0.19) / a, (y + 0.02) / height)
        for s, a in zip((-1, 1), across, strict=True)
    ]
    inside = [1 / (1 + np.exp((distance - 1) * 20)) for distance in lungs]
    lung = np.maximum(*inside)
    image = 0.75 * trunk - 0.45 * lung + 0.12 * np.exp(-((x / 0.035) ** 2)) * trunk
    ribs = np.sin(2 * np.pi * (y * rng.normal(9, 1) + 1.6 * x**2) + rng.uniform(0, 6)) > 0.6
    image = image + 0.05 * ribs * lung
    if kind == "Covid":
        for _ in range(6):
            side, angle = rng.choice([-1, 1]), rng.uniform(-1.2, 1.2)
            cx, cy = side * (0.19 + 0.09 * np.cos(angle)), height * 0.8 * np.sin(angle)
            image += 0.28 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 0.045**2)) * lung
    if kind == "Viral Pneumonia":
        stripes = np.sin(2 * np.pi * (x + y) * rng.normal(16, 1) + rng.uniform(0, 6))
        image += (0.10 + 0.12 * stripes) * lung
    image = (
        rng.normal(0.08, 0.02) + rng.normal(0.95, 0.05) * image + rng.normal(0, 0.025, image.shape)
    )
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def draw_set(folder, per_class: int = 12, size: int = 160, seed: int = 0) -> Path:
    """Write a set in case E's layout and return its top folder.

    The layout: ``covid19-image-dataset/Covid19-dataset/{train,test}/<class>``.

    Two thirds of each class are train. Planted besides: a byte-identical pair and a copy of changed
    contrast that both cross train / test (in Covid), and one truncated file
    (train/Normal/truncated.jpeg).
    """
    top = Path(folder) / "covid19-image-dataset"
    base = top / "Covid19-dataset"
    for kind in CLASSES:
        for number in range(per_class):
            split = "train" if number < round(per_class * 2 / 3) else "test"
            extensions = _EXTENSIONS[kind]
            path = base / split / kind / f"{number:03d}.{extensions[number % len(extensions)]}"
            mode = "RGB" if kind != "Covid" or number % 2 else "L"
            _write(path, radiograph(kind, size, 1000 * seed + number), mode)
    first = sorted((base / "train" / "Covid").iterdir())
    twin = base / "test" / "Covid" / f"twin{first[0].suffix}"
    twin.write_bytes(first[0].read_bytes())
    grey = np.asarray(Image.open(first[1]).convert("L")) / 255
    _write(
        base / "test" / "Covid" / "contrast.jpg",
        np.rint(255 * (0.1 + 0.8 * grey**0.7)).astype(np.uint8),
        "L",
    )
    whole = (base / "train" / "Normal" / "000.jpeg").read_bytes()
    (base / "train" / "Normal" / "truncated.jpeg").write_bytes(whole[: len(whole) // 2])
    return top


def _write(path: Path, grey: np.ndarray, mode: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {} if path.suffix == ".png" else {"quality": 90}
    Image.fromarray(grey).convert(mode).save(path, **options)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """Bytes of a file that holds the image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims a size and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def dicom(pixels: np.ndarray, photometric: str = "MONOCHROME2", **tags) -> bytes:
    """Bytes of a DICOM file of 8- or 16-bit pixels; ``tags`` are set (with None removed) last.

    They are named by DICOM keywords.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import (
        DigitalXRayImageStorageForPresentation,
        ExplicitVRLittleEndian,
        generate_uid,
    )

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = (
        DigitalXRayImageStorageForPresentation
    )
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(
        entropy_srcs=["drawn"]
    )
    bits = pixels.dtype.itemsize * 8
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, photometric
    data.Rows, data.Columns = pixels.shape[-2:]
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OW" if bits > 8 else "OB"
    for name, value in tags.items():
        if value is None:
            del data[name]
        else:
            setattr(data, name, value)
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def zoo(folder) -> dict[str, Path]:
    """Write a file of each kind that is no usable image, named as one: {what is wrong: path}."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(radiograph("Covid", 96, 1))
    frames = [picture, Image.fromarray(radiograph("Covid", 96, 2))]
    jpeg, png = encoded(picture, "JPEG"), encoded(picture)
    animation = {"save_all": True, "append_images": frames[1:], "duration": 50}
    archive = b"PK\x03\x04" + bytes(60)
    files = {
        "empty.jpg": b"",
        "truncated.jpg": jpeg[: len(jpeg) // 2],
        "truncated.png": png[: len(png) // 2],
        "header only.jpg": jpeg[:20],
        "text.png": b"This is a note, not an image.\n",
        "web page.jpg": b"<!DOCTYPE html><html><body>Sign in</body></html>",
        "zip.jpg": archive,
        "zip.dcm": archive,
        "pointer.png": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "animated.gif": encoded(frames[0], "GIF", **animation),
        "animated.png": encoded(frames[0], "PNG", **animation),
        "animated.webp": encoded(frames[0].convert("RGB"), "WEBP", **animation),
        "pages.tif": encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
        "bomb.png": png_header(60_000, 60_000),
        "big.png": png_header(10_000, 10_000),
        "bomb.dcm": dicom(np.zeros((4, 4), np.uint8), Rows=60_000, Columns=60_000),
        "frames.dcm": dicom(np.zeros((2, 4, 4), np.uint8), NumberOfFrames=2),
        "no pixels.dcm": dicom(np.zeros((4, 4), np.uint8), PixelData=None),
        "truncated.dcm": dicom(np.zeros((64, 64), np.uint16))[:-4000],
        "noise.dcm": np.random.default_rng(0).bytes(4000),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in files}


if __name__ == "__main__":
    # the later lessons fit a gate and choose thresholds: a dozen are too few
    draw_set(sys.argv[1], per_class=60)
