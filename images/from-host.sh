# shellcheck shell=bash
# images/build --from host: Debian by debootstrap, this machine's Rust and its crates, as images that the Dockerfiles can start from.
# Sourced by images/build, never run. What is slow is kept in the cache folder; an image's tag says what it was made of.

images_cache=$(cache_dir)/images

# In namespaces of its own: whichever way it ends, no mount is left behind.
bootstrap() {
    as_root unshare --mount --propagation private timeout 900 \
        debootstrap --variant=minbase "$SUITE" "$1" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$images_cache/debootstrap.log" 2>&1 ||
        die "debootstrap failed: $(tail -n 3 "$images_cache/debootstrap.log")
next: see $images_cache/debootstrap.log; DEBIAN_MIRROR=http://… names another mirror"
}

# As Debian's own slim image: no documents but licences, updates and security fixes among apt's sources; nothing of this
# machine and no time of day in it, so that it is the same file whenever it is made of the same packages.
make_slim() {
    as_root env ROOT="$1" SUITE="$SUITE" sh -eu <<'SH'
cd "$ROOT"
rm -f etc/apt/sources.list etc/hostname etc/resolv.conf etc/passwd- etc/shadow- etc/group- etc/gshadow-
for source in "debian $SUITE $SUITE-updates" "debian-security $SUITE-security"; do
    printf 'Types: deb\nURIs: http://deb.debian.org/%s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
        "${source%% *}" "${source#* }" /usr/share/keyrings/debian-archive-keyring.gpg
done >etc/apt/sources.list.d/debian.sources
printf 'path-exclude /usr/share/%s/*\n' doc man info locale lintian >etc/dpkg/dpkg.cfg.d/slim
echo 'path-include /usr/share/doc/*/copyright' >>etc/dpkg/dpkg.cfg.d/slim
find usr/share/doc ! -type d ! -name copyright -delete
find usr/share/doc -depth -type d -empty -delete
rm -rf usr/share/man/* usr/share/info/* usr/share/locale/* usr/share/lintian var/log/* var/cache/ldconfig/* var/lib/apt/lists/* \
    var/cache/apt/*.bin var/cache/apt/archives/*.deb var/cache/debconf/*-old var/lib/dpkg/*-old run/* tmp/*
sed -i -E 's/^([^:]*:[^:]*):[0-9]*:/\1::/' etc/shadow
: >etc/machine-id
SH
}

make_debian() {
    [ ! -s "$1" ] || return 0
    command -v debootstrap >/dev/null || die "debootstrap is missing: scripts/setup images"
    say "Making a Debian $SUITE by debootstrap (kept in $images_cache)"
    mkdir -p "$images_cache"
    local root=$images_cache/root.partial
    as_root rm -rf "$root"
    bootstrap "$root"
    make_slim "$root"
    as_root tar -C "$root" --numeric-owner --sort=name --mtime=@0 --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* \
        -cf "$1.partial" .
    mv "$1.partial" "$1"
    as_root rm -rf "$root"
}

# The image NAME:KEY of a folder with a Dockerfile; one that is there is taken.
import() {
    local ref=$1 context=$2
    ! has_image "$ref" || return 0
    say "Importing $ref"
    epoch=0 build_image "$ref" "$context" -f "$context/Dockerfile" >"$images_cache/import.log" 2>&1 ||
        die "$tool could not import $ref: $(tail -n 5 "$images_cache/import.log")"
}

import_debian() {
    local tar=$images_cache/debian-$SUITE.tar context
    [ -z "$refresh" ] || rm -f "$tar"
    make_debian "$tar"
    base=$prefix/debian:$SUITE-$(sha256sum "$tar" | cut -c 1-12)
    context=$(mktemp -d -p "$images_cache")
    ln "$tar" "$context/debian.tar"
    printf 'FROM scratch\nADD debian.tar /\nENV PATH=%s\nCMD ["bash"]\n' \
        /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin >"$context/Dockerfile"
    import "$base" "$context"
    rm -rf "$context"
}

# Debian with this machine's compiler where rustup's image has it, and the crates of Cargo.lock in its CARGO_HOME: cargo then
# asks no registry. Crates are fetched here, so this machine's own cargo configuration (mirrors, proxies) counts.
import_rust() {
    local sysroot context key
    sysroot=$(rustc --print sysroot) || die "rustc is missing: scripts/setup"
    key=$( (rustc -vV && cat Cargo.lock && echo "$base") | sha256sum | cut -c 1-12)
    rust=$prefix/rust:host-$key
    ! has_image "$rust" || return 0
    context=$(mktemp -d -p "$images_cache")
    say "Putting $(rustc --version) and the crates of Cargo.lock into an image"
    mkdir -p "$context/local/bin" "$context/local/lib/rustlib"
    cp -a "$sysroot"/bin/{cargo,rustc} "$context/local/bin/"
    find "$sysroot/lib" -maxdepth 1 -name '*.so*' -exec cp -a {} "$context/local/lib/" \;
    cp -a "$sysroot/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')" "$context/local/lib/rustlib/"
    cargo vendor --quiet --locked --versioned-dirs "$context/local/crates" >/dev/null
    mkdir -p "$context/local/cargo"
    cat >"$context/local/cargo/config.toml" <<'TOML'
[source.crates-io]
replace-with = "vendored-sources"
[source.vendored-sources]
directory = "/usr/local/crates"
TOML
    printf 'FROM %s\nCOPY local /usr/local\nENV CARGO_HOME=/usr/local/cargo\n' "$base" >"$context/Dockerfile"
    import "$rust" "$context"
    rm -rf "$context"
}
