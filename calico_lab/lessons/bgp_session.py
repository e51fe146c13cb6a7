"""A BGP session of the bastion, dropped and taken up again, as its administrator would."""

from __future__ import annotations

from calico_lab import consent
from calico_lab.lab import Lab


def drop(lab: Lab, session: str, *, yes: bool = False) -> None:
    """End a session by its name in BIRD's table; the routes that came over it go with it.

    Others may use the bastion's routes too: except in a lab of one's own this needs ``yes``, and raises
    ``ConsentError`` without it. Raises ``CommandError`` when BIRD has no such session.
    """
    if not (yes or lab.may_change_shared_things):
        change = consent.Change("BGP session", session, {"state": "enabled"}, {"state": "disabled"})
        consent.require(lab.kubeconfig, [change], f"bgp_session.drop(lab, {session!r}, yes=True)")
    _order(lab, "disable", session)


def restore(lab: Lab, session: str) -> None:
    """Let a session come up again; it needs some seconds. Raises ``CommandError`` when BIRD has no such session."""
    _order(lab, "enable", session)


def _order(lab: Lab, verb: str, session: str) -> None:
    # birdc itself exits with 0 whatever came of it.
    lab.bastion.run(f"sudo birdc {verb} {session} | tee /dev/stderr | grep -q '{verb}d'")
