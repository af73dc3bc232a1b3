"""Everybody who is named in the sample that ships, found by reading it: conversation and names as written."""

from __future__ import annotations

NAMED = """
qa-021 Mitch|Mitchell|Barr
qb-001 Socorro|Letícia|Leticia|Barros|Zé
qc-024 Rocío
qc-027 Gabriel|Tomás
qb-002 Diego|Yamashiro
qa-001 Sheila|Braithwaite
qc-002 Nicolás
qb-006 Helena|Prado
qb-004 Diego|Yamashiro|Rafa
qa-030 Tomás
qc-010 Nicolás|Tomás|Tomas
qa-002 Sheila|Braithwaite
qb-005 Jhennifer|Souza|Lobato
qa-022 Mitch|Mitchell|Rafa
qd-004 Patrícia|Sayuri|Kondo
qb-007 Gilmar|Tonietto|Bea
qa-012 Folake|Adeyemi|Bea
qa-032 Pat|Achterberg
qd-013 Patrícia|Sayuri|Kondo
qb-008 Wanderson|Teixeira
qa-024 Ritika|Bansal
qd-016 Nuria
qd-001 Hollis
qb-009 Luciane|Tomás
qa-005 Arjun
qc-009 Ximena
qd-009 Hollis|Dana
qc-029 Ximena
qd-026 Vanessa|Rafa|Bel
qb-012 Thiago|Cerqueira
qd-002 Quintela
qa-011 Lakshmi|Raman
qd-021 Marisol|Cázares|Ríos|Tomás|Evaristo
qb-018 Naiara|Conceicao|Ximena
qa-006 Arjun|Rafa
qb-014 Thiago|Cerqueira|Tomás
qc-019 Arturo|Ximena
qc-007 Osvaldo
qa-007 Aoife|Dhomhnaill
qd-030 Joaquín
qa-028 Declan|Foy
qc-020 Beto|Ximena
qc-011 Francisca|Riquelme
qb-019 Kelly|Anne
qa-016 Gethin
qc-032 Agustina|Nelly|Tomás|Peralta
qc-018 Francisca
qd-017 Eusebio|EUSEBIO
qa-003 Marcus|Ott
qb-021 Bruno|Medeiros|Ximena
qa-017 Brianna|Tate
qb-022 Nuno|Figueiredo|Dana
qa-004 Marcus|Ott|Dana
qa-018 Brianna|Tate|Tomás
qc-006 Leidy|Johana
qb-020 Marli|Zanetti|Couto
qa-009 Callum
qd-005 Bea
qb-023 Dana
qc-025 Addy
qb-025 Nuno|Rafa
qb-024 Genivaldo|Aragao
qd-018 Gordon|Tremblay
qa-010 Callum|Reid
qb-026 Josué
qb-027 Josué|Rafa|Rafael
qa-026 Katja|Vogt
qd-025 Gordon|Tremblay|Joan
qd-006 Rogelio|Ximena
qc-012 Amparo|Bea
qb-028 Bea
qa-031 Giulia|Ferri
qc-014 Yuliana
qc-026 Lucía|Peral
qd-031 Nilton|Rafa
qa-015 Denise|Kowalczyk
qc-021 Yuliana|Rafa
qd-023 Ainsworth
qa-025 Grace|Ezenwa|Rafa|Kai
qd-029 Wesley|Camila
qb-030 Lourdes
qd-027 Iratxe
qa-027 Walter|Pickens|Ximena|Lorraine
qd-007 Bea
qc-031 Jhon|Fredy
qd-028 Ainsworth
qa-013 Tom|Thomas
qc-016 Carolina
qd-032 Denise|Priya
qa-014 Tom|Thomas
qb-016 Edinaldo|Fonseca
qc-013 Iñaki|Bea
qd-012 Marcus|Joan
qc-023 Julieta
qa-019 Agnieszka|Wrona|Ximena
qc-022 Gloria|Inés
qb-032 Valdir|Rafa|Maicon|Douglas|Ferraz|Maycon|Nelson
qd-020 Tanvi
qc-030 Bea
qa-020 Jade|Okonjo-Smith|Bea
qa-029 Dana
""".strip().splitlines()
# People who work there, also those of whom only a colleague speaks.
COLLEAGUES = frozenset(
    "Tomás Tomas Rafa Rafael Bea Dana Ximena Camila Iratxe Priya Joan Julieta Bel".split()  # noqa: SIM905
)
# Nothing around them tells that they are names: a grocer, an answer of one word, a man whose name was asked for.
LEFT = frozenset(
    {("qb-001", "Zé"), ("qa-025", "Kai")} | {("qb-032", name) for name in ("Maicon", "Douglas", "Ferraz", "Maycon")}
)


def pairs() -> list[tuple[str, str]]:
    """(conversation, name)."""
    return [(line.split(" ", 1)[0], name) for line in NAMED for name in line.split(" ", 1)[1].split("|")]
