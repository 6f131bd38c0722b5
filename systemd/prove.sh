#!/bin/bash
# Boots a real systemd in a container, installs riskd from this checkout and proves what systemd/README.md promises.
#   systemd/prove.sh [FOLDER]     as root on Debian 12; FOLDER (2 GB, default: a new one that is removed) keeps what takes long
# Nothing of the host is changed: the container has its own mounts, processes and network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for need in debootstrap:debootstrap systemd-nspawn:systemd-container nsenter:util-linux; do
  command -v "${need%%:*}" >/dev/null || { echo "prove.sh: ${need%%:*} is missing: apt-get install ${need##*:}" >&2; exit 1; }
done
[[ $(id -u) == 0 ]] || { echo "prove.sh: must be root, to boot a container" >&2; exit 1; }
folder=${1:-$(mktemp -d /var/tmp/riskd-prove.XXXXXX)}
mkdir -p "$folder"
folder=$(realpath "$folder")
root=$folder/root
boot= pid=
finish() {
  local status=$?
  set +e
  [[ $status == 0 || -z $pid ]] || { journal riskd; journal riskd-watch; } 2>&1 | tail -40 >&2
  [[ -n $pid ]] && inside systemctl poweroff >/dev/null 2>&1 && wait "$boot" 2>/dev/null
  [[ -n $boot ]] && kill "$boot" 2>/dev/null
  rmdir /sys/fs/cgroup/unified/riskd-prove 2>/dev/null
  [[ ${1:-} == keep ]] || rm -rf "$folder"
  exit $status
}
trap "finish ${1:+keep}" EXIT

install_all() {
  [[ -e $folder/base.ok ]] || {
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,systemd,systemd-sysv,dbus,mosquitto,procps \
      bookworm "$root" >"$folder/debootstrap.log"
    touch "$folder/base.ok"
  }
  # The chroot has the host's network; and its certificates, for a proxy that has one of its own.
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$root/src" && mkdir "$root/src"
  cp -r pyproject.toml README.md LICENSE daemon models requirements "$root/src/"
  [[ -e $root/opt/riskd/bin/pip ]] || chroot "$root" python3 -m venv /opt/riskd
  local pip=(chroot "$root" env -u PIP_FIND_LINKS PIP_CERT=/etc/ssl/certs/ca-certificates.crt
    /opt/riskd/bin/pip install -q --disable-pip-version-check --cache-dir /var/cache/pip)
  "${pip[@]}" -r /src/requirements/lock.txt
  "${pip[@]}" --no-deps --force-reinstall /src
  install -d "$root/opt/riskd/share/riskd" "$root/etc/riskd" "$root/etc/credstore"
  cp -r models/artefacts examples/prices "$root/opt/riskd/share/riskd/"
}

configure() {
  cat >"$root/etc/riskd/riskd.toml" <<'TOML'
[service]
state = "/var/lib/riskd"
history_from = 2016-01-04
[[feeds]]
type = "replay"
path = "/opt/riskd/share/riskd/prices/us-stocks-1990-2022.csv.gz"
first = 2020-02-18
last = 2020-04-30
speed = 2.0
[model]
artefact = "/opt/riskd/share/riskd/artefacts/lstm-jsu-2014"
[scenarios]
paths = 1000
horizons = [1]
[[portfolios]]
name = "book"
weights = { AAPL = 0.4, JPM = 0.4, KO = 0.2 }
max_cash = 0.9
limits = [{ name = "cvar", max_cvar = 0.05 }]
[mqtt]
username = "riskd"
password_file = "mqtt-password"
heartbeat_seconds = 5
TOML
  printf 'proof-of-%s\n' "$RANDOM$RANDOM" >"$root/etc/credstore/riskd.mqtt-password"
  chmod 600 "$root/etc/credstore/riskd.mqtt-password"
  printf 'listener 1883 127.0.0.1\npassword_file /etc/mosquitto/passwd\n' >"$root/etc/mosquitto/conf.d/riskd.conf"
  : >"$root/etc/mosquitto/passwd"
  chroot "$root" mosquitto_passwd -b /etc/mosquitto/passwd riskd "$(cat "$root/etc/credstore/riskd.mqtt-password")"
  chroot "$root" chown mosquitto /etc/mosquitto/passwd
  cp systemd/riskd.service systemd/riskd-watch.service systemd/riskd-train.* "$root/etc/systemd/system/"
  rm -rf "$root/var/lib/private/riskd" "$root/var/lib/riskd" "$root/etc/systemd/system/riskd.service.d" "$root/var/log/journal"
  # The unit's own 120 s would make the proof wait; nothing else is changed.
  install -d "$root/etc/systemd/system/riskd.service.d"
  printf '[Service]\nWatchdogSec=50\n' >"$root/etc/systemd/system/riskd.service.d/proof.conf"
}

# Where PID 1 is not systemd, cgroups may be hybrid: then a private mount of the unified ones, gone with the container.
start_container() {
  local run=(systemd-nspawn -q -D "$root" --boot --register=no --keep-unit --private-network --console=pipe)
  if [[ $(cat /proc/1/comm) == systemd ]]; then
    systemd-nspawn -q -D "$root" --boot --private-network --console=pipe >"$folder/boot.log" 2>&1 </dev/null &
  else
    unshare -m bash -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; mkdir -p /sys/fs/cgroup/riskd-prove
      exec "$@"' - "${run[@]}" >"$folder/boot.log" 2>&1 </dev/null &
  fi
  boot=$!
  for _ in {1..300}; do
    pid=$(pgrep -P "$boot" -x systemd || true)
    [[ -n $pid ]] && inside systemctl is-system-running >/dev/null 2>&1 && return
    sleep 0.2
  done
  [[ -n $pid ]] || { cat "$folder/boot.log" >&2; exit 1; }
}

inside() { nsenter -t "$pid" -m -u -i -n -p -C -- "$@"; }
show() { inside systemctl show -P "$1" "${2:-riskd}"; }
journal() { inside journalctl -q -o cat -u "$1"; }

failures=0
row() {  # claim, what was found, whether it holds
  local verdict=ok
  [[ $3 == 0 ]] || { verdict=FAILED; failures=$((failures + 1)); }
  printf '%-58s %-6s %s\n' "$1" "$verdict" "$2"
}
# Wait at most so many seconds until a command succeeds; prints the seconds it took.
within() {
  local limit=$1 begun=$EPOCHREALTIME
  shift
  until "$@" >/dev/null 2>&1; do
    awk -v a="$begun" -v b="$EPOCHREALTIME" -v l="$limit" 'BEGIN { exit b - a > l }' || { echo "not within $limit"; return 1; }
    sleep 0.2
  done
  awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s\n", b - a }'
}
timed() { local TIMEFORMAT=%1R; { time "$@" >/dev/null 2>&1; } 2>&1; }
claim() {  # claim, limit in seconds, command
  local found status=0
  found=$(within "$2" "${@:3}") || status=1
  row "$1" "$found" "$status"
}
# grep -c reads to the end: under pipefail a pipe that grep -q closes early would fail.
count() { journal "$1" | grep -c -- "$2" || true; }
said() { (($(count "$1" "$2") > ${3:-0})); }
limit_is() {
  inside /opt/riskd/bin/python -c 'import json, sys, urllib.request as u
s = json.load(u.urlopen("http://127.0.0.1:8321/api/v1/status"))
sys.exit(s["reports"][0]["limits"][0]["max_cvar"] != float(sys.argv[1]))' "$1"
}
restarts_are() { [[ $(show NRestarts) == "$1" && $(show ActiveState) == active ]]; }
status_says() { [[ $(show StatusText) =~ $1 ]]; }
compare() { [[ $1 == "$2" ]] && echo 0 || echo 1; }

prove() {
  local failed main seconds offline
  failed=$(inside systemctl list-units --failed --no-legend --plain | wc -l)
  row "systemd is up, no unit failed" "$(inside systemctl --version | head -1), $failed failed" "$failed"
  inside systemd-analyze verify riskd.service riskd-watch.service riskd-train.service riskd-train.timer 2>"$folder/verify.log" || true
  row "systemd-analyze verify has nothing to remark of riskd" "$(grep -c riskd "$folder/verify.log" || true) remarks" \
    "$(grep -q riskd "$folder/verify.log" && echo 1 || echo 0)"

  seconds=$(timed inside systemctl start riskd)
  row "start returns when riskd is READY" "$seconds s" "$(compare "$(show ActiveState)" active)"
  main=$(show MainPID)
  claim "STATUS shows phase and figures" 180 status_says "figures of 2020"
  row "  " "$(show StatusText | cut -c1-70)" 0
  row "a user of its own, not root" "$(inside ps -o user= -p "$main")" "$(inside ps -o user= -p "$main" | grep -qx root && echo 1 || echo 0)"
  row "the password came by LoadCredential=, MQTT is connected" "" \
    "$(said riskd 'connected to MQTT broker' && echo 0 || echo 1)"
  row "the password is neither in the journal nor in ps" "" \
    "$( (journal riskd; inside ps axww -o args) | grep -c -- "$(cat "$root/etc/credstore/riskd.mqtt-password")" || true)"
  row "/etc is read-only to it" "$(inside nsenter -t "$main" -m touch /etc/x 2>&1 | tail -c 22)" \
    "$(inside nsenter -t "$main" -m touch /etc/x 2>/dev/null && echo 1 || echo 0)"
  row "exposure at most 1.5" "$(inside systemd-analyze security riskd | tail -1 | awk '{ print $(NF-2), $(NF-1) }')" \
    "$(inside systemd-analyze security --threshold=15 riskd >/dev/null && echo 0 || echo 1)"
  inside systemctl start riskd-watch

  sed -i 's/max_cvar = 0.05/max_cvar = 0.04/' "$root/etc/riskd/riskd.toml"
  seconds=$(timed inside systemctl reload riskd)
  claim "reload: the new limit is in force" 120 limit_is 0.04
  row "  under the same process id, never inactive" "reload took $seconds s" "$(compare "$(show MainPID) $(show NRestarts)" "$main 0")"
  sed -i 's/max_cvar = 0.04/max_cvar = 4.0/' "$root/etc/riskd/riskd.toml"
  inside systemctl reload riskd
  claim "reload of a bad file: STATUS says what is wrong" 20 status_says "kept its configuration: .*max_cvar"
  row "  and the old limit stays" "$(show StatusText | grep -o 'kept.*' | cut -c1-70)" "$(limit_is 0.04 && echo 0 || echo 1)"
  sed -i 's/max_cvar = 4.0/max_cvar = 0.04/' "$root/etc/riskd/riskd.toml"

  inside kill -STOP "$main"
  claim "hung (SIGSTOP): riskd-watch raises, promised within 15 s" 15 said riskd-watch "raised stale"
  claim "  the watchdog kills and restarts it (WatchdogSec 50)" 180 restarts_are 1
  row "  because of the watchdog" "$(journal riskd | grep -o 'Watchdog timeout.*' | tail -1)" "$(said riskd 'Watchdog timeout' && echo 0 || echo 1)"
  claim "  riskd-watch clears" 120 said riskd-watch "cleared stale"
  inside kill -KILL "$(show MainPID)"
  claim "killed (SIGKILL): restarted" 120 restarts_are 2
  claim "  and ready with its old figures" 120 limit_is 0.04

  offline=$(count riskd-watch "raised offline")
  seconds=$(timed inside systemctl stop riskd)
  row "stop takes less than 30 s" "$seconds s, $(show Result)" "$(awk -v s="$seconds" 'BEGIN { print !(s < 30) }')"
  claim "stopped: riskd-watch raises, promised within 35 s" 35 said riskd-watch "raised offline" "$offline"
  sed -i 's/max_cvar = 0.04/max_cvar = 4.0/' "$root/etc/riskd/riskd.toml"
  inside systemctl start riskd >/dev/null 2>&1 || true
  row "a bad file at start: exit 78, no restart" "status $(show ExecMainStatus), $(show NRestarts) restarts" \
    "$(compare "$(show ExecMainStatus) $(show NRestarts)" "78 0")"
}

install_all
configure
start_container
prove
((failures == 0))
