# %% [markdown]
# # 12 · Uncertainty and external validation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 12. Three use tables of images and scores;
# in one you build a gate with scikit-learn.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
#
# **Time.** 50 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from cxr_helpers import plots
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
# ## Question 3 · Build the gate
#
# Small images as rows of 64 grey levels from 0 to 1, in four sets: `train`, from which to learn what is usual;
# `held_out`, other clean images; `wrong`, sixty unsuitable inputs that somebody collected; `new`, what comes in.

# %%
train, held_out, wrong, new = q3.sample()
sets = {"train": train, "held_out": held_out, "wrong": wrong, "new": new}
print({name: rows.shape for name, rows in sets.items()})

# %%
some = [(rows[k].reshape(8, 8), name) for name, rows in sets.items() for k in range(6)]
plots.montage(*zip(*some), columns=6, title="Six images of each set")

# %% [markdown]
# Write `gate`, with scikit-learn. It returns `True` for each row of `new` that is rejected, else `False`:
#
# - it learns what is usual, such as the 20 main patterns of images (`PCA(20)`);
# - each image gets a score: the mean square of what these patterns cannot rebuild;
# - an image is rejected if its score is above a limit, and the hospital accepts that this happens to one clean image in
#   twenty.
#
# You decide which images each step may use. Not every set is needed.


# %% tags=["answer"]
def gate(train, held_out, wrong, new):
    """True for each row of new that is rejected."""
    answer = None

    ### BEGIN SOLUTION
    usual = PCA(20, random_state=0).fit(train)

    def score(rows):
        return ((rows - usual.inverse_transform(usual.transform(rows))) ** 2).mean(axis=1)

    answer = score(new) > np.quantile(score(held_out), 0.95)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(gate)

# %% [markdown]
# ## Question 4 · What happened there?
#
# One frozen model, with its threshold, tested at home (`internal`) and at five other hospitals, A to E. Below is each
# one's histogram of scores, of the ill and of the others, with the threshold.

# %%
internal, hospitals, threshold = q4.sample()
figure, panels = plt.subplots(2, 3, figsize=(9, 5), sharex=True, layout="constrained")
for axes, (name, table) in zip(panels.flat, ({"internal": internal} | hospitals).items()):
    for ill, colour, hatch in ((False, "#0072B2", None), (True, "#D55E00", "//")):
        scores = table.loc[table["ill"] == ill, "score"]
        look = {"color": colour, "hatch": hatch, "alpha": 0.6, "edgecolor": "white"}
        axes.hist(scores, np.linspace(0, 1, 21), label="ill" if ill else "others", **look)
    axes.axvline(threshold, color="black", linestyle="--", label="threshold")
    axes.set(title=name, xlabel="score")
for axes in panels[:, 0]:
    axes.set_ylabel("images")
figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plots.show(figure, "Six histograms: internal and A to E. The table below has them in numbers.")

# %% [markdown]
# The same in numbers: how many of the ill and of the others have a score in each fifth of the scale.

# %%
rows = pd.concat({"internal": internal} | hospitals, names=["where"]).reset_index("where")
fifth = pd.cut(rows["score"], np.linspace(0, 1, 6))
pd.crosstab([rows["where"], rows["ill"]], fifth)

# %% [markdown]
# Which is which? Decide for each hospital before you write a line of code:
#
# - `"nothing"`: as at home, but for chance
# - `"scores moved"`: patients are ranked as well as at home, but the threshold is in the wrong place (choose it anew, on
#   some patients of that hospital)
# - `"other share of ill"`: only the share of the ill is another one (compute PPV and NPV anew)
# - `"ranking lost"`: the scores hardly tell the ill from the others (no threshold helps)
# - `"classes swapped"`: the order is reversed (look for the coding of the labels, or for inverted images)
#
# Now write `happened`: your way of telling, so that it works for other models and hospitals. It returns one of the five.
# Each check draws ten other pairs of 400 images.


# %% tags=["answer"]
def happened(internal, external, threshold):
    """One of the five, from test images with columns ill and score."""
    word = None

    ### BEGIN SOLUTION
    def figures(table):
        called, ill = table["score"] >= threshold, table["ill"]
        return roc_auc_score(ill, table["score"]), called[ill].mean(), called[~ill].mean()

    auc, found, alarms = figures(internal)
    auc_there, found_there, alarms_there = figures(external)
    if auc_there < 0.4:
        word = "classes swapped"
    elif auc_there < auc - 0.1:
        word = "ranking lost"
    elif max(abs(found - found_there), abs(alarms - alarms_there)) > 0.1:
        word = "scores moved"
    elif abs(internal["ill"].mean() - external["ill"].mean()) > 0.1:
        word = "other share of ill"
    else:
        word = "nothing"
    ### END SOLUTION
    return word


# %% tags=["check"]
q4.check(happened)

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
