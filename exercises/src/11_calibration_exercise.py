# %% [markdown]
# # 11 · Calibration and operating point: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four decisions, each with a check that answers, and one question to be answered in words. They follow lesson 11. No
# network is trained: all you need are tables of scores.
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

from cxr_helpers.checks.lesson11 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Two uses, two operating points
#
# One network, two clinics.
#
# - **Rule-out.** Films with a score *below* the threshold are read by nobody today. So at least **95 % of the ill** must
#   reach the threshold. Among the thresholds that do so: the highest (a cut between two scores of the ill will do), so
#   that as few films as possible have to be read.
# - **Triage.** Every film is read; those *at or above* the threshold are read first. The queue must not clog: at least
#   **90 % of the others** (those who are not ill) must stay below. Among the thresholds that do so: the lowest, so that as
#   many of the ill as possible come first.

# %%
validation, test = q1.sample()
print(f"{len(validation)} validation films, {validation['ill'].sum()} ill; {len(test)} test films")
validation.head()


# %%
def rates(table, threshold):
    """Sensitivity and specificity where a score at or above the threshold is called."""
    called = table["score"] >= threshold
    return called[table["ill"]].mean(), 1 - called[~table["ill"]].mean()


# %% [markdown]
# Write `operating_points`. It returns a dict with four numbers: the thresholds `rule_out` and `triage`, and, as you
# would report them, the `sensitivity` of the rule-out and the `specificity` of the triage. `rates`, above, is given.
#
# The decision is yours: which rate is fixed in which use, on which films is it chosen, and on which is it reported?


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
# A study reports its four counts: `tp` found, `fn` missed, `fp` false alarms, `tn` rightly left alone. About half of its
# people were ill. Elsewhere far fewer are: what will the PPV be there, same network, same threshold?

# %%
home, prevalence = q2.sample()
print(home, f"prevalence elsewhere: {prevalence:.2%}")

# %% [markdown]
# Write `ppv_at`. `home` is such a dict of counts, `prevalence` the share of the ill in the other place, between 0 and 1.
# It returns the PPV there, between 0 and 1. Take it that each group, the ill and the others, looks the same in both
# places.


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
# ## Question 3 · One number that repairs
#
# A network that is too sure of itself. `p` is the probability that it gives to COVID, `ill` the truth.

# %%
validation, test = q3.sample()
test.head()


# %%
def log_loss(p, ill):
    """Mean negative logarithm of the probability given to the truth."""
    return -np.log(np.where(ill, p, 1 - p)).mean()


# %% [markdown]
# Write `tempered`. It fits a temperature T, the one with the smallest log loss, and returns the repaired probabilities of
# the *test* films: an array, one per row, in row order. Both tables are given, as they would be in your project.
# A grid of temperatures from 0.5 to 5 in steps of 0.05 is fine enough; `log_loss`, above, is given.


# %% tags=["answer"]
def tempered(validation, test):
    """Probabilities of the test films at the fitted temperature."""
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
# From five reports on networks with two classes (COVID or not). All intervals and ECEs (10 bins) are of test films.
#
# | | claim |
# |---|---|
# | A | "ECE 0.02 for our network, 0.05 for theirs: ours makes fewer mistakes." |
# | B | "On our 150 test films the ECE is 0.05. A perfect one would be 0, so the network is miscalibrated." |
# | C | "Temperature scaling raised the AUC from 0.90 to 0.93." |
# | D | "Threshold and temperature come from our validation films. At the second hospital, both frozen, sensitivity 0.71 (0.60-0.81, n = 74); 0.90 had been asked for." |
# | E | "At the second hospital we picked the threshold anew on its films. Sensitivity there is 0.90: the network travels well." |
#
# Which of the five can be believed as it stands?

# %% tags=["answer"]
shown = None  # one letter in quotes
### BEGIN SOLUTION
shown = "D"
### END SOLUTION

# %% tags=["check"]
q4.check(shown)

# %% [markdown]
# ## Question 5 · In your own words
#
# A hospital wants to use your network as a **rule-out** at its screening, where one in a hundred has the disease. Your
# validation and test sets are half ill. Write down, in four or five sentences, how the operating point is to be chosen and
# what the report must say, so that nobody there expects what you have not measured.
#
# *Rubric, 4 points, marked by hand: one for fixing the sensitivity and choosing the threshold on validation, frozen before
# test; one for reporting the measured sensitivity with interval and n (of the ill); one for the PPV at one in a hundred,
# computed and not carried over, or the number of false alarms per find; one for saying what is not known: the screening's
# patients and films may differ (second site, milder disease), and probabilities carry the prevalence of training.*

# %% [markdown] tags=["written"] name="use" points=4
# ### BEGIN SOLUTION
# The use decides: a miss is what must not happen, so the sensitivity is fixed (say 0.95) and the threshold is the highest
# that reaches it on validation; it is frozen before the test films are looked at. The report gives the sensitivity and
# specificity that the test films show at that threshold, each with its interval and the number of ill (or well) films it
# rests on, also if the sensitivity is below 0.95. The PPV of our half-ill set does not hold at one in a hundred: with
# sensitivity 0.95 and specificity 0.60 it would be about 0.02, some forty false alarms for each find, and the NPV would be
# above 0.99 for almost any test. The probabilities carry the prevalence of training and must be moved before they are
# shown to anyone. All of this is measured on our films; whether it holds for the screening's films and for milder disease
# has to be measured there, with the frozen threshold first.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
