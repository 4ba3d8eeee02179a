# %% [markdown]
# # 08 · Transfer learning: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 08.
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

from cxr_helpers import plots, quiet
from cxr_helpers.checks.lesson08 import q1, q2, q3, q4

with quiet():
    import keras

# %% [markdown]
# ## Question 1 · A new head on a frozen base
#
# Somebody hands you `base`: a small network whose filters were learned from other images. It takes three equal channels
# of 24 × 24 pixels with values from **-1 (black) to 1 (white)**, and gives 16 maps. Your own images are sketches of
# chests, uint8 (n, 24, 24): label 0 without haze, 1 with haze in one lung, 2 in both. Only those where `is_train` is
# `True` may be fitted on.

# %%
base, images, labels, is_train = q1.sample()
base.summary()
print(images.shape, images.dtype, labels[:8], f"{is_train.sum()} images to train on")
plots.montage(list(images[:8]), [f"label {k}" for k in labels[:8]], columns=8, title="Sketches")

# %% [markdown]
# Write `new_head` in plain Keras. It returns **one** model that takes grey levels from 0 to 255, (n, 24, 24, 1), and
# gives the probabilities of the three classes:
#
# - the scaling, the three channels and the base are part of the model; the base stays exactly as it is, its batch
#   normalisation too;
# - behind the base the mean of each map, and one dense layer, which you train on the training part.
#
# Train until it is clearly better than a logistic regression on the mean grey level, which is right for about half of
# new images. That takes seconds. (Lesson 08, Steps 1, 3 and 8.)


# %% tags=["answer"]
def new_head(base, images, labels, is_train):
    """A trained model: scaling, the frozen base, a new head."""
    model = None
    ### BEGIN SOLUTION
    base.trainable = False
    grey = keras.Input((24, 24, 1))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(grey)
    rgb = keras.layers.Concatenate()([scaled, scaled, scaled])
    maps = base(rgb, training=False)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(grey, keras.layers.Dense(3, activation="softmax")(pooled))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(images[is_train][..., None], labels[is_train], epochs=30, batch_size=16, verbose=0)
    ### END SOLUTION
    return model


# %% tags=["check"]
q1.check(new_head)

# %% [markdown]
# ## Question 2 · Ready for phase 2
#
# A small network after phase 1: everything except its last layer is frozen. Its stages are called `block1`, `block2`
# and so on.

# %%
network, first, rate = q2.sample()
print(f"to be unfrozen from {first} on; learning rate from scratch: {rate}")
for layer in network.layers:
    print(f"{layer.name:12s} {type(layer).__name__:24s} trainable={layer.trainable}")

# %% [markdown]
# Write `phase_2`. It sets `layer.trainable` for phase 2 as in lesson 08, so that the stages from `first` on are trained
# as well. It returns two things: the network, and a learning rate for this phase; `rate` is the learning rate for
# training from scratch. (You need not compile or train.)


# %% tags=["answer"]
def phase_2(network, first, rate):
    """The network with the right layers unfrozen, and the learning rate of phase 2."""
    answer = None
    ### BEGIN SOLUTION
    free = False
    for layer in network.layers:
        free = free or layer.name.startswith(first)
        layer.trainable = free and not isinstance(layer, keras.layers.BatchNormalization)
    answer = network, rate / 10
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(phase_2)

# %% [markdown]
# ## Question 3 · Read six runs
#
# Six trainings of such a project, with three classes: a guess has a loss of 1.10. (The curves are drawn, after those of
# the lesson.) In each run one of these things happened, and one of them twice:
#
# - `"sound"`: nothing; a new head on a frozen base;
# - `"batch norm"`: the base was fine-tuned with batch normalisation in training mode;
# - `"rate"`: the base was fine-tuned at a rate for random weights;
# - `"input"`: grey levels were scaled twice, so that all images look nearly the same to the base;
# - `"too long"`: all layers were fine-tuned on few images, and not stopped in time.

# %%
from matplotlib import pyplot as plt

runs = q3.sample()
figure, panels = plt.subplots(
    2, 3, figsize=(9, 4.6), sharex=True, sharey=True, layout="constrained"
)
for axes, (letter, run) in zip(panels.flat, runs.groupby("run")):
    axes.axhline(np.log(3), color="0.6", lw=0.8)
    axes.plot(run["epoch"], run["training"], color="#0072B2", label="training")
    axes.plot(run["epoch"], run["validation"], "--", color="#D55E00", label="validation")
    axes.set(title=letter, ylim=(0, 2.6), xticks=[1, 4, 8, 12])
panels[0, 0].legend()
for axes in panels[1]:
    axes.set_xlabel("epoch")
for axes in panels[:, 0]:
    axes.set_ylabel("loss (grey: a guess)")
plots.show(
    figure, "Training and validation loss of six runs, A to F: the table below has the numbers."
)

# %% [markdown]
# The same in numbers:

# %%
runs.pivot(index="epoch", columns="run", values=["training", "validation"]).round(2)

# %% [markdown]
# Name what happened in each run from the figure first. Then write down how you told them apart: `what_happened` gets such
# a table, with the columns `run`, `epoch`, `training` and `validation`, and returns a dict such as `{"A": "rate", ...}`.
# Each check shows other runs under other letters.


# %% tags=["answer"]
def what_happened(runs):
    """What happened in each run: {letter: one of the five}."""
    answer = None
    ### BEGIN SOLUTION
    answer = {}
    for letter, run in runs.groupby("run"):
        training, validation = run["training"], run["validation"]
        answer[letter] = "sound"
        if training.max() > 1.4:
            answer[letter] = "rate"
        elif training.min() > 0.9:
            answer[letter] = "input"
        elif validation.min() > 0.9:
            answer[letter] = "batch norm"
        elif validation.iloc[-1] > 0.9:
            answer[letter] = "too long"
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(what_happened)

# %% [markdown]
# ## Question 4 · Which number may be reported?
#
# Six teams have searched for settings of a transfer-learning model: the cut, the penalty and so on. All split by patient
# into train, validation and test. The first column says what was done with *all* images, before the split.

# %%
q4.sample()

# %% [markdown]
# Write `reportable`. It gets such a table and returns the letter of the one search whose accuracy may be reported as it
# stands. Each check shows other tables, so a letter alone is of no use: write down the rule by which you choose.


# %% tags=["answer"]
def reportable(searches):
    """The letter of the search whose accuracy may be reported."""
    letter = None
    ### BEGIN SOLUTION
    with_labels = ["base fine-tuned on them", "features selected by label"]
    inside = ~searches["done with all images"].isin(with_labels)
    chosen = searches["chosen on"] != "test"
    once = searches["reported"] == "test, opened once"
    letter = searches.index[inside & chosen & once][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(reportable)

# %% [markdown]
# ## Question 5 · In your own words
#
# A study of 400 radiographs of 310 patients, split by patient. On validation (100 images) nine cuts of one backbone were
# tried; the best had an accuracy of 0.86. On test (100 images) the same cut has 0.81 (0.72-0.88), fine-tuning 0.83
# (0.74-0.89), a network from scratch 0.78 (0.69-0.85); fine-tuning minus frozen is +0.02 (-0.04 to +0.08).
#
# The draft says: "Our transfer-learning model reaches 86 %. Fine-tuning improves it further; transfer learning is superior
# to training from scratch." Rewrite it in three or four sentences.
#
# *Rubric, 3 points, marked by hand: one for reporting the test figure with interval and n, and why 0.86 is not it; one
# for "cannot be told apart" where the intervals say so, which means neither "equal" nor "better", and for asking for
# the missing paired difference (frozen against scratch); one for what was chosen where, and for what the study does not
# show.*

# %% [markdown] tags=["written"] name="report" points=3
# ### BEGIN SOLUTION
# We chose among nine cuts of a frozen backbone on 100 validation images; the chosen cut then had an accuracy of 0.81
# (0.72-0.88) on 100 test images of other patients (its 0.86 on validation is optimistic, because the cut was chosen
# there). Fine-tuning reached 0.83; the paired difference, +0.02 (-0.04 to +0.08), does not tell the two apart. A
# network trained from scratch reached 0.78 (0.69-0.85); these figures do not show whether the frozen features are
# better, because the paired difference was not computed. One split, one seed and one hospital were used: so these
# results do not say how the models perform elsewhere.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
