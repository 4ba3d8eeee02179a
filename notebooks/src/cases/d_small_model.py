# %% [markdown]
# # Case D · Transfer learning, small model
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# A kind of student project, rebuilt as its description says: 8,723 images, JPEG and PNG, of one size, COVID-19 against
# non-COVID-19; a network of one's own on transferred weights, small enough to deploy; sensitivity, specificity,
# accuracy, and a training accuracy above 97 %. First we build it, and it works. Then we review it: what is the result
# worth?
#
# **You will be able to**
#
# - train on thousands of images without holding them in memory;
# - put a small network of your own on transferred weights, export it, and check the copy on a whole test set;
# - say what a training accuracy shows, and what stands behind a good accuracy where the classes are unequal;
# - find a shortcut that an audit of files notices and cannot name, the patients' age, and show what repairs it.
#
# **Time and hardware.** 45 minutes, two or three of them computing, the first time with the drawing of films; two
# processor cores, no GPU.
#
# **Prerequisites.** Lessons 04 (groups), 07 (intervals), 08 (transfer), 09 (shortcuts), 11 (prevalence) and 13
# (export).

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd

from cxr_helpers import audit, baselines, calibrate, datasets, deploy, duplicates, evaluate
from cxr_helpers import manifest, measured, models, phantom, plots, preprocess, quiet, split
from cxr_helpers import train, transfer, uncertainty

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is as described. Change a value here, or set the environment variable of that
# name.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# **Part one: the project**
#
# ## Step 1 · A large folder, and the memory it takes
#
# The description names neither a source nor folders, so **the layout is ours**: one folder with the sub-folders
# `COVID-19` and `non-COVID-19`. To use images of your own, set `DATASET = "own"` and put them below `case_d` in the
# data folder, or name an archive that you have downloaded: the next cell unpacks it there.
#
# By default we draw **phantoms** in this layout: procedural radiographs with a known truth, no evidence about patients.
# The description has 8,723 images; the full mode draws as many, of 224 pixels; the class mode 1,000 of 96.
#
# **Predict.** How many of the images will be COVID-19: half?

# %% tags=["nbval-check-output"]
ARCHIVE = None  # such as "radiographs.zip"
if ARCHIVE and not (datasets.data_dir(DATA_DIR) / "case_d").is_dir():
    datasets.from_archive(ARCHIVE, datasets.data_dir(DATA_DIR) / "case_d")
n, side = (1000, 96) if MODE == "class" else (8723, 224)
imported = datasets.case("d", DATASET, DATA_DIR, n=n, seed=SEED, size=side)
table = imported.table
print(len(table), "images;", table.groupby(["width", "height"]).ngroups, "size(s)")
pd.crosstab(table["label"], table["format"], margins=True)

# %% [markdown]
# **Explain.** JPEG and PNG are mixed. The classes are unequal: in the phantoms of this case one image in four is
# COVID-19 (our choice). Whoever always answers "no" is then right three times in four; keep that number.
#
# **Predict.** 8,723 images of 224×224 pixels, three colours, four bytes each: how much memory if all of them are read
# into one array, as many notebooks do?

# %% tags=["nbval-check-output"]
pixels = 8723 * 224 * 224
ways = {"RGB, float32": 3 * 4 * pixels, "grey, float32": 4 * pixels, "grey, uint8": pixels}
ways["one batch of 32, grey, float32"] = 32 * 224 * 224 * 4
print("\n".join(f"{name:32} {size / 1e6:8,.0f} MB" for name, size in ways.items()))

# %%
SIZE = 64 if MODE == "class" else 224
images = preprocess.cache(table, size=SIZE)
print(type(images).__name__, images.shape, images.dtype)
names = list(table["label"].cat.categories)
shown = np.concatenate([np.flatnonzero(table["label"] == name)[:6] for name in names])
plots.montage(images[shown], table["label"].iloc[shown], title="Six images of each class")

# %% [markdown]
# **Explain.** The usual way takes several gigabytes, and twice that while it is being converted. Ours takes one batch
# of images: `preprocess.cache` decodes each file once into grey levels on disk, a **memory map**, an array whose pages
# are read when they are used and given back when the room is needed; `pipeline.batches` picks the rows of a batch from
# it. (The description says nothing of the image size that enters the network. We take 224 pixels; the class mode takes
# 64.)
#
# **What tells the two rows of the montage apart, for you?** Keep your answer for Step 7. The same stages, measured on
# phantoms at the project's size and at 1,000 images:

# %%
seen = pd.DataFrame({"not measured yet": ["python -m benchmarks.case_d"]})
if "case_d" in measured.names():
    seen = measured.read("case_d")
    order = seen["stage"].unique()
    seen = seen.pivot(index="stage", columns="images", values=["seconds", "own_mb"]).loc[order]
seen

# %% [markdown]
# **Explain.** Each stage in a process of its own (`python -m benchmarks.case_d`). Seconds grow with the number of
# images; `own_mb`, the largest memory that belongs to the process itself, should not grow like them. Compare the
# columns row by row: where it does grow, that stage keeps something for every image (the search for duplicates a
# fingerprint, drawing a row of the truth table). What training and scoring take is network and TensorFlow, at either
# size. The machine had other work, so read the seconds roughly.

# %% [markdown]
# ## Step 2 · A small network on transferred weights
#
# "Custom CNN with transfer learning" is all that is said. Ours: the first blocks of **EfficientNet-Lite0** with their
# ImageNet weights, **frozen** (lesson 08), cut where they are still small; on top batch normalisation, one convolution
# of our own with 32 filters, max-pooling, one sigmoid unit. Adam with a learning rate that falls from 0.002 along a
# cosine, binary cross-entropy, batches of 32, 6 epochs (4 in class mode). On the split the description is silent, too:
# we take 65 / 10 / 25 %, image by image, by class.
#
# **Predict.** The whole EfficientNet-Lite0 has 4.7 million parameters. How many will ours have?

# %%
import inspect

WEIGHTS = models.IMAGENET
try:
    half = models.backbone(cut="block3", size=SIZE, weights=WEIGHTS)
except models.WeightsError as error:  # without a connection, and nothing installed
    print(f"{error}\nGOING ON WITH RANDOM WEIGHTS: the figures below are not those of ImageNet")
    WEIGHTS = None
    half = models.backbone(cut="block3", size=SIZE, weights=WEIGHTS)
print(inspect.getsource(models.case_d))

# %%
from functools import partial

by_image = table.assign(group=table["image_id"])
table["split"] = split.holdout(by_image, test=0.25, val=0.1, seed=SEED)["split"].to_numpy()
network, epochs = partial(models.case_d, weights=WEIGHTS), 4 if MODE == "class" else 6
recipe = models.Recipe("case_d", network, epochs, batch_size=32, learning_rate=2e-3, cosine=True)
with quiet():
    fitted = train.fit(recipe, table, images, seed=SEED)
model = fitted.model
learnt = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
print(f"{model.count_params():,} parameters, {learnt:,} of them learnt here")
print(f"training accuracy in the last epoch: {fitted.history['accuracy'].iloc[-1]:.3f}")
plots.curves(fitted.history, title="Case D's network")

# %% [markdown]
# **Explain.** It works, and after few epochs: the transferred half knows edges, spots and textures before it has seen a
# radiograph. Compare the training accuracy with the 97 % of the description. `val` is small: a
# single image moves its accuracy by a percent, or by several in a smaller set.

# %% [markdown]
# ## Step 3 · The three figures
#
# **Predict.** Sensitivity (of the COVID-19 images, how many are called so), specificity (of the others, how many are
# not) and accuracy: which of the three will be the lowest?


# %%
def three(predictions):
    """Accuracy, sensitivity and specificity for COVID-19, each with its interval and n."""
    chosen = {k: evaluate.metric(predictions, k, "covid") for k in ("sensitivity", "specificity")}
    return {"accuracy": evaluate.metric(predictions, "accuracy")} | chosen


scored = train.predict(model, table, images, split="test", name="case D")
for name, value in three(scored).items():
    print(f"{name:12} {value}")
found = evaluate.metrics(scored)
report = found[found["metric"].isin(["ppv", "sensitivity", "f1"])]
report = report.replace({"metric": {"ppv": "precision", "sensitivity": "recall"}})
print(report.pivot(index="class", columns="metric", values="value").round(3).to_string())
plots.confusion(evaluate.confusion(scored), title="Test: truth and answer")

# %% [markdown]
# **Explain.** The project's figures, now with intervals. Each rests on its own n: the sensitivity on the COVID-19
# images alone, the specificity on the others. The smaller class has the wider interval, and it is the one that matters
# most.

# %% [markdown]
# ## Step 4 · Small enough to deploy
#
# A LiteRT file of the network with `int8` weights, one byte each (lesson 13). **Parity** is checked on the whole test
# part, never on one image.
#
# **Predict.** How many kB will the file have, and how many of the test answers will it change?

# %%
held = (table["split"] == "test").to_numpy()
test, films = table[held].reset_index(drop=True), images[held]
exported = deploy.export(model, datasets.work_dir() / "case-d", ["int8"])
same = deploy.parity(model, exported, films)
print(f"Keras' weights: {4e-3 * model.count_params():.0f} kB; the file: {exported['kB'][0]:.0f} kB")
small = deploy.run_exported(exported["file"][0])
runners = {"Keras": deploy.keras_runner(model), "int8": small}
timed = deploy.latency(runners, films[0], repeats=5, warm=1)
print(timed[["name", "median_ms", "fastest_ms", "load", "cores"]].round(1).to_string(index=False))
print(same.round(4).to_string(index=False))
some = np.linspace(0, len(films) - 1, 12).astype(int)
p_covid = small(films[some])[:, names.index("covid")]
well = next(name for name in names if name != "covid")
said = [f"{'covid' if p >= 0.5 else well} {p:.2f}" for p in p_covid]
plots.montage(films[some], said, title="Twelve test images, answered by the int8 file")

# %% [markdown]
# **Explain.** A file of this size fits anywhere. `largest` is the largest difference in a probability, `flipped` the
# number of answers that change, `low` and `high` bound their share: none of n is not never. The times are of one
# image: the file on one thread, Keras as it comes, mostly the cost of one call; their ratio is no ratio of arithmetic.
# Where `load` is above `cores`, the machine was busy. The project has what it promised. **Before you go on: which of
# the figures so far would you put into the first line of a report?**

# %% [markdown]
# **Part two: the review**
#
# ## Step 5 · What "97 % in training" says
#
# **Predict.** Nearest neighbour (lesson 07) answers with the class of the most similar training image. What is its
# accuracy on its own training images?

# %%
learnt_by_heart = baselines.nearest_neighbour(table, images, score="train")
memory = evaluate.metric(learnt_by_heart, "accuracy")
print("nearest neighbour, on its own training images:", memory)
rivals = {"case D": scored, "majority": baselines.majority(table, score="test")}
rivals["nearest neighbour"] = baselines.nearest_neighbour(table, images)
rivals["logistic regression"] = baselines.logistic_regression(table, images)
shown = ["accuracy", "balanced_accuracy", "sensitivity", "specificity"]
beside = evaluate.table(rivals, shown, positive="covid")
beside[["model", "n", *shown]]

# %% [markdown]
# **Explain.** A model that does nothing but remember is always right about what it remembers (as long as no image has a
# copy with the other label). So a training accuracy says that a model *can* remember, and nothing of new patients. Drop
# it from the report.
#
# In the table, the majority rule has a fine accuracy and finds nobody: an accuracy must be read beside that line.
# *Balanced* accuracy, the mean of sensitivity and specificity, gives it 0.5.
#
# ### Checkpoint
#
# Training accuracy 0.98, test accuracy 0.94, majority 0.75. What is shown?
#
# 1. 98 % of patients will get the right answer.
# 2. On images collected and split like these, the network does better than the majority rule. Nothing yet about *why*.
# 3. The network overfits and is useless.
#
# <details><summary>Answer</summary>
# 2. Answer 1 takes memory for skill. Answer 3 takes a gap for a verdict: some gap is normal. What the network uses is
# the question of the next steps.
# </details>

# %% [markdown]
# ## Step 6 · Groups, and the audit
#
# The split went by image. Where the set names its patients (the phantoms' files do), we count who stands on both sides.
# Then one quick model, the frozen half of our network with logistic regression, scores every image twice: in folds by
# image and in folds by group (patient, or near-duplicates).
#
# **Predict.** How many test images show a patient of the training part? And does it change the figure?

# %%
pairs = duplicates.pairs(table)
table = duplicates.add_groups(table, pairs)
group = table.set_index("image_id")["group"]
scored["group"] = scored["image_id"].map(group)
new = ~scored["group"].isin(table.loc[table["split"] == "train", "group"])
print(f"{table['patient'].nunique()} patients known")
print(f"{len(scored) - new.sum()} of {len(scored)} test images are of a group that train holds")
values = transfer.features(images, half)
single = table["image_id"]  # as if each image were a person and a film of its own
apart = table.assign(group=single, sha256=single, patient=None)
folded = {"by image": apart, "by group": table}
folded = {k: split.folds(t, k=5, seed=SEED) for k, t in folded.items()}
answers = {k: transfer.logistic(t, values, folds=True, c=0.01) for k, t in folded.items()}
answers["by image"]["group"] = answers["by image"]["image_id"].map(group)
gain = evaluate.compare(answers["by image"], answers["by group"], "balanced_accuracy")
print("balanced accuracy, by image - by group:", gain)

# %%
page = audit.report(table, imported.rejects, pairs, seed=SEED, images=images)
pd.set_option("display.max_colwidth", 250)
page[["check", "verdict", "finding"]]

# %% [markdown]
# **Explain.** An interval that holds zero shows no gain from meeting the same person again, on so many images: the
# leak is there where the count says so, and its effect is too small to see. Where it is above zero, that much of the
# result may be memory, give or take the luck of two draws of folds, which the interval does not hold.
#
# Read the audit line by line: `fault`, `look`, `ok`. It reads files, names and grey levels. What it has no column for,
# it cannot ask. If the line about the *frame* speaks up (the border of the image, with little of the lungs, tells the
# class), something about the *films* goes with the disease. It does not say what. (A JPEG file's size depends on the
# picture, so that the file properties may speak up for the same reason.)

# %% [markdown]
# ## Step 7 · How old are the patients?
#
# In many collections the COVID-19 films are of adults and the others of children (lesson 09; case E's set: lesson 02,
# Step 6). **The phantoms of this case have that fault because we planted it**: nine in ten of the ill are adults,
# nine in ten of the others children. It is no finding about the project, whose patients' ages we do not know. **This
# step uses phantoms whatever `DATASET` says**, since their truth table holds the age.
#
# **Predict.** A look-up that sees no image, knows the age group and answers accordingly: which AUC?

# %%
home = table.copy()
if DATASET != "phantom":
    home = datasets.case("d", n=n, seed=SEED, size=side).table
    home["split"] = split.holdout(home.assign(group=home["image_id"]), 0.25, 0.1, SEED)["split"]
home["group"] = home["patient"]
plan = phantom.design("case_d", n=n, seed=SEED).set_index("image_id")
plan = plan.loc[home["image_id"].str.extract(r"([^/]+)\.\w+$")[0]].reset_index()
home["age"] = plan["age_group"]
print(pd.crosstab(home["label"], home["age"]).to_string())
lookup = audit.source_baseline(home, seed=SEED, by="age")
print("COVID-19 from the age group alone, AUC:", evaluate.metric(lookup, "roc_auc", "covid"))

# %% [markdown]
# Now every test film once more, of the other age: same illness and severity, same hospital and view, a child's chest in
# place of an adult's or the reverse. And the repair, again **other films**: of every second training patient (of each
# class and age) we take such a film in place of the first. As many images, as many ill; only the tie is gone. (In
# class mode some 580 films; they are drawn once.)

# %% tags=["nbval-check-output"]
kind = home.groupby(["label", "age"], observed=True)["patient"]
second = kind.transform(lambda people: people.factorize()[0] % 2).to_numpy(bool)
is_test, is_train = ((home["split"] == part).to_numpy() for part in ("test", "train"))
other = plan.assign(age_group=plan["age_group"].map({"adult": "child", "child": "adult"}))
wanted = other[is_test | (second & is_train)]
work, drawn = datasets.work_dir(), {"masks": False, "size": side}
folder = phantom.cached(wanted, work, "case_d-aged", "case_d", **drawn)
aged = manifest.from_folder(folder).table.set_index("image_id")


def with_aged(rows):
    """The table with the films of the other age in these rows: another path, another hash."""
    changed, ids = home.copy(), home.loc[rows, "image_id"]
    changed.loc[rows, ["path", "sha256"]] = aged.loc[ids, ["path", "sha256"]].to_numpy()
    return changed, preprocess.cache(changed, size=SIZE)


both_ages, both_films = with_aged(second & is_train)
_, other_films = with_aged(is_test)
home_films = images if DATASET == "phantom" else preprocess.cache(home, size=SIZE)
worn = other["age_group"].where(second & is_train, home["age"])
print(pd.crosstab(home["label"][is_train], worn[is_train]).to_string())

# %%
two = [
    np.flatnonzero(is_test & (home["label"] == name))[0] for name in home["label"].cat.categories
]
plots.montage(
    [version[k] for k in two for version in (home_films, other_films)],
    [f"{home['label'][k]}, {a}" for k in two for a in (home["age"][k], other["age_group"][k])],
    columns=4,
    title="Two test films, each in both ages",
)

# %% [markdown]
# The same network is trained on the repaired films; we call it *both ages*.
#
# **Predict.** Four accuracies: each of the two networks, on the test films as taken and in the other age.

# %%
with quiet():
    described = model
    if DATASET != "phantom":
        described = train.fit(recipe, home, home_films, seed=SEED).model
    repaired = train.fit(recipe, both_ages, both_films, seed=SEED).model
asked = {}
for who, trained in {"as described": described, "both ages": repaired}.items():
    for way, pictures in {"as taken": home_films, "other age": other_films}.items():
        asked[f"{who}, {way}"] = train.predict(trained, home, pictures, split="test", name=who)
found = evaluate.table(asked, ["accuracy", "roc_auc"], positive="covid")
ends = {f"roc_auc_{end}": end for end in ("value", "low", "high")} | {"model": "label"}
plots.intervals(
    found.rename(columns=ends),
    baseline={"coin": 0.5},
    title="Two networks, two ages",
    xlabel="AUC for COVID-19, same illness in both ages",
)

# %%
questions = {
    "as described: as taken - other age": ("as described, as taken", "as described, other age"),
    "both ages: as taken - other age": ("both ages, as taken", "both ages, other age"),
    "other age: both ages - as described": ("both ages, other age", "as described, other age"),
}
lost = {}
for question, (a, b) in questions.items():
    for metric in ("roc_auc", "accuracy"):
        positive = "covid" if metric == "roc_auc" else None
        lost[question, metric] = evaluate.compare(asked[a], asked[b], metric, positive)
        print(f"{question}, {metric}: {lost[question, metric]}")

# %% [markdown]
# **Explain.** The first pair is the fault: nobody became more or less ill, and the score falls. The second is the
# control: where the interval holds zero, a network that met both labels at both ages has not been shown to care. Where
# a rest remains, compare it with the fault: whole patients were exchanged, so the table of training films above is not
# exactly even, and a few hundred films teach roughly. The third is what the repair is worth on patients of the other
# age. All are paired, on the same test patients. (The split went by image, so some of them are in the training part:
# that may lift the height as taken more than the other, and a small part of the first difference may be memory.)
#
# What this does not show: that a child's film and an adult's with "the same illness" are equally hard to read. The
# next figure tells: compare the repaired network's sensitivity in adults and in children.
#
# **Predict.** Who is harmed? Each test film now exists in both ages. Of those *without* COVID-19, how many does the
# network as described call ill (1 - specificity): among the adults, among the children?

# %%
rows = []
wrongly = {}
for who in ("as described", "both ages"):
    halves = {"as taken": home["age"], "other age": other["age_group"]}
    parts = [asked[f"{who}, {way}"].assign(age=a[is_test].to_numpy()) for way, a in halves.items()]
    parts[1]["image_id"] += ", other age"  # a film of its own; the groups stay the patients'
    for metric in ("sensitivity", "specificity"):
        split_up = evaluate.subgroups(pd.concat(parts), "age", metric, "covid")
        rows.append(split_up.assign(label=f"{who}, {metric}, " + split_up["age"]))
        wrongly[who, metric] = (1 - split_up.set_index("age")["value"]).round(3).to_dict()
print("well, called ill, as described:", wrongly["as described", "specificity"])
print("ill, overlooked, as described:", wrongly["as described", "sensitivity"])
by_age = pd.concat(rows)
plots.intervals(by_age, title="Who is judged rightly", xlabel="share, 95 % interval by patient")

# %% [markdown]
# **Explain.** Compare, within one network, adults with children. A network that takes age for illness calls well adults
# ill (specificity of the adults) and overlooks ill children (sensitivity of the children). The accuracy of the test
# part could not show it, because it holds so few well adults and ill children. Where the repaired network finds fewer
# of the ill at 0.5 than the other one, it has lost a help that was none; its ranking (the AUC above) says what it can
# find, and its threshold is to be chosen on validation (lesson 11). Compare also with your answer below the first
# montage.

# %% [markdown]
# ## Step 8 · What one answer means
#
# The project reports sensitivity, specificity and accuracy. Who gets an answer asks another question: *it says
# COVID-19; how likely is it true?* That is the **positive predictive value** (PPV), and it depends on how common the
# disease is where the network is used (lesson 11).
#
# **Predict.** The PPV at one in four ill, as here; at one in a hundred?

# %%
point = {k: v.value for k, v in three(scored).items()}
rates = point["sensitivity"], point["specificity"]
share = (table["label"] == "covid").mean()
meant = calibrate.predictive_values(*rates, [share, 0.05, 0.01])
print(meant[["prevalence", "ppv", "npv"]].round(3).to_string(index=False))
gaps = {way: calibrate.scores(asked[f"as described, {way}"], "covid") for way in halves}
gaps = pd.concat(gaps, names=["films"]).reset_index(level=0).drop(columns="bins")
gaps.round(3)

# %% [markdown]
# **Explain.** The rarer the disease, the more of the alarms are false, at the same sensitivity and specificity (which
# were carried over unchanged; at another hospital they change as well). In the second table, on phantoms: `ece` is the
# mean gap between the probability that is said and how often it comes true, `brier` the mean squared error, smaller is
# better. In the other age, compare: a gap that grows says that the network is wrong and does not know it.

# %% [markdown]
# ## Step 9 · The card, and the verdict
#
# The card's writer (lesson 13) compares the training and the evaluation images, and wants a gate, an interval and an n.
#
# **Predict.** The whole test part, split by image: will it write the card?

# %%
details = {"name": "Case D", "version": exported["sha256"][0][:12], "licence": "MIT"}
details |= {"date": "that of this run", "contact": "the course's maintainers"}
details |= {"architecture": "EfficientNet-Lite0 to block3, one convolution: our choice"}
details |= {"parameters": f"{model.count_params():,}"}
details |= {"input": f"one frontal radiograph, padded to {SIZE} pixels"}
intended = {"use": "to show in class how such a project is reviewed", "users": "students"}
intended |= {"out of scope": "any decision about a person; an age that training lacked"}
decision = {"positive": "covid", "threshold": 0.5, "chosen on": "nothing"}
decision["why"] = "0.5 is the usual default; the description names no threshold"
words = {"factors": "File format. Not examined here: sex, hospital, view, severity."}
words["ethics"] = "A network that takes age for illness harms the well adult and the ill child."
words["caveats"] = ["One training, one seed.", "No external evaluation.", "No input is refused."]
missed = wrongly["as described", "sensitivity"]
said = ", ".join(f"{age} {share:.2f}" for age, share in missed.items())
words["caveats"] += [f"On phantoms, share of the ill overlooked: {said}."]
if DATASET != "phantom":
    words["caveats"] += ["The age of these patients is not known."]


# %%
def card_of(rows):
    """The model card with these images for evaluation, or the reason why there is none."""
    part = scored.set_index("image_id").loc[rows["image_id"]].reset_index()
    part["format"] = rows["format"].to_numpy()
    figures = [{"metric": k, **vars(v)} for k, v in three(part).items()]
    evidence = {"results": pd.DataFrame(figures), "evaluation": rows}
    evidence["training"] = table[table["split"] == "train"]
    evidence["calibration"] = calibrate.scores(part, "covid").drop(columns="bins")
    evidence["subgroups"] = {"format": evaluate.subgroups(part, "format")}
    none = uncertainty.share(rows.assign(refused=False), "refused")
    evidence["gate"] = pd.DataFrame([{"input": "refused (there is no gate)", **vars(none)}])
    described = {"details": details, "intended": intended, "decision": decision}
    try:
        return deploy.model_card(**evidence, **described, **words)
    except deploy.CardError as refused:
        return str(refused)


# %%
from IPython.display import Markdown

table["licence"] = "CC0 1.0" if DATASET == "phantom" else "see the page of the set"
evaluation = table[held]
fresh = evaluation[new.to_numpy()] if new.any() else evaluation
print("The whole test part:", card_of(evaluation)[:160])
Markdown(("\n" + card_of(fresh)).replace("\n#", "\n###"))

# %% [markdown]
# **Explain.** Where a patient or a copy stands on both sides, the writer refuses the test part, and the card is written
# for the images that are new. The figures of the verdict:

# %%
ages = "as described: as taken - other age", "both ages: as taken - other age"
lines = [
    f"It works as described: training accuracy {fitted.history['accuracy'].iloc[-1]:.3f},",
    f"   test accuracy {evaluate.metric(scored, 'accuracy')},",
    f"   {exported['kB'][0]:.0f} kB as int8, {same['flipped'][0]} of {len(test)} answers flipped.",
    f"The larger class alone has {beside['accuracy'].iloc[1]};",
    f"   nearest neighbour, on its own training images, {memory.value:.3f}.",
    f"Of {len(scored)} test images, {len(scored) - new.sum()} show a patient or film of train;",
    f"   by image - by group: {gain}.",
    "Phantoms with the planted tie of age and class, accuracy, as taken - other age:",
    f"   {lost[ages[0], 'accuracy']} as described,",
    f"   {lost[ages[1], 'accuracy']} trained on both ages.",
]
print("\n".join(lines))

# %% [markdown]
# **Explain.** In plain words. The project does what its description says: a few transferred blocks and one convolution
# give a network that works, and it is small. Its headline, the training accuracy, cannot tell skill from memory. Its
# test figures speak of images collected and split like these. On the phantoms, where we tied age to class ourselves, a
# large part of the result was the age of the patients. The audit of files has no column for it (at most a line that
# noticed something), and more films of the same kind would hold the same tie; films of both classes at both ages took
# away most of it, or all.
#
# Before anybody relies on such a project: the source, the patient and the *age* of every image; a split by patient;
# sensitivity and specificity within each age, with intervals; predictive values at the prevalence of its place; and the
# training accuracy left out.

# %% [markdown]
# ## Key points
#
# - Memory for images stays flat if they lie on disk as grey levels and come in batches; network and framework come on
#   top.
# - A few blocks of a pretrained network and one convolution make a small, good network. Check the exported copy on the
#   whole test set.
# - A training accuracy shows that a model can remember.
# - Beside every accuracy stands that of the majority rule; beside every sensitivity its own n.
# - More films of the same kind hold the same shortcut. What is not in the table cannot be audited: ask for the age.
# - Within-group figures show who is harmed, and other films repair it.

# %% [markdown]
# ## What next
#
# Case E asks for transfer learning as future work, and measures it on three classes. Lesson 09 treats age and other
# shortcuts, lesson 13 the export at length.

# %% [markdown]
# ## Sources and licence
#
# - Tan, Le (2019), *EfficientNet: rethinking model scaling for convolutional neural networks*, ICML, PMLR 97.
# - Roberts et al. (2021), *Common pitfalls and recommendations for using machine learning to detect and prognosticate
#   for COVID-19 using chest radiographs and CT scans*, Nature Machine Intelligence 3, doi 10.1038/s42256-021-00307-0.
# - Mitchell et al. (2019), *Model cards for model reporting*, Proceedings of the Conference on Fairness,
#   Accountability, and Transparency, doi 10.1145/3287560.3287596.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: train a small network on thousands of images; find that the patients' age stands behind its accuracy
