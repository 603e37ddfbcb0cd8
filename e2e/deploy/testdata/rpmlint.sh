#!/bin/sh
# Runs rpmlint in a throwaway copy of this machine's root: as root it unpacks the package to
# where the package's paths say. $1 is a file of filters, $2 the package.
set -eu
mount --make-rprivate /
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
mount --bind /dev "$work/root/dev"
mount -t tmpfs tmpfs "$work/root/tmp"
cp "$1" "$work/root/tmp/rpmlintrc"
cp "$2" "$work/root/tmp/"
exec chroot "$work/root" rpmlint --rpmlintrc /tmp/rpmlintrc "/tmp/${2##*/}"
