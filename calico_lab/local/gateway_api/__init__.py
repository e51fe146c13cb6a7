"""The Gateway API's rules, as pure functions: from the objects to what must be served and what the statuses say.

Start at :mod:`.resolve`. Nothing here does I/O, knows Envoy, or remembers anything.
"""
