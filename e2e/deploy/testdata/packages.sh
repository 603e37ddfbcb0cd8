#!/bin/sh
# Installs, upgrades, removes and purges the package in a throwaway copy of this machine's
# root (an overlay in a mount namespace). $1 is deb or rpm, $2 the file.
set -eu
mount --make-rprivate /
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
root=$work/root
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/systemd/system" # as if systemd ran
mkdir -p "$root/package"
cp "$2" "$root/package/package"
rm -f "$root/usr/bin/systemctl" "$root/bin/systemctl"
printf '#!/bin/sh\necho "systemctl $*"\n' > "$root/usr/bin/systemctl"
chmod 755 "$root/usr/bin/systemctl"

cat > "$root/package/run" <<'SCRIPT'
set -eu
export PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
case $1 in
deb)
	add() { dpkg --no-triggers --force-depends -i /package/package; }
	remove() { dpkg --no-triggers -r metrics-gate; }
	purge() { dpkg --no-triggers --purge metrics-gate; }
	;;
rpm)
	add() { rpm -U --force --nodeps /package/package; }
	remove() { rpm -e --nodeps metrics-gate; }
	purge() { :; }
	;;
esac
say() { echo "== $*"; }

say install
add
say "user $(getent passwd metrics-gate)"
say "mode $(stat -c '%a %U %G' /etc/metrics-gate) $(stat -c '%a %U %G' /etc/metrics-gate/metrics-gate.env)"
metrics-gate version
man -w 8 metrics-gate
say "running: $(pgrep -x metrics-gate || true)"

echo secret > /etc/metrics-gate/tls.key
echo METRICS_GATE_METRICS_ALLOW=dns:mine > /etc/metrics-gate/metrics-gate.env
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s /usr/lib/systemd/system/metrics-gate@.service /etc/systemd/system/multi-user.target.wants/metrics-gate@9263.service
say upgrade
add < /dev/null
say "settings $(cat /etc/metrics-gate/metrics-gate.env)"
say remove
remove
say "key $(cat /etc/metrics-gate/tls.key)"
say purge
purge
say "key $(cat /etc/metrics-gate/tls.key)"
rm /etc/systemd/system/multi-user.target.wants/metrics-gate@9263.service # systemctl does it
say "left $(find / -xdev -path /package -prune -o -path /proc -prune -o -name '*metrics-gate*' -print | grep -vE '^/(tmp|work|root|home|var/(lib|cache)|builds|src)' | sort | tr '\n' ' ')"
SCRIPT
exec chroot "$root" sh /package/run "$1"
