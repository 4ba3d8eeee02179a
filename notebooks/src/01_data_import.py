# %% [markdown]
# # 01 · Data import
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPOSITORY/blob/main/notebooks/01_data_import.ipynb)
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Every project begins with a folder of files that somebody else made. This lesson turns such a
# folder into a table that can be trusted: one row per radiograph, and a word about every file that did not make it.
#
# **You will be able to**
#
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
# On Colab this cell installs the course's package; on a machine of your own `make setup` has done so.

# %% tags=["setup"]
import os
import subprocess
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/OWNER/REPOSITORY"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", address], check=True)

import numpy as np
import pandas as pd
from PIL import Image

from cxr_helpers import baselines, datasets, evaluate, fetch, images, manifest, plots

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
# random from the set of this course. Dense things are white: bone, heart, fluid. Air is black, so healthy lungs are
# dark. The patient faces you: the patient's left is on *your right*.
#
# The line that loads the set is the goal of this lesson. For now, just run it.

# %%
report = datasets.load_report(DATASET, DATA_DIR, progress=False)
table = report.table
classes = list(table["label"].cat.categories)
dict(enumerate(classes))

# %% [markdown]
# Each class has a number. *Normal* means: nothing wrong was seen. *Covid*, *viral* and *pneumonia* are inflamed lungs
# (by the COVID-19 virus, by another virus, by a cause not told): look for grey haze where there should be black air.
# (If your set is a drawn one, of *phantoms*, it shows nobody: it teaches the method, and is no evidence about
# patients.)
#
# **Predict.** Write down one number for each picture, row by row. Do it before you scroll on. Then ask yourself how
# many of the 20 you expect to be right.

# %%
quiz = table.sample(20, random_state=SEED)
pictures = [images.read(path) for path in quiz["path"]]
plots.montage(pictures, range(1, 21), columns=5, title="Which class? Write down 20 numbers")

# %% [markdown]
# Now fill in `MY_GUESSES`. While it is empty, the cell takes the example, which was written down **without looking at
# any picture**: it stands for a person who knows nothing. The guesses are kept in a small file below the data folder,
# because in lesson 07 they meet the networks.

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
# that range. Compare it with blind guessing, which is right once in as many tries as there are classes. Does your
# interval stay clear of that?
#
# An interval this wide says little. How many pictures would it take?

# %%
rows = [
    (f"{k} of {n}", k / n, *evaluate.wilson(k, n)) for k, n in [(16, 20), (160, 200), (1600, 2000)]
]
columns = ["right", "accuracy", "low", "high"]
pd.DataFrame(rows, columns=columns).round(2)

# %% [markdown]
# **Explain.** The same accuracy three times; only **n**, the number of pictures, differs. Twenty pictures tell a
# poor reader from a fair one, and nothing finer. To make an interval about three times narrower takes *ten* times as
# many. From here on no score in this course comes without its n and its interval.
#
# Here are the answers. Take your time with the ones you missed.

# %%
marks = np.where(guesses["predicted"] == guesses["label"], "✓", "✗")
captions = [
    f"{n} {label} {mark}" for n, (label, mark) in enumerate(zip(guesses["label"], marks), 1)
]
plots.montage(pictures, captions, columns=6, title="The labels that came with the set")

# %% [markdown]
# **Explain.** Be honest about *how* you decided. By haze in the lungs? Or by the size of the patient, a letter in the
# corner, the contrast of the picture? Hold that thought: a machine may decide by the same things, and lessons 02 and
# 09 show that it does. And note what the caption is: a *label that came with the file*, not the truth.

# %% [markdown]
# ## Step 2 · What a folder seems to say
#
# Now to that first line. Sets of images are mostly published as folders: `train/Normal/…`, `train/COVID/…`. It looks
# as if anybody could read that. To see what goes wrong we make a small download of our own, in a temporary folder,
# with everything real ones contain. Its "radiographs" are drawn: two dark lungs on grey, and noise.

# %%
import tempfile
from pathlib import Path

scratch = tempfile.TemporaryDirectory()
download = Path(scratch.name) / "covid-download"


def save(name, seed):
    """Draw a chest with NumPy and store it as a JPEG file."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    lungs = np.hypot((abs(x) - 0.42) / 0.3, y / 0.65) < 1
    noise = np.random.default_rng(seed).normal(0, 12, lungs.shape)
    path = download / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((150 - 90 * lungs + noise).clip(0, 255).astype(np.uint8)).save(path, "JPEG")


# %%
good = ["train/Normal/P01_1.jpeg", "train/Normal/P02_1.jpeg", "train/Normal/P02_2.jpeg"]
good += ["train/COVID/P03_1.jpeg", "train/COVID/P04/P04_1.jpeg"]
good += ["test/Normal/P05_1.jpeg", "test/COVID/P06_1.jpeg"]
for seed, name in enumerate([*good, "train/Normal/thumbnails/P01_1.jpeg"]):
    save(name, seed)
(download / "train/Normal/.DS_Store").write_bytes(b"\0\0\0\1Bud1")
found = sorted(path for path in download.rglob("*") if path.is_file())

# %% [markdown]
# Seven radiographs, one **thumbnail** (a small copy that some programs leave behind) and one `.DS_Store` (a note that
# a Mac writes into folders it has shown). The usual first lines of a tutorial now count the files and take the class
# from the path. There are two popular ways: *is "covid" in the path?*, and *the name of the folder above*.
#
# **Predict.** How many images will be counted? Which files will be labelled wrongly, by which of the two ways?

# %%
naive = pd.DataFrame({"file": [path.relative_to(download).as_posix() for path in found]})
naive["'covid' in the path"] = ["covid" in str(path).lower() for path in found]
naive["the folder above"] = [path.parent.name for path in found]
print(len(naive), "'images'")
naive

# %% [markdown]
# **Explain.** Nine instead of seven: the thumbnail and the Mac's note were counted. The first way calls *every* file
# COVID, because the folder that holds them all is called `covid-download`. The second way invents the classes
# `thumbnails` and `P04`, a patient's folder. No error was raised. A network would have trained on this.

# %% [markdown]
# ## Step 3 · What a file seems to say
#
# Three more files, as one meets them: a download that broke off half-way, a zip archive whose name somebody
# changed to `.jpg`, and a PNG image that is called `.jpg`.

# %%
import io
import zipfile

whole = (download / good[0]).read_bytes()
(download / "train/COVID/broken.jpg").write_bytes(whole[: len(whole) // 2])
with zipfile.ZipFile(download / "train/COVID/archive.jpg", "w") as archive:
    archive.writestr("scan.txt", "not an image")
Image.open(io.BytesIO(whole)).save(download / "test/COVID/P07_1.jpg", "PNG")
odd = [
    download / f"{name}.jpg"
    for name in ("train/COVID/broken", "train/COVID/archive", "test/COVID/P07_1")
]

# %% [markdown]
# Files carry their kind in their first bytes: `ff d8` begins a JPEG, `89 50 4e 47` a PNG, `50 4b` a zip.
#
# **Predict.** Which of the three do their first bytes unmask? The file that broke off half-way, too? And will Pillow,
# the usual library for images, complain when it opens that one?

# %%
pd.DataFrame(
    {
        "name says": [path.suffix for path in odd],
        "first bytes": [path.read_bytes()[:4].hex(" ") for path in odd],
    },
    index=[path.name for path in odd],
)

# %%
header = Image.open(odd[0])
print("opened without complaint:", header.size, header.format)
try:
    header.load()
except OSError as error:
    print("but decoding says:", error)

# %% [markdown]
# **Explain.** The extension says `.jpg` three times and is right once. The bytes unmask the archive and the PNG. The
# broken file passes: its beginning is perfectly good, and a program that reads only the header (size, format) is
# content. The fault shows when the pixels are decoded: in the middle of training, hours later. So decode every file
# *once, at import*. `images.describe` does that and says what to do:

# %%
for path in odd:
    try:
        print(f"{path.name}: {images.describe(path).format}, whatever its extension")
    except images.ImageError as error:
        print(f"{path.name}: {error.problem}. {error.remedy}.")

# %% [markdown]
# **Explain.** Two files are refused with a reason. The PNG is a fine image with a wrong name, and is kept. Refused is
# not the same as dropped in silence: a reader of your work must be able to see how many files were lost, and which.

# %% [markdown]
# ## Step 4 · Which number is which class?
#
# A network answers with numbers, so each class needs one. Many tools sort the folder names alphabetically and count
# from 0. With two classes, the output of a network is then read as "the probability of class 1".
#
# **Predict.** Here are three sets with the same two classes, named by three people. In which of them is class 1 the
# disease?

# %%
for folders in (["Normal", "COVID"], ["normal", "positive"], ["Normal", "covid"]):
    print(folders, "→", {name: number for number, name in enumerate(sorted(folders))})

# %% [markdown]
# **Explain.** In the second and the third; in the first, class 1 is *Normal*. Even one letter's case matters: capital
# letters sort before small ones. Whoever assumes "1 = ill" reads the first network upside down: a perfect one would be
# wrong on every single image. With three classes the mix-up is harder to spot, because some classes keep their place.
# The cure is to fix the names and the order once, whatever the folders are called:

# %%
print("fixed order:", manifest.LABELS)
print(
    {
        name: manifest.DEFAULT_LABELS[name]
        for name in ("covid19positive", "healthy", "viralpneumonia")
    }
)

# %% [markdown]
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
# ## Step 5 · From folder to table
#
# All of these checks stand in one function. It gives the **manifest**: a table with one row per image.
#
# **Predict.** The download now holds 12 files. How many rows will the table have?

# %%
imported = manifest.from_folder(download, progress=False)
print(imported.understood)
imported.counts()

# %% [markdown]
# **Explain.** Eight rows: seven drawn radiographs and the PNG with the wrong name. Read the sentence aloud, it is there
# to be disagreed with: *these folders became these classes, these the split, this was left out*. The class is
# taken from the deepest folder whose name is known to be one, so neither `covid-download` nor `P04` misleads it. Look
# inside with `manifest.from_folder??`. What it refused stands in a table of its own: which file, what is wrong, what
# to do.

# %%
pd.set_option("display.max_colwidth", 120)
imported.rejects.assign(path=[Path(path).name for path in imported.rejects["path"]])

# %%
shown = ["image_id", "label", "original_label", "split", "patient", "width", "mode", "format"]
imported.table[shown]

# %% [markdown]
# **Explain.** Above, the two refused files; below, the manifest. `image_id` is the file's place in the folder and
# unique. `label` is ours, `original_label` what the folder said: nothing is lost. `mode` is how a pixel is stored
# (`L`: one grey level; `RGB`: three colours) and `format` comes from the bytes. `split` says on which side of the line
# between training and test the makers put the file; lesson 04 is about it. `patient` is empty; Step 6 is about that.
#
# What if a folder has a name that nobody foresaw?
#
# **Predict.** `Controls` appears. Should an import guess, skip it, or stop?

# %%
save("train/Controls/P08_1.jpeg", seed=8)
try:
    manifest.from_folder(download, progress=False)
except manifest.ManifestError as error:
    print(str(error).replace(scratch.name, "..."))

# %%
labels = {"Controls": "normal"}
print(manifest.from_folder(download, labels=labels, progress=False).understood)

# %% [markdown]
# **Explain.** It stops and shows the line to add. That *Controls* are healthy is for you to find out from the
# set's description, not for a program to guess: in a hospital, controls may well be people with *another* disease.

# %% [markdown]
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
# ## Step 6 · Who is on the picture?
#
# Lesson 04 will show that two radiographs of one person must not stand on both sides of a split. For that we need to
# know whose they are. Sometimes the file's name says so. In our download it does: `P02_1` is visit 1 of patient 2. A
# **regular expression**, a pattern for text, picks that part out.
#
# **Predict.** Nine images. How many patients?

# %%
known = manifest.from_folder(download, labels=labels, patient=r"^(P\d+)_", progress=False).table
print(len(known), "images of", known["patient"].nunique(), "patients")
print("a file name of the NIH's large set:", manifest.nih_patient("00000013_005.png"))

# %% [markdown]
# **Explain.** One person fewer than images: patient 2 came twice. The NIH's set, a large public one, writes the patient
# first and the visit second. And the set of this course?

# %%
unknown = table["patient"].isna()
print(f"{unknown.sum()} of {len(table)} images do not name their patient")
mistake = table["patient"].fillna(table["image_id"])
print(f"filled in with the file's name: {mistake.nunique()} 'patients'")

# %% [markdown]
# **Explain.** The second line is a popular repair and a mistake: it turns *we do not know* into *everybody is somebody
# else*. The gap in the table is information. **A patient who is not known is unknown, not new.** So count images as
# images, and never write "n patients" where nobody recorded who they are.

# %% [markdown]
# ## Step 7 · How the files get here
#
# Sets are offered in a handful of ways. Here are the usual ones, each in one call; nothing runs until you choose a
# `ROUTE`. Each ends in a folder, and from there on everything is as in Step 5.
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
# **Explain.** All four. An address promises a place, not a content: owners add, drop and replace files.
# `fetch.download` takes the fingerprint you expect (`sha256=`, Step 9) and refuses anything else. It also goes on
# where a broken download stopped, and a half file never stands where the whole one belongs.
#
# Unpacking asks for care, too: an archive from a stranger may hold a file named `../../something`, which climbs out of
# the folder and overwrites what lies above. `fetch.extract` looks at every name before it writes anything, and
# refuses.

# %% [markdown]
# ## Step 8 · What hospitals use: DICOM
#
# In a hospital a radiograph is a **DICOM** file: pixels and, in the same file, a header about patient and machine. We
# write one, so that we know what is in it: 12 bits a pixel (0-4095), and `MONOCHROME1`, which means that the
# *smallest* value is to be shown *white*. Many X-ray machines store their images so.

# %%
from pydicom.dataset import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

scan = Dataset()
scan.ensure_file_meta()
scan.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
scan.SOPClassUID, scan.SOPInstanceUID = DigitalXRayImageStorageForPresentation, generate_uid()
scan.PatientID, scan.ViewPosition = "P09", "PA"  # PA: the beam came from the back
scan.PhotometricInterpretation, scan.SamplesPerPixel = "MONOCHROME1", 1
scan.BitsAllocated, scan.BitsStored, scan.HighBit, scan.PixelRepresentation = 16, 12, 11, 0

# %%
bright = images.read(download / good[0])  # 0 black to 1 white: lungs dark
stored = (4095 * (1 - bright)).astype(np.uint16)  # MONOCHROME1: dark lungs get large numbers
scan.Rows, scan.Columns = stored.shape
scan.PixelData = stored.tobytes()
scan.WindowCenter, scan.WindowWidth = 2048, 4096  # which values to show: here all
dicom = download / "train/Normal/P09_1.dcm"
scan.save_as(dicom, enforce_file_format=True)

# %% [markdown]
# **Predict.** Left: the numbers as they are stored, largest shown white. Right: `images.read`, which heeds the header.
# Which one is a chest?

# %%
import pydicom

raw = pydicom.dcmread(dicom).pixel_array
plots.compare_images(
    [raw / raw.max(), images.read(dicom)],
    ["as stored", "as the header says"],
    title="One DICOM file, read twice",
)

# %% [markdown]
# **Explain.** Left, air is white: a negative. Nothing failed, and a network would train on it. Worse, in a mixed set
# only the files of *one machine* are inverted, and if that machine stands where the ill are X-rayed, the inversion
# gives the label away. The header's steps come in a fixed order: rescale, window, then invert, then scale to 0-1.
#
# The header can also name the patient: good for grouping, and a matter of privacy. Ours says only `P09`; real ones hold
# the name and the date of birth. Never pass on a DICOM file that has not been de-identified, and look at the pixels,
# too: names may be burnt in.

# %% [markdown]
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
# ## Step 9 · A fingerprint for every file
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

# %% [markdown]
# **Explain.** Nearly all: about one digit in 16 stays the same by chance. So equal fingerprints mean equal files, and a
# file's *name* plays no part. Two uses at once:

# %%
print("fingerprint of the whole set:", manifest.digest(table)[:16])
print("files that are a byte-for-byte copy of another:", table["sha256"].duplicated().sum())

# %% [markdown]
# **Explain.** The first line identifies the set: put it into your report, and anybody can check that they have the same
# files. The second counts copies. If it is not zero, the set holds one image several times, under different names
# or in different folders. Lesson 04 asks whether such copies cross from training to test.

# %% [markdown]
# ## Step 10 · What is this set, and what may I do with it?
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

statement = datasets.info(DATASET)
for field in ("title", "url", "licence", "redistribution", "known_faults"):
    print(textwrap.fill(f"{field}: {getattr(statement, field)}", 100), end="\n\n")

# %% [markdown]
# **Explain.** Read the line *licence* first, then *redistribution*. To download is not to be allowed to pass on: many
# public sets were gathered from papers and web pages, and whoever put them together did not own the pictures. That
# is why nothing below `data/` is ever committed. *Known faults* is what others found before you; whoever publishes a
# result on this set should have read it.
#
# Does what we have agree with what was published?

# %%
print(f"published: {statement.images} images; here: {len(table)}, rejected: {len(report.rejects)}")
print(report.understood)
plots.class_counts(table, title="The set of this course")

# %% [markdown]
# **Explain.** If the numbers differ, find out why before you go on: a partial download, files that do not open, or
# another version of the set. Read the bars with their numbers: the shares of the classes here are what the collectors
# chose, *not* how frequent the disease is among people.
#
# `manifest.write(table, "my-set.csv")` keeps it all as a plain CSV, which a spreadsheet opens, too.

# %% [markdown]
# ## Key points
#
# - Measure yourself first. Twenty pictures give a wide interval: no score without its n.
# - A folder's layout is a claim. Read the sentence and the counts before you believe the import.
# - What a file is, its bytes say; whether it is whole, only decoding tells. List what you reject.
# - The order of the classes is fixed in one place, never left to the alphabet.
# - A patient who is not known is unknown, not new.
# - DICOM pixels mean nothing without their header.
# - A hash identifies a file, a set, and every copy. A data statement says what it is and what you may do.

# %% [markdown]
# ## What next
#
# We have a table that we can trust to say what the files *are*. Lesson 02 looks at them, and asks what tells the
# classes apart before anybody has looked at a lung.

# %% [markdown]
# ## Sources and licence
#
# - Gebru et al. (2021), *Datasheets for datasets*, Communications of the ACM 64(12), doi 10.1145/3458723.
# - Garcia Santa Cruz, Bossa, Sölter, Husch (2021), *Public Covid-19 X-ray datasets and their impact on model bias*,
#   Medical Image Analysis 74, doi 10.1016/j.media.2021.102225: of more than 100 sets, 9 could be assessed.
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American
#   Statistical Association 22(158), doi 10.1080/01621459.1927.10502953: the interval of a share.
# - National Electrical Manufacturers Association, *DICOM PS3.3*, section C.7.6.3 (photometric interpretation) and C.11
#   (look-up tables and windows).
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.
