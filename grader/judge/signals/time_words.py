"""The words for times in English, Portuguese and Spanish: months, weekdays, units, numbers and their neighbours."""

from __future__ import annotations

from collections.abc import Mapping

from grader.judge.signals.words import word_set


def _numbered(names: tuple[str, ...], first: int) -> dict[str, int]:
    return {name: number for number, line in enumerate(names, first) for name in line.split()}


MONTHS = _numbered(
    (
        "january jan janeiro enero ene",
        "february feb fevereiro fev febrero",
        "march mar marco marzo",
        "april apr abril abr",
        "may maio mai mayo",
        "june jun junho junio",
        "july jul julho julio",
        "august aug agosto ago",
        "september sep sept setembro set septiembre setiembre",
        "october oct outubro out octubre",
        "november nov novembro noviembre",
        "december dec dezembro dez diciembre dic",
    ),
    first=1,
)
# Only English writes the month before the day.
MONTH_FIRST = word_set(
    "january jan february feb march april apr may june jun july jul august aug september sept october oct november nov "
    "december dec"
)
NOT_ALONE = word_set("set out mar ago dez dic")  # words of their own: a month only after "de", "of" or "/"
WEEKDAYS = _numbered(
    (
        "monday segunda lunes",
        "tuesday terca martes",
        "wednesday quarta miercoles",
        "thursday quinta jueves",
        "friday sexta viernes",
        "saturday sabado",
        "sunday domingo",
    ),
    first=0,
)
# In Portuguese the weekdays are ordinals too ("a segunda vez"): without "feira" they need a word before them.
ORDINALS = word_set("segunda terca quarta quinta sexta")
BEFORE_WEEKDAY = word_set("na ate nesta esta essa nessa proxima ou dia da")
AFTER_ORDINAL = word_set(
    "vez via opcao tentativa etapa parte linha foto compra troca devolucao mensagem pessoa pergunta cobranca "
    "entrega peca "
    "unidade caixa etiqueta nota semana"
)
OFFSETS = {
    **dict.fromkeys(("today", "tonight", "hoje", "hoy"), 0),
    **dict.fromkeys(("tomorrow", "amanha", "manana"), 1),
    **dict.fromkeys(("yesterday", "ontem", "ayer"), -1),
}
BEFORE_MORNING = word_set("la de por esta toda cada buena")  # "la mañana" is the morning
# A part of today, by the words before it: "this afternoon", "a lo largo de la tarde", "até o fim do dia".
PARTS: Mapping[str, tuple[str, ...]] = {
    "afternoon": ("this",),
    "evening": ("this",),
    "tarde": ("esta", "nesta", "hoje a", "largo de la", "longo da", "durante la"),
    "noche": ("esta",),
    "noite": ("esta", "nesta", "hoje a"),
    "day": ("end of the", "end of", "course of the"),
    "dia": ("fim do", "final do", "fin del", "final del", "largo del", "longo do"),
}

HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 720.0, "year": 8760.0}
UNITS = {
    word: unit
    for unit, words in {
        "minute": "minute minutes min mins minuto minutos",
        "hour": "hour hours hr hrs h hs hora horas",
        "day": "day days dia dias",
        "week": "week weeks semana semanas",
        "month": "month months mes meses",
        "year": "year years ano anos",
    }.items()
    for word in words.split()
}
ENGLISH_UNITS = frozenset(HOURS)
HOUR_WORDS = word_set("h hs hrs horas hora")
BUSINESS = word_set("business working work uteis util habiles habil laborables laborable")
NUMBERS = {
    word: number
    for number, words in {
        1: "one a an um uma un una uno",
        2: "two couple dois duas dos",
        3: "three tres",
        4: "four quatro cuatro",
        5: "five cinco",
        6: "six seis",
        7: "seven sete siete",
        8: "eight oito ocho",
        9: "nine nove nueve",
        10: "ten dez diez",
        12: "twelve doze doce",
        14: "fourteen catorze catorce",
        15: "fifteen quinze quince",
        20: "twenty vinte veinte",
        30: "thirty trinta treinta",
    }.items()
    for word in words.split()
}
# "a week" is a length only after one of these: "um dia lindo" is none.
BEFORE_ONE = word_set(
    "in within about takes take up to em ate en dentro de demora demoram leva tarda tardan hasta after before por next "
    "another just only apenas so solo unas cerca"
)
OPENS = word_set("de das from between entre desde")
BEFORE_CLOCK = word_set("das dos as las la entre desde at from")
UNTIL = word_set("a as to ate hasta till until")
TO = word_set("to or a ou o e y and ate hasta")
OF = word_set("of de del do")
ORDINAL_MARKS = word_set("st nd rd th o")

TRIGGERS = frozenset(MONTHS) | frozenset(WEEKDAYS) | frozenset(OFFSETS) | frozenset(UNITS) | frozenset(PARTS)
