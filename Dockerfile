# The server as an image: built from the source with the locked dependencies, run without root.
# With Postgres and secrets as files: docker-compose.yml and docs/deploy.md.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
# The caches stay with the builder; only the binary goes on.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --all-features && cp target/release/consentry /consentry

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --uid 10001 --shell /usr/sbin/nologin consentry \
    && install -d -o consentry -g consentry -m 700 /var/lib/consentry
COPY --from=build /consentry /usr/local/bin/consentry

# The embedded database lives here unless CONSENTRY_DATABASE_URL says otherwise: mount a volume of your own.
# The working folder stays /, which any user may enter, because compose runs this as the secrets' owner.
USER consentry
VOLUME /var/lib/consentry
ENV CONSENTRY_DATABASE_URL=sqlite:///var/lib/consentry/consentry.db

# Inside a container every address is the container's own; who may reach it is decided where its port is published.
ENV CONSENTRY_LISTEN=0.0.0.0:8080
EXPOSE 8080

# The slim image has neither curl nor wget, but its bash can speak TCP. Ready means: the database answers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n' >&3 && { read -r _ status _; cat >/dev/null; } <&3 && [ \"$status\" = 200 ]"]

# Ctrl-C and `docker stop` reach the server itself, which then answers what it has begun.
STOPSIGNAL SIGTERM
ENTRYPOINT ["consentry"]
CMD ["serve"]
