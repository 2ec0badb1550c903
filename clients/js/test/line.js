/** A line that is lost: a TCP proxy on 127.0.0.1 to the server, which the test cuts, or lets fall silent. */

import { createServer, connect } from "node:net";

export class Line {
  /** @type {Set<{near: import("node:net").Socket, far: import("node:net").Socket, deaf: boolean}>} */
  #pairs = new Set();
  #out = false;
  made = 0;
  /** @type {(bytes: number) => boolean} of what comes from the server on one connection: it may pass; else it is cut */
  passes = () => true;
  /** What comes from the server on connections that are made from now on comes so late, in ms. */
  late = 0;

  /** @param {string} server ws://host:port */
  static async to(server) {
    const line = new Line();
    const { hostname, port } = new URL(server);
    const listener = createServer((near) => line.#carry(near, connect(Number(port), hostname)));
    await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
    line.url = `ws://127.0.0.1:${listener.address().port}`;
    line.close = () => (listener.close(), line.cut());
    return line;
  }

  #carry(near, far) {
    near.on("error", () => {});
    far.on("error", () => {});
    if (this.#out) return near.resetAndDestroy(), far.destroy();
    this.made += 1;
    const pair = { near, far, deaf: false };
    const { late } = this;
    let bytes = 0;
    this.#pairs.add(pair);
    near.on("data", (data) => pair.deaf || far.write(data));
    far.on("data", (data) => {
      const pass = () => pair.deaf || near.destroyed || near.write(data);
      if (!this.passes((bytes += data.length))) return near.resetAndDestroy(), far.resetAndDestroy();
      if (late) setTimeout(pass, late);
      else pass();
    });
    near.on("close", () => pair.deaf || far.destroy());
    far.on("close", () => pair.deaf || late || near.destroy());
  }

  /** All connections are reset; for so many ms none is made. */
  cut(ms = 0) {
    this.#outage(ms);
    for (const { near, far } of this.#pairs) near.resetAndDestroy(), far.resetAndDestroy();
    this.#pairs.clear();
  }

  /** Connections are made again, though the time is not over. */
  back() {
    this.#out = false;
  }

  /** What is sent on the connections of now never comes, and neither end is told; for so many ms none is made. */
  fallSilent(ms = 0) {
    this.#outage(ms);
    for (const pair of this.#pairs) pair.deaf = true;
  }

  #outage(ms) {
    this.#out = ms > 0;
    if (ms) setTimeout(() => this.back(), ms).unref();
  }
}
