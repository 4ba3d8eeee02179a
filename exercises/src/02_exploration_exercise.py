# %% [markdown]
# # 02 · Exploration: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 02.
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
import seaborn as sns
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cxr_helpers import evaluate, plots
from cxr_helpers.checks.lesson02 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · How much is known before an image is opened?
#
# This table describes (invented) files of 60 patients before any image has been opened. `seconds` is the time of day at
# which the patient was registered. In one column the two classes differ so much that a network could use it as a
# shortcut.

# %%
table = q1.sample()
print(table["label"].value_counts().to_dict(), "of", table["patient"].nunique(), "patients")
table.head()

# %%
print(table["format"].value_counts().to_dict())
print(table["mode"].value_counts().to_dict())
print(table["machine"].value_counts().to_dict())

# %% [markdown]
# Lesson 02 asked what file properties tell, each image scored by a model of the other folds. Write that with
# scikit-learn: `without_images` gets such a table and the names of some of its columns, and returns one score for each
# row, higher where the model thinks of COVID.
#
# - The model sees the given columns and nothing else. Some hold words, some hold numbers (`select_dtypes` tells them
#   apart), and a rare word may occur in one fold only.
# - Each row is scored by a model that was fitted on **other patients**.
# - Whatever is computed from rows belongs into the pipeline. A model that draws random numbers gets a fixed seed.


# %% tags=["answer"]
def without_images(table, columns):
    """One score for each row, from models that were fitted on other patients."""
    scores = None
    ### BEGIN SOLUTION
    words = table[columns].select_dtypes(exclude="number").columns
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), remainder=StandardScaler()
        ),
        LogisticRegression(),
    )
    scores = cross_val_predict(
        model,
        table[columns],
        table["label"] == "covid",
        groups=table["patient"],
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]
    ### END SOLUTION
    return scores


# %% tags=["check"]
q1.check(without_images)

# %% [markdown]
# This is what you have built: which of the columns should a reader of this set be warned of?

# %%
names = ["format", "mode", "machine", "width", "seconds", "bytes"]
scores = {name: without_images(table, [name]) for name in names}
for name in names:
    if scores[name] is not None:
        auc = roc_auc_score(table["label"] == "covid", scores[name])
        print(f"{name:8} AUC {auc:.2f} of {len(table)} images")

# %% [markdown]
# ## Question 2 · What does the difference come from?
#
# Five collections, each with the images of two hospitals. Every point is an image; bars are means. *both* shows all
# images of the collection once more. Each time you run the cell it draws another figure, with another number and other
# letters.

# %%
figure, panels = q2.sample()
sides = {"normal": plots.class_colour("normal"), "covid": plots.class_colour("covid")}
picture, axes = plt.subplots(1, 5, figsize=(12, 3.6), sharey=True, layout="constrained")
for panel, (letter, rows) in zip(axes, panels.items()):
    shown = pd.concat([rows, rows.assign(hospital="both")])
    what = {"data": shown, "x": "hospital", "y": "grey", "hue": "label", "hue_order": list(sides)}
    what |= {"palette": sides, "dodge": 0.4, "ax": panel}
    sns.stripplot(**what, size=3, alpha=0.6, legend=letter == "A")
    sns.pointplot(**what, errorbar=None, linestyle="none", marker="_", markersize=18, legend=False)
    panel.set(title=letter, xlabel="", ylabel="mean grey level of an image")
picture.suptitle(f"Figure {figure}")
plots.show(
    picture, f"Figure {figure}: grey levels of five collections; in numbers in the next table."
)

# %% [markdown]
# The same in numbers: the mean grey level and the number of images.

# %%
rows = pd.concat(
    {letter: pd.concat([t, t.assign(hospital="both")]) for letter, t in panels.items()}
)
rows = rows.rename_axis(["panel", None]).reset_index("panel")
rows.groupby(["panel", "hospital", "label"], sort=False)["grey"].agg(["mean", "size"]).round(1)

# %% [markdown]
# | word | what the two classes differ by |
# |---|---|
# | `disease` | the classes differ, in each hospital and together |
# | `hospital` | they differ together, because the hospitals differ and one has more COVID; within each they do not |
# | `masked` | they differ within each hospital, and together the hospitals hide it |
# | `either` | they differ together, and nobody can tell from these images whether by hospital or by disease |
# | `none` | they do not differ, neither together nor within a hospital |
#
# Fill in the number of *your* figure, and a word for each letter: each word is true of one panel. All five count together.
# A figure that was answered wrongly does not count again: run its cell, and the next one is drawn. (Marked is what
# you write here, with its number.)

# %% tags=["answer"]
comes_from = {"figure": None, "A": None, "B": None, "C": None, "D": None, "E": None}
### BEGIN SOLUTION
comes_from = {
    "figure": 31415,
    "A": "either",
    "B": "hospital",
    "C": "disease",
    "D": "masked",
    "E": "none",
}
### END SOLUTION

# %% tags=["check"]
q2.check(comes_from)

# %% [markdown]
# ## Question 3 · Which report shows a shortcut?
#
# Five people each looked the label up in one column of a set of theirs, as Step 2 of the lesson did: the most frequent
# label of each value. They report the images that they scored, how many labels were right, and the share of the
# largest class among them.

# %%
q3.sample()

# %% [markdown]
# Write `shows_a_shortcut`. It gets such a table and returns the letter of the one report that shows that the column gives
# the label of *new patients* away. Each check shows other tables, so a letter alone is of no use: write down the rule by
# which you choose. `evaluate.wilson(right, images)` returns the lower and the upper end of the interval of a share.


# %% tags=["answer"]
def shows_a_shortcut(reports):
    """The letter of the report that shows a shortcut."""
    letter = None
    ### BEGIN SOLUTION
    low = [evaluate.wilson(k, n)[0] for k, n in zip(reports["right"], reports["images"])]
    clear = (low > reports["largest class"]) & (reports["looked up in"] == "other patients")
    letter = reports.index[clear][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q3.check(shows_a_shortcut)

# %% [markdown]
# ## Question 4 · Whose left?
#
# Phantoms with an opacity (haze) in one lung. A mirrored copy of each image was added "to have more data", without a
# record of which ones are the copies. For each image there are three masks (boolean arrays, one value per pixel): the
# haze, the heart, and both lungs. The upper row outlines the haze, the lower row the heart.

# %%
phantoms = q4.sample()[:4]
plots.montage(
    [phantom["image"] for phantom in phantoms] * 2,
    [f"{number}, {what}" for what in ("haze", "heart") for number in range(1, 5)],
    columns=4,
    masks=[phantom[what] for what in ("haze", "heart") for phantom in phantoms],
    title="Four phantoms, some of them mirrored",
)

# %% [markdown]
# Write `patient_side`. It returns `"left"` or `"right"`: the side of the *patient* in which the haze lies. (All of
# these phantoms have their heart where most people have it. In about one person in 10,000 it is the other way round;
# that is why a real radiograph carries a letter.)


# %% tags=["answer"]
def patient_side(haze, heart, lungs):
    """Side of the patient, "left" or "right", in which the haze lies; three masks."""
    answer = None
    ### BEGIN SOLUTION
    haze, heart, middle = (np.nonzero(mask)[1].mean() for mask in (haze, heart, lungs))
    answer = "left" if (haze > middle) == (heart > middle) else "right"
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(patient_side)

# %% [markdown]
# ## Question 5 · In your own words
#
# On a complete real set, test images included, you ask your function of question 1 about each column. With `format`
# alone it is right for 88 % of the images of other patients (the largest class: 60 %). A colleague's network has an accuracy of 0.90 on
# the same set. Write the paragraph that you send to the colleague: what you found, what it means for the 0.90, what you
# may now do with this knowledge, and what you may **not** do, because you have looked at the test images.
#
# *Rubric, 3 points, marked by hand: one for the finding with its numbers and its cause (how the set was collected, not
# the disease); one for the meaning (0.90 is hardly more than 0.88 without any image: it does not show that the lungs
# were used, nor that they were not); one for the use (report it, judge the test by it, collect or compare within one
# format; no crop, threshold or model chosen by the test images, no test image removed).*

# %% [markdown] tags=["written"] name="found_on_all" points=3
# ### BEGIN SOLUTION
# On your set the file's format alone tells the class of unseen images in 88 % of all cases, where the largest class has
# 60 %. No disease changes a file's format: the classes were collected from different sources. What else differs between
# these sources, such as compression, machine or age, is in the pixels, and your network sees it. So 0.90 is hardly more
# than what can be predicted without the lungs. It does not prove that your network uses the source, but it cannot show
# that it reads the disease. Put the 88 % beside the 0.90 in the report, and compare the classes within one format, if
# there are enough images. I found this with the test images included. That is right for judging the test and for
# warning the reader; but if you now crop, convert or choose another model, decide it on the training and validation
# images, and leave every test image in.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
