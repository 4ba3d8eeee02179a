# %% [markdown]
# # 13 · Deployment: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 13.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
#
# **Time.** 40 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np

from cxr_helpers import evaluate, plots, preprocess
from cxr_helpers.checks.lesson13 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · The same input as in training
#
# A web page has read a file: `picture` holds grey levels in [0, 1], of shape (height, width), as `images.read` returns
# them. `settings` come from the bundle and say how the training images were prepared. The network takes a batch of
# *one* image with *one* channel, with grey levels as in training, and does all scaling in its own first layers.

# %%
picture, settings = q1.sample()
print(settings, picture.shape)
plots.montage([picture], title="The image read by the page")

# %% [markdown]
# Write `to_input`. It returns the network's input, of shape (1, size, size, 1), for any image and any settings.


# %% tags=["answer"]
def to_input(picture, settings):
    """What the network takes: (1, size, size, 1), prepared as in training."""
    answer = None
    ### BEGIN SOLUTION
    answer = preprocess.prepare(picture, **settings)[None, ..., None]
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(to_input)

# %% [markdown]
# ## Question 2 · Is the copy faithful?
#
# `original` and `copy` are functions: each takes images, an array (n, height, width), and returns their probabilities,
# an array (n, classes). `copy` runs an exported file.

# %%
original, copy, images = q2.sample()
print(images.shape)
print("original, first image:", original(images[:1]).round(3))
print("copy, first image:    ", copy(images[:1]).round(3))

# %% [markdown]
# Write `compare_copy`. It returns a dict:
#
# - `"largest"`: the largest difference between the two in any probability;
# - `"flipped"`: the number of images whose most probable class differs;
# - `"n"`: the number of images that both are based on.


# %% tags=["answer"]
def compare_copy(original, copy, images):
    """Largest difference, number of flipped images, and n."""
    answer = None
    ### BEGIN SOLUTION
    first, second = original(images), copy(images)
    answer = {
        "largest": np.abs(first - second).max(),
        "flipped": (first.argmax(axis=1) != second.argmax(axis=1)).sum(),
        "n": len(images),
    }
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(compare_copy)

# %% [markdown]
# ## Question 3 · Which report of size and speed?
#
# The same network, exported with int8 weights, is shipped as `int8.tflite`. Several people describe it. All measured the
# time for one image, on one thread of the same machine, which was otherwise idle, and compared the answers to 150 test
# images with those of Keras.

# %%
q3.sample()

# %% [markdown]
# Write `believable`. It gets such a table and returns the letter of the one report that tells a user what to expect of
# the shipped file. Each check shows other tables, so a letter alone is of no use: write down the rule by which you
# choose.


# %% tags=["answer"]
def believable(reports):
    """The letter of the report to believe."""
    letter = None
    ### BEGIN SOLUTION
    timed = reports["time"].str.startswith("median")
    trained = reports["weights, when compared with Keras"] == "trained"
    letter = reports.index[(reports["file"] == "int8.tflite") & timed & trained][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q3.check(believable)

# %% [markdown]
# ## Question 4 · Complete the card from the evidence
#
# A finished project provides `evidence["predictions"]`, the predictions for *all* its images with the part of the split
# that each belonged to (several images per patient: the column `group`); `evidence["files"]`, the sizes of the exported
# files; `evidence["shipped"]`, the name of the file that is distributed.

# %%
evidence = q4.sample()
print(evidence["files"].round(1).to_string(index=False), "\nshipped:", evidence["shipped"])
evidence["predictions"].head()

# %%
evidence["predictions"].groupby("split")["group"].agg(["size", "nunique"])

# %% [markdown]
# Write `fill_card`. It returns a dict with these keys, for any evidence of this kind:
#
# - `"intended use"`: one of the letters below;
# - `"training images"`, `"evaluation images"`: two counts: the images used to fit the weights, and the images on which
#   the accuracy is reported;
# - `"accuracy"`, `"low"`, `"high"`: on the evaluation images, with its 95 % interval;
# - `"kB"`: the size of the download.
#
# Which sentence does the evidence support? No physician took part, and all images come from one collection.
#
# | | intended use |
# |---|---|
# | A | "Diagnosis of COVID-19 from chest radiographs." |
# | B | "To put urgent patients first on the physician's list in an emergency department." |
# | C | "To show in class how a classifier is trained and reported; for students; not for decisions about any person." |


# %% tags=["answer"]
def fill_card(evidence):
    """Seven entries of the model card."""
    answer = None
    ### BEGIN SOLUTION
    predictions = evidence["predictions"]
    accuracy = evaluate.metric(predictions[predictions["split"] == "test"], "accuracy")
    answer = {
        "intended use": "C",
        "training images": (predictions["split"] == "train").sum(),
        "evaluation images": accuracy.n,
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "kB": evidence["files"].set_index("name").loc[evidence["shipped"], "kB"],
    }
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(fill_card)

# %% [markdown]
# ## Question 5 · In your own words
#
# Another network was trained on images of adults from two hospitals. It standardises each image, and a gate rejects 4 %
# of clean images and all inverted ones. It has not been tested on children or at a third hospital. Its threshold was
# chosen on validation for a sensitivity of 0.90; on the evaluation images the sensitivity is 0.78 (0.65-0.88, 90 images
# of 34 ill patients).
#
# Write the section *Caveats and recommendations* of its card, in three to five sentences: what a reader must not
# conclude from these figures, and what should be done before anybody relies on it.
#
# *Rubric, 3 points, marked by hand: one for naming what was not evaluated (children, another hospital, and any use on
# patients); one for the sensitivity: target and measurement are different things, and its interval or number of
# patients; one for a feasible recommendation, such as an external evaluation with the threshold frozen.*

# %% [markdown] tags=["written"] name="caveats" points=3
# ### BEGIN SOLUTION
# The model was evaluated on adults from the two hospitals whose images it was trained on; nothing is known about
# children, other hospitals or any use on patients, and it must not be used for decisions about a person. The threshold
# was chosen for a sensitivity of 0.90; on the evaluation images it is 0.78 (0.65-0.88), based on 34 ill patients. That
# the gate accepts an image does not mean that the answer is right. Before anybody relies on it, it should be evaluated
# at a third hospital with preprocessing, gate and threshold frozen, rejections counted, and reported with intervals by
# patient.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
