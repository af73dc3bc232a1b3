"""Whether words say something as settled in the speaker's own name, or only refuse it, wish it, ask others for it, or
make it hang on them. Looks at the clause and the sentence of a hit; knows no conversation.
"""

from __future__ import annotations

import re

from grader.judge.signals.words import Hit, Words, word_set

_NO = word_set(
    "not can't cannot couldn't won't don't didn't doesn't isn't aren't wasn't haven't hasn't cant dont wont unable "
    "never no without nobody neither nor unfortunately "
    "nao nunca sem nem nenhum nenhuma ninguem impossivel infelizmente "
    "tampoco sin ni ningun ninguna nadie imposible lamentablemente"
)
_HEDGES = word_set(
    "would wouldn't could might may wish whether if unless see ask asks asked asking request requested requesting "
    "suggest propose recommend check try trying considered consider hope love allowed note notes about before until "
    "poderia podia pudesse queria quisera adoraria talvez pedir peco pedi pedindo solicitar solicito solicitei "
    "consultar ver verificar avaliar perguntar tentar sugerir nota observacao anotacao sobre antes "
    "podria pudiera quisiera quiza quizas ojala pido solicite preguntar pregunto intentar tratar acerca hasta"
)
_OTHERS = word_set(
    "supervisor supervisors supervisora manager managers colleague colleagues team they she someone somebody who "
    "gerente colega colegas equipe setor alguem quem ele ela eles elas "
    "companera companero companeros companeras equipo encargado encargada alguien quien ella ellos ellas"
)
_TURNS = word_set("but mas pero porem however sino")
_IF = word_set("if unless se si caso")
_LIKES = word_set("you'd like want wish prefer helps quiser quer preferir quieres quiere queres gustas prefieres")
_WHEN = word_set("once when until after as quando cuando assim apos despues depois")
_TAGS = word_set("ta ok okay certo combinado vale alright right viu bem bien bueno sim si deal parece beleza blz")
_TAG = 4  # words at a sentence's end among which the comma before a tag question stands
_BREAK = re.compile(r"[,;:()]|\s[-–—]\s")


def is_settled(words: Words, hit: Hit) -> bool:
    """Said as a fact, by the speaker and of the speaker."""
    sentence = words.sentences[hit.sentence]
    if sentence.asks and not _ends_in_tag(words, sentence.last):
        return False
    clause = _clause(words, hit)
    doubts = clause & (_NO | _HEDGES)
    if doubts and not (doubts == {"would"} and _would_like(words, hit, sentence.last)):
        return False
    return _OTHERS.isdisjoint(clause) and not hangs_on(words, hit) and not _waits_for_others(words, hit)


def is_foretold(words: Words, hit: Hit) -> bool:
    """Said as a fact of what others will do."""
    return (
        not words.sentences[hit.sentence].asks
        and _clause(words, hit).isdisjoint(_NO | _HEDGES)
        and not hangs_on(words, hit)
    )


def hangs_on(words: Words, hit: Hit) -> bool:
    """An "if" stands in the sentence, other than "if you like"."""
    sentence = words.sentences[hit.sentence]
    return any(
        _is_if(words, i, sentence.first) and _LIKES.isdisjoint(words.tokens[i + 1 : min(i + 4, sentence.last)])
        for i in range(sentence.first, sentence.last)
        if words.tokens[i] in _IF
    )


def turns(words: Words, hit: Hit) -> bool:
    """A "but" stands in the sentence before the hit."""
    return not _TURNS.isdisjoint(words.tokens[words.sentences[hit.sentence].first : hit.first])


def _clause(words: Words, hit: Hit) -> set[str]:
    """The words from the last comma or "but" before the hit to its end, but for "no problem" and its like."""
    first = words.sentences[hit.sentence].first
    start = next((i for i in range(hit.first, first, -1) if _opens(words, i)), first)
    calm = {i for at in words.within(hit.sentence, "calms") for i in range(at.first, at.last)}
    return {words.tokens[i] for i in range(start, hit.last) if i not in calm}


def _opens(words: Words, i: int) -> bool:
    """A clause begins at this word, which is not the text's first."""
    return words.tokens[i - 1] in _TURNS or bool(_BREAK.search(words.text, words.ends[i - 1], words.starts[i]))


def _would_like(words: Words, hit: Hit, end: int) -> bool:
    """ "I would like to offer you" is a promise, unless a "but" follows."""
    return "like" in words.tokens[hit.first : hit.last] and _TURNS.isdisjoint(words.tokens[hit.last : end])


def _ends_in_tag(words: Words, last: int) -> bool:
    """ "…, ok?" asks nothing."""
    gaps = range(max(0, last - _TAG), last - 1)
    return words.tokens[last - 1] in _TAGS and any(
        _BREAK.search(words.text, words.ends[i], words.starts[i + 1]) for i in gaps
    )


def _waits_for_others(words: Words, hit: Hit) -> bool:
    """ "Once a supervisor agrees"."""
    sentence = words.sentences[hit.sentence]
    tokens = words.tokens[sentence.first : sentence.last]
    return not _WHEN.isdisjoint(tokens) and not _OTHERS.isdisjoint(tokens)


def _is_if(words: Words, i: int, first: int) -> bool:
    """Not "sí", and neither the "se" of "se preocupe" nor the "caso" of "nesse caso": those open no clause."""
    word = words.tokens[i]
    if word == "si":
        follows = words.text[words.ends[i] : words.ends[i] + 1]
        return words.text[words.starts[i] : words.ends[i]].lower() == "si" and follows != ","
    return word not in ("se", "caso") or i == first or _opens(words, i)
