FROM python:3.11-slim

WORKDIR /app

# Changes least, weighs most: first. TensorFlow's C++ headers and pandas's own tests are a third of a gigabyte
# that nothing reads.
COPY requirements.txt ./
RUN pip install --no-cache-dir --root-user-action=ignore -r requirements.txt \
    && cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && rm -rf tensorflow/include pandas/tests

# Whoever the container runs as may write to /data: a platform may choose another user, and a tmpfs that is mounted there
# belongs to root but takes over the mode.
RUN useradd --uid 1000 --no-create-home --home-dir /tmp bnlab \
    && install -d -m 1777 -o bnlab -g bnlab /data

# The code belongs to root and cannot be written by the server; its bytecode is compiled here, once.
COPY . .
RUN python -m compileall -q bnlab

# What is written at run time goes to /data (the store) and /tmp; the root may be read-only.
ENV HOME=/tmp \
    DASK_TEMPORARY_DIRECTORY=/tmp/dask \
    BNLAB_STORE=sqlite:////data/bnlab.db \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 1000
VOLUME /data
EXPOSE 8501

# Ready: the store can be written, the workers' scheduler answers, live updates are sent. Below the base path, if
# there is one.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD python -m bnlab.live.health_check http://localhost:8501

# The exec form: SIGTERM reaches Streamlit, which stops its workers.
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true", "--browser.serverAddress=localhost"]
