"""How far a judge can be trusted: its verdicts held against what people said of the same conversations.

Numbers only: SQL counts, the records hold counts, rates are properties. Nothing here calls a judge.
"""

from grader.calibration.agreement import CodeAgreement, against_labels

__all__ = ["CodeAgreement", "against_labels"]
