# %% [markdown]
# # 03 · Preprocessing: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four questions with an automatic check and one written question, on lesson 03.
#
# **How it works.** Write your answer in the marked cell and run it, then run the cell below it. `q1.check(...)` runs
# your answer on fresh data, with other sizes and grey levels each time, and reports what it found. Each call of
# `q1.hint()` gives the next hint. You may check as often as you like.
#
# **Time.** 45 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from cxr_helpers import plots, quiet
from cxr_helpers.checks.lesson03 import q1, q2, q3, q4

with quiet():  # hides TensorFlow's start-up lines
    import keras

# %% [markdown]
# ## Question 1 · What a channel means
#
# A program has decoded five files and gives you only the arrays. (They are not real radiographs but grey waves with a
# disc in the middle.)

# %%
arrays = q1.sample()
for array in arrays.values():
    print(f"{array.dtype!s:7} {array.shape!s:13} smallest {array.min():6}  largest {array.max():6}")

# %% [markdown]
# Write `to_grey`. It turns any of these arrays into the grey levels of the image: an array (height, width) of numbers
# between 0 (black) and 1 (the brightest value that this kind of file can store). The files are opaque everywhere, and
# colour files hold grey images: red, green and blue are equal.
#
# `images.read` takes files, not arrays, so you decide: which channels are brightness, and what is the largest value
# that each array could hold?


# %% tags=["answer"]
def to_grey(array):
    """Grey levels from 0 to 1, (height, width), of a decoded file."""
    answer = None
    ### BEGIN SOLUTION
    answer = array / np.iinfo(array.dtype).max
    if array.ndim == 3:
        colours = 3 if array.shape[2] >= 3 else 1
        answer = answer[..., :colours].mean(axis=2)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(to_grey)

# %% [markdown]
# ## Question 2 · One preprocessing for train, test and every upload
#
# A set of wide images, and the part of the split that each belongs to. (Again grey waves with a disc.) Below them, an
# upload of next year: it may have any height and width.

# %%
images, part = q2.sample()
for name in ("train", "val", "test"):
    grey = images[part == name]
    print(
        f"{name:5} {grey.shape}, {grey.dtype}, mean {grey.mean():.0f}, deviation {grey.std():.0f}"
    )
first = images[0, ..., 0].astype("uint8")  # as pictures are shown
upload = np.asarray(Image.fromarray(first).resize((90, 150)))
plots.compare_images([first, upload], ["of the set", "an upload"], title="Any size")

# %% [markdown]
# Write `preprocessing` in plain Keras. It returns **one model** that takes images of any size, (n, height, width, 1) with
# grey levels 0-255, and returns (n, 64, 64, 1):
#
# - the whole image in its proportions (the disc stays round), on a square whose rest is black;
# - scaled by subtracting a mean and dividing by a standard deviation, two numbers for all pixels, so that the
#   *training* images of the set come out with mean 0 and deviation 1.
#
# Which images may decide about these two numbers? The model is saved with the network, and every later image goes
# through it. `keras.layers.Resizing` and `keras.layers.Normalization` do the work; look at their arguments. A model
# for images of any size begins with `keras.Input((None, None, 1))`.


# %% tags=["answer"]
def preprocessing(images, part):
    """A model from grey levels (n, height, width, 1) to scaled squares (n, 64, 64, 1)."""
    model = None
    ### BEGIN SOLUTION
    square = keras.layers.Resizing(64, 64, pad_to_aspect_ratio=True)
    scale = keras.layers.Normalization(axis=None)
    scale.adapt(square(images[part == "train"]))
    model = keras.Sequential([keras.Input((None, None, 1)), square, scale])
    ### END SOLUTION
    return model


# %% tags=["check"]
q2.check(preprocessing)

# %% [markdown]
# ## Question 3 · Which step went wrong?
#
# Six people each made a square of a wide radiograph: above the original, below it what their code made of it. One
# square is right (padded). Each time you run the cell it draws another figure, with another number and other letters.

# %%
figure, panels = q3.sample()
pictures = [before for before, _ in panels.values()] + [after for _, after in panels.values()]
plots.montage(pictures, [*panels, *panels], columns=6, title=f"Figure {figure}")

# %% [markdown]
# The same in numbers: how the square's grey levels go with those of the original when *you* make a square of it in four
# ways (1: the same picture), and what its darkest and brightest pixels are.


# %%
def in_numbers(before, after):
    """What was done to an image, in a few numbers."""
    image, size = Image.fromarray(before), after.shape
    mine = {
        "padded": ImageOps.pad(image, size),
        "padded and mirrored": ImageOps.mirror(ImageOps.pad(image, size)),
        "squashed": image.resize(size),
        "cropped": ImageOps.fit(image, size),
    }
    grey = pd.Series(after.ravel())
    with np.errstate(invalid="ignore"):  # a panel of one grey level correlates with nothing
        alike = {way: grey.corr(pd.Series(np.ravel(square))) for way, square in mine.items()}
    middle = after[32:96]  # no bars here
    white = 100 * (middle == 255).mean()
    return {**alike, "largest grey level": after.max(), "white in the middle, in %": white}


pd.DataFrame({letter: in_numbers(*two) for letter, two in panels.items()}).round(2)

# %% [markdown]
# | word | what happened |
# |---|---|
# | `right` | padded with black, and nothing else |
# | `squashed` | each side brought to its length |
# | `cropped` | the middle cut out |
# | `mirrored` | padded, left and right exchanged |
# | `clipped` | padded, the contrast stretched until much is plain black or plain white |
# | `scaled twice` | padded, and divided by 255 once more than the network expects |
#
# Fill in the number of *your* figure, and a word for each letter: each word is true of one panel. All six count together.
# A figure that was answered wrongly does not count again: run its cell, and the next one is drawn. (Marked is what
# you write here, with its number.)

# %% tags=["answer"]
went_wrong = {"figure": None, "A": None, "B": None, "C": None, "D": None, "E": None, "F": None}
### BEGIN SOLUTION
went_wrong = {
    "figure": 31415,
    "A": "right",
    "B": "scaled twice",
    "C": "clipped",
    "D": "cropped",
    "E": "mirrored",
    "F": "squashed",
}
### END SOLUTION

# %% tags=["check"]
q3.check(went_wrong)

# %% [markdown]
# ## Question 4 · Which plan?
#
# Five people plan the preprocessing of wide radiographs for a network that a web page will ask about single uploads. The
# shape of the heart and the walls of the chest may matter.

# %%
q4.sample()

# %% [markdown]
# Write `sound_plan`. It gets such a table and returns the letter of the one plan without a fault. Each check shows other
# tables, and not every entry stands in the one above, so a letter alone is of no use: write down the rule by which you
# choose. All entries that occur:
#
# - *constants from*: training images · all images · training and test images · each part by itself · nowhere: the network
#   divides by 255
# - *made square by*: padding with black · resize((224, 224)) · cutting out the middle
# - *augmented*: training images · all images · training and test images · nothing
# - *an upload goes through*: the function of training · the web page's own code · the browser's resizing


# %% tags=["answer"]
def sound_plan(plans):
    """The letter of the plan without a fault."""
    letter = None
    ### BEGIN SOLUTION
    sound = (
        plans["constants from"].str.startswith(("training images", "nowhere"))
        & plans["made square by"].str.startswith("padding")
        & plans["augmented"].isin(["training images", "nothing"])
        & (plans["an upload goes through"] == "the function of training")
    )
    letter = plans.index[sound][0]
    ### END SOLUTION
    return letter


# %% tags=["check"]
q4.check(sound_plan)

# %% [markdown]
# ## Question 5 · In your own words
#
# On the test images of its own set a network finds 9 of 10 patients with the disease. In the clinic it gives every
# patient the same probability, 0.31 to two digits. No error was raised, and the network is the same file.
#
# Name the three places where you would look, the most likely first. For each, say what you would print or plot, what
# you would see if it is the cause, and whether it would explain that **all** patients get the same number.
#
# *Rubric, 3 points, marked by hand: one for the range of the network's input (min and max; scaling twice explains why
# all answers are equal); one for two further differences between training and clinic (mode or alpha, polarity, squash
# or crop, contrast, constants computed anew), each with what would be seen; one for saying that these change the
# answers without making them equal, and for the remedy: one function for both.*

# %% [markdown] tags=["written"] name="same_for_all" points=3
# ### BEGIN SOLUTION
# First, the range: print min and max of the array that goes into the network, in training and in the clinic. 0 to 1 in
# place of 0 to 255 means that it was scaled twice: after the first layer all images are nearly black, so all get the
# same answer. This alone explains 0.31 for everybody. Second, how the file is read: show the clinic's arrays beside the
# training images. A veil (alpha averaged in) or a negative (a DICOM tag ignored) would be visible; answers would be
# wrong, but would differ from patient to patient. Third, how it becomes square: a wide image that was squashed shows a
# narrow heart, and a stretched contrast gives another histogram; again the answers would shift and not be equal. The
# remedy is the same for all: training, test and clinic call one function, and the network scales, once.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
