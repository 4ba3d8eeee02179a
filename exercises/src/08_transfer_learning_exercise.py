# %% [markdown]
# # 08 · Transfer learning: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 08.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other names each time, and reports what it found. Each call of `q1.hint()` gives the
# next hint. You may check as often as you like.
#
# **Time.** 45 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np

from cxr_helpers import quiet, transfer
from cxr_helpers.checks.lesson08 import q1, q2, q3, q4

with quiet():
    import keras

# %% [markdown]
# ## Question 1 · Choose the cut
#
# A backbone was applied to some images and cut at four stages; `features` holds the features of each stage, with one
# row for each row of the table. (They are invented, and differ more than real ones.) The table has the column `split`:
# `train`, `val`, `test`.

# %%
table, features = q1.sample()
print(table["split"].value_counts().to_dict(), {name: x.shape for name, x in features.items()})

# %% [markdown]
# Write `choose_cut`. It returns the name of the stage at which you would cut the network. `transfer.logistic(table,
# values, score=..., c=0.01)` fits a logistic regression on the rows `train`, and returns the table of predictions for
# the part that you name: its columns `predicted` and `label` give the accuracy.


# %% tags=["answer"]
def choose_cut(table, features):
    """Name of the stage at which to cut."""
    answer = None
    ### BEGIN SOLUTION
    accuracy = {}
    for stage, values in features.items():
        found = transfer.logistic(table, values, score="val", c=0.01)
        accuracy[stage] = (found["predicted"] == found["label"]).mean()
    answer = max(accuracy, key=accuracy.get)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(choose_cut)

# %% [markdown]
# ## Question 2 · What goes in?
#
# You download backbones, each with a card. `offset` and `scale` describe the input that the weights were trained on:
# `(grey - offset) / scale`, for grey levels from 0 to 255, in each of three equal channels. `scales_itself` says
# whether the network's first layer does this subtraction and division.

# %%
grey, card = q2.sample()
print(grey.dtype, grey.shape, card)

# %% [markdown]
# Write `backbone_input`. It gets `grey`, uint8 (n, side, side), and a card, and returns the array that you would pass
# to that network: (n, side, side, 3).


# %% tags=["answer"]
def backbone_input(grey, card):
    """The input for the network of the card."""
    answer = None
    ### BEGIN SOLUTION
    values = grey.astype(float)
    if not card["scales_itself"]:
        values = (values - card["offset"]) / card["scale"]
    answer = np.repeat(values[..., np.newaxis], 3, axis=-1)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(backbone_input)

# %% [markdown]
# ## Question 3 · Ready for phase 2
#
# A small network after phase 1: everything except its last layer is frozen. Its stages are called `block1`, `block2`
# and so on.

# %%
network, first, rate = q3.sample()
print(f"to be unfrozen from {first} on; learning rate from scratch: {rate}")
for layer in network.layers:
    print(f"{layer.name:12s} {type(layer).__name__:24s} trainable={layer.trainable}")

# %% [markdown]
# Write `phase_2`. It sets `layer.trainable` for phase 2 as in lesson 08, so that the stages from `first` on are trained
# as well. It returns two things: the network, and a learning rate for this phase; `rate` is the learning rate for
# training from scratch. (You need not compile or train.)


# %% tags=["answer"]
def phase_2(network, first, rate):
    """The network with the right layers unfrozen, and the learning rate of phase 2."""
    answer = None
    ### BEGIN SOLUTION
    free = False
    for layer in network.layers:
        free = free or layer.name.startswith(first)
        layer.trainable = free and not isinstance(layer, keras.layers.BatchNormalization)
    answer = network, rate / 10
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(phase_2)

# %% [markdown]
# ## Question 4 · Nothing from the test
#
# You get features from a frozen backbone, `values` (n, 300), `label` (n,), 0 or 1, and `is_train` (n,), True for the
# training rows.

# %%
values, label, is_train = q4.sample()
print(values.shape, label[:10], f"{is_train.sum()} rows to train on")

# %% [markdown]
# Write `test_scores`. It returns one number for each test row (in their order), larger for label 1. Three steps:
# standardise; reduce the 300 numbers to 20, either by selection (`SelectKBest(f_classif, k=20)`) or by PCA (`PCA(20,
# random_state=0)`); logistic regression. Which rows may each step use?

# %% tags=["answer"]
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def test_scores(values, label, is_train):
    """One number per test row: larger where label 1 is more likely."""
    answer = None
    ### BEGIN SOLUTION
    reduction = SelectKBest(f_classif, k=20)
    model = make_pipeline(StandardScaler(), reduction, LogisticRegression(max_iter=1000))
    model.fit(values[is_train], label[is_train])
    answer = model.predict_proba(values[~is_train])[:, 1]
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(test_scores)

# %% [markdown]
# ## Question 5 · In your own words
#
# A study of 400 radiographs of 310 patients, split by patient. On validation (100 images) nine cuts of one backbone were
# tried; the best had an accuracy of 0.86. On test (100 images) the same cut has 0.81 (0.72-0.88), fine-tuning 0.83
# (0.74-0.89), a network from scratch 0.78 (0.69-0.85); fine-tuning minus frozen is +0.02 (-0.04 to +0.08).
#
# The draft says: "Our transfer-learning model reaches 86 %. Fine-tuning improves it further; transfer learning is superior
# to training from scratch." Rewrite it in three or four sentences.
#
# *Rubric, 3 points, marked by hand: one for reporting the test figure with interval and n, and why 0.86 is not it; one
# for "cannot be told apart" where the intervals say so, which means neither "equal" nor "better", and for asking for
# the missing paired difference (frozen against scratch); one for what was chosen where, and for what the study does not
# show.*

# %% [markdown] tags=["written"] name="report" points=3
# ### BEGIN SOLUTION
# We chose among nine cuts of a frozen backbone on 100 validation images; the chosen cut then had an accuracy of 0.81
# (0.72-0.88) on 100 test images of other patients (its 0.86 on validation is optimistic, because the cut was chosen
# there). Fine-tuning reached 0.83; the paired difference, +0.02 (-0.04 to +0.08), does not tell the two apart. A
# network trained from scratch reached 0.78 (0.69-0.85); these figures do not show whether the frozen features are
# better, because the paired difference was not computed. One split, one seed and one hospital were used: so these
# results do not say how the models perform elsewhere.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
