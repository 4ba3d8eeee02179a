# %% [markdown]
# # 01 · Data import
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Yes, in 25 lines: this lesson opens with a whole project, and you guess its accuracy. Most of this
# course asks what that accuracy is worth. The answer begins with the files: this lesson turns a folder into a table
# that can be trusted, with one row per radiograph and a list of every rejected file.
#
# **You will be able to**
#
# - run a complete project in plain Keras, and say which of its lines you do not trust yet;
# - import a folder whose layout you have never seen, and check what the import understood;
# - find the files that are broken, or are not what their names say;
# - (deeper) say what a phantom is, read a DICOM file so that bone is white, and identify a set by its hash.
#
# **Time and hardware.** 45 minutes for the core, 45 more for the steps marked *deeper*, which you can skip. The
# computer needs about half a minute: two processor cores, no GPU.
#
# **Prerequisites.** Python and NumPy. No deep learning, no medicine, no other lesson.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import binomtest

from cxr_helpers import baselines, datasets, evaluate, guess, images, manifest
from cxr_helpers import phantom, plots, quiet

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A project, from folder to accuracy
#
# This is what hundreds of published notebooks do. A folder holds 400 chest radiographs in two sub-folders, `covid` and
# `normal`. (They are **phantoms**: images that the course draws from physics. They show no real person and are no
# evidence about patients. A patient has two images on average, and the disease is mild to moderate.)

# %% [markdown] tags=["instructor"]
# **12 minutes · do.** Everybody runs the project to its accuracy; do not explain the layers. Write the lowest and the
# highest prediction of the class on the board, and leave them there for the whole course.
#
# *Asked:* "What do the layers do?" Lessons 05 and 06 build them. Today: files in, one number out.
#
# *Pause* before the cell with `model.evaluate`, until everybody has entered a number. Afterwards ask: what would you
# have to know before you believe it? Collect three answers, correct none.

# %% [markdown]
# ![A project is a chain of eight links, each with a small picture: folder, manifest, split, cache, batches, model,
# predictions, report. Each link can break the number at the end.](../docs/diagrams/d01_workflow.png)

# %% tags=["nbval-check-output"]
design = phantom.design(
    "marker", n=400, text="R|PORTABLE", severity=(0.2, 0.7), per_patient=2.0, seed=SEED
)
folder = phantom.cached(design, datasets.work_dir(), "project", size=96, masks=False)
for name in sorted(path.name for path in folder.iterdir()):
    print(name, len(list((folder / name).iterdir())), "files")

# %% [markdown]
# **Keras** is the library that this course builds networks with. It reads such a folder in one call. One image in five
# is set aside to test the network with; the rest is for training. (Keras calls the part set aside *validation*; here it
# serves as a test. Lesson 05 tells the two apart.)

# %% tags=["nbval-check-output"]
with quiet():  # TensorFlow has much to say when it starts
    import keras

    keras.utils.set_random_seed(SEED)
    training, test = keras.utils.image_dataset_from_directory(
        folder, color_mode="grayscale", image_size=(96, 96), batch_size=16,
        validation_split=0.2, subset="both", seed=SEED, verbose=False,
    )  # fmt: skip
print("classes:", dict(enumerate(training.class_names)))

# %% [markdown]
# Here is a small **network**: three convolutions with pooling, and two outputs. (You need not understand its layers
# today: lessons 05 and 06 build them piece by piece.)

# %% tags=["nbval-check-output"]
layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((96, 96, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(2, activation="softmax"),
    ]
)
print(f"{model.count_params():,} numbers to learn")

# %% [markdown]
# **Training**: the network answers for some images, is told the right answers (the **labels**, here the names of the
# folders), and changes its numbers a little. It goes through all training images 20 times. `compile` says how
# the numbers change and what counts as wrong; `fit` trains.

# %%
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(training, epochs=20, verbose=0)
curve = history.history["accuracy"]
plt.figure(figsize=(6, 2.8), layout="constrained")
plt.plot(range(1, 21), curve)
plt.title("Accuracy on the training images")
plt.xlabel("epoch (one pass through all training images)")
plt.xticks([1, 5, 10, 15, 20])
plt.ylabel("accuracy")
said = f"Accuracy on the training images over 20 epochs: from {curve[0]:.2f} to {curve[-1]:.2f}."
plots.show(plt.gcf(), said)

# %% [markdown]
# **Predict.** The network has not been trained on the 80 test images. Which **accuracy** (share of right answers) will it
# have on them? Write your number in place of `None`, then run the cell: your first entry counts, and none after the
# result. A number within 0.05 of the result, or inside its interval, is a hit. While the entry is `None`, an example is
# used, which never counts as yours.

# %% tags=["nbval-check-output"]
MY_ACCURACY = None  # your prediction: accuracy on the test images, from 0 to 1
reported = guess.number(
    "01.project-accuracy", MY_ACCURACY, what="accuracy of the project", between=(0, 1), example=0.75
)
reported

# %%
loss, accuracy = model.evaluate(test, verbose=0)
right = round(accuracy * 80)
low, high = binomtest(right, 80).proportion_ci(method="wilson")
print(f"{right} of 80 right: accuracy {accuracy:.2f}, 95 % interval {low:.2f} to {high:.2f}")
one = model.predict(next(iter(test))[0][:1], verbose=0)
print("the network's answer for one image:", one.round(2))

# %%
reported.meets(
    (accuracy, low, high),
    beliefs=[
        (0.4, 0.6, "That is guessing. The network is far better than a coin on these 80 images."),
        (0.6, 0.88, "A fair view of how hard mild disease is to see. Keep it: it returns in 09."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("01.the-project-reports-a-high-accuracy", accuracy > 0.85)

# %% [markdown]
# **Explain.** About 19 of 20 answers are right, on images that were never used for training. (Step 2 explains the
# interval. The network gives one number per class; the highest is its answer.) Every line is common practice. Yet
# **that accuracy is worth about nothing**. Each part of this course tests one reason for believing it: lesson 04 asks
# who the patients are, 07 what a simple model reaches, 09 what the network looks at. Lesson 14 reports it again.
#
# The numbers differ a little on another machine, and more on a GPU.

# %% [markdown]
# ## Step 2 · You first
#
# Before we judge a machine, measure yourself, on 20 **radiographs** (X-ray images) of the chest, drawn at random. Dense
# things are white: bone, heart, fluid. Air is black, so healthy lungs are dark. The patient faces you: the patient's left
# is on *your right*. More: [radiology](../docs/radiology.md).
#
# The next cell loads the set; for now, just run it.

# %% [markdown] tags=["instructor"]
# **13 minutes · do.** Twenty numbers on paper, alone, five minutes and no more. Nobody has to tell a score.
#
# *Asked:* "Is my score bad?" With three classes a blind guess has about 7 of 20, and a wide interval: most of the
# class cannot be told from it.
#
# *Pause* after the three intervals for 20, 200 and 2,000: ten times the images for an interval a third as wide.

# %% tags=["nbval-check-output"]
report = datasets.load_report(DATASET, DATA_DIR)
table = report.table
classes = list(table["label"].cat.categories)
print(dict(enumerate(classes)), len(table), "images")

# %% [markdown]
# Each class has a number. *Normal* means: nothing wrong was seen. *Covid*, *viral* and *pneumonia* are lungs inflamed
# by the virus of COVID-19, by another virus, by an unknown cause: look for grey haze where there should be black air.
# In the phantoms COVID-19 is drawn as patches low down and near the outer wall of the lung, the other virus as strands
# and haze that spread from the middle. Write down one number for each image, row by row.

# %%
quiz = table.sample(20, random_state=SEED)
others = table.drop(quiz.index)
if DATASET == "phantom":  # no other set comes with the truth beside it
    truth = pd.read_csv(Path(table["path"].iloc[0]).parents[2] / "truth.csv").set_index("image_id")
    others = others.assign(severity=truth.loc[others["image_id"], "severity"].to_numpy())
    others = others.sort_values("severity")
example = others.groupby("label", observed=True).tail(1).sort_values("label")
pictures = [np.asarray(Image.open(path).convert("L").reduce(2)) for path in example["path"]]
plots.montage(pictures, example["label"], columns=3, title="One image of each class")

# %% [markdown]
# Those cases were severe. Most of the next are milder:

# %%
pictures = [np.asarray(Image.open(path).convert("L").reduce(2)) for path in quiz["path"]]
plots.montage(pictures, range(1, 21), columns=5, title="Which class? Write down 20 numbers")

# %% [markdown]
# **Predict.** How many of the 20 will you have right? Give a range, low and high, of which you are 80 % sure: of ten such
# ranges, eight should hold the result.

# %% tags=["nbval-check-output"]
MY_RANGE = None  # your prediction: how many of 20, such as (8, 14)
own_score = guess.interval(
    "01.own-score", MY_RANGE, what="right answers of 20", between=(0, 20), example=(14, 18)
)
own_score

# %% [markdown]
# Now fill in `MY_GUESSES`. While it is empty, the cell takes an example: 20 numbers that were written down **without
# looking at any image**. It stands for a reader who knows nothing. The guesses are kept in a small file in the course's
# work folder, because lesson 07 compares them with networks.

# %%
MY_GUESSES = []  # your 20 numbers, row by row, such as [2, 0, 1, 1, 0, ...]
BLIND = [1, 0, 2, 2, 1, 0, 0, 2, 1, 1, 2, 0, 1, 2, 0, 0, 1, 2, 2, 1]

who = baselines.OWN if MY_GUESSES else baselines.EXAMPLE
numbers = MY_GUESSES or [number % len(classes) for number in BLIND]
answers = dict(zip(quiz["image_id"], [classes[number] for number in numbers], strict=True))
guesses = evaluate.guesses(quiz, answers, model=who)
baselines.save_guesses(guesses, DATASET)
right = int((guesses["predicted"] == guesses["label"]).sum())
low, high = binomtest(right, 20).proportion_ci(method="wilson")
print(f"{who}: {right} of 20 right")
print(f"accuracy {right / 20:.2f}, 95 % interval {low:.2f} to {high:.2f}")

# %%
own_score.meets(
    right,
    beliefs=[
        (12, 20, "Few are that good at first sight. A range can be wide: say what you know."),
        (0, 4, "Guessing alone is right in about 7 of 20, with three classes."),
    ],
)

# %% [markdown]
# **Explain.** The accuracy stands beside its **95 % interval**: 20 other images would have given another score, and the
# accuracy over *all* such images may well be anywhere in that range. (Of 100 intervals made in this way, about 95 hold
# that accuracy; lesson 07 tests this.) With three classes, guessing without looking is right about once in three: 0.33.
# Is 0.33 inside your interval? Then your 20 answers cannot be told from guessing.
#
# How many images would a narrow interval take?

# %% tags=["nbval-check-output"]
for k, n in [(16, 20), (160, 200), (1600, 2000)]:
    low, high = binomtest(k, n).proportion_ci(method="wilson")
    print(f"{k:4} of {n:4} right: accuracy {k / n:.2f}, interval {low:.2f} to {high:.2f}")

# %% [markdown]
# **Explain.** The accuracy is always the same; only **n**, the number of images, differs. An interval about three times
# narrower needs *ten* times as many images. From here on, ask of every score what its n and its interval are.
#
# Here are the answers (✓: guessed right). The number is the **severity** of the drawn disease, from 0 (none) to 1.

# %%
captions = [f"{k} {label}" for k, label in enumerate(guesses["label"], 1)]
if DATASET == "phantom":
    severity = truth.loc[quiz["image_id"], "severity"]
    captions = [f"{text} {level:.1f}" for text, level in zip(captions, severity)]
wrong = guesses["predicted"] != guesses["label"]
captions = [f"{text} {'✗' if missed else '✓'}" for text, missed in zip(captions, wrong)]
plots.montage(pictures, captions, columns=7, title="The labels that came with the set")

# %% [markdown]
# **Explain.** *How* did you decide? By haze in the lungs, or by a letter in the corner? Lessons 02 and 09 ask the same of
# machines. And note what the caption is: a *label that came with the file*, not the truth.

# %% [markdown]
# ## Step 3 · What a folder seems to say
#
# Sets of images are mostly published as folders: `train/NORMAL/…`, `train/COVID19/…`. To see what goes wrong we make a
# small download: eight phantoms in the layout of case study C, and the clutter that real downloads contain.
# (You need not read the next cell, which makes it.)

# %% [markdown] tags=["instructor"]
# **8 minutes · demonstrate.** Show the folder's tree on the screen and let them count. Steps 3 and 4 are one idea: a
# name is a claim, and no error is raised. Run Step 4 without discussing it.
#
# *Asked:* "Who would put thumbnails there?" A file browser does, without being asked. The next download will hold
# something else.
#
# *Pause* at the two columns of labels: which of the two ways would you have written?
#
# *Break* before this step.

# %%
import shutil
import tempfile

scratch = tempfile.TemporaryDirectory()
plan = phantom.design("case_c", n=8, seed=SEED, weights=(1, 1))  # images to draw, a row each
target = Path(scratch.name) / "covid-download"
download = phantom.write(plan, target, "case_c", format="jpeg", size=96, masks=False)

normal, covid = (download / f"Data/train/{name}" for name in ("NORMAL", "COVID19"))
first = min(normal.iterdir())
moved = min(covid.iterdir())
(covid / "portable").mkdir()
moved.rename(covid / "portable" / moved.name)  # somebody sorted once more
(normal / "thumbnails").mkdir()
shutil.copy(first, normal / "thumbnails" / first.name)
(normal / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
found = sorted(path for path in download.rglob("*") if path.is_file())

# %% [markdown]
# The download holds eight radiographs, one of them in a sub-folder, one **thumbnail** (a small copy that some programs
# leave behind) and one `.DS_Store` (a note that a Mac leaves in folders). Many tutorials begin by counting files.
#
# **Predict.** How many "images" will they count?

# %% tags=["nbval-check-output"]
MY_COUNT = None  # your prediction: how many images such a program counts
counted = guess.number(
    "01.files-counted", MY_COUNT, what="images counted", between=(0, 20), near=0.5, example=8
)
counted

# %% [markdown]
# Programs take the class from the path in one of two ways: *is "covid" in the path?*, or *what is the folder above
# called?*

# %% tags=["nbval-check-output"]
naive = pd.DataFrame({"file": [path.relative_to(target.parent).as_posix() for path in found]})
naive["'covid' in the path"] = ["covid" in str(path).lower() for path in found]
naive["the folder above"] = [path.parent.name for path in found]
print(len(naive), "'images'")
naive

# %% tags=["nbval-check-output"]
counted.meets(
    len(naive),
    beliefs=[
        (8, 8, "Eight are radiographs. But the program counts files, and two more lie there."),
        (9, 9, "Either the thumbnail or the Mac's note: both are files, and both are counted."),
    ],
)

# %% [markdown]
# **Explain.** Ten instead of eight. The first way calls *every* file COVID, because the folder that holds them all is
# called `covid-download`. The second way invents the classes `thumbnails` and `portable`. No error was raised. The
# Keras call of Step 1 takes the folders directly below as classes: from `Data`, a network would learn to tell `train`
# from `test`; from `Data/train`, the thumbnail would count as a normal chest.

# %% [markdown]
# ## Step 4 · What a file seems to say
#
# Three more files: a download that broke off half-way, a zip archive renamed to `.jpg`, and a PNG image called `.jpg`.

# %%
import io
import zipfile

whole = first.read_bytes()
(covid / "broken.jpg").write_bytes(whole[: len(whole) // 2])
with zipfile.ZipFile(covid / "archive.jpg", "w") as archive:
    archive.writestr("scan.txt", "not an image")
Image.open(io.BytesIO(whole)).save(normal / "P99999_0.jpg", "PNG")
odd = [covid / "broken.jpg", covid / "archive.jpg", normal / "P99999_0.jpg"]

# %% [markdown]
# A file's first bytes say its kind: `ff d8` begins a JPEG, `89 50 4e 47` a PNG, `50 4b` a zip. Do they unmask all three
# files? And will Pillow, the usual library for images, complain when it opens the broken file?

# %% tags=["nbval-check-output"]
for path in odd:
    print(f"{path.name:13} first bytes {path.read_bytes()[:4].hex(' ')}")
header = Image.open(odd[0])
print(f"{odd[0].name}: opened without complaint, {header.size} pixels, {header.format}")
try:
    header.load()
except OSError as error:
    print("but decoding says:", str(error).split("(")[0])

# %% [markdown]
# **Explain.** The bytes unmask the archive and the PNG. The broken file passes: its header (size, format) is good. Its
# fault shows when the pixels are decoded: in the middle of training, in an error that may not name the file.
# So decode every file *once, at import*, and keep a list of what was rejected.

# %% [markdown]
# ## Step 5 · Which number is which class?
#
# A network answers with numbers, so each class needs one. Many tools sort the folder names alphabetically and count from 0,
# as Keras did in Step 1. With two classes, the output is then read as "the probability of class 1".
#
# **Predict.** Three sets have the same two classes, named by three people: `Normal` and `COVID`; `normal` and `positive`;
# `Normal` and `covid`. In how many of them is class 1 the disease?

# %% [markdown] tags=["instructor"]
# **5 minutes · say.** Write `COVID`, `Normal` and `covid`, `Normal` on the board and sort them. The table of the step
# is then clear without running it.
#
# *Asked:* "Does Keras not know which class is the disease?" No: it sorts names, capitals first.

# %% tags=["nbval-check-output"]
MY_ONES = None  # your prediction: in how many of the three sets class 1 is the disease
class_one = guess.number(
    "01.class-one", MY_ONES, what="sets with disease as 1", between=(0, 3), near=0.5, example=3
)
class_one

# %% tags=["nbval-check-output"]
ones = 0
for folders in (["Normal", "COVID"], ["normal", "positive"], ["Normal", "covid"]):
    names = sorted(folders)
    ones += names[1].lower() != "normal"
    print(folders, "→", dict(enumerate(names)))

# %% tags=["nbval-check-output"]
class_one.meets(
    ones,
    beliefs=[
        (3, 3, "In the first set C sorts before N: class 1 is Normal there."),
        (0, 1, "Capital letters sort before small ones: look at the third set again."),
    ],
)

# %% [markdown]
# **Explain.** In the second and the third; in the first, class 1 is *Normal*. Even the case of one letter matters.
# Whoever assumes "1 = disease" reads answers for the first set upside down: a perfect network would seem wrong on every
# image. Fix names and order in one place, and print them. In Step 1 class 0 was `covid`.

# %% [markdown]
# ## Step 6 · From folder to table
#
# One function does all these checks. It returns the **manifest**: a table with one row per image.
#
# **Predict.** The download now holds 13 files, the Mac's note among them. How many rows will the table have?

# %% [markdown] tags=["instructor"]
# **7 minutes · do.** Let them predict the rows before the call. Read the lines of `understood` aloud, one by one:
# this is the habit to take home.
#
# *Asked:* "Why not delete the rejected files?" Nothing that was downloaded is changed; the list of rejects is part of
# the result.
#
# *Pause* at the checkpoint. Vote, two minutes with the neighbour, vote again.

# %% tags=["nbval-check-output"]
MY_ROWS = None  # your prediction: rows of the table
rows = guess.number(
    "01.rows", MY_ROWS, what="rows of 13 files", between=(0, 13), near=0.5, example=8
)
rows

# %% tags=["nbval-check-output"]
imported = manifest.from_folder(download)
print(imported.understood.replace("; ", "\n  "))
print()
for reject in imported.rejects.itertuples():
    print(f"rejected: {Path(reject.path).name} {reject.problem.split('(')[0]}: {reject.remedy}")

# %% tags=["nbval-check-output"]
rows.meets(
    len(imported.table),
    beliefs=[
        (8, 8, "The PNG called .jpg is a whole image, too: only its name is wrong."),
        (10, 13, "Thumbnail, note, archive and half a file are no radiographs to learn from."),
    ],
)

# %% [markdown]
# **Explain.** Nine rows: eight drawn radiographs and the PNG with the wrong name, a good image, but a copy. (The Mac's
# note is no image file, so the first line says 12.) Check what the function understood, and correct it if it is wrong:
# *which folders became classes, which the split, what was left out*. The class is taken from the deepest folder whose
# name is known to be one, so neither `covid-download` nor `portable` misleads it. `imported.rejects` lists the rejected
# files.

# %%
shown = ["image_id", "label", "original_label", "split", "patient", "width", "mode", "format"]
imported.table[shown]

# %% [markdown]
# **Explain.** `label` is our word, `original_label` the folder's. `mode` is how a pixel is stored (`L`: one grey
# level), and `format` comes from the bytes. `split` is where the set's makers put the file. `patient` is empty: nobody
# told us who the patients are.
#
# What if a folder has a name that nobody foresaw? Should an import guess, skip it, or stop?

# %%
controls = download / "Data/train/Controls"
controls.mkdir()
shutil.copy(first, controls / "P99998_0.jpg")
try:
    manifest.from_folder(download)
except ValueError as error:
    print(str(error).replace(scratch.name, "..."))

# %% [markdown]
# It stops and shows what to add. Write it in place of `{}`:

# %% tags=["nbval-check-output"]
MY_LABELS = {}  # what the error asks for, such as {"Sick": "covid"}

labels = MY_LABELS or {"Controls": "normal"}
print(manifest.from_folder(download, labels=labels).understood.replace("; ", "\n  "))

# %% [markdown]
# **Explain.** The set's description must say whether *Controls* are healthy: in a hospital, controls may well be people
# with *another* disease.
#
# ### Checkpoint
#
# A set lies in four folders: `data/pneumonia-study/adults/healthy`, `…/adults/ill`, `…/children/healthy` and
# `…/children/ill`. You take the class from the path. Which part?
#
# 1. The one directly below `data`.
# 2. Any part that contains "pneumonia".
# 3. The last folder.
#
# <details><summary>Answer</summary>
# 3, <em>here</em>. With a sub-folder per patient, 3 would be wrong, too: read the counts every time. 1 and 2 call every
# image pneumonia, since that part is the same for all. And keep <em>adults / children</em> in a column
# (<code>source=</code>): if most of the ill patients are adults, the network may learn to tell ages.
# </details>

# %% [markdown]
# ## Step 7 · What a phantom is · deeper
#
# A **phantom** is a drawn chest that belongs to no real person. A seed gives a person (width of the chest, ribs,
# heart), a pose, and perhaps a disease; physics gives the image. The X-ray beam loses photons in everything that lies
# in its way:
#
# $$I = I_0 \, \exp\Big(-\sum_i \mu_i \, t_i\Big)$$
#
# $I_0$ goes in and $I$ comes out. $t_i$ is the length of the path through one kind of tissue in cm, and $\mu_i$ says
# how strongly one cm of this tissue weakens the beam: about 0.19 for soft tissue, 0.05 for a lung full of air.
#
# 1,000 photons enter the abdomen: 20 cm of soft tissue. 1,000 enter the chest beside it: 8 cm of soft tissue and 12 cm of
# lung. How many come out in each place? And how many come out if half of that lung's air is replaced by water (μ =
# 0.12)?

# %% tags=["nbval-check-output"]
ways = {"abdomen": 0.19 * 20, "lung": 0.19 * 8 + 0.05 * 12, "hazy lung": 0.19 * 8 + 0.12 * 12}
for place, weakening in ways.items():
    arrive = 1000 * np.exp(-weakening)
    print(f"{place:9}: sum of mu t = {weakening:.2f}, {arrive:3.0f} of 1000 come out")

# %% [markdown]
# **Explain.** Five times as many photons come out of the lung as out of the abdomen; haze takes more than half of them
# away. A radiograph shows $-\log(I / I_0)$, which is the sum in the formula: thick tissue is white, air is black. So
# each grey level *adds up* everything on one line from front to back: a radiograph is a shadow and not a slice, and
# ribs lie over the heart. The rest of a phantom is drawn in the same way: scattered rays, noise, the detector, and
# sometimes letters, tubes and black borders.
#
# `phantom.render` gives three things: the image, the **masks** (for each pixel, yes or no: lung, heart, lesion,
# letters, devices) and the truth, a table row that says what was drawn. A **lesion** is a place of disease.
#
# The next figure shows one person four times, with a disease of severity 0, 0.3, 0.6 and 1. From which image on would
# you have said that this chest is diseased?

# %%
row = phantom.design("clean", n=1, classes=("covid",), seed=SEED).iloc[0]
drawn = [phantom.render(row, 128, severity=level) for level in (0, 0.3, 0.6, 1)]
shown = [one.image for one in drawn]
titles = ["severity 0", "severity 0.3", "severity 0.6", "severity 1"]
plots.montage(shown, titles, columns=4, title="One phantom, four times")

# %% [markdown]
# Make up your mind before you look at the next figure: it outlines what was drawn.

# %%
healthy, *ill = drawn
outlines = [healthy.masks["lung"], healthy.masks["heart"], *(d.masks["lesion"] for d in ill)]
titles = ["its lungs", "its heart", *titles[1:]]
plots.montage(
    [shown[0], *shown], titles, columns=5, masks=outlines, title="The same, and what is known of it"
)

# %% [markdown]
# **Explain.** The outlines are there from severity 0.3 on, whether or not you saw anything: the truth does not depend
# on that. Ribs, vessels and noise are the same in all: only the disease was changed. No real person can be X-rayed at
# the same moment *without* the disease. That is what phantoms are for: a lesson can plant something, and then see
# whether a method finds it. Here are twelve:
#
# ![Twelve phantom radiographs with their masks outlined: diseases from mild to severe beside normal lungs, PA and AP, adult and child, from three sites](../data/figures/phantoms.png)
#
# **And what they are not.** They are the lungs of no real person, and they are no evidence about patients. COVID and
# viral phantoms differ *because we drew them so*; real ones overlap. A score on phantoms tells you whether a method
# does what it says, never how well it would read a radiograph. (**AP** and **PA**: whether the beam came from the front
# or from the back.)

# %% [markdown]
# ## Step 8 · Five layouts, and who the patients are · deeper
#
# The case studies lay out their folders in five ways (where a description names no folders, the layout is ours). We
# draw 24 phantoms in each, and import them. Who are the patients? Lesson 04 will show that radiographs of one person
# must not stand on both sides of a split. Here the file's name says so: `P00012_1.jpg` is a visit of patient 12. A
# **regular expression**, a pattern for text, picks that part out.
#
# Each layout holds 24 images. Will every import have 24 rows? And will every class that was drawn as *normal* come back
# as `normal`?

# %% tags=["nbval-check-output"]
drawn = {case: phantom.design(f"case_{case}", n=24, seed=SEED) for case in "abcde"}
for case, plan in drawn.items():
    place = Path(scratch.name) / case
    root = phantom.write(plan, place, f"case_{case}", size=64, masks=False)
    got = manifest.from_folder(root, patient=r"^(P\d+)_")
    said = got.understood.removeprefix("images: ").replace("; ", "\n        ")
    print(f"case {case.upper()}: {said}")
    known = plan["patient"].nunique(), got.table["patient"].nunique()
    print(f"        patients: {known[0]} drawn, {known[1]} found")

# %% [markdown]
# **Explain.** Case B loses the images of its folder `Prediction`: nobody wrote down what they show, so they have no
# class, and the printed lines say how many they are. Cases A and D call their second class *negative* and
# *non-COVID-19*; it comes back as `non_covid`, although every one of these phantoms was drawn normal. That is right:
# the folder's name promises only that it is *not COVID*. Two sets with different second classes ask two different
# questions; never mix them without reading what their classes mean.
#
# Patients found and drawn agree, unless an image has no name to read (in case E's layout some files are renamed copies)
# or was left out. For real sets the pattern differs (`manifest.nih_patient` reads the file names of the NIH's large
# public set) or there is none. Then the file's name is often filled in as the patient:

# %% tags=["nbval-check-output"]
silent = manifest.from_folder(root).table  # case E's layout, no pattern given
mistake = silent["patient"].fillna(silent["image_id"])
print(f"{silent['patient'].isna().sum()} of {len(silent)} images do not name their patient")
print(f"filled in: {mistake.nunique()} 'patients'; drawn: {plan['patient'].nunique()}")

# %% [markdown]
# **Explain.** This popular repair is a mistake: it turns *we do not know* into *every image is another patient*, and
# here we can see how wrong that is. The gap in the table is information. **A patient who is not known is unknown, not
# new.** So count images as images, and never write "n patients" where nobody recorded who they are.

# %% [markdown]
# ## Step 9 · How the files get here · deeper
#
# Sets can be downloaded in several ways. Here are the usual ones, each in one call; nothing runs until you choose a
# `ROUTE`. Each ends in a folder, and from there on everything is as in Step 6.
#
# Which of the four ways could give you *another* set next month under the same address?

# %%
ROUTE = None  # "kaggle", "git", "drive" or "zip"
target = datasets.data_dir(DATA_DIR) / "my-set"  # a folder that does not exist yet

if ROUTE == "kaggle":  # needs the package kagglehub; Kaggle may ask for an account
    datasets.download("covid19-image-dataset", DATA_DIR)
elif ROUTE == "git":  # a repository's files as one archive; no git needed
    datasets.download("education454", DATA_DIR)
elif ROUTE == "drive":  # needs the package gdown; on Colab also datasets.mount_google_drive()
    datasets.from_google_drive("the link that 'Share' gives you", target)
elif ROUTE == "zip":  # downloaded in a browser
    datasets.from_archive("archive.zip", target)
print("route:", ROUTE)

# %% [markdown]
# **Explain.** All four, as they stand here. An address promises a place, not a content: owners add, drop and replace
# files. (A commit's number in the address, or a version named to Kaggle, pins the content.)
# `fetch.download` takes the fingerprint you expect (`sha256=`, Step 11) and refuses anything else. It also continues a
# broken download where it stopped, and it never leaves half a file under the name of the whole one.
#
# Unpacking needs care, too: an archive from a stranger may hold a file named `../../something`, which climbs out of
# the folder and overwrites what lies above. `fetch.extract` looks at every name before it writes anything, and
# refuses.

# %% [markdown]
# ## Step 10 · What hospitals use: DICOM · deeper
#
# In a hospital a radiograph is a **DICOM** file: pixels and, in the same file, a header about patient and machine. Here
# are two phantoms of a second site, written as DICOM files:

# %% tags=["nbval-check-output"]
import pydicom

visitors = phantom.design("second_site", n=2, seed=SEED)
place = Path(scratch.name) / "second site"
root = phantom.write(visitors, place, format="dicom", size=160, masks=False)
scans = manifest.from_folder(root).table
scan = pydicom.dcmread(scans["path"].iloc[0])
for name in ("Modality", "ViewPosition", "BitsStored", "PhotometricInterpretation"):
    print(f"{name}: {scan[name].value}")

# %% [markdown]
# `CR` is an X-ray plate read by a machine; with 12 bits, a pixel's value goes from 0 to 4095; and `MONOCHROME1` means
# that the *smallest* value is to be shown *white*. Many X-ray machines store their images in this way.
#
# Left: the numbers as they are stored, largest shown white. Right: `images.read`, which follows the header. Which one shows
# air black and bone white?

# %%
plots.compare_images(
    [scan.pixel_array / 4095, images.read(scans["path"].iloc[0])],
    ["as stored", "as the header says"],
    title="One DICOM file, read twice",
)

# %% [markdown]
# **Explain.** On the left, air is white: the image is a negative. Nothing failed, and a network would train on it.
# Worse, in a mixed set only the files of *one machine* are inverted, and if that machine stands where the most severely
# ill patients are X-rayed, the inversion gives the label away. The header's steps come in a fixed order: rescale,
# window, then invert, then scale to 0-1.
#
# The header also names the patient: good for grouping, and a matter of privacy. Ours says `PHANTOM^P…`; real ones hold
# the name and the date of birth. Never pass on a DICOM file that has not been de-identified, and look at the pixels,
# too: names may be burnt in.
#
# ### Checkpoint
#
# In your set 300 images are PNG and 40 are DICOM. The 40 look like negatives. What do you do?
#
# 1. Invert all 340 so that they look alike.
# 2. Nothing: a network learns to cope.
# 3. Read the 40 by their header, and check whether they belong mostly to one class.
#
# <details><summary>Answer</summary>
# 3. Answer 1 inverts the 300 that were right. Answer 2 gives the network a sign that tells file formats apart; if the
# formats go with the classes, the network copes very well, by cheating.
# </details>

# %% [markdown]
# ## Step 11 · A fingerprint for every file · deeper
#
# How would you know that the set on your disk is the one in a paper? A **hash** turns any number of bytes into a short
# fingerprint. The manifest has the SHA-256 of each file, 64 hexadecimal digits.
#
# **Predict.** We change a single bit of one file. How many of the 64 digits will change?

# %% tags=["nbval-check-output"]
MY_DIGITS = None  # your prediction: how many of the 64 digits change
digits = guess.number(
    "01.digits-changed", MY_DIGITS, what="digits of 64 that change", between=(0, 64), example=1
)
digits

# %%
import hashlib

content = bytearray(Path(table["path"].iloc[0]).read_bytes())
before = hashlib.sha256(content).hexdigest()
content[-1] ^= 1  # flip one bit
after = hashlib.sha256(content).hexdigest()
print("the manifest agrees:", before == table["sha256"].iloc[0])
changed = sum(a != b for a, b in zip(before, after))
print(changed, "of 64 digits differ")
print("fingerprint of the whole set:", manifest.digest(table)[:16])
print("files that are a byte-for-byte copy of another:", table["sha256"].duplicated().sum())

# %%
digits.meets(
    changed,
    beliefs=[
        (0, 8, "A hash is no sum: one changed bit changes nearly everything."),
        (24, 40, "Half of the bits change. A digit is four bits: it stays if none does."),
    ],
)

# %% [markdown]
# **Explain.** Nearly all: about one digit in 16 stays the same by chance. So equal fingerprints mean equal files, and a
# file's *name* plays no part. The output shows two uses. The third line identifies the set: put it into your report,
# and anybody can check that they have the same files. The fourth line counts copies. If it is not zero, the set holds
# one image several times, under different names or in different folders: on the published set of case E there are ten
# such pairs, six of them across training and test. Lesson 04 asks what such copies do to a score.

# %% [markdown]
# ## Step 12 · What is this set, and what may I do with it? · deeper
#
# The last thing to import is not a file. Who collected the images, from whom, and with whose permission? A **data
# statement** says so. The course keeps one for each set it knows, in a **catalogue**.
#
# **Predict.** You downloaded case E's set (`covid19-image-dataset`) freely, from a public page. May you put its images into
# your own public repository?

# %% tags=["nbval-check-output"]
MY_COPY = None  # your prediction: "yes" or "no"
SURE_COPY = None  # how sure you are, from 0.5 (no idea) to 1
republish = guess.choice(
    "01.republish", MY_COPY, options=["yes", "no"], sure=SURE_COPY, example="yes"
)
republish

# %%
datasets.catalogue()[["name", "case", "classes", "images", "licence"]]

# %%
import textwrap

for name in dict.fromkeys([DATASET, "covid19-image-dataset"]):
    statement = datasets.info(name)
    for field in ("title", "licence", "redistribution", "known_faults"):
        text = ". ".join(getattr(statement, field).split(". ")[:2])  # `statement` has more
        print(textwrap.fill(f"{field}: {text}", 100))
    print()
expected = datasets.info(DATASET).images
print(f"published: {expected} images; here: {len(table)}, rejected: {len(report.rejects)}")

# %% tags=["nbval-check-output"]
republish.meets(
    "no" if statement.redistribution.startswith("never") else "yes",
    beliefs={"yes": "What you may download, you may not always pass on: read its statement."},
)

# %% [markdown]
# **Explain.** Read the line *licence* first, then *redistribution*. Being allowed to download is not being allowed to
# pass on: many public sets were gathered from papers and web pages, and whoever put them together did not own the
# images. That is why nothing of those sets is ever committed; the phantoms are ours to give away. *Known faults* is
# what others found before you; whoever publishes a result on a set should have read it.
#
# The last line compares what we have with what was published. If the numbers differ, find out why before you go on:
# a partial download, files that do not open, or another version of the set. And the shares of the classes are what
# the collectors chose, *not* how frequent a disease is among people.
#
# `manifest.write(table, "my-set.csv")` keeps it all as a plain CSV, which a spreadsheet opens, too.

# %% [markdown]
# ## Key points
#
# - A whole project takes 25 lines. What its accuracy is worth takes the rest of the course.
# - Measure yourself first. Twenty images give a wide interval: no score without its n.
# - A folder's layout is a claim. Read what was understood, and the counts, before you believe the import.
# - The bytes say what a file is; only decoding tells whether it is whole. List what you reject.
# - The order of the classes is fixed in one place, never left to the alphabet; *not COVID* is not *normal*.
# - (deeper) A patient who is not known is unknown, not new. DICOM pixels mean nothing without their header. A hash
#   identifies a file, a set, and every copy. A data statement says what you may do with a set.
#
# Your predictions in this lesson:

# %%
guess.summary("01")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 01](../exercises/01_data_import_exercise.ipynb), whose checks answer at once.
#
# We have a table that we can trust to say what the files *are*. Lesson 02 looks at them, and asks what tells the
# classes apart before anybody has looked at a lung.

# %% [markdown]
# ## Sources and licence
#
# - Gebru et al. (2021), *Datasheets for datasets*, Communications of the ACM 64(12), doi 10.1145/3458723.
# - Garcia Santa Cruz, Bossa, Sölter, Husch (2021), *Public Covid-19 X-ray datasets and their impact on model bias*,
#   Medical Image Analysis 74, doi 10.1016/j.media.2021.102225: of more than 100 sets, 9 could be assessed.
# - Swinehart (1962), *The Beer-Lambert law*, Journal of Chemical Education 39(7), doi 10.1021/ed039p333.
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American
#   Statistical Association 22(158), doi 10.1080/01621459.1927.10502953: the interval of a share.
# - National Electrical Manufacturers Association, *DICOM PS3.3*, section C.7.6.3 (photometric interpretation) and C.11
#   (look-up tables and windows).
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: run a whole project; guess twenty radiographs; make a folder a table
