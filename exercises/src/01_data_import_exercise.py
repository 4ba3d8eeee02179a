# %% [markdown]
# # 01 · Data import: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 01.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
#
# **Time.** 40 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxr_helpers import images, manifest, plots, quiet
from cxr_helpers.checks.lesson01 import q1, q2, q3, q4

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# ## Question 1 · A folder whose layout is new
#
# You are given a data set whose layout you have not seen before. These are its files and its README. (The images are
# only noise; their content does not matter here.)

# %%
folder = q1.sample()
print("folder:", folder.name)
for path in sorted(folder.rglob("*")):
    if path.is_file():
        print("  ", path.relative_to(folder).as_posix())
print()
print((folder / "README.txt").read_text())

# %% [markdown]
# Write `import_folder`. It returns a table with one row per radiograph of the set, in any order, and at least these
# columns:
#
# - `image_id`: the file's path relative to the folder, with `/` between the parts, as `manifest.from_folder` writes it;
# - `label`: one of the course's labels (`manifest.LABELS`).
#
# The function will be tested on other sets with the same layout, but other names of wards and patients. You may use
# `manifest.from_folder`, or the standard library. You decide: what does each part of a path mean?


# %% tags=["answer"]
def import_folder(folder):
    """A table with one row per radiograph: image_id and label."""
    answer = None
    ### BEGIN SOLUTION
    labels = {"Cases": "covid", "Controls": "non_covid"}
    answer = manifest.from_folder(folder, labels=labels, progress=False).table
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(import_folder)

# %% [markdown]
# ## Question 2 · Find the broken files
#
# You receive ten files, all described as radiographs.

# %%
delivery = q2.sample()
for path in sorted(delivery.iterdir()):
    print(
        f"{path.name}  {path.stat().st_size:6} bytes, begins with {path.read_bytes()[:4].hex(' ')}"
    )

# %% [markdown]
# Write `broken_files`. It returns a list of the names of the files that do **not contain a complete image**, in any
# order. A file whose pixels can all be decoded belongs in the set, whatever its name or size.


# %% tags=["answer"]
def broken_files(folder):
    """Names of the files in the folder that do not contain a complete image."""
    answer = None
    ### BEGIN SOLUTION
    answer = []
    for path in sorted(Path(folder).iterdir()):
        try:
            images.read(path)
        except images.ImageError:
            answer.append(path.name)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(broken_files)

# %% [markdown]
# ## Question 3 · Test a network on a folder
#
# A colleague sends you a trained network and a folder of test images. The network takes grey levels 0 to 255, 24 × 24
# pixels, and has a column for each class, in the order of the list `classes`. (The images are sketches of chests.)

# %%
network, folder, classes = q3.sample()
network.summary()
print("columns of the network:", classes)
for path in sorted(folder.rglob("*")):
    if path.is_dir():
        print(f"{len(list(path.glob('*.png'))):3} images in {path.relative_to(folder).as_posix()}")

# %% [markdown]
# Write `tested`, with Keras as in lesson 01. It asks the network about every image of its classes and returns two
# arrays, in which a row is about the same image:
#
# - `labels`, the number of the network's column for the class of each image. The class is the folder directly below
#   `folder`; a folder that is none of the classes is left out;
# - `outputs`, (images, columns), what the network says.
#
# The images may have any order. Each check tests another network on another folder.


# %% tags=["answer"]
def tested(network, folder, classes):
    """Labels (n,) as numbers of columns, and outputs (n, columns) of the same images."""
    labels, outputs = None, None
    ### BEGIN SOLUTION
    data = keras.utils.image_dataset_from_directory(
        folder,
        class_names=classes,
        color_mode="grayscale",
        image_size=(24, 24),
        shuffle=False,  # labels and outputs come from two passes
        verbose=False,
    )
    labels = np.concatenate([numbers for _, numbers in data])
    outputs = network.predict(data, verbose=0)
    ### END SOLUTION
    return labels, outputs


# %% tags=["check"]
q3.check(tested)

# %% [markdown]
# ## Question 4 · How was it read?
#
# Six programs have each read the file of another healthy chest, and this is what they show. One has read it rightly.
# Each time you run the cell it draws another figure, with another number and other letters.

# %%
figure, panels = q4.sample()
plots.montage(panels.values(), panels, columns=3, title=f"Figure {figure}")

# %% [markdown]
# For those who do not see the figure, and for all who doubt their eyes: the same panels in numbers.


# %%
def in_numbers(image):
    """What a panel shows, in a few numbers; grey levels are 0 black to 255 white."""
    grey, third = image.astype(float), len(image) // 3
    steps = np.abs(np.diff(grey, axis=1))
    return {
        "mean of the spine": grey[40:75, 60:72].mean(),
        "mean of both lungs": np.mean([grey[40:75, 25:50], grey[40:75, 82:107]]),
        "different grey levels": len(np.unique(image)),
        "neighbours that differ by more than 100, in %": 100 * (steps > 100).mean(),
        "standard deviation of the last ten rows": grey[-10:].std(),
        "correlation of two thirds side by side": np.corrcoef(
            grey[:, :third].ravel(), grey[:, third : 2 * third].ravel()
        )[0, 1],
    }


pd.DataFrame({letter: in_numbers(image) for letter, image in panels.items()}).round(2)

# %% [markdown]
# | word | what the program did |
# |---|---|
# | `right` | nothing wrong: air is black, bone is white |
# | `inverted` | the file says that its 0 is white, and the program did not ask |
# | `low byte` | the file has ten bits for a pixel, 0 to 1,023; the program kept the lower eight of them |
# | `palette` | the file stores numbers of 16 colours and a list of these colours; the program took the numbers for grey levels, and did not look at the list |
# | `truncated` | the download had broken off; what could not be decoded was filled with one grey |
# | `planes` | the file keeps all of red, then all of green, then all of blue; the program read red, green, blue of the first pixel, then of the second |
#
# Fill in the number of *your* figure, and a word for each letter: each word is true of one panel. All six count together.
# A figure that was answered wrongly does not count again: run its cell, and the next one is drawn. (Marked is what
# you write here, with its number.)

# %% tags=["answer"]
misread = {"figure": None, "A": None, "B": None, "C": None, "D": None, "E": None, "F": None}
### BEGIN SOLUTION
misread = {
    "figure": 31415,
    "A": "inverted",
    "B": "planes",
    "C": "right",
    "D": "low byte",
    "E": "palette",
    "F": "truncated",
}
### END SOLUTION

# %% tags=["check"]
q4.check(misread)

# %% [markdown]
# ## Question 5 · In your own words
#
# The complete survey of question 1 has 412 `.jpg` files that are not thumbnails. Nine of them could not be decoded. The
# rest are 180 cases and 223 controls. They lie in the folders of 250 patients, and 31 of the images lie in a folder
# `unnamed`. The owner writes: "Free to download; please do not pass on."
#
# Write the data statement, four or five sentences: what the set is, what was left out, what the two classes mean and do
# **not** mean, whose images these are, and what you may give to a reader of your repository.
#
# *Rubric, 3 points, marked by hand: one for the numbers (403 of 412 images, the nine named as rejected and why); one
# for the classes (controls have another disease; neither share says how frequent COVID-19 is); one for the patients (31
# images of unknown patients, so neither 250 nor 281 patients) and the licence (pointing to the owner, not the images).*

# %% [markdown] tags=["written"] name="data_statement" points=3
# ### BEGIN SOLUTION
# The survey holds 403 chest radiographs from several wards: 180 of patients with COVID-19, confirmed by PCR, and 223
# controls. Nine of 412 files could not be decoded and were left out; they are listed with the reason. The controls are
# patients in hospital with another disease of the chest, so a network learns to tell COVID-19 from other diseases and
# not from health; the share of cases is the collectors' choice and says nothing about how frequent the disease is.
# 372 images belong to 250 named patients; for 31 the patient is not known, and their number cannot be told. The images
# may be downloaded from the owner and are not passed on here; the table of their hashes shows whether you have the
# same files.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
