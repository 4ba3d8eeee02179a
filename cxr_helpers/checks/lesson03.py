"""Questions of lesson 03, preprocessing: channels, one preprocessing for all, a figure, a plan."""

import numpy as np
from PIL import Image, ImageOps

from .. import phantom
from . import _networks, expect
from ._figures import Diagnosis
from ._kinds import Case, Choice, Compare
from ._question import Mistake, Question
from ._running import Wrong


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
    if grey.max() > 2 and abs(grey - case.right * 255).max() < 255 * GREY_SLACK:
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


# --- q2: one preprocessing for train, test and every upload ---------------------------------------

SIZE = 64  # of the squares
MOVED = 1e-3  # of an output, in standard deviations
SLACK = 0.05  # of mean and deviation: resizing has several right ways
ROUND = 0.12  # how far from 1 the disc's width over its height may be: two pixels of 25
WHOLE = 3  # pixels that a side of the image may be off
ALIKE = 0.15  # mean grey levels of a tenth by a tenth of the image that differ by less say the same


def _parts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Wide images, float32 (n, 48, 72, 1), and the part of each; those of test are brighter."""
    part = rng.permutation(np.repeat(["train", "val", "test"], (24, 6, 10)))
    brighter = {"train": 0.75, "val": 0.85, "test": 1.0}
    films = [rng.uniform(0.9, 1) * brighter[name] * _film(rng, 48, 72) for name in part]
    # not uint8, with which Keras cannot pad
    return np.round(255 * np.array(films)[..., None]).astype("float32"), part


def _upload(rng: np.random.Generator, wide: bool) -> np.ndarray:
    """An image that somebody sends, uint8 (height, width); its marks tell turned ones apart."""
    short, long = int(rng.integers(70, 90)), int(rng.integers(125, 150))
    height, width = (short, long) if wide else (long, short)
    film = _film(rng, height, width)
    film[height // 20 : height // 4, width // 20 : width // 4] = 0.72
    film[height // 20 : height // 4, -width // 4 : -width // 20] = 0.25
    return np.round(255 * film).astype(np.uint8)


def _model(images, of, *last, adapted=None, scale_first=False, **fit):
    """A model that makes squares, then scales by the constants of some images, prepared likewise.

    Parameters: `of`, which images; `last`, further layers; `adapted`, what the constants are
    computed from, where not from squares; `fit`, how squares are made.
    """
    keras = _networks.keras()
    square = keras.layers.Resizing(SIZE, SIZE, **({"pad_to_aspect_ratio": True} | fit))
    scale = keras.layers.Normalization(axis=None)
    scale.adapt(adapted if adapted is not None else square(images[of]))
    chain = [scale, square] if scale_first else [square, scale]
    return keras.Sequential([keras.Input((None, None, 1)), *chain, *last])


def _scaled_twice(images, part):
    return _model(images, part == "train", _networks.keras().layers.Rescaling(1 / 255))


def _each_by_itself(images, part):
    keras = _networks.keras()
    inputs = keras.Input((None, None, 1))
    square = keras.layers.Resizing(SIZE, SIZE, pad_to_aspect_ratio=True)(inputs)
    own = keras.layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)
    return keras.Model(inputs, own(square))


q2 = Question(
    "preprocessing",
    title="One preprocessing for train, test and every upload",
    points=4,
    wants=(
        f"preprocessing(images, part) returns one Keras model from grey levels (n, height, width, "
        f"1) to (n, {SIZE}, {SIZE}, 1)"
    ),
    hints=(
        "Two layers do it: one makes squares, one scales. Which of them has constants, and from "
        "which images may they come?",
        "keras.layers.Resizing squashes, unless its arguments say otherwise. "
        "keras.layers.Normalization(axis=None) gets its constants by adapt(...): from images that "
        "look as those which it will scale.",
        "square = Resizing(64, 64, pad_to_aspect_ratio=True); scale.adapt(square(train)); then "
        "keras.Sequential([keras.Input((None, None, 1)), square, scale]).",
    ),
    data=_parts,
    mistakes={
        "all_images": Mistake(
            lambda images, part: _model(images, part != ""),
            "We replaced the validation and test images by others and left the training images as "
            "they were; the same upload then came out up to {moved:.2f} different. Information "
            "about test images reached the constants, and so every training image. Adapt to "
            "images[part == 'train'] alone.",
        ),
        "each_by_itself": Mistake(
            _each_by_itself,
            "An all-black upload and an all-white one come out the same: each image is scaled by "
            "its own statistics, so how bright it is gets lost. Keep the constants of train in the "
            "model and use them for every image.",
        ),
        "scaled_twice": Mistake(
            _scaled_twice,
            "Scaled twice: the constants belong to grey levels 0 to 255, and the images were "
            "divided by 255 as well. All training images come out between {low:.3f} and "
            "{high:.3f}, and look alike to a network. One of the two steps is enough.",
        ),
        "squashed": Mistake(
            lambda images, part: _model(images, part == "train", pad_to_aspect_ratio=False),
            "A {was} upload was squashed: a disc in it is {shape:.2f} times as wide as high. "
            "Resizing stretches each side to its size, unless you write pad_to_aspect_ratio=True.",
        ),
        "cropped": Mistake(
            lambda images, part: _model(
                images, part == "train", pad_to_aspect_ratio=False, crop_to_aspect_ratio=True
            ),
            "The proportions of a {was} upload are right, and its edges are gone: it was cropped. "
            "On a chest radiograph these are the outer walls of the lungs. Pad: "
            "pad_to_aspect_ratio=True.",
        ),
        "grey_bars": Mistake(
            lambda images, part: _model(
                images, part == "train", adapted=images[part == "train"], scale_first=True
            ),
            "The bars beside the image are not black: they have the value of grey level {bar:.0f}. "
            "So it is where images are scaled first and padded with 0 afterwards, which by then is "
            "the mean grey. Make the square first, on black.",
        ),
        "before_padding": Mistake(
            lambda images, part: _model(images, part == "train", adapted=images[part == "train"]),
            "The training images come out with mean {mean:.2f} and deviation {deviation:.2f}, not "
            "0 and 1. The constants are those of the images without bars, and what is scaled has "
            "bars. Adapt to what the layer will get: scale.adapt(square(train)).",
        ),
    },
)


@q2.rule
def _(preprocessing, rng):
    images, part = _parts(rng)
    turned = np.where((part == "train")[:, None, None, None], images, 255 - images)
    with _networks.without_advice():
        model, other = (
            _networks.asked(preprocessing, given, part, misfit=lambda shape: None)
            for given in (images, turned)
        )
    uploads = [_upload(rng, bool(wide)) for wide in rng.permutation([True, False])]
    for upload in uploads:
        if (moved := np.abs(_prepared(model, upload) - _prepared(other, upload)).max()) > MOVED:
            raise q2.caught("all_images", moved=moved)
    black, white = (_prepared(model, np.full((SIZE, SIZE), level)) for level in (0, 255))
    if np.abs(black - white).max() < MOVED:
        raise q2.caught("each_by_itself")
    _judge_constants(model, images[part == "train"], black, white)
    for upload in uploads:
        height, width = upload.shape
        shares = (_prepared(model, upload) - black) / (white - black)
        _judge_square(shares, height / width, upload / 255)


def _prepared(model, image: np.ndarray) -> np.ndarray:
    """What a model makes of one image, (SIZE, SIZE)."""
    found = _networks.outputs(model, image[None, ..., None])
    if found.shape != (1, SIZE, SIZE, 1):
        raise Wrong(
            f"One upload of {' × '.join(map(str, image.shape))} pixels should become 1 × {SIZE} × "
            f"{SIZE} × 1 numbers, not {' × '.join(map(str, found.shape))}."
        )
    return found[0, ..., 0]


def _judge_constants(model, train: np.ndarray, black: np.ndarray, white: np.ndarray) -> None:
    """Raise `Wrong` unless the model scales alike everywhere, and train to mean 0, deviation 1."""
    if max(np.ptp(black), np.ptp(white)) > MOVED:
        raise Wrong(
            "An all-white image comes out with different numbers at different places. Use one mean "
            "and one deviation for all pixels."
        )
    scaled = _networks.outputs(model, train)
    mean, deviation = scaled.mean(), scaled.std()
    if abs(mean) <= SLACK and abs(deviation - 1) <= SLACK:
        return
    if deviation < 0.02:
        raise q2.caught("scaled_twice", low=scaled.min(), high=scaled.max())
    own = [-train.mean() / train.std(), (255 - train.mean()) / train.std()]
    if np.abs(np.array([black[0, 0], white[0, 0]]) - own).max() < SLACK:
        bar = (scaled[:, 0].mean() - black.mean()) / (white.mean() - black.mean())
        if bar > SLACK:
            raise q2.caught("grey_bars", bar=255 * bar)
        raise q2.caught("before_padding", mean=mean, deviation=deviation)
    raise Wrong(
        f"The training images come out with mean {mean:.2f} and deviation {deviation:.2f}; it "
        "should be 0 and 1."
    )


def _judge_square(shares: np.ndarray, once: float, image: np.ndarray) -> None:
    """Raise `Wrong` unless this is the whole image (0 black to 1 white) on black, in proportion."""
    was = "wide" if once < 1 else "tall"
    film, disc = (_sides(shares, level) for level in (0.05, 0.8))
    if 0 in disc:
        raise Wrong("The bright disc in the middle of an upload is no longer there.")
    shape = disc[1] / disc[0]
    if abs(shape - 1) > ROUND:
        if abs(shape / once - 1) < ROUND:
            raise q2.caught("squashed", was=was, shape=shape)
        raise Wrong(f"A disc in a {was} upload is {shape:.2f} times as wide as high.")
    if min(film) > SIZE - WHOLE:
        bar = float(np.median(shares[[0, -1]] if was == "wide" else shares[:, [0, -1]]))
        lone = np.ptp(shares[0] if was == "wide" else shares[:, 0]) < 0.01
        raise q2.caught("grey_bars", bar=255 * bar) if lone else q2.caught("cropped", was=was)
    if abs(film[0] / film[1] - once) >= ROUND or abs(max(film) - SIZE) > WHOLE:
        raise Wrong(
            f"The shape is right, but a {was} upload fills only {film[0]} × {film[1]} pixels of "
            f"{SIZE} × {SIZE}."
        )
    _judge_content(shares, image)


def _judge_content(result: np.ndarray, image: np.ndarray) -> None:
    """Raise `Wrong` unless what is not black in the result is the image, outside the disc and its
    edge.
    """
    rows, columns = (np.flatnonzero((result > 0.05).any(axis=axis)) for axis in (1, 0))
    # the outermost pixels are partly black
    found = result[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]]
    edge = round(len(image) / len(rows))
    image = image[edge:-edge, edge:-edge]
    small = [
        np.asarray(Image.fromarray(a.astype(np.float32)).resize((10, 10), Image.Resampling.BOX))
        for a in (found, image)
    ]
    coarse = Image.fromarray(image.astype(np.float32)).resize((40, 40), Image.Resampling.BOX)
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


@q2.edges
def _(right):
    def nearest(images, part):
        return _model(images, part == "train", interpolation="nearest")

    def a_hundredth_off(images, part):
        return _with(right, images, part, offset=0.01)

    def a_tenth_off(images, part):
        return _with(right, images, part, offset=0.1)

    yield "another interpolation", nearest, True
    yield "a hundredth off", a_hundredth_off, True
    yield "a tenth off", a_tenth_off, False
    yield "nothing scaled", lambda images, part: _with(None, images, part), False
    yield "the training images alone", lambda images, part: images[part == "train"], False


def _with(right, images, part, offset=0.0):
    """A right model with an offset at its end; squares alone where there is none."""
    keras = _networks.keras()
    inputs = keras.Input((None, None, 1))
    if right is None:
        return keras.Model(inputs, keras.layers.Resizing(SIZE, SIZE)(inputs))
    return keras.Model(inputs, keras.layers.Rescaling(1.0, offset)(right(images, part)(inputs)))


# --- q3: which step went wrong --------------------------------------------------------------------

SHOWN = 128  # pixels of a square's side


def _prepared_so(rng: np.random.Generator, how: str) -> tuple[np.ndarray, np.ndarray]:
    """A wide chest, and the square that somebody's preprocessing made of it: grey levels, uint8."""
    plan = phantom.design(
        "clean", n=1, classes=("normal",), views=("PA",), seed=int(rng.integers(10**6))
    )
    chest = phantom.render(plan.iloc[0], 160).image[35:144]
    before = Image.fromarray(np.round(255 * chest).astype(np.uint8))
    after = ImageOps.pad(before, (SHOWN, SHOWN))
    if how == "squashed":
        after = before.resize((SHOWN, SHOWN))
    if how == "cropped":
        after = ImageOps.fit(before, (SHOWN, SHOWN))
    if how == "mirrored":
        after = ImageOps.mirror(after)
    levels = np.asarray(after)
    if how == "clipped":
        dark, light = np.percentile(np.asarray(before), [30, 70])
        levels = np.round(255 * ((levels - dark) / (light - dark)).clip(0, 1))
    if how == "scaled twice":
        levels = levels / 255
    return np.asarray(before), levels.astype(np.uint8)


q3 = Diagnosis(
    "went_wrong",
    title="Which step went wrong?",
    points=2,
    options=("right", "squashed", "cropped", "mirrored", "clipped", "scaled twice"),
    draw=_prepared_so,
    hints=(
        "Begin with what you are sure of: which squares have bars, and which have no grey at all?",
        "Two squares have no bars. In one of them the sides of the chest are gone, in the other "
        "all is there, and narrower.",
        "In the original, on which side of the spine does the heart reach further? And in the "
        "square?",
    ),
    mixed_up={
        ("squashed", "cropped"): (
            "The cropped image was called squashed. Both fill the square. Cropped, the sides of "
            "the chest are gone and the heart keeps its shape; squashed, everything is there, and "
            "the heart is narrower than in the original."
        ),
        ("right", "mirrored"): (
            "The mirrored image was called right. Compare it with its own original: the heart "
            "reaches further to the other side. Left and right of the patient have changed places."
        ),
        ("scaled twice", "clipped"): (
            "The clipped image was called scaled twice. Clipped, it has black and white areas in "
            "which nothing is left to see, because the contrast was stretched too far; scaled "
            "twice, all of it is black."
        ),
        ("squashed", "right"): (
            "The right image was called squashed. With bars above and below, the proportions are "
            "those of the original: nothing is lost."
        ),
        ("cropped", "mirrored"): (
            "The mirrored image was called cropped. Nothing is cut off: it has bars, and both "
            "walls of the chest. Look at the side to which the heart reaches."
        ),
    },
)


# --- q4: which plan -------------------------------------------------------------------------------

GOOD = {
    "constants from": ("training images", "nowhere: the network divides by 255"),
    "made square by": ("padding with black",),
    "augmented": ("training images", "nothing"),
    "an upload goes through": ("the function of training",),
}
FAULTY = {
    "constants from": ("all images", "training and test images", "each part by itself"),
    "made square by": ("resize((224, 224))", "cutting out the middle"),
    "augmented": ("training and test images", "all images"),
    "an upload goes through": ("the web page's own code", "the browser's resizing"),
}


def _plan(rng: np.random.Generator) -> dict:
    """What somebody plans, with at most a fault or two."""
    wrong = rng.random(len(GOOD)) < 0.25
    return {
        what: str(rng.choice((FAULTY if faulty else GOOD)[what]))
        for what, faulty in zip(GOOD, wrong, strict=True)
    }


def _has(what: str):
    return lambda plan: plan[what] in FAULTY[what]


q4 = Choice(
    "sound_plan",
    title="Which plan?",
    points=2,
    wants='sound_plan(plans) returns one letter, such as "B"',
    row=_plan,
    hints=(
        "Take one column after the other: which of its entries would you accept?",
        "Two questions help. Does a test image change anything for a training image? Would an "
        "upload next year be treated as the training images were?",
        "Not using constants is sound, and so is augmenting nothing. Filter the table by the "
        "entries that you accept, column by column.",
    ),
    why_not={
        "leak": (
            _has("constants from"),
            "In that plan the constants come from more than the training images, or from each part "
            "by itself: test images then decide what goes into the network, or an upload that "
            "comes alone has no constants.",
        ),
        "shape": (
            _has("made square by"),
            "That plan squashes the images or cuts their sides off. The heart changes its shape, "
            "or the chest loses its walls: pad.",
        ),
        "augmented_test": (
            _has("augmented"),
            "That plan changes test images at random: the result is another one in each run, on "
            "images that were never taken. Augment the training images alone.",
        ),
        "two_ways": (
            _has("an upload goes through"),
            "That plan sends uploads through code of their own. Any difference from training "
            "changes the answers, and raises no error: one function for all.",
        ),
    },
)
