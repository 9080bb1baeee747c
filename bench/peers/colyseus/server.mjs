// The Colyseus side of the comparison: one room, one world of square blocks, one entity per client.
//
// It is written the way Colyseus is meant to be used: fields of fixed size, a state that changes
// only on an input, a grid for who is near, and a `StateView` that is touched only when a player
// comes, goes or crosses a border. It keeps no game rules beyond walking, on purpose.
//
// Started by run.mjs as `node server.mjs <case> <blocks>` with an IPC channel; it says its port
// there, answers `stats`, and ends when the channel closes.

import { performance } from "node:perf_hooks";
import { Room, Server, matchMaker } from "@colyseus/core";
import { Encoder, StateView, schema } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const BLOCK_MM = 64_000;
const WALK_MM_PER_S = 1_800;
const PATCH_MILLIS = 50;
// A packed crowd keeps this far from its block's border, so that nobody walks out.
const MARGIN_MM = 4_000;
// Borders crossed between two inputs are noticed this often; a view reaches 64 m further than that.
const SWEEP_MILLIS = 1_000;
const INPUT = 0;
const SEAT_SECONDS = 60;

// One tick's patches of all views lie one after another in this buffer, hence its size. It is
// allocated without being touched, so what is not used does not count as memory.
Encoder.BUFFER_SIZE = 32 * 1024 * 1024;

const [crowd, blocksText] = process.argv.slice(2);
const blocks = Number(blocksText);
const packed = crowd.startsWith("packed");
const shared = crowd.endsWith("_shared");
const worldMm = blocks * BLOCK_MM;

const Entity = schema({
  pos_x_mm: "int32",
  pos_y_mm: "int32",
  vel_x_mm_per_s: "int16",
  vel_y_mm_per_s: "int16",
  input: "uint32",
}, "Entity");

// Without views the map must not be tagged: Colyseus then encodes a patch once for all.
const World = schema({
  entities: shared ? { map: Entity } : { map: Entity, view: true },
}, "World");

const stats = { inputs: 0, refused: 0, complaints: 0 };
for (const level of ["warn", "error"]) {
  const say = console[level].bind(console);
  console[level] = (...words) => {
    stats.complaints += 1;
    say(...words);
  };
}

function clampMm(mm) {
  return Math.min(Math.max(Math.round(mm), 0), worldMm - 1);
}

function blockOf(mm) {
  return Math.floor(mm / BLOCK_MM);
}

function spawnMm() {
  if (!packed) return clampMm(Math.random() * worldMm);
  const inside = MARGIN_MM + Math.random() * (BLOCK_MM - 2 * MARGIN_MM);
  return clampMm(Math.floor(blocks / 2) * BLOCK_MM + inside);
}

function isI16(value) {
  return Number.isInteger(value) && value >= -32_768 && value <= 32_767;
}

class Player {
  constructor(key, view) {
    this.key = key;
    this.view = view;
    this.entity = new Entity();
    this.movedAt = performance.now();
    this.entity.pos_x_mm = spawnMm();
    this.entity.pos_y_mm = spawnMm();
    this.entity.vel_x_mm_per_s = 0;
    this.entity.vel_y_mm_per_s = 0;
    this.entity.input = 0;
    this.blockX = blockOf(this.entity.pos_x_mm);
    this.blockY = blockOf(this.entity.pos_y_mm);
  }

  positionAt(now) {
    const seconds = (now - this.movedAt) / 1000;
    return [
      clampMm(this.entity.pos_x_mm + this.entity.vel_x_mm_per_s * seconds),
      clampMm(this.entity.pos_y_mm + this.entity.vel_y_mm_per_s * seconds),
    ];
  }
}

// Who stands in which block, and who therefore has whom in view.
class Grid {
  constructor() {
    this.cells = Array.from({ length: blocks * blocks }, () => new Set());
  }

  cell(blockX, blockY) {
    return this.cells[blockY * blocks + blockX];
  }

  // Calls `visit` with every player of the 3 × 3 blocks around one, except those blocks that also
  // lie around `except`.
  around(blockX, blockY, visit, except) {
    for (let y = Math.max(blockY - 1, 0); y <= Math.min(blockY + 1, blocks - 1); y += 1) {
      for (let x = Math.max(blockX - 1, 0); x <= Math.min(blockX + 1, blocks - 1); x += 1) {
        const known = except !== undefined
          && Math.abs(x - except.blockX) <= 1 && Math.abs(y - except.blockY) <= 1;
        if (!known) this.cell(x, y).forEach(visit);
      }
    }
  }

  enter(player) {
    this.around(player.blockX, player.blockY, (other) => {
      player.view.add(other.entity);
      other.view.add(player.entity);
    });
    player.view.add(player.entity);
    this.cell(player.blockX, player.blockY).add(player);
  }

  move(player, blockX, blockY) {
    const from = { blockX: player.blockX, blockY: player.blockY };
    this.cell(from.blockX, from.blockY).delete(player);
    this.around(from.blockX, from.blockY, (other) => {
      player.view.remove(other.entity);
      other.view.remove(player.entity);
    }, { blockX, blockY });
    this.around(blockX, blockY, (other) => {
      player.view.add(other.entity);
      other.view.add(player.entity);
    }, from);
    player.blockX = blockX;
    player.blockY = blockY;
    this.cell(blockX, blockY).add(player);
  }

  leave(player) {
    this.cell(player.blockX, player.blockY).delete(player);
    this.around(player.blockX, player.blockY, (other) => other.view.remove(player.entity));
  }
}

class WorldRoom extends Room {
  onCreate() {
    this.autoDispose = false;
    this.setSeatReservationTime(SEAT_SECONDS);
    this.state = new World();
    this.setPatchRate(PATCH_MILLIS);
    this.players = new Map();
    this.grid = shared ? undefined : new Grid();
    this.onMessage(INPUT, (client, message) => this.input(client, message));
    if (this.grid !== undefined) setInterval(() => this.sweep(), SWEEP_MILLIS);
  }

  // `index` names the entity, so that the load generator can tell whose input it sees.
  onJoin(client, options) {
    if (!shared) client.view = new StateView();
    const player = new Player(String(options.index), client.view);
    this.players.set(client.sessionId, player);
    this.state.entities.set(player.key, player.entity);
    this.grid?.enter(player);
  }

  onLeave(client) {
    const player = this.players.get(client.sessionId);
    if (player === undefined) return;
    this.players.delete(client.sessionId);
    this.grid?.leave(player);
    this.state.entities.delete(player.key);
  }

  // An input is [number, dx, dy]: the position is brought up to now, then the course changes.
  input(client, message) {
    const player = this.players.get(client.sessionId);
    const [input, dx, dy] = Array.isArray(message) ? message : [];
    const length = Math.hypot(dx, dy);
    if (player === undefined || !Number.isInteger(input) || input <= player.entity.input
        || input > 0xffff_ffff || !isI16(dx) || !isI16(dy) || length === 0) {
      stats.refused += 1;
      return;
    }
    const now = performance.now();
    const [posX, posY] = player.positionAt(now);
    const { entity } = player;
    player.movedAt = now;
    entity.pos_x_mm = posX;
    entity.pos_y_mm = posY;
    entity.vel_x_mm_per_s = Math.round((dx / length) * WALK_MM_PER_S);
    entity.vel_y_mm_per_s = Math.round((dy / length) * WALK_MM_PER_S);
    entity.input = input;
    stats.inputs += 1;
    this.place(player, posX, posY);
  }

  place(player, posX, posY) {
    if (this.grid === undefined) return;
    const blockX = blockOf(posX);
    const blockY = blockOf(posY);
    if (blockX !== player.blockX || blockY !== player.blockY) {
      this.grid.move(player, blockX, blockY);
    }
  }

  sweep() {
    const now = performance.now();
    for (const player of this.players.values()) this.place(player, ...player.positionAt(now));
  }
}

const transport = new WebSocketTransport({
  maxPayload: 64 * 1024,
  perMessageDeflate: false,
  pingInterval: 5_000,
  pingMaxRetries: 6,
});
const server = new Server({ transport, greet: false, gracefullyShutdown: false });
server.define("world", WorldRoom);

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message === "stats") process.send({ stats });
});

await server.listen(0, "127.0.0.1", 1024);
await matchMaker.createRoom("world", {});
process.send({ port: transport.server.address().port });
