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
from sklearn.metrics import roc_auc_score

from cxr_helpers import audit
from cxr_helpers.checks.lesson09 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Ask the model
#
# At this hospital the images of ill patients carry a marker. You get a trained model and the test images, each in two
# versions: with the marker and without it. `model(images)` gives one score per image, high for ill. (The images are
# random, 28 × 28 pixels, so that the check is quick.)

# %%
model, with_marker, without, ill = q1.sample()
as_received = np.where(ill[:, None, None], with_marker, without)
print(f"{len(ill)} images, {ill.sum()} of them ill")
print(f"AUC on the images as received: {roc_auc_score(ill, model(as_received)):.3f}")

# %% [markdown]
# Write `uses_marker`. It returns `True` if the model's ranking of ill against well depends on the marker, and `False`
# if it does not. It depends on the marker if its AUC changes by more than 0.1.
#
# You decide: the AUC on which images, compared with the AUC on which others? The check uses several models, good and
# poor ones, some of which use the marker.


# %% tags=["answer"]
def uses_marker(model, with_marker, without, ill):
    """True if the ranking of ill against well depends on the marker."""
    answer = None
    ### BEGIN SOLUTION
    worn_by_ill = np.where(ill[:, None, None], with_marker, without)
    worn_by_well = np.where(ill[:, None, None], without, with_marker)
    before = roc_auc_score(ill, model(worn_by_ill))
    answer = before - roc_auc_score(ill, model(worn_by_well)) > 0.1
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(uses_marker)

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
# ## Question 3 · An AUC that the hospital's style cannot raise
#
# No letters this time. A model has scored images from five hospitals. The hospitals differ in image style and in the
# share of ill patients.

# %%
scored = q3.sample()
print(f"AUC over all images: {roc_auc_score(scored['ill'], scored['score']):.3f}")
scored.groupby("source").agg(images=("ill", "size"), ill=("ill", "mean"), score=("score", "mean"))

# %% [markdown]
# You cannot retrain the model and have no other images. Write `auc_within`: one number that the style of a hospital
# cannot raise. Compute the AUC within each hospital and take the plain mean. A hospital with only ill or only well
# images has no AUC: leave it out.


# %% tags=["answer"]
def auc_within(table):
    """Mean of the AUCs within the hospitals that have both ill and well."""
    answer = None
    ### BEGIN SOLUTION
    hospitals = [rows for _, rows in table.groupby("source") if rows["ill"].nunique() == 2]
    answer = np.mean([roc_auc_score(rows["ill"], rows["score"]) for rows in hospitals])
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(auc_within)

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
