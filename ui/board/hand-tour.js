// A short tour of the board at first use: a card beside each part, never in the way of the work.
import { element } from "./furniture.js";
import { button } from "./hand-panel.js";

const SEEN = "gridwright.board.tour";
const STOPS = [
  // the name in its words, tour_..., and what it speaks of
  ["map", ".gw-map-place"], ["side", ".gw-side"], ["tools", ".gw-group"],
  ["undo", "[data-name=undo]"], ["wrong", "[data-tab=wrong]"], ["keys", "[data-name=help]"],
];

/** Was the tour seen in this browser? Where nothing can be remembered, it is not shown. */
function seen() {
  try {
    return window.localStorage.getItem(SEEN) !== null;
  } catch {
    return true;
  }
}

function remember() {
  try {
    window.localStorage.setItem(SEEN, "seen");
  } catch {
    // a browser that keeps nothing: the tour is not shown by itself (see seen)
  }
}

export class Tour {
  constructor(hand) {
    this.hand = hand;
    this.at = -1;
    this.card = element("div", "gw-card gw-tour");
    this.card.setAttribute("role", "dialog");
    this.card.hidden = true;
    hand.bench.mapPlace.appendChild(this.card);
    this.asked = false;
  }

  /** Words in the language of the page; at first use the tour begins with them. */
  setWords(words) {
    this.words = words;
    if (this.shown) this.show();
    else if (!this.asked && !seen()) this.open();
    this.asked = true;
  }

  get shown() {
    return !this.card.hidden;
  }

  open() {
    this.at = 0;
    this.show();
    this.card.querySelector(".gw-tour-next").focus({ preventScroll: true });
  }

  close() {
    this.card.hidden = true;
    this.unmark();
    remember();
    this.hand.canvas.focus({ preventScroll: true });
  }

  go(step) {
    this.at += step;
    if (this.at >= STOPS.length) this.close();
    else {
      this.show();
      this.card.querySelector(".gw-tour-next").focus({ preventScroll: true });
    }
  }

  unmark() {
    this.hand.root.querySelectorAll(".gw-tour-here").forEach((node) => {
      node.classList.remove("gw-tour-here");
    });
  }

  show() {
    const { words, at } = this;
    this.unmark();
    const [name, place] = STOPS[at];
    this.hand.root.querySelector(place).classList.add("gw-tour-here");
    const last = at === STOPS.length - 1;
    const line = element("div", "gw-buttons");
    line.appendChild(button("gw-small gw-tour-next", last ? words.tour_done : words.tour_next, "",
      () => this.go(1)));
    if (at) line.appendChild(button("gw-small", words.tour_back, "", () => this.go(-1)));
    if (!last) {
      line.appendChild(button("gw-small gw-tour-skip", words.tour_skip, "", () => this.close()));
    }
    line.appendChild(element("span", "gw-hint", `${at + 1} / ${STOPS.length}`));
    this.card.setAttribute("aria-label", words.tour_show);
    this.card.replaceChildren(element("div", "", words[`tour_${name}`]), line);
    this.card.hidden = false;
  }
}
