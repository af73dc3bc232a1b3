"""Estimates with their intervals: counts and times in, figures out. Pure: no database, no conversation, no words.

Every public function names its source. scipy is imported where it is used, since it takes longer to load than most
commands run.
"""
