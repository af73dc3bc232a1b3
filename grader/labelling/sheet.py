"""Forms as files: JSONL, an object a line, and CSV that a person fills in a spreadsheet.

CSV is UTF-8 with a mark that spreadsheets know, a row an item, a column a question. Cells that a spreadsheet would
compute begin with an apostrophe, and no cell is longer than a spreadsheet takes.
"""

from __future__ import annotations

import csv
import io
import json

from grader.labelling.form import Form, FormQuestion

FORMAT = "grader.labels"
FORMAT_VERSION = 1
CELL_CHARS = 30_000  # Excel cuts off at 32,767
ITEM, FORM, HASH, TEXT, NOTE = "item", "form", "text_hash", "text", "note"
GUIDE = ("(rubric)", "(question)", "(answers)")  # rows that explain and are not answered
NOT_ASKED = "—"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠|%'")


def jsonl(form: Form) -> str:
    """A first line with the questions, then a line an item; answers go into the place of each null."""
    head = {
        "type": "form", "format": FORMAT, "format_version": FORMAT_VERSION, FORM: form.form_id,
        "reviewer": form.reviewer,
        "questions": [
            {"name": q.name, "rubric": q.rubric, "question": q.question,
             "answers": [{"answer": answer, "means": meaning} for answer, meaning in q.answers]}
            for q in form.questions
        ],
    }  # fmt: skip
    lines = [head, *(
        {"type": "item", ITEM: i.item_id, HASH: i.text_hash, TEXT: i.text, "answers": dict.fromkeys(i.asked),
         NOTE: None}
        for i in form.items
    )]  # fmt: skip
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def csv_text(form: Form) -> str:
    """The same for a spreadsheet: item, form, text hash, the text (in several columns where it is long), a column a
    question, a note.
    """
    pieces = {i.item_id: _pieces(i.text) for i in form.items}
    n_texts = max((len(p) for p in pieces.values()), default=1)
    texts = [TEXT if n == 1 else f"{TEXT} {n}" for n in range(1, n_texts + 1)]
    names = [q.name for q in form.questions]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([ITEM, FORM, HASH, *texts, *names, NOTE])
    blank = [""] * (2 + n_texts)
    for label, cell in zip(GUIDE, (_rubric, _question, _answers), strict=True):
        writer.writerow([label, *blank, *(guarded(cell(q)) for q in form.questions), ""])
    for i in form.items:
        parts = pieces[i.item_id] + [""] * (n_texts - len(pieces[i.item_id]))
        answers = ["" if name in i.asked else NOT_ASKED for name in names]
        writer.writerow([i.item_id, form.form_id, i.text_hash, *map(guarded, parts), *answers, ""])
    return "\ufeff" + out.getvalue()


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet computes."""
    return f"'{text}" if text.lstrip(" \xa0").startswith(_FORMULA) else text


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" \xa0").startswith(_FORMULA) else cell


def _pieces(text: str) -> list[str]:
    found = []
    while len(text) > CELL_CHARS:
        end = text.rfind("\n", 1, CELL_CHARS)
        end = end if end > 0 else CELL_CHARS
        found.append(text[:end])
        text = text[end:]
    return [*found, text]


def _rubric(q: FormQuestion) -> str:
    return q.rubric


def _question(q: FormQuestion) -> str:
    return q.question


def _answers(q: FormQuestion) -> str:
    return "\n".join(f"{answer}: {meaning}" if meaning else answer for answer, meaning in q.answers)
