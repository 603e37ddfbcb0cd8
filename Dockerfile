# syntax=docker/dockerfile:1
# A static binary, CA certificates and nothing else: no shell, no package manager, no root.
#   docker build --build-arg VERSION=… --build-arg REVISION=$(git rev-parse HEAD) .
# Multi-arch: docker buildx build --platform linux/amd64,linux/arm64 . (the builder runs on
# the host's architecture and cross-compiles). Reproducible: SOURCE_DATE_EPOCH. Pin the two
# base images by digest in BUILDER and BASE.
ARG BUILDER=docker.io/library/golang:1.26.8-bookworm
ARG BASE=scratch

FROM --platform=${BUILDPLATFORM:-linux/amd64} ${BUILDER} AS build
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY auth/ auth/
COPY cmd/ cmd/
COPY proxy/ proxy/
COPY tlsconf/ tlsconf/
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false \
    -ldflags "-s -w -buildid= -X main.buildVersion=${VERSION} -X main.buildRevision=${REVISION}" \
    -o /out/metrics-gate ./cmd/metrics-gate

FROM ${BASE}
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG SOURCE_DATE_EPOCH
LABEL org.opencontainers.image.title="metrics-gate" \
      org.opencontainers.image.description="Authenticating proxy for GitLab Runner's metrics" \
      org.opencontainers.image.source="https://github.com/metrics-gate/metrics-gate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/metrics-gate /usr/bin/metrics-gate
USER 65532:65532
EXPOSE 9253
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/usr/bin/metrics-gate", "healthcheck"]
ENTRYPOINT ["/usr/bin/metrics-gate"]
