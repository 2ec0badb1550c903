/**
 * Loads a page again of which a part was lost on the way: the network changed, or the server was deployed anew.
 * It stands in the page itself, as it must not be lost too.
 */
{
  const LOST = "A part of this page did not arrive. The page loads itself again as soon as the server can be reached.";
  const TRIES = "tries"; // of this tab, in a row
  const LONGEST = 30; // seconds before a try
  let lost = false;

  /** @param {ErrorEvent} event a file did not arrive, or is of another version than those that ask something of it */
  const note = ({ target, error }) => {
    lost ||= target !== window || error instanceof SyntaxError;
  };

  const reached = () => fetch(location.pathname).then(({ ok }) => ok, () => false);

  const loadAgain = async () => {
    const tries = Number(sessionStorage.getItem(TRIES));
    sessionStorage.setItem(TRIES, String(tries + 1));
    const words = document.querySelector("[role=alert]");
    words.textContent = LOST;
    words.hidden = false;
    const pause = 1000 * Math.min(2 ** tries, LONGEST);
    do await new Promise((resolve) => setTimeout(resolve, pause));
    while (!(await reached()));
    location.reload();
  };

  addEventListener("error", note, true);
  addEventListener("load", () => {
    removeEventListener("error", note, true);
    if (lost) loadAgain();
    else sessionStorage.removeItem(TRIES);
  });
}
