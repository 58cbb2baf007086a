/** Saying things to people who hear the page instead of seeing it, without moving their focus. */
import { Observed } from "./observed.js";

class Announcements extends Observed {
  text = "";

  say(text) {
    this.text = text;
    this.changed();
  }
}

export const announcements = new Announcements();

export function announce(text) {
  announcements.say(text);
}
