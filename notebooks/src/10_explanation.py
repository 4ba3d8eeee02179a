# %% [markdown]
# # 10 · Explanation
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can the number be trusted, and what did the model learn?* Many papers show a radiograph with a glowing spot and write
# that the network "looks at the lesion". This lesson builds such a **heat map**, and then measures it where the truth is
# known.
#
# **You will be able to**
#
# - build Grad-CAM in ten lines;
# - score maps against the truth, with interval and n, and compare them with maps that know nothing;
# - find out by experiment what an answer depends on: change one thing, keep everything else;
# - say which check catches which fault, and what no heat map shows;
# - (deeper) compare Grad-CAM with occlusion, and test whether a map depends on what the network learned.
#
# **Time and hardware.** 45 minutes for the core, 35 more for the steps marked *deeper*, which you can skip; one minute
# of it computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 06 (convolutions), 07 (intervals) and 09 (shortcuts).

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd
from scipy.ndimage import maximum_filter
from scipy.stats import spearmanr

from cxr_helpers import datasets, evaluate, explain, guess, manifest, phantom, plots
from cxr_helpers import preprocess, quiet, split, train

with quiet():  # hides TensorFlow's start-up lines
    import keras
    import tensorflow as tf

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names. Counts and splits are the same everywhere; a network's results differ a little between machines.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Two networks and one difference
#
# A map can be judged only where the place of the lesion is known. Most public sets name a class, but no place. In
# phantoms we know the place to the pixel, so this lesson draws images of its own, whatever `DATASET` is, and comes
# back to `DATASET` in Step 9.
#
# Half of the images show a bacterial pneumonia: one **lobe** (a part of a lung) is dense. Every image is drawn twice,
# once with the letters `R PORTABLE` burnt in and once without; nothing else differs, not even the noise. (Drawing takes
# some seconds, once.)

# %% [markdown] tags=["instructor"]
# **8 minutes · demonstrate.** Two networks, one honest, one not. The drawing takes some seconds: tell meanwhile what
# the letters do.
#
# *Asked:* "Why not use real images?" There nobody knows where the lesion is to the pixel.
#
# *Pause* after the two AUCs: which network would the paper have used?

# %% tags=["nbval-check-output"]
SIZE, N = (96, 220) if MODE == "class" else (136, 480)
wanted = {"classes": ("normal", "bacterial"), "severity": (0.4, 1.0), "per_patient": 1.2}
letters_at_random = {"text": "R|PORTABLE", "strength": 0, "devices": 0}
plan = phantom.design("marker", n=N, seed=SEED, **wanted, **letters_at_random)
pixels = {}
for name, text in {"plain": "", "marked": "R|PORTABLE"}.items():
    drawn = plan.assign(marker=text)
    how = {"size": SIZE, "format": "png", "masks": False}
    folder = phantom.cached(drawn, datasets.work_dir(), f"maps-{name}", **how)
    table = manifest.from_folder(folder, patient=r"(P\d+)_").table
    pixels[name] = np.array(preprocess.cache(table, size=SIZE))
table["group"] = table["patient"]
table = split.holdout(table, test=1 / 3, val=0, seed=SEED)
print(f"{len(table)} images of {table['patient'].nunique()} patients, with and without letters")
pd.crosstab(table["split"], table["label"])

# %% [markdown]
# We make two studies with the same patients. In the **honest** one about half of the images have the letters, at
# random. In the other, the letters are on the images with pneumonia and on no others: a **shortcut** (lesson 09).

# %% tags=["nbval-check-output"]
ill = (table["label"] == "bacterial").to_numpy()
is_train = (table["split"] == "train").to_numpy()
file_names = table["image_id"].str.extract(r"/(.*)\.png$")[0]
plan = plan.set_index("image_id").loc[file_names]  # in the order of the table
with_letters = {"honest": (plan["marker"] != "").to_numpy(), "shortcut": ill}
images = {}
for study, on in with_letters.items():
    images[study] = np.where(on[:, None, None], pixels["marked"], pixels["plain"])
    print(f"{study:8}: letters on {on[ill].sum()} of {ill.sum()} with pneumonia,", end=" ")
    print(f"on {on[~ill].sum()} of {(~ill).sum()} without")

# %% [markdown]
# One small network is trained on each study, in plain Keras. Its last **feature maps**, the outputs of the last
# convolution, are an eighth of the image wide and high: fine enough to point at something.


# %% tags=["nbval-check-output"]
def network():
    """Four convolutions, the mean of each last map, and one unit: a logit and its sigmoid."""
    layers = keras.layers
    body = [keras.Input((SIZE, SIZE, 1)), layers.Rescaling(1 / 127.5, offset=-1)]
    body += [layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False)]
    for filters in (8, 16, 32, 64):
        body += [layers.Conv2D(filters, 3, padding="same", use_bias=False)]
        body += [layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.MaxPooling2D()]
    body[-1] = layers.GlobalAveragePooling2D()
    return keras.Sequential([*body, layers.Dense(1, activation="sigmoid")])


nets = {}
epochs = 8 if MODE == "class" else 15
for study, grey in images.items():
    keras.utils.set_random_seed(SEED)
    steps = epochs * int(np.ceil(is_train.sum() / 8))
    falling = keras.optimizers.schedules.CosineDecay(0.003, steps)
    nets[study] = network()
    nets[study].compile(keras.optimizers.Adam(falling), "binary_crossentropy")
    fit = {"epochs": epochs, "batch_size": 8, "verbose": 0}
    nets[study].fit(grey[is_train][..., None], ill[is_train].astype("float32"), **fit)
print(f"{nets['honest'].count_params():,} parameters, {epochs} epochs")

# %% [markdown]
# **Predict.** Each network is tested on images made like those it was trained on. Which one has the higher AUC?

# %% tags=["nbval-check-output"]
MY_HIGHER = None  # your prediction: "honest", "shortcut" or "about equal" (within 0.01)
SURE_HIGHER = None  # how sure you are, from 0.33 (no idea) to 1
higher = guess.choice(
    "10.higher-auc",
    MY_HIGHER,
    what="network with the higher AUC",
    options=["honest", "shortcut", "about equal"],
    sure=SURE_HIGHER,
    example="honest",
)
higher


# %%
def probability(model, grey):
    """Probability of pneumonia for each image."""
    return model(grey[..., None].astype("float32")).numpy()[:, 0]


own_auc = {}
for study, model in nets.items():
    p = probability(model, images[study][~is_train])
    answers = train.predictions_table(table[~is_train], np.column_stack([1 - p, p]), model=study)
    own_auc[study] = evaluate.metric(answers, "roc_auc", "bacterial")
    print(f"{study:8} AUC {own_auc[study]}")
gain = own_auc["shortcut"].value - own_auc["honest"].value
which = "about equal" if abs(gain) <= 0.01 else "shortcut" if gain > 0 else "honest"

# %%
higher.meets(
    which,
    beliefs={
        "honest": "The test images wear the letters, too: the shortcut is rewarded there.",
        "about equal": "Letters are easier to see than a dense lobe, and never wrong here.",
    },
)

# %% [markdown]
# **Explain.** In its own test the shortcut network looks at least as good. (Where the intervals overlap, *better* is
# not shown.) Nothing in its AUC says that it reads letters, and a public set would give us no other number. Can a
# picture of what it "looks at" tell us?

# %% tags=["author", "verdict"]
# verdict("10.shortcut-is-at-least-as-good", gain > -0.01)

# %% [markdown]
# ## Step 2 · Grad-CAM in ten lines
#
# The last unit computes a **logit**, and the sigmoid turns it into a probability (lesson 06). Each feature map shows
# where something was found. How much does a feature map count for the logit? The **gradient** tells how far the logit
# rises if the map rises a little. **Grad-CAM** (Selvaraju et al. 2017) takes four steps:
#
# 1. take the gradient of the logit at each place of each feature map; its mean is the map's *weight*;
# 2. multiply the feature maps by their weights, and add them up;
# 3. cut off what is below zero (it speaks *against* the class);
# 4. enlarge the result to the size of the image.
#
# In the code, `tf.GradientTape` records a computation so that its gradient can be computed; `model.layers[-3]` gives
# the last feature maps.

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** Go through the diagram, then the ten lines; every line has its picture.
#
# *Asked:* "Why the last convolution?" Its maps still have a place and already have a meaning. Step 6 shows what goes
# wrong.

# %% [markdown]
# ![Grad-CAM: three feature maps of an image are multiplied by their weights, +1.5, +0.2 and -0.8, added, cut off at
# zero, and enlarged to a heat map over the image. A weight says how far the answer rises with its
# map.](../docs/diagrams/d10_grad_cam.png)


# %%
def grad_cam(model, grey, of="logit", relu=True):
    """Heat at each pixel; `of` and `relu` are for the mistakes of Step 6."""
    last = model.layers[-1]
    both = keras.Model(model.inputs[0], [model.layers[-3].output, last.input])
    with tf.GradientTape() as tape:
        maps, features = both(grey[..., None].astype("float32"))
        score = features @ last.kernel + last.bias
        score = score if of == "logit" else tf.sigmoid(score)
    weight = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    heat = tf.reduce_sum(weight * maps, axis=-1, keepdims=True)
    heat = tf.nn.relu(heat) if relu else heat
    return tf.image.resize(heat, grey.shape[1:])[..., 0].numpy()


# %% [markdown]
# All heat maps are of test images with pneumonia *and* with letters. Phantoms can be drawn again: once with the
# outlines (**masks**) of lesion and letters, once without the lesion (for Step 5).

# %% tags=["nbval-check-output"]
test = table[ill & ~is_train]
marked, plain = pixels["marked"][test.index], pixels["plain"][test.index]
lesion, letters, healed = [], [], []
for row in plan.iloc[test.index].assign(marker="R|PORTABLE").to_dict("records"):
    drawn = phantom.render(row, SIZE)
    lesion.append(drawn.masks["lesion"])
    letters.append(drawn.masks["marker"])
    without = phantom.render(row, SIZE, masks=False, lesion=False).image
    healed.append(np.rint(255 * without).astype(np.uint8))
lesion, letters, healed = np.stack(lesion), np.stack(letters), np.stack(healed)
wide = maximum_filter(letters, size=(1, 9, 9))  # letters are thin: 4 pixels more all round
print(f"{len(test)} images of {test['patient'].nunique()} patients")
print(f"lesion: {lesion.mean():.3f} of an image; widened letters: {wide.mean():.3f}")

# %%
honest, shortcut = nets["honest"], nets["shortcut"]
heat = grad_cam(honest, marked)
captions = []
for i, p in enumerate(probability(honest, marked)[:3]):
    y, x = np.unravel_index(heat[i].argmax(), heat[i].shape)  # the hottest place
    where = "lesion" if lesion[i, y, x] else "letters" if wide[i, y, x] else "elsewhere"
    captions.append(f"p = {p:.2f}\nhottest: {where}")
outlined = [{"lesion": lesion[i], "marker": letters[i]} for i in range(len(test))]
plots.heat_maps(
    marked[:3],
    {"Grad-CAM": heat[:3]},
    masks=outlined[:3],
    titles=captions,
    title="Heat of the honest network",
)

# %% [markdown]
# **Explain.** These are the first three images of the table; nobody picked them. Bright places are hot. The heat forms
# soft blobs, because 12 × 12 values (17 × 17 in `"full"` mode) were stretched over the image. No rib and no edge can
# be seen in it. Each map has its own scale, so the map of an unsure answer is as bright as that of a certain one.
#
# The captions say where the hottest place lies: on the lesion, on the letters (which told this network nothing), or
# elsewhere (far away or just outside the outline). Three images cannot say how often each of these happens; Steps 3
# and 4 use all images.
#
# `explain.grad_cam` does the same. It also takes models inside models and several classes, and warns where a map is
# empty:

# %%
assert np.allclose(heat, explain.grad_cam(honest, marked, target=1), rtol=1e-3, atol=1e-4)

# %% [markdown]
# ## Step 3 · Right, or only pleasing?
#
# A paper has room for three images. Here are three, with the maps of a method.

# %% [markdown] tags=["instructor"]
# **10 minutes · do.** Show the three pictures and let the class judge *much, a little, nothing* before they know. It
# is random.
#
# *Asked:* "Then all heat maps are worthless?" No: measure them over all images, beside a map that knows nothing.
#
# *Pause* right after *they are random numbers*. Let it sink in.

# %% jupyter={"source_hidden": true}
rng = np.random.default_rng(SEED)
unnamed = tf.image.resize(rng.random((len(test), 5, 5, 1)) ** 8, (SIZE, SIZE))[..., 0].numpy()


def energy_inside(maps, masks):
    """Share of each map's heat that lies inside its mask."""
    return (maps * masks).sum(axis=(1, 2)) / np.maximum(maps.sum(axis=(1, 2)), 1e-9)


energy = energy_inside(unnamed, lesion)
best = np.argsort(-energy)[:3]
plots.heat_maps(
    marked[best],
    {"the method": unnamed[best]},
    masks=[{"lesion": lesion[i]} for i in best],
    title="Three examples of a paper",
)

# %% [markdown]
# **Predict.** How much does this method know about the place of the lesion, over all images? From the share of its heat
# inside the lesion we subtract the lesion's share of the image, which luck alone would reach. More than 0.1 is *much*,
# more than 0.03 *a little*.

# %% tags=["nbval-check-output"]
MY_METHOD = None  # your prediction: "much", "a little" or "nothing"
SURE_METHOD = None  # how sure you are, from 0.33 (no idea) to 1
method = guess.choice(
    "10.unnamed-method",
    MY_METHOD,
    what="what the method knows",
    options=["much", "a little", "nothing"],
    sure=SURE_METHOD,
    example="a little",
)
method

# %% tags=["nbval-check-output"]
by_luck = lesion.mean(axis=(1, 2))  # the lesion's share of the image
over_luck = explain.average(energy - by_luck, test, signed=True)
print(f"share of the heat inside the lesion: these three {energy[best].mean():.2f},", end=" ")
print(f"all images {energy.mean():.2f}; by luck {by_luck.mean():.2f}")
print(f"all images, more than by luck: {over_luck}")
knows = "much" if over_luck.value > 0.1 else "a little" if over_luck.value > 0.03 else "nothing"

# %% tags=["nbval-check-output"]
method.meets(
    knows,
    beliefs={
        "much": "You judged it by three pictures, which were picked: they are random numbers.",
        "a little": "They are random numbers, made without a network. Three were picked.",
    },
)

# %% [markdown]
# **Explain.** The maps are random numbers, made without any network. We drew one for each image and picked the three
# that fit best. Among some dozen images, three that look convincing can be found for *any* method. So take all images,
# compute a number for each, and give an interval. Two numbers are common:
#
# - **energy inside**: which share of the heat lies inside the mask;
# - **pointing game**: does the hottest place lie inside the mask (Zhang et al. 2018)?
#
# `explain.average` gives the mean of such numbers, with an interval by patient (lesson 07); `signed=True` says that
# the numbers may be negative, as differences may be. Neither number means anything alone: a large lesion is hit by
# luck, and these lesions all lie in the lungs. So compare with maps that know nothing: the random maps, and a
# bell-shaped map in the **centre** of each image.
#
# **Predict.** By luck a map has about 7 % of its heat inside the lesion. Which share of its heat does Grad-CAM of the
# honest network have there, as a mean over all images?

# %% tags=["nbval-check-output"]
MY_ENERGY = None  # your prediction: share of the heat inside the lesion, from 0 to 1
inside = guess.number(
    "10.energy-inside",
    MY_ENERGY,
    what="heat inside the lesion, Grad-CAM",
    between=(0, 1),
    example=0.6,
)
inside


# %% tags=["nbval-check-output"]
def pointing(maps, masks):
    """Whether the hottest place of each map lies inside its mask."""
    hottest = maps.reshape(len(maps), -1).argmax(axis=1)
    return masks.reshape(len(masks), -1)[np.arange(len(maps)), hottest]


from_centre = np.linspace(-1, 1, SIZE) ** 2
bell = np.exp(-2 * (from_centre[:, None] + from_centre[None, :]))
centred = np.repeat(bell[None], len(test), axis=0)


def scores(maps):
    """Both numbers over all images, as a text."""
    energy = explain.average(energy_inside(maps, lesion), test)
    game = explain.average(pointing(maps, lesion).astype(float), test)
    return f"energy {energy}, pointing {game}"


print("centred ", scores(centred))
print("random  ", scores(unnamed))

# %%
print("Grad-CAM", scores(heat))
over_centred = energy_inside(heat, lesion) - energy_inside(centred, lesion)
over_random = energy_inside(heat, lesion) - energy
more = {"centred": over_centred, "random": over_random}
more = {name: explain.average(each, test, signed=True) for name, each in more.items()}
for name, each in more.items():
    print(f"Grad-CAM - {name}: {each}")

# %%
inside.meets(
    explain.average(energy_inside(heat, lesion), test),
    beliefs=[
        (0.4, 1, "Most of the heat lies outside: soft blobs, and places that only look hot."),
        (0, 0.1, "It knows more than luck: compare with the random and the centred map."),
    ],
)

# %% [markdown]
# **Explain.** The two differences are taken image by image. If the interval of a difference lies above zero, Grad-CAM
# has more of its heat on the lesion than a map that knows nothing. Still, most of its heat lies outside the lesion.
# (The centred map cannot win the pointing game: its hottest place lies between the lungs.)

# %% tags=["author", "verdict"]
# verdict("10.three-picked-look-better", energy[best].mean() > 1.2 * energy.mean())
# verdict("10.random-maps-find-nothing", knows == "nothing")
# verdict("10.grad-cam-beats-centred", more["centred"].low > 0)
# verdict("10.grad-cam-beats-random", more["random"].low > 0)
# verdict("10.most-heat-is-outside", energy_inside(heat, lesion).mean() < 0.5)

# %% [markdown]
# ## Step 4 · The other network
#
# Now we test the network that was trained where letters gave the answer away. The images are the same, with lesion
# *and* letters.
#
# **Predict.** Take the share of heat inside the lesion, honest minus shortcut network. How large is this difference, as
# a mean over all images?

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** The difference between the two networks is a few hundredths. Nobody could see it in a picture.
#
# *Asked:* "So does the map show the letters or not?" It shows some heat there, for both networks. It does not say how
# much depends on it.

# %% tags=["nbval-check-output"]
MY_DIFFERENCE = None  # your prediction: a difference of two shares, from -0.3 to 0.3
apart = guess.number(
    "10.honest-minus-shortcut",
    MY_DIFFERENCE,
    what="heat on the lesion, honest - shortcut",
    between=(-0.3, 0.3),
    example=0.2,
)
apart

# %%
theirs = explain.grad_cam(shortcut, marked, target=1)
both = {"honest network": heat, "shortcut network": theirs}
plots.heat_maps(
    marked[:2],
    {name: maps[:2] for name, maps in both.items()},
    masks=outlined[:2],
    title="Two networks, the same images",
)

# %%
rows = []
for name, maps in {**both, "random map": unnamed}.items():
    row = {"map": name}
    for what, mask in {"lesion": lesion, "letters": wide}.items():
        row[f"energy, {what}"] = explain.average(energy_inside(maps, mask), test).text(counts=False)
        game = explain.average(pointing(maps, mask).astype(float), test)
        row[f"pointing, {what}"] = game.text(counts=False)
    rows.append(row)
gained = energy_inside(heat, lesion) - energy_inside(theirs, lesion)
less = explain.average(gained, test, signed=True)
print(f"heat inside the lesion, honest - shortcut: {less}")
pd.DataFrame(rows).set_index("map").T

# %%
apart.meets(
    less,
    beliefs=[
        (0.08, 0.3, "The shortcut network uses the lesion, too: a shortcut need not replace it."),
        (-0.3, -0.08, "The honest network has nothing else to go by. See the table."),
    ],
)

# %% [markdown]
# **Explain.** Read the rows of the *letters*: the shortcut network has more heat there than a random map, and more
# than the honest network. So a map *can* raise the alarm. But the honest network, too, has more heat on the letters
# than a random map, although the letters told it nothing. And in the heat on the lesion, the two networks differ by a
# few hundredths, a difference that nobody sees in single images. (Does the pointing game do better? Read its row.)
# With two or three images in a paper, which network would you have trusted?

# %% tags=["author", "verdict"]
# there = {name: energy_inside(maps, wide).mean() for name, maps in both.items()}
# verdict(
#     "10.shortcut-puts-more-heat-on-letters",
#     there["shortcut network"] > max(there["honest network"], energy_inside(unnamed, wide).mean()),
# )
# verdict(
#     "10.honest-network-has-heat-on-letters-too",
#     there["honest network"] > energy_inside(unnamed, wide).mean(),
# )
# verdict("10.hard-to-tell-by-the-lesion", abs(less.value) < 0.08)

# %% [markdown]
# ## Step 5 · What does the answer rest on? Ask it
#
# Grad-CAM is computed inside a network. A **counterfactual** is an experiment: the same image, the same noise, with
# *one* thing taken out.

# %% [markdown] tags=["instructor"]
# **11 minutes · do.** Take the letters out and look at the probability: an experiment in place of a picture. Read
# *what to report* together.
#
# *Asked:* "How do I do this on real images?" Lesions cannot be taken out; letters, borders and corners can be
# covered.
#
# *Pause* at the checkpoint.
#
# *Break* before this step.

# %%
three = [marked[0], healed[0], plain[0]]
names = ["lesion and letters", "lesion taken out", "letters taken out"]
plots.compare_images(three, names, title="One image and its two counterfactuals")

# %% [markdown]
# **Predict.** The *shortcut* network gets images that *do* show a pneumonia. How far does its probability fall, on
# average, when the letters are taken out?

# %% tags=["nbval-check-output"]
MY_FALL = None  # your prediction: fall of the mean probability, from 0 to 1
fall = guess.number(
    "10.fall-without-letters",
    MY_FALL,
    what="fall without the letters, shortcut network",
    between=(0, 1),
    example=0.6,
)
fall

# %%
rows, drops = [], {}
for study, model in nets.items():
    whole = probability(model, marked)
    for what, grey in {"the lesion": healed, "the letters": plain}.items():
        drop = explain.average(whole - probability(model, grey), test, signed=True)
        drops[study, what] = drop
        rows.append({"label": f"{study}, without {what}", **vars(drop)})
plots.intervals(
    pd.DataFrame(rows)[["label", "value", "low", "high", "n"]],
    baseline={"no effect": 0},
    title="How far the probability falls (n: images)",
    xlabel="fall of the probability, mean and 95 % interval",
)

# %%
fall.meets(
    drops["shortcut", "the letters"],
    beliefs=[
        (0.4, 1, "The lesion is still there, and this network uses it, too."),
        (0, 0.04, "Then the letters would be worth nothing to it: compare the honest network."),
    ],
)

# %% [markdown]
# **Explain.** Now the answer is in units of probability. On images that *do* show a pneumonia, the shortcut network
# loses several times as much probability without the letters as the honest one. (Does the probability of the honest
# one change at all? See whether its interval includes zero.) The shortcut network uses the disease as well: a shortcut
# need not replace the signal to spoil the answer.
#
# What do letters do on images of healthy people?

# %% tags=["nbval-check-output"]
well = table[~ill & ~is_train]
print(f"{len(well)} images of {well['group'].nunique()} healthy people")

# %%
rises = {}
for study, model in nets.items():
    without = probability(model, pixels["plain"][well.index])
    added = probability(model, pixels["marked"][well.index])
    rises[study] = explain.average(added - without, well, signed=True)
    called = f"{(without >= 0.5).sum()}, with letters {(added >= 0.5).sum()}"
    print(f"{study:8} probability rises by {rises[study]}; called ill: {called}")

# %% [markdown]
# **Explain.** On images without any lesion, the letters alone move the answer of the shortcut network towards *ill*,
# and much further than that of the honest one.
#
# Now compare two measures: the share of the *heat* on the letters (Step 4) and the fall of the *probability* without
# them. For each, divide the value of the shortcut network by that of the honest one. The second ratio is larger: the
# share of heat does not measure how much the answer depends on a place. And heat on the lesion does not say *why* the
# place is hot. A map shows a place and gives no reason.
#
# On real images nobody can take a lesion out. But letters, borders and corners can be covered: do this (lesson 09).

# %% tags=["author", "verdict"]
# lost = {study: drops[study, "the letters"].value for study in nets}
# verdict("10.letters-matter-more-to-the-shortcut", lost["shortcut"] > 2 * abs(lost["honest"]))
# verdict("10.shortcut-uses-the-disease-too", drops["shortcut", "the lesion"].low > 0)
# verdict("10.letters-move-the-shortcut-further", rises["shortcut"].low > rises["honest"].high)
# verdict(
#     "10.heat-understates-the-letters",
#     lost["shortcut"] / abs(lost["honest"]) > there["shortcut network"] / there["honest network"],
# )

# %% [markdown]
# ### Checkpoint
#
# "The heat map lies on the lung, so the network has learned the disease and not the letters." What is missing?
#
# 1. Nothing; that is what a heat map is for.
# 2. A finer map.
# 3. Numbers over all images, a map that knows nothing to compare with, and an experiment in which the letters are
#    taken out.
#
# <details><summary>Answer</summary>
# 3. In Step 4 the lesion got heat from the shortcut network too, far more than by luck. Only the experiment of Step 5
#    says how much depends on the letters. Answer 2: a sharper picture shows a place, too, and gives no reason.
# </details>

# %% [markdown]
# ### What to report
#
# | check | question | fails to see |
# |---|---|---|
# | masks: energy, pointing, with baselines | is the heat where the finding is? | why it is hot; how much depends on it |
# | randomisation (Step 8, deeper) | does the map depend on what was learned? | whether the network is right |
# | deletion (Step 8, deeper) | does the network use these places? | whether it should; images with holes are odd |
# | counterfactual | how much does the answer change without this one thing? | what you did not think of taking out |
#
# On real images with masks drawn by radiologists, all seven methods that Saporta et al. (2022) compared localised worse
# than radiologists did. Our numbers are from phantoms, with one dense, sharp-edged lobe, an easy case. They show the
# method, and are no evidence about patients.

# %% [markdown]
# ## Step 6 · Two lines that are often wrong · deeper
#
# **The gradient of the probability.** It seems natural to ask what moves the *probability*. The chain rule says that
# this gradient is p · (1 - p) times that of the logit. The sigmoid is flat at its ends, and so the factor is small
# exactly where the network is sure. To see where this leads, take a network that is surer: the same network with the
# weights of its last layer multiplied by 30. It ranks all images as before and calls the same images ill.

# %%
sure = keras.models.clone_model(honest)
sure.set_weights(honest.get_weights())
sure.layers[-1].set_weights([30 * w for w in honest.layers[-1].get_weights()])
empty = {}
for name, model in {"as trained": honest, "surer": sure}.items():
    certain = (probability(model, marked) > 0.9999).sum()
    for of in ("logit", "probability"):
        empty[name, of] = (grad_cam(model, marked, of=of).sum(axis=(1, 2)) == 0).sum()
    print(f"{name:10} p > 0.9999 on {certain} of {len(test)} images;", end=" ")
    print(f"empty maps: logit {empty[name, 'logit']}, probability {empty[name, 'probability']}")

# %% [markdown]
# **Explain.** With the gradient of the probability, the images of which the network is surest have an empty map: p
# rounds to 1, and the factor to 0. (A map that is empty with the logit means something else: nothing spoke for the
# class.) With softmax over several classes the same mistake also mixes the *other* classes' gradients into the map. So
# use the logit.
#
# **No ReLU.** Without the cut, places that speak *against* the class stay in the map as negative numbers. Some plots
# rescale the map from lowest to highest; then zero, which should be dark, becomes half-bright. Others show the
# absolute value. Which share of the heat lies inside the lesion then?

# %%
signed = grad_cam(honest, marked, relu=False)
low = signed.min(axis=(1, 2), keepdims=True)
high = signed.max(axis=(1, 2), keepdims=True)
kinds = {"right": heat, "no ReLU, rescaled": (signed - low) / (high - low), "absolute": abs(signed)}
shares = {}
for name, maps in kinds.items():
    shares[name] = explain.average(energy_inside(maps, lesion), test)
    print(f"{name:18} {shares[name]}")
print(f"heat spread evenly  {lesion.mean():.3f}")

# %% [markdown]
# **Explain.** After rescaling, or with absolute values, places around zero or below it are hot, too, and hide the heat
# that speaks for the class.
#
# ### Checkpoint
#
# A colleague shows a map whose brightest spots lie in the *healthy* lung. The network says 0.999 and is right. What do
# you check first?
#
# 1. Nothing: the network uses healthy lung to recognise pneumonia.
# 2. How the map was made: was the cut left out, was the sign lost, and which number's gradient was taken?
# 3. Another image, on which the map looks better.
#
# <details><summary>Answer</summary>
# 2. Without the cut, or with absolute values, places that speak <em>against</em> the class are hot, too. The
#    gradient of a probability is zero once p rounds to 1, and with softmax it mixes in the other classes. Answer 1
#    takes the map for a reason before the map was checked. Answer 3 is the subject of Step 3.
# </details>

# %% tags=["author", "verdict"]
# verdict(
#     "10.probability-gives-empty-maps", empty["surer", "probability"] > empty["surer", "logit"]
# )
# verdict(
#     "10.without-the-cut-less-heat-is-inside",
#     shares["right"].value > max(shares["no ReLU, rescaled"].value, shares["absolute"].value),
# )

# %% [markdown]
# ## Step 7 · A second opinion: occlusion · deeper
#
# Grad-CAM looks inside the network. **Occlusion** uses only its answers (Zeiler and Fergus 2014): cover a square of
# the image with grey, and see how far the logit falls. Then cover the next square.


# %% tags=["nbval-check-output"]
def logit(model, grey):
    """The number before the sigmoid, for each image."""
    last = model.layers[-1]
    features = keras.Model(model.inputs[0], last.input)(grey[..., None].astype("float32"))
    return (features @ last.kernel + last.bias).numpy()[:, 0]


patch, step = 16, 10
starts = range(0, SIZE - patch + 1, step)
before = logit(honest, marked)
total, times = np.zeros(marked.shape), np.zeros((SIZE, SIZE))
for y in starts:
    for x in starts:
        rows, columns = slice(y, y + patch), slice(x, x + patch)
        covered = marked.astype("float32")
        covered[:, rows, columns] = marked.mean(axis=(1, 2))[:, None, None]
        total[:, rows, columns] += (before - logit(honest, covered))[:, None, None]
        times[rows, columns] += 1
occlusion = total / times
print(f"{len(starts) ** 2} squares and the whole image: {len(starts) ** 2 + 1} answers for a map")

# %%
kinds = {"Grad-CAM": heat, "occlusion": np.maximum(occlusion, 0), "centred": centred}
plots.heat_maps(
    marked[:3],
    {name: maps[:3] for name, maps in kinds.items()},
    masks=outlined[:3],
    titles=["first", "second", "third"],
    title="Three maps of each image",
)

# %% [markdown]
# `explain.occlusion` does the same for any model. The **rank correlation** compares the order of the places from cold
# to hot: 1 for the same order, 0 for nothing in common, -1 for the reverse.
#
# **Predict.** Two methods, one network: what is the rank correlation of their maps, as a mean over all images?

# %% tags=["nbval-check-output"]
MY_ALIKE = None  # your prediction: rank correlation, from -1 to 1
two_methods = guess.number(
    "10.two-methods",
    MY_ALIKE,
    what="rank correlation of Grad-CAM and occlusion",
    between=(-1, 1),
    example=0.9,
)
two_methods


# %%
def rank_correlation(a, b):
    """Rank correlation of two maps of each image; NaN where a map is the same everywhere."""
    found = np.full(len(a), np.nan)
    for i in range(len(a)):
        if np.ptp(a[i]) > 0 and np.ptp(b[i]) > 0:
            found[i] = spearmanr(a[i].ravel(), b[i].ravel()).statistic
    return found


correlation = rank_correlation(heat, np.maximum(occlusion, 0))
alike = explain.average(correlation, test, signed=True)
print(f"rank correlation of Grad-CAM and occlusion: {alike}")
for name, maps in kinds.items():
    print(f"{name:9} energy inside {explain.average(energy_inside(maps, lesion), test)}")

# %%
two_methods.meets(
    alike,
    beliefs=[
        (0.65, 1, "They ask different questions, so one network has two different maps."),
        (-1, 0.25, "They do ask the same network: the maps have much in common."),
    ],
)

# %% [markdown]
# **Explain.** Grad-CAM asks what a *small* change of a feature map would do. Occlusion asks what happens when a square
# is *gone*; images with such grey squares are new to the network. Neither is "the" explanation.

# %% tags=["author", "verdict"]
# verdict("10.two-methods-differ", 0.05 < alike.value < 0.8)

# %% [markdown]
# ## Step 8 · Two controls that need no truth · deeper
#
# Without masks and counterfactuals two checks remain; they ask whether a map has anything to do with the *network*.
#
# **Randomisation** (Adebayo et al. 2018). Replace the weights of the last layer by random ones, or of the last two
# layers, and so on, and make the map again. A map that stays the same shows the image's edges, not what was learned.
# Two unrelated maps of random numbers have a rank correlation of about 0.2, without its sign, because soft blobs
# overlap by chance (the first line below).
#
# **Predict.** Only the *last* layer of the honest network is redrawn, that is, gets random weights. What is the rank
# correlation, without its sign, between the new map and that of the trained network?

# %% tags=["nbval-check-output"]
MY_REDRAWN = None  # your prediction: size of the rank correlation, from 0 to 1
one_layer = guess.number(
    "10.last-layer-redrawn",
    MY_REDRAWN,
    what="rank correlation, last layer redrawn",
    between=(0, 1),
    example=0.15,
)
one_layer


# %%
def redrawn(model, how_many, seed):
    """A copy of a model whose last `how_many` layers with a kernel are drawn anew."""
    keras.utils.set_random_seed(seed)
    copy = keras.models.clone_model(model)  # all its weights are fresh
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    places = [k for k, layer in enumerate(model.layers) if isinstance(layer, kinds)]
    for k in range(places[-how_many]):
        copy.layers[k].set_weights(model.layers[k].get_weights())
    return copy


def likeness(study, how_many):
    """Size of the rank correlation with the trained network's maps, mean of six redraws."""
    trained = {"honest": heat, "shortcut": theirs}[study][:, ::4, ::4]  # each fourth pixel will do
    found = []
    for seed in range(6):
        copy = redrawn(nets[study], how_many, seed)
        again = grad_cam(copy, marked)[:, ::4, ::4]
        found.append(abs(rank_correlation(trained, again)))
    return explain.average(pd.DataFrame(found).mean(), test)


# %% tags=["nbval-check-output"]
rng = np.random.default_rng(SEED + 1)
others = tf.image.resize(rng.random((len(test), 5, 5, 1)) ** 8, (SIZE, SIZE))[..., 0].numpy()
unrelated = explain.average(abs(rank_correlation(unnamed, others)), test)
print(f"two random maps: {unrelated}")

# %%
alike = {}
for how_many in (1, 2, 5):
    for study in nets:
        alike[study, how_many] = likeness(study, how_many)
        print(f"{study:8} last {how_many} redrawn: {alike[study, how_many]}")

# %%
one_layer.meets(
    alike["honest", 1],
    beliefs=[
        (0, 0.3, "The convolutions below are still the trained ones: they find the same places."),
        (0.9, 1, "The weights of the last layer decide which of the places count."),
    ],
)

# %% [markdown]
# **Explain.** With only the last layer redrawn, the map still has much in common with that of the trained network, far
# more than two random maps have: the convolutions below find the same places, and only the weights of these places are
# new. With all five layers redrawn, less than half of this correlation is left, about as much as two random maps have.
# So Grad-CAM depends on what was learned. The centred map would have a correlation of 1.0 throughout, and so would
# fail the test, as it should. *Both* networks pass: the test says that the map belongs to the network, not that the
# network is right.
#
# **Deletion** (Petsiuk et al. 2018). Remove pixels, the hottest first. If the map is right about what matters to the
# network, the probability falls fast.

# %% tags=["author", "verdict"]
# verdict(
#     "10.one-layer-leaves-something",
#     all(unrelated.high + 0.05 < alike[study, 1].value < 0.95 for study in nets),
# )
# verdict(
#     "10.five-layers-leave-less-than-half",
#     all(alike[study, 5].value < alike[study, 1].value / 2 for study in nets),
# )


# %%
def without_hottest(maps, share):
    """The images with the hottest share of their pixels set to the image's mean."""
    flat = marked.reshape(len(marked), -1).astype("float32")
    order = np.argsort(-maps.reshape(flat.shape), axis=1)
    for image, hottest in zip(flat, order[:, : round(share * flat.shape[1])]):
        image[hottest] = image.mean()
    return flat.reshape(marked.shape)


rows = []
for study, own in {"honest": heat, "shortcut": theirs}.items():
    for name, maps in {"Grad-CAM": own, "centred": centred, "random": unnamed}.items():
        p = explain.average(probability(nets[study], without_hottest(maps, 0.1)), test)
        rows.append({"network": study, "map": name, "probability": p.text(counts=False)})
print(f"probability after the hottest tenth of the pixels is gone, n = {len(test)}")
left = pd.DataFrame(rows)
left.pivot(index="map", columns="network", values="probability")

# %% [markdown]
# **Explain.** Where the probability for Grad-CAM lies below those for the two maps that know nothing, Grad-CAM has
# found something that *this* network uses. This holds for the shortcut network, too. Do not compare with the
# probability of the whole image: an image with grey holes is unlike all that the network was trained on, and the holes
# alone can move the probability up or down.

# %% tags=["author", "verdict"]
# value = {(r["network"], r["map"]): float(r["probability"].split()[0]) for r in rows}
# verdict(
#     "10.grad-cam-deletes-faster",
#     all(value[s, "Grad-CAM"] < min(value[s, "centred"], value[s, "random"]) for s in nets),
# )

# %% [markdown]
# ### Checkpoint
#
# A map passes the randomisation test and the deletion test. May the paper say "the model attends to the pathology"?
#
# 1. Yes: both controls were passed.
# 2. No: both say that the map is true to the network. The shortcut network's maps pass them as well.
# 3. Yes, if three examples are shown.
#
# <details><summary>Answer</summary>
# 2. The shortcut network passed both. Masks and counterfactuals show what it depends on; controls of the map do
#    not. Answer 3 is the subject of Step 3.
# </details>

# %% [markdown]
# ## Step 9 · A map always comes out · deeper
#
# Last, we take images of the data set `DATASET`. The honest network was trained for some seconds to tell drawn
# bacterial pneumonias from drawn normal chests. It knows nothing of other diseases, and on a real set it has never
# seen a real image. What will it answer for another disease, and what will the map look like? (Above each image: its
# true class, and the probability of *bacterial* pneumonia.)

# %% tags=["nbval-check-output"]
given = datasets.load(DATASET, DATA_DIR)
picked = pd.concat([part.head(1) for _, part in given.groupby("label", observed=True)]).head(4)
picked[["image_id", "label"]]

# %%
others = np.array(preprocess.cache(picked, size=SIZE))
said = zip(picked["label"], probability(honest, others))
plots.heat_maps(
    others,
    {"Grad-CAM": grad_cam(honest, others)},
    titles=[f"{label}, p = {p:.2f}" for label, p in said],
    title=f"Images of {DATASET}, asked for bacterial pneumonia",
)

# %% [markdown]
# **Explain.** Each image gets its blobs, whatever the probability and whether or not there is anything to find: each
# map is scaled to its own hottest place. (Only where nothing at all speaks for the class does the map stay dark.)
# Nothing in such a picture says that the network never learned to answer this question.

# %% [markdown]
# ## Key points
#
# - Grad-CAM weights the last feature maps by the mean gradient of the *logit*, adds them up, cuts off what is below
#   zero, and enlarges the result. It is as coarse as these maps.
# - Score all images, against a mask, with interval and n, next to a random and a centred map. Even random numbers
#   give three nice examples.
# - Heat on the lesion does not exclude a shortcut. An experiment that takes one thing out shows how much the answer
#   depends on it.
# - A map shows a place and gives no reason.
#
# Your predictions in this lesson:

# %%
guess.summary("10")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it
# where your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 10](../exercises/10_explanation_exercise.ipynb), whose checks answer at once.
#
# Step 5 measured how far a probability falls. But what is a network's probability worth? Lesson 11 asks whether 0.8
# means eight in ten, and where to put the threshold.

# %% [markdown]
# ## Sources and licence
#
# - Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017), *Grad-CAM: visual explanations from deep networks via
#   gradient-based localization*, ICCV, doi 10.1109/ICCV.2017.74.
# - Zeiler, Fergus (2014), *Visualizing and understanding convolutional networks*, ECCV, doi
#   10.1007/978-3-319-10590-1_53.
# - Zhang, Bargal, Lin, Brandt, Shen, Sclaroff (2018), *Top-down neural attention by excitation backprop*, International
#   Journal of Computer Vision 126, doi 10.1007/s11263-017-1059-x.
# - Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018), *Sanity checks for saliency maps*, arXiv:1810.03292.
# - Petsiuk, Das, Saenko (2018), *RISE: randomized input sampling for explanation of black-box models*,
#   arXiv:1806.07421.
# - Saporta et al. (2022), *Benchmarking saliency methods for chest X-ray interpretation*, Nature Machine Intelligence
#   4, doi 10.1038/s42256-022-00536-x.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: score heat maps against the truth; decide which to believe
