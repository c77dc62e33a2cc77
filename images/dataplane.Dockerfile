# The dataplane for pods: the binary, DPDK 24.11 from Debian 13, and the drivers that users have. See images/README.md.
#   docker build -f images/dataplane.Dockerfile -t dataplane .
# Both images are of the same Debian: the binary is linked against the DPDK of that release.
ARG RUST_IMAGE=rust:1.95-slim-trixie
ARG BASE=debian:trixie-slim

FROM ${RUST_IMAGE} AS build
RUN apt-get update -qq \
    && apt-get install -qq --no-install-recommends clang gcc libc6-dev libdpdk-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release -p dataplane \
    && install -D target/release/dataplane /out/dataplane

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dataplane" \
    org.opencontainers.image.description="DPDK packet generator, receiver and the agent that runs them" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

# Buses and the mempool; NICs and their VFs (NVIDIA, Intel, Broadcom); clouds (AWS, Google, KVM, VMware); no NIC at all.
# mlx5 works through the kernel's verbs and needs their provider.
RUN apt-get update -qq \
    && apt-get install -qq --no-install-recommends \
        librte-bus-auxiliary25 librte-bus-pci25 librte-bus-vdev25 librte-mempool-ring25 \
        librte-net-mlx5-25 ibverbs-providers \
        librte-net-i40e25 librte-net-iavf25 librte-net-ice25 librte-net-ixgbe25 librte-net-bnxt25 \
        librte-net-ena25 librte-net-gve25 librte-net-virtio25 librte-net-vmxnet3-25 \
        librte-net-af-packet25 librte-net-af-xdp25 librte-net-memif25 librte-net-null25 librte-net-pcap25 \
        librte-net-ring25 librte-net-tap25 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /output --shell /usr/sbin/nologin dataplane \
    && install -d -o dataplane -g dataplane /output
COPY --from=build /out/dataplane /usr/local/bin/dataplane
COPY LICENSE /usr/share/doc/dataplane/LICENSE

# By number, so that Kubernetes can see that it isn't root (runAsNonRoot).
USER 10001:10001
WORKDIR /output
ENTRYPOINT ["dataplane"]
CMD ["agent", "--state-dir", "/output"]
