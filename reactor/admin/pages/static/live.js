"use strict";
// Tells when the tail brings an entry, and then takes the rows anew from the page itself: what
// they look like, and that they are escaped, stays in one place.
(() => {
  const PAUSE = 1000;
  const MOST = 500;
  const TRIES = 30;
  const status = document.getElementById("live");
  const body = document.querySelector("table.rows tbody");
  if (!status || !body) return;
  let due = false;
  let busy = false;
  let arrived = 0;
  let awaited = "";
  let tries = 0;

  const say = (text) => { status.textContent = text; };

  const refresh = async () => {
    if (busy) { due = true; return; }
    busy = true;
    due = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) { end("The page can't be had now: reload it."); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = [...page.querySelectorAll("table.rows tbody tr")]
        .filter((row) => !document.getElementById(row.id));
      if (fresh.length) document.getElementById("none")?.remove();
      for (const row of fresh.reverse()) {
        row.classList.add("new");
        body.prepend(row);
      }
      while (body.rows.length > MOST) {
        const last = body.lastElementChild;
        // Whoever stands on it with the keyboard would be thrown back to the top.
        const held = last.contains(document.activeElement);
        (held ? last.previousElementSibling : last).remove();
      }
      arrived += fresh.length;
      const count = `${arrived} new ${arrived === 1 ? "entry" : "entries"}`;
      say(`Live: ${arrived ? count : "waiting for entries"}.`);
      // The page may be the archive's, which has it a little later than the tail.
      if (awaited && !document.getElementById(awaited) && ++tries < TRIES) due = true;
    } catch {
      say("Live: the port does not answer; trying again.");
      due = true;
    } finally {
      setTimeout(() => { busy = false; if (due) refresh(); }, PAUSE);
    }
  };

  const tail = new EventSource(status.dataset.tail);
  const end = (text) => { tail.close(); say(text); };
  // What was written between the page and the tail, or while there was none, is on the page.
  tail.addEventListener("open", refresh);
  tail.addEventListener("entry", (entry) => {
    awaited = `e-${entry.lastEventId.replace(".", "-")}`;
    tries = 0;
    refresh();
  });
  tail.addEventListener("error", () => {
    if (tail.readyState === EventSource.CLOSED) say("The live view has ended: reload the page.");
    else say("Live: the connection broke; trying again.");
  });
  // A page that is kept for the way back must not hold one of the port's few tails.
  addEventListener("pagehide", () => tail.close());
})();
