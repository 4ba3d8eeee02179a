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
import pandas as pd
from matplotlib import pyplot as plt

from cxr_helpers import evaluate, plots, quiet
from cxr_helpers.checks.lesson13 import q1, q2, q3, q4

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# ## Question 1 · One model to ship
#
# A web page has prepared an upload: grey levels from 0 to 255, 24 × 24 pixels, without a channel. The network of the
# project was trained on something else: (n, 24, 24, 1), grey levels from 0 to 1. It returns logits of three classes,
# and on validation images a temperature was fitted to them (lesson 11). (Its weights are random here.)

# %%
network, temperature = q1.sample()
network.summary()
print("temperature:", temperature)

# %% [markdown]
# What is left to the page will be done wrong once. Write `serving_model`: **one** Keras model that takes the uploads as
# they are, (n, 24, 24), and returns calibrated probabilities, (n, 3). It must be possible to save it as a `.keras` file
# and to load that without the code of this notebook. Nothing is trained.


# %% tags=["answer"]
def serving_model(network, temperature):
    """A model from grey levels 0-255, (n, 24, 24), to calibrated probabilities, (n, 3)."""
    model = None
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((24, 24)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Reshape((24, 24, 1)),
            network,
            keras.layers.Rescaling(1 / temperature),
            keras.layers.Softmax(),
        ]
    )
    ### END SOLUTION
    return model


# %% tags=["check"]
q1.check(serving_model)

# %% [markdown]
# ## Question 2 · Five servers, one network
#
# Five teams serve a network of three classes, each a network of its own. Each team sends the probabilities of the
# trained network and those of its server for the same images: two arrays (n, 3). One server is as it should be. What
# happened at the other four raised no error. The five letters are assigned at random:
#
# - `"as trained"`: the same answers, but for the last digits;
# - `"inverted"`: black and white of the images are exchanged;
# - `"scaled twice"`: grey levels are divided by 255, then again in the network;
# - `"other order of classes"`: the server's list of class names has two names exchanged;
# - `"rounded weights"`: the file holds the weights with fewer digits.
#
# Each image has three points, one for each class. On the dotted diagonal the server says what the network says.

# %%
panels = q2.sample()
figure, places = plt.subplots(2, 3, figsize=(8, 5.4), layout="constrained")
for place, (letter, (trained, served)) in zip(places.flat, panels.items()):
    place.plot([0, 1], [0, 1], ":", color="grey")
    for k, look in enumerate(["o", "x", "^"]):
        place.plot(trained[:, k], served[:, k], look, ms=5, mfc="none", label=f"class {k}")
    place.set(title=letter, xlabel="trained", ylabel="served", xlim=(-0.05, 1.05))
    place.set(ylim=(-0.05, 1.05), aspect="equal")
places.flat[-1].legend(*places.flat[0].get_legend_handles_labels(), loc="center")
places.flat[-1].axis("off")
plots.show(
    figure, "Served against trained probabilities of five servers. The table below has numbers."
)

# %% [markdown]
# The same in numbers, for each class: the largest difference, the server's lowest and highest probability, and how well
# the two agree (the correlation, 1 where one rises with the other).

# %%
rows = {}
for letter, (trained, served) in panels.items():
    for k, (ours, theirs) in enumerate(zip(trained.T, served.T)):
        agreement = np.corrcoef(ours, theirs)[0, 1]
        rows[letter, k] = [abs(ours - theirs).max(), theirs.min(), theirs.max(), agreement]
columns = ["largest difference", "served from", "to", "correlation"]
pd.DataFrame.from_dict(rows, orient="index", columns=columns).round(3)

# %% [markdown]
# Say first, by eye, what happened at each server. Then write `diagnose`, which says it for any such pair: it gets the two
# arrays and returns one of the five names. The check asks about other servers. Before you check, compare with your eyes:
# `{letter: diagnose(*panel) for letter, panel in panels.items()}`.


# %% tags=["answer"]
def diagnose(trained, served):
    """What happened between the trained network and the server."""
    name = None
    ### BEGIN SOLUTION
    off = np.abs(served - trained).max(axis=0)  # of each class
    if off.max() < 0.001:
        name = "as trained"
    elif served.std(axis=0).max() < 0.02:
        name = "scaled twice"
    elif off.min() < 0.001:
        name = "other order of classes"
    elif off.max() < 0.3:
        name = "rounded weights"
    else:
        name = "inverted"
    ### END SOLUTION
    return name


# %% tags=["check"]
q2.check(diagnose)

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
