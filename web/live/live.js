/** The live view: the calls of the server as they are now, and what its operator may do to them. */

import { Link, signedIn } from "./link.js";
import { Table, find } from "./table.js";

const TOKEN = "admin-token";
const WRONG = "That is not the token of this server.";
const LOST = "The server cannot be reached. This page tries again.";
const FULL = "As many look already as may: close one of their pages. This page tries again.";
const DRAIN = {
  question: "Drain the server?",
  means: "Nobody is let in any more, each call ends at a pause, and then the server stops, as after SIGTERM. " +
    "It cannot be taken back.",
  yes: "Drain it",
};

class Page {
  #first = 0;
  #page = 0; // as many calls are shown at once
  #find = "";
  #draining = false;
  #table = new Table(find("calls"), find("row"), (session) => this.#end(session));
  #link = new Link({
    told: (now) => this.#show(now),
    said: (words) => this.#say(words),
    lost: () => this.#lost(LOST),
  });

  constructor() {
    find("sign-in").onsubmit = (event) => this.#signIn(event);
    find("finding").onsubmit = (event) => event.preventDefault();
    find("find").oninput = ({ target }) => this.#look(0, target.value);
    find("newer").onclick = () => this.#look(Math.max(0, this.#first - this.#page), this.#find);
    find("older").onclick = () => this.#look(this.#first + this.#page, this.#find);
    find("drain").onclick = () => this.#drain();
    setInterval(() => this.#table.tick(), 1000);
  }

  /** Look, if that is allowed; else ask for the token. @param {string} [wrong] what is said if it is not */
  async open(wrong = "") {
    const token = sessionStorage.getItem(TOKEN) ?? "";
    const access = await signedIn(token);
    if (!access) return this.#lost(LOST);
    if (access.good) return access.full ? this.#lost(FULL) : this.#connect(token);
    sessionStorage.removeItem(TOKEN);
    this.#view("sign-in", token ? wrong : "");
    write("state", "This server asks who looks.");
    find("token").focus();
  }

  /** @param {SubmitEvent} event */
  #signIn(event) {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, find("token").value);
    find("token").value = "";
    this.open(WRONG);
  }

  /** @param {string} token */
  #connect(token) {
    this.#link.open(token);
    this.#look(this.#first, this.#find);
  }

  /** @param {string} why */
  #lost(why) {
    this.#view("lost", why);
    this.#table.clear();
    write("state", "Nobody knows how the calls are.");
    setTimeout(() => this.open(), 2000 + 1000 * Math.random());
  }

  /** @param {import("./link.js").Now} now */
  #show(now) {
    this.#view("calls", "");
    this.#first = now.first;
    this.#page = now.page;
    this.#draining = now.draining;
    const away = now.away ? `, ${now.away} away` : "";
    const draining = now.draining ? ". The server is draining" : "";
    const silent = now.silent.length ? `. No answer from ${now.silent.join(", ")}` : "";
    write("state", `${now.calls || "No"} ${now.calls === 1 ? "call" : "calls"} of ${now.most}${away}${draining}${silent}.`);
    find("drain").disabled = now.draining;
    this.#table.show(now.order, now.rows);
    find("nobody").hidden = now.order.length > 0;
    write("nobody", now.calls ? "No call fits." : "Nobody is on the line.");
    find("calls").hidden = now.order.length === 0;
    find("pages").hidden = now.found <= now.page && now.first === 0;
    find("newer").disabled = now.first === 0;
    find("older").disabled = now.first + now.page >= now.found;
    write("range", now.order.length ? `${now.first + 1} to ${now.first + now.order.length} of ${now.found}` : "");
  }

  /**
   * @param {number} first
   * @param {string} words
   */
  #look(first, words) {
    this.#first = first;
    this.#find = words.trim();
    this.#link.say({ type: "look", first, find: this.#find });
  }

  /** @param {string} session */
  async #end(session) {
    const question = {
      question: "End this call?",
      means: `${session} ends at its next pause, in five seconds at the latest. Its caller is told that you ended it.`,
      yes: "End it",
    };
    if (await ask(question)) this.#link.say({ type: "end", session });
  }

  async #drain() {
    if (!this.#draining && (await ask(DRAIN))) this.#link.say({ type: "drain" });
  }

  /** @param {{type: string, session?: string, message?: string}} words of the server */
  #say({ type, session, message }) {
    if (type === "error") write("problem", message ?? "");
    else write("problem", "");
    if (type === "ending" && session) this.#table.ends(session);
  }

  /**
   * @param {"calls" | "sign-in" | "lost"} view
   * @param {string} problem
   */
  #view(view, problem) {
    if (problem || document.body.dataset.view !== view) write("problem", problem);
    document.body.dataset.view = view;
    find("sign-in").hidden = view !== "sign-in";
    find("view").hidden = view !== "calls";
    find("drain").hidden = view !== "calls";
  }
}

/**
 * Ask before something that cannot be taken back.
 * @param {{question: string, means: string, yes: string}} words
 * @returns {Promise<boolean>}
 */
function ask({ question, means, yes }) {
  const dialog = find("asking");
  write("question", question);
  write("means", means);
  write("yes", yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * Only what is new is written: a live region would read it out again.
 * @param {string} id
 * @param {string} words
 */
function write(id, words) {
  const place = find(id);
  if (place.textContent !== words) place.textContent = words;
}

new Page().open();
