#!/usr/bin/env bash
# The pinned dependencies name no package registry: whoever installs them uses the one of their own choice.
set -euo pipefail
cd "$(dirname "$0")/.."
if grep -nE '://|^ *--(index|extra-index|find-links)' requirements/*; then
    echo 'requirements/ must not name where packages come from' >&2
    exit 1
fi
