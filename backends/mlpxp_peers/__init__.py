"""The libraries that are measured against and exchanged with, each in the modules that are named after it.

A module here imports its library when it is imported itself: ask for it by name, and only then. The core never does it otherwise.
"""
