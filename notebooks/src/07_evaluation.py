# %% [markdown]
# # 07 · Evaluation
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* We have built something. This lesson turns its answers into numbers: which to compute, how far off
# each may be, what to compare it with, and which mistakes make it worthless.
#
# **You will be able to**
#
# - read a confusion matrix, and compute sensitivity, specificity and PPV from it;
# - give every number an interval, made from patients and not from images, and say what the interval promises;
# - compare a model with its baselines, and two models on the same images;
# - recognise a result that is due to a threshold picked on the test images;
# - (deeper) recognise shuffled answers, choose an average when a class is rare, and say what the best of twenty models is
#   worth.
#
# **Time and hardware.** 45 minutes for the core, 30 more for the steps marked *deeper*, which you can skip. The
# computer needs less than one minute: two processor cores, no GPU.
#
# **Prerequisites.** Lessons 04 (groups, AUC), 05 (one neuron), 06 (the compact network); your guesses from 01 help.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binom, binomtest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import ConfusionMatrixDisplay, classification_report, confusion_matrix
from sklearn.metrics import f1_score, precision_recall_curve, roc_curve

from cxr_helpers import baselines, datasets, duplicates, evaluate, guess, measured, models
from cxr_helpers import phantom, plots, preprocess, quiet, split, train

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names. Counts and splits are the same on every machine; a network's scores differ a little from one to the next.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# On Colab, replace `None` by the code that lesson 01 printed, in quotes. Elsewhere leave it as it is.

# %% tags=["nbval-check-output"]
guess.take(None)

# %% [markdown]
# ## Step 1 · A table of answers
#
# We split by group, as in lesson 04, and train the compact network (lesson 06, Step 6) for a few epochs only: we want
# *answers to judge*, not a record.
#
# The default set is made of phantoms. COVID and viral phantoms differ because we draw them so: a figure measured on them
# shows the method, and is no evidence about patients.

# %% [markdown] tags=["instructor"]
# **3 minutes · demonstrate.** Start the training before the class arrives or run it while you greet. Only the table
# of answers matters.
#
# *Asked:* "Why only a few epochs?" We need answers to judge, not a record.

# %% tags=["nbval-check-output"]
table = datasets.load(DATASET, DATA_DIR)
images = preprocess.cache(table, size=96 if MODE == "class" else 224)
table = duplicates.add_groups(table)
table = split.holdout(table, test=0.25, val=0.2, seed=SEED)
pd.crosstab(table["split"], table["label"])

# %%
recipe = models.RECIPES["compact"]
epochs = 8 if MODE == "class" else recipe.epochs
with quiet():
    fitted = train.fit(recipe, table, images, epochs=epochs, seed=SEED)
model = fitted.model
print(f"{model.count_params():,} parameters, {epochs} epochs, {fitted.seconds:.0f} s")

# %% [markdown]
# In plain Keras: `predict` gives one score per class for each test image, `argmax` the class with the highest score, and
# the **accuracy** is the share of right answers.

# %%
names = list(table["label"].cat.categories)
in_test = (table["split"] == "test").to_numpy()
truth = table["label"].cat.codes[in_test].to_numpy()
scores = model.predict(images[in_test][..., None], verbose=0)
said = scores.argmax(axis=1)
right = said == truth
print(f"accuracy {right.mean():.3f}: {right.sum()} of {len(right)} test images")

# %% [markdown]
# **Explain.** About seven of ten are right. `train.predict` does the same and keeps more: which image it is
# (`image_id`, `group`), the truth, all scores. A table of such rows is all that the rest of this lesson needs.

# %%
answers = train.predict(model, table, images, split="test")
assert (answers["predicted"].cat.codes.to_numpy() == said).all()
answers.drop(columns=["patient", "source", "split", "fold"]).sample(5, random_state=SEED).round(3)

# %% [markdown]
# ## Step 2 · The confusion matrix
#
# Accuracy says how many answers are wrong, not which ones. Count them in a **confusion matrix**: one row per true
# class, one column per answer.

# %% [markdown] tags=["instructor"]
# **10 minutes · do.** Sensitivity and PPV of one class by hand, from the matrix, with a neighbour. Rows are the
# truth.
#
# *Asked:* "Which one is the important one?" Ask back: for whom? The patient asks for PPV, the screening programme for
# sensitivity.
#
# *Pause* before the result of the PPV: 9 of 10 found, 90 false alarms. Hands for 0.9.

# %%
matrix = confusion_matrix(truth, said)
with plt.rc_context({"axes.grid": False}):
    ConfusionMatrixDisplay(matrix, display_labels=names).plot(cmap="Blues", colorbar=False)
plt.title("images of the test part")
rows = "; ".join(f"{name}: {', '.join(map(str, row))}" for name, row in zip(names, matrix))
columns = ", ".join(names)
plots.show(plt.gcf(), f"Confusion matrix, a row per true class, answers {columns}. {rows}.")

# %% [markdown]
# **Explain.** On the diagonal the answer is the truth. Read a *row* to see how the images of a class were called; read
# a *column* to see what an answer is worth.
#
# If we call one class *positive*, all others become "the rest", and four numbers remain: tp (true positives,
# found), fn (false negatives, missed), fp (false alarms) and tn (correctly called negative).
#
# | measure | question | formula |
# |---|---|---|
# | **sensitivity** (recall) | of those with the disease, how many are found? | tp / (tp + fn) |
# | **specificity** | of those without it, how many are called negative? | tn / (tn + fp) |
# | **PPV** (precision) | of those called positive, how many have it? | tp / (tp + fp) |
# | **F1** | both kinds of error in one number | 2·tp / (2·tp + fp + fn) |

# %% [markdown]
# ![A table of two rows, has it and has it not, and two columns, the answers positive and negative. Sensitivity and
# specificity divide along a row, by the truth; PPV and NPV divide along a column, by the answer, and change with the
# prevalence.](../docs/diagrams/d07_matrix.png)

# %% [markdown]
# **Do it by hand.** From the matrix: what are sensitivity and PPV of *covid*? (The tables of this step have
# them.)
#
# PPV is the *positive predictive value*. Note the denominators: sensitivity and specificity are read along the truth
# (rows), PPV along the answers (columns).
#
# **Predict.** A model finds 9 of 10 patients with the disease, and gives 90 false alarms among 990 people without it. What
# is its PPV?

# %% tags=["nbval-check-output"]
MY_PPV = None  # your prediction: PPV, from 0 to 1
ppv = guess.number("07.ppv", MY_PPV, what="PPV", between=(0, 1), near=0.02, example=0.9)
ppv

# %% tags=["nbval-check-output"]
tp, fn, fp, tn = 9, 1, 90, 900
print(f"sensitivity {tp / (tp + fn):.2f}, specificity {tn / (tn + fp):.2f}")
print(f"PPV {tp / (tp + fp):.2f}")

# %% tags=["nbval-check-output"]
ppv.meets(
    tp / (tp + fp),
    beliefs=[
        (0.85, 0.95, "That is the sensitivity: a row of the truth. Of 99 alarms 9 are right."),
        (0.4, 0.6, "Rare disease: nearly all alarms come from the many without it."),
    ],
)

# %% [markdown]
# scikit-learn prints these measures for all classes in one call:

# %%
print(classification_report(truth, said, target_names=names, zero_division=0))

# %% [markdown]
# `evaluate.metrics` computes the same, and adds an interval (`low`, `high`) and its basis: `n` images in `groups`
# independent units.

# %%
positive = "covid" if "covid" in names else names[-1]
metrics = evaluate.metrics(answers)
one = metrics[metrics["class"] == positive].set_index("metric")
report = classification_report(truth, said, target_names=names, output_dict=True, zero_division=0)
assert abs(one.loc["sensitivity", "value"] - report[positive]["recall"]) < 1e-9
one[["value", "low", "high", "n", "groups"]].round(3)

# %% [markdown]
# **Explain.** `n` changes from row to row. Sensitivity (the images of *one* class) has half as many images as
# specificity (both other classes), and a wider interval. **npv** is the counterpart of PPV: of those called negative,
# how many do not have it? The last two rows need no threshold (Step 5): `roc_auc` is the area under the ROC curve,
# `average_precision` about that under the precision-recall curve.

# %% [markdown]
# ## Step 3 · An interval, and what it promises
#
# With other test images the accuracy would have come out differently. We have no others, but we can
# **resample** those we have: draw as many *with replacement*, compute the accuracy, repeat. We draw whole **groups**,
# because images of one patient are not independent answers (lesson 04).

# %% [markdown] tags=["instructor"]
# **9 minutes · do.** Tell the bootstrap with four students as patients: draw names with replacement, some twice, some
# never.
#
# *Asked:* "Why not simply the formula of a share?" It takes each image for another person. The simulation shows what
# that costs.
#
# *Pause* at the two shares of intervals that hold the truth.

# %%
per_group = pd.Series(right).groupby(answers["group"].to_numpy()).agg(["sum", "size"]).to_numpy()
rng = np.random.default_rng(SEED)
accuracies = []
for _ in range(1000):
    drawn = per_group[rng.integers(0, len(per_group), len(per_group))].sum(axis=0)
    accuracies.append(drawn[0] / drawn[1])
low, high = np.quantile(accuracies, [0.025, 0.975])
print(f"by hand:    {right.mean():.3f} ({low:.2f}-{high:.2f})")
print(f"by package: {evaluate.metric(answers, 'accuracy')}")

# %% [markdown]
# The middle 95 % of a thousand resampled accuracies is a 95 % interval (the **bootstrap**; for the package's see Step
# 11). What does "95 %" promise? If the study were repeated many times on new patients, about 95 of 100 such intervals
# would contain the truth. That can be tested where the truth is known: in a simulation.
#
# We simulate several hundred studies, each of 45 patients with seven images. The true accuracy is 0.7. The images of a
# patient tend to be answered alike; here are eight such patients, one row each, with 1 for a right answer:

# %% tags=["nbval-check-output"]
some = np.random.default_rng(0)
print((some.random((8, 7)) < some.beta(0.7, 0.3, size=8)[:, None]).astype(int))

# %% [markdown]
# **Predict.** Make each study's interval as if every image showed another person. What share of the intervals will
# contain 0.7?

# %% tags=["nbval-check-output"]
MY_SHARE = None  # your prediction: share of the intervals that hold the truth, from 0 to 1
share = guess.number(
    "07.images-as-units", MY_SHARE, what="intervals that hold 0.7", between=(0, 1), example=0.95
)
share


# %%
def interval(per_group):
    """A 95 % interval by resampling the rows of (right answers, images)."""
    drawn = per_group[rng.integers(0, len(per_group), (300, len(per_group)))].sum(axis=1)
    return np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])


held = {"images as units": [], "patients as units": []}
for _ in range(1000 if MODE == "full" else 400):
    easiness = rng.beta(0.7, 0.3, size=45)  # of each patient; 0.7 on average
    answered = rng.random((45, 7)) < easiness[:, None]  # right or wrong, a row per patient
    images_alone = np.column_stack([answered.ravel(), np.ones(45 * 7)])
    patients = np.column_stack([answered.sum(axis=1), np.full(45, 7)])
    for name, units in (("images as units", images_alone), ("patients as units", patients)):
        low, high = interval(units)
        held[name].append(low <= 0.7 <= high)

# %%
promise = []
for name, kept in held.items():
    low, high = binomtest(int(np.sum(kept)), len(kept)).proportion_ci(method="wilson")
    promise.append((name, np.mean(kept), low, high, len(kept)))
promise = pd.DataFrame(promise, columns=["label", "value", "low", "high", "n"])
plots.intervals(
    promise,
    baseline={"promised": 0.95},
    title="How many intervals hold the truth (n: studies)",
    xlabel="share of studies, with its own 95 % interval",
)

# %%
share.meets(
    tuple(promise.loc[0, ["value", "low", "high"]]),
    beliefs=[
        (0.85, 1, "The promise holds for independent answers. Seven images of one are not."),
        (0, 0.3, "Too narrow, yes, but not that much: images of a patient also differ."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("07.images-as-units-miss-too-often", promise["value"][0] < 0.85)
# verdict("07.patients-keep-the-promise", promise["value"][1] > 0.88)

# %% [markdown]
# ![Bootstrap by patient. Four patients have one to three test images each. Each draw takes four whole patients, some
# twice and some never, and has its own accuracy, here 0.75, 0.89 and 0.71. The middle 95 % of thousands of draws is
# the interval.](../docs/diagrams/d07_bootstrap.png)

# %% [markdown]
# **Explain.** With images as units the interval pretends that seven images of a patient are seven independent answers. It
# is too narrow, and misses the truth far more often than it promises. With patients as units it does about what it
# promises.
#
# An interval covers the luck of *which patients* were drawn, not another hospital or another training.

# %% [markdown]
# ## Step 4 · Baselines: what simpler models reach
#
# A number means nothing alone. Compare it with **baselines**: the **majority** (always the most frequent class of the training
# images), the **nearest neighbour** (the label of the most similar training image), **logistic regression** on pixels
# (lesson 05), and **you**. The first is scikit-learn's `DummyClassifier`:

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** Order the four models before the cell. Then the project of lesson 01 beside a linear model:
# again no explanation yet.
#
# *Asked:* "Is logistic regression not too simple?" That is what a baseline is for. If it is as good, nothing was
# shown.

# %% tags=["nbval-check-output"]
in_train = (table["split"] == "train").to_numpy()
dummy = DummyClassifier(strategy="most_frequent")
dummy.fit(images[in_train].reshape(in_train.sum(), -1), table["label"].cat.codes[in_train])
print(f"majority: accuracy {dummy.score(images[in_test].reshape(in_test.sum(), -1), truth):.3f}")

# %% [markdown]
# **Predict.** Order four models by their accuracy on the test images, the lowest first.

# %% tags=["nbval-check-output"]
MY_ORDER = None  # your prediction: a list of the four names, the lowest accuracy first
order = guess.order(
    "07.order-of-models",
    MY_ORDER,
    what="lowest accuracy first",
    items=["majority", "nearest neighbour", "logistic regression", "compact network"],
    example=["majority", "logistic regression", "nearest neighbour", "compact network"],
)
order

# %%
everyone = {
    "majority": baselines.majority(table, images),
    "nearest neighbour": baselines.nearest_neighbour(table, images),
    "logistic regression": baselines.logistic_regression(table, images),
    "compact network": answers,
}
accuracy = {name: (each["predicted"] == each["label"]).mean() for name, each in everyone.items()}
lowest_first = sorted(accuracy, key=accuracy.get)
print(", ".join(f"{name} {accuracy[name]:.3f}" for name in lowest_first))

# %%
order.meets(
    lowest_first,
    beliefs=[
        (
            "logistic regression",
            "nearest neighbour",
            "The nearest image is near in pose and exposure, not in disease.",
        ),
        ("compact network", "majority", "Then nothing would have been learned at all."),
    ],
)

# %% [markdown]
# Now we add intervals, and a person: your guesses of lesson 01, if they were kept.

# %%
title = "All models"
try:
    person = baselines.load_guesses(table, DATASET)
    everyone[person["model"].iloc[0]] = person
    title = "All models, and guesses"
except (FileNotFoundError, ValueError):  # none were kept, or they are of other images
    print("No guesses on this set are kept here: run lesson 01 first, then this cell again.")
side = pd.DataFrame(
    [{"label": name, **vars(evaluate.metric(each, "accuracy"))} for name, each in everyone.items()]
)
plots.intervals(
    side[["label", "value", "low", "high", "n"]],
    baseline={"majority": accuracy["majority"]},
    title=title,
    xlabel="accuracy and 95 % interval",
)

# %% [markdown]
# **Explain.** Read the intervals before the order. If the linear model is as good as the network, no need for a network
# has been shown. The line of guesses rests on twenty images, so its interval is wide (*example guesses*: made without
# looking).
#
# And the project of lesson 01? Here are five trainings of it, split by patient (lesson 04), beside logistic regression
# on the same pixels:

# %% tags=["nbval-check-output"]
story = measured.read("story").set_index("row")
two = ["split by patient", "logistic regression on pixels"]
story.loc[two, ["mean", "low", "high", "seeds", "n"]]

# %% [markdown]
# **Explain.** These are means over seeds, each with its 95 % interval. The network is far above the linear model.
# Lesson 09 asks what it sees that a linear model cannot.

# %% [markdown]
# ## Step 5 · Thresholds, and where they may come from
#
# So far the class with the highest score won. For one class against the rest we may draw the line elsewhere: call an image
# positive if its score reaches a **threshold**. Each threshold gives one pair of sensitivity and specificity; all pairs
# together are the **ROC curve**. The area below it is the AUC of lesson 04. The **precision-recall** curve shows the
# PPV instead of the specificity.

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** The ROC curve as a road: walk along it, the threshold falls. Then the mistake, threshold picked
# on the test.
#
# *Asked:* "Everybody picks it there, or not?" Many do, without saying so. Look for the words *optimal threshold* in a
# paper.
#
# *Pause* before the result on the other half.
#
# *Break* before this step.

# %%
is_positive = (answers["label"] == positive).to_numpy()
score = answers[f"p_{positive}"].to_numpy()
false_alarms, found, thresholds = roc_curve(is_positive, score)
precision, recall, _ = precision_recall_curve(is_positive, score)

figure, (left, right_side) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
left.plot(false_alarms, found)
left.plot([0, 1], [0, 1], ":", color="grey")
left.set(title="ROC curve", xlabel="1 - specificity", ylabel="sensitivity")
for marked in (0.7, 0.5, 0.2):
    k = np.abs(thresholds - marked).argmin()
    left.plot(false_alarms[k], found[k], "ko")
    left.annotate(f"{marked}", (false_alarms[k] + 0.03, found[k] - 0.06))
right_side.plot(recall, precision)
right_side.axhline(is_positive.mean(), linestyle=":", color="grey")
right_side.set(title="Precision-recall curve", xlabel="sensitivity", ylabel="PPV", ylim=(0, 1.05))
area = np.trapezoid(found, false_alarms)
shown = f"ROC curve of {positive} against the rest, area {area:.2f}; beside it precision and recall"
plots.show(figure, f"{shown}. Dots: thresholds 0.7, 0.5, 0.2. The dotted lines are random scores.")

# %% tags=["picture"]
plots.slide_threshold(is_positive, score, name=positive)

# %% [markdown]
# **Explain.** A perfect model goes up the left side and along the top; random scores follow the dotted line. Along the
# ROC curve the threshold falls (three are marked): more are found, with more false alarms. On the right, the dotted
# line is the share of the class among these images. In a **screening** (everybody is tested) few have the disease, so
# the line lies near 0 and the curve comes down: a PPV holds only for the **prevalence** (share of people with the
# disease) at which it was measured.
#
# Now the mistake. We want a sensitivity of 0.95 and take the threshold that gives *at least* that *on the test images*.
# On these it does so by construction. What does it give on other images? We repeat this, to see the mean: cut the
# positive images into two halves at random, pick the threshold on the first half, look at both. (We take the positive
# images of validation and test together, one of each group.)
#
# **Predict.** The threshold finds at least 95 % where it was picked. Which share does it find on the other half, on
# average?

# %% tags=["nbval-check-output"]
MY_FOUND = None  # your prediction: sensitivity where the threshold was not picked, from 0 to 1
elsewhere = guess.number(
    "07.threshold-elsewhere",
    MY_FOUND,
    what="sensitivity on other images",
    between=(0.5, 1),
    near=0.01,
    example=0.95,
)
elsewhere

# %%
validation = train.predict(model, table, images, split="val")
pooled = pd.concat([validation, answers]).drop_duplicates("group")
of_positive = pooled.loc[pooled["label"] == positive, f"p_{positive}"].to_numpy()
picked, fresh = [], []
for _ in range(2000):
    first, second = np.array_split(rng.permutation(of_positive), 2)
    threshold = np.sort(first)[int(0.05 * len(first))]  # at most 5 % lie below it
    picked.append((first >= threshold).mean())
    fresh.append((second >= threshold).mean())
print(f"{len(of_positive)} images")
print(f"{np.mean(picked):.3f} where picked, {np.mean(fresh):.3f} where not")

# %%
elsewhere.meets(
    np.mean(fresh),
    beliefs=[
        (0.945, 1, "On average, a threshold looks better on the images it was picked on."),
        (0.5, 0.8, "It loses less: with more images the gap gets smaller still."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("07.a-threshold-is-flattered-where-picked", np.mean(picked) >= 0.95 > np.mean(fresh))

# %% [markdown]
# **Explain.** Where it was picked, the threshold gives what we asked for; on the other half it falls short, more so
# with fewer images. So we choose the threshold on validation, freeze it, and *then* measure it on the test images:

# %%
chosen = evaluate.operating_point(validation, positive, sensitivity=0.95)
at = evaluate.at_threshold(answers, positive, chosen)
at.loc[at["metric"].isin(["sensitivity", "specificity"]), ["metric", "value", "low", "high", "n"]]

# %% [markdown]
# **Explain.** This sensitivity is a measurement: its threshold does not come from these images. It may be well below
# the 0.95 that we asked for, or above it: few validation images fix a threshold only roughly, and the test images are
# of other patients. The specificity is the price. Choose on
# validation only.

# %% [markdown]
# ## Step 6 · Two models on the same images
#
# Model A is right on 160 of 200 images, model B on 172 of the same 200. Their intervals overlap.
#
# | | B right | B wrong |
# |---|---|---|
# | A right | 158 | 2 |
# | A wrong | 14 | 26 |
#
# The next cell prints `p`: how often a fair coin would divide the 16 images on which they differ as unevenly as this.
# We say *better* if p is below 0.05.
#
# **Predict.** Is B better on images like these, or may the difference be chance?

# %% [markdown] tags=["instructor"]
# **7 minutes · do.** Cover the table and ask first: 160 and 172 of 200, is B better? Then show that they are the same
# images.
#
# *Asked:* "When may I compare two intervals?" For two models on the same images never: compare the difference.
#
# *Pause* at the checkpoint with the two papers.

# %% tags=["nbval-check-output"]
MY_VERDICT = None  # your prediction: "B is better" or "may be chance"
SURE_VERDICT = None  # how sure you are, from 0.5 (no idea) to 1
verdict_on_b = guess.choice(
    "07.two-models",
    MY_VERDICT,
    options=["B is better", "may be chance"],
    sure=SURE_VERDICT,
    example="may be chance",
)
verdict_on_b

# %% tags=["nbval-check-output"]
a = np.repeat([1, 1, 0, 0], [158, 2, 14, 26])
b = np.repeat([1, 0, 1, 0], [158, 2, 14, 26])
for name, each in {"A": a, "B": b}.items():
    low, high = binomtest(each.sum(), 200).proportion_ci(method="wilson")
    print(f"{name}: {each.mean():.3f} ({low:.2f}-{high:.2f})")

only_b = ((b == 1) & (a == 0)).sum()
only_a = ((a == 1) & (b == 0)).sum()
p = binomtest(only_b, only_a + only_b).pvalue
print(f"B right where A is wrong: {only_b}; A right where B is wrong: {only_a}; p = {p:.4f}")

# %% tags=["nbval-check-output"]
verdict_on_b.meets(
    "B is better" if p < 0.05 else "may be chance",
    beliefs={
        "may be chance": "Overlapping intervals prove nothing: both saw the same 200 images.",
    },
)

# %% [markdown]
# **Explain.** Both models answered the *same* images. The 184 images on which they agree say nothing about which is better;
# only the 16 on which they disagree count, 14 against 2. A fair coin would give 14 or more of 16 (or 2 or fewer) in one of
# about 240 tries: that is `p` (**McNemar's test**, in its exact form, for independent images). Overlapping intervals are no
# proof of equality.
#
# `evaluate.compare` compares our network and logistic regression on the same images, too, by groups:

# %%
gain = evaluate.compare(answers, everyone["logistic regression"], "accuracy")
shown = "better" if gain.low > 0 else "worse" if gain.high < 0 else "not told apart"
print(f"network - linear, accuracy: {gain}: {shown}")

# %% [markdown]
# **Explain.** *Better* or *worse* means: the whole interval lies on one side of zero, for this network on images like
# these; another training may differ (lesson 06). *Not told apart* means: the interval includes zero, not that the two
# are equal. A small p says nothing about the *size* of a difference: report that, with its interval.
#
# ### Checkpoint
#
# Two papers report accuracies of 0.83 (0.79-0.87) and 0.86 (0.82-0.90), each on its own test images. Which model is better?
#
# 1. The second: 0.86 is more than 0.83.
# 2. Neither: the intervals overlap, so they are equal.
# 3. It cannot be said.
#
# <details><summary>Answer</summary>
# 3. The images differ, so nothing is paired: an easier test set would explain the difference. And overlapping intervals (2)
# do not show that two models are equal. Let both answer the same images.
# </details>

# %% [markdown]
# ## Step 7 · A perfect model that scores like a guess · deeper
#
# A script goes through the test images twice: first for the model's answers, then for the labels. Asked for the test
# part alone, Keras' loader shuffles it anew each time (lesson 01's `subset="both"` does not). Here are those 80 images:

# %% tags=["nbval-check-output"]
design = phantom.design(
    "marker", n=400, text="R|PORTABLE", severity=(0.2, 0.7), per_patient=2.0, seed=SEED
)
folder = phantom.cached(design, datasets.work_dir(), "project", size=96, masks=False)
with quiet():
    import keras

    test = keras.utils.image_dataset_from_directory(
        folder, color_mode="grayscale", image_size=(96, 96), batch_size=16,
        validation_split=0.2, subset="validation", seed=SEED, verbose=False,
    )  # fmt: skip
first_pass = np.concatenate([labels for _, labels in test])
second_pass = np.concatenate([labels for _, labels in test])
print(f"{np.mean(first_pass == second_pass):.2f} of the labels are the same in both passes")

# %% [markdown]
# **Explain.** About half are the same: with two equally frequent classes, two random orders agree that often. A perfect
# model whose answers come from the first pass and whose labels come from the second would get this score. Training
# curves look fine, and no error is raised. (`evaluate` goes through the images once, so its number is right. The cure
# is `shuffle=False`.)
#
# **Predict.** Our three classes are about equally frequent. What accuracy does a *perfect* model get if its answers are in
# another order than the labels?

# %% tags=["nbval-check-output"]
MY_SHUFFLED = None  # your prediction: accuracy of a perfect model, shuffled, from 0 to 1
perfect = guess.number(
    "07.perfect-but-shuffled",
    MY_SHUFFLED,
    what="perfect, but shuffled",
    between=(0, 1),
    example=0.67,
)
perfect

# %%
shuffled = [(rng.permutation(truth) == truth).mean() for _ in range(2000)]
expected = ((np.bincount(truth) / len(truth)) ** 2).sum()
plots.distribution(
    shuffled,
    mark={"expected": expected, "our network": right.mean()},
    title="A perfect model against shuffled labels",
    xlabel="accuracy printed",
)

# %%
perfect.meets(
    expected,
    beliefs=[
        (0.55, 1, "Each answer then meets the label of another image, chosen at random."),
        (0, 0.2, "By chance a label meets its own class once in three."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("07.shuffled-answers-score-as-computed", abs(np.mean(shuffled) - expected) < 0.01)

# %% [markdown]
# **Explain.** A third of the answers say *covid*. Each meets a random label, which is *covid* in one of three cases:
# that makes 1/3 · 1/3 = 1/9 of all images right. The same holds for each class: 1/9 + 1/9 + 1/9 = 1/3. In general it is
# Σ p², where p is the share of a class. Good training curves with a test accuracy like a guess look like overfitting,
# but here they come from a mistake in the bookkeeping. That is why each answer in this course carries its `image_id`.

# %% [markdown]
# ## Step 8 · Rare classes, and which average · deeper
#
# In a screening of 1,000 people, 10 have the disease. We compare a model that answers "no" to everybody with one that
# finds 8 of the 10 and gives 40 false alarms.

# %% tags=["nbval-check-output"]
has_it = np.repeat([1, 0], [10, 990])
always_no = np.zeros(1000, int)
finder = np.repeat([1, 0, 1, 0], [8, 2, 40, 950])
for name, says in {"always no": always_no, "finder": finder}.items():
    sensitivity, specificity = says[has_it == 1].mean(), 1 - says[has_it == 0].mean()
    print(f"{name}: accuracy {(says == has_it).mean():.3f}, sensitivity {sensitivity:.2f}")
    print(f"    balanced accuracy {(sensitivity + specificity) / 2:.2f}")

# %% [markdown]
# **Explain.** By accuracy the useless model wins. Accuracy weighs every *person* alike, and nearly all are healthy.
# Balanced accuracy, the mean of the classes' sensitivities, weighs every *class* alike: with two classes random answers
# get 0.5, with three a third.
#
# The same choice hides in "F1" when there are several classes. **Macro**: the mean of the classes' F1. **Weighted**:
# the same mean, weighted by how frequent each class is. **Micro**: pool all answers first. In the next cell, all 20
# images of the rarest class are missed.

# %% tags=["nbval-check-output"]
true = np.repeat(["normal", "viral", "covid"], [900, 80, 20])
called = np.repeat(["normal", "viral", "normal"], [900, 80, 20])
for average in ("macro", "weighted", "micro"):
    print(f"{average:9s} {f1_score(true, called, average=average, zero_division=0):.3f}")
print(f"accuracy  {(true == called).mean():.3f}")

# %% [markdown]
# **Explain.** Micro is the accuracy under another name (each image has one label and one answer). Weighted stays close
# to it. Only macro shows that a class is lost. None of the three is wrong; but it is wrong to write "F1 = 0.98" without
# saying which one it is. Take macro where each class matters, and print the classes one by one.

# %% [markdown]
# ### Checkpoint
#
# A paper reports "F1 0.95, so the rare class is handled well". Which figure would support that?
#
# 1. The micro F1: it uses every answer.
# 2. The weighted F1: it accounts for the imbalance.
# 3. That class's own sensitivity and PPV, with n.
#
# <details><summary>Answer</summary>
# 3. Micro (1) is the accuracy: a class of 2 % cannot lower it by more than about 0.02. Weighted (2) gives the rare
# class little weight, because it is rare. Macro would drop, but only the class's own figures say which class it is, and
# how sure that is. </details>

# %% [markdown]
# ## Step 9 · The best of many · deeper
#
# Twenty architectures are tried, each is scored on the test images, and the best is reported. The published test folder of
# case E holds 66 images. Suppose that none of the twenty has learned anything: each picks one of three classes at random.
#
# **Predict.** The expected accuracy of one of them is 0.33. What is the expected accuracy of the best of twenty?

# %% tags=["nbval-check-output"]
MY_BEST = None  # your prediction: expected accuracy of the best of twenty guessers, from 0 to 1
best = guess.number(
    "07.best-of-twenty",
    MY_BEST,
    what="best of 20 guessers",
    between=(0, 1),
    near=0.03,
    example=0.33,
)
best


# %% tags=["nbval-check-output"]
def best_of(tried, chance):
    """Expected best accuracy of several models on 66 images, each right by the same chance."""
    below = binom.cdf(np.arange(66), 66, chance) ** tried  # all of them have at most so many right
    return (66 - below.sum()) / 66


for tried in (1, 5, 20, 100):
    print(f"best of {tried:3d}: truth 0.333, expected {best_of(tried, 1 / 3):.3f}", end="; ")
    print(f"truth 0.900, expected {best_of(tried, 0.9):.3f}")

# %%
simulated = rng.binomial(66, 1 / 3, size=(5000, 20)).max(axis=1) / 66
plots.distribution(
    simulated,
    mark={"one of them, on average": 1 / 3, "best of 20, computed": best_of(20, 1 / 3)},
    title="Best accuracy of 20 guessers on 66 images",
    xlabel="accuracy of the best",
)

# %% tags=["nbval-check-output"]
best.meets(
    best_of(20, 1 / 3),
    beliefs=[
        (0.3, 0.38, "True of each. But of twenty, one is lucky, and that one is reported."),
        (0.55, 1, "66 images allow less luck than that."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("07.best-of-twenty-is-well-above-the-truth", np.mean(simulated) > 1 / 3 + 0.05)
# verdict("07.simulation-and-formula-agree", abs(np.mean(simulated) - best_of(20, 1 / 3)) < 0.01)

# %% [markdown]
# **Explain.** The truth is one third for each guesser, and the best of them is well above it; simulation and formula
# (the binomial distribution function, raised to the power of twenty) agree. Good models are no exception: at a true
# accuracy of 0.9 the figure of the best model "improves" with the number tried, without any model learning anything.
# (Real candidates share many errors, so their gain is smaller, but there is one.) Epochs, seeds and settings picked by
# their test score are candidates, too. So choose on validation, and open the test set once.

# %% [markdown]
# ## Step 10 · A set of real radiographs · deeper
#
# So far we have one short training on one split: another seed or another split changes the network's figure. To do
# better, train on every fold (lesson 04) and pool the answers. That takes longer than a lesson; `python -m
# benchmarks.case_e` does it on case E's published set and keeps a table.

# %% tags=["nbval-check-output"]
on_real = measured.read("case_e")
on_real.filter(regex="model|accuracy|^n$|groups|seconds|parameters|date").round(3)

# %% [markdown]
# **Explain.** There is one row per model on the real set of case E. Every image was tested once, by a model that never
# saw its group. Each row has the interval (`_low`, `_high`), n, and for networks the seconds per training and the
# parameters. The case study's own network stands below logistic regression on pixels, and even below the nearest
# neighbour. The compact network stands highest, about two points above the linear model; the interval of this paired
# difference (`measured.read("case_e_differences")`) includes zero. Neither of these two networks shows that this set
# needs a network. (One seed each.)
#
# No line here can show whether the model looked at the lungs at all. Every figure above could be as high for
# a model that reads a hospital's marker in the corner. That question opens the second part of the course.

# %% [markdown]
# ## Step 11 · A perfect sample is not certain · deeper
#
# Suppose that there are ten patients with three images each, all answered correctly. Every sample drawn from them is
# perfect, too:

# %% tags=["nbval-check-output"]
perfect = pd.DataFrame({"image_id": range(30), "group": np.repeat(range(10), 3)})
perfect = perfect.assign(label="covid", predicted="covid", p_covid=1.0, p_normal=0.0)
low, high = interval(np.tile([3, 3], (10, 1)))  # three right of three images, ten times
print(f"bootstrap: 1 ({low:.2f}-{high:.2f})")
print(f"package:   {evaluate.metric(perfect, 'accuracy')}")
print(f"ten of ten, where the truth is 0.75: in {0.75**10:.2f} of all studies")

# %% [markdown]
# **Explain.** A model that is right about three patients in four would look perfect in one of eighteen such studies. So
# the package does not resample. It leaves out one group at a time, sees how much the figure moves, and asks how many
# *independent* answers would move as much. That number goes into Wilson's formula, with Student's t for few groups. Where
# nothing moves (a figure of 0 or 1), the number of groups goes in, and with fewer than three groups there is no interval.
# With 10 to 20 patients the bootstrap's intervals miss the truth too often; how often the package's intervals hold it
# is in `benchmarks/coverage.csv`, from simulated studies as in Step 3.
#
# Two models are compared in the same spirit. McNemar's test (Step 6) and DeLong's for two AUCs are for independent
# images (`stats.mcnemar_exact`, `stats.delong`). With several images of a patient they find differences that are not
# there; `evaluate.compare` swaps whole groups.

# %% [markdown]
# ## Step 12 · Score your own answers · deeper
#
# Nothing of this is tied to the networks of this course. Whoever has a table of answers, from scikit-learn, PyTorch or a
# spreadsheet, can score it. Three columns are enough: the truth, the answer, the patient. Here are those of logistic
# regression, in a file:

# %%
linear = everyone["logistic regression"]
mine = pd.DataFrame(
    {"y_true": linear["label"], "y_pred": linear["predicted"], "patient": linear["group"]}
)
file = Path(datasets.work_dir(), "my_answers.csv")
mine.to_csv(file, index=False)
mine.head(3)

# %% [markdown]
# In a terminal: `cxr score my_answers.csv`. Here is the same command from Python:

# %%
command = [sys.executable, "-m", "cxr_helpers.cli", "score", file.name]
page = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=True)
print(page.stdout)

# %% [markdown]
# **Explain.** First comes one sentence with the figure, its interval, n and the baseline, and with what the figure does
# not show. Then come each class, the confusion matrix, and how many patients a narrower interval would take. With one
# column of probabilities per class there are areas under the ROC curve, too, and `--png` draws the curves. `--compare
# other.csv` gives the paired difference to another model on the same images. Leave out the column `patient`, and the
# command says what it then has to assume.

# %% [markdown]
# ## Key points
#
# - Sensitivity and specificity are read along the truth, PPV along the answers; note the denominator.
# - A number has an interval and an n. Its unit is the patient: intervals that count images as people are too narrow.
# - A number has baselines: majority, nearest neighbour, a linear model on pixels, a person.
# - Two models are compared on the same images, paired. Overlapping intervals do not settle which is better.
# - What was chosen on the test images (a threshold, an epoch, the best of twenty) is no longer measured by them.
# - (deeper) A perfect sample is not certain.
# - (deeper) A perfect model scores Σ p² where its answers are in another order than its labels.
# - (deeper) Accuracy, micro and weighted averages overlook rare classes; macro does not.
#
# Your predictions in this lesson:

# %%
guess.summary("07")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 07](../exercises/07_evaluation_exercise.ipynb), whose checks answer at once.
#
# The network of this lesson learned everything from a few hundred images. Lesson 08 lets it begin with what another
# network has learned from more than a million photographs.

# %% [markdown]
# ## Sources and licence
#
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American
#   Statistical Association 22, doi 10.1080/01621459.1927.10502953.
# - Efron, Tibshirani (1993), *An introduction to the bootstrap*, Chapman & Hall, ISBN 978-0-412-04231-7 (leaving out
#   one at a time: chapter 11).
# - Korn, Graubard (1998), *Confidence intervals for proportions with small expected number of positive counts estimated
#   from survey data*, Survey Methodology 24, 193-201 (the effective number).
# - McNemar (1947), *Note on the sampling error of the difference between correlated proportions or percentages*,
#   Psychometrika 12, doi 10.1007/BF02295996.
# - Saito, Rehmsmeier (2015), *The precision-recall plot is more informative than the ROC plot when evaluating binary
#   classifiers on imbalanced datasets*, PLoS ONE 10(3), doi 10.1371/journal.pone.0118432.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: put an interval, an n and a baseline beside every metric
