# Orgdesk as an image: no shell, no root, a read-only root file system; only /data is written.
#
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges -v orgdesk:/data -p 8080:8080 … orgdesk
#
# The bases are pinned by tag, for a digest is the registry's to name. Whoever publishes the image appends the digests
# (`image:tag@sha256:…`) of the day it was built and scanned.

FROM rust:1.95.0-slim-bookworm AS builder
WORKDIR /build

# The dependencies, in a layer that stays while only the sources change. Benches and tests are not copied yet, so their
# tables must not be read yet either.
COPY Cargo.toml Cargo.lock ./
COPY migration/Cargo.toml migration/
RUN sed -i -e '/^\[\[bench\]\]/,/^$/d' -e '/^\[\[test\]\]/,/^$/d' Cargo.toml \
    && mkdir -p src migration/src \
    && echo 'fn main() {}' >src/main.rs \
    && touch src/lib.rs migration/src/lib.rs \
    && cargo build --release --locked --bin orgdesk

# Cargo goes by the time of a file: the empty stand-ins are younger than the real sources.
COPY . .
RUN find src migration/src -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --bin orgdesk \
    && mkdir -p /image/data \
    && cp target/release/orgdesk /image/

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=builder /image/orgdesk /orgdesk
COPY --from=builder --chown=65532:65532 /image/data /data
ENV ORGDESK_LISTEN=0.0.0.0:8080 \
    ORGDESK_DATA=/data
WORKDIR /data
VOLUME ["/data"]
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=30s --retries=3 CMD ["/orgdesk", "health"]
ENTRYPOINT ["/orgdesk"]
CMD ["serve"]
