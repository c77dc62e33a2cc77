# The dataplane for pods: the binary, DPDK 24.11 from Debian 13, and the drivers that users have. See images/README.md.
#   images/build dataplane                                             or, where images can be pulled:
#   docker build -f images/dataplane.Dockerfile -t dataplane .
# Both images are of the same Debian: the binary is linked against the DPDK of that release.
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-trixie
ARG BASE=docker.io/library/debian:13-slim

FROM ${RUST_IMAGE} AS tools
ARG LOCKED= UNLOCKED= MIRROR= LOCK_SUM=
RUN --mount=type=bind,source=images,target=/images \
    /images/install-packages /images/packages.lock clang gcc libc6-dev libdpdk-dev pkg-config

FROM tools AS build
WORKDIR /src
COPY . .
# Functions keep their names for backtraces; lines are left out.
RUN cargo build --locked --release -p dataplane --target-dir /target \
    && install -D -m 755 /target/release/dataplane /out/usr/local/bin/dataplane \
    && strip --strip-debug /out/usr/local/bin/dataplane \
    && install -D -m 644 LICENSE /out/usr/share/doc/dataplane/copyright \
    && rm -rf /target

# Buses and the mempool; NICs and their VFs (NVIDIA, Intel, Broadcom); clouds (AWS, Google, KVM, VMware); no NIC at all.
# mlx5 works through the kernel's verbs and needs their provider; what rdma-core has (udev rules, and so systemd) is the host's business.
FROM ${BASE} AS system
ARG LOCKED= UNLOCKED= MIRROR= LOCK_SUM=
RUN --mount=type=bind,source=images,target=/images \
    WITHOUT=rdma-core /images/install-packages /images/packages.lock \
        librte-bus-auxiliary25 librte-bus-pci25 librte-bus-vdev25 librte-mempool-ring25 \
        librte-net-mlx5-25 ibverbs-providers \
        librte-net-i40e25 librte-net-iavf25 librte-net-ice25 librte-net-ixgbe25 librte-net-e1000-25 librte-net-bnxt25 \
        librte-net-ena25 librte-net-gve25 librte-net-virtio25 librte-net-vmxnet3-25 \
        librte-net-af-packet25 librte-net-af-xdp25 librte-net-memif25 librte-net-null25 librte-net-pcap25 \
        librte-net-ring25 librte-net-tap25 \
    && echo 'dataplane:x:10001:10001::/output:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'dataplane:x:10001:' >>/etc/group \
    && install -d -o 10001 -g 10001 /output

FROM system
# Version, revision and time are labels too, by images/build: buildah's cache does not look into arguments here.
LABEL org.opencontainers.image.title="dataplane" \
    org.opencontainers.image.description="DPDK packet generator, receiver and the agent that runs them" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /

# By number, so that Kubernetes can see that it isn't root (runAsNonRoot).
USER 10001:10001
WORKDIR /output
ENTRYPOINT ["dataplane"]
CMD ["agent", "--state-dir", "/output/agent"]
