# The service, for use beside a PostgreSQL: see docker-compose.yml.

FROM swift:6.3-bookworm AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev libopenblas-dev liblz4-dev libsnappy-dev libzstd-dev \
        pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# Dependencies first: they change less often than the sources.
COPY Package.swift Package.resolve[d] ./
RUN swift package resolve
COPY . .
RUN swift build -c release --product lockstep --static-swift-stdlib

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates liblz4-1 libpq5 libsnappy1v5 libstdc++6 libzstd1 \
        tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/lockstep lockstep \
    && install -d -o lockstep -g lockstep /var/lib/lockstep/objects
COPY --from=builder /source/.build/release/lockstep /usr/local/bin/lockstep
USER lockstep
WORKDIR /var/lib/lockstep
ENV OBJECT_STORE=/var/lib/lockstep/objects
VOLUME /var/lib/lockstep/objects
EXPOSE 6566
ENTRYPOINT ["lockstep"]
CMD ["serve", "--host", "0.0.0.0", "--port", "6566"]
