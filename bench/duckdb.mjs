// bench/duckdb.mjs DIR QUERY...: the DuckDB side of a comparison, two threads.
// Loads deal.csv and touch.csv of DIR into memory, prints "ready", and then
// for each line it reads (the number of a query, from 1) the milliseconds
// that the query took. Needs @duckdb/node-api where NODE_PATH or DIR has it.
import {createRequire} from 'module';
import {createInterface} from 'readline';

const [dir, ...queries] = process.argv.slice(2);
const {DuckDBInstance} = createRequire(dir + '/')('@duckdb/node-api');
const connection = await (await DuckDBInstance.create(':memory:', {threads: '2'})).connect();

await connection.run("SET TimeZone = 'UTC'");
await connection.run('CREATE TABLE deal (deal_id bigint, closed_at timestamptz, amount decimal(14, 2), won boolean)');
await connection.run('CREATE TABLE touch (deal_id bigint, touched_at timestamptz, channel text)');
for (const table of ['deal', 'touch'])
	await connection.run(`COPY ${table} FROM '${dir}/${table}.csv' (HEADER false)`);
console.log('ready');
for await (const line of createInterface({input: process.stdin})) {
	const begun = performance.now();
	(await connection.runAndReadAll(queries[Number(line) - 1])).getRows();
	console.log((performance.now() - begun).toFixed(3));
}
