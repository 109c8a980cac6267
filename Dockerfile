# One image for everything that Faultbed runs in containers: nodes, relay, agents, the orchestrator, and the short-lived
# helper that sets packet filter rules. `faultbed image build` builds it from the installed version, with the wheels
# that it collected outside, so that neither the network nor pip is needed in here. `docker build .` in a working
# copy fetches them with pip instead; where that needs a certificate authority of one's own, add
# `--secret id=ca,src=/path/of/ca-bundle.crt`.
ARG BASE=python:3.12-slim

FROM ${BASE} AS installation
WORKDIR /source
COPY . .
# A virtual environment, since its `python3 -I` finds what is installed, whatever the base calls its own folders.
RUN --mount=type=secret,id=ca \
    set -e; \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    python3 -m venv --without-pip /opt/faultbed; \
    if [ -d wheels ]; then \
      set -- /opt/faultbed/bin/python3 "$(echo wheels/pip-*.whl)/pip" install --no-index --find-links wheels 'faultbed[uvloop]'; \
    else \
      set -- python3 -m pip --python /opt/faultbed install '.[uvloop]'; \
    fi; \
    "$@" --no-cache-dir --disable-pip-version-check --quiet --root-user-action ignore; \
    cd /opt/faultbed/lib/python3*/site-packages; \
    echo faultbed/parts >faultbed-parts.pth  # so that `python3 -I -m nodes` runs a node: nobody else's modules are in here

FROM ${BASE}
# For the helper alone: a node has no capability to use them.
RUN set -e; \
    if ! command -v nft >/dev/null || ! command -v tc >/dev/null; then \
      apt-get update -qq; \
      apt-get install -y -qq --no-install-recommends nftables iproute2 >/dev/null; \
      rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log; \
    fi; \
    printf 'faultbed:x:1000:1000::/data:/bin/sh\n' >>/etc/passwd; \
    printf 'faultbed:x:1000:\n' >>/etc/group; \
    mkdir /data; \
    chown 1000:1000 /data
COPY --from=installation /opt/faultbed /opt/faultbed

ARG VERSION=0.1.0
ARG CODE=
LABEL org.opencontainers.image.title="Faultbed" \
      org.opencontainers.image.description="A distributed-systems testbed" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.faultbed.version="${VERSION}" \
      org.faultbed.code="${CODE}"
ENV PATH=/opt/faultbed/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1
USER faultbed
WORKDIR /data
# Healthy is who listens, as nodes, relay and agents do (state 0A in /proc/net/tcp, proc(5)). Docker's own name server
# listens at 127.0.0.11 in every container of a user's network and does not count.
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s \
  CMD ["/bin/sh", "-c", "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep ' 0A ' | grep -qv ': 0B00007F:'"]
ENTRYPOINT ["faultbed"]
CMD ["--help"]
