/** One call on the server's wire, from dialling to its end. */

const PING_MS = 10_000;
const LOST = 4000; // ours: nobody answers our pings
const GOODBYE_MS = 5000;

const REPLACED = 4409;

/** In place of a reason that is written for programs, or where none came. */
const ELSEWHERE = "it goes on in another tab or on another device";
const LOST_LINE = "the line was lost, check the network";
const NOBODY = "the server cannot be reached";

/**
 * How a call ended: `why` in words.
 * @typedef {{code: number, why: string}} Ending
 */

export class Call {
  /** @type {WebSocket} */
  #socket;
  #opened = false;
  /** @type {object[]} said before it was open */
  #early = [];
  #answered = true;
  #beat = 0;

  /**
   * @param {string} user
   * @param {string} astrologer id of whom to call
   * @param {(message: any) => void} heard a message of the server
   * @param {(ending: Ending) => void} ended told once, last
   */
  constructor(user, astrologer, heard, ended) {
    this.heard = heard;
    this.ended = ended;
    const address = new URL(`/ws-mobile/${encodeURIComponent(user)}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.search = new URLSearchParams({ astrologer_id: astrologer, mode: "clip" });
    this.#socket = new WebSocket(address);
    this.#socket.onopen = () => this.#begin();
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
  }

  /** @param {object} message */
  say(message) {
    if (this.#socket.readyState === WebSocket.CONNECTING) this.#early.push(message);
    else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /**
   * Hang up; it is over at once for the caller, whatever the network does.
   * @param {string} [why]
   */
  hangUp(why = "you hung up") {
    this.#end(1000, why);
  }

  /** Nothing more is wanted of it. */
  forget() {
    this.#socket.onmessage = null;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close();
  }

  /** The network is gone: do not wait until the socket notices. */
  lose() {
    this.#end(LOST, "");
  }

  #begin() {
    this.#opened = true;
    for (const message of this.#early) this.say(message);
    this.#beat = setInterval(() => this.#ping(), PING_MS);
  }

  #ping() {
    if (!this.#answered) return this.lose();
    this.#answered = false;
    this.say({ type: "ping" });
  }

  #hear(message) {
    this.#answered = true; // whatever comes shows that the line is alive
    this.heard(message);
  }

  /**
   * @param {number} code
   * @param {string} reason the server's words
   */
  #end(code, reason) {
    clearInterval(this.#beat);
    this.say({ type: "end" }); // and the summary comes, if anybody is there
    const socket = this.#socket;
    socket.onclose = null;
    socket.onopen = () => socket.close(); // before that it would be an error
    setTimeout(() => this.forget(), GOODBYE_MS);
    const why = code === REPLACED ? ELSEWHERE : reason || (this.#opened ? LOST_LINE : NOBODY);
    this.ended({ code, why });
  }
}
