#!/bin/sh
# An image of Redis from Debian's package, for machines that reach no registry:
#   ./redis-image.sh && REDIS_IMAGE=faultbed-example-redis PYTHON_IMAGE=faultbed:0.1.0 faultbed run reply-lost.yaml
set -eu
image=${1:-faultbed-example-redis}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mmdebstrap --quiet --variant=extract --include=redis-server,redis-tools,libc-bin,busybox-static \
  --extract-hook='set -e; r="$1"
    chroot "$r" /bin/busybox --install -s /bin
    chroot "$r" /sbin/ldconfig
    mkdir -p "$r/etc" "$r/tmp" "$r/proc" "$r/sys" "$r/dev" "$r/data"; chmod 1777 "$r/tmp" "$r/data"
    printf "root:x:0:0:root:/root:/bin/sh\n" >"$r/etc/passwd"; printf "root:x:0:\n" >"$r/etc/group"
    for d in doc man locale info perl5 zoneinfo; do rm -rf "$r/usr/share/$d"; done
    rm -rf "$r"/usr/lib/*-linux-gnu/perl-base "$r"/usr/bin/perl*' \
  bookworm "$folder/redis.tar"
docker import --change 'WORKDIR /data' --change 'CMD ["redis-server"]' \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$folder/redis.tar" "$image" >/dev/null
