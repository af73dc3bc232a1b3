"""Readers of the exports that helpdesks, messengers and tracing tools give: a file or more for each, one table above.

Each turns its rows into canonical ones; `grader.ingest` knows which there are. `gathered` brings together rows of one
conversation that stand apart in a file, `option_values` reads what a user has to tell a format.
"""
