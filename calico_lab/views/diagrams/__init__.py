"""The diagrams of the slides: drawn from data, in the course's visual language, for light and dark.

Three forms: :mod:`graph` (boxes and what goes from one to the other), :mod:`grid` (a table with marks) and
:mod:`timeline`. What they say stands in one module a deck.
"""
