# %% [markdown]
# # 10 · Explanation: exercises
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# Four decisions, each with a check that answers, and one question to be answered in words. They follow lesson 10.
#
# **How it works.** Write your answer where it says so, run the cell, then the one below it. `q1.check(...)` runs your
# answer on fresh data, with other names each time, and says what it found. `q1.hint()` goes one step further each
# time you call it. You may check as often as you like.
#
# **Time.** 45 minutes.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this notebook uses.

# %% tags=["imports"]
import numpy as np

from cxr_helpers import plots
from cxr_helpers.checks.lesson10 import q1, q2, q3, q4

# %% [markdown]
# ## Question 1 · The heat map
#
# The last layer of a network has been asked about one film. You get
#
# - `maps`, its maps: rows × columns × maps, with the film's top row first;
# - `gradients`, how far two numbers would rise if a place of a map rose a little, in the same shape as the maps:
#   `gradients["logit"]` and `gradients["probability"]`, the number before and the one behind the softmax, of the class
#   that is to be explained;
# - `side`, of the film, in pixels: a whole multiple of the side of a map.

# %%
sample = q1.sample()
for name, array in {"maps": sample["maps"], **sample["gradients"]}.items():
    print(f"{name:12s} {array.shape}, from {array.min():.2f} to {array.max():.2f}")
print(f"side         {sample['side']}")

# %% [markdown]
# Write `heat_map`: Grad-CAM, as an array of `side` × `side`. Enlarge it in the plainest way: each place becomes a square
# block of equal numbers (`np.kron(small, np.ones((k, k)))`). Its scale does not matter.


# %% tags=["answer"]
def heat_map(maps, gradients, side):
    """Grad-CAM of one film, (side, side)."""
    answer = None
    ### BEGIN SOLUTION
    weight = gradients["logit"].mean(axis=(0, 1))
    small = np.maximum((weight * maps).sum(axis=-1), 0)
    answer = np.kron(small, np.ones((side // len(small), side // len(small))))
    ### END SOLUTION
    return answer


# %% tags=["check"]
q1.check(heat_map)

# %% [markdown]
# ## Question 2 · Its score
#
# A method has made a map for each of some films. On most films a radiologist has marked a lesion; the others show none,
# and their mask is empty.

# %%
films = q2.sample()
for name in ("heats", "masks"):
    print(name, {film: array.shape for film, array in list(films[name].items())[:3]}, "...")

# %% [markdown]
# Write `gain`: how much more of a film's heat lies inside the mask than a map would have there that is hot everywhere
# alike, as a difference of the two shares, averaged over the films. Zero means luck, and 0.2 means twenty points more
# than luck. No map is below zero anywhere, and each has a scale of its own. Which films count, and with which mask?


# %% tags=["answer"]
def gain(heats, masks):
    """Mean share of the heat inside the mask, less what comes by luck."""
    answer = None
    ### BEGIN SOLUTION
    gains = []
    for name, heat in heats.items():
        mask = masks[name]
        if mask.any():
            gains.append((heat * mask).sum() / heat.sum() - mask.mean())
    answer = np.mean(gains)
    ### END SOLUTION
    return answer


# %% tags=["check"]
q2.check(gain)

# %% [markdown]
# ## Question 3 · Which map to believe
#
# A network gives films a probability of being ill. Three methods have made maps of it, and the maps disagree. You get
#
# - `answer`, the network: `answer(films)` gives one probability per film;
# - `films`, eight of them, all ill, all with letters burnt in;
# - `heats`, the maps: `{name: one map for each film}`, on scales of their own;
# - `lesions`, the outline of the lesion on each film, as a mask.
#
# The films are small sketches, drawn so that the check is quick. Below, the first of them and its three maps.

# %%
case = q3.sample()
first = {name: heat[:1] for name, heat in case["heats"].items()}
plots.heat_maps(
    np.uint8(case["films"][:1]),
    first,
    masks=[{"lesion": case["lesions"][0]}],
    title="One film, three maps",
)

# %% [markdown]
# A tool is given: films whose hottest tenth of pixels, by a map, has been set to the mean of the film.


# %%
def remove(films, heat, share=0.1):
    """The films without the pixels that the map calls hottest."""
    flat, order = films.reshape(len(films), -1).copy(), heat.reshape(len(films), -1)
    hottest = np.argsort(-order, axis=1)[:, : round(share * flat.shape[1])]
    np.put_along_axis(flat, hottest, flat.mean(axis=1, keepdims=True), axis=1)
    return flat.reshape(films.shape)


name, heat = next(iter(case["heats"].items()))
print("as they are ", case["answer"](case["films"]).round(2))
print(f"after {name}", case["answer"](remove(case["films"], heat)).round(2))

# %% [markdown]
# Write `believe`: the name of the map that says best where *this network's* answers come from. The check asks about
# several networks; they were not all trained on honest films.


# %% tags=["answer"]
def believe(answer, films, heats, lesions):
    """The name of one map."""
    name = None
    ### BEGIN SOLUTION
    falls = {k: (answer(films) - answer(remove(films, h))).mean() for k, h in heats.items()}
    name = max(falls, key=falls.get)
    ### END SOLUTION
    return name


# %% tags=["check"]
q3.check(believe)

# %% [markdown]
# ## Question 4 · What may be said
#
# A study of 40 films of ill people, with 38 patients. For the paper there are these figures, with 95 % intervals:
#
# | | value | for comparison |
# |---|---|---|
# | AUC on the study's own test films | 0.95 (0.91-0.98) | |
# | share of the heat on the lesion | 0.24 (0.21-0.28) | random map 0.08 (0.07-0.09) |
# | share of the heat on the letters in the corner | 0.14 (0.11-0.17) | random map 0.04 (0.03-0.05) |
# | rank correlation with the map after randomisation | 0.10 (0.07-0.13) | |
# | fall of the probability, lesion taken out | 0.12 (0.08-0.16) | |
# | fall of the probability, letters taken out | 0.41 (0.35-0.47) | |
#
# Which sentence do the figures support?
#
# - **A** "The network recognises the pneumonia, because its heat lies on the lesion three times as much as by luck."
# - **B** "The maps pass the randomisation test, so what they show is right."
# - **C** "The heat lies on the lesion and on the letters more than by luck; taken out, the letters change the answer
#   more than the lesion does."
# - **D** "A quarter of the decision comes from the lesion (0.24)."
# - **E** "The three films of figure 2 show that the network looks at the lesion."

# %% tags=["answer"]
supported = None  # one letter in quotes
### BEGIN SOLUTION
supported = "C"
### END SOLUTION

# %% tags=["check"]
q4.check(supported)

# %% [markdown]
# ## Question 5 · In your own words
#
# A product for emergency rooms shows a heat map beside each answer, "so that the physician sees why". There are no
# masks, and nobody can take a lesion out of a real film. Write three or four sentences to its maker: what the map does
# show, what it does **not** show, and which two experiments they can do all the same before they put it on the screen.
#
# *Rubric, 4 points, marked by hand: one for what a map shows (places where a change would change this network's answer,
# coarse, on a scale of its own); one for what it does not (a reason, the rightness of the answer, how much hangs on a
# place); one for a feasible experiment on the map (randomisation, deletion against a random map, all films and not the
# nicest); one for a feasible experiment on the network (covering letters, borders or corners and reporting the change
# with interval and n; masks drawn by radiologists for a sample).*

# %% [markdown] tags=["written"] name="to_the_maker" points=4
# ### BEGIN SOLUTION
# The map shows, coarsely and on a scale of its own for each film, places where a change would change this network's
# answer. It shows no reason, does not say whether the answer is right, and does not measure how much hangs on a place:
# a network that reads letters can have heat on the lesion as well. Before it is shown, compare over all films of a test
# set, not over chosen ones, how far the probability falls when the hottest pixels go, against random maps, and whether
# the maps change when the weights are drawn anew. And cover letters, borders and corners, and report how far the
# probabilities change, with interval and number of patients; a sample with lesions outlined by radiologists would show
# whether the heat is where the finding is.
# ### END SOLUTION

# %% [markdown]
# Save the notebook under its own name and hand it in as your course asks. Text: CC BY 4.0. Code: MIT.
