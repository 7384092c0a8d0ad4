// A process that makes one call: what starting costs.
await (await fetch(`${process.env.BENCH_URL}/tiny`)).text();
