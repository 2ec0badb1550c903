/** The button to talk with: held as on a radio, by a finger or the space bar; or tapped, and tapped again when done. */

const TAP_MS = 300;

export class Talk {
  #since = 0; // when the button went down; 0 while it is up

  /** It was tapped, not held: what is said goes on until the next tap. */
  latched = false;

  /**
   * @param {HTMLButtonElement} button
   * @param {{begin: () => Promise<boolean>, finish: () => void, latch: () => void,
   *   cancel: () => void}} deeds
   */
  constructor(button, deeds) {
    this.button = button;
    this.deeds = deeds;
    button.addEventListener("pointerdown", (event) => this.#press(event));
    for (const kind of ["pointerup", "pointercancel"]) button.addEventListener(kind, () => this.#release());
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long press opens one on phones
    button.addEventListener("click", (event) => event.detail === 0 && this.#tap()); // a screen reader, or Enter
    document.addEventListener("keydown", (event) => this.#keyDown(event));
    document.addEventListener("keyup", (event) => this.#keyUp(event));
    window.addEventListener("blur", () => this.#release()); // the key is let go elsewhere
  }

  /** Whatever was going on is over. */
  reset() {
    this.#since = 0;
    this.latched = false;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    this.button.setPointerCapture(event.pointerId);
    this.#down();
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    if (event.key === "Escape" && (this.#since || this.latched)) {
      this.reset();
      this.deeds.cancel();
    }
    if (event.key !== " " || event.repeat || !this.#free(event.target)) return;
    event.preventDefault(); // neither scroll nor click
    this.#down();
  }

  /** @param {KeyboardEvent} event */
  #keyUp(event) {
    if (event.key !== " ") return;
    if (event.target === this.button) event.preventDefault(); // Firefox would click
    this.#release();
  }

  /**
   * The space bar is ours unless it means something where the focus is.
   * @param {EventTarget | null} target
   */
  #free(target) {
    return target === this.button || !(/** @type {Element} */ (target).closest("input, select, button, a"));
  }

  get #usable() {
    return this.button.getAttribute("aria-disabled") !== "true" && this.button.offsetParent !== null;
  }

  #tap() {
    this.#down();
    this.#release();
  }

  async #down() {
    if (this.#since || !this.#usable) return;
    if (this.latched) {
      this.reset();
      return this.deeds.finish();
    }
    this.#since = performance.now();
    if (!(await this.deeds.begin())) this.reset();
  }

  #release() {
    if (!this.#since) return;
    this.latched = performance.now() - this.#since < TAP_MS;
    this.#since = 0;
    if (this.latched) this.deeds.latch();
    else this.deeds.finish();
  }
}
