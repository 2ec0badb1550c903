/** Who calls, and the token that lets them in where the server is closed: a link brings it, `/#token=TOKEN`. */

import { bytes } from "./base64.js";

const TOKEN = "token";
const USER = "user";
const FIT = /^[\w.-]{1,6000}$/; // it travels in a header, as the name of a subprotocol

const NO_TOKEN = 4401; // or none that is good
const NOT_FOR_THIS = 4403;

const NEEDED = "Calls here need a link of your own: ask for one where you heard of this page, and open it in this tab. " +
  "It ends in #token=… If this is your server: docs/operations.md says how to make one, under “Who may come in”.";
const DAMAGED = "The link that you opened is damaged: copy all of it, or ask for a new one.";
const NEW_LINK = "Ask for a new link where you got yours, and open it in this tab.";
const OTHER_LINK = "Choose somebody whom your link is for, or ask for another link.";

/** The sign-in of this tab. A fragment goes to no server, log or Referer; a browser's list of visited pages has it. */
export class SignIn {
  #damaged = false;

  /** @param {() => void} changed another link was opened in this tab */
  constructor(changed) {
    this.#take();
    window.addEventListener("hashchange", () => this.#take() && changed());
  }

  /** The token of this tab; undefined where there is none. */
  get token() {
    return sessionStorage.getItem(TOKEN) ?? undefined;
  }

  /** Whom the token lets in; for who has none, a user of this tab alone. */
  get user() {
    return claims(this.token).user ?? sessionStorage.getItem(USER) ?? this.anew();
  }

  /** The only way to talk that the token is for; undefined where it is for each. @returns {"clip" | "stream" | undefined} */
  get mode() {
    return claims(this.token).mode;
  }

  /** Another user, where no token says who calls; plain http has no randomUUID. */
  anew() {
    const parts = crypto.getRandomValues(new Uint32Array(4));
    const id = `web-${[...parts].map((part) => part.toString(36)).join("-")}`;
    sessionStorage.setItem(USER, id);
    return id;
  }

  /**
   * Why nobody can be called before something is done; "" where all is well.
   * @param {boolean} closed calls need a token
   */
  missing(closed) {
    if (!closed || this.token) return "";
    return this.#damaged ? DAMAGED : NEEDED;
  }

  /**
   * A call has ended: what the caller can do if they were not let in; "" if that is not why.
   * @param {import("./conversation.js").Ending} ending
   */
  advice({ code, reason }) {
    const sentence = `${reason[0]?.toUpperCase() ?? ""}${reason.slice(1)}.`;
    if (code === NOT_FOR_THIS) return `${sentence} ${OTHER_LINK}`;
    if (code !== NO_TOKEN) return "";
    const had = this.token;
    sessionStorage.removeItem(TOKEN); // it is good for nothing any more
    return had ? `${sentence} ${NEW_LINK}` : this.missing(true);
  }

  /** The token goes out of the address bar and the history of this tab at once. True if there was one. */
  #take() {
    const found = new URLSearchParams(location.hash.slice(1)).get(TOKEN);
    if (found === null) return false;
    history.replaceState(history.state, "", location.pathname + location.search);
    this.#damaged = !FIT.test(found);
    if (this.#damaged) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, found);
    return true;
  }
}

/**
 * What a token says of a call; the server alone knows whether it is true.
 * @param {string} [token] of a call or a login; both have their claims between the first two dots
 */
function claims(token = "") {
  try {
    const said = JSON.parse(new TextDecoder().decode(bytes(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))));
    const user = token.startsWith("call1.") ? said.user : said.sub;
    return { user: typeof user === "string" ? user : undefined, mode: said.mode ?? undefined };
  } catch {
    return {};
  }
}
