# %% [markdown]
# # 10 · Explanation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 10.
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
from cxr_helpers.checks.lesson10 import q1, q2, q3, q4

with quiet():  # hides TensorFlow's start-up lines
    import keras
    import tensorflow as tf

# %% [markdown]
# ## Question 1 · The heat map
#
# A small network tells three kinds of sketches apart: 0 nothing, 1 haze in a lung, 2 a device (a bright square). It was
# trained on sketches with one of them. The image below shows both. Which part of it speaks for which class?

# %%
network, image, label = q1.sample()
network.summary()
answers = network.predict(image[None, ..., None], verbose=0)[0]
for number, name in enumerate(("nothing", "haze", "device")):
    print(f"{number} {name:8s} probability {answers[number]:.2f}")
print(f"to explain: class {label}")
plots.montage([image], ["haze and a device"], title="A sketch, 24 × 24 pixels")

# %% [markdown]
# Write `heat_map` in plain Keras and TensorFlow: Grad-CAM of one image for the class `label`, from the maps of the layer
# `last_conv`. `image` is an array (24, 24) of grey levels from 0 to 255; return the map as it is, 9 × 9, without enlarging
# it. Its scale does not matter. `keras.Model(network.inputs[0], [...])` is a model that returns what you want from inside
# the network.
#
# You decide: which outputs, the gradient of which number, and what becomes of it? Before you check, look at your map for
# class 1 and for class 2: `plots.heat_maps([image], {"haze": [heat_map(network, image, 1)]})`.


# %% tags=["answer"]
def heat_map(network, image, label):
    """Grad-CAM of one image for one class: an array of 9 rows and 9 columns."""
    answer = None
    ### BEGIN SOLUTION
    layers = [network.get_layer("last_conv"), network.get_layer("logits")]
    inside = keras.Model(network.inputs[0], [layer.output for layer in layers])
    with tf.GradientTape() as tape:
        maps, logits = inside(image[None, ..., None].astype("float32"))
        logit = logits[0, label]
    weight = tf.reduce_mean(tape.gradient(logit, maps), axis=(1, 2), keepdims=True)
    answer = tf.nn.relu(tf.reduce_sum(weight * maps, axis=-1))[0].numpy()
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(heat_map)

# %% [markdown]
# ## Question 2 · Scoring heat maps
#
# A method has made heat maps for several images. On most images a radiologist has marked a lesion; the others show
# none, and their mask is empty.

# %%
films = q2.sample()
for name in ("heats", "masks"):
    print(name, {film: array.shape for film, array in list(films[name].items())[:3]}, "...")

# %% [markdown]
# Write `gain`: the share of an image's heat inside the mask, minus the share that a uniform map would have there,
# averaged over the images. Zero means no better than chance, 0.2 means twenty percentage points better. All maps are
# non-negative, and each has its own scale. Which images count, and with which mask?


# %% tags=["answer"]
def gain(heats, masks):
    """Mean share of the heat inside the mask, minus the share expected by chance."""
    answer = None
    ### BEGIN SOLUTION
    gains = []
    for name, heat in heats.items():
        mask = masks[name]
        if mask.any():
            gains.append((heat * mask).sum() / heat.sum() - mask.mean())
    answer = np.mean(gains)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(gain)

# %% [markdown]
# ## Question 3 · Which map to believe
#
# A network gives each image a probability of disease. Three methods have made heat maps, and the maps disagree. You get
#
# - `answer`, the network: `answer(films)` gives one probability per image;
# - `films`, eight images, all with the disease, all with letters burnt in;
# - `heats`, the maps: `{name: one map for each image}`, each with its own scale;
# - `lesions`, the lesion on each image, as a mask.
#
# The images are small sketches, so that the check is quick. Below are the first of them and its three maps.

# %%
case = q3.sample()
first = {name: heat[:1] for name, heat in case["heats"].items()}
plots.heat_maps(
    np.uint8(case["films"][:1]),
    first,
    masks=[{"lesion": case["lesions"][0]}],
    title="One image, three maps",
)

# %% [markdown]
# The function `remove` is given. It sets the hottest tenth of an image's pixels, according to a map, to the mean of the
# image.


# %%
def remove(films, heat, share=0.1):
    """The images without the pixels that are hottest in the map."""
    flat, order = films.reshape(len(films), -1).copy(), heat.reshape(len(films), -1)
    hottest = np.argsort(-order, axis=1)[:, : round(share * flat.shape[1])]
    np.put_along_axis(flat, hottest, flat.mean(axis=1, keepdims=True), axis=1)
    return flat.reshape(films.shape)


name, heat = next(iter(case["heats"].items()))
print("as they are ", case["answer"](case["films"]).round(2))
print(f"after {name}", case["answer"](remove(case["films"], heat)).round(2))

# %% [markdown]
# Write `believe`: it returns the name of the map that best shows where *this network's* answers come from. The check
# uses several networks; some of them were trained on images with a shortcut.


# %% tags=["answer"]
def believe(answer, films, heats, lesions):
    """The name of one map."""
    name = None
    ### BEGIN SOLUTION
    falls = {k: (answer(films) - answer(remove(films, h))).mean() for k, h in heats.items()}
    name = max(falls, key=falls.get)
    ### END SOLUTION
    return name


# %% tags=["check"]
q3.check(believe)

# %% [markdown]
# ## Question 4 · What may be said
#
# Sentences from reports on networks and their heat maps. Each study has 40 images with the disease. Beside each sentence
# stands what it rests on: what was measured for it, what that was compared with, and on which images.

# %%
q4.sample()

# %% [markdown]
# Write `supported`. It gets such a table and returns the letter of the one sentence that its measurement supports. Each
# check shows other tables, so a letter alone is of no use: write down the rule by which you choose.


# %% tags=["answer"]
def supported(sentences):
    """The letter of the sentence that may be said."""
    letter = None
    ### BEGIN SOLUTION
    says, measured = sentences["says"], sentences["measured"]
    place = says.str.startswith("more heat") & (measured == "share of the heat on it")
    reason = says.str.startswith("the answer") & (measured == "fall of the probability without it")
    fair = (sentences["compared with"] != "nothing") & (sentences["images"] == "all 40")
    letter = sentences.index[(place | reason) & fair][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(supported)

# %% [markdown]
# ## Question 5 · In your own words
#
# A product for emergency rooms shows a heat map beside each answer, "so that the physician sees why". There are no
# masks, and nobody can remove a lesion from a real radiograph. Write three or four sentences to its maker: what the map
# shows, what it does **not** show, and which two experiments are still possible before it is put on the screen.
#
# *Rubric, 4 points, marked by hand: one for what a map shows (regions where a change would change this network's
# answer, coarse, with its own scale); one for what it does not show (a reason, whether the answer is right, how much
# depends on a region); one for a feasible experiment on the map (randomisation, deletion against a random map, all
# images and not the most convincing ones); one for a feasible experiment on the network (covering letters, borders or
# corners and reporting the change with interval and n; masks drawn by radiologists for a sample).*

# %% [markdown] tags=["written"] name="to_the_maker" points=4
# ### BEGIN SOLUTION
# The map shows, coarsely and on a separate scale for each image, regions where a change would change this network's
# answer. It shows no reason, does not say whether the answer is right, and does not measure how much depends on a
# region: a network that reads letters can have heat on the lesion as well. Before it is shown, compare on all images of
# a test set, not on chosen ones, how far the probability falls when the hottest pixels are removed, against random
# maps, and whether the maps change when the weights are randomised. And cover letters, borders and corners, and report
# how far the probabilities change, with interval and number of patients; a sample with lesions outlined by radiologists
# would show whether the heat is where the finding is.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
