# `make` lists what can be made. Each target sets up what it needs.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup lab author run check test test-python test-slow test-exercises proofs test-notebooks test-real test-papermill
.PHONY: test-newest test-lowest test-windows test-splits test-colab requirements stability notebooks exercises pages release collect grade
.PHONY: label-worth summary feedback grades slides phone site test-site test-lab stamp clean

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# Finished environments: for students, and with what authors, instructors and the tests need besides.
COURSE_READY := $(VENV)/.course
READY := $(VENV)/.dev
# The web site's, which neither students nor tests of the course need.
SITE := .venv-site
SITE_READY := $(SITE)/.site

# Settings of the lessons, passed on only when set. A relative folder begins at this one, wherever a kernel runs.
ifdef MODE
export CXR_MODE := $(MODE)
endif
ifdef DATASET
export CXR_DATASET := $(DATASET)
endif
ifdef DATA_DIR
export CXR_DATA_DIR := $(DATA_DIR)
endif
ifdef SEED
export CXR_SEED := $(SEED)
endif
unexport MPLBACKEND
export TF_CPP_MIN_LOG_LEVEL := 3

# Radiographs of the test on a real set: a given folder, else one beside the checkout, else a few drawn images.
DRAWN := build/drawn/.ready
ifdef CXR_TEST_DATA
TEST_DATA := $(CXR_TEST_DATA)
else ifneq ($(wildcard ../shared/data/covid19-image-dataset),)
TEST_DATA := ../shared/data
else
TEST_DATA := build/drawn
NEEDS_DRAWN := $(DRAWN)
endif
# Two processes on two cores: threads of one that wait for one another cost more than they bring.
ONE_CORE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
TESTS := -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder
PYTEST := $(ONE_CORE) $(BIN)/python $(TESTS)
# A kernel of this environment is used, whatever `python3` is elsewhere; the cells of a file stay on one worker; kernels
# are forked from a process that has imported the large libraries (tools/warm.py).
# Cells tagged nbval-check-output are compared with the committed outputs: those of the phantom, class mode, seed 0.
NBVAL := -p tests.warm_kernels --nbval-lax --nbval-current-env --nbval-sanitize-with=tests/notebooks/sanitize.cfg --nbval-cell-timeout=600 --durations=10
# Where the tests draw phantoms and keep caches, once for all of them.
SHARED := CXR_WORK_DIR=build/phantom
ON_REAL := --jobs $(JOBS) --dataset covid19-image-dataset --data-dir "$(TEST_DATA)"
# All that is checked without pytest runs beside it: its report is printed after the tests', and either may fail.
BESIDE = mkdir -p build; $(BIN)/python -m tools.rules.check >build/check.log 2>&1 & checks=$$!;
BOTH = tests=$$?; wait $$checks; checks=$$?; cat build/check.log; exit $$((tests | checks))
LESSONS := $(wildcard notebooks/*.ipynb notebooks/cases/*.ipynb)

help: ## list the targets and variables
	@echo "make TARGET [VARIABLE=value ...]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s%s\n", $$1, $$2 }' Makefile
	@echo "variables"
	@echo "  DATASET         data set of the lessons (default: phantom, drawn on first use)"
	@echo "  DATA_DIR        folder that holds the data sets (default: data)"
	@echo "  MODE            class (default, quick) or full"
	@echo "  SEED            seed of every lesson (default: 0)"
	@echo "  JOBS            lessons and tests at a time (default: 2)"
	@echo "  LESSON          lessons to run, such as \"01 04\" (default: all)"
	@echo "  ASSIGNMENT      exercise to release or grade, such as 04_splitting_exercise"
	@echo "  COURSE          the instructor's course folder (default: course)"
	@echo "  FROM            for collect: the downloaded zip of submissions, or its folder"
	@echo "  ROSTER          for grades: the class as Moodle or Canvas exports it; FORMAT is moodle or canvas"
	@echo "  OVERLAY         folder of an instructor's own seed, tests and solutions (default: none)"
	@echo "  REPO            for stamp: the course's address (default: that of the git remote origin)"
	@echo "  RELEASE         for stamp: a tag that links lead to (default: the branch main)"
	@echo "  PYTHON          interpreter of the environment, 3.11 to 3.13 (default: python3)"
	@echo "  CXR_TEST_DATA   folder of real data sets for the tests (default: drawn images)"

setup: $(READY) ## make the environment .venv with everything in it
	@echo "ready with $$($(BIN)/python --version): make lab"

FIND_PYTHON = @command -v "$(PYTHON)" >/dev/null || { echo "no $(PYTHON): name a Python: make PYTHON=python3.12" >&2; exit 1; }

# A finished environment is kept, whatever PYTHON is.
$(COURSE_READY): requirements.txt pyproject.toml
	$(FIND_PYTHON)
	@"$(PYTHON)" -m tools.setup --venv "$(VENV)"

$(READY): requirements-dev.txt pyproject.toml
	$(FIND_PYTHON)
	@"$(PYTHON)" -m tools.setup --dev --venv "$(VENV)"

$(SITE_READY): requirements-site.txt pyproject.toml
	$(FIND_PYTHON)
	@"$(PYTHON)" -m tools.setup --site --venv "$(SITE)"

lab: $(COURSE_READY) ## open the course in JupyterLab
	$(BIN)/python -m tools.lab

author: $(READY) ## open JupyterLab with the sources, nbgrader and jupytext, for authors and instructors
	$(BIN)/python -m tools.lab --author

check: $(READY) ## style, types, notebooks against sources and rules, fast tests: under two minutes
	@$(BESIDE) $(PYTEST) -m "not slow" tests; $(BOTH)

test: test-python test-notebooks test-real ## everything that a change must pass

test-python: $(READY) ## what `check` does, with the slow tests and those of the exercises
	@$(BESIDE) $(PYTEST) --durations=10 tests; $(BOTH)

test-slow: $(READY) ## the tests that `check` leaves out
	$(PYTEST) -m slow --durations=5 --ignore=tests/exercises

test-exercises: $(READY) ## solutions, stubs, misconceptions, and a whole class released, marked and given feedback
	$(PYTEST) tests/exercises --durations=5

proofs: $(READY) ## other people's answers to the exercises at forty seeds; all answers across the border; two ways to mark
	$(ONE_CORE) $(BIN)/python -m tests.exercises.proofs $(LESSON)
	$(ONE_CORE) $(BIN)/python -m tests.exercises.proofs.across $(LESSON)
	$(BIN)/python -m tests.exercises.proofs.alike

test-notebooks: $(READY) ## run every notebook on the phantom as a test: timing, and marked cells against their outputs
	@test -n "$(LESSONS)" || { echo "no notebooks: make notebooks" >&2; exit 1; }
	CXR_DATASET=phantom CXR_MODE=class CXR_SEED=0 CXR_GUESS=example TQDM_DISABLE=1 $(SHARED) $(PYTEST) $(NBVAL) $(LESSONS)

# The students' copies, and so both copies of every notebook run. Their deeper steps are those of the executed copies:
# leaving them out shows that the core needs none of them.
test-real: $(READY) $(NEEDS_DRAWN) ## the core of every student's copy by papermill, on case E's set or drawn images
	$(SHARED) $(ONE_CORE) $(BIN)/python -m tools.run --student --core --warm $(ON_REAL) --output build/real

test-papermill: $(READY) $(NEEDS_DRAWN) ## every student's copy, deeper steps too, on case E's set or drawn images in its layout
	$(SHARED) $(BIN)/python -m tools.run --student --warm $(ON_REAL) --output build/papermill

$(DRAWN): $(READY) tests/draw.py
	$(BIN)/python -m tests.draw build/drawn
	@touch $@

run: $(READY) ## run the lessons headless; executed copies and HTML pages in output/
	$(BIN)/python -m tools.run --jobs $(JOBS) $(LESSON)

notebooks: $(READY) ## rebuild the notebooks whose source changed, with outputs of the phantom
	$(BIN)/python -m tools.build --execute

exercises: $(READY) ## rebuild the students' exercise notebooks from their sources
	$(BIN)/python -m tools.build.exercises

phone: $(READY) ## draw, train and measure what the site's page for a phone shows, in two minutes
	$(BIN)/python -m tools.build.phone

pages: $(READY) ## rebuild what is made without running anything: diagrams, notebooks' texts, exercises, pages
	$(BIN)/python -m tools.build.diagrams
	$(BIN)/python -m tools.build
	$(BIN)/python -m tools.build.exercises
	$(BIN)/python -m tools.build.results
	$(BIN)/python -m tools.build.index

requirements: $(READY) ## write the versions known to work together into requirements.txt and requirements-dev.txt
	$(BIN)/python -m tools.requirements

test-newest: ## the fast tests with the newest version of everything, in an environment of its own
	"$(PYTHON)" -m venv --clear build/newest
	build/newest/bin/python -m pip install --quiet -e ".[dev]"
	$(ONE_CORE) build/newest/bin/python $(TESTS) -m "not slow"

test-lowest: $(READY) ## the fast tests with the lowest versions that pyproject.toml allows (needs Python 3.11)
	$(BIN)/python -m tools.requirements --resolution lowest-direct --folder build/lowest
	"$(PYTHON)" -m venv --clear build/lowest/venv
	build/lowest/venv/bin/python -m pip install --quiet -r build/lowest/requirements-dev.txt
	$(ONE_CORE) build/lowest/venv/bin/python $(TESTS) -m "not slow"

# Tests of files, archives, images, the cache, the terminal, checks and the course folder.
ON_WINDOWS := $(patsubst %,tests/unit/test_%.py,cli console datasets fetch files guess images phantom predictions preprocess road) \
	tests/exercises/test_border.py tests/exercises/test_checks_core.py tests/exercises/test_tools_course.py

test-windows: $(READY) ## what touches the system, on Linux with what Windows lacks or refuses taken away
	PYTHONIOENCODING=cp1252 $(PYTEST) -p tests.windows -m "not slow" $(ON_WINDOWS)

test-splits: $(READY) ## the same splits on every version of scikit-learn, in environments of their own
	$(BIN)/python -m tools.rules.splits

stability: $(READY) ## do the verdicts hold? every notebook with verdicts nine times, for hours; goes on where it stopped
	$(BIN)/python -m tools.rules.stability $(LESSON); status=$$?; $(BIN)/python -m tools.build.results; exit $$status

label-worth: $(READY) ## what labels are worth and the model elsewhere, on real radiographs again: make label-worth DATA=FOLDER
	$(BIN)/python -m benchmarks.external $(if $(DATA),--data-dir "$(DATA)")
	$(BIN)/python -m benchmarks.label_worth $(if $(DATA),--data-dir "$(DATA)")
	$(BIN)/python -m tools.build.results

test-colab: $(READY) ## every notebook, whole, with Google Colab's versions; goes on where it stopped: make test-colab PYTHON=python3.13
	$(BIN)/python -m tools.colab --python "$(PYTHON)"

# The instructor's side: exercises/README.md says how. COURSE lies outside the repository or is ignored by git.
COURSE ?= course
IN_COURSE = --course "$(COURSE)" $(if $(OVERLAY),--overlay "$(OVERLAY)")

release: $(READY) ## hand out an exercise: make release ASSIGNMENT=04_splitting_exercise COURSE=...
	$(BIN)/python -m tools.course release $(ASSIGNMENT) $(IN_COURSE)

collect: $(READY) ## sort a zip from Moodle or Canvas: make collect ASSIGNMENT=04_splitting_exercise COURSE=... FROM=zip
	$(BIN)/python -m tools.course collect $(ASSIGNMENT) $(IN_COURSE) $(if $(FROM),--from "$(FROM)")

grade: $(READY) ## mark what was handed in and is not marked yet: make grade ASSIGNMENT=04_splitting_exercise COURSE=...
	$(BIN)/python -m tools.course grade $(ASSIGNMENT) $(IN_COURSE) --jobs $(JOBS)

summary: $(READY) ## what the class got wrong most: make summary ASSIGNMENT=04_splitting_exercise COURSE=...
	$(BIN)/python -m tools.course summary $(ASSIGNMENT) $(IN_COURSE)

feedback: $(READY) ## write the feedback pages, and Moodle's zip of them: make feedback ASSIGNMENT=04_splitting_exercise COURSE=...
	$(BIN)/python -m tools.course feedback $(ASSIGNMENT) $(IN_COURSE)

grades: $(READY) ## write all marks as a CSV table: make grades COURSE=... [ROSTER=roster.csv FORMAT=moodle or canvas]
	$(BIN)/python -m tools.course grades $(IN_COURSE) $(if $(ROSTER),--roster "$(ROSTER)") $(if $(FORMAT),--format $(FORMAT))

slides: $(READY) ## slides of the lessons, one HTML page each, in output/slides/
	$(BIN)/python -m tools.build.slides $(LESSON)

site: $(SITE_READY) ## the course as a web site in output/site/, from the executed notebooks
	$(SITE)/bin/python -m tools.build.site

test-site: site $(READY) ## every page of the site, and exported ones, in Chromium: links, alt texts, requests, accessibility
	$(BIN)/python -m tests.browser.pages build/pages
	$(SITE)/bin/python -m pytest -q tests/browser/test_site.py tests/browser/test_phone.py tests/browser/test_exported.py

test-lab: $(READY) ## the student's way in JupyterLab in Chromium, and each copy by Run All: an hour; adds playwright to .venv
	$(BIN)/python -m pip install --quiet playwright
	CXR_RUN_ALL=1 $(ONE_CORE) $(BIN)/python -m pytest -q --log-cli-level=INFO tests/browser/test_lab.py \
		tests/browser/test_predictions.py tests/browser/test_sliders.py tests/browser/test_upload.py tests/browser/test_run_all.py

stamp: $(READY) ## write the course's address into links and set-up cells: make stamp, or make stamp REPO=https://...
	$(BIN)/python -m tools.stamp $(REPO) $(if $(RELEASE),--release $(RELEASE))
	@touch $(COURSE_READY) $(READY)  # pyproject.toml is newer now, and asks for nothing else
	@test ! -e $(SITE_READY) || touch $(SITE_READY)
	$(MAKE) --no-print-directory pages

clean: ## delete what was generated; the environment, data and notebooks stay
	rm -rf build output .pytest_cache .ruff_cache
	find . \( -path ./$(VENV) -o -path ./$(SITE) \) -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints -o -name .ruff_cache \) -exec rm -rf {} +
