#!/bin/sh
# Stands for cargo while README.md is tried: `cargo run … -- ARGUMENTS` is the binary under test.
command=${1-}
[ $# = 0 ] || shift
while [ $# != 0 ] && [ "$1" != -- ]; do
    case $1 in
    --quiet | -q | --release | --locked) shift ;;
    *) break ;;
    esac
done
case "$command ${1-}" in
"run --") shift && exec '@BINARY@' "$@" ;;
"build ") exit 0 ;;
*) echo "the trial of README.md does not know: cargo $command $*" >&2 && exit 97 ;;
esac
