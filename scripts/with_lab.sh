#!/usr/bin/env bash
# Run a command with a fresh local lab of its own: scripts/with_lab.sh COMMAND [ARGUMENT...]
set -euo pipefail

calico_lab=$(dirname "$0")/../.venv/bin/calico-lab
name=with-lab-$$

trap '"$calico_lab" down --name "$name" > /dev/null' EXIT
"$calico_lab" up --name "$name" > /dev/null
settings=$("$calico_lab" env --name "$name")
eval "$settings"
"$@"
