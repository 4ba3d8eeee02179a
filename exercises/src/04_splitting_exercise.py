# %% [markdown]
# # 04 · Splitting: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 04.
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
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxr_helpers import plots, split
from cxr_helpers.checks.lesson04 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Make the split
#
# A table of invented patients with three classes; some images are stored twice. The column `group` says which images
# belong together; `split` is still empty.

# %%
table = q1.sample()
table[["image_id", "label", "patient", "group", "split"]].head()

# %% [markdown]
# Write `make_split` in plain scikit-learn. It returns the table with its column `split` filled: `"train"` or `"test"`,
# about a fifth of the images for the test, and the other requirements of lesson 04. The same `seed` gives the same split;
# another seed gives another one.
#
# You decide: which splitter, with which arguments? Before you check, call it twice, and look at
# `plots.split_counts(make_split(table, 0))`.

# %% tags=["answer"]
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split


def make_split(table, seed):
    """The table with its column split filled: train, and about a fifth of it test."""
    answer = None
    ### BEGIN SOLUTION
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    _, test = next(folds.split(table, table["label"], groups=table["group"]))
    part = np.full(len(table), "train")
    part[test] = "test"
    answer = table.assign(split=part)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(make_split)

# %% [markdown]
# ## Question 2 · Prove it disjoint
#
# You are given a split without the column `group`. Is it free of leaks?
#
# Write `is_disjoint`. It returns `True` if no patient and no file is in two parts of the split, and `False` otherwise.
# The parts are `train`, `val` and `test`. For some images the patient is unknown.

# %%
given = q2.sample()
given[["image_id", "patient", "sha256", "split"]].head()


# %% tags=["answer"]
def is_disjoint(table):
    """True if no patient and no file is in two parts."""
    answer = None
    ### BEGIN SOLUTION
    known = [table.dropna(subset=[column]).groupby(column) for column in ("patient", "sha256")]
    answer = all((rows["split"].nunique() <= 1).all() for rows in known)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(is_disjoint)

# %% [markdown]
# ## Question 3 · Who cut single images?
#
# Four studies were done again with labels drawn at random, one for each patient: an honest study finds an AUC of 0.5, up
# to chance. Each was run with 1, 2, 4 and 8 images of a patient, ten times, with other labels each time. A dot is a run;
# the line joins the means. (The images are drawn; the nearest neighbours learn from them.)

# %%
curves = q3.sample()
figure, panels = plt.subplots(1, 4, figsize=(12, 3.4), sharey=True)
for axis, (letter, runs) in zip(panels, curves.groupby("panel")):
    place = np.log2(runs["images of a patient"])
    axis.plot(place, runs["AUC"], "o", alpha=0.35)
    axis.plot(np.unique(place), runs["AUC"].groupby(place).mean(), "k-")
    axis.axhline(0.5, color="grey", linestyle="--")
    axis.set(title=letter, xlabel="images of a patient", xticks=range(4), ylim=(-0.05, 1.05))
    axis.set_xticklabels([1, 2, 4, 8])
panels[0].set_ylabel("AUC on random labels")
plt.show()

# %% [markdown]
# The same in numbers: mean, lowest and highest AUC.

# %%
shown = curves.groupby(["panel", "images of a patient"])["AUC"].agg(["mean", "min", "max"])
shown.round(2).unstack("panel")

# %% [markdown]
# One study cut single images at random. One cut whole patients, but a third of the test images were stored in train, too,
# under other names. One scored its model on the images it was fitted on. One is sound, and tests six patients. Say first,
# from the figure, which is which.
#
# Then write `by_image`. It gets such a table and returns the letter of the study that cut **single images**. Each check
# shows other studies in another order, so a letter alone is of no use: write down what you saw.


# %% tags=["answer"]
def by_image(curves):
    """The letter of the study that cut single images."""
    letter = None
    ### BEGIN SOLUTION
    means = curves.pivot_table(index="images of a patient", columns="panel", values="AUC")
    letter = (means.loc[8] - means.loc[1]).idxmax()  # nothing to recognise at first, then much
    ### END SOLUTION
    return letter


# %% tags=["check"]
q3.check(by_image)

# %% [markdown]
# ## Question 4 · Which number would you report?
#
# Five people report an accuracy on the same set with the same model. Some patients have several images, and some images
# are in the set twice. Each person says what was set aside for the test, what was done about copies, and which figure is
# reported.

# %%
q4.sample()

# %% [markdown]
# Write `believable`. It gets such a table and returns the letter of the one report whose number tells you what to expect
# on a patient that the model has not seen. Each check shows other tables, so a letter alone is of no use: write down the
# rule by which you choose.


# %% tags=["answer"]
def believable(reports):
    """The letter of the report to believe."""
    letter = None
    ### BEGIN SOLUTION
    whole = reports["set aside"] == "whole patients"
    together = reports["copies"] == "kept together"
    letter = reports.index[whole & together & (reports["figure"] != "the best of twenty seeds")][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(believable)

# %% [markdown]
# ## Question 5 · In your own words
#
# In a set of 2,000 radiographs the patient is known for 700. You have split it by `group` as above, and `is_disjoint`
# returns `True`. Write the two or three sentences about the split for the report: what was done, what has been shown,
# and **what has not**.
#
# *Rubric, 3 points, marked by hand: one for the unit of the split (patients and copies kept together, and when); one
# for naming what the proof covers (known patients and files); one for saying that two images of an unnamed patient may
# be on both sides, and in which direction this would move the result.*

# %% [markdown] tags=["written"] name="limits" points=3
# ### BEGIN SOLUTION
# Images were grouped by patient, where the patient is named, and by near-duplicate; whole groups were then assigned to
# train and test, stratified by class. No named patient and no file is on both sides. For 1,300 of the 2,000 images the
# patient is not named: images of one such person may be on both sides unnoticed, which would make the reported accuracy
# too high rather than too low.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
