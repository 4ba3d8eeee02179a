# %% [markdown]
# # 13 · Deployment: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four decisions, each with a check that answers, and one question to be answered in words. They follow lesson 13.
#
# **How it works.** Write your answer where it says so, run the cell, then the one below it. `q1.check(...)` runs your
# answer on fresh data, with other names each time, and says what it found. `q1.hint()` goes one step further each
# time you call it. You may check as often as you like.
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
# them. `settings` are those of the bundle: how the training images were prepared. The network takes a batch of
# *one* image with *one* channel, grey levels as in training, and does all scaling in its own first layers.

# %%
picture, settings = q1.sample()
print(settings, picture.shape)
plots.montage([picture], title="What the page has read")

# %% [markdown]
# Write `to_input`. It returns the array that goes into the network, of shape (1, size, size, 1), for any picture and
# any settings.


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
# - `"flipped"`: the number of images whose most probable class is another;
# - `"n"`: the number of images that both rest on.


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
# The same network, exported with int8 weights, is shipped as `int8.tflite`. Five people describe it. All timed one
# image on one thread of the same machine, which was otherwise idle.
#
# | | report |
# |---|---|
# | A | 91 kB; 870 ms: started the program, gave it an image, stopped the clock; all 150 test images agree with Keras to 0.02 |
# | B | 1036 kB, as the file manager says of `model.keras`; 0.7 ms, median of 500 calls after 20 to warm up; all 150 test images agree with Keras to 0.02 |
# | C | 91 kB; 0.7 ms, median of 500 calls after 20 to warm up; 150 test images agree with Keras to 0.0003, tried before the training, when the weights were random |
# | D | 91 kB; 0.7 ms, median of 500 calls after 20 to warm up; largest difference from Keras over 150 test images 0.02, 2 answers flip |
# | E | 91 kB; 0.4 ms, the fastest of 500 calls after 20 to warm up; largest difference from Keras over 150 test images 0.02, 2 answers flip |
#
# Whose report tells a user what to expect of the file that is shipped?

# %% tags=["answer"]
believable = None  # one letter in quotes
### BEGIN SOLUTION
believable = "D"
### END SOLUTION

# %% tags=["check"]
q3.check(believable)

# %% [markdown]
# ## Question 4 · Complete the card from the evidence
#
# What a finished project has left behind: `evidence["predictions"]`, the answers to *all* its images with the part of
# the split that each belonged to (several films per patient: the column `group`); `evidence["files"]`, the sizes of
# what it exported; `evidence["shipped"]`, the name of the file that is given away.

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
# - `"training images"`, `"evaluation images"`: two counts, of the images that fitted the weights, and of those that the
#   accuracy is reported for;
# - `"accuracy"`, `"low"`, `"high"`: on the evaluation images, with its 95 % interval;
# - `"kB"`: the size that a user downloads.
#
# Which sentence does the evidence support? No physician took part, and all images come from one collection.
#
# | | intended use |
# |---|---|
# | A | "Diagnosis of COVID-19 from chest radiographs." |
# | B | "To put urgent patients first in the physician's list in an emergency department." |
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
# Another network was trained on adults' films from two hospitals. It standardises each image, and a gate
# refuses 4 % of clean films and all inverted ones. Nobody has tried it on children, or at a third hospital. Its
# threshold was chosen on validation for a sensitivity of 0.90; on the evaluation images the sensitivity is 0.78
# (0.65-0.88, 90 images of 34 ill patients).
#
# Write the section *Caveats and recommendations* of its card, in three to five sentences: what a reader must not
# conclude from these figures, and what should be done before anybody relies on it.
#
# *Rubric, 3 points, marked by hand: one for naming what was not evaluated (children, another hospital, and any use on
# patients); one for the sensitivity: asked for and measured are two things, and its interval or number of patients;
# one for a recommendation that could be carried out, such as an external evaluation with the threshold frozen.*

# %% [markdown] tags=["written"] name="caveats" points=3
# ### BEGIN SOLUTION
# The model was evaluated on adults from the two hospitals whose films it was trained on; nothing is known about
# children, other hospitals or any use on patients, and it must not be used for decisions about a person. A sensitivity
# of 0.90 was asked for when the threshold was chosen; on the evaluation images it is 0.78, between 0.65 and 0.88, and
# rests on 34 ill patients. That the gate accepts an image does not mean that the answer is right. Before anybody relies on
# it, it should be evaluated at a third hospital with preprocessing, gate and threshold frozen, refusals counted, and
# reported with intervals by patient.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
