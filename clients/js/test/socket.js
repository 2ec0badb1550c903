/** A WebSocket whose other end is the test: what was sent, and what comes when. */

export class Socket {
  /** @type {Socket[]} in the order in which they were made */
  static all = [];
  readyState = 0;
  /** @type {(string | ArrayBuffer)[]} */
  sent = [];

  constructor(url) {
    this.url = url;
    Socket.all.push(this);
  }

  static get last() {
    return Socket.all.at(-1);
  }

  send(frame) {
    if (this.readyState !== 1) throw new Error("it is not open");
    this.sent.push(frame);
  }

  close(code) {
    this.readyState = 2;
    this.code = code;
  }

  open() {
    this.readyState = 1;
    this.onopen();
    return this;
  }

  /** A message of the server; or sound. */
  says(message) {
    this.onmessage?.({ data: message instanceof ArrayBuffer ? message : JSON.stringify(message) });
    return this;
  }

  /** The connection is lost, or closed by the server. */
  breaks(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** What was sent: messages without their quotes, sound as its first byte. */
  get told() {
    return this.sent.map((frame) => (typeof frame === "string" ? JSON.parse(frame) : new Uint8Array(frame)[0]));
  }
}
