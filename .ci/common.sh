# Sourced by the policy scripts: the files of the tree, and how to complain.

# The last command of a pipeline sets status in this shell.
shopt -s lastpipe

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
status=0

# files PATTERN...: tracked or not, but nothing that a build makes.
files() {
	local pattern names=()
	for pattern in "$@"; do
		names+=(-o -path "./$pattern")
	done
	find . \( -path ./.git -o -path ./build -o -path ./results -o -path ./tmp_check \
		-o -path './sql/revrtm--*.sql' -o -name '*.o' -o -name '*.so' -o -name '*.bc' \) -prune -o -type f \( "${names[@]:1}" \) -print |
		sed 's|^\./||' | sort
}

# complain TEXT: reads the offending lines, if any.
complain() {
	local lines
	lines=$(cat)
	if [ -n "$lines" ]; then
		echo "$1:"
		sed 's/^/    /' <<<"$lines"
		status=1
	fi
}

# listed LIST EXPECTED: the Makefile's list holds exactly these entries.
listed() {
	local entries
	entries=$(make -s "list-$1" | tr ' ' '\n' | sed '/^$/d')
	comm -13 <(sort <<<"$entries") <(sort -u <<<"$2") | sed '/^$/d' | complain "not in $1 of the Makefile"
	comm -23 <(sort <<<"$entries") <(sort -u <<<"$2") | sed '/^$/d' | complain "in $1 of the Makefile, but no file, or twice"
}
