# bench/duckdb.sh, sourced: DuckDB beside the server, where npm can install it.

# start_duckdb DIR QUERY...: loads the tables deal and touch of PGDATABASE into
# it. Fails, and says so, where it is not to be had.
start_duckdb() {
	local dir=$1 state
	if ! (cd "$dir" && npm install --silent --no-fund --no-audit --prefix "$dir" @duckdb/node-api) >/dev/null 2>&1; then
		echo 'DuckDB is not to be had here: its arm is left out.'
		return 1
	fi
	psql -Xq -c "\\copy (SELECT deal_id, closed_at, amount, won FROM deal) TO '$dir/deal.csv' CSV" \
		-c "\\copy (SELECT deal_id, touched_at, channel FROM touch) TO '$dir/touch.csv' CSV"
	coproc DUCK { node "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/duckdb.mjs" "$@"; }
	# A subshell does not inherit the pipes of a coprocess.
	exec 6<&"${DUCK[0]}" 7>&"${DUCK[1]}"
	read -r -u 6 state && [ "$state" = ready ]
}

# ask_duckdb N: milliseconds of its Nth query.
ask_duckdb() {
	local time
	echo "$1" >&7
	read -r -u 6 time
	echo "$time"
}
