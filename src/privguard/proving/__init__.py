"""Proves that a site forgets: sends marked submissions, and looks for the marks in everything that it wrote."""

from ._proof import prove_forgetting
from ._report import CannotProve, Finding, Report

__all__ = ["CannotProve", "Finding", "Report", "prove_forgetting"]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
