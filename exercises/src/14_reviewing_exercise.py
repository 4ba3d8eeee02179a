# %% [markdown]
# # 14 · Reviewing a study: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# This exercise examines other studies than the lesson's, generated anew for each check: two findings to compute, a study
# to repair, an experiment to choose, and a review to write. It is the last exercise of the course and uses all of it, mostly lessons 04, 07 and 14.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
#
# **Time.** 90 minutes: 50 for the first four questions, 40 for the review.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import evaluate
from cxr_helpers.checks.lesson14 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Which text fits its figure?
#
# Four studies report the same three numbers, and each shows a ROC curve. In all but one the text contradicts the figure.
# A threshold is one point of the curve: false alarms (1 - specificity) to the right, sensitivity upwards.

# %%
studies = q1.sample()
figure, panels = plt.subplots(1, len(studies), figsize=(13, 3.6), sharey=True)
for panel, (letter, study) in zip(panels, studies.iterrows()):
    panel.plot(study["false alarms"], study["found"])
    panel.set_title(
        f"{letter}: AUC {study['AUC']:.2f}\nsensitivity {study['sensitivity']:.2f}\n"
        f"specificity {study['specificity']:.2f}",
        fontsize=10,
    )
    panel.set(xlabel="false alarms", xticks=np.arange(0, 1.1, 0.2), aspect="equal")
    panel.grid(alpha=0.4)
panels[0].set(ylabel="sensitivity", yticks=np.arange(0, 1.1, 0.1))
plt.show()

# %% [markdown]
# The same in numbers: the text, and the height of each curve at some shares of false alarms.

# %%
heights = {
    letter: np.interp(np.arange(0.1, 1, 0.1), study["false alarms"], study["found"]).round(2)
    for letter, study in studies.iterrows()
}
print(pd.DataFrame(heights, index=np.arange(0.1, 1, 0.1).round(1)).T.to_string())
studies[["AUC", "sensitivity", "specificity"]]

# %% [markdown]
# First say from the figure which study it is, and what is wrong with the others. Then write `consistent`: it gets such a
# table (`false alarms` and `found` hold the points of a curve) and returns the letter of the one study whose three
# numbers agree with its curve. Numbers in a text are rounded. Each check shows other studies, so a letter alone is of no
# use.


# %% tags=["answer"]
def consistent(studies):
    """The letter of the study whose text agrees with its curve."""
    letter = None
    ### BEGIN SOLUTION
    for name, study in studies.iterrows():
        alarms, found = study["false alarms"], study["found"]
        on_curve = np.interp(1 - study["specificity"], alarms, found) - study["sensitivity"]
        if abs(on_curve) < 0.05 and abs(auc(alarms, found) - study["AUC"]) < 0.02:
            letter = name
    ### END SOLUTION
    return letter


# %% tags=["check"]
q1.check(consistent)

# %% [markdown]
# ## Question 2 · The honest figure
#
# A study counts lines: its tables have one line per bounding box, so a radiograph with three boxes has three lines. You
# have the training table and the model's predictions for the test table. The model is already trained and cannot be
# retrained. `sha256` is the hash of the file's bytes; all patients are named here.

# %%
train, test = q2.sample()
low, high = evaluate.wilson((test["predicted"] == test["label"]).sum(), len(test))
print(f"as reported: {(test['predicted'] == test['label']).mean():.3f}", end=" ")
print(f"({low:.2f}-{high:.2f}) on {len(test)} images")
test.drop(columns="sha256").head()

# %% [markdown]
# Write `honest`. It returns the accuracy on images that are new to the model, the two ends of its 95 % interval, and
# the number of radiographs it is based on: `{"accuracy": ..., "low": ..., "high": ..., "n": ...}`. Decide which rows
# count, how often a radiograph may count, and which unit the interval resamples. `evaluate.metric(rows, "accuracy")`
# gives `value`, `low`, `high` and `n` for rows with a column `group`; it requires that each image occurs once.


# %% tags=["answer"]
def honest(train, test):
    """Accuracy on images and patients that are new to the model, with interval and n."""
    answer = {"accuracy": None, "low": None, "high": None, "n": None}
    ### BEGIN SOLUTION
    seen = test["sha256"].isin(train["sha256"]) | test["patient"].isin(train["patient"])
    rows = test[~seen].drop_duplicates("sha256")
    found = evaluate.metric(rows.assign(group=rows["patient"]), "accuracy")
    answer = {"accuracy": found.value, "low": found.low, "high": found.high, "n": found.n}
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(honest)

# %% [markdown]
# ## Question 3 · Repair the study
#
# Another study sends its code: sketches of 8 × 8 pixels, most patients with several images, about a third of the images
# ill (label 1). It reports the accuracy below.

# %%
images, labels, patients = q3.sample()
print(images.shape, f"{len(set(patients))} patients, {labels.mean():.0%} of the images ill")


def best_threshold(labels, p):
    """The probability from which on calling an image ill gives the highest accuracy."""
    return max(np.unique(p), key=lambda cut: np.mean((p >= cut) == labels))


def published(images, labels, patients):
    """The study as its authors wrote it."""
    rows = StandardScaler().fit_transform(images.reshape(len(images), -1))
    train, test = train_test_split(np.arange(len(rows)), test_size=0.2, stratify=labels)
    model = LogisticRegression(C=0.1, max_iter=1000).fit(rows[train], labels[train])
    p = model.predict_proba(rows)[:, 1]
    threshold = best_threshold(labels[test], p[test])
    accuracy = np.mean((p[test] >= threshold) == labels[test])
    return {"train": train, "test": test, "p": p, "threshold": threshold, "accuracy": accuracy}


print(f"accuracy as published: {published(images, labels, patients)['accuracy']:.3f}")

# %% [markdown]
# Write `repaired`, in plain scikit-learn; copy what is sound. It returns a dict with
#
# - `"train"`, `"val"`, `"test"`: the row numbers of three parts, about 3 : 1 : 1, each row in one of them;
# - `"p"`: the probability of label 1 for **each** image, from a model that was fitted on train alone;
# - `"threshold"`: from `best_threshold`;
# - `"accuracy"`: with this threshold, on the part on which it is to be reported;
# - `"baseline"`: the accuracy, on the same images, of a model that always answers the label that is more frequent in train.
#
# A reviewer wants to repeat it. You decide: what is split, what is fitted where, and what is chosen where?


# %% tags=["answer"]
def repaired(images, labels, patients):
    """The study, repaired: parts, probabilities, threshold, accuracy and baseline."""
    answer = None
    ### BEGIN SOLUTION
    rows = images.reshape(len(images), -1)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    pieces = [held for _, held in folds.split(rows, labels, groups=patients)]
    test, val, train = pieces[0], pieces[1], np.concatenate(pieces[2:])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    p = model.fit(rows[train], labels[train]).predict_proba(rows)[:, 1]
    threshold = best_threshold(labels[val], p[val])
    dummy = DummyClassifier(strategy="most_frequent").fit(rows[train], labels[train])
    answer = {"train": train, "val": val, "test": test, "p": p, "threshold": threshold}
    answer["accuracy"] = np.mean((p[test] >= threshold) == labels[test])
    answer["baseline"] = dummy.score(rows[test], labels[test])
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(repaired)

# %% [markdown]
# ## Question 4 · Which experiment would you ask for?
#
# You suspect a fault, and ask the authors for an experiment on their own data that would confirm it, or clear them.
# Each line names a suspicion, what is changed in the data, what is run on it, and what its AUC is to be compared with.

# %%
q4.sample()

# %% [markdown]
# Write `ask_for`. It gets such a table and returns the letter of the one experiment that can decide about its suspicion.
# Each check shows other tables, so a letter alone is of no use: write down the rule by which you choose.


# %% tags=["answer"]
def ask_for(experiments):
    """The letter of the experiment that can decide."""
    letter = None
    ### BEGIN SOLUTION
    who = experiments["suspicion"].str.contains("patients")
    coins = who & experiments["what is changed"].str.startswith("labels drawn at random")
    frame = ~who & experiments["what is changed"].str.startswith("the lungs blacked out")
    anew = experiments["what is run"] == "trained and tested anew"
    compared = experiments["its AUC stands beside"] == "0.5"
    letter = experiments.index[(coins | frame) & anew & compared][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(ask_for)

# %% [markdown]
# ## Question 5 · A review
#
# You receive a student project. This is its summary, and the authors' answers to your questions:
#
# > **Summary.** *We classify chest radiographs as COVID-19 or normal. 600 COVID-19 radiographs came from our own
# > hospital's emergency ward, 1,800 normal ones from a public collection of outpatients. Each radiograph was augmented
# > three times (moved, lighter or darker), which gave 9,600 images; these were shuffled, and 20 % were set aside for
# > the test. Our network, a pretrained backbone fine-tuned for 50 epochs, reaches an accuracy of 0.994 (95 % interval
# > 0.990-0.997, n = 1,920) and a sensitivity of 0.98. The heat map in Figure 3 shows that it looks at the lungs. It can
# > relieve radiologists in screening.* > **Answers.** *The 600 radiographs are of 210 patients; for the public ones the
# > file names identify the patient, 1,500 different ones. After each epoch we saved the network if its test accuracy
# > had improved. The threshold is 0.31, because with it the sensitivity on the test images was best. Figure 3 is a
# > typical example. COVID-19 radiographs were taken with a mobile device, patients lying; the others standing. We have
# > not tried a simpler model. We do have 90 radiographs of another hospital, which we have not looked at.*
#
# Write the review for the authors, **about half a page (250-350 words)**: polite, and so specific that they can act on
# it. It contains
#
# 1. a verdict in two sentences: what has been shown, what has not;
# 2. the faults, **the most damaging first**: for each, the passage in the text, which figure it moves in which
#    direction, and its repair;
# 3. for the **two** most damaging ones an experiment that would *confirm* the suspicion on the authors' own data: what
#    is run, and which two figures are compared;
# 4. how the results should be reported instead, and what will still be unknown after that.
#
# *Rubric, 10 points, marked by hand.*
#
# | points | for |
# |---|---|
# | 2 | **leak**: augmented *before* the split, so that copies of one radiograph are on both sides (1); images of one patient too, 600 images of 210 patients (1) |
# | 2 | **shortcut**: class coincides with hospital, device and posture (1); any network may have learned these, and no repair of the split helps (1) |
# | 1 | **chosen on test**: the epoch or the threshold; both named for the full point |
# | 1 | **n and interval**: 1,920 are copies; units are patients, and the interval is too narrow |
# | 2 | **two experiments** that could also come out in the authors' favour, each with its two figures (1 each): for instance random labels per patient through the whole pipeline; the split by patient before augmenting; predicting from the frame without lungs; the same network on images of one hospital only |
# | 1 | **report again**: patients kept together, counts of patients per part and class, interval by patient, a baseline; and the 90 images of the other hospital used *once*, at the very end |
# | 1 | **measure and tone**: worst first; no claim beyond the text (it is not shown that the network is useless); one heat map proves nothing; screening has another prevalence than 1 in 4 |
#
# *Take off one point, once, for asking for "more data" or "another architecture" instead of a repair.*

# %% [markdown] tags=["written"] name="review" points=10
# ### BEGIN SOLUTION
# **Verdict.** The study shows that a network can tell these two collections apart. It does not show that it recognises
# COVID-19, nor how it would perform on a new patient.
#
# **1. Class and origin are the same.** All COVID-19 images come from your emergency ward, taken with a mobile device,
# lying; all normal ones from outpatients elsewhere, standing. Accuracy and sensitivity may be those of recognising the
# ward, and no other split repairs that. *Experiment:* black out the lungs and train on the frame alone; its balanced
# accuracy beside that of your network. If it is high, the origin can be recognised without the lungs. If it is near
# 0.5, my suspicion is weaker, but not refuted: the ward's style is present in the lungs as well. *Repair:* normal
# images from your own ward, same device.
#
# **2. Copies and patients cross the split.** Augmentation came before splitting, so versions of one radiograph are in
# train and test; so are other images of the same patient (600 images, 210 patients). All results are too high.
# *Experiment:* give each patient a random label and run your whole pipeline; accuracy beside 0.5, or beside the
# majority's. Then split by patient first and augment train only; that accuracy beside 0.994. *Repair:* the latter.
#
# **3. Chosen on the test.** The epoch and the threshold 0.31 were chosen there: 0.98 is the result of a choice, not a
# measurement. Choose both on a validation part, then freeze.
#
# **4. n.** 1,920 images are about 480 radiographs, four times each, of fewer patients. The interval is too narrow: resample
# patients.
#
# **5. Smaller.** One heat map, chosen by you, is no evidence of where the network looks. No baseline: always "normal"
# reaches 0.75, and logistic regression on pixels should stand beside the network. A screening has a far lower prevalence
# than one in four, and the PPV falls with it.
#
# **Report again:** patients per part and class; accuracy, sensitivity and specificity with intervals by patient;
# majority and linear model; chosen on validation. Do not use the 90 images of the other hospital until everything is
# frozen, then score them once. Still unknown then: other devices and populations, mild disease, and whether patients
# benefit.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
