"""What must not be passed on with a learner's results: keys, tokens and passwords, wherever they are printed."""

from __future__ import annotations

import re

LEFT_OUT = "[left out]"
# In base64 a key's first line, `-----BEGIN`, reads LS0tLS1CRUdJTi: so it stands in a kubeconfig or a Secret.
_WHOLE = re.compile(
    r"-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\Z)"
    r"|LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]*"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JSON Web Token: a header of JSON in base64, and two parts more
    r"|(?<=://)[^/\s:@<>\"']+:[^/\s@<>\"']+(?=@)",  # user and password in an address
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?P<name>(?:token|password|passwd|api[-_]?key|access[-_]?key|secret[-_]?key|client-key-data|bearer)"
    r"(?:\"|'|&quot;|&#x27;)?(?:\s*[:=]\s*|(?<=[Bb]earer) ))"
    r"(?P<value>(?:\"|'|&quot;|&#x27;)?[^\s\"'<>&,;]{6,})",
    re.IGNORECASE,
)


def left_out(text: str) -> str:
    """Return a text, which may be HTML, with every secret in it replaced by ``[left out]``."""
    return _NAMED.sub(rf"\g<name>{LEFT_OUT}", _WHOLE.sub(LEFT_OUT, text))
