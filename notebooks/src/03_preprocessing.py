# %% [markdown]
# # 03 · Preprocessing
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Files come in many modes, sizes and scales; a network needs one of each. A few lines of code
# convert the files, and raise no error when they are wrong. This lesson makes these silent faults visible. The default
# images are phantoms: we know what was drawn, and can measure what a step did to it. (They show no real person, and
# what is found on them is no evidence about patients.)
#
# **You will be able to**
#
# - turn any file into one array of grey levels, and recognise the ways in which that goes wrong;
# - make an image square without changing the shape of the heart;
# - say from which images a constant may be computed, and scale exactly once;
# - augment the training part only;
# - (deeper) recognise a negative, choose a contrast, and cache what does not change.
#
# **Time and hardware.** 45 minutes for the core, 25 more for the steps marked *deeper*, which you can skip. The
# computer needs less than one minute: two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01 and 02: the table of images, and a look at its grey levels.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import io
import os

import numpy as np
import pandas as pd
from PIL import Image, ImageOps
from scipy.stats import binomtest
from sklearn.preprocessing import StandardScaler

from cxr_helpers import datasets, duplicates, guess, images, phantom, pipeline, plots
from cxr_helpers import preprocess, quiet, split

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · One radiograph, five files
#
# A radiograph has one number per pixel: how bright it is. Its file may hold more. **RGB** has three numbers (red,
# green, blue). **RGBA** adds *alpha*: how opaque the pixel is. A **palette** file stores numbers of colours and a list
# of these colours. A **16-bit** file counts to 65,535 instead of 255. We save one radiograph in each way.

# %% [markdown] tags=["instructor"]
# **11 minutes · do.** Predict first: the usual answer is 0 of 5. Then ask who has written these three lines before.
# (Nobody has to admit it.)
#
# *Asked:* "Which of the three is worst?" RGBA, because it looks right.
#
# *Pause* at the row of pictures, before the Explain: which one would you have noticed in a set of 5,000?

# %%
table = datasets.load(DATASET, DATA_DIR)
picture = Image.open(table["path"].iloc[0]).convert("L").resize((256, 256))
grey = np.asarray(picture)  # the truth: 0 black to 255 white
versions = {
    "grey": picture,
    "RGB": picture.convert("RGB"),
    "RGBA": picture.convert("RGBA"),
    "palette": picture.convert("RGB").quantize(256),
    "16-bit": Image.fromarray(grey.astype(np.uint16) * 257),
}
files = {}
for name, version in versions.items():
    memory = io.BytesIO()  # a file in memory
    version.save(memory, "PNG")
    files[name] = memory.getvalue()

# %% [markdown]
# Many notebooks read an image in three lines: they make an array, average the channels, and divide by 255.
#
# **Predict.** We have five files of the same radiograph. How many are read wrongly, by more than 0.02 in some pixel?

# %% tags=["nbval-check-output"]
MY_WRONG = None  # your prediction: how many of the five files
wrong_files = guess.number(
    "03.files-read-wrong",
    MY_WRONG,
    what="files of five read wrongly",
    between=(0, 5),
    near=0.5,
    example=0,
)
wrong_files


# %%
def three_lines(file):
    """The usual way."""
    array = np.asarray(Image.open(io.BytesIO(file)), dtype=float)
    if array.ndim == 3:
        array = array.mean(axis=2)
    return array / 255


def errors(read):
    """Mean, largest value and largest error of one way to read the five files."""
    rows = {}
    for name, file in files.items():
        array = read(file)
        rows[name] = [array.mean(), array.max(), np.abs(array - grey / 255).max()]
    return pd.DataFrame(rows, index=["mean", "max", "largest error"]).T.round(3)


found = errors(three_lines)
wrong = int((found["largest error"] > 0.02).sum())
found

# %% tags=["nbval-check-output"]
wrong_files.meets(
    wrong,
    beliefs=[
        (0, 1, "No error was raised. That says nothing about the numbers."),
        (2, 2, "One more: alpha, the palette and the 16 bits each spoil the result."),
        (4, 5, "RGB is read right: three equal channels have their own mean."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("03.three-of-five-are-wrong", wrong == 3)

# %%
three = ["RGBA", "palette", "16-bit"]
pictures = [grey] + [np.clip(three_lines(files[name]), 0, 1) for name in three]
plots.compare_images(pictures, ["right", *three], title="Read with three lines")

# %% [markdown]
# **Explain.** No error was raised, and three of the five are wrong. *RGBA*: alpha is 255 everywhere, and was averaged
# with the colours: every pixel is now one quarter white and three quarters image. *Palette*: the numbers of the colours
# were taken for grey levels, but the saving program chose their order, here nearly reversed. *16-bit*: the values lie
# far above 1, and are shown as white (the fourth image). The RGBA file is the dangerous one: it is too bright, but
# passes for a good radiograph. If the files of one class are RGBA and the others are not, the network learns the extra
# brightness.
#
# Keras has a call for reading an image, `load_img`. Is it better? And what does our helper add?


# %% tags=["nbval-check-output"]
def with_keras(file):
    """Keras's call, in grey."""
    loaded = keras.utils.load_img(io.BytesIO(file), color_mode="grayscale")
    return keras.utils.img_to_array(loaded)[..., 0] / 255


for name, read in {"load_img": with_keras, "images.read": images.read}.items():
    right = errors(read)["largest error"] < 0.02
    print(f"{name:12} reads rightly:", ", ".join(right.index[right]))
assert np.abs(images.read(files["RGBA"]) - with_keras(files["RGBA"])).max() < 0.01

# %% [markdown]
# `load_img` looks at the mode first; only the 16-bit file comes out wrong. (`image_dataset_from_directory` of lesson 01
# decodes with TensorFlow, and reads all five.) `images.read` reads the 16-bit file, too, and DICOM files (lesson 01).
# From here on a radiograph is what `images.read` returns: a two-dimensional array of numbers from 0 to 1.
#
# ### Checkpoint
#
# An RGBA file has alpha 255 at every pixel. You average all four channels. What happens to a black pixel?
#
# 1. It stays black: alpha is not a colour.
# 2. It becomes grey, 0.25.
# 3. It becomes transparent.
#
# <details><summary>Answer</summary>
# 2. (0 + 0 + 0 + 255) / 4 is about 64, a quarter of white. (1) is what should happen: it does if alpha is left out
# before the mean. (3) is what a viewer does with alpha, not what a mean does.
# </details>

# %% [markdown]
# ## Step 2 · Make it square, keep the shape
#
# Networks want squares, and many radiographs are not square. There are three common ways: **squash**, which resizes
# width and height each to the wanted size; **pad** with black; **crop** the centre.
# `load_img(..., target_size=(224, 224))` squashes, and so does `image_dataset_from_directory` (the images of lesson 01
# were square already). We try them on an image that is wider than high, as many portable radiographs are. We know where
# its heart and lungs lie: a **mask** is a second image, white where the heart (or the lung) is.


# %% [markdown] tags=["instructor"]
# **12 minutes · do.** Hold up a sheet of paper with a circle, seen from the side: that is a squash. Two predictions,
# one after the other.
#
# *Asked:* "Does the network care about the shape of the heart?" It cares about whatever differs between the classes;
# a squash that goes with a class is such a thing.
#
# *Pause* before the second prediction. Let one student say why cropping changes a ratio of two widths.


# %%
def squash(picture):
    """Width and height each to 224 pixels."""
    return picture.resize((224, 224))


def pad(picture):
    """A square with black bars first, then the size."""
    side = max(picture.size)
    return ImageOps.pad(picture, (side, side)).resize((224, 224))


def crop(picture):
    """The middle of the picture."""
    return ImageOps.fit(picture, (224, 224))


ways = {"squash": squash, "pad": pad, "crop": crop}

# %% [markdown]
# **Predict.** Take the shape of the heart, its width over its height. Which of the three ways changes it?

# %% tags=["nbval-check-output"]
MY_WAY = None  # your prediction: "squash", "pad" or "crop"
SURE_WAY = None  # how sure you are, from 0.33 (no idea) to 1
changing = guess.choice(
    "03.heart-changed",
    MY_WAY,
    options=["squash", "pad", "crop"],
    sure=SURE_WAY,
    example="crop",
    what="the way that changes the heart",
)
changing

# %%
case = phantom.design("clean", n=1, classes=("normal",), views=("PA",), seed=SEED).iloc[0]
chest = phantom.render(case, 320)
seen = slice(70, 288)  # rows: from below the collarbones to the diaphragm
wide = Image.fromarray(np.round(chest.image[seen] * 255).astype(np.uint8))
heart = Image.fromarray(chest.masks["heart"][seen].astype(np.uint8) * 255)  # white: the heart
lungs = Image.fromarray(chest.masks["lung"][seen].astype(np.uint8) * 255)
pictures = [np.asarray(wide)] + [np.asarray(way(wide)) for way in ways.values()]
plots.compare_images(pictures, ["original", *ways], title="Made square in three ways")


# %% tags=["nbval-check-output"]
def width(mask):
    """Columns from the first to the last that the mask covers."""
    columns = np.flatnonzero((np.asarray(mask) > 127).any(axis=0))
    return columns[-1] - columns[0] + 1


def height(mask):
    """The same for rows."""
    return width(np.asarray(mask).T)


shape = {"original": width(heart) / height(heart)}
for name, way in ways.items():
    shape[name] = width(way(heart)) / height(way(heart))
    print(f"{name}: width over height {shape[name]:.2f}; original {shape['original']:.2f}")
changes = {name: abs(shape[name] / shape["original"] - 1) for name in ways}
most_changed = max(changes, key=changes.get)

# %% tags=["nbval-check-output"]
changing.meets(
    most_changed,
    beliefs={
        "crop": "A crop takes away the sides. What is left keeps its shape.",
        "pad": "Black bars are added, and the image itself is not stretched.",
    },
)

# %% [markdown]
# **Explain.** *Squash* makes the heart narrower, by a factor of 218 / 320 = 0.68: the height of the image over its
# width. Radiologists use another measure, the **cardiothoracic ratio**: the width of the heart over that of the chest,
# here from lung edge to lung edge. Above one half, the heart of an adult on a PA image (the beam enters from behind) is
# called large.

# %% tags=["nbval-check-output"]
before = width(heart) / width(lungs)
print(f"cardiothoracic ratio of the original: {before:.2f}")

# %% [markdown]
# **Predict.** What is the ratio after the *crop*?

# %% tags=["nbval-check-output"]
MY_RATIO = None  # your prediction: cardiothoracic ratio after the crop, from 0.2 to 0.8
ratio_cropped = guess.number(
    "03.ratio-after-crop",
    MY_RATIO,
    what="cardiothoracic ratio after the crop",
    between=(0.2, 0.8),
    example=0.39,
)
ratio_cropped

# %% tags=["nbval-check-output"]
ratio = {name: width(way(heart)) / width(way(lungs)) for name, way in ways.items()}
for name in ways:
    print(f"{name}: cardiothoracic ratio {ratio[name]:.2f}")

# %% tags=["nbval-check-output"]
ratio_cropped.meets(
    ratio["crop"],
    beliefs=[
        (0.3, 0.45, "The heart stays whole, and the sides of the chest are cut off."),
        (0.2, 0.3, "The ratio rises: its lower number, the width of the chest, is cut."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("03.squash-narrows-the-heart", changes["squash"] > 0.25 and max(changes["pad"], changes["crop"]) < 0.05)
# verdict("03.crop-raises-the-ratio", ratio["crop"] > before + 0.08)
# verdict("03.squash-and-pad-keep-the-ratio", max(abs(ratio["squash"] - before), abs(ratio["pad"] - before)) < 0.02)

# %% [markdown]
# ![A wide image with a round heart becomes a square in three ways. Squashed, the heart gets narrow. Padded, it stays
# round and black bars are added. Cropped, it stays round and the sides of the chest are
# lost.](../docs/diagrams/d03_square.png)

# %% [markdown]
# **Explain.** *Crop* cuts off the sides of the chest, so the same heart looks larger: a healthy patient comes nearer to
# one half in this ratio, or crosses it. *Squash* keeps the ratio, because both widths shrink alike: whoever watches
# only this number notices nothing. *Pad* keeps shape and ratio. We pad. That has a price, too: black bars, whose width
# may differ between the classes (see the frame in lesson 02).
#
# `preprocess.prepare` pads by default. It adds two things: it is **one function** for training, testing and a single
# upload, and it refuses values that are not on the scale of `images.read`, 0 to 1. It returns grey levels 0-255.

# %% tags=["nbval-check-output"]
prepared = preprocess.prepare(chest.image[seen], 224)
assert np.abs(prepared.astype(int) - np.asarray(pad(wide)).astype(int)).max() <= 2  # rounding
print(prepared.shape, prepared.dtype, prepared.min(), "to", prepared.max())

# %% [markdown]
# ## Step 3 · From which images may a constant come?
#
# Networks learn best from numbers around zero. So one subtracts a mean and divides by a standard deviation. These are
# **constants**, computed from images. From which images?
#
# We need a split. `split.holdout` makes one that keeps each patient on one side (lesson 04 explains it), and
# `preprocess.cache` prepares all images (Step 8).

# %% [markdown] tags=["instructor"]
# **9 minutes · demonstrate.** Run it yourself: the point is one pixel of one training image. Draw the line between
# train and test on the board and ask which way the number travelled.
#
# *Asked:* "The effect is tiny on real data. Does it matter?" Often not. The rule costs nothing, and you cannot know
# beforehand.

# %% tags=["nbval-check-output"]
if table["split"].isna().all():  # a set that came without a split
    table = split.holdout(duplicates.add_groups(table, duplicates.pairs(table)), seed=SEED)
small = preprocess.cache(table, size=64)
in_train = (table["split"] == "train").to_numpy()
in_test = (table["split"] == "test").to_numpy()
train, test = small[in_train], small[in_test]
print(f"{len(train)} train, {len(test)} test")

# %% [markdown]
# First we do what many scripts do: we fit scikit-learn's `StandardScaler` on *all* images, and split afterwards. To see
# what reaches the training images, we do it twice; the second time all **test** images are white, an extreme case of
# another exposure.
#
# **Predict.** We look at one *training* image after scaling. Does it change when only *test* images change?

# %% tags=["nbval-check-output"]
MY_CHANGE = None  # your prediction: "yes" or "no"
SURE_CHANGE = None  # how sure you are, from 0.5 (no idea) to 1
change = guess.choice(
    "03.training-image-changes",
    MY_CHANGE,
    options=["yes", "no"],
    sure=SURE_CHANGE,
    example="no",
    what="does a training image change?",
)
change


# %%
def middle_pixel(fitted_on):
    """Middle pixel of the first training image, after scaling with constants of `fitted_on`."""
    scaler = StandardScaler().fit(fitted_on.reshape(len(fitted_on), -1))
    return scaler.transform(train[:1].reshape(1, -1))[0, 64 * 32 + 32]


white = np.full_like(test, 255)
as_it_is = middle_pixel(np.concatenate([train, test]))
test_white = middle_pixel(np.concatenate([train, white]))
changed = "no" if np.isclose(as_it_is, test_white) else "yes"
print(f"fitted on all images: {as_it_is:.3f}; on all, with a white test: {test_white:.3f}")

# %% tags=["nbval-check-output"]
change.meets(
    changed,
    beliefs={"no": "The constants were computed from all images, the test images included."},
)

# %% [markdown]
# **Explain.** The scaled training image changed, although no training file did: the constants tell the network
# something about images that it must not know. The repair is one word: fit on *train*. `StandardScaler` has constants
# for each pixel. Keras's `Normalization` has one mean and one deviation for all pixels (with `axis=None`), and can be
# part of the model.

# %%
print(f"the same training image, constants from train: {middle_pixel(train):.3f}")
normalise = keras.layers.Normalization(axis=None)
normalise.adapt(train)
for name, part in {"train": train, "test": test}.items():
    scaled = np.asarray(normalise(part))
    print(f"{name}: mean {scaled.mean():.3f}, deviation {scaled.std():.3f}")
assert np.isclose(float(np.ravel(normalise.mean)[0]), train.mean(), rtol=1e-3)

# %% [markdown]
# ![Mean and deviation are computed once, from the training images alone. The same two numbers then scale train,
# validation and test; nothing flows back from validation or test.](../docs/diagrams/d03_fit_on_train.png)

# %% [markdown]
# **Explain.** Train has mean 0 and deviation 1, by construction. Test is near, and *not* exactly there: that is
# right, since its own statistics were not used. To be honest, two numbers **leak** little. The danger is the habit:
# choosing features *by the labels* of all images is the same mistake, and it leaks a great deal (lesson 08).
# In lesson 02 the scaler was part of a `make_pipeline`, so that each fold computed its own constants.
#
# ### Checkpoint
#
# For the test images you compute *their own* mean and deviation and scale with those. Is that better?
#
# 1. Yes: nothing of the test gets into training.
# 2. No: an image's input then depends on which other images are tested with it.
# 3. It makes no difference.
#
# <details><summary>Answer</summary>
# 2. A single uploaded image comes without other images to take a mean from; and if the test images are brighter because
# more of them show disease, that is scaled away. (1) is true, and not enough. (3) holds only where both parts are
# alike, and a test is there to find out whether they are.
# </details>

# %% [markdown]
# ## Step 4 · Scale once
#
# Most networks of this course take grey levels 0-255 and scale them in their **first layer**, `Rescaling`. So scaling
# belongs to the network, and cannot be forgotten. It can be done *twice*, though: whoever divides by 255 out of habit
# gives the network 0-1. Here is a small network (lesson 05 explains it), trained briefly on 0-255.

# %% [markdown] tags=["instructor"]
# **6 minutes · do.** One cell, one surprise: every patient gets the same answer, and nothing is raised.
#
# *Asked:* "How would I notice?" By looking at the answers, not at the accuracy: count how many distinct ones there
# are.
#
# *Pause* after the prediction, until all have entered one.
#
# *Break* before this step.

# %%
keras.utils.set_random_seed(SEED)
layers = keras.layers
codes = table["label"].cat.codes.to_numpy()  # the number of each image's class
model = keras.Sequential(
    [
        keras.Input((64, 64, 1)),
        layers.Rescaling(1 / 255),
        layers.Flatten(),
        layers.Dense(len(table["label"].cat.categories), activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
history = model.fit(train[..., None], codes[in_train], batch_size=16, epochs=8, verbose=0)

# %% [markdown]
# **Predict.** We give it the test images twice, first as 0-255 and then as 0-1. What happens with 0-1?

# %% tags=["nbval-check-output"]
MY_TWICE = None  # your prediction: "an error", "about the same answers" or "one answer for all"
SURE_TWICE = None  # how sure you are, from 0.33 (no idea) to 1
scaled_twice = guess.choice(
    "03.scaled-twice",
    MY_TWICE,
    options=["an error", "about the same answers", "one answer for all"],
    sure=SURE_TWICE,
    example="about the same answers",
)
scaled_twice

# %%
once = model.predict(test[..., None], verbose=0)
twice = model.predict(test[..., None] / 255, verbose=0)
same_for_all = np.ptp(twice, axis=0).max() < 0.05  # largest minus smallest probability of a class
happened = "one answer for all" if same_for_all else "about the same answers"
print(f"behind the first layer: 0 to {test.max() / 255:.2f}, or 0 to {test.max() / 255**2:.4f}")
probability = pd.DataFrame({"scaled once": once[:, 0], "scaled twice": twice[:, 0]})
probability.describe().loc[["count", "min", "mean", "max"]].round(3)

# %% tags=["nbval-check-output"]
scaled_twice.meets(
    happened,
    beliefs={
        "an error": "The shape is right, and any number may be put in: nothing complains.",
        "about the same answers": "To the network every image is now black, and black looks alike.",
    },
)

# %% tags=["author", "verdict"]
# verdict("03.scaled-twice-one-answer", bool(same_for_all))
# verdict("03.scaled-once-answers-differ", np.ptp(once[:, 0]) > 0.3)

# %% [markdown]
# **Explain.** Each column describes the probability of the first class over all test images. Scaled once, this
# probability differs from image to image. Scaled twice, it hardly changes: the input has nearly vanished, and every
# patient gets the same answer. There was no error and no warning. One look at `min` and `max` of what goes *into* the
# network would have shown it.
#
# `preprocess.prepare` checks what it can. Here we forget to divide. (It cannot see the opposite: an image that was
# divided twice also lies between 0 and 1.)

# %% tags=["nbval-check-output"]
try:
    preprocess.prepare(grey.astype(float))
except ValueError as error:
    print(error)

# %% [markdown]
# ## Step 5 · Batches, and augmentation for train only
#
# **Augmentation** changes each training image a little at random, anew in each **epoch** (one pass through all training
# images): it is turned, moved, zoomed. This tells the network that the answer stays the same. Keras has layers for it.

# %% [markdown] tags=["instructor"]
# **7 minutes · do.** Show the six pictures and ask: same diagnosis? Then the mistake with the test images.
#
# *Asked:* "Is test-time augmentation not a known method?" Yes: several fixed views of an image, averaged, said so in
# the report. Here one random view replaced the image.
#
# *Pause* at the checkpoint.

# %%
keras.utils.set_random_seed(SEED)
augment = keras.Sequential(
    [
        layers.RandomRotation(5 / 360, fill_mode="constant"),  # up to 5 degrees, black outside
        layers.RandomTranslation(0.05, 0.05, fill_mode="constant"),
        layers.RandomZoom(0.1, fill_mode="constant"),
    ]
)
one = preprocess.prepare(images.read(table["path"].iloc[0]), 224)[None, ..., None]
turns = [np.asarray(augment(one.astype(np.float32), training=True))[0, ..., 0] for _ in range(5)]
titles = ["original"] + [f"epoch {k}" for k in range(1, 6)]
plots.montage([one[0, ..., 0]] + [turn.round() for turn in turns], titles, title="Augmentation")

# %% [markdown]
# Would a radiologist call these the same image? Small shifts, turns and zooms pass. Mirroring would put the heart on the
# other side: it claims that left and right do not matter (lesson 06 tests that claim).
#
# Now the mistake: the *test* images go through the same layers, because the line was copied.
#
# **Predict.** What share of the test images gets another answer (the most probable class) from the network of Step 4?

# %% tags=["nbval-check-output"]
MY_OTHER = None  # your prediction: share of the test images with another answer, from 0 to 1
other_answers = guess.number(
    "03.other-answers", MY_OTHER, what="other answers when augmented", between=(0, 1), example=0
)
other_answers

# %%
moved = augment(test[..., None].astype(np.float32), training=True)
differ = model.predict(moved, verbose=0).argmax(axis=1) != once.argmax(axis=1)
low, high = binomtest(int(differ.sum()), len(test)).proportion_ci(method="wilson")
print(
    f"{differ.sum()} of {len(test)} answers differ: {differ.mean():.2f} ({low:.2f} to {high:.2f})"
)

# %%
other_answers.meets(
    (differ.mean(), low, high),
    beliefs=[
        (0, 0.05, "To us it is the same image. A weight for each pixel sees another one."),
        (0.5, 1, "The changes are small: most answers stay."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("03.augmented-test-changes-answers", low > 0.03)

# %% [markdown]
# **Explain.** A test that is changed at random gives another number in each run, on images that were never taken. (The
# interval treats each image as another patient, so it is a little too narrow; lesson 07 corrects this.) Keras's layers
# guard against this mistake: inside a model they act in `fit` and do nothing in `predict`. Here we switched them on
# with `training=True`.
#
# `pipeline.batches` returns the cached images of one part in small portions (**batches**). Training images come
# shuffled, and augmented if you ask for it; the images of the other parts come in the table's order. It adds one thing:
# it refuses the mistake above.

# %% tags=["nbval-check-output"]
batch, numbers = next(iter(pipeline.batches(table, small, "test", batch_size=8)))
assert np.array_equal(np.asarray(batch)[..., 0], test[:8])
assert np.array_equal(numbers, codes[in_test][:8])
print("a batch:", tuple(batch.shape), "labels:", tuple(numbers.shape))
try:
    pipeline.batches(table, small, "test", augment=pipeline.Augmentation())
except ValueError as error:
    print(error)

# %% [markdown]
# The images of a batch are on the scale 0-255, as the first layer expects, and in the table's order: predictions can be
# put beside their rows. `prepare` is the same for train and test; only train is changed at random.
#
# ### Checkpoint
#
# Which of these may differ between train and test?
#
# 1. The size to which images are brought.
# 2. Random shifts and turns.
# 3. Mean and deviation: each part has its own.
#
# <details><summary>Answer</summary>
# 2, and nothing else. (1) A network trained on one size sees other shapes at another. (3) The constants come from
# train and are used for both; see Step 3.
# </details>

# %% [markdown]
# ## Step 6 · Polarity, and the range of a file · deeper
#
# On a radiograph bone is bright and air is dark. Some devices store the negative. A **DICOM** file, the format of
# hospitals, says so in a tag: `MONOCHROME2` means that large numbers are bright, `MONOCHROME1` that they are dark. Ours
# count to 4095, since they have 12 bits. We draw a small set in which healthy people were X-rayed at site A and
# patients with COVID-19 at site C. Nothing is wrong with the files: each says what it holds.

# %% tags=["nbval-check-output"]
import tempfile
from pathlib import Path

import pydicom

from cxr_helpers import manifest

scratch = tempfile.TemporaryDirectory()
plan = phantom.design("site_label", n=12, seed=SEED, letters=0, devices=0)
place = Path(scratch.name) / "two sites"
folder = phantom.write(plan, place, format="dicom", size=128, masks=False)
scans = manifest.from_folder(folder).table
pd.crosstab(scans["label"], scans["mode"])

# %% [markdown]
# Take one image of each class, twice: *stored* means the numbers in the file, divided by 4095; *read* means what
# `images.read` makes of them.
#
# **Predict.** In one of the four pictures the spine is black. In which?

# %% tags=["nbval-check-output"]
MY_NEGATIVE = None  # your prediction: such as "covid read"
SURE_NEGATIVE = None  # how sure you are, from 0.25 (no idea) to 1
negative = guess.choice(
    "03.black-spine",
    MY_NEGATIVE,
    options=["normal stored", "normal read", "covid stored", "covid read"],
    sure=SURE_NEGATIVE,
    example="normal stored",
    what="the picture with a black spine",
)
negative

# %%
four = {}
for label, path in scans.groupby("label", observed=True)["path"].first().items():
    four[f"{label} stored"] = pydicom.dcmread(path).pixel_array / 4095
    four[f"{label} read"] = images.read(path)
spine = {name: picture[:, 60:68].mean() for name, picture in four.items()}  # the middle columns
darkest = min(spine, key=spine.get)
plots.compare_images(list(four.values()), list(four), title="Two sites, two polarities")

# %% tags=["nbval-check-output"]
negative.meets(
    darkest,
    beliefs={
        "normal stored": "These files are MONOCHROME2: what is large is bright, as one expects.",
        "normal read": "images.read obeys the tag, and MONOCHROME2 asks for nothing.",
        "covid read": "The file is a negative, and its tag says so: images.read turns it round.",
    },
)

# %% tags=["nbval-check-output"]
rows = []
for label, name, path in zip(scans["label"], scans["image_id"], scans["path"]):
    drawn = phantom.render(plan[plan["image_id"] == Path(name).stem].iloc[0], 128).image
    stored = pydicom.dcmread(path).pixel_array / 4095
    error = np.abs(images.read(path) - drawn).max() * 4095
    rows.append([label, drawn[:, 60:68].mean(), stored[:, 60:68].mean(), error])
strips = pd.DataFrame(rows, columns=["label", "drawn", "stored", "error of read, in levels"])
strips.groupby("label").agg(["min", "max"]).round(2)

# %% tags=["author", "verdict"]
# strip = strips.groupby("label")["stored"].agg(["min", "max"])
# verdict("03.one-strip-tells-the-classes", strip.loc["covid", "max"] < strip.loc["normal", "min"] - 0.2)
# verdict("03.read-gives-what-was-drawn", strips["error of read, in levels"].max() < 0.6)

# %% [markdown]
# **Explain.** In all twelve images the middle, where the spine lies, was drawn bright. As stored, the ranges of the
# two classes lie far apart: *one strip* tells them apart, without any disease. `images.read` obeys the tag and gives back
# what was drawn, to within half a level.
#
# A PNG has no such tag. Whoever exports negatives as PNG leaves you with images that only an eye can tell apart. So
# look at a montage of *every* source (lesson 02). A network takes a negative without complaint, and its answer is
# worthless; lesson 12 builds a gate against that.

# %% [markdown]
# ## Step 7 · Contrast: equalisation and CLAHE · deeper
#
# **Histogram equalisation** spreads the grey levels until each is used equally often. **CLAHE** (contrast limited
# adaptive histogram equalisation) does the same in small tiles, and limits how strongly the contrast may grow. What
# will equalisation do to the air around the body, where there is nothing but a little noise?

# %%
first = images.read(table["path"].iloc[0])
kinds = [None, "equalize", "clahe"]
contrasts = [preprocess.prepare(first, 256, contrast=kind) for kind in kinds]
plots.compare_images(
    contrasts, ["plain", "equalize", "clahe"], title="Contrast as a choice", histograms=True
)

# %% [markdown]
# **Explain.** Look at the air: on the phantom it is no longer black but very dark grey, with black specks. Equalisation
# spreads the most frequent grey levels, and these may be noise or an empty border. The histogram below it is nearly
# flat, by construction. Pixels that shared *one* level still share one: hence the spike. (If *plain* was flat already,
# somebody equalised the file before.) After equalisation, all images have nearly the same histogram. *CLAHE* brings out
# ribs and vessels locally. Both may help, and both throw away how bright the image was. Using them claims that this
# does not matter: test the claim on validation images, do not assume it. One thing is not a matter of taste: the test
# images must be treated like the training images.

# %% [markdown]
# ## Step 8 · The cache · deeper
#
# Decoding, padding and resizing give the same result in every epoch. So we do it once and keep the result: the
# **cache**, one file of grey levels on disk, row i for row i of the table.

# %%
import time

few = table.sample(min(len(table), 96 if MODE == "class" else 500), random_state=SEED)
few = few.reset_index(drop=True).assign(split="train")
with tempfile.TemporaryDirectory() as empty:
    for call in ("first call", "second call"):
        started = time.perf_counter()
        cached = preprocess.cache(few, size=224, folder=empty)
        print(f"{call}: {time.perf_counter() - started:.3f} seconds")
    cached = np.array(cached)  # a copy in memory: the folder goes
print(cached.shape, cached.dtype, f"{cached.nbytes / 1e6:.1f} MB")

# %% [markdown]
# The second call only opens what the first has made, and verifies the checksum of every image. A pixel takes one byte
# (as float32 it would take four), and only what is used is read from the disk. The cache's name is made of the files'
# hashes and the settings, so another size or contrast makes another cache, and an old one cannot be mistaken for a new one.
# It is made of *all* parts of the split: no constant is computed for it, so nothing leaks.
#
# Most published notebooks use Keras's `ImageDataGenerator` (deprecated by now): it opens, decodes and resizes every
# file in every epoch. Both read the same files at the same size for one epoch: by what factor do their speeds differ?


# %%
def images_per_second(data):
    """Of the shortest of three passes; the first one, in which TensorFlow compiles, is left out."""
    seconds = []
    for _ in range(4):
        started = time.perf_counter()
        for _ in zip(range(len(data)), data):  # the old generator would go on for ever
            pass
        seconds.append(time.perf_counter() - started)
    return len(few) / min(seconds[1:])


# %%
from tensorflow.keras.preprocessing.image import ImageDataGenerator

frame = few.assign(label=few["label"].astype(str))
settings = {"x_col": "path", "y_col": "label", "target_size": (224, 224), "color_mode": "grayscale"}
generators = {
    "plain": ImageDataGenerator(),
    "augmented": ImageDataGenerator(zoom_range=0.1, rotation_range=5, width_shift_range=0.05),
}

# %%
speeds = {"ImageDataGenerator": {}, "cache": {}}
for kind, generator in generators.items():
    old = generator.flow_from_dataframe(frame, **settings)
    new = pipeline.batches(
        few, cached, "train", augment=pipeline.Augmentation() if kind == "augmented" else None
    )
    speeds["ImageDataGenerator"][kind] = images_per_second(old)
    speeds["cache"][kind] = images_per_second(new)
speed = pd.DataFrame(speeds)
speed.assign(ratio=speed["cache"] / speed["ImageDataGenerator"]).round(1)

# %% [markdown]
# **Explain.** The first two columns are images per second on this machine at this moment; they change with the machine
# and with what else it is doing. Look at the *ratio*; with so few images it is rough. (The two ways of augmenting are
# similar, not identical.) The generator decodes each file again in every epoch; the cache copies bytes. The cache is
# made once; a training has tens of epochs, and you will train many times.

# %% [markdown]
# ## Key points
#
# - A file's mode decides what its numbers mean: look at it before you read, and never include alpha in the average.
# - Pad; a squash changes the shape of the heart, a crop the width of the chest. Measure where the truth is known.
# - Constants come from the training part alone, and are kept with the model.
# - Scale once, in the network's first layer. Scaled twice, every patient gets the same answer, without an error.
# - One function for train, test and upload; augmentation for train only.
# - (deeper) Polarity is a tag in DICOM and lost in PNG: look at every source. The cache does the slow part once.
#
# Your predictions in this lesson:

# %%
guess.summary("03")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 03](../exercises/03_preprocessing_exercise.ipynb), whose checks answer at once.
#
# We used the split that came with the set, or made one in a line. Lesson 04 asks whether we can trust it.

# %% [markdown]
# ## Sources and licence
#
# - Zuiderveld (1994), *Contrast limited adaptive histogram equalization*, in Graphics Gems IV, pages 474-485,
#   doi 10.1016/B978-0-12-336156-1.50061-6.
# - ITU-R Recommendation BT.601 (the weights of red, green and blue); DICOM PS3.3, C.7.6.3 (photometric interpretation).
# - Simkus et al. (2021), *Limitations of cardiothoracic ratio derived from chest radiographs to predict real heart
#   size*, Insights into Imaging 12, 158, doi 10.1186/s13244-021-01097-0.
# - Kaufman, Rosset, Perlich, Stitelman (2012), *Leakage in data mining: formulation, detection, and avoidance*,
#   ACM TKDD 6(4), doi 10.1145/2382577.2382579.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: make every file a grey square; one function for train and test
