// A Colyseus client that takes part in the protocol and decodes nothing.
//
// It reserves a seat over HTTP, opens the WebSocket, acknowledges JOIN_ROOM as the real client
// does, answers pings, sends inputs as room messages, and counts what arrives. Leaving the decoding
// out keeps the load generator cheap. It reads into one buffer shared by all clients and looks at
// frame headers only.

import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";

// First byte of a Colyseus message.
const JOIN_ROOM = 10;
const ERROR = 11;
const ROOM_DATA = 13;
const ROOM_STATE = 14;
const ROOM_STATE_PATCH = 15;

// WebSocket opcodes (RFC 6455, 5.2).
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const CONTROL_BYTES_MAX = 125;
const HEAD_BYTES_MAX = 16_384;
const JOIN_MILLIS_MAX = 30_000;

const readBuffer = Buffer.allocUnsafe(256 * 1024);
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

function reserveSeat(port, roomName, options) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(options);
    const request = http.request({
      agent,
      host: "127.0.0.1",
      port,
      method: "POST",
      path: `/matchmake/join/${roomName}`,
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      },
    }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        try {
          const seat = JSON.parse(Buffer.concat(parts).toString());
          if (seat.error !== undefined) reject(new Error(`matchmaking: ${seat.error}`));
          else resolve(seat);
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function maskedFrame(opcode, payload) {
  const frame = Buffer.allocUnsafe(6 + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | payload.length;
  frame.writeUInt32BE(Math.floor(Math.random() * 0x1_0000_0000), 2);
  for (let i = 0; i < payload.length; i += 1) frame[6 + i] = payload[i] ^ frame[2 + (i & 3)];
  return frame;
}

// Appends an integer as MessagePack, byte for byte as the real client's packer does: it keeps
// 0x40 to 0x7f for record structures, so small integers end at 0x3f.
function packInteger(bytes, value) {
  if (value >= 0) {
    if (value < 0x40) bytes.push(value);
    else if (value < 0x100) bytes.push(0xcc, value);
    else if (value < 0x1_0000) bytes.push(0xcd, value >> 8, value & 0xff);
    else bytes.push(0xce, value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
  } else if (value >= -0x20) bytes.push(value & 0xff);
  else if (value >= -0x80) bytes.push(0xd0, value & 0xff);
  else bytes.push(0xd1, (value >> 8) & 0xff, value & 0xff);
}

// The room message of type `type` (a number below 128) whose body is an array of integers.
export function roomMessage(type, integers) {
  const bytes = [ROOM_DATA, type, 0x90 | integers.length];
  for (const integer of integers) packInteger(bytes, integer);
  return bytes;
}

export class LightClient {
  // `onTrouble` is called with a sentence whenever the server errs or hangs up.
  constructor(onTrouble) {
    this.onTrouble = onTrouble;
    this.bytes = 0;
    this.patches = 0;
    this.head = "";
    this.open = false;
    this.frameHead = Buffer.alloc(10);
    this.frameHeadBytes = 0;
    this.payloadLeft = 0;
    this.first = -1;
    this.control = [];
  }

  // Resolves once the full state has arrived.
  async join(port, roomName, options) {
    const seat = await reserveSeat(port, roomName, options);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail("joining took too long"), JOIN_MILLIS_MAX);
      this.joined = () => {
        clearTimeout(timer);
        this.joined = undefined;
        this.refused = undefined;
        resolve();
      };
      this.refused = (reason) => {
        clearTimeout(timer);
        this.joined = undefined;
        this.refused = undefined;
        this.socket.destroy();
        reject(new Error(reason));
      };
      this.connect(port, `/${seat.room.processId}/${seat.room.roomId}?sessionId=${seat.sessionId}`);
    });
  }

  connect(port, path) {
    const key = randomBytes(16).toString("base64");
    this.accept = createHash("sha1").update(key + WEBSOCKET_GUID).digest("base64");
    this.socket = net.connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, buffer) => {
          if (this.open) this.read(buffer, 0, length);
          else this.readHead(buffer, length);
          return true;
        },
      },
    });
    this.socket.on("error", (error) => this.fail(error.message));
    this.socket.on("close", () => this.fail("the server closed the connection"));
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n`
      + `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
  }

  fail(reason) {
    if (this.refused !== undefined) this.refused(reason);
    else this.onTrouble(reason);
  }

  readHead(buffer, length) {
    const before = this.head.length;
    this.head += buffer.latin1Slice(0, length);
    const end = this.head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.head.length > HEAD_BYTES_MAX) this.fail("the handshake is too long");
      return;
    }
    const head = this.head.slice(0, end);
    if (!head.startsWith("HTTP/1.1 101 ") || !head.includes(this.accept)) {
      this.fail(`the handshake was refused: ${head.split("\r\n")[0]}`);
      return;
    }
    this.open = true;
    this.read(buffer, end + 4 - before, length);
  }

  // Frames of the server are not masked, and may be cut anywhere.
  read(buffer, from, to) {
    let at = from;
    while (at < to) {
      if (this.payloadLeft > 0) {
        if (this.first < 0) this.first = buffer[at];
        const here = Math.min(this.payloadLeft, to - at);
        if ((this.frameHead[0] & 0x08) !== 0) this.control.push(...buffer.subarray(at, at + here));
        at += here;
        this.payloadLeft -= here;
        if (this.payloadLeft === 0) this.frameEnd();
        continue;
      }
      this.frameHead[this.frameHeadBytes] = buffer[at];
      this.frameHeadBytes += 1;
      at += 1;
      this.frameBegin();
    }
  }

  frameBegin() {
    const head = this.frameHead;
    if (this.frameHeadBytes < 2) return;
    const short = head[1] & 0x7f;
    const want = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (this.frameHeadBytes < want) return;
    if (short === 127) this.payloadLeft = Number(head.readBigUInt64BE(2));
    else if (short === 126) this.payloadLeft = head.readUInt16BE(2);
    else this.payloadLeft = short;
    this.first = -1;
    this.control.length = 0;
    if ((head[0] & 0x08) === 0) this.bytes += this.payloadLeft;
    else if (this.payloadLeft > CONTROL_BYTES_MAX) this.fail("a control frame is too long");
    if (this.payloadLeft === 0) this.frameEnd();
  }

  frameEnd() {
    this.frameHeadBytes = 0;
    const opcode = this.frameHead[0] & 0x0f;
    if (opcode === PING) this.socket.write(maskedFrame(PONG, this.control));
    else if (opcode === CLOSE) this.fail("the server sent a close frame");
    else if (this.first === ROOM_STATE_PATCH) this.patches += 1;
    else if (this.first === JOIN_ROOM) this.socket.write(maskedFrame(BINARY, [JOIN_ROOM]));
    else if (this.first === ROOM_STATE) this.joined?.();
    else if (this.first === ERROR) this.fail("the server sent an error message");
  }

  send(type, integers) {
    this.socket.write(maskedFrame(BINARY, roomMessage(type, integers)));
  }
}
