# %% [markdown]
# # 14 · Reviewing a study: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# This exercise examines another study than the lesson's, generated anew for each check: four findings to compute, and a
# review to write. It is the last exercise of the course and uses all of it, mostly lessons 04, 07 and 14.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
#
# **Time.** 90 minutes: 45 for the four findings, 45 for the review.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np
import pandas as pd

from cxr_helpers import evaluate
from cxr_helpers.checks.lesson14 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · Find the leak
#
# The authors send the table from which their folders were made, "one line per bounding box, split into train, val and
# test; no line is in two parts". The model was trained on train; the epoch and the threshold were chosen on val.
# `sha256` is the hash of the file's bytes, as everywhere in this course. For some images the patient is unknown.

# %%
table = q1.sample()
print(f"{len(table)} lines, {table['image_id'].nunique()} file names")
print("lines in each part:", table["split"].value_counts().to_dict())
table.sample(5, random_state=0)

# %% [markdown]
# Write `unfit`. It returns the names (`image_id`, each once, in any order) of the images in the **test** part on which
# the model must not be evaluated, because it knows the radiograph or the patient. What can be known from this table,
# and from which parts? An image without a known match stays in.


# %% tags=["answer"]
def unfit(table):
    """Names of the test images that the model knows."""
    answer = None
    ### BEGIN SOLUTION
    test = table[table["split"] == "test"]
    known = table[table["split"] != "test"]
    same_bytes = test["sha256"].isin(known["sha256"])
    same_patient = test["patient"].isin(known["patient"].dropna())
    answer = test.loc[same_bytes | same_patient, "image_id"].unique()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(unfit)

# %% [markdown]
# ## Question 2 · Whose matrix is it?
#
# The study has two models, A and B, and shows one confusion matrix. Its caption says "B, test". You asked for the
# predictions of both models on all three parts, and received six tables.

# %%
matrix, tables = q2.sample()
print({name: len(answers) for name, answers in tables.items()})
matrix

# %% [markdown]
# Write `belongs_to`. It returns the key of the table in `tables` from which the matrix was made. Rows of the matrix are
# the true classes. Each table has the columns `image_id`, `label` (the truth) and `predicted`. (The check uses several
# matrices; the caption is always the same.)


# %% tags=["answer"]
def belongs_to(matrix, tables):
    """Key of the table that the matrix was made from."""
    answer = None
    ### BEGIN SOLUTION
    for name, answers in tables.items():
        again = pd.crosstab(answers["label"], answers["predicted"])
        if (again.to_numpy() == matrix.loc[again.index, again.columns].to_numpy()).all():
            answer = name
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(belongs_to)

# %% [markdown]
# ## Question 3 · The honest figure
#
# The study reports the accuracy over the test lines. You have the training table and the model's predictions for the
# test table, again with one line per box. The model is already trained and cannot be retrained. All patients are named
# here.

# %%
train, test = q3.sample()
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
q3.check(honest)

# %% [markdown]
# ## Question 4 · Which fault does most damage?
#
# The study has five faults, and the authors have time to repair two. They give you the study as a function:
# `study(planted, seed)` runs it once with the faults that you name, and returns the accuracy it would report.
# `study([], seed)` is the study without faults; another seed is another run.

# %%
study, faults = q4.sample()
print(f"as submitted: {study(faults, 0):.2f}")
faults

# %% [markdown]
# Write `rank`. It returns the names of all faults as a list, the most damaging first. Damage is how far a *single*
# fault moves the accuracy from its correct value, up or down. Which runs do you need, and how many of each?


# %% tags=["answer"]
def rank(study, faults):
    """The faults, the most damaging first."""
    answer = None

    ### BEGIN SOLUTION
    def accuracy(planted):
        return np.mean([study(planted, seed) for seed in range(100)])

    sound = accuracy([])
    answer = sorted(faults, key=lambda fault: -abs(accuracy([fault]) - sound))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(rank)

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
