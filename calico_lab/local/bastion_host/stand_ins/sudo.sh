#!/bin/sh
# The lab's stand-in for sudo. The bastion's only user may already do everything there is to do on the bastion, and
# nothing outside it, so this just runs the command it is given, in the environment it is given.

refuse() {
    echo "sudo: $1" >&2
    echo "(This is the lab's stand-in for sudo: sudo [-E] [-H] [-n] [NAME=VALUE ...] COMMAND.)" >&2
    exit 1
}

while :; do
    case "$1" in
        -E | -H | -n) shift ;;
        --) shift; break ;;
        -*) refuse "option $1 is not known" ;;
        [A-Za-z_]*=*) export "${1?}"; shift ;;
        *) break ;;
    esac
done

[ $# -gt 0 ] || refuse "a command is missing"
command -v -- "$1" > /dev/null || { echo "sudo: $1: command not found" >&2; exit 1; }
exec "$@"
