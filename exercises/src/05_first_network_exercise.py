# %% [markdown]
# # 05 · A first network: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 05.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other numbers each time, and reports what it found. Each call of `q1.hint()` gives the
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

from cxr_helpers import plots, quiet
from cxr_helpers.checks.lesson05 import q1, q2, q3, q4

with quiet():  # hides TensorFlow's start-up lines
    import keras


def sigmoid(score):
    return 0.5 * (1 + np.tanh(score / 2))


# %% [markdown]
# ## Question 1 · One step
#
# You get a half-trained neuron, some images (one row of pixels each), and a *batch*: the numbers of the rows that this
# step may use.

# %%
weights, bias, x, y, batch, rate = q1.sample()
print(f"x {x.shape}, weights {weights.shape}, bias {bias:.2f}, rate {rate:.2f}")
print(f"labels {y.astype(int)}, batch {batch}")

# %% [markdown]
# Write `step`: one step of gradient descent on the mean cross-entropy *of the batch*. It returns the new weights and
# the new bias, in this order. `sigmoid(score)` is given. Derive it from the text of lesson 05 before you look at its
# code. You can test the result without a formula, by changing one weight slightly.


# %% tags=["answer"]
def step(weights, bias, x, y, batch, rate):
    """Weights and bias after one step on the rows of the batch."""
    answer = None
    ### BEGIN SOLUTION
    error = sigmoid(x[batch] @ weights + bias) - y[batch]
    answer = weights - rate * x[batch].T @ error / len(batch), bias - rate * error.mean()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(step)

# %% [markdown]
# ## Question 2 · What can gradient descent use?
#
# "Why not train on the metric that we report?" Here are eight numbers that you might want to improve. Each is a
# function of the weights, with its images and labels built in. For some, small is better, for others large: that is
# only a sign. The question is whether the gradient is of any use.

# %%
weights, objectives = q2.sample()
pd.Series({name: objective(weights) for name, objective in objectives.items()}).round(3)

# %% [markdown]
# Write `can_descend`. It returns `True` if `objective(weights)` has a slope at these weights, that is, if a *small*
# change of at least one weight changes it, and `False` if no small change does. The function does not see the name of
# the objective; it has to call it.
#
# You decide which weights to change, and by how much. Try it on all eight before you check. Which answer surprises you?


# %% tags=["answer"]
def can_descend(objective, weights):
    """True if a small change of some weight changes objective(weights)."""
    answer = None
    ### BEGIN SOLUTION
    turns = 1e-4 * np.eye(len(weights))
    answer = any(objective(weights + turn) != objective(weights) for turn in turns)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(can_descend)

# %% [markdown]
# ## Question 3 · Your first network
#
# Sketches of chests, 24 × 24 grey levels from 0 to 255. Half of them have a bright haze in one lung (label 1). One set
# is for training, the other for validation.

# %%
x, y, x_val, y_val = q3.sample()
print(x.shape, x.dtype, y[:8], "·", x_val.shape, y_val[:8])
plots.montage(list(x[:8]), [f"label {label}" for label in y[:8]], columns=8, title="Sketches")

# %% [markdown]
# Build, compile and train the network of lesson 05, in plain Keras. Write `first_network`; it returns the trained
# model:
#
# - it takes images as they come: (n, 24, 24), grey levels 0-255, so that scaling is its first layer;
# - it has one hidden layer of 16 units, and a suitable activation;
# - its output is the probability of haze, (n, 1);
# - it is trained with the loss of lesson 05, 10 epochs in batches of 16 (a few seconds). `"adam"` is a good optimiser.
#
# The validation images may be watched during training. Before you check, look at what you built:
# `model = first_network(x, y, x_val, y_val)`, then `model.summary()`.


# %% tags=["answer"]
def first_network(x, y, x_val, y_val):
    """A trained Keras model: from grey levels 0-255 to the probability of haze."""
    model = None
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((24, 24)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=10, batch_size=16, validation_data=(x_val, y_val), verbose=0)
    ### END SOLUTION
    return model


# %% tags=["check"]
q3.check(first_network)

# %% [markdown]
# ## Question 4 · Read six loss curves
#
# Six training runs of one neuron, with batches, each on its own images. In each set the two classes can be told apart.
# Blue: loss on all training images after each step. Dashed orange: on the validation images. Grey lines: the start of
# an epoch.

# %%
from matplotlib import pyplot as plt

runs = q4.sample()
figure, panels = plt.subplots(2, 3, figsize=(9, 4.8), sharey=True, layout="constrained")
for axes, (name, run) in zip(panels.flat, runs.items()):
    axes.vlines(range(1, int(run["epoch"].max()) + 1), 0, 2.05, color="0.85", lw=0.5)
    axes.plot(run["epoch"], run["loss"].clip(upper=2), color="#0072B2")
    axes.plot(run["epoch"], run["val_loss"].clip(upper=2), "--", color="#D55E00")
    axes.set(title=name, xlabel="epoch", ylim=(0, 2.05))
for axes in panels[:, 0]:
    axes.set_ylabel("loss (cut at 2)")
plots.show(
    figure, "Six panels, A to F: training and validation loss. The table below has the numbers."
)

# %% [markdown]
# The same in numbers: 25 steps of each run, evenly spaced from the first to the last.

# %%
parts = {name: run.iloc[np.linspace(0, len(run) - 1, 25).astype(int)] for name, run in runs.items()}
pd.concat({name: part.reset_index(drop=True) for name, part in parts.items()}, axis=1).round(3)

# %% [markdown]
# What do you do **first**, with the images that you have? Choose one of these six for each panel. Some may remain
# unused, some may be right for two panels. Answer all panels, then check: of a wrong one the check says why its action
# does not help, but not which panel it is. Look for it in the figure.
#
# - `"rate up"`: multiply the learning rate by ten
# - `"rate down"`: divide it by ten
# - `"shuffle"`: shuffle the order of the training images
# - `"stop early"`: keep the weights of the lowest validation loss
# - `"more images"`: collect more
# - `"fit validation"`: train on the validation images as well

# %% tags=["answer"]
first_thing = dict.fromkeys("ABCDEF")  # replace: {"A": one of the six in quotes, "B": ...}
### BEGIN SOLUTION
first_thing = {"A": "shuffle", "B": "rate up", "C": "rate down"}
first_thing |= {"D": "stop early", "E": "shuffle", "F": "stop early"}
### END SOLUTION

# %% tags=["check"]
q4.check(first_thing)

# %% [markdown]
# ## Question 5 · In your own words
#
# A fellow student writes: *"With 300 images the loss stayed at 0.69 for twenty epochs, so 300 are not enough for two
# classes. I then added the validation images to the training, with a larger learning rate while I was at it. Now the
# validation accuracy is 0.98, so the additional images did it. I shall report the 0.98."*
#
# Answer in four or five sentences: which conclusion does not follow, how would you test it instead, and which number
# may be reported?
#
# *Rubric, 3 points, marked by hand: one for the learning rate as the first suspect (two things were changed at once;
# the 300 images were never tried at another rate); one for saying why 0.98 proves nothing (measured on the same images
# that it was fitted on; it would be high for random labels too); one for the number to report (from test images that
# were used neither for fitting nor for any choice, separated by group, used once, with its interval).*

# %% [markdown] tags=["written"] name="reply" points=3
# ### BEGIN SOLUTION
# If the loss stays at 0.69, suspect the learning rate first: the neuron has hardly moved, so nothing has been learned
# about the images, nor about how many are needed. Rate and images were changed at the same time, so the improvement
# cannot be attributed to either; I would go back to the 300, leave validation alone, and raise the rate by factors of
# ten. The 0.98 is measured on images that the weights were fitted to, and with enough steps it would be as high for
# random labels. Validation may choose the rate and the epoch, but no more. The number to report is the accuracy on the
# test images, split off by group, used once at the end, with its interval and the majority's accuracy beside it.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
