"""Questions of lesson 03, preprocessing: channels, the shape of an image, constants, uploads."""

import io

import numpy as np
from PIL import Image

from .. import preprocess
from . import expect
from ._kinds import Case, Compare
from ._question import Mistake, Question
from ._running import Wrong

SIZE = 64  # of the squares in questions 2 and 4


def _film(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A smooth image in [0.25, 0.6], with a bright disc in its middle and bright corners; float
    (height, width).
    """
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    a, b, c = rng.uniform(2, 6, size=3)
    film = 0.42 + 0.15 * np.sin(a * rows + b) * np.cos(c * columns)
    y, x = np.mgrid[:height, :width]
    film[(y - height / 2) ** 2 + (x - width / 2) ** 2 < (0.3 * min(height, width)) ** 2] = 1.0
    return film.clip(0.25, 1)


# --- q1: what a channel means ---------------------------------------------------------------------

GREY_SLACK = 0.01  # of the range 0 to 1: more than rounding to 8 bits, less than a visible veil


def _decoded(rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Arrays as a decoder returns them, by mode, each with the grey levels (0 to 1) that were
    stored.
    """
    arrays = {}
    for mode in rng.permutation(["grey", "grey with alpha", "RGB", "RGBA", "16 bits"]):
        height, width = (int(side) for side in rng.integers(30, 60, size=2))
        levels = np.round(255 * rng.uniform(0.6, 0.8) * _film(rng, height, width)).astype(np.uint8)
        opaque = np.full_like(levels, 255)
        channels = {
            "grey with alpha": [levels, opaque],
            "RGB": [levels] * 3,
            "RGBA": [levels] * 3 + [opaque],
        }
        array: np.ndarray = np.stack(channels[mode], axis=-1) if mode in channels else levels
        array = array.astype(np.uint16) * 257 if mode == "16 bits" else array
        arrays[str(mode)] = array, levels / 255
    return arrays


def _modes(rng: np.random.Generator) -> list[Case]:
    """A case of each mode, and a dark one of 16 bits, in which no value is above 255."""
    cases = [Case((array,), levels, mode) for mode, (array, levels) in _decoded(rng).items()]
    dark = next(case.given[0] for case in cases if case.note == "16 bits") // 257
    return [*cases, Case((dark,), dark / 65535, "16 bits, dark")]


def _veil(greys: list[np.ndarray], cases: list[Case]) -> dict:
    found = {case.note: (grey, case.right) for grey, case in zip(greys, cases, strict=True)}
    grey, levels = found["RGBA"]
    return {"veil": float(grey.min() - levels.min()), "largest": found["16 bits"][0].max()}


def _why_not_grey(grey: np.ndarray, case: Case) -> str:
    if abs(grey - case.right * 255).max() < 255 * GREY_SLACK:
        return "The grey levels are right and run from 0 to 255; the question asks for 0 to 1."
    off = abs(grey - case.right).max()
    return f"Too far off for {case.note}: by up to {off:.2f} of the range 0 to 1."


q1 = Compare(
    "to_grey",
    title="What a channel means",
    points=2,
    wants=(
        "to_grey(array) returns the grey levels as an array (height, width) of numbers from 0 to 1"
    ),
    hints=(
        "Print shape, dtype, and the mean of each channel of every array. Which channel is not "
        "brightness?",
        "With 1 or 3 channels all are brightness. With 2 or 4, the last one says how opaque a "
        "pixel is.",
        "The largest possible value follows from the type, not from the image: "
        "np.iinfo(array.dtype).max.",
    ),
    data=lambda rng: {mode: array for mode, (array, _) in _decoded(rng).items()},
    mistakes={
        "alpha_averaged": Mistake(
            lambda array: (
                (array.mean(axis=2) if array.ndim == 3 else array) / np.iinfo(array.dtype).max
            ),
            "All channels were averaged, including alpha. Alpha is the opacity of a pixel (255 "
            "everywhere here), not brightness: the darkest pixel of the RGBA file rose by "
            "{veil:.2f}. The result still looks like a radiograph, but if one class comes as "
            "RGBA, a network can learn this veil.",
        ),
        "two_channels_averaged": Mistake(
            lambda array: (
                (array[..., :3].mean(axis=2) if array.ndim == 3 else array)
                / np.iinfo(array.dtype).max
            ),
            "RGBA is right, but in the file with two channels (grey and alpha) both were "
            "averaged. Taking the first three of two channels takes both. Ask how many channels "
            "there are, and which of them is alpha.",
        ),
        "eight_bits_assumed": Mistake(
            lambda array: _light(array) / 255,
            "Every file was divided by 255, but the 16-bit file goes up to 65,535, so its result "
            "reaches {largest:.0f} instead of 1. Divide by the largest value that the file's type "
            "can hold.",
        ),
        "own_maximum": Mistake(
            lambda array: _light(array) / _light(array).max(),
            "Each image was divided by its own largest value, so every image ends at 1: how "
            "bright it was is lost, and one bright letter makes the rest darker. Divide by the "
            "largest value that the file's type can hold.",
        ),
    },
    cases=_modes,
    read=lambda value, case: expect.array(value, case.right.shape, f"to_grey for {case.note}"),
    same=expect.near(GREY_SLACK),
    places=_veil,
    explain=_why_not_grey,
)


def _light(array):
    """The mean of the channels that are brightness, in the array's own units."""
    light = array[..., : array.shape[2] - 1 + array.shape[2] % 2] if array.ndim == 3 else array
    return light.astype(float).mean(axis=2) if array.ndim == 3 else light.astype(float)


@q1.edges
def _(right):
    yield "float32", lambda array: right(array).astype("float32"), True
    yield "rounded to 8 bits", lambda array: np.round(right(array) * 255) / 255, True
    yield "lists", lambda array: right(array).tolist(), True
    yield "three hundredths too bright", lambda array: right(array) + 0.03, False
    yield "one axis too many", lambda array: right(array)[..., None], False


# --- q2: the shape of an image --------------------------------------------------------------------

ROUND = 0.12  # how far from 1 the disc's width over its height may be: two pixels of 25
WHOLE = 3  # pixels that a side of the image may be off
ALIKE = 0.15  # mean grey levels of a tenth by a tenth of the image that differ by less say the same


def _squashed(rng: np.random.Generator, wide: bool | None = None) -> tuple[np.ndarray, int, int]:
    """An image squashed to a square, uint8, with its original height and width."""
    short, long = int(rng.integers(95, 116)), int(rng.integers(165, 191))
    wide = bool(rng.random() < 0.5) if wide is None else wide
    height, width = (short, long) if wide else (long, short)
    film = _film(rng, height, width)
    # two marks, so that turned images differ
    film[height // 20 : height // 4, width // 20 : width // 4] = 0.72
    film[height // 20 : height // 4, -width // 4 : -width // 20] = 0.25
    square = preprocess.resize(film, 96).clip(0, 1)
    return np.round(255 * square).astype(np.uint8), height, width


def _cropped(square, height, width, size):
    return preprocess.prepare(_resized(square, height, width), size, fit="crop")


q2 = Question(
    "unsquash",
    title="Undo the squash",
    points=2,
    wants="unsquash(square, height, width, size) returns an array (size, size) with the image in "
    "its original proportions",
    hints=(
        "Two steps: restore the original shape, then make it square. Which of the two does "
        "resized do?",
        "The lesson has three ways to make an image square. Which one keeps both the proportions "
        "and the edges?",
        "resized(square, height, width) restores the image. preprocess.prepare makes it square; "
        "it takes grey levels from 0 to 1.",
    ),
    data=_squashed,
    mistakes={
        "left_squashed": Mistake(
            lambda square, height, width, size: preprocess.prepare(square / 255, size, fit="pad"),
            "A {was} image is still squashed: a disc in it is {shape:.2f} times as wide as high. "
            "Padding or resizing an image that is already square does not change its proportions; "
            "restore the original shape first.",
        ),
        "sides_swapped": Mistake(
            lambda square, height, width, size: preprocess.prepare(
                _resized(square, width, height), size
            ),
            "Height and width are swapped, so a {was} image became worse: a disc in it is "
            "{shape:.2f} times as wide as high. NumPy uses (height, width), Pillow (width, "
            "height). Test with an image whose shape you know.",
        ),
        "cropped": Mistake(
            _cropped,
            "The proportions are right, but the image was cropped and its edges are gone. On a "
            "chest radiograph these are the outer walls of the lungs, and the heart looks larger "
            "in comparison. Keep the whole image.",
        ),
    },
)


@q2.rule
def _(unsquash, rng):
    for wide, size in zip(
        rng.permutation([True, False]), rng.permutation([SIZE, SIZE + 20]), strict=True
    ):
        square, height, width = _squashed(rng, bool(wide))
        given = expect.array(
            unsquash(square, height, width, int(size)),
            (size, size),
            "unsquash(square, height, width, size)",
        )
        result = given / (255 if given.max() > 1.5 else 1)
        film, disc = (_sides(result, level) for level in (0.05, 0.8))
        if 0 in disc:
            raise Wrong("The bright disc in the middle of the image is no longer there.")
        shape, once = disc[1] / disc[0], height / width
        for name, expected in (("left_squashed", once), ("sides_swapped", once**2)):
            if abs(shape / expected - 1) < ROUND < abs(shape - 1):
                raise q2.caught(name, was="wide" if wide else "tall", shape=shape)
        if abs(shape - 1) > ROUND:
            raise Wrong(
                f"A disc in the image is now {shape:.2f} times as wide as high; it should be as "
                "wide as high."
            )
        if min(film) > size - WHOLE:
            if abs(result - _cropped(square, height, width, int(size)) / 255).mean() < 0.05:
                raise q2.caught("cropped")
            raise Wrong(
                "The image fills the whole square; the part that its proportions leave free should "
                "be black."
            )
        if abs(film[0] / film[1] - once) >= ROUND or abs(max(film) - size) > WHOLE:
            raise Wrong(
                f"The shape is right, but the image fills only {film[0]} × {film[1]} pixels of "
                f"{size} × {size}."
            )
        _judge_content(result, square / 255)


def _judge_content(result: np.ndarray, square: np.ndarray) -> None:
    """Raise `Wrong` unless what is not black in the result is the image, outside the disc and its
    edge.
    """
    rows, columns = (np.flatnonzero((result > 0.05).any(axis=axis)) for axis in (1, 0))
    # the outermost pixels are partly black
    found = result[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]]
    top, left = (round(len(square) / len(at)) for at in (rows, columns))
    square = square[top:-top, left:-left]
    small = [
        np.asarray(Image.fromarray(a.astype(np.float32)).resize((10, 10), Image.Resampling.BOX))
        for a in (found, square)
    ]
    coarse = Image.fromarray(square.astype(np.float32)).resize((40, 40), Image.Resampling.BOX)
    disc = np.asarray(coarse) > 0.8
    plain = ~disc.reshape(10, 4, 10, 4).any(axis=(1, 3))
    off = {
        (i, j): abs(small[0] - small[1][::i, ::j])[plain].max() for i in (1, -1) for j in (1, -1)
    }
    if off[1, 1] < ALIKE:
        return
    if off[min(off, key=lambda turn: off[turn])] < ALIKE:
        raise Wrong(
            "The proportions are right, but the image is mirrored or upside down. Keep it as it "
            "was."
        )
    raise Wrong(
        "The proportions are right, but beside the disc grey levels are off by up to "
        f"{off[1, 1]:.2f} (white is 1)."
    )


def _sides(square: np.ndarray, level: float) -> tuple[int, int]:
    """Height and width of what is brighter than the level."""
    found = (np.flatnonzero((square > level).any(axis=axis)) for axis in (1, 0))
    height, width = (int(at[-1] - at[0] + 1) if len(at) else 0 for at in found)
    return height, width


def _resized(image, height, width):
    return np.asarray(Image.fromarray(image).resize((width, height))) / 255


@q2.edges
def _(right):
    def black_below(square, height, width, size):
        side = max(height, width)
        whole = np.zeros((side, side))
        whole[:height, :width] = _resized(square, height, width)
        return preprocess.resize(whole, size)

    yield "0 to 1, black on one side only", black_below, True
    yield "one pixel to the right", lambda *a: np.roll(right(*a), 1, axis=1), True
    yield "too small", lambda *a: np.pad(right(*a[:3], a[3] - 16), 8), False
    yield (
        "not made square",
        lambda square, height, width, size: _resized(square, height, width),
        False,
    )


# --- q3: constants --------------------------------------------------------------------------------

SLACK = 0.02  # in standard deviations: rounding, or n - 1 in place of n


def _parts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey levels (n, 16, 16), uint8: 40 training images, 12 brighter test images, one image from
    elsewhere.
    """
    kinds, shift, factor = (
        ((40, 110, 50), (12, 150, 30), (1, 180, 20)),
        rng.uniform(-30, 20),
        rng.uniform(0.7, 1.1),
    )
    drawn = [rng.normal(m + shift + rng.normal(0, 4), factor * s, (n, 16, 16)) for n, m, s in kinds]
    train, test, upload = (part.clip(0, 255).astype(np.uint8) for part in drawn)
    return train, test, upload


def _all_images(train, test, upload):
    every = np.concatenate([train, test, upload])
    return tuple(_by(images, every) for images in (train, test, upload))


def _two_scales(train, test, upload):
    return tuple((images / 255 - train.mean()) / train.std() for images in (train, test, upload))


q3 = Question(
    "scale",
    title="Where constants come from",
    points=3,
    wants="scale(train, test, upload) returns three arrays: train, test and upload after scaling",
    hints=(
        "Next year a single image arrives. Which mean will be subtracted from it?",
        "Would a scaled training image change if the test images were different? It must not.",
        "Two numbers, computed once from one of the three arrays; the same formula for all three.",
    ),
    data=_parts,
    mistakes={
        "all_images": Mistake(
            _all_images,
            "We replaced test and upload by other images and left train as it was, yet the scaled "
            "training images changed by up to {moved:.2f}. Information about the test images "
            "reached training through the constants. Compute them from train alone.",
        ),
        "own_statistics": Mistake(
            lambda train, test, upload: tuple(
                _by(images, images) for images in (train, test, upload)
            ),
            "Test has mean 0 and deviation 1: it was scaled by its own statistics. Nothing leaks "
            "into training, but if the test images are brighter (because of the disease, or "
            "another machine), that difference is removed, and the result for an image depends on "
            "the others in the test. Use the training constants.",
        ),
        "upload_by_itself": Mistake(
            lambda train, test, upload: (_by(train, train), _by(test, train), _by(upload, upload)),
            "Train and test are right, but the single image was scaled by its own statistics: "
            "every upload would have the same mean, however bright it is. Keep the constants of "
            "train with the model and use them for all later images.",
        ),
        "two_scales": Mistake(
            _two_scales,
            "Scaled twice: the images were divided by 255 but the constants were not. All "
            "training images now lie between {low:.2f} and {high:.2f}, so they look the same to a "
            "network. Check min and max of its input.",
        ),
    },
)


@q3.rule
def _(scale, rng):
    for _ in range(2):
        _judge_scaled(scale, *_parts(rng))


def _judge_scaled(scale, train, test, upload) -> None:
    """Raise `Wrong` unless all three parts are scaled by the constants of train."""
    scaled = _three(scale(train, test, upload), (train, test, upload))
    other = _three(scale(train, 255 - test, 255 - upload), (train, test, upload))
    a, b, c = scaled
    if abs(a - _two_scales(train, test, upload)[0]).max() < SLACK / 10:
        raise q3.caught("two_scales", low=a.min(), high=a.max())
    if (moved := abs(other[0] - a).max()) > SLACK / 10:
        raise q3.caught("all_images", moved=moved)
    if abs(a.mean()) > SLACK or abs(a.std() - 1) > SLACK:
        raise Wrong(
            f"After scaling, train has mean {a.mean():.2f} and deviation {a.std():.2f}; it should "
            "have 0 and 1."
        )
    for name, part in (("own_statistics", b), ("upload_by_itself", c)):
        if abs(part.mean()) < SLACK / 4 and abs(part.std() - 1) < SLACK / 4:
            raise q3.caught(name)
    slope, start = np.polyfit(train.ravel(), a.ravel(), 1)
    for what, grey, part in (("train", train, a), ("test", test, b), ("upload", upload, c)):
        off = abs(slope * grey + start - part)
        if off.max() > SLACK:
            level = grey.ravel()[off.argmax()]
            raise Wrong(
                f"The grey level {level} is not scaled to the same number everywhere: it differs "
                f"in {what}."
            )


def _three(value, parts) -> list[np.ndarray]:
    """The answer as three arrays of the shapes of the parts."""
    if not isinstance(value, (tuple, list)) or len(value) != 3:
        raise Wrong(
            f"scale(train, test, upload) should return three arrays, not {expect.kind(value)}."
        )
    names = ("train", "test", "upload")
    return [
        expect.array(v, p.shape, f"{name} after scaling")
        for name, v, p in zip(names, value, parts, strict=True)
    ]


def _by(images, of):
    return (images - of.mean()) / of.std()


@q3.edges
def _(right):
    yield "a list, float32", lambda *parts: [part.astype("float32") for part in right(*parts)], True
    yield (
        "0 to 1 first, images and constants alike",
        lambda *p: [_by(part / 255, p[0] / 255) for part in p],
        True,
    )
    yield "n - 1", lambda *p: [(part - p[0].mean()) / p[0].std(ddof=1) for part in p], True
    yield "a hundredth off", lambda *p: [part + 0.01 for part in right(*p)], True
    yield "a twentieth off", lambda *p: [part + 0.05 for part in right(*p)], False
    yield "a mean for each pixel", lambda *p: [(q - p[0].mean(0)) / p[0].std(0) for q in p], False
    yield "train alone", lambda *p: right(*p)[0], False


# --- q4: the same preprocessing -------------------------------------------------------------------

PROBABILITY = 0.03  # how far the answer may be off


class Network:
    """A small trained network: grey levels (n, 64, 64, 1) go in, it divides them by 255,
    probabilities (n,) come " "out.
    """

    def __init__(self, rng: np.random.Generator):
        smooth = preprocess.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), SIZE)
        self._weights = (8 + 12 * smooth) / SIZE**2

    def __call__(self, batch) -> np.ndarray:
        """Probability of COVID for each image."""
        batch = np.asarray(batch, dtype=float)
        if batch.ndim != 4 or batch.shape[1:] != (SIZE, SIZE, 1):
            raise ValueError(f"the network takes arrays (n, {SIZE}, {SIZE}, 1), not {batch.shape}")
        signal = np.tensordot(batch[..., 0] / 255, self._weights, axes=2)
        return 1 / (1 + np.exp(-(signal - 2.5)))


def _uploads(rng: np.random.Generator) -> tuple[Network, list[tuple[bytes, np.ndarray]]]:
    """A network, and PNG files of several modes with the grey levels (0 to 1) that they hold."""
    files = []
    for mode in ("RGBA", "L", "I;16", "RGB", "RGBA", "L"):
        height, width = (
            int(side) for side in rng.permutation([rng.integers(60, 75), rng.integers(100, 120)])
        )
        levels = np.round(255 * rng.uniform(0.3, 1) * _film(rng, height, width)).astype(np.uint8)
        picture = Image.fromarray(levels.astype(np.uint16) * 257 if mode == "I;16" else levels)
        (picture if mode in ("L", "I;16") else picture.convert(mode)).save(
            buffer := io.BytesIO(), "PNG"
        )
        files.append((buffer.getvalue(), levels / 255))
    return Network(rng), files


def _without_levels(rng: np.random.Generator) -> tuple[Network, list[bytes]]:
    network, files = _uploads(rng)
    return network, [file for file, _ in files]


def _alpha_read_as_light(network, file):
    mode = Image.open(io.BytesIO(file)).mode
    weights = (0.25, 0.25, 0.25, 0.25) if mode == "RGBA" else (0.299, 0.587, 0.114)
    return _asked(network, preprocess.prepare(_opened(file, weights), SIZE))


def _stretched(network, file):
    square = preprocess.prepare(_opened(file), SIZE).astype(float)
    return _asked(network, 255 * (square - square.min()) / np.ptp(square))


def _prepared(rng: np.random.Generator) -> list[Case]:
    """Each file with the network's probability for its levels, prepared as in training."""
    network, files = _uploads(rng)
    right = [_asked(network, preprocess.prepare(levels, SIZE)) for _, levels in files]
    return [Case((network, file), p) for (file, _), p in zip(files, right, strict=True)]


def _span(given: list[float], cases: list[Case]) -> dict:
    return {"n": len(cases), "span": np.ptp(given)}


def _why_not_prepared(given: float, case: Case) -> str:
    mode = Image.open(io.BytesIO(case.given[1])).mode
    return (
        f"For a file of mode {mode} you return {given:.2f}; prepared as in training it is "
        f"{case.right:.2f}."
    )


q4 = Compare(
    "ask",
    title="The same preprocessing for every upload",
    points=3,
    wants="ask(network, file) returns one number, the network's probability for that file",
    hints=(
        "What was done to every training image before the network saw it? Do exactly the same "
        "here.",
        "Which two functions lead from a file to the cache? (preprocess.cache?? shows them.) And "
        "where is the division by 255?",
        "images.read, then preprocess.prepare with the size of the cache; [None, ..., None] makes "
        "a batch of one image with one channel.",
    ),
    data=_without_levels,
    mistakes={
        "scaled_twice": Mistake(
            lambda network, file: _asked(network, preprocess.prepare(_opened(file), SIZE) / 255),
            "Scaled twice: the network divides by 255, and your input had already been divided. "
            "Little signal is left: your answers for {n} different images lie within {span:.3f} "
            "of each other. Check min and max of the network's input.",
        ),
        "squashed": Mistake(
            lambda network, file: _asked(
                network, preprocess.prepare(_opened(file), SIZE, "squash")
            ),
            "The images were squashed into the square, but the training images were padded, so "
            "the proportions differ from anything the network has seen. resize((64, 64)) "
            "squashes; use the preprocessing of training.",
        ),
        "alpha_read_as_light": Mistake(
            _alpha_read_as_light,
            "This is right for most files but not for those with an alpha channel: alpha was "
            "averaged in as if it were brightness, which puts a veil over the image. The training "
            "images were read by images.read, which looks at the mode first.",
        ),
        "stretched": Mistake(
            _stretched,
            "Each image was stretched to the full range from black to white. It may look better, "
            "but the network was not trained on such images: brightness is part of its input. "
            "Apply exactly the preprocessing of training.",
        ),
    },
    cases=_prepared,
    read=lambda value, case: expect.number(value, "ask(network, file)"),
    same=expect.near(PROBABILITY),
    places=_span,
    explain=_why_not_prepared,
)


def _asked(network: Network, square: np.ndarray) -> float:
    return float(network(square[None, ..., None])[0])


def _opened(file, weights=(0.299, 0.587, 0.114)):
    """The grey levels of a file, 0 to 1, with the weights of its channels."""
    array = np.asarray(Image.open(io.BytesIO(file)))
    grey = (
        array[..., : len(weights)] @ np.array(weights[: array.shape[2]])
        if array.ndim == 3
        else array
    )
    return (grey / np.iinfo(array.dtype).max).clip(0, 1)


@q4.edges
def _(right):
    yield "an array with one number", lambda network, file: np.array([right(network, file)]), True
    yield "two hundredths off", lambda network, file: right(network, file) + 0.02, True
    yield "six hundredths off", lambda network, file: right(network, file) + 0.06, False
    yield (
        "cropped",
        lambda network, file: _asked(network, preprocess.prepare(_opened(file), SIZE, "crop")),
        False,
    )
