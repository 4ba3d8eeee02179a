# %% [markdown]
# # Case B · Kaggle folders
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# A kind of student project, rebuilt as its description says: a set from Kaggle in the folders `Train`, `Val` and
# `Prediction`, a convolutional network, COVID-19 positive or negative, and at the end a class for each image of
# `Prediction`. First we build it, and it works. Then we review it with the tools of this course: what is the result
# worth?
#
# **You will be able to**
#
# - run such a project on its own folders, from Kaggle to a sheet of classified thumbnails;
# - say which of its images can evaluate it, and how many of them are new to the network;
# - show with the same patients at another hospital what the network uses, and what repairs it;
# - write the verdict with figures, and a model card that does not claim more.
#
# **Time and hardware.** 45 minutes, one or two of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 04 (groups), 06 (networks), 07 (intervals), 09 (shortcuts) and 13 (bundle, model card).

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd

from cxr_helpers import audit, baselines, calibrate, datasets, deploy, duplicates, evaluate
from cxr_helpers import images as reading
from cxr_helpers import models, phantom, plots, preprocess, quiet, split, train, uncertainty

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# **Part one: the project**
#
# ## Step 1 · From Kaggle to a table
#
# The set is "Chest X-Ray for COVID-19 Detection" on Kaggle. Its images may not be redistributed with this course, so
# you download them yourself: set `DATASET` to `"chest-xray-for-covid19-detection"`, `DOWNLOAD` to `True`, and the next
# cell fetches it with **kagglehub**, Kaggle's own package (lesson 01). Kaggle may ask for an account.

# %% tags=["nbval-check-output"]
KAGGLE = "chest-xray-for-covid19-detection"
DOWNLOAD = False
if DATASET == KAGGLE and DOWNLOAD and not (datasets.data_dir(DATA_DIR) / KAGGLE).is_dir():
    datasets.download(KAGGLE, DATA_DIR)  # kagglehub.dataset_download(about.kaggle), and a copy
about = datasets.info(KAGGLE)
print(about.url, about.layout, f"licence: {about.licence}", sep="\n")

# %% [markdown]
# By default we use **phantoms in the same folders**: procedural radiographs with a known truth, 300 of them (the
# description says "hundreds"; we have not counted the set), of 224 pixels a side, 128 in class mode. Phantoms are no
# evidence about patients, nor about that set. (With another set of the catalogue, its test part, or a tenth, stands for
# `Prediction`.)
#
# **Predict.** Three folders. Which of them hold sub-folders by class, and what follows for the third?

# %% tags=["nbval-check-output"]
from pathlib import Path

side = 128 if MODE == "class" else 224
imported = datasets.case("b", DATASET, DATA_DIR, seed=SEED, size=side)
assert imported.unlabelled, "this case needs a folder Prediction, without sub-folders by class"
table = imported.table
files = [*table["path"], *imported.unlabelled]
top = Path(os.path.commonpath(files)).parent
folders = pd.Series([os.path.relpath(Path(file).parent, top) for file in files], name="folder")
kinds = pd.Series([Path(file).suffix.lower() for file in files], name="extension")
pd.crosstab(folders, kinds, margins=True)

# %%
if not (table["split"] == "val").any():  # another set, without such a folder: a fifth, by image
    single = table.assign(group=table["image_id"])
    table["split"] = split.holdout(single, test=0, val=0.2, seed=SEED)["split"].to_numpy()
print(pd.crosstab(table["label"], table["split"]).to_string())
size = 64 if MODE == "class" else 224
images = preprocess.cache(table, size=size)
names = list(table["label"].cat.categories)
shown = np.concatenate([np.flatnonzero(table["label"] == name)[:6] for name in names])
plots.montage(images[shown], table["label"].iloc[shown], title="Six images of each class")

# %% [markdown]
# **Explain.** `Train` and `Val` have a folder per class, so the path gives the label. `Prediction` has none: these
# images can be *classified*, and nobody can say from this folder whether rightly. The importer lists them apart
# (`imported.unlabelled`). JPEG and PNG are mixed, as described. The description gives no size: we choose a square of
# 224 pixels; the class mode takes 64, to be quick.
#
# Look at the two rows. **What tells them apart, for you?** Keep your answer for Step 6.

# %% [markdown]
# ## Step 2 · The network, trained
#
# "A CNN" is all that the description says. Ours: four convolutions with batch normalisation and max-pooling, the mean
# of each map, a dense layer of 64, one sigmoid unit; grey levels divided by 255; Adam with a learning rate that falls
# from 0.003 along a cosine, binary cross-entropy, batches of 16, 12 epochs. All these numbers are our choice.
#
# **Predict.** Will training and validation accuracy end close together?

# %%
with quiet():
    from keras import Input, Sequential, layers


def network(n_classes, size):
    """Four times convolution, normalisation, ReLU, pooling; dense 64; one sigmoid unit."""
    body = [Input((size, size, 1)), layers.Rescaling(1 / 255)]
    for filters in (8, 16, 32, 64):
        convolution = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        body += [convolution, layers.BatchNormalization(momentum=0.9)]
        body += [layers.ReLU(), layers.MaxPooling2D()]
    body += [layers.GlobalAveragePooling2D(), layers.Dropout(0.3)]
    return Sequential([*body, layers.Dense(64, "relu"), layers.Dense(1, "sigmoid")])


recipe = models.Recipe("case_b", network, 12, batch_size=16, learning_rate=3e-3, cosine=True)

# %%
with quiet():
    fitted = train.fit(recipe, table, images, seed=SEED)
print(f"{fitted.model.count_params():,} parameters, {recipe.epochs} epochs")
plots.curves(fitted.history, title="Case B's network")

# %%
scored = train.predict(fitted.model, table, images, split="val", name="case B")
found = evaluate.metrics(scored)
report = found[found["metric"].isin(["ppv", "sensitivity", "f1"])]
report = report.replace({"metric": {"ppv": "precision", "sensitivity": "recall"}})
print("accuracy on Val:", evaluate.metric(scored, "accuracy"))
print(report.pivot(index="class", columns="metric", values="value").round(3).to_string())
plots.confusion(evaluate.confusion(scored), title="Val: truth and answer")

# %% [markdown]
# **Explain.** The curves, the matrix, the report: what the project shows. The training loss falls; the validation curve
# is rougher, for one image more or less is 1/n, and n is small. Where the training accuracy ends above the validation
# accuracy, the network has learnt something by heart. Each row of the matrix is a true class; *precision* is the share
# of right answers among the images *called* so, *recall* the share among those that *are* so.

# %% [markdown]
# ## Step 3 · What it is for: the folder `Prediction`
#
# We put weights, size and class names into one folder (a *bundle*, lesson 13), and give it every file of `Prediction`.
#
# **Predict.** Of these images, how many will be called COVID-19?

# %%
settings = {"size": size, "fit": "pad", "contrast": None}
folder = deploy.save_bundle(
    datasets.work_dir() / "case-b", fitted.model, classes=names, preprocessing=settings
)
bundle = deploy.load_bundle(folder)
answers = deploy.answers(bundle, imported.unlabelled)
answers.to_csv(folder.with_name("case-b-prediction.csv"), index=False)
print(answers["predicted"].value_counts().to_dict(), "written to case-b-prediction.csv")
print(answers[["file", "predicted", "p_covid"]].head(3).round(3).to_string(index=False))
answered = answers[answers["accepted"]].head(18)  # a file that cannot be read has no answer
paths = [imported.unlabelled[k] for k in answered.index]
sheet = [preprocess.prepare(reading.read(path), **settings) for path in paths]
said = [f"{row.predicted} {row.p_covid:.2f}" for row in answered.itertuples()]
plots.montage(sheet, said, title="Prediction: answer and probability of COVID-19")

# %% [markdown]
# **Explain.** A table and a sheet, as the project wants them. Each image has a class and a number beside it, and the
# sheet looks finished. Is one of these answers right? The folder cannot tell. **Before you go on: by which number would
# you have reported this project?**

# %% [markdown]
# **Part two: the review**
#
# ## Step 4 · Which number, on which images?
#
# The only labelled images that were not trained on are those of `Val`. Two questions to them: how wide is the interval,
# and were they really new? Where the set names its patients (the phantoms' files do), images of one patient are one
# group; near-duplicates join groups as well (lesson 04).
#
# **Predict.** The folders were filled image by image. Of the images in `Val`, how many show a patient who is in
# `Train`?

# %%
pairs = duplicates.pairs(table)
table = duplicates.add_groups(table, pairs)
in_train = set(table.loc[table["split"] == "train", "group"])
scored = train.predict(fitted.model, table, images, split="val", name="case B")
scored["known"] = scored["group"].isin(in_train).map({True: "in Train, too", False: "new"})
named = table["patient"].notna().sum()
print(f"{named} of {len(table)} images name their patient ({table['patient'].nunique()} patients)")
print(scored["known"].value_counts().to_dict(), f"of {len(scored)} images in Val")
by_known = evaluate.subgroups(scored, "known", "accuracy")
by_known[["known", "value", "low", "high", "n", "groups"]].round(3)

# %% [markdown]
# **Explain.** The two rows compare the network with itself, on two small, different sets of images: their difference
# would need an interval of its own, and a wide one. To isolate the leak, take one model, one number of training
# images, and the *same* test images, once in folds by image and once in folds by group: every image is scored twice,
# and only the company it was trained in differs. Two quick models of lesson 07 will do, nearest neighbour being the
# one that only remembers.

# %%
rows = []
by_image = split.folds(table.assign(group=table["image_id"]), k=5, seed=SEED)
by_group = split.folds(table, k=5, seed=SEED)
by_image = by_image.assign(group=table["group"])  # folds by image, intervals by group
for ask in (baselines.nearest_neighbour, baselines.logistic_regression):
    leaky, clean = (ask(folded, images, folds=True) for folded in (by_image, by_group))
    gain = evaluate.compare(leaky, clean, "accuracy")
    rows.append({"label": clean["model"].iloc[0], **vars(gain)})
plots.intervals(
    pd.DataFrame(rows),
    baseline={"no gain": 0},
    title="What folds by image add",
    xlabel="accuracy by image - accuracy by group, paired, 95 % interval",
)

# %% [markdown]
# **Explain.** To the right of zero: the gain that comes from meeting the same person again, give or take the luck of
# two draws of folds. An interval that reaches across zero shows none for that model, on so many images: the leak is
# there (the count above proves it), and what it adds is not visible at this size. With one or two films a patient, as
# in these phantoms, there is little to remember; with four or five it makes results out of nothing (lesson 04, case
# C). If a set names no patients, only copies are grouped, and the question cannot be asked.
#
# **Predict.** What does the network have to beat? Write down what four simple rules get on the same images of `Val`:
# always the larger class; the most similar training image; a straight line on the pixels; the name of the hospital
# alone.

# %%
if DATASET == "phantom":  # the truth table names the hospital; real sets seldom do
    images_root = Path(imported.unlabelled[0]).parents[2]
    truth = pd.read_csv(images_root.parent / "truth.csv").set_index("image_id")
    table["source"] = "hospital " + table["image_id"].map(truth["site"])
rivals = {"case B": scored, "majority": baselines.majority(table, score="val")}
rivals["nearest neighbour"] = baselines.nearest_neighbour(table, images, score="val")
rivals["logistic regression"] = baselines.logistic_regression(table, images, score="val")
if table["source"].nunique() > 1:
    alone = audit.source_baseline(table, seed=SEED)
    rivals["hospital alone"] = alone[alone["image_id"].isin(scored["image_id"])]
beside = evaluate.table(rivals, ["accuracy", "roc_auc"], positive="covid")
ahead = {k: evaluate.compare(scored, rivals[k], "accuracy") for k in list(rivals)[1:]}
by = [f"{d.value:+.2f} ({d.low:+.2f} to {d.high:+.2f})" for d in ahead.values()]
beside["case B ahead by"] = ["", *by]
beside[["model", "n", "groups", "accuracy", "roc_auc", "case B ahead by"]]

# %% [markdown]
# **Explain.** Read the last column, the paired difference in accuracy, not the ranks: with so few images two models
# must be far apart before an interval leaves zero (an end that prints as 0.00 counts as holding it). The row *hospital
# alone*, where it is there, opens no image at all. If it does as well as a network or better, then whoever reads
# hospitals from the films needs no lung to get that number. That is the next step's question.
#
# ### Checkpoint
#
# Can the folder `Prediction` serve as the test set?
#
# 1. Yes: the network has never seen it.
# 2. Not as it is: without labels nothing can be counted, right or wrong.
# 3. Yes, if the thumbnails look convincing.
#
# <details><summary>Answer</summary>
# 2. Unseen (1) is necessary and not enough. What looks convincing (3) is judged by the same eyes that would need the
# label. With labels from the maker of the set it could become a test set, and then its patients have to be new, too.
# </details>

# %% [markdown]
# ## Step 5 · The audit
#
# One page of the course's audit (lessons 02, 04 and 09), on the labelled images. It trains nothing but small forests.
#
# **Predict.** Which lines will not say `ok`?

# %%
page = audit.report(table, imported.rejects, pairs, seed=SEED, images=images)
pd.set_option("display.max_colwidth", 250)
page[["check", "verdict", "finding"]]

# %% [markdown]
# **Explain.** `fault` is to be repaired before any number is quoted; `look` asks for a person; `ok` means that *this*
# check found nothing. On the phantoms the line about patients counts those on both sides, and the line about the
# source says that the hospital alone tells the class. (The line above it counts the source among the properties of a
# file; where the *frame* asks for a look, too, the style of a hospital reaches to the border.)
#
# **The phantoms of this case carry that fault because we planted it**: nine in ten of the ill were filmed at hospital
# C, nine in ten of the well at hospital A. Published sets are put together from several collections, and such ties are
# a known fault of their kind (lesson 09). Whether the Kaggle set has it, we have not measured; it is no finding about
# the project.

# %% [markdown]
# ## Step 6 · The same patients at the other hospital
#
# With phantoms we can ask what nobody can ask of people: the same patient, breath and illness, filmed at the *other*
# hospital (lesson 09 calls such a twin a counterfactual). **This step uses phantoms whatever `DATASET` says**, and with
# them the truth about `Prediction`. Every image outside `Train` is scored. (The 300 films are drawn once.)
#
# **Predict.** The table counts images by folder, class and hospital. What would a look-up of the hospital answer, and
# how often would it be right?

# %% tags=["nbval-check-output"]
home = imported if DATASET == "phantom" else datasets.case("b", seed=SEED, size=side)
here = Path(home.unlabelled[0]).parents[2]
films = pd.read_csv(here.parent / "truth.csv")
films = films.assign(group=films["patient"], source=films["site"], fold=None)
films["label"] = pd.Categorical(films["label"], categories=["normal", "covid"])
plan = phantom.design("case_b", seed=SEED)
moved = plan["site"].map({"A": "C", "C": "A"})
plan = plan.assign(site=moved, equipment=moved)
work, drawn = datasets.work_dir(), {"masks": False, "size": side}
there = phantom.cached(plan, work, "case_b-moved", "case_b", **drawn)
lookup = films["source"].map({"A": "normal", "C": "covid"}) == films["label"].astype(str)
outside = films["split"] != "train"
print(f"a look-up is right on {lookup[outside].sum()} of {outside.sum()} images outside Train")
pd.crosstab([films["split"], films["label"]], films["source"])

# %%
as_taken, elsewhere = (
    np.stack([preprocess.prepare(reading.read(root / k), size) for k in films["image_id"]])
    for root in (here, there)
)
two = [np.flatnonzero(films["label"] == name)[0] for name in ("normal", "covid")]
plots.montage(
    [version[k] for k in two for version in (as_taken, elsewhere)],
    [f"{films['label'][k]}, {place}" for k in two for place in ("as taken", "moved")],
    columns=4,
    title="Two patients, each at both hospitals",
)

# %% [markdown]
# The repair is not a filter but **other films**: of every second patient (of each class and hospital) we take the films
# from the other hospital. As many training images, the same patients, the same illness; only the tie is gone. The same
# network is trained on them; we call it *both hospitals*.
#
# **Predict.** Four AUCs for COVID-19: each of the two networks, on the films as taken and on the films moved.

# %%
kind = films.groupby(["label", "source"], observed=True)["patient"]
swap = kind.transform(lambda names: names.factorize()[0] % 2).to_numpy(bool)
mixed = np.where(swap[:, None, None], elsewhere, as_taken)
held = (films["split"] != "train").to_numpy()
where = np.where(swap, plan["site"], films["source"])
where = pd.Series(where, name="hospital, both")
print(pd.crosstab(films["label"][~held], where[~held]).to_string())
with quiet():
    described = fitted.model
    if DATASET != "phantom":
        described = train.fit(recipe, films, as_taken, seed=SEED).model
    repaired = train.fit(recipe, films, mixed, seed=SEED).model

# %%
asked = {}
for who, model in {"as described": described, "both hospitals": repaired}.items():
    for place, pictures in {"as taken": as_taken, "moved": elsewhere}.items():
        p = deploy.keras_runner(model)(pictures[held])
        asked[f"{who}, {place}"] = train.predictions_table(films[held], p, model=who, seed=SEED)
found = evaluate.table(asked, "roc_auc", positive="covid")
ends = {f"roc_auc_{end}": end for end in ("value", "low", "high")} | {"model": "label"}
plots.intervals(
    found.rename(columns=ends),
    baseline={"coin": 0.5},
    title="Two networks, two hospitals",
    xlabel="AUC for COVID-19 on the same patients",
)

# %%
questions = {
    "as described: as taken - moved": ("as described, as taken", "as described, moved"),
    "both hospitals: as taken - moved": ("both hospitals, as taken", "both hospitals, moved"),
    "moved: both hospitals - as described": ("both hospitals, moved", "as described, moved"),
}
lost = {}
for question, (a, b) in questions.items():
    lost[question] = evaluate.compare(asked[a], asked[b], "roc_auc", "covid")
    print(f"{question}: {lost[question]}")
for who in ("as described", "both hospitals"):
    said = pd.concat([asked[f"{who}, as taken"], asked[f"{who}, moved"]])
    said["site"] = [*films["source"][held], *plan["site"][held]]
    means = said.groupby("site")["p_covid"].mean().round(2).to_dict()
    print(f"{who}: mean probability of COVID-19 for the same patients, by hospital: {means}")

# %% [markdown]
# **Explain.** The first difference is the fault: the same patients with the same illness, and the score falls, because
# the hospital changed sides. On the moved films the hospital points the wrong way. Below 0.5, a coin, the network
# follows the hospital *against* the illness; what it knows of the illness alone is in neither number. The second is
# the control: a network that met both labels at both hospitals should care little which of them took the film. Where
# its interval holds zero, no dependence on the hospital has been shown. Where a rest remains, compare it with the
# fault, its size and its sign: the last two lines show whether the network says less on one hospital's films, ill and
# well alike. So few films may not teach it to look through a style; they stop it from trusting one. The third
# difference is what the repair is worth at the other hospital.
#
# A repaired network may score *less* on the films as taken: there the hospital was a help that it no longer has. (And
# some of these patients are in `Train`: that may lift the height as taken more than the moved one, so a small part of
# the first difference may be memory.)
#
# Compare with your answer below the montage of Step 1. Did you name the disease, or the grey?
#
# **Predict.** Back to `Prediction`. If those very patients had been filmed at the other hospital: how many of the
# answers would be others? And would the network be less sure of itself? **Calibrated** means that of the images called
# with 0.8, eight in ten are so (lesson 11); `ece` is the mean gap between what is said and what comes true.

# %%
last = (films["split"] == "test").to_numpy()[held]
moves = {place: asked[f"as described, {place}"] for place in ("as taken", "moved")}
sheets = {place: rows[last].reset_index(drop=True) for place, rows in moves.items()}
both = sheets["as taken"][["image_id", "group", "label"]].copy()
both["changed"] = sheets["as taken"]["predicted"] != sheets["moved"]["predicted"]
changed = uncertainty.share(both, "changed")
print("Prediction, another answer when moved:", changed)
for place, rows in sheets.items():
    print(f"Prediction, right, {place}: {evaluate.metric(rows, 'accuracy')}")

# %%
lines = []
for place, rows in moves.items():
    sure = rows[["p_normal", "p_covid"]].max(axis=1).mean()
    line = {"films": place, "n": len(rows), "mean confidence": round(sure, 2)}
    line["accuracy"] = evaluate.metric(rows, "accuracy").text(counts=False)
    for gap in calibrate.scores(rows, "covid").itertuples():
        line[gap.metric] = f"{gap.value:.2f} ({gap.low:.2f}-{gap.high:.2f})"
    lines.append(line)
pd.DataFrame(lines)

# %%
order = [*np.flatnonzero(both["changed"])[:3], *np.flatnonzero(~both["changed"])[:3]]
pictures = {"as taken": as_taken[held][last], "moved": elsewhere[held][last]}
plots.montage(
    [pictures[place][k] for k in order for place in sheets],
    [f"{both['label'][k]}: said {p['p_covid'][k]:.2f}" for k in order for p in sheets.values()],
    columns=4,
    title="Truth, and the probability of COVID-19 said: as taken, moved",
)

# %% [markdown]
# **Explain.** Read in pairs, left as taken, right moved, first those whose answer changes, where there are any. The
# patient is the same in each pair: a probability that goes from one end to the other was never about the patient.
#
# In the table (all images outside `Train`), compare confidence with accuracy, line by line: where accuracy falls and
# confidence stays, the network does not notice that it has left home. No threshold and no temperature fitted at home
# can repair that: both are fitted where the hospital still agrees.

# %% [markdown]
# ## Step 7 · The card, and the verdict
#
# The card's writer (lesson 13) takes the training and the evaluation images.
#
# **Predict.** `Train` and `Val`, as the folders have them: will it write the card?

# %%
details = {"name": "Case B", "version": bundle.sha256[:12], "date": "that of this run"}
details |= {"architecture": "four convolutions, our choice", "licence": "MIT"}
details |= {"parameters": f"{fitted.model.count_params():,}", "contact": "the course's maintainers"}
details |= {"input": f"one frontal radiograph, padded to {size} pixels"}
intended = {"use": "to show in class how such a project is reviewed", "users": "students"}
intended |= {"out of scope": "any decision about a person; films of any other hospital"}
decision = {"positive": "covid", "threshold": 0.5, "chosen on": "nothing"}
decision["why"] = "0.5 is the usual default; the description names no threshold"
words = {"factors": "File format. Not examined here: age, sex, view, severity."}
words["ethics"] = "A wrong answer about a person does harm in both directions."
words["caveats"] = ["One training, one seed.", "No external evaluation.", "No input is refused."]
away = lost["as described: as taken - moved"]
words["caveats"] += [f"On phantoms, at the other hospital, AUC {away.a:.2f} becomes {away.b:.2f}."]


# %%
def card_of(rows):
    """The model card with these images for evaluation, or the reason why there is none."""
    part = scored.set_index("image_id").loc[rows["image_id"]].reset_index()
    part["format"] = rows["format"].to_numpy()
    figures = evaluate.metrics(part)
    keep = figures["metric"].isin(["accuracy", "sensitivity", "specificity"])
    evidence = {"results": figures[keep], "training": training, "evaluation": rows}
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
training, val = (table[table["split"] == part] for part in ("train", "val"))
new = ~val["group"].isin(training["group"])
print("All of Val:", card_of(val)[:160])
Markdown(("\n" + card_of(val[new] if new.any() else val)).replace("\n#", "\n###"))

# %% [markdown]
# **Explain.** Where patients or copies stand on both sides, the writer refuses the whole of `Val`, and what is left
# are the images that are new: look at their n and at the width of the intervals. That is what the project can claim
# about films like its own. (The card's lines by file format: in the phantoms the format was drawn by lot, so a gap
# between them is luck.) The figures of the verdict:

# %%
fresh = scored[new.to_numpy()]
on_new = evaluate.metric(fresh, "accuracy") if len(fresh) else "no image left"
lines = [
    f"It works as described. Accuracy on Val: {evaluate.metric(scored, 'accuracy')}.",
    f"Of {len(val)} images in Val, {len(val) - len(fresh)} show a patient or film of Train.",
    f"Accuracy on the others: {on_new}.",
    f"Ahead of logistic regression on pixels: {ahead['logistic regression']}.",
    f"Prediction, {len(imported.unlabelled)} images: no labels, so its sheet evaluates nothing.",
    "Phantoms with the planted tie, AUC, as taken - moved:",
    f"   {lost['as described: as taken - moved']} as described,",
    f"   {lost['both hospitals: as taken - moved']} trained on both hospitals;",
    f"share of the answers on Prediction that change: {changed}.",
]
print("\n".join(lines))

# %% [markdown]
# **Explain.** In plain words. The project does what its description says. What it has to show is one number on a small
# `Val`, part of which is not new to the network, and a folder of answers that nobody can check. The number speaks of
# films collected like these ones. It does not speak of another hospital: on the phantoms, where we tied hospital and
# class ourselves, the same patients got other answers there, with confidence, and other films repaired it.
#
# Whether the tie exists in a given set, only its sources can tell. Before anybody relies on such a project: labels for
# `Prediction`; patient and hospital of each file; a split by patient; films of both classes from every hospital; and
# the interval beside every number.

# %% [markdown]
# ## Key points
#
# - A folder without labels shows that a program runs, not that it is right.
# - A validation folder that was filled image by image holds the training patients again.
# - Compare the same films: folds by image with folds by group, as taken with moved, as described with repaired.
# - Where hospital and class go together, a network can read the hospital, and this one did. Films of both classes from
#   every hospital took the tie away; confidence did not warn.
# - Other sets of this layout need their own audit. The tie here was planted by us.

# %% [markdown]
# ## What next
#
# Case C is another project of this size, with a given test folder. Lesson 09 has more shortcuts and more repairs,
# lesson 14 a whole study to review.

# %% [markdown]
# ## Sources and licence
#
# - Zech, Badgeley, Liu, Costa, Titano, Oermann (2018), *Variable generalization performance of a deep learning model
#   to detect pneumonia in chest radiographs: a cross-sectional study*, PLoS Medicine 15(11), doi
#   10.1371/journal.pmed.1002683.
# - Mitchell et al. (2019), *Model cards for model reporting*, Proceedings of the Conference on Fairness,
#   Accountability, and Transparency, doi 10.1145/3287560.3287596.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: classify a folder of new images; count how many are new, and meet the same patients at another
# hospital
