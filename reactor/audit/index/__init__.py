"""The search index beside the log: findings, actors, words and times, by position.

Derived from the log after the commit and never its writer's business; in doubt it is made anew.
"""
