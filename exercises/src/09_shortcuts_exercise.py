# %% [markdown]
# # 09 · Shortcuts: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four decisions, each with a check that answers, and one question to be answered in words. They follow lesson 09.
#
# **How it works.** Write your answer where it says so, run the cell, then the one below it. `q1.check(...)` runs your
# answer on fresh data, with other names each time, and says what it found. `q1.hint()` goes one step further each
# time you call it. You may check as often as you like.
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
# At this hospital the ill wear a marker on the film. Somebody hands you a trained model and the test films, each in two
# versions: with the marker and without it. `model(films)` gives one score per film, high for ill. (Films of 28 × 28
# pixels, drawn by dice, so that the check is quick.)

# %%
model, with_marker, without, ill = q1.sample()
as_they_came = np.where(ill[:, None, None], with_marker, without)
print(f"{len(ill)} films, {ill.sum()} of them ill")
print(f"AUC on the films as they came: {roc_auc_score(ill, model(as_they_came)):.3f}")

# %% [markdown]
# Write `uses_marker`. It returns `True` where the model's ranking of ill against well hangs on the marker, `False` where
# it does not. Say that it hangs on the marker where its AUC changes by more than 0.1.
#
# The decision is yours: the AUC on which films, compared with the AUC on which others? The check hands you several models:
# good and poor ones, honest ones and others.


# %% tags=["answer"]
def uses_marker(model, with_marker, without, ill):
    """True where the ranking of ill against well hangs on the marker."""
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
# ## Question 2 · A repair that repairs
#
# Now the films before any training. `letters` is a mask: `True` where a letter of the marker stands. `ill` says who is
# ill, `train` which films are for training (the others are the test).

# %%
films, letters, ill, train = q2.sample()
wears = letters.any(axis=(1, 2))
pd.crosstab(np.where(ill, "ill", "well"), np.where(wears, "marker", "no marker"))

# %% [markdown]
# Write `repair`. It returns the films with places blacked out (set to 0), so that no letter is left on any film, and so
# that a network can learn nothing from *what you did*. Change nothing else, and leave at least 60 % of the pixels as
# they are.
#
# The decision is yours: which places, on which films? You need not use all the arguments.


# %% tags=["answer"]
def repair(films, letters, ill, train):
    """The films without letters."""
    answer = None
    ### BEGIN SOLUTION
    answer = audit.masked(films, letters.any(axis=0))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(repair)

# %% [markdown]
# ## Question 3 · A figure that no style can lift
#
# No letters this time. A model has scored films of five hospitals. They differ in style, and in how many of their
# patients are ill.

# %%
scored = q3.sample()
print(f"AUC over all films: {roc_auc_score(scored['ill'], scored['score']):.3f}")
scored.groupby("source").agg(films=("ill", "size"), ill=("ill", "mean"), score=("score", "mean"))

# %% [markdown]
# You cannot retrain the model and have no other films. Write `auc_within`: one number that the style of a hospital cannot
# lift. Form an AUC from pairs within one hospital only, for each hospital, and take the plain mean. A hospital with only
# ill or only well films has no such pair: leave it out.


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
# ## Question 4 · Whose number speaks of lungs?
#
# Five teams work on films of two hospitals, North and South. Unless they say otherwise, they take COVID films from North,
# which stamps letters on them, and all others from South. All keep patients whole.
#
# | | what the team did | AUC |
# |---|---|---|
# | A | 4,000 films, five folds by patient | 0.98 (0.97-0.98) |
# | B | cut out the lungs along their outline, trained and tested on those | 0.96 (0.94-0.97) |
# | C | collected films of ill and well from both hospitals; AUC within each, averaged | 0.81 (0.76-0.85) |
# | D | blacked out North's letters on the training films; tested on the films as they come | 0.95 (0.93-0.97) |
# | E | trained on whole films; a random forest on the frame alone had found nothing (0.52) | 0.97 (0.96-0.98) |
#
# Whose number could *not* have been reached by a model that knows the hospital and nothing else?

# %% tags=["answer"]
believable = None  # one letter in quotes
### BEGIN SOLUTION
believable = "C"
### END SOLUTION

# %% tags=["check"]
q4.check(believable)

# %% [markdown]
# ## Question 5 · In your own words
#
# A student report reads: "Our network reaches an AUC of 0.97 (0.95-0.98) on 800 held-out films. COVID films are from a
# public collection of adults, normal films from a children's hospital. We cropped all films to the lungs to exclude
# artefacts." Write three or four sentences for the discussion: what the number shows, what it does not, why the crop
# does not settle it, and **one experiment that could**, with the result that would worry you.
#
# *Rubric, 4 points, marked by hand: one for what is shown (the two collections can be told apart); one for a shortcut
# that survives the crop (age, style of the source), named; one for an experiment that can be done (such as adults
# without COVID from the same collection, or a reversed test set); one for saying which result would speak against the
# network.*

# %% [markdown] tags=["written"] name="discussion" points=4
# ### BEGIN SOLUTION
# The network tells the films of the two collections apart. Whether it sees COVID is not shown: every COVID film is of an
# adult and comes from one collection, every normal film of a child from another, in training and test alike. The crop
# removes letters and edges, but ribs, proportions and the grey levels within the lungs still tell age and source. We
# would score the network on films of adults without COVID from the same collection: if it calls most of them COVID, so
# that the AUC against the COVID films falls towards 0.5, it had learnt the collection or the age and not the disease.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
