// node's fetch, undici, or apify-client: "client.mjs NAME" reads one piece of work a line, answers with one line.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const URL = process.env.BENCH_URL;
const headers = { authorization: 'Bearer bench-key' };
const load = (name) => createRequire(`${process.env.BENCH_NODE}/`)(name);

const detail = '/api/v2/worker-runs/detail';
const page = (name, n) => `/api/v2/worker-runs/${name}/result?offset=${n}&limit=100`;

// What can be done with a way to fetch a text and one to fetch JSON.
function works(text, json) {
  return {
    async get(n, path) { for (let i = 0; i < n; i++) await text(path); },
    async reload(n) { for (let i = 0; i < n; i++) if (!(await json(detail)).data.status) throw new Error('no status'); },
    async rows(name, n) { for (let i = 1; i <= n; i++) if (!(await json(page(name, i))).data.list) throw new Error('no list'); },
  };
}

const clients = {
  fetch() {
    const get = (path) => fetch(URL + path, { headers });
    return works(async (path) => (await get(path)).text(), async (path) => (await get(path)).json());
  },
  undici() {
    const { request } = load('undici');
    const get = async (path) => (await request(URL + path, { headers })).body;
    return works(async (path) => (await get(path)).text(), async (path) => (await get(path)).json());
  },
  apify() {
    const { ApifyClient } = load('apify-client');
    const client = new ApifyClient({ token: 'bench-key', baseUrl: URL, maxRetries: 0 });
    return {
      async reload(n) { for (let i = 0; i < n; i++) if (!(await client.run('detail').get()).status) throw new Error('no status'); },
      async rows(name, n) {
        for (let offset = 0; offset < n * 100; offset += 100) {
          const { items } = await client.dataset(name).listItems({ offset, limit: 100 });
          if (items.length < 1) throw new Error('no items');
        }
      },
    };
  },
};

const peak = () => /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
const say = (text) => process.stdout.write(`${text}\n`);

async function answer(client, text) {
  const [name, ...words] = text.split(' ').map((word) => (/^\d+$/.test(word) ? Number(word) : word));
  const since = process.hrtime.bigint(), used = process.cpuUsage();
  try {
    if (!client[name]) throw new Error('absent: it has no such work');
    await client[name](...words);
    const seconds = Number(process.hrtime.bigint() - since) / 1e9, { user, system } = process.cpuUsage(used);
    say(`seconds=${seconds.toFixed(9)} cpu=${(user + system) / 1e6} rss=${peak()}`);
  } catch (err) {
    say(`error ${err.message.split('\n')[0]} ${err.cause ?? ''}`);
  }
}

let client;
try {
  client = clients[process.argv[2]]();
} catch (err) {
  say(`error absent: ${err.message.split('\n')[0]}`);
  process.exit(1);
}
for await (const text of createInterface({ input: process.stdin })) {
  if (text === 'quit') break;
  await answer(client, text);
  await sleep(0);
}
process.exit(0);
