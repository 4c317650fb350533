# Sourced by the scripts beside it.

set -u
umask 022

min_major=15
max_major=18

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# step TEXT command...: runs the command, says how long it took, and shows the
# end of its output only when it fails. A signal ends the wait, and with it
# the script and the command.
step() {
	local text=$1 start=$SECONDS
	shift
	printf '%s ... ' "$text" >&2
	setpriv --pdeathsig TERM "$@" >"$log" 2>&1 </dev/null &
	if wait $!; then
		say "$((SECONDS - start)) s"
	else
		say failed
		tail -n 60 "$log" >&2
		return 1
	fi
}

major_of() {
	"$1" --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p'
}

# Is this the pg_config of a server we support, with what it takes to build?
usable() {
	local major
	major=$(major_of "$1")
	[ -n "$major" ] && [ "$major" -ge $min_major ] && [ "$major" -le $max_major ] &&
		[ -e "$("$1" --pgxs)" ] &&
		[ -e "$("$1" --includedir-server)/postgres.h" ] &&
		[ -x "$("$1" --bindir)/postgres" ] && [ -x "$("$1" --bindir)/initdb" ]
}

# Prints the pg_config to use: PG_CONFIG, or the first usable one of the PATH
# and the distribution's directories, newest first.
find_pg_config() {
	local candidate
	if [ -n "${PG_CONFIG-}" ]; then
		usable "$PG_CONFIG" && command -v "$PG_CONFIG"
		return
	fi
	for candidate in pg_config $(ls -dvr /usr/lib/postgresql/*/bin/pg_config 2>/dev/null); do
		if usable "$candidate"; then
			command -v "$candidate"
			return
		fi
	done
	return 1
}

# The settings, one name=value a line, with which a server finds an extension
# that was installed with DESTDIR=$2.
stage_settings() {
	local pg_config=$1 stage=$2 known
	known=$("$("$pg_config" --bindir)/postgres" --describe-config | cut -f 1)
	case $'\n'$known$'\n' in
		*$'\nextension_control_path\n'*)
			echo "extension_control_path=$stage$("$pg_config" --sharedir):\$system"
			echo "dynamic_library_path=$stage$("$pg_config" --pkglibdir):\$libdir"
			;;
		*$'\nextension_destdir\n'*)
			echo "extension_destdir=$stage"
			;;
		*)
			return 1
			;;
	esac
}

# Forgets what the caller's environment says about servers and makes, but for
# the settings of the test tools and the pg_config in use.
clean_environment() {
	local name
	for name in ${!PG@}; do
		[[ $name == PG_TEST_* ]] || unset "$name"
	done
	export PG_CONFIG=$pg_config
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS TMPDIR CDPATH
}

# The servers running in a data directory below $1.
servers() {
	local file pid
	find "$1" -name postmaster.pid 2>/dev/null | while read -r file; do
		pid=$(head -n 1 "$file" 2>/dev/null)
		[ "/proc/$pid/cwd" -ef "${file%/*}" ] && echo "$pid"
	done
}

# Ends whatever is left of the run in $1: servers, and processes that carry
# its name in REVRTM_RUN. Tests start servers of their own, which outlive
# their parent.
reap() {
	local left running tries socket
	for ((tries = 0; tries < 100; tries++)); do
		left=$(grep -lzsxF "REVRTM_RUN=$1" /proc/[0-9]*/environ | cut -d / -f 3)
		running=$(servers "$1")
		[ -z "$left$running" ] && break
		[ -n "$left" ] && kill -TERM $left 2>/dev/null
		[ -n "$running" ] && kill -INT $running 2>/dev/null
		sleep 0.1
	done
	[ -z "$left$running" ] || kill -KILL $left $running 2>/dev/null
	socket=$(cat "$1/socket" 2>/dev/null)
	if [[ $socket =~ ^[A-Za-z0-9]+$ ]]; then
		rm -rf "/tmp/revrtm-socket.$socket"
		rm -f "$1/socket"
	fi
}
