"""What builds, checks, runs and marks the course.

Each module is a command: `python -m tools.NAME --help`. `build` makes what is committed and shown
from its sources, `rules` finds what contradicts them, `marking` is the instructor's side; what sets
up and runs the course stands here.
"""
