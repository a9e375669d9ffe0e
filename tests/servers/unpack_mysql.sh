#!/usr/bin/env bash
# Unpacks a MySQL server for the tests on a Debian machine, beside the installed packages and without root: Debian's
# unstable suite has one (the stable suites have MariaDB alone), and it runs with that suite's C library.
#   usage: tests/servers/unpack_mysql.sh [DIRECTORY]    default: ~/.cache/vardelta/mysql, where the tests look for it
# Needs apt, dpkg-deb, the Debian archive keyring, and the Debian mirror that the machine is set up with.
set -euo pipefail

directory=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/vardelta/mysql}
server=$directory/mysqld
if [[ -x $server ]] && "$server" --no-defaults --version >/dev/null 2>&1; then
    exit 0
fi

mirror=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *([a-z]+:[^ ]+).*/\3/p' | grep -m1 debian || true)
if [[ -z $mirror ]]; then
    echo "error: apt is set up with no Debian mirror" >&2
    exit 1
fi

mkdir -p "$directory"
work=$(mktemp -d "$directory/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial,debs,files}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources.list"
: >"$work/status" # nothing counts as installed, so that the whole closure is fetched, C library included
apt=(apt-get -qq
    -oDir::Etc::SourceList="$work/sources.list" -oDir::Etc::SourceParts=/dev/null
    -oDir::State::Lists="$work/lists" -oDir::State::status="$work/status"
    -oDir::Cache="$work" -oDir::Cache::archives="$work/archives"
    -oAcquire::Languages=none -oAcquire::Retries=3 -oAPT::Install-Recommends=0 -oAPT::Sandbox::User= -oDebug::NoLocking=1)
"${apt[@]}" update
# Perl and what it brings serve only scripts beside the server.
mapfile -t packages < <("${apt[@]}" --simulate install mysql-server-core | awk '/^Inst/ {print $2}' |
    grep -Ev '^(perl|libperl|libgdbm|libdb5|libcrypt1)')
(cd "$work/debs" && "${apt[@]}" download "${packages[@]}")
for package in "$work"/debs/*.deb; do
    dpkg-deb --extract "$package" "$work/files"
done

rm -rf "$directory/files"
mv "$work/files" "$directory/files"
loader=$(find "$directory/files" -name 'ld-linux-*.so.*' | head -n 1)
libraries=$(find "$directory/files/usr/lib" -name '*.so*' -not -path '*/gconv/*' -not -path '*/plugin/*' -printf '%h\n' |
    sort -u | paste -sd:)
cat >"$server.new" <<SCRIPT
#!/bin/sh
exec "$loader" --library-path "$libraries" "$directory/files/usr/sbin/mysqld" "\$@" \\
    --basedir="$directory/files/usr" --lc-messages-dir="$directory/files/usr/share/mysql" \\
    --plugin-dir="$directory/files/usr/lib/mysql/plugin"
SCRIPT
chmod +x "$server.new"
mv "$server.new" "$server"
"$server" --no-defaults --version
