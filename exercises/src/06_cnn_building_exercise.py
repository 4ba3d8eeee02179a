# %% [markdown]
# # 06 · CNN building: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 06.
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
from matplotlib import pyplot as plt

from cxr_helpers import plots, quiet
from cxr_helpers.checks.lesson06 import q1, q2, q3, q4

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# ## Question 1 · Which network would you train?
#
# A project has 600 images of 64×64 pixels, each of one of three classes. What tells them apart is a finding 20 pixels
# wide, anywhere in the lungs. Six networks are proposed. Each has a few rounds of convolution and pooling, then the
# layers that are named. Three columns say what follows from these layers:
#
# - *parameters*: all that is learned;
# - *% in dense layers*: how many of them are there; the rest are in convolutions;
# - *a unit sees*: how many pixels of the image, along one side, a unit of the last map depends on (its *receptive field*).

# %%
q1.sample()

# %% [markdown]
# Write `network_to_train`. It gets such a table and returns the letter of the one network without a fault. Each check
# shows other tables, so a letter alone is of no use: write down the rule by which you choose. Is the size a reason?


# %% tags=["answer"]
def network_to_train(networks):
    """The letter of the network without a fault."""
    letter = None
    ### BEGIN SOLUTION
    sees_enough = networks["a unit sees"] >= 20
    shares_weights = networks["% in dense layers"] <= 50
    bends = networks["their activation"] == "relu"
    answers = networks["last layer"] == "Dense(3), softmax"
    letter = networks.index[sees_enough & shares_weights & bends & answers][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q1.check(network_to_train)

# %% [markdown]
# ## Question 2 · The last layer and its loss
#
# Four tasks for the same network. Its body is already built and gives a row of features for each image:
#
# | task | question | output of the last layer |
# |---|---|---|
# | `"ill"` | ill (1) or normal (0)? | a probability |
# | `"kind"` | normal, bacterial, viral or COVID pneumonia: which one of the four? | a probability for each |
# | `"findings"` | effusion, cardiomegaly, nodule, pneumothorax, fracture: which of the five are there? | a probability for each |
# | `"raw"` | the four kinds again, for a colleague whose export applies softmax itself | logits |
#
# The loss must accept the labels in the form printed here. (The first six images of each task.)

# %%
for task, labels in q2.sample().items():
    print(f"{task:9s} {labels[:6].astype(int).tolist()}")

# %% [markdown]
# Write `last_layer`. For each task it returns a layer of `keras.layers` and a cross-entropy of `keras.losses`, both
# created in each call. The check applies the layer to some features and the loss to the resulting outputs, and
# compares it with the cross-entropy of these outputs. You may check after each task; leave the others `None`.


# %% tags=["answer"]
def last_layer(task):
    """A layer and a loss that belong together."""
    layer, loss = None, None
    ### BEGIN SOLUTION
    if task == "ill":
        layer, loss = keras.layers.Dense(1, "sigmoid"), keras.losses.BinaryCrossentropy()
    if task == "kind":
        layer = keras.layers.Dense(4, "softmax")
        loss = keras.losses.SparseCategoricalCrossentropy()
    if task == "findings":
        layer, loss = keras.layers.Dense(5, "sigmoid"), keras.losses.BinaryCrossentropy()
    if task == "raw":
        layer, loss = keras.layers.Dense(4), keras.losses.CategoricalCrossentropy(from_logits=True)
    ### END SOLUTION
    return layer, loss


# %% tags=["check"]
q2.check(last_layer)

# %% [markdown]
# ## Question 3 · A network of your own
#
# Sketches of chests, 24 × 24 grey levels from 0 to 255, of three classes: no haze (0), haze in one lung (1), haze in
# both (2).

# %%
x, y, x_val, y_val = q3.sample()
print(x.shape, x.dtype, y[:8], "·", x_val.shape, y_val[:8])
plots.montage(list(x[:8, ..., 0]), [f"class {k}" for k in y[:8]], columns=8, title="Sketches")

# %% [markdown]
# Build, compile and train a small CNN in plain Keras. Write `train_cnn`; it returns the trained model:
#
# - it takes images as they come, (n, 24, 24, 1), and gives a probability for each of the three classes, (n, 3);
# - it has at least two convolutions, with pooling after each, and at most 20,000 parameters;
# - it holds an augmentation that shifts the training images by up to a tenth of the side (`RandomTranslation`), and
#   leaves them alone in prediction;
# - its loss belongs to its last layer and to labels in this form. `keras.optimizers.Adam(0.003)` and 15 epochs in
#   batches of 16 suffice (a few seconds).
#
# Before you check, look at `model.summary()`: which layer has most of the parameters?


# %% tags=["answer"]
def train_cnn(x, y, x_val, y_val):
    """A trained CNN: from grey levels 0-255 to the probabilities of three classes."""
    model = None
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((24, 24, 1)),
            keras.layers.RandomTranslation(0.1, 0.1),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=15, batch_size=16, validation_data=(x_val, y_val), verbose=0)
    ### END SOLUTION
    return model


# %% tags=["check"]
q3.check(train_cnn)

# %% [markdown]
# ## Question 4 · Five networks, five sets of maps
#
# Five networks, each with the four feature maps that its first convolution makes of a sketch. One network is sound. The
# others have a fault each, and none of them raises an error. The five letters are assigned at random:
#
# - `"sound"`: the grey levels are scaled once, and relu follows the convolution;
# - `"scaled twice"`: the image was divided by 255 twice; the biases are as they should be;
# - `"no activation"`: relu was forgotten;
# - `"dead units"`: a step too large has left the biases far below zero;
# - `"equal filters"`: all filters began with the same weights, so they have learned the same.
#
# Red is above zero, blue below, white zero; each panel has its own scale, from its lowest to its highest number.

# %%
panels = q4.sample()
figure, places = plt.subplots(1, 5, figsize=(9, 2.4), layout="constrained")
for place, (letter, (maps,)) in zip(places, panels.items()):
    framed = np.pad(maps, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    rows = [np.hstack([framed[..., k], framed[..., k + 1]]) for k in (0, 2)]
    most = np.abs(maps).max() or 1
    place.imshow(np.vstack(rows), cmap="RdBu_r", vmin=-most, vmax=most)
    place.set(title=letter, xlabel=f"{maps.min():.2f} to {maps.max():.2f}", xticks=[], yticks=[])
plots.show(figure, "Four feature maps of each of five networks; the table below has their numbers.")

# %% [markdown]
# The same in numbers: the lowest and the highest of each map.

# %%
ranges = {
    letter: [f"{maps[..., k].min():.3f} to {maps[..., k].max():.3f}" for k in range(4)]
    for letter, (maps,) in panels.items()
}
pd.DataFrame.from_dict(ranges, orient="index", columns=[f"map {k}" for k in range(1, 5)])

# %% [markdown]
# Say first, by eye, what happened in each panel. Then write `diagnose`, which says it for any such network: it gets the
# maps, an array (16, 16, 4), and returns one of the five names. The check asks about other networks. Before you check,
# compare with your eyes: `{letter: diagnose(maps) for letter, (maps,) in panels.items()}`.


# %% tags=["answer"]
def diagnose(maps):
    """What happened in the network that made these maps."""
    name = None
    ### BEGIN SOLUTION
    if maps.min() < 0:
        name = "no activation"
    elif maps.max() == 0:
        name = "dead units"
    elif maps.std(axis=(0, 1)).max() < 0.01:
        name = "scaled twice"
    elif np.allclose(maps, maps[..., :1]):
        name = "equal filters"
    else:
        name = "sound"
    ### END SOLUTION
    return name


# %% tags=["check"]
q4.check(diagnose)

# %% [markdown]
# ## Question 5 · In your own words
#
# An augmentation is a claim: *changed like this, the image keeps its label*. Three networks are to be trained, and the
# training images of each may be zoomed, shifted, rotated by a few degrees, changed in contrast, and flipped left to
# right. The labels:
#
# - **dextrocardia** (the heart lies on the other side): yes or no;
# - **crooked** (the patient is tilted by more than 3°; such radiographs are repeated): yes or no;
# - **cut off** (a part of a lung lies outside the image): yes or no.
#
# For each label, name one change whose claim is false and what it would teach the network, and one change whose claim
# is true. How would you show by an experiment that a claim is false?
#
# *Rubric, 3 points, marked by hand: one for three false claims with their consequence (a false label in the training,
# not merely "worse"); one for three true claims; one for a test that can fail: the same network and seeds with and
# without the change, scored on images that were not changed (and, for the flip, on images and their mirror images with
# the correct label of each).*

# %% [markdown] tags=["written"] name="claims" points=3
# ### BEGIN SOLUTION
# Dextrocardia: a flip is a false claim. A flipped normal image shows a heart on the right and is still labelled "no":
# half of the images would get the opposite of the true label, and the network would stop looking at the side. A
# rotation by a few degrees is a true claim. Crooked: a rotation by 5° is false, since it makes straight images crooked
# and crooked ones straight, with the old label; a flip is true, because a mirrored tilt is as large. Cut off: a zoom or
# a shift pushes a lung over the edge while the label still says "no"; a change of contrast is true, within limits.
#
# To find out I would train the same recipe with and without the change, with several seeds, and score both on the same
# unchanged images. For the flip I would also score each image together with its mirror image, each with its correct
# label: a network trained to treat them alike cannot be right on both.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
