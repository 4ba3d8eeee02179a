# %% [markdown]
# # 01 · Data import: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Three decisions, each with a check that answers, and one question to be answered in words. They follow lesson 01.
#
# **How it works.** Write your answer where it says so, run the cell, then the one below it. `q1.check(...)` runs your
# answer on fresh data, with other names each time, and says what it found. `q1.hint()` goes one step further each
# time you call it. You may check as often as you like.
#
# **Time.** 35 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxr_helpers import images, manifest
from cxr_helpers.checks.lesson01 import q1, q2, q3

# %% [markdown]
# ## Question 1 · A folder whose layout is new
#
# Somebody hands you a set in a layout of their own. This is what lies in it, and its README. (The pictures are only
# noise; nothing about them matters here.)

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
# - `image_id`: the file's place below the folder, with `/` between the parts, as `manifest.from_folder` writes it;
# - `label`: one of the course's labels (`manifest.LABELS`).
#
# The function will be given other sets of the same layout, with other names of wards and patients. You may use
# `manifest.from_folder`, or the standard library. The decision is yours: what does each part of a path mean?


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
# A delivery of ten files. They are all said to be radiographs.

# %%
delivery = q2.sample()
for path in sorted(delivery.iterdir()):
    print(
        f"{path.name}  {path.stat().st_size:6} bytes, begins with {path.read_bytes()[:4].hex(' ')}"
    )

# %% [markdown]
# Write `broken_files`. It returns a list of the names of those files that hold **no whole image**, in any order. A file
# that can be read to its last pixel belongs in the set, whatever it is called and however long it is.


# %% tags=["answer"]
def broken_files(folder):
    """Names of the files in the folder that hold no whole image."""
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
# ## Question 3 · Which output is which class?
#
# A colleague sends you the outputs of a network, one row per image, and the list of classes is lost. The network is
# good: it is right for nearly every image. And for these images you know the class.

# %%
outputs, labels = q3.sample()
pd.DataFrame(outputs.round(2)).add_prefix("column ").assign(label=labels).head(8)

# %% [markdown]
# Write `column_order`. It is given `outputs`, an array (images, columns), and `labels`, an array with the name of each
# image's class. It returns the names of the classes as a list, in the order of the columns. It will be given several
# networks, with three or four classes, whose makers numbered them as they liked.


# %% tags=["answer"]
def column_order(outputs, labels):
    """Names of the classes, in the order of the network's columns."""
    answer = None
    ### BEGIN SOLUTION
    means = pd.DataFrame(outputs).groupby(labels).mean()  # one row per class
    answer = means.idxmax(axis=0).tolist()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(column_order)

# %% [markdown]
# ## Question 4 · In your own words
#
# The whole survey of question 1 has 412 files that are called `.jpg` and are no thumbnails. Nine of them could not be
# decoded. The rest are 180 cases and 223 controls. They lie in the folders of 250 patients, and 31 of the images lie in a
# folder `unnamed`. The owner writes: "Free to download; please do not pass on."
#
# Write the data statement, four or five sentences: what the set is, what was left out, what the two classes mean and do
# **not** mean, whose pictures these are, and what a reader of your repository may get from you.
#
# *Rubric, 3 points, marked by hand: one for the numbers (403 of 412 images, the nine named as rejected and why); one
# for the classes (controls are ill with something else; neither share says how frequent the disease is); one for the
# patients (31 images of nobody known, so neither 250 nor 281 patients) and the licence (pointing to the owner, not the
# images).*

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
