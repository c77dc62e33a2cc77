# shellcheck shell=bash
# What the scripts share. Sourced, never run.

say() { printf '%s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo. Fails with what to type where neither is possible.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root and there is no sudo: run as root: $*"
    fi
}

# The project's folders outside the checkout: what is slow to make and safe to delete.
cache_dir() { printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/dpdk-k8s-bench"; }
