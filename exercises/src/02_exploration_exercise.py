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
import numpy as np
import pandas as pd

from cxr_helpers import evaluate, plots
from cxr_helpers.checks.lesson02 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · The column that gives the label away
#
# This table describes 400 (invented) files before any image has been opened. In one column the two classes differ so
# much that a network could use it as a shortcut.

# %%
table = q1.sample()
print(table["label"].value_counts().to_dict())
table.head()

# %% [markdown]
# A look-up, as in the lesson: it predicts the most frequent label of each value. It learns from the table `known` and
# is scored on the table `asked`.


# %%
def lookup_accuracy(known, asked, column):
    """Share of `asked` whose label is the most frequent one for their value in `known`."""
    answers = known.groupby(column)["label"].agg(lambda labels: labels.mode()[0])
    guesses = asked[column].map(answers).fillna(known["label"].mode()[0])  # a value never seen
    return (guesses == asked["label"]).mean()


# %% [markdown]
# Write `giveaway`. It returns the name of the column that would predict the label of **further images of this
# collection** best. The column may differ from table to table. You may use `lookup_accuracy`, or anything else.


# %% tags=["answer"]
def giveaway(table):
    """Name of the column that gives the label away."""
    answer = None
    ### BEGIN SOLUTION
    known = table.sample(frac=0.5, random_state=0)
    asked = table.drop(known.index)
    columns = [name for name in table if name != "label"]
    answer = max(columns, key=lambda name: lookup_accuracy(known, asked, name))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(giveaway)

# %% [markdown]
# ## Question 2 · A difference and its spread
#
# Four measurements of 400 images, each in its own unit. Some take a lot of work and were made for a few images only;
# the other values are missing (`NaN`).

# %%
measured = q2.sample()
measured.groupby("label").agg(["mean", "count"]).T.round(2)

# %% [markdown]
# Take one image of each class: how well does a measurement tell them apart? Write `most_telling`. It returns the names
# of the four measurements as a list, from the one whose values overlap least between the classes to the one whose
# values overlap most.


# %% tags=["answer"]
def most_telling(table):
    """Names of the measurements, the one that separates the classes best first."""
    answer = None
    ### BEGIN SOLUTION
    classes = table.groupby("label")
    gap = classes.mean().diff().iloc[-1].abs()
    spread = np.sqrt(classes.var().mean())
    answer = (gap / spread).sort_values(ascending=False).index.tolist()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(most_telling)

# %% [markdown]
# ## Question 3 · A percentage and its n
#
# Some hospitals of a large set, with the number of images and how many of them are COVID. Where is COVID *more*
# frequent than in the whole set? There the hospital's name alone helps to predict the label.

# %%
hospitals, share = q3.sample()
print(f"share of COVID in the whole set: {share:.1%}")
hospitals.assign(percent=(100 * hospitals["covid"] / hospitals["images"]).round(1))

# %% [markdown]
# Write `clearly_above`. It returns the names of the hospitals for which you would report this: with the share of the
# whole set, chance alone would hardly give such numbers. This is the interval of a share, as in the lesson:

# %%
low, high = evaluate.wilson(7, 10)
print(f"7 of 10: 70 %, interval {low:.0%} to {high:.0%}")


# %% tags=["answer"]
def clearly_above(table, share):
    """Names of the hospitals whose share of COVID is above the given one, by more than chance."""
    answer = None
    ### BEGIN SOLUTION
    low = [evaluate.wilson(k, n)[0] for k, n in zip(table["covid"], table["images"])]
    answer = table["hospital"][np.array(low) > share].tolist()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(clearly_above)

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
# On a complete real set, test images included, your function of question 1 returned `format`: a look-up by file format
# alone is right for 88 % of unseen images (the largest class: 60 %). A colleague's network has an accuracy of 0.90 on
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
