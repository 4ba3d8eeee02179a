# %% [markdown]
# # 05 · A first network
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# *Can we build it?* This lesson builds the smallest network there is, a single neuron, first by hand and then in Keras,
# until both agree.
#
# **You will be able to**
#
# - say what a weight, a loss, a gradient, a learning rate, a batch and an epoch are, and compute one step by hand;
# - tell a bad learning rate from bad data, and overfitting from both, by the shape of a loss curve;
# - say what a hidden layer can do that one neuron cannot;
# - say what validation images may decide, and what they must never do;
# - (deeper) check a gradient without its formula, shuffle for a reason, and read weights as a picture.
#
# **Time and hardware.** 45 minutes for the core, 30 more for the steps marked *deeper*, which you can skip. The
# computer needs less than one minute: two processor cores, no GPU.
#
# **Prerequisites.** Lesson 03 (grey levels, scaling) and 04 (groups, the split as a column). Python and NumPy.

# %% [markdown]
# ## Set-up
#
# The first cell checks for the course's package, the second imports what this notebook uses.

# %% tags=["imports"]
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from cxr_helpers import bar, baselines, datasets, duplicates, evaluate, guess, phantom
from cxr_helpers import plots, preprocess, quiet, split, train

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment variable that its line
# names. Counts and splits are the same on every machine; a network's scores differ a little, and more on a GPU.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Two classes, very small images
#
# One neuron answers one question: yes or no. So we keep two classes of the table. The split is lesson 04's. On `train` the
# network learns; `val` (**validation**) helps us to *choose*; `test` gives one number at the very end.
#
# By default the images are *phantoms*. A COVID phantom looks ill because we drew it so: a network's score teaches the
# method and is no evidence about patients.

# %% [markdown] tags=["instructor"]
# **3 minutes · say.** Three parts, and what each may do. Read the counts aloud; the rest is known from lesson 04.
#
# *Asked:* "Why so small?" 1,024 weights can be drawn as a picture, and trained by hand in seconds.

# %%
table = datasets.load(DATASET, DATA_DIR)
negative, positive = table["label"].cat.categories[:2]
table = table[table["label"].isin([negative, positive])].reset_index(drop=True)
table["label"] = table["label"].cat.remove_unused_categories()
table = duplicates.add_groups(table)
table = split.holdout(table, test=0.2, val=0.2, seed=SEED)

SIDE = 32
images = preprocess.cache(table, size=SIDE)
rows = table.groupby("label", observed=True).head(6).sort_values("label").index
plots.montage(images[rows], table.loc[rows, "label"], title=f"{SIDE}×{SIDE} pixels")

# %% [markdown]
# **Explain.** Lungs, heart and the outline of the body survive; fine texture does not. A neuron takes a list of numbers. So
# each image becomes one row of 1,024 numbers, divided by 255 **once** and shifted: black is -0.5, white 0.5. The label
# becomes 0 or 1.

# %% tags=["nbval-check-output"]
pixels = images.reshape(len(images), -1) / 255 - 0.5
target = (table["label"] == positive).to_numpy(float)
x, y = pixels[table["split"] == "train"], target[table["split"] == "train"]
x_val, y_val = pixels[table["split"] == "val"], target[table["split"] == "val"]
x_test = pixels[table["split"] == "test"]
print(pd.crosstab(table["split"], table["label"]).to_string())
print(f"x {x.shape}, y {y.shape}, of which {y.sum():.0f} are 1 ({positive})")

# %% [markdown]
# ## Step 2 · One neuron
#
# A neuron has one **weight** for each pixel and one more number, the **bias**. It multiplies, adds up, and calls the
# sum a **score**. The **sigmoid** turns any score into a number between 0 and 1, which we read as the **probability**
# of class 1. In statistics this is called *logistic regression*.

# %% [markdown] tags=["instructor"]
# **5 minutes · demonstrate.** Do the neuron of the diagram on the board: three products, a sum, the sigmoid.
#
# *Asked:* "Is that all?" Yes. A network is many of these, and the rest of the lesson is how to find the weights.

# %% [markdown]
# ![A neuron with three pixels, 0.2, 0.9 and 0.5: each is multiplied by its weight, -1, 2 and 0.4; the products and
# the bias -0.5 add up to a score of 1.30; the sigmoid makes it a probability of 0.79. Learned are the weights and the
# bias.](../docs/diagrams/d05_neuron.png)


# %% tags=["nbval-check-output"]
def sigmoid(score):
    """1 / (1 + exp(-score)), written so that large scores do not overflow."""
    return 0.5 * (1 + np.tanh(score / 2))


weights, bias = np.zeros(x.shape[1]), 0.0
probability = sigmoid(x @ weights + bias)
print(f"all weights zero: first image {probability[0]}, last image {probability[-1]}")
print(f"for scores of -4, -1, 1 and 4: {sigmoid(np.array([-4, -1, 1, 4])).round(2)}")

# %% [markdown]
# **Explain.** A score of zero means a probability of one half. `x @ weights` is 1,024 products and their sum, for all
# images at once. Learning means: find weights with which these probabilities are good. *Good* needs a number.

# %% [markdown]
# ## Step 3 · The loss
#
# The **loss** says how bad an answer is: minus the natural logarithm of the probability that was given to the *true*
# class. It is called **cross-entropy**. A sure and right answer (0.99) has the loss 0.01.
#
# **Predict.** The true class was given the probability 0.01: sure and wrong. What is the loss?

# %% [markdown] tags=["instructor"]
# **6 minutes · do.** Write 0.693 on the board and leave it there: it returns wherever two
# equal classes are trained.
#
# *Asked:* "Why a logarithm?" So that probabilities of independent images multiply and losses add up.
#
# *Pause* before the result: what should it cost to be sure and wrong?

# %% tags=["nbval-check-output"]
MY_LOSS = None  # your prediction: the loss for a probability of 0.01, from 0 to 10
wrong_and_sure = guess.number(
    "05.loss-sure-and-wrong",
    MY_LOSS,
    what="loss of an answer that is sure and wrong",
    between=(0, 10),
    example=0.99,
)
wrong_and_sure

# %% tags=["nbval-check-output"]
for given in (0.99, 0.5, 0.01):
    print(f"probability {given:4.2f} for the true class: loss {-np.log(given):.3f}")


def loss(weights, bias, x, y):
    """Mean cross-entropy; probabilities are kept away from 0 and 1 as Keras does."""
    p = np.clip(sigmoid(x @ weights + bias), 1e-7, 1 - 1e-7)
    return np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))


print(f"mean over all images, of the neuron that knows nothing: {loss(weights, bias, x, y):.3f}")

# %% tags=["nbval-check-output"]
wrong_and_sure.meets(
    -np.log(0.01),
    beliefs=[
        (0.9, 1, "That is the distance from 1. A logarithm grows without limit."),
        (1.1, 4, "More: each factor of ten in the probability adds 2.3."),
        (6, 10, "Not that much: each factor of ten in the probability adds 2.3."),
    ],
)

# %% [markdown]
# **Explain.** Being sure and wrong is expensive. A probability of one half costs 0.693, the logarithm of 2: remember
# this number. With two equal classes it is the loss of a network that knows nothing. The loss of a set is the mean over
# its images.

# %% [markdown]
# ## Step 4 · Steps down the hill
#
# For each of the 1,025 numbers (weights and bias) we ask: if it grows a *little*, how fast does the loss change with
# it? The list of the answers is the **gradient**. Calculus gives all of them at once, and for this loss the result is
# short:
#
# > error = probability − label; gradient = mean over the images of error × pixel.
#
# (Step 9 checks this.) One **step** goes a little way *against* the gradient. The **learning rate** says how far. Then
# compute the gradient again, and step again. That is **gradient descent**.


# %% [markdown] tags=["instructor"]
# **10 minutes · do.** The sketch is the prediction; insist on four numbers. If time is short, this step is worth more
# than Step 5.
#
# *Asked:* "How do I find the right rate?" By factors of ten, watching the first steps.
#
# *Pause* at the three curves, before the Explain: which one would you have blamed on the data?


# %%
def gradient(weights, bias, x, y):
    """Gradient of the loss by the weights, and by the bias (whose input is always 1)."""
    error = sigmoid(x @ weights + bias) - y
    return x.T @ error / len(y), error.mean()


def step(weights, bias, x, y, rate):
    """Weights and bias after one step against the gradient."""
    by_weights, by_bias = gradient(weights, bias, x, y)
    return weights - rate * by_weights, bias - rate * by_bias


def descend(rate, steps=100):
    """Loss on train and on validation before the first step and after each of them."""
    weights, bias, seen = np.zeros(x.shape[1]), 0.0, []
    for _ in range(steps + 1):
        losses = {"loss": loss(weights, bias, x, y), "val_loss": loss(weights, bias, x_val, y_val)}
        seen.append(losses)
        weights, bias = step(weights, bias, x, y, rate)
    return pd.DataFrame(seen)


# %% [markdown]
# We begin with a small learning rate.

# %% tags=["nbval-check-output"]
too_small = descend(rate=0.0001)
print(f"loss {too_small['loss'].iloc[0]:.3f} -> {too_small['loss'].iloc[-1]:.3f} after 100 steps")

# %% [markdown]
# The loss is still about 0.69: the neuron knows nothing. Many projects have stopped here: *we need more data*. Change
# one number first.
#
# **Predict.** We take 100 steps with a rate a thousand times as large, 0.1. Sketch the training loss after 0, 25, 50
# and 100 steps.

# %% tags=["nbval-check-output"]
MY_CURVE = None  # your prediction: four losses in a list, for 0, 25, 50 and 100 steps
curve = guess.sketch(
    "05.curve-at-larger-rate",
    MY_CURVE,
    what="training loss at rate 0.1",
    along="step",
    at=[0, 25, 50, 100],
    between=(0, 1),
    near=0.05,
    example=[0.69, 0.69, 0.69, 0.69],
)
curve

# %% tags=["nbval-check-output"]
right = descend(rate=0.1)
print(f"loss {right['loss'].iloc[0]:.3f} -> {right['loss'].iloc[-1]:.3f} after 100 steps")

# %%
curve.meets(
    (np.arange(101), right["loss"]),
    beliefs=[
        ([0.69, 0.69, 0.69, 0.69], "You blamed the data. Nothing changed but the learning rate."),
        ([0.69, 0.3, 0.1, 0.02], "It falls, but a single neuron on small images needs longer."),
        ([0.69, 0.8, 0.9, 1], "That is a rate which is too large, as in the next figure."),
    ],
)

# %% [markdown]
# And with a hundred times this rate? (In the slider a neuron gets two numbers: both image halves' means. Rings: equal
# losses.)

# %%
too_large = descend(rate=10)
runs = {"rate 0.0001": too_small, "rate 0.1": right, "rate 10": too_large}
figure, panels = plt.subplots(1, 3, figsize=(8, 2.6), layout="constrained")
for axes, (name, run) in zip(panels, runs.items()):
    axes.plot(run["loss"])
    axes.set(title=name, xlabel="step", ylim=(0, max(1, run["loss"].max() * 1.05)))
panels[0].set_ylabel("training loss")
said = "; ".join(
    f"{name} from {run['loss'].iloc[0]:.2f} to {run['loss'].iloc[-1]:.2f}, at most "
    f"{run['loss'].max():.2f}"
    for name, run in runs.items()
)
plots.show(figure, f"Training loss over 100 steps, three learning rates: {said}.")

# %% tags=["picture"]
plots.slide_rate(x, y)

# %% [markdown]
# **Explain.** Note the scales. With the small rate the loss is flat. With the right rate it falls, first steeply, then
# slowly. With the large rate it leaps far above 0.69, because a step goes past the valley and up the other side.
# **Rule:** where the loss is flat or leaps, change the learning rate first, by factors of ten.
#
# ### Checkpoint
#
# The loss goes from 0.693 to 0.692 in 100 steps. What do you do first?
#
# 1. Collect more images.
# 2. Multiply the learning rate by ten, and look again.
# 3. Train for 1,000 steps, since the loss does fall a little.
#
# <details><summary>Answer</summary>
# 2. It costs seconds and one number. (3) does not get there: 1,000 steps at rate 0.0001 lead about as far as a single step
# at rate 0.1.
# </details>

# %% tags=["author", "verdict"]
# verdict(
#     "05.too-small-a-rate-is-flat", too_small["loss"].iloc[-1] > 0.95 * too_small["loss"].iloc[0]
# )
# verdict("05.the-right-rate-falls", right["loss"].iloc[-1] < 0.8 * right["loss"].iloc[0])
# verdict("05.too-large-a-rate-leaps", too_large["loss"].max() > 2)

# %% [markdown]
# ## Step 5 · Batches, epochs, and the same in Keras
#
# So far each step looked at all images. With thousands of them that is slow. Instead we take a step after every few images,
# a **batch**; one pass through all images is an **epoch**. A batch's gradient is a rough estimate of the full one, and
# good enough. Before each epoch the images are shuffled (Step 11 shows why).


# %% [markdown] tags=["instructor"]
# **5 minutes · demonstrate.** Only the last two lines: by hand and Keras agree to five digits. They have written
# `fit`.
#
# *Asked:* "Why not exactly?" 32 bits against 64.


# %%
def fit(x, y, orders, rate=0.1, batch_size=16):
    """Weights and bias after one epoch for each order of the rows."""
    weights, bias = np.zeros(x.shape[1]), 0.0
    for order in orders:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            weights, bias = step(weights, bias, x[batch], y[batch], rate)
    return weights, bias


rng = np.random.default_rng(SEED)
epochs = 10 if MODE == "class" else 50
orders = [rng.permutation(len(y)) for _ in range(epochs)]
weights, bias = fit(x, y, orders)

# %% [markdown]
# In Keras, networks are stacked from layers. Our neuron is a `Dense` layer with one unit. `SGD` is *stochastic gradient
# descent*: descent with batches. The Keras neuron starts from the same zeros, with the same rate and batches. Will the
# weights agree exactly, to five digits, or only roughly?

# %%
neuron = keras.Sequential(
    [
        keras.Input((x.shape[1],)),
        keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
    ]
)
neuron.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy")
for order in bar(orders):
    neuron.fit(x[order], y[order], batch_size=16, shuffle=False, verbose=0)

keras_weights, keras_bias = neuron.get_weights()
difference = np.abs(keras_weights[:, 0] - weights).max()
assert difference < 1e-3 * np.abs(weights).max()
print(f"largest weight {np.abs(weights).max():.4f}, largest difference {difference:.1e}")
print(f"bias by hand {bias:.6f}, Keras {keras_bias[0]:.6f}")

# %% [markdown]
# **Explain.** They agree to five digits and more, not exactly: Keras computes in 32 bits, NumPy in 64. You have written
# what `fit` does. Keras finds the gradient of *any* stack of layers, from the last back to the first. This is
# **backpropagation**.
#
# scikit-learn has the same neuron. Its `fit` goes all the way to the lowest point of the loss plus a penalty on large
# weights (a smaller `C` means a stronger penalty). There our gradient and the penalty's add up to zero:

# %%
in_sklearn = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(x, y)
their_weights, their_bias = in_sklearn.coef_[0], in_sklearn.intercept_[0]
same = np.allclose(
    sigmoid(x_val @ their_weights + their_bias), in_sklearn.predict_proba(x_val)[:, 1]
)
by_weights, by_bias = gradient(their_weights, their_bias, x, y)
penalty = their_weights / (0.1 * len(y))  # the penalty's gradient
print("the same probabilities from the same weights:", same)
print(f"largest gradient at its weights: {np.abs(by_weights + penalty).max():.1e}")

# %% tags=["author", "verdict"]
# verdict("05.keras-agrees-with-numpy", difference < 1e-5 * np.abs(weights).max())
# verdict("05.sklearn-is-at-the-bottom", same and np.abs(by_weights + penalty).max() < 1e-4)

# %% [markdown]
# ## Step 6 · Images and their negatives, and a hidden layer
#
# Lesson 03 showed negatives: radiographs stored with black and white swapped. Suppose that a set holds every image both
# ways. With our scaling the negative of `x` is `-x`. The class is as visible as before.
#
# **Predict.** One neuron takes 400 steps on images and negatives. What training loss does it reach?

# %% [markdown] tags=["instructor"]
# **5 minutes · do.** An image and its negative cancel out: show it with two numbers on the board.
#
# *Asked:* "Would more images help?" No: the model cannot express it. That is underfitting.
#
# *Break* before this step.

# %% tags=["nbval-check-output"]
MY_BOTH = None  # your prediction: training loss after 400 steps, from 0 to 1
both_loss = guess.number(
    "05.one-neuron-both-polarities",
    MY_BOTH,
    what="loss on images and negatives",
    between=(0, 1),
    near=0.02,
    example=0.4,
)
both_loss


# %%
def both_ways(x, y):
    """Images and their negatives, with the same labels."""
    return np.concatenate([x, -x]), np.concatenate([y, y])


x_two, y_two = both_ways(x, y)
weights_two, bias_two = np.zeros(x.shape[1]), 0.0
for _ in range(400):
    weights_two, bias_two = step(weights_two, bias_two, x_two, y_two, rate=0.1)
reached = loss(weights_two, bias_two, x_two, y_two)
share = y.mean()
blind = -share * np.log(share) - (1 - share) * np.log(1 - share)
print(f"loss after 400 steps: {reached:.3f}")
print(f"of a model that knows only how frequent the class is: {blind:.3f}")
print(f"largest weight: {np.abs(weights_two).max():.1e}")

# %%
both_loss.meets(
    reached,
    beliefs=[
        (0, 0.6, "More steps do not help: each negative takes back what its image taught."),
        (0.75, 1, "It does not get worse than knowing nothing. It stays there."),
    ],
)

# %% [markdown]
# **Explain.** Rounding aside, not one weight has moved. What an image adds to a weight, its negative takes away. More
# data, more epochs or a better rate would not help. The *model* is too simple for the task. That is **underfitting**.
#
# The repair is a **hidden layer**: some neurons side by side look at the image, and a last neuron looks at *their*
# answers. In between stands a **ReLU**, max(0, score), so that one hidden neuron may respond to the image and another
# to its negative. Without ReLU, sums of sums would be one neuron again.

# %% tags=["author", "verdict"]
# verdict("05.one-neuron-cannot-serve-both-polarities", reached > 0.99 * blind)


# %%
def network(hidden, rate=0.003):
    """Some hidden neurons with ReLU, then one sigmoid neuron. Adam: SGD that adapts its steps."""
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential(
        [
            keras.Input((SIDE * SIDE,)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


model = network(hidden=16)
history = model.fit(
    x_two, y_two, validation_data=both_ways(x_val, y_val), epochs=12, batch_size=32, verbose=0
)
print(f"{model.count_params():,} numbers to learn, from {len(x)} images and their negatives")
plots.curves(history.history, title="16 hidden neurons, images and negatives")

# %% [markdown]
# **Explain.** The training loss falls well below the single neuron's. On images that it has not seen (dashed) it soon
# rises again (Step 7). Weights of hidden neurons cannot start at zero: equal neurons would get equal gradients and stay
# equal. Keras draws them at random, hence the seed.

# %% tags=["author", "verdict"]
# verdict("05.hidden-layer-falls-well-below-one-neuron", history.history["loss"][-1] < 0.8 * reached)
# verdict(
#     "05.unseen-images-gain-far-less",
#     min(history.history["val_loss"]) > history.history["loss"][-1] + 0.05,
# )

# %% [markdown]
# ## Step 7 · Overfitting
#
# A network with more numbers to learn than images can simply memorise them. We give it 80 training images with every
# fifth label wrong, as if a hurried reader had written them. The *training* loss falls towards zero.
#
# **Predict.** Sketch the *validation* loss (good labels) after 1, 10, 30 and 60 epochs. It begins at about 0.69.

# %% [markdown] tags=["instructor"]
# **6 minutes · do.** Sketch first. The usual sketch has both lines falling.
#
# *Asked:* "The accuracy hardly changed. Is it harmful?" It became surer of its mistakes; lesson 11 measures that.

# %% tags=["nbval-check-output"]
MY_VAL = None  # your prediction: four losses in a list, for epochs 1, 10, 30 and 60
val_curve = guess.sketch(
    "05.validation-loss",
    MY_VAL,
    what="validation loss",
    along="epoch",
    at=[1, 10, 30, 60],
    between=(0, 2),
    near=0.1,
    example=[0.69, 0.5, 0.35, 0.2],
)
val_curve

# %%
few = np.random.default_rng(SEED).permutation(len(y))[:80]
x_few, y_few = x[few].astype("float32"), y[few].copy()
y_few[::5] = 1 - y_few[::5]
validation = (x_val.astype("float32"), y_val)
settings = {"validation_data": validation, "epochs": 60, "batch_size": 16, "verbose": 0}
settings["validation_batch_size"] = len(x_val)  # all at once: quicker, same loss
model = network(hidden=32, rate=0.001)
overfitted = pd.DataFrame(model.fit(x_few, y_few, **settings).history)

# %%
val_curve.meets(
    (np.arange(1, 61), overfitted["val_loss"]),
    beliefs=[
        ([0.69, 0.5, 0.35, 0.2], "That is the training loss: it falls on fitted images only."),
        ([0.69, 0.9, 1.2, 1.5], "It rises, but not at once, and not that fast on these images."),
    ],
)

# %%
plots.curves(overfitted, title="80 images, every fifth label wrong")

# %% [markdown]
# **Explain.** In the end the network gets nearly all of its labels "right", *the wrong ones too*: it has memorised its
# images. The validation loss turns and rises (the dotted line marks its lowest point). Where the accuracy hardly moves
# meanwhile, the network does not make more mistakes, it becomes surer of them. It gets better on its 80 images and, by
# the loss, worse on others: **overfitting**. The training loss alone never shows this. (With another `SEED` the turn
# comes earlier or later.)
#
# Stop at this turn. **Early stopping** watches the validation loss, waits a while (*patience*), and returns to the
# best weights.

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
# **Explain.** Compare the first loss with 0.693: where it is hardly lower, the network learned little that holds for
# others. Early stopping limits the damage, no more. The validation images have decided *when to stop*. They may decide
# more: the learning rate, the number of hidden neurons. Each choice makes the validation loss a little too good. That
# is why the number we report comes from `test`, which chose nothing.

# %% [markdown]
# ![What each part of the images may decide. Train: the weights, in each step. Validation: when to stop and which
# settings, in each epoch. Test: nothing, it only measures, once at the end.](../docs/diagrams/d05_three_parts.png)

# %% tags=["author", "verdict"]
# verdict("05.early-stopping-keeps-a-lower-loss", loss_stopped < loss_full - 0.05)

# %% [markdown]
# ## Step 8 · Validation must not be used to fit
#
# "Let us train on the validation images as well: the validation accuracy becomes excellent!" It does. To see what that is
# worth, we replace the labels of the validation images by **random** ones, half 0 and half 1.
#
# **Predict.** One neuron is trained on the validation images with random labels, for 400 epochs. What is its accuracy on
# these same images?

# %% [markdown] tags=["instructor"]
# **5 minutes · do.** Random labels again: by now somebody will see it coming. Let that one explain.
#
# *Asked:* "May I train on validation once everything is chosen?" Yes, if nothing is measured on it afterwards.
#
# *Pause* at the four curves. Each assigns A to D alone, then compare.

# %% tags=["nbval-check-output"]
MY_FITTED = None  # your prediction: accuracy on the images it was fitted to, from 0 to 1
fitted_accuracy = guess.number(
    "05.random-labels-fitted",
    MY_FITTED,
    what="accuracy on random labels, fitted",
    between=(0, 1),
    example=0.5,
)
fitted_accuracy

# %% tags=["nbval-check-output"]
random_val = rng.permutation(np.arange(len(x_val)) % 2)
random_test = rng.permutation(np.arange(len(x_test)) % 2)
orders_val = [rng.permutation(len(x_val)) for _ in range(400)]
fitted_weights, fitted_bias = fit(x_val, random_val, orders_val)
accuracies = {}
for name, part, labels in (("fitted", x_val, random_val), ("test", x_test, random_test)):
    k = int(np.sum((part @ fitted_weights + fitted_bias > 0) == labels))
    low, high = evaluate.wilson(k, len(labels))
    accuracies[name] = k / len(labels), low, high
    print(f"{name}: {k} of {len(labels)} right, 95 % interval {low:.2f}-{high:.2f}")

# %%
fitted_accuracy.meets(
    accuracies["fitted"],
    beliefs=[
        (0.35, 0.65, "True of new images. These it was fitted to: 1,024 weights, few images."),
        (0.65, 0.9, "Some of it is remembered, you thought. With this many weights, nearly all."),
    ],
)

# %% tags=["author", "verdict"]
# verdict("05.random-labels-are-fitted", accuracies["fitted"][1] > 0.8)
# verdict("05.others-are-not-predicted", accuracies["test"][0] < accuracies["fitted"][0] - 0.2)

# %% [markdown]
# **Explain.** On the images that it was fitted to, the neuron "predicts" random labels easily; on others it cannot.
# Such a number says nothing about radiographs, and its interval does not warn. Choosing with validation is fine,
# *fitting* on it is not.
#
# Now we use the test images, once, with their true labels, for the single neuron of Step 5, beside the **majority**
# baseline, which always gives the more frequent class.
#
# **Predict.** What accuracy does the single neuron reach on the test images?

# %% tags=["nbval-check-output"]
MY_TEST = None  # your prediction: accuracy on the test images, from 0 to 1
on_test = guess.number(
    "05.neuron-on-test",
    MY_TEST,
    what="accuracy of one neuron on test images",
    between=(0, 1),
    example=0.9,
)
on_test

# %%
test = table[table["split"] == "test"]
p_positive = neuron.predict(x_test, verbose=0)[:, 0]
predictions = train.predictions_table(
    test, np.column_stack([1 - p_positive, p_positive]), model="one neuron"
)
majority = baselines.majority(table)
accuracy = evaluate.metric(predictions, "accuracy")
difference = evaluate.compare(predictions, majority, "accuracy")
print("one neuron:", accuracy)
print("majority:  ", evaluate.metric(majority, "accuracy"))
print("difference:", difference)

# %%
on_test.meets(
    accuracy,
    beliefs=[
        (0.4, 0.58, "You took one neuron on 32×32 pixels for a guess. It has learned something."),
        (0.85, 1, "Not on these images: mild disease, 32×32 pixels, one neuron."),
    ],
)

# %% [markdown]
# **Explain.** Read the third line, the difference on the *same* images: where its interval lies above zero, a single
# neuron has learned something (`p`: lesson 07). On case E's published set (three classes) a linear model on pixels
# reaches 0.938 (0.91-0.96, n = 317), the majority 0.43. A report of a deep network should show such a number first.
#
# ### Checkpoint: read four loss curves
#
# Here are four trainings of this lesson, without names. Note the scale of A. Solid blue is training, dashed orange
# validation. Which is which: *learning rate too small* · *too large* · *overfitting* · *going well*?

# %%
figure, panels = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
for axes, name, run in zip(panels, "ABCD", (too_large, overfitted, too_small, right)):
    axes.plot(run["loss"], color="#0072B2", label="training")
    axes.plot(run["val_loss"], "--", color="#D55E00", label="validation")
    highest = run[["loss", "val_loss"]].max().max()
    axes.set(title=name, xlabel="step or epoch", ylim=(0, max(1, 1.05 * highest)))
panels[0].set_ylabel("loss")
panels[2].legend(loc="lower center")
plots.show(
    figure,
    "Four pairs of loss curves. A: both leap far above 0.69. B: training falls, validation rises. "
    "C: both lie flat near 0.69. D: both fall smoothly, training further.",
)

# %% [markdown]
# <details><summary>Answer</summary>
# A: rate too large, both losses leap up. B: overfitting; the curves part, and validation rises. C: rate too small: flat
# at 0.693, with the same data as D. D: going well: both fall. As long as validation does not rise, a gap alone is not
# overfitting.
# </details>

# %% [markdown]
# ## Step 9 · The gradient, checked by trying · deeper
#
# The gradient can also be found by simply trying: let one weight grow a little, look at the loss, put it back. This is the
# **finite difference**. For how many of the 1,024 weights will trying and the formula of Step 4 agree?


# %% tags=["nbval-check-output"]
def by_trying(k, size=1e-4):
    """The gradient of weight k by finite difference, at weights of zero."""
    nudge = np.zeros(x.shape[1])
    nudge[k] = size
    return (loss(nudge, 0.0, x, y) - loss(-nudge, 0.0, x, y)) / (2 * size)


by_formula, _ = gradient(np.zeros(x.shape[1]), 0.0, x, y)
apart = np.abs([by_trying(k) for k in range(x.shape[1])] - by_formula)
print(f"trying and formula agree for {np.sum(apart < 1e-6)} of {len(apart)} weights")

# %% [markdown]
# **Explain.** They agree for all. This **gradient check** works for any loss and any network. It is too slow to train
# with: it takes two passes through all images for each weight and each step. That is why the formula is worth its
# trouble. The gradient has one number per pixel, so it is a picture.

# %%
plots.weights(
    -by_formula.reshape(SIDE, SIDE), title="Where the first step goes", label="minus gradient"
)

# %% [markdown]
# **Explain.** The picture shows *minus* the gradient, the direction in which the loss falls. Red means more weight
# here, blue less. As every probability is still 0.5, this is simply the sum of the class-1 images minus the sum of the
# class-0 images, halved and divided by n. On the phantoms the darkest red already lies over the lungs; fainter red and
# blue lie elsewhere, up to the edge.

# %% [markdown]
# ## Step 10 · Why not descend on the accuracy? · deeper
#
# In the end we report **accuracy**, so why not improve it directly? Take a neuron that is half trained, and turn each of its
# 1,024 weights up by 0.0001, one at a time. For how many will the *accuracy* change, and for how many the loss?

# %% tags=["nbval-check-output"]
half_weights, half_bias = np.zeros(x.shape[1]), 0.0
for _ in range(10):
    half_weights, half_bias = step(half_weights, half_bias, x, y, rate=0.03)
before = np.mean((x @ half_weights + half_bias > 0) == y)
changed = 0
for k in range(x.shape[1]):
    scores = x @ half_weights + half_bias + 0.0001 * x[:, k]  # weight k turned up
    changed += np.mean((scores > 0) == y) != before
slope, _ = gradient(half_weights, half_bias, x, y)
print(f"the accuracy changes for {changed} weights of {len(slope)}")
print(f"the loss changes for {np.sum(slope != 0)}")

# %%
middle = SIDE // 2 * SIDE + SIDE // 2  # the pixel in the middle of the image
turned = np.linspace(-0.1, 0.1, 401)
accuracy_there, loss_there = [], []
for change in turned:
    moved = half_weights.copy()
    moved[middle] += change
    accuracy_there.append(np.mean((x @ moved + half_bias > 0) == y))
    loss_there.append(loss(moved, half_bias, x, y))
figure, panels = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
for axes, name, values in zip(panels, ("accuracy", "loss"), (accuracy_there, loss_there)):
    axes.plot(turned, values)
    axes.set(title=name, xlabel="change of one pixel's weight")
plots.show(
    figure,
    "One weight is turned, all others stay. "
    f"Accuracy: a staircase of {len(set(accuracy_there))} levels. Loss: a smooth line from "
    f"{loss_there[0]:.4f} to {loss_there[-1]:.4f}, lowest {min(loss_there):.4f}.",
)

# %% [markdown]
# **Explain.** The accuracy is a staircase. On a stair it is flat: its gradient is zero, and a step of *rate × 0* goes
# nowhere. It changes only when the probability of an image crosses 0.5, and then by a whole image. The loss is a smooth
# slope, and tells every weight which way to go. (The two need not agree about one weight: an image that just crosses
# 0.5 counts fully in the accuracy, and hardly in the loss.) So: *train on the loss, report the accuracy* (and, from
# lesson 07 on, better measures than accuracy).

# %% tags=["author", "verdict"]
# verdict("05.accuracy-is-flat-for-most-weights", changed < 0.1 * len(slope))

# %% [markdown]
# ## Step 11 · The order of the images · deeper
#
# Tables often come sorted: all of one class, then all of the other. We train in that order with batches of 16, and watch
# which share of the training images the neuron calls class 1. (The rate is small, 0.003, so that the share moves slowly
# enough to be watched.)
#
# **Predict.** Sketch this share in the first epoch and a half: at the beginning, then when class 0 has passed, when class 1
# has passed, and when class 0 has passed again. The truth is about 0.5.

# %% tags=["nbval-check-output"]
MY_SHARES = None  # your prediction: four shares in a list, each from 0 to 1
sorted_share = guess.sketch(
    "05.share-in-sorted-batches",
    MY_SHARES,
    what="share called class 1, sorted batches",
    along="epoch",
    at=[0.1, 0.5, 1, 1.5],
    between=(0, 1),
    near=0.15,
    example=[0.5, 0.5, 0.5, 0.5],
)
sorted_share


# %%
def watched(orders, rate=0.003, batch_size=16):
    """Share of the training images called class 1, after each step."""
    weights, bias, share = np.zeros(x.shape[1]), 0.0, []
    for order in orders:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            weights, bias = step(weights, bias, x[batch], y[batch], rate)
            share.append(np.mean(x @ weights + bias > 0))
    return np.array(share)


shuffling = np.random.default_rng(SEED)
in_order = watched([np.argsort(y, kind="stable")] * 4)
shuffled = watched([shuffling.permutation(len(y)) for _ in range(4)])
epoch = np.arange(1, len(in_order) + 1) * 4 / len(in_order)

# %%
sorted_share.meets(
    (epoch, in_order),
    beliefs=[
        ([0.5, 0.5, 0.5, 0.5], "Each batch holds one class, and teaches to say that class."),
        ([1, 1, 0, 1], "The other way round: class 0 teaches to say 0."),
    ],
)

# %%
plots.line(
    epoch,
    {"sorted": in_order, "shuffled": shuffled},
    title=f"Share of training images called class 1 (truth: {y.mean():.2f})",
    xlabel="epoch",
    ylabel="share",
    points=False,
)

# %% [markdown]
# **Explain.** Sorted batches hold one class only, and the quickest way to lower the loss of such a batch is to answer
# that class for *everything*. In each epoch the share falls low, then climbs high, and the result depends on where you
# stop. Shuffled batches show both classes: at first the share swings here, too, because sixteen images are few; later
# it swings less. (On a very small set, with three or four steps to an epoch, it may not settle.) Shuffle the *training*
# images again in each epoch. Keras' `fit` does so for arrays, and `pipeline.batches` for `train` and no other part.

# %% tags=["author", "verdict"]
# late = len(in_order) // 2
# verdict("05.sorted-batches-swing", in_order[late:].min() < 0.2 and in_order[late:].max() > 0.8)
# verdict("05.shuffled-batches-swing-less", np.ptp(shuffled[late:]) < np.ptp(in_order[late:]))

# %% [markdown]
# ## Step 12 · What did it learn? Look at the weights · deeper
#
# The next figure shows the weights of Step 5 as an image and, for phantoms, the truth beside them: we know in which
# pixels the disease was drawn. The mean of these masks over the training images with the disease says how often it was
# drawn at each pixel. The neuron never saw a mask. Where will the large weights lie: where the disease was drawn, at
# the heart, at the border?

# %%
pictures = {"weights (largest = 1)": weights.reshape(SIDE, SIDE) / np.abs(weights).max()}
if DATASET == "phantom":
    ill = table[(table["split"] == "train") & (table["label"] == positive)]
    root = ill["path"].iloc[0].removesuffix(ill["image_id"].iloc[0])
    masks = [phantom.read_masks(phantom.mask_file(path, root)) for path in ill["path"]]
    lesion, lung = (
        np.mean([preprocess.resize(mask[name].astype("float32"), SIDE) for mask in masks], axis=0)
        for name in ("lesion", "lung")
    )
    pictures["share with disease here"] = lesion
plots.filters(
    pictures.values(), pictures, title=f"What speaks for {positive}, and where it is", values=False
)

# %% [markdown]
# **Explain.** On the left, red means that a bright pixel here speaks for the positive class, blue that it speaks
# against it. On the phantoms large red patches lie over the outer parts of both lungs, where COVID phantoms have their
# disease: a neuron that was given nothing but labels has found the place. But look at the whole picture: there are
# patches outside the lungs, where no phantom has disease. For a real set nobody can show the truth beside it. If the
# neuron trains ten times as long, will the weights look more like the disease, or less?

# %%
longer = [shuffling.permutation(len(y)) for _ in range(10 * epochs)]
border = np.ones((SIDE, SIDE), bool)
border[4:-4, 4:-4] = False
alike = {}
for name, w in ((f"{epochs} epochs", weights), (f"{10 * epochs} epochs", fit(x, y, longer)[0])):
    part = np.abs(w)[border.ravel()].sum() / np.abs(w).sum()
    print(
        f"{name}: {part:.0%} of the weight on the outer 4 pixels, {border.mean():.0%} of the area"
    )
    if DATASET == "phantom":
        alike[name] = np.corrcoef(w.reshape(SIDE, SIDE)[lung > 0.5], lesion[lung > 0.5])[0, 1]
        print(f"    correlation of weights and disease within the lungs {alike[name]:.2f}")

# %% [markdown]
# **Explain.** On the phantoms, less: in this one training the correlation falls. With a thousand weights and a few
# hundred images some pixel always differs between the classes by chance, and a neuron takes whatever differs. In real
# sets there are many differences that are neither chance nor disease. Lesson 09 looks for such shortcuts. Good accuracy
# is no evidence that the disease was seen.

# %% tags=["author", "verdict"]
# if DATASET == "phantom":
#     first, last = alike.values()
#     verdict("05.longer-training-is-less-like-the-disease", last < first - 0.05)

# %% [markdown]
# ## Key points
#
# - A neuron: weights times pixels, plus bias, through a sigmoid. That is logistic regression.
# - The gradient is one number per weight; a step goes against it, as far as the learning rate says.
# - Learning rate first: if a loss is flat at 0.693 or leaps, the data are rarely the cause.
# - A hidden layer with ReLU can do what no single neuron can; it can also memorise wrong labels.
# - Overfitting: training loss falls, validation loss turns and rises.
# - Validation chooses (epoch, rate, size). It never fits, and it is not the number to report.
#
# Your predictions in this lesson:

# %%
guess.summary("05")

# %% [markdown]
# The next cell prints them as a code. On Colab, give it to `guess.take` in the next notebook; in a class, paste it where
# your instructor says. No name is in it.

# %%
print(guess.code())

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 05](../exercises/05_first_network_exercise.ipynb), whose checks answer at once.
#
# A `Dense` layer has one weight for every pixel: when the chest moves by three pixels, they no longer fit. Lesson 06 builds
# layers that look for the same small pattern everywhere: convolutions.

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
# In the index: build one neuron by hand, then in Keras; overfit a small network
