/** The page: what a tap, a key, the network and the server do to a call. */

import { Captions } from "./captions.js";
import { Cards } from "./cards.js";
import { Conversation } from "./conversation.js";
import { keep, take } from "./keeping.js";
import { Microphone, canRecord } from "./microphone.js";
import { Player } from "./player.js";
import { Screen, find } from "./screen.js";
import { SignIn } from "./signin.js";
import { Sound, canStream } from "./sound.js";
import { Talk } from "./talk.js";
import { Telephone } from "./telephone.js";

/** @typedef {import("./persona.js").Persona} Persona */

const LOCAL = "local engine"; // as /ready names it
const REPLACED = 4409;
const AWAY = "The server cannot be reached. Check the network, and whether it runs.";
const AGAIN_MS = 5000; // it is asked again
const NOT_READY = "The server cannot answer calls at the moment. Try, or come back in a minute.";

class Page {
  /** @type {Conversation | null} */
  #conversation = null;
  #known = ""; // the ETag of the list that is shown
  #frame = 0; // of the level meter
  #later = 0; // the timer until it is asked again
  #screen = new Screen();
  #signIn = new SignIn(() => this.#signedIn());
  #sound = new Sound(() => this.#show());
  #microphone = new Microphone(this.#sound, (words) => this.#show(words));
  #player = new Player(this.#sound, (words) => this.#show(words));
  #telephone = new Telephone(this.#sound, this.#microphone, (words) => this.#show(words));
  #captions = new Captions(find("captions"));
  #cards = new Cards(find("cards"), find("card"), find("filters"), find("count"), (persona) => this.#choose(persona));
  #talk = new Talk(find("talk"), {
    begin: () => this.#begin(),
    finish: () => this.#conversation?.finish(),
    latch: () => this.#show(),
    cancel: () => this.#conversation?.cancel(),
  });

  constructor() {
    this.#offerWays();
    find("hold").onchange = () => this.#talkBy();
    find("mute").onclick = () => this.#mute();
    find("hang-up").onclick = () => this.#live?.call.hangUp();
    find("again").onclick = () => this.#dial(this.#conversation.wanted);
    find("another").onclick = () => this.#leave();
    find("retry").onclick = () => this.load();
    find("switch").onclick = () => this.#browse(true);
    find("back").onclick = () => this.#browse(false);
    find("typing").onsubmit = (event) => this.#type(event);
    find("people").addEventListener("keydown", ({ key }) => key === "Escape" && this.#browse(false));
    window.addEventListener("offline", () => this.#live?.call.lose());
    window.addEventListener("online", () => (this.#live?.call.retry(), this.load()));
    document.addEventListener("pointerdown", () => this.#live && this.#sound.unlock());
    window.addEventListener("pagehide", () => this.#hide());
    window.addEventListener("pageshow", ({ persisted }) => persisted && take()); // it is still here
    document.addEventListener("freeze", () => this.#keep()); // it may be thrown away without a word
    document.addEventListener("resume", () => (take(), this.#turn()));
    document.addEventListener("visibilitychange", () => this.#turn());
    setInterval(() => this.#screen.time(this.#live), 1000);
    const kept = take();
    if (kept) this.#goOn(kept);
  }

  /** The ways to talk: those that the browser has, and the token is for. */
  #offerWays() {
    const { mode } = this.#signIn;
    const holds = mode ? mode === "clip" : canRecord() && localStorage.getItem("talk") === "hold";
    find("hold").disabled = !canStream() || !canRecord() || Boolean(mode);
    find("hold").checked = !canStream() || holds;
  }

  /** Another link was opened: it is for the next call. */
  #signedIn() {
    if (!this.#live) this.#offerWays();
    this.load();
  }

  /** The page is reloaded, or left: who comes back in time finds the call as it was. */
  #hide() {
    if (this.#live && !this.#keep()) this.#live.call.hangUp();
    if (!this.#live) this.#conversation?.call.forget();
  }

  /** True if another page can go on with the call. */
  #keep() {
    const kept = this.#live?.kept;
    if (kept) keep(kept);
    return Boolean(kept);
  }

  /** @param {import("./conversation.js").Kept} kept by this tab before it was reloaded */
  #goOn(kept) {
    find("hold").checked = kept.hold;
    this.#sound.dare();
    this.#begins(kept.wanted, kept);
    if (kept.muted) this.#telephone.mute(true);
  }

  /** Who there is, and who answers: now, and whenever it may have changed. */
  async load() {
    clearTimeout(this.#later);
    try {
      const [people, answer] = await Promise.all([fetch("/api/astrologers"), fetch("/ready")]);
      const engine = await answer.json();
      const tag = people.headers.get("ETag");
      if (tag !== this.#known) this.#cards.show((await people.json()).astrologers);
      this.#known = tag;
      find("engine").hidden = engine.upstream !== LOCAL;
      this.#screen.warn(engine.ready ? this.#signIn.missing(engine.closed) : NOT_READY);
      find("retry").hidden = true;
    } catch {
      this.#screen.warn(AWAY);
      find("retry").hidden = false;
      clearTimeout(this.#later);
      this.#later = setTimeout(() => this.load(), AGAIN_MS);
    }
  }

  /** The page went out of sight, or is back. */
  #turn() {
    this.#show();
    if (document.hidden) return;
    if (this.#live) this.#sound.unlock();
    this.load();
  }

  /** Talk by holding a button, or as on a telephone. */
  get #hold() {
    return find("hold").checked;
  }

  /** The call that is going on, if one is. */
  get #live() {
    return this.#conversation?.ending ? null : this.#conversation;
  }

  /** @param {Persona} persona a card was tapped */
  #choose(persona) {
    if (!this.#live) return this.#dial(persona);
    this.#sound.unlock();
    this.#live.switchTo(persona);
    return this.#browse(false);
  }

  /** @param {Persona} persona */
  #dial(persona) {
    this.#conversation?.call.forget(); // its summary would stand in the new call
    if (this.#conversation?.ending?.code === REPLACED) this.#signIn.anew(); // the other tab may keep its call
    this.#sound.unlock();
    this.#captions.clear();
    this.#begins(persona);
  }

  /**
   * @param {Persona} persona
   * @param {import("./conversation.js").Kept} [kept]
   */
  #begins(persona, kept) {
    const changed = (words) => this.#show(words);
    const [sound, microphone, player] = [this.#sound, this.#microphone, this.#player];
    const devices = { sound, microphone, player, telephone: this.#telephone, captions: this.#captions };
    const { user, token } = this.#signIn;
    const caller = kept?.caller ?? { user, token };
    this.#conversation = new Conversation(caller, persona, this.#hold, devices, changed, kept);
    this.#listen();
    this.#show("");
    this.#browse(false);
  }

  /** Back to the cards. */
  #leave() {
    const last = this.#conversation.wanted.astrologer_id;
    this.#conversation = null;
    this.#show("");
    this.#cards.focus(last);
  }

  async #listen() {
    await this.#microphone.listen();
    this.#screen.hint(this.#microphone.problem);
    if (!this.#live || this.#hold) return;
    await this.#telephone.speak();
    this.#pulse();
  }

  /** The box was ticked, or not; it is remembered. */
  #talkBy() {
    localStorage.setItem("talk", this.#hold ? "hold" : "stream");
    this.#live?.talkBy(this.#hold);
    if (this.#live) this.#listen();
    this.#show();
  }

  /** The button of the telephone: heard, or not; or it asks for the microphone again. */
  #mute() {
    this.#sound.unlock();
    if (this.#microphone.open) this.#telephone.mute(!this.#telephone.muted);
    else this.#listen();
  }

  /** The button went down; true when it records. */
  async #begin() {
    this.#sound.unlock();
    if (!this.#microphone.open) {
      await this.#listen();
      return false; // the browser has asked: by now the button may be up again
    }
    this.#live?.begin();
    this.#pulse();
    return true;
  }

  /** The button moves with the voice. */
  #pulse() {
    cancelAnimationFrame(this.#frame);
    if (!this.#microphone.recording && (this.#hold || !this.#microphone.open)) return;
    find("tools").style.setProperty("--level", this.#microphone.level.toFixed(2));
    this.#frame = requestAnimationFrame(() => this.#pulse());
  }

  /** @param {SubmitEvent} event */
  #type(event) {
    event.preventDefault();
    const field = find("words");
    const text = field.value.trim();
    if (!text || !this.#live?.answered) return;
    this.#sound.unlock();
    this.#stopTalking();
    this.#live.type(text);
    field.value = "";
  }

  /** @param {boolean} open the list of astrologers, during a call on a phone */
  #browse(open) {
    document.body.classList.toggle("browsing", open);
    find("switch").setAttribute("aria-expanded", String(open));
    this.load();
    if (!this.#live) return;
    if (open) this.#stopTalking();
    if (open) this.#cards.focus(this.#live.wanted.astrologer_id);
    else this.#focus();
  }

  /** The caller does something else: what was being recorded is thrown away. */
  #stopTalking() {
    if (this.#microphone.recording) this.#live.cancel();
  }

  #focus() {
    const button = this.#hold ? "talk" : "mute";
    find(this.#microphone.problem ? "words" : button).focus({ preventScroll: true });
  }

  /** @param {string} [words] something that the caller should know; "" when it is past */
  #show(words) {
    const talking = { hold: this.#hold, latched: this.#talk.latched, muted: this.#telephone.muted };
    const before = this.#screen.show(this.#conversation, talking);
    const state = this.#conversation?.state;
    this.#screen.time(this.#live);
    this.#cards.mark(this.#live?.wanted.astrologer_id);
    if (words !== undefined) this.#screen.tell(this.#cards.named(words));
    if (before === "recording" && state !== "recording") this.#talk.reset();
    if (before === "ended" || state !== "ended") return;
    const advice = this.#signIn.advice(this.#conversation.ending);
    if (advice) this.#screen.tell(this.#cards.named(advice));
    find("again").focus();
    this.load();
  }
}

new Page().load();
