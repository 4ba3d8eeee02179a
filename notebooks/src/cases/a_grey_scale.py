# %% [markdown]
# # Case A · A grey-scale network and one accuracy
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it? Can the number be trusted?* One kind of student project imports chest radiographs from Google Drive,
# COVID-19 positive and negative. It transforms them, normalises them and converts them to grey scale, splits them into
# train and test, trains a convolutional network and reports one accuracy. Part one is such a project, in plain Keras
# and scikit-learn. Part two asks what its accuracy is worth.
#
# | described | here | where |
# |---|---|---|
# | images imported from Google Drive | your own Drive (mounted), a shared folder or a shared archive; else drawn images in the same folders | Step 1 |
# | COVID-19 positive / negative | the folders `positive` and `negative`; their names are ours | Step 1 |
# | conversion to grey scale | one number per pixel, for every image that is trained on | Step 2 |
# | transformation | every image becomes a square (ours): 224 pixels a side; in class mode 64, from drawn files of 128, and nothing else changed | Step 2 |
# | normalisation | minus the image's mean, divided by its standard deviation (ours) | Step 2 |
# | train/test split | one image in five for the test, the same share of each class (ours) | Step 3 |
# | a CNN | two convolutions of 16 and 32 filters of 3×3 with ReLU, each with max-pooling of 2×2; dense 64 with ReLU; one sigmoid unit (ours) | Step 3 |
# | (nothing on training) | Adam with 0.001, binary cross-entropy, 10 epochs, batches of 16 (ours) | Step 3 |
# | accuracy | accuracy on the test images | Step 3 |
#
# **You will be able to**
#
# - import images from a Google Drive in three ways, and turn them into arrays;
# - split them, train a convolutional network and report its accuracy;
# - put the interval, the n and the baselines beside that accuracy;
# - test whether a trained network reads a word that is burnt into the images.
#
# **Time and hardware.** 40 minutes, 20 of them for Part one; half a minute of computing on two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01-07; Step 5 uses twins as lesson 09 does.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import train_test_split

from cxr_helpers import baselines, datasets, duplicates, evaluate, guess, manifest
from cxr_helpers import phantom, plots, preprocess, quiet, train

# %% [markdown]
# `MODE = "class"` is quick, `"full"` has larger images. `DATASET` is `"phantom"` (drawn radiographs), `"own"` (your
# folder `data/case_a`), or a set of the catalogue, whose classes become COVID-19 and all others.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Part one · The project as described
#
# ## Step 1 · Images from a Google Drive
#
# Google Colab runs a notebook on one of Google's machines. There are three ways to bring images there from a Drive.
# Your **own Drive** can be mounted: its files then appear as a folder below `/content/drive`. This works on Colab
# only, and Colab asks for your consent. A **shared folder** and a **shared archive** have a link ("Share", "anyone
# with the link"), which the package gdown downloads on any machine. Up to its version 5, which Colab has, gdown takes
# at most 50 files from a folder: pack more than that as one zip file.


# %%
def own_drive():
    """The folder case_a at the top of your own Drive."""
    from google.colab import drive

    drive.mount("/content/drive")
    return Path("/content/drive/MyDrive/case_a")


# %%
def from_link(link):
    """The images behind a sharing link, of a folder or of a zip file with both folders."""
    import gdown

    if "/folders/" in link:
        gdown.download_folder(url=link, output="case_a")
    else:
        file_id = link.split("/d/")[1].split("/")[0]
        gdown.download(id=file_id, output="case_a.zip")
        shutil.unpack_archive("case_a.zip", "case_a")
    return Path("case_a").resolve()


# %% [markdown]
# By default nothing is connected, and you get **phantoms**: radiographs that the course draws from a seed, in the same
# two folders. They are nobody's chest. They teach the method and are no evidence about patients. After the next two
# cells the code knows folders only.
#
# The folders are called `positive` and `negative`. The network will give one number between 0 and 1. Which class will a
# number near 1 mean, and what decides it?

# %% tags=["nbval-check-output"]
SOURCE = None  # "my drive", or a link such as "https://drive.google.com/file/d/.../view"
N = 800  # phantoms to draw

if "google.colab" not in sys.modules:
    print("Not on Google Colab: no Drive can be mounted here. A link works everywhere.")

# %%
SIDE = 128 if MODE == "class" else 224  # of a phantom's file
if SOURCE is None:
    found = datasets.case("a", DATASET, DATA_DIR, n=N, seed=SEED, size=SIDE, folders=True)
    root = Path(os.path.commonpath(list(found.table["path"])))
else:
    DATASET = "own"
    root = own_drive() if SOURCE == "my drive" else from_link(SOURCE)
    found = manifest.from_folder(root)

# %% tags=["nbval-check-output"]
folders = [folder for folder in root.iterdir() if folder.is_dir()]
class_names = sorted(folder.name for folder in folders if not folder.name.startswith("."))
files = [file for name in class_names for file in sorted((root / name).iterdir())]
y = np.array([class_names.index(file.parent.name) for file in files])
for number, name in enumerate(class_names):
    first = files[list(y).index(number)].name
    print(f"{number} = {name}: {(y == number).sum()} images, such as {first}")

# %% [markdown]
# **Explain.** The alphabet decides: `negative` comes before `positive`, so 1 means positive. Other names may give the
# other order. Print it, never assume it. (Colab's own folder `.ipynb_checkpoints` is left out: it begins with a dot.)

# %% [markdown]
# ## Step 2 · Grey scale, transformation, normalisation
#
# The description has these three words and no numbers. *Grey scale*: one number per pixel in place of red, green and
# blue. *Transformation*: every image becomes a square of the same side; its shape is not kept, as in most such projects.
# *Normalisation*: we subtract each image's own mean and divide by its own standard deviation. Dividing by 255 is
# equally common.

# %%
size = 64 if MODE == "class" else 224


def prepare(path):
    """One image file as a normalised grey square, (size, size, 1)."""
    grey = Image.open(path).convert("L")  # conversion to grey scale
    square = grey.resize((size, size), Image.Resampling.BILINEAR)  # transformation
    pixels = np.asarray(square, dtype="float32")
    return ((pixels - pixels.mean()) / (pixels.std() + 1e-6))[..., np.newaxis]  # normalisation


# %% tags=["nbval-check-output"]
x = np.stack([prepare(file) for file in files])
print("images, rows, columns, channels:", x.shape)
print(f"largest mean of an image {abs(x.mean(axis=(1, 2, 3))).max():.3f}")
print(f"standard deviations {x.std(axis=(1, 2, 3)).min():.3f} to {x.std(axis=(1, 2, 3)).max():.3f}")

# %% [markdown]
# Take one radiograph and make it darker and lower in contrast, as another machine might: multiply each grey level by
# 0.6 and add 20.
#
# **Predict.** We normalise both images (the unit is then one standard deviation) and subtract them, pixel by pixel.
# How large is the mean difference?

# %% tags=["nbval-check-output"]
MY_DIFFERENCE = None  # your prediction: mean difference after normalisation, from 0 to 1
apart = guess.number(
    "a.normalised", MY_DIFFERENCE, what="mean difference", between=(0, 1), near=0.02, example=0.2
)
apart

# %% tags=["nbval-check-output"]
one = np.asarray(Image.open(files[0]).convert("L"), dtype="float32")
other = 0.6 * one + 20
divided = abs(one / 255 - other / 255).mean()
normalised = abs((one - one.mean()) / one.std() - (other - other.mean()) / other.std()).mean()
print(f"mean difference, divided by 255: {divided:.2f}")
print(f"mean difference, normalised:     {normalised:.2f}")

# %%
apart.meets(
    round(float(normalised), 2),
    beliefs=[
        (
            0.02,
            1,
            "You expected a remainder. Subtracting the mean removes the 20, the division the 0.6.",
        ),
    ],
)

# %% [markdown]
# **Explain.** Division by 255 keeps the difference between the machines. Our normalisation removes it, at a price: a
# disease that changes the brightness or contrast of the whole image loses that sign, too. The same function prepares
# the training images, the test images and any later image; two functions could come to differ (lesson 13).
# `convert("L")` is right for files of 8 bits; it cuts off the bright part of files of 16 bits, which lesson 03 reads.

# %% [markdown]
# ## Step 3 · Split, convolutions, accuracy
#
# One image in five goes to the test part, at random, with the same share of each class. The pictures below are training
# images: looking at test images and then choosing something would spoil the test.

# %% tags=["nbval-check-output"]
parts = train_test_split(x, y, files, test_size=0.2, stratify=y, random_state=SEED)
x_train, x_test, y_train, y_test, files_train, files_test = parts
counts = {"train": np.bincount(y_train), "test": np.bincount(y_test)}
print(pd.DataFrame(counts, index=class_names))

# %%
figure, axes = plt.subplots(2, 6, figsize=(8, 3), layout="constrained")
for number, row in enumerate(axes):
    for axis, image in zip(row, x_train[y_train == number]):
        axis.imshow(image, cmap="gray")
        axis.set_title(class_names[number], fontsize=10)
        axis.axis("off")
plots.show(figure, "Six training images of each class: negative above, positive below.")

# %% [markdown]
# **Why convolutions?** A dense layer gives each pixel a weight of its own. What it learns about an opacity in one
# place does not help it in another, and it ignores which pixels are neighbours. A convolution slides one small set of
# weights over the whole image: a pattern is found wherever it lies. Max-pooling then keeps the largest of each four
# answers, so that the next convolution sees a larger part of the chest and small shifts count less.
#
# The description gives no numbers. We first set ours with a look at test images. Later, unchanged, they passed a test
# on phantoms of other patients, by a rule that was written before the run (`benchmarks/case_ab.py`). This is a check,
# not a fresh choice.
#
# **Predict.** The network below has two convolutions, a dense layer of 64 units and one sigmoid unit. Which of these has
# the most weights?

# %% tags=["nbval-check-output"]
MY_LAYER = None  # your prediction: one of the four, such as "dense 64"
largest = guess.choice(
    "a.layer",
    MY_LAYER,
    what="layer with the most weights",
    options=("convolution of 16", "convolution of 32", "dense 64", "sigmoid unit"),
    example="convolution of 32",
)
largest

# %%
with quiet():
    import keras
    from keras import layers

EPOCHS, BATCH = 10, 16
keras.utils.set_random_seed(SEED)
model = keras.Sequential([keras.Input((size, size, 1))])
for filters in (16, 32):
    model.add(layers.Conv2D(filters, 3, activation="relu"))
    model.add(layers.MaxPooling2D())
model.add(layers.Flatten())
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))

# %% tags=["nbval-check-output"]
print(f"16 dense units on {size} x {size} pixels: {16 * size * size + 16:,} weights")
for layer in model.layers:
    print(f"{type(layer).__name__:13} {layer.output.shape[1:]!s:14} {layer.count_params():>9,}")

# %%
names = ["convolution of 16", "convolution of 32", "dense 64", "sigmoid unit"]
weighted = [layer.count_params() for layer in model.layers if layer.count_params()]

# %%
largest.meets(
    names[weighted.index(max(weighted))],
    beliefs={
        "convolution of 16": "It sees the most pixels, with the same 9 weights for each.",
        "convolution of 32": "It has 32 filters over 16 channels, and uses them at every place.",
        "sigmoid unit": "It has one weight for each of the 64 units before it.",
    },
)

# %% [markdown]
# **Explain.** The first convolution has 160 weights (16 filters of 9, and one bias each), whatever the side of the
# image; 16 dense units on the pixels would have as many as the first line says. (`model.summary()` prints the same
# table.) Most of the weights are in the dense layer after *flatten*: there, each place has its own weights again.
#
# Now we train, and get the one figure of the project. How far apart will training and test accuracy be?

# %%
optimizer = keras.optimizers.Adam(learning_rate=0.001)
model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
VERBOSE = 0 if MODE == "class" else 2  # in full mode, Keras prints a line per epoch
history = model.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, verbose=VERBOSE)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"accuracy on {len(x_train)} training images: {history.history['accuracy'][-1]:.3f}")
print(f"accuracy on {len(x_test)} test images:     {accuracy:.3f}")

# %%
new = files_test[0]
p = float(model.predict(prepare(new)[np.newaxis], verbose=0)[0, 0])
print(f"{new.name}: {class_names[int(p >= 0.5)]}, with p({class_names[1]}) = {p:.2f}")

# %% [markdown]
# **Explain.** The first line is Keras's mean over the last epoch; the second line counts. (On another machine these
# figures differ a little, because it adds numbers in another order.) The last cell answers one file. A project of this
# kind ends here, and as a first network it is an achievement: files in, a trained model, an answer out.

# %% [markdown]
# ## Part two · The review
#
# ## Step 4 · How much is that accuracy?
#
# The course's tools work on a table with one row per image. They need to know which images belong together: those of one
# patient, and copies.

# %% tags=["nbval-check-output"]
table = found.table.set_index("path").loc[[str(file) for file in files]].reset_index()
labels = [table["label"][list(y).index(number)] for number in (0, 1)]
table["label"] = table["label"].cat.set_categories(labels)  # 0 and 1 mean what the folders say
table["split"] = np.where(np.isin(files, files_test), "test", "train")
table = duplicates.add_groups(table)
is_test = (table["split"] == "test").to_numpy()
known = table["group"][is_test].isin(table["group"][~is_test])
print(f"{known.sum()} of {is_test.sum()} test images show a patient who is in train, too")

# %% [markdown]
# The random split has put images of one patient on both sides. Lesson 04 and case C measure what that adds; here the
# intervals, at least, are computed by patient.
#
# Three simple methods answer the same test images: always the larger class; the class of the most similar training
# image; logistic regression, with one weight per pixel.
#
# **Predict.** What is the network's accuracy minus that of logistic regression?

# %% tags=["nbval-check-output"]
MY_LEAD = None  # your prediction: a difference of two accuracies, from -0.3 to 0.5
lead = guess.number(
    "a.regression", MY_LEAD, what="network minus regression", between=(-0.3, 0.5), example=0.4
)
lead


# %%
def predictions(model, x, rows, name):
    """The course's table of predictions: one row per image, one probability per class."""
    p = model.predict(x, verbose=0)[:, 0]
    return train.predictions_table(rows, np.column_stack([1 - p, p]), model=name)


# %%
images = preprocess.cache(table, size=64, fit="squash")
network = predictions(model, x[is_test], table[is_test], "the network")
simple = [baselines.majority(table), baselines.nearest_neighbour(table, images)]
simple.append(baselines.logistic_regression(table, images))
evaluate.table([network, *simple], "accuracy")[["model", "n", "groups", "accuracy"]]


# %%
def shown(difference):
    """What a paired difference with its interval shows."""
    if difference.low > 0:
        return "shown to be better than"
    return "shown to be worse than" if difference.high < 0 else "not shown to differ from"


against = {each["model"].iloc[0]: evaluate.compare(network, each, "accuracy") for each in simple}
for name, difference in against.items():
    print(f"The network is {shown(difference)} {name}: {difference}")
regression = against["logistic regression"]

# %%
lead.meets(
    (regression.value, regression.low, regression.high),
    beliefs=[
        (0.3, 0.5, "You expected one weight per pixel to fail. It is a rival to beat first."),
        (-0.3, 0.1, "You expected little from convolutions. Here they do more; Step 5 asks why."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("case_a.better-than-simple-ways", min(each.low for each in against.values()) > 0)

# %% [markdown]
# **Explain.** Each accuracy stands with its 95 % interval, its n (images) and its groups (patients). The lines below
# the table are paired differences on the same images, and each sentence follows from its interval: above 0, below 0,
# or across it. On the phantoms the network is ahead of all three methods. Without these lines a project does not know
# whether it needed a network. Step 5 asks where the lead comes from.
#
# ### Checkpoint
#
# The accuracy is 0.85, from 60 test images. A classmate's is 0.90, from 60 others. Whose network is better?
#
# 1. The classmate's, by 5 points.
# 2. Nobody knows: the intervals are about 18 and 15 points wide, and the images differ.
# 3. Neither: below 0.95 both are useless.
#
# <details><summary>Answer</summary>
# 2. Answer 1 compares two numbers without their intervals, on different images: three images make the difference.
# Answer 3 judges by a number that nobody derived from a use.
# </details>

# %% [markdown]
# ## Step 5 · The letters in the corner
#
# Look at the training images of Step 3 again. **These phantoms carry a planted fault, of a kind that real sets have.
# We planted it; it is no finding about the project:** the letters R and PORTABLE are burnt into most positive images
# and into few negative ones. (We set how often, and how faint the disease is, with the look at test images that Step 3
# mentions.) We know which images have letters only if they are drawn, so this step uses phantoms whatever `DATASET`
# says.

# %% tags=["nbval-check-output"]
drawn = found if DATASET == "phantom" else datasets.case("a", n=N, seed=SEED, size=SIDE)
plan = phantom.design("case_a", n=N, seed=SEED).set_index("image_id")
rows = drawn.table.assign(group=drawn.table["patient"])
in_plan = plan.loc[rows["image_id"].str.extract(r"/(.+)\.", expand=False)]
has_letters = (in_plan["marker"] != "").to_numpy()
ill = (rows["label"] == "covid").to_numpy()
letters = np.where(has_letters, "burnt in", "none")
pd.crosstab(rows["label"], pd.Series(letters, name="letters"))

# %% [markdown]
# Imagine a clerk who reads the letters and sees no lung: with letters an image is called positive, without them
# negative. From the table, how often is the clerk right?

# %% [markdown]
# ![Two radiographs with covered lungs. With the letters R and PORTABLE in the corner the clerk answers positive,
# without letters negative. What the clerk reaches, a network can reach without
# medicine.](../../docs/diagrams/case_a_clerk.png)

# %% tags=["nbval-check-output"]
fitted, held = train_test_split(
    np.arange(len(rows)), test_size=0.2, stratify=ill, random_state=SEED
)
right = (has_letters == ill)[held].sum()
print(f"the clerk: {right} of {len(held)} test images right, {right / len(held):.3f}")

# %% [markdown]
# The clerk beats the network. So on these images no accuracy up to the clerk's is evidence that a model looked at a
# lung. That is a fault of the set. It does not say that this network reads the letters, but this can be tested: each
# image is drawn once more, with the same noise and everything else the same except for the letters. Letters are added
# where there were none, and left out where there were some.

# %%
changed = np.where(plan["marker"] == "", plan["marker"].max(), "")
other = plan.assign(marker=changed).reset_index()
folder = phantom.cached(other, datasets.work_dir(), "twins_a", "case_a", masks=False, size=SIDE)
x_came = np.stack([prepare(path) for path in rows["path"]])
x_swapped = np.stack([prepare(folder / name) for name in rows["image_id"]])
x_without = np.where(has_letters[:, None, None, None], x_swapped, x_came)

# %%
first = fitted[has_letters[fitted] & ill[fitted]][0]
pair = {"as it came": rows["path"][first], "its twin": folder / rows["image_id"][first]}
figure, axes = plt.subplots(1, 2, figsize=(6, 3.2), layout="constrained")
for axis, (title, path) in zip(axes, pair.items()):
    axis.imshow(Image.open(path), cmap="gray")
    axis.set_title(title)
    axis.axis("off")
plots.show(figure, "A positive training image with the letters R and PORTABLE, and without.")

# %% [markdown]
# The same network now answers the same test images three times: as they came, with all letters taken away, and swapped
# (letters on the others). For a network that never looks at the letters the three accuracies are equal. A fourth row is
# a network of the same layers, trained and tested on images without letters.
#
# **Predict.** What is the network's accuracy with the letters swapped?

# %% tags=["nbval-check-output"]
MY_SWAPPED = None  # your prediction: an accuracy, from 0 to 1
with_swapped = guess.number(
    "a.swapped", MY_SWAPPED, what="accuracy, letters swapped", between=(0, 1), example=0.85
)
with_swapped


# %%
def trained(x, y):
    """A network of the same layers, trained as in Step 3."""
    keras.utils.set_random_seed(SEED)
    fresh = keras.models.clone_model(model)
    fresh.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    fresh.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=VERBOSE)
    return fresh


reader = model if DATASET == "phantom" else trained(x_came[fitted], ill[fitted].astype(int))
without = trained(x_without[fitted], ill[fitted].astype(int))

# %%
rows["label"] = rows["label"].cat.set_categories(["non_covid", "covid"])
test_rows = rows.iloc[held]
asked = {
    "as they came": predictions(reader, x_came[held], test_rows, "a"),
    "letters taken away": predictions(reader, x_without[held], test_rows, "b"),
    "letters swapped": predictions(reader, x_swapped[held], test_rows, "c"),
    "trained without letters": predictions(without, x_without[held], test_rows, "d"),
}

# %%
four = evaluate.table(asked, "accuracy").rename(columns={"model": "label"})
four = four.rename(columns={f"accuracy_{part}": part for part in ("value", "low", "high")})
plots.intervals(
    four,
    baseline={"coin": 0.5, "clerk": right / len(held)},
    title="The same lungs, with and without letters",
    xlabel="accuracy on the test images, 95 % interval",
)

# %%
swapped = evaluate.compare(asked["as they came"], asked["letters swapped"], "accuracy")
away = evaluate.compare(asked["as they came"], asked["letters taken away"], "accuracy")
print(f"as they came minus swapped:    {swapped}")
print(f"as they came minus taken away: {away}")

# %%
with_swapped.meets(
    evaluate.metric(asked["letters swapped"], "accuracy"),
    beliefs=[
        (0.7, 1, "You trusted the network to look at lungs."),
        (0, 0.25, "You expected a reader of letters only. It uses something else, too."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("case_a.letters-swapped-costs", swapped.low > 0)
# verdict("case_a.letters-away-costs", away.low > 0)
# verdict("case_a.clerk-above-network", right / len(held) > four["value"].iloc[0])
# verdict("case_a.lungs-above-chance", four["low"].iloc[3] > 0.5)

# %% [markdown]
# **Explain.** Nothing but the letters differs between the first three rows, and the accuracy falls: this network reads
# the letters, though at its image size they are a smudge to us (Step 3). Part of its accuracy came from them. In the
# last row nobody has letters, in training or in the test: the accuracy that is left is above that of a coin. Of the
# four it is the most honest number to report, but it still comes from a split by image.
#
# Whether a network takes a shortcut depends on the network, the side of the images and the size of the letters. Whether
# the set offers one does not. So the clerk's accuracy belongs beside every result on such a set.
#
# ### Checkpoint
#
# You find that taking the letters away changes nothing for *your* network. May you leave the set as it is?
#
# 1. Yes: the network proved that it looks at lungs.
# 2. No: the next network on this set may read them, and the clerk's accuracy still stands beside every result.
# 3. Yes, if the accuracy is above 0.95.
#
# <details><summary>Answer</summary>
# 2. "Does not use these letters" is not "looks at lungs" (1): hospital, machine and age were not asked. Answer 3 has it
# the wrong way round: a better reader of letters would have a higher accuracy, too. </details>

# %% [markdown]
# ## The verdict
#
# Write your own in three sentences before you run the cell: what was built, what is shown, what is not?

# %%
lungs = evaluate.metric(asked["trained without letters"], "accuracy")
print("Built: files in, an answer out. Accuracy", evaluate.metric(network, "accuracy"))
print(f"It is {shown(regression)} logistic regression: {regression}.")
print(f"{known.sum()} of {len(known)} test images show a patient of train.")
print(f"On the phantoms a clerk who reads letters has {right / len(held):.3f};")
print(f"without letters in training and test the network has {lungs}.")
print("Not shown: another hospital, children, other diseases; a benefit for anybody.")

# %% [markdown]
# ## Get it, run it, change it
#
# ```
# git clone <address of this repository>
# cd <its folder>
# pip install -r requirements.txt
# python notebooks/src/cases/a_grey_scale.py
# ```
#
# The script trains and predicts as this notebook does; `make lab` opens the notebook. For images of your own, put them
# into `data/case_a/positive` and `data/case_a/negative` and set `CXR_DATASET=own`. Thanks go to those who collect and
# share radiographs, and to the patients whose images they are. *Contributing*: see `CONTRIBUTING.md`; a change comes
# with the test that shows it.

# %% [markdown]
# ## Key points
#
# - The project does what its description says, in some fifty lines. One accuracy is where a review begins.
# - Class 1 is the folder that comes second in the alphabet. One function prepares every image.
# - Report an accuracy with n, its interval, and simple methods on the same images, paired.
# - Letters that go with the label give a reader of letters a high accuracy. Up to that accuracy no score shows that a
#   network looked at lungs.
# - An experiment shows whether a network reads them: the same images without letters.

# %% [markdown]
# ## What next
#
# Case B imports a set from Kaggle and answers a whole folder of images; case C lets you upload one.

# %% [markdown]
# ## Sources and licence
#
# - Zech, Badgeley, Liu, Costa, Titano, Oermann (2018), *Variable generalization performance of a deep learning model to
#   detect pneumonia in chest radiographs: a cross-sectional study*, PLoS Medicine 15(11),
#   doi 10.1371/journal.pmed.1002683.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: put the interval and the baselines beside one accuracy; ask a network whether it reads letters in the
# image
