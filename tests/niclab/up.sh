# A guest that stays up between commands; sourced by niclab.

# Where the one that is up keeps its name, its supervisor's id and its jobs.
UP=$NICLAB_HOME/up
# How long a guest may take from `up` to its first command, tries included.
UP_LIMIT_S=240

# up NAME [OPTIONS]: a guest of these options, called NAME.
up() {
    local name=${1:?a name} t0=$SECONDS
    shift
    if is_up && [ "$(cat "$UP/name")" = "$name" ]; then return 0; fi
    build
    down
    mkdir -p "$UP"
    echo "$name" >"$UP/name"
    (
        # A lock that the caller holds is not held on by the guest.
        for fd in /proc/self/fd/*; do [ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"; done
        NICLAB_RUN=$UP exec setsid "$SELF" run "$@" "$HERE/guest/serve"
    ) </dev/null >"$NICLAB_HOME/up.log" 2>&1 &
    echo $! >"$UP/pid"
    while [ ! -e "$UP/ctl/serving" ]; do
        is_up && [ $((SECONDS - t0)) -lt $UP_LIMIT_S ] || {
            cat "$NICLAB_HOME/up.log" >&2
            down
            die "guest $name did not come up"
        }
        sleep 0.1
    done
    say "guest $name is up ($((SECONDS - t0)) s)"
}

is_up() { [ -f "$UP/pid" ] && kill -0 "$(cat "$UP/pid")" 2>/dev/null; }

# in_guest [--timeout S]: the script on standard input, in the guest; 124 where it takes longer.
in_guest() {
    local limit=60 n=1 job t0
    [ "${1:-}" != --timeout ] || limit=$2
    [ -e "$UP/ctl/serving" ] && is_up || die "no guest is up: niclab up NAME"
    while ! (set -o noclobber && : >"$UP/ctl/job/$n.sh") 2>/dev/null; do n=$((n + 1)); done
    job=$UP/ctl/job/$n t0=$SECONDS
    cat >"$job.sh"
    echo "$limit" >"$job.limit"
    echo "$n" >"$UP/jobs.in"
    while [ ! -e "$job.rc" ]; do
        is_up || die "the guest ended during the command"
        [ $((SECONDS - t0)) -lt $((limit + 30)) ] || die "the guest does not answer"
        sleep 0.05
    done
    cat "$job.out"
    cat "$job.err" >&2
    return "$(cat "$job.rc")"
}

# Ends it; all that belongs to it goes with its supervisor.
down() {
    local pid n=0
    [ -f "$UP/pid" ] || return 0
    pid=$(cat "$UP/pid")
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do
        sleep 0.1
        n=$((n + 1))
    done
    rm -rf "$UP"
}
