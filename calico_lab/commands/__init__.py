"""The subcommands of ``calico-lab``, one module a group.

Each module has a function ``add_to`` that adds its subcommands, and imports what a subcommand needs only when that
runs, so that the others start at once.
"""
