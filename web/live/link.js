/** The socket of the live view. The token goes with it as the name of a subprotocol: a browser sends no header there. */

/**
 * @typedef {{type: "now", calls: number, away: number, most: number, draining: boolean, silent: string[], found: number,
 *   first: number, page: number, order: string[], rows: import("./table.js").Row[]}} Now
 */

/** @param {string} words */
const packed = (words) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(words))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/**
 * Whether the token lets us look, or so many look that nobody else may; undefined if the server does not answer.
 * @param {string} token
 * @returns {Promise<{good: boolean, full: boolean} | undefined>}
 */
export async function signedIn(token) {
  try {
    const headers = token ? { Authorization: `Live ${packed(token)}` } : {};
    const answer = await fetch("/live/access", { headers, cache: "no-store" });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

export class Link {
  /** @type {WebSocket | null} */
  #socket = null;

  /** @param {{told: (now: Now) => void, said: (words: object) => void, lost: () => void}} ear */
  constructor(ear) {
    this.ear = ear;
  }

  /** @param {string} token "" where none is asked for */
  open(token) {
    const address = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/live/socket`;
    const socket = new WebSocket(address, token ? ["live.v1", `bearer.${packed(token)}`] : ["live.v1"]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const said = JSON.parse(data);
      if (said.type === "now") this.ear.told(said);
      else this.ear.said(said);
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.ear.lost();
    };
  }

  /** Said at once, or when the socket is open; dropped if there is none. @param {object} words */
  say(words) {
    const socket = this.#socket;
    const send = () => socket?.send(JSON.stringify(words));
    if (socket?.readyState === WebSocket.OPEN) send();
    else if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener("open", send, { once: true });
  }
}
