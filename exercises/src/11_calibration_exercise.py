# %% [markdown]
# # 11 · Calibration and operating point: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 11. No network is trained; the questions
# use tables of scores.
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
# ## Question 2 · The PPV in another place
#
# A study reports four counts: true positives `tp`, false negatives `fn`, false positives `fp` and true negatives `tn`.
# About half of its patients were ill. Elsewhere far fewer are: what is the PPV there, with the same network and
# threshold?

# %%
home, prevalence = q2.sample()
print(home, f"prevalence elsewhere: {prevalence:.2%}")

# %% [markdown]
# Write `ppv_at`. `home` is such a dict of counts, `prevalence` the share of the ill in the other place, between 0 and
# 1. It returns the PPV there, between 0 and 1. Assume that the score distribution of each group, the ill and the
# others, is the same in both places.


# %% tags=["answer"]
def ppv_at(home, prevalence):
    """PPV in a place with this prevalence."""
    answer = None
    ### BEGIN SOLUTION
    sensitivity = home["tp"] / (home["tp"] + home["fn"])
    specificity = home["tn"] / (home["tn"] + home["fp"])
    found, false_alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    answer = found / (found + false_alarms)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(ppv_at)

# %% [markdown]
# ## Question 3 · Temperature scaling
#
# A network is overconfident. `p` is its probability of COVID, `ill` the true class.

# %%
validation, test = q3.sample()
test.head()


# %%
def log_loss(p, ill):
    """Mean negative logarithm of the probability given to the truth."""
    return -np.log(np.where(ill, p, 1 - p)).mean()


# %% [markdown]
# Write `tempered`. It fits a temperature T, the one with the smallest log loss, and returns the recalibrated
# probabilities of the *test* images: an array, one per row, in row order. As in a real project, you have both tables. A
# grid of temperatures from 0.5 to 5 in steps of 0.05 is fine enough; `log_loss`, above, is given.


# %% tags=["answer"]
def tempered(validation, test):
    """Probabilities of the test images at the fitted temperature."""
    answer = None

    ### BEGIN SOLUTION
    def at(p, temperature):
        odds = (p / (1 - p)) ** (1 / temperature)
        return odds / (1 + odds)

    grid = np.arange(0.5, 5, 0.05)
    losses = [log_loss(at(validation["p"], t), validation["ill"]) for t in grid]
    answer = at(test["p"], grid[np.argmin(losses)]).to_numpy()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(tempered)

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
