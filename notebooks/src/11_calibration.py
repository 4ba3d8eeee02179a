# %% [markdown]
# # 11 · Calibration and operating point
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can the number be trusted?* The network says 0.9. Does that mean nine in ten? And from which number on should
# somebody act? The first question is **calibration**, the second the **operating point**. Neither is answered by
# accuracy.
#
# **You will be able to**
#
# - read a reliability diagram, and say what ECE, Brier score and log loss do and do not measure;
# - tell a badly calibrated model from a small test set, by computing what chance alone gives;
# - repair probabilities with a temperature fitted on validation, and undo what class weights do to them;
# - choose a threshold for a stated sensitivity, freeze it, and report what came out, at home and at a second site;
# - turn sensitivity and specificity into a PPV at another prevalence, and weigh false alarms with a decision curve.
#
# **Time and hardware.** 75 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 06 (the compact network) and 07 (sensitivity, PPV, intervals by group, thresholds).

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os
from dataclasses import replace

import numpy as np
import pandas as pd

from cxr_helpers import calibrate, datasets, duplicates, evaluate, manifest, models
from cxr_helpers import phantom, plots, preprocess, quiet, split, train

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.
# Counts and splits are the same on every machine; what a network reaches differs a little from one to the next.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A network that is sure of itself
#
# One question with two answers, "COVID or not?", so that there is one probability per image to look at. The other
# classes become `other`. The default set are phantoms: COVID looks as we draw it, so no figure here is evidence about
# patients.


# %% tags=["nbval-check-output"]
def prepare(name):
    """A set with two classes, grouped and split, and its images."""
    table = datasets.load(name, DATA_DIR)
    images = preprocess.cache(table, size=64 if MODE == "class" else 160)
    table = duplicates.add_groups(table)
    return split.holdout(two_classes(table), test=0.3, val=0.25, seed=SEED), images


def two_classes(table):
    """The table with the labels `other` and `covid` (where there is no COVID, the last class)."""
    names = list(table["label"].cat.categories)
    positive = "covid" if "covid" in names else names[-1]
    label = np.where(table["label"] == positive, positive, "other")
    return table.assign(label=pd.Categorical(label, ["other", positive]))


table, images = prepare(DATASET)
split.assert_disjoint(table)
positive = table["label"].cat.categories[1]
pd.crosstab(table["split"], table["label"])

# %% [markdown]
# The compact network of lesson 06, but **without augmentation**: on purpose. It sees the same few hundred images again
# and again, which is how networks become surer than they should be.
#
# (In lesson 07, with three classes, the recipe also softened its labels: "label smoothing 0.1" tells the network that
# a right answer is worth 0.93 and not 1. That pulls probabilities away from 0 and 1 and makes a network *less* sure.
# With the single output unit of a two-class network the recipe does not smooth.)


# %% tags=["nbval-check-output"]
def learn(table, images):
    """A compact network, fitted to the training part."""
    recipe = replace(models.RECIPES["compact"], augment=None)
    with quiet():
        return train.fit(recipe, table, images, epochs=14, seed=SEED).model


network = learn(table, images)
print(f"{network.count_params():,} parameters, {(table['split'] == 'train').sum()} training images")

# %%
validation, test = (train.predict(network, table, images, split=part) for part in ("val", "test"))
print("test AUC:", evaluate.metric(test, "roc_auc", positive))

# %% [markdown]
# The network gives each image a number between 0 and 1. Nothing so far says that it is a **probability**: that among
# all images that get 0.9, nine in ten are COVID. Up to here it is a score, good for putting images in order.
#
# **Predict.** Take the test images of which the network is at least 90 % sure, one way or the other. How often is it
# right?

# %%
p = test[f"p_{positive}"].to_numpy()
true = (test["label"] == positive).to_numpy()
sure = np.maximum(p, 1 - p) >= 0.9
right = (p >= 0.5) == true
low, high = evaluate.wilson(right[sure].sum(), sure.sum())
print(f"sure of {sure.sum()} of {len(p)} test images")
print(f"says {np.maximum(p, 1 - p)[sure].mean():.3f} on average", end=", ")
print(f"is right in {right[sure].mean():.3f} ({low:.2f}-{high:.2f})")

# %% [markdown]
# **Explain.** Two figures that ought to be equal: how sure the network is, and how often it is right when it is that
# sure. Where the second lies below the first, it is **overconfident**. The interval counts images as independent, and a
# patient may have several: it is a little too narrow (lesson 07). From now on groups are resampled.

# %% [markdown]
# ## Step 2 · The reliability diagram
#
# The same comparison at every height. Cut the probabilities into ten **bins** of equal width, 0-0.1, 0.1-0.2 and so on.
# In each: what was said on average, and which share of the images truly is COVID.
#
# **Predict.** For a perfectly calibrated model, where do the points lie? Which bins will hold the most images?

# %%
bins = calibrate.reliability(test, positive, bins=10)
lowest = p < 0.1
print(f"first bin by hand: said {p[lowest].mean():.3f}, {true[lowest].mean():.3f} are {positive}")
bins.head(3).round(3)

# %%
plots.reliability(bins, title=f"Reliability, {len(test)} test images", what=positive)

# %% [markdown]
# **Explain.** On the dotted line, what was said came true. Below it, fewer are COVID than was said; above it, more. A
# network that is too sure has points above the line at the left and below it at the right. The bars say how many images
# each point rests on. They pile up at the two ends: that is what being sure looks like. In between, a bin holds a
# handful of images, its interval runs over much of the height, and the point says next to nothing. Never show a
# reliability diagram without its counts.

# %% [markdown]
# ## Step 3 · One number, and what chance alone gives
#
# The **expected calibration error** (ECE) is the gap |said - came true|, averaged over the bins, each weighted by its
# images.


# %%
def ece(p, true, bins=10):
    """Expected calibration error with bins of equal width."""
    number = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(number, weights=true - p)  # of each bin: gap times images
    return np.abs(gaps).sum() / len(p)


print(f"by hand    {ece(p, true):.4f}")
calibrate.scores(test, positive).round(4)

# %% [markdown]
# Is that much? Zero would be perfect, but zero is not what a perfect model gets. We can make one: **keep the network's
# probabilities and draw new truths from them**, so that an image with p = 0.8 is COVID in 80 % of the draws. For this
# invented world the network is perfectly calibrated by construction. (Images of one group share their draw, as
# films of one patient share their disease.)
#
# **Predict.** The true calibration error is now exactly 0. What ECE will be measured on this many images?

# %%
rng = np.random.default_rng(SEED)
group, names = pd.factorize(test["group"])
perfect = np.array([ece(p, rng.random(len(names))[group] < p) for _ in range(2000)])
above = (perfect >= ece(p, true)).sum()
print(f"mean {perfect.mean():.3f}; as high as ours in {above} of {len(perfect)} draws")
plots.distribution(
    perfect,
    mark={"our network": ece(p, true)},
    title=f"ECE of a perfectly calibrated model, {len(test)} images",
    xlabel="ECE measured (10 bins); the truth is 0",
)

# %% [markdown]
# **Explain.** A gap has no sign: a bin that is too high by luck and one that is too low by luck both add to the error.
# So chance alone gives an ECE well above 0, and an ECE means something only beside this histogram. If our mark lies to
# its right, the network is miscalibrated; in the middle of it, nothing has been shown. The line above the figure says
# how often chance alone gets as high.
#
# For the same reason the interval that `calibrate.scores` gives cannot be trusted near 0: resampling adds luck of its
# own. Of a perfect model's intervals, many do not reach down to the truth, which is 0.
#
# **Predict.** How does the ECE of chance change with ten times the images? With twice the bins?

# %% tags=["author", "verdict"]
# verdict("11.chance-alone-gives-an-ece", perfect.mean() > 0.03)

# %% tags=["nbval-check-output"]
rows = []
for n in (150, 1500, 15000):
    drawn = rng.random((200 if n < 10_000 else 20, n))  # probabilities spread evenly
    chance = [[ece(q, rng.random(n) < q, bins) for q in drawn] for bins in (5, 10, 20)]
    rows.append(np.mean(chance, axis=1))
pd.DataFrame(rows, index=[150, 1500, 15000], columns=["5 bins", "10 bins", "20 bins"]).round(4)

# %% [markdown]
# **Explain.** Rows: images; entries: the mean ECE of a model without any fault, whose probabilities are spread evenly
# from 0 to 1. It falls about with the square root of
# the images, and grows with the bins. So an ECE is quoted with n *and* the number of bins, and two of them are compared
# only on the same images with the same bins.

# %% tags=["author", "verdict"]
# verdict(
#     "11.ece-of-chance-falls-and-grows",
#     rows[0][1] > 2 * rows[1][1] > 4 * rows[2][1] and rows[0][2] > rows[0][1] > rows[0][0],
# )

# %% [markdown]
# ## Step 4 · Brier score and log loss
#
# Two scores that need no bins. Per image, with p the probability given to COVID and y = 1 if it is COVID, else 0:
#
# - **Brier score** (1950): (p - y)², averaged. 0 is perfect, 0.25 is what "always 0.5" gets.
# - **log loss**: the negative logarithm of the probability given to the truth, averaged. The loss of lesson 05.
#
# A wrong answer given with 0.99 in place of 0.9 costs 0.98 in place of 0.81 by Brier, and 4.6 in place of 2.3 by log
# loss, which has no upper end: it punishes false certainty.
#
# **Predict.** Suppose that of all images that look alike, 70 % are COVID. What should one say of them to get the best
# score: 0.7, or 1, to be bold?

# %% tags=["nbval-check-output"]
truth = 0.7
for said in (0.5, 0.6, 0.7, 0.8, 0.9, 0.99):
    brier = truth * (1 - said) ** 2 + (1 - truth) * said**2
    loss = -truth * np.log(said) - (1 - truth) * np.log(1 - said)
    print(f"say {said:4}: expected Brier {brier:.3f}, log loss {loss:.3f}")

# %% [markdown]
# **Explain.** Honesty wins: the best score goes to the true probability. Such scores are called *strictly proper*.
# Accuracy is not: it does not care whether 0.6 or 0.99 was said.
#
# Nor is the ECE, and it can be cheated. Below, beside the network, somebody who gives *every* image the same
# number: the share of COVID among the training images.
#
# **Predict.** Who has the smaller ECE? The smaller Brier score?

# %% tags=["nbval-check-output"]
share = (table.loc[table["split"] == "train", "label"] == positive).mean()
lazy = test.assign(**{f"p_{positive}": share, "p_other": 1 - share, "predicted": "other"})
print(f"always says {share:.3f}")
calibrate.scores(lazy, positive).round(3)

# %%
models_shown = {"network": test, "always the share": lazy}
side = {
    name: calibrate.scores(each, positive).set_index("metric")["value"]
    for name, each in models_shown.items()
}
auc = {
    name: evaluate.metric(each, "roc_auc", positive).value for name, each in models_shown.items()
}
pd.DataFrame(side).T.assign(roc_auc=auc, n=len(test)).round(3)

# %% [markdown]
# **Explain.** Whoever always says the share is calibrated almost perfectly and knows nothing: the AUC is 0.5. A small
# ECE says that the numbers may be taken at their word, not that they tell patients apart. (If the network's log loss is
# the larger one, its false certainty costs more than its knowledge is worth.) So report how well a model *ranks* (AUC),
# how far its numbers are *off* (reliability diagram, ECE beside chance), and a strictly proper score, which counts
# both.

# %% tags=["author", "verdict"]
# verdict(
#     "11.the-lazy-has-the-smaller-ece", side["always the share"]["ece"] < side["network"]["ece"]
# )

# %% [markdown]
# ### Checkpoint
#
# Two models on the same 150 test images, 10 bins: A has an ECE of 0.04, B of 0.06. What follows?
#
# 1. A makes fewer mistakes.
# 2. Nothing yet: on 150 images chance alone gives an ECE of about this size, and ECE does not measure mistakes.
# 3. A's probabilities are off by 4 %, B's by 6 %.
#
# <details><summary>Answer</summary>
# 2. Answer 1 takes ECE for an accuracy: the person who always says the share has the smallest ECE of all. Answer 3
#    reads as exact what is mostly luck at this n: the true errors may be equal, or zero. Simulate chance, and look at
#    the paired difference of a strictly proper score. </details>

# %% [markdown]
# ## Step 5 · One number that repairs: the temperature
#
# **Temperature scaling** (Guo and colleagues 2017) divides the network's last sum before the sigmoid or softmax, the
# *logit*, by a number T. With two classes that raises the odds p / (1 - p) to the power 1 / T. T above 1 pulls every
# probability towards 0.5; T below 1 pushes it away; T = 1 changes nothing.
#
# T is *fitted*: the one with the smallest log loss. So it matters on which images.


# %%
def heated(p, temperature):
    """Probabilities at another temperature."""
    p = np.clip(p, 1e-7, 1 - 1e-7)  # a certain 0 or 1 has no odds
    odds = (p / (1 - p)) ** (1 / temperature)
    return odds / (1 + odds)


def log_losses(p, true, temperatures):
    """Mean log loss at each temperature."""
    given = heated(np.where(true, p, 1 - p), temperatures[:, None])
    return -np.log(given).mean(axis=1)


# %% [markdown]
# **Predict.** Below, the log loss over T, on the training and on the validation images. Where will each curve have its
# lowest point: above 1 or below?

# %%
temperatures = np.geomspace(0.5, 6, 60)
training = train.predict(network, table, images, split="train")
losses = {}
for name, each in {"training": training, "validation": validation}.items():
    losses[name] = log_losses(each[f"p_{positive}"], each["label"] == positive, temperatures)
plots.line(
    temperatures,
    losses,
    mark={"T = 1": 1.0},
    title="Which temperature fits?",
    xlabel="temperature T",
    ylabel="log loss",
)

# %% [markdown]
# **Explain.** The network knows its training images: there, hardly any certainty is too much, and the best T is small.
# The validation images are new to it, and tell how much of that certainty is deserved. Fitted to training images, the
# temperature would make things worse; fitted to test images, it would flatter them. It belongs to **validation**.
#
# The package does the same with an optimiser, for any number of classes. Look inside with `calibrate.temperature??`.

# %% tags=["author", "verdict"]
# verdict(
#     "11.training-asks-for-a-smaller-temperature",
#     temperatures[losses["training"].argmin()] < temperatures[losses["validation"].argmin()],
# )

# %%
T = calibrate.temperature(validation)
lowest = temperatures[losses["validation"].argmin()]
print(f"T = {T:.2f} from {len(validation)} validation images (by the curve: {lowest:.2f})")
after = calibrate.apply(test, T)

# %% [markdown]
# How well can T be known? Make a world with a known answer again: spread the true probabilities evenly from 0 to 1,
# draw labels from them, and let a model be too sure by a T of exactly 2. Fit T on 150 images, and on 1500.

# %% tags=["nbval-check-output"]
for n in (150, 1500):
    fits = []
    for _ in range(300):
        honest = rng.random(n)
        loss = log_losses(heated(honest, 1 / 2), rng.random(n) < honest, temperatures)
        fits.append(temperatures[loss.argmin()])
    low, high = np.quantile(fits, [0.025, 0.975])
    print(f"truth 2.00, {n} images: 95 % of the fits lie between {low:.2f} and {high:.2f}")

# %% [markdown]
# **Explain.** With one number to fit, a hundred or two validation images give the right direction and the rough size
# (with several films of a patient the real spread is somewhat larger). That is the charm of it: a method with many
# parameters would fit the luck of so few images.
#
# Now T, frozen, is applied to the test images. **Predict.** Which of these will change: the reliability diagram, the
# ECE, the AUC, the accuracy at 0.5?

# %% tags=["author", "verdict"]
# verdict("11.more-images-fix-the-temperature-better", 1.5 < low and high < 2.7)

# %%
both = {"as trained": test, f"at T = {T:.2f}": after}
diagrams = {name: calibrate.reliability(each, positive) for name, each in both.items()}
plots.reliability(diagrams, title=f"Reliability, {len(test)} test images", what=positive)

# %%
for name, each in both.items():
    auc = evaluate.metric(each, "roc_auc", positive)
    accuracy = ((each[f"p_{positive}"] >= 0.5) == true).mean()
    print(f"{name}: AUC {auc.value:.4f}, accuracy at 0.5 {accuracy:.4f}")
calibrate.compare(after, test, positive).round(4)

# %% [markdown]
# **Explain.** AUC and accuracy stay as they are, to the last digit: a temperature moves every probability and never
# changes the order of the images, nor on which side of 0.5 they are. It makes a model more honest, not better.
#
# The last table is *paired*: `a` with temperature, `b` as trained, on the same test images; below 0: better with the
# temperature. Where an interval reaches over 0, these images cannot tell. Brier and log loss are the ones to look at;
# the interval of the ECE suffers from the same luck as before. (On a set where the network is hardly ever wrong, T
# rests on two or three validation images. It may fall below 1, and do harm: the table says so.)

# %% tags=["author", "verdict"]
# verdict(
#     "11.temperature-changes-no-order",
#     evaluate.metric(after, "roc_auc", positive).value
#     == evaluate.metric(test, "roc_auc", positive).value,
# )

# %% [markdown]
# ## Step 6 · Class weights move the probabilities
#
# A rare class is often given a larger *weight* in the loss, so that the few ill images count as much as the many
# others. `class_weight="balanced"` in scikit-learn does that. What does it do to the probabilities?
#
# Take all the others and so many COVID images that they make up 10 %. Logistic regression on 32×32 pixels, with a
# strong penalty, in five grouped folds: every image is judged by a model that never saw its group.

# %% tags=["nbval-check-output"]
ill = np.flatnonzero(table["label"] == positive)
well = np.flatnonzero(table["label"] != positive)
few = rng.permutation(ill)[: max(5, round(len(well) / 9))]
rows = np.sort(np.r_[well, few])
rare = split.folds(table.iloc[rows].reset_index(drop=True), k=5, seed=SEED)
pixels = images[rows][:, :: images.shape[1] // 32, :: images.shape[1] // 32].reshape(len(rows), -1)
is_ill = (rare["label"] == positive).to_numpy()
print(f"{is_ill.sum()} of {len(rare)} images are {positive}: {is_ill.mean():.3f}")

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits


def scored(weights):
    """Out-of-fold predictions of a logistic regression with these class weights."""
    p = np.zeros(len(rare))
    for fold in range(5):
        out = (rare["fold"] == fold).to_numpy(bool)
        linear = LogisticRegression(C=3e-4, class_weight=weights, max_iter=1000)
        with threadpool_limits(1):
            fitted = make_pipeline(StandardScaler(), linear).fit(pixels[~out] / 255, is_ill[~out])
        p[out] = fitted.predict_proba(pixels[out] / 255)[:, 1]
    return train.predictions_table(rare, np.c_[1 - p, p], model=str(weights))


# %% [markdown]
# **Predict.** The share of COVID is about 0.10. What is the *mean* of the predicted probabilities, without weights, and
# with them?

# %%
answers = {"no weights": scored(None), "balanced": scored("balanced")}
for name, each in answers.items():
    called = (each[f"p_{positive}"] >= 0.5).sum()
    print(
        f"{name}: mean {each[f'p_{positive}'].mean():.3f}, {called} images at 0.5 or above",
        end=", ",
    )
    print("AUC", evaluate.metric(each, "roc_auc", positive))

# %% [markdown]
# **Explain.** With balanced weights the model was taught in a world in which half of the images are ill, and its
# probabilities belong to that world: several times too high for this one. The order of the images (AUC) is about the
# same. The weights did much what another threshold does, and the numbers no longer mean what they say.
#
# It can be undone, if one knows both worlds: multiply the odds by how much rarer the class is here than it was there
# (Bayes' rule; Saerens and colleagues 2002). `calibrate.adjust_prevalence` does so for any number of classes.
#
# **Predict.** Will the mean come out at the truth exactly?

# %% tags=["author", "verdict"]
# verdict(
#     "11.weights-move-the-mean-several-times-up",
#     answers["balanced"][f"p_{positive}"].mean()
#     > 2.5 * is_ill.mean()
#     > 0.8 * 2.5 * answers["no weights"][f"p_{positive}"].mean(),
# )
# verdict(
#     "11.weights-keep-the-order",
#     abs(
#         evaluate.metric(answers["balanced"], "roc_auc", positive).value
#         - evaluate.metric(answers["no weights"], "roc_auc", positive).value
#     )
#     < 0.08,
# )

# %% tags=["nbval-check-output"]
here = {positive: is_ill.mean(), "other": 1 - is_ill.mean()}
there = {positive: 0.5, "other": 0.5}
factor = (here[positive] / here["other"]) / (there[positive] / there["other"])
print(f"odds in the world of the training times {factor:.3f} are odds in this one")

# %%
answers["balanced, then moved back"] = calibrate.adjust_prevalence(answers["balanced"], there, here)

group, names = pd.factorize(rare["group"])
draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=1000)[:, group]
rows = []
for name, each in answers.items():
    excess = each[f"p_{positive}"].to_numpy() - is_ill
    low, high = np.quantile(draws @ excess / draws.sum(axis=1), [0.025, 0.975])
    rows.append({"label": name, "value": excess.mean(), "low": low, "high": high, "n": len(rare)})
plots.intervals(
    pd.DataFrame(rows),
    baseline={"truth": 0},
    title="Mean predicted probability less the share",
    xlabel=f"difference (the share is {is_ill.mean():.3f})",
)

# %% [markdown]
# **Explain.** Moved back, the mean is near the truth again, and often a little below it: the correction is exact only
# if the weighted model was calibrated in its own world, and a model fitted to so few ill images is surer than it
# should be (Step 5).
#
# Weights, over- and undersampling all do this. Use them if training needs them; then correct the probabilities, or
# calibrate on validation images with the *true* shares, or use the output as a score only.

# %% tags=["author", "verdict"]
# verdict(
#     "11.moved-back-is-near-the-truth",
#     abs(rows[2]["value"]) < 0.04 and abs(rows[2]["value"]) < abs(rows[1]["value"]) / 4,
# )

# %% [markdown]
# ### Checkpoint
#
# A network trained on half COVID, half normal says 0.8 for a patient in a clinic where one in twenty has COVID. What is
# this patient's probability, if images of each class look the same in both places?
#
# 1. 0.8: the network looks at the image, not at the clinic.
# 2. About 0.17: odds of 4 times (0.05 / 0.95), turned back into a probability.
# 3. 0.8 × 0.05 = 0.04.
#
# <details><summary>Answer</summary>
# 2. 4 × 0.0526 = 0.21 as odds, 0.21 / 1.21 = 0.17. Answer 1 is the usual mistake: a probability has the shares of its
# training set built in. Answer 3 multiplies the right things in the wrong way: odds, not probabilities. </details>

# %% [markdown]
# ## Step 7 · Choosing a threshold, and freezing it
#
# A probability decides nothing. Somebody must say from where on the patient is called back. Where the most probable
# class is taken, that is 0.5, and nobody has chosen it.
#
# A miss and a false alarm do not cost the same. So state what is needed, here: **find at least 90 % of the ill**. Take
# the highest threshold that does so *on validation*, freeze it, and measure on test.
#
# **Predict.** Will the threshold lie above 0.5 or below? Will the test sensitivity be 0.90, more, or less?

# %% tags=["nbval-check-output"]
for name, each in {"validation": validation, "test": test}.items():
    print(f"{name}: {(each['label'] == positive).sum()} of {len(each)} images are {positive}")

# %%
asked = 0.90
calm = calibrate.apply(validation, T)
chosen = evaluate.operating_point(calm, positive, sensitivity=asked)
parts = {
    "at 0.5, test": evaluate.at_threshold(after, positive, 0.5),
    "chosen, validation": evaluate.at_threshold(calm, positive, chosen),
    "chosen, test": evaluate.at_threshold(after, positive, chosen),
}
found = pd.concat([each.head(2) for each in parts.values()], keys=parts).droplevel(1)
print(f"chosen on validation: {chosen:.3f}")
found[["threshold", "metric", "value", "low", "high", "n", "groups"]].round(3)

# %% [markdown]
# **Explain.** 0.5 is a habit: its sensitivity is whatever it happens to be. The line "chosen, validation" is no
# result: 0.90 was asked for there. The line "chosen, test" is the measurement, and it may lie on either side of 0.90;
# a threshold that rests on a few dozen ill people need not keep its promise even within the interval, which leaves out
# the luck of choosing. It is reported as it comes, with its interval and n; n is small, because a sensitivity rests on
# the ill alone. Moving the threshold now, so that test comes out at 0.90, would be choosing on test.
#
# Threshold and temperature belong together: one chosen before the temperature cuts at another place after it. Chosen
# anew for the same sensitivity, it calls the same images as before, for the order has not changed. So this decision
# needed no calibration. It is needed where the number itself is used: shown to a doctor, weighed against a cost
# (Step 9), or moved to another prevalence (Step 6).

# %% [markdown]
# ## Step 8 · The same test in a place where the disease is rare
#
# Of those called positive, how many are ill? With prevalence π, by Bayes' rule,
#
#     PPV = sensitivity · π / (sensitivity · π + (1 - specificity) · (1 - π))
#
# **Predict.** A test with sensitivity and specificity 0.95 (far better than ours). Its PPV where every second person is
# ill, every tenth, every hundredth?

# %% tags=["nbval-check-output"]
for prevalence in (0.5, 0.1, 0.01):
    found, alarms = 0.95 * 1000 * prevalence, 0.05 * 1000 * (1 - prevalence)
    print(f"of 1,000 people {1000 * prevalence:.0f} are ill; {found:.1f} are found", end=", ")
    print(f"and there are {alarms:.1f} false alarms")

# %% tags=["nbval-check-output"]
calibrate.predictive_values(0.95, 0.95, [0.5, 0.1, 0.01]).round(3)

# %% [markdown]
# **Explain.** 0.95, 0.68, 0.16. At one in a hundred, five of six alarms are false, with an excellent test: even 5 % of
# so many well people outnumber the ill. The NPV goes the other way, and says as little: where hardly anyone is ill,
# "not ill" is nearly always right, whatever the test.
#
# Now ours. Sensitivity and specificity are those of the test images; their lower ends together, and their upper ends
# together, show how uncertain the PPV is (more widely than a 95 % interval would: both would have to be low at once).

# %%
home = parts["chosen, test"].set_index("metric")
prevalences = [true.mean(), 0.10, 0.01]
columns = {
    name: calibrate.predictive_values(
        home.loc["sensitivity", end], home.loc["specificity", end], prevalences
    )["ppv"]
    for name, end in {
        "ppv": "value",
        "from the lower ends": "low",
        "from the upper ends": "high",
    }.items()
}
pd.DataFrame(columns).assign(prevalence=prevalences, n=len(test)).set_index("prevalence").round(3)

# %% [markdown]
# **Explain.** First line: the prevalence of our test images, which somebody chose when the set was put together. The
# others: same network, same threshold, a rarer disease. Whoever reports the first PPV for a screening promises what
# nobody will see. And the formula is hopeful: it takes sensitivity and specificity to be the same everywhere, while the
# ill of a screening may be *less* ill than those of a hospital.

# %% [markdown]
# ### Checkpoint
#
# A study: "PPV 0.92 on our balanced test set; so in the clinic, where one in fifty has it, 92 of 100 alarms will be
# right." What is the fault?
#
# 1. None: PPV is a property of the test.
# 2. A PPV belongs to the prevalence it was measured at; at one in fifty it will be far lower.
# 3. The threshold should have been 0.5.
#
# <details><summary>Answer</summary>
# 2. With sensitivity and specificity both 0.92, a PPV of 0.92 at one in two becomes 0.19 at one in fifty.
# Answer 1 takes PPV for a sensitivity, whose formula does not contain the prevalence. Answer 3: no threshold is right
# by nature. </details>

# %% [markdown]
# ## Step 9 · Is it worth it? The decision curve
#
# Two networks, two thresholds: which does more good? Count a find as +1, and a false alarm as minus something. Vickers
# and Elkin (2006) tie that something to a question that a person can answer: *from which probability t on would you
# act?* Who acts from t = 0.10 on accepts nine false alarms for one find; so a false alarm costs 1/9, in general
# t / (1 - t). The **net benefit** is
#
#     true positives / n  -  false alarms / n · t / (1 - t)
#
# Act on everyone whose p reaches t. The unit: finds per image, with false alarms already paid for.
#
# **Predict.** What is the net benefit of acting on nobody? Of acting on everybody, when t is small?

# %% tags=["nbval-check-output"]
for t in (0.02, 0.2, 0.5):
    price = t / (1 - t)
    everybody = true.mean() - (1 - true.mean()) * price
    print(f"t = {t}: a false alarm costs {price:.2f} finds; act on everybody {everybody:+.3f}")

# %%
t = 0.2
called = after[f"p_{positive}"].to_numpy() >= t
benefit = ((called & true).sum() - (called & ~true).sum() * t / (1 - t)) / len(true)
print(f"by hand at t = {t}: {benefit:.4f}")
calibrate.decision_curve(after, positive, [0.1, t, 0.5]).drop(columns="nobody").round(3)

# %%
curves = {name: calibrate.decision_curve(each, positive) for name, each in both.items()}
plots.decision_curve(curves, title=f"Decision curve, {len(test)} test images")

# %% [markdown]
# **Explain.** Nobody is 0. Everybody is worth something while a false alarm is cheap, and falls below 0 further right.
# A network is of use at those t where it lies above *both*. The bands are wide mostly because the number of ill among
# so few images varies, which moves all lines together; the column `gain` compares with the better of the two simple
# rules, draw by draw.
#
# Here calibration counts, for the curve takes p at its word: a network that is too sure acts on the wrong images where
# t is very small or very large. And the picture belongs to the prevalence of these images, as a PPV does.

# %% [markdown]
# ## Step 10 · The frozen threshold at a second site
#
# Another hospital: hazy portable films of site C, new patients, the same shares of the classes, the same disease. We
# know what differs, because we draw it so: the equipment, the view (AP only), and leads, lines or tubes on about half
# of the films instead of a fifth. (This step uses phantoms whatever `DATASET` is; with another set, a network is first
# taught on phantoms.)

# %% tags=["nbval-check-output"]
design = phantom.design("second_site", n=180, seed=SEED)
work = datasets.work_dir()
folder = phantom.cached(design, work, "second_site", size=96, masks=False)
away = manifest.from_folder(folder, patient=r"(P\d+)_").table
away = duplicates.add_groups(two_classes(away), duplicates.pairs(away))
print(f"{len(away)} films, {(away['label'] == 'covid').sum()} of them COVID")

# %%
if DATASET != "phantom":  # then home must be a phantom, too
    table, images = prepare("phantom")
    network = learn(table, images)
    validation, test = (
        train.predict(network, table, images, split=part) for part in ("val", "test")
    )
    T = calibrate.temperature(validation)
threshold = evaluate.operating_point(calibrate.apply(validation, T), "covid", sensitivity=asked)
away_images = preprocess.cache(away, size=images.shape[1])
sites = {"home": test, "away": train.predict(network, away, away_images)}
sites = {name: calibrate.apply(each, T) for name, each in sites.items()}
for name, each in sites.items():
    print(f"{name}: AUC {evaluate.metric(each, 'roc_auc', 'covid')}", end="; ")
    print(f"mean p {each['p_covid'].mean():.2f}, share {(each['label'] == 'covid').mean():.2f}")

# %% [markdown]
# Temperature and threshold are frozen: both from the validation images at home. Then the mistake, for comparison: the
# threshold is picked again *on the images of the new site*, so that it reaches 0.90 there.
#
# **Predict.** Sensitivity away with the frozen threshold: 0.90, more, less? And the specificity with the re-picked one?

# %%
repicked = evaluate.operating_point(sites["away"], "covid", sensitivity=asked)
ways = {
    "home, frozen": evaluate.at_threshold(sites["home"], "covid", threshold),
    "away, frozen": evaluate.at_threshold(sites["away"], "covid", threshold),
    "away, picked again": evaluate.at_threshold(sites["away"], "covid", repicked),
}
rows = pd.concat([each.head(2).assign(label=name) for name, each in ways.items()])
rows["label"] = rows["metric"] + ", " + rows["label"]
plots.intervals(
    rows.sort_values("metric", kind="stable"),
    baseline={"asked for": asked},
    title=f"Threshold {threshold:.2f} frozen, {repicked:.2f} picked again",
    xlabel="value and 95 % interval",
)

# %% [markdown]
# **Explain.** Three things to read.
#
# *Away, frozen.* What would happen if the network were carried to the other hospital as it is. Compare with *home*:
# both intervals count. The order of the images (AUC) may have suffered, and so may the place of the threshold; a mean p
# that is far from the share says that the calibration did not travel either (with so few images the share is itself
# uncertain; and a shift is nothing that a temperature could mend).
#
# *Away, picked again.* Its sensitivity is 0.90 or just above by construction: it was asked for, on these very images.
# Part of what the new site costs reappears in the specificity, and part of that fall is the price of 0.90 itself, where
# home reached another sensitivity. To report this as "external validation" is recalibrating on test.
#
# *The honest repair.* Set some of the new site's patients apart, choose temperature and threshold on them, report on
# the others, and say so.
#
# A real example, from a tuberculosis project's own report on a new set: with a threshold re-picked there, sensitivity
# 92.6 % and specificity 70 %; with the one frozen on validation, 98.2 % and 44.0 %. A threshold may slip either way.
#
# What this step does not show: how far apart two real hospitals are. Site C is as hazy as we made it.

# %% [markdown]
# ## Key points
#
# - A score is a probability if what it says comes true. Look at a reliability diagram, with n per bin and intervals.
# - ECE is biased upwards on few images: compare it with what a perfectly calibrated model would get. Quote n and bins.
# - A small ECE does not mean that a model is good. Brier score and log loss pay for calibration and for ranking.
# - A temperature, fitted on validation, repairs over- or underconfidence and changes neither order nor accuracy.
# - Class weights and resampling move probabilities to another prevalence. Move them back before using them.
# - 0.5 is no law. State the sensitivity that is needed, choose the threshold on validation, freeze it, measure on test.
# - A PPV belongs to its prevalence. A decision curve says at which price of a false alarm a model is worth having.
# - At a second site test the frozen threshold first. Picking it again on the same images is calibrating on test.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 11](../exercises/11_calibration_exercise.ipynb), whose checks answer at once.
#
# The network answered every image of the second site, as calmly as those at home. Lesson 12 teaches it to say "I do not
# know".

# %% [markdown]
# ## Sources and licence
#
# - Guo, Pleiss, Sun, Weinberger (2017), *On calibration of modern neural networks*, Proceedings of the 34th
#   International Conference on Machine Learning, PMLR 70.
# - Brier (1950), *Verification of forecasts expressed in terms of probability*, Monthly Weather Review 78(1).
# - Saerens, Latinne, Decaestecker (2002), *Adjusting the outputs of a classifier to new a priori probabilities: a
#   simple procedure*, Neural Computation 14(1), doi 10.1162/089976602753284446.
# - Vickers, Elkin (2006), *Decision curve analysis: a novel method for evaluating prediction models*, Medical Decision
#   Making 26(6), doi 10.1177/0272989X06295361.
# - Davison, Hinkley (1997), *Bootstrap methods and their application*, Cambridge University Press.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: make probabilities mean what they say; choose a threshold
