# %% [markdown]
# # 07 · Evaluation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four decisions, each with a check that answers, and one question to be answered in words. They follow lesson 07. No
# network is trained: all you need are tables of answers.
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
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from cxr_helpers.checks.lesson07 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · One competition, two winners
#
# Five models have answered the same test images. Two prizes are given, both for the best F1. The first goes to the
# model that is best if **each image** counts alike. The second goes to the model that is best if **each class** counts
# alike, however rare it is.

# %%
truth, answers = q1.sample()
print(pd.Series(truth).value_counts().to_dict(), "·", ", ".join(answers))


def first(figure, truth, answers):
    """Name of the model for which figure(truth, said) is highest."""
    return max(answers, key=lambda name: figure(truth, answers[name]))


# %% [markdown]
# Write `winners`. It returns the two names as `{"image": ..., "class": ...}`. `truth` is an array of class names,
# `answers` a dict of such arrays, one per model. `first`, above, finds the winner by any figure: which two figures?


# %% tags=["answer"]
def winners(truth, answers):
    """Best model if each image counts alike, and best model if each class does."""
    answer = {"image": None, "class": None}

    ### BEGIN SOLUTION
    def macro(truth, said):
        return f1_score(truth, said, average="macro", zero_division=0)

    answer = {"image": first(accuracy_score, truth, answers), "class": first(macro, truth, answers)}
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(winners)

# %% [markdown]
# ## Question 2 · How far could it be off?
#
# A model's answers about the films of one hospital. Its **sensitivity** for `covid` is a share of films; how far could
# it be off, if the study were repeated with other patients?

# %%
table = q2.sample()
print(f"{len(table)} films of {table['patient'].nunique()} patients")
table.head()

# %% [markdown]
# The tedious part of resampling is done: `resamples` draws whole units with replacement, and says for each row of the
# table how often it is in the draw. With such weights `w`, a share is `(w * yes).sum() / w.sum()`. In the example,
# units are letters, one draw per line.


# %%
def resamples(units, times=1000, seed=0):
    """How often each row is drawn, with whole units drawn anew: an array, times × rows."""
    number, names = pd.factorize(np.asarray(units))
    chances = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), chances, size=times)
    return drawn[:, number]


print(resamples(["a", "a", "b", "c", "c", "c"], times=3))

# %% [markdown]
# Write `interval`. It returns `low` and `high`, between which lie the middle 95 % of the resampled sensitivities (1000
# resamples will do). The value itself is not asked for.


# %% tags=["answer"]
def interval(table):
    """Low and high of the 95 % interval of the sensitivity for covid."""
    low, high = None, None
    ### BEGIN SOLUTION
    ill = (table["label"] == "covid").to_numpy()
    found = (table["predicted"] == "covid").to_numpy()[ill]
    weights = resamples(table["patient"])[:, ill]
    low, high = np.quantile((weights * found).sum(axis=1) / weights.sum(axis=1), [0.025, 0.975])
    ### END SOLUTION
    return low, high


# %% tags=["check"]
q2.check(interval)

# %% [markdown]
# ## Question 3 · The sensitivity to report
#
# A triage is to find at least 95 % of the ill, with as few false alarms as that allows. So the threshold is the
# highest one that still reaches a sensitivity of 0.95. An image is called positive if its score *reaches* the threshold
# (≥). You are handed the scores of one model on two parts.

# %%
validation, test = q3.sample()
print(f"validation: {validation['ill'].sum()} ill of {len(validation)}")
print(f"test:       {test['ill'].sum()} ill of {len(test)}")
validation.head()

# %% [markdown]
# Write `report`. It returns the threshold that you would use, and the sensitivity that you would write into the report:
# `{"threshold": ..., "sensitivity": ...}`. Which part serves for what?


# %% tags=["answer"]
def report(validation, test):
    """The threshold for a sensitivity of 0.95, and the sensitivity to report."""
    answer = {"threshold": None, "sensitivity": None}
    ### BEGIN SOLUTION
    scores = np.sort(validation.loc[validation["ill"], "score"])
    threshold = scores[int(0.05 * len(scores))]  # at most 5 % lie below it
    answer = {
        "threshold": threshold,
        "sensitivity": (test.loc[test["ill"], "score"] >= threshold).mean(),
    }
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(report)

# %% [markdown]
# ## Question 4 · Which model is better?
#
# Two models, A and B, have answered the same films. The table says who was right on which. Here is one such table; the
# check uses five, and on most of them the accuracies differ. Not every difference would survive other patients.

# %%
pair = q4.sample()
print(f"{len(pair)} films of {pair['patient'].nunique()} patients")
print(pair[["a_right", "b_right"]].mean().round(3).to_dict())
pair.sample(4, random_state=0)

# %% [markdown]
# Write `judge`. It returns `"A"` or `"B"` for the model with the higher accuracy, where its lead can be told from luck:
# a 95 % interval that does not include zero. Otherwise it returns `"cannot tell"`. An interval of what, with which
# units? (`resamples`, above, may serve again.)


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
# and not "equal"); one for the rare class (1 of 4, in place of the weighted F1); one for the threshold (0.97 was asked
# for on the test images; what must be done to measure it).*

# %% [markdown] tags=["written"] name="rewritten" points=3
# ### BEGIN SOLUTION
# On 120 test images of 40 patients the network's accuracy was 0.94, that of logistic regression 0.92. The paired
# difference is +0.025 (-0.03 to +0.08, 40 patients resampled), so this test cannot tell which of the two is better; it
# does not show that they are equal. Of the 4 images of the rare class the network found 1, too few to say more than
# that it may miss most of them. No sensitivity for covid is reported: the threshold was picked on the test images, where 0.97 was
# asked for and not measured. It has to be picked on validation images, and then be measured on the test images, or
# better on fresh ones. Intervals of the two accuracies, by patient, are still missing.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
