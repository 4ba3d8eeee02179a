"""What builds, checks and runs the course: each module is a command, `python -m tools.NAME
--help`.
"""
