#!/bin/sh
# The lab's stand-in for apt and apt-get. It knows the packages that came with the lab, downloads nothing, and changes
# nothing but which of their commands are on the bastion's PATH.

commands=$(dirname "$0")
packages=$commands/../packages

usage() {
    echo "E: $1" >&2
    echo "(This is the lab's stand-in for apt: apt install|remove [-y] PACKAGE ..., apt list, apt update.)" >&2
    exit 100
}

installed() {
    for file in "$packages/$1"/*; do
        [ -e "$commands/${file##*/}" ] || return 1
    done
}

[ $# -gt 0 ] || usage "a command is missing"
action=$1
shift
names=
for argument; do
    case "$argument" in
        -y | --yes | -q | -qq) ;;
        -*) usage "Command line option $argument is not understood" ;;
        *) names="$names $argument" ;;
    esac
done

case "$action" in
    update)
        echo "Reading package lists... Done"
        exit ;;
    list)
        for folder in "$packages"/*; do
            name=${folder##*/}
            installed "$name" && echo "$name/lab [installed]" || echo "$name/lab"
        done
        exit ;;
    install | remove) ;;
    *) usage "Invalid operation $action" ;;
esac

echo "Reading package lists... Done"
for name in $names; do
    [ -d "$packages/$name" ] || { echo "E: Unable to locate package $name" >&2; exit 100; }
done
for name in $names; do
    if [ "$action" = remove ]; then
        installed "$name" || { echo "Package '$name' is not installed, so not removed"; continue; }
        for file in "$packages/$name"/*; do rm "$commands/${file##*/}"; done
        echo "Removing $name ..."
    elif installed "$name"; then
        echo "$name is already the newest version."
    else
        cp -P "$packages/$name"/* "$commands/"
        echo "Setting up $name ..."
    fi
done
echo "(This is the lab's stand-in for apt: $action took what came with the lab.)"
