# %% [markdown]
# # 04 · Splitting
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* A model is judged on images that it has not seen. This lesson is about the word *seen*: which
# images have to stay on one side of the line between training and test, so that the accuracy means something.
#
# **You will be able to**
#
# - make a split that keeps every patient on one side, and prove that it does;
# - say what an area under the ROC curve (AUC) is without drawing a curve;
# - show, on a set with nothing to learn, how a careless split invents a result;
# - (deeper) find copies of an image, say which kinds of copy your search misses, and which interval is the honest one.
#
# **Time and hardware.** 45 minutes for the core, 30 more for the steps marked *deeper*, which you can skip. The
# computer needs less than one minute: two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01-03: the table of images, and the cache of grey levels.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cxr_helpers import bar, baselines, datasets, duplicates, evaluate, guess, manifest, measured
from cxr_helpers import phantom, plots, preprocess, split

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · The line that most projects use
#
# Most published notebooks split with one line of scikit-learn. It shuffles the images and sets a share aside.
# `stratify` gives each class the same share on both sides.

# %% [markdown] tags=["instructor"]
# **4 minutes · demonstrate.** Scroll through; the table of counts looks fine, and that is the point. Do not warn.
#
# *Asked:* "Why not move files into folders?" A column can be read, compared and made again; a moved file cannot.

# %% tags=["nbval-check-output"]
table = datasets.load(DATASET, DATA_DIR)
train, test = train_test_split(table, test_size=0.2, stratify=table["label"], random_state=SEED)
print(f"{len(train)} images to train on, {len(test)} to test on")

# %% [markdown]
# Many projects then move the files into folders `train/` and `test/`. If such a script runs twice, the second run
# splits what the first run left. In this course no file moves: **a split is one more column of the table**.

# %% tags=["nbval-check-output"]
cut = table.assign(split=np.where(table.index.isin(test.index), "test", "train"))
pd.crosstab(cut["label"], cut["split"])

# %% [markdown]
# **Explain.** A fifth of the images is in the test part, and each class has the same share on both sides. That looks
# reasonable. But it says nothing about *which* images are on which side. The rest of the lesson asks that.

# %% [markdown]
# ## Step 2 · One number to judge a split by
#
# To compare splits we need a score. We take the **AUC** of lesson 02, the area under the ROC curve, and look at what it
# means:
#
# > Take one image of the class we look for, and one of another class. How often does the model give the first
# > the higher score? A tie counts half.
#
# So 0.5 is a random ranking and 1.0 a perfect one. Here are five invented scores:

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** Six pairs by hand, on paper. Let one student draw the three and the two scores on a line.
#
# *Asked:* "And with a tie?" It counts half.
#
# *Pause* when the matrix of wins is shown: find the one pair that is the wrong way round.

# %%
covid_scores = np.array([0.9, 0.6, 0.4])
other_scores = np.array([0.5, 0.1])

# %% [markdown]
# **Predict.** There are six pairs, and no ties. What is the AUC? Write your number in place of `None`, then run the
# cell: your number is recorded, and compared with the result.

# %% tags=["nbval-check-output"]
MY_HAND = None  # your prediction: the AUC of these five scores, from 0 to 1
by_hand = guess.number(
    "04.auc-by-hand", MY_HAND, what="AUC of five scores", between=(0, 1), near=0.01, example=0.67
)
by_hand

# %% tags=["nbval-check-output"]
wins = covid_scores[:, None] > other_scores[None, :]  # a row for each COVID score
print(wins)
auc = roc_auc_score([1, 1, 1, 0, 0], [*covid_scores, *other_scores])
print(f"by hand {wins.mean():.3f}, scikit-learn {auc:.3f}")

# %% tags=["nbval-check-output"]
by_hand.meets(
    auc,
    beliefs=[
        (0.6, 0.7, "That is the share of COVID scores above 0.5: here only pairs count."),
        (1, 1, "One COVID score (0.4) is below one of the others (0.5)."),
        (0.4, 0.55, "Count again: of the six pairs only one is the wrong way round."),
    ],
)

# %% [markdown]
# **Explain.** Five of six pairs are in the right order: 5/6. scikit-learn gives the same number. The AUC needs no
# **threshold** (a score from which on the answer is yes), and its value does not depend on how many images each class
# has. That makes it useful for comparing splits.

# %% [markdown]
# ## Step 3 · A result out of nothing
#
# What can a careless split do? We need a set in which *there is nothing to learn*, so we draw one. The **phantoms** of
# this course are radiographs computed from a seed. They show no real person, and we know everything about them. (What
# is measured on phantoms teaches the method and is no evidence about patients.)
#
# The design `patient_leak` draws *no disease at all*. Each patient has several images, and one label that is drawn **at
# random**. Whoever finds that this label can be predicted for new patients has made a mistake.
#
# `patient=` tells the import which part of a file's name is the patient: the part that fits the brackets, `P00012` in
# `P00012_1.jpg` (`\d+` is any number). In a set of your own, look at the names of *every* class, and check in
# `understood` that the pattern fits all of them.

# %% [markdown] tags=["instructor"]
# **14 minutes · do.** The step that the lesson is for. Say slowly: *nothing to learn, coins*. Take the predictions by
# show of hands before the cell runs: 0.5? 0.6? more? The repeats take some seconds; say nothing meanwhile.
#
# *Asked:* "Is it overfitting?" Overfitting would show on the test images. Here the test images show patients that it
# knows.
#
# *Pause* after the first AUC, before any explanation: two minutes in pairs, how can this be? Then the diagram.

# %% tags=["nbval-check-output"]
design = phantom.design("patient_leak", n=320, seed=SEED, per_patient=8)
folder = phantom.cached(design, datasets.work_dir(), "patient_leak", size=64, masks=False)
coins = manifest.from_folder(folder, patient=r"(P\d+)_").table
print(f"{len(coins)} images of {coins['patient'].nunique()} patients")
print(f"drawn: {set(design['disease'])}; written on the folders: {sorted(set(coins['label']))}")

# %%
one_each = coins.groupby("label", observed=True)["patient"].first()
shown = coins[coins["patient"].isin(one_each)].groupby("patient").head(3)
thumbnails = preprocess.cache(coins, size=64)[shown.index]
captions = [f"{who}: {label}" for who, label in zip(shown["patient"], shown["label"])]
plots.montage(thumbnails, captions, title="Two patients, three of their images each")

# %% [markdown]
# Build, heart and ribs of a patient stay the same; position, breath and noise change from image to image. The label
# says nothing about the image.
#
# The model is **logistic regression**: one weight for each pixel. `model.fit(images, labels)` learns the weights;
# `model.predict_proba(images)[:, 1]` gives one score for each image: it says how strongly the model answers 1.
# `StandardScaler` first brings all pixels to one scale, and `make_pipeline` joins the two. Lesson 05 shows what is
# inside; here it is enough that *images and labels go in, a score comes out*.
#
# Because the labels are random, we may draw them again as often as we like. We repeat the whole study, so that no
# single lucky split decides the result.

# %%
pixels = preprocess.cache(coins, size=32).reshape(len(coins), -1)
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
repeats = 20 if MODE == "class" else 200


def random_labels(seed):
    """0 or 1 for each image: the same for all images of a patient, half of the patients each."""
    names = coins["patient"].unique()
    drawn = np.random.default_rng(seed).permutation(np.resize([0, 1], len(names)))
    return coins["patient"].map(dict(zip(names, drawn))).to_numpy()


# %% [markdown]
# First we make the mistake, with the line of Step 1.
#
# **Predict.** The labels are random. Which AUC will the model reach on the test images, as a mean over many repeats?

# %% tags=["nbval-check-output"]
MY_IMAGE = None  # your prediction: AUC on random labels, images split at random, from 0 to 1
by_image = guess.number(
    "04.auc-by-image", MY_IMAGE, what="AUC, split by image", between=(0, 1), example=0.5
)
by_image


# %% [markdown]
# We report the mean of the AUCs of all repeats, and an interval for it: the mean minus and plus two **standard errors**.
# The standard error is the spread of the AUCs divided by the square root of their number. It says how far the *mean*
# would vary with other repeats. Single studies differ much more (Step 4).


# %%
def split_by_image(seed, rows):
    """AUC on a quarter of the images, cut at random."""
    y = random_labels(seed)
    fit, held = train_test_split(rows, test_size=0.25, stratify=y[rows], random_state=seed)
    model.fit(pixels[fit], y[fit])
    return roc_auc_score(y[held], model.predict_proba(pixels[held])[:, 1])


def summarised(aucs):
    """Mean of the repeats, and how far that mean itself could be off: two standard errors."""
    error = np.std(aucs, ddof=1) / np.sqrt(len(aucs))
    return np.mean(aucs), np.mean(aucs) - 2 * error, np.mean(aucs) + 2 * error


every_row = np.arange(len(coins))
image_aucs = [split_by_image(seed, every_row) for seed in bar(range(repeats), desc="repeats")]
print("AUC {:.2f}, interval {:.2f} to {:.2f}".format(*summarised(image_aucs)))

# %%
by_image.meets(
    summarised(image_aucs),
    beliefs=[
        (0.45, 0.6, "True of new patients. But these patients' other images were in training."),
        (0.95, 1, "The model knows patients again, but not all of them, on 32 × 32 pixels."),
    ],
)

# %% [markdown]
# **Explain.** The truth is 0.5, and the whole interval is far above it. The split is stratified, random and has a seed:
# all is done as in the textbook, and the result is invented. The model recognises *patients*: it has seen their other
# images, with their label.
#
# The repair is in scikit-learn, too: `StratifiedGroupKFold` cuts whole groups into folds of about equal size. With four
# folds, the first one is our test part.


# %%
def split_by_patient(seed):
    """AUC on about a quarter of the images, whole patients."""
    y = random_labels(seed)
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=seed)
    # The rows to train on and to test on, for each fold in turn; `next` takes the first.
    fit, held = next(folds.split(pixels, y, groups=coins["patient"]))
    model.fit(pixels[fit], y[fit])
    return roc_auc_score(y[held], model.predict_proba(pixels[held])[:, 1])


patient_aucs = [split_by_patient(seed) for seed in bar(range(repeats), desc="repeats")]
print("AUC {:.2f}, interval {:.2f} to {:.2f}".format(*summarised(patient_aucs)))

# %%
rows = [
    ("split by image", *summarised(image_aucs)),
    ("split by patient", *summarised(patient_aucs)),
]
plots.intervals(
    pd.DataFrame(rows, columns=["label", "value", "low", "high"]).assign(n=repeats),
    baseline={"truth: nothing to learn": 0.5},
    title="Mean AUC of predicting random labels (n: repeats)",
    xlabel="AUC, mean of the repeats ± 2 standard errors",
)

# %% tags=["author", "verdict"]
# verdict("04.split-by-image-invents", summarised(image_aucs)[1] > 0.65)
# verdict("04.split-by-patient-is-near-the-truth", abs(np.mean(patient_aucs) - 0.5) < 0.12)

# %% [markdown]
# **Explain.** Split by patient, the mean is near the truth; split by image, it is far above. The interval by patient is
# the wider one: only about a dozen patients are tested, and each counts as a whole. The distance between the two means
# is the size of the illusion *on this set*. A real set has some signal *and* some illusion. One number cannot tell how
# much there is of each; only the split can.

# %% [markdown]
# ![Twelve images of five patients, cut twice into train and test. By image, all four test images show patients who
# are in train, too. By patient, none of them does.](../docs/diagrams/d04_cut.png)

# %% [markdown]
# ### Checkpoint
#
# The split by image was *stratified*: both labels have the same share on both sides. Why did that not help?
#
# 1. It was stratified by the wrong column; stratifying by patient would help.
# 2. Stratifying keeps shares equal; it does not keep images of one patient together.
# 3. It did help; without it the AUC would be 1.0.
#
# <details><summary>Answer</summary>
# 2. Stratifying and grouping are two different things. Stratifying by patient (1) would even put every patient on both
# sides.
# </details>

# %% [markdown]
# ## Step 4 · How many images a patient has
#
# Here a patient has about seven images, which is many. Often there are only one or two. Keep only some images of each
# patient, and split by image again.
#
# **Predict.** With *two* images of each patient, which mean AUC does the split by image reach on random labels?

# %% [markdown] tags=["instructor"]
# **6 minutes · do.** One prediction, one figure. The sentence to take home: a test that shows no leak proves nothing.
#
# *Asked:* "With two images a patient it hardly matters, then?" It hardly shows. The single studies reach from below
# 0.5 to far above.
#
# *Break* before this step.

# %% tags=["nbval-check-output"]
MY_TWO = None  # your prediction: AUC of the split by image with two images a patient, from 0 to 1
two = guess.number(
    "04.two-images", MY_TWO, what="AUC with two images a patient", between=(0, 1), example=0.82
)
two


# %%
def some_rows(seed, most):
    """At most so many images of each patient, chosen at random."""
    chosen = coins.sample(frac=1, random_state=seed).groupby("patient").head(most)
    return np.sort(chosen.index.to_numpy())


by_number = {8: image_aucs}
for most in (1, 2, 4):
    seeds = range(2 * repeats)  # small sets differ more from each other: more repeats
    by_number[most] = [split_by_image(seed, some_rows(seed, most)) for seed in bar(seeds)]
low, high = np.percentile(by_number[2], [2.5, 97.5])
print(f"two images of each patient: 95 % of the single studies from {low:.2f} to {high:.2f}")

# %%
two.meets(
    summarised(by_number[2]),
    beliefs=[
        (0.73, 1, "The leak is weaker: fewer test images have another one in training."),
        (0.45, 0.58, "Two images are not harmless: the leak is weaker, not gone."),
    ],
)

# %%
counts = [1, 2, 4, 8]
means, lows, highs = np.array([summarised(by_number[most]) for most in counts]).T
plots.line(
    counts,
    {"split by image": means, "truth": np.full(4, 0.5)},
    bands={"split by image": (lows, highs)},
    title="The leak grows with the images of a patient",
    xlabel="images of each patient, at most",
    ylabel="mean AUC on random labels",
)

# %% tags=["picture"]
plots.slide_leak(by_number)

# %% tags=["author", "verdict"]
# verdict("04.one-image-does-not-leak", lows[0] < 0.54)
# verdict("04.two-images-leak-less", lows[1] > 0.5 and highs[1] < means[3])

# %% [markdown]
# **Explain.** With one image of each patient there is nobody to recognise: the AUC is 0.5, up to chance. Two images of
# each patient leak, but only the mean of many repeats shows it. *One* study could not show it: look at the printed
# range of the single studies, each with some twenty test images. **A test that shows no leak proves nothing.** Split by
# patient anyway.

# %% [markdown]
# ## Step 5 · The group: what must stay together
#
# Back to the table of Step 1. It names its patients: about 400 for 600 images.
#
# **Predict.** How many of the 120 test images have a patient who is in training too?

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** Let them read the error message of `assert_disjoint`; it belongs into every script of theirs.
#
# *Asked:* "What if no patient is named?" Then say so in the report; Step 9 has a test for the order of the files.

# %% tags=["nbval-check-output"]
MY_SHARED = None  # your prediction: test images whose patient is in training, from 0 to 120
shared_patients = guess.number(
    "04.patients-on-both-sides",
    MY_SHARED,
    what="test images with their patient in training",
    between=(0, 120),
    example=15,
)
shared_patients

# %% tags=["nbval-check-output"]
test, train = cut[cut["split"] == "test"], cut[cut["split"] == "train"]
known = test["patient"].isin(train["patient"].dropna())
print(f"{known.sum()} of {len(test)} test images have a patient who is in training too")

# %% tags=["nbval-check-output"]
shared_patients.meets(
    int(known.sum()),
    beliefs=[
        (0, 30, "A patient with two images has the other one in training four times in five."),
        (90, 120, "Many patients have one image only: nobody shares those."),
    ],
)

# %% [markdown]
# Patients are one reason why images belong together; copies of an image are another. `duplicates.pairs` finds copies
# (Steps 7 and 8 test how well), and `duplicates.add_groups` uses both reasons: images are in one **group** when they
# share a patient or are copies of each other, directly or through other images. A group is named after its first image.
# `split.assert_disjoint` names the groups that are on both sides. (This set holds no copies; Step 7 has one that does.)

# %% tags=["nbval-check-output"]
pairs = duplicates.pairs(cut)
cut = duplicates.add_groups(cut, pairs)
print(f"{len(pairs)} pairs of copies; {len(cut)} images in {cut['group'].nunique()} groups")
try:
    split.assert_disjoint(cut, by=("group",))
except split.LeakError as leak:
    print("\n".join(str(leak).splitlines()[:4]))

# %% [markdown]
# **Explain.** The error names each group that is on both sides, image by image (the first three are printed). If there
# is none, no error is raised. Such an assertion belongs in every training script.
#
# Now a split that passes. `split.holdout` cuts whole groups, as `StratifiedGroupKFold` does, and writes the split as a
# column: `val` is for choices, `test` for one final number.

# %%
mine = split.holdout(cut, test=0.2, val=0.2, seed=SEED)
split.assert_disjoint(mine)  # an error here would stop us
plots.split_counts(mine, title="Grouped and stratified")

# %% [markdown]
# **Explain.** No group is on two sides, or the second line would have stopped us. The shares are exactly or nearly what
# we asked for: a group cannot be cut. Are images of different groups independent, then? **Only as far as we know.**
# Where a set does not name its patients, two images of one person look like two people. Say so when you report.
#
# What if a set comes with its own split? Count its parts, and check it in the same way. Often that split leaks, or it
# has no `val` or no `test` (Keras's `fit` accepts an empty `val` without a complaint). `split.holdout` then replaces it
# by a new split: say so, since your figures can no longer be compared with those of others.

# %% [markdown]
# ## Step 6 · The project again
#
# Lesson 01 opened with a project that reports a high accuracy on one set. It was split at random, by image, as in Step
# 1. The same network was trained again with whole patients set aside: five times, each on newly drawn images. That
# takes minutes, so the results were kept in a table, which `measured.read` opens.

# %% [markdown] tags=["instructor"]
# **5 minutes · demonstrate.** Point at the numbers on the board from lesson 01. Splitting properly hardly changed the
# figure: the suspicion moves on to what is in the image.
#
# *Asked:* "So was the split not the problem?" Not in this set, and nobody could know before it was closed.
#
# *Pause* at the end: how does it do it, then? Collect guesses, answer none; lesson 09 does.

# %% tags=["nbval-check-output"]
story = measured.read("story").set_index("row")
shared = story.loc["test images whose patient is in train", "mean"]
reported = story.loc["as reported: images at random"]
print(f"reported: {reported['mean']:.2f} ({reported['low']:.2f} to {reported['high']:.2f})")
print(f"mean of {reported['seeds']} sets with its 95 % interval, {reported['n']} test images each")
print(f"{shared:.0%} of its test images have their patient in training")

# %% [markdown]
# **Predict.** Which accuracy does it reach with whole patients set aside? (0.5 is guessing.)

# %% tags=["nbval-check-output"]
MY_PROJECT = None  # your prediction: accuracy of the project, split by patient, from 0.4 to 1
project = guess.number(
    "04.project-by-patient",
    MY_PROJECT,
    what="accuracy of the project, split by patient",
    between=(0.4, 1),
    example=0.84,
)
project

# %% tags=["nbval-check-output"]
honest = story.loc["split by patient"]
print(f"by patient: {honest['mean']:.2f} ({honest['low']:.2f} to {honest['high']:.2f})")

# %% tags=["nbval-check-output"]
project.meets(
    (honest["mean"], honest["low"], honest["high"]),
    beliefs=[
        (0.4, 0.75, "You took it for recognised patients. Something else carries the accuracy."),
        (0.75, 0.92, "A smaller part than you thought came from recognised patients."),
    ],
)

# %% [markdown]
# **Explain.** Here these intervals show no difference between the two splits. A leak need not show in the number
# (Step 4); it is still right to close it. But then why is the project so good, with a disease that is
# hard to see? The network has another way to cheat, which no split can close. Look at its images once more, and make a
# guess; lesson 09 has the answer. (Measured by `python -m benchmarks.story`.)

# %% [markdown]
# ## Step 7 · Copies, and what a hash finds · deeper
#
# Image sets are often put together from other sets, so they hold copies. In the design `duplicates` a quarter of the
# images are copies of others: unchanged (`identical`), with another `contrast`, with the margin cut off (`crop`), or
# compressed once more (`jpeg`). The truth table beside the images says which.

# %% tags=["nbval-check-output"]
design = phantom.design("duplicates", n=240, seed=SEED, share=0.25)
folder = phantom.cached(design, datasets.work_dir(), "duplicates", size=96, masks=False)
copied = manifest.from_folder(folder).table  # patients unknown, as in case E's set
truth = pd.read_csv(folder.parent / "truth.csv").set_index("image_id").loc[copied["image_id"]]
copied["change"] = truth["transform"].fillna("original").to_numpy()
own_name = copied["image_id"].str.extract(r"([^/]+)\.\w+$")[0].to_numpy()
copied["original"] = truth["copy_of"].fillna(pd.Series(own_name, truth.index)).to_numpy()
print(f"{len(copied)} images show {copied['original'].nunique()} different radiographs")
print(copied["change"].value_counts().sort_index().to_dict())

# %% tags=["nbval-check-output"]
train, test = train_test_split(copied, test_size=0.25, stratify=copied["label"], random_state=SEED)
seen = test["original"].isin(train["original"])
print(f"{seen.sum()} of {len(test)} test images show a radiograph that train shows too")

# %% [markdown]
# Every file has a hash, its SHA-256 (lesson 01). Two files with one hash are the same file.
#
# **Predict.** How many of these test images does the hash find?

# %% tags=["nbval-check-output"]
MY_HASH = None  # your prediction: a number of images, from 0 to 60
hashes = guess.number(
    "04.copies-by-hash", MY_HASH, what="copies found by hash", between=(0, 60), example=25
)
hashes

# %% tags=["nbval-check-output"]
by_hash = test["sha256"].isin(train["sha256"])
print(f"{by_hash.sum()} of {seen.sum()} are found by SHA-256")

# %% tags=["nbval-check-output"]
hashes.meets(
    int(by_hash.sum()),
    beliefs=[
        (15, 60, "A hash changes with a single pixel, and most copies were changed."),
        (0, 2, "Some copies are identical to the last byte: those it does find."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("04.hash-finds-few", by_hash.sum() < seen.sum() / 2)

# %% [markdown]
# **Explain.** The hash finds what is identical to the last byte, and nothing else. When it finds a copy, it is right;
# when it finds none, this proves nothing.
#
# Do such copies matter? **Nearest neighbour** is a model that only memorises: it answers with the label of the most
# similar training image. How often is it right on the test images that train shows too, and how often on the others?

# %%
from sklearn.neighbors import KNeighborsClassifier

flat = preprocess.cache(copied, size=64).reshape(len(copied), -1)
nearest = KNeighborsClassifier(n_neighbors=1).fit(flat[train.index], train["label"])
right = nearest.predict(flat[test.index]) == test["label"]
for name, part in {"seen in training": right[seen], "new": right[~seen]}.items():
    low, high = evaluate.wilson(part.sum(), len(part))
    print(f"{name}: {part.sum()} of {len(part)} right, 95 % interval {low:.2f}-{high:.2f}")

# %% [markdown]
# **Explain.** The model answers well for radiographs that it has seen, and much worse for new ones. The accuracy of the
# whole test part mixes both.
#
# This happens in published sets. In the test folder of case E's set, 6 images, all COVID, are byte-for-byte copies of
# images in train (five under the *same name*). If copies with changed contrast count, too, 9 of its 26 COVID test
# images (35 %) are such copies.

# %% [markdown]
# ## Step 8 · Copies that changed on the way · deeper
#
# To find a copy after a change of contrast, size or compression, compare what such a change leaves as it is, or nearly:
# the **order** of grey levels, that is, which places are brighter than others. `duplicates.fingerprints` turns each
# image into numbers that describe this order. The **similarity** of two images is the sum of the products of their
# numbers: 1 for copies, about 0 for two images that have nothing in common.

# %%
vectors = duplicates.fingerprints(copied)
similarities = (vectors @ vectors.T)[np.triu_indices(len(copied), k=1)]
plots.distribution(
    similarities[similarities > 0.25],
    mark={"limit": duplicates.THRESHOLD},
    title="Similarity of all pairs above 0.25",
    xlabel="similarity",
    what="pairs",
)

# %% [markdown]
# **Explain.** (Most pairs are below 0.25; their bars would hide all others.) Pairs of different radiographs become rare
# long before the limit. To the right of the limit, near 1, is a second, small group: copies. The limit looks safe. But
# a histogram of pairs cannot show what it *misses*. For that we need the truth.
#
# **Predict.** Which of the four kinds of copy does the detector find least often?

# %% tags=["nbval-check-output"]
MY_KIND = None  # your prediction: "identical", "contrast", "jpeg" or "crop"
SURE_KIND = None  # how sure you are, from 0.25 (no idea) to 1
missed_kind = guess.choice(
    "04.kind-missed",
    MY_KIND,
    options=["identical", "contrast", "jpeg", "crop"],
    sure=SURE_KIND,
    example="contrast",
)
missed_kind

# %%
originals = copied[copied["change"] == "original"].reset_index()
planted = copied[copied["change"] != "original"].reset_index()
planted = planted.merge(originals, on="original", suffixes=("_a", "_b"))
both = vectors[planted["index_a"]] * vectors[planted["index_b"]]
planted["similarity"] = both.sum(axis=1)
planted["found"] = planted["similarity"] >= duplicates.THRESHOLD
result = planted.groupby("change_a")["found"].agg(["sum", "size"])
result[["low", "high"]] = [evaluate.wilson(k, n) for k, n in result.to_numpy()]
result.round(2)

# %% tags=["nbval-check-output"]
missed_kind.meets(
    str((result["sum"] / result["size"]).idxmin()),
    beliefs={
        "contrast": "A change of contrast keeps the order of grey levels, which is compared.",
        "jpeg": "Compression changes grey levels a little; their order mostly stays.",
        "identical": "Identical copies have the similarity 1: they are found first.",
    },
)

# %% tags=["nbval-check-output"]
found_pairs = duplicates.pairs(copied)
original = copied.set_index("image_id")["original"]
false_alarms = found_pairs["image_id_a"].map(original) != found_pairs["image_id_b"].map(original)
others = len(similarities) - len(planted)
print(f"false alarms: {false_alarms.sum()} among {others} pairs of different radiographs")

# %% tags=["author", "verdict"]
# share = result["sum"] / result["size"]
# verdict("04.crops-are-missed", share["crop"] < 0.7 and share.drop("crop").min() > 0.9)
# verdict("04.few-false-alarms", false_alarms.sum() <= 2)

# %% [markdown]
# **Explain.** Copies that are unchanged, have another contrast, or were compressed again are found (`sum` of `size`,
# with the interval of the share). Cropped copies are mostly missed, although a person sees at once that they show the
# same radiograph. The comparison goes place by place, and a crop moves every place. False alarms are rare *on this
# set*. A detector has a blind spot for each change it was not built for; only planted copies show it.

# %%
missed = planted[~planted["found"]].sort_values("similarity").assign(kind="crop")
if missed.empty:  # nothing missed: then show the least similar pairs that were found
    missed = planted.sort_values("similarity")
pictures = dict(zip(copied["image_id"], preprocess.cache(copied, size=96)))
plots.duplicate_pairs(pictures, missed, limit=3, title="Copies that the detector misses: cropped")

# %% [markdown]
# **Explain.** Each pair shows the same ribs and the same heart; only a few per cent of width and height are gone. A
# limit that finds these would let many different radiographs through. So know the patient first; then group the copies
# as well; and say that copies which nobody found are still in the set.
#
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
# ## Step 9 · Where no patient is named · deeper
#
# Many sets name no patients. Often their files still lie in an order: patient after patient, day after day. Then it
# helps to compare two kinds of folds. **Shuffled** folds put neighbours in the list on both sides; **consecutive**
# folds keep them together, all but a few at the edges. `cross_val_score` trains and tests on each fold in turn.

# %%
from sklearn.model_selection import StratifiedKFold, cross_val_score

in_order = coins.sort_values("path").index
shuffled, consecutive = StratifiedKFold(5, shuffle=True, random_state=SEED), StratifiedKFold(5)
for name, cv in {"shuffled": shuffled, "consecutive": consecutive}.items():
    y = coins.loc[in_order, "label"] == "covid"
    scores = cross_val_score(model, pixels[in_order], y, cv=cv, scoring="roc_auc")
    print(f"{name:12} AUC {scores.mean():.2f}, folds from {scores.min():.2f} to {scores.max():.2f}")

# %% tags=["author", "verdict"]
# gap = [
#     cross_val_score(model, pixels[in_order], y, cv=cv, scoring="roc_auc").mean()
#     for cv in (shuffled, consecutive)
# ]
# verdict("04.file-order-shows-the-leak", gap[0] - gap[1] > 0.1)

# %% [markdown]
# **Explain.** Model and images are the same, and no patient was named. A gap between the two AUCs says that the order
# of the files carries structure: neighbours in the list resemble each other *and* share a label. Then use consecutive
# folds, and report the lower number. If there is no gap, that proves nothing: the fewer images a patient has, the
# smaller the gap is (Step 4), and a list may be shuffled.
#
# Look at the single folds, too: data and model are the same, and still their AUCs differ a lot. Never report only the
# best fold.

# %% [markdown]
# ## Step 10 · Why the patient is no feature, and whose interval · deeper
#
# A fair question: if the patient matters, why not tell the model who the patient is? Here is a model that gets the
# patient's name and no pixel.

# %% tags=["nbval-check-output"]
y = random_labels(SEED)
names = coins[["patient"]]
by_name = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
fit, held = train_test_split(every_row, test_size=0.25, stratify=y, random_state=SEED)
by_name.fit(names.iloc[fit], y[fit])
print("by image  ", roc_auc_score(y[held], by_name.predict_proba(names.iloc[held])[:, 1]))

fit, held = next(StratifiedGroupKFold(4).split(names, y, groups=coins["patient"]))
by_name.fit(names.iloc[fit], y[fit])
print("by patient", roc_auc_score(y[held], by_name.predict_proba(names.iloc[held])[:, 1]))

# %% [markdown]
# **Explain.** With images split at random, the name alone is a perfect model. For a new patient it says nothing: 0.5.
# In use, every patient is new. So the name is no feature, it is the *group*. The network of a careless split can do the
# same as this model, only through the pixels.

# %% [markdown]
# ### What our helper adds
#
# `split.holdout` of Step 5 does the same as `StratifiedGroupKFold`, and three things more: it writes the split as a
# column, it can set aside a validation part too, and the same seed gives the same split whatever the order of the rows
# and the version of scikit-learn. The column `group` says what must stay together.

# %% tags=["nbval-check-output"]
grouped = split.holdout(coins.assign(group=coins["patient"]), test=0.25, val=0, seed=SEED)

folds = StratifiedGroupKFold(4, shuffle=True, random_state=SEED)
fit, held = next(folds.split(coins, coins["label"], groups=coins["patient"]))
plain = coins.assign(split=np.where(np.isin(every_row, held), "test", "train"))

for made in (grouped, plain):  # no patient of the test part is in training, in either
    in_test = set(made.loc[made["split"] == "test", "patient"])
    in_train = set(made.loc[made["split"] == "train", "patient"])
    assert not in_test & in_train
    both = len(in_test & in_train)
    print(f"{len(in_test)} patients to test on, {len(in_train)} to train on, {both} on both sides")

# %% [markdown]
# How sure is such an AUC? Two more helpers answer this.

# %%
in_train = (grouped["split"] == "train").to_numpy()
y = (coins["label"] == "covid").to_numpy()
model.fit(pixels[in_train], y[in_train])
plain_auc = roc_auc_score(y[~in_train], model.predict_proba(pixels[~in_train])[:, 1])

answers = baselines.logistic_regression(grouped, preprocess.cache(coins, size=32))
auc = evaluate.metric(answers, "roc_auc", "covid")
assert abs(auc.value - plain_auc) < 0.01
print(f"plain {plain_auc:.3f}, helpers {auc.value:.3f}")

# %% [markdown]
# (The labels are those of the folders again: one of the many random draws, so a single study may fall on either side of
# 0.5.) `baselines.logistic_regression` is the pipeline above: it reads the column `split` and returns one row per test
# image, which every metric of this course takes. `evaluate.metric` gives the same AUC (the `assert` checks this), and
# adds an interval: from how much the AUC changes when one unit after another is left out (lesson 07). The units can be
# images or patients.
#
# **Predict.** One model, one test part, two intervals: images as units, or patients as units. Which is wider?

# %% tags=["nbval-check-output"]
MY_UNITS = None  # your prediction: "images", "patients" or "about equal"
SURE_UNITS = None  # how sure you are, from 0.33 (no idea) to 1
wider = guess.choice(
    "04.wider-interval",
    MY_UNITS,
    options=["images", "patients", "about equal"],
    sure=SURE_UNITS,
    example="about equal",
)
wider

# %%
as_images = evaluate.metric(answers.assign(group=answers["image_id"]), "roc_auc", "covid")
as_patients = evaluate.metric(answers, "roc_auc", "covid")
print("images as units:  ", as_images)
print("patients as units:", as_patients)

width = (as_patients.high - as_patients.low) / (as_images.high - as_images.low)
which = "patients" if width > 1.1 else "images" if width < 0.9 else "about equal"

# %% tags=["nbval-check-output"]
wider.meets(
    which,
    beliefs={
        "images": "There are more images than patients: images look more certain, not less.",
        "about equal": "You took several images of one person for several people.",
    },
)

# %% tags=["author", "verdict"]
# verdict("04.patients-as-units-are-wider", width > 1.1)

# %% [markdown]
# **Explain.** Many images of one person are not many people. With patients as units the interval is wider, and it is
# the honest one.

# %% [markdown]
# ## Key points
#
# - A split is a column, made once, by a seed, and never by moving files.
# - What must stay together is the group: patient and near-duplicates. Group first, split second.
# - The AUC is the share of pairs (one of each class) that the model ranks correctly.
# - On a set with nothing to learn, a split by image made a result out of nothing; a split by patient did not.
# - (deeper) The patient is no feature: in use every patient is new. Several images of a patient are not several people.
# - A test that shows no leak proves nothing: with two images of each patient there is a leak, and it hardly shows.
#
# Your predictions in this lesson:

# %%
guess.summary("04")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 04](../exercises/04_splitting_exercise.ipynb), whose checks answer at once.
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

# %% [markdown] tags=["author"]
# In the index: make a result out of nothing with a careless split, then an honest one
