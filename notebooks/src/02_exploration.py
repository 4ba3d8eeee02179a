# %% [markdown]
# # 02 · Exploration
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Look before you train. The classes of a set differ in two ways: by the disease, and by *how the
# images were made and collected*. A network uses whichever is easier. This lesson first looks for the second kind.
#
# **You will be able to**
#
# - describe a set by its counts and files, and judge a difference between two classes against the spread within them;
# - tell left from right on a radiograph;
# - measure how much of the label is known before anybody has looked at a lung;
# - say what looking at the test images may be used for, and what not;
# - (deeper) read a page that audits a set, and ask what its labels were made from.
#
# **Time and hardware.** 45 minutes for the core, 35 more for the steps marked *deeper*, which you can skip. The
# computer needs less than one minute: two processor cores, no GPU.
#
# **Prerequisites.** Lesson 01: the table of images, what a phantom is, and how predictions are recorded.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd
import seaborn as sns
from scipy.stats import binomtest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict, cross_val_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import bar, audit, datasets, duplicates, evaluate, guess, manifest, measured
from cxr_helpers import phantom, plots, preprocess

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Count
#
# The first question about a set: how many images has each class?
#
# **Predict.** The set has three classes. A "model" never looks at an image and always answers the largest class. What is
# its accuracy?

# %% [markdown] tags=["instructor"]
# **4 minutes · do.** Quick: a first prediction that nearly everybody gets right gives courage for the next.
#
# *Asked:* "Why would anyone report that model?" To have a floor: in a set with 90 % normal images it has 0.90.

# %% tags=["nbval-check-output"]
MY_LARGEST = None  # your prediction: accuracy of always answering the largest class, from 0 to 1
largest = guess.number(
    "02.largest-class",
    MY_LARGEST,
    what="accuracy of the largest class",
    between=(0, 1),
    near=0.02,
    example=0.5,
)
largest

# %% tags=["nbval-check-output"]
report = datasets.load_report(DATASET, DATA_DIR)
table = report.table
print(table["label"].value_counts())
always = table["label"].value_counts(normalize=True).max()
print(f"always the largest class: {always:.3f} of {len(table)} images")

# %% tags=["nbval-check-output"]
largest.meets(
    always,
    beliefs=[
        (0.4, 1, "True of two classes, or of a large one. These three are of equal size."),
        (0, 0.3, "It is right on every image of that class: on its share of the images."),
    ],
)

# %% [markdown]
# **Explain.** Compare every network with this model, which sees nothing. And note what is counted: *images*, not
# people, in the proportions that the collectors chose. (COVID and viral *phantoms* differ because we drew them so. What
# you find teaches the method and is no evidence about patients.)

# %% [markdown]
# ## Step 2 · The files, before the images
#
# Every file has a width, a height, a length in bytes, a format, and a **mode**: how a pixel is stored (`L` is one grey
# level, `RGB` three colours). None of these has anything to do with a lung.

# %% [markdown] tags=["instructor"]
# **9 minutes · do.** The look-up is our mistake, on purpose. Let the good figure stand for a minute before you ask
# what is wrong with it.
#
# *Asked:* "But the table is correct, is it not?" It is, for these images. They were scored with their own answers.
#
# *Pause* before the Explain: each writes one sentence on how a file length can know a diagnosis.

# %% tags=["nbval-check-output"]
by_label = table.groupby("label", observed=True)
by_label[["width", "height"]].agg(["min", "median", "max"])

# %% tags=["nbval-check-output"]
pd.crosstab(table["label"], table["format"], normalize="index").round(2)

# %% [markdown]
# Phantoms are drawn at one size, in a random format: with 200 images in a class, four percentage points may be chance.
# If all files of a real set have one size, somebody resized them, and the traces stay in the pixels.
#
# How much does one such property say? For each of its values, look up the most frequent class, and answer that.
#
# **Predict.** We do this with the *length of the file in bytes*. Which accuracy does it reach on these images?

# %% tags=["nbval-check-output"]
MY_BYTES = None  # your prediction: accuracy of looking up the file's length, from 0 to 1
by_bytes = guess.number(
    "02.bytes-lookup", MY_BYTES, what="accuracy by file length", between=(0, 1), example=0.35
)
by_bytes

# %% tags=["nbval-check-output"]
files = table[["format", "mode", "width", "bytes"]]
lookup = {}
for name in files:
    counts = pd.crosstab(files[name], table["label"])  # a row for each value
    lookup[name] = counts.max(axis=1).sum() / len(table)
columns = {"distinct values": files.nunique(), "accuracy": lookup, "largest class": always}
pd.DataFrame(columns).round(3)

# %% tags=["nbval-check-output"]
by_bytes.meets(
    lookup["bytes"],
    beliefs=[
        (0.25, 0.5, "That would be the honest figure. We look up answers in the images we score."),
        (0.5, 0.9, "The more distinct values, the better the look-up knows single files."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("02.bytes-seem-to-know", lookup["bytes"] > 0.9)
# verdict("02.formats-know-nothing", lookup["format"] < always + 0.05)

# %% [markdown]
# **Explain.** The file's length seems to know nearly everything. That is **our mistake**: almost every file has a length
# of its own, so "the most frequent class of this value" is the class of that one file. We looked up the answers in the
# very images that we then scored. Step 5 does it properly.
#
# A property with a *few* values that beats the largest class does give the label away. In the published set of case E
# every file that is *not* `.jpeg` is COVID: 58 % of the COVID images. No network reads extensions. It sees what goes
# with them: another source, another compression, another machine.

# %% [markdown]
# ## Step 3 · Look
#
# `preprocess.cache` reads every file and keeps it as a square of grey levels, 0 black to 255 white (lesson 03 explains it).
# Which class do you recognise most easily, and by what?

# %% [markdown] tags=["instructor"]
# **6 minutes · demonstrate.** Project the montage large; let the class name differences, and write down only those
# outside the lungs. Then the hands for A and B.
#
# *Asked:* "Why is left on the right?" The patient faces you, as across a table.

# %%
images = preprocess.cache(table, size=128)
sample = by_label.sample(6, random_state=SEED)
plots.montage(
    images[sample.index], sample["label"], title="Six images of each class, drawn at random"
)

# %% [markdown]
# **Explain.** Look for what differs between the rows besides the lungs: letters, tubes, black edges, contrast, how much of
# the arms is seen, the age of the patients. Run the cell with another `random_state`: what stays the same?
#
# Now left and right. Here is the average image of one class, once as it is and once mirrored.

# %%
average = images[table["label"] == sample["label"].iloc[0]].mean(axis=0)
shown = {"A": average[:, ::-1], "B": average}
plots.compare_images(list(shown.values()), list(shown), title="Which way round?")

# %% [markdown]
# **Predict.** Without scrolling up: which is the right way round, A or B?

# %% tags=["nbval-check-output"]
MY_SIDE = None  # your prediction: "A" or "B"
SURE_SIDE = None  # how sure you are, from 0.5 (no idea) to 1
side = guess.choice(
    "02.right-way-round",
    MY_SIDE,
    options=["A", "B"],
    sure=SURE_SIDE,
    example="A",
    what="the right way round",
)
side

# %% tags=["nbval-check-output"]
right_way = "B" if shown["B"] is average else "A"
print(f"{right_way} is the average of the images as they are stored")

# %% tags=["nbval-check-output"]
side.meets(
    right_way,
    beliefs={"A": "You put the heart on your own left. But the patient faces you."},
)

# %% [markdown]
# **Explain.** By convention the patient *faces* you, so the patient's left is on **your right**. The heart's tip (its
# **apex**) points to the patient's left: see the wider shadow beside the spine, below the middle. A letter L or R on an
# image names the *patient's* side.

# %% [markdown]
# ## Step 4 · A difference and its spread
#
# How bright is an image? Its mean grey level is one number. The usual report compares the means of the classes:

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** The prediction of the share of pairs is the heart of the step: most say 0.9.
#
# *Asked:* "The difference is significant, so is it not enough?" Significant says it is not zero. Point at the two
# histograms.
#
# *Pause* at the histogram, before the Explain: where would you put a threshold?

# %%
grey = pd.Series(images.mean(axis=(1, 2)), name="mean grey level")
level = grey.groupby(table["label"], observed=True).agg(["mean", "std", "size"]).round(1)
darkest = level["mean"].idxmin()
brightest = level["mean"].idxmax()
gap = level.loc[brightest, "mean"] - level.loc[darkest, "mean"]
print(f"'{brightest} is {gap:.1f} grey levels brighter than {darkest}'")
level

# %% [markdown]
# **Predict.** Take one image of each of these two classes. In which share of all such pairs is the image of the
# "brighter" class the brighter one?

# %% tags=["nbval-check-output"]
MY_PAIRS = None  # your prediction: share of pairs, from 0 to 1
pairs_right = guess.number(
    "02.pairs-by-brightness",
    MY_PAIRS,
    what="pairs ranked right by brightness",
    between=(0, 1),
    example=0.9,
)
pairs_right


# %%
def share_of_pairs(bright, dark):
    """How often a value of the first is above a value of the second, over all pairs."""
    return (bright[:, None] > dark[None, :]).mean()


bright = grey[table["label"] == brightest].to_numpy()
dark = grey[table["label"] == darkest].to_numpy()
share = share_of_pairs(bright, dark)

draw = np.random.default_rng(SEED).choice  # the interval: draw the images anew, with replacement
shares = [share_of_pairs(draw(bright, len(bright)), draw(dark, len(dark))) for _ in range(400)]
low, high = np.percentile(shares, [2.5, 97.5])
print(f"{len(bright)} and {len(dark)} images, {len(bright) * len(dark):,} pairs")
print(f"ranked right: {share:.2f}, 95 % interval {low:.2f} to {high:.2f}")

# %%
pairs_right.meets(
    (share, low, high),
    beliefs=[
        (0.75, 1, "A difference of two means is no separation: the classes overlap widely."),
        (0, 0.55, "The difference is small, but it is there: more than half of the pairs."),
    ],
)

# %%
two = table["label"].isin([brightest, darkest])
names = table["label"][two].astype(str)
colours = {name: plots.class_colour(name) for name in set(names)}
axes = sns.histplot(x=grey[two], hue=names, palette=colours, element="step", bins=25)
axes.set(title="Two classes that overlap", xlabel="mean grey level of an image", ylabel="images")
said = (
    f"Two histograms of the mean grey level: {names.value_counts().to_dict()} images, overlapping."
)
plots.show(axes, said)

# %% tags=["author", "verdict"]
# spread = grey.groupby(table["label"], observed=True).std()
# verdict("02.the-difference-is-real", low > 0.5)
# verdict("02.the-classes-overlap", share < 0.75)
# verdict("02.the-spread-is-larger-than-the-difference", gap < spread.min())

# %% [markdown]
# **Explain.** 0.5 would be guessing, 1 a perfect separation. A difference of means says nothing by itself: compare it
# with the **standard deviation** `std`, which says how far single images lie from the mean of their class. This
# deviation is larger than the difference, so the classes overlap. On phantoms the difference comes from the haze. On
# real images it may come from elsewhere: a class of tall images, filled with black to a square, looks "dark". (The
# interval treats each image as another person. Patients have several, so it is too narrow; lesson 04 corrects that.)

# %% [markdown]
# ## Step 5 · How much is known before any lung is seen?
#
# The share of pairs of Step 4 has a name: the **AUC** (area under the ROC curve). Take one image of a class and one of
# another class: how often does the model give the first the higher score? With three classes we average three AUCs.
#
# Two rules keep us from fooling ourselves as in Step 2. A model is scored only on images it was not fitted on: the set is
# cut into five **folds**, each scored by a model that was fitted on the other four. And images of one patient form a
# **group** and stay in one fold (lesson 04 says why).
#
# The first model sees *properties of the file* only. It is a **random forest**: many small trees of questions such as "is
# it a JPEG? more than 0.3 bytes per pixel?"

# %% [markdown] tags=["instructor"]
# **9 minutes · demonstrate.** Draw the diagram's two arrows on the board, from the disease and from the source. Skip
# the code of `cross_validated`; read the AUCs with their intervals.
#
# *Asked:* "Is 0.6 from the frame already bad?" Not by itself. Compare it with the whole image: what is left for the
# lungs?
#
# *Break* before this step.

# %% [markdown]
# ![Two ways lead from the pixels to the label. The disease shapes both pixels and label: what we want. The source
# (hospital, machine, file) shapes both as well, and is often easier to learn.](../docs/diagrams/d02_two_ways.png)

# %%
table = duplicates.add_groups(table, duplicates.pairs(table))
folds = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=SEED)


def file_properties(rows):
    """Numbers that describe the file, not the chest."""
    numbers = rows[["width", "height"]].copy()
    numbers["bytes per pixel"] = rows["bytes"] / (rows["width"] * rows["height"])
    words = pd.get_dummies(rows[["format", "mode"]].astype(str))  # 0 or 1 for each value
    return pd.concat([numbers, words], axis=1).to_numpy(float)


scores = cross_val_score(
    forest,
    file_properties(table),
    table["label"],
    groups=table["group"],
    cv=folds,
    scoring="roc_auc_ovr",
)
print("AUC of the five folds:", scores.round(2))
print(f"mean {scores.mean():.2f}")

# %% [markdown]
# The five AUCs differ, because each fold is small. We want one AUC over all images, with its interval. So
# we keep each image's probabilities, and let a helper compute it.


# %%
def cross_validated(model, numbers, rows):
    """AUC with its interval; each image is scored by a model of the other folds."""
    codes = rows["label"].cat.codes.to_numpy()  # the number of each image's class
    p = cross_val_predict(
        model, numbers, codes, groups=rows["group"], cv=folds, method="predict_proba"
    )
    answers = rows[["image_id", "group", "label"]].copy()
    names = rows["label"].cat.categories
    for number, name in enumerate(names):
        answers[f"p_{name}"] = p[:, number]
    answers["predicted"] = pd.Categorical.from_codes(p.argmax(axis=1), names)
    estimate = evaluate.metric(answers, "roc_auc_macro")

    plain = np.mean([roc_auc_score(codes == k, p[:, k]) for k in range(len(names))])
    assert abs(estimate.value - plain) < 1e-9
    return estimate


from_files = cross_validated(forest, file_properties(table), table)
print("file properties:", from_files)

# %% [markdown]
# `evaluate.metric` takes one row per image, with its class and the probability of each class. Its AUC is that of
# scikit-learn (the `assert` checks this). It adds an interval by group, since images of one patient are not
# independent.
#
# The second model sees the **outer frame** of the image only: everything inside the outer tenth is black, and with it
# nearly all of the lungs. It is logistic regression on 32 × 32 pixels (lesson 05 builds it).
#
# **Predict.** Which AUC does the frame reach on this set?

# %% tags=["nbval-check-output"]
MY_FRAME = None  # your prediction: AUC of the outer frame, from 0.4 (guessing is 0.5) to 1
by_frame = guess.number(
    "02.auc-of-the-frame", MY_FRAME, what="AUC of the outer frame", between=(0.4, 1), example=0.7
)
by_frame

# %%
small = preprocess.cache(table, size=32)
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


def frame_only(pixels):
    """Images of 32 × 32 pixels with everything inside the outer tenth black."""
    framed = np.array(pixels)
    framed[:, 3:-3, 3:-3] = 0
    return framed


from_frame = cross_validated(linear, frame_only(small).reshape(len(table), -1), table)
print("outer frame:", from_frame)

# %%
by_frame.meets(
    from_frame,
    beliefs=[
        (0.58, 1, "True of many real sets. Here nothing at the edge follows the label."),
    ],
)

# %% [markdown]
# The same linear model gets the *whole* image.

# %%
from_whole = cross_validated(linear, small.reshape(len(table), -1), table)
print("whole image:", from_whole)

# %%
found = {"file properties": from_files, "outer frame": from_frame, "whole image": from_whole}
values = pd.DataFrame([vars(estimate) for estimate in found.values()]).assign(label=list(found))
plots.intervals(
    values,
    baseline={"guessing": 0.5},
    title="Telling the classes apart",
    xlabel="AUC, mean over the classes",
)

# %% tags=["author", "verdict"]
# verdict("02.files-lie-near-guessing", from_files.value < 0.62)
# verdict("02.the-frame-tells-next-to-nothing", abs(from_frame.value - 0.5) < 0.07)
# verdict("02.the-whole-tells-more", from_whole.low > max(from_frame.high, from_files.high))

# %% [markdown]
# **Explain.** If files or frame score clearly above 0.5, the label is partly known before anybody looks at a lung, and
# a network will find that, too. The nearer the frame comes to the whole image, the less a good score proves that lungs
# were used. Here the whole image tells much more: **this is what a clean set looks like**. (The files may lie a little
# above 0.5: a JPEG of a hazy lung has another length than one of a clear lung.)
#
# The same for a published set, that of case E:

# %% tags=["nbval-check-output"]
real = measured.read("shortcuts")
case_e = real[real["set"] == "covid19-image-dataset"]
case_e[["seen", "auc_covid", "auc_covid_low", "auc_covid_high", "n"]].round(2)

# %% tags=["author", "verdict"]
# seen = case_e.set_index("seen")["auc_covid"]
# verdict("02.case-e-the-frame-equals-the-centre", seen["frame, logistic regression"] > seen["centre, logistic regression"] - 0.01)

# %% [markdown]
# **Explain.** The frame tells COVID from the rest as well as the centre does. In that set the COVID images show adults,
# and the others look paediatric: arms and shoulders may lie elsewhere for that reason alone.
# **If each class has its own source, whatever differs between the sources differs between the classes.** That is called
# **confounding**.

# %% [markdown]
# ## Step 6 · Planted on purpose
#
# A check that finds nothing is worth something only if it *would* find a shortcut. So we plant three shortcuts, each
# into the same 180 phantoms: a **word**, PORTABLE, on every COVID image; the **hospital**, A for all normal and C for
# all COVID images; the **age**, normal children and COVID adults. Each gives the label away.

# %% [markdown] tags=["instructor"]
# **5 minutes · do.** Only the prediction and its result. A check is worth what it has been seen to find.
#
# *Asked:* "So are frame and files useless?" They find what they can see; the word moves, and no single pixel learns
# that.

# %% tags=["nbval-check-output"]
wished = {"n": 180, "seed": SEED, "classes": ("normal", "covid"), "letters": 0}
plans = {
    "nothing": phantom.design("default", **wished),
    "the word": phantom.design("marker", **wished),
    "the hospital": phantom.design("site_label", **wished),
    "the age": phantom.design("children_adults", **wished),
}


def kinds(values):
    """The different values of a column, in a few words."""
    return " or ".join(sorted(set(values))) or "none"


circumstances = ["marker", "site", "age_group"]
truth = {name: plan.groupby("label")[circumstances].agg(kinds) for name, plan in plans.items()}
pd.concat(truth)

# %%
planted = {}
for name, plan in plans.items():
    folder = phantom.cached(plan, datasets.work_dir(), "lesson-02", size=96, masks=False)
    rows = manifest.from_folder(folder, patient=r"(P\d+)_").table
    planted[name] = rows.assign(group=rows["patient"])

pictures, captions = [], []
for label in ("normal", "covid"):
    second = plans["nothing"].query("label == @label").index[1]  # the same row of each plan
    for name, plan in plans.items():
        pictures.append(phantom.render(plan.loc[second], 192).image)
        captions.append(f"{label}: {name}")
plots.montage(pictures, captions, columns=4, title="Two phantoms, four sets")

# %% [markdown]
# Each row shows one person in four sets; only the normal image of the fourth set shows somebody else, a child.
# (PORTABLE stands near the upper edge of a COVID image.)
#
# **Predict.** We score file properties and frame on each set. Which of the three shortcuts do *both* miss?

# %% tags=["nbval-check-output"]
MY_MISSED = None  # your prediction: "the word", "the hospital" or "the age"
SURE_MISSED = None  # how sure you are, from 0.33 (no idea) to 1
missed = guess.choice(
    "02.shortcut-missed",
    MY_MISSED,
    options=["the word", "the hospital", "the age"],
    sure=SURE_MISSED,
    example="the hospital",
    what="the shortcut that is missed",
)
missed

# %%
found = {}
# `bar` shows how far a loop is, once it lasts more than two seconds.
for name, rows in bar(planted.items(), desc="sets"):
    pixels = preprocess.cache(rows, size=32)
    found[name] = {
        "files": cross_validated(forest, file_properties(rows), rows),
        "frame": cross_validated(linear, frame_only(pixels).reshape(len(rows), -1), rows),
        "whole image": cross_validated(linear, pixels.reshape(len(rows), -1), rows),
    }
shortcuts = ["the word", "the hospital", "the age"]
best = {name: max(found[name]["files"].value, found[name]["frame"].value) for name in shortcuts}
least = min(best, key=best.get)
pd.DataFrame(found).T.map(str)

# %% tags=["nbval-check-output"]
missed.meets(
    least,
    beliefs={
        "the hospital": "No letter tells it, but the file does: site C saves its JPEGs otherwise.",
        "the age": "A child's arms and shoulders lie elsewhere: the frame shows it.",
    },
)

# %% tags=["author", "verdict"]
# nothing = found["nothing"]
# verdict("02.the-word-is-missed", least == "the word" and best["the word"] < 0.7)
# verdict("02.the-word-changes-little", abs(found["the word"]["frame"].value - nothing["frame"].value) < 0.1)
# verdict("02.nothing-planted-tells-little", max(nothing["files"].value, nothing["frame"].value) < 0.7)
# verdict("02.files-find-the-hospital", found["the hospital"]["files"].low > 0.8)
# verdict("02.frame-finds-the-age", found["the age"]["frame"].low > 0.55)
# verdict("02.age-raises-the-whole", found["the age"]["whole image"].value > nothing["whole image"].value + 0.1)
# verdict("02.hospital-raises-the-whole", found["the hospital"]["whole image"].value > nothing["whole image"].value)

# %% [markdown]
# **Explain.** With nothing planted, files and frame tell little; with 180 images their intervals are wide. *The
# hospital* is found by the files: site C saves its images with another JPEG quality, and bytes per pixel show it. *The
# age* is found by the frame, as in case E, and by the files. In both sets the whole image scores higher, although the
# disease is the same.
#
# *The word* is missed: its row hardly differs from the first, and yet it gives every label away. It is small, its place
# varies, and a linear model on 32 × 32 pixels cannot read. A convolutional network can learn to read it (lesson 09).
# **A silent check has not proved the set clean.** You could see the word in the montage.

# %% [markdown]
# ## Step 7 · We have seen the test set
#
# All of this used every image, also those for the final test. Is that allowed? It depends on the use. To see the harm
# alone, we make the labels **random**. Divide each image into 64 squares, and ask how well the brightness of each
# square ranks one label above the other. Choose the best square, once by the *test* images, once by the other images.
#
# **Predict.** The best square is chosen by the test images. Which AUC does it have on them, as a mean over repeats?

# %% [markdown] tags=["instructor"]
# **4 minutes · say.** Nobody trained on the test images, and still the figure is wrong. Read the table of what may be
# looked at aloud, and leave the cells for home.
#
# *Asked:* "May I never look at test images?" You may, to check the data. Not to choose.
#
# *Pause* at the checkpoint, a vote without discussion.

# %% tags=["nbval-check-output"]
MY_SQUARE = None  # your prediction: AUC of the best of 64 squares on random labels, from 0 to 1
square = guess.number(
    "02.best-square", MY_SQUARE, what="AUC of the best square", between=(0, 1), example=0.5
)
square

# %%
squares = preprocess.cache(table, size=8).reshape(len(table), 64)
others, test = train_test_split(table.index, test_size=0.2, random_state=SEED)


def auc_of_each_square(rows, labels):
    """AUC of the brightness of each of the 64 squares."""
    return np.array([roc_auc_score(labels[rows], squares[rows, k]) for k in range(64)])


by_test, by_others = [], []
for repeat in bar(range(40 if MODE == "class" else 400), desc="repeats"):
    labels = np.random.default_rng([SEED, repeat]).integers(2, size=len(table))
    on_test = auc_of_each_square(test, labels)
    on_others = auc_of_each_square(others, labels)
    by_test.append(on_test.max())
    by_others.append(on_test[on_others.argmax()])


# %%
def summarised(aucs):
    """Mean of the repeats, and the mean minus and plus two standard errors."""
    error = np.std(aucs, ddof=1) / np.sqrt(len(aucs))
    return np.mean(aucs), np.mean(aucs) - 2 * error, np.mean(aucs) + 2 * error


print(f"AUC on {len(test)} test images, mean of {len(by_test)} repeats, ± 2 standard errors:")
print("chosen by the test images {:.2f} ({:.2f} to {:.2f})".format(*summarised(by_test)))
print("chosen by the others      {:.2f} ({:.2f} to {:.2f})".format(*summarised(by_others)))

# %%
square.meets(
    summarised(by_test),
    beliefs=[
        (0.45, 0.54, "True of a square chosen elsewhere. This one was chosen on these images."),
        (0.7, 1, "With 120 test images, even the best of 64 random squares stays near 0.6."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("02.choosing-by-test-invents", summarised(by_test)[1] > 0.55)
# verdict("02.choosing-elsewhere-does-not", abs(np.mean(by_others) - 0.5) < 0.04)

# %% [markdown]
# **Explain.** Chosen by the test images, the square scores above 0.5, with nothing to find; by the others, about 0.5.
# (Standard error: how far off the mean may be.) Nobody trained anything on the test images: *choosing* by them was
# enough. So what may we look at all images for?
#
# | you look at all images, test included, in order to ... | allowed? |
# |---|---|
# | find broken files, wrong labels, copies, patients on both sides | yes: report what you changed |
# | find out how the set was made, and warn the reader | yes: report it |
# | judge whether this test can answer the question at all | yes |
# | choose features, a crop, a contrast, a threshold, a model | no: use training and validation |
# | throw out test images on which the model does badly | no, never |
#
# ### Checkpoint
#
# You notice that many COVID images in the whole set have black edges. What is right?
#
# 1. Crop all images by 5 %, and report the better test accuracy.
# 2. Write down the finding, and decide about cropping on the training and validation images.
# 3. Remove the test images with black edges.
#
# <details><summary>Answer</summary>
# 2. Answer 1 makes a choice by the test images; a crop also does not remove what else came with the edges. Answer 3
# makes the test easier, and unlike the images to come.
# </details>

# %% [markdown]
# ## Step 8 · A percentage and its n · deeper
#
# A colleague calls an image *bright* if its mean grey level is above the median of all images, looks at four images of
# each class, and reports a percentage. What is missing?

# %% tags=["nbval-check-output"]
is_bright = grey > grey.median()
four = by_label.sample(4, random_state=SEED).index
for name, rows in {"four images": four, "all images": table.index}.items():
    for label, part in is_bright[rows].groupby(table["label"], observed=True):
        k, n = int(part.sum()), len(part)
        interval = binomtest(k, n).proportion_ci(method="wilson")
        assert np.allclose(evaluate.wilson(k, n), interval)
        print(
            f"{name}, {label}: {k} of {n} ({k / n:.0%}), {interval.low:.0%} to {interval.high:.0%}"
        )

# %% [markdown]
# **Explain.** What was missing is **n**. With four images there are only five possible percentages, and each interval
# covers about half of the range or more: such a percentage is compatible with almost anything. *A percentage without its
# n is not a result.* (`evaluate.wilson` computes the same interval in a shorter call.)
#
# One number per image hides much. Here are all grey levels:

# %%
plots.histogram(images, table["label"])

# %% [markdown]
# **Explain.** A line is the mean of a class; at each grey level its band holds the middle 80 % of its images. Where the
# bands overlap, as they do nearly everywhere for the phantoms, a difference between the lines is worth little.
# Where a band is much narrower than the others', somebody may have processed these images in one way: in the published
# set of case E the histograms of the *Normal* images are almost flat and almost equal, because their contrast was
# equalised. That is no property of lungs. (The figure ends a little above the highest line, so bands are cut off at the
# top.)
#
# ### Checkpoint
#
# "On average, COVID images are 9 grey levels brighter (p < 0.001), so brightness is a sign of the disease." (The p says
# how rarely chance alone would make a difference at least as large.) What is the first thing to say?
#
# 1. With p < 0.001 it is settled.
# 2. How large is the spread within the classes, and were both classes taken with the same machines?
# 3. Nine of 255 is too little to matter.
#
# <details><summary>Answer</summary>
# 2. Answer 1: with enough images the smallest difference becomes "significant"; that says nothing about telling single
# images apart, nor about its cause. Answer 3: nine grey levels may be much, if the spread is one grey level; without
# the spread nobody can say.
# </details>

# %% [markdown]
# ## Step 9 · The average patient · deeper
#
# Average all images of a class, pixel by pixel. What will be sharp, and what will vanish?

# %%
plots.mean_images(preprocess.cache(table, size=64), table["label"])

# %% [markdown]
# **Explain.** The upper images are the averages: nothing is quite sharp. What all images share survives (spine, heart,
# outline); ribs and patches of haze, which lie elsewhere in each person, blur away. A letter that survives in a corner
# stands at the same place in many images of that class. The lower images show how much single images vary, pixel by
# pixel. It is tempting to subtract two averages and call the result "the disease". Here is that mistake:

# %%
first = images[table["label"] == brightest].astype(float)
second = images[table["label"] == darkest].astype(float)
difference = first.mean(axis=0) - second.mean(axis=0)
plots.weights(difference, title=f"Mean of {brightest} minus mean of {darkest}", label="grey levels")

# %% [markdown]
# The colours look convincing. How large is the difference compared with the spread?

# %%
spread = np.sqrt((first.var(axis=0) + second.var(axis=0)) / 2)
effect = difference / np.maximum(spread, 1)  # at least one grey level: no division by zero
plots.weights(effect, title="The same, in standard deviations", label="standard deviations")

# %% [markdown]
# **Explain.** Now the scale says something. At 1, the means lie one standard deviation apart: of pairs of images, about
# three in four are ranked correctly by that pixel (if its values are normally distributed). At 0.2 the pixel does
# hardly better than guessing. And note *where* the difference is strong. (Viral phantoms are drawn with haze that
# spreads from the middle of the chest, COVID phantoms with patches low down and near the outer walls of the lungs.) Of
# the 5 % strongest pixels, how many lie in the outer frame?

# %% tags=["nbval-check-output"]
frame = np.ones(effect.shape, bool)
frame[12:-12, 12:-12] = False  # of 128 pixels
strong = np.abs(effect) >= np.quantile(np.abs(effect), 0.95)
print(
    f"the frame holds {frame.mean():.0%} of all pixels, {frame[strong].mean():.0%} of the strongest"
)

# %% tags=["author", "verdict"]
# verdict("02.strong-pixels-lie-inside", frame[strong].mean() < frame.mean() / 2)

# %% [markdown]
# **Explain.** If the disease made the difference, the strong pixels would lie in the lungs. Where the frame holds its
# share of the strong pixels, or more, something else tells the classes apart: borders, letters, position, size of the
# patient. (The reverse does not hold: strong pixels inside the lungs may come from exposure and contrast, which reach
# everywhere.)

# %% [markdown]
# ## Step 10 · One page about the set · deeper
#
# One function asks all of these questions, and those of lessons 01 and 04: `audit.report`. Each line has a verdict:
# **ok**, **look** (know this before you go on) or **fault** (a result on this set is wrong or misleading
# unless the fault is dealt with). How many lines will say *fault*? And what would the page say of the set with the
# planted hospital?

# %%
pd.set_option("display.max_colwidth", 200)
page = audit.report(table, report.rejects, seed=SEED)
page["the hospital"] = audit.report(planted["the hospital"], seed=SEED)["verdict"]
page[["check", "verdict", "finding", "the hospital"]]

# %% tags=["author", "verdict"]
# verdict("02.no-fault-in-the-phantoms", not (page["verdict"] == "fault").any())
# verdict("02.the-hospital-is-a-fault", page["the hospital"].iloc[-1] == "fault")

# %% [markdown]
# **Explain.** Read it aloud, line by line, as if to somebody who is about to use the set.
#
# - *unreadable files, images by class*: what there is, and what was left out.
# - *format, mode, size by class*: Step 2 in words.
# - *byte-identical pairs, near-duplicate pairs*: one radiograph several times. *Across the split* is the worst place
#   for such a pair: the training part then holds a test image. Lesson 04 shows what that does. *Label conflicts* are
#   one radiograph with two labels; at least one of them is wrong.
# - *patients*: whether anybody wrote down who is on the images.
# - *file properties predict the class*: Step 5, first line.
#
# The last column holds the verdicts for the set with the planted hospital: a *fault* in the last line, as it should be.
# The phantoms themselves have no *fault*; their last line may say *look*, because haze changes the number of bytes
# (Step 5). A verdict is a rule of thumb, not a law:
# the thresholds stand in the code (`audit.report??`). And **ok** means that this check found nothing, not that nothing
# is wrong: no line checks the letters, the frame of Step 5 or the ages of the patients.
#
# All of this was found before any network was trained. A set with faults can still teach methods. It cannot show that a
# disease was recognised.

# %% [markdown]
# ## Step 11 · What a label is worth · deeper
#
# We have doubted the images and believed the labels. Where do they come from? In DarkCovidNet's set (lesson 14) the
# radiographs of pneumonia and of no finding are NIH's. Their labels were *mined from reports*: a program read what
# radiologists had written and picked out the findings (Wang et al. 2017).
#
# For another study, radiologists later read some of NIH's radiographs again (Majkowska et al. 2020). They said
# whether a radiograph shows an **airspace opacity**: a whiter region, where something other than air fills the lung.
# That is how most pneumonias show. We had 830 of the set's NIH radiographs, and 36 of these were read again: 18
# labelled pneumonia, 18 labelled no finding.
#
# **Predict.** In which share of the 18 radiographs labelled *pneumonia* did the radiologists see an opacity?

# %% tags=["nbval-check-output"]
MY_OPACITY = None  # your prediction: share of the radiographs labelled pneumonia, from 0 to 1
opacity = guess.number(
    "02.opacity-seen", MY_OPACITY, what="pneumonia, opacity seen", between=(0, 1), example=0.9
)
opacity

# %% tags=["nbval-check-output"]
worth = measured.read("label_worth").rename(columns={"groups": "patients"}).set_index("what")
again = worth[worth["figure"] == "opacity seen"].astype({"count": int})
again[["count", "n", "patients", "value", "low", "high"]].round(2)

# %% tags=["nbval-check-output"]
opacity.meets(
    tuple(again.loc["labelled pneumonia", ["value", "low", "high"]]),
    beliefs=[
        (0.75, 1, "The label is what a report mentions. Others read the radiograph otherwise."),
        (0, 0.25, "The two readings differ, but for most radiographs they agree."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("02.some-labels-meet-no-opacity", again.loc["labelled pneumonia", "high"] < 0.8)
# verdict("02.second-reading-intervals-overlap", again.loc["labelled pneumonia", "low"] < again.loc["labelled no finding", "high"])

# %% [markdown]
# **Explain.** They saw an opacity in 9 of the 18: 0.50 (0.27 to 0.73). In the 18 labelled no finding they saw one in 2:
# 0.11 (0.02 to 0.47). This second interval is so wide because the 18 radiographs are of only 10 patients. The two
# intervals even overlap.
#
# So claim little. *Shown*: in some of these radiographs the label and a second reading disagree. *Not shown*: in how
# many of the 830 this is so. The 36 are few and were not drawn at random from the 830. Nor is the second reading the
# truth: an opacity may be something other than pneumonia, a pneumonia may not be visible yet, and whoever wrote the
# report knew more about the patient.
#
# What a model is scored against is called its **ground truth** or, more modestly, its **reference standard**. A
# network that agrees with nine of these labels in ten agrees with nine *reports* in ten. Ask of each label: who said
# it, and from what?
#
# What else, besides findings, goes with these labels? NIH's table has for each radiograph the view, the
# patient's age, and the number of the follow-up (0 is the patient's first radiograph). How well does each *alone*
# rank pneumonia above no finding?

# %% tags=["nbval-check-output"]
alone = worth[worth["figure"] == "AUC"]
alone[["value", "low", "high", "n", "patients"]].round(2)

# %% tags=["author", "verdict"]
# verdict("02.view-and-follow-up-tell-the-label", alone.loc[["view (PA)", "follow-up number"], "low"].min() > 0.55)
# verdict("02.age-tells-less", alone.loc["age", "value"] < alone.loc["view (PA)", "value"])

# %% [markdown]
# **Explain.** No image was opened, and all three lie above 0.5. The *number of the follow-up* reaches 0.68 (0.63 to
# 0.73): later radiographs are more often labelled pneumonia. The *view* reaches 0.63 (0.59 to 0.67), and look at its
# direction: radiographs labelled pneumonia are more often **PA**, taken standing. One would expect AP, the view of
# those who cannot stand. So this may tell how the set was put together rather than who was ill. *Age* tells least,
# 0.57 (0.51 to 0.62). (n = 830 radiographs of 565 patients. For each of the three, the direction that means pneumonia
# was chosen on these same radiographs.) A network can see the view: Step 5's question applies inside one collection,
# too.
#
# ### Which wrong labels can be found?
#
# Nobody can read a whole set again. An algorithm can list labels that contradict their images. It asks, about each
# image, a model that was fitted to the others, and suspects a label where the model is surer of the other class
# (*confident learning*, Northcutt et al. 2021). With `p`, the probabilities of two classes, and the given `labels`:
#
# ```python
# usual = np.array([p[labels == k, k].mean() for k in (0, 1)])  # how sure the model is as a rule
# sure = np.where(p >= usual, p, 0)  # classes of which it is at least as sure
# suspect = sure.any(axis=1) & (sure.argmax(axis=1) != labels)
# ```
#
# On phantoms we know the truth. Of 300 labels we made 30 wrong, in four ways:

# %% [markdown]
# ![Thirty wrong labels of four kinds, as dots, filled where they were found. At random in both classes 18.9 of 30 were
# found, at random in one class 16.2; of the faintest disease called normal 2.7, of one hospital's disease called normal
# 3.1.](../docs/diagrams/d02_label_errors.png)

# %% [markdown]
# Means of 20 seeds, with 95 % intervals over the seeds. Where the errors are random, more than half are found, and the
# list also holds 20.9 labels that are right. Where they follow a *rule*, about one in ten is found: the model learns
# the rule with the labels. For the hospital's errors its ranking is little better than chance (AUC 0.54). And the
# report does not show it: with the faintest disease called normal, the accuracy by the given labels is 0.88, by the
# true ones 0.83; with random errors it is 0.76, by the true ones 0.82. Rules are found by other means: compare the
# shares of the classes in each hospital, and let somebody who does not know the labels read a random sample again.
# (`python -m benchmarks.label_errors`)

# %% [markdown]
# ## Key points
#
# - The share of the largest class is the accuracy of a model that looks at nothing.
# - The patient's left is on the viewer's right; the heart points there.
# - A difference of means needs the spread within the classes; a percentage needs its n.
# - Score on images that were not used to fit: a look-up scored on its own images seems to know everything.
# - Where files or frame tell the classes apart, a good score proves little.
# - Plant a shortcut to learn what a check can see. A silent check is no proof.
# - Look at the test images to check the data; whoever chooses by them invents results.
#
# Your predictions in this lesson:

# %%
guess.summary("02")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 02](../exercises/02_exploration_exercise.ipynb), whose checks answer at once.
#
# Lesson 03 turns files of any size and mode into the arrays that networks take.

# %% [markdown]
# ## Sources and licence
#
# - Maguolo, Nanni (2021), *A critic evaluation of methods for COVID-19 automatic detection from X-ray images*,
#   Information Fusion 76, doi 10.1016/j.inffus.2021.04.008: similar scores with the lungs blacked out.
# - DeGrave, Janizek, Lee (2021), *AI for radiographic COVID-19 detection selects shortcuts over signal*, Nature Machine
#   Intelligence 3, doi 10.1038/s42256-021-00338-7.
# - Zech et al. (2018), *Variable generalization performance of a deep learning model to detect pneumonia in chest
#   radiographs: a cross-sectional study*, PLoS Medicine 15(11), doi 10.1371/journal.pmed.1002683.
# - Wang et al. (2017), *ChestX-ray8*, CVPR, doi 10.1109/CVPR.2017.369: NIH's radiographs and their labels.
# - Majkowska et al. (2020), *Chest radiograph interpretation with deep learning models: assessment with
#   radiologist-adjudicated reference standards and population-adjusted evaluation*, Radiology 294(2), doi
#   10.1148/radiol.2019191293. Counted by `benchmarks/label_worth.py`.
# - Northcutt, Jiang, Chuang (2021), *Confident learning: estimating uncertainty in dataset labels*, Journal of
#   Artificial Intelligence Research 70, doi 10.1613/jair.1.12125.
# - Figures about the published set of case E: measured for this course; see `data/README.md`.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: look before you train: what separates the classes without a lung
