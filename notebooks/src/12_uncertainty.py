# %% [markdown]
# # 12 · Uncertainty and external validation
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can it be used?* So far every test image came from where the training images came from. A model in use meets other
# scanners, other patients, and pictures that are no chest at all. This lesson measures what happens then, and builds
# three ways of not answering: a gate before the model, a set of classes in place of one, and abstention.
#
# **You will be able to**
#
# - report a model at home and elsewhere, side by side, at a threshold frozen at home;
# - find the subgroup that a good average hides;
# - build a gate for inputs, set its limit honestly, and say what it lets through;
# - make prediction sets that hold the truth as often as promised, and say when the promise lapses;
# - count abstentions so that they cannot flatter a model.
#
# **Time and hardware.** 90 minutes, about one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 06 (the compact network), 07 (intervals, paired comparison), 11 (frozen threshold).

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import numpy as np
import pandas as pd

from cxr_helpers import datasets, duplicates, evaluate, manifest, models, phantom, plots
from cxr_helpers import preprocess, quiet, split, train, uncertainty

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.
# Counts and splits are the same on every machine; what a network reaches differs a little from one to the next.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A model of one hospital
#
# To say what an external set does to a model one has to know how the set differs. So the networks of this lesson see
# phantoms, whatever `DATASET` is; the gate of Step 6 takes the images of `DATASET`. Phantoms show the method and are no
# evidence about patients.
#
# The default cohort comes from two hospitals with different equipment, A and B. We take those of **hospital B** as our
# home, split them by patient, and keep three parts: `train`; `val`, for every choice; `test`, for every report.

# %% tags=["nbval-check-output"]
size, epochs, n_new = (64, 12, 75) if MODE == "class" else (96, 40, 300)
design = phantom.design("default")
both_sites = datasets.load("phantom")
folder = phantom.cached(design, datasets.work_dir(), "default")
truth = pd.read_csv(folder.parent / "truth.csv").set_index("image_id").loc[both_sites["image_id"]]

at_home = (truth["site"] == "B").to_numpy()
home = both_sites[at_home].assign(group=lambda t: t["patient"]).reset_index(drop=True)
home = split.holdout(home, test=0.3, val=0.25, seed=SEED)
home_images = preprocess.cache(both_sites, size=size)[at_home]
split.assert_disjoint(home)
home.groupby("split", observed=True).agg(
    images=("image_id", "size"), patients=("patient", "nunique")
)

# %% [markdown]
# Three compact networks (lesson 06) are trained, which differ by their seed alone; until Step 7 we use the first. On
# `val` we choose the threshold that finds nine of ten COVID phantoms. Then it is **frozen**.
#
# **Predict.** The test images come from the same hospital. Will the sensitivity there be exactly 0.9?

# %%
recipe, seeds = models.RECIPES["compact"], (SEED, SEED + 1, SEED + 2)
with quiet():
    networks = [train.fit(recipe, home, home_images, epochs=epochs, seed=s).model for s in seeds]
model = networks[0]
validation = train.predict(model, home, home_images, split="val")

# %% tags=["nbval-check-output"]
print(f"{len(networks)} networks of {model.count_params():,} parameters, {epochs} epochs each")
print("validation images to choose from:", validation["label"].value_counts().to_dict())

# %%
threshold = evaluate.operating_point(validation, "covid", sensitivity=0.9)
internal = train.predict(model, home, home_images, split="test")
evaluate.at_threshold(internal, "covid", threshold).head(2)[["metric", "value", "low", "high", "n"]]

# %% [markdown]
# **Explain.** A modest model, of modest size and training, with wide intervals: `n` is the number of test images in the
# denominator, and films of one patient count as one unit (lesson 07). This is **internal** validation: new patients,
# same hospital.

# %% [markdown]
# ## Step 2 · The same model elsewhere
#
# Two **external** cohorts, all of them new people: a second hospital with hazier portable radiographs (its equipment is
# called C), and children, imaged at home. In both, the diseases are drawn as severe as at home.
#
# **Predict.** For each of the two: will the AUC fall, or the sensitivity at the frozen threshold, or both?


# %%
def draw(design, name, size=size, pixels=224):
    """Manifest, facts and images of a phantom design; drawn once, then read from disk."""
    work = datasets.work_dir()
    folder = phantom.cached(design, work, name, masks=False, size=pixels)
    table = manifest.from_folder(folder, patient=r"(P\d+)_").table
    facts = pd.read_csv(folder.parent / "truth.csv").set_index("image_id")
    table = table.assign(group=table["patient"]).join(facts[["device", "transform"]], on="image_id")
    return table, preprocess.cache(table, size=size)


def answers(table, images, network=model):
    """Predictions for images of any cohort, with the classes of home."""
    label = pd.Categorical(table["label"].astype(str), home["label"].cat.categories)
    return train.predict(network, table.assign(label=label), images)


# %% tags=["nbval-check-output"]
second, second_images = draw(phantom.design("second_site", n_new, SEED), "second_site")
child_design = phantom.design("paediatric", n_new, SEED, sites=("B",))
children, child_images = draw(child_design, "paediatric")
cohorts = {"home": internal, "second hospital": answers(second, second_images)}
cohorts["children"] = answers(children, child_images)
{name: f"{len(rows)} images, {rows['group'].nunique()} patients" for name, rows in cohorts.items()}

# %%
rows = []
for cohort, table in cohorts.items():
    auc = evaluate.metric(table, "roc_auc", positive="covid")
    rows.append({"metric": "AUC", "cohort": cohort} | vars(auc))
    at = evaluate.at_threshold(table, "covid", threshold).head(2)
    rows += at.assign(cohort=cohort).to_dict("records")
plots.side_by_side(pd.DataFrame(rows), title="COVID against the rest, threshold frozen at home")

# %% [markdown]
# **Explain.** Read each column downwards, interval by interval. Whether the AUC is lower at the second hospital, only
# the interval of the *difference* would say; where two intervals overlap far, nothing is shown. The threshold suffers
# badly: most COVID phantoms are missed, while the specificity *rises*. The scores have moved down, those of the ill and
# of the others; a threshold is a point on a scale, and the scale is not the same there. For the children the intervals
# overlap with home's: with this n nothing can be said but that no large change shows.
#
# (Real examples of the size of such falls: Zech and others, 2018, report an internal AUC of 0.931 and an external one
# of 0.815 for pneumonia.)
#
# A tempting repair: pick the threshold anew, on the second hospital's own images.

# %% tags=["author", "verdict"]
# verdict("12.second-hospital-loses-sensitivity", rows[4]["value"] < min(0.5, rows[1]["value"] - 0.2))
# verdict("12.second-hospital-gains-specificity", rows[5]["value"] > rows[2]["value"])
# verdict(
#     "12.children-overlap-with-home",
#     all(
#         rows[k + 6]["low"] < rows[k]["high"] and rows[k]["low"] < rows[k + 6]["high"]
#         for k in range(3)
#     ),
# )

# %%
elsewhere = cohorts["second hospital"]
repicked = evaluate.operating_point(elsewhere, "covid", sensitivity=0.9)
rows = [evaluate.at_threshold(elsewhere, "covid", t).head(2) for t in (threshold, repicked)]
compared = pd.concat(rows, keys=["frozen at home", "picked there"], names=["threshold from", None])
compared.droplevel(1)[["threshold", "metric", "value", "low", "high", "n"]].round(3)

# %% [markdown]
# **Explain.** The second sensitivity is at least 0.9 *because it was asked for*: that line reports no performance, it
# shows what a threshold fitted to those very images can do. To adapt a model to a new hospital is legitimate, with some
# of its images set apart for that, and then the rest is the test, and the report says "adapted".

# %% [markdown]
# ## Step 3 · What made the difference?
#
# Two hospitals differ in everything at once: people, equipment, habits. With phantoms we can change one thing. We take
# the COVID patients of the home test set and draw **the same films** twice more: with the equipment of C; and at home,
# but with a quarter of the severity, as on an early day. People, pose and noise stay.
#
# **Predict.** Which costs more sensitivity: another machine, or milder disease?

# %% tags=["nbval-check-output"]
test_ids = home.loc[(home["split"] == "test") & (home["label"] == "covid"), "image_id"]
names = test_ids.str.extract(r"([^/]+)\.\w+$", expand=False)
ill = design[design["image_id"].isin(names)]
variants = {
    "equipment of C": ill.assign(site="C", equipment="C"),
    "a quarter of the severity": ill.assign(severity=ill["severity"] / 4),
}
redrawn = {name: draw(rows, name.replace(" ", "-")) for name, rows in variants.items()}
for name, (rows, _) in redrawn.items():
    print(f"{name}: {len(rows)} films of {rows['patient'].nunique()} patients, drawn again")

# %%
pictures = [home_images[home["image_id"] == redrawn["equipment of C"][0]["image_id"][0]][0]]
pictures += [images[0] for _, images in redrawn.values()]
plots.compare_images(pictures, ["at home", *variants], title="One patient, one film, three ways")

# %%
said = evaluate.one_versus_rest(internal[internal["label"] == "covid"], "covid", threshold)
costs = {}
for name, (table, images) in redrawn.items():
    other = evaluate.one_versus_rest(answers(table, images), "covid", threshold)
    costs[name] = change = evaluate.compare(other, said, "sensitivity", positive="covid")
    print(f"{name}: {change.b:.2f} at home, {change.a:.2f} here; difference {change}")

# %% [markdown]
# **Explain.** `evaluate.compare` pairs film with film and resamples patients, so that differences between people
# cancel. Both changes cost sensitivity, where the interval lies below zero, and neither would show in any figure
# measured at home. Disease at an early stage is the commoner case outside hospitals: a test set of severe cases says
# little about it. *What this does not show*: how large either effect is on patients. Our equipment and our severity
# scale are drawn.
#
# (The repair for equipment is to train on several hospitals; the repair for mild disease is to train on it. Neither
# replaces the measurement.)

# %% tags=["author", "verdict"]
# verdict(
#     "12.equipment-and-mild-disease-cost-sensitivity",
#     all(cost.high < 0 for cost in costs.values()),
# )

# %% [markdown]
# ## Step 4 · Is the external set external?
#
# Public collections are fed from each other. Suppose an "external" set turns up that holds our images of the second
# hospital and, unnoticed, 45 of our own training images with changed contrast.
#
# **Predict.** By how much can 45 known images lift the accuracy? And how would one find them?

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(SEED)
taken = rng.choice(np.flatnonzero(home["split"] == "train"), 45, replace=False)
copies = (255 * (home_images[taken] / 255) ** 0.8).astype(np.uint8)  # another contrast
theirs = second.assign(group="second/" + second["group"])  # P00001 is another person there
collected = pd.concat([theirs, home.iloc[taken].assign(image_id=lambda t: "new/" + t["image_id"])])
collected_images = np.concatenate([second_images, copies])

prints = [duplicates.fingerprint(image) for image in (*home_images, *collected_images)]
pairs = duplicates.similar(np.stack(prints), duplicates.THRESHOLD)
crossing = pairs[(pairs["a"] < len(home)) & (pairs["b"] >= len(home))]
known = np.isin(np.arange(len(collected)), crossing["b"] - len(home))
print(
    f"{known.sum()} of {len(collected)} images show a film that home has; {len(taken)} were planted"
)

# %%
found = answers(collected.reset_index(drop=True), collected_images)
for name, rows in {"as it came": found, "without known films": found[~known]}.items():
    print(f"{name}: accuracy {evaluate.metric(rows, 'accuracy')}")

# %% [markdown]
# **Explain.** The fingerprints of lesson 04 are blind to contrast, so they find the copies; file hashes would not. A
# set is external when no film and no patient of it was within the model's reach. A folder, a name or a download page
# proves nothing. (On the published set of case E, 9 of 26 COVID test images are a radiograph already in train.)

# %% [markdown]
# ### Checkpoint
#
# A report reads: "Internal sensitivity 0.94. Externally we obtained 0.91 after setting the threshold for that site. 20
# of the 140 external images were also in our training set and were kept, for the sake of a larger n." What does the
# external figure say about a third hospital?
#
# 1. About 0.91, because the set is external.
# 2. About 0.91, because thresholds always need setting per site.
# 3. Very little.
#
# <details><summary>Answer</summary>
# 3. Answer 1 trusts the name of the set: known images were scored. Answer 2 forgets that the threshold was fitted to
# the images it is then judged by; a third hospital would have the frozen threshold, or images of its own for choosing
# one. And a larger n made of known films is not more evidence. </details>

# %% [markdown]
# ## Step 5 · Hidden stratification: the drain
#
# A single figure is an average over people who differ. Pleural effusion (fluid around the lung) is treated with a
# drain. So in a hospital's archive most films *of effusion* show a drain, and they were taken *after* treatment. The
# patient whom the model should find is the one **without** a drain.
#
# We draw that: 150 films, half with effusion, and four of five of these with a drain and monitoring leads. The model is
# a cheap one: edges counted by direction in each small square of the image (HOG, histograms of oriented gradients), and
# logistic regression. Every film is scored by a model that never saw its patient (five folds).
#
# **Predict.** The model finds most of the effusions. Is that so for untreated ones?

# %% tags=["nbval-check-output"]
classes = ("normal", "effusion")
chests = phantom.design("clean", 150, SEED, classes=classes, severity=(0.1, 0.5))
treated = (chests["label"] == "effusion") & (rng.random(len(chests)) < 0.8)
chests["device"] = np.where(treated, "drain+leads", "")
swapped = chests[chests["label"] == "effusion"]
swapped = swapped.assign(device=np.where(swapped["device"] == "", "drain+leads", ""))

films, film_images = draw(chests, "drains", size=112, pixels=112)
films = split.folds(films.assign(label=films["label"].cat.set_categories(classes)), k=5, seed=SEED)
twins, twin_images = draw(swapped, "drains-swapped", size=112, pixels=112)
twins = twins.assign(label=twins["label"].cat.set_categories(classes))
films["device"], twins["device"] = films["device"].fillna("none"), twins["device"].fillna("none")
pd.crosstab(films["label"], films["device"])


# %% tags=["nbval-check-output"]
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def edges(images):
    return np.stack([hog(image, 8, (14, 14), (2, 2)) for image in images])


x, x_twin = edges(film_images), edges(twin_images)
print(f"{len(x)} films and {len(x_twin)} twins, {x.shape[1]} numbers each")

# %%
ill = (films["label"] == "effusion").to_numpy()
p, p_twin = np.zeros(len(films)), np.zeros(len(twins))
fold_of_twin = films.set_index("image_id").loc[twins["image_id"], "fold"]
for fold in films["fold"].unique():
    held, held_twin = (films["fold"] == fold).to_numpy(), (fold_of_twin == fold).to_numpy()
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=1000))
    linear.fit(x[~held], ill[~held])
    p[held] = linear.predict_proba(x[held])[:, 1]
    p_twin[held_twin] = linear.predict_proba(x_twin[held_twin])[:, 1]

# %%
scored = train.predictions_table(films, np.column_stack([1 - p, p]), model="edges")
scored["device"] = films["device"].to_numpy()
print(f"AUC {evaluate.metric(scored, 'roc_auc', positive='effusion')}")
effusions = scored[scored["label"] == "effusion"]
by_device = pd.concat([effusions.assign(device="all"), effusions])
by_device = evaluate.subgroups(by_device, "device", "sensitivity", positive="effusion")
plots.intervals(
    by_device.rename(columns={"device": "label"}),
    title="Effusions found: one sensitivity, or two?",
    xlabel="sensitivity",
)

# %% [markdown]
# **Explain.** The line "all" is what a report would print. Below it the same answers, divided by what only the truth
# table knows. But the group that matters, effusion without a drain, is small, and its interval wide: the more unusual a
# subgroup, the less a test set can say about it.
#
# A phantom can be asked directly. Each effusion was drawn twice: as above, and with the devices the other way round.
#
# **Predict.** Same patients, same fluid. How far apart will the two sensitivities be?

# %%
asked = train.predictions_table(twins, np.column_stack([1 - p_twin, p_twin]), model="edges")
asked["device"] = twins["device"].to_numpy()
each_twice = pd.concat([effusions, asked])
drained = each_twice["device"] != "none"
change = evaluate.compare(
    each_twice[drained], each_twice[~drained], "sensitivity", positive="effusion"
)
print(f"with devices {change.a:.2f}, without {change.b:.2f}: difference {change}")

# %% [markdown]
# **Explain.** Nothing changed but the devices, and the sensitivity changed with them: a good part of what the model
# finds is the treatment. Oakden-Rayner and others (2020) call this *hidden stratification* and found it for
# pneumothorax (air around the lung) and chest drains. With real films nobody can take the drain away; what remains is
# to label the subgroup and to collect enough of it. `evaluate.subgroups` prints the table, the n beside each figure.

# %% tags=["author", "verdict"]
# verdict("12.devices-raise-the-sensitivity", change.low > 0)

# %% [markdown]
# ## Step 6 · A gate for inputs
#
# A network has no class for "this is not a chest radiograph in its usual position". It answers anyway.
#
# **Predict.** How sure will our network be of pure noise?

# %%
count = (home["split"] == "test").sum()
strange = {
    "inverted": 255 - home_images[home["split"] == "test"],
    "noise": rng.integers(0, 256, (count, size, size), np.uint8),
}
sure = {"clean": internal[["p_normal", "p_covid", "p_viral"]].max(axis=1)}
for name, images in strange.items():
    output = np.asarray(model(images[..., None].astype("float32"), training=False))
    sure[name] = pd.Series(output.max(axis=1))
pd.DataFrame(sure).describe().loc[["mean", "min", "max"]].round(2)

# %% [markdown]
# **Explain.** Compare the lines: on noise the network may well be *surer* than on radiographs. A softmax must hand out
# its 100 per cent among the classes it has. So something has to stand *before* the network.
#
# The **gate** asks whether a picture is like those that were trained on. It reduces the image to 24×24 and replaces
# grey levels by ranks (exposure and contrast then leave no trace). From the training images it learns the patterns
# that best rebuild them (up to 40 principal components, at most a quarter of the number of images), and takes three
# numbers: what the patterns *cannot* rebuild; how unusual the mixture is that they can (the Mahalanobis distance); and
# whether the picture would fit better turned or inverted. Each is measured in spreads of held-out clean images; the
# largest is the score. Here is the heart of it, for the first number; look inside with `uncertainty.fit_gate??`.

# %% tags=["nbval-check-output"]
if DATASET == "phantom":
    own, own_images = home, home_images
else:
    own = datasets.load(DATASET, DATA_DIR)
    own = duplicates.add_groups(own)
    own = split.holdout(own, test=0.3, val=0.25, seed=SEED)
    own_images = preprocess.cache(own, size=size)
clean = {part: own_images[own["split"] == part] for part in ("train", "val", "test")}
print("images for the gate:", {part: len(each) for part, each in clean.items()})


# %%
def ranks(images):
    small = [preprocess.resize(image, 24).ravel() for image in images]
    order = np.argsort(np.argsort(small, axis=1), axis=1)
    return order / order.max() - 0.5


x = ranks(clean["train"])
_, _, patterns = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
k = min(40, len(x) // 4)
for name, images in {"clean": clean["test"], "inverted": 255 - clean["test"]}.items():
    away = ranks(images) - x.mean(axis=0)
    rest = away - away @ patterns[:k].T @ patterns[:k]
    print(f"{name}: not rebuilt, mean square {(rest**2).mean():.4f}")

# %% [markdown]
# A score needs a limit. First the **mistake**. We want noise out, so we put the limit half-way between the clean
# images and noise: it separates the two without a single error.
#
# **Predict.** Which other wrong inputs will that limit let through?


# %%
def corner(images):
    """The upper left ninth of each image, enlarged."""
    third = images.shape[1] // 3
    large = [preprocess.resize(image[:third, :third], size).clip(0, 255) for image in images]
    return np.stack(large).astype(np.uint8)


gate = uncertainty.fit_gate(clean["train"], clean["val"], share=0.05)
levels = rng.integers(0, 256, (len(clean["test"]), 1, 1), np.uint8)
inputs = {
    "inverted": 255 - clean["test"],
    "turned by 90°": np.rot90(clean["test"], axes=(1, 2)),
    "upside down": clean["test"][:, ::-1],
    "a corner, enlarged": corner(clean["test"]),
    "noise": rng.integers(0, 256, clean["test"].shape, np.uint8),
    "blank": np.broadcast_to(levels, clean["test"].shape),
}

# %% tags=["nbval-check-output"]
drawn = phantom.design("not_a_chest", 120, SEED, sites=("B",))
drawn = drawn[drawn["transform"].isin(["lateral", "photograph"])]
wrong, wrong_images = draw(drawn, "not-a-chest", pixels=112)
inputs |= {kind: wrong_images[wrong["transform"] == kind] for kind in ("lateral", "photograph")}
{kind: len(images) for kind, images in inputs.items()}

# %%
of_val = uncertainty.gate_scores(gate, clean["val"])["score"]
of_noise = uncertainty.gate_scores(gate, inputs["noise"])["score"]
tuned = (of_val.max() + of_noise.min()) / 2
for name, images in inputs.items():
    score = uncertainty.gate_scores(gate, images)["score"]
    print(f"{name:20s} rejected by the tuned limit {(score > tuned).mean():5.0%}")

# %% [markdown]
# **Explain.** Noise lies far from a chest, so a limit half-way to it lies far out, and what lies nearer passes.
# Inputs that must be rejected come in more kinds than anyone thinks of, so none of them may set the limit. The honest
# way sets it on held-out **clean** images alone (here `val`): at the score that about 5 % of them exceed. It costs 5 %
# of good images, a price that is known; what it catches is then a *measurement*.
#
# **Predict.** With that limit: which kinds are rejected, what share of *new* clean images, and what does the gate do to
# hospitals A and C and to children?

# %% tags=["author", "verdict"]
# verdict(
#     "12.tuned-limit-lets-something-through",
#     min(
#         (uncertainty.gate_scores(gate, images)["score"] > tuned).mean()
#         for images in inputs.values()
#     )
#     < 0.9,
# )

# %%
inputs = {"clean, new": clean["test"]} | inputs
other = preprocess.cache(both_sites, size=size)[~at_home]
inputs |= {"hospital A": other, "second hospital": second_images, "children": child_images}
groups = {"second hospital": second["group"], "children": children["group"]}
groups |= {"hospital A": both_sites.loc[~at_home, "patient"]}
groups |= {kind: wrong.loc[wrong["transform"] == kind, "group"] for kind in wrong["transform"]}
verdicts = []
for kind, images in inputs.items():
    verdict = uncertainty.gate_scores(gate, images).assign(kind=kind)
    group = groups.get(kind, own.loc[own["split"] == "test", "group"])
    verdicts.append(verdict.assign(group=group.to_numpy()))
verdicts = pd.concat(verdicts).assign(rejected=lambda t: ~t["accepted"])
rejected = uncertainty.shares(verdicts, "rejected", by="kind").rename(columns={"kind": "label"})
plots.intervals(
    rejected, baseline={"allowed": 0.05}, title="Rejected by the gate", xlabel="share rejected"
)

# %%
turned_away = verdicts[verdicts["rejected"]]
pd.crosstab(turned_away["kind"], turned_away["reason"])

# %% [markdown]
# **Explain.** The gate saw none of these inputs when it was fitted (its third number was made for inverted and turned
# films, so those lines test what it was built for). A line at 1.00 is a kind that it catches, with the interval that
# `n` allows; a line below is a hole, known from now on. As a reason it names the turn, where undoing that gives an
# image which passes. Of new clean images it should reject about the share allowed: look whether the interval includes
# it, or stays below.
#
# Now the last three lines, other hospitals and children, next to Step 2. (They and the two lines before them are
# phantoms, whatever `DATASET` is: leave all five out where the gate learnt from real films.) Nearly all images of the
# second hospital **pass**, and that is where the network missed most COVID phantoms (Step 2). The gate answers "is this
# a chest radiograph as I know them?". It does *not* answer "does the model work here?". The first is cheap; the second
# takes labels from that hospital.
#
# *What this does not show*: other wrong inputs (a mirrored chest, a hand, a screenshot), and lateral views of real
# people.

# %% tags=["author", "verdict"]
# verdict(
#     "12.second-hospital-passes-the-gate",
#     rejected.set_index("label")["value"]["second hospital"] < 0.2,
# )
# verdict(
#     "12.gate-catches-noise-and-turned-images",
#     rejected.set_index("label")["value"][
#         ["noise", "blank", "turned by 90°", "upside down", "inverted"]
#     ].min()
#     > 0.9,
# )

# %% [markdown]
# ### Checkpoint
#
# "We collected 200 unsuitable inputs and moved the gate's limit until it rejected all of them, and none of the clean
# images of the same sample. Rejected: 100 %." What do you know about the gate?
#
# 1. It rejects every unsuitable input.
# 2. It rejects these 200; for others, and for new clean images, nothing was measured.
# 3. It is better than one that rejects 5 % of clean images.
#
# <details><summary>Answer</summary>
# 2. Answer 1 takes a limit fitted to a sample for a result about inputs of all kinds; you saw a limit with a perfect
# record on noise. Answer 3 compares a share of 0 on the images that set the limit with a share measured on new ones.
# </details>

# %% [markdown]
# ## Step 7 · Asking several models
#
# An **ensemble** averages the probabilities of several networks, here those of our three seeds. **MC dropout** asks one
# network several times with its dropout left on (at random, some of its units are silent), and averages.
#
# **Predict.** Does the average of three beat the first? Does it mend the second hospital?

# %%
of_home = [train.predict(net, home, home_images, split="test") for net in networks]
of_second = [answers(second, second_images, net) for net in networks]
mean_home, mean_second = uncertainty.ensemble(of_home), uncertainty.ensemble(of_second)
dropout = uncertainty.mc_dropout(model, home, home_images, passes=10, seed=SEED, split="test")

pairs = {
    "three seeds, home": (mean_home, of_home[0]),
    "three seeds, second hospital": (mean_second, of_second[0]),
    "10 dropout passes, home": (dropout, of_home[0]),
}
rows = []
for label, (average, one) in pairs.items():
    gain = evaluate.compare(average, one, "accuracy")
    rows.append({"label": f"{label}: {gain.b:.2f} to {gain.a:.2f}"} | vars(gain))
plots.intervals(pd.DataFrame(rows), baseline=0, title="Average minus one", xlabel="accuracy gained")

# %% [markdown]
# **Explain.** Paired differences, so a small gain can show; where the interval includes zero, these images do not show
# one. As for the second hospital, compare its accuracy after averaging with the accuracy at home: what was gained, if
# anything, is small beside what is missing. Three networks that learnt from the same hospital share its blind spots,
# and an average does not remove an error that all make.
#
# Averages have a second use: their **spread** (column `spread`, the standard deviation of the winning class's
# probability) is meant to say how unsure the model is. That can be tested.
#
# **Predict.** Where is the spread larger: at home, or where the network fails?

# %% tags=["author", "verdict"]
# verdict(
#     "12.averaging-does-not-mend-the-second-hospital",
#     rows[1]["a"] < evaluate.metric(mean_home, "accuracy").value - 0.1,
# )

# %%
spreads = {
    "seeds, home": mean_home,
    "seeds, second hospital": mean_second,
    "dropout, home": dropout,
}
summary = {}
for name, rows in spreads.items():
    right = (rows["predicted"].astype(str) == rows["label"].astype(str)).rename("answer")
    mean = rows["spread"].groupby(right.map({True: "right", False: "wrong"})).mean()
    summary[name] = mean.to_dict() | {"accuracy": right.mean(), "n": len(rows)}
pd.DataFrame(summary).T[["right", "wrong", "accuracy", "n"]].round(3)

# %% [markdown]
# **Explain.** If the spread were an alarm, it would be larger in the column "wrong" than in "right", and larger at the
# second hospital. Compare the columns, and then the rows: where the accuracy is lowest, does the spread sound an alarm?
# The spread of the seeds is *smaller* at the second hospital, where the accuracy is lowest: no alarm. Agreement among
# models is no evidence that they are right: all three may be sure of the same mistake. Our network has a single dropout
# layer, before its last one; so MC dropout (Gal and Ghahramani, 2016) questions only that last step, and never what the
# convolutions made of the image.

# %% tags=["author", "verdict"]
# verdict(
#     "12.spread-is-no-alarm-at-the-second-hospital",
#     spreads["seeds, second hospital"]["spread"].mean() < spreads["seeds, home"]["spread"].mean(),
# )

# %% [markdown]
# ## Step 8 · Sets in place of single answers
#
# A **prediction set** may hold one class, two, or all; it should hold the true one with a probability that we choose,
# say 0.9. *Split conformal prediction* finds the limit from **calibration** images, which took no part in training
# (`val`). Score of an image: 1 minus the probability of its true class. Limit: the score that 90 % of the calibration
# images stay below, with a correction for their number. A class is in the set if 1 minus its probability is within the
# limit.

# %% tags=["nbval-check-output"]
coverage_wanted = 0.9
per_patient = validation.drop_duplicates("group")  # one film each: films are not exchangeable
rank = int(np.ceil((len(per_patient) + 1) * coverage_wanted))
print(f"the limit is the score at place {rank} of {len(per_patient)} patients")

# %%
columns = [f"p_{c}" for c in evaluate.classes(validation)]


def true_scores(rows):
    codes = rows["label"].cat.codes.to_numpy()
    return 1 - rows[columns].to_numpy()[np.arange(len(rows)), codes]


by_hand = np.sort(true_scores(per_patient))[rank - 1]
limit = uncertainty.conformal_limit(validation, coverage_wanted)
print(f"limit by hand, one film per patient: {by_hand:.3f}; by the package, all films: {limit:.3f}")

sets = uncertainty.prediction_sets(internal, limit)
print(f"coverage at home: {uncertainty.coverage(sets)}")
print("sizes:", sets["size"].value_counts(normalize=True).sort_index().round(2).to_dict())

# %% [markdown]
# **Explain.** Half of the method stands in the cell: sort, take one value. The package's limit uses all films and lets
# each *patient* weigh the same (Lee, Barber and Willett, 2023). The sets are often of two classes or three: that is how
# sure this network has a right to be.
#
# The promise is about the *average over calibrations*: one calibration on few patients may give more or less. We can
# check it: neither `val` nor `test` took part in training, so we deal their patients anew into calibration and test,
# 400 times.
#
# **Predict.** Where will the 400 coverages lie: around 0.9, above, below? And how wide?


# %% tags=["nbval-check-output"]
def dealt(rows):
    """Coverage for one half of the patients, one film each, with a limit from the other half."""
    one_each = rows.sample(frac=1, random_state=rng).drop_duplicates("group")
    scores = rng.permutation(true_scores(one_each))
    half = len(scores) // 2
    rank = int(np.ceil((half + 1) * coverage_wanted))
    return (scores[half:] <= np.sort(scores[:half])[rank - 1]).mean()


pooled = pd.concat([validation, internal])
half = pooled["group"].nunique() // 2
computed = np.ceil((half + 1) * coverage_wanted) / (half + 1)
print(f"{half} patients for the limit, {pooled['group'].nunique() - half} to look at", end="; ")
print(f"in theory {computed:.3f} of the sets hold the truth")

# %%
at_home_again = [dealt(pooled) for _ in range(400)]
plots.distribution(
    at_home_again,
    mark={"promised": coverage_wanted, "computed": computed, "mean": np.mean(at_home_again)},
    title="Coverage at home, patients dealt anew",
    xlabel="share of sets that hold the truth",
    what="deals",
)

# %% [markdown]
# **Explain.** Single calibrations scatter widely, and their mean lies where theory puts it: the new score is equally
# likely to fall into each of the gaps between the sorted ones, so the coverage is rank / (number + 1), the promise
# rounded up (`computed`). The promise needed *no* assumption about the network: a bad one gets large sets. It
# needs one thing: calibration and new images must be **exchangeable**, as if dealt from one pack.
#
# **Predict.** The second hospital is another pack. What becomes of 0.9 there?

# %% tags=["author", "verdict"]
# verdict("12.coverage-lies-where-theory-puts-it", abs(np.mean(at_home_again) - computed) < 0.02)

# %%
sets_second = uncertainty.prediction_sets(elsewhere, limit)
sets_children = uncertainty.prediction_sets(cohorts["children"], limit)
rows = []
for name, part in {"home": sets, "second hospital": sets_second, "children": sets_children}.items():
    label = f"{name}, {part['size'].mean():.1f} classes a set"
    rows.append({"label": label} | vars(uncertainty.coverage(part)))
plots.intervals(
    pd.DataFrame(rows),
    baseline={"promised": coverage_wanted},
    title="Coverage",
    xlabel="share of sets that hold the truth",
)

# %% [markdown]
# **Explain.** At the second hospital the sets hold the truth far less often than promised, and they are *smaller*: the
# network is surer where it is wrong, and nothing in the sets gives that away. Where the children's interval includes
# the promise, it is not broken as far as this n can show. That would be luck: nobody dealt them from home's pack.
#
# The repair takes labelled images from the new place. Deal the second hospital's patients into two halves, calibrate on
# one, look at the other:

# %% tags=["author", "verdict"]
# verdict("12.sets-break-their-promise-elsewhere", rows[1]["high"] < coverage_wanted)
# verdict("12.sets-are-smaller-elsewhere", sets_second["size"].mean() < sets["size"].mean())

# %% tags=["nbval-check-output"]
patients_there = elsewhere["group"].nunique()
print(f"{patients_there // 2} patients for the limit", end=", ")
print(f"{patients_there - patients_there // 2} to look at")

# %%
mended = [dealt(elsewhere) for _ in range(400)]
print(f"calibrated at home: {uncertainty.coverage(sets_second)}")
print(f"calibrated there, mean of 400 deals: {np.mean(mended):.3f}")

# %% [markdown]
# **Explain.** The promise holds again, on average over deals; with so few patients one deal may be far off. What comes
# back is the coverage and not the skill.

# %% tags=["author", "verdict"]
# verdict("12.calibrated-there-the-promise-holds", np.mean(mended) > 0.88)

# %% [markdown]
# ## Step 9 · Abstaining, and what stays in the denominator
#
# A model may leave the images on which it is unsure to a person. The more it leaves, the better it looks on the rest.
#
# **Predict.** At home, if it answers the surest half only: what share of errors remains? And at the second hospital?

# %%
mean_val = uncertainty.ensemble(
    [train.predict(net, home, home_images, split="val") for net in networks]
)
curve = uncertainty.risk_coverage(mean_val)
cut = curve.loc[curve["answered"] >= 0.5, "threshold"].max()  # chosen on val: answer half
shown = {"home": mean_home, "second hospital": mean_second}
plots.risk_coverage({name: uncertainty.risk_coverage(t) for name, t in shown.items()}, cut=cut)

# %% [markdown]
# **Explain.** From right to left, unsure images drop out. At home the error falls: certainty tells something. At the
# second hospital look at both, its height and how little the error has fallen *at the cut* (further left it falls as
# well, but there it rests on few images). And the same cut answers another share of the images than the half for which
# it was chosen.
#
# Now the sensitivity of the model that abstains. The **mistake** first: abstentions are dropped.

# %% tags=["author", "verdict"]
# verdict(
#     "12.certainty-tells-something-at-home",
#     (mean_home["predicted"].astype(str) == mean_home["label"].astype(str))[
#         mean_home[columns].max(axis=1) >= cut
#     ].mean()
#     > evaluate.metric(mean_home, "accuracy").value,
# )

# %% tags=["nbval-check-output"]
for name, table in shown.items():
    people = table.loc[table["label"] == "covid", "group"]
    print(f"{name}: {len(people)} COVID images of {people.nunique()} patients")

# %%
rows = []
for name, table in shown.items():
    ill = table[table["label"] == "covid"]
    answered = ill[columns].max(axis=1) >= cut
    ill = ill.assign(found=answered & (ill["predicted"] == "covid"), left=~answered)
    parts = {"found, of those answered": (ill[answered], "found")}
    parts |= {"found, of all": (ill, "found"), "left to a person": (ill, "left")}
    for what, (films_of, flag) in parts.items():
        rows.append({"label": f"{name}: {what}"} | vars(uncertainty.share(films_of, flag)))
plots.intervals(
    pd.DataFrame(rows), title="COVID, by a model that abstains", xlabel="share of COVID"
)

# %% [markdown]
# **Explain.** "Of those answered" changes its denominator (`n`) with the cut; a model that answers ten easy images can
# print any sensitivity it likes. "Of all" keeps everybody in: found, out of all who are ill. The third line is the
# work left to people. Report all three, or right, wrong and abstained, which sum to one. (*Found* means here that
# COVID is the most probable class; Step 1's threshold, chosen for a high sensitivity, finds more.)

# %% [markdown]
# ### Checkpoint
#
# "Our model abstains on 40 % of the images and reaches a sensitivity of 0.97. Its prediction sets are guaranteed to
# hold the truth in 90 % of cases, at every hospital." Two faults. Which?
#
# 1. 0.97 is of the answered images alone; and the guarantee is for images like the calibration set.
# 2. 40 % is too much; and 90 % is too little.
# 3. None: abstentions are no errors, and conformal prediction needs no assumptions.
#
# <details><summary>Answer</summary>
# 1. Answer 2 argues about taste. Answer 3 contains both misconceptions: somebody must read the images that were left,
# and among them are patients whom the model did not find; and the one assumption, exchangeability, fails at another
# hospital. </details>

# %% [markdown]
# ## Key points
#
# - Report home and elsewhere side by side, at one frozen threshold, with interval and n. A threshold picked outside
#   is adapted, not validated.
# - An external set shares no film and no patient with training. Check it.
# - A good average can hide a subgroup in which the model fails; small subgroups need their own n.
# - A gate's limit is set on held-out clean images, never on what it must reject. It tells chest from no chest. It does
#   not tell whether the model works on this chest.
# - Averages of models share the blind spots of their data. Agreement is not evidence.
# - Conformal sets hold the truth as often as promised for images like the calibration set, and only for those.
# - Abstentions stay in the denominator.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 12](../exercises/12_uncertainty_exercise.ipynb), whose checks answer at once.
#
# Lesson 13 puts the pieces in one box: a file goes in; gate, probability, set and map come out.

# %% [markdown]
# ## Sources and licence
#
# - Zech, Badgeley, Liu and others (2018), *Variable generalization performance of a deep learning model to detect
#   pneumonia in chest radiographs*, PLoS Medicine 15(11), doi 10.1371/journal.pmed.1002683.
# - Oakden-Rayner, Dunnmon, Carneiro, Ré (2020), *Hidden stratification causes clinically meaningful failures in machine
#   learning for medical imaging*, ACM CHIL, doi 10.1145/3368555.3384468.
# - Lee, Lee, Lee, Shin (2018), *A simple unified framework for detecting out-of-distribution samples*, arXiv
#   1807.03888.
# - Lakshminarayanan, Pritzel, Blundell (2017), *Simple and scalable predictive uncertainty estimation using deep
#   ensembles*, arXiv 1612.01474. Gal, Ghahramani (2016), *Dropout as a Bayesian approximation*, arXiv 1506.02142.
# - Angelopoulos, Bates (2021), *A gentle introduction to conformal prediction*, arXiv 2107.07511. Sadinle, Lei,
#   Wasserman (2019), *Least ambiguous set-valued classifiers with bounded error levels*, Journal of the American
#   Statistical Association 114, doi 10.1080/01621459.2017.1395341. Lee, Barber, Willett (2023), *Distribution-free
#   inference with hierarchical data*, arXiv 2306.06342.
# - Geifman, El-Yaniv (2017), *Selective classification for deep neural networks*, arXiv 1705.08500.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: take a model to another hospital; refuse what is no chest radiograph
