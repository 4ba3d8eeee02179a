"""Measurements behind the figures of the course; each module prints a table and writes it as CSV
beside itself.
"""
