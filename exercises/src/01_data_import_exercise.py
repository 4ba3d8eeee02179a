# %% [markdown]
# # 01 · Data import: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Three questions with an automatic check and one written question, on lesson 01.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
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
# ## Question 3 · Which output is which class?
#
# A colleague sends you the outputs of a network, one row per image, but the list of classes is lost. The network is
# good: it is right for nearly every image. You know the true class of these images.

# %%
outputs, labels = q3.sample()
pd.DataFrame(outputs.round(2)).add_prefix("column ").assign(label=labels).head(8)

# %% [markdown]
# Write `column_order`. It is given `outputs`, an array (images, columns), and `labels`, an array with the name of each
# image's class. It returns the names of the classes as a list, in the order of the columns. It will be tested on
# several networks, with three or four classes in different orders.


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
