# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY graphprofile graphprofile
COPY cypher cypher
COPY loaders loaders
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
# The default build of PyTorch brings CUDA along. The CPU build is a tenth of it: give the address of PyTorch's CPU
# wheels, `docker compose build --build-arg TORCH_INDEX=...`.
ARG TORCH_INDEX=
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "$(ls /wheels/*.whl)[sql,text]" \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin graphprofile \
    && install -d -o graphprofile -g graphprofile -m 0700 /data
USER graphprofile
WORKDIR /home/graphprofile
ENV GRAPHPROFILE_DATA=/data \
    PYTHONUNBUFFERED=1
VOLUME /data
ENTRYPOINT ["graphprofile"]
CMD ["--help"]
