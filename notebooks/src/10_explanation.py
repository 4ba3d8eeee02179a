# %% [markdown]
# # 10 · Explanation
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can the number be trusted, and what did the model learn?* Many papers show a film with a glowing spot and write that
# the network "looks at the lesion". This lesson builds two such heat maps, and then measures them, where the truth is
# known.
#
# **You will be able to**
#
# - build Grad-CAM and occlusion in ten lines each, and name the lines that are often wrong;
# - score maps against the truth, with interval and n, and against maps that know nothing;
# - find out by experiment what an answer rests on: change one thing, keep everything else;
# - say which check catches which fault, and what no heat map shows.
#
# **Time and hardware.** 75 minutes, one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 06 (convolutions), 07 (intervals) and 09 (shortcuts).

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd
from cxr_helpers import datasets, evaluate, explain, manifest, models, phantom, plots
from cxr_helpers import preprocess, quiet, split, train

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.
# Counts and splits are the same on every machine; what a network reaches differs a little from one to the next.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Two networks and one difference
#
# Whether a map is right can be told only where somebody knows the place of the lesion. Most public sets name a class
# and no place, and where radiologists drew one, it is their reading. In phantoms we know it to the pixel, so this
# lesson draws films of its own, whatever `DATASET` is, and comes back to `DATASET` in Step 9.
#
# Half of the films show a bacterial pneumonia: one lobe is dense. Every film is drawn twice, once with the letters
# `R PORTABLE` burnt in and once without; nothing else differs, not even the noise. (Drawing takes some seconds, once.)

# %% tags=["nbval-check-output"]
SIZE, N = (96, 220) if MODE == "class" else (136, 480)
ILL = "bacterial"
study = {"n": N, "seed": SEED, "classes": ("normal", ILL), "severity": (0.4, 1.0)}
plan = phantom.design("marker", strength=0, text="R|PORTABLE", per_patient=1.2, devices=0, **study)
films = {}
for name, text in {"plain": "", "marked": "R|PORTABLE"}.items():
    drawn = {"size": SIZE, "format": "png"}
    place = phantom.cached(plan.assign(marker=text), datasets.work_dir(), f"maps-{name}", **drawn)
    table = manifest.from_folder(place, patient=r"(P\d+)_").table
    films[name] = np.array(preprocess.cache(table, size=SIZE))
table["group"] = table["patient"]
truth = [phantom.read_masks(phantom.mask_file(path, place)) for path in table["path"]]
lesion, letters = (np.stack([masks[kind] for masks in truth]) for kind in ("lesion", "marker"))
print(f"{len(table)} films of {table['patient'].nunique()} patients, each with and without letters")

# %% tags=["nbval-check-output"]
table = split.holdout(table, test=1 / 3, val=0, seed=SEED)
split.assert_disjoint(table)
pd.crosstab(table["split"], table["label"])

# %%
sick = (table["label"] == ILL).to_numpy()
shown = np.flatnonzero(sick & (table["split"] == "test"))
masks = [{"lesion": lesion[i], "marker": letters[i]} for i in shown[:4]]
plots.outlines(films["marked"][shown[:4]], masks, columns=2, title="Four films of ill patients")

# %% [markdown]
# Two studies with the same patients. In the **honest** one the letters are on a film by coin. In the other they are on
# the films of ill patients and on no others: a **shortcut** (lesson 09).

# %% tags=["nbval-check-output"]
row = plan.set_index("image_id").loc[
    [name.split("/")[1].split(".")[0] for name in table["image_id"]]
]
with_letters = {"honest": (row["marker"] != "").to_numpy(), "shortcut": sick}
images = {
    study: np.where(on[:, None, None], films["marked"], films["plain"])
    for study, on in with_letters.items()
}
counted = pd.DataFrame(with_letters).groupby(table["label"].astype(str)).sum()
counted.assign(films=table["label"].value_counts()).rename_axis("with letters")

# %% [markdown]
# Lesson 06's kind of network, with a single unit at the end. Its last maps are an eighth of the film's side: fine
# enough to point at something. One is trained on each study.
#
# **Predict.** Each is tested on films made like those it was trained on. Which AUC is higher? Which network is better?


# %% tags=["nbval-check-output"]
def network(n_classes, size):
    """Four convolutions, the mean of each last map, and one unit: a logit and its sigmoid."""
    layers = keras.layers
    body = [layers.Rescaling(1 / 127.5, offset=-1)]
    body += [layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False)]
    for filters in (8, 16, 32, 64):
        body += [layers.Conv2D(filters, 3, padding="same", use_bias=False)]
        body += [layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.MaxPooling2D()]
    body[-1] = layers.GlobalAveragePooling2D()
    last = layers.Dense(1, activation="sigmoid")
    return keras.Sequential([keras.Input((size, size, 1)), *body, last], name="network")


print(f"{network(2, SIZE).count_params():,} parameters, {len(network(2, SIZE).layers)} layers")

# %%
epochs = 8 if MODE == "class" else 15
recipe = models.Recipe("network", network, epochs, batch_size=8, learning_rate=3e-3, cosine=True)
nets, own_auc = {}, {}
for study, grey in images.items():
    nets[study] = train.fit(recipe, table, grey, seed=SEED).model
    answers = train.predict(nets[study], table, grey, split="test", name=study)
    own_auc[study] = evaluate.metric(answers, "roc_auc", ILL)
    print(f"{study:8s} {own_auc[study]}")

# %% [markdown]
# **Explain.** By its own test the shortcut network is at least as good. Nothing in this number says that it reads
# letters, and on a public set there would be no other number. Can a picture of what it "looks at" tell us?

# %% tags=["author", "verdict"]
# verdict(
#     "10.shortcut-is-at-least-as-good", own_auc["shortcut"].value > own_auc["honest"].value - 0.01
# )

# %% [markdown]
# ## Step 2 · Grad-CAM in ten lines
#
# The unit at the end computes a **logit**, a number without limits, and the sigmoid makes it a probability. The last
# maps say where something was found; how much each of them counts for the logit, the **gradient** says: how far does
# the logit rise if the map rises a little? So (Selvaraju et al. 2017):
#
# 1. the gradient of the logit at each place of each map; its mean is the map's *weight*;
# 2. the maps, times their weights, summed;
# 3. what is below zero (it speaks *against* the class) is cut off;
# 4. the result is enlarged to the size of the film.
#
# **Predict.** How many places does the map have before it is enlarged? Could it outline a rib?


# %%
import tensorflow as tf


def grad_cam(model, films, of="logit", relu=True):
    """Heat of class 1 at each pixel; `of` and `relu` are for the mistakes of Step 3."""
    last = model.layers[-1]
    both = keras.Model(model.inputs[0], [model.layers[-3].output, last.input])
    with tf.GradientTape() as tape:
        maps, features = both(films[..., None].astype("float32"))
        score = features @ last.kernel + last.bias
        score = score if of == "logit" else tf.sigmoid(score)
    weight = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    heat = tf.reduce_sum(weight * maps, axis=-1, keepdims=True)
    heat = tf.nn.relu(heat) if relu else heat
    return tf.image.resize(heat, films.shape[1:])[..., 0].numpy()


# %% tags=["nbval-check-output"]
test = table[sick & (table["split"] == "test")]
marked, plain = films["marked"][test.index], films["plain"][test.index]
where, letter = lesion[test.index], letters[test.index]
honest, shortcut = nets["honest"], nets["shortcut"]
heat = grad_cam(honest, marked)
same = np.allclose(heat, explain.grad_cam(honest, marked, target=1), rtol=1e-3, atol=1e-4)
print(f"{len(test)} films of ill patients; places of a map: {honest.layers[-3].output.shape[1:3]}")
print(f"as the package's explain.grad_cam has it: {same}")

# %% [markdown]
# From here on we use `explain.grad_cam`, which also takes nested models and several classes: `explain.grad_cam??`.
#
# All maps of Steps 2 to 8 are of the test films of ill patients, *with* letters, and of the class `bacterial`. Here are
# the first three in the order of the table; nobody picked them.

# %%
probability = np.asarray(honest(marked[..., None].astype("float32")))[:, 0]
outlined = [{"lesion": where[i], "marker": letter[i]} for i in range(len(test))]
captions = [f"p = {p:.2f}" for p in probability]
first = slice(0, 3)
plots.heat_maps(
    marked[first],
    {"Grad-CAM": heat[first]},
    masks=outlined[first],
    titles=captions[first],
    title="Heat of the honest network",
)

# %% [markdown]
# **Explain.** Bright is hot. The heat comes in soft blobs: 12 × 12 places (17 × 17 in `"full"` mode) were stretched
# over the film. No rib and no edge can be read from it, however sharp the picture below it is. Each map has a scale of
# its own, so that a film of which the network is unsure glows as brightly as one of which it is certain. On how many of
# the three does the hottest place lie inside the yellow line? Three films do not answer that; Step 4 asks all of them.

# %% [markdown]
# ## Step 3 · Two lines that are often wrong
#
# **The gradient of the probability.** It seems natural to ask what moves the *probability*. The chain rule says that
# this gradient is p · (1 - p) times that of the logit. The sigmoid is flat at its ends, and so the factor is small
# exactly where the network is sure. To see where it leads, take a network that is surer: the same one with its last
# layer times 30. It orders all films as before and calls the same films ill.
#
# **Predict.** For how many films will the map be zero everywhere, with the logit and with the probability?

# %%
sure = keras.models.clone_model(honest)
sure.set_weights(honest.get_weights())
sure.layers[-1].set_weights([30 * w for w in honest.layers[-1].get_weights()])
rows = []
for name, model in {"as trained": honest, "surer": sure}.items():
    p = np.asarray(model(marked[..., None].astype("float32")))[:, 0]
    hot = {of: grad_cam(model, marked, of=of).sum(axis=(1, 2)) for of in ("logit", "probability")}
    rows.append({"network": name, "films with p > 0.9999": (p > 0.9999).sum()})
    rows[-1] |= {f"zero maps, {of}": (total == 0).sum() for of, total in hot.items()}
pd.DataFrame(rows).assign(films=len(test)).set_index("network")

# %% [markdown]
# **Explain.** With the probability, the films of which the network is surest have no map at all: p rounds to 1, the
# factor to 0. (A map that is zero with the logit is another matter: there nothing spoke for the class.) With softmax
# over several classes the same mistake also mixes the *other* classes' gradients into the map. So: the logit.
#
# **No ReLU.** Without the cut, places that speak *against* the class stay in the map as negative numbers. Plotting
# rescales them from lowest to highest, and everything in between turns lukewarm. Or somebody takes the absolute value.
#
# **Predict.** Which share of the heat lies inside the lesion's outline: right, without the cut, with absolute values?

# %% tags=["author", "verdict"]
# verdict(
#     "10.probability-gives-empty-maps",
#     rows[1]["zero maps, probability"] > rows[1]["zero maps, logit"],
# )

# %%
signed = grad_cam(honest, marked, relu=False)
low, high = (limit(signed, axis=(1, 2), keepdims=True) for limit in (np.min, np.max))
kinds = {"right": heat, "no ReLU, rescaled": (signed - low) / (high - low), "absolute": abs(signed)}
shares = {}
for name, maps in kinds.items():
    inside = (maps * where).sum(axis=(1, 2)) / np.maximum(maps.sum(axis=(1, 2)), 1e-9)
    shares[name] = explain.average(inside, test)
    print(f"{name:18s} {shares[name]}")

# %% tags=["nbval-check-output"]
print(f"the lesion itself: {where.mean():.3f} of the film, mean of {len(where)}")

# %% [markdown]
# **Explain.** The last line is the one to compare with: heat spread evenly over the film would have that share inside.
# Rescaled or with absolute values, heat that speaks for the class is drowned by what is around zero or below it. The
# interval draws patients, as in lesson 07 (`explain.average??`), and n counts films.
#
# ### Checkpoint
#
# A colleague shows a map whose brightest spots lie in the *healthy* lung. The network says 0.999 and is right. Where do
# you look first?
#
# 1. The network looks at healthy lung to recognise pneumonia.
# 2. How the map was made: was the cut left out, or the sign lost, and of which number is the gradient?
# 3. Another film: one on which the map looks better.
#
# <details><summary>Answer</summary>
# 2. Without the cut, or with absolute values, what speaks <em>against</em> the class glows too; and the gradient of a
#    probability is empty once p rounds to 1, and with softmax mixes the other classes in. Answer 1 takes a picture for
#    a reason before the picture was checked. Answer 3 is the subject of the next step. </details>

# %% tags=["author", "verdict"]
# verdict(
#     "10.without-the-cut-less-heat-is-inside",
#     shares["right"].value > max(shares["no ReLU, rescaled"].value, shares["absolute"].value),
# )

# %% [markdown]
# ## Step 4 · Right, or only pleasing?
#
# A paper has room for three films. Here are three, with maps of a method that we keep to ourselves for a moment.
#
# **Predict.** How good is this method?

# %%
unnamed = explain.random_maps(marked, seed=SEED)
best = np.argsort(-explain.map_scores(unnamed, where)["energy"].to_numpy())[:3]
plots.heat_maps(
    marked[best],
    {"the method": unnamed[best]},
    masks=[{"lesion": where[i]} for i in best],
    title="Three examples",
)

# %% tags=["nbval-check-output"]
fits = explain.map_scores(unnamed, where)["energy"]
print(f"heat inside the lesion, these three: {fits[best].mean():.2f}, all films: {fits.mean():.2f}")
print(f"the lesion's own share of the film: {where.mean():.2f}")

# %% [markdown]
# **Explain.** The maps are random numbers, made without any network (`explain.random_maps`). We drew one for each film
# and picked the three that fit best. Over all films they find nothing: heat that is spread by luck lies inside as often
# as the lesion is large. With some dozen films the nicest examples of *any* method look like something. Hence: all
# films, a number for each, and an interval. Two numbers are common:
#
# - **energy inside**: which share of the heat lies inside the mask;
# - **pointing game**: does the hottest place lie inside the mask, yes or no (Zhang et al. 2018).
#
# Both mean nothing alone. A large lesion is hit by luck, and most lesions lie where lungs are. So we need maps that
# know nothing: the random one, and one that is a bell in the **centre** of each film.
#
# **Predict.** Both scores of the centred map: more, or less than the mask's share of the film?

# %% tags=["author", "verdict"]
# verdict("10.three-picked-look-better", fits[best].mean() > 1.2 * fits.mean())
# verdict("10.random-maps-find-nothing", abs(fits.mean() - where.mean()) < 0.03)

# %%
energy = (heat * where).sum(axis=(1, 2)) / np.maximum(heat.sum(axis=(1, 2)), 1e-9)
top = heat.reshape(len(heat), -1).argmax(axis=1)
hit = where.reshape(len(where), -1)[np.arange(len(top)), top]
print(f"by hand: energy inside {energy.mean():.3f}, pointing game {hit.mean():.3f}")


# %% tags=["nbval-check-output"]
maps = {"centred": explain.centred(marked), "random": unnamed}
found = explain.localisation(maps, where, test)
found[["map", "measure", "value", "low", "high", "n", "groups"]].round(3)

# %%
maps = {"Grad-CAM": heat} | maps
found = explain.localisation(maps, where, test)
found[["map", "measure", "value", "low", "high", "n", "groups"]].round(3)

# %% [markdown]
# **Explain.** `mask's share` is what a map gets that is hot everywhere alike, and random maps come out near it. The
# centred map shows how much *energy* is gained by knowing that a chest is in the middle of a film; in the pointing
# game it cannot win, for its hottest point is the mediastinum, not a lung. What Grad-CAM has above *both* is what it
# knows. To say whether that is more than luck, compare the two on the same films, as lesson 07 did with models: the
# difference film by film, and its interval.
#
# **Predict.** Will the interval of Grad-CAM minus centred include zero?

# %%
scores = {name: explain.map_scores(each, where) for name, each in maps.items()}
for measure in ("energy", "pointing"):
    for other in ("centred", "random"):
        gain = scores["Grad-CAM"][measure] - scores[other][measure]
        print(f"Grad-CAM - {other:8s} {measure:8s} {explain.average(gain, test)}")

# %% [markdown]
# **Explain.** Where the interval lies above zero, the map has found more of the lesion than a map that knows nothing.
# And still: with all of this, a good part of its heat lies outside (one minus the energy). Read off the table how much.

# %% tags=["author", "verdict"]
# verdict(
#     "10.grad-cam-beats-maps-that-know-nothing",
#     min(
#         explain.average(scores["Grad-CAM"]["energy"] - scores[other]["energy"], test).low
#         for other in ("centred", "random")
#     )
#     > 0,
# )

# %% [markdown]
# ## Step 5 · A second opinion: occlusion
#
# Grad-CAM looks inside. **Occlusion** only asks (Zeiler and Fergus 2014): cover a square of the film with grey, and see
# how far the logit falls. Then the next square.
#
# **Predict.** A square of 16 pixels, moved by 10: how many answers does one film cost? Will its map agree with
# Grad-CAM?


# %%
def logit(model, films):
    """The number before the sigmoid, for each film."""
    last = model.layers[-1]
    features = keras.Model(model.inputs[0], last.input)(films[..., None].astype("float32"))
    return np.asarray(features @ last.kernel + last.bias)[:, 0]


patch, step = 16, 10
starts = range(0, SIZE - patch + 1, step)
places = [(slice(y, y + patch), slice(x, x + patch)) for y in starts for x in starts]
covered = np.repeat(marked[:1].astype("float32"), len(places), axis=0)
for film, place in zip(covered, places):
    film[place] = marked[0].mean()
fall = logit(honest, marked[:1]) - logit(honest, covered)
total, times = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
for place, amount in zip(places, fall):
    total[place] += amount
    times[place] += 1
by_hand = total / times

# %% tags=["nbval-check-output"]
occlusion = explain.occlusion(honest, marked, target=1, patch=patch, stride=step)
same = np.allclose(by_hand, occlusion[0], atol=1e-3 * abs(by_hand).max())
print(f"{len(places)} squares and the whole film: {len(places) + 1} answers for one map")
print(f"as the package's explain.occlusion has it: {same}")

# %%
maps["occlusion"] = occlusion
drawn = {name: maps[name][first] for name in ("Grad-CAM", "occlusion", "centred")}
plots.heat_maps(
    marked[first],
    drawn,
    masks=outlined[first],
    titles=captions[first],
    title="Three maps of a film",
)

# %%
found = explain.localisation(maps, where, test)
inside = found[found["measure"] == "energy inside"].rename(columns={"map": "label"})
plots.intervals(
    inside,
    baseline={"mask's share": where.mean()},
    title="Honest network: share of the heat inside the lesion (n: films)",
    xlabel="energy inside, mean and 95 % interval",
)

# %%
alike = explain.similarity(maps["Grad-CAM"], np.maximum(occlusion, 0))
print(f"rank correlation of Grad-CAM and occlusion: {explain.average(alike, test)}")

# %% [markdown]
# **Explain.** Two methods, one network, and two different maps: the **rank correlation** compares the order of the
# places from cold to hot (1: the same order, 0: none in common). They ask different questions. Grad-CAM asks what a
# *small* change of a map would do; occlusion what happens when a square is *gone*, on films with grey squares that the
# network has never seen. Neither is "the" explanation.

# %% [markdown]
# ## Step 6 · The other network
#
# Now the network that was trained where letters gave the answer away.
#
# **Predict.** The same films, with lesion *and* letters. Where will its heat be?

# %%
of_shortcut = {"Grad-CAM": explain.grad_cam(shortcut, marked, target=1)}
of_shortcut["occlusion"] = explain.occlusion(shortcut, marked, target=1, patch=patch, stride=step)
side = {"honest, Grad-CAM": heat, "honest, occlusion": occlusion}
side |= {f"shortcut, {name}": each for name, each in of_shortcut.items()}
drawn = {name: each[:2] for name, each in side.items()}
plots.heat_maps(marked[:2], drawn, masks=outlined[:2], title="Two networks, the same films")

# %% [markdown]
# Two of the three films again. The numbers, over all films: first against the lesion, then against the letters. Letters
# are thin and the maps coarse, so the mask of the letters is widened by 4 pixels, for all maps alike.

# %%
side |= {name: maps[name] for name in ("centred", "random")}
columns = {}
for what, mask, margin in (("lesion", where, 0), ("letters", letter, 4)):
    scored = explain.localisation(side, mask, test, margin=margin)
    for measure in ("energy inside", "pointing game", "mask's share"):
        part = scored[scored["measure"] == measure].set_index("map")
        columns[what, measure] = [
            f"{r.value:.2f} ({r.low:.2f}-{r.high:.2f})" for r in part.itertuples()
        ]
on_letters = scored[scored["measure"] == "energy inside"].set_index("map")["value"]
print(f"n = {len(test)} films of {test['group'].nunique()} patients")
pd.DataFrame(columns, index=list(side))

# %% [markdown]
# **Explain.** Compare row with row, and each with `mask's share`. The shortcut network puts more heat on the letters
# than that share, and more than the honest network does: its maps reach into the corner. So a map *can* raise the
# alarm. But look at the other columns too. Do the honest network's maps, too, lie on the letters more than by luck,
# although these told it nothing? And how far apart are the two networks *on the lesion*? The films are the same, so the
# difference is taken film by film, as in Step 4.
#
# **Predict.** Honest minus shortcut, heat and hits on the lesion: will the intervals include zero?

# %% tags=["author", "verdict"]
# verdict(
#     "10.shortcut-puts-more-heat-on-letters",
#     on_letters["shortcut, Grad-CAM"] > max(on_letters["honest, Grad-CAM"], on_letters["random"]),
# )

# %%
both = (heat, of_shortcut["Grad-CAM"])
ours, theirs = (explain.map_scores(each, where).astype(float) for each in both)
for measure in ("energy", "pointing"):
    less = explain.average(ours[measure] - theirs[measure], test)
    print(f"honest - shortcut, Grad-CAM, {measure:8s} {less}")

# %% [markdown]
# **Explain.** Where an interval includes zero or ends beside it, this measure does not tell the two networks apart by
# the lesion; where it lies clearly above, the honest network's maps find the lesion more often, over all films. With
# two or three of the films in a paper, which of the two networks would you have trusted?

# %% [markdown]
# ## Step 7 · What does the answer rest on? Ask it
#
# A map is a picture of a network's inside. A **counterfactual** is an experiment: the same film, the same noise, with
# *one* thing taken out. Phantoms allow it exactly: `phantom.render(row, lesion=False)` draws the same patient, healthy.

# %% tags=["nbval-check-output"]
rows = row.loc[row.index[test.index]].assign(marker="R|PORTABLE").to_dict("records")
healed = [phantom.render(r, SIZE, masks=False, lesion=False).image for r in rows]
healed = np.stack([np.rint(255 * image).astype(np.uint8) for image in healed])
same = (marked == healed).mean()
print(f"pixels that stay the same to the last grey level: {same:.0%}")

# %%
three = [marked[0], healed[0], plain[0]]
names = ["lesion and letters", "lesion taken out", "letters taken out"]
plots.compare_images(three, names, title="One film and its two counterfactuals")

# %% [markdown]
# (A lesion also scatters light over the rest of the film, which is why taking it out changes more than its outline.)
#
# **Predict.** Four numbers: for each network, how far does the probability of `bacterial` fall without the lesion, and
# how far without the letters?

# %%
rows = []
for study, model in nets.items():
    p = {
        name: np.asarray(model(x[..., None].astype("float32")))[:, 0]
        for name, x in {"whole": marked, "the lesion": healed, "the letters": plain}.items()
    }
    for what in ("the lesion", "the letters"):
        drop = explain.average(p["whole"] - p[what], test)
        label = f"{study}, without {what}"
        rows.append(
            {"label": label, "value": drop.value, "low": drop.low, "high": drop.high, "n": drop.n}
        )
drops = pd.DataFrame(rows)
plots.intervals(
    drops,
    baseline={"no effect": 0},
    title="How far the probability falls (n: films)",
    xlabel="fall of the probability, mean and 95 % interval",
)

# %% [markdown]
# **Explain.** This is the answer to the question, in the units of the question. For the honest network the letters
# matter little (an interval may still exclude zero); for the shortcut network their removal costs more, as a rule several
# times as much, on films that *do* show a pneumonia. Compare also with the lines *without the lesion*: the shortcut network
# uses the disease as well. A shortcut need not replace the signal to spoil the answer. And the other way round: what
# do letters do on films of healthy people?
#
# **Predict.** Films of healthy people, without and with letters: by how much does each network's probability of
# `bacterial` rise, and how many more of them does it call ill?

# %% tags=["author", "verdict"]
# verdict(
#     "10.letters-matter-more-to-the-shortcut",
#     drops["value"][3] > abs(drops["value"][1]),
# )
# verdict("10.shortcut-uses-the-disease-too", drops["low"][2] > 0)

# %% tags=["nbval-check-output"]
well = table[~sick & (table["split"] == "test")]
print(f"{len(well)} films of {well['group'].nunique()} healthy people")

# %%
rows, rises = [], {}
for study, model in nets.items():
    pair = [films[name][well.index][..., None].astype("float32") for name in ("plain", "marked")]
    without, added = (np.asarray(model(x))[:, 0] for x in pair)
    rises[study] = explain.average(added - without, well)
    rows.append({"network": study, "rise": str(rises[study])})
    rows[-1] |= {"called ill": (without >= 0.5).sum(), "with letters": (added >= 0.5).sum()}
fall = drops.set_index("label")["value"]
for study in nets:
    heat_there, lost = on_letters[f"{study}, Grad-CAM"], fall[f"{study}, without the letters"]
    print(f"{study:8s}: heat on the letters {heat_there:.2f}, probability lost {lost:.2f}")
pd.DataFrame(rows).set_index("network")

# %% [markdown]
# **Explain.** Each film is its own comparison, so the interval is that of the *difference*. On films without any
# lesion, the letters alone move the shortcut network towards *ill*, and much further than the honest one: compare, too,
# how many more each of them calls ill.
#
# Now set the two ways of asking side by side, as the printed lines do: the share of the *heat* on the letters (Step 6)
# and the fall of the *probability* without them. Divide shortcut by honest in each pair. Where the ratios differ, a
# map's share of heat does not measure how much hangs on a place. And heat on the lesion does not say *why* it is hot:
# its edge, its brightness, a rib that vanished; the network does not know the word pneumonia. A map is a place, not a
# reason.
#
# On real films nobody can take a lesion out. Letters, borders and corners one *can* cover: do it (lesson 09).
#
# ### Checkpoint
#
# "The heat map lies on the lung, so the network has learnt the disease and not the letters." What is missing?
#
# 1. Nothing; that is what a heat map is for.
# 2. A finer map.
# 3. Numbers over all films, a map that knows nothing to compare with, and an experiment in which the letters go.
#
# <details><summary>Answer</summary>
# 3. In Step 6 the lesion got heat from the shortcut network too, far more than by luck.
# Only the experiment of Step 7 says how much hangs on the letters. Answer 2: a sharper picture of a place is still no
# reason. </details>

# %% tags=["author", "verdict"]
# verdict("10.letters-move-the-shortcut-further", rises["shortcut"].low > rises["honest"].high)

# %% [markdown]
# ## Step 8 · Two controls that need no truth
#
# Without masks and counterfactuals two checks remain; they ask whether a map has to do with the *network*.
#
# **Randomisation** (Adebayo et al. 2018). Draw the weights of a layer anew at random, from the answer downwards, and
# make the map again. A map that stays the same shows the film's edges, not what was learnt.
#
# **Predict.** The rank correlation with the map of the trained network: after the last layer has been redrawn, and
# after all five? And what would the *centred* map score?


# %% tags=["nbval-check-output"]
def redrawn(study, layers, seed):
    """How like the trained network's maps are those of a copy with its last layers redrawn."""
    copy = explain.randomised(nets[study], seed, layers)
    trained = {"honest": heat, "shortcut": of_shortcut["Grad-CAM"]}[study]
    return np.abs(explain.similarity(trained, explain.grad_cam(copy, marked, target=1)))


unlike = [explain.random_maps(marked, seed=SEED + k) for k in (1, 2)]
print(f"two random maps: {explain.average(np.abs(explain.similarity(*unlike)), test)}")

# %%
depths = (1, 2, 5) if MODE == "class" else range(1, 6)
alike = {
    study: [
        str(explain.average(pd.DataFrame([redrawn(study, d, s) for s in range(3)]).mean(), test))
        for d in depths
    ]
    for study in nets
}
pd.DataFrame(alike, index=pd.Index(depths, name="layers redrawn"))

# %% [markdown]
# **Explain.** The table shows the size of the correlation without its sign, the mean of three redraws (with a redrawn
# last layer, what was hot may well be the coldest). It falls far below 1: Grad-CAM hangs on the weights. What stays is
# no likeness: without its sign, the correlation of two coarse maps that have nothing to do with each other is on
# average above zero, too (the printed line). The centred map would score 1.0 in every row and fail, as it
# should. Mind what is tested: *both* networks pass. The test says that the map belongs to the network, not that the
# network is right.
#
# **Deletion** (Petsiuk et al. 2018). Remove pixels, the hottest first. If the map is right about what matters to the
# network, the probability falls fast.
#
# **Predict.** Which map makes it fall fastest: Grad-CAM, occlusion, the centred or the random one?

# %% tags=["author", "verdict"]
# verdict(
#     "10.redrawn-maps-are-unlike",
#     all(float(text.split()[0]) < 0.7 for each in alike.values() for text in each),
# )

# %%
curves = {}
for study, own in {"honest": maps, "shortcut": maps | of_shortcut}.items():
    curves[study] = explain.deletion(nets[study], marked, 1, own, test)
by_map = {study: curve.groupby("map", sort=False) for study, curve in curves.items()}
plots.line(
    np.array(explain.SHARES),
    {name: part["value"].to_numpy() for name, part in by_map["honest"]},
    bands={name: (part["low"], part["high"]) for name, part in by_map["honest"]},
    title=f"Honest network: hottest pixels removed first (n = {len(test)} films)",
    xlabel="share of the pixels removed",
    ylabel="mean probability, 95 % interval",
)

# %%
at_ten = {study: curve[curve["share"] == 0.1].set_index("map") for study, curve in curves.items()}
pd.DataFrame(
    {
        study: [f"{r.value:.2f} ({r.low:.2f}-{r.high:.2f})" for r in part.itertuples()]
        for study, part in at_ten.items()
    },
    index=at_ten["honest"].index,
)

# %% [markdown]
# **Explain.** The table holds the probability after a tenth of the pixels is gone. Read it column by column: where
# Grad-CAM and occlusion lie below the two maps that know nothing, they have found something that *this* network uses,
# and that goes for the shortcut network too. Do not compare with the start of the curve. A film with grey holes looks
# like nothing the network was trained on, and the holes alone can push the probability to either side. In the figure,
# too: further right up to half of the film is holes, and the order of the lines there says little.

# %% [markdown]
# ## Step 9 · A map always comes out
#
# Last, films of the data set `DATASET`. The honest network was trained for some seconds to tell drawn bacterial
# pneumonias from drawn normal chests. It knows nothing of other diseases, and on a real set it has never seen a real
# film.
#
# **Predict.** What will it say of a film of another disease? What will the map look like?

# %% tags=["nbval-check-output"]
given = datasets.load(DATASET, DATA_DIR)
picked = pd.concat([part.head(1) for _, part in given.groupby("label", observed=True)]).head(4)
picked[["image_id", "label"]]

# %%
others = np.array(preprocess.cache(picked, size=SIZE))
p = np.asarray(honest(others[..., None].astype("float32")))[:, 0]
plots.heat_maps(
    others,
    {"Grad-CAM": explain.grad_cam(honest, others, target=1)},
    titles=[f"{label}, p = {value:.2f}" for label, value in zip(picked["label"], p)],
    title=f"Films of {DATASET}, class {ILL}",
)

# %% [markdown]
# **Explain.** Each film gets its blobs, whatever the probability and whether or not there is anything to find: the
# scale of each picture starts anew at its own hottest place. (Only where nothing at all speaks for the class does the
# map stay dark.) Nothing in such a picture says that the network was never asked this question before.

# %% [markdown]
# ## What to report
#
# | check | question | fails to see |
# |---|---|---|
# | masks: energy, pointing, with baselines | is the heat where the finding is? | why it is hot; how much hangs on it |
# | randomisation | does the map belong to the network? | whether the network is right |
# | deletion | does the network use these places? | whether it should; films with holes are odd |
# | counterfactual | how much does the answer change without this one thing? | what you did not think of taking out |
#
# On real films with masks drawn by radiologists, all seven methods that Saporta et al. (2022) compared localised worse
# than radiologists did. Our figures are of phantoms: one lobe, dense, sharp-edged, easy. They show the method, and are
# no evidence about patients.
#
# ### Checkpoint
#
# A map passes the randomisation test and the deletion test. May the paper say "the model attends to the pathology"?
#
# 1. Yes: both controls were passed.
# 2. No: both say that the map is true to the network. The shortcut network's maps pass them as well.
# 3. Yes, if three examples are shown.
#
# <details><summary>Answer</summary>
# 2. In Step 8 the shortcut network passed both. What it rests on is told by masks and counterfactuals, not by controls
# of the map. Answer 3: Step 4.
# </details>

# %% [markdown]
# ## Key points
#
# - Grad-CAM: mean gradient of the *logit* as weight, sum of the last maps, cut below zero, enlarge. It is as coarse as
#   those maps.
# - Score all films, against a mask, with interval and n, next to a random and a centred map. Three nice examples can be
#   had from random numbers.
# - Two methods give two maps of one network. Neither is the reason for the answer.
# - Heat on the lesion does not exclude a shortcut. An experiment that takes one thing out says how much hangs on it.
# - Randomisation and deletion ask whether a map is true to the network, not whether the network is right.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 10](../exercises/10_explanation_exercise.ipynb), whose checks answer at once.
#
# A probability fell by so and so much: but what is a probability of this network worth? Lesson 11 asks whether 0.8
# means eight in ten, and where to put the threshold.

# %% [markdown]
# ## Sources and licence
#
# - Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017), *Grad-CAM: visual explanations from deep networks via
#   gradient-based localization*, ICCV, doi 10.1109/ICCV.2017.74.
# - Zeiler, Fergus (2014), *Visualizing and understanding convolutional networks*, ECCV,
#   doi 10.1007/978-3-319-10590-1_53.
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
