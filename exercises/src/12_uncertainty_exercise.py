# %% [markdown]
# # 12 · Uncertainty and external validation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four decisions, each with a check that answers, and one question to be answered in words. They follow lesson 12. No
# network is trained: all you need are tables and scores.
#
# **How it works.** Write your answer where it says so, run the cell, then the one below it. `q1.check(...)` runs your
# answer on fresh data, with other names each time, and says what it found. `q1.hint()` goes one step further each
# time you call it. You may check as often as you like.
#
# **Time.** 45 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np
import pandas as pd

from cxr_helpers.checks.lesson12 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Is it external?
#
# A model was trained on the images of `training`. A collection called *external* is offered for its validation. Both
# tables name the file (`image_id`), the hash of its bytes (`sha256`), the `patient`, where known, and the `film`: images
# that show the same radiograph have the same entry there, whatever was done to contrast or size (the fingerprints of
# lesson 04 found that out).

# %%
training, table = q1.sample()
print(f"{len(training)} training images; {len(table)} offered as external")
table.head()

# %% [markdown]
# Write `external_rows`. It returns the rows of `table` on which the model may be validated: those that are new to it,
# and no others. An image about which nothing is known counts as new.


# %% tags=["answer"]
def external_rows(training, table):
    """The rows of table that are new to a model trained on training."""
    answer = None
    ### BEGIN SOLUTION
    known_film = table["film"].isin(training["film"])
    known_person = table["patient"].isin(training["patient"].dropna())
    answer = table[~known_film & ~known_person]
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(external_rows)

# %% [markdown]
# ## Question 2 · Side by side
#
# One model, three tables of its scores: `validation` and `internal` come from the hospital that trained it, `external`
# from another one. Each patient has several films. The report wants the **sensitivity** for `covid` at home and
# elsewhere, at a threshold that reaches a sensitivity of 0.9 (see `pick`), each with a 95 % interval for other patients.

# %%
validation, internal, external = q2.sample()
print(len(validation), len(internal), len(external), "films")
external.head()


# %%
def pick(rows, wanted=0.9):
    """The highest threshold at which these rows have at least the wanted sensitivity."""
    ill = np.sort(rows.loc[rows["label"] == "covid", "p_covid"])[::-1]
    return ill[int(np.ceil(wanted * len(ill))) - 1]


def interval(found, units, times=2000):
    """Low and high of the share found, when whole units are drawn anew."""
    number, names = pd.factorize(np.asarray(units))
    draw = np.random.default_rng(0).multinomial(len(names), np.ones(len(names)) / len(names), times)
    weights = draw[:, number]
    return np.quantile((weights * np.asarray(found)).sum(1) / weights.sum(1), [0.025, 0.975])


# %% [markdown]
# Write `report`. It returns `{"internal": (value, low, high), "external": (value, low, high)}`. An image is called
# positive if its score reaches the threshold (≥). Which rows go into `pick`, and which column are the `units`?


# %% tags=["answer"]
def report(validation, internal, external):
    """Sensitivity for covid with its interval, at home and elsewhere."""
    answer = {"internal": None, "external": None}
    ### BEGIN SOLUTION
    threshold = pick(validation)
    for name, rows in {"internal": internal, "external": external}.items():
        ill = rows[rows["label"] == "covid"]
        found = ill["p_covid"] >= threshold
        answer[name] = (found.mean(), *interval(found, ill["patient"]))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(report)

# %% [markdown]
# ## Question 3 · The gate's limit
#
# A gate gives each input a score; the higher, the less it is like the training images. You have the scores of held-out
# clean images, and those of a hundred unsuitable inputs that somebody collected. Your hospital has agreed that one clean
# image in twenty may be rejected.

# %%
clean, wrong = q3.sample()
print(f"{len(clean)} clean: median {np.median(clean):.2f}, highest {clean.max():.2f}")
print(f"{len(wrong)} unsuitable: median {np.median(wrong):.2f}, lowest {wrong.min():.2f}")

# %% [markdown]
# Write `gate_limit`. It returns one number; an input is rejected if its score lies **above** it.


# %% tags=["answer"]
def gate_limit(clean, wrong):
    """The limit above which an input is rejected."""
    answer = None
    ### BEGIN SOLUTION
    answer = np.quantile(clean, 0.95)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(gate_limit)

# %% [markdown]
# ## Question 4 · What became of the ill
#
# A model answers an image if its `confidence` reaches a cut (≥), and leaves it to a person otherwise. The table holds
# `predicted` for all images, because the model computed it for all; but below the cut nobody was told.

# %%
answers, cut = q4.sample()
print(f"cut {cut}, {len(answers)} images")
answers.head()

# %% [markdown]
# Write `abstaining`. It returns `{"found": ..., "left": ...}`, two shares **of all who are ill** (`label` is `covid`):
# those whom the model found, and those who were left to a person.


# %% tags=["answer"]
def abstaining(table, cut):
    """Shares of the ill: found by the model, and left to a person."""
    answer = {"found": None, "left": None}
    ### BEGIN SOLUTION
    ill = table[table["label"] == "covid"]
    answered = ill["confidence"] >= cut
    found = answered & (ill["predicted"] == "covid")
    answer = {"found": found.mean(), "left": (~answered).mean()}
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(abstaining)

# %% [markdown]
# ## Question 5 · In your own words
#
# Prediction sets with a promised coverage of 0.9 were calibrated on the validation images of hospital 1. On its test
# images they hold the truth in 0.91 (0.86-0.95, n = 180 films of 120 patients). At hospital 2 it is 0.58 (0.47-0.69, n =
# 75 films of 49 patients), and the input gate rejected none of these 75. A colleague computes the limit anew *from these
# 75 films*, scores the same 75, finds 0.91, and writes: "The promise holds at hospital 2 as well, and the gate confirms
# that the model may be used there."
#
# Write the three or four sentences that should stand in the report instead.
#
# *Rubric, 3 points, marked by hand: one for both coverages side by side, with interval and n, and for why the promise
# lapsed (hospital 2's images are not exchangeable with the calibration images); one for the colleague's 0.91 (calibrated
# on the images it is judged by; calibrate on some patients of hospital 2, test on others); one for the gate (it tells
# whether the input is like the training images, not whether the model is right on it).*

# %% [markdown] tags=["written"] name="promise" points=3
# ### BEGIN SOLUTION
# At hospital 1 the sets held the truth in 0.91 of cases (0.86-0.95, 180 films of 120 patients), as promised; at hospital
# 2 in 0.58 (0.47-0.69, 75 films of 49 patients). The promise is for images like those of the calibration, and those of
# hospital 2 are not. A limit computed from the same 75 films covers about 0.9 of them by construction and says nothing
# about new patients there; to adapt the sets, some patients of hospital 2 have to be set apart for calibration, and
# coverage and set size measured on others. That the gate rejected none shows that the inputs look like chest
# radiographs to it; it is no evidence that the model is right on them.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
