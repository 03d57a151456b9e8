# The playground in a container, on port 7860, as user 1000, its runs and downloads under /data.
#   docker build -t autoencoder-playground .
# PyTorch comes as on any machine, with CUDA inside (6.6 GB); it uses the GPU where `docker run --gpus all` gives one, else the CPU.
# For an image without CUDA (about 2 GB) give both arguments; the address is what stands behind --index-url in the command that
# PyTorch's site shows under "Start Locally" for Stable, Linux, Pip, Python, CPU, and it ends in /whl/cpu:
#   docker build --build-arg DEVICE=cpu --build-arg TORCH_INDEX=<that address> -t autoencoder-playground .
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ARG DEVICE=cuda
ARG TORCH_INDEX=
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv \
    && if [ "$DEVICE" = cpu ]; then \
         test -n "$TORCH_INDEX" || { echo "DEVICE=cpu needs a second argument, --build-arg TORCH_INDEX=ADDRESS: what stands" \
           "behind --index-url in the command that PyTorch's site shows under 'Start Locally' for Stable, Linux, Pip, Python," \
           "CPU; it ends in /whl/cpu. Without both arguments the image comes with CUDA and runs on a CPU too." >&2; exit 1; }; \
         grep -E '^torch(vision)?==' requirements.txt > torch.txt \
         && /venv/bin/pip install --no-cache-dir --index-url "$TORCH_INDEX" -r torch.txt; \
       fi \
    && /venv/bin/pip install --no-cache-dir -r requirements.txt \
    && find /venv -name __pycache__ -prune -exec rm -rf {} +

FROM python:${PYTHON}-slim
RUN useradd --uid 1000 --create-home user && mkdir /data && chown user /data
COPY --from=build /venv /venv
COPY --chown=user .streamlit /app/.streamlit
COPY --chown=user app.py playground.toml /app/
COPY --chown=user pretrained /app/pretrained
COPY --chown=user playground /app/playground
COPY --chown=user docs/results /app/docs/results
COPY --chown=user benchmarks/results /app/benchmarks/results
USER user
WORKDIR /app
ENV PATH=/venv/bin:$PATH PLAYGROUND_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/health', timeout=4)"
CMD ["python", "app.py", "--host", "0.0.0.0"]
