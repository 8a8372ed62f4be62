# The image of Pawl: docs/container.md says how to build and run it.
#
#   docker build --target slim -t pawl:slim .
#   docker build --target full -t pawl:full .
#
# Written for a docker without BuildKit too, so nothing here needs it. Such a
# docker builds every stage above the target, needed or not.
#
# Where the network is closed, both images that this file begins with can be
# others (GO_IMAGE, BASE), and programs in prebuilt/ of the build context are
# taken instead of compiled ones; GO_IMAGE then needs no Go, only a shell.

ARG GO_IMAGE=golang:1.26-bookworm
ARG BASE=debian:bookworm-slim

# syft comes first: it takes minutes to compile and changes seldom.
FROM ${GO_IMAGE} AS syft
ARG SYFT_VERSION=v1.18.1
ARG GOPROXY
WORKDIR /src
# The pattern may match nothing; a COPY fails only where all of its names do.
COPY go.mod prebuil[t]/syft prebuilt/
RUN mkdir /out && \
    if [ -f prebuilt/syft ]; then install prebuilt/syft /out/syft; else \
    CGO_ENABLED=0 GOBIN=/out go install -trimpath -ldflags '-s -w' "github.com/anchore/syft/cmd/syft@${SYFT_VERSION}"; fi

FROM ${GO_IMAGE} AS pawl
ARG GOPROXY
WORKDIR /src
COPY . .
# These flags make the same file wherever it is compiled, by the same release of Go.
RUN mkdir /out && \
    if [ -f prebuilt/pawl ]; then install prebuilt/pawl /out/pawl; else \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -buildid=' -o /out/pawl ./cmd/pawl; fi

# slim: receives, and scans images.
FROM ${BASE} AS slim
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates jq skopeo && \
    apt-get clean && rm -rf /var/lib/apt/lists/*
# Whoever runs it is in group 0: the user below, and the arbitrary ones of
# OpenShift. So group 0 may do with the home what its owner may.
RUN useradd --uid 10001 --gid 0 --home-dir /var/lib/pawl --no-create-home --shell /bin/sh pawl && \
    install -d -o 10001 -g 0 -m 770 /var/lib/pawl /var/lib/pawl/reports
COPY hooks /etc/pawl/hooks
COPY scripts /etc/pawl/scripts
COPY packaging/healthcheck.sh /usr/local/bin/pawl-healthcheck
COPY --from=syft /out/syft /usr/local/bin/syft
COPY --from=pawl /out/pawl /usr/local/bin/pawl
# /etc/webhook is the same directory by the name that images of webhook have for
# it: what is mounted there takes the place of the bundled hooks. It is the
# working directory, as there, for hooks that name their commands relative to
# it; the link to the scripts lets the bundled hooks do so.
RUN chmod -R a+rX,go-w /etc/pawl && chmod 755 /usr/local/bin/pawl-healthcheck && \
    ln -s ../scripts /etc/pawl/hooks/scripts && \
    ln -s pawl/hooks /etc/webhook && \
    ln -s pawl /usr/local/bin/webhook
# HOME holds for every user; Pawl's data directory lies below it, and with it the
# journal. It is not named here (PAWL_DATA_DIR): a user who may not write to it would
# make Pawl refuse to start, instead of serving as webhook does and saying that nothing
# lasts. The volume keeps the journal out of the container's own layer, which is gone
# with the container, even where nobody thought of a volume.
ENV HOME=/var/lib/pawl \
    PAWL_HOOKS=/etc/pawl/hooks
VOLUME /var/lib/pawl
WORKDIR /etc/pawl/hooks
USER 10001:0
EXPOSE 9000
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["pawl-healthcheck"]
ENTRYPOINT ["pawl"]

# full: also what scripts that deploy or that call Nexus IQ need.
FROM slim AS full
USER 0:0
# Debian 12 has docker's client only in one package with the daemon, 200 MB:
# there the client alone is taken out of it.
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash curl default-jre-headless git openssh-client tzdata && \
    if apt-cache show docker-cli >/dev/null 2>&1; then \
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker-cli; \
    else \
        cd /tmp && apt-get download docker.io && \
        dpkg-deb --fsys-tarfile docker.io_*.deb | tar -x -C / ./usr/bin/docker ./usr/share/doc/docker.io/copyright && \
        rm docker.io_*.deb; \
    fi && \
    docker --version && \
    apt-get clean && rm -rf /var/lib/apt/lists/*
USER 10001:0
