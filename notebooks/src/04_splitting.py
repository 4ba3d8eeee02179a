# %% [markdown]
# # 04 · Splitting
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
# - show, on a set with nothing to learn, how a careless split invents a result;
# - find copies of an image, and say which kinds of copy your search overlooks.
#
# **Time and hardware.** 60 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 01-03: the table of images, and the cache of grey levels.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd

from cxr_helpers import baselines, datasets, duplicates, evaluate, manifest, phantom
from cxr_helpers import plots, preprocess, split

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
#
# Some sets come with a split of their own: the folder in which each file lay. Where a set has none, we do what most
# projects do, and cut its images at random: every image a group of its own.

# %% tags=["nbval-check-output"]
table = datasets.load(DATASET, DATA_DIR)
given = table["split"].notna().any()
if not given:
    single = table.assign(group=table["image_id"])
    table["split"] = split.holdout(single, test=0.2, val=0, seed=SEED)["split"]
print("the set came with a split" if given else "no split came with the set: cut at random")
print(f"{len(table)} images of {', '.join(table['label'].cat.categories)}")

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
# To compare splits we need a model and a score. The model is scikit-learn's **logistic regression**: one weight for
# each pixel, fitted in a moment (lesson 05 builds it). The score is the **AUC**, the area under the ROC curve:
#
# > Take one image of the class we look for, and one of another class. How often does the model give the first
# > the higher score? A tie counts half.
#
# So 0.5 is a coin and 1.0 a perfect ranking. Here it is in one line, on five invented scores: which of the COVID
# scores (rows) beat which of the others (columns)?

# %% tags=["nbval-check-output"]
covid_scores, other_scores = np.array([0.9, 0.6, 0.4]), np.array([0.5, 0.1])
wins = covid_scores[:, None] > other_scores[None, :]
ties = covid_scores[:, None] == other_scores[None, :]
print(wins)

# %% [markdown]
# **Predict.** Six pairs, one row per COVID image. What is the AUC?

# %% tags=["nbval-check-output"]
by_hand = (wins + 0.5 * ties).mean()

from sklearn.metrics import roc_auc_score

by_sklearn = roc_auc_score([1, 1, 1, 0, 0], [*covid_scores, *other_scores])
print(f"by hand {by_hand:.3f}, scikit-learn {by_sklearn:.3f}")

# %% [markdown]
# **Explain.** Five of six pairs are in the right order: 5/6. scikit-learn gives the same number. The AUC needs no
# threshold, and its value does not depend on the shares of the classes (how sure it is does). That makes it handy for
# comparing splits.

# %% [markdown]
# ## Step 3 · A result out of nothing
#
# What can a careless split do? To see it plainly we need a set in which *there is nothing to learn*, and no real set
# is known to be one. So we draw it. The **phantoms** of this course are radiographs computed from a seed: nobody's
# chest, and we know everything about them. (COVID and viral phantoms differ because we draw them so. A result on
# phantoms teaches the method and is no evidence about patients.)
#
# The design `patient_leak` draws *no disease at all*. Each patient has seven or eight films on average and one label,
# given **by coin**: whoever predicts it reliably better than 0.5 has cheated. Drawing takes some seconds, once.

# %% tags=["nbval-check-output"]
design = phantom.design("patient_leak", n=320, seed=SEED, per_patient=8)
work = datasets.work_dir()
folder = phantom.cached(design, work, "patient_leak", size=64, masks=False)
coins = manifest.from_folder(folder, patient=r"(P\d+)_").table
print(f"{len(coins)} films of {coins['patient'].nunique()} patients")
print(f"drawn: {set(design['disease'])}; written on the folders: {sorted(set(coins['label']))}")

# %%
one_each = coins.groupby("label", observed=True)["patient"].first()
shown = coins[coins["patient"].isin(one_each)].groupby("patient").head(3)
thumbnails = preprocess.cache(coins, size=64)[shown.index]
captions = [f"{who}: {label}" for who, label in zip(shown["patient"], shown["label"])]
plots.montage(thumbnails, captions, title="Two patients, three of their films each")

# %% [markdown]
# A patient keeps build, heart and ribs; position, breath and noise change from film to film. The label says nothing
# about the image.
#
# First the mistake. It is the line that most tutorials use: shuffle the *images* and cut.
#
# **Predict.** The labels are coins. What AUC will the model reach on the images set aside?

# %%
films = preprocess.cache(coins, size=32)
by_image = split.holdout(coins.assign(group=coins["image_id"]), test=0.25, val=0, seed=SEED)
print(evaluate.metric(baselines.logistic_regression(by_image, films), "roc_auc", "covid"))

# %% [markdown]
# **Explain.** The truth is 0.5, and the whole interval lies above it. Stratified, random, with a seed: everything as
# in the textbook, and all of it invented. The model recognises *patients*, whose other films it has in store with
# their label. Now the repair: patients stay whole.
#
# **Predict.** Which AUC now? And will the interval be as narrow?

# %%
by_patient = split.holdout(coins.assign(group=coins["patient"]), test=0.25, val=0, seed=SEED)
print(evaluate.metric(baselines.logistic_regression(by_patient, films), "roc_auc", "covid"))

# %% [markdown]
# **Explain.** Now the interval should reach across 0.5, as for a coin (one in twenty such intervals fails to, by
# bad luck; with so few patients, a few more). It is much wider, because it counts *patients*, not images: eight films
# of one person are not eight people.
#
# One split could be luck. The labels being coins, we may flip them anew as often as we like, on the same films.
#
# **Predict.** Fresh coins and a fresh split, many times. Where will the mean AUC of each kind of split lie?


# %%
def auc_of_study(column, seed):
    """Fresh coins for all patients; AUC of a split that keeps the values of one column whole."""
    names = coins["patient"].unique()
    coin = np.random.default_rng(seed).permutation(np.resize(["normal", "covid"], len(names)))
    label = coins["patient"].map(dict(zip(names, coin))).astype(coins["label"].dtype)
    study = coins.assign(group=coins[column], label=label)
    answers = baselines.logistic_regression(split.holdout(study, 0.25, 0, seed), films)
    return roc_auc_score(answers["label"] == "covid", answers["p_covid"])


repeats = 20 if MODE == "class" else 200
auc = {name: [auc_of_study(name, s) for s in range(repeats)] for name in ("image_id", "patient")}

# %%
auc = pd.DataFrame(auc).rename(
    columns={"image_id": "split by image", "patient": "split by patient"}
)
mean, error = auc.mean(), auc.std() / np.sqrt(repeats)
rows = {"value": mean, "low": mean - 2 * error, "high": mean + 2 * error, "n": repeats}
plots.intervals(
    pd.DataFrame(rows).rename_axis("label").reset_index(),
    baseline={"truth: nothing to learn": 0.5},
    title="Mean AUC of predicting coins (n: repeats)",
    xlabel="AUC, mean of the repeats ± 2 standard errors",
)

# %% [markdown]
# **Explain.** Split by patient, the mean stays beside the truth; split by image, it is far above. The distance
# between the two is the size of the illusion, *here*. With fewer films of each patient it should be smaller: try
# `per_patient=2` above. A real set has some signal *and* some illusion, and a single number cannot tell you how much
# of each: only the split can.

# %% [markdown]
# ### Checkpoint
#
# The split by image was *stratified*: both labels have the same share on both sides. Why did that not help?
#
# 1. It was stratified by the wrong column; stratifying by patient would do.
# 2. Stratifying balances classes. It does not keep a patient's films together; grouping does.
# 3. It would have helped with another seed.
#
# <details><summary>Answer</summary>
# 2. Answer 1 is the opposite of the repair: to stratify by patient would put films of <em>each</em> patient on both
# sides. Answer 3: many seeds were tried, and the mean is far from 0.5.
# </details>

# %% [markdown]
# ## Step 4 · Copies, byte for byte
#
# Patients are one reason why images belong together. Copies are another: collections are made from collections. In the
# design `duplicates` a quarter of the images are copies of others, unchanged (`identical`), with another `contrast`,
# with the margin cut off (`crop`), or compressed once more (`jpeg`). The truth table beside the images says which.

# %% tags=["nbval-check-output"]
design = phantom.design("duplicates", n=240, seed=SEED, share=0.25)
folder = phantom.cached(design, work, "duplicates", size=96, masks=False)
copied = manifest.from_folder(folder).table  # patients unknown, as in case E's set
truth = pd.read_csv(folder.parent / "truth.csv").set_index("image_id").loc[copied["image_id"]]
copied["change"] = truth["transform"].fillna("original").to_numpy()
own_name = copied["image_id"].str.extract(r"([^/]+)\.\w+$")[0].to_numpy()
copied["film"] = truth["copy_of"].fillna(pd.Series(own_name, truth.index)).to_numpy()
print(f"{len(copied)} images show {copied['film'].nunique()} different films")
print(copied["change"].value_counts().sort_index().to_dict())

# %% [markdown]
# Every file has a hash, its SHA-256 (lesson 01): the manifest holds it. Two files with one hash are one file.
#
# **Predict.** The images are cut at random, a quarter for the test. How many test images show a film that train shows
# too? And for how many of those does the SHA-256 say so?

# %%
cut = split.holdout(copied.assign(group=copied["image_id"]), test=0.25, val=0, seed=SEED)
train, test = cut[cut["split"] == "train"], cut[cut["split"] == "test"]
seen = test["film"].isin(train["film"])
by_hash = test["sha256"].isin(train["sha256"])
print(f"{seen.sum()} of {len(test)} test images show a film of the training part (the truth)")
print(f"{by_hash.sum()} of them are found by SHA-256")

# %% [markdown]
# **Explain.** The hash finds what is identical to the last byte, and nothing else. It is fast and never wrong when it
# speaks; its silence proves nothing.
#
# Does it matter? **Nearest neighbour** is a model that only remembers: it looks for the most similar training
# image and answers its label.
#
# **Predict.** Three classes. How often is nearest neighbour right on the test images seen before, and on the others?

# %%
answers = baselines.nearest_neighbour(cut, preprocess.cache(cut, size=64))
right = (answers["predicted"] == answers["label"]).groupby(answers["image_id"]).first()
right = test["image_id"].map(right)
for name, part in {"seen in training": right[seen], "new": right[~seen]}.items():
    low, high = evaluate.wilson(part.sum(), len(part))
    print(f"{name}: {part.sum()} of {len(part)} right, 95 % interval {low:.2f}-{high:.2f}")

# %% [markdown]
# **Explain.** On what it has seen, a model that only remembers is hard to beat; on new films it does much worse. The
# accuracy of the whole test part mixes both, and would be called the result.

# %% [markdown]
# ## Step 5 · Copies that changed on the way
#
# A hash changes when one pixel does. To find the same film after a change of contrast, size or compression, compare
# what such a change leaves alone, or nearly: the **order** of grey levels, place by place. `duplicates.fingerprint`
# turns an image into a list of numbers that tell this order. The **similarity** of two images is the sum of the
# products of their numbers: 1 for the same film, about 0 for two that have nothing in common.
#
# **Predict.** We square the grey levels of one film: everything but black and white becomes darker. How similar are
# the two for the fingerprint?

# %%
first = preprocess.cache(copied, size=96)[0]
second = preprocess.prepare((first / 255.0) ** 2, 96)
similarity = duplicates.fingerprint(first) @ duplicates.fingerprint(second)
plots.compare_images([first, second], ["as it is", f"darker: similarity {similarity:.3f}"])

# %% [markdown]
# **Explain.** The two look different, and their similarity is nearly 1: squaring keeps the order. The fingerprint
# shrinks the image to 64×64, replaces grey levels by their ranks, cuts the border and subtracts the local mean. A few
# lines: look inside with `duplicates.fingerprint??`.
#
# **Predict.** Over all pairs of images, what will the histogram of similarities look like: one hump, or two? Where
# would you put the limit between *another film* and *the same film*?

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
# **Explain.** (The many pairs below 0.25 are left out; their bars would hide all others.) Pairs of different films
# become rare long before the limit. To its right, near 1, lies a small second hump: copies. The gap between is almost
# empty, so the limit looks safe. But a histogram of pairs cannot show what it *misses*: for that we need the truth.
#
# **Predict.** Of the four kinds of change, which does the detector find? Which not, and why?

# %%
originals = copied[copied["change"] == "original"].reset_index()
planted = copied[copied["change"] != "original"].reset_index()
planted = planted.merge(originals, on="film", suffixes=("_a", "_b"))
both = vectors[planted["index_a"]] * vectors[planted["index_b"]]
planted["similarity"] = both.sum(axis=1)
planted["found"] = planted["similarity"] >= duplicates.THRESHOLD
result = planted.groupby("change_a")["found"].agg(["sum", "size"])
result[["low", "high"]] = [evaluate.wilson(k, n) for k, n in result.to_numpy()]
result.round(2)

# %% tags=["nbval-check-output"]
pairs = duplicates.pairs(copied)
film = copied.set_index("image_id")["film"]
false_alarms = pairs["image_id_a"].map(film) != pairs["image_id_b"].map(film)
others = len(similarities) - len(planted)
print(f"false alarms: {false_alarms.sum()} among {others} pairs of different films")

# %% [markdown]
# **Explain.** Unchanged, with another contrast, or compressed again: found (`sum` of `size`, with the interval of the
# share). Cropped: mostly missed, although a person sees at once that it is one film. The comparison goes place by
# place, and a crop moves every place. And no false alarm, or hardly one, among thousands of pairs of different films:
# what the detector says can be believed, its silence cannot. A detector has a blind spot for each change it was not
# built for; only planted copies show it.

# %%
missed = planted[~planted["found"]].sort_values("similarity").assign(kind="crop")
if missed.empty:  # nothing overlooked: then show the least similar pairs that were found
    missed = planted.sort_values("similarity")
pictures = dict(zip(copied["image_id"], preprocess.cache(copied, size=96)))
plots.duplicate_pairs(pictures, missed, limit=3, title="One film each, and the least alike")

# %% [markdown]
# **Explain.** The same ribs, the same heart, a few per cent of the margin gone. Lowering the limit until these pairs
# pass would let pairs of different films through as well: look in the histogram at the bars above these similarities.

# %% [markdown]
# ## Step 6 · The group: what must stay together
#
# Patients and near-duplicates are two reasons for one rule. `duplicates.add_groups` joins both: images are in one
# group when they share a known patient or are copies of each other, directly or through others. Here patients are
# unknown to it, so it has only the copies that it found.
#
# **Predict.** How many copies will stand on another side than their original: in the split by image, in a split by
# these groups, and in a split by the true patient?


# %%
def crossing(group):
    """How many copies of each kind are parted from their original when these groups stay whole."""
    parts = split.holdout(copied.assign(group=group), test=0.25, val=0, seed=SEED)
    sides = parts.groupby("film")["split"].nunique()
    return planted["change_a"][planted["film"].map(sides) > 1].value_counts()


grouped = duplicates.add_groups(copied, pairs)
ways = {"by image": copied["image_id"], "by groups found": grouped["group"]}
ways["by true patient"] = truth["patient"].to_numpy()
kinds = sorted(planted["change_a"].unique())
counted = {name: crossing(group).reindex(kinds, fill_value=0) for name, group in ways.items()}
pd.DataFrame(counted)

# %% [markdown]
# **Explain.** What was found stays together, by construction; what was overlooked (the crops) can still cross. The
# patient, where known, repairs even that: a copy is of the same person. Hence the order of trust: know the
# patient; group the copies besides; and say that what nobody found is still in there.

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
# ## Step 7 · The set of this course, and a published one
#
# Back to the table of Step 1. For each class: how many test images are a file of the training part (`identical`), a
# copy of one, changed or not (`copy`), or of a `patient` who has a film in the training part?
#
# **Predict.** Nobody planted copies in the default set of phantoms, and a patient has one film or a few. Which
# columns will be zero?

# %%
pairs = duplicates.pairs(table)
crossed = pairs[pairs["split_a"] != pairs["split_b"]]
train, test = (table[table["split"] == part] for part in ("train", "test"))
leaks = pd.DataFrame({"label": test["label"], "images": 1})
leaks["identical"] = test["sha256"].isin(train["sha256"])
leaks["copy"] = test["image_id"].isin([*crossed["image_id_a"], *crossed["image_id_b"]])
leaks["patient"] = test["patient"].isin(train["patient"].dropna())
leaks.groupby("label", observed=True).sum()

# %% [markdown]
# **Explain.** A zero below `identical` and `copy` means that nothing was found. A zero below `patient` may also mean
# that the set names no patients; where it does, as the phantoms do, a split by image leaves many of them on both sides.
#
# The published set of case E comes with a test folder. Measured on its files: 6 test images, all COVID, lie byte for
# byte in train (five under the *same name*), and with changed contrast 9 of its 26 COVID test images (35 %) are a
# radiograph that train holds already. Every accuracy measured on that folder as it comes contains them. (With the set
# on your machine and `DATASET` set to it, the table above shows both figures.)
#
# Now the checker. **Predict.** Will `assert_disjoint` pass on this split?

# %% tags=["nbval-check-output"]
table = duplicates.add_groups(table, pairs)
named = table["patient"].notna().sum()
print(f"{len(table)} images in {table['group'].nunique()} groups; {named} name their patient")
try:
    split.assert_disjoint(table, by=("group",))
except split.LeakError as leak:
    print("\n".join(str(leak).splitlines()[:4]))

# %% [markdown]
# **Explain.** It names each group that stands on both sides, file by file (the first three are printed), or says
# nothing if there is none. Such an assertion belongs in every training script: it costs a moment.
#
# Are the images in different groups independent, then? **Only as far as we know**: where a set does not name its
# patients, two films of one person look like two people, and nothing here can tell. Say so when you report.
#
# Now a split that is made to pass the check.

# %%
mine = split.holdout(table, test=0.2, val=0.2, seed=SEED)
split.assert_disjoint(mine)
plots.split_counts(mine, title="Grouped and stratified")

# %% [markdown]
# **Explain.** The shares are what was asked for, or as near to it as whole groups allow. Each class is spread over the
# three parts (that is what *stratified* means). `val` is for choices, `test` for one final number.

# %% [markdown]
# ## Step 8 · Folds: every image is tested once
#
# With a small set, one test part is a matter of luck. **Cross-validation** cuts the groups into k folds and tests on
# each in turn, with a model trained on the others. It is a column again.
#
# **Predict.** Five folds of one set, one model: how far apart will the best and the worst fold's accuracy be?

# %%
folded = split.folds(table, k=5, seed=SEED)
images = preprocess.cache(folded, size=32)
scored = baselines.logistic_regression(folded, images, folds=True)
right = scored["predicted"] == scored["label"]
print("all folds:", evaluate.metric(scored, "accuracy"))
right.groupby(scored["fold"]).agg(["mean", "size"]).round(3)

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
# - On a set with nothing to learn, a split by image made a result out of nothing; a split by patient did not.
# - A published test folder can hold images of its own training folder. Check, by hash and by similarity.
# - A detector of copies has blind spots. Plant copies to learn which.
# - Unknown patients are unknown: a disjoint split by what you know is not proof that nobody is on both sides.

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
