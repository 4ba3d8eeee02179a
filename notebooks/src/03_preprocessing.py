# %% [markdown]
# # 03 · Preprocessing
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Files come in many modes, sizes and scales; a network wants one. Between the two stand a few lines
# that raise no error when they are wrong. This lesson makes each of these silent faults loud. It helps that the default
# images are phantoms: we know what was drawn, and can measure what a step did to it. (They are nobody's lungs, and what
# is found on them is no evidence about patients.)
#
# **You will be able to**
#
# - turn any file into one array of grey levels, and recognise the four ways in which that goes wrong;
# - make it square without changing the shape of a heart;
# - say from which images a constant may be computed, and scale exactly once;
# - use one function for train and test, cache its result, and augment the training part only.
#
# **Time and hardware.** 60 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01 and 02: the table of images, and a look at its grey levels.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import cxr_helpers
import numpy as np
import pandas as pd
from cxr_helpers import datasets, duplicates, images, pipeline, plots, preprocess, split

with cxr_helpers.quiet():  # hides TensorFlow's start-up lines
    import tensorflow as tf

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.

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

# %%
import io
from PIL import Image

table = datasets.load_report(DATASET, DATA_DIR).table
grey = preprocess.prepare(images.read(table["path"].iloc[0]), size=256)  # 0-255, 256 × 256
picture = Image.fromarray(grey)
deep = Image.fromarray(grey.astype(np.uint16) * 257)
saved = {"grey": picture, "RGB": picture.convert("RGB"), "RGBA": picture.convert("RGBA")}
saved |= {"palette": picture.convert("RGB").quantize(256), "16-bit": deep}

files = {}
for name, version in saved.items():
    version.save(buffer := io.BytesIO(), "PNG")
    files[name] = buffer.getvalue()

# %% [markdown]
# Many a notebook reads an image like this: to an array, mean over the channels, divide by 255.
#
# **Predict.** Five files of the same radiograph. For which of them is the result wrong?


# %%
def naive(file):
    """The usual three lines."""
    array = np.asarray(Image.open(io.BytesIO(file)), dtype=float)
    array = array.mean(axis=2) if array.ndim == 3 else array
    return array / 255


def errors(read):
    """Mean and largest value, and the largest error, of one way to read the five files."""
    arrays = {name: read(file) for name, file in files.items()}
    rows = [(a.mean(), a.max(), np.abs(a - grey / 255).max()) for a in arrays.values()]
    return pd.DataFrame(rows, index=list(arrays), columns=["mean", "max", "largest error"]).round(3)


errors(naive)

# %% [markdown]
# **Explain.** No error was raised, and three of the five are wrong. *RGBA*: alpha is 255 everywhere, and was averaged
# in as if it were light: every pixel is a quarter white. *Palette*: the numbers of colours were taken for grey
# levels, and their order is up to the program that saved the file. *16-bit*: values far above 1. Look at them.

# %%
shown = [grey, *(np.clip(naive(files[name]), 0, 1) for name in ("RGBA", "palette", "16-bit"))]
plots.compare_images(
    shown, ["right", "RGBA", "palette", "16-bit (cut at 1)"], title="Read with three lines"
)

# %% [markdown]
# **Explain.** 16-bit is white to the last pixel (its frame cannot be seen), and the palette came out as a negative
# here. The veil over RGBA is the dangerous one: it passes for a good radiograph. If the files of one class are RGBA and
# the others are not, the network learns the veil. Now the repair: `images.read` looks at the mode first. (What
# `images.read??` shows is a dispatcher; what it does with each mode stands in `cxr_helpers/images/_raster.py`.)

# %% tags=["nbval-check-output"]
close = errors(images.read)["largest error"] < 0.02
print("reads within 0.02 of the truth:", ", ".join(close.index[close]))

# %% [markdown]
# All five agree with the grey file; a palette of 256 colours may cost a rounding. From here on, a radiograph is what
# `images.read` gives: float32, 0 to 1, two dimensions. Colour becomes grey by 0.299 R + 0.587 G + 0.114 B, which are
# the weights of television, not a plain mean; where the three are equal it makes no difference.
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
# before the mean. (3) mixes up what a viewer does with alpha and what a mean does with a number.
# </details>

# %% [markdown]
# ## Step 2 · Polarity, and how far a file counts
#
# On a radiograph bone is bright and air is dark. Some devices store the negative. A **DICOM** file, the format of
# hospitals, says so in a tag: `MONOCHROME2` means that large numbers are bright, `MONOCHROME1` that they are dark. Ours
# count to 4095, since they have 12 bits. We draw a small set in which the healthy were X-rayed at site A and the ill at
# site C. Nothing is wrong with the files: each says what it holds.

# %% tags=["nbval-check-output"]
import tempfile
from pathlib import Path

from cxr_helpers import manifest, phantom

scratch = tempfile.TemporaryDirectory()
plan = phantom.design("site_label", n=12, seed=SEED, letters=0, devices=0)
place = Path(scratch.name) / "two sites"
folder = phantom.write(plan, place, format="dicom", size=128, masks=False)
scans = manifest.from_folder(folder).table
print(pd.crosstab(scans["label"], scans["mode"]).to_string())

# %% [markdown]
# **Predict.** One film of each class, twice: the numbers as they are stored, divided by 4095, and then what
# `images.read` makes of them. In which of the four pictures will the *spine* be black?

# %%
import pydicom

stored = [pydicom.dcmread(path).pixel_array / 4095 for path in scans["path"]]
heeded = [images.read(path) for path in scans["path"]]
two = scans.groupby("label", observed=True).head(1).index
plots.compare_images(
    [way[k] for k in two for way in (stored, heeded)],
    [f"{scans['label'][k]}, {way}" for k in two for way in ("stored", "read")],
    title="Two sites, two polarities",
)

# %% tags=["nbval-check-output"]
drawn = {row["image_id"]: phantom.render(row, 128, masks=False).image for _, row in plan.iterrows()}
truth = [drawn[Path(name).stem] for name in scans["image_id"]]
spine = {"drawn": truth, "as stored": stored, "images.read": heeded}
levels = {way: [image[:, 60:68].mean() for image in kind] for way, kind in spine.items()}
off = max(np.abs(a - b).max() for a, b in zip(truth, heeded))
print(f"largest error of images.read: {off * 4095:.1f} of 4095 levels")
pd.DataFrame(levels).groupby(scans["label"], observed=True).agg(["min", "max"]).round(2)

# %% [markdown]
# **Explain.** Only *covid, stored* has a black spine, and it was not drawn so: in all twelve the middle of the picture,
# where the spine lies, was drawn bright. As stored, the ranges of the two classes lie far apart: *one strip* tells ill
# from healthy, without any disease. `images.read` obeys the tag and gives back what was drawn, to within half a level.
#
# A PNG has no such tag. Whoever exports negatives as PNG leaves you with images that only an eye can tell apart. So
# look at a montage of *every* source (lesson 02). A network takes a negative without complaint, and its answer is
# worthless; lesson 12 builds a gate against that.

# %% [markdown]
# ## Step 3 · Make it square, keep the shape
#
# Networks want squares, radiographs are often not. Three ways: **pad** with black, **crop** the centre, or
# **squash**: resize width and height each to the wanted size. The last is what `resize((224, 224))` does, and what most
# tutorials use. We test them on a chest of which we know where the heart and the lungs are, on a film that is wider
# than high, as many a portable one is.

# %%
case = phantom.design("clean", n=1, classes=("normal",), views=("PA",), seed=SEED).iloc[0]
chest = phantom.render(case, 320)
film = slice(70, 288)  # rows: from below the collarbones to the diaphragm
wide = {name: chest.masks[name][film].astype(float) for name in ("heart", "lung")}
ways = ("squash", "pad", "crop")
squares = [preprocess.prepare(chest.image[film], 224, fit=fit) for fit in ways]
plots.compare_images([chest.image[film], *squares], ["film", *ways], title="Made square in 3 ways")

# %% [markdown]
# Two measures that a radiologist cares about. The **shape of the heart**, as far as the film shows it: its width over
# its height. And the **cardiothoracic ratio**: the width of the heart over that of the chest, here from lung edge to
# lung edge; above one half, the heart of an adult on a PA film is called large.
#
# **Predict.** Which of the three ways changes the shape of the heart? Which the cardiothoracic ratio?


# %% tags=["nbval-check-output"]
def extent(mask, axis):
    """Width (axis 0) or height (axis 1) of a mask in pixels."""
    covered = np.flatnonzero(mask.any(axis=axis))
    return covered[-1] - covered[0] + 1


def measures(heart, lung):
    """Shape of the heart and cardiothoracic ratio from two masks."""
    width = extent(heart, 0)
    return {"heart": width / extent(heart, 1), "cardiothoracic": width / extent(lung, 0)}


rows = {"on the film": measures(*(wide[name] > 0.5 for name in wide))}
for fit in ways:
    after = [preprocess.prepare(wide[name], 224, fit=fit) > 127 for name in wide]
    rows[fit] = measures(*after)
pd.DataFrame(rows).T.round(2)

# %% [markdown]
# **Explain.** *Squash* makes the heart narrow: its shape shrinks by the height of the film over its width, 218 / 320 =
# 0.68. The cardiothoracic ratio survives, because both of its widths are squashed alike; who watches only that number
# notices nothing. *Crop* keeps the shape and cuts off the sides of the chest, so the same heart looks larger: a healthy
# patient comes nearer to one half, or crosses it. *Pad* keeps both. We pad.
#
# If the classes differ in the shape of their *files*, squashing turns that into a shape of the *body*. Padding has a
# price, too: black bars whose width may differ between classes, a mark to be learnt (lesson 09). And a set that is
# square throughout may have been squashed before you got it:

# %% tags=["nbval-check-output"]
ratio = (table["width"] / table["height"]).groupby(table["label"], observed=True)
ratio.describe()[["count", "min", "mean", "max"]].round(2)

# %% [markdown]
# *Min* and *max* all 1.00 mean that every file is square. Most films are not: on a real set somebody probably made
# them so, and how cannot be undone. (The phantoms were drawn on a square detector.) Where the values differ *between
# the classes*, so will the black bars.

# %% [markdown]
# ## Step 4 · From which images may a constant come?
#
# Networks learn best from numbers around zero. So one subtracts a mean and divides by a standard deviation. These
# are two **constants**, computed from images. From which?
#
# A split that came with the set will do. The phantoms have none (nor have many real sets): then we make one that keeps
# each patient, and copies, on one side (lesson 04 explains that line).

# %% tags=["nbval-check-output"]
if table["split"].isna().all():
    pairs = duplicates.pairs(table)
    table = split.holdout(duplicates.add_groups(table, pairs), seed=SEED)
small = preprocess.cache(table, size=64)  # step 7 says what this is
train, test = (np.asarray(small[table["split"] == part]) for part in ("train", "test"))
print(f"{len(train)} train, {len(test)} test")

# %% [markdown]
# First what most scripts do: statistics of *all* images, then the split. To see what flows where, we replace the
# **test** images by white ones, as if they came from a clinic with another exposure.
#
# **Predict.** We look at one *training* image after scaling. Does it change when only *test* images change?


# %% tags=["nbval-check-output"]
def first_training_pixel(constants_from):
    """Middle pixel of the first training image, scaled with constants of the given images."""
    return (train[0, 32, 32] - constants_from.mean()) / constants_from.std()


white = np.full_like(test, 255)
print("all images:  ", first_training_pixel(np.concatenate([train, test])).round(3))
print("test is white:", first_training_pixel(np.concatenate([train, white])).round(3))

# %% [markdown]
# **Explain.** The training input changed, although no training image did. Through the constants the network has been
# told something about images that it must not know. The repair is one word: `train`.

# %% tags=["nbval-check-output"]
mean, deviation = train.mean(), train.std()
scaled_train, scaled_test = (train - mean) / deviation, (test - mean) / deviation
print(f"constants from train only: {mean:.1f} and {deviation:.1f} grey levels")
print(f"train after scaling: mean {scaled_train.mean():.3f}, deviation {scaled_train.std():.3f}")
print(f"test after scaling:  mean {scaled_test.mean():.3f}, deviation {scaled_test.std():.3f}")

# %% [markdown]
# **Explain.** Train has mean 0 and deviation 1, by construction. Test is near, and *not* exactly there: that is
# right, since its own statistics were not used. Be honest about the size: two numbers leak little. The habit is the
# danger. To choose features *by the labels* of all images is the same mistake, and it leaks a great deal (lesson 08
# measures which step leaks how much).
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
# 2. A single uploaded film has no companions to take a mean from; and if the test images are brighter because more of
# them are ill, that is scaled away. Constants come from train and are kept with the model. (1) is true, and not
# enough. (3) holds only where both parts are alike, and that is what a test is to find out.
# </details>

# %% [markdown]
# ## Step 5 · Scale once
#
# The networks of this course take grey levels 0-255 and divide by 255 in their **first layer**. So scaling belongs to
# the network, and cannot be forgotten. It can be done *twice*, though: who divides by 255 out of habit feeds 0-1.
#
# Below is a small network (lesson 05 explains it), trained for a moment on 0-255.

# %%
tf.keras.utils.set_random_seed(SEED)
layers = tf.keras.layers
classes = table["label"].cat.categories
model = tf.keras.Sequential(
    [
        tf.keras.Input((64, 64, 1)),
        layers.Rescaling(1 / 255),
        layers.Flatten(),
        layers.Dense(len(classes), activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
batches = pipeline.batches(table, small, "train", batch_size=16)  # shuffled already
history = model.fit(batches, epochs=8, shuffle=False, verbose=0)

# %% [markdown]
# **Predict.** We ask it about the test images, once as 0-255 and once as 0-1. An error? Other answers?

# %%
once = model.predict(test[..., None], verbose=0)
twice = model.predict(test[..., None] / 255, verbose=0)
probability = pd.DataFrame({"scaled once": once[:, 0], "scaled twice": twice[:, 0]})
print(f"behind the first layer: 0 to {test.max() / 255:.2f}, or 0 to {test.max() / 255**2:.4f}")
probability.describe().loc[["min", "mean", "max"]].round(3)

# %% [markdown]
# **Explain.** Each column describes the probability of the first class over all test images. Scaled once, it goes up
# and down with the image. Scaled twice, min and max are all but equal: the input has nearly vanished, every image is
# black to the network, and it gives every patient the same answer. No error, no warning. One look at the range would
# have told: print `min` and `max` of what goes *into* the network.
#
# `preprocess.prepare` checks what it can. It takes grey levels from 0 to 1, as `images.read` gives them, and hands out
# 0-255. Here we forget to divide. (The opposite it cannot see: what was divided twice also lies between 0 and 1.)

# %% tags=["nbval-check-output"]
try:
    preprocess.prepare(grey.astype(float))
except ValueError as error:
    print(error)

# %% [markdown]
# ## Step 6 · Contrast: equalisation and CLAHE
#
# **Histogram equalisation** spreads the grey levels until each is used equally often. **CLAHE** (contrast limited
# adaptive histogram equalisation) does so in small tiles, and limits how steep the change may be.
#
# **Predict.** What will equalisation do to the air around the body, where there is nothing but a little noise?

# %%
read = images.read(table["path"].iloc[0])
versions = [preprocess.prepare(read, 256, contrast=kind) for kind in (None, "equalize", "clahe")]
plots.compare_images(
    versions, ["plain", "equalize", "clahe"], title="Contrast as a choice", histograms=True
)

# %% [markdown]
# **Explain.** Look at the air: on the phantom it is no longer black but a blotchy dark grey. Equalisation pulls apart
# whatever there is most of, and that may be noise or an empty border. Below, its histogram is nearly flat, by
# construction; what shared *one* level still does, hence a spike. (If *plain* was flat already, somebody equalised the
# file before.) After it, all images have nearly the same histogram. *CLAHE* brings out ribs and vessels locally. Both
# may help, and both throw away how bright the film was. That is a claim about what matters: test it on validation, do
# not assume it. One thing is not a matter of taste: what train got, test must get.
#
# Hence the rule of the course: **one function**, `preprocess.prepare`, for training, testing and a single upload. Look
# inside: `preprocess.prepare??`.

# %% [markdown]
# ## Step 7 · The cache
#
# Decoding, padding and resizing give the same result in every epoch. So we do it once and keep the result: the
# **cache**, one file of grey levels on disk, row i for row i of the table.

# %%
import time

few = table.sample(min(len(table), 96 if MODE == "class" else 500), random_state=SEED)
few = few.reset_index(drop=True)
seconds = {}
for call in ("first call", "second call"):
    started = time.perf_counter()
    cached = preprocess.cache(few, size=224, folder=scratch.name)
    seconds[call] = time.perf_counter() - started
print(
    cached.shape,
    cached.dtype,
    f"{cached.nbytes / 1e6:.1f} MB;",
    {k: round(s, 3) for k, s in seconds.items()},
)

# %% [markdown]
# The second call only opens what the first has made, and verifies the checksum of every image. One byte per pixel
# (float32 would take four), and from then on not loaded but *memory-mapped*: only what is used is read. Its name is
# made of the files' hashes and the settings, so another size or contrast makes another cache, and an old one cannot be
# mistaken for a new one. It is made of *all* splits: no constant is computed in it, so nothing leaks.
#
# Most published notebooks use Keras's `ImageDataGenerator` (deprecated by now): it opens, decodes and resizes every
# file in every epoch.
#
# **Predict.** The same files, the same size, one epoch each. By which factor do they differ: 1, 3, 10, more?


# %%
def seconds_per_epoch(data):
    """Shortest of three passes; a first one, in which TensorFlow compiles, is not counted."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        for _ in zip(range(len(data)), data):
            pass
        times.append(time.perf_counter() - started)
    return min(times[1:])


ImageDataGenerator = tf.keras.preprocessing.image.ImageDataGenerator
frame = few.assign(label=few["label"].astype(str), split="train")
how = {"x_col": "path", "y_col": "label", "target_size": (224, 224), "color_mode": "grayscale"}

# %%
change = {"zoom_range": 0.1, "rotation_range": 5, "width_shift_range": 0.05}
old = {
    "plain": ImageDataGenerator().flow_from_dataframe(frame, **how),
    "augmented": ImageDataGenerator(**change).flow_from_dataframe(frame, **how),
}
new = {
    "plain": pipeline.batches(frame.assign(label=few["label"]), cached, "train"),
    "augmented": pipeline.batches(
        frame.assign(label=few["label"]), cached, "train", augment=pipeline.Augmentation()
    ),
}
speed = pd.DataFrame(
    {
        "ImageDataGenerator": {
            kind: len(few) / seconds_per_epoch(data) for kind, data in old.items()
        },
        "cache": {kind: len(few) / seconds_per_epoch(data) for kind, data in new.items()},
    }
)
speed.assign(ratio=speed["cache"] / speed["ImageDataGenerator"]).round(1)

# %% [markdown]
# **Explain.** The first two columns are images per second on this machine, now; they change with the machine and with
# what else it does. The *ratio* is what to look at, and with so few images it is rough. (The two augment alike, not
# identically.) The generator decodes each file again in every epoch; the cache copies bytes. Making the cache is paid
# once and has paid for itself after a few epochs; trainings have tens of them, and you will train many times.

# %% [markdown]
# ## Step 8 · Batches, and augmentation for train only
#
# `pipeline.batches` hands out the cache in portions (**batches**). For train they come shuffled, for others in the
# table's order. **Augmentation** changes a training image a little at random each time: turned, moved, other contrast.
# It says to the network: this is still the same answer.
#
# **Predict.** One image, five epochs. Which of the changes below would a radiologist call the same film?

# %%
one = few.iloc[[0]].assign(split="train")
augmented = pipeline.batches(one, cached[few.index[:1]], "train", augment=pipeline.Augmentation())
epochs = [next(iter(augmented))[0][0, ..., 0].numpy() for _ in range(5)]
plots.montage(
    [cached[0], *epochs], ["original", *(f"epoch {k}" for k in range(1, 6))], title="Augmentation"
)

# %% [markdown]
# **Explain.** Small shifts, turns and zooms, a little more or less contrast: all five pass. (Black wedges at the edge
# are what a turn, a shift or a smaller picture leaves behind.) Mirroring is off by default. It would put the heart on
# the other side, and claims that left and right do not matter (lesson 06 tests that claim).
#
# The mistake: augmenting the test images too, because the same line was copied.
#
# **Predict.** What will the course's function do if asked for it?

# %% tags=["nbval-check-output"]
try:
    pipeline.batches(table, small, "test", augment=pipeline.Augmentation())
except ValueError as error:
    print(error)

# %% [markdown]
# **Explain.** It refuses. A test image that is changed at random gives another number in each run, on images that
# nobody took. What is the same for train and test is `prepare`; what is for train alone is chance.

# %%
for part in ("train", "test"):
    grey_levels, labels = next(iter(pipeline.batches(table, small, part, batch_size=8)))
    low, high = grey_levels.numpy().min(), grey_levels.numpy().max()
    print(f"{part}: {grey_levels.shape}, {low:.0f} to {high:.0f}, labels {labels.numpy()[:4]} ...")

# %% [markdown]
# The range is 0-255, as the first layer expects. Labels are numbers in the order of the table's classes. Those of
# test come in the table's order: predictions can be put beside their rows, one by one.
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
# train and are used for both; see step 4.
# </details>

# %% [markdown]
# ## Key points
#
# - A file's mode decides what its numbers mean: read with `images.read`, never average alpha in.
# - Polarity is a tag in DICOM and lost in PNG: look at every source.
# - Pad; a squash changes the shape of the heart, a crop the width of the chest. Measure where the truth is known.
# - Constants come from the training part alone, and are kept with the model.
# - Scale once, in the network's first layer. Scaled twice, every patient gets the same answer, without an error.
# - One function for train, test and upload; augmentation for train only.
# - The cache does the slow part once, and computes nothing across images.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 03](../exercises/03_preprocessing_exercise.ipynb), whose checks answer at once.
#
# We used the split that came with the set, or made one in a line. Lesson 04 asks whether it deserves our trust.

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
