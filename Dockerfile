# docker build -t oncue .
# What is installed is named by version and hash; nothing is compiled.
FROM python:3.13-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ONLY_BINARY=:all:
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/oncue \
    && /opt/oncue/bin/pip install --require-hashes -r requirements.lock \
    && python -m venv tools \
    && tools/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY examples examples
COPY src src
RUN tools/bin/python -m hatchling build -t wheel -d dist \
    && /opt/oncue/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/oncue/bin/python -m pip uninstall --yes pip

FROM python:3.13-slim-trixie
RUN groupadd --system --gid 10001 oncue \
    && useradd --system --uid 10001 --gid oncue --no-create-home --home-dir /var/lib/oncue \
        --shell /usr/sbin/nologin oncue \
    && install --directory --owner oncue --group oncue --mode 0700 /var/lib/oncue
COPY --from=build /opt/oncue /opt/oncue
ENV PATH=/opt/oncue/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    ONCUE_HOST=0.0.0.0 \
    ONCUE_DATA=/var/lib/oncue
USER 10001:10001
WORKDIR /var/lib/oncue
VOLUME /var/lib/oncue
EXPOSE 8787
STOPSIGNAL SIGTERM
# Whether it lives: a full disk (/ready) is not mended by another container.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8787/health', timeout=4)"]
ENTRYPOINT ["oncue"]
CMD ["up"]
