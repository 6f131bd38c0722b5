# riskd as an image that runs without root on a read-only file system.
# BASE may be any Debian with Python 3.11 and its venv module. EXTRA=gpu takes the onnxruntime for CUDA in place of the other:
# both own the same module, and the pinned version is the same.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "uv>=0.9,<1"
ENV PATH=/opt/uv/bin:$PATH UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_SYSTEM_CERTS=1
WORKDIR /src
COPY requirements/lock.txt requirements/
ARG EXTRA=cpu
RUN case "$EXTRA" in \
      cpu) ;; \
      gpu) sed -i 's/^onnxruntime==/onnxruntime-gpu[cuda,cudnn]==/' requirements/lock.txt ;; \
      *) echo "EXTRA is cpu or gpu, not $EXTRA" >&2; exit 1 ;; \
    esac && uv venv --python python3 /opt/riskd && uv pip install --python /opt/riskd -r requirements/lock.txt
COPY pyproject.toml README.md LICENSE ./
COPY daemon daemon
COPY models/riskd_models models/riskd_models
RUN uv pip install --python /opt/riskd --no-deps .

FROM ${BASE}
LABEL org.opencontainers.image.title=riskd \
      org.opencontainers.image.description="Watches the VaR and CVaR of investment portfolios" \
      org.opencontainers.image.licenses=Apache-2.0
RUN command -v tini || \
    { apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*; }
COPY --from=build /opt/riskd /opt/riskd
# The layout of the repository, because paths in a configuration start at its own folder.
WORKDIR /srv/riskd
COPY config config
COPY models/artefacts models/artefacts
COPY examples examples
RUN install -d -o 10001 -g 10001 -m 0750 var
ENV PATH=/opt/riskd/bin:$PATH HOME=/srv/riskd/var PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1
USER 10001:10001
VOLUME /srv/riskd/var
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["riskd", "health"]
ENTRYPOINT ["tini", "--", "riskd"]
CMD ["run", "--config", "config/riskd.toml"]
