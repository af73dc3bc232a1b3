"""Reports of a run: one self-contained HTML file for people, JSON and CSV for programs.

`write` makes the file, `text` gives its contents. Figures come from `grader.outcomes`; nothing here counts.
"""

from grader.report.masks import Masks
from grader.report.write import FORMATS, Format, Settings, text, write

__all__ = ["FORMATS", "Format", "Masks", "Settings", "text", "write"]
