# %% [markdown]
# # 01 · Data import
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Every project begins with a folder of files that somebody else made. This lesson turns such a
# folder into a table that can be trusted: one row per radiograph, and a word about every file that did not make it.
# By default the radiographs are *phantoms*: drawn by the course, from physics, so that the truth is known.
#
# **You will be able to**
#
# - say what a phantom is, how its image comes about, and what it cannot tell you;
# - import a folder whose layout you have never seen, and check what was understood;
# - find the files that are broken, or are not what their names say;
# - read a DICOM file so that bone is white;
# - say where a set comes from, what you may do with it, and what is not known about its patients.
#
# **Time and hardware.** 60 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Python and NumPy. No deep learning, no medicine, no other lesson.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxr_helpers import baselines, datasets, evaluate, fetch, images, manifest, phantom, plots

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · You first
#
# Before any machine learns, measure yourself. Below are 20 **radiographs** (X-ray pictures) of the chest, drawn at
# random from the set that this notebook runs on. Dense things are white: bone, heart, fluid. Air is black, so healthy
# lungs are dark. The patient faces you: the patient's left is on *your right*.
#
# The line that loads the set is the goal of this lesson. For now, just run it. (The very first time, it also draws
# the phantoms: some 20 seconds.)

# %% tags=["nbval-check-output"]
report = datasets.load_report(DATASET, DATA_DIR)
table = report.table
classes = list(table["label"].cat.categories)
print(dict(enumerate(classes)), len(table), "images")

# %% [markdown]
# Each class has a number. *Normal* means: nothing wrong was seen. *Covid*, *viral* and *pneumonia* are inflamed lungs
# (by the COVID-19 virus, by another virus, by a cause not told): look for grey haze where there should be black air.
# In the phantoms COVID-19 is drawn as patches low down and near the outer wall of the lung, the other virus as strands
# and haze that spread from the middle.
#
# **Predict.** Write down one number for each picture, row by row. Do it before you scroll on. Then ask yourself how
# many of the 20 you expect to be right.

# %%
quiz = table.sample(20, random_state=SEED)
pictures = [images.read(path) for path in quiz["path"]]
plots.montage(pictures, range(1, 21), columns=6, title="Which class? Write down 20 numbers")

# %% [markdown]
# Now fill in `MY_GUESSES`. While it is empty, the cell takes the example: 20 numbers that were written down **without
# looking at any picture**, and never changed. It stands for a reader who knows nothing. The guesses are kept in a
# small file below the data folder, because in lesson 07 they meet the networks.

# %%
MY_GUESSES = []  # your 20 numbers, row by row, such as [2, 0, 1, 1, 0, ...]
BLIND = [1, 0, 2, 2, 1, 0, 0, 2, 1, 1, 2, 0, 1, 2, 0, 0, 1, 2, 2, 1]

who = baselines.OWN if MY_GUESSES else baselines.EXAMPLE
numbers = MY_GUESSES or [number % len(classes) for number in BLIND]
answers = dict(zip(quiz["image_id"], [classes[number] for number in numbers], strict=True))

guesses = evaluate.guesses(quiz, answers, model=who)
kept = baselines.save_guesses(guesses, DATASET)
right = (guesses["predicted"] == guesses["label"]).sum()
print(f"{who}: {right} of 20 right; accuracy {evaluate.metric(guesses, 'accuracy')}")
print(f"kept as {kept.parent.name}/{kept.name}")

# %% [markdown]
# **Explain.** The **accuracy** is the share of right answers. The range behind it is its **95 % interval**: other 20
# pictures would have given another score, and the accuracy over *all* such pictures may well be anywhere in
# that range. Blind guessing is right once in as many tries as there are classes, *on average*: in any twenty it may
# easily be right half as often, or half as often again. Does your interval stay clear of that share?
#
# An interval this wide says little. How many pictures would it take?

# %% tags=["nbval-check-output"]
for k, n in [(16, 20), (160, 200), (1600, 2000)]:
    low, high = evaluate.wilson(k, n)
    print(f"{k:4} of {n:4} right: accuracy {k / n:.2f}, interval {low:.2f} to {high:.2f}")

# %% [markdown]
# **Explain.** The same accuracy three times; only **n**, the number of pictures, differs. Twenty pictures tell a
# poor reader from a fair one, and nothing finer. To make an interval about three times narrower takes *ten* times as
# many. From here on no score in this course comes without its n and its interval.
#
# Here are the answers. Phantoms carry their **severity**, too, from 0 (nothing drawn) to 1: whoever draws a thing knows
# how strongly it was drawn. Take your time with the ones you missed.

# %%
captions = [f"{k} {label}" for k, label in enumerate(guesses["label"], 1)]
if DATASET == "phantom":  # no other set comes with the truth beside it
    truth = pd.read_csv(Path(table["path"].iloc[0]).parents[2] / "truth.csv").set_index("image_id")
    severity = truth.loc[quiz["image_id"], "severity"]
    captions = [f"{text} {level:.1f}" for text, level in zip(captions, severity)]
marks = np.where(guesses["predicted"] == guesses["label"], "✓", "✗")
captions = [f"{text} {mark}" for text, mark in zip(captions, marks)]
plots.montage(pictures, captions, columns=7, title="The labels that came with the set")

# %% [markdown]
# **Explain.** Be honest about *how* you decided. By haze in the lungs? Or by the size of the patient, a letter in the
# corner, the contrast of the picture? Hold that thought: a machine may decide by the same things, and lessons 02 and
# 09 show that it does. Were the missed ones the mild ones? On a real set nobody could say. And note what the caption
# is there: a *label that came with the file*, not the truth.

# %% [markdown]
# ## Step 2 · What you have just looked at
#
# A **phantom** is a chest that nobody has. A seed gives a person (width of the chest, ribs, heart), a pose, and perhaps
# a disease; physics gives the picture. X-rays are weakened by what lies in their way:
#
# $$I = I_0 \, \exp\Big(-\sum_i \mu_i \, t_i\Big)$$
#
# $I_0$ goes in and $I$ comes out. $t_i$ is the way through one kind of tissue in cm, and $\mu_i$ says how strongly a
# cm of it weakens the beam: about 0.19 for soft tissue, 0.05 for a lung full of air.
#
# **Predict.** A thousand X-rays enter the belly: 20 cm of soft tissue. A thousand enter the chest beside it: 8 cm of
# soft tissue and 12 cm of lung. How many come out in each place? And if half of that lung's air is water (μ = 0.12)?

# %% tags=["nbval-check-output"]
ways = {"belly": 0.19 * 20, "lung": 0.19 * 8 + 0.05 * 12, "hazy lung": 0.19 * 8 + 0.12 * 12}
for place, weakening in ways.items():
    arrive = 1000 * np.exp(-weakening)
    print(f"{place:9}: sum of mu t = {weakening:.2f}, {arrive:3.0f} of 1000 come out")

# %% [markdown]
# **Explain.** Behind the lung five times as many X-rays arrive as behind the belly; haze takes more than half of them
# away. A film shows $-\log(I / I_0)$, which is the sum again: much tissue white, air black. So each grey level *adds
# up* all that lay on one line, front to back: a radiograph is a shadow and not a slice, and a rib crosses the heart.
# The rest of a phantom is drawn likewise: scattered rays, noise, the detector, and at times letters, tubes and black
# borders.
#
# `phantom.render` gives three things: the image, the **masks** (one yes or no per pixel: lung, heart, lesion, letters,
# devices) and the truth, a row of everything that was drawn. A **lesion** is a place of disease.
#
# **Predict.** One person, four times, with a disease of severity 0, 0.3, 0.6 and 1. From which one on would you have
# called this chest ill?

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
# **And what they are not.** Nobody's lungs, and no evidence about patients. COVID and viral phantoms differ *because we
# drew them so*; real ones overlap. A score on phantoms tells you whether a method does what it says, never
# how well it would read a radiograph. (AP and PA: whether the beam came from the front or from the back.)

# %% [markdown]
# ## Step 3 · What a folder seems to say
#
# Now to that first line. Sets of images are mostly published as folders: `train/NORMAL/…`, `train/COVID19/…`. It
# looks as if anybody could read that. To see what goes wrong we make a small download of our own: eight phantoms in
# the layout of case study C, one of the published projects that this course rebuilds, and then the clutter that real
# downloads contain.

# %%
import shutil
import tempfile

scratch = tempfile.TemporaryDirectory()
plan = phantom.design("case_c", n=8, seed=SEED, weights=(1, 1))  # images to draw, a row each
target = Path(scratch.name) / "covid-download"
download = phantom.write(plan, target, "case_c", format="jpeg", size=96, masks=False)

normal, covid = (download / f"Data/train/{name}" for name in ("NORMAL", "COVID19"))
first, one = min(normal.iterdir()), min(covid.iterdir())
(covid / "portable").mkdir()
one.rename(covid / "portable" / one.name)  # somebody sorted once more
(normal / "thumbnails").mkdir()
shutil.copy(first, normal / "thumbnails" / first.name)
(normal / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
found = sorted(path for path in download.rglob("*") if path.is_file())

# %% [markdown]
# Eight radiographs, one of them in a sub-folder; one **thumbnail** (a small copy that some programs leave behind) and
# one `.DS_Store` (a note that a Mac writes into folders it has shown). The usual first lines of a tutorial now count
# the files and take the class from the path. There are two popular ways: *is "covid" in the path?*, and *the name of
# the folder above*.
#
# **Predict.** How many images will be counted? Which files will be labelled wrongly, by which of the two ways?

# %%
naive = pd.DataFrame({"file": [path.relative_to(download).as_posix() for path in found]})
naive["'covid' in the path"] = ["covid" in str(path).lower() for path in found]
naive["the folder above"] = [path.parent.name for path in found]
print(len(naive), "'images'")
naive

# %% [markdown]
# **Explain.** Ten instead of eight: the thumbnail and the Mac's note were counted. The first way calls *every* file
# COVID, because the folder that holds them all is called `covid-download`. The second way invents the classes
# `thumbnails` and `portable`. No error was raised. A network would have trained on this.

# %% [markdown]
# ## Step 4 · What a file seems to say
#
# Three more files, as one meets them: a download that broke off half-way, a zip archive whose name somebody
# changed to `.jpg`, and a PNG image that is called `.jpg`.

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
# Files carry their kind in their first bytes: `ff d8` begins a JPEG, `89 50 4e 47` a PNG, `50 4b` a zip.
#
# **Predict.** Which of the three do their first bytes unmask? The file that broke off half-way, too? And will Pillow,
# the usual library for images, complain when it opens that one?

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
# **Explain.** The extension says `.jpg` three times and is right once. The bytes unmask the archive and the PNG. The
# broken file passes: its beginning is perfectly good, and a program that reads only the header (size, format) is
# content. The fault shows when the pixels are decoded: in the middle of training, hours later. So decode every file
# *once, at import*, and let nothing drop out in silence: a reader of your work must be able to see how many files
# were lost, and which.

# %% [markdown]
# ## Step 5 · Which number is which class?
#
# A network answers with numbers, so each class needs one. Many tools sort the folder names alphabetically and count
# from 0. With two classes, the output of a network is then read as "the probability of class 1".
#
# **Predict.** Here are three sets with the same two classes, named by three people. In which of them is class 1 the
# disease?

# %% tags=["nbval-check-output"]
for folders in (["Normal", "COVID"], ["normal", "positive"], ["Normal", "covid"]):
    print(folders, "→", {name: number for number, name in enumerate(sorted(folders))})
print("the course's order, whatever the folders are called:", ", ".join(manifest.LABELS))

# %% [markdown]
# **Explain.** In the second and the third; in the first, class 1 is *Normal*. Even one letter's case matters: capital
# letters sort before small ones. Whoever assumes "1 = ill" reads the first network upside down: a perfect one would be
# wrong on every single image. With three classes the mix-up is harder to spot, because some classes keep their place.
# The cure is to fix the names and the order once, as the last line does.
#
# ### Checkpoint
#
# A network was trained on the folders `Normal`, `Pneumonia` and `COVID`, sorted alphabetically. Its output for one
# image is `[0.02, 0.95, 0.03]`. What does it say?
#
# 1. Pneumonia: it stands second in the list.
# 2. COVID: the highest number wins, and COVID is what we look for.
# 3. Normal.
#
# <details><summary>Answer</summary>
# 3. Sorted, the order is COVID, Normal, Pneumonia, so the second number is Normal's. Answer 1 takes the order in which
# somebody happened to write the names. Answer 2 forgets that a number's place, not our interest, tells its class.
# </details>

# %% [markdown]
# ## Step 6 · From folder to table
#
# All of these checks stand in one function. It gives the **manifest**: a table with one row per image.
#
# **Predict.** The download now holds 13 files. How many rows will the table have?

# %% tags=["nbval-check-output"]
imported = manifest.from_folder(download)
print(imported.understood)
for path, problem in zip(imported.rejects["path"], imported.rejects["problem"]):
    print(f"rejected: {Path(path).name} {problem.split('(')[0]}")

# %% [markdown]
# **Explain.** Nine rows: eight drawn radiographs and the PNG with the wrong name, which is a fine image. Read the
# sentence aloud, it is there to be disagreed with: *these folders became these classes, these the split, this was left
# out*. The class is taken from the deepest folder whose name is known to be one, so neither `covid-download` nor
# `portable` misleads it. What it refused stands in a table of its own, `imported.rejects`: which file, what is wrong,
# what to do. Look inside with `manifest.from_folder??`.

# %%
shown = ["image_id", "label", "original_label", "split", "patient", "width", "mode", "format"]
imported.table[shown]

# %% [markdown]
# **Explain.** `image_id` is the file's place in the folder and unique. `label` is ours, `original_label` what the
# folder said: nothing is lost. `mode` is how a pixel is stored (`L`: one grey level; `RGB`: three colours) and `format`
# comes from the bytes. `split` says on which side of the line between training and test the makers put the file;
# lesson 04 is about it. `patient` is empty; Step 7 is about that.
#
# What if a folder has a name that nobody foresaw?
#
# **Predict.** `Controls` appears. Should an import guess, skip it, or stop?

# %%
controls = download / "Data/train/Controls"
controls.mkdir()
shutil.copy(first, controls / "P99998_0.jpg")
try:
    manifest.from_folder(download)
except manifest.ManifestError as error:
    print(str(error).replace(scratch.name, "..."))

labels = {"Controls": "normal"}
print()
print(manifest.from_folder(download, labels=labels).understood)

# %% [markdown]
# **Explain.** It stops and shows the line to add. That *Controls* are healthy is for you to find out from the
# set's description, not for a program to guess: in a hospital, controls may well be people with *another* disease.
#
# ### Checkpoint
#
# A set lies in `data/pneumonia-study/{adults,children}/{healthy,ill}/`. You take the class from the path. Which part?
#
# 1. The one directly below `data`.
# 2. Any part that contains "pneumonia".
# 3. The last folder.
#
# <details><summary>Answer</summary>
# 3, <em>here</em>; with a sub-folder per patient it would be wrong again, so check it every time by reading the counts.
# 1 and 2 call every image pneumonia, since that part is the same for all. And keep <em>adults / children</em> in a
# column (<code>source=</code>): if the ill are mostly adults, the network may learn to tell ages.
# </details>

# %% [markdown]
# ## Step 7 · Five layouts, and who is on the pictures
#
# The case studies lay out their folders in five ways (where a description names no folders, the layout is ours). We
# draw 24 phantoms in each, and import them. Whose are they? Lesson 04 will show that two radiographs of one person must
# not stand on both sides of a split. Here the file's name says so: `P00012_1.jpg` is a visit of patient 12. A **regular
# expression**, a pattern for text, picks that part out.
#
# **Predict.** Twenty-four images each time. Will every import have 24 rows? And will every class that was drawn as
# *normal* come back as `normal`?

# %% tags=["nbval-check-output"]
drawn = {case: phantom.design(f"case_{case}", n=24, seed=SEED) for case in "abcde"}
for case, plan in drawn.items():
    place = Path(scratch.name) / case
    root = phantom.write(plan, place, f"case_{case}", size=64, masks=False)
    got = manifest.from_folder(root, patient=r"^(P\d+)_")
    print(f"case {case.upper()}: {got.understood.removeprefix('images: ')}")
    people = plan["patient"].nunique(), got.table["patient"].nunique()
    print(f"        patients: {people[0]} drawn, {people[1]} found")

# %% [markdown]
# **Explain.** Case B loses the images of its folder `Prediction`: nobody wrote down what they show, so they have no
# class, and the sentence says how many. Cases A and D call their second class *negative* and *non-COVID-19*; it comes
# back as `non_covid`, although every one of these phantoms was drawn normal. That is right: the folder's name promises
# only that it is *not COVID*. Two sets with different second classes ask two different questions; never mix them
# unread.
#
# Patients found and drawn agree, unless an image has no name to read (in case E's layout some files are renamed copies)
# or was left out. For real sets the pattern differs (`manifest.nih_patient` reads those of the NIH, a large public set)
# or there is none. Then somebody often fills in the file's name:

# %% tags=["nbval-check-output"]
silent = manifest.from_folder(root).table  # case E's layout, no pattern given
mistake = silent["patient"].fillna(silent["image_id"])
print(f"{silent['patient'].isna().sum()} of {len(silent)} images do not name their patient")
print(f"filled in: {mistake.nunique()} 'patients'; drawn: {plan['patient'].nunique()}")

# %% [markdown]
# **Explain.** A popular repair and a mistake: it turns *we do not know* into *everybody is somebody else*, and here
# we can see how wrong that is. The gap in the table is information. **A patient who is not known is unknown, not new.**
# So count images as images, and never write "n patients" where nobody recorded who they are.

# %% [markdown]
# ## Step 8 · How the files get here
#
# Sets are offered in a handful of ways. Here are the usual ones, each in one call; nothing runs until you choose a
# `ROUTE`. Each ends in a folder, and from there on everything is as in Step 6.
#
# **Predict.** Which of the four ways could hand you *another* set next month under the same address?

# %%
ROUTE = None  # "kaggle", "git", "drive" or "zip"
target = datasets.data_dir(DATA_DIR) / "my-set"  # a folder that does not exist yet

if ROUTE == "kaggle":  # needs the package kagglehub; Kaggle may ask for an account
    datasets.download("covid19-image-dataset", DATA_DIR)
elif ROUTE == "git":  # a repository's files as one archive; no git needed
    page = "https://github.com/education454/datasets/archive/refs/heads/master.zip"
    fetch.extract(fetch.download(page, f"{target}.zip"), target)
elif ROUTE == "drive":  # needs the package gdown; on Colab also datasets.mount_google_drive()
    datasets.from_google_drive("the link that 'Share' gives you", target)
elif ROUTE == "zip":  # downloaded in a browser
    datasets.from_archive("archive.zip", target)
print("route:", ROUTE)

# %% [markdown]
# **Explain.** All four, as they stand here. An address promises a place, not a content: owners add, drop and replace
# files. (A commit's number in place of `refs/heads/master`, or a version named to Kaggle, pins the content.)
# `fetch.download` takes the fingerprint you expect (`sha256=`, Step 10) and refuses anything else. It also goes on
# where a broken download stopped, and a half file never stands where the whole one belongs.
#
# Unpacking asks for care, too: an archive from a stranger may hold a file named `../../something`, which climbs out of
# the folder and overwrites what lies above. `fetch.extract` looks at every name before it writes anything, and
# refuses.

# %% [markdown]
# ## Step 9 · What hospitals use: DICOM
#
# In a hospital a radiograph is a **DICOM** file: pixels and, in the same file, a header about patient and machine. Two
# phantoms of a second site, written so:

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
# `CR` is an X-ray plate read by a machine; 12 bits a pixel count from 0 to 4095; and `MONOCHROME1` means that the
# *smallest* value is to be shown *white*. Many X-ray machines store their images so.
#
# **Predict.** Left: the numbers as they are stored, largest shown white. Right: `images.read`, which heeds the header.
# Which one shows air black and bone white?

# %%
plots.compare_images(
    [scan.pixel_array / 4095, images.read(scans["path"].iloc[0])],
    ["as stored", "as the header says"],
    title="One DICOM file, read twice",
)

# %% [markdown]
# **Explain.** Left, air is white: a negative. Nothing failed, and a network would train on it. Worse, in a mixed set
# only the files of *one machine* are inverted, and if that machine stands where the ill are X-rayed, the inversion
# gives the label away. The header's steps come in a fixed order: rescale, window, then invert, then scale to 0-1.
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
# 3. Answer 1 inverts the 300 that were right. Answer 2 hands the network a sign that tells file formats apart; if the
# formats go with the classes, it copes very well, by cheating.
# </details>

# %% [markdown]
# ## Step 10 · A fingerprint for every file
#
# How would you know that the set on your disk is the one in a paper? A **hash** turns any number of bytes into a short
# fingerprint. The manifest has the SHA-256 of each file, 64 hexadecimal digits.
#
# **Predict.** We change a single bit of one file. How many of the 64 digits will change?

# %%
import hashlib

content = bytearray(Path(table["path"].iloc[0]).read_bytes())
before = hashlib.sha256(content).hexdigest()
content[-1] ^= 1  # flip one bit
after = hashlib.sha256(content).hexdigest()
print("the manifest agrees:", before == table["sha256"].iloc[0])
print(sum(a != b for a, b in zip(before, after)), "of 64 digits differ")
print("fingerprint of the whole set:", manifest.digest(table)[:16])
print("files that are a byte-for-byte copy of another:", table["sha256"].duplicated().sum())

# %% [markdown]
# **Explain.** Nearly all: about one digit in 16 stays the same by chance. So equal fingerprints mean equal files, and a
# file's *name* plays no part. Two uses at once. The third line identifies the set: put it into your report, and anybody
# can check that they have the same files. The fourth counts copies. If it is not zero, the set holds one image several
# times, under different names or in different folders: on the published set of case E there are ten such pairs, six of
# them across training and test. Lesson 04 asks what that does.

# %% [markdown]
# ## Step 11 · What is this set, and what may I do with it?
#
# The last thing to import is no file. Who collected the images, from whom, with whose leave? A **data statement** says
# so. The course keeps one for each set it knows, in a **catalogue**.
#
# **Predict.** You downloaded a set freely, from a page that asked for nothing. May you put its images into your own
# public repository?

# %%
datasets.catalogue()[["name", "case", "classes", "images", "licence"]]

# %%
import textwrap

for name in dict.fromkeys([DATASET, "covid19-image-dataset"]):
    statement = datasets.info(name)
    for field in ("title", "licence", "redistribution", "known_faults"):
        print(textwrap.fill(f"{field}: {getattr(statement, field)}", 100))
    print()
expected = datasets.info(DATASET).images
print(f"published: {expected} images; here: {len(table)}, rejected: {len(report.rejects)}")

# %% [markdown]
# **Explain.** Read the line *licence* first, then *redistribution*. To download is not to be allowed to pass on: many
# public sets were gathered from papers and web pages, and whoever put them together did not own the pictures. That is
# why nothing of those sets is ever committed; the phantoms are ours to give away. *Known faults* is what others found
# before you; whoever publishes a result on a set should have read it.
#
# The last line compares what we have with what was published. If the numbers differ, find out why before you go on:
# a partial download, files that do not open, or another version of the set. And the shares of the classes are what
# the collectors chose, *not* how frequent a disease is among people.
#
# `manifest.write(table, "my-set.csv")` keeps it all as a plain CSV, which a spreadsheet opens, too.

# %% [markdown]
# ## Key points
#
# - A phantom is drawn: its truth is known, and it is no evidence about patients.
# - Measure yourself first. Twenty pictures give a wide interval: no score without its n.
# - A folder's layout is a claim. Read the sentence and the counts before you believe the import.
# - What a file is, its bytes say; whether it is whole, only decoding tells. List what you reject.
# - The order of the classes is fixed in one place, never left to the alphabet; *not COVID* is not *normal*.
# - A patient who is not known is unknown, not new.
# - DICOM pixels mean nothing without their header.
# - A hash identifies a file, a set, and every copy. A data statement says what it is and what you may do.

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
# In the index: guess twenty radiographs; turn any folder into one table of images
