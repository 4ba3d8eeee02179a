# %% [markdown]
# # 09 · Shortcuts: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 09.
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

from cxr_helpers import audit, plots
from cxr_helpers.checks.lesson09 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · What does each network read?
#
# At this hospital the ill wear a word, as in the lesson. Five networks, A to E, were trained there. Each was asked about
# the same 240 test images four times: as taken (the ill wear the word), with the word removed, worn at random, and
# reversed (the others wear it). The figure shows their AUC with its 95 % interval. (The scores are invented, the AUCs
# and intervals computed from them.)

# %%
from matplotlib import pyplot as plt

chart = q1.sample()
worlds = ["as taken", "removed", "random", "reversed"]
figure, panels = plt.subplots(1, 5, figsize=(9, 3), sharey=True, layout="constrained")
for axes, (letter, rows) in zip(panels, chart.groupby("network")):
    rows = rows.set_index("test set").loc[worlds]
    axes.axhline(0.5, color="0.6", lw=0.8)
    axes.vlines(range(4), rows["low"], rows["high"], color="0.5")
    axes.plot(range(4), rows["AUC"], "o", color="#0072B2")
    axes.set_xticks(range(4), worlds, rotation=90)
    axes.set(title=letter, ylim=(-0.03, 1.03), xlim=(-0.5, 3.5))
panels[0].set_ylabel("AUC (grey line: guessing)")
plots.show(
    figure, "AUC of five networks, A to E, on four test sets: the table below has the numbers."
)

# %% [markdown]
# The same in numbers:

# %%
chart.pivot(index="network", columns="test set", values="AUC")[worlds].round(2)

# %% [markdown]
# Say of each network what it reads: `"disease"`, `"word"`, `"both"` or `"nothing"`. Decide from the figure first. Then
# write down how you decided: `what_it_reads` gets such a chart, with the columns `network`, `test set`, `AUC`, `low` and
# `high`, and returns a dict such as `{"A": "word", ...}`. Each check shows other charts with other letters.


# %% tags=["answer"]
def what_it_reads(chart):
    """What each network reads: {letter: "disease", "word", "both" or "nothing"}."""
    answer = None
    ### BEGIN SOLUTION
    areas = chart.pivot(index="network", columns="test set", values="AUC")
    answer = {}
    for letter, area in areas.iterrows():
        sees_lungs = area["removed"] > 0.7
        if area["as taken"] - area["reversed"] > 0.1:
            answer[letter] = "both" if sees_lungs else "word"
        else:
            answer[letter] = "disease" if sees_lungs else "nothing"
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(what_it_reads)

# %% [markdown]
# ## Question 2 · A repair that works
#
# Now the images before any training. `letters` is a mask: `True` on the pixels of the marker's letters. `ill` says
# which images show the disease, `train` which are for training (the others are the test).

# %%
films, letters, ill, train = q2.sample()
wears = letters.any(axis=(1, 2))
pd.crosstab(np.where(ill, "ill", "well"), np.where(wears, "marker", "no marker"))

# %% [markdown]
# Write `repair`. It returns the images with regions blacked out (set to 0), so that no letter is left in any image and
# a network can learn nothing from *the repair itself*. Change nothing else, and keep at least 60 % of the pixels.
#
# You decide: which regions, in which images? You need not use all arguments.


# %% tags=["answer"]
def repair(films, letters, ill, train):
    """The images without letters."""
    answer = None
    ### BEGIN SOLUTION
    answer = audit.masked(films, letters.any(axis=0))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(repair)

# %% [markdown]
# ## Question 3 · Build the audit
#
# What can be told from a collection *without* the lungs? You get its images (sketches of 8 × 8 pixels), labels, and the
# name of each image's patient. The outer `margin` pixels on each side are the frame.

# %%
images, ill, patients, margin = q3.sample()
print(images.shape, images.dtype, ill[:8], patients[:3], f"margin {margin}")

# %% [markdown]
# Write `frame_scores` in plain scikit-learn, as in Step 5. It returns the probability of label 1 for each image, (n,),
# in the order of the images:
#
# - from the **frame alone**: nothing that was computed from other pixels may reach the model;
# - by a model that knows neither the image nor its patient (five folds, as in lesson 07).
#
# Any classifier will do; give a forest a fixed seed. Before you check, compute the AUC of your scores: would you trust a
# network that was trained on this collection?

# %% tags=["answer"]
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict


def frame_scores(images, ill, patients, margin):
    """Probability of label 1 for each image, from its frame, by a model of other patients."""
    answer = None
    ### BEGIN SOLUTION
    in_frame = np.ones(images.shape[1:], bool)
    in_frame[margin:-margin, margin:-margin] = False
    forest = RandomForestClassifier(50, min_samples_leaf=3, random_state=0)
    folds = StratifiedGroupKFold(5)
    given = cross_val_predict(
        forest, images[:, in_frame], ill, groups=patients, cv=folds, method="predict_proba"
    )
    answer = given[:, 1]
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(frame_scores)

# %% [markdown]
# ## Question 4 · Which result is about the lungs?
#
# Six teams work on images from two hospitals, North and South. North stamps letters on its images. The first two columns
# say how many per cent of the images with COVID, and of the others, are from North; the rest is from South. All teams
# keep each patient's images together.

# %%
q4.sample()

# %% [markdown]
# Write `believable`. It gets such a table and returns the letter of the one study whose AUC could *not* have been reached
# by a model that recognises the hospital and nothing else. Each check shows other tables, so a letter alone is of no use:
# write down the rule by which you choose.


# %% tags=["answer"]
def believable(studies):
    """The letter of the study to believe."""
    letter = None
    ### BEGIN SOLUTION
    within = studies["AUC over"] == "pairs within a hospital"
    balanced = studies["COVID from North"] == studies["others from North"]
    letter = studies.index[within | balanced][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(believable)

# %% [markdown]
# ## Question 5 · In your own words
#
# A student report reads: "Our network reaches an AUC of 0.97 (0.95-0.98) on 800 held-out images. COVID images are from
# a public collection of adults, normal images from a children's hospital. We cropped all images to the lungs to exclude
# artefacts." Write three or four sentences for the discussion: what the number shows, what it does not show, why the
# crop does not answer the question, and **one experiment that could**, with the result that would worry you.
#
# *Rubric, 4 points, marked by hand: one for what is shown (the two collections can be told apart); one for a shortcut
# that survives the crop (age, style of the source), named; one for an experiment that can be done (such as adults
# without COVID from the same collection, or a reversed test set); one for saying which result would speak against the
# network.*

# %% [markdown] tags=["written"] name="discussion" points=4
# ### BEGIN SOLUTION
# The network can tell the images of the two collections apart. It is not shown that it recognises COVID: every COVID
# image shows an adult and comes from one collection, every normal image shows a child and comes from another, in
# training and test alike. The crop removes letters and edges, but ribs, proportions and the grey levels within the
# lungs still reveal age and source. We would score the network on images of adults without COVID from the same
# collection: if it calls most of them COVID, so that the AUC against the COVID images falls towards 0.5, it has learned
# the collection or the age and not the disease.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
