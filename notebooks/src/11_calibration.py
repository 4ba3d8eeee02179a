# %% [markdown]
# # 11 · Calibration and operating point
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can the number be trusted?* A network says 0.9. Does this mean nine in ten? And from which number on should somebody
# act? The first question is about **calibration**, the second about the **operating point**. Accuracy answers neither.
#
# **You will be able to**
#
# - read a reliability diagram, of a model and of your own predictions;
# - repair probabilities with a temperature that is fitted on validation, and say what it does not change;
# - choose a threshold for a stated sensitivity, freeze it, and report the result, at home and at a second site;
# - turn sensitivity and specificity into a PPV at another prevalence;
# - (deeper) compare a calibration error with chance, undo what class weights do, and read a decision curve.
#
# **Time and hardware.** 45 minutes for the core, 35 more for the steps marked *deeper*, which you can skip; less than
# one minute of it computing; two processor cores, no GPU.
#
# **Prerequisites.** Lessons 06 (the compact network) and 07 (sensitivity, PPV, intervals by group, thresholds).

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import calibrate, datasets, duplicates, evaluate, guess, manifest, models
from cxr_helpers import phantom, plots, preprocess, quiet, split, train

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names. Counts and splits are the same everywhere; a network's results differ a little between machines.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · A network that is sure of itself
#
# We ask one question with two answers, "COVID or not?", so that each image has one probability. The other classes
# become `other`. (The default set consists of phantoms: COVID looks as we draw it, so no figure here is evidence about
# patients.)


# %% [markdown] tags=["instructor"]
# **7 minutes · do.** Ask the class for a weather forecast: it said 90 %, and it did not rain. Was it wrong? Then the
# prediction.
#
# *Asked:* "Is softmax not a probability?" It sums to one. Whether nine of ten come true is another question.


# %% tags=["nbval-check-output"]
def two_classes(table):
    """The table with the labels `other` and `covid` (where there is no COVID, the last class)."""
    names = list(table["label"].cat.categories)
    positive = "covid" if "covid" in names else names[-1]
    label = np.where(table["label"] == positive, positive, "other")
    return table.assign(label=pd.Categorical(label, ["other", positive]))


def prepare(name):
    """A set with two classes, grouped and split, and its images."""
    table = datasets.load(name, DATA_DIR)
    images = preprocess.cache(table, size=64 if MODE == "class" else 160)
    table = two_classes(duplicates.add_groups(table))
    return split.holdout(table, test=0.3, val=0.25, seed=SEED), images


table, images = prepare(DATASET)
positive = table["label"].cat.categories[1]
pd.crosstab(table["split"], table["label"])

# %% [markdown]
# We train the compact network of lesson 06 **without augmentation**, on purpose: it sees the same few hundred images
# again and again. In this way networks become more certain than they should be.


# %% tags=["nbval-check-output"]
def learn(table, images):
    """A compact network, fitted to the training part."""
    recipe = replace(models.RECIPES["compact"], augment=None)
    with quiet():
        return train.fit(recipe, table, images, epochs=14, seed=SEED).model


network = learn(table, images)
print(f"{network.count_params():,} parameters, {(table['split'] == 'train').sum()} training images")

# %%
validation = train.predict(network, table, images, split="val")
test = train.predict(network, table, images, split="test")
print("test AUC:", evaluate.metric(test, "roc_auc", positive))

# %% [markdown]
# The network gives each image a number between 0 and 1. So far it is a score, which ranks the images. It is a
# **probability** only if, of all images that get 0.9, nine in ten are COVID.
#
# **Predict.** Take the test images of which the network is at least 90 % sure, for either class. Which share of these
# answers is right?

# %% tags=["nbval-check-output"]
MY_RIGHT = None  # your prediction: share of right answers, from 0.5 to 1
right_when_sure = guess.number(
    "11.right-when-sure", MY_RIGHT, what="right when 90 % sure", between=(0.5, 1), example=0.97
)
right_when_sure

# %%
p = test[f"p_{positive}"].to_numpy()
true = (test["label"] == positive).to_numpy()
certainty = np.maximum(p, 1 - p)
sure = certainty >= 0.9
right = (p >= 0.5) == true
low, high = evaluate.wilson(right[sure].sum(), sure.sum())
print(f"sure of {sure.sum()} of {len(p)} test images, says {certainty[sure].mean():.3f} on average")
print(f"right in {right[sure].mean():.3f} ({low:.2f}-{high:.2f})")

# %%
right_when_sure.meets(
    (right[sure].mean(), low, high),
    beliefs=[
        (0.9, 1, "You took the number at its word. The network says more than it keeps."),
        (0.5, 0.75, "It is too sure, but not useless: when sure, it is right more often."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("11.says-more-than-it-keeps", certainty[sure].mean() > right[sure].mean() + 0.02)
# verdict("11.sure-is-right-more-often", right[sure].mean() > right[~sure].mean())

# %% [markdown]
# **Explain.** Two figures ought to be equal: how sure the network is on average, and how often it is right. The second
# is lower: the network is **overconfident**. (This interval counts images as independent. A patient may have several,
# so the interval is a little too narrow; from now on intervals are by group.)

# %% [markdown]
# ## Step 2 · The reliability diagram
#
# We repeat the comparison for small and large probabilities. Cut them into five **bins** of equal width. In each bin,
# compare the mean probability with the share of images that truly are COVID. scikit-learn does it with one call.

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** Read one diagram together, point by point, then everybody their own. Do not ask anybody to show
# theirs.
#
# *Asked:* "Mine is below the line everywhere." So are most: being too sure is the rule. Look at the counts first.
#
# *Pause* at the own diagrams, two minutes of silence.

# %%
came_true, said = calibration_curve(true, p, n_bins=5)
for one_said, one_true in zip(said, came_true):
    print(f"said {one_said:.2f}, came true {one_true:.2f}")

# %% [markdown]
# Our helper makes the same bins, and adds for each the number of images and an interval by group.

# %%
bins = calibrate.reliability(test, positive, bins=5)
assert np.allclose(bins["observed"], came_true)
assert np.allclose(bins["predicted"], said)
plots.reliability(bins, title=f"Reliability, {len(test)} test images", what=positive)

# %% [markdown]
# **Explain.** On the dotted line, what was said came true. Below it, fewer are COVID than was said; above it, more.
# Points above the line at the left and below it at the right are the sign of overconfidence. The bars count the images
# in each bin. They are high at the two ends, where a network is sure. In between, a bin holds few images and its
# interval is wide. Never show a **reliability diagram** without its counts.
#
# **And you?** In this course you predicted, and often said how sure you were. These are data of the same kind: a
# probability, and whether it came true. Here is your own diagram (your 80 % intervals count, too). With fewer than
# five such predictions, you see an invented reader's.

# %%
unsure = [(0.5, True)] * 3 + [(0.5, False)] * 3 + [(0.7, True)] * 5 + [(0.7, False)] * 3
certain = [(0.9, True)] * 7 + [(0.9, False)] * 5 + [(1.0, True)] * 7 + [(1.0, False)] * 3
guess.reliability(example=unsure + certain)

# %% [markdown]
# **Explain.** Are you too sure? Where an interval reaches the dotted line, your few predictions do not show it.

# %% [markdown]
# ## Step 3 · One number that repairs: the temperature
#
# **Temperature scaling** (Guo and colleagues 2017) divides the network's last sum before the sigmoid, the *logit*, by a
# number T. With two classes, this raises the odds p / (1 - p) to the power 1 / T. T above 1 moves every probability
# towards 0.5; T below 1 moves it away; T = 1 changes nothing.
#
# T is *fitted*: take the T with the smallest log loss (the loss of lesson 05). On which images?


# %% [markdown] tags=["instructor"]
# **9 minutes · demonstrate.** Write p/(1-p) to the power 1/T on the board. Ask which of AUC, accuracy and Brier score
# can change at all.
#
# *Asked:* "Why not fit T on the training images?" The network has seen them and is right on nearly all: there its
# certainty looks justified.


# %%
def heated(p, temperature):
    """Probabilities at another temperature."""
    p = np.clip(np.asarray(p, float), 1e-12, 1 - 1e-12)  # a certain 0 or 1 has no odds
    odds = (p / (1 - p)) ** (1 / temperature)
    return odds / (1 + odds)


def log_loss(p, true):
    """Mean negative logarithm of the probability given to the truth."""
    return -np.log(np.where(true, p, 1 - p)).mean()


# %%
training = train.predict(network, table, images, split="train")
temperatures = np.geomspace(0.5, 6, 60)
losses = {}
for name, each in {"training": training, "validation": validation}.items():
    p_each, true_each = each[f"p_{positive}"], each["label"] == positive
    losses[name] = [log_loss(heated(p_each, t), true_each) for t in temperatures]
plots.line(
    temperatures,
    losses,
    mark={"T = 1": 1.0},
    title="Which temperature fits?",
    xlabel="temperature T",
    ylabel="log loss",
)

# %% tags=["author", "verdict"]
# verdict(
#     "11.training-asks-for-a-smaller-temperature",
#     temperatures[np.argmin(losses["training"])] < temperatures[np.argmin(losses["validation"])],
# )

# %% [markdown]
# **Explain.** The network has memorised much of its training images, so on these the best T is small. Fitted on
# training images, T would be too small; fitted on test images, it would make their scores too good. Fit it on
# **validation**, whose images are new.
#
# `calibrate.temperature` finds the best T with an optimiser, for any number of classes, and warns when given test
# images. `calibrate.apply` changes the probabilities of a whole table.

# %%
T = calibrate.temperature(validation)
after = calibrate.apply(test, T)
p_after = after[f"p_{positive}"].to_numpy()
on_validation = heated(validation[f"p_{positive}"], T)
assert log_loss(on_validation, validation["label"] == positive) < min(losses["validation"]) + 1e-3
assert np.allclose(p_after, heated(p, T), atol=1e-5)
print(f"T = {T:.2f} from {len(validation)} validation images")

# %% tags=["author", "verdict"]
# verdict("11.temperature-is-above-one", T > 1.1)

# %% [markdown]
# We apply the frozen T to the test images, and compare three figures: the AUC, the accuracy with the threshold 0.5,
# and the **Brier score** (1950): the mean of (p - y)², where y is 1 for COVID and 0 for the others. Smaller is better,
# 0 is perfect, "always 0.5" gets 0.25.
#
# **Predict.** Which of them does the temperature change?

# %% tags=["nbval-check-output"]
MY_CHANGE = None  # your prediction: "AUC", "accuracy", "Brier score" or "all three"
SURE_CHANGE = None  # how sure you are, from 0.25 (no idea) to 1
change = guess.choice(
    "11.what-a-temperature-changes",
    MY_CHANGE,
    what="changed by a temperature",
    options=["AUC", "accuracy", "Brier score", "all three"],
    sure=SURE_CHANGE,
    example="all three",
)
change

# %%
figures = {}
for name, each in {"as trained": p, "with temperature": p_after}.items():
    figures[name] = {
        "AUC": roc_auc_score(true, each),
        "accuracy": accuracy_score(true, each >= 0.5),
        "Brier score": brier_score_loss(true, each),
    }
figures = pd.DataFrame(figures).assign(n=len(true))
difference = (figures["with temperature"] - figures["as trained"]).abs()
changed = list(figures.index[difference > 1e-6])
figures.round(4)

# %% tags=["nbval-check-output"]
change.meets(
    changed[0] if len(changed) == 1 else "all three",
    beliefs={
        "all three": "Every probability moves, but none overtakes another or crosses 0.5.",
        "AUC": "The AUC counts pairs in the right order, and no probability overtakes another.",
        "accuracy": "A temperature moves p towards or away from 0.5, never across it.",
    },
)

# %% tags=["author", "verdict"]
# verdict("11.temperature-changes-no-order", changed == ["Brier score"])

# %% [markdown]
# **Explain.** AUC and accuracy stay as they are: a temperature changes neither the order of the images nor the side of
# 0.5 on which each lies. It corrects the probabilities; it does not tell patients apart better.
#
# Is the Brier score better by more than chance? Both scores are of the same images, so look at the difference for each
# image, and resample groups as in lesson 07.


# %%
def mean_interval(values, groups):
    """Mean of one value per image, and its 95 % interval: groups are resampled."""
    counted = pd.DataFrame({"sum": values, "images": 1}).groupby(np.asarray(groups))
    per_group = counted.sum().to_numpy()
    rng = np.random.default_rng(SEED)
    means = []
    for _ in range(1000):
        drawn = per_group[rng.integers(0, len(per_group), len(per_group))].sum(axis=0)
        means.append(drawn[0] / drawn[1])
    low, high = np.quantile(means, [0.025, 0.975])
    return np.mean(values), low, high


gain, low, high = mean_interval((p_after - true) ** 2 - (p - true) ** 2, test["group"])
shown = "better" if high < 0 else "worse" if low > 0 else "not told apart"
print(f"Brier score, with temperature less as trained: {gain:+.4f} ({low:+.4f} to {high:+.4f})")
print(f"{shown}, n = {len(true)} in {test['group'].nunique()} groups")

# %%
both = {"as trained": test, f"at T = {T:.2f}": after}
diagrams = {name: calibrate.reliability(each, positive, bins=5) for name, each in both.items()}
plots.reliability(diagrams, title=f"Reliability, {len(test)} test images", what=positive)

# %% [markdown]
# **Explain.** A difference below 0 means that the temperature helps; where the interval includes 0, these images cannot
# tell. See which intervals miss the diagonal before and after. (Where a network is rarely wrong, T depends on two or
# three validation images and may do harm: then this difference is above 0.)

# %% [markdown]
# ## Step 4 · Choosing a threshold, and freezing it
#
# A probability decides nothing. Somebody must choose the threshold from which a patient is called back. Taking the
# most probable class means a threshold of 0.5, and nobody has chosen it.
#
# A miss and a false alarm do not cost the same. So state what is needed, here: **find at least 90 % of the patients with
# COVID**. Take the highest threshold that does so *on validation*, freeze it, and measure on test.

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** The word to repeat is *freeze*. Predict an interval, not a number.
#
# *Asked:* "It has not reached 0.90 on test. What now?" Report it. Moving it would be choosing on the test.
#
# *Pause* before the cell: who chose 0.5? Nobody.
#
# *Break* before this step.

# %% tags=["nbval-check-output"]
for name, each in {"validation": validation, "test": test}.items():
    print(f"{name}: {(each['label'] == positive).sum()} of {len(each)} images are {positive}")

# %% [markdown]
# **Predict.** Which sensitivity will the threshold reach on test? This time give an interval that you are 80 % sure of.

# %% tags=["nbval-check-output"]
MY_SENSITIVITY = None  # your prediction: an interval, such as (0.2, 0.4)
kept = guess.interval(
    "11.test-sensitivity",
    MY_SENSITIVITY,
    what="test sensitivity, 0.90 asked",
    between=(0, 1),
    example=(0.89, 0.93),
)
kept

# %%
asked = 0.90
calm = calibrate.apply(validation, T)
chosen = evaluate.operating_point(calm, positive, sensitivity=asked)
points = {
    "at 0.5, test": evaluate.at_threshold(after, positive, 0.5),
    "chosen, validation": evaluate.at_threshold(calm, positive, chosen),
    "chosen, test": evaluate.at_threshold(after, positive, chosen),
}
two_rates = ["sensitivity", "specificity"]
for name, point in points.items():
    points[name] = point.set_index("metric").loc[two_rates]
print(f"chosen on validation: {chosen:.3f}")
pd.concat(points)[["threshold", "value", "low", "high", "n", "groups"]].round(3)

# %%
kept.meets(
    tuple(points["chosen, test"].loc["sensitivity", ["value", "low", "high"]]),
    beliefs=[
        (0.86, 1, "0.90 was kept where it was chosen. On test it may come out lower, or higher."),
        (0, 0.7, "So much is rarely lost between two parts of one set."),
    ],
)

# %% [markdown]
# **Explain.** The threshold 0.5 is a habit: its sensitivity is whatever it happens to be. "chosen, validation" is no
# result: 0.90 was asked for there. "chosen, test" is the measurement, and it may lie on either side of 0.90, because
# the threshold was chosen on a few dozen images with COVID. Report it as it is, with interval and n. Moving the
# threshold now to reach 0.90 on test would be choosing on test.
#
# This choice needed no calibration: the order of the images decides which are called positive. But a threshold belongs
# to the temperature at which it was chosen. Calibration is needed where the probability itself is used: shown to a
# doctor, weighed against a cost, or moved to another prevalence.

# %% [markdown]
# ## Step 5 · The same test where the disease is rare
#
# Of those called positive, how many have the disease? With prevalence π, by Bayes' rule,
#
#     PPV = sensitivity · π / (sensitivity · π + (1 - specificity) · (1 - π))
#
# **Predict.** A test has a sensitivity and a specificity of 0.95, far better than ours. One person in a hundred has the
# disease. What is the PPV?

# %% [markdown] tags=["instructor"]
# **8 minutes · do.** 1,000 people on the board with three prevalences. Even experienced readers say 0.95.
#
# *Asked:* "So is the test bad?" The test is the same. The people differ.
#
# *Pause* before the result, hands for above and below one half.

# %% tags=["nbval-check-output"]
MY_RARE = None  # your prediction: PPV at one in a hundred, from 0 to 1
rare_ppv = guess.number(
    "11.ppv-at-one-percent", MY_RARE, what="PPV at 1 %", between=(0, 1), near=0.03, example=0.95
)
rare_ppv


# %% tags=["nbval-check-output"]
def ppv(sensitivity, specificity, prevalence):
    """Positive predictive value, by Bayes' rule."""
    found = sensitivity * prevalence
    alarms = (1 - specificity) * (1 - prevalence)
    return found / (found + alarms)


for prevalence in (0.5, 0.1, 0.01):
    found, alarms = 0.95 * 1000 * prevalence, 0.05 * 1000 * (1 - prevalence)
    print(f"of 1,000 people {1000 * prevalence:.0f} have it; {found:.1f} are found", end=", ")
    print(f"{alarms:.1f} false alarms: PPV {ppv(0.95, 0.95, prevalence):.3f}")

# %% tags=["nbval-check-output"]
rare_ppv.meets(
    ppv(0.95, 0.95, 0.01),
    beliefs=[
        (0.9, 1, "That is the sensitivity: of those who have it. PPV: of those called."),
        (0.4, 0.89, "5 % of 990 people without it outnumber the 10 who have it."),
        (0, 0.05, "Rare, but the test is good: of 59 alarms more than nine are right."),
    ],
)

# %% [markdown]
# ![1,000 people and a test with sensitivity and specificity 0.95, at three prevalences. Where 500 have the disease,
# 475 are found with 25 false alarms: PPV 0.95. Where 100 have it: 95 and 45, PPV 0.68. Where 10 have it: 9.5 and
# 49.5, PPV 0.16.](../docs/diagrams/d11_thousand.png)

# %% [markdown]
# **Explain.** 0.95, 0.68, 0.16. At one in a hundred, five of six alarms are false, with an excellent test.
#
# Now take our network's measured sensitivity and specificity. The lower ends of both intervals together, and the upper
# ends together, show how uncertain the PPV is. (This range is wider than a 95 % interval: both would have to be low at
# once.)

# %%
home = points["chosen, test"]
rows = []
for prevalence in (true.mean(), 0.10, 0.01):
    row = {"prevalence": prevalence, "n": len(test)}
    for end in ("value", "low", "high"):
        row[f"PPV, {end}"] = ppv(*home.loc[two_rates, end], prevalence)
    rows.append(row)
pd.DataFrame(rows).set_index("prevalence").round(3)

# %% tags=["picture"]
plots.slide_prevalence(home.loc["sensitivity", "value"], home.loc["specificity", "value"])

# %% [markdown]
# **Explain.** The table's first line has the prevalence of our test images, which somebody chose when the set was made.
# The others have the same network and threshold, and a rarer disease. Even this is optimistic: the formula takes
# sensitivity and specificity to be the same everywhere, while patients found by screening may be *less* ill than those
# of a hospital.
#
# ### Checkpoint
#
# A study says: "PPV 0.92 on our balanced test set; so in the clinic, where one in fifty has it, 92 of 100 alarms will
# be right." What is the fault?
#
# 1. None: PPV is a property of the test.
# 2. A PPV belongs to the prevalence at which it was measured; at one in fifty it will be far lower.
# 3. The threshold should have been 0.5.
#
# <details><summary>Answer</summary>
# 2. With sensitivity and specificity both 0.92, a PPV of 0.92 at one in two becomes 0.19 at one in fifty.
# Answer 1 takes PPV for a sensitivity, whose formula does not contain the prevalence. Answer 3: no threshold is right
# by nature. </details>

# %% [markdown]
# ## Step 6 · The frozen threshold at a second site
#
# Now another hospital, site C. Its images are hazy and portable, its patients new; the disease and the shares of the
# classes are the same. We draw what differs: the equipment, the view (AP only), and more leads, lines and tubes. (This
# step uses phantoms whatever `DATASET` is; with another set, a network is first trained on phantoms.)

# %% [markdown] tags=["instructor"]
# **5 minutes · say.** Frozen at home, measured away; picked again is no validation. Read the three paragraphs of the
# Explain.
#
# *Asked:* "May a hospital never adapt it?" It may: on patients set apart for it, reported on others.

# %% tags=["nbval-check-output"]
design = phantom.design("second_site", n=180, seed=SEED)
folder = phantom.cached(design, datasets.work_dir(), "second_site", size=96, masks=False)
away = manifest.from_folder(folder, patient=r"(P\d+)_").table
away = two_classes(duplicates.add_groups(away))
print(f"{len(away)} images, {(away['label'] == 'covid').sum()} of them COVID")

# %%
carried, home_validation, home_test = network, validation, test
if DATASET != "phantom":  # home must be a phantom, too
    home_table, home_images = prepare("phantom")
    carried = learn(home_table, home_images)
    home_validation = train.predict(carried, home_table, home_images, split="val")
    home_test = train.predict(carried, home_table, home_images, split="test")

home_T = calibrate.temperature(home_validation)
calm = calibrate.apply(home_validation, home_T)
threshold = evaluate.operating_point(calm, "covid", sensitivity=asked)
away_images = preprocess.cache(away, size=images.shape[1])
sites = {"home": home_test, "away": train.predict(carried, away, away_images)}
for name, each in sites.items():
    sites[name] = calibrate.apply(each, home_T)
    print(f"{name}: AUC {evaluate.metric(sites[name], 'roc_auc', 'covid')}", end="; ")
    mean_p, share = sites[name]["p_covid"].mean(), (each["label"] == "covid").mean()
    print(f"mean p {mean_p:.2f}, share {share:.2f}")

# %% [markdown]
# Temperature and threshold are frozen: both come from the validation images at home, for a sensitivity of 0.90. For
# comparison, we make a mistake: we pick the threshold again *on the images of the new site*, so that it reaches 0.90
# there.
#
# **Predict.** Which sensitivity does the frozen threshold reach at the other hospital?

# %% tags=["nbval-check-output"]
MY_AWAY = None  # your prediction: sensitivity away with the frozen threshold, from 0 to 1
away_sensitivity = guess.number(
    "11.sensitivity-away", MY_AWAY, what="sensitivity away, frozen", between=(0, 1), example=0.9
)
away_sensitivity

# %%
repicked = evaluate.operating_point(sites["away"], "covid", sensitivity=asked)
ways = {
    "home, frozen": evaluate.at_threshold(sites["home"], "covid", threshold),
    "away, frozen": evaluate.at_threshold(sites["away"], "covid", threshold),
    "away, picked again": evaluate.at_threshold(sites["away"], "covid", repicked),
}
rows = []
for rate in two_rates:
    for name, each in ways.items():
        row = each.set_index("metric").loc[rate, ["value", "low", "high", "n"]]
        rows.append({"label": f"{rate}, {name}", **row})
rows = pd.DataFrame(rows)
plots.intervals(
    rows,
    baseline={"asked for": asked},
    title=f"Threshold {threshold:.2f} frozen, {repicked:.2f} picked again",
    xlabel="value and 95 % interval",
)

# %%
away_sensitivity.meets(
    tuple(rows.set_index("label").loc["sensitivity, away, frozen", ["value", "low", "high"]]),
    beliefs=[
        (0.88, 1, "0.90 was asked for at home. A threshold promises nothing elsewhere."),
        (0, 0.5, "Other equipment, but the disease looks the same: much of it travels."),
    ],
)

# %% [markdown]
# **Explain.** *Away, frozen.* This would happen if the other hospital used the network as it is. Compare with *home*:
# where the two intervals overlap widely, no fall has been shown. A mean p far from the share shows bad calibration; an
# equal one does not prove a good one.
#
# *Away, picked again.* Its sensitivity is 0.90 or just above by construction: we asked for it on these images. The
# price is a lower specificity. To report this as "external validation" is choosing on test.
#
# *The honest repair.* Set some of the new site's patients apart, choose temperature and threshold on them, report on
# the others, and say so.
#
# A threshold may shift in either direction: lesson 12 has an example of each (Steps 2 and 11). (This step does not show
# how far apart two real hospitals are: site C is as hazy as we made it.)

# %% [markdown]
# ## Step 7 · A calibration error, and what chance alone gives · deeper
#
# The **expected calibration error** (ECE) is the gap |said - came true|, averaged over the bins, each weighted by its
# number of images. Ten bins are usual.


# %%
def ece(p, true, bins=10):
    """Expected calibration error with bins of equal width."""
    number = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(number, weights=true - p)  # of each bin: gap times images
    return np.abs(gaps).sum() / len(p)


print(f"ECE {ece(p, true):.3f}, 10 bins, {len(p)} images")

# %% [markdown]
# Is this ECE large? We can make a perfect model to compare with: **keep the network's probabilities and draw new
# truths from them**, so that an image with p = 0.8 is COVID in 80 % of the draws. (Images of one group share one draw,
# as images of one patient share the disease.) Its true calibration error is exactly 0.
#
# **Predict.** Which ECE is measured for this perfect model, on average?

# %% tags=["nbval-check-output"]
MY_ECE = None  # your prediction: ECE measured, from 0 to 0.3
perfect_ece = guess.number(
    "11.ece-of-a-perfect-model", MY_ECE, what="ECE of a perfect model", between=(0, 0.3), example=0
)
perfect_ece

# %%
rng = np.random.default_rng(SEED)
group, names = pd.factorize(test["group"])
perfect = []
for _ in range(2000):
    drawn = rng.random(len(names))[group] < p
    perfect.append(ece(p, drawn))
above = np.sum(np.array(perfect) >= ece(p, true))
print(f"mean {np.mean(perfect):.3f}; as high as ours in {above} of {len(perfect)} draws")
plots.distribution(
    perfect,
    mark={"our network": ece(p, true)},
    title=f"ECE of a perfectly calibrated model, {len(test)} images",
    xlabel="ECE measured (10 bins); the truth is 0",
)

# %%
perfect_ece.meets(
    (np.mean(perfect), *np.quantile(perfect, [0.025, 0.975])),
    beliefs=[
        (0, 0.01, "True of endless images. Luck up and luck down both add to the error."),
        (0.1, 0.3, "That would be more than chance gives on this many images."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("11.chance-alone-gives-an-ece", np.mean(perfect) > 0.03)

# %% [markdown]
# **Explain.** A gap has no sign: a bin that is too high by luck and one that is too low by luck both add to the error.
# So chance alone gives an ECE well above 0, and an ECE means something only beside this histogram. If the mark lies to
# its right, the network is miscalibrated. If the mark lies in the middle of it, nothing has been shown.
#
# The next table gives the mean ECE of chance for other numbers of images (rows) and bins (columns), for probabilities
# spread evenly from 0 to 1:

# %% tags=["nbval-check-output"]
rows = {}
for n in (150, 1500, 15000):
    repeats = 200 if n < 10_000 else 20
    chance = {f"{bins} bins": [] for bins in (5, 10, 20)}
    for spread in rng.random((repeats, n)):
        for bins in (5, 10, 20):
            chance[f"{bins} bins"].append(ece(spread, rng.random(n) < spread, bins))
    rows[n] = pd.DataFrame(chance).mean()
by_size = pd.DataFrame(rows).T
by_size.round(4)

# %% [markdown]
# **Explain.** The ECE of chance shrinks as 1/√n (with ten times the images, to about a third), and grows with the
# number of bins. So quote an ECE with n *and* the number of bins, and compare two ECEs only on the same images with
# the same bins.
#
# We give the ECE no interval. For an interval, the images would be drawn anew, and each draw adds noise to each bin.
# This makes the gaps larger and hardly ever smaller, so the interval would lie too high. The helper therefore gives
# the band of chance beside the ECE, and intervals beside those figures that have honest ones:

# %%
fit = calibrate.scores(test, positive)
assert np.isclose(fit["value"][0], ece(p, true))
fit[["metric", "value", "low", "high", "chance_low", "chance_high", "n"]].round(3)

# %% tags=["nbval-check-output"]
print("with an interval:", *fit.loc[fit["low"].notna(), "metric"])

# %% [markdown]
# **Explain.** If the ECE lies above its band, the network is miscalibrated. `mean_calibration` is the share that came
# true minus the mean probability; it is 0 where the two agree. `slope` is 1 where the probabilities fit, and below 1
# where they are too far from 0.5, that is, too sure, as in the diagram of Step 2.

# %% tags=["author", "verdict"]
# ratios = by_size.iloc[:-1].to_numpy() / by_size.iloc[1:].to_numpy()
# verdict("11.ece-of-chance-shrinks-as-one-over-root-n", (abs(ratios / 10**0.5 - 1) < 0.25).all())
# verdict("11.ece-of-chance-grows-with-bins", (np.diff(by_size.to_numpy(), axis=1) > 0).all())

# %% [markdown]
# How exact is a fitted temperature? Let a model be too sure by a T of exactly 2, and fit T on 150 and on 1,500 images.

# %% tags=["nbval-check-output"]
for n in (150, 1500):
    fits = []
    for _ in range(200):
        honest = rng.random(n)
        drawn, too_sure = rng.random(n) < honest, heated(honest, 1 / 2)
        loss = [log_loss(heated(too_sure, t), drawn) for t in temperatures]
        fits.append(temperatures[np.argmin(loss)])
    low, high = np.quantile(fits, [0.025, 0.975])
    print(f"truth 2.00, {n} images: 95 % of the fits lie between {low:.2f} and {high:.2f}")

# %% [markdown]
# **Explain.** With one number to fit, one or two hundred validation images give the right direction and the rough
# size. A method with many parameters would fit the noise of so few images.

# %% tags=["author", "verdict"]
# verdict("11.more-images-fix-the-temperature-better", 1.5 < low and high < 2.7)

# %% [markdown]
# ### Checkpoint
#
# Two models are tested on the same 150 images, with 10 bins: A has an ECE of 0.04, B of 0.06. What follows?
#
# 1. A makes fewer mistakes.
# 2. Nothing yet: on 150 images chance alone gives an ECE of about this size, and ECE does not measure mistakes.
# 3. A's probabilities are off by 4 %, B's by 6 %.
#
# <details><summary>Answer</summary>
# 2. Answer 1 takes ECE for an accuracy. Answer 3 takes the figures as exact, but at this n they are mostly luck: the
# true errors may be equal, or zero. Simulate chance, and look at the paired difference of the Brier score. </details>

# %% [markdown]
# ## Step 8 · Scores that cannot be cheated · deeper
#
# Suppose that of all images that look alike, 70 % are COVID. Which probability should one give them to get the best
# score: 0.7, or a bold 1?

# %% tags=["nbval-check-output"]
truth = 0.7
for number in (0.5, 0.6, 0.7, 0.8, 0.9, 0.99):
    brier = truth * (1 - number) ** 2 + (1 - truth) * number**2
    loss = -truth * np.log(number) - (1 - truth) * np.log(1 - number)
    print(f"say {number:4}: expected Brier {brier:.3f}, log loss {loss:.3f}")

# %% [markdown]
# **Explain.** The best score goes to the true probability. Such scores are called *strictly proper*. Accuracy is not:
# it is the same whether 0.6 or 0.99 was said. The log loss has no upper limit, so it punishes false certainty more.
#
# The ECE is not proper either. Below, we compare the network with a rule that gives *every* image the same number: the
# share of COVID among the training images. Which has the smaller ECE, and which the smaller Brier score?

# %% tags=["nbval-check-output"]
share = (table.loc[table["split"] == "train", "label"] == positive).mean()
print(f"always says {share:.3f}")

# %%
rows = {}
for name, each in {"network": p, "always the share": np.full(len(p), share)}.items():
    rows[name] = {
        "ECE": ece(each, true),
        "Brier score": brier_score_loss(true, each),
        "log loss": log_loss(each, true),
        "AUC": roc_auc_score(true, each),
    }
side = pd.DataFrame(rows).T.assign(n=len(true))
side.round(3)

# %% [markdown]
# **Explain.** The rule that always says the share is calibrated almost perfectly, and knows nothing: its AUC is 0.5. A
# small ECE says that the probabilities can be believed, not that they tell patients apart. So report how well a model
# *ranks* (AUC), how far its numbers are *off* (reliability diagram, ECE beside chance), and a strictly proper score,
# which counts both.

# %% tags=["author", "verdict"]
# verdict(
#     "11.the-lazy-has-the-smaller-ece",
#     side.loc["always the share", "ECE"] < side.loc["network", "ECE"],
# )

# %% [markdown]
# ## Step 9 · Class weights move the probabilities · deeper
#
# A rare class is often given a larger *weight* in the loss, so that its few images count as much as the many others.
# `class_weight="balanced"` in scikit-learn does that. What does it do to the probabilities?
#
# We take all other images, and so many COVID images that they make up 10 %. The model is logistic regression on 32 ×
# 32 pixels, with a strong penalty, in five grouped folds: every image is scored by a model that never saw its group.

# %% tags=["nbval-check-output"]
has_it = np.flatnonzero(table["label"] == positive)
has_not = np.flatnonzero(table["label"] != positive)
few = rng.permutation(has_it)[: max(5, round(len(has_not) / 9))]
chosen_rows = np.sort(np.concatenate([has_not, few]))
rare = table.iloc[chosen_rows]
step = images.shape[1] // 32
pixels = images[chosen_rows][:, ::step, ::step].reshape(len(rare), -1) / 255
is_covid = (rare["label"] == positive).to_numpy()
groups = rare["group"].to_numpy()
print(f"{is_covid.sum()} of {len(rare)} images are {positive}: {is_covid.mean():.3f}")


# %%
def out_of_fold(weights, calibrated=False):
    """The probability of each image, by logistic regression that has not seen its group."""
    said = np.zeros(len(rare))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
    for fit, held in folds.split(pixels, is_covid, groups):
        linear = LogisticRegression(C=3e-4, class_weight=weights, max_iter=1000)
        model = make_pipeline(StandardScaler(), linear)
        if calibrated:
            inner = StratifiedGroupKFold(4).split(pixels[fit], is_covid[fit], groups[fit])
            model = CalibratedClassifierCV(model, method="sigmoid", cv=list(inner))
        model.fit(pixels[fit], is_covid[fit])
        said[held] = model.predict_proba(pixels[held])[:, 1]
    return said


answers = {"no weights": out_of_fold(None)}

# %% [markdown]
# **Predict.** The share of COVID is about 0.10, and without weights the mean of the predicted probabilities is close to
# it. What is the *mean* of the predicted probabilities with balanced weights?

# %% tags=["nbval-check-output"]
MY_MEAN = None  # your prediction: mean probability with balanced weights, from 0 to 1
weighted_mean = guess.number(
    "11.mean-with-weights", MY_MEAN, what="mean p with class weights", between=(0, 1), example=0.1
)
weighted_mean

# %%
answers["balanced"] = out_of_fold("balanced")
for name, each in answers.items():
    mean, low, high = mean_interval(each, groups)
    rows = rare[["image_id", "group", "label"]].assign(predicted="other", p_other=1 - each)
    auc = evaluate.metric(rows.assign(**{f"p_{positive}": each}), "roc_auc", positive)
    print(f"{name}: mean {mean:.3f} ({low:.2f}-{high:.2f})", end=", ")
    print(f"{(each >= 0.5).sum()} images at 0.5 or above, AUC {auc}")

# %%
weighted_mean.meets(
    mean_interval(answers["balanced"], groups),
    beliefs=[
        (0, 0.2, "The weights taught a world in which half of the images are COVID."),
        (0.6, 1, "Half is the share that the weights pretend, and no more."),
    ],
)

# %% tags=["author", "verdict"]
# weighted, unweighted = answers["balanced"], answers["no weights"]
# verdict("11.no-weights-mean-is-near-the-share", abs(unweighted.mean() - is_covid.mean()) < 0.03)
# verdict("11.weights-move-the-mean-several-times-up", weighted.mean() > 2.5 * is_covid.mean())
# verdict(
#     "11.weights-keep-the-order",
#     abs(roc_auc_score(is_covid, weighted) - roc_auc_score(is_covid, unweighted)) < 0.1,
# )

# %% [markdown]
# **Explain.** With balanced weights the model was trained as if half of the images were COVID, and its probabilities
# fit that share: here they are several times too high. The order of the images (AUC) is about the same. The weights
# did much the same as another threshold would, but the probabilities no longer mean what they say.
#
# This can be undone in two ways. Where both shares are known, multiply the predicted odds by the odds of the class
# here, divided by its odds in the (weighted) training (Bayes' rule; Saerens and colleagues 2002). Or calibrate on
# images with the *true* shares: `CalibratedClassifierCV` (above, with `calibrated=True`) fits a sigmoid to answers out
# of fold. We give it folds that keep groups whole.

# %%
factor = (is_covid.mean() / (1 - is_covid.mean())) / (0.5 / 0.5)
odds = answers["balanced"] / (1 - answers["balanced"]) * factor
answers["balanced, odds moved back"] = odds / (1 + odds)
answers["balanced, calibrated"] = out_of_fold("balanced", calibrated=True)

rows = []
for name, each in answers.items():
    value, low, high = mean_interval(each - is_covid, groups)
    rows.append({"label": name, "value": value, "low": low, "high": high, "n": len(rare)})
excess = pd.DataFrame(rows)
plots.intervals(
    excess,
    baseline={"truth": 0},
    title="Mean predicted probability less the share",
    xlabel=f"difference (the share is {is_covid.mean():.3f})",
)

# %% [markdown]
# **Explain.** Both repairs bring the mean near the truth. (Moving the odds is exact only if the weighted model was
# calibrated for the shares of its training. A model fitted to so few images of a class may be too sure: Step 3.)
# Weights, over- and undersampling all shift probabilities like this. Use them if training needs them; then correct the
# probabilities, or use the output as a score only.

# %% tags=["author", "verdict"]
# verdict("11.moved-back-is-near-the-truth", (abs(excess["value"][2:]) < 0.05).all())
# verdict("11.both-repairs-are-nearer", abs(excess["value"][2:]).max() < excess["value"][1] / 4)

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
# ## Step 10 · Is it worth it? The decision curve · deeper
#
# Of two networks with two thresholds, which does more good? Count a find (a patient found) as +1, and subtract a price
# for each false alarm. Vickers and Elkin (2006) derive this price from a question that a person can answer: *from
# which probability t on would you act?* Somebody who acts from t = 0.10 on accepts nine false alarms for one find; so
# a false alarm costs 1/9, in general t / (1 - t). The **net benefit** is
#
#     true positives / n  -  false alarms / n · t / (1 - t)
#
# The rule is to act on everyone whose p reaches t. The unit is finds per image, after subtracting the price of false
# alarms. Acting on nobody is worth 0. What is acting on everybody worth?

# %% tags=["nbval-check-output"]
for t in (0.02, 0.2, 0.5):
    price = t / (1 - t)
    everybody = true.mean() - (1 - true.mean()) * price
    print(f"t = {t}: a false alarm costs {price:.2f} finds; act on everybody {everybody:+.3f}")


# %%
def worth(p, t):
    """What acting on the images with p of at least t is worth: one number an image."""
    return np.where(p >= t, np.where(true, 1, -t / (1 - t)), 0)


thresholds = np.linspace(0.05, 0.6, 12)
gains, bands = {}, {}
for name, each in {"as trained": p, "with temperature": p_after}.items():
    rows = []
    for t in thresholds:
        everybody = worth(np.ones(len(p)), t)
        simple = everybody if everybody.mean() > 0 else np.zeros(len(p))
        rows.append(mean_interval(worth(each, t) - simple, test["group"]))
    gains[name], low, high = np.array(rows).T
    bands[name] = (low, high)
plots.line(
    thresholds,
    gains | {"better of everybody and nobody": np.zeros(len(thresholds))},
    bands={"with temperature": bands["with temperature"]},
    title=f"What the network adds to the simple rules, {len(test)} test images",
    xlabel="threshold t",
    ylabel="net benefit gained",
)

# %% [markdown]
# **Explain.** A network is of use at those t where its line, with its band, lies above 0. Left of the share of COVID the
# rule to beat is "everybody", right of it "nobody". Calibration counts here, because the curve compares p itself with
# t: a network that is too sure acts on the wrong images where t is small or large. And the curve belongs to the
# prevalence of these images, as a PPV does.

# %% [markdown]
# ## Key points
#
# - A score is a probability if it comes true as often as it says. Look at a reliability diagram, with n per bin and
#   intervals.
# - A temperature, fitted on validation, repairs over- or underconfidence and changes neither order nor accuracy.
# - 0.5 is no law. State the sensitivity that is needed, choose the threshold on validation, freeze it, measure on
#   test.
# - A PPV belongs to its prevalence.
# - At a second site test the frozen threshold first. Picking it again on the same images is choosing on test.
# - (deeper) An ECE is biased upwards on few images: compare it with that of a perfectly calibrated model.
# - (deeper) Class weights and resampling move probabilities to another prevalence. Move them back before using them.
#
# Your predictions in this lesson:

# %%
guess.summary("11")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 11](../exercises/11_calibration_exercise.ipynb), whose checks answer at once.
#
# The network answered every image of the second site, just as at home. Lesson 12 teaches it to say "I do not know".

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
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: make probabilities mean what they say; choose a threshold
