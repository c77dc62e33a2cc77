# The guest and its QEMU, unpacked from Debian packages; sourced by niclab.

QEMU_PACKAGES="-t $SUITE-backports qemu-system-x86" # bookworm's own 7.2 has no igb
TOOL_PACKAGES="busybox-static"
# The guest's userland, for programs linked against bookworm's DPDK.
GUEST_PACKAGES="base-files bash dash coreutils util-linux mount login passwd iproute2 pciutils kmod ethtool procps grep sed mawk
  findutils diffutils tar gzip libc-bin libcap2-bin hostname debianutils tcpdump iputils-ping strace python3-minimal python3
  dpdk dpdk-dev librte-meta-all libarchive13"
# What debootstrap would take and nothing here runs, and headers.
GUEST_LEAVE_OUT='^(perl.*|libperl.*|.*-dev|linux-libc-dev|udev|systemd.*|debconf|adduser|apt|tzdata|gcc-.*|ucf|sensible-utils'
GUEST_LEAVE_OUT+='|media-types|readline-common)$'
GUEST_KEEP='^dpdk-dev$' # dpdk-testpmd and dpdk-devbind.py are in it
# Poll mode drivers that EAL loads at every start: all of them take seconds under emulation.
PMDS='^librte_(bus_pci|bus_vdev|bus_auxiliary|mempool_(ring|stack|bucket)|net_(e1000|ixgbe|i40e|iavf|ice|vmxnet3|virtio'
PMDS+='|af_packet|af_xdp|tap|ring|null|pcap|memif|bond|vhost|failsafe))\.so'
BOOT_MODULES="virtio_pci virtio_blk crc32c_generic ext4 overlay 9pnet_virtio 9p virtio_console"
GUEST_MODULES="igb igbvf e1000e e1000 vmxnet3 virtio_net vfio vfio-pci vfio_iommu_type1 uio_pci_generic tun veth bridge macvlan
  dummy 8021q vhost_net sch_ingress cls_flower act_mirred"
# Documentation and what only builds need.
UNPACK_LEAVE_OUT=(usr/share/{doc,man,locale,info,i18n,lintian} usr/include)

# What the guest depends on: a change makes a new one.
spec() { cat "$HERE/build.sh" "$HERE/guest/initramfs" | sha256sum | cut -d' ' -f1; }

# Our own lists and cache: the system's apt stays as it is, and no root is needed.
apt_setup() {
    local apt=$NICLAB_HOME/apt mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $SUITE" 'Component: main' | sort -u | head -1)
    [ -n "$mirror" ] || die "apt knows no mirror of $SUITE main"
    mkdir -p "$apt"/{lists/partial,sources}
    printf 'Types: deb\nURIs: %s\nSuites: %s %s-backports\nComponents: main\nSigned-By: %s\n' \
        "$mirror" "$SUITE" "$SUITE" "$keys" >"$apt/sources/x.sources"
    APT=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/sources" -o "Dir::State::Lists=$apt/lists"
        -o "Dir::Cache=$apt" -o Dir::State::status=/dev/null -o Debug::NoLocking=1
        -o APT::Sandbox::User=root -o APT::Architecture=amd64
        -o APT::Install-Recommends=false -o APT::Get::Assume-Yes=true -o quiet=2)
    $NICE apt-get "${APT[@]}" update >&2
}

# packages SET PACKAGE…: downloads them and all they depend on, whatever this machine has; their files, one a line.
packages() {
    local dir=$NICLAB_HOME/apt/$1
    shift
    rm -rf "$dir"
    mkdir -p "$dir/partial"
    $NICE apt-get "${APT[@]}" -o "Dir::Cache::archives=$dir" --download-only install "$@" >&2
    printf '%s\n' "$dir"/*.deb
}

# unpack ROOT: the files named on standard input, into a merged-/usr tree, without documentation.
unpack() {
    local root=$1 d
    for d in bin sbin lib lib64; do
        mkdir -p "$root/usr/$d"
        [ -e "$root/$d" ] || ln -s "usr/$d" "$root/$d"
    done
    while read -r d; do
        dpkg-deb --fsys-tarfile "$d" | $NICE tar -x --keep-directory-symlink --no-same-owner -C "$root" \
            "${UNPACK_LEAVE_OUT[@]/#/--exclude=./}" --exclude='*.a' --exclude='./usr/share/perl*' \
            --exclude='./usr/lib/*/gconv/*' --exclude='./dev/*' 2>"$NICLAB_HOME/tar.log" || {
            cat "$NICLAB_HOME/tar.log" >&2
            die "unpacking $d"
        }
    done
}

# vmlinux BZIMAGE OUT: unpacking the kernel in emulation takes 6 s, here 1.
vmlinux() {
    local sects off len
    sects=$(od -An -tu1 -j497 -N1 "$1") off=$(od -An -tu4 -j584 -N4 "$1") len=$(od -An -tu4 -j588 -N4 "$1")
    tail -c +$(((sects + 1) * 512 + off + 1)) "$1" | head -c $((len - 4)) | xz -dcq --single-stream >"$2" 2>/dev/null || true
    [ "$(head -c4 "$2" | od -An -tx1 | tr -d ' \n')" = 7f454c46 ]
}

# module_closure MODULES.DEP NAME…: paths in the order in which they load.
module_closure() {
    local dep=$1
    shift
    awk -v want="$*" '
        {
            path_ = $1; sub(/:$/, "", path_)
            name = path_; sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name)
            path[name] = path_; $1 = ""; deps[name] = $0
        }
        END {
            count = split(want, wanted, /[ \n]+/)
            for (i = 1; i <= count; i++) {
                name = wanted[i]; gsub(/-/, "_", name)
                if (!(name in path)) continue
                needed = split(deps[name], d, " ")
                for (j = needed; j > 0; j--) if (!seen[d[j]]++) print d[j]
                if (!seen[path[name]]++) print path[name]
            }
        }' "$dep"
}

build() {
    mkdir -p "$NICLAB_HOME"
    exec 8>"$NICLAB_HOME/lock"
    flock -w 1800 8 || die "another build holds $NICLAB_HOME/lock"
    if [ "$(cat "$NICLAB_HOME/built" 2>/dev/null)" = "$(spec)" ] && qemu --version >/dev/null 2>&1; then
        exec 8>&-
        return 0
    fi
    local t missing="" t0=$SECONDS
    for t in apt-get dpkg-deb tar xz mke2fs od awk sed; do command -v $t >/dev/null || missing+=" $t"; done
    [ -z "$missing" ] || die "missing:$missing (packages xz-utils, e2fsprogs)"
    pushd "$NICLAB_HOME" >/dev/null
    fetch_and_unpack
    initramfs
    guest_tree
    rm -rf qemu kernel
    mv qemu.new qemu
    rm -rf guest.new kernel.new initramfs.new busybox tar.log files.* apt
    spec >built
    say "built in $((SECONDS - t0)) s, $(du -sm . | cut -f1) MiB in $NICLAB_HOME"
    popd >/dev/null
    exec 8>&-
}

# Into guest.new, qemu.new and kernel.new; sets kver, the kernel's version.
fetch_and_unpack() {
    local kernel
    rm -rf guest.new qemu.new kernel.new initramfs.new built
    mkdir -p guest.new qemu.new kernel.new
    say "packages"
    apt_setup
    # shellcheck disable=SC2086
    packages qemu $QEMU_PACKAGES | grep -v -E '/(libc6|debconf|passwd|adduser|libpam-.*)_[^/]*$' >files.qemu
    # shellcheck disable=SC2086
    packages guest $GUEST_PACKAGES >files.guest.all
    awk -F/ -v out="$GUEST_LEAVE_OUT" -v keep="$GUEST_KEEP" \
        '{n=$NF; sub(/_.*/,"",n)} n !~ out || n ~ keep' files.guest.all >files.guest
    kernel=$(apt-cache "${APT[@]}" show linux-image-amd64/$SUITE 2>/dev/null |
        sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p' | head -1)
    [ -n "$kernel" ] || die "no kernel package"
    mkdir -p apt/more
    # shellcheck disable=SC2086
    (cd apt/more && $NICE apt-get "${APT[@]}" download "$kernel" $TOOL_PACKAGES >&2)
    say "unpacking"
    unpack "$PWD/qemu.new" <files.qemu
    unpack "$PWD/guest.new" <files.guest
    dpkg-deb --fsys-tarfile apt/more/"$kernel"_*.deb | $NICE tar -x --no-same-owner -C kernel.new ./boot ./lib/modules
    dpkg-deb --fsys-tarfile apt/more/busybox-static_*.deb | tar -xO ./bin/busybox >busybox
    chmod 755 busybox
    kver=$(basename kernel.new/lib/modules/*)
    vmlinux "kernel.new/boot/vmlinuz-$kver" vmlinux || cp "kernel.new/boot/vmlinuz-$kver" vmlinux
}

# depmod TREE: with the guest's own kmod.
depmod() {
    (
        export LD_LIBRARY_PATH=$PWD/guest.new/usr/lib/$MULTIARCH
        exec -a depmod guest.new/usr/bin/kmod -b "$1" "$kver"
    ) 2>/dev/null || die depmod
}

# The modules that are named and what they need; the first stage with those that it needs itself.
initramfs() {
    local modules=$PWD/guest.new/usr/lib/modules/$kver init=$PWD/initramfs.new
    depmod kernel.new
    mkdir -p "$modules" "$init"/{bin,proc,sys,dev,ro,rw,root,lib/modules}
    # shellcheck disable=SC2086
    (cd "kernel.new/lib/modules/$kver" && {
        module_closure modules.dep $BOOT_MODULES $GUEST_MODULES
        ls modules.builtin* modules.order
    } | xargs cp --parents -t "$modules")
    depmod guest.new
    cp busybox "$init/bin/busybox"
    # shellcheck disable=SC2086
    module_closure "$modules/modules.dep" $BOOT_MODULES >"$init/modules"
    (cd "$modules" && xargs cp -t "$init/lib/modules" <"$init/modules")
    sed -i 's#.*/#/lib/modules/#' "$init/modules"
    install -m 755 "$HERE/guest/initramfs" "$init/init"
    (cd "$init" && find . | ../busybox cpio -o -H newc -R 0:0 2>/dev/null) >initrd.img
}

# The rest of the guest's tree, and its disk.
guest_tree() {
    local root=$PWD/guest.new pmd
    for pmd in "$root/usr/lib/$MULTIARCH"/dpdk/pmds-*/*; do
        # Programs may be linked with a driver: only EAL should not find it.
        [[ ! ${pmd##*/} =~ $PMDS ]] || continue
        mv -f "$pmd" "$root/usr/lib/$MULTIARCH/${pmd##*/}"
    done
    find "$root" -name __pycache__ -prune -exec rm -rf {} +
    mkdir -p "$root"/{proc,sys,dev,run,tmp,root,work,out,home/dpdk,etc,var/tmp} "$root/dev/hugepages"
    chmod 1777 "$root/tmp" "$root/var/tmp"
    ln -sfn /run "$root/var/run"
    printf '%s\n' root:x:0:0:root:/root:/bin/bash dpdk:x:1000:1000::/home/dpdk:/bin/bash \
        nobody:x:65534:65534::/:/usr/sbin/nologin >"$root/etc/passwd"
    printf '%s\n' root:x:0: tty:x:5: dpdk:x:1000: nogroup:x:65534: >"$root/etc/group"
    echo '127.0.0.1 localhost niclab' >"$root/etc/hosts"
    echo niclab >"$root/etc/hostname"
    printf 'hosts: files\npasswd: files\ngroup: files\n' >"$root/etc/nsswitch.conf"
    [ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
    [ -e "$root/usr/bin/which" ] || ln -s which.debianutils "$root/usr/bin/which"
    [ -e "$root/usr/bin/awk" ] || ln -s mawk "$root/usr/bin/awk"
    [ -e "$root/usr/bin/python3" ] || ln -s "$(basename "$(ls "$root"/usr/bin/python3.* | head -1)")" "$root/usr/bin/python3"
    rm -f rootfs.ext4
    mke2fs -q -t ext4 -O ^has_journal -m 0 -b 4096 -E root_owner=0:0 -d "$root" rootfs.ext4 \
        "$(($(du -sm "$root" | cut -f1) * 115 / 100 + 64))M" >/dev/null
}
