# The orchestrator, to run in a cluster as a Job (deploy/). See images/README.md.
#   images/build orchestrator                                          or, where images can be pulled:
#   docker build -f images/orchestrator.Dockerfile -t orchestrator .
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-trixie
ARG BASE=docker.io/library/debian:13-slim

FROM ${RUST_IMAGE} AS tools
ARG LOCKED= UNLOCKED= MIRROR= LOCK_SUM=
RUN --mount=type=bind,source=images,target=/images \
    /images/install-packages /images/packages.lock gcc libc6-dev

FROM tools AS build
WORKDIR /src
COPY . .
# Without link-time optimisation, as `make build` has it: minutes of linking would gain nothing.
RUN CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo build --locked --release -p orchestrator --bin orchestrator --target-dir /target \
    && install -D -m 755 /target/release/orchestrator /out/usr/local/bin/orchestrator \
    && strip --strip-debug /out/usr/local/bin/orchestrator \
    && install -D -m 644 LICENSE /out/usr/share/doc/orchestrator/copyright \
    && rm -rf /target

FROM ${BASE} AS system
RUN echo 'orchestrator:x:10001:10001::/work:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'orchestrator:x:10001:' >>/etc/group \
    && install -d -o 10001 -g 10001 /work

FROM system
# Version, revision and time are labels too, by images/build: buildah's cache does not look into arguments here.
LABEL org.opencontainers.image.title="orchestrator" \
    org.opencontainers.image.description="Runs packet profiles on pairs of DPDK pods and writes results that can be published" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /

USER 10001:10001
WORKDIR /work
ENTRYPOINT ["orchestrator"]
CMD ["--help"]
