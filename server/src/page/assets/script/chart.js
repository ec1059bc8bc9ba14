// Charts that can be walked, and saved as pictures.

import { word } from "./words.js";

export function dressParts() {
  for (const svg of document.querySelectorAll("svg.chart:not([data-dressed])")) dressChart(svg);
  for (const select of document.querySelectorAll("select.dates:not([data-dressed])")) dressDates(select);
  for (const button of document.querySelectorAll("button.png[hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => savePng(button.dataset.svg));
  }
}


// The figures of one period, under the pointer or walked to by arrow keys.
function dressChart(svg) {
  svg.dataset.dressed = "";
  const slots = [...svg.querySelectorAll(".slot")];
  const tooltip = svg.closest("figure")?.querySelector(".tooltip");
  if (!slots.length || !tooltip) return;
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-describedby", tooltip.id);
  tooltip.setAttribute("role", "status");
  let at = -1;
  const pick = (i) => {
    slots[at]?.classList.remove("picked");
    at = Math.min(Math.max(i, -1), slots.length - 1);
    const slot = slots[at];
    tooltip.hidden = !slot;
    if (!slot) return;
    slot.classList.add("picked");
    tooltip.textContent = slot.dataset.words;
  };
  // The browser's own tooltip would come on top of ours.
  for (const slot of slots) slot.querySelector("title")?.remove();
  svg.addEventListener("pointermove", (event) => {
    const slot = event.target.closest?.(".slot");
    if (slot) pick(slots.indexOf(slot));
  });
  svg.addEventListener("pointerleave", () => document.activeElement !== svg && pick(-1));
  svg.addEventListener("pick", (event) => pick(slots.findIndex((slot) => slot.dataset.period === event.detail)));
  svg.addEventListener("blur", () => pick(-1));
  svg.addEventListener("focus", () => at < 0 && pick(slots.length - 1));
  svg.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: slots.length - 1, PageUp: at - 10, PageDown: at + 10 };
    if (event.key === "Escape") return pick(-1);
    if (!(event.key in steps)) return;
    event.preventDefault();
    pick(Math.max(0, steps[event.key]));
  });
}


// The dates of a list as a slider: left is long ago, right is now.
function dressDates(select) {
  select.dataset.dressed = "";
  const options = [...select.options];
  if (options.length < 3) return;
  const slider = document.createElement("input");
  slider.type = "range";
  slider.className = "slider";
  slider.name = "";
  slider.id = "travel-slider";
  slider.min = "0";
  slider.max = String(options.length - 1);
  const tell = () => {
    const option = options[options.length - 1 - Number(slider.value)];
    slider.setAttribute("aria-valuetext", option.textContent);
    return option;
  };
  slider.value = String(options.length - 1 - select.selectedIndex);
  slider.setAttribute("aria-label", word("As known on", "截至"));
  tell();
  let soon = 0;
  slider.addEventListener("input", () => {
    select.value = tell().value;
    clearTimeout(soon);
    soon = setTimeout(() => select.form?.requestSubmit(), 200);
  });
  select.after(slider);
}

async function savePng(url) {
  const svg = await (await fetch(url)).text();
  const source = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(source);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "chart.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}
