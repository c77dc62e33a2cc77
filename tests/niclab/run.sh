# A guest from its boot to its end; sourced by niclab.

# AVX2; `max` boots slower.
TCG_CPU=Haswell,+pdpe1gb,-pcid,-invpcid,-rtm,-hle,+rdrand
# A boot that stands still is tried again.
BOOT_TRIES=3 BOOT_LIMIT_S=60

qemu() {
    local q=$NICLAB_HOME/qemu
    LD_LIBRARY_PATH=$q/usr/lib/$MULTIARCH exec_or_run "$q/usr/bin/qemu-system-x86_64" \
        -L "$q/usr/share/qemu" -L "$q/usr/share/seabios" -L "$q/usr/lib/ipxe/qemu" "$@"
}
exec_or_run() { if [ "${DO_EXEC:-}" = 1 ]; then exec $NICE "$@"; else "$@"; fi; }

# options ARG…: sets what a guest is made of, and `left`, the arguments that are no options.
options() {
    nics=igb vfs=0 hp=1Gx2 dir="" out="" cpus=2 mem="" limit=300 append="" log="" envs=() without=" "
    while [ $# -gt 0 ]; do
        case $1 in
        --nics) nics=$2 ;;
        --vfs) vfs=$2 ;;
        --hugepages) hp=$2 ;;
        --dir) dir=$2 ;;
        --out) out=$2 ;;
        --cpus) cpus=$2 ;;
        --mem) mem=$2 ;;
        --timeout) limit=$2 ;;
        --append) append=$2 ;;
        --log) log=$2 ;;
        --env) envs+=("$2") ;;
        --without) without+="$2 " ;;
        --)
            shift
            break
            ;;
        -*) die "unknown option $1" ;;
        *) break ;;
        esac
        shift 2
    done
    left=("$@")
}

# run [OPTIONS] SCRIPT [ARG…]
run() {
    local nics vfs hp dir out cpus mem limit append log envs without left
    options "$@"
    [ ${#left[@]} -gt 0 ] || die "run: no SCRIPT"
    [ -f "${left[0]}" ] || die "run: no file ${left[0]}"
    build
    RUN=${NICLAB_RUN:-$(mktemp -d)}
    chmod 700 "$RUN"
    QPID="" SPID="" OPID=""
    trap run_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    local args=() modules=""
    control_folder "${left[@]}"
    nic_arguments
    finish_arguments
    boot
    [ -z "$log" ] || cp "$RUN/console" "$log" 2>/dev/null || true
    local rc
    rc=$(cat "$RUN/ctl/rc" 2>/dev/null || true)
    if [ "$late" = 1 ]; then
        say "the guest ran past $limit s"
        rc=124
    elif [ -z "$rc" ]; then
        say "the guest ended without a result"
        cat "$RUN/qemu.log" >&2
        tail -20 "$RUN/console" >&2 || true
        rc=125
    fi
    return "$rc"
}

# What the guest sees at /run/niclab.
control_folder() {
    local a
    mkdir -p "$RUN/ctl/job" "$RUN/ctl/bin"
    cp "$HERE/guest/init" "$RUN/ctl/init"
    cp "$HERE"/guest/{nic,nicbind,nicunbind,niclink} "$RUN/ctl/bin"
    cp "$1" "$RUN/ctl/script"
    chmod 755 "$RUN/ctl/script"
    shift
    : >"$RUN/ctl/args"
    [ $# = 0 ] || printf '%s\0' "$@" >"$RUN/ctl/args"
    [ -z "${NICLAB_TRACE:-}" ] || : >"$RUN/ctl/trace"
    for a in ${envs[@]+"${envs[@]}"}; do printf '%s=%q\n' "${a%%=*}" "${a#*=}"; done >"$RUN/ctl/env"
}

# Two NICs of each kind, wired to each other, each behind a port of its own; but e1000, of plain PCI, stand behind one bridge and so
# are in one IOMMU group.
nic_arguments() {
    local kind i device byte name n=0 slot bus
    : >"$RUN/ctl/macs"
    for kind in ${nics//,/ }; do
        case $kind in
        igb) device=igb byte=76 name=igb modules+=" igb igbvf" ;;
        e1000e) device=e1000e byte=74 name=e1000e modules+=" e1000e" ;;
        vmxnet3) device=vmxnet3 byte=15 name=vmx modules+=" vmxnet3" ;;
        # Behind the IOMMU, as the others are.
        virtio) device=virtio-net-pci,disable-legacy=on,iommu_platform=on,ats=on byte=1a name=virtio modules+=" virtio_net" ;;
        e1000)
            device=e1000 byte=e1 name=e1000x modules+=" e1000"
            args+=(-device pcie-pci-bridge,id=bridge)
            ;;
        *) die "no NIC kind $kind" ;;
        esac
        for i in 0 1; do
            slot=$((n * 2 + i + 1)) bus=p$kind$i
            args+=(-netdev "hubport,id=h$kind$i,hubid=$n")
            if [ "$kind" = e1000 ]; then bus=bridge,addr=$((i + 1)); else
                args+=(-device "pcie-root-port,id=p$kind$i,bus=pcie.0,chassis=$slot,slot=$slot")
            fi
            args+=(-device "$device,id=$name$i,bus=$bus,netdev=h$kind$i,mac=52:54:00:$byte:00:0$i")
            echo "$name$i 52:54:00:$byte:00:0$i" >>"$RUN/ctl/macs"
        done
        n=$((n + 1))
    done
}

# Memory, shared folders, modules.
finish_arguments() {
    local size=${hp%%x*} count kib share=security_model=none,multidevs=remap m loaded=""
    case $size in
    1G) count=1 kib=1048576 ;;
    2M) count=512 kib=2048 ;;
    *) die "--hugepages 1G or 2M" ;;
    esac
    [ "$size" = "$hp" ] || count=${hp#*x}
    # The kernel and its tables lie across two of the GiBs.
    mem=${mem:-$((count * kib / 1024 + 2048 + (kib > 2048 ? 1024 : 0)))}
    append="default_hugepagesz=$size hugepagesz=$size hugepages=$count $append"
    for m in vfio-pci vfio_iommu_type1 $modules; do [[ $without == *" $m "* ]] || loaded+=" $m"; done
    printf 'HP_SIZE=%s\nVFS=%s\nHAVE_WORK=%s\nHAVE_OUT=%s\nMODULES="%s"\n' \
        "$size" "$vfs" "${dir:+1}" "${out:+1}" "$loaded" >"$RUN/ctl/config"
    [ -z "$dir" ] || args+=(-virtfs "local,path=$(realpath "$dir"),mount_tag=work,readonly=on,$share")
    [ -z "$out" ] || {
        mkdir -p "$out"
        args+=(-virtfs "local,path=$(realpath "$out"),mount_tag=out,$share")
    }
}

# Boots the guest and waits for its end; sets `late`: 1 past its limit, boot where it never came up.
boot() {
    local accel=$NICLAB_ACCEL cpu machine=q35 try port pipes=()
    if [ "$accel" = auto ]; then # a /dev/kvm of another kind (PVM, in some clouds' VMs) runs no kernel that does not know it
        accel=tcg
        if [ -w /dev/kvm ] && grep -q -w -E 'vmx|svm' /proc/cpuinfo; then accel=kvm; fi
    fi
    if [ "$accel" = kvm ]; then cpu=host machine=q35,kernel-irqchip=split; else accel=tcg,thread=multi cpu=$TCG_CPU; fi
    for port in out link jobs; do
        pipes+=(-chardev "pipe,id=$port,path=$RUN/$port" -device "virtserialport,chardev=$port,name=niclab.$port")
    done
    # One boot in some forty ends before the first process (a timer that the emulated CPUs miss: it stands still, or the kernel panics).
    for ((try = 1; try <= BOOT_TRIES; try++)); do
        rm -f "$RUN"/{out,mon,link,jobs}.{in,out}
        mkfifo "$RUN"/{out,mon,link,jobs}.{in,out}
        cat "$RUN/out.out" &
        OPID=$!
        DO_EXEC=1 qemu -M "$machine" -accel "$accel" -cpu "${NICLAB_CPU:-$cpu}" -smp "$cpus" -m "$mem" \
            -display none -nodefaults -no-user-config -no-reboot -device intel-iommu,intremap=on,aw-bits=48 \
            -kernel "$NICLAB_HOME/vmlinux" -initrd "$NICLAB_HOME/initrd.img" \
            -append "console=ttyS0 quiet loglevel=4 panic=-1 nokaslr mitigations=off cryptomgr.notests tsc=reliable \
intel_iommu=on iommu=pt $append" \
            -chardev "file,id=con,path=$RUN/console" -serial chardev:con \
            -drive "file=$NICLAB_HOME/rootfs.ext4,format=raw,if=virtio,readonly=on" \
            -virtfs "local,path=$RUN/ctl,mount_tag=ctl,security_model=none" \
            -device virtio-serial-pci "${pipes[@]}" \
            -chardev "pipe,id=mon,path=$RUN/mon" -mon chardev=mon,mode=readline \
            "${args[@]}" </dev/null >"$RUN/qemu.log" 2>&1 &
        QPID=$!
        link_server &
        SPID=$!
        watch
        # Past its time is past its time; what never came up, hung or crashed, has run nothing yet.
        [ "$late" != 1 ] && [ ! -f "$RUN/ctl/alive" ] || break
        say "the guest did not start, again"
    done
}

# Waits for QEMU's end, within the guest's limits.
watch() {
    local end=$((SECONDS + limit)) boot_end=$((SECONDS + BOOT_LIMIT_S))
    late=""
    while kill -0 $QPID 2>/dev/null; do
        if [ $SECONDS -ge $end ]; then late=1; elif [ $SECONDS -ge $boot_end ] && [ ! -f "$RUN/ctl/alive" ]; then late=boot; fi
        [ -z "$late" ] || {
            kill -9 $QPID 2>/dev/null || true
            break
        }
        sleep 0.1
    done
    wait $QPID 2>/dev/null || true
    QPID=""
    : <>"$RUN/out.out"
    wait $OPID || true # where QEMU never opened it, cat still waits for a writer
    kill "$SPID" 2>/dev/null || true
    wait "$SPID" 2>/dev/null || true
    SPID="" OPID=""
}

# One request a line: "link NAME on|off"; nothing else reaches QEMU's monitor.
link_server() {
    local verb nic state
    exec 3<>"$RUN/link.out" 4<>"$RUN/link.in" 5<>"$RUN/mon.in" 6<>"$RUN/mon.out"
    while read -r verb nic state <&3; do
        if [ "$verb" = link ] && [[ $nic =~ ^[a-z0-9]+$ ]] && [[ $state =~ ^(on|off)$ ]] && grep -q "^$nic " "$RUN/ctl/macs"; then
            echo "set_link $nic $state" >&5
            sleep 0.2
            echo ok >&4
        else
            echo "no such NIC or state" >&4
        fi
    done
}

run_end() {
    [ -z "$QPID" ] || kill -9 "$QPID" 2>/dev/null || true
    [ -z "$OPID" ] || kill "$OPID" 2>/dev/null || true
    [ -z "$SPID" ] || kill "$SPID" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$RUN"
}
