// A client of the real SDK: it decodes the state, and so can say when it saw whose input.

import { Client, getStateCallbacks } from "colyseus.js";

export class Observer {
  // `onTrouble` is called with a sentence whenever the server errs or hangs up; `onInput` with this
  // observer, an entity's index and the first and last input number that became visible at once.
  constructor(index, clients, onTrouble, onInput) {
    this.index = index;
    this.onTrouble = onTrouble;
    this.onInput = onInput;
    this.bytes = 0;
    this.patches = 0;
    this.patchAt = 0;
    this.patchIntervals = [];
    this.inView = new Uint8Array(clients);
    this.lastSeen = new Uint32Array(clients);
  }

  // Resolves once the full state has arrived.
  async join(port, roomName, options) {
    this.room = await new Client(`ws://127.0.0.1:${port}`).join(roomName, options);
    this.room.onError((code, message) => this.onTrouble(`error ${code}: ${message}`));
    this.room.onLeave((code) => this.onTrouble(`the server closed the connection (${code})`));
    this.room.connection.transport.ws.addEventListener("message", (event) => {
      this.bytes += event.data.byteLength;
    });
    this.listen();
    await new Promise((resolve) => {
      this.room.onStateChange.once(() => resolve());
    });
    this.room.onStateChange(() => this.patched());
  }

  listen() {
    const callbacks = getStateCallbacks(this.room);
    const entities = callbacks(this.room.state).entities;
    entities.onAdd((entity, key) => {
      const index = Number(key);
      this.inView[index] = 1;
      this.lastSeen[index] = entity.input;
      callbacks(entity).listen("input", (input) => {
        const first = this.lastSeen[index] + 1;
        this.lastSeen[index] = input;
        if (index !== this.index && input >= first) this.onInput(this, index, first, input);
      }, false);
    });
    entities.onRemove((_entity, key) => {
      this.inView[Number(key)] = 0;
    });
  }

  patched() {
    const now = performance.now();
    this.patches += 1;
    if (this.patchAt > 0) this.patchIntervals.push(now - this.patchAt);
    this.patchAt = now;
  }

  send(type, integers) {
    this.room.send(type, integers);
  }
}
