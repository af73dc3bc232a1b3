"""Codes taken together: "any critical defect", "any defect". What judge and people say of a conversation as a whole.

A composite is no sum of rates: codes stand together in one conversation, and a flag on one code may be right by
another. So it is answered per conversation, from the very verdicts and labels of its codes, and then calibrated as a
code is. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.calibration.instrument import Instrument
from grader.labelling.design import UNSUPPORTED
from grader.language import N_
from grader.model import Answer, digest

ALL = "(all)"  # stands for the rubric: no rubric can have this name
ANY_CRITICAL, ANY_DEFECT = "any_critical", "any_defect"
TITLES: Mapping[str, str] = {ANY_CRITICAL: N_("Any critical defect"), ANY_DEFECT: N_("Any defect")}
SEVERITIES: Mapping[str, frozenset[str] | None] = {ANY_CRITICAL: frozenset({"critical"}), ANY_DEFECT: None}
CODES_OF: Mapping[str, str] = {ANY_CRITICAL: N_("critical codes"), ANY_DEFECT: N_("defect codes")}
IN_PART = "in_part"  # nothing found, and not every code could be answered


@dataclass(frozen=True, slots=True)
class Composite:
    """Defect codes (`members`, by name) as one, with the set of instruments that judge them.

    `instrument` stands for the set: it is another one as soon as any of them is, or other codes are in it.
    """

    name: str
    members: tuple[str, ...]
    instruments: tuple[Instrument, ...]

    @property
    def question(self) -> str:
        """(all).any_critical"""
        return f"{ALL}.{self.name}"

    @property
    def title(self) -> str:
        """In words."""
        return TITLES[self.name]

    @property
    def instrument(self) -> Instrument:
        """The set as one."""
        mine = sorted(self.instruments, key=lambda i: i.rubric)
        content = [[list(i.identity) for i in mine], sorted(self.members)]

        def of(name: str) -> str:
            return " + ".join(dict.fromkeys(getattr(i, name) for i in mine))

        return Instrument(
            of("judge"), of("model"), of("parameters_hash"), of("prompt_hash"), ALL,
            " + ".join(f"{i.rubric} {i.rubric_version}" for i in mine), digest("ci", content),
        )  # fmt: skip

    def lacks(self, asked: Collection[str]) -> str:
        """`ask 4 of 7 critical codes` where not all of them are asked; '' where they are."""
        n = sum(name in asked for name in self.members)
        some = N_("ask {n} of {of} {told_codes}")
        of = len(self.members)
        return "" if n == of else some.format(n=n, of=of, told_codes=CODES_OF[self.name])


def composites(
    instruments: Iterable[Instrument], criteria: Mapping[str, Sequence[tuple[str, str, str]]]
) -> tuple[Composite, ...]:
    """What can be taken together of these judges. `criteria`: by rubric (code, scale, severity), of the version that
    judged: severities are no part of a rubric's meaning, and another version may have others.
    """
    mine = sorted(instruments, key=lambda i: i.rubric)
    found = []
    for name, severities in SEVERITIES.items():
        members = [
            (i, f"{i.rubric}.{code}")
            for i in mine for code, scale, severity in criteria.get(i.rubric, ())
            if scale == "defect" and (severities is None or severity in severities)
        ]  # fmt: skip
        if members:
            used = {i.identity: i for i, _ in members}
            found.append(Composite(name, tuple(dict.fromkeys(code for _, code in members)), tuple(used.values())))
    return tuple(found)


def verdict(answers: Iterable[str | None]) -> str | None:
    """What a judge says of a conversation by all codes: present as soon as one is flagged with proof.

    None is flagged: absent where all are answered, *not applicable* too; a flag without proof stands by itself, and so
    does IN_PART. Nothing was answered: cannot_assess, or None where no verdict could be had. This is how the figures
    `critical_defect` and `defect` count, so that the raw rate is theirs.
    """
    said = list(answers)
    known = [a for a in said if a not in (None, Answer.CANNOT_ASSESS.value)]
    if Answer.PRESENT.value in known:
        return Answer.PRESENT.value
    if not known:
        return Answer.CANNOT_ASSESS.value if any(a is not None for a in said) else None
    if UNSUPPORTED in known:
        return UNSUPPORTED
    return Answer.ABSENT.value if len(known) == len(said) else IN_PART


def reference(answers: Iterable[str | None]) -> str | None:
    """What people's settled answers to all codes amount to; None is one that they differ about.

    Present as soon as one is present, whatever else is open. Else nothing is known while any is open. Else IN_PART
    where some could not be assessed, and cannot_assess where none could. What cannot be assessed is an answer, and the
    figure is of conversations in which *a* code could be: leaving those out in which nothing was found, but not those
    in which something was, would lift the rate.
    """
    said = list(answers)
    if Answer.PRESENT.value in said:
        return Answer.PRESENT.value
    if None in said:
        return None
    unknown = sum(a == Answer.CANNOT_ASSESS.value for a in said)
    if unknown == len(said):
        return Answer.CANNOT_ASSESS.value
    return IN_PART if unknown else Answer.ABSENT.value


def looked(answers: Iterable[str]) -> str:
    """What one reviewer's answers amount to, for the agreement between reviewers: IN_PART has nothing found."""
    found = reference(answers)
    return Answer.ABSENT.value if found == IN_PART else str(found)
