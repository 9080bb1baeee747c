// The crowd workload of `haven bench crowd`, on Colyseus: starts the server, connects the clients,
// measures, prints one line of JSON on stdout and everything else on stderr.
//
// All clients live in this process, so that one monotonic clock stamps the sending of an input and
// its sighting. A few are real SDK clients that decode the state; the rest decode nothing.

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const CASES = ["spread", "packed", "packed_shared", "spread_shared"];
// Real clients cost more to run; where everybody sees everybody, fewer of them see enough.
const OBSERVERS_SPREAD = 20;
const OBSERVERS_CROWDED = 10;
const CLIENTS_MAX = 5_000;
const BLOCKS_MAX = 64;
const INPUTS_PER_SECOND_MAX = 20;
const SECONDS_MAX = 600;
const JOINING_MAX = 16;
const INPUT = 0;
const TICK_MILLIS = 2;
const DRAIN_MILLIS_MAX = 3_000;
const SERVER_START_MILLIS_MAX = 20_000;
const SERVER_END_MILLIS_MAX = 2_000;
// The kernel's USER_HZ, in which /proc counts CPU time.
const CLOCK_TICKS_PER_SECOND = 100;

const here = path.dirname(fileURLToPath(import.meta.url));
let server;
let ending = false;

function say(text) {
  process.stderr.write(`${text}\n`);
}

// Ends the server, waits until it is gone, and ends this process. The promise never resolves, so
// `await end(…)` goes no further.
function end(code) {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) {
    process.exit(code);
  }
  if (!ending) {
    ending = true;
    server.removeAllListeners("exit");
    server.once("exit", () => process.exit(code));
    server.kill("SIGKILL");
    setTimeout(() => process.exit(code), SERVER_END_MILLIS_MAX);
  }
  return new Promise(() => {});
}

function fail(text) {
  if (!ending) say(`colyseus: ${text}`);
  return end(1);
}

function wholeNumber(values, name, least, most) {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least || value > most) {
    fail(`--${name} must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        case: { type: "string" },
        clients: { type: "string" },
        "inputs-per-second": { type: "string", default: "1" },
        blocks: { type: "string", default: "10" },
        seconds: { type: "string", default: "10" },
        warmup: { type: "string", default: "3" },
      },
    }));
  } catch (error) {
    fail(error.message);
  }
  if (!CASES.includes(values.case)) fail(`--case must be one of ${CASES.join(", ")}`);
  const inputsPerSecond = Number(values["inputs-per-second"]);
  if (!(inputsPerSecond >= 0.1 && inputsPerSecond <= INPUTS_PER_SECOND_MAX)) {
    fail(`--inputs-per-second must be from 0.1 to ${INPUTS_PER_SECOND_MAX}`);
  }
  return {
    crowd: values.case,
    clients: wholeNumber(values, "clients", 2, CLIENTS_MAX),
    inputsPerSecond,
    blocks: wholeNumber(values, "blocks", 1, BLOCKS_MAX),
    seconds: wholeNumber(values, "seconds", 1, SECONDS_MAX),
    warmup: wholeNumber(values, "warmup", 0, SECONDS_MAX),
  };
}

// The clients' modules are loaded late, so that a missing installation is one line, not a trace.
async function loadClients() {
  try {
    const manifest = path.join(here, "node_modules", "@colyseus", "core", "package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    const { Observer } = await import("./observer.mjs");
    const { LightClient } = await import("./light_client.mjs");
    return { Observer, LightClient, version };
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    const folder = path.relative(process.cwd(), here) || ".";
    return fail("node_modules is missing; type: npm ci --legacy-peer-deps --omit=optional "
      + `--prefix ${folder}`);
  }
}

function startServer(options) {
  return new Promise((resolve, reject) => {
    server = fork(path.join(here, "server.mjs"), [options.crowd, String(options.blocks)], {
      env: { ...process.env, NODE_ENV: "production" },
      stdio: ["ignore", process.stderr, process.stderr, "ipc"],
    });
    const timer = setTimeout(() => reject(new Error("the server did not start in time")),
      SERVER_START_MILLIS_MAX);
    server.once("message", ({ port }) => {
      clearTimeout(timer);
      resolve(port);
    });
    server.once("exit", (code, signal) => {
      fail(`the server ended by itself (${signal ?? code})`);
    });
  });
}

function serverStats() {
  return new Promise((resolve) => {
    server.once("message", ({ stats }) => resolve(stats));
    server.send("stats");
  });
}

// What the server process has used: CPU seconds of all its threads, and resident memory.
function serverUse() {
  const stat = readFileSync(`/proc/${server.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${server.pid}/status`, "latin1");
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND,
    memoryMb: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) / 1024,
  };
}

function generatorCpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

// When every input was sent, and how long each took until an observer saw it.
class Record {
  constructor(clients) {
    this.sentAt = Array.from({ length: clients }, () => []);
    this.latencies = [];
    this.from = Infinity;
    this.until = Infinity;
    this.troubles = 0;
    this.unseen = 0;
    this.lateMillis = [];
  }

  trouble(text) {
    if (ending) return;
    this.troubles += 1;
    if (this.troubles <= 10) say(`colyseus: ${text}`);
  }

  inWindow(at) {
    return at >= this.from && at < this.until;
  }

  // An input that a later one overtook before the next patch counts as seen with the later one.
  seen(index, first, last) {
    const now = performance.now();
    for (let input = first; input <= last; input += 1) {
      const at = this.sentAt[index][input - 1];
      if (this.inWindow(at)) this.latencies.push(now - at);
    }
  }

  // Inputs of the window that an observer should have seen by now and has not.
  waiting(observers, visit) {
    for (const observer of observers) {
      for (let index = 0; index < this.sentAt.length; index += 1) {
        if (observer.inView[index] === 0 || index === observer.index) continue;
        const sent = this.sentAt[index];
        for (let input = observer.lastSeen[index]; input < sent.length; input += 1) {
          if (this.inWindow(sent[input])) visit(sent[input]);
        }
      }
    }
  }

  waitingCount(observers) {
    let count = 0;
    this.waiting(observers, () => {
      count += 1;
    });
    return count;
  }

  // Whatever is still not seen counts with the time it has waited, so that a server which falls
  // behind does not look better for it.
  close(observers) {
    const now = performance.now();
    this.waiting(observers, (at) => {
      this.unseen += 1;
      this.latencies.push(now - at);
    });
  }
}

// A client walks back and forth: a random direction, then its opposite, then another.
class Walker {
  constructor(index, client, record) {
    this.client = client;
    this.sent = record.sentAt[index];
    this.angle = 0;
  }

  step() {
    const number = this.sent.length + 1;
    this.angle = number % 2 === 1 ? Math.random() * 2 * Math.PI : this.angle + Math.PI;
    const dx = Math.round(Math.cos(this.angle) * 32_767);
    const dy = Math.round(Math.sin(this.angle) * 32_767);
    this.sent.push(performance.now());
    this.client.send(INPUT, [number, dx, dy]);
  }
}

// All clients have the same period, so their order by phase never changes and one cursor is enough.
function startWalking(walkers, inputsPerSecond, record) {
  const period = 1000 / inputsPerSecond;
  const start = performance.now();
  const order = walkers.map((walker) => ({ walker, due: start + Math.random() * period }));
  order.sort((a, b) => a.due - b.due);
  let cursor = 0;
  return setInterval(() => {
    const now = performance.now();
    while (order[cursor].due <= now) {
      if (record.inWindow(now)) record.lateMillis.push(now - order[cursor].due);
      order[cursor].walker.step();
      order[cursor].due += period;
      cursor = (cursor + 1) % order.length;
    }
  }, TICK_MILLIS);
}

// The observers stand evenly among the clients, because the server sends to one after another.
function makeClients({ Observer, LightClient }, options, record) {
  const count = options.clients;
  const wanted = options.crowd === "spread" ? OBSERVERS_SPREAD : OBSERVERS_CROWDED;
  const observers = Math.min(wanted, count);
  const indexes = new Set();
  for (let i = 0; i < observers; i += 1) indexes.add(Math.floor(((i + 0.5) * count) / observers));
  const trouble = (text) => record.trouble(text);
  const seen = (_observer, index, first, last) => record.seen(index, first, last);
  return Array.from({ length: count }, (_, index) => {
    if (indexes.has(index)) return new Observer(index, count, trouble, seen);
    return new LightClient(trouble);
  });
}

async function joinAll(clients, port) {
  let next = 0;
  await Promise.all(Array.from({ length: JOINING_MAX }, async () => {
    while (next < clients.length) {
      const index = next;
      next += 1;
      await clients[index].join(port, "world", { index });
    }
  }));
}

function sleep(millis) {
  return new Promise((resolve) => {
    setTimeout(resolve, millis);
  });
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

// The nearest-rank percentile, rounded to 0.1; null where there is nothing.
function percentile(values, share) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return round(sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)], 1);
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}

async function measure(options, clients, observers, record) {
  await sleep(options.warmup * 1000);
  for (const observer of observers) observer.patchIntervals = [];
  const bytesBefore = clients.map((client) => client.bytes);
  const useBefore = serverUse();
  const generatorBefore = generatorCpuSeconds();
  record.from = performance.now();
  await sleep(options.seconds * 1000);
  record.until = performance.now();
  const use = serverUse();
  const generator = generatorCpuSeconds() - generatorBefore;
  const seconds = (record.until - record.from) / 1000;
  const bytes = clients.map((client, i) => (client.bytes - bytesBefore[i]) / seconds);
  const intervals = observers.flatMap((observer) => observer.patchIntervals);
  const patched = observers.flatMap((observer) => performance.now() - observer.patchAt);

  const drained = performance.now() + DRAIN_MILLIS_MAX;
  while (performance.now() < drained && record.waitingCount(observers) > 0) await sleep(50);
  record.close(observers);
  return {
    seconds,
    bytes,
    // A patch still outstanding at the end counts with the time it has been missing.
    intervals: intervals.concat(patched.filter((millis) => millis > 100)),
    serverCpuShare: (use.cpuSeconds - useBefore.cpuSeconds) / seconds,
    generatorCpuShare: generator / seconds,
    memoryMb: use.memoryMb,
    inputs: record.lateMillis.length,
  };
}

function sayDetails(clients, observers, record, measured, stats) {
  const mean = (values) => (values.length === 0 ? 0 : Math.round(sum(values) / values.length));
  const real = measured.bytes.filter((_, i) => observers.includes(clients[i]));
  const light = measured.bytes.filter((_, i) => !observers.includes(clients[i]));
  const inView = observers.map((observer) => sum(observer.inView));
  say(`colyseus: ${record.latencies.length} sightings by ${observers.length} observers, `
    + `${record.unseen} of them not seen before the end; ${mean(inView)} entities in view`);
  say(`colyseus: bytes per second: ${mean(real)} per real client, ${mean(light)} per light one`);
  say(`colyseus: inputs sent late by p99 ${percentile(record.lateMillis, 0.99)} ms; `
    + `server: ${JSON.stringify(stats)}`);
}

function report(options, version, record, measured, stats) {
  return {
    peer: `colyseus ${version}`,
    case: options.crowd,
    n: options.clients,
    inputs_per_second: options.inputsPerSecond,
    blocks: options.blocks,
    seconds: options.seconds,
    input_to_observation_p50_ms: percentile(record.latencies, 0.5),
    input_to_observation_p95_ms: percentile(record.latencies, 0.95),
    input_to_observation_p99_ms: percentile(record.latencies, 0.99),
    bytes_per_client_s: Math.round(sum(measured.bytes) / options.clients),
    server_cpu_share: round(measured.serverCpuShare, 2),
    generator_cpu_share: round(measured.generatorCpuShare, 2),
    memory_mb: Math.round(measured.memoryMb),
    patch_interval_p99_ms: percentile(measured.intervals, 0.99),
    inputs_per_s: round(measured.inputs / measured.seconds, 1),
    errors: record.troubles + stats.refused + stats.complaints,
  };
}

async function main() {
  const options = readOptions();
  const parts = await loadClients();
  const joinMillisMax = 30_000 + options.clients * 60;
  setTimeout(() => fail("the run took too long"), SERVER_START_MILLIS_MAX + joinMillisMax
    + DRAIN_MILLIS_MAX + (options.warmup + options.seconds) * 1000 + 30_000);
  const record = new Record(options.clients);
  // Libraries complain on the console; stdout is for the report alone.
  for (const level of ["log", "info", "debug"]) console[level] = (...words) => say(words.join(" "));
  for (const level of ["warn", "error"]) {
    console[level] = (...words) => record.trouble(words.join(" "));
  }

  const port = await startServer(options);
  const clients = makeClients(parts, options, record);
  const observers = clients.filter((client) => client instanceof parts.Observer);
  const started = performance.now();
  const deadline = setTimeout(() => fail("the clients did not join in time"), joinMillisMax);
  try {
    await joinAll(clients, port);
  } catch (error) {
    await fail(`a client failed to join: ${error.message}`);
  }
  clearTimeout(deadline);
  const joiningMillis = Math.round(performance.now() - started);
  say(`colyseus: ${options.clients} clients joined in ${joiningMillis} ms`);

  const walkers = clients.map((client, index) => new Walker(index, client, record));
  startWalking(walkers, options.inputsPerSecond, record);
  const measured = await measure(options, clients, observers, record);
  const stats = await serverStats();
  sayDetails(clients, observers, record, measured, stats);
  const line = JSON.stringify(report(options, parts.version, record, measured, stats));
  process.stdout.write(`${line}\n`, () => end(0));
}

process.on("SIGINT", () => end(130));
process.on("SIGTERM", () => end(143));
process.on("exit", () => server?.kill("SIGKILL"));
process.on("uncaughtException", (error) => fail(error.stack));
process.on("unhandledRejection", (error) => fail(error?.stack ?? String(error)));

await main();
