"""Whether this machine can run a lab: what is there, what is missing, and the command that mends it.

``examination`` puts the checks together; ``finding`` is what each returns.
"""
