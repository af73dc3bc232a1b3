"""What lint needs of language: content words, likeness of two texts, questions that ask two things, vague words.

Word lists are English, Portuguese and Spanish, in which rubrics are written most; another language is checked less, not
wrongly. Nothing here knows a rubric.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_FUNCTION_WORDS = frozenset(
    _WORD.findall("""
    a an the this that these those it its he she they them their his her him who whom whose which what when where why
    how i you we us our your my me is are was were be been being am do does did done has have had having can could may
    might must shall should will would not no nor neither and or but if then than as so too also only just even still
    yet of in on at to from by for with without about into onto over under between before after during within out up
    down off any all each every some one two more most other another such same there here very really clearly plainly
    um uma o os as de do da dos das em no na nos nas por para com sem que e ou se não foi é ser são ao à sua seu
    el la los las un una de del en por para con sin que y o si no fue es ser son al su sus lo le se
    """)
)
# What nearly every criterion says, so that it tells none from another.
_SUBJECT_WORDS = frozenset(_WORD.findall("ai agent assistant bot customer human conversation message said say"))
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "ies", "ers", "er", "ly", "es", "s")

_AUXILIARY = "did|does|do|was|were|is|are|has|have|had|can|could|should|would|will|foi|é|está|tem|fue|es|tiene"
_SUBJECT = "the|it|its|they|he|she|you|this|that|these|those|there|a|an|any|all|o|os|as|ele|ela|el|la|los|las|él|ella"
_ASKING = "how|what|why|when|where|como|qual|quando|por que|cómo|cuál|cuándo|por qué"
# "…, and was it polite?" asks a second question; "…, or should have?" only completes the first.
_SECOND_CLAUSE = re.compile(
    rf"(?:\b(?:and|or|but|e|ou|y|o)\b|[,;])\s+(?:(?:{_AUXILIARY})\s+(?:{_SUBJECT})\b|(?:{_ASKING})\s+(?:{_AUXILIARY})\b)",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"\b(?:that|which|who|whom|whose|when|while|where|if|than|without|before|after|because|until|although|for which|"
    r"que|quando|onde|se|sem|antes|depois|porque|cuando|donde|si|sin|después)\b",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\band/or\b|\bas well as\b|\be/ou\b|\by/o\b|\bassim como\b|\basí como\b", re.IGNORECASE)
_AND = re.compile(r"(?<!\bboth)\s(?:and|e|y)\s", re.IGNORECASE)
_PAIR = re.compile(r"\b(?:between|entre)\b", re.IGNORECASE)

_VAGUE = re.compile(
    r"\b(?:in)?(?:appropriate(?:ly)?|adequate(?:ly)?|sufficient(?:ly)?)\b|"
    r"\b(?:properly|proper|improper(?:ly)?|suitable|suitably|reasonable|reasonably|satisfactory|satisfactorily|acceptable|"
    r"good|bad|badly|poor|poorly|nice|nicely|great|excellent|optimal|professional|professionally|helpful|unhelpful|"
    r"high-quality|low-quality|timely|user-friendly|somehow|somewhat|etc|and so on|if necessary|as needed|"
    r"adequad[oa]s?|inadequad[oa]s?|apropriad[oa]s?|razoável|bom|boa|ruim|suficiente|"
    r"adecuad[oa]s?|inadecuad[oa]s?|apropiad[oa]s?|razonable|buen[oa]?|mal[oa])\b",
    re.IGNORECASE,
)


def content(text: str) -> frozenset[str]:
    """The words that carry the meaning, roughly stemmed."""
    words = (word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    said = (word for word in words if word not in _FUNCTION_WORDS and word.removesuffix("s") not in _SUBJECT_WORDS)
    return frozenset(map(_stem, said))


def likeness(one: str, other: str) -> float:
    """Shared content words over all content words (Jaccard), 0 to 1; texts of under three words are like nothing."""
    a, b = content(one), content(other)
    if min(len(a), len(b)) < 3:
        return 1.0 if a and a == b else 0.0
    return len(a & b) / len(a | b)


def adds(text: str, to: str) -> int:
    """How many content words the text has that `to` has not."""
    return len(content(text) - content(to))


def asks_twice(question: str) -> str | None:
    """The words at which a question begins to ask a second thing, or None.

    Two question marks; a second clause with its own verb; or an "and" in the main clause ("polite and correct"), which
    a single answer cannot serve. An "or" between alternatives, and what stands in a subordinate clause, are one thing.
    """
    if len(re.findall(r"[?？؟]", question)) > 1:
        return question[question.index("?") + 1 :].strip() if "?" in question else question
    for pattern in (_SECOND_CLAUSE, _BOTH):
        if found := pattern.search(question):
            return _from(question, found.start())
    main = _SUBORDINATE.split(question, maxsplit=1)[0]
    found = _AND.search(main)
    if found and not _PAIR.search(main[: found.start()]):
        return _from(question, found.start())
    return None


def vague(text: str) -> list[str]:
    """The words that each reader weighs differently, in order, each once."""
    return list(dict.fromkeys(match.group().lower() for match in _VAGUE.finditer(text)))


def _from(text: str, start: int) -> str:
    return text[start:].strip(" ,;")


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
