FROM python:3.13-slim
RUN useradd --create-home --uid 10001 wattwitness \
    && mkdir /var/lib/wattwitness && chown wattwitness /var/lib/wattwitness
# a Chinese font for the assessment of an alert as PDF
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/wattwitness
COPY requirements/runtime.lock requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/runtime.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER wattwitness
EXPOSE 8080
CMD ["wattwitness", "--help"]
