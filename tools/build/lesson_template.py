# %% [markdown] tags=["author"]
# Copy this file to notebooks/src/NN_topic.py, then `make notebooks` and
# `python -m tools.rules.lint NN`. Cells tagged `author`, such as this
# one, stay in the source. No jupytext header: the builder
# writes the notebook's metadata.
#
# - `python -m tools.rules.lint --rules` lists the rules, `python -m tools.rules.lint NN --stats`
#   counts cells, lines and words.
# - Change the numbers 00, the file's name in links, and the topic. The badge, the line of links at
#   top and end and the set-up cell before the imports are put in by the builder, the same in every
#   notebook.
# - Leave the parameters cell as it is.
# - A step: predict (a question the reader can answer before running), run, explain (the result read
#   aloud). The mistake comes before its repair. A figure or table is followed by its reading.
# - Guide: about six words of prose per line of code, half of the code cells at most 5 lines, 35-60
#   cells. Gates: 25 lines a cell, 100 characters a line of code (`ruff format` wraps there).
# - Predictions are recorded (`guess`), 6-8 a lesson, 4 a case: notebooks/src/04_splitting.py shows
#   how. In a notebook that records any, tools/rules/lint_hands.py also counts the core (steps not
#   marked ` · deeper`), helper names and more.
# - A figure is a `plots.Picture` as a cell's last line: it carries the alt text.
# - At least half of the cells that print are tagged `nbval-check-output`: what no machine changes
#   (counts, shapes, names, splits) is printed in cells of its own, and a test run compares it.
# - A sentence that says more, less or the best is a verdict: `tools/rules/verdicts.py` says what
#   stands behind it.
# - What one says who teaches the lesson stands in cells tagged `instructor`: `tools/build/notes.py`
#   shows one. No notebook holds them; their minutes add up to the time that the lesson states.
# - A number quoted in prose is computed in the lesson, or carries a tolerance that a test checks.
# - An error meant to be seen is caught and its message printed. No data set is named but by
#   DATASET.
# - Execution on the phantoms: `python -m tools.build --execute NN`.

# %% [markdown]
# # 00 · Topic of the lesson
#
# > **Educational, not for diagnosis.** Nothing here may be used to decide about a patient.
#
# One or two sentences: the question this lesson answers (*Can we build it?*), and why it matters.
#
# **You will be able to**
#
# - do the first thing;
# - judge the second.
#
# **Time and hardware.** 45 minutes, less than one of them computing; two processor cores, no GPU.
#
# **Prerequisites.** Python and NumPy; none of the other lessons.

# %% [markdown]
# ## Set-up
#
# The first cell makes sure that the course's package is there, the second imports what this
# notebook uses.

# %% tags=["imports"]
import os

from cxr_helpers import datasets

# %% [markdown]
# `MODE = "class"` is quick, `"full"` is thorough. Change a value here, or set the environment
# variable of that name.

# %% tags=["parameters"]
MODE = os.environ.get("CXR_MODE", "class")
DATASET = os.environ.get("CXR_DATASET", "phantom")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))

# %% [markdown]
# ## Step 1 · Count the classes
#
# One or two sentences that lead to the question.
#
# **Predict.** How many images does the rarest class have: as many as the others, half, a tenth?

# %% tags=["nbval-check-output"]
table = datasets.load(DATASET, DATA_DIR)
table["label"].value_counts()

# %% [markdown]
# **Explain.** What the numbers say, and what follows for the next step.

# %% [markdown]
# ## Key points
#
# - One sentence per objective.

# %% [markdown]
# ## What next
#
# Practise it first: [exercise 00](../exercises/00_topic_exercise.ipynb), whose checks answer at
# once.
#
# The next lesson asks what this one leaves open.

# %% [markdown]
# ## Sources and licence
#
# Authors, year, doi of what was used. Text: CC BY 4.0. Code: MIT. The images' licence is in
# `data/README.md`.

# %% [markdown] tags=["author"]
# In the index: what one will do, in one line, beginning with a verb
