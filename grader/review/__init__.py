"""The review app: people answer a label plan in the browser, blind until they have answered.

What is done is kept in a journal before it is told to be done, and goes from there into the database whenever that is
free. Labels are checked as those of a form are, by `grader.labelling`.
"""
