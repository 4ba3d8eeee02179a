"""Measurements behind the figures of the course.

Each module prints a table and writes it as CSV beside itself.
"""
