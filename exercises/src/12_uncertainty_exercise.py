# %% [markdown]
# # 12 · Uncertainty and external validation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 12. No network is trained; the questions
# use tables and scores.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
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
# tables name the file (`image_id`), the hash of its bytes (`sha256`), the `patient`, where known, and the `film`:
# images of the same radiograph have the same entry there, even if contrast or size were changed (found with the
# fingerprints of lesson 04).

# %%
training, table = q1.sample()
print(f"{len(training)} training images; {len(table)} offered as external")
table.head()

# %% [markdown]
# Write `external_rows`. It returns the rows of `table` on which the model may be validated: all rows that are new to
# it, and no others. An image without a known match counts as new.


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
# from another one. Each patient has several images. The report needs the **sensitivity** for `covid` internally and
# externally, at a threshold that reaches a sensitivity of 0.9 (see `pick`), each with a 95 % interval that accounts for
# the sampling of patients.

# %%
validation, internal, external = q2.sample()
print(len(validation), len(internal), len(external), "images")
external.head()


# %%
def pick(rows, wanted=0.9):
    """The highest threshold at which these rows have at least the wanted sensitivity."""
    ill = np.sort(rows.loc[rows["label"] == "covid", "p_covid"])[::-1]
    return ill[int(np.ceil(wanted * len(ill))) - 1]


def interval(found, units, times=2000):
    """Low and high of the share found, when whole units are resampled."""
    number, names = pd.factorize(np.asarray(units))
    draw = np.random.default_rng(0).multinomial(len(names), np.ones(len(names)) / len(names), times)
    weights = draw[:, number]
    return np.quantile((weights * np.asarray(found)).sum(1) / weights.sum(1), [0.025, 0.975])


# %% [markdown]
# Write `report`. It returns `{"internal": (value, low, high), "external": (value, low, high)}`. An image is called
# positive if its score reaches the threshold (≥). Which rows go into `pick`, and which column gives the `units`?


# %% tags=["answer"]
def report(validation, internal, external):
    """Sensitivity for covid with its interval, internal and external."""
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
# A gate gives each input a score: the higher, the less it resembles the training images. You have the scores of
# held-out clean images and of a hundred unsuitable inputs that were collected. Your hospital accepts that one clean
# image in twenty is rejected.

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
# ## Question 4 · Abstention and the ill patients
#
# A model answers an image if its `confidence` reaches a cut (≥), and leaves it to a person otherwise. The table has
# `predicted` for all images, because the model computed it for all; but below the cut the answer was not reported.

# %%
answers, cut = q4.sample()
print(f"cut {cut}, {len(answers)} images")
answers.head()

# %% [markdown]
# Write `abstaining`. It returns `{"found": ..., "left": ...}`, two shares **of all who are ill** (`label` is `covid`):
# those found by the model, and those left to a person.


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
# Prediction sets with a nominal coverage of 0.9 were calibrated on the validation images of hospital 1. On its test
# images they contain the true class in 0.91 (0.86-0.95, n = 180 images of 120 patients). At hospital 2 it is 0.58
# (0.47-0.69, n = 75 images of 49 patients), and the input gate rejected none of these 75. A colleague recomputes the
# limit *from these 75 images*, scores the same 75, finds 0.91, and writes: "The coverage also holds at hospital 2, and
# the gate confirms that the model may be used there."
#
# Write the three or four sentences that the report should contain instead.
#
# *Rubric, 3 points, marked by hand: one for both coverages side by side, with interval and n, and for why the coverage
# is lost (hospital 2's images are not exchangeable with the calibration images); one for the colleague's 0.91
# (calibrated on the images it is measured on; calibrate on some patients of hospital 2, test on others); one for the
# gate (it tells whether the input is like the training images, not whether the model is right on it).*

# %% [markdown] tags=["written"] name="promise" points=3
# ### BEGIN SOLUTION
# At hospital 1 the sets contained the true class in 0.91 of cases (0.86-0.95, 180 images of 120 patients), close to the
# nominal 0.9; at hospital 2 in 0.58 (0.47-0.69, 75 images of 49 patients). The nominal coverage holds for images like
# those of the calibration, and those of hospital 2 differ. A limit computed from the same 75 images covers about 0.9 of
# them by construction and says nothing about new patients there; to adapt the sets, some patients of hospital 2 have to
# be set apart for calibration, and coverage and set size measured on others. That the gate rejected none shows that the
# inputs look like chest radiographs to it; it is no evidence that the model is right on them.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
