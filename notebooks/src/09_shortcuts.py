# %% [markdown]
# # 09 · Shortcuts
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can the number be trusted, and what did the model learn?* A network is rewarded for the right answer, not for the
# right reason. If something else in the image goes with the disease and is easier to see, the network may learn that
# instead: a **shortcut**. This lesson plants shortcuts on purpose, so that the truth is known, and looks for ways to
# notice them.
#
# **You will be able to**
#
# - say why a high accuracy on a test part of the same set does not show that a model sees the disease;
# - test what a trained model uses, with the suspected sign removed, reversed or random;
# - tell which repair works: erasing where found, on one side, or everywhere;
# - measure what the frame of an image reveals, and say what such an audit cannot see;
# - (deeper) show why cropping does not remove a hospital's style or a patient's age.
#
# **Time and hardware.** 45 minutes for the core, 30 more for the steps marked *deeper*, which you can skip; about one
# minute of it computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01 (the project), 02 (audit by frame), 04 (split by patient, AUC), 06 (the compact network)
# and 07 (intervals, sensitivity).

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import audit, baselines, datasets, duplicates, evaluate, guess, manifest
from cxr_helpers import measured, models, phantom, plots, preprocess, quiet, split, train

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names. A network's results differ a little between machines, and more on a GPU. The experiments use phantoms,
# whatever `DATASET` says; Step 8 audits the set named there.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A word that follows the disease
#
# Back to the one hospital of lesson 01: patients without COVID-19 walk into the X-ray room; patients with COVID-19 are
# imaged in bed, and the portable machine leaves a **marker** on the image: an R, often with initials, and the word
# PORTABLE. We call all of this *the word*. It goes with the disease, though nobody intended that.
#
# We draw each image of the project twice, once with the word and once without. Nothing else differs: the same patient,
# the same noise. (What follows teaches the method and is no evidence about patients.)

# %% [markdown] tags=["instructor"]
# **6 minutes · do.** Show one pair of images and wait until somebody says *the letters*. Do not help.
#
# *Asked:* "Is that realistic?" Portable machines and their markers are; so are collections in which each class comes
# from another hospital.

# %% [markdown]
# ![Two things in a radiograph lead to the answer: a mark of how it was taken, in the corner, and the disease in the
# lung. In this set they go together. The mark is easy to learn, the disease hard, and a network takes the easier
# way.](../docs/diagrams/d09_graph.png)

# %% tags=["nbval-check-output"]
design = phantom.design(
    "marker", n=400, text="R|PORTABLE", severity=(0.2, 0.7), per_patient=2.0, seed=SEED
)
work = datasets.work_dir()
drawn = {}
for name, text in {"with word": "R|PORTABLE", "without": ""}.items():
    plan = design.assign(marker=text)
    folder = phantom.cached(plan, work, "project-twins", size=96, format="png", masks=False)
    table = manifest.from_folder(folder, patient=r"(P\d+)_").table
    drawn[name] = np.array(preprocess.cache(table, size=96))
table["group"] = table["patient"]
ill = (table["label"] == "covid").to_numpy()
print(f"{len(table)} images of {table['patient'].nunique()} patients, {ill.sum()} with COVID-19")


# %%
def worn_by(who):
    """All images, with the word on these and on no others."""
    return np.where(who[:, None, None], drawn["with word"], drawn["without"])


as_taken = worn_by(ill)
some = design.groupby("label").head(3).sort_values("label", ascending=False)
large = [phantom.render(row, 224).image for _, row in some.iterrows()]
plots.montage(large, some["label"], columns=3, title="Six of them, larger: what differs?")

# %% [markdown]
# **Explain.** Seeing the haze in the lower lungs takes a trained eye, and some images show hardly any. Everybody sees
# the word. It is on every image of a patient with COVID-19, and on no other. (Borders and devices occur in both
# classes.)

# %% [markdown]
# ## Step 2 · A good result
#
# All images of a patient stay on one side (lesson 04).

# %% [markdown] tags=["instructor"]
# **7 minutes · do.** Run, read the accuracy, vote at the checkpoint. Most take answer 1: leave it.
#
# *Asked:* "But the split is clean, is it not?" It is. The word is on both sides of every clean split.
#
# *Pause* at the checkpoint. Note the vote on the board, and come back to it after Step 3.

# %% tags=["nbval-check-output"]
table = split.holdout(table, test=0.3, val=0, seed=SEED)
split.assert_disjoint(table)
in_test = (table["split"] == "test").to_numpy()
test = table[in_test]
pd.crosstab(table["split"], table["label"])

# %% [markdown]
# The network is that of lesson 01, layer by layer.

# %%
with quiet():
    import keras

    keras.utils.set_random_seed(SEED)
layers = keras.layers
network = keras.Sequential(
    [
        keras.Input((96, 96, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(2, activation="softmax"),
    ]
)
network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
truth = table["label"].cat.codes.to_numpy()
fit = network.fit(
    as_taken[~in_test][..., None], truth[~in_test], epochs=20, batch_size=16, verbose=0
)


# %%
def answers(model, pictures):
    """The predictions table of a model on the test images, as they look in these pictures."""
    scores = model.predict(pictures[in_test][..., None], verbose=0)
    if scores.shape[1] == 1:  # one output: the probability of the second class
        scores = np.hstack([1 - scores, scores])
    return train.predictions_table(test, scores, model=model.name)


worlds = {"as taken": answers(network, as_taken)}
accuracy = evaluate.metric(worlds["as taken"], "accuracy")
print(f"accuracy on new patients of this hospital: {accuracy}")

# %% [markdown]
# **Explain.** The accuracy is high on patients that the network had not seen. Nothing leaked, and nothing was chosen
# on the test part. Many reports end here. This is called **internal validation**: the test images come from the same
# place as the training images.
#
# ### Checkpoint
#
# What has been shown so far?
#
# 1. The network finds COVID-19 on the images of this hospital.
# 2. The network tells the two groups of images of this set apart.
# 3. Nothing, because the test part is too small.
#
# <details><summary>Answer</summary>
# 2, and no more. The groups differ in the disease <em>and</em> in the word, on both sides of every split, so 1 does not
# follow. More such images (3) would only make us surer of 2. </details>

# %% tags=["author", "verdict"]
# verdict("09.marker-gives-a-high-accuracy", accuracy.value > 0.8)

# %% [markdown]
# ## Step 3 · The same images, asked differently
#
# To learn what a network uses, change *one* thing and see whether the answer changes. An image that differs from
# another in one thing only, here in the word, is called its **counterfactual**. The network is not trained again.
# We use four test sets of the same chests:
#
# | test set | the word is worn by |
# |---|---|
# | as taken | the patients with COVID-19, as in training |
# | removed | nobody |
# | reversed | the patients without COVID-19 |
# | random | half of the patients, chosen at random |

# %% [markdown] tags=["instructor"]
# **12 minutes · do.** Three predictions, three surprises; this is the centre of the course. Keep the order: removed,
# reversed, random. Lesson 01's number is explained here.
#
# *Asked:* "How can it be below chance?" It believes the word, and the word now lies.
#
# *Pause* after *reversed*, for a minute, before anything is explained. Then back to the vote of Step 2.

# %% [markdown]
# ![The same chests in four test sets. As taken, those with COVID-19 wear the word, as in training. Removed: nobody.
# Reversed: those without COVID-19. Random: half of each group. Nothing else in the images has
# changed.](../docs/diagrams/d09_four_tests.png)

# %% [markdown]
# **Predict.** Nobody wears the word. What accuracy does the network reach? (Half of the images show the disease.)

# %% tags=["nbval-check-output"]
MY_REMOVED = None  # your prediction: accuracy when nobody wears the word, from 0 to 1
removed = guess.number(
    "09.word-removed",
    MY_REMOVED,
    what="accuracy, nobody wears the word",
    between=(0, 1),
    example=0.85,
)
removed

# %%
nobody = np.zeros(len(table), bool)
worlds["removed"] = answers(network, worn_by(nobody))
without_word = evaluate.metric(worlds["removed"], "accuracy")
print("accuracy:", without_word)
for name in ("as taken", "removed"):
    print(f"{name}, sensitivity:", evaluate.metric(worlds[name], "sensitivity", "covid"))

# %%
removed.meets(
    without_word,
    beliefs=[
        (0.7, 1, "You took it for a model of the disease. The chests are the same as before."),
        (0, 0.35, "Without the word nearly everybody is called normal: half of that is right."),
    ],
)

# %% [markdown]
# **Explain.** The disease is as visible as before. The sensitivity says what happened: without the word, the network
# finds far fewer of the patients with COVID-19.
#
# **Predict.** Now the patients *without* COVID-19 wear the word. What is the accuracy?

# %% tags=["nbval-check-output"]
MY_REVERSED = None  # your prediction: accuracy when the others wear the word, from 0 to 1
reverse = guess.number(
    "09.word-reversed",
    MY_REVERSED,
    what="accuracy, the others wear the word",
    between=(0, 1),
    example=0.5,
)
reverse

# %%
worlds["reversed"] = answers(network, worn_by(~ill))
on_others = evaluate.metric(worlds["reversed"], "accuracy")
print("accuracy:", on_others)

# %%
reverse.meets(
    on_others,
    beliefs=[
        (0.35, 0.65, "A model that ignores the word would guess. This one believes the word."),
        (0.65, 1, "A model of the disease would: its answer would not depend on the word."),
    ],
)

# %% [markdown]
# **Explain.** The accuracy is far below guessing. A model that knew nothing would be right half of the time; this one
# has learned the wrong thing.
#
# **Predict.** Half of all patients, chosen at random, wear the word. What is the accuracy?

# %% tags=["nbval-check-output"]
MY_RANDOM = None  # your prediction: accuracy when half of the patients wear the word, from 0 to 1
at_random = guess.number(
    "09.word-random",
    MY_RANDOM,
    what="accuracy, half wear the word",
    between=(0, 1),
    example=0.85,
)
at_random

# %%
names = table["patient"].unique()
wearers = np.random.default_rng(SEED).choice(names, len(names) // 2, replace=False)
worlds["random"] = answers(network, worn_by(table["patient"].isin(wearers).to_numpy()))
by_half = evaluate.metric(worlds["random"], "accuracy")
print("accuracy:", by_half)

# %%
at_random.meets(
    by_half,
    beliefs=[
        (0.65, 1, "Who wears the word is called ill: true for half of the wearers only."),
        (0, 0.35, "The word misleads on half of the patients, not on all of them."),
    ],
)

# %%
rows = [{"label": name, **vars(evaluate.metric(each, "accuracy"))} for name, each in worlds.items()]
plots.intervals(
    pd.DataFrame(rows)[["label", "value", "low", "high", "n"]],
    baseline={"guessing": 0.5},
    title="One network, four ways to wear the word",
    xlabel="accuracy on the same test images",
)

# %% tags=["picture"]
plots.slide_share(
    ill[in_test],
    worlds["as taken"]["p_covid"],
    worlds["removed"]["p_covid"],
    worlds["reversed"]["p_covid"],
)

# %% tags=["author", "verdict"]
# verdict("09.reversed-marker-reverses-the-answers", on_others.high < 0.5)
# verdict("09.without-a-marker-the-accuracy-falls", without_word.value < accuracy.value - 0.15)
# verdict(
#     "09.without-a-marker-few-are-found",
#     evaluate.metric(worlds["removed"], "sensitivity", "covid").value
#     < evaluate.metric(worlds["as taken"], "sensitivity", "covid").value - 0.3,
# )
# verdict("09.random-is-between", on_others.value < by_half.value < accuracy.value)

# %% [markdown]
# **Explain.** *Random*: the word points the right way for about half of the patients, the wrong way for the others.
#
# Was this one unlucky set? Each row is the mean accuracy over `seeds` sets, each drawn anew (`python -m
# benchmarks.story`), with its 95 % interval; each set has `n` test images.

# %% tags=["nbval-check-output"]
story = measured.read("story").set_index("row")
steps = ["as reported: images at random", "split by patient"]
steps += ["nobody wears the word", "the others wear the word"]
story.loc[steps, ["mean", "low", "high", "seeds", "n"]]

# %% [markdown]
# **Explain.** No: the mean over several sets says the same. The first accuracy is true for images on which patients
# with COVID-19 wear a word. It was taken for a statement about lungs.
#
# The images do show the disease, and Step 4 trains a network that sees some of it. But the word is easier. A network
# takes what is easiest (Geirhos et al. 2020), and often stops there. Where the disease is easy to see, a network may
# use both.

# %% [markdown]
# ## Step 4 · Four repairs, of which one repairs
#
# We know where the word is, because the two drawings of an image differ nowhere else. So we black it out, with three
# pixels around it, in four ways:
#
# | | training images | test images |
# |---|---|---|
# | A | as taken | word blacked out, where there is one |
# | B | word blacked out, where there is one | as taken |
# | C | word blacked out, where there is one | word blacked out, where there is one |
# | D | the same places blacked out on *every* image | the same places, on every image |

# %% [markdown] tags=["instructor"]
# **10 minutes · do.** Four repairs in a table: let groups of four defend one each, two minutes, then run.
#
# *Asked:* "Why does blacking out the word not repair it?" The hole is on the same images as the word: it is the new
# word.

# %% tags=["nbval-check-output"]
letters = drawn["with word"] != drawn["without"]
letters = ndimage.maximum_filter(letters, size=(1, 7, 7))
anywhere = letters[ill & ~in_test].any(axis=0)  # wherever a training image has the word
holes = np.where(letters & ill[:, None, None], 0, as_taken)
covered = np.where(anywhere, 0, as_taken)
print(f"covered everywhere: {anywhere.mean():.0%} of every image")

# %%
k = [np.flatnonzero(ill)[0], np.flatnonzero(~ill)[0]]
plots.montage(
    [pictures[i] for i in k for pictures in (holes, covered)],
    [f"{table['label'][i]}, {how}" for i in k for how in ("where found", "everywhere")],
    columns=4,
    title="Two ways to erase",
)

# %% [markdown]
# A repair is tested on the same chests, drawn without any word from the start. There, only the disease can tell the
# classes apart. A repaired model has the same score there as in its own test, and a better one than guessing.
#
# **Predict.** Which of the four repairs passes?

# %% tags=["nbval-check-output"]
MY_REPAIR = None  # your prediction: "A", "B", "C" or "D"
SURE_REPAIR = None  # how sure you are, from 0.25 (no idea) to 1
repair = guess.choice(
    "09.which-repair",
    MY_REPAIR,
    options=["A", "B", "C", "D"],
    sure=SURE_REPAIR,
    what="the repair that repairs",
    example="C",
)
repair

# %% [markdown]
# A is the network of Step 2. For the others we train the compact network of lesson 06, which sees faint disease better.
# B and C share one network; a few epochs are enough to learn the holes.

# %%
recipe = models.RECIPES["compact"]
few = 10 if MODE == "class" else recipe.epochs
with quiet():
    hole = train.fit(recipe, table, holes, epochs=few, seed=SEED).model
    cover = train.fit(recipe, table, covered, seed=SEED).model

bare = drawn["without"]
tests = {  # of each repair: its own test, and the same chests without any word
    "A": (answers(network, holes), answers(network, bare)),
    "B": (answers(hole, as_taken), answers(hole, bare)),
    "C": (answers(hole, holes), answers(hole, bare)),
    "D": (answers(cover, covered), answers(cover, np.where(anywhere, 0, bare))),
}
auc, found = {}, {}
for name, both in tests.items():
    auc[name] = [evaluate.metric(each, "roc_auc", "covid") for each in both]
    found[name] = [evaluate.metric(each, "sensitivity", "covid") for each in both]
shown = {name: [one.text(counts=False) for one in (*auc[name], *found[name])] for name in tests}
columns = ["AUC, own test", "AUC, no word", "sensitivity, own test", "sensitivity, no word"]
print(f"n = {in_test.sum()} images of {test['patient'].nunique()} patients each")
pd.DataFrame.from_dict(shown, orient="index", columns=columns)

# %% tags=["nbval-check-output"]
gap = {name: abs(own.value - no_word.value) for name, (own, no_word) in auc.items()}
passes = min(gap, key=gap.get)
print(f"the smallest gap between the two AUCs: {passes}")

# %% tags=["nbval-check-output"]
repair.meets(
    passes,
    beliefs={
        "C": "Nobody wears the word any more. But only COVID-19 images have a hole.",
        "B": "It learned to look for holes, and the test images have none.",
        "A": "A question to the network, and no repair: it has learned the word already.",
    },
)

# %% [markdown]
# **Explain.**
#
# - **C.** No word is left anywhere, and the score is about perfect: the hole has become the marker. On chests that
#   never wore the word, the same network finds (almost) no COVID-19. (Perfect is not certain: lesson 07.)
# - **B.** The network learned to look for holes, and the test images have none. It finds (almost) no COVID-19. Its
#   two AUCs may be close, too, but near 0.5: equal and useless.
# - **A.** The network has never seen a hole; nobody can say beforehand what it makes of one. A high own score means: it
#   takes the hole for the word.
# - **D.** Images with and without disease are treated alike, in training and test. The columns agree, because
#   nothing of the word is left. This score is lower than C's, but it is the only one about the chest: where its
#   interval lies above 0.5, some of the disease is seen.
#
# The rule: **a repair must depend neither on the label nor on the side of the split.** The price of D: what could be seen
# in the covered places is lost.
#
# ### Checkpoint
#
# A colleague has painted lung over the word on all *training* images, and has not changed the test images. What does
# the test AUC show?
#
# 1. That the model works without the word: it never saw one.
# 2. What the model makes of images that differ from those it learned from: a word it has never met, on COVID-19 images
#    only.
# 3. The same as before the repair.
#
# <details><summary>Answer</summary>
# 2. A strange object may move the scores up or down, but only on the COVID-19 images. So 1 does not follow. Answer 3
# would need the model to know the word. </details>

# %% tags=["author", "verdict"]
# verdict("09.erased-where-found-is-about-perfect", auc["C"][0].value > 0.97)
# verdict("09.and-calls-nobody-ill-without-holes", found["C"][1].value < 0.1)
# verdict("09.erased-in-train-only-finds-nothing", found["B"][0].value < 0.1)
# verdict("09.erased-in-test-only-still-wants-a-marker", found["A"][1].value < 0.5)
# verdict("09.erased-everywhere-agrees-with-the-touchstone", gap["D"] < 0.05 and passes == "D")
# verdict("09.erased-everywhere-sees-some-disease", auc["D"][0].low > 0.5)
# verdict("09.erased-everywhere-is-lower-than-the-good-ones", auc["D"][0].value < auc["C"][0].value)

# %% [markdown]
# ## Step 5 · What the frame tells
#
# Can a shortcut be noticed *before* training? Lesson 02 trained a simple model on the **frame** alone, the outer tenth
# of the image (after Maguolo and Nanni 2021). It holds a part of nearly every word. We train a random forest on it.

# %% [markdown] tags=["instructor"]
# **10 minutes · do.** From the phantom to published sets. Predict the AUC from file properties; nobody says 0.99.
#
# *Asked:* "Are all results on these sets wrong?" They are not supported. The lungs may tell it as well; nobody can
# see it there.
#
# *Pause* at the table of real sets, and at the checkpoint.
#
# *Break* before this step.

# %%
frame = np.ones((96, 96), bool)
frame[9:-9, 9:-9] = False
forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=SEED)
folds = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
votes = cross_val_predict(
    forest, as_taken[:, frame], ill, groups=table["patient"], cv=folds, method="predict_proba"
)
plain = roc_auc_score(ill, votes[:, 1])
print(f"COVID-19 from the frame: AUC {plain:.3f}")

# %%
shown = [np.where(frame, image, 0) for image in as_taken[[ill.argmax(), (~ill).argmax()]]]
plots.compare_images(shown, ["COVID-19", "normal"], title="All that the forest sees")

# %% [markdown]
# `audit.frame_baseline` does the same for images of any size, and gives the AUC an interval.

# %%
from_frame = evaluate.metric(audit.frame_baseline(table, as_taken, seed=SEED), "roc_auc", "covid")
assert abs(from_frame.value - plain) < 0.1
print("COVID-19 from the frame:", from_frame)

# %% [markdown]
# **Explain.** The network depends on the word; the forest does not notice it: trees on single pixels cannot read what
# changes its place (lesson 02). **An audit sees what its model can see**: if a weak model finds a shortcut, the
# shortcut is there; if it finds none, that proves little. A person who looked found the word, and so did the tests of
# Step 3.
#
# Now come real radiographs (`python -m benchmarks.shortcuts`): case E's published set and 925 images of
# DarkCovidNet's. No model scores an image whose group it saw.
#
# **Predict.** No picture is opened: only the properties of the files are known (format, mode, size and bytes per pixel,
# of reduced copies, not the originals). What is the AUC for COVID-19 against all other images of DarkCovidNet's set?

# %% tags=["nbval-check-output"]
MY_FILES = None  # your prediction: AUC from file properties alone, from 0 to 1
files_only = guess.number(
    "09.files-darkcovidnet", MY_FILES, what="AUC from file properties", between=(0, 1), example=0.6
)
files_only

# %% tags=["nbval-check-output"]
real = measured.read("shortcuts")
columns = ["auc_covid", "auc_covid_low", "auc_covid_high"]
real["AUC"] = [f"{v:.3f} ({low:.2f}-{high:.2f})" for v, low, high in real[columns].to_numpy()]
titles = {"covid19-image-dataset": "case E", "darkcovidnet": "DarkCovidNet"}
real["set"] = real["set"].replace(titles)
case_e = real[real["set"] == "case E"].set_index("seen")
other_set = real[real["set"] == "DarkCovidNet"].set_index("seen")
from_files = tuple(other_set.loc["file properties", columns])
real[["set", "seen", "AUC", "n", "groups"]]

# %% tags=["nbval-check-output"]
files_only.meets(
    from_files,
    beliefs=[
        (0.4, 0.65, "No pixel is seen. But each collection saves its files in its own way."),
        (0.65, 0.92, "It is higher still: the files alone nearly give the class away."),
    ],
)

# %% [markdown]
# **Explain.** On case E's set the frame comes close to the whole image. So a high AUC there is weak evidence that a
# network has looked at the lungs. (Nor is it evidence against this: the lungs may tell the class as well.) Cropping
# does not help: the *centre*, half as wide and half as high, tells as much as the frame.
#
# In DarkCovidNet's set the COVID-19 images come from one collection, all others from another. A **look-up** of the
# source, which opens no image, separates them perfectly.
#
# DeGrave et al. 2021 found that networks trained on sets of this kind used letters, edges and the position of the
# patient. In Zech et al. 2018, an AUC of 0.931 became 0.815 at another hospital.
#
# ### Checkpoint
#
# A paper crops all images to the lungs with a good segmentation network and reports an AUC of 0.98, "free of shortcuts".
# The COVID-19 images come from one hospital, the others from another. What do you answer?
#
# 1. Convincing: outside the lungs nothing is left.
# 2. The grey levels inside the lungs carry the hospital's style. Show both labels from each hospital, or images from a
#    third.
# 3. Convincing if the interval is narrow.
#
# <details><summary>Answer</summary>
# 2. Exposure, contrast and sharpness are in the lungs' own pixels (Step 6 measures it). Answer 1 expects cropping to
# remove them. Answer 3: a narrow interval makes the number certain, not its meaning. </details>

# %% tags=["author", "verdict"]
# verdict("09.frame-audit-is-far-below-the-network", from_frame.value < evaluate.metric(worlds["as taken"], "roc_auc", "covid").value - 0.15)
# verdict(
#     "09.frame-comes-close-to-the-whole-on-case-e",
#     case_e["auc_covid"]["frame, logistic regression"]
#     > case_e["auc_covid"]["whole image, logistic regression"] - 0.03,
# )

# %% [markdown]
# ## Step 6 · Cropping, and a hospital's style · deeper
#
# Letters can be cut away. But hospitals also differ in exposure, contrast and sharpness. In the course's phantoms the
# hospital (A or B) was drawn at random, whatever the disease.

# %% tags=["nbval-check-output"]
home = phantom.cached(phantom.design("default"), work, "default")
two = manifest.from_folder(home, patient=r"(P\d+)_").table
listed = pd.read_csv(home.parent / "truth.csv").set_index("image_id")
two["source"] = listed["site"].loc[two["image_id"]].to_numpy()
two["group"] = two["patient"]
two = two[two["label"].isin(["normal", "covid"])].reset_index(drop=True)
two["label"] = two["label"].cat.remove_unused_categories()
pd.crosstab(two["label"], two["source"])

# %% [markdown]
# We make four views of every image, at 32 × 32 pixels: whole, the centre, the lungs alone (cut out along their true
# outline), and everything but the lungs.

# %%
whole = np.array(preprocess.cache(two, size=32))
lungs = [phantom.read_masks(phantom.mask_file(path, home))["lung"] for path in two["path"]]
shares = np.array(lungs).reshape(len(two), 32, 7, 32, 7).mean(axis=(2, 4))  # blocks of 7 × 7
in_lungs = shares > 0.5
views = {
    "whole image": whole,
    "centre": np.ascontiguousarray(whole[:, 8:24, 8:24]),
    "lungs only": np.where(in_lungs, whole, 0).astype(np.uint8),
    "all but lungs": np.where(in_lungs, 0, whole).astype(np.uint8),
}
first = [np.flatnonzero(two["source"] == name)[0] for name in ("A", "B")]
plots.montage(
    [view[i] for i in first for view in views.values()],
    [f"{two['source'][i]}: {name}" for i in first for name in views],
    columns=4,
    title="Four views of an image from each hospital",
)

# %% [markdown]
# Now we tie the hospital to the disease, as collectors of public sets have done: we *select* training images, COVID-19
# from hospital B, normal from A. No pixel changes. The model is logistic regression. It is tested on images selected
# in the same way, and on images selected the other way round.
#
# **Predict.** What is the AUC on the lungs alone, with the hospitals reversed?

# %% tags=["nbval-check-output"]
MY_LUNGS = None  # your prediction: AUC of the lungs alone, hospitals reversed, from 0 to 1
lungs_alone = guess.number(
    "09.lungs-only-reversed",
    MY_LUNGS,
    what="AUC, lungs only, hospitals reversed",
    between=(0, 1),
    example=0.7,
)
lungs_alone

# %%
follows = (two["label"] == "covid") == (two["source"] == "B")
every = split.holdout(two, test=0.4, val=0, seed=SEED)
tied = every.assign(split=every["split"].where(follows | (every["split"] == "test")))
agrees = dict(zip(two["image_id"], follows))
by_view, answers_tied = {}, {}
for name, view in views.items():
    scored = baselines.logistic_regression(tied, view)  # trained on selected images only
    answers_tied[name] = scored
    same = scored["image_id"].map(agrees)
    fair = baselines.logistic_regression(every, view)  # trained on all images
    trials = {"same": scored[same], "reversed": scored[~same], "all, trained on all": fair}
    by_view[name] = {k: evaluate.metric(each, "roc_auc", "covid") for k, each in trials.items()}
pd.DataFrame(by_view).T.map(str)

# %%
lungs_alone.meets(
    by_view["lungs only"]["reversed"],
    beliefs=[
        (0.55, 1, "You took cropping for a cleaner: the style is in the lungs' own pixels."),
        (0.4, 0.55, "The lungs would guess if they knew nothing of the hospital. They know it."),
    ],
)

# %% [markdown]
# **Explain.** No view is safe. Each scores high where hospital and disease agree, and far below 0.5 where they
# disagree. *All but lungs* shows no lung that could be diseased (the outlines may tell a little), and still scores
# high. So a high score of the whole image proves nothing about lungs. Cropping removes what stands outside the crop,
# and nothing else. (On real images, sorting by hospital alone gave an AUC of 0.861 for pneumonia, because the
# hospitals differed in how many patients had it: Zech et al. 2018.)
#
# The last column is the repair: **both hospitals with both labels in training**. A visible shortcut does no harm as
# long as it is not tied to the label.
#
# Where the *test* holds both labels from each hospital, there is a number that no difference between hospitals can
# raise: the AUC over pairs from *one* hospital.
#
# **Predict.** The model that learned on selected whole images scored nearly 1 on test images like them. What is its AUC
# within hospital A?

# %% tags=["nbval-check-output"]
MY_WITHIN = None  # your prediction: AUC within hospital A, from 0 to 1
within = guess.number(
    "09.within-hospital", MY_WITHIN, what="AUC within hospital A", between=(0, 1), example=0.9
)
within

# %%
scored = answers_tied["whole image"]
inside = {name: scored[scored["source"] == name] for name in ("A", "B")}
inside = {name: evaluate.metric(each, "roc_auc", "covid") for name, each in inside.items()}
for name, one in inside.items():
    print(f"within hospital {name}: {one}")

# %%
within.meets(
    inside["A"],
    beliefs=[
        (0.75, 1, "Within one hospital the style is the same for both classes: no help left."),
        (0, 0.3, "Below 0.5 needs knowledge that misleads. Within a hospital none is left."),
    ],
)

# %% [markdown]
# **Explain.** This AUC is what is left when the hospital cannot help. It is far below what was claimed, and where its
# interval holds 0.5, these images show nothing. This test needs no new training and no reversed set. It needs only
# both labels from each hospital, and the name of the hospital in the table.

# %% tags=["author", "verdict"]
# verdict(
#     "09.no-view-is-safe",
#     all(one["same"].value > 0.8 and one["reversed"].value < 0.4 for one in by_view.values()),
# )
# verdict(
#     "09.both-labels-from-both-hospitals-repair",
#     min(by_view[name]["all, trained on all"].value for name in ("whole image", "centre", "lungs only"))
#     > by_view["all but lungs"]["all, trained on all"].value,
# )
# verdict(
#     "09.within-a-hospital-far-below-the-claim",
#     max(one.value for one in inside.values()) < by_view["whole image"]["same"].value - 0.15,
# )

# %% [markdown]
# ## Step 7 · Children against adults · deeper
#
# Not every shortcut is an object or a style. In the published set of case E the COVID-19 images are of adults, and the
# others look like children's. Bones, proportions and the place of the heart then differ between the classes: all of
# this is anatomy, and none of it is the disease. In the design `children_adults` the normal images are of children and
# the COVID-19 images of adults; `reverse=True` reverses this. In a third set, all are adults.

# %% tags=["nbval-check-output"]
options = {"n": 90, "seed": SEED, "classes": ("normal", "covid"), "letters": 0}
plans = {
    "as in training": phantom.design("children_adults", **options),
    "reversed": phantom.design("children_adults", reverse=True, **options),
    "adults only": phantom.design("default", **options),
}
pixels = {}
for name, ages in plans.items():
    root = phantom.cached(ages, work, "lesson-02", size=96, masks=False)
    people = manifest.from_folder(root, patient=r"(P\d+)_").table  # the same names each time
    people["group"] = people["patient"]
    pixels[name] = preprocess.cache(people, size=32).reshape(len(people), -1)
ages = {name: each.groupby("label")["age_group"].first() for name, each in plans.items()}
print(pd.DataFrame(ages).to_string())

# %% [markdown]
# A linear model is trained on the first set, in five folds by patient, and scores the held-out patients of all three.
#
# **Predict.** In the set of adults only, what share of those *without* COVID-19 is called ill?

# %% tags=["nbval-check-output"]
MY_ADULTS = None  # your prediction: share of the normal adults who are called ill, from 0 to 1
adults = guess.number(
    "09.normal-adults", MY_ADULTS, what="normal adults called ill", between=(0, 1), example=0.2
)
adults

# %%
has_covid = people["label"].cat.codes.to_numpy()
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
scores = {name: np.zeros((len(people), 2)) for name in pixels}
for seen, held_out in folds.split(people, has_covid, groups=people["patient"]):
    linear.fit(pixels["as in training"][seen], has_covid[seen])
    for name, values in pixels.items():
        scores[name][held_out] = linear.predict_proba(values[held_out])
by_age = {}
for name, each in scores.items():
    scored = train.predictions_table(people, each, model=name)
    by_age[name] = {
        "AUC": evaluate.metric(scored, "roc_auc", "covid"),
        "sensitivity": evaluate.metric(scored, "sensitivity", "covid"),
        "specificity": evaluate.metric(scored, "specificity", "covid"),
    }
kept = by_age["adults only"]["specificity"]
called_ill = (1 - kept.value, 1 - kept.high, 1 - kept.low)
print("share of the normal adults called ill: {:.2f} ({:.2f}-{:.2f})".format(*called_ill))
pd.DataFrame(by_age).T.map(str)

# %%
adults.meets(
    called_ill,
    beliefs=[
        (0, 0.4, "You expected a model of the disease. To this one, an adult is a patient."),
        (0.9, 1, "Nearly: a little besides the age is in the model, too."),
    ],
)

# %% [markdown]
# **Explain.** The model's AUC is high on its own kind of set, and below 0.5 on the reversed one. Most normal adults
# are called ill, because "adult" is what the model learned. If the AUC on adults is above 0.5, a little of the disease
# is in the model, too: shortcut and signal can live side by side. Where its interval holds 0.5, these images cannot
# say.
#
# There is nothing to erase here, and cropping would be useless: the age shows in every rib. Other data help (normal
# adults from the same source). Where there are none, say which question the set can answer: *child or adult?*

# %% tags=["author", "verdict"]
# verdict(
#     "09.age-reversed-is-below-a-coin",
#     by_age["as in training"]["AUC"].value > 0.8 and by_age["reversed"]["AUC"].high < 0.5,
# )
# verdict("09.most-well-adults-are-called-ill", kept.value < 0.5)

# %% [markdown]
# ## Step 8 · An audit that must not raise false alarms · deeper
#
# `audit.shortcuts` asks four questions about any set. Can the class be told from the **source**, from the **frame**,
# from thin strokes, and, where no patient is named, from the **order of the files** (lesson 04, Step 9)?
# (`audit.report(table, images=...)` adds the answers to the page of lesson 02.) We audit three sets: the project of
# this lesson; one without any shortcut (no letters, no devices, no borders, one machine, and the names of two sites
# given at random); and the set that `DATASET` names. In the phantoms hospital, letters, devices and borders were drawn
# at random, whatever the disease. Which verdicts do you expect?

# %% tags=["nbval-check-output"]
clean_plan = phantom.design("clean", n=160, seed=SEED, classes=("normal", "covid"))
root = phantom.cached(clean_plan, work, "clean", size=64, masks=False)
clean = manifest.from_folder(root, patient=r"(P\d+)_").table
clean_plan.index = clean_plan["image_id"]
own_name = clean["image_id"].str.extract(r"/(.+)\.")[0]
clean["source"] = clean_plan["site"].loc[own_name].to_numpy()
clean["group"] = clean["patient"]

named = datasets.load(DATASET, DATA_DIR)
named = duplicates.add_groups(named)
if DATASET == "phantom":
    named["source"] = listed["site"].loc[named["image_id"]].to_numpy()
pd.crosstab(named["label"], named["source"].fillna("not stated"))

# %%
pd.set_option("display.max_colwidth", 200)
pages = {
    "project": audit.shortcuts(table.drop(columns="path"), as_taken, seed=SEED),
    "clean": audit.shortcuts(clean, preprocess.cache(clean, size=64), seed=SEED),
    DATASET: audit.shortcuts(named, preprocess.cache(named, size=64, fit="squash"), seed=SEED),
}
pd.concat(pages)[["check", "verdict", "finding"]]

# %% [markdown]
# **Explain.** On the project, the row for strokes sees the word, which the forest of Step 5 could not read. But that
# check was written by somebody who knew that there are words; the next shortcut will be something that nobody has
# thought of.
#
# *ok*: the interval reaches down to 0.5, or lies below it (chance, or a bias of cross-validation; no shortcut). *look*:
# the whole interval lies above 0.5. *fault*: it lies above 0.6; then a network can score that much while it sees hardly
# any lung. *look* asks you to look at images; it is not a finding. If it stands beside the strokes of the phantoms, as
# here, it is a false alarm: their letters were drawn at random. (About one interval in twenty misses, and fine lines
# inside the lungs are strokes, too. For strokes and order, the course's table of results counts how often an audit is
# wrong. The lungs of many images reach a little into the frame.)
#
# *Not tested* is not *ok*: the project does not say where its images come from, so nobody can check. And no table
# shows how a given *network* decides: for that, test the network (Step 3, and lesson 10).

# %% [markdown]
# ## Key points
#
# - A network learns what is easiest to tell apart. Internal validation has the same shortcut on both sides of the split
#   and cannot see it.
# - Test the trained model on the same images with the suspected sign removed, reversed or random. An accuracy far below
#   guessing is knowledge of the wrong thing.
# - Erasing a marker where it is found leaves a hole, which is the new marker. A repair treats both classes alike, in
#   training and test.
# - Audit before training: source, frame, file properties. An audit finds only what its model can see.
# - (deeper) A hospital's style and a patient's age are in the lungs' own pixels: cropping does not remove them.
# - Where every class has its own source, more images of the same kind do not help. Other images do.
#
# Your predictions in this lesson:

# %%
guess.summary("09")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 09](../exercises/09_shortcuts_exercise.ipynb), whose checks answer at once.
#
# We tested the network by changing the image. Lesson 10 asks *where* it looked, with heat maps, and uses a word to
# check whether such a map can be believed.

# %% [markdown]
# ## Sources and licence
#
# - Zech, Badgeley, Liu, Costa, Titano, Oermann (2018), *Variable generalization performance of a deep learning model
#   to detect pneumonia in chest radiographs: a cross-sectional study*, PLoS Medicine 15(11), doi
#   10.1371/journal.pmed.1002683.
# - Geirhos et al. (2020), *Shortcut learning in deep neural networks*, Nature Machine Intelligence 2,
#   doi 10.1038/s42256-020-00257-z.
# - DeGrave, Janizek, Lee (2021), *AI for radiographic COVID-19 detection selects shortcuts over signal*, Nature Machine
#   Intelligence 3, doi 10.1038/s42256-021-00338-7.
# - Maguolo, Nanni (2021), *A critic evaluation of methods for COVID-19 automatic detection from X-ray images*,
#   Information Fusion 76, doi 10.1016/j.inffus.2021.04.008.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: watch a network read a marker in the corner, and catch it
