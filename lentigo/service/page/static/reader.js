"use strict";
// The form and the result: previews, drop, zoom, and the share of melanoma. All of it is
// there to help; without scripts the form and the answer work as well.
const texts = JSON.parse(document.body.dataset.texts);
const language = document.body.dataset.language;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const input = document.getElementById("images");
const camera = document.getElementById("camera");
const drop = document.getElementById("drop");
const thumbs = document.getElementById("thumbs");

function preview() {
  for (const image of thumbs.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  thumbs.replaceChildren();
  [...input.files, ...camera.files].forEach((file, place) => {
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

input.addEventListener("change", preview);
camera.addEventListener("change", preview);
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) {
    input.files = event.dataTransfer.files;
    preview();
  }
});
document.getElementById("lesion").addEventListener("submit", (event) => {
  const [files, busy, limits] = [[...input.files, ...camera.files], document.getElementById("busy"), event.target.dataset];
  const [n, mb] = [Number(limits.most), Number(limits.mb)];
  const large = files.length > n || files.some((file) => file.size > 1e6 * mb);
  if (files.length && !large) {
    busy.textContent = texts.busy;
    return;
  }
  event.preventDefault();
  busy.textContent = large ? fill(texts.choose_help, { n, mb }) : texts.choose_first;
  input.focus();
});

for (const figure of document.querySelectorAll(".picture")) {
  const zoomer = figure.querySelector(".zoomer input");
  if (!zoomer) continue;
  const image = figure.querySelector(".zoom img");
  zoomer.addEventListener("input", () => {
    image.style.width = `${100 * zoomer.value}%`;
  });
}

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

// The share of melanoma moves the log-odds by as much as its own log-odds differ.
const SHARES = [0.1, 0.2, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 40, 50];
const logOdds = (share) => Math.log(share) - Math.log1p(-share);

function frequency(probability) {
  for (const of of [100, 1000, 10000]) {
    if (probability * of >= 0.95) {
      const n = Math.floor(probability * of + 0.5);
      return n < of ? ["about", n, of] : ["more", of - 1, of];
    }
  }
  return ["fewer", 1, 10000];
}

function slider() {
  const place = document.getElementById("probability");
  const share = document.getElementById("share");
  if (!place || !share || !place.dataset.prevalence) return;
  const own = Number(place.dataset.prevalence);
  const shares = [...new Set([...SHARES, Number((100 * own).toPrecision(3))])].sort((a, b) => a - b);
  const format = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  share.max = shares.length - 1;
  share.value = shares.indexOf(Number((100 * own).toPrecision(3)));
  const show = () => {
    const percent = shares[share.value];
    const logit = Number(place.dataset.logit) + logOdds(percent / 100) - logOdds(own);
    const probability = 1 / (1 + Math.exp(-logit));
    const [key, n, of] = frequency(probability);
    document.getElementById("frequency").textContent = fill(texts[key], { n, of: new Intl.NumberFormat(language, { useGrouping: "always" }).format(of) });
    document.getElementById("dots").hidden = of !== 100; // a hundred dots cannot show 4 of 1,000
    document.querySelectorAll("#dots i").forEach((dot, number) => dot.classList.toggle("on", number < n));
    const said = `${format.format(percent)} %`;
    document.getElementById("share-said").textContent = said;
    share.setAttribute("aria-valuetext", said);
  };
  share.addEventListener("input", show);
  share.parentElement.hidden = false;
  document.getElementById("static-share").hidden = true;
  document.getElementById("share-said").textContent = `${format.format(Number((100 * own).toPrecision(3)))} %`;
  share.setAttribute("aria-valuetext", document.getElementById("share-said").textContent);
}
slider();
window.lentigoOfferPoints();
