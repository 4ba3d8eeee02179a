# %% [markdown]
# # 07 · Evaluation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 07. No network is
# trained.
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
from matplotlib import pyplot as plt
from sklearn.metrics import roc_auc_score, roc_curve

from cxr_helpers import plots
from cxr_helpers.checks.lesson07 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Five models, one test set each
#
# Five models gave each of their test images a score from 0 to 1. One of them is sound. What happened to the other four
# raised no error. The five letters are assigned at random:
#
# - `"sound"`: a good model, and nothing else;
# - `"shuffled"`: a good model, whose answers are in another order than the labels;
# - `"the same for all"`: a network that learned nothing, and says nearly the share of the ill each time;
# - `"other class"`: a good model, whose probabilities of *not ill* were taken;
# - `"classes only"`: a good model, whose answers were kept as classes, 0 or 1.
#
# Histograms: the ill filled, all others as an outline. Last panel: the ROC curves.

# %%
panels = q1.sample()
figure, places = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
*histograms, roc = places.flat
bins = np.linspace(0, 1, 21)
styles = ["-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2))]
for place, (letter, (ill, score)), style in zip(histograms, panels.items(), styles):
    place.hist(score[ill], bins, color="#D55E00", alpha=0.6)
    place.hist(score[~ill], bins, histtype="step", color="#0072B2", lw=1.5)
    place.set(title=letter, xlabel="score", ylabel="images")
    alarms, found, _ = roc_curve(ill, score)
    roc.plot(alarms, found, linestyle=style, lw=2, label=letter)
figure.suptitle("Filled: ill. Outline: not ill.")
roc.set(title="ROC", xlabel="1 - specificity", ylabel="sensitivity")
roc.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plots.show(figure, "Scores of five models, and their ROC curves. The table below has the numbers.")

# %% [markdown]
# The same in numbers: how many images have a score in each fifth of the scale, and the area under the ROC curve.

# %%
rows = {}
for letter, (ill, score) in panels.items():
    for kind, those in {"ill": ill, "not ill": ~ill}.items():
        counts = np.histogram(score[those], np.linspace(0, 1, 6))[0]
        rows[letter, kind] = [*counts, round(roc_auc_score(ill, score), 2)]
columns = ["0-0.2", "0.2-0.4", "0.4-0.6", "0.6-0.8", "0.8-1", "AUC"]
pd.DataFrame.from_dict(rows, orient="index", columns=columns)

# %% [markdown]
# Say first, by eye, what happened to each model. Then write `diagnose`, which says it for any such model: it gets two
# arrays, `ill` (True or False) and `score`, and returns one of the five names. The check asks about other models.
# Before you check, compare with your eyes: `{letter: diagnose(*panel) for letter, panel in panels.items()}`.


# %% tags=["answer"]
def diagnose(ill, score):
    """What happened to the model that gave these scores."""
    name = None
    ### BEGIN SOLUTION
    auc = roc_auc_score(ill, score)
    if len(np.unique(score)) == 2:
        name = "classes only"
    elif score.std() < 0.05:
        name = "the same for all"
    elif auc > 0.7:
        name = "sound"
    elif auc < 0.3:
        name = "other class"
    else:
        name = "shuffled"
    ### END SOLUTION
    return name


# %% tags=["check"]
q1.check(diagnose)

# %% [markdown]
# ## Question 2 · Every image scored once
#
# A baseline to put beside a network: logistic regression on pixels, with five folds. Each image is scored once, by a
# model of the other folds. (Sketches of 8 × 8 pixels, one to three of each patient; label 1 has a haze.)

# %%
images, labels, patients = q2.sample()
print(images.shape, images.dtype, labels[:8], patients[:4])

# %% [markdown]
# Write `out_of_fold` in plain scikit-learn, so that it says what to expect of *new patients*. It returns the
# probability of label 1 for each image, in the order of the images: an array (n,). The model is a pipeline of
# standardisation and logistic regression (`C=0.01` suits few images).
#
# You decide: which splitter, and what is fitted in each fold? The imports hold all you need. Before you check, call it
# yourself, and compute its AUC with `roc_auc_score`.

# %% tags=["answer"]
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def out_of_fold(images, labels, patients):
    """Probability of label 1 for each image, by a model that knows neither it nor its patient."""
    answer = None
    ### BEGIN SOLUTION
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    folds = StratifiedGroupKFold(5)
    rows = images.reshape(len(images), -1)
    answer = cross_val_predict(
        model, rows, labels, groups=patients, cv=folds, method="predict_proba"
    )[:, 1]
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(out_of_fold)

# %% [markdown]
# ## Question 3 · Which line may stand?
#
# Of 900 test images 60, of 25 patients, show covid. A report has to say, in one line, which share of *new* patients'
# covid images the model finds at its threshold; a sensitivity of at least 0.95 was asked for. Six lines are proposed.

# %%
q3.sample()

# %% [markdown]
# Write `line_to_report`. It gets such a table and returns the letter of the one line that measures what it says. Each
# check shows other tables, so a letter alone is of no use: write down the rule by which you choose.


# %% tags=["answer"]
def line_to_report(lines):
    """The letter of the line that may stand."""
    letter = None
    ### BEGIN SOLUTION
    about_covid = lines["figure"] == "sensitivity of covid"
    chosen, measured = lines["threshold chosen on"], lines["measured on"]
    a_measurement = (chosen == "validation") & (measured == "test")
    by_patient = lines["resampled"] == "patients"
    letter = lines.index[about_covid & a_measurement & by_patient][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q3.check(line_to_report)

# %% [markdown]
# ## Question 4 · Which model is better?
#
# Two models, A and B, have classified the same images. The table says which model was right on which image. This is one
# such table; the check uses five, and in most of them the accuracies differ. Not every difference would hold with other
# patients.

# %%
pair = q4.sample()
print(f"{len(pair)} images of {pair['patient'].nunique()} patients")
print(pair[["a_right", "b_right"]].mean().round(3).to_dict())
pair.sample(4, random_state=0)

# %% [markdown]
# Part of the resampling is given: `resamples` draws whole units with replacement and returns, for each row of the
# table, how often it was drawn. With such weights `w`, a mean is `(w * values).sum() / w.sum()`. In the example the
# units are letters, and each line is one draw.


# %%
def resamples(units, times=1000, seed=0):
    """How often each row is drawn when whole units are resampled: an array, times × rows."""
    number, names = pd.factorize(np.asarray(units))
    chances = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), chances, size=times)
    return drawn[:, number]


print(resamples(["a", "a", "b", "c", "c", "c"], times=3))

# %% [markdown]
# Write `judge`. It returns `"A"` or `"B"`, the model with the higher accuracy, if its lead is more than chance: a 95 %
# interval that does not include zero. Otherwise it returns `"cannot tell"`. An interval of what, with which units?


# %% tags=["answer"]
def judge(table):
    """The better model, "A" or "B", or "cannot tell"."""
    answer = None
    ### BEGIN SOLUTION
    lead = table["b_right"].to_numpy(float) - table["a_right"].to_numpy(float)
    weights = resamples(table["patient"])
    low, high = np.quantile(weights @ lead / weights.sum(axis=1), [0.025, 0.975])
    answer = "B" if low > 0 else "A" if high < 0 else "cannot tell"
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(judge)

# %% [markdown]
# ## Question 5 · In your own words
#
# From a draft:
#
# > *On the 120 test images our network reached an accuracy of 0.94, logistic regression 0.92: the network is better. At
# > the threshold that gives it a sensitivity of 0.97 for covid on these images, its weighted F1 is 0.95, so that it
# > also finds the rare class.*
#
# You ask the authors and learn: the 120 images are of 40 patients; 4 of the images show the rare class, viral, and the
# network found 1 of these; the paired difference of the accuracies, with patients resampled, is +0.025 (-0.03 to
# +0.08).
#
# Rewrite the draft in three or four sentences that these facts support, and say what is still missing.
#
# *Rubric, 3 points, marked by hand: one for the comparison (the difference with its interval and unit, "cannot tell"
# and not "equal"); one for the rare class (1 of 4, instead of the weighted F1); one for the threshold (0.97 was the
# target on the test images; what must be done to measure it).*

# %% [markdown] tags=["written"] name="rewritten" points=3
# ### BEGIN SOLUTION
# On 120 test images of 40 patients the network's accuracy was 0.94, that of logistic regression 0.92. The paired
# difference is +0.025 (-0.03 to +0.08, 40 patients resampled), so this test cannot tell which of the two is better; it
# does not show that they are equal. Of the 4 images of the rare class the network found 1, too few to say more than
# that it may miss most of them. No sensitivity for covid is reported: the threshold was chosen on the test images,
# where 0.97 was the target and not a measurement. The threshold has to be chosen on validation images and the
# sensitivity then measured on the test images, or better on new ones. Intervals of the two accuracies, by patient, are
# still missing.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
