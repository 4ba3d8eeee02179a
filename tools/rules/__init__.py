"""What finds mistakes in the course: `python -m tools.rules.check` runs all that is quick."""
