// Going to another view without leaving the page: by what one chooses of a chart, and back.

import { refocus, trace, waiting } from "./parts.js";
import { connect, remember } from "./stream.js";
import { element } from "./words.js";

let visiting = null;

export async function visit(url, push = true) {
  visiting?.abort();
  const aborter = (visiting = new AbortController());
  try {
    const answer = await fetch(url, { signal: aborter.signal });
    if (answer.status === 401) return location.assign(url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.getElementById("main") || !page.body.dataset.position) return location.assign(url);
    if (push) history.pushState(null, "", answer.url);
    document.title = page.title;
    for (const key of ["live", "position"]) {
      if (page.body.dataset[key] === undefined) delete document.body.dataset[key];
      else document.body.dataset[key] = page.body.dataset[key];
    }
    const main = element("main");
    const focused = main.contains(document.activeElement) ? trace(main, document.activeElement) : null;
    main.replaceWith(page.getElementById("main"));
    element("state")?.replaceWith(page.getElementById("state"));
    document.querySelector("nav.manner")?.replaceWith(page.querySelector("nav.manner"));
    waiting.clear();
    remember();
    document.dispatchEvent(new Event("exchanged"));
    connect();
    if (focused) refocus(element("main"), focused);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  }
}

function submit(form) {
  const url = new URL(form.action);
  const fields = new FormData(form);
  for (const [name, value] of fields) if (value !== "" || name === "wall") url.searchParams.append(name, value);
  visit(url.href);
}

addEventListener("popstate", () => visit(location.href, false));

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.controls")) return;
  event.preventDefault();
  submit(event.target);
});

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form.controls");
  if (form && event.target.matches("select, input[type=checkbox]")) submit(form);
});
