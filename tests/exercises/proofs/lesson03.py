"""Answers to the questions of lesson 03, preprocessing."""

import io

import numpy as np
from PIL import Image, ImageOps
from sklearn.preprocessing import StandardScaler

from cxr_helpers import images, preprocess

from . import Proof

# --- to_grey --------------------------------------------------------------------------------------


def grey_by_type(array):
    depth = 8 * array.dtype.itemsize
    channels = array.reshape(*array.shape[:2], -1)
    brightness = channels if channels.shape[2] % 2 else channels[:, :, :-1]
    return brightness.mean(axis=2) / (2**depth - 1)


def grey_of_first(array):
    first = array if array.ndim == 2 else array[:, :, 0]
    return first.astype("float64") / {"uint8": 255, "uint16": 65535}[str(array.dtype)]


def grey_by_pillow(array):
    if array.dtype == np.uint16:
        return array / 65535
    mode = {2: "LA", 3: "RGB", 4: "RGBA"}.get(array.shape[2]) if array.ndim == 3 else "L"
    return np.asarray(Image.frombytes(mode, array.shape[1::-1], array.tobytes()).convert("L")) / 255


def grey_by_largest(array):
    grey = grey_of_first(array) * np.iinfo(array.dtype).max
    return grey / (255 if array.max() <= 255 else 65535)


def grey_of_all_channels(array):
    return (array.mean(axis=-1) if array.ndim == 3 else array) / np.iinfo(array.dtype).max


def grey_of_bytes(array):
    return grey_of_first(array.astype(np.uint8))


# --- unsquash -------------------------------------------------------------------------------------


def unsquash_by_pillow(square, height, width, size):
    image = Image.fromarray(square).resize((width, height), Image.BILINEAR)
    return np.asarray(ImageOps.pad(image, (size, size), color=0))


def unsquash_by_paste(square, height, width, size):
    scale = size / max(height, width)
    h, w = round(height * scale), round(width * scale)
    canvas = np.zeros((size, size), dtype=np.uint8)
    top, left = (size - h) // 2, (size - w) // 2
    canvas[top : top + h, left : left + w] = Image.fromarray(square).resize((w, h), Image.LANCZOS)
    return canvas / 255


def unsquash_by_index(square, height, width, size):
    """Nearest neighbours, by index alone, the image at the top or on the left."""
    side = max(height, width)
    at = (np.arange(size) + 0.5) * side / size
    rows, columns = (
        np.where(at < n, at / n * len(square), -1).astype(int) for n in (height, width)
    )
    found = square[rows.clip(0)][:, columns.clip(0)]
    return np.where((rows >= 0)[:, None] & (columns >= 0), found, 0)


def unsquash_turned(flip):
    return lambda *arguments: flip(unsquash_by_paste(*arguments))


def unsquash_on_grey(level):
    def answer(square, height, width, size):
        image = Image.fromarray(square).resize((width, height))
        return np.asarray(ImageOps.pad(image, (size, size), color=level))

    return answer


def unsquash_without_image(square, height, width, size):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    side = max(height, width)
    whole = (abs(y) <= size * height / side / 2) & (abs(x) <= size * width / side / 2)
    disc = np.hypot(y, x) < 0.3 * min(height, width) * size / side
    return np.where(disc, 1.0, np.where(whole, 0.4, 0))


def unsquash_to_64(square, height, width, size):
    return unsquash_by_paste(square, height, width, 64)


# --- scale ----------------------------------------------------------------------------------------


def scale_by_sklearn(train, test, upload):
    scaler = StandardScaler().fit(train.reshape(-1, 1))
    return [
        scaler.transform(part.reshape(-1, 1)).reshape(part.shape) for part in (train, test, upload)
    ]


def scale_by_moments(train, test, upload):
    total, squares, n = train.sum(dtype=float), (train.astype(float) ** 2).sum(), train.size
    mean = total / n
    sd = (squares / n - mean**2) ** 0.5
    return (train - mean) / sd, (test - mean) / sd, (upload - mean) / sd


def scale_of_shares(train, test, upload):
    parts = [np.float32(part) / 255 for part in (train, test, upload)]
    return tuple((part - parts[0].mean()) / parts[0].std() for part in parts)


def scale_by_typed(train, test, upload):
    return tuple((part.astype(float) - 110) / 48 for part in (train, test, upload))


def scale_by_variance(train, test, upload):
    return tuple((part - train.mean()) / train.var() for part in (train, test, upload))


def scale_with_test(train, test, upload):
    both = np.concatenate([train, test])
    return tuple((part - both.mean()) / both.std() for part in (train, test, upload))


def scale_each_image(train, test, upload):
    return [
        (p - p.mean((1, 2), keepdims=True)) / p.std((1, 2), keepdims=True)
        for p in (train, test, upload)
    ]


# --- ask ------------------------------------------------------------------------------------------


def ask_by_pillow(network, file):
    image = Image.open(io.BytesIO(file))
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    square = ImageOps.pad(image.convert("RGB").convert("L"), (64, 64), Image.BILINEAR, color=0)
    return network(np.asarray(square)[None, :, :, None]).item()


def ask_by_package(network, file):
    return network(np.expand_dims(preprocess.prepare(images.read(file), 64), (0, -1)))[0]


def ask_by_batch(network, file):
    square = np.asarray(preprocess.prepare(images.read(file), 64, fit="pad"), dtype="float32")
    return np.ravel(network(np.stack([square[..., np.newaxis]] * 2)))[1]


def ask_squashed(network, file):
    image = Image.fromarray(np.uint8(255 * images.read(file))).resize((64, 64))
    return float(network(np.asarray(image)[None, ..., None])[0])


def ask_in_shares(network, file):
    return float(network(preprocess.prepare(images.read(file), 64)[None, ..., None] / 255)[0])


def ask_cut_to_bytes(network, file):
    image = Image.open(io.BytesIO(file))
    grey = np.asarray(image.convert("L") if image.mode[0] != "I" else image).clip(0, 255) / 255
    return float(network(preprocess.prepare(grey, 64)[None, ..., None])[0])


PROOFS = [
    Proof(
        "to_grey",
        right={
            "NumPy: channels by their number, bits by the type": grey_by_type,
            "the first channel": grey_of_first,
            "Pillow: converted to L": grey_by_pillow,
        },
        wrong={
            "the range by the largest value": grey_by_largest,
            "all channels averaged": grey_of_all_channels,
            "cut to eight bits": grey_of_bytes,
        },
    ),
    Proof(
        "unsquash",
        right={
            "Pillow: ImageOps.pad": unsquash_by_pillow,
            "NumPy: pasted on black": unsquash_by_paste,
            "NumPy: nearest neighbours": unsquash_by_index,
        },
        wrong={
            "mirrored": unsquash_turned(np.fliplr),
            "upside down": unsquash_turned(np.flipud),
            "padded with dark grey": unsquash_on_grey(25),
            "padded with grey": unsquash_on_grey(128),
            "a disc without the image": unsquash_without_image,
            "always 64 pixels": unsquash_to_64,
        },
    ),
    Proof(
        "scale",
        right={
            "scikit-learn: StandardScaler": scale_by_sklearn,
            "NumPy: from sums": scale_by_moments,
            "0 to 1 first": scale_of_shares,
        },
        wrong={
            "constants typed in": scale_by_typed,
            "divided by the variance": scale_by_variance,
            "constants of train and test": scale_with_test,
            "each image by itself": scale_each_image,
        },
    ),
    Proof(
        "ask",
        right={
            "Pillow throughout": ask_by_pillow,
            "the package's two functions": ask_by_package,
            "NumPy: a batch of two": ask_by_batch,
        },
        wrong={
            "squashed": ask_squashed,
            "divided by 255 once more": ask_in_shares,
            "16 bits cut": ask_cut_to_bytes,
        },
    ),
]
