# The image behind action.yml: perfgate with what it takes to build the project that it measures,
# the Go command, git and a C compiler. Debian and not Alpine, because another C library and
# another allocator would measure another program.

# Both stages stand on this image, so that a mirror of it is named once.
ARG BASE=golang:1.26-bookworm

FROM ${BASE} AS build
ARG VERSION=devel
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# No version control stamp: the git data may be absent here, or belong to another user. The build
# cache goes with the step, or every change would leave one behind in the engine's.
RUN CGO_ENABLED=0 GOCACHE=/tmp/cache go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X main.version=${VERSION}" -o /out/perfgate ./cmd/perfgate \
    && rm -rf /tmp/cache

FROM ${BASE}
ARG VERSION=devel
# The commit that the image is built from.
ARG REVISION=""
LABEL org.opencontainers.image.title="perfgate" \
      org.opencontainers.image.description="Fails a build when, and only when, the change made a Go program slower or heavier" \
      org.opencontainers.image.source="https://github.com/org/perfgate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}"

# The official image has all of these, and the step then needs no network. A smaller base does not.
RUN set -e; \
    if ! command -v git >/dev/null || ! command -v gcc >/dev/null \
        || ! test -e /usr/include/stdio.h || ! test -e /etc/ssl/certs/ca-certificates.crt; then \
      apt-get update; \
      apt-get install -y --no-install-recommends ca-certificates gcc git libc6-dev; \
      rm -rf /var/lib/apt/lists/*; \
    fi

# GOTOOLCHAIN: the base image pins its own Go, and a project with a newer go line would not build.
#
# GOPATH: empty, which puts the module cache under $HOME. The runner keeps that folder from step to
# step and a workflow can cache it; the base image's /go/pkg/mod is gone with the container. The
# build cache is under $HOME as it is.
#
# GOFLAGS: whoever owns the workspace must be able to delete the module cache. A workflow that sets
# GOFLAGS replaces this, as with every variable here.
#
# GIT_CONFIG: the workspace belongs to another user than the container's root, and git refuses such
# a repository; go build, which asks git, then fails too. Every folder is declared safe and not just
# /github/workspace, because act mounts the repository at its path on the host and so does every
# runner that is not GitHub's. What the check protects from, another user's repository on a shared
# machine, does not exist in a container that is made for one step.
ENV GOTOOLCHAIN=auto \
    GOPATH="" \
    GOFLAGS=-modcacherw \
    GIT_CONFIG_COUNT=1 \
    GIT_CONFIG_KEY_0=safe.directory \
    GIT_CONFIG_VALUE_0=*

COPY --from=build /out/perfgate /usr/local/bin/perfgate

# No USER and no WORKDIR: GitHub supports neither in an action. The exec form, because a shell in
# between drops variables with a hyphen in their name, which half of the inputs have.
ENTRYPOINT ["/usr/local/bin/perfgate"]
