"""Answers to the questions of lesson 03, preprocessing."""

import numpy as np
from PIL import Image, ImageOps
from sklearn.preprocessing import StandardScaler

from cxr_helpers import quiet
from cxr_helpers.checks import lesson03

from . import Proof

with quiet():
    import keras
    from keras import layers

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


# --- preprocessing --------------------------------------------------------------------------------


def chain(*parts):
    return keras.Sequential([keras.Input(shape=(None, None, 1)), *parts])


def padded(**how):
    return layers.Resizing(64, 64, **({"pad_to_aspect_ratio": True} | how))


def of_train(images, part):
    return images[np.asarray(part) == "train"].astype("float32")


def prepared_by_numbers(images, part):
    """Mean and variance computed by NumPy, and given to the layer."""
    square = np.asarray(padded()(of_train(images, part)))
    scale = layers.Normalization(axis=None, mean=square.mean(), variance=square.var())
    return chain(padded(), scale)


def prepared_by_rescaling(images, part):
    """One Rescaling in place of Normalization; the constants from scikit-learn."""
    square = np.asarray(padded(interpolation="bicubic")(of_train(images, part)))
    scaler = StandardScaler().fit(square.reshape(-1, 1))
    last = layers.Rescaling(1 / scaler.scale_[0], -scaler.mean_[0] / scaler.scale_[0])
    return chain(padded(interpolation="bicubic"), last)


def prepared_functionally(images, part):
    """To 0-1 first, images and constants alike; a functional model, one channel's constants."""
    inputs = keras.Input((None, None, 1))
    shares = layers.Rescaling(1 / 255)(padded()(inputs))
    squares = keras.Model(inputs, shares)
    scale = layers.Normalization()
    scale.adapt(squares.predict(of_train(images, part), verbose=0))
    return keras.Model(inputs, scale(shares))


class Prepared(keras.Model):
    """A class of one's own."""

    def __init__(self, train):
        super().__init__()
        self.square, self.scale = padded(), layers.Normalization(axis=None)
        self.scale.adapt(self.square(train))

    def call(self, images):
        return self.scale(self.square(images))


def prepared_by_a_class(images, part):
    return Prepared(of_train(images, part))


def prepared_of_all(images, part):
    scale = layers.Normalization(axis=None)
    scale.adapt(padded()(images.astype("float32")))
    return chain(padded(), scale)


def prepared_without_test(images, part):
    """Constants of training and validation images."""
    return prepared_of_all(images[part != "test"], part[part != "test"])


def prepared_squashed(images, part):
    square = layers.Resizing(64, 64)
    scale = layers.Normalization(axis=None)
    scale.adapt(square(of_train(images, part)))
    return chain(square, scale)


def prepared_by_batches(images, part):
    return chain(padded(), layers.BatchNormalization())


def prepared_per_pixel(images, part):
    scale = layers.Normalization(axis=(1, 2, 3))
    scale.adapt(padded()(of_train(images, part)))
    return chain(padded(), scale)


def prepared_mirrored(images, part):
    inputs = keras.Input((None, None, 1))
    right = prepared_by_numbers(images, part)(inputs)
    return keras.Model(inputs, keras.ops.flip(right, axis=2))


def prepared_on_grey(images, part):
    square = padded(fill_value=114)
    scale = layers.Normalization(axis=None)
    scale.adapt(square(of_train(images, part)))
    return chain(square, scale)


def prepared_alone(images, part):
    """Scaled to 0-1, and no more."""
    return chain(padded(), layers.Rescaling(1 / 255))


# --- went_wrong -----------------------------------------------------------------------------------


def went_wrong_by_numbers(figure):
    """What happened to each panel, by numbers alone: those that the notebook prints."""
    found = {}
    for letter, (before, after) in figure.panels.items():
        image, size = Image.fromarray(before), after.shape
        mine = {
            "right": ImageOps.pad(image, size),
            "mirrored": ImageOps.mirror(ImageOps.pad(image, size)),
            "squashed": image.resize(size),
            "cropped": ImageOps.fit(image, size),
        }
        if after.max() <= 1:
            found[letter] = "scaled twice"
        elif (after[32:96] == 255).mean() > 0.1:
            found[letter] = "clipped"
        else:
            found[letter] = max(
                mine, key=lambda way: np.corrcoef(np.ravel(mine[way]), after.ravel())[0, 1]
            )
    return {"figure": figure.number} | found


def went_wrong_by_luck(seed):
    words = np.random.default_rng(seed).permutation(lesson03.q3.options).tolist()
    number = lesson03.q3.sample(seed).number
    return {"figure": number} | dict(zip("ABCDEF", words, strict=True))


# --- sound_plan -----------------------------------------------------------------------------------


def plan_by_sets(plans):
    accepted = {
        "constants from": {"training images", "nowhere: the network divides by 255"},
        "made square by": {"padding with black"},
        "augmented": {"training images", "nothing"},
        "an upload goes through": {"the function of training"},
    }
    return next(k for k, row in plans.iterrows() if all(row[c] in v for c, v in accepted.items()))


def plan_by_words(plans):
    text = plans.agg(" | ".join, axis=1)
    faults = "all|test|by itself|resize|middle|page|browser"
    return text.index[~text.str.contains(faults)][0]


def plan_by_query(plans):
    kept = plans[plans["made square by"].eq("padding with black")]
    kept = kept[kept["an upload goes through"].eq("the function of training")]
    kept = kept[~kept["augmented"].isin(["all images", "training and test images"])]
    return kept[~kept["constants from"].str.contains("test|all|part")].index[0]


def plan_with_all_words(plans):
    """Only what stands in the lesson's text: training images in both columns."""
    kept = plans[
        plans["constants from"].eq("training images") & plans["augmented"].eq("training images")
    ]
    return (kept if len(kept) else plans).index[0]


def plan_of_most_data(plans):
    return plans["constants from"].str.contains("all").idxmax()


def plan_without_uploads(plans):
    good = plans["made square by"].str.contains("padding") & ~plans["constants from"].str.contains(
        "all|test|part"
    )
    return plans.index[good][0]


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
        "preprocessing",
        right={
            "NumPy: mean and variance given": prepared_by_numbers,
            "scikit-learn: constants for one Rescaling": prepared_by_rescaling,
            "Keras: functional, 0 to 1 first": prepared_functionally,
            "Keras: a class of one's own": prepared_by_a_class,
        },
        wrong={
            "constants of all images": prepared_of_all,
            "constants of train and validation": prepared_without_test,
            "squashed": prepared_squashed,
            "batch normalisation": prepared_by_batches,
            "constants for each pixel": prepared_per_pixel,
            "mirrored": prepared_mirrored,
            "padded with grey": prepared_on_grey,
            "divided by 255 alone": prepared_alone,
        },
    ),
    Proof(
        "went_wrong",
        right={
            f"by numbers, figure {seed}": went_wrong_by_numbers(lesson03.q3.sample(seed))
            for seed in range(3)
        },
        wrong={f"guessed, figure {seed}": went_wrong_by_luck(seed) for seed in range(5)},
    ),
    Proof(
        "sound_plan",
        right={
            "sets of accepted entries": plan_by_sets,
            "pandas: words of faults": plan_by_words,
            "pandas: column by column": plan_by_query,
        },
        wrong={
            "training images everywhere": plan_with_all_words,
            "the most data": plan_of_most_data,
            "two columns of four": plan_without_uploads,
        },
    ),
]
