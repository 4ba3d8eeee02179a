# %% [markdown]
# # 11 · Calibration and operating point: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 11. Three use tables of scores; in one you
# build a calibrated classifier with scikit-learn.
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
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import plots
from cxr_helpers.checks.lesson11 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Two uses, two operating points
#
# One network, two clinics.
#
# - **Rule-out.** Images with a score *below* the threshold are not read by anybody today. So at least **95 % of the
#   ill** must reach the threshold. Use the highest threshold for which they do (a cut between two scores of the ill is
#   accepted), so that as few images as possible have to be read.
# - **Triage.** Every image is read; those *at or above* the threshold are read first. The queue must stay short: at
#   least **90 % of the others** (those who are not ill) must be below the threshold. Use the lowest threshold for which
#   they are, so that as many of the ill as possible come first.

# %%
validation, test = q1.sample()
print(
    f"{len(validation)} validation images, {validation['ill'].sum()} ill; {len(test)} test images"
)
validation.head()


# %%
def rates(table, threshold):
    """Sensitivity and specificity if a score at or above the threshold is called positive."""
    called = table["score"] >= threshold
    return called[table["ill"]].mean(), 1 - called[~table["ill"]].mean()


# %% [markdown]
# Write `operating_points`. It returns a dict with four numbers: the thresholds `rule_out` and `triage`, and the figures
# to report, the `sensitivity` of the rule-out and the `specificity` of the triage. `rates`, above, is given.
#
# You decide: which rate is fixed in which use, on which images is the threshold chosen, and on which is the rate
# reported?


# %% tags=["answer"]
def operating_points(validation, test):
    """Thresholds of the two uses, and the figure to report for each."""
    rule_out = triage = sensitivity = specificity = None
    ### BEGIN SOLUTION
    scores = np.sort(validation["score"])
    rule_out = max(t for t in scores if rates(validation, t)[0] >= 0.95)
    triage = min(t for t in scores if rates(validation, t)[1] >= 0.90)
    sensitivity, specificity = rates(test, rule_out)[0], rates(test, triage)[1]
    ### END SOLUTION
    figures = {"sensitivity": sensitivity, "specificity": specificity}
    return {"rule_out": rule_out, "triage": triage} | figures


# %% tags=["check"]
q1.check(operating_points)

# %% [markdown]
# ## Question 2 · Read a reliability diagram
#
# Four models, each with its own test images. One is well calibrated; three are not, each in another way.

# %%
models = q2.sample()
plots.reliability(models, title="Four models", what="ill")

# %% [markdown]
# Which is which? Decide for each panel, with a reason, before you write a line of code:
#
# - `"calibrated"`: what is said comes true, but for chance
# - `"over-confident"`: too sure at *both* ends (a temperature above 1 repairs it)
# - `"under-confident"`: not sure enough at both ends (a temperature below 1)
# - `"shifted"`: too high everywhere, or too low everywhere, as after class weights or where fewer are ill than in
#   training (odds to be moved, see step 9 of the lesson; no temperature helps)
#
# The same in numbers: a row for each point, with the interval and the number of images.

# %%
pd.concat(models).round(2)

# %% [markdown]
# Now write `diagnose`: your way of reading, so that it works for other models. It gets one model's table `bins`, as
# above, and returns one of the four words. Each check draws ten other models.


# %% tags=["answer"]
def diagnose(bins):
    """One of the four words for a model, from the points of its reliability diagram."""
    word = None
    ### BEGIN SOLUTION
    gap = bins["observed"] - bins["predicted"]
    left, right = gap[bins["predicted"] < 0.5].mean(), gap[bins["predicted"] >= 0.5].mean()
    if max(abs(left), abs(right)) < 0.05:
        word = "calibrated"
    elif left > 0 > right:
        word = "over-confident"
    elif left < 0 < right:
        word = "under-confident"
    else:
        word = "shifted"
    ### END SOLUTION
    return word


# %% tags=["check"]
q2.check(diagnose)

# %% [markdown]
# ## Question 3 · Build it: fit, calibrate, apply
#
# Small, faint images as rows of 64 grey levels from 0 to 1, in three parts. Each part is a pair: the rows, and for each
# row whether the patient is ill. With 150 images to learn from, a classifier gets nearly all of *them* right and is far
# too sure of the next ones.

# %%
train, validation, test = q3.sample()
for name, (rows, ill) in {"train": train, "validation": validation, "test": test}.items():
    print(f"{name}: rows {rows.shape}, {ill.mean():.2f} ill")

# %% [markdown]
# Write `calibrated`, with scikit-learn:
#
# - it fits a classifier, such as `LogisticRegression` after a `StandardScaler`;
# - it calibrates the classifier by a rising curve: a sigmoid (Platt), an isotonic regression or a temperature;
# - it returns the calibrated probability of being ill of each *test* image, in row order.
#
# You decide which part each step may use. As in a real project, you have all three.


# %% tags=["answer"]
def calibrated(train, validation, test):
    """Probabilities of the test images."""
    answer = None
    ### BEGIN SOLUTION
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(*train)
    rows, ill = validation
    sigmoid = LogisticRegression().fit(model.decision_function(rows)[:, None], ill)
    rows, _ = test
    answer = sigmoid.predict_proba(model.decision_function(rows)[:, None])[:, 1]
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(calibrated)

# %% [markdown]
# ## Question 4 · Which claim holds?
#
# Claims from reports on networks with two classes (COVID or not). Each report has 150 test images. Beside a claim stands
# what it rests on: a measure (ECE with 10 bins), its value on the test images, what it was compared with, and on which
# images the temperature and the threshold were chosen: on validation images or on these test images.

# %%
q4.sample()

# %% [markdown]
# Write `shown`. It gets such a table and returns the letter of the one claim that holds as it stands. Each check shows
# other tables, so a letter alone is of no use: write down the rule by which you choose.


# %% tags=["answer"]
def shown(claims):
    """The letter of the claim that holds."""
    letter = None
    ### BEGIN SOLUTION
    frozen = claims["temperature and threshold from"] == "validation"
    beyond_chance = claims["compared with"] == "a calibrated network, same n"
    letter = claims.index[frozen & (beyond_chance | (claims["measure"] == "sensitivity"))][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(shown)

# %% [markdown]
# ## Question 5 · In your own words
#
# A hospital wants to use your network as a **rule-out** in its screening, where one in a hundred has the disease. In
# your validation and test sets half of the patients are ill. Write in four or five sentences how the operating point
# has to be chosen and what the report must say, so that nobody expects what you have not measured.
#
# *Rubric, 4 points, marked by hand: one for fixing the sensitivity and choosing the threshold on validation, frozen
# before test; one for reporting the measured sensitivity with interval and n (of the ill); one for the PPV at one in a
# hundred, computed and not carried over, or the number of false alarms per true positive; one for saying what is not
# known: the screening's patients and images may differ (second site, milder disease), and probabilities carry the
# prevalence of training.*

# %% [markdown] tags=["written"] name="use" points=4
# ### BEGIN SOLUTION
# A miss is the costly error in this use, so the sensitivity is fixed (say 0.95) and the threshold is the highest that
# reaches it on validation; it is frozen before the test images are used. The report gives the sensitivity and
# specificity on the test images at that threshold, each with its interval and the number of ill (or well) images it is
# based on, even if the sensitivity is below 0.95. The PPV of our half-ill set does not hold at one in a hundred: with
# sensitivity 0.95 and specificity 0.60 it would be about 0.02, some forty false alarms for each true positive, and the
# NPV would be above 0.99 for almost any test. The probabilities carry the prevalence of training and must be moved
# before they are shown to anyone. All of this is measured on our images; whether it holds for the screening's images
# and for milder disease has to be measured there, first with the frozen threshold.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
