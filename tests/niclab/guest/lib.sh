# What a test's script in the guest begins with.
cd /work || exit 1

# functions: both igb are the kernel's and have their VFs: taking the parent away takes its VFs away.
functions() {
    local pf v d
    for pf in igb0 igb1; do
        d=/sys/bus/pci/devices/$(nic $pf)
        [ ! -e "$d/virtfn0" ] || continue
        nicunbind $pf
        echo 2 >"$d/sriov_numvfs"
        for v in 0 1; do ip link set $pf vf $v mac "$(nic ${pf}v$v mac)"; done
    done
}

# take NIC…: to vfio-pci; a VF's parent stays with the kernel.
take() {
    [[ $* != *igb*v* ]] || functions
    nicbind "$@"
}

# dp VERB NIC [ARG…]: dataplane on a NIC.
dp() {
    local verb=$1 nic=$2
    shift 2
    ./dataplane "$verb" --device "pci:$(nic "$nic")" "$@"
}

# show NAME FILE…: files for the test to read.
show() {
    local name=$1
    shift
    printf '\n== %s\n' "$name"
    cat "$@"
}

# until_has PATTERN FILE PID: waits for a line while the process lives; 30 s at most.
until_has() {
    local i
    for ((i = 0; i < 600; i++)); do
        grep -q -s -e "$1" "$2" && return 0
        kill -0 "$3" 2>/dev/null || return 1
        read -r -t 0.05 <>/dev/niclab.never
    done
    return 1
}
[ -p /dev/niclab.never ] || mkfifo /dev/niclab.never

# behind NAME VERB NIC [ARG…]: dataplane in the background, until it counts. Its events: /tmp/NAME.json; its id: $NAME.
behind() {
    local name=$1 verb=$2 nic=$3 pid
    shift 3
    rm -f "/tmp/$name.json" "/tmp/$name.err"
    ./dataplane "$verb" --device "pci:$(nic "$nic")" --output json "$@" >"/tmp/$name.json" 2>"/tmp/$name.err" </dev/null &
    pid=$!
    printf -v "$name" %s $pid
    until_has '"started"' "/tmp/$name.json" $pid
}

# end NAME [SIGNAL]: ends it and shows what it said.
end() {
    local name=$1
    kill -"${2:-INT}" "${!name}" 2>/dev/null
    wait "${!name}"
    echo "$name ended with $?" >>"/tmp/$name.err"
    show "$name" "/tmp/$name.json"
    show "$name.err" "/tmp/$name.err"
}

# witness NIC: the kernel's driver has the NIC, and tcpdump writes what it sees to /tmp/witness.pcap.
witness() {
    functions
    nicunbind "$1" || return 1
    until_has 1 "/sys/class/net/$1/carrier" $$ || return 1
    rm -f /tmp/witness.pcap
    SEEN_BEFORE=$(cat "/sys/class/net/$1/statistics/rx_packets")
    tcpdump -Z root -i "$1" -p -U -s 0 -B 4096 -w /tmp/witness.pcap udp >/tmp/witness.log 2>&1 &
    witness=$!
    WITNESS=$1
    until_has 'listening on' /tmp/witness.log $witness
}

# witnessed COUNT: waits for so many frames, and shows the capture in hex and the kernel's own count.
witnessed() {
    local i
    for ((i = 0; i < 100; i++)); do
        [ "$(tcpdump -r /tmp/witness.pcap 2>/dev/null | wc -l)" -lt "$1" ] || break
        read -r -t 0.1 <>/dev/niclab.never
    done
    kill -INT $witness
    wait $witness
    show pcap <(od -An -v -tx1 /tmp/witness.pcap)
    show log /tmp/witness.log
    show kernel <(echo $(($(cat "/sys/class/net/$WITNESS/statistics/rx_packets") - SEEN_BEFORE)))
}

# as_user MEMLOCK-BYTES COMMAND…: as the user dpdk, without any privilege.
as_user() {
    local memlock=$1
    shift
    mkdir -p /tmp/xdg
    chown dpdk:dpdk /tmp/xdg
    prlimit --memlock="$memlock:$memlock" setpriv --reuid=dpdk --regid=dpdk --clear-groups --bounding-set=-all --inh-caps=-all \
        env XDG_RUNTIME_DIR=/tmp/xdg HOME=/home/dpdk "$@"
}
