# %% [markdown]
# # 05 · A first network
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* This lesson builds the smallest network there is, a single neuron, first by hand and then in
# Keras, until both give the same numbers. After that no line of a larger network is magic.
#
# **You will be able to**
#
# - say what a weight, a loss, a gradient, a learning rate, a batch and an epoch are, and compute one step by hand;
# - check a gradient without knowing its formula;
# - tell a bad learning rate from bad data, and overfitting from both, by the shape of a loss curve;
# - say what validation images may decide, and what they must never do.
#
# **Time and hardware.** 75 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Lesson 03 (grey levels, scaling) and 04 (groups, the split as a column). Python and NumPy.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import cxr_helpers
import numpy as np
import pandas as pd
from cxr_helpers import baselines, datasets, duplicates, evaluate, plots, preprocess, split, train

with cxr_helpers.quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable of that name.
# Counts and splits are the same on every machine; what a network reaches differs a little from one to the next.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Two classes, very small images
#
# One neuron answers one question: yes or no. So we keep two classes of the table. The split is lesson 04's: first
# groups, then the column, so that no film stands on two sides.
#
# With nothing else set, the images are *phantoms*: radiographs that the course draws itself, so that the truth about
# each is known. A COVID phantom looks ill because we drew it so. What a network reaches on phantoms teaches the
# method; it is no evidence about patients.

# %%
table = datasets.load(DATASET, DATA_DIR)
negative, positive = table["label"].cat.categories[:2]
table = table[table["label"].isin([negative, positive])].reset_index(drop=True)
table["label"] = table["label"].cat.remove_unused_categories()
table = duplicates.add_groups(table)
table = split.holdout(table, test=0.2, val=0.2, seed=SEED)
split.assert_disjoint(table)

# %% [markdown]
# Three parts, three uses. On `train` the network learns. `val` (validation) helps us to *choose*: how long to train,
# how large a network. `test` gives one number at the very end.
#
# **Predict.** We shrink each radiograph to 32×32 pixels. Could you still tell the two classes apart?

# %%
SIDE = 32
images = preprocess.cache(table, size=SIDE)
rows = table.groupby("label", observed=True).head(6).sort_values("label").index
plots.montage(images[rows], table.loc[rows, "label"], title=f"{SIDE}×{SIDE} pixels")

# %% [markdown]
# **Explain.** Lungs, heart and the outline of the body survive; fine texture does not. What is left is coarse
# brightness, and the network has nothing else. It does not know which part of that has to do with disease.
#
# A neuron takes a list of numbers. So each image becomes one row of 1,024 numbers, divided by 255 **once** and
# shifted, so that black is -0.5 and white is 0.5. The label becomes 0 or 1.

# %% tags=["nbval-check-output"]
pixels = images.reshape(len(images), -1) / 255 - 0.5
target = (table["label"] == positive).to_numpy(float)
x, y = pixels[table["split"] == "train"], target[table["split"] == "train"]
x_val, y_val = pixels[table["split"] == "val"], target[table["split"] == "val"]
print(pd.crosstab(table["split"], table["label"]).to_string())
print(f"x {x.shape}, y {y.shape}, of which {y.sum():.0f} are 1 ({positive})")

# %% [markdown]
# ## Step 2 · One neuron
#
# A neuron has one **weight** for each pixel and one number more, the **bias**. It multiplies, adds up, and calls the
# sum a **score**. The **sigmoid** turns any score into a number between 0 and 1, which we read as the
# **probability** of class 1. In statistics this is called *logistic regression*.
#
# **Predict.** All weights and the bias are zero. What probability does the neuron give the first image? And the last?


# %% tags=["nbval-check-output"]
def sigmoid(score):
    """1 / (1 + exp(-score)), written so that large scores do not overflow."""
    return 0.5 * (1 + np.tanh(score / 2))


weights, bias = np.zeros(x.shape[1]), 0.0
probability = sigmoid(x @ weights + bias)
print(f"first image {probability[0]}, last image {probability[-1]}")
print(f"for scores of -4, -1, 1 and 4: {sigmoid(np.array([-4, -1, 1, 4])).round(2)}")

# %% [markdown]
# **Explain.** A score of zero is a probability of one half, for every image. `x @ weights` is 1,024 products and
# their sum, for all images at once. A score of 4 is nearly certain, one of -4 nearly certain of the opposite.
# Learning means: find weights with which these probabilities are good. *Good* needs a number.

# %% [markdown]
# ## Step 3 · The loss
#
# The **loss** says how bad an answer is. We use the negative logarithm of the probability given to the *true* class.
# It is called **cross-entropy**.
#
# **Predict.** The true class got probability 0.5: what is the loss? And if it got 0.99, or 0.01?

# %% tags=["nbval-check-output"]
for given in (0.99, 0.5, 0.01):
    print(f"probability {given:4.2f} for the true class: loss {-np.log(given):.3f}")


def loss(weights, bias, x, y):
    """Mean cross-entropy; probabilities are kept away from 0 and 1 as Keras does."""
    p = np.clip(sigmoid(x @ weights + bias), 1e-7, 1 - 1e-7)
    return np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))


print(f"mean over all images, of the neuron that knows nothing: {loss(weights, bias, x, y):.3f}")

# %% [markdown]
# **Explain.** Sure and right costs next to nothing. A half costs 0.693 (the logarithm of 2): remember this number, it
# is what a network pays that knows nothing. (Where one class is rarer, whoever knows only *how* rare pays less: Step 10
# computes it. There a loss below 0.693 is not yet learning.) Sure and wrong is expensive. The loss of a set is the mean
# over its images.

# %% [markdown]
# ## Step 4 · The gradient
#
# Think of 1,025 knobs, one for each weight and one for the bias. For each knob we ask: if I turn it up a *little*, by
# how much does the loss change? The list of the answers is the **gradient**. It can be found by simply trying:
# turn one knob, look, turn it back. This is the **finite difference**.

# %% tags=["nbval-check-output"]
middle = SIDE // 2 * SIDE + SIDE // 2  # the pixel in the middle of the image


def by_trying(k, size=1e-4):
    """The gradient of weight k by finite difference."""
    nudge = np.zeros(x.shape[1])
    nudge[k] = size
    return (loss(weights + nudge, bias, x, y) - loss(weights - nudge, bias, x, y)) / (2 * size)


print(f"the middle pixel's weight: {by_trying(middle):.6f}")

# %% [markdown]
# One number, two passes through all images. All 1,025 knobs would need 2,050 passes, for *one* step. Calculus gives
# all of them at once. For this loss and the sigmoid the result is short (the logarithm undoes the exponential):
#
# > error = probability − label; gradient = mean over the images of error × pixel.
#
# **Predict.** For how many of the 1,024 weights will trying and formula agree?

# %% tags=["nbval-check-output"]
error = sigmoid(x @ weights + bias) - y
by_formula = x.T @ error / len(y)
difference = np.abs([by_trying(k) for k in range(x.shape[1])] - by_formula)
print(f"trying and formula agree for {np.sum(difference < 1e-6)} of {len(difference)} weights")

# %% [markdown]
# **Explain.** They agree for all. This **gradient check** works for any loss and any network: it found errors in many
# a hand-written formula. It is too slow to train with, and that is why the formula is worth its trouble.
#
# The gradient has one number per pixel, so it is a picture.

# %%
plots.weights(
    -by_formula.reshape(SIDE, SIDE), title="Where the first step goes", label="minus gradient"
)

# %% [markdown]
# **Explain.** Shown is *minus* the gradient: the direction in which the loss falls. Red: more weight here, blue:
# less. As every probability is still 0.5, this is nothing but the class-1 images added up minus the class-0 images,
# halved and divided by n: a difference of sums, before anything was learnt. On the phantoms the darkest red lies over
# both lungs already; fainter red and blue stand elsewhere, up to the edge.

# %% [markdown]
# ## Step 5 · Steps down the hill
#
# One step: go a little way against the gradient. How far is set by the **learning rate**. Then compute the
# gradient anew, and again. That is **gradient descent**, and this loop is all of it.
#
# A first attempt. A small, careful learning rate cannot be wrong, can it?


# %% tags=["nbval-check-output"]
def gradient(weights, bias, x, y):
    """Gradient of the loss by the weights, and by the bias (whose input is always 1)."""
    error = sigmoid(x @ weights + bias) - y
    return x.T @ error / len(y), error.mean()


def descend(rate, steps=100):
    """Loss on train and on validation before the first step and after each of them."""
    weights, bias, seen = np.zeros(x.shape[1]), 0.0, []
    for _ in range(steps + 1):
        both = loss(weights, bias, x, y), loss(weights, bias, x_val, y_val)
        seen.append(dict(zip(("loss", "val_loss"), both)))
        by_weights, by_bias = gradient(weights, bias, x, y)
        weights, bias = weights - rate * by_weights, bias - rate * by_bias
    return pd.DataFrame(seen)


too_small = descend(rate=0.0001)
print(f"loss {too_small['loss'].iloc[0]:.3f} -> {too_small['loss'].iloc[-1]:.3f} after 100 steps")

# %% [markdown]
# Still about 0.69, the price of knowing nothing. Many a project has stopped here: *the images are too small, the
# classes too alike, we need more data*. Before you blame the data, change one number.
#
# **Predict.** Which curve will a rate a thousand times as large give? And one a hundred thousand times as large?

# %%
right, too_large = descend(rate=0.1), descend(rate=10)
runs = {"rate 0.0001": too_small, "rate 0.1": right, "rate 10": too_large}
plots.line(
    np.arange(101),
    {name: np.minimum(run["loss"], 2) for name, run in runs.items()},
    title="The same images, three learning rates",
    xlabel="step",
    ylabel="training loss (cut at 2)",
    points=False,
)

# %% [markdown]
# **Explain.** Nothing changed but the rate. Too small: a flat line. Right: a fall, steep at first, slower later. Too
# large: each step jumps across the valley, the loss leaps far above 0.69, where knowing nothing would be better, and
# leaves the picture. (A single neuron may find back, and where the classes are easy to separate even end lowest; a deep
# network often does not.) **Rule:** a flat or a leaping loss is a question to the learning rate first. Try factors of
# ten, not of two.
#
# ### Checkpoint
#
# The loss goes from 0.693 to 0.692 in 100 steps. What do you do first?
#
# 1. Collect more images.
# 2. Multiply the learning rate by ten, and look again.
# 3. Train for 1,000 steps, since the loss does fall by a hair.
#
# <details><summary>Answer</summary>
# 2. It costs seconds and one number. (1) blames the data before the network had a chance to see them. (3) does not get
# there: 1,000 steps at rate 0.0001 lead about as far as a single step at rate 0.1.
# </details>

# %% tags=["author", "verdict"]
# verdict(
#     "05.too-small-a-rate-is-flat", too_small["loss"].iloc[-1] > 0.95 * too_small["loss"].iloc[0]
# )
# verdict("05.the-right-rate-falls", right["loss"].iloc[-1] < 0.8 * right["loss"].iloc[0])
# verdict("05.too-large-a-rate-leaps", too_large["loss"].max() > 2)

# %% [markdown]
# ## Step 6 · Why not descend on the accuracy?
#
# In the end we report **accuracy**: the share of images whose probability lies on the right side of 0.5. So why
# not improve it directly? Let us ask the knobs, of a neuron that is half trained.
#
# **Predict.** We turn each of the 1,024 weights up by 0.0001, one at a time. For how many will the *accuracy* change?
# For how many the loss?

# %% tags=["nbval-check-output"]
weights, bias = np.zeros(x.shape[1]), 0.0
for _ in range(10):
    by_weights, by_bias = gradient(weights, bias, x, y)
    weights, bias = weights - 0.03 * by_weights, bias - 0.03 * by_bias
accuracy = np.mean((x @ weights + bias > 0) == y)
scores = (x @ weights + bias)[:, None] + 1e-4 * x  # column k: weight k turned up by 0.0001
changed = ((scores > 0) == y[:, None]).mean(axis=0) != accuracy
slope = gradient(weights, bias, x, y)[0]
print(f"the accuracy changes for {changed.sum()} weights of {len(changed)}")
print(f"the loss changes for {np.sum(slope != 0)}")

turned = np.linspace(-0.1, 0.1, 401)
moves = weights + turned[:, None] * (np.arange(x.shape[1]) == middle)
plots.line(
    turned,
    {
        "accuracy": [np.mean((x @ move + bias > 0) == y) for move in moves],
        "loss": [loss(move, bias, x, y) for move in moves],
    },
    title="One weight is turned, all others stay",
    xlabel="change of the middle pixel's weight",
    ylabel="accuracy, or loss",
    points=False,
)

# %% [markdown]
# **Explain.** The accuracy is a staircase, up here and down there. On a stair it is flat: its gradient is zero, and a
# step of *rate × 0* goes nowhere. It moves only when an image crosses 0.5, by a whole image at once. The loss looks
# flat beside it, since one weight changes it little; but it is a smooth slope, and tells every knob which way. (The
# two need not agree about one weight: an image that just crosses 0.5 counts fully in the accuracy, and hardly in the
# loss.) Therefore: *train on the loss, report the accuracy* (and, from lesson 07 on, better things than accuracy).

# %% tags=["author", "verdict"]
# verdict("05.accuracy-is-flat-for-most-weights", changed.sum() < 0.1 * len(changed))

# %% [markdown]
# ## Step 7 · Batches, epochs, and the order of the images
#
# So far each step looked at all images. With thousands of them that is slow. Instead we take a step after every few
# images, a **batch**; once through all of them is an **epoch**. The gradient of a batch is a rough estimate of
# the full one, cheap, and good enough.


# %%
def fit(x, y, orders, rate=0.1, batch_size=16):
    """One epoch per order of the rows: weights, bias, share called class 1 after each step."""
    weights, bias, share = np.zeros(x.shape[1]), 0.0, []
    for order in orders:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            by_weights, by_bias = gradient(weights, bias, x[batch], y[batch])
            weights, bias = weights - rate * by_weights, bias - rate * by_bias
            share.append(np.mean(x @ weights + bias > 0))
    return weights, bias, np.array(share)


# %% [markdown]
# The mistake first. Tables often come sorted: all of one class, then all of the other. We train four epochs in
# that order, and watch which share of the training images the neuron calls class 1. (The rate is small, 0.003, so that
# the share moves slowly enough to be watched.)
#
# **Predict.** What does this share do while class 0 passes, and what while class 1 does?

# %%
rng = np.random.default_rng(SEED)
epochs = 4
sorted_order = [np.argsort(y, kind="stable")] * epochs
shuffled = [rng.permutation(len(y)) for _ in range(epochs)]
shares = {
    "sorted": fit(x, y, sorted_order, rate=0.003)[2],
    "shuffled": fit(x, y, shuffled, rate=0.003)[2],
}
plots.line(
    np.arange(1, len(shares["sorted"]) + 1),
    shares,
    title=f"Share of training images called class 1 (truth: {y.mean():.2f})",
    xlabel="step (batch of 16)",
    ylabel="share",
    points=False,
)

# %% [markdown]
# **Explain.** Sorted batches hold one class only, and the quickest way to please such a batch is to say that class to
# *everything*. In each epoch (on the phantoms 15 steps) the share falls low, then climbs high, and the result depends
# on where you stop.
# Shuffled batches show both classes: the share still sways, for sixteen images are few, but it finds a middle. (On a
# very small set, with three or four steps to an epoch, both swing at first.) Shuffle the *training* images, anew in
# each epoch: `pipeline.batches` does that for `train` and for no other part.

# %% tags=["author", "verdict"]
# verdict(
#     "05.sorted-batches-swing",
#     shares["sorted"][-len(shares["sorted"]) // 2 :].min() < 0.2
#     and shares["sorted"][-len(shares["sorted"]) // 2 :].max() > 0.8,
# )
# verdict(
#     "05.shuffled-batches-swing-less",
#     np.ptp(shares["shuffled"][len(shares["shuffled"]) // 2 :])
#     < np.ptp(shares["sorted"][len(shares["sorted"]) // 2 :]),
# )

# %% [markdown]
# ## Step 8 · What did it learn? Look at the weights
#
# Now train properly, and draw the weights as an image. Beside them, where there is such a thing, the truth: for a
# phantom we know in which pixels the disease was drawn. The mean of these masks over the ill training images says how
# often each pixel was ill. The neuron never saw a mask.
#
# **Predict.** Where will the large weights lie: where the disease was drawn, at the heart, at the border?

# %%
epochs = 10 if MODE == "class" else 50
orders = [rng.permutation(len(y)) for _ in range(epochs)]
weights, bias, _ = fit(x, y, orders)
pictures = {"weights (largest = 1)": weights.reshape(SIDE, SIDE) / np.abs(weights).max()}
if DATASET == "phantom":
    from cxr_helpers import phantom

    ill = table[(table["split"] == "train") & (table["label"] == positive)]
    root = ill["path"].iloc[0].removesuffix(ill["image_id"].iloc[0])
    masks = [phantom.read_masks(phantom.mask_file(path, root)) for path in ill["path"]]
    lesion, lung = (
        np.mean([preprocess.resize(mask[name].astype("float32"), SIDE) for mask in masks], axis=0)
        for name in ("lesion", "lung")
    )
    pictures["share of images ill here"] = lesion
plots.filters(
    pictures.values(), pictures, title=f"What speaks for {positive}, and where it is", values=False
)

# %% [markdown]
# **Explain.** On the left, red: a bright pixel here speaks for the positive class; blue: against it. On the phantoms
# the largest red patches lie over the outer parts of both lungs, where COVID phantoms are ill: a neuron that was given
# nothing but labels has found the place. But look at all of the picture. Smaller patches, with `SEED = 0` one in the
# upper left corner, are as red, and no phantom is ill there. On a real set nobody can lay the truth beside it.
#
# **Predict.** The weights are not zero elsewhere, either. Train ten times as long: will they look more like the
# disease, or less?

# %%
longer = [rng.permutation(len(y)) for _ in range(10 * epochs)]
border = np.ones((SIDE, SIDE), bool)
border[4:-4, 4:-4] = False
for name, w in ((f"{epochs} epochs", weights), (f"{10 * epochs} epochs", fit(x, y, longer)[0])):
    part = np.abs(w)[border.ravel()].sum() / np.abs(w).sum()
    print(
        f"{name}: {part:.0%} of the weight on the outer 4 pixels ({border.mean():.0%} of the area)"
    )
    if DATASET == "phantom":
        alike = np.corrcoef(w.reshape(SIDE, SIDE)[lung > 0.5], lesion[lung > 0.5])[0, 1]
        print(f"    correlation of weights and disease within the lungs {alike:.2f}")

# %% [markdown]
# **Explain.** On the phantoms, less: see how the correlation falls. And though little of the disease lies on the outer
# 4 pixels, about a third of the weight stands there, still less than their share of the area, but not nothing: with a
# thousand weights and a few hundred images some pixel always differs between the classes by chance, and a neuron takes
# whatever differs; the longer it trains, the more of that. In real sets much differs that is not chance, and not
# disease. On the published set of case E a model that sees *only* the frame of the image separates COVID from the rest
# with an AUC of 0.98. Lesson 09 hunts such shortcuts. Good accuracy is no evidence that the disease was seen.

# %% [markdown]
# ## Step 9 · The same in Keras, with the same numbers
#
# Keras is a library in which networks are stacked from layers. Our neuron is a `Dense` layer with one unit. SGD is
# *stochastic gradient descent*: descent with batches. We give it the same zeros, the same rate, the same batches.
#
# **Predict.** Will the weights agree exactly, to five digits, or only roughly?

# %%
neuron = keras.Sequential(
    [
        keras.Input((x.shape[1],)),
        keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
    ]
)
neuron.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy")
for order in orders:
    neuron.fit(x[order], y[order], batch_size=16, shuffle=False, verbose=0)

keras_weights, keras_bias = neuron.get_weights()
difference = np.abs(keras_weights[:, 0] - weights).max()
assert difference < 1e-3 * np.abs(weights).max()
print(f"largest weight {np.abs(weights).max():.4f}, largest difference {difference:.1e}")
print(f"bias by hand {bias:.6f}, Keras {keras_bias[0]:.6f}")

# %% [markdown]
# **Explain.** They agree to five digits and more, not exactly: Keras counts in 32 bits, NumPy in 64. You have written
# what `fit` does. The rest of the course uses Keras, because it finds the gradient of *any* stack of layers without a
# formula of ours.

# %% tags=["author", "verdict"]
# verdict("05.keras-agrees-with-numpy", difference < 1e-5 * np.abs(weights).max())

# %% [markdown]
# ## Step 10 · What one neuron cannot do, and a hidden layer can
#
# Lesson 03 met negatives: radiographs stored with black and white swapped. Suppose a set in which every image comes
# both ways. With our scaling the negative of `x` is `-x`.
#
# **Predict.** The class is as visible as before. What loss will one neuron reach?


# %%
def both_ways(x, y):
    return np.concatenate([x, -x]), np.concatenate([y, y])


x_two, y_two = both_ways(x, y)
weights_two, bias_two = np.zeros(x.shape[1]), 0.0
for _ in range(400):
    by_weights, by_bias = gradient(weights_two, bias_two, x_two, y_two)
    weights_two, bias_two = weights_two - 0.1 * by_weights, bias_two - 0.1 * by_bias
share = y.mean()
print(f"loss after 400 steps: {loss(weights_two, bias_two, x_two, y_two):.3f}")
print(f"without any image: {-share * np.log(share) - (1 - share) * np.log(1 - share):.3f}")
print(f"largest weight: {np.abs(weights_two).max():.1e}")

# %% [markdown]
# **Explain.** It ends where a model ends that never looks at an image and only knows how frequent the class is. Look at
# the largest weight: rounding aside, not one has moved. What an image pulls up, its negative pulls down by as
# much. More data, more epochs, a better rate: nothing would help. The *model* is too simple for the task. That
# is **underfitting**.
#
# The repair: some neurons side by side look at the image, and a last neuron looks at *them*. In between stands a
# **ReLU**, max(0, score), so that one hidden neuron may answer to the image and another to its negative. Without
# it, sums of sums would be one neuron again.

# %% tags=["author", "verdict"]
# verdict(
#     "05.one-neuron-cannot-serve-both-polarities",
#     loss(weights_two, bias_two, x_two, y_two)
#     > 0.99 * (-share * np.log(share) - (1 - share) * np.log(1 - share)),
# )


# %%
def network(hidden, rate=0.003):
    """Some hidden neurons with ReLU, then one sigmoid neuron. Adam: SGD that adapts its steps."""
    keras.utils.set_random_seed(SEED)
    layers = [
        keras.Input((SIDE * SIDE,)),
        keras.layers.Dense(hidden, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


both_val = both_ways(x_val, y_val)
model = network(hidden=16)
history = model.fit(x_two, y_two, validation_data=both_val, epochs=12, batch_size=32, verbose=0)
print(f"{model.count_params():,} numbers to learn, from {len(x)} images and their negatives")
plots.curves(history.history, title="16 hidden neurons, images and negatives")

# %% [markdown]
# **Explain.** The training loss falls well below the single neuron's, and the accuracy rises with it: the hidden layer
# can do what one neuron cannot. On images that it has not seen (dashed) far less is gained: that loss has its lowest
# point (dotted line) and may rise again; compare its end with 0.693. Step 11 says why. Weights of hidden neurons cannot
# start at zero: equal neurons would get equal gradients and stay equal; Keras draws them at random, hence the seed.

# %% tags=["author", "verdict"]
# verdict(
#     "05.hidden-layer-falls-well-below-one-neuron",
#     history.history["loss"][-1] < 0.8 * loss(weights_two, bias_two, x_two, y_two),
# )
# verdict(
#     "05.unseen-images-gain-far-less",
#     min(history.history["val_loss"]) > history.history["loss"][-1] + 0.05,
# )

# %% [markdown]
# ## Step 11 · Overfitting
#
# Look at the printed line: more numbers to learn than images to learn from, many times over. Such a network can
# simply remember. To see what that means we give it little: 80 training images, and every fifth label wrong, as if a
# hurried reader had written them.
#
# **Predict.** Two curves over the epochs: the loss on these 80 images, and on the validation images with good labels.
# Which way does each go?

# %%
few = np.random.default_rng(SEED).permutation(len(y))[:80]
x_few, y_few = x[few].astype("float32"), y[few].copy()
y_few[::5] = 1 - y_few[::5]
model = network(hidden=32, rate=0.001)
validation = (x_val.astype("float32"), y_val)
settings = {"validation_data": validation, "epochs": 40, "batch_size": 16, "verbose": 0}
settings["validation_batch_size"] = len(x_val)  # all at once: quicker, same loss
overfitted = pd.DataFrame(model.fit(x_few, y_few, **settings).history)
plots.curves(overfitted, title="80 images, every fifth label wrong")

# %% [markdown]
# **Explain.** The training loss goes on towards zero: in the end the network gets nearly all of its labels "right",
# *the wrong ones too*. It has learnt images by heart. The validation loss does not follow: it falls for some epochs,
# then turns and rises (the dotted line marks its lowest point). Look at the accuracy as well: where it hardly moves
# while the loss rises, the network does not make more mistakes, it becomes surer of them. Better on its 80 images, and
# by the loss worse on all others: **overfitting**. The training loss alone would never tell you. (80 images are a
# matter of luck: another `SEED` turns earlier or later.)
#
# The turn is where to stop. **Early stopping** watches the validation loss, waits a while (*patience*), and returns
# to the best weights.
#
# **Predict.** It may run for 40 epochs. About when will it stop?

# %% tags=["author", "verdict"]
# verdict("05.wrong-labels-are-memorised", overfitted["accuracy"].iloc[-1] > 0.95)
# verdict(
#     "05.validation-loss-turns-and-rises",
#     overfitted["val_loss"].iloc[-1] > overfitted["val_loss"].min() + 0.1,
# )

# %%
stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
stopped = network(hidden=32, rate=0.001)
history = stopped.fit(x_few, y_few, callbacks=[stop], **settings)
loss_full = overfitted["val_loss"].iloc[-1]
loss_stopped = stopped.evaluate(*validation, verbose=0)[0]
print(f"stopped after {len(history.epoch)} epochs, weights of epoch {stop.best_epoch + 1}")
print(f"validation loss {loss_stopped:.3f}; without stopping {loss_full:.3f}")

# %% [markdown]
# **Explain.** Five epochs after the best one it gave up and went back. Compare the loss that it kept with 0.693: where
# it is hardly lower, little was learnt that holds for others. Early stopping limits the damage; it does
# not make a good network out of 80 images with wrong labels. The validation images have taken a decision: *when to
# stop*. They may take others: the learning rate, the number of hidden neurons. Each such choice makes the validation
# loss a little too friendly, since we picked what happened to suit these images. That is why the number we report comes
# from `test`, which chose nothing.

# %% tags=["author", "verdict"]
# verdict("05.early-stopping-keeps-a-lower-loss", loss_stopped < loss_full - 0.05)

# %% [markdown]
# ## Step 12 · Validation must not be used to fit
#
# "We have so few images. Let us train on the validation images as well: the validation accuracy becomes excellent!"
# It does. To see what that is worth, we replace the labels of the validation images by **coins**.
#
# **Predict.** One neuron is trained on the validation images with coin labels. What is its accuracy on these? And
# on test images, with coins as well?

# %% tags=["nbval-check-output"]
x_test = pixels[table["split"] == "test"]
coins_val, coins_test = (rng.permutation(np.arange(len(part)) % 2) for part in (x_val, x_test))
orders_val = [rng.permutation(len(x_val)) for _ in range(400)]
fitted_weights, fitted_bias, _ = fit(x_val, coins_val, orders_val)
for name, part, coins in (("validation", x_val, coins_val), ("test", x_test, coins_test)):
    k = int(np.sum((part @ fitted_weights + fitted_bias > 0) == coins))
    low, high = evaluate.wilson(k, len(coins))
    print(f"{name}: {k} of {len(coins)} coins right, 95 % interval {low:.2f}-{high:.2f}")

# %% [markdown]
# **Explain.** On the images it was fitted to, it "predicts" coins with ease; on others it cannot. A number that
# comes out high for coins says nothing about radiographs. Its interval does not warn: it knows the luck of the draw,
# not that these images were fitted. Choosing with validation is fine, *fitting* on it is not: afterwards there is no
# validation any more.
#
# Now, once, the test images: the single neuron of step 9, its true labels, its honest interval. We compare it with the
# **majority** baseline, which always gives the more frequent class.

# %%
test = table[table["split"] == "test"]
p_positive = neuron.predict(x_test, verbose=0)[:, 0]
predictions = train.predictions_table(
    test, np.column_stack([1 - p_positive, p_positive]), model="one neuron"
)
print("one neuron:", evaluate.metric(predictions, "accuracy"))
print("majority:  ", evaluate.metric(baselines.majority(table), "accuracy"))
print("difference:", evaluate.compare(predictions, baselines.majority(table), "accuracy"))

# %% [markdown]
# **Explain.** Both answered the *same* images, so two intervals that overlap settle nothing (lesson 07 shows why). Read
# the third line, the difference on these images: where its interval lies above zero, a single neuron on 32×32 pixels
# has learnt something; where it includes zero, so few test images cannot tell. On case E's published set (three
# classes, 64×64 pixels) a linear model reaches 0.94 and the majority 0.43 (n = 317): a report of a deep network should
# show this number first. It says that piles of files are easy to tell apart; step 8 showed that it need not be the
# disease. And where patients are unknown, some may be on both sides.
#
# ### Checkpoint: read four loss curves
#
# Four trainings from this lesson, without their names. Blue is training, dashed orange validation (cut at 2).
# Which is which: *learning rate too small* · *learning rate too large* · *overfitting* · *going well*?

# %%
from matplotlib import pyplot as plt

figure, panels = plt.subplots(1, 4, figsize=(9, 2.7), sharey=True, layout="constrained")
for axes, name, run in zip(panels, "ABCD", (too_large, overfitted, too_small, right), strict=True):
    axes.plot(run["loss"].clip(upper=2), color="#0072B2")
    axes.plot(run["val_loss"].clip(upper=2), "--", color="#D55E00")
    axes.set(title=name, xlabel="step or epoch", ylim=(0, 2.05))
panels[0].set_ylabel("loss (cut at 2)")
plots.show(
    figure,
    "Four pairs of loss curves. A: both leap above 0.69 to the cut. B: training falls, validation "
    "rises. C: both lie flat near 0.69. D: both fall smoothly, training further.",
)

# %% [markdown]
# <details><summary>Answer</summary>
# A: rate too large, the loss leaps up. B: overfitting; the curves part, and validation rises. C: rate too small: flat
# at 0.693, the price of knowing nothing. D: going well: both fall. A gap opens, for the network knows the training
# images; as long as validation does not rise, a gap alone is not overfitting.
#
# If you took C for "bad data": D has the same data. If you took A for overfitting: there the <em>training</em> loss
# falls smoothly, here it leaps as well. If you took B for "going well": you looked at the training curve only.
# </details>
#
# ### Checkpoint: what may validation do?
#
# Which of these may the validation images do?
#
# 1. Decide at which epoch to stop.
# 2. Join the training images for the last epochs, and still give the number to report.
# 3. Give the number to report after choosing the best of fifty settings on them.
#
# <details><summary>Answer</summary>
# 1 only. (2) fits on them: recall the coins. (3) lets them choose, which is allowed, and then report, which is not: the
# best of fifty is partly luck. The number to report comes from the test images, used once.
# </details>

# %% [markdown]
# ## Key points
#
# - A neuron: weights times pixels, plus bias, through a sigmoid. That is logistic regression.
# - The loss is smooth and can be descended; accuracy is a staircase and cannot.
# - The gradient is one number per weight. A finite difference checks it, whatever the formula.
# - Learning rate first: flat at 0.693 or leaping is rarely the data's fault.
# - Shuffle training images; a batch of one class teaches to say that class.
# - A hidden layer with ReLU can do what no single neuron can; it can also learn wrong labels by heart.
# - Validation chooses (epoch, rate, size). It never fits, and it is not the number to report.
# - Weights show what the neuron uses, not that it is the disease.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 05](../exercises/05_first_network_exercise.ipynb), whose checks answer at once.
#
# A `Dense` layer has one weight for every pixel: move the chest by three pixels and all of them are wrong. Lesson 06
# builds layers that look for the same small pattern everywhere: convolutions.

# %% [markdown]
# ## Sources and licence
#
# - Rumelhart, Hinton, Williams (1986), *Learning representations by back-propagating errors*, Nature 323,
#   doi 10.1038/323533a0.
# - Prechelt (1998), *Early stopping - but when?*, in Neural Networks: Tricks of the Trade, doi 10.1007/3-540-49430-8_3.
# - Kingma, Ba (2015), *Adam: a method for stochastic optimization*, arXiv 1412.6980.
#
# Text: CC BY 4.0. Code: MIT. The images' licence is in `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: build one neuron by hand and read what it learnt as a picture
