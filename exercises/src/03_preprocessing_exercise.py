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
from PIL import Image

from cxr_helpers import images, plots, preprocess
from cxr_helpers.checks.lesson03 import q1, q2, q3, q4

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
# ## Question 2 · Undo the squash
#
# In this set every file is square, because the images were squashed. Usually that cannot be undone, since the original
# shape is unknown. Here the table gives the original height and width. (The discarded pixels cannot be recovered.)

# %%
square, height, width = q2.sample()
print(f"array {square.shape}, {square.dtype}; the original was {height} high and {width} wide")
plots.compare_images([square], ["as received"], title="The original image shows a round disc")


# %%
def resized(image, height, width):
    """The image, uint8, stretched to another height and width."""
    return np.asarray(Image.fromarray(image).resize((width, height)))


# %% [markdown]
# Write `unsquash`. It returns a square image of `size` × `size` pixels, grey levels 0-255 or 0-1, on which
#
# - everything has its original proportions: the disc is round;
# - the whole image is visible, and its longer side fills the square;
# - the rest is black.
#
# The check uses wide and tall images. `resized` above and `preprocess.prepare` may help.


# %% tags=["answer"]
def unsquash(square, height, width, size):
    """The whole image in its original proportions, on a square of size × size pixels."""
    answer = None
    ### BEGIN SOLUTION
    original = resized(square, height, width) / 255
    answer = preprocess.prepare(original, size, fit="pad")
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(unsquash)

# %% [markdown]
# ## Question 3 · Where constants come from
#
# Three arrays of grey levels: the training images, the test images, and one image that a clinic sends next year.

# %%
train, test, upload = q3.sample()
for name, part in (("train", train), ("test", test), ("upload", upload)):
    print(f"{name:6} {part.shape!s:13} mean {part.mean():5.1f}, deviation {part.std():4.1f}")

# %% [markdown]
# Write `scale`. It returns the three arrays scaled, in this order, by *subtracting a mean and dividing by a standard
# deviation*: two numbers. Afterwards the training images have mean 0 and standard deviation 1. What is right for the
# other two arrays?


# %% tags=["answer"]
def scale(train, test, upload):
    """The three arrays after scaling."""
    answer = None
    ### BEGIN SOLUTION
    mean, deviation = train.mean(), train.std()
    answer = tuple((part - mean) / deviation for part in (train, test, upload))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q3.check(scale)

# %% [markdown]
# ## Question 4 · The same preprocessing for every upload
#
# A network was trained as in the lesson: on `preprocess.cache(table, size=64)`, with nothing changed but the size, and
# its first layer divides by 255. It is called like a function with an array (n, 64, 64, 1) and returns n probabilities.
# Now people upload files: PNG of several modes, some wide and some tall. (Again waves and discs instead of
# radiographs.)

# %%
network, files = q4.sample()
plots.montage([images.read(file) for file in files], columns=6, title="Six uploads")

# %%
black, white = np.zeros((64, 64, 1)), np.full((64, 64, 1), 255)
print("an all-black and an all-white image:", network(np.stack([black, white])).round(2))

# %% [markdown]
# Write `ask`. `file` holds the bytes of one file, as `images.read` takes them. It returns the network's probability for
# this image, as one number.


# %% tags=["answer"]
def ask(network, file):
    """The network's probability for one uploaded file."""
    answer = None
    ### BEGIN SOLUTION
    square = preprocess.prepare(images.read(file), size=64)
    answer = float(network(square[None, ..., None])[0])
    ### END SOLUTION
    return answer


# %% tags=["check"]
q4.check(ask)

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
