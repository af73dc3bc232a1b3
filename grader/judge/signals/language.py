"""Which of three languages a text is in, by a vote of its commonest words. Knows no other language, and says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from grader.judge.signals.words import Words, word_set

Language = Literal["en", "pt", "es"]

# The commonest words of each, as people write them in chats (accents folded away). What two languages share votes for
# neither; "com" and "e" stand in addresses.
_COMMON: dict[Language, str] = {
    "en": (
        "the and you your is it's to of i'm for with this that have has my was are be can will it on at not we our or "
        "if what please would thanks when which they but from how there its been just don't i'll hi hello here in i do "
        "did so"
    ),
    "pt": (
        "voce vc nao os em um uma seu sua isso obrigado obrigada ate pra pelo pela foi ja oi ao aos das dos do "
        "da na no "
        "se meu minha esta posso quer pode muito bom boa dia tudo bem aqui fica sao mais mas dele quando ou "
        "nosso nossa "
        "ola por para que de o a te tem"
    ),
    "es": (
        "el los las y un una con su tu usted del al pero muy hola gracias por favor lo le te mi es son esta puedo "
        "quiere aqui ya hay cuando buenas buenos tardes si hasta nuestro nuestra ese eso sin mas en que de se no a para"
    ),
}
_LISTS = {language: word_set(words) for language, words in _COMMON.items()}
VOTES: dict[str, Language] = {
    word: language
    for language, words in _LISTS.items()
    for word in words
    if sum(word in other for other in _LISTS.values()) == 1
}
# Words that say nothing of a case: the common ones, and those of which every hand-off is made.
EMPTY_WORDS = frozenset().union(*_LISTS.values()) | word_set(
    "customer client user help needs need wants want asks ask asking about question request requests issue "
    "problem support "
    "assistance assist human person agent colleague team please urgent transfer transferred speaking speak "
    "talk case contact "
    "regarding related has had having further being cannot could order number "
    "cliente usuario usuaria ajuda precisa quer pede solicita duvida duvidas pergunta problema atendente "
    "atendimento humano "
    "pessoa falar caso contato sobre favor suporte apoio encaminhado transferido pedido deseja gostaria "
    "assunto questao com "
    "ayuda necesita quiere pide consulta duda pregunta inconveniente asesor agente persona hablar contacto "
    "apoyo soporte "
    "requiere solicitud tema asunto atencion orden numero tiene tem uma"
)
_SHARE = 0.12  # of all words: running text of the three languages has a third or more of such words
_CLEAR = 1.6  # times as many votes as the runner-up


def votes(words: Words) -> Counter[Language]:
    """Votes of a text's words for each language."""
    return Counter(VOTES[t] for t in words.tokens if t in VOTES)


def language_of(texts: Iterable[Words], at_least: int = 3) -> Language | None:
    """The language that most words vote for; None when too few vote for it to be told."""
    total: Counter[Language] = Counter()
    count = 0
    for words in texts:
        total += votes(words)
        count += len(words.tokens)
    if not total:
        return None
    language, first = total.most_common(1)[0]
    return language if first >= at_least and first >= _SHARE * count else None


def clearly(words: Words, at_least: int) -> Language | None:
    """The language of one text, where it beats the others clearly."""
    ranked = votes(words).most_common(2)
    if not ranked or ranked[0][1] < at_least:
        return None
    return ranked[0][0] if len(ranked) == 1 or ranked[0][1] >= _CLEAR * ranked[1][1] else None
