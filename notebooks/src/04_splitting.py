# %% [markdown]
# # 04 · Splitting
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPOSITORY/blob/main/notebooks/04_splitting.ipynb)
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* A model is judged on images it has not seen. This lesson is about the word *seen*: what has to
# stay on one side of the line between training and test so that the number means something.
#
# **You will be able to**
#
# - make a split that keeps every patient, and every copy of an image, on one side, and prove that it does;
# - say what an area under the ROC curve (AUC) is without drawing a curve;
# - find the test images of a published set that its training folder already holds;
# - show, on a set with nothing to learn, how a careless split invents a result.
#
# **Time and hardware.** 60 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01-03: the table of images, and the cache of grey levels.

# %% [markdown]
# ## Set-up
#
# On Colab this cell installs the course's package; on a machine of your own `make setup` has done so.

# %% tags=["setup"]
import os
import subprocess
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/OWNER/REPOSITORY"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", address], check=True)

import numpy as np
import pandas as pd

from cxr_helpers import baselines, datasets, duplicates, evaluate, plots, preprocess, split

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A split is a column
#
# Many projects split by moving files: `train/` here, `test/` there. Run such a script twice and the second run
# splits what the first one left. In this course no file ever moves: a split is one more column of the table.

# %%
table = datasets.load(DATASET, DATA_DIR)
images = preprocess.cache(table, size=128)
table[["image_id", "label", "split"]].sample(5, random_state=SEED)

# %% [markdown]
# Some sets come with a split of their own: the folder in which each file lay. Where a set has none, we do what most
# projects do, and cut its images at random: every image a group of its own.

# %%
given = table["split"].notna().any()
if not given:
    single = table.assign(group=table["image_id"])
    table["split"] = split.holdout(single, test=0.2, val=0, seed=SEED)["split"]
print("the set came with a split" if given else "no split came with the set: cut at random")

# %% [markdown]
# **Predict.** Which share of the images would you expect in `test`: a half, a fifth, a twentieth?

# %%
plots.split_counts(table)

# %% [markdown]
# **Explain.** About a fifth of the images is set aside for the test, and each class is represented on both sides.
# That looks reasonable. It says nothing yet about *which* images stand on the two sides; the rest of the lesson does.

# %% [markdown]
# ## Step 2 · One number to judge a split by
#
# To compare splits we need a model and a score. The model is a baseline that takes a second:
# **nearest neighbour** (find the most similar training image, answer its label). The score is the **AUC**:
#
# > Take one image of the class we look for, and one of another class. How often does the model give the first
# > the higher score? A tie counts half.
#
# So 0.5 is a coin and 1.0 a perfect ranking. Here it is in one line, on five invented scores.

# %%
covid_scores, other_scores = np.array([0.9, 0.6, 0.4]), np.array([0.5, 0.1])
wins = covid_scores[:, None] > other_scores[None, :]
ties = covid_scores[:, None] == other_scores[None, :]
wins

# %% [markdown]
# **Predict.** Six pairs, one row per COVID image. What is the AUC?

# %%
by_hand = (wins + 0.5 * ties).mean()

from sklearn.metrics import roc_auc_score

by_sklearn = roc_auc_score([1, 1, 1, 0, 0], [*covid_scores, *other_scores])
print(f"by hand {by_hand:.3f}, scikit-learn {by_sklearn:.3f}")

# %% [markdown]
# **Explain.** Five of six pairs are in the right order: 5/6. scikit-learn gives the same number. The AUC needs no
# threshold and does not depend on how many images each class has; that makes it handy for comparing splits.

# %% [markdown]
# ## Step 3 · Copies, byte for byte
#
# Every file has a fingerprint, its SHA-256: the manifest holds it. Two files with one fingerprint are one file.
#
# **Predict.** How many files of the test part also lie, byte for byte, in the training part? (The published set of
# case E has been used by thousands.)

# %%
hashes_in_train = set(table.loc[table["split"] == "train", "sha256"])
test = table[table["split"] == "test"]
copies = test[test["sha256"].isin(hashes_in_train)]
print(f"{len(copies)} of {len(test)} test files are in train too, byte for byte")
copies[["image_id", "label"]]

# %% [markdown]
# **Explain.** Each row, if there is one, is a test image that the model may have learnt by heart. On the set of case E
# there are six, all COVID: five carry the *same name* on both sides; one is named differently, so comparing names
# would have missed it.

# %% [markdown]
# ## Step 4 · Copies that changed on the way
#
# A hash changes when one pixel does. The same film may be stored twice with another contrast, size or compression.
# To find those, compare what a change of contrast leaves alone: the **order** of grey levels, place by place.

# %%
first, second = images[0], preprocess.prepare((images[0] / 255.0) ** 2, 128)
similarity = duplicates.fingerprint(first) @ duplicates.fingerprint(second)
plots.compare_images([first, second], ["as it is", f"darker: similarity {similarity:.3f}"])

# %% [markdown]
# The two look different and are nearly 1 alike for `duplicates.fingerprint`. It shrinks the image to 64×64, replaces
# grey levels by their ranks, cuts the border and subtracts the local mean. Twelve lines: look inside with
# `duplicates.fingerprint??`.
#
# **Predict.** Over all pairs of images of this set, what will the histogram of similarities look like: one hump, or
# two? Where would you put the limit between *another chest* and *the same film*?

# %%
vectors = duplicates.fingerprints(table, progress=False)
similarities = (vectors @ vectors.T)[np.triu_indices(len(table), k=1)]
plots.distribution(
    similarities[similarities > 0.3],
    mark={"limit": duplicates.THRESHOLD},
    title="Similarity of all pairs above 0.3",
    xlabel="similarity",
    what="pairs",
)

# %% [markdown]
# **Explain.** A large hump of different chests falls off long before the limit. If the set holds copies, a handful of
# pairs lies far to the right of it, hardly visible beside the hump; between the two there is a gap, and the
# limit lies in it. That is a finding about one set: on another one, look again before you trust 0.8.

# %%
pairs = duplicates.pairs(table, progress=False)
pairs["crosses"] = pairs["split_a"] != pairs["split_b"]
pd.crosstab(
    pairs["kind"], pairs["crosses"].map({True: "across train/test", False: "within one side"})
)

# %% [markdown]
# Numbers about images deserve a look at the images. These are the pairs that are *not* byte-identical.

# %%
near = pairs[pairs["kind"] == "near"]
if near.empty:  # then look at the most similar pairs that stay below the limit
    near = duplicates.pairs(table, threshold=0.3, progress=False).head(6)
plots.duplicate_pairs(
    dict(zip(table["image_id"], images)), near, title="Not identical, and yet one film"
)

# %% [markdown]
# **Explain.** Look for the same ribs, the same tubes, the same outline of the heart. Pairs above the limit differ in
# contrast and size only: no hash would have found them. Pairs below it are of two films, however alike.

# %%
crossing = pairs[pairs["crosses"]]
leaked = set(crossing["image_id_a"]) | set(crossing["image_id_b"])
test = test.assign(leaked=test["image_id"].isin(leaked))
test.groupby("label", observed=True)["leaked"].agg(["sum", "size", "mean"]).round(2)

# %% [markdown]
# **Explain.** In the row of a class with leaks, *sum* of *size* test images, a share *mean*, are radiographs that the
# training part already holds. On the set of case E they are 9 of 26 COVID images, and every accuracy ever reported on
# its test folder contains them.

# %% [markdown]
# ## Step 5 · Does it matter?
#
# **Predict.** Nearest neighbour answers the label of the most similar training image. What accuracy do you expect on
# the leaked test images, and what on the others?

# %%
answers = baselines.nearest_neighbour(table, images)
answers["right"] = answers["predicted"] == answers["label"]
answers = answers.merge(test[["image_id", "leaked"]], on="image_id")
counts = answers.groupby("leaked")["right"].agg(["sum", "size"])
counts.assign(accuracy=(counts["sum"] / counts["size"]).round(2))

# %%
for leak, row in counts.iterrows():
    low, high = evaluate.wilson(row["sum"], row["size"])
    name = "leaked" if leak else "unseen"
    print(f"{name}: {row['sum']} of {row['size']}, 95 % interval {low:.2f}-{high:.2f}")

# %% [markdown]
# **Explain.** On what it has seen, a model that only remembers is hard to beat. But read the intervals: with so few
# leaked images they are wide, and they may overlap. A leak is a fault whether or not it shows in the
# number of one small test set. To see plainly what it *can* do, we need a set in which we know that there is
# nothing to learn.

# %% [markdown]
# ## Step 6 · A result out of nothing
#
# We make such a set: each radiograph becomes a *patient* with three visits (shifted a little, another contrast,
# fresh noise), and each patient gets a label **by coin**. Whoever predicts a coin better than 0.5 has cheated.

# %%
rng = np.random.default_rng(SEED)
patients = rng.choice(len(table), size=min(100, len(table)), replace=False)


def visit(image):
    """The same chest on another day: moved by a few pixels, another contrast, fresh noise."""
    moved = np.roll(image, rng.integers(-3, 4, size=2), axis=(0, 1)) / 255.0
    changed = moved ** rng.uniform(0.8, 1.25) + rng.normal(0, 0.02, image.shape)
    return (255 * np.clip(changed, 0, 1)).astype(np.uint8)


visits = np.stack([visit(images[patient]) for patient in patients for _ in range(3)])

# %%
coin = rng.permutation(np.resize(["normal", "covid"], len(patients)))
nothing = pd.DataFrame({"patient": np.repeat([f"patient {p}" for p in patients], 3)})
nothing["label"] = pd.Categorical(np.repeat(coin, 3), categories=["normal", "covid"])
nothing["image_id"] = [f"{name}, visit {k % 3}" for k, name in enumerate(nothing["patient"])]
nothing["sha256"] = nothing["image_id"]
nothing[["source", "split", "fold"]] = None
plots.montage(visits[:6], list(nothing["image_id"][:6]), title="Two patients, three visits each")

# %% [markdown]
# First the mistake. It is the line that most tutorials use: shuffle the *images* and cut.
#
# **Predict.** The labels are coins. What AUC will nearest neighbour reach on the images set aside?

# %%
from sklearn.model_selection import train_test_split

train_rows, test_rows = train_test_split(
    np.arange(len(nothing)), test_size=0.25, stratify=nothing["label"], random_state=SEED
)
by_image = nothing.assign(group=nothing["image_id"], split="train")
by_image.loc[test_rows, "split"] = "test"
print(evaluate.metric(baselines.nearest_neighbour(by_image, visits), "roc_auc", "covid"))

# %% [markdown]
# **Explain.** Close to a perfect score, with a tight interval, for predicting coins. Stratified, random, with a seed:
# everything as in the textbook, and all of it invented. The model recognises *patients*, whose other visits
# it has in store with their label. Now the repair: patients stay whole.

# %%
no_pairs = pd.DataFrame({"image_id_a": [], "image_id_b": []})
by_patient = split.holdout(duplicates.add_groups(nothing, no_pairs), test=0.25, val=0, seed=SEED)
print(evaluate.metric(baselines.nearest_neighbour(by_patient, visits), "roc_auc", "covid"))

# %% [markdown]
# **Explain.** Now the interval reaches across 0.5, as it must for a coin. Note the interval too: it is wider,
# because it counts *patients*, not images (groups against n). Three films of one person are not three people.
#
# One split could be luck. Twenty of each kind cannot.

# %%
from scipy.spatial.distance import cdist

flat = baselines.shrink(visits).reshape(len(visits), -1)
distance = cdist(flat, flat)
covid = (nothing["label"] == "covid").to_numpy()


def auc_of_split(column, seed):
    """AUC of nearest neighbour when the values of one column of the table stay whole."""
    parts = split.holdout(nothing.assign(group=nothing[column]), test=0.25, val=0, seed=seed)
    train, test = (np.flatnonzero(parts["split"] == part) for part in ("train", "test"))
    nearest = train[distance[np.ix_(test, train)].argmin(axis=1)]
    return roc_auc_score(covid[test], covid[nearest])


# %%
repeats = 20 if MODE == "class" else 200
auc = pd.DataFrame(
    {
        "by image": [auc_of_split("image_id", seed) for seed in range(repeats)],
        "by patient": [auc_of_split("patient", seed) for seed in range(repeats)],
    }
)
auc.describe().loc[["mean", "min", "max"]].round(2)

# %% [markdown]
# **Explain.** Splitting by image never comes near 0.5; splitting by patient scatters about it. The difference between
# the two columns is the size of the illusion. A real set has some signal *and* some illusion, and a single number
# cannot tell you how much of each: only the split can.

# %% [markdown]
# ## Step 7 · The group: what must stay together
#
# Patients and near-duplicates are two reasons for one rule. `duplicates.add_groups` joins both: images are in one
# group when they share a known patient or are copies of each other, directly or through others.

# %%
table = duplicates.add_groups(table, pairs)
sizes = table["group"].value_counts()
named = table["patient"].notna().sum()
print(f"{len(table)} images in {len(sizes)} groups; {named} images name their patient")
sizes.value_counts().rename_axis("images in the group").to_frame("groups")

# %% [markdown]
# Most groups are single images. Does that make all the others independent? **No**: where a set does not name its
# patients, two films of one person look like two people, and nothing here can tell. Say so when you report.
#
# Now try the checker on the split that came with the set.
#
# **Predict.** Will `assert_disjoint` pass?

# %%
try:
    split.assert_disjoint(table)
except split.LeakError as leak:
    print(leak)

# %% [markdown]
# **Explain.** It names each group that stands on both sides, file by file, or says nothing if there is none. Such an
# assertion belongs into every training script: it costs a millisecond. Now a split that is made to pass it.

# %%
mine = split.holdout(table, test=0.2, val=0.2, seed=SEED)
split.assert_disjoint(mine)
plots.split_counts(mine, title="Grouped and stratified")

# %% [markdown]
# **Explain.** The shares are near what was asked, not equal to it: groups stay whole. Each class is spread over the
# three parts (that is what *stratified* means). `val` is for choices, `test` for one final number.

# %% [markdown]
# ### Checkpoint
#
# A colleague first makes a random split and *then* removes duplicates within each part. What is wrong?
#
# 1. Nothing: no part holds a duplicate any more.
# 2. Copies that cross the parts are still there.
# 3. The classes are no longer stratified.
#
# <details><summary>Answer</summary>
# 2. Removing copies <em>within</em> a part leaves the ones <em>between</em> parts, and those are the leak. Group
# first, split second. (3 may be true by a little, and does not matter here.)
# </details>

# %% [markdown]
# ## Step 8 · Folds: every image is tested once
#
# With a small set, one test part is a matter of luck. **Cross-validation** cuts the groups into k folds and tests on
# each in turn, with a model trained on the others. It is a column again.
#
# **Predict.** Five folds of one set, one model: how far apart will the best and the worst fold's accuracy be?

# %%
folded = split.folds(table, k=5, seed=SEED)
scored = baselines.nearest_neighbour(folded, images, folds=True)
right = scored["predicted"] == scored["label"]
right.groupby(scored["fold"]).agg(["mean", "size"]).round(3)

# %%
print(evaluate.metric(scored, "accuracy"))

# %% [markdown]
# **Explain.** Same data, same model: only the fold differs, and still the accuracies are some points apart.
# Whoever reports the best fold reports luck. The pooled value rests on every image once, with an interval that
# resamples groups. Lesson 07 makes this its subject.

# %% [markdown]
# ## Key points
#
# - A split is a column, made once, by a seed, and never by moving files.
# - What must stay together is the group: patient and near-duplicates. Group first, split second.
# - The AUC is the share of pairs (one of each class) that the model ranks correctly.
# - On a set with nothing to learn, a split by image made a near-perfect score out of nothing.
# - A published test folder can hold images of its own training folder. Check, with hashes and with fingerprints.
# - Unknown patients are unknown: a disjoint split by what you know is not proof that nobody is on both sides.

# %% [markdown]
# ## What next
#
# We can now trust the line between training and test. Lesson 05 trains something on one side of it: a single neuron,
# first by hand.

# %% [markdown]
# ## Sources and licence
#
# - Kaufman, Rosset, Perlich, Stitelman (2012), *Leakage in data mining: formulation, detection, and avoidance*,
#   ACM TKDD 6(4), doi 10.1145/2382577.2382579.
# - Hanley, McNeil (1982), *The meaning and use of the area under a receiver operating characteristic (ROC) curve*,
#   Radiology 143(1), doi 10.1148/radiology.143.1.7063747.
# - Roberts et al. (2021), *Common pitfalls and recommendations for using machine learning to detect and prognosticate
#   for COVID-19 using chest radiographs and CT scans*, Nature Machine Intelligence 3, doi 10.1038/s42256-021-00307-0.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.
