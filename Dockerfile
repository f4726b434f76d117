# A service without torch: what a finished model needs, and nothing that built it.
# Build: docker build -t lentigo .      Run: see compose.yaml and docs/deploy.md.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE} AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY lentigo ./lentigo
RUN python -m venv /opt/lentigo \
 && /opt/lentigo/bin/python -m pip install --no-cache-dir --no-compile -c constraints.txt ".[serve]" \
 && /opt/lentigo/bin/python -m pip uninstall --yes pip \
 && find /opt/lentigo/lib -type d -name tests -prune -exec rm -r {} + \
 && /opt/lentigo/bin/python -c "import lentigo.service.server, lentigo.service.worker_process, lentigo.imaging.sandbox.reader_process, lentigo.models.onnx_engine"
# The last line compiles what the service imports, and only that: nothing can be written later.

FROM ${BASE}
LABEL org.opencontainers.image.title="lentigo" \
      org.opencontainers.image.description="Research software, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/lentigo /opt/lentigo
# The file system is to be mounted read-only: nothing is written beside the code.
ENV PATH=/opt/lentigo/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
# A new volume takes the owner of the folder it is mounted on: else the log is not writable.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin lentigo \
 && install --directory --owner=10001 --mode=700 /audit \
 && /usr/local/bin/python -m pip uninstall --yes pip
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["lentigo", "serve"]
# Other machines reach a container, so the service refuses to start without keys.
CMD ["/models/model", "--host", "0.0.0.0", "--keys", "/run/secrets/lentigo_keys"]
