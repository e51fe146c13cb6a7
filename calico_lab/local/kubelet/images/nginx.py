"""What stands before nginx in its image: the files of the image, templates, and a user that is not root.

The files and the meaning of /etc/nginx/templates are those of https://hub.docker.com/_/nginx. A lab has one user, to
whom nginx as root could not change its workers; so nginx runs as the user ``nginx`` from its beginning, as in the image
nginxinc/nginx-unprivileged, and says that it passes over a ``user`` directive.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from calico_lab.local.start import linux

CONFIGURATION = Path("/etc/nginx")
TEMPLATES = CONFIGURATION / "templates"
PAGES = Path("/usr/share/nginx/html")
CACHE = Path("/var/cache/nginx")
LOGS = {"access.log": "/dev/stdout", "error.log": "/dev/stderr"}
USER, USER_ID = "nginx", 101

_MAIN = """\
worker_processes  1;
error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
    access_log  /var/log/nginx/access.log  main;
    sendfile        on;
    keepalive_timeout  65;
    client_body_temp_path  /var/cache/nginx/client_temp;
    proxy_temp_path        /var/cache/nginx/proxy_temp;
    include /etc/nginx/conf.d/*.conf;
}
"""
_DEFAULT_SERVER = """\
server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
"""
_TYPES = {
    "text/html": "html htm",
    "text/css": "css",
    "text/xml": "xml",
    "text/plain": "txt",
    "image/gif": "gif",
    "image/jpeg": "jpeg jpg",
    "image/png": "png",
    "image/svg+xml": "svg svgz",
    "image/x-icon": "ico",
    "application/javascript": "js",
    "application/json": "json",
    "application/pdf": "pdf",
    "font/woff2": "woff2",
}
_PAGE = """\
<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body><h1>Welcome to nginx!</h1></body>
</html>
"""
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def main() -> None:
    """Become nginx: the first argument is its program, the others are those of the manifest."""
    program, *arguments = sys.argv[1:]
    if arguments[:1] == ["nginx"]:
        del arguments[0]
    write_files()
    apply_templates(os.environ)
    become_user()
    prefix = CONFIGURATION if os.access(CONFIGURATION, os.W_OK) else CACHE
    start = [USER, "-p", f"{prefix}/", "-c", f"{CONFIGURATION}/nginx.conf", "-e", "/var/log/nginx/error.log"]
    os.execv(program, [*start, *(arguments or ["-g", "daemon off;"])])  # noqa: S606  no shell


def write_files() -> None:
    """Write the files of the image, except where a volume has others in their place."""
    types = "".join(f"    {name}  {endings};\n" for name, endings in _TYPES.items())
    _write(CONFIGURATION / "nginx.conf", _MAIN)
    _write(CONFIGURATION / "mime.types", f"types {{\n{types}}}\n")
    _write(CONFIGURATION / "conf.d/default.conf", _DEFAULT_SERVER)
    _write(PAGES / "index.html", _PAGE)
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path("/var/log/nginx")
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in LOGS.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    users = Path("/etc/passwd").read_text()
    if f"\n{USER}:" not in users:
        Path("/etc/passwd").write_text(f"{users}{USER}:x:{USER_ID}:{USER_ID}:nginx:/nonexistent:/bin/false\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.access(path.parent, os.W_OK) and not path.exists():
        path.write_text(text)


def apply_templates(environment: Mapping[str, str]) -> None:
    """Write /etc/nginx/conf.d/NAME for each /etc/nginx/templates/NAME.template, with the environment's values in it."""
    for template in sorted(TEMPLATES.rglob("*.template")):
        target = CONFIGURATION / "conf.d" / template.relative_to(TEMPLATES).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(filled_in(template.read_text(), environment))


def filled_in(text: str, environment: Mapping[str, str]) -> str:
    """Replace ``$NAME`` and ``${NAME}``; what the environment doesn't have is nginx's own, and stays."""
    return _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], found[0]), text)


def become_user() -> None:
    """Become the user ``nginx``: in a user namespace of its own, where this process's user has that number."""
    user, group = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{USER_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{USER_ID} {group} 1")


if __name__ == "__main__":
    main()
