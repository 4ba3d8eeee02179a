"""What builds, checks and runs the course.

Each module is a command: `python -m tools.NAME --help`.
"""
