# %% [markdown]
# # 02 · Exploration
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* Before anything is trained, look. A set of radiographs holds two kinds of differences between its
# classes: those of the disease, and those of *how the pictures were made and collected*. A network uses whichever is
# easier. This lesson is about seeing the second kind before a network does: on phantoms without such differences, and
# on phantoms into which we plant them.
#
# **You will be able to**
#
# - describe a set by counts, sizes, formats and grey levels, and say how sure each number is;
# - judge a difference between two classes against the spread within them;
# - tell left from right on a radiograph;
# - measure how much of the label is known before anybody has looked at a lung;
# - say what looking at the test images may be used for, and what not.
#
# **Time and hardware.** 60 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lesson 01: the table of images, and what a phantom is.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd

from cxr_helpers import audit, baselines, datasets, duplicates, evaluate, manifest
from cxr_helpers import phantom, plots, preprocess, split

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Count
#
# The first number about a set is how many images each class has. It sets the bar for everything that follows.
#
# **Predict.** Suppose a "model" always answers the largest class. What accuracy will it have on this set?

# %%
report = datasets.load_report(DATASET, DATA_DIR)
table = report.table
plots.class_counts(table)

# %% [markdown]
# **Explain.** The share of the longest bar is that accuracy: without looking at a single picture. Any figure that a
# network reaches is to be read against it. And mind what is counted: *images*, not people, in the proportions that the
# collectors chose. Nothing here says how frequent a disease is. (The default set is of *phantoms*: we drew them, and
# COVID and viral differ because we drew them so. What you find here teaches the method and is no evidence about
# patients.)

# %% [markdown]
# ## Step 2 · The files, before the pictures
#
# Every file has a width, a height, a format and a **mode**: how a pixel is stored (`L` is one grey level, `RGB` three
# colours). None of these has anything to do with a lung.
#
# **Predict.** Should these properties differ between the classes? Will they?

# %%
plots.sizes(table)

# %% [markdown]
# **Explain.** Left, look for a class whose marks lie elsewhere, or spread more widely, than the others'. If all lie on
# one point, somebody resized every image: what the sizes could have given away was erased *there*, but the
# stretching, the blur and the black borders that came with it remain in the pixels. (Phantoms are *drawn* at one size.)
# Right, look for a row that differs by more than chance: with 200 images in each class, rows that differ by four
# percentage points, as on the phantoms, are alike.
#
# How far does one such property get us? Look up, for each value, its most frequent class, and answer that.

# %%
files = table[["format", "mode"]].astype(str)
files["extension"] = table["image_id"].str.extract(r"(\.\w+)$", expand=False).str.lower()
files["shape"] = np.sign(table["width"] - table["height"]).map({-1: "tall", 0: "square", 1: "wide"})
files["size"] = table["width"].astype(str) + " × " + table["height"].astype(str)
files["bytes"] = table["bytes"].astype(str)
always = table["label"].value_counts(normalize=True).max()
lookup = [pd.crosstab(files[name], table["label"]).max(axis=1).sum() / len(table) for name in files]
columns = {"distinct values": files.nunique().to_numpy(), "accuracy": lookup}
pd.DataFrame(columns, index=files.columns).assign(largest_class=always).round(3)

# %% [markdown]
# **Explain.** Read each accuracy against the column on its right. A property with a *few* values that beats the largest
# class by more than a point or two gives the label away. On the published set of case E, *not `.jpeg`* means COVID in
# every single case, and finds 58 % of the COVID images. No network reads extensions; it does see what goes with them:
# another source, another compression, another machine. The phantoms' formats were drawn by lot.
#
# But look at the last row: the file's length in bytes seems to know nearly everything! That is a **mistake of ours**:
# almost every file has a length of its own, so "the most frequent class of this value" is the class of that one
# file. We looked up the answers in the very images that we then scored. The more values, the more flattering. Step 6
# does it properly.

# %% [markdown]
# ## Step 3 · Look
#
# Now the pictures. `preprocess.cache` reads every file once and keeps it as a square of 128 × 128 grey levels, 0 black
# to 255 white (lesson 03 explains how).
#
# **Predict.** Six per class, at random. Which class will you find easiest to recognise, and by what?

# %%
images = preprocess.cache(table, size=128)
sample = table.groupby("label", observed=True).sample(6, random_state=SEED)
plots.montage(
    images[sample.index], sample["label"], title="Six images of each class, drawn at random"
)

# %% [markdown]
# **Explain.** *At random* matters: whoever shows the six nicest shows their own taste. Look for what differs between
# the rows besides the lungs: letters and arrows, tubes and leads, black edges, contrast, how much of the neck and
# arms is seen, the age of the patients. Run the cell with another `SEED`: what stays?
#
# One thing has to be settled first: left and right. Here is the average image of one class, twice; one is mirrored.
#
# **Predict.** Which is the right way round, A or B?

# %%
some = images[table["label"] == table["label"].cat.categories[0]].mean(axis=0)
plots.compare_images([some[:, ::-1], some], ["A", "B"], title="Which way round?")

# %% [markdown]
# **Explain.** B. By convention the patient *faces* you, so the patient's left is on **your right**, as when you shake
# hands. The heart's tip (its **apex**) points to the patient's left: to your right. Look for the wider shadow beside
# the spine, below the middle. A letter L or R on a film names the *patient's* side.
#
# ### Checkpoint
#
# A haze lies on the left half of the picture as you see it. Where is it in the patient?
#
# 1. In the left lung.
# 2. In the right lung.
# 3. That depends on whether the beam came from the front or the back.
#
# <details><summary>Answer</summary>
# 2. The patient faces you. Answer 1 takes the viewer's left for the patient's. Answer 3: the direction of the beam (AP
# or PA) changes how large the heart looks; films are hung the same way round in both cases. So a network
# trained on mirrored copies is told that left and right do not matter: a claim, which lesson 06 puts to the test.
# </details>

# %% [markdown]
# ## Step 4 · Grey levels: a difference and its spread
#
# How bright is an image? Its mean grey level is one number. A colleague compares the classes on four images of each and
# reports what percentage is *bright* (above the median of all).
#
# **Predict.** Four images give 0, 25, 50, 75 or 100 %. Would you report such a percentage? What is missing?

# %% tags=["nbval-check-output"]
grey = pd.Series(images.mean(axis=(1, 2)), name="mean grey level")
bright = grey > grey.median()
few = table.groupby("label", observed=True).sample(4, random_state=SEED).index
for name, rows in [("the colleague's", few), ("all", table.index)]:
    for label, part in bright[rows].groupby(table["label"], observed=True):
        low, high = evaluate.wilson(part.sum(), len(part))
        share = f"{part.sum()} of {len(part)} bright ({part.mean():.0%})"
        print(f"{name:16}{label}: {share}, interval {low:.0%}-{high:.0%}")

# %% [markdown]
# **Explain.** What was missing is **n**. With four images per class there are only five possible percentages, and each
# interval covers about half of the range or more: the first lines are compatible with almost anything. The same
# property on all images has intervals that can be compared. *A percentage without its n is not a result.* (These
# intervals take each image for another person. Where patients have several, they are too narrow; lesson 04 mends that.)
#
# Now the means, on all images. The mistake first:

# %% tags=["nbval-check-output"]
level = grey.groupby(table["label"], observed=True).agg(["mean", "std", "size"]).round(1)
dark, light = level["mean"].idxmin(), level["mean"].idxmax()
gap = level.loc[light, "mean"] - level.loc[dark, "mean"]
print(f"'{light} is {gap:.1f} grey levels brighter than {dark}'")

# %% [markdown]
# **Predict.** Take one image of each of these two classes. How often is the one of the "brighter" class the brighter
# one?

# %% tags=["nbval-check-output"]
a, b = grey[table["label"] == light].to_numpy(), grey[table["label"] == dark].to_numpy()
print(f"in {(a[:, None] > b[None, :]).mean():.0%} of all {len(a) * len(b):,} pairs")
level

# %%
plots.by_class(
    grey, table["label"], xlabel="mean grey level (0 black, 255 white)", title="How bright?"
)

# %% [markdown]
# **Explain.** 50 % would be a coin, 100 % a perfect separation. In the picture each dot is an image, and each box holds
# the middle half of its class: look how far the boxes overlap. A difference of means says nothing by itself: hold it
# against `std`, the **standard deviation**, which says how far single images lie from their class's mean. If
# the spread is as large as the difference or larger, the classes overlap, and many images sit on the "wrong" side. And
# compare the `std` of the classes with each other: a class with a much wider spread may have been gathered
# from more sources. On phantoms the difference is real, since haze is bright and was drawn, and small all the same. One
# more trap: the cache fills pictures that are not square with black, so a class of tall or wide pictures looks "dark".
# Brightness is not always about the chest.

# %%
plots.histogram(images, table["label"])

# %% [markdown]
# **Explain.** The same with all grey levels: a line is the mean of a class; at each grey level the band holds the
# middle 80 % of its images. Where the bands lie over each other, as those of the phantoms do nearly everywhere, a
# difference of the lines is worth little. Where a band is much narrower than the others', somebody may have treated
# these images alike: on the published set of case E the histograms of the *Normal* images are almost flat and almost
# equal, because their contrast was equalised. That is no property of lungs. (The picture ends a little above the
# highest line, so bands leave it at the top. Where one does at the left end, some images have many black pixels:
# borders.)
#
# ### Checkpoint
#
# "On average, COVID images are 9 grey levels brighter (p < 0.001), so brightness is a sign of the disease." (The p says
# how rarely chance alone would make a difference at least as large.) What is the first thing to say?
#
# 1. With p < 0.001 it is settled.
# 2. How large is the spread within the classes, and were they taken with the same machines?
# 3. Nine of 255 is too little to matter.
#
# <details><summary>Answer</summary>
# 2. Answer 1: with enough images the smallest difference becomes "significant"; that says nothing about telling single
# images apart, nor about its cause. Answer 3: nine may be much, if the spread is one; without the spread nobody can
# say.
# </details>

# %% [markdown]
# ## Step 5 · The average patient
#
# **Predict.** Average all images of a class, pixel by pixel. What will be sharp, and what will vanish?

# %%
plots.mean_images(baselines.shrink(images, 64), table["label"])

# %% [markdown]
# **Explain.** Above, the averages: nothing is quite sharp. What all share survives (spine, heart, outline); ribs and
# patches of haze, which lie elsewhere in each person, blur away. A letter that survives in a corner stands at the same
# place in many images of that class. Below, how much single images vary, pixel by pixel: on the phantoms least along
# the spine, most at the borders of the picture and at the domes of the diaphragm, which lie higher in one person
# than in the next. It is tempting to subtract two averages and call the result "the disease". The mistake:

# %%
first, second = (images[table["label"] == name].astype(float) for name in (light, dark))
difference = first.mean(axis=0) - second.mean(axis=0)
plots.weights(difference, title=f"Mean of {light} minus mean of {dark}", label="grey levels")

# %% [markdown]
# **Predict.** The colours look convincing. How large is the difference compared with the spread?

# %%
spread = np.sqrt((first.var(axis=0) + second.var(axis=0)) / 2)
effect = difference / np.maximum(spread, 1)  # at least one grey level: no division by zero
plots.weights(effect, title="The same, in standard deviations", label="standard deviations")

# %% [markdown]
# **Explain.** Now the scale says something. At 1, the means lie one standard deviation apart: of pairs of images,
# about three in four are ranked rightly by that pixel. At 0.2 it is hardly more than a coin. And note *where* it is
# strong. (Viral phantoms are drawn with haze that spreads from the middle of the chest, COVID phantoms with patches
# low down and near the outer walls of the lungs.) In numbers: of the 5 % strongest pixels, how many lie in the outer
# frame of the picture?

# %% tags=["nbval-check-output"]
margin = 12  # of 128 pixels
frame = np.ones(effect.shape, bool)
frame[margin:-margin, margin:-margin] = False
strong = np.abs(effect) >= np.quantile(np.abs(effect), 0.95)
print(
    f"the frame holds {frame.mean():.0%} of all pixels, {frame[strong].mean():.0%} of the strongest"
)

# %% [markdown]
# **Explain.** If the disease made the difference, the strong pixels would lie in the lungs. Where the frame has its
# share or more of them, something else tells the classes apart: borders, letters, position, size of the patient. (The
# reverse does not hold: strong pixels inside the lungs may come from exposure and contrast, which reach everywhere.)

# %% [markdown]
# ## Step 6 · How much is known before any lung is seen?
#
# Time to measure it. The score is the **AUC**: take one image of a class and one of another; how often does the model
# give the first the higher score for its class? 0.5 is a coin, 1.0 is perfect; here averaged over the classes.
# (You computed one in Step 4, by brightness. Lesson 04 takes it apart.)
#
# Two rules keep us from fooling ourselves as in Step 2. A model is scored only on images it was not fitted on: the set
# is cut into five **folds**, each scored by a model fitted on the other four. And copies of one radiograph stay in
# one fold: they form a **group** (lesson 04 again).

# %% tags=["nbval-check-output"]
pairs = duplicates.pairs(table)
table = duplicates.add_groups(table, pairs)
folded = split.folds(table, k=5, seed=SEED)
print(f"{len(table)} images in {table['group'].nunique()} groups, five folds of", end=" ")
print(*folded["fold"].value_counts().sort_index())

# %% [markdown]
# Three models. The first sees the *file's properties* only: format, mode, size, bytes per pixel, source (the collection
# or hospital that the file came from, where the table knows it). The second sees only the *outer frame*, with
# everything inside blacked out. The third sees the whole picture. The last two use logistic regression, a simple model
# (lesson 05), on 32 × 32 pixels. The first is run once more without the bytes.
#
# **Predict.** Write down four AUCs between 0.5 and 1: file's properties, the same without bytes, frame, whole picture.


# %%
def on_pixels(rows, pixels):
    """AUC of logistic regression on 32 × 32 pixels, each image scored by a model of other folds."""
    small = baselines.shrink(pixels, 32).astype(np.uint8)
    return evaluate.metric(baselines.logistic_regression(rows, small, folds=True), "roc_auc_macro")


def frame_only(pixels, share=margin / 128):
    """The images with everything inside the outer frame black."""
    pixels, cut = np.array(pixels), round(share * pixels.shape[1])
    pixels[:, cut:-cut, cut:-cut] = 0
    return pixels


def from_files(rows):
    """AUC of a random forest on the files' properties, likewise."""
    return evaluate.metric(
        audit.file_properties_baseline(rows, seed=SEED, trees=60), "roc_auc_macro"
    )


# %%
found = {
    "file's properties": from_files(table),
    "the same without bytes": from_files(table.assign(bytes=1)),
    "outer frame": on_pixels(folded, frame_only(images)),
    "whole picture": on_pixels(folded, images),
}
values = pd.DataFrame([vars(estimate) for estimate in found.values()]).assign(label=list(found))
title, what = "Telling the classes apart", "AUC, mean over the classes"
plots.intervals(values, baseline={"coin": 0.5}, title=title, xlabel=what)

# %% [markdown]
# **Explain.** Read the upper three lines against the coin. None of their models saw more of a lung than what reaches
# into the outer tenth. If their intervals stay clear of 0.5, the label is partly known before anybody looks at one, and
# a network will find that out, too. Then compare the frame with the whole picture: the nearer they are, the less a good
# score proves that lungs were used.
#
# The second line is a control on the first. Bytes per pixel depend on what is *in* the picture: a JPEG of a hazy lung
# is longer or shorter than one of a clear lung. On phantoms we know the truth: format and site were drawn by lot,
# whatever the disease, and the size is one. So there the first line lies a little above the coin for the haze alone,
# and without the bytes nothing is left. The frame, which holds little of the lungs, tells next to nothing.
# **This is what a clean set looks like.**
#
# On the published set of case E (317 images, COVID against the rest) the frame alone reaches an AUC of 0.98
# (0.96-0.99) with a random forest, the whole image one of 0.99 with logistic regression (lesson 09 has the whole
# table). COVID images are of adults there, and the others look paediatric: arms, shoulders and borders may well lie
# elsewhere for that reason alone. **If each class has its own source, whatever differs between the sources differs
# between the classes.** That is called **confounding**.

# %% [markdown]
# ## Step 7 · Planted on purpose
#
# A check that finds nothing is worth something only if it *would* have found something. So we plant three shortcuts,
# each of which alone gives the label away for certain, into the same 90 phantoms (normal and COVID): a **word**,
# PORTABLE, on every COVID image; the **hospital**, A for all normal and C for all COVID images; the **age**, normal
# children and COVID adults.

# %% tags=["nbval-check-output"]
options = {"n": 90, "seed": SEED, "classes": ("normal", "covid"), "letters": 0}
plans = {
    "nothing": phantom.design("default", **options),
    "a word": phantom.design("marker", **options),
    "the hospital": phantom.design("site_label", **options),
    "the age": phantom.design("children_adults", **options),
}
planted, pixels = {}, {}
for name, plan in plans.items():
    home = datasets.work_dir()  # drawn once, then kept there
    folder = phantom.cached(plan, home, "lesson-02", size=96, masks=False)
    rows = manifest.from_folder(folder, patient=r"(P\d+)_").table
    planted[name] = split.folds(rows.assign(group=rows["patient"]), k=5, seed=SEED)
    pixels[name] = preprocess.cache(rows, size=96)
circumstances = ["marker", "site", "age_group"]
truth = {
    name: plan.groupby("label")[circumstances].agg(lambda kinds: " or ".join(sorted(set(kinds))))
    for name, plan in plans.items()
}
print(pd.concat(truth).replace("", "none").to_string())

# %%
example = [plans["nothing"].query(f"label == '{label}'").index[1] for label in ("normal", "covid")]
pictures = [phantom.render(plans[name].loc[k], 192).image for k in example for name in plans]
captions = [f"{label}: {name}" for label in ("normal", "covid") for name in plans]
plots.montage(pictures, captions, columns=4, title="Two phantoms, four sets")

# %% [markdown]
# Above the pictures stands the truth: what occurs in each class of each set. In each row of pictures the seed is the
# same: one person and one disease in four sets. The word changes the COVID row only. The hospital takes the COVID
# phantom to site C, and the normal one to site A, where it may have been already. For the age, the normal row gets
# another person: a child. (PORTABLE stands near the upper edge; look for it.)
#
# **Predict.** For each of the three: does the model of the file's properties find it? Does the frame?

# %%
lines = []
for name, rows in planted.items():
    found = {"files": from_files(rows), "frame": on_pixels(rows, frame_only(pixels[name]))}
    found["whole picture"] = on_pixels(rows, pixels[name])
    span = {k: f"{e.value:.2f} ({e.low:.2f}-{e.high:.2f})" for k, e in found.items()}
    lines.append({"planted": name} | span)
pd.DataFrame(lines).set_index("planted")

# %% [markdown]
# **Explain.** With nothing planted, the first two columns lie near the coin, and with 90 images their intervals are
# wide. (The files may stay a little above it: that is the haze in the bytes again, Step 6.) *The hospital* is found by
# the files alone: site C's films are hazy and saved with another JPEG quality, and bytes per pixel tell. The frame
# sees less of it. *The age* is found by the frame, as in case E, and by the bytes. And in both the whole picture scores
# higher than with nothing planted, although the lungs are as ill as before. Whoever sees only that last column will be
# proud of it.
#
# *The word* slips through: its row hardly differs from the first, and yet every COVID image carries it and no other
# does. It is small, it stands now left, now right, now higher, and a linear model on 32 × 32 pixels cannot read. A
# convolutional network can learn to (lesson 09). **A check that is silent has not proved the set clean; it has proved
# what that check can see.** You could see the word in the montage: that is why one looks.

# %% [markdown]
# ## Step 8 · We have seen the test set
#
# All of this used every image, also those that are meant for the final test. Is that allowed? It depends on what we do
# with it. Here is the harm in its pure form: labels **by coin**. For each pixel, ask how well its brightness ranks
# heads before tails. Then choose the best of 1,024 pixels, once by looking at the *test* images, once at the others.
#
# **Predict.** The labels are coins. What AUC will each choice show on the test images?

# %% tags=["nbval-check-output"]
from scipy.stats import rankdata

if table["split"].isna().all():  # a set that came without a split
    table = split.holdout(table, seed=SEED)
test = (table["split"] == "test").to_numpy()
print(f"{test.sum()} test images, {(~test).sum()} others")
points = baselines.shrink(images, 32).reshape(len(table), -1)


def auc_of_pixels(values, heads):
    """For each column, the share of pairs (one heads, one tails) in which heads is the brighter."""
    low = heads.sum() * (heads.sum() + 1) / 2
    return (rankdata(values, axis=0)[heads].sum(axis=0) - low) / (heads.sum() * (~heads).sum())


# %%
chosen = {"by looking at the test images": [], "by looking at the others": []}
for repeat in range(30 if MODE == "class" else 500):
    heads = np.random.default_rng([SEED, repeat]).random(len(table)) < 0.5
    on_test = auc_of_pixels(points[test], heads[test])
    on_rest = auc_of_pixels(points[~test], heads[~test])
    for how, looked_at in zip(chosen, (on_test, on_rest)):
        chosen[how].append(on_test[np.argmax(looked_at)])
pd.DataFrame(chosen).agg(["mean", "min", "max"]).round(2)

# %% [markdown]
# **Explain.** Chosen on the test images, the best pixel scores over 0.5 each time, for coins. Chosen elsewhere and
# then tested, it scatters about 0.5, as it must. Nobody trained anything on the test images; *choosing* by them was
# enough. The same happens with a threshold, a crop, a network, or a seed.
#
# So what may a look at everything be used for?
#
# | you look at all images, test included, in order to ... | allowed? |
# |---|---|
# | find broken files, wrong labels, copies, patients on both sides | yes: it makes the test honest; report what you changed |
# | find out how the set was made, and warn the reader | yes: report it |
# | judge whether this test can answer the question at all | yes: that is the point of this lesson |
# | choose features, a crop, a contrast, a threshold, a model | no: use the training part, or its validation part |
# | throw out test images on which the model does badly | no, never |
#
# In this lesson we *chose* nothing. And from here on the test images are left alone.
#
# ### Checkpoint
#
# You notice that many COVID images in the whole set have black edges. What is right?
#
# 1. Crop all images by 5 %, since you saw that it removes the edges, and report the better test accuracy.
# 2. Write down the finding, and decide about cropping on the training and validation images.
# 3. Remove the test images with black edges.
#
# <details><summary>Answer</summary>
# 2. Answer 1 makes a choice by the test images; a crop also does not remove what else came with the edges. Answer 3
# makes the test easier, and different from what will come. If you believe that edges are the problem, show it:
# compare both versions on validation images.
# </details>

# %% [markdown]
# ## Step 9 · One page about the set
#
# All of these questions, and those of lessons 01 and 04, stand in one function: `audit.report`. Each line has a
# verdict: **ok**, **look** (know this before you go on) or **fault** (a result on this set is wrong or misleading
# unless it is dealt with).
#
# **Predict.** How many lines will say *fault*? And what would the page say of the set with the planted
# hospital?

# %%
pd.set_option("display.max_colwidth", 200)
page = audit.report(table, report.rejects, pairs, seed=SEED)
guilty = planted["the hospital"]
copies = duplicates.pairs(guilty)
page["the hospital"] = audit.report(guilty, pairs=copies, seed=SEED)["verdict"]
page[["check", "verdict", "finding", "the hospital"]]

# %% [markdown]
# **Explain.** Read it aloud, line by line, as if to somebody who is about to use the set.
#
# - *unreadable files, images by class*: what there is, and what was left out.
# - *format, mode, size by class*: Step 2 in words.
# - *byte-identical pairs, near-duplicate pairs*: one radiograph several times. *Across the split* is the worst place
#   for it: a test image that the training part holds. Lesson 04 shows what that does. *Label conflicts* are one
#   radiograph with two labels; at least one of them is wrong.
# - *patients*: whether anybody wrote down who is on the images.
# - *file properties predict the class*: Step 6, first line.
#
# The last column holds the verdicts for the set with the planted hospital: a *fault* in the last line, as it should be.
# (Its *look* comes from the count: fewer than 50 images in a class.) The phantoms themselves have no *fault*; their
# last line may say *look*, for the haze in the bytes (Step 6). A verdict is a rule of thumb, not a law: the thresholds
# stand in the code (`audit.report??`). And **ok** means that this check found nothing, not that nothing is wrong:
# letters, the frame of Step 6 and the ages of the patients stand in no line.
#
# All of this was found before any network was trained. A set with faults is not useless: it is fine for learning how
# to build, and for learning how to doubt. What it cannot do is show that a disease was recognised.

# %% [markdown]
# ## Key points
#
# - The share of the largest class is the accuracy of a model that looks at nothing.
# - A percentage needs its n; a difference of means needs the spread within the classes.
# - The patient's left is on the viewer's right; the heart points there.
# - A look-up that is scored on its own images knows everything. Score on images that were not used to fit.
# - Formats, sizes and frames can tell the classes apart with hardly a lung in them. If so, a good score proves little.
# - Plant a shortcut to learn what a check can see. A silent check is no proof.
# - Looking at the test images to check the data is a duty; choosing by them invents results.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 02](../exercises/02_exploration_exercise.ipynb), whose checks answer at once.
#
# Lesson 03 turns files of any size and mode into the arrays that networks take, and asks which of these steps
# may learn from which images.

# %% [markdown]
# ## Sources and licence
#
# - Maguolo, Nanni (2021), *A critic evaluation of methods for COVID-19 automatic detection from X-ray images*,
#   Information Fusion 76, doi 10.1016/j.inffus.2021.04.008: similar scores with the lungs blacked out.
# - DeGrave, Janizek, Lee (2021), *AI for radiographic COVID-19 detection selects shortcuts over signal*, Nature Machine
#   Intelligence 3, doi 10.1038/s42256-021-00338-7.
# - Zech et al. (2018), *Variable generalization performance of a deep learning model to detect pneumonia in chest
#   radiographs: a cross-sectional study*, PLoS Medicine 15(11), doi 10.1371/journal.pmed.1002683.
# - Figures about the published set of case E: measured for this course; see `data/README.md`.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: look before you train: what separates the classes without a lung
