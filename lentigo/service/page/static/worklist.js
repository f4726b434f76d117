"use strict";
// A folder or zip becomes a list. The files go to the service one lesion at a time, without
// their names; the names stay in this browser. Nothing is ever put into the page as HTML.
let texts = {};
let language = "";
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const id = (name) => document.getElementById(name);
const form = id("work");
const MOST = Number(form.dataset.most);
const BYTES = Number(form.dataset.bytes);
const BODY = 0.98 * Number(form.dataset.body); // the rest is for the fields
const AT_ONCE = 2;
const { listed, grouped, kinds, reasons, visible, thumbnail } = window.lentigoFiles;
const offer = window.lentigoOfferPoints;
const PHRASES = JSON.parse(form.dataset.phrases); // of a reason, and the text that says it
let [rows, run] = [[], 0];
let given = []; // the files of the list, to ask anew where a choice changes
let told = null; // model, threshold and share of the list
let whole = null; // what was chosen: pictures, other files, and how they were read
let status = () => ""; // what the list is doing, in the language of the page

const model = () => (id("model") ? id("model").value : "");

function tell(words) {
  status = words;
  id("status").textContent = status();
}

async function ask(group, pictures, before) {
  const body = new FormData();
  for (const each of pictures) body.append("images", each.file, "picture");
  body.append("patient", String(group.patient));
  body.append("lesion", String(group.lesion));
  if (id("share").value) body.append("prevalence", String(Number(id("share").value) / 100));
  body.append("operating_point", id("operating_point").value);
  body.append("model", model());
  body.append("features", "yes");
  body.append("memo", "yes");
  for (const note of before) body.append("before", note);
  return window.lentigoAsk(body, texts.problem);
}

async function answered(group, again = true) {
  // One answer for a lesion. Each part of many pictures takes along a note of those before,
  // so that the last answer is for all. A part that fails leaves the others their answer.
  const [images, unread] = [[], { probability: null, call: "", reason: "", sha256: "" }];
  let last = { lesions: [unread] };
  for (const pictures of group.parts) {
    try {
      const said = await ask(group, pictures, [last.lesions[0].memo].filter(Boolean));
      images.push(...said.images);
      last = { ...said, lesions: said.lesions.length ? said.lesions : last.lesions };
    } catch (error) {
      if (error.stale && again) return answered(group, false); // notes of another service or model
      if (error.choice) throw error;
      images.push(...pictures.map(() => ({ ...unread, reason: error.message })));
    }
  }
  return { ...last, images };
}

function row(group, said) {
  const [sent, images, lesion] = [group.parts.flat(), said.images, said.lesions[0]];
  const doubted = images.filter((each) => each.reason);
  const found = reasons(sent, images);
  const counts = images.filter((each) => each.probability !== null);
  const out = group.pictures.filter((each) => each.bad || images[sent.indexOf(each)].probability === null);
  // Of a lesion that no picture lets judge, "not called" would be a judgement; "called" stays.
  const quiet = doubted.length === images.length;
  if (said.model) {
    const untold = images.some((each) => each.metadata === "none") || Boolean(told && told.untold);
    told = { model: `${said.model.name} ${said.model.version}`, abstains: said.model.abstains, point: said.operating_point, share: said.prevalence, time: new Date(), untold, alone: lesion.context === 0 || Boolean(told && told.alone) };
  }
  return {
    ...group, probability: lesion.probability, call: quiet && lesion.call !== "melanoma" ? "" : lesion.call, quiet, note: lesion.memo,
    mean: counts.length > 1,
    judged: lesion.probability !== null && counts.every((each) => !each.reason),
    whole: lesion.probability !== null && !doubted.length && !out.length,
    out: out.map((each) => each.number),
    reasons: found, reason: found.map(([reason, own]) => (group.pictures.length > 1 ? `${own.join(", ")}: ${reason}` : reason)).join("; "),
    images: images.map((each) => each.sha256).filter(Boolean),
    features: counts.filter((each) => each.features).map((each) => each.features), odd: null,
  };
}

function toldOf(each) {
  // What this page knows of a row, in its language: parts of a lesion, and files not sent.
  const parts = each.parts.length > 1 ? [fill(texts.in_parts, { n: each.parts.length, of: each.parts.flat().length })] : [];
  const bad = each.pictures.filter((picture) => picture.bad).map((picture) => fill(texts[picture.bad], { n: picture.number, mb: BYTES / 1e6 }));
  return [...parts, ...bad].join(" ");
}

async function work(files) {
  const before = { rows, given, told, whole };
  given = files;
  if (!id("share").validity.valid) {
    return tell(() => texts.share_wrong);
  }
  const own = (run += 1);
  [rows, told] = [[], null];
  tell(() => texts.busy);
  const read = await listed(files, BYTES).catch(() => null);
  if (own !== run) return;
  whole = read;
  const groups = read ? grouped(read.found, MOST, BODY) : [];
  const left = whole;
  if (!groups.length) return restore(before, () => (read ? `${texts.no_pictures} ${leftTold(left)}` : texts.bad_zip));
  const [waiting, count] = [groups.slice(), groups.length];
  let shown = 0;
  id("progress").hidden = false;
  const step = async () => {
    while (waiting.length && own === run) {
      const group = waiting.shift();
      let found;
      try {
        found = await answered(group);
      } catch (error) {
        if (own === run) restore(before, () => error.message);
      }
      if (own !== run) return;
      if (!rows.length) leave(before.rows);
      rows.push(row(group, found));
      id("progress").value = rows.length / count;
      const last = rows.length === count;
      if (!last && performance.now() - shown < 1000) continue; // sorting thousands takes its time
      shown = performance.now();
      tell(() => fill(texts.done_of, { n: rows.length, of: count }));
      show();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, step));
  if (own !== run) return;
  const known = told;
  if (known && known.alone) known.alone = await window.lentigoCompared(rows, ask);
  await window.lentigoDucklings(rows);
  if (own !== run) return;
  id("progress").hidden = true;
  show();
}

function leave(list) {
  for (const each of list) for (const url of each.urls || []) URL.revokeObjectURL(url);
}

function restore(before, why) {
  // The list as it was, where there is nothing to read or a choice is not taken.
  run += 1;
  leave(rows);
  ({ rows, given, told, whole } = before);
  id("progress").hidden = true;
  tell(why);
  if (rows.length) show();
}

const isOdd = (each) => each.odd !== null && each.odd.rank === 1 && each.odd.oddness > 0;
const oddness = (value) => value.toLocaleString(language, { maximumFractionDigits: 1, minimumFractionDigits: 1 });

function oddSaid(each) {
  if (each.odd === null || each.odd.oddness === null) return "";
  const value = oddness(each.odd.oddness);
  return isOdd(each) ? `${texts.odd_one} (${value})` : value;
}

const percent = (share) => fill(texts.percent, { n: (share > 0.9995 && share < 1 ? ">" : "") + (share < 1 ? Math.min(100 * share, 99.9) : 100).toLocaleString(language, { maximumSignificantDigits: 3 }) });

function chosen() {
  const above = Number(id("above").value) / 100;
  const kept = rows.filter((each) => {
    if (id("filter").value === "called" && each.call !== "melanoma") return false;
    if (id("filter").value === "unjudged" && each.whole) return false;
    if (id("filter").value === "odd" && !isOdd(each)) return false;
    return each.probability === null || each.probability >= above; // nobody judged it
  });
  const likely = (each) => (each.probability === null ? 2 : each.probability);
  const by = new Map();
  for (const each of kept) by.set(each.patient, Math.max(by.get(each.patient) || 0, likely(each)));
  // What nobody could judge comes first: somebody has to look at it.
  return kept.sort((a, b) => id("order").value === "patient"
    ? by.get(b.patient) - by.get(a.patient) || a.patient - b.patient || likely(b) - likely(a)
    : likely(b) - likely(a));
}

function said(each) {
  if (each.probability === null) return texts.cannot;
  const out = each.out.map((n) => fill(texts.picture_out, { n }));
  const notes = [...(each.judged ? [] : [texts.cannot]), ...out];
  return `${percent(each.probability)}${notes.length ? ` (${notes.join("; ")})` : ""}`;
}

function why(each) {
  // In the language of the page, if the reasons are some of those that have a text.
  const by = new Map();
  for (const [reason, own] of each.reasons) {
    const known = PHRASES.find(([phrase]) => reason.includes(phrase));
    const text = known ? texts[known[1]] : each.out.includes(own[0]) ? texts.why_unreadable : "";
    if (text) by.set(text, [...(by.get(text) || []), ...own]);
  }
  const of = (own) => (each.pictures.length > 1 ? `${fill(texts.picture, { n: own.join(", ") })}${texts.colon} ` : "");
  return [toldOf(each), ...[...by].map(([text, own]) => of(own) + text)].filter(Boolean).join(" ");
}

function reasoned(each) {
  const detail = document.createElement("span");
  detail.lang = "en";
  detail.className = "reason";
  detail.textContent = each.reason;
  return [why(each), ...(each.reason ? [" ", detail] : [])];
}

const called = (each) => (each.call === "melanoma" ? texts.called : each.call ? texts.not_called : texts.no_call);

function line(each) {
  // A row stays the same element, so that nothing flickers while the list grows.
  each.line = document.createElement("tr");
  each.line.setAttribute("role", "row");
  if (each.call === "melanoma") each.line.classList.add("called");
  each.cells = [...id("rows").tHead.rows[0].cells].map((head) => {
    const cell = document.createElement("td");
    cell.setAttribute("role", "cell");
    cell.dataset.head = head.textContent;
    each.line.append(cell);
    return cell;
  });
  each.look = document.createElement("button");
  each.look.type = "button";
  each.look.className = "look";
  each.look.addEventListener("keydown", (event) => keys(event, each));
  each.name = document.createElement("span");
  each.urls ||= each.pictures.map((picture) => URL.createObjectURL(picture.file));
  each.look.append(thumbnail(each.urls, each.pictures.map((picture) => fill(texts.picture, { n: picture.number })), texts.enlarge));
  each.look.setAttribute("aria-label", `${fill(texts.picture, { n: each.pictures[0].number })}: ${texts.enlarge}`);
  each.cells[1].append(each.look, each.name);
  [each.patient, each.lesion, said(each), called(each)].forEach((text, place) => { each.cells[place + 2].textContent = text; });
  each.cells[7].append(...reasoned(each));
  each.line.addEventListener("click", () => enlarge(each));
  return each.line;
}

function show() {
  const body = id("rows").tBodies[0];
  const [list, names, focused] = [chosen(), id("names").checked, document.activeElement];
  const lines = list.map((each, place) => {
    const own = each.line || line(each);
    each.look.tabIndex = place === 0 ? 0 : -1;
    own.classList.toggle("odd", isOdd(each));
    each.cells[0].textContent = place + 1;
    each.cells[6].textContent = oddSaid(each);
    each.name.textContent = each.pictures.map((picture) => (names ? visible(picture.name) : picture.number)).join(", ");
    return own;
  });
  body.replaceChildren(...lines);
  const kept = list.find((each) => each.look === focused);
  if (kept) go(kept);
  id("told").textContent = listTold();
  id("left").textContent = leftTold(whole);
  id("left").hidden = !id("left").textContent;
  id("none").hidden = list.length > 0;
  id("list").hidden = false;
}

function listTold() {
  if (!told) return "";
  const option = [...id("operating_point").options].find((each) => each.value === told.point);
  const point = told.point ? `${told.point} (${option ? option.textContent : ""})` : texts.point_none;
  const time = told.time.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  const notes = notesTold().map((each) => ` ${each}`).join("");
  return `${fill(texts.list_told, { model: told.model, point, share: told.share === null ? texts.not_known : percent(told.share), time })}${notes} ${readAs()} ${shownTold()}`;
}

function notesTold() {
  // What the answers do not count; it goes with the list wherever it is saved.
  const known = told ? [[!told.abstains, "without_limit"], [told.point && rows.some((each) => each.mean), "list_mean"], [told.untold, "list_untold"], [told.alone, "list_alone"]] : [];
  return known.filter(([holds]) => holds).map(([, key]) => texts[key]);
}

function readAs() {
  const lesions = new Set(rows.map((each) => `${each.patient}.${each.lesion}`)).size;
  return fill(texts.list_read_as, { p: new Set(rows.map((each) => each.patient)).size, l: lesions, n: rows.reduce((sum, each) => sum + each.pictures.length, 0) });
}

function shownTold() {
  // Which rows are shown, saved and printed, where it is not all of them.
  const [n, above, filter] = [chosen().length, Number(id("above").value), id("filter")];
  if (filter.value === "all" && !above) return "";
  const how = [...(filter.value === "all" ? [] : [filter.selectedOptions[0].textContent]), ...(above ? [`≥ ${percent(above / 100)}`] : [])];
  return fill(texts.list_shown, { n, of: rows.length, how: how.join("; ") });
}

function leftTold(read) {
  if (!read) return "";
  const { left, beyond, most } = read;
  const names = id("names").checked ? ` ${left.map(visible).join(", ")}` : "";
  const other = left.length ? fill(texts.left_files, { n: left.length, kinds: kinds(left, texts.other_kind) }) + names : "";
  return [other, beyond ? fill(texts.left_beyond, { most, n: beyond }) : ""].filter(Boolean).join(" ");
}

function go(each) {
  for (const other of id("rows").querySelectorAll('.look[tabindex="0"]')) other.tabIndex = -1;
  each.look.tabIndex = 0;
  each.look.focus();
}

function aim(event, each) {
  // The row that a key leads to, from the row of `each`.
  const list = chosen();
  const place = list.indexOf(each);
  return { ArrowDown: list[place + 1], j: list[place + 1], ArrowUp: list[place - 1], k: list[place - 1], Home: list[0], End: list.at(-1) }[event.key];
}

function keys(event, each) {
  const next = event.ctrlKey || event.altKey || event.metaKey ? null : aim(event, each);
  if (!next) return;
  event.preventDefault();
  go(next);
}

let large = null;

function enlarge(each) {
  large = each;
  id("large-pictures").replaceChildren(...each.pictures.map((picture, place) => {
    const image = document.createElement("img");
    image.alt = fill(texts.picture, { n: picture.number });
    image.addEventListener("error", () => image.replaceWith(`${image.alt}: ${texts.not_shown}`));
    image.src = each.urls[place];
    return image;
  }));
  id("large-title").textContent = `${texts.patient} ${each.patient}, ${texts.lesion} ${each.lesion}${texts.colon} ${said(each)}`;
  id("large-said").replaceChildren(called(each), isOdd(each) ? ` · ${oddSaid(each)} ` : " ", ...reasoned(each));
  id("large-zoom").value = 1;
  zoom();
  if (!id("large").open) id("large").showModal();
}

function zoom() {
  id("large-pictures").style.setProperty("--zoom", id("large-zoom").value);
}

id("large").addEventListener("keydown", (event) => {
  if (event.target === id("large-zoom") || event.target === id("large-pictures")) return; // arrows move these
  const next = ["ArrowDown", "ArrowUp", "j", "k"].includes(event.key) ? aim(event, large) : null;
  if (!next) return;
  event.preventDefault();
  enlarge(next);
});
id("large").addEventListener("close", () => large && go(large));
id("large-zoom").addEventListener("input", zoom);

function csv() {
  const head = ["rank", "pictures", ...(id("names").checked ? ["names"] : []), "patient", "lesion", "probability", "call", "oddness", "odd_one", "remark", "sha256", "model", "operating_point", "prevalence", "abstains", "shown", "left_out", "notes", "notice"];
  const [shown, left] = [shownTold(), leftTold(whole)];
  const lines = chosen().map((each, place) => [
    place + 1, each.pictures.map((picture) => picture.number).join(" "),
    ...(id("names").checked ? [each.pictures.map((picture) => visible(picture.name)).join(" | ")] : []),
    each.patient, each.lesion, each.probability, each.call, each.odd && each.odd.oddness, isOdd(each) ? "yes" : "", [toldOf(each), each.reason].filter(Boolean).join("; "), each.images.join(" "), told && told.model, told && told.point, told && told.share, told && (told.abstains ? "yes" : "no"), shown, left, notesTold().join(" "), texts.notice,
  ]);
  window.lentigoSaveCsv([head, ...lines], "worklist.csv");
}

function spoken() {
  texts = JSON.parse(document.body.dataset.texts);
  language = document.body.dataset.language;
}

function speak(event) {
  // In the middle of a list, too: what is read goes on, and only the words change.
  if (!window.lentigoSpeak(event.currentTarget.hreflang)) return; // the browser asks first
  event.preventDefault();
  spoken();
  for (const each of rows) delete each.line;
  tell(status);
  if (rows.length) show();
}

for (const [name, other] of [["folder", "files"], ["files", "folder"]]) {
  id(name).addEventListener("change", () => {
    if (!id(name).files.length) return;
    id(other).value = "";
    work([...id(name).files]);
  });
}
for (const name of ["filter", "above", "order", "names"]) id(name).addEventListener("input", show);
for (const name of ["share", "operating_point", "model"]) {
  if (id(name)) id(name).addEventListener("change", () => given.length && work(given));
}
for (const link of document.querySelectorAll(".languages a")) link.addEventListener("click", speak);
spoken();
offer();
form.addEventListener("submit", (event) => event.preventDefault());
id("csv").addEventListener("click", csv);
id("print").addEventListener("click", () => window.print());
// Another page or tab would throw away what took long to read: the browser asks.
window.addEventListener("beforeunload", (event) => {
  if (rows.length || !id("progress").hidden) event.preventDefault();
});
