# Two stages: the first has pip and the sources, the second only what runs.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /build \
 && /build/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
RUN python -m venv --without-pip /app \
 && /build/bin/pip --quiet --disable-pip-version-check --python /app/bin/python install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY reactor/ reactor/
COPY migrations/ migrations/
COPY config/ config/
RUN /build/bin/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /build/bin/pip --quiet --disable-pip-version-check --python /app/bin/python install --no-deps --no-index /wheels/*.whl \
 && mkdir /data

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="smi-adaptor" \
  org.opencontainers.image.description="Keeps SMI TrafficSplits working on Linkerd" \
  org.opencontainers.image.version="1.1.0" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.source="https://github.com/linkerd-smi-reactor/linkerd-smi-reactor"
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /app /app
COPY --from=build --chown=65534:65534 /data /data
USER 65534:65534
VOLUME /data
EXPOSE 9995
ENTRYPOINT ["smi-adaptor"]
