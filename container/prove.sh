#!/bin/bash
# Builds the image by buildah, runs it by podman and proves what the Dockerfile promises; no registry is asked for a base.
#   container/prove.sh [FOLDER]     as root on Debian 12; FOLDER (4 GB, default: a new one that is removed) keeps the base
#   BASE=python:3.11-slim-bookworm container/prove.sh     takes a base from a registry instead
#   EXTRA=gpu container/prove.sh     the image for a GPU; only what needs none is proved
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:/usr/sbin:/sbin

for need in buildah:buildah podman:podman runc:runc debootstrap:debootstrap mosquitto:mosquitto; do
  command -v "${need%%:*}" >/dev/null || { echo "prove.sh: ${need%%:*} is missing: apt-get install ${need##*:}" >&2; exit 1; }
done
[[ $(id -u) == 0 ]] || { echo "prove.sh: must be root, to run containers" >&2; exit 1; }

folder=${1:-$(mktemp -d /var/tmp/riskd-image.XXXXXX)}
mkdir -p "$folder"
folder=$(realpath "$folder")
store=(--root "$folder/store" --runroot "$folder/run" --storage-driver vfs)
podman=(podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs)
image=localhost/riskd:prove
broker=
finish() {
  local status=$?
  set +e
  "${podman[@]}" rm -f -t 0 riskd >/dev/null 2>&1
  [[ -n $broker ]] && kill "$broker" 2>/dev/null
  [[ ${1:-} == keep ]] || rm -rf "$folder"
  exit $status
}
trap "finish ${1:+keep}" EXIT

failures=0
row() {  # claim, what was found, whether it holds
  local verdict=ok
  [[ $3 == 0 ]] || { verdict=FAILED; failures=$((failures + 1)); }
  printf '%-58s %-6s %s\n' "$1" "$verdict" "$2"
}
timed() { local TIMEFORMAT=%1R; { time "$@" >"$folder/last.log" 2>&1; } 2>&1; }
holds() { "$@" >/dev/null 2>&1 && echo 0 || echo 1; }
fails() { "$@" >/dev/null 2>&1 && echo 1 || echo 0; }
under() { awk -v s="$1" -v l="$2" 'BEGIN { print !(s < l) }'; }

base() {
  [[ -n ${BASE:-} ]] && return
  BASE=localhost/debian-base:bookworm
  "${podman[@]}" image exists "$BASE" && return
  [[ -d $folder/base ]] ||
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,tini bookworm "$folder/base" >"$folder/debootstrap.log"
  tar -C "$folder/base" --exclude='./var/cache/apt/archives/*' -c . | "${podman[@]}" import -q - "$BASE" >/dev/null
}

# The host's certificates, for networks whose proxy has one of its own; --format docker keeps the health check.
build() {
  local certificates=/etc/ssl/certs/ca-certificates.crt
  buildah "${store[@]}" bud -q --layers --isolation chroot --pull-never --format docker --build-arg BASE="$BASE" \
    --build-arg EXTRA="${EXTRA:-cpu}" -v $certificates:$certificates:ro -t $image -f Dockerfile .
}

configure() {
  port=$("${python:-python3}" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  mkdir -p "$folder/config"
  sed -e 's/^embedded = true/host = "127.0.0.1"\nheartbeat_seconds = 2/' -e "s/^port = 18883/port = $port/" \
    -e 's/^port = 8321/port = '$((port > 60000 ? port - 1 : port + 1))'/' config/demo.toml >"$folder/config/demo.toml"
  chmod 755 "$folder" "$folder/config"
  chmod 644 "$folder/config/demo.toml"
  mosquitto -p "$port" >"$folder/mosquitto.log" 2>&1 &
  broker=$!
}

# As compose.yaml runs it. The limits are this shell's own: raising them needs a right that a container may lack.
options=(--network host --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp --ulimit nofile=4096:4096
  --ulimit nproc=4096:4096)
start() {
  "${podman[@]}" run -d --name riskd "${options[@]}" -v "$folder/config:/srv/riskd/config:ro" --health-cmd "riskd health -c config/demo.toml" \
    $image run --config config/demo.toml >/dev/null 2>"$folder/start.log"
}
health() { "${podman[@]}" healthcheck run riskd; }
alone() { "${podman[@]}" run --rm --no-healthcheck "${options[@]}" -v "$folder/config:/srv/riskd/config:ro" "$@"; }
watch() { alone --entrypoint riskd-watch $image --config config/demo.toml --once "$1"; }
wait_for() {  # seconds, command
  local until=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do ((SECONDS < until)) || return 1; sleep 0.5; done
}

prove() {
  local seconds size id
  row "the image is built" "$1 s" 0
  size=$("${podman[@]}" image inspect -f '{{.Size}}' $image)
  row "its size" "$((size / 1000000)) MB, $((size / 1000000 - $("${podman[@]}" image inspect -f '{{.Size}}' "$BASE") / 1000000)) MB above its base" 0
  id=$(alone --entrypoint id $image -u)
  row "runs as uid" "$id" "$([[ $id == 10001 ]] && echo 0 || echo 1)"
  row "has no compiler, no pip" "" "$(fails alone --entrypoint sh $image -c 'command -v gcc || command -v cc || ls /opt/riskd/bin/pip')"
  row "its root is read-only, its state is not" "" \
    "$(holds alone --entrypoint sh $image -c 'touch var/x && ! touch /srv/riskd/x && ! touch /opt/riskd/x')"
  [[ ${EXTRA:-cpu} == cpu ]] || return 0

  start
  row "health check is well" "$(timed wait_for 60 health) s after start" "$(holds health)"
  row "publishes to a broker: riskd-watch hears it and is content" "$(timed wait_for 120 watch 3) s" "$(holds watch 3)"
  stop_all
  seconds=$(timed health || true)
  row "health check fails while it hangs (SIGSTOP)" "$seconds s" "$(fails health)"
  row "riskd-watch raises" "$(watch 8 2>&1 | tail -1 | cut -c1-70)" "$(fails watch 8)"
  resume_all
  row "health check is well again" "" "$(holds wait_for 30 health)"
  seconds=$(timed "${podman[@]}" stop -t 30 riskd)
  row "TERM: exit 0 in less than 10 s" "$seconds s, exit $("${podman[@]}" inspect -f '{{.State.ExitCode}}' riskd)" \
    "$([[ $("${podman[@]}" inspect -f '{{.State.ExitCode}}' riskd) == 0 ]] && under "$seconds" 10 || echo 1)"
  "${podman[@]}" start riskd >/dev/null 2>>"$folder/start.log"
  sleep 4
  seconds=$(timed "${podman[@]}" stop -t 30 riskd)
  row "TERM in the middle of the warm-up" "$seconds s, exit $("${podman[@]}" inspect -f '{{.State.ExitCode}}' riskd)" \
    "$([[ $("${podman[@]}" inspect -f '{{.State.ExitCode}}' riskd) == 0 ]] && under "$seconds" 10 || echo 1)"
}
# Its process id 1 is tini, which a stop signal does not stop; the daemon is its child.
child() { pgrep -P "$("${podman[@]}" inspect -f '{{.State.Pid}}' riskd)"; }
stop_all() { kill -STOP "$(child)"; }
resume_all() { kill -CONT "$(child)"; }

base
seconds=$(timed build) || { cat "$folder/last.log" >&2; exit 1; }
configure
prove "$seconds"
((failures == 0)) || { "${podman[@]}" logs riskd 2>&1 | tail -20 >&2; exit 1; }
