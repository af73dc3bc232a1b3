"""Blind labels: which conversations people are asked about, what they are given to read, and what they answered.

A plan is drawn and stored before the first label, so that every label's chance is known. What a reviewer is given is
made of the conversation and the rubric alone: nothing that leads to a verdict goes further than the plan.
"""

from grader.labelling.plan import Item, LabelPlan, Question

__all__ = ["Item", "LabelPlan", "Question"]
