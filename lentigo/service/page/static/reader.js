"use strict";
// The form and the answer: previews, drop, zoom, the share of melanoma, another language, a
// closer look at any picture. All of it is there to help; without scripts the form and the
// answer work as well. The answer takes the place of the form without a new page, so that
// the chosen files stay at hand in this browser: the service keeps nothing.
let texts = {};
let language = "";
let sent = null; // the fields and files of the answer that is shown
let asking = false; // whether an answer is waited for
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const id = (name) => document.getElementById(name);

function preview() {
  const thumbs = id("thumbs");
  for (const image of thumbs.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  thumbs.replaceChildren();
  [...id("images").files, ...id("camera").files].forEach((file, place) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    const name = fill(texts.picture, { n: place + 1 });
    image.alt = name;
    image.addEventListener("error", () => item.replaceChildren(name)); // DICOM, HEIC
    image.src = URL.createObjectURL(file);
    item.append(image);
    thumbs.append(item);
  });
}

function form() {
  const drop = id("drop");
  id("images").addEventListener("change", preview);
  id("camera").addEventListener("change", preview);
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) {
      id("images").files = event.dataTransfer.files;
      preview();
    }
  });
  id("lesion").addEventListener("submit", submit);
}

async function submit(event) {
  event.preventDefault();
  const [lesion, busy] = [event.target, id("busy")];
  if (asking) return;
  const files = [...id("images").files, ...id("camera").files];
  const [n, mb] = [Number(lesion.dataset.most), Number(lesion.dataset.mb)];
  const large = files.length > n || files.some((file) => file.size > 1e6 * mb);
  if (!files.length || large) {
    busy.textContent = large ? fill(texts.choose_help, { n, mb }) : texts.choose_first;
    id("images").focus();
    return;
  }
  busy.textContent = texts.busy;
  asking = true;
  const fields = new FormData(lesion);
  const { page, said } = await asked(fields);
  asking = false;
  id("busy").textContent = said; // in another language it is another element
  const problem = page && page.querySelector(".problem");
  if (problem) refused(problem);
  else if (page) answered(page, { fields, files });
}

function refused(problem) {
  // The form stays as it is: what was chosen and typed is not lost for one wrong field.
  for (const before of document.querySelectorAll(".problem")) before.remove();
  id("lesion").before(document.adoptNode(problem));
  problem.tabIndex = -1;
  problem.focus();
}

function answered(page, own) {
  const spoken = language; // the reader may have changed it meanwhile
  sent = own;
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  history.pushState({ answer: true }, "", `/?lang=${document.documentElement.lang}`);
  start();
  if (spoken !== language) speak(spoken);
  window.scrollTo(0, 0);
  id("main").focus({ preventScroll: true });
}

async function asked(fields) {
  // The page that answers, or in words why there is none.
  try {
    const answer = await fetch(`/?lang=${language}`, { method: "POST", body: fields });
    const text = await answer.text();
    if ((answer.headers.get("content-type") || "").startsWith("text/html")) {
      return { page: new DOMParser().parseFromString(text, "text/html"), said: "" };
    }
    return { page: null, said: `${texts.problem}: ${JSON.parse(text).detail}` };
  } catch {
    return { page: null, said: texts.problem };
  }
}

window.addEventListener("popstate", (event) => {
  // Back from the answer to the form; the skip link of a page comes with a fragment.
  if (sent && !event.state && !window.location.hash) window.location.reload();
});

function closer() {
  for (const place of document.querySelectorAll("[data-closer-of]")) {
    const number = Number(place.dataset.closerOf);
    const file = sent && sent.files[number - 1];
    place.hidden = !file || Boolean(document.querySelector(`[data-closer="${number}"]`));
    if (file) place.querySelector("button").addEventListener("click", () => look(place, number, file));
  }
}

async function look(place, number, file) {
  const said = place.querySelector("span");
  if (said.textContent === texts.busy) return;
  said.textContent = texts.busy;
  const fields = new FormData();
  for (const [name, value] of sent.fields) {
    if (!["images", "explain", "views"].includes(name)) fields.append(name, value);
  }
  fields.append("images", file, "picture");
  fields.append("first", String(number));
  const [own, spoken] = [sent, language];
  const found = await asked(fields);
  if (sent !== own) return; // by now the page shows another lesion
  const parts = found.page ? [...found.page.body.querySelectorAll("[data-closer]")] : [];
  if (!parts.length) {
    said.textContent = found.said || texts.problem_busy;
    return;
  }
  // The reader may have changed the language meanwhile.
  const inLanguage = (code) => {
    const other = found.page.querySelector(`template[data-language="${code}"]`);
    return code === spoken ? found.page.body : other && other.content;
  };
  const others = [...document.querySelectorAll("template")];
  for (const [root, code] of [[document, language], ...others.map((each) => [each.content, each.dataset.language])]) {
    const from = inLanguage(code);
    if (from) added(root, from, number);
  }
  document.querySelector(`[data-closer-of="${number}"]`).hidden = true;
  const title = document.querySelector(`[data-closer="${number}"] h2`);
  title.tabIndex = -1;
  title.focus();
}

function added(root, from, number) {
  for (const left of root.querySelectorAll(`[data-left="${number}"]`)) left.remove();
  for (const part of from.querySelectorAll(`[data-closer="${number}"]`)) {
    for (const image of part.querySelectorAll("[data-picture]")) image.dataset.picture = `${number}-${image.dataset.picture}`;
    root.getElementById("next").before(document.importNode(part, true));
  }
}

function languages() {
  for (const link of document.querySelectorAll(".languages a")) {
    link.addEventListener("click", (event) => {
      if (speak(link.hreflang)) event.preventDefault();
    });
  }
}

function speak(code) {
  // Form and answer in another language: they lie in the page, without the pictures.
  const other = document.querySelector(`template[data-language="${code}"]`);
  if (!other) return false;
  const body = document.body;
  const pictures = new Map([...body.querySelectorAll("[data-picture]")].map((each) => [each.dataset.picture, each.src]));
  const before = document.createElement("template");
  Object.assign(before.dataset, { language, texts: body.dataset.texts, title: document.title });
  const [fields, folds] = [[...body.querySelectorAll("input, select")], [...body.querySelectorAll("details")]];
  const others = [...body.querySelectorAll("template")];
  const shown = document.importNode(other.content, true);
  for (const each of others) each.remove();
  before.content.append(...body.childNodes);
  for (const each of shown.querySelectorAll("[data-picture]")) each.src = pictures.get(each.dataset.picture);
  body.append(shown, before, ...others.filter((each) => each !== other));
  Object.assign(body.dataset, { language: code, texts: other.dataset.texts });
  document.documentElement.lang = code;
  document.title = other.dataset.title;
  start();
  body.querySelectorAll("input, select").forEach((field, place) => again(field, fields[place]));
  const model = id("model");
  if (model) model.dispatchEvent(new Event("input")); // its thresholds are offered again
  body.querySelectorAll("details").forEach((fold, place) => { fold.open = folds[place].open; });
  history.replaceState(history.state, "", `/?lang=${code}`);
  body.querySelector(`.languages a[hreflang="${code}"]`).focus();
  return true;
}

function again(field, before) {
  if (field.type === "file") field.files = before.files;
  else if (field.type === "checkbox") field.checked = before.checked;
  else if (field.tagName === "SELECT") field.selectedIndex = before.selectedIndex;
  else field.value = before.value;
  if (field.type === "range" && field.value !== field.defaultValue) field.dispatchEvent(new Event("input"));
  if (field.type === "file" && field.files.length) preview();
}

function zoom() {
  for (const figure of document.querySelectorAll(".picture")) {
    const zoomer = figure.querySelector(".zoomer input");
    if (!zoomer) continue;
    const image = figure.querySelector(".zoom img");
    zoomer.addEventListener("input", () => {
      image.style.width = `${100 * zoomer.value}%`;
    });
  }
}

function printing() {
  const button = id("print");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// The share of melanoma moves the log-odds by as much as its own log-odds differ.
const SHARES = [0.1, 0.2, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 40, 50];
const logOdds = (share) => Math.log(share) - Math.log1p(-share);

function frequency(probability) {
  for (const of of [100, 1000, 10000]) {
    if (probability * of >= 0.95) {
      const n = Math.floor(probability * of + 0.5);
      return n < of ? [n === 1 ? "about_one" : "about", n, of] : ["more", of - 1, of];
    }
  }
  return ["fewer", 1, 10000];
}

function differential(own, probability) {
  // The others keep their shares among themselves, as the service computes them.
  const body = document.querySelector(".differential tbody");
  if (!body) return;
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
  const rows = [...body.rows].map((row) => {
    const melanoma = row.dataset.diagnosis === "melanoma";
    return [row, melanoma ? probability : own < 1 ? row.dataset.share * (1 - probability) / (1 - own) : 0];
  });
  for (const [row, share] of rows.sort((a, b) => b[1] - a[1])) {
    row.querySelector("meter").value = share;
    const n = share < 0.0005 ? `<${format.format(0.1)}` : share > 0.9995 ? `>${format.format(99.9)}` : format.format(100 * share);
    row.querySelector("td span").textContent = fill(texts.percent, { n });
    body.append(row);
  }
}

function slider() {
  const place = id("probability");
  const share = id("share");
  if (!place || !share || !place.dataset.prevalence) return;
  const own = Number(place.dataset.prevalence);
  const shares = [...new Set([...SHARES, Number((100 * own).toPrecision(3))])].sort((a, b) => a - b);
  const format = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  share.max = shares.length - 1;
  const first = shares.indexOf(Number((100 * own).toPrecision(3)));
  share.value = first;
  const show = () => {
    const percent = shares[share.value];
    const moved = Number(share.value) !== first;
    const logit = Number(place.dataset.logit) + (moved ? logOdds(percent / 100) - logOdds(own) : 0);
    const probability = 1 / (1 + Math.exp(-logit));
    const [key, n, of] = frequency(probability);
    id("frequency").textContent = fill(texts[key], { n, of: new Intl.NumberFormat(language, { useGrouping: "always" }).format(of) });
    id("dots").hidden = of !== 100; // a hundred dots cannot show 4 of 1,000
    document.querySelectorAll("#dots i").forEach((dot, number) => dot.classList.toggle("on", number < n));
    differential(1 / (1 + Math.exp(-Number(place.dataset.logit))), probability);
    if (id("call-at-share")) id("call-at-share").hidden = !moved;
    tell(percent);
  };
  const tell = (percent) => {
    const p = format.format(percent);
    id("share-said").textContent = fill(texts.percent, { n: p });
    share.setAttribute("aria-valuetext", id("share-said").textContent);
    id("static-share").textContent = fill(texts.at_prevalence, { p }); // the print has no slider
  };
  share.addEventListener("input", show);
  share.parentElement.hidden = false;
  id("static-share").className = "shown-on-print";
  tell(shares[first]);
}

function start() {
  // Of the page as it stands: also after it was exchanged for an answer or a language.
  texts = JSON.parse(document.body.dataset.texts);
  language = document.body.dataset.language;
  form();
  zoom();
  printing();
  slider();
  closer();
  languages();
  window.lentigoOfferPoints();
  if (asking) id("busy").textContent = texts.busy;
}
start();
